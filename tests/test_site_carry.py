"""What readers carry away from the built site: prints, QR codes, downloads, reports."""

import csv
import hashlib
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import jsonschema
import openpyxl
import pandas as pd
import pytest
import segno
from playwright.sync_api import Browser, Locator, Page

from atlas.sheet import QR_MASK
from browsing import faults_of, violations
from builds import PROJECT, Built
from geodata.schema import TABLES
from standards import PROFILE, hold_to_oc4ids

RECORDS = ("places/kcn-song-hau-2", "routes/exp-cd-ct-st")
LANGUAGES = ("vi", "en")
MAX_PAGES = 3
TELLING_OF_FILES = "tr:has(code.hash)"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    yield opened
    opened.close()


def edition(built: Built) -> str:
    return built.public.resolve().name


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("record", RECORDS)
def test_a_record_prints_its_sheet_on_at_most_three_pages(
    page: Page, site: str, record: str, language: str
) -> None:
    page.goto(f"{site}{language}/{record}/index.html", wait_until="networkidle")
    printed = page.pdf(prefer_css_page_size=True)
    count = len(re.findall(rb"/Type\s*/Page\b", printed))
    assert 1 <= count <= MAX_PAGES
    page.emulate_media(media="print")
    sheet, facts = page.locator("main > .sheet"), page.locator("#facts")
    assert sheet.bounding_box()["y"] < facts.bounding_box()["y"]
    assert page.locator("main > h1").bounding_box()["y"] < sheet.bounding_box()["y"]
    for shown in (".locator", ".qr"):
        assert page.locator(shown).bounding_box()["width"] > 80
    assert not page.locator(".top nav").is_visible()
    assert not page.locator(".report").is_visible()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sheet_tells_names_coordinates_accuracy_and_date(
    page: Page, site: str, language: str, built: Built
) -> None:
    page.goto(f"{site}{language}/places/kcn-song-hau-2/index.html")
    text = page.locator(".sheet").inner_text()
    number = "1.099.600" if language == "vi" else "1,099,600"
    for told in ("KCN Sông Hậu 2", "Sông Hậu 2 Industrial Park", "WGS 84", "VN-2000", "5897",
                 number, "13,4 km", "13.4 km", edition(built)):  # fmt: skip
        assert told in text
    assert page.locator(".locator path.own").count() == 2
    assert page.locator(".locator .rough").count() == 1


@pytest.mark.parametrize("record", RECORDS)
def test_the_qr_code_leads_to_the_record_in_its_edition(
    page: Page, site: str, built: Built, record: str
) -> None:
    page.goto(f"{site}vi/{record}/index.html")
    address = page.locator(".sheet .address").inner_text()
    assert address.endswith(f"vi/{record}/index.html?edition={edition(built)}")
    code = segno.make(address, error="m", micro=False, mask=QR_MASK)
    modules = page.locator(".qr path").last.get_attribute("d")
    assert f'd="{modules}"' in code.svg_inline(scale=1, border=4, lineclass=None, omitsize=True)
    assert (page.goto(site + address.partition("/vi/")[2].join(["vi/", ""]))).ok


@pytest.mark.parametrize(
    ("asked", "is_told"),
    [("2020-01-01-abcdef", True), ("", False), ("own", False), ("<img src=x onerror=1>", False)],
)
def test_a_link_made_for_another_edition_says_so(
    page: Page, site: str, built: Built, asked: str, is_told: bool
) -> None:
    named = edition(built) if asked == "own" else asked
    page.goto(f"{site}en/{RECORDS[0]}/index.html?edition={named}", wait_until="networkidle")
    note = page.locator("main > .asked")
    assert note.count() == is_told
    if is_told:
        assert named in note.inner_text() and edition(built) in note.inner_text()


def test_the_code_of_a_record_embeds_the_map_with_it_open(page: Page, site: str) -> None:
    page.goto(f"{site}vi/{RECORDS[0]}/index.html")
    page.locator(".frame summary").click()
    code = page.locator(".frame .copy").inner_text()
    address = page.evaluate("c => new DOMParser().parseFromString(c, 'text/html')"
                            ".querySelector('iframe').getAttribute('src')", code)  # fmt: skip
    page.goto(site + address.partition("/vi/")[2].join(["vi/", ""]))
    page.wait_for_selector("html.is-embed #panel:not([hidden])")
    assert page.locator("#panel-name").inner_text() == "KCN Sông Hậu 2"


COMPARED = ("kcn-song-hau-1", "kcn-song-hau-2", "kcn-tan-hoa", "road-ql61c")


