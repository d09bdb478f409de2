from collections.abc import Callable, Mapping
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import box

from drawings import tables
from geodata.findings import Finding
from geodata.rules import (
    RULES,
    claim_fits_its_measure,
    code_is_unique,
    dates_are_in_order,
    funding_closes,
    key_is_unique,
    nothing_is_from_the_future,
    part_is_not_larger,
    position_is_sound,
    province_box,
    series_keeps_its_unit,
    stage_does_not_go_back,
    stage_fits_its_subject,
    subject_is_one_thing,
)
from geodata.schema import TABLES

Rows = list[dict[str, str]]
Rule = Callable[[Mapping[str, pd.DataFrame]], list[Finding]]


def found(rule: Rule, **rows: Rows) -> list[tuple[str, int, str]]:
    """What a rule finds in a drawing: rule, line and column (the first row is line 2)."""
    return [(f.rule, f.row, f.column) for f in rule(tables(**rows))]


JUNK = [
    "",
    " ",
    "x",
    "-0",
    "1e400",
    "NaN",
    "inf",
    "9" * 30,
    "9" * 5_000,
    "²",
    "١٢",
    "1;2",
    ";",
    ".",
    "2023-02-30",
    "2199",
    "park.planned",
    "POINT (nan nan)",
    "POINT (1e400 9)",
    "POINT (1 1)\x00junk",
    "GEOMETRYCOLLECTION (" * 5_000 + "POINT EMPTY" + ")" * 5_000,
]


def test_every_rule_is_content_with_the_tiny_tables_and_with_empty_ones(tree) -> None:
    for drawn in (tree.check().tables, tables()):
        assert [f for rule in RULES for f in rule.find(drawn)] == []


@pytest.mark.filterwarnings("ignore:overflow encountered")
@pytest.mark.parametrize("junk", JUNK, ids=[repr(junk[:12]) for junk in JUNK])
def test_no_rule_falls_over_junk_in_every_cell(junk: str) -> None:
    rows = {t.name: [dict.fromkeys(t.column_names, junk)] for t in TABLES}
    numbered = {"measures": [rows["measures"][0] | {"value_type": "number"}]}
    drawn = tables(**(rows | numbered))
    assert all(isinstance(f, Finding) for rule in RULES for f in rule.find(drawn))


def test_a_finding_of_a_rule_names_source_table_line_and_key() -> None:
    drawn = tables(commune_crosswalk=2 * [{"old_unit_id": "old-1", "new_unit_id": "com-1"}])
    first = key_is_unique(drawn)[0]
    assert (first.source_id, first.table, first.row, first.key) == (
        "drawn",
        "commune_crosswalk",
        2,
        "old-1/com-1",
    )


def test_a_key_that_stands_twice_refuses_its_sources_at_every_place() -> None:
    places = [{"place_id": "a"}, {"place_id": "b"}, {"place_id": "a", "source_id": "other"}]
    findings = key_is_unique(tables(places=places))
    assert [(f.source_id, f.row, f.severity) for f in findings] == [
        ("drawn", 2, "source"),
        ("other", 4, "source"),
    ]


def test_a_key_of_two_columns_may_repeat_one_of_them() -> None:
    whole = {"old_unit_id": "old-1", "new_unit_id": "com-1"}
    assert found(key_is_unique, commune_crosswalk=[whole, whole | {"new_unit_id": "com-2"}]) == []
    assert len(found(key_is_unique, commune_crosswalk=[whole, whole])) == 2


def test_the_same_key_in_two_tables_is_no_duplicate() -> None:
    assert found(key_is_unique, places=[{"place_id": "a"}], routes=[{"route_id": "a"}]) == []


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("2021", "2025"),
        ("2021", "2021"),
        ("2021-07", "2021"),
        ("", "2021"),
        ("2021", ""),
        ("x", ""),
    ],
)
def test_dates_in_order_pass(first: str, last: str) -> None:
    assert found(dates_are_in_order, duties=[{"starts_on": first, "ends_on": last}]) == []


