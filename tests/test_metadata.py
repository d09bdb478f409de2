"""Data Package, JSON-LD and the list of downloads: valid, inert and true to the files."""

import dataclasses
import hashlib
import json
from pathlib import Path

import jsonschema
import pytest
from shapely import Point, box

import books
from atlas.downloads import write_downloads
from atlas.handouts import file_size, handouts
from atlas.metadata import dataset_jsonld, download, downloads, licences, place_jsonld
from atlas.records import Book
from atlas.sheet import Address
from atlas.words import Words, read_words
from builds import PROJECT
from geodata.schema import TABLES
from hostile import hostile_book
from standards import PROFILE

SITE = "https://atlas.example/"
WORDS = read_words(PROJECT / "site" / "words")


@pytest.fixture(scope="module")
def book() -> Book:
    small = books.small_book()
    named = small.communes.assign(code="31366", name_vi="Châu Thành", name_en="Châu Thành")
    return dataclasses.replace(small, communes=named)


@pytest.fixture(scope="module")
def out(book: Book, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("metadata")
    write_downloads(book, folder, SITE)
    return folder


@pytest.fixture(scope="module", params=["vi", "en"])
def words(request: pytest.FixtureRequest) -> Words:
    return WORDS[request.param]


def package(out: Path) -> dict[str, object]:
    return dict(json.loads((out / "data" / "datapackage.json").read_text(encoding="utf-8")))


def test_the_data_package_meets_its_profile(out: Path) -> None:
    jsonschema.Draft202012Validator.check_schema(PROFILE)
    jsonschema.validate(package(out), PROFILE)


def test_the_data_package_names_each_resource_once_and_only_files_that_are_there(
    out: Path,
) -> None:
    resources = package(out)["resources"]
    names = [one["name"] for one in resources]
    assert len(names) == len(set(names))
    paths = {one["path"] for one in resources}
    assert {f"{table.name}.csv" for table in TABLES} <= paths
    assert {"hau-giang-atlas.xlsx", "hau-giang-atlas.gpkg", "places.fgb", "oc4ids.json"} <= paths
    assert all((out / "data" / path).is_file() for path in paths)


def test_every_download_is_listed_with_its_size_checksum_and_licences(
    book: Book, out: Path
) -> None:
    groups = downloads(book, out)
    listed = [one for group in groups.values() for one in group]
    for one in listed:
        content = (out / one.path).read_bytes()
        assert one.size == len(content)
        assert one.sha256 == hashlib.sha256(content).hexdigest()
        assert one.media
    told = {one.path for one in listed}
    there = {p.relative_to(out).as_posix() for p in (out / "data").iterdir() if p.is_file()}
    assert there <= told
    assert len(groups["tables"]) == len(groups["excel"]) == len(TABLES)


def test_a_file_that_is_not_written_yet_has_no_size_and_no_checksum(
    book: Book, tmp_path: Path
) -> None:
    one = download(book, tmp_path, "data/places.csv")
    assert (one.size, one.sha256) == (0, "")


def test_a_file_is_under_the_licences_of_what_it_holds(book: Book) -> None:
    assert licences(book, "places") == ("MIT",)
    assert licences(book, "routes") == ("ODbL 1.0",)
    assert licences(book, "hau-giang-atlas") == ("MIT", "ODbL 1.0")


def test_the_dataset_lists_each_file_at_its_full_address(
    book: Book, out: Path, words: Words
) -> None:
    files = [one for group in downloads(book, out).values() for one in group]
    told = dataset_jsonld(book, words, files, SITE)
    assert told["@type"] == "Dataset"
    assert told["name"] == words("site.name")
    for one, file in zip(told["distribution"], files, strict=True):
        assert one["contentUrl"] == SITE + file.path
        assert one["sha256"] == file.sha256


def test_a_place_known_by_its_commune_has_no_coordinates(words: Words) -> None:
    told = place_jsonld(books.park(), words, SITE)
    assert "geo" not in told
    assert told["identifier"] == "kcn-a"
    assert told["additionalProperty"]["value"].replace("\u00a0", " ") == "380 ha"


@pytest.mark.parametrize("shape", [Point(105.8, 9.9), box(105.79, 9.89, 105.81, 9.91)])
def test_a_place_that_is_known_has_them(shape: object, words: Words) -> None:
    known = books.record("p", "port", position=books.position(shape, "surveyed", 5))
    assert place_jsonld(known, words, SITE)["geo"] == {
        "@type": "GeoCoordinates", "latitude": 9.9, "longitude": 105.8,
    }  # fmt: skip


def test_hostile_text_cannot_end_the_script(tmp_path: Path, words: Words) -> None:
    book = hostile_book()
    made = handouts(book, tmp_path, Address(SITE))
    scripts = [made.of_record(r, words)["jsonld"] for r in book.records]
    scripts.append(made.of_page(words, "data")["jsonld"])
    for script in scripts:
        assert not set(script) & set("<>&\u2028\u2029\u202e")
        assert json.loads(script)["@context"] == "https://schema.org"


@pytest.mark.parametrize(
    ("size", "expected"), [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (1_234_567, "1.235 kB")]
)
def test_a_size_is_told_in_the_language(size: int, expected: str) -> None:
    assert file_size(size, WORDS["vi"]).replace("\u00a0", " ") == expected
