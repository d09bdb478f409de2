"""GeoParquet: columns with a geometry as WKB and a CRS in the file's own description."""

import io
import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from geodata.catalog import Source
from geodata.errors import SourceError
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
