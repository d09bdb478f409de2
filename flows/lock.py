"""One run at a time, first come first served: the queue of a root.

Whoever wants to run takes a numbered ticket and holds the system's lock on it as long as its
process lives. The smallest ticket whose holder lives may run. Who dies, however it dies, loses
its lock and with it its place, so that nothing is ever to be cleaned up by hand.
"""

import fcntl
import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flows.heartbeat import read_beat
from flows.order import Order
from geodata.errors import UsageError

log = logging.getLogger("atlas.run")

LOOK_EVERY_S = 0.1


@contextmanager
def run_lock(order: Order) -> Iterator[None]:
    """Run alone, after everybody who came before.

    Waits up to ``order.wait_s`` seconds, without end where it is None. UsageError, which says who
    runs, since when and at which step, where the turn does not come in time.
    """
    folder = order.var / "queue"
    folder.mkdir(parents=True, exist_ok=True)
    with _ticket(folder) as number:
        _await_turn(folder, number, order)
        yield


@contextmanager
def _ticket(folder: Path) -> Iterator[int]:
    with _door(folder):
        number = max(_numbers(folder), default=0) + 1
        path = _path(folder, number)
        file = path.open("x", encoding="utf-8")
        fcntl.flock(file, fcntl.LOCK_EX)
        since = datetime.now(UTC).isoformat(timespec="seconds")
        with suppress(OSError):  # the lock holds on a full disk too; only its words are lost
            file.write(json.dumps({"pid": os.getpid(), "since": since}))
            file.flush()
    try:
        yield number
    finally:
        path.unlink(missing_ok=True)
        with suppress(OSError):
            file.close()


@contextmanager
def _door(folder: Path) -> Iterator[None]:
    """Hold the moment in which tickets are taken or looked at."""
    with (folder / "door").open("w") as door:
        fcntl.flock(door, fcntl.LOCK_EX)
        yield


def _path(folder: Path, number: int) -> Path:
    return folder / f"{number:09}.ticket"


def _numbers(folder: Path) -> list[int]:
    return sorted(int(path.stem) for path in folder.glob("*.ticket"))


def _ahead(folder: Path, number: int) -> list[Path]:
    """Return the tickets before this one whose holders live; the others are taken away."""
    living = []
    with _door(folder):
        for path in (_path(folder, n) for n in _numbers(folder) if n < number):
            with suppress(FileNotFoundError), path.open() as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    living.append(path)
                else:
                    path.unlink()
    return living


def _await_turn(folder: Path, number: int, order: Order) -> None:
    until = None if order.wait_s is None else time.monotonic() + order.wait_s
    told = ""
    while ahead := _ahead(folder, number):
        if until is not None and time.monotonic() >= until:
            raise UsageError(_who(ahead, order) + "; wait in turn with --wait, or end it")
        said = _who(ahead, order)
        if said != told:
            log.info("waiting: %s", said)
            told = said
        time.sleep(LOOK_EVERY_S)


def _who(ahead: list[Path], order: Order) -> str:
    """Say who runs; a ticket that is gone or half written says nothing of its holder."""
    ticket: dict[str, Any] = {}
    with suppress(OSError, ValueError):
        ticket = json.loads(ahead[0].read_text(encoding="utf-8"))
    pid = ticket.get("pid", "not known")
    beat = read_beat(order.var)
    step = f", at step {beat['step']}" if beat.get("pid") == pid and beat.get("step") else ""
    queue = f"; {len(ahead) - 1} more before this one" if len(ahead) > 1 else ""
    since = ticket.get("since", "not known")
    return f"another run holds {order.root}: process {pid}, since {since}{step}{queue}"
