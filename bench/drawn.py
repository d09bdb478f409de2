"""Maps of made-up regions beside the usual way: bytes, time to the drawn map, a filter, a click.

The map is opened from afar and near, where its cells are fullest, on a phone's screen at a
quarter of the speed. The usual way is GeoPandas and one Folium page with all features in it.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import folium
import geopandas as gpd
import numpy as np
import pandas as pd
from playwright.sync_api import Browser, Page, sync_playwright

from bench.beside import PHONE, SETTLED_MS, SLOW_4G, Load, open_once, plain_app, write_plain
from bench.served import CHROMIUM, FLAGS, served
from bench.synthetic import region_of, write_region
from bench.tables import PROJECT, machine, markdown, put
from flows.serve import site_app

RUNS = 3
SIZES = (10_000, 100_000, 1_000_000)
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
    *("places", "what", "requests", "kB over the wire", "time, s (fastest)"),
    "script held the page, ms",
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
    """One view or act, several times in a fresh profile: medians, and the fastest."""

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
            if NEAR in views:
                for name, load in acted(browser, f"{site}vi/map/index.html{views[NEAR]}").items():
                    loads.setdefault(name, []).append(load)
        browser.close()
    return {name: _median(told) for name, told in loads.items()}


def acted(browser: Browser, address: str) -> dict[str, Load]:
    """Narrow a map that is drawn near, and click on a record of it, each in a fresh profile."""
    found = {}
    for name in ACTS:
        context = browser.new_context(viewport=PHONE, device_scale_factor=1.75)
        page = context.new_page()
        page.goto(address)
        page.wait_for_selector("html[data-big-ready=true]", timeout=120_000)
        page.wait_for_timeout(SETTLED_MS)
        found[name] = _act(page, name)
        context.close()
    return found


def _act(page: Page, name: str) -> Load:
    session, weights = page.context.new_cdp_session(page), []
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda told: weights.append(told["encodedDataLength"]))
    session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    page.evaluate(
        "window.held = 0; new PerformanceObserver(l => l.getEntries().forEach("
        "e => { window.held += Math.max(0, e.duration - 50); })).observe({type: 'longtask'})"
    )
    took = page.evaluate(ACTS[name], page.evaluate(SPOT))
    page.wait_for_timeout(SETTLED_MS)
    return Load(len(weights), sum(weights), took, float(page.evaluate("window.held")))


def _median(loads: Sequence[Load]) -> Drawn:
    times = [load.drawn / 1_000 for load in loads]
    blocked = statistics.median(load.blocked for load in loads)
    first = loads[0]
    return Drawn(first.requests, first.wire, statistics.median(times), min(times), blocked)


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


def usual(sources: Path, runs: int) -> Drawn:
    """Open the usual page of a region as often as the map."""
    text, paths = usual_page(sources)
    ready = f"document.querySelectorAll('path.leaflet-interactive').length >= {paths}"
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        write_plain(text, Path(folder))
        browser = play.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        with served(plain_app(folder)) as address:
            loads = [open_once(browser, address, ready, None) for _ in range(runs)]
        browser.close()
    return _median(loads)


def row(size: int, name: str, one: Drawn) -> list[str]:
    """Write one view or act as a row."""
    weights = (str(one.requests), f"{one.wire / 1_000:,.0f}")
    times = (f"{one.drawn_s:.2f} ({one.fastest_s:.2f})", f"{one.blocked_ms:.0f}")
    return [f"{size:,}", name, *weights, *times]


def refresh(sources: str, root: str) -> None:
    """Build the site of a region, in a process of its own so that its memory goes with it."""
    from flows.order import Order
    from flows.run import carry_out

    order = Order(root=Path(root), region=region_of(Path(sources)), online=False)
    if (state := carry_out(order).state) != "published":
        raise ValueError(f"the night is {state}")


@contextmanager
def _region(size: int, ready: Path | None) -> Iterator[tuple[Path, Path]]:
    """Yield the site of a made-up region and its sources: one that is there, or a new one."""
    if ready and (ready / str(size) / "public").is_dir():
        yield ready / str(size) / "public", ready / str(size) / "sources"
        return
    with tempfile.TemporaryDirectory(prefix="atlas-drawn-") as folder:
        sources = write_region(Path(folder) / "sources", size)
        code = "import sys; from bench.drawn import refresh; refresh(*sys.argv[1:])"
        root = Path(folder) / "root"
        command = [sys.executable, "-c", code, str(sources), str(root)]
        subprocess.run(command, cwd=PROJECT, check=True)
        yield root / "public", sources


@click.command()
@click.option("--sizes", default="", help="Places, joined by commas (default: all three sizes).")
@click.option("--runs", default=RUNS, show_default=True)
@click.option("--ready", type=click.Path(path_type=Path), help="Sites that are built: SIZE/public.")
def main(sizes: str, runs: int, ready: Path | None) -> None:
    """Draw made-up regions of each size, the usual way beside them; write the table."""
    asked = [int(size) for size in sizes.split(",")] if sizes else list(SIZES)
    rows = []
    for size in asked:
        with _region(size, ready) as (public, sources):
            found = drawn(public, views_of(public), runs)
            if size <= USUAL_MOST:
                found[USUAL] = usual(sources, runs)
        rows += [row(size, name, one) for name, one in found.items()]
        click.echo("\n".join(" | ".join(cells) for cells in rows[-len(found) :]))
    load = f"Load of the machine meanwhile: {os.getloadavg()[1]:.0f}; 2 to 3 of it are this."
    put("drawn", f"{markdown(HEADER, rows)}\n{machine('Chromium')} {load}")


if __name__ == "__main__":
    main()
