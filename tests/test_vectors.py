import io
import json
import sqlite3
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from shapely import LineString, Point, Polygon, box

import files
from files import CRS_OF, EXTRA, LAYER_FORMATS, POSITION, SQUARE, drawn, make
from geodata.catalog import Source
from geodata.errors import SourceError
from geodata.read import Layer, Sheet, read_layer, read_table

SOURCE = {
    "source_id": "board_surveys",
    "folder": Path("board_surveys"),
    "title_vi": "Ranh giới đo đạc",
    "title_en": "Surveyed boundaries",
    "publisher": "Ban quản lý",
    "licence": "public document",
    "kind": "file",
    "table": "positions",
    "file": "raw",
    "as_of": "2026-01-01",
    "retrieved_on": "2026-01-05",
    "sha256": "0" * 64,
    "key": "position_id",
    "crs": "EPSG:5897",
}
AS_LAYER = {"table": "", "layer": "waterways"}
IN_DEGREES = gpd.GeoSeries([SQUARE], crs="EPSG:5897").to_crs("EPSG:4326").iloc[0]


def source(name: str, **settings: object) -> Source:
    shared = {"values": POSITION | {"accuracy_m": "5"}} if name == "dxf" else {}
    if shared:
        shared["values"] = {k: v for k, v in shared["values"].items() if k != "subject_id"}
    told = {**SOURCE, "format": name, **EXTRA.get(name, {}), **shared}
    if name in CRS_OF:
        told["crs"] = CRS_OF[name]
    return Source.model_validate({**told, **settings})


def table(name: str, content: bytes, **settings: object) -> Sheet:
    return read_table(source(name, **settings), content)


def layer(name: str, content: bytes, **settings: object) -> Layer:
    plain = {"columns": {}, "values": {}, **AS_LAYER}
    return read_layer(source(name, **{**plain, **settings}), [("raw", content)])


def rule_of(name: str, content: bytes, **settings: object) -> str:
    with pytest.raises(SourceError) as caught:
        table(name, content, **settings)
    assert caught.value.source_id == "board_surveys"
    return caught.value.rule


def rules(read: Sheet | Layer) -> list[tuple[str, str]]:
    return [(f.rule, f.severity) for f in read.findings]


@pytest.mark.parametrize("name", LAYER_FORMATS)
def test_the_same_position_comes_out_of_every_format(name: str) -> None:
    read = table(name, make(name, drawn()))
    assert rules(read) == []
    row = dict(read.rows.loc[2])
    shape = shapely.from_wkt(row.pop("geometry"))
    assert row == {**POSITION, "accuracy_m": "5"}
    assert shape.normalize().equals_exact(IN_DEGREES.normalize(), 1e-9)


@pytest.mark.parametrize("name", LAYER_FORMATS)
def test_every_format_gives_a_layer_of_text_in_degrees(name: str) -> None:
    read = layer(name, make(name, drawn(SQUARE, box(0, 0, 9, 9).buffer(0)).iloc[:1]))
    assert read.features.crs == "EPSG:4326"
    assert {type(v) for c in read.features.drop(columns="geometry") for v in read.features[c]} == {
        str
    }


@pytest.mark.parametrize("name", ["geojson", "geopackage", "flatgeobuf", "geoparquet", "shapefile"])
def test_a_file_that_says_another_crs_than_declared_is_refused(name: str) -> None:
    content = make(name, drawn())
    for crs in ("EPSG:9210", "EPSG:3405", "EPSG:32648", "EPSG:4326"):
        assert rule_of(name, content, crs=crs) == "crs_is_as_declared"
    assert rule_of(name, content, crs="") == "crs_is_declared"


