"""Which records contradict themselves or each other: findings, figures in dispute, overlaps.

Every check is told, also where it found nothing, so that a reader knows it was made.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

import geopandas as gpd

from atlas.measure import area_ha, length_km
from atlas.records import Book, Fact, Record, StageEvent
from atlas.standing import KNOWN_METHODS
from geodata.crs import DISPLAY_CRS, to_metric
from geodata.findings import Finding

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
    return tuple(
        (rule, tuple(_found(f, book.records) for f in sorted(book.findings) if f.rule == rule))
        for rule in RULES
    )


def disputed(book: Book) -> tuple[tuple[Record, Fact], ...]:
    """Return every figure for which sources give different values of one standing."""
    return tuple((r, f) for r in book.records for f in r.facts if f.is_disputed)


def drawn_overlaps(book: Book) -> Drawn:
    """Compare the true outlines of zones with each other and with true lines of routes.

    Circles and schematic lines are left out: they are conventions and would overlap by design.
    """
    zones = [r for r in book.places if _is_true(r, ("Polygon", "MultiPolygon"))]
    routes = [r for r in book.routes if _is_true(r, ("LineString", "MultiLineString"))]
    if not zones:
        return Drawn(0, len(routes), ())
    shared = [o for a, b in combinations(zones, 2) if (o := _overlap(a, b)) is not None]
    through = [o for zone in zones for r in routes if (o := _through(zone, r)) is not None]
    return Drawn(len(zones), len(routes), (*shared, *through))


def _found(finding: Finding, records: Iterable[Record]) -> Found:
    about = [r for r in records if _is_about(finding.key, r.subject_id)]
    record = max(about, key=lambda r: len(r.subject_id), default=None)
    events = record.events if record else ()
    event = next((e for e in events if e.event_id == finding.key), None)
    return Found(finding, record, event)


def _is_about(key: str, subject_id: str) -> bool:
    return key == subject_id or key.startswith(f"{subject_id}.")


def _is_true(record: Record, kinds: tuple[str, ...]) -> bool:
    position = record.position
    if position is None or position.method not in KNOWN_METHODS:
        return False
    return position.geometry.geom_type in kinds


def _overlap(zone: Record, other: Record) -> Overlap | None:
    """A place inside another shares its ground by nature."""
    if other.subject_id == zone.inside_id or zone.subject_id == other.inside_id:
        return None
    shared = float(area_ha(_shared(zone, other)).iloc[0])
    return Overlap(zone, other, shared, None) if shared >= LEAST_HA else None


def _through(zone: Record, route: Record) -> Overlap | None:
    inside = float(length_km(_shared(zone, route)).iloc[0])
    return Overlap(zone, route, None, inside) if inside >= LEAST_KM else None


def _shared(zone: Record, other: Record) -> gpd.GeoDataFrame:
    both = [r.position.geometry for r in (zone, other) if r.position is not None]
    layer = to_metric(gpd.GeoDataFrame(geometry=both, crs=DISPLAY_CRS))
    ground = layer.geometry.iloc[0].intersection(layer.geometry.iloc[1])
    return gpd.GeoDataFrame(geometry=[ground], crs=layer.crs)
