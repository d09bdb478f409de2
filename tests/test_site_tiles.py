"""The map of a region of 3,000 made-up places in a real Chromium: counted from afar, drawn near."""

import csv
import dataclasses
import gzip
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
from playwright.sync_api import Browser, Page, expect
from starlette.types import ASGIApp, Receive, Scope, Send

from atlas.pages import write_site
from atlas.records import Book
from atlas.verify import first_view_bytes, read_page
from bench import drawn
from bench.served import served as serve_app
from browsing import faults_of, served, violations
from builds import PROJECT
from flows.serve import site_app
from hostile import HOSTILE
from made_up import big_book

Spot = tuple[float, float]

NEAR = "12/8.7600/103.5200"
READY = "html[data-big-ready=true]"


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    book = big_book(tmp_path_factory.mktemp("region"), 3_000)
    assert book.tiled is not None
    book.tiled.subjects.loc[0, ["name_vi", "name_en"]] = HOSTILE
    inner = dataclasses.replace(book.places[0], inside_id="p-1", contains_ids=("p-2",))
    holding = {inner.subject_id: int(book.tiled.numbers(["p-1"])[0])}
    tiled = dataclasses.replace(book.tiled, holding=holding)
    return dataclasses.replace(book, places=(inner, *book.places[1:]), tiled=tiled)


@pytest.fixture(scope="module")
def public(book: Book, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    write_site(book, out, PROJECT / "site")
    (out / "status.json").write_text("{}", encoding="utf-8")
    return out


@pytest.fixture(scope="module")
def site(public: Path) -> Iterator[str]:
    with served(public) as address:
        yield address


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, bypass_csp=True)
    yield context.new_page()
    context.close()


def open_map(page: Page, site: str, view: str = "", lang: str = "en") -> None:
    page.goto(f"{site}{lang}/map/index.html{view}")
    page.wait_for_selector(READY)


def cells(page: Page) -> list[int]:
    told = page.locator(".cell").evaluate_all("all => all.map(one => one.ariaLabel)")
    return [int(re.sub(r"\D", "", text.split("(")[0])) for text in told]


def painted(page: Page) -> int:
    """Return how many pixels of the canvas are not clear."""
    return int(
        page.evaluate(
            "(() => { const c = document.querySelector('.leaflet-tiled-pane canvas');"
            "if (!c.width) { return 0; }"
            "const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
            "let n = 0; for (let i = 3; i < d.length; i += 4) { n += d[i] > 0; } return n; })()"
        )
    )


def settled(page: Page, near: int) -> None:
    page.wait_for_function(f"document.documentElement.dataset.near === '{near}'")


def subjects(book: Book) -> Any:
    assert book.tiled is not None
    return book.tiled.subjects


def test_from_afar_every_record_is_counted_and_no_tile_is_fetched(
    page: Page, site: str, book: Book
) -> None:
    faults = faults_of(page, site)
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url))
    open_map(page, site)
    assert sum(cells(page)) == len(subjects(book))
    assert not [url for url in asked if "pmtiles" in url or "column" in url or "told-" in url]
    assert faults == []


def test_the_first_view_does_not_grow_with_the_data(public: Path) -> None:
    path = public / "en" / "map" / "index.html"
    assert first_view_bytes(path) < 150_000
    grown = [a for a in read_page(path).loads if "big-" in a or "tiles-" in a]
    sizes = [len(gzip.compress((path.parent / a).read_bytes())) for a in grown]
    assert len(sizes) == 2 and sum(sizes) < 16_000


def test_near_every_feature_in_view_is_drawn(page: Page, site: str, book: Book) -> None:
    open_map(page, site, f"#map={NEAR}")
    page.wait_for_selector("html[data-tiles=near]")
    west, south, east, north = page.evaluate(
        "(() => { const b = Atlas.page.map.getBounds();"
        "return [b.getWest(), b.getSouth(), b.getEast(), b.getNorth()]; })()"
    )
    drawn = set(page.evaluate("Atlas.tiles.inView(Atlas.page.map)"))
    rows, edge = subjects(book), 0.02
    inside = rows[rows["lon"].between(west + edge, east - edge)
                  & rows["lat"].between(south + edge, north - edge)]  # fmt: skip
    around = rows[rows["lon"].between(west - edge, east + edge)
                  & rows["lat"].between(south - edge, north + edge)]  # fmt: skip
    # a line's sign stands on the longest part that a tile holds, which may be out of view
    places = inside[inside["table"] == "places"]
    assert len(places) > 20
    assert set(places.index) <= drawn <= set(around.index)
    assert painted(page) > 2_000


