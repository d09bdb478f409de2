"""Workbooks are dropped, taken once, answered row by row, corrected and set side by side."""

import contextlib
import datetime
import os
import shutil
import signal
import sys
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Tree

import flows.inbox
from flows.inbox import answer_path
from geodata.audit import audit
from geodata.checks import Checked, check_sheets
from geodata.claims import resolve
from geodata.inbox import quarantined, refusals
from geodata.voices import Combined, combine
from geodata.workbook import FIRST_ROW, HEADER_ROW, PAGE
from planners import Desk, columns_of, fill, results, sign

LEASED = {"subject_id": "kcn-a", "measure": "area_leased_ha", "as_of": datetime.date(2025, 9, 30)}


@pytest.fixture(scope="module")
def new_desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk with a fresh template, which nobody fills in."""
    folder = tmp_path_factory.mktemp("desk")
    tree = Tree.planted(folder / "sources")
    desk = Desk(folder / "root", [tree.sheet(table) for table in tree.tiny])
    desk.open_template()
    return desk


@pytest.fixture
def desk(new_desk: Desk, tmp_path: Path) -> Desk:
    return Desk(Path(shutil.copytree(new_desk.root, tmp_path / "root")), new_desk.base)


def combined(desk: Desk) -> Combined:
    return combine(desk.base, desk.taken)


def said(desk: Desk) -> tuple[Callable[..., list[str]], Checked]:
    """Check all that stands, and return what reads the workbooks' cells of a table in it."""
    checked = check_sheets(combined(desk).sheets)

    def values(table: str, column: str = "value") -> list[str]:
        rows = checked.tables[table]
        return list(rows.loc[rows["source_id"].str.startswith("inbox_"), column])

    return values, checked


def reasons(desk: Desk, at: int = 0) -> list[tuple[str, int, str, str]]:
    workbook = desk.taken[at]
    return [(r.page, r.row, w.column, w.rule) for r in workbook.rejected for w in r.reasons]


def test_an_accepted_row_tells_who_said_it_when_and_in_which_cell(desk: Desk) -> None:
    desk.drop("a.xlsx", {"occupancy": [LEASED | {"value": 60.5, "note_vi": "Quý ba"}]})
    assert desk.take() == []
    checked = check_sheets(combined(desk).sheets)
    assert not [f for f in checked.findings if f.severity != "note"]
    rows = checked.tables["claims"]
    (row,) = rows[rows["source_id"].str.startswith("inbox_")].to_dict("records")
    assert (row["value"], row["unit"], row["as_of"]) == ("60.5", "ha", "2025-09-30")
    assert row["note_vi"] == "Quý ba. Trang “Lấp đầy”, ô F6."
    assert row["note_en"] == "“Quý ba” Sheet “Lấp đầy”, cell F6."
    documents = checked.tables["documents"].set_index("document_id")
    told = documents.loc[row["document_ids"]]
    assert (told["publisher"], told["published_on"], told["kind"]) == (
        "Tên",
        "2026-11-20",
        "workbook",
    )
    assert told["note_vi"] == "Người nộp: Nguyễn Văn An"
    assert row["line"] == 6


