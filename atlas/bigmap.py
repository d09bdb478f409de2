"""The files from which the map draws, narrows and tells tiled records; none of them grows a page.

Everything is an asset named by its content, below ``assets/``. Binary files are gzipped, so that
they are small on every host; the browser unpacks them itself.
"""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from atlas.archives import TileLayer, write_archive
from atlas.assets import Assets, pack, write_folder
from atlas.columns import Column, Narrowing, columns
from atlas.details import SHARD, shards
from atlas.layers import LAYERS, Json
from atlas.names import names
from atlas.pictures import drawn_file
from atlas.placed import EDGES
from atlas.rows import rows, shapes
from atlas.telling import STAGE_GROUPS
from atlas.tiled import Tiled
from atlas.tiles import (
    extents,
    farthest_zoom,
    first_zoom,
    grid_rows,
    grids,
    spots,
    tile_zooms,
)
from atlas.words import Words
from geodata.archive import sha256_of, sha256_of_written
from geodata.crs import DISPLAY_CRS

SIGNS = ("known", "approximate", "single_point")
IDS_IN_FILE = 2_048
MOST_CELLS = 40_000
"""A finer grid is heavier than what it tells: the one above it is drawn larger."""

INLINE_NUMBERS = 2_000
"""A grid of no more numbers travels with the page's data."""

INLINE_SETS = 60
"""So many sets of a facet's keys are told with its column; more lie beside it."""

WORDS = "tiled."


