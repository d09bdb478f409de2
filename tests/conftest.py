"""Squares, a tiny set of sources that a test may break, and no network but loopback."""

import csv
import dataclasses
import fcntl
import hashlib
import io
import ipaddress
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import ClassVar, Self
from unittest.mock import patch

import geopandas as gpd
import pytest
from hypothesis import settings
from playwright.sync_api import Browser
from shapely import box

from browsing import chromium, served
from builds import Built, network_of, run_atlas
from drawings import METRIC_CRS
from flows.cli import PREFECT_SETTINGS
from flows.server import prefect_server
from geodata.catalog import Source, load_catalog, read_source
from geodata.checks import Checked, check_sheets
from geodata.corrections import apply_corrections
from geodata.read import Sheet, read_table
from geodata.schema import TABLE

settings.register_profile("atlas", deadline=None, derandomize=True, max_examples=25)
settings.load_profile("atlas")


TOLD = "told"
"""A property of a test by this name is printed below the results, wherever the test ran."""


class NetworkUsedError(RuntimeError):
    """A test reached for another machine."""


def _only_loopback(event: str, arguments: tuple[object, ...]) -> None:
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    name = host.decode() if isinstance(host, bytes) else host
    if isinstance(name, str) and not _is_here(name):
        raise NetworkUsedError(f"{event} to {name}: tests use no network but loopback")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests told, the last of those that tell the same thing."""
    reports = [one for group in terminalreporter.stats.values() for one in group]
    told = [p for report in reports for p in getattr(report, "user_properties", ())]
    last = {text.partition(":")[0]: text for name, text in told if name == TOLD}
    for text in last.values():
        terminalreporter.write_line(text)


def _is_here(host: str) -> bool:
    try:
        # what the system reads as a number: 127.1, 2130706433, 0177.0.0.1
        address = ipaddress.ip_address(host if ":" in host else socket.inet_aton(host))
    except (ValueError, OSError):
        return host in ("", "localhost")
    return address.is_loopback or address.is_unspecified


# an audit hook sees what every library does, and cannot be taken off again
sys.addaudithook(_only_loopback)

# started behind a shell's &, it would be ignored here and in every process that a test interrupts
signal.signal(signal.SIGINT, signal.default_int_handler)

Squares = Callable[..., gpd.GeoDataFrame]


@pytest.fixture
def squares() -> Squares:
    """Return a maker of layers of squares: ``name=(x, y, side)`` in metres of EPSG:5897."""

    def draw(key: str = "zone_id", **corners: tuple[float, float, float]) -> gpd.GeoDataFrame:
        shapes = [box(x, y, x + side, y + side) for x, y, side in corners.values()]
        return gpd.GeoDataFrame({key: list(corners)}, geometry=shapes, crs=METRIC_CRS)

    return draw


COMMON = {
    "as_of": "2024-06",
    "as_of_basis": "stated",
    "clause": "II.2",
    "confidence": "one_source",
    "document_ids": "press-1",
    "is_baseline": "false",
    "is_linked": "false",
    "is_qualitative": "false",
    "is_step_back": "false",
    "location_basis": "named_by_source",
    "meaning_en": "What it means",
    "meaning_vi": "Nghĩa",
    "name_en": "Name",
    "name_vi": "Tên",
    "on_basis": "stated",
    "plan_id": "s1",
    "publisher": "Báo A",
    "retrieved_on": "2026-01-05",
    "subject_id": "kcn-a",
    "unit_en": "%/year",
}
"""What a required cell holds where the row below does not say."""

TOLD: Mapping[str, list[dict[str, str]]] = {
    "places": [
        {
            "place_id": "kcn-a",
            "kind": "industrial_park",
            "aliases": "KCN A;Khu A",
            "district_ids": "dist-1",
            "old_commune_ids": "old-1",
            "commune_ids": "com-1",
            "plan_refs": "s1:III.5",
            "document_ids": "s1;press-1",
        },
        {"place_id": "ccn-b", "kind": "industrial_cluster", "inside_id": "kcn-a"},
    ],
    "routes": [{"route_id": "road-a", "kind": "road", "node_ids": "dist-1;com-1"}],
    "positions": [
        {
            "position_id": "kcn-a.position.1",
            "method": "digitised",
            "accuracy_m": "500",
            "geometry": "POINT (105.5 9.8)",
        }
    ],
    "claims": [
        {"claim_id": "kcn-a.area-ha.1", "measure": "area_ha", "value": "100.5", "unit": "ha"},
        {
            "claim_id": "kcn-a.area-leased-ha.1",
            "measure": "area_leased_ha",
            "qualifier": "~",
            "value": "40",
            "unit": "ha",
        },
    ],
    "stage_events": [
        {
            "event_id": "kcn-a.planned.1",
            "stage_id": "park.planned",
            "on": "2020",
            "act_id": "act-1",
        },
        {"event_id": "kcn-a.operating.1", "stage_id": "park.operating", "on": "2023-05"},
    ],
    "money_events": [
        {
            "money_id": "kcn-a.money.1",
            "kind": "registered",
            "fund": "private",
            "amount": "1200.500",
            "unit": "tỷ đồng",
            "on": "2022-03-04",
        }
    ],
    "milestones": [
        {
            "milestone_id": "kcn-a.open.1",
            "promise_id": "kcn-a.open",
            "stage_id": "park.operating",
            "due_on": "2023",
            "published_on": "2022-03-04",
            "met_on": "2023-05",
        }
    ],
    "targets": [
        {
            "target_id": "s1-t01",
            "value": "12.28",
            "unit": "%/năm",
            "period": "2021-2025",
            "series_id": "kpi-a",
        }
    ],
    "indicators": [
        {
            "indicator_id": "kpi-a.2024",
            "series_id": "kpi-a",
            "scope": "industry",
            "period": "2024",
            "value": "11.5",
            "unit": "%/năm",
        }
    ],
    "funding_plan": [
        {"funding_id": "f-0", "axis": "total", "amount": "10.001", "unit": "tỷ đồng"},
        {
            "funding_id": "f-1",
            "axis": "source",
            "fund": "private",
            "amount": "10.001",
            "unit": "tỷ đồng",
        },
        {
            "funding_id": "f-2",
            "axis": "year",
            "year": "2021",
            "amount": "10.001",
            "unit": "tỷ đồng",
        },
    ],
    "agencies": [{"agency_id": "so-a", "level": "province"}],
    "duties": [
        {
            "duty_id": "s1-d1",
            "kind": "report",
            "agency_ids": "so-a",
            "task_vi": "Báo cáo",
            "task_en": "Report",
            "duty_count": "1",
            "cadence": "yearly",
            "starts_on": "2021",
            "ends_on": "2025",
            "before_day": "11-15",
            "unit_ids": "dist-1",
        }
    ],
    "duty_reports": [
        {
            "report_id": "s1-d1.2024.so-a.1",
            "duty_id": "s1-d1",
            "agency_id": "so-a",
            "period": "2024",
            "done_on": "2024-11-14",
        }
    ],
    "documents": [
        {"document_id": "s1", "kind": "plan", "date_basis": "stated", "published_on": "2021-01"},
        {
            "document_id": "act-1",
            "kind": "legal_act",
            "date_basis": "not_known",
            "cited_by_ids": "s1",
        },
        {
            "document_id": "press-1",
            "kind": "press",
            "url": "https://press.example/a?b=1",
            "is_linked": "true",
            "published_on": "2024-12-31",
            "date_basis": "published",
        },
    ],
    "communes": [
        {"unit_id": "dist-1", "level": "old_district", "code": "931", "valid_to": "2025-06-30"},
        {
            "unit_id": "old-1",
            "level": "old_commune",
            "code": "31300",
            "parent_id": "dist-1",
            "valid_to": "2025-06-30",
        },
        {
            "unit_id": "com-1",
            "level": "commune",
            "code": "31301",
            "valid_from": "2025-07-01",
            "longitude": "105.5",
            "latitude": "9.8",
            "reach_m": "5000",
            "area_km2": "20.5",
        },
    ],
    "commune_crosswalk": [{"old_unit_id": "old-1", "new_unit_id": "com-1", "relation": "whole"}],
    "measures": [
        {
            "measure": "area_ha",
            "value_type": "number",
            "unit": "ha",
            "unit_en": "ha",
            "minimum": "0.01",
            "maximum": "5000",
        },
        {
            "measure": "area_leased_ha",
            "value_type": "number",
            "unit": "ha",
            "unit_en": "ha",
            "minimum": "0",
        },
    ],
    "stages": [
        {"stage_id": "park.planned", "axis": "park", "rank": "10", "group": "planned"},
        {"stage_id": "park.operating", "axis": "park", "rank": "80", "group": "operating"},
    ],
    "gaps": [
        {
            "gap_id": "kcn-a.gap.1",
            "subject_id": "kcn-a",
            "what_vi": "Giá thuê đất",
            "what_en": "The land price",
            "looked_on": "2026-01-05",
        }
    ],
}


def _filled(table: str, row: dict[str, str]) -> dict[str, str]:
    needed = {column.name for column in TABLE[table].columns if column.required}
    return {name: cell for name, cell in COMMON.items() if name in needed} | row


TINY = {table: [_filled(table, row) for row in rows] for table, rows in TOLD.items()}
"""One or a few good rows of every table; a cell that is not named is empty."""


@dataclasses.dataclass(frozen=True)
class Tree:
    """A folder of tiny sources, one a table: whole and sound until a test breaks it."""

    folder: Path
    tiny: ClassVar = TINY

    @classmethod
    def planted(cls, folder: Path, tables: Mapping[str, list[dict[str, str]]] = TINY) -> Self:
        """Make such a folder."""
        tree = cls(folder)
        for table, rows in tables.items():
            tree.raw(table).parent.mkdir(parents=True)
            tree.rows(table, rows)
        return tree

    def source(self, table: str) -> Source:
        """Return the source of a table as its ``source.toml`` now tells it."""
        return read_source(self.folder / f"tiny_{table}")

    def raw(self, table: str) -> Path:
        """Return where the raw file of a table lies."""
        return self.folder / f"tiny_{table}" / "raw.csv"

    def describe(self, table: str, **settings: object) -> None:
        """Write the ``source.toml`` of a table, with some settings changed or added."""
        told: dict[str, object] = {
            "title_vi": "Bảng nhỏ",
            "title_en": "Tiny table",
            "publisher": "Nobody",
            "licence": "CC0-1.0",
            "kind": "file",
            "table": table,
            "file": "raw.csv",
            "format": "csv",
            "key": list(TABLE[table].key),
            "sha256": hashlib.sha256(self.raw(table).read_bytes()).hexdigest(),
            **settings,
        }
        # a JSON string or list is one in TOML too
        lines = [f"{name} = {json.dumps(value)}" for name, value in told.items()]
        text = "\n".join(["as_of = 2025-12-31", "retrieved_on = 2026-01-05", *lines, ""])
        self.raw(table).with_name("source.toml").write_text(text, encoding="utf-8")

    def write(self, table: str, content: bytes) -> None:
        """Put other bytes in the place of a raw file, and their checksum beside them."""
        self.raw(table).write_bytes(content)
        self.describe(table)

    def rows(self, table: str, rows: list[dict[str, str]]) -> None:
        """Put other rows in the place of a table's; cells that are not named are empty."""
        text = io.StringIO(newline="")
        columns = list(TABLE[table].column_names)
        writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        self.write(table, text.getvalue().encode())

    def set(self, table: str, row: int, **cells: str) -> None:
        """Put other cells in one row, counted from 0, of the tiny table."""
        rows = [dict(told) for told in self.tiny[table]]
        rows[row] |= cells
        self.rows(table, rows)

    def correct(self, table: str, text: str) -> None:
        """Declare corrections of a table."""
        self.raw(table).with_name("corrections.toml").write_text(text, encoding="utf-8")

    def sheet(self, table: str) -> Sheet:
        """Read and correct one table."""
        return self.read(self.folder / f"tiny_{table}")

    @staticmethod
    def read(folder: Path) -> Sheet:
        """Read and correct the table of a source folder."""
        source = read_source(folder)
        return apply_corrections(read_table(source, source.path.read_bytes()))

    def check(self, *tables: str) -> Checked:
        """Read, correct and check these tables and what they point to, or every table."""
        needed = set(tables or self.tiny)
        for _ in self.tiny:
            columns = [column for name in needed for column in TABLE[name].columns]
            needed |= {r.partition(".")[0] for column in columns for r in column.references}
        return check_sheets([self.sheet(table) for table in self.tiny if table in needed])


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Return tiny sources, one for every table, in a folder of the test's own."""
    return Tree.planted(tmp_path / "sources")