@pytest.mark.parametrize("name", ["kml", "kmz"])
def test_kml_is_in_degrees_by_its_own_rules(name: str) -> None:
    assert rule_of(name, make(name, drawn()), crs="EPSG:5897") == "crs_is_as_declared"


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:4756", "EPSG:32648", "EPSG:3857"])
def test_a_drawing_needs_its_zone_of_vn_2000(crs: str) -> None:
    assert rule_of("dxf", make("dxf", drawn()), crs=crs) == "crs_is_declared"


@pytest.mark.parametrize("name", LAYER_FORMATS)
def test_a_file_of_another_format_is_refused(name: str) -> None:
    for other in ("geojson", "geopackage", "flatgeobuf", "geoparquet", "shapefile", "kml", "dxf"):
        if other != name:
            rule = rule_of(name, make(other, drawn()))
            assert rule in ("file_is_of_its_format", "archive_is_sound", "part_is_present"), other


@pytest.mark.parametrize("name", LAYER_FORMATS)
@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.9, 0.99])
def test_a_file_that_was_cut_is_refused_and_never_read_in_part(name: str, share: float) -> None:
    content = make(name, drawn(*[SQUARE] * 40))
    assert len(table(name, content).rows) == 40
    rule_of(name, content[: int(len(content) * share)])


@pytest.mark.parametrize("name", ["geopackage", "flatgeobuf", "geoparquet", "shapefile"])
def test_numbers_keep_their_digits_beside_missing_ones(name: str) -> None:
    told = drawn(SQUARE, SQUARE)
    told["accuracy_m"] = gpd.pd.array([5, None], dtype="Int64")
    told["as_of"] = ["2026", None]
    read = table(name, make(name, told)).rows.sort_values("accuracy_m")
    assert list(read["accuracy_m"]) == ["", "5"]
    assert list(read["as_of"]) == ["", "2026"]


@pytest.mark.parametrize("name", ["geojson", "geopackage", "flatgeobuf", "geoparquet", "shapefile"])
def test_heights_are_left_out_and_said_so(name: str) -> None:
    deep = shapely.force_3d(SQUARE, 7.0)
    read = table(name, make(name, drawn(deep)))
    assert rules(read) == [("geometry_is_flat", "note")]
    assert "Z" not in read.rows.loc[2, "geometry"]


def test_curves_are_refused_and_never_straightened(tmp_path: Path) -> None:
    arc = np.array([0, 0, 1, 1, 2, 0, 1, -1, 0, 0], "<f8").tobytes()
    ring = b"\x01" + (8).to_bytes(4, "little") + (5).to_bytes(4, "little") + arc
    curve = b"\x01" + (10).to_bytes(4, "little") + (1).to_bytes(4, "little") + ring
    header = b"GP\x00\x01" + (5897).to_bytes(4, "little")
    content = make("geopackage", drawn())
    triggers = files_triggers(content, tmp_path / "a.gpkg")
    told = f"UPDATE layer SET geom = x'{(header + curve).hex()}'"
    content = changed_base(content, tmp_path / "a.gpkg", *triggers, told)
    assert rule_of("geopackage", content) in ("geometry_is_plain", "file_is_of_its_format")


def files_triggers(content: bytes, path: Path) -> list[str]:
    """What takes the triggers of an index away, which need functions that only GDAL has."""
    path.write_bytes(content)
    base = sqlite3.connect(path)
    told = base.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    base.close()
    return [f'DROP TRIGGER "{name}"' for (name,) in told]


def changed_base(content: bytes, path: Path, *statements: str) -> bytes:
    path.write_bytes(content)
    base = sqlite3.connect(path)
    for statement in statements:
        base.execute(statement)
    base.commit()
    base.close()
    return path.read_bytes()


LISTED = "INSERT INTO gpkg_contents (table_name, data_type, srs_id) VALUES ('{}', 'features', 5897)"
SHAPED = ("INSERT INTO gpkg_geometry_columns VALUES ('{}', 'geom', 'POLYGON', 5897, 0, 0)",)


