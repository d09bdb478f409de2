"""Areas, lengths and completeness, against values one can work out by hand."""

import math

import geopandas as gpd
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import LineString, MultiLineString, box

from atlas.measure import EXPECTED, area_ha, completeness, length_km
from drawings import METRIC_CRS
from geodata.cells import parts_of
from geodata.crs import DISPLAY_CRS, CrsError, to_metric
from geodata.schema import PLACE_KINDS

WGS_84_AXIS_M = 6_378_137.0
WGS_84_ECCENTRICITY_2 = 0.006_694_380
SCALE_ON_THE_MERIDIAN = 0.9999


def layer(*shapes: object, crs: str | None = METRIC_CRS) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=list(shapes), crs=crs)


def test_a_square_kilometre_is_a_hundred_hectares() -> None:
    squares = layer(box(550_000, 1_080_000, 551_000, 1_081_000), box(0, 0, 100, 100))
    assert list(area_ha(squares)) == [100.0, 1.0]


def test_a_length_is_in_kilometres_and_counts_all_parts() -> None:
    lines = layer(
        LineString([(0, 0), (3_000, 4_000)]),
        MultiLineString([[(0, 0), (0, 500)], [(9, 9), (509, 9)]]),
    )
    assert list(length_km(lines)) == [5.0, 1.0]


def test_a_tenth_of_a_degree_of_latitude_is_as_long_as_the_ellipsoid_says() -> None:
    line = layer(LineString([(105, 9.7), (105, 9.8)]), crs=DISPLAY_CRS)
    flattened = 1 - WGS_84_ECCENTRICITY_2 * math.sin(math.radians(9.75)) ** 2
    radius_m = WGS_84_AXIS_M * (1 - WGS_84_ECCENTRICITY_2) / flattened**1.5
    by_hand_km = SCALE_ON_THE_MERIDIAN * radius_m * math.radians(0.1) / 1_000
    assert length_km(to_metric(line))[0] == pytest.approx(by_hand_km, rel=1e-5)
    assert round(by_hand_km, 2) == 11.06


@pytest.mark.parametrize("measure", [area_ha, length_km])
@pytest.mark.parametrize("crs", [DISPLAY_CRS, "EPSG:3857", "EPSG:32648", None])
def test_a_measure_outside_the_metric_system_is_refused(measure: object, crs: str | None) -> None:
    with pytest.raises(CrsError, match="needs EPSG:5897, got (EPSG:|no CRS)"):
        measure(layer(box(105, 9, 106, 10), crs=crs))  # type: ignore[operator]


def test_a_layer_without_a_crs_is_not_projected_by_guess() -> None:
    with pytest.raises(CrsError, match="without a CRS"):
        to_metric(layer(box(105, 9, 106, 10), crs=None))


def test_every_kind_of_place_says_what_a_whole_record_tells() -> None:
    assert set(PLACE_KINDS) <= set(EXPECTED)


def completeness_of(kind: str, *known: str) -> tuple[int, tuple[str, ...]]:
    """What `completeness` says of one subject of which these fields are known."""
    fields = sorted({name for names in EXPECTED.values() for name in names} | set(known))
    told = pd.DataFrame({name: [name in known] for name in fields}, index=["a"])
    found = completeness(pd.Series({"a": kind}), told).loc["a"]
    return int(found["completeness_pct"]), tuple(parts_of(found["missing"]))


def test_completeness_counts_what_is_expected_and_names_what_is_missing() -> None:
    known = ("area", "commune", "not expected at all")
    assert completeness_of("logistics_site", *known) == (50, ("position", "stage"))


def test_completeness_is_rounded_down_so_that_only_a_whole_record_has_a_hundred() -> None:
    all_but_one = EXPECTED["logistics_centre"][1:]
    assert completeness_of("logistics_centre", *all_but_one) == (83, ("area",))


def test_completeness_keeps_to_each_subject_whatever_their_order() -> None:
    kinds = pd.Series({"b": "port", "a": "route", "c": "port"})
    names = sorted({name for expected in EXPECTED.values() for name in expected})
    known = pd.DataFrame(False, index=kinds.index, columns=names)
    known.loc["c", "stage"] = True
    found = completeness(kinds, known)
    assert list(found.index) == ["b", "a", "c"]
    assert list(found["completeness_pct"]) == [0, 0, 25]
    assert found.loc["c", "missing"] == "commune;position;act"
    assert completeness(kinds.head(0), known.head(0)).empty


@given(st.sampled_from(sorted(EXPECTED)), st.sets(st.sampled_from(EXPECTED["industrial_park"])))
def test_completeness_lies_between_nothing_and_everything(kind: str, names: set[str]) -> None:
    pct, missing = completeness_of(kind, *names)
    assert 0 <= pct <= 100
    assert (pct == 100) == (missing == ())
    assert set(missing) == set(EXPECTED[kind]) - names
