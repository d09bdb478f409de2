"""Everything raw that was ever accepted, addressed by content, append-only.

``objects/ab/<sha256>`` holds bytes; ``accepted.jsonl`` says which bytes a source was last
accepted with. A cut at any instant leaves both readable: objects appear by rename, and a torn
last line of the log is not read.
"""

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from geodata.errors import AtlasError


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
        """Keep the bytes and return their checksum; the same bytes are kept once."""
        sha256 = sha256_of(content)
        path = self.path_of(sha256)
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".")
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        return sha256

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
        """Append that a source was accepted with these files, unless that is the last entry."""
        if self.last_good(source_id) == files:
            return
        entry = {
            "source_id": source_id,
            "retrieved_on": retrieved_on,
            "files": [[f.name, f.sha256] for f in files],
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "accepted.jsonl").open("a", encoding="utf-8") as log:
            # the leading line feed ends a line that a cut left torn
            log.write("\n" + json.dumps(entry, ensure_ascii=False, sort_keys=True) + "\n")
            log.flush()
            os.fsync(log.fileno())

    def last_good(self, source_id: str) -> tuple[Stored, ...]:
        """Return the files a source was last accepted with; empty where it never was."""
        found = dict(self._entries()).get(source_id, ())
        return found if all(self.has(f.sha256) for f in found) else ()

    def _entries(self) -> list[tuple[str, tuple[Stored, ...]]]:
        path = self.folder / "accepted.jsonl"
        lines = path.read_bytes().split(b"\n")[:-1] if path.is_file() else []
        entries = []
        for line in lines:
            # a torn line may be no JSON, no UTF-8 or no entry at all
            with contextlib.suppress(ValueError, LookupError, TypeError):
                told = json.loads(line)
                files = tuple(Stored(str(name), str(sha256)) for name, sha256 in told["files"])
                entries.append((str(told["source_id"]), files))
        return entries