@dataclass
class BigMap:
    """The tiled records as files: those that both languages share are written once."""

    tiled: Tiled
    assets: Assets
    as_of: date
    ground: gpd.GeoDataFrame | None = None
    _narrowing: Narrowing | None = None
    _shared: dict[str, Json] = field(default_factory=dict)

    def data(self, words: Words) -> dict[str, Json]:
        """Return what the map's script reads of the tiled records, their files written."""
        if not self._shared:
            self._shared = _shared(self.tiled, self.assets)
            self._shared["ground"] = self._ground()
        texts: dict[str, Json] = {
            key.removeprefix(WORDS): text
            for key, text in sorted(words.texts.items())
            if key.startswith(WORDS)
        }
        told = (text.encode("utf-8") for text in shards(self.tiled, words))
        details = write_folder(self.assets, f"told-{words.lang}", map(pack, told))
        titles: dict[str, Json] = {kind: words(f"layer.{kind}") for kind in self.tiled.kinds}
        return {**self._shared, "words": texts, "titles": titles, "details": details}

    def _ground(self) -> list[Json]:
        """Write the ground's tiles at the zooms of the features'."""
        zooms = self._shared["archives"]
        if self.ground is None or not isinstance(zooms, list):
            return []
        layer, told = TileLayer.held(self.ground), list[Json]()
        for zoom, extent in ((one[0], one[2]) for one in zooms if isinstance(one, list)):
            told.append(_archive(self.assets, "ground", layer, (int(str(zoom)), int(str(extent)))))
        return told

    def narrowing(self) -> Narrowing:
        """Write what narrows, finds and carries away the tiled records, and return it."""
        if self._narrowing is None:
            made = columns(self.tiled, self.as_of)
            told: dict[str, Json] = {name: self._column(name, one) for name, one in made.items()}
            index = names(self.tiled)
            folder = write_folder(self.assets, "names", index.files)
            told["names"] = {"file": folder, "firsts": list[Json](index.firsts)}
            told["rows"] = {"file": write_folder(self.assets, "rows", map(pack, rows(self.tiled)))}
            drawn = map(pack, shapes(self.tiled))
            told["shapes"] = {"file": write_folder(self.assets, "shapes", drawn)}
            keys = {name: frozenset(k for one in c.sets for k in one) for name, c in made.items()}
            self._narrowing = Narrowing(told, keys)
        return self._narrowing

    def _column(self, name: str, column: Column) -> Json:
        """Write a column; many sets of keys lie in a file of their own beside it."""
        path = self.assets.write(f"column-{name}.bin", pack(column.content))
        told: dict[str, Json] = {"file": path, "bytes": column.numbers.dtype.itemsize}
        told |= column.told
        if column.sets:
            sets: list[Json] = [list[Json](one) for one in column.sets]
            text = json.dumps(sets, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
            is_few = len(sets) <= INLINE_SETS
            told["sets"] = sets if is_few else self.assets.write(f"sets-{name}.bin", pack(text))
        return told


def _shared(tiled: Tiled, assets: Assets) -> dict[str, Json]:
    subjects = tiled.subjects
    columns, rows = spots(subjects["lon"].to_numpy(), subjects["lat"].to_numpy())
    west, south, east, north = subjects[EDGES].fillna(0).to_numpy(float).T
    sides = east - west + north - south
    first = first_zoom(columns, rows, subjects["corners"].to_numpy(), sides)
    archives, layer = list[Json](), tile_layer(tiled)
    for zoom, extent in zip(made := tile_zooms(first), extents(made), strict=True):
        archives.append([zoom, _archive(assets, "features", layer, (zoom, extent)), extent])
    zooms = range(farthest_zoom(tiled.extent()), first + 1)
    counts = tiled.counts()
    return {
        "kinds": list(tiled.kinds),
        "counts": [counts[kind] for kind in tiled.kinds],
        "unplaced": int(subjects["lon"].isna().sum()),
        "widths": {one.layer_id: one.width for one in LAYERS if one.layer_id in tiled.kinds},
        "stages": list(STAGE_GROUPS),
        "signs": list(SIGNS),
        "from": first + 1,
        "archives": archives,
        "grids": {
            str(one.zoom): _grid(assets, one.zoom, grid_rows(one, tiled.kinds))
            for one in grids(subjects["kind"], columns, rows, zooms)
            if one.zoom == zooms.start or len(one.cells) <= MOST_CELLS
        },
        "shard": SHARD,
        "routes": [one.layer_id for one in LAYERS if one.draws == "routes"],
        **_ids(subjects["subject_id"], assets),
    }


def _ids(ids: "pd.Series[str]", assets: Assets) -> dict[str, Json]:
    """Write which number each id has, in files by the sum of the id."""
    count = max(1, len(ids) // IDS_IN_FILE)
    buckets = sums(ids.to_numpy(object)) % count
    order = np.argsort(buckets, kind="stable")
    ends = np.searchsorted(buckets[order], np.arange(count + 1)).tolist()
    told = ids.to_numpy(object)
    parts = (order[start:end] for start, end in zip(ends, ends[1:], strict=False))
    files = (dict(zip(told[part].tolist(), part.tolist(), strict=True)) for part in parts)
    texts = (json.dumps(one, separators=(",", ":")).encode("ascii") for one in files)
    return {"ids": write_folder(assets, "ids", map(pack, texts)), "buckets": count}


def sums(texts: np.ndarray) -> np.ndarray:
    """Return the 32-bit FNV-1a sum of each text's UTF-8 bytes."""
    told = np.array([str(one).encode("utf-8") for one in texts], dtype="S")
    if told.size == 0:
        return np.empty(0, dtype="uint32")
    signs = told.view("uint8").reshape(len(told), -1).astype("uint32")
    total = np.full(len(told), 0x811C9DC5, dtype="uint32")
    lengths = np.char.str_len(told)
    for place in range(signs.shape[1]):
        step = (total ^ signs[:, place]) * np.uint32(0x01000193)
        total = np.where(place < lengths, step, total)
    return total


def _grid(assets: Assets, zoom: int, numbers: list[int]) -> Json:
    """Keep a small grid with the page's data; a larger one is a script, which needs no server."""
    if len(numbers) <= INLINE_NUMBERS:
        return list[Json](numbers)
    text = json.dumps(numbers, separators=(",", ":"))
    script = f"ATLAS_LAYERS.big.grids[{zoom}] = {text};\n"
    return assets.write(f"grid-{zoom}.js", script.encode("ascii"))


def _archive(assets: Assets, name: str, layer: TileLayer, drawn: tuple[int, int]) -> str:
    """Publish the tiles of a layer at a zoom, in so many units, and return their path."""
    zoom, extent = drawn
    with tempfile.TemporaryDirectory(dir=assets.out) as folder:
        path = drawn_file(
            "tylertoo",
            lambda path: write_archive(layer, path, zoom, extent),
            f"{zoom} {extent} {layer.source}",
            Path(folder) / "drawn.pmtiles",
        )
        return assets.link(f"{name}-{zoom}.pmtiles", path)


def tile_layer(tiled: Tiled) -> TileLayer:
    """Return what stands in the tiles: ``n``, the shape, ``look`` and ``r``.

    ``look`` numbers kind, stage group and sign together, ``r`` is the radius of a footprint in
    metres, 0 for none. A record without a position is not in it.
    """
    subjects = tiled.subjects
    kind, stage, sign = (
        subjects[name].map({one: place for place, one in enumerate(order)}).fillna(0)
        for name, order in (("kind", tiled.kinds), ("stage_group", STAGE_GROUPS), ("sign", SIGNS))
    )
    look = ((kind * len(STAGE_GROUPS) + stage) * len(SIGNS) + sign).to_numpy("int64")
    radius = subjects["radius_m"].to_numpy("int64")
    placed = np.flatnonzero(subjects["lon"].notna())
    spots = subjects[["lon", "lat", "lon", "lat"]].to_numpy()
    edges = np.where(subjects[["is_moved"]].to_numpy(), spots, subjects[EDGES].to_numpy())

    def read(mine: np.ndarray) -> Iterator[gpd.GeoDataFrame]:
        for n in tiled.spans(placed[mine]):
            told = {"n": n, "look": look[n], "r": radius[n]}
            yield gpd.GeoDataFrame(told, geometry=list(tiled.drawn(n)), crs=DISPLAY_CRS)

    told = (placed, look[placed], radius[placed], edges[placed], tiled.numbers_of_shapes(placed))
    sums = [sha256_of(np.ascontiguousarray(one).tobytes()) for one in told]
    source = sha256_of(" ".join([*sums, sha256_of_written(tiled.shapes.path)]).encode())
    return TileLayer(edges[placed], tiled.sizes(placed), source, read, tiled.block_bytes)
