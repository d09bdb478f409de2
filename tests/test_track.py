import dataclasses
import datetime
from decimal import Decimal

import pytest

from atlas.records import Access, Forecast, MoneyEvent, Promise
from atlas.track import (
    SCHEDULES,
    amounts,
    behind,
    by_district,
    by_fund,
    by_owner,
    days_until,
    deciding,
    due_dates,
    state_counts,
    tracked,
    waiting,
)
from books import DISTRICT, PAPER, claim, duty, fact, park, record, small_book, table

AS_OF = datetime.date(2026, 11, 22)


def promise(name: str, state: str, due: str, days: int = 0, met: str = "") -> Promise:
    first = Forecast(f"{name}-1", due, "2022-05", "one_source", (PAPER,), "", "")
    return Promise(name, name, name, None, "", first, (first,), met, state, days, 0)


def book_of(*places, routes=()):
    return small_book(places=places, routes=routes)


def money(key: str, amount: str, **told: object) -> MoneyEvent:
    made = MoneyEvent(
        key, "registered", "private", "", "", Decimal(amount), "tỷ đồng",
        "2023", "stated", None, "one_source", (PAPER,), "", "",
    )  # fmt: skip
    return dataclasses.replace(made, **told)


def waits_for(text: str):
    held = claim(text, "", is_number=False, value_en=text)
    return dataclasses.replace(fact("developer", held), measure="waits_for")


def test_the_latest_comes_first_and_the_ended_last():
    places = (
        record("a", "industrial_park", schedule="ended"),
        record("b", "industrial_park", schedule="late", days_late=10),
        record("c", "industrial_park", schedule="late", days_late=900),
        record("d", "industrial_park", schedule="stalled", last_heard_on="2021"),
        record("e", "industrial_park", schedule="stalled", last_heard_on="2017"),
    )
    assert [t.record.subject_id for t in tracked(book_of(*places))] == ["c", "b", "e", "d", "a"]


def test_every_state_is_counted_also_the_empty_ones():
    counts = state_counts(small_book())
    assert tuple(counts) == SCHEDULES
    assert (counts["late"], counts["undated"], counts["met"]) == (1, 3, 0)


@pytest.mark.parametrize(
    ("promises", "name"),
    [
        ((promise("a", "late", "2025", 10), promise("b", "late", "2024", 300)), "b"),
        ((promise("a", "due", "2030"), promise("b", "late", "2025", 1)), "b"),
        ((promise("a", "due", "2030"), promise("b", "due", "2027-06")), "b"),
        ((promise("a", "met", "2022", met="2022"), promise("b", "met", "2023", met="2023")), "b"),
    ],
)
def test_the_schedule_rests_on_the_latest_then_the_next_then_the_last_promise(promises, name):
    found = deciding(record("x", "industrial_park", promises=promises))
    assert found is not None and found.promise_id == name


def test_without_promises_nothing_decides():
    assert deciding(record("x", "industrial_park")) is None


def test_groups_hold_a_subject_under_each_of_its_funds_and_the_unknown_last():
    two = record(
        "x", "industrial_park",
        money=(money("m1", "5"), money("m2", "7", fund="oda_loan")),
    )  # fmt: skip
    told = tracked(book_of(two, record("y", "industrial_park")))
    groups = by_fund(told)
    assert [g.key for g in groups] == ["private", "oda_loan", ""]
    assert [t.record.subject_id for t in groups[-1].tracked] == ["y"]


def test_owners_are_named_by_the_claim_that_holds():
    told = tracked(small_book())
    first = by_owner(told)[0]
    assert (first.key, [t.record.subject_id for t in first.tracked]) == ("Công ty X", ["kcn-a"])


def test_a_route_stands_at_each_old_district_it_passes():
    road = record("r", "road", nodes=(DISTRICT,), schedule="late", days_late=3)
    groups = by_district(tracked(book_of(park(), routes=(road,))))
    assert groups[0].key == DISTRICT.unit_id
    assert {t.record.subject_id for t in groups[0].tracked} == {"kcn-a", "r"}
    assert groups[0].counts == {"late": 2}


def test_money_is_parted_by_kind_and_unit_and_never_added():
    told = dict(amounts(small_book()))
    assert {kind: [(a.unit, len(a.rows)) for a in found] for kind, found in told.items()} == {
        "preliminary_total": [],
        "approved_total": [],
        "registered": [("tỷ đồng", 1)],
        "implemented": [],
        "disbursed": [("triệu USD", 1)],
    }
    assert not any(hasattr(a, "total") for found in told.values() for a in found)


