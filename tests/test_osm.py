import json

import geopandas as gpd
import pytest

from geodata.errors import SourceError
from geodata.osm import COLUMNS, read_overpass, what_is

LINE = [{"lat": 9.7, "lon": 105.4}, {"lat": 9.8, "lon": 105.5}]
WAY = {
    "type": "way",
    "id": 7,
    "tags": {"name": "Kênh Xà No", "waterway": "canal"},
    "geometry": LINE,
}


def read(*elements: object, **reply: object) -> gpd.GeoDataFrame:
    told = {"version": 0.6, "elements": list(elements), **reply}
    return read_overpass("canals", json.dumps(told).encode())


def rule_of(content: bytes) -> str:
    with pytest.raises(SourceError) as caught:
        read_overpass("canals", content)
    assert caught.value.source_id == "canals"
    return caught.value.rule


def test_a_way_is_a_row_with_longitude_first() -> None:
    layer = read(WAY)
    assert layer.crs == "EPSG:4326"
    assert list(layer.columns) == [*COLUMNS, "as_of"]
    told = ["7", "waterway", "Kênh Xà No", "", "", "canal", ""]
    assert list(layer.drop(columns="geometry").iloc[0]) == told
    assert list(layer.geometry.iloc[0].coords) == [(105.4, 9.7), (105.5, 9.8)]


@pytest.mark.parametrize(
    ("osm3s", "day"),
    [
        ({"timestamp_osm_base": "2026-05-06T12:00:00Z"}, "2026-05-06"),
        ({"timestamp_osm_base": "yesterday at noon"}, ""),
        ({"timestamp_osm_base": "2026-02-30T12:00:00Z"}, ""),
        ({"timestamp_osm_base": None}, ""),
        ({}, ""),
        ("2026-05-06", ""),
    ],
)
def test_ways_are_as_of_the_day_of_the_data_base(osm3s: object, day: str) -> None:
    assert list(read(WAY, WAY, osm3s=osm3s)["as_of"]) == [day, day]


def test_ways_keep_the_order_of_the_reply() -> None:
    assert list(read(WAY | {"id": 9}, WAY | {"id": 3})["osm_id"]) == ["9", "3"]


def test_a_way_without_tags_has_no_name_and_no_kind() -> None:
    layer = read({"type": "way", "id": 7, "geometry": LINE})
    assert (layer["name"].item(), layer["waterway"].item()) == ("", "")


@pytest.mark.parametrize(
    "element",
    [
        {"type": "node", "id": 1, "lat": 9.7, "lon": 105.4},
        {"type": "relation", "id": 2, "members": []},
        {"type": "way", "id": 3},
        {"type": "way", "id": 4, "geometry": None},
        {"type": "way", "id": 5, "geometry": LINE[:1]},
        {},
    ],
)
def test_what_is_no_way_with_a_line_is_left_out(element: object) -> None:
    assert list(read(element, WAY)["osm_id"]) == ["7"]
    with pytest.raises(SourceError, match="holds no way with a geometry"):
        read(element)


def test_a_reply_without_elements_is_refused() -> None:
    assert rule_of(b'{"elements": []}') == "file_is_not_empty"


@pytest.mark.parametrize("elements", [[], [WAY], None, 5])
def test_a_remark_refuses_the_reply_whatever_else_it_holds(elements: object) -> None:
    reply = {"remark": "runtime error: " + "x" * 1_000, "elements": elements}
    with pytest.raises(SourceError, match="the server remarks: runtime error: x{185}$") as caught:
        read_overpass("canals", json.dumps(reply).encode())
    assert caught.value.rule == "query_succeeded"


def test_a_remark_alone_is_told() -> None:
    assert rule_of(b'{"remark": "rate limited"}') == "query_succeeded"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<?xml version='1.0'?><osm/>",
        b"<html>Too many requests</html>",
        b'{"elements": [',
        b"\xff\xfe{",
        b"null",
        b"[]",
        b"5",
        b"{}",
        b'{"elements": null}',
        b'{"elements": 5}',
        b'{"elements": ["way"]}',
        b'{"elements": [null]}',
        b"[" * 100_000,
    ],
)
def test_a_reply_that_is_no_overpass_json_is_refused(content: bytes) -> None:
    assert rule_of(content) == "file_is_of_its_format"