def test_every_sheet_of_the_template_is_taken(desk: Desk) -> None:
    desk.drop(
        "a.xlsx",
        {
            "stage_events": [{"subject_id": "kcn-a", "stage_id": "park.operating", "on": "6/2025"}],
            "money_events": [
                {"subject_id": "kcn-a", "kind": "disbursed", "fund": "private", "amount": "1.250,5",
                 "unit": "tỷ đồng", "on": datetime.date(2025, 6, 30), "act_id": "QĐ 99"}
            ],
            "milestones": [
                {"subject_id": "kcn-a", "promise_id": "kcn-a.open", "due_on": "2027"},
                {"subject_id": "kcn-a", "promise_id": "Xong nhà máy nước", "due_on": "12/2026"},
            ],
            "occupancy": [LEASED | {"value": 60}],
            "indicators": [{"series_id": "kpi-a", "period": 2025, "value": "12,5",
                            "as_of": datetime.date(2026, 1, 15)}],
            "duty_reports": [{"duty_id": "s1-d1", "period": "2025",
                              "done_on": datetime.date(2025, 11, 10)}],
            "corrections": [{"table": "money_events", "key": "kcn-a.money.1", "column": "amount",
                             "was": 1200.5, "now": "1.300,25", "why": "In sai"}],
        },
    )  # fmt: skip
    desk.take()
    assert reasons(desk) == []
    values, checked = said(desk)
    assert values("stage_events", "on") == ["2025-06"]
    assert values("money_events", "amount") == ["1250.5"]
    assert values("money_events", "note_vi")[0].startswith("Văn bản: QĐ 99.")
    assert sorted(values("milestones", "due_on")) == ["2026-12", "2027"]
    assert values("indicators") == ["12.5"]
    assert values("duty_reports", "agency_id") == ["so-a"]
    assert not [f for f in checked.findings if f.severity != "note"]
    money = checked.tables["money_events"].set_index("money_id").loc["kcn-a.money.1"]
    assert money["amount"] == "1300.25"
    assert money["document_ids"].split(";")[-1] == desk.taken[0].document_id
    assert "Đính chính “1200.5” thành “1300.25”: In sai" in money["note_vi"]


def test_the_same_workbook_twice_changes_nothing(desk: Desk) -> None:
    path = desk.drop("a.xlsx", {"occupancy": [LEASED | {"value": 60}]})
    desk.take()
    before = [w.judgement for w in desk.taken]
    shutil.copy(path, path.with_name("b.xlsx"))
    desk.take()
    assert [w.judgement for w in desk.taken] == before
    assert answer_path(path.with_name("b.xlsx")).is_file()


def test_rows_handed_in_again_by_the_same_agency_change_nothing(desk: Desk) -> None:
    desk.drop("a.xlsx", {"occupancy": [LEASED | {"value": 60}]})
    desk.take()
    first = combined(desk).sheets
    day = datetime.date(2026, 11, 21)
    desk.drop("b.xlsx", {"occupancy": [LEASED | {"value": "60,0"}]}, handed_on=day)
    desk.take()
    assert len(desk.taken[1].accepted) == 1
    values, _ = said(desk)
    assert values("claims") == ["60"]
    assert len(combined(desk).sheets) == len(first)


def test_a_later_workbook_corrects_an_earlier_one_whatever_the_order_of_taking(desk: Desk) -> None:
    later, earlier = datetime.date(2026, 11, 21), datetime.date(2026, 11, 1)
    desk.drop("a.xlsx", {"occupancy": [LEASED | {"value": 61}]}, handed_on=later)
    desk.drop("b.xlsx", {"occupancy": [LEASED | {"value": 60}]}, handed_on=earlier)
    desk.take()
    values, _ = said(desk)
    assert values("claims") == ["61"]
    assert "Thay cho “60” do cùng cơ quan nộp ngày 01/11/2026." in values("claims", "note_vi")[0]
    ledger = {c.step: (c.rows_in, c.rows_out) for c in combined(desk).standing.ledger}
    assert ledger["supersede b.xlsx"] == (1, 0)


def test_a_later_row_that_is_refused_leaves_the_earlier_one(desk: Desk) -> None:
    desk.drop("a.xlsx", {"occupancy": [LEASED | {"value": 60}]})
    later = datetime.date(2026, 11, 21)
    desk.drop("b.xlsx", {"occupancy": [LEASED | {"value": -5}]}, handed_on=later)
    desk.take()
    values, _ = said(desk)
    assert values("claims") == ["60"]
    assert reasons(desk, 1) == [("occupancy", 6, "value", "value_is_in_range")]


