import io
import re
import zipfile
from collections.abc import Callable
from datetime import date, time

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from geodata.errors import SourceError
from geodata.limits import Limits
from geodata.read import Sheet, read_table
from geodata.workbooks import SheetCells, cell_name, read_cells

HEADER = ["old_unit_id", "new_unit_id", "relation", "document_ids"]
SHEET = "commune_crosswalk"


def workbook(*rows: list[object], change: Callable[[Worksheet], None] | None = None) -> bytes:
    """A workbook of one sheet, Bảng, that openpyxl writes and nobody has calculated."""
    book = openpyxl.Workbook()
    page = book.active
    page.title = "Bảng"
    for row in rows:
        page.append(row)
    if change:
        change(page)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def patched(content: bytes, part: str, old: str, new: str) -> bytes:
    """The same workbook with other XML in one of its parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(out, "w") as after:
        for name in before.namelist():
            text = before.read(name)
            if name == part:
                assert old.encode() in text
                text = text.replace(old.encode(), new.encode())
            after.writestr(name, text)
    return out.getvalue()


def cells(content: bytes, **limits: int) -> SheetCells:
    return read_cells("planners", content, Limits(**limits))["Bảng"]


def rule_of(content: bytes, names: tuple[str, ...] = (), **limits: int) -> str:
    with pytest.raises(SourceError) as caught:
        read_cells("planners", content, Limits(**limits), names)
    assert caught.value.source_id == "planners"
    return caught.value.rule


def test_cells_come_out_as_what_they_are_in_the_place_where_they_stand() -> None:
    told = cells(
        workbook(["a", 1.5, date(2025, 12, 31)], [], [None, True, time(1, 2)], ["007", 1e30])
    )
    assert told.rows == [
        ["a", 1.5, date(2025, 12, 31)],
        ["", "", ""],
        ["", True, time(1, 2)],
        ["007", 1e30, ""],
    ]
    assert (told.formulas, told.merged, told.hidden_rows, told.unread) == ([], [], [], {})


def test_a_formula_that_was_never_calculated_is_not_taken_for_an_empty_cell() -> None:
    told = cells(workbook(["a", "=1+1"]))
    assert told.formulas == ["B1"]
    assert "cell B1 holds a formula that was never calculated" in told.unread[1, 2]


def test_a_formula_gives_its_last_calculated_value_and_is_named() -> None:
    content = workbook(["a", "=1+1"])
    told = cells(patched(content, "xl/worksheets/sheet1.xml", "<v />", "<v>2</v>"))
    assert (told.rows, told.formulas, told.unread) == ([["a", 2.0]], ["B1"], {})


def test_an_error_of_excel_is_not_taken_for_an_empty_cell() -> None:
    told = cells(workbook(["a", "#REF!", "#N/A"]))
    assert {place: why[-5:] for place, why in told.unread.items()} == {
        (1, 2): "#REF!",
        (1, 3): " #N/A",
    }


def test_hidden_rows_and_merged_cells_are_named() -> None:
    def change(page: Worksheet) -> None:
        page.merge_cells("A2:B3")
        page.row_dimensions[1].hidden = True

    told = cells(workbook(["a", "b"], ["c"], change=change))
    assert (told.hidden_rows, told.merged) == (["1"], ["A2:B3"])


def test_cells_without_their_names_stand_one_after_the_other() -> None:
    content = workbook(["a", "=1+1"], ["b", "#REF!"])
    bare = patched(content, "xl/worksheets/sheet1.xml", 'r="B1"', "")
    bare = patched(bare, "xl/worksheets/sheet1.xml", 'r="B2"', "")
    assert set(cells(bare).unread) == {(1, 2), (2, 2)}


@pytest.mark.parametrize(
    ("place", "name"), [((1, 1), "A1"), ((3, 26), "Z3"), ((3, 27), "AA3"), ((9, 16384), "XFD9")]
)
def test_a_cell_is_named_as_excel_names_it(place: tuple[int, int], name: str) -> None:
    assert cell_name(*place) == name


def test_a_sheet_that_is_not_there_is_refused_with_those_that_are() -> None:
    assert rule_of(workbook(["a"]), ("Bang",)) == "part_is_present"


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"a,b\n1,2\n"])
def test_what_is_no_zip_is_no_workbook(content: bytes) -> None:
    assert rule_of(content) == "archive_is_sound"


def test_a_zip_without_a_workbook_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("doc.kml", "<kml/>")
    assert rule_of(out.getvalue()) == "file_is_of_its_format"


def test_a_cell_at_the_far_corner_is_refused_before_its_sheet_is_laid_out() -> None:
    far = workbook(["a"], change=lambda page: page.cell(1_048_576, 16_384, "x"))
    assert rule_of(far) == "file_is_within_limits"
    assert rule_of(workbook(["a"] * 9), columns=8) == "file_is_within_limits"
    assert rule_of(workbook(*[["a"]] * 9), rows=8) == "file_is_within_limits"
    assert rule_of(workbook(*[["a", "b"]] * 9), cells=17) == "file_is_within_limits"


LAUGHS = (
    '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c SYSTEM "file:///etc/hostname">]>'
)


@pytest.mark.parametrize(
    "part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/theme/theme1.xml", "xl/styles.xml"]
)
def test_entities_are_refused_in_every_part(part: str) -> None:
    content = workbook(["a"])
    text = zipfile.ZipFile(io.BytesIO(content)).read(part).decode()
    root = re.search(r"<(?!\?)", text)
    assert root
    told = text[: root.start()] + LAUGHS + text[root.start() :]
    assert rule_of(patched(content, part, text, told)) == "xml_has_no_entities"


@pytest.mark.parametrize("place", ["", "1A", "A0", "AAAA1", "A99999999", "A1:B2"])
def test_a_cell_in_an_impossible_place_is_refused(place: str) -> None:
    content = patched(workbook(["a"]), "xl/worksheets/sheet1.xml", 'r="A1"', f'r="{place or "."}"')
    assert rule_of(content) == "file_is_of_its_format"


def sheet(tree, content: bytes, table: str = SHEET, **settings: object) -> Sheet:
    told = {"format": "xlsx", "part": "Bảng", **settings}
    tree.describe(table, **told)
    return read_table(tree.source(table), content)


def test_a_sheet_becomes_a_table_under_the_rows_of_excel(tree) -> None:
    content = workbook(HEADER, ["old-1", "com-1", "whole", "s1"], [], [7, "com-1", "part", None])
    read = sheet(tree, content)
    assert list(read.rows.index) == [2, 4]
    assert list(read.rows.loc[4]) == ["7", "com-1", "part", ""]
    assert (read.rows_in_file, read.findings) == (2, ())


def test_what_excel_hides_is_noted_and_what_it_could_not_calculate_refuses_its_row(tree) -> None:
    def change(page: Worksheet) -> None:
        page.row_dimensions[3].hidden = True
        page.merge_cells("D2:D3")

    content = workbook(
        HEADER,
        ["old-1", "com-1", "whole", "s1"],
        ["old-2", "com-1", "=A1", None],
        ["old-3", "com-1", "#N/A", "s1"],
        change=change,
    )
    read = sheet(tree, content)
    assert [(f.rule, f.row, f.severity) for f in read.findings] == [
        ("cell_is_calculated", 3, "row"),
        ("cell_is_calculated", 4, "row"),
        ("cells_are_values", 0, "note"),
        ("rows_are_shown", 0, "note"),
        ("cells_are_single", 0, "note"),
    ]
    assert read.rows_in_file == 3


def test_each_column_decides_what_its_cells_may_be(tree) -> None:
    header = ["money_id", "amount", "on"]
    rows = [
        ["m1", 1200.5, date(2022, 3, 4)],
        ["m2", date(2022, 3, 4), 44_624],
        ["m3", "1.234,5", "04/03/2022"],
        ["m4", 1e30, 2022],
    ]
    read = sheet(tree, workbook(header, *rows), "money_events", numbers="vi", dates="dmy")
    told = {(f.row, f.column) for f in read.findings if f.rule == "value_is_as_declared"}
    assert told == {(3, "amount"), (3, "on")}
    assert list(read.rows.loc[2, ["amount", "on"]]) == ["1200.5", "2022-03-04"]
    assert list(read.rows.loc[4, ["amount", "on"]]) == ["1234.5", "2022-03-04"]
    assert list(read.rows.loc[5, ["amount", "on"]]) == ["1" + "0" * 30, "2022"]


@pytest.mark.parametrize("rows", [[], [HEADER], [HEADER, [None, ""]]])
def test_a_sheet_without_a_row_is_refused(tree, rows: list[list[object]]) -> None:
    with pytest.raises(SourceError, match="a header and no row"):
        sheet(tree, workbook(*rows))
