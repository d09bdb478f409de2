"""The field pack: the whole site in one zip that opens by double click, with no network.

The same site gives the same bytes. What only links elsewhere need (pictures of shared links, the
sitemap) stays out, and so does the pack itself; a site past `LIMIT_BYTES` has none.
"""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

from atlas.records import Book
from geodata.archive import sha256_of
from geodata.region import here

LIMIT_BYTES = 200_000_000
DAY_ONE = (1980, 1, 1, 0, 0, 0)
MODE = 0o644 << 16
LEFT_OUT = ("assets/card-*.png", "sitemap.xml", "manifest.json", "status.json", "data/*.zip")
STORED = {".png", ".woff2", ".xlsx", ".parquet"}
"""Endings of what is compressed already."""


def write_pack(book: Book, out: Path) -> str:
    """Write the pack of the site below ``out``; return its path there, or "" where it has none."""
    files = {path.relative_to(out).as_posix(): path for path in _packed(out)}
    if sum(path.stat().st_size for path in files.values()) > LIMIT_BYTES:
        return ""
    name = f"data/{here().atlas_id}.zip"
    contents = {name: path.read_bytes() for name, path in files.items()}
    contents |= _told(book, contents)
    with zipfile.ZipFile(out / name, "w") as pack:
        for path in sorted(contents):
            pack.writestr(_entry(path), contents[path])
    return name


def _packed(out: Path) -> Iterator[Path]:
    for path in sorted(out.rglob("*")):
        inner = path.relative_to(out)
        if path.is_file() and not any(inner.match(pattern) for pattern in LEFT_OUT):
            yield path


def _told(book: Book, contents: dict[str, bytes]) -> dict[str, bytes]:
    """What the pack says of itself in place of the published site's manifest and last run."""
    files = {
        path: {"sha256": sha256_of(content), "bytes": len(content)}
        for path, content in contents.items()
    }
    head = {"edition": book.edition, "as_of": book.as_of.isoformat()}
    told = {"manifest.json": {**head, "files": files}, "status.json": head}
    return {
        name: (json.dumps(what, ensure_ascii=False, indent=1) + "\n").encode("utf-8")
        for name, what in told.items()
    }


def _entry(path: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(f"{here().atlas_id}/{path}", DAY_ONE)
    is_stored = Path(path).suffix in STORED
    entry.compress_type = zipfile.ZIP_STORED if is_stored else zipfile.ZIP_DEFLATED
    entry.external_attr = MODE
    entry.create_system = 3  # as on Unix, wherever it is made
    return entry
