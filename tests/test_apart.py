"""How far shapes are apart is what a plain distance says, whatever they look like."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas import apart as module
from atlas.apart import Runs, apart

SEEDS = st.integers(0, 2**32 - 1)


def outline(chance: np.random.Generator, corners: int, spot: np.ndarray) -> shapely.Geometry:
    """A rough outline; every other one has a hole, or is two islands, or is only its border."""
    turn = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    far = chance.uniform(20, 200) * chance.uniform(0.8, 1, corners)
    ring = spot + np.column_stack([far * np.cos(turn), far * np.sin(turn)])
    whole = shapely.Polygon(ring)
    inner = shapely.affinity.scale(whole, 0.4, 0.4)
    beside = shapely.affinity.translate(inner, 500, 0)
    forms = (
        whole,
        shapely.Polygon(ring, [inner.exterior.coords]),
        shapely.MultiPolygon([whole, beside]),
        shapely.LineString(ring),
        shapely.MultiLineString([ring, np.asarray(beside.exterior.coords)]),
        shapely.Point(spot),
        shapely.MultiPoint(ring),
    )
    return forms[int(chance.integers(len(forms)))]


def outlines(chance: np.random.Generator, count: int) -> np.ndarray:
    spots = chance.uniform(0, 900, (count, 2))
    corners = chance.integers(3, 400, count)
    told = [outline(chance, n, spot) for n, spot in zip(corners, spots, strict=True)]
    return np.array(told, dtype=object)


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS)
def test_the_distance_is_the_plain_one_to_the_last_bit(seed: int) -> None:
    chance = np.random.default_rng(seed)
    here, there = outlines(chance, 12), outlines(chance, 12)
    of, to = chance.integers(0, 12, (2, 80))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MANY_PAIRS", 0)
        told = apart(here, of, there, to)
    assert told.tolist() == shapely.distance(here[of], there[to]).tolist()


def test_who_lies_in_another_is_not_apart_from_it_and_who_lies_in_its_hole_is() -> None:
    ring = shapely.Point(0, 0).buffer(1_000, quad_segs=800)
    inner = shapely.Point(10, 0).buffer(100, quad_segs=800)
    holed = ring.difference(shapely.Point(0, 0).buffer(500, quad_segs=800))
    pairs = np.array([ring, holed], dtype=object)
    told = apart(pairs, np.array([0, 1]), np.array([inner], dtype=object), np.array([0, 0]))
    assert told[0] == 0
    assert told[1] == shapely.distance(holed, inner) > 300


def test_runs_are_all_sides_of_their_shapes_and_each_once() -> None:
    shapes = outlines(np.random.default_rng(931), 40)
    shapes = shapes[module._has_sides(shapes)]
    runs = Runs.of(shapes)
    for number, shape in enumerate(shapes):
        mine = runs.lines[runs.span(number)]
        sides = shape if shape.geom_type.endswith("LineString") else shape.boundary
        assert shapely.length(mine).sum() == pytest.approx(sides.length)
        assert shapely.line_merge(shapely.union_all(mine)).equals(shapely.line_merge(sides))


def test_shapes_of_very_many_parts_are_measured_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    spots = np.random.default_rng(931).uniform(0, 9_000, (600, 2))
    islands = shapely.MultiPolygon(list(shapely.buffer(shapely.points(spots), 5)))
    pair = np.array([islands, shapely.affinity.translate(islands, 20_000, 0)], dtype=object)
    monkeypatch.setattr(module, "_between", None)
    told = apart(pair, np.array([0]), pair, np.array([1]))
    assert told.tolist() == [shapely.distance(*pair)]


def test_however_many_corners_there_are_boxes_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    ring = shapely.Point(0, 0).buffer(100, quad_segs=11_700)
    pair = np.array([ring, shapely.affinity.translate(ring, 500, 0)], dtype=object)
    assert int(shapely.get_num_coordinates(ring)) ** 2 > np.iinfo("int32").max
    monkeypatch.setattr(module, "_between", lambda *_: -1.0)
    assert apart(pair, np.array([0]), pair, np.array([1])).tolist() == [-1.0]


def test_no_pair_is_no_distance() -> None:
    nobody, nothing = np.empty(0, dtype=object), np.empty(0, dtype="int64")
    assert apart(nobody, nothing, nobody, nothing).tolist() == []
