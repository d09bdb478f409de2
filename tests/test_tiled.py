import dataclasses
import json
import subprocess
import sys
from decimal import Decimal

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from geopandas.testing import assert_geodataframe_equal
from shapely import LineString

from atlas.beside import newest_money
from atlas.book import Assembler
from atlas.browse import CARRIED, IS, _carried, _numbers
from atlas.bulk import bulk_layer
from atlas.columns import _sets, columns, year_marks
from atlas.details import SHARD, shards
from atlas.downloads import _properties, _shape
from atlas.facets import OTHER, labels
from atlas.formats import layer_frame
from atlas.layers import LAYERS, _record, drawing
from atlas.reach import nearby_of, reach_of
from atlas.rows import OF_EDITION, rows, shapes
from atlas.tiled import KEYS, part, tiled_ids, tiled_kinds, untiled
from atlas.totals import totals
from atlas.words import read_words
from atlas.years import year_marks as marks_of
from books import bare_book
from builds import PROJECT
from drawings import written
from hostile import HOSTILE
from made_up import AS_OF, big_book, made_up_shelf

WORDS = read_words(PROJECT / "site" / "words")


def tables(**counts):
    kinds = [kind for kind, count in counts.items() for _ in range(count)]
    places = pd.DataFrame({"place_id": [f"p-{n}" for n in range(len(kinds))], "kind": kinds})
    return {"places": places, "routes": pd.DataFrame({"route_id": [], "kind": []}, dtype="str")}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    return made_up_shelf(tmp_path_factory.mktemp("r"), 300)


@pytest.fixture(scope="module")
def tiled(shelf):
    _, tiled = part(shelf, 1)
    return tiled


@pytest.fixture(scope="module")
def records(shelf):
    whole = Assembler(shelf)
    told = (*whole.records("places", "place_id"), *whole.records("routes", "route_id"))
    return {record.subject_id: record for record in told}


def kinds_of(told, over, corners=0):
    """What is tiled where each record is a line with so many corners; none where it is 0."""
    ids = [key for name, column in KEYS.items() for key in told[name][column]]
    line = LineString([(105 + n / 1_000, 9.8) for n in range(corners)])
    there = ids if corners else []
    places = gpd.GeoDataFrame({"subject_id": there}, geometry=[line] * len(there), crs=4326)
    return tiled_kinds(told, written(places).frame, over)


def test_a_kind_over_the_limit_is_tiled():
    assert kinds_of(tables(port=3, plant=4), 3) == ("plant",)
    assert kinds_of(tables(port=3), 3) == ()


def test_the_largest_kinds_are_tiled_until_pages_can_hold_the_rest():
    assert kinds_of(tables(port=300, plant=240, power_plant=200), 2_000) == ("port",)
    assert kinds_of(tables(port=250, plant=240), 2_000) == ()


def test_few_records_with_many_corners_are_tiled_too():
    told = tables(port=120, plant=110)
    assert kinds_of(told, 2_000, corners=32) == ()
    assert kinds_of(told, 2_000, corners=45) == ("port",)


def test_tiled_and_untiled_records_are_all_there_are():
    told = tables(port=5, plant=2)
    kinds = kinds_of(told, 3)
    left = untiled(told, kinds)["places"]
    assert set(left["place_id"]) | tiled_ids(told, kinds) == set(told["places"]["place_id"])
    assert set(left["kind"]) == {"plant"}


def test_without_a_large_kind_the_shelf_stays_as_it_is(tmp_path):
    shelf = made_up_shelf(tmp_path, 100)
    same, tiled = part(shelf, 100_000)
    assert same is shelf and tiled is None


def test_what_is_tiled_leaves_the_shelf_and_nothing_else_does(shelf):
    left, tiled = part(shelf, 100)
    ids = set(tiled.subjects["subject_id"])
    assert ids.isdisjoint(left.tables["places"]["place_id"])
    assert len(ids) + len(left.tables["places"]) + len(left.tables["routes"]) == 330
    for name in ("facts", "promises"):
        assert len(left.frames[name]) + len(tiled.frames[name]) == len(shelf.frames[name])
    assert len(left.positions) + len(tiled.frames["positions"]) == len(shelf.positions)