def print_compared(page: Page, site: str, language: str, ids: tuple[str, ...]) -> list[str]:
    """Open a comparison and press print, as far as the browser's own dialogue."""
    faults, asked = faults_of(page, site), []
    page.on("request", lambda r: asked.append(r.url.rpartition("/")[2]))
    page.add_init_script("globalThis.print = () => { document.documentElement.dataset.asked = 1; }")
    page.goto(f"{site}{language}/map/index.html#v=1&compare={','.join(ids)}")
    page.wait_for_selector("html[data-browse-ready=true]")
    assert not [name for name in asked if name.startswith(("qrcode", "paper", "sheet"))]
    page.locator("#compare-print").click()
    page.wait_for_selector("html[data-asked]")
    assert faults == []
    return asked


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_comparison_prints_its_sheet_in_both_languages_alone(
    page: Page, site: str, built: Built, language: str
) -> None:
    print_compared(page, site, language, COMPARED)
    page.emulate_media(media="print")
    sheet = page.locator("#paper")
    text = sheet.inner_text()
    for told in ("Phiếu so sánh", "Comparison sheet", "KCN Sông Hậu 2",
                 "Sông Hậu 2 Industrial Park", "WGS 84", "VN-2000", "13,4 km", "13.4 km",
                 "22/11/2026", "22 November 2026",
                 edition(built), "1.099.600" if language == "vi" else "1,099,600"):  # fmt: skip
        assert told in text
    assert sheet.locator("thead .number").all_inner_texts() == ["1", "2", "3", "4"]
    assert sheet.locator(".locator .disc").count() == 4
    assert sheet.locator(".locator .mark.rough").count() == 4
    numbers = {int(n) for n in re.findall(r"\[(\d+)\]", sheet.locator("tbody").inner_text())}
    assert numbers == set(range(1, sheet.locator(".paper-sources li").count() + 1))
    for part in (".map-page", ".top", "#compare", ".below", ".bottom"):
        assert page.locator(part).first.is_hidden()
    printed = page.pdf(prefer_css_page_size=True)
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= MAX_PAGES


def test_the_coordinates_of_a_comparison_are_those_of_the_sheets(page: Page, site: str) -> None:
    print_compared(page, site, "vi", COMPARED)
    rows = page.locator("#paper tbody tr")
    told = [[line.splitlines() for line in rows.nth(i).locator("td").all_inner_texts()]
            for i in (0, 1)]  # fmt: skip
    for place, name in enumerate(COMPARED):
        table = "routes" if name.startswith("road") else "places"
        page.goto(f"{site}vi/{table}/{name}/index.html")
        shown = page.locator(".sheet-facts .value").all_inner_texts()
        for row in told:
            for line in row[place]:
                assert line.rpartition(": ")[2] in shown


def test_the_qr_code_of_a_comparison_opens_it_again(
    browser: Browser, page: Page, site: str, built: Built
) -> None:
    print_compared(page, site, "en", COMPARED[:2])
    page.emulate_media(media="print")
    address = page.locator("#paper .address").inner_text()
    assert f"?edition={edition(built)}#v=1&compare={COMPARED[0]},{COMPARED[1]}" in address
    assert decoded(page.locator("#paper .qr")) == address
    fresh = browser.new_page()
    fresh.goto(site + address.partition("/en/")[2].join(["en/", ""]))
    fresh.wait_for_selector("#compare-table thead a")
    assert fresh.locator("#compare-table thead a").count() == 2
    fresh.close()


READ_QR = """
import read from 'qr/decode.js';
const { side, dark } = JSON.parse(process.argv[1]);
const data = new Uint8Array(side * side * 4).fill(255);
dark.forEach((place) => data.fill(0, place * 4, place * 4 + 3));
process.stdout.write(read({ width: side, height: side, data }));
"""


