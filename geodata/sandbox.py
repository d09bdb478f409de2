"""The process that reads files from outside: one fork a file, which may do nothing but compute.

Before a byte is parsed the fork gives up opening anything: no file, no socket, no library. With
its memory and its time bounded too, a bad file can end its reader and nothing else. It answers
in Arrow and JSON, which run nothing where they are read.
"""

import codecs
import contextlib
import hashlib
import io
import json
import os
import re
import resource
import signal
import struct
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import geopandas as gpd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
from shapely import Point

from geodata.catalog import CODECS, Source
from geodata.crs import DISPLAY_CRS
from geodata.errors import SourceError
from geodata.limits import MEGABYTE, Limits
from geodata.parcels import pack_cells, pack_layer, pack_sheet
from geodata.read import Layer, read_layer, read_parts
from geodata.workbooks import read_cells

DONE, REFUSED, NO_MEMORY, BROKEN = 0, 3, 4, 70
"""How a fork ends on its own."""

PATIENCE = 4
"""Times its CPU seconds that a fork may take by the clock: the machine may be busy."""

ZIP_CODECS = ("cp437", "latin-1", "ascii")
"""What names in a zip and raw text are decoded with."""

OUT_OF_MEMORY = re.compile(r"bad_alloc|out of memory|malloc|cannot allocate|realloc", re.I)
CHUNK = 1 << 20
HEAD = struct.Struct("<?Q")
"""What a fork sends before a parcel or its reason: which of them it is, and its bytes."""

SHAPELESS = b'{"type":"FeatureCollection",%s"features":[{"type":"Feature","geometry":null}]}'
IN_A_ZONE = SHAPELESS % b'"crs":{"type":"name","properties":{"name":"EPSG:5897"}},'
"""GDAL keeps what it once looked up: only a fork may ask for a zone, or it opens nothing."""


def serve() -> None:
    """Answer requests, one JSON line each on stdin, until stdin ends.

    An answer is any number of parcels and the reason why there are no more: before each stands
    one JSON line that counts its bytes, before the reason one that also says how the fork ended.
    """
    _load()
    for line in sys.stdin.buffer:
        ended, reason = _forked(json.loads(line))
        _tell(reason, ended=ended)


def _tell(payload: bytes, **more: int) -> None:
    head = json.dumps({"bytes": len(payload), **more}) + "\n"
    sys.stdout.buffer.write(head.encode() + payload)
    sys.stdout.buffer.flush()


def _forked(request: dict[str, Any]) -> tuple[int, bytes]:
    """Read in a fork; return its exit code, or minus its signal, and its reason.

    Its parcels are told as they come. What announces more than a reader could hold is ended.
    """
    source_end, work_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(source_end)
        _work(request, work_end)
    os.close(work_end)
    reason, most = b"", request["limits"]["memory_mb"] * MEGABYTE
    with os.fdopen(source_end, "rb") as pipe:
        while len(head := pipe.read(HEAD.size)) == HEAD.size:
            is_parcel, size = HEAD.unpack(head)
            if size > most:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
                break
            payload = pipe.read(size)
            if len(payload) < size:
                break
            if is_parcel:
                _tell(payload)
            else:
                reason = payload
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), reason


def _work(request: dict[str, Any], out: int) -> None:
    """Read one file in this process, send what came of it and end the process."""
    code, reason = BROKEN, b""
    try:
        code, reason = _answer(request, out)
    except MemoryError:
        code = NO_MEMORY
    finally:
        # whatever it was, this process ends here and its parent tells it
        if code == BROKEN:
            reason = traceback.format_exc(limit=-3).encode(errors="replace")
        _send(out, reason, is_parcel=False)
        os._exit(code)


def _send(out: int, payload: bytes, *, is_parcel: bool) -> None:
    for told in (HEAD.pack(is_parcel, len(payload)), payload):
        view = memoryview(told)
        while view:
            view = view[os.write(out, view[:CHUNK]) :]


def _answer(request: dict[str, Any], out: int) -> tuple[int, bytes]:
    limits = Limits.model_validate(request["limits"])
    try:
        with contextlib.ExitStack() as opened:
            files = [
                (name, opened.enter_context(_opened(request["source_id"], limits, name, *told)))
                for name, *told in request["files"]
            ]
            for parcel in _read(request, limits, files):
                _send(out, parcel, is_parcel=True)
        return DONE, b""
    except SourceError as error:
        if OUT_OF_MEMORY.search(error.message):
            return NO_MEMORY, b""
        return REFUSED, json.dumps([error.rule, error.message]).encode(errors="replace")


def _opened(source_id: str, limits: Limits, name: str, path: str, sha256: str) -> BinaryIO:
    file = Path(path).open("rb")  # noqa: SIM115 - the caller closes it
    limits.hold(source_id, "bytes", os.fstat(file.fileno()).st_size, name)
    if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
        message = f"{Path(path).name} no longer matches its name; remove it and collect again"
        raise SourceError(source_id, "archive_is_whole", message)
    file.seek(0)
    return file


def _read(
    request: dict[str, Any], limits: Limits, files: list[tuple[str, BinaryIO]]
) -> Iterator[bytes]:
    if request["what"] == "cells":
        _confine(limits)
        yield pack_cells(read_cells(request["source_id"], files[0][1].read(), limits))
        return
    source = Source.model_validate(request["source"])
    _open_projections(source.crs)
    _confine(limits)
    if request["what"] == "layer":
        contents = [(name, file.read()) for name, file in files]
        yield pack_layer(read_layer(source, contents))
        return
    yield from map(pack_sheet, read_parts(source, files[0][1]))


def _load() -> None:
    """Load what libraries load when first asked, once for all forks."""
    for codec in (*CODECS.values(), *ZIP_CODECS):
        codecs.lookup(codec)
    shapes = gpd.GeoSeries([Point(0, 0)])
    told = pack_layer(Layer(source=None, features=gpd.GeoDataFrame(geometry=shapes)))  # type: ignore[arg-type]
    pa.ipc.open_stream(told).read_all().to_pandas()
    out = io.BytesIO()
    pq.write_table(pa.table({"a": [1]}), out)
    pq.ParquetFile(out).read(use_threads=False)
    pyogrio.read_arrow(SHAPELESS % b"")


def _open_projections(crs: str) -> None:
    """Let PROJ open its data base, in Python and in GDAL; a fork cannot use its parent's."""
    pyogrio.read_info(IN_A_ZONE)
    with contextlib.suppress(ValueError, RuntimeError):  # an unknown one is refused by its reader
        gpd.GeoSeries([Point(105, 9)], crs=crs or DISPLAY_CRS).to_crs(DISPLAY_CRS)


def _confine(limits: Limits) -> None:
    """Bound what this process may use, for good. What is open stays open; nothing can be opened."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + limits.memory_mb * MEGABYTE
    signal.setitimer(signal.ITIMER_REAL, limits.seconds * PATIENCE)
    for what, soft, hard in (
        (resource.RLIMIT_AS, most, most),
        (resource.RLIMIT_CPU, limits.seconds, limits.seconds + 1),  # at the hard one no SIGXCPU
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_NOFILE, 0, 0),
    ):
        resource.setrlimit(what, (soft, hard))
