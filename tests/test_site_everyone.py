"""Every kind of page for everyone: zoomed in, spaced out, in forced colours, by either hand."""

import re

import geopandas as gpd
import pytest
from playwright.sync_api import Browser, Page

from browsing import AXE, faults_of
from builds import Built

KINDS = (
    *("", "map", "table", "track", "programme", "duties", "changes", "data", "sources", "status"),
    *("places/kcn-song-hau-2", "routes/exp-cd-ct-st"),
)
OPENED = "map/index.html#v=1&area=..300&compare=kcn-song-hau-1,kcn-song-hau-2&id=kcn-song-hau-1"
ZOOMED = {"width": 320, "height": 256}  # 1280 x 1024 at 400 %
PHONE = {"width": 360, "height": 760}
READY = "html[data-browse-ready=true]"

SPACED = """* { line-height: 1.5 !important; letter-spacing: .12em !important;
word-spacing: .16em !important; } p { margin-bottom: 2em !important; }"""
"""The spacing that WCAG 2.2, 1.4.12 lets a reader ask for."""

CUT = """() => [...document.querySelectorAll('main *, header *, footer *')].filter(e => {
  const style = getComputedStyle(e);
  const apart = '.hidden, .cards thead, .leaflet-container, svg';
  if (!e.offsetParent || !e.textContent.trim() || e.closest(apart)) { return false; }
  const cuts = ['hidden', 'clip'];
  return (cuts.includes(style.overflowX) && e.scrollWidth > e.clientWidth + 1)
    || (cuts.includes(style.overflowY) && e.scrollHeight > e.clientHeight + 1);
}).map(e => e.outerHTML.slice(0, 120))"""
"""What holds text and shows only a part of it, with no way to scroll to the rest."""

COVERED = """() => {
  const all = [...document.querySelectorAll(
    'a[href], button, input, select, textarea, summary, [tabindex="0"]')];
  const wrong = [];
  for (const e of all) {
    if (e.disabled || !e.offsetParent && getComputedStyle(e).position !== 'fixed') { continue; }
    e.focus();
    if (document.activeElement !== e) { continue; }
    const [box] = e.getClientRects();
    if (!box) { continue; }
    const [left, top] = [Math.max(0, box.left), Math.max(0, box.top)];
    const [right, bottom] = [Math.min(innerWidth, box.right), Math.min(innerHeight, box.bottom)];
    const spots = [[.5, .5], [.1, .2], [.9, .2], [.1, .8], [.9, .8]].map(([x, y]) =>
      [left + x * (right - left), top + y * (bottom - top)]);
    const isSeen = spots.some(([x, y]) => {
      const top = document.elementFromPoint(x, y);
      return top && (e === top || e.contains(top) || top.contains(e)
        || e.closest('label')?.contains(top));
    });
    if (!isSeen) { wrong.push(e.outerHTML.slice(0, 120)); }
  }
  return wrong;
}"""
"""What has the focus and is wholly hidden by something else or out of the window (2.4.11)."""


def open_kind(page: Page, site: str, kind: str, language: str = "vi") -> None:
    """Open a page of this kind; the map with its filters, a panel and a comparison too."""
    if kind == "map":
        page.goto(f"{site}{language}/{OPENED}")
        page.wait_for_selector(READY)
    else:
        page.goto(f"{site}{language}/{kind}/index.html".replace("//index", "/index"))
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")


def test_at_400_per_cent_nothing_runs_over_or_hides_what_has_the_focus(
    browser: Browser, site: str
) -> None:
    context = browser.new_context(viewport=ZOOMED, reduced_motion="reduce")
    for kind in KINDS:
        page = context.new_page()
        open_kind(page, site, kind)
        assert page.evaluate("document.documentElement.scrollWidth") <= ZOOMED["width"], kind
        assert page.evaluate(COVERED) == [], kind
        page.close()
    context.close()


@pytest.mark.parametrize("size", [PHONE, {"width": 1440, "height": 900}], ids=["phone", "wide"])
def test_an_open_panel_hides_nothing_that_has_the_focus(
    browser: Browser, site: str, size: dict[str, int]
) -> None:
    page = browser.new_page(viewport=size, reduced_motion="reduce")  # type: ignore[arg-type]
    open_kind(page, site, "map", "en")
    assert page.locator("#panel").is_visible()
    assert page.evaluate(COVERED) == []
    page.close()


def test_text_spaced_as_a_reader_asks_is_not_cut(browser: Browser, site: str) -> None:
    context = browser.new_context(bypass_csp=True, viewport=PHONE)
    for kind in KINDS:
        page = context.new_page()
        open_kind(page, site, kind)
        page.add_style_tag(content=SPACED)
        assert page.evaluate(CUT) == [], kind
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], kind
        page.close()
    context.close()


