"""Raw bytes in, a table or a layer out; the only module that knows which reader a format has.

A table comes out as text cells indexed by their line in the file, with findings for everything
that is wrong with the file itself. Nothing is judged about what the cells say.
"""

import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import geopandas as gpd
import pandas as pd

from geodata.catalog import Source
from geodata.crs import DISPLAY_CRS
from geodata.errors import SourceError
from geodata.extract import read_extract
from geodata.findings import Finding
from geodata.frames import RowFile
from geodata.gdal import read_dxf, read_flatgeobuf, read_geopackage, read_shapefile
from geodata.geoparquet import read_geoparquet
from geodata.kml import read_kml, read_kmz
from geodata.notation import FIGURE, Cell
from geodata.osm import read_overpass
from geodata.schema import TABLE, Column
from geodata.tables import Grid, Row, read_csv, read_xlsx
from geodata.vectors import Features, in_degrees, read_geojson, require_declared_crs

FIGURES = {("claims", "value")}
"""Columns that hold a number or words, as the row's measure says."""

TABLE_READERS = {"csv": read_csv, "xlsx": read_xlsx}
FEATURE_READERS: Mapping[str, Callable[[Source, str, bytes], Features]] = {
    "geojson": read_geojson,
    "geopackage": read_geopackage,
    "kml": read_kml,
    "kmz": read_kmz,
    "shapefile": read_shapefile,
    "geoparquet": read_geoparquet,
    "flatgeobuf": read_flatgeobuf,
    "dxf": read_dxf,
}


@dataclass(frozen=True)
class FileRows:
    """Rows that are too many to be held: in a Parquet file of ours, each group of it a part."""

    path: Path

    def parts(self) -> Iterator[pd.DataFrame]:
        """Read one part after the other, indexed by line."""
        return (part.set_index("line") for part in RowFile(self.path))

    def columns(self, names: Sequence[str]) -> pd.DataFrame:
        """Read some columns of all rows, indexed by line."""
        return pd.read_parquet(self.path, columns=["line", *names]).set_index("line")


@dataclass(frozen=True)
class Sheet:
    """One source as a table of text; the index of ``rows`` is the line in the file."""

    source: Source
    held: pd.DataFrame | FileRows
    rows_in_file: int
    findings: tuple[Finding, ...]

    @property
    def rows(self) -> pd.DataFrame:
        """All rows: read, where they are not held."""
        return pd.concat(self.parts()) if isinstance(self.held, FileRows) else self.held

    def parts(self) -> Iterator[pd.DataFrame]:
        """Go through the rows in parts that can be held."""
        return self.held.parts() if isinstance(self.held, FileRows) else iter([self.held])

    def columns(self, names: Sequence[str]) -> pd.DataFrame:
        """Return some columns of all rows."""
        if isinstance(self.held, FileRows):
            return self.held.columns(names)
        return self.held[list(names)]


@dataclass(frozen=True)
class Layer:
    """One source as features in EPSG:4326: text attributes, one row a feature."""

    source: Source
    features: gpd.GeoDataFrame
    findings: tuple[Finding, ...] = ()


def read_table(source: Source, content: bytes) -> Sheet:
    """Read all that `read_parts` yields of a file, as one sheet."""
    return joined(read_parts(source, io.BytesIO(content)))


def joined(parts: Iterable[Sheet]) -> Sheet:
    """Put the parts of one sheet together; what is found in each of them is told once."""
    told = list(parts)
    if len(told) == 1:
        return told[0]
    return Sheet(
        told[0].source,
        pd.concat([part.rows for part in told]),
        sum(part.rows_in_file for part in told),
        tuple(dict.fromkeys(found for part in told for found in part.findings)),
    )


