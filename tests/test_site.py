"""The built site in a real Chromium, as its readers meet it."""

import csv
import gzip
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import geopandas as gpd
import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from browsing import violations
from builds import PROJECT, Built

PAGES = (
    "",
    "map",
    "table",
    "track",
    "programme",
    "duties",
    "changes",
    "data",
    "sources",
    "status",
    "places/kcn-song-hau-2",
    "places/log-nong-san",
    "routes/exp-cd-ct-st",
    "routes/canal-cai-con",
)
LANGUAGES = ("vi", "en")
HTML_VALIDATE = PROJECT / "site" / "node_modules" / ".bin" / "html-validate"


def open_page(page: Page, address: str, own: str) -> list[str]:
    """Open a page and return every console error and every request that leaves ``own``."""
    faults: list[str] = []
    page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: faults.append(str(e)))
    page.on("requestfailed", lambda r: faults.append(f"failed: {r.url}"))
    page.on("request", lambda r: None if r.url.startswith((own, "data:")) else faults.append(r.url))
    page.goto(address, wait_until="networkidle")
    return faults


def rows_of(built: Built, table: str) -> list[dict[str, str]]:
    path = built.public / "data" / f"{table}.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def phone(browser: Browser) -> Iterator[BrowserContext]:
    """Return a narrow window, which keeps what pages have in common as a reader's does."""
    context = browser.new_context(viewport={"width": 360, "height": 760})
    yield context
    context.close()


@pytest.fixture(scope="module")
def looked_into(browser: Browser) -> Iterator[BrowserContext]:
    """Return a window whose pages let axe in."""
    context = browser.new_context(bypass_csp=True)
    yield context
    context.close()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_every_kind_of_page_opens_without_error_or_foreign_request(
    phone: BrowserContext, site: str, language: str, name: str
) -> None:
    address = f"{site}{language}/{name}/index.html".replace("//index", "/index")
    page = phone.new_page()
    assert open_page(page, address, site) == []
    assert page.get_attribute("html", "lang") == language
    assert page.locator("h1").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.close()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_on_any_kind_of_page(
    looked_into: BrowserContext, site: str, language: str, name: str
) -> None:
    page = looked_into.new_page()
    page.goto(f"{site}{language}/{name}/index.html".replace("//index", "/index"))
    assert violations(page) == []
    page.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_map_draws_every_place_and_route(
    browser: Browser, site: str, built: Built, language: str
) -> None:
    page = browser.new_page()
    page.goto(f"{site}{language}/map/index.html")
    page.wait_for_selector("html[data-map-ready=true]")
    drawn = page.evaluate("({...document.documentElement.dataset})")
    assert int(drawn["placesDrawn"]) == len(rows_of(built, "places"))
    assert int(drawn["routesDrawn"]) == len(rows_of(built, "routes"))
    page.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_view_of_the_map_is_light(
    browser: Browser, site: str, built: Built, language: str
) -> None:
    page = browser.new_page(viewport={"width": 412, "height": 823})
    asked: set[str] = set()
    page.on("request", lambda r: asked.add(urlsplit(r.url).path))
    page.goto(f"{site}{language}/map/index.html", wait_until="networkidle")
    files = [built.public / path.lstrip("/") for path in asked]
    assert sum(len(gzip.compress(file.read_bytes(), 6)) for file in files) <= 150_000
    page.close()


def test_the_map_opens_from_disk(browser: Browser, built: Built) -> None:
    page = browser.new_page()
    address = (built.public / "vi" / "map" / "index.html").as_uri()
    assert open_page(page, address, "file://") == []
    page.wait_for_selector("html[data-map-ready=true]")
    page.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_record_in_the_list_opens_its_panel_with_a_link_to_its_page(
    browser: Browser, site: str, language: str
) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"{site}{language}/map/index.html")
    page.wait_for_selector("html[data-map-ready=true]")
    page.locator("a[href*='places/kcn-song-hau-2/']").first.click()
    link = page.locator("[data-panel] a[href*='places/kcn-song-hau-2/']")
    link.first.wait_for()
    link.first.click()
    page.wait_for_url("**/places/kcn-song-hau-2/index.html")
    page.close()


@pytest.mark.parametrize(
    ("language", "values"), [("vi", ("6,7", "36,7", "37")), ("en", ("6.7", "36.7", "37"))]
)
def test_both_conflicting_lengths_of_component_3_are_visible(
    browser: Browser, site: str, language: str, values: tuple[str, ...]
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site}{language}/routes/exp-cd-ct-st/index.html")
    text = page.locator("main").inner_text()
    assert [v for v in values if f"{v} km" not in text.replace("\u00a0", " ")] == []
    context.close()


def test_a_place_is_whole_without_javascript(browser: Browser, site: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site}vi/places/kcn-song-hau-2/index.html")
    text = page.locator("main").inner_text().replace("\u00a0", " ")
    for told in ("380 ha", "5.569 tỷ đồng", "xã Châu Thành".casefold(), "146,54 ha"):
        assert told.casefold() in text.casefold()
    context.close()


def test_every_place_lies_in_the_commune_that_its_source_names_or_says_why_not(
    built: Built,
) -> None:
    communes = gpd.read_file(built.public / "data" / "communes.geojson").set_index("unit_id")
    places = gpd.read_file(built.public / "data" / "places.geojson").set_index("id")
    status = json.loads((built.public / "status.json").read_text(encoding="utf-8"))
    told = {f["key"] for f in status["findings_listed"] if f["rule"] == "lies_in_named_commune"}
    astray = [
        row["place_id"]
        for row in rows_of(built, "places")
        if row["commune_ids"]
        and not any(
            communes.geometry[c].covers(places.geometry[row["place_id"]].representative_point())
            for c in row["commune_ids"].split(";")
        )
    ]
    assert set(astray) <= told


@pytest.mark.parametrize("table", ["claims", "indicators", "stage_events", "money_events"])
def test_nothing_is_published_without_source_and_date(built: Built, table: str) -> None:
    dated = {"claims": "as_of", "indicators": "as_of"}.get(table, "on")
    bare = [r for r in rows_of(built, table) if not (r["document_ids"] and r[dated])]
    assert bare == []


def test_html_validate_finds_nothing_on_any_kind_of_page(built: Built, tmp_path: Path) -> None:
    pages = [built.public / lang / name / "index.html" for lang in LANGUAGES for name in PAGES]
    config = tmp_path / ".htmlvalidate.json"
    config.write_text('{"root": true, "extends": ["html-validate:standard"]}', encoding="utf-8")
    done = subprocess.run(
        [str(HTML_VALIDATE), "--config", str(config), *map(str, pages)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
