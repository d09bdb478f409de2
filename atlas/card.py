"""The picture that stands for a page where its link is shared: both names, the kind, a sketch.

Letters are drawn as outlines of the site's own typeface, so that no machine's fonts change them.
A letter that the typeface lacks is drawn as ``?``.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import vl_convert
from fontTools.pens.svgPathPen import SVGPathPen
from fontTools.ttLib import TTFont

from atlas.assets import Assets
from atlas.pictures import VL_CONVERT, drawn
from atlas.records import Book, Record
from atlas.sheet import Address, Frame, Locator, locator
from atlas.words import Words, plain

WIDTH, HEIGHT = 1200, 630
EDGE = 64
TEXT_WIDTH = 548
GROUND_BOX = (640, 48, 516, 452)
"""Where the sketch stands: left, top, width and height, in pixels."""

FONTS = "node_modules/@fontsource/be-vietnam-pro/files/be-vietnam-pro-{}-{}-normal.woff"
SUBSETS = ("latin", "vietnamese")
REGULAR, SEMIBOLD = 400, 600
LEADING = 1.25
MISSING = "?"
PAPER, INK, SOFT, BAR = "#ffffff", "#1a2529", "#4d5b60", "#0b5a52"
LAND, OWN, WATER, MARK = "#e3ebe9", "#a9cfc8", "#8fb4c8", "#b3261e"


class Face:
    """One weight of the site's typeface, below ``site``; its files are read at the first letter."""

    def __init__(self, site: Path, weight: int) -> None:
        self.paths = [site / FONTS.format(subset, weight) for subset in SUBSETS]
        self._drawn: dict[str, tuple[str, float]] = {}

    @cached_property
    def _fonts(self) -> list[TTFont]:
        return [TTFont(path, lazy=True) for path in self.paths]

    def letter(self, sign: str) -> tuple[str, float]:
        """Return a letter's outline and its advance, both in ems."""
        if sign not in self._drawn:
            self._drawn[sign] = self._draw(sign)
        return self._drawn[sign]

    def _draw(self, sign: str) -> tuple[str, float]:
        for font in self._fonts:
            name = font.getBestCmap().get(ord(sign))
            if name is not None:
                glyphs = font.getGlyphSet()
                pen = SVGPathPen(glyphs)
                glyphs[name].draw(pen)
                return pen.getCommands(), glyphs[name].width / font["head"].unitsPerEm
        return self.letter(MISSING)

    def width(self, text: str) -> float:
        """Return how wide a text runs, in ems."""
        return sum(self.letter(sign)[1] for sign in text)

    @property
    def units(self) -> int:
        """Units of the outlines to one em."""
        return int(self._fonts[0]["head"].unitsPerEm)


@dataclass(frozen=True)
class Line:
    """A text to set: its face, size in pixels, colour and at most how many lines."""

    text: str
    face: Face
    size: int
    colour: str = INK
    most: int = 1


def wrapped(line: Line, width: float = TEXT_WIDTH) -> list[str]:
    """Break a text between words into lines no wider than ``width``; the last may end in ``…``."""
    rows: list[str] = [""]
    for word in plain(line.text).split():
        longer = f"{rows[-1]} {word}".strip()
        if rows[-1] and line.face.width(longer) * line.size > width:
            rows.append(word)
        else:
            rows[-1] = longer
    kept = [_fitting(row, line, width) for row in rows[: line.most]]
    if len(rows) > line.most:
        kept[-1] = _fitting(f"{kept[-1]} …", line, width)
    return kept


def _fitting(row: str, line: Line, width: float) -> str:
    """Cut a row that is too wide for the card and say so."""
    if line.face.width(row) * line.size <= width:
        return row
    bare = row.removesuffix("…").rstrip()
    while bare and line.face.width(f"{bare}…") * line.size > width:
        bare = bare[:-1]
    return f"{bare}…"


def _set(rows: Iterable[str], line: Line, top: float) -> Iterator[str]:
    """Draw rows of text from ``top`` down."""
    scale = line.size / line.face.units
    for number, row in enumerate(rows):
        base = top + line.size * (0.9 + number * LEADING)
        place = f"translate({EDGE} {base:.1f}) scale({scale:.4f})"
        yield f'<g fill="{line.colour}" transform="{place}">'
        at = 0.0
        for sign in row:
            outline, advance = line.face.letter(sign)
            if outline:
                yield f'<path transform="translate({at:.0f}) scale(1 -1)" d="{outline}"/>'
            at += advance * line.face.units
        yield "</g>"


