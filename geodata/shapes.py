"""Shapes in a file, read a few at a time: all of them together may be more than memory holds."""

import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import shapely

PART_BYTES = 4_000_000
"""So many bytes of WKB are read together; as objects they are some three times as large."""

PART_SHAPES = 100_000
ENDS = ".ends.npy"

Array = np.ndarray[Any, np.dtype[Any]]


class Shapes:
    """The shapes that a `ShapeWriter` has written, by their number from 0 on.

    Only where each ends is held: eight bytes a shape. -1 is the number of no shape.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ends = np.load(path.with_name(path.name + ENDS))

    def __len__(self) -> int:
        return len(self._ends) - 1

    def sizes(self, numbers: Array) -> Array:
        """Return how many bytes each shape takes; none takes 0."""
        return np.where(numbers < 0, 0, self._ends[numbers + 1] - self._ends[numbers])

    def read(self, numbers: Array) -> Array:
        """Return the shapes of these numbers, in their order, as an array of shapely's; or None."""
        there = np.flatnonzero(numbers >= 0)
        asked = numbers[there]
        starts, stops = self._ends[asked].tolist(), self._ends[asked + 1].tolist()
        runs = [*np.flatnonzero(np.diff(asked, prepend=-2) != 1).tolist(), len(asked)]
        told: list[bytes] = []
        with self.path.open("rb", buffering=0) as file:
            for a, b in pairwise(runs):  # those side by side at once
                start = starts[a]
                content = os.pread(file.fileno(), stops[b - 1] - start, start)
                told += (content[starts[i] - start : stops[i] - start] for i in range(a, b))
        shapes = np.full(len(numbers), None, dtype=object)
        shapes[there] = shapely.from_wkb(told)
        return shapes

    def spans(self, numbers: Array) -> Iterator[slice]:
        """Yield slices of ``numbers`` whose shapes are read together."""
        return parts_of_sizes(self.sizes(numbers))


def parts_of_sizes(sizes: Array, most: int = PART_BYTES) -> Iterator[slice]:
    """Yield slices of no more bytes than ``most`` and one shape, or of `PART_SHAPES`."""
    part = (np.cumsum(sizes) - sizes) // most
    part += np.arange(len(sizes)) // PART_SHAPES * (1 + part.max(initial=0))
    starts = [0, *(np.flatnonzero(np.diff(part)) + 1).tolist(), len(sizes)]
    return (slice(a, b) for a, b in pairwise(starts) if a < b)


class ShapeWriter:
    """Writes shapes one after the other; what was not closed is no file of shapes."""

    def __init__(self, path: Path) -> None:
        self._path, self._sizes = path, [np.zeros(1, dtype="int64")]
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("wb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        if error is None:
            ends = np.cumsum(np.concatenate(self._sizes))
            np.save(self._path.with_name(self._path.name + ENDS), ends)

    def add(self, shapes: Array) -> None:
        """Write shapes; none of them is missing."""
        told = shapely.to_wkb(shapes)
        self._sizes.append(np.fromiter(map(len, told), dtype="int64", count=len(told)))
        self._file.writelines(told)
