"""Workbook, CSV for Excel and GIS files: readable, inert, and the same bytes each time."""

import csv
import dataclasses
import datetime
import io
import zipfile
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pyogrio
import pytest
from shapely import LineString, Point

import books
from atlas.csv_file import write_vietnamese_csv
from atlas.downloads import write_downloads
from atlas.formats import (
    CELL_LENGTH,
    TOO_LONG,
    dictionary,
    dictionary_columns,
    is_number_cell,
    layer_frame,
    write_layers,
    write_workbook,
)
from atlas.records import Book
from geodata.schema import TABLE, TABLES, Column
from hostile import HOSTILE

SITE = "https://atlas.example/"
BINARY = {".xlsx", ".gpkg", ".fgb", ".parquet"}
FORMULAS = ("=1+1", "+84 293", "-a", "@SUM(A1)", "\t=1", "'=1", '=HYPERLINK("https://x.example")')


def tables(name: str, *rows: dict[str, str]) -> dict[str, pd.DataFrame]:
    return books.tables() | {name: books.table(name, *rows)}


def workbook(path: Path, told: dict[str, pd.DataFrame]) -> openpyxl.Workbook:
    write_workbook(told, path, [("=1", "@about")])
    return openpyxl.load_workbook(path)


def whole_book() -> Book:
    """The small book with all that the commune layer tells."""
    book = books.small_book()
    named = book.communes.assign(code="31366", name_vi="Châu Thành", name_en="Châu Thành")
    return dataclasses.replace(book, communes=named)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("formats")
    write_downloads(whole_book(), out, SITE)
    return out / "data"


def test_the_workbook_has_a_sheet_for_every_table_with_vietnamese_titles(tmp_path: Path) -> None:
    book = workbook(tmp_path / "a.xlsx", books.tables())
    assert book.sheetnames == ["README", "dictionary", *(table.name for table in TABLES)]
    for table in TABLES:
        titles, names = ([c.value for c in row] for row in book[table.name].iter_rows(1, 2))
        assert titles[:-1] == [column.vi for column in table.columns]
        assert names == [*table.column_names, "source_id"]


@pytest.mark.parametrize("text", [*FORMULAS, HOSTILE.replace("\u2028", " ")])
def test_no_text_is_or_becomes_a_formula(tmp_path: Path, text: str) -> None:
    told = tables("agencies", {"agency_id": "a", "name_vi": text})
    book = workbook(tmp_path / "a.xlsx", told)
    cell = book["agencies"]["B3"]
    assert (cell.data_type, cell.value) == ("s", text)
    if text in FORMULAS:
        assert cell.quotePrefix
    kinds = {c.data_type for sheet in book for row in sheet.iter_rows() for c in row}
    assert "f" not in kinds
    assert not [h for sheet in book for row in sheet.iter_rows() for c in row if (h := c.hyperlink)]


def test_numbers_are_numbers_codes_stay_text_and_flags_are_truths(tmp_path: Path) -> None:
    book = workbook(tmp_path / "a.xlsx", books.tables())
    communes, plan, targets = (book[n] for n in ("communes", "funding_plan", "targets"))
    row = {c.value: communes[f"{c.column_letter}3"].value for c in communes[2]}
    assert (row["code"], row["longitude"]) == ("31366", 105.83602)
    amounts = [r[8].value for r in plan.iter_rows(3)]
    assert amounts == [113062.026, 100000.001, 13062.025]
    assert targets["F3"].value is False


@pytest.mark.parametrize(
    ("cell", "kind", "expected"),
    [
        ("12", "integer", True),
        ("-0.5", "number", True),
        ("113062.026", "decimal", True),
        ("0123", "text", False),
        ("0123", "number", False),
        ("1e5", "number", False),
        ("", "number", False),
        ("1234567890.123456", "decimal", False),
    ],
)
def test_a_cell_is_a_number_only_where_nothing_of_it_is_lost(
    cell: str, kind: str, expected: bool
) -> None:
    assert is_number_cell(cell, Column("x", kind, "x", "x")) is expected


def test_the_value_of_a_claim_is_a_number_where_it_is_one(tmp_path: Path) -> None:
    rows = ({"claim_id": "a", "value": "146.54"}, {"claim_id": "b", "value": "Công ty X"})
    sheet = workbook(tmp_path / "a.xlsx", tables("claims", *rows))["claims"]
    assert [r[5].value for r in sheet.iter_rows(3)] == [146.54, "Công ty X"]


