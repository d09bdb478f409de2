"""Pictures are drawn once and kept by what they were drawn from."""

from pathlib import Path

from atlas.pictures import VL_CONVERT, drawn, kept_in


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
