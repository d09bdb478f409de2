"""What a record's page carries to paper: coordinates, a locator map, a QR code, a correction."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

import segno
import shapely
from markupsafe import Markup
from shapely.geometry.base import BaseGeometry

from atlas.pictures import drawn
from atlas.records import Book, Record
from atlas.telling import drawn_as, is_unplaced, phase_text
from atlas.words import Words
from geodata.crs import metric_crs, shapes_to_metric
from geodata.region import Box, here

UNIT_M = 100.0
"""One unit of the locator's drawing is a hundred metres."""

SIMPLIFY_M = 200.0
EDGE_M = 4_000.0
LONG_WATER_M = 18_000.0
SCALE_KM = 10
LABEL_WIDTH, LABEL_HEIGHT = 120, 24
QR_ERROR = "m"
QR_MASK = 3
"""One of the eight patterns that readers undo; to weigh all eight takes four times as long."""
CONTACT = re.compile(r"[^\s@<>\"'?&]+@[^\s@<>\"'?&]+")


@dataclass(frozen=True)
class Address:
    """Where the site is published, and who takes corrections ("" where nobody is named)."""

    site_url: str = "http://127.0.0.1:8000/"
    contact: str = ""

    @property
    def is_public(self) -> bool:
        """Whether others can follow it: false for an address of this machine, the default."""
        return urlsplit(self.site_url).hostname not in ("127.0.0.1", "localhost", "::1", None)

    @property
    def home(self) -> str:
        """The path of the site's root on its host, with a slash at both ends."""
        return f"/{urlsplit(self.site_url).path.strip('/')}/".replace("//", "/")

    def page(self, lang: str, name: str) -> str:
        """Return the full address of a page."""
        return f"{self.site_url}{lang}/{name}/index.html".replace("//index", "/index")


@dataclass(frozen=True)
class Spot:
    """One point of a record in both systems, with the decimals that its accuracy bears.

    ``metres`` are x (north) and y (east) in the region's zone, as Vietnamese surveys write them.
    """

    role: str
    latitude: float
    longitude: float
    metres: tuple[float, float]
    degree_places: int
    metre_places: int


def spots(record: Record) -> tuple[Spot, ...]:
    """Return a place's point, or both ends of a line; a shape is told by a point within it.

    Positions known only within the province have none.
    """
    position = record.position
    if position is None or is_unplaced(position):
        return ()
    points = _told_points(position.geometry)
    metric = shapes_to_metric(list(points.values()))
    digits = _digits(position.accuracy_m)
    return tuple(
        Spot(role, *_xy(point)[::-1], _xy(flat)[::-1], *digits)
        for (role, point), flat in zip(points.items(), metric, strict=True)
    )


def _xy(point: BaseGeometry) -> tuple[float, float]:
    return float(shapely.get_x(point)), float(shapely.get_y(point))


def _told_points(geometry: BaseGeometry) -> dict[str, BaseGeometry]:
    if geometry.geom_type == "Point":
        return {"point": shapely.Point(shapely.get_coordinates(geometry)[0])}
    if geometry.geom_type == "LineString":
        ends = shapely.get_coordinates(geometry)
        return {"start": shapely.Point(ends[0]), "end": shapely.Point(ends[-1])}
    return {"within": geometry.representative_point()}


def spot_texts(spot: Spot, words: Words) -> tuple[str, str]:
    """Return a spot as people write it, in WGS 84 and in the region's zone."""
    north, east = (words.rounded(metres, spot.metre_places) for metres in spot.metres)
    latitude, longitude = (
        words.rounded(degrees, spot.degree_places) for degrees in (spot.latitude, spot.longitude)
    )
    return (
        words("sheet.degrees", latitude=latitude, longitude=longitude),
        words("sheet.metres", north=north, east=east),
    )


