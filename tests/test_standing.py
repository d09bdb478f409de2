"""One line a subject: each of its cells, and none lost."""

from datetime import date

import geopandas as gpd
import pandas as pd
import pytest
from shapely import LineString, Point

from atlas.measure import length_km
from atlas.standing import ended_subjects, standing, subject_kinds
from drawings import best, placed, tables, written
from geodata.crs import to_metric

TODAY = date(2026, 1, 1)
STAGES = [
    {"stage_id": "park.works", "rank": "5", "group": "building"},
    {"stage_id": "park.annulled", "rank": "9", "group": "ended"},
]
PARK = {"place_id": "kcn-a", "kind": "industrial_park"}
ROAD = {"route_id": "road-a", "kind": "national_road"}
NOWHERE = placed({})


def line_of(
    told: dict[str, pd.DataFrame], positions: gpd.GeoDataFrame = NOWHERE
) -> dict[str, object]:
    found, _ = standing(told, written(positions).frame, TODAY)
    return dict(found.iloc[0])


def test_every_subject_has_one_line_sorted_by_its_id() -> None:
    told = tables(places=[PARK, {**PARK, "place_id": "ccn-b"}], routes=[ROAD])
    found, promises = standing(told, written(NOWHERE).frame, TODAY)
    assert list(found["subject_id"]) == ["ccn-b", "kcn-a", "road-a"]
    assert promises.empty


def test_empty_tables_give_no_line() -> None:
    found, promises = standing(tables(), best(tables()).frame, TODAY)
    assert found.empty
    assert promises.empty


def test_a_subject_of_which_nothing_is_known_is_undated_and_all_is_missing() -> None:
    line = line_of(tables(routes=[ROAD]))
    assert line["event_id"] == line["last_heard_on"] == ""
    assert (line["schedule"], line["days_late"], line["completeness_pct"]) == ("undated", 0, 0)
    assert line["missing"] == "length;alignment;position;stage;capital;promise"
    assert pd.isna(line["length_km"])


def test_the_line_counts_the_latest_of_the_late_promises() -> None:
    milestone = {"subject_id": "kcn-a", "published_on": "2025-12-01"}
    told = tables(
        places=[PARK],
        milestones=[
            {**milestone, "milestone_id": "m1", "promise_id": "p1", "due_on": "2025-12-31"},
            {**milestone, "milestone_id": "m2", "promise_id": "p2", "due_on": "2025-12-22"},
            {**milestone, "milestone_id": "m3", "promise_id": "p3", "due_on": "2027"},
        ],
    )
    line = line_of(told)
    assert (line["schedule"], line["days_late"]) == ("late", 10)
    assert "promise" not in line["missing"]


def test_an_ended_subject_is_ended_and_its_open_promises_are_void() -> None:
    event = {"subject_id": "kcn-a", "on": "2024", "act_id": "qd-1"}
    told = tables(
        places=[PARK],
        stages=STAGES,
        stage_events=[
            {**event, "event_id": "e2", "stage_id": "park.annulled", "on": "2025"},
            {**event, "event_id": "e1", "stage_id": "park.works"},
        ],
        milestones=[
            {
                "milestone_id": "m",
                "promise_id": "p",
                "subject_id": "kcn-a",
                "due_on": "2022",
                "published_on": "2021",
            }
        ],
    )
    found, promises = standing(told, written(NOWHERE).frame, TODAY)
    assert list(found["event_id"]) == ["e2"]
    assert list(found["schedule"]) == ["ended"]
    assert list(found["days_late"]) == [0]
    assert list(promises["state"]) == ["void"]
    assert "act" not in found["missing"][0]


def test_only_ended_subjects_are_ended() -> None:
    last = pd.DataFrame({"subject_id": ["a", "b"], "group": ["ended", "building"]})
    assert ended_subjects(last) == {"a"}


def test_the_day_an_undated_page_was_read_is_no_news() -> None:
    claim = {"subject_id": "kcn-a", "measure": "area_ha"}
    told = tables(
        places=[PARK],
        claims=[
            {**claim, "claim_id": "c1", "as_of": "2025-11-22", "as_of_basis": "read"},
            {**claim, "claim_id": "c2", "as_of": "2019", "as_of_basis": "stated"},
        ],
    )
    line = line_of(told)
    assert line["last_heard_on"] == "2019"
    assert line["schedule"] == "stalled"


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("claims", {"claim_id": "x", "as_of": "2025-03-01", "as_of_basis": "stated"}),
        ("money_events", {"money_id": "x", "on": "2025-03-01"}),
        (
            "milestones",
            {
                "milestone_id": "x",
                "promise_id": "p",
                "due_on": "2030",
                "published_on": "2025-03-01",
            },
        ),
    ],
)
def test_every_kind_of_news_is_heard(name: str, row: dict[str, str]) -> None:
    line = line_of(tables(places=[PARK], **{name: [{"subject_id": "kcn-a", **row}]}))
    assert line["last_heard_on"] == "2025-03-01"


def test_a_whole_record_is_complete() -> None:
    site = {"place_id": "log-a", "kind": "logistics_site", "commune_ids": "com-1"}
    told = tables(
        places=[site],
        stages=STAGES,
        claims=[{"claim_id": "c", "subject_id": "log-a", "measure": "area_ha", "as_of": "2025"}],
        stage_events=[
            {"event_id": "e", "subject_id": "log-a", "stage_id": "park.works", "on": "2025"}
        ],
    )
    line = line_of(told, placed({"log-a": Point(105.5, 9.8)}))
    assert (line["completeness_pct"], line["missing"]) == (100, "")
    guessed = placed({"log-a": Point(105.5, 9.8)}, method="commune_point")
    assert line_of(told, guessed)["missing"] == "position"


def test_another_measure_of_capacity_is_a_capacity() -> None:
    plant = {"place_id": "proj-a", "kind": "plant"}
    claim = {"claim_id": "c", "subject_id": "proj-a", "measure": "capacity_mwp", "as_of": "2025"}
    assert "capacity" in line_of(tables(places=[plant]))["missing"]
    assert "capacity" not in line_of(tables(places=[plant], claims=[claim]))["missing"]


def test_only_a_line_that_was_drawn_for_real_is_measured() -> None:
    drawn = placed({"road-a": LineString([(105.4, 9.8), (105.5, 9.8)])})
    expected_km = round(float(length_km(to_metric(drawn))[0]), 1)
    assert expected_km == 11.0
    assert line_of(tables(routes=[ROAD]), drawn)["length_km"] == expected_km
    schematic = drawn.assign(method="schematic")
    assert pd.isna(line_of(tables(routes=[ROAD]), schematic)["length_km"])


def test_kinds_are_told_for_places_and_routes() -> None:
    found = subject_kinds(tables(places=[PARK], routes=[ROAD]))
    assert found == {"kcn-a": "industrial_park", "road-a": "national_road"}