def test_two_agencies_that_contradict_each_other_both_stand_in_conflict(desk: Desk) -> None:
    stage = {"subject_id": "kcn-a", "stage_id": "park.operating"}
    desk.drop("a.xlsx", {"occupancy": [LEASED | {"value": 60}],
                         "stage_events": [stage | {"on": datetime.date(2025, 3, 1)}]})  # fmt: skip
    desk.drop("b.xlsx", {"occupancy": [LEASED | {"value": 70}],
                         "stage_events": [stage | {"on": datetime.date(2025, 4, 1)}]},
              agency="Ban Quản lý khu X", author="Trần Thị Bình")  # fmt: skip
    desk.take()
    values, checked = said(desk)
    assert sorted(values("claims")) == ["60", "70"]
    assert values("claims", "confidence") == ["conflict", "conflict"]
    assert sorted(values("stage_events", "on")) == ["2025-03-01", "2025-04-01"]
    notes = [f for f in combined(desk).findings if f.rule == "planners_agree"]
    assert len(notes) == 4
    assert all("Tên (2026-11-20): " in f.detail and "Ban Quản lý khu X" in f.detail for f in notes)
    facts = resolve(checked.tables["claims"])
    assert facts.loc[facts["source_id"].str.startswith("inbox_"), "is_disputed"].all()


def test_two_officers_of_one_agency_on_one_day_both_stand_and_one_officer_corrects_himself(
    desk: Desk,
) -> None:
    desk.drop("a.xlsx", {"occupancy": [LEASED | {"value": 60}]})
    desk.drop("b.xlsx", {"occupancy": [LEASED | {"value": 61}]})
    desk.drop("c.xlsx", {"occupancy": [LEASED | {"value": 62}]}, author="Trần Thị Bình")
    desk.take()
    values, checked = said(desk)
    assert sorted(values("claims")) == ["61", "62"]
    assert not [f for f in checked.findings if f.severity != "note"]


def test_a_correction_whose_old_value_is_not_there_is_refused(desk: Desk) -> None:
    wrong = {"table": "Sự kiện vốn", "key": "kcn-a.money.1", "column": "Số tiền", "why": "In sai"}
    desk.drop("a.xlsx", {"corrections": [
        wrong | {"was": 5, "now": 6}, wrong | {"key": "kcn-z.money.1", "was": 5, "now": 6},
        wrong | {"column": "money_id", "was": "kcn-a.money.1", "now": "x"},
        wrong | {"was": 7, "now": 7}, wrong | {"column": "stage_id", "was": 1, "now": 2},
    ]})  # fmt: skip
    path = desk.folder / "a.xlsx"
    desk.take()
    assert [(row, rule) for _, row, _, rule in reasons(desk)] == [
        (5, "correction_is_needed"),
        (6, "correction_is_needed"),
        (7, "column_may_be_corrected"),
        (8, "correction_changes_something"),
        (9, "column_is_known"),
    ]
    told = results(desk.answer(path), "corrections")
    assert "“1200.500”" in told[5]


def test_a_correction_that_breaks_another_row_is_refused(desk: Desk) -> None:
    desk.drop("a.xlsx", {"corrections": [
        {"table": "places", "key": "kcn-a", "column": "kind", "was": "industrial_park",
         "now": "plant", "why": "Thử"}]})  # fmt: skip
    desk.take()
    assert reasons(desk) == [("corrections", 5, "stage_id", "stage_fits_its_subject")]


def test_a_row_that_would_drive_out_a_good_one_is_refused(desk: Desk) -> None:
    """Of 100.5 ha 40 are leased; half a hectare in all cannot be true."""
    desk.drop("a.xlsx", {"corrections": [
        {"table": "claims", "key": "kcn-a.area-ha.1", "column": "value", "was": "100.5",
         "now": "0.5", "why": "Thử"}]})  # fmt: skip
    desk.take()
    assert [rule for *_, rule in reasons(desk)] == ["part_is_not_larger_than_whole"]


def test_a_correction_that_is_no_longer_needed_is_a_note_and_stops_nothing(
    desk: Desk, tree
) -> None:
    desk.drop("a.xlsx", {"corrections": [
        {"table": "money_events", "key": "kcn-a.money.1", "column": "amount", "was": "1200.5",
         "now": "1300", "why": "In sai"}]})  # fmt: skip
    desk.take()
    tree.set("money_events", 0, amount="1300")
    repaired = [tree.sheet(table) for table in tree.tiny]
    (note,) = combine(repaired, desk.taken).findings
    assert (note.rule, note.severity, note.key) == ("correction_is_needed", "note", "kcn-a.money.1")


