"""Joins in space and by key: who belongs to whom, with every row accounted for."""

import geopandas as gpd
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Point, Polygon, box
from shapely.geometry.base import BaseGeometry

from atlas.join import assign_points, check_locations, name_communes
from atlas.nearest import ACCESS_COLUMNS, NEIGHBOURS, USELESS_M, nearest_among
from drawings import METRIC_CRS, asking, nearest, others, placed, table, tables, written
from geodata.crs import DISPLAY_CRS

EAST_M, NORTH_M = 560_000, 1_080_000


def at(x: float, y: float) -> Point:
    """A point so many metres from a corner in the province."""
    return Point(EAST_M + x, NORTH_M + y)


def layer(column: str = "id", **shapes: object) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({column: list(shapes)}, geometry=list(shapes.values()), crs=METRIC_CRS)


WEST, EAST = box(0, 0, 100, 100), box(100, 0, 200, 100)


@pytest.mark.parametrize("shapes", [{"b": WEST, "a": EAST}, {"a": EAST, "b": WEST}])
def test_a_point_on_a_shared_border_goes_to_the_smaller_key_once(
    shapes: dict[str, Polygon],
) -> None:
    points = layer(p=Point(100, 50), q=Point(100, 100), r=Point(1, 1), s=Point(101, 1))
    assert list(assign_points(points, layer(**shapes), "id")) == ["a", "a", "b", "a"]


def test_a_point_in_no_area_goes_nowhere() -> None:
    assert list(assign_points(layer(p=Point(-1, 0)), layer(a=WEST), "id")) == [""]
    assert list(assign_points(layer(p=Point(1, 1)), layer(), "id")) == [""]


def test_no_points_are_assigned_to_nothing() -> None:
    assert assign_points(layer(), layer(a=WEST), "id").empty


CORNERS = st.integers(-5, 5)
SEVENTHS = st.integers(-50, 50).map(lambda number: number / 7)
SIZES = st.integers(0, 20).map(lambda number: number / 7)
SHAPES = st.lists(st.tuples(SEVENTHS, SEVENTHS, SIZES, SIZES), min_size=1, max_size=8)
BOXES = st.lists(
    st.tuples(CORNERS, CORNERS, st.integers(1, 6), st.integers(1, 6)), min_size=0, max_size=6
)
SPOTS = st.lists(st.tuples(CORNERS, CORNERS), max_size=12)


@settings(max_examples=30)
@given(SPOTS, BOXES)
def test_a_join_never_adds_or_loses_rows_and_takes_the_smallest_key(
    spots: list[tuple[int, int]], corners: list[tuple[float, float, float, float]]
) -> None:
    areas = {f"k{n}": box(x, y, x + w, y + h) for n, (x, y, w, h) in enumerate(corners)}
    points = gpd.GeoDataFrame(geometry=[Point(s) for s in spots], crs=METRIC_CRS)
    points.index = points.index * 7 + 3
    found = assign_points(points, layer(**areas), "id")
    assert list(found.index) == list(points.index)
    for key, point in zip(found, points.geometry, strict=True):
        assert key == min((k for k, area in areas.items() if area.intersects(point)), default="")


def near(
    shapes: dict[str, object], kinds: dict[str, str], **told: object
) -> dict[tuple[str, str, str], tuple[str, float]]:
    """What is nearest to whom: (subject, relation, kind) -> (other, kilometres)."""
    found, _ = nearest(placed(shapes, METRIC_CRS, **told), kinds)  # type: ignore[arg-type]
    return {
        (row["subject_id"], row["relation"], row["kind"]): (row["other_id"], row["distance_km"])
        for row in found.drop_duplicates(["subject_id", "relation", "kind"]).to_dict("records")
    }


ROAD = LineString([at(0, 10_000), at(50_000, 10_000)])


def test_distances_are_kilometres_in_the_metric_system() -> None:
    shapes = {"zone": at(0, 0), "port": at(3_000, 4_000), "road": ROAD}
    found = near(shapes, {"zone": "industrial_park", "port": "port", "road": "national_road"})
    assert found["zone", "access", "port"] == ("port", 5.0)
    assert found["zone", "access", "road"] == ("road", 10.0)
    assert found["port", "access", "road"] == ("road", 6.0)
    assert found["zone", "neighbour", "place"] == ("port", 5.0)


