"""Editions: immutable folders, published by one rename, listed and gone back to.

Below a root lie ``editions/<id>/``, the link ``public`` to one of them, and ``status.json`` and
``status.md``, the record of the last run for machines and for people. Each edition links to them:
they are the one thing in a published folder that a later run may change.

Beside the editions, in ``.pinned`` and ``.held``, lie empty files: what a person decided.
"""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from geodata.archive import sha256_of, sha256_of_written
from geodata.errors import AtlasError, UsageError
from geodata.region import FILE

MANIFEST = "manifest.json"
STATUS = "status.json"
STATUS_TEXT = "status.md"
ASSETS = "assets/"
PINNED, HELD = ".pinned", ".held"
ROLLBACK = "rollback"
"""What a person accepts to have the inputs published again that somebody went back from."""

TILE_OVER = 2_000
"""A layer with more features is published as vector tiles, where nobody asks otherwise."""

BLOCK_BYTES = 48_000_000
"""So much WKB is made into tiles at once, at most; that takes some six times as much memory."""

KEPT = 10
DOOMED = ".old-"
CODE_SUFFIXES = {".py", ".toml", ".j2", ".css", ".js", ".json", ".svg"}


@dataclass(frozen=True)
class Inputs:
    """What an edition is a pure function of."""

    as_of: date
    sources: tuple[tuple[str, str, str], ...]
    code: str
    site_url: str
    previous: str
    contact: str = ""
    looks_back: str = ""
    tile_over: int = TILE_OVER

    @property
    def key(self) -> str:
        """Checksum of everything but the previous edition: equal keys, equal content."""
        told: list[object] = [
            self.as_of.isoformat(),
            self.sources,
            self.code,
            self.site_url,
            self.contact,
        ]
        told += [self.looks_back] if self.looks_back else []
        told += [{"tile_over": self.tile_over}] if self.tile_over != TILE_OVER else []
        return sha256_of(json.dumps(told).encode())

    @property
    def edition(self) -> str:
        """The edition's id; no clock in it."""
        return f"{self.as_of.isoformat()}-{sha256_of((self.key + self.previous).encode())[:12]}"


