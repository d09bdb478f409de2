from pathlib import Path

import geopandas as gpd
import pytest
from geopandas.testing import assert_geodataframe_equal
from shapely import Point

from drawings import METRIC_CRS
from geodata.crs import (
    DISPLAY_CRS,
    CrsError,
    is_same_crs,
    read_features,
    require_metric,
    to_metric,
)


def test_a_square_of_a_kilometre_survives_the_way_to_degrees_and_back(squares) -> None:
    zones = squares(a=(550_000, 1_080_000, 1_000))
    there = to_metric(zones.to_crs(DISPLAY_CRS))
    assert there.crs == METRIC_CRS
    assert there.area.iloc[0] == pytest.approx(1_000_000, rel=1e-6)


def test_hau_giang_lies_east_of_the_central_meridian_and_near_its_true_northing() -> None:
    vi_thanh = gpd.GeoDataFrame(geometry=[Point(105.47, 9.78)], crs=DISPLAY_CRS)
    point = to_metric(vi_thanh).geometry.iloc[0]
    # half a degree of longitude at 9.8° N is about 51.6 km from the false easting of 500 km
    assert 551_000 < point.x < 552_200
    assert 1_080_000 < point.y < 1_083_000


def test_a_layer_without_a_crs_is_never_measured() -> None:
    layer = gpd.GeoDataFrame(geometry=[Point(105.5, 9.8)])
    with pytest.raises(CrsError, match="declare crs in its source.toml"):
        to_metric(layer)
    with pytest.raises(CrsError, match="area needs EPSG:5897, got no CRS"):
        require_metric(layer, "area")


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:3857", "EPSG:32648", "EPSG:9210"])
def test_a_measure_in_another_system_is_refused_with_the_next_move(squares, crs: str) -> None:
    zones = squares(a=(550_000, 1_080_000, 1_000)).to_crs(crs)
    with pytest.raises(CrsError, match=rf"length needs EPSG:5897, got {crs}; call to_metric"):
        require_metric(zones, "length")
    require_metric(to_metric(zones), "length")


def test_an_empty_layer_is_still_a_layer(squares) -> None:
    assert to_metric(squares().to_crs(DISPLAY_CRS)).crs == METRIC_CRS


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("EPSG:4326", "EPSG:4326"),
        ("urn:ogc:def:crs:EPSG::4326", "EPSG:4326"),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4326"),
        ("OGC:CRS84", "EPSG:4326"),
        ("urn:ogc:def:crs:EPSG::5897", "EPSG:5897"),
        ("epsg:5897", "EPSG:5897"),
    ],
)
def test_two_names_of_one_system_are_the_same(one: str, other: str) -> None:
    assert is_same_crs(one, other)
    assert is_same_crs(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("EPSG:4326", "EPSG:5897"),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:5897"),
        ("EPSG:4756", "EPSG:4326"),
        ("EPSG:5896", "EPSG:5897"),
        ("", ""),
        ("banana", "banana"),
        ("EPSG:999999", "EPSG:999999"),
    ],
)
def test_other_or_unknown_systems_are_not_the_same(one: str, other: str) -> None:
    assert not is_same_crs(one, other)
    assert not is_same_crs(other, one)


@pytest.mark.parametrize("crs", [DISPLAY_CRS, "EPSG:9210"])
def test_features_are_read_as_geopandas_reads_them(tmp_path: Path, crs: str) -> None:
    shapes = [Point(105.5, 9.8), None, Point()]
    texts = {"subject_id": ["a", "b", ""], "note": ["Hậu Giang", None, "x"], "n": [1, 2, 3]}
    told = gpd.GeoDataFrame(texts, geometry=gpd.GeoSeries(shapes, crs=crs))
    for name, layer in (("full", told), ("empty", told[:0])):
        path = tmp_path / f"{name}.parquet"
        layer.to_parquet(path, index=False)
        assert_geodataframe_equal(read_features(path), gpd.read_parquet(path))
