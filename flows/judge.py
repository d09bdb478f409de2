"""The step between measuring and drawing: what changed, and may it be published?

A comparison that may be is written into the archive's log of editions before anything is drawn,
so that no change is forgotten when the editions themselves are no longer kept.
"""

import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd

from atlas.compare import (
    Edition,
    Standings,
    compare_standing,
    compare_tables,
    read_standing,
)
from atlas.editions import ROLLBACK, Inputs, Shop, read_manifest
from atlas.gates import Alarm, Extent, Side, extent, find_alarms, known_names
from atlas.history import LOG, Entry, read_log, way_to
from atlas.records import Changed, Past, SourceState
from atlas.telling import NOT_KNOWN
from flows.order import Order, in_region
from flows.past import keep_inputs
from flows.work import read_json, read_layer_file, read_states, read_tables, write_json
from geodata.archive import Archive
from geodata.cells import rows_of
from geodata.errors import AtlasError, PublishRefusedError, UsageError
from geodata.frames import Frames, InParts
from geodata.schema import TABLE

POSITIONS = "positions_table.parquet"
"""In the work folder: the best position of every subject, as a table of text."""


@in_region
def compare(order: Order, inputs: Inputs, accept: tuple[str, ...]) -> Path:
    """List what changed since the last edition, and write it into the log of editions.

    PublishRefusedError names everything that looks wrong and is not in ``accept``, and the
    command to run if it is right; UsageError what in ``accept`` names nothing. A rebuilt day is
    compared with nothing: what its edition changed is in the log.
    """
    states = read_states(order)
    after = _side_after(order, states)
    if order.looks_back:
        return _leave(order, _changed_then(order, inputs), after)
    before = _side_before(order, inputs.previous)
    _require_known(accept, before, after)
    changes: tuple[Changed, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    if before.tables:
        changes = compare_tables(before.tables, Published(order), inputs.as_of)
        changes += compare_standing(before.standing, after.standing)
        alarms = find_alarms(before, after, changes, _limits_pct(states))
    open_ones = [alarm for alarm in alarms if alarm.name not in accept]
    if open_ones:
        command = order.command((*accept, *_names(open_ones)))
        raise PublishRefusedError(_refusal(inputs.previous, open_ones, command))
    entry = Entry(
        inputs.edition,
        inputs.previous,
        inputs.as_of.isoformat(),
        inputs.key,
        keep_inputs(order, inputs),
        _names(alarms),
        _groups(after, changes),
        changes,
    )
    Archive(order.archive).append(LOG, entry.told)
    return _leave(order, entry, after)


def _changed_then(order: Order, inputs: Inputs) -> Entry:
    """Return the log's entry of an edition that is rebuilt whole; else one without changes."""
    log = read_log(Archive(order.archive).entries(LOG))
    as_of = inputs.as_of.isoformat()
    return log.get(inputs.edition) or Entry(inputs.edition, "", as_of, inputs.key)


def _leave(order: Order, entry: Entry, after: Side) -> Path:
    """Leave what the comparison found for the drawing and for the manifest."""
    path = order.work / "changes.json"
    write_json(
        path,
        {
            "changes": [dataclasses.asdict(change) for change in entry.changes],
            "accepted": entry.accepted,
            "layers": {name: dataclasses.asdict(told) for name, told in after.layers.items()},
        },
    )
    return path


def _names(alarms: Iterable[Alarm]) -> tuple[str, ...]:
    return tuple(alarm.name for alarm in alarms)


def _refusal(previous: str, alarms: Iterable[Alarm], command: str) -> str:
    lines = "".join(f"\n  {alarm.name}: {alarm.saw}" for alarm in alarms)
    return (
        f"against edition {previous} this looks wrong, so nothing is published and the last "
        f"edition stays up:{lines}\nif all of it is right, run again with:\n  {command}"
    )


def _require_known(accept: tuple[str, ...], before: Side, after: Side) -> None:
    strange = sorted(set(accept) - {ROLLBACK} - known_names(before, after)) if accept else []
    if strange:
        raise UsageError(
            f"--accept {' '.join(strange)} names nothing that this run or the edition before "
            "holds; give the names that a refusal tells, such as table:claims or stage:kcn-a"
        )


def _limits_pct(states: Iterable[SourceState]) -> dict[str, float]:
    """Return the shrinkage that sources allow their table or layer; the largest of several."""
    limits: dict[str, float] = {}
    for state in states:
        source, name = state.source, state.source.table or state.source.layer
        if source.may_shrink_pct is not None:
            limits[name] = max(limits.get(name, 0.0), source.may_shrink_pct)
    return limits


def _side_before(order: Order, edition: str) -> Side:
    folder = Shop(order.root).editions / edition
    if not edition or not folder.is_dir():
        return Side({})
    try:
        told = read_manifest(folder).get("layers", {})
    except AtlasError:
        told = {}
    layers = {name: Extent(**one) for name, one in told.items()}
    return Side(Edition(folder), read_standing(folder), layers)


def _side_after(order: Order, states: Iterable[SourceState]) -> Side:
    events = read_tables(order)["stage_events"].set_index("event_id")["stage_id"]
    columns = ["subject_id", "schedule", "event_id"]
    standing = pd.read_parquet(order.work / "standing.parquet", columns=columns)
    standing["stage_id"] = standing["event_id"].map(events).fillna("").astype("str")
    names = sorted(state.source.layer for state in states if state.source.layer)
    layers = {name: extent(read_layer_file(order, name)) for name in names}
    return Side(_accepted(order), Standings(standing.set_index("subject_id")), layers)


def _groups(after: Side, changes: tuple[Changed, ...]) -> dict[str, str]:
    """Return the stage group of each changed record."""
    groups = {row["stage_id"]: row["group"] for row in rows_of(after.tables["stages"])}
    changed = sorted({change.subject_id for change in changes} & after.standing.keys())
    return {key: groups.get(after.standing[key]["stage_id"], NOT_KNOWN) for key in changed}


class Published(InParts):
    """Each table as it is published: sorted by key, with its source folder.

    ``positions`` holds the best position of every subject, given or derived. A large table is read
    each time it is asked for and never held.
    """

    def __init__(self, order: Order) -> None:
        self._frames = _accepted(order)
        self._held: dict[str, pd.DataFrame] = {}

    def __getitem__(self, name: str) -> pd.DataFrame:
        """Return one table; KeyError where the atlas has none such."""
        if name in self._held:
            return self._held[name]
        rows = _as_published(name, self._frames[name])
        if not self._frames.is_large(name):
            self._held[name] = rows
        return rows

    def parts(self, name: str) -> Iterator[pd.DataFrame]:
        """Go through the rows of a table; a large one lies in order, or is held to be sorted."""
        if self._frames.is_large(name) and self._is_in_order(name):
            return (part[_columns_of(name)] for part in self._frames.parts(name))
        return iter([self[name]])

    def _is_in_order(self, name: str) -> bool:
        key = list(TABLE[name].key)
        ordered = self._frames.columns(name, key).sort_values(key, kind="stable")
        return bool(ordered.index.is_monotonic_increasing)

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter(TABLE)

    def __len__(self) -> int:
        """Count the tables."""
        return len(TABLE)

    def counts(self) -> dict[str, int]:
        """Return how many rows each table has; none is read for it."""
        return {name: self._frames.count(name) for name in self._frames}


def _accepted(order: Order) -> Frames:
    """Return the accepted tables, the best position of every subject in place of those given."""
    best = {"positions": order.work / POSITIONS}
    return Frames(order.work / "tables", *TABLE, elsewhere=best)


def _as_published(name: str, rows: pd.DataFrame) -> pd.DataFrame:
    return rows.sort_values(list(TABLE[name].key), ignore_index=True)[_columns_of(name)]


def _columns_of(name: str) -> list[str]:
    return [*TABLE[name].column_names, "source_id"]


def read_history(order: Order, edition: str) -> tuple[Past, ...]:
    """Return the editions that led to one, that one first; to a rebuilt day those up to it."""
    log = read_log(Archive(order.archive).entries(LOG))
    return way_to(log, edition if edition in log else order.rebuilds)


def read_compared(order: Order) -> dict[str, object]:
    """Return what the comparison left for the manifest: what was accepted, the layers' extents."""
    told = read_json(order.work / "changes.json")
    return {"accepted": told["accepted"], "layers": told["layers"]}


def accepted(order: Order) -> list[str]:
    """Return the names of what looked wrong in this run and was accepted."""
    return list(read_json(order.work / "changes.json")["accepted"])


def read_changes(order: Order) -> tuple[Changed, ...]:
    """Return what the comparison found."""
    return tuple(Changed(**told) for told in read_json(order.work / "changes.json")["changes"])
