import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path

import geopandas as gpd
import pytest
from test_extract import Map
from test_vectors import AS_LAYER, source

import files
from files import LAYER_FORMATS, POSITION, drawn, make
from geodata.archive import Archive, Stored
from geodata.catalog import Source
from geodata.errors import SourceError
from geodata.limits import Limits
from geodata.parcels import pack_cells, pack_layer, pack_sheet, unpack_cells, unpack_sheet
from geodata.read import Layer, Sheet, joined, read_layer, read_table
from geodata.reader import Reader, is_outside
from geodata.tables import PART_LETTERS
from geodata.workbooks import SheetCells

CROSSWALK = {
    "kind": "url",
    "files": ({"url": "https://a.example/1.csv"},),
    "table": "commune_crosswalk",
    "key": ("old_unit_id", "new_unit_id"),
    "crs": "",
}
HEADER = "old_unit_id,new_unit_id,relation,document_ids\n"
ROWS = (HEADER + "xã-1,com-1,whole,s1\n").encode()


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with Reader() as one:
        yield one


@pytest.fixture
def kept(tmp_path: Path) -> Callable[[bytes], tuple[Stored, Archive]]:
    """Return a keeper of bytes in an archive of the test's own."""
    archive = Archive(tmp_path)
    return lambda content: (Stored("raw", archive.put(content)), archive)


def told(read: Sheet | Layer) -> tuple[object, ...]:
    return read.source, read.findings


@pytest.mark.parametrize("name", LAYER_FORMATS)
def test_the_sandbox_reads_what_is_read_here(reader: Reader, kept, name: str) -> None:
    content = make(name, drawn())
    there = reader.sheet(source(name), *kept(content))
    here = read_table(source(name), content)
    assert (told(there), there.rows_in_file) == (told(here), here.rows_in_file)
    assert there.rows.equals(here.rows)
    layer_of = source(name, columns={}, values={}, **AS_LAYER)
    file, archive = kept(content)
    layer = reader.layer(layer_of, [file], archive)
    plain = read_layer(layer_of, [("raw", content)])
    assert told(layer) == told(plain)
    assert layer.features.equals(plain.features.astype(layer.features.dtypes))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1258"])
def test_tables_from_outside_are_read_in_every_encoding(
    reader: Reader, kept, encoding: str
) -> None:
    codec = {"windows-1258": "cp1258"}.get(encoding, encoding)
    text = ROWS.decode().replace("xã", "xa") if encoding == "windows-1258" else ROWS.decode()
    content = text.encode(codec)
    outside = source("csv", encoding=encoding, **CROSSWALK)
    there = reader.sheet(outside, *kept(content))
    assert there.rows.equals(read_table(outside, content).rows)


def test_a_workbook_is_read_to_the_last_cell(reader: Reader) -> None:
    row = ["a", 1.5, True, date(2025, 1, 1), datetime(2025, 1, 1, 9), time(1, 2), "=1+1", "#N/A"]
    content = files.xlsx(row, [timedelta(hours=30)])
    (there,) = reader.cells("inbox", content, Limits()).values()
    assert there.rows[0][:6] == row[:6]
    assert there.rows[1][0] == timedelta(hours=30)
    assert (there.formulas, set(there.unread)) == (["G1"], {(1, 7), (1, 8)})


def test_a_refusal_comes_home_as_it_was(reader: Reader, kept) -> None:
    for content in (b"", b"PK\x03\x04", HEADER.encode(), b"a;b\n1;2\n", b"\xff\xfe"):
        with pytest.raises(SourceError) as there:
            reader.sheet(source("csv", **CROSSWALK), *kept(content))
        with pytest.raises(SourceError) as here:
            read_table(source("csv", **CROSSWALK), content)
        assert (there.value.rule, there.value.message) == (here.value.rule, here.value.message)


def rule_of(reader: Reader, one: Source, file: Stored, archive: Archive) -> tuple[str, str]:
    with pytest.raises(SourceError) as caught:
        reader.sheet(one, file, archive)
    return caught.value.rule, caught.value.message


def test_a_file_that_needs_too_much_memory_ends_its_reader_and_nothing_else(
    reader: Reader, kept
) -> None:
    wide = (HEADER + f"a,b,whole,{'s' * 90_000_000}\n").encode()
    small = source("csv", limits={"memory_mb": 60}, **CROSSWALK)
    rule, message = rule_of(reader, small, *kept(wide))
    assert rule == "file_is_within_limits"
    assert "more than 60 MB" in message
    assert reader.sheet(source("csv", **CROSSWALK), *kept(ROWS)).rows_in_file == 1


