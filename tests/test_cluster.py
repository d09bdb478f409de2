"""A real scheduler and real workers on loopback: no byte is another, and nothing is lost."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import distributed
import pandas as pd
import pytest
from click.testing import CliRunner
from conftest import Tree

from atlas.editions import read_manifest
from bench.cluster import dask_program
from bench.synthetic import region_of, write_region
from builds import PROJECT, run_atlas
from flows import cluster
from flows.cli import main
from flows.order import Order
from flows.run import carry_out
from geodata.errors import UsageError

PLACES, PART, BYTES = 2_000, 300, 1_000_000
"""So many that one file is read apart, and places are asked in several parts."""

STALLING, OUTDATED = (Path(__file__).with_name(f"{name}.py") for name in ("stalling", "outdated"))

REFRESH = """
import json, sys
from atlas.nearest import Search
from flows.order import Order
from flows.refresh import refresh_once
from geodata.reader import Reader
Search.nearest = Reader._ask = None
print(json.dumps(refresh_once(Order.model_validate_json(sys.argv[1])).notes))
"""

SEARCH = """
import shutil, sys
from pathlib import Path
import pandas as pd
from atlas.placed import FRAME, Positions
from flows import cluster
from flows.near import ASKED, find_near
from flows.order import Order
from flows.work import notes_taken
cluster.ALONE_S = 6
order = Order.model_validate_json(sys.argv[1])
for path in Path(sys.argv[2]).glob("positions*"):
    shutil.copy(path, order.work)
