"""Overpass replies: the one place that knows how OpenStreetMap tells a way."""

import json

import geopandas as gpd
from shapely import LineString

from geodata.crs import DISPLAY_CRS
from geodata.errors import SourceError


def read_overpass(source_id: str, content: bytes) -> gpd.GeoDataFrame:
    """Read an ``out geom`` reply: one row a way, EPSG:4326, columns osm_id, name, waterway.

    An error reply comes with status 200 and a ``remark``: it is refused, as is a reply without
    ways. SourceError tells which.
    """
    try:
        reply = json.loads(content)
        elements = reply["elements"]
    except (ValueError, KeyError, TypeError) as error:
        raise SourceError(
            source_id, "file_is_of_its_format", f"the reply is no Overpass JSON: {error!r}"
        ) from error
    if reply.get("remark"):
        raise SourceError(
            source_id, "query_succeeded", f"the server remarks: {str(reply['remark'])[:200]}"
        )
    ways = [e for e in elements if e.get("type") == "way" and len(e.get("geometry") or ()) > 1]
    if not ways:
        raise SourceError(source_id, "file_is_not_empty", "the reply holds no way with a geometry")
    return gpd.GeoDataFrame(
        {
            "osm_id": [str(way["id"]) for way in ways],
            "name": [str(way.get("tags", {}).get("name", "")) for way in ways],
            "waterway": [str(way.get("tags", {}).get("waterway", "")) for way in ways],
        },
        geometry=[LineString([(p["lon"], p["lat"]) for p in way["geometry"]]) for way in ways],
        crs=DISPLAY_CRS,
    )