def test_a_link_that_leads_near_asks_for_each_part_once_and_early(page: Page, site: str) -> None:
    asked: list[str] = []
    page.on("request", lambda r: asked.append(f"{r.url} {r.headers.get('range', '')}"))
    page.goto(f"{site}en/map/index.html#map={NEAR}")
    page.wait_for_selector("html[data-tiles=near]")
    parts = [one for one in asked if "features" in one]
    assert len(parts) == len(set(parts)) > 1
    # beside the reader of archives, not after it
    names = [one.split(" ")[0] for one in asked]
    reader = next(place for place, name in enumerate(names) if "pmtiles-" in name)
    assert abs(reader - names.index(parts[0].split(" ")[0])) == 1


def look_near(page: Page, site: str, row: pd.Series) -> tuple[Spot, Spot]:
    """Open the map near a record; return where on the screen the map begins and the record is."""
    open_map(page, site, f"#map=15/{row['lat']:.4f}/{row['lon']:.4f}")
    page.wait_for_selector("html[data-tiles=near]")
    at = page.evaluate(f"Atlas.page.map.latLngToContainerPoint([{row['lat']}, {row['lon']}])")
    box = page.locator(".atlas-map").bounding_box()
    assert box is not None
    return (box["x"], box["y"]), (box["x"] + at["x"], box["y"] + at["y"])


def test_a_click_opens_the_record_and_the_link_keeps_it(page: Page, site: str, book: Book) -> None:
    row = subjects(book).iloc[1500]
    corner, spot = look_near(page, site, row)
    page.mouse.click(*spot)
    expect(page.locator("#panel-name")).to_have_text(row["name_en"])
    expect(page.locator("#panel dd").first).to_contain_text("Source: Made-up document")
    expect(page.locator("#panel .acts a").first).to_have_attribute("href", "../sources/index.html")
    expect(page.locator("#panel .against")).to_have_count(1)
    expect(page.locator(f".pin.is-open[data-id={row['subject_id']}]")).to_have_count(1)
    page.wait_for_function(f"location.hash.includes('id={row['subject_id']}')")
    kept = page.evaluate("location.hash")
    page.goto("about:blank")
    open_map(page, site, kept, "vi")
    expect(page.locator("#panel-name")).to_have_text(row["name_vi"])


def test_what_is_pointed_at_is_called_by_its_name(page: Page, site: str, book: Book) -> None:
    row = subjects(book).iloc[1500]
    corner, spot = look_near(page, site, row)
    page.mouse.move(*spot)
    expect(page.locator(".leaflet-tooltip.hint")).to_have_text(row["name_en"])
    page.mouse.move(corner[0] + 2, corner[1] - 20)
    expect(page.locator(".leaflet-tooltip.hint")).to_have_count(0)


def test_a_bare_id_leads_to_the_record(page: Page, site: str, book: Book) -> None:
    row = subjects(book).iloc[77]
    open_map(page, site, f"#{row['subject_id']}")
    expect(page.locator("#panel-name")).to_have_text(row["name_en"])
    assert page.evaluate(f"Atlas.page.map.getBounds().contains([{row['lat']}, {row['lon']}])")


def test_an_unknown_id_opens_nothing(page: Page, site: str) -> None:
    faults = faults_of(page, site)
    open_map(page, site, "#p-999999")
    expect(page.locator("#panel")).to_be_hidden()
    assert faults == []


def test_filters_narrow_grid_tiles_counts_and_sums_alike(page: Page, site: str, book: Book) -> None:
    rows = subjects(book)
    mine = rows[(rows["stage_group"] == "operating") & (rows["kind"] == "plant")]
    open_map(page, site, "#v=1&kind=plant&stage=operating")
    page.wait_for_function(f"document.documentElement.dataset.shown === '{len(mine)}'")
    assert sum(cells(page)) == len(mine)
    expect(page.locator("#tally")).to_contain_text(f"{len(mine)} of 3,2")
    area = book.tiled.frames["facts"]  # type: ignore[union-attr]
    told = area[(area["measure"] == "area_ha") & area["n"].isin(mine.index)]["value"]
    expect(page.locator("#hectares")).to_contain_text(
        f"{told.astype(float).sum():,.1f}".rstrip("0")
    )
    page.evaluate(f"Atlas.page.map.setView([{NEAR[3:].replace('/', ', ')}], 12)")
    page.wait_for_selector("html[data-tiles=near]")
    drawn = set(page.evaluate("Atlas.tiles.inView(Atlas.page.map)"))
    assert drawn and drawn <= set(mine.index)


