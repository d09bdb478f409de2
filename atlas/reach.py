"""How far is each place from every drawn road, canal and port: at least, and at most?

Straight lines in the region's zone. A distance between two places of limited accuracy is a pair of
bounds, never one number; what is not drawn as a line, or only known to lie in the province, has
no distance at all.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from atlas.measure import METRES_PER_KM
from atlas.nearest import (
    ROAD_KINDS,
    USELESS_M,
    Asking,
    Numbers,
    Others,
    met_within,
    nearest_among,
)
from atlas.placed import POINT, Positions, is_of
from atlas.records import Book, Position, Record
from geodata.crs import shapes_to_metric

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
    access: pd.DataFrame, positions: Positions, kinds: Mapping[str, str]
) -> pd.DataFrame:
    """Return what `nearest` says of all places: subject_id, kind, least_km, most_km.

    ``access`` is that of `nearest.nearest_named`, ``kinds`` maps subject to kind. What is farther
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
    kind: str, met: pd.DataFrame, positions: Positions, kinds: Mapping[str, str]
) -> Iterator[pd.DataFrame]:
    """Yield the others that may be as near as the nearest, for all that differ in accuracy.

    Of those that are about as accurate as each other the nearest is asked first; what it leaves
    open is asked of the others in the ring around it that could be nearer in truth.
    """
    frame = positions.frame
    groups = frame["subject_id"].map(lambda subject: nearness_of(kinds[subject]))
    is_line = ~is_of(frame, POINT) | (kind == "port")
    is_target = (groups == kind) & is_line & (frame["accuracy_m"] <= USELESS_M)
    if frame.loc[is_target, "accuracy_m"].nunique() < 2:
        return
    there = frame[is_target]
    classes = _class_of(there["accuracy_m"])
    alike = [Others(there[classes == one], positions.metric) for one in sorted(classes.unique())]
    asking = Others(frame[frame["subject_id"].isin(met["subject_id"])], positions.metric)
    parts = asking.parts(ASKED_AT_ONCE)
    firsts = _firsts(asking, parts, alike, kind)
    yield from firsts
    told = pd.concat([met[PAIR], *firsts])
    least = (told["distance_m"] - told["doubt_m"]).groupby(told["subject_id"]).min()
    most = (told["distance_m"] + told["doubt_m"]).groupby(told["subject_id"]).min()
    bounds = pd.DataFrame({"least": least, "most": most}).reindex(asking.ids)
    for like, near in zip(alike, firsts, strict=True):
        first = near.groupby("subject_id")["distance_m"].min().reindex(asking.ids).to_numpy()
        within = _ring_m(bounds, asking.accuracy_m, like)
        is_left = within > first
        for part in (part[is_left[part]] for part in parts if is_left[part].any()):
            yield _of_pairs(_behind(asking.asking(part), like, within[part]), kind)


def _firsts(
    asking: Others, parts: list[Numbers], alike: list[Others], kind: str
) -> list[pd.DataFrame]:
    """Return the nearest of each class; the shapes of a part are read once for all of them."""
    found: list[list[pd.DataFrame]] = [[] for _ in alike]
    for part in parts:
        some = asking.asking(part)
        for told, like in zip(found, alike, strict=True):
            told.append(nearest_among(some, like, kind))
    return [_of_pairs(pd.concat(told, ignore_index=True), kind) for told in found]


def _class_of(accuracy_m: "pd.Series[float]") -> "pd.Series[float]":
    """Return the same number for accuracies of which none is twice as coarse as another."""
    return pd.Series(np.floor(np.log2(accuracy_m.clip(lower=1.0))), accuracy_m.index)


def _ring_m(bounds: pd.DataFrame, own: Numbers, like: Others) -> Numbers:
    """Return within how many metres of each one of a class may still beat what is told.

    ``bounds`` has the least of the lower and of the upper bounds so far, ``own`` is the accuracy
    of those who ask. Nobody has to look where all of the class are as accurate: the nearest is
    known.
    """
    fine, coarse = like.accuracy_m.min(), like.accuracy_m.max()
    if fine == coarse:
        return np.zeros(len(own))
    least, most = bounds["least"].to_numpy(), bounds["most"].to_numpy()
    by_least = np.where(least > 0, least + own + coarse, 0.0)
    return np.asarray(np.minimum(np.maximum(by_least, most - own - fine), REACH_M))


def _behind(asking: Asking, like: Others, within: Numbers) -> pd.DataFrame:
    """Return those of one class that lie behind its nearest and may still beat what is told."""
    of, to, far = met_within(asking, like, within)
    doubt = asking.frame["accuracy_m"].to_numpy()[of] + like.accuracy_m[to]
    own = asking.frame["subject_id"].to_numpy()[of]
    return pd.DataFrame({"subject_id": own, "distance_m": far, "doubt_m": doubt})


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