def decoded(code: Locator, scale: int = 4) -> str:
    """Return what a camera reads in a drawn code, each of its modules ``scale`` pixels wide."""
    side = int(code.get_attribute("viewBox").split()[2]) * scale
    boxes = re.findall(r"M(\d+) (\d+)h1v1h-1z", code.locator("path").get_attribute("d"))
    dark = [
        (int(y) * scale + down) * side + int(x) * scale + right
        for x, y in boxes
        for down in range(scale)
        for right in range(scale)
    ]
    told = json.dumps({"side": side, "dark": dark})
    done = subprocess.run(
        ["node", "--input-type=module", "-e", READ_QR, told],
        cwd=PROJECT / "site", capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_download_link_works_and_matches_its_checksum_and_size(
    page: Page, site: str, language: str
) -> None:
    page.goto(f"{site}{language}/data/index.html")
    rows = page.locator(TELLING_OF_FILES).all()
    assert len(rows) > 2 * len(TABLES) + 10
    for row in rows:
        link, digest = row.locator("a").first, row.locator("code.hash").inner_text()
        assert link.get_attribute("download") is not None
        answer = page.request.get(link.evaluate("a => a.href"))
        assert answer.ok
        assert hashlib.sha256(answer.body()).hexdigest() == digest
    for link in page.locator("a[download]").all():
        assert page.request.head(link.evaluate("a => a.href")).ok


def test_the_workbook_holds_every_table_without_a_formula(built: Built) -> None:
    data = built.public / "data"
    book = openpyxl.load_workbook(data / "hau-giang-atlas.xlsx")
    for table in TABLES:
        rows = pd.read_csv(data / f"{table.name}.csv", dtype=str)
        assert book[table.name].max_row == len(rows) + 2
    kinds = {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}
    assert "f" not in kinds


def test_no_cell_of_any_csv_starts_a_formula(built: Built) -> None:
    for path in sorted((built.public / "data").rglob("*.csv")):
        sign = ";" if path.parent.name == "csv-excel" else ","
        with path.open(encoding="utf-8-sig", newline="") as file:
            cells = [cell for row in csv.reader(file, delimiter=sign) for cell in row]
        assert not [
            c for c in cells
            if c.startswith(("=", "+", "-", "@", "\t", "\r")) and not is_number(c)
        ]  # fmt: skip


def is_number(cell: str) -> bool:
    return bool(re.fullmatch(r"[-+]?[\d.,]+", cell))


def test_gis_files_hold_as_many_records_as_the_tables(built: Built) -> None:
    data = built.public / "data"
    for name in ("places", "routes"):
        expected = len(pd.read_csv(data / f"{name}.csv", dtype=str))
        assert len(gpd.read_file(data / "hau-giang-atlas.gpkg", layer=name)) == expected
        assert len(gpd.read_parquet(data / f"{name}.parquet")) == expected
        assert len(gpd.read_file(data / f"{name}.fgb")) == expected


def test_the_data_package_and_every_project_of_the_real_site_are_valid(built: Built) -> None:
    data = built.public / "data"
    jsonschema.validate(read(data / "datapackage.json"), PROFILE)
    paths = sorted((data / "oc4ids").glob("*.json"))
    assert len(paths) > 20
    for path in (*paths, data / "oc4ids.json"):
        hold_to_oc4ids(read(path))
    told = {one["id"] for one in read(data / "oc4ids.json")["projects"]}
    assert told == {path.stem for path in paths}


def test_every_real_record_keeps_the_published_schema(built: Built) -> None:
    data = built.public / "data"
    schema = read(data / "schema" / "record.json")
    paths = [*(data / "places").glob("*.json"), *(data / "routes").glob("*.json")]
    assert len(paths) > 50
    for path in paths:
        jsonschema.validate(read(path), schema)


def read(path: Path) -> dict[str, object]:
    return dict(json.loads(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("name", "kind"), [("data", "Dataset"), (RECORDS[0], "Place")])
def test_a_page_tells_machines_what_it_is_and_still_runs_nothing_inline(
    page: Page, site: str, language: str, name: str, kind: str
) -> None:
    faults = faults_of(page, site)
    page.goto(f"{site}{language}/{name}/index.html", wait_until="networkidle")
    script = page.locator("script[type='application/ld+json']")
    told = json.loads(script.inner_text() or script.text_content())
    assert told["@type"] == kind
    assert faults == []
    heads = "ms => Object.fromEntries(ms.map(m => [m.getAttribute('property'), m.content]))"
    graph = page.locator("meta[property^='og:']").evaluate_all(heads)
    description = page.locator("meta[name=description]").get_attribute("content")
    assert graph["og:description"] == description
    assert graph["og:url"].endswith(f"{language}/{name}/index.html")
    assert graph["og:title"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_a_named_address_a_record_shows_the_text_to_copy(
    page: Page, site: str, language: str, built: Built
) -> None:
    page.goto(f"{site}{language}/{RECORDS[0]}/index.html")
    assert page.locator("a[href^='mailto:']").count() == 0
    text = page.locator(".report .copy").inner_text()
    assert "kcn-song-hau-2" in text
    assert edition(built) in text
    page.locator(".report a").first.click()
    page.wait_for_url(f"**/{language}/sources/index.html#corrections")
    assert page.locator("#corrections").is_visible()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_status_page_lists_the_weakest_records_and_the_method(
    page: Page, site: str, language: str
) -> None:
    page.goto(f"{site}{language}/status/index.html")
    table = page.locator("[aria-labelledby=health] tbody tr")
    totals = [int(re.match(r"\d+", row.locator("td").first.inner_text())[0]) for row in table.all()]
    assert len(totals) == 12
    assert totals == sorted(totals)
    assert page.locator("#health-method").is_visible()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_area_column_of_the_table_stays_narrow_with_full_names_in_titles(
    browser: Browser, site: str, language: str
) -> None:
    page = browser.new_page(viewport={"width": 768, "height": 900})
    page.goto(f"{site}{language}/table/index.html")
    proofs = page.locator("td .proof a[title]").all()
    assert proofs
    for link in proofs[:20]:
        assert len(link.inner_text()) <= 60
        assert link.get_attribute("title")
    page.close()


@pytest.mark.parametrize("name", ["data", "status", "sources", RECORDS[0], RECORDS[1]])
def test_axe_finds_nothing_with_everything_open(browser: Browser, site: str, name: str) -> None:
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    page.goto(f"{site}vi/{name}/index.html")
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    assert violations(page) == []
    context.close()
