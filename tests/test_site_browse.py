"""An investor at the map: finds, narrows, compares, carries away; by keyboard and by touch."""

import csv
import io
import json
import re
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import geopandas as gpd
import pytest
from playwright.sync_api import Browser, BrowserContext, Download, Locator, Page, Route

from atlas.csv_file import guard_cell
from browsing import faults_of, violations
from builds import PROJECT, Built
from drawings import METRIC_CRS

SITE = PROJECT / "site"
WIDE = {"width": 1440, "height": 900}
PHONE = {"width": 360, "height": 760}
READY = "html[data-browse-ready=true]"
MANY = 400  # presses of Tab after which a thing counts as out of reach
QL61C = "road-ql61c"


@pytest.fixture(scope="module")
def wide(browser: Browser) -> Iterator[BrowserContext]:
    """Return a wide window, which keeps the files of the site as a reader's does."""
    context = browser.new_context(viewport=WIDE)  # type: ignore[arg-type]
    yield context
    context.close()


@pytest.fixture
def page(wide: BrowserContext, site: str) -> Iterator[Page]:
    """Open the Vietnamese map on a wide screen; nothing may fail or leave the site."""
    opened = wide.new_page()
    faults = faults_of(opened, site)
    go(opened, site)
    yield opened
    opened.evaluate("localStorage.clear()")
    opened.close()
    assert faults == []


@pytest.fixture
def phone(browser: Browser, site: str) -> Iterator[Page]:
    """Open the English map on a phone, touched and never clicked."""
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    opened = context.new_page()
    faults = faults_of(opened, site)
    go(opened, site, "en")
    yield opened
    assert faults == []
    context.close()


def go(page: Page, site: str, language: str = "vi", view: str = "") -> None:
    page.goto(f"{site}{language}/map/index.html{view}")
    page.wait_for_selector("html[data-map-ready=true]")
    if "=" in view.partition("#")[2]:
        page.wait_for_selector(READY)


def wake(page: Page) -> None:
    """Ask for the filters, as the first touch of them does."""
    page.locator("#sort").focus()
    page.wait_for_selector(READY)


def settle(page: Page) -> None:
    """Wait until a change is drawn and written into the address, by the page's own clock."""
    page.evaluate("new Promise(f => setTimeout(() => requestAnimationFrame(() => f()), 300))")


def listed(page: Page) -> list[str]:
    """Return the ids of the rows that the list shows, in their order."""
    shown = "els => els.filter(e => e.offsetParent).map(e => e.dataset.id)"
    return list(page.eval_on_selector_all("#records a[data-id]", shown))


def tab_to(page: Page, selector: str, key: str = "Tab") -> None:
    """Press Tab until the thing has the focus, as one without a mouse must."""
    for _ in range(MANY):
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{selector} is not reached by Tab")


def press(page: Page, key: str, times: int = 1) -> None:
    for _ in range(times):
        page.keyboard.press(key)


PRINTS = """globalThis.print = () => {
  const told = document.documentElement.dataset;
  told.printed = String(Number(told.printed || 0) + 1);
  told.paper = document.getElementById('paper')?.textContent || '';
}"""
"""Counts what is printed, for a browser without a window asks no printer."""


def carried(download: Download) -> list[str]:
    """Return the ids of the rows of a downloaded CSV, in their order."""
    text = Path(download.path()).read_text(encoding="utf-8-sig")
    return [row["id"] for row in csv.DictReader(io.StringIO(text, newline=""))]


@pytest.mark.parametrize("way", ["keys", "touch"])
def test_the_sheet_of_a_place_is_printed(browser: Browser, site: str, way: str) -> None:
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    context.add_init_script(PRINTS)
    page = context.new_page()
    page.goto(f"{site}vi/places/kcn-song-hau-2/index.html")
    if way == "keys":
        tab_to(page, "#print-sheet")
        press(page, "Enter")
    else:
        page.tap("#print-sheet")
    page.wait_for_selector("html[data-printed='1']")
    page.emulate_media(media="print")
    assert page.locator(".sheet .qr").is_visible() and page.locator("#print-sheet").is_hidden()
    context.close()


def parks(built: Built, least_ha: float) -> gpd.GeoDataFrame:
    """Return the parks of at least so many hectares that are planned, prepared or being built.

    With the nearest and the farthest that each may be from QL61C, worked out again from the
    published layers. A park of unknown area may be large enough.
    """
    places = gpd.read_file(built.public / "data" / "places.geojson").set_index("id")
    routes = gpd.read_file(built.public / "data" / "routes.geojson").set_index("id")
    is_open = places["stage_group"].isin(["planned", "preparing", "building"])
    is_large = places["area_ha"].isna() | (places["area_ha"] >= least_ha)
    found = places[(places["kind"] == "industrial_park") & is_open & is_large].to_crs(METRIC_CRS)
    line = routes.to_crs(METRIC_CRS).loc[QL61C]
    distance, doubt = found.distance(line.geometry), found["accuracy_m"] + line["accuracy_m"]
    return found.assign(least_km=(distance - doubt) / 1000, most_km=(distance + doubt) / 1000)


