import dataclasses
import gzip

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pmtiles.reader import MmapSource, Reader, all_tiles
from shapely.geometry import LineString, Point, box

from atlas.archives import TileLayer, write_archive
from atlas.assets import Assets, pack, write_folder
from atlas.bigmap import BigMap, sums
from atlas.ground import WATER, ground_count, ground_layer
from atlas.layers import layer_data
from atlas.tilecheck import TilesError, feature_ids, ids_told, verify_tiles
from atlas.tiled import part
from atlas.tiles import (
    DEEPEST_ZOOM,
    EXTENT,
    NOTHING,
    extents,
    farthest_zoom,
    first_zoom,
    grid_rows,
    grids,
    in_units,
    spots,
    tile_zooms,
)
from atlas.words import read_words
from bench.synthetic import write_region
from books import bare_book, small_book
from builds import PROJECT
from made_up import AS_OF, read_region, shelf_of

WORDS = read_words(PROJECT / "site" / "words")


def layer(*shapes):
    told = {"n": range(len(shapes)), "look": 0, "r": 0}
    return gpd.GeoDataFrame(told, geometry=list(shapes), crs="EPSG:4326")


@pytest.fixture(scope="module")
def tiled(tmp_path_factory):
    shelf = shelf_of(read_region(write_region(tmp_path_factory.mktemp("r") / "sources", 300)))
    return part(shelf, 1)[1]


def test_a_point_lies_in_its_tile_of_the_web_s_grid():
    x, y = spots(np.array([0.0, 105.7, np.nan]), np.array([0.0, 9.9, np.nan]))
    assert (x[0], y[0]) == (32_768, 32_768)
    assert (x[1] >> 8, y[1] >> 8) == (203, 120)  # 8/203/120 holds Hậu Giang
    assert (x[2], y[2]) == (NOTHING, NOTHING)


def test_tiles_begin_where_none_is_too_heavy():
    lon, lat = np.full(10_000, 105.7), np.full(10_000, 9.9)
    together = first_zoom(*spots(lon, lat), np.full(10_000, 5), np.full(10_000, 0.001))
    chance = np.random.default_rng(1)
    far = spots(chance.uniform(100, 110, 10_000), chance.uniform(8, 20, 10_000))
    apart = first_zoom(*far, np.full(10_000, 5), np.full(10_000, 0.001))
    assert together > apart
    assert first_zoom(*spots(lon[:5], lat[:5]), np.full(5, 5), np.full(5, 0.001)) == 4


def test_corners_that_no_tile_shows_weigh_nothing():
    chance = np.random.default_rng(1)
    far = spots(chance.uniform(100, 110, 500), chance.uniform(8, 20, 500))
    few, many, small = (np.full(500, one) for one in (50, 5_000, 0.001))
    assert first_zoom(*far, many, small) == first_zoom(*far, few, small)
    assert first_zoom(*far, many, np.full(500, 1.0)) > first_zoom(*far, few, np.full(500, 1.0))


def test_the_last_archive_is_fine_enough():
    assert tile_zooms(6) == (6, 8, 10, 12)
    assert tile_zooms(DEEPEST_ZOOM) == (DEEPEST_ZOOM,)
    assert tile_zooms(14) == (14,)


def test_a_unit_is_no_larger_than_a_pixel_where_a_finer_archive_takes_over():
    assert extents((6, 8, 10, 12)) == (2_048, 2_048, 2_048, 4_096)
    assert extents((11, 12)) == (1_024, 4_096)
    assert extents((14,)) == (4_096,)


def test_a_small_screen_shows_the_whole_extent():
    assert farthest_zoom((103.5, 8.7, 109.3, 23.2)) == 4
    assert farthest_zoom(None) == 0


@given(st.lists(st.tuples(st.floats(-179, 179), st.floats(-80, 80)), min_size=1, max_size=60))
@settings(max_examples=25)
def test_no_grid_loses_a_record(points):
    lon, lat = np.array(points).T
    kinds = pd.Series(["port", "plant"] * len(points))[: len(points)]
    for grid in grids(kinds, *spots(lon, lat), range(0, 6)):
        counts = grid.cells.drop(columns=["x", "y"])
        assert counts.to_numpy().sum() == len(points)
        rows = np.array(grid_rows(grid, ["port", "plant"])).reshape(-1, 4)
        told = grid.cells.reindex(columns=["x", "y", "port", "plant"], fill_value=0)
        assert (rows[:, :2].cumsum(axis=0) == told[["x", "y"]]).all(axis=None)
        assert rows[:, 2:].sum() == len(points)


