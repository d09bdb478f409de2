"""The formats that GDAL reads: GeoPackage, FlatGeobuf, zipped Shapefile and DXF.

Each is known by its first bytes before GDAL sees it, GDAL must have taken the driver meant, and
as many features must come out as the file says it holds. Text comes out as raw bytes and is
decoded here, strictly: GDAL would put other letters in the place of those it cannot read.
"""

import codecs
import io
import re
import sqlite3
import unicodedata
import warnings
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyogrio
import shapely
from pyogrio.errors import CRSError, DataLayerError, DataSourceError, FieldError, GeometryError

from geodata.catalog import CODECS, Source
from geodata.crs import is_vn2000_zone
from geodata.errors import SourceError
from geodata.findings import Finding
from geodata.tables import note
from geodata.vectors import TOO_ODD, Features, cells_of_arrow
from geodata.zips import open_zip

ODD = (
    pa.ArrowException,
    CRSError,
    DataLayerError,
    DataSourceError,
    FieldError,
    GeometryError,
    OSError,
    RuntimeError,
    ValueError,
    LookupError,
    *TOO_ODD,
)
RAW = "ISO-8859-1"
"""The encoding in which every byte is a letter, so that none is lost on the way."""

OPTIONS = {
    "DXF_CLOSED_LINE_AS_POLYGON": "YES",
    "DXF_ENCODING": RAW,
    "OGR_SQLITE_LOAD_EXTENSIONS": "NO",
    "GDAL_DISABLE_READDIR_ON_OPEN": "YES",
}
PARTS = (".shp", ".shx", ".dbf")
SHX_HEADER, SHX_ROW = 100, 8
LARGEST_PAGE = 65_536
"""What SQLite means by a page of one byte."""

SQLITE, WAL = b"SQLite format 3\x00", b"\x02\x02"
FLATGEOBUF = b"fgb\x03fgb"
DXF = re.compile(rb"\s*(999\s*\n[^\n]*\n\s*)*0\s*\n\s*SECTION\s", re.ASCII)
DXF_END = re.compile(rb"\n\s*0\s*\n\s*EOF\s*$")
DXF_VERSION = re.compile(rb"\$ACADVER\s+1\s+(AC[0-9]{4})")
DXF_CODEPAGE = re.compile(rb"\$DWGCODEPAGE\s+3\s+(\w+)")
DXF_IS_UTF_8 = b"AC1021"
"""Since AutoCAD 2007 a drawing is in UTF-8, whatever its code page says."""

HEADER_BYTES = 100_000
DXF_COLUMNS = ["Layer", "EntityHandle"]
ALIASES = {"65001": "utf-8", "1258": "cp1258", "ansi1258": "cp1258", "windows1258": "cp1258"}


def read_flatgeobuf(source: Source, name: str, content: bytes) -> Features:
    """Read a FlatGeobuf; its rows stand in the order of its index."""
    _require(source, name, content.startswith(FLATGEOBUF))
    return _read(source, name, content, "FlatGeobuf")


def read_geopackage(source: Source, name: str, content: bytes) -> Features:
    """Read the feature table that ``part`` names, or the only one. Never a view or another table.

    SourceError where the part is a view or a virtual table: what they show is made by code that
    stands in the file.
    """
    _require(source, name, content.startswith(SQLITE) and _is_whole_base(content))
    if content[18:20] == WAL:  # written ahead into a second file, which was not handed in
        content = content[:18] + b"\x01\x01" + content[20:]
    return _read(source, name, content, "GPKG", layer=_feature_table(source, name, content))


def _is_whole_base(content: bytes) -> bool:
    """Tell whether as many pages lie in the file as its header counts."""
    size = int.from_bytes(content[16:18], "big")
    pages = int.from_bytes(content[28:32], "big")
    return pages * (LARGEST_PAGE if size == 1 else size) <= len(content)


