"""Big layers as vector tiles, and above them a grid of counts: every feature, none chosen.

A tile archive holds one zoom. The first one begins where no tile is too heavy; farther out the
map shows how many features lie in each cell, so that nothing is left out without a word.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

TILE_BYTES = 40_000
"""As much as a tile may weigh; it is estimated from what features and vertices have weighed."""

FEATURE_BYTES, VERTEX_BYTES = 12.0, 1.3
FIRST_ZOOM, LAST_ZOOM = 4, 14
DEEPEST_ZOOM = 12
"""Its units are 2.4 m: one pixel of the map's deepest view."""

ZOOMS_ON = 2
"""An archive serves so many zooms of the map before a finer one takes over."""

EXTENT = 4_096
"""Units along the side of a tile of the last archive; the others need fewer."""

DRAWN_ON = 1
"""The map draws the tiles of a zoom from so many zooms on."""

CELLS_ON = 2
"""A cell is a quarter of a tile's side: 64 pixels."""

SPOT_ZOOM = 16
"""Columns tell where a feature is by the tile of this zoom that it lies in."""

FINE_ZOOM = 24
"""A tile of this zoom is 2.4 m wide: fine enough to measure from."""

SMALL_VIEW_PX = 280
TILE_PX = 256
SPECK = 4
STRAY, PLAIN = 0.25, 50

Box = tuple[float, float, float, float]
NOTHING = np.iinfo("uint16").max


@dataclass(frozen=True)
class Grid:
    """Counts by cell at one zoom of the map.

    ``cells`` has ``x``, ``y`` (tile numbers at ``zoom`` + `CELLS_ON`) and a column a kind.
    """

    zoom: int
    cells: pd.DataFrame


def spots(lon: np.ndarray, lat: np.ndarray, zoom: int = SPOT_ZOOM) -> tuple[np.ndarray, np.ndarray]:
    """Return the column and row of the tile of that zoom in which each point lies.

    Degrees, EPSG:4326; a point that is not known (NaN) lies in none and gets the largest number
    of the type: two bytes up to `SPOT_ZOOM`, four beyond.
    """
    is_known = ~np.isnan(lon)
    size, kind = 1 << zoom, "uint16" if zoom <= SPOT_ZOOM else "uint32"
    x, y = _mercator(np.where(is_known, lon, 0), np.where(is_known, lat, 0))
    inside = [np.clip(np.floor(one * size), 0, size - 2).astype(kind) for one in (x, y)]
    column, row = (np.where(is_known, one, np.iinfo(kind).max).astype(kind) for one in inside)
    return column, row


