"""Shapes in files: every one is there under its number, and no more are read than are asked for."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import LineString, Point, box

from atlas.placed import FRAME, Positions
from drawings import new_folder, placed, written
from geodata.geoparquet import write_geoparquet
from geodata.shapes import PART_SHAPES, Shapes, ShapeWriter, parts_of_sizes

SPOTS = [Point(105 + n / 100, 9) for n in range(6)]
MIXED = [*SPOTS, LineString([(105, 9), (106, 10)]), box(105, 9, 106, 10), Point(105, 9, 7)]


def in_file(*parts: list[object]) -> Shapes:
    path = new_folder() / "shapes.wkb"
    with ShapeWriter(path) as writer:
        for part in parts:
            writer.add(np.array(part, dtype=object))
    return Shapes(path)


@given(st.lists(st.integers(0, len(MIXED) - 1), max_size=20))
def test_shapes_are_read_in_the_order_in_which_they_are_asked_for(numbers: list[int]) -> None:
    shapes = in_file(MIXED[:4], [], MIXED[4:])
    assert len(shapes) == len(MIXED)
    found = shapes.read(np.array(numbers, dtype="int64"))
    assert list(found) == [MIXED[number] for number in numbers]
    assert [one.has_z for one in found] == [MIXED[number].has_z for number in numbers]


@given(st.lists(st.integers(0, 50), max_size=30), st.integers(1, 60))
def test_parts_are_all_in_order_and_none_is_larger_than_it_may_be_and_one_shape(
    sizes: list[int], most: int
) -> None:
    parts = list(parts_of_sizes(np.array(sizes, dtype="int64"), most))
    assert [n for part in parts for n in range(part.start, part.stop)] == list(range(len(sizes)))
    assert all(sum(sizes[part][:-1]) <= most for part in parts)


def test_a_part_holds_no_more_shapes_than_a_table_has_rows_however_small_they_are() -> None:
    parts = list(parts_of_sizes(np.zeros(2 * PART_SHAPES + 1, dtype="int64")))
    assert [part.stop - part.start for part in parts] == [PART_SHAPES, PART_SHAPES, 1]


def test_what_was_not_written_to_its_end_is_no_file_of_shapes(tmp_path: Path) -> None:
    def torn() -> None:
        with ShapeWriter(tmp_path / "shapes.wkb") as writer:
            writer.add(np.array(SPOTS, dtype=object))
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        torn()
    with pytest.raises(FileNotFoundError):
        Shapes(tmp_path / "shapes.wkb")


def test_positions_are_measured_part_by_part_as_they_would_be_as_a_whole() -> None:
    layer = placed(dict(zip("abcdefghi", MIXED, strict=True)))
    whole = written(layer)
    cells = pd.DataFrame(layer.drop(columns="geometry"))
    parts = (layer.geometry.to_numpy()[start : start + 2] for start in range(0, len(MIXED), 2))
    cut = Positions.write(cells, parts, new_folder())
    pd.testing.assert_frame_equal(cut.frame, whole.frame)
    again = Positions.read(cut.save())
    assert again.shapes.path.with_name(FRAME).is_file()
    pd.testing.assert_frame_equal(again.frame, cut.frame)
    assert list(again.layer().geometry) == MIXED
    some = again.only((again.frame["subject_id"] > "f").to_numpy())
    assert list(some.layer().geometry) == MIXED[6:]


def test_a_layer_written_in_parts_is_the_one_that_geopandas_reads(tmp_path: Path) -> None:
    shapes = [*MIXED, None]
    layer = gpd.GeoDataFrame(
        {"id": pd.Series(list("abcdefghij"), dtype="str"), "size": np.arange(10.0)},
        geometry=shapes,
        crs="EPSG:4326",
    )
    path = tmp_path / "layer.parquet"
    write_geoparquet([layer.iloc[:3], layer.iloc[3:]], path, has_boxes=True)
    found = gpd.read_parquet(path)
    pd.testing.assert_frame_equal(
        pd.DataFrame(found.drop(columns="geometry")), pd.DataFrame(layer.drop(columns="geometry"))
    )
    assert list(found.geometry[:9]) == MIXED
    assert found.geometry[9] is None
    assert found.crs == layer.crs
    near = gpd.read_parquet(path, bbox=(105.0, 9.0, 105.005, 9.0))
    assert set(near["id"]) - {"j"} == {"a", "g", "h", "i"}
    assert shapely.total_bounds(found.geometry.to_numpy()).tolist() == [105, 9, 106, 10]