def read_shapefile(source: Source, name: str, content: bytes) -> Features:
    """Read the one Shapefile of a zip as declared; its ``.cpg`` and ``.prj`` must agree."""
    unpacked = open_zip(source.source_id, content, source.limits)
    found = unpacked.ending(".shp")
    if len(found) != 1:
        message = f"{name} holds {len(found)} Shapefiles; needed is one"
        raise SourceError(source.source_id, "part_is_present", message)
    beside = {n.lower()[-4:]: n for n in unpacked.entries if n[:-4] == found[0][:-4]}
    parts = {end: unpacked.read(beside.get(end, found[0][:-4] + end)) for end in PARTS}
    _require_one_count(source, name, parts)
    said = unpacked.read(beside[".cpg"]).decode("ascii", "replace") if ".cpg" in beside else ""
    _require_encoding(source, f"{name}: its .cpg", said)
    if ".prj" in beside:
        parts[".prj"] = unpacked.read(beside[".prj"])
    plain = io.BytesIO()
    with zipfile.ZipFile(plain, "w") as packed:
        for end, part in parts.items():
            packed.writestr(f"layer{end}", part)
    told = _read(source, name, plain.getvalue(), "ESRI Shapefile", encoding=RAW)
    return _decoded(source, name, told)


def _require_one_count(source: Source, name: str, parts: Mapping[str, bytes]) -> None:
    """Refuse a Shapefile whose attributes are of other shapes: GDAL would drop the surplus."""
    shapes = max(len(parts[".shx"]) - SHX_HEADER, 0) // SHX_ROW
    rows = int.from_bytes(parts[".dbf"][4:8], "little")
    if shapes != rows:
        message = f"{name} has {shapes} shapes and {rows} rows of attributes"
        raise SourceError(source.source_id, "file_is_of_its_format", message)


def read_dxf(source: Source, name: str, content: bytes) -> Features:
    """Read the closed outlines of a drawing, of its layer ``part`` or of all.

    The declared CRS must be a zone of VN-2000, which a drawing cannot say. Everything that is no
    outline is left out and counted.
    """
    if not is_vn2000_zone(source.crs):
        message = f"source.toml declares {source.crs!r}; a drawing needs its zone of VN-2000"
        raise SourceError(source.source_id, "crs_is_declared", message)
    header = content[:HEADER_BYTES].replace(b"\r\n", b"\n")
    is_whole = bool(DXF.match(header)) and bool(DXF_END.search(content[-HEADER_BYTES:]))
    _require(source, name, is_whole and b"<OGR" not in header)
    _require_encoding(source, f"{name}: its header", _dxf_encoding(header))
    told = _decoded(source, name, _read(source, name, content, "DXF"))
    is_part = told.cells["Layer"] == source.part if source.part else told.cells["Layer"].notna()
    is_outline = np.isin(shapely.get_type_id(told.shapes), (3, 6))
    kept = is_part.to_numpy() & is_outline
    cells = told.cells.loc[kept, DXF_COLUMNS].reset_index(drop=True)
    lost = int((~kept).sum())
    why = f"{name}: {lost} entities are no closed outlines of the declared layer and were left out"
    notes = (*told.findings, note(source, "shape_is_an_outline", why)) if lost else told.findings
    return Features(cells, told.shapes[kept], "", notes)


def _require(source: Source, name: str, is_so: bool) -> None:
    if not is_so:
        message = f"{name} is no whole {source.format}, which source.toml says it is"
        raise SourceError(source.source_id, "file_is_of_its_format", message)


