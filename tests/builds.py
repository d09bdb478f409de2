"""One real build of the real sources, shared by the tests of the flow and of the site."""

import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import shapely

PROJECT = Path(__file__).resolve().parents[1]
MIRROR = PROJECT.parent / "shared" / "mirror"
ATLAS = Path(sys.executable).with_name("atlas")
SOURCES = PROJECT / "geodata" / "sources"
HALF_SIDE = 0.01
"""Degrees: the drawn communes are squares of about 2 km around their published points."""


@dataclass(frozen=True)
class Built:
    """A root that one refresh has published to."""

    root: Path
    first: subprocess.CompletedProcess[str]
    network: tuple[str, ...]

    @property
    def public(self) -> Path:
        """The published folder."""
        return self.root / "public"


def network_of(folder: Path) -> tuple[str, ...]:
    """Return the options that give a refresh all layers: the mirror beside the project, or a
    drawn one, made in ``folder`` with sources that pin it.
    """
    if MIRROR.is_dir():
        return ("--mirror", str(MIRROR))
    sources = Path(shutil.copytree(SOURCES, folder / "sources"))
    mirror = folder / "mirror"
    _draw_communes(sources / "tlq_commune_boundaries" / "source.toml", mirror)
    _draw_waterways(mirror / "overpass" / "waterways_hau_giang.json")
    return ("--mirror", str(mirror), "--sources", str(sources))


def _read_rows(source_id: str) -> list[dict[str, str]]:
    with (SOURCES / source_id / "raw.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _draw_communes(settings: Path, mirror: Path) -> None:
    told = settings.read_text(encoding="utf-8")
    points = {r["code"]: r for r in _read_rows("atlas_communes") if r["level"] == "commune"}
    for file in tomllib.loads(told)["files"]:
        code = file["url"].rsplit("/", 1)[-1].split("_")[0]
        x, y = float(points[code]["longitude"]), float(points[code]["latitude"])
        square = shapely.box(x - HALF_SIDE, y - HALF_SIDE, x + HALF_SIDE, y + HALF_SIDE)
        feature = {
            "type": "Feature",
            "properties": {"code": code},
            "geometry": shapely.geometry.mapping(square),
        }
        content = json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()
        path = mirror / file["url"].removeprefix("https://")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        told = told.replace(file["sha256"], hashlib.sha256(content).hexdigest())
    settings.write_text(told, encoding="utf-8")


def _draw_waterways(path: Path) -> None:
    """Draw a line from the first place that each canal is known by, and from each commune."""
    units = {r["unit_id"]: r for r in _read_rows("atlas_communes")}
    named = [
        (name, units[row["node_ids"].split(";")[0]])
        for row in _read_rows("atlas_routes")
        for name in row["osm_names"].split(";")
        if name
    ]
    named += [(f"Kênh {u['code']}", u) for u in units.values() if u["level"] == "commune"]
    ways = [
        {
            "type": "way",
            "id": number,
            "tags": {"name": name, "waterway": "canal"},
            "geometry": [
                {"lon": float(unit["longitude"]), "lat": float(unit["latitude"])},
                {"lon": 105.6, "lat": 9.7 + number / 100},
            ],
        }
        for number, (name, unit) in enumerate(named)
    ]
    stamp = {"timestamp_osm_base": "2026-05-06T00:00:00Z"}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"osm3s": stamp, "elements": ways}), encoding="utf-8")


def run_atlas(
    *arguments: object, env: Mapping[str, str] | None = None, cwd: Path = PROJECT
) -> subprocess.CompletedProcess[str]:
    """Run the installed command and return what it said."""
    return subprocess.run(
        [str(ATLAS), *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        cwd=cwd,
        env={**os.environ, **(env or {})},
    )


def digests(folder: Path) -> dict[str, str]:
    """Return the checksum of every file below a folder, links left out."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }
