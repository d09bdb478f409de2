"""Rules about rows and tables together: each finds what breaks it, and mends nothing."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import shapely
from shapely import Polygon
from shapely.geometry import box

from geodata.cells import (
    Truths,
    among,
    are_numbers,
    by_value,
    chosen,
    is_number,
    ordinals,
    rows_of,
    where,
)
from geodata.dates import is_date, period_end, period_start
from geodata.findings import Finding
from geodata.schema import TABLE, TABLES

PLACE_MARGIN_DEGREES = 0.05
ROUTE_MARGIN_DEGREES = 0.5
"""Routes run on into neighbouring provinces; half a degree is about 55 km."""

METRES_PER_DEGREE = 108_000
"""The least a degree of longitude or latitude measures at 10° N, so that boxes are never small."""

STAGE_AXIS = {"industrial_park": "park", "industrial_cluster": "cluster"}
"""Which vocabulary a kind of place uses; other places use ``project``, routes ``public``."""

Tables = Mapping[str, pd.DataFrame]
Shapes = np.ndarray[Any, np.dtype[np.object_]]


def found_rows(
    table: str, rows: pd.DataFrame, rule: str, column: str, details: Iterable[str]
) -> list[Finding]:
    """Make one row finding for each of the rows, with its own detail."""
    if rows.empty:
        return []
    key = TABLE[table].key
    return [
        Finding(
            row["source_id"],
            table,
            int(row["line"]),
            "/".join(row[k] for k in key),
            column,
            rule,
            "row",
            detail,
        )
        for row, detail in zip(rows_of(rows), details, strict=True)
    ]


def key_is_unique(tables: Tables) -> list[Finding]:
    """A key stands once in its table, across all of its sources; else its sources are refused."""
    findings = []
    for table in (one for one in TABLES if one.name in tables):
        rows = tables[table.name]
        twice = rows[rows.duplicated(list(table.key), keep=False)]
        findings += [
            replace(found, severity="source")
            for found in found_rows(
                table.name,
                twice,
                "key_is_unique",
                table.key[0],
                ["the key stands more than once"] * len(twice),
            )
        ]
    return findings


def subject_is_one_thing(tables: Tables) -> list[Finding]:
    """No route has the id of a place, since claims name both by their id; the route is refused."""
    routes = tables["routes"]
    wrong = routes[among(routes["route_id"], tables["places"]["place_id"])]
    details = ["a place has this id"] * len(wrong)
    return found_rows("routes", wrong, "subject_is_one_thing", "route_id", details)


def code_is_unique(tables: Tables) -> list[Finding]:
    """An official code names one unit of its level; both rows are refused."""
    rows = tables["communes"]
    twice = rows[rows.duplicated(["level", "code"], keep=False)]
    details = [f"code {code} stands more than once" for code in twice["code"]]
    return found_rows("communes", twice, "code_is_unique", "code", details)


def dates_are_in_order(tables: Tables) -> list[Finding]:
    """A beginning does not lie after its end."""
    findings = []
    for table in (one for one in TABLES if one.name in tables):
        rows = tables[table.name]
        for first, last in table.ordered_dates:
            both = where(where(rows, first, is_date), last, is_date)
            late = [
                period_start(a) > period_end(b)
                for a, b in zip(both[first], both[last], strict=True)
            ]
            wrong = chosen(both, np.array(late, dtype=bool))
            details = [
                f"{a} lies after {b}" for a, b in zip(wrong[first], wrong[last], strict=True)
            ]
            findings += found_rows(table.name, wrong, "dates_are_in_order", first, details)
    return findings


def claim_fits_its_measure(tables: Tables) -> list[Finding]:
    """A claim's value is of its measure's type, unit and possible range."""
    claims = tables["claims"].merge(
        tables["measures"][["measure", "value_type", "unit", "minimum", "maximum"]],
        on="measure",
        suffixes=("", "_needed"),
    )
    wrong_unit = claims[claims["unit"] != claims["unit_needed"]]
    findings = found_rows(
        "claims",
        wrong_unit,
        "unit_is_the_measures",
        "unit",
        [
            f"found unit {a!r}, needed {b!r}"
            for a, b in zip(wrong_unit["unit"], wrong_unit["unit_needed"], strict=True)
        ],
    )
    numbers = claims[claims["value_type"] == "number"]
    bad = numbers[~are_numbers(numbers["value"])]
    findings += found_rows(
        "claims",
        bad,
        "value_is_of_its_kind",
        "value",
        [f"found {value[:80]!r}, needed a number" for value in bad["value"]],
    )
    good = numbers.drop(bad.index)
    value = pd.to_numeric(good["value"])
    low = pd.to_numeric(good["minimum"], errors="coerce").fillna(float("-inf"))
    high = pd.to_numeric(good["maximum"], errors="coerce").fillna(float("inf"))
    outside = good[(value < low) | (value > high)]
    details = [
        f"found {v}, possible is {a or 'any'} to {b or 'any'}"
        for v, a, b in zip(outside["value"], outside["minimum"], outside["maximum"], strict=True)
    ]
    return findings + found_rows("claims", outside, "value_is_in_range", "value", details)


def part_is_not_larger(tables: Tables) -> list[Finding]:
    """Leased <= leasable <= total, for one subject, phase and day; the part is refused."""
    claims = tables["claims"]
    claims = claims[are_numbers(claims["value"])]
    findings = []
    order = (
        ("area_leased_ha", "area_industrial_ha"),
        ("area_industrial_ha", "area_ha"),
        ("area_leased_ha", "area_ha"),
        ("projects_operating_count", "projects_count"),
    )
    on = ["subject_id", "phase", "as_of"]
    for part, whole in order:
        parts = claims[claims["measure"] == part]
        wholes = claims.loc[claims["measure"] == whole, [*on, "value"]]
        both = parts.merge(wholes, on=on, suffixes=("", "_whole"))
        wrong = both[pd.to_numeric(both["value"]) > pd.to_numeric(both["value_whole"])]
        details = [
            f"{part} {a} is more than {whole} {b}"
            for a, b in zip(wrong["value"], wrong["value_whole"], strict=True)
        ]
        findings += found_rows("claims", wrong, "part_is_not_larger_than_whole", "value", details)
    return findings


def stage_fits_its_subject(tables: Tables) -> list[Finding]:
    """Parks, clusters, public works and projects each use their own status vocabulary."""
    places, events = tables["places"], tables["stage_events"]
    axis = by_value(places["kind"], lambda kind: STAGE_AXIS.get(kind, "project"))
    axes = axis.set_axis(places["place_id"].to_numpy())
    axes = axes[~axes.index.duplicated(keep="last")]
    needed = events["subject_id"].map(axes)
    needed = needed.mask(among(events["subject_id"], tables["routes"]["route_id"]), "public")
    found = by_value(events["stage_id"], lambda cell: cell.partition(".")[0])
    is_wrong = needed.notna() & (found != needed)
    wrong = events[is_wrong]
    details = [
        f"found {stage}, needed a {axis} stage"
        for stage, axis in zip(wrong["stage_id"], needed[is_wrong], strict=True)
    ]
    return found_rows("stage_events", wrong, "stage_fits_its_subject", "stage_id", details)


def stage_does_not_go_back(tables: Tables) -> list[Finding]:
    """A subject's stages rise with time in each phase, unless the event says it steps back.

    A note, not a refusal: an amended zoning plan of a running park is true, and worth a look.
    """
    events = tables["stage_events"].merge(
        tables["stages"][["stage_id", "rank"]], on="stage_id", how="inner"
    )
    events = where(where(events, "on", is_date), "rank", is_number)
    events = events.assign(
        rank=pd.to_numeric(events["rank"]),
        start=ordinals(events["on"], period_start),
        end=ordinals(events["on"], period_end),
    )
    pairs = events.merge(
        events[["subject_id", "phase", "end", "rank"]],
        on=["subject_id", "phase"],
        suffixes=("", "_before"),
    )
    fell = (pairs["end_before"] < pairs["start"]) & (pairs["rank"] < pairs["rank_before"])
    wrong = pairs[fell & (pairs["is_step_back"] != "true")].drop_duplicates("event_id")
    details = [f"{s} comes after a later stage and is no step back" for s in wrong["stage_id"]]
    found = found_rows("stage_events", wrong, "stage_does_not_go_back", "stage_id", details)
    return [replace(f, severity="note") for f in found]


def nothing_is_from_the_future(tables: Tables) -> list[Finding]:
    """A document or a statement about the past is not dated after the day it was read."""
    findings = []
    read = tables["documents"][["retrieved_on"]]
    newest = max((d for d in read["retrieved_on"] if is_date(d)), default="")
    for table, column in DATED.items():
        if table not in tables:
            continue
        rows = tables[table]
        wrong = where(rows, column, lambda d: is_date(d) and _is_after(d, newest))
        details = [
            f"{d} lies after {newest}, the last day a document was read" for d in wrong[column]
        ]
        findings += found_rows(table, wrong, "nothing_is_from_the_future", column, details)
    return findings


def province_box(communes: pd.DataFrame) -> Polygon:
    """Return the box, in degrees, that surely holds every new commune: points and their reach."""
    rows = communes[communes["level"] == "commune"]
    told = rows[["longitude", "latitude", "reach_m"]].apply(pd.to_numeric, errors="coerce").dropna()
    if told.empty:
        return Polygon()
    reach = told["reach_m"] / METRES_PER_DEGREE
    return box(
        (told["longitude"] - reach).min(),
        (told["latitude"] - reach).min(),
        (told["longitude"] + reach).max(),
        (told["latitude"] + reach).max(),
    )


def _is_after(day: str, newest: str) -> bool:
    return bool(newest) and period_start(day) > period_end(newest)


def position_is_sound(tables: Tables) -> list[Finding]:
    """A geometry is WKT, valid, and lies in the province, with a margin for routes."""
    rows = tables["positions"]
    rows = rows[rows["geometry"] != ""]
    geometries = shapely.from_wkt(rows["geometry"].to_numpy(dtype=object), on_invalid="ignore")
    is_there = ~(shapely.is_missing(geometries) | shapely.is_empty(geometries))
    unread = rows[~is_there]
    details = [f"found {wkt[:80]!r}, needed a geometry as WKT" for wkt in unread["geometry"]]
    findings = found_rows("positions", unread, "value_is_of_its_kind", "geometry", details)
    rows, geometries = rows[is_there], geometries[is_there]
    valid = shapely.is_valid(geometries)
    findings += found_rows(
        "positions",
        rows[~valid],
        "geometry_is_valid",
        "geometry",
        [str(reason) for reason in shapely.is_valid_reason(geometries[~valid])],
    )
    outside = rows[valid & ~_are_in_province(tables, rows, geometries)]
    details = [
        f"{wkt[:60]} lies outside the province and its margin" for wkt in outside["geometry"]
    ]
    return findings + found_rows(
        "positions", outside, "geometry_is_in_province", "geometry", details
    )


def _are_in_province(tables: Tables, rows: pd.DataFrame, geometries: Shapes) -> Truths:
    province = province_box(tables["communes"])
    if province.is_empty:
        return np.ones(len(rows), dtype=bool)
    is_route = among(rows["subject_id"], tables["routes"]["route_id"])
    margin = np.where(is_route, ROUTE_MARGIN_DEGREES, PLACE_MARGIN_DEGREES)
    west, south, east, north = province.bounds
    left, low, right, high = shapely.bounds(geometries).T
    is_in_width = (left >= west - margin) & (right <= east + margin)
    return np.asarray(is_in_width & (low >= south - margin) & (high <= north + margin))


def funding_closes(tables: Tables) -> list[Finding]:
    """The programme's sums by source and by year equal its total, to the last digit."""
    rows = where(tables["funding_plan"], "amount", is_number)
    findings = []
    for plan_id, plan in rows.groupby("plan_id"):
        total = sum(map(Decimal, plan.loc[plan["axis"] == "total", "amount"]), Decimal(0))
        for axis in ("source", "year"):
            parts = plan[plan["axis"] == axis]
            found = sum(map(Decimal, parts["amount"]), Decimal(0))
            if found != total:
                first = plan[plan["axis"] == "total"].head(1) if total else parts.head(1)
                detail = f"{plan_id}: the sum by {axis} is {found}, the total is {total}"
                findings += [
                    replace(f, severity="source")
                    for f in found_rows("funding_plan", first, "sums_close", "amount", [detail])
                ]
    return findings


