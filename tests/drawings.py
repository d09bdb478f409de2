"""Small tables and layers that several tests draw with."""

from collections.abc import Mapping

import geopandas as gpd
import pandas as pd
from shapely.geometry.base import BaseGeometry

from atlas.join import nearest_named, search_of
from geodata.crs import DISPLAY_CRS, to_metric
from geodata.ledger import Change
from geodata.schema import TABLE, TABLES

Rows = list[dict[str, str]]

METRIC_CRS = "EPSG:5897"
"""The zone of the project's own region, in which tests draw unless they build another one."""


def table(name: str, rows: Rows) -> pd.DataFrame:
    """One table as the checks leave it: all text, cells not named are empty."""
    columns = TABLE[name].column_names
    told = [{**dict.fromkeys(columns, ""), "source_id": "drawn", **row} for row in rows]
    frame = pd.DataFrame(told, columns=[*columns, "source_id"], dtype="str")
    return frame.assign(line=range(2, len(rows) + 2))


EMPTY = {t.name: table(t.name, []) for t in TABLES}


def tables(**rows: Rows) -> dict[str, pd.DataFrame]:
    """Every table of the schema, with these rows and no others."""
    return EMPTY | {name: table(name, told) for name, told in rows.items()}


def placed(
    shapes: Mapping[str, BaseGeometry],
    crs: str = DISPLAY_CRS,
    method: str = "surveyed",
    accuracy_m: float = 10,
) -> gpd.GeoDataFrame:
    """Positions of subjects as the join reads them."""
    return gpd.GeoDataFrame(
        {
            "subject_id": list(shapes),
            "method": method,
            "accuracy_m": float(accuracy_m),
            "as_of": "2026-01-01",
            "document_ids": "",
            "note_vi": "",
            "note_en": "",
        },
        geometry=list(shapes.values()),
        crs=crs,
    )


def nearest(
    positions: gpd.GeoDataFrame, kinds: Mapping[str, str], rows: int = 1_000
) -> tuple[pd.DataFrame, Change]:
    """What is nearest to whom, asked in parts of so many places."""
    search = search_of(to_metric(positions).assign(kind=positions["subject_id"].map(dict(kinds))))
    return nearest_named(search, [search.nearest(part) for part in search.parts(rows)])
