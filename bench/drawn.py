"""Maps of made-up regions beside the usual way: bytes, time to the drawn map, a filter, a click.

The map is opened from afar and near, where its cells are fullest, on a phone's screen at a
quarter of the speed and at full speed. The usual way is GeoPandas and one Folium page with all
features in it.
"""

import json
import re
import statistics
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import folium
import geopandas as gpd
import numpy as np
import pandas as pd
from playwright.sync_api import Browser, Page, sync_playwright
from starlette.types import ASGIApp

from bench.beside import PHONE, SETTLED_MS, SLOWED, Load, open_once, plain_app, write_plain
from bench.served import CHROMIUM, FLAGS, served
from flows.serve import site_app

RUNS, RUNS_AT_FULL_SPEED = 3, 1
USUAL_MOST = 10_000
"""A larger page with all features in it is not tried: this one takes long enough."""

READY = (
    "document.documentElement && (document.documentElement.dataset.bigReady === 'true' || "
    "(document.documentElement.dataset.mapReady === 'true' && !ATLAS_LAYERS.big))"
)
AFAR, NEAR, DEEP, USUAL = "from afar", "near", "at street level", "plain Folium"
FILTER, CLICK = "filter by kind and stage", "click on a record"
DEEP_ZOOM = 15
CELLS_ON = 2
HEADER = (
    *("places", "what", "requests", "kB over the wire", "slowed four times, s (fastest)"),
    *("at full speed, once, s", "script held the page slowed, ms"),
)
TIMED = """spot => new Promise((done, failed) => {
  const begun = performance.now();
  setTimeout(() => failed(new Error('nothing came of it')), 120000);
  const look = () => {
    if (%s) {
      requestAnimationFrame(() => done(performance.now() - begun));
    } else {
      requestAnimationFrame(look);
    }
  };
  %s;
  look();
})"""
ACTS = {
    FILTER: TIMED
    % (
        "Atlas.columns?.isNarrowed() && Atlas.columns.sums().shown > 0",
        "location.hash += '&kind=plant&stage=operating'",
    ),
    CLICK: TIMED
    % (
        "!document.getElementById('panel').hidden",
        "Atlas.page.map.fire('click', {layerPoint: L.point(spot)})",
    ),
}
SPOT = """() => {
  const { map } = Atlas.page;
  const size = map.getSize();
  for (let y = 0; y < size.y; y += 4) {
    for (let x = 0; x < size.x; x += 4) {
      const at = map.containerPointToLayerPoint([x, y]);
      if (Atlas.tiles.find(at) >= 0) { return [at.x, at.y]; }
    }
  }
  return null;
}"""


@dataclass(frozen=True)
class Drawn:
    """One view or act, each time in a fresh profile: medians, the fastest, at full speed once."""

    requests: int
    wire: int
    slowed_s: float
    fastest_s: float
    full_s: float
    blocked_ms: float


Loads = dict[str, list[Load]]
"""What each view or act took, by its name."""


def drawn(public: Path, views: Mapping[str, str]) -> dict[str, Drawn]:
    """Open views (name -> fragment of the address) of the map below ``public`` in turn."""
    pages = {name: f"vi/map/index.html{view}" for name, view in views.items()}
    return _opened(site_app(public), pages, READY)


def _opened(app: ASGIApp, pages: Mapping[str, str], ready: str) -> dict[str, Drawn]:
    """Open pages (name -> address below the root) in turn, at each speed, and act near."""
    with sync_playwright() as play, served(app) as site:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        asked = {name: f"{site}{page}" for name, page in pages.items()}
        slowed = _rounds(browser, asked, ready, SLOWED, RUNS)
        full = _rounds(browser, asked, ready, 1, RUNS_AT_FULL_SPEED)
        browser.close()
    return _medians(slowed, full)


def _rounds(
    browser: Browser, pages: Mapping[str, str], ready: str, slowed: int, runs: int
) -> Loads:
    loads: Loads = {}
    for _ in range(runs):
        for name, address in pages.items():
            loads.setdefault(name, []).append(open_once(browser, address, ready, None, slowed))
        if NEAR in pages:
            for name, load in acted(browser, pages[NEAR], slowed).items():
                loads.setdefault(name, []).append(load)
    return loads


def acted(browser: Browser, address: str, slowed: int = SLOWED) -> dict[str, Load]:
    """Narrow a map that is drawn near, and click on a record of it, each in a fresh profile."""
    found = {}
    for name in ACTS:
        context = browser.new_context(viewport=PHONE, device_scale_factor=1.75)
        page = context.new_page()
        page.goto(address)
        page.wait_for_selector("html[data-big-ready=true]", timeout=120_000)
        page.wait_for_timeout(SETTLED_MS)
        found[name] = _act(page, name, slowed)
        context.close()
    return found


