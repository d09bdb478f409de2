"""Which geometry of OpenStreetMap may stand for a subject, and why one may not.

What bears the name or the number of a subject is a candidate. It takes the place of a schematic
position only where it agrees with what the sources say; else a finding says why not, with the
numbers. All is measured in metres of the region's zone. Nothing is drawn into a gap.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely import Point
from shapely.geometry.base import BaseGeometry

from atlas.measure import METRES_PER_KM, SQUARE_METRES_PER_HECTARE
from atlas.positions import OSM_ACCURACY_M, Told, units_of
from atlas.search import folded
from geodata.cells import parts_of, rows_of
from geodata.crs import DISPLAY_CRS, metric_crs
from geodata.findings import Finding

LENGTH_TOLERANCE = 0.15
"""Drawn and claimed length, and how far short of a place an end may stop, as a share of the
length: wide enough for rounded claims and an unmapped end, too narrow to take a section of a road
for the whole."""

AREA_TOLERANCE = 0.25
"""OpenStreetMap draws the ground that is built or fenced, a decision the whole that is planned."""

GAP_M = 500.0
"""What lies farther apart than a bridge or a junction without the name is another stretch."""

TWIN_M = 60.0
TWIN_SHARE = 0.8
"""The second carriageway of a road runs this close beside the first for most of its length."""

SURROUNDINGS_M = 60_000.0
"""A name that goes on farther from the province than this is somebody else's."""

NUMBER = re.compile(r"(ql|quoclo|dt|duongtinh|tinhlo|tl|ct|caotoc)0*(\d+[a-z]?)")
LONG_FORMS = {"quoclo": "ql", "duongtinh": "dt", "tinhlo": "dt", "tl": "dt", "caotoc": "ct"}
SHORT_FORMS = (
    ("khu cong nghiep", "kcn"),
    ("cum cong nghiep", "ccn"),
    ("kinh", "kenh"),
)
"""Words that the sources and OpenStreetMap write long or short, or in two dialects."""

AREAS = ("industrial", "port")
Tables = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Unit:
    """A commune or district by which a subject is known: its middle and its radius in metres."""

    unit_id: str
    middle: Point
    reach_m: float


@dataclass(frozen=True)
class Ground:
    """What candidates are held against: the units, their hull, and the claimed numbers."""

    units: Mapping[str, Unit]
    hull: BaseGeometry
    lengths_km: Mapping[str, tuple[float, ...]]
    areas_ha: Mapping[str, tuple[float, ...]]

    def known(self, ids: str) -> list[Unit]:
        """Return the units of a list of ids that have a middle."""
        return [self.units[one] for one in parts_of(ids) if one in self.units]


def osm_positions(
    tables: Tables, layers: Iterable[gpd.GeoDataFrame | None]
) -> tuple[list[list[object]], list[Finding]]:
    """Return the positions that OpenStreetMap gives, and a note on each candidate refused."""
    there = [_told(layer) for layer in layers if layer is not None]
    if not there:
        return [], []
    features = pd.concat(there, ignore_index=True)
    ground = _ground(tables)
    offered, notes = [], []
    for table, key, judge in (("routes", "route_id", _route), ("places", "place_id", _place)):
        rows = list(rows_of(tables[table]))
        found = {row[key]: _matches(table, row, features) for row in rows}
        for row in rows:
            mine = found[row[key]]
            if not mine:
                continue
            sharing = [
                other for other, theirs in found.items() if other != row[key] and theirs & mine
            ]
            shape, faults = judge(row, features.loc[sorted(mine)], ground)
            if sharing:
                faults.append(f"it is drawn as one with {', '.join(sharing)}; no source parts them")
            if faults:
                notes.append(_note(table, row, row[key], faults))
            else:
                as_of = str(features.loc[sorted(mine), "as_of"].max())
                offered.append(Told("osm", OSM_ACCURACY_M, "osm", "osm", as_of).at(row[key], shape))
    return offered, notes


