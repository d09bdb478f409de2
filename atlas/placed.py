"""Where every subject is, its shape on disk: what the steps ask of a shape is measured once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from atlas.measure import METRES_PER_KM, SQUARE_METRES_PER_HECTARE
from geodata.crs import DISPLAY_CRS, shapes_to_metric
from geodata.shapes import Shapes, ShapeWriter

FRAME, DEGREES, METRES = "positions.parquet", "positions.wkb", "positions.metric.wkb"
POINT = int(shapely.GeometryType.POINT)
LINES = (int(shapely.GeometryType.LINESTRING), int(shapely.GeometryType.MULTILINESTRING))
AREAS = (int(shapely.GeometryType.POLYGON), int(shapely.GeometryType.MULTIPOLYGON))
EDGES = ["west", "south", "east", "north"]
METRIC_EDGES = ["left", "bottom", "right", "top"]

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Positions:
    """One position a subject, sorted by subject.

    ``frame`` holds the columns of `positions.COLUMNS` but the geometry, and what `measured` tells;
    its index is the number of the shape in ``shapes`` (EPSG:4326) and in ``metric`` (the region's
    zone, metres).
    """

    frame: pd.DataFrame
    shapes: Shapes
    metric: Shapes

    @classmethod
    def write(cls, frame: pd.DataFrame, parts: Iterable[Array], folder: Path) -> Self:
        """Write the shapes of a frame, which come in parts in its order, EPSG:4326."""
        told = []
        degrees, metres = folder / DEGREES, folder / METRES
        with ShapeWriter(degrees) as given, ShapeWriter(metres) as metric:
            for shapes in parts:
                in_metres = np.array(shapes_to_metric(list(shapes)), dtype=object)
                given.add(shapes)
                metric.add(in_metres)
                told.append(measured(shapes, in_metres))
        nothing = np.empty(0, dtype=object)
        measures = pd.concat(told or [measured(nothing, nothing)], ignore_index=True)
        whole = pd.concat([frame.reset_index(drop=True), measures], axis=1)
        return cls(whole, Shapes(degrees), Shapes(metres))

    def save(self) -> Path:
        """Write the frame beside the shapes, all of it, and return its path."""
        path = self.shapes.path.with_name(FRAME)
        self.frame.to_parquet(path, index=False)
        return path

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `save` wrote; no shape yet."""
        folder = path.parent
        return cls(pd.read_parquet(path), Shapes(folder / DEGREES), Shapes(folder / METRES))

    def only(self, is_kept: Array) -> Self:
        """Return some of them."""
        return replace(self, frame=self.frame[is_kept])

    def __len__(self) -> int:
        return len(self.frame)

    def numbers(self) -> Array:
        """Return the number of each one's shape."""
        return self.frame.index.to_numpy(dtype="int64")

    def spans(self) -> Iterator[slice]:
        """Yield slices of the rows whose shapes are read together."""
        return self.shapes.spans(self.numbers())

    def layer(self, rows: slice | Array = slice(None)) -> gpd.GeoDataFrame:
        """Return some of them with their shapes, EPSG:4326."""
        frame = self.frame.iloc[rows]
        shapes = self.shapes.read(self.numbers()[rows])
        return gpd.GeoDataFrame(frame, geometry=list(shapes), crs=DISPLAY_CRS)


def measured(shapes: Array, metric: Array) -> pd.DataFrame:
    """Return what is asked of shapes (EPSG:4326) and of the same in metres, one row a shape.

    ``type_id`` of shapely, ``corners``, ``lon`` and ``lat`` of a point on it, its `EDGES` in
    degrees and its `METRIC_EDGES`, ``x`` and ``y`` of its middle in metres, ``area_ha`` and
    ``length_km``.
    """
    spots = shapely.get_coordinates(shapely.point_on_surface(shapely.force_2d(shapes)))
    middles = shapely.get_coordinates(shapely.centroid(metric))
    told = {
        "type_id": shapely.get_type_id(shapes).astype("int8"),
        "corners": shapely.get_num_coordinates(shapes).astype("int64"),
        "lon": spots[:, 0],
        "lat": spots[:, 1],
        **dict(zip(EDGES, shapely.bounds(shapes).T, strict=True)),
        **dict(zip(METRIC_EDGES, shapely.bounds(metric).T, strict=True)),
        "x": middles[:, 0],
        "y": middles[:, 1],
        "area_ha": shapely.area(metric) / SQUARE_METRES_PER_HECTARE,
        "length_km": shapely.length(metric) / METRES_PER_KM,
    }
    return pd.DataFrame(told)


def is_of(frame: pd.DataFrame, *types: int) -> Array:
    """Tell of each row whether its shape is of one of these types."""
    return frame["type_id"].isin(types).to_numpy()
