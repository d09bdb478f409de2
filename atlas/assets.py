"""What a page needs beside its text: scripts, styles and fonts, each named after its content."""

import gzip
import hashlib
import posixpath
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from geodata.archive import sha256_of_written
from geodata.errors import AtlasError

HASH_DIGITS = 10
FOLDER = "assets"
CSS_URL = re.compile(r"url\((?!data:|#)[\"']?([^\"')]+)[\"']?\)")
OLD_BROWSERS = re.compile(r"\s*behavior:\s*url\([^)]*\);")
SOURCE_MAP = re.compile(rb"\n//# sourceMappingURL=\S+\s*$")
COMMENT = re.compile(rb"^[ \t]*/\*(?:(?!\*/).)*\*/[ \t]*\n", re.MULTILINE | re.DOTALL)


class AssetError(AtlasError):
    """A file that the site serves is not there."""


class Assets:
    """Copies files of ``site/`` into ``assets/``, once each, under names that hold their hash."""

    def __init__(self, site: Path, out: Path) -> None:
        self.site = site
        self.out = out
        self._paths: dict[str, str] = {}

    def path(self, name: str) -> str:
        """Return the published path of a file of ``site/``, copying it at its first use."""
        if name not in self._paths:
            content = self._read(name)
            if name.endswith(".css"):
                content = self._with_hashed_urls(name, content)
            elif name.endswith(".js"):
                content = SOURCE_MAP.sub(b"\n", content)
            self._paths[name] = self.write(_flat_name(name), content)
        return self._paths[name]

    def joined(self, name: str, parts: Iterable[str]) -> str:
        """Publish scripts of ``site/`` as one file, in order, and return its path.

        Comments on lines of their own are left out: readers of the source have them.
        """
        scripts = [COMMENT.sub(b"", self._read(part)) for part in parts]
        return self.write(name, b"".join(scripts))

    def write(self, name: str, content: bytes) -> str:
        """Write content under its hashed name and return its path from the site's root."""
        path = _hashed(name, hashlib.sha256(content).hexdigest())
        target = self.out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        return path

    def link(self, name: str, path: Path) -> str:
        """Publish a file, which stays where it is, under its hashed name; return its path there."""
        published = _hashed(name, sha256_of_written(path))
        target = self.out / published
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        try:
            target.hardlink_to(path)
        except OSError:  # another file system
            shutil.copyfile(path, target)
        return published

    def _read(self, name: str) -> bytes:
        try:
            return (self.site / name).read_bytes()
        except FileNotFoundError as error:
            package = name.startswith("node_modules/")
            move = (
                "run `npm ci --ignore-scripts` in site/ (or `make atlas`)"
                if package
                else "restore the file"
            )
            raise AssetError(f"{self.site / name} is missing; {move}") from error

    def _with_hashed_urls(self, name: str, content: bytes) -> bytes:
        def hashed(found: re.Match[str]) -> str:
            target = posixpath.normpath(posixpath.join(posixpath.dirname(name), found[1]))
            return f'url("{posixpath.basename(self.path(target))}")'

        text = OLD_BROWSERS.sub("", content.decode("utf-8"))
        return CSS_URL.sub(hashed, text).encode("utf-8")


def _hashed(name: str, sha256: str) -> str:
    stem, dot, ending = name.rpartition(".")
    return f"{FOLDER}/{stem}-{sha256[:HASH_DIGITS]}{dot}{ending}"


def _flat_name(name: str) -> str:
    """``node_modules/leaflet/LICENSE`` -> ``leaflet-licence.txt``: other files keep their names."""
    parts = name.split("/")
    if parts[-1] == "LICENSE":
        return f"{parts[-2]}-licence.txt"
    return parts[-1]


def write_folder(assets: Assets, name: str, contents: Iterable[bytes]) -> str:
    """Write files 0.bin, 1.bin … into one folder named by their content; return its path.

    Only one of them is in memory at a time.
    """
    draft = assets.out / FOLDER / f".{name}"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    digest = hashlib.sha256()
    for number, content in enumerate(contents):
        digest.update(hashlib.sha256(content).digest())
        (draft / f"{number}.bin").write_bytes(content)
    path = f"{FOLDER}/{name}-{digest.hexdigest()[:HASH_DIGITS]}"
    shutil.rmtree(assets.out / path, ignore_errors=True)
    draft.rename(assets.out / path)
    return path


def pack(content: bytes) -> bytes:
    """Gzip, the same bytes each time."""
    return gzip.compress(content, 6, mtime=0)
