"""What a reader of the map may search, narrow, sort, compare and carry away, in one language.

The browser loads it at the first touch of the search or a filter, so that the first view stays
light. Every key in it is the same in both languages, so that a link survives the switch.
"""

from collections.abc import Callable, Iterator, Mapping

from atlas.beside import NEAR, Shelf, compared_cells, compared_rows, newest_money
from atlas.columns import Narrowing
from atlas.conflicts import DISPUTED, RULES
from atlas.facets import LISTED, UNPLACED, labels
from atlas.grid import grid
from atlas.layers import LAYERS, Json, bounds, safe_json
from atlas.reach import Bounds, nearby_of, nearness_kind, reach_of
from atlas.records import Book, Record
from atlas.search import entries, folded, slug
from atlas.telling import (
    NOT_KNOWN,
    STAGE_GROUPS,
    claim_text,
    is_unplaced,
    stage_group,
    stage_text,
)
from atlas.track import OWNING, SCHEDULES, Group, districts_of
from atlas.words import Words
from atlas.years import year_marks
from geodata.region import here
from geodata.schema import FUNDS, MONEY_KINDS, POSITION_METHODS

WHO = ("developer", "investor", "owner")
"""Who is carried away; a reader narrows by everybody of `OWNING`."""

NUMBERS = ("area_ha", "price_usd_m2", "occupancy_pct")
"""Measures that a reader may narrow by, beside completeness, days late and distance."""

GROUPED = {"owner": "who", "fund": "fund", "district": "district"}
"""The facet of each axis by which the tracker groups."""

CARRIED = (
    *("id", "table", "kind", "name_vi", "name_en", "stage_group", "stage_on", "schedule"),
    *("days_late", "last_heard_on", "area_ha", "area_as_of", "occupancy_pct", "price_usd_m2"),
    *("developer", "investor", "owner", "commune_ids", "communes", "old_commune_ids"),
    *("district_ids", "districts", "inside_id", "position_method", "accuracy_m"),
    *("completeness_pct", "length_km"),
    *(f"{kind}_{end}_km" for kind in NEAR for end in ("least", "most")),
    *("longitude", "latitude", "as_of", "edition"),
)
"""Columns of the filtered download."""


def find_script(book: Book, words: Words, tiled: Narrowing | None = None) -> str:
    """Return the script that hands the browser what `find_data` returns, safe in any HTML.

    ``tiled`` are the columns of the tiled records, where there are any.
    """
    told = find_data(book, words)
    if tiled and book.tiled:
        told["tiled"] = dict(tiled.told)
        more = {name: labels(name, tiled.keys[name], book.tiled, words) for name in IS}
        told["choices"] = {name: list(_choices(name, book, words, more[name])) for name in IS}
    return f"globalThis.ATLAS_FIND = {safe_json(told)};\n"


def find_data(book: Book, words: Words) -> dict[str, Json]:
    """Return everything that the filters, the search, the comparison and the download need."""
    shelf = Shelf(book, words)
    reach = reach_of(book)
    nearby = nearby_of(book, reach)
    records: dict[str, Json] = {
        one: _record(r, shelf, reach.get(one, {}), nearby.get(one, {}))
        for one, r in ((r.subject_id, r) for r in book.records)
    }
    shown: dict[str, Json] = {
        key.removeprefix("browse."): text
        for key, text in sorted(words.texts.items())
        if key.startswith("browse.")
    }
    return {
        "name": here().atlas_id,
        "edition": book.edition,
        "as_of": book.as_of.isoformat(),
        "as_of_text": words.date(book.as_of),
        "lang": words.lang,
        "first_year": here().years[0],
        "words": shown | _names(book, words),
        "choices": {name: list(told(book, words)) for name, told in CHOICES.items()},
        "routes": _routes(book, words),
        "rows": [list(row) for row in compared_rows(shelf)],
        "documents": [words.of(book.documents[d], "name") for d in shelf.documents],
        "carried": list(CARRIED),
        "grid": grid(bounds(book)["limit"]),
        "search": entries(book, words),
        "records": records,
    }