TYPED = {
    "song hau 2": "kcn-song-hau-2",
    "KCN Song Hau 2": "kcn-song-hau-2",
    "kcn sogn hau 2": "kcn-song-hau-2",
    "KCN Sông Hậu 2": "kcn-song-hau-2",
    "dong phu": "kcn-dong-phu",
    "chau thanh a": "kcn-tan-phu-thanh-1",
    "kinh bac": "kcn-song-hau-2",
    "ql61c": QL61C,
}


def test_a_record_is_found_without_accents_and_with_a_slip(page: Page) -> None:
    wake(page)
    options = page.locator("#search-list [role=option]")
    for typed, found in TYPED.items():
        page.fill("#search", "")
        assert options.count() == 0
        page.fill("#search", typed)
        assert found in options.evaluate_all("els => els.map(e => e.dataset.id)"), typed


def test_search_is_a_combobox_that_enter_opens_and_escape_leaves(page: Page) -> None:
    tab_to(page, "#search")
    page.keyboard.type("KCN Song Hua 2")
    page.wait_for_selector("#search-list [role=option]")
    box = page.locator("#search")
    assert box.get_attribute("aria-expanded") == "true"
    press(page, "ArrowDown")
    chosen = page.locator(f"#{box.get_attribute('aria-activedescendant')}")
    assert chosen.get_attribute("aria-selected") == "true"
    press(page, "Enter")
    assert page.locator("#panel h2").inner_text() == "KCN Sông Hậu 2"
    assert page.evaluate("document.activeElement.id") == "panel-name"
    press(page, "Escape")
    assert page.locator("#panel").is_hidden()
    assert page.evaluate("document.activeElement.id") == "search"
    assert page.locator("#search-list").is_hidden()


def test_results_stand_in_groups_by_kind_and_say_what_matched(page: Page) -> None:
    wake(page)
    page.fill("#search", "chau thanh a")
    groups = page.locator("#search-list [role=group]")
    assert groups.count() > 1
    assert "Huyện Châu Thành A" in page.locator("#search-list").inner_text()
    names = groups.evaluate_all("els => els.map(e => e.firstElementChild.textContent)")
    assert "Khu công nghiệp" in names


def test_nothing_found_is_said(page: Page) -> None:
    wake(page)
    page.fill("#search", "xyzzyplugh")
    assert page.locator("#search-none").is_visible()


def test_by_keyboard_an_investor_narrows_compares_and_copies_the_view(
    browser: Browser, site: str, built: Built
) -> None:
    context = browser.new_context(viewport=WIDE)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    context.add_init_script(PRINTS)
    page = context.new_page()
    go(page, site, "en")
    tab_to(page, "#search")
    page.keyboard.type("KCN Song Hau 2")
    page.wait_for_selector("#search-list [data-id=kcn-song-hau-2]")
    press(page, "Enter")
    assert page.locator("#panel h2").inner_text() == "Sông Hậu 2 Industrial Park"
    press(page, "Escape")
    tab_to(page, "#filters > summary")
    press(page, "Enter")
    page.wait_for_selector(READY)
    tab_to(page, "#facet-kind > summary")
    press(page, "Enter")
    tab_to(page, "[data-facet=kind][value=industrial_park]")
    press(page, "Space")
    tab_to(page, "#facet-stage > summary")
    press(page, "Enter")
    for stage in ("planned", "preparing", "building"):
        if page.locator(f"[data-facet=stage][value={stage}]").count():
            tab_to(page, f"[data-facet=stage][value={stage}]")
            press(page, "Space")
    tab_to(page, "#facet-numbers > summary")
    press(page, "Enter")
    tab_to(page, "#area-least")
    press(page, "ArrowRight", 40)
    tab_to(page, "#facet-distance > summary")
    press(page, "Enter")
    tab_to(page, "#route")
    page.keyboard.type("National road 61C")
    tab_to(page, "#away-most")
    press(page, "Home")
    press(page, "ArrowRight", 20)
    settle(page)
    state = dict(part.split("=") for part in page.evaluate("location.hash.slice(1)").split("&"))
    assert (state["v"], state["area"], state["away"]) == ("1", "200..", "..10")
    near = parks(built, 200)
    may_be = near[near["least_km"] <= 10]
    assert sorted(listed(page)) == sorted(may_be.index)  # the lower bound: it may be that near
    tab_to(page, "[name=sure]", "Shift+Tab")
    press(page, "ArrowDown")
    settle(page)
    assert sorted(listed(page)) == sorted(near[near["most_km"] <= 10].index)
    press(page, "ArrowUp")
    settle(page)

    tab_to(page, "#records a[data-id]")
    for _ in range(3):
        press(page, "Tab")
        assert page.evaluate("document.activeElement.className") == "star"
        press(page, "Enter")
        press(page, "Shift+Tab")
        press(page, "ArrowDown")
    chosen = listed(page)[:3]
    tab_to(page, "#compare-open", "Shift+Tab")
    press(page, "Enter")
    assert page.evaluate("document.activeElement.id") == "compare-title"
    heads = page.locator("#compare-table thead a")
    assert [h.split("/")[-2] for h in heads.evaluate_all("els => els.map(e => e.href)")] == chosen
    settle(page)
    tab_to(page, "#compare-print")
    press(page, "Enter")
    page.wait_for_selector("html[data-printed='1']")
    assert "Comparison sheet" in str(page.evaluate("document.documentElement.dataset.paper"))
    tab_to(page, "#save-csv", "Shift+Tab")
    with page.expect_download() as caught:
        press(page, "Enter")
    assert carried(caught.value) == listed(page)
    tab_to(page, "#copy-link", "Shift+Tab")
    press(page, "Enter")
    settle(page)
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == page.url

    other = browser.new_context(viewport=WIDE)
    fresh = other.new_page()
    fresh.goto(link)
    fresh.wait_for_selector(READY)
    for shown in ("#tally", "#knocked", "#compare-table", "#shortlist-items"):
        assert fresh.locator(shown).inner_text() == page.locator(shown).inner_text()
    assert listed(fresh) == listed(page)
    assert fresh.url == link
    other.close()
    context.close()


