"""How far is each place from every drawn road, canal and port: at least, and at most?

Straight lines in the region's zone. A distance between two places of limited accuracy is a pair of
bounds, never one number; what is not drawn as a line, or only known to lie in the province, has
no distance at all.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from atlas.join import ROAD_KINDS, USELESS_M, Others, nearest_among
from atlas.measure import METRES_PER_KM
from atlas.records import Book, Position, Record
from geodata.crs import shapes_to_metric, to_metric

REACH_M = 60_000.0
"""Farther apart than this, no distance is told: it would help nobody choose."""

TENTHS = 10  # of a kilometre: lower bounds are rounded down to them, upper bounds up


@dataclass(frozen=True)
class Bounds:
    """The true distance lies between these, kilometres."""

    least_km: float
    most_km: float


ASKED_AT_ONCE = 50_000
PAIR = ["subject_id", "kind", "distance_m", "doubt_m"]

Reach = Mapping[str, Mapping[str, Bounds]]
"""Place -> road, canal or port -> how far."""


def reach_of(book: Book) -> Reach:
    """Return for every place its distance to every drawn road and canal and to every port."""
    places = [(r, r.position) for r in book.places if _is_placed(r.position)]
    others = [(r, r.position) for r in book.records if _is_target(r)]
    if not places or not others:
        return {}
    here, there = _metric(places), _metric(others)
    pairs = shapely.STRtree(there).query(here, predicate="dwithin", distance=REACH_M)
    found: dict[str, dict[str, Bounds]] = {}
    for i, j in pairs.T.tolist():
        (place, own), (other, its) = places[i], others[j]
        if place.subject_id != other.subject_id and own and its:
            metres = float(shapely.distance(here[i], there[j]))
            bounds = bounds_km(metres, own.accuracy_m + its.accuracy_m)
            found.setdefault(place.subject_id, {})[other.subject_id] = bounds
    return {place: dict(sorted(found[place].items())) for place in sorted(found)}


def bounds_km(distance_m: float, doubt_m: float) -> Bounds:
    """Return the bounds of a distance measured with so much doubt on both ends together."""
    least = max(0.0, distance_m - doubt_m) / METRES_PER_KM
    most = (distance_m + doubt_m) / METRES_PER_KM
    return Bounds(math.floor(least * TENTHS) / TENTHS, math.ceil(most * TENTHS) / TENTHS)


def nearest(book: Book, near: Mapping[str, Bounds]) -> dict[str, Bounds]:
    """Return the bounds of the distance to the nearest ``road``, ``canal`` and ``port``.

    Whichever of them is the nearest in truth: its distance is at least the least of the lower
    bounds and at most the least of the upper ones.
    """
    kinds = {r.subject_id: nearness_kind(r) for r in book.records}
    groups: dict[str, list[Bounds]] = {}
    for other, bounds in near.items():
        groups.setdefault(kinds[other], []).append(bounds)
    return {
        kind: Bounds(min(b.least_km for b in group), min(b.most_km for b in group))
        for kind, group in sorted(groups.items())
    }


def nearby_of(book: Book, reach: Reach) -> Mapping[str, Mapping[str, Bounds]]:
    """Return `nearest` of every record: where kinds are tiled, theirs are counted too."""
    if book.tiled is not None:
        return book.tiled.nearby
    return {r.subject_id: nearest(book, reach.get(r.subject_id, {})) for r in book.records}


def nearest_bounds(
    access: pd.DataFrame, positions: gpd.GeoDataFrame, kinds: Mapping[str, str]
) -> pd.DataFrame:
    """Return what `nearest` says of all places: subject_id, kind, least_km, most_km.

    ``access`` is that of `join.nearest_named`, ``kinds`` maps subject to kind. What is farther
    than the nearest may have the lesser bound where its accuracy is another one: it is asked too.
    """
    met = access[(access["relation"] == "access") & (access["distance_m"] <= REACH_M)]
    near = {kind: rows for kind, rows in met.groupby("kind", sort=True)}
    parts = [
        part for kind, rows in near.items() for part in _rivals(str(kind), rows, positions, kinds)
    ]
    told = pd.concat([met[PAIR], *parts], ignore_index=True)
    least = (told["distance_m"] - told["doubt_m"]).clip(lower=0) / METRES_PER_KM
    most = (told["distance_m"] + told["doubt_m"]) / METRES_PER_KM
    told = told.assign(
        least_km=np.floor(least * TENTHS) / TENTHS, most_km=np.ceil(most * TENTHS) / TENTHS
    )
    bounds = told.groupby(["subject_id", "kind"], sort=True)[["least_km", "most_km"]].min()
    return bounds.reset_index()


def _rivals(
    kind: str, met: pd.DataFrame, positions: gpd.GeoDataFrame, kinds: Mapping[str, str]
) -> Iterator[pd.DataFrame]:
    """Yield the others that may be as near as the nearest, for all that differ in accuracy.

    Of those that are about as accurate as each other the nearest is asked first; what it leaves
    open is asked of the others in the ring around it that could be nearer in truth.
    """
    groups = positions["subject_id"].map(lambda subject: nearness_of(kinds[subject]))
    is_line = (positions.geom_type != "Point") | (kind == "port")
    is_target = (groups == kind) & is_line & (positions["accuracy_m"] <= USELESS_M)
    if positions.loc[is_target, "accuracy_m"].nunique() < 2:
        return
    there = to_metric(positions[is_target]).sort_values("subject_id")
    classes = _class_of(there["accuracy_m"])
    alike = [Others(there[classes == one]) for one in sorted(classes.unique())]
    asking = positions["subject_id"].isin(met["subject_id"])
    here = to_metric(positions[asking]).sort_values("subject_id")
    firsts = [_of_pairs(nearest_among(here, like, kind), kind) for like in alike]
    yield from firsts
    told = pd.concat([met[PAIR], *firsts])
    least = (told["distance_m"] - told["doubt_m"]).groupby(told["subject_id"]).min()
    most = (told["distance_m"] + told["doubt_m"]).groupby(told["subject_id"]).min()
    here = here.set_index("subject_id", drop=False)
    here["least"], here["most"] = least.reindex(here.index), most.reindex(here.index)
    for like, near in zip(alike, firsts, strict=True):
        yield from _ring(here, like, near, kind)


def _class_of(accuracy_m: "pd.Series[float]") -> "pd.Series[float]":
    """Return the same number for accuracies of which none is twice as coarse as another."""
    return pd.Series(np.floor(np.log2(accuracy_m.clip(lower=1.0))), accuracy_m.index)


def _ring(
    here: gpd.GeoDataFrame, like: Others, near: pd.DataFrame, kind: str
) -> Iterator[pd.DataFrame]:
    """Yield those of one class that lie behind its nearest and may still beat what is told.

    ``here`` has the least of the lower and of the upper bounds so far, metres, by subject.
    """
    fine, coarse = like.accuracy_m.min(), like.accuracy_m.max()
    if fine == coarse:
        return
    first = near.groupby("subject_id")["distance_m"].min().reindex(here.index)
    by_least = (here["least"] + here["accuracy_m"] + coarse).where(here["least"] > 0, 0.0)
    within = np.maximum(by_least, here["most"] - here["accuracy_m"] - fine).clip(upper=REACH_M)
    left = here.assign(within=within)[(within > first).to_numpy()]
    for start in range(0, len(left), ASKED_AT_ONCE):
        some = left.iloc[start : start + ASKED_AT_ONCE]
        shapes = some.geometry.to_numpy()
        of, to = like.tree.query(shapes, "dwithin", distance=some["within"].to_numpy())
        own = some["subject_id"].to_numpy()[of]
        told = {
            "subject_id": own,
            "distance_m": shapely.distance(shapes[of], like.shapes[to]),
            "doubt_m": some["accuracy_m"].to_numpy()[of] + like.accuracy_m[to],
        }
        yield _of_pairs(pd.DataFrame(told)[own != like.ids[to]], kind)


def _of_pairs(pairs: pd.DataFrame, kind: str) -> pd.DataFrame:
    return pairs[pairs["distance_m"] <= REACH_M].assign(kind=kind)[PAIR]


def nearness_kind(record: Record) -> str:
    """Return ``road``, ``canal`` or ``port``, or "" for what one does not ask to be near to."""
    return nearness_of(record.kind)


def nearness_of(kind: str) -> str:
    """Return what `nearness_kind` says of a record of that kind."""
    if kind in ROAD_KINDS:
        return "road"
    return kind if kind in ("canal", "port") else ""


def _is_placed(position: Position | None) -> bool:
    return position is not None and position.accuracy_m <= USELESS_M


def _is_target(record: Record) -> bool:
    if record.position is None or not _is_placed(record.position):
        return False
    is_point = record.position.geometry.geom_type == "Point"
    return bool(nearness_kind(record)) and not (record.table == "routes" and is_point)


def _metric(told: list[tuple[Record, Position | None]]) -> list[BaseGeometry]:
    return shapes_to_metric([position.geometry for _, position in told if position])
