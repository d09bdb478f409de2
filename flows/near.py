"""What is near to every place, asked in parts, each of which is kept by what it was made of."""

import functools
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from atlas.nearest import Numbers, Search, nearest_named, search_of
from atlas.placed import METRES, METRIC_EDGES, Positions
from flows.kept import Kept
from flows.order import Order, in_region
from flows.work import beforehand
from geodata.archive import sha256_of, sha256_of_file
from geodata.errors import AtlasError
from geodata.ledger import Change
from geodata.shapes import Shapes

ASKED = "asked.parquet"
"""In the work folder, beside the shapes: what is asked of every position, and its kind."""

COLUMNS = ["subject_id", "accuracy_m", "type_id", *METRIC_EDGES, "x", "y"]
KEPT = "near"


@dataclass(frozen=True)
class Part:
    """The places of one number, of the positions that have this checksum."""

    number: int
    sha256: str


def find_near(
    order: Order, positions: Positions, kinds: dict[str, str]
) -> tuple[pd.DataFrame, Change]:
    """Return what is nearest to every place; see `atlas.nearest.nearest_named`.

    The shapes of the positions lie in the work folder; ``kinds`` maps subject to kind.
    """
    asked = positions.frame[COLUMNS]
    asked.assign(kind=asked["subject_id"].map(kinds)).to_parquet(order.work / ASKED, index=False)
    sha256 = _checksum(order.work)
    search, cut = _read(order.work, sha256, order.part_rows)
    kept = Kept.of(order, KEPT, "geodata", "atlas")
    parts = [Part(number, sha256) for number in range(len(cut))]
    beforehand(order, keep_near, [one for one in parts if not kept.has(_key(kept, order, one))])
    found = [_found(order, kept, one) for one in parts]
    kept.forget_unused()
    _read.cache_clear()
    return nearest_named(search, found)


@in_region
def keep_near(order: Order, part: Part, kept: Kept | None = None) -> pd.DataFrame:
    """Find what is near to the places of one part, and keep it; a worker asks where."""
    search, cut = _read(order.work, part.sha256, order.part_rows)
    found = search.nearest(cut[part.number])
    kept = kept or Kept.of(order, KEPT, "geodata", "atlas")
    kept.keep_frame(_key(kept, order, part), found)
    return found


def _found(order: Order, kept: Kept, part: Part) -> pd.DataFrame:
    found = kept.frame(_key(kept, order, part))
    return keep_near(order, part, kept) if found is None else found


def _key(kept: Kept, order: Order, part: Part) -> str:
    return kept.key_of(part.sha256, order.part_rows, part.number)


def _checksum(folder: Path) -> str:
    """Return the checksum of all that is asked of positions, their shapes too."""
    return sha256_of("".join(sha256_of_file(folder / name) for name in (ASKED, METRES)).encode())


@functools.lru_cache(maxsize=1)
def _read(folder: Path, sha256: str, rows: int) -> tuple[Search, list[Numbers]]:
    """Return the search of the positions of a folder, and its parts; a worker does many of them.

    AtlasError where they are others: the folder that is shared may lag behind.
    """
    if _checksum(folder) != sha256:
        raise AtlasError(f"{folder} does not yet hold the positions as they were written")
    search = search_of(pd.read_parquet(folder / ASKED), Shapes(folder / METRES))
    return search, search.placed.parts(rows)
