"""The files of ``deploy/``: read by the programs that they are for, as far as those are here."""

import configparser
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Tree, prefect_in
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.schedules import CronSchedule

from builds import ATLAS, PROJECT
from flows.cli import PREFECT_SETTINGS

DEPLOY = PROJECT / "deploy"
PREFECT = Path(sys.executable).with_name("prefect")


def test_the_timer_and_its_service_are_sound_to_systemd_and_due_at_night(tmp_path: Path) -> None:
    for name in ("atlas-refresh.service", "atlas-refresh.timer"):
        text = (DEPLOY / name).read_text(encoding="utf-8")
        text = text.replace("/opt/hau-giang-atlas/.venv/bin/atlas", str(ATLAS))
        (tmp_path / name).write_text(text.replace("User=atlas\nGroup=atlas\n", ""))
    units = [str(tmp_path / "atlas-refresh.timer"), str(tmp_path / "atlas-refresh.service")]
    told = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True)
    ours = [line for line in told.stderr.splitlines() if "atlas-refresh" in line]
    assert (told.returncode, ours) == (0, [])
    timer = configparser.ConfigParser()
    timer.read(DEPLOY / "atlas-refresh.timer")
    assert timer["Timer"]["Persistent"] == "true"
    when = ["systemd-analyze", "calendar", "--base-time=2026-11-24", timer["Timer"]["OnCalendar"]]
    told = subprocess.run(
        when, capture_output=True, text=True, check=True, env={**os.environ, "TZ": "UTC"}
    )
    assert "18:30:00 UTC" in told.stdout


def test_cron_runs_at_the_same_instant() -> None:
    lines = (DEPLOY / "atlas.cron").read_text(encoding="utf-8").splitlines()
    (line,) = [line for line in lines if not line.startswith("#")]
    assert line.split()[:6] == ["30", "18", "*", "*", "*", "atlas"]
    assert "atlas refresh --out /var/lib/hau-giang-atlas --wait" in line


def test_every_command_that_the_files_call_is_one_of_ours_with_its_options() -> None:
    service = (DEPLOY / "atlas-refresh.service").read_text(encoding="utf-8")
    container = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    called = [re.search(r"bin/atlas (.*)", service)[1].split()]  # type: ignore[index]
    called += [json.loads(told)[1:] for told in re.findall(r"CMD (\[.*\])", container)]
    assert {words[0] for words in called} == {"refresh", "heartbeat", "schedule"}
    for command, *options in called:
        told = subprocess.run([ATLAS, command, "--help"], capture_output=True, text=True)
        for option in options:
            assert not option.startswith("--") or f"{option} " in told.stdout


def test_the_container_runs_as_a_user_of_its_own_and_holds_no_secret() -> None:
    lines = (DEPLOY / "Containerfile").read_text(encoding="utf-8").splitlines()
    last = lines[len(lines) - 1 - lines[::-1].index("FROM docker.io/library/debian:12-slim") :]
    assert "USER atlas" in last
    assert not [line for line in lines if re.search(r"KEY|PASSWORD|TOKEN|SECRET", line, re.I)][1:]
    ignored = (PROJECT / ".dockerignore").read_text(encoding="utf-8").split()
    assert {".git", ".venv", "var", "editions"} <= set(ignored)


@pytest.fixture
def server(prefect_home: Path) -> Iterator[dict[str, str]]:
    with prefect_in(prefect_home, is_lasting=True) as told:
        yield told


@pytest.fixture
def client(server: dict[str, str]) -> Iterator[SyncPrefectClient]:
    """Return what asks the server again while its database is busy, as Prefect's commands do."""
    with SyncPrefectClient(server["PREFECT_API_URL"]) as asking:
        yield asking


def test_a_prefect_server_ends_with_a_parent_that_is_killed(prefect_home: Path) -> None:
    started = "with prefect_server(False) as wait: print(wait(), flush=True); time.sleep(600)"
    code = f"import time; from flows.server import prefect_server\n{started}"
    env = {**os.environ, **PREFECT_SETTINGS, "PREFECT_HOME": str(prefect_home)}
    env.pop("PREFECT_API_URL", None)
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        env=env,
        cwd=PROJECT,
        start_new_session=True,
    ) as parent:
        assert parent.stdout is not None
        assert float(parent.stdout.readline()) > 0
        parent.kill()

    def left() -> str:
        told = ["pgrep", "--session", str(parent.pid)]
        return subprocess.run(told, capture_output=True, text=True, check=False).stdout

    until = time.monotonic() + 60
    while left() and time.monotonic() < until:
        time.sleep(0.1)
    assert left() == ""


def prefect(*arguments: str, **env: str) -> str:
    done = subprocess.run(
        [PREFECT, "--no-prompt", *arguments],
        cwd=PROJECT,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prefects_file_deploys_to_a_real_server_and_a_real_worker_runs_it(
    server: dict[str, str], client: SyncPrefectClient, tree: Tree, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    named = server | {"ATLAS_PROJECT": str(PROJECT), "ATLAS_ROOT": str(root)}
    prefect("work-pool", "create", "atlas", "--type", "process", **server)
    prefect("deploy", "--all", "--prefect-file", "deploy/prefect.yaml", **named)
    told = client.read_deployment_by_name("refresh/nightly")
    (planned,) = told.schedules
    assert planned.schedule == CronSchedule(cron="30 1 * * *", timezone="Asia/Ho_Chi_Minh")
    assert told.concurrency_options is not None and told.global_concurrency_limit is not None
    assert told.concurrency_options.collision_strategy == "CANCEL_NEW"
    assert told.global_concurrency_limit.limit == 1
    assert told.parameters["order"]["root"] == str(root)
    order = {"root": str(root), "sources": str(tree.folder), "online": False}
    made = client.create_flow_run_from_deployment(told.id, parameters={"order": order})
    worker = subprocess.Popen(
        [PREFECT, "worker", "start", "--pool", "atlas", "--type", "process"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=tmp_path,
        env={**os.environ, **server},
    )
    try:
        until = time.monotonic() + 300
        state = made.state
        while state is None or not state.is_final():
            assert time.monotonic() < until, state
            time.sleep(0.3)
            state = client.read_flow_run(made.id).state
    finally:
        worker.terminate()
        worker.wait(60)
    assert state.is_completed(), state
    assert (root / "public" / "index.html").is_file()
    steps = {"collect", "check", "resolve", "join", "measure", "compare", "draw", "verify"}
    keys = {artifact.key for artifact in client.read_artifacts()}
    assert {f"step-{step}" for step in steps} | {"step-publish", "refresh-report"} <= keys
