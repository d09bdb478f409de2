"""Raw bytes in, a table or a layer out; the only module that knows file formats.

A table comes out as text cells indexed by their line in the file, with findings for everything
that is wrong with the file itself. Nothing is judged about what the cells say.
"""

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely.errors import ShapelyError
from shapely.geometry import shape

from geodata.archive import Archive, Stored
from geodata.catalog import Source
from geodata.crs import DISPLAY_CRS, is_same_crs
from geodata.errors import SourceError
from geodata.findings import Finding
from geodata.osm import read_overpass
from geodata.schema import TABLE

TOO_ODD = (ShapelyError, RecursionError)
"""What a file that is JSON by its first bytes may still do to its reader."""

OTHER_FORMATS = {
    b"PK\x03\x04": "a zip (XLSX, KMZ or zipped Shapefile)",
    b"SQLite format 3\x00": "a GeoPackage",
    b"PAR1": "a Parquet file",
    b"fgb": "a FlatGeobuf",
    b"%PDF": "a PDF",
    b"{": "JSON",
    b"[": "JSON",
    b"<": "XML or HTML",
}
MOJIBAKE = re.compile(
    r"[ÃÂÆ][\u0080-¿€‚ƒˆ‰ŠŒ•™š]|(áº|á»)[\u0080-¿ŒœŠšŸŽžƒˆ˜–—‘’‚“”„†‡•…‰‹›€™]"
    r"|Ä[\u0080-\u009f‘’]|â€|\ufffd"
)
"""UTF-8 Vietnamese read as Latin-1 or Windows-1252: its lead letters before a stray mark."""


@dataclass(frozen=True)
class Sheet:
    """One source as a table of text; ``rows.index`` is the line in the file."""

    source: Source
    rows: pd.DataFrame
    rows_in_file: int
    findings: tuple[Finding, ...]


def read_table(source: Source, content: bytes) -> Sheet:
    """Read a source with the columns of its table: CSV, or GeoJSON for a table with a geometry.

    A feature's properties and its geometry (as WKT, EPSG:4326) are its cells; its line is its
    number as if a header stood before it. SourceError where nothing can be read at all: empty,
    of another format, in another encoding, torn, or without a single column of its table.
    """
    table = TABLE[source.table]
    if source.format == "geojson":
        header, body = _parse_features(source, content)
    else:
        header, body = _parse_csv(source, _decode(source, content))
    names = [source.columns.get(name, name) for name in header]
    findings = [*_column_findings(source, names), *_length_findings(source, names, body)]
    if not set(names) & set(table.column_names):
        needed = ", ".join(table.column_names)
        raise SourceError(
            source.source_id, "columns_are_present", f"no column of {table.name}; needs {needed}"
        )
    whole = [(line, cells) for line, cells in body if len(cells) == len(names)]
    rows = pd.DataFrame(
        [cells for _, cells in whole],
        columns=names,
        index=pd.Index([line for line, _ in whole], name="line", dtype="int64"),
        dtype="str",
    )
    rows = rows.loc[:, ~rows.columns.duplicated()]
    rows = rows.reindex(columns=list(table.column_names), fill_value="").astype("str")
    return Sheet(source, rows, len(body), tuple(findings))


def read_layer(source: Source, files: Sequence[Stored], archive: Archive) -> gpd.GeoDataFrame:
    """Read a layer source: one row a feature, EPSG:4326, columns renamed as declared.

    SourceError where a file is empty, of another format, without or against its declared CRS.
    """
    _require_declared_crs(source)
    if source.format == "overpass":
        return read_overpass(source.source_id, archive.get(files[0].sha256))
    parts = [_read_geojson(source, file.name, archive.get(file.sha256)) for file in files]
    layer = gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), crs=DISPLAY_CRS)
    if layer.isna().geometry.any() or layer.is_empty.any() or not layer.is_valid.all():
        message = "a geometry is empty or torn; look at the publisher's file"
        raise SourceError(source.source_id, "geometry_is_valid", message)
    return layer


def _require_declared_crs(source: Source) -> None:
    if not is_same_crs(source.crs, source.crs):
        found = repr(source.crs) if source.crs else "no crs"
        message = f"source.toml declares {found}; it is never guessed"
        raise SourceError(source.source_id, "crs_is_declared", message)


def _parse_features(
    source: Source, content: bytes
) -> tuple[list[str], list[tuple[int, list[str]]]]:
    _require_declared_crs(source)
    wkt = next((c.name for c in TABLE[source.table].columns if c.kind == "wkt"), "")
    if not wkt:
        message = f"table {source.table} has no geometry; GeoJSON is for positions"
        raise SourceError(source.source_id, "file_is_of_its_format", message)
    layer = _read_geojson(source, source.file, content)
    cells = pd.DataFrame(layer.drop(columns="geometry")).map(_cell_text)
    cells[wkt] = ["" if g is None or g.is_empty else g.wkt for g in layer.geometry]
    names = [str(name) for name in cells.columns]
    return names, list(enumerate(cells.to_numpy().tolist(), start=2))


