"""Which records are too many for pages of their own, and what the map needs of them, as frames.

Row n is feature n of the tiles, of the columns and of the details. Nothing here makes an object
for a record: a million rows are a few frames.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from atlas.book import Shelf
from atlas.conflicts import RULES
from atlas.editions import BLOCK_BYTES, TILE_OVER
from atlas.measure import SQUARE_METRES_PER_HECTARE
from atlas.placed import EDGES, POINT
from atlas.positions import UNPLACED_M
from atlas.reach import Bounds, nearest_bounds
from atlas.standing import subject_kinds
from atlas.telling import APPROXIMATE, NOT_KNOWN
from geodata.findings import Finding, subject_of
from geodata.frames import Frames
from geodata.shapes import Shapes

PAGED_RECORDS = 500
"""So many records the pages hold within their budgets; past them the largest kinds are tiled."""

CORNERS_A_RECORD = 15
PAGED_CORNERS = PAGED_RECORDS * CORNERS_A_RECORD
"""So many corners of their positions the first view of the map holds within its budget."""

HILBERT_LEVEL = 16
KEYS = {"places": "place_id", "routes": "route_id"}
REGISTERS = ("documents", "stages", "measures", "communes")
UNTOLD = ("source_id", "line")
UNTOLD_OF_SUBJECTS = (
    *UNTOLD,
    *("aliases", "location_basis", "osm_names", "document_ids", "note_vi", "note_en"),
)
"""Columns that the map tells of no tiled record."""

ABOUT_SUBJECTS = ("stage_events", "money_events", "milestones", "gaps")

Tables = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Tiled:
    """The records of the tiled kinds.

    ``subjects`` has one row a record, near ones near each other: the columns of their tables,
    their standing, ``stage_id``, ``stage_group``, ``stage_on``, ``stage_on_basis``, ``sign``
    (how it is drawn), ``radius_m`` (0 where its shape is known), ``lon``, ``lat`` (of what is
    drawn, NaN without a position), ``true_lon``, ``true_lat`` (of the position itself), `EDGES`,
    ``corners``, and ``shape``, the number of its shape among ``shapes`` (EPSG:4326; -1 without
    one). ``frames`` holds the rows about them of the tables and of ``facts``, ``promises``,
    ``positions``, ``findings`` (subject_id and rule of what contradicts itself) and ``near`` (of
    `reach.nearest_bounds`), each with the record's number ``n``. ``nearby`` tells the latter of
    the other records, to whom tiled ones may be the nearest, and
    ``holding`` in which tiled record, by its number, some of them lie.
    """

    kinds: tuple[str, ...]
    subjects: pd.DataFrame
    shapes: Shapes
    frames: Tables
    names: Tables
    over: int = TILE_OVER
    block_bytes: int = BLOCK_BYTES
    nearby: Mapping[str, Mapping[str, Bounds]] = field(default_factory=dict)
    holding: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def ids(self) -> "pd.Index[str]":
        """The ids in the order of the numbers, as objects: their index is then built once."""
        ids: pd.Index[str] = pd.Index(self.subjects["subject_id"], dtype=object)
        return ids

    def numbers(self, ids: Sequence[str]) -> np.ndarray:
        """Return the number of each id, -1 where it is no tiled record's."""
        return np.asarray(self.ids.get_indexer(pd.Index(list(ids), dtype=object)))

    def spans(self, rows: np.ndarray) -> Iterator[np.ndarray]:
        """Yield rows of ``subjects`` in parts whose shapes are read together."""
        return (rows[span] for span in self.shapes.spans(self.numbers_of_shapes(rows)))

    def sizes(self, rows: np.ndarray) -> np.ndarray:
        """Return how many bytes the shape of each of these rows takes; 0 without one."""
        return self.shapes.sizes(self.numbers_of_shapes(rows))

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Return the positions of some rows, EPSG:4326 and flat; None without one."""
        return np.asarray(shapely.force_2d(self.shapes.read(self.numbers_of_shapes(rows))))

    def numbers_of_shapes(self, rows: np.ndarray) -> np.ndarray:
        """Return the number of each one's shape among ``shapes``; -1 without one."""
        return np.asarray(self.subjects["shape"].to_numpy()[rows])

    def drawn(self, rows: np.ndarray) -> np.ndarray:
        """Return the shapes of some rows as the map draws them: points may stand aside."""
        subjects = self.subjects.iloc[rows]
        shapes, moved = self.read(rows), subjects["is_moved"].to_numpy()
        shapes[moved] = shapely.points(subjects.loc[moved, ["lon", "lat"]].to_numpy(float))
        return shapes

    def counts(self) -> dict[str, int]:
        """Return how many records each kind has."""
        told = self.subjects["kind"].value_counts()
        return {kind: int(told[kind]) for kind in self.kinds}

    def extent(self) -> tuple[float, float, float, float] | None:
        """Return the bounds of the places where they stand, degrees; None where none does."""
        lon, lat = self.subjects["lon"], self.subjects["lat"]
        if lon.isna().all():
            return None
        return float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())


