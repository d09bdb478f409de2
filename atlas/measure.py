"""Numbers with a unit: areas, lengths, distances, and how complete a record is.

Geometry is measured in the region's zone and nowhere else.
"""

import geopandas as gpd
import numpy as np
import pandas as pd

from geodata.crs import require_metric

SQUARE_METRES_PER_HECTARE = 10_000
METRES_PER_KM = 1_000

EXPECTED = {
    "industrial_park": (
        "area",
        "commune",
        "position",
        "stage",
        "act",
        "developer",
        "capital",
        "occupancy",
        "price",
        "sectors",
    ),
    "industrial_cluster": (
        "area",
        "commune",
        "position",
        "stage",
        "act",
        "developer",
        "occupancy",
        "sectors",
    ),
    "logistics_centre": ("area", "commune", "position", "stage", "developer", "capital"),
    "logistics_site": ("area", "commune", "position", "stage"),
    "port": ("commune", "position", "stage", "act"),
    "power_plant": ("area", "commune", "position", "stage", "developer", "capital", "capacity"),
    "plant": ("area", "commune", "position", "stage", "capital", "capacity"),
    "route": ("length", "alignment", "position", "stage", "capital", "promise"),
}
"""What a whole record of each kind tells; the public method of completeness."""


def area_ha(layer: gpd.GeoDataFrame) -> "pd.Series[float]":
    """Planar area in hectares; the layer must be in the region's zone."""
    require_metric(layer, "area")
    return layer.area / SQUARE_METRES_PER_HECTARE


def length_km(layer: gpd.GeoDataFrame) -> "pd.Series[float]":
    """Planar length in kilometres; the layer must be in the region's zone."""
    require_metric(layer, "length")
    return layer.length / METRES_PER_KM


def completeness(kinds: "pd.Series[str]", known: pd.DataFrame) -> pd.DataFrame:
    """Return for each subject how much of `EXPECTED` of its kind is known, and what is not.

    ``known`` has a column of truth a field, indexed as ``kinds``. ``completeness_pct`` is 0-100,
    rounded down; ``missing`` joins the names by ``;``.
    """
    parts = []
    for kind, mine in known.groupby(kinds.to_numpy()):
        expected = EXPECTED.get(str(kind), EXPECTED["route"])
        lacking = ~mine[list(expected)].to_numpy()
        patterns, which = np.unique(lacking, axis=0, return_inverse=True)
        told = [";".join(np.array(expected)[pattern]) for pattern in patterns]
        percent = 100 * (len(expected) - lacking.sum(axis=1)) // len(expected)
        missing = pd.Series(told, dtype="str").take(which.ravel()).set_axis(mine.index)
        parts.append(pd.DataFrame({"completeness_pct": percent, "missing": missing}))
    empty = pd.DataFrame({"completeness_pct": [], "missing": []})
    whole = pd.concat(parts) if parts else empty
    return whole.astype({"completeness_pct": "int64", "missing": "str"}).reindex(kinds.index)