REFUSED = {
    "a formula": ({"value": "=60+1"}, "value", "cell_is_no_formula"),
    "a formula that calls outside": ({"note_vi": '=HYPERLINK("http://x.example")'}, "note_vi",
                                     "cell_is_no_formula"),
    "an unknown place": ({"subject_id": "KCN Không Có"}, "subject_id", "value_is_in_vocabulary"),
    "no place": ({"subject_id": None}, "subject_id", "value_is_present"),
    "blanks for a place": ({"subject_id": "   "}, "subject_id", "value_is_present"),
    "a measure of another table": ({"measure": "area_ha"}, "measure", "value_is_in_vocabulary"),
    "words for a number": ({"value": "khoảng 60"}, "value", "value_is_of_its_kind"),
    "a unit in the cell": ({"value": "60 ha"}, "value", "value_is_of_its_kind"),
    "a number of two readings": ({"value": "1.234"}, "value", "value_is_of_its_kind"),
    "less than possible": ({"value": -1}, "value", "value_is_in_range"),
    "a number without end": ({"value": 1e30}, "value", "value_is_of_its_kind"),
    "a date among numbers": ({"value": datetime.date(2025, 1, 1)}, "value", "value_is_of_its_kind"),
    "a day that is none": ({"as_of": "31/02/2025"}, "as_of", "value_is_of_its_kind"),
    "a day in words": ({"as_of": "cuối năm"}, "as_of", "value_is_of_its_kind"),
    "a day to come": ({"as_of": datetime.date(2031, 1, 1)}, "as_of", "nothing_is_from_the_future"),
    "the year 9999": ({"as_of": "31/12/9999"}, "as_of", "value_is_of_its_kind"),
    "a hidden mark": ({"note_vi": "tốt\u202e"}, "note_vi", "text_is_clean"),
    "broken letters": ({"note_vi": "Háº­u Giang"}, "note_vi", "text_is_clean"),
    "a phase with an escape": ({"phase": "a\u200bb"}, "phase", "text_is_clean"),
    "more than the whole": ({"value": 4000, "as_of": "6/2024", "phase": None}, "value",
                            "part_is_not_larger_than_whole"),
}  # fmt: skip


NFD = unicodedata.normalize("NFD", "  KCN  A [kcn-a] ")
READ = {
    "the label of the list": ({"subject_id": "Tên [kcn-a]"}, "subject_id", "kcn-a"),
    "another name": ({"subject_id": "khu a"}, "subject_id", "kcn-a"),
    "NFD and blanks": ({"subject_id": NFD}, "subject_id", "kcn-a"),
    "a decimal comma": ({"value": "60,25"}, "value", "60.25"),
    "a decimal point": ({"value": "60.25"}, "value", "60.25"),
    "thousands and comma": ({"value": "1.000,5", "as_of": "2025"}, "value", "1000.5"),
    "English thousands": ({"value": "1,000.5", "as_of": "2025"}, "value", "1000.5"),
    "a number as text": ({"value": "60"}, "value", "60"),
    "minus nought": ({"value": "-0"}, "value", "0"),
    "a day as text": ({"as_of": "30/9/2025"}, "as_of", "2025-09-30"),
    "a month": ({"as_of": "9/2025"}, "as_of", "2025-09"),
    "an ISO day": ({"as_of": "2025-09-30"}, "as_of", "2025-09-30"),
    "a year as text": ({"as_of": "2025"}, "as_of", "2025"),
    "a label of signs": ({"qualifier": "ít nhất … [>=]"}, "qualifier", ">="),
    "text that looks like a formula": ({"note_vi": "'=1+1"}, "note_vi",
                                       "'=1+1."),
    "markup": ({"note_vi": "<script>x</script>"}, "note_vi",
               "<script>x</script>."),
}  # fmt: skip


