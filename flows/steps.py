"""The steps after the check, from resolve to publish: paths in, paths out.

Each opens and closes its files and leaves its result in the work folder for the next one.
"""

import dataclasses
from datetime import date
from pathlib import Path

import geopandas as gpd
import pandas as pd

from atlas.book import Assembler, Shelf
from atlas.calendar_file import duties_calendar
from atlas.candidates import osm_positions
from atlas.compare import compare_tables, find_shrinkage, read_edition
from atlas.downloads import sitemap, write_downloads
from atlas.editions import Inputs, Shop, write_manifest
from atlas.join import check_locations, name_communes, nearest_named
from atlas.pages import write_site
from atlas.positions import best_positions, positions_table, spread
from atlas.records import Book, Changed
from atlas.sheet import Address
from atlas.standing import standing, subject_kinds
from atlas.verify import verify_site
from flows.order import Order
from flows.work import (
    missing_layers,
    read_json,
    read_layer_file,
    read_ledger,
    read_run_findings,
    read_states,
    read_tables,
    write_findings,
    write_json,
    write_ledger,
)
from geodata.cells import rows_of
from geodata.claims import resolve
from geodata.errors import PublishRefusedError
from geodata.schema import TABLES


def resolve_claims(order: Order, tables: Path) -> Path:
    """Decide which claim holds."""
    facts = resolve(pd.read_parquet(tables / "claims.parquet"))
    path = order.work / "facts.parquet"
    facts.to_parquet(path, index=False)
    return path


def join(order: Order, facts: Path) -> Path:
    """Place every subject, and find what is near, inside and in contradiction."""
    tables = read_tables(order)
    boundaries = read_layer_file(order, "commune_boundaries")
    ledger = []
    communes = None
    if boundaries is not None:
        communes, change = name_communes(boundaries, tables["communes"])
        communes.to_parquet(order.work / "layers" / "communes.parquet", index=False)
        ledger.append(change)
    drawn = [read_layer_file(order, name) for name in ("waterways", "osm_features")]
    offered, refused = osm_positions(tables, drawn)
    best = best_positions(tables, offered)
    access, change = nearest_named(best, subject_kinds(tables))
    ledger.append(change)
    located = {**tables, "facts": pd.read_parquet(facts)}
    findings = [*refused, *check_locations(located, best, communes)]
    path = order.work / "positions.parquet"
    spread(best, communes).to_parquet(path, index=False)
    access.to_parquet(order.work / "access.parquet", index=False)
    write_findings(order.work / "join.findings.json", findings)
    write_ledger(order.work / "join.ledger.json", ledger)
    return path


def measure(order: Order, positions: Path, as_of: date) -> Path:
    """Say how late, how long and how complete every subject is."""
    tables = read_tables(order)
    table, promises = standing(tables, gpd.read_parquet(positions), as_of)
    path = order.work / "standing.parquet"
    table.to_parquet(path, index=False)
    promises.to_parquet(order.work / "promises.parquet", index=False)
    return path


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
    write_json(path, [dataclasses.asdict(change) for change in changes])
    return path


def published_tables(order: Order) -> dict[str, pd.DataFrame]:
    """Return each table as it is published: sorted by key, with its source folder.

    ``positions`` holds the best position of every subject, given or derived.
    """
    tables = read_tables(order)
    tables["positions"] = positions_table(gpd.read_parquet(order.work / "positions.parquet"))
    return {
        table.name: tables[table.name].sort_values(list(table.key), ignore_index=True)[
            [*table.column_names, "source_id"]
        ]
        for table in TABLES
    }


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
            tables=read_tables(order),
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
        communes=read_layer_file(order, "communes"),
        waterways=read_layer_file(order, "waterways"),
        sources=states,
        findings=findings,
        quarantine=pd.read_parquet(order.work / "quarantine.parquet"),
        ledger=read_ledger(*sorted(order.work.glob("*.ledger.json"))),
        changes=tuple(Changed(**told) for told in read_json(order.work / "changes.json")),
        gaps=tuple(assembler.gap(row) for row in rows_of(tables["gaps"])),
        missing_layers=missing_layers(states),
    )


def verify(order: Order, draft: Path) -> int:
    """Return the number of pages of a sound site; refuse any other."""
    tables = published_tables(order)
    counts = {name: len(tables[name]) for name in ("places", "routes")}
    return verify_site(draft, counts, Address(order.site_url).home)


def publish(order: Order, draft: Path, edition: str) -> Path:
    """Switch ``public`` to the new edition by one rename."""
    shop = Shop(order.root)
    shop.publish(draft, edition)
    return shop.public
