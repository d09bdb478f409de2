"""What a planners' workbook says: who hands it in, and each row as far as its own cells go.

A row either becomes a row of its table or keeps the reasons why it does not. Whether the row
agrees with everything else the atlas holds is `geodata.inbox`'s business.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from geodata.dates import is_date
from geodata.notation import DAY_MONTH_YEAR, MONTH_YEAR, NUMBER_FORMS
from geodata.schema import Column
from geodata.workbook import (
    CHECKSUM,
    COVER,
    COVER_FIELDS,
    LISTS,
    PAGES,
    RESULT,
    ROW_ID,
    Entry,
    Page,
    Vocabulary,
    checksum,
    fold,
    titles,
)
from geodata.xlsx import Cell, Grid, WorkbookError, plain_text

HEADER_DEPTH = 20
COVER_DEPTH = 60
YEARS = (1990, 2100)
UNSURE = re.compile(r"-?[1-9][0-9]{0,2}[.,][0-9]{3}")
"""A number whose sign may part decimals or thousands."""


@dataclass(frozen=True)
class Reason:
    """Why a row is refused: the column, the rule it breaks, what was found and needed.

    ``detail`` is what a check of all tables together says of it.
    """

    column: str
    rule: str
    found: str = ""
    needed: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Cover:
    """Who hands a workbook in, and when. The e-mail address is kept and never published."""

    author: str
    agency_id: str
    agency: str
    agency_en: str
    email: str
    handed_on: str
    edition: str


@dataclass(frozen=True)
class Line:
    """One row of a sheet as it was handed in; ``said`` holds ids, ISO dates and plain numbers.

    ``open_texts`` are cells of open vocabularies that no known word stands for.
    """

    page: str
    row: int
    cells: Mapping[str, Cell]
    said: Mapping[str, str]
    open_texts: Mapping[str, str]
    reasons: tuple[Reason, ...]
    row_id: str = ""

    @property
    def is_known(self) -> bool:
        """Tell whether it is a known record that nobody touched, which says nothing new."""
        return bool(self.row_id) and not self.reasons


@dataclass(frozen=True)
class Handed:
    """One workbook as read: ``letters`` tells where each sheet keeps each column."""

    cover: Cover
    lines: tuple[Line, ...]
    letters: Mapping[str, Mapping[str, str]]
    strange_sheets: tuple[str, ...]


def read_handed(sheets: Mapping[str, Grid], words: Vocabulary) -> Handed:
    """Read a workbook's cells. WorkbookError where nobody signs it or no sheet is known."""
    cover = _read_cover(sheets, words)
    named = {fold(name): (name, grid) for name, grid in sheets.items()}
    lines: list[Line] = []
    letters = {}
    used = {COVER, LISTS}
    for page in PAGES:
        found = next((named[t] for t in sorted(titles((page.vi, page.en))) if t in named), None)
        if found:
            used.add(found[0])
            layout = _find_layout(page, found[1])
            letters[page.name] = {name: letter(at) for name, at in layout.columns.items()}
            lines += _read_page(page, found[1], layout, words)
    if not letters:
        raise WorkbookError("workbook_is_the_template", "none of the template's sheets is in it")
    strange = [name for name, grid in sheets.items() if grid and fold(name) not in titles(used)]
    return Handed(cover, tuple(lines), letters, tuple(strange))


def _read_cover(sheets: Mapping[str, Grid], words: Vocabulary) -> Cover:
    labels = {t: name for name, vi, en in COVER_FIELDS for t in titles((vi, en))}
    told: dict[str, Cell] = {}
    for name, grid in sheets.items():
        if fold(name) != fold(COVER):
            continue
        for row in (grid[r] for r in sorted(grid) if r <= COVER_DEPTH):
            for at, cell in row.items():
                field_name = labels.get(fold(cell.text))
                if field_name and at + 1 in row:
                    told.setdefault(field_name, row[at + 1])
    agency = _text(told.get("agency"))
    agency_id = words.resolve("agencies", agency)
    handed_on, _ = date_of(told.get("handed_on", Cell("text", "")))
    missing = [
        vi
        for (name, vi, _), value in zip(
            COVER_FIELDS, (_text(told.get("author")), agency, "-", _whole(handed_on)), strict=False
        )
        if not value and name != "email"
    ]
    if missing:
        raise WorkbookError("workbook_is_signed", f"sheet {COVER!r} lacks: {', '.join(missing)}")
    known = words.known("agencies", agency_id)
    return Cover(
        _text(told.get("author")),
        agency_id,
        known.names[0] if known else agency,
        known.names[-1] if known else agency,
        _text(told.get("email")),
        handed_on,
        _text(told.get("edition")),
    )