def _mercator(lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how far east and south degrees lie on the square of all tiles, 0 to 1."""
    sine = np.sin(np.radians(np.clip(lat, -85, 85)))
    return lon / 360 + 0.5, 0.5 - np.log((1 + sine) / (1 - sine)) / (4 * np.pi)


def first_zoom(
    columns: np.ndarray, rows: np.ndarray, vertices: np.ndarray, sides: np.ndarray
) -> int:
    """Return the smallest zoom at which no tile is heavier than `TILE_BYTES`, as estimated.

    ``sides`` are width and height of each feature's box together, degrees: `in_units` leaves about
    as many vertices as there are units around it, or `PLAIN`.
    """
    is_known = columns != NOTHING
    x, y, vertices, sides = (one[is_known] for one in (columns, rows, vertices, sides))
    for zoom in range(FIRST_ZOOM, LAST_ZOOM):
        shift = SPOT_ZOOM - zoom
        tile = (x >> shift).astype("int64") << SPOT_ZOOM | (y >> shift)
        around = 2 * sides / (360 / (1 << zoom) / (TILE_PX << ZOOMS_ON + DRAWN_ON))
        weight = FEATURE_BYTES + VERTEX_BYTES * np.minimum(vertices, np.maximum(around, PLAIN))
        if pd.Series(weight).groupby(tile).sum().max() <= TILE_BYTES:
            return zoom
    return LAST_ZOOM


def tile_zooms(first: int) -> tuple[int, ...]:
    """Return the zooms of the archives, from the first to one that is fine enough."""
    zooms = [first]
    while zooms[-1] < DEEPEST_ZOOM:
        zooms.append(min(zooms[-1] + ZOOMS_ON, DEEPEST_ZOOM))
    return tuple(zooms)


def extents(zooms: Sequence[int]) -> tuple[int, ...]:
    """Return into how many units each archive divides a tile's side.

    A unit is no larger than a pixel where the next archive takes over; smaller ones would only
    be heavier.
    """
    told = [
        min(EXTENT, TILE_PX << (following - zoom + DRAWN_ON)) for zoom, following in pairwise(zooms)
    ]
    return (*told, EXTENT)


def grids(
    kinds: "pd.Series[str]", columns: np.ndarray, rows: np.ndarray, zooms: Sequence[int]
) -> list[Grid]:
    """Return the counts of each kind by cell, at each zoom of the map; unplaced ones in none."""
    is_known = columns != NOTHING
    kind, x, y = kinds.to_numpy()[is_known], columns[is_known], rows[is_known]
    made = []
    for zoom in zooms:
        shift = SPOT_ZOOM - zoom - CELLS_ON
        cells = pd.DataFrame({"kind": kind, "x": x >> shift, "y": y >> shift})
        counts = cells.groupby(["y", "x", "kind"]).size().unstack("kind", fill_value=0)
        made.append(Grid(zoom, counts.reset_index()))
    return made


def in_units(layer: gpd.GeoDataFrame, zoom: int, extent: int = EXTENT) -> gpd.GeoDataFrame:
    """Return the layer as the units of a zoom can show it.

    A shape of fewer than `SPECK` units would be cut away by the rounding of its corners: it is a
    point. One with more corners than there are units around its box keeps those that move its
    line by `STRAY` units or more.
    """
    unit = 360 / (1 << zoom) / extent
    shapes = layer.geometry.to_numpy().copy()
    edges = shapely.bounds(shapes)
    sides = edges[:, 2:] - edges[:, :2]
    is_small = sides.max(axis=1) < SPECK * unit
    shapes[is_small] = shapely.point_on_surface(shapes[is_small])
    is_dense = ~is_small & (shapely.get_num_coordinates(shapes) > 2 * sides.sum(axis=1) / unit)
    thinned = shapely.simplify(shapes[is_dense], STRAY * unit, preserve_topology=False)
    shapes[is_dense] = np.where(shapely.is_empty(thinned), shapes[is_dense], thinned)
    return layer.set_geometry(gpd.GeoSeries(list(shapes), index=layer.index, crs=layer.crs))


def tile_span(edges: np.ndarray, zoom: int, beside: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the first and the last tile, column and row, that boxes touch at a zoom.

    ``edges`` are west, south, east, north, degrees; ``beside`` is the share of a tile's side by
    which a box reaches farther than it lies.
    """
    size = 1 << zoom
    x, y = _mercator(edges[:, [0, 2]], edges[:, [3, 1]])
    spans = np.stack([x, y], axis=2) * size + np.array([-beside, beside])[None, :, None]
    low, high = np.clip(np.floor(spans), 0, size - 1).astype("int64").transpose(1, 0, 2)
    return low, high


def grid_rows(grid: Grid, kinds: Sequence[str]) -> list[int]:
    """Return a grid as numbers in a row: of each cell x, y and its count of each of ``kinds``.

    x and y say by how much more than the last cell's they are.
    """
    cells = grid.cells.reindex(columns=["x", "y", *kinds], fill_value=0).astype("int64")
    told = cells.to_numpy()
    told[1:, :2] = np.diff(told[:, :2], axis=0)
    return [int(one) for one in told.ravel()]


def farthest_zoom(box: Box | None) -> int:
    """Return the zoom at which a small screen shows all of a box."""
    if box is None:
        return 0
    west, south, east, north = box
    columns, rows = spots(np.array([west, east]), np.array([north, south]))
    across = max(int(columns[1]) - int(columns[0]), int(rows[1]) - int(rows[0]), 1) / 2**16
    return max(0, int(np.floor(np.log2(SMALL_VIEW_PX / TILE_PX / across))))
