"""Pictures and tiles are drawn once, and kept by what they were drawn from for later nights.

They are the dearest things of an edition by far, and most of them stay as they were.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from geodata.archive import sha256_of, sha256_of_file, sha256_of_written

NEW, CHECKSUM = ".new", ".sha256"
VL_CONVERT = "vl-convert-python"


@dataclass
class Kept:
    """The folder of what is kept, and what of it this edition shows.

    ``code`` is the checksum of the code that draws files.
    """

    folder: Path
    code: str = ""
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

    def file(self, name: str, draw: Callable[[Path], None]) -> Path:
        """Return the file of this name, drawn now where it is not there whole."""
        path, told = self.folder / name, self.folder / f"{name}{CHECKSUM}"
        self.used |= {path.name, told.name}
        is_there = path.is_file() and told.is_file()
        if is_there and told.read_bytes() == sha256_of_written(path).encode():
            return path
        new = path.with_name(name + NEW)
        draw(new)
        told.write_text(sha256_of_file(new), encoding="ascii")
        new.rename(path)
        return path


_KEPT: ContextVar[Kept | None] = ContextVar("kept pictures", default=None)


@contextmanager
def kept_in(folder: Path, code: str = "") -> Iterator[None]:
    """Look in a folder before something is drawn; at the end forget what was not asked for.

    ``code`` is the checksum of the code that draws: files that another one drew are not used.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept = Kept(folder, code)
    token = _KEPT.set(kept)
    try:
        yield
    finally:
        _KEPT.reset(token)
    for path in folder.iterdir():
        if path.name not in kept.used:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def drawn(form: str, library: str, draw: Callable[[str], bytes], source: str) -> bytes:
    """Return what ``draw`` makes of a source with a library; ``form`` tells it from other ways."""
    kept = _KEPT.get()
    if kept is None:
        return draw(source)
    told = f"{form} {version(library)} {source}"
    return kept.picture(sha256_of(told.encode()), lambda: draw(source))


def drawn_file(library: str, draw: Callable[[Path], None], source: str, beside: Path) -> Path:
    """Return the file that ``draw`` makes of a source with a library; ``beside``, if none is kept.

    Who wants it moves or links it from there.
    """
    kept = _KEPT.get()
    if kept is None:
        draw(beside)
        return beside
    told = f"{kept.code} {version(library)} {source}"
    return kept.file(sha256_of(told.encode()), draw)
