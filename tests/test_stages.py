"""Where a subject stands and how late it is, on the days on which the answer changes."""

from datetime import date

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.stages import SILENT_DAYS, judge_promises, last_events, schedules
from drawings import table

STAGES = table(
    "stages",
    [
        {"stage_id": "park.named", "rank": "1", "group": "planned"},
        {"stage_id": "park.works", "rank": "9", "group": "building"},
        {"stage_id": "park.running", "rank": "10", "group": "operating"},
    ],
)
TODAY = date(2026, 1, 1)


def stands(*told: tuple[str, str, str], as_of: date = TODAY, phase: str = "") -> str:
    """The id of the event where the one subject stands; events are (id, stage, date)."""
    rows = [
        {"event_id": event, "subject_id": "s", "stage_id": stage, "on": on, "phase": phase}
        for event, stage, on in told
    ]
    last = last_events(table("stage_events", rows), STAGES, as_of)
    return ",".join(last["event_id"])


def promised(*told: tuple[str, str, str], met_on: str = "") -> pd.DataFrame:
    """The forecasts of one promise: (id, due, published)."""
    rows = [
        {
            "milestone_id": milestone,
            "subject_id": "s",
            "promise_id": "p",
            "due_on": due,
            "published_on": published,
            "met_on": met_on,
        }
        for milestone, due, published in told
    ]
    return table("milestones", rows)


def judged(
    milestones: pd.DataFrame, as_of: date = TODAY, ended: tuple[str, ...] = ()
) -> dict[str, object]:
    promises = judge_promises(milestones, ended, as_of)
    return dict(promises.iloc[0])


def test_the_newest_event_stands_whatever_the_order_of_the_rows() -> None:
    old, new = ("a", "park.named", "2021-04-01"), ("b", "park.works", "2023-01-01")
    assert stands(old, new) == stands(new, old) == "b"


def test_a_newer_step_back_stands() -> None:
    assert stands(("a", "park.running", "2020"), ("b", "park.named", "2023")) == "b"


def test_a_date_cut_to_a_year_may_be_its_last_day_so_the_later_stage_stands() -> None:
    assert stands(("a", "park.works", "2023"), ("b", "park.named", "2023-06-30")) == "a"
    assert stands(("a", "park.named", "2023"), ("b", "park.works", "2023-06-30")) == "b"


def test_ranks_are_compared_as_numbers_not_as_text() -> None:
    assert stands(("a", "park.works", "2023"), ("b", "park.running", "2023")) == "b"


def test_an_exact_tie_of_events_goes_to_the_larger_event_id() -> None:
    same = [(event, "park.works", "2023-05-01") for event in ("s.2", "s.1")]
    assert stands(*same) == stands(*reversed(same)) == "s.2"


def test_an_event_counts_from_the_first_day_that_it_may_mean() -> None:
    known, planned = ("a", "park.named", "2021"), ("b", "park.works", "2026-01-02")
    assert stands(known, planned, as_of=date(2026, 1, 1)) == "a"
    assert stands(known, planned, as_of=date(2026, 1, 2)) == "b"
    assert stands(known, ("b", "park.works", "2026"), as_of=date(2026, 1, 1)) == "b"


def test_a_subject_with_future_events_only_stands_nowhere() -> None:
    assert stands(("a", "park.named", "2030")) == ""


def test_an_event_of_a_phase_counts_only_where_there_is_none_of_the_whole() -> None:
    whole = {"event_id": "w", "subject_id": "s", "stage_id": "park.named", "on": "2020"}
    phase = {**whole, "event_id": "p", "stage_id": "park.running", "on": "2024", "phase": "1"}
    other = {**phase, "event_id": "q", "subject_id": "t"}
    last = last_events(table("stage_events", [whole, phase, other]), STAGES, TODAY)
    assert dict(zip(last["subject_id"], last["event_id"], strict=True)) == {"s": "w", "t": "q"}


def test_the_last_event_carries_its_group_and_no_events_give_no_rows() -> None:
    rows = [{"event_id": "a", "subject_id": "s", "stage_id": "park.works", "on": "2020"}]
    last = last_events(table("stage_events", rows), STAGES, TODAY)
    assert list(last["group"]) == ["building"]
    assert not {c for c in last.columns if c.startswith("_")}
    assert last_events(table("stage_events", []), STAGES, TODAY).empty


def test_the_first_published_date_is_the_baseline_and_the_last_the_newest() -> None:
    told = promised(("m3", "2027", "2025"), ("m1", "2024", "2021-02"), ("m2", "2025", "2023-07-01"))
    found = judged(told)
    assert (found["baseline_id"], found["newest_id"]) == ("m1", "m3")
    assert found["slip_days"] == (date(2027, 12, 31) - date(2024, 12, 31)).days


def test_two_forecasts_of_one_day_go_by_their_ids() -> None:
    told = promised(("m2", "2026", "2021"), ("m1", "2025", "2021"))
    assert judged(told)["baseline_id"] == "m1"
    assert judged(told)["newest_id"] == "m2"


def test_a_forecast_may_come_forward() -> None:
    told = promised(("m1", "2025-12-31", "2021"), ("m2", "2025-12-01", "2022"))
    assert judged(told)["slip_days"] == -30


