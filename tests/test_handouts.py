"""What pages get to hand out, and the pages that show it, with and without a named address."""

import dataclasses
import re
from html import unescape
from pathlib import Path

import pytest

import books
from atlas.handouts import handouts, licence_text
from atlas.oc4ids import STATUS
from atlas.pages import write_site
from atlas.sheet import Address
from atlas.words import read_words
from builds import PROJECT
from hostile import hostile_book

SITE = PROJECT / "site"
WORDS = read_words(SITE / "words")
NAMED = Address("https://atlas.example/", "steward@atlas.example")


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("named")
    write_site(books.small_book(), out, SITE, NAMED)
    return out


def html(out: Path, name: str, language: str = "vi") -> str:
    return (out / language / name / "index.html").read_text(encoding="utf-8")


def test_a_named_address_takes_one_report_a_field(named: Path) -> None:
    record = html(named, "places/kcn-a")
    assert record.count('href="mailto:steward@atlas.example?subject=') == 1 + 3 + 5
    assert record.count('class="copy"') == 1  # the code that embeds the record, no report to copy
    assert 'href="mailto:steward@atlas.example"' in html(named, "sources")


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_page_says_its_full_address_and_its_own_description(named: Path, language: str) -> None:
    for name in ("data", "places/kcn-a", "routes/exp-d"):
        page = html(named, name, language)
        address = f"https://atlas.example/{language}/{name}/index.html"
        assert f'<meta property="og:url" content="{address}">' in page
        assert page.count('name="description"') == page.count('property="og:description"') == 1


def test_the_home_page_has_one_slash_in_its_address(named: Path) -> None:
    assert 'content="https://atlas.example/vi/index.html"' in html(named, "")


@pytest.mark.parametrize("name", ["data", "table"])
def test_every_stage_stands_with_its_status_in_oc4ids(named: Path, name: str) -> None:
    page = html(named, name)
    for stage in (books.OPERATING, books.WORKS):
        assert f"<code>{STATUS[stage.stage_id]}</code>" in page
        assert stage.name_vi in page


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_page_says_how_to_cite_it_with_its_edition_and_date(
    named: Path, language: str
) -> None:
    for name in ("", "map", "table", "places/kcn-a"):
        page = html(named, name, language)
        cited = page.partition('class="cite"')[2].partition("</details>")[0]
        address = f"https://atlas.example/{language}/{name}/index.html".replace("//index", "/index")
        assert f"{address}?edition=2026-11-22-abcdef0" in cited
        assert WORDS[language].date("2026-11-22") in cited
        assert WORDS[language]("site.name") in cited


def test_the_code_that_embeds_a_record_is_shown_as_text(tmp_path: Path) -> None:
    write_site(hostile_book(), tmp_path, SITE, NAMED)
    page = html(tmp_path, "places/kcn-a", "en")
    code = unescape(page.partition('<pre class="copy"')[2].partition(">")[2].partition("</pre>")[0])
    (frame,) = re.findall(r"<iframe [^>]*>", code)
    address = "https://atlas.example/en/map/index.html?embed=1#v=1&amp;id=kcn-a"
    assert f'src="{address}"' in frame
    assert code.count("<") == 2
    assert "<iframe" not in page


def test_a_record_that_is_no_project_offers_no_project_file(named: Path) -> None:
    assert "data/oc4ids/kcn-a.json" in html(named, "places/kcn-a")
    assert "data/oc4ids/" not in html(named, "routes/canal-c")


def test_downloads_that_are_not_written_have_a_dash_for_their_size(named: Path) -> None:
    assert '<code class="hash">–</code>' in html(named, "data")


def test_without_communes_the_locator_has_their_points(tmp_path: Path) -> None:
    book = dataclasses.replace(books.small_book(), communes=None, waterways=None)
    words = read_words(SITE / "words")["vi"]
    made = handouts(book, tmp_path, NAMED).of_record(books.park(), words)
    assert made["locator"].ground.communes == {}
    assert made["locator"].own == ("com-31366",)
    assert made["scale_units"] == 100


def test_licences_are_named_in_short_and_once() -> None:
    told = ("CC0-1.0", "CC0-1.0 (facts collected by the atlas)", "Public document (law)", "X")
    words = read_words(SITE / "words")
    assert licence_text(told, words["vi"]) == "CC0-1.0; Văn bản hành chính; X"
    assert licence_text(told, words["en"]) == "CC0-1.0; Public document; X"