def code_digest(tops: Iterable[Path], lock: Path, region: Path) -> str:
    """Checksum of the code and the settings below these folders, and of the locked versions.

    ``lock`` names the locked versions, ``region`` the ``region.toml``: of no other region's.
    """
    digest = hashlib.sha256(lock.read_bytes() if lock.is_file() else b"")
    digest.update(hashlib.sha256(region.read_bytes()).digest())
    for top in tops:
        for path in sorted(_code_below(top)):
            digest.update(f"{top.name}/{path.relative_to(top).as_posix()}\n".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _code_below(top: Path) -> Iterator[Path]:
    """Yield the files of code and settings; folders of others' code or of sources are not seen."""
    for folder, inner, names in os.walk(top):
        inner[:] = [name for name in inner if name not in ("node_modules", "sources")]
        paths = (Path(folder, name) for name in names if name != FILE)
        yield from (path for path in paths if path.suffix in CODE_SUFFIXES and path.is_file())


def write_manifest(
    folder: Path, inputs: Inputs, compared: Mapping[str, object] | None = None
) -> None:
    """Write the manifest: the inputs, what ``compared`` says, every file's checksum and size."""
    files = {
        path.relative_to(folder).as_posix(): {
            "sha256": sha256_of_written(path),
            "bytes": path.stat().st_size,
        }
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink() and path != folder / MANIFEST
    }
    told = {
        "edition": inputs.edition,
        "as_of": inputs.as_of.isoformat(),
        "key": inputs.key,
        "previous_edition": inputs.previous or None,
        "looks_back": inputs.looks_back or None,
        **(compared or {}),
        "files": files,
    }
    text = json.dumps(told, ensure_ascii=False, indent=1) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return an edition's manifest. AtlasError where the folder is no edition."""
    try:
        told = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return {**told, "key": str(told["key"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AtlasError(f"{folder} holds no readable {MANIFEST}; it is not an edition") from error


@dataclass(frozen=True)
class Shop:
    """The editions below one root folder."""

    root: Path

    @property
    def public(self) -> Path:
        """The link that readers follow."""
        return self.root / "public"

    @property
    def editions(self) -> Path:
        """Where the editions lie."""
        return self.root / "editions"

    def current(self) -> str:
        """Return the id of the published edition, or ""."""
        return self.public.readlink().name if self.public.is_symlink() else ""

    def listed(self) -> list[str]:
        """Return the ids of all whole editions, in the order they were published."""
        whole = [p for p in self.editions.glob("*/" + MANIFEST) if p.parent.name[0] != "."]
        return [p.parent.name for p in sorted(whole, key=lambda p: (p.stat().st_mtime_ns, p))]

    def current_key(self) -> str:
        """Return the inputs' key of the published edition, or ""."""
        name = self.current()
        if not name:
            return ""
        with contextlib.suppress(AtlasError):
            return str(read_manifest(self.editions / name)["key"])
        return ""

    def draft(self) -> Path:
        """Return a new empty folder beside the editions, to be drawn into."""
        folder = self.editions / ".draft"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def publish(self, draft: Path, edition: str) -> None:
        """Flush a finished draft to disk, give it its name and switch the link to it."""
        for name in (STATUS, STATUS_TEXT):
            (draft / name).symlink_to(Path("..") / ".." / name)
        _flush(draft)
        folder = self.editions / edition
        if folder.exists():
            shutil.rmtree(draft)
        else:
            draft.rename(folder)
        self.switch(edition)
        for key in (self.editions / HELD).glob("*"):
            key.unlink()
        self._prune()

    def discard_draft(self) -> None:
        """Remove what a run that failed had drawn, so that its space is free again."""
        shutil.rmtree(self.editions / ".draft", ignore_errors=True)

    def switch(self, edition: str) -> None:
        """Point ``public`` at an edition by one rename. UsageError where there is none such."""
        self._require(edition)
        if self.public.exists() and not self.public.is_symlink():
            raise UsageError(f"{self.public} is not a link; move it away, then refresh again")
        self._carry(edition)
        link = self.root / ".public.new"
        link.unlink(missing_ok=True)
        link.symlink_to(Path("editions") / edition)
        link.replace(self.public)

    def rollback(self, edition: str = "") -> str:
        """Go to an edition, or back to the one before the current; return its id.

        Going back holds the edition that is left: its inputs are not published again by
        themselves (``is_held``). Going to a held edition frees it.
        """
        ids, now = self.listed(), self.current()
        if not edition:
            before = ids[: ids.index(now)] if now in ids else ids
            if not before:
                raise UsageError("there is no earlier edition to go back to")
            edition = before[-1]
        self._require(edition)
        left = self.current_key()
        if left and ids.index(edition) < ids.index(now):
            _mark(self.editions / HELD / left)
        self.switch(edition)
        (self.editions / HELD / self.current_key()).unlink(missing_ok=True)
        return edition

    def is_held(self, key: str) -> bool:
        """Say whether a person went back from the edition that has these inputs."""
        return (self.editions / HELD / key).is_file()

    def pinned(self) -> list[str]:
        """Return the ids of the editions that are never removed."""
        marked = {path.name for path in (self.editions / PINNED).glob("*")}
        return [name for name in self.listed() if name in marked]

    def pin(self, edition: str) -> None:
        """Keep an edition for ever, beside the ten newest. UsageError where there is none such."""
        self._require(edition)
        _mark(self.editions / PINNED / edition)

    def unpin(self, edition: str) -> None:
        """Let an edition go when its time comes. UsageError where there is none such."""
        self._require(edition)
        (self.editions / PINNED / edition).unlink(missing_ok=True)

    def write_status(self, status: dict[str, Any], text: str = "") -> None:
        """Replace the record of the last run, for machines and for people, each by one rename."""
        self.root.mkdir(parents=True, exist_ok=True)
        _replace(self.root / STATUS_TEXT, text)
        _replace(self.root / STATUS, json.dumps(status, ensure_ascii=False, indent=1) + "\n")

    def _require(self, edition: str) -> None:
        known = self.listed()
        if edition not in known:
            raise UsageError(
                f"there is no edition {edition!r}; there are: {', '.join(known) or 'none'}"
            )

    def _carry(self, edition: str) -> None:
        """Link the other editions' assets into this one's folder, where they are not yet.

        They are named by their content, so none hides another. A reader whose page is of an
        edition that is no longer published still gets what that page loads later. No manifest
        lists them: an edition's content does not depend on its neighbours.
        """
        for other in self.listed():
            names = [name for name in _own_files(self.editions / other) if name.startswith(ASSETS)]
            for name in names:
                target = self.editions / edition / name
                with contextlib.suppress(OSError):  # there already, or no hard links here
                    target.parent.mkdir(exist_ok=True)
                    target.hardlink_to(self.editions / other / name)

    def _prune(self) -> None:
        """Remove what is too old; a cut leaves a hidden rest, never half an edition."""
        pinned = set(self.pinned())
        newest = [name for name in self.listed() if name not in pinned][-KEPT:]
        kept = {*newest, *pinned, self.current()}
        for name in self.listed():
            if name not in kept:
                (self.editions / name).rename(self.editions / f"{DOOMED}{name}")
        for rest in self.editions.glob(f"{DOOMED}*"):
            shutil.rmtree(rest)


def _own_files(folder: Path) -> list[str]:
    with contextlib.suppress(AtlasError):
        return sorted(read_manifest(folder)["files"])
    return []


def _mark(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def _replace(path: Path, text: str) -> None:
    new = path.with_name(f".{path.name}.new")
    try:
        new.write_text(text, encoding="utf-8")
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise


def _flush(folder: Path) -> None:
    for path in [*sorted(folder.rglob("*")), folder]:
        if path.is_symlink():
            continue
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
