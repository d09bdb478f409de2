import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geodata.catalog import Source
from geodata.cells import MOJIBAKE
from geodata.errors import SourceError
from geodata.read import Sheet, read_layer, read_table

HEADER = b"old_unit_id,new_unit_id,relation,document_ids\n"
ROW = b"old-1,com-1,whole,s1\n"
SHEET = "commune_crosswalk"


def sheet(tree, content: bytes, **settings: object) -> Sheet:
    tree.write(SHEET, content)
    tree.describe(SHEET, **settings)
    return read_table(tree.source(SHEET), content)


def refusal(tree, content: bytes, **settings: object) -> SourceError:
    with pytest.raises(SourceError) as caught:
        sheet(tree, content, **settings)
    assert caught.value.source_id == f"tiny_{SHEET}"
    return caught.value


def told(read: Sheet) -> list[tuple[str, int, str]]:
    assert all(f.severity == "source" for f in read.findings)
    return [(f.rule, f.row, f.column or f.key) for f in read.findings]


def test_a_table_comes_out_as_text_under_the_lines_of_its_file(tree) -> None:
    read = sheet(tree, HEADER + ROW + b"old-2,com-1,part,\n")
    assert list(read.rows.index) == [2, 3]
    assert list(read.rows.loc[3]) == ["old-2", "com-1", "part", ""]
    assert (read.rows_in_file, read.findings) == (2, ())


@pytest.mark.parametrize("cell", ["NaN", "nan", "NA", "null", "None", "-0", "1e400", "007", "TRUE"])
def test_a_cell_that_looks_like_something_else_stays_the_text_it_is(tree, cell: str) -> None:
    read = sheet(tree, HEADER + f"{cell},com-1,whole,{cell}\n".encode())
    assert list(read.rows.loc[2]) == [cell, "com-1", "whole", cell]


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
def test_every_kind_of_line_end_is_read(tree, end: str) -> None:
    text = (HEADER + ROW + ROW).decode().replace("\n", end)
    read = sheet(tree, text.encode())
    assert list(read.rows.index) == [2, 3]
    assert list(read.rows["document_ids"]) == ["s1", "s1"]


def test_a_last_line_without_its_end_is_still_a_row(tree) -> None:
    assert sheet(tree, HEADER + ROW.rstrip()).rows_in_file == 1


def test_a_row_is_found_by_its_first_line_where_cells_hold_line_breaks(tree) -> None:
    read = sheet(tree, HEADER + b'"old\n1",com-1,whole,s1\n\n' + ROW + b"short\n")
    assert list(read.rows.index) == [2, 5]
    assert read.rows.loc[2, "old_unit_id"] == "old\n1"
    assert told(read) == [("row_is_whole", 6, "short")]


def test_quotes_commas_and_vietnamese_survive(tree) -> None:
    read = sheet(tree, HEADER + '"a ""b"", c",Vị Thanh,“ệ”,\u2028\n'.encode())
    assert list(read.rows.loc[2]) == ['a "b", c', "Vị Thanh", "“ệ”", "\u2028"]


@given(cells=st.lists(st.text(st.characters(exclude_characters='\x00\r\n",\ufeff')), min_size=1))
def test_any_text_of_a_cell_comes_back(cells: list[str]) -> None:
    content = HEADER + "".join(f'{n},"{cell}",whole,\n' for n, cell in enumerate(cells)).encode()
    source = Source.model_validate({**LAYER, **AS_TABLE})
    assert list(read_table(source, content).rows["new_unit_id"]) == cells


@pytest.mark.parametrize("content", [b"", b" ", b"\n\n\n", b"\r\n \t\n"])
def test_an_empty_file_is_refused(tree, content: bytes) -> None:
    assert refusal(tree, content).rule == "file_is_not_empty"


def test_a_file_of_nothing_but_a_byte_order_mark_is_refused(tree) -> None:
    error = refusal(tree, b"\xef\xbb\xbf", encoding="utf-8-sig")
    assert error.rule == "file_is_not_empty"