def _act(page: Page, name: str, slowed: int) -> Load:
    session, weights = page.context.new_cdp_session(page), []
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda told: weights.append(told["encodedDataLength"]))
    session.send("Emulation.setCPUThrottlingRate", {"rate": slowed})
    page.evaluate(
        "window.held = 0; new PerformanceObserver(l => l.getEntries().forEach("
        "e => { window.held += Math.max(0, e.duration - 50); })).observe({type: 'longtask'})"
    )
    took = page.evaluate(ACTS[name], page.evaluate(SPOT))
    page.wait_for_timeout(SETTLED_MS)
    return Load(len(weights), sum(weights), took, float(page.evaluate("window.held")))


def _medians(slowed: Loads, full: Loads) -> dict[str, Drawn]:
    found = {}
    for name, loads in slowed.items():
        times = [load.drawn / 1_000 for load in loads]
        found[name] = Drawn(
            loads[0].requests,
            loads[0].wire,
            statistics.median(times),
            min(times),
            statistics.median(load.drawn / 1_000 for load in full[name]),
            statistics.median(load.blocked for load in loads),
        )
    return found


def views_of(public: Path) -> dict[str, str]:
    """Return the views to open: from afar and, where layers are tiled, near the fullest cell."""
    (script,) = (public / "assets").glob("layers-vi-*.js")
    big = _object(script).get("big")
    if not big:
        return {AFAR: ""}
    zoom = max(map(int, big["grids"]))
    told = big["grids"][str(zoom)]
    numbers = told if isinstance(told, list) else _numbers(public / told)
    cells = np.array(numbers).reshape(-1, 2 + len(big["kinds"]))
    x, y = cells[:, :2].cumsum(axis=0)[cells[:, 2:].sum(axis=1).argmax()]
    size = 2 ** (zoom + CELLS_ON)
    lon = (x + 0.5) / size * 360 - 180
    lat = np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * (y + 0.5) / size))))
    at = f"{lat:.4f}/{lon:.4f}"
    deep = max(DEEP_ZOOM, big["from"])
    return {AFAR: "", NEAR: f"#v=1&map={big['from']}/{at}", DEEP: f"#v=1&map={deep}/{at}"}


def _object(script: Path) -> dict:  # type: ignore[type-arg]
    text = script.read_text(encoding="utf-8")
    return dict(json.loads(text[text.index("{") : text.rindex("}") + 1]))


def _numbers(script: Path) -> list[int]:
    text = script.read_text(encoding="utf-8")
    return list(map(int, re.findall(r"-?\d+", text[text.index("= [") :])))


def usual_page(sources: Path) -> tuple[str, int]:
    """Return the usual page of a made-up region's positions, and how many paths it draws."""
    told = [pd.read_csv(path, dtype="str") for path in sorted(sources.glob("*positions/raw.csv"))]
    positions = pd.concat(told)[["subject_id", "method", "as_of", "geometry"]]
    shapes = gpd.GeoSeries.from_wkt(positions["geometry"])
    layer = gpd.GeoDataFrame(positions.drop(columns="geometry"), geometry=shapes, crs="EPSG:4326")
    page = folium.Map([16, 106], zoom_start=6, tiles=None)
    fields = ["subject_id", "method", "as_of"]
    tooltip, popup = folium.GeoJsonTooltip(fields), folium.GeoJsonPopup(fields)
    folium.GeoJson(layer, name="records", tooltip=tooltip, popup=popup).add_to(page)
    folium.LayerControl().add_to(page)
    return page.get_root().render(), len(layer)


def usual(sources: Path) -> dict[str, Drawn]:
    """Open the usual page of a region as often as the map."""
    text, paths = usual_page(sources)
    ready = f"document.querySelectorAll('path.leaflet-interactive').length >= {paths}"
    with tempfile.TemporaryDirectory() as folder:
        write_plain(text, Path(folder))
        return _opened(plain_app(folder), {USUAL: ""}, ready)


def row(size: int, name: str, one: Drawn) -> list[str]:
    """Write one view or act as a row."""
    weights = (str(one.requests), f"{one.wire / 1_000:,.0f}")
    times = (f"{one.slowed_s:.2f} ({one.fastest_s:.2f})", f"{one.full_s:.2f}")
    return [f"{size:,}", name, *weights, *times, f"{one.blocked_ms:.0f}"]


def measure(size: int, public: Path, sources: Path) -> dict[str, Drawn]:
    """Draw the site of a made-up region of so many places, the usual way beside it."""
    return drawn(public, views_of(public)) | (usual(sources) if size <= USUAL_MOST else {})
