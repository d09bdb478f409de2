"""The steps of a run as thin tasks: paths in, paths out, each opening and closing its files.

Every task leaves its result in the work folder for the next one. ``task.fn`` is the plain
function. Prefect's cache is off: checksums decide what is fresh.
"""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
from prefect import task
from prefect.cache_policies import NO_CACHE

from atlas.book import Assembler, Shelf
from atlas.calendar_file import duties_calendar
from atlas.compare import compare_tables, find_shrinkage, read_edition
from atlas.downloads import sitemap, write_downloads
from atlas.editions import Inputs, Shop, code_digest, write_manifest
from atlas.join import check_locations, name_communes, nearest_named
from atlas.pages import write_site
from atlas.positions import best_positions, positions_table, spread
from atlas.records import Book, Changed, SourceState
from atlas.sheet import Address
from atlas.standing import standing, subject_kinds
from atlas.verify import verify_site
from flows.order import PROJECT, Order
from geodata.archive import Archive, Stored
from geodata.catalog import load_catalog
from geodata.cells import rows_of
from geodata.checks import Checked, check_sheets
from geodata.claims import resolve
from geodata.collect import Collected, Network, collect_source
from geodata.corrections import apply_corrections
from geodata.errors import PublishRefusedError, SourceError, UsageError
from geodata.findings import Finding
from geodata.ledger import Change
from geodata.read import Sheet, read_layer, read_table
from geodata.schema import TABLES

step = task(cache_policy=NO_CACHE, persist_result=False)


def _write_json(path: Path, told: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told, ensure_ascii=False, default=str), encoding="utf-8")


def _read_json(path: Path) -> Any:  # noqa: ANN401 - what JSON holds is checked by its reader
    return json.loads(path.read_text(encoding="utf-8"))


def _write_findings(path: Path, findings: Iterable[Finding]) -> None:
    _write_json(path, [dataclasses.astuple(f) for f in sorted(set(findings))])


def _read_findings(*paths: Path) -> list[Finding]:
    return [Finding(*told) for path in paths for told in _read_json(path)]


def _write_ledger(path: Path, ledger: Iterable[Change]) -> None:
    _write_json(path, [dataclasses.asdict(change) for change in ledger])


def _read_ledger(*paths: Path) -> tuple[Change, ...]:
    return tuple(Change(**told) for path in paths for told in _read_json(path))