def test_a_cell_is_read_as_offices_write_it(desk: Desk) -> None:
    told = [LEASED | {"value": 60, "phase": what} | cells for what, (cells, _, _) in READ.items()]
    desk.drop("a.xlsx", {"occupancy": told})
    desk.take()
    assert reasons(desk) == []
    rows = check_sheets(combined(desk).sheets).tables["claims"].set_index("phase")
    found = {what: rows.loc[what, column] for what, (_, column, _) in READ.items()}
    expected = {what: value for what, (_, _, value) in READ.items()}
    assert {k: v.partition(" Trang")[0] for k, v in found.items()} == expected


def test_a_number_shown_as_per_cent_is_no_area(desk: Desk) -> None:
    book = desk.open_template()
    sign(book, "Nguyễn Văn An", "so-a", datetime.date(2026, 11, 20))
    fill(book, {"occupancy": [LEASED | {"value": 0.725}], "indicators": [
        {"series_id": "kpi-a", "period": "2025", "value": 0.125,
         "as_of": datetime.date(2026, 1, 15)}]})  # fmt: skip
    book["Lấp đầy"]["F6"].number_format = "0.0%"
    book["Chỉ số"]["E6"].number_format = "0.0%"
    desk.save(book, "a.xlsx")
    desk.take()
    assert reasons(desk) == [("occupancy", 6, "value", "unit_is_the_measures")]
    values, _ = said(desk)
    assert values("indicators") == ["12.5"]


def test_a_day_number_that_lost_its_format_is_refused_and_a_year_is_not(desk: Desk) -> None:
    book = desk.open_template()
    sign(book, "Nguyễn Văn An", "so-a", datetime.date(2026, 11, 20))
    fill(book, {"occupancy": [LEASED | {"value": 60, "as_of": 45900},
                              LEASED | {"value": 60, "as_of": 2025}]})  # fmt: skip
    for cell in ("G6", "G7"):
        book["Lấp đầy"][cell].number_format = "General"
    desk.save(book, "a.xlsx")
    desk.take()
    assert reasons(desk) == [("occupancy", 6, "as_of", "value_is_of_its_kind")]
    values, _ = said(desk)
    assert values("claims", "as_of") == ["2025"]


def test_columns_may_stand_in_any_order_and_rows_with_gaps(desk: Desk) -> None:
    book = desk.open_template()
    sign(book, "Nguyễn Văn An", "so-a", datetime.date(2026, 11, 20))
    fill(
        book,
        {"occupancy": [LEASED | {"value": 60}, {}, {}, LEASED | {"value": 61, "as_of": "2024"}]},
    )
    sheet = book["Lấp đầy"]
    sheet.move_range(f"F{HEADER_ROW}:F{sheet.max_row}", cols=20)
    desk.save(book, "a.xlsx")
    desk.take()
    assert reasons(desk) == []
    values, _ = said(desk)
    assert sorted(values("claims")) == ["60", "61"]
    assert "ô Z6" in values("claims", "note_vi")[0]


def test_a_renamed_title_refuses_its_rows_and_loses_nothing_silently(desk: Desk) -> None:
    book = desk.open_template()
    sign(book, "Nguyễn Văn An", "so-a", datetime.date(2026, 11, 20))
    fill(book, {"occupancy": [LEASED | {"value": 60}]})
    book["Lấp đầy"].cell(HEADER_ROW, 6).value = "Con số"
    book["Lấp đầy"].cell(HEADER_ROW + 1, 6).value = None
    path = desk.save(book, "a.xlsx")
    desk.take()
    assert {(column, rule) for _, _, column, rule in reasons(desk)} == {
        ("Con số", "column_is_known"),
        ("value", "column_is_present"),
    }
    assert "Con số" in results(desk.answer(path), "occupancy")[6]