@pytest.mark.parametrize(("first", "last"), [("2025", "2021"), ("2021-07-02", "2021-07-01")])
def test_dates_that_surely_lie_the_wrong_way_round_are_found(first: str, last: str) -> None:
    assert found(dates_are_in_order, duties=[{}, {"starts_on": first, "ends_on": last}]) == [
        ("dates_are_in_order", 3, "starts_on")
    ]
    assert found(dates_are_in_order, communes=[{"valid_from": first, "valid_to": last}]) == [
        ("dates_are_in_order", 2, "valid_from")
    ]


AREA = {
    "measure": "area_ha",
    "value_type": "number",
    "unit": "ha",
    "minimum": "0.01",
    "maximum": "500",
}
OCCUPANCY = {
    "measure": "occupancy_pct",
    "value_type": "number",
    "unit": "%",
    "minimum": "0",
    "maximum": "100",
}
DEVELOPER = {"measure": "developer", "value_type": "text", "unit": ""}
MEASURES = [AREA, OCCUPANCY, DEVELOPER]


def of_claim(**claim: str) -> list[tuple[str, int, str]]:
    return found(claim_fits_its_measure, claims=[claim], measures=MEASURES)


@pytest.mark.parametrize("value", ["0.01", "100", "100.50", "500", "500.0", "007"])
def test_a_claim_of_the_right_unit_type_and_range_passes(value: str) -> None:
    assert of_claim(measure="area_ha", unit="ha", value=value) == []


@pytest.mark.parametrize("value", ["0", "-5", "0.009", "500.001", "9" * 15])
def test_a_claim_outside_what_is_possible_is_found(value: str) -> None:
    expected = [("value_is_in_range", 2, "value")]
    assert of_claim(measure="area_ha", unit="ha", value=value) == expected


@pytest.mark.parametrize(
    "value",
    ["", "x", "1,5", "1 000", "1.", ".5", "+5", "1e3", "NaN", "inf", "١٢", "１２", "²", "9" * 16],
)
def test_a_claim_that_should_be_a_number_and_is_none_is_found_once(value: str) -> None:
    expected = [("value_is_of_its_kind", 2, "value")]
    assert of_claim(measure="area_ha", unit="ha", value=value) == expected


@pytest.mark.parametrize("value", ["-1", "100.1", "4500"])
def test_an_occupancy_outside_0_to_100_is_found(value: str) -> None:
    expected = [("value_is_in_range", 2, "value")]
    assert of_claim(measure="occupancy_pct", unit="%", value=value) == expected
    assert of_claim(measure="occupancy_pct", unit="%", value="100") == []


@pytest.mark.parametrize("unit", ["", "m2", "HA", "ha "])
def test_a_claim_in_another_unit_is_found(unit: str) -> None:
    expected = [("unit_is_the_measures", 2, "unit")]
    assert of_claim(measure="area_ha", unit=unit, value="100") == expected


def test_all_that_is_wrong_with_a_claim_is_found_at_once() -> None:
    assert [rule for rule, *_ in of_claim(measure="area_ha", unit="m2", value="-1")] == [
        "unit_is_the_measures",
        "value_is_in_range",
    ]


def test_a_measure_in_words_takes_any_text_and_no_unit() -> None:
    assert of_claim(measure="developer", value="Công ty A") == []
    assert of_claim(measure="developer", value="5", unit="ha") == [
        ("unit_is_the_measures", 2, "unit")
    ]


def test_a_measure_without_limits_takes_any_number() -> None:
    measures = [AREA | {"minimum": "", "maximum": ""}]
    claims = [{"measure": "area_ha", "unit": "ha", "value": "-99999999"}]
    assert found(claim_fits_its_measure, claims=claims, measures=measures) == []


def test_a_claim_of_an_unknown_measure_is_left_to_the_rule_on_references() -> None:
    assert of_claim(measure="height_m", value="x") == []


def areas(**values: str) -> Rows:
    shared = {"subject_id": "kcn-a", "as_of": "2024"}
    return [shared | {"measure": name, "value": value} for name, value in values.items()]


