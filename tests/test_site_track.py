"""The planner's pages in a real Chromium: what is late and why, who reports when, how old it is."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, Route

from atlas.views import FACETS, RANGES, SORTS
from browsing import faults_of, violations
from builds import Built

PAGES = ("track", "programme", "duties", "sources", "places/kcn-song-hau-2")
LANGUAGES = ("vi", "en")
LATEST = "kcn-dong-phu"
MANY_TABS = 60


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 360, "height": 760})
    yield opened
    opened.context.close()


def text_of(page: Page, selector: str) -> str:
    return page.locator(selector).first.inner_text().replace("\u00a0", " ")


def focused(page: Page) -> str:
    told = page.evaluate("[document.activeElement.getAttribute('href'), document.activeElement.id]")
    return str(told[0] or told[1])


def tab_to(page: Page, href: str) -> None:
    """Press Tab until the link has the focus, as someone without a mouse does."""
    for _ in range(MANY_TABS):
        page.keyboard.press("Tab")
        if focused(page) == href:
            return
    raise AssertionError(f"{href} is not reached in {MANY_TABS} presses of Tab")


@pytest.mark.parametrize("language", LANGUAGES)
def test_by_keyboard_at_360_px_one_finds_what_is_late_and_why(page, site, language):
    page.goto(f"{site}{language}/index.html")
    tab_to(page, "track/index.html")
    page.keyboard.press("Enter")
    page.wait_for_url("**/track/index.html")
    tab_to(page, "#state-late")
    page.keyboard.press("Enter")
    page.wait_for_url("**#state-late")
    page.keyboard.press("Tab")
    while not focused(page).endswith(f"places/{LATEST}/index.html"):
        page.keyboard.press("Tab")
    row = text_of(page, f"#track-{LATEST}")
    why = {"vi": "chưa nguồn nào nói đã đạt", "en": "no source says it was met"}[language]
    days = {"vi": "ngày", "en": "days"}[language]
    assert why in row and days in row
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/places/{LATEST}/index.html")
    assert page.locator("#chart-gantt svg").count() == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_by_touch_at_360_px_one_finds_what_is_late_and_why(browser, site, language):
    context = browser.new_context(viewport={"width": 360, "height": 760}, has_touch=True)
    page = context.new_page()
    page.goto(f"{site}{language}/track/index.html")
    page.locator("a[href='#state-late']").first.tap()
    row = page.locator(f"#track-{LATEST}")
    row.scroll_into_view_if_needed()
    assert row.locator("td[data-label]").count() >= 6
    row.locator("th a").tap()
    page.wait_for_url(f"**/places/{LATEST}/index.html")
    context.close()


REPORTERS = [
    ("vi", "15/11/2027", "Sở Công Thương"),
    ("en", "15 November 2027", "Department of Industry and Trade"),
]


@pytest.mark.parametrize(("language", "day", "who"), REPORTERS)
def test_by_touch_at_360_px_one_finds_who_must_report_on_15_november(
    browser, site, language, day, who
):
    context = browser.new_context(viewport={"width": 360, "height": 760}, has_touch=True)
    page = context.new_page()
    page.goto(f"{site}{language}/index.html")
    page.locator("nav a[href$='duties/index.html']").tap()
    page.wait_for_url("**/duties/index.html")
    (row,) = page.locator("section:has(> #next) tbody tr").filter(has_text=day).all()
    assert who in row.inner_text()
    row.locator("a[href='#agency-so-cong-thuong']").first.tap()
    page.wait_for_url("**#agency-so-cong-thuong")
    context.close()


@pytest.mark.parametrize(("language", "day", "who"), REPORTERS)
def test_by_keyboard_at_360_px_one_finds_who_must_report_on_15_november(
    page, site, language, day, who
):
    page.goto(f"{site}{language}/index.html")
    tab_to(page, "duties/index.html")
    page.keyboard.press("Enter")
    page.wait_for_url("**/duties/index.html")
    row = page.locator("section:has(> #next) tbody tr").filter(has_text=day)
    assert who in row.inner_text()
    tab_to(page, "#agency-so-cong-thuong")
    page.keyboard.press("Enter")
    page.wait_for_url("**#agency-so-cong-thuong")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_no_page_of_the_planner_is_wider_than_its_screen(browser, site, language, name):
    page = browser.new_page(viewport={"width": 320, "height": 800})
    faults = faults_of(page, site)
    page.goto(f"{site}{language}/{name}/index.html", wait_until="networkidle")
    for width in (320, 768, 1440):
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_function(f"innerWidth === {width}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert faults == []
    page.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_axe_finds_nothing_with_every_table_open(browser, site, language):
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    page.goto(f"{site}{language}/track/index.html")
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    assert violations(page) == []
    context.close()


def test_every_chart_has_a_name_a_description_and_its_table(browser, site):
    page = browser.new_page(java_script_enabled=False)
    for name in ("track", "programme"):
        page.goto(f"{site}vi/{name}/index.html")
        charts = page.locator("figure.chart")
        assert charts.count() >= 3
        for chart in charts.all():
            assert chart.locator("svg > title").text_content()
            assert chart.locator("svg > desc").text_content()
            section = chart.locator("xpath=ancestor::section[1]")
            assert section.locator("table").count() >= 1
    page.close()


def test_charts_are_legible_in_the_dark_and_on_paper(browser, site):
    page = browser.new_page(color_scheme="dark")
    page.goto(f"{site}vi/track/index.html")
    colour = "getComputedStyle(document.querySelector('#chart-portfolio text')).fill"
    dark = page.evaluate(colour)
    page.emulate_media(media="print", color_scheme="light")
    width = "document.querySelector('#chart-portfolio svg').getBoundingClientRect().width"
    assert dark != page.evaluate(colour) == "rgb(0, 0, 0)"
    assert page.evaluate(width) <= page.viewport_size["width"]
    page.close()


def test_the_growth_of_one_power_plant_is_said_at_the_chart(page, site):
    page.goto(f"{site}vi/programme/index.html")
    assert "Nhiệt điện Sông Hậu 1" in text_of(page, "#chart-series-kpi-gtsx figcaption")


def run_of(built: Built) -> dict[str, str]:
    return json.loads((built.public / "status.json").read_text(encoding="utf-8"))


def answer(told: dict[str, str]) -> Callable[[Route], None]:
    """Answer a request with this record of a run."""
    return lambda route: route.fulfill(json=told)


def open_at(page: Page, address: str, later: timedelta, run: dict[str, str]) -> str:
    """Open a page with the reader's clock so much later than the last run; return its tone."""
    page.clock.set_fixed_time(datetime.fromisoformat(run["built_on"]) + later)
    page.goto(address, wait_until="networkidle")
    page.wait_for_selector("html[data-fresh]")
    return str(page.get_attribute("html", "data-fresh"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "case",
    [
        (timedelta(hours=3), "green", "3 giờ", "3 hours"),
        (timedelta(hours=35), "green", "35 giờ", "35 hours"),
        (timedelta(hours=37), "amber", "37 giờ", "37 hours"),
        (timedelta(days=6), "amber", "6 ngày", "6 days"),
        (timedelta(days=8), "red", "8 ngày", "8 days"),
    ],
)
def test_the_page_turns_amber_then_red_by_the_reader_s_clock(page, site, built, language, case):
    later, tone, *told = case
    assert open_at(page, f"{site}{language}/table/index.html", later, run_of(built)) == tone
    assert told[LANGUAGES.index(language)] in text_of(page, "#fresh")
    assert page.locator("main > #fresh").count() == (0 if tone == "green" else 1)


def test_a_run_that_published_nothing_is_said_and_so_is_a_newer_edition(page, site, built):
    for changes, word in (({"run": "refused"}, "ấn bản trước"), ({"edition": "2099-x"}, "2099-x")):
        told = run_of(built) | changes
        page.route("**/status.json", answer(told))
        assert open_at(page, f"{site}vi/table/index.html", timedelta(hours=1), told) == "amber"
        assert word in text_of(page, "#fresh")
        page.unroute("**/status.json")


@pytest.mark.parametrize("later", [timedelta(days=3), timedelta(days=30)])
def test_without_a_server_the_edition_s_own_date_speaks(page, site, built, later):
    page.route("**/status.json", lambda r: r.abort())
    as_of = datetime.fromisoformat(f"{run_of(built)['as_of']}T23:59:59+07:00")
    page.clock.set_fixed_time(as_of + later + timedelta(minutes=1))
    page.goto((built.public / "vi" / "table" / "index.html").as_uri())
    page.wait_for_selector("html[data-fresh]")
    assert page.get_attribute("html", "data-fresh") == ("amber" if later.days < 7 else "red")
    page.goto(f"{site}vi/table/index.html")
    page.wait_for_selector("html[data-fresh]")
    assert f"{later.days} ngày" in text_of(page, "#fresh")


def test_sources_tell_their_age_and_without_javascript_only_their_dates(browser, page, site):
    page.goto(f"{site}vi/sources/index.html", wait_until="networkidle")
    assert "cách đây" in text_of(page, "[data-since]")
    plain = browser.new_page(java_script_enabled=False)
    plain.goto(f"{site}vi/sources/index.html")
    assert plain.locator("[data-since]").first.inner_text() == ""
    assert not plain.locator("#fresh").is_visible()
    plain.close()


def test_hostile_words_in_the_run_s_record_stay_text(page, site, built):
    hostile = "<img src=x onerror='globalThis.ran=1'>"
    told = run_of(built) | {"edition": hostile}
    page.route("**/status.json", answer(told))
    assert open_at(page, f"{site}en/table/index.html", timedelta(hours=1), told) == "amber"
    assert hostile in text_of(page, "#fresh")
    assert page.evaluate("globalThis.ran") is None


def asked_of_the_map(page: Page) -> list[tuple[str, str]]:
    """Return every view that the tracker links to, with the number that stands at it."""
    told = page.locator("a[href*='map/index.html#v=']").evaluate_all(
        "els => els.map(e => [e.hash, e.querySelector('b')?.textContent ||"
        " e.closest('dd')?.querySelector('.value')?.textContent || ''])"
    )
    return [(str(view), str(count)) for view, count in told]


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_count_of_the_tracker_is_what_its_link_shows_on_the_map(page, site, language):
    page.goto(f"{site}{language}/track/index.html")
    asked = asked_of_the_map(page)
    assert len(asked) > 40 and sum(count != "" for _, count in asked) > 20
    page.goto(f"{site}{language}/map/index.html#v=1&colour=schedule")
    page.wait_for_selector("html[data-browse-ready=true]")
    told = page.evaluate(
        "views => views.map(v => { const s = Atlas.hash.parse(v); const judged ="
        " Object.values(Atlas.narrow.judge(s, () => true));"
        " return [Atlas.hash.format(s), judged.filter(j => j.shown).length]; })",
        [view for view, _ in asked],
    )
    assert [view for view, _ in told] == [view for view, _ in asked]  # as `atlas.views` wrote it
    wrong = [
        (v, n, there)
        for (v, n), (_, there) in zip(asked, told, strict=True)
        if n and int(n) != there
    ]
    assert wrong == []
    assert [view for view, there in told if not there] == []


def test_the_grammar_of_a_view_is_the_map_s(page, site):
    page.goto(f"{site}en/map/index.html")
    page.wait_for_selector("html[data-map-ready=true]")
    told = page.evaluate("[Atlas.hash.FACETS, Atlas.hash.RANGES, Atlas.hash.SORTS]")
    assert told == [list(FACETS), list(RANGES), list(SORTS)]


def test_a_finding_is_seen_on_the_map_with_its_like(page, site):
    page.goto(f"{site}en/track/index.html")
    # by key: rows that are laid out as they come into view move what a mouse aims at
    page.locator("section:has(> #conflicts) tbody a[href*='conflict=']").first.press("Enter")
    page.wait_for_selector("html[data-browse-ready=true]")
    assert page.locator("#knocked li").count() == 1
    assert page.locator("#records li:not([hidden])").count() > 0


def test_the_map_is_coloured_by_schedule_in_more_than_colour(browser, site):
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    faults = faults_of(page, site)
    page.goto(f"{site}en/map/index.html")
    page.wait_for_selector("html[data-map-ready=true]")
    assert page.locator(".by-stage").is_visible() and page.locator(".by-schedule").is_hidden()
    page.locator("[name=colour][value=schedule]").check()
    page.wait_for_selector("html[data-colour=schedule]")
    pin = page.locator(f".pin[data-id={LATEST}]")
    assert pin.locator("use").last.get_attribute("href") == "#sign-state-late"
    assert "past the first promised date" in str(pin.get_attribute("aria-label"))
    assert "tone-late" in str(pin.get_attribute("class"))
    assert page.locator(".by-stage").is_hidden() and page.locator(".by-schedule").is_visible()
    assert "as of" in text_of(page, "#told")
    pin.press("Enter")
    assert "past the first promised date" in text_of(page, "#panel .against")
    assert "past the first promised date" in text_of(page, f"#records li:has([data-id={LATEST}])")
    page.wait_for_timeout(400)
    assert "colour=schedule" in page.url
    page.locator("#year").focus()
    page.keyboard.press("Home")
    page.wait_for_selector("html[data-colour=stage]")
    assert page.locator("[name=colour][value='']").is_checked()
    assert "tone-" not in str(pin.get_attribute("class"))
    page.goto(f"{site}en/map/index.html?embed=1#v=1&colour=schedule&schedule=late")
    page.wait_for_selector("html[data-colour=schedule]")
    assert page.locator(".by-schedule").is_visible() and page.locator(".colours").is_hidden()
    assert faults == []
    page.close()


def test_days_overdue_are_a_range_and_the_undated_are_told_apart(page, site):
    page.goto(f"{site}en/map/index.html#v=1&late=365..,known")
    page.wait_for_selector("html[data-browse-ready=true]")
    shown = page.evaluate("Atlas.browse.shown.map(i => ATLAS_FIND.records[i].numbers.days_late)")
    assert shown and min(shown) >= 365
    assert page.evaluate(
        "Object.values(ATLAS_FIND.records).every(r => ('days_late' in r.numbers)"
        " || ['undated', 'stalled', 'ended'].includes(r.is.schedule[0]))"
    )


ROWS = "[data-group] tbody > tr"
SHOWN = "els => els.filter(e => e.offsetParent).map(e => e.querySelector('th a').textContent)"


def rows_shown(page: Page) -> list[str]:
    page.wait_for_timeout(50)
    return list(page.locator(ROWS).evaluate_all(SHOWN))


@pytest.mark.parametrize("name", ["track", "table"])
def test_a_planner_narrows_and_sorts_the_rows_and_the_link_holds_them(browser, page, site, name):
    faults = faults_of(page, site)
    page.goto(f"{site}vi/{name}/index.html")
    every = rows_shown(page)
    assert len(every) == page.locator(ROWS).count() > 50
    page.fill("#rows-q", "KCN Song Hau 2")
    assert "KCN Sông Hậu 2" in rows_shown(page) and len(rows_shown(page)) < 10
    page.fill("#rows-q", "")
    page.locator("#rows-more > summary").click()
    page.select_option("#rows-schedule", "late")
    page.select_option("#rows-district", "dist-933")
    page.select_option("#rows-sort", "late")
    page.check("#rows-down")
    shown = rows_shown(page)
    keys = page.locator(f"{ROWS}:not([hidden])").evaluate_all(
        "els => els.map(({dataset: d}) => [d.schedule, d.district.split(' ').includes('dist-933')])"
    )
    assert len(keys) == len(shown) > 1 and {tuple(key) for key in keys} == {("late", True)}
    said = text_of(page, "#rows [role=status]")
    assert f"Hiện {len(shown)} trong {len(every)} dòng" in said
    late = page.locator(f"{ROWS}:not([hidden])").evaluate_all(
        "els => els.map(e => [e.closest('[data-group]').querySelector('.count').textContent,"
        " Number([...e.cells].find(c => /Chậm|So với/.test(c.dataset.label)).dataset.key)])"
    )
    for count in {group for group, _ in late}:
        days = [day for group, day in late if group == count]
        assert days == sorted(days, reverse=True)
    page.wait_for_timeout(400)
    assert "schedule=late" in page.url and "sort=late" in page.url and "down=1" in page.url
    other = browser.new_page()
    other.goto(page.url)
    assert rows_shown(other) == shown
    assert other.locator("#rows-more").get_attribute("open") is not None
    assert other.locator("th[aria-sort=descending]:visible").count() >= 1
    other.locator("#rows-map").click()
    other.wait_for_selector("html[data-browse-ready=true]")
    assert other.evaluate("Atlas.browse.shown.length") == len(shown)
    other.close()
    page.locator(".switch a").click()
    page.wait_for_url("**/en/**")
    assert len(rows_shown(page)) == len(shown)
    page.locator("#rows-reset").click()
    assert len(rows_shown(page)) == len(every)
    page.wait_for_timeout(400)
    assert "#" not in page.url
    assert faults == []


def test_a_column_s_head_sorts_by_it_and_then_turns_it_around(browser, site):
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"{site}en/table/index.html")
    head = page.locator("[data-group] th[data-sort=size]").first
    head.locator("button").press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    sizes = "els => els.map(e => e.cells[2].dataset.key)"

    def keys() -> list[str]:
        return list(page.locator("[data-group] >> nth=0").locator("tbody > tr").evaluate_all(sizes))

    rising = [float(key) for key in keys() if key]
    assert len(rising) > 3 and rising == sorted(rising)
    assert "" not in keys()[: len(rising)]  # what is not known stands last
    head.locator("button").press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert [float(key) for key in keys() if key] == rising[::-1]
    assert "" not in keys()[: len(rising)]
    page.close()


@pytest.mark.parametrize("text", ["#v=1&schedule=<b>&sort=evil", "#=", "#%", "#state-late"])
def test_no_link_hides_rows_that_it_does_not_name(page, site, text):
    faults = faults_of(page, site)
    page.goto(f"{site}vi/track/index.html{text}")
    assert len(rows_shown(page)) == page.locator(ROWS).count()
    assert faults == []


def test_without_javascript_every_row_is_there_and_no_dead_control(browser, site):
    page = browser.new_page(java_script_enabled=False)
    for name in ("track", "table"):
        page.goto(f"{site}vi/{name}/index.html")
        assert page.locator("#rows").is_hidden() and page.locator(".sort").first.is_hidden()
        assert page.locator(f"{ROWS}:visible").count() == page.locator(ROWS).count()
    page.close()