def _whole(day: str) -> str:
    return day if len(day) == len("2026-11-22") else ""


def _text(cell: Cell | None) -> str:
    """Return a cell's text, composed and trimmed; a formula says nothing."""
    if cell is None or cell.kind in ("formula", "error"):
        return ""
    return unicodedata.normalize("NFC", cell.text).strip()


@dataclass(frozen=True)
class _Layout:
    """Where a sheet keeps its columns; ``strange`` are titled columns the form does not know."""

    header_row: int
    columns: Mapping[str, int]
    strange: Mapping[int, str] = field(default_factory=dict)


def _find_layout(page: Page, grid: Grid) -> _Layout:
    """Find the row of titles: the one among the first that names the most columns."""
    meant = {t: ROW_ID[0] for t in titles(ROW_ID)} | {t: CHECKSUM[0] for t in titles(CHECKSUM)}
    for column in page.columns:
        meant |= dict.fromkeys(titles((column.vi, column.en, column.name)), column.name)
    best = _Layout(0, {})
    for row in sorted(r for r in grid if r <= HEADER_DEPTH):
        told = {at: fold(cell.text) for at, cell in grid[row].items()}
        columns = {meant[t]: at for at, t in sorted(told.items(), reverse=True) if t in meant}
        if len(columns) > len(best.columns):
            strange = {
                at: cell.text
                for at, cell in grid[row].items()
                if told[at] not in meant and told[at] not in titles(RESULT)
            }
            best = _Layout(row, columns, strange)
    return best


def _read_page(page: Page, grid: Grid, layout: _Layout, words: Vocabulary) -> list[Line]:
    rows = [row for row in sorted(grid) if row > layout.header_row]
    read = (_read_line(page, row, grid[row], layout, words) for row in rows)
    return [line for line in read if line is not None]


def _read_line(
    page: Page, row: int, told: Mapping[int, Cell], layout: _Layout, words: Vocabulary
) -> Line | None:
    """Read one row; None for an empty one and for the second row of titles."""
    wanted = {column.name for column in page.columns}
    by_name = {name: told[at] for name, at in layout.columns.items() if at in told}
    cells = {name: cell for name, cell in by_name.items() if name in wanted and _shows(cell)}
    strange = {title: told[at] for at, title in layout.strange.items() if at in told}
    unnamed = [at for at in told if at not in layout.columns.values() and at not in layout.strange]
    if not layout.columns and unnamed:
        strange = {letter(at): told[at] for at in unnamed}
    if not cells and not strange or _is_title(page, cells):
        return None
    mark, row_id = _text(by_name.get(CHECKSUM[0])), _text(by_name.get(ROW_ID[0]))
    if row_id:
        plain = {name: _text(cell) for name, cell in cells.items()}
        is_whole = all(column.name in layout.columns for column in page.columns)
        if mark and (mark == checksum(page, plain) or not is_whole):
            return Line(page.name, row, cells, {}, {}, (), row_id)
        why = Reason(ROW_ID[0], "known_row_is_untouched")
        return Line(page.name, row, cells, {}, {}, (why,), row_id)
    said, open_texts, reasons = _read_cells(page, cells, words)
    reasons += [Reason(t, "column_is_known", cell.text) for t, cell in strange.items()]
    reasons += [
        Reason(column.name, "column_is_present", "", column.vi)
        for column in page.columns
        if column.required and column.name not in layout.columns
    ]
    return Line(page.name, row, cells, said, open_texts, tuple(_once(reasons)))


def _shows(cell: Cell) -> bool:
    return bool(cell.text.strip())


def _is_title(page: Page, cells: Mapping[str, Cell]) -> bool:
    """Tell whether a row repeats the titles, in either language."""
    told = {c.name: titles((c.vi, c.en, c.name)) for c in page.columns}
    return bool(cells) and all(fold(cell.text) in told[name] for name, cell in cells.items())


