import dataclasses
import datetime

import pandas as pd
import pytest

from atlas.records import Forecast, Promise
from atlas.stages import last_events
from atlas.years import standing_on, year_marks
from books import OPERATING, PAPER, WORKS, event, park, record

AS_OF = datetime.date(2026, 11, 22)


def step(stage, on, **changes):
    return dataclasses.replace(event(stage, on), event_id=f"e-{on}", **changes)


def promise(due_on, **changes):
    first = Forecast("m-1", due_on, "2022", "one_source", (PAPER,), "", "")
    made = Promise("p", "Xong", "Done", OPERATING, "", first, (), "", "due", 0, 0)
    return dataclasses.replace(made, **changes)


def marks(events=(), promises=()):
    return year_marks(record("r", "road", events=events, promises=promises), AS_OF)


def test_every_year_has_one_sign():
    assert marks() == "-" * 11


def test_a_year_shows_what_stood_at_its_end():
    assert marks((step(WORKS, "2021-12-31"), step(OPERATING, "2024"))) == "-bbbooooooo"


def test_a_date_cut_to_the_year_counts_by_that_year_s_end():
    assert marks((step(WORKS, "2020"),))[0] == "b"


def test_a_promise_is_a_capital_letter_and_only_for_what_is_to_come():
    assert marks((step(WORKS, "2022"),), (promise("2028"),)) == "--bbbbbbOOO"


def test_this_year_s_end_may_still_be_promised():
    assert marks((), (promise("2026-12"),))[2026 - 2020] == "O"


def test_an_overdue_promise_says_nothing_of_any_year():
    assert marks((), (promise("2025", state="late"),)) == "-" * 11


def test_the_newest_forecast_moves_the_promise():
    later = Forecast("m-2", "2029", "2025", "one_source", (PAPER,), "", "")
    assert marks((), (promise("2027", forecasts=(later,)),)) == "---------OO"


@pytest.mark.parametrize("changes", [{"stage": None}, {"state": "void"}, {"phase": "1"}])
def test_a_promise_of_a_part_of_no_stage_or_void_is_left_out(changes):
    assert marks((), (promise("2028", **changes),)) == "-" * 11


def test_what_has_ended_is_promised_nothing():
    ended = dataclasses.replace(WORKS, group="ended")
    assert marks((step(ended, "2021"),), (promise("2028"),)) == "-eeeeeeeeee"


def test_the_park_of_the_books_operates_from_its_event_on():
    assert year_marks(park(), AS_OF) == "-----oooooo"  # its promise of that stage is no news


@pytest.mark.parametrize(
    "told",
    [
        [("planned", "2021", ""), ("works", "2021-06", "")],
        [("works", "2021-06", ""), ("planned", "2021", "")],
        [("works", "2022", "1"), ("planned", "2021", "")],
        [("works", "2022", "1"), ("planned", "2023-02", "2")],
        [("planned", "2027", "")],
    ],
)
def test_the_rule_is_the_one_by_which_a_record_stands_today(told):
    stages = {"planned": dataclasses.replace(WORKS, stage_id="planned", rank=1), "works": WORKS}
    events = [step(stages[stage], on, phase=phase) for stage, on, phase in told]
    frame = pd.DataFrame(
        [[e.event_id, "s", e.stage.stage_id, e.on, e.phase] for e in events],
        columns=["event_id", "subject_id", "stage_id", "on", "phase"],
    )
    ranks = pd.DataFrame([[s.stage_id, str(s.rank), s.group] for s in stages.values()],
                         columns=["stage_id", "rank", "group"])  # fmt: skip
    there = list(last_events(frame, ranks, AS_OF)["event_id"])
    here = standing_on(events, AS_OF)
    assert there == ([here.event_id] if here else [])