def in_archive(drawn, folder, zoom, extent=EXTENT):
    """The archive of a layer at one zoom."""
    path = folder / "layer.pmtiles"
    write_archive(TileLayer.held(drawn), path, zoom, extent)
    return path


def tiles_of(path):
    """What stands in each tile of an archive, and what its header says of it."""
    with path.open("rb") as file:
        source = MmapSource(file)
        return dict(all_tiles(source)), Reader(source).header()


@pytest.mark.parametrize("most", [1, 300, 5_000])
def test_an_archive_made_in_blocks_has_the_bytes_of_one_made_at_once(tmp_path, most):
    chance = np.random.default_rng(7)
    spots = chance.uniform((105, 9), (107, 11), (60, 2))
    areas = shapely.buffer(shapely.points(spots), chance.uniform(0, 0.2, 60) * (spots[:, 0] < 106))
    shapes = [Point(at) if one.is_empty else one for one, at in zip(areas, spots, strict=True)]
    drawn = layer(*shapes, LineString([(105, 9), (107, 11)]), Point(-170, 0), Point(170, 80))
    for zoom in (4, 9):
        whole = in_archive(drawn, tmp_path, zoom)
        made, (tiles, head) = whole.read_bytes(), tiles_of(whole)
        assert len(tiles) == head["addressed_tiles_count"]
        assert abs(head["min_lon_e7"] + 170 * 10**7) <= 1
        small = dataclasses.replace(TileLayer.held(drawn), block_bytes=most)
        write_archive(small, tmp_path / "small.pmtiles", zoom)
        assert (tmp_path / "small.pmtiles").read_bytes() == made


def test_every_feature_is_in_the_tiles_even_a_speck(tmp_path):
    speck = box(105.7, 9.9, 105.7000001, 9.9000001)
    shapes = (speck, Point(105.8, 9.8), LineString([(105, 9), (106, 10)]), box(105, 9, 106, 10))
    for zoom in (4, 8, 12):
        for extent in (1_024, 4_096):
            assert feature_ids(in_archive(layer(*shapes), tmp_path, zoom, extent)) == {0, 1, 2, 3}


def test_of_no_feature_there_is_an_archive_without_any(tmp_path):
    archive = in_archive(layer(), tmp_path, 9)
    assert feature_ids(archive) == set()
    tiles, head = tiles_of(archive)
    assert len(tiles) == 1
    assert (head["min_zoom"], head["max_zoom"]) == (9, 9)


def test_only_what_is_too_small_to_be_drawn_becomes_a_point():
    told = in_units(layer(box(105.7, 9.9, 105.7001, 9.9001), box(105, 9, 106, 10)), 6)
    assert list(told.geometry.geom_type) == ["Point", "Polygon"]


def test_corners_that_no_unit_can_show_are_left_out_and_no_line_moves_by_half_a_unit():
    zoom, unit = 6, 360 / 2**6 / 4_096
    outline = Point(105, 9).buffer(0.5, quad_segs=20_000)
    border = LineString(outline.exterior.coords)
    thread = shapely.box(105, 9, 106, 9 + unit / 10).segmentize(unit / 20)
    given = layer(outline, border, thread, box(105, 9, 106, 10))
    told = in_units(given, zoom)
    assert list(told.geometry.geom_type) == ["Polygon", "LineString", "Polygon", "Polygon"]
    assert shapely.get_num_coordinates(told.geometry.to_numpy())[:2].max() < 2_000
    assert shapely.hausdorff_distance(told.geometry[1], border) < unit / 2
    assert told.geometry[3].equals_exact(given.geometry[3])
    assert told.is_valid.all()


def test_the_same_layer_gives_the_same_archive(tmp_path):
    shapes = [shapely.box(105 + n / 100, 9, 105.005 + n / 100, 9.005) for n in range(300)]
    first = in_archive(layer(*shapes), tmp_path, 10).read_bytes()
    assert in_archive(layer(*shapes), tmp_path, 10).read_bytes() == first


def test_an_id_s_sum_is_that_of_fnv():
    assert sums(np.array(["", "a", "foobar"], dtype=object)).tolist() == [
        0x811C9DC5, 0xE40C292C, 0xBF9CF968,
    ]  # fmt: skip