def test_a_sheet_that_is_not_the_templates_is_named_and_a_merged_cell_refuses_the_row(
    desk: Desk,
) -> None:
    book = desk.open_template()
    sign(book, "Nguyễn Văn An", "so-a", datetime.date(2026, 11, 20))
    fill(book, {"occupancy": [LEASED | {"value": 60}, LEASED | {"value": 61, "as_of": "2024"}]})
    book["Lấp đầy"].merge_cells("B6:B7")
    book.create_sheet("Ghi chép")["A1"] = "riêng"
    path = desk.save(book, "a.xlsx")
    desk.take()
    assert desk.taken[0].strange_sheets == ("Ghi chép",)
    assert reasons(desk) == [("occupancy", 7, "subject_id", "value_is_present")]
    cover = " ".join(str(c.value) for row in desk.answer(path)["Bìa"].iter_rows() for c in row)
    assert "Ghi chép" in cover


def test_a_known_row_that_is_changed_is_refused_and_one_that_is_not_says_nothing(
    desk: Desk,
) -> None:
    book = desk.open_template()
    sign(book, "Nguyễn Văn An", "so-a", datetime.date(2026, 11, 20))
    book["Vốn"].cell(FIRST_ROW, columns_of(book["Vốn"])["Số tiền"]).value = 1
    path = desk.save(book, "a.xlsx")
    desk.take()
    assert [(page, row, rule) for page, row, _, rule in reasons(desk)] == [
        ("money_events", FIRST_ROW, "known_row_is_untouched")
    ]
    assert len(desk.taken[0].rows) == 1
    assert results(desk.answer(path), "occupancy")[FIRST_ROW] == "Số đã có, không đổi"


def test_a_workbook_says_each_thing_once(desk: Desk) -> None:
    desk.drop("a.xlsx", {"occupancy": [LEASED | {"value": 60}, LEASED | {"value": 61}]})
    desk.take()
    assert reasons(desk) == [("occupancy", 7, "", "said_once")]


def test_the_answer_is_mended_and_handed_in_again(desk: Desk) -> None:
    good = {"occupancy": [LEASED | {"value": 60}, LEASED | {"value": "sáu mươi", "as_of": "2024"}]}
    path = desk.drop("a.xlsx", good)
    desk.take()
    answer = desk.answer(path)
    answer["Lấp đầy"]["F7"].value = 55
    desk.save(answer, "a lần hai.xlsx")
    desk.take()
    assert reasons(desk, 1) == []
    assert len(desk.taken[1].rows) == 2
    values, _ = said(desk)
    assert sorted(values("claims")) == ["55", "60"]


def test_a_template_of_an_older_edition_is_taken_too(desk: Desk, tree, tmp_path: Path) -> None:
    """A record was added and one corrected since; its grey rows are what they were."""
    book = desk.open_template()
    sign(book, "Nguyễn Văn An", "so-a", datetime.date(2026, 11, 20))
    fill(book, {"occupancy": [LEASED | {"value": 60}]})
    tree.set("money_events", 0, amount="999")
    newer = Desk(tmp_path / "newer", [tree.sheet(table) for table in tree.tiny])
    newer.save(book, "a.xlsx")
    newer.take()
    assert [len(w.rows) for w in newer.taken] == [1]
    values, _ = said(newer)
    assert values("claims") == ["60"]


