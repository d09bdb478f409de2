"""Two coordinate systems and one gate: degrees for files and screens, metres for measuring."""

import functools
import json
from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyarrow.parquet as pq
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError as UnknownCrsError
from shapely.geometry.base import BaseGeometry

from geodata.errors import AtlasError
from geodata.region import here

DISPLAY_CRS = "EPSG:4326"
VN2000 = 4756


class CrsError(AtlasError):
    """A layer is in another coordinate system than the work needs."""


def metric_crs() -> str:
    """Return the zone in which the region that is being built is measured, in metres."""
    return here().crs


def to_metric(layer: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Reproject to the region's zone. CrsError where the layer has no CRS: it is never guessed."""
    if layer.crs is None:
        raise CrsError("a layer without a CRS cannot be measured; declare crs in its source.toml")
    return layer.to_crs(metric_crs())


def shapes_to_metric(shapes: Sequence[BaseGeometry]) -> list[BaseGeometry]:
    """Reproject shapes from EPSG:4326 to the region's zone; quick also where they are few."""
    zone = _to_zone(metric_crs())
    return list(
        shapely.transform(
            np.array(shapes, dtype="object"),
            lambda degrees: np.column_stack(zone.transform(degrees[:, 0], degrees[:, 1])),
        )
    )


@functools.cache
def _to_zone(zone: str) -> Transformer:
    return Transformer.from_crs(DISPLAY_CRS, zone, always_xy=True)


def read_features(path: Path) -> gpd.GeoDataFrame:
    """Read a GeoParquet file that the atlas wrote: shapes in ``geometry``, in the file's CRS.

    As geopandas does, but a system is looked up once: PROJ takes longer to find out by name what
    WGS 84 is made of than a file of the province takes to read.
    """
    table = pq.read_table(path)
    told = json.loads(table.schema.metadata[b"geo"])["columns"]["geometry"]["crs"]
    frame = table.to_pandas()
    shapes = gpd.GeoSeries.from_wkb(frame["geometry"], crs=_known(json.dumps(told)))
    return gpd.GeoDataFrame(frame, geometry=shapes)


@functools.cache
def _known(projjson: str) -> CRS:
    return CRS.from_json(projjson)


def require_metric(layer: gpd.GeoDataFrame, measure: str) -> None:
    """Raise CrsError unless the layer is in the region's zone."""
    needed = metric_crs()
    if layer.crs is None or layer.crs != needed:
        found = layer.crs.to_string() if layer.crs else "no CRS"
        raise CrsError(f"{measure} needs {needed}, got {found}; call to_metric() first")


def is_same_crs(one: str, other: str) -> bool:
    """Tell whether two names mean one known system, whatever the order of its axes."""
    try:
        known = CRS.from_user_input(other)
        return bool(CRS.from_user_input(one).equals(known, ignore_axis_order=True))
    except UnknownCrsError:
        return False


def is_vn2000_zone(name: str) -> bool:
    """Tell whether a name means a plane zone of VN-2000, in metres."""
    try:
        known = CRS.from_user_input(name)
    except UnknownCrsError:
        return False
    datum = known.geodetic_crs
    return known.is_projected and datum is not None and datum.to_epsg() == VN2000
