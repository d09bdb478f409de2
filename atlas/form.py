"""The planners' workbook as a file: its sheets, its colours, its lists, its protection.

Text from data is written as text: no cell is a formula, and none becomes one when it is edited.
The same input gives the same bytes. What stands in the cells is `atlas.template`'s business.
"""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from atlas.compare import FORMULA_STARTS
from atlas.validation import (
    FIRST_DAY,
    LAST_DAY,
    NUMBERS,
    PARTED,
    cell_rule,
    date_rule,
)
from atlas.words import Words
from geodata.cells import is_number
from geodata.schema import Column
from geodata.workbook import (
    CHECKSUM,
    COVER,
    COVER_FIELDS,
    FIRST_ROW,
    HEADER_ROW,
    LISTS,
    PAGES,
    RESULT,
    ROW_ID,
    Entry,
    Page,
    Vocabulary,
    checksum,
)
from geodata.xlsx import Cell

BLANK_ROWS = 300
LONGEST = 32_767
FIRST_COLUMN = 1
"""The rows' ids stand before the form's own columns."""

CREATED = datetime.datetime(2021, 1, 1)
ID_WIDTH, RESULT_WIDTH = 26, 60
LINE_POINTS, MOST_LINES = 15, 12
GROUPED = {*PARTED, *(keys for keys, *_ in PARTED.values())}
"""Lists whose words tell beside them which part they belong to."""

NOTE_SIZE = {"x_scale": 2, "y_scale": 0.8}
GREEN, GREY, LINE, RED, PALE = "#E3EEEC", "#E9ECEC", "#9AA5A6", "#F6C9C2", "#DDEFD9"


@dataclass(frozen=True)
class Mark:
    """What the answer says of one row: whether it was accepted, and why not, cell by cell."""

    is_accepted: bool
    text: str
    cells: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Filled:
    """One row of a sheet: its cells, its id where it is known, its mark in an answer."""

    row: int
    cells: Mapping[str, Cell]
    row_id: str = ""
    mark: Mark | None = None


@dataclass(frozen=True)
class Form:
    """A workbook to be written: the cover's answers, and the rows of each sheet."""

    cover: Mapping[str, str]
    pages: Mapping[str, Sequence[Filled]]
    remarks: Sequence[str] = ()
    is_answer: bool = False
    room: int = BLANK_ROWS


@dataclass(frozen=True)
class Pen:
    """What every part of the workbook is written with."""

    book: xlsxwriter.Workbook
    words: Words
    english: Words
    lists: Vocabulary
    form: Form
    styles: dict[str, Format] = field(default_factory=dict)


def write_form(path: Path, form: Form, words: Mapping[str, Words], lists: Vocabulary) -> None:
    """Write the workbook: a cover, one sheet a table, and the lists that its cells offer."""
    settings = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(path), settings) as book:
        book.set_properties({"title": words["vi"]("workbook.title"), "created": CREATED})
        pen = Pen(book, words["vi"], words["en"], lists, form)
        pen.styles.update(_styles(book))
        cover = book.add_worksheet(COVER)
        sheets = [(page, book.add_worksheet(page.vi)) for page in PAGES]
        _write_lists(pen, book.add_worksheet(LISTS))
        _write_cover(pen, cover)
        for page, sheet in sheets:
            _write_page(pen, sheet, page)


