"""What a run takes of memory is seen from outside, told, and does not grow with its sources."""

import gc
import re
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
from click.testing import CliRunner

from bench.synthetic import DAY, region_of, write_region
from builds import PROJECT
from flows.cli import main
from flows.memory import LOOK_EVERY_S, MEGABYTE, Watch, half_of_machine, taken
from flows.order import LEAST_MEMORY, Order
from flows.run import carry_out
from flows.work import give_back
from geodata.archive import sha256_of_file
from geodata.schema import TABLE

HOLD = "import sys; held = bytearray(b'x' * 80_000_000); sys.stdout.write('.'); sys.stdin.read()"
CHECK = """
import sys
from pathlib import Path
from flows import intake
from flows.order import Order
order = Order(root=Path(sys.argv[1]), region=Path(sys.argv[2]), online=False)
order.work.mkdir(parents=True)
intake.check(order, intake.collect(order))
intake.refuse_broken_sources(order)
"""


def test_what_children_take_is_counted_while_they_live() -> None:
    with Watch() as watch:
        before = watch.peak()
        command = [sys.executable, "-c", HOLD]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            assert child.stdout.read(1) == b"."
            time.sleep(2 * LOOK_EVERY_S)
            during = watch.peak()
            assert taken(child.pid) > 80 * MEGABYTE
            child.communicate(b"")
        time.sleep(2 * LOOK_EVERY_S)
        watch.peak()
        assert during - before > 75 * MEGABYTE
        assert watch.peak() < during - 75 * MEGABYTE


def test_where_memory_presses_what_was_freed_is_given_back_and_not_again_for_nothing() -> None:
    given = threading.Event()
    calls: list[None] = []

    def give() -> None:
        calls.append(None)
        given.set()

    with Watch(most=1, give_back=give):
        assert given.wait(10)
        time.sleep(3 * LOOK_EVERY_S)
    assert len(calls) == 1
    with Watch(most=10**12, give_back=give):
        time.sleep(3 * LOOK_EVERY_S)
    assert len(calls) == 1


def test_what_only_refers_to_itself_is_given_back() -> None:
    class Held:
        """Holds itself."""

    one = Held()
    one.mine = one  # type: ignore[attr-defined]
    seen = weakref.ref(one)
    gc.disable()
    try:
        del one
        assert seen() is not None
        give_back()
        assert seen() is None
    finally:
        gc.enable()


def test_a_process_that_is_not_there_takes_nothing() -> None:
    assert taken(2**22 + 1) == 0


@pytest.mark.parametrize(("asked", "told"), [("10MB", "libraries"), ("much", "no size")])
def test_a_size_that_cannot_be_kept_is_refused_with_what_to_write(asked: str, told: str) -> None:
    found = CliRunner().invoke(main, ["refresh", "--memory", asked])
    assert found.exit_code == 2
    assert told in found.output


def test_the_usual_size_is_half_of_the_machine_and_makes_no_difference_to_the_command() -> None:
    usual = Order(root=Path("r"))
    assert usual.memory == half_of_machine()
    assert "--memory" not in usual.command()
    small = Order(root=Path("r"), memory=LEAST_MEMORY)
    assert f"--memory {LEAST_MEMORY}" in small.command()
    assert small.block_bytes < usual.block_bytes


def test_a_run_tells_what_each_step_took_and_where_that_is_more_than_it_should(
    tmp_path: Path,
) -> None:
    sources = write_region(tmp_path / "sources", 100)
    order = Order(root=tmp_path / "root", region=region_of(sources), online=False)
    report = carry_out(order.model_copy(update={"memory": MEGABYTE}))
    assert report.state == "published"
    assert set(report.megabytes) == set(report.seconds)
    assert all(megabytes > 50 for megabytes in report.megabytes.values())
    noted = [note for note in report.notes if "--memory" in note]
    assert len(noted) == len(report.megabytes)
    told = (tmp_path / "root" / "public" / "status.md").read_text(encoding="utf-8")
    assert f"| check | {report.seconds['check']:.1f} | {report.megabytes['check']} |" in told


def heavy_region(folder: Path, positions: int) -> Path:
    """A region with so many positions, each with some 80 kB of corners."""
    sources = write_region(folder / "sources", 100)
    source = next(path for path in sources.glob("*positions") if "route" not in path.name)
    angle = np.linspace(0, 2 * np.pi, 2_000, endpoint=False)
    ring = np.column_stack([105.5 + 0.01 * np.cos(angle), 15 + 0.01 * np.sin(angle)])
    wkt = shapely.polygons(ring).wkt
    cells = {
        "position_id": [f"heavy-{n}" for n in range(positions)],
        "subject_id": [f"p-{n % 100}" for n in range(positions)],
        "method": "official_boundary",
        "accuracy_m": "10",
        "as_of": DAY,
        "document_ids": "doc-0",
        "geometry": wkt,
    }
    frame = pd.DataFrame(cells).reindex(columns=TABLE["positions"].column_names, fill_value="")
    frame.to_csv(source / "raw.csv", index=False, lineterminator="\n")
    told = (source / "source.toml").read_text(encoding="utf-8")
    sha256 = f'sha256 = "{sha256_of_file(source / "raw.csv")}"'
    told = re.sub(r'sha256 = "\w+"', sha256, told)
    (source / "source.toml").write_text(told, encoding="utf-8")
    return region_of(sources)


def peak_of_check(folder: Path, positions: int) -> tuple[int, int]:
    """Return what a check takes of memory, and how large its largest source is."""
    region = heavy_region(folder, positions)
    command = [sys.executable, "-c", CHECK, str(folder / "root"), str(region)]
    peak = 0
    with subprocess.Popen(command, cwd=PROJECT) as run:
        while run.poll() is None:
            peak = max(peak, taken(run.pid))
            time.sleep(0.02)
    assert run.returncode == 0
    sizes = [path.stat().st_size for path in region.parent.glob("sources/*/raw.csv")]
    return peak, max(sizes)


def test_a_source_three_times_as_large_takes_no_more_memory(tmp_path: Path) -> None:
    small, little = peak_of_check(tmp_path / "small", 800)
    large, much = peak_of_check(tmp_path / "large", 2_400)
    assert much - little > 100 * MEGABYTE
    assert large - small < (much - little) / 4
