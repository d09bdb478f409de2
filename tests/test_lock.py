"""Who runs, who waits, in which order: real processes, some of them killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flows.lock import run_lock
from flows.order import Order
from geodata.errors import UsageError

RUN = """
import sys, time
from pathlib import Path
from flows.lock import run_lock
from flows.order import Order
root, name = Path(sys.argv[1]), sys.argv[2]
with run_lock(Order(root=root, wait_s=None)):
    with (root / "told").open("a") as told:
        told.write(name)
    while not (root / f"end-{name}").exists():
        time.sleep(0.01)
"""


@contextmanager
def running(root: Path, name: str, place: int) -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs, or waits to; it has its ticket when this is entered."""
    with subprocess.Popen([sys.executable, "-c", RUN, str(root), name]) as process:
        try:
            until_true(lambda: (root / "var" / "queue" / f"{place:09}.ticket").exists())
            yield process
        finally:
            process.kill()


def until_true(told: object) -> None:
    until = time.monotonic() + 120
    while not told():  # type: ignore[operator]
        assert time.monotonic() < until
        time.sleep(0.01)


def ran(root: Path) -> str:
    return (root / "told").read_text() if (root / "told").exists() else ""


def test_runs_that_wait_get_their_turn_in_the_order_in_which_they_came(tmp_path: Path) -> None:
    with (
        running(tmp_path, "a", 1) as a,
        running(tmp_path, "b", 2) as b,
        running(tmp_path, "c", 3) as c,
        running(tmp_path, "d", 4) as d,
    ):
        until_true(lambda: ran(tmp_path) == "a")
        b.kill()  # one that waits dies: nobody waits for it
        b.wait()
        a.kill()  # the one that runs dies: the system frees its lock
        a.wait()
        until_true(lambda: ran(tmp_path) == "ac")
        (tmp_path / "end-c").touch()
        c.wait()
        until_true(lambda: ran(tmp_path) == "acd")
        (tmp_path / "end-d").touch()
        assert d.wait() == 0
    assert sorted(p.name for p in (tmp_path / "var" / "queue").iterdir()) == ["door"]


def test_who_does_not_wait_is_told_who_runs_since_when_at_which_step(tmp_path: Path) -> None:
    with running(tmp_path, "a", 1) as a:
        until_true(lambda: ran(tmp_path) == "a")
        beat = {"pid": a.pid, "step": "draw"}
        (tmp_path / "var" / "heartbeat.json").write_text(json.dumps(beat))
        said = rf"another run holds .*: process {a.pid}, since 20.*, at step draw; wait in turn"
        with pytest.raises(UsageError, match=said), run_lock(Order(root=tmp_path)):
            pass
        with (
            running(tmp_path, "b", 2),
            pytest.raises(UsageError, match="1 more before this one"),
            run_lock(Order(root=tmp_path, wait_s=0.05)),
        ):
            pass
    assert ran(tmp_path) == "a"


def test_who_gives_up_waiting_leaves_no_ticket(tmp_path: Path) -> None:
    with running(tmp_path, "a", 1), running(tmp_path, "b", 2) as b:
        b.send_signal(signal.SIGINT)
        b.wait()
        assert not (tmp_path / "var" / "queue" / "000000002.ticket").exists()


def test_a_ticket_of_a_dead_process_or_without_sense_holds_nobody_up(tmp_path: Path) -> None:
    queue = tmp_path / "var" / "queue"
    queue.mkdir(parents=True)
    (queue / "000000007.ticket").write_text("{")
    (queue / "000000009.ticket").write_bytes(os.urandom(9))
    with run_lock(Order(root=tmp_path)):
        assert [p.name for p in queue.glob("*.ticket")] == ["000000010.ticket"]
    with run_lock(Order(root=tmp_path)):
        pass