def narrowed(page: Page, site: str, view: str) -> dict[str, Any]:
    """Open a narrowed map; return what is left of the tiled records, added up."""
    open_map(page, site, f"#v=1&{view}")
    page.wait_for_function("Atlas.columns?.isNarrowed() && Atlas.columns.sums()")
    return dict(page.evaluate("Atlas.columns.sums()"))


@pytest.mark.parametrize(
    ("view", "count"),
    [
        ("who=ban-quan-ly-mot", 2),
        ("who=ban-quan-ly-mot,cong-ty-da", 3),
        ("sector=det-may", 1),
        ("conflict=disputed,dates_are_in_order", 3),
    ],
)
def test_owners_sectors_and_contradictions_narrow_tiled_records(
    page: Page, site: str, view: str, count: int
) -> None:
    assert narrowed(page, site, view)["shown"] == count
    name = view.partition("=")[0]
    page.evaluate(
        f"for (const id of ['filters', 'facet-{name}']) document.getElementById(id).open = true"
    )
    counted = page.locator(f"#facet-{name} label", has=page.locator("input:checked"))
    for text in counted.locator(".count").all_inner_texts():
        assert text not in ("", "(0)")


@pytest.mark.parametrize("sure", [False, True])
def test_the_distance_to_the_nearest_road_narrows_tiled_records(
    page: Page, site: str, book: Book, sure: bool
) -> None:
    near = book.tiled.frames["near"]  # type: ignore[union-attr]
    mine = near[(near["kind"] == "road") & near["n"].isin(subjects(book).index)]
    within = (mine["most_km" if sure else "least_km"] <= 2).sum()
    told = narrowed(page, site, f"road=..2,known{'&sure=1' if sure else ''}")
    assert 0 < told["shown"] == within < len(mine)


def test_the_distance_to_a_typed_point_and_to_a_tiled_route_holds_the_true_one(
    page: Page, site: str, book: Book
) -> None:
    rows = subjects(book)
    route = rows[rows["subject_id"] == "r-5"].iloc[0]
    at = f"{route['lat']:.4f}/{route['lon']:.4f}"
    left = narrowed(page, site, f"route=r-5&at={at}&away=..20,known")
    assert left["shown"] > 5
    expect(page.locator("#route")).to_have_value("r-5")
    expect(page.locator("#knocked")).to_contain_text(route["name_en"])
    told = page.evaluate(
        "[...Array(Atlas.big.told.counts.reduce((a, b) => a + b)).keys()]"
        ".map(n => ['point', 'away'].map(name => Atlas.order.span(name, n) || null))"
    )
    given = gpd.GeoSeries(book.tiled.read(rows.index.to_numpy()), crs=4326)
    zone = given.estimate_utm_crs()
    shapes = given.to_crs(zone)
    spot = gpd.GeoSeries.from_xy([float(at.split("/")[1])], [float(at.split("/")[0])], crs=4326)
    for place, other in enumerate((spot.to_crs(zone)[0], shapes[route.name])):
        far = shapes.distance(other) / 1_000
        for n in far[far < 50].index:
            if place == 1 and rows["table"][n] == "routes":
                assert told[n][place] is None
                continue
            least, most = told[n][place]
            doubt = rows["accuracy_m"][n] / 1_000 + 0.1
            assert least - 0.05 <= far[n] <= most + 0.05
            if rows["table"][n] == "places":  # it is measured from a point of its outline
                assert most - far[n] <= 2 * doubt + 1.5 + far[n] * 0.01


