"""What changed between two editions: per table, row and field, from what they published."""

import io
import json
import re
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

import pandas as pd

from atlas.records import Changed
from atlas.stages import last_events
from geodata.cells import rows_of, where
from geodata.claims import GROUP, resolve
from geodata.dates import is_date, period_end
from geodata.schema import TABLE, TABLES, Table

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""Text that begins so is published behind a ``'``: a spreadsheet would run it."""

GUARDED = re.compile(rb"[,\n\"]'")
"""Where no cell begins with the ``'``, none has to be looked at."""

Row = dict[str, str]
Tables = Mapping[str, pd.DataFrame]
Standing = Mapping[str, Mapping[str, str]]

SUBJECTS = {"places": "place_id", "routes": "route_id"}
LONG_KINDS = ("wkt",)
STANDING = "standing"


def compare_tables(before: Tables, after: Tables, as_of: date = date.max) -> tuple[Changed, ...]:
    """Compare all tables by key; sorted by table, key and column.

    A row on one side only is one change without a column; a row on both is one change for each
    cell that differs. Tables absent from ``before`` count as empty. ``as_of`` is the day of
    ``after``: it decides which added row takes another's place.
    """
    held = _Held(before, after, as_of)
    changes = []
    for table in TABLES:
        if table.name in before and after[table.name].equals(before[table.name]):
            continue
        columns = [c for c in table.column_names if c not in table.key]
        old = _by_key(before.get(table.name), table.key)
        new = _by_key(after[table.name], table.key)
        for key in sorted(old.keys() | new.keys()):
            if old.get(key) != new.get(key):
                pair = old.get(key), new.get(key)
                changes += _compare_row(table, key, columns, pair, held)
    return tuple(changes)


def compare_standing(before: Standing, after: Standing) -> tuple[Changed, ...]:
    """Compare what follows from the day: the schedule of each record that stands in both."""
    return tuple(
        Changed(STANDING, key, "altered", "schedule", old, new, "", key)
        for key in sorted(before.keys() & after.keys())
        if (old := before[key]["schedule"]) != (new := after[key]["schedule"])
    )


def _by_key(frame: pd.DataFrame | None, key: tuple[str, ...]) -> dict[str, Row]:
    if frame is None:
        return {}
    return {"/".join(row[k] for k in key): row for row in rows_of(frame)}


def _compare_row(
    table: Table,
    key: str,
    columns: list[str],
    pair: tuple[Row | None, Row | None],
    held: "_Held",
) -> list[Changed]:
    old, new = pair
    row = new or old or {}
    about = (row.get("source_id", ""), _subject(table, row), _told(table, row))
    was = {} if new is None else held.before(table, key, row)
    if old is None or new is None:
        change = "removed" if new is None else "added"
        return [Changed(table.name, key, change, "", "", "", *about, was)]
    return [
        Changed(table.name, key, "altered", c, old.get(c, ""), new[c], *about, was)
        for c in columns
        if old.get(c, "") != new[c]
    ]


def _subject(table: Table, row: Row) -> str:
    return row.get(SUBJECTS.get(table.name, "subject_id"), "")


def _told(table: Table, row: Row) -> Row:
    """Return the cells that say what a row is; notes and geometries say more than that."""
    kept = [c.name for c in table.columns if c.kind not in LONG_KINDS]
    kept = [name for name in kept if not name.startswith(("note_", "caution_", "meaning_"))]
    return {name: row[name] for name in kept if row.get(name)}


class _Held:
    """Which row held before, for each added row that now holds in its place.

    A claim takes the place of the fact about its measure, a step that of the last step, a
    forecast that of the newest forecast of its promise, an amount that of the newest of its kind
    and fund.
    """

    def __init__(self, before: Tables, after: Tables, as_of: date) -> None:
        self._was: dict[tuple[str, str], Row] = {}
        self._first_due = _first_due(before.get("milestones"))
        for name, line in _LINES.items():
            old, new = _dated(name, before.get(name)), _dated(name, after[name])
            key = TABLE[name].key[0]
            touched = new.loc[~new[key].isin(old[key]), line].drop_duplicates()
            if old.empty or touched.empty:
                continue
            then = _last(name, old.merge(touched, on=line), before, as_of)
            for told, row in _last(name, new.merge(touched, on=line), after, as_of).items():
                if told in then and then[told][key] != row[key]:
                    self._was[name, row[key]] = then[told]

    def before(self, table: Table, key: str, row: Row) -> Row:
        """Return the telling cells of the row that an added row replaces; {} where none.

        Beside a forecast stands the date that its promise named first, new or altered.
        """
        was = _told(table, self._was.get((table.name, key), {}))
        first = self._first_due.get((row.get("subject_id", ""), row.get("promise_id", "")))
        return was | ({FIRST_DUE: first} if first and table.name == "milestones" else {})


