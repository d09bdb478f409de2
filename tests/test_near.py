"""The search for what is near, part by part: nothing is asked twice, nothing wrong is believed."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from shapely import Point

from atlas.nearest import Search
from drawings import METRIC_CRS, nearest, placed, written
from flows import near
from flows.kept import Kept
from flows.near import ASKED, Part, find_near, keep_near
from flows.order import Order
from geodata.errors import AtlasError

SPOTS = {f"z{n:02}": Point(560_000 + 700 * (n * 7 % 20), 1_080_000 + 300 * n) for n in range(20)}
KINDS = {name: "port" if name < "z04" else "plant" for name in SPOTS}


@pytest.fixture
def order(tmp_path: Path) -> Order:
    made = Order(root=tmp_path, part_rows=6)
    made.work.mkdir(parents=True)
    return made


@pytest.fixture
def positions() -> gpd.GeoDataFrame:
    return placed(SPOTS, METRIC_CRS)


def parts(order: Order) -> list[Path]:
    return sorted((order.var / "near").glob("*/rows.parquet"))


def test_parts_that_are_kept_are_found_and_the_damaged_are_asked_again(
    order: Order, positions: gpd.GeoDataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, _ = nearest(positions, KINDS)
    found, _ = find_near(order, written(positions, order.work), KINDS)
    pd.testing.assert_frame_equal(found, whole)
    first, *others = parts(order)
    assert len(others) == 3
    first.write_bytes(b"PAR1")
    asked = []
    search = Search.nearest
    monkeypatch.setattr(Search, "nearest", lambda own, part: asked.append(1) or search(own, part))
    again, _ = find_near(order, written(positions, order.work), KINDS)
    pd.testing.assert_frame_equal(again, whole)
    assert asked == [1]
    assert parts(order) == [first, *others]


def test_a_part_of_other_positions_or_of_other_code_is_not_found_and_goes(
    order: Order, positions: gpd.GeoDataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_near(order, written(positions, order.work), KINDS)
    before = parts(order)
    moved = positions.set_geometry(positions.translate(1_000))
    find_near(order, written(moved, order.work), KINDS)
    assert not set(parts(order)) & set(before)
    monkeypatch.setattr("flows.kept.code_digest", lambda *_: "of later code")
    between = parts(order)
    find_near(order, written(moved, order.work), KINDS)
    assert len(parts(order)) == len(before)
    assert not set(parts(order)) & {*before, *between}


def test_a_worker_whose_folder_lags_behind_makes_no_part(
    order: Order, positions: gpd.GeoDataFrame
) -> None:
    find_near(order, written(positions, order.work), KINDS)
    near._read.cache_clear()
    with pytest.raises(AtlasError, match="as they were written"):
        keep_near(order, Part(0, "f" * 64))
    assert (order.work / ASKED).is_file()


def test_what_several_keep_at_once_is_whole_or_absent_and_whole_in_the_end(tmp_path: Path) -> None:
    frame = pd.DataFrame({"n": range(1_000)})
    kept = Kept(tmp_path, "code")

    def keep(_: int) -> bool:
        kept.keep_frame("key", frame)
        found = kept.frame("key")
        return found is None or found.equals(frame)

    with ThreadPoolExecutor(8) as many:
        assert all(many.map(keep, range(200)))
    kept.keep_frame("key", frame)
    pd.testing.assert_frame_equal(kept.frame("key"), frame)
    assert [path.name for path in tmp_path.iterdir()] == ["key"]
