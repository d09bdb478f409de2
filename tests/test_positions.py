"""The best position of every subject, and where the map draws those that share one."""

import math

import geopandas as gpd
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Point, box, from_wkt, to_wkt

from atlas.placed import Positions
from atlas.positions import (
    COLUMNS,
    NOTES,
    UNPLACED_M,
    Told,
    positions_table,
    spread,
)
from drawings import METRIC_CRS, best, placed, table, tables, written
from geodata.crs import DISPLAY_CRS, to_metric
from geodata.schema import POSITION_METHODS, TABLE


def unit(unit_id: str, longitude: float, latitude: float, reach_m: int = 5_000) -> dict[str, str]:
    told = {"longitude": longitude, "latitude": latitude, "reach_m": reach_m}
    return {"unit_id": unit_id, **{name: str(value) for name, value in told.items()}}


UNITS = [
    unit("com-1", 105.5, 9.8),
    unit("com-2", 105.6, 9.8, 6_000),
    unit("com-3", 105.7, 9.9),
    unit("dist-1", 105.52, 9.82, 15_000),
    {"unit_id": "old-1"},
]


def position(
    number: int, method: str, accuracy_m: int = 100, as_of: str = "2025"
) -> dict[str, str]:
    return {
        "position_id": f"p{number}",
        "subject_id": "s",
        "method": method,
        "accuracy_m": str(accuracy_m),
        "as_of": as_of,
        "geometry": f"POINT ({105 + number / 100} 9.8)",
    }


def place(**cells: str) -> dict[str, str]:
    return {"place_id": "s", "kind": "industrial_park", **cells}


def route(**cells: str) -> dict[str, str]:
    return {"route_id": "r", "kind": "canal", **cells}


def only(found: Positions) -> dict[str, object]:
    layer = found.layer()
    assert len(layer) == 1
    return dict(layer.iloc[0])


METHODS = st.sampled_from(POSITION_METHODS)


@settings(max_examples=25)
@given(st.lists(st.tuples(METHODS, st.integers(1, 9), st.sampled_from(["2024", "2025", ""]))))
def test_no_order_of_the_rows_changes_which_position_wins(told: list[tuple[str, int, str]]) -> None:
    rows = [position(n, *cells) for n, cells in enumerate(told)]
    forth = best(tables(positions=rows))
    back = best(tables(positions=rows[::-1]))
    assert list(forth.layer()["geometry"]) == list(back.layer()["geometry"])
    assert len(forth.frame) == (1 if told else 0)


@pytest.mark.parametrize("better", range(len(POSITION_METHODS) - 1))
def test_a_better_method_wins_over_a_worse_one_that_is_more_exact(better: int) -> None:
    good = position(1, POSITION_METHODS[better], accuracy_m=9_000, as_of="2001")
    bad = position(2, POSITION_METHODS[better + 1], accuracy_m=1, as_of="2026")
    for rows in ([good, bad], [bad, good]):
        found = only(best(tables(positions=rows)))
        assert found["method"] == POSITION_METHODS[better]


def test_within_a_method_the_more_exact_wins_then_the_newer() -> None:
    rows = [position(1, "osm", 50, "2026"), position(2, "osm", 20, "2020"), position(3, "osm", 20)]
    assert only(best(tables(positions=rows)))["geometry"] == Point(105.03, 9.8)


def test_an_exact_tie_of_positions_goes_to_the_smaller_position_id() -> None:
    rows = [position(2, "osm"), position(1, "osm")]
    assert only(best(tables(positions=rows)))["geometry"] == Point(105.01, 9.8)


def test_a_given_position_replaces_the_commune_point_of_its_place() -> None:
    told = {"places": [place(commune_ids="com-1")], "communes": UNITS}
    assert only(best(tables(**told)))["method"] == "commune_point"
    given_too = tables(**told, positions=[position(1, "digitised")])
    assert only(best(given_too))["method"] == "digitised"


def test_a_place_known_by_commune_stands_at_its_point_with_its_reach() -> None:
    found = only(best(tables(places=[place(commune_ids="com-2")], communes=UNITS)))
    assert found["geometry"] == Point(105.6, 9.8)
    assert (found["accuracy_m"], found["note_en"]) == (6_000, NOTES["commune_point"][1])


