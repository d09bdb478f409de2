"""The map beside a plain Folium page of the same data: bytes, requests, time to the drawn map."""

import shutil
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import folium
import geopandas as gpd
from playwright.sync_api import Browser, CDPSession, ViewportSize, sync_playwright
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from bench.served import CHROMIUM, FLAGS, served
from bench.tables import PROJECT, machine, markdown, middle, put
from flows.serve import site_app

MODULES = PROJECT / "bench" / "node_modules"
COPIES = {
    "leaflet@1.9.3/dist/leaflet.js": "leaflet/dist/leaflet.js",
    "jquery-3.7.1.min.js": "jquery/dist/jquery.min.js",
    "js/bootstrap.bundle.min.js": "bootstrap/dist/js/bootstrap.bundle.min.js",
    "leaflet.awesome-markers.js": "leaflet.awesome-markers/dist/leaflet.awesome-markers.js",
    "leaflet@1.9.3/dist/leaflet.css": "leaflet/dist/leaflet.css",
    "css/bootstrap.min.css": "bootstrap/dist/css/bootstrap.min.css",
    "css/all.min.css": "@fortawesome/fontawesome-free/css/all.min.css",
    "leaflet.awesome-markers.css": "leaflet.awesome-markers/dist/leaflet.awesome-markers.css",
}
"""The end of an address that Folium's page loads from another host, and the file here."""

