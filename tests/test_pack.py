"""The field pack: the whole site, sound on its own, the same bytes each time."""

import hashlib
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import books
from atlas import pack
from atlas.downloads import write_downloads
from atlas.pack import write_pack
from atlas.pages import write_site
from atlas.sheet import Address
from atlas.verify import verify_site
from browsing import chromium, faults_of
from builds import PROJECT

BOOK = books.small_book(communes=None)
PUBLIC = Address("https://atlas.example/")
NAME, TOP = "hau-giang-atlas.zip", "hau-giang-atlas/"


def written(out: Path) -> Path:
    write_downloads(BOOK, out, PUBLIC.site_url)
    (out / "duties.ics").write_bytes(b"BEGIN:VCALENDAR")
    write_site(BOOK, out, PROJECT / "site", PUBLIC)
    return out


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("packed"))


@pytest.fixture(scope="module")
def unpacked(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("field")
    with zipfile.ZipFile(site / "data" / NAME) as packed:
        assert packed.testzip() is None
        assert all(name.startswith(TOP) for name in packed.namelist())
        packed.extractall(folder)
    yield folder / TOP


def test_the_pack_is_a_sound_site_of_its_own(site: Path, unpacked: Path) -> None:
    rows = {"places": len(BOOK.places), "routes": len(BOOK.routes)}
    assert verify_site(unpacked, rows) == len(list(site.rglob("*.html")))
    told = json.loads((unpacked / "manifest.json").read_text(encoding="utf-8"))
    assert told["edition"] == BOOK.edition
    for name, file in told["files"].items():
        content = (unpacked / name).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (
            file["bytes"],
            file["sha256"],
        )


def test_it_holds_neither_itself_nor_what_only_links_elsewhere_need(
    site: Path, unpacked: Path
) -> None:
    assert list((site / "assets").glob("card-*.png"))
    assert not list((unpacked / "assets").glob("card-*.png"))
    assert not (unpacked / "data" / NAME).exists()
    assert NAME not in (unpacked / "vi/data/index.html").read_text(encoding="utf-8")


def test_the_data_page_tells_its_size_and_checksum(site: Path) -> None:
    content = (site / "data" / NAME).read_bytes()
    for language in ("vi", "en"):
        page = (site / language / "data/index.html").read_text(encoding="utf-8")
        assert hashlib.sha256(content).hexdigest() in page
    told = json.loads((site / "data/index.json").read_text(encoding="utf-8"))
    (listed,) = [file for file in told["files"] if file["path"] == f"data/{NAME}"]
    assert (listed["bytes"], listed["media"]) == (len(content), "application/zip")


def test_the_same_site_gives_the_same_pack(site: Path, tmp_path: Path) -> None:
    again = written(tmp_path)
    assert (again / "data" / NAME).read_bytes() == (site / "data" / NAME).read_bytes()


def test_a_site_too_large_for_a_stick_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("a" * 100)
    monkeypatch.setattr(pack, "LIMIT_BYTES", 99)
    assert write_pack(BOOK, tmp_path) == ""
    assert not (tmp_path / "data" / NAME).exists()


def test_it_opens_from_disk_with_its_map_and_filters(unpacked: Path) -> None:
    with chromium() as browser:
        page = browser.new_page()
        faults = faults_of(page, unpacked.as_uri())
        page.goto((unpacked / "index.html").as_uri())
        page.get_by_role("link", name="English").first.click()
        page.get_by_role("navigation").get_by_role("link", name="Map").click()
        page.wait_for_selector("html[data-map-ready=true]")
        page.locator("#sort").focus()
        page.wait_for_selector("html[data-browse-ready=true]")
        assert page.locator(".pin").count() == 4
        assert faults == []
