"""Every published file: well-formed, exact, and inert in whatever program opens it."""

import csv
import dataclasses
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import geopandas as gpd
import pandas as pd
import pytest
from shapely import LineString, MultiPolygon, Point, Polygon, box
from shapely.geometry import shape

import books
from atlas.csv_file import guard_cell, write_csv
from atlas.downloads import (
    SITEMAP,
    sitemap,
    write_downloads,
)
from atlas.metadata import datapackage
from atlas.records import Book
from geodata.schema import TABLE, TABLES
from hostile import HOSTILE, hostile_book

SITE = "https://atlas.example/a&b/"
CLOCKWISE = Polygon(
    [(105.5, 9.8), (105.5, 9.9), (105.6, 9.9), (105.6, 9.8)],
    holes=[[(105.52, 9.82), (105.54, 9.82), (105.54, 9.84), (105.52, 9.84)]],
)
COMMUNES = gpd.GeoDataFrame(
    {"unit_id": ["com-1"], "code": ["00001"], "name_vi": ["Vị Thanh"], "name_en": ["Vi Thanh"]},
    geometry=[MultiPolygon([CLOCKWISE, box(106, 9, 106.1234567891, 9.1)])],
    crs="EPSG:4326",
)


@pytest.fixture(scope="module")
def book() -> Book:
    return books.small_book(communes=COMMUNES)


