"""The print sheet: coordinates no finer than known, a sound locator, a QR code, a report."""

import dataclasses
from urllib.parse import parse_qs, urlsplit

import pytest
import segno
from shapely import LineString, MultiLineString, Point, box

import books
from atlas.records import Record
from atlas.sheet import QR_MASK, Address, corrections, frame, locator, qr, spots
from atlas.words import read_words
from builds import PROJECT
from hostile import HOSTILE

WORDS = read_words(PROJECT / "site" / "words")
SITE = Address("https://atlas.example/", "steward@atlas.example")


def placed(shape: object, method: str, accuracy_m: float, kind: str = "port") -> Record:
    return books.record("x", kind, position=books.position(shape, method, accuracy_m))


@pytest.mark.parametrize(
    ("url", "is_public", "home"),
    [
        ("http://127.0.0.1:8000/", False, "/"),
        ("http://localhost/atlas/", False, "/atlas/"),
        ("https://atlas.example/", True, "/"),
        ("https://example.org/a/b/", True, "/a/b/"),
    ],
)
def test_only_an_address_that_others_reach_is_public(url: str, is_public: bool, home: str) -> None:
    assert (Address(url).is_public, Address(url).home) == (is_public, home)


def test_a_point_is_told_in_both_systems() -> None:
    (spot,) = spots(placed(Point(105, 9), "surveyed", 1))
    assert spot.metres[1] == pytest.approx(500_000, abs=500)
    assert spot.metres[0] == pytest.approx(995_000, abs=500)
    assert (spot.latitude, spot.longitude) == (9, 105)


def test_a_line_is_told_by_both_ends_and_a_shape_by_a_point_in_it() -> None:
    line = LineString([(105, 9), (105.5, 9.2), (106, 10)])
    start, end = spots(placed(line, "schematic", 9_000, "road"))
    assert (start.role, start.longitude, end.role, end.latitude) == ("start", 105, "end", 10)
    (inner,) = spots(placed(box(105, 9, 106, 10), "surveyed", 1))
    assert inner.role == "within"
    parts = MultiLineString([[(105, 9), (105.1, 9)], [(106, 9), (106.1, 9)]])
    assert [s.role for s in spots(placed(parts, "osm", 100, "canal"))] == ["within"]


@pytest.mark.parametrize(
    ("accuracy", "digits"), [(5, (5, 0)), (100, (4, -1)), (999, (4, -1)), (6_200, (3, -2))]
)
def test_coordinates_have_the_digits_that_their_error_bears(
    accuracy: float, digits: tuple[int, int]
) -> None:
    (spot,) = spots(placed(Point(105.8, 9.9), "surveyed", accuracy))
    assert (spot.degree_places, spot.metre_places) == digits


def test_a_place_known_by_the_province_alone_has_no_coordinates() -> None:
    assert spots(placed(Point(105.8, 9.9), "schematic", 60_000)) == ()
    assert spots(books.record("x", "port")) == ()


def test_the_locator_marks_a_known_point_and_circles_an_uncertain_one() -> None:
    ground = frame(books.small_book())
    known = locator(placed(Point(105.85, 9.95), "surveyed", 5), ground, WORDS["vi"])
    rough = locator(books.park(), ground, WORDS["vi"])
    assert (known.how, known.reach, rough.how, rough.reach) == ("known", 0, "approximate", 62)
    for one in (known, rough):
        assert one.spot is not None
        assert 0 <= one.spot[0] <= ground.width
        assert 0 <= one.spot[1] <= ground.height
    assert rough.own == ("com-31366",)
    assert [name for name, _, _ in rough.names] == ["Châu Thành"]


def test_the_locator_draws_a_line_and_leaves_out_what_has_no_place() -> None:
    ground = frame(books.small_book())
    line = locator(books.expressway(), ground, WORDS["en"])
    assert (line.how, line.spot) == ("approximate", None)
    assert line.line.startswith("M")
    nowhere = locator(placed(Point(105.8, 9.9), "schematic", 60_000), ground, WORDS["en"])
    assert (nowhere.how, nowhere.spot, nowhere.line) == ("unplaced", None, "")


def test_the_ground_is_outlines_and_long_waters_or_points() -> None:
    book = books.small_book()
    ground = frame(book)
    assert ground.communes["com-31366"].endswith("Z")
    assert len(ground.water) == 1
    bare = frame(dataclasses.replace(book, communes=None, waterways=None))
    assert (bare.communes, bare.water) == ({}, ())
    assert set(bare.points) == {"com-31366"}
    empty = {**book.tables, "communes": books.table("communes")}
    blank = frame(dataclasses.replace(book, communes=None, tables=empty))
    assert blank.width > 100
    assert blank.height > 100


def test_names_on_the_locator_do_not_lie_on_each_other() -> None:
    units = [dataclasses.replace(books.NEW, unit_id=name) for name in ("a", "b", "c")]
    ground = dataclasses.replace(
        frame(books.small_book()), points={"a": (50, 50), "b": (52, 51), "c": (400, 50)}
    )
    record = books.record("x", "port", communes=tuple(units))
    heights = [y for _, _, y in locator(record, ground, WORDS["vi"]).names]
    assert sorted(heights) == [50, 50, 74]


def test_the_qr_code_holds_the_address_and_no_inline_style() -> None:
    address = SITE.page("vi", "places/kcn-a") + "?edition=2026-11-22-abcdef0"
    drawn = qr(address)
    expected = segno.make(address, error="m", micro=False, mask=QR_MASK)
    assert drawn == expected.svg_inline(
        scale=1, border=4, light="#fff", svgclass="qr", lineclass=None, omitsize=True
    )
    assert "style=" not in drawn
    assert "atlas.example" not in drawn


def report(record: Record, contact: str) -> list[dict[str, str]]:
    address = Address("https://atlas.example/", contact)
    made = corrections(record, books.small_book(), WORDS["vi"], address)
    return [dataclasses.asdict(one) for one in made]


def test_a_report_is_a_mail_with_record_field_and_edition() -> None:
    told = report(books.park(), "steward@atlas.example")
    assert len(told) == 1 + 3 + 5
    for one in told:
        parts = urlsplit(one["href"])
        assert (parts.scheme, parts.path) == ("mailto", "steward@atlas.example")
        asked = parse_qs(parts.query, strict_parsing=True)
        assert one["name"] in asked["subject"][0]
        for needed in ("kcn-a", one["name"], "2026-11-22-abcdef0"):
            assert needed in asked["body"][0]
    assert "Diện tích (giai đoạn 1)" in [one["name"] for one in told]


@pytest.mark.parametrize("contact", ["", "nobody", "a@b?cc=c@d", "a@b&c", "<a@b>", "a b@c"])
def test_no_address_is_invented_or_stretched(contact: str) -> None:
    told = report(books.park(), contact)
    assert {one["href"] for one in told} == {""}
    assert "kcn-a" in told[0]["text"]


def test_hostile_text_stays_within_its_part_of_the_mail() -> None:
    nasty = dataclasses.replace(
        books.park(), name_vi=f"{HOSTILE}&bcc=evil@x.example\r\nBcc: evil@x.example"
    )
    for one in report(nasty, "steward@atlas.example"):
        asked = parse_qs(urlsplit(one["href"]).query, strict_parsing=True)
        assert set(asked) == {"subject", "body"}
        assert not set(one["href"]) & set("<>\"' \n\r")
