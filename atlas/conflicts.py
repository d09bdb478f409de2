"""Which records contradict themselves or each other: findings, figures in dispute, overlaps.

Every check is told, also where it found nothing, so that a reader knows it was made.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from atlas.measure import area_ha, length_km
from atlas.records import Book, Fact, Record, StageEvent
from atlas.standing import KNOWN_METHODS
from geodata.crs import DISPLAY_CRS, to_metric
from geodata.findings import Finding, subject_of

RULES = (
    "declared_area_is_drawn",
    "geometry_is_in_province",
    "geometry_is_valid",
    "lies_in_named_commune",
    "communes_agree_with_crosswalk",
    "osm_agrees_with_sources",
    "stage_does_not_go_back",
    "dates_are_in_order",
    "nothing_is_from_the_future",
    "part_is_not_larger_than_whole",
    "sums_close",
    "planners_agree",
)
"""The rules whose findings are conflicts; the status page lists those of every rule."""

DISPUTED = "disputed"
"""Stands beside the rules for a figure that sources give differently."""

Numbers = np.ndarray[Any, np.dtype[np.intp]]

LEAST_HA = 0.1
LEAST_KM = 0.05
"""Less than these is the thickness of a line, not a conflict."""


@dataclass(frozen=True)
class Found:
    """One finding with the record it is about and, where it is about a step, the step."""

    finding: Finding
    record: Record | None
    event: StageEvent | None


@dataclass(frozen=True)
class Overlap:
    """Two zones that share ground (``ha``), or a road or canal that runs through one (``km``)."""

    zone: Record
    other: Record
    ha: float | None
    km: float | None


@dataclass(frozen=True)
class Drawn:
    """What there is to compare: an overlap needs a true outline, and says so where none is."""

    zones: int
    routes: int
    overlaps: tuple[Overlap, ...]


def found_by_rule(book: Book) -> tuple[tuple[str, tuple[Found, ...]], ...]:
    """Return the findings of every rule of `RULES`, in their order, rules without any too."""
    records = {r.subject_id: r for r in book.records}
    found: dict[str, list[Found]] = {rule: [] for rule in RULES}
    for finding in sorted(book.findings):
        if finding.rule in found:
            found[finding.rule].append(_found(finding, records))
    return tuple((rule, tuple(items)) for rule, items in found.items())


def disputed(book: Book) -> tuple[tuple[Record, Fact], ...]:
    """Return every figure for which sources give different values of one standing."""
    return tuple((r, f) for r in book.records for f in r.facts if f.is_disputed)


def drawn_overlaps(book: Book) -> Drawn:
    """Compare the true outlines of zones with each other and with true lines of routes.

    Circles and schematic lines are left out: they are conventions and would overlap by design.
    A place inside another shares its ground by nature.
    """
    zones = [r for r in book.places if _is_true(r, ("Polygon", "MultiPolygon"))]
    routes = [r for r in book.routes if _is_true(r, ("LineString", "MultiLineString"))]
    if not zones:
        return Drawn(0, len(routes), ())
    grounds, lines = _shapes(zones), _shapes(routes)
    one, other = grounds.sindex.query(grounds, predicate="intersects")
    shared = area_ha(_common(grounds, one, grounds, other))
    overlaps = [
        Overlap(zones[a], zones[b], float(ha), None)
        for a, b, ha in sorted(zip(one, other, shared, strict=True))
        if a < b and ha >= LEAST_HA and not _is_inside(zones[a], zones[b])
    ]
    one, other = lines.sindex.query(grounds, predicate="intersects")
    through = length_km(_common(grounds, one, lines, other))
    overlaps += [
        Overlap(zones[a], routes[b], None, float(km))
        for a, b, km in sorted(zip(one, other, through, strict=True))
        if km >= LEAST_KM
    ]
    return Drawn(len(zones), len(routes), tuple(overlaps))


def _found(finding: Finding, records: Mapping[str, Record]) -> Found:
    record = records.get(subject_of(finding.key, records))
    events = record.events if record else ()
    event = next((e for e in events if e.event_id == finding.key), None)
    return Found(finding, record, event)


def _is_true(record: Record, kinds: tuple[str, ...]) -> bool:
    position = record.position
    if position is None or position.method not in KNOWN_METHODS:
        return False
    return position.geometry.geom_type in kinds


def _is_inside(one: Record, other: Record) -> bool:
    return other.subject_id == one.inside_id or one.subject_id == other.inside_id


def _shapes(records: Sequence[Record]) -> gpd.GeoSeries:
    shapes = [r.position.geometry for r in records if r.position is not None]
    return to_metric(gpd.GeoDataFrame(geometry=shapes, crs=DISPLAY_CRS)).geometry


def _common(
    grounds: gpd.GeoSeries, one: Numbers, others: gpd.GeoSeries, other: Numbers
) -> gpd.GeoDataFrame:
    shared = shapely.intersection(grounds.to_numpy()[one], others.to_numpy()[other])
    return gpd.GeoDataFrame(geometry=shared, crs=grounds.crs)
