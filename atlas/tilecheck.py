"""Is every tiled record in the tiles, and told of? Read from the published files alone."""

import gzip
import json
from collections.abc import Collection, Iterator
from pathlib import Path

from pmtiles.reader import MmapSource, all_tiles
from pmtiles.tile import MagicNumberNotFound, SpecVersionUnsupported

from geodata.errors import PublishRefusedError

ODD = (MagicNumberNotFound, SpecVersionUnsupported, OSError, EOFError, LookupError, ValueError)
"""What a file that is no archive does to its reader."""

VARINT, LENGTH = 0, 2
LAYER_TAG, FEATURE_TAG, ID_TAG = 3 << 3 | LENGTH, 2 << 3 | LENGTH, 1 << 3 | VARINT
SHOWN_IDS = 5

Span = tuple[int, int]


class TilesError(PublishRefusedError):
    """An archive that is none, or that lacks a record."""


def verify_tiles(out: Path, ids: Collection[str], placed: Collection[str], ground: int = 0) -> int:
    """Return how many archives below ``out`` hold each of the ``placed`` records, none besides.

    ``ids`` are all tiled records: each has its details, in every language. ``ground`` is how many
    communes and waterways lie under them in tiles of their own, one archive for each of those.
    TilesError names the first that are missing.
    """
    folders = sorted((out / "assets").glob("told-*"))
    archives = sorted((out / "assets").glob("features-*.pmtiles"))
    if ids and not (folders and archives):
        raise TilesError(f"{len(ids)} records are tiled, but no tiles or details were written")
    numbered: list[str] = []
    for folder in folders:
        numbered = ids_told(folder)
        _same(folder.name, numbered, ids)
    for archive in archives:
        there = {numbered[n] for n in feature_ids(archive) if n < len(numbered)}
        _same(archive.name, there, placed)
    grounds = sorted((out / "assets").glob("ground-*.pmtiles"))
    zooms = [{path.name.split("-")[1] for path in paths} for paths in (archives, grounds)]
    if ground and zooms[0] != zooms[1]:
        told = f"{len(grounds)} archives of them for {len(archives)} of records"
        raise TilesError(f"{ground} communes and waterways are tiled, but there are {told}")
    under = [f"feature {n}" for n in range(ground)]
    for archive in grounds:
        found = [f"feature {n}" for n in sorted(feature_ids(archive))]
        _same(archive.name, found, under)
    return len(archives) + len(grounds)


def _same(name: str, found: Collection[str], expected: Collection[str]) -> None:
    missing, strange = sorted(set(expected) - set(found)), sorted(set(found) - set(expected))
    for fault, told in (("lacks", missing), ("holds unknown", strange)):
        if told:
            shown = ", ".join(told[:SHOWN_IDS])
            raise TilesError(f"{name} {fault} {len(told)} of {len(expected)} records: {shown}")
    if len(found) != len(set(found)):
        raise TilesError(f"{name} tells a record twice")


def ids_told(folder: Path) -> list[str]:
    """Return the ids of the records that a folder of details tells of, in their order."""
    files = sorted(folder.glob("*.bin"), key=lambda path: int(path.stem))
    return [told for path in files for told in json.loads(gzip.decompress(path.read_bytes()))["id"]]


def feature_ids(archive: Path) -> set[int]:
    """Return the ids of all features in a PMTiles archive of gzipped vector tiles."""
    found: set[int] = set()
    try:
        with archive.open("rb") as file:
            for _, content in all_tiles(MmapSource(file)):
                tile = gzip.decompress(content)
                for layer in _messages(tile, (0, len(tile)), LAYER_TAG):
                    found.update(_ids(tile, layer))
    except ODD as error:
        told = f"{archive.name} is no PMTiles of version 3, packed with gzip ({error!r})"
        raise TilesError(told[:300]) from error
    return found


def _ids(tile: bytes, layer: Span) -> Iterator[int]:
    for start, end in _messages(tile, layer, FEATURE_TAG):
        at = start
        while at < end:
            tag, at = _varint(tile, at)
            value, at = _varint(tile, at)
            if tag == ID_TAG:
                yield value
                break
            at += value if tag & 7 == LENGTH else 0


def _messages(content: bytes, span: Span, wanted: int) -> Iterator[Span]:
    at, end = span
    while at < end:
        tag, at = _varint(content, at)
        value, at = _varint(content, at)
        if tag & 7 == LENGTH:
            if tag == wanted:
                yield at, at + value
            at += value
        elif tag & 7 != VARINT:
            raise TilesError("a vector tile holds what none should")


def _varint(content: bytes, at: int) -> Span:
    value = shift = 0
    while True:
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