def _told(layer: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return what is asked of a layer; one that says nothing of roads and land is of waterways."""
    usual = {"what": "waterway", "name": "", "other_names": "", "ref": "", "as_of": ""}
    told = {name: layer.get(name, value) for name, value in usual.items()}
    return layer[["geometry"]].assign(**told)


def road_number(text: str) -> str:
    """Return a road's number in its one form, or "": ``Đường tỉnh 931`` is ``dt931``."""
    found = NUMBER.fullmatch(re.sub(r"[^a-z0-9]", "", folded(text)))
    return LONG_FORMS.get(found[1], found[1]) + found[2] if found else ""


def name_key(text: str) -> str:
    """Return a name without accents and in the short form of its kind."""
    key = folded(text)
    for long, short in SHORT_FORMS:
        key = re.sub(rf"\b{long}\b", short, key)
    return key


def _keys(texts: Iterable[str]) -> set[str]:
    told = [text for text in texts if text.strip()]
    return {road_number(text) or name_key(text) for text in told}


def _matches(table: str, row: Mapping[str, str], features: gpd.GeoDataFrame) -> set[int]:
    """Return which features bear a name or number of the row and are of its kind."""
    if table == "places":
        kinds: tuple[str, ...] = AREAS
    else:
        kinds = ("waterway",) if row["kind"] == "canal" else ("road",)
    told = [row["name_vi"], *parts_of(row["aliases"])]
    if table == "routes":
        told += [row["ref"], *parts_of(row["osm_names"])]
    wanted = _keys(told)
    columns = features[["what", "name", "other_names", "ref"]]
    return {
        int(spot)
        for spot, what, name, others, ref in columns.itertuples()
        if what in kinds and wanted & _keys([name, *parts_of(others), *parts_of(ref)])
    }


def _ground(tables: Tables) -> Ground:
    numbers = units_of(tables["communes"])
    middles = gpd.GeoSeries(
        gpd.points_from_xy(numbers["longitude"], numbers["latitude"]),
        index=numbers.index,
        crs=DISPLAY_CRS,
    ).to_crs(metric_crs())
    told = zip(numbers.index.astype("str"), middles.x, middles.y, numbers["reach_m"], strict=True)
    units = {name: Unit(name, Point(x, y), float(reach)) for name, x, y, reach in told}
    discs = [unit.middle.buffer(unit.reach_m) for unit in units.values()]
    hull = shapely.union_all(discs).convex_hull
    return Ground(units, hull, _claimed(tables, "length_km"), _claimed(tables, "area_ha"))


def _claimed(tables: Tables, measure: str) -> dict[str, tuple[float, ...]]:
    claims = tables["claims"]
    whole = claims[(claims["measure"] == measure) & (claims["phase"] == "")]
    found = defaultdict(list)
    for row in rows_of(whole):
        found[row["subject_id"]].append(float(row["value"]))
    return {subject: tuple(sorted(set(values))) for subject, values in found.items()}


def _note(table: str, row: Mapping[str, str], key: str, faults: list[str]) -> Finding:
    detail = "OpenStreetMap's geometry is not taken: " + "; ".join(faults)
    line, rule = int(row["line"]), "osm_agrees_with_sources"
    return Finding(row["source_id"], table, line, key, "", rule, "note", detail)


def _route(
    row: Mapping[str, str], ways: gpd.GeoDataFrame, ground: Ground
) -> tuple[BaseGeometry, list[str]]:
    """Merge the ways of a route and hold the line against what its sources say."""
    nodes = ground.known(row["node_ids"])
    parts = merged(ways.geometry)
    metric = gpd.GeoSeries(parts, crs=DISPLAY_CRS).to_crs(metric_crs()).to_numpy()
    chosen, apart_m = main_stretch(metric, nodes)
    line = shapely.union_all(metric[chosen])
    claims = ground.lengths_km.get(row["route_id"], ())
    faults = [
        *_length_faults(line, ground.hull, claims, apart_m),
        *_node_faults(line, nodes),
        *_unheld(bool(nodes or claims)),
        *_far_faults(line, ground.hull),
    ]
    shape = shapely.union_all(np.asarray(parts)[chosen])
    return shapely.line_merge(shape) if shape.geom_type != "LineString" else shape, faults


def merged(lines: Iterable[BaseGeometry]) -> list[BaseGeometry]:
    """Join lines where their ends touch; the order they come in does not matter."""
    whole = shapely.union_all(list(lines))
    return list(shapely.get_parts(shapely.line_merge(shapely.normalize(whole))))


def main_stretch(parts: "np.ndarray", nodes: list[Unit]) -> tuple[list[int], float]:
    """Return which parts (metres) make up the route, and the metres that lie apart from them.

    A second carriageway counts once. Parts nearer than `GAP_M` belong together; of several such
    stretches the one that reaches most of the named places is the route, then the longest.
    """
    single = _without_twins(parts)
    blobs = shapely.get_parts(shapely.union_all(shapely.buffer(parts[single], GAP_M / 2)))
    stretches = [[n for n in single if blob.intersects(parts[n])] for blob in blobs]

    def rank(stretch: list[int]) -> tuple[int, float]:
        line = shapely.union_all(parts[stretch])
        return sum(line.distance(u.middle) <= u.reach_m for u in nodes), line.length

    best = max(stretches, key=rank)
    total = sum(float(parts[n].length) for n in single)
    return sorted(best), total - sum(float(parts[n].length) for n in best)


def _without_twins(parts: "np.ndarray") -> list[int]:
    kept: list[int] = []
    beside: BaseGeometry = shapely.Polygon()
    for n in np.argsort([-part.length for part in parts], kind="stable").tolist():
        part = parts[n]
        if part.intersection(beside).length < TWIN_SHARE * part.length:
            kept.append(n)
            beside = beside.union(part.buffer(TWIN_M))
    return kept


def _length_faults(
    line: BaseGeometry, hull: BaseGeometry, claims: tuple[float, ...], apart_m: float
) -> list[str]:
    """Sources give the whole length or that within the province: either may agree."""
    drawn = line.length / METRES_PER_KM
    inside = line.intersection(hull).length / METRES_PER_KM
    if not claims or any(
        min(abs(drawn - told), abs(inside - told)) <= LENGTH_TOLERANCE * told for told in claims
    ):
        return []
    said = " / ".join(f"{told:g}" for told in claims)
    apart = f", {apart_m / METRES_PER_KM:.1f} km more lie apart" if apart_m >= GAP_M else ""
    return [
        f"{drawn:.1f} km are drawn ({inside:.1f} km in the province{apart}), {said} km are "
        f"claimed; at most {LENGTH_TOLERANCE:.0%} may differ"
    ]


def _node_faults(line: BaseGeometry, nodes: list[Unit]) -> list[str]:
    slack = LENGTH_TOLERANCE * line.length
    faults = [
        f"{node.unit_id} lies {line.distance(node.middle) / METRES_PER_KM:.1f} km off, at most "
        f"{(node.reach_m + slack) / METRES_PER_KM:.1f} km may be"
        for node in nodes
        if line.distance(node.middle) > node.reach_m + slack
    ]
    return faults if faults or line.geom_type != "LineString" else _order_faults(line, nodes)


def _order_faults(line: BaseGeometry, nodes: list[Unit]) -> list[str]:
    """The places come in the order in which the sources name them, from either end."""
    spots = [(line.project(node.middle), node.reach_m) for node in nodes]
    pairs = list(zip(spots, spots[1:], strict=False))
    for way in (1, -1):
        if all(way * (b - a) >= -(reach_a + reach_b) for (a, reach_a), (b, reach_b) in pairs):
            return []
    told = ", ".join(
        f"{n.unit_id} at {s / METRES_PER_KM:.1f} km" for n, (s, _) in zip(nodes, spots, strict=True)
    )
    return [f"the named places come in another order along it: {told}"]


def _unheld(is_held: bool) -> list[str]:
    return [] if is_held else ["no source names a place or a size to hold it against"]


def _far_faults(shape: BaseGeometry, hull: BaseGeometry) -> list[str]:
    if hull.is_empty or hull.buffer(SURROUNDINGS_M).covers(shape):
        return []
    return [f"it goes on more than {SURROUNDINGS_M / METRES_PER_KM:.0f} km beyond the province"]


def _place(
    row: Mapping[str, str], found: gpd.GeoDataFrame, ground: Ground
) -> tuple[BaseGeometry, list[str]]:
    """Unite the areas of a place, or take its point, and hold it against what is declared."""
    areas = found[found.geom_type.isin(["Polygon", "MultiPolygon"])]
    shapes = areas if len(areas) else found[found.geom_type == "Point"].head(1)
    shape = shapely.union_all(shapes.geometry.to_numpy())
    if shape.is_empty or not shapes.is_valid.all():
        return shape, ["its outline crosses itself or is none"]
    metric = gpd.GeoSeries([shape], crs=DISPLAY_CRS).to_crs(metric_crs()).iloc[0]
    units = ground.known(row["commune_ids"]) or ground.known(row["district_ids"])
    claims = ground.areas_ha.get(row["place_id"], ())
    faults = [
        *_area_faults(metric, claims),
        *_place_faults(metric, units),
        *_unheld(bool(units or (claims and metric.area))),
        *_far_faults(metric, ground.hull),
    ]
    return shape, faults


def _area_faults(shape: BaseGeometry, claims: tuple[float, ...]) -> list[str]:
    drawn = shape.area / SQUARE_METRES_PER_HECTARE
    fits = any(abs(drawn - told) <= AREA_TOLERANCE * told for told in claims)
    if not claims or not drawn or fits:
        return []
    said = " / ".join(f"{told:g}" for told in claims)
    return [
        f"{drawn:.1f} ha are drawn, {said} ha are declared; at most {AREA_TOLERANCE:.0%} may differ"
    ]


def _place_faults(shape: BaseGeometry, units: list[Unit]) -> list[str]:
    if not units or any(shape.distance(u.middle) <= u.reach_m for u in units):
        return []
    return [
        f"it lies {shape.distance(u.middle) / METRES_PER_KM:.1f} km from {u.unit_id}, which "
        f"reaches {u.reach_m / METRES_PER_KM:.1f} km"
        for u in units
    ]
