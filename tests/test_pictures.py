"""Pictures are drawn once and kept by what they were drawn from."""

from pathlib import Path

import pytest

from atlas.pictures import VL_CONVERT, drawn, drawn_file, kept_in


class Pen:
    """Draws, and counts how often."""

    def __init__(self) -> None:
        self.drew: list[str] = []

    def draw(self, source: str) -> bytes:
        self.drew.append(source)
        return f"<svg>{source}</svg>".encode()


def edition(folder: Path, pen: Pen, *sources: str) -> list[bytes]:
    with kept_in(folder):
        return [drawn("svg", VL_CONVERT, pen.draw, source) for source in sources]


def test_what_an_edition_drew_is_not_drawn_for_the_next(tmp_path: Path) -> None:
    pen = Pen()
    first = edition(tmp_path, pen, "a", "b", "a")
    assert pen.drew == ["a", "b"]
    assert edition(tmp_path, pen, "b", "c", "a") == [first[1], b"<svg>c</svg>", first[0]]
    assert pen.drew == ["a", "b", "c"]


def test_one_source_drawn_in_two_forms_is_two_pictures(tmp_path: Path) -> None:
    with kept_in(tmp_path):
        assert drawn("svg", VL_CONVERT, lambda s: s.encode(), "a") == b"a"
        assert drawn("png", VL_CONVERT, lambda s: s.upper().encode(), "a") == b"A"


def test_a_damaged_picture_is_drawn_again(tmp_path: Path) -> None:
    pen = Pen()
    (whole,) = edition(tmp_path, pen, "a")
    (path,) = tmp_path.iterdir()
    for damage in (b"", b"no checksum", path.read_bytes()[:-1]):
        path.write_bytes(damage)
        assert edition(tmp_path, pen, "a") == [whole]
    assert pen.drew == ["a"] * 4


def test_what_an_edition_does_not_show_is_forgotten_at_its_end(tmp_path: Path) -> None:
    pen = Pen()
    edition(tmp_path, pen, "a", "b")
    edition(tmp_path, pen, "b")
    edition(tmp_path, pen, "a")
    assert pen.drew == ["a", "b", "a"]
    assert len(list(tmp_path.iterdir())) == 1


def test_without_a_folder_pictures_are_drawn_each_time() -> None:
    pen = Pen()
    assert drawn("svg", VL_CONVERT, pen.draw, "a") == drawn("svg", VL_CONVERT, pen.draw, "a")
    assert pen.drew == ["a", "a"]


def tiles(folder: Path, pen: Pen, source: str, code: str = "") -> bytes:
    """Draw a file in an edition and return what it holds."""

    def draw(path: Path) -> None:
        path.write_bytes(pen.draw(source))

    with kept_in(folder / "kept", code):
        return drawn_file(VL_CONVERT, draw, source, folder / "beside").read_bytes()


def test_a_file_is_drawn_once_by_one_code(tmp_path: Path) -> None:
    pen = Pen()
    assert tiles(tmp_path, pen, "a") == tiles(tmp_path, pen, "a") == b"<svg>a</svg>"
    assert pen.drew == ["a"]
    tiles(tmp_path, pen, "b")
    tiles(tmp_path, pen, "b", code="new")
    assert pen.drew == ["a", "b", "b"]
    assert len(list((tmp_path / "kept").iterdir())) == 2
    assert not (tmp_path / "beside").exists()


@pytest.mark.parametrize("damage", [b"", b"<svg>b</svg>"])
def test_a_damaged_file_is_drawn_again(tmp_path: Path, damage: bytes) -> None:
    pen = Pen()
    whole = tiles(tmp_path, pen, "a")
    path = next(one for one in (tmp_path / "kept").iterdir() if one.suffix != ".sha256")
    path.write_bytes(damage)
    assert tiles(tmp_path, pen, "a") == whole
    path.with_name(f"{path.name}.sha256").unlink()
    assert tiles(tmp_path, pen, "a") == whole
    assert pen.drew == ["a"] * 3


def test_what_a_cut_left_in_the_folder_goes_with_the_next_edition(tmp_path: Path) -> None:
    (tmp_path / "kept" / "tmpabc").mkdir(parents=True)
    (tmp_path / "kept" / "tmpabc" / "level").touch()
    pen = Pen()
    tiles(tmp_path, pen, "a")
    assert len(list((tmp_path / "kept").iterdir())) == 2


def test_without_a_folder_a_file_is_drawn_beside(tmp_path: Path) -> None:
    drawn_file(VL_CONVERT, lambda path: path.touch(), "a", tmp_path / "beside")
    assert [one.name for one in tmp_path.iterdir()] == ["beside"]