def tiled_kinds(tables: Tables, positions: pd.DataFrame, over: int = TILE_OVER) -> tuple[str, ...]:
    """Return the kinds that are tiled: those over the limit, and the largest of the others.

    So many of them as it takes until the rest together, with the corners of its positions, is no
    more than pages can hold. ``positions`` is the frame of `placed.Positions`.
    """
    kinds = pd.concat([tables[name].set_index(key)["kind"] for name, key in KEYS.items()])
    drawn = positions["corners"].groupby(positions["subject_id"].map(kinds).to_numpy()).sum()
    told = pd.DataFrame({"records": kinds.value_counts(), "corners": drawn}).fillna(0)
    told["cost"] = told[["records"]].join(told["corners"] / CORNERS_A_RECORD).max(axis=1)
    left, chosen = told.sum(), []
    for kind, one in (
        told.sort_index().sort_values("cost", ascending=False, kind="stable").iterrows()
    ):
        fits = left["records"] <= PAGED_RECORDS and left["corners"] <= PAGED_CORNERS
        if one["records"] <= over and fits and left["records"] <= over:
            continue
        chosen.append(str(kind))
        left -= one
    return tuple(sorted(chosen))


def untiled(tables: Tables, kinds: tuple[str, ...]) -> dict[str, pd.DataFrame]:
    """Return the rows of places and routes that have pages of their own."""
    return {name: tables[name][~tables[name]["kind"].isin(kinds)] for name in KEYS}


def tiled_ids(tables: Tables, kinds: tuple[str, ...]) -> set[str]:
    """Return the ids of the records of tiled kinds."""
    return {
        str(one)
        for name, key in KEYS.items()
        for one in tables[name].loc[tables[name]["kind"].isin(kinds), key]
    }


def part(
    shelf: Shelf, over: int = TILE_OVER, folder: Path | None = None
) -> tuple[Shelf, Tiled | None]:
    """Take the records of the tiled kinds off the shelf; None where no kind is tiled.

    Rows about them are left in ``folder`` and read from there; held, where none is given.
    """
    kinds = tiled_kinds(shelf.tables, shelf.positions.frame, over)
    if not kinds:
        return shelf, None
    subjects = _numbered(_joined(shelf, kinds))
    ids = pd.Index(subjects["subject_id"], dtype=object)
    near = nearest_bounds(shelf.frames["access"], shelf.positions, subject_kinds(shelf.tables))
    nearby = _nearby(near, ids)
    mine = _Mine(ids, Frames(folder) if folder else {})
    mine.take("near", near)
    mine.take("positions", shelf.positions.frame[["subject_id", "note_vi", "note_en"]])
    known = set(shelf.frames["standing"]["subject_id"])
    mine.take("findings", _contradictions(shelf.findings, known))
    left = _without(shelf, mine)
    names = {name: shelf.tables[name] for name in REGISTERS}
    beside = nearby, _holding(shelf.tables["places"], ids)
    shapes = shelf.positions.shapes
    return left, Tiled(kinds, subjects, shapes, mine.frames, names, over, BLOCK_BYTES, *beside)


