"""What is near to every place, asked in parts, each of which is kept by what it was made of."""

import functools
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pandas as pd

from atlas.join import Numbers, Search, nearest_named, search_of
from flows.kept import Kept
from flows.order import Order, in_region
from flows.work import beforehand
from geodata.archive import sha256_of_file
from geodata.crs import read_features
from geodata.errors import AtlasError
from geodata.ledger import Change

METRIC = "metric.parquet"
"""In the work folder: every position in metres with its kind."""

KEPT = "near"


@dataclass(frozen=True)
class Part:
    """The places of one number, of the positions whose file has this checksum."""

    number: int
    sha256: str


def find_near(
    order: Order, metric: gpd.GeoDataFrame, kinds: dict[str, str]
) -> tuple[pd.DataFrame, Change]:
    """Return what is nearest to every place; see `atlas.join.nearest_named`.

    ``metric`` holds one position a subject, in metres; ``kinds`` maps subject to kind.
    """
    path = order.work / METRIC
    metric.assign(kind=metric["subject_id"].map(kinds)).to_parquet(path, index=False)
    sha256 = sha256_of_file(path)
    search, cut = _read(path, sha256, order.part_rows)
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
    search, cut = _read(order.work / METRIC, part.sha256, order.part_rows)
    found = search.nearest(cut[part.number])
    kept = kept or Kept.of(order, KEPT, "geodata", "atlas")
    kept.keep_frame(_key(kept, order, part), found)
    return found


def _found(order: Order, kept: Kept, part: Part) -> pd.DataFrame:
    found = kept.frame(_key(kept, order, part))
    return keep_near(order, part, kept) if found is None else found


def _key(kept: Kept, order: Order, part: Part) -> str:
    return kept.key_of(part.sha256, order.part_rows, part.number)


@functools.lru_cache(maxsize=1)
def _read(path: Path, sha256: str, rows: int) -> tuple[Search, list[Numbers]]:
    """Return the search of the positions of a file, and its parts; a worker does many of them.

    AtlasError where the file is another one: the folder that is shared may lag behind.
    """
    if sha256_of_file(path) != sha256:
        raise AtlasError(f"{path} is not yet here as it was written")
    search = search_of(read_features(path))
    return search, search.parts(rows)