@dataclass(frozen=True)
class Studio:
    """Draws the cards of one edition: the words, the faces and the ground are shared."""

    words: Sequence[Words]
    ground: Frame
    regular: Face
    semibold: Face

    def of_record(self, record: Record) -> bytes:
        """Return the card of a record as PNG: both names, both kinds, where it lies."""
        own, other = (words.of(record, "name") for words in self.words)
        kinds = " / ".join(words(f"kind.{record.kind}") for words in self.words)
        drawn = locator(record, self.ground, self.words[0])
        return self._picture((own, other if other != own else "", kinds), [drawn])

    def of_page(self, name: str, records: Iterable[Record]) -> bytes:
        """Return the card of one of the site's pages as PNG: its title, and where all lies."""
        title = "site.name" if name == "home" else f"{name}.title"
        own, other = (words(title) for words in self.words)
        drawn = [locator(record, self.ground, self.words[0]) for record in records]
        return self._picture((own, other, ""), drawn)

    def _picture(self, said: tuple[str, str, str], drawn: list[Locator]) -> bytes:
        title, other, kind = said
        lines = [
            Line(kind, self.regular, 26, SOFT, 2),
            Line(title, self.semibold, 54, INK, 4),
            Line(other, self.regular, 34, SOFT, 3),
        ]
        parts, top = [*_sketch(self.ground, drawn), _foot()], float(EDGE)
        for line in lines:
            rows = wrapped(line) if line.text else []
            parts += _set(rows, line, top)
            top += line.size * LEADING * len(rows) + (22 if rows else 0)
        names = [words("site.name") for words in self.words]
        foot = Line(" / ".join(names), self.regular, 24, PAPER)
        parts += _set(wrapped(foot, WIDTH - 2 * EDGE), foot, HEIGHT - 54)
        return _png("".join(parts))


@dataclass(frozen=True)
class Gallery:
    """Publishes each page's card once, for both languages.

    A site without a public address has none: its address leads others nowhere.
    """

    book: Book
    address: Address
    assets: Assets
    studio: Studio
    kept: dict[str, str] = field(default_factory=dict)

    def card(self, page: str) -> str:
        """Return the full address of a page's card, or ""; ``page`` is its folder."""
        if not self.address.is_public:
            return ""
        if page not in self.kept:
            name = f"card-{page.replace('/', '-') or 'home'}.png"
            self.kept[page] = self.assets.write(name, self._draw(page))
        return self.address.site_url + self.kept[page]

    def _draw(self, page: str) -> bytes:
        _, _, subject_id = page.rpartition("/")
        records = {record.subject_id: record for record in self.book.records}
        if "/" in page:
            return self.studio.of_record(records[subject_id])
        return self.studio.of_page(page or "home", self.book.records)


def studio(words: Sequence[Words], ground: Frame, site: Path) -> Studio:
    """Return the studio of one edition; ``site`` holds the typeface."""
    return Studio(words, ground, Face(site, REGULAR), Face(site, SEMIBOLD))


def _png(body: str) -> bytes:
    size = f'width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
    paper = f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{paper}'
    return drawn("card", VL_CONVERT, vl_convert.svg_to_png, f"{head}{body}</svg>")


def _foot() -> str:
    return f'<rect y="{HEIGHT - 82}" width="{WIDTH}" height="82" fill="{BAR}"/>'


def _sketch(ground: Frame, drawn: Sequence[Locator]) -> Iterator[str]:
    """Draw the ground and the marks, and white over what runs out of the sketch's box.

    All land is one path without borders: it is four fifths of what a card costs to draw.
    """
    left, top, width, height = GROUND_BOX
    scale = min(width / ground.width, height / ground.height)
    yield f'<g fill="none" transform="translate({left} {top}) scale({scale:.4f})">'
    own = {unit for one in drawn for unit in one.own} if len(drawn) == 1 else set()
    for colour, is_own in ((LAND, False), (OWN, True)):
        paths = [path for unit, path in ground.communes.items() if (unit in own) == is_own]
        yield f'<path d="{"".join(paths)}" fill="{colour}"/>'
    if not ground.communes:
        for unit, (x, y) in ground.points.items():
            yield f'<circle cx="{x}" cy="{y}" r="9" fill="{OWN if unit in own else LAND}"/>'
    yield f'<path d="{"".join(ground.water)}" stroke="{WATER}" stroke-width="3"/>'
    yield from (_mark(one, is_alone=len(drawn) == 1) for one in drawn)
    right, bottom = left + ground.width * scale, top + ground.height * scale
    around = f"M0 0H{WIDTH}V{HEIGHT}H0ZM{left} {top}V{bottom:.0f}H{right:.0f}V{top}Z"
    yield f'</g><path d="{around}" fill="{PAPER}" fill-rule="evenodd"/>'


def _mark(one: Locator, *, is_alone: bool) -> str:
    """One record's line, its point, or the area in which it lies; a doubtful one is dashed."""
    line = f'stroke="{MARK}" stroke-width="{7 if is_alone else 4}"'
    if one.how != "known":
        line += ' stroke-dasharray="18 12"'
    if one.line:
        return f'<path d="{one.line}" {line}/>'
    if one.spot is None:
        return ""
    centre = f'cx="{one.spot[0]}" cy="{one.spot[1]}"'
    if is_alone and one.reach:
        return f'<circle {centre} r="{one.reach}" {line}/>'
    return f'<circle {centre} r="{12 if is_alone else 8}" fill="{MARK}"/>'
