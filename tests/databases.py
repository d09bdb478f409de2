"""A real PostgreSQL with PostGIS on loopback, in a folder of its own, ended by its id."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

PROGRAMS = max(Path("/usr/lib/postgresql").glob("*/bin"), default=Path("/usr/lib/postgresql"))
PASSWORD = "s3cr3t-of-the-owner"
READER = "s3cr3t-of-the-reader"
PATIENCE_S = 60


@dataclass
class Database:
    """One cluster: started and stopped as often as a test likes."""

    folder: Path
    port: int
    servers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def owner(self) -> str:
        """How its owner connects."""
        return f"postgresql://owner:{PASSWORD}@127.0.0.1:{self.port}/postgres"

    @property
    def reader(self) -> str:
        """How somebody connects who may only read."""
        return f"postgresql://reader:{READER}@127.0.0.1:{self.port}/postgres"

    def run(self, *statements: str) -> None:
        """Run statements as the owner."""
        with psycopg.connect(self.owner, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def ask(self, question: str) -> list[tuple[object, ...]]:
        """Return the rows of a question, asked as the owner."""
        with psycopg.connect(self.owner, autocommit=True) as connection:
            return connection.execute(question).fetchall()

    def wait_for(self, question: str) -> list[tuple[object, ...]]:
        """Ask until there are rows."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            if rows := self.ask(question):
                return rows
            time.sleep(0.02)
        raise TimeoutError(question)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        command = [PROGRAMS / "postgres", "-D", self.folder / "data", "-p", str(self.port)]
        settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off"]
        options = [part for setting in settings for part in ("-c", setting)]
        log = (self.folder / "log").open("ab")
        with log:
            self.servers.append(
                subprocess.Popen([*as_owner(), *command, *options], stdout=log, stderr=log)
            )
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                psycopg.connect(self.owner, connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > until or self.servers[-1].poll() is not None:
                    raise
                time.sleep(0.05)

    def stop(self) -> None:
        """End the server at once, its clients with it."""
        while self.servers:
            server = self.servers.pop()
            server.send_signal(signal.SIGINT)
            server.wait(PATIENCE_S)


def as_owner() -> list[str]:
    """PostgreSQL does not run as root: the user that Debian made for it does."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]


@contextlib.contextmanager
def database() -> Iterator[Database]:
    """Make a cluster, start it, give it PostGIS and a reader; end it and remove it after."""
    folder = Path(tempfile.mkdtemp(prefix="atlas-postgres-"))
    (folder / "password").write_text(PASSWORD, encoding="utf-8")
    if os.geteuid() == 0:
        for path in (folder, folder / "password"):
            shutil.chown(path, "postgres", "postgres")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        made = Database(folder, taken.getsockname()[1])
    subprocess.run(
        [
            *as_owner(),
            PROGRAMS / "initdb",
            *("-D", folder / "data", "--username=owner", "--auth=scram-sha-256"),
            *(f"--pwfile={folder / 'password'}", "--encoding=UTF8", "--locale=C", "--no-sync"),
        ],
        check=True,
        capture_output=True,
        cwd=folder,
    )
    try:
        made.start()
        made.run("CREATE EXTENSION postgis", f"CREATE ROLE reader LOGIN PASSWORD '{READER}'")
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder)