def _first_due(milestones: pd.DataFrame | None) -> dict[tuple[str, str], str]:
    told = rows_of(_dated("milestones", milestones))
    ordered = sorted(told, key=lambda r: (period_end(r["published_on"]), r["milestone_id"]))
    return {(r["subject_id"], r["promise_id"]): r["due_on"] for r in reversed(ordered)}


_LINES = {
    "claims": GROUP,
    "stage_events": ["subject_id"],
    "money_events": ["subject_id", "kind", "fund", "phase", "unit"],
    "milestones": ["subject_id", "promise_id"],
}
"""What rows of which the last one holds have in common."""

_DATED = {"claims": "as_of", "stage_events": "on", "money_events": "on"}
FIRST_DUE = "first_due_on"
"""Beside a forecast: the date that its promise named first."""


def _dated(name: str, rows: pd.DataFrame | None) -> pd.DataFrame:
    """Return the rows that have their date; an older edition may lack a column or a cell."""
    columns = [*TABLE[name].column_names, "source_id"]
    told = pd.DataFrame(columns=columns, dtype="str") if rows is None else rows
    told = told.reindex(columns=columns, fill_value="")
    return where(told, _DATED.get(name, "published_on"), is_date)


def _last(name: str, rows: pd.DataFrame, tables: Tables, as_of: date) -> dict[str, Row]:
    """Return the row that holds on each line, by the line's cells."""
    line = _LINES[name]
    if name == "claims":
        last = resolve(rows).drop_duplicates(line)
    elif name == "stage_events":
        last = last_events(rows, tables["stages"], as_of)
    else:
        days = rows[_DATED.get(name, "published_on")].map(period_end).astype("str")
        rows = rows.assign(_day=days).sort_values(["_day", TABLE[name].key[0]])
        last = rows.drop_duplicates(line, keep="last")
    return {"/".join(row[c] for c in line): row for row in rows_of(last)}


def read_edition(folder: Path) -> dict[str, pd.DataFrame]:
    """Read the published tables of an edition, all text; a table it lacks is left out.

    The ``'`` that `atlas.downloads.guard_cell` put before a formula is taken off again.
    """
    tables = {}
    for table in TABLES:
        path = folder / "data" / f"{table.name}.csv"
        if path.is_file():
            content = path.read_bytes()
            told = io.BytesIO(content)
            rows = pd.read_csv(told, dtype="str", na_filter=False, encoding="utf-8-sig")
            rows = rows.fillna("")
            tables[table.name] = rows.map(_unguarded) if GUARDED.search(content) else rows
    return tables


def _unguarded(cell: str) -> str:
    is_guarded = cell.startswith("'") and cell.lstrip("'").startswith(FORMULA_STARTS)
    return cell[1:] if is_guarded else cell


def read_standing(folder: Path) -> dict[str, dict[str, str]]:
    """Read where each record of an edition stands: its ``stage_id`` and ``schedule``."""
    found: dict[str, dict[str, str]] = {}
    for name in SUBJECTS:
        path = folder / "data" / f"{name}.geojson"
        if path.is_file():
            for feature in json.loads(path.read_text(encoding="utf-8"))["features"]:
                told = feature["properties"]
                found[told["id"]] = {k: told.get(k, "") for k in ("stage_id", "schedule")}
    return found


def changes_json(previous: str, edition: str, changes: Iterable[Changed]) -> str:
    """Return ``changes.json``: the two editions and every change, as stable text."""
    told = {
        "edition": edition,
        "previous_edition": previous or None,
        "changes": [
            {
                k: dict(sorted(v.items())) if isinstance(v, Mapping) else v
                for k, v in vars(change).items()
                if v or k in ("old", "new")
            }
            for change in changes
        ],
    }
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"
