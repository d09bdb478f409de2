from datetime import date
from pathlib import Path

import pytest

from geodata.archive import Archive, Stored
from geodata.fetch import Validators
from geodata.freshness import Freshness, Held

URL = "https://maps.example/a.geojson"


@pytest.fixture
def freshness(tmp_path: Path) -> Freshness:
    return Freshness(Archive(tmp_path))


def test_what_an_address_said_is_known_again(freshness: Freshness) -> None:
    held = Held(freshness.archive.put(b"a"), Validators('"1"', "yesterday"))
    assert freshness.held(URL) is None
    freshness.note(URL, held)
    assert freshness.held(URL) == held
    assert freshness.held(URL + "?b") is None


def test_an_address_whose_bytes_are_gone_is_asked_without_conditions(freshness: Freshness) -> None:
    sha256 = freshness.archive.put(b"a")
    freshness.note(URL, Held(sha256, Validators('"1"')))
    freshness.archive.path_of(sha256).unlink()
    assert freshness.held(URL) is None


@pytest.mark.parametrize("torn", [b"", b"{", b"[]", b"null", b'{"url": 5}', b"\xff", b"{}"])
def test_a_torn_side_file_is_as_good_as_none(freshness: Freshness, torn: bytes) -> None:
    files = (Stored("a", freshness.archive.put(b"a")),)
    freshness.note(URL, Held(files[0].sha256, Validators('"1"')))
    freshness.confirm("layer_a", files, date(2026, 11, 22))
    for path in freshness.archive.folder.glob("*/*.json"):
        path.write_bytes(torn)
    assert freshness.held(URL) is None
    assert freshness.confirmed_on("layer_a", files) == ""
    freshness.confirm("layer_a", files, date(2026, 11, 23))
    assert freshness.confirmed_on("layer_a", files) == "2026-11-23"


def test_a_day_is_that_of_these_very_files(freshness: Freshness) -> None:
    old, new = (Stored("a", "0" * 64),), (Stored("a", "1" * 64),)
    freshness.confirm("layer_a", old, date(2026, 11, 22))
    assert freshness.confirmed_on("layer_a", old) == "2026-11-22"
    assert freshness.confirmed_on("layer_a", new) == freshness.confirmed_on("layer_b", old) == ""
