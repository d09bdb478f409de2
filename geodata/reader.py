"""Where files from outside are read: in `geodata.sandbox`, and what became of it is told here."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

import pyogrio

from geodata.archive import Archive, Stored, sha256_of
from geodata.catalog import Source
from geodata.errors import SourceError
from geodata.limits import Limits
from geodata.parcels import unpack_cells, unpack_layer, unpack_sheet
from geodata.read import Layer, Sheet, joined, read_table
from geodata.sandbox import BROKEN, DONE, NO_MEMORY, REFUSED
from geodata.workbooks import SheetCells

SMALL = 1_000_000
"""A CSV of our own up to this many bytes is read here: text of that size can harm nobody."""

COMMAND = "from geodata.sandbox import serve; serve()"
GDAL_DRIVERS = {"GPKG", "FlatGeobuf", "ESRI Shapefile", "DXF", "GeoJSON"}
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ARROW_NUM_THREADS")
TOO_LONG = {-signal.SIGALRM, -signal.SIGXCPU}
TOO_LARGE = {NO_MEMORY, -signal.SIGKILL, -signal.SIGABRT}
KEPT = ("PATH", "LANG", "LC_")
"""What the sandbox is told of our environment, where passwords of others may stand."""

STARTS = 2
"""How often a request is tried where the sandbox itself was ended by somebody."""

Files = Sequence[tuple[str, Path, str]]
"""Name, path and checksum."""

Answer = Generator[tuple[int | None, bytes], None, None]
"""Parcels; last how the fork that sent them ended, and why."""


class Reader:
    """Reads sources; starts the sandbox when the first file from outside comes, and ends it.

    Every method raises SourceError where a file is refused, needs more memory or time than its
    limits allow, or breaks its reader.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._answer: Answer | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._hear_no_more()
        self._end()

    def start(self) -> None:
        """Start the sandbox now, so that it is ready when a file comes."""
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", COMMAND],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_environment(),
            )

    def parts(self, source: Source, file: Stored, archive: Archive) -> Iterator[Sheet]:
        """Read a table source part after part; a small CSV of our own in this process.

        The next part is read while one does something with the last. Only what ended without a
        SourceError was read whole.
        """
        if not is_outside(source, archive.path_of(file.sha256)):
            yield read_table(source, archive.get(file.sha256))
            return
        for told in self._source("sheet", source, [file], archive):
            yield unpack_sheet(source, told)

    def sheet(self, source: Source, file: Stored, archive: Archive) -> Sheet:
        """Read a table source as a whole."""
        return joined(self.parts(source, file, archive))

    def layer(self, source: Source, files: Sequence[Stored], archive: Archive) -> Layer:
        """Read a layer source."""
        return unpack_layer(source, b"".join(self._source("layer", source, files, archive)))

    def cells(self, source_id: str, content: bytes, limits: Limits) -> dict[str, SheetCells]:
        """Read every sheet of a workbook that is no source."""
        limits.hold(source_id, "bytes", len(content), "the workbook")
        with tempfile.NamedTemporaryFile(prefix="atlas-") as file:
            file.write(content)
            file.flush()
            files = [("the workbook", Path(file.name), sha256_of(content))]
            return unpack_cells(b"".join(self._ask(source_id, limits, files, what="cells")))

    def _source(
        self, what: str, source: Source, files: Sequence[Stored], archive: Archive
    ) -> Iterator[bytes]:
        found = [(f.name, archive.path_of(f.sha256), f.sha256) for f in files]
        told = source.model_dump(mode="json")
        return self._ask(source.source_id, source.limits, found, what=what, source=told)

    def _ask(self, source_id: str, limits: Limits, files: Files, **more: object) -> Iterator[bytes]:
        request = {
            "source_id": source_id,
            "limits": limits.model_dump(),
            "files": [(name, str(path.resolve()), sha256) for name, path, sha256 in files],
            **more,
        }
        had = 0
        for _ in range(STARTS):
            self._hear_no_more()
            self.start()
            self._answer = self._exchange(request)
            with suppress(OSError, EOFError):
                for ended, payload in islice(self._answer, had, None):
                    if ended == DONE:
                        return
                    if ended is not None:
                        raise _refusal(source_id, limits, ended, payload)
                    had += 1  # who reads the same again finds the same parcels
                    yield payload
            self._end()
        message = "the process that reads files was ended from outside; run again"
        raise SourceError(source_id, "reader_survives", message)

    def _exchange(
        self, request: dict[str, object]
    ) -> Generator[tuple[int | None, bytes], None, None]:
        """Yield the parcels of an answer; last how its fork ended, and why.

        An answer that is not heard to its end ends the sandbox.
        """
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise EOFError
        ended: int | None = None
        try:
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
            while ended is None:
                head = process.stdout.readline()
                if not head.endswith(b"\n"):
                    raise EOFError
                told: dict[str, int] = json.loads(head)
                payload = process.stdout.read(told["bytes"])
                if len(payload) != told["bytes"]:
                    raise EOFError
                ended = told.get("ended")
                yield ended, payload
        finally:
            if ended is None:
                process.kill()
                self._end()

    def _hear_no_more(self) -> None:
        """End an answer that was not heard to its end."""
        if self._answer is not None:
            self._answer.close()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(OSError):
            process.communicate()


def is_outside(source: Source, path: Path) -> bool:
    """Tell whether a file must be read in the sandbox: all but small CSV files of our own."""
    if source.kind != "file" or source.format != "csv":
        return True
    return not path.is_file() or path.stat().st_size > SMALL


def _refusal(source_id: str, limits: Limits, ended: int, payload: bytes) -> SourceError:
    if ended == REFUSED:
        rule, message = json.loads(payload)
        return SourceError(source_id, str(rule), str(message))
    if ended in TOO_LARGE:
        message = (
            f"its reader needed more than {limits.memory_mb} MB; where that is right, raise "
            "memory_mb under [limits] in its source.toml"
        )
        return SourceError(source_id, "file_is_within_limits", message)
    if ended in TOO_LONG:
        message = (
            f"its reader needed more than {limits.seconds} s; where that is right, raise "
            "seconds under [limits] in its source.toml"
        )
        return SourceError(source_id, "file_is_within_limits", message)
    last = payload.decode(errors="replace").strip().splitlines()[-1:] if ended == BROKEN else []
    how = "".join(last)[:300] or f"signal {-ended}"
    message = f"its reader broke ({how}); look at the file, and tell us if it is sound"
    return SourceError(source_id, "reader_survives", message)


def _environment() -> dict[str, str]:
    """Return the sandbox's environment: GDAL without drivers that follow addresses, no threads."""
    skipped = sorted(set(pyogrio.list_drivers()) - GDAL_DRIVERS)
    kept = {name: value for name, value in os.environ.items() if name.startswith(KEPT)}
    return {
        **kept,
        **dict.fromkeys(ONE_THREAD, "1"),
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "GDAL_SKIP": ",".join(skipped),
        "MALLOC_ARENA_MAX": "2",
    }