@pytest.mark.parametrize("content", [HEADER, HEADER.rstrip(), HEADER + b"\n\n"])
def test_a_header_without_a_row_is_refused(tree, content: bytes) -> None:
    error = refusal(tree, content)
    assert (error.rule, "has a header and no row" in error.message) == ("file_is_not_empty", True)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"PK\x03\x04\x14\x00", "XLSX"),
        (b"SQLite format 3\x00\x10", "GeoPackage"),
        (b"PAR1\x15\x04", "Parquet"),
        (b"fgb\x03fgb\x00", "FlatGeobuf"),
        (b"%PDF-1.7\n", "PDF"),
        (b'\n {"type": "FeatureCollection"}', "JSON"),
        (b"[1, 2]", "JSON"),
        (b"<!doctype html><title>404</title>", "HTML"),
        (b"  <?xml version='1.0'?><kml/>", "XML"),
    ],
)
def test_a_file_of_another_format_is_refused_by_its_name(tree, content: bytes, name: str) -> None:
    error = refusal(tree, content)
    assert error.rule == "file_is_of_its_format"
    assert name in error.message
    assert "source.toml says csv" in error.message


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (HEADER + "xã-1,com-1,whole,s1\n".encode("cp1252"), 2),
        (HEADER + ROW + "ph\u01b0\u1eddng,b,c,d\n".encode("utf-16-le"), 3),
        (HEADER.decode().encode("utf-16"), 1),
        (HEADER + ROW + b"\xed\xa0\x80,b,c,d\n", 3),
        (HEADER + b"\xc0\xaf,b,c,d\n", 2),
    ],
    ids=["cp1252", "utf-16 row", "utf-16", "surrogate", "overlong"],
)
def test_a_file_in_another_encoding_is_refused_with_the_line(
    tree, content: bytes, line: int
) -> None:
    error = refusal(tree, content)
    assert error.rule == "encoding_is_as_declared"
    assert f"line {line} of raw.csv" in error.message or "byte order mark" in error.message


@pytest.mark.parametrize(
    "content",
    [b"\xef\xbb\xbf" + HEADER + ROW, HEADER + b"old\x00-1,com-1,whole,s1\n"],
    ids=["byte order mark", "NUL"],
)
def test_a_byte_order_mark_or_a_nul_that_was_not_declared_is_refused(tree, content: bytes) -> None:
    assert refusal(tree, content).rule == "encoding_is_as_declared"


def test_a_declared_byte_order_mark_is_no_part_of_the_first_column(tree) -> None:
    read = sheet(tree, b"\xef\xbb\xbf" + HEADER + ROW, encoding="utf-8-sig")
    assert read.findings == ()
    twice = refusal(tree, 2 * b"\xef\xbb\xbf" + HEADER + ROW, encoding="utf-8-sig")
    assert twice.rule == "encoding_is_as_declared"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (HEADER + ROW + b'old-2,"com-1,whole,s1\n', 3),
        (HEADER + b'"old-1"x,com-1,whole,s1\n', 2),
        (HEADER + b'old-1,com-1,whole,"' + b"s" * 140_000 + b'"\n', 2),
    ],
    ids=["open quote", "text after a quote", "huge cell"],
)
def test_a_file_that_stops_being_csv_is_refused_with_the_line(
    tree, content: bytes, line: int
) -> None:
    error = refusal(tree, content)
    assert error.rule == "file_is_of_its_format"
    assert f"stops being CSV at line {line}" in error.message


def test_a_file_cut_in_the_middle_of_a_row_names_that_row(tree) -> None:
    read = sheet(tree, HEADER + ROW + ROW[:8])
    assert told(read) == [("row_is_whole", 3, "old-1")]
    assert "2 cells, needed 4; the file may be cut short" in read.findings[0].detail
    assert (list(read.rows.index), read.rows_in_file) == ([2], 2)