def series_keeps_its_unit(tables: Tables) -> list[Finding]:
    """A statistical series has one unit and one scope; two would be two series."""
    rows = tables["indicators"]
    findings = []
    for column in ("unit", "scope"):
        first = rows.groupby("series_id")[column].transform("first")
        wrong = rows[rows[column] != first]
        details = [
            f"found {a!r}, the series has {b!r}"
            for a, b in zip(wrong[column], first[wrong.index], strict=True)
        ]
        findings += found_rows("indicators", wrong, "series_is_of_one_kind", column, details)
    return findings


@dataclass(frozen=True)
class Rule:
    """A rule and what it looks at, so that no more is read for it.

    It is asked once for each part of the tables whose rows it judges each ``alone``, with the
    ``whole`` columns of other tables (beside the key, always there) that it needs for that; of
    tables that are not there it finds nothing.
    """

    find: Callable[[Tables], list[Finding]]
    whole: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    alone: tuple[str, ...] = ()


DATED = {
    "claims": "as_of",
    "indicators": "as_of",
    "stage_events": "on",
    "money_events": "on",
    "milestones": "published_on",
    "gaps": "looked_on",
    "documents": "published_on",
}
"""When the rows of these tables were said."""

RULES = (
    *(Rule(key_is_unique, {table.name: ()}) for table in TABLES),
    Rule(subject_is_one_thing, {"routes": (), "places": ()}),
    Rule(code_is_unique, {"communes": ("level", "code")}),
    Rule(dates_are_in_order, alone=tuple(table.name for table in TABLES if table.ordered_dates)),
    Rule(
        claim_fits_its_measure,
        {"measures": ("value_type", "unit", "minimum", "maximum")},
        alone=("claims",),
    ),
    Rule(part_is_not_larger, {"claims": ("subject_id", "measure", "phase", "as_of", "value")}),
    Rule(
        stage_fits_its_subject,
        {"places": ("kind",), "routes": (), "stage_events": ("subject_id", "stage_id")},
    ),
    Rule(
        stage_does_not_go_back,
        {
            "stages": ("rank",),
            "stage_events": ("subject_id", "phase", "stage_id", "on", "is_step_back"),
        },
    ),
    Rule(nothing_is_from_the_future, {"documents": ("published_on", "retrieved_on")}),
    Rule(
        nothing_is_from_the_future,
        {"documents": ("published_on", "retrieved_on")},
        alone=tuple(name for name in DATED if name != "documents"),
    ),
    Rule(
        position_is_sound,
        {"communes": ("level", "longitude", "latitude", "reach_m"), "routes": ()},
        alone=("positions",),
    ),
    Rule(funding_closes, {"funding_plan": ("plan_id", "axis", "amount")}),
    Rule(series_keeps_its_unit, {"indicators": ("series_id", "unit", "scope")}),
)