def test_a_place_in_two_communes_has_a_radius_that_holds_both() -> None:
    told = tables(places=[place(commune_ids="com-1;com-2")], communes=UNITS)
    found = only(best(told))
    corners = gpd.GeoSeries([Point(105.5, 9.8), Point(105.6, 9.8)], crs=DISPLAY_CRS)
    apart = to_metric(corners)
    assert found["geometry"] == Point(105.5, 9.8)
    assert found["accuracy_m"] == math.ceil(apart.iloc[0].distance(apart.iloc[1]) + 6_000)


@pytest.mark.parametrize(
    ("cells", "method", "note"),
    [
        ({"district_ids": "dist-1"}, "schematic", "district"),
        ({"district_ids": "dist-1", "commune_ids": "com-3"}, "commune_point", "commune_point"),
        ({"district_ids": "dist-1", "commune_ids": "com-unheard-of"}, "schematic", "district"),
        ({"commune_ids": "old-1"}, "schematic", "province"),
        ({}, "schematic", "province"),
    ],
)
def test_a_place_stands_in_the_smallest_unit_that_is_known(
    cells: dict[str, str], method: str, note: str
) -> None:
    found = only(best(tables(places=[place(**cells)], communes=UNITS)))
    said = NOTES[note][0].format(area="tỉnh Hậu Giang cũ")
    assert (found["method"], found["note_vi"]) == (method, said)


def test_a_place_known_by_province_only_stands_amid_the_communes_which_its_radius_holds() -> None:
    found = only(best(tables(places=[place()], communes=UNITS)))
    assert found["geometry"].distance(Point(105.6, 9.833333)) < 1e-6
    assert found["accuracy_m"] > 5_000 + 11_000


def test_the_province_is_known_by_its_districts_where_no_commune_is() -> None:
    found = only(best(tables(places=[place()], communes=[UNITS[3]])))
    assert found["geometry"] == Point(105.52, 9.82)


def test_without_any_unit_nothing_is_placed_and_nothing_breaks() -> None:
    told = tables(places=[place()], routes=[route(node_ids="com-1")])
    found = best(told)
    assert set(COLUMNS) - {"geometry"} <= set(found.frame.columns)
    assert not len(found)
    assert spread(found.frame, None).empty


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ("com-1;com-2;com-3", "LINESTRING (105.5 9.8, 105.6 9.8, 105.7 9.9)"),
        ("com-3;com-1", "LINESTRING (105.7 9.9, 105.5 9.8)"),
        ("com-1;com-2;com-1", "LINESTRING (105.5 9.8, 105.6 9.8, 105.5 9.8)"),
        ("com-1;com-unheard-of;com-2", "LINESTRING (105.5 9.8, 105.6 9.8)"),
        ("com-2", "POINT (105.6 9.8)"),
        ("com-2;com-2", "POINT (105.6 9.8)"),
        ("", "POINT (105.6 9.833333)"),
        ("old-1", "POINT (105.6 9.833333)"),
    ],
)
def test_a_route_is_a_line_through_its_nodes_or_its_one_node_or_the_province(
    nodes: str, expected: str
) -> None:
    found = only(best(tables(routes=[route(node_ids=nodes)], communes=UNITS)))
    assert to_wkt(found["geometry"], rounding_precision=6) == expected
    assert found["method"] == "schematic"


def test_a_schematic_line_is_as_doubtful_as_its_widest_commune() -> None:
    told = tables(routes=[route(node_ids="com-1;com-2")], communes=UNITS)
    found = only(best(told))
    assert (found["accuracy_m"], found["note_en"]) == (6_000, NOTES["nodes"][1])


def test_an_offered_position_wins_by_its_method() -> None:
    told = tables(routes=[route(node_ids="com-1;com-2")], communes=UNITS)
    assert only(best(told))["method"] == "schematic"
    line = LineString([(105.5, 9.8), (105.6, 9.8)])
    offered = Told("osm", 100.0, "osm", "osm", "2026-05-01").at("r", line)
    found = only(best(told, [offered]))
    assert (found["method"], found["as_of"], found["geometry"]) == ("osm", "2026-05-01", line)


