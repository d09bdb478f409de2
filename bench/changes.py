"""How long each change of the map's filters holds a slow phone."""

import statistics
from pathlib import Path

import click
from playwright.sync_api import Browser, sync_playwright

from bench.beside import PHONE
from bench.served import CHROMIUM, FLAGS, served
from bench.tables import PROJECT, machine, markdown, put
from flows.serve import site_app

CHANGES = {
    "search": "const q = document.getElementById('search'); q.value = 'KCN Song Hua 2';"
    " q.dispatchEvent(new Event('input'))",
    "choice": "document.querySelector('[data-facet=kind][value=industrial_park]').click()",
    "range": "const r = document.getElementById('area-least'); r.value = 100;"
    " r.dispatchEvent(new Event('input', {bubbles: true}))",
    "sort": "const s = document.getElementById('sort'); s.value = 'area';"
    " s.dispatchEvent(new Event('change', {bubbles: true}))",
    "year": "const y = document.getElementById('year'); y.value = 2022;"
    " y.dispatchEvent(new Event('input', {bubbles: true}))",
}
"""What a reader changes, and the script that does it."""

OPENED = "document.querySelectorAll('#filters, #filters details').forEach(d => { d.open = true; })"
WATCH = """window.tasks = []; new PerformanceObserver(list => list.getEntries().forEach(
  e => window.tasks.push(e.duration))).observe({type: 'longtask'})"""
RUNS = 5
SETTLED_MS = 1_000
HEADER = ("change", "longest task, ms", "worst of the runs, ms")


def longest_tasks_ms(browser: Browser, site: str) -> dict[str, float]:
    """Return the longest task of each change on a slow phone with every facet open.

    A browser tells only of tasks over 50 ms; 0 stands for a change that has none.
    """
    context = browser.new_context(viewport=PHONE, device_scale_factor=1.75)
    page = context.new_page()
    page.goto(f"{site}vi/map/")
    page.wait_for_selector("html[data-map-ready=true]")
    page.locator("#sort").focus()
    page.wait_for_selector("html[data-browse-ready=true]")
    page.evaluate(OPENED)
    page.evaluate(WATCH)
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 4})
    longest = {}
    for name, change in CHANGES.items():
        page.wait_for_timeout(SETTLED_MS)
        page.evaluate("window.tasks = []")
        page.evaluate(change)
        page.wait_for_timeout(SETTLED_MS)
        longest[name] = float(page.evaluate("Math.max(0, ...window.tasks)"))
    context.close()
    return longest


@click.command()
@click.argument("public", type=click.Path(path_type=Path, exists=True), default=PROJECT / "public")
def main(public: Path) -> None:
    """Make each change of the map of PUBLIC and write the table into README.md."""
    with sync_playwright() as play, served(site_app(public)) as site:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        runs = [longest_tasks_ms(browser, site) for _ in range(RUNS)]
        version = browser.version
        browser.close()
    rows = [
        [name, *(_told(how(run[name] for run in runs)) for how in (statistics.median, max))]
        for name in CHANGES
    ]
    table = markdown(HEADER, rows)
    click.echo(table)
    put("changes", f"{table}\n{machine(f'Chromium {version}')}")


def _told(ms: float) -> str:
    return f"{ms:.0f}" if ms else "under 50"


if __name__ == "__main__":
    main()