def test_the_list_stands_in_the_order_asked_for(page: Page, site: str, book: Book) -> None:
    facts = book.tiled.frames["facts"]  # type: ignore[union-attr]
    areas = facts[facts["measure"] == "area_ha"].set_index("n")["value"].astype(float)
    largest = subjects(book).loc[areas.nlargest(3).index]
    open_map(page, site, "#v=1&sort=area")
    rows = page.locator("#near-items li")
    expect(rows.first).to_contain_text(f"{areas.max():,.1f}".rstrip("0").rstrip("."))
    assert rows.locator("a").all_inner_texts()[:3] == list(largest["name_en"])
    expect(page.locator("#near-more")).to_contain_text(f"{len(subjects(book)) - 20:,}")
    rows.locator("a").first.focus()
    page.keyboard.press("ArrowDown")
    expect(rows.locator("a").nth(1)).to_be_focused()
    rows.locator(".star").first.click()
    expect(rows.locator(".star").first).to_have_attribute("aria-pressed", "true")
    rows.locator("a").first.click()
    expect(page.locator("#panel-name")).to_have_text(largest["name_en"].iloc[0])
    spot = largest.iloc[0]
    assert page.evaluate(f"Atlas.page.map.getBounds().contains([{spot['lat']}, {spot['lon']}])")


def test_money_is_added_up_once_asked_for(page: Page, site: str, book: Book) -> None:
    rows, asked = subjects(book), []
    page.on("request", lambda r: asked.append(r.url))
    plants = rows.index[rows["kind"] == "plant"]
    money = book.tiled.frames["money_events"]  # type: ignore[union-attr]
    amounts = money[money["n"].isin(plants)]["amount"].astype(float)
    assert narrowed(page, site, "kind=plant")["shown"] == len(plants)
    assert not [url for url in asked if "money" in url]
    page.locator(".money > summary").click()
    told = page.locator("#money")
    expect(told).to_contain_text(f"{amounts.sum():,.1f}"[:-1])
    expect(told).to_contain_text(f"{len(plants) - len(amounts):,}")


def test_a_place_in_one_that_is_left_counts_no_hectares(page: Page, site: str, book: Book) -> None:
    rows = subjects(book)
    kinds = {rows.set_index("subject_id")["kind"][one] for one in ("p-1", "p-8", "p-9")}
    told = narrowed(page, site, f"kind={','.join(sorted(kinds | {'industrial_park'}))}")
    assert told["inside"] == 2
    expect(page.locator("#hectares")).to_contain_text("3")


def test_what_is_left_of_tiled_records_is_saved_with_the_others(
    page: Page, site: str, book: Book, tmp_path: Path
) -> None:
    rows = subjects(book)
    mine = rows[(rows["kind"] == "provincial_road") | (rows["kind"] == "port")]
    ids = {*mine["subject_id"], *(r.subject_id for r in book.records if r.kind == "port")}
    narrowed(page, site, "kind=port,provincial_road&year=2022")
    with page.expect_download() as held:
        page.locator("#save-csv").click()
    held.value.save_as(tmp_path / "left.csv")
    text = (tmp_path / "left.csv").read_text(encoding="utf-8-sig")
    told = {row["id"]: row for row in csv.DictReader(io.StringIO(text))}
    assert set(told) == ids and f"-{len(ids)}." in held.value.suggested_filename
    row = mine.iloc[0]
    assert told[row["subject_id"]]["name_vi"] == row["name_vi"]
    assert {one["edition"] for one in told.values()} == {book.edition}
    assert {one["year"] for one in told.values()} == {"2022"}
    with page.expect_download() as held:
        page.locator("#save-geojson").click()
    held.value.save_as(tmp_path / "left.geojson")
    layer = gpd.read_file(tmp_path / "left.geojson").set_index("id")
    assert set(layer.index) == ids
    shapes = book.tiled.read(mine.index.to_numpy())
    for subject, shape in zip(mine["subject_id"], shapes, strict=True):
        assert layer.geometry[subject].hausdorff_distance(shape) < 2e-5


def test_too_many_tiled_records_are_not_saved_and_it_is_said(page: Page, site: str) -> None:
    saved: list[object] = []
    page.on("download", lambda download: saved.append(download))
    open_map(page, site, "#v=1&sort=name")
    page.wait_for_selector("html[data-browse-ready=true]")
    page.evaluate("Atlas.big.told.shard = 1")  # each in a file of its own
    page.locator("#save-csv").click()
    expect(page.locator("#told")).to_contain_text("too many")
    assert saved == []


