"""What was known by a day, and what is known now about a day: two ways to look at the past.

A row is known from the day on which the first of its documents was published; what the atlas
itself wrote is known from the day on which it read and wrote. Rows that are not there are counted.
"""

from collections.abc import Iterable, Mapping
from datetime import date

import numpy as np
import pandas as pd

from geodata.cells import parts_of, rows_of
from geodata.dates import period_end, period_start
from geodata.ledger import Change
from geodata.schema import TABLE, TABLES, Column, Table

Tables = Mapping[str, pd.DataFrame]

HAPPENED = ("as_of", "on", "published_on", "looked_on", "valid_from", "done_on")
"""The columns that say when what a row tells happened; a table has one of them, or none."""

AHEAD = frozenset({"due_on", "starts_on", "ends_on", "valid_to"})
"""Dates that lay ahead when they were written: a past day may know them."""

VOUCHERS = ("document_ids", "plan_id")
"""The columns that name who says so; a legal act that a row mentions does not."""

VOCABULARIES = frozenset({"communes", "measures", "stages"})
"""What gives rows their words is there on every day; of it, only what later days brought is not."""

WRITTEN_LATER = ("note_", "caution_", "law_")
"""What the atlas says beside the rows, written on the day a source was taken."""

UNTOLD = "not known by that day"
LATER = "of a later day"
POINTLESS = "about what was not known by that day"


def known_by(tables: Tables, day: date) -> tuple[dict[str, pd.DataFrame], list[Change]]:
    """Return what was known by a day, and the ledger of what was not.

    A date cut to a month or year counts as its last day, and a document whose day is a lower
    bound or not known at all as known from the day it was read: what is not certain to have been
    known is not shown. Documents that came later leave the rows that others vouch for, and a row
    of which one of two sources is left says so; what is derived needs all of its documents. Notes
    were written later and are left out. Of rows that happened later, see `about_then`.
    """
    known = {
        row["document_id"] for row in rows_of(tables["documents"]) if _document_day(row) <= day
    }
    kept = {name: _vouched(TABLE[name], rows, known) for name, rows in tables.items()}
    kept["documents"] = _only(tables["documents"], "document_id", known)
    for name in ("places", "routes"):
        kept[name] = _spoken_of(TABLE[name], tables[name], kept, known)
    kept = {name: _without_notes(rows) for name, rows in kept.items()}
    dropped = {name: {UNTOLD: len(tables[name]) - len(rows)} for name, rows in kept.items()}
    return _settled(kept, day, dropped)


def about_then(tables: Tables, day: date) -> tuple[dict[str, pd.DataFrame], list[Change]]:
    """Return all that is known now about a day, and the ledger of what came after it.

    What happened later is not there, nor the day on which a promise was met later; who told it,
    and when, does not matter.
    """
    return _settled(dict(tables), day, {name: {} for name in tables})


def _document_day(row: Mapping[str, str]) -> date:
    if not row["published_on"] or row["date_basis"] in ("not_before", "not_known"):
        return period_end(row["retrieved_on"])
    return period_end(row["published_on"])


def _vouched(table: Table, rows: pd.DataFrame, known: set[str]) -> pd.DataFrame:
    """Return the rows that a known document vouches for, without the documents that came later."""
    vouchers = [name for name in VOUCHERS if name in table.column_names]
    cited = [[d for name in vouchers for d in parts_of(row[name])] for row in rows_of(rows)]
    there = [[d for d in docs if d in known] for docs in cited]
    if table.name in VOCABULARIES or not vouchers:
        kept = np.ones(len(rows), dtype=bool)
    else:
        derived = rows["confidence"] == "derived" if "confidence" in rows else [False] * len(rows)
        pairs = zip(cited, there, derived, strict=True)
        kept = np.array([bool(t) and (not d or t == c) for c, t, d in pairs], dtype=bool)
    rows = rows.loc[kept]
    counts = [len(t) for t, is_kept in zip(there, kept, strict=True) if is_kept]
    if "confidence" in rows:
        agreed = [
            "one_source" if c == "two_sources" and n < 2 else c
            for c, n in zip(rows["confidence"], counts, strict=True)
        ]
        rows = rows.assign(confidence=pd.Series(agreed, index=rows.index, dtype="str"))
    return rows