def test_a_folder_is_named_by_its_content(tmp_path):
    assets = Assets(tmp_path, tmp_path)
    first = write_folder(assets, "told", map(pack, [b"a", b"b"]))
    assert first == write_folder(assets, "told", map(pack, [b"a", b"b"]))
    assert first != write_folder(assets, "told", map(pack, [b"a", b"c"]))
    assert gzip.decompress((tmp_path / first / "1.bin").read_bytes()) == b"b"


def test_the_check_finds_every_record_in_every_archive(tiled, tmp_path):
    big = BigMap(tiled, Assets(PROJECT / "site", tmp_path), AS_OF)
    for words in WORDS.values():
        big.data(words)
    ids = list(tiled.subjects["subject_id"])
    assert verify_tiles(tmp_path, ids, ids) == len(tile_zooms(4))
    with pytest.raises(TilesError, match="lacks 1 of"):
        verify_tiles(tmp_path, [*ids, "p-new"], ids)
    with pytest.raises(TilesError, match="holds unknown 1 of"):
        verify_tiles(tmp_path, ids, ids[1:])


def test_a_feature_that_is_not_in_the_tiles_is_named(tiled, tmp_path):
    big = BigMap(tiled, Assets(PROJECT / "site", tmp_path), AS_OF)
    big.data(WORDS["vi"])
    (folder,) = (tmp_path / "assets").glob("told-vi-*")
    ids = ids_told(folder)
    (archive, *_) = sorted((tmp_path / "assets").glob("features-*"))
    kept = layer(*[Point(105, 9)] * (len(ids) - 1))
    write_archive(TileLayer.held(kept), archive, 6)
    with pytest.raises(TilesError, match=ids[-1]):
        verify_tiles(tmp_path, ids, ids)


def test_the_check_finds_every_commune_and_waterway_in_every_archive(tiled, tmp_path):
    book = dataclasses.replace(small_book(), tiled=dataclasses.replace(tiled, over=0))
    ground = ground_layer(book, WORDS)
    BigMap(tiled, Assets(PROJECT / "site", tmp_path), AS_OF, ground).data(WORDS["vi"])
    ids = list(tiled.subjects["subject_id"])
    assert verify_tiles(tmp_path, ids, ids, len(ground)) == 2 * len(tile_zooms(4))
    with pytest.raises(TilesError, match=r"ground-.* lacks 1 of .*feature"):
        verify_tiles(tmp_path, ids, ids, len(ground) + 1)
    (first, *_) = sorted((tmp_path / "assets").glob("ground-*"))
    first.unlink()
    with pytest.raises(TilesError, match="communes and waterways are tiled"):
        verify_tiles(tmp_path, ids, ids, len(ground))


def test_tiled_records_without_tiles_are_refused(tmp_path):
    with pytest.raises(TilesError, match="no tiles"):
        verify_tiles(tmp_path, ["p-1"], ["p-1"])
    assert verify_tiles(tmp_path, [], []) == 0


@pytest.mark.parametrize("content", [b"<html>" * 100, b"PMTiles\x02" * 50, b"PMTiles\x03" * 50])
def test_what_is_no_archive_is_refused(tmp_path, content):
    page = tmp_path / "page"
    page.write_bytes(content)
    with pytest.raises(TilesError, match="no PMTiles"):
        feature_ids(page)


def test_many_communes_and_waterways_are_tiled_and_few_are_not(tiled, tmp_path):
    book = dataclasses.replace(small_book(), tiled=dataclasses.replace(tiled, over=0))
    told = ground_layer(book, WORDS)
    communes, water = (told[told["look"] == look] for look in (0, WATER))
    assert list(communes["vi"]) == ["Châu Thành"]
    assert communes.geometry.iloc[0].geom_type == "Polygon"
    assert len(water) == len(book.waterways)
    data = layer_data(book, WORDS["vi"])["layers"]
    assert (data["communes"], data["waterways"]) == ([], [])
    assert feature_ids(in_archive(told, tmp_path, 10)) == set(range(len(told)))
    drawn = book.communes, book.waterways
    assert ground_count(book.tables["communes"], *drawn, 0) == len(told)
    assert ground_count(book.tables["communes"], *drawn, 10) == 0
    few = dataclasses.replace(book, tiled=dataclasses.replace(tiled, over=10))
    assert ground_layer(few, WORDS) is None
    assert layer_data(few, WORDS["vi"])["layers"]["communes"]


def test_a_tiled_commune_without_polygon_is_its_point(tiled):
    book = dataclasses.replace(bare_book(), tiled=dataclasses.replace(tiled, over=0))
    (commune,) = ground_layer(book, WORDS).geometry
    assert commune.geom_type == "Point"
