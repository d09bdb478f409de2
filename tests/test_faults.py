"""The fault drill: what a night may do to a refresh, and nothing is lost and nobody has to help.

After each drill every file of the published edition has the checksum of its manifest, the
archive holds all it held before, and the next refresh publishes by itself. What is counted is
printed when the last drill is over.
"""

import json
import os
import random
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import pytest
from conftest import TOLD, Tree

from atlas.editions import Shop, read_manifest
from drills import END, Ended, Refreshes, refreshes
from flows.order import Order
from flows.run import carry_out
from geodata.archive import Archive, sha256_of
from geodata.audit import audit
from servers import LOOPBACK, Server, drip, reset, running, say

STEPS = ("collect", "check", "resolve", "join", "measure", "compare", "draw", "verify", "publish")
INSTANTS = 50
FIRST = date(2026, 2, 1)
CORNERS = [[105.5, 9.8], [105.6, 9.8], [105.6, 9.9], [105.5, 9.8]]
SHAPE = {"type": "Polygon", "coordinates": [CORNERS]}
FEATURE = {"type": "Feature", "properties": {"code": "31301"}, "geometry": SHAPE}
BOUNDARIES = json.dumps({"type": "FeatureCollection", "features": [FEATURE]}).encode()
TROUBLES = {
    "dropped": reset,
    "slowed": drip,
    "cut short": say(body=BOUNDARIES[:-40]),
    "corrupted": say(body=bytes(200)),
}
"""What becomes of the replies of a real server on loopback."""


@dataclass
class Tally:
    """The drills so far, by what was done, and everything that was lost."""

    drills: Counter[str] = field(default_factory=Counter)
    losses: list[str] = field(default_factory=list)

    def told(self) -> str:
        """Say what was counted."""
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.drills.items())
        return f"{self.drills.total()} drills ({kinds}): {len(self.losses)} losses"


@pytest.fixture(scope="module")
def counted() -> Tally:
    """Count over all tests of this module."""
    return Tally()


@pytest.fixture
def tally(counted: Tally, record_property: Callable[[str, object], None]) -> Iterator[Tally]:
    """Return the tally; what it tells after the last test is printed below the results."""
    yield counted
    record_property(TOLD, f"faults: {counted.told()}")


@dataclass
class Root:
    """A root under drill: what its archive held, and what is counted."""

    root: Path
    tally: Tally
    held: dict[Path, bytes] = field(default_factory=dict)

    def look(self, drill: str) -> None:
        """Note as lost what readers no longer get whole and what the archive no longer holds."""
        public, archive = Shop(self.root).public, self.root / "var" / "archive"
        if public.is_symlink():
            files = read_manifest(public)["files"].items()
            broken = [n for n, f in files if sha256_of((public / n).read_bytes()) != f["sha256"]]
            self.tally.losses += [f"{drill}: {name} is not as published" for name in broken]
        self.tally.losses += [f"{drill}: {fault}" for fault in audit(Archive(archive)).faults]
        now = {path: _log(path) for path in archive.rglob("*") if _is_kept(path)}
        gone = [path for path, log in self.held.items() if not now.get(path, b"-").startswith(log)]
        self.tally.losses += [f"{drill}: {path} is gone or was rewritten" for path in gone]
        self.held = now

    def shows(self) -> str:
        """Return the day of the published edition."""
        return Shop(self.root).current()[:10]

    def status(self) -> dict[str, object]:
        """Return the record of the last run."""
        return dict(json.loads((self.root / "status.json").read_text(encoding="utf-8")))


def _log(path: Path) -> bytes:
    return path.read_bytes() if path.suffix == ".jsonl" else b""


def _is_kept(path: Path) -> bool:
    """Tell a file of the archive from one that is still being written."""
    is_new = path.name.startswith(".") or path.suffix == ".new" or path.parent.name == "incoming"
    return path.is_file() and not is_new