def test_a_file_that_takes_too_long_ends_its_reader_and_nothing_else(reader: Reader, kept) -> None:
    point = {"geometry": {"type": "Point", "coordinates": [105.5, 9.8]}}
    slow = files.geojson(*[point] * 300_000)
    short = source("geojson", crs="EPSG:4326", limits={"seconds": 1})
    rule, message = rule_of(reader, short, *kept(slow))
    assert (rule, "more than 1 s" in message) == ("file_is_within_limits", True)
    assert reader.sheet(source("csv", **CROSSWALK), *kept(ROWS)).rows_in_file == 1


def test_a_file_of_gigabytes_is_refused_before_it_is_read(reader: Reader, tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    stored = Stored("raw", archive.put(b"a"))
    with archive.path_of(stored.sha256).open("r+b") as file:
        file.truncate(8_000_000_000)
    rule, message = rule_of(reader, source("csv", **CROSSWALK), stored, archive)
    assert rule == "file_is_within_limits"
    assert "8000000000 bytes" in message


def test_a_file_that_is_no_longer_what_it_was_is_refused(reader: Reader, tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    stored = Stored("raw", archive.put(ROWS))
    archive.path_of(stored.sha256).write_bytes(ROWS + b"x")
    assert rule_of(reader, source("csv", **CROSSWALK), stored, archive)[0] == "archive_is_whole"


def test_a_sandbox_that_somebody_ends_is_started_again(kept) -> None:
    with Reader() as reader:
        assert reader.sheet(source("csv", **CROSSWALK), *kept(ROWS)).rows_in_file == 1
        process = reader._process
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert reader.sheet(source("csv", **CROSSWALK), *kept(ROWS)).rows_in_file == 1
        again = reader._process
    assert again is not process
    assert again.returncode == 0


@pytest.fixture(scope="module")
def long() -> bytes:
    """Return long rows of more than three parts."""
    rows = (PART_LETTERS * 3) // 200 + 1
    return HEADER.encode() + b"".join(b"x%0200d,com-1,whole,\n" % n for n in range(rows))


def test_a_long_table_comes_in_parts_that_are_the_whole(reader: Reader, kept, long: bytes) -> None:
    outside = source("csv", **CROSSWALK)
    file, archive = kept(long)
    parts = list(reader.parts(outside, file, archive))
    assert len(parts) > 3
    there, here = joined(parts), read_table(outside, long)
    assert there.rows.equals(here.rows)
    assert there.rows.index.tolist() == list(range(2, len(here.rows) + 2))
    assert (told(there), there.rows_in_file) == (told(here), here.rows_in_file)


def test_what_is_wrong_at_the_end_refuses_all_that_came_before(
    reader: Reader, kept, long: bytes
) -> None:
    parts = reader.parts(source("csv", **CROSSWALK), *kept(long + b"x\xff,com-1,whole,\n"))
    assert len(next(parts).rows)
    last = long.count(b"\n") + 1
    with pytest.raises(SourceError, match=f"line {last} of .* is not utf-8"):
        list(parts)


def test_an_answer_that_nobody_hears_to_its_end_disturbs_no_other(kept, long: bytes) -> None:
    outside, (file, archive) = source("csv", **CROSSWALK), kept(long)
    before = children()
    with Reader() as reader:
        left = reader.parts(outside, file, archive)
        next(left)
        other, _ = kept(ROWS)
        assert reader.sheet(outside, other, archive).rows_in_file == 1
        again = reader.parts(outside, file, archive)
        next(again)
    assert children() == before


def test_a_sandbox_that_is_ended_in_the_middle_of_a_table_loses_no_row(kept, long: bytes) -> None:
    outside = source("csv", **CROSSWALK)
    with Reader() as reader:
        parts = reader.parts(outside, *kept(long))
        first = next(parts)
        os.kill(reader._process.pid, signal.SIGKILL)
        assert joined([first, *parts]).rows.equals(read_table(outside, long).rows)


def children() -> set[str]:
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


def test_no_process_is_left_behind_and_none_is_started_for_nothing(kept) -> None:
    before = children()
    with Reader() as reader:
        assert children() == before
        reader.start()
        assert len(children() - before) == 1
    assert children() == before


def test_small_tables_of_our_own_are_read_here_and_everything_else_is_not(tmp_path: Path) -> None:
    own = {**CROSSWALK, "kind": "file", "files": ()}
    small, large = tmp_path / "small", tmp_path / "large"
    small.write_bytes(ROWS)
    large.write_bytes(b"a" * 1_000_001)
    assert not is_outside(source("csv", **own), small)
    assert is_outside(source("csv", **own), large)
    assert is_outside(source("csv", **CROSSWALK), small)
    assert is_outside(source("geojson"), small)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """Return a whole GeoPackage that a file from outside tries to have read."""
    path = tmp_path / "secret.gpkg"
    path.write_bytes(make("geopackage", drawn(note_vi=["secret"])))
    return path


def test_what_points_to_another_file_never_shows_it(reader: Reader, kept, secret: Path) -> None:
    vrt = (
        f'<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>{secret}</SrcDataSource>'
        "<SrcLayer>layer</SrcLayer></OGRVRTLayer></OGRVRTDataSource>"
    ).encode()
    comment = b"999\n" + vrt.replace(b"\n", b"") + b"\n"
    drawing = comment + make("dxf", drawn())
    piped = json.dumps({"type": "gdal_streamed_alg", "command_line": f"gdal read {secret}"})
    for name in LAYER_FORMATS:
        packed = files.zipped({"a.shp": vrt, "a.shx": vrt, "a.dbf": vrt, "doc.kml": vrt})
        rule_of(reader, source(name), *kept(packed if "shape" in name or "kmz" in name else vrt))
    for content in (str(secret).encode(), f"/vsizip/{secret}".encode(), piped.encode()):
        rule_of(reader, source("dxf"), *kept(content))
    assert rule_of(reader, source("dxf"), *kept(drawing))[0] == "file_is_of_its_format"


def test_parcels_keep_every_letter_and_every_shape() -> None:
    hostile = "</script>{{7*7}}'; DROP TABLE places; --\u202e\u2028🙂\x00"
    layer = read_layer(
        source("geojson", columns={}, **AS_LAYER),
        [("raw", make("geojson", drawn(note_vi=[hostile])))],
    )
    assert b"pickle" not in pack_layer(layer)
    sheet = read_table(source("geojson"), make("geojson", drawn(note_vi=[hostile])))
    assert unpack_sheet(sheet.source, pack_sheet(sheet)).rows.equals(sheet.rows)
    empty = SheetCells()
    assert unpack_cells(pack_cells({"Bảng": empty})) == {"Bảng": empty}


def test_a_layer_of_nothing_but_shapes_comes_home(reader: Reader, kept) -> None:
    bare = drawn()[["geometry"]]
    file, archive = kept(make("geopackage", bare))
    layer = reader.layer(source("geopackage", columns={}, **AS_LAYER), [file], archive)
    assert isinstance(layer.features, gpd.GeoDataFrame)
    assert list(layer.features.columns) == ["geometry"]


def test_reading_leaves_our_own_limits_alone(reader: Reader, kept) -> None:
    before = {w: resource.getrlimit(w) for w in (resource.RLIMIT_AS, resource.RLIMIT_NOFILE)}
    reader.sheet(source("csv", **CROSSWALK), *kept(ROWS))
    assert {w: resource.getrlimit(w) for w in before} == before
    assert POSITION


def test_an_extract_of_openstreetmap_is_read_in_the_sandbox(
    reader: Reader, kept, tmp_path: Path
) -> None:
    streets = Map()
    streets.way((105.5, 9.7), (105.6, 9.8), highway="trunk", name="Quốc lộ 61C", ref="QL.61C")
    box = {"kind": "url", "files": CROSSWALK["files"], "bbox": (105.3, 9.5, 106.0, 10.1)}
    extract = source("pbf", crs="EPSG:4326", key="osm_id", **{**AS_LAYER, **box})
    file, archive = kept(streets.write(tmp_path / "map.osm.pbf"))
    layer = reader.layer(extract, [file], archive)
    assert list(layer.features["ref"]) == ["QL.61C"]


def test_a_confined_process_can_open_no_file_and_no_socket(tmp_path: Path) -> None:
    attempts = (
        "open('/etc/hostname')",
        f"open({str(tmp_path / 'new')!r}, 'w')",
        "socket.socket()",
        "subprocess.run(['true'])",
    )
    code = (
        "import socket, subprocess\n"
        "from geodata import sandbox\n"
        "sandbox._confine(sandbox.Limits())\n"
        "def tried(what):\n"
        "    try:\n        eval(what)\n"
        "    except OSError:\n        return False\n"
        "    return True\n"
        f"print([what for what in {attempts!r} if tried(what)])\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"
    assert list(tmp_path.iterdir()) == []