def test_a_derived_position_cites_its_documents_once_and_is_as_old_as_the_newest() -> None:
    cited = [{**UNITS[0], "document_ids": "act;map"}, {**UNITS[1], "document_ids": "map"}]
    documents = [
        {"document_id": "act", "published_on": "2025-06-12", "retrieved_on": "2026-01-01"},
        {"document_id": "map", "retrieved_on": "2025-12-01"},
    ]
    nodes = route(node_ids="com-1;com-2", document_ids="s1;act")
    told = tables(routes=[nodes], communes=cited, documents=documents)
    found = only(best(told))
    assert (found["document_ids"], found["as_of"]) == ("s1;act;map", "2025-12-01")
    told = tables(places=[place(commune_ids="com-1")], communes=cited, documents=documents[:1])
    found = only(best(told))
    assert (found["document_ids"], found["as_of"]) == ("act;map", "2025-06-12")


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (Point(105.12345678, 9.8), "POINT (105.123457 9.8)"),
        (
            LineString([(105.5, 9.8), (105.60000001, 9.8), (105.5, 9.8)]),
            "LINESTRING (105.5 9.8, 105.6 9.8, 105.5 9.8)",
        ),
        (
            box(105, 9, 105.00000049, 9.1).union(box(105, 9, 106, 9.05)),
            "POLYGON ((105 9, 105 9.05, 106 9.05, 106 9, 105 9))",
        ),
    ],
)
def test_positions_are_published_as_text_of_six_decimals(shape: object, expected: str) -> None:
    (found,) = positions_table(written(placed({"kcn-a": shape}, accuracy_m=1234.5)))
    row = dict(found.iloc[0])
    assert from_wkt(row["geometry"]).equals(from_wkt(expected))
    assert row["position_id"] == "kcn-a.position"
    assert set(TABLE["positions"].column_names) <= set(found.columns)
    assert row["accuracy_m"] == "1234"


def test_positions_are_published_in_the_order_of_their_keys() -> None:
    ids = ("a", "a-b", "a.b", "b", "a0")
    told = pd.concat(positions_table(written(placed(dict.fromkeys(ids, Point(105, 9))))))
    assert list(told["position_id"]) == sorted(f"{one}.position" for one in ids)
    empty = placed({}).astype({"subject_id": "str", "accuracy_m": "float64"})
    (nothing,) = positions_table(written(empty))
    assert list(nothing) == list(told)
    assert nothing.empty


def sharing(count: int, accuracy_m: float = 5_000, at: tuple[float, float] = (105.5, 9.8)):  # noqa: ANN201
    return placed({f"s{n:02}": Point(at) for n in range(count)}, accuracy_m=accuracy_m)


def drawn_apart(positions: gpd.GeoDataFrame, communes: gpd.GeoDataFrame | None) -> pd.DataFrame:
    return spread(written(positions).frame, communes)


def spots(drawn: pd.DataFrame) -> gpd.GeoSeries:
    """Where the map draws each subject, in metres, by subject."""
    points = gpd.points_from_xy(drawn["drawn_lon"], drawn["drawn_lat"])
    series = gpd.GeoSeries(points, index=drawn["subject_id"], crs=DISPLAY_CRS).to_crs(METRIC_CRS)
    return series.sort_index()


def commune_around(half_width: float, half_height: float) -> gpd.GeoDataFrame:
    shape = box(105.5 - half_width, 9.8 - half_height, 105.5 + half_width, 9.8 + half_height)
    return gpd.GeoDataFrame({"unit_id": ["com-1"]}, geometry=[shape], crs=DISPLAY_CRS)


def nearest_pair_m(points: gpd.GeoSeries) -> float:
    return min(a.distance(b) for n, a in enumerate(points) for b in list(points)[:n])


def test_places_that_share_a_point_are_drawn_apart_within_their_radius() -> None:
    points = spots(drawn_apart(sharing(12), None))
    origin = to_metric(sharing(1)).geometry.iloc[0]
    assert nearest_pair_m(points) > 500
    assert points.distance(origin).max() < 5_000 / 2


