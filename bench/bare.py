"""The same work as a refresh does on a table of places, by plain library calls and nothing else.

What somebody would write in an afternoon with pandas, GeoPandas and pyarrow: no line says which
row was refused and why, nothing is kept, compared or published.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import tylertoo

from bench.synthetic import CRS
from geodata.schema import TABLES, Column

Frames = dict[str, pd.DataFrame]
Timed = Callable[[str], AbstractContextManager[None]]
METRES, DEGREES = CRS, "EPSG:4326"
HIDDEN = "[\x00-\x1f\u200b-\u200f\u202a-\u202e]"
NEAR_M = 5_000
TILED_TO = 14
ROADS = ["national_road", "provincial_road", "road"]


def read(sources: Path, out: Path) -> Frames:
    """Read every CSV as text, and put the tables together."""
    parts: dict[str, list[pd.DataFrame]] = {table.name: [] for table in TABLES}
    for path in sorted(sources.glob("*/raw.csv")):
        frame = pd.read_csv(path, dtype="str", keep_default_na=False)
        table = next(t for t in TABLES if set(t.column_names) == set(frame.columns))
        parts[table.name].append(frame)
    empty = {t.name: pd.DataFrame(columns=list(t.column_names), dtype="str") for t in TABLES}
    return {name: pd.concat(found) if found else empty[name] for name, found in parts.items()}


def check(tables: Frames, out: Path) -> None:
    """Keys, references, vocabularies, numbers, dates, Unicode and geometry; write the tables."""
    for table in TABLES:
        rows = tables[table.name]
        wrong = rows.duplicated(list(table.key)).to_numpy()
        for column in table.columns:
            known = [tables[t][c] for t, c in (r.split(".") for r in column.references)]
            wrong = wrong | _wrong(column, rows[column.name], known).to_numpy()
        rows[~wrong].to_parquet(out / f"{table.name}.parquet", index=False)
    shapes = shapely.from_wkt(tables["positions"]["geometry"].to_numpy(dtype="object"))
    bounds = shapely.bounds(shapes)
    if not (shapely.is_valid(shapes) & (bounds[:, 0] > 100) & (bounds[:, 3] < 25)).all():
        raise ValueError("a geometry is not sound")


def _wrong(
    column: Column, cells: "pd.Series[str]", known: list["pd.Series[str]"]
) -> "pd.Series[bool]":
    is_there = cells != ""
    wrong = (cells.str.normalize("NFC") != cells) | cells.str.contains(HIDDEN)
    if column.required:
        wrong |= ~is_there
    if column.enum:
        wrong |= ~cells.isin(column.enum)
    if column.kind in ("number", "decimal", "integer"):
        wrong |= is_there & pd.to_numeric(cells, errors="coerce").isna()
    if column.kind == "date":
        wrong |= is_there & ~cells.str.match(r"\d{4}(-\d\d){0,2}$")
    if column.pattern:
        wrong |= is_there & ~cells.str.match(rf"(?:{column.pattern})(;.*)?$")
    if known and column.kind != "list":
        wrong |= is_there & ~cells.isin(pd.concat(known))
    return wrong


def resolve(tables: Frames, out: Path) -> pd.DataFrame:
    """The newest claim of each subject and measure."""
    ordered = tables["claims"].sort_values(["subject_id", "measure", "as_of"], ascending=False)
    facts = ordered.drop_duplicates(["subject_id", "measure"])
    facts.to_parquet(out / "facts.parquet", index=False)
    return facts


def join(tables: Frames, out: Path) -> gpd.GeoDataFrame:
    """Positions, else communes' points; the nearest road, canal, port and other places."""
    positions = tables["positions"]
    shapes = shapely.from_wkt(positions["geometry"].to_numpy(dtype="object"))
    layer = gpd.GeoDataFrame(positions[["subject_id"]], geometry=shapes, crs=DEGREES)
    places = tables["places"].merge(tables["communes"], left_on="commune_ids", right_on="unit_id")
    unplaced = places[~places["place_id"].isin(layer["subject_id"])]
    points = gpd.points_from_xy(unplaced["longitude"].astype(float), unplaced["latitude"])
    ids = unplaced["place_id"].rename("subject_id")
    layer = pd.concat([layer, gpd.GeoDataFrame(ids, geometry=points, crs=DEGREES)])
    kinds = pd.concat(
        [
            tables["places"].set_index("place_id")["kind"],
            tables["routes"].set_index("route_id")["kind"],
        ]
    )
    metric = layer.to_crs(METRES).assign(kind=layer["subject_id"].map(kinds))
    is_route = metric["kind"].isin([*ROADS, "canal"])
    asking = metric[~is_route]
    targets = {
        "road": metric[metric["kind"].isin(ROADS)],
        "canal": metric[metric["kind"] == "canal"],
        "port": metric[metric["kind"] == "port"],
    }
    for name, others in targets.items():
        near = gpd.sjoin_nearest(
            asking, others, distance_col="metres", exclusive=name == "port"
        ).drop_duplicates("subject_id_left")
        pd.DataFrame(near.drop(columns="geometry")).to_parquet(out / f"near_{name}.parquet")
    west, south, east, north = asking.total_bounds
    apart = np.sqrt((east - west) * (north - south) / len(asking))
    within = min(NEAR_M, 2 * apart)  # a dozen of those that stand evenly
    of, to = asking.sindex.query(asking.geometry, predicate="dwithin", distance=within)
    shapes = asking.geometry.to_numpy()
    pairs = pd.DataFrame({"of": of, "to": to, "metres": shapely.distance(shapes[of], shapes[to])})
    pairs = pairs[pairs["of"] != pairs["to"]].sort_values(["of", "metres"])
    pairs.groupby("of").head(3).to_parquet(out / "neighbours.parquet")
    layer.to_parquet(out / "positions.parquet")
    return layer


