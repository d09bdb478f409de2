"""A refresh of made-up regions of several sizes, beside bare library calls: time and memory.

Each is run in a process of its own, so that neither warms the other's libraries and each step's
peak of memory is its own. Two run at a time, each with a core, the largest first. When all are
done, the maps that were made are drawn in Chromium, with nothing beside.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click

from bench.calls import noted
from bench.synthetic import region_of, write_region
from bench.tables import PROJECT, machine, machine_with, markdown, put

SIZES = (100, 1_000, 10_000, 100_000, 1_000_000)
AT_ONCE = 2
OURS, BARE = "the atlas", "bare calls"
MEGABYTE = 1_000_000
SHARED = {
    "read and check": ("collect", "check"),
    "resolve": ("resolve",),
    "join": ("join",),
    "measure": ("measure",),
    "publish": ("compare", "draw", "verify", "publish"),
}
"""Each of the bare steps, and those of ours that do its work and more."""

UNCHANGED = "unchanged night"
TILES = "tiles"
ASIDE = (UNCHANGED, TILES)
"""What is told beside the steps and not added to them."""

TILES_HEADER = ("places", "tiles, s", "of a full refresh, %")
HEADER = (
    *("places", "step", "the atlas, s", "bare calls, s", "time, ratio"),
    *("the atlas, MB", "bare calls, MB", "memory, ratio"),
)
Spent = dict[str, tuple[float, float]]
"""Seconds and peak megabytes of each step."""


@contextmanager
def timed(spent: Spent, name: str) -> Iterator[None]:
    """Note a step's seconds and its own peak of memory."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak starts anew
    begun = time.perf_counter()
    yield
    seconds = time.perf_counter() - begun
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak_kb = next(int(line.split()[1]) for line in status.splitlines() if "VmHWM" in line)
    spent[name] = (seconds, peak_kb * 1024 / MEGABYTE)


def run_ours(sources: Path, root: Path) -> Spent:
    """Refresh once from nothing, and once more with nothing changed."""
    from atlas import bigmap
    from flows.order import Order
    from flows.run import carry_out, plainly

    spent: Spent = {}
    order = Order(root=root, region=region_of(sources), online=False)

    def step(done, /, *args, **kwargs):  # type: ignore[no-untyped-def]
        name = done.__name__.partition("_")[0]
        with timed(spent, name):
            return plainly(done, *args, **kwargs)

    def tiled(_name: str, _asked: object, seconds: float) -> None:
        spent[TILES] = (spent.get(TILES, (0.0, 0.0))[0] + seconds, 0.0)

    with noted(bigmap, "write_archive", tiled):
        carry_out(order, do=step)
    with timed(spent, UNCHANGED):
        state = carry_out(order).state
    if state != "unchanged":
        raise ValueError(f"the second night is {state}")
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / MEGABYTE
    check_s, check_mb = spent["check"]
    spent["check"] = (check_s, max(check_mb, children))  # what reads files is a process of its own
    return spent


def run_bare(sources: Path, root: Path) -> Spent:
    """Do the same work by library calls."""
    from bench import bare

    spent: Spent = {}
    bare.run(sources, root, lambda name: timed(spent, name))
    return spent