def test_leased_within_leasable_within_total_passes() -> None:
    whole = areas(area_leased_ha="40", area_industrial_ha="60", area_ha="100")
    assert found(part_is_not_larger, claims=whole) == []
    equal = areas(area_leased_ha="100", area_industrial_ha="100.0", area_ha="100")
    assert found(part_is_not_larger, claims=equal) == []


@pytest.mark.parametrize(
    ("values", "lines"),
    [
        ({"area_leased_ha": "61", "area_industrial_ha": "60"}, [2]),
        ({"area_industrial_ha": "101", "area_ha": "100"}, [2]),
        ({"area_leased_ha": "101", "area_ha": "100"}, [2]),
        ({"area_ha": "9", "area_leased_ha": "11", "area_industrial_ha": "10"}, [3, 4, 3]),
        ({"projects_operating_count": "3", "projects_count": "2"}, [2]),
    ],
)
def test_a_part_larger_than_its_whole_is_found_and_the_part_is_refused(
    values: dict[str, str], lines: list[int]
) -> None:
    expected = [("part_is_not_larger_than_whole", line, "value") for line in lines]
    assert found(part_is_not_larger, claims=areas(**values)) == expected


@pytest.mark.parametrize("other", [{"subject_id": "b"}, {"phase": "2"}, {"as_of": "2023"}])
def test_parts_and_wholes_of_another_subject_phase_or_day_are_not_compared(
    other: dict[str, str],
) -> None:
    part, whole = areas(area_leased_ha="200", area_ha="100")
    assert found(part_is_not_larger, claims=[part | other, whole]) == []
    assert len(found(part_is_not_larger, claims=[part | other, whole | other])) == 1


def test_numbers_are_compared_as_numbers_not_as_text() -> None:
    assert found(part_is_not_larger, claims=areas(area_leased_ha="9", area_ha="10")) == []


SUBJECTS = {
    "places": [
        {"place_id": "kcn-a", "kind": "industrial_park"},
        {"place_id": "ccn-a", "kind": "industrial_cluster"},
        {"place_id": "port-a", "kind": "port"},
    ],
    "routes": [{"route_id": "road-a"}],
}


@pytest.mark.parametrize(
    ("subject", "own"),
    [("kcn-a", "park"), ("ccn-a", "cluster"), ("port-a", "project"), ("road-a", "public")],
)
def test_a_subject_uses_its_own_vocabulary_of_stages(subject: str, own: str) -> None:
    for axis in ("park", "cluster", "project", "public", "parks", ""):
        event = {"subject_id": subject, "stage_id": f"{axis}.works"}
        expected = [] if axis == own else [("stage_fits_its_subject", 2, "stage_id")]
        assert found(stage_fits_its_subject, stage_events=[event], **SUBJECTS) == expected


def test_an_event_of_an_unknown_subject_is_left_to_the_rule_on_references() -> None:
    event = {"subject_id": "gone", "stage_id": "park.works"}
    assert found(stage_fits_its_subject, stage_events=[event], **SUBJECTS) == []


STAGES = [
    {"stage_id": "park.planned", "rank": "10"},
    {"stage_id": "park.works", "rank": "60"},
    {"stage_id": "park.operating", "rank": "80"},
]


def steps(*told: tuple[str, str], **shared: str) -> Rows:
    return [
        {"event_id": f"e{n}", "subject_id": "kcn-a", "stage_id": f"park.{stage}", "on": on} | shared
        for n, (stage, on) in enumerate(told)
    ]


def stepped_back(*rows: dict[str, str]) -> list[tuple[str, int, str]]:
    return found(stage_does_not_go_back, stage_events=list(rows), stages=STAGES)


@pytest.mark.parametrize(
    "told",
    [
        [("planned", "2020"), ("works", "2021"), ("operating", "2023-05")],
        [("operating", "2023-05"), ("planned", "2020")],
        [("works", "2021"), ("works", "2022")],
        [("works", "2021"), ("planned", "2021-12-31")],
        [("works", "2021-06"), ("planned", "2021")],
    ],
    ids=["rising", "any order of rows", "the same", "perhaps before", "perhaps after"],
)
def test_stages_that_rise_or_may_rise_pass(told: list[tuple[str, str]]) -> None:
    assert stepped_back(*steps(*told)) == []


