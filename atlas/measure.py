"""Numbers with a unit: areas, lengths, distances, and how complete a record is.

Geometry is measured in EPSG:5897 and nowhere else.
"""

from collections.abc import Mapping, Sequence

import geopandas as gpd
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
    """Planar area in hectares; the layer must be in EPSG:5897."""
    require_metric(layer, "area")
    return layer.area / SQUARE_METRES_PER_HECTARE


def length_km(layer: gpd.GeoDataFrame) -> "pd.Series[float]":
    """Planar length in kilometres; the layer must be in EPSG:5897."""
    require_metric(layer, "length")
    return layer.length / METRES_PER_KM


def completeness_pct(kind: str, known: Mapping[str, bool]) -> tuple[int, tuple[str, ...]]:
    """Return the share, 0-100 and rounded down, of `EXPECTED` that is known, and what is not."""
    expected: Sequence[str] = EXPECTED.get(kind, EXPECTED["route"])
    missing = tuple(name for name in expected if not known.get(name, False))
    return 100 * (len(expected) - len(missing)) // len(expected), missing
