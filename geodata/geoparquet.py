"""GeoParquet: columns with a geometry as WKB and a CRS in the file's own description."""

import functools
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from pyproj import CRS

from geodata.catalog import Source
from geodata.crs import DISPLAY_CRS
from geodata.errors import SourceError
from geodata.frames import PartWriter
from geodata.vectors import TOO_ODD, Features, cells_of_arrow

ODD = (pa.ArrowException, OSError, LookupError, ValueError, TypeError, AttributeError, *TOO_ODD)
"""What a file that ends like a Parquet file may still do to its reader."""

WITHOUT_CRS = "OGC:CRS84"
"""The CRS of a file that says nothing, by the GeoParquet specification."""


def read_geoparquet(source: Source, name: str, content: bytes) -> Features:
    """Read the primary geometry and all columns of text, numbers and dates."""
    try:
        with pq.ParquetFile(io.BytesIO(content)) as file:
            _hold(source, name, file.metadata)
            geo = json.loads((file.schema_arrow.metadata or {})[b"geo"])
            primary = str(geo["primary_column"])
            told = geo["columns"][primary]
            table = file.read(use_threads=False)
        shapes = _shapes(table.column(primary), told)
        crs = told.get("crs", WITHOUT_CRS)
        cells, notes = cells_of_arrow(source, table.drop_columns([primary]))
    except ODD as error:
        message = f"{name} is no GeoParquet: {error!r}"[:300]
        raise SourceError(source.source_id, "file_is_of_its_format", message) from error
    return Features(cells, shapes, json.dumps(crs) if isinstance(crs, dict) else crs or "", notes)


def _hold(source: Source, name: str, metadata: Any) -> None:  # noqa: ANN401 - pyarrow has no types
    groups = [metadata.row_group(n) for n in range(metadata.num_row_groups)]
    source.limits.hold(source.source_id, "rows", metadata.num_rows, name)
    source.limits.hold(source.source_id, "columns", metadata.num_columns, name)
    unpacked = sum(group.total_byte_size for group in groups)
    source.limits.hold(source.source_id, "unpacked_bytes", unpacked, name)


def _shapes(column: Any, told: dict[str, object]) -> np.ndarray:  # noqa: ANN401
    if told["encoding"] != "WKB":
        raise ValueError(f"its geometry is encoded as {told['encoding']}, needed is WKB")
    return np.asarray(shapely.from_wkb(pd.array(column.to_pylist(), dtype="object")))


VERSION = "1.1.0"
BOX = ("xmin", "ymin", "xmax", "ymax")
BOX_COLUMN = "bbox"
COVERING = {"bbox": {edge: [BOX_COLUMN, edge] for edge in BOX}}

TYPES = {
    int(shapely.GeometryType[name.upper()]): name
    for name in (
        *("Point", "LineString", "Polygon"),
        *("MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection"),
    )
}


def write_geoparquet(
    parts: Iterable[gpd.GeoDataFrame],
    path: Path,
    compression: Literal["gzip", "snappy"] = "snappy",
    has_boxes: bool = False,
) -> None:
    """Write a layer that comes in parts, EPSG:4326, at least one; each is a group of rows.

    ``has_boxes`` adds the column of the features' boxes, by which readers skip what is elsewhere.
    """
    types, boxes = set[str](), list[np.ndarray[Any, Any]]()
    with PartWriter(path, compression) as writer:
        for part in parts:
            shapes = part.geometry.to_numpy()
            writer.add(_arrow(part, shapes, has_boxes))
            there = shapes[~shapely.is_missing(shapes)]
            has_z = shapely.has_z(there).tolist()
            kinds = set(zip(shapely.get_type_id(there).tolist(), has_z, strict=True))
            types |= {TYPES[kind] + " Z" * is_raised for kind, is_raised in kinds}
            if len(there):
                boxes.append(shapely.total_bounds(there))
        writer.describe({"geo": json.dumps(_described(types, boxes, has_boxes))})


def _arrow(part: gpd.GeoDataFrame, shapes: Any, has_boxes: bool) -> pa.Table:  # noqa: ANN401
    cells = pa.Table.from_pandas(
        pd.DataFrame(part.drop(columns=part.geometry.name)), preserve_index=False
    )
    table = cells.append_column("geometry", pa.array(shapely.to_wkb(shapes), pa.binary()))
    if has_boxes:
        edges = [pa.array(edge) for edge in shapely.bounds(shapes).T]
        table = table.append_column(BOX_COLUMN, pa.StructArray.from_arrays(edges, list(BOX)))
    return table.replace_schema_metadata(None)


def _described(types: set[str], boxes: list[Any], has_boxes: bool) -> dict[str, Any]:
    column: dict[str, Any] = {
        "encoding": "WKB",
        "crs": _display_crs(),
        "geometry_types": sorted(types),
    }
    if boxes:
        edges = np.array(boxes)
        column["bbox"] = [*edges[:, :2].min(axis=0).tolist(), *edges[:, 2:].max(axis=0).tolist()]
    if has_boxes:
        column["covering"] = COVERING
    return {"version": VERSION, "primary_column": "geometry", "columns": {"geometry": column}}


@functools.cache
def _display_crs() -> dict[str, Any]:
    return dict(CRS.from_user_input(DISPLAY_CRS).to_json_dict())
