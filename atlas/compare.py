"""What changed between two editions: per table, row and field, from their published tables."""

import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from atlas.records import Changed
from geodata.cells import rows_of
from geodata.schema import TABLES

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""Text that begins so is published behind a ``'``: a spreadsheet would run it."""

SHRINKS_BY = 0.10
"""A table that loses more than a tenth of its rows overnight needs a person's yes."""


def compare_tables(
    before: Mapping[str, pd.DataFrame], after: Mapping[str, pd.DataFrame]
) -> tuple[Changed, ...]:
    """Compare all tables by key; sorted by table, key and column.

    A row on one side only is one change without a column; a row on both is one change for each
    cell that differs. Tables absent from ``before`` count as empty.
    """
    changes = []
    for table in TABLES:
        columns = [c for c in table.column_names if c not in table.key]
        old = _by_key(before.get(table.name), table.key)
        new = _by_key(after[table.name], table.key)
        for key in sorted(old.keys() | new.keys()):
            changes += _compare_row(table.name, key, columns, (old.get(key), new.get(key)))
    return tuple(changes)


def _by_key(frame: pd.DataFrame | None, key: tuple[str, ...]) -> dict[str, dict[str, str]]:
    if frame is None:
        return {}
    return {"/".join(row[k] for k in key): row for row in rows_of(frame)}


def _compare_row(
    table: str,
    key: str,
    columns: list[str],
    pair: tuple[dict[str, str] | None, dict[str, str] | None],
) -> list[Changed]:
    old, new = pair
    if old is None or new is None:
        side = new if old is None else old
        change = "added" if old is None else "removed"
        return [Changed(table, key, change, "", "", "", (side or {}).get("source_id", ""))]
    return [
        Changed(table, key, "altered", c, old.get(c, ""), new[c], new.get("source_id", ""))
        for c in columns
        if old.get(c, "") != new[c]
    ]


def read_edition(folder: Path) -> dict[str, pd.DataFrame]:
    """Read the published tables of an edition, all text; a table it lacks is left out.

    The ``'`` that `atlas.downloads.guard_cell` put before a formula is taken off again.
    """
    tables = {}
    for table in TABLES:
        path = folder / "data" / f"{table.name}.csv"
        if path.is_file():
            rows = pd.read_csv(path, dtype="str", na_filter=False, encoding="utf-8-sig")
            tables[table.name] = rows.fillna("").map(_unguarded)
    return tables


def _unguarded(cell: str) -> str:
    is_guarded = cell.startswith("'") and cell.lstrip("'").startswith(FORMULA_STARTS)
    return cell[1:] if is_guarded else cell


def find_shrinkage(
    before: Mapping[str, pd.DataFrame], after: Mapping[str, pd.DataFrame]
) -> list[tuple[str, int, int]]:
    """Return (table, rows before, rows now) of the tables that lost more than `SHRINKS_BY`."""
    return [
        (name, len(old), len(after[name]))
        for name, old in before.items()
        if len(old) - len(after[name]) > SHRINKS_BY * len(old)
    ]


def changes_json(previous: str, edition: str, changes: tuple[Changed, ...]) -> str:
    """Return ``changes.json``: the two editions and every change, as stable text."""
    told = {
        "edition": edition,
        "previous_edition": previous or None,
        "changes": [
            {k: v for k, v in vars(change).items() if v or k in ("old", "new")}
            for change in changes
        ],
    }
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"
