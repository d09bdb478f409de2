"""How a past day is rebuilt: from the archive where the atlas lived then, else from the rows.

A day on which the atlas lived is rebuilt from what its edition of then was made of: the sources'
folders come back from the archive, and the edition has the bytes it had, given the same code. For
a day before that, or with hindsight, today's sources are read and `geodata.knowledge` takes off
what was not known or had not happened.
"""

import dataclasses
import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from atlas.editions import Inputs, Shop, read_manifest
from atlas.history import LOG, Entry, read_log, way_to
from flows.order import Order
from flows.work import (
    QUARANTINE,
    read_collected,
    read_json,
    read_states,
    read_tables,
    write_findings,
    write_frames,
    write_json,
    write_ledger,
    write_parts,
)
from geodata.archive import Archive, Stored, sha256_of, sha256_of_all
from geodata.catalog import Source, load_catalog
from geodata.cells import rows_of
from geodata.errors import UsageError
from geodata.findings import Finding
from geodata.frames import RowFile
from geodata.inbox import Workbook, taken
from geodata.knowledge import about_then, known_by

LARGEST_DESCRIPTION = 5_000_000
"""Bytes: what describes a source is small; a larger file beside it is none of ours."""


def rewind(order: Order) -> Order:
    """Return the order as it has to be run: unchanged unless its day is past.

    A day is past when a source was taken after it. It is published below ``past/`` with a root of
    its own, where it disturbs neither the current edition nor the ten that are kept; only a root
    that shows nothing but rebuilt days shows this one too. UsageError for hindsight about any
    other day.
    """
    catalog, _ = load_catalog(order.sources)
    days = [source.retrieved_on for source in catalog.values()]
    days += [date.fromisoformat(w.taken_on) for w in taken(Archive(order.archive))]
    newest = max(days, default=date.min)
    if order.as_of is None or order.as_of >= newest:
        if order.hindsight:
            raise UsageError(f"--hindsight is about a past day; give --as-of before {newest}")
        return order
    told: dict[str, object] = {"looks_back": "now" if order.hindsight else "then"}
    told |= {"home": order.root, "root": _root_of(order, order.as_of)}
    entry = None if order.hindsight else entry_of(order, order.as_of)
    past = order.model_copy(update=told)
    if entry is None:
        return past
    folder = past.work / "then" / str(_inputs(past, entry)["folder"])
    return past.model_copy(update={"sources": folder, "rebuilds": entry.edition})


def _root_of(order: Order, day: date) -> Path:
    shop = Shop(order.root)
    if not shop.current() or read_manifest(shop.public).get("looks_back"):
        return order.root
    return order.root / "past" / f"{day}{'-hindsight' if order.hindsight else ''}"


def entry_of(order: Order, day: date) -> Entry | None:
    """Return the edition that stood on a day: on the way to the current one, the last by then."""
    log = read_log(Archive(order.archive).entries(LOG))
    here = Shop(order.root).current()
    here = here if here in log else next(reversed(log), "")
    stood = (log[p.edition] for p in way_to(log, here) if p.as_of <= day.isoformat())
    return next((entry for entry in stood if entry.inputs), None)


def keep_inputs(order: Order, inputs: Inputs) -> str:
    """Keep what an edition is made of as one object of the archive; return its checksum."""
    archive = Archive(order.archive)
    collected = {c.source.source_id: c.files for c in read_collected(order)}
    told = {
        "folder": order.sources.name,
        "key": inputs.sources,
        "findings": read_json(order.work / "collect.findings.json"),
        "sources": [
            {
                "source_id": state.source.source_id,
                "state": state.state,
                "why": state.why,
                "confirmed_on": state.confirmed_on,
                "files": _told(_used(archive, state.source, state.sha256, collected)),
                "about": _told(_described(archive, state.source)),
            }
            for state in read_states(order)
            if state.source.source_id in collected
        ],
    }
    text = json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True, default=str)
    return archive.put(text.encode("utf-8"))


def _told(files: tuple[Stored, ...]) -> list[list[str]]:
    return [[file.name, file.sha256] for file in files]


def _used(
    archive: Archive, source: Source, sha256: str, collected: dict[str, tuple[Stored, ...]]
) -> tuple[Stored, ...]:
    """Return the files a source was read from: what it gave, or its last good copy."""
    files = collected[source.source_id]
    is_used = bool(files) and sha256_of_all(files) == sha256
    return files if is_used or not sha256 else archive.last_good(source.source_id)


