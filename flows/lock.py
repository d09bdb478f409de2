"""One run at a time: the lock of a root."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from flows.order import Order
from geodata.errors import UsageError


@contextmanager
def run_lock(order: Order) -> Iterator[None]:
    """Hold the lock of the root; the system frees it when the process dies, however it dies."""
    folder = order.root / "var"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "run.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(
                f"another run holds {file.name}; wait for it to end, then run again"
            ) from error
        yield
