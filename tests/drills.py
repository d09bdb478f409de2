"""Real refreshes that are killed where a test says: forks of one process that has loaded all."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from atlas.templates import environment
from flows import run
from flows.order import PROJECT, Order

END = "end"
"""The boundary behind the last step, before the run's record is written."""


@dataclass(frozen=True)
class Ended:
    """How one refresh ended: by our kill, or with an exit code."""

    is_killed: bool
    code: int
    seconds: float


@dataclass(frozen=True)
class Refreshes:
    """A process that runs refreshes, one at a time, each in a fork of its own."""

    process: subprocess.Popen[str]

    def run(self, order: Order, at: str = "", after: float | None = None) -> Ended:
        """Refresh; kill it before the step ``at``, or ``after`` so many seconds."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([order.model_dump(mode="json"), at, after]) + "\n")
        self.process.stdin.flush()
        return Ended(*json.loads(self.process.stdout.readline()))


@contextmanager
def refreshes(**environment: str) -> Iterator[Refreshes]:
    """Start that process in an environment, and end it."""
    with subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    ) as process:
        yield Refreshes(process)
        process.communicate()


def serve() -> None:
    """Answer each line of stdin, which asks for a refresh, with how it ended."""
    templates = environment(PROJECT / "site")
    for name in templates.list_templates():
        templates.get_template(name)
    for line in sys.stdin:
        told, at, after = json.loads(line)
        begun = time.monotonic()
        child = os.fork()
        if child == 0:
            _kill_before(at)
            run.carry_out(Order.model_validate(told))
            os._exit(0)
        is_late = after is not None and not _ends_within(child, after)
        if is_late:
            os.kill(child, signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        ended = code == -signal.SIGKILL, code, time.monotonic() - begun
        sys.stdout.write(json.dumps(ended) + "\n")
        sys.stdout.flush()


def _ends_within(child: int, seconds: float) -> bool:
    watched = os.pidfd_open(child)
    try:
        return bool(select.select([watched], [], [], seconds)[0])
    finally:
        os.close(watched)


def _kill_before(at: str) -> None:
    """Have this process kill itself when it comes to a step, or to the end of the last one."""
    step_of = run._step

    @contextmanager
    def step(order: object, report: object, name: str) -> Iterator[None]:
        if name == at:
            os.kill(os.getpid(), signal.SIGKILL)
        with step_of(order, report, name):
            yield
        if at == END and name == "publish":
            os.kill(os.getpid(), signal.SIGKILL)

    run._step = step


if __name__ == "__main__":
    serve()