@pytest.mark.parametrize(("width", "height"), [(0.05, 0.05), (0.05, 0.002), (0.001, 0.001)])
def test_places_drawn_apart_stay_in_their_commune_however_narrow(
    width: float, height: float
) -> None:
    commune = commune_around(width, height)
    points = spots(drawn_apart(sharing(9), commune))
    border = to_metric(commune).geometry.iloc[0]
    assert points.within(border.buffer(1)).all()
    assert nearest_pair_m(points) > 5


def test_a_point_outside_every_commune_is_spread_as_if_there_were_none() -> None:
    elsewhere = sharing(4, at=(105.9, 9.9))
    apart = spots(drawn_apart(elsewhere, commune_around(0.01, 0.01)))
    assert list(apart) == list(spots(drawn_apart(elsewhere, None)))


@settings(max_examples=10)
@given(st.permutations(range(7)))
def test_the_spots_are_the_same_whatever_the_order_of_the_rows(order: list[int]) -> None:
    positions = sharing(7)
    shuffled = positions.iloc[order]
    assert list(spots(drawn_apart(shuffled, None))) == list(spots(drawn_apart(positions, None)))
    again = drawn_apart(shuffled.reset_index(drop=True), None)
    assert list(spots(again)) == list(spots(drawn_apart(positions, None)))


def test_a_place_alone_is_drawn_where_it_is_and_a_line_nowhere_else() -> None:
    both = placed({"a": Point(105.512345, 9.8), "b": LineString([(105, 9), (106, 9)])})
    drawn = drawn_apart(both, None)
    assert drawn["drawn_lon"].round(5).iloc[0] == pytest.approx(105.51234, abs=1.1e-5)
    assert drawn["drawn_lon"].isna().tolist() == [False, True]


def test_lines_alone_are_drawn_without_any_spot() -> None:
    drawn = drawn_apart(placed({"b": LineString([(105, 9), (106, 9)])}), None)
    assert drawn["drawn_lat"].isna().all()


def test_what_is_not_placed_stands_in_a_row_below_the_rest_each_on_its_own_spot() -> None:
    lost = sharing(3, accuracy_m=UNPLACED_M + 1)
    lost_elsewhere = placed({"t": Point(105.7, 9.9)}, accuracy_m=UNPLACED_M + 1)
    known = placed({"k1": Point(105.4, 9.7), "k2": Point(105.6, 9.9)})
    layers = [lost, lost_elsewhere, known]
    mixed = gpd.GeoDataFrame(gpd.pd.concat(layers, ignore_index=True), crs=DISPLAY_CRS)
    points = spots(drawn_apart(mixed, None))
    row = points[["s00", "s01", "s02", "t"]]
    assert (row.y < points[["k1", "k2"]].y.min() - 10_000).all()
    assert nearest_pair_m(row) > 2_000


def test_all_unplaced_still_have_their_row() -> None:
    points = spots(drawn_apart(sharing(2, accuracy_m=UNPLACED_M + 1), None))
    assert nearest_pair_m(points) > 2_000


def test_ten_thousand_that_are_not_placed_stand_near_the_region_and_apart() -> None:
    known = placed({"k1": Point(105.4, 9.7), "k2": Point(105.6, 9.9)})
    lost = gpd.pd.concat([known, sharing(10_000, accuracy_m=UNPLACED_M + 1)], ignore_index=True)
    drawn = drawn_apart(gpd.GeoDataFrame(lost, crs=DISPLAY_CRS), None).iloc[2:]
    told = drawn[["drawn_lon", "drawn_lat"]].astype(float)
    assert len(told.drop_duplicates()) == 10_000
    assert told["drawn_lon"].between(105.39, 107.8).all()
    assert told["drawn_lat"].between(7.2, 9.6).all()


def test_a_broken_number_of_a_unit_makes_it_a_unit_without_a_point() -> None:
    broken = [{**UNITS[0], "reach_m": "xa lắm"}, {**UNITS[1], "longitude": ""}, UNITS[2]]
    told = {**tables(places=[place(commune_ids="com-1")]), "communes": table("communes", broken)}
    assert only(best(told))["geometry"] == Point(105.7, 9.9)
