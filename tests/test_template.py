"""The template as a file: what it asks, checks, locks and never holds."""

import datetime
import re
import subprocess
import zipfile
from pathlib import Path

import openpyxl
import pytest

from atlas.template import Wanted
from flows.template import write_template as write_from_edition
from geodata.errors import UsageError
from geodata.inbox import Workbook
from geodata.read import Sheet
from geodata.workbook import COVER, FIRST_ROW, HEADER_ROW, LISTS, PAGES
from planners import Desk, columns_of, fill, first_blank, results, sign, write_template

LEASED = {"subject_id": "kcn-a", "measure": "area_leased_ha", "as_of": datetime.date(2025, 9, 30)}


@pytest.fixture
def base(tree) -> list[Sheet]:
    return [tree.sheet(table) for table in tree.tiny]


@pytest.fixture
def book(base, tmp_path: Path) -> openpyxl.Workbook:
    return openpyxl.load_workbook(write_template(tmp_path / "t.xlsx", base))


def test_the_template_has_a_sheet_a_table_with_vietnamese_titles_and_english_below(book) -> None:
    assert book.sheetnames == [COVER, *(page.vi for page in PAGES), LISTS]
    for page in PAGES:
        titles = columns_of(book[page.vi])
        assert set(titles) == {"Mã dòng", "Mã kiểm", *(c.vi for c in page.columns)}
        assert book[page.vi].cell(HEADER_ROW + 1, 2).value == page.columns[0].en
        assert book[page.vi].freeze_panes == "C5"
        assert book[page.vi].protection.sheet
        assert book[page.vi].protection.password is None
        assert book[page.vi].print_title_rows == "$3:$4"


def test_known_rows_are_locked_and_grey_and_empty_rows_are_open(book) -> None:
    sheet = book["Vốn"]
    known, blank = sheet.cell(FIRST_ROW, 2), sheet.cell(first_blank(sheet), 2)
    assert sheet.cell(FIRST_ROW, 1).value == "kcn-a.money.1"
    assert (known.protection.locked, known.fill.fgColor.rgb) == (True, "FFE9ECEC")
    assert not blank.protection.locked
    amount = sheet.cell(FIRST_ROW, columns_of(sheet)["Số tiền"])
    assert (amount.value, amount.data_type) == (1200.5, "n")
    day = sheet.cell(FIRST_ROW, columns_of(sheet)["Ngày"])
    assert (day.value, day.number_format) == (datetime.datetime(2022, 3, 4), "dd/mm/yyyy")


def test_excel_itself_checks_lists_numbers_and_dates_in_vietnamese(book) -> None:
    kinds = {}
    for page in PAGES:
        for rule in book[page.vi].data_validations.dataValidation:
            kinds[page.name, str(rule.sqref).split(":")[0]] = rule
            assert rule.errorTitle == "Xin kiểm tra ô này"
            assert len(rule.error) < 255
    found = {(name, rule.type) for (name, _), rule in kinds.items()}
    assert {("occupancy", "list"), ("occupancy", "decimal"), ("occupancy", "date")} <= found
    assert ("stage_events", "custom") in found
    lists = [r.formula1 for (name, _), r in kinds.items() if name == "stage_events"]
    assert any("OFFSET(buoc_dau" in rule and "VLOOKUP($B" in rule for rule in lists)
    agencies = book[COVER].data_validations.dataValidation[0]
    assert agencies.formula1.startswith(f"'{LISTS}'!")


def test_every_list_of_the_template_shows_names_with_their_ids(book) -> None:
    titles = [c.value for c in book[LISTS][1]]
    words = {str(c.value) for row in book[LISTS].iter_rows(min_row=2) for c in row if c.value}
    assert {"Địa điểm và tuyến", "Bước tiến độ", "Cơ quan", "Văn bản"} <= set(titles)
    assert {"Tên [kcn-a]", "Tên [park.operating]", "Vốn giải ngân [disbursed]", "tỷ đồng"} <= words
    assert set(book.defined_names) >= {
        "dia_diem",
        "buoc_dau",
        "truc",
        "bang",
        "cot_dau",
        "cot_bang",
    }


def test_the_same_tables_give_the_same_bytes(base, tmp_path: Path) -> None:
    one, other = (write_template(tmp_path / f"{n}.xlsx", base) for n in (1, 2))
    assert one.read_bytes() == other.read_bytes()


