"""Can we stand on it? Rules that find, never mend; every broken rule of a run at once.

Rules about one cell come from `geodata.schema` and run through pandera; rules about rows and
tables together are in `geodata.rules`. A row with a ``row`` finding goes to quarantine, and so
does a row that points to it.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import pandera.pandas as pa

from geodata.cells import is_clean, is_nfc, is_number, parts_of, rows_of
from geodata.dates import is_date
from geodata.findings import Finding, findings_table
from geodata.ledger import Change
from geodata.read import Sheet
from geodata.rules import TABLE_RULES, Tables, found_rows, is_wkt
from geodata.schema import TABLE, TABLES, Column, Table

_URL = re.compile(r"https?://[^\s<>\"'`]+")


@dataclass(frozen=True)
class Checked:
    """What survived: tables of text with ``source_id`` and ``line``, and what did not."""

    tables: Mapping[str, pd.DataFrame]
    findings: tuple[Finding, ...]
    quarantine: pd.DataFrame
    ledger: tuple[Change, ...]


def check_sheets(sheets: Sequence[Sheet], sound: Collection[str] = ()) -> Checked:
    """Check every sheet alone, then together; nothing that fails is mended.

    The sheets of ``sound`` sources were checked alone before and are only checked together.

    The returned ledger balances per source: rows in the file = rows accepted + rows refused,
    each reason counted by the first rule that the row breaks.
    """
    findings = [f for sheet in sheets for f in sheet.findings]
    for sheet in sheets:
        findings += _cell_findings(sheet) if sheet.source.source_id not in sound else []
    tables = _stack(sheets)
    findings += [f for rule in TABLE_RULES for f in rule(tables)]
    findings += reference_exists(tables, set())
    findings = _follow_references(tables, findings)
    refused = _refused_lines(findings)
    kept = {name: _without(rows, refused) for name, rows in tables.items()}
    return Checked(
        kept,
        tuple(sorted(set(findings))),
        _quarantine(tables, findings),
        tuple(_account(sheet, findings) for sheet in sheets),
    )


def _stack(sheets: Sequence[Sheet]) -> dict[str, pd.DataFrame]:
    tables = {}
    for table in TABLES:
        parts = [
            sheet.rows.reset_index().assign(source_id=sheet.source.source_id)
            for sheet in sheets
            if sheet.source.table == table.name
        ]
        columns = [*table.column_names, "source_id", "line"]
        tables[table.name] = (
            pd.concat(parts, ignore_index=True)[columns]
            if parts
            else pd.DataFrame({c: pd.Series(dtype="str") for c in columns}).astype(
                {"line": "int64"}
            )
        )
    return tables


def _is_url(cell: str) -> bool:
    try:
        return bool(_URL.fullmatch(cell)) and bool(urlsplit(cell).hostname)
    except ValueError:
        return False


KINDS: dict[str, tuple[str, Callable[[str], bool]]] = {
    "integer": ("a whole number", lambda cell: is_number(cell) and "." not in cell),
    "number": ("a number with a decimal point", is_number),
    "decimal": ("an exact decimal number", is_number),
    "date": ("an ISO date, whole or cut", is_date),
    "flag": ("true or false", lambda cell: cell in ("true", "false")),
    "list": ("parts joined by ;", lambda cell: all(p and p == p.strip() for p in cell.split(";"))),
    "url": ("an http(s) address", _is_url),
    "wkt": ("a geometry as WKT", is_wkt),
}


def _holds(test: Callable[[str], bool]) -> Callable[[pd.Series], pd.Series]:
    """Make a column check of a cell test; empty cells are another rule's business."""

    def check(cells: pd.Series) -> pd.Series:
        answers = {cell: cell == "" or test(cell) for cell in set(cells)}
        return pd.Series([answers[cell] for cell in cells], index=cells.index, dtype=bool)

    return check


def _in_range(column: Column) -> Callable[[str], bool]:
    low, high = column.minimum, column.maximum

    def test(cell: str) -> bool:
        if not is_number(cell):
            return True
        value = float(cell)
        return (low is None or value >= low) and (high is None or value <= high)

    return test


