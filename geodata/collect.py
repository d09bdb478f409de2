"""What do they publish today? Files, addresses, queries and tables, kept in the archive.

Nothing is judged here beyond what the transport can tell: reachable, of the pinned checksum, of
an allowed size.
"""

import shutil
import stat
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

import httpx

from geodata import overpass, postgis
from geodata.archive import Archive, Stored, sha256_of_all, sha256_of_file
from geodata.catalog import RemoteFile, Source
from geodata.errors import SourceError, UsageError
from geodata.fetch import Limits, fetch, who_asks
from geodata.findings import Finding
from geodata.freshness import Freshness, Held
from geodata.guard import UnreachableError, parse_networks


@dataclass(frozen=True)
class Collected:
    """What one source gave in this run.

    ``state`` is ``fresh``, ``stale`` (the last good copy), ``missing`` or ``refused``; ``why``
    says why it is not fresh. ``files`` are in the archive; ``confirmed_on`` is the day on which
    a stale source last gave them.
    """

    source: Source
    state: str
    files: tuple[Stored, ...]
    why: str = ""
    findings: tuple[Finding, ...] = ()
    confirmed_on: str = ""

    @property
    def sha256(self) -> str:
        """One checksum for the whole source; empty where nothing was collected."""
        return sha256_of_all(self.files) if self.files else ""


@dataclass(frozen=True)
class Network:
    """How remote sources are read: from a mirror folder, from the network, or not at all."""

    mirror: Path | None = None
    online: bool = True

    def __post_init__(self) -> None:
        if self.mirror is not None and not self.mirror.is_dir():
            raise UsageError(
                f"--mirror {self.mirror} is not a folder; name the mirror's top folder"
            )


def collect_source(source: Source, archive: Archive, network: Network) -> Collected:
    """Collect one source into the archive.

    A file that does not match its ``sha256`` is still collected, with a finding that refuses
    the source, so that every other fault in it can be told too. A remote source that cannot be
    had falls back to its last good copy, then to ``missing`` where it is optional.
    """
    if source.kind == "file":
        return _collect_file(source, archive)
    try:
        if source.kind == "url":
            files = tuple(_collect_url(source, f, archive, network) for f in source.files)
        else:
            files = (_collect_answer(source, archive, network),)
    except UnreachableError as error:
        return _fall_back(source, archive, str(error), ())
    except SourceError as error:
        return _fall_back(source, archive, error.message, (error.finding(),))
    except UsageError as error:
        found = SourceError(source.source_id, "address_stays_in_the_mirror", str(error)).finding()
        return _fall_back(source, archive, str(error), (found,))
    return Collected(source, "fresh", files)


def _collect_file(source: Source, archive: Archive) -> Collected:
    try:
        _require_own(source)
    except SourceError as error:
        return Collected(source, "refused", (), error.message, (error.finding(source.table),))
    except OSError as error:
        message = f"{source.file} cannot be read ({error.strerror}); put the publisher's file there"
        found = SourceError(source.source_id, "file_is_present", message).finding(source.table)
        return Collected(source, "refused", (), message, (found,))
    files = (Stored(source.file, archive.put_file(source.path)),)
    if files[0].sha256 == source.sha256:
        return Collected(source, "fresh", files)
    message = (
        f"{source.file} has sha256 {files[0].sha256}, source.toml says {source.sha256[:12]}…; "
        "for a new edition, update sha256, retrieved_on and as_of together"
    )
    found = SourceError(source.source_id, "file_is_as_described", message).finding(source.table)
    return Collected(source, "refused", files, message, (found,))


def _require_own(source: Source) -> None:
    """Refuse what is no file of the folder: a link out of it, a pipe, or more than is allowed."""
    told = source.path.lstat()
    if not stat.S_ISREG(told.st_mode):
        message = f"{source.file} is a link, a folder or a device; put the file itself there"
        raise SourceError(source.source_id, "file_is_present", message)
    source.limits.hold(source.source_id, "bytes", told.st_size, source.file)
    source.path.open("rb").close()  # OSError where we may not read it