def test_a_view_is_no_part_to_read(tmp_path: Path) -> None:
    view = "CREATE VIEW shown AS SELECT * FROM layer"
    content = changed_base(
        make("geopackage", drawn()),
        tmp_path / "a.gpkg",
        view,
        LISTED.format("shown"),
        *(s.format("shown") for s in SHAPED),
    )
    assert rule_of("geopackage", content, part="shown") == "part_is_a_table"
    assert rule_of("geopackage", content) == "part_is_present"
    assert len(table("geopackage", content, part="layer").rows) == 1


def test_a_virtual_table_is_no_part_to_read(tmp_path: Path) -> None:
    made = "CREATE VIRTUAL TABLE shown USING rtree(fid, a, b, c, d)"
    content = changed_base(
        make("geopackage", drawn()), tmp_path / "a.gpkg", made, LISTED.format("shown")
    )
    assert rule_of("geopackage", content, part="shown") == "part_is_a_table"


def test_a_trigger_in_a_file_never_runs(tmp_path: Path) -> None:
    trap = "CREATE TRIGGER trap AFTER UPDATE ON layer BEGIN DELETE FROM layer; END"
    content = changed_base(make("geopackage", drawn()), tmp_path / "a.gpkg", trap)
    assert len(table("geopackage", content).rows) == 1


def test_a_base_written_ahead_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    content = changed_base(make("geopackage", drawn()), path, "PRAGMA journal_mode = WAL")
    assert content[18:20] == b"\x02\x02"
    assert len(table("geopackage", content).rows) == 1


@pytest.mark.parametrize(
    "content", [b"", b"SQLite format 3\x00", b"SQLite format 3\x00" + b"\xff" * 5000]
)
def test_a_base_that_is_no_geopackage_is_refused(content: bytes) -> None:
    assert rule_of("geopackage", content) == "file_is_of_its_format"


def test_a_shapefile_in_windows_1258_comes_out_composed() -> None:
    told = drawn(note_vi=["Ng\u00e3 B\u00e2\u0309y"])
    content = files.shapefile(told, "CP1258")
    read = table("shapefile", content, encoding="windows-1258")
    assert read.rows.loc[2, "note_vi"] == "Ng\u00e3 B\u1ea9y"
    assert rule_of("shapefile", content) == "encoding_is_as_declared"


def test_a_shapefile_that_says_no_encoding_needs_one_declared() -> None:
    content = files.shapefile(drawn(), without=(".cpg",))
    assert rule_of("shapefile", content) == "encoding_is_as_declared"
    assert len(table("shapefile", content, encoding="utf-8").rows) == 1
    latin = files.shapefile(drawn(note_vi=["xã"]), "ISO-8859-1", without=(".cpg",))
    assert rule_of("shapefile", latin, encoding="utf-8") == "encoding_is_as_declared"


def test_a_shapefile_without_its_prj_is_read_as_declared() -> None:
    content = files.shapefile(drawn(), without=(".prj",))
    assert len(table("shapefile", content).rows) == 1


@pytest.mark.parametrize("part", [".shp", ".shx", ".dbf"])
def test_a_shapefile_without_one_of_its_parts_is_refused(part: str) -> None:
    content = files.shapefile(drawn(), without=(part,))
    assert rule_of("shapefile", content) in ("archive_is_sound", "part_is_present")


def test_a_zip_of_two_shapefiles_is_refused() -> None:
    parts = zipfile.ZipFile(io.BytesIO(files.shapefile(drawn())))
    told = {n: parts.read(n) for n in parts.namelist()}
    twice = told | {f"b{n[-4:]}": c for n, c in told.items()}
    assert rule_of("shapefile", files.zipped(twice)) == "part_is_present"