def test_a_stage_that_surely_goes_back_is_a_note_and_no_refusal() -> None:
    rows = steps(("operating", "2021"), ("planned", "2022"), ("works", "2023-01-01"))
    assert stepped_back(*rows) == [
        ("stage_does_not_go_back", 3, "stage_id"),
        ("stage_does_not_go_back", 4, "stage_id"),
    ]
    drawn = tables(stage_events=rows, stages=STAGES)
    assert {f.severity for f in stage_does_not_go_back(drawn)} == {"note"}


def test_a_step_back_that_the_event_itself_states_passes() -> None:
    forth, back = steps(("operating", "2021"), ("planned", "2022"))
    assert stepped_back(forth, back | {"is_step_back": "true"}) == []
    assert len(stepped_back(forth, back | {"is_step_back": "false"})) == 1


@pytest.mark.parametrize("other", [{"subject_id": "kcn-b"}, {"phase": "2"}])
def test_stages_of_another_subject_or_phase_are_not_compared(other: dict[str, str]) -> None:
    forth, back = steps(("operating", "2021"), ("planned", "2022"))
    assert stepped_back(forth, back | other) == []


READ = [{"document_id": "s1", "retrieved_on": "2026-01-05", "published_on": "2021"}]
DATED = {
    "claims": "as_of",
    "indicators": "as_of",
    "stage_events": "on",
    "money_events": "on",
    "milestones": "published_on",
    "documents": "published_on",
    "gaps": "looked_on",
}


@pytest.mark.parametrize(("table", "column"), DATED.items())
def test_nothing_may_be_dated_after_the_last_day_a_document_was_read(
    table: str, column: str
) -> None:
    def dated(day: str) -> list[tuple[str, int, str]]:
        rows = {"documents": READ, table: [*(READ if table == "documents" else []), {column: day}]}
        return found(nothing_is_from_the_future, **rows)

    line = 3 if table == "documents" else 2
    for day in ("", "2021", "2026", "2026-01", "2026-01-05", "not a day"):
        assert dated(day) == []
    for day in ("2026-01-06", "2026-02", "2027", "2199-12-31"):
        assert dated(day) == [("nothing_is_from_the_future", line, column)]


def test_a_promise_may_lie_in_the_future() -> None:
    milestones = [{"due_on": "2030", "published_on": "2021", "met_on": ""}]
    assert found(nothing_is_from_the_future, documents=READ, milestones=milestones) == []


def test_without_a_document_that_was_read_nothing_is_from_the_future() -> None:
    assert found(nothing_is_from_the_future, claims=[{"as_of": "2199"}]) == []


COMMUNES = [
    {
        "unit_id": "com-1",
        "level": "commune",
        "longitude": "105.5",
        "latitude": "9.8",
        "reach_m": "10800",
    },
    {
        "unit_id": "com-2",
        "level": "commune",
        "longitude": "105.8",
        "latitude": "10",
        "reach_m": "10800",
    },
    {
        "unit_id": "old-1",
        "level": "old_commune",
        "longitude": "120",
        "latitude": "20",
        "reach_m": "9",
    },
]


def of_position(geometry: str, subject: str = "kcn-a") -> list[tuple[str, int, str]]:
    position = {"subject_id": subject, "geometry": geometry}
    return found(position_is_sound, positions=[position], communes=COMMUNES, **SUBJECTS)


def test_the_province_is_the_box_around_its_new_communes_and_their_reach() -> None:
    drawn = province_box(tables(communes=COMMUNES)["communes"])
    assert drawn.bounds == pytest.approx((105.4, 9.7, 105.9, 10.1))


