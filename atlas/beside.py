"""Two to four records side by side: the rows of a comparison and what each record says in them.

Every number comes with its date, its documents and how far it is trusted; what is not known has
no cell, and the page says so.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from atlas.layers import Json
from atlas.reach import Bounds
from atlas.records import Book, Document, MoneyEvent, Record
from atlas.telling import MAIN_MEASURES, accuracy_text, claim_text
from atlas.track import deciding
from atlas.words import Words
from geodata.schema import MONEY_KINDS

NEAR = ("road", "canal", "port")
LOWEST, HIGHEST, LARGEST, NEAREST = "lowest", "highest", "largest", "nearest"
BEST = {
    "area_ha": LARGEST,
    "price_usd_m2": LOWEST,
    "completeness": HIGHEST,
    **dict.fromkeys(NEAR, NEAREST),
}
"""Where one value of a compared row is better than another, and which way."""


@dataclass
class Shelf:
    """One language's registers that the records point into by number."""

    book: Book
    words: Words
    documents: dict[str, int] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)

    def cite(self, documents: Iterable[Document]) -> list[Json]:
        """Return the numbers of documents, giving new ones a number."""
        return [self.documents.setdefault(d.document_id, len(self.documents)) for d in documents]


def compared_rows(shelf: Shelf) -> list[tuple[str, str, str]]:
    """Return the rows of a comparison: key, title and which value is the better one."""
    words = shelf.words
    titles = {
        f.measure: words.of(f, "name") for r in shelf.book.records for f in r.facts if not f.phase
    }
    facts = [(m, titles[m]) for m in MAIN_MEASURES if m in titles]
    kinds = {m.kind for r in shelf.book.records for m in newest_money(r)}
    money = [(k, words(f"money.{k}")) for k in MONEY_KINDS if k in kinds]
    head = [(k, words(f"browse.row_{k}")) for k in ("kind", "stage", "schedule")]
    near = [(k, words(f"access.{k}")) for k in NEAR]
    where = [(k, words(f"browse.row_{k}")) for k in ("commune", "district", "accuracy")]
    last = [("completeness", words("browse.row_completeness"))]
    rows = (*head, *facts, *money, *near, *where, *last)
    return [(key, title, BEST.get(key, "")) for key, title in rows]


def compared_cells(
    record: Record, shelf: Shelf, nearby: Mapping[str, Bounds]
) -> Iterator[tuple[str, list[Json]]]:
    """Yield what a comparison says of a record: text, date, documents, trust, others, number."""
    words = shelf.words
    yield "kind", [words(f"kind.{record.kind}")]
    if event := record.stage:
        yield (
            "stage",
            [
                words.of(event.stage, "name"),
                words.dated(event.on, event.on_basis),
                shelf.cite(event.documents),
                words(f"confidence.{event.confidence}"),
            ],
        )
    yield "schedule", list(_schedule(record, shelf))
    yield from _fact_cells(record, shelf)
    for money in newest_money(record):
        yield (
            money.kind,
            [
                words.amount(money.amount, money.unit, money.qualifier),
                words.dated(money.on, money.on_basis),
                shelf.cite(money.documents),
                words(f"confidence.{money.confidence}"),
            ],
        )
    for kind, bounds in nearby.items():
        told = [bounds.least_km, bounds.most_km]
        yield kind, [_span_text(bounds, words), words("browse.measured"), [], "", "", list(told)]
    for name, units in (("commune", record.communes), ("district", record.districts)):
        if units:
            yield name, ["; ".join(words.of(unit, "name") for unit in units)]
    yield "accuracy", [accuracy_text(record, words)]
    share = record.completeness_pct
    yield "completeness", [words.amount(share, "%"), words("browse.measured"), [], "", "", share]


def _schedule(record: Record, shelf: Shelf) -> Iterator[Json]:
    """Yield the state and, where a promise decides it, that promise's day, documents and trust."""
    words, promise = shelf.words, deciding(record)
    yield words(f"schedule.{record.schedule}", days=words.number(record.days_late))
    if promise is not None:
        first = promise.baseline
        dates = {"due": words.date(first.due_on), "published": words.date(first.published_on)}
        yield words("browse.promised_for", **dates)
        yield shelf.cite(first.documents)
        yield words(f"confidence.{first.confidence}")


def _fact_cells(record: Record, shelf: Shelf) -> Iterator[tuple[str, list[Json]]]:
    words = shelf.words
    for fact in (record.fact(measure) for measure in MAIN_MEASURES):
        if fact is None:
            continue
        claim = fact.claim
        trust = "conflict" if fact.is_disputed else claim.confidence
        others = "; ".join(f"{claim_text(o, words)} ({words.date(o.as_of)})" for o in fact.others)
        yield (
            fact.measure,
            [
                claim_text(claim, words),
                words.dated(claim.as_of, claim.as_of_basis),
                shelf.cite(claim.documents),
                words(f"confidence.{trust}"),
                others,
                float(claim.value) if claim.is_number else None,
            ],
        )


def _span_text(bounds: Bounds, words: Words) -> str:
    most = words.rounded(bounds.most_km, 1)
    if bounds.least_km == 0:
        return words("browse.at_most_km", most=most)
    return words("browse.between_km", least=words.rounded(bounds.least_km, 1), most=most)


def newest_money(record: Record) -> list[MoneyEvent]:
    """Return the newest whole amount of each kind of money."""
    whole = sorted((m for m in record.money if not m.phase), key=lambda m: (m.on, m.money_id))
    newest = {event.kind: event for event in whole}
    return [newest[kind] for kind in MONEY_KINDS if kind in newest]
