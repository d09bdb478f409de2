"""Can we stand on it? Rules that find, never mend; every broken rule of a run at once.

Rules about one cell come from `geodata.schema` and run through pandera; rules about rows and
tables together are in `geodata.rules`. A row with a ``row`` finding goes to quarantine, and so
does a row that points to it.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import pandera.pandas as pa

from geodata.cells import (
    Truths,
    among,
    are_clean,
    are_like,
    are_nfc,
    are_numbers,
    by_value,
    chosen,
    parts_of,
    rows_of,
)
from geodata.dates import is_date
from geodata.findings import Finding, findings_table
from geodata.ledger import Change
from geodata.read import Sheet
from geodata.region import here
from geodata.rules import RULES, Rule, Tables, found_rows
from geodata.schema import TABLE, TABLES, Column, Table
from geodata.stack import Accepted, Stack, without

Test = Callable[["pd.Series[str]"], Truths]
CellCheck = Callable[["pd.Series[str]"], "pd.Series[bool] | bool"]

_URL = re.compile(r"https?://[^\s<>\"'`]+")


@dataclass(frozen=True)
class Checked:
    """What survived: tables of text with ``source_id`` and ``line``, and what did not."""

    tables: Accepted
    findings: tuple[Finding, ...]
    quarantine: "Quarantine"
    ledger: tuple[Change, ...]


def check_sheets(
    sheets: Sequence[Sheet], alone: Mapping[str, Sequence[Finding]] | None = None
) -> Checked:
    """Check every sheet alone, then together; nothing that fails is mended.

    ``alone`` holds, by source, what `cell_findings` found in sheets that were checked before.

    The returned ledger balances per source: rows in the file = rows accepted + rows refused,
    each reason counted by the first rule that the row breaks.
    """
    findings = [f for sheet in sheets for f in sheet.findings]
    for sheet in sheets:
        known = (alone or {}).get(sheet.source.source_id)
        findings += cell_findings(sheet) if known is None else known
    stack = Stack(sheets)
    findings += _of_rules(stack)
    findings += reference_exists(stack, set())
    findings = _follow_references(stack, findings)
    return Checked(
        Accepted(stack, _refused_lines(findings)),
        tuple(sorted(set(findings))),
        Quarantine(sheets, findings),
        tuple(_account(sheet, findings) for sheet in sheets),
    )


def _of_rules(stack: Stack) -> Iterator[Finding]:
    """Ask every rule of what it looks at; parts of rows once for all that judge them alone."""
    judging: dict[str, list[tuple[Rule, Tables]]] = {}
    for rule in RULES:
        whole: Tables = {n: stack.columns(n, names) for n, names in rule.whole.items()}
        if not rule.alone:
            yield from rule.find(whole)
        for name in rule.alone:
            judging.setdefault(name, []).append((rule, whole))
    for name, rules in judging.items():
        for part in stack.parts(name):
            for rule, whole in rules:
                yield from rule.find({**whole, name: part})


def _is_url(cell: str) -> bool:
    try:
        return bool(_URL.fullmatch(cell)) and bool(urlsplit(cell).hostname)
    except ValueError:
        return False


def _each(test: Callable[[str], bool]) -> Test:
    """Make a test of cells of a test of one; it is asked once for every distinct cell."""
    return lambda cells: by_value(cells, test).astype("bool").to_numpy()


def _is_list(cell: str) -> bool:
    return all(part and part == part.strip() for part in cell.split(";"))


KINDS: dict[str, tuple[str, Test]] = {
    "integer": ("a whole number", lambda cells: are_numbers(cells) & ~are_like(cells, r".*\..*")),
    "number": ("a number with a decimal point", are_numbers),
    "decimal": ("an exact decimal number", are_numbers),
    "date": ("an ISO date, whole or cut", _each(is_date)),
    "flag": ("true or false", _each(lambda cell: cell in ("true", "false"))),
    "list": ("parts joined by ;", _each(_is_list)),
    "url": ("an http(s) address", _each(_is_url)),
}
"""What each kind of column needs; a geometry is parsed once, by `geodata.rules`."""


def _holds(test: Test) -> CellCheck:
    """Make a column check of a test of cells; empty cells are another rule's business.

    It is plainly true where all is well, which pandera takes faster.
    """

    def check(cells: "pd.Series[str]") -> "pd.Series[bool] | bool":
        is_well = test(cells)
        if not is_well.all():
            is_well = is_well | (cells == "").to_numpy()
        return True if is_well.all() else pd.Series(is_well, index=cells.index, dtype=bool)

    return check


def _in_range(column: Column) -> Test:
    low = -np.inf if column.minimum is None else column.minimum
    high = np.inf if column.maximum is None else column.maximum

    def test(cells: "pd.Series[str]") -> Truths:
        is_number = are_numbers(cells)
        value = pd.to_numeric(cells.where(is_number)).to_numpy(dtype="float64", na_value=np.nan)
        return ~is_number | ((value >= low) & (value <= high))

    return test


def _has_form(column: Column) -> Test:
    form = f"(?:{column.pattern})"
    form = f"{form}(?:;{form})*" if column.kind == "list" else form
    return lambda cells: are_like(cells, form)


def _column_rules(column: Column) -> dict[str, tuple[str, CellCheck]]:
    column = here().local(column)
    rules: dict[str, tuple[str, CellCheck]] = {
        "text_is_nfc": (
            "text in Unicode NFC",
            _holds(are_nfc),
        ),
        "text_is_clean": (
            "text without control marks or broken letters",
            _holds(are_clean),
        ),
    }
    if column.required:
        rules["value_is_present"] = ("a value", lambda cells: cells.str.strip() != "")
    if column.kind in KINDS:
        needed, test = KINDS[column.kind]
        rules["value_is_of_its_kind"] = (needed, _holds(test))
    if column.enum:
        rules["value_is_in_vocabulary"] = (
            "one of " + ", ".join(word for word in column.enum if word),
            _holds(lambda cells: cells.isin(column.enum).to_numpy()),
        )
    if column.minimum is not None or column.maximum is not None:
        needed = f"from {column.minimum} to {column.maximum}"
        rules["value_is_in_range"] = (needed.replace("to None", "up"), _holds(_in_range(column)))
    if column.pattern:
        rules["value_has_its_form"] = (f"the form {column.pattern}", _holds(_has_form(column)))
    return rules


def frame_schema(table: Table) -> pa.DataFrameSchema:
    """Return the pandera schema of a table's cells (all text), from `geodata.schema`."""
    return pa.DataFrameSchema(
        {
            column.name: pa.Column(
                None,
                checks=[
                    pa.Check(test, name=rule, error=needed, ignore_na=False)
                    for rule, (needed, test) in _column_rules(column).items()
                ],
            )
            for column in table.columns
        }
    )