def test_a_page_names_the_tiled_record_that_it_lies_in_and_counts_them(
    page: Page, site: str, book: Book
) -> None:
    rows = subjects(book)
    page.goto(f"{site}en/places/{book.places[0].subject_id}/index.html")
    name = rows.set_index("subject_id")["name_en"]["p-1"]
    link = page.get_by_role("link", name=name, exact=True)
    assert page.get_by_role("link", name=rows.set_index("subject_id")["name_en"]["p-2"]).count()
    link.click()
    expect(page.locator("#panel-name")).to_have_text(name)
    page.goto(f"{site}en/programme/index.html")
    parks = (rows["kind"] == "industrial_park").sum()
    expect(page.locator(".promise", has_text="records, too many")).to_contain_text(f"{parks:,}")


def test_a_filter_is_set_by_hand_and_dropped(page: Page, site: str, book: Book) -> None:
    late = (subjects(book)["schedule"] == "late").sum()
    late += sum(record.schedule == "late" for record in book.records)
    open_map(page, site)
    page.locator("#filters > summary").click()
    page.wait_for_selector("html[data-browse-ready=true]")
    page.locator("#facet-schedule > summary").click()
    tick = page.locator("[data-facet=schedule][value=late]")
    expect(tick.locator("xpath=..").locator(".count")).to_have_text(f"({late:,})")
    tick.check()
    page.wait_for_function(f"document.documentElement.dataset.shown === '{late}'")
    expect(page.locator("#knocked .count")).to_contain_text("excludes")
    page.locator("#reset").click()
    page.wait_for_function("Number(document.documentElement.dataset.shown) > 3000")


def test_the_year_and_the_schedule_change_how_features_look(page: Page, site: str) -> None:
    open_map(page, site, f"#v=1&map={NEAR}&year=2020")
    page.wait_for_function("Atlas.columns && Atlas.columns.look(0) !== null")
    dims = page.evaluate("Atlas.tiles.inView(Atlas.page.map).map(n => Atlas.columns.look(n).dim)")
    assert True in dims and False in dims
    open_map(page, site, f"#v=1&map={NEAR}&colour=schedule&sort=name")
    page.reload()
    page.wait_for_selector(READY)
    page.wait_for_function("Atlas.columns && Atlas.columns.look(0) !== null")
    names = page.evaluate("Atlas.tiles.inView(Atlas.page.map).map(n => Atlas.columns.look(n).name)")
    assert {"tone-late", "tone-undated"} <= set(names)


def test_a_keyboard_reaches_cells_and_features(page: Page, site: str) -> None:
    open_map(page, site)
    stop = page.locator(".cell[tabindex='0']")
    expect(stop).to_have_count(1)
    stop.focus()
    before = page.evaluate("document.activeElement.dataset.cell")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.dataset.cell") != before
    zoom = page.evaluate("Atlas.page.map.getZoom()")
    page.keyboard.press("Enter")
    page.wait_for_function(f"Atlas.page.map.getZoom() > {zoom}")
    page.evaluate("Atlas.page.map.setView([8.76, 103.52], 13, {animate: false})")
    first = page.locator("#near-items a").first
    first.focus()
    name = first.inner_text()
    page.keyboard.press("Enter")
    expect(page.locator("#panel-name")).to_have_text(name)
    expect(page.locator("#panel-name")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()


def test_the_list_says_how_many_more_there_are(page: Page, site: str) -> None:
    open_map(page, site, "#map=11/8.7600/103.5200")
    expect(page.locator("#near-items li")).to_have_count(20)
    total = int(page.get_attribute("html", "data-near") or 0)
    expect(page.locator("#near-more")).to_contain_text(f"{total - 20}")


def test_a_hidden_layer_is_neither_counted_nor_drawn(page: Page, site: str, book: Book) -> None:
    rows = subjects(book)
    open_map(page, site, "#v=1&hide=plant")
    assert sum(cells(page)) == (rows["kind"] != "plant").sum()


def test_hostile_text_of_a_tiled_record_stays_text(page: Page, site: str, book: Book) -> None:
    faults = faults_of(page, site)
    open_map(page, site, f"#{subjects(book).iloc[0]['subject_id']}")
    expect(page.locator("#panel-name")).to_contain_text(HOSTILE[:20])
    assert page.locator("#panel img, #panel script, #near img, #near script").count() == 0
    assert faults == []


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize("view", ["", f"#v=1&map={NEAR}&kind=plant"])
def test_axe_finds_nothing(page: Page, site: str, lang: str, view: str) -> None:
    open_map(page, site, view, lang)
    page.wait_for_timeout(400)
    assert violations(page) == []


def test_the_bench_opens_the_fullest_cell_narrows_it_and_clicks(
    browser: Browser, public: Path, site: str, page: Page
) -> None:
    views = drawn.views_of(public)
    open_map(page, site, views[drawn.NEAR])
    assert page.get_attribute("html", "data-tiles") == "near"
    assert len(page.evaluate("Atlas.tiles.inView(Atlas.page.map)")) > 100
    told = drawn.acted(browser, f"{site}vi/map/index.html{views[drawn.NEAR]}")
    assert list(told) == [drawn.FILTER, drawn.CLICK]
    assert all(one.requests and one.wire and one.drawn for one in told.values())


class _Host:
    """A host that knows no ranges, or that says of what it cut out that it is packed."""

    def __init__(self, public: Path, garbles: bool) -> None:
        self.app: ASGIApp = site_app(public)
        self.garbles = garbles

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_range = any(name == b"range" for name, _ in scope.get("headers", []))
        if is_range and not self.garbles:
            kept = [(n, v) for n, v in scope["headers"] if n != b"range"]
            scope = {**scope, "headers": kept}

        async def send_on(message: Any) -> None:
            if is_range and self.garbles and message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"content-encoding", b"gzip")]
            await send(message)

        await self.app(scope, receive, send_on)