@pytest.fixture(scope="module")
def out(book: Book, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("downloads")
    write_downloads(book, folder, SITE)
    return folder


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    communes = COMMUNES.assign(name_vi=HOSTILE)
    write_downloads(dataclasses.replace(hostile_book(), communes=communes), folder, SITE)
    return folder


def strictly(path: Path) -> dict[str, object]:
    """Parse JSON as browsers do: NaN and Infinity are no JSON."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{path.name} holds {name}")

    return dict(json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse))


def read_rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, strict=True))


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+84 293 123",
        "-xin chào",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "=",
        "-",
        "--1",
        "+1-1",
        "-1e",
        '=HYPERLINK("https://evil.example")',
        "'=1",
        "''-a",
    ],
)
def test_text_that_a_spreadsheet_would_run_gets_a_quote(text: str) -> None:
    assert guard_cell(text) == f"'{text}"


@pytest.mark.parametrize(
    "cell",
    ["-5", "+5", "-0", "-1.50", "-1e400", "", "KCN A", "'tis", " =1", "1-2", "a=b", "−5", 7, None],
)
def test_numbers_and_plain_text_stay_as_they_are(cell: object) -> None:
    assert guard_cell(cell) is cell


def test_a_cell_of_a_number_column_is_never_touched(tmp_path: Path) -> None:
    frame = pd.DataFrame({"longitude": ["-x"], "name_vi": ["-x"], "valid_from": ["-x"]})
    write_csv([frame], tmp_path / "t.csv", TABLE["communes"].columns)
    assert read_rows(tmp_path / "t.csv")[1] == ["-x", "'-x", "-x"]


def test_no_break_or_quote_in_a_cell_starts_a_new_cell_or_row(tmp_path: Path) -> None:
    cells = ["a\r=1+1", 'a"b', "a,b", "a\nb", "\u2028", '"', "a\r\nb", ""]
    write_csv([pd.DataFrame([cells, cells])], tmp_path / "t.csv", ())
    assert read_rows(tmp_path / "t.csv")[1:] == [cells, cells]


def test_a_table_without_rows_is_its_header(tmp_path: Path) -> None:
    write_csv([pd.DataFrame(columns=["a", "b"])], tmp_path / "t.csv", ())
    assert (tmp_path / "t.csv").read_bytes() == b"a,b\n"


def test_every_stable_output_is_there(out: Path, book: Book) -> None:
    expected = {"changes.json", "data/quarantine.csv", "data/datapackage.json"}
    expected |= {f"data/{folder}{t.name}.csv" for t in TABLES for folder in ("", "csv-excel/")}
    expected |= {
        f"data/{name}.{ending}"
        for name in ("places", "routes", "communes")
        for ending in ("geojson", "fgb", "parquet")
    }
    expected |= {f"data/hau-giang-atlas.{ending}" for ending in ("xlsx", "gpkg")}
    expected |= {"data/dictionary.csv", "data/history.csv", "data/oc4ids.json"}
    expected |= {"data/schema/record.json", "data/totals.json"}
    expected |= {f"data/oc4ids/{name}.json" for name in ("kcn-a", "exp-d")}
    expected |= {f"data/{r.table}/{r.subject_id}.json" for r in book.records}
    assert {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()} == expected


def test_the_same_book_gives_the_same_bytes(out: Path, book: Book, tmp_path: Path) -> None:
    write_downloads(book, tmp_path, SITE)
    for path in (p for p in out.rglob("*") if p.is_file()):
        assert (tmp_path / path.relative_to(out)).read_bytes() == path.read_bytes()


def test_a_book_without_communes_publishes_no_commune_layer(tmp_path: Path) -> None:
    write_downloads(books.bare_book(), tmp_path, SITE)
    assert not (tmp_path / "data" / "communes.geojson").exists()
    layers = [r["path"] for r in strictly(tmp_path / "data" / "datapackage.json")["resources"]]
    assert "routes.geojson" in layers
    assert "communes.geojson" not in layers


def test_the_fields_of_the_data_package_are_the_headers_of_the_files(out: Path) -> None:
    package = strictly(out / "data" / "datapackage.json")
    tables = {r["path"]: r for r in package["resources"] if r["format"] == "csv"}
    assert set(tables) == {f"{t.name}.csv" for t in TABLES}
    for path, resource in tables.items():
        names = [f["name"] for f in resource["schema"]["fields"]]
        assert names == read_rows(out / "data" / path)[0]
        assert set(resource["schema"]["primaryKey"]) <= set(names)


def test_the_data_package_tells_the_size_and_the_checksum_of_each_file(out: Path) -> None:
    for resource in strictly(out / "data" / "datapackage.json")["resources"]:
        content = (out / "data" / resource["path"]).read_bytes()
        assert resource["bytes"] == len(content)
        assert resource["hash"] == "sha256:" + hashlib.sha256(content).hexdigest()
        assert re.fullmatch(r"[a-z0-9.-]+", resource["name"])


def test_the_data_package_keeps_limits_vocabularies_and_licences(book: Book, out: Path) -> None:
    package = datapackage(book, out / "data")
    fields = {
        (r["name"], f["name"]): f
        for r in package["resources"]
        if "schema" in r
        for f in r["schema"]["fields"]
    }
    assert fields["funding-plan", "year"]["constraints"] == {
        "required": False,
        "minimum": 2021,
        "maximum": 2025,
    }
    assert fields["funding-plan", "amount"]["type"] == "number"
    assert "" not in fields["claims", "qualifier"]["constraints"]["enum"]
    assert fields["claims", "as_of"]["type"] == "string"
    assert [one["title"] for one in package["licenses"]] == ["MIT", "ODbL 1.0"]
    linked = books.source("zones", licence_url="https://licence.example/")
    states = tuple(dataclasses.replace(s, source=linked) for s in book.sources[:1])
    told = datapackage(dataclasses.replace(book, sources=states), out / "data")
    assert told["sources"] == [{"title": "Source zones", "path": "https://licence.example/"}]


def features(path: Path) -> dict[str, dict[str, object]]:
    return {f["id"]: f for f in strictly(path)["features"]}


def test_every_record_is_one_feature_and_geopandas_reads_them(out: Path, book: Book) -> None:
    for name, records in (("places", book.places), ("routes", book.routes)):
        layer = gpd.read_file(out / "data" / f"{name}.geojson")
        assert list(layer["id"]) == [r.subject_id for r in records]
        assert layer.crs == "EPSG:4326"
        assert list(layer["name_vi"]) == [r.name_vi for r in records]


def test_a_feature_tells_its_facts_stage_and_position(out: Path) -> None:
    told = features(out / "data" / "places.geojson")["kcn-a"]["properties"]
    assert (told["area_ha"], told["area_ha_as_of"]) == (380.0, "2025-12-04")
    assert (told["stage_id"], told["stage_group"]) == ("park.operating", "operating")
    assert (told["method"], told["accuracy_m"]) == ("commune_point", 6200)
    assert told["commune_ids"] == "com-31366"
    road = features(out / "data" / "routes.geojson")["exp-d"]["properties"]
    assert (road["length_km"], road["length_km_claimed"]) == (24.61, 188.2)


def test_a_record_without_position_stage_or_number_is_a_feature_all_the_same(
    tmp_path: Path,
) -> None:
    words = books.fact("area_ha", books.claim("rộng", is_number=False))
    lone = books.record("kcn-x", "industrial_park", facts=(words,))
    write_downloads(books.small_book(places=(lone,), communes=None), tmp_path, SITE)
    found = features(tmp_path / "data" / "places.geojson")["kcn-x"]
    assert found["geometry"] is None
    assert found["properties"]["stage_id"] == ""
    assert "area_ha" not in found["properties"]
    assert "method" not in found["properties"]


def test_a_book_of_nothing_is_published_too(tmp_path: Path) -> None:
    write_downloads(books.small_book(places=(), routes=(), communes=None), tmp_path, SITE)
    assert features(tmp_path / "data" / "places.geojson") == {}


def numbers_in(told: object) -> Iterator[float]:
    if isinstance(told, list):
        for part in told:
            yield from numbers_in(part)
    else:
        assert isinstance(told, float)
        yield told


def test_coordinates_have_at_most_six_decimals(out: Path) -> None:
    for path in sorted(out.rglob("*.geojson")):
        for one in features(path).values():
            for number in numbers_in(one["geometry"]["coordinates"]):
                assert round(number, 6) == number
                assert len(repr(number).partition(".")[2]) <= 6


def test_polygons_follow_the_right_hand_rule(out: Path) -> None:
    geometry = shape(features(out / "data" / "communes.geojson")["com-1"]["geometry"])
    for polygon in geometry.geoms:
        assert polygon.exterior.is_ccw
        assert not any(hole.is_ccw for hole in polygon.interiors)
    assert len(geometry.geoms[0].interiors) == 1


@pytest.mark.parametrize(
    "geometry",
    [
        Point(105.123456789, 9.8),
        LineString([(105, 9), (105.1, 9.1)]),
        CLOCKWISE,
        Polygon([(105, 9, 3), (105, 10, 3), (106, 10, 3)]),
    ],
)
def test_every_shape_of_a_position_reads_back(geometry: object, tmp_path: Path) -> None:
    lone = books.record(
        "kcn-x", "industrial_park", position=books.position(geometry, "surveyed", 5)
    )
    write_downloads(books.small_book(places=(lone,), communes=None), tmp_path, SITE)
    path = tmp_path / "data"
    found = shape(features(path / "places.geojson")["kcn-x"]["geometry"])
    assert found.hausdorff_distance(geometry) < 1e-6
    assert not found.has_z
    assert shape(strictly(path / "places" / "kcn-x.json")["position"]["geometry"]) == found


def test_a_record_keeps_its_exact_amounts_as_text(out: Path) -> None:
    told = strictly(out / "data" / "places" / "kcn-a.json")
    assert [m["amount"] for m in told["money"]] == ["5569", "23.60"]
    assert (told["edition"], told["as_of"]) == ("2026-11-22-abcdef0", "2026-11-22")
    assert told["position"]["drawn_at"] == [105.84, 9.95]
    assert told["promises"][0]["baseline"]["due_on"] == "2024"
    assert told["stage"]["act"]["document_id"] == "s1"


def test_a_record_file_holds_every_field_of_the_record(out: Path, book: Book) -> None:
    for record in book.records:
        told = strictly(out / "data" / record.table / f"{record.subject_id}.json")
        fields = {f.name for f in dataclasses.fields(record)}
        assert set(told) == fields | {"edition", "as_of"}


def test_hostile_text_stays_text_in_every_json_and_csv(hostile: Path) -> None:
    for path in (*hostile.rglob("*.json"), *hostile.rglob("*.geojson")):
        strictly(path)
    place = features(hostile / "data" / "places.geojson")["kcn-a"]["properties"]
    assert place["name_vi"] == HOSTILE
    for path in sorted((hostile / "data").glob("*.csv")):
        rows = read_rows(path)
        assert {len(row) for row in rows} == {len(rows[0])}
        cells = [cell for row in rows for cell in row]
        assert not [c for c in cells if c.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_a_formula_in_the_quarantine_is_guarded_too(tmp_path: Path, book: Book) -> None:
    (part,) = book.quarantine
    refused = part.assign(key="=cmd|' /C calc'!A0", detail="\r=1")
    write_downloads(dataclasses.replace(book, quarantine=[refused]), tmp_path, SITE)
    header, row = read_rows(tmp_path / "data" / "quarantine.csv")
    assert row[header.index("key")] == "'=cmd|' /C calc'!A0"
    assert row[header.index("detail")] == "'\r=1"


def test_the_sitemap_lists_every_page_and_is_well_formed_even_with_hostile_names(
    tmp_path: Path, book: Book
) -> None:
    names = ["vi", "en/a&b <c>", "vi/Vị Thanh", "vi/\x07bell", "vi/100%#?"]
    for name in names:
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "index.html").touch()
    (tmp_path / "404.html").touch()
    urls = ElementTree.fromstring(sitemap(tmp_path, SITE, book))
    told = [url.findtext(f"{{{SITEMAP}}}loc") for url in urls]
    assert f"{SITE}en/a%26b%20%3Cc%3E/index.html" in told
    assert f"{SITE}vi/100%25%23%3F/index.html" in told
    assert len(told) == len(names)
    assert {url.findtext(f"{{{SITEMAP}}}lastmod") for url in urls} == {"2026-11-22"}
    assert all(re.fullmatch(r"[!-~]+", loc) for loc in told)


def test_a_site_without_pages_has_an_empty_sitemap(tmp_path: Path, book: Book) -> None:
    assert len(ElementTree.fromstring(sitemap(tmp_path, SITE, book))) == 0
