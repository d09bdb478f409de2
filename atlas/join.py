"""Which belongs to which, in space and by key. Every row keeps its place, or a ledger says why."""

from collections.abc import Mapping

import geopandas as gpd
import pandas as pd

from atlas.placed import AREAS, is_of
from geodata.cells import among, parts_of, rows_of
from geodata.crs import DISPLAY_CRS
from geodata.findings import Finding
from geodata.ledger import Change, occurred

Tables = Mapping[str, pd.DataFrame]
AREA_TOLERANCE = 0.10
"""Declared and drawn hectares may differ by a tenth before it is a finding."""


def assign_points(
    points: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, area_key: str
) -> "pd.Series[str]":
    """Return for each point (indexed as the points) the key of the area that holds it.

    A point on a shared border goes to the smaller key; a point in no area gets "".
    """
    hits = gpd.sjoin(
        points[["geometry"]], areas[[area_key, "geometry"]], predicate="intersects"
    ).sort_values(area_key)
    first = hits[~hits.index.duplicated()][area_key]
    return first.astype("str").reindex(points.index, fill_value="")


def check_locations(
    tables: Tables, positions: pd.DataFrame, communes: gpd.GeoDataFrame | None
) -> list[Finding]:
    """Return notes on places whose geography does not agree with itself.

    ``positions`` is the frame of `placed.Positions`.

    A position outside the communes its sources name, old communes that the crosswalk puts
    elsewhere, and drawn hectares that differ from the declared ones.
    """
    findings = _crosswalk_findings(tables)
    if communes is not None:
        findings += _commune_findings(tables["places"], positions, communes)
    return sorted(findings + _area_findings(tables, positions))


def _note(row: Mapping[str, str], column: str, rule: str, detail: str) -> Finding:
    return Finding(
        row["source_id"],
        "places",
        int(row["line"]),
        row["place_id"],
        column,
        rule,
        "note",
        detail,
    )


def _commune_findings(
    places: pd.DataFrame, positions: pd.DataFrame, communes: gpd.GeoDataFrame
) -> list[Finding]:
    located = positions.set_index("subject_id")
    named = places[(places["commune_ids"] != "") & places["place_id"].isin(located.index)]
    told = located.loc[named["place_id"]]
    spots = gpd.points_from_xy(told["lon"], told["lat"], crs=DISPLAY_CRS)
    points = gpd.GeoDataFrame(geometry=spots, index=named.index)
    areas = communes.to_crs(DISPLAY_CRS)
    holders = assign_points(points, areas, "unit_id")
    return [
        _note(
            row,
            "commune_ids",
            "lies_in_named_commune",
            f"its position lies in {holder or 'no commune'}, its source names {row['commune_ids']}",
        )
        for row, holder in zip(rows_of(named), holders, strict=True)
        if holder not in parts_of(row["commune_ids"])
    ]


def _crosswalk_findings(tables: Tables) -> list[Finding]:
    walk = tables["commune_crosswalk"]
    new_of = walk.groupby("old_unit_id")["new_unit_id"].agg(set).to_dict()
    findings = []
    places = tables["places"]
    for row in rows_of(places[places["old_commune_ids"] != ""]):
        led = [new_of[old] for old in parts_of(row["old_commune_ids"]) if old in new_of]
        reached = set().union(*led)
        named = set(parts_of(row["commune_ids"]))
        if any(named.isdisjoint(new) for new in led):
            there, here = ", ".join(sorted(reached)), ", ".join(sorted(named)) or "none"
            detail = f"the crosswalk gives {there}, the row names {here}"
            findings.append(_note(row, "commune_ids", "communes_agree_with_crosswalk", detail))
    return findings


def _area_findings(tables: Tables, positions: pd.DataFrame) -> list[Finding]:
    areas = positions[is_of(positions, *AREAS)]
    if areas.empty:
        return []
    facts = tables["facts"]
    declared = facts[
        (facts["rank"] == 1) & (facts["measure"] == "area_ha") & (facts["phase"] == "")
    ]
    told = declared.drop_duplicates("subject_id", keep="last").set_index("subject_id")["value"]
    both = areas.set_index("subject_id")[["area_ha"]].join(told.astype(float), how="inner")
    is_off = (both["area_ha"] - both["value"]).abs() > AREA_TOLERANCE * both["value"]
    off = {str(one): (a, b) for one, a, b in both[is_off].itertuples(name=None)}
    places = tables["places"]
    return [
        _note(
            row,
            "place_id",
            "declared_area_is_drawn",
            f"{off[row['place_id']][1]:.2f} ha declared, {off[row['place_id']][0]:.2f} ha drawn",
        )
        for row in rows_of(places[among(places["place_id"], off)])
    ]


def name_communes(
    boundaries: gpd.GeoDataFrame, communes: pd.DataFrame
) -> tuple[gpd.GeoDataFrame, Change]:
    """Give boundary polygons our unit ids and names by their official code.

    A polygon whose code is no new commune's is dropped, and the ledger says so. Sorted by id.
    """
    units = communes[communes["level"] == "commune"][["unit_id", "code", "name_vi", "name_en"]]
    layer = boundaries.assign(code=boundaries["code"].astype("str"))[["code", "geometry"]]
    named = layer.merge(units, on="code", how="inner").sort_values("unit_id")
    lost = occurred({"code of no commune": len(layer) - len(named)})
    change = Change("join boundaries to communes", len(layer), len(named), lost)
    return gpd.GeoDataFrame(named.reset_index(drop=True), crs=boundaries.crs), change
