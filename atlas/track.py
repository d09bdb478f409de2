"""What the tracking view says: who is late against which promise, what waits, what money is known.

Selects, groups and orders what the records already hold. Only hectares of zones are added up, and
money is never added: amounts differ in kind, fund, unit and day, and a park's may hold its plants'.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from atlas.programme import Row, rows_of
from atlas.records import Access, Book, Claim, Fact, MoneyEvent, Promise, Record, Unit
from geodata.cells import parts_of
from geodata.dates import period_end, period_start
from geodata.region import here
from geodata.schema import FUNDS, MONEY_KINDS

SCHEDULES = ("late", "stalled", "on_time", "met", "undated", "ended")
"""The schedule states, in the order in which a planner asks for them."""

ZONE_KINDS = ("industrial_park", "industrial_cluster", "logistics_centre", "logistics_site")
OWNING = ("owner", "developer", "investor", "proposer")
"""The measures that name who carries a subject out, the public owner first."""

ROUTE_ACCESS = ("road", "canal")


@dataclass(frozen=True)
class Tracked:
    """One subject as the tracking table shows it; ``promise`` decides its schedule, where any."""

    record: Record
    promise: Promise | None
    more: int
    owners: tuple[Fact, ...]
    funds: tuple[str, ...]
    waits: tuple[Claim, ...]


@dataclass(frozen=True)
class Group:
    """Subjects that share an owner, a fund or an old district; ``about`` None: not known."""

    key: str
    about: Claim | Unit | str | None
    tracked: tuple[Tracked, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many stand in each schedule state, states without any left out."""
        found = {s: sum(t.record.schedule == s for t in self.tracked) for s in SCHEDULES}
        return {state: count for state, count in found.items() if count}


@dataclass(frozen=True)
class Amounts:
    """All amounts of one kind of money in one unit; the largest of the newest first."""

    kind: str
    unit: str
    funds: tuple[str, ...]
    rows: tuple[tuple[Record, MoneyEvent, bool], ...]

    @property
    def newest(self) -> tuple[tuple[Record, MoneyEvent], ...]:
        """The amounts that no later one of the same subject, part and fund replaces."""
        return tuple((record, event) for record, event, is_newest in self.rows if is_newest)


@dataclass(frozen=True)
class Waiting:
    """A zone: the nearest named routes with their records, and what a source says comes first."""

    record: Record
    routes: tuple[tuple[Access, Record], ...]
    waits: tuple[Claim, ...]


@dataclass(frozen=True)
class Behind:
    """A route and the zones that have no nearer one of its kind.

    ``hectares`` adds the published areas of zones that have not ended and lie in no other place;
    ``counted`` of them have an area, ``unknown`` have none.
    """

    route: Record
    zones: tuple[tuple[Access, Record], ...]
    hectares: Decimal
    counted: int
    unknown: int


@dataclass(frozen=True)
class Due:
    """One duty with a day in the year: its next day for one agency, or None once it is over."""

    duty: Row
    agency_id: str
    on: date | None
    last_on: date | None


def tracked(book: Book) -> tuple[Tracked, ...]:
    """Return every subject: the latest first, then the longest silent, then by the next date."""
    return tuple(sorted(map(_tracked, book.records), key=_order))


def state_counts(book: Book) -> dict[str, int]:
    """Return how many subjects stand in each schedule state, empty states too."""
    return {state: sum(r.schedule == state for r in book.records) for state in SCHEDULES}


def by_owner(told: Iterable[Tracked]) -> tuple[Group, ...]:
    """Group by who carries it out, as the newest claim names them; not known last."""
    return _groups(told, lambda t: [(f.claim.value, f.claim) for f in t.owners])


def by_fund(told: Iterable[Tracked]) -> tuple[Group, ...]:
    """Group by the funds of the known money; a subject with several stands at each."""
    found = _groups(told, lambda t: [(fund, fund) for fund in t.funds])
    return tuple(sorted(found, key=lambda g: FUNDS.index(g.key) if g.key else len(FUNDS)))


def by_district(told: Iterable[Tracked]) -> tuple[Group, ...]:
    """Group by old district; a route stands at each district that its sources name."""
    return _groups(told, lambda t: [(u.unit_id, u) for u in districts_of(t.record)])


def amounts(book: Book) -> tuple[tuple[str, tuple[Amounts, ...]], ...]:
    """Return the known money by kind and, within it, by unit; every kind, also without any."""
    told = [(record, event) for record in book.records for event in record.money]
    return tuple(
        (
            kind,
            tuple(
                _amounts(kind, unit, mine)
                for unit in here().money_units
                if (mine := [(r, e) for r, e in told if (e.kind, e.unit) == (kind, unit)])
            ),
        )
        for kind in MONEY_KINDS
    )


def waiting(book: Book) -> tuple[Waiting, ...]:
    """Return the zones that are still to come, with the routes and conditions they wait for."""
    routes = {route.subject_id: route for route in book.routes}
    return tuple(
        Waiting(place, _near_routes(place, routes), _waits(place))
        for place in book.places
        if place.kind in ZONE_KINDS and place.schedule != "ended"
    )


