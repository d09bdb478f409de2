"""The polynomial that reads VN-2000 in the browser, against pyproj; what people type."""

import json
import math
import subprocess

import numpy as np
import pyproj
import pytest

from atlas.grid import ERROR_M, UNIT_M, grid, powers
from builds import PROJECT
from drawings import METRIC_CRS
from geodata.crs import DISPLAY_CRS

LIMIT = (104.82789, 8.95712, 106.39675, 10.494168)
SCRIPTS = PROJECT / "site" / "scripts" / "map"
READ = """
globalThis.document = { documentElement: { lang: 'en' } };
globalThis.ATLAS_LAYERS = { words: {} };
globalThis.ATLAS_FIND = { words: {}, grid: JSON.parse(process.argv[1]) };
for (const part of ['base', 'point']) { require(process.argv[2] + '/' + part + '.js'); }
const told = JSON.parse(process.argv[3]).map((text) => Atlas.point.read(text));
process.stdout.write(JSON.stringify(told));
"""


def read(*texts: str) -> list[dict[str, object] | None]:
    """Return what the browser's own script makes of what somebody types."""
    done = subprocess.run(
        ["node", "-e", READ, json.dumps(grid(LIMIT)), str(SCRIPTS), json.dumps(texts)],
        capture_output=True, text=True, encoding="utf-8", check=True,
    )  # fmt: skip
    return list(json.loads(done.stdout))


def test_the_polynomial_is_off_by_less_than_it_says_everywhere_on_the_map() -> None:
    told, (west, south, east, north) = grid(LIMIT), LIMIT
    inner = np.linspace(0.003, 0.997, 41)
    longitudes, latitudes = np.meshgrid(
        west + inner * (east - west), south + inner * (north - south)
    )
    forth = pyproj.Transformer.from_crs(DISPLAY_CRS, METRIC_CRS, always_xy=True)
    eastings, northings = forth.transform(longitudes.ravel(), latitudes.ravel())
    u, v = (eastings - told["centre"][0]) / UNIT_M, (northings - told["centre"][1]) / UNIT_M
    terms = np.stack([u**i * v**j for i, j in powers()], axis=1)
    metres = np.hypot(
        (terms @ np.array(told["longitude"]) - longitudes.ravel()) * 111_000,
        (terms @ np.array(told["latitude"]) - latitudes.ravel()) * 111_000,
    )
    assert metres.max() < ERROR_M
    assert grid(LIMIT) == told


DEGREES = (
    *("9.8123, 105.6789", "9.8123 105.6789", "9.8123,105.6789", "9,8123; 105,6789"),
    *("9,8123 105,6789", "9,8123, 105,6789", "105.6789, 9.8123", "9.8123° N, 105.6789° E"),
    *("9,8123° B, 105,6789° Đ", "N 9.8123 E 105.6789", "E105.6789 N9.8123"),
    *("105.6789E 9.8123N", "9°48'44.28\"N 105°40'44.04\"E", "9°48′44,28″B 105°40′44,04″Đ"),
    *("9º48.738' 105º40.734'", "Vĩ độ 9.8123, kinh độ 105.6789", "lat: 9.8123 lng: 105.6789"),
    *("(9.8123, 105.6789)", "WGS 84: 9.8123/105.6789"),
)
METRES = (
    *("1085000 574500", "574500, 1085000", "1.085.000; 574.500", "1,085,000 574,500"),
    *("1 085 000; 574 500", "X=1085000 Y=574500", "X (bắc) 1.085.000,0; Y (đông) 574.500,0"),
    *("1085000.00,574500.00", "VN-2000 1085000 574500"),
)
TEXTS = (
    *("", "song hau", "KCN Sông Hậu 2", "61C", "926", "1496/QĐ-TTg", "105", "13 21", "9.8"),
    *("NBE", "9.8 105.6 7.5", "1085000", "1 085 000 574 500", "DT 931 932"),
)
OUTSIDE = ("21.03, 105.85", "2085000 574500", "0.5, 0.5")


def test_degrees_are_read_in_the_forms_that_people_write() -> None:
    for text, told in zip(DEGREES, read(*DEGREES), strict=True):
        assert told, text
        assert told["at"] == pytest.approx([9.8123, 105.6789], abs=1e-5), text


def test_metres_are_read_in_the_province_s_zone() -> None:
    back = pyproj.Transformer.from_crs(METRIC_CRS, DISPLAY_CRS, always_xy=True)
    longitude, latitude = back.transform(574_500, 1_085_000)
    for text, told in zip(METRES, read(*METRES), strict=True):
        assert told, text
        at = told["at"]
        assert math.hypot(at[0] - latitude, at[1] - longitude) * 111_000 < ERROR_M, text
        assert told["how"] == "point_vn"


def test_what_is_no_pair_of_coordinates_is_searched_as_text() -> None:
    assert dict(zip(TEXTS, read(*TEXTS), strict=True)) == dict.fromkeys(TEXTS)


def test_a_point_off_the_map_is_not_taken_and_that_is_told() -> None:
    assert read(*OUTSIDE) == [{"at": None, "how": "point_outside"}] * len(OUTSIDE)
