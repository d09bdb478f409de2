"""The steps after the check, from resolve to publish: paths in, paths out.

Each opens and closes its files and leaves its result in the work folder for the next one.
"""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd

from atlas.book import Assembler, Shelf
from atlas.calendar_file import duties_calendar
from atlas.candidates import osm_positions
from atlas.downloads import sitemap, write_downloads
from atlas.editions import Inputs, Shop, write_manifest
from atlas.ground import ground_count
from atlas.join import check_locations, name_communes
from atlas.pages import write_site
from atlas.pictures import kept_in
from atlas.placed import FRAME, Positions
from atlas.positions import best_positions, positions_table, spread
from atlas.records import Book
from atlas.sheet import Address
from atlas.standing import standing, subject_kinds
from atlas.templates import keep_compiled
from atlas.tilecheck import verify_tiles
from atlas.tiled import Tiled, part, tiled_ids, tiled_kinds, untiled
from atlas.verify import verify_site
from atlas.words import read_words
from flows.judge import POSITIONS, Published, read_changes, read_compared, read_history
from flows.kept import code_of
from flows.near import find_near
from flows.order import Order, in_region
from flows.past import workbooks_of
from flows.work import (
    QUARANTINE,
    give_back,
    missing_layers,
    read_given,
    read_layer_file,
    read_ledger,
    read_run_findings,
    read_states,
    read_tables,
    write_findings,
    write_ledger,
    write_parts,
)
from geodata.cells import rows_of
from geodata.claims import resolve
from geodata.findings import Finding
from geodata.frames import Frames, RowFile


@in_region
def resolve_claims(order: Order, tables: Path) -> Path:
    """Decide which claim holds."""
    facts = resolve(pd.read_parquet(tables / "claims.parquet"))
    path = order.work / "facts.parquet"
    facts.to_parquet(path, index=False)
    return path


@in_region
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
    best = best_positions(tables, read_given(order), order.work, offered)
    access, change = find_near(order, best, subject_kinds(tables))
    ledger.append(change)
    located = {name: tables[name] for name in ("places", "commune_crosswalk")}
    located["facts"] = pd.read_parquet(facts)
    findings = [*refused, *check_locations(located, best.frame, communes)]
    placed = replace(best, frame=spread(best.frame, communes))
    write_parts(order.work / POSITIONS, positions_table(placed))
    access.to_parquet(order.work / "access.parquet", index=False)
    write_findings(order.work / "join.findings.json", findings)
    write_ledger(order.work / "join.ledger.json", ledger)
    return placed.save()


@in_region
def measure(order: Order, positions: Path, as_of: date) -> Path:
    """Say how late, how long and how complete every subject is."""
    tables = read_tables(order)
    table, promises = standing(tables, pd.read_parquet(positions), as_of)
    path = order.work / "standing.parquet"
    table.to_parquet(path, index=False)
    promises.to_parquet(order.work / "promises.parquet", index=False)
    return path


@in_region
def draw(order: Order, inputs: Inputs) -> Path:
    """Write the whole site, its downloads and its manifest into a draft folder."""
    book = read_book(order, inputs)
    give_back()
    out = Shop(order.root).draft()
    write_downloads(book, out, order.site_url)
    give_back()
    title = read_words(order.site / "words")["vi"]("duties.calendar_name")
    calendar = duties_calendar(book.tables["duties"], book.tables["agencies"], book.as_of, title)
    (out / "duties.ics").write_bytes(calendar)
    keep_compiled(order.site, order.var / "templates")
    with kept_in(order.var / "pictures", code_of(order, "geodata", "atlas")):
        write_site(book, out, order.site, Address(order.site_url, order.contact))
    (out / "sitemap.xml").write_text(sitemap(out, order.site_url, book), encoding="utf-8")
    write_manifest(out, inputs, {**read_compared(order), "counts": dict(book.counts)})
    return out


def read_book(order: Order, inputs: Inputs) -> Book:
    """Assemble the book of this run from what the steps left."""
    findings = tuple(read_run_findings(order))
    shelf, tiled = _parted(order, findings)
    assembler = Assembler(shelf)
    tables = Published(order)
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
        counts=tables.counts(),
        communes=read_layer_file(order, "communes"),
        waterways=read_layer_file(order, "waterways"),
        sources=states,
        findings=findings,
        quarantine=RowFile(order.work / QUARANTINE),
        ledger=read_ledger(*sorted(order.work.glob("*.ledger.json"))),
        changes=read_changes(order),
        gaps=tuple(assembler.gap(row) for row in rows_of(shelf.tables["gaps"])),
        missing_layers=missing_layers(states),
        history=read_history(order, inputs.edition),
        workbooks=workbooks_of(order),
        looks_back=inputs.looks_back,
        tiled=tiled,
    )


def _parted(order: Order, findings: tuple[Finding, ...]) -> tuple[Shelf, Tiled | None]:
    """Return the shelf of the records with pages, and those that are tiled; the whole is let go."""
    whole = Shelf(
        tables=read_tables(order),
        frames=Frames(order.work, "facts", "access", "promises", "standing"),
        positions=Positions.read(order.work / FRAME),
        findings=findings,
    )
    shelf, tiled = part(whole, order.tile_over, order.work / "tiled")
    return shelf, replace(tiled, block_bytes=order.block_bytes) if tiled else None


@in_region
def verify(order: Order, draft: Path) -> int:
    """Return the number of pages of a sound site; refuse any other."""
    tables = read_tables(order)
    positions = pd.read_parquet(order.work / FRAME)
    kinds = tiled_kinds(tables, positions, order.tile_over)
    counts = {name: len(rows) for name, rows in untiled(tables, kinds).items()}
    pages = verify_site(draft, counts, Address(order.site_url).home)
    ids = tiled_ids(tables, kinds)
    communes, waterways = (read_layer_file(order, name) for name in ("communes", "waterways"))
    ground = ground_count(tables["communes"], communes, waterways, order.tile_over) if kinds else 0
    verify_tiles(draft, ids, ids.intersection(positions["subject_id"]), ground)
    return pages


@in_region
def publish(order: Order, draft: Path, edition: str) -> Path:
    """Switch ``public`` to the new edition by one rename."""
    shop = Shop(order.root)
    shop.publish(draft, edition)
    return shop.public
