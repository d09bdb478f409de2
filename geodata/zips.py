"""What a zip may be before anything is unpacked; it is unpacked to memory only, never to disk."""

import io
import re
import stat
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from unicodedata import normalize

from geodata.errors import SourceError
from geodata.limits import MEGABYTE, Limits

ENTRY_MARK = b"PK\x01\x02"
LOCAL_HEADER = 30
SMALL = MEGABYTE
"""Below this many bytes a high ratio harms nobody: an empty table packs very well."""

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
OUTSIDE = re.compile(r"^/|^[A-Za-z]:|\\|[\x00-\x1f\x7f]|(^|/)\.\.(/|$)")
TORN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
"""What `zipfile` raises at a file that is no zip, is cut, is locked or lies about itself."""

ODD = (*TORN, ValueError, OverflowError, UnicodeDecodeError)


@dataclass(frozen=True)
class Unpacked:
    """The entries of a checked zip by name; each is read when it is asked for."""

    source_id: str
    archive: zipfile.ZipFile
    entries: Mapping[str, zipfile.ZipInfo]

    def read(self, name: str) -> bytes:
        """Return the bytes of an entry. SourceError where it is absent or torn."""
        if name not in self.entries:
            raise _refusal(self.source_id, f"the archive holds no {name}")
        try:
            return self.archive.read(self.entries[name])
        except ODD as error:
            raise _refusal(self.source_id, f"{name} cannot be unpacked: {error}") from error

    def ending(self, suffix: str) -> list[str]:
        """Return the names that end so, whatever their case."""
        return [name for name in self.entries if name.lower().endswith(suffix)]


def open_zip(source_id: str, content: bytes, limits: Limits) -> Unpacked:
    """Open a zip held in memory. SourceError where it is torn or may not be unpacked.

    Refused before a byte is unpacked: more entries, more unpacked bytes or a higher ratio than
    allowed; entries that overlap, are links, locked or packed by other methods than deflate;
    names that leave the folder or that stand twice, by case or Unicode form.
    """
    limits.hold(source_id, "entries", content.count(ENTRY_MARK), "the archive")
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        infos = [info for info in archive.infolist() if not info.filename.endswith("/")]
    except ODD as error:
        raise _refusal(source_id, f"the archive cannot be opened: {error}") from error
    limits.hold(source_id, "unpacked_bytes", sum(i.file_size for i in infos), "the archive")
    faults = [fault for info in infos for fault in _faults(info, limits)] + _overlaps(infos)
    names = [normalize("NFC", info.filename).casefold() for info in infos]
    faults += [f"{name!r} stands twice" for name in set(names) if names.count(name) > 1]
    if faults:
        raise _refusal(source_id, f"the archive is not sound: {'; '.join(sorted(faults)[:5])}")
    return Unpacked(source_id, archive, {info.filename: info for info in infos})


def _faults(info: zipfile.ZipInfo, limits: Limits) -> list[str]:
    mode = info.external_attr >> 16
    packed = max(info.compress_size, 1)
    # zipfile cuts a name at its first NUL and turns the system's own separator into a slash
    names = (info.filename, info.orig_filename)
    told = (
        (any(OUTSIDE.search(name) for name in names), "leaves its folder"),
        (not info.filename, "has no name"),
        (bool(stat.S_IFMT(mode)) and not stat.S_ISREG(mode), "is a link or a device"),
        (bool(info.flag_bits & 0x1), "is locked with a password"),
        (info.compress_type not in METHODS, "is packed by another method than deflate"),
        (
            info.file_size > SMALL and info.file_size / packed > limits.ratio,
            f"unpacks to more than {limits.ratio} times its size",
        ),
    )
    return [
        f"{PurePosixPath(info.filename).name[:60]!r} {why}" for is_broken, why in told if is_broken
    ]


def _overlaps(infos: list[zipfile.ZipInfo]) -> list[str]:
    """Return a fault where two entries share bytes, which is how one byte unpacks many times."""
    placed = sorted(infos, key=lambda info: info.header_offset)
    return [
        "entries overlap"
        for one, other in zip(placed, placed[1:], strict=False)
        if one.header_offset + LOCAL_HEADER + one.compress_size > other.header_offset
    ][:1]


def _refusal(source_id: str, message: str) -> SourceError:
    return SourceError(
        source_id, "archive_is_sound", f"{message}; ask its publisher for a plain one"
    )
