"""How much sooner two workers of a Dask cluster make the parts of a refresh than one does.

A worker has one core, which it shares with its reader of files: left to itself, one alone reads on
one core while it checks on the other, of which a second one takes a part. The cores share this
machine's memory, so the same work is also done by one and by two processes that know nothing of
each other or of Dask: no cluster can gain more here. What more workers would gain is modelled from
how long each part took.
"""

import functools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from heapq import heapreplace
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click
import distributed

from bench.calls import noted
from bench.synthetic import region_of, write_region
from bench.tables import machine_with, markdown, put
from geodata.archive import sha256_of, sha256_of_file

PLACES = 100_000
MODELLED = (2, 4, 8, 16)
STEPS = {"keep_source": "check: sources", "keep_near": "join: what is near"}
HEADER = (
    *("parts of", "parts", "no cluster, one core, s", "one worker, s", "two workers, s"),
    *("two against one", "without Dask", *(f"modelled, {count} workers" for count in MODELLED)),
)
LOADED = ("flows.cluster", "flows.steps")
"""What workers that stand ready have loaded."""

Spent = dict[str, float]


@dataclass
class Parts:
    """How long each part took on one machine, alone, and all of them on one and two workers."""

    each: dict[str, list[float]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    made: dict[int, Spent] = field(default_factory=dict)

    def note_one(self, name: str, _: tuple[Any, ...], seconds: float) -> None:
        """Note how long one part took."""
        self.each.setdefault(name, []).append(seconds)

    def note_all(self, workers: int, _: str, asked: tuple[Any, ...], seconds: float) -> None:
        """Note how long so many workers took to make the parts they were asked for."""
        _, make, parts = asked
        self.counts[make.__name__] = len(parts)
        self.made.setdefault(workers, {})[make.__name__] = seconds


@contextmanager
def on_one_core(core: int) -> Iterator[None]:
    """Let this thread, and all that it starts, use one core only; one after the other by number."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(before)[core % len(before)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[str]:
    """Start a scheduler, and workers of one core each, on loopback; end them by their ids."""
    address = folder / "scheduler.json"
    with ExitStack() as started:
        found: tuple[object, ...] = ("--scheduler-file", address)
        started.enter_context(dask_program("scheduler", "--host", "127.0.0.1", "--port", 0, *found))
        while not address.is_file():
            time.sleep(0.1)
        asked = ("--nthreads", 1, "--no-nanny", "--local-directory", folder, *found)
        for core in range(workers):
            with on_one_core(core):
                started.enter_context(dask_program("worker", *asked))
        scheduler = str(json.loads(address.read_text(encoding="utf-8"))["address"])
        with distributed.Client(scheduler, set_as_default=False) as client:
            client.wait_for_workers(workers)
            for name in LOADED:
                client.run(import_module, name)
        yield scheduler


@contextmanager
def dask_program(*arguments: object, **env: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start one of Dask's programs, and end it by its id."""
    dask = Path(sys.executable).with_name("dask")
    with subprocess.Popen(
        [str(dask), *map(str, arguments), "--no-dashboard"],
        env={**os.environ, **env},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as started:
        try:
            yield started
        finally:
            started.kill()


def carry_out(order: Any) -> str:
    """Carry out a refresh up to its join; return the checksum of all that it leaves."""
    from flows import intake, steps
    from flows.work import notes_taken

    order.work.mkdir(parents=True)
    steps.join(order, steps.resolve_claims(order, intake.check(order, intake.collect(order))))
    if notes := notes_taken(order):
        raise click.ClickException("; ".join(notes))
    left = sorted(order.work.rglob("*.parquet"))
    told = [f"{path.relative_to(order.work)} {sha256_of_file(path)}" for path in left]
    return sha256_of("\n".join(told).encode())


def measure(folder: Path, places: int) -> tuple[Parts, float]:
    """Return how long parts take, and by how much two processes without Dask are quicker."""
    from flows import cluster as dask
    from flows import intake, near
    from flows.order import Order

    parts, left = Parts(), set()
    region = region_of(write_region(folder / "sources", places))
    alone = Order(root=folder / "alone", region=region, online=False)

    with (
        on_one_core(0),
        noted(intake, "_read_one", parts.note_one),
        noted(near, "keep_near", parts.note_one),
    ):
        left.add(carry_out(alone))
    parts.each["keep_source"] = parts.each.pop("_read_one")
    ratio = without_dask(alone)
    for count in (1, 2):
        note = functools.partial(parts.note_all, count)
        (folder / str(count)).mkdir()
        with (
            cluster(folder / str(count), count) as address,
            noted(dask, "make_parts", note),
        ):
            settings = {"root": folder / f"with-{count}", "cluster": address}
            left.add(carry_out(alone.model_copy(update=settings)))
    if len(left) != 1:
        raise click.ClickException("what the workers left is not what one machine left")
    return parts, ratio


def without_dask(order: Any) -> float:
    """Ask what is near by one process and by two at once; return how much quicker two are."""
    told = order.model_dump_json()
    seconds = []
    for count in (1, 2):
        with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as processes:
            shares = [processes.submit(ask, told, number, count) for number in range(count)]
            seconds.append(max(share.result() for share in shares))
    one, two = seconds
    return one / two


def ask(told: str, number: int, count: int) -> float:
    """Ask for every ``count``-th part from ``number`` on; return the seconds, without reading."""
    from flows.near import _checksum, _read
    from flows.order import Order

    order = Order.model_validate_json(told)
    with on_one_core(number):
        search, cut = _read(order.work, _checksum(order.work), order.part_rows)
        search.nearest(cut[0][:1])  # the trees are planted now
        begun = time.perf_counter()
        for part in cut[number::count]:
            search.nearest(part)
        return time.perf_counter() - begun


def makespan(seconds: Sequence[float], workers: int) -> float:
    """Return when the last of ``workers`` is done, if each takes the next part when it is free."""
    free: list[float] = [0.0] * workers
    for one in seconds:
        heapreplace(free, free[0] + one)
    return max(free)


def rows_of(parts: Parts, ratio: float) -> Iterator[list[str]]:
    """Yield the table's rows, and their sum."""
    sums = [0.0] * (3 + len(MODELLED))
    for name, title in STEPS.items():
        each = sorted(parts.each[name], reverse=True)[: parts.counts[name]]
        one, two = (parts.made[count][name] for count in (1, 2))
        around = max(0.0, one - sum(each))  # what is not in any part: to look at workers, to wait
        told = [sum(each), one, two, *(around + makespan(each, n) for n in MODELLED)]
        sums = [a + b for a, b in zip(sums, told, strict=True)]
        yield _row(title, str(len(each)), told, f"{ratio:.2f}" if name == "keep_near" else "–")
    yield _row("both", "", sums, "")


def _row(title: str, count: str, told: Sequence[float], ratio: str) -> list[str]:
    alone, one, two, *modelled = told
    seconds = [f"{alone:.1f}", f"{one:.1f}", f"{two:.1f}"]
    return [
        title,
        count,
        *seconds,
        f"{one / two:.2f}",
        ratio,
        *(f"{one / m:.2f}" for m in modelled),
    ]


@click.command()
@click.option("--places", type=click.IntRange(min=50_000), default=PLACES, show_default=True)
def main(places: int) -> None:
    """Measure one and two workers, and write the table into README.md."""
    from flows.cli import PREFECT_SETTINGS
    from flows.server import prefect_server

    for name, value in PREFECT_SETTINGS.items():
        os.environ.setdefault(name, value)
    with tempfile.TemporaryDirectory(prefix="atlas-cluster-") as name:
        os.environ["PREFECT_HOME"] = str(Path(name) / "prefect")
        (Path(name) / "prefect").mkdir()
        with prefect_server(is_lasting=False) as await_server:
            await_server()
            rows = list(rows_of(*measure(Path(name), places)))
    for row in rows:
        click.echo(" | ".join(row))
    told = machine_with("geopandas", "dask")
    put("cluster", f"{markdown(HEADER, rows)}\n{places:,} places. {told}")


if __name__ == "__main__":
    main()