def test_by_touch_an_investor_does_the_same_on_a_phone(
    browser: Browser, site: str, built: Built
) -> None:
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    context.add_init_script(PRINTS)
    page = context.new_page()
    go(page, site, "en")
    page.tap("#search")
    page.keyboard.type("KCN Song Hau 2")
    page.locator("#search-list [data-id=kcn-song-hau-2]").tap()
    sheet = page.locator("#panel").bounding_box()
    assert sheet and sheet["width"] == PHONE["width"]
    assert sheet["y"] + sheet["height"] == pytest.approx(PHONE["height"], abs=1)
    page.locator("#panel .close").tap()
    assert page.locator("#panel").is_hidden()
    page.tap("#filters > summary")
    page.tap("#facet-kind > summary")
    page.tap("[data-facet=kind][value=industrial_park]")
    page.tap("#facet-stage > summary")
    for stage in ("planned", "preparing", "building"):
        if page.locator(f"[data-facet=stage][value={stage}]").count():
            page.tap(f"[data-facet=stage][value={stage}]")
    page.tap("#facet-numbers > summary")
    area = slid(page, "#area-least", 200)
    page.tap("#facet-distance > summary")
    page.select_option("#route", QL61C)
    away = slid(page, "#away-most", 10)
    settle(page)
    near = parks(built, area)
    assert sorted(listed(page)) == sorted(near[near["least_km"] <= away].index)
    for i in range(3):
        page.locator("#records li:not([hidden]) .star").nth(i).tap()
    page.locator("#compare-open").tap()
    assert page.locator("#compare-table thead a").count() == 3
    settle(page)
    page.tap("#compare-print")
    page.wait_for_selector("html[data-printed='1']")
    with page.expect_download() as caught:
        page.tap("#save-csv")
    assert carried(caught.value) == listed(page)
    page.tap("#copy-link")
    settle(page)
    link = page.evaluate("navigator.clipboard.readText()")
    other = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    fresh = other.new_page()
    fresh.goto(link)
    fresh.wait_for_selector(READY)
    assert (
        fresh.locator("#compare-table").inner_text() == page.locator("#compare-table").inner_text()
    )
    assert listed(fresh) == listed(page)
    assert fresh.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    other.close()
    context.close()


def slid(page: Page, selector: str, value: float) -> float:
    """Tap a slider where a value lies and return the value it took."""
    bar = page.locator(selector)
    bar.scroll_into_view_if_needed()
    box = bar.bounding_box()
    assert box
    share = value / float(bar.get_attribute("max") or 1)
    page.touchscreen.tap(box["x"] + 9 + share * (box["width"] - 18), box["y"] + box["height"] / 2)
    settle(page)
    assert float(bar.input_value()) == pytest.approx(value, rel=0.15)
    return float(bar.input_value())


def test_each_filter_says_how_many_it_excludes_and_can_be_dropped(page: Page) -> None:
    go(page, page.url.split("vi/")[0], "vi", "#v=1&kind=industrial_park&area=200..,known")
    all_ids = page.evaluate("Object.keys(ATLAS_FIND.records).length")
    told = re.findall(r"\d+", page.locator("#tally").inner_text())
    assert [int(n) for n in told] == [len(listed(page)), all_ids, all_ids - len(listed(page))]
    kinds = page.evaluate(
        "Object.values(ATLAS_FIND.records).filter(r => r.kind !== 'industrial_park').length"
    )
    small = page.evaluate(
        "Object.values(ATLAS_FIND.records).filter(r => !(r.numbers.area_ha >= 200)).length"
    )
    first, second = page.locator("#knocked li").all_inner_texts()
    assert f"loại {kinds}," in first and f"loại {small}," in second
    page.locator("#knocked .remove").first.click()
    settle(page)
    assert "kind=" not in page.url and "area=200..,known" in page.url


def test_what_is_not_known_stays_until_the_reader_says_otherwise(page: Page) -> None:
    root = page.url.split("vi/")[0]
    go(page, root, "vi", "#v=1&kind=industrial_cluster&area=50..")
    unknown = [
        i
        for i in listed(page)
        if page.evaluate(f"ATLAS_FIND.records['{i}'].numbers.area_ha") is None
    ]
    assert unknown
    go(page, root, "vi", "#v=1&kind=industrial_cluster&area=50..,known")
    page.reload()
    page.wait_for_selector(READY)
    assert set(listed(page)).isdisjoint(unknown) and listed(page)