@dataclass(frozen=True)
class _Mine:
    """The rows about tiled records, whose ids in the order of their numbers are ``ids``."""

    ids: "pd.Index[str]"
    frames: Frames | dict[str, pd.DataFrame]

    def numbers(self, frame: pd.DataFrame, column: str = "subject_id") -> np.ndarray:
        """Return the number of each row's subject, -1 where it is another one's."""
        return np.asarray(self.ids.get_indexer(pd.Index(frame[column], dtype=object)))

    def others(self, frame: pd.DataFrame, column: str = "subject_id") -> pd.DataFrame:
        """Return the rows about other subjects."""
        return frame[self.numbers(frame, column) < 0]

    def take(self, name: str, frame: pd.DataFrame) -> pd.DataFrame:
        """Keep the rows about these subjects by their numbers; return the others."""
        numbers = self.numbers(frame)
        is_mine = numbers >= 0
        mine = frame[is_mine].drop(columns=["subject_id", *UNTOLD], errors="ignore")
        mine = mine.assign(n=numbers[is_mine])
        mine = mine.sort_values("n", kind="stable", ignore_index=True)
        self.frames[name] = mine
        return frame[~is_mine]


def held(facts: pd.DataFrame, measures: Iterable[str]) -> pd.DataFrame:
    """Return of each record the claim that holds for each of the measures, of it as a whole."""
    whole = facts[(facts["phase"] == "") & facts["measure"].isin(list(measures))]
    ordered = whole.sort_values(["n", "measure", "rank"], kind="stable")
    return ordered.drop_duplicates(["n", "measure"])


def _contradictions(findings: Iterable[Finding], subjects: set[str]) -> pd.DataFrame:
    told = [(subject_of(one.key, subjects), one.rule) for one in findings if one.rule in RULES]
    return pd.DataFrame(told, columns=["subject_id", "rule"], dtype="str")


def _nearby(near: pd.DataFrame, ids: "pd.Index[str]") -> dict[str, dict[str, Bounds]]:
    told: dict[str, dict[str, Bounds]] = {}
    others = near[ids.get_indexer(pd.Index(near["subject_id"])) < 0]
    for subject, kind, least, most in others.itertuples(index=False):
        told.setdefault(subject, {})[kind] = Bounds(least, most)
    return told


def _holding(places: pd.DataFrame, ids: "pd.Index[str]") -> dict[str, int]:
    others = places[ids.get_indexer(pd.Index(places["place_id"])) < 0]
    numbers = ids.get_indexer(pd.Index(others["inside_id"]))
    return dict(zip(others["place_id"][numbers >= 0], numbers[numbers >= 0].tolist(), strict=True))


def _without(shelf: Shelf, mine: _Mine) -> Shelf:
    """Return the shelf of the others; what they are near to keeps its names."""
    tables: dict[str, pd.DataFrame] = {
        name: mine.others(shelf.tables[name], key) for name, key in KEYS.items()
    }
    tables |= {name: mine.take(name, shelf.tables[name]) for name in ABOUT_SUBJECTS}
    frames = {name: mine.take(name, shelf.frames[name]) for name in ("facts", "promises")}
    frames |= {name: mine.others(shelf.frames[name]) for name in ("access", "standing")}
    near = set(frames["access"]["other_id"])
    known = [
        table.loc[table[key].isin(near), [key, "name_vi", "name_en"]]
        for table, key in ((shelf.tables[name], key) for name, key in KEYS.items())
    ]
    names = {key: (vi, en) for frame in known for key, vi, en in frame.itertuples(index=False)}
    inner = shelf.tables["places"][["place_id", "inside_id"]]
    inner = inner[inner["inside_id"].isin(tables["places"]["place_id"])]
    return replace(
        shelf,
        tables={**{name: shelf.tables[name] for name in REGISTERS}, **tables},
        frames=frames,
        positions=shelf.positions.only(mine.numbers(shelf.positions.frame) < 0),
        others=names,
        inside=dict(inner.itertuples(index=False, name=None)),
    )


