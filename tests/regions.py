"""A made-up region in another zone, with a clock, names and sources of its own."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from conftest import TINY, Tree
from nights import Nights
from shapely import box
from shapely.geometry import mapping

Rows = list[dict[str, str]]

CRS = "EPSG:5899"
"""VN-2000 / TM-3, central meridian 107°45'."""

WEST, EAST = (107.6, 15.8), (108.5, 15.8)
"""The points of its two communes, in degrees."""

TOLD: dict[str, object] = {
    "region_id": "quang-hai",
    "name_vi": "Quảng Hải",
    "name_en": "Quảng Hải",
    "rank_vi": "thành phố",
    "rank_en": "city",
    "area_vi": "thành phố Quảng Hải",
    "area_en": "Quảng Hải city",
    "lies_in": ["Việt Nam"],
    "bounds": [107.5, 15.4, 108.6, 16.3],
    "crs": CRS,
    "time_zone": "Asia/Manila",
    "clock_vi": "giờ Manila",
    "clock_en": "Manila time",
    "languages": ["en", "vi"],
    "years": [2024, 2035],
    "plan_years": [2026, 2030],
    "money_units": ["tỷ đồng", "triệu USD"],
    "sources": "data",
}
VOCABULARY = {
    "vi": {"plan.s1": "Kế hoạch công nghiệp Quảng Hải 2026-2030"},
    "en": {"plan.s1": "Quảng Hải industrial plan 2026-2030"},
}


def region_toml(vocabulary: object = VOCABULARY, **changed: object) -> str:
    """Write a ``region.toml``; what is changed to None is left out."""
    told = {name: value for name, value in {**TOLD, **changed}.items() if value is not None}
    lines = [f"{name} = {json.dumps(value)}".replace("NaN", "nan") for name, value in told.items()]
    for lang, texts in dict(vocabulary).items():  # type: ignore[call-overload]
        lines.append(f"[vocabulary.{lang}]")
        lines += [f"{json.dumps(k)} = {json.dumps(v)}" for k, v in texts.items()]
    return "\n".join(lines) + "\n"


def _unit(unit_id: str, code: str, at: tuple[float, float], name: str) -> dict[str, str]:
    place = {"longitude": str(at[0]), "latitude": str(at[1]), "name_vi": name, "name_en": name}
    return TINY["communes"][2] | place | {"unit_id": unit_id, "code": code, "reach_m": "12000"}


def _square(position_id: str, subject_id: str, wkt: str) -> dict[str, str]:
    told = {"position_id": position_id, "subject_id": subject_id, "geometry": wkt}
    return TINY["positions"][0] | told | {"method": "surveyed", "accuracy_m": "10"}


def rows() -> dict[str, Rows]:
    """Return its rows: two communes, two places on true ground, a road of 96 km between them."""
    park = TINY["places"][0] | {"name_vi": "KCN Bãi Cát", "name_en": "Bãi Cát Industrial Park"}
    park |= {"aliases": "KCN Bãi Cát"}
    road = TINY["routes"][0] | {"name_vi": "Đường ven biển", "name_en": "Coast road"}
    line = f"LINESTRING ({WEST[0]} {WEST[1]}, {EAST[0]} {EAST[1]})"
    # 0.01 degrees aside: a kilometre and some
    ground = box(WEST[0], WEST[1] + 0.01, WEST[0] + 0.01, WEST[1] + 0.02).wkt
    funding = [row | ({"year": "2027"} if row.get("year") else {}) for row in TINY["funding_plan"]]
    return {
        **TINY,
        "communes": [
            *TINY["communes"][:2],
            _unit("com-1", "20201", WEST, "Xã Tây"),
            _unit("com-2", "20202", EAST, "Xã Đông"),
        ],
        "places": [park, TINY["places"][1] | {"inside_id": ""}],
        "routes": [road | {"node_ids": "com-1;com-2"}],
        "positions": [
            _square("kcn-a.position.1", "kcn-a", ground),
            _square("road-a.position.1", "road-a", line),
        ],
        "funding_plan": funding,
    }


def plant(folder: Path, **changed: object) -> Path:
    """Make the region's folder, its ``region.toml`` and its sources; return the folder."""
    Tree.planted(folder / "data", rows())
    _plant_boundaries(folder / "data" / "tiny_boundaries")
    (folder / "region.toml").write_text(region_toml(**changed), encoding="utf-8")
    return folder


def _plant_boundaries(folder: Path) -> None:
    half = 0.1
    shapes = {
        code: box(x - half, y - half, x + half, y + half)
        for code, (x, y) in (("20201", WEST), ("20202", EAST))
    }
    features = [
        {"type": "Feature", "properties": {"ma": code}, "geometry": mapping(shape)}
        for code, shape in shapes.items()
    ]
    content = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    told = {
        "title_vi": "Ranh giới",
        "title_en": "Boundaries",
        "publisher": "Nobody",
        "licence": "CC0-1.0",
        "kind": "file",
        "layer": "commune_boundaries",
        "file": "raw.geojson",
        "format": "geojson",
        "crs": "EPSG:4326",
        "key": "code",
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in told.items()]
    lines += ["as_of = 2025-12-31", "retrieved_on = 2026-01-05", "[columns]", 'ma = "code"', ""]
    folder.mkdir()
    (folder / "raw.geojson").write_bytes(content)
    (folder / "source.toml").write_text("\n".join(lines), encoding="utf-8")


@dataclass(frozen=True)
class Twins:
    """The project's own region and the made-up one, each with its root."""

    folder: Path
    own: Nights
    other: Nights


def two_regions(folder: Path) -> Twins:
    """Plant both regions below a folder; neither is built yet."""
    tree = Tree.planted(folder / "sources")
    region = folder / "quang-hai"
    region.mkdir()
    plant(region)
    other = Nights(folder / "other", region / "data", region)
    return Twins(folder, Nights(folder / "own", tree.folder), other)