@pytest.mark.parametrize("row", [b"a,b,c\n", b"a,b,c,d,e\n", b"a;b;c;d\n", b" \n", b'""\n'])
def test_a_row_with_other_cells_than_the_header_is_found(tree, row: bytes) -> None:
    read = sheet(tree, HEADER + row + ROW)
    assert [(rule, line) for rule, line, _ in told(read)] == [("row_is_whole", 2)]
    assert list(read.rows.index) == [3]


def test_where_no_row_is_whole_the_table_is_empty_and_all_are_found(tree) -> None:
    read = sheet(tree, HEADER + b"a\nb\nc\n")
    assert read.rows.empty
    assert list(read.rows.columns) == ["old_unit_id", "new_unit_id", "relation", "document_ids"]
    assert [line for _, line, _ in told(read)] == [2, 3, 4]


def test_a_column_that_is_gone_is_found_and_its_cells_are_empty(tree) -> None:
    read = sheet(tree, b"old_unit_id,new_unit_id,document_ids\nold-1,com-1,s1\n")
    assert told(read) == [("column_is_present", 1, "relation")]
    assert read.rows.loc[2, "relation"] == ""


def test_a_renamed_column_is_one_gone_and_one_unknown(tree) -> None:
    read = sheet(tree, HEADER.replace(b"relation", "quan hệ".encode()) + ROW)
    assert told(read) == [("column_is_present", 1, "relation"), ("column_is_known", 1, "quan hệ")]


def test_a_declared_name_is_no_finding(tree) -> None:
    content = HEADER.replace(b"relation", "quan hệ".encode()) + ROW
    tree.write(SHEET, content)
    with (tree.raw(SHEET).with_name("source.toml")).open("a", encoding="utf-8") as toml:
        toml.write('[columns]\n"quan hệ" = "relation"\n')
    read = read_table(tree.source(SHEET), content)
    assert read.findings == ()
    assert read.rows.loc[2, "relation"] == "whole"


def test_a_column_that_stands_twice_is_found_and_the_first_one_is_read(tree) -> None:
    read = sheet(tree, HEADER.rstrip() + b",relation\n" + ROW.rstrip() + b",part\n")
    assert told(read) == [("column_is_there_once", 1, "relation")]
    assert read.rows.loc[2, "relation"] == "whole"


@pytest.mark.parametrize(
    "content",
    [b"a,b,c,d\n1,2,3,4\n", b"\n" + HEADER + ROW, HEADER.replace(b",", b";") + ROW, b"%\n1\n"],
    ids=["other table", "blank line first", "semicolons", "no header"],
)
def test_a_file_without_one_column_of_its_table_is_refused(tree, content: bytes) -> None:
    error = refusal(tree, content)
    assert error.rule == "columns_are_present"
    assert "needs old_unit_id, new_unit_id, relation, document_ids" in error.message


def test_columns_in_another_order_are_read_by_name(tree) -> None:
    read = sheet(tree, b"document_ids,relation,new_unit_id,old_unit_id\ns1,whole,com-1,old-1\n")
    assert list(read.rows.loc[2]) == ["old-1", "com-1", "whole", "s1"]
    assert read.findings == ()


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_vietnamese_read_in_another_encoding_is_seen(encoding: str) -> None:
    for word in ("Việt", "Công", "ưu", "đãi", "m²", "Sở", "xã", "kênh", "Thủy", "cụm"):
        assert re.search(MOJIBAKE, word.encode().decode(encoding)), word


def test_whole_vietnamese_is_not_taken_for_broken() -> None:
    for text in ("HỢP TÁC XÃ”", "XÃ CHÂU", "«cá»", "ÂU THUYỀN", "30 % – 40 %", "Ấn Độ, Ả Rập"):
        assert not re.search(MOJIBAKE, text), text


