"""What a comparison takes to paper: both languages, one sketch, coordinates from the build."""

import json

import pytest
from shapely import LineString, Point, box

import books
from atlas.layers import Json
from atlas.paper import BILINGUAL, paper_data, paper_script
from atlas.sheet import Address, frame, spot_texts, spots
from atlas.words import read_words
from builds import PROJECT
from geodata.crs import shapes_to_metric
from hostile import HOSTILE, hostile_book

WORDS = read_words(PROJECT / "site" / "words")
BOTH = (WORDS["vi"], WORDS["en"])
HOME = Address("https://atlas.example/")


def data_of(book: object) -> dict[str, Json]:
    return paper_data(book, BOTH, frame(book), HOME)


def test_every_record_has_its_other_name_cells_and_coordinates() -> None:
    book = books.small_book()
    told = data_of(book)
    assert set(told["records"]) == {r.subject_id for r in book.records}
    park = told["records"]["kcn-a"]
    assert park["name"] == WORDS["en"].of(books.park(), "name")
    assert park["cells"]["kind"] == WORDS["en"]("kind.industrial_park")
    assert [spot[1:] for spot in park["spots"]] == [
        list(spot_texts(spot, WORDS["vi"])) for spot in spots(books.park())
    ]
    assert told["address"] == "https://atlas.example/vi/map/index.html"
    assert len(told["words"]) == len(BILINGUAL)


def test_a_number_stands_halfway_along_its_line_and_within_its_shape() -> None:
    shapes = {
        "r": (LineString([(105.80, 9.95), (105.84, 9.95)]), "road"),
        "z": (box(105.80, 9.90, 105.84, 9.94), "industrial_park"),
    }
    road, zone = (
        books.record(name, kind, position=books.position(shape, "digitised", 50))
        for name, (shape, kind) in shapes.items()
    )
    book = books.small_book(places=(zone,), routes=(road,))
    told, ground = data_of(book)["records"], frame(book)
    for name, middle in (("r", Point(105.82, 9.95)), ("z", Point(105.82, 9.92))):
        (flat,) = shapes_to_metric([middle])
        assert told[name]["at"] == pytest.approx(ground.at(flat.x, flat.y), abs=1)
        assert told[name]["line"]


def test_a_place_known_by_nothing_has_no_number_on_the_sketch() -> None:
    lost = books.record("x", "port")
    told = data_of(books.small_book(places=(lost,), routes=()))["records"]["x"]
    assert (told["at"], told["line"], told["spots"], told["how"]) == (None, "", [], "unplaced")


def test_hostile_text_stays_text_and_the_script_is_the_same_each_time() -> None:
    book = hostile_book()
    script = paper_script(book, BOTH, frame(book), HOME)
    assert script == paper_script(book, BOTH, frame(book), HOME)
    assert not set(script) & set("<>&\u2028\u2029\u202e")
    told = json.loads(script.removeprefix("globalThis.ATLAS_PAPER = ").rstrip(";\n"))
    assert "onerror" in HOSTILE and "onerror" in told["records"]["kcn-a"]["name"]