def read_parts(source: Source, file: BinaryIO) -> Iterator[Sheet]:
    """Read a source with the columns of its table, from a table or from features.

    Its rows come in parts, one after the other, so that a large CSV need not fit into memory;
    each says what is wrong with the columns.

    Cells become text in the atlas's own form of numbers and dates; one that is not of the
    declared form or of its column's type refuses its row. A feature's properties and its
    geometry (as WKT, EPSG:4326) are its cells; its line is its number as if a header stood
    before it. SourceError where nothing can be read at all: empty, of another format, in
    another encoding, torn, or without a single column of its table.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    source.limits.hold(source.source_id, "bytes", size, source.file_name)
    read = TABLE_READERS.get(source.format, _grid_of_features)
    yield from (_sheet_of(source, grid) for grid in read(source, file))


def _sheet_of(source: Source, grid: Grid) -> Sheet:
    table = TABLE[source.table]
    whole = [(line, cells) for line, cells in grid.body if len(cells) == len(grid.header)]
    names, whole = _as_declared(source, grid.header, whole)
    findings = [*grid.findings, *_column_findings(source, names), *_length_findings(source, grid)]
    if not set(names) & set(table.column_names):
        needed = ", ".join(table.column_names)
        told = f"no column of {table.name}; needs {needed}"
        raise SourceError(source.source_id, "columns_are_present", told + _hint(source, names))
    cells = pd.DataFrame(
        [cells for _, cells in whole],
        columns=names,
        index=pd.Index([line for line, _ in whole], name="line", dtype="int64"),
        dtype="object",
    )
    cells = cells.loc[:, ~cells.columns.duplicated()]
    cells = cells.reindex(columns=list(table.column_names), fill_value="")
    rows, faults = _texts(source, cells)
    return Sheet(source, rows, len(grid.body), (*findings, *faults))


def read_layer(source: Source, files: Sequence[tuple[str, bytes]]) -> Layer:
    """Read a layer source from its named files: one row a feature, columns renamed as declared.

    SourceError where a file is empty, of another format, without or against its declared CRS,
    and where one shape is empty or torn.
    """
    for name, content in files:
        source.limits.hold(source.source_id, "bytes", len(content), name)
    require_declared_crs(source)
    if source.format == "overpass":
        return Layer(source, read_overpass(source.source_id, files[0][1]))
    if source.format == "pbf" and source.bbox:
        return Layer(source, read_extract(source.source_id, files[0][1], source.bbox))
    parts: list[gpd.GeoDataFrame] = []
    findings: list[Finding] = []
    for name, content in files:
        told = FEATURE_READERS[source.format](source, name, content)
        shapes, found = in_degrees(source, name, told)
        parts.append(gpd.GeoDataFrame(_attributes(source, told), geometry=shapes))
        findings += found
    layer = gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), crs=DISPLAY_CRS)
    if layer.isna().geometry.any() or layer.is_empty.any() or not layer.is_valid.all():
        message = "a geometry is empty or torn; look at the publisher's file"
        raise SourceError(source.source_id, "geometry_is_valid", message)
    texts = layer.drop(columns="geometry").fillna("").map(_attribute_text)
    _require_unicode(source, texts)
    return Layer(source, gpd.GeoDataFrame(texts, geometry=layer.geometry), tuple(findings))


def _attributes(source: Source, told: Features) -> pd.DataFrame:
    """Rename the attributes as declared; one called geometry steps aside for the shape."""
    names = [str(name) for name in told.cells]
    ours = [source.columns.get(name, name) for name in names]
    kept = told.cells.loc[:, [bool(name) for name in ours]]
    kept.columns = pd.Index(
        ["geometry_" if n == "geometry" else n for n in ours if n], dtype="object"
    )
    given = [*kept.columns, *source.values]
    twice = sorted({str(name) for name in given if given.count(name) > 1})
    if twice:
        message = f"{', '.join(twice)} would stand twice; correct [columns]"
        raise SourceError(source.source_id, "column_is_there_once", message)
    return kept.assign(**source.values)


def _as_declared(source: Source, header: list[str], rows: list[Row]) -> tuple[list[str], list[Row]]:
    """Give the columns our names, leave out those declared "" and add what every row shares."""
    names = [source.columns.get(name, name) for name in header]
    kept = [at for at, name in enumerate(names) if name or not header[at]]
    if len(kept) < len(names) or source.values:
        shared = list(source.values.values())
        rows = [(line, [*(cells[at] for at in kept), *shared]) for line, cells in rows]
    return [*(names[at] for at in kept), *source.values], rows


def _grid_of_features(source: Source, file: BinaryIO) -> Iterator[Grid]:
    require_declared_crs(source)
    wkt = next((c.name for c in TABLE[source.table].columns if c.kind == "wkt"), "")
    if not wkt:
        message = f"table {source.table} has no geometry; {source.format} is for positions"
        raise SourceError(source.source_id, "file_is_of_its_format", message)
    told = FEATURE_READERS[source.format](source, source.file_name, file.read())
    shapes, findings = in_degrees(source, source.file_name, told)
    texts = ["" if shape is None or shape.is_empty else shape.wkt for shape in shapes]
    body = [[*row, text] for row, text in zip(told.cells.to_numpy().tolist(), texts, strict=True)]
    header = [*(str(name) for name in told.cells), wkt]
    yield Grid(header, list(enumerate(body, start=2)), tuple(findings))


def _texts(source: Source, cells: pd.DataFrame) -> tuple[pd.DataFrame, list[Finding]]:
    """Write every cell in the atlas's own form; one that cannot be stays as it was, and is told."""
    table = TABLE[source.table]
    rows = cells.copy()
    findings: list[Finding] = []
    for column in table.columns:
        kind = FIGURE if (table.name, column.name) in FIGURES else column.kind
        if not (source.notation.changes(kind) or source.format != "csv"):
            continue
        texts = [_text(source, cell, kind) for cell in cells[column.name]]
        rows[column.name] = [text for text, _ in texts]
        faults = {line: why for line, (_, why) in zip(rows.index, texts, strict=True) if why}
        findings += [_misfit(source, cells, line, column, why) for line, why in faults.items()]
    try:
        return rows.astype("str"), findings
    except UnicodeEncodeError:
        _require_unicode(source, rows)
        raise