@pytest.mark.parametrize(("width", "kinds"), [(320, KINDS), (412, ("map",)), (1440, ("map",))])
def test_every_target_is_24_pixels_or_stands_free(
    browser: Browser, site: str, width: int, kinds: tuple[str, ...]
) -> None:
    context = browser.new_context(
        bypass_csp=True, viewport={"width": width, "height": 823}, has_touch=width < 500
    )
    page = context.new_page()
    told = {}
    for kind in kinds:
        page.goto(f"{site}vi/{kind}/index.html".replace("//index", "/index"))
        if kind == "map":
            page.wait_for_selector("html[data-map-ready=true]")
        page.add_script_tag(path=str(AXE))
        found = "axe.run({runOnly: ['target-size']}).then(r => r.violations.flatMap(v =>"
        told[kind] = page.evaluate(f"{found} v.nodes.map(n => n.html.slice(0, 120))))")
    context.close()
    assert {kind: found for kind, found in told.items() if found} == {}


OWN_COLOURS = """() => {
  const probe = document.createElement('i');
  document.body.append(probe);
  const system = ['Canvas', 'CanvasText', 'LinkText', 'Highlight', 'GrayText',
    'VisitedText', 'ButtonText', 'HighlightText', 'ButtonFace'].map(name => {
      probe.style.setProperty('color', name);
      return getComputedStyle(probe).color;
    });
  const plain = ['none', 'rgba(0, 0, 0, 0)', 'rgb(0, 0, 0)'];
  return [...document.querySelectorAll('main svg *')]
    .filter(e => e.getClientRects().length && !e.closest('.qr'))
    .flatMap(e => [getComputedStyle(e).fill, getComputedStyle(e).stroke]
      .filter(c => !plain.includes(c) && !system.includes(c))
      .map(c => `${e.outerHTML.slice(0, 80)} ${c}`)).slice(0, 5);
}"""
"""What an SVG draws in a colour that is none of the system's."""


def test_forced_colours_are_taken_everywhere(browser: Browser, site: str) -> None:
    """What SVG draws is not recoloured by the browser: it must take the reader's colours itself."""
    context = browser.new_context(forced_colors="active", viewport=PHONE)
    for kind in KINDS:
        page = context.new_page()
        page.goto(f"{site}en/{kind}/index.html".replace("//index", "/index"))
        assert page.evaluate(OWN_COLOURS) == [], kind
        page.close()
    context.close()


def test_whoever_asks_for_less_motion_sees_none(browser: Browser, site: str) -> None:
    context = browser.new_context(reduced_motion="reduce", viewport=PHONE)
    page = context.new_page()
    page.goto(f"{site}vi/map/index.html")
    page.wait_for_selector("html[data-map-ready=true]")
    page.evaluate(
        """() => {
          globalThis.moved = [];
          new MutationObserver(told => told.forEach(({target}) => {
            const names = target.className.baseVal ?? target.className;
            if (/(pan|zoom)-anim(?!ated)/.test(names)) { globalThis.moved.push(names); }
          })).observe(document.body, {attributes: true, attributeFilter: ['class'], subtree: true});
        }"""
    )
    page.locator(".leaflet-control-zoom-in").click()
    page.locator(".atlas-map").focus()
    for key in ("ArrowRight", "ArrowDown", "+", "-"):
        page.keyboard.press(key)
    page.locator("#records a[data-id]").first.click()
    page.wait_for_selector(READY)
    assert page.evaluate("globalThis.moved") == []
    assert page.evaluate("document.getAnimations().length") == 0
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
    context.close()


@pytest.mark.parametrize(("hand", "side"), [("left", 0), ("right", 1)])
def test_either_hand_has_the_buttons_on_its_side_and_keeps_them(
    browser: Browser, site: str, hand: str, side: int
) -> None:
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{site}vi/map/index.html")
    page.wait_for_selector("html[data-map-ready=true]")
    page.locator(f"[name=hand][value={hand}]").tap()
    page.wait_for_selector(f"html[data-hand={hand}]")
    page.goto("about:blank")
    page.goto(f"{site}vi/map/index.html#kcn-song-hau-2")
    page.wait_for_selector(f"html[data-hand={hand}]")
    for control in (".leaflet-control-zoom", "#panel .close"):
        box = page.locator(control).bounding_box()
        assert box and (box["x"] + box["width"] / 2 > PHONE["width"] / 2) == bool(side)
    context.close()