@pytest.mark.parametrize(
    "way",
    [
        {"type": "way", "geometry": LINE},
        WAY | {"tags": None},
        WAY | {"tags": ["name"]},
        WAY | {"geometry": 5},
        WAY | {"geometry": [None, *LINE]},
        WAY | {"geometry": [*LINE, {"lat": 9.9}]},
        WAY | {"geometry": [*LINE, {"lat": "north", "lon": "east"}]},
        WAY | {"geometry": [*LINE, {"lat": None, "lon": None}]},
        WAY | {"geometry": [*LINE, {"lat": float("nan"), "lon": 105.4}]},
        WAY | {"geometry": [*LINE, {"lat": float("inf"), "lon": 105.4}]},
        WAY | {"geometry": [*LINE, {"lat": 1_080_000.0, "lon": 550_000.0}]},
        WAY | {"geometry": [*LINE, {"lat": 105.4, "lon": 9.7}]},
    ],
)
def test_a_way_that_is_wrongly_told_refuses_the_reply(way: dict[str, object]) -> None:
    assert rule_of(json.dumps({"elements": [WAY, way]}).encode()) == "file_is_of_its_format"


@pytest.mark.parametrize(
    ("tags", "what"),
    [
        ({"highway": "primary", "ref": "QL61C"}, "road"),
        ({"waterway": "canal"}, "waterway"),
        ({"landuse": "industrial", "name": "KCN A"}, "industrial"),
        ({"landuse": "industrial", "industrial": "port"}, "port"),
        ({"landuse": "port"}, "port"),
        ({"harbour": "yes"}, "port"),
        ({"landuse": "farmland"}, ""),
        ({}, ""),
    ],
)
def test_what_something_is_stands_in_its_tags(tags: dict[str, str], what: str) -> None:
    assert what_is(tags) == what


def corners(*points: tuple[float, float]) -> list[dict[str, float]]:
    return [{"lon": lon, "lat": lat} for lon, lat in points]


def test_a_closed_way_round_industrial_land_is_an_area_and_a_roundabout_is_a_line() -> None:
    ring = corners((105.5, 9.8), (105.6, 9.8), (105.6, 9.9), (105.5, 9.8))
    land = {"type": "way", "id": 1, "tags": {"landuse": "industrial"}, "geometry": ring}
    road = {"type": "way", "id": 2, "tags": {"highway": "primary"}, "geometry": ring}
    assert list(read(land, road).geom_type) == ["Polygon", "LineString"]


def test_points_and_areas_of_several_ways_are_read_as_far_as_they_are_needed() -> None:
    node = {"type": "node", "id": 3, "lon": 105.5, "lat": 9.8, "tags": {"harbour": "yes"}}
    bare = {"type": "node", "id": 4, "lon": 105.5, "lat": 9.8}
    outline = corners((105.5, 9.8), (105.7, 9.8), (105.7, 10.0))
    rest = corners((105.7, 10.0), (105.5, 10.0), (105.5, 9.8))
    hole = corners((105.55, 9.85), (105.6, 9.85), (105.6, 9.9), (105.55, 9.85))
    members = [
        {"type": "way", "ref": n, "role": role, "geometry": line}
        for n, (role, line) in enumerate((("outer", outline), ("outer", rest), ("inner", hole)))
    ]
    tags = {"type": "multipolygon", "landuse": "industrial", "name": "KCN A"}
    land = {"type": "relation", "id": 5, "tags": tags, "members": members}
    torn = {"type": "relation", "id": 6, "tags": tags, "members": members[:1]}
    layer = read(node, bare, land, torn)
    assert list(layer["osm_id"]) == ["node/3", "relation/5"]
    assert layer.geometry.iloc[1].area == pytest.approx(0.04 - 0.00125)