def _write_frames(folder: Path, frames: Mapping[str, pd.DataFrame]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in frames.items():
        frame.to_parquet(folder / f"{name}.parquet", index=False)


def _read_tables(order: Order) -> dict[str, pd.DataFrame]:
    return {t.name: pd.read_parquet(order.work / "tables" / f"{t.name}.parquet") for t in TABLES}


def _read_layer_file(order: Order, name: str) -> gpd.GeoDataFrame | None:
    path = order.work / "layers" / f"{name}.parquet"
    return gpd.read_parquet(path) if path.is_file() else None


@step
def collect(order: Order) -> Path:
    """Collect every source into the archive; leave what became of each."""
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
    _write_findings(order.work / "collect.findings.json", findings)
    path = order.work / "collected.json"
    _write_json(
        path,
        [
            [c.source.source_id, c.state, [[f.name, f.sha256] for f in c.files], c.why]
            for c in collected
        ],
    )
    return path


def read_collected(order: Order) -> list[Collected]:
    """Return what the collect step left."""
    catalog, _ = load_catalog(order.sources)
    return [
        Collected(catalog[source_id], state, tuple(Stored(*f) for f in files), why)
        for source_id, state, files, why in _read_json(order.work / "collected.json")
    ]


def inputs_of(order: Order) -> Inputs:
    """Return what the edition of this run is a pure function of."""
    collected = read_collected(order)
    if not collected:
        raise UsageError(f"{order.sources} holds no source that can be read")
    newest = max(c.source.retrieved_on for c in collected)
    packages = *(PROJECT / name for name in ("geodata", "atlas", "flows")), order.sources
    return Inputs(
        as_of=order.as_of or newest,
        sources=tuple((c.source.source_id, c.state, c.sha256) for c in collected),
        code=code_digest(packages, order.site, PROJECT / "requirements.lock"),
        site_url=order.site_url,
        contact=order.contact,
        previous=Shop(order.root).current(),
    )


@step
def check(order: Order, collected: Path) -> Path:
    """Read and check every source; leave accepted tables, layers, findings and quarantine."""
    archive = Archive(order.archive)
    sheets: list[Sheet] = []
    layers: dict[str, gpd.GeoDataFrame] = {}
    states: list[SourceState] = []
    findings = _read_findings(collected.with_name("collect.findings.json"))
    for item in read_collected(order):
        try:
            used, rows = _read_one(item, archive, sheets, layers)
        except SourceError as error:
            findings.append(error.finding(item.source.table or item.source.layer))
            used, rows = dataclasses.replace(item, state="refused", why=error.message), 0
        states.append(SourceState(used.source, used.state, used.sha256, rows, used.why))
    checked = check_sheets(sheets)
    findings += checked.findings
    _accept(order, states, findings)
    folder = order.work / "tables"
    _write_frames(folder, checked.tables)
    _write_frames(order.work, {"quarantine": checked.quarantine.astype("str")})
    (order.work / "layers").mkdir(exist_ok=True)
    for name, layer in layers.items():
        layer.to_parquet(order.work / "layers" / f"{name}.parquet", index=False)
    _write_findings(order.work / "check.findings.json", findings)
    _write_ledger(order.work / "check.ledger.json", _whole_ledger(checked, layers))
    _write_json(
        order.work / "states.json",
        [[s.source.source_id, s.state, s.sha256, s.rows, s.why] for s in states],
    )
    return folder


def _read_one(
    item: Collected,
    archive: Archive,
    sheets: list[Sheet],
    layers: dict[str, gpd.GeoDataFrame],
) -> tuple[Collected, int]:
    """Read one source into ``sheets`` or ``layers``; a broken layer gives way to its last good."""
    source = item.source
    if not item.files:
        return item, 0
    if source.table:
        sheet = apply_corrections(read_table(source, archive.get(item.files[0].sha256)))
        sheets.append(sheet)
        return item, sheet.rows_in_file
    try:
        layers[source.layer] = read_layer(source, item.files, archive)
    except SourceError as error:
        last = archive.last_good(source.source_id)
        if not last or last == item.files:
            raise
        layers[source.layer] = read_layer(source, last, archive)
        item = dataclasses.replace(item, state="stale", files=last, why=error.message)
    return item, len(layers[source.layer])


def _accept(order: Order, states: list[SourceState], findings: list[Finding]) -> None:
    """Note in the archive the sources that can be stood on."""
    refused = {f.source_id for f in findings if f.severity == "source"}
    collected = {c.source.source_id: c for c in read_collected(order)}
    for state in states:
        source = state.source
        if state.state == "fresh" and source.source_id not in refused:
            files = collected[source.source_id].files
            taken = source.retrieved_on.isoformat()
            Archive(order.archive).accept(source.source_id, files, taken)


def _whole_ledger(checked: Checked, layers: Mapping[str, gpd.GeoDataFrame]) -> list[Change]:
    read = [Change(f"read {name}", len(layer), len(layer)) for name, layer in layers.items()]
    return [*checked.ledger, *read]


def read_run_findings(order: Order) -> list[Finding]:
    """Return the findings of all steps so far."""
    return sorted(set(_read_findings(*sorted(order.work.glob("*.findings.json")))))


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


@step
def resolve_claims(order: Order, tables: Path) -> Path:
    """Decide which claim holds."""
    facts = resolve(pd.read_parquet(tables / "claims.parquet"))
    path = order.work / "facts.parquet"
    facts.to_parquet(path, index=False)
    return path


@step
def join(order: Order, facts: Path) -> Path:
    """Place every subject, and find what is near, inside and in contradiction."""
    tables = _read_tables(order)
    boundaries = _read_layer_file(order, "commune_boundaries")
    ledger = []
    communes = None
    if boundaries is not None:
        communes, change = name_communes(boundaries, tables["communes"])
        communes.to_parquet(order.work / "layers" / "communes.parquet", index=False)
        ledger.append(change)
    best = best_positions(tables, _read_layer_file(order, "waterways"))
    access, change = nearest_named(best, subject_kinds(tables))
    ledger.append(change)
    located = {**tables, "facts": pd.read_parquet(facts)}
    findings = check_locations(located, best, communes)
    path = order.work / "positions.parquet"
    spread(best, communes).to_parquet(path, index=False)
    access.to_parquet(order.work / "access.parquet", index=False)
    _write_findings(order.work / "join.findings.json", findings)
    _write_ledger(order.work / "join.ledger.json", ledger)
    return path


@step
def measure(order: Order, positions: Path, as_of: date) -> Path:
    """Say how late, how long and how complete every subject is."""
    tables = _read_tables(order)
    table, promises = standing(tables, gpd.read_parquet(positions), as_of)
    path = order.work / "standing.parquet"
    table.to_parquet(path, index=False)
    promises.to_parquet(order.work / "promises.parquet", index=False)
    return path


@step
def compare(order: Order, inputs: Inputs, accept: tuple[str, ...]) -> Path:
    """List what changed since the last edition; refuse a table that shrank past its threshold."""
    before = read_edition(Shop(order.root).editions / inputs.previous) if inputs.previous else {}
    after = published_tables(order)
    shrunk = [told for told in find_shrinkage(before, after) if told[0] not in accept]
    if shrunk:
        lines = [f"{name}: {old} rows before, {new} now" for name, old, new in shrunk]
        flags = " ".join(f"--accept {name}" for name, _, _ in shrunk)
        raise PublishRefusedError(
            "a table shrank; if that is right, run again with "
            + flags
            + ":\n  "
            + "\n  ".join(lines)
        )
    changes = compare_tables(before, after) if before else ()
    path = order.work / "changes.json"
    _write_json(path, [dataclasses.asdict(change) for change in changes])
    return path


def published_tables(order: Order) -> dict[str, pd.DataFrame]:
    """Return each table as it is published: sorted by key, with its source folder.

    ``positions`` holds the best position of every subject, given or derived.
    """
    tables = _read_tables(order)
    tables["positions"] = positions_table(gpd.read_parquet(order.work / "positions.parquet"))
    return {
        table.name: tables[table.name].sort_values(list(table.key), ignore_index=True)[
            [*table.column_names, "source_id"]
        ]
        for table in TABLES
    }


@step
def draw(order: Order, inputs: Inputs) -> Path:
    """Write the whole site, its downloads and its manifest into a draft folder."""
    book = read_book(order, inputs)
    out = Shop(order.root).draft()
    write_downloads(book, out, order.site_url)
    write_site(book, out, order.site, Address(order.site_url, order.contact))
    calendar = duties_calendar(book.tables["duties"], book.tables["agencies"], book.as_of)
    (out / "duties.ics").write_bytes(calendar)
    (out / "sitemap.xml").write_text(sitemap(out, order.site_url, book), encoding="utf-8")
    write_manifest(out, inputs)
    return out


def read_book(order: Order, inputs: Inputs) -> Book:
    """Assemble the book of this run from what the steps left."""
    positions = gpd.read_parquet(order.work / "positions.parquet")
    findings = tuple(read_run_findings(order))
    assembler = Assembler(
        Shelf(
            tables=_read_tables(order),
            facts=pd.read_parquet(order.work / "facts.parquet"),
            positions=positions,
            access=pd.read_parquet(order.work / "access.parquet"),
            promises=pd.read_parquet(order.work / "promises.parquet"),
            standing=pd.read_parquet(order.work / "standing.parquet"),
            findings=findings,
        )
    )
    tables = published_tables(order)
    states = read_states(order)
    return Book(
        edition=inputs.edition,
        previous_edition=inputs.previous,
        as_of=inputs.as_of,
        places=assembler.records("places", "place_id"),
        routes=assembler.records("routes", "route_id"),
        documents=assembler.documents,
        stages=tuple(sorted(assembler.stages.values(), key=lambda s: (s.axis, s.rank))),
        tables=tables,
        communes=_read_layer_file(order, "communes"),
        waterways=_read_layer_file(order, "waterways"),
        sources=states,
        findings=findings,
        quarantine=pd.read_parquet(order.work / "quarantine.parquet"),
        ledger=_read_ledger(*sorted(order.work.glob("*.ledger.json"))),
        changes=tuple(Changed(**told) for told in _read_json(order.work / "changes.json")),
        gaps=tuple(assembler.gap(row) for row in rows_of(tables["gaps"])),
        missing_layers=missing_layers(states),
    )


def read_states(order: Order) -> tuple[SourceState, ...]:
    """Return what became of each source."""
    catalog, _ = load_catalog(order.sources)
    return tuple(
        SourceState(catalog[source_id], *rest)
        for source_id, *rest in _read_json(order.work / "states.json")
    )


def missing_layers(states: Iterable[SourceState]) -> tuple[str, ...]:
    """Return the ids of the layer sources that this run has to do without."""
    return tuple(s.source.source_id for s in states if s.source.layer and s.state == "missing")


@step
def verify(order: Order, draft: Path) -> int:
    """Return the number of pages of a sound site; refuse any other."""
    tables = published_tables(order)
    return verify_site(draft, {name: len(tables[name]) for name in ("places", "routes")})


@step
def publish(order: Order, draft: Path, edition: str) -> Path:
    """Switch ``public`` to the new edition by one rename."""
    shop = Shop(order.root)
    shop.publish(draft, edition)
    return shop.public
