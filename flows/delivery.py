"""Publishing targets: where else an edition goes once it is published here.

An address is ``s3://bucket/prefix``, or anything that rsync takes: a folder, ``host:folder``,
``rsync://host/module/folder``. It holds no password: those come from the environment.
"""

import json
import logging
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from atlas.editions import Shop
from atlas.targets import in_order
from geodata.errors import DeliveryError, UsageError

log = logging.getLogger("atlas.run")

MARKER = "atlas-target.json"
SHOWN = 5
RSYNC_REST = re.compile(r"(^|/)\.([^/]+)\.[A-Za-z0-9]{6}$")
"""What rsync may leave of a file that it was writing when it was killed."""

BUCKET = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/([A-Za-z0-9._/-]*))?")
REMOTE = re.compile(r"[^/]+:")


def check_address(address: str, root: Path) -> str:
    """Return the address of a target. UsageError where it is none that we can deliver to."""
    scheme = address.partition("://")[0] if "://" in address else ""
    if scheme == "s3" and not BUCKET.fullmatch(address):
        raise UsageError(f"{address!r} is no bucket; write it as s3://bucket/prefix")
    if scheme not in ("", "s3", "rsync") or address[:1] in ("", "-"):
        raise UsageError(
            f"{address!r} is no target; write a folder, host:folder, rsync:// or s3://"
        )
    if scheme and urlsplit(address).password:
        raise UsageError("an address holds no password; give it in the environment")
    if not REMOTE.match(address):
        folder = Path(address).resolve()
        if folder.is_relative_to(root) or root.is_relative_to(folder):
            raise UsageError(f"{folder} and the atlas at {root} lie in each other; choose another")
        return str(folder)
    return address


class Target(Protocol):
    """Where files can be put, compared and removed by name."""

    def held(self) -> set[str]:
        """Return the names of all that is there."""
        ...

    def read(self, name: str) -> bytes:
        """Return one file."""
        ...

    def write(self, name: str, content: bytes) -> None:
        """Write one small file."""
        ...

    def send(self, folder: Path, names: Iterable[str]) -> None:
        """Send files of a folder that are not there with these bytes."""
        ...

    def differing(self, folder: Path, names: Iterable[str]) -> list[str]:
        """Return the names whose bytes are others there than here."""
        ...

    def remove(self, names: Iterable[str]) -> None:
        """Remove files."""
        ...


def _target(address: str) -> Target:
    bucket = BUCKET.fullmatch(address)
    if bucket:
        from flows.bucket import Bucket

        return Bucket(bucket[1], (bucket[2] or "").strip("/"))
    from flows.rsync import Folder

    return Folder(address)


def deliver(shop: Shop, address: str) -> None:
    """Bring the current edition to a target. DeliveryError where that cannot be done."""
    edition = shop.current()
    if not edition:
        raise UsageError(f"{shop.public} is not published yet; run atlas refresh first")
    try:
        _bring(_target(address), shop.editions / edition)
    except DeliveryError as error:
        raise DeliveryError(f"{address} has not got edition {edition}: {error}") from error
    log.info("%s has edition %s", address, edition)


def _bring(target: Target, folder: Path) -> None:
    """Make a target hold exactly a published folder.

    New files first, in the order in which pages need them; then every byte is compared; what is
    old goes last. The marker lists, before anything is sent, all that we may have written: a
    delivery that was cut is taken up again, and nothing that is not ours is ever touched.
    """
    groups = list(in_order(folder))
    names = {name for group in groups for name in group}
    held = target.held()
    ours = _ours(target, held)
    _mark(target, folder.name, ours | names)
    for group in groups:
        target.send(folder, group)
    wrong = target.differing(folder, sorted(names))
    if wrong:
        raise DeliveryError(f"files are not as they were sent: {_some(wrong)}; publish again")
    gone = sorted(held - names - {MARKER})
    if gone:
        target.remove(gone)
    _mark(target, folder.name, names)


def _ours(target: Target, held: set[str]) -> set[str]:
    """Return what earlier deliveries wrote. DeliveryError where there is anything else."""
    ours: set[str] = set()
    if MARKER in held:
        try:
            ours = set(json.loads(target.read(MARKER))["names"])
        except (ValueError, KeyError, TypeError) as error:
            raise DeliveryError(f"{MARKER} of the target cannot be read; look at it") from error
    strange = sorted(n for n in held - ours - {MARKER} if RSYNC_REST.sub(r"\1\2", n) not in ours)
    if strange:
        raise DeliveryError(
            f"the target holds {len(strange)} files that the atlas did not write, such as "
            f"{_some(strange)}; move them away or choose another target"
        )
    return ours


def _mark(target: Target, edition: str, names: set[str]) -> None:
    told = {"edition": edition, "names": sorted(names)}
    target.write(MARKER, (json.dumps(told, ensure_ascii=False, indent=1) + "\n").encode())


def _some(names: list[str]) -> str:
    return ", ".join(names[:SHOWN])


def deliver_all(shop: Shop, addresses: tuple[str, ...]) -> list[str]:
    """Bring the current edition to every target; return what went wrong, one text a target."""
    faults = []
    for address in addresses if shop.current() else ():
        try:
            deliver(shop, address)
        except DeliveryError as error:
            log.error("%s", error)
            faults.append(str(error))
    return faults
