"""The map of a built site at a quarter of the speed: bytes, requests, time to the drawn map."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click
from playwright.sync_api import sync_playwright

from bench.beside import SLOW_4G, Load, open_once
from bench.served import CHROMIUM, FLAGS, served
from bench.tables import markdown
from flows.serve import site_app

RUNS = 5
READY = (
    "document.documentElement && (document.documentElement.dataset.bigReady === 'true' || "
    "(document.documentElement.dataset.mapReady === 'true' && !ATLAS_LAYERS.big))"
)
HEADER = ("view", "requests", "kB over the wire", "drawn, s", "script held the page, ms")


@dataclass(frozen=True)
class Drawn:
    """One view of a map, opened several times in a fresh profile: medians, and the fastest."""

    requests: int
    wire: int
    drawn_s: float
    fastest_s: float
    blocked_ms: float


def drawn(
    public: Path, views: Mapping[str, str], runs: int = RUNS, is_slow: bool = False
) -> dict[str, Drawn]:
    """Open views (name -> fragment of the address) of the map below ``public`` in turn.

    ``is_slow`` is slow 4G beside the four times slower processor.
    """
    loads: dict[str, list[Load]] = {name: [] for name in views}
    with sync_playwright() as play, served(site_app(public)) as site:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        for _ in range(runs):
            for name, view in views.items():
                address = f"{site}vi/map/index.html{view}"
                loads[name].append(open_once(browser, address, READY, SLOW_4G if is_slow else None))
        browser.close()
    return {name: _median(told) for name, told in loads.items()}


def _median(loads: list[Load]) -> Drawn:
    times = [load.drawn / 1_000 for load in loads]
    blocked = statistics.median(load.blocked for load in loads)
    first = loads[0]
    return Drawn(first.requests, first.wire, statistics.median(times), min(times), blocked)


@click.command()
@click.argument("public", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("views", nargs=-1)
@click.option("--runs", default=RUNS, show_default=True)
@click.option("--slow", "is_slow", is_flag=True, help="On slow 4G.")
def main(public: Path, views: tuple[str, ...], runs: int, is_slow: bool) -> None:
    """Open the map of PUBLIC, its first view and VIEWS, and print what each costs."""
    named = {"first view": "", **{view: view for view in views}}
    rows = [
        [
            name,
            str(one.requests),
            f"{one.wire / 1_000:.0f}",
            f"{one.drawn_s:.2f} ({one.fastest_s:.2f})",
            f"{one.blocked_ms:.0f}",
        ]
        for name, one in drawn(public, named, runs, is_slow).items()
    ]
    click.echo(markdown(HEADER, rows))


if __name__ == "__main__":
    main()