@pytest.fixture(scope="session")
def common(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that the processes which share the tests out have in common."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@contextmanager
def made_once(folder: Path) -> Iterator[bool]:
    """Hold off who comes second; tell whether what is in the folder has to be made now."""
    folder.mkdir(exist_ok=True)
    made = folder / ".made"
    with (folder / ".door").open("w") as door:
        fcntl.flock(door, fcntl.LOCK_EX)
        yield not made.exists()
        made.touch()


@contextmanager
def prefect_in(home: Path, *, is_lasting: bool = False) -> Iterator[dict[str, str]]:
    """Start a server of Prefect; yield the environment in which a command finds it."""
    told = {**PREFECT_SETTINGS, "PREFECT_HOME": str(home)}
    with ExitStack() as running:
        with patch.dict(os.environ, told):
            os.environ.pop("PREFECT_API_URL", None)
            running.enter_context(prefect_server(is_lasting))()
            told["PREFECT_API_URL"] = os.environ["PREFECT_API_URL"]
        yield told


@pytest.fixture(scope="session")
def prefect_made(common: Path) -> Path:
    """Return a home of Prefect with a database: to make it takes longer than to start."""
    home = common / "prefect"
    with made_once(home) as is_due:
        if is_due:
            with prefect_in(home):
                pass
    return home


@pytest.fixture
def prefect_home(prefect_made: Path, tmp_path: Path) -> Path:
    """Return a home of Prefect for servers of the test's own."""
    return Path(shutil.copytree(prefect_made, tmp_path / "prefect"))


@pytest.fixture(scope="session")
def prefect(
    prefect_made: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """Return the environment in which a command finds a server instead of starting one."""
    home = tmp_path_factory.mktemp("prefect") / "home"
    with prefect_in(Path(shutil.copytree(prefect_made, home))) as told:
        yield told


@pytest.fixture(scope="session")
def built(common: Path, request: pytest.FixtureRequest) -> Built:
    """Return one refresh of the real sources, made by the installed command.

    All tests have this one: who would change it takes a copy.
    """
    folder = common / "real"
    root, told = folder / "root", folder / "told.json"
    with made_once(folder) as is_due:
        if is_due:
            env = request.getfixturevalue("prefect")
            network = network_of(folder)
            done = run_atlas("refresh", "--out", root, *network, env=env)
            told.write_text(json.dumps([vars(done), network]), encoding="utf-8")
    first, network = json.loads(told.read_text(encoding="utf-8"))
    return Built(root, subprocess.CompletedProcess(**first), tuple(network))


@pytest.fixture
def root(built: Built, tmp_path: Path) -> Path:
    """Return a copy of the built root that a test may change."""
    return Path(shutil.copytree(built.root, tmp_path / "root", symlinks=True))


@pytest.fixture(scope="module")
def site(built: Built) -> Iterator[str]:
    """Serve the real build and return its address."""
    with served(built.public) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return a Chromium for the tests of one module."""
    with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def real() -> Checked:
    """Return what the checks make of all real tables together."""
    catalog, findings = load_catalog()
    assert findings == []
    return check_sheets([Tree.read(s.folder) for s in catalog.values() if s.table])