def test_communes_without_a_point_make_no_province() -> None:
    nowhere = [COMMUNES[0] | {"longitude": "", "latitude": "x"}]
    assert province_box(tables(communes=nowhere)["communes"]).is_empty
    outside = [{"subject_id": "kcn-a", "geometry": "POINT (0 0)"}]
    assert found(position_is_sound, positions=outside, communes=nowhere) == []


@pytest.mark.parametrize(
    "geometry",
    [
        "POINT (105.5 9.8)",
        "POINT (105.4 9.7)",
        "POINT (105.36 9.66)",
        "POINT Z (105.5 9.8 3)",
        "LINESTRING (105.5 9.8, 105.6 9.9)",
        "POLYGON ((105.5 9.8, 105.6 9.8, 105.6 9.9, 105.5 9.8))",
    ],
)
def test_a_sound_geometry_in_the_province_passes(geometry: str) -> None:
    assert of_position(geometry) == []


@pytest.mark.parametrize(
    "geometry",
    [
        "POINT (105.3 9.8)",
        "POINT (9.8 105.5)",
        "POINT (550000 1080000)",
        "POINT (105.5 10.2)",
        "LINESTRING (105.5 9.8, 106.5 9.8)",
    ],
    ids=["west", "swapped", "metres", "north", "running out"],
)
def test_a_place_outside_the_province_and_its_margin_is_found(geometry: str) -> None:
    assert of_position(geometry) == [("geometry_is_in_province", 2, "geometry")]


def test_a_route_may_run_half_a_degree_into_the_neighbours() -> None:
    assert of_position("LINESTRING (105.5 9.8, 106.3 9.8)", "road-a") == []
    assert of_position("LINESTRING (105.5 9.8, 106.5 9.8)", "road-a") == [
        ("geometry_is_in_province", 2, "geometry")
    ]


@pytest.mark.filterwarnings("ignore:overflow encountered")
@pytest.mark.parametrize(
    "geometry",
    [
        "POLYGON ((105.5 9.8, 105.6 9.9, 105.6 9.8, 105.5 9.9, 105.5 9.8))",
        "LINESTRING (105.5 9.8, 105.5 9.8)",
        "POINT (nan nan)",
        "POINT (1e400 9.8)",
    ],
    ids=["bow tie", "no length", "nan", "infinite"],
)
def test_a_geometry_that_is_torn_is_found_with_its_reason(geometry: str) -> None:
    assert ("geometry_is_valid", 2, "geometry") in of_position(geometry)
    drawn = tables(positions=[{"geometry": geometry}], communes=COMMUNES)
    assert position_is_sound(drawn)[0].detail


@pytest.mark.parametrize("geometry", ["x", "POINT EMPTY", "SRID=4326;POINT (105.5 9.8)"])
def test_what_is_no_wkt_is_not_of_its_kind(geometry: str) -> None:
    assert of_position(geometry) == [("value_is_of_its_kind", 2, "geometry")]


def test_a_geometry_that_is_not_there_is_left_to_the_rule_on_presence() -> None:
    assert of_position("") == []


@given(st.floats(105.4, 105.8), st.floats(9.7, 10), st.floats(0.001, 0.1))
def test_every_square_inside_the_box_of_the_province_passes(
    x: float, y: float, side: float
) -> None:
    assert of_position(box(x, y, x + side, y + side).wkt) == []


def funding(total: str, sources: list[str], years: list[str], plan: str = "s1") -> Rows:
    told = [("total", [total] if total else []), ("source", sources), ("year", years)]
    return [
        {"funding_id": f"{plan}-{axis}-{n}", "plan_id": plan, "axis": axis, "amount": amount}
        for axis, amounts in told
        for n, amount in enumerate(amounts)
    ]


SOURCES = ["14678.262", "4378.264", "94005.500"]
YEARS = ["2291.090", "27872.994", "27659.479", "27819.114", "27419.349"]


def test_the_sums_of_the_programme_close() -> None:
    assert found(funding_closes, funding_plan=funding("113062.026", SOURCES, YEARS)) == []