def measure(kind: str, sources: Path, root: Path) -> Spent:
    """Measure one of the two in a process of its own."""
    first = "import flows; " if kind == OURS else ""  # as the command does: before any library
    code = "import sys; from bench.sizes import child; child({!r}, sys.argv[1], sys.argv[2])"
    done = subprocess.run(
        [sys.executable, "-c", first + code.format(kind), str(sources), str(root)],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return {name: tuple(told) for name, told in json.loads(done.stdout.splitlines()[-1]).items()}


def measured(sizes: Iterable[int], folder: Path) -> Iterator[tuple[int, tuple[Spent, Spent]]]:
    """Measure ours and the bare calls at each size; yield both when both are done.

    Ours leaves its root, and its sources, in a folder named by the size below ``folder``.
    """
    largest = sorted(sizes, reverse=True)
    homes = {size: folder / str(size) for size in largest}
    for size, home in homes.items():
        write_region(home / "sources", size)
    with ThreadPoolExecutor(min(AT_ONCE, os.cpu_count() or 1)) as pool:
        jobs = {
            (size, kind): pool.submit(_one, size, kind, homes[size])
            for size in largest
            for kind in (BARE, OURS)
        }
        for size in largest:
            yield size, (jobs[size, OURS].result(), jobs[size, BARE].result())


def _one(size: int, kind: str, home: Path) -> Spent:
    told = f"{size:,} places, {kind}"
    click.echo(f"{told} …", err=True)
    spent = measure(kind, home / "sources", home / ("root" if kind == OURS else "bare"))
    click.echo(f"{told}: {_whole(spent)[0]:.1f} s", err=True)
    return spent


def child(kind: str, sources: str, root: str) -> None:
    """Run one of the two and print what was spent."""
    run = run_ours if kind == OURS else run_bare
    sys.stdout.write(json.dumps(run(Path(sources), Path(root))) + "\n")


def rows_of(size: int, ours: Spent, bare: Spent) -> Iterator[list[str]]:
    """Yield the table's rows for one size, and their sum."""
    for name, mine in SHARED.items():
        seconds = sum(ours[one][0] for one in mine)
        peak = max(ours[one][1] for one in mine)
        yield _row(size, name, (seconds, peak), bare[name])
    yield _row(size, "all", _whole(ours), _whole(bare))


def _whole(spent: Spent) -> tuple[float, float]:
    told = [told for name, told in spent.items() if name not in ASIDE]
    return sum(seconds for seconds, _ in told), max(peak for _, peak in told)


def _row(size: int, name: str, mine: tuple[float, float], theirs: tuple[float, float]) -> list[str]:
    return [
        f"{size:,}",
        name,
        *(f"{mine[0]:.1f}", f"{theirs[0]:.1f}", f"{mine[0] / theirs[0]:.2f}"),
        *(f"{mine[1]:.0f}", f"{theirs[1]:.0f}", f"{mine[1] / theirs[1]:.2f}"),
    ]


def growth(found: dict[int, tuple[Spent, Spent]]) -> Iterator[list[str]]:
    """Yield for each size what a place costs, against the size before, and an unchanged night."""
    before = 0.0
    for size, (ours, _) in found.items():
        seconds = _whole(ours)[0]
        a_place = seconds / size * 1_000
        share = 100 * ours[UNCHANGED][0] / seconds
        grown = f"{a_place / before:.2f}" if before else "–"
        yield [f"{size:,}", f"{seconds:.1f}", f"{a_place:.2f}", grown, f"{share:.1f}"]
        before = a_place


def tiles(found: dict[int, tuple[Spent, Spent]]) -> Iterator[list[str]]:
    """Yield how long the vector tiles took, for each size that has any."""
    for size, (ours, _) in found.items():
        if TILES in ours:
            seconds = ours[TILES][0]
            share = 100 * seconds / _whole(ours)[0]
            yield [f"{size:,}", f"{seconds:.1f}", f"{share:.0f}"]


def table(found: dict[int, tuple[Spent, Spent]]) -> str:
    """Return what was found, step by step and size by size, with the machine it was found on."""
    steps = markdown(HEADER, [row for size in found for row in rows_of(size, *found[size])])
    header = ("places", "full refresh, s", "ms a place", "against the size before", "unchanged, %")
    return f"{steps}\n{markdown(header, growth(found))}\n{machine_with('geopandas', 'pandas')}"


@click.command()
@click.option("--sizes", default="", help="Places, joined by commas (default: all five sizes).")
@click.option("--json", "told_to", type=click.Path(path_type=Path), help="Write the numbers here.")
def main(sizes: str, told_to: Path | None) -> None:
    """Measure and draw each size, and write the four tables into README.md."""
    from bench import drawn  # not above: the bare calls' process would hold its libraries

    asked = sorted(int(size) for size in sizes.split(",")) if sizes else SIZES
    found: dict[int, tuple[Spent, Spent]] = {}
    views: dict[int, dict[str, drawn.Drawn]] = {}
    rows: list[list[str]] = []
    with tempfile.TemporaryDirectory(prefix="atlas-bench-") as name:
        folder = Path(name)
        for size, both in measured(asked, folder):
            found = {size: both, **found}
            click.echo("\n".join(" | ".join(cells) for cells in rows_of(size, *both)))
        put("sizes", table(found))
        put("tiles", f"{markdown(TILES_HEADER, tiles(found))}\n{machine_with('tylertoo')}")
        for size in asked:
            home = folder / str(size)
            views[size] = drawn.measure(size, home / "root" / "public", home / "sources")
            told_of = [drawn.row(size, view, one) for view, one in views[size].items()]
            click.echo("\n".join(" | ".join(cells) for cells in told_of))
            rows += told_of
    put("drawn", f"{markdown(drawn.HEADER, rows)}\n{machine('Chromium')}")
    if told_to:
        seen = {size: {view: asdict(one) for view, one in views[size].items()} for size in views}
        told = {"steps": found, "drawn": seen}
        told_to.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