def _spoken_of(table: Table, rows: pd.DataFrame, kept: Tables, known: set[str]) -> pd.DataFrame:
    """Return the records that a known document names: their own, a plan's clause, or any row's."""
    spoken = {
        subject_id
        for other in TABLES
        if "subject_id" in other.column_names and set(VOUCHERS) & set(other.column_names)
        for subject_id in kept[other.name]["subject_id"]
    }
    named = [
        row[table.key[0]] in spoken
        or bool(known & set(parts_of(row["document_ids"])))
        or bool(known & {ref.partition(":")[0] for ref in parts_of(row["plan_refs"])})
        for row in rows_of(rows)
    ]
    clauses = [
        ";".join(r for r in parts_of(cell) if r.partition(":")[0] in known)
        for cell in rows["plan_refs"]
    ]
    rows = rows.assign(plan_refs=pd.Series(clauses, index=rows.index, dtype="str"))
    return rows.loc[np.array(named, dtype=bool)]


def _without_notes(rows: pd.DataFrame) -> pd.DataFrame:
    later = [name for name in rows.columns if str(name).startswith(WRITTEN_LATER)]
    return rows.assign(**dict.fromkeys(later, "")).astype(dict.fromkeys(later, "str"))


def _only(rows: pd.DataFrame, column: str, values: Iterable[str]) -> pd.DataFrame:
    return rows.loc[rows[column].isin(set(values))]


def _settled(
    tables: dict[str, pd.DataFrame], day: date, dropped: dict[str, dict[str, int]]
) -> tuple[dict[str, pd.DataFrame], list[Change]]:
    """Take off what happened after the day and what then points nowhere; account for all of it."""
    kept = {name: _happened(TABLE[name], rows, day) for name, rows in tables.items()}
    for name, rows in tables.items():
        dropped[name][LATER] = len(rows) - len(kept[name])
    while True:
        held = _held(kept)
        fewer = {name: _pointing(TABLE[name], rows, held) for name, rows in kept.items()}
        lost = {name: len(kept[name]) - len(rows) for name, rows in fewer.items()}
        for name, count in lost.items():
            dropped[name][POINTLESS] = dropped[name].get(POINTLESS, 0) + count
        kept = fewer
        if not any(lost.values()):
            break
    whole = {name: len(rows) + sum(dropped[name].values()) for name, rows in kept.items()}
    return kept, [
        Change(f"look_back {name}", whole[name], len(rows), _some(dropped[name]))
        for name, rows in kept.items()
        if whole[name]
    ]


def _some(counts: Mapping[str, int]) -> dict[str, int]:
    return {reason: count for reason, count in counts.items() if count}


def _happened(table: Table, rows: pd.DataFrame, day: date) -> pd.DataFrame:
    """Return the rows that had happened by the day, without any date that lay after it."""
    dated = next((name for name in HAPPENED if name in table.column_names), "")
    if dated and table.name != "documents":
        begun = [not cell or period_start(cell) <= day for cell in rows[dated]]
        rows = rows.loc[np.array(begun, dtype=bool)]
    others = [c.name for c in table.columns if c.kind == "date" and c.name not in AHEAD]
    blank = {
        name: pd.Series(
            [cell if not cell or period_start(cell) <= day else "" for cell in rows[name]],
            index=rows.index,
            dtype="str",
        )
        for name in others
        if name != dated
    }
    return rows.assign(**blank)


def _held(tables: Tables) -> dict[str, set[str]]:
    wanted = {r for table in TABLES for c in table.columns for r in c.references}
    return {r: set(tables[r.split(".")[0]][r.split(".")[1]]) for r in wanted}


def _pointing(table: Table, rows: pd.DataFrame, held: Mapping[str, set[str]]) -> pd.DataFrame:
    """Return the rows whose references are held; lists lose the parts that are not."""
    for column in (c for c in table.columns if c.references):
        there: set[str] = set().union(*(held[r] for r in column.references))
        cells = [
            ";".join(p for p in _parts(column, cell) if p in there) for cell in rows[column.name]
        ]
        lost = column.required and column.kind != "list"
        pointless = [
            lost and bool(old) and not new
            for old, new in zip(rows[column.name], cells, strict=True)
        ]
        rows = rows.assign(**{column.name: pd.Series(cells, index=rows.index, dtype="str")})
        rows = rows.loc[~np.array(pointless, dtype=bool)]
    return rows


def _parts(column: Column, cell: str) -> list[str]:
    return parts_of(cell) if column.kind == "list" else [cell]
