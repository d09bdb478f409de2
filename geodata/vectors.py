"""Files of features, as attributes and shapes in degrees; nothing is judged about what they say.

GeoJSON, KML and Parquet are read by readers that know nothing else. What GDAL reads is told by
its first bytes before GDAL sees it, and comes from memory: of GDAL's many drivers some would
follow an address or a path that stands in a file.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import shapely
from shapely.errors import ShapelyError
from shapely.geometry import shape

from geodata.catalog import Source
from geodata.crs import DISPLAY_CRS, is_same_crs
from geodata.errors import SourceError
from geodata.findings import Finding
from geodata.notation import Cell
from geodata.tables import note

TOO_ODD = (ShapelyError, RecursionError, OverflowError)
"""What a file that is JSON by its first bytes may still do to its reader."""

HALF_LETTER = re.compile(rb"\\u[dD][89a-fA-F]")
"""How JSON says a half of a letter; two of them make one."""

PLAIN_SHAPES = range(8)
"""Shapely's numbers of points, lines, polygons and their collections; the others are curves."""


@dataclass(frozen=True)
class Features:
    """One file of features: attributes as the file names them, shapes in its own CRS.

    ``crs`` is what the file itself says, "" where it says nothing. A shape may be None.
    """

    cells: pd.DataFrame
    shapes: np.ndarray
    crs: str = ""
    findings: tuple[Finding, ...] = field(default=())


def require_declared_crs(source: Source) -> None:
    """Raise SourceError unless the source declares a CRS that is known."""
    if not is_same_crs(source.crs, source.crs):
        found = repr(source.crs) if source.crs else "no crs"
        message = f"source.toml declares {found}; it is never guessed"
        raise SourceError(source.source_id, "crs_is_declared", message)


def in_degrees(source: Source, name: str, told: Features) -> tuple[gpd.GeoSeries, list[Finding]]:
    """Return the shapes of one file, flat and in EPSG:4326.

    SourceError where there is none, where they are more than the limits allow, where a shape is
    a curve, and where the file says or holds another CRS than its declaration.
    """
    limits, source_id = source.limits, source.source_id
    if told.cells.empty and not len(told.shapes):
        raise SourceError(source_id, "file_is_not_empty", f"{name} holds no feature")
    limits.hold(source_id, "rows", len(told.shapes), name)
    limits.hold(source_id, "columns", len(told.cells.columns), name)
    limits.hold(source_id, "vertices", int(shapely.get_num_coordinates(told.shapes).sum()), name)
    if not np.isin(shapely.get_type_id(told.shapes), (-1, *PLAIN_SHAPES)).all():
        message = f"{name} holds curves; export it with straight lines"
        raise SourceError(source_id, "geometry_is_plain", message)
    if told.crs and not is_same_crs(told.crs, source.crs):
        raise SourceError(
            source_id,
            "crs_is_as_declared",
            f"{name} says {told.crs[:200]}, source.toml says {source.crs}; one of them is wrong",
        )
    flat, findings = _flat(source, name, told.shapes)
    shapes = gpd.GeoSeries(flat, crs=source.crs)
    needed = "degrees" if shapes.crs and shapes.crs.is_geographic else "metres"
    if _lies_in_degrees(shapes) != (needed == "degrees"):
        raise SourceError(
            source_id, "crs_is_as_declared", f"{name} holds coordinates that are no {needed}"
        )
    return shapes.to_crs(DISPLAY_CRS), [*told.findings, *findings]


def _flat(source: Source, name: str, shapes: np.ndarray) -> tuple[np.ndarray, list[Finding]]:
    deep = shapely.has_z(shapes) | shapely.has_m(shapes)
    if not deep.any():
        return shapes, []
    count = int(deep.sum())
    found = note(
        source, "geometry_is_flat", f"{name}: heights or measures of {count} shapes left out"
    )
    return shapely.force_2d(shapes), [found]


def _lies_in_degrees(shapes: gpd.GeoSeries) -> bool:
    west, south, east, north = shapes.total_bounds
    return bool(-180 <= west <= east <= 180 and -90 <= south <= north <= 90)


def read_geojson(source: Source, name: str, content: bytes) -> Features:
    """Read GeoJSON; its CRS member, where there is one, is what the file says."""
    try:
        told = json.loads(content)
        if HALF_LETTER.search(content):
            json.dumps(told, ensure_ascii=False).encode()
        features = told["features"]
        records = [dict(f.get("properties") or {}) for f in features]
        shapes = [shape(f["geometry"]) if f["geometry"] is not None else None for f in features]
    except UnicodeEncodeError as error:
        message = f"{name} holds half a letter (a lone surrogate), which no file can hold"
        raise SourceError(source.source_id, "encoding_is_as_declared", message) from error
    except (LookupError, ValueError, TypeError, AttributeError, *TOO_ODD) as error:
        raise SourceError(
            source.source_id, "file_is_of_its_format", f"{name} is no GeoJSON: {error!r}"[:300]
        ) from error
    # as objects, or a number beside a missing one would become another number: 2024.0
    cells = pd.DataFrame(records, dtype="object", index=range(len(features)))
    return Features(cells.map(_cell), np.array(shapes, dtype=object), _told_crs(told))


def cells_of_arrow(source: Source, table: Any) -> tuple[pd.DataFrame, tuple[Finding, ...]]:  # noqa: ANN401
    """Return the columns of an Arrow table as cells; bytes are left out, with a note."""
    binary = [
        field.name
        for field in table.schema
        if pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type)
    ]
    columns = {
        name: [_cell(value) for value in table.column(name).to_pylist()]
        for name in table.column_names
        if name not in binary
    }
    cells = pd.DataFrame(columns, dtype="object", index=range(table.num_rows))
    notes = [note(source, "column_is_readable", f"column {n!r} holds bytes") for n in binary]
    return cells, tuple(notes)


def _cell(value: object) -> Cell:
    """Return a value as a cell: missing ones empty, lists and objects as their text."""
    if value is None or value != value:
        return ""
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value if isinstance(value, str | int | float | date | time | timedelta) else str(value)


def _told_crs(told: Mapping[str, object]) -> str:
    crs = told.get("crs")
    properties = crs.get("properties") if isinstance(crs, dict) else None
    return str(properties.get("name", "")) if isinstance(properties, dict) else ""
