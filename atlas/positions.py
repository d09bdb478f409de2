"""Where is it, and how well do we know? The best position of every place and route.

A surveyed or drawn position wins over OpenStreetMap, that over a schematic line through the
places a source names, and that over a commune's point. Nothing here invents an alignment: a
route of which one place is known is that place.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely import LineString, Point
from shapely.geometry.base import BaseGeometry

from atlas.placed import POINT, Array, Positions, is_of
from geodata.cells import among, by_value, parts_of, rows_of
from geodata.crs import DISPLAY_CRS, metric_crs
from geodata.region import here
from geodata.schema import POSITION_METHODS
from geodata.shapes import Shapes

OSM_ACCURACY_M = 100.0
"""Cautious: the stored ways are quantised to about 25 m, and banks are wide."""

SPREAD_M = 1_300.0
"""Distance between places drawn apart in one commune; less where the commune is narrow."""

UNPLACED_M = 25_000.0
"""A position worse than this is drawn below the province, not in it."""

ROW_STEP_M = 2_500.0
ROW_BELOW_M = 12_000.0

PUBLISHED_GRID = 1e-6
"""Degrees: about 0.1 m."""

INNER_PART = 0.45
"""Share of the accuracy radius within which places are drawn apart."""

GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))
COLUMNS = [
    "subject_id",
    "method",
    "accuracy_m",
    "as_of",
    "document_ids",
    "note_vi",
    "note_en",
    "geometry",
]
NUMBER = "shape"
"""The column of an accepted position that says which shape is its; -1 where it was made here."""

LOCATED_BY = ["place_id", "commune_ids", "district_ids"]
Tables = Mapping[str, pd.DataFrame]

NOTES = {
    "osm": ("Hình học của OpenStreetMap", "Geometry from OpenStreetMap"),
    "commune_point": (
        "Chỉ biết thuộc xã, phường này; vẽ quanh điểm đại diện của xã, phường",
        "Known only to lie in this commune; drawn around the commune's point",
    ),
    "district": (
        "Chỉ biết thuộc huyện, thị xã, thành phố cũ này",
        "Known only to lie in this old district",
    ),
    "province": ("Chỉ biết thuộc {area}", "Known only to lie in {area}"),
    "nodes": (
        "Đường nối sơ đồ qua các nơi mà nguồn nêu tên, không phải hướng tuyến",
        "A schematic line through the places that the sources name, not the alignment",
    ),
    "node": (
        "Mới biết một nơi tuyến đi qua; chưa biết hướng tuyến",
        "Only one place on the route is known; its alignment is not",
    ),
}


def best_positions(
    tables: Tables, given: Shapes, folder: Path, offered: Sequence[list[object]] = ()
) -> Positions:
    """Return one position a subject, sorted by subject: the best known.

    ``given`` are the shapes of the table of positions, by the number in its rows; those of the
    best are written into ``folder``. ``offered`` are rows of `COLUMNS` beside those of the tables.
    Ties within a method go to the smaller ``accuracy_m``, then the newer ``as_of``, then the
    smaller position id.
    """
    known = pd.concat([_given(tables["positions"]), _frame(offered)], ignore_index=True)
    better = known["method"].map(POSITION_METHODS.index) < POSITION_METHODS.index("schematic")
    placed = set(known.loc[better, "subject_id"])
    derived = _frame([*_from_nodes(tables, placed), *_from_units(tables, placed)])
    derived = derived.assign(as_of=_newest(derived["document_ids"], tables["documents"]))
    layer = pd.concat([known, derived], ignore_index=True)
    layer["_method"] = layer["method"].map(POSITION_METHODS.index)
    layer["_newness"] = layer["as_of"].rank(method="dense", ascending=False)
    ordered = layer.sort_values(["subject_id", "_method", "accuracy_m", "_newness"], kind="stable")
    best = ordered.drop_duplicates("subject_id").drop(columns=["_method", "_newness"])
    frame = best.drop(columns=["geometry", NUMBER])
    return Positions.write(frame, _shapes_of(best, given), folder)


def _shapes_of(best: pd.DataFrame, given: Shapes) -> Iterator[Array]:
    """Yield the shapes of the best positions in parts: those that are read, and those made here."""
    numbers, made = best[NUMBER].to_numpy("int64"), best["geometry"].to_numpy(dtype=object)
    for span in given.spans(numbers):
        yield np.where(numbers[span] < 0, made[span], given.read(numbers[span]))


def _frame(rows: Sequence[list[object]]) -> pd.DataFrame:
    texts = dict.fromkeys([c for c in COLUMNS if c not in ("accuracy_m", "geometry")], "str")
    frame = pd.DataFrame(rows, columns=COLUMNS)
    frame = frame.astype({**texts, "accuracy_m": "float64", "geometry": "object"})
    return frame.assign(**{NUMBER: -1})


def _newest(cited: "pd.Series[str]", documents: pd.DataFrame) -> "pd.Series[str]":
    """Date a derived position by the newest of its documents, or by the day one was read."""
    days = {
        row["document_id"]: row["published_on"] or row["retrieved_on"] for row in rows_of(documents)
    }
    return by_value(cited, lambda cell: max((days.get(d, "") for d in parts_of(cell)), default=""))


def _given(positions: pd.DataFrame) -> pd.DataFrame:
    ordered = positions.assign(geometry=None).sort_values("position_id")[[*COLUMNS, NUMBER]]
    return ordered.astype({"accuracy_m": "float64", "geometry": "object"})


@dataclass(frozen=True)
class Told:
    """What is said of a derived position: its method, accuracy, note and documents."""

    method: str
    accuracy_m: float
    note: str
    document_ids: str
    as_of: str = ""

    def at(self, subject_id: str, geometry: BaseGeometry) -> list[object]:
        """Return the row of `COLUMNS` for a subject."""
        cited = ";".join(dict.fromkeys(parts_of(self.document_ids)))
        vi, en = NOTES[self.note]
        notes = vi.format(area=here().area_vi), en.format(area=here().area_en)
        return [subject_id, self.method, self.accuracy_m, self.as_of, cited, *notes, geometry]


def units_of(communes: pd.DataFrame) -> pd.DataFrame:
    """Return the units that have a middle, by id: where it is, and their radius ``reach_m``."""
    units = communes.set_index("unit_id")
    numbers: pd.DataFrame = units[["longitude", "latitude", "reach_m"]].apply(
        pd.to_numeric, errors="coerce"
    )
    return numbers.assign(document_ids=units["document_ids"]).dropna()


def _from_nodes(tables: Tables, placed: Collection[str]) -> list[list[object]]:
    units = units_of(tables["communes"])
    routes = tables["routes"]
    found = []
    for row in rows_of(routes[~among(routes["route_id"], placed)]):
        nodes = [n for n in parts_of(row["node_ids"]) if n in units.index]
        points = [tuple(units.loc[n, ["longitude", "latitude"]]) for n in nodes]
        if nodes:
            reach = float(units.loc[nodes, "reach_m"].max())
            line = LineString(points) if len(set(points)) > 1 else Point(points[0])
            note = "nodes" if len(set(points)) > 1 else "node"
            cited = ";".join([row["document_ids"], *units.loc[nodes, "document_ids"]])
            found.append(Told("schematic", reach, note, cited).at(row["route_id"], line))
        elif not units.empty:
            told, point = _in_province(units)
            found.append(told.at(row["route_id"], point))
    return found


def _from_units(tables: Tables, placed: Collection[str]) -> list[list[object]]:
    units = units_of(tables["communes"])
    places = tables["places"]
    if units.empty:
        return []
    known: dict[tuple[str, str], tuple[Told, Point]] = {}
    found = []
    for row in rows_of(places.loc[~among(places["place_id"], placed), LOCATED_BY]):
        cells = row["commune_ids"], row["district_ids"]
        if cells not in known:
            known[cells] = _in_units(*cells, units)
        told, point = known[cells]
        found.append(told.at(row["place_id"], point))
    return found


def _in_units(communes: str, districts: str, units: pd.DataFrame) -> tuple[Told, Point]:
    """Stand in the communes that are named, else in the old districts, else in the province."""
    for cell, method, note in (
        (communes, "commune_point", "commune_point"),
        (districts, "schematic", "district"),
    ):
        named = units.loc[[u for u in parts_of(cell) if u in units.index]]
        if not named.empty:
            return _around(method, note, named)
    return _in_province(units)


def _in_province(units: pd.DataFrame) -> tuple[Told, Point]:
    communes = units.loc[[u for u in units.index if u.startswith("com-")]]
    middle = units if communes.empty else communes
    centre = middle.assign(longitude=middle["longitude"].mean(), latitude=middle["latitude"].mean())
    return _around("schematic", "province", pd.concat([centre.head(1), middle]))


def _around(method: str, note: str, known: pd.DataFrame) -> tuple[Told, Point]:
    """Stand at the first unit's point with a radius that holds every unit named."""
    points = gpd.GeoSeries(
        gpd.points_from_xy(known["longitude"], known["latitude"]), crs=DISPLAY_CRS
    ).to_crs(metric_crs())
    accuracy = float((points.distance(points.iloc[0]).to_numpy() + known["reach_m"]).max())
    point = Point(known["longitude"].iloc[0], known["latitude"].iloc[0])
    return Told(method, math.ceil(accuracy), note, known["document_ids"].iloc[0]), point


