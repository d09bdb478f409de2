"""Small tables and layers that several tests draw with."""

import tempfile
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path

import geopandas as gpd
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from atlas.nearest import Asking, Others, nearest_named, search_of
from atlas.placed import DEGREES, METRES, Positions, measured
from atlas.positions import NUMBER, best_positions
from geodata.crs import DISPLAY_CRS
from geodata.ledger import Change
from geodata.schema import TABLE, TABLES
from geodata.shapes import Shapes, ShapeWriter

FOLDER = tempfile.TemporaryDirectory(prefix="atlas-drawn-")
NUMBERS = count()

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


def new_folder() -> Path:
    """A folder for shapes, which goes when the tests end."""
    return Path(FOLDER.name) / str(next(NUMBERS))


def written(positions: gpd.GeoDataFrame, folder: Path | None = None) -> Positions:
    """Positions as a step leaves them: their shapes in files, neither of them reprojected twice."""
    folder = folder or new_folder()
    shapes = [positions.to_crs(crs).geometry.to_numpy() for crs in (DISPLAY_CRS, METRIC_CRS)]
    for name, told in zip((DEGREES, METRES), shapes, strict=True):
        with ShapeWriter(folder / name) as writer:
            writer.add(told)
    cells = pd.DataFrame(positions.drop(columns="geometry")).reset_index(drop=True)
    frame = pd.concat([cells, measured(*shapes)], axis=1)
    return Positions(frame, Shapes(folder / DEGREES), Shapes(folder / METRES))


def best(told: Mapping[str, pd.DataFrame], offered: Sequence[list[object]] = ()) -> Positions:
    """The best positions of tables whose positions still hold their text."""
    given = told["positions"]
    folder = new_folder()
    with ShapeWriter(folder / "given.wkb") as writer:
        writer.add(shapely.from_wkt(given["geometry"].to_numpy(dtype=object)))
    numbered = {**told, "positions": given.assign(**{NUMBER: range(len(given))})}
    return best_positions(numbered, Shapes(folder / "given.wkb"), folder, offered)


def others(positions: gpd.GeoDataFrame) -> Others:
    """Those among whom is asked."""
    there = written(positions)
    return Others(there.frame.sort_values("subject_id"), there.metric)


def asking(positions: gpd.GeoDataFrame) -> Asking:
    """Those who ask what is near."""
    here = written(positions)
    return Asking(here.frame, here.metric.read(here.numbers()))


def nearest(
    positions: gpd.GeoDataFrame | Positions, kinds: Mapping[str, str], rows: int = 1_000
) -> tuple[pd.DataFrame, Change]:
    """What is nearest to whom, asked in parts of so many places."""
    told = positions if isinstance(positions, Positions) else written(positions)
    kind = told.frame["subject_id"].map(dict(kinds))
    search = search_of(told.frame.assign(kind=kind), told.metric)
    return nearest_named(search, [search.nearest(part) for part in search.placed.parts(rows)])
