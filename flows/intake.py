"""The first two steps, collect and check, and what the edition of a run depends on.

Paths in, paths out; they draw nothing, so ``atlas check`` loads no map and no Prefect.
"""

import dataclasses
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from pathlib import Path

from atlas.editions import Inputs, Shop, code_digest, read_manifest
from atlas.records import SourceState
from flows.kept import Kept
from flows.order import LOCK, PROJECT, Order, in_region, today
from flows.past import collect_then, inputs_then, look_back, workbooks_of
from flows.work import (
    QUARANTINE,
    beforehand,
    is_made,
    note_made,
    read_collected,
    read_findings,
    read_run_findings,
    read_states,
    start_anew,
    write_findings,
    write_json,
    write_ledger,
    write_parts,
    write_tables,
)
from geodata.archive import Archive, sha256_of
from geodata.catalog import load_catalog
from geodata.checks import cell_findings, check_sheets
from geodata.collect import Collected, Network, collect_source, held_since
from geodata.corrections import correct_layer, correct_parts
from geodata.errors import PublishRefusedError, SourceError, UsageError
from geodata.features import CheckedLayer, check_layer
from geodata.findings import Finding
from geodata.freshness import Freshness
from geodata.inbox import quarantined, refusals
from geodata.read import Sheet
from geodata.reader import Reader
from geodata.voices import Combined, combine

KEPT = "kept"
"""Below ``var``: what was read of each source."""


@in_region
def collect(order: Order) -> Path:
    """Collect every source into the archive; leave what became of each.

    To rebuild an edition its sources are brought back from the archive, and nobody is asked.
    """
    if order.rebuilds:
        return collect_then(order)
    catalog, findings = load_catalog(order.sources)
    strange = set(order.only) - set(catalog)
    if strange:
        raise UsageError(f"there is no source {', '.join(sorted(strange))}; see atlas sources")
    archive = Archive(order.archive)
    network = Network(order.mirror, order.online)
    quiet = Network(None, online=False)
    collected = [
        collect_source(s, archive, quiet if order.only and name not in order.only else network)
        for name, s in catalog.items()
    ]
    findings += [f for c in collected for f in c.findings]
    write_findings(order.work / "collect.findings.json", findings)
    path = order.work / "collected.json"
    write_json(
        path,
        [
            [
                c.source.source_id,
                c.state,
                [[f.name, f.sha256] for f in c.files],
                c.why,
                c.confirmed_on,
            ]
            for c in collected
        ],
    )
    return path


@in_region
def inputs_of(order: Order) -> Inputs:
    """Return what the edition of this run is a pure function of."""
    collected = read_collected(order)
    if not collected:
        raise UsageError(f"{order.sources} holds no source that can be read")
    workbooks = workbooks_of(order)
    days = [c.source.retrieved_on for c in collected]
    newest = max([*days, *(date.fromisoformat(w.taken_on) for w in workbooks)])
    inputs = Inputs(
        as_of=order.as_of or newest,
        sources=(
            *(
                (c.source.source_id, f"{c.state} {c.confirmed_on}".strip(), c.sha256)
                for c in collected
            ),
            *(("inbox", w.name, sha256_of(w.judgement)) for w in workbooks),
        ),
        code=_code(order),
        site_url=order.site_url,
        contact=order.contact,
        tile_over=order.tile_over,
        previous=_previous(Shop(order.root)),
    )
    return inputs_then(order, inputs) if order.looks_back else inputs


def _code(order: Order) -> str:
    """Checksum of our code and of what the region and its sources say of themselves."""
    ours = [PROJECT / name for name in ("geodata", "atlas", "flows")]
    return code_digest([*ours, order.sources, order.site], LOCK, order.region)


def _previous(shop: Shop) -> str:
    """Return the edition that the next one is compared with; none where a past day is shown."""
    current = shop.current()
    return "" if not current or read_manifest(shop.public).get("looks_back") else current


