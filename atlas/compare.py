"""What changed between two editions: per table, row and field, from what they published."""

import io
import json
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from atlas.records import Changed
from atlas.stages import last_events
from geodata.cells import rows_of, where
from geodata.claims import GROUP, resolve
from geodata.dates import is_date, period_end
from geodata.frames import HELD_BYTES, InParts, parts_of
from geodata.schema import TABLE, TABLES, Table
from geodata.shapes import PART_BYTES

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""Text that begins so is published behind a ``'``: a spreadsheet would run it."""

GUARDED = re.compile(rb"[,\n\"]'")
"""Where no cell begins with the ``'``, none has to be looked at."""

BETWEEN_CELLS = "\x1f"
"""`geodata.cells.HIDDEN` holds it, so it is in no text that was accepted."""

Array = np.ndarray[Any, np.dtype[Any]]
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
    ``after``: it decides which added row takes another's place. Tables that come in parts are not
    held, but for the rows that differ.
    """
    salt = secrets.token_hex(8)
    apart = {table.name: _apart(before, after, table, salt) for table in TABLES}
    added = {name: new.keys() - old.keys() for name, (old, new) in apart.items()}
    held = _Held(before, after, as_of, added)
    changes = []
    for table in TABLES:
        columns = [c for c in table.column_names if c not in table.key]
        old, new = apart[table.name]
        for key in sorted(old.keys() | new.keys()):
            changes += _compare_row(table, key, columns, (old.get(key), new.get(key)), held)
    return tuple(changes)


def _apart(
    before: Tables, after: Tables, table: Table, salt: str
) -> tuple[dict[str, Row], dict[str, Row]]:
    """Return the rows of each side, by their key, that are not the very same on the other.

    They are found by 64 bits of each row, made with a salt that nobody can have known.
    """
    sides = [side for side in (before, after) if table.name in side]
    signs = {id(side): _signs(side, table, salt) for side in sides}
    old, new = (signs.get(id(side), np.empty(0, dtype="uint64")) for side in (before, after))
    left, right = ~np.isin(old, new), ~np.isin(new, old)
    return _picked(before, table, left), _picked(after, table, right)


def _signs(tables: Tables, table: Table, salt: str) -> Array:
    return np.concatenate([_sign(part, table, salt) for part in parts_of(tables, table.name)])


def _sign(part: pd.DataFrame, table: Table, salt: str) -> Array:
    """Hash each row once: its cells, of which none holds what stands between them here."""
    told = part.reindex(columns=list(table.column_names), fill_value="")
    cells = [pa.array(told[name], pa.large_string()) for name in told]
    between = pa.scalar(BETWEEN_CELLS, pa.large_string())
    rows = pc.binary_join_element_wise(*cells, between)
    return cast(
        Array,
        pd.util.hash_array(rows.to_numpy(zero_copy_only=False), hash_key=salt, categorize=False),
    )


def _picked(tables: Tables, table: Table, is_picked: Array) -> dict[str, Row]:
    """Return some rows of a table by their key."""
    told: dict[str, Row] = {}
    if not is_picked.any():
        return told
    start = 0
    for part in parts_of(tables, table.name):
        picked = part[is_picked[start : start + len(part)]]
        told |= {"/".join(row[k] for k in table.key): row for row in rows_of(picked)}
        start += len(part)
    return told


def compare_standing(before: Standing, after: Standing) -> tuple[Changed, ...]:
    """Compare what follows from the day: the schedule of each record that stands in both."""
    return tuple(
        Changed(STANDING, key, "altered", "schedule", old, new, "", key)
        for key in sorted(before.keys() & after.keys())
        if (old := before[key]["schedule"]) != (new := after[key]["schedule"])
    )


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

    def __init__(
        self, before: Tables, after: Tables, as_of: date, added: Mapping[str, AbstractSet[str]]
    ) -> None:
        self._was: dict[tuple[str, str], Row] = {}
        self._before = before
        for name, line in _LINES.items():
            if not added[name]:
                continue
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
        if table.name != "milestones":
            return was
        first = self._first_due.get((row.get("subject_id", ""), row.get("promise_id", "")))
        return was | ({FIRST_DUE: first} if first else {})

    @cached_property
    def _first_due(self) -> dict[tuple[str, str], str]:
        return _first_due(self._before.get("milestones"))


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


class Edition(InParts):
    """The published tables of an edition, all text; a table it lacks is left out.

    Each is read when it is asked for, a small one once. The ``'`` that
    `atlas.csv_file.guard_cell` put before a formula is taken off again.
    """

    def __init__(self, folder: Path) -> None:
        self._data = folder / "data"
        self._held: dict[str, pd.DataFrame] = {}

    def __iter__(self) -> Iterator[str]:
        """Go through the names of the tables that are there."""
        return (table.name for table in TABLES if self._path(table.name).is_file())

    def __len__(self) -> int:
        """Count the tables that are there."""
        return sum(1 for _ in self)

    def __getitem__(self, name: str) -> pd.DataFrame:
        """Return one table; KeyError where it is not there."""
        if name in self._held:
            return self._held[name]
        if name not in TABLE or not self._path(name).is_file():
            raise KeyError(name)
        rows = pd.concat(self._read(name), ignore_index=True)
        if self._path(name).stat().st_size <= HELD_BYTES:
            self._held[name] = rows
        return rows

    def parts(self, name: str) -> Iterator[pd.DataFrame]:
        """Go through the rows of a table; one that is a single part is read once."""
        if name not in self._held and self._path(name).stat().st_size > PART_BYTES:
            yield from self._read(name)
        else:
            yield self[name]

    def _read(self, name: str) -> Iterator[pd.DataFrame]:
        for content in _segments(self._path(name)):
            told = io.BytesIO(content)
            rows = pd.read_csv(told, dtype="str", na_filter=False, encoding="utf-8-sig")
            rows = rows.fillna("")
            yield rows.map(_unguarded) if GUARDED.search(content) else rows

    def _path(self, name: str) -> Path:
        return self._data / f"{name}.csv"


def _segments(path: Path) -> Iterator[bytes]:
    """Yield a CSV in pieces of whole rows that can be held, each behind its header."""
    with path.open("rb") as file:
        header, lines, size, is_open = file.readline(), list[bytes](), 0, False
        for line in file:
            lines.append(line)
            size += len(line)
            is_open ^= bool(line.count(b'"') % 2)  # a cell goes on in the next line
            if size >= PART_BYTES and not is_open:
                yield header + b"".join(lines)
                lines, size = [], 0
        yield header + b"".join(lines)


def _unguarded(cell: str) -> str:
    is_guarded = cell.startswith("'") and cell.lstrip("'").startswith(FORMULA_STARTS)
    return cell[1:] if is_guarded else cell


class Standings(Mapping[str, Mapping[str, str]]):
    """Where records stand, from a table that is indexed by their ids."""

    def __init__(self, table: pd.DataFrame) -> None:
        self._ids = table.index
        self._columns = {str(name): table[name].to_numpy(object) for name in table}

    def __getitem__(self, subject_id: str) -> Mapping[str, str]:
        """Return where one stands; KeyError where there is none such."""
        place = cast("int", self._ids.get_loc(subject_id))
        return {name: str(cells[place]) for name, cells in self._columns.items()}

    def __contains__(self, subject_id: object) -> bool:
        """Tell whether a record is there."""
        return subject_id in self._ids

    def __iter__(self) -> Iterator[str]:
        """Go through the ids."""
        return iter(self._ids)

    def __len__(self) -> int:
        """Count the records."""
        return len(self._ids)


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
