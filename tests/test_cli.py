"""The ``atlas`` command without Prefect: what a person asks, and what it answers."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from builds import ATLAS, SOURCES, Built, run_atlas
from flows.cli import main

COMMANDS = sorted(main.commands)


def ask(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_what_it_does_with_an_example(command: str) -> None:
    told = ask(command, "--help")
    assert told.exit_code == 0
    assert f"Example: atlas {command}" in told.output


HEAVY = {"prefect", "geopandas", "pandas", "folium", "jinja2", "httpx", "uvicorn"}
TOLD = """
import sys
from click.testing import CliRunner
from flows.cli import main
CliRunner().invoke(main, sys.argv[2:])
sys.exit(", ".join(set(sys.argv[1].split()) & set(sys.modules)) or 0)
"""


@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [
        (("--help",), HEAVY),
        (("editions",), HEAVY),
        (("rollback",), HEAVY),
        (("refresh", "--help"), HEAVY),
        (("check", "--offline"), HEAVY - {"geopandas", "pandas", "httpx"}),
    ],
)
def test_a_command_loads_no_more_than_it_needs(
    tmp_path: Path, arguments: tuple[str, ...], heavy: set[str]
) -> None:
    command = [sys.executable, "-c", TOLD, " ".join(heavy), *arguments]
    where = () if "--help" in arguments else ("--out", str(tmp_path))
    told = subprocess.run([*command, *where], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (0, "")


def test_the_sources_are_listed_with_their_dates() -> None:
    told = ask("sources")
    assert told.exit_code == 0
    assert "ubnd_funding\tfile\tfunding_plan\t" in told.output


def test_a_source_that_cannot_be_read_is_told_and_the_exit_code_is_1(tmp_path: Path) -> None:
    sources = Path(shutil.copytree(SOURCES, tmp_path / "sources"))
    (sources / "ubnd_funding" / "source.toml").unlink()
    assert ask("sources", "--sources", sources).exit_code == 1


def test_check_of_the_real_sources_refuses_nothing(tmp_path: Path) -> None:
    told = ask("check", "--out", tmp_path, "--offline")
    assert told.exit_code == 0, told.output
    assert "0 source, 0 row findings" in told.output.replace("\n", " ")


def test_check_tells_a_refused_row_with_line_key_and_rule(tmp_path: Path) -> None:
    sources = Path(shutil.copytree(SOURCES, tmp_path / "sources"))
    raw = sources / "atlas_zones" / "raw.csv"
    raw.write_text(
        raw.read_text(encoding="utf-8").replace("industrial_park", "industry_park", 1),
        encoding="utf-8",
    )
    told = run_atlas("check", "--out", tmp_path, "--sources", sources, "--offline")
    assert told.returncode == 1
    assert "value_is_in_vocabulary" in told.stdout
    assert "atlas_zones line" in told.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("serve",), "run atlas refresh first"),
        (("rollback",), "no earlier edition"),
        (("rollback", "2000-01-01-0"), "there is no edition"),
        (("diff", "a", "b"), "there is no edition a, b"),
        (("check", "--mirror", "/nowhere"), "is not a folder"),
    ],
)
def test_what_cannot_be_is_refused_with_the_next_move(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    told = run_atlas(*arguments, "--out", tmp_path)
    assert told.returncode == 2
    assert said in told.stderr


def test_a_folder_that_cannot_be_written_is_said_plainly(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    told = run_atlas("refresh", "--out", blocked / "below")
    assert told.returncode == 2
    assert "give another folder with --out" in told.stderr


def test_an_unknown_source_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    told = ask("refresh", "--out", tmp_path, "--as-of", "yesterday")
    assert told.exit_code == 2
    assert "write it as" in told.output


def test_going_back_and_the_difference_between_editions(built: Built, root: Path) -> None:
    first = (root / "public").readlink().name
    second = f"{first[:11]}{'0' * 12}"
    shutil.copytree(root / "editions" / first, root / "editions" / second, symlinks=True)
    places = root / "editions" / second / "data" / "places.csv"
    places.write_text(
        places.read_text(encoding="utf-8").replace("KCN Tân Bình", "KCN Tân Bình mới"),
        encoding="utf-8",
    )
    listed = ask("editions", "--out", root).output.splitlines()
    assert [line for line in listed if line.startswith(f"* {first}") and "current" in line]
    told = ask("diff", first, second, "--out", root)
    assert told.exit_code == 1
    assert "Name (Vietnamese): KCN Tân Bình → KCN Tân Bình mới" in told.output
    assert ask("diff", first, first, "--out", root).exit_code == 0
    assert ask("rollback", second, "--out", root).output.strip() == second
    assert (root / "public").readlink().name == second


def test_editions_are_pinned_and_listed_for_machines(built: Built, root: Path) -> None:
    first = (root / "public").readlink().name
    second = f"{first[:11]}{'f' * 12}"
    copy = Path(shutil.copytree(root / "editions" / first, root / "editions" / second))
    os.utime(copy / "manifest.json", (1, 1))
    assert ask("pin", second, "--out", root).exit_code == 0
    assert ask("rollback", "--out", root).output.strip() == second
    told = json.loads(ask("editions", "--json", "--out", root).output)
    marks = [(t["edition"], t["current"], t["pinned"], t["held"]) for t in told]
    assert marks == [(second, True, True, False), (first, False, False, False)]
    assert {"as_of", "published", "bytes"} <= set(told[0])
    assert ask("unpin", second, "--out", root).exit_code == 0
    assert "pinned" not in ask("editions", "--out", root).output
    assert ask("pin", "2000-01-01-0", "--out", root).exit_code == 2


def test_the_heartbeat_tells_a_monitor_whether_the_last_run_was_well(
    built: Built, root: Path
) -> None:
    told = ask("heartbeat", "--out", root)
    assert (told.exit_code, told.output.partition(";")[0]) == (0, "well")
    told = ask("heartbeat", "--out", root, "--max-age", "0s")
    assert told.exit_code == 1
    assert "the last good run ended 0 h ago" in told.output
    assert ask("heartbeat", "--out", root, "--max-age", "soon").exit_code == 2


def test_the_edition_is_brought_to_another_folder(root: Path, tmp_path: Path) -> None:
    told = run_atlas("publish", tmp_path / "www", "--out", root)
    assert told.returncode == 0, told.stderr
    assert (tmp_path / "www" / "vi" / "map" / "index.html").is_file()
    assert run_atlas("publish", root / "public", "--out", root).returncode == 2


def test_serve_answers_on_loopback_and_stops_when_told(built: Built) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(ATLAS), "serve", "--out", str(built.root), "--port", str(port)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert f"http://127.0.0.1:{port}/" in process.stderr.readline()
        answer = _get(f"http://127.0.0.1:{port}/vi/map/index.html")
        process.send_signal(signal.SIGINT)
        process.wait(30)
    assert answer.status_code == 200
    assert "default-src" in answer.headers["content-security-policy"]


def _get(address: str) -> httpx.Response:
    transport = httpx.HTTPTransport(retries=20)
    with httpx.Client(transport=transport, timeout=30) as client:
        return client.get(address)