def test_positions_in_degrees_are_measured_in_metres_all_the_same() -> None:
    shapes = {"zone": Point(105, 9.7), "port": Point(105, 9.8)}
    found, _ = nearest(placed(shapes), {"zone": "plant", "port": "port"})
    assert set(found["distance_km"]) == {11.1}


def test_nearest_ties_go_to_the_smaller_id_in_any_order() -> None:
    ports = {"p2": at(1_000, 0), "p1": at(-1_000, 0)}
    kinds = {"zone": "plant", "p1": "port", "p2": "port"}
    for told in (ports, dict(reversed(ports.items()))):
        found = near({"zone": at(0, 0), **told}, kinds)
        assert found["zone", "access", "port"] == ("p1", 1.0)
        assert found["zone", "neighbour", "place"] == ("p1", 1.0)


def test_a_tie_of_roads_goes_to_the_smaller_id() -> None:
    roads = {"r2": ROAD, "r1": LineString(ROAD.coords[::-1])}
    found = near({"zone": at(0, 0), **roads}, {"zone": "plant", "r1": "road", "r2": "expressway"})
    assert found["zone", "access", "road"] == ("r1", 10.0)


def test_a_port_has_the_nearest_other_port_and_never_itself() -> None:
    kinds = {"p1": "port", "p2": "port", "p3": "port"}
    apart = near({"p1": at(0, 0), "p2": at(7_000, 0), "p3": at(9_000, 0)}, kinds)
    assert apart["p1", "access", "port"] == ("p2", 7.0)
    assert apart["p2", "access", "port"] == ("p3", 2.0)
    together = near({"p1": at(0, 0), "p2": at(0, 0), "p3": at(9_000, 0)}, kinds)
    assert together["p1", "access", "port"] == ("p2", 0.0)
    assert near({"p1": at(0, 0)}, kinds) == {}


def test_a_route_known_by_one_point_is_near_to_nothing() -> None:
    shapes = {"zone": at(0, 0), "canal": at(1, 1), "road": ROAD}
    found = near(shapes, {"zone": "plant", "canal": "canal", "road": "road"})
    assert set(found) == {("zone", "access", "road")}


def test_a_place_has_at_most_so_many_neighbours_the_nearest_first() -> None:
    places = {f"z{n}": at(1_000 * n, 0) for n in range(6)}
    found, _ = nearest(placed(places, METRIC_CRS), dict.fromkeys(places, "plant"))
    first = found[found["subject_id"] == "z0"]
    assert list(first["other_id"]) == ["z1", "z2", "z3"]
    assert len(found) == 6 * NEIGHBOURS


def test_the_doubt_adds_both_accuracies() -> None:
    shapes = {"zone": at(0, 0), "port": at(3_000, 4_000)}
    positions = placed(shapes, METRIC_CRS).assign(accuracy_m=[5_000.0, 250.0])
    found, _ = nearest(positions, {"zone": "plant", "port": "port"})
    assert list(found.columns) == ACCESS_COLUMNS
    assert set(found["uncertainty_km"]) == {5.2}


def test_the_ledger_says_who_found_no_partner() -> None:
    shapes = {"zone": at(0, 0), "lost": at(1, 1), "road": ROAD}
    positions = placed(shapes, METRIC_CRS).assign(accuracy_m=[10.0, USELESS_M + 1, USELESS_M])
    found, change = nearest(positions, {"zone": "plant", "lost": "port", "road": "road"})
    assert (change.rows_in, change.rows_out, sum(change.dropped.values())) == (2, 1, 1)
    assert set(found["subject_id"]) == {"zone"}


def test_no_positions_give_no_access_and_a_balanced_ledger() -> None:
    found, change = nearest(placed({}), {})
    assert found.empty
    assert (change.rows_in, change.rows_out, dict(change.dropped)) == (0, 0, {})


@settings(max_examples=15)
@given(st.lists(st.tuples(CORNERS, CORNERS, st.sampled_from(["plant", "port", "road"]))))
def test_every_place_has_one_nearest_of_each_kind_that_there_is_however_the_search_is_cut(
    told: list[tuple[int, int, str]],
) -> None:
    kinds = {f"s{n}": kind for n, (_, _, kind) in enumerate(told)}
    shapes = {
        f"s{n}": LineString([at(x, y), at(x + 1, y)]) if kind == "road" else at(x, y)
        for n, (x, y, kind) in enumerate(told)
    }
    found, change = nearest(placed(shapes, METRIC_CRS), kinds)
    for rows in (1, 2, 3):
        cut, same = nearest(placed(shapes, METRIC_CRS), kinds, rows)
        pd.testing.assert_frame_equal(cut, found)
        assert same == change
    access = found[found["relation"] == "access"]
    assert not access.duplicated(["subject_id", "kind"]).any()
    assert not (found["subject_id"] == found["other_id"]).any()
    places = [s for s, kind in kinds.items() if kind != "road"]
    assert change.rows_in == len(places)
    if "road" in kinds.values():
        assert sorted(access.loc[access["kind"] == "road", "subject_id"]) == sorted(places)