def _fall_back(
    source: Source, archive: Archive, why: str, findings: tuple[Finding, ...]
) -> Collected:
    files = archive.last_good(source.source_id)
    if files:
        noted = tuple(replace(found, severity="note") for found in findings)
        return Collected(source, "stale", files, why, noted, held_since(source, archive, files))
    if not findings and not source.optional:
        message = f"{why}; the source is not optional and was never had before"
        error = SourceError(source.source_id, "source_is_reachable", message)
        findings = (error.finding(source.table or source.layer),)
    return Collected(source, "refused" if findings else "missing", (), why, findings)


def held_since(source: Source, archive: Archive, files: tuple[Stored, ...]) -> str:
    """Return the day a held copy was last confirmed, or that on which it was taken."""
    known = Freshness(archive).confirmed_on(source.source_id, files)
    return known or source.retrieved_on.isoformat()


def _collect_url(source: Source, file: RemoteFile, archive: Archive, network: Network) -> Stored:
    name = urlsplit(file.url).path.rsplit("/", 1)[-1]
    if file.sha256 and archive.has(file.sha256):
        return Stored(name, file.sha256)
    with archive.incoming(file.url) as path:
        if network.mirror is not None:
            _copy_mirrored(mirror_path(network.mirror, file.url), file.bytes, path)
            return Stored(name, _keep(source, file, path, archive))
        if not network.online:
            raise UnreachableError(f"{file.url} was not asked for: the run is offline")
        return Stored(name, _ask(source, file, path, archive))


def _ask(source: Source, file: RemoteFile, path: Path, archive: Archive) -> str:
    """Ask for a file with what its address said last; where it is unchanged, the held is it."""
    freshness = Freshness(archive)
    held = None if file.sha256 else freshness.held(file.url)
    conditions = held.validators.headers if held else {}
    request = httpx.Request("GET", file.url, headers=who_asks() | conditions)
    with path.open("w+b") as into:
        validators = fetch(request, _limits(source, file), into)
    if validators is None and held:
        return held.sha256
    sha256 = _keep(source, file, path, archive)
    if validators:
        freshness.note(file.url, Held(sha256, validators))
    return sha256


def _limits(source: Source, asked: Source | RemoteFile) -> Limits:
    return Limits(asked.bytes, asked.seconds, parse_networks(source.allowed_networks))


def _keep(source: Source, file: RemoteFile, path: Path, archive: Archive) -> str:
    found = sha256_of_file(path)
    if file.sha256 and found != file.sha256:
        raise SourceError(
            source.source_id,
            "file_is_as_described",
            f"{file.url} has sha256 {found}, source.toml pins {file.sha256[:12]}…; "
            "look at what changed before updating the pin",
        )
    return archive.adopt(path, found)


def _collect_answer(source: Source, archive: Archive, network: Network) -> Stored:
    """Collect what a server makes for us: the reply to a query, or the rows of a relation."""
    is_query = source.kind == "overpass"
    name = f"{source.query_name}.json" if is_query else f"{source.source_id}.{source.format}"
    with archive.incoming(name) as path:
        if network.mirror is not None:
            _copy_mirrored(network.mirror / source.kind / name, source.bytes, path)
        elif not network.online:
            asked = source.endpoint or source.connection
            raise UnreachableError(f"{asked} was not asked: the run is offline")
        else:
            with path.open("w+b") as into:
                _answer(source, into)
        return Stored(name, archive.adopt(path, sha256_of_file(path)))


def _answer(source: Source, into: BinaryIO) -> None:
    if source.kind == "overpass":
        overpass.ask(source.endpoint, source.query, _limits(source, source), into)
    else:
        postgis.read_relation(source, into)


def mirror_path(mirror: Path, url: str) -> Path:
    """Return where a mirror keeps an address: ``host/path``. UsageError where it leaves it."""
    parts = urlsplit(url)
    path = (mirror / (parts.hostname or "") / parts.path.lstrip("/")).resolve()
    if not path.is_relative_to(mirror.resolve()):
        raise UsageError(f"{url} would be read from outside the mirror; correct the address")
    return path


def _copy_mirrored(path: Path, limit: int, into: Path) -> None:
    try:
        mirrored = path.open("rb")
    except OSError as error:
        raise UnreachableError(f"the mirror does not hold {path.name}") from error
    with mirrored, into.open("wb") as kept:
        size = path.stat().st_size
        if size > limit:
            raise UnreachableError(f"{path.name} in the mirror has {size} bytes, more than {limit}")
        shutil.copyfileobj(mirrored, kept)
