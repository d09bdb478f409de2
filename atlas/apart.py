"""How far two shapes are apart, however many corners they have: boxes along them are asked first.

Between shapes of thousands of corners a plain distance looks at most pairs of their sides. Cut
into runs of sides with a box around each, all but a few runs are known to be too far.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import shapely

from atlas.placed import AREAS, LINES

MANY_PAIRS = 400_000
"""So many pairs of corners are measured about as quickly as boxes are asked."""

RUNS = 64
"""Into about so many runs a shape is cut, or of `FEWEST_SIDES`; each of its parts into one more."""

MANY_RUNS = (4 * RUNS) ** 2
"""More pairs of runs are not asked: shapes of so many parts are measured plainly."""

FEWEST_SIDES = 16
ROUNDING_M = 1e-3
"""More than the sums of coordinates are ever rounded by, and less than would find anything."""

Numbers = np.ndarray[Any, np.dtype[Any]]


def apart(here: Numbers, of: Numbers, there: Numbers, to: Numbers) -> Numbers:
    """Return how far each ``here[of]`` is from its ``there[to]``, as `shapely.distance` tells it.

    Both are shapes in metres; ``of`` and ``to`` have a number a pair.
    """
    sizes = (shapely.get_num_coordinates(one).astype("int64") for one in (here, there))
    corners = np.multiply(*(size[at] for size, at in zip(sizes, (of, to), strict=True)))
    is_large = (corners > MANY_PAIRS) & _has_sides(here)[of] & _has_sides(there)[to]
    far = np.empty(len(of))
    far[~is_large] = shapely.distance(here[of[~is_large]], there[to[~is_large]])
    if is_large.any():
        far[is_large] = _far(here, of[is_large], there, to[is_large])
    return far


def _has_sides(shapes: Numbers) -> Numbers:
    return np.isin(shapely.get_type_id(shapes), (*LINES, *AREAS))


def _far(here: Numbers, of: Numbers, there: Numbers, to: Numbers) -> Numbers:
    """Return the distances of pairs; those that meet have none, the others that of their sides."""
    far = np.zeros(len(of))
    low, high = shapely.bounds(here)[of], shapely.bounds(there)[to]
    is_over = (low[:, :2] <= high[:, 2:]).all(axis=1) & (high[:, :2] <= low[:, 2:]).all(axis=1)
    shapely.prepare(here[of[is_over]])
    meets = np.zeros(len(of), dtype=bool)
    meets[is_over] = shapely.intersects(here[of[is_over]], there[to[is_over]])
    first, ours = np.unique(of, return_inverse=True)
    other, theirs = np.unique(to, return_inverse=True)
    one, two = Runs.of(here[first]), Runs.of(there[other])
    is_torn = np.diff(one.ends)[ours] * np.diff(two.ends)[theirs] > MANY_RUNS
    far[is_torn] = shapely.distance(here[of[is_torn]], there[to[is_torn]])
    for pair in np.flatnonzero(~meets & ~is_torn).tolist():
        far[pair] = _between(one, int(ours[pair]), two, int(theirs[pair]))
    return far


@dataclass(frozen=True)
class Runs:
    """Shapes cut into runs of their sides, a box around each; ``ends`` tells where each ends."""

    lines: Numbers
    low: Numbers
    high: Numbers
    ends: Numbers

    @classmethod
    def of(cls, shapes: Numbers) -> Self:
        """Cut lines and the borders of areas."""
        borders = np.where(
            np.isin(shapely.get_type_id(shapes), AREAS), shapely.boundary(shapes), shapes
        )
        sides, of = shapely.get_parts(borders, return_index=True)
        corners = shapely.get_num_coordinates(sides)
        length = np.maximum(FEWEST_SIDES, -(-shapely.get_num_coordinates(shapes) // RUNS))[of]
        counts = np.maximum(1, -(-(corners - 1) // length))
        side = np.repeat(np.arange(len(sides)), counts)
        begins = _within(counts) * length[side]
        sizes = np.minimum(length[side], corners[side] - 1 - begins) + 1
        starts = (np.cumsum(corners) - corners)[side] + begins
        at = np.repeat(starts, sizes) + _within(sizes)
        lines = shapely.linestrings(
            shapely.get_coordinates(sides)[at], indices=np.repeat(np.arange(len(side)), sizes)
        )
        boxes = shapely.bounds(lines)
        ends = np.searchsorted(of[side], np.arange(len(shapes) + 1))
        return cls(lines, boxes[:, :2], boxes[:, 2:], ends)

    def span(self, number: int) -> slice:
        """Return where the runs of one shape stand."""
        return slice(int(self.ends[number]), int(self.ends[number + 1]))


def _within(counts: Numbers) -> Numbers:
    """Return 0, 1, 2 … anew for each count."""
    return np.asarray(np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts))


def _between(one: Runs, number: int, two: Runs, other: int) -> float:
    """Return the distance of two shapes' sides.

    The runs whose boxes are nearest are measured first; then all others that may be nearer.
    """
    mine, its = one.span(number), two.span(other)
    low, high = one.low[mine, None], one.high[mine, None]
    least, _ = between_boxes(low, high, two.low[None, its], two.high[None, its])
    nearest = np.unravel_index(least.argmin(), least.shape)
    first = float(shapely.distance(one.lines[mine][nearest[0]], two.lines[its][nearest[1]]))
    near, with_it = np.nonzero(least <= first + ROUNDING_M)
    return float(shapely.distance(one.lines[mine][near], two.lines[its][with_it]).min())


def between_boxes(
    low: Numbers, high: Numbers, other_low: Numbers, other_high: Numbers
) -> tuple[Numbers, Numbers]:
    """Return how far boxes are apart at least, and how far what lies in them can be at most.

    Their corners are x and y on the last axis; the others broadcast.
    """
    ahead, behind = other_low - high, low - other_high
    gap, whole = np.maximum(np.maximum(ahead, behind), 0), np.minimum(ahead, behind)
    return np.hypot(gap[..., 0], gap[..., 1]), np.hypot(whole[..., 0], whole[..., 1])
