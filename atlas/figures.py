"""Which charts the pages show and what each says; and all that the planner's pages draw on."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

import shapely

from atlas.charts import Chart, Lane, Mark, Say, bars, curve, gantt, plan
from atlas.conflicts import disputed, drawn_overlaps, found_by_rule
from atlas.layers import commune_layer
from atlas.programme import Compared, Division, Row, Series
from atlas.records import Book, MoneyEvent, Promise, Record, StageEvent
from atlas.telling import is_unplaced, phase_text
from atlas.track import (
    SCHEDULES,
    Amounts,
    amounts,
    behind,
    by_district,
    by_fund,
    by_owner,
    days_until,
    due_dates,
    state_counts,
    tracked,
    waiting,
)
from atlas.words import PART_OF_YEAR, YEARS, Words
from geodata.dates import is_date, period_end, period_start
from geodata.region import here

YEARS_BEFORE = 2
"""So many years before those of the map's slider begins the chart of all subjects."""

LABEL_CHARACTERS = 42  # what fits beside a chart; the whole name stands in the table
ABOVE_CHARACTERS = 32  # what fits above a bar, before its amount
MAP_KINDS = {
    "late": "overdue",
    "stalled": "stalled",
    "on_time": "on-time",
    "met": "kept",
    "undated": "undated",
    "ended": "gone",
}
"""The mark of each schedule state on the small map."""

MAP_MARGIN_DEGREES = 0.02
WHOLE = (-180.0, -90.0, 180.0, 90.0)
THIN_DEGREES = 0.0005  # about 50 m, less than a pixel of the small map
RINGED = ("preparing", "building", "operating")


def portfolio_years() -> tuple[int, int]:
    """Return the first year of the chart of all subjects, and the first one no more on it."""
    first, last = here().years
    return first - YEARS_BEFORE, last + 1


def portfolio(groups: Iterable[tuple[str, Sequence[Record]]], as_of: date) -> Chart:
    """Draw every subject with a dated step or promise, under the heading of its kind."""
    lanes: list[Lane] = []
    for kind, records in groups:
        told = [record for record in records if record.events or record.promises]
        if told:
            lanes.append(Lane(_word(f"layer.{kind}"), (), is_heading=True))
            lanes += [_lane(record, as_of) for record in told]
    return gantt(lanes, portfolio_years(), _at(as_of), _day(as_of))


def state_map(book: Book) -> Chart | None:
    """Draw the communes and, in the state of its schedule, whatever is placed in or near them."""
    communes = commune_layer(book)
    areas = [] if communes is None else communes.geometry.tolist()
    frame = shapely.union_all(areas).buffer(MAP_MARGIN_DEGREES).bounds if areas else WHOLE
    paths = [("commune", part.exterior) for area in areas for part in shapely.get_parts(area)]
    points = []
    for record in book.records:
        kind, position = MAP_KINDS.get(record.schedule, "undated"), record.position
        if position is None or is_unplaced(position):
            continue
        if position.geometry.geom_type.endswith("LineString"):
            lines = shapely.clip_by_rect(position.geometry.simplify(THIN_DEGREES), *frame)
            paths += [(f"route-{kind}", line) for line in shapely.get_parts(lines)]
        else:
            spot = position.geometry.representative_point()
            points.append((kind, *(position.drawn_at or (spot.x, spot.y))))
    told = [(kind, [(x, y) for x, y, *_ in path.coords]) for kind, path in paths]
    return plan(told, points) if len(points) > 1 else None


def record_gantt(record: Record, as_of: date) -> Chart | None:
    """Draw one record: its steps, a lane a phase, then a lane a promise; None without either."""
    if not record.events and not record.promises:
        return None
    phases = sorted({event.phase for event in record.events})
    lanes = [
        Lane(_phase(phase), _steps(e for e in record.events if e.phase == phase))
        for phase in phases
    ]
    lanes += [Lane(_name(p), _promised(p, as_of)) for p in record.promises]
    return gantt(lanes, _years(lanes, as_of), _at(as_of), _day(as_of))


def series_curve(series: Series) -> Chart | None:
    """Draw a series' whole years and averages beside its targets; None where there are none.

    Parts of a year are left to the table: beside whole years they would look like a fall.
    """
    values = [(row, _span(row["period"])) for row, _ in series.rows]
    drawn = [(row, span, "span", "value") for row, span in values if span]
    if not drawn:
        return None
    once = [group[0] for group in series.promises if group[0]["is_baseline"] != "true"]
    goals = [(row, span, "goal", "target") for row in once if (span := _span(row["period"]))]
    marks, heights = [], []
    for row, (first, last), line, point in (*drawn, *(g for g in goals if g[0]["value"])):
        marks += [Mark(line, first, last), Mark(point, (first + last) / 2)]
        heights += [float(row["value"])] * 2
    years = (int(min(m.at for m in marks)), int(max(m.to or m.at for m in marks) + 0.999))
    return curve(marks, heights, years)


def gap_of(series: Series) -> tuple[Row, Compared, Decimal] | None:
    """Return the newest value that a target may be held against, and how far it is from it."""
    held = [(row, compared[0]) for row, compared in series.rows if compared]
    if not held:
        return None
    row, compared = held[-1]
    return row, compared, Decimal(row["value"]) - Decimal(compared.target["value"])


def left_out(series: Series) -> int:
    """Count the values of a series that its chart leaves to the table."""
    return sum(_span(row["period"]) is None for row, _ in series.rows)


def funding_bars(division: Division) -> Chart:
    """Draw one division of the programme's funding."""
    return bars([(_part(part.row), float(part.amount)) for part in division.parts])


