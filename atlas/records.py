"""The atlas as its pages read it: every record whole, joined, resolved and measured.

Nothing here computes: `join.read_book` builds these objects from the checked tables, and
pages, maps, charts and downloads only read them. Text in them is raw data and hostile until a
template or a JSON encoder escapes it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
from shapely.geometry.base import BaseGeometry

from geodata.catalog import Source
from geodata.findings import Finding
from geodata.inbox import Workbook
from geodata.ledger import Change

if TYPE_CHECKING:
    from atlas.tiled import Tiled  # which is made of records' parts


@dataclass(frozen=True)
class Document:
    """One legal act, plan, press page or data set that rows point to."""

    document_id: str
    kind: str
    name_vi: str
    name_en: str
    number: str
    publisher: str
    url: str
    is_linked: bool
    published_on: str
    date_basis: str
    retrieved_on: str


@dataclass(frozen=True)
class Unit:
    """One administrative unit: a new commune, an old commune or an old district."""

    unit_id: str
    level: str
    code: str
    name_vi: str
    name_en: str


@dataclass(frozen=True)
class Claim:
    """One dated, sourced statement. ``value`` is plain decimal text where it is a number."""

    claim_id: str
    qualifier: str
    value: str
    value_en: str
    unit_vi: str
    unit_en: str
    is_number: bool
    as_of: str
    as_of_basis: str
    confidence: str
    documents: tuple[Document, ...]
    note_vi: str
    note_en: str
    source_id: str


@dataclass(frozen=True)
class Fact:
    """The claim that holds for one measure (and phase), with the others beside it."""

    measure: str
    phase: str
    name_vi: str
    name_en: str
    meaning_vi: str
    meaning_en: str
    claim: Claim
    others: tuple[Claim, ...]
    is_disputed: bool


@dataclass(frozen=True)
class Stage:
    """One step of a status vocabulary."""

    stage_id: str
    axis: str
    rank: int
    group: str
    name_vi: str
    name_en: str
    meaning_vi: str
    meaning_en: str
    law_vi: str
    law_en: str


@dataclass(frozen=True)
class StageEvent:
    """One dated step along the physical axis."""

    event_id: str
    stage: Stage
    phase: str
    on: str
    on_basis: str
    act: Document | None
    is_step_back: bool
    confidence: str
    documents: tuple[Document, ...]
    note_vi: str
    note_en: str


@dataclass(frozen=True)
class MoneyEvent:
    """One amount of one kind; ``amount`` is exact."""

    money_id: str
    kind: str
    fund: str
    phase: str
    qualifier: str
    amount: Decimal
    unit: str
    on: str
    on_basis: str
    act: Document | None
    confidence: str
    documents: tuple[Document, ...]
    note_vi: str
    note_en: str


@dataclass(frozen=True)
class Forecast:
    """One publication of a promised date."""

    milestone_id: str
    due_on: str
    published_on: str
    confidence: str
    documents: tuple[Document, ...]
    note_vi: str
    note_en: str


@dataclass(frozen=True)
class Promise:
    """A promised date with its whole history; the first published one is the baseline.

    ``state`` is ``met``, ``met_late``, ``late`` (past due, and no source says it was met),
    ``due`` or ``void`` (the subject has ended). ``days_late`` counts from the last day of the
    baseline's period (a promise of "2025" ends on 31 December 2025) to ``met_on`` or to the
    as-of date; ``slip_days`` counts from the baseline to the newest forecast.
    """

    promise_id: str
    name_vi: str
    name_en: str
    stage: Stage | None
    phase: str
    baseline: Forecast
    forecasts: tuple[Forecast, ...]
    met_on: str
    state: str
    days_late: int
    slip_days: int


@dataclass(frozen=True)
class Position:
    """The best known geometry of a subject, EPSG:4326.

    ``accuracy_m`` bounds the distance to the true place. ``drawn_at`` is where the map puts a
    place known only by its commune, so that neighbours do not hide each other: it says nothing
    about the true place beyond the commune.
    """

    geometry: BaseGeometry
    method: str
    accuracy_m: float
    as_of: str
    documents: tuple[Document, ...]
    note_vi: str
    note_en: str
    drawn_at: tuple[float, float] | None = None


@dataclass(frozen=True)
class Access:
    """The nearest named road, canal or port, in a straight line, kilometres of the region's zone.

    ``uncertainty_km`` adds both accuracies: the true distance lies within it.
    """

    kind: str
    subject_id: str
    name_vi: str
    name_en: str
    distance_km: float
    uncertainty_km: float


@dataclass(frozen=True)
class Gap:
    """Something that was looked for and not found."""

    gap_id: str
    subject_id: str
    what_vi: str
    what_en: str
    looked_on: str


@dataclass(frozen=True)
class Record:
    """One place or route, whole.

    ``schedule`` is ``late``, ``on_time``, ``met``, ``stalled`` (nothing heard for 24 months),
    ``ended`` or ``undated``. ``completeness_pct`` is 0-100 by the method in `measure`.
    """

    subject_id: str
    table: str
    kind: str
    name_vi: str
    name_en: str
    aliases: tuple[str, ...]
    ref: str
    plan_refs: tuple[str, ...]
    districts: tuple[Unit, ...]
    old_communes: tuple[Unit, ...]
    communes: tuple[Unit, ...]
    nodes: tuple[Unit, ...]
    location_basis: str
    inside_id: str
    contains_ids: tuple[str, ...]
    position: Position | None
    facts: tuple[Fact, ...]
    events: tuple[StageEvent, ...]
    stage: StageEvent | None
    money: tuple[MoneyEvent, ...]
    promises: tuple[Promise, ...]
    schedule: str
    days_late: int
    last_heard_on: str
    access: tuple[Access, ...]
    neighbours: tuple[Access, ...]
    length_km: float | None
    completeness_pct: int
    missing: tuple[str, ...]
    gaps: tuple[Gap, ...]
    findings: tuple[Finding, ...]
    documents: tuple[Document, ...]
    note_vi: str
    note_en: str

    def fact(self, measure: str) -> Fact | None:
        """Return the whole-subject fact of a measure, or None where nothing is known."""
        found = [f for f in self.facts if f.measure == measure and not f.phase]
        return found[0] if found else None


@dataclass(frozen=True)
class SourceState:
    """What became of one source in this run.

    ``state`` is ``fresh`` (read as published), ``stale`` (the last good copy), ``missing`` or
    ``refused``; ``why`` says why it is not fresh. ``confirmed_on`` is the day on which a stale
    source last gave what is used of it.
    """

    source: Source
    state: str
    sha256: str
    rows: int
    why: str
    confirmed_on: str = ""


@dataclass(frozen=True)
class Changed:
    """One field of one record that differs from the edition before.

    ``change`` is ``added``, ``removed`` or ``altered``; only an altered row has a column, an old
    and a new value. ``row`` holds the cells that say what the row is: of the new row, or of the
    old one where it is gone. ``was`` holds those of the row that held before, where an added row
    takes its place. Of the table ``standing`` are the things that follow from the day and the
    rows: the schedule of a record. The text is raw data.
    """

    table: str
    row_key: str
    change: str
    column: str
    old: str
    new: str
    source_id: str
    subject_id: str = ""
    row: Mapping[str, str] = field(default_factory=dict)
    was: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Past:
    """One edition of the history that leads to this one, and what it changed.

    ``groups`` gives the stage group in which each changed record then stood.
    """

    edition: str
    as_of: str
    changes: tuple[Changed, ...]
    groups: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Book:
    """Everything the pages may print: one edition's content before it is drawn.

    ``tables`` holds each table of `geodata.schema` as it is published (all text, sorted by key,
    with ``source_id``) and ``counts`` its rows; ``communes`` and ``waterways`` are EPSG:4326
    layers or None where their source is missing; ``history`` the editions that lead to this one,
    this one first.
    ``looks_back`` is "then" where a past day is told with what was known by it, "now" where it
    is told with hindsight. ``tiled`` holds the records of the kinds that have too many for objects
    and pages of their own: they are in no other field but ``tables``.
    """

    edition: str
    previous_edition: str
    as_of: date
    places: tuple[Record, ...]
    routes: tuple[Record, ...]
    documents: Mapping[str, Document]
    stages: tuple[Stage, ...]
    tables: Mapping[str, pd.DataFrame]
    counts: Mapping[str, int]
    communes: gpd.GeoDataFrame | None
    waterways: gpd.GeoDataFrame | None
    sources: tuple[SourceState, ...]
    findings: tuple[Finding, ...]
    quarantine: Iterable[pd.DataFrame]
    ledger: tuple[Change, ...]
    changes: tuple[Changed, ...]
    gaps: tuple[Gap, ...]
    missing_layers: tuple[str, ...] = field(default=())
    history: tuple[Past, ...] = ()
    workbooks: tuple[Workbook, ...] = field(default=())
    looks_back: str = ""
    tiled: "Tiled | None" = None

    @property
    def records(self) -> tuple[Record, ...]:
        """Places, then routes."""
        return self.places + self.routes

    def record(self, subject_id: str) -> Record | None:
        """Return the record of that id, or None."""
        return {r.subject_id: r for r in self.records}.get(subject_id)
