"""Is the archive whole? Every object, every line of every log, and what they ask for."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geodata.archive import Archive, read_entry, sha256_of_file

OBJECT = re.compile(r"[0-9a-f]{64}")
RESTORE = "bring it back from a copy of the archive or, if a source still has it, run atlas refresh"
NOT_OBJECTS = {"key", "code", "changes"}
"""What entries hold beside the checksums of objects: no object need lie there for it."""


@dataclass(frozen=True)
class Line:
    """One line of a log that is not empty; ``told`` is None where it is no entry."""

    log: str
    number: int
    told: dict[str, Any] | None
    is_torn: bool


@dataclass(frozen=True)
class Audit:
    """What an archive holds, and each fault with the next move.

    ``unfinished`` counts writes that a killed run left and nobody reads, ``torn`` the lines that
    a cut left unended: both are what a cut may leave, and no fault.
    """

    objects: int
    size: int
    entries: int
    unfinished: int
    torn: int
    faults: tuple[str, ...]


def audit(archive: Archive) -> Audit:
    """Read the whole archive, also while a run writes to it; nothing is changed.

    Logs are read before objects: what an entry names was there before the entry was.
    """
    lines = list(_lines(archive))
    found = sorted((archive.folder / "objects").glob("*/*"))
    objects = [path for path in found if not path.name.startswith(".")]
    return Audit(
        len(objects),
        sum(path.stat().st_size for path in objects),
        sum(line.told is not None for line in lines),
        len(found) - len(objects),
        sum(line.is_torn for line in lines),
        (*_line_faults(lines), *_object_faults(objects), *_lost_faults(archive, lines)),
    )


def _lines(archive: Archive) -> Iterator[Line]:
    for log in sorted(path.stem for path in archive.folder.glob("*.jsonl")):
        for number, text in enumerate(archive.lines(log), start=1):
            told = read_entry(text)
            if text.strip():
                yield Line(log, number, told, told is None and _is_torn(text))


def _is_torn(text: bytes) -> bool:
    """A cut leaves the beginning of an entry, or the zeros of a file that was not flushed."""
    return not text.strip(b"\0") or (text.startswith(b"{") and not text.rstrip().endswith(b"}"))


def _line_faults(lines: Iterable[Line]) -> Iterator[str]:
    for line in lines:
        if line.told is None and not line.is_torn:
            yield (
                f"{line.log}.jsonl line {line.number} is no entry and is not read; "
                "put back that line from a copy of the archive"
            )


def _object_faults(objects: Iterable[Path]) -> Iterator[str]:
    for path in objects:
        name = f"objects/{path.parent.name}/{path.name}"
        if not OBJECT.fullmatch(path.name) or path.parent.name != path.name[:2]:
            yield f"{name} is no object of the archive; move it away"
        elif sha256_of_file(path) != path.name:
            yield f"{name} no longer matches its name; remove it, then {RESTORE}"


def _lost_faults(archive: Archive, lines: Iterable[Line]) -> Iterator[str]:
    wanted: dict[str, set[str]] = {}
    for line in lines:
        told = line.told or {}
        about = told.get("source_id") or told.get("edition") or f"line {line.number}"
        for sha256 in _named(told):
            wanted.setdefault(sha256, set()).add(f"{about} ({line.log}.jsonl)")
    for sha256, by in sorted(wanted.items()):
        if not archive.has(sha256):
            name = f"objects/{sha256[:2]}/{sha256}"
            yield f"{name} is gone and belongs to {', '.join(sorted(by))}; {RESTORE}"


def _named(told: object) -> Iterator[str]:
    """Every checksum of an object that an entry names, however deep."""
    if isinstance(told, str) and OBJECT.fullmatch(told):
        yield told
    elif isinstance(told, dict):
        for key in told.keys() - NOT_OBJECTS:
            yield from _named(told[key])
    elif isinstance(told, list):
        for value in told:
            yield from _named(value)