LAYER = {
    "source_id": "layer_a",
    "folder": Path("layer_a"),
    "title_vi": "Ranh giới",
    "title_en": "Boundaries",
    "publisher": "Sở A",
    "licence": "MIT",
    "kind": "url",
    "layer": "commune_boundaries",
    "format": "geojson",
    "crs": "EPSG:4326",
    "as_of": date(2025, 12, 31),
    "retrieved_on": date(2026, 1, 5),
    "key": "unit_id",
    "files": ({"url": "https://maps.example/a.geojson"},),
}
AS_TABLE = {
    "kind": "file",
    "layer": "",
    "table": SHEET,
    "format": "csv",
    "file": "raw.csv",
    "sha256": "0" * 64,
    "key": ("old_unit_id", "new_unit_id"),
}
BOX = [[[105.4, 9.7], [105.5, 9.7], [105.5, 9.8], [105.4, 9.7]]]
AWAY = {"type": "Polygon", "coordinates": BOX}

Read = Callable[..., gpd.GeoDataFrame]


@pytest.fixture
def layer() -> Read:
    """Return a reader of layers made of the given contents."""

    def read(*contents: bytes, **settings: object) -> gpd.GeoDataFrame:
        files = [(f"{n}.geojson", told) for n, told in enumerate(contents)]
        return read_layer(Source.model_validate({**LAYER, **settings}), files).features

    return read


def geojson(*shapes: object, crs: str = "", **properties: object) -> bytes:
    features = [{"type": "Feature", "properties": properties, "geometry": s} for s in shapes]
    named = {"crs": {"type": "name", "properties": {"name": crs}}} if crs else {}
    return json.dumps({"type": "FeatureCollection", **named, "features": features}).encode()


def rule_of(read: Read, /, *contents: bytes, **settings: object) -> str:
    with pytest.raises(SourceError) as caught:
        read(*contents, **settings)
    assert caught.value.source_id == "layer_a"
    return caught.value.rule


def test_a_layer_is_one_row_a_feature_of_all_its_files_in_degrees(layer: Read) -> None:
    read = layer(geojson(AWAY, code="31321"), geojson(AWAY, AWAY, code="31333"))
    assert list(read["code"]) == ["31321", "31333", "31333"]
    assert list(read.index) == [0, 1, 2]
    assert read.crs == "EPSG:4326"


def test_declared_names_of_properties_become_ours(layer: Read) -> None:
    read = layer(geojson(AWAY, MA="31321"), columns={"MA": "code"})
    assert list(read["code"]) == ["31321"]


def test_a_property_called_geometry_does_not_replace_the_shape(layer: Read) -> None:
    read = layer(geojson(AWAY, geometry="POINT (0 0)"))
    assert read.geometry.iloc[0].geom_type == "Polygon"


def test_a_feature_without_properties_is_a_row(layer: Read) -> None:
    bare = {"type": "FeatureCollection", "features": [{"geometry": AWAY, "properties": None}]}
    assert len(layer(json.dumps(bare).encode())) == 1


@pytest.mark.parametrize("content", [b"", b"   "])
def test_an_empty_layer_file_is_refused(layer: Read, content: bytes) -> None:
    assert rule_of(layer, content) == "file_is_of_its_format"


def test_a_layer_without_a_feature_is_refused(layer: Read) -> None:
    assert rule_of(layer, geojson()) == "file_is_not_empty"
    assert rule_of(layer, geojson(AWAY), geojson()) == "file_is_not_empty"


@pytest.mark.parametrize(
    "content",
    [
        geojson(AWAY)[:-20],
        b"old_unit_id,new_unit_id\n",
        b"PK\x03\x04",
        b"<kml/>",
        b"\xff\xfe{\x00",
        "xã".encode("cp1252"),
        b"null",
        b"17",
        b"[]",
        b'"text"',
        b"{}",
        b'{"features": null}',
        b'{"features": 5}',
        b'{"features": ["a"]}',
        b'{"features": [null]}',
        b'{"features": [{}]}',
        b'{"features": [{"properties": [], "geometry": {}}]}',
        b'{"features": [{"properties": ["a"], "geometry": {}}]}',
        json.dumps(AWAY).encode(),
        b"[" * 100_000,
        b'{"features":' * 100_000,
    ],
)
def test_a_layer_file_of_another_format_is_refused(layer: Read, content: bytes) -> None:
    assert rule_of(layer, content) == "file_is_of_its_format"


