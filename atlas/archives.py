"""PMTiles archives of one zoom, made in blocks of tiles so that their features can be held.

Each tile is made of all features that touch it, whatever block it lies in, and all are put
together by one writer: more blocks give the same bytes.
"""

import gzip
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pmtiles.reader import MmapSource, Reader, all_tiles
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

from atlas.editions import BLOCK_BYTES
from atlas.tiles import EXTENT, in_units, tile_span
from geodata.archive import sha256_of
from geodata.crs import DISPLAY_CRS
from geodata.geoparquet import write_geoparquet

BUFFER_PX = 2
BESIDE = 1 / 64
"""What stands so much of a tile's side beside it is drawn in it too: more than its buffer."""

LAYER = "features"
NO_THINNING = 1e-6
"""The side of the cells of which each keeps one feature, in units that cannot be seen."""

NOTHING = gzip.compress(b"", mtime=0)
"""A tile without features."""

Numbers = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class TileLayer:
    """Features by their row, and what reads some of them in parts.

    ``edges`` are west, south, east, north of what is drawn, degrees; ``sizes`` are bytes, of which
    ``block_bytes`` are tiled together; ``source`` is a checksum of all that is drawn. Read is
    EPSG:4326 with a whole number ``n``, which becomes the feature's id, and the attributes that
    travel with it.
    """

    edges: Numbers
    sizes: Numbers
    source: str
    read: Callable[[Numbers], Iterator[gpd.GeoDataFrame]]
    block_bytes: int = BLOCK_BYTES

    @classmethod
    def held(cls, layer: gpd.GeoDataFrame) -> Self:
        """Return a layer that is held."""
        degrees = layer.to_crs(DISPLAY_CRS)
        shapes = degrees.geometry.to_numpy()
        sizes = shapely.get_num_coordinates(shapes) * 16
        cells = pd.DataFrame(degrees.drop(columns=degrees.geometry.name)).to_csv(index=False)
        source = sha256_of(b"".join([cells.encode(), *shapely.to_wkb(shapes)]))
        edges = degrees.bounds.to_numpy()
        return cls(edges, sizes, source, lambda rows: iter([degrees.iloc[rows]]))


@dataclass(frozen=True)
class Block:
    """The tiles below one tile of a smaller zoom, and the rows of what touches them."""

    zoom: int
    x: int
    y: int
    rows: Numbers


def write_archive(layer: TileLayer, path: Path, zoom: int, extent: int = EXTENT) -> None:
    """Write the tiles of one zoom as a PMTiles archive that holds every feature.

    Of no feature it is one tile without any: an archive has to have one. ``extent`` is as
    `tiles.extents` tells. The same layer gives the same bytes.
    """
    blocks = sorted(_blocks(layer, zoom), key=lambda one: _first_tile(one, zoom))
    with tempfile.TemporaryDirectory(dir=path.parent) as name, path.open("wb") as file:
        writer, head = Writer(file), dict[str, Any]()
        part = Path(name) / "block.pmtiles"
        for block in blocks:
            _write_block(layer, block, part, zoom, extent)
            with part.open("rb") as told:
                source = MmapSource(told)
                head = head or Reader(source).header()
                for tile, content in sorted(_tiles_of(block, source, zoom)):
                    writer.write_tile(tile, content)
        if not blocks:
            writer.write_tile(zxy_to_tileid(zoom, 0, 0), NOTHING)
        writer.finalize(_head(head, layer), {"name": LAYER})


def _tiles_of(block: Block, source: Any, zoom: int) -> Iterator[tuple[int, bytes]]:  # noqa: ANN401
    """Yield the tiles that lie in a block, by their number; others are made by their own."""
    shift = zoom - block.zoom
    for (_, x, y), content in all_tiles(source):
        if (x >> shift, y >> shift) == (block.x, block.y):
            yield zxy_to_tileid(zoom, x, y), content


def _first_tile(block: Block, zoom: int) -> int:
    """Return the number of a tile of a block; those of one block follow each other."""
    shift = zoom - block.zoom
    return int(zxy_to_tileid(zoom, block.x << shift, block.y << shift))


def _head(head: dict[str, Any], layer: TileLayer) -> dict[str, Any]:
    head = {"tile_type": TileType.MVT, "tile_compression": Compression.GZIP} | head
    edges = layer.edges if len(layer.edges) else np.zeros((1, 4))
    west, south = np.nanmin(edges[:, :2], axis=0)
    east, north = np.nanmax(edges[:, 2:], axis=0)
    box = {"min_lon": west, "min_lat": south, "max_lon": east, "max_lat": north}
    middle = {"center_lon": (west + east) / 2, "center_lat": (south + north) / 2}
    return head | {f"{name}_e7": int(told * 1e7) for name, told in (box | middle).items()}


def _blocks(layer: TileLayer, zoom: int) -> Iterator[Block]:
    """Yield blocks whose features can be held together, or of one tile; none where nothing is."""
    low, high = tile_span(layer.edges, zoom, BESIDE)
    left = [Block(0, 0, 0, np.arange(len(layer.edges)))]
    while left:
        block = left.pop()
        is_whole = block.zoom == zoom or layer.sizes[block.rows].sum() <= layer.block_bytes
        if is_whole and len(block.rows):
            yield block
        elif not is_whole:
            left += _quarters(block, low, high, zoom)


def _quarters(block: Block, low: Numbers, high: Numbers, zoom: int) -> Iterator[Block]:
    shift = zoom - block.zoom - 1
    first, last = low[block.rows] >> shift, high[block.rows] >> shift
    for x in (2 * block.x, 2 * block.x + 1):
        for y in (2 * block.y, 2 * block.y + 1):
            is_there = ((first <= (x, y)) & ((x, y) <= last)).all(axis=1)
            yield Block(block.zoom + 1, x, y, block.rows[is_there])


def _write_block(layer: TileLayer, block: Block, path: Path, zoom: int, extent: int) -> None:
    import tylertoo  # only where a layer is tiled

    with tempfile.TemporaryDirectory(dir=path.parent) as name:
        source, level = (Path(name) / part for part in ("in.parquet", "level"))
        parts = (in_units(part, zoom, extent) for part in layer.read(block.rows))
        write_geoparquet(parts, source)
        tylertoo.overview(
            str(source),
            str(level),
            min_zoom=zoom,
            max_zoom=zoom,
            gsd_base=float(extent),
            no_auto_rank=True,
            density_drop=False,
            coalesce_lines=False,
            line_visibility=0.0,
            polygon_visibility=0.0,
            point_thinning=NO_THINNING,
            line_thinning=NO_THINNING,
            polygon_thinning=NO_THINNING,
        )
        tylertoo.export_pmtiles(
            str(level),
            str(path),
            layer_name=LAYER,
            tile_buffer=BUFFER_PX,
            extent=extent,
            tile_size_limit=None,
            simple_clip_fastpath=False,
            feature_id="n",
        )
