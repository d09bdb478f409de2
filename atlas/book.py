"""The tables of a run, assembled into the records that pages and downloads print.

Only assembly: what holds, where it is and how late it is was decided before.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import pandas as pd

from atlas.placed import Positions
from atlas.records import (
    Access,
    Claim,
    Document,
    Fact,
    Forecast,
    Gap,
    MoneyEvent,
    Position,
    Promise,
    Record,
    Stage,
    StageEvent,
    Unit,
)
from geodata.cells import parts_of, rows_of
from geodata.findings import Finding, subject_of

Row = Mapping[str, str]


@dataclass(frozen=True)
class Shelf:
    """The tables a book is assembled from; all text is as published.

    ``frames`` are ``facts``, ``access``, ``promises`` and ``standing``.

    ``others`` names, by id, the subjects that are near to these and are told elsewhere;
    ``inside`` says of places, also of those told elsewhere, in which of these they lie.
    """

    tables: Mapping[str, pd.DataFrame]
    frames: Mapping[str, pd.DataFrame]
    positions: Positions
    findings: tuple[Finding, ...]
    others: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    inside: Mapping[str, str] = field(default_factory=dict)


class Assembler:
    """Builds records; holds the shared registers (documents, stages, units) once."""

    def __init__(self, shelf: Shelf) -> None:
        """Index the shelf's frames by subject."""
        self.shelf = shelf
        tables = shelf.tables
        self.documents = {r["document_id"]: _document(r) for r in _rows(tables["documents"])}
        self.stages = {r["stage_id"]: _stage(r) for r in _rows(tables["stages"])}
        self.units = {r["unit_id"]: _unit(r) for r in _rows(tables["communes"])}
        self._measures = {r["measure"]: r for r in _rows(tables["measures"])}
        self._names = dict(shelf.others) | {
            r[key]: (r["name_vi"], r["name_en"])
            for table, key in (("places", "place_id"), ("routes", "route_id"))
            for r in _rows(tables[table])
        }
        self._by_subject: dict[str, dict[str, list[Row]]] = {
            name: _grouped(frame)
            for name, frame in {
                "facts": shelf.frames["facts"],
                "stage_events": tables["stage_events"],
                "money_events": tables["money_events"],
                "milestones": tables["milestones"],
                "gaps": tables["gaps"],
                "access": shelf.frames["access"],
                "promises": shelf.frames["promises"],
                "positions": pd.DataFrame(shelf.positions.layer()),
            }.items()
        }
        self._standing = {r["subject_id"]: r for r in _rows(shelf.frames["standing"])}
        self._findings: dict[str, list[Finding]] = {}
        for found in shelf.findings:
            self._findings.setdefault(subject_of(found.key, self._standing), []).append(found)
        inside = {r["place_id"]: r["inside_id"] for r in _rows(tables["places"])}
        self._contains: dict[str, list[str]] = {}
        for place, outer in (inside | dict(shelf.inside)).items():
            self._contains.setdefault(outer, []).append(place)

    def records(self, table: str, key: str) -> tuple[Record, ...]:
        """Return the records of ``places`` or ``routes``, sorted by id."""
        rows = sorted(_rows(self.shelf.tables[table]), key=lambda row: row[key])
        return tuple(self._record(table, row[key], row) for row in rows)

    def gap(self, row: Row) -> Gap:
        """Return one gap."""
        return Gap(
            row["gap_id"], row["subject_id"], row["what_vi"], row["what_en"], row["looked_on"]
        )

    def _of(self, name: str, subject_id: str) -> list[Row]:
        return self._by_subject[name].get(subject_id, [])

    def _docs(self, cell: str) -> tuple[Document, ...]:
        # a derived position may cite a document that the check refused
        return tuple(self.documents[d] for d in parts_of(cell) if d in self.documents)

    def _units_of(self, row: Row, column: str) -> tuple[Unit, ...]:
        return tuple(self.units[u] for u in parts_of(row.get(column, "")))

    def _record(self, table: str, subject_id: str, row: Row) -> Record:
        standing = self._standing[subject_id]
        events = tuple(
            sorted(
                (self._event(r) for r in self._of("stage_events", subject_id)),
                key=lambda e: (e.on, e.stage.rank, e.event_id),
            )
        )
        facts = self._facts(subject_id)
        money = tuple(
            sorted(
                (self._money(r) for r in self._of("money_events", subject_id)),
                key=lambda m: (m.on, m.money_id),
            )
        )
        promises = self._promises(subject_id)
        reach = [self._access(r) for r in self._of("access", subject_id)]
        position = self._position(subject_id)
        return Record(
            subject_id=subject_id,
            table=table,
            kind=row["kind"],
            name_vi=row["name_vi"],
            name_en=row["name_en"],
            aliases=tuple(parts_of(row["aliases"])),
            ref=row.get("ref", ""),
            plan_refs=tuple(parts_of(row["plan_refs"])),
            districts=self._units_of(row, "district_ids"),
            old_communes=self._units_of(row, "old_commune_ids"),
            communes=self._units_of(row, "commune_ids"),
            nodes=self._units_of(row, "node_ids"),
            location_basis=row.get("location_basis", ""),
            inside_id=row.get("inside_id", ""),
            contains_ids=tuple(sorted(self._contains.get(subject_id, ()))),
            position=position,
            facts=facts,
            events=events,
            stage=next((e for e in events if e.event_id == standing["event_id"]), None),
            money=money,
            promises=promises,
            schedule=standing["schedule"],
            days_late=int(standing["days_late"]),
            last_heard_on=standing["last_heard_on"],
            access=tuple(a for relation, a in reach if relation == "access"),
            neighbours=tuple(a for relation, a in reach if relation == "neighbour"),
            length_km=_number(standing["length_km"]),
            completeness_pct=int(standing["completeness_pct"]),
            missing=tuple(parts_of(standing["missing"])),
            gaps=tuple(self.gap(r) for r in self._of("gaps", subject_id)),
            findings=tuple(self._findings.get(subject_id, ())),
            documents=_cited(self._docs(row["document_ids"]), facts, events, money, promises),
            note_vi=row["note_vi"],
            note_en=row["note_en"],
        )

    def _facts(self, subject_id: str) -> tuple[Fact, ...]:
        order = list(self._measures)
        groups: dict[tuple[int, str], list[Row]] = {}
        for row in self._of("facts", subject_id):
            groups.setdefault((order.index(row["measure"]), row["phase"]), []).append(row)
        return tuple(self._fact(rows) for _, rows in sorted(groups.items()))

    def _fact(self, rows: list[Row]) -> Fact:
        ordered = sorted(rows, key=lambda row: int(row["rank"]))
        measure = self._measures[ordered[0]["measure"]]
        claims = [self._claim(row, measure) for row in ordered]
        return Fact(
            measure["measure"],
            ordered[0]["phase"],
            measure["name_vi"],
            measure["name_en"],
            measure["meaning_vi"],
            measure["meaning_en"],
            claims[0],
            tuple(claims[1:]),
            bool(ordered[0]["is_disputed"]),
        )

    def _claim(self, row: Row, measure: Row) -> Claim:
        return Claim(
            row["claim_id"],
            row["qualifier"],
            row["value"],
            row["value_en"] or row["value"],
            row["unit"],
            measure["unit_en"],
            measure["value_type"] == "number",
            row["as_of"],
            row["as_of_basis"],
            row["confidence"],
            self._docs(row["document_ids"]),
            row["note_vi"],
            row["note_en"],
            row["source_id"],
        )

    def _event(self, row: Row) -> StageEvent:
        return StageEvent(
            row["event_id"],
            self.stages[row["stage_id"]],
            row["phase"],
            row["on"],
            row["on_basis"],
            self.documents.get(row["act_id"]),
            row["is_step_back"] == "true",
            row["confidence"],
            self._docs(row["document_ids"]),
            row["note_vi"],
            row["note_en"],
        )

    def _money(self, row: Row) -> MoneyEvent:
        return MoneyEvent(
            row["money_id"],
            row["kind"],
            row["fund"],
            row["phase"],
            row["qualifier"],
            Decimal(row["amount"]),
            row["unit"],
            row["on"],
            row["on_basis"],
            self.documents.get(row["act_id"]),
            row["confidence"],
            self._docs(row["document_ids"]),
            row["note_vi"],
            row["note_en"],
        )

    def _promises(self, subject_id: str) -> tuple[Promise, ...]:
        told = {r["milestone_id"]: r for r in self._of("milestones", subject_id)}
        return tuple(
            self._promise(row, told)
            for row in sorted(self._of("promises", subject_id), key=lambda r: r["promise_id"])
        )

    def _promise(self, row: Row, told: Mapping[str, Row]) -> Promise:
        first = told[row["baseline_id"]]
        mine = [t for t in told.values() if t["promise_id"] == row["promise_id"]]
        forecasts = sorted(
            (self._forecast(t) for t in mine), key=lambda f: (f.published_on, f.milestone_id)
        )
        return Promise(
            row["promise_id"],
            first["name_vi"],
            first["name_en"],
            self.stages.get(first["stage_id"]),
            first["phase"],
            self._forecast(first),
            tuple(f for f in forecasts if f.milestone_id != row["baseline_id"]),
            row["met_on"],
            row["state"],
            int(row["days_late"]),
            int(row["slip_days"]),
        )

    def _forecast(self, row: Row) -> Forecast:
        return Forecast(
            row["milestone_id"],
            row["due_on"],
            row["published_on"],
            row["confidence"],
            self._docs(row["document_ids"]),
            row["note_vi"],
            row["note_en"],
        )

    def _access(self, row: Row) -> tuple[str, Access]:
        names = self._names[row["other_id"]]
        distance, doubt = float(row["distance_km"]), float(row["uncertainty_km"])
        return row["relation"], Access(row["kind"], row["other_id"], *names, distance, doubt)

    def _position(self, subject_id: str) -> Position | None:
        for row in self._of("positions", subject_id):
            drawn = (_number(row["drawn_lon"]), _number(row["drawn_lat"]))
            return Position(
                row["geometry"],  # type: ignore[arg-type]
                row["method"],
                float(row["accuracy_m"]),
                row["as_of"],
                self._docs(row["document_ids"]),
                row["note_vi"],
                row["note_en"],
                (drawn[0], drawn[1]) if drawn[0] is not None and drawn[1] is not None else None,
            )
        return None