def _once(reasons: list[Reason]) -> list[Reason]:
    """Keep the first reason of each column: a missing column is no missing value too."""
    absent = {r.column for r in reasons if r.rule == "column_is_present"}
    kept = [r for r in reasons if r.rule != "value_is_present" or r.column not in absent]
    return list({(r.column, r.rule): r for r in reversed(kept)}.values())[::-1]


def _read_cells(
    page: Page, cells: Mapping[str, Cell], words: Vocabulary
) -> tuple[dict[str, str], dict[str, str], list[Reason]]:
    said: dict[str, str] = {}
    open_texts: dict[str, str] = {}
    reasons = []
    for entry, column in zip(page.entries, page.columns, strict=True):
        cell = cells.get(column.name)
        value, reason = "", None
        if cell is not None:
            group = _group(entry, said, words)
            value, reason = _value(entry, column, cell, (words, group))
        if cell is not None and not value and not reason and entry.is_open:
            open_texts[column.name] = _text(cell)
        elif column.required and not value and not reason:
            reason = Reason(column.name, "value_is_present")
        said[column.name] = value
        reasons += [reason] if reason else []
    return said, open_texts, reasons


def _group(entry: Entry, said: Mapping[str, str], words: Vocabulary) -> str:
    """Return the part of a vocabulary that the row's subject uses; "" for all of it."""
    subject = said.get("subject_id", "")
    if entry.choice == "stages" and subject:
        known = words.known("subjects", subject)
        return known.group if known else ""
    if entry.choice == "columns":
        return said.get("table", "")
    return subject if entry.choice == "promises" else ""


def _value(
    entry: Entry, column: Column, cell: Cell, known: tuple[Vocabulary, str]
) -> tuple[str, Reason | None]:
    """Return what a cell means, or why it means nothing."""
    if cell.kind in ("formula", "error"):
        return "", Reason(column.name, f"cell_is_no_{cell.kind}", cell.text)
    text = _text(cell)
    if entry.choice:
        words, group = known
        value = words.resolve(entry.choice, text, group)
        is_fault = not value and not entry.is_open
        return value, Reason(column.name, "value_is_in_vocabulary", text) if is_fault else None
    if column.kind == "date":
        value, needed = date_of(cell)
    elif column.kind in ("number", "decimal", "integer"):
        value, needed = number_of(cell)
    else:
        return text, None
    return value, None if value else Reason(column.name, "value_is_of_its_kind", text, needed)


def date_of(cell: Cell) -> tuple[str, str]:
    """Return the ISO date of a cell, whole or cut, or "" and what was needed.

    Text is read day first. A bare number is a year and never one of Excel's day numbers; a year
    that was typed into a cell of days shows as a day of 1905, and is refused with all before 1990.
    """
    text = _text(cell)
    if cell.kind == "date":
        is_likely = YEARS[0] <= int(text[:4]) <= YEARS[1]
        return (text, "") if is_likely and is_date(text) else ("", "date")
    if cell.kind not in ("text", "number"):
        return "", "date"
    if found := DAY_MONTH_YEAR.fullmatch(text):
        text = f"{found[4]}-{int(found[3]):02d}-{int(found[1]):02d}"
    elif found := MONTH_YEAR.fullmatch(text):
        text = f"{found[2]}-{int(found[1]):02d}"
    elif cell.kind == "number" and not (text.isdigit() and YEARS[0] <= int(text) <= YEARS[1]):
        return "", "date_not_day_number"
    return (text, "") if is_date(text) else ("", "date")


def number_of(cell: Cell) -> tuple[str, str]:
    """Return the plain number of a cell, or "" and what was needed.

    Text may use the Vietnamese or the English signs; where both readings are possible (1.234)
    neither is taken.
    """
    text = "".join(_text(cell).split())
    if cell.kind in ("number", "percent"):
        return text, ""
    if cell.kind == "text" and UNSURE.fullmatch(text):
        return "", "number_that_is_sure"
    if cell.kind == "text" and NUMBER_FORMS["vi"].fullmatch(text):
        return plain_text(text.replace(".", "").replace(",", ".")), ""
    if cell.kind == "text" and NUMBER_FORMS["en"].fullmatch(text):
        return plain_text(text.replace(",", "")), ""
    return "", "number"


def letter(column: int) -> str:
    """Return a column's letters: 1 is A, 27 is AA."""
    told = ""
    while column:
        column, rest = divmod(column - 1, 26)
        told = chr(ord("A") + rest) + told
    return told