@pytest.mark.parametrize(
    "shape",
    [
        5,
        "POINT (105 9)",
        {"type": "Point"},
        {"type": "Point", "coordinates": "ab"},
        {"type": "Point", "coordinates": [105]},
        {"type": "Point", "coordinates": [1, 2, 3, 4, 5]},
        {"type": "LineString", "coordinates": [[105, 9]]},
        {"type": "Polygon", "coordinates": [[[105, 9], [106, 9]]]},
        {"type": "Banana", "coordinates": []},
        {"type": 5},
        {"type": "GeometryCollection", "geometries": [5]},
    ],
)
def test_a_feature_that_is_no_shape_refuses_the_layer(layer: Read, shape: object) -> None:
    assert rule_of(layer, geojson(AWAY, shape)) == "file_is_of_its_format"


def test_a_feature_without_a_shape_refuses_the_layer(layer: Read) -> None:
    assert rule_of(layer, geojson(AWAY, None)) == "geometry_is_valid"


BOW_TIE = [[[105.4, 9.7], [105.5, 9.8], [105.5, 9.7], [105.4, 9.8], [105.4, 9.7]]]


@pytest.mark.parametrize(
    "shape",
    [
        {"type": "Polygon", "coordinates": BOW_TIE},
        {"type": "Polygon", "coordinates": []},
        {"type": "Point", "coordinates": []},
        {"type": "Point", "coordinates": [float("nan"), 9.7]},
        {"type": "Point", "coordinates": [None, None]},
        None,
        {"type": "LineString", "coordinates": [[105.4, 9.7], [105.4, 9.7]]},
    ],
)
def test_a_shape_that_is_torn_or_empty_refuses_the_layer(layer: Read, shape: object) -> None:
    assert rule_of(layer, geojson(AWAY, shape)) == "geometry_is_valid"


@pytest.mark.parametrize("crs", ["", "banana", "EPSG:999999", "degrees"])
def test_a_layer_without_a_known_declared_crs_is_never_guessed(layer: Read, crs: str) -> None:
    assert rule_of(layer, geojson(AWAY), crs=crs) == "crs_is_declared"
    assert rule_of(layer, b"{}", crs=crs, **OVERPASS) == "crs_is_declared"


@pytest.mark.parametrize(
    ("said", "declared"),
    [
        ("urn:ogc:def:crs:EPSG::5897", "EPSG:4326"),
        ("EPSG:3857", "EPSG:4326"),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:5897"),
        ("urn:ogc:def:crs:EPSG::4326", "EPSG:5897"),
        ("urn:ogc:def:crs:EPSG::5896", "EPSG:5897"),
        ("banana", "EPSG:4326"),
    ],
)
def test_a_file_that_contradicts_its_declared_crs_is_refused(
    layer: Read, said: str, declared: str
) -> None:
    assert rule_of(layer, geojson(AWAY, crs=said), crs=declared) == "crs_is_as_declared"


@pytest.mark.parametrize(
    "said", ["", "urn:ogc:def:crs:OGC:1.3:CRS84", "urn:ogc:def:crs:EPSG::4326", "EPSG:4326"]
)
def test_a_file_that_says_nothing_or_the_same_crs_is_read(layer: Read, said: str) -> None:
    assert layer(geojson(AWAY, crs=said)).total_bounds == pytest.approx([105.4, 9.7, 105.5, 9.8])


@pytest.mark.parametrize("crs", [5, [], {}, {"properties": 5}, {"properties": {"name": None}}])
def test_a_crs_member_of_another_form_is_no_crash(layer: Read, crs: object) -> None:
    odd = json.dumps({"features": [{"geometry": AWAY}], "crs": crs}).encode()
    if crs == {"properties": {"name": None}}:
        assert rule_of(layer, odd) == "crs_is_as_declared"
    else:
        assert len(layer(odd)) == 1


