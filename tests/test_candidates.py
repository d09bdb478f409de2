"""Squares and lines in metres around one corner of the province; what OSM says of them."""

import geopandas as gpd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import LineString, MultiLineString, Point, Polygon, box
from shapely.geometry.base import BaseGeometry

from atlas.candidates import GAP_M, main_stretch, merged, name_key, osm_positions, road_number
from drawings import METRIC_CRS, Rows, tables
from geodata.crs import DISPLAY_CRS
from geodata.findings import Finding
from geodata.osm import COLUMNS

X, Y = 550_000, 1_080_000


def at(x_km: float, y_km: float) -> tuple[float, float]:
    return X + 1_000 * x_km, Y + 1_000 * y_km


def line(*corners: tuple[float, float]) -> LineString:
    return LineString([at(*corner) for corner in corners])


def square(x_km: float, y_km: float, side_m: float) -> Polygon:
    x, y = at(x_km, y_km)
    return box(x, y, x + side_m, y + side_m)


def unit(unit_id: str, x_km: float, reach_km: float = 3) -> dict[str, str]:
    middle = gpd.GeoSeries([Point(at(x_km, 0))], crs=METRIC_CRS).to_crs(DISPLAY_CRS).iloc[0]
    told = {"longitude": middle.x, "latitude": middle.y, "reach_m": reach_km * 1_000}
    return {"unit_id": unit_id, **{name: str(value) for name, value in told.items()}}


UNITS = [unit("com-1", 0), unit("com-2", 15), unit("com-3", 30), unit("dist-1", 15, 20)]


def feature(geometry: BaseGeometry, what: str = "road", **told: str) -> dict[str, object]:
    return {**dict.fromkeys(COLUMNS, ""), "what": what, **told, "geometry": geometry}


def osm(*features: dict[str, object]) -> gpd.GeoDataFrame:
    layer = gpd.GeoDataFrame(list(features), columns=COLUMNS, geometry="geometry", crs=METRIC_CRS)
    return layer.to_crs(DISPLAY_CRS).assign(as_of="2026-05-06")


def road(**cells: str) -> dict[str, str]:
    told = {"route_id": "road-a", "kind": "national_road", "ref": "QL61C", "name_vi": "Quốc lộ 61C"}
    return told | {"node_ids": "com-1;com-3"} | cells


def place(**cells: str) -> dict[str, str]:
    told = {"place_id": "kcn-a", "kind": "industrial_park", "name_vi": "KCN Sông Hậu"}
    return told | {"commune_ids": "com-1"} | cells


def claim(subject_id: str, measure: str, value: str, phase: str = "") -> dict[str, str]:
    return {"subject_id": subject_id, "measure": measure, "value": value, "phase": phase}


Judged = tuple[dict[str, BaseGeometry], list[Finding]]


def judge(*features: dict[str, object], **rows: Rows) -> Judged:
    told = tables(**{"communes": UNITS, **rows})
    offered, notes = osm_positions(told, [None, osm(*features)])
    shapes = gpd.GeoSeries([row[7] for row in offered], crs=DISPLAY_CRS).to_crs(METRIC_CRS)
    return dict(zip([str(row[0]) for row in offered], shapes, strict=True)), notes


def why(judged: Judged) -> str:
    shapes, [note] = judged
    assert shapes == {}
    assert (note.rule, note.severity) == ("osm_agrees_with_sources", "note")
    return note.detail


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("QL61C", "ql61c"),
        ("QL.61C", "ql61c"),
        ("Quốc lộ 61C", "ql61c"),
        ("quốc lộ  61c", "ql61c"),
        ("ĐT931", "dt931"),
        ("DT931", "dt931"),
        ("ĐT.931", "dt931"),
        ("ĐT 926B", "dt926b"),
        ("Đường tỉnh 925B", "dt925b"),
        ("Tỉnh lộ 931", "dt931"),
        ("TL931", "dt931"),
        ("CT.01", "ct1"),
        ("Kênh Xà No", ""),
        ("Đường tỉnh 931, đoạn từ Vĩnh Viễn đến Xẻo Vẹt", ""),
        ("61C", ""),
        ("", ""),
    ],
)
def test_a_road_number_is_known_in_every_way_it_is_written(text: str, number: str) -> None:
    assert road_number(text) == number


def test_names_are_the_same_without_accents_and_in_either_dialect() -> None:
    assert name_key("Kinh Cái Côn") == name_key("Kênh  cái côn")
    assert name_key("Khu công nghiệp Sông Hậu") == name_key("KCN Sông Hậu")
    assert name_key("Xã Vị Thuỷ") == name_key("xã Vị Thủy")
    assert name_key("Kênh Xà No") != name_key("Xà No")


@pytest.mark.parametrize(
    "told",
    [
        {"ref": "QL61C"},
        {"ref": "QL1;QL.61C"},
        {"name": "Quốc lộ 61C"},
        {"other_names": "Đường nối Vị Thanh - Cần Thơ"},
    ],
)
def test_ways_of_one_number_or_name_become_one_line(told: dict[str, str]) -> None:
    row = road(aliases="Đường nối Vị Thanh - Cần Thơ")
    ways = [feature(line((n, 0), (n + 10, 0)), **told) for n in (20, 0, 10)]
    shapes, notes = judge(*ways, routes=[row])
    assert notes == []
    assert shapes["road-a"].geom_type == "LineString"
    assert shapes["road-a"].length == pytest.approx(30_000, rel=1e-3)


def test_a_canal_is_a_waterway_and_a_road_is_a_road() -> None:
    canal = road(route_id="canal-a", kind="canal", ref="", name_vi="Kênh A")
    water = feature(line((0, 0), (30, 0)), "waterway", name="Kinh A")
    street = feature(line((0, 1), (30, 1)), "road", name="Kênh A")
    shapes, _ = judge(water, street, routes=[canal])
    assert shapes["canal-a"].distance(Point(at(0, 0))) < 1
    assert judge(street, routes=[canal]) == ({}, [])


def test_gaps_of_a_bridge_are_left_open_and_what_lies_farther_is_left_out() -> None:
    ways = [line((0, 0), (10, 0)), line((10.3, 0), (30, 0)), line((32, 5), (34, 5))]
    row = [road()]
    claims = [claim("road-a", "length_km", "30")]
    shapes, notes = judge(*[feature(w, ref="QL61C") for w in ways], routes=row, claims=claims)
    assert notes == []
    assert isinstance(shapes["road-a"], MultiLineString)
    assert shapes["road-a"].length == pytest.approx(29_700, rel=1e-3)


def test_the_second_carriageway_counts_once() -> None:
    one, other = line((0, 0), (30, 0)), line((30, 0.02), (0, 0.02))
    claims = [claim("road-a", "length_km", "30")]
    ways = [feature(w, ref="QL61C") for w in (one, other)]
    shapes, notes = judge(*ways, routes=[road()], claims=claims)
    assert notes == []
    assert shapes["road-a"].length == pytest.approx(30_000, rel=1e-3)


@pytest.mark.parametrize(
    ("claimed", "fits"), [("34", True), ("36", False), ("27", True), ("26", False)]
)
def test_the_length_is_held_against_the_claimed_one(claimed: str, fits: bool) -> None:
    way = feature(line((0, 0), (30, 0)), ref="QL61C")
    judged = judge(way, routes=[road()], claims=[claim("road-a", "length_km", claimed)])
    assert bool(judged[0]) == fits
    if not fits:
        assert f"30.0 km are drawn (30.0 km in the province), {claimed} km are claimed" in why(
            judged
        )


def test_a_length_within_the_province_agrees_too_and_a_phase_is_not_the_whole() -> None:
    way = feature(line((0, 0), (60, 0)), ref="QL61C")
    inside = [claim("road-a", "length_km", "35"), claim("road-a", "length_km", "5", "component-1")]
    assert judge(way, routes=[road()], claims=inside)[0]
    assert "5 km are claimed" in why(
        judge(way, routes=[road()], claims=[inside[1] | {"phase": ""}])
    )


def test_a_line_that_does_not_reach_the_named_places_is_not_theirs() -> None:
    told = why(judge(feature(line((0, 0), (12, 0)), ref="QL61C"), routes=[road()]))
    assert "com-3 lies 18.0 km off, at most 4.8 km may be" in told


def test_an_end_may_stop_short_by_as_much_as_the_length_may_differ() -> None:
    way = feature(line((0, 0), (24, 0)), ref="QL61C")
    assert judge(way, routes=[road()])[0]


def test_the_places_come_in_the_order_of_the_sources_from_either_end() -> None:
    way = feature(line((0, 0), (30, 0)), ref="QL61C")
    for order in ("com-1;com-2;com-3", "com-3;com-2;com-1"):
        assert judge(way, routes=[road(node_ids=order)])[0]
    told = why(judge(way, routes=[road(node_ids="com-2;com-1;com-3")]))
    assert "another order along it: com-2 at 15.0 km, com-1 at 0.0 km, com-3 at 30.0 km" in told


def test_a_namesake_far_from_the_province_is_nobody_of_ours() -> None:
    way = feature(line((0, 0), (30, 0), (200, 0)), ref="QL61C")
    assert "more than 60 km beyond the province" in why(judge(way, routes=[road()]))