def positions_table(positions: Positions) -> Iterator[pd.DataFrame]:
    """Yield the best positions as the published table, in parts: one row a subject, by its key.

    Their WKT has 6 decimals.
    """
    ids = (positions.frame["subject_id"] + ".position").reset_index(drop=True).sort_values()
    order = ids.index.to_numpy()
    spans = list(positions.shapes.spans(positions.numbers()[order]))
    for span in spans or [slice(0)]:
        layer = positions.layer(order[span])
        rounded = shapely.set_precision(layer.geometry.to_numpy(), PUBLISHED_GRID)
        told = pd.DataFrame(layer[[name for name in COLUMNS if name != "geometry"]])
        yield told.assign(
            position_id=told["subject_id"] + ".position",
            accuracy_m=told["accuracy_m"].map("{:.0f}".format),
            geometry=pd.Series(
                shapely.to_wkt(rounded, rounding_precision=6), told.index, dtype="str"
            ),
            source_id="atlas_positions",
        )


def spread(positions: pd.DataFrame, communes: gpd.GeoDataFrame | None) -> pd.DataFrame:
    """Add ``drawn_lon`` and ``drawn_lat``: places that share a point are drawn apart.

    They stand on a sunflower spiral around the shared point in the order of their ids, drawn in
    until all lie in the commune that holds the point (where polygons are present). Those known
    only to lie in the province stand in rows below it, where nobody takes them for placed.
    ``positions`` is the frame of `placed.Positions`.
    """
    points = positions[is_of(positions, POINT)].sort_values("subject_id")
    metric = spots_of(points)
    borders = None if communes is None else communes.to_crs(metric_crs())
    is_placed = points["accuracy_m"] <= UNPLACED_M
    unplaced = points.index[~is_placed]
    drawn = dict(zip(unplaced, _rows_below(positions, len(unplaced)), strict=True))
    shared = gpd.GeoSeries(gpd.points_from_xy(points["lon"], points["lat"]), points.index).to_wkt()
    for _, group in metric[is_placed].groupby(shared[is_placed]):
        accuracy = points.loc[group.index, "accuracy_m"].min()
        step = min(SPREAD_M, INNER_PART * accuracy / math.sqrt(len(group)))
        origin = cast("Point", group.iloc[0])
        border = _border_of(origin, borders)
        spots = _spiral(origin, len(group), step, border)
        drawn.update(zip(group.index, spots, strict=True))
    places = gpd.GeoSeries(drawn, crs=metric_crs()).to_crs(DISPLAY_CRS)
    return positions.assign(
        drawn_lon=places.x.round(5).reindex(positions.index),
        drawn_lat=places.y.round(5).reindex(positions.index),
    )