@in_region
def check(order: Order, collected: Path) -> Path:
    """Read and check every source; leave accepted tables, layers, findings and quarantine.

    Where the work folder holds what was made of the very same, nothing is read again.
    """
    key = _check_key(order)
    if is_made(order, "check", key):
        if not order.looks_back:
            _accept(order, read_states(order), read_run_findings(order))
        return order.work / "tables"
    start_anew(order)
    archive = Archive(order.archive)
    items = read_collected(order)
    kept = Kept.of(order, KEPT, "geodata")
    read = Read(kept)
    beforehand(order, keep_source, _heavy(order, items, kept))
    with Reader() as reader:
        remote = (item for item in items if item.files and item.source.is_remote)
        if any(not kept.has(kept.key(item.source, item.files)) for item in remote):
            reader.start()  # while it starts, our own tables are read and checked here
        states = [_read_state(i, archive, reader, read) for i in items if i.source.table]
        workbooks = workbooks_of(order)
        combined = combine(read.sheets, workbooks)
        checked = check_sheets(combined.sheets, read.alone_of(combined.sheets))
        states += [_read_state(i, archive, reader, read) for i in items if i.source.layer]
    states.sort(key=lambda state: state.source.source_id)
    layers = read.layers
    findings = read_findings(collected.with_name("collect.findings.json")) + read.findings
    findings += [*checked.findings, *combined.findings, *refusals(workbooks)]
    findings += [found for layer in layers.values() for found in layer.layer.findings]
    if not order.looks_back:
        _accept(order, states, findings)
    states += _inbox_states(combined)
    folder = order.work / "tables"
    write_tables(order, checked.tables)
    refused = chain(checked.quarantine, (layer.quarantine for layer in layers.values()))
    told = (part.astype("str") for part in chain(refused, [quarantined(workbooks)]))
    write_parts(order.work / QUARANTINE, told)
    (order.work / "layers").mkdir(exist_ok=True)
    for name, layer in layers.items():
        features = layer.layer.features
        features.to_parquet(order.work / "layers" / f"{name}.parquet", index=False)
    write_findings(order.work / "check.findings.json", findings)
    ledger = [*combined.standing.ledger, *checked.ledger]
    ledger += [layer.change for layer in layers.values()]
    write_ledger(order.work / "check.ledger.json", ledger)
    write_json(
        order.work / "states.json",
        [[s.source.source_id, s.state, s.sha256, s.rows, s.why, s.confirmed_on] for s in states],
    )
    if order.looks_back:
        look_back(order)
    kept.forget_unused()
    note_made(order, "check", key)
    return folder


def _check_key(order: Order) -> str:
    """Checksum of what the check is a pure function of; in order.as_of only where it looks back."""
    collected = (order.work / "collected.json").read_text(encoding="utf-8")
    found = (order.work / "collect.findings.json").read_text(encoding="utf-8")
    judged = [sha256_of(workbook.judgement) for workbook in workbooks_of(order)]
    past = [order.looks_back, order.rebuilds, str(order.as_of)] if order.looks_back else []
    told = [collected, found, judged, past, _code(order)]
    return sha256_of(json.dumps(told).encode())


def _heavy(order: Order, items: list[Collected], kept: Kept) -> list[Collected]:
    """Return what is not kept and worth the way to a cluster's worker, the largest first."""
    if not order.cluster:
        return []
    archive = Archive(order.archive)
    sizes = {
        item.source.source_id: sum(path.stat().st_size for path in paths if path.is_file())
        for item in items
        if (paths := [archive.path_of(file.sha256) for file in item.files])
        and not kept.has(kept.key(item.source, item.files))
    }
    heavy = [item for item in items if sizes.get(item.source.source_id, -1) >= order.part_bytes]
    return sorted(heavy, key=lambda item: -sizes[item.source.source_id])


@in_region
def keep_source(order: Order, item: Collected) -> None:
    """Read and check one source alone and keep it; what cannot be read, the check will tell."""
    with Reader() as reader, suppress(SourceError):
        read = Read(Kept.of(order, KEPT, "geodata"))
        _read_one(item, Archive(order.archive), reader, read, is_strict=False)


@dataclass(frozen=True)
class Read:
    """What has been read so far: tables as sheets, layers by name, and what was refused.

    ``alone`` holds by source what its cells were found to break.
    """

    kept: Kept
    alone: dict[str, tuple[Finding, ...]] = field(default_factory=dict)
    sheets: list[Sheet] = field(default_factory=list)
    layers: dict[str, CheckedLayer] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def alone_of(self, sheets: Sequence[Sheet]) -> dict[str, tuple[Finding, ...]]:
        """Return ``alone`` of the sheets that are still what was read."""
        held = {sheet.source.source_id: sheet.held for sheet in self.sheets}
        ids = [s.source.source_id for s in sheets if held.get(s.source.source_id) is s.held]
        return {source_id: self.alone[source_id] for source_id in ids}


