"""Pictures are drawn once: each is kept by what it was drawn from, for the nights that follow.

Charts, cards and codes are the dearest things on a page by far, and most of them stay as they were.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from geodata.archive import sha256_of

NEW = ".new"
VL_CONVERT = "vl-convert-python"


@dataclass
class Kept:
    """The folder of kept pictures, and which of them this edition shows."""

    folder: Path
    used: set[str] = field(default_factory=set)

    def picture(self, name: str, draw: Callable[[], bytes]) -> bytes:
        """Return the picture of this name, drawn now where it is not there whole."""
        self.used.add(name)
        path = self.folder / name
        if path.is_file():
            checksum, _, picture = path.read_bytes().partition(b"\n")
            if checksum == sha256_of(picture).encode():
                return picture
        picture = draw()
        new = path.with_name(name + NEW)
        new.write_bytes(sha256_of(picture).encode() + b"\n" + picture)
        new.rename(path)
        return picture


_KEPT: ContextVar[Kept | None] = ContextVar("kept pictures", default=None)


@contextmanager
def kept_in(folder: Path) -> Iterator[None]:
    """Look in a folder before a picture is drawn; at the end forget what was not asked for."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = Kept(folder)
    token = _KEPT.set(kept)
    try:
        yield
    finally:
        _KEPT.reset(token)
    for path in folder.iterdir():
        if path.name not in kept.used:
            path.unlink()


def drawn(form: str, library: str, draw: Callable[[str], bytes], source: str) -> bytes:
    """Return what ``draw`` makes of a source with a library; ``form`` tells it from other ways."""
    kept = _KEPT.get()
    if kept is None:
        return draw(source)
    told = f"{form} {version(library)} {source}"
    return kept.picture(sha256_of(told.encode()), lambda: draw(source))