def test_metres_in_a_file_declared_in_degrees_are_refused(layer: Read, squares) -> None:
    metres = squares(a=(550_000, 1_080_000, 1_000)).geometry.iloc[0].__geo_interface__
    assert rule_of(layer, geojson(metres)) == "crs_is_as_declared"
    assert rule_of(layer, geojson(AWAY), geojson(metres)) == "crs_is_as_declared"
    endless = {"type": "Point", "coordinates": [float("inf"), 9.7]}
    assert rule_of(layer, geojson(endless)) == "crs_is_as_declared"


def test_degrees_in_a_file_declared_in_metres_are_refused(layer: Read) -> None:
    assert rule_of(layer, geojson(AWAY), crs="EPSG:5897") == "crs_is_as_declared"


@pytest.mark.parametrize("said", ["", "urn:ogc:def:crs:EPSG::5897"])
def test_a_layer_in_vn_2000_comes_out_in_degrees(layer: Read, squares, said: str) -> None:
    zone = squares(a=(550_000, 1_080_000, 1_000))
    content = geojson(zone.geometry.iloc[0].__geo_interface__, crs=said)
    read = layer(content, crs="EPSG:5897")
    assert read.crs == "EPSG:4326"
    assert read.total_bounds == pytest.approx(zone.to_crs("EPSG:4326").total_bounds)


OVERPASS = {
    "kind": "overpass",
    "layer": "waterways",
    "format": "overpass",
    "files": (),
    "endpoint": "https://overpass.example/api",
    "query_name": "canals",
    "query": "way;out geom;",
}


def test_an_overpass_reply_is_read_as_a_layer(layer: Read) -> None:
    line = [{"lon": 105.4, "lat": 9.7}, {"lon": 105.5, "lat": 9.8}]
    way = {"type": "way", "id": 7, "tags": {"name": "Kênh Xà No"}, "geometry": line}
    read = layer(json.dumps({"elements": [way]}).encode(), **OVERPASS)
    assert list(read["name"]) == ["Kênh Xà No"]
    assert rule_of(layer, b"<osm/>", **OVERPASS) == "file_is_of_its_format"


POSITION = {
    "position_id": "kcn-a.survey",
    "subject_id": "kcn-a",
    "method": "surveyed",
    "accuracy_m": 5,
    "as_of": "2026-12-01",
    "document_ids": "doc",
    "note_vi": None,
    "note_en": None,
}


def positions_file(geometry: object, **properties: object) -> bytes:
    feature = {
        "type": "Feature",
        "properties": {**POSITION, **properties},
        "geometry": geometry,
    }
    return json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()


def surveyed(tmp_path: Path, crs: str) -> Source:
    folder = tmp_path / "board_surveys"
    folder.mkdir()
    told = {
        "source_id": "board_surveys",
        "folder": folder,
        "title_vi": "Ranh giới đo đạc",
        "title_en": "Surveyed boundaries",
        "publisher": "Board",
        "licence": "public document",
        "kind": "file",
        "table": "positions",
        "file": "raw.geojson",
        "format": "geojson",
        "as_of": "2026-12-01",
        "retrieved_on": "2026-12-02",
        "sha256": "0" * 64,
        "key": "position_id",
        "crs": crs,
    }
    return Source.model_validate(told)


def test_a_surveyed_boundary_in_vn2000_becomes_a_position_in_degrees(tmp_path: Path) -> None:
    square = [
        [550_000, 1_100_000],
        [551_000, 1_100_000],
        [551_000, 1_101_000],
        [550_000, 1_101_000],
    ]
    content = positions_file({"type": "Polygon", "coordinates": [[*square, square[0]]]})
    sheet = read_table(surveyed(tmp_path, "EPSG:5897"), content)
    row = sheet.rows.loc[2]
    assert sheet.findings == ()
    assert (row["position_id"], row["accuracy_m"], row["note_vi"]) == ("kcn-a.survey", "5", "")
    west, south, east, north = shapely.from_wkt(row["geometry"]).bounds
    assert 105.4 < west < east < 105.5
    assert 9.9 < south < north < 10.0