def cell_findings(sheet: Sheet) -> list[Finding]:
    """Return what the cells of a sheet break, each by itself."""
    table = TABLE[sheet.source.table]
    missing = {f.column for f in sheet.findings if f.rule == "column_is_present"}
    present = replace(table, columns=tuple(c for c in table.columns if c.name not in missing))
    try:
        frame_schema(present).validate(sheet.rows, lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases
    else:
        return []
    needed = {
        (c.name, text): rule for c in table.columns for rule, (text, _) in _column_rules(c).items()
    }
    failed = sheet.rows.loc[cases["index"].astype("int64").unique()]
    keys = dict(zip(failed.index, map("/".join, _keys(table, failed)), strict=True))
    return [
        Finding(
            sheet.source.source_id,
            table.name,
            int(case.index),
            keys[int(case.index)],
            str(case.column),
            needed[str(case.column), str(case.check)],
            "row",
            f"found {str(case.failure_case)[:80]!r}, needed {case.check}",
        )
        for case in cases.itertuples(index=False)
    ]


def _keys(table: Table, rows: pd.DataFrame) -> list[list[str]]:
    return [[row[name] for name in table.key] for row in rows_of(rows)]


def reference_exists(stack: Stack, refused: set[tuple[str, int]]) -> list[Finding]:
    """A key that a row points to is held by an accepted row."""
    findings = []
    for table in TABLES:
        for column in (one for one in table.columns if one.references):
            rows = without(stack.columns(table.name, [column.name]), refused)
            held = (reference.split(".") for reference in column.references)
            known = pd.concat([without(stack.columns(t, [c]), refused)[c] for t, c in held])
            lost = _lost(rows[column.name], known, column.kind == "list")
            wrong = chosen(rows, (lost != "").to_numpy())
            details = [
                f"points to {parts}, which no accepted row of "
                f"{' or '.join(column.references)} holds"
                for parts in lost[lost != ""]
            ]
            findings += found_rows(table.name, wrong, "reference_exists", column.name, details)
    return findings


def _lost(cells: "pd.Series[str]", known: "pd.Series[str]", is_listed: bool) -> "pd.Series[str]":
    """Return what each cell names and nobody holds, joined by commas."""
    if not is_listed:
        return cells.mask(among(cells, known), "")
    held = set(known)
    return by_value(cells, lambda cell: ", ".join(p for p in parts_of(cell) if p and p not in held))


def _follow_references(stack: Stack, findings: list[Finding]) -> list[Finding]:
    """Refuse what points to refused rows, until nothing more falls."""
    while refused := _refused_lines(findings):
        more = reference_exists(stack, refused)
        if not more:
            break
        findings = findings + more
    return findings


def _refused_lines(findings: Iterable[Finding]) -> set[tuple[str, int]]:
    return {(f.source_id, f.row) for f in findings if _refuses(f)}


def _refuses(found: Finding) -> bool:
    return found.severity in ("row", "source") and found.row > 1


def _account(sheet: Sheet, findings: Sequence[Finding]) -> Change:
    mine = sorted(f for f in findings if f.source_id == sheet.source.source_id)
    first: dict[int, str] = {}
    for found in mine:
        if _refuses(found):
            first.setdefault(found.row, found.rule)
    dropped = {rule: list(first.values()).count(rule) for rule in sorted(set(first.values()))}
    return Change(
        f"check {sheet.source.source_id}",
        sheet.rows_in_file,
        sheet.rows_in_file - len(first),
        dropped,
    )


class Quarantine:
    """The refused rows: the findings' columns and the row itself as JSON text (``content``).

    They come in parts that can be held, one at least, by source and line; what is no whole row
    of its file has no content.
    """

    def __init__(self, sheets: Iterable[Sheet], findings: Iterable[Finding]) -> None:
        self._sheets = {sheet.source.source_id: sheet for sheet in sheets}
        self._refused: dict[str, list[Finding]] = {}
        for found in sorted(set(findings)):
            if _refuses(found):
                self._refused.setdefault(found.source_id, []).append(found)

    def __iter__(self) -> Iterator[pd.DataFrame]:
        """Go through the parts; a source of which no row was refused is not read."""
        if not self._refused:
            yield _held_back([], {})
        for source_id, refused in self._refused.items():
            yield from _held_back_of(self._sheets[source_id], refused)


def _held_back_of(sheet: Sheet, refused: Sequence[Finding]) -> Iterator[pd.DataFrame]:
    names = list(TABLE[sheet.source.table].column_names)
    left = list(refused)
    for part in sheet.parts():
        count = bisect_right(left, part.index.max(), key=lambda found: found.row)
        if mine := left[:count]:
            lines = part.index.isin([found.row for found in mine])
            rows = part.loc[lines, names]
            yield _held_back(mine, dict(zip(rows.index, rows_of(rows), strict=True)))
        left = left[count:]
        if not left:
            return
    yield _held_back(left, {})


def _held_back(refused: Sequence[Finding], rows: Mapping[int, Mapping[str, str]]) -> pd.DataFrame:
    told = {line: {k: v for k, v in row.items() if v} for line, row in rows.items()}
    content = {line: pd.Series(row).to_json(force_ascii=False) for line, row in told.items()}
    return findings_table(refused).assign(content=[content.get(f.row, "") for f in refused])