def test_a_sum_that_misses_by_the_last_digit_is_found_and_refuses_the_source() -> None:
    rows = funding("113062.026", SOURCES, [*YEARS[:4], "27419.350"])
    findings = funding_closes(tables(funding_plan=rows))
    assert [(f.rule, f.row, f.severity) for f in findings] == [("sums_close", 2, "source")]
    assert findings[0].detail == "s1: the sum by year is 113062.027, the total is 113062.026"


def test_a_sum_that_binary_floats_would_miss_closes() -> None:
    tenths = ["0.1"] * 10
    assert sum(map(float, tenths)) != 1.0
    assert found(funding_closes, funding_plan=funding("1", tenths, ["1.000"])) == []


@pytest.mark.parametrize(
    ("total", "sources", "years", "findings"),
    [
        ("10", [], ["10"], 1),
        ("10", ["10"], [], 1),
        ("10", [], [], 2),
        ("", ["10"], ["10"], 2),
        ("0", ["10"], ["10"], 2),
        ("0", [], [], 0),
        ("10", ["10", "many"], ["10"], 0),
        ("many", ["10"], ["10"], 2),
    ],
)
def test_a_missing_part_or_total_does_not_close(
    total: str, sources: list[str], years: list[str], findings: int
) -> None:
    rows = funding(total, sources, years)
    assert len(found(funding_closes, funding_plan=rows)) == findings


def test_every_plan_closes_on_its_own() -> None:
    rows = funding("1", ["1"], ["1"]) + funding("2", ["2"], ["3"], plan="s2")
    findings = funding_closes(tables(funding_plan=rows))
    assert [f.detail for f in findings] == ["s2: the sum by year is 3, the total is 2"]


def test_a_part_by_source_and_year_is_in_no_sum() -> None:
    both = {"plan_id": "s1", "axis": "source_and_year", "amount": "7"}
    assert found(funding_closes, funding_plan=[*funding("1", ["1"], ["1"]), both]) == []


AMOUNTS = st.lists(
    st.decimals(0, 1_000_000, places=3, allow_nan=False, allow_infinity=False),
    min_size=1,
    max_size=6,
)


@given(AMOUNTS)
def test_a_total_of_its_own_parts_always_closes_and_one_dong_more_never(
    amounts: list[Decimal],
) -> None:
    parts = [f"{amount:f}" for amount in amounts]
    total = sum(amounts, Decimal(0))
    assert found(funding_closes, funding_plan=funding(f"{total:f}", parts, parts)) == []
    more = f"{total + Decimal('0.000000001'):f}"
    assert len(found(funding_closes, funding_plan=funding(more, parts, parts))) == 2


def test_a_series_of_one_unit_and_one_scope_passes() -> None:
    row = {"series_id": "kpi-a", "unit": "%", "scope": "industry"}
    assert found(series_keeps_its_unit, indicators=[row, row, row | {"series_id": "b"}]) == []


@pytest.mark.parametrize(
    ("column", "other"), [("unit", "tỷ đồng"), ("scope", "industry_and_construction")]
)
def test_a_series_of_two_units_or_scopes_is_two_series(column: str, other: str) -> None:
    row = {"series_id": "kpi-a", "unit": "%", "scope": "industry"}
    assert found(series_keeps_its_unit, indicators=[row, row | {column: other}, row]) == [
        ("series_is_of_one_kind", 3, column)
    ]


def test_a_route_with_the_id_of_a_place_is_refused() -> None:
    routes = [{"route_id": "kcn-a"}, {"route_id": "road-a"}]
    told = found(subject_is_one_thing, places=[{"place_id": "kcn-a"}], routes=routes)
    assert told == [("subject_is_one_thing", 2, "route_id")]


def test_a_code_names_one_unit_of_its_level() -> None:
    units = [
        {"unit_id": "com-1", "level": "commune", "code": "31321"},
        {"unit_id": "old-1", "level": "old_commune", "code": "31321"},
        {"unit_id": "com-2", "level": "commune", "code": "31321"},
    ]
    assert [row for _, row, _ in found(code_is_unique, communes=units)] == [2, 4]
