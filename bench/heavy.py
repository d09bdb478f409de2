"""A refresh of a source that is larger than memory: what all its processes take, seen from outside.

The command runs as a user runs it, Prefect's server included; nothing it says of itself is used
but how long each step took and what it saw in it.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from bench.synthetic import region_of, write_region
from bench.tables import PROJECT, machine, markdown, put
from flows.memory import MEGABYTE, taken

ATLAS = Path(sys.executable).with_name("atlas")
GIGABYTE = 1_000 * MEGABYTE
PLACES = 50_000
DRAWN, CORNER_BYTES = 0.9, 21.8
"""The share of places with an outline, and what a corner of it takes in the source."""

LOOK_EVERY_S = 0.5
HEADER = ("step", "s", "MB, as the run saw it")


def watched(command: list[str]) -> int:
    """Run a command to its end and return the most that it and its children took: bytes."""
    peak = 0
    with subprocess.Popen(command, cwd=PROJECT, stdout=sys.stderr) as run:
        while run.poll() is None:
            peak = max(peak, taken(run.pid))
            time.sleep(LOOK_EVERY_S)
    if run.returncode:
        raise click.ClickException(f"the refresh ended with {run.returncode}")
    return peak


def rows_of(told: dict[str, Any]) -> Iterator[list[str]]:
    """Yield what a run says of its steps."""
    for name, seconds in told["duration_s"].items():
        yield [name, f"{seconds:.0f}", f"{told['memory_mb'][name]}"]


def table(told: dict[str, Any], size: int, places: int, memory: str, peak: int) -> str:
    """Return what was found as text for the README."""
    seconds = sum(told["duration_s"].values())
    return (
        f"{markdown(HEADER, rows_of(told))}\n"
        f"A source of {size / GIGABYTE:.2f} GB ({places:,} places, nine in ten with an outline), "
        f"refreshed with `--memory {memory}` in {seconds / 60:.0f} minutes: seen from outside, all "
        f"processes together took {peak / MEGABYTE:,.0f} MB at most. {machine('Prefect with it')}"
    )


@click.command()
@click.option("--gigabytes", default=5.0, help="How large the source of the positions is.")
@click.option("--places", default=PLACES, help="How many places it tells of.")
@click.option("--memory", default="1GB", help="What the refresh may take.")
def main(gigabytes: float, places: int, memory: str) -> None:
    """Refresh such a region from nothing and write the README's table."""
    corners = int(gigabytes * GIGABYTE / (places * DRAWN * CORNER_BYTES))
    with tempfile.TemporaryDirectory(prefix="atlas-heavy-") as folder:
        click.echo(f"{places:,} places, outlines of {corners:,} corners …", err=True)
        sources = write_region(Path(folder) / "sources", places, corners=corners)
        size = max(path.stat().st_size for path in sources.glob("*/raw.csv"))
        root, region = Path(folder) / "root", region_of(sources)
        command = [str(ATLAS), "refresh", "--offline", "--region", str(region)]
        peak = watched([*command, "--out", str(root), "--memory", memory])
        told = json.loads((root / "public" / "status.json").read_text(encoding="utf-8"))
    text = table(told, size, places, memory, peak)
    click.echo(text)
    put("heavy", text)


if __name__ == "__main__":
    main()
