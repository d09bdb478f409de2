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
from atlas.standing import subject_kinds
from atlas.tiled import part
from bench.synthetic import write_region
from books import bare_book
from drawings import nearest, written
from geodata.findings import Finding
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
    placed = written(_positions(tables))
    return Shelf(
        tables=tables,
        frames={
            "facts": tables["claims"].assign(rank=1, is_disputed=False, source_id="made_up_claims"),
            "access": nearest(placed, subject_kinds(tables))[0],
            "promises": promises,
            "standing": standing,
        },
        positions=placed,
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


def tell_more(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Give some places owners and sectors, two a place they lie in, two money to the đồng."""
    usual = tables["claims"].iloc[0].to_dict() | {"unit": ""}
    told = (
        ("p-0", "owner", "Ban Quản lý Một", "Board One"),
        ("p-5", "developer", "Công ty Đá", ""),
        ("p-10", "sectors", "chế biến; cơ khí, dệt may", "food; metal, textiles"),
        ("p-15", "owner", "Ban Quản lý Một", "Board One"),
    )
    claims = [
        usual
        | {"claim_id": f"{subject}.{measure}", "subject_id": subject, "measure": measure}
        | {"value": value, "value_en": english}
        for subject, measure, value, english in told
    ]
    places, money = tables["places"].copy(), tables["money_events"].copy()
    places.loc[places["place_id"].isin(["p-8", "p-9"]), "inside_id"] = "p-1"
    money.loc[money.index[:2], "amount"] = ["0.000000001", "113062.026"]
    claimed = pd.concat([tables["claims"], pd.DataFrame(claims)], ignore_index=True)
    return {**tables, "claims": claimed, "places": places, "money_events": money}


def made_up_shelf(folder: Path, places: int) -> Shelf:
    """Return the frames of a made-up region in which two figures and one date are in dispute."""
    shelf = shelf_of(tell_more(read_region(write_region(folder / "sources", places))))
    facts = shelf.frames["facts"]
    facts = facts.assign(is_disputed=facts["subject_id"].isin(["p-3", "p-40"]))
    broken = Finding("made_up", "places", 2, "p-7.area", "", "dates_are_in_order", "note", "")
    return dataclasses.replace(shelf, frames={**shelf.frames, "facts": facts}, findings=(broken,))


def big_book(folder: Path, places: int) -> Book:
    """Return a small book beside which a made-up region is tiled."""
    _, tiled = part(made_up_shelf(folder, places), SMALL)
    return dataclasses.replace(bare_book(), tiled=tiled)
