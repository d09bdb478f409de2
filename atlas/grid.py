"""How the map reads a typed coordinate of the region's zone: a polynomial, no projection there.

The browser evaluates it; `pyproj` made it, over the ground that the map shows.
"""

import functools

import numpy as np
import pyproj

from atlas.layers import Json
from geodata.crs import DISPLAY_CRS, metric_crs
from geodata.region import Box

DEGREE = 3
SAMPLES = 25
UNIT_M = 100_000.0
DECIMALS = 9
"""Of a degree: a tenth of a millimetre."""

ERROR_M = 0.5
"""What the polynomial may be off; VN-2000 itself is known to about a metre in WGS 84."""


def powers() -> list[tuple[int, int]]:
    """Return the exponents of easting and northing of each term, in the order of the numbers."""
    return [(i, j) for i in range(DEGREE + 1) for j in range(DEGREE + 1 - i)]


def grid(limit: Box) -> dict[str, Json]:
    """Return the terms that turn metres of the region's zone into degrees within ``limit``.

    With u and v the easting and northing from ``centre`` in units of 100 km, a degree is the sum
    of number x u^i x v^j over `powers`.
    """
    return _grid(limit, metric_crs())


@functools.lru_cache(maxsize=8)
def _grid(limit: Box, zone: str) -> dict[str, Json]:
    west, south, east, north = limit
    outward = pyproj.Transformer.from_crs(DISPLAY_CRS, zone, always_xy=True)
    corners = outward.transform([west, east, west, east], [south, south, north, north])
    eastings, northings = (np.asarray(values) for values in corners)
    centre = [round(float(values.mean())) for values in (eastings, northings)]
    across, up = np.meshgrid(
        np.linspace(eastings.min(), eastings.max(), SAMPLES),
        np.linspace(northings.min(), northings.max(), SAMPLES),
    )
    back = pyproj.Transformer.from_crs(zone, DISPLAY_CRS, always_xy=True)
    longitudes, latitudes = back.transform(across.ravel(), up.ravel())
    u, v = ((flat.ravel() - c) / UNIT_M for flat, c in zip((across, up), centre, strict=True))
    terms = np.stack([u**i * v**j for i, j in powers()], axis=1)
    return {
        "centre": list[Json](centre),
        "limit": [round(edge, 4) for edge in limit],
        "latitude": _fitted(terms, latitudes),
        "longitude": _fitted(terms, longitudes),
    }


def _fitted(terms: np.ndarray, degrees: np.ndarray) -> list[Json]:
    numbers, *_ = np.linalg.lstsq(terms, degrees, rcond=None)
    return [round(float(number), DECIMALS) for number in numbers]
