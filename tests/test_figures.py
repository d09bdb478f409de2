import dataclasses
import datetime
import re
from decimal import Decimal

import pytest

from atlas import programme
from atlas.figures import (
    funding_bars,
    gantt_rows,
    gap_of,
    left_out,
    money_bars,
    portfolio,
    record_gantt,
    series_curve,
    state_map,
)
from atlas.track import amounts
from atlas.words import read_words
from books import bare_book, expressway, indicator, park, record, small_book, table, target
from builds import PROJECT

VI = read_words(PROJECT / "site" / "words")["vi"]
AS_OF = datetime.date(2026, 11, 22)


def series_of(*values, targets=()):
    book = small_book()
    book.tables["indicators"] = table("indicators", *values)
    book.tables["targets"] = table("targets", *targets)
    (one,) = programme.series(book)
    return one


def says(chart) -> str:
    return str(chart.said(VI, "x", "", ""))


def test_the_portfolio_draws_what_has_a_date_under_its_kind():
    chart = portfolio(
        [("industrial_park", [park(), record("kcn-x", "industrial_park")]),
         ("port", [record("p", "port")])],
        AS_OF,
    )  # fmt: skip
    text = says(chart)
    assert "KCN A" in text and VI("layer.industrial_park") in text
    assert "kcn-x" not in text and VI("layer.port") not in text
    assert {"ring", "operating", "late", "lag", "forecast"} <= chart.kinds


def test_a_record_without_dates_has_no_chart():
    assert record_gantt(record("x", "road"), AS_OF) is None


def test_a_record_s_chart_has_a_lane_for_steps_and_one_a_promise():
    chart = record_gantt(park(), AS_OF)
    assert chart is not None
    assert [lane(VI) for lane in chart.says] == [VI("track.steps"), "Hoàn thành", "22/11/2026"]


@pytest.mark.parametrize(
    ("state", "met_on", "kinds"),
    [
        ("late", "", {"late", "lag"}),
        ("due", "", {"promise"}),
        ("void", "", {"void"}),
        ("met", "2024-03", {"promise", "met"}),
        ("met_late", "2025-06", {"promise", "met", "lag"}),
    ],
)
def test_each_state_of_a_promise_has_its_own_marks(state, met_on, kinds):
    (first,) = park().promises
    told = dataclasses.replace(first, state=state, met_on=met_on, forecasts=(first.baseline,))
    chart = record_gantt(record("x", "industrial_park", promises=(told,)), AS_OF)
    assert chart is not None and chart.kinds == kinds


def test_the_table_behind_the_portfolio_holds_every_step_and_promise():
    rows = gantt_rows(small_book())
    assert [(r.subject_id, bool(e), bool(p)) for r, e, p in rows] == [
        ("kcn-a", True, False), ("kcn-a", False, True), ("exp-d", True, False),
    ]  # fmt: skip


def test_a_series_draws_whole_years_beside_its_target_and_leaves_parts_to_the_table():
    one = series_of(
        indicator("2023", "67708"),
        indicator("2024", "80024"),
        indicator("2024-H1", "30000"),
        targets=(target("t", series_id="output"),),
    )
    chart = series_curve(one)
    assert chart is not None and chart.kinds == {"span", "value", "goal", "target"}
    assert says(chart).count("M5.2,0") == 2
    assert left_out(one) == 1


def test_a_series_of_parts_of_years_only_has_no_chart():
    one = series_of(indicator("2024-H1", "3"), targets=(target("t", series_id="output"),))
    assert series_curve(one) is None


def test_a_baseline_and_a_qualitative_target_are_not_drawn_as_goals():
    one = series_of(
        indicator("2024", "3"),
        targets=(
            target("t1", series_id="output", is_baseline="true"),
            target("t2", series_id="output", value=""),
        ),
    )
    chart = series_curve(one)
    assert chart is not None and chart.kinds == {"span", "value"}


def test_the_gap_is_the_newest_comparable_value_less_the_target():
    one = series_of(
        indicator("2023", "67708"), indicator("2024", "80024"),
        targets=(target("t", series_id="output"),),
    )  # fmt: skip
    found = gap_of(one)
    assert found is not None
    row, compared, gap = found
    assert (row["period"], compared.target["target_id"], gap) == ("2024", "t", Decimal(2398))


def test_no_gap_is_worked_out_between_things_that_differ():
    average = target("t", series_id="output", unit="tỷ đồng/năm")
    assert gap_of(series_of(indicator("2024", "80024"), targets=(average,))) is None


def test_funding_is_drawn_with_every_digit():
    (division,) = programme.divisions(small_book())
    text = says(funding_bars(division))
    assert "100.000,001" in text and "13.062,025" in text


def test_one_amount_alone_is_not_drawn_and_what_has_ended_neither():
    def drawn(*places):
        (found,) = dict(amounts(small_book(places=places)))["registered"]
        return money_bars(found)

    other = dataclasses.replace(
        park(), subject_id="kcn-z", name_vi="KCN Z",
        money=(dataclasses.replace(park().money[0], money_id="z"),),
    )  # fmt: skip
    assert drawn(park()) is None
    assert drawn(park(), dataclasses.replace(other, schedule="ended")) is None
    both = drawn(park(), other)
    assert both is not None
    text = says(both)
    assert "KCN A: trên 5.569" in text and "KCN Z" in text and VI("fund.private") in text


def test_a_long_name_is_cut_in_the_chart_only():
    long = dataclasses.replace(expressway(), name_vi="Cao tốc " + "rất dài " * 12)
    text = says(portfolio([("expressway", [long])], AS_OF))
    assert "…" in text and long.name_vi not in text


def test_the_small_map_shows_each_placed_subject_in_its_state_and_no_unplaced_one():
    chart = state_map(small_book())
    assert chart is not None
    assert chart.kinds == {"commune", "route-undated", "overdue", "undated"}
    assert len(re.findall(r'class="c-overdue"', says(chart))) == 1
    assert state_map(bare_book()) is not None


def test_without_places_there_is_no_small_map():
    assert state_map(small_book(places=(), routes=())) is None