def _names(book: Book, words: Words) -> dict[str, Json]:
    """Return the words that other pages say too, under the names that the scripts ask for."""
    units = {event.unit for record in book.records for event in record.money}
    return {
        **{f"group_{layer.layer_id}": words(layer.title) for layer in LAYERS},
        **{f"group_{group}": words(f"stage_group.{group}") for group in STAGE_GROUPS},
        **{f"state_{state}": words(f"track.state_{state}") for state in SCHEDULES},
        **{f"money_{kind}": words(f"money.{kind}") for kind in MONEY_KINDS},
        **{f"unit_{unit}": words.known(f"unit.{unit}", unit) for unit in sorted(units)},
    }


def _record(
    record: Record, shelf: Shelf, reach: Mapping[str, Bounds], nearby: Mapping[str, Bounds]
) -> dict[str, Json]:
    words = shelf.words
    return {
        "name": words.of(record, "name"),
        "table": record.table,
        "kind": record.kind,
        "says": stage_text(record, words),
        "inside": record.inside_id,
        "is": {name: [key for key, _ in told(record, words)] for name, told in IS.items()},
        "numbers": _numbers(record),
        "near": {kind: _span(bound) for kind, bound in nearby.items()},
        "to": {other: _span(bound) for other, bound in reach.items()},
        "years": year_marks(record, shelf.book.as_of),
        "money": [
            [event.kind, event.unit, str(event.amount), event.qualifier]
            for event in newest_money(record)
        ],
        "cells": dict(compared_cells(record, shelf, nearby)),
        "carry": _carried(record, shelf.book, nearby),
    }


def _span(bounds: Bounds) -> Json:
    return [bounds.least_km, bounds.most_km]


def _numbers(record: Record) -> dict[str, Json]:
    """Return the numbers that are known; days late, perhaps none, only where a day was promised."""
    facts = {name: record.fact(name) for name in NUMBERS}
    told: dict[str, Json] = {
        name: float(fact.claim.value)
        for name, fact in facts.items()
        if fact and fact.claim.is_number
    }
    if any(promise.state != "void" for promise in record.promises):
        told["days_late"] = record.days_late
    return told | {"completeness_pct": record.completeness_pct}


Choices = Iterator[tuple[str, str]]
"""Key (the same in both languages) and label."""


def _kind(record: Record, words: Words) -> Choices:
    yield record.kind, words(f"kind.{record.kind}")


def _stage(record: Record, words: Words) -> Choices:
    group = stage_group(record)
    yield group, words(f"stage_group.{group}")


def _schedule(record: Record, words: Words) -> Choices:
    yield record.schedule, words(f"track.state_{record.schedule}")


def _districts(record: Record, words: Words) -> Choices:
    yield from ((unit.unit_id, words.of(unit, "name")) for unit in districts_of(record))


def _communes(record: Record, words: Words) -> Choices:
    units = record.communes or record.nodes if record.table == "routes" else record.communes
    yield from ((u.unit_id, words.of(u, "name")) for u in units if u.level == "commune")


def _who(record: Record, words: Words) -> Choices:
    for measure in OWNING:
        fact = record.fact(measure)
        if fact and slug(fact.claim.value):
            yield slug(fact.claim.value), claim_text(fact.claim, words)


def _funds(record: Record, words: Words) -> Choices:
    there = {event.fund for event in record.money}
    yield from ((fund, words(f"fund.{fund}")) for fund in FUNDS if fund in there)


def _conflicts(record: Record, words: Words) -> Choices:
    broken = {finding.rule for finding in record.findings}
    yield from ((rule, words(f"rule.{rule}")) for rule in RULES if rule in broken)
    if any(fact.is_disputed for fact in record.facts):
        yield DISPUTED, words("conflict.disputed")


def _sectors(record: Record, words: Words) -> Choices:
    fact = record.fact("sectors")
    if fact is None:
        return
    parts = LISTED.split(fact.claim.value)
    shown = LISTED.split(claim_text(fact.claim, words))
    names = shown if len(shown) == len(parts) else parts
    yield from ((slug(key), name) for key, name in zip(parts, names, strict=True) if slug(key))


def _accuracy(record: Record, words: Words) -> Choices:
    position = record.position
    if position is not None:
        key = UNPLACED if is_unplaced(position) else position.method
        yield key, words(f"browse.accuracy_{key}")