@pytest.mark.parametrize("language", ["vi", "en"])
def test_from_disk_the_whole_map_works(browser: Browser, built: Built, language: str) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    faults = faults_of(page, "file://")
    page.goto((built.public / language / "map" / "index.html").as_uri())
    page.wait_for_selector("html[data-map-ready=true]")
    assert page.locator(".pin:visible").count() > 5
    page.fill("#search", "song hau 2")
    page.wait_for_selector("#search-list [data-id=kcn-song-hau-2]")
    page.keyboard.press("Enter")
    assert page.locator("#panel h2").is_visible()
    page.locator("#filters > summary").click()
    page.locator("#facet-kind > summary").click()
    page.locator("[data-facet=kind][value=port]").check()
    page.wait_for_timeout(400)
    assert page.evaluate("Atlas.browse.shown.length") < 10
    page.locator("#year").focus()
    page.keyboard.press("Home")
    page.wait_for_selector("#year-note:not([hidden])")
    page.locator("#reset").click()
    for i in range(2):
        page.locator("#records .star").nth(i).click()
    page.locator("#compare-open").click()
    assert page.locator("#compare-table thead a").count() == 2
    page.wait_for_timeout(400)
    page.locator(".switch a").click()
    page.wait_for_selector(READY)
    other = "en" if language == "vi" else "vi"
    assert page.get_attribute("html", "lang") == other
    assert page.locator("#compare-table thead a").count() == 2
    page.locator("#panel a").first.click()
    page.wait_for_url(f"**/{other}/places/kcn-song-hau-2/index.html")
    assert faults == []
    page.close()


NAMED_OTHERWISE = re.compile(
    "south china sea|biển nam trung hoa|spratly|paracel|nansha|xisha|zhongsha|sansha"
    "|nam sa|tây sa|南海|南沙|西沙",
    re.IGNORECASE,
)
INLAND = (104.5, 8.5, 107.0, 11.0)
"""Degrees, west to north: what the base may draw. Biển Đông, Hoàng Sa and Trường Sa lie far off it.

A base that reaches there must name them so; then this test is the place to say it.
"""


def test_no_base_reaches_the_sea_or_its_islands_and_no_text_names_them_otherwise(
    built: Built,
) -> None:
    for name in ("communes", "places", "routes"):
        layer = gpd.read_file(built.public / "data" / f"{name}.geojson")
        shapes = layer[~layer.geometry.is_empty & layer.geometry.notna()]
        west, south, east, north = shapes.total_bounds
        assert (west > INLAND[0], south > INLAND[1], east < INLAND[2], north < INLAND[3]) == (
            True, True, True, True,
        ), name  # fmt: skip
    wrong = [
        path.name
        for ending in ("*.html", "layers-*.js", "find-*.js")
        for path in built.public.rglob(ending)
        if NAMED_OTHERWISE.search(path.read_text(encoding="utf-8"))
    ]
    assert wrong == []


def test_one_cannot_leave_the_province_s_surroundings(browser: Browser, site: str) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"{site}vi/map/index.html#v=1&map=8/16.5/112.0")
    page.wait_for_selector("html[data-map-ready=true]")
    page.wait_for_timeout(600)
    longitude, latitude = page.evaluate("(c => [c.lng, c.lat])(Atlas.page.map.getCenter())")
    assert INLAND[0] < longitude < INLAND[2] and INLAND[1] < latitude < INLAND[3]
    page.close()


@pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "text"])
def test_a_number_of_the_table_has_date_source_and_confidence_as_text(
    browser: Browser, site: str, javascript: bool
) -> None:
    page = browser.new_page(java_script_enabled=javascript)
    page.goto(f"{site}en/table/index.html")
    cells = page.locator("td[data-label='Area']:has(.value)").all_inner_texts()
    assert len(cells) > 10
    assert [c for c in cells if not re.search(r"\d ha\b", c.replace("\u00a0", " "))] == []
    assert [c for c in cells if not re.search(r"\b20\d\d\b.*·.*·", c, re.DOTALL)] == []
    page.close()


def test_the_panel_and_a_comparison_prove_every_number(browser: Browser, site: str) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"{site}en/map/index.html#v=1&id=kcn-song-hau-2&compare=kcn-song-hau-2,kcn-dong-phu")
    page.wait_for_selector(READY)
    proved = "e => !/\\d/.test(e.querySelector('.value')?.textContent || '')"
    bare = f"els => els.filter(e => !({proved})(e) && !e.querySelector('.proof'))"
    assert page.locator("#panel dd").evaluate_all(f"els => ({bare})(els).length") == 0
    line = page.locator("#panel .against").inner_text()
    assert "promised for" in line and "Source:" in line
    schedule = page.locator("#compare-table tr", has_text="Against the promised date").first
    assert "promised for" in schedule.inner_text() and "Source:" in schedule.inner_text()
    page.close()
