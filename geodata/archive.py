"""Everything raw that was ever accepted, addressed by content, append-only.

``objects/ab/<sha256>`` holds bytes; ``accepted.jsonl`` says which bytes a source was last
accepted with, other ``*.jsonl`` what other steps must not forget. A cut at any instant leaves all
readable: objects appear by rename, and a torn last line of a log is not read. Several writers may
work at once.
"""

import contextlib
import fcntl
import functools
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geodata.errors import AtlasError

ACCEPTED = "accepted"


class ArchiveError(AtlasError):
    """The archive does not hold what it should."""


@dataclass(frozen=True)
class Stored:
    """One file of a source as the archive holds it."""

    name: str
    sha256: str


def sha256_of(content: bytes) -> str:
    """Return the checksum as lower-case hex."""
    return hashlib.sha256(content).hexdigest()


def sha256_of_file(path: Path) -> str:
    """Return the checksum of a file that need not fit into memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_written(path: Path) -> str:
    """Return the checksum of a file that is asked for more than once; it is read once as it is."""
    told = path.stat()
    return _known(path, told.st_size, told.st_mtime_ns)


@functools.lru_cache(maxsize=1_000)
def _known(path: Path, _size: int, _changed: int) -> str:
    return sha256_of_file(path)


def sha256_of_all(files: tuple[Stored, ...]) -> str:
    """Return one checksum for a source: of its only file, or of the list of its files."""
    if len(files) == 1:
        return files[0].sha256
    return sha256_of("".join(f"{f.sha256}  {f.name}\n" for f in files).encode())


@dataclass(frozen=True)
class Archive:
    """An append-only store below one folder."""

    folder: Path

    def path_of(self, sha256: str) -> Path:
        """Where the bytes of a checksum lie, whether or not they are there."""
        return self.folder / "objects" / sha256[:2] / sha256

    def has(self, sha256: str) -> bool:
        """Tell whether the bytes are held."""
        return self.path_of(sha256).is_file()

    def put(self, content: bytes) -> str:
        """Keep the bytes and return their checksum; the same bytes are kept once.

        What lies there damaged is replaced by what it should be.
        """
        sha256 = sha256_of(content)
        path = self.path_of(sha256)
        if not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".")
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
            flush_folder(path.parent)
        return sha256

    def put_file(self, path: Path) -> str:
        """Keep what a file holds, however large, as `put` does bytes, and return its checksum."""
        sha256 = sha256_of_file(path)
        kept = self.path_of(sha256)
        if kept.is_file() and sha256_of_file(kept) == sha256:
            return sha256
        with self.incoming(str(path)) as copied:
            shutil.copyfile(path, copied)
            return self.adopt(copied, sha256_of_file(copied))

    @contextlib.contextmanager
    def incoming(self, name: str) -> Iterator[Path]:
        """Lend a place for bytes that are still coming; what is not adopted is gone after.

        A run that is cut leaves it to the next one of that name, so that none pile up.
        """
        path = self.folder / "incoming" / sha256_of(name.encode())
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def adopt(self, path: Path, sha256: str) -> str:
        """Move a whole file of that checksum in, however large, and return the checksum."""
        kept = self.path_of(sha256)
        kept.parent.mkdir(parents=True, exist_ok=True)
        with path.open("rb") as file:
            os.fsync(file.fileno())
        path.replace(kept)
        flush_folder(kept.parent)
        return sha256

    def get(self, sha256: str) -> bytes:
        """Return the bytes. ArchiveError where they are absent or no longer what they were."""
        path = self.path_of(sha256)
        if not path.is_file():
            raise ArchiveError(f"{path} is not in the archive; run atlas refresh to collect it")
        content = path.read_bytes()
        if sha256_of(content) != sha256:
            raise ArchiveError(f"{path} no longer matches its name; remove it and collect again")
        return content

    def accept(self, source_id: str, files: tuple[Stored, ...], retrieved_on: str) -> None:
        """Append that a source was accepted with these files, unless that is its last entry."""
        with self._writing(ACCEPTED) as log:
            if self.last_good(source_id) == files:
                return
            _append(
                log,
                {
                    "source_id": source_id,
                    "retrieved_on": retrieved_on,
                    "files": [[f.name, f.sha256] for f in files],
                },
            )

    def last_good(self, source_id: str) -> tuple[Stored, ...]:
        """Return the files a source was last accepted with; empty where it never was.

        Of a log that grew for years only the lines that name the source are read as JSON.
        """
        named = json.dumps(source_id, ensure_ascii=False).encode()
        found: tuple[Stored, ...] = ()
        for told in map(read_entry, (line for line in self.lines(ACCEPTED) if named in line)):
            # a line may be JSON and yet no entry at all
            with contextlib.suppress(ValueError, LookupError, TypeError):
                if told and told["source_id"] == source_id:
                    found = tuple(Stored(str(name), str(sha)) for name, sha in told["files"])
        return found if all(self.has(f.sha256) for f in found) else ()

    def append(self, log: str, entry: Mapping[str, object]) -> None:
        """Append one entry to a log and flush it to disk, unless it is the last one already."""
        with self._writing(log) as handle:
            found = (read_entry(line) for line in reversed(self.lines(log)))
            last = next((told for told in found if told is not None), None)
            if last != json.loads(json.dumps(entry)):
                _append(handle, entry)

    def entries(self, log: str) -> list[dict[str, Any]]:
        """Return the whole entries of a log, in order; torn and damaged lines are passed over."""
        found = (read_entry(line) for line in self.lines(log))
        return [told for told in found if told is not None]

    def lines(self, log: str) -> list[bytes]:
        """Return the lines of a log; what a writer has not ended yet is none."""
        path = self.path_of_log(log)
        return path.read_bytes().split(b"\n")[:-1] if path.is_file() else []

    def path_of_log(self, log: str) -> Path:
        """Where a log lies, whether or not it is there."""
        return self.folder / f"{log}.jsonl"

    @contextlib.contextmanager
    def _writing(self, log: str) -> Iterator[int]:
        """Open a log for appending and hold it against other writers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.path_of_log(log)
        is_new = not path.exists()
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield handle
            if is_new:
                flush_folder(self.folder)
        finally:
            os.close(handle)


def flush_folder(folder: Path) -> None:
    """Flush a folder's list of names to disk, so that a rename outlives a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _append(handle: int, entry: Mapping[str, object]) -> None:
    # the leading line feed ends a line that a cut left torn
    text = "\n" + json.dumps(entry, ensure_ascii=False, sort_keys=True) + "\n"
    left = text.encode("utf-8")
    while left:
        left = left[os.write(handle, left) :]
    os.fsync(handle)


def read_entry(line: bytes) -> dict[str, Any] | None:
    """Return the entry a line holds; None where it is no JSON, no UTF-8 or no object at all."""
    with contextlib.suppress(ValueError, RecursionError):
        told = json.loads(line)
        return told if isinstance(told, dict) else None
    return None
