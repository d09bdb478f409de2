"""How long the calls of one function take, told from within a run that knows nothing of it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Note = Callable[[str, tuple[Any, ...], float], object]
"""Is told a function's name, what it was called with, and the seconds of the call."""


@contextmanager
def noted(module: object, name: str, note: Note) -> Iterator[None]:
    """Have a function of a module tell how long each of its calls takes."""
    whole = getattr(module, name)

    def told(*args: Any, **kwargs: Any) -> object:
        begun = time.perf_counter()
        try:
            return whole(*args, **kwargs)
        finally:
            note(name, args, time.perf_counter() - begun)

    setattr(module, name, told)
    try:
        yield
    finally:
        setattr(module, name, whole)