def _read(source: Source, name: str, content: bytes, driver: str, **options: Any) -> Features:  # noqa: ANN401
    pyogrio.set_gdal_config_options(OPTIONS)
    try:
        with warnings.catch_warnings(record=True) as raised:
            warnings.simplefilter("always")
            info = pyogrio.read_info(content, force_feature_count=True, **options)
            if info["driver"] != driver:
                raise DataSourceError(f"GDAL takes it for {info['driver']}")
            meta, table = pyogrio.read_arrow(content, **options)
        column = meta["geometry_name"] or "wkb_geometry"
        shapes = np.asarray(shapely.from_wkb(table.column(column).to_numpy(zero_copy_only=False)))
        cells, notes = cells_of_arrow(source, table.drop_columns([column]))
        if len(cells) != info["features"]:
            raise DataSourceError(f"it says {info['features']} features and holds {len(cells)}")
    except ODD as error:
        message = f"{name} is no {source.format} that can be read whole: {error!r}"[:300]
        raise SourceError(source.source_id, "file_is_of_its_format", message) from error
    return Features(cells, shapes, meta["crs"] or "", (*notes, *_warned(source, name, raised)))


def _warned(source: Source, name: str, raised: list[warnings.WarningMessage]) -> list[Finding]:
    told = dict.fromkeys(str(w.message) for w in raised)
    return [
        note(source, "reader_is_content", f"{name}: {text[:200]}")
        for text in told
        if "non conformant file extension" not in text  # it comes from memory and has none
    ]


def _feature_table(source: Source, name: str, content: bytes) -> str:
    base = sqlite3.connect(":memory:")
    try:
        base.deserialize(content)
        listed = base.execute("SELECT table_name FROM gpkg_contents WHERE data_type = 'features'")
        tables = sorted(str(row[0]) for row in listed)
        made = dict(base.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'"))
    except (sqlite3.Error, UnicodeDecodeError, OverflowError) as error:
        message = f"{name} is no GeoPackage: {error}"
        raise SourceError(source.source_id, "file_is_of_its_format", message) from error
    finally:
        base.close()
    chosen = source.part or (tables[0] if len(tables) == 1 else "")
    if chosen not in tables:
        message = f"{name} has the feature tables {tables}; name one of them as part"
        raise SourceError(source.source_id, "part_is_present", message)
    if not re.match(r"CREATE\s+TABLE\s", str(made.get(chosen, "")), re.IGNORECASE):
        message = f"{chosen!r} of {name} is no plain table; export its rows as one"
        raise SourceError(source.source_id, "part_is_a_table", message)
    return chosen


def _dxf_encoding(header: bytes) -> str:
    version, codepage = DXF_VERSION.search(header), DXF_CODEPAGE.search(header)
    if version and version[1] >= DXF_IS_UTF_8:
        return "utf-8"
    return codepage[1].decode("ascii", "replace") if codepage else ""


def _require_encoding(source: Source, where: str, said: str) -> None:
    """Refuse an encoding other than declared, and one that nobody said."""
    if not said.strip():
        if "encoding" not in source.model_fields_set:
            message = f"{where} says no encoding; declare it in source.toml"
            raise SourceError(source.source_id, "encoding_is_as_declared", message)
        return
    plain = re.sub(r"[^a-z0-9]", "", said.lower())
    try:
        found = codecs.lookup(ALIASES.get(plain.removeprefix("cp"), ALIASES.get(plain, plain))).name
    except LookupError:
        found = ""
    if found != codecs.lookup(CODECS[source.encoding]).name:
        message = f"{where} says {said.strip()[:40]!r}, source.toml says {source.encoding}"
        raise SourceError(source.source_id, "encoding_is_as_declared", message)


def _decoded(source: Source, name: str, told: Features) -> Features:
    """Decode text that came out byte by byte. SourceError where it is not of the encoding."""

    def decode(value: object) -> object:
        if not isinstance(value, str) or value.isascii():
            return value
        text = value.encode("latin-1").decode(CODECS[source.encoding])
        return unicodedata.normalize("NFC", text) if source.encoding == "windows-1258" else text

    try:
        cells = told.cells.map(decode)
        cells.columns = [str(decode(column)) for column in cells.columns]
    except UnicodeError as error:
        message = f"{name} holds text that is not {source.encoding}; declare its encoding"
        raise SourceError(source.source_id, "encoding_is_as_declared", message) from error
    return Features(cells, told.shapes, told.crs, told.findings)
