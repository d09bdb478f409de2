"""What a published folder becomes on a store of objects: in which order, with which headers.

On a store without links the switch is the order itself: what pages load comes before the pages,
the pages before the first page and what leads to it, so that no page is ever there without what
it loads. What is no longer of the edition goes last.
"""

import gzip
import hashlib
import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from atlas.editions import ASSETS, MANIFEST, STATUS, STATUS_TEXT
from geodata.archive import sha256_of

YEAR_S = 31_536_000
IMMUTABLE = f"public, max-age={YEAR_S}, immutable"
REVALIDATE = "no-cache"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".geojson": "application/geo+json",
    ".csv": "text/csv; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".xml": "application/xml",
    ".ics": "text/calendar; charset=utf-8",
    ".woff2": "font/woff2",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".gpkg": "application/geopackage+sqlite3",
    ".parquet": "application/vnd.apache.parquet",
    ".fgb": "application/octet-stream",
}
PACKED = {".html", ".js", ".css", ".svg"}
"""What only browsers load, which all unpack gzip; programs take the data as it is."""

ENTRIES = ("index.html", "feed.xml", "sitemap.xml", MANIFEST, STATUS_TEXT, STATUS)
"""What leads into the edition, in the order in which it is switched."""


@dataclass(frozen=True)
class Upload:
    """One object: its name, its bytes as they are stored, and its headers."""

    name: str
    content: bytes
    headers: dict[str, str]

    @property
    def md5(self) -> str:
        """What a store tells as the ETag of an object that was put in one piece."""
        return hashlib.md5(self.content, usedforsecurity=False).hexdigest()

    @property
    def sha256(self) -> str:
        """Checksum of the bytes as they are stored."""
        return sha256_of(self.content)


def upload_of(folder: Path, name: str) -> Upload:
    """Return the object that one file of a published folder becomes."""
    content = (folder / name).read_bytes()
    suffix = Path(name).suffix
    kind = TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    cached = IMMUTABLE if name.startswith(ASSETS) else REVALIDATE
    headers = {"Content-Type": kind, "Cache-Control": cached}
    if suffix in PACKED:
        content = gzip.compress(content, 9, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Upload(name, content, headers)


def in_order(folder: Path) -> Iterator[list[str]]:
    """Yield the names of a published folder's files, in groups that follow one another."""
    names = sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )
    pages = [name for name in names if name.endswith(".html") and name not in ENTRIES]
    loaded = [name for name in names if name.startswith(ASSETS)]
    others = set(names) - {*pages, *loaded, *ENTRIES}
    yield loaded
    yield sorted(others)
    yield pages
    for name in ENTRIES:
        if name in names:
            yield [name]