def _cell_text(value: object) -> str:
    if value is None or value != value:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _decode(source: Source, content: bytes) -> str:
    if not content.strip():
        raise SourceError(source.source_id, "file_is_not_empty", f"{source.file} is empty")
    for magic, name in OTHER_FORMATS.items():
        if content.lstrip().startswith(magic):
            raise SourceError(
                source.source_id,
                "file_is_of_its_format",
                f"{source.file} is {name}; source.toml says {source.format}",
            )
    try:
        text = content.decode(source.encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise SourceError(
            source.source_id,
            "encoding_is_as_declared",
            f"line {line} of {source.file} is not {source.encoding}; save it as UTF-8",
        ) from error
    if text.startswith("\ufeff") or "\x00" in text:
        raise SourceError(
            source.source_id,
            "encoding_is_as_declared",
            f"{source.file} begins with a byte order mark or holds NUL; source.toml says utf-8",
        )
    return text


def _parse_csv(source: Source, text: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[tuple[int, list[str]]] = []
    try:
        header = next(reader, [])
        start = reader.line_num + 1
        for cells in reader:
            if cells:
                rows.append((start, cells))
            start = reader.line_num + 1
    except csv.Error as error:
        raise SourceError(
            source.source_id,
            "file_is_of_its_format",
            f"{source.file} stops being CSV at line {reader.line_num}: {error}",
        ) from error
    if not rows:
        raise SourceError(
            source.source_id, "file_is_not_empty", f"{source.file} has a header and no row"
        )
    return header, rows


def _column_findings(source: Source, names: list[str]) -> list[Finding]:
    table = TABLE[source.table]
    told = [
        ("column_is_present", name, "is missing; add it or declare its name under [columns]")
        for name in table.column_names
        if name not in names
    ]
    told += [
        ("column_is_known", name, f"is no column of {table.name}; rename or declare it")
        for name in dict.fromkeys(names)
        if name not in table.column_names
    ]
    told += [
        ("column_is_there_once", name, "stands twice in the header")
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]
    return [
        Finding(
            source.source_id, source.table, 1, "", name, rule, "source", f"column {name!r} {why}"
        )
        for rule, name, why in told
    ]


def _length_findings(
    source: Source, names: list[str], body: list[tuple[int, list[str]]]
) -> list[Finding]:
    return [
        Finding(
            source.source_id,
            source.table,
            line,
            cells[0] if cells else "",
            "",
            "row_is_whole",
            "source",
            f"{len(cells)} cells, needed {len(names)}; the file may be cut short",
        )
        for line, cells in body
        if len(cells) != len(names)
    ]


def _read_geojson(source: Source, name: str, content: bytes) -> gpd.GeoDataFrame:
    fault: str | None
    try:
        told = json.loads(content)
        features = told["features"]
        records = [
            {source.columns.get(k, k): v for k, v in (f.get("properties") or {}).items()}
            for f in features
        ]
        shapes = [shape(f["geometry"]) if f["geometry"] is not None else None for f in features]
        fault = None if features else f"{name} holds no feature"
    except (LookupError, ValueError, TypeError, AttributeError, *TOO_ODD) as error:
        raise SourceError(
            source.source_id, "file_is_of_its_format", f"{name} is no GeoJSON: {error!r}"
        ) from error
    if fault:
        raise SourceError(source.source_id, "file_is_not_empty", fault)
    if _told_crs(told) and not is_same_crs(_told_crs(told), source.crs):
        raise SourceError(
            source.source_id,
            "crs_is_as_declared",
            f"{name} says {_told_crs(told)}, source.toml says {source.crs}; one of them is wrong",
        )
    # as objects, or a number beside a missing one would become another number: 2024.0
    cells = pd.DataFrame(records, dtype="object")
    layer = gpd.GeoDataFrame(cells, geometry=np.array(shapes, dtype=object), crs=source.crs)
    needed = "degrees" if layer.crs and layer.crs.is_geographic else "metres"
    if _lies_in_degrees(layer) != (needed == "degrees"):
        raise SourceError(
            source.source_id, "crs_is_as_declared", f"{name} holds coordinates that are no {needed}"
        )
    return layer.to_crs(DISPLAY_CRS)


def _told_crs(told: dict[str, object]) -> str:
    crs = told.get("crs")
    properties = crs.get("properties") if isinstance(crs, dict) else None
    return str(properties.get("name", "")) if isinstance(properties, dict) else ""


def _lies_in_degrees(layer: gpd.GeoDataFrame) -> bool:
    west, south, east, north = layer.total_bounds
    return bool(-180 <= west <= east <= 180 and -90 <= south <= north <= 90)