def _text(source: Source, cell: Cell, kind: str) -> tuple[str, str]:
    try:
        return source.notation.text_of(cell, kind), ""
    except ValueError as error:
        return str(cell), str(error)


def _misfit(source: Source, cells: pd.DataFrame, line: int, column: Column, why: str) -> Finding:
    key = "/".join(str(cells.loc[line, name]) for name in TABLE[source.table].key)
    rule = "value_is_as_declared"
    return Finding(source.source_id, source.table, line, key, column.name, rule, "row", why)


def _attribute_text(cell: Cell) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return str(cell)


def _require_unicode(source: Source, texts: pd.DataFrame) -> None:
    """Refuse half a letter, which JSON can say and no file can hold."""
    try:
        for name in texts:
            "".join(texts[name]).encode()
    except UnicodeEncodeError as error:
        message = f"a cell of column {name!r} holds half a letter (a lone surrogate)"
        raise SourceError(source.source_id, "encoding_is_as_declared", message) from error


def _hint(source: Source, names: list[str]) -> str:
    others = [mark for mark in (",", ";", "\t") if mark != source.delimiter]
    found = [mark for mark in others if len(names) == 1 and mark in names[0]]
    said = f"; its header is separated by {found[0]!r}, declare it as delimiter" if found else ""
    return said if source.format == "csv" else ""


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


def _length_findings(source: Source, grid: Grid) -> list[Finding]:
    return [
        Finding(
            source.source_id,
            source.table,
            line,
            str(cells[0]) if cells else "",
            "",
            "row_is_whole",
            "source",
            f"{len(cells)} cells, needed {len(grid.header)}; the file may be cut short",
        )
        for line, cells in grid.body
        if len(cells) != len(grid.header)
    ]
