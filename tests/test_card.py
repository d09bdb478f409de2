"""The shared pictures: both names in the site's letters, the same bytes, one for both languages."""

import re
import struct
from pathlib import Path

import pytest
from shapely import LineString

import books
from atlas.assets import Assets
from atlas.card import (
    HEIGHT,
    MISSING,
    TEXT_WIDTH,
    WIDTH,
    Face,
    Gallery,
    Line,
    Studio,
    studio,
    wrapped,
)
from atlas.pages import PAGES, write_site
from atlas.sheet import Address, frame
from atlas.words import read_words
from builds import PROJECT
from hostile import hostile_book

SITE = PROJECT / "site"
WORDS = read_words(SITE / "words")
ALPHABET = (
    "aăâbcdđeêghiklmnoôơpqrstuưvxyàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ"
)


@pytest.fixture(scope="module")
def face() -> Face:
    return Face(SITE, 600)


@pytest.fixture(scope="module")
def drawing() -> Studio:
    return studio([WORDS["vi"], WORDS["en"]], frame(books.small_book()), SITE)


def size_of(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", png[16:24])


def test_the_typeface_has_every_vietnamese_letter(face: Face) -> None:
    lost = face.letter(MISSING)
    for sign in ALPHABET + ALPHABET.upper():
        outline, advance = face.letter(sign)
        assert outline and advance > 0
        assert (outline, advance) != lost, sign
    assert face.letter("ក") == lost


@pytest.mark.parametrize("most", [1, 2, 4])
def test_a_long_name_is_broken_between_words_and_cut_with_a_sign(face: Face, most: int) -> None:
    line = Line("Trung tâm logistics " * 12, face, 54, most=most)
    rows = wrapped(line)
    assert len(rows) == most
    assert rows[-1].endswith("…")
    assert all(face.width(row) * line.size <= TEXT_WIDTH for row in rows)
    (word,) = wrapped(Line("Đ" * 200, face, 54, most=1))
    assert word.endswith("…") and face.width(word) * 54 <= TEXT_WIDTH
    assert wrapped(Line("KCN Sông Hậu 2", face, 54, most=most)) == ["KCN Sông Hậu 2"]


def test_a_card_has_its_size_and_the_same_bytes_each_time(drawing: Studio) -> None:
    known = books.position(LineString([(105.6, 9.8), (105.8, 9.9)]), "digitised", 50)
    for record in (books.park(), books.record("r", "road", position=known)):
        picture = drawing.of_record(record)
        assert size_of(picture) == (WIDTH, HEIGHT)
        assert picture == drawing.of_record(record)
    named = drawing.of_record(books.record("x", "port"))
    assert named != drawing.of_record(books.record("y", "port"))


def test_hostile_names_are_drawn_as_letters(drawing: Studio) -> None:
    for record in hostile_book().records:
        assert size_of(drawing.of_record(record)) == (WIDTH, HEIGHT)


def test_only_a_public_site_has_cards_and_each_is_drawn_once(
    drawing: Studio, tmp_path: Path
) -> None:
    book = books.small_book()
    at_home = Gallery(book, Address(), Assets(SITE, tmp_path / "home"), drawing)
    assert at_home.card("places/kcn-a") == ""
    assert not (tmp_path / "home").exists()
    public = Gallery(book, Address("https://a.example/x/"), Assets(SITE, tmp_path), drawing)
    told = [public.card(page) for page in ("", "map", "places/kcn-a", "places/kcn-a")]
    assert told[2] == told[3]
    assert len(set(told)) == len(list((tmp_path / "assets").glob("card-*.png"))) == 3
    assert all(one.startswith("https://a.example/x/assets/card-") for one in told)


def test_every_page_of_a_public_site_names_a_card_that_is_there(tmp_path: Path) -> None:
    book = books.small_book()
    write_site(book, tmp_path, SITE, Address("https://atlas.example/"))
    pages = [*tmp_path.glob("*/index.html"), *tmp_path.glob("*/*/index.html"),
             *tmp_path.glob("*/*/*/index.html"), tmp_path / "index.html"]  # fmt: skip
    assert len(pages) == 2 * (len(PAGES) + 1 + len(book.records)) + 1
    for page in pages:
        text = page.read_text(encoding="utf-8")
        (address,) = re.findall(r'property="og:image" content="([^"]+)"', text)
        assert (tmp_path / address.removeprefix("https://atlas.example/")).is_file()
        assert 'name="twitter:card" content="summary_large_image"' in text
    cards = list((tmp_path / "assets").glob("card-*.png"))
    assert len(cards) == len(PAGES) + 1 + len(book.records)
