"""Tables in files: what is large is never held, and is published in the order of its keys."""

from pathlib import Path

import pandas as pd
import pytest

from drawings import tables
from flows.judge import POSITIONS, Published
from flows.order import Order
from flows.work import write_frames, write_parts
from geodata import frames
from geodata.frames import Frames, count_of, parts_of
from geodata.schema import TABLE

PLACES = [{"place_id": f"p-{n}", "kind": "plant", "name_vi": f"Nơi {n}"} for n in range(30)]
POSITION = {"method": "osm", "accuracy_m": "10", "geometry": "POINT (105 9)"}


@pytest.fixture
def order(tmp_path: Path) -> Order:
    """An order whose work folder holds accepted tables and the best positions, in parts."""
    order = Order(root=tmp_path)
    told = tables(places=PLACES)
    write_frames(order.work / "tables", told)
    ids = sorted(f"p-{n}.position" for n in range(30))
    rows = tables(positions=[{"position_id": one, **POSITION} for one in ids])["positions"]
    write_parts(order.work / POSITIONS, (rows.iloc[n : n + 7] for n in range(0, 30, 7)))
    return order


@pytest.mark.parametrize("most", [5, 10_000])
def test_a_table_is_published_by_its_key_whether_it_is_held_or_not(
    order: Order, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(frames, "HELD_ROWS", most)
    published = Published(order)
    for name in ("places", "positions"):
        parts = list(parts_of(published, name))
        told = pd.concat(parts, ignore_index=True)
        assert list(told[TABLE[name].key[0]]) == sorted(told[TABLE[name].key[0]])
        assert list(told) == [*TABLE[name].column_names, "source_id"]
        assert count_of(published, name) == 30
        pd.testing.assert_frame_equal(told, published[name])
    assert len(parts) == (5 if most == 5 else 1)
    assert (published["places"] is published["places"]) is (most > 30)
    assert published.counts()["positions"] == 30
    monkeypatch.setattr(Published, "__getitem__", None)  # no table is read for it
    assert "positions" in published
    assert "nothing" not in published


def test_a_table_of_few_long_rows_is_large_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Frames(tmp_path)
    told["a"] = pd.DataFrame({"x": ["a", "b" * 5_000]})
    assert not told.is_large("a")
    monkeypatch.setattr(frames, "HELD_BYTES", 1_000)
    assert told.is_large("a")
    assert list(told.columns("a", ["x"])) == ["x"]
