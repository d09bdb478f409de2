"""What the steps of a run leave for one another in its work folder."""

import ctypes
import dataclasses
import gc
import json
import logging
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import geopandas as gpd
import pandas as pd
import shapely

from atlas.positions import NUMBER
from atlas.records import SourceState
from flows.order import Order, today
from geodata.archive import Archive, Stored
from geodata.catalog import load_catalog
from geodata.collect import Collected
from geodata.crs import read_features
from geodata.findings import Finding
from geodata.frames import Frames, PartWriter
from geodata.inbox import taken
from geodata.ledger import Change
from geodata.schema import TABLES
from geodata.shapes import Shapes, ShapeWriter
from geodata.stack import Accepted
from geodata.voices import sources as inbox_sources

log = logging.getLogger("atlas.run")

P = TypeVar("P")

NOTES = "notes.txt"
QUARANTINE = "quarantine.parquet"
GIVEN = "positions.given.wkb"
COLLECTED = ("collected.json", "collect.findings.json", "inbox.waiting.json", "then", NOTES)
"""What the steps before the check leave in the work folder."""


M_ARENA_MAX, ARENAS = -8, 2
M_MMAP_THRESHOLD, LARGE = -3, 1 << 20


def take_sparingly() -> None:
    """Have the C library take memory so that it can be given back: few heaps, large pieces apart.

    It keeps what was freed in one heap a thread, and lays ever larger pieces in them; Arrow keeps
    what was freed as well, see ``flows/__init__.py``.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS)
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE)


def give_back() -> None:
    """Return memory that nothing holds to the system: each step then peaks on its own.

    What only refers to itself goes first: where few objects hold much, the collector of garbage
    comes too seldom.
    """
    gc.collect()
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def write_json(path: Path, told: object) -> None:
    """Write one JSON file, its folder made where it is not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told, ensure_ascii=False, default=str), encoding="utf-8")


def read_json(path: Path) -> Any:  # noqa: ANN401 - what JSON holds is checked by its reader
    """Return what a JSON file holds."""
    return json.loads(path.read_text(encoding="utf-8"))


def is_made(order: Order, step: str, key: str) -> bool:
    """Tell whether the work folder holds what a step made of the very inputs of this key."""
    path = order.work / f"{step}.made"
    return path.is_file() and path.read_text(encoding="ascii") == key


def note_made(order: Order, step: str, key: str) -> None:
    """Note, after everything else, of which inputs a step made what lies in the work folder."""
    (order.work / f"{step}.made").write_text(key, encoding="ascii")


def start_anew(order: Order) -> None:
    """Remove what the steps left, the notes on it first, but not what this run has collected."""
    for path in order.work.glob("*.made"):
        path.unlink()
    for path in order.work.iterdir():
        if path.name not in COLLECTED:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def beforehand(order: Order, make: Callable[[Order, P], object], parts: Sequence[P]) -> None:
    """Have a cluster, where one is named, make parts of a step that are kept.

    The step itself makes what it then does not find: without a cluster, all of them.
    """
    if not (order.cluster and parts):
        return
    try:
        from flows.cluster import make_parts  # no other run pays for loading Dask
    except ModuleNotFoundError as error:
        take_note(order, f"{error}; --cluster needs what `make setup` installs")
    else:
        for note in make_parts(order, make, parts):
            take_note(order, note)


def take_note(order: Order, note: str) -> None:
    """Say now, and once in the run's report, what a person should know."""
    log.warning("%s", note)
    with (order.work / NOTES).open("a", encoding="utf-8") as file:
        file.write(f"{note}\n")


def notes_taken(order: Order) -> list[str]:
    """Return the notes of this run, each once, and forget them."""
    path = order.work / NOTES
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    path.unlink(missing_ok=True)
    return list(dict.fromkeys(lines))


def write_findings(path: Path, findings: Iterable[Finding]) -> None:
    """Leave findings, sorted, each once."""
    write_json(path, [dataclasses.astuple(f) for f in sorted(set(findings))])