@dataclass
class Nights:
    """Drills on one root, each on a day of its own and followed by a refresh without help."""

    root: Root
    sources: Path
    refreshes: Refreshes
    day: date = FIRST
    whole_s: float = 0.0

    @property
    def order(self) -> Order:
        """The refresh of the day."""
        return Order(root=self.root.root, sources=self.sources, as_of=self.day)

    def first(self) -> None:
        """Publish once, so that there is something to lose."""
        self._publishes("the first night")

    def drill(self, kind: str, at: str = "", after: float | None = None) -> bool:
        """Have one refresh killed and look; then the same once more, which has to publish."""
        self.day += timedelta(days=1)
        ended = self.refreshes.run(self.order, at, after)
        drill = f"{kind}, {at or after}, {self.day}"
        self.root.look(drill)
        if not ended.is_killed:  # it was quicker
            self._require(ended, drill)
            return False
        self.root.tally.drills[kind] += 1
        self._publishes(drill)
        return True

    def trouble(self, kind: str, server: Server) -> None:
        """Have the network fail during one refresh, and look; the next one finds it mended."""
        good = server.paths["/boundaries.geojson"]
        server.paths["/boundaries.geojson"] = TROUBLES[kind]
        for state in ("stale", "fresh"):
            self.day += timedelta(days=1)
            drill = f"replies {kind}, {state}"
            self._require(self.refreshes.run(self.order), drill)
            self.root.look(drill)
            states = {s["source_id"]: s["state"] for s in self.root.status()["sources"]}
            if states["tiny_boundaries"] != state or not self._has_boundaries():
                self.root.tally.losses.append(f"{drill}: {states['tiny_boundaries']}")
            server.paths["/boundaries.geojson"] = good
        self.root.tally.drills[f"replies {kind}"] += 1

    def _has_boundaries(self) -> bool:
        told = (self.root.root / "public" / "data" / "communes.geojson").read_text("utf-8")
        return len(json.loads(told)["features"]) == 1

    def _publishes(self, drill: str) -> None:
        was_there = self.root.shows() == self.day.isoformat()
        ended = self.refreshes.run(self.order)
        self._require(ended, f"after {drill}")
        state = self.root.status()["run"]
        if state != ("unchanged" if was_there else "published"):
            self.root.tally.losses.append(f"after {drill}: the next run ended as {state}")
        self.root.look(f"after {drill}")
        self.whole_s = self.whole_s if was_there else ended.seconds

    def _require(self, ended: Ended, drill: str) -> None:
        if ended.code or self.root.shows() != self.day.isoformat():
            self.root.tally.losses.append(f"{drill}: no edition, exit code {ended.code}")


def planted(folder: Path, server: Server | None = None) -> Path:
    """Return tiny sources; with a server, the boundaries of the communes come from there."""
    Tree.planted(folder)
    if server:
        server.paths["/boundaries.geojson"] = say(body=BOUNDARIES)
        (folder / "tiny_boundaries").mkdir()
        (folder / "tiny_boundaries" / "source.toml").write_text(
            'title_vi = "Ranh giới"\ntitle_en = "Boundaries"\npublisher = "Nobody"\n'
            'licence = "CC0-1.0"\nkind = "url"\nlayer = "commune_boundaries"\nformat = "geojson"\n'
            'crs = "EPSG:4326"\nkey = "code"\noptional = true\nas_of = 2025-12-31\n'
            f"retrieved_on = 2026-01-05\nallowed_networks = {json.dumps(LOOPBACK)}\n"
            f'[[files]]\nurl = "{server.url}/boundaries.geojson"\nseconds = 1\n',
            encoding="utf-8",
        )
    return folder


@contextmanager
def nights(folder: Path, tally: Tally, server: Server | None = None) -> Iterator[Nights]:
    """Start refreshes of a root of its own, the first of which has published."""
    with refreshes() as made:
        sources = planted(folder / "sources", server)
        lived = Nights(Root(folder / "root", tally), sources, made)
        lived.first()
        yield lived