def test_a_line_that_nothing_is_known_to_hold_against_is_not_taken() -> None:
    way = feature(line((0, 0), (30, 0)), ref="QL61C")
    assert "no source names a place or a size" in why(judge(way, routes=[road(node_ids="")]))


def test_two_sections_of_one_road_are_not_told_apart_by_guessing() -> None:
    way = feature(line((0, 0), (30, 0)), ref="ĐT931")
    rows = [road(route_id=f"road-{n}", ref="ĐT931", name_vi=f"Đoạn {n}") for n in "ab"]
    shapes, notes = judge(way, routes=rows)
    assert shapes == {}
    assert [n.key for n in notes] == ["road-a", "road-b"]
    assert "drawn as one with road-b" in notes[0].detail


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_order_of_the_ways_changes_nothing(order: tuple[int, ...]) -> None:
    ways = [line((0, 0), (10, 0)), line((30, 0), (10, 0)), line((40, 3), (41, 3))]
    shapes, _ = judge(*[feature(ways[n], ref="QL61C") for n in order], routes=[road()])
    assert shapes["road-a"].equals_exact(
        judge(*[feature(w, ref="QL61C") for w in ways], routes=[road()])[0]["road-a"], 1e-6
    )


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9)), min_size=1, max_size=6))
def test_what_is_chosen_and_what_lies_apart_add_up(told: list[tuple[int, int]]) -> None:
    lines = [
        LineString([(x * GAP_M, n * 200), (x * GAP_M + 100 * s, n * 200)])
        for n, (x, s) in enumerate(told)
    ]
    parts = gpd.GeoSeries(merged(lines)).to_numpy()
    chosen, apart = main_stretch(parts, [])
    assert 0 < len(chosen) <= len(parts)
    assert sum(parts[n].length for n in chosen) + apart <= sum(p.length for p in parts) + 1e-6


def land(side_m: float, **told: str) -> dict[str, object]:
    return feature(square(0, 0, side_m), "industrial", **told)


def test_industrial_land_of_the_name_is_the_outline_of_its_place() -> None:
    claims = [claim("kcn-a", "area_ha", "100")]
    shapes, notes = judge(
        land(1_000, name="Khu công nghiệp Sông Hậu"), places=[place()], claims=claims
    )
    assert notes == []
    assert shapes["kcn-a"].area == pytest.approx(1_000_000, rel=1e-3)


@pytest.mark.parametrize(
    ("declared", "fits"), [("81", True), ("79", False), ("130", True), ("140", False)]
)
def test_the_area_is_held_against_the_declared_one(declared: str, fits: bool) -> None:
    claims = [claim("kcn-a", "area_ha", declared)]
    judged = judge(land(1_000, name="KCN Sông Hậu"), places=[place()], claims=claims)
    assert bool(judged[0]) == fits
    if not fits:
        assert f"100.0 ha are drawn, {declared} ha are declared" in why(judged)


def test_land_in_another_commune_than_the_named_one_is_not_taken() -> None:
    told = why(judge(land(1_000, name="KCN Sông Hậu"), places=[place(commune_ids="com-2")]))
    assert "km from com-2, which reaches 3.0 km" in told


def test_pieces_of_one_name_are_one_area_and_a_torn_one_is_none() -> None:
    pieces = [feature(square(0, y, 1_000), "industrial", name="KCN Sông Hậu") for y in (0, 1.5)]
    assert judge(*pieces, places=[place()])[0]["kcn-a"].area == pytest.approx(2_000_000, rel=1e-3)
    torn = Polygon([at(0, 0), at(1, 1), at(1, 0), at(0, 1)])
    told = judge(feature(torn, "industrial", name="KCN Sông Hậu"), places=[place()])
    assert "its outline crosses itself" in why(told)


def test_a_port_may_be_a_point() -> None:
    port = place(place_id="port-a", kind="port", name_vi="Cảng A")
    shapes, notes = judge(feature(Point(at(0, 1)), "port", name="Cảng A"), places=[port])
    assert (shapes["port-a"].geom_type, notes) == ("Point", [])


def test_without_any_layer_nothing_is_offered() -> None:
    assert osm_positions(tables(routes=[road()]), [None, None]) == ([], [])


def test_names_that_osm_does_not_have_are_no_finding() -> None:
    assert judge(land(1_000, name="KCN khác"), routes=[road()], places=[place()]) == ({}, [])


def test_a_layer_that_only_names_its_lines_is_one_of_waterways() -> None:
    bare = osm(feature(line((0, 0), (30, 0)), name="Kênh A"))[["name", "geometry"]]
    canal = road(route_id="canal-a", kind="canal", ref="", name_vi="Kênh A")
    offered, _ = osm_positions(tables(communes=UNITS, routes=[canal]), [bare])
    assert [(row[0], row[3]) for row in offered] == [("canal-a", "")]
