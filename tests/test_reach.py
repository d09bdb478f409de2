import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely.geometry import LineString, Point

from atlas.nearest import USELESS_M
from atlas.reach import (
    REACH_M,
    Bounds,
    bounds_km,
    nearest,
    nearest_bounds,
    nearness_kind,
    nearness_of,
    reach_of,
)
from books import position, record, small_book
from drawings import nearest as all_nearest
from drawings import written
from geodata.crs import DISPLAY_CRS, to_metric

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


@pytest.mark.parametrize("seed", range(6))
def test_bounds_of_many_are_those_of_asking_everyone(seed: int) -> None:
    chance = np.random.default_rng(seed)
    ids = [f"s{n:03}" for n in range(240)]
    of_each = chance.choice(["port", "canal", "road", "park", "plant"], 240)
    kinds = dict(zip(ids, of_each, strict=True))
    corners = chance.uniform((105.0, 9.2), (106.2, 10.4), (240, 2))
    shapes = [
        LineString([at, at + chance.uniform(-0.1, 0.1, 2)])
        if kinds[one] in ("canal", "road")
        else Point(at).buffer(chance.uniform(0, 0.01) * (chance.random() < 0.5))
        if chance.random() < 0.5
        else Point(at)
        for one, at in zip(ids, corners, strict=True)
    ]
    shapes = [Point(at) if s.is_empty else s for s, at in zip(shapes, corners, strict=True)]
    levels = [0.0, 30.0, 50.0, 900.0, 1_100.0, 7_000.0, 11_000.0, 15_600.0, USELESS_M + 1]
    accuracy = chance.choice(levels[: 3 + seed], 240)
    positions = gpd.GeoDataFrame(
        {"subject_id": ids, "accuracy_m": accuracy}, geometry=shapes, crs=DISPLAY_CRS
    )
    metric = to_metric(positions).assign(kind=[kinds[one] for one in ids])
    there = written(positions)
    access, _ = all_nearest(there, kinds, 100)
    told = nearest_bounds(access, there, kinds)
    is_place = ~metric["kind"].isin(["canal", "road"])
    asking = metric[is_place & (metric["accuracy_m"] <= USELESS_M)]
    by_subject: dict[str, dict[str, tuple[float, float]]] = {}
    for one, kind, *bounds in told.itertuples(index=False):
        by_subject.setdefault(one, {})[kind] = tuple(bounds)
    assert by_subject == {
        one: bounds for one in asking["subject_id"] if (bounds := asked_of_all(metric, one))
    }


def asked_of_all(metric: gpd.GeoDataFrame, subject_id: str) -> dict[str, tuple[float, float]]:
    """Return the bounds of a place by kind, from its distance to every road, canal and port."""
    place = metric.set_index("subject_id").loc[subject_id]
    found: dict[str, list[Bounds]] = {}
    for other in metric.itertuples():
        kind = nearness_of(other.kind)
        metres = shapely.distance(place.geometry, other.geometry)
        is_other = other.subject_id != subject_id and other.accuracy_m <= USELESS_M
        if kind and is_other and metres <= REACH_M:
            doubt = place["accuracy_m"] + other.accuracy_m
            found.setdefault(kind, []).append(bounds_km(metres, doubt))
    return {
        kind: (min(one.least_km for one in told), min(one.most_km for one in told))
        for kind, told in found.items()
    }