def test_hectares_and_capital_are_summed_and_the_unknown_counted(
    browser: Browser, site: str
) -> None:
    page = browser.new_page(viewport=WIDE)  # type: ignore[arg-type]
    faults = faults_of(page, site)
    go(page, site, "en", "#v=1&kind=industrial_park")
    areas = page.evaluate(
        "Object.values(ATLAS_FIND.records).filter(r => r.kind === 'industrial_park')"
        ".map(r => r.numbers.area_ha)"
    )
    known = [a for a in areas if a is not None]
    text = page.locator("#hectares").inner_text()
    assert f"{sum(known):,.2f}".rstrip("0").rstrip(".") in text
    assert f"{len(known)} places; area not known for {len(areas) - len(known)}" in text
    page.locator("details.money summary").click()
    assert "Registered capital" in page.locator("#money").inner_text()
    assert faults == []
    page.close()


def test_the_list_is_sorted_and_the_unknown_stand_last(page: Page) -> None:
    wake(page)
    for sort in ("name", "area", "stage", "schedule", "complete"):
        page.select_option("#sort", sort)
        settle(page)
        ids = listed(page)
        assert len(ids) == page.evaluate("Object.keys(ATLAS_FIND.records).length")
        assert f"sort={sort}" in page.url
        if sort == "area":
            area = "i => ATLAS_FIND.records[i].numbers.area_ha ?? null"
            areas = page.evaluate(f"ids => ids.map({area})", ids)
            known = [a for a in areas if a is not None]
            assert areas[: len(known)] == sorted(known, reverse=True)


def test_list_and_map_light_each_other(page: Page) -> None:
    wake(page)
    page.locator("#records a[data-id=kcn-long-thanh]").focus()
    pin = page.locator(".pin[data-id=kcn-long-thanh]")
    assert "is-lit" in (pin.get_attribute("class") or "")
    pin.focus()
    row = page.locator("#records li:has(a[data-id=kcn-long-thanh])")
    assert "is-lit" in (row.get_attribute("class") or "")


def signs(page: Page) -> list[tuple[str, int, int, str]]:
    """Return the signs that show: id, how many lie under it, tab index, accessible name."""
    told = page.locator(".pin:visible").evaluate_all(
        "els => els.map(e => [e.dataset.id, Number(e.dataset.more) || 0, e.tabIndex, e.ariaLabel])"
    )
    return [(str(i), int(n), int(t), str(name)) for i, n, t, name in told]


def test_every_record_is_reached_by_keyboard_from_a_sign_that_says_its_name(page: Page) -> None:
    told = signs(page)
    records = page.evaluate("Object.keys(Atlas.draw.records).length")
    assert len(told) + sum(under for _, under, _, _ in told) == records
    assert {tab for _, _, tab, _ in told} == {0}
    assert all(len(name) > 10 for *_, name in told)
    assert all(f"{under} mục" in name for _, under, _, name in told if under)
    page.locator(".pin[data-id=kcn-long-thanh]").press("Enter")
    assert page.locator("#panel h2").is_visible()
    press(page, "Escape")
    assert page.evaluate("document.activeElement.dataset.id") == "kcn-long-thanh"


def test_signs_that_would_hide_each_other_are_one_and_its_panel_lists_the_others(
    page: Page,
) -> None:
    head, under, _, name = max(signs(page), key=lambda sign: sign[1])
    assert under > 1
    page.locator(f".pin[data-id={head}]").press("Enter")
    page.wait_for_selector(READY)
    others = page.locator("#panel .here button")
    assert others.count() == under and others.first.is_visible()
    shown = others.last.inner_text()
    others.last.press("Enter")
    assert page.locator("#panel h2").inner_text() == shown


def test_signs_come_apart_as_one_zooms_and_keep_the_focus(page: Page) -> None:
    before = len(signs(page))
    head = max(signs(page), key=lambda sign: sign[1])[0]
    page.locator(f".pin[data-id={head}]").focus()
    page.evaluate("Atlas.page.map.setZoom(8, {animate: false})")
    settle(page)
    few = signs(page)
    assert len(few) < before
    assert page.evaluate("document.activeElement.classList.contains('pin')")
    page.evaluate("Atlas.page.map.setZoom(16, {animate: false})")
    settle(page)
    assert len(signs(page)) > before


def test_the_filtered_rows_are_downloaded_as_they_are_listed(page: Page) -> None:
    go(
        page,
        page.url.split("vi/")[0],
        "vi",
        f"#v=1&kind=industrial_park&route={QL61C}&away=..20&year=2023&sort=area",
    )
    with page.expect_download() as caught:
        page.locator("#save-csv").click()
    content = Path(caught.value.path()).read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    edition = page.evaluate("document.documentElement.dataset.edition")
    assert edition in caught.value.suggested_filename
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert [r["id"] for r in rows] == listed(page)
    assert {r["edition"] for r in rows} == {edition}
    assert {r["year"] for r in rows} == {"2023"}
    assert all(float(r["route_least_km"]) <= 20 for r in rows if r["route_least_km"])
    with page.expect_download() as caught:
        page.locator("#save-geojson").click()
    layer = json.loads(Path(caught.value.path()).read_text(encoding="utf-8"))
    assert [f["id"] for f in layer["features"]] == listed(page)
    at = layer["features"][0]["geometry"]
    assert at["type"] == "Point" and 105 < at["coordinates"][0] < 106