def test_an_amount_that_a_later_one_replaces_is_kept_but_not_the_newest():
    one = record(
        "x", "industrial_park",
        money=(money("m1", "500"), money("m2", "300", on="2025"), money("m3", "9", phase="2")),
    )  # fmt: skip
    (found,) = dict(amounts(book_of(one)))["registered"]
    assert [event.money_id for _, event in found.newest] == ["m2", "m3"]
    assert [(e.money_id, newest) for _, e, newest in found.rows] == [
        ("m2", True), ("m3", True), ("m1", False),
    ]  # fmt: skip


def near(route_id: str, kind: str = "road") -> Access:
    return Access(kind, route_id, route_id, route_id, 2.0, 6.0)


def test_a_zone_waits_for_its_nearest_road_and_canal_and_what_sources_state():
    zone = record(
        "z", "industrial_park",
        access=(near("r"), near("c", "canal"), Access("port", "p", "p", "p", 1, 1)),
        facts=(waits_for("Quy hoạch tỉnh"),),
    )  # fmt: skip
    routes = (record("r", "road", schedule="late"), record("c", "canal"))
    (found,) = waiting(book_of(zone, record("log-b", "port"), routes=routes))
    assert [(a.kind, r.subject_id, r.schedule) for a, r in found.routes] == [
        ("road", "r", "late"), ("canal", "c", "undated"),
    ]  # fmt: skip
    assert [c.value for c in found.waits] == ["Quy hoạch tỉnh"]


def test_what_has_ended_waits_for_nothing():
    assert waiting(book_of(record("z", "industrial_park", schedule="ended"))) == ()


def test_hectares_behind_a_route_count_each_ground_once():
    def zone(key: str, ha: str, **told: object):
        facts = (fact("area_ha", claim(ha)),) if ha else ()
        return record(key, "industrial_park", facts=facts, access=(near("r"),), **told)

    places = (
        zone("a", "100.5"),
        zone("b", "200"),
        zone("inside-a", "30", inside_id="a"),
        zone("gone", "70", schedule="ended"),
        zone("unknown", ""),
    )
    found, none = behind(book_of(*places, routes=(record("r", "road"), record("s", "road"))))
    assert (found.hectares, found.counted, found.unknown) == (Decimal("300.5"), 2, 1)
    assert [z.subject_id for _, z in found.zones] == ["a", "b", "inside-a", "unknown"]
    assert (none.route.subject_id, none.zones, none.hectares) == ("s", (), Decimal(0))


def days_of(as_of: datetime.date, **told: str):
    book = small_book(as_of=as_of)
    book.tables["duties"] = table("duties", duty("d", "report", before_day="11-15", **told))
    (found,) = due_dates(book)
    return found.on, found.last_on


@pytest.mark.parametrize(
    ("as_of", "told", "next_on", "last_on"),
    [
        ("2026-11-14", {}, "2026-11-15", None),
        ("2026-11-15", {}, "2026-11-15", None),
        ("2026-11-16", {}, "2027-11-15", None),
        ("2024-12-01", {"ends_on": "2025"}, "2025-11-15", None),
        ("2025-11-16", {"ends_on": "2025"}, None, "2025-11-15"),
        ("2026-01-01", {"ends_on": "2025-10"}, None, "2024-11-15"),
        ("2020-01-01", {"starts_on": "2021-12"}, "2022-11-15", None),
    ],
)
def test_a_duty_s_next_day_is_the_first_on_or_after_the_as_of_date(as_of, told, next_on, last_on):
    found = days_of(datetime.date.fromisoformat(as_of), **told)
    assert tuple(day and day.isoformat() for day in found) == (next_on, last_on)


def test_due_dates_stand_in_the_order_of_time_one_row_an_agency():
    book = small_book()
    book.tables["duties"] = table(
        "duties",
        duty("late", "report", before_day="12-15", agency_ids="soct;bql"),
        duty("soon", "report", before_day="11-30"),
        duty("over", "report", before_day="11-30", ends_on="2025"),
        duty("never", "task"),
    )
    assert [(d.duty["duty_id"], d.agency_id) for d in due_dates(book)] == [
        ("soon", "soct"), ("late", "bql"), ("late", "soct"), ("over", "soct"),
    ]  # fmt: skip


def test_days_are_counted_from_the_as_of_date():
    assert days_until(datetime.date(2027, 11, 15), AS_OF) == 358
