import pytest
from shapely.geometry import LineString, Point

from atlas.reach import Bounds, bounds_km, nearest, nearness_kind, reach_of
from books import position, record, small_book

KM = 1 / 110.6  # degrees of latitude, near enough for tenths of a kilometre


def place(subject_id, latitude, accuracy_m=100.0, kind="plant"):
    spot = position(Point(105.5, latitude), "digitised", accuracy_m)
    return record(subject_id, kind, position=spot)


def road(subject_id, latitude, accuracy_m=100.0, kind="road"):
    line = LineString([(105.4, latitude), (105.6, latitude)])
    return record(subject_id, kind, position=position(line, "schematic", accuracy_m))


def reach(*records):
    places = tuple(r for r in records if r.table == "places")
    routes = tuple(r for r in records if r.table == "routes")
    return reach_of(small_book(places=places, routes=routes))


def test_a_distance_is_told_by_its_bounds():
    told = reach(place("a", 9.8, 2_000), road("r", 9.8 + 10 * KM, 1_000))["a"]["r"]
    assert told.least_km == pytest.approx(7.0, abs=0.15)
    assert told.most_km == pytest.approx(13.1, abs=0.15)


def test_bounds_are_rounded_outward():
    assert bounds_km(1_234, 100) == Bounds(1.1, 1.4)
    assert bounds_km(50, 100) == Bounds(0.0, 0.2)


def test_what_is_only_known_to_lie_in_the_province_has_no_distance():
    assert reach(place("a", 9.8, 39_000), road("r", 9.9)) == {}
    assert reach(place("a", 9.8), road("r", 9.9, 39_000)) == {}


def test_a_route_known_at_one_place_has_no_line_to_be_near_to():
    lone = record("r", "road", position=position(Point(105.5, 9.9), "schematic", 900))
    assert reach(place("a", 9.8), lone) == {}


def test_a_port_is_near_to_others_and_not_to_itself():
    told = reach(place("p", 9.8, kind="port"), place("a", 9.85))
    assert list(told) == ["a"] and list(told["a"]) == ["p"]


def test_beyond_the_reach_nothing_is_told():
    assert reach(place("a", 9.0), road("r", 9.0 + 70 * KM)) == {}


def test_the_nearest_is_bounded_by_the_least_of_both_bounds():
    book = small_book(
        places=(), routes=(road("near", 9.8), road("wide", 9.8), road("c", 9, 9, "canal"))
    )
    near = {"near": Bounds(4.0, 5.0), "wide": Bounds(0.0, 25.0), "c": Bounds(1.0, 2.0)}
    assert nearest(book, near) == {"canal": Bounds(1.0, 2.0), "road": Bounds(0.0, 5.0)}


def test_one_asks_to_be_near_to_roads_canals_and_ports():
    asked = {k: nearness_kind(record("x", k)) for k in ("expressway", "canal", "port", "plant")}
    assert asked == {"expressway": "road", "canal": "canal", "port": "port", "plant": ""}