def spoilt(path: Path, how: str) -> None:
    """Turn a good workbook into a bad file."""
    content = path.read_bytes()
    if how == "xls":
        path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    elif how == "text":
        path.write_text("id;value\n1;2\n", encoding="utf-8")
    elif how == "torn":
        path.write_bytes(content[: len(content) // 2])
    elif how == "macro":
        with zipfile.ZipFile(path, "a") as packed:
            packed.writestr("xl/vbaProject.bin", b"macro")
    elif how == "bomb":
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr("xl/worksheets/sheet99.xml", b"0" * 20_000_000)
    elif how == "entities":
        with zipfile.ZipFile(path, "a") as packed:
            packed.writestr("xl/extra.xml", '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>')
    elif how == "escape":
        with zipfile.ZipFile(path, "a") as packed:
            packed.writestr("../../evil.xml", "<x/>")


def test_a_part_is_not_larger_than_its_whole(desk: Desk) -> None:
    cells, column, rule = REFUSED["more than the whole"]
    desk.drop("a.xlsx", {"occupancy": [LEASED | cells]})
    desk.take()
    assert reasons(desk) == [("occupancy", 6, column, rule)]


@pytest.mark.parametrize(
    ("how", "rule"),
    [
        ("xls", "workbook_is_xlsx"),
        ("text", "workbook_is_xlsx"),
        ("macro", "workbook_has_no_macro"),
        ("bomb", "workbook_is_readable"),
        ("entities", "workbook_is_readable"),
        ("escape", "workbook_is_readable"),
    ],
)
def test_a_hostile_workbook_is_refused_whole_with_an_answer(
    desk: Desk, how: str, rule: str
) -> None:
    path = desk.drop("a.xlsx", {"occupancy": [LEASED | {"value": 60}]})
    spoilt(path, how)
    assert desk.take() == []
    (workbook,) = desk.taken
    assert workbook.refused is not None
    assert (workbook.refused.rule, workbook.rows) == (rule, ())
    told = " ".join(str(c.value) for row in desk.answer(path)["Bìa"].iter_rows() for c in row)
    assert "Cả sổ chưa nhận được" in told
    assert audit(desk.archive).faults == ()
    desk.take()
    assert len(desk.taken) == 1


@pytest.mark.parametrize(
    ("cover", "rule"),
    [
        ({"author": ""}, "workbook_is_signed"),
        ({"agency": "=A1"}, "workbook_is_signed"),
        ({"handed_on": "hôm nay"}, "workbook_is_signed"),
        ({"handed_on": 2026}, "workbook_is_signed"),
        ({"handed_on": datetime.date(2031, 1, 1)}, "nothing_is_from_the_future"),
    ],
)
def test_nobody_hands_in_unsigned_or_from_the_future(desk: Desk, cover: dict, rule: str) -> None:
    desk.drop("a.xlsx", {"occupancy": [LEASED | {"value": 60}]}, **cover)
    desk.take()
    assert desk.taken[0].refused is not None
    assert desk.taken[0].refused.rule == rule
    values, _ = said(desk)
    assert values("claims") == []


def test_what_is_still_on_its_way_waits_and_locks_and_answers_are_passed_over(desk: Desk) -> None:
    path = desk.drop("a.xlsx", {"occupancy": [LEASED | {"value": 60}]})
    whole = path.read_bytes()
    spoilt(path, "torn")
    path.with_name("~$a.xlsx").write_bytes(b"lock")
    path.with_name(".~lock.a.xlsx#").write_bytes(b"lock")
    path.with_name("b.answer.xlsx").write_bytes(whole)
    path.with_name("thư mục.xlsx").mkdir()
    path.with_name("ảnh.png").write_bytes(b"png")
    path.with_name("link.xlsx").symlink_to("/etc/passwd")
    waiting = dict(desk.take())
    assert set(waiting) == {"a.xlsx", "ảnh.png", "link.xlsx"}
    assert "still being copied" in waiting["a.xlsx"]
    assert desk.taken == ()
    path.write_bytes(whole)
    desk.take()
    assert [w.name for w in desk.taken] == ["a.xlsx"]
    assert path.read_bytes() == whole


def test_nothing_is_judged_while_the_atlas_itself_is_broken(desk: Desk, tree) -> None:
    tree.rows("places", [*tree.tiny["places"], dict(tree.tiny["places"][0])])
    broken = Desk(desk.root, [tree.sheet(table) for table in tree.tiny])
    desk.drop("a.xlsx", {"occupancy": [LEASED | {"value": 60}]})
    ((name, why),) = broken.take()
    assert name == "a.xlsx"
    assert "the atlas's own sources are broken" in why
    assert desk.taken == ()
    assert desk.take() == []
    assert len(desk.taken) == 1


def test_an_answer_that_is_gone_comes_back_and_a_full_inbox_loses_nothing(desk: Desk) -> None:
    path = desk.drop("a.xlsx", {"occupancy": [LEASED | {"value": 60}]})
    desk.take()
    first = answer_path(path).read_bytes()
    answer_path(path).unlink()
    desk.take()
    assert answer_path(path).read_bytes() == first


def test_a_kill_at_any_file_operation_loses_nothing_and_takes_nothing_twice(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.drop(
        "a.xlsx", {"occupancy": [LEASED | {"value": 60}, LEASED | {"value": "?", "as_of": "2024"}]}
    )
    whole = Desk(tmp_path / "whole", desk.base)
    shutil.copytree(desk.root, whole.root)
    whole.take()
    (judged,) = whole.taken
    # a judgement touches no file and is the same each time: what is cut here is what comes after
    monkeypatch.setattr(flows.inbox, "judge", lambda _incoming, _held: judged)
    answer = answer_path(whole.folder / "a.xlsx").read_bytes()
    kills = 0
    for at in range(1, 200):
        cut = Desk(tmp_path / f"cut-{at}", desk.base)
        shutil.copytree(desk.root, cut.root)
        if not _die_at(cut, at):
            break
        kills += 1
        assert cut.take() == []
        assert [w.judgement for w in cut.taken] == [judged.judgement]
        assert answer_path(cut.folder / "a.xlsx").read_bytes() == answer
        assert audit(cut.archive).faults == ()
        shutil.rmtree(cut.root)
    assert kills >= 8


OPERATIONS = ("open", "os.rename", "os.mkdir", "os.remove")


def _die_at(desk: Desk, at: int) -> bool:
    """Take in a child that kills itself before its ``at``-th change of the root's files."""
    child = os.fork()
    if child == 0:
        left = [at]

        def watch(event: str, told: tuple[object, ...]) -> None:
            is_read = event == "open" and not int(str(told[2])) & (os.O_WRONLY | os.O_RDWR)
            is_ours = event in OPERATIONS and any(
                str(part).startswith(str(desk.root)) for part in told
            )
            is_ours = is_ours and not is_read
            left[0] -= is_ours
            if is_ours and left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(watch)
        with contextlib.suppress(BaseException):
            desk.take()
        os._exit(0)
    _, state = os.waitpid(child, 0)
    return os.WIFSIGNALED(state)


def test_three_hundred_hostile_rows_are_accounted_for_to_the_last(desk: Desk) -> None:
    """Every third row is bad in one of nineteen ways; each is another thing to say."""
    ways = [what for what in REFUSED if what != "more than the whole"]
    good = [LEASED | {"value": 60 + n / 100, "phase": f"dòng {n}"} for n in range(300)]
    bad = {n: ways[n // 3 % len(ways)] for n in range(0, 300, 3)}
    rows = [row | (REFUSED[bad[n]][0] if n in bad else {}) for n, row in enumerate(good)]
    for n, row in enumerate(rows):
        row["phase"] = f"{row['phase']} {n}"
    path = desk.drop("trăm hàng.xlsx", {"occupancy": rows})
    desk.take()
    (workbook,) = desk.taken
    assert (len(workbook.rows), len(workbook.accepted), len(workbook.rejected)) == (300, 200, 100)
    book = desk.answer(path)
    answer, sheet = results(book, "occupancy"), book[PAGE["occupancy"].vi]
    titles = columns_of(sheet)
    at = {c.name: titles[c.vi] for c in PAGE["occupancy"].columns}
    first = min(row.row for row in workbook.rows)
    for row in workbook.rows:
        if not row.reasons:
            assert answer[row.row] == "Đã nhận"
            continue
        _, column, rule = REFUSED[bad[row.row - first]]
        assert (column, rule) in {(why.column, why.rule) for why in row.reasons}, bad
        cell = sheet.cell(row.row, at[column])
        assert (cell.fill.fgColor.rgb, cell.comment is None) == ("FFF6C9C2", False)
        assert cell.data_type != "f"
        assert answer[row.row].startswith("Chưa nhận. ")
    change = combined(desk).standing.ledger[0]
    assert (change.step, change.rows_in, change.rows_out) == ("take trăm hàng.xlsx", 300, 200)
    assert sum(change.dropped.values()) == 100
    assert len(set(quarantined(desk.taken)["row"])) == 100
    assert {f.row for f in refusals(desk.taken)} == {r.row for r in workbook.rejected}
    values, checked = said(desk)
    assert not [f for f in checked.findings if f.severity != "note"]
    assert len(values("claims")) == 200
