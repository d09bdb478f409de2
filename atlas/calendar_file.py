"""The duties' calendar: every duty with a day in the year, as iCalendar."""

from datetime import UTC, date, datetime

import pandas as pd
from icalendar import Calendar, Event, vRecur

from geodata.cells import parts_of, rows_of
from geodata.dates import period_end, period_start
from geodata.region import here


def duties_calendar(duties: pd.DataFrame, agencies: pd.DataFrame, as_of: date, title: str) -> bytes:
    """Return ``duties.ics``: one yearly whole-day event a duty that names a day (``before_day``).

    The day is the clause's limit ("before 15/11"), so the event stands on it and the text says
    "before". It recurs within the duty's own period where that is known. ``as_of``
    stamps the file: no clock is read.
    """
    names = dict(zip(agencies["agency_id"], agencies["name_vi"], strict=True))
    calendar = Calendar()
    calendar.add("prodid", f"-//{_named()} atlas//duties//VI")
    calendar.add("version", "2.0")
    calendar.add("name", title)
    for duty in rows_of(duties[duties["before_day"] != ""].sort_values("duty_id")):
        calendar.add_component(_event(duty, names, as_of))
    return bytes(calendar.to_ical())


def _named() -> str:
    """Name the region in ASCII, as the identifier of a product needs."""
    return here().region_id.replace("-", " ").title()


def _event(duty: dict[str, str], names: dict[str, str], as_of: date) -> Event:
    month, day = map(int, duty["before_day"].split("-"))
    begins = period_start(duty["starts_on"] or str(here().plan_years[0]))
    is_over = (month, day) < (begins.month, begins.day)
    rule: dict[str, object] = {"freq": "yearly"}
    if duty["ends_on"]:
        rule["until"] = period_end(duty["ends_on"])
    event = Event()
    event.add("uid", f"{duty['duty_id']}@{here().atlas_id}")
    event.add("dtstamp", datetime(as_of.year, as_of.month, as_of.day, tzinfo=UTC))
    event.add("dtstart", date(begins.year + is_over, month, day))
    event.add("rrule", vRecur(rule))
    event.add("summary", f"Trước {day}/{month}: {duty['task_vi']}")
    who = "; ".join(names.get(a, a) for a in parts_of(duty["agency_ids"]))
    event.add("description", f"{who}\n{duty['plan_id']} {duty['clause']}\n{duty['task_en']}")
    return event