def money_bars(told: Amounts) -> Chart | None:
    """Draw the newest amounts of one kind and unit, each fund apart, largest first.

    What has ended is left to the table. None where fewer than two amounts are left to compare.
    """
    living = [(r, event) for r, event in told.newest if r.schedule != "ended"]
    if len(living) <= 1:
        return None
    rows: list[tuple[Say, float | None]] = []
    for fund in told.funds:
        mine = [(_money(r, e), float(e.amount)) for r, e in living if e.fund == fund]
        rows += [(_word(f"fund.{fund}"), None), *mine] if mine else []
    return bars(rows)


def planner_values(book: Book, groups: Iterable[tuple[str, Sequence[Record]]]) -> dict[str, object]:
    """Return what the tracking, programme and duties pages draw on, for both languages."""
    told = tracked(book)
    return {
        "schedules": SCHEDULES,
        "tracked": told,
        "state_counts": state_counts(book),
        "groupings": (
            ("owner", by_owner(told)),
            ("fund", by_fund(told)),
            ("district", by_district(told)),
        ),
        "state_map": state_map(book),
        "map_kinds": MAP_KINDS,
        "portfolio": portfolio(groups, book.as_of),
        "gantt_rows": gantt_rows(book),
        "first_year": portfolio_years()[0],
        "amounts": amounts(book),
        "money_bars": money_bars,
        "waiting": waiting(book),
        "behind": behind(book),
        "found_by_rule": found_by_rule(book),
        "disputed": disputed(book),
        "drawn": drawn_overlaps(book),
        "series_curve": series_curve,
        "gap_of": gap_of,
        "left_out": left_out,
        "funding_bars": funding_bars,
        "due_dates": due_dates(book),
        "days_until": days_until,
    }


def gantt_rows(book: Book) -> list[tuple[Record, StageEvent | None, Promise | None]]:
    """Return the table behind the portfolio: every dated step, then every promise, by record."""
    rows: list[tuple[Record, StageEvent | None, Promise | None]] = []
    for record in book.records:
        rows += [(record, event, None) for event in record.events]
        rows += [(record, None, promise) for promise in record.promises]
    return rows


def _lane(record: Record, as_of: date) -> Lane:
    promised = [mark for promise in record.promises for mark in _promised(promise, as_of)]
    return Lane(_short(lambda w: w.of(record, "name")), (*_steps(record.events), *promised))


def _steps(events: Iterable[StageEvent]) -> tuple[Mark, ...]:
    """Mark each step in the middle of what its date may mean, over a line of that length."""
    marks: list[Mark] = []
    for event in events:
        first, last = _at(period_start(event.on)), _at(period_end(event.on))
        middle, group = (first + last) / 2, event.stage.group
        if last > first:
            marks.append(Mark("span", first, last))
        marks.append(Mark("ended" if group == "ended" else "ring", middle))
        if group in RINGED:
            marks.append(Mark(group, middle))
    return tuple(marks)


def _promised(promise: Promise, as_of: date) -> tuple[Mark, ...]:
    """Mark the first promised date on its last day, and from there how late it is or was."""
    due = _at(period_end(promise.baseline.due_on))
    later = [
        Mark("forecast", _at(period_end(f.due_on)))
        for f in promise.forecasts
        if f.milestone_id != promise.baseline.milestone_id
    ]
    kind = promise.state if promise.state in ("late", "void") else "promise"
    marks = [Mark(kind, due), *later]
    if promise.met_on:
        met = _at(period_start(promise.met_on))
        return (*([Mark("lag", due, met)] if met > due else []), *marks, Mark("met", met))
    if promise.state == "late":
        return (Mark("lag", due, _at(as_of)), *marks)
    return tuple(marks)


def _years(lanes: Sequence[Lane], as_of: date) -> tuple[int, int]:
    """Return the years that hold every mark, and at least six of them."""
    ends = [at for lane in lanes for m in lane.marks for at in (m.at, m.to) if at is not None]
    first, last = int(min([*ends, _at(as_of)])), int(max([*ends, _at(as_of)])) + 1
    return (max(min(first, last - 6), last - 14), last)


def _span(period: str) -> tuple[float, float] | None:
    """Return the time a value stands for; None for a part of a year."""
    if found := YEARS.fullmatch(period):
        return float(found[1]), float(found[2]) + 1
    if PART_OF_YEAR.fullmatch(period) or not is_date(period):
        return None
    return _at(period_start(period)), _at(period_end(period))


def _at(day: date) -> float:
    first = date(day.year, 1, 1)
    return day.year + (day - first).days / (date(day.year + 1, 1, 1) - first).days


def _money(record: Record, event: MoneyEvent) -> Say:
    def says(words: Words) -> str:
        name, amount = words.of(record, "name"), words.amount(event.amount, "", event.qualifier)
        if not event.phase:
            return f"{_cut(name, ABOVE_CHARACTERS)}: {amount}"
        half = ABOVE_CHARACTERS // 2
        return f"{_cut(name, half)}, {_cut(phase_text(event.phase, words), half)}: {amount}"

    return says


def _part(row: Row) -> Say:
    return lambda w: f"{_cut(w.of(row, 'name'), ABOVE_CHARACTERS)}: {w.number(row['amount'])}"


def _short(says: Say) -> Say:
    return lambda words: _cut(says(words), LABEL_CHARACTERS)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _word(key: str) -> Say:
    return lambda words: words(key)


def _day(day: date) -> Say:
    return lambda words: words.date(day)


def _phase(phase: str) -> Say:
    return _short(lambda w: phase_text(phase, w) if phase else w("track.steps"))


def _name(promise: Promise) -> Say:
    return _short(lambda words: words.of(promise, "name"))
