"""A Prefect server that lives as long as the command beside it; it is not imported with Prefect.

Prefect reads PREFECT_API_URL when it is imported, so the server must run before.
"""

import fcntl
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from geodata.errors import AtlasError

STARTS_WITHIN_S = 240
ENDS_WITHIN_S = 30


@contextmanager
def prefect_server() -> Iterator[str]:
    """Give the address of a server: the one PREFECT_API_URL names, or one on loopback.

    The one started here listens on 127.0.0.1 only and is ended, by its id, on leaving.
    """
    named = os.environ.get("PREFECT_API_URL")
    if named:
        yield named
        return
    port = _free_port()
    address = f"http://127.0.0.1:{port}/api"
    command = [sys.executable, "-m", "prefect", "server", "start", "--port", str(port)]
    process: subprocess.Popen[bytes] | None = None
    try:
        with _starting_alone():
            process = subprocess.Popen(
                [*command, "--host", "127.0.0.1", "--no-ui"],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            _await(address, process)
        os.environ["PREFECT_API_URL"] = address
        yield address
    finally:
        if process:
            _end(process)


@contextmanager
def _starting_alone() -> Iterator[None]:
    """Hold off other starts: two servers that make one database at once break each other."""
    home = Path(os.environ.get("PREFECT_HOME") or Path.home() / ".prefect")
    home.mkdir(parents=True, exist_ok=True)
    with (home / "starting").open("w") as door:
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
            time.sleep(0.2)
    raise AtlasError(
        f"Prefect's server did not start within {STARTS_WITHIN_S} s; "
        "look at what `prefect server start` says, or name a running one in PREFECT_API_URL"
    )
