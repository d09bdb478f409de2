"""A Prefect server that lives as long as its parent needs it; Prefect is not imported here.

Prefect reads PREFECT_API_URL when it is imported, so the server is started before; while it
starts, its parent imports what it needs.
"""

import fcntl
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path

import httpx

from geodata.errors import AtlasError

STARTS_WITHIN_S = 240
ENDS_WITHIN_S = 30
LOOK_EVERY_S = 0.1
MADE = "database-of"
"""In PREFECT_HOME: the version of Prefect whose tables its database has."""

EPHEMERAL = {"PREFECT__SERVER_EPHEMERAL": "1", "PREFECT_API_BLOCKS_REGISTER_ON_START": "false"}
"""A server of one run: no schedules to look after, no blocks to describe."""

Wait = Callable[[], float]


@contextmanager
def prefect_server(is_lasting: bool) -> Iterator[Wait]:
    """Start a server, unless PREFECT_API_URL names one, and give what waits for it.

    Call it before the first flow: it returns the seconds since the start, or raises AtlasError.
    The server listens on 127.0.0.1 only and is ended, by its id, on leaving; where this process
    is killed, it ends itself. One that is lasting looks after schedules.
    """
    if os.environ.get("PREFECT_API_URL"):
        yield lambda: 0.0
        return
    begun, port = time.monotonic(), _free_port()
    made = Path(os.environ["PREFECT_HOME"]) / MADE
    address = f"http://127.0.0.1:{port}/api"
    with ExitStack() as first:
        first.enter_context(_making_alone(made))
        settings = {} if is_lasting else dict(EPHEMERAL)
        settings |= {"PREFECT_API_DATABASE_MIGRATE_ON_START": "false"} if _is_made(made) else {}
        process = subprocess.Popen(
            [sys.executable, "-c", f"from flows.server import serve; serve({port})"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **settings},
        )
        os.environ["PREFECT_API_URL"] = address

        def wait() -> float:
            _await(address, process)
            made.write_text(version("prefect"), encoding="ascii")
            first.close()
            return time.monotonic() - begun

        try:
            yield wait
        finally:
            os.environ.pop("PREFECT_API_URL", None)
            _end(process)


def _is_made(made: Path) -> bool:
    return made.is_file() and made.read_text(encoding="ascii") == version("prefect")


@contextmanager
def _making_alone(made: Path) -> Iterator[None]:
    """Hold off other first starts: two servers that make one database break each other."""
    if _is_made(made):
        yield
        return
    made.parent.mkdir(parents=True, exist_ok=True)
    with made.with_name("starting").open("w") as door:
        fcntl.flock(door, fcntl.LOCK_EX)
        yield


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(address: str, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(f"{address}/health", timeout=2).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            time.sleep(LOOK_EVERY_S)
    raise AtlasError(
        f"Prefect's server did not start within {STARTS_WITHIN_S} s; "
        "look at what `prefect server start` says, or name a running one in PREFECT_API_URL"
    )


def _end_with(parent: int) -> None:
    """End this process when its parent is gone, however that ended."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)


def serve(port: int) -> None:
    """Serve Prefect's API on a port of 127.0.0.1, until ended or without a parent."""
    threading.Thread(target=_end_with, args=[os.getppid()], daemon=True).start()
    import uvicorn

    app = "prefect.server.api.server:create_app"
    uvicorn.run(
        app,
        factory=True,
        host="127.0.0.1",
        port=port,
        log_level="critical",
        timeout_graceful_shutdown=ENDS_WITHIN_S // 2,
    )
