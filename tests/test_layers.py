import dataclasses
import json

import geopandas as gpd
import pytest
import shapely
from shapely.geometry import LineString, MultiLineString, Point, Polygon, box

from atlas.layers import (
    LAYERS,
    bounds,
    commune_layer,
    drawing,
    footprint_m,
    layer_data,
    layer_script,
    safe_json,
    shown_layers,
)
from atlas.telling import drawn_as
from atlas.words import plain, read_words
from books import bare_book, claim, expressway, fact, park, position, record, small_book
from builds import PROJECT
from geodata.schema import PLACE_KINDS, ROUTE_KINDS
from hostile import HOSTILE, hostile_book

WORDS = read_words(PROJECT / "site" / "words")
VI, EN = WORDS["vi"], WORDS["en"]


def features(book, layer_id, words=VI):
    return layer_data(book, words)["layers"][layer_id]


def test_every_kind_of_the_schema_has_its_layer():
    drawn = {layer.layer_id for layer in LAYERS if layer.draws in ("places", "routes")}
    assert drawn == {*PLACE_KINDS, *ROUTE_KINDS}


@pytest.mark.parametrize("words", [VI, EN])
def test_every_layer_has_a_title_in_both_languages(words):
    assert all(words(layer.title) for layer in LAYERS)


def test_only_layers_with_something_to_draw_are_shown():
    shown = [layer.layer_id for layer in shown_layers(small_book())]
    assert shown == [
        "communes", "waterways", "canal", "expressway", "industrial_park", "logistics_centre",
    ]  # fmt: skip
    assert "waterways" not in [layer.layer_id for layer in shown_layers(bare_book())]


def test_every_record_with_a_position_is_drawn_once():
    data = layer_data(small_book(), VI)["layers"]
    drawn = sorted(f["id"] for one in data.values() for f in one if "id" in f)
    assert drawn == ["canal-c", "exp-d", "kcn-a", "log-b"]


def test_a_record_without_position_is_left_to_the_list():
    book = small_book(places=(record("kcn-x", "industrial_park"),))
    assert features(book, "industrial_park") == []


def test_a_place_known_by_commune_gets_a_circle_of_its_true_area():
    assert footprint_m(park()) == 1100  # 380 ha = pi * 1,100 m squared
    (feature,) = features(small_book(), "industrial_park")
    assert (feature["radius"], feature["sign"]) == (1100, "approximate")
    assert feature["at"] == [9.95, 105.84]


def test_a_place_of_known_position_gets_no_circle():
    known = dataclasses.replace(park(), position=position(Point(105.8, 9.9), "digitised", 200))
    assert (footprint_m(known), drawn_as(known)) == (None, "known")


def test_a_place_of_unknown_area_gets_no_circle():
    assert footprint_m(dataclasses.replace(park(), facts=())) is None


def test_a_route_known_at_one_place_is_no_line():
    (feature,) = features(small_book(), "canal")
    assert feature["sign"] == "single_point"
    assert "lines" not in feature


def test_subjects_known_by_the_province_alone_are_marked_as_standing_aside():
    unplaced = record(
        "log-b", "logistics_centre",
        position=position(Point(105.6, 9.8), "schematic", 39000, drawn_at=(105.43, 9.46)),
    )  # fmt: skip
    assert layer_data(small_book(places=(unplaced,)), VI)["aside"] == [9.46, 105.43]
    assert layer_data(small_book(), VI)["aside"] is None


def test_the_panel_tells_value_date_source_and_confidence():
    (feature,) = features(small_book(), "industrial_park")
    area, developer, registered = feature["facts"]
    assert area == [
        "Diện tích", "380\u00a0ha", "04/12/2025 (theo ngày đăng)", "Báo A",
        "hai nguồn trở lên thống nhất", "220\u00a0ha (tháng 5/2022)",
    ]  # fmt: skip
    assert developer[:2] == ["Chủ đầu tư hạ tầng", "Công ty X"]
    assert registered[:2] == ["Vốn đăng ký", "trên 5.569\u00a0tỷ đồng"]


def test_the_panel_speaks_the_language_of_the_page():
    (feature,) = features(small_book(), "industrial_park", EN)
    assert feature["name"] == "Park A"
    assert feature["facts"][1][1] == "Company X"
    assert "Operating" in feature["says"]


