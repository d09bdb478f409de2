"""What the two plans promise, beside what was reported: targets, funding, counts and duties.

Selects and adds up rows of the published tables; nothing here is written for a language.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import pandas as pd

from atlas.records import Book, Document, Record
from geodata.cells import parts_of
from geodata.dates import period_end

Row = dict[str, str]

COUNTED = {
    "KCN": "industrial_park",
    "CCN": "industrial_cluster",
    "trung tâm": "logistics_centre",
    "địa điểm": "logistics_site",
}
"""The kind of place that a target counts, by the unit it counts in."""

PER_YEAR = "/năm"  # a yearly average, which no single year is measured by


@dataclass(frozen=True)
class Compared:
    """One value of a series beside a target of the same series, unit and year.

    ``share_pct`` is the value in per cent of the target; for targets that are shares
    themselves it is None and ``points`` holds the difference.
    """

    target: Row
    share_pct: Decimal | None
    points: Decimal | None


@dataclass(frozen=True)
class Series:
    """One statistical series, never mixed with another, and the targets it may be held against."""

    series_id: str
    first: Row
    rows: tuple[tuple[Row, tuple[Compared, ...]], ...]
    targets: tuple[Row, ...]

    @property
    def promises(self) -> tuple[tuple[Row, ...], ...]:
        """The targets, those of both plans that promise the same together."""
        groups: dict[tuple[str, ...], list[Row]] = {}
        for target in self.targets:
            groups.setdefault(_promise_of(target), []).append(target)
        return tuple(tuple(group) for group in groups.values())


@dataclass(frozen=True)
class Reported:
    """One report that a duty was done; ``days_late`` is negative where it was early."""

    row: Row
    days_late: int | None
    documents: tuple[Document, ...]


@dataclass(frozen=True)
class Share:
    """One part of the funding, with its share of the total."""

    row: Row
    amount: Decimal
    share_pct: Decimal


@dataclass(frozen=True)
class Division:
    """One way to divide the total; ``is_closed`` tells whether the parts make it up exactly."""

    axis: str
    parts: tuple[Share, ...]
    added: Decimal
    is_closed: bool


@dataclass(frozen=True)
class Count:
    """One promised count, beside the places of that kind that later sources name."""

    target: Row
    kind: str
    places: tuple[Record, ...]


def rows_of(table: pd.DataFrame) -> list[Row]:
    """Return a table's rows as plain dictionaries of text."""
    return [{str(k): str(v) for k, v in row.items()} for row in table.to_dict("records")]


def documents_of(book: Book, row: Mapping[str, str]) -> tuple[Document, ...]:
    """Return the documents that a row rests on: its own, or the plan it comes from."""
    ids = parts_of(row.get("document_ids", "")) or parts_of(row.get("plan_id", ""))
    return tuple(book.documents[i] for i in ids if i in book.documents)


def targets_by_plan(book: Book) -> dict[str, list[Row]]:
    """Return the targets of each plan, counts left to `counts`."""
    return _grouped(rows_of(book.tables["targets"]), "plan_id")


def series(book: Book) -> tuple[Series, ...]:
    """Return every indicator series with the targets that name it."""
    targets = rows_of(book.tables["targets"])
    groups = _grouped(rows_of(book.tables["indicators"]), "series_id")
    return tuple(
        _series(series_id, values, [t for t in targets if t["series_id"] == series_id])
        for series_id, values in groups.items()
    )


def divisions(book: Book) -> tuple[Division, ...]:
    """Return the total by source, by year and by both, with the check that each closes."""
    rows = rows_of(book.tables["funding_plan"])
    total = sum((Decimal(r["amount"]) for r in rows if r["axis"] == "total"), Decimal(0))
    groups = _grouped([r for r in rows if r["axis"] != "total"], "axis")
    return tuple(_division(axis, parts, total) for axis, parts in groups.items())


def funding_total(book: Book) -> Row | None:
    """Return the row of the whole sum, or None where the table is missing."""
    return next((r for r in rows_of(book.tables["funding_plan"]) if r["axis"] == "total"), None)


def counts(book: Book) -> tuple[Count, ...]:
    """Return the promised counts, each beside the named places and never merged with them."""
    targets = [t for t in rows_of(book.tables["targets"]) if t["unit"] in COUNTED]
    kinds = [COUNTED[target["unit"]] for target in targets]
    return tuple(
        Count(target, kind, tuple(p for p in book.places if p.kind == kind))
        for target, kind in zip(targets, kinds, strict=True)
    )


