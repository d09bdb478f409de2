"""What looks wrong is stopped, all of it at once, and is accepted by its name."""

import dataclasses

import pandas as pd
import pytest
from shapely.geometry import LineString, box

from atlas.compare import compare_tables
from atlas.gates import Alarm, Extent, Side, extent, find_alarms, known_names
from drawings import Rows, placed, tables

STAGES: Rows = [
    {"stage_id": f"park.{name}", "axis": "park", "rank": rank, "group": group}
    for name, rank, group in (
        ("planned", "10", "planned"),
        ("established", "40", "preparing"),
        ("operating", "80", "operating"),
        ("revoked", "99", "ended"),
    )
] + [{"stage_id": "project.idea", "axis": "project", "rank": "5", "group": "planned"}]


def places(count: int) -> Rows:
    return [{"place_id": f"kcn-{number:03}", "source_id": "zones"} for number in range(count)]


def claim(number: int, value: str, **told: str) -> dict[str, str]:
    return {
        "claim_id": f"kcn-{number}.area-ha.1", "subject_id": f"kcn-{number}",
        "measure": "area_ha", "value": value, "unit": "ha", "as_of": "2024",
        "confidence": "one_source",
    } | told  # fmt: skip


def alarms(before: Side, after: Side, **limits_pct: float) -> tuple[Alarm, ...]:
    changes = compare_tables(before.tables, after.tables)
    return find_alarms(before, after, changes, limits_pct)


def told(before: dict[str, Rows], after: dict[str, Rows], **limits_pct: float) -> dict[str, str]:
    found = alarms(Side(tables(**before)), Side(tables(**after)), **limits_pct)
    return {alarm.name: alarm.saw for alarm in found}


@pytest.mark.parametrize(
    ("before", "after", "shrank"),
    [
        (10, 9, False),
        (10, 8, True),
        (100, 90, False),
        (100, 89, True),
        (9, 8, True),
        (1, 0, True),
        (0, 0, False),
        (5, 50, False),
    ],
)
def test_a_table_shrank_when_it_lost_more_than_a_tenth(
    before: int, after: int, shrank: bool
) -> None:
    found = told({"places": places(before)}, {"places": places(after)})
    assert list(found) == (["table:places"] if shrank else [])


def test_a_shrunk_table_is_told_with_both_counts_and_what_is_gone() -> None:
    found = told({"places": places(20)}, {"places": places(12)})
    assert found["table:places"] == (
        "20 rows before, 12 now, at most 10 % may go; gone: kcn-012 (zones), kcn-013 (zones), "
        "kcn-014 (zones), kcn-015 (zones), kcn-016 (zones) and 3 more"
    )


def test_a_source_may_allow_its_table_more_or_less() -> None:
    before, after = {"places": places(20)}, {"places": places(12)}
    assert told(before, after, places=40.0) == {}
    assert list(told(before, {"places": places(19)}, places=0.0)) == ["table:places"]


def test_a_layer_shrinks_by_features_or_by_size() -> None:
    empty = tables()
    before = Side(empty, layers={"waterways": Extent(100, 250.0), "communes": Extent(28, 1600.0)})
    fewer = Side(empty, layers={"waterways": Extent(80, 250.0), "communes": Extent(28, 1600.0)})
    shorter = Side(empty, layers={"waterways": Extent(100, 200.0), "communes": Extent(28, 1500.0)})
    gone = Side(empty, layers={"communes": Extent(28, 1600.0)})
    for after in (fewer, shorter, gone):
        assert [a.name for a in alarms(before, after)] == ["layer:waterways"]
    assert alarms(before, before) == ()
    assert "100 features and 250 km or km² before, 80 and 250 now" in alarms(before, fewer)[0].saw
    assert alarms(before, fewer, waterways=20.0) == ()


def test_areas_are_measured_in_square_kilometres_and_lines_in_kilometres() -> None:
    metric = "EPSG:5897"
    area = placed({"a": box(550_000, 1_095_000, 552_000, 1_096_000)}, metric).to_crs("EPSG:4326")
    line = placed({"a": LineString([(550_000, 1_095_000), (553_000, 1_095_000)])}, metric)
    assert extent(area) == Extent(1, 2.0)
    assert extent(line.to_crs("EPSG:4326")) == Extent(1, 3.0)
    assert extent(None) == Extent(0, 0.0)


@pytest.mark.parametrize(
    ("old", "new", "jumped"),
    [
        ("100", "1000", False),
        ("100", "1000.01", True),
        ("100", "10", False),
        ("100", "9.99", True),
        ("100", "0", True),
        ("0", "100", False),
        ("-5", "5", False),
        ("-5", "60", True),
        ("100", "about 5000", False),
    ],
)
def test_a_value_jumps_by_more_than_ten_times_up_or_down(old: str, new: str, jumped: bool) -> None:
    others = [claim(n, "100000") for n in range(2, 5)]
    found = told({"claims": [claim(1, old), *others]}, {"claims": [claim(1, new), *others]})
    assert list(found) == (["value:kcn-1.area_ha"] if jumped else [])


