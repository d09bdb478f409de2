"""What a person must agree to before it is published: each thing that looks wrong, all at once.

Compares an edition with the one before. A true change may look wrong too, and is then accepted
by its name.
"""

import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import geopandas as gpd
import pandas as pd

from atlas.compare import Standing, Tables
from atlas.measure import area_ha, length_km
from atlas.records import Changed
from geodata.cells import among, is_number, rows_of
from geodata.crs import to_metric
from geodata.frames import count_of, parts_of
from geodata.schema import TABLE

SHRINKS_BY_PCT = 10.0
"""A table or layer that loses more than a tenth needs a yes, where its source sets no other."""

JUMPS_BY = 10
"""A slip of the unit or of the decimal sign changes a number by more than ten times."""

SHOWN_KEYS = 5
HECTARES_PER_KM2 = 100

SUMS = {
    "claims": ("value", ("measure", "unit")),
    "money_events": ("amount", ("kind", "fund", "unit")),
    "indicators": ("value", ("series_id", "unit")),
    "funding_plan": ("amount", ("axis", "fund", "unit")),
}
"""What is added up, and within which groups."""

VALUES = {name: column for name, (column, _) in SUMS.items()} | {"targets": "value"}


@dataclass(frozen=True)
class Extent:
    """How much a layer holds; ``size`` is square kilometres of areas, kilometres of lines."""

    features: int
    size: float


@dataclass(frozen=True)
class Side:
    """One of the two editions: its tables, its layers, and where each record stands.

    Tables of the later one keep ``line``, the line in the file of ``source_id``. ``standing``
    gives ``stage_id`` and, in the later one, the ``event_id`` that it rests on.
    """

    tables: Tables
    standing: Standing = field(default_factory=dict)
    layers: Mapping[str, Extent] = field(default_factory=dict)


@dataclass(frozen=True)
class Alarm:
    """One thing that looks wrong: the name by which it is accepted, and what was seen."""

    name: str
    saw: str


def find_alarms(
    before: Side, after: Side, changes: Iterable[Changed], limits_pct: Mapping[str, float]
) -> tuple[Alarm, ...]:
    """Return everything that looks wrong, by kind, each name once.

    ``limits_pct`` gives the shrinkage that a table or layer may show where it is not
    `SHRINKS_BY_PCT`. A sum or value may not change by more than `JUMPS_BY` times, up or down; a
    record's stage may fall in rank only by an event that says so, or by ending.
    """
    found = [
        *_shrunk_tables(before, after, limits_pct),
        *_shrunk_layers(before, after, limits_pct),
        *_jumped_sums(before, after),
        *_jumped_values(changes, after),
        *_stages_back(before, after),
    ]
    seen: dict[str, list[str]] = {}
    for alarm in found:
        seen.setdefault(alarm.name, []).append(alarm.saw)
    return tuple(Alarm(name, "; ".join(saw)) for name, saw in seen.items())


def extent(layer: gpd.GeoDataFrame | None) -> Extent:
    """Measure a layer in the region's zone."""
    if layer is None or layer.empty:
        return Extent(0, 0.0)
    metric = to_metric(layer)
    km2 = float(area_ha(metric).sum()) / HECTARES_PER_KM2
    return Extent(len(layer), round(km2 or float(length_km(metric).sum()), 1))


def known_names(before: Side, after: Side) -> set[str]:
    """Return every name that could be accepted between these two editions."""
    names = {f"table:{name}" for name in TABLE}
    names |= {f"layer:{name}" for side in (before, after) for name in side.layers}
    for side in (before, after):
        names |= set(_sums(side.tables))
        names |= {f"stage:{subject_id}" for subject_id in side.standing}
        for table in VALUES:
            rows = rows_of(side.tables.get(table, pd.DataFrame()))
            names |= {_value_name(table, row, row[TABLE[table].key[0]]) for row in rows}
    return names


def _shrunk_tables(before: Side, after: Side, limits_pct: Mapping[str, float]) -> Iterator[Alarm]:
    for name in before.tables:
        old, new = (count_of(side.tables, name) for side in (before, after))
        limit = limits_pct.get(name, SHRINKS_BY_PCT)
        if _has_shrunk(old, new, limit):
            saw = f"{old} rows before, {new} now, at most {limit:g} % may go; gone: "
            yield Alarm(f"table:{name}", saw + _gone(name, before.tables, after.tables))


def _has_shrunk(old: float, new: float, limit_pct: float) -> bool:
    return (old - new) * 100 > limit_pct * old


def _gone(name: str, before: Tables, after: Tables) -> str:
    key = list(TABLE[name].key)
    there = {row for part in parts_of(after, name) for row in map(tuple, part[key].to_numpy())}
    shown = [
        f"{'/'.join(row[k] for k in key)} ({row.get('source_id', '')})"
        for part in parts_of(before, name)
        for row in rows_of(part[[*key, *part.columns.intersection(["source_id"])]])
        if tuple(row[k] for k in key) not in there
    ]
    more = len(shown) - SHOWN_KEYS
    return ", ".join(shown[:SHOWN_KEYS]) + (f" and {more} more" if more > 0 else "")