def test_attributes_and_shapes_of_another_count_are_refused() -> None:
    one = zipfile.ZipFile(io.BytesIO(files.shapefile(drawn())))
    two = zipfile.ZipFile(io.BytesIO(files.shapefile(drawn(SQUARE, SQUARE))))
    mixed = {n: (two if n.endswith(".dbf") else one).read(n) for n in one.namelist()}
    assert rule_of("shapefile", files.zipped(mixed)) == "file_is_of_its_format"


def test_a_kml_with_heights_lines_and_several_shapes_is_read() -> None:
    body = (
        "<Folder><Placemark><MultiGeometry><Point><coordinates>105.5,9.8,3</coordinates></Point>"
        "<LineString><coordinates>105.5,9.8 105.6,9.8</coordinates></LineString></MultiGeometry>"
        "</Placemark><Placemark><name>bare</name></Placemark></Folder>"
        "<NetworkLink><Link><href>https://evil.example/a.kml</href></Link></NetworkLink>"
    )
    content = files.kml(drawn().iloc[:0], body=body)
    read = table("kml", content)
    assert [r for r, s in rules(read) if s == "note"] == ["file_is_whole", "geometry_is_flat"]
    first, second = read.rows["geometry"]
    assert first.startswith("GEOMETRYCOLLECTION (POINT (105.5 9.8), LINESTRING")
    assert second == ""


@pytest.mark.parametrize(
    "head",
    [
        "<!DOCTYPE kml>",
        '<!DOCTYPE k [<!ENTITY a "&#65;"><!ENTITY b "&a;&a;">]>',
        '<!DOCTYPE k SYSTEM "file:///etc/hostname">',
    ],
)
def test_entities_in_a_kml_are_refused(head: str) -> None:
    assert rule_of("kml", files.kml(drawn(), head=head)) == "xml_has_no_entities"
    packed = files.zipped({"doc.kml": files.kml(drawn(), head=head)})
    assert rule_of("kmz", packed) == "xml_has_no_entities"


def test_a_kml_in_another_encoding_is_refused() -> None:
    told = files.kml(drawn()).replace(b'"UTF-8"', b'"windows-1252"')
    assert rule_of("kml", told) == "encoding_is_as_declared"


@pytest.mark.parametrize("told", ["a,b", "105", "105;9", "1e400,9", "nan,9", ""])
def test_coordinates_that_are_none_refuse_a_kml(told: str) -> None:
    body = f"<Placemark><Point><coordinates>{told}</coordinates></Point></Placemark>"
    rule = rule_of("kml", files.kml(drawn().iloc[:0], body=body))
    assert rule in ("file_is_of_its_format", "crs_is_as_declared")


def test_everything_in_a_drawing_that_is_no_outline_is_counted() -> None:
    ring = list(SQUARE.exterior.coords)
    more = [0, "TEXT", 8, "CHU", 10, 550_000, 20, 1_080_000, 1, "KCN", 0, "LINE", 8, "kcn-a"]
    more += [10, 550_000, 20, 1_080_000, 11, 550_100, 21, 1_080_100]
    content = files.dxf({"kcn-a": [ring], "khac": [ring]}, more=more)
    read = table("dxf", content, part="kcn-a")
    assert rules(read) == [("shape_is_an_outline", "note")]
    assert "3 entities" in read.findings[0].detail
    assert list(read.rows["subject_id"]) == ["kcn-a"]
    assert rule_of("dxf", content, part="none") == "file_is_not_empty"


def test_an_old_drawing_says_its_code_page() -> None:
    ring = list(SQUARE.exterior.coords)
    head = (9, "$ACADVER", 1, "AC1015", 9, "$DWGCODEPAGE", 3, "ANSI_1258")
    content = files.dxf({"TEN": [ring]}, head).replace(
        b"\nTEN\n", "\nRanh gi\u01a1\u0301i\n".encode("cp1258")
    )
    read = table(
        "dxf",
        content,
        encoding="windows-1258",
        columns={"Layer": "note_en", "EntityHandle": ""},
        values={},
    )
    assert read.rows.loc[2, "note_en"] == "Ranh gi\u1edbi"
    assert rule_of("dxf", content) == "encoding_is_as_declared"
    assert rule_of("dxf", files.dxf({"kcn-a": [ring]}, ())) == "encoding_is_as_declared"


