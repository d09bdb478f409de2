"""The whole run through Prefect, as a person starts it."""

import datetime
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import openpyxl
import pytest
from conftest import Tree

from atlas.editions import Shop, read_manifest
from builds import ATLAS, SOURCES, Built, digests, run_atlas
from flows.heartbeat import read_beat, write_beat
from flows.inbox import take
from flows.intake import collect
from flows.order import Order
from flows.run import carry_out
from geodata.archive import Archive, sha256_of
from geodata.inbox import taken
from planners import fill, results, sign


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """Return a copy of the real sources that a test may break."""
    return Path(shutil.copytree(SOURCES, tmp_path / "sources"))


def test_a_refresh_publishes_and_says_what_it_did(built: Built) -> None:
    assert built.first.returncode == 0, built.first.stderr
    assert (built.root / "public").is_symlink()
    for told in ("collect", "publish", "layers missing", "look at it: "):
        assert told in built.first.stdout


def test_the_status_names_edition_sources_counts_and_durations(built: Built) -> None:
    status = json.loads((built.root / "public" / "status.json").read_text(encoding="utf-8"))
    assert status["edition"] == (built.root / "public").readlink().name
    assert status["as_of"] == "2026-11-22"
    assert status["counts"]["places"] > 30
    assert {"collect", "check", "draw", "publish"} <= set(status["duration_s"])
    assert {s["state"] for s in status["sources"]} <= {"fresh", "missing"}


def test_an_address_for_corrections_that_is_none_is_refused_at_once(tmp_path: Path) -> None:
    done = run_atlas("refresh", "--out", tmp_path, env={"ATLAS_CONTACT": "nobody?cc=x@y"})
    assert done.returncode == 2
    assert "is no mail address" in done.stderr


def test_a_second_refresh_changes_nothing(
    root: Path, built: Built, prefect: dict[str, str]
) -> None:
    before = digests(root / "editions")
    again = run_atlas("refresh", "--out", root, *built.network, env=prefect)
    assert again.returncode == 0, again.stderr
    assert "unchanged" in again.stdout
    assert digests(root / "editions") == before


def test_two_refreshes_of_the_same_inputs_have_the_same_bytes(
    built: Built, prefect: dict[str, str], tmp_path: Path
) -> None:
    elsewhere = {"TZ": "America/Lima", "PYTHONHASHSEED": "7", "LANG": "vi_VN.UTF-8"}
    again = run_atlas("refresh", "--out", tmp_path, *built.network, env=prefect | elsewhere)
    assert again.returncode == 0, again.stderr
    assert digests(tmp_path / "editions") == digests(built.root / "editions")


def test_without_network_and_mirror_it_builds_and_names_the_missing_layers(
    prefect: dict[str, str], tmp_path: Path
) -> None:
    done = run_atlas("refresh", "--out", tmp_path, "--offline", env=prefect)
    assert done.returncode == 0, done.stderr
    status = json.loads((tmp_path / "public" / "status.json").read_text(encoding="utf-8"))
    assert status["missing_layers"] == ["osm_waterways", "tlq_commune_boundaries"]
    assert "osm_waterways" in done.stdout
    assert not (tmp_path / "public" / "data" / "communes.geojson").exists()


def test_with_a_mirror_it_has_all_communes_and_the_waterways(built: Built) -> None:
    data = built.root / "public" / "data"
    communes = json.loads((data / "communes.geojson").read_text(encoding="utf-8"))
    routes = json.loads((data / "routes.geojson").read_text(encoding="utf-8"))
    methods = {f["id"]: f["properties"]["method"] for f in routes["features"]}
    assert len(communes["features"]) == 28
    assert methods["canal-cai-con"] == methods["canal-qlph"] == "osm"
    assert methods["canal-xa-no"] == "schematic"


def test_a_broken_source_is_refused_whole_and_the_last_edition_stays(
    root: Path, sources: Path, prefect: dict[str, str]
) -> None:
    edition = (root / "public").readlink()
    broken = sources / "ubnd_funding" / "raw.csv"
    broken.write_text(
        broken.read_text(encoding="utf-8").replace("14678.262", "14678.263"), encoding="utf-8"
    )
    done = run_atlas("refresh", "--out", root, "--sources", sources, "--offline", env=prefect)
    assert done.returncode == 3
    for told in ("ubnd_funding", "file_is_as_described", "sums_close"):
        assert told in done.stderr
    assert (root / "public").readlink() == edition
    status = json.loads((root / "public" / "status.json").read_text(encoding="utf-8"))
    assert status["run"] == "refused"
    assert "ubnd_funding" in status["why"]