def spots_of(positions: pd.DataFrame) -> gpd.GeoSeries:
    """Return a point on each position, in metres, indexed as the positions."""
    spots = gpd.points_from_xy(positions["lon"], positions["lat"], crs=DISPLAY_CRS)
    return gpd.GeoSeries(spots, positions.index).to_crs(metric_crs())


def _rows_below(positions: pd.DataFrame, count: int) -> list[Point]:
    """Return spots in metres, in rows as wide as what is placed or, where they are many, as high.

    A single row of ten thousand would run around the Earth.
    """
    if not count:
        return []
    known = positions[positions["accuracy_m"] <= UNPLACED_M]
    west, south, east, _ = spots_of(positions if known.empty else known).total_bounds
    in_a_row = max(int((east - west) // ROW_STEP_M) + 1, math.ceil(math.sqrt(count)))
    row, column = np.divmod(np.arange(count), in_a_row)
    x, y = west + column * ROW_STEP_M, south - ROW_BELOW_M - row * ROW_STEP_M
    return list(np.asarray(shapely.points(x, y)))


def _border_of(origin: Point, borders: gpd.GeoDataFrame | None) -> BaseGeometry | None:
    holding = [] if borders is None else list(borders.geometry[borders.covers(origin)])
    return holding[0] if holding else None


def _spiral(origin: Point, count: int, step: float, border: BaseGeometry | None) -> list[Point]:
    number = np.arange(count)
    while True:
        far = step * np.sqrt(number)
        x = origin.x + far * np.cos(number * GOLDEN_ANGLE)
        y = origin.y + far * np.sin(number * GOLDEN_ANGLE)
        spots = shapely.points(x, y)
        if border is None or step < 1 or shapely.covers(border, spots).all():
            return list(spots)
        step *= 0.85