@pytest.mark.parametrize("garbles", [False, True])
def test_a_host_without_good_ranges_is_read_whole(page: Page, public: Path, garbles: bool) -> None:
    asked: list[str] = []
    page.on(
        "request",
        lambda r: asked.append(r.headers.get("range", "")) if "features" in r.url else None,
    )
    with serve_app(_Host(public, garbles)) as site:
        open_map(page, site, f"#map={NEAR}")
        page.wait_for_selector("html[data-tiles=near]")
        assert painted(page) > 2_000
    assert len(asked) == (2 if garbles else 1)


@pytest.mark.parametrize(("lang", "told"), [("vi", "máy chủ"), ("en", "server")])
def test_from_disk_the_map_counts_and_says_what_needs_a_server(
    page: Page, public: Path, book: Book, lang: str, told: str
) -> None:
    faults: list[str] = []
    page.on("pageerror", lambda e: faults.append(str(e)))
    page.goto((public / lang / "map" / "index.html").as_uri() + f"#map={NEAR}")
    page.wait_for_selector(READY)
    expect(page.locator("#near-said")).to_contain_text(told)
    assert cells(page)
    assert page.locator("#near a", has_text="").last.get_attribute("href") == "../data/index.html"
    assert faults == []


def test_a_tiled_record_is_found_by_name_listed_and_compared(
    page: Page, site: str, book: Book
) -> None:
    rows = subjects(book)
    first, second = rows.iloc[500], rows.iloc[900]
    open_map(page, site)
    box = page.locator("#search")
    box.click()
    page.wait_for_selector("html[data-browse-ready=true]")
    for row in (first, second):
        box.fill(row["name_en"].upper())
        page.locator(".option[data-n]", has_text=row["name_en"]).first.wait_for()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(page.locator("#panel-name")).to_have_text(re.compile(f"^{row['name_en']}"))
        page.locator("#panel .star").click()
        expect(page.locator("#panel .star")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#shortlist-items li")).to_have_count(2)
    page.locator("#compare-open").click()
    expect(page.locator("#compare-table thead th")).to_have_count(2)
    table = page.locator("#compare-table")
    expect(table).to_contain_text("Occupancy rate")
    near = table.locator("tr", has_text="Nearest named road")
    expect(near.locator("td")).to_contain_text([re.compile(" km"), re.compile(" km")])
    expect(table).to_contain_text("Made-up commune")
    expect(table.locator("tr", has_text="Area").locator(".is-best")).to_have_count(1)
    page.wait_for_function("location.hash.includes('compare=')")
    kept = page.evaluate("location.hash")
    page.goto("about:blank")
    page.evaluate("0")
    open_map(page, site, kept, "vi")
    expect(page.locator("#compare-table thead th").first).to_contain_text(
        rows.set_index("subject_id").loc[re.findall(r"compare=([^,&]+)", kept)[0], "name_vi"]
    )
