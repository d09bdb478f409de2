"""The small book with text in every field that must stay text wherever it is shown."""

import dataclasses
import re

import pandas as pd

from atlas.records import Book, Claim
from books import small_book
from geodata.ledger import Change

HOSTILE = (
    '=HYPERLINK("x";"y")+cmd|\' /C calc\'!A0'
    "<script>globalThis.ran=1</script>"
    "${globalThis.ran=2}`${globalThis.ran=3}`"
    '"><img src=x onerror="globalThis.ran=4">'
    "</script><script>globalThis.ran=5//\u2028\u2029"
    "\u202eesrever\u202c\u200f{{ 7 * 7 }}{% raw %}'; globalThis.ran=6 //"
)
"""A formula, markup, a template's and a script's own signs, quotes, turned and hidden letters."""

CLEAN = re.sub("[\u200e\u200f\u2028-\u202e]", "", HOSTILE)
"""The same without the hidden signs, which the checks refuse: it goes through the whole run."""

KEPT = {
    "subject_id", "table", "kind", "confidence", "as_of", "as_of_basis", "on", "on_basis",
    "fund", "axis", "group", "stage_id", "document_id", "qualifier", "method", "schedule", "state",
    "location_basis", "level", "unit_id", "measure", "date_basis", "severity", "published_on",
    "retrieved_on", "due_on", "looked_on", "met_on", "last_heard_on", "inside_id", "contains_ids",
    "change", "milestone_id", "series_id", "plan_id", "target_id", "agency_id", "agency_ids",
    "duty_id", "cadence", "before_day", "scope", "price_basis", "period", "value", "amount",
    "document_ids", "partner_ids", "unit_ids", "is_baseline", "is_qualitative", "duty_count",
    "starts_on", "ends_on", "longitude", "latitude", "edition", "previous_edition", "source_id",
    "year", "layer", "plan_refs", "groups", "area_km2", "reach_m", "valid_from", "valid_to",
}  # fmt: skip
"""Ids, closed vocabularies, numbers and dates, which the checks hold to their forms; a claim's
value is hostile all the same where it is text."""


def hostile_book() -> Book:
    """Return the small book with `HOSTILE` in every field of free text."""
    book = small_book()
    frames = {name: _hostile_frame(frame) for name, frame in book.tables.items()}
    waterways = book.waterways
    assert waterways is not None
    sources = tuple(
        dataclasses.replace(
            state,
            why=HOSTILE,
            source=state.source.model_copy(
                update=dict.fromkeys(
                    ("title_vi", "title_en", "publisher", "licence", "attribution_vi",
                     "attribution_en", "note_vi", "note_en"),
                    HOSTILE,
                )
            ),
        )
        for state in book.sources
    )  # fmt: skip
    return dataclasses.replace(
        book,
        places=tuple(_hostile(one) for one in book.places),
        routes=tuple(_hostile(one) for one in book.routes),
        documents={key: _hostile(one) for key, one in book.documents.items()},
        stages=tuple(_hostile(one) for one in book.stages),
        tables=frames,
        waterways=waterways.assign(name=[HOSTILE, HOSTILE]),
        sources=sources,
        findings=tuple(_hostile(one) for one in book.findings),
        quarantine=[part.assign(content=HOSTILE, detail=HOSTILE) for part in book.quarantine],
        ledger=(Change(HOSTILE, 2, 1, {HOSTILE: 1}),),
        changes=tuple(_hostile(one) for one in book.changes),
        history=tuple(_hostile(one) for one in book.history),
        gaps=tuple(_hostile(one) for one in book.gaps),
        missing_layers=(HOSTILE,),
    )


def _hostile_frame(frame: pd.DataFrame) -> pd.DataFrame:
    free = [column for column in frame.columns if column not in KEPT]
    return frame.assign(**dict.fromkeys(free, HOSTILE))


def _hostile(thing: object) -> object:
    """Return a copy of a frozen dataclass, hostile in every text that is not kept."""
    changed = {
        field.name: _hostile_value(field.name, getattr(thing, field.name), thing)
        for field in dataclasses.fields(thing)
    }
    return dataclasses.replace(thing, **changed)


def _hostile_value(name: str, value: object, owner: object) -> object:
    if name == "value" and isinstance(owner, Claim) and not owner.is_number:
        return HOSTILE
    if dataclasses.is_dataclass(value):
        return _hostile(value)
    if isinstance(value, dict):
        return {key: _hostile_value(key, part, owner) for key, part in value.items()}
    if isinstance(value, tuple) and name not in KEPT:
        return tuple(_hostile_value(name, part, owner) for part in value)
    return HOSTILE if isinstance(value, str) and name not in KEPT else value