def test_the_downloaded_layer_lies_where_the_published_one_lies(page: Page, built: Built) -> None:
    wake(page)
    text = page.evaluate("Atlas.carry.geojson(Object.keys(ATLAS_FIND.records))")
    ours = gpd.read_file(io.StringIO(text)).set_index("id").to_crs(METRIC_CRS)
    for name in ("places", "routes"):
        told = gpd.read_file(built.public / "data" / f"{name}.geojson").set_index("id")
        theirs = told.to_crs(METRIC_CRS)
        apart = ours.geometry.loc[theirs.index].hausdorff_distance(theirs.geometry)
        assert apart.max() < 2


def test_no_cell_of_the_download_starts_a_formula(page: Page) -> None:
    wake(page)
    texts = ["=1+1", "@x", "+84 293", "-5", "-5 km", "'=x", 'a "b", c', "plain", "\t=x", "＝1"]
    page.evaluate(
        "t => t.forEach((x, i) => {"
        " const r = structuredClone(Object.values(ATLAS_FIND.records)[0]);"
        " r.carry[3] = x; ATLAS_FIND.records['t' + i] = r; })",
        texts,
    )
    told = page.evaluate("n => Atlas.carry.csv([...Array(n).keys()].map(i => 't' + i))", len(texts))
    rows = list(csv.reader(io.StringIO(told.removeprefix("\ufeff"), newline="")))
    assert [row[3] for row in rows[1:]] == [str(guard_cell(text)) for text in texts]


def test_a_year_shows_what_stood_then_and_dims_what_was_not_known(page: Page) -> None:
    wake(page)
    page.locator("#year").focus()
    press(page, "Home")
    settle(page)
    assert "year=2020" in page.url
    assert page.locator("#by-year").is_checked()
    told = page.evaluate("Object.values(ATLAS_FIND.records).filter(r => r.years[0] === '-').length")
    assert f"chưa được biết: {told}" in page.locator("#year-note").inner_text()
    assert page.locator(".pin.is-dim").count() == told
    press(page, "End")
    settle(page)
    assert "theo hẹn" in page.locator("#year-note").inner_text()
    page.locator("#by-year").uncheck()
    settle(page)
    assert "year=" not in page.url and page.locator(".pin.is-dim").count() == 0


def test_the_stage_filter_speaks_of_the_chosen_year(page: Page) -> None:
    go(page, page.url.split("vi/")[0], "vi", "#v=1&stage=operating&year=2020")
    then = page.evaluate(
        "Object.keys(ATLAS_FIND.records).filter(i => ATLAS_FIND.records[i].years[0] === 'o')"
    )
    assert sorted(listed(page)) == sorted(then)


def test_the_embedded_view_is_map_and_legend_with_a_way_out(browser: Browser, site: str) -> None:
    page = browser.new_page(viewport={"width": 640, "height": 480})
    go(page, site, "en", "?embed=1#v=1&kind=industrial_park")
    assert page.locator(".atlas-map").is_visible() and page.locator(".legend").is_visible()
    for part in (".top", ".find", ".map-list", ".bottom"):
        assert page.locator(part).first.is_hidden()
    link = page.locator("#full-page")
    assert link.get_attribute("target") == "_blank"
    assert "embed" not in str(link.get_attribute("href")) and "kind=industrial_park" in str(
        link.get_attribute("href")
    )
    told = signs(page)
    assert len(told) + sum(under for _, under, _, _ in told) == page.evaluate(
        "Object.values(ATLAS_FIND.records).filter(r => r.kind === 'industrial_park').length"
    )
    page.close()


def test_the_snippet_embeds_this_view(page: Page) -> None:
    go(page, page.url.split("vi/")[0], "vi", "#v=1&kind=port")
    page.locator("#embed summary").click()
    snippet = page.locator("#snippet").input_value()
    assert snippet.startswith("<iframe") and "?embed=1#v=1" in snippet and "kind=port" in snippet


def test_the_switch_of_language_keeps_the_view(page: Page) -> None:
    go(
        page,
        page.url.split("vi/")[0],
        "vi",
        "#v=1&kind=port,plant&who=tong-cong-ty-phat-trien-do-thi-kinh-bac-ctcp-kbc&sort=name",
    )
    before = page.evaluate("location.hash")
    page.locator(".switch a").click()
    page.wait_for_selector(READY)
    assert "/en/map/" in page.url and page.evaluate("location.hash") == before