def parquet(geo: object, **columns: object) -> bytes:
    told = pa.table({"geometry": [shapely.to_wkb(SQUARE)], **columns})
    out = io.BytesIO()
    pq.write_table(told.replace_schema_metadata({"geo": json.dumps(geo)} if geo else {}), out)
    return out.getvalue()


GEO = {"primary_column": "geometry", "columns": {"geometry": {"encoding": "WKB", "crs": None}}}


def test_parquet_without_a_crs_is_in_degrees_by_its_own_rules_and_null_says_nothing() -> None:
    assert len(table("geoparquet", parquet(GEO, position_id=["a"])).rows) == 1
    bare = {"primary_column": "geometry", "columns": {"geometry": {"encoding": "WKB"}}}
    assert rule_of("geoparquet", parquet(bare, position_id=["a"])) == "crs_is_as_declared"


@pytest.mark.parametrize(
    "geo",
    [
        None,
        5,
        [],
        {},
        {"primary_column": "gone", "columns": {}},
        {"primary_column": "position_id", "columns": {"position_id": {"encoding": "WKB"}}},
        {"primary_column": "geometry", "columns": {"geometry": {"encoding": "point"}}},
    ],
)
def test_a_parquet_that_describes_no_geometry_is_refused(geo: object) -> None:
    assert rule_of("geoparquet", parquet(geo, position_id=["a"])) == "file_is_of_its_format"


def test_values_of_every_type_come_out_as_text_and_bytes_do_not() -> None:
    content = parquet(
        GEO, position_id=[["a", "b"]], note_vi=[b"\x00"], note_en=[{"a": 1}], accuracy_m=[2.5]
    )
    read = table("geoparquet", content)
    assert ("column_is_readable", "note") in rules(read)
    row = read.rows.loc[2]
    assert (row["position_id"], row["note_en"], row["accuracy_m"]) == (
        "['a', 'b']",
        "{'a': 1}",
        "2.5",
    )


@pytest.mark.parametrize("name", LAYER_FORMATS)
def test_more_than_the_limits_allow_is_refused(name: str) -> None:
    content = make(name, drawn(SQUARE, SQUARE))
    for limit, most in (("rows", 1), ("vertices", 9), ("bytes", 100)):
        assert rule_of(name, content, limits={limit: most}) == "file_is_within_limits"


def test_declared_columns_may_be_left_out_and_shared_values_added() -> None:
    told = drawn().drop(columns=["method", "document_ids"]).assign(OBJECTID=1)
    settings = {"columns": {"OBJECTID": ""}, "values": {"method": "surveyed", "document_ids": "s1"}}
    read = table("geojson", make("geojson", told), **settings)
    assert (rules(read), read.rows.loc[2, "method"], read.rows.loc[2, "document_ids"]) == (
        [],
        "surveyed",
        "s1",
    )
    twice = table("geojson", make("geojson", drawn()), values={"method": "osm"})
    assert rules(twice) == [("column_is_there_once", "source")]
    with pytest.raises(SourceError, match="would stand twice"):
        layer("geojson", make("geojson", drawn()), values={"method": "osm"})


def test_shapes_of_several_kinds_stay_what_they_are() -> None:
    shapes = [Point(550_000, 1_080_000), LineString([(550_000, 1_080_000), (550_001, 1_080_000)])]
    told = drawn(SQUARE, *shapes, Polygon())
    for name in ("geojson", "geopackage", "geoparquet"):
        read = table(name, make(name, told))
        kinds = [wkt.partition(" ")[0] for wkt in read.rows["geometry"]]
        assert kinds == ["POLYGON", "POINT", "LINESTRING", ""]