def test_a_text_too_long_for_a_cell_says_where_it_stands(tmp_path: Path) -> None:
    long = {"agency_id": "a", "name_vi": "x" * (CELL_LENGTH + 1), "name_en": "x" * CELL_LENGTH}
    sheet = workbook(tmp_path / "a.xlsx", tables("agencies", long))["agencies"]
    assert sheet["B3"].value == TOO_LONG
    assert len(sheet["C3"].value) == CELL_LENGTH


def test_the_dictionary_tells_every_column_in_both_languages() -> None:
    told = dictionary()
    assert list(told.columns) == [column.name for column in dictionary_columns()]
    assert len(told) == sum(len(table.columns) + 1 for table in TABLES)
    assert (told[["meaning_vi", "meaning_en", "table_vi", "table_en"]] != "").all(axis=None)
    year = told[(told["table"] == "funding_plan") & (told["column"] == "year")].iloc[0]
    assert (year["minimum"], year["maximum"], year["required"]) == ("2021", "2025", "false")


def test_csv_for_excel_opens_as_a_vietnamese_excel_reads_it(data: Path) -> None:
    content = (data / "csv-excel" / "funding_plan.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))
    assert [row["amount"] for row in rows] == ["113062,026", "100000,001", "13062,025"]
    assert rows[0]["name_vi"] == "Khoản f0"


@pytest.mark.parametrize("text", [*FORMULAS, "a;b", 'a"b', "a\nb", "a\tb", "1,5"])
def test_csv_for_excel_keeps_text_in_its_cell_and_guards_formulas(
    tmp_path: Path, text: str
) -> None:
    told = books.table("agencies", {"agency_id": "a", "name_vi": text})
    write_vietnamese_csv([told], tmp_path / "told.csv", TABLE["agencies"].columns)
    lines = (tmp_path / "told.csv").read_bytes().decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(lines, newline=""), delimiter=";")
    assert row["name_vi"] == (f"'{text}" if text in FORMULAS else text)


def test_every_gis_format_holds_the_same_records(data: Path) -> None:
    for name in ("places", "routes", "communes"):
        read = [
            gpd.read_file(data / "hau-giang-atlas.gpkg", layer=name),
            gpd.read_file(data / f"{name}.fgb"),
            gpd.read_parquet(data / f"{name}.parquet"),
        ]
        key = "unit_id" if name == "communes" else "id"
        expected = sorted(gpd.read_file(data / f"{name}.geojson")[key])
        for layer in read:
            assert sorted(layer[key]) == expected
            assert layer.crs == "EPSG:4326"
    area = gpd.read_file(data / "places.fgb").set_index("id")["area_ha"]
    assert area["kcn-a"] == 380
    assert pd.isna(area["log-b"])


def test_points_lines_and_records_without_position_share_a_layer(tmp_path: Path) -> None:
    shapes = [Point(105, 9), None, LineString([(105, 9), (106, 10)])]
    layer = layer_frame([{"id": name} for name in "abc"], shapes)
    write_layers({"x": [layer.iloc[:2], layer.iloc[2:]]}, tmp_path, "2026-11-22")
    package = gpd.read_file(tmp_path / "hau-giang-atlas.gpkg").set_index("id").geometry
    assert package["a"] == shapes[0]
    assert package["b"] is None
    assert sorted(gpd.read_file(tmp_path / "x.fgb")["id"]) == ["a", "c"]
    assert gpd.read_parquet(tmp_path / "x.parquet").geometry[2] == shapes[2]


def test_a_layer_of_nothing_is_written_too(tmp_path: Path) -> None:
    write_downloads(books.small_book(places=(), routes=(), communes=None), tmp_path, SITE)
    layers = pyogrio.list_layers(tmp_path / "data" / "hau-giang-atlas.gpkg")
    assert [name for name, _ in layers] == ["places", "routes"]


def test_the_same_book_gives_the_same_bytes_in_every_format(data: Path, tmp_path: Path) -> None:
    write_downloads(whole_book(), tmp_path, SITE)
    files = [p for p in sorted(data.rglob("*")) if p.is_file()]
    assert {path.suffix for path in files} >= BINARY
    for path in files:
        assert (tmp_path / "data" / path.relative_to(data)).read_bytes() == path.read_bytes()


def test_no_clock_goes_into_the_workbook_and_the_package(data: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(data / "hau-giang-atlas.xlsx") as file:
        assert {one.date_time[0] for one in file.infolist()} == {1980}
        assert b"2021-01-01" in file.read("docProps/core.xml")
    later = dataclasses.replace(whole_book(), as_of=datetime.date(2026, 11, 1))
    write_downloads(later, tmp_path, SITE)
    assert b"2026-11-01T00:00:00" in (tmp_path / "data" / "hau-giang-atlas.gpkg").read_bytes()