def _joined(shelf: Shelf, kinds: tuple[str, ...]) -> pd.DataFrame:
    rows = []
    for name, key in KEYS.items():
        table = shelf.tables[name]
        mine = table[table["kind"].isin(kinds)].rename(columns={key: "subject_id"})
        mine = mine.drop(columns=list(UNTOLD_OF_SUBJECTS), errors="ignore")
        rows.append(mine.assign(table=name))
    subjects = pd.concat(rows, ignore_index=True).fillna("")
    subjects = subjects.merge(shelf.frames["standing"], on="subject_id", how="left")
    subjects = subjects.join(_stages(shelf), on="event_id")
    subjects["stage_group"] = subjects["stage_group"].fillna(NOT_KNOWN)
    subjects = subjects.fillna({"stage_id": "", "stage_on": "", "stage_on_basis": ""})
    positions = shelf.positions
    kept = ["subject_id", "method", "accuracy_m", "drawn_lon", "drawn_lat"]
    kept += ["type_id", "corners", "lon", "lat", *EDGES]
    placed = positions.frame[kept].assign(shape=positions.numbers())
    placed = placed.rename(columns={"lon": "true_lon", "lat": "true_lat"})
    return _drawn(subjects.merge(placed, on="subject_id", how="left"), shelf.frames["facts"])


def _stages(shelf: Shelf) -> pd.DataFrame:
    events = shelf.tables["stage_events"][["event_id", "stage_id", "on", "on_basis"]]
    told = events.merge(shelf.tables["stages"][["stage_id", "group"]], on="stage_id", how="left")
    names = {"group": "stage_group", "on": "stage_on", "on_basis": "stage_on_basis"}
    return told.rename(columns=names).set_index("event_id")


def _drawn(layer: pd.DataFrame, facts: pd.DataFrame) -> pd.DataFrame:
    """Add where and how each record is drawn, as `layers` and `telling` do for one."""
    is_point = (layer["type_id"] == POINT).to_numpy()
    is_placed = layer["shape"].notna().to_numpy()
    moved = is_point & layer["drawn_lon"].notna().to_numpy()
    approximate = layer["method"].isin(APPROXIMATE).to_numpy()
    accuracy = layer["accuracy_m"].astype("float64").fillna(0).to_numpy()
    sign = np.where(approximate, "approximate", "known").astype(object)
    sign[is_point & (layer["table"] == "routes").to_numpy()] = "single_point"
    sign[~is_placed] = "none"
    area = facts[(facts["measure"] == "area_ha") & (facts["phase"] == "")].sort_values("rank")
    known = area.drop_duplicates("subject_id").set_index("subject_id")["value"]
    hectares = pd.to_numeric(layer["subject_id"].map(known), errors="coerce").to_numpy()
    radius = np.sqrt(hectares * SQUARE_METRES_PER_HECTARE / np.pi)
    has_circle = approximate & (accuracy <= UNPLACED_M) & ~np.isnan(radius)
    return layer.drop(columns=["drawn_lon", "drawn_lat", "type_id"]).assign(
        shape=layer["shape"].fillna(-1).astype("int64"),
        corners=layer["corners"].fillna(0).astype("int64"),
        sign=sign,
        radius_m=np.where(has_circle, radius, 0).round().astype("int64"),
        is_unplaced=approximate & (accuracy > UNPLACED_M),
        is_moved=moved,
        lon=np.where(moved, layer["drawn_lon"], layer["true_lon"]),
        lat=np.where(moved, layer["drawn_lat"], layer["true_lat"]),
    )


def _numbered(layer: pd.DataFrame) -> pd.DataFrame:
    """Order by id, then along a curve on which what is near stays near; unplaced ones last."""
    ordered = layer.sort_values("subject_id", ignore_index=True)
    spots = gpd.GeoSeries(gpd.points_from_xy(ordered["lon"].fillna(0), ordered["lat"].fillna(0)))
    along = spots.hilbert_distance(total_bounds=(-180, -90, 180, 90), level=HILBERT_LEVEL).to_numpy(
        dtype="int64"
    )
    along = np.where(ordered["lon"].isna(), np.iinfo("int64").max, along)
    return ordered.iloc[np.argsort(along, kind="stable")].reset_index(drop=True)
