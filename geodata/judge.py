"""Which rows of a workbook may enter: each against its own cells, its sheet, and all we hold."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from geodata.archive import sha256_of
from geodata.checks import check_sheets
from geodata.deposit import misfits, one_thing, speaker, table_row
from geodata.errors import SourceError
from geodata.findings import Finding
from geodata.handin import Cover, Line, Reason, date_of, number_of, read_handed
from geodata.inbox import NOBODY, Row, Workbook
from geodata.read import Sheet
from geodata.schema import TABLE, TABLES
from geodata.voices import WORKBOOKS, Combined, combine
from geodata.workbook import PAGE, Vocabulary, bracketed, vocabulary
from geodata.xlsx import Cell, CellReader, Grid, WorkbookError, read_workbook

NUMBERS = ("integer", "number", "decimal")
REFUSING = ("row", "source")


@dataclass(frozen=True)
class Incoming:
    """One file of the inbox, the day it is taken on, and its cells or why it has none."""

    name: str
    sha256: str
    taken_on: str
    cells: Mapping[str, Grid] | WorkbookError

    @property
    def blank(self) -> Workbook:
        """Return it as a workbook of which nothing is judged."""
        return Workbook(self.sha256, self.name, self.taken_on, NOBODY)


@dataclass(frozen=True)
class Held:
    """What a workbook is judged against: the catalogue's tables and the workbooks before it.

    ``faults`` are what the checks find without the new workbook.
    """

    base: tuple[Sheet, ...]
    workbooks: tuple[Workbook, ...]
    texts: Mapping[str, str]
    faults: frozenset[tuple[str, int, str]]

    @property
    def words(self) -> Vocabulary:
        """Return the vocabulary of all that stands."""
        return vocabulary(stacked(combine(self.base, self.workbooks).sheets), self.texts)


def hold(base: Sequence[Sheet], workbooks: Sequence[Workbook], texts: Mapping[str, str]) -> Held:
    """Check what stands, once for all the workbooks of a night; SourceError where it does not.

    A row that the checks refuse is left out: nothing that is handed in may rest on it.
    """
    found = check_sheets(combine(base, workbooks).sheets).findings
    broken = [f for f in found if f.severity == "source"]
    if broken:
        raise SourceError(broken[0].source_id, broken[0].rule, broken[0].detail)
    refused = {(f.source_id, f.row) for f in found if f.severity == "row"}
    kept = tuple(_without_rows(sheet, refused) for sheet in base)
    return Held(kept, tuple(workbooks), texts, frozenset(map(_fault, found)))


def _without_rows(sheet: Sheet, refused: set[tuple[str, int]]) -> Sheet:
    lines = [line for line in sheet.rows.index if (sheet.source.source_id, line) not in refused]
    return replace(sheet, held=sheet.rows.loc[lines])


def stacked(sheets: Sequence[Sheet]) -> dict[str, pd.DataFrame]:
    """Return every table with the rows of all its sheets, unchecked."""
    empty = {t.name: pd.DataFrame(columns=list(t.column_names), dtype="str") for t in TABLES}
    parts: dict[str, list[pd.DataFrame]] = {}
    for sheet in sheets:
        parts.setdefault(sheet.source.table, []).append(sheet.rows)
    return empty | {name: pd.concat(rows, ignore_index=True) for name, rows in parts.items()}


def read_incoming(name: str, content: bytes, taken_on: str, read: CellReader) -> Incoming:
    """Read a file's cells. WorkbookError where the file may still be on its way."""
    try:
        cells: Mapping[str, Grid] | WorkbookError = read_workbook(content, read)
    except WorkbookError as error:
        if error.is_torn:
            raise
        cells = error
    return Incoming(name, sha256_of(content), taken_on, cells)


def judge(incoming: Incoming, hold_all: Callable[[], Held]) -> Workbook:
    """Judge every row of a workbook; what all is judged against is asked for only where needed."""
    if isinstance(incoming.cells, WorkbookError):
        return _refused(incoming, incoming.cells)
    held = hold_all()
    words = held.words
    try:
        told = read_handed(incoming.cells, words)
    except WorkbookError as error:
        return _refused(incoming, error)
    signed = replace(incoming.blank, cover=told.cover, strange_sheets=told.strange_sheets)
    if told.cover.handed_on > incoming.taken_on:
        why = Reason("handed_on", "nothing_is_from_the_future", told.cover.handed_on)
        return replace(signed, refused=why)
    rows = [
        _row(line, told.cover, words, told.letters[line.page])
        for line in told.lines
        if not line.is_known
    ]
    return _tried(replace(signed, rows=_refuse_twins(rows)), held)


def _refused(incoming: Incoming, error: WorkbookError) -> Workbook:
    return replace(incoming.blank, refused=Reason("", error.rule, str(error)))


