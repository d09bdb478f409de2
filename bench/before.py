"""The province built by this code and by an earlier revision, in turn: has anything become slower?

Both run with the libraries that are installed here; the earlier one from a clone of its own.
"""

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click
from playwright.sync_api import Browser, sync_playwright

from bench.beside import OURS, SLOW_4G, Load, open_once
from bench.served import CHROMIUM, FLAGS, served
from bench.tables import PROJECT, machine, markdown, middle, put
from flows.serve import site_app

BEFORE_BIG_LAYERS = "be50817"
"""The last revision that knew no big layers, no other regions and no cluster."""

ROUNDS = 3
VIEWS = 5
COMMAND = "from flows.cli import main; main()"
HEADER = (
    *("revision", "full refresh, s", "its own steps, s", "its processor, s"),
    *("first view, kB over the wire", "drawn, s", "drawn on slow 4G, s"),
)


@dataclass
class Code:
    """A revision of the project in a folder, and what it took each time."""

    name: str
    folder: Path
    python: Path
    whole: list[float] = field(default_factory=list)
    steps: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    fast: list[Load] = field(default_factory=list)
    slow: list[Load] = field(default_factory=list)

    def refresh(self, root: Path, options: Sequence[str]) -> None:
        """Build the province from nothing in a process of its own."""
        asked = ["refresh", "--offline", "--out", str(root), *options]
        environment = {**os.environ, "PREFECT_HOME": str(root / "prefect")}
        root.mkdir()
        begun = time.perf_counter()
        process = subprocess.Popen(
            [str(self.python), "-c", COMMAND, *asked],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        _, ended, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(ended)
        if process.returncode:
            raise click.ClickException(f"the refresh of {self.name} ended with an error")
        self.whole.append(time.perf_counter() - begun)
        self.processor.append(used.ru_utime + used.ru_stime)
        told = json.loads((root / "status.json").read_text(encoding="utf-8"))
        self.steps.append(sum(told["duration_s"].values()))

    def view(self, browser: Browser, public: Path) -> None:
        """Open its map twice, on a quick and on a slow network."""
        with served(site_app(public)) as address:
            page = f"{address}vi/map/"
            self.fast.append(open_once(browser, page, OURS, None))
            self.slow.append(open_once(browser, page, OURS, SLOW_4G))

    def row(self) -> list[str]:
        """Return its medians, and the least of the times in brackets."""
        times = [self.whole, self.steps, self.processor]
        views = [[load.drawn / 1_000 for load in loads] for loads in (self.fast, self.slow)]
        weight = f"{self.fast[0].wire / 1_000:.0f}"
        return [self.name, *map(middle, times), weight, *map(middle, views)]


def cloned(revision: str, folder: Path) -> Code:
    """Return an earlier revision, with the packages that its pages publish."""
    for command in (
        ["git", "clone", "--quiet", str(PROJECT), str(folder)],
        ["git", "-C", str(folder), "checkout", "--quiet", revision],
        ["npm", "ci", "--ignore-scripts", "--loglevel=error", "--prefix", str(folder / "site")],
    ):
        subprocess.run(command, check=True)
    return Code(revision, folder, python_of(folder))


def python_of(folder: Path) -> Path:
    """Return a Python that finds the code in a folder and the libraries that are installed here.

    The sandbox of the readers looks at no PYTHONPATH, so the code has a home of its own.
    """
    home = folder / ".venv"
    venv.create(home)
    (site,) = home.glob("lib/python*/site-packages")
    paths = f"{folder}\n{sysconfig.get_path('purelib')}\n"
    (site / "code.pth").write_text(paths, encoding="utf-8")
    return home / "bin" / "python"


@click.command()
@click.argument("revision", default=BEFORE_BIG_LAYERS)
@click.option("--mirror", type=click.Path(path_type=Path, exists=True), help="For all layers.")
def main(revision: str, mirror: Path | None) -> None:
    """Build and open both in turn, several times, and write the table into README.md."""
    options = ["--mirror", str(mirror.resolve())] if mirror else []
    with tempfile.TemporaryDirectory(prefix="atlas-before-") as name, sync_playwright() as play:
        top = Path(name)
        both = [cloned(revision, top / "code"), Code("now", PROJECT, Path(sys.executable))]
        for turn in range(ROUNDS):
            for code in both:
                code.refresh(top / f"{code.name}-{turn}", options)
        browser = play.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        for _ in range(VIEWS):
            for code in both:
                code.view(browser, top / f"{code.name}-0" / "public")
        version = browser.version
        browser.close()
    table = markdown(HEADER, [code.row() for code in both])
    click.echo(table)
    put("before", f"{table}\n{machine(f'Chromium {version}')}")


if __name__ == "__main__":
    main()
