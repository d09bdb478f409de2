"""What do they publish today? Files, addresses and Overpass queries, kept in the archive.

Nothing is judged here beyond what the transport can tell: reachable, of the pinned checksum, of
an allowed size. Retries belong to the network only.
"""

import contextlib
import time
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import stamina

from geodata.archive import Archive, Stored, sha256_of, sha256_of_all
from geodata.catalog import RemoteFile, Source
from geodata.errors import AtlasError, SourceError, UsageError
from geodata.findings import Finding

TIMEOUT = httpx.Timeout(30.0, connect=5.0)
PATIENCE_S = 600.0
"""The longest one answer may take: a server that drips must not hold up the night."""

ATTEMPTS = 3
OVERPASS_BYTES = 50_000_000
HEADERS = {"User-Agent": "hau-giang-atlas (nightly atlas build)"}
TEMPORARY = (429, 502, 503, 504)


class UnreachableError(AtlasError):
    """An address gave no usable answer now; it may later."""


@dataclass(frozen=True)
class Collected:
    """What one source gave in this run.

    ``state`` is ``fresh``, ``stale`` (the last good copy), ``missing`` or ``refused``; ``why``
    says why it is not fresh. ``files`` are in the archive.
    """

    source: Source
    state: str
    files: tuple[Stored, ...]
    why: str = ""
    findings: tuple[Finding, ...] = ()

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
            files = (_collect_overpass(source, archive, network),)
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
        content = source.path.read_bytes()
    except OSError as error:
        message = f"{source.file} cannot be read ({error.strerror}); put the publisher's file there"
        found = SourceError(source.source_id, "file_is_present", message).finding(source.table)
        return Collected(source, "refused", (), message, (found,))
    files = (Stored(source.file, archive.put(content)),)
    if files[0].sha256 == source.sha256:
        return Collected(source, "fresh", files)
    message = (
        f"{source.file} has sha256 {files[0].sha256}, source.toml says {source.sha256[:12]}…; "
        "for a new edition, update sha256, retrieved_on and as_of together"
    )
    found = SourceError(source.source_id, "file_is_as_described", message).finding(source.table)
    return Collected(source, "refused", files, message, (found,))


def _fall_back(
    source: Source, archive: Archive, why: str, findings: tuple[Finding, ...]
) -> Collected:
    files = archive.last_good(source.source_id)
    if files:
        noted = tuple(replace(found, severity="note") for found in findings)
        return Collected(source, "stale", files, why, noted)
    if not findings and not source.optional:
        message = f"{why}; the source is not optional and was never had before"
        error = SourceError(source.source_id, "source_is_reachable", message)
        findings = (error.finding(source.table or source.layer),)
    return Collected(source, "refused" if findings else "missing", (), why, findings)


def _collect_url(source: Source, file: RemoteFile, archive: Archive, network: Network) -> Stored:
    name = urlsplit(file.url).path.rsplit("/", 1)[-1]
    if file.sha256 and archive.has(file.sha256):
        return Stored(name, file.sha256)
    content = _read_remote(file.url, file.bytes, network)
    found = sha256_of(content)
    if file.sha256 and found != file.sha256:
        raise SourceError(
            source.source_id,
            "file_is_as_described",
            f"{file.url} has sha256 {found}, source.toml pins {file.sha256[:12]}…; "
            "look at what changed before updating the pin",
        )
    return Stored(name, archive.put(content))


def _read_remote(url: str, limit: int, network: Network) -> bytes:
    if network.mirror is not None:
        return _read_mirror(mirror_path(network.mirror, url), limit)
    if not network.online:
        raise UnreachableError(f"{url} was not asked for: the run is offline")
    return _fetch(httpx.Request("GET", url, headers=HEADERS), limit)


def _collect_overpass(source: Source, archive: Archive, network: Network) -> Stored:
    name = f"{source.query_name}.json"
    if network.mirror is not None:
        return Stored(
            name, archive.put(_read_mirror(network.mirror / "overpass" / name, OVERPASS_BYTES))
        )
    if not network.online:
        raise UnreachableError(f"{source.endpoint} was not asked: the run is offline")
    request = httpx.Request("POST", source.endpoint, data={"data": source.query}, headers=HEADERS)
    return Stored(name, archive.put(_fetch(request, OVERPASS_BYTES)))


def mirror_path(mirror: Path, url: str) -> Path:
    """Return where a mirror keeps an address: ``host/path``. UsageError where it leaves it."""
    parts = urlsplit(url)
    path = (mirror / (parts.hostname or "") / parts.path.lstrip("/")).resolve()
    if not path.is_relative_to(mirror.resolve()):
        raise UsageError(f"{url} would be read from outside the mirror; correct the address")
    return path


def _read_mirror(path: Path, limit: int) -> bytes:
    try:
        size = path.stat().st_size
        if size > limit:
            raise UnreachableError(f"{path.name} in the mirror has {size} bytes, more than {limit}")
        return path.read_bytes()
    except OSError as error:
        raise UnreachableError(f"the mirror does not hold {path.name}") from error


class _TemporaryError(Exception):
    """A failure of the network that may pass."""


@stamina.retry(on=_TemporaryError, attempts=ATTEMPTS, wait_initial=0.2, wait_max=2.0)
def _fetch_once(request: httpx.Request, limit: int) -> bytes:
    try:
        with httpx.Client(timeout=TIMEOUT) as client:
            response = client.send(request, stream=True)
            with contextlib.closing(response):
                return _read_response(response, limit)
    except httpx.RequestError as error:
        raise _TemporaryError(f"{request.url}: {type(error).__name__}: {error}") from error


def _read_response(response: httpx.Response, limit: int) -> bytes:
    if response.status_code in TEMPORARY:
        raise _TemporaryError(f"{response.url} answered {response.status_code}")
    if response.status_code != httpx.codes.OK:
        raise UnreachableError(f"{response.url} answered {response.status_code}, not 200")
    content = bytearray()
    patience = time.monotonic() + PATIENCE_S
    for chunk in response.iter_bytes():
        content += chunk
        if time.monotonic() > patience:
            raise UnreachableError(f"{response.url} still sends after {PATIENCE_S} s")
        if len(content) > limit:
            raise UnreachableError(f"{response.url} sends more than {limit} bytes")
    return bytes(content)


def _fetch(request: httpx.Request, limit: int) -> bytes:
    try:
        return _fetch_once(request, limit)
    except _TemporaryError as error:
        raise UnreachableError(str(error)) from error
