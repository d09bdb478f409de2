"""Regional extracts of OpenStreetMap: what has a name or a number inside a box, and no more.

The file is read three times from front to back and never unpacked as a whole: areas made of
several ways, then the points inside the box, then the ways. What is kept beside the file grows
with the box.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import geopandas as gpd
import numpy as np
import osmium
from osmium.osm import NODE, RELATION, WAY, Node, Relation, Way
from shapely import Point

from geodata.errors import SourceError
from geodata.osm import Row, area_of, day_of, layer_of, row_of, shaped, what_is

Box = tuple[float, float, float, float]
"""West, south, east and north in degrees."""

Line = list[tuple[float, float]]
AREAS = ("port", "industrial")
WAYS = ("road", "waterway", *AREAS)
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

    def nodes(self) -> Iterator[Node]:
        """Return the points inside the box."""
        west, south, east, north = self.box
        for node in osmium.FileProcessor(self.file, NODE):
            spot = node.location  # type: ignore[union-attr]
            if spot.valid() and west <= spot.lon <= east and south <= spot.lat <= north:
                yield cast(Node, node)

    def ways(self) -> Iterator[Way]:
        """Return every way."""
        return (cast(Way, way) for way in osmium.FileProcessor(self.file, WAY))

    def areas(self) -> Iterator[Relation]:
        """Return the named ports and industrial land that several ways make up."""
        for told in osmium.FileProcessor(self.file, RELATION):
            relation = cast(Relation, told)
            if relation.tags.get("type") == "multipolygon" and _is_wanted(relation, AREAS):
                yield relation


@dataclass(frozen=True)
class _Points:
    """The points inside the box: ids in order, and where each lies."""

    ids: "np.ndarray[tuple[int], np.dtype[np.int64]]"
    places: "np.ndarray[tuple[int, int], np.dtype[np.float64]]"

    def runs(self, ids: list[int]) -> Iterator[Line]:
        """Return the stretches of a way whose points are all known, each of two or more."""
        if not len(self.ids):
            return
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


def _read(extract: _Extract) -> list[Row]:
    areas: list[tuple[int, _Area]] = []
    roles: dict[int, list[tuple[_Area, str]]] = defaultdict(list)
    for relation in extract.areas():
        area = _Area(dict(relation.tags), [])
        areas.append((relation.id, area))
        for member in relation.members:
            if member.type == "w":
                roles[member.ref].append((area, member.role))
    points, rows = _read_points(extract)
    for way in extract.ways():
        if way.id in roles or _is_wanted(way, WAYS):
            runs = list(points.runs([node.ref for node in way.nodes]))
            for area, role in roles.get(way.id, ()):
                area.lines.extend((role, run) for run in runs)
            rows += _rows_of(way, runs)
    shapes = ((number, area.tags, area_of(area.lines)) for number, area in areas)
    rows += [row_of(f"relation/{n}", tags, shape) for n, tags, shape in shapes if shape is not None]
    return sorted(rows, key=lambda row: str(row["osm_id"]))


def _rows_of(way: Way, runs: list[Line]) -> list[Row]:
    """Return one row a stretch inside the box: none for a way that is only part of an area."""
    if not _is_wanted(way, WAYS):
        return []
    tags = dict(way.tags)
    return [
        row_of(f"{way.id}/{number}" if number else str(way.id), tags, shaped(run, tags))
        for number, run in enumerate(runs)
    ]


def _is_wanted(told: Node | Way | Relation, kinds: tuple[str, ...]) -> bool:
    is_named = "name" in told.tags or "ref" in told.tags
    return is_named and what_is(dict(told.tags)) in kinds


def _read_points(extract: _Extract) -> tuple[_Points, list[Row]]:
    """Return every point inside the box, and those that are ports or industrial land themselves."""
    ids, places = array("q"), array("d")
    rows = []
    for node in extract.nodes():
        spot = (node.location.lon, node.location.lat)
        ids.append(node.id)
        places.extend(spot)
        if len(node.tags) and _is_wanted(node, AREAS):
            rows.append(row_of(f"node/{node.id}", dict(node.tags), Point(spot)))
    found, spots = np.frombuffer(ids, dtype=np.int64), np.frombuffer(places).reshape(-1, 2)
    order = np.argsort(found, kind="stable")
    return _Points(found[order], spots[order]), rows
