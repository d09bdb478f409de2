"""The records as pages list, count, link and credit them, those of tiled kinds by their numbers."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup, escape

from atlas.layers import LAYERS
from atlas.records import Book, Document, Record, Stage
from atlas.telling import STAGE_GROUPS, outward
from atlas.track import SCHEDULES
from atlas.views import view
from atlas.words import Words, plain
from geodata.cells import parts_of, rows_of
from geodata.schema import STAGE_AXES

KINDS = tuple(
    one.layer_id for draws in ("places", "routes") for one in LAYERS if one.draws == draws
)

OUT = (
    '<a class="out" href="{}" rel="noopener nofollow external" referrerpolicy="no-referrer">{}</a>'
)

LISTED_DOCUMENTS = 2_000
LISTED_REFUSALS, LISTED_LETTERS = 200, 200
PROGRAMME_TABLES = ("targets", "indicators", "funding_plan", "duties", "duty_reports")
CITING = ("document_ids", "plan_id")


def by_kind(book: Book) -> list[tuple[str, list[Record]]]:
    """Return the records of each kind that has any: places, then routes, as the map's layers."""
    groups = [(kind, [r for r in book.records if r.kind == kind]) for kind in KINDS]
    return [(kind, records) for kind, records in groups if records]


@dataclass(frozen=True)
class Counted:
    """How many records a tiled kind has: all, by stage group and by schedule, none left out."""

    kind: str
    table: str
    count: int
    stages: tuple[tuple[str, int], ...]
    schedules: tuple[tuple[str, int], ...]


def tiled_counts(book: Book) -> list[Counted]:
    """Return the counts of the tiled kinds, in the order of the map's layers."""
    if book.tiled is None:
        return []
    subjects, told = book.tiled.subjects, []
    for kind in (one for one in KINDS if one in book.tiled.kinds):
        mine = subjects[subjects["kind"] == kind]
        parts = [
            tuple((key, int(counts[key])) for key in order if key in counts)
            for counts, order in (
                (mine["stage_group"].value_counts(), STAGE_GROUPS),
                (mine["schedule"].value_counts(), SCHEDULES),
            )
        ]
        told.append(Counted(kind, str(mine["table"].iloc[0]), len(mine), parts[0], parts[1]))
    return told


def credits(book: Book, words: Words) -> list[str]:
    """Return whom the drawing is owed to, by the licences of the sources that are there."""
    there = [s.source for s in book.sources if s.state in ("fresh", "stale")]
    said = [words.of(source, "attribution") for source in there]
    return sorted({text for text in said if text}) or [words("map.no_credits")]


def record_links(
    book: Book, words: Words, to: Callable[[str], str]
) -> Callable[[str, str], Markup]:
    """Return what links a record's id to its page, a tiled one's to the map where it is open.

    An id that is no record's stays text.
    """
    records = {record.subject_id: record for record in book.records}

    def link(key: str, text: str = "") -> Markup:
        record = records.get(key)
        if record is None and (names := _tiled_names(book, key)):
            address = f"{to('map')}#{view(id=key)}"
            shown = text or words.of(names, "name")
            return Markup('<a href="{}">{}</a>').format(address, plain(shown))
        if record is None:
            return escape(plain(text or key))
        shown = text or words.of(record, "name")
        address = to(f"{record.table}/{record.subject_id}")
        return Markup('<a href="{}">{}</a>').format(address, plain(shown))

    return link


def listed_documents(book: Book) -> dict[str, Document]:
    """Return the documents that the page of sources lists, sorted by id.

    All of them; where those are too many for a page, the ones that records with pages cite and
    that the programme rests on. The table of documents holds the others.
    """
    if len(book.documents) <= LISTED_DOCUMENTS:
        return {key: book.documents[key] for key in sorted(book.documents)}
    cited = {document.document_id for record in book.records for document in record.documents}
    tables = [book.tables[name] for name in PROGRAMME_TABLES]
    cells = (table[name] for table in tables for name in CITING if name in table)
    cited |= {key for told in cells for cell in told.unique() for key in parts_of(cell)}
    return {key: book.documents[key] for key in sorted(cited & book.documents.keys())}


@dataclass(frozen=True)
class Refusals:
    """The first refused rows, cell by cell; ``count`` counts all, ``is_cut`` tells that more is."""

    rows: tuple[dict[str, str], ...]
    count: int
    is_cut: bool


def listed_refusals(parts: Iterable[pd.DataFrame]) -> Refusals:
    """Return what a page shows of the refused rows: the first of them, long cells cut."""
    rows: list[dict[str, str]] = []
    count, is_cut = 0, False
    for part in parts:
        count += len(part)
        first = part.head(LISTED_REFUSALS - len(rows)).astype("str")
        cut = first.map(_shortened)
        is_cut |= len(first) < len(part) or not cut.equals(first)
        rows += rows_of(cut)
    return Refusals(tuple(rows), count, is_cut)


def _shortened(cell: str) -> str:
    return cell if len(cell) <= LISTED_LETTERS else f"{cell[:LISTED_LETTERS]}…"


def document_links(words: Words, address: Callable[[str], str]) -> Callable[[Document], Markup]:
    """Return what links a document: outward where the register allows it, else to its entry.

    ``address`` tells where the entry of an id is. A document is linked many times on a page and
    on all pages beside it; what links it is made once.
    """
    made: dict[str, Markup] = {}

    def link(document: Document) -> Markup:
        key = document.document_id
        if key not in made:
            name = words.known(f"plan.short_{key}", words.of(document, "name"))
            out = outward(document)
            form = OUT if out else '<a href="{}">{}</a>'
            made[key] = Markup(form).format(out or address(key), plain(name))
        return made[key]

    return link


def _tiled_names(book: Book, key: str) -> dict[str, str]:
    if book.tiled is None:
        return {}
    (n,) = book.tiled.numbers([key])
    return dict(book.tiled.subjects.iloc[n][["name_vi", "name_en"]]) if n >= 0 else {}


def axes(book: Book) -> list[tuple[str, list[Stage]]]:
    """Return the stages of each axis that has any, in their order."""
    found = [(axis, [s for s in book.stages if s.axis == axis]) for axis in STAGE_AXES]
    return [(axis, sorted(group, key=lambda s: s.rank)) for axis, group in found if group]


def map_files(book: Book) -> Iterable[str]:
    """Yield the names of the GeoJSON files that there are."""
    yield from ("places.geojson", "routes.geojson")
    if book.communes is not None:
        yield "communes.geojson"
