"""The communes and waterways under the records, as tiles where there are too many to draw."""

import re
from collections.abc import Mapping

import geopandas as gpd
import pandas as pd
import shapely

from atlas.layers import commune_layer, ground_over, tiled_ground
from atlas.records import Book
from atlas.words import Words
from geodata.crs import DISPLAY_CRS

WATER = 1
"""The look of a waterway; a commune's is 0."""


def ground_layer(book: Book, words: Mapping[str, Words]) -> gpd.GeoDataFrame | None:
    """Return what stands in the ground's tiles: ``n``, ``look`` and the names ``vi`` and ``en``.

    None where neither layer is tiled. Communes are polygons where there are any, else points.
    """
    draws = tiled_ground(book)
    parts = [_units(book, words)] if "units" in draws else []
    if "water" in draws and book.waterways is not None:
        parts.append(_water(book.waterways))
    if not parts:
        return None
    layer = pd.concat(parts, ignore_index=True)
    layer.insert(0, "n", range(len(layer)))
    return layer


def ground_count(
    units: pd.DataFrame,
    communes: gpd.GeoDataFrame | None,
    waterways: gpd.GeoDataFrame | None,
    over: int,
) -> int:
    """Return how many features the ground's tiles hold, told from the tables it is drawn from.

    A commune has a polygon or a point, or is drawn nowhere; what has no line is no waterway.
    """
    draws, count = ground_over(units, waterways, over), 0
    if "units" in draws:
        told = units[units["level"] == "commune"]
        known = (told["longitude"].fillna("") != "") & (told["latitude"].fillna("") != "")
        drawn = set() if communes is None else set(communes["unit_id"])
        count += int((known | told["unit_id"].isin(drawn)).sum())
    if "water" in draws and waterways is not None:
        count += int(_is_drawn(waterways).sum())
    return count


def _is_drawn(layer: gpd.GeoDataFrame) -> "pd.Series[bool]":
    return layer.geometry.notna() & ~layer.geometry.is_empty


def _units(book: Book, words: Mapping[str, Words]) -> gpd.GeoDataFrame:
    told = book.tables["communes"]
    rows = told[told["level"] == "commune"].sort_values("unit_id").set_index("unit_id")
    lon, lat = (pd.to_numeric(rows[name], errors="coerce") for name in ("longitude", "latitude"))
    shapes = pd.Series(shapely.points(lon, lat), rows.index)
    shapes[lon.isna() | lat.isna()] = None
    drawn = commune_layer(book)
    if drawn is not None:
        known = drawn.set_index("unit_id").geometry.reindex(rows.index)
        shapes = known.where(known.notna(), shapes)
    names = {
        lang: [_level(one).sub("", name) for name in rows[f"name_{lang}"]]
        for lang, one in words.items()
    }
    layer = gpd.GeoDataFrame({"look": 0, **names}, geometry=list(shapes), crs=DISPLAY_CRS)
    return layer[layer.geometry.notna()]


def _level(words: Words) -> re.Pattern[str]:
    return re.compile(words("map.level_words"))


def _water(waterways: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    drawn = waterways[_is_drawn(waterways)]
    names = drawn["name"].fillna("") if "name" in drawn else ""
    told = {"look": WATER, "vi": names, "en": names}
    return gpd.GeoDataFrame(told, geometry=drawn.geometry, crs=drawn.crs).to_crs(DISPLAY_CRS)