HOSTILE_HASHES = [
    "#%", "#=", "#v=1&map=a/b/c", "#v=1&map=99/999/999", "#v=9&kind=<img src=x onerror=alert(1)>",
    "#id=__proto__", "#v=1&id=constructor&compare=__proto__,toString,valueOf", "#v=1&area=x..y",
    "#v=1&area=500..2&road=..&away=..5", "#v=1&year=9999&sort=evil&route=javascript:alert(1)",
    "#v=1&shortlist=" + "a," * 3000, "#v=1&stage=%E0%A4%A&hide=%00",
    "#v=1&hide=communes,nope&view=1",
    "#v=1&colour=<b>&fund=__proto__&conflict=constructor&late=-1..x",
    "#v=1&colour=schedule&year=2024",
]  # fmt: skip


def test_no_link_breaks_the_page(browser: Browser, site: str) -> None:
    context = browser.new_context()
    for text in HOSTILE_HASHES:
        page = context.new_page()
        faults = faults_of(page, site)
        page.goto(f"{site}vi/map/index.html{text}", wait_until="networkidle")
        wake(page)
        settle(page)
        assert listed(page), text
        assert faults == [], text
        page.close()
    context.close()


def test_a_link_is_read_back_as_it_was_written(page: Page) -> None:
    wake(page)
    views = [
        "#v=1&map=11.25/9.8000/105.6000&hide=waterways,port&kind=industrial_park,not_known&area=200..500,known",
        "#v=1&away=..10&route=road-ql61c&sure=1&view=1&sort=away&year=2024&id=kcn-a&shortlist=a,b&compare=a,b",
        "#v=1&schedule=late,stalled&fund=private&conflict=disputed&late=30..&colour=schedule",
    ]
    assert page.evaluate("v => v.map(t => Atlas.hash.format(Atlas.hash.parse(t)))", views) == views


def test_the_shortlist_is_kept_and_works_where_storage_is_blocked(
    browser: Browser, site: str
) -> None:
    context = browser.new_context()
    page = context.new_page()
    go(page, site, "vi", "#kcn-song-hau-2")
    page.locator("#panel .star").click()
    page.wait_for_selector("#shortlist:not([hidden])")
    settle(page)
    go(page, site, "vi")
    page.goto("about:blank")
    go(page, site, "vi")
    page.wait_for_selector("#shortlist:not([hidden])")
    assert "KCN Sông Hậu 2" in page.locator("#shortlist-items").inner_text()
    context.close()

    blocked = browser.new_context()
    blocked.add_init_script(
        "Object.defineProperty(globalThis, 'localStorage', {get() { throw new Error('blocked'); }})"
    )
    page = blocked.new_page()
    faults = faults_of(page, site)
    go(page, site, "vi", "#kcn-song-hau-2")
    page.locator("#panel .star").click()
    page.wait_for_selector("#shortlist:not([hidden])")
    assert page.locator("#panel .star").get_attribute("aria-pressed") == "true"
    assert faults == []
    blocked.close()


def test_a_comparison_marks_differences_the_better_and_the_unknown(page: Page) -> None:
    ids = "kcn-song-hau-1,kcn-song-hau-2,kcn-tan-phu-thanh-1,kcn-tan-hoa"
    go(page, page.url.split("vi/")[0], "vi", f"#v=1&compare={ids}")
    table = page.locator("#compare-table")
    area = table.locator("tr", has=page.locator("th", has_text="Diện tích")).first
    assert "380" in area.locator("td.is-best").inner_text()
    assert "lớn nhất" in area.locator("td.is-best").inner_text()
    price = table.locator("tr", has=page.locator("th", has_text="Giá thuê")).first
    assert "68" in price.locator("td").nth(0).inner_text()
    assert "chưa rõ" in price.locator("td").nth(1).inner_text()
    assert "Nguồn:" in area.locator("td").nth(1).inner_text()
    assert "differs" in (area.get_attribute("class") or "")
    page.locator("#compare-only").check()
    assert table.locator("tr.same").count() and not table.locator("tr.same").first.is_visible()
    table.locator(".remove").last.click()
    assert table.locator("thead a").count() == 3
    page.locator("#compare-close").click()
    assert page.locator("#compare").is_hidden()


def test_a_distance_is_the_better_only_where_that_is_certain(page: Page) -> None:
    wake(page)
    told = page.evaluate(
        "spans => { spans.forEach((s, i) => {"
        " ATLAS_FIND.records['t' + i] = {cells: {road: ['', '', [], '', '', s]}}; });"
        " const row = ['road', '', 'nearest'];"
        " return [['t0', 't1'], ['t0', 't2']].map(ids => Atlas.compare.better(row, ids)); }",
        [[0, 5], [6, 9], [4, 8]],
    )
    assert told == [["t0"], []]