def _rows(frame: pd.DataFrame) -> list[Row]:
    return list(rows_of(frame))


def _grouped(frame: pd.DataFrame) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in _rows(frame):
        groups.setdefault(row["subject_id"], []).append(row)
    return groups


def _number(cell: object) -> float | None:
    return None if str(cell) in ("None", "nan", "<NA>") else float(str(cell))


def _document(row: Row) -> Document:
    told = {k: row[k] for k in Document.__dataclass_fields__ if k != "is_linked"}
    return Document(is_linked=row["is_linked"] == "true" and bool(row["url"]), **told)


def _stage(row: Row) -> Stage:
    told = {k: row[k] for k in Stage.__dataclass_fields__ if k != "rank"}
    return Stage(rank=int(row["rank"]), **told)


def _unit(row: Row) -> Unit:
    return Unit(**{k: row[k] for k in Unit.__dataclass_fields__})


def _cited(
    own: tuple[Document, ...],
    facts: tuple[Fact, ...],
    events: tuple[StageEvent, ...],
    money: tuple[MoneyEvent, ...],
    promises: tuple[Promise, ...],
) -> tuple[Document, ...]:
    """Return every document a record cites, once, in the order of their ids."""
    found = list(own)
    for fact in facts:
        for claim in (fact.claim, *fact.others):
            found += claim.documents
    dated: tuple[StageEvent | MoneyEvent, ...] = (*events, *money)
    for event in dated:
        found += event.documents
        found += [event.act] if event.act else []
    for promise in promises:
        for forecast in (promise.baseline, *promise.forecasts):
            found += forecast.documents
    once = {document.document_id: document for document in found}
    return tuple(once[document_id] for document_id in sorted(once))