def behind(book: Book) -> tuple[Behind, ...]:
    """Return every route with the zones that name it as their nearest, the most hectares first."""
    found = [_behind(route, book.places) for route in book.routes]
    return tuple(sorted(found, key=lambda b: (-b.hectares, -len(b.zones), b.route.subject_id)))


def due_dates(book: Book) -> tuple[Due, ...]:
    """Return each agency's dated duties, the next day first, those that are over last."""
    duties = [duty for duty in rows_of(book.tables["duties"]) if duty["before_day"]]
    found = [
        Due(duty, agency_id, *_days(duty, book.as_of))
        for duty in duties
        for agency_id in parts_of(duty["agency_ids"])
    ]
    return tuple(sorted(found, key=lambda d: (d.on or date.max, d.agency_id, d.duty["duty_id"])))


def deciding(record: Record) -> Promise | None:
    """Return the promise that a record's schedule rests on: the latest, the next or the last."""
    late = [p for p in record.promises if p.state == "late"]
    if late:
        return max(late, key=lambda p: (p.days_late, p.promise_id))
    due = [p for p in record.promises if p.state == "due"]
    if due:
        return min(due, key=lambda p: (period_end(p.baseline.due_on), p.promise_id))
    return max(record.promises, key=lambda p: (p.met_on, p.promise_id), default=None)


def _tracked(record: Record) -> Tracked:
    promise = deciding(record)
    funds = {event.fund for event in record.money}
    return Tracked(
        record,
        promise,
        max(0, len(record.promises) - 1),
        tuple(f for name in OWNING if (f := record.fact(name)) is not None),
        tuple(fund for fund in FUNDS if fund in funds),
        _waits(record),
    )


def _order(told: Tracked) -> tuple[int, int, str, str]:
    record = told.record
    due = told.promise.baseline.due_on if told.promise else ""
    when = record.last_heard_on if record.schedule == "stalled" else due
    place = SCHEDULES.index(record.schedule) if record.schedule in SCHEDULES else len(SCHEDULES)
    return place, -record.days_late, when, record.subject_id


def _groups(
    told: Iterable[Tracked], keys: Callable[[Tracked], list[tuple[str, Claim | Unit | str]]]
) -> tuple[Group, ...]:
    members: dict[str, list[Tracked]] = {}
    abouts: dict[str, Claim | Unit | str | None] = {}
    for one in told:
        for key, about in dict(keys(one)).items() or [("", None)]:
            members.setdefault(key, []).append(one)
            abouts.setdefault(key, about)
    ordered = sorted(members, key=lambda key: (key == "", -len(members[key]), key))
    return tuple(Group(key, abouts[key], tuple(members[key])) for key in ordered)


def districts_of(record: Record) -> tuple[Unit, ...]:
    """Return the old districts of a subject; of a route, those that its sources name."""
    passed = tuple(u for u in record.nodes if u.level == "old_district")
    return record.districts or passed


def _amounts(kind: str, unit: str, told: list[tuple[Record, MoneyEvent]]) -> Amounts:
    last: dict[tuple[str, str, str], MoneyEvent] = {}
    for record, event in sorted(told, key=lambda t: (t[1].on, t[1].money_id)):
        last[record.subject_id, event.phase, event.fund] = event
    newest = {event.money_id for event in last.values()}
    rows = [(record, event, event.money_id in newest) for record, event in told]
    rows.sort(key=lambda t: (not t[2], -t[1].amount, t[1].money_id))
    there = {event.fund for _, event in told}
    return Amounts(kind, unit, tuple(f for f in FUNDS if f in there), tuple(rows))


def _near_routes(place: Record, routes: dict[str, Record]) -> tuple[tuple[Access, Record], ...]:
    found = [a for a in place.access if a.kind in ROUTE_ACCESS and a.subject_id in routes]
    return tuple((a, routes[a.subject_id]) for a in found)


def _waits(record: Record) -> tuple[Claim, ...]:
    return tuple(f.claim for f in record.facts if f.measure == "waits_for")


def _behind(route: Record, places: Iterable[Record]) -> Behind:
    near = tuple(
        (access, place)
        for place in places
        if place.kind in ZONE_KINDS and place.schedule != "ended"
        for access in place.access
        if access.kind in ROUTE_ACCESS and access.subject_id == route.subject_id
    )
    alone = [place for _, place in near if not place.inside_id]
    areas = [fact.claim.value for place in alone if (fact := place.fact("area_ha")) is not None]
    total = sum(map(Decimal, areas), Decimal(0))
    return Behind(route, near, total, len(areas), len(alone) - len(areas))


def _days(duty: Row, as_of: date) -> tuple[date | None, date | None]:
    """Return the next day on or after ``as_of`` and, once the duty is over, its last day.

    The clause says "before" that day; a day that only leap years have is not in the tables.
    """
    month, day = map(int, duty["before_day"].split("-"))
    start = period_start(duty["starts_on"]) if duty["starts_on"] else date.min
    end = period_end(duty["ends_on"]) if duty["ends_on"] else date.max
    first = max(as_of, start)
    following = date(first.year + ((month, day) < (first.month, first.day)), month, day)
    if following <= end:
        return following, None
    last = date(end.year, month, day)
    return None, last if last <= end else date(end.year - 1, month, day)


def days_until(on: date, as_of: date) -> int:
    """Return the days from the as-of date to a day."""
    return (on - as_of) // timedelta(days=1)