def test_a_killed_refresh_leaves_the_edition_and_the_next_one_runs(
    root: Path, built: Built, prefect: dict[str, str]
) -> None:
    edition = (root / "public").readlink()
    command = ("refresh", "--out", root, "--as-of", "2026-12-31", *built.network)
    work = root / "var" / "work"
    shutil.rmtree(work)
    with started(*command, env=prefect) as process:
        while process.poll() is None and not (work / "tables").is_dir():
            time.sleep(0.05)
        assert process.poll() is None
    assert (root / "public").readlink() == edition
    again = run_atlas(*command, env=prefect)
    assert again.returncode == 0, again.stderr
    assert (root / "public").readlink().name.startswith("2026-12-31-")


def test_workbooks_go_round_from_the_template_to_the_page_and_the_answer(
    root: Path, built: Built, prefect: dict[str, str], tmp_path: Path
) -> None:
    folder, template = tmp_path / "inbox", tmp_path / "t.xlsx"
    made = run_atlas("template", "--root", root, "--out", template, "--agency", "bql-kcn")
    assert made.returncode == 0, made.stderr
    folder.mkdir()
    park, day = "kcn-tan-phu-thanh-1", datetime.date(2026, 9, 30)
    cells = {"subject_id": park, "measure": "Tỷ lệ lấp đầy", "as_of": day}
    handed_in = {
        "bql.xlsx": ("Ban Quản lý các Khu công nghiệp tỉnh", [97.25, "chín mươi"]),
        "sct.xlsx": ("so-cong-thuong", ["91,5"]),
    }
    for name, (agency, figures) in handed_in.items():
        book = openpyxl.load_workbook(template)
        sign(book, "Nguyễn Văn An", agency, datetime.date(2026, 11, 20))
        phases = ({"value": value, "phase": str(n or "")} for n, value in enumerate(figures))
        fill(book, {"occupancy": [cells | told for told in phases]})
        book.save(folder / name)
    done = run_atlas("refresh", "--out", root, "--inbox", folder, *built.network, env=prefect)
    assert done.returncode == 0, done.stderr
    assert "bql.xlsx: 2 rows: 1 accepted, 1 refused" in done.stderr
    public = root / "public"
    page = (public / "vi" / "places" / park / "index.html").read_text(encoding="utf-8")
    for told in ("97,25%", "91,5%", "Sổ số liệu của Ban Quản lý các Khu công nghiệp tỉnh, nộp ngày",
                 "Trang “Lấp đầy”, ô F14", "số liệu khác nhau"):  # fmt: skip
        assert told in page
    track = (public / "en" / "track" / "index.html").read_text(encoding="utf-8")
    assert "Agencies that hand in workbooks say the same of one thing" in track
    status = json.loads((public / "status.json").read_text(encoding="utf-8"))
    assert [(w["name"], w["accepted"], w["refused"]) for w in status["inbox"]["workbooks"]] == [
        ("bql.xlsx", 1, 1),
        ("sct.xlsx", 1, 0),
    ]
    assert "chín mươi" in (public / "data" / "quarantine.csv").read_text(encoding="utf-8")
    answer = openpyxl.load_workbook(folder / "bql.answer.xlsx")
    assert list(results(answer, "occupancy").values())[-1].startswith("Chưa nhận. Giá trị: ")
    order = Order(root=root, inbox=folder, online=False)
    collect(order)
    take(order)
    assert len(taken(Archive(order.archive))) == 2


THREE_NIGHTS = datetime.timedelta(days=3)
KILLS_THE_SERVER = """#!/bin/sh
kill -9 $(pgrep -P $PPID -f 'flows.server')
"""


