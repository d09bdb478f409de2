"""What is nearest to what: asked in parts, by boxes first; a shape is read when it is measured."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from atlas.apart import ROUNDING_M, apart, between_boxes
from atlas.measure import METRES_PER_KM
from atlas.placed import METRIC_EDGES, POINT, is_of
from atlas.positions import UNPLACED_M
from geodata.cells import among
from geodata.ledger import Change, occurred
from geodata.shapes import PART_BYTES, Shapes

Numbers = np.ndarray[Any, np.dtype[Any]]
Meetings = tuple[Numbers, Numbers, Numbers]
"""Who asks and whom it meets, by their place in their frames, and how far apart in metres."""

ROAD_KINDS = ("expressway", "national_road", "provincial_road", "road")
NEIGHBOURS = 3
USELESS_M = UNPLACED_M
"""A distance from a position that is not even placed would say nothing."""

ACCESS_TEXTS = ("subject_id", "relation", "kind", "other_id")
ACCESS_COLUMNS = [
    *ACCESS_TEXTS,
    *("distance_km", "uncertainty_km", "distance_m", "doubt_m"),
]


def _points(frame: pd.DataFrame) -> Numbers:
    return np.asarray(shapely.points(frame[["x", "y"]].to_numpy()))


def _boxes(edges: Numbers) -> Numbers:
    return np.asarray(shapely.box(*edges.T))


@dataclass(frozen=True)
class Others:
    """Among whom is asked, sorted by ``subject_id``; made ready once for all.

    ``frame`` holds what `placed.Positions` tells of them, ``metric`` their shapes by its index.
    """

    frame: pd.DataFrame
    metric: Shapes

    @cached_property
    def ids(self) -> Numbers:
        """Their ids, row by row as all that follows."""
        return self.frame["subject_id"].to_numpy(dtype="object")

    @cached_property
    def numbers(self) -> Numbers:
        """The numbers of their shapes."""
        return self.frame.index.to_numpy(dtype="int64")

    @cached_property
    def accuracy_m(self) -> Numbers:
        """Their accuracies."""
        return self.frame["accuracy_m"].to_numpy()

    @cached_property
    def edges(self) -> Numbers:
        """The edges of the boxes around them, metres."""
        return self.frame[METRIC_EDGES].to_numpy()

    @cached_property
    def centres(self) -> shapely.STRtree:
        """A tree of their middles."""
        return shapely.STRtree(_points(self.frame))

    @cached_property
    def first_round_m(self) -> float:
        """Half the distance between them if they stood evenly; never nothing."""
        west, south = self.edges[:, :2].min(axis=0)
        east, north = self.edges[:, 2:].max(axis=0)
        return max(1.0, float(np.sqrt((east - west) * (north - south) / len(self.frame))) / 2)

    def asking(self, rows: Numbers) -> "Asking":
        """Return some of them as those who ask, their shapes read."""
        return Asking(self.frame.iloc[rows], self.metric.read(self.numbers[rows]))

    def parts(self, rows: int) -> list[Numbers]:
        """Return their rows in parts of no more than ``rows``, near ones together.

        They are cut from a Hilbert curve, in more parts where the shapes are large; one part is
        all of them as they stand.
        """
        weight = int(self.metric.sizes(self.numbers).sum())
        count = max(-(-len(self.frame) // rows), -(-weight // PART_BYTES))
        if count <= 1:
            return [np.arange(len(self.frame))]
        middles = (self.edges[:, :2] + self.edges[:, 2:]) / 2
        curve = gpd.GeoSeries(shapely.points(middles)).hilbert_distance().to_numpy()
        return np.array_split(np.argsort(curve, kind="stable"), count)

    def touched(self, edges: Numbers) -> tuple[Numbers, Numbers]:
        """Return whose box each of these boxes touches: which of them, and which of the others."""
        if not len(edges):
            return np.empty(0, dtype="int64"), np.empty(0, dtype="int64")
        low, high = edges[:, :2].min(axis=0), edges[:, 2:].max(axis=0)
        is_near = (self.edges[:, 2:] >= low).all(axis=1) & (self.edges[:, :2] <= high).all(axis=1)
        near = np.flatnonzero(is_near)
        of, to = shapely.STRtree(_boxes(self.edges[near])).query(_boxes(edges))
        return of, near[to]

    def distances(self, shapes: Numbers, of: Numbers, to: Numbers) -> Numbers:
        """Return how far each ``shapes[of]`` is from the other in its row, metres."""
        far = np.empty(len(to))
        order = np.argsort(to, kind="stable")
        rows, starts = np.unique(to[order], return_index=True)
        ends = [*starts.tolist(), len(to)]
        for span in self.metric.spans(self.numbers[rows]):
            mine = order[ends[span.start] : ends[span.stop]]
            there = self.metric.read(self.numbers[rows[span]])
            which = np.searchsorted(rows[span], to[mine])
            far[mine] = apart(shapes, of[mine], there, which)
        return far


@dataclass(frozen=True)
class Asking:
    """Some who ask what is near, and their shapes in metres, row by row."""

    frame: pd.DataFrame
    shapes: Numbers

    def only(self, is_kept: Numbers) -> "Asking":
        """Return some of them."""
        return Asking(self.frame[is_kept], self.shapes[is_kept])

    def around(self, within: "Numbers | float") -> Numbers:
        """Return the edges of the boxes that hold all within so many metres of each."""
        far = np.broadcast_to(within, len(self.shapes))
        edges: Numbers = self.frame[METRIC_EDGES].to_numpy()
        return np.asarray(edges + far[:, None] * [-1, -1, 1, 1])


@dataclass(frozen=True)
class Search:
    """Who asks what is near, and among whom.

    ``placed`` ask and are each other's neighbours, ``targets`` holds the roads, canals and ports,
    ``places`` counts all places, those that are not placed too.
    """

    placed: Others
    targets: Mapping[str, Others]
    places: int

    def nearest(self, part: Numbers) -> pd.DataFrame:
        """Return the nearest of one part; what is found does not depend on how parts are cut."""
        asking = self.placed.asking(part)
        found = [nearest_among(asking, others, kind) for kind, others in self.targets.items()]
        table = pd.concat([*found, _neighbours(asking, self.placed)], ignore_index=True)
        return table.astype(dict.fromkeys(ACCESS_TEXTS, "str"))


def search_of(positions: pd.DataFrame, metric: Shapes) -> Search:
    """Return who asks among whom of positions that have their ``kind``; see `Others`.

    A route known only by one point has no alignment to be near to and is left out, as is
    whatever is known only to lie in the province.
    """
    is_route = positions["kind"].isin((*ROAD_KINDS, "canal"))
    drawn = ~is_of(positions, POINT)
    known = positions["accuracy_m"] <= USELESS_M
    targets = {
        "road": positions["kind"].isin(ROAD_KINDS) & drawn & known,
        "canal": (positions["kind"] == "canal") & drawn & known,
        "port": (positions["kind"] == "port") & known,
    }
    layers = {kind: positions[mine].sort_values("subject_id") for kind, mine in targets.items()}
    return Search(
        Others(positions[~is_route & known].sort_values("subject_id"), metric),
        {kind: Others(others, metric) for kind, others in layers.items() if len(others)},
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
    change = Change("join places to the nearest named", search.places, partnered, occurred(lost))
    # stable: the nearest stay first among those that a rounded distance makes equal
    order = ["subject_id", "relation", "kind"]
    return table.sort_values(order, kind="stable", ignore_index=True), change


def nearest_among(asking: Asking, others: Others, kind: str) -> pd.DataFrame:
    """Return the nearest of the others to each who asks; one of them has the nearest but itself.

    The others are one at least; the columns are those of `nearest_named`. Of two that are as near
    it is the one of the smaller id.
    """
    own = among(asking.frame["subject_id"], others.frame["subject_id"])
    asked = asking.only(~own)
    pairs = _pairs(asked, others, _met(asked, others), 1)
    return _access(pd.concat([pairs, _k_nearest(asking.only(own), others, 1)]), kind, "access")


def _met(asking: Asking, others: Others) -> Meetings:
    """Return all that may be the nearest to each of the asking, the nearest always among them.

    The one whose middle is nearest bounds how far that is, and only what has its box within is
    measured: a quarter of the time of a tree that measures whatever it passes on its way.
    """
    here = asking.shapes
    first: Numbers = others.centres.nearest(_points(asking.frame))
    own = np.arange(len(here))
    of, to = others.touched(asking.around(others.distances(here, own, first) + ROUNDING_M))
    return of, to, others.distances(here, of, to)


def _neighbours(asking: Asking, placed: Others) -> pd.DataFrame:
    return _access(_k_nearest(asking, placed, NEIGHBOURS), "place", "neighbour")


def _k_nearest(asking: Asking, others: Others, count: int) -> pd.DataFrame:
    """Find for each of the asking, who are among the others, the nearest others but itself.

    Asked in rounds of a distance that doubles: who has enough within it has the nearest among
    them, and only the rest is asked again.
    """
    wanted = min(count, len(others.frame) - 1)
    found: list[pd.DataFrame] = []
    left, within = asking if wanted > 0 else Asking(asking.frame.head(0), asking.shapes[:0]), 0.0
    while len(left.shapes):
        within = within * 2 or others.first_round_m
        of, to = _foremost(left, others, *_touched(left, others, within), wanted)
        of, to, far = _measured(left, others, of, to, within)
        enough = np.bincount(of, minlength=len(left.shapes)) >= wanted
        met = of[enough[of]], to[enough[of]], far[enough[of]]
        found.append(_pairs(left, others, met, wanted))
        left = left.only(~enough)
    nobody = np.empty(0, dtype="int64")
    return pd.concat(found) if found else _pairs(left, others, (nobody, nobody, nobody), 0)


def met_within(asking: Asking, others: Others, within: "Numbers | float") -> Meetings:
    """Return the others, but oneself, within so many metres of each of the asking."""
    return _measured(asking, others, *_touched(asking, others, within), within)


def _touched(asking: Asking, others: Others, within: "Numbers | float") -> tuple[Numbers, Numbers]:
    """Return the others, but oneself, whose boxes lie within so many metres of each one's."""
    of, to = others.touched(asking.around(within))
    is_other = asking.frame["subject_id"].to_numpy()[of] != others.ids[to]
    return of[is_other], to[is_other]