def read_findings(*paths: Path) -> list[Finding]:
    """Return the findings of these files."""
    return [Finding(*told) for path in paths for told in read_json(path)]


def write_ledger(path: Path, ledger: Iterable[Change]) -> None:
    """Leave the ledger of one step."""
    write_json(path, [dataclasses.asdict(change) for change in ledger])


def read_ledger(*paths: Path) -> tuple[Change, ...]:
    """Return the lines of these ledgers."""
    return tuple(Change(**told) for path in paths for told in read_json(path))


def write_frames(folder: Path, frames: Mapping[str, pd.DataFrame]) -> None:
    """Leave each table as ``<name>.parquet``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in frames.items():
        frame.to_parquet(folder / f"{name}.parquet", index=False)


def write_parts(path: Path, parts: Iterable[pd.DataFrame]) -> None:
    """Leave a table that comes in parts, one at least."""
    with PartWriter(path) as writer:
        for part in parts:
            writer.add_frame(part)


def write_tables(order: Order, tables: Accepted) -> None:
    """Leave the accepted tables, and beside them, by number, the shapes of the positions."""
    folder = order.work / "tables"
    folder.mkdir(parents=True, exist_ok=True)
    with ShapeWriter(folder / GIVEN) as given:
        for name in tables:
            parts = tables.parts(name)
            numbered = _numbered(parts, given) if name == "positions" else parts
            write_parts(folder / f"{name}.parquet", numbered)


def _numbered(parts: Iterable[pd.DataFrame], given: ShapeWriter) -> Iterator[pd.DataFrame]:
    """Put the shapes of positions into a file, and their numbers in place of them."""
    count = 0
    for part in parts:
        given.add(shapely.from_wkt(part["geometry"].to_numpy(dtype=object)))
        numbers = range(count, count + len(part))
        count = numbers.stop
        yield part.drop(columns="geometry").assign(**{NUMBER: numbers})


def read_tables(order: Order) -> Frames:
    """Return the accepted tables of this run."""
    return Frames(order.work / "tables", *(table.name for table in TABLES))


def read_given(order: Order) -> Shapes:
    """Return the shapes of the accepted positions, by the number in their rows."""
    return Shapes(order.work / "tables" / GIVEN)


def read_layer_file(order: Order, name: str) -> gpd.GeoDataFrame | None:
    """Return a layer of this run, or None where it is missing."""
    path = order.work / "layers" / f"{name}.parquet"
    return read_features(path) if path.is_file() else None


def read_collected(order: Order) -> list[Collected]:
    """Return what the collect step left."""
    catalog, _ = load_catalog(order.sources)
    return [
        Collected(catalog[source_id], state, tuple(Stored(*f) for f in files), why, (), confirmed)
        for source_id, state, files, why, confirmed in read_json(order.work / "collected.json")
    ]


def read_run_findings(order: Order) -> list[Finding]:
    """Return the findings of all steps so far."""
    return sorted(set(read_findings(*sorted(order.work.glob("*.findings.json")))))


def read_states(order: Order) -> tuple[SourceState, ...]:
    """Return what became of each source, the sheets of workbooks included."""
    catalog, _ = load_catalog(order.sources)
    catalog |= inbox_sources(taken(Archive(order.archive)))
    return tuple(
        SourceState(catalog[source_id], *rest)
        for source_id, *rest in read_json(order.work / "states.json")
    )


def missing_layers(states: Iterable[SourceState]) -> tuple[str, ...]:
    """Return the ids of the layer sources that this run has to do without."""
    return tuple(s.source.source_id for s in states if s.source.layer and s.state == "missing")


def confirmed_on(state: SourceState) -> str | None:
    """Return the day a remote source last gave what is used of it; None where nobody is asked."""
    if state.state == "fresh" and state.source.is_remote:
        return today().isoformat()
    return state.confirmed_on or None


def stale_days(state: SourceState) -> int | None:
    """Return for how many days a stale source has not given what is used of it; else None."""
    if state.state != "stale" or not state.confirmed_on:
        return None
    return max(0, (today() - date.fromisoformat(state.confirmed_on)).days)