@contextmanager
def started(
    *arguments: object, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Start the installed command in a session of its own, of which nothing is left."""
    with subprocess.Popen(
        [str(ATLAS), *map(str, arguments)],
        start_new_session=True,
        env={**os.environ, **(env or {})},
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def until_true(
    is_so: Callable[[], object], seconds: float, *running: subprocess.Popen[bytes]
) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until
        assert [process.poll() for process in running] == [None] * len(running)
        time.sleep(0.2)


def reports_of(var: Path) -> list[str]:
    """Return how the runs ended, in their order."""
    paths = sorted((var / "runs").glob("*/report.json"))
    return [json.loads(path.read_text(encoding="utf-8"))["run"] for path in paths]


def led_to(root: Path) -> list[str]:
    """Return the published editions that lead to the current one, the first first; all whole."""
    shop, entries = Shop(root), Archive(root / "var" / "archive").entries("editions")
    previous = {entry["edition"]: entry["previous"] for entry in entries}
    way = [shop.current()]
    while previous[way[-1]]:
        way.append(previous[way[-1]])
    for edition in way:
        folder = shop.editions / edition
        for name, told in read_manifest(folder)["files"].items():
            assert sha256_of((folder / name).read_bytes()) == told["sha256"], name
    return way[::-1]


def test_a_run_that_published_has_ended_well_whatever_becomes_of_prefects_server(
    tree: Tree, prefect_home: Path, tmp_path: Path
) -> None:
    hook = tmp_path / "hook.sh"
    hook.write_text(KILLS_THE_SERVER, encoding="utf-8")
    hook.chmod(0o755)
    env = {"ATLAS_ON_SUCCESS": str(hook), "PREFECT_CLIENT_MAX_RETRIES": "0"}
    env |= {"PREFECT_HOME": str(prefect_home)}
    asked = ("--out", tmp_path / "root", "--sources", tree.folder, "--offline")
    done = run_atlas("refresh", *asked, env=env)
    assert done.returncode == 0, done.stderr
    assert "published: edition 2026-01-05-" in done.stdout
    assert "Prefect has not got the end of the run: " in done.stderr
    assert "Traceback" not in done.stderr


def test_two_refreshes_started_together_make_one_edition_each_in_order(
    tree: Tree, tmp_path: Path
) -> None:
    root, days = tmp_path / "root", ("2026-02-01", "2026-02-02")
    asked = ("--out", root, "--sources", tree.folder, "--offline", "--wait")
    first, second = (("refresh", *asked, "--as-of", day) for day in days)
    with started(*first) as one, started(*second) as other:
        assert [process.wait(300) for process in (one, other)] == [0, 0]
    assert sorted(edition[:10] for edition in led_to(root)) == list(days)
    assert Shop(root).listed() == led_to(root)


def test_a_schedule_catches_up_missed_nights_once_and_waits_for_a_run_that_goes_on(
    tree: Tree, prefect_home: Path, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    var, asked = root / "var", ("--out", root, "--sources", tree.folder, "--offline")
    var.mkdir(parents=True)
    env = {"PREFECT_HOME": str(prefect_home)}
    then = {"began": (datetime.datetime.now(datetime.UTC) - THREE_NIGHTS).isoformat()}
    write_beat(var, state="published", last_ended={**then, "run": "before it slept"})
    with started("schedule", *asked, "--cron", "* * * * *", env=env) as schedule:
        until_true(lambda: len(reports_of(var)) >= 2, 420, schedule)
        told = reports_of(var)
        assert told == ["published", "unchanged"]
        assert read_beat(var)["next_due"]

        def goes_on(_: str) -> None:
            """Stay in the run until the scheduled one stands behind it."""
            queue = var / "queue"
            until_true(lambda: len(list(queue.glob("*.ticket"))) > 1, 300, schedule)
            assert Shop(root).current().startswith("2026-02-01")

        other = {"as_of": datetime.date(2026, 2, 1), "online": False, "wait_s": None}
        carry_out(Order(root=root, sources=tree.folder, **other), tell=goes_on)
        until_true(lambda: Shop(root).current().startswith("2026-01-05"), 240, schedule)
        until_true(lambda: len(reports_of(var)) >= len(told) + 2, 240, schedule)
        schedule.send_signal(signal.SIGINT)
        schedule.wait(60)
    assert [edition[:10] for edition in led_to(root)] == ["2026-01-05", "2026-02-01", "2026-01-05"]
    assert reports_of(var).count("published") == 3
    left = ["pgrep", "--session", str(schedule.pid)]
    assert subprocess.run(left, capture_output=True, text=True, check=False).stdout == ""