def test_a_feature_without_geometry_is_a_row_with_an_empty_cell(tmp_path: Path) -> None:
    point = {"type": "Point", "coordinates": [105.5, 9.8]}
    told = json.loads(positions_file(point))
    told["features"].append({**told["features"][0], "geometry": None})
    sheet = read_table(surveyed(tmp_path, "EPSG:4326"), json.dumps(told).encode())
    assert list(sheet.rows["geometry"]) == ["POINT (105.5 9.8)", ""]


def test_geojson_without_a_declared_crs_is_refused(tmp_path: Path) -> None:
    point = {"type": "Point", "coordinates": [105.5, 9.8]}
    with pytest.raises(SourceError, match="never guessed"):
        read_table(surveyed(tmp_path, ""), positions_file(point))


def test_geojson_for_a_table_without_geometry_is_refused(tmp_path: Path) -> None:
    source = surveyed(tmp_path, "EPSG:4326").model_copy(update={"table": "claims"})
    with pytest.raises(SourceError, match="has no geometry"):
        read_table(source, positions_file({"type": "Point", "coordinates": [105.5, 9.8]}))


POSITIONS = {
    "kind": "file",
    "layer": "",
    "table": "positions",
    "file": "raw.geojson",
    "sha256": "0" * 64,
    "key": "position_id",
    "files": (),
}


def positions(content: bytes, **settings: object) -> Sheet:
    return read_table(Source.model_validate({**LAYER, **POSITIONS, **settings}), content)


def test_a_table_with_a_geometry_may_come_as_geojson_one_line_a_feature() -> None:
    point = {"type": "Point", "coordinates": [105.5, 9.8]}
    read = positions(geojson(point, None, position_id="p1", accuracy_m=500, note_vi=None))
    assert list(read.rows.index) == [2, 3]
    assert read.rows_in_file == 2
    assert list(read.rows["geometry"]) == ["POINT (105.5 9.8)", ""]
    assert list(read.rows.loc[2, ["position_id", "accuracy_m", "note_vi"]]) == ["p1", "500", ""]
    assert ("column_is_present", 1, "subject_id") in told(read)
    assert ("column_is_known", 1, "colour") in told(positions(geojson(point, colour="red")))


def test_the_cells_of_a_geojson_table_are_text_whatever_they_were() -> None:
    shape = {"type": "Point", "coordinates": [105.5, 9.8]}
    cells = {"note_vi": True, "note_en": [1], "as_of": 2024, "method": 1.5, "document_ids": "NaN"}
    read = positions(geojson(shape, **cells))
    assert list(read.rows.loc[2, list(cells)]) == ["true", "[1]", "2024", "1.5", "NaN"]


def test_a_number_beside_a_missing_one_stays_the_number_it_was(layer: Read) -> None:
    content = json.loads(geojson(AWAY, AWAY, as_of=2024, code=31321))
    content["features"][1]["properties"] = {}
    told_twice = json.dumps(content).encode()
    assert list(positions(told_twice).rows["as_of"]) == ["2024", ""]
    assert str(layer(told_twice)["code"][0]) == "31321"


@pytest.mark.parametrize(
    ("content", "settings", "rule"),
    [
        (geojson(AWAY), {"crs": ""}, "crs_is_declared"),
        (geojson(AWAY), {"crs": "EPSG:5897"}, "crs_is_as_declared"),
        (geojson(AWAY, crs="EPSG:3857"), {}, "crs_is_as_declared"),
        (geojson(), {}, "file_is_not_empty"),
        (b"position_id\np1\n", {}, "file_is_of_its_format"),
        (b"", {}, "file_is_of_its_format"),
        (geojson(AWAY), {"table": "places", "key": "place_id"}, "file_is_of_its_format"),
    ],
)
def test_a_geojson_table_that_cannot_be_read_is_refused(
    content: bytes, settings: dict[str, object], rule: str
) -> None:
    with pytest.raises(SourceError) as caught:
        positions(content, **settings)
    assert caught.value.rule == rule
