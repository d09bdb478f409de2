"""Rows that were refused: all of them in the file, the first of them on the page."""

import csv
import dataclasses
import itertools
import json
from pathlib import Path

import pandas as pd

from atlas.csv_file import write_csv
from atlas.listing import LISTED_LETTERS, LISTED_REFUSALS, listed_refusals
from atlas.pages import write_site
from books import small_book
from builds import PROJECT
from geodata.checks import check_sheets
from geodata.findings import findings_table
from geodata.frames import PartWriter, RowFile
from geodata.read import FileRows, Sheet

BROKEN = "POLYGON ((105.5 9.7, 105.6 9.8, 105.6 9.7, 105.5 9.8, 105.5 9.7))"


def in_file(sheet: Sheet, path: Path, rows: int) -> Sheet:
    """Return the sheet with its rows in a file, in groups of so many."""
    with PartWriter(path) as writer:
        for start in range(0, len(sheet.rows), rows):
            writer.add_frame(sheet.rows.iloc[start : start + rows].reset_index())
    return dataclasses.replace(sheet, held=FileRows(path))


def test_refused_rows_of_a_large_sheet_come_part_by_part_and_are_the_same(tree, tmp_path) -> None:
    first = tree.tiny["positions"][0]
    tree.rows(
        "positions",
        [first | {"position_id": f"p.{n}", "geometry": BROKEN} for n in range(7)]
        + tree.tiny["positions"],
    )
    others = [tree.sheet(table) for table in tree.tiny if table != "positions"]
    sheet = tree.sheet("positions")
    whole = list(check_sheets([*others, sheet]).quarantine)
    parts = list(check_sheets([*others, in_file(sheet, tmp_path / "rows.parquet", 3)]).quarantine)
    assert [len(part) for part in parts] == [3, 3, 1]
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), *whole)
    assert {json.loads(text)["geometry"] for text in whole[0]["content"]} == {BROKEN}


def refused(count: int, letters: int) -> pd.DataFrame:
    columns = list(findings_table([]).columns)
    rows = [[f"{name} {n}" for name in columns] for n in range(count)]
    return pd.DataFrame(rows, columns=columns).assign(content="ổ" * letters)


def test_a_page_shows_the_first_refused_rows_and_says_so_where_there_are_more() -> None:
    told = listed_refusals([refused(LISTED_REFUSALS, 3), refused(5, LISTED_LETTERS + 1)])
    assert (len(told.rows), told.count, told.is_cut) == (LISTED_REFUSALS, LISTED_REFUSALS + 5, True)
    told = listed_refusals([refused(2, 3), refused(3, LISTED_LETTERS)])
    assert ([row["row"] for row in told.rows], told.count, told.is_cut) == (
        ["row 0", "row 1", "row 0", "row 1", "row 2"],
        5,
        False,
    )
    told = listed_refusals([refused(2, LISTED_LETTERS + 1)])
    assert (told.rows[0]["content"], told.is_cut) == ("ổ" * LISTED_LETTERS + "…", True)


def test_thousands_of_long_refused_rows_make_a_page_that_opens_and_a_file_that_is_whole(
    tmp_path: Path,
) -> None:
    path = tmp_path / "quarantine.parquet"
    with PartWriter(path) as writer:
        for part in itertools.repeat(refused(1_000, 10_000), 3):
            writer.add_frame(part.astype("str"))
    write_csv(RowFile(path), tmp_path / "quarantine.csv", ())
    with (tmp_path / "quarantine.csv").open(encoding="utf-8") as file:
        assert [len(row[-1]) for row in csv.reader(file)][1:] == [10_000] * 3_000
    book = dataclasses.replace(small_book(), quarantine=RowFile(path))
    write_site(book, tmp_path / "site", PROJECT / "site")
    page = (tmp_path / "site" / "vi" / "status" / "index.html").read_text(encoding="utf-8")
    assert len(page) < 500_000
    assert page.count("key 199") == 1
    assert "200 dòng đầu trong số 3.000 dòng" in page
