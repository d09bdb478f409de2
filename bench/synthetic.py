"""Made-up regions of any size: sources as a steward would keep them, the same for one seed.

Places stand in clumps over Vietnam's bounds, with routes, claims, events and money in
proportion to a province's. Nothing in them is true, and each name says so.
"""

import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import shapely

from bench.tables import PROJECT
from geodata.archive import sha256_of_file
from geodata.schema import TABLE

BOUNDS = (103.5, 8.7, 107.9, 23.2)
CRS = "EPSG:3405"
"""VN-2000 / UTM zone 48N, which holds Vietnam west of 108°."""

SEED = 931
VERTICES, LINE_VERTICES = 24, 40
CORNERS_AT_ONCE = 2_000_000
ROUGHNESS = 0.002
"""By what share of how far a corner lies it strays where an outline has more than `VERTICES`."""

SIDE_M = 350.0
DEGREE_M = 110_000.0
DAY = "2026-01-05"
KINDS = {
    "plant": 0.60,
    "industrial_cluster": 0.20,
    "industrial_park": 0.10,
    "logistics_site": 0.05,
    "port": 0.05,
}
ROUTE_KINDS = ("national_road", "provincial_road", "road", "canal")
AXES = {"industrial_park": "park", "industrial_cluster": "cluster"}
STAGES = {
    "park": ("planned", "established", "under_construction", "operating"),
    "cluster": ("listed", "established", "under_construction", "operating"),
    "project": ("proposed", "registered", "works", "operating"),
}
PLACES_PER_COMMUNE = 300
COMMUNES = (12, 3_300)
"""The fewest and the most: Vietnam has 3,321 communes since July 2025."""

SHARED = ("atlas_measures", "atlas_stages")
"""Vocabularies that every region has; their documents are made up with the rest."""

Columns = Mapping[str, object]

REGION = f"""region_id = "made-up"
name_vi = "Vùng giả"
name_en = "Made-up region"
rank_vi = "vùng"
rank_en = "region"
area_vi = "vùng giả"
area_en = "the made-up region"
lies_in = ["Việt Nam"]
bounds = {list(BOUNDS)}
crs = "{CRS}"
time_zone = "Asia/Ho_Chi_Minh"
clock_vi = "giờ Việt Nam"
clock_en = "Vietnam time"
languages = ["vi", "en"]
years = [2020, 2030]
plan_years = [2021, 2025]
money_units = ["tỷ đồng", "triệu USD", "tỷ JPY"]
sources = "{{sources}}"
"""

LIMITS = (
    "[limits]\nbytes = 20_000_000_000\nunpacked_bytes = 20_000_000_000\nrows = 50_000_000\n"
    "cells = 1_000_000_000\nvertices = 1_000_000_000\nmemory_mb = 20_000\nseconds = 7_200\n"
)


