"""What an edition adds up to: ``data/totals.json``, by which an index of regions counts.

The sums are those of the map: of each record's money the newest whole amount of its kind, kinds and
units apart; of places that lie in another one, no hectares. What is not known is counted.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field

from atlas.beside import newest_money
from atlas.details import newest_money as tiled_money
from atlas.records import Book
from atlas.tiled import Tiled
from atlas.track import SCHEDULES
from geodata.cells import are_numbers, is_number
from geodata.dates import is_date
from geodata.region import Region, here
from geodata.schema import MONEY_KINDS

PATH = "data/totals.json"
MEASURES = ("places", "routes", "area_ha", *MONEY_KINDS, *SCHEDULES)
"""Every number of an edition, in the order in which it is told."""


class Total(BaseModel):
    """One number: how many, hectares, or the sum of amounts of one kind in one unit.

    ``value`` is exact decimal text, None where nothing is known. ``counted`` records stand in it,
    ``unknown`` do not. ``since`` and ``until`` are the oldest and the newest date of what stands in
    it; ``source`` is the published table it was added up from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    measure: str = Field(pattern=f"^({'|'.join(MEASURES)})$")
    unit: str = Field(default="", max_length=40)
    value: Decimal | None
    counted: int = Field(ge=0)
    unknown: int = Field(ge=0)
    since: str = Field(pattern=r"^(\d{4}(-\d{2}){0,2})?$")
    until: str = Field(pattern=r"^(\d{4}(-\d{2}){0,2})?$")
    source: str = Field(pattern=r"^data/[a-z_]+\.csv$")


class Totals(BaseModel):
    """What one edition says of its region as a whole."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    region_id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)
    name_vi: str = Field(min_length=1, max_length=80)
    name_en: str = Field(min_length=1, max_length=80)
    lies_in: tuple[str, ...]
    bounds: tuple[float, float, float, float]
    edition: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}-[0-9a-f]{6,64}$")
    as_of: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")
    totals: tuple[Total, ...]


def totals(book: Book) -> Totals:
    """Add up one edition, for the region that is being built."""
    region: Region = here()
    return Totals(
        region_id=region.region_id,
        name_vi=region.name_vi,
        name_en=region.name_en,
        lies_in=region.lies_in,
        bounds=region.bounds,
        edition=book.edition,
        as_of=book.as_of.isoformat(),
        totals=(*_counts(book), _hectares(book), *_money(book), *_schedules(book)),
    )


def _counts(book: Book) -> Iterable[Total]:
    for table in ("places", "routes"):
        yield _counted(book, table, _records(book, table), f"data/{table}.csv")


def _records(book: Book, table: str) -> int:
    """Count the records of a table, those of tiled kinds with them."""
    many = int((book.tiled.subjects["table"] == table).sum()) if book.tiled else 0
    return sum(record.table == table for record in book.records) + many


def _counted(book: Book, measure: str, count: int, source: str) -> Total:
    day = book.as_of.isoformat()
    return Total(
        measure=measure,
        value=Decimal(count),
        counted=count,
        unknown=0,
        since=day,
        until=day,
        source=source,
    )


def _hectares(book: Book) -> Total:
    """Add the published areas of places; one inside another shares its ground by nature."""
    there = {place.subject_id for place in book.places}
    within = book.tiled.holding if book.tiled else {}
    alone = [p for p in book.places if p.inside_id not in there and p.subject_id not in within]
    facts = [fact.claim for place in alone if (fact := place.fact("area_ha")) is not None]
    told = [(claim.value, claim.as_of) for claim in facts if is_number(claim.value)]
    many = _tiled_hectares(book.tiled) if book.tiled else ()
    silent = len(alone) - len(told) + sum(not value for value, _ in many)
    told += [(value, day) for value, day in many if value]
    return _summed("area_ha", "ha", told, (silent, "data/claims.csv"))


def _tiled_hectares(tiled: Tiled) -> list[tuple[str, str]]:
    """Return area and day of each tiled place that lies in no other, "" where it is not known."""
    places = tiled.subjects[tiled.subjects["table"] == "places"]
    alone = places[(places["inside_id"] == "").to_numpy()]
    facts = tiled.frames["facts"]
    areas = facts[(facts["measure"] == "area_ha") & (facts["phase"] == "") & (facts["rank"] == 1)]
    told = areas.set_index("n")[["value", "as_of"]].reindex(alone.index).fillna("")
    told["value"] = told["value"].where(are_numbers(told["value"].astype("str")), "")
    return list(told.itertuples(index=False, name=None))


def _money(book: Book) -> Iterable[Total]:
    newest = [event for record in book.records for event in newest_money(record)]
    told = [(event.kind, event.unit, str(event.amount), event.on) for event in newest]
    if book.tiled:
        rows = tiled_money(book.tiled.frames["money_events"])[["kind", "unit", "amount", "on"]]
        told += list(rows.itertuples(index=False, name=None))
    known = Counter(kind for kind, *_ in told)  # a record has one newest amount of a kind
    amounts: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for kind, unit, amount, on in told:
        amounts.setdefault((kind, unit), []).append((amount, on))
    everybody = sum(_records(book, table) for table in ("places", "routes"))
    for kind in MONEY_KINDS:
        units = [unit for unit in here().money_units if (kind, unit) in amounts]
        rest = (everybody - known[kind], "data/money_events.csv")
        for unit in units or here().money_units[:1]:
            yield _summed(kind, unit, amounts.get((kind, unit), []), rest)


def _summed(
    measure: str, unit: str, told: Sequence[tuple[str, str]], rest: tuple[int, str]
) -> Total:
    unknown, source = rest
    days = sorted(day for _, day in told if is_date(day))
    return Total(
        measure=measure,
        unit=unit,
        value=sum((Decimal(value) for value, _ in told), Decimal(0)) if told else None,
        counted=len(told),
        unknown=unknown,
        since=days[0] if days else "",
        until=days[-1] if days else "",
        source=source,
    )


def _schedules(book: Book) -> Iterable[Total]:
    told = Counter(record.schedule for record in book.records)
    told.update(book.tiled.subjects["schedule"] if book.tiled else ())
    for state in SCHEDULES:
        yield _counted(book, state, told[state], "data/milestones.csv")
