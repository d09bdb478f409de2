"""Overpass replies: the one place that knows how OpenStreetMap tells a way."""

import json
from collections.abc import Mapping
from typing import Any

import geopandas as gpd
from shapely import LineString

from geodata.crs import DISPLAY_CRS
from geodata.dates import is_date
from geodata.errors import SourceError


def read_overpass(source_id: str, content: bytes) -> gpd.GeoDataFrame:
    """Read an ``out geom`` reply: one row a way, EPSG:4326, columns osm_id, name, waterway, as_of.

    An error reply comes with status 200 and a ``remark``: it is refused, as is a reply without
    ways. SourceError tells which.
    """
    try:
        reply = json.loads(content)
        remark = reply.get("remark")
        ways = [] if remark else _read_ways(reply["elements"])
    except (LookupError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise SourceError(
            source_id, "file_is_of_its_format", f"the reply is no Overpass JSON: {error!r}"
        ) from error
    if remark:
        raise SourceError(source_id, "query_succeeded", f"the server remarks: {str(remark)[:200]}")
    if not ways:
        raise SourceError(source_id, "file_is_not_empty", "the reply holds no way with a geometry")
    layer = gpd.GeoDataFrame(ways, geometry="geometry", crs=DISPLAY_CRS)
    return layer.assign(as_of=_as_of(reply))


def _read_ways(elements: list[dict[str, Any]]) -> list[dict[str, object]]:
    return [
        {
            "osm_id": str(way["id"]),
            "name": str(way.get("tags", {}).get("name", "")),
            "waterway": str(way.get("tags", {}).get("waterway", "")),
            "geometry": LineString([_read_point(p) for p in way["geometry"]]),
        }
        for way in elements
        if way.get("type") == "way" and len(way.get("geometry") or ()) > 1
    ]


def _read_point(point: Mapping[str, float]) -> tuple[float, float]:
    longitude, latitude = float(point["lon"]), float(point["lat"])
    if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
        raise ValueError(f"{longitude}, {latitude} are no degrees")
    return longitude, latitude


def _as_of(reply: dict[str, Any]) -> str:
    """Return the day of the data base the reply was made from, or "" where it does not say."""
    told = reply.get("osm3s")
    stamp = str(told.get("timestamp_osm_base", ""))[:10] if isinstance(told, dict) else ""
    return stamp if is_date(stamp) else ""