asked = pd.read_parquet(Path(sys.argv[2]) / ASKED)
positions = Positions.read(order.work / FRAME)
found, _ = find_near(order, positions, dict(zip(asked.subject_id, asked.kind)))
found.to_parquet(order.work / "access.parquet", index=False)
print(*notes_taken(order), sep="\\n")
"""


def await_file(path: Path, *running: subprocess.Popen[Any]) -> None:
    until = time.monotonic() + 120
    while not path.is_file():
        assert time.monotonic() < until
        assert [one.poll() for one in running] == [None] * len(running)
        time.sleep(0.05)


@contextmanager
def scheduling(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    told = folder / "scheduler.json"
    asked = ("--host", "127.0.0.1", "--port", 0, "--scheduler-file", told)
    with dask_program("scheduler", *asked) as started:
        await_file(told, started)
        yield started, str(json.loads(told.read_text(encoding="utf-8"))["address"])


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with scheduling(tmp_path_factory.mktemp("scheduler")) as (_, address):
        yield address


@contextmanager
def worker(
    scheduler: str, folder: Path, *more: object, **env: str
) -> Iterator[subprocess.Popen[bytes]]:
    asked = ("--nthreads", 1, "--no-nanny", "--local-directory", folder)
    with dask_program("worker", scheduler, *asked, *more, **env) as started:
        yield started


@pytest.fixture(scope="module")
def order(tmp_path_factory: pytest.TempPathFactory) -> Order:
    """A made-up region, all of it tiled, as one machine refreshes it."""
    folder = tmp_path_factory.mktemp("region")
    region = region_of(write_region(folder / "sources", PLACES))
    return Order(
        root=folder / "alone",
        region=region,
        online=False,
        tile_over=1,
        part_rows=PART,
        part_bytes=BYTES,
    )


@pytest.fixture(scope="module")
def alone(order: Order) -> dict[str, object]:
    """The manifest of the edition that one machine makes, in one part."""
    assert carry_out(order.model_copy(update={"part_rows": 10**9})).state == "published"
    return read_manifest(order.root / "public")


@contextmanager
def refreshing(order: Order, env: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    """Refresh in a process that can make no part itself, and tell its notes."""
    order.var.mkdir(parents=True)
    with subprocess.Popen(
        [sys.executable, "-c", REFRESH, order.model_dump_json()],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **env},
        cwd=PROJECT,
    ) as started:
        yield started


def notes(process: "subprocess.Popen[str]") -> list[str]:
    told, _ = process.communicate()
    assert process.returncode == 0
    return list(json.loads(told))


def test_a_worker_killed_in_the_middle_of_a_part_loses_nothing_and_no_byte_is_another(
    order: Order, alone: object, scheduler: str, prefect: dict[str, str], tmp_path: Path
) -> None:
    stalled, preload = tmp_path / "stalled", ("--preload", STALLING)
    helped = order.model_copy(update={"root": tmp_path / "root", "cluster": scheduler})
    with (
        worker(scheduler, tmp_path / "a"),
        worker(scheduler, tmp_path / "b", *preload, STALLED=str(stalled)) as killed,
        refreshing(helped, prefect) as run,
    ):
        await_file(stalled, run, killed)
        killed.kill()
        assert notes(run) == []
    assert len(list((helped.var / "near").iterdir())) > PLACES // PART - 2
    assert read_manifest(helped.root / "public") == alone


DEATHS = {"worker": "parts of keep_near: no worker is left", "scheduler": "the cluster at "}


@pytest.mark.parametrize("dies", DEATHS)
def test_where_the_only_worker_or_the_scheduler_dies_the_run_makes_the_rest_itself(
    order: Order, alone: object, prefect: dict[str, str], tmp_path: Path, dies: str
) -> None:
    stalled, preload = tmp_path / "stalled", ("--preload", STALLING)
    with (
        scheduling(tmp_path) as (of_cluster, address),
        worker(address, tmp_path / "a", *preload, STALLED=str(stalled)) as only,
    ):
        helped = order.model_copy(update={"root": tmp_path / "root", "cluster": address})
        helped.work.mkdir(parents=True)
        with subprocess.Popen(
            [sys.executable, "-c", SEARCH, helped.model_dump_json(), order.work],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **prefect},
            cwd=PROJECT,
        ) as run:
            await_file(stalled, run, only)
            {"worker": only, "scheduler": of_cluster}[dies].kill()
            notes, _ = run.communicate()
    assert run.returncode == 0
    assert DEATHS[dies] in notes
    found, whole = (pd.read_parquet(one.work / "access.parquet") for one in (helped, order))
    pd.testing.assert_frame_equal(found, whole)


@pytest.mark.parametrize(("parts", "ahead"), [(6, 1), (40, 3)])
def test_a_part_waits_behind_another_only_where_there_are_many(
    tmp_path: Path, parts: int, ahead: int
) -> None:
    asked: list[distributed.Future] = []
    not_done: list[int] = []
    with ExitStack() as open_now:
        _, address = open_now.enter_context(scheduling(tmp_path))
        for name in ("a", "b"):
            open_now.enter_context(worker(address, tmp_path / name))
        client = open_now.enter_context(distributed.Client(address, set_as_default=False))
        client.wait_for_workers(2, timeout=60)

        def make(part: int) -> int:
            time.sleep(0.1)
            return part

        def ask(part: int) -> distributed.Future:
            not_done.append(sum(not future.done() for future in asked))
            asked.append(client.submit(make, part))
            return asked[-1]

        made = cluster._in_turn(client, ask, range(parts))
        assert client.gather(made) == list(range(parts))
    assert max(not_done) == ahead


def test_without_its_cluster_a_run_goes_on_alone_and_says_what_to_do(
    tree: Tree, prefect: dict[str, str], tmp_path: Path
) -> None:
    asked = ("--out", tmp_path, "--sources", tree.folder, "--offline")
    nobody = "tcp://127.0.0.1:1"
    done = run_atlas("refresh", *asked, env={**prefect, "ATLAS_CLUSTER": nobody})
    assert done.returncode == 0, done.stderr
    for told in (nobody, "published: edition 2026-01-05-", "this machine makes the parts itself"):
        assert told in done.stdout
    (note,) = json.loads((tmp_path / "public" / "status.json").read_text(encoding="utf-8"))["notes"]
    assert nobody in note


def test_a_worker_with_other_code_or_without_the_folder_is_not_used_and_named(
    order: Order, scheduler: str, tmp_path: Path
) -> None:
    helped = order.model_copy(update={"root": tmp_path, "cluster": scheduler})
    helped.var.mkdir()
    with ExitStack() as open_now:
        client = open_now.enter_context(distributed.Client(scheduler, set_as_default=False))
        before = set(client.scheduler_info(n_workers=-1)["workers"])
        open_now.enter_context(worker(scheduler, tmp_path / "d", "--preload", OUTDATED))
        client.wait_for_workers(len(before) + 1, timeout=60)
        told = list(cluster._unfit(client, helped))
    assert [one for one in told if "code: 0ld, needed " in one] == told[-1:]


def test_a_worker_that_comes_late_makes_nothing_with_other_code(order: Order) -> None:
    made: list[int] = []
    told = cluster.told_of_here() | {"shapely": "1.0"}
    with pytest.raises(UsageError, match=r"shapely: 2[.0-9]*, needed 1\.0"):
        cluster.make_part(order, lambda _, part: made.append(part), 1, told)
    cluster.make_part(order, lambda _, part: made.append(part), 2, cluster.told_of_here())
    assert made == [2]


def test_a_run_without_a_cluster_loads_nothing_of_dask() -> None:
    asks = "import flows.refresh, flows.steps, sys; sys.exit('dask' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asks], check=False, cwd=PROJECT).returncode == 0


def test_the_command_that_a_refusal_names_asks_for_the_cluster_again(order: Order) -> None:
    told = order.model_copy(update={"cluster": "tls://atlas.example:8786"}).command()
    assert "--cluster tls://atlas.example:8786" in told
    assert "--cluster" not in order.command()


def test_what_is_no_address_of_a_scheduler_is_refused_at_once() -> None:
    told = CliRunner().invoke(main, ["refresh", "--cluster", "10.0.0.5"])
    assert told.exit_code == 2
    assert "write it as tcp://" in told.output
