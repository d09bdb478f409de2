import unicodedata

import pytest

from geodata.errors import SourceError
from geodata.read import Sheet, read_table

HEADER = "old_unit_id,new_unit_id,relation,document_ids\n"
ROW = "Xã Vị Thanh,Phường Ngã Bảy,whole,s1\n"
SHEET = "commune_crosswalk"
MARK = "\ufeff"


def read(tree, content: bytes, table: str = SHEET, **settings: object) -> Sheet:
    tree.write(table, content)
    tree.describe(table, **settings)
    return read_table(tree.source(table), content)


def refusal(tree, content: bytes, **settings: object) -> SourceError:
    with pytest.raises(SourceError) as caught:
        read(tree, content, **settings)
    return caught.value


def apart(text: str) -> bytes:
    """Vietnamese as Windows-1258 holds it: the letter with its hat, then the tone."""
    tones = {"\u0300", "\u0301", "\u0303", "\u0309", "\u0323"}
    told = []
    for letter in text:
        parts = unicodedata.normalize("NFD", letter)
        kept = [p for p in parts if p in tones]
        rest = unicodedata.normalize("NFC", "".join(p for p in parts if p not in tones))
        told.append(letter if letter.isascii() else rest + "".join(kept))
    return "".join(told).encode("cp1258")


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        ("utf-8", (HEADER + ROW).encode()),
        ("utf-8-sig", (MARK + HEADER + ROW).encode()),
        ("utf-16", (MARK + HEADER + ROW).encode("utf-16-le")),
        ("utf-16", (MARK + HEADER + ROW).encode("utf-16-be")),
        ("windows-1258", apart(HEADER + ROW)),
    ],
    ids=["utf-8", "with a mark", "little end first", "big end first", "windows-1258"],
)
def test_the_same_rows_come_out_of_every_encoding(tree, encoding: str, content: bytes) -> None:
    sheet = read(tree, content, encoding=encoding)
    assert list(sheet.rows.loc[2]) == ["Xã Vị Thanh", "Phường Ngã Bảy", "whole", "s1"]
    notes = [(f.rule, f.severity) for f in sheet.findings]
    assert notes == ([("text_is_nfc", "note")] if encoding == "windows-1258" else [])


def test_a_cell_may_be_as_long_as_an_outline_of_many_corners(tree) -> None:
    long = "POINT (105 9)" + " " * 300_000
    sheet = read(tree, f"position_id,geometry\np-1,{long}\n".encode(), "positions")
    assert sheet.rows.loc[2, "geometry"] == long


@pytest.mark.parametrize(
    ("declared", "content"),
    [
        ("utf-8", apart(HEADER + ROW)),
        ("utf-8", (MARK + HEADER + ROW).encode()),
        ("utf-8", (MARK + HEADER + ROW).encode("utf-16-le")),
        ("utf-8-sig", (HEADER + ROW).encode()),
        ("utf-8-sig", (MARK + HEADER + ROW).encode("utf-16-be")),
        ("utf-16", (HEADER + ROW).encode("utf-16-le")),
        ("utf-16", (MARK + HEADER + ROW).encode()),
        ("utf-16", (MARK + HEADER + ROW).encode("utf-16-le")[:-1]),
        ("utf-16", b"\xff\xfe\x00\xd8a\x00"),
        ("windows-1258", (HEADER + ROW).encode()),
        ("windows-1258", (MARK + HEADER + ROW).encode()),
        ("windows-1258", HEADER.encode() + b"\xd2\x90,a,b,c\n"),
    ],
)
def test_a_file_that_contradicts_its_declared_encoding_is_refused(
    tree, declared: str, content: bytes
) -> None:
    error = refusal(tree, content, encoding=declared)
    assert error.rule == "encoding_is_as_declared"
    assert "declare" in error.message or "save it" in error.message


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_declared_delimiter_separates_and_no_other_does(tree, delimiter: str) -> None:
    content = (HEADER + ROW).replace(",", delimiter).encode()
    assert read(tree, content, delimiter=delimiter).rows.loc[2, "relation"] == "whole"
    for other in {",", ";", "\t"} - {delimiter}:
        error = refusal(tree, content, delimiter=other)
        assert error.rule == "columns_are_present"
        assert f"separated by {delimiter!r}, declare it" in error.message


def money(amount: str, on: str = "04/03/2022") -> bytes:
    header = "money_id;subject_id;kind;fund;amount;unit;on;on_basis;document_ids;confidence"
    row = f"m1;kcn-a;registered;private;{amount};tỷ đồng;{on};stated;press-1;one_source"
    return f"{header}\n{row}\n".encode()


OFFICE = {"delimiter": ";", "numbers": "vi", "dates": "dmy"}


def test_an_office_file_is_read_to_the_last_digit(tree) -> None:
    sheet = read(tree, money("113.062,026"), "money_events", **OFFICE)
    assert list(sheet.rows.loc[2, ["amount", "on"]]) == ["113062.026", "2022-03-04"]


def test_a_cell_of_another_form_refuses_its_row_and_stays_as_it_was(tree) -> None:
    sheet = read(tree, money("113,062.026", "2022-03-04"), "money_events", **OFFICE)
    found = [f for f in sheet.findings if f.rule == "value_is_as_declared"]
    assert [(f.row, f.column, f.severity, f.key) for f in found] == [
        (2, "amount", "row", "m1"),
        (2, "on", "row", "m1"),
    ]
    assert 'needed a number as 1.234,56 (numbers = "vi")' in found[0].detail
    assert list(sheet.rows.loc[2, ["amount", "on"]]) == ["113,062.026", "2022-03-04"]


def test_a_file_larger_than_its_limits_is_refused_with_the_next_move(tree) -> None:
    content = (HEADER + ROW + ROW).encode()
    for limit, most in (("bytes", 10), ("rows", 1), ("columns", 3)):
        tree.write(SHEET, content)
        with (tree.raw(SHEET).with_name("source.toml")).open("a", encoding="utf-8") as toml:
            toml.write(f"[limits]\n{limit} = {most}\n")
        with pytest.raises(SourceError) as caught:
            read_table(tree.source(SHEET), content)
        assert caught.value.rule == "file_is_within_limits"
        assert f"raise {limit} under [limits]" in caught.value.message
