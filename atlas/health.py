"""How well is a record known? Four parts of a hundred and their mean: the method is public."""

import math
from dataclasses import dataclass
from datetime import date

from atlas.records import Book, Record

SOURCES = ((3, 100), (2, 70), (1, 40), (0, 0))
"""At least so many documents: so many points."""

NEWS_MONTHS = ((12, 100), (24, 60), (60, 30))
"""News of at most so many months: so many points; older news gets `OLD_NEWS`."""

OLD_NEWS = 10
ACCURACY_M = ((100, 100), (1_000, 80), (10_000, 40), (25_000, 20))
"""A position with an error of at most so many metres: so many points; a worse one gets none."""

DAYS_A_MONTH = 365.2425 / 12
WORST = 12


@dataclass(frozen=True)
class Health:
    """A record's health: four parts and their mean, each 0-100, and what they rest on."""

    record: Record
    completeness: int
    sources: int
    news: int
    position: int
    news_months: int | None

    @property
    def total(self) -> int:
        """The mean of the four parts, rounded down."""
        return (self.completeness + self.sources + self.news + self.position) // 4


def health_of(record: Record, as_of: date) -> Health:
    """Judge one record on the as-of date."""
    months = news_months(record.last_heard_on, as_of)
    count = len(record.documents)
    return Health(
        record,
        record.completeness_pct,
        next(points for least, points in SOURCES if count >= least),
        _news_points(months),
        _position_points(record),
        months,
    )


def news_months(last_heard_on: str, as_of: date) -> int | None:
    """Return whole months since the last news; a date cut to a year or month ends with it."""
    year, _, rest = last_heard_on.partition("-")
    if not year.isdigit():
        return None
    month, _, day = rest.partition("-")
    last = date(int(year), int(month or 12), int(day or 28))
    return max(0, math.floor((as_of - last).days / DAYS_A_MONTH))


def worst(book: Book, limit: int = WORST) -> tuple[Health, ...]:
    """Return the records known least well, the worst first; ties in the order of their ids."""
    judged = [health_of(record, book.as_of) for record in book.records]
    return tuple(sorted(judged, key=lambda h: (h.total, h.record.subject_id))[:limit])


def _news_points(months: int | None) -> int:
    if months is None:
        return 0
    return next((points for most, points in NEWS_MONTHS if months <= most), OLD_NEWS)


def _position_points(record: Record) -> int:
    if record.position is None:
        return 0
    error = record.position.accuracy_m
    return next((points for most, points in ACCURACY_M if error <= most), 0)