IS: dict[str, Callable[[Record, Words], Choices]] = {
    "kind": _kind,
    "stage": _stage,
    "schedule": _schedule,
    "district": _districts,
    "commune": _communes,
    "who": _who,
    "fund": _funds,
    "sector": _sectors,
    "accuracy": _accuracy,
    "conflict": _conflicts,
}

ORDER = {
    "kind": tuple(
        layer.layer_id for draws in ("places", "routes") for layer in LAYERS if layer.draws == draws
    ),
    "stage": STAGE_GROUPS,
    "schedule": SCHEDULES,
    "fund": FUNDS,
    "conflict": (*RULES, DISPUTED),
    "accuracy": (*POSITION_METHODS, UNPLACED),
}
"""Choices that stand in an order of their own; the others stand by their label."""


def _choices(
    name: str, book: Book, words: Words, more: Mapping[str, str] | None = None
) -> Iterator[Json]:
    found = {key: label for r in book.records for key, label in IS[name](r, words)}
    found |= more or {}
    order = ORDER.get(name, ())
    places = {key: place for place, key in enumerate(order)}
    # what is not known stands last, as one choice of every facet
    keys = sorted(
        found.keys() - {NOT_KNOWN}, key=lambda k: (places.get(k, len(places)), folded(found[k]), k)
    )
    for key in keys:
        yield [key, found[key]]
    yield [NOT_KNOWN, words("stage_group.not_known")]


def _teller(name: str) -> Callable[[Book, Words], Iterator[Json]]:
    return lambda book, words: _choices(name, book, words)


CHOICES = {name: _teller(name) for name in IS}


def group_view(axis: str, group: Group) -> dict[str, str]:
    """Return what a view of the map asks for to show a group of the tracker."""
    key = slug(group.key) if axis == "owner" else group.key
    return {GROUPED[axis]: key or NOT_KNOWN}


def _routes(book: Book, words: Words) -> list[Json]:
    """Return the roads and canals that one may ask to be near to, by name."""
    there = [r for r in book.routes if r.position and not is_unplaced(r.position)]
    lines = [r for r in there if r.position and r.position.geometry.geom_type != "Point"]
    named = sorted((folded(words.of(r, "name")), r.subject_id, r) for r in lines)
    return [[r.subject_id, words.of(r, "name")] for _, _, r in named if nearness_kind(r) != "port"]


def _carried(record: Record, book: Book, nearby: Mapping[str, Bounds]) -> list[Json]:
    """Return a record's row of `CARRIED`: raw values, empty where nothing is known."""
    numbers, position, area = _numbers(record), record.position, record.fact("area_ha")
    at = position.geometry.representative_point() if position else None
    told: dict[str, Json] = {
        "id": record.subject_id,
        "table": record.table,
        "kind": record.kind,
        "name_vi": record.name_vi,
        "name_en": record.name_en,
        "stage_group": stage_group(record),
        "stage_on": record.stage.on if record.stage else "",
        "schedule": record.schedule,
        "days_late": record.days_late,
        "last_heard_on": record.last_heard_on,
        "area_as_of": area.claim.as_of if area else "",
        "commune_ids": ";".join(u.unit_id for u in record.communes),
        "communes": ";".join(u.name_vi for u in record.communes),
        "old_commune_ids": ";".join(u.unit_id for u in record.old_communes),
        "district_ids": ";".join(u.unit_id for u in record.districts),
        "districts": ";".join(u.name_vi for u in record.districts),
        "inside_id": record.inside_id,
        "position_method": position.method if position else "",
        "accuracy_m": position.accuracy_m if position else "",
        "length_km": record.length_km,
        "longitude": round(float(at.x), 6) if at else "",
        "latitude": round(float(at.y), 6) if at else "",
        "as_of": book.as_of.isoformat(),
        "edition": book.edition,
    }
    told |= {who: fact.claim.value for who in WHO if (fact := record.fact(who))}
    told |= numbers
    for kind, near in nearby.items():
        told |= {f"{kind}_least_km": near.least_km, f"{kind}_most_km": near.most_km}
    return [told.get(name, "") for name in CARRIED]
