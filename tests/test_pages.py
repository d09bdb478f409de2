import dataclasses
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from atlas import listing
from atlas.assets import AssetError
from atlas.chronicle import SHOWN_STORIES
from atlas.pages import CSP, outward, write_site
from atlas.sheet import Address
from atlas.verify import read_page
from atlas.views import view_faults
from atlas.words import WordsError, read_words
from books import PAPER, bare_book, park, record, small_book
from builds import PROJECT
from hostile import HOSTILE, hostile_book

SITE = PROJECT / "site"
WORDS = read_words(SITE / "words")
NAMES = ("", "map", "table", "track", "programme", "duties", "changes", "data", "sources", "status")
RECORDS = ("places/kcn-a", "places/log-b", "routes/canal-c", "routes/exp-d")
TABLES_OF_OTHERS = (
    *(
        "data/",
        "manifest.json",
        "status.json",
        "status.md",
        "changes.json",
        "feed.xml",
        "duties.ics",
    ),
)


class Reader(HTMLParser):
    """Reads a page as a browser would: its tags, links, ids and shown text."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.links, self.ids, self.words = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        self.words.append(" " if tag in ("dd", "dt", "td", "th", "p", "li", "div") else "")
        self.tags.append((tag, told))
        self.links += [told[name] for name in ("href", "src") if name in told]
        self.ids += [told["id"]] if "id" in told else []

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", "".join(self.words).replace("\u00a0", " "))


@pytest.fixture(scope="module")
def sites(tmp_path_factory):
    root = tmp_path_factory.mktemp("sites")
    for name, book in (("small", small_book()), ("bare", bare_book()), ("hostile", hostile_book())):
        write_site(book, root / name, SITE)
    return root


def read(sites: Path, path: str, name: str = "small") -> Reader:
    folder = sites / name / path
    page = folder if folder.suffix == ".html" else folder / "index.html"
    return Reader(page.read_text(encoding="utf-8"))


def pages_of(root: Path) -> list[Path]:
    return sorted(root.rglob("*.html"))


def test_every_page_stands_in_both_languages(sites):
    wanted = {f"{lang}/{name}".rstrip("/") for lang in ("vi", "en") for name in (*NAMES, *RECORDS)}
    made = {p.parent.relative_to(sites / "small").as_posix() for p in pages_of(sites / "small")}
    assert made == wanted | {"."}


@pytest.mark.parametrize("book", ["small", "bare", "hostile"])
def test_every_link_leads_to_a_page_of_the_site_or_a_file_of_its_data(sites, book):
    root = sites / book
    dead = []
    for path in pages_of(root):
        for link in Reader(path.read_text(encoding="utf-8")).links:
            address, _, part = link.partition("#")
            start = root if address.startswith("/") else path.parent
            target_ = (start / address.lstrip("/")).resolve() if address else path
            there = target_.is_file() or str(target_.relative_to(root)).startswith(TABLES_OF_OTHERS)
            if link.startswith("https://"):
                continue
            if part.startswith("v="):  # a view of the map, which `verify` reads
                assert list(view_faults(part, read_page(target_).views)) == []
                continue
            if not there or (part and part not in target_.read_text(encoding="utf-8")):
                dead.append((path, link))
    assert dead == []


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize("name", [*NAMES, *RECORDS])
def test_every_page_has_lang_title_one_h1_and_a_strict_policy(sites, lang, name):
    page = read(sites, f"{lang}/{name}")
    assert page.tags[0][0] == "html" and page.tags[0][1]["lang"] == lang
    assert [tag for tag, _ in page.tags].count("h1") == 1
    metas = [told for tag, told in page.tags if tag == "meta"]
    assert {"http-equiv": "Content-Security-Policy", "content": CSP} in metas
    assert all(told.get("content") for told in metas if told.get("name") == "description")
    inline = [told for tag, told in page.tags if tag == "script" and "src" not in told]
    assert [told for told in inline if told != {"type": "application/ld+json"}] == []
    assert [told for _, told in page.tags if "style" in told] == []
    assert len(page.ids) == len(set(page.ids))


@pytest.mark.parametrize("name", [*NAMES, *RECORDS])
def test_the_language_switch_leads_to_the_same_page(sites, name):
    page = read(sites, f"vi/{name}")
    (switch,) = [told for _, told in page.tags if told.get("hreflang") == "en" and "lang" in told]
    there = (sites / "small" / "vi" / name / switch["href"]).resolve()
    assert there == (sites / "small" / "en" / name / "index.html").resolve()


def test_languages_point_at_each_other_only_by_addresses_that_others_reach(sites, tmp_path):
    write_site(small_book(), tmp_path, SITE, Address("https://atlas.example/hg/"))
    told = read(tmp_path, "vi/places/kcn-a", "").tags
    found = {
        t["hreflang"]: t["href"]
        for tag, t in told
        if t.get("rel") == "alternate" and "hreflang" in t
    }
    page = "places/kcn-a/index.html"
    assert found == {lang: f"https://atlas.example/hg/{lang}/{page}" for lang in ("vi", "en")}
    here = read(sites, "vi/places/kcn-a").tags
    assert not [t for tag, t in here if tag == "link" and "hreflang" in t]


def test_the_page_for_lost_addresses_works_at_any_depth(tmp_path):
    write_site(small_book(), tmp_path, SITE, Address("https://atlas.example/hg/"))
    page = read(tmp_path, "404.html", "")
    assert page.links and all(link.startswith("/hg/") for link in page.links)


def test_the_chooser_names_vietnamese_first_and_runs_no_script(sites):
    page = read(sites, "index.html")
    assert [link for link in page.links if link.endswith("index.html")] == [
        "vi/index.html",
        "en/index.html",
    ]
    assert "script" not in [tag for tag, _ in page.tags]


def test_every_asset_is_named_after_its_content_and_is_there(sites):
    root = sites / "small"
    css = sorted((root / "assets").glob("*.css"))
    urls = [u for path in css for u in re.findall(r'url\("([^"]+)"\)', path.read_text("utf-8"))]
    assert len(urls) >= 4
    assert [u for u in urls if not (root / "assets" / u).is_file()] == []
    named = re.compile(r".+-[0-9a-f]{10}\.[a-z0-9]+")
    assert [p.name for p in (root / "assets").iterdir() if not named.fullmatch(p.name)] == []


def test_the_same_book_gives_the_same_bytes(sites, tmp_path):
    write_site(small_book(), tmp_path, SITE)
    first, again = sites / "small", tmp_path
    names = sorted(p.relative_to(first) for p in first.rglob("*") if p.is_file())
    assert names == sorted(p.relative_to(again) for p in again.rglob("*") if p.is_file())
    assert [n for n in names if (first / n).read_bytes() != (again / n).read_bytes()] == []


def test_a_number_stands_with_unit_date_source_and_confidence(sites):
    text = read(sites, "vi/places/kcn-a").text
    assert (
        "380 ha 04/12/2025 (theo ngày đăng) · Nguồn: Báo A · hai nguồn trở lên thống nhất" in text
    )
    assert "Các số khác, cũ hơn hoặc từ nguồn khác: 220 ha tháng 5/2022" in text
    assert "Diện tích giai đoạn 1 146,54 ha" in text


def test_values_in_dispute_stand_side_by_side(sites):
    text = read(sites, "en/routes/exp-d").text
    assert "component 3 (through Hậu Giang) about 37 km" in text
    assert "In dispute. These values were published too: 6.7 km April 2025" in text


def test_money_of_different_kinds_is_never_added(sites):
    text = read(sites, "en/places/kcn-a").text
    assert "The five kinds of money mean different things and are never added together." in text
    assert "Registered capital over 5,569 billion VND private capital" in text
    assert "Disbursed 23.60 million USD" in text


def test_a_promise_shows_its_first_date_and_every_later_one(sites):
    text = read(sites, "en/places/kcn-a").text
    assert "Overdue by 326 days; no source says it was met" in text
    assert "newest forecast is 1,703 days later" in text
    assert text.index("First promised date: 2024") < text.index("Later forecast: August 2029")


def test_old_and_new_units_and_the_way_the_place_is_known_are_said(sites):
    text = read(sites, "vi/places/kcn-a").text
    for told in ("Xã Châu Thành (31366)", "Xã Đông Phú (31375)", "Huyện Châu Thành (933)",
                 "Nguồn nêu tên xã, phường", "chỗ vẽ là quy ước, không phải khảo sát"):  # fmt: skip
        assert told in text


def test_a_distance_smaller_than_its_error_is_only_a_limit(sites):
    text = read(sites, "en/places/kcn-a").text
    assert "Canal C: within 8.4 km" in text
    near = dataclasses.replace(park().access[0], distance_km=9.0, uncertainty_km=0.5)
    assert near.distance_km > near.uncertainty_km


def test_what_was_looked_for_and_not_found_is_said_with_the_date(sites):
    assert "Ngày khởi công – đã tìm, chưa thấy (22/11/2026)" in read(sites, "vi/places/kcn-a").text
    assert "Annex of costs – looked for, not found (22 November 2026)" in (
        read(sites, "en/programme").text
    )


def test_a_record_that_knows_nothing_says_so(sites):
    text = read(sites, "en/places/log-b").text
    for told in ("Stage not known", "No figure has been published", "No dated and sourced step",
                 "No promised date", "No amount has been published", "no dated news"):  # fmt: skip
        assert told in text


def test_only_documents_marked_so_are_linked_outward(sites):
    page = read(sites, "vi/places/kcn-a")
    outside = [told for _, told in page.tags if told.get("href", "").startswith("http")]
    assert {told["href"] for told in outside} == {PAPER.url}
    assert {(told["rel"], told["referrerpolicy"]) for told in outside} == {
        ("noopener nofollow external", "no-referrer")
    }


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//evil.example", ""])
def test_an_address_that_is_no_web_page_is_never_linked(url):
    assert outward(dataclasses.replace(PAPER, url=url)) == ""


def test_the_table_is_the_twin_of_the_map(sites):
    page = read(sites, "vi/table")
    links = [link for link in page.links if re.search(r"/(places|routes)/", link)]
    assert sorted({link.split("/")[-2] for link in links}) == ["canal-c", "exp-d", "kcn-a", "log-b"]
    assert {"stage-park.operating", "stage-public.works"} <= set(page.ids)
    assert all(told.get("scope") for tag, told in page.tags if tag == "th")


def test_the_map_page_lists_every_record_and_names_what_is_missing(sites):
    page = read(sites, "vi/map")
    assert {"kcn-a", "log-b", "canal-c", "exp-d"} <= set(page.ids)
    assert "© những người đóng góp OpenStreetMap" in page.text
    assert "Bản đồ cần JavaScript" in page.text
    bare = read(sites, "vi/map", "bare")
    assert "Bản đồ đang thiếu lớp: Sông, kênh từ OpenStreetMap." in bare.text


def test_the_scripts_of_the_map_are_deferred_files_in_order(sites):
    page = read(sites, "en/map")
    scripts = [told for tag, told in page.tags if tag == "script"]
    assert all("defer" in told for told in scripts)
    names = [told["src"].rsplit("/", 1)[1] for told in scripts]
    wanted = ["leaflet", "layers-en", "map", "map-en", "fresh"]
    assert [name.rpartition("-")[0] for name in names] == wanted


def test_the_programme_shows_sums_that_close_and_targets_beside_results(sites):
    text = read(sites, "vi/programme").text
    assert "113.062,026 tỷ đồng" in text
    assert "Đúng bằng tổng số, đến chữ số cuối." in text
    assert "bằng 103,1% mục tiêu 77.626 tỷ đồng (năm 2025)" in text
    assert "6 tháng đầu năm 2023" in text
    assert "Phụ lục dự trù kinh phí từng dự án" in text


def test_promised_counts_stand_beside_named_places_and_are_not_merged(sites):
    text = read(sites, "vi/programme").text
    assert "Kế hoạch hứa 5 KCN" in text
    assert "Khu công nghiệp: nơi các nguồn nêu tên KCN A" in text


def test_the_four_reporting_dates_and_every_agency_stand_on_the_duties_page(sites):
    text = read(sites, "en/duties").text
    assert "before 15 November every year" in text
    assert "before 15 December every year" in text
    assert "regularly" in text and "(6 duties in this clause)" in text
    assert "naming: Châu Thành district" in text


def test_changes_are_told_by_record_with_old_and_new_value_and_their_source(sites):
    for page in ("vi/changes", "vi/places/kcn-a"):
        text = read(sites, page).text
        assert "Tên Trước: KCN cũ → Nay: KCN A" in text
        assert "Nguồn: Báo A · trong tập nguồn Nguồn zones" in text
    assert "Chưa có thay đổi nào" in read(sites, "vi/places/log-b").text


def test_every_page_and_record_names_its_feeds(sites):
    page = read(sites, "en/places/kcn-a")
    feeds = [a["href"] for t, a in page.tags if a.get("type") == "application/atom+xml"]
    assert feeds[:2] == ["../../../feed.en.xml", "../../../feeds/kcn-a.en.xml"]
    changes = read(sites, "vi/changes")
    named = {a["href"] for t, a in changes.tags if a.get("type") == "application/atom+xml"}
    assert named >= {
        "../../feed.xml", "../../feeds/kcn-a.xml", "../../feeds/dist-933.xml",
        "../../feeds/stage-operating.xml", "../../feeds/stage-not_known.xml",
    }  # fmt: skip


def test_a_record_tells_its_newest_changes_and_how_many_it_leaves_to_the_whole_history(tmp_path):
    (past,) = small_book().history
    lived = [
        dataclasses.replace(past, edition=f"e{n}", as_of=f"2026-10-{n:02}")
        for n in range(SHOWN_STORIES + 3, 0, -1)
    ]
    write_site(small_book(history=tuple(lived)), tmp_path, SITE)
    page = Reader((tmp_path / "en" / "places" / "kcn-a" / "index.html").read_text("utf-8"))
    told = [name for name in page.ids if name.startswith("edition-e")]
    assert told == [f"edition-e{n}" for n in range(SHOWN_STORIES + 3, 3, -1)]
    assert "Earlier updates that are not told here: 3." in page.text
    assert "../../../data/history.csv" in page.links


def test_too_many_documents_for_a_page_are_listed_where_pages_cite_them(tmp_path, monkeypatch):
    book = small_book()
    cited = {d.document_id for record in book.records for d in record.documents}
    some = book.documents[min(cited)]
    others = {f"d{n}": dataclasses.replace(some, document_id=f"d{n}") for n in range(9)}
    many = dataclasses.replace(book, documents={**book.documents, **others})
    monkeypatch.setattr(listing, "LISTED_DOCUMENTS", len(many.documents) - 1)
    write_site(many, tmp_path, SITE)
    page = Reader((tmp_path / "en" / "sources" / "index.html").read_text("utf-8"))
    listed = {name.removeprefix("doc-") for name in page.ids if name.startswith("doc-")}
    assert cited <= listed
    assert not listed & others.keys()
    assert f"only the {len(listed)} that record pages" in page.text
    assert "../../data/documents.csv" in page.links
    for path in tmp_path.rglob("en/**/*.html"):
        anchors = [a.partition("#doc-")[2] for a in Reader(path.read_text("utf-8")).links]
        assert set(filter(None, anchors)) <= listed


def test_an_edition_without_changes_says_so(tmp_path):
    write_site(small_book(changes=()), tmp_path, SITE)
    text = (tmp_path / "en" / "changes" / "index.html").read_text(encoding="utf-8")
    assert "holds the same as the edition before" in text


def test_downloads_name_the_communes_only_where_there_are_any(sites):
    links = read(sites, "vi/data").links
    assert {"../../data/places.geojson", "../../data/communes.geojson", "../../duties.ics"} <= set(
        links
    )
    assert "../../data/communes.geojson" not in read(sites, "vi/data", "bare").links


def test_sources_show_state_dates_and_checksum(sites):
    text = read(sites, "en/sources").text
    assert "Source zones" in text and "0" * 64 in text
    held = "copy last confirmed on 20 November 2026"
    assert (
        f"the last good copy; no newer one could be read {held} no answer from the server" in text
    )


def test_the_status_page_tells_findings_refused_rows_and_the_ledger(sites):
    text = read(sites, "vi/status").text
    assert "Mã dẫn tới phải có thật" in text
    assert '{"place_id":"kcn-a"}' in text
    assert "Kiểm tra nguồn: Nguồn zones 5 4 1: Mã không được trùng" in text
    assert "Không thiếu lớp nào." in text
    assert "Sông, kênh từ OpenStreetMap" in read(sites, "vi/status", "bare").text


def test_hostile_text_is_shown_and_makes_no_markup(sites):
    for path in pages_of(sites / "small"):
        name = path.relative_to(sites / "small")
        calm, hostile = (
            [tag for tag, _ in Reader((sites / book / name).read_text(encoding="utf-8")).tags]
            for book in ("small", "hostile")
        )
        assert hostile.count("script") == calm.count("script")
        assert hostile.count("img") == 0
    page = read(sites, "vi/places/kcn-a", "hostile")
    assert HOSTILE[:60] in page.text
    assert "\u202e" not in page.text
    assert [told for _, told in page.tags if any(name.startswith("on") for name in told)] == []


def test_hostile_text_runs_nowhere_even_without_the_policy(sites):
    with sync_playwright() as play:
        chromium = play.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = chromium.new_page(bypass_csp=True)
        for path in pages_of(sites / "hostile"):
            page.goto(path.as_uri() + ("#kcn-a" if path.parent.name == "map" else ""))
            assert page.evaluate("globalThis.ran") is None, path
        page.goto((sites / "hostile" / "vi" / "map" / "index.html").as_uri() + "#kcn-a")
        assert HOSTILE[:60] in page.inner_text("#panel")
        assert page.evaluate("document.documentElement.dataset.placesDrawn") == "2"
        chromium.close()


def test_a_missing_package_names_the_next_move(tmp_path):
    shutil.copytree(SITE, tmp_path / "site", ignore=shutil.ignore_patterns("node_modules"))
    with pytest.raises(AssetError, match="run `npm ci"):
        write_site(small_book(), tmp_path / "out", tmp_path / "site")


def test_words_that_no_language_has_are_refused(tmp_path):
    shutil.copytree(SITE, tmp_path / "site", ignore=shutil.ignore_patterns("node_modules"))
    (tmp_path / "site" / "node_modules").symlink_to(SITE / "node_modules")
    unknown = record("kcn-x", "industrial_park", schedule="sometime")
    with pytest.raises(WordsError, match=r"track\.state_sometime"):
        write_site(small_book(places=(unknown,)), tmp_path / "out", tmp_path / "site")
