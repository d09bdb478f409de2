"""Made-up regions as the steps leave them, without the steps: for the tests of big layers."""

import dataclasses
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from atlas.book import Shelf
from atlas.records import Book
from atlas.stages import judge_promises, last_events
from atlas.tiled import part
from bench.synthetic import write_region
from books import bare_book
from geodata.schema import TABLES

AS_OF = pd.Timestamp("2026-01-05").date()
SMALL = 120
"""Kinds with more records than this are tiled in these tests."""


def read_region(folder: Path) -> dict[str, pd.DataFrame]:
    """Return the tables of a region's sources, all text."""
    tables = {}
    for table in TABLES:
        paths = sorted(folder.glob("*/raw.csv"))
        mine = [
            p
            for p in paths
            if f'table = "{table.name}"' in (p.parent / "source.toml").read_text("utf-8")
        ]
        frames = [pd.read_csv(path, dtype="str", keep_default_na=False) for path in mine]
        empty = pd.DataFrame(columns=list(table.column_names), dtype="str")
        tables[table.name] = pd.concat(frames, ignore_index=True) if frames else empty
    return tables


def shelf_of(tables: dict[str, pd.DataFrame]) -> Shelf:
    """Return the frames that the steps would leave, as far as a map needs them."""
    last = last_events(tables["stage_events"], tables["stages"], AS_OF).set_index("subject_id")
    promises = judge_promises(tables["milestones"], set(), AS_OF)
    ids = pd.concat([tables["places"]["place_id"], tables["routes"]["route_id"]])
    late = promises.set_index("subject_id")["days_late"].reindex(ids).fillna(0).astype("int64")
    state = promises.set_index("subject_id")["state"].reindex(ids)
    standing = pd.DataFrame(
        {
            "subject_id": ids.to_numpy(),
            "event_id": last["event_id"].reindex(ids).fillna("").to_numpy(),
            "schedule": state.map({"late": "late", "due": "on_time"}).fillna("undated").to_numpy(),
            "days_late": late.to_numpy(),
            "last_heard_on": "2026-01-05",
            "length_km": np.nan,
            "completeness_pct": np.arange(len(ids)) % 101,
            "missing": "",
        }
    )
    return Shelf(
        tables=tables,
        facts=tables["claims"].assign(rank=1, is_disputed=False, source_id="made_up_claims"),
        positions=_positions(tables),
        access=pd.DataFrame(columns=["subject_id", "relation", "kind", "other_id"]),
        promises=promises,
        standing=standing,
        findings=(),
    )


def _positions(tables: dict[str, pd.DataFrame]) -> gpd.GeoDataFrame:
    told = tables["positions"]
    drawn = told[
        ["subject_id", "method", "accuracy_m", "as_of", "document_ids", "note_vi", "note_en"]
    ]
    shapes = shapely.from_wkt(told["geometry"].to_numpy(object))
    layer = gpd.GeoDataFrame(
        drawn.assign(drawn_lon=np.nan, drawn_lat=np.nan), geometry=shapes, crs=4326
    )
    places = tables["places"][~tables["places"]["place_id"].isin(told["subject_id"])]
    home = tables["communes"].set_index("unit_id").loc[places["commune_ids"]]
    x, y = (home[name].astype("float64").to_numpy() for name in ("longitude", "latitude"))
    apart = np.arange(len(places)) * 0.001
    others = gpd.GeoDataFrame(
        {
            "subject_id": places["place_id"].to_numpy(),
            "method": "commune_point",
            "accuracy_m": "6000",
            "as_of": "2026-01-05",
            "document_ids": "doc-0",
            "note_vi": "",
            "note_en": "",
            "drawn_lon": x + apart,
            "drawn_lat": y,
        },
        geometry=gpd.points_from_xy(x, y),
        crs=4326,
    )
    return pd.concat([layer, others], ignore_index=True).assign(
        accuracy_m=lambda rows: rows["accuracy_m"].astype("float64")
    )


def big_book(folder: Path, places: int) -> Book:
    """Return a small book beside which a made-up region is tiled."""
    tables = read_region(write_region(folder / "sources", places))
    _, tiled = part(shelf_of(tables), SMALL)
    return dataclasses.replace(bare_book(), tiled=tiled)
