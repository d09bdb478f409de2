"""The duties' calendar, read back by a program that knows iCalendar."""

from datetime import UTC, date, datetime

import pytest
from icalendar import Calendar, Event

from atlas.calendar_file import duties_calendar
from drawings import Rows, table

AS_OF = date(2026, 11, 22)
AGENCIES = [
    {"agency_id": "soct", "name_vi": "Sở Công Thương"},
    {"agency_id": "bql", "name_vi": "Ban Quản lý các KCN; tỉnh"},
]


def duty(duty_id: str, before_day: str = "11-15", **cells: str) -> dict[str, str]:
    told = {"agency_ids": "soct", "plan_id": "s1", "clause": "IV.2", "task_vi": "Báo cáo"}
    return {"duty_id": duty_id, "before_day": before_day, **told, **cells}


def written(*duties: dict[str, str]) -> bytes:
    rows: Rows = list(duties)
    return duties_calendar(
        table("duties", rows), table("agencies", AGENCIES), AS_OF, "Nhiệm vụ của Hậu Giang"
    )


def events(*duties: dict[str, str]) -> list[Event]:
    return Calendar.from_ical(written(*duties)).walk("VEVENT")


def test_the_four_reporting_days_are_four_yearly_events() -> None:
    days = {"s1-d1": "11-15", "s1-d2": "12-15", "s2-d1": "11-10", "s2-d2": "11-20"}
    found = events(*(duty(name, day) for name, day in days.items()))
    told = {e["UID"].partition("@")[0]: e.decoded("DTSTART") for e in found}
    assert {name: day.strftime("%m-%d") for name, day in told.items()} == days
    assert all(e["RRULE"]["FREQ"] == ["YEARLY"] for e in found)


def test_a_duty_without_a_day_is_no_event() -> None:
    assert [e["UID"] for e in events(duty("a", ""), duty("b"))] == ["b@hau-giang-atlas"]


def test_a_plan_without_days_is_an_empty_calendar_that_parses() -> None:
    calendar = Calendar.from_ical(written())
    assert calendar["VERSION"] == "2.0"
    assert "Hậu Giang" in calendar["NAME"]
    assert not calendar.walk("VEVENT")


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "first", "until"),
    [
        ("2021", "2025", date(2021, 11, 15), date(2025, 12, 31)),
        ("2022-06", "2025-06-30", date(2022, 11, 15), date(2025, 6, 30)),
        ("2021-11-15", "2025-06", date(2021, 11, 15), date(2025, 6, 30)),
        ("2021-11-16", "2030", date(2022, 11, 15), date(2030, 12, 31)),
        ("2021-12", "2030", date(2022, 11, 15), date(2030, 12, 31)),
    ],
)
def test_a_duty_recurs_within_its_own_period(
    starts_on: str, ends_on: str, first: date, until: date
) -> None:
    (event,) = events(duty("a", starts_on=starts_on, ends_on=ends_on))
    assert event.decoded("DTSTART") == first
    assert event["RRULE"]["UNTIL"] == [until]


def test_a_duty_without_an_end_recurs_for_good_from_the_first_year_of_the_plans() -> None:
    (event,) = events(duty("a"))
    assert event.decoded("DTSTART") == date(2021, 11, 15)
    assert "UNTIL" not in event["RRULE"]


def test_an_event_says_what_who_and_where_it_stands() -> None:
    (event,) = events(duty("a", "02-05", agency_ids="soct;bql;unheard-of", task_en="Report"))
    assert event["SUMMARY"] == "Trước 5/2: Báo cáo"
    assert event["DESCRIPTION"] == (
        "Sở Công Thương; Ban Quản lý các KCN; tỉnh; unheard-of\ns1 IV.2\nReport"
    )


@pytest.mark.parametrize(
    "task",
    [
        "x\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:evil",
        "a;b,c\\n:d\"e'",
        "Kế hoạch " * 60,
        "\u2028\u202e<script>",
        "",
    ],
)
def test_no_text_of_a_duty_makes_another_event_or_property(task: str) -> None:
    (event,) = events(duty("a", task_vi=task, task_en=task))
    assert set(event) == {"UID", "DTSTAMP", "DTSTART", "RRULE", "SUMMARY", "DESCRIPTION"}
    assert event["SUMMARY"].replace("\r\n", "\n") == f"Trước 15/11: {task}".replace("\r\n", "\n")


def test_lines_are_short_and_end_as_the_standard_wants() -> None:
    content = written(duty("a", task_vi="Kế hoạch " * 60))
    lines = content.split(b"\r\n")
    assert b"\n" not in b"".join(lines)
    assert max(map(len, lines)) <= 75


def test_no_clock_and_no_order_of_rows_is_in_the_calendar() -> None:
    both = [duty("b", "12-15"), duty("a")]
    assert written(*both) == written(*reversed(both))
    (stamp, *_) = {e.decoded("DTSTAMP") for e in events(*both)}
    assert stamp == datetime(2026, 11, 22, tzinfo=UTC)
