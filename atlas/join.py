"""Which belongs to which, in space and by key. Every row keeps its place, or a ledger says why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from atlas.measure import METRES_PER_KM, area_ha
from atlas.positions import UNPLACED_M
from geodata.cells import among, parts_of, rows_of
from geodata.crs import DISPLAY_CRS, to_metric
from geodata.findings import Finding
from geodata.ledger import Change

Tables = Mapping[str, pd.DataFrame]
Numbers = np.ndarray[Any, np.dtype[Any]]
Meetings = tuple[Numbers, Numbers, Numbers]
"""Who asks and whom it meets, by their place in their frames, and how far apart in metres."""

ROAD_KINDS = ("expressway", "national_road", "provincial_road", "road")
NEIGHBOURS = 3
USELESS_M = UNPLACED_M
"""A distance from a position that is not even placed would say nothing."""

ROUNDING_M = 1e-3
"""More than the sums of coordinates are ever rounded by, and less than would find anything."""

AREA_TOLERANCE = 0.10
"""Declared and drawn hectares may differ by a tenth before it is a finding."""

ACCESS_TEXTS = ("subject_id", "relation", "kind", "other_id")
ACCESS_COLUMNS = [
    *ACCESS_TEXTS,
    *("distance_km", "uncertainty_km", "distance_m", "doubt_m"),
]


def assign_points(
    points: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, area_key: str
) -> "pd.Series[str]":
    """Return for each point (indexed as the points) the key of the area that holds it.

    A point on a shared border goes to the smaller key; a point in no area gets "".
    """
    hits = gpd.sjoin(
        points[["geometry"]], areas[[area_key, "geometry"]], predicate="intersects"
    ).sort_values(area_key)
    first = hits[~hits.index.duplicated()][area_key]
    return first.astype("str").reindex(points.index, fill_value="")


@dataclass(frozen=True)
class Others:
    """Among whom is asked, in metres and sorted by ``subject_id``; made ready once for all."""

    frame: gpd.GeoDataFrame

    @cached_property
    def ids(self) -> Numbers:
        """Their ids, row by row as all that follows."""
        return self.frame["subject_id"].to_numpy(dtype="object")

    @cached_property
    def shapes(self) -> Numbers:
        """Their shapes."""
        return self.frame.geometry.to_numpy()

    @cached_property
    def accuracy_m(self) -> Numbers:
        """Their accuracies."""
        return self.frame["accuracy_m"].to_numpy()

    @cached_property
    def tree(self) -> shapely.STRtree:
        """A tree of their shapes."""
        return shapely.STRtree(self.shapes)

    @cached_property
    def centres(self) -> shapely.STRtree:
        """A tree of their centres."""
        return shapely.STRtree(shapely.centroid(self.shapes))

    @cached_property
    def first_round_m(self) -> float:
        """Half the distance between them if they stood evenly; never nothing."""
        west, south, east, north = shapely.total_bounds(self.shapes)
        return max(1.0, float(np.sqrt((east - west) * (north - south) / len(self.frame))) / 2)


@dataclass(frozen=True)
class Search:
    """Who asks what is near, and among whom.

    ``placed`` ask and are each other's neighbours, ``targets`` holds the roads, canals and ports,
    ``places`` counts all places, those that are not placed too.
    """

    placed: Others
    targets: Mapping[str, Others]
    places: int

    def parts(self, rows: int) -> list[Numbers]:
        """Return the rows of ``placed`` in parts of no more than ``rows``, near ones together.

        They are cut from a Hilbert curve; one part is all of them as they stand.
        """
        placed = self.placed.frame
        count = -(-len(placed) // rows)
        if count <= 1:
            return [np.arange(len(placed))]
        curve = placed.hilbert_distance().to_numpy()
        return np.array_split(np.argsort(curve, kind="stable"), count)

    def nearest(self, part: Numbers) -> pd.DataFrame:
        """Return the nearest of one part; what is found does not depend on how parts are cut."""
        asking = self.placed.frame.iloc[part]
        found = [nearest_among(asking, others, kind) for kind, others in self.targets.items()]
        table = pd.concat([*found, _neighbours(asking, self.placed)], ignore_index=True)
        return table.astype(dict.fromkeys(ACCESS_TEXTS, "str"))


def search_of(metric: gpd.GeoDataFrame) -> Search:
    """Return who asks among whom of positions in metres that have their ``kind``.

    A route known only by one point has no alignment to be near to and is left out, as is
    whatever is known only to lie in the province.
    """
    is_route = metric["kind"].isin((*ROAD_KINDS, "canal"))
    drawn = metric.geometry.geom_type != "Point"
    known = metric["accuracy_m"] <= USELESS_M
    targets = {
        "road": metric["kind"].isin(ROAD_KINDS) & drawn & known,
        "canal": (metric["kind"] == "canal") & drawn & known,
        "port": (metric["kind"] == "port") & known,
    }
    layers = {kind: metric[mine].sort_values("subject_id") for kind, mine in targets.items()}
    return Search(
        Others(metric[~is_route & known].sort_values("subject_id")),
        {kind: Others(others) for kind, others in layers.items() if len(others)},
        int((~is_route).sum()),
    )


def nearest_named(search: Search, found: Iterable[pd.DataFrame]) -> tuple[pd.DataFrame, Change]:
    """Return the nearest road, canal and port of every place, with straight distances in km.

    ``found`` is what the parts of the search found, together all of them, in any order.
    ``uncertainty_km`` adds both accuracies; ``distance_m`` and ``doubt_m`` are the same before
    they are rounded. Exact ties go to the smaller id. The ledger counts places that had a partner.
    """
    table = pd.concat(found, ignore_index=True)
    partnered = table.loc[table["relation"] == "access", "subject_id"].nunique()
    lost = {"position or partner not known": search.places - partnered}
    change = Change("join places to the nearest named", search.places, partnered, _some(lost))
    # stable: the nearest stay first among those that a rounded distance makes equal
    order = ["subject_id", "relation", "kind"]
    return table.sort_values(order, kind="stable", ignore_index=True), change


def _some(dropped: dict[str, int]) -> dict[str, int]:
    return {reason: count for reason, count in dropped.items() if count}


def nearest_among(places: gpd.GeoDataFrame, others: Others, kind: str) -> pd.DataFrame:
    """Return the nearest of the others to each place; one of them has the nearest but itself.

    Both in metres, with ``subject_id`` and ``accuracy_m``, the others at least one; the columns
    are those of `nearest_named`. Of two that are as near it is the one of the smaller id.
    """
    own = among(places["subject_id"], others.frame["subject_id"])
    asked = places[~own]
    pairs = _pairs(asked, others, _met(asked.geometry, others), 1)
    return _access(pd.concat([pairs, _k_nearest(places[own], others, 1)]), kind, "access")


def _met(asking: gpd.GeoSeries, others: Others) -> Meetings:
    """Return all that may be the nearest to each of the asking, the nearest always among them.

    The one whose centre is nearest bounds how far that is, and only what has its box within is
    measured: a quarter of the time of a tree that measures whatever it passes on its way.
    """
    here, there = asking.to_numpy(), others.shapes
    far = shapely.distance(here, there[others.centres.nearest(shapely.centroid(here))])
    near = shapely.bounds(here) + (far + ROUNDING_M)[:, None] * [-1, -1, 1, 1]
    of, to = others.tree.query(shapely.box(*near.T))
    return of, to, shapely.distance(here[of], there[to])


def _neighbours(asking: gpd.GeoDataFrame, placed: Others) -> pd.DataFrame:
    return _access(_k_nearest(asking, placed, NEIGHBOURS), "place", "neighbour")


def _k_nearest(asking: gpd.GeoDataFrame, others: Others, count: int) -> pd.DataFrame:
    """Find for each of the asking, who are among the others, the nearest others but itself.

    Asked in rounds of a distance that doubles: who has enough within it has the nearest among
    them, and only the rest is asked again.
    """
    wanted = min(count, len(others.frame) - 1)
    found: list[pd.DataFrame] = []
    left, within = asking if wanted > 0 else asking.head(0), 0.0
    while len(left):
        within = within * 2 or others.first_round_m
        shapes = left.geometry.to_numpy()
        of, to = others.tree.query(shapes, predicate="dwithin", distance=within)
        is_other = left["subject_id"].to_numpy()[of] != others.ids[to]
        of, to = of[is_other], to[is_other]
        enough = np.bincount(of, minlength=len(left)) >= wanted
        of, to = of[enough[of]], to[enough[of]]
        far = shapely.distance(shapes[of], others.shapes[to])
        found.append(_pairs(left, others, (of, to, far), wanted))
        left = left[~enough]
    nobody = np.empty(0, dtype="int64")
    return pd.concat(found) if found else _pairs(left, others, (nobody, nobody, nobody), 0)


def _pairs(asking: gpd.GeoDataFrame, others: Others, met: Meetings, count: int) -> pd.DataFrame:
    """Return the first pairs of each of the asking, by distance and then by id.

    The others are in the order of their ids, so that positions decide ties as ids would.
    """
    of, to, far = met
    order = np.lexsort((to, far, of))
    of, to, far = of[order], to[order], far[order]
    begin = np.searchsorted(of, of, side="left")
    kept = np.arange(len(of)) - begin < count
    of, to, far = of[kept], to[kept], far[kept]
    doubt = asking["accuracy_m"].to_numpy()[of] + others.accuracy_m[to]
    return pd.DataFrame(
        {
            "subject_id": asking["subject_id"].to_numpy()[of],
            "other_id": others.ids[to],
            "distance_m": far,
            "doubt_m": doubt,
        }
    )


def _access(pairs: pd.DataFrame, kind: str, relation: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "subject_id": pairs["subject_id"],
            "relation": relation,
            "kind": kind,
            "other_id": pairs["other_id"],
            "distance_km": (pairs["distance_m"] / METRES_PER_KM).round(1),
            "uncertainty_km": (pairs["doubt_m"] / METRES_PER_KM).round(1),
            "distance_m": pairs["distance_m"],
            "doubt_m": pairs["doubt_m"],
        },
        columns=ACCESS_COLUMNS,
    )


def check_locations(
    tables: Tables, positions: gpd.GeoDataFrame, communes: gpd.GeoDataFrame | None
) -> list[Finding]:
    """Return notes on places whose geography does not agree with itself.

    A position outside the communes its sources name, old communes that the crosswalk puts
    elsewhere, and drawn hectares that differ from the declared ones.
    """
    findings = _crosswalk_findings(tables)
    if communes is not None:
        findings += _commune_findings(tables["places"], positions, communes)
    return sorted(findings + _area_findings(tables, positions))


def _note(row: Mapping[str, str], column: str, rule: str, detail: str) -> Finding:
    return Finding(
        row["source_id"],
        "places",
        int(row["line"]),
        row["place_id"],
        column,
        rule,
        "note",
        detail,
    )


def _commune_findings(
    places: pd.DataFrame, positions: gpd.GeoDataFrame, communes: gpd.GeoDataFrame
) -> list[Finding]:
    located = positions.set_index("subject_id")
    named = places[(places["commune_ids"] != "") & places["place_id"].isin(located.index)]
    points = gpd.GeoDataFrame(
        geometry=located.loc[named["place_id"]].representative_point().to_numpy(),
        index=named.index,
        crs=positions.crs,
    )
    areas = communes.to_crs(positions.crs or DISPLAY_CRS)
    holders = assign_points(points, areas, "unit_id")
    return [
        _note(
            row,
            "commune_ids",
            "lies_in_named_commune",
            f"its position lies in {holder or 'no commune'}, its source names {row['commune_ids']}",
        )
        for row, holder in zip(rows_of(named), holders, strict=True)
        if holder not in parts_of(row["commune_ids"])
    ]


def _crosswalk_findings(tables: Tables) -> list[Finding]:
    walk = tables["commune_crosswalk"]
    new_of = walk.groupby("old_unit_id")["new_unit_id"].agg(set).to_dict()
    findings = []
    for row in rows_of(tables["places"]):
        led = [new_of[old] for old in parts_of(row["old_commune_ids"]) if old in new_of]
        reached = set().union(*led)
        named = set(parts_of(row["commune_ids"]))
        if any(named.isdisjoint(new) for new in led):
            there, here = ", ".join(sorted(reached)), ", ".join(sorted(named)) or "none"
            detail = f"the crosswalk gives {there}, the row names {here}"
            findings.append(_note(row, "commune_ids", "communes_agree_with_crosswalk", detail))
    return findings


def _area_findings(tables: Tables, positions: gpd.GeoDataFrame) -> list[Finding]:
    polygons = positions[positions.geometry.geom_type.isin(["Polygon", "MultiPolygon"])]
    if polygons.empty:
        return []
    drawn = dict(zip(polygons["subject_id"], area_ha(to_metric(polygons)), strict=True))
    facts = tables["facts"]
    declared = facts[
        (facts["rank"] == 1) & (facts["measure"] == "area_ha") & (facts["phase"] == "")
    ]
    told = dict(zip(declared["subject_id"], declared["value"].astype(float), strict=True))
    return [
        _note(
            row,
            "place_id",
            "declared_area_is_drawn",
            f"{told[row['place_id']]:.2f} ha declared, {drawn[row['place_id']]:.2f} ha drawn",
        )
        for row in rows_of(tables["places"])
        if row["place_id"] in drawn
        and row["place_id"] in told
        and abs(drawn[row["place_id"]] - told[row["place_id"]])
        > AREA_TOLERANCE * told[row["place_id"]]
    ]


def name_communes(
    boundaries: gpd.GeoDataFrame, communes: pd.DataFrame
) -> tuple[gpd.GeoDataFrame, Change]:
    """Give boundary polygons our unit ids and names by their official code.

    A polygon whose code is no new commune's is dropped, and the ledger says so. Sorted by id.
    """
    units = communes[communes["level"] == "commune"][["unit_id", "code", "name_vi", "name_en"]]
    layer = boundaries.assign(code=boundaries["code"].astype("str"))[["code", "geometry"]]
    named = layer.merge(units, on="code", how="inner").sort_values("unit_id")
    lost = _some({"code of no commune": len(layer) - len(named)})
    change = Change("join boundaries to communes", len(layer), len(named), lost)
    return gpd.GeoDataFrame(named.reset_index(drop=True), crs=boundaries.crs), change