FONTS = "@fortawesome/fontawesome-free/webfonts"
RUNS = 5
SLOWED = 4
SETTLED_MS = 1_000
PHONE: ViewportSize = {"width": 412, "height": 823}
SLOW_4G = {"latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 93_750}
DRAWN = """(() => {
  const look = () => {
    if (%s) {
      requestAnimationFrame(() => requestAnimationFrame(() => {
        document.documentElement.dataset.drawn = performance.now();
        console.debug('drawn');
      }));
    } else {
      requestAnimationFrame(look);
    }
  };
  look();
})()"""
OURS = "document.documentElement && document.documentElement.dataset.mapReady === 'true'"
HEADER = (
    *("page", "requests", "kB over the wire", "other hosts asked", "drawn, s"),
    *("drawn on slow 4G, s", "script held the page, ms"),
)


@dataclass(frozen=True)
class Load:
    """One opening: requests, bytes over the wire, ms to the drawn map, ms of long tasks."""

    requests: int
    wire: int
    drawn: float
    blocked: float


def plain_page(public: Path, work: Path) -> tuple[str, int, int]:
    """Return the usual page of the published layers, how much it draws, what it loads.

    As it is usually written: one ``GeoJson`` a layer in the page, tooltip, popup, layer control.
    It has no tiles, which would add some twenty requests to a fifth host.
    """
    data = public / "data"
    layers = [gpd.read_file(data / f"{name}.geojson") for name in ("communes", "routes", "places")
              if (data / f"{name}.geojson").is_file()]  # fmt: skip
    waterways = work / "waterways.parquet"
    if waterways.is_file():
        layers.insert(1, gpd.read_parquet(waterways)[["name", "geometry"]])
    page = folium.Map([9.8, 105.6], zoom_start=10, tiles=None)
    drawn = 0
    for number, layer in enumerate(layers):
        fields = [c for c in layer.columns if c != "geometry"]
        group = folium.GeoJson(
            layer,
            name=f"layer {number}",
            tooltip=folium.GeoJsonTooltip(fields[:3]),
            popup=folium.GeoJsonPopup(fields),
        )
        group.add_to(page)
        drawn += int((layer.geom_type != "Point").sum())
    folium.LayerControl().add_to(page)
    return page.get_root().render(), drawn, len(page.default_js) + len(page.default_css)


def write_plain(text: str, folder: Path) -> None:
    """Write the page with its libraries beside it: the best case of its usual hosts."""
    for ending, name in COPIES.items():
        source = MODULES / name
        shutil.copyfile(source, folder / source.name)
        start = text.find(ending)
        begin = text.rfind('"', 0, start) + 1
        text = text.replace(text[begin : start + len(ending)], source.name)
    shutil.copytree(MODULES / FONTS, folder / "webfonts", dirs_exist_ok=True)
    css = folder / "all.min.css"
    css.write_text(css.read_text(encoding="utf-8").replace("../webfonts", "webfonts"), "utf-8")
    (folder / "index.html").write_text(text, encoding="utf-8")


def plain_app(folder: str) -> ASGIApp:
    """Serve packed, and without the policy that forbids the page its scripts."""
    routes = [Mount("/", StaticFiles(directory=folder, html=True))]
    return Starlette(routes=routes, middleware=[Middleware(GZipMiddleware)])


def open_once(
    browser: Browser, address: str, ready: str, net: dict[str, int] | None, slowed: int = SLOWED
) -> Load:
    """Open a page in a fresh profile on a phone's screen, so many times slower."""
    context = browser.new_context(viewport=PHONE, device_scale_factor=1.75)
    page = context.new_page()
    session = context.new_cdp_session(page)
    weights: dict[str, int] = {}

    def count(told: dict[str, Any]) -> None:
        weights[told["requestId"]] = told["encodedDataLength"]

    _throttle(session, net, slowed)
    session.on("Network.loadingFinished", count)
    page.add_init_script(DRAWN % ready)
    page.add_init_script(
        "window.held = 0; new PerformanceObserver(l => l.getEntries().forEach("
        "e => { window.held += Math.max(0, e.duration - 50); })).observe({type: 'longtask'})"
    )
    # it is told, not asked for: to look for it in each frame would hold the slowed page itself
    with page.expect_console_message(lambda told: told.text == "drawn", timeout=120_000):
        page.goto(address, wait_until="load", timeout=120_000)
    page.wait_for_timeout(SETTLED_MS)
    times = page.evaluate("[Number(document.documentElement.dataset.drawn), window.held]")
    load = Load(len(weights), sum(weights.values()), *times)
    context.close()
    return load


def _throttle(session: CDPSession, net: dict[str, int] | None, slowed: int) -> None:
    session.send("Network.enable")
    session.send("Emulation.setCPUThrottlingRate", {"rate": slowed})
    if net:
        session.send("Network.emulateNetworkConditions", {"offline": False, **net})


def row(name: str, hosts: str, fast: list[Load], slow: list[Load]) -> list[str]:
    """Write a page's runs as one row: medians, and the fastest in brackets."""
    times = (middle([load.drawn / 1_000 for load in loads]) for loads in (fast, slow))
    held = statistics.median(load.blocked for load in fast)
    first = fast[0]
    weights = (str(first.requests), f"{first.wire / 1_000:.0f}", hosts)
    return [name, *weights, *times, f"{held:.0f}"]


@click.command()
@click.argument("root", type=click.Path(path_type=Path, exists=True), default=PROJECT)
def main(root: Path) -> None:
    """Open both pages in turn, several times, and write the table into README.md.

    ROOT holds public/ and var/ of an atlas built with all its layers.
    """
    text, drawn, foreign = plain_page(root / "public", root / "var" / "work" / "layers")
    theirs = f"document.querySelectorAll('path.leaflet-interactive').length >= {drawn}"
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        write_plain(text, Path(folder))
        browser = play.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        with served(site_app(root / "public")) as site, served(plain_app(folder)) as usual:
            pages = {"the atlas": (f"{site}vi/map/", OURS), "plain Folium": (usual, theirs)}
            loads: dict[tuple[str, bool], list[Load]] = {}
            for _ in range(RUNS):
                for name, (address, ready) in pages.items():
                    for is_slow in (False, True):
                        net = SLOW_4G if is_slow else None
                        load = open_once(browser, address, ready, net)
                        loads.setdefault((name, is_slow), []).append(load)
        version = browser.version
        browser.close()
    hosts = {"the atlas": "none", "plain Folium": f"4, for {foreign} files"}
    rows = [row(name, hosts[name], loads[name, False], loads[name, True]) for name in pages]
    table = markdown(HEADER, rows)
    click.echo(table)
    put("beside", f"{table}\n{machine(f'Chromium {version}')}")


if __name__ == "__main__":
    main()
