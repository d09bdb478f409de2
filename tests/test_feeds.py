"""The feeds are Atom that a real reader takes, with ids that never change."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import feedparser
import pytest

import books
from atlas.chronicle import SHOWN_STORIES, Chronicle
from atlas.feeds import ENTRIES, feed_path, write_feeds
from atlas.records import Book, Changed, Past
from atlas.words import read_words
from hostile import hostile_book

WORDS = read_words(Path(__file__).parents[1] / "site" / "words")
SITE = "https://atlas.example/hg/"
ATOM = "{http://www.w3.org/2005/Atom}"


def changed(subject_id: str, value: str) -> Changed:
    row = {"claim_id": f"{subject_id}.a", "subject_id": subject_id, "measure": "area_ha",
           "value": value, "unit": "ha", "document_ids": "paper"}  # fmt: skip
    return Changed(
        "claims", f"{subject_id}.a", "altered", "value", "1", value, "z", subject_id, row
    )


def lived(count: int) -> Book:
    """Return the small book after so many editions that changed its park each time."""
    history = [
        Past(
            f"e{n:03}",
            f"2026-0{1 + n // 28}-{1 + n % 28:02}",
            (changed("kcn-a", str(n)),),
            {"kcn-a": "building"},
        )
        for n in reversed(range(count))
    ]
    return books.small_book(history=tuple(history), changes=history[0].changes)


def write(book: Book, out: Path) -> Path:
    for words in WORDS.values():
        write_feeds(Chronicle(book, words), out, SITE)
    return out


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(lived(3), tmp_path_factory.mktemp("feeds"))


def files(out: Path) -> Iterator[Path]:
    yield from sorted(out.rglob("*.xml"))


def test_there_is_a_feed_of_all_and_of_each_record_district_and_stage_in_both_languages(
    out: Path,
) -> None:
    names = {path.relative_to(out).as_posix() for path in files(out)}
    one = ("kcn-a", "log-b", "canal-c", "exp-d", "dist-933", "stage-building", "stage-not_known")
    assert names >= {feed_path(name, lang) for name in ("feed", *one) for lang in ("vi", "en")}
    assert len(names) == 2 * (1 + 4 + 1 + 6)


def test_every_feed_is_read_without_a_complaint_and_has_what_atom_needs(out: Path) -> None:
    for path in files(out):
        read = feedparser.parse(path.read_bytes())
        assert not read.bozo, path
        assert read.version == "atom10"
        assert read.feed.title and read.feed.id.startswith("urn:uuid:") and read.feed.author
        assert read.feed.updated.endswith("T00:00:00+07:00")
        (own,) = [link.href for link in read.feed.links if link.rel == "self"]
        assert own == SITE + path.relative_to(out).as_posix()
        for entry in read.entries:
            assert entry.id.startswith("urn:uuid:") and entry.title and entry.updated
            assert entry.link.startswith(SITE)


def test_ids_are_unique_among_all_feeds_and_entries_of_a_language(out: Path) -> None:
    feeds = [ElementTree.parse(path).getroot() for path in files(out)]
    ids = [feed.findtext(f"{ATOM}id") for feed in feeds]
    assert len(set(ids)) == len(ids)
    entries = [e.findtext(f"{ATOM}id") for e in feeds[0].iter(f"{ATOM}entry")]
    assert len(set(entries)) == len(entries) == 3


def test_an_entry_keeps_its_id_and_date_when_the_site_moves_and_editions_follow(
    tmp_path: Path,
) -> None:
    def entries(book: Book, site_url: str, folder: str) -> dict[str, str]:
        out = tmp_path / folder
        write_feeds(Chronicle(book, WORDS["en"]), out, site_url)
        read = feedparser.parse((out / "feeds" / "kcn-a.en.xml").read_bytes())
        return {entry.id: entry.updated for entry in read.entries}

    before = entries(lived(3), SITE, "a")
    after = entries(lived(5), "https://elsewhere.example/", "b")
    assert before.items() <= after.items()
    assert len(after) == len(before) + 2


def test_a_feed_tells_the_newest_first_and_no_more_than_fit(tmp_path: Path) -> None:
    out = write(lived(ENTRIES + 9), tmp_path)
    many = dict.fromkeys(("feed", "dist-933", "stage-building"), ENTRIES)
    for name, most in {"kcn-a": SHOWN_STORIES, **many}.items():
        read = feedparser.parse((out / feed_path(name, "vi")).read_bytes())
        days = [entry.updated for entry in read.entries]
        assert len(days) == most
        assert days == sorted(days, reverse=True)
        assert read.feed.updated == days[0]


def test_an_entry_says_what_changed_in_words_and_leads_to_the_record(out: Path) -> None:
    read = feedparser.parse((out / "feeds" / "kcn-a.xml").read_bytes())
    entry = read.entries[0]
    assert "1\u00a0ha → 2\u00a0ha" in entry.content[0].value
    assert entry.link == f"{SITE}vi/places/kcn-a/index.html#history"
    assert read.feed.language == "vi"


def test_a_feed_without_news_yet_is_there_and_empty(out: Path) -> None:
    read = feedparser.parse((out / "feeds" / "canal-c.en.xml").read_bytes())
    assert (read.bozo, read.entries, read.feed.updated) == (
        False,
        [],
        "2026-11-22T00:00:00+07:00",
    )


def test_the_first_edition_is_one_entry_of_the_feed_of_all(tmp_path: Path) -> None:
    first = books.small_book(changes=(), history=(Past("e1", "2026-11-22", ()),))
    read = feedparser.parse((write(first, tmp_path) / "feed.en.xml").read_bytes())
    assert [entry.title for entry in read.entries] == ["Edition e1"]


def test_a_stage_is_told_what_entered_it_and_what_left_it(tmp_path: Path) -> None:
    step = Changed(
        "stage_events", "e2", "added", "", "", "", "z", "exp-d",
        {"stage_id": "public.works"}, {"stage_id": "park.operating"},
    )  # fmt: skip
    past = Past("e2", "2026-11-22", (step,), {"exp-d": "building"})
    out = write(books.small_book(history=(past,)), tmp_path)
    counts = {
        group: len(feedparser.parse((out / "feeds" / f"stage-{group}.xml").read_bytes()).entries)
        for group in ("building", "operating", "planned")
    }
    assert counts == {"building": 1, "operating": 1, "planned": 0}


def test_hostile_text_leaves_every_feed_well_formed_and_plain(tmp_path: Path) -> None:
    book = hostile_book()
    row = dict.fromkeys(("measure", "value", "unit"), "\x00\ufffe\x1b</div><script>\u202e")
    past = Past(
        "e<1>", "2026-11-22", (Changed("claims", "c", "added", "", "", "", "z", "kcn-a", row),)
    )
    out = write(dataclasses.replace(book, history=(past, *book.history)), tmp_path)
    for path in files(out):
        root = ElementTree.parse(path).getroot()
        assert not [e.tag for e in root.iter() if "script" in e.tag]


def test_the_same_book_gives_the_same_feeds(out: Path, tmp_path: Path) -> None:
    again = write(lived(3), tmp_path)
    assert [p.read_bytes() for p in files(again)] == [p.read_bytes() for p in files(out)]
