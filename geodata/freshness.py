"""When was each source last confirmed, and with what is an address asked whether it changed?

Side files of the archive, one a source and one an address, each replaced whole by a rename.
Losing one costs a fetch, never a fact: one that cannot be read is as good as none.
"""

import dataclasses
import json
import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from geodata.archive import Archive, Stored, sha256_of
from geodata.dates import is_date
from geodata.fetch import Validators


@dataclass(frozen=True)
class Held:
    """What an address last gave: the checksum of its bytes, and what to ask again with."""

    sha256: str
    validators: Validators


@dataclass(frozen=True)
class Freshness:
    """The side files of one archive."""

    archive: Archive

    def held(self, url: str) -> Held | None:
        """Return what an address last gave, where its bytes are still held."""
        told = _read(self._address(url))
        try:
            held = Held(str(told["sha256"]), Validators(**told["validators"]))
        except (LookupError, TypeError):
            return None
        return held if told.get("url") == url and self.archive.has(held.sha256) else None

    def note(self, url: str, held: Held) -> None:
        """Keep what an address gave."""
        _write(self._address(url), {"url": url, **dataclasses.asdict(held)})

    def confirm(self, source_id: str, files: tuple[Stored, ...], day: date) -> None:
        """Keep that a source was good with these files on that day."""
        told = {"files": [[f.name, f.sha256] for f in files], "confirmed_on": day.isoformat()}
        _write(self._source(source_id), told)

    def confirmed_on(self, source_id: str, files: tuple[Stored, ...]) -> str:
        """Return the day on which the publisher last gave these files; "" where not known."""
        told = _read(self._source(source_id))
        day = str(told.get("confirmed_on", ""))
        is_same = told.get("files") == [[f.name, f.sha256] for f in files]
        return day if is_same and is_date(day) else ""

    def _address(self, url: str) -> Path:
        return self.archive.folder / "addresses" / f"{sha256_of(url.encode())}.json"

    def _source(self, source_id: str) -> Path:
        return self.archive.folder / "confirmed" / f"{source_id}.json"


def _read(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _write(path: Path, told: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    with draft.open("w", encoding="utf-8") as file:
        json.dump(told, file, ensure_ascii=False, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