def measure(tables: Frames, out: Path) -> None:
    """The last event and the first promise of each subject, and what is known of it."""
    events, stages = tables["stage_events"], tables["stages"]
    last = events.merge(stages[["stage_id", "rank", "group"]], on="stage_id").sort_values("on")
    last = last.drop_duplicates("subject_id", keep="last").set_index("subject_id")
    told = tables["milestones"].sort_values("published_on").drop_duplicates("promise_id")
    late = 2026 - told.set_index("subject_id")["due_on"].str[:4].astype(int)
    places = tables["places"].set_index("place_id")
    known = {
        name: places.index.isin(rows["subject_id"])
        for name, rows in tables.items()
        if "subject_id" in rows and name != "gaps"
    }
    frame = places[["kind"]].assign(
        stage=last["group"], late=late[~late.index.duplicated()], share=sum(known.values())
    )
    frame.to_parquet(out / "standing.parquet")


def publish(tables: Frames, layer: gpd.GeoDataFrame, out: Path) -> None:
    """Every table as CSV; the layer as GeoParquet, FlatGeobuf, GeoPackage and vector tiles."""
    for name, rows in tables.items():
        rows.to_csv(out / f"{name}.csv", index=False)
    rounded = shapely.set_precision(layer.geometry.to_numpy(), 1e-6)
    wkt = pd.DataFrame({"subject_id": layer["subject_id"], "wkt": shapely.to_wkt(rounded)})
    wkt.to_csv(out / "positions_best.csv", index=False)
    layer.to_parquet(out / "places.parquet")
    for name, driver in (("places.fgb", "FlatGeobuf"), ("places.gpkg", "GPKG")):
        layer.to_file(out / name, engine="pyogrio", driver=driver)
    tylertoo.overview(str(out / "places.parquet"), str(out / "levels"), max_zoom=TILED_TO)
    tylertoo.export_pmtiles(str(out / "levels"), str(out / "places.pmtiles"))


def run(sources: Path, out: Path, timed: Timed) -> None:
    """Do all of it; ``timed(name)`` is a context in which each step is measured."""
    out.mkdir(parents=True)
    with timed("read and check"):
        tables = read(sources, out)
        check(tables, out)
    with timed("resolve"):
        resolve(tables, out)
    with timed("join"):
        layer = join(tables, out)
    with timed("measure"):
        measure(tables, out)
    with timed("publish"):
        publish(tables, layer, out)