def _digits(accuracy_m: float) -> tuple[int, int]:
    """Decimals of a degree and of a metre that an error leaves any meaning."""
    if accuracy_m >= 1_000:
        return 3, -2
    return (4, -1) if accuracy_m >= 100 else (5, 0)


@dataclass(frozen=True)
class Frame:
    """The ground of every locator map: communes and long rivers, drawn once for all records."""

    box: Box
    communes: Mapping[str, str]
    points: Mapping[str, tuple[int, int]]
    water: tuple[str, ...]

    @property
    def width(self) -> int:
        """Width of the drawing in its units."""
        return round((self.box[2] - self.box[0]) / UNIT_M)

    @property
    def height(self) -> int:
        """Height of the drawing in its units."""
        return round((self.box[3] - self.box[1]) / UNIT_M)

    def at(self, x: float, y: float) -> tuple[int, int]:
        """Return where a metric coordinate is drawn."""
        return round((x - self.box[0]) / UNIT_M), round((self.box[3] - y) / UNIT_M)

    def path(self, geometry: BaseGeometry) -> str:
        """Return the path data of lines and of the rings of polygons."""
        parts = []
        for part in shapely.get_parts(geometry):
            rings = [part.exterior, *part.interiors] if part.geom_type == "Polygon" else [part]
            parts += [self._line(ring, part.geom_type == "Polygon") for ring in rings]
        return "".join(parts)

    def _line(self, line: BaseGeometry, is_closed: bool) -> str:
        spots = list(dict.fromkeys(self.at(x, y) for x, y in shapely.get_coordinates(line)))
        text = "L".join(f"{x} {y}" for x, y in spots)
        return f"M{text}{'Z' if is_closed else ''}"


def frame(book: Book) -> Frame:
    """Draw the ground: commune outlines where there are polygons, their points where not."""
    points = _commune_points(book)
    metric = None if book.communes is None else book.communes.to_crs(metric_crs())
    box = _box(points.values() if metric is None else metric.geometry)
    bare = Frame(box, {}, {}, ())
    places = {unit: bare.at(*_xy(point)) for unit, point in points.items()}
    outlines: dict[str, str] = {}
    if metric is not None and not metric.empty:
        thin = shapely.coverage_simplify(metric.geometry.to_numpy(), SIMPLIFY_M)
        outlines = dict(zip(metric["unit_id"], map(bare.path, thin), strict=True))
        for unit, shape in zip(metric["unit_id"], thin, strict=True):
            places[str(unit)] = bare.at(*_xy(shape.representative_point()))
    return Frame(box, dict(sorted(outlines.items())), places, tuple(_water(book, bare)))


def _commune_points(book: Book) -> dict[str, BaseGeometry]:
    rows = book.tables["communes"]
    told = rows[(rows["level"] == "commune") & (rows["longitude"] != "") & (rows["latitude"] != "")]
    points = [
        shapely.Point(float(x), float(y))
        for x, y in zip(told["longitude"], told["latitude"], strict=True)
    ]
    return dict(zip(told["unit_id"], shapes_to_metric(list(points)), strict=True)) if points else {}


def _box(shapes: Iterable[BaseGeometry]) -> Box:
    told = list(shapes) or shapes_to_metric([shapely.box(*here().bounds)])
    west, south, east, north = (float(value) for value in shapely.total_bounds(told))
    return west - EDGE_M, south - EDGE_M, east + EDGE_M, north + EDGE_M


def _water(book: Book, bare: Frame) -> Iterable[str]:
    """The long waterways, by which a reader finds the way; cut at the frame."""
    if book.waterways is None:
        return
    metric = book.waterways.to_crs(metric_crs()).geometry
    window = shapely.box(*bare.box)
    for line in sorted(metric[metric.length >= LONG_WATER_M], key=lambda one: one.wkb_hex):
        seen = line.simplify(SIMPLIFY_M).intersection(window)
        lines = [p for p in shapely.get_parts(seen) if p.geom_type == "LineString"]
        yield from (bare.path(one) for one in lines)