def write_region(folder: Path, places: int, seed: int = SEED, corners: int = VERTICES) -> Path:
    """Write the sources of a region of so many places below ``folder`` and return it.

    Its ``region.toml`` stands beside the folder. Each outline has so many corners; they are
    written a few at a time.
    """
    chance = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    region_of(folder).write_text(REGION.format(sources=folder.name), encoding="utf-8")
    for name in SHARED:
        shutil.copytree(PROJECT / "geodata" / "sources" / name, folder / name)
    communes = _communes(chance, places)
    _write(folder, "communes", communes)
    _write(folder, "documents", _documents(places))
    _write_places(folder, chance, places, communes, corners)
    _write_routes(folder, chance, max(places // 10, 2), communes)
    return folder


def region_of(sources: Path) -> Path:
    """Return the ``region.toml`` of made-up sources."""
    return sources.parent / "region.toml"


def _write(folder: Path, table: str, columns: Columns | pd.DataFrame, name: str = "") -> None:
    """Write one source: the given columns, the others empty."""
    _write_parts(folder, table, [columns], name)


def _write_parts(
    folder: Path, table: str, parts: Iterable[Columns | pd.DataFrame], name: str = ""
) -> None:
    source = folder / (name or f"made_up_{table}")
    source.mkdir()
    with (source / "raw.csv").open("w", encoding="utf-8", newline="") as file:
        for number, columns in enumerate(parts):
            frame = pd.DataFrame(columns)
            frame = frame.reindex(columns=list(TABLE[table].column_names), fill_value="")
            frame.to_csv(file, index=False, header=not number, lineterminator="\n")
    sha256 = sha256_of_file(source / "raw.csv")
    key = TABLE[table].key
    (source / "source.toml").write_text(
        f'title_vi = "Dữ liệu giả: {table}"\ntitle_en = "Made-up data: {table}"\n'
        'publisher = "bench/synthetic.py"\nlicence = "CC0-1.0"\nkind = "file"\n'
        f'table = "{table}"\nfile = "raw.csv"\nformat = "csv"\nas_of = {DAY}\n'
        f'retrieved_on = {DAY}\nsha256 = "{sha256}"\nkey = {list(key)}\n{LIMITS}',
        encoding="utf-8",
    )


def _ids(start: str, count: int) -> "pd.Series[str]":
    return start + pd.Series(np.arange(count)).astype("str")


def _communes(chance: np.random.Generator, places: int) -> dict[str, object]:
    fewest, most = COMMUNES
    count = int(np.clip(places // PLACES_PER_COMMUNE, fewest, most))
    west, south, east, north = BOUNDS
    across = max(2, round((count * (east - west) / (north - south)) ** 0.5))
    down = -(-count // across)
    x, y = np.meshgrid(np.linspace(west, east, across), np.linspace(south, north, down))
    lon, lat = x.ravel()[:count], y.ravel()[:count]
    reach = (east - west) / across * DEGREE_M
    codes = pd.Series(np.arange(10_000, 10_000 + count)).astype("str")
    return {
        "unit_id": "com-" + codes,
        "level": "commune",
        "code": codes,
        "name_vi": "Xã giả " + codes,
        "name_en": "Made-up commune " + codes,
        "valid_from": "2025-07-01",
        "longitude": lon.round(5),
        "latitude": lat.round(5),
        "reach_m": int(reach) + 1_000,
        "document_ids": "doc-0",
    }


def _documents(places: int) -> dict[str, object]:
    count = max(places // 100, 2)
    cited = _stage_documents()
    ids = pd.concat([_ids("doc-", count), pd.Series(cited)], ignore_index=True)
    return {
        "document_id": ids,
        "kind": "press",
        "name_vi": "Văn bản giả " + ids,
        "name_en": "Made-up document " + ids,
        "publisher": "bench/synthetic.py",
        "is_linked": "false",
        "published_on": DAY,
        "date_basis": "stated",
        "retrieved_on": DAY,
    }


def _stage_documents() -> list[str]:
    stages = pd.read_csv(PROJECT / "geodata" / "sources" / "atlas_stages" / "raw.csv", dtype="str")
    return sorted(set(stages["document_ids"].dropna().str.split(";").explode()))


def _write_places(
    folder: Path, chance: np.random.Generator, count: int, communes: Columns, corners: int
) -> None:
    ids = _ids("p-", count)
    kinds = chance.choice(list(KINDS), count, p=list(KINDS.values()))
    lon, lat = np.asarray(communes["longitude"]), np.asarray(communes["latitude"])
    home = chance.integers(0, len(lon), count)
    west, south, east, north = BOUNDS
    x = np.clip(lon[home] + chance.normal(0, 0.12, count), west, east)
    y = np.clip(lat[home] + chance.normal(0, 0.12, count), south, north)
    documents = _ids("doc-", max(count // 100, 2)).to_numpy()
    cited = documents[chance.integers(0, len(documents), count)]
    own = {"document_ids": cited}
    _write(
        folder,
        "places",
        {
            "place_id": ids,
            "kind": kinds,
            "name_vi": "Nơi giả số " + ids.str.slice(2),
            "name_en": "Made-up place " + ids.str.slice(2),
            "commune_ids": np.asarray(communes["unit_id"])[home],
            "location_basis": "named_by_source",
            **own,
        },
    )
    drawn = chance.random(count) < 0.9
    spots = pd.DataFrame({"id": ids, "x": x, "y": y, "cited": cited})[drawn]
    area = _write_outlines(folder, chance, spots, corners)
    told_area = chance.lognormal(3, 1, count).round(1)
    told_area[drawn] = np.maximum(area.round(1), 0.1)
    occupancy = chance.integers(0, 101, count).astype("str")
    claims = pd.concat(
        [
            pd.DataFrame(_claims(ids, "area_ha", told_area.astype("str"), "ha", cited)),
            pd.DataFrame(_claims(ids, "occupancy_pct", occupancy, "%", cited)),
        ]
    )
    _write(folder, "claims", claims)
    _write_progress(folder, chance, ids, kinds, cited)


def _write_outlines(
    folder: Path, chance: np.random.Generator, spots: pd.DataFrame, corners: int
) -> np.ndarray:
    """Write outlines around points as positions; return their hectares."""
    areas = []

    def parts() -> Iterator[Columns]:
        radius = SIDE_M / 2 / DEGREE_M * chance.lognormal(0, 0.5, len(spots))
        step = max(1, CORNERS_AT_ONCE // corners)
        for start in range(0, max(len(spots), 1), step):
            some = spots.iloc[start : start + step]
            shapes = _polygons(chance, some, radius[start : start + step], corners)
            areas.append(shapely.area(shapes) * DEGREE_M**2 / 10_000)
            yield _positions(some["id"], shapes, some["cited"].to_numpy(), "official_boundary")

    _write_parts(folder, "positions", parts())
    return np.concatenate(areas)


def _polygons(
    chance: np.random.Generator, spots: pd.DataFrame, radius: np.ndarray, corners: int
) -> np.ndarray:
    """Star-shaped outlines around the points; more corners than `VERTICES` make them rough."""
    far = radius[:, None] * chance.uniform(0.7, 1.3, (len(spots), VERTICES))
    if corners != VERTICES:
        at = np.linspace(0, VERTICES, corners, endpoint=False)
        low, share = at.astype("int64"), at % 1
        far = far[:, low] * (1 - share) + far[:, (low + 1) % VERTICES] * share
        far = far * chance.uniform(1 - ROUGHNESS, 1 + ROUGHNESS, far.shape)
    turn = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    x, y = (spots[name].to_numpy()[:, None] for name in ("x", "y"))
    rings = np.stack([x + far * np.cos(turn), y + far * np.sin(turn)], axis=-1)
    return np.asarray(shapely.polygons(shapely.linearrings(rings)))


def _positions(
    ids: "pd.Series[str]", shapes: np.ndarray, cited: np.ndarray, method: str
) -> dict[str, object]:
    return {
        "position_id": ids.to_numpy() + ".position",
        "subject_id": ids.to_numpy(),
        "method": method,
        "accuracy_m": "20",
        "geometry": shapely.to_wkt(shapes, rounding_precision=6),
        "as_of": DAY,
        "document_ids": cited,
    }


def _claims(
    ids: "pd.Series[str]", measure: str, values: object, unit: str, cited: np.ndarray
) -> dict[str, object]:
    return {
        "claim_id": ids + "." + measure.replace("_", "-"),
        "subject_id": ids,
        "measure": measure,
        "value": values,
        "unit": unit,
        "as_of": DAY,
        "as_of_basis": "stated",
        "document_ids": cited,
        "confidence": "one_source",
    }


def _write_progress(
    folder: Path,
    chance: np.random.Generator,
    ids: "pd.Series[str]",
    kinds: np.ndarray,
    cited: np.ndarray,
) -> None:
    """Write one stage event a place, money for a third, a promise for a fifth."""
    count = len(ids)
    step = chance.integers(0, 4, count)
    stages = [
        f"{axis}.{STAGES[axis][at]}"
        for axis, at in zip([AXES.get(k, "project") for k in kinds], step, strict=True)
    ]
    years = chance.integers(2016, 2026, count).astype("str")
    shared = {"document_ids": cited, "confidence": "one_source"}
    events = {
        "event_id": ids + ".event",
        "subject_id": ids,
        "stage_id": stages,
        "on": years,
        "on_basis": "stated",
        "is_step_back": "false",
        **shared,
    }
    _write(folder, "stage_events", events)
    paid = chance.random(count) < 1 / 3
    money = {
        "money_id": ids[paid] + ".money",
        "subject_id": ids[paid],
        "kind": "registered",
        "fund": "private",
        "amount": chance.lognormal(4, 1, paid.sum()).round(1).astype("str"),
        "unit": "tỷ đồng",
        "on": years[paid],
        "on_basis": "stated",
        "document_ids": cited[paid],
        "confidence": "one_source",
    }
    _write(folder, "money_events", money)
    dated = chance.random(count) < 0.2
    milestones = {
        "milestone_id": ids[dated] + ".opening.1",
        "subject_id": ids[dated],
        "promise_id": ids[dated] + ".opening",
        "name_vi": "Đi vào hoạt động",
        "name_en": "In operation",
        "due_on": chance.integers(2020, 2031, dated.sum()).astype("str"),
        "published_on": "2019-05-20",
        "document_ids": cited[dated],
        "confidence": "one_source",
    }
    _write(folder, "milestones", milestones)


def _write_routes(folder: Path, chance: np.random.Generator, count: int, communes: Columns) -> None:
    ids = _ids("r-", count)
    lon, lat = np.asarray(communes["longitude"]), np.asarray(communes["latitude"])
    home = chance.integers(0, len(lon), count)
    steps = chance.normal(0, 0.004, (count, LINE_VERTICES, 2)) + chance.normal(
        0, 0.002, (count, 1, 2)
    )
    lines = np.stack([lon[home], lat[home]], axis=-1)[:, None, :] + steps.cumsum(axis=1)
    kinds = np.asarray(ROUTE_KINDS)[np.arange(count) % len(ROUTE_KINDS)]
    _write(
        folder,
        "routes",
        {
            "route_id": ids,
            "kind": kinds,
            "name_vi": "Tuyến giả số " + ids.str.slice(2),
            "name_en": "Made-up route " + ids.str.slice(2),
            "node_ids": np.asarray(communes["unit_id"])[home],
            "document_ids": "doc-0",
        },
    )
    cited = np.full(count, "doc-0")
    told = _positions(ids, shapely.linestrings(lines), cited, "official_boundary")
    _write(folder, "positions", told, name="made_up_route_positions")