@given(SHAPES, SHAPES)
def test_the_nearest_is_that_of_asking_everyone(
    own: list[tuple[float, float, float, float]], theirs: list[tuple[float, float, float, float]]
) -> None:
    here, there = (
        placed({f"{start}{n}": drawn(*corners) for n, corners in enumerate(told)}, METRIC_CRS)
        for start, told in (("a", own), ("b", theirs))
    )
    found = nearest_among(asking(here), others(there), "road").set_index("subject_id")
    for subject, shape in zip(here["subject_id"], here.geometry, strict=True):
        far = dict(zip(there["subject_id"], there.distance(shape), strict=True))
        first = min(sorted(far), key=lambda other: far[other])
        told = found.loc[[subject]]
        assert told["other_id"].tolist() == [first]
        assert told["distance_m"].tolist() == [far[first]]


def drawn(x: float, y: float, width: float, height: float) -> BaseGeometry:
    """A point, a line or a rectangle, by how far it reaches."""
    if width and height:
        return box(EAST_M + x, NORTH_M + y, EAST_M + x + width, NORTH_M + y + height)
    if width or height:
        return LineString([at(x, y), at(x + width, y + height)])
    return at(x, y)


COMMUNES = gpd.GeoDataFrame(
    {"unit_id": ["com-2", "com-1"]},
    geometry=[box(105.5, 9.8, 105.6, 9.9), box(105.4, 9.8, 105.5, 9.9)],
    crs=DISPLAY_CRS,
)


def place(**cells: str) -> dict[str, str]:
    return {"place_id": "kcn-a", "kind": "industrial_park", **cells}


def told_facts(*cells: dict[str, object]) -> pd.DataFrame:
    usual = {"subject_id": "kcn-a", "measure": "area_ha", "phase": "", "rank": 1, "value": "100"}
    return pd.DataFrame([{**usual, **c} for c in cells], columns=list(usual))


def findings(
    rows: list[dict[str, str]],
    positions: gpd.GeoDataFrame,
    *facts: dict[str, object],
    walk: tuple[tuple[str, str], ...] = (),
) -> list[tuple[str, str]]:
    crosswalk = [{"old_unit_id": old, "new_unit_id": new} for old, new in walk]
    told = tables(places=rows, commune_crosswalk=crosswalk)
    found = check_locations(
        {**told, "facts": told_facts(*facts)}, written(positions).frame, COMMUNES
    )
    assert all((f.severity, f.table, f.source_id) == ("note", "places", "drawn") for f in found)
    return [(f.key, f.rule) for f in found]


@pytest.mark.parametrize(
    ("named", "point", "agrees"),
    [
        ("com-1", Point(105.45, 9.85), True),
        ("com-2", Point(105.45, 9.85), False),
        ("com-2;com-1", Point(105.45, 9.85), True),
        ("com-1", Point(105.5, 9.85), True),
        ("com-1", Point(105.9, 9.85), False),
        ("", Point(105.9, 9.85), True),
    ],
)
def test_a_position_outside_the_communes_its_source_names_is_noted(
    named: str, point: Point, agrees: bool
) -> None:
    found = findings([place(commune_ids=named)], placed({"kcn-a": point}))
    assert found == ([] if agrees else [("kcn-a", "lies_in_named_commune")])


def test_the_note_names_both_communes_and_the_line() -> None:
    told = {**tables(places=[place(commune_ids="com-2")]), "facts": told_facts()}
    (note,) = check_locations(told, written(placed({"kcn-a": Point(105.45, 9.85)})).frame, COMMUNES)
    assert note.row == 2
    assert "com-1" in note.detail
    assert "com-2" in note.detail


def test_a_place_without_a_position_is_not_judged_by_it() -> None:
    assert findings([place(commune_ids="com-1")], placed({})) == []


def test_without_commune_polygons_no_position_is_judged() -> None:
    told = {**tables(places=[place(commune_ids="com-2")]), "facts": told_facts()}
    assert check_locations(told, written(placed({"kcn-a": Point(105.45, 9.85)})).frame, None) == []