def test_a_typed_point_orders_the_list_and_is_narrowed_by_distance(
    browser: Browser, page: Page, site: str
) -> None:
    page.locator("#search").focus()
    page.wait_for_selector(READY)
    for written in ("9,9205; 105,8700", "1.097.100 595.300"):
        page.fill("#search", written)
        assert page.locator("#search-list [role=option]").count() == 1
    assert "EPSG:5897" in page.locator("#search-list [role=option]").inner_text()
    press(page, "Enter")
    page.wait_for_function("document.getElementById('point').innerText.includes('9,9197° B')")
    assert "Điểm 9,9197° B" in page.locator("#point").inner_text()
    assert page.locator("#sort").input_value() == "point"
    first = page.locator("#records .flat li:visible").first
    assert "km" in first.inner_text()
    assert page.evaluate("document.activeElement.id") == "search"
    page.evaluate("document.querySelectorAll('#filters, #facet-distance').forEach(d => d.open = 1)")
    slide(page, "#point-most", 10)
    settle(page)
    shown = page.evaluate("Atlas.browse.shown.map(id => ATLAS_FIND.records[id].point)")
    assert 0 < len(shown) < 56
    assert all(bounds is None or bounds[0] <= 10 for bounds in shown)
    page.wait_for_url(re.compile(r"point=\.\.10"))
    assert "point=..10" in page.url and "&at=9.9197/105.87085&" in page.url
    fresh = browser.new_page()
    fresh.goto(page.url)
    fresh.wait_for_selector(READY)
    assert fresh.locator("#tally").inner_text() == page.locator("#tally").inner_text()
    assert fresh.locator("#point").inner_text() == page.locator("#point").inner_text()
    fresh.close()
    page.locator("#point button").click()
    page.locator("#point").wait_for(state="hidden")
    assert "at=" not in page.evaluate("Atlas.page.address()")
    page.fill("#search", "21.03, 105.85")
    assert "ngoài phạm vi" in page.locator("#search-list").inner_text()
    press(page, "Enter")
    assert page.locator("#point").is_hidden()


def slide(page: Page, selector: str, value: float) -> None:
    page.locator(selector).evaluate(
        "(bar, value) => { bar.value = value;"
        " bar.dispatchEvent(new Event('input', {bubbles: true})); }",
        value,
    )


def test_the_distance_to_a_typed_point_is_that_of_the_metric_system(page: Page) -> None:
    wake(page)
    told = page.evaluate(
        "() => { Atlas.point.set([9.8, 105.6]); Atlas.point.show();"
        " return Object.entries(ATLAS_FIND.records).map(([id, r]) => [id, r.point || null,"
        " ...['longitude', 'latitude', 'accuracy_m'].map(n =>"
        " r.carry[ATLAS_FIND.carried.indexOf(n)])]); }"
    )
    places = {one[0]: one for one in told if not one[0].startswith(("road", "exp", "canal"))}
    here = gpd.GeoSeries.from_xy([105.6], [9.8], crs=4326).to_crs(METRIC_CRS).iloc[0]
    looked_at = 0
    for _, bounds, longitude, latitude, accuracy in places.values():
        if bounds is None:
            continue
        there = gpd.GeoSeries.from_xy([longitude], [latitude], crs=4326).to_crs(METRIC_CRS).iloc[0]
        metres, doubt = here.distance(there), float(accuracy)
        assert bounds[0] == pytest.approx(max(0, metres - doubt) / 1000, abs=0.15)
        assert bounds[1] == pytest.approx((metres + doubt) / 1000, abs=0.15)
        looked_at += 1
    assert looked_at > 20


def test_what_is_pressed_before_the_filters_are_there_is_not_lost(phone: Page) -> None:
    with phone.expect_download() as caught:
        phone.locator("#save-csv").tap()
    assert caught.value.suggested_filename.endswith(".csv")


def early_filters(page: Page) -> None:
    page.locator("#filters summary").click()
    leave(page)


def early_search(page: Page) -> None:
    page.locator("#search").focus()
    page.keyboard.type("song hau 1")


def early_year(page: Page) -> None:
    page.locator("#by-year").check()
    page.locator("#year").press("Home")
    leave(page)


def early_order(page: Page) -> None:
    page.locator("#colours [value=schedule]").check()
    page.select_option("#sort", "area")
    leave(page)


def early_embed(page: Page) -> None:
    page.locator("#embed summary").click()
    leave(page)


def leave(page: Page) -> None:
    """Take the focus away; not every browser gives it to what is pressed."""
    page.evaluate("document.activeElement.blur()")


TOUCHES: dict[str, tuple[Callable[[Page], None], str]] = {
    "filters": (early_filters, "document.querySelector('#facets input') !== null"),
    "search": (early_search, "document.querySelector('#search-list .option') !== null"),
    "year": (early_year, "/[#&]year=2020(&|$)/.test(location.hash)"),
    "order": (
        early_order,
        "location.hash.includes('colour=schedule') && location.hash.includes('sort=area')",
    ),
    "embed": (early_embed, "document.querySelector('#snippet').value.includes('?embed=1')"),
}
"""What a reader does before the map is there, and what the page then shows of it."""

LATE = ("leaflet-*.js", "map-vi-*.js")
"""Scripts of the map that may come late: with the first no script has run, with the last all."""

LISTENS = """() => new Promise(listens => {
  const look = () => typeof Atlas !== 'undefined' && Atlas.page ? listens() : setTimeout(look, 20);
  look();
})"""


def open_without(page: Page, site: str, late: str) -> Route:
    """Open the map's page and hold one of its scripts back; return what lets it come."""
    held: list[Route] = []
    page.route(f"**/assets/{late}", lambda route: held.append(route))
    page.goto(f"{site}vi/map/index.html", wait_until="commit")
    page.locator("#embed").wait_for()  # the last of the page's text
    if late == LATE[-1]:
        page.evaluate(LISTENS)
    while not held:
        page.wait_for_timeout(20)
    return held[0]


