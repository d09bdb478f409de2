"""A built folder served on loopback and opened in a real Chromium, for the browser tests."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

from bench.served import CHROMIUM, FLAGS
from bench.served import served as serve_app
from builds import PROJECT
from flows.serve import site_app

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
AXE = PROJECT / "site" / "node_modules" / "axe-core" / "axe.min.js"


def served(public: Path) -> AbstractContextManager[str]:
    """Serve a folder on a free loopback port, as ``atlas serve`` does; give its address."""
    return serve_app(site_app(public))


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium without a window."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


def faults_of(page: Page, own: str) -> list[str]:
    """Return a list that fills with console errors and requests that leave ``own``."""
    faults: list[str] = []
    page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: faults.append(str(e)))
    page.on("requestfailed", lambda r: faults.append(f"failed: {r.url}"))
    mine = (own, "data:", "blob:")
    page.on("request", lambda r: None if r.url.startswith(mine) else faults.append(r.url))
    return faults


def violations(page: Page) -> list[object]:
    """Return what axe finds on the page as it stands, in light and in dark.

    The context must bypass the CSP.
    """
    page.add_script_tag(path=str(AXE))
    run = "axe.run().then(r => r.violations.map(v => [v.id, v.nodes.map(n => n.html)]))"
    found: list[object] = []
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate(f"matchMedia('(prefers-color-scheme: {scheme})').matches")
        found += [[scheme, *told] for told in page.evaluate(run)]
    return found