@pytest.mark.parametrize(
    ("old", "new", "agrees"),
    [
        ("old-1", "com-1", True),
        ("old-1", "com-2", False),
        ("old-1;old-2", "com-1;com-2", True),
        ("old-1;old-2", "com-1", False),
        ("old-1", "com-1;com-2", True),
        ("old-1", "", False),
        ("old-unknown", "com-2", True),
        ("", "com-2", True),
        ("old-split", "com-2", True),
        ("old-split", "com-9", False),
    ],
)
def test_old_communes_and_new_ones_agree_with_the_crosswalk(
    old: str, new: str, agrees: bool
) -> None:
    walk = (("old-1", "com-1"), ("old-2", "com-2"), ("old-split", "com-1"), ("old-split", "com-2"))
    found = findings([place(old_commune_ids=old, commune_ids=new)], placed({}), walk=walk)
    assert found == ([] if agrees else [("kcn-a", "communes_agree_with_crosswalk")])


def square_of(hectares: float) -> gpd.GeoDataFrame:
    side = (hectares * 10_000) ** 0.5
    square = box(EAST_M, NORTH_M, EAST_M + side, NORTH_M + side)
    return placed({"kcn-a": square}, METRIC_CRS).to_crs(DISPLAY_CRS)


@pytest.mark.parametrize(
    ("declared", "drawn", "agrees"),
    [
        ("100", 100, True),
        ("100", 109, True),
        ("100", 91, True),
        ("100", 111, False),
        ("100", 89, False),
        ("0", 100, False),
        ("0.00", 1, False),
    ],
)
def test_declared_hectares_that_differ_from_the_drawn_ones_are_noted(
    declared: str, drawn: float, agrees: bool
) -> None:
    found = findings([place()], square_of(drawn), {"value": declared})
    assert found == ([] if agrees else [("kcn-a", "declared_area_is_drawn")])


@pytest.mark.parametrize(
    "other", [{"rank": 2}, {"phase": "1"}, {"measure": "area_industrial_ha"}, {"subject_id": "b"}]
)
def test_only_the_fact_of_the_whole_area_is_set_against_the_drawing(
    other: dict[str, object],
) -> None:
    assert findings([place()], square_of(500), other) == []


def test_findings_come_in_one_order_whatever_the_order_of_the_rows() -> None:
    rows = [place(place_id=name, commune_ids="com-2") for name in ("b", "a")]
    positions = placed({"b": Point(105.45, 9.85), "a": Point(105.45, 9.85)})
    lines = [key for key, _ in findings(rows, positions)]
    assert lines == ["b", "a"]
    assert findings(rows, positions.iloc[::-1]) == findings(rows, positions)


BOUNDARIES = gpd.GeoDataFrame(
    {"code": ["31333", "99999", "31321"], "ten": "?"},
    geometry=[WEST, EAST, EAST],
    crs=DISPLAY_CRS,
)
UNITS = [
    {"unit_id": "com-31321", "level": "commune", "code": "31321", "name_vi": "Vị Thanh"},
    {"unit_id": "com-31333", "level": "commune", "code": "31333", "name_vi": "Vị Tân"},
    {"unit_id": "com-31340", "level": "commune", "code": "31340", "name_vi": "Ngã Bảy"},
    {"unit_id": "old-31321", "level": "old_commune", "code": "31321", "name_vi": "Phường I"},
]


def test_boundaries_get_our_ids_by_code_and_the_ledger_names_the_strangers() -> None:
    named, change = name_communes(BOUNDARIES, table("communes", UNITS))
    assert list(named["unit_id"]) == ["com-31321", "com-31333"]
    assert list(named["name_vi"]) == ["Vị Thanh", "Vị Tân"]
    assert (named.crs, named.geometry.iloc[1]) == (BOUNDARIES.crs, WEST)
    assert (change.rows_in, change.rows_out) == (3, 2)
    assert change.dropped == {"code of no commune": 1}


def test_boundaries_without_a_stranger_lose_nothing() -> None:
    named, change = name_communes(BOUNDARIES.iloc[[0, 2]], table("communes", UNITS))
    assert (len(named), dict(change.dropped)) == (2, {})


def test_boundaries_of_no_known_commune_leave_an_empty_layer() -> None:
    named, change = name_communes(BOUNDARIES, table("communes", []))
    assert (len(named), change.rows_out, sum(change.dropped.values())) == (0, 0, 3)
