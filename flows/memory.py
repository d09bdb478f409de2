"""How much memory a run takes, all its processes together, as one sees it from outside."""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

LOOK_EVERY_S = 0.5
PRESSING, GROWN = 0.6, 1.05
MEGABYTE = 1_000_000
OF_GROUP = Path("/sys/fs/cgroup/memory.max")


def half_of_machine() -> int:
    """Return half of the memory that this machine, or this container, has: bytes."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with suppress(OSError, ValueError):
        whole = min(whole, int(OF_GROUP.read_text(encoding="ascii")))  # "max" where there is none
    return whole // 2


def taken(pid: int) -> int:
    """Return the bytes that a process and its children take, what they share counted once.

    0 where the system does not tell.
    """
    total = 0
    left = [pid]
    while left:
        folder = Path("/proc") / str(left.pop())
        with suppress(OSError, ValueError, IndexError):
            told = (folder / "smaps_rollup").read_text(encoding="ascii")
            total += int(told.split("\nPss:", 1)[1].split()[0]) * 1024
        with suppress(OSError):
            for path in folder.glob("task/*/children"):
                left += map(int, path.read_text(encoding="ascii").split())
    return total


class Watch:
    """Looks at what this process and its children take, while it is open.

    Where that is more than `PRESSING` of ``most`` bytes, it has what was freed given back, and
    again each time that it grows by `GROWN` from there.
    """

    def __init__(self, most: int = 0, give_back: Callable[[], object] = int) -> None:
        self._now, self._peak = 0, 0
        self._left, self._give_back = most * PRESSING, give_back
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="memory", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_over.set()
        self._thread.join()

    def peak(self) -> int:
        """Return the most that was seen since this was last asked, or last of all: bytes.

        A look costs some 10 ms, so none is had for steps that are over before the next one.
        """
        self._now = self._now or taken(os.getpid())
        told, self._peak = max(self._peak, self._now), 0
        return told

    def _look(self) -> None:
        while not self._is_over.wait(LOOK_EVERY_S):
            self._now = taken(os.getpid())
            self._peak = max(self._peak, self._now)
            if 0 < self._left < self._now:
                self._give_back()
                self._now = taken(os.getpid())
                self._left = max(self._left, self._now * GROWN)