def test_a_jump_is_told_with_both_values_the_row_and_its_line() -> None:
    others = [claim(n, "100000") for n in range(2, 5)]
    after = [*others, claim(1, "6000", source_id="zone_claims")]
    found = told({"claims": [claim(1, "60"), *others]}, {"claims": after})
    assert found["value:kcn-1.area_ha"] == (
        "was 60 ha and is 6000 ha (kcn-1.area-ha.1, zone_claims line 5)"
    )


def test_a_newer_claim_that_jumps_is_stopped_as_an_altered_one_is() -> None:
    newer = claim(1, "6000", claim_id="kcn-1.area-ha.2", as_of="2025")
    other = newer | {"unit": "m2"}
    big = claim(2, "100000")
    before: dict[str, Rows] = {"claims": [claim(1, "60"), big]}
    assert list(told(before, {"claims": [claim(1, "60"), newer, big]})) == ["value:kcn-1.area_ha"]
    assert told(before, {"claims": [claim(1, "60"), other, big]}) == {}


def test_a_sum_of_a_kind_a_fund_and_a_unit_jumps_alone() -> None:
    def money(key: str, amount: str, fund: str) -> dict[str, str]:
        return {"money_id": key, "subject_id": "kcn-1", "kind": "registered", "fund": fund,
                "amount": amount, "unit": "tỷ đồng", "on": "2024"}  # fmt: skip

    before = [money("m1", "100.5", "private"), money("m2", "7", "local_budget")]
    after = [*before, *(money(f"n{n}", "400", "private") for n in range(3))]
    found = told({"money_events": before}, {"money_events": after})
    assert found == {
        "sum:money_events.registered.private.ty-dong": "the sum was 100.5 and is 1300.5"
    }


def standing(stage: str, event_id: str = "") -> dict[str, dict[str, str]]:
    return {"kcn-1": {"stage_id": stage, "schedule": "undated", "event_id": event_id}}


def back(old: str, new: str, **event: str) -> list[str]:
    rows = [{"event_id": "e2", "subject_id": "kcn-1", "stage_id": new, "on": "2025"} | event]
    drawn = tables(stages=STAGES, stage_events=rows)
    before, after = Side(drawn, standing(old)), Side(drawn, standing(new, "e2"))
    return [f"{alarm.name}: {alarm.saw}" for alarm in find_alarms(before, after, (), {})]


def test_a_stage_that_falls_is_stopped_with_its_event_and_line() -> None:
    assert back("park.operating", "park.established", is_step_back="false", source_id="events") == [
        "stage:kcn-1: stood at park.operating and is park.established (e2, events line 2); "
        "no event says that it went back"
    ]


def test_a_stage_may_rise_end_go_back_with_a_word_or_change_its_axis() -> None:
    assert back("park.planned", "park.operating") == []
    assert back("park.operating", "park.revoked") == []
    assert back("park.operating", "park.established", is_step_back="true") == []
    assert back("park.operating", "project.idea") == []
    assert back("park.established", "park.established") == []


def test_a_stage_that_is_no_longer_known_is_stopped() -> None:
    drawn = tables(stages=STAGES)
    before, after = Side(drawn, standing("park.operating")), Side(drawn, standing(""))
    (alarm,) = find_alarms(before, after, (), {})
    assert "stood at park.operating and is not known" in alarm.saw
    assert find_alarms(before, Side(drawn, {}), (), {}) == ()


def test_everything_that_looks_wrong_is_told_at_once() -> None:
    before = Side(
        tables(places=places(20), claims=[claim(1, "60")], stages=STAGES),
        standing("park.operating"),
        {"waterways": Extent(10, 5.0)},
    )
    after = Side(
        tables(places=places(1), claims=[claim(1, "6000")], stages=STAGES),
        standing("park.planned"),
    )
    names = [alarm.name for alarm in alarms(before, after)]
    assert names == [
        "table:places",
        "layer:waterways",
        "sum:claims.area_ha.ha",
        "value:kcn-1.area_ha",
        "stage:kcn-1",
    ]
    assert set(names) <= known_names(before, after)


def test_only_names_of_what_is_held_can_be_accepted() -> None:
    side = Side(tables(claims=[claim(1, "60")]), standing("park.operating"))
    names = known_names(side, Side(tables()))
    assert {"table:claims", "sum:claims.area_ha.ha", "value:kcn-1.area_ha", "stage:kcn-1"} <= names
    assert not {"claims", "table:clams", "value:kcn-2.area_ha", "stage:kcn-9"} & names


def test_an_edition_with_fewer_tables_or_columns_is_compared_all_the_same() -> None:
    after = Side(tables(claims=[claim(1, "60")]))
    assert alarms(Side({"places": pd.DataFrame({"place_id": ["a"], "source_id": ["z"]})}), after)
    assert alarms(dataclasses.replace(after, layers={}), after) == ()