def _column_rules(column: Column) -> dict[str, tuple[str, Callable[[pd.Series], pd.Series]]]:
    rules: dict[str, tuple[str, Callable[[pd.Series], pd.Series]]] = {
        "text_is_nfc": (
            "text in Unicode NFC",
            _holds(is_nfc),
        ),
        "text_is_clean": (
            "text without control marks or broken letters",
            _holds(is_clean),
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
            _holds(lambda cell: cell in column.enum),
        )
    if column.minimum is not None or column.maximum is not None:
        needed = f"from {column.minimum} to {column.maximum}"
        rules["value_is_in_range"] = (needed.replace("to None", "up"), _holds(_in_range(column)))
    if column.pattern:
        listed = column.kind == "list"
        rules["value_has_its_form"] = (
            f"the form {column.pattern}",
            _holds(
                lambda cell: all(
                    re.fullmatch(column.pattern, part, re.ASCII)
                    for part in (parts_of(cell) if listed else [cell])
                )
            ),
        )
    return rules


def frame_schema(table: Table) -> pa.DataFrameSchema:
    """Return the pandera schema of a table's cells (all text), from `geodata.schema`."""
    return pa.DataFrameSchema(
        {
            column.name: pa.Column(
                None,
                checks=[
                    pa.Check(test, name=rule, error=needed)
                    for rule, (needed, test) in _column_rules(column).items()
                ],
            )
            for column in table.columns
        }
    )


def _cell_findings(sheet: Sheet) -> list[Finding]:
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
    keys = dict(zip(sheet.rows.index, map("/".join, _keys(table, sheet.rows)), strict=True))
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


def reference_exists(tables: Tables, refused: set[tuple[str, int]]) -> list[Finding]:
    """A key that a row points to is held by an accepted row."""
    held: dict[str, set[str]] = {}
    findings = []
    for table in TABLES:
        rows = _without(tables[table.name], refused)
        for column in table.columns:
            if not column.references:
                continue
            known = set().union(*(_held(tables, refused, held, r) for r in column.references))
            listed = column.kind == "list"
            lost = [
                [p for p in (parts_of(cell) if listed else [cell]) if p and p not in known]
                for cell in rows[column.name]
            ]
            wrong = rows.loc[np.array([bool(parts) for parts in lost], dtype=bool)]
            details = [
                f"points to {', '.join(parts)}, which no accepted row of "
                f"{' or '.join(column.references)} holds"
                for parts in lost
                if parts
            ]
            findings += found_rows(table.name, wrong, "reference_exists", column.name, details)
    return findings


def _held(
    tables: Tables, refused: set[tuple[str, int]], held: dict[str, set[str]], reference: str
) -> set[str]:
    if reference not in held:
        table, column = reference.split(".")
        held[reference] = set(_without(tables[table], refused)[column]) - {""}
    return held[reference]


def _follow_references(tables: Tables, findings: list[Finding]) -> list[Finding]:
    """Refuse what points to refused rows, until nothing more falls."""
    while True:
        more = reference_exists(tables, _refused_lines(findings))
        if not more:
            return findings
        findings = findings + more


def _refused_lines(findings: Iterable[Finding]) -> set[tuple[str, int]]:
    return {(f.source_id, f.row) for f in findings if f.severity in ("row", "source") and f.row > 1}


def _without(rows: pd.DataFrame, refused: set[tuple[str, int]]) -> pd.DataFrame:
    keys = zip(rows["source_id"], rows["line"], strict=True)
    return rows.loc[np.array([key not in refused for key in keys], dtype=bool)]


def _account(sheet: Sheet, findings: Sequence[Finding]) -> Change:
    mine = sorted(f for f in findings if f.source_id == sheet.source.source_id)
    first: dict[int, str] = {}
    for found in mine:
        if found.severity in ("row", "source") and found.row > 1:
            first.setdefault(found.row, found.rule)
    dropped = {rule: list(first.values()).count(rule) for rule in sorted(set(first.values()))}
    return Change(
        f"check {sheet.source.source_id}",
        sheet.rows_in_file,
        sheet.rows_in_file - len(first),
        dropped,
    )


def _quarantine(tables: Tables, findings: Sequence[Finding]) -> pd.DataFrame:
    """Return the refused rows: the findings' columns and the row itself as JSON text."""
    refused = [f for f in sorted(set(findings)) if f.severity in ("row", "source") and f.row > 1]
    table = findings_table(refused)
    told = {
        (row["source_id"], row["line"]): pd.Series(
            {k: v for k, v in row.items() if k not in ("source_id", "line") and v}
        ).to_json(force_ascii=False)
        for rows in tables.values()
        for row in _refused_rows(rows, refused)
    }
    keys = zip(table["source_id"], table["row"], strict=True)
    table["content"] = [told.get(key, "") for key in keys]
    return table


def _refused_rows(rows: pd.DataFrame, refused: Sequence[Finding]) -> list[dict[str, str]]:
    lines = _refused_lines(refused)
    kept = _without(rows, lines)
    return rows_of(rows.drop(kept.index))