def drill_instants(lived: Nights, kills: int, chance: random.Random) -> None:
    """Kill at random instants of a refresh until so many were; a late one is tried again."""
    left = kills
    for _ in range(3 * kills):
        left -= left and lived.drill("killed at an instant", after=chance.random() * lived.whole_s)
    assert left == 0


def drill_offline(folder: Path, tally: Tally) -> None:
    """Kill before every step and behind the last, then at random instants."""
    with nights(folder, tally) as lived:
        assert tuple(lived.root.status()["duration_s"]) == STEPS
        for step in (*STEPS, END):
            assert lived.drill("killed at a step", at=step)
        drill_instants(lived, INSTANTS * 3 // 5, random.Random(0))


def drill_online(folder: Path, tally: Tally) -> None:
    """Spoil the replies of a server, and kill while it is asked and at random instants."""
    with running() as server, nights(folder, tally, server) as lived:
        for kind in TROUBLES:
            lived.trouble(kind, server)
        drill_instants(lived, INSTANTS - INSTANTS * 3 // 5, random.Random(1))


def test_whatever_kills_a_refresh_or_spoils_its_network_nothing_is_lost_and_the_next_one_publishes(
    tmp_path: Path, tally: Tally
) -> None:
    """Two roots at once, one with a network and one without."""
    with ThreadPoolExecutor() as pool:
        drills = [
            pool.submit(drill, tmp_path / drill.__name__, tally)
            for drill in (drill_offline, drill_online)
        ]
    for drill in drills:
        drill.result()
    assert tally.losses == []
    assert tally.drills["killed at a step"] == len(STEPS) + 1
    assert tally.drills["killed at an instant"] == INSTANTS


@contextmanager
def small_disk(root: Path, size: str) -> Iterator[None]:
    """A disk of its own and small, below ``root``; needs the right to mount."""
    root.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(root)]
    subprocess.run(mount, check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(root)], check=True)


@pytest.fixture
def small(tmp_path: Path, tally: Tally) -> Iterator[tuple[Root, Order]]:
    """Return a root on a small disk that has published, and the order of the next night."""
    root = tmp_path / "root"
    order = Order(root=root, sources=planted(tmp_path / "sources"), online=False, as_of=FIRST)
    with small_disk(root, "100M"):
        carry_out(order)
        under = Root(root, tally)
        under.look("the first night")
        yield under, order.model_copy(update={"as_of": FIRST + timedelta(days=1)})


def publishes(under: Root, order: Order, drill: str) -> None:
    """Refresh without help and look."""
    assert carry_out(order).state == "published"
    under.look(f"after {drill}")
    assert under.tally.losses == []


only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")


@only_root
def test_a_full_disk_leaves_the_edition_up_and_the_next_run_needs_no_help(
    small: tuple[Root, Order],
) -> None:
    under, order = small
    ballast = under.root / "ballast"
    for left in (0, 300_000, 1_500_000):
        free = os.statvfs(under.root).f_bavail * os.statvfs(under.root).f_frsize
        ballast.write_bytes(bytes(max(free - left, 0)))
        with pytest.raises(Exception, match="No space left on device|Could not|failed"):
            carry_out(order)
        under.look(f"{left} bytes left")
        under.tally.drills["disk filled"] += 1
        assert under.shows() == FIRST.isoformat()
        if left:
            assert "bytes are free at" in str(under.status()["why"])
        ballast.unlink()
    publishes(under, order, "a full disk")


@only_root
def test_an_output_that_turned_read_only_leaves_the_edition_up(small: tuple[Root, Order]) -> None:
    under, order = small
    subprocess.run(["mount", "-o", "remount,ro", str(under.root)], check=True)
    with pytest.raises(OSError, match="[Rr]ead-only"):
        carry_out(order)
    under.look("read-only")
    under.tally.drills["output read-only"] += 1
    assert under.shows() == FIRST.isoformat()
    subprocess.run(["mount", "-o", "remount,rw", str(under.root)], check=True)
    publishes(under, order, "an output that was read-only")
