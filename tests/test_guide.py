"""What programs are told: a schema that every record keeps, an index of what is there."""

import copy
import dataclasses
import hashlib
import json
import re
from pathlib import Path

import jsonschema
import pytest

import books
from atlas.downloads import write_downloads
from atlas.guide import record_schema
from atlas.metadata import RECORD_SCHEMA
from atlas.pages import PAGES, write_site
from atlas.records import Book
from atlas.sheet import Address
from builds import PROJECT
from hostile import HOSTILE, hostile_book

HOME = "https://atlas.example/"


def built(book: Book, out: Path) -> Path:
    book = dataclasses.replace(book, communes=None)
    write_downloads(book, out, HOME)
    write_site(book, out, PROJECT / "site", Address(HOME))
    return out


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(books.small_book(), tmp_path_factory.mktemp("guide"))


def read(path: Path) -> dict[str, object]:
    return dict(json.loads(path.read_text(encoding="utf-8")))


def records_of(out: Path) -> list[Path]:
    return [
        path for table in ("places", "routes") for path in (out / "data" / table).glob("*.json")
    ]


def test_every_record_keeps_the_published_schema(site: Path) -> None:
    schema = read(site / RECORD_SCHEMA)
    assert schema == json.loads(json.dumps(record_schema()))
    jsonschema.Draft202012Validator.check_schema(schema)
    assert len(records_of(site)) == len(books.small_book().records)
    for path in records_of(site):
        jsonschema.validate(read(path), schema)


def test_hostile_records_keep_the_schema_and_stay_out_of_llms_txt(tmp_path: Path) -> None:
    for path in records_of(built(hostile_book(), tmp_path)):
        jsonschema.validate(read(path), record_schema())
    assert HOSTILE[:30] not in (tmp_path / "llms.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "fault",
    [
        lambda r: r.pop("kind"),
        lambda r: r.update(extra=1),
        lambda r: r.update(as_of=20261122),
        lambda r: r["money"][0].update(amount=1.5),
        lambda r: r["facts"][0]["claim"].pop("as_of"),
        lambda r: r["position"]["geometry"].update(type="Circle"),
        lambda r: r["documents"].append("a paper"),
    ],
)
def test_a_record_that_says_less_more_or_otherwise_is_refused(site: Path, fault: object) -> None:
    told = copy.deepcopy(read(site / "data/places/kcn-a.json"))
    jsonschema.validate(told, record_schema())
    fault(told)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(told, record_schema())


def test_the_index_names_what_is_there_with_its_checksum(site: Path) -> None:
    told = read(site / "data/index.json")
    for file in told["files"]:
        content = (site / file["path"]).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (
            file["bytes"],
            file["sha256"],
        )
        assert set(file["title"]) == {"vi", "en"} and all(file["title"].values())
    for pattern in (*told["records"], told["projects"]):
        assert pattern["ids"]
        for name in pattern["ids"]:
            assert (site / pattern["path"].replace("{id}", name)).is_file()
    listed = {file["path"] for file in told["files"]} | {
        one["path"] for one in told["edition_files"]
    }
    for path in (site / "data").iterdir():
        assert path.is_dir() or path.name == "index.json" or f"data/{path.name}" in listed


def test_llms_txt_links_every_page_and_the_data(site: Path) -> None:
    text = (site / "llms.txt").read_text(encoding="utf-8")
    assert text.startswith("# Tập bản đồ")
    links = re.findall(r"\]\((https://atlas\.example/[^)]+)\)", text)
    assert len(links) == len(set(links)) >= 2 * (len(PAGES) + 1) + 5
    for link in links:
        assert (site / link.removeprefix(HOME)).is_file()