def _styles(book: xlsxwriter.Workbook) -> dict[str, Format]:
    cell = {"border": 4, "border_color": LINE, "valign": "top", "text_wrap": True}
    open_cell = cell | {"locked": False}
    told: dict[str, dict[str, object]] = {
        "title": {"bold": True, "font_size": 15, "font_color": "#0B4F4A"},
        "intro": {"text_wrap": True, "valign": "top"},
        "small": {"text_wrap": True, "valign": "top", "font_color": "#4D5B60", "italic": True},
        "label": {"bold": True, "valign": "top", "text_wrap": True},
        "head": cell | {"bold": True, "bg_color": GREEN, "valign": "vcenter"},
        "head_en": cell | {"font_color": "#4D5B60", "italic": True, "font_size": 9},
        "known": cell | {"bg_color": GREY, "font_color": "#2B3336"},
        "open": open_cell,
        "bad": open_cell | {"bg_color": RED},
        "good": open_cell | {"bg_color": PALE},
        "result": cell | {"bold": True},
        "refused": cell | {"bold": True, "bg_color": RED},
        "taken": cell | {"bg_color": PALE},
        "list": {},
        "list_head": {"bold": True, "bg_color": GREEN},
    }
    kinds = {
        "date": {"num_format": "dd/mm/yyyy", "align": "left"},
        "number": {"num_format": "General"},
    }
    for name in ("known", "open", "bad", "good"):
        for kind, extra in kinds.items():
            told[f"{name}_{kind}"] = told[name] | extra
        told[f"{name}_text"] = told[name] | {"num_format": "@"}
        told[f"{name}_risky"] = told[name] | {"num_format": "@", "quote_prefix": True}
    return {name: book.add_format(settings) for name, settings in told.items()}


def _write_cover(pen: Pen, sheet: Worksheet) -> None:
    w = pen.words
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 74)
    sheet.write_string(
        0,
        0,
        w("workbook.answer_title" if pen.form.is_answer else "workbook.title"),
        pen.styles["title"],
    )
    sheet.merge_range(1, 0, 1, 1, "", pen.styles["intro"])
    sheet.write_string(1, 0, w("workbook.cover_intro"), pen.styles["intro"])
    sheet.set_row(1, 50)
    row = 3
    for name, vi, en in COVER_FIELDS:
        is_open = name != "edition"
        star = " *" if name in ("author", "agency", "handed_on") else ""
        sheet.write_string(row, 0, f"{vi}{star}", pen.styles["label"])
        sheet.write_string(row + 1, 0, en, pen.styles["small"])
        cell = _cover_cell(name, pen.form.cover.get(name, ""))
        _write_cell(pen, sheet, (row, 1), cell, "open" if is_open else "known")
        _check_cover(pen, sheet, row, name)
        row += 2
    _write_remarks(pen, sheet, row + 1)
    sheet.protect("", _ALLOWED)
    _set_print(pen, sheet, is_wide=False)


def _cover_cell(name: str, value: str) -> Cell:
    return Cell("date" if name == "handed_on" and value else "text", value)


def _check_cover(pen: Pen, sheet: Worksheet, row: int, name: str) -> None:
    w = pen.words
    if name == "agency":
        rule = {"validate": "list", "source": _range(pen, "agencies"), "error_type": "warning"}
        message = {"error_title": w("workbook.check"), "error_message": w("workbook.agency_error")}
        sheet.data_validation(row, 1, row, 1, rule | message)
    if name == "handed_on":
        sheet.data_validation(row, 1, row, 1, date_rule(w))