def _row(line: Line, cover: Cover, words: Vocabulary, where: Mapping[str, str]) -> Row:
    """Return a line as a row of its table, or as it was written with the reasons against it."""
    reasons = line.reasons
    if not reasons and not line.is_known:
        reasons = tuple(misfits(line, words, cover))
    if reasons:
        written = {name: cell.text for name, cell in line.cells.items()}
        return Row(line.page, line.row, written, reasons)
    values = table_row(line, cover, words, where)
    if line.page == "corrections":
        values |= {name: _meant(values, values[name]) for name in ("was", "now")}
    return Row(line.page, line.row, values)


def _meant(said: Mapping[str, str], text: str) -> str:
    """Return a corrected cell's text in the form that its table keeps."""
    column = TABLE[said["table"]].column(said["column"])
    if column.kind == "date":
        return date_of(Cell("text", text))[0] or text
    if column.kind in NUMBERS:
        return number_of(Cell("text", text))[0] or text
    return bracketed(text) or text


def _refuse_twins(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Refuse rows of one workbook that speak of one thing: it must say each thing once."""
    first: dict[tuple[str, ...], Row] = {}
    told = []
    for row in rows:
        if row.reasons:
            told.append(row)
            continue
        key = (row.page, *one_thing(PAGE[row.page], row.values))
        twin = first.setdefault(key, row)
        why = (Reason("", "said_once", f"{twin.row}"),) if twin is not row else ()
        told.append(replace(row, reasons=why))
    return tuple(told)


def _tried(workbook: Workbook, held: Held) -> Workbook:
    """Check what is left together with all that stands, until nothing more is refused."""
    while workbook.accepted:
        against = _against(workbook, held)
        if not against:
            break
        rows = [
            replace(row, reasons=against[row.page, row.row])
            if not row.reasons and (row.page, row.row) in against
            else row
            for row in workbook.rows
        ]
        workbook = replace(workbook, rows=tuple(rows))
    return workbook


def _against(workbook: Workbook, held: Held) -> dict[tuple[str, int], tuple[Reason, ...]]:
    """Return what speaks against accepted rows, by sheet and row."""
    before = [_without(w, workbook) for w in held.workbooks]
    both = combine(held.base, [*before, workbook])
    numbered = both.standing.corrections
    told: dict[tuple[str, int], list[Reason]] = {}
    for number, instead in both.corrected.missed.items():
        whose, row = numbered[number]
        if whose is workbook:
            why = Reason("was", "correction_is_needed", instead or "", row.values["was"])
            told.setdefault((row.page, row.row), []).append(why)
    touched = {at: numbered[number] for at, number in both.corrected.touched.items()}
    new = [
        f
        for f in check_sheets(both.sheets, dict.fromkeys(_sound(held, workbook, both), ())).findings
        if f.severity in REFUSING and _fault(f) not in held.faults
    ]
    for found in new:
        for row in _blamed(found, workbook, touched):
            why = Reason(found.column, found.rule, detail=found.detail)
            told.setdefault((row.page, row.row), []).append(why)
    return {at: _once(why) for at, why in told.items()}


def _once(reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    return tuple({(why.column, why.rule): why for why in reversed(reasons)}.values())


def _sound(held: Held, workbook: Workbook, both: Combined) -> set[str]:
    """Return the sources whose cells `hold` has checked and no correction has touched since."""
    new = {source_id for source_id, _ in both.corrected.touched}
    new |= {workbook.source_id(row.page) for row in workbook.rows} | {WORKBOOKS}
    return {sheet.source.source_id for sheet in (*held.base, *both.sheets)} - new


def _blamed(
    found: Finding, workbook: Workbook, touched: Mapping[tuple[str, int], tuple[Workbook, Row]]
) -> list[Row]:
    """Return the rows that a finding is about, or that brought it upon somebody else's row."""
    rows = {(workbook.source_id(r.page), r.row): r for r in workbook.accepted}
    own = rows.get((found.source_id, found.row))
    if own:
        return [own]
    whose = touched.get((found.source_id, found.row))
    if whose and whose[0] is workbook:
        return [whose[1]]
    if found.key == workbook.document_id:
        return list(rows.values())
    near = [
        row for row in rows.values() if found.key.startswith(f"{row.values.get('subject_id', '')}.")
    ]
    return near or [row for row in rows.values() if row.page == "corrections"]


def _without(earlier: Workbook, later: Workbook) -> Workbook:
    """Leave out what the later workbook says anew: both must not stand under one id."""
    if speaker(earlier.cover) != speaker(later.cover):
        return earlier
    anew = {(r.page, *one_thing(PAGE[r.page], r.values)) for r in later.accepted}
    kept = [
        r
        for r in earlier.rows
        if r.reasons
        or r.page == "corrections"
        or (r.page, *one_thing(PAGE[r.page], r.values)) not in anew
    ]
    return replace(earlier, rows=tuple(kept))


def _fault(found: Finding) -> tuple[str, int, str]:
    return found.source_id, found.row, found.rule