def test_rows_about_tiled_records_may_lie_in_files(shelf, tmp_path):
    (held, tiled), (left, on_disk) = part(shelf, 100), part(shelf, 100, tmp_path / "tiled")
    assert set(on_disk.frames) == set(tiled.frames)
    for name, frame in tiled.frames.items():
        pd.testing.assert_frame_equal(on_disk.frames[name], frame)
    for name, frame in held.frames.items():
        pd.testing.assert_frame_equal(left.frames[name], frame)
    with pytest.raises(KeyError, match="places"):
        on_disk.frames["places"]


def test_near_records_have_near_numbers(tiled):
    rows = tiled.subjects
    steps = np.hypot(rows["lon"].diff(), rows["lat"].diff())
    assert steps.median() < 0.1


def test_a_tiled_record_is_told_as_a_small_layer_tells_it(tiled, records):
    layer = {one.layer_id: one for one in LAYERS}
    for words in WORDS.values():
        told = [json.loads(text) for text in shards(tiled, words)]
        for n, row in tiled.subjects.iterrows():
            feature = _record(records[row["subject_id"]], words, layer[row["kind"]])
            shard, at = told[n // SHARD], n % SHARD
            for name in ("id", "table", "kind", "name", "says", "stage", "sign", "where"):
                assert shard[name][at] == feature[name]
            assert shard["facts"][at] + shard["money"][at] == feature["facts"]
            assert row["radius_m"] == feature.get("radius", 0)


def test_a_tiled_record_is_narrowed_by_what_a_small_layer_s_record_is(tiled, records):
    told = columns(tiled, AS_OF)
    assert {name for name, column in told.items() if column.sets} == set(IS)
    names = {"area": "area_ha", "occupancy": "occupancy_pct", "price": "price_usd_m2",
             "complete": "completeness_pct", "late": "days_late"}  # fmt: skip
    for n, subject_id in enumerate(tiled.subjects["subject_id"]):
        record = records[subject_id]
        for name, column in told.items():
            if column.sets:
                keys = {key for key, _ in IS[name](record, WORDS["vi"])} - {"not_known"}
                assert sorted(column.sets[column.numbers[n]]) == sorted(keys)
        for name, number in names.items():
            column = told[name]
            value = column.numbers[n]
            is_known = value != np.iinfo(column.numbers.dtype).max
            mine = value / 10 ** column.told["decimals"] if is_known else None
            assert mine == _numbers(record).get(number)


@pytest.fixture(scope="module")
def untiled_book(records):
    told = [tuple(r for r in records.values() if r.table == table) for table in KEYS]
    return dataclasses.replace(bare_book(), places=told[0], routes=told[1])


def value(column, n):
    number = column.numbers[n]
    none = np.iinfo(column.numbers.dtype).max if column.numbers.dtype.kind == "u" else -1
    return None if number == none else number / 10 ** column.told["decimals"]


def test_a_tiled_record_is_as_near_as_a_small_layer_s_record(tiled, records, untiled_book):
    nearby = nearby_of(untiled_book, reach_of(untiled_book))
    told, found = columns(tiled, AS_OF), 0
    for n, subject_id in enumerate(tiled.ids):
        for kind in ("road", "canal", "port"):
            bounds = nearby[subject_id].get(kind)
            ends = (value(told[f"{kind}_least"], n), value(told[f"{kind}_most"], n))
            assert ends == ((bounds.least_km, bounds.most_km) if bounds else (None, None))
            found += bounds is not None
    assert found > 300


def test_of_those_beside_tiled_ones_the_nearest_may_be_tiled(shelf, untiled_book):
    left, tiled = part(shelf, 100)
    nearby = nearby_of(untiled_book, reach_of(untiled_book))
    places = left.tables["places"]["place_id"]
    assert {one: nearby[one] for one in places if nearby[one]} == dict(tiled.nearby)


def test_money_is_told_to_the_dong_and_kinds_and_units_apart(tiled, records):
    told = [c for name, c in columns(tiled, AS_OF).items() if name.startswith("money_")]
    (column,) = told
    assert (column.told["kind"], column.told["unit"]) == ("registered", "tỷ đồng")
    for n, subject_id in enumerate(tiled.ids):
        amounts = [float(event.amount) for event in newest_money(records[subject_id])]
        assert [value(column, n)] == (amounts or [None])


def test_a_place_in_another_says_in_which(tiled, shelf):
    (outer,) = tiled.numbers(["p-1"])
    inside = columns(tiled, AS_OF)["inside"]
    told = dict(zip(tiled.ids, inside.numbers.tolist(), strict=True))
    assert told["p-8"] == told["p-9"] == outer and told["p-7"] == 2**32 - 1
    left, some = part(shelf, 100)
    assert set(some.holding) == {"p-8", "p-9"} & set(left.tables["places"]["place_id"])


def test_a_tiled_record_is_carried_away_as_a_small_layer_s_record(tiled, records, untiled_book):
    nearby = nearby_of(untiled_book, reach_of(untiled_book))
    told = [json.loads(text) for text in rows(tiled)]
    drawn = [json.loads(text) for text in shapes(tiled)]
    for n, subject_id in enumerate(tiled.ids):
        record, shard, at = records[subject_id], told[n // SHARD], n % SHARD
        expected = zip(CARRIED, _carried(record, untiled_book, nearby[subject_id]), strict=True)
        mine = {name: "" if cell is None else cell for name, cell in expected}
        found = {name: shard[name][at] if name in shard else "" for name in mine}
        assert found == {**mine, **dict.fromkeys(OF_EDITION, "")}
        shape = drawing(record.position.geometry) if record.position else {}
        lines = {key: shape[key] for key in ("lines", "rings") if key in shape}
        assert drawn[n // SHARD][at] == (lines or None)


def test_the_rarest_keys_of_too_many_are_one_key_together(monkeypatch):
    monkeypatch.setattr("atlas.columns.MOST_KEYS", 3)
    column = _sets(pd.Series(["a;b", "a", "c;a", "d", "d;b", "", "e;c"]))
    keys = [column.sets[number] for number in column.numbers]
    assert keys == [("a", "b"), ("a",), (OTHER, "a"), (OTHER,), (OTHER, "b"), (), (OTHER,)]


def test_a_tiled_record_stood_each_year_where_a_small_layer_s_record_did(tiled, records):
    told = year_marks(tiled, AS_OF)
    for n, subject_id in enumerate(tiled.subjects["subject_id"]):
        assert told[n] == marks_of(records[subject_id], AS_OF)


def test_every_key_of_a_facet_has_its_label(tiled, records):
    for name, column in columns(tiled, AS_OF).items():
        keys = frozenset(key for one in column.sets for key in one)
        for words in WORDS.values():
            told = labels(name, keys, tiled, words) if keys else {}
            assert set(told) == keys
            for one in records.values() if keys else ():
                mine = {k: v for k, v in IS[name](one, words) if k != "not_known"}
                assert mine.items() <= told.items()


def test_hostile_text_is_harmless_in_a_shard(shelf):
    _, tiled = part(shelf, 1)
    tiled.subjects.loc[3, ["name_vi", "name_en"]] = HOSTILE + "\u202e</script>"
    text = next(shards(tiled, WORDS["vi"]))
    assert "<" not in text and "\u202e" not in text


@pytest.mark.parametrize("table", ["places", "routes"])
def test_a_tiled_record_stands_in_the_layers_as_a_small_one_does(tiled, records, table):
    mine = sorted((r for r in records.values() if r.table == table), key=lambda r: r.subject_id)
    expected = layer_frame([_properties(r) for r in mine], [_shape(r) for r in mine])
    found = pd.concat(bulk_layer(tiled, table), ignore_index=True)
    assert_geodataframe_equal(found[list(expected.columns)], expected, check_dtype=False)


def test_the_tiler_is_started_only_where_a_layer_is_tiled():
    asks = "import flows.steps, sys; sys.exit('tylertoo' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asks], cwd=PROJECT, check=False).returncode == 0


def test_totals_count_the_records_of_tiled_kinds_too(tmp_path):
    book = big_book(tmp_path, 600)
    told = {one.measure: one for one in totals(book).totals}
    counts = book.tiled.subjects["table"].value_counts()
    assert told["places"].counted == len(book.places) + counts["places"]
    late = (book.tiled.subjects["schedule"] == "late").sum()
    assert told["late"].counted == sum(r.schedule == "late" for r in book.records) + late > 0
    money = book.tiled.frames["money_events"]
    assert told["registered"].counted >= len(money) > 0
    assert told["registered"].value >= sum(map(Decimal, money["amount"]))
    areas = book.tiled.frames["facts"].query("measure == 'area_ha'")
    inner = (book.tiled.subjects["inside_id"] != "").sum()
    assert told["area_ha"].counted >= len(areas) - inner == counts["places"] - inner