def test_a_fact_in_dispute_says_so():
    disputed = record(
        "r", "road",
        position=position(Point(105.8, 9.9), "schematic", 9000),
        facts=(fact("length_km", claim("37", "km"), claim("6.7", "km", confidence="conflict")),),
    )  # fmt: skip
    (feature,) = features(small_book(routes=(disputed,)), "road")
    assert feature["facts"][0][4:] == ["số liệu khác nhau", "6,7\u00a0km (04/12/2025)"]


def test_communes_are_polygons_where_there_are_any_and_points_elsewhere():
    (polygon,) = features(small_book(), "communes")
    assert polygon["name"] == "Châu Thành"
    assert len(polygon["rings"][0][0]) == 2 * 5
    (point,) = features(bare_book(), "communes")
    assert point == {"name": "Châu Thành", "at": [9.94249, 105.83602]}


def test_a_commune_without_polygon_and_point_is_not_drawn():
    book = bare_book()
    communes = book.tables["communes"].assign(longitude="", latitude="")
    bare = dataclasses.replace(book, tables={**book.tables, "communes": communes})
    assert features(bare, "communes") == []


def test_simplified_neighbours_keep_their_common_border():
    steps = [(105.5 + 0.001 * n, 9.8 + 0.00002 * (n % 2)) for n in range(100)]
    north = Polygon([*steps, (105.599, 9.9), (105.5, 9.9)])
    south = Polygon([*steps, (105.599, 9.7), (105.5, 9.7)])
    layer = gpd.GeoDataFrame(
        {"unit_id": ["com-1", "com-2"]}, geometry=[north, south], crs="EPSG:4326"
    )
    thin = commune_layer(small_book(communes=layer))
    points = shapely.get_num_coordinates(thin.geometry.to_numpy())
    assert points.sum() < 60
    assert thin.geometry.iloc[0].intersection(thin.geometry.iloc[1]).area < 1e-12
    assert commune_layer(bare_book()) is None


def test_only_long_waterways_are_named():
    named, other = sorted(features(small_book(), "waterways"), key=lambda f: -len(f))
    assert named["name"] == "Sông Hậu"
    assert "name" not in other


def test_lines_and_areas_know_where_their_sign_stands():
    line = drawing(MultiLineString([[(0, 0), (1, 0)], [(5, 5), (9, 5)]]))
    assert line["at"] == [5.0, 7.0]
    assert len(line["lines"]) == 2
    hole = box(0, 0, 9, 9) - box(4, 4, 5, 5)
    assert [len(ring) for ring in drawing(hole)["rings"][0]] == [2 * 5, 2 * 5]


def test_a_line_is_told_by_its_steps():
    line = LineString([(105.5, 9.8), (105.50001, 9.79), (105.5, 9.79)])
    assert drawing(line)["lines"] == [[980000, 10550000, -1000, 1, 0, -1]]


def test_coordinates_have_five_decimals():
    assert drawing(Point(105.123456789, 9.987654321)) == {"at": [9.98765, 105.12346]}


def test_the_first_view_holds_places_and_communes_but_not_the_far_end_of_a_road():
    far = dataclasses.replace(
        expressway(), position=position(LineString([(100, 8), (105.8, 9.9)]), "schematic", 9000)
    )
    view = bounds(small_book(routes=(far,)))
    assert view["first"] == (105.75, 9.88, 105.9, 10.0)
    assert view["limit"] == (105.25, 9.38, 106.4, 10.5)


def test_a_map_without_anything_still_has_a_view():
    assert bounds(small_book(places=(), routes=(), communes=None))["first"][0] == 105.3


def test_the_same_book_gives_the_same_script():
    assert layer_script(small_book(), VI) == layer_script(small_book(), VI)


@pytest.mark.parametrize("sign_", ["<", ">", "&", "\u2028", "\u2029"])
def test_json_beside_the_page_cannot_break_out(sign_):
    written = safe_json({"name": f"a{sign_}b"})
    assert sign_ not in written
    assert json.loads(written) == {"name": f"a{plain(sign_)}b"}


def test_hostile_text_stays_text_in_the_layers():
    script = layer_script(hostile_book(), VI)
    assert "<" not in script and "\u202e" not in script and "\u2028" not in script
    data = json.loads(script.removeprefix("globalThis.ATLAS_LAYERS = ").removesuffix(";\n"))
    shown = data["layers"]["industrial_park"][0]["name"]
    assert shown.startswith(HOSTILE[:60])
