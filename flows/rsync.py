"""A folder that rsync reaches as a publishing target: here, over ssh, or at an rsync daemon.

It is the web server's own folder: no links are needed there. Passwords come from where rsync and
ssh look for them (``RSYNC_PASSWORD``, keys), never from us.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from geodata.errors import DeliveryError

STILL_S = 120
NO_FOLDER = (3, 23)
"""How rsync ends where the folder that it should list is not there."""


class Folder:
    """One folder that rsync reaches. rsync replaces each file by one rename."""

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/") + "/"

    def held(self) -> set[str]:
        """Return the names of all files below the folder; none where there is no folder yet."""
        try:
            listed = self._rsync("-8", "-r", "--list-only", self.address)
        except _EndedError as error:
            if error.code in NO_FOLDER and "No such file" in str(error):
                return set()
            raise
        lines = (line.split(maxsplit=4) for line in listed.splitlines())
        return {line[4] for line in lines if line[0][0] != "d"}

    def read(self, name: str) -> bytes:
        """Return one file."""
        with tempfile.TemporaryDirectory() as staged:
            self._rsync(self.address + name, f"{staged}/")
            return (Path(staged) / name).read_bytes()

    def write(self, name: str, content: bytes) -> None:
        """Write one file; make the folder where it is not there."""
        with tempfile.TemporaryDirectory() as staged:
            (Path(staged) / name).write_bytes(content)
            self._rsync("-r", "--chmod=D755,F644", f"{staged}/", self.address)

    def send(self, folder: Path, names: Iterable[str]) -> None:
        """Send files whose bytes are not there; what a link names is sent as a file."""
        self._listed(names, "-Ltpc", "--chmod=D755,F644", f"{folder}/")

    def differing(self, folder: Path, names: Iterable[str]) -> list[str]:
        """Return what is not as it was sent, by checksum."""
        compare = ("-Lc", "--dry-run", "--out-format=%n")
        told = self._listed(names, *compare, f"{folder}/").splitlines()
        return [name for name in told if not name.endswith("/")]

    def remove(self, names: Iterable[str]) -> None:
        """Remove files: they are asked for from folders that do not hold them."""
        asked = list(names)
        with tempfile.TemporaryDirectory() as empty:
            for name in asked:
                (Path(empty) / name).parent.mkdir(parents=True, exist_ok=True)
            self._listed(asked, "--delete-missing-args", f"{empty}/")

    def _listed(self, names: Iterable[str], *arguments: str) -> str:
        asked = "\0".join(names)
        return self._rsync("-0", "--files-from=-", *arguments, self.address, asked=asked)

    def _rsync(self, *arguments: str, asked: str = "") -> str:
        env = {"RSYNC_RSH": "ssh -o BatchMode=yes", **os.environ, "LC_ALL": "C.UTF-8"}
        try:
            done = subprocess.run(
                ["rsync", f"--timeout={STILL_S}", *arguments],
                env=env,
                input=asked,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                check=False,
            )
        except FileNotFoundError as error:
            raise DeliveryError(
                "found no rsync; install it (on Debian: apt-get install rsync)"
            ) from error
        if done.returncode:
            raise _EndedError(done.returncode, done.stderr)
        return done.stdout


class _EndedError(DeliveryError):
    def __init__(self, code: int, said: str) -> None:
        super().__init__(f"rsync ended with {code}: {said.strip()[-500:]}")
        self.code = code