def reports(book: Book) -> list[Row]:
    """Return the yearly reporting dates, in the order of the year."""
    found = [row for row in rows_of(book.tables["duties"]) if row["kind"] == "report"]
    return sorted(found, key=lambda row: (row["plan_id"], row["before_day"], row["duty_id"]))


def duty_reports(book: Book) -> dict[str, list[Reported]]:
    """Return what agencies report as done, by duty, newest year first.

    A duty without a report is in no way overdue: nobody has told. ``days_late`` is None where
    the plan sets no day of the year.
    """
    days = {row["duty_id"]: row["before_day"] for row in rows_of(book.tables["duties"])}
    told: dict[str, list[Reported]] = {}
    for row in sorted(
        rows_of(book.tables["duty_reports"]),
        key=lambda r: (-int(r["period"]), r["done_on"], r["report_id"]),
    ):
        late = _days_late(row, days.get(row["duty_id"], ""))
        told.setdefault(row["duty_id"], []).append(Reported(row, late, documents_of(book, row)))
    return told


def _days_late(report: Row, before_day: str) -> int | None:
    """Count from the last day that is still before the plan's day, in the year reported on."""
    if not before_day:
        return None
    last = date.fromisoformat(f"{report['period']}-{before_day}") - timedelta(days=1)
    return (period_end(report["done_on"]) - last).days


def duties_by_agency(book: Book) -> list[tuple[Row, list[Row]]]:
    """Return each agency that leads anything, with its duties; a shared duty stands at each."""
    duties = rows_of(book.tables["duties"])
    pairs = [
        (agency, [d for d in duties if agency["agency_id"] in parts_of(d["agency_ids"])])
        for agency in rows_of(book.tables["agencies"])
    ]
    return [(agency, own) for agency, own in pairs if own]


def _series(series_id: str, values: list[Row], targets: list[Row]) -> Series:
    ordered = sorted(values, key=lambda row: (row["period"], row["indicator_id"]))
    once = {_promise_of(target): target for target in reversed(targets)}
    compared = tuple(
        (row, tuple(c for t in once.values() if (c := _compared(row, t)) is not None))
        for row in ordered
    )
    return Series(series_id, ordered[0], compared, tuple(targets))


def _promise_of(target: Row) -> tuple[str, ...]:
    """What a target promises, whichever plan says it: the two plans share eight numbers."""
    return tuple(target[name] for name in ("value", "unit", "qualifier", "period", "is_baseline"))


def _compared(value: Row, target: Row) -> Compared | None:
    """Compare only like with like: one year, one unit, and no average over several years."""
    if not _is_alike(value, target):
        return None
    reported, promised = Decimal(value["value"]), Decimal(target["value"])
    if value["unit"].startswith("%"):
        return Compared(target, None, reported - promised)
    return Compared(target, 100 * reported / promised if promised else None, None)


def _is_alike(value: Row, target: Row) -> bool:
    is_sum = not target["unit"].endswith(PER_YEAR) and target["is_baseline"] != "true"
    one_year = value["period"].isdigit() and target["period"].isdigit()
    return is_sum and one_year and bool(target["value"]) and value["unit"] == target["unit"]


def _division(axis: str, rows: Iterable[Row], total: Decimal) -> Division:
    amounts = [(row, Decimal(row["amount"])) for row in rows]
    parts = tuple(Share(row, a, 100 * a / total if total else Decimal(0)) for row, a in amounts)
    added = sum((amount for _, amount in amounts), Decimal(0))
    return Division(axis, parts, added, added == total)


def _grouped(rows: Iterable[Row], column: str) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row[column], []).append(row)
    return groups


def reached(found: Iterable[Series]) -> list[tuple[Series, Row, Compared]]:
    """Return, of each series that may be held against a target, the newest value and its share."""
    return [
        (one, *shares[-1])
        for one in found
        if (
            shares := [
                (row, compared[0])
                for row, compared in one.rows
                if compared and compared[0].share_pct is not None
            ]
        )
    ]


def by_scope(found: Iterable[Series]) -> dict[str, list[Series]]:
    """Return series gathered by their scope: side by side, each still apart."""
    groups: dict[str, list[Series]] = {}
    for one in found:
        groups.setdefault(one.first["scope"], []).append(one)
    return groups
