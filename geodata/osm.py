"""How OpenStreetMap tells roads, waterways, ports and industrial land: replies and extracts.

Both readers give one row a way, area or point, EPSG:4326, with the columns of `COLUMNS`; ``what``
is one of ``road``, ``waterway``, ``port`` and ``industrial``, or "" for anything else.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import geopandas as gpd
import shapely
from shapely import LineString, Point
from shapely.geometry.base import BaseGeometry

from geodata.crs import DISPLAY_CRS
from geodata.dates import is_date
from geodata.errors import SourceError

OTHER_NAMES = ("name:vi", "alt_name", "official_name", "old_name", "short_name", "loc_name")
COLUMNS = ("osm_id", "what", "name", "other_names", "ref", "waterway", "geometry")

Row = dict[str, object]


def what_is(tags: Mapping[str, str]) -> str:
    """Return what something is by its tags; "" where it is none of what the atlas looks for."""
    if tags.get("landuse") == "port" or tags.get("industrial") == "port" or "harbour" in tags:
        return "port"
    if tags.get("landuse") == "industrial":
        return "industrial"
    if "highway" in tags:
        return "road"
    return "waterway" if "waterway" in tags else ""


def row_of(osm_id: str, tags: Mapping[str, str], geometry: BaseGeometry) -> Row:
    """Return the row of one object."""
    others = [tags[name] for name in OTHER_NAMES if name in tags]
    return {
        "osm_id": osm_id,
        "what": what_is(tags),
        "name": str(tags.get("name", "")),
        "other_names": ";".join(others),
        "ref": str(tags.get("ref", "")),
        "waterway": str(tags.get("waterway", "")),
        "geometry": geometry,
    }


def layer_of(rows: list[Row], as_of: str) -> gpd.GeoDataFrame:
    """Return the rows as a layer of one day."""
    layer = gpd.GeoDataFrame(rows, columns=COLUMNS, geometry="geometry", crs=DISPLAY_CRS)
    return layer.assign(as_of=as_of)


def read_overpass(source_id: str, content: bytes) -> gpd.GeoDataFrame:
    """Read an ``out geom`` reply.

    An error reply comes with status 200 and a ``remark``: it is refused, as is a reply without
    anything that has a geometry. SourceError tells which.
    """
    try:
        reply = json.loads(content)
        remark = reply.get("remark")
        rows = [] if remark else _read_elements(reply["elements"])
    except (LookupError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise SourceError(
            source_id, "file_is_of_its_format", f"the reply is no Overpass JSON: {error!r}"
        ) from error
    if remark:
        raise SourceError(source_id, "query_succeeded", f"the server remarks: {str(remark)[:200]}")
    if not rows:
        raise SourceError(source_id, "file_is_not_empty", "the reply holds no way with a geometry")
    return layer_of(rows, _as_of(reply))


def _read_elements(elements: list[dict[str, Any]]) -> list[Row]:
    readers = {"way": _read_way, "node": _read_node, "relation": _read_relation}
    rows = [readers[e["type"]](e) for e in elements if e.get("type") in readers]
    return [row for row in rows if row is not None]


def _read_way(way: dict[str, Any]) -> Row | None:
    points = [_read_point(p) for p in way.get("geometry") or ()]
    tags = way.get("tags", {})
    return row_of(str(way["id"]), tags, shaped(points, tags)) if len(points) > 1 else None


def _read_node(node: dict[str, Any]) -> Row | None:
    tags = node.get("tags", {})
    return row_of(f"node/{node['id']}", tags, Point(_read_point(node))) if tags else None


def _read_relation(relation: dict[str, Any]) -> Row | None:
    lines = [
        (str(member.get("role", "")), [_read_point(p) for p in member["geometry"]])
        for member in relation.get("members") or ()
        if member.get("type") == "way" and len(member.get("geometry") or ()) > 1
    ]
    area = area_of(lines)
    told = f"relation/{relation['id']}"
    return row_of(told, relation.get("tags", {}), area) if area is not None else None


def shaped(points: list[tuple[float, float]], tags: Mapping[str, str]) -> BaseGeometry:
    """Return the outline that a closed way round a port or industrial land is, or its line."""
    is_area = what_is(tags) in ("port", "industrial") and points[0] == points[-1]
    return shapely.Polygon(points) if is_area and len(points) > 3 else LineString(points)


def area_of(lines: Iterable[tuple[str, list[tuple[float, float]]]]) -> BaseGeometry | None:
    """Return the area that the ways of a multipolygon close, less its holes, if any."""
    parts: dict[bool, list[BaseGeometry]] = {False: [], True: []}
    for role, points in lines:
        parts[role == "inner"].append(LineString(points))
    outer, holes = (
        shapely.union_all(shapely.get_parts(shapely.polygonize(parts[is_inner])))
        for is_inner in (False, True)
    )
    area = shapely.difference(outer, holes)
    return None if area.is_empty else area


def _read_point(point: Mapping[str, float]) -> tuple[float, float]:
    longitude, latitude = float(point["lon"]), float(point["lat"])
    if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
        raise ValueError(f"{longitude}, {latitude} are no degrees")
    return longitude, latitude


def _as_of(reply: dict[str, Any]) -> str:
    """Return the day of the data base the reply was made from, or "" where it does not say."""
    told = reply.get("osm3s")
    return day_of(str(told.get("timestamp_osm_base", ""))) if isinstance(told, dict) else ""


def day_of(stamp: str) -> str:
    """Return the day of an instant as text, or "" where it is none."""
    return stamp[:10] if is_date(stamp[:10]) else ""