def test_no_text_of_the_data_becomes_a_formula(tree, tmp_path: Path) -> None:
    evil = '=HYPERLINK("http://x.example","x")'
    tree.set("places", 0, name_vi=evil, aliases="+1;@sum")
    tree.set("money_events", 0, note_vi="-2+3")
    path = write_template(tmp_path / "t.xlsx", [tree.sheet(table) for table in tree.tiny])
    with zipfile.ZipFile(path) as packed:
        sheets = [n for n in packed.namelist() if n.startswith("xl/worksheets/sheet")]
        assert len(sheets) == len(PAGES) + 2
        assert not any(re.search(rb"<f[ >]", packed.read(name)) for name in sheets)
        assert not any("hyperlink" in name.lower() for name in packed.namelist())
    shown = openpyxl.load_workbook(path)["Vốn"].cell(FIRST_ROW, 2)
    assert (shown.value, shown.data_type) == (f"{evil} [kcn-a]", "s")
    assert shown.quotePrefix


def test_one_place_and_one_agency_narrow_what_is_known(base, tmp_path: Path) -> None:
    path = write_template(tmp_path / "t.xlsx", base, subject="ccn-b", agency="so-a")
    book = openpyxl.load_workbook(path)
    assert not book["Vốn"].cell(FIRST_ROW, 1).value
    cover = {str(row[0].value): row[1].value for row in book[COVER].iter_rows(max_col=2)}
    assert cover["Cơ quan *"] == "Tên [so-a]"
    assert cover["Ấn bản làm mẫu"] == "edition-1"


def test_a_workbook_saved_by_libreoffice_says_the_same(base, tmp_path: Path) -> None:
    """It writes other styles, drops quotes and turns dates about; the rows stay the rows."""
    rows = {
        "occupancy": [LEASED | {"value": "60,5"}, LEASED | {"value": "x", "as_of": "2024"}],
        "money_events": [{"subject_id": "Tên [kcn-a]", "kind": "Vốn giải ngân [disbursed]",
                          "fund": "private", "amount": 12.5, "unit": "tỷ đồng",
                          "on": datetime.date(2025, 6, 30)}],
    }  # fmt: skip
    plain, office = Desk(tmp_path / "plain", base), Desk(tmp_path / "office", base)
    path = plain.drop("a.xlsx", rows)
    office.folder.mkdir(parents=True)
    home = f"-env:UserInstallation=file://{tmp_path / 'home'}"
    command = [
        "soffice",
        home,
        "--headless",
        "--convert-to",
        "xlsx",
        "--outdir",
        str(office.folder),
    ]
    done = subprocess.run([*command, str(path)], capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert (office.folder / "a.xlsx").read_bytes() != path.read_bytes()
    plain.take()
    office.take()
    assert told(office.taken[0]) == told(plain.taken[0])
    assert len(office.taken[0].rows) == 3
    assert results(office.answer(office.folder / "a.xlsx"), "occupancy")[7].startswith("Chưa nhận")


def told(workbook: Workbook) -> list[tuple[str, int, dict, list[str]]]:
    return [
        (r.page, r.row, {k: v for k, v in r.values.items() if k != "claim_id"},
         [why.rule for why in r.reasons])
        for r in workbook.rows
    ]  # fmt: skip


def test_an_answer_looks_the_same_each_time_and_holds_no_formula(base, tmp_path: Path) -> None:
    desk = Desk(tmp_path / "root", base)
    book = desk.open_template()
    sign(book, "=cmd|'/c calc'!A1", "@so", datetime.date(2026, 11, 20))
    fill(book, {"occupancy": [LEASED | {"value": "=1+1", "note_vi": "=cmd|' /C calc'!A0"}]})
    path = desk.save(book, "a.xlsx")
    desk.take()
    with zipfile.ZipFile(path.with_name("a.answer.xlsx")) as packed:
        sheets = [n for n in packed.namelist() if n.startswith("xl/worksheets/sheet")]
        assert not any(re.search(rb"<f[ >]", packed.read(name)) for name in sheets)


def test_a_template_needs_an_edition_and_ids_that_are_known(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="run atlas refresh first"):
        write_from_edition(tmp_path, tmp_path / "t.xlsx", Wanted())


def test_a_name_that_hides_a_mark_is_no_signature(base, tmp_path: Path) -> None:
    desk = Desk(tmp_path / "root", base)
    desk.drop("a.xlsx", {"occupancy": [LEASED | {"value": 60}]}, author="An\u202e")
    desk.take()
    (workbook,) = desk.taken
    assert workbook.accepted == ()
    assert {why.rule for row in workbook.rejected for why in row.reasons} >= {"text_is_clean"}