def _write_remarks(pen: Pen, sheet: Worksheet, row: int) -> None:
    w = pen.words
    lines = list(pen.form.remarks)
    if not pen.form.is_answer:
        lines = [w(f"workbook.step_{number}") for number in range(1, 7)]
    for text in lines:
        sheet.merge_range(row, 0, row, 1, "", pen.styles["intro"])
        _write_cell(pen, sheet, (row, 0), Cell("text", text), pen.styles["intro"])
        sheet.set_row(row, 16 * (1 + len(text) // 120))
        row += 1
    if not pen.form.is_answer:
        sheet.merge_range(row + 1, 0, row + 1, 1, "", pen.styles["small"])
        sheet.write_string(row + 1, 0, pen.english("workbook.cover_help"), pen.styles["small"])
        sheet.set_row(row + 1, 66)


_ALLOWED = {
    "format_columns": True,
    "format_rows": True,
    "sort": True,
    "autofilter": True,
    "select_locked_cells": True,
}


def _write_page(pen: Pen, sheet: Worksheet, page: Page) -> None:
    s, columns = pen.styles, page.columns
    last = FIRST_COLUMN + len(columns)
    sheet.write_string(0, 0, f"{page.vi} · {page.en}", s["title"])
    sheet.merge_range(1, 0, 1, min(last, 5), "", s["intro"])
    sheet.write_string(1, 0, pen.words(f"workbook.intro_{page.name}"), s["intro"])
    sheet.set_row(1, 48)
    heads = [(0, *ROW_ID), (last + 1, *CHECKSUM)]
    heads += [
        (FIRST_COLUMN + at, f"{c.vi}{' *' if c.required else ''}", c.en)
        for at, c in enumerate(columns)
    ]
    heads += [(last, *RESULT)] if pen.form.is_answer else []
    for at, vi, en in heads:
        sheet.write_string(HEADER_ROW - 1, at, vi, s["head"])
        sheet.write_string(HEADER_ROW, at, en, s["head_en"])
    sheet.set_row(HEADER_ROW - 1, 32)
    _set_widths(pen, sheet, page, last)
    filled = {one.row: one for one in pen.form.pages.get(page.name, ())}
    end = max([*filled, FIRST_ROW - 1]) + pen.form.room
    for row in range(FIRST_ROW, end + 1):
        _write_row(pen, sheet, page, filled.get(row, Filled(row, {})))
    for at, (entry, column) in enumerate(zip(page.entries, columns, strict=True), FIRST_COLUMN):
        cell = f"{_letter(at)}{FIRST_ROW}"
        listed = _range(pen, entry.choice) if entry.choice else ""
        rule = cell_rule(entry, column, cell, listed, pen.words)
        if rule:
            sheet.data_validation(FIRST_ROW - 1, at, end - 1, at, rule)
    sheet.freeze_panes(HEADER_ROW + 1, FIRST_COLUMN + 1)
    sheet.protect("", _ALLOWED)
    sheet.repeat_rows(HEADER_ROW - 1, HEADER_ROW)
    _set_print(pen, sheet, is_wide=True)


def _set_widths(pen: Pen, sheet: Worksheet, page: Page, last: int) -> None:
    sheet.set_column(0, 0, ID_WIDTH)
    for at, entry in enumerate(page.entries, FIRST_COLUMN):
        sheet.set_column(at, at, entry.width)
    sheet.set_column(last, last, RESULT_WIDTH if pen.form.is_answer else 2)
    sheet.set_column(last + 1, last + 1, 14, None, {"hidden": True})


def _write_row(pen: Pen, sheet: Worksheet, page: Page, filled: Filled) -> None:
    s, mark, row = pen.styles, filled.mark, filled.row - 1
    last = FIRST_COLUMN + len(page.entries)
    if filled.cells:
        sheet.set_row(row, LINE_POINTS * _lines(page, filled))
    sheet.write_string(row, 0, filled.row_id, s["known"])
    for at, (entry, column) in enumerate(
        zip(page.entries, page.columns, strict=True), FIRST_COLUMN
    ):
        cell = filled.cells.get(column.name)
        style = _row_style(filled, column.name)
        _write_cell(pen, sheet, (row, at), cell or _blank(entry, column), style)
        if mark is not None and column.name in mark.cells:
            sheet.write_comment(row, at, mark.cells[column.name], NOTE_SIZE)
    if mark is not None:
        _write_cell(
            pen, sheet, (row, last), Cell("text", mark.text),
            s["refused" if not mark.is_accepted else "known_text" if filled.row_id else "taken"],
        )  # fmt: skip
    if filled.row_id and (mark is None or mark.is_accepted):
        told = {name: cell.text for name, cell in filled.cells.items()}
        sheet.write_string(row, last + 1, checksum(page, told), s["list"])


def _lines(page: Page, filled: Filled) -> int:
    """Return how many lines of text a row needs: no spreadsheet works that out when it opens."""
    widths = {entry.column: entry.width for entry in page.entries}
    told = [(cell.text, widths[name]) for name, cell in filled.cells.items() if name in widths]
    told += [(filled.row_id, ID_WIDTH)]
    told += [(filled.mark.text, RESULT_WIDTH)] if filled.mark else []
    return min(MOST_LINES, max(1, *(-(-len(text) * 11 // (10 * width)) for text, width in told)))


def _row_style(filled: Filled, column: str) -> str:
    if filled.mark is not None and column in filled.mark.cells:
        return "bad"
    if filled.row_id:
        return "known"
    return "good" if filled.mark is not None and filled.mark.is_accepted else "open"


def _blank(entry: Entry, column: Column) -> Cell:
    if column.kind == "date" and not entry.choice:
        return Cell("date", "")
    return Cell("number" if column.kind in NUMBERS else "text", "")


def _write_cell(
    pen: Pen,
    sheet: Worksheet,
    at: tuple[int, int],
    cell: Cell,
    style: str | Format,
) -> None:
    """Write a cell as what it is; text that looks like a formula stays text when edited."""
    told = cell.text[:LONGEST]

    def form(kind: str) -> Format:
        return pen.styles[f"{style}_{kind}"] if isinstance(style, str) else style

    if not told:
        kind = cell.kind if cell.kind in ("date", "number") else "text"
        sheet.write_blank(*at, None, form(kind))
    elif cell.kind == "date" and FIRST_DAY.isoformat() <= told <= LAST_DAY.isoformat():
        day = datetime.date.fromisoformat(told)
        sheet.write_datetime(*at, datetime.datetime(day.year, day.month, day.day), form("date"))
    elif cell.kind == "number" and is_number(told):
        sheet.write_number(*at, float(Decimal(told)), form("number"))
    else:
        is_risky = told.lstrip("'").startswith(FORMULA_STARTS)
        sheet.write_string(*at, told, form("risky" if is_risky else "text"))


def _list_columns(pen: Pen) -> Iterator[tuple[str, str, list[str]]]:
    """Yield each column of the lists: its vocabulary, its title, its words."""
    for name, words in pen.lists.choices.items():
        title = pen.words(f"workbook.list_{name}")
        yield name, title, [c.label for c in words]
        if name in GROUPED:
            yield f"{name} ·", f"{title} ·", [c.group for c in words]


def _range(pen: Pen, name: str) -> str:
    at, count = next(
        (at, len(words)) for at, (key, _, words) in enumerate(_list_columns(pen)) if key == name
    )
    return f"='{LISTS}'!${_letter(at)}$2:${_letter(at)}${count + 1}"


def _write_lists(pen: Pen, sheet: Worksheet) -> None:
    places = {}
    for at, (key, title, words) in enumerate(_list_columns(pen)):
        sheet.set_column(at, at, 40)
        sheet.write_string(0, at, title, pen.styles["list_head"])
        for row, word in enumerate(words, start=1):
            _write_cell(pen, sheet, (row, at), Cell("text", word), pen.styles["list"])
        places[key] = (_letter(at), len(words) + 1)
    for listed, (keys, of_keys, first, of_words) in PARTED.items():
        (key, last), (part, _) = places[keys], places[f"{keys} ·"]
        pen.book.define_name(of_keys, f"='{LISTS}'!${key}$2:${part}${last}")
        word, (part, last) = places[listed][0], places[f"{listed} ·"]
        pen.book.define_name(first, f"='{LISTS}'!${word}$2")
        pen.book.define_name(of_words, f"='{LISTS}'!${part}$2:${part}${last}")
    sheet.freeze_panes(1, 0)
    _set_print(pen, sheet, is_wide=True)
    sheet.protect("", _ALLOWED)


def _set_print(pen: Pen, sheet: Worksheet, is_wide: bool) -> None:
    sheet.set_paper(9)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    if is_wide:
        sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    edition = pen.form.cover.get("edition", "").replace("&", "&&")
    sheet.set_footer(f"&L{pen.words('workbook.title')}&C{edition}&R&P/&N")


def _letter(column: int) -> str:
    return str(xlsxwriter.utility.xl_col_to_name(column))
