"""ISO dates that may be cut to month or year, and what a cut date means."""

import calendar
import re
from datetime import date

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
CUT_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")


def period_start(text: str) -> date:
    """First day that a date, cut or whole, may mean. ValueError where it is no date."""
    year, month, day = _parts(text)
    return date(year, month or 1, day or 1)


def period_end(text: str) -> date:
    """Last day that a date, cut or whole, may mean. ValueError where it is no date."""
    year, month, day = _parts(text)
    month = month or 12
    return date(year, month, day or calendar.monthrange(year, month)[1])


def is_date(text: str) -> bool:
    """Tell whether the text is a real ISO date, whole or cut to month or year."""
    try:
        period_start(text)
    except ValueError:
        return False
    return True


def _parts(text: str) -> tuple[int, int | None, int | None]:
    found = CUT_DATE.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is not an ISO date (2023, 2023-07 or 2023-07-31)")
    year, month, day = (int(part) if part else None for part in found.groups())
    if year is None or not 1800 <= year <= 2200:
        raise ValueError(f"{text!r} lies outside the years 1800-2200")
    date(year, 1 if month is None else month, 1 if day is None else day)
    return year, month, day