def _measured(
    asking: Asking, others: Others, of: Numbers, to: Numbers, within: "Numbers | float"
) -> Meetings:
    far = others.distances(asking.shapes, of, to)
    is_met = far <= np.broadcast_to(within, len(asking.shapes))[of]
    return of[is_met], to[is_met], far[is_met]


def _foremost(
    asking: Asking, others: Others, of: Numbers, to: Numbers, count: int
) -> tuple[Numbers, Numbers]:
    """Leave out pairs whose boxes are farther apart than ``count`` other pairs can ever be."""
    here, there = asking.frame[METRIC_EDGES].to_numpy()[of], others.edges[to]
    least, most = between_boxes(here[:, :2], here[:, 2:], there[:, :2], there[:, 2:])
    order = np.lexsort((most, of))
    rank = np.arange(len(of)) - np.searchsorted(of[order], of[order])
    bound = np.full(len(asking.shapes), np.inf)
    last = order[rank == count - 1]
    bound[of[last]] = most[last]
    is_kept = least <= bound[of] + ROUNDING_M
    return of[is_kept], to[is_kept]


def _pairs(asking: Asking, others: Others, met: Meetings, count: int) -> pd.DataFrame:
    """Return the first pairs of each of the asking, by distance and then by id.

    The others are in the order of their ids, so that positions decide ties as ids would.
    """
    of, to, far = met
    order = np.lexsort((to, far, of))
    of, to, far = of[order], to[order], far[order]
    begin = np.searchsorted(of, of, side="left")
    kept = np.arange(len(of)) - begin < count
    of, to, far = of[kept], to[kept], far[kept]
    doubt = asking.frame["accuracy_m"].to_numpy()[of] + others.accuracy_m[to]
    return pd.DataFrame(
        {
            "subject_id": asking.frame["subject_id"].to_numpy()[of],
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