@pytest.mark.parametrize(
    ("due_on", "as_of", "expected"),
    [
        ("2025-12-31", date(2025, 12, 31), ("due", 0)),
        ("2025-12-31", date(2026, 1, 1), ("late", 1)),
        ("2025", date(2025, 12, 31), ("due", 0)),
        ("2025", date(2026, 1, 1), ("late", 1)),
        ("2024-02", date(2024, 2, 29), ("due", 0)),
        ("2024-02", date(2024, 3, 1), ("late", 1)),
        ("2023-02", date(2024, 3, 1), ("late", 367)),
    ],
)
def test_a_promise_is_late_from_the_day_after_the_last_day_it_may_mean(
    due_on: str, as_of: date, expected: tuple[str, int]
) -> None:
    found = judged(promised(("m", due_on, "2021")), as_of)
    assert (found["state"], found["days_late"]) == expected


@pytest.mark.parametrize(
    ("met_on", "expected"),
    [
        ("2025-06-30", ("met", 0)),
        ("2025-07-01", ("met_late", 1)),
        ("2024-01-01", ("met", 0)),
        ("2025", ("met", 0)),
        ("2025-07", ("met_late", 1)),
        ("2026-01-01", ("met_late", 185)),
        ("2026-01-02", ("late", 185)),
    ],
)
def test_a_met_promise_is_late_by_the_days_that_are_certain(
    met_on: str, expected: tuple[str, int]
) -> None:
    found = judged(promised(("m", "2025-06-30", "2021"), met_on=met_on))
    assert (found["state"], found["days_late"]) == expected


def test_lateness_counts_from_the_baseline_not_from_the_newest_forecast() -> None:
    told = promised(("m1", "2024-12-31", "2021"), ("m2", "2030", "2025"))
    assert judged(told)["state"] == "late"
    assert judged(told)["days_late"] == 366


def test_promises_of_an_ended_subject_are_void_unless_they_were_met() -> None:
    told = ("m", "2024", "2021")
    assert judged(promised(told), ended=("s",))["state"] == "void"
    assert judged(promised(told), ended=("s",))["days_late"] == 0
    assert judged(promised(told), ended=("other",))["state"] == "late"
    assert judged(promised(told, met_on="2024-05"), ended=("s",))["state"] == "met"


def test_the_same_promise_id_of_two_subjects_is_two_promises() -> None:
    told = pd.concat([promised(("m1", "2024", "2021")), promised(("m2", "2030", "2021"))])
    found = judge_promises(told.assign(subject_id=["a", "b"]), (), TODAY)
    assert list(found["state"]) == ["late", "due"]


def test_no_milestones_give_an_empty_table_with_all_columns() -> None:
    found = judge_promises(promised(), (), TODAY)
    assert found.empty
    assert {"state", "days_late", "slip_days"} <= set(found.columns)


FORECASTS = st.lists(
    st.tuples(
        st.dates(date(2021, 1, 1), date(2030, 12, 31)),
        st.dates(date(2021, 1, 1), date(2025, 12, 31)),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=30)
@given(FORECASTS, st.randoms(use_true_random=False))
def test_no_order_of_the_rows_changes_a_judgement(
    forecasts: list[tuple[date, date]], random: object
) -> None:
    rows = [(f"m{n}", due.isoformat(), told.isoformat()) for n, (due, told) in enumerate(forecasts)]
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    found = judged(promised(*rows))
    assert found == judged(promised(*shuffled))
    assert (found["state"] == "late") == (found["days_late"] > 0)


def schedule_of(group: str, states: tuple[str, ...], heard: str, as_of: date) -> str:
    """What `schedules` says of one subject, beside another with nothing known."""
    promises = pd.DataFrame({"subject_id": ["a"] * len(states), "state": states}, dtype="str")
    groups, last = pd.Series({"b": "", "a": group}), pd.Series({"b": "", "a": heard})
    found = schedules(groups, promises, last, as_of)
    assert found["b"] == "undated"
    return str(found["a"])


@pytest.mark.parametrize(
    ("group", "states", "heard", "expected"),
    [
        ("ended", ("late", "due"), "2010", "ended"),
        ("building", ("due", "late"), "2010", "late"),
        ("building", ("due",), "2010", "stalled"),
        ("building", ("met",), "2010", "stalled"),
        ("", (), "2010", "stalled"),
        ("operating", ("due", "met"), "2010", "on_time"),
        ("operating", ("met_late",), "2010", "met"),
        ("operating", ("late",), "2010", "late"),
        ("building", ("met", "due"), "2025", "on_time"),
        ("building", ("void",), "2025", "undated"),
        ("planned", (), "2025", "undated"),
        ("planned", (), "", "undated"),
    ],
)
def test_the_schedule_takes_the_first_answer_that_holds(
    group: str, states: tuple[str, ...], heard: str, expected: str
) -> None:
    assert schedule_of(group, states, heard, TODAY) == expected


def test_silence_of_exactly_two_years_is_not_yet_a_stall() -> None:
    heard = "2024-01-02"
    last_day = date.fromordinal(date(2024, 1, 2).toordinal() + SILENT_DAYS)
    assert schedule_of("planned", (), heard, last_day) == "undated"
    next_day = date.fromordinal(last_day.toordinal() + 1)
    assert schedule_of("planned", (), heard, next_day) == "stalled"
