"""Which cells of the planners' workbook a spreadsheet checks by itself, and what it then says."""

import datetime

from atlas.words import Words
from geodata.schema import Column
from geodata.workbook import Entry

NUMBERS = ("integer", "number", "decimal")
PARTLY_KNOWN = ("on", "due_on")
"""Dates of which often only the month or the year is known."""

FIRST_DAY, LAST_DAY = datetime.date(1990, 1, 1), datetime.date(2099, 12, 31)
FIRST_SERIAL, LAST_SERIAL = 32874, 73050
"""The same two days as a spreadsheet counts them."""

LARGEST = 1e15
PARTED = {
    "stages": ("subjects", "dia_diem", "buoc_dau", "truc"),
    "columns": ("tables", "bang", "cot_dau", "cot_bang"),
}
"""Lists of which each row offers a part: the list that column B is of, and the names of cells on
the sheet of lists that hold it with its parts, the first word, and the part of every word."""

Rule = dict[str, object]


def cell_rule(entry: Entry, column: Column, cell: str, listed: str, words: Words) -> Rule | None:
    """Return the rule of a column whose first cell is ``cell``; ``listed`` is its list's range."""
    if entry.choice:
        rule = _list_rule(entry, cell, listed, words)
    elif column.kind == "date":
        rule = _cut_date_rule(cell, words) if column.name in PARTLY_KNOWN else date_rule(words)
    elif column.kind in NUMBERS:
        rule = _number_rule(column, words)
    else:
        return None
    return {"error_title": words("workbook.check")} | rule


def _list_rule(entry: Entry, cell: str, listed: str, words: Words) -> Rule:
    return {
        "validate": "list",
        "source": part_of(entry.choice, cell) if entry.choice in PARTED else listed,
        "error_type": "information" if entry.is_open else "stop",
        "error_message": words("workbook.open_error" if entry.is_open else "workbook.list_error"),
    }


def part_of(choice: str, cell: str) -> str:
    """Return what of a list goes with column B: a place's stages, a table's columns."""
    _, keys, first, parts = PARTED[choice]
    row = cell.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    part = f"VLOOKUP($B{row},{keys},2,0)"
    return f"=OFFSET({first},MATCH({part},{parts},0)-1,0,COUNTIF({parts},{part}),1)"


def date_rule(words: Words) -> Rule:
    """Return the rule that a cell holds a whole day."""
    return {
        "validate": "date",
        "criteria": "between",
        "minimum": FIRST_DAY,
        "maximum": LAST_DAY,
        "error_title": words("workbook.check"),
        "error_message": words("workbook.date_error"),
    }


def _cut_date_rule(cell: str, words: Words) -> Rule:
    is_day = f"AND(ISNUMBER({cell}),{cell}>={FIRST_SERIAL},{cell}<={LAST_SERIAL})"
    is_cut = f"AND(ISTEXT({cell}),OR(LEN({cell})=4,LEN({cell})=7))"
    return {
        "validate": "custom",
        "value": f"=OR({is_day},{is_cut})",
        "error_message": words("workbook.cut_date_error"),
    }


def _number_rule(column: Column, words: Words) -> Rule:
    return {
        "validate": "decimal",
        "criteria": "between",
        "minimum": -LARGEST if column.minimum is None else column.minimum,
        "maximum": LARGEST if column.maximum is None else column.maximum,
        "error_message": words("workbook.number_error"),
    }