def _shrunk_layers(before: Side, after: Side, limits_pct: Mapping[str, float]) -> Iterator[Alarm]:
    for name, old in before.layers.items():
        new, limit = after.layers.get(name, Extent(0, 0.0)), limits_pct.get(name, SHRINKS_BY_PCT)
        fewer = _has_shrunk(old.features, new.features, limit)
        if fewer or _has_shrunk(old.size, new.size, limit):
            saw = (
                f"{old.features} features and {old.size:g} km or km² before, "
                f"{new.features} and {new.size:g} now, at most {limit:g} % may go"
            )
            yield Alarm(f"layer:{name}", saw)


def _jumped_sums(before: Side, after: Side) -> Iterator[Alarm]:
    old, new = _sums(before.tables), _sums(after.tables)
    for name in sorted(old.keys() & new.keys()):
        if _has_jumped(old[name], new[name]):
            yield Alarm(name, f"the sum was {old[name]:f} and is {new[name]:f}")


def _sums(tables: Tables) -> dict[str, Decimal]:
    """Add up, exactly, the numbers of each group of `SUMS`, by the name of the group."""
    sums: dict[str, Decimal] = {}
    for table, (column, by) in SUMS.items():
        if table not in tables:
            continue
        counts = tables[table].groupby([*by, column], sort=False).size().reset_index(name="times")
        for *group, value, times in counts.itertuples(index=False, name=None):
            if is_number(value):
                name = f"sum:{table}.{'.'.join(_plain(one) for one in group if one)}"
                sums[name] = sums.get(name, Decimal(0)) + Decimal(value) * times
    return sums


def _plain(text: str) -> str:
    """Write a unit or a kind so that a shell takes it as it is."""
    letters = unicodedata.normalize("NFD", text.replace("đ", "d").replace("%", "pct"))
    kept = "".join(
        c if c.isascii() and (c.isalnum() or c == "_") else "-"
        for c in letters
        if not unicodedata.combining(c)
    )
    return "-".join(part for part in kept.split("-") if part)


def _has_jumped(old: Decimal, new: Decimal) -> bool:
    small, large = sorted((abs(old), abs(new)))
    return old != 0 and large > JUMPS_BY * small


def _jumped_values(changes: Iterable[Changed], after: Side) -> Iterator[Alarm]:
    jumped = [(change, *pair) for change in changes if (pair := _jump(change))]
    keys: dict[str, list[str]] = {}
    for change, *_ in jumped:
        keys.setdefault(change.table, []).append(change.row_key)
    lines = {name: _lines(after.tables, name, mine) for name, mine in keys.items()}
    for change, old, new in jumped:
        where = lines[change.table].get(change.row_key, change.source_id)
        unit = change.row.get("unit", "")
        yield Alarm(
            _value_name(change.table, change.row, change.row_key),
            f"was {old} {unit} and is {new} {unit} ({change.row_key}, {where})",
        )


def _jump(change: Changed) -> tuple[str, str] | None:
    """Return the value before and after where a change is a jump."""
    column = VALUES.get(change.table, "")
    old, new = change.old, change.new
    if change.change == "added" and change.was.get("unit") == change.row.get("unit"):
        old, new = change.was.get(column, ""), change.row.get(column, "")
    elif change.column != column:
        return None
    if is_number(old) and is_number(new) and _has_jumped(Decimal(old), Decimal(new)):
        return old, new
    return None


def _value_name(table: str, row: Mapping[str, str], key: str) -> str:
    if table == "claims":
        key = f"{row['subject_id']}.{row['measure']}"
    return f"value:{key}"


def _lines(tables: Tables, name: str, keys: Collection[str]) -> dict[str, str]:
    """Return where some rows stand, by their key: their source and line."""
    if name not in tables:
        return {}
    key, rows = TABLE[name].key[0], tables[name]
    return {
        row[key]: f"{row['source_id']} line {row.get('line', '?')}"
        for row in rows_of(rows[among(rows[key], keys)])
    }


def _stages_back(before: Side, after: Side) -> Iterator[Alarm]:
    stages = {row["stage_id"]: row for row in rows_of(after.tables["stages"])}
    shared = sorted(before.standing.keys() & after.standing.keys())
    back = [
        (one, old, told)
        for one in shared
        if (old := before.standing[one]["stage_id"]) != (told := after.standing[one])["stage_id"]
        and _goes_back(stages.get(old), stages.get(told["stage_id"]))
    ]
    if not back:
        return
    rows, ids = after.tables["stage_events"], [told.get("event_id", "") for *_, told in back]
    events = {row["event_id"]: row for row in rows_of(rows[among(rows["event_id"], ids)])}
    lines = _lines(after.tables, "stage_events", ids)
    for subject_id, old, told in back:
        event = events.get(told.get("event_id", ""), {})
        if event.get("is_step_back") != "true":
            where = lines.get(event.get("event_id", ""), "")
            now = f"{told['stage_id']} ({event['event_id']}, {where})" if event else "not known"
            saw = f"stood at {old} and is {now}; no event says that it went back"
            yield Alarm(f"stage:{subject_id}", saw)


def _goes_back(old: Mapping[str, str] | None, new: Mapping[str, str] | None) -> bool:
    if old is None or new is None:
        return old is not None
    if old["axis"] != new["axis"] or new["group"] == "ended":
        return False
    return int(new["rank"]) < int(old["rank"])
