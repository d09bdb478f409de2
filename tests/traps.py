"""Files that mean harm or were made by accident, each with the outcome that it must have."""

import datetime
import io
import json
import struct
import unicodedata
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.parquet as pq
import shapely

import files
from files import POSITION, SQUARE, drawn, geojson, make, xlsx, zipped
from geodata.schema import TABLE

GIGABYTES = 5_000_000_000


@dataclass(frozen=True)
class Trap:
    """One file: its format, what its source declares, and what must come of it.

    ``outcome`` is ``refused``, ``quarantined`` or ``read``, a space and the rule; a file that is
    read names its notes or nothing. ``size`` makes it that long, with a hole at its end.
    """

    name: str
    format: str
    content: bytes
    outcome: str
    settings: Mapping[str, object] = field(default_factory=dict)
    size: int = 0


ENTRIES: dict[str, Callable[[], dict[str, bytes]]] = {
    "kmz": lambda: {"doc.kml": files.kml(drawn())},
    "shapefile": lambda: _entries(files.shapefile(drawn())),
    "xlsx": lambda: _entries(money_sheet()),
}


def _entries(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


MONEY = {
    "money_id": "m1",
    "subject_id": "kcn-a",
    "kind": "registered",
    "fund": "private",
    "amount": "1200.5",
    "unit": "tỷ đồng",
    "on": "2022-03-04",
    "on_basis": "stated",
    "clause": "",
    "is_linked": "",
    "confidence": "one_source",
    "document_ids": "press-1",
}


def money_sheet(**cells: object) -> bytes:
    told = money(**cells)
    return xlsx(list(told), list(told.values()))


def money(**cells: object) -> dict[str, object]:
    """The cells of one row of money events, by the columns of their table."""
    names = TABLE["money_events"].column_names
    return {name: {**MONEY, **cells}.get(name, "") for name in names}


def money_csv(**cells: object) -> bytes:
    told = money(**cells)
    row = ",".join('"' + str(cell).replace('"', '""') + '"' for cell in told.values())
    return f"{','.join(told)}\n{row}\n".encode("utf-8", "surrogatepass")


def position(geometry: object, **cells: object) -> bytes:
    """A GeoJSON of one position."""
    return geojson({"properties": {**POSITION, **cells}, "geometry": geometry})


def raw_zip(
    entries: Mapping[str, bytes], change: Callable[[zipfile.ZipInfo], None] = lambda _: None
) -> bytes:
    """A zip whose entries are changed before they are written."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            change(info)
            archive.writestr(info, content)
    return out.getvalue()


def renamed(content: bytes, old: bytes, new: bytes) -> bytes:
    """A zip with other bytes in the place of a name, which no writer would write."""
    assert len(old) == len(new)
    assert old in content
    return content.replace(old, new)


def overlapping(entries: Mapping[str, bytes]) -> bytes:
    """A zip whose directory names one entry a second time, at the same bytes."""
    content = zipped(entries)
    at = content.index(b"PK\x01\x02")
    end = content.rindex(b"PK\x05\x06")
    first = content[at : content.index(b"PK\x01\x02", at + 4) if len(entries) > 1 else end]
    length = struct.unpack_from("<H", first, 28)[0]
    twin = bytearray(first)
    twin[46 : 46 + length] = bytes(reversed(first[46 : 46 + length]))
    tail = bytearray(content[end:])
    count, size = len(entries) + 1, end - at + len(twin)
    struct.pack_into("<HHI", tail, 8, count, count, size)
    return content[:end] + bytes(twin) + bytes(tail)


def _mode(number: int) -> Callable[[zipfile.ZipInfo], None]:
    """Make the entry called link.txt a thing of that kind."""

    def change(info: zipfile.ZipInfo) -> None:
        if info.filename == "link.txt":
            info.external_attr = number << 16

    return change


def _bzip2(info: zipfile.ZipInfo) -> None:
    info.compress_type = zipfile.ZIP_BZIP2


def _locked(content: bytes) -> bytes:
    at = content.index(b"PK\x01\x02")
    return content[: at + 8] + b"\x01\x00" + content[at + 10 :]


def _torn(content: bytes) -> bytes:
    told = bytearray(content)
    told[80:90] = bytes(10)
    return bytes(told)


MARK = b"AAAAAAAA.txt"
NAMES = {
    "up": b"../AAAAA.txt",
    "absolute": b"/etc/AAA.txt",
    "backslash": b"..\\AAAAA.txt",
    "drive": b"C:\\AAAAA.txt",
    "hidden up": b"a/../../b.tx",
    "NUL": b"AAAAAAA\0.txt",
}
WITHOUT_ENTRIES = {
    "kmz": "refused part_is_present",
    "shapefile": "refused part_is_present",
    "xlsx": "refused file_is_of_its_format",
}


def zip_traps() -> Iterator[Trap]:
    unsound = "refused archive_is_sound"
    for kind, entries in ENTRIES.items():
        good = entries()
        linked = {**good, "link.txt": b"/etc/passwd"}
        apart = unicodedata.normalize("NFD", "ệ.txt")
        bad = {
            "bomb": zipped({**good, "bomb.txt": bytes(30_000_000)}),
            "overlap": overlapping(good),
            "link": raw_zip(linked, _mode(0o120777)),
            "device": raw_zip(linked, _mode(0o060666)),
            "locked": _locked(zipped(good)),
            "bzip2": raw_zip(good, _bzip2),
            "same by case": zipped({**good, "a.TXT": b"1", "A.txt": b"2"}),
            "same by form": zipped({**good, "ệ.txt": b"1", apart: b"2"}),
            "cut": zipped(good)[:-30],
            "torn inside": _torn(zipped(good)),
        }
        placed = zipped({**good, MARK.decode(): b"x"})
        bad |= {name: renamed(placed, MARK, other) for name, other in NAMES.items()}
        for name, content in bad.items():
            yield Trap(f"{kind}: {name}", kind, content, unsound)
        many = zipped({**good, **{f"{n}.txt": b"" for n in range(1_001)}})
        yield Trap(f"{kind}: many small", kind, many, "refused file_is_within_limits")
        nested = zipped({**good, "in.zip": zipped({"a": bytes(9_000_000)})})
        yield Trap(f"{kind}: a bomb inside", kind, nested, "read")
        before = b"MZ" + b"\x90" * 500 + zipped(good)
        yield Trap(f"{kind}: a program before it", kind, before, "read")
        yield Trap(f"{kind}: empty", kind, zipped({}), WITHOUT_ENTRIES[kind])


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
DOCTYPES = {
    "billion laughs": f'<!DOCTYPE k [<!ENTITY l0 "ha">{LAUGHS}]>',
    "quadratic": f'<!DOCTYPE k [<!ENTITY a "{"x" * 50_000}">]>',
    "a file": '<!DOCTYPE k [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
    "an address": '<!DOCTYPE k [<!ENTITY a SYSTEM "http://127.0.0.1:9/a">]>',
    "a parameter": '<!DOCTYPE k [<!ENTITY % a SYSTEM "http://127.0.0.1:9/a"> %a;]>',
    "a public type": '<!DOCTYPE k PUBLIC "-//W3C//DTD" "http://127.0.0.1:9/a">',
}


def xml_traps() -> Iterator[Trap]:
    no_entities, broken = "refused xml_has_no_entities", "refused file_is_of_its_format"
    for name, head in DOCTYPES.items():
        mark = "<Placemark><name>&a;&l11;</name></Placemark>"
        content = files.kml(drawn(), head=head, body=mark)
        yield Trap(f"kml: {name}", "kml", content, no_entities)
        yield Trap(f"kmz: {name}", "kmz", zipped({"doc.kml": content}), no_entities)
        parts = _entries(money_sheet())
        page = parts["xl/worksheets/sheet1.xml"].decode()
        at = page.index("<worksheet")
        parts["xl/worksheets/sheet1.xml"] = (page[:at] + head + page[at:]).encode()
        yield Trap(f"xlsx: {name}", "xlsx", zipped(parts), no_entities)
    kml = files.kml(drawn())
    deep = b"<kml>" + b"<a>" * 200_000 + b"</a>" * 200_000 + b"</kml>"
    multi = b"<Placemark>" + b"<MultiGeometry>" * 5_000 + b"</MultiGeometry>" * 5_000
    include = '<Placemark xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="/etc/passwd"'
    made = {
        "deep": (deep, "refused file_is_not_empty"),
        "deep shapes": (b"<kml>" + multi + b"</Placemark></kml>", broken),
        "undefined entity": (files.kml(drawn(), body="&nothing;"), broken),
        "broken UTF-8": (kml.replace(b"<name>A", b"<name>\xff"), broken),
        "UTF-7": (kml.replace(b"UTF-8", b"UTF-7"), "refused encoding_is_as_declared"),
        "UTF-16": (
            kml.decode().replace('"UTF-8"', '"UTF-16"').encode("utf-16"),
            "refused encoding_is_as_declared",
        ),
        "XInclude": (
            files.kml(drawn(), body=f"{include}/></Placemark>"),
            "quarantined value_is_present",
        ),
        "a link": (
            files.kml(drawn(), body="<NetworkLink><href>http://127.0.0.1:9</href></NetworkLink>"),
            "read file_is_whole",
        ),
        "HTML": (b"<!doctype html><title>404</title>", broken),
        "an attribute twice": (b'<kml a="1" a="2"/>', broken),
        "no root": (b"<?xml version='1.0'?>", broken),
    }
    for name, (content, outcome) in made.items():
        yield Trap(f"kml: {name}", "kml", content, outcome)


VRT = (
    '<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>/vsicurl/http://127.0.0.1:9/a.csv'
    "</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
)
POINTERS = {
    "VRT": VRT.encode(),
    "VRT with a command": VRT.replace("/vsicurl/", "/vsistdin?").encode(),
    "GDALG": b'{"type":"gdal_streamed_alg","command_line":"gdal vector pipeline read /etc/passwd"}',
    "WFS": b"<OGRWFSDataSource><URL>http://127.0.0.1:9/wfs</URL></OGRWFSDataSource>",
    "a bare path": b"/vsizip//vsicurl/http://127.0.0.1:9/a.zip",
    "a connection": b"PG:host=127.0.0.1 dbname=postgres",
    "GML with a schema": b'<gml:FeatureCollection xsi:schemaLocation="http://127.0.0.1:9 a.xsd"/>',
}


def pointer_traps() -> Iterator[Trap]:
    for name, content in POINTERS.items():
        for kind in ("geojson", "kml", "dxf", "flatgeobuf", "geopackage", "geoparquet"):
            outcome = "refused file_is_of_its_format"
            if kind == "kml" and content.startswith(b"<OGR"):
                outcome = "refused file_is_not_empty"
            yield Trap(f"{kind}: {name}", kind, content, outcome)
    yield Trap("csv: VRT", "csv", VRT.encode(), "refused file_is_of_its_format")
    yield Trap(
        "csv: a path in a cell", "csv", money_csv(note_vi="/vsicurl/http://127.0.0.1:9"), "read"
    )
    shape = shapely.geometry.mapping(SQUARE)
    linked = {"type": "link", "properties": {"href": "http://127.0.0.1:9"}}
    content = geojson({"properties": POSITION, "geometry": shape}, crs=linked)
    yield Trap("geojson: a linked CRS", "geojson", content, "read")


def base_with(wkb: bytes) -> bytes:
    """A GeoParquet whose one geometry is these bytes."""
    geo = {"primary_column": "geometry", "columns": {"geometry": {"encoding": "WKB", "crs": None}}}
    table = pa.table({"geometry": [wkb], **{k: [str(v)] for k, v in POSITION.items()}})
    out = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), out)
    return out.getvalue()


def size_traps() -> Iterator[Trap]:
    limits, broken = "refused file_is_within_limits", "refused file_is_of_its_format"
    # the geometry library runs out of its stack, which ends the process that reads
    ended = "refused reader_survives"
    wide = ",".join(f"c{n}" for n in range(1_000_000))
    yield Trap("csv: a million columns", "csv", f"{wide}\n{wide}\n".encode(), limits)
    yield Trap("csv: a million commas", "csv", b"," * 1_000_000 + b"\n1\n", limits)
    for kind in ("csv", "xlsx", *files.LAYER_FORMATS):
        yield Trap(f"{kind}: gigabytes", kind, b"", limits, size=GIGABYTES)
    circle = shapely.Point(550_000, 1_080_000).buffer(500, quad_segs=5_000)
    for kind in ("geojson", "geopackage", "flatgeobuf", "geoparquet", "shapefile", "kml"):
        few = {"limits": {"vertices": 10_000}}
        yield Trap(f"{kind}: too many vertices", kind, make(kind, drawn(circle)), limits, few)
    endless = b"\x01" + struct.pack("<II", 2, 2**31 - 1)
    rings = b"\x01" + struct.pack("<II", 3, 2**32 - 1)
    deep = b"\x01" + struct.pack("<II", 7, 1)
    yield Trap("wkb: 2^31 points", "geoparquet", base_with(endless), broken)
    yield Trap("wkb: 2^32 rings", "geoparquet", base_with(rings), broken)
    yield Trap(
        "wkb: a collection in itself",
        "geoparquet",
        base_with(deep * 50_000),
        ended,
    )
    yield Trap("wkb: nothing", "geoparquet", base_with(b""), broken)
    yield Trap("csv: a cell of a megabyte", "csv", money_csv(note_vi="x" * 1_000_000), broken)
    yield Trap("csv: one line of 5 MB", "csv", b"x" * 5_000_000, broken)
    yield Trap("geojson: deep", "geojson", b'{"features":' + b"[" * 500_000, broken)
    number = b'{"features":[{"properties":{"a":1' + b"0" * 6_000 + b'},"geometry":null}]}'
    yield Trap("geojson: a number of 6000 digits", "geojson", number, broken)
    many = geojson(*[{"geometry": None}] * 11)
    yield Trap("geojson: too many rows", "geojson", many, limits, {"limits": {"rows": 10}})
    fields = geojson({"properties": {f"c{n}": 1 for n in range(501)}, "geometry": None})
    yield Trap("geojson: too many columns", "geojson", fields, limits)
    far = xlsx(*[[]] * 0, ["a"])
    far = _with_part(far, "xl/worksheets/sheet1.xml", b'r="A1"', b'r="XFD1048576"')
    yield Trap("xlsx: a cell in the far corner", "xlsx", far, limits)
    tall = _with_part(money_sheet(), "xl/worksheets/sheet1.xml", b'r="A1"', b'r="A1048576"')
    yield Trap("xlsx: a header at the bottom", "xlsx", tall, "refused column_is_known")
    few = {"limits": {"memory_mb": 50}}
    rows = money_csv() + money_csv().split(b"\n", 1)[1] * 300_000
    yield Trap("csv: more than its memory", "csv", rows, limits, few)


def _with_part(content: bytes, part: str, old: bytes, new: bytes) -> bytes:
    parts = _entries(content)
    assert old in parts[part]
    return zipped({**parts, part: parts[part].replace(old, new)})


X, Y = 105.46, 9.77
TRIANGLE = [[X, Y], [X + 0.01, Y], [X + 0.01, Y + 0.01], [X, Y]]


def polygon(*rings: list[list[float]]) -> dict[str, object]:
    return {"type": "Polygon", "coordinates": list(rings)}


def point(*numbers: float) -> dict[str, object]:
    return {"type": "Point", "coordinates": list(numbers)}


NAN, INF = float("nan"), float("inf")
BOW_TIE = [[X, Y], [X + 0.01, Y + 0.01], [X + 0.01, Y], [X, Y + 0.01], [X, Y]]
HOLE = [[X + 0.1, Y], [X + 0.11, Y], [X + 0.11, Y + 0.01], [X + 0.1, Y]]
LINE = {"type": "LineString", "coordinates": [[X, Y], [X + 0.01, Y]]}
SHAPES: dict[str, tuple[object, str]] = {
    "NaN": (point(NAN, Y), "refused crs_is_as_declared"),
    "infinite": (point(INF, Y), "refused crs_is_as_declared"),
    "1e308": (point(1e308, Y), "refused crs_is_as_declared"),
    "latitude first": (point(Y, X), "refused crs_is_as_declared"),
    "metres": (point(550_000, 1_080_000), "refused crs_is_as_declared"),
    "one NaN in a ring": (
        polygon([*TRIANGLE[:2], [NAN, NAN], *TRIANGLE[2:]]),
        "quarantined geometry_is_valid",
    ),
    "null island": (point(0, 0), "quarantined geometry_is_in_province"),
    "the antimeridian": (
        polygon([[179.9, 9], [-179.9, 9], [-179.9, 10], [179.9, 9]]),
        "quarantined geometry_is_in_province",
    ),
    "the pole": (point(105, 90), "quarantined geometry_is_in_province"),
    "the whole world": (
        polygon([[-180, -90], [180, -90], [180, 90], [-180, 90], [-180, -90]]),
        "quarantined geometry_is_in_province",
    ),
    "a bow tie": (polygon(BOW_TIE), "quarantined geometry_is_valid"),
    "a hole outside": (polygon(TRIANGLE, HOLE), "quarantined geometry_is_valid"),
    "two equal rings": (polygon(TRIANGLE, TRIANGLE), "quarantined geometry_is_valid"),
    "a ring of no area": (
        polygon([[X, Y], [X + 0.01, Y], [X, Y], [X, Y]]),
        "quarantined geometry_is_valid",
    ),
    "an open ring": (polygon(TRIANGLE[:3]), "read"),
    "a line of no length": (
        {"type": "LineString", "coordinates": [[X, Y], [X, Y]]},
        "quarantined geometry_is_valid",
    ),
    "an empty polygon": (polygon(), "refused crs_is_as_declared"),
    "nothing": (None, "refused crs_is_as_declared"),
    "a height": (point(X, Y, 3), "read geometry_is_flat"),
    "a NaN height": (point(X, Y, NAN), "read geometry_is_flat"),
    "four numbers": (point(X, Y, 3, 4), "refused file_is_of_its_format"),
    "five numbers": (point(X, Y, 3, 4, 5), "refused file_is_of_its_format"),
    "one number": (point(X), "refused file_is_of_its_format"),
    "words": ({"type": "Point", "coordinates": ["a", "b"]}, "refused file_is_of_its_format"),
    "a banana": ({"type": "Banana", "coordinates": []}, "refused file_is_of_its_format"),
    "a circle": (
        {"type": "CircularString", "coordinates": TRIANGLE},
        "refused file_is_of_its_format",
    ),
    "mixed": ({"type": "GeometryCollection", "geometries": [point(X, Y), LINE]}, "read"),
    "nested": (
        {
            "type": "GeometryCollection",
            "geometries": [{"type": "GeometryCollection", "geometries": [point(X, Y)]}],
        },
        "read",
    ),
    "an empty collection": (
        {"type": "GeometryCollection", "geometries": []},
        "refused crs_is_as_declared",
    ),
}


def shape_traps() -> Iterator[Trap]:
    degrees = {"crs": "EPSG:4326"}
    for name, (shape, outcome) in SHAPES.items():
        yield Trap(f"shape: {name}", "geojson", position(shape), outcome, degrees)
    beside = geojson(
        {"properties": POSITION, "geometry": point(X, Y)},
        {"properties": {**POSITION, "position_id": "kcn-a.other"}, "geometry": None},
    )
    outcome = "quarantined value_is_present"
    yield Trap("shape: nothing beside one", "geojson", beside, outcome, degrees)
    corners = ("550000 1080000 1", "550009 1080000 1", "550009 1080009 1", "550000 1080000 1")
    moved = shapely.from_wkt(f"POLYGON M (({', '.join(corners)}))")
    for kind, deep in (("geopackage", shapely.force_3d(SQUARE, 1)), ("geoparquet", moved)):
        yield Trap(f"{kind}: deep", kind, make(kind, drawn(deep)), "read geometry_is_flat")


TEXTS = {
    "NUL": ("a\x00b", "quarantined text_is_clean"),
    "a bell": ("a\x07b", "quarantined text_is_clean"),
    "an escape": ("a\x1b[31mb", "quarantined text_is_clean"),
    "delete": ("a\x7fb", "quarantined text_is_clean"),
    "a C1 mark": ("a\x85b", "quarantined text_is_clean"),
    "right to left": ("a\u202egpj.exe", "quarantined text_is_clean"),
    "an isolate": ("a\u2066b\u2069", "quarantined text_is_clean"),
    "no width": ("a\u200bb", "quarantined text_is_clean"),
    "a mark inside": ("a\ufeffb", "quarantined text_is_clean"),
    "a soft hyphen": ("a\xadb", "quarantined text_is_clean"),
    "a line separator": ("a\u2028b", "quarantined text_is_clean"),
    "NFD": (unicodedata.normalize("NFD", "Ngã Bảy"), "quarantined text_is_nfc"),
    "mojibake": ("Ngã Bảy".encode().decode("cp1252", "replace"), "quarantined text_is_clean"),
    "a lost letter": ("a\ufffdb", "quarantined text_is_clean"),
    "script": ("<script>alert(1)</script>", "read"),
    "an image": ('"><img src=x onerror=alert(1)>', "read"),
    "a template": ("{{ 7 * 7 }}{% raw %}${7*7}#{7*7}", "read"),
    "SQL": ("'; DROP TABLE places; --", "read"),
    "a formula": ('=cmd|"/c calc"!A1', "read"),
    "a plus": ("+1+1", "read"),
    "an at": ("@SUM(A1)", "read"),
    "a path": ("../../etc/passwd", "read"),
    "an address": ("javascript:alert(1)", "read"),
    "an emoji": ("🏭", "read"),
    "an emoji of three": ("👨\u200d🌾", "quarantined text_is_clean"),
    "ten thousand letters": ("x" * 10_000, "read"),
}


def text_traps() -> Iterator[Trap]:
    degrees = {"crs": "EPSG:4326"}
    for name, (text, outcome) in TEXTS.items():
        content = position(point(X, Y), note_vi=text)
        yield Trap(f"text: {name} in GeoJSON", "geojson", content, outcome, degrees)
        if name == "NUL":
            outcome = "refused encoding_is_as_declared"
        yield Trap(f"text: {name} in CSV", "csv", money_csv(note_vi=text), outcome)
    half = "refused encoding_is_as_declared"
    yield Trap("text: half a letter in CSV", "csv", money_csv(note_vi="a\ud800"), half)
    lone = position(point(X, Y), note_vi="a\ud800")
    yield Trap("text: half a letter in GeoJSON", "geojson", lone, half, degrees)
    twice = position(point(X, Y)).replace(b'"note_en"', b'"note_vi"')
    outcome = "refused column_is_present"
    yield Trap("text: a member twice", "geojson", twice, outcome, degrees)


KIND, FORM, RANGE = (
    "quarantined value_is_of_its_kind",
    "quarantined value_has_its_form",
    "quarantined value_is_in_range",
)
AMOUNTS = {
    "1" + "0" * 30: KIND,
    "-0": KIND,
    "-0.0": KIND,
    "1e30": KIND,
    "1e3": KIND,
    "NaN": KIND,
    "inf": KIND,
    "1,5": KIND,
    "1.234,56": KIND,
    "1 000": KIND,
    " 1": KIND,
    "0x10": KIND,
    "١٢": KIND,
    "１２": KIND,
    "1.2.3": KIND,
    "9" * 16: KIND,
    "=1+1": KIND,
    "true": KIND,
    "-5": RANGE,
    "": "quarantined value_is_present",
}
DAYS = ["0000", "0000-01-01", "9999-12-31", "10000-01-01", "2023-02-30", "2023-13", "31/12/2023"]


def number_traps() -> Iterator[Trap]:
    for amount, outcome in AMOUNTS.items():
        yield Trap(f"amount: {amount!r}", "csv", money_csv(amount=amount), outcome)
    for day in [*DAYS, "44624", "-2023", "2023-1-1", "hôm qua"]:
        yield Trap(f"day: {day}", "csv", money_csv(on=day), KIND)
    misfit, uncalculated = "quarantined value_is_as_declared", "quarantined cell_is_calculated"
    day = datetime.date(2022, 3, 4)
    cells: dict[str, tuple[dict[str, object], str]] = {
        "10^30": ({"amount": 1e30}, KIND),
        "10^300": ({"amount": 1e300}, KIND),
        "-0": ({"amount": -0.0}, KIND),
        "a date for an amount": ({"amount": day}, misfit),
        "a time for an amount": ({"amount": datetime.time(1)}, misfit),
        "true for an amount": ({"amount": True}, misfit),
        "an error for an amount": ({"amount": "#DIV/0!"}, uncalculated),
        "a formula never calculated": ({"amount": "=1+1"}, uncalculated),
        "a number for a date": ({"on": 44_624}, misfit),
        "a half day": ({"on": datetime.datetime(2022, 3, 4, 12)}, misfit),
        "year 9999": ({"on": datetime.date(9999, 12, 31)}, KIND),
        "year 1900": ({"on": datetime.date(1900, 1, 1)}, "read"),
        "a date": ({"on": day}, "read"),
        "a year": ({"on": 2022}, "read"),
        "a date for text": ({"note_vi": day}, misfit),
        "a text that is a formula": ({"note_vi": "+cmd"}, "read"),
        "an apostrophe": ({"note_vi": "'=1+1"}, "read"),
    }
    for name, (told, outcome) in cells.items():
        yield Trap(f"xlsx: {name}", "xlsx", money_sheet(**told), outcome)


IDS = {
    "decomposed": "quarantined text_is_nfc",
    "with a mark": "quarantined text_is_clean",
}
"""Ids that break a rule of text before that of their form."""


def id_traps() -> Iterator[Trap]:
    ids = {
        "in capitals": "KCN-a",
        "decomposed": unicodedata.normalize("NFD", "kcn-é"),
        "composed": "kcn-é",
        "Cyrillic": "kcn-а",  # noqa: RUF001
        "with a space": "kcn-a ",
        "with a slash": "../kcn-a",
        "with a mark": "kcn-a\u200b",
    }
    for name, money_id in ids.items():
        yield Trap(f"id: {name}", "csv", money_csv(money_id=money_id), IDS.get(name, FORM))
    twice = money_csv() + money_csv().split(b"\n", 1)[1]
    yield Trap("id: twice", "csv", twice, "refused key_is_unique")
    case = money_csv() + money_csv(money_id="M1").split(b"\n", 1)[1]
    yield Trap("id: twice by case", "csv", case, FORM)


def traps() -> list[Trap]:
    """Every file of the drill."""
    return [
        *zip_traps(),
        *xml_traps(),
        *pointer_traps(),
        *size_traps(),
        *shape_traps(),
        *text_traps(),
        *number_traps(),
        *id_traps(),
    ]