def _described(archive: Archive, source: Source) -> tuple[Stored, ...]:
    """Keep every file of a source's folder, so that the folder of then can be had again."""
    found = [path for path in sorted(source.folder.rglob("*")) if path.is_file()]
    return tuple(
        Stored(path.relative_to(source.folder).as_posix(), archive.put(path.read_bytes()))
        for path in found
        if not path.is_symlink() and path.stat().st_size <= LARGEST_DESCRIPTION
    )


def _inputs(order: Order, entry: Entry) -> dict[str, Any]:
    return dict(json.loads(Archive(order.archive).get(entry.inputs)))


def collect_then(order: Order) -> Path:
    """Bring back the sources of the edition that is rebuilt, as the collect step left them."""
    archive = Archive(order.archive)
    told = _inputs(order, _rebuilt(order))
    shutil.rmtree(order.sources, ignore_errors=True)
    for source in told["sources"]:
        for name, sha256 in source["about"]:
            path = order.sources / source["source_id"] / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(archive.get(sha256))
    write_findings(
        order.work / "collect.findings.json", [Finding(*found) for found in told["findings"]]
    )
    path = order.work / "collected.json"
    names = ("source_id", "state", "files", "why", "confirmed_on")
    write_json(path, [[source[name] for name in names] for source in told["sources"]])
    return path


def _rebuilt(order: Order) -> Entry:
    return read_log(Archive(order.archive).entries(LOG))[order.rebuilds]


def workbooks_of(order: Order) -> tuple[Workbook, ...]:
    """Return the planners' workbooks that a run reads: on a past day those taken by then."""
    archive = Archive(order.archive)
    if order.rebuilds:
        told = {sha256 for _, _, sha256 in _inputs(order, _rebuilt(order))["key"]}
        return tuple(w for w in taken(archive) if sha256_of(w.judgement) in told)
    return taken(archive, order.as_of if order.looks_back == "then" else None)


def inputs_then(order: Order, inputs: Inputs) -> Inputs:
    """Return the inputs of a rebuilt edition: those of then where everything is as it was."""
    if order.rebuilds:
        entry = _rebuilt(order)
        sources = tuple((str(a), str(b), str(c)) for a, b, c in _inputs(order, entry)["key"])
        same = dataclasses.replace(inputs, sources=sources, previous=entry.previous)
        if same.key == entry.key:
            return same
    return dataclasses.replace(inputs, previous="", looks_back=order.looks_back)


def look_back(order: Order) -> None:
    """Take off the accepted rows, layers and findings what a past day does not hold."""
    day = order.as_of
    if order.rebuilds or day is None:
        return
    tables = read_tables(order)
    kept, ledger = (known_by if order.looks_back == "then" else about_then)(tables, day)
    if kept["places"].empty:
        raise UsageError(f"nothing was known by {day}; give a later day, or --hindsight")
    write_frames(order.work / "tables", kept)
    write_ledger(order.work / "past.ledger.json", ledger)
    if order.looks_back == "then":
        _forget(order, kept, day)
    elif not (kept["communes"]["level"] == "commune").any():
        (order.work / "layers" / "commune_boundaries.parquet").unlink(missing_ok=True)


def _forget(order: Order, kept: dict[str, pd.DataFrame], day: date) -> None:
    """Leave out layers taken later, rows refused, and findings about rows that are not there."""
    states = read_json(order.work / "states.json")
    catalog, _ = load_catalog(order.sources)
    for told in states:
        source = catalog.get(told[0])
        if source and source.layer and source.retrieved_on > day:
            (order.work / "layers" / f"{source.layer}.parquet").unlink(missing_ok=True)
            told[1:] = ["missing", "", 0, f"taken on {source.retrieved_on}, after {day}", ""]
    write_json(order.work / "states.json", states)
    lines = {(row["source_id"], str(row["line"])) for t in kept.values() for row in rows_of(t)}
    for path in order.work.glob("*.findings.json"):
        found = [Finding(*told) for told in read_json(path)]
        write_findings(path, [f for f in found if (f.source_id, str(f.row)) in lines])
    path = order.work / QUARANTINE
    write_parts(path, [next(iter(RowFile(path))).head(0)])
