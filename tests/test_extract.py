from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import osmium
import pytest
from osmium.osm.mutable import Node, Relation, Way

from geodata.errors import SourceError
from geodata.extract import read_extract

BOX = (105.3, 9.5, 106.0, 10.1)
DAY = "2026-11-20T20:20:00Z"


class Map:
    """A small map that a test draws and writes as ``.osm.pbf``: points first, then ways."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.ways: list[Way] = []
        self.relations: list[Relation] = []

    def node(self, lon: float, lat: float, **tags: str) -> int:
        self.nodes.append(Node(id=len(self.nodes) + 1, location=(lon, lat), tags=tags))
        return len(self.nodes)

    def way(self, *points: tuple[float, float] | int, **tags: str) -> int:
        ids = [p if isinstance(p, int) else self.node(*p) for p in points]
        told = {name.replace("__", ":"): value for name, value in tags.items()}
        self.ways.append(Way(id=len(self.ways) + 101, nodes=ids, tags=told))
        return len(self.ways) + 100

    def relation(self, members: list[tuple[int, str]], tags: Mapping[str, str]) -> None:
        told = [("w", way, role) for way, role in members]
        self.relations.append(Relation(id=len(self.relations) + 1001, members=told, tags=tags))

    def write(self, path: Path, stamp: str = DAY) -> bytes:
        header = osmium.io.Header()
        if stamp:
            header.set("osmosis_replication_timestamp", stamp)
        with osmium.SimpleWriter(str(path), header=header) as writer:
            for node in self.nodes:
                writer.add_node(node)
            for way in self.ways:
                writer.add_way(way)
            for relation in self.relations:
                writer.add_relation(relation)
        return path.read_bytes()


@pytest.fixture
def drawn() -> Map:
    return Map()


def read(drawn: Map, folder: Path, stamp: str = DAY) -> gpd.GeoDataFrame:
    return read_extract("vietnam", drawn.write(folder / "map.osm.pbf", stamp), BOX)


def refusal(content: bytes) -> SourceError:
    with pytest.raises(SourceError) as caught:
        read_extract("vietnam", content, BOX)
    return caught.value


def test_named_and_numbered_things_are_read_and_nothing_else(drawn: Map, tmp_path: Path) -> None:
    line = (105.5, 9.8), (105.6, 9.9)
    drawn.way(*line, highway="primary", ref="QL61C", name="Quốc lộ 61C", alt_name="Nối Vị Thanh")
    drawn.way(*line, highway="secondary", ref="ĐT931")
    drawn.way(*line, waterway="canal", name="Kênh xáng Xà No", name__vi="Xà No")
    drawn.way(*line, waterway="canal")
    drawn.way(*line, highway="residential")
    drawn.way(*line, building="yes", name="Nhà")
    drawn.node(105.5, 9.8, harbour="yes", name="Cảng Cái Cui")
    drawn.node(105.5, 9.8, amenity="cafe", name="Cà phê")
    drawn.node(105.5, 9.8, harbour="yes")
    layer = read(drawn, tmp_path)
    assert layer.crs == "EPSG:4326"
    told = layer[["osm_id", "what", "name", "other_names", "ref"]].to_numpy().tolist()
    assert told == [
        ["101", "road", "Quốc lộ 61C", "Nối Vị Thanh", "QL61C"],
        ["102", "road", "", "", "ĐT931"],
        ["103", "waterway", "Kênh xáng Xà No", "Xà No", ""],
        ["node/13", "port", "Cảng Cái Cui", "", ""],
    ]
    assert list(layer["as_of"].unique()) == ["2026-11-20"]
    assert list(layer.geometry.iloc[0].coords) == [(105.5, 9.8), (105.6, 9.9)]


def test_what_lies_outside_the_box_is_left_and_what_leaves_it_is_cut(
    drawn: Map, tmp_path: Path
) -> None:
    far, near = (108.2, 16.0), (105.5, 9.8)
    drawn.way(far, (108.3, 16.1), highway="primary", ref="QL1")
    drawn.way(near, (105.6, 9.8), far, (105.7, 9.8), (105.8, 9.8), far, highway="trunk", ref="QL1")
    layer = read(drawn, tmp_path)
    assert list(layer["osm_id"]) == ["102", "102/1"]
    assert [list(line.coords) for line in layer.geometry] == [
        [(105.5, 9.8), (105.6, 9.8)],
        [(105.7, 9.8), (105.8, 9.8)],
    ]


def test_industrial_land_is_an_area_whether_one_way_or_several_close_it(
    drawn: Map, tmp_path: Path
) -> None:
    a, b, c, d = (drawn.node(*p) for p in ((105.5, 9.8), (105.6, 9.8), (105.6, 9.9), (105.5, 9.9)))
    drawn.way(a, b, c, d, a, landuse="industrial", name="KCN Tân Phú Thạnh")
    first, second = drawn.way(a, b, c), drawn.way(c, d, a)
    tags = {"type": "multipolygon", "landuse": "industrial", "name": "KCN Sông Hậu"}
    drawn.relation([(first, "outer"), (second, "outer")], tags)
    drawn.relation([(first, "outer")], tags)
    drawn.relation([(first, "outer"), (second, "outer")], {"type": "route", "name": "QL1"})
    layer = read(drawn, tmp_path)
    assert list(layer["osm_id"]) == ["101", "relation/1001"]
    assert [round(shape.area, 6) for shape in layer.geometry] == [0.01, 0.01]


def test_the_same_map_written_in_another_order_is_the_same_layer(
    drawn: Map, tmp_path: Path
) -> None:
    for n in range(4):
        drawn.way((105.5, 9.8), (105.5 + n / 100, 9.9), waterway="canal", name=f"Kênh {n}")
    first = read(drawn, tmp_path)
    (tmp_path / "map.osm.pbf").unlink()
    drawn.nodes.reverse()
    drawn.ways.reverse()
    assert first.to_json() == read(drawn, tmp_path).to_json()


def test_an_extract_that_does_not_say_its_day_has_none(drawn: Map, tmp_path: Path) -> None:
    drawn.way((105.5, 9.8), (105.6, 9.9), waterway="canal", name="Kênh")
    assert list(read(drawn, tmp_path, stamp="")["as_of"]) == [""]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"<osm/>", b"\x00" * 100, b"{}"])
def test_what_is_no_extract_is_refused(content: bytes) -> None:
    assert refusal(content).rule in ("file_is_of_its_format", "file_is_not_empty")


def test_a_torn_extract_is_refused(drawn: Map, tmp_path: Path) -> None:
    for n in range(2_000):
        drawn.way((105.5, 9.8), (105.5 + n / 10_000, 9.9), waterway="canal", name=f"Kênh {n}")
    whole = drawn.write(tmp_path / "map.osm.pbf")
    for part in (whole[:-10], whole[: len(whole) // 2], whole[:100]):
        assert refusal(part).rule == "file_is_of_its_format"
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 0xFF
    assert refusal(bytes(damaged)).rule == "file_is_of_its_format"


def test_an_extract_of_another_region_is_refused_with_the_next_move(
    drawn: Map, tmp_path: Path
) -> None:
    drawn.way((108.2, 16.0), (108.3, 16.1), highway="primary", ref="QL1")
    told = refusal(drawn.write(tmp_path / "map.osm.pbf"))
    assert told.rule == "file_is_not_empty"
    assert "check bbox in source.toml" in told.message