@dataclass(frozen=True)
class Locator:
    """One record on the ground: ``how`` is as `telling.drawn_as` names it, or ``unplaced``."""

    ground: Frame
    how: str
    own: tuple[str, ...]
    line: str = ""
    spot: tuple[int, int] | None = None
    reach: int = 0
    names: tuple[tuple[str, int, int], ...] = field(default=())


def locator(record: Record, ground: Frame, words: Words) -> Locator:
    """Place one record on the ground; what is only known roughly is drawn with its error."""
    units = record.communes or tuple(u for u in record.nodes if u.level == "commune")
    own = tuple(unit.unit_id for unit in units)
    level = re.compile(words("map.level_words"))
    names = _apart(
        (level.sub("", words.of(unit, "name")), *ground.points[unit.unit_id])
        for unit in units
        if unit.unit_id in ground.points
    )
    position = record.position
    if position is None or is_unplaced(position):
        return Locator(ground, "unplaced", own, names=names)
    (shape,) = shapes_to_metric([position.geometry])
    how = drawn_as(record)
    if shape.geom_type == "Point":
        reach = round(position.accuracy_m / UNIT_M) if how != "known" else 0
        return Locator(ground, how, own, "", ground.at(*_xy(shape)), reach, names)
    thin = shape.simplify(SIMPLIFY_M / 4)
    return Locator(ground, how, own, ground.path(thin), names=names)


def _apart(names: Iterable[tuple[str, int, int]]) -> tuple[tuple[str, int, int], ...]:
    """Move names down until none lies on another."""
    placed: list[tuple[str, int, int]] = []
    for name, x, y in sorted(names, key=lambda told: (told[2], told[0])):
        above = [at for _, beside, at in placed if abs(beside - x) < LABEL_WIDTH]
        placed.append((name, x, max([y, *(at + LABEL_HEIGHT for at in above)])))
    return tuple(placed)


def qr(address: str) -> Markup:
    """Return a QR code as SVG without inline style, dark on white in every colour scheme."""
    return Markup(drawn("QR code", "segno", _qr, address).decode())  # noqa: S704  (only its modules)


def _qr(address: str) -> bytes:
    code = segno.make(address, error=QR_ERROR, micro=False, mask=QR_MASK)
    told = code.svg_inline(
        scale=1, border=4, light="#fff", svgclass="qr", lineclass=None, omitsize=True
    )
    return told.encode()


@dataclass(frozen=True)
class Correction:
    """A report about one field of one record, ready to send or to copy."""

    name: str
    text: str
    href: str


def corrections(
    record: Record, book: Book, words: Words, address: Address
) -> tuple[Correction, ...]:
    """Return a prefilled report for the record, and one for each field it has."""
    page = address.page(words.lang, f"{record.table}/{record.subject_id}")
    told = []
    for name in _fields(record, words):
        subject = words("correct.subject", id=record.subject_id, field=name)
        text = words(
            "correct.body", id=record.subject_id, name=words.of(record, "name"), field=name,
            edition=book.edition, url=f"{page}?edition={book.edition}",
        )  # fmt: skip
        told.append(Correction(name, text, _mailto(address.contact, subject, text)))
    return tuple(told)


def _fields(record: Record, words: Words) -> list[str]:
    facts = [
        words.of(f, "name") + (f" ({phase_text(f.phase, words)})" if f.phase else "")
        for f in record.facts
    ]
    rest = ("stage", "promises", "money", "position", "documents")
    return [words("correct.any"), *facts, *(words(f"record.{name}") for name in rest)]


def _mailto(contact: str, subject: str, body: str) -> str:
    if not CONTACT.fullmatch(contact):
        return ""
    lines = body.replace("\n", "\r\n")
    told = f"subject={quote(subject, safe='')}&body={quote(lines, safe='')}"
    return f"mailto:{quote(contact, safe='@')}?{told}"
