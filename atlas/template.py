"""What stands in a planners' workbook: the known records to fill in after, or our answer to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from atlas.form import Filled, Form, Mark
from atlas.validation import NUMBERS
from atlas.words import Words
from geodata.cells import is_number, parts_of, rows_of
from geodata.deposit import value_column
from geodata.handin import Handed, Line, Reason
from geodata.inbox import Row, Workbook
from geodata.schema import TABLE, Column
from geodata.workbook import (
    COVER_FIELDS,
    FIRST_ROW,
    OCCUPANCY,
    PAGE,
    PAGES,
    ROW_ID,
    Entry,
    Page,
    Vocabulary,
)
from geodata.xlsx import Cell, plain_text

ROOM_TO_MEND = 50
"""Empty rows of an answer: it may be handed in again."""

DAY_LENGTH = len("2026-11-22")


@dataclass(frozen=True)
class Wanted:
    """Whose template is asked for: one place or route, one agency, or all of them."""

    subject: str = ""
    agency: str = ""


def template_form(
    tables: Mapping[str, pd.DataFrame], edition: str, lists: Vocabulary, wanted: Wanted
) -> Form:
    """Return the template: what is known of each table, then room for new rows."""
    cover = {"edition": edition}
    if wanted.agency:
        cover["agency"] = lists.label("agencies", wanted.agency)
    duties = _duties_of(tables, wanted.agency)
    return Form(
        cover,
        {
            page.name: [
                _known(page, row, at, lists)
                for at, row in enumerate(_asked(page, tables, wanted, duties), start=FIRST_ROW)
            ]
            for page in PAGES
            if page.table
        },
    )


def _duties_of(tables: Mapping[str, pd.DataFrame], agency: str) -> set[str]:
    rows = rows_of(tables["duties"])
    return {r["duty_id"] for r in rows if not agency or agency in parts_of(r["agency_ids"])}


def _asked(
    page: Page, tables: Mapping[str, pd.DataFrame], wanted: Wanted, duties: set[str]
) -> list[dict[str, str]]:
    rows = rows_of(tables[page.table]) if page.table in tables else []
    if page.name == "occupancy":
        rows = [row for row in rows if row["measure"] in OCCUPANCY]
    if wanted.subject and "subject_id" in TABLE[page.table].column_names:
        rows = [row for row in rows if row["subject_id"] == wanted.subject]
    if page.name == "duty_reports":
        rows = [row for row in rows if row["duty_id"] in duties]
    return rows


def _known(page: Page, row: Mapping[str, str], at: int, lists: Vocabulary) -> Filled:
    cells = {
        column.name: cell
        for column, entry in zip(page.columns, page.entries, strict=True)
        if (cell := shown(column, entry, row.get(column.name, ""), lists)) is not None
    }
    return Filled(at, cells, row[TABLE[page.table].key[0]])


def shown(column: Column, entry: Entry, value: str, lists: Vocabulary) -> Cell | None:
    """Return a value of a table as the workbook's cell shows it; None where it is empty."""
    if not value or (entry.choice == "yes_no" and value == "false"):
        return None
    if column.kind == "date" and len(value) == len("2026-11"):
        return Cell("text", "/".join(reversed(value.split("-"))))
    if entry.choice:
        return Cell("text", lists.label(entry.choice, value))
    if column.kind in NUMBERS and is_number(value):
        return Cell("number", plain_text(value))
    return Cell("date" if column.kind == "date" and len(value) == DAY_LENGTH else "text", value)


def answer_form(workbook: Workbook, handed: Handed | None, words: Words) -> Form:
    """Return the answer: each row where it stood, marked, with what is wrong beside its cells.

    ``handed`` is None where the workbook was refused before its rows could be read.
    """
    judged = {(row.page, row.row): row for row in workbook.rows}
    pages: dict[str, list[Filled]] = {page.name: [] for page in PAGES}
    for line in handed.lines if handed else ():
        pages[line.page].append(_answered(line, judged.get((line.page, line.row)), words))
    remarks = _remarks(workbook, words)
    return Form(_cover_of(workbook), pages, remarks, is_answer=True, room=ROOM_TO_MEND)


def _cover_of(workbook: Workbook) -> dict[str, str]:
    return {name: getattr(workbook.cover, name) for name, _, _ in COVER_FIELDS}


def _remarks(workbook: Workbook, words: Words) -> list[str]:
    counts = {
        "rows": words.number(len(workbook.rows)),
        "accepted": words.number(len(workbook.accepted)),
        "refused": words.number(len(workbook.rejected)),
    }
    told = [words("answer.file", name=workbook.name, date=words.date(workbook.taken_on))]
    if workbook.refused:
        why = words.known(f"rule.{workbook.refused.rule}", workbook.refused.rule)
        told.append(words("answer.whole", why=why, found=workbook.refused.found))
    else:
        told += [words("answer.counts", **counts), words("answer.what_next")]
    told += [words("answer.strange_sheet", name=name) for name in workbook.strange_sheets]
    return told


def _answered(line: Line, row: Row | None, words: Words) -> Filled:
    if row is None:
        text = words("answer.known" if line.is_known else "answer.whole_row")
        return Filled(line.row, line.cells, line.row_id, Mark(line.is_known, text))
    page = PAGE[row.page]
    if not row.reasons:
        return Filled(line.row, line.cells, "", Mark(True, words("answer.accepted")))
    told = [(_blamed(page, why), _reason(line, page, why, words)) for why in row.reasons]
    cells: dict[str, str] = {}
    for columns, text in told:
        cells |= {name: f"{cells[name]} {text}" if name in cells else text for name in columns}
    reasons = " ".join(text for _, text in told)
    return Filled(
        line.row, line.cells, "", Mark(False, words("answer.refused", why=reasons), cells)
    )


def _blamed(page: Page, why: Reason) -> Sequence[str]:
    """Return the columns to colour: the one named, or all that say what the row is about."""
    names = [column.name for column in page.columns]
    if why.column in names:
        return [why.column]
    if why.column == ROW_ID[0] or why.rule == "said_once":
        return [name for name in names if name in (*page.one_thing, *page.says)]
    return [value_column(page)]


def _reason(line: Line, page: Page, why: Reason, words: Words) -> str:
    titles = {column.name: column.vi for column in page.columns}
    rule = words.known(f"rule.{why.rule}", why.rule)
    cell = line.cells.get(why.column)
    found = cell.text if cell else ""
    told = f"{titles.get(why.column, why.column)}: {rule}" if why.column else rule
    if why.rule in ("said_once", "correction_is_needed"):
        found = why.found or words("answer.no_row")
    needed = words.known(f"answer_needed.{why.needed}", "")
    parts = [told, f"({words('answer.found', found=found)})" if found else "", needed]
    return f"{' '.join(part for part in parts if part)}."