@pytest.mark.parametrize("touch", TOUCHES)
@pytest.mark.parametrize("late", LATE)
def test_what_is_touched_before_the_map_is_there_is_not_lost(
    wide: BrowserContext, site: str, late: str, touch: str
) -> None:
    page = wide.new_page()
    faults = faults_of(page, site)
    held = open_without(page, site, late)
    act, shows = TOUCHES[touch]
    act(page)
    held.continue_()
    page.wait_for_selector(READY)
    settle(page)
    assert page.evaluate(shows) and faults == []
    page.close()


def test_a_button_pressed_often_before_the_map_is_there_acts_once(
    wide: BrowserContext, site: str
) -> None:
    page = wide.new_page()
    held = open_without(page, site, LATE[-1])
    saved: list[Download] = []
    page.on("download", lambda download: saved.append(download))
    for _ in range(3):
        page.locator("#save-csv").click()
    held.continue_()
    page.wait_for_selector(READY)
    settle(page)
    assert len(saved) == 1
    page.close()


def opened_facets(page: Page) -> None:
    wake(page)
    page.evaluate(
        "document.querySelectorAll('#filters, #filters details').forEach(d => { d.open = true; })"
    )
    page.select_option("#route", QL61C)


def searching(page: Page) -> None:
    wake(page)
    page.fill("#search", "song hau")
    press(page, "ArrowDown")


STATES = {
    "filters": ("", opened_facets),
    "search": ("", searching),
    "panel": ("#kcn-song-hau-1", wake),
    "compare": (
        "#v=1&compare=kcn-song-hau-1,kcn-song-hau-2&shortlist=kcn-song-hau-1,kcn-tan-hoa",
        wake,
    ),
    "year": ("#v=1&year=2022&kind=industrial_park&area=100..", wake),
    "sorted": ("#v=1&sort=area", wake),
    "schedule": ("#v=1&colour=schedule&late=..900&id=kcn-dong-phu", opened_facets),
    "point": ("#v=1&at=9.8/105.6&point=..10&sort=point", wake),
    "embed": ("?embed=1#kcn-tan-hoa", settle),
}


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing_in_any_state(
    browser: Browser, site: str, state: str, size: dict[str, int]
) -> None:
    view, prepare = STATES[state]
    context = browser.new_context(bypass_csp=True, viewport=size)  # type: ignore[arg-type]
    page = context.new_page()
    go(page, site, "vi", view)
    prepare(page)
    settle(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    context.close()


def test_at_320_pixels_everything_is_there_and_nothing_runs_over(
    browser: Browser, site: str
) -> None:
    page = browser.new_page(viewport={"width": 320, "height": 640})
    go(page, site, "vi", "#v=1&compare=kcn-song-hau-1,kcn-song-hau-2&id=kcn-song-hau-1")
    opened_facets(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert (
        small(page.locator(".map-page button:visible, .map-page input:visible, .pin:visible")) == []
    )
    page.close()


def small(targets: Locator) -> list[str]:
    """Return what is smaller than 24 pixels, its label counted to it."""
    told = """els => els.filter(e => {
        const box = (e.closest('label') || e).getBoundingClientRect();
        return box.height < 23.9 || box.width < 23.9;
    }).map(e => e.outerHTML.slice(0, 120))"""
    return list(targets.evaluate_all(told))


def test_the_map_with_filters_opens_from_disk(browser: Browser, built: Built) -> None:
    page = browser.new_page()
    faults = faults_of(page, "file://")
    page.goto((built.public / "vi" / "map" / "index.html").as_uri() + "#v=1&kind=port,plant")
    page.wait_for_selector(READY)
    page.fill("#search", "song hau")
    assert page.locator("#search-list [role=option]").count() > 1
    page.locator("[data-facet=kind][value=port]").evaluate("e => e.click()")
    settle(page)
    assert "kind=plant" in page.evaluate("Atlas.page.address()")
    assert faults == []
    page.close()


def test_without_javascript_the_list_is_there_and_no_dead_control(
    browser: Browser, site: str
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site}vi/map/index.html")
    assert page.locator("#records a").first.is_visible()
    for part in ("#search", "#filters", "#sort", "#year", "#copy-link", "#embed"):
        assert page.locator(part).is_hidden()
    context.close()


def test_the_scripts_keep_their_types() -> None:
    tsc = SITE / "node_modules" / ".bin" / "tsc"
    command = [str(tsc), "--noEmit", "-p", str(SITE / "jsconfig.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == ""
    assert done.returncode == 0


def test_every_word_that_a_script_asks_for_is_there() -> None:
    words = tomllib.loads((SITE / "words" / "en.toml").read_text(encoding="utf-8"))
    there = {*words["browse"], *words["panel"], *words["tiled"]}
    folder = SITE / "scripts" / "map"
    asked = {
        key
        for path in folder.glob("*.js")
        for call in re.findall(r"\bsay\(([^()]*)", path.read_text(encoding="utf-8"))
        for key in re.findall(r"'([a-z_]+)'", call)
    }
    assert asked - there == set()