def _read_state(item: Collected, archive: Archive, reader: Reader, read: Read) -> SourceState:
    try:
        used, rows = _read_or_held(item, archive, reader, read)
    except SourceError as error:
        read.findings.append(error.finding(item.source.table or item.source.layer))
        used, rows = dataclasses.replace(item, state="refused", why=error.message), 0
    return SourceState(used.source, used.state, used.sha256, rows, used.why, used.confirmed_on)


def _read_or_held(
    item: Collected, archive: Archive, reader: Reader, read: Read
) -> tuple[Collected, int]:
    """Read one source and return it with its rows.

    What a remote source gives that cannot be read gives way to its last good copy, marked stale;
    a file in the folder is the steward's to mend.
    """
    if not item.files:
        return item, 0
    last = archive.last_good(item.source.source_id) if item.source.is_remote else ()
    has_other = last not in ((), item.files)
    try:
        return item, _read_one(item, archive, reader, read, has_other)
    except SourceError as error:
        if not has_other:
            raise
        since = held_since(item.source, archive, last)
        held = dataclasses.replace(
            item, state="stale", files=last, why=error.message, confirmed_on=since
        )
        return held, _read_one(held, archive, reader, read, False)


def _read_one(
    item: Collected, archive: Archive, reader: Reader, read: Read, is_strict: bool
) -> int:
    """Read one source; where ``is_strict``, SourceError also where its columns are not as said."""
    source = item.source
    key = read.kept.key(source, item.files)
    if not source.table:
        layer = read.kept.layer(key, source)
        if layer is None:
            layer = check_layer(correct_layer(reader.layer(source, item.files, archive)))
            read.kept.keep_layer(key, layer)
        read.layers[source.layer] = layer
        return layer.change.rows_in
    checked = read.kept.sheet(key, source)
    if checked is None:
        parts = correct_parts(reader.parts(source, item.files[0], archive))
        # each part is checked while the next is read
        read.kept.keep_sheet(key, ((part, cell_findings(part)) for part in parts))
        checked = read.kept.sheet(key, source)
    if checked is None:
        raise OSError(f"{read.kept.folder / key} was kept and cannot be read")
    sheet, read.alone[source.source_id] = checked
    broken = next((f for f in sheet.findings if f.severity == "source"), None)
    if broken and is_strict:
        raise SourceError(source.source_id, broken.rule, broken.detail)
    read.sheets.append(sheet)
    return sheet.rows_in_file


def _inbox_states(combined: Combined) -> list[SourceState]:
    sheets = [s for s in combined.sheets if s.source.kind == "inbox"]
    return [SourceState(s.source, "fresh", s.source.sha256, s.rows_in_file, "") for s in sheets]


def _accept(order: Order, states: Sequence[SourceState], findings: list[Finding]) -> None:
    """Note in the archive the sources that can be stood on."""
    refused = {f.source_id for f in findings if f.severity == "source"}
    collected = {c.source.source_id: c for c in read_collected(order)}
    for state in states:
        source = state.source
        is_ours = source.source_id in collected
        if is_ours and state.state == "fresh" and source.source_id not in refused:
            files = collected[source.source_id].files
            taken = source.retrieved_on.isoformat()
            archive = Archive(order.archive)
            archive.accept(source.source_id, files, taken)
            if source.is_remote:
                Freshness(archive).confirm(source.source_id, files, today())


@in_region
def refuse_broken_sources(order: Order) -> None:
    """Raise PublishRefusedError that names every fault of every broken source."""
    broken = [f for f in read_run_findings(order) if f.severity == "source"]
    if broken:
        lines = [
            f"{f.source_id}: {f'line {f.row}: ' if f.row else ''}{f.rule}: {f.detail}"
            for f in broken
        ]
        raise PublishRefusedError(
            f"{len({f.source_id for f in broken})} source(s) cannot be stood on; "
            "the last edition stays up:\n  " + "\n  ".join(lines)
        )
