"""One real build of the real sources, shared by the tests of the flow and of the site."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
MIRROR = PROJECT.parent / "shared" / "mirror"
ATLAS = Path(sys.executable).with_name("atlas")
NETWORK: tuple[str, ...] = ("--mirror", str(MIRROR)) if MIRROR.is_dir() else ("--offline",)


@dataclass(frozen=True)
class Built:
    """A root that one refresh has published to."""

    root: Path
    first: subprocess.CompletedProcess[str]
    network: tuple[str, ...] = NETWORK

    @property
    def public(self) -> Path:
        """The published folder."""
        return self.root / "public"


def run_atlas(
    *arguments: object, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the installed command and return what it said."""
    return subprocess.run(
        [str(ATLAS), *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        cwd=PROJECT,
        env={**os.environ, **(env or {})},
    )


def digests(folder: Path) -> dict[str, str]:
    """Return the checksum of every file below a folder, links left out."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }
