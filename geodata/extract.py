"""Regional extracts of OpenStreetMap: what has a name or a number inside a box, and no more.

The file is read several times from front to back and never unpacked as a whole: areas made of
several ways, which points the ways need, those points, then the ways. What is chosen by tags or
ids is chosen by osmium; what is kept beside the file is the ids of needed points and what lies in
the box.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import osmium
from osmium.filter import IdFilter, KeyFilter
from osmium.osm import NODE, RELATION, WAY, Location, Way, osm_entity_bits
from shapely import Point

from geodata.errors import SourceError
from geodata.osm import Row, area_of, day_of, layer_of, row_of, shaped, what_is

Box = tuple[float, float, float, float]
"""West, south, east and north in degrees."""

Line = list[tuple[float, float]]
AREAS = ("port", "industrial")
WAYS = ("road", "waterway", *AREAS)
TELLING = ("highway", "waterway", "landuse", "industrial", "harbour")
"""The keys without which nothing is any of these."""

REPLICATED = "osmosis_replication_timestamp"


def read_extract(source_id: str, content: bytes, box: Box) -> gpd.GeoDataFrame:
    """Read named and numbered roads, waterways, ports and industrial land inside the box.

    A way that leaves the box is cut where its last point inside lies. SourceError where the file
    is no ``.osm.pbf``, is torn, or holds nothing of these there.
    """
    try:
        extract = _Extract(osmium.io.FileBuffer(content, "pbf"), box)
        rows = _read(extract)
        stamp = osmium.io.Reader(extract.file).header().get(REPLICATED)
    except (RuntimeError, ValueError, MemoryError) as error:
        raise SourceError(
            source_id, "file_is_of_its_format", f"the extract is no whole .osm.pbf: {error}"
        ) from error
    if not rows:
        message = "the extract holds nothing named inside the box; check bbox in source.toml"
        raise SourceError(source_id, "file_is_not_empty", message)
    return layer_of(rows, day_of(stamp))


@dataclass(frozen=True)
class _Extract:
    file: osmium.io.FileBuffer
    box: Box

    def named(self, kind: osm_entity_bits, wanted: tuple[str, ...]) -> Iterator[Any]:
        """Return the objects of one kind that have a name or a number and are wanted."""
        told = osmium.FileProcessor(self.file, kind).with_filter(KeyFilter("name", "ref"))
        for found in told.with_filter(KeyFilter(*TELLING)):
            if what_is(dict(found.tags)) in wanted:
                yield found

    def some(self, kind: osm_entity_bits, ids: Iterable[int]) -> Iterator[Any]:
        """Return the objects of one kind with these ids."""
        return iter(osmium.FileProcessor(self.file, kind).with_filter(IdFilter(ids)))

    def holds(self, spot: Location) -> bool:
        """Tell whether a location is one, and inside the box."""
        west, south, east, north = self.box
        return spot.valid() and west <= spot.lon <= east and south <= spot.lat <= north


@dataclass(frozen=True)
class _Points:
    """The points inside the box: ids in order, and where each lies."""

    ids: "np.ndarray[tuple[int], np.dtype[np.int64]]"
    places: "np.ndarray[tuple[int, int], np.dtype[np.float64]]"

    def runs(self, way: Way) -> Iterator[Line]:
        """Return the stretches of a way whose points are all known, each of two or more."""
        if not len(self.ids):
            return
        ids = [node.ref for node in way.nodes]
        spots = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        run: Line = []
        for spot, is_known in zip(spots, self.ids[spots] == ids, strict=True):
            if is_known:
                run.append((float(self.places[spot, 0]), float(self.places[spot, 1])))
                continue
            if len(run) > 1:
                yield run
            run = []
        if len(run) > 1:
            yield run


@dataclass(frozen=True)
class _Area:
    tags: dict[str, str]
    lines: list[tuple[str, Line]]


Roles = dict[int, list[tuple[_Area, str]]]
"""Which areas a way is part of, and as what."""


def _read_areas(extract: _Extract) -> tuple[list[tuple[int, _Area]], Roles]:
    """Return the areas of several ways by their number, and the parts of their ways."""
    areas: list[tuple[int, _Area]] = []
    roles: Roles = defaultdict(list)
    for relation in extract.named(RELATION, AREAS):
        if relation.tags.get("type") == "multipolygon":
            area = _Area(dict(relation.tags), [])
            areas.append((relation.id, area))
            for member in relation.members:
                if member.type == "w":
                    roles[member.ref].append((area, member.role))
    return areas, roles


def _read(extract: _Extract) -> list[Row]:
    areas, roles = _read_areas(extract)
    points = _read_points(extract, roles)
    rows = [
        row_of(f"node/{node.id}", dict(node.tags), Point(node.location.lon, node.location.lat))
        for node in extract.named(NODE, AREAS)
        if extract.holds(node.location)
    ]
    for way in extract.some(WAY, roles) if roles else ():
        for run in points.runs(way):
            for area, role in roles[way.id]:
                area.lines.append((role, run))
    for way in extract.named(WAY, WAYS):
        rows += _rows_of(way, points)
    shapes = ((number, area.tags, area_of(area.lines)) for number, area in areas)
    rows += [row_of(f"relation/{n}", tags, shape) for n, tags, shape in shapes if shape is not None]
    return sorted(rows, key=lambda row: str(row["osm_id"]))


def _rows_of(way: Way, points: _Points) -> list[Row]:
    """Return one row a stretch inside the box."""
    tags = dict(way.tags)
    return [
        row_of(f"{way.id}/{number}" if number else str(way.id), tags, shaped(run, tags))
        for number, run in enumerate(points.runs(way))
    ]


def _read_points(extract: _Extract, members: Iterable[int]) -> _Points:
    """Return the points of all ways that are wanted, as far as they lie inside the box."""
    needed = array("q")
    for way in extract.named(WAY, WAYS):
        needed.extend(node.ref for node in way.nodes)
    for way in extract.some(WAY, members) if members else ():
        needed.extend(node.ref for node in way.nodes)
    ids, places = array("q"), array("d")
    for node in extract.some(NODE, needed) if needed else ():
        if extract.holds(node.location):
            ids.append(node.id)
            places.extend((node.location.lon, node.location.lat))
    found, spots = np.frombuffer(ids, dtype=np.int64), np.frombuffer(places).reshape(-1, 2)
    order = np.argsort(found, kind="stable")
    return _Points(found[order], spots[order])
