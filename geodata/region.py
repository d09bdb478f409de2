"""The region: what ``region.toml`` says of the ground, the names, the zone and the clock.

All that tells one region from another is said there or in its sources; no code names a region.
"""

import functools
import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from geodata.errors import UsageError
from geodata.schema import Column

FILE = "region.toml"
REGION = Path(__file__).parent / FILE
"""The region that is built where no other is asked for."""

NAME_LENGTH = 80
TEXT_LENGTH = 2_000
ZONE_WIDTHS = {0.9999: 3, 0.9996: 6}
"""Degrees that a zone of transverse Mercator is wide, by the scale on its central meridian."""

SYSTEMS = {"WGS 84": "UTM"}
"""What a zone is called where it is not called by its datum."""

MINUTES = 60

Box = tuple[float, float, float, float]
WORLD: Box = (-180.0, -90.0, 180.0, 90.0)


class RegionError(UsageError):
    """A ``region.toml`` cannot be built from."""


def _name(text: str) -> str:
    """Refuse what would hide, turn around or fill in the texts that a name stands in."""
    if not text.isprintable() or set(text) & set("{}<>"):
        raise ValueError(f"found {text!r}; a name holds no control mark, brace or angle bracket")
    if text != text.strip() or not unicodedata.is_normalized("NFC", text):
        raise ValueError(f"found {text!r}; write a name in Unicode NFC, without spaces around it")
    return text


def _texts(told: Mapping[str, str]) -> Mapping[str, str]:
    for key, text in told.items():
        if not text.replace("\n", "").isprintable() or len(text) > TEXT_LENGTH or not text:
            raise ValueError(f"{key}: write a text of 1 to {TEXT_LENGTH} signs, no control mark")
    return told


def _clock(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(
            f"found {name!r}; name a zone of the IANA list, such as Asia/Ho_Chi_Minh"
        ) from error


def _ground(box: Box) -> Box:
    west, south, east, north = box
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise ValueError(f"found {list(box)}; write west, south, east, north in degrees, EPSG:4326")
    return box


def _span(years: tuple[int, int]) -> tuple[int, int]:
    if not 1900 <= years[0] <= years[1] <= 2200:
        raise ValueError(f"found {list(years)}; write the first and the last year, 1900 to 2200")
    return years


def _once(values: tuple[str, ...]) -> tuple[str, ...]:
    if not values or len(set(values)) < len(values):
        raise ValueError(f"found {list(values)}; name at least one, and each once")
    return values


Name = Annotated[str, Field(min_length=1, max_length=NAME_LENGTH), AfterValidator(_name)]
Texts = Annotated[Mapping[str, str], AfterValidator(_texts)]
Years = Annotated[tuple[int, int], AfterValidator(_span)]


@dataclass(frozen=True)
class Zone:
    """A zone of transverse Mercator in metres: its system, its width and its middle in degrees."""

    system: str
    width: int
    meridian: float

    @property
    def middle(self) -> str:
        """The central meridian as surveyors write it, such as 107°45'."""
        degrees, minutes = divmod(round(self.meridian * MINUTES), MINUTES)
        return f"{degrees}°{f'{minutes:02d}′' if minutes else ''}"


class Vocabulary(BaseModel):
    """What a region says in each language, by the dotted keys of ``site/words``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vi: Texts = Field(default_factory=dict)
    en: Texts = Field(default_factory=dict)


class Region(BaseModel):
    """One region as its ``region.toml`` tells it.

    ``region_id`` names files and feeds and never changes. ``name`` is the bare name, ``rank`` what
    kind of unit it is, ``area`` the ground as one says where something lies, ``lies_in`` what it
    is part of, the country last, ``clock`` how the time of ``time_zone`` is called. ``bounds``
    (EPSG:4326) hold every unit's point; ``crs`` is the zone in which the region is measured and its
    coordinates are told. ``years`` are those of the map's slider, ``plan_years`` those that plans
    split money by; a duty that names no first year begins with the first of them. ``money_units``
    are what an amount may be in, the usual unit first; ``languages`` stand in the order in which a
    reader is asked. ``vocabulary`` says what the site says otherwise than ``site/words``, and how
    it says what only its sources hold.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path
    region_id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)
    name_vi: Name
    name_en: Name
    rank_vi: Name
    rank_en: Name
    area_vi: Name
    area_en: Name
    lies_in: Annotated[tuple[Name, ...], AfterValidator(_once)]
    clock_vi: Name
    clock_en: Name
    bounds: Annotated[Box, AfterValidator(_ground)]
    crs: str
    time_zone: Annotated[str, AfterValidator(_clock)]
    languages: Annotated[tuple[Literal["vi", "en"], ...], AfterValidator(_once)]
    years: Years
    plan_years: Years
    money_units: Annotated[tuple[Name, ...], AfterValidator(_once)]
    sources: str
    vocabulary: Vocabulary = Field(default_factory=Vocabulary)

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        zone_of(self.crs, self.bounds)
        if len(self.languages) != 2:
            raise ValueError("languages: the site is whole in both; write vi and en, in your order")
        home = self.folder.resolve()
        if not self.sources_folder.resolve().is_relative_to(home):
            raise ValueError(f"sources: {self.sources!r} lies outside the region's folder")
        if not self.sources_folder.is_dir():
            raise ValueError(f"sources: there is no folder {self.sources!r} beside {FILE}; make it")
        return self

    @property
    def path(self) -> Path:
        """Its own file."""
        return self.folder / FILE

    @property
    def sources_folder(self) -> Path:
        """Where the folders of its sources lie."""
        return self.folder / self.sources

    @property
    def zone(self) -> Zone:
        """The zone in which it is measured."""
        return zone_of(self.crs, self.bounds)

    @property
    def atlas_id(self) -> str:
        """What its files, feeds and calendars are named by."""
        return f"{self.region_id}-atlas"

    @property
    def publisher(self) -> str:
        """Who speaks in what it publishes."""
        return f"{self.name_en} atlas"

    @property
    def place(self) -> str:
        """Its name and what it is part of."""
        return ", ".join((self.name_vi, *self.lies_in))

    @property
    def province(self) -> tuple[str, str]:
        """What it is or belongs to right below the country, and the country."""
        *_, province, country = (self.name_vi, *self.lies_in)
        return province, country

    @property
    def longitudes(self) -> tuple[float, float]:
        """Between which degrees its units lie, west to east."""
        return self.bounds[0], self.bounds[2]

    @property
    def latitudes(self) -> tuple[float, float]:
        """Between which degrees its units lie, south to north."""
        return self.bounds[1], self.bounds[3]

    def midnight(self, day: date) -> datetime:
        """Return when a day begins by its clock."""
        return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(self.time_zone))

    def local(self, column: Column) -> Column:
        """Return a column with the limits that the region sets, where it sets any."""
        if not column.local:
            return column
        limits = getattr(self, column.local)
        if column.kind == "text":
            return replace(column, enum=limits)
        return replace(column, minimum=limits[0], maximum=limits[1])

    def said(self, lang: str) -> Mapping[str, str]:
        """Return its vocabulary in a language, by dotted key."""
        return self.vocabulary.vi if lang == "vi" else self.vocabulary.en

    def forms(self, lang: str) -> dict[str, str]:
        """Return what the words of a language may name it by: ``{region.name}`` and the others."""
        zone, names = self.zone, ("name", "rank", "area", "clock")
        told = {name: str(getattr(self, f"{name}_{lang}")) for name in names}
        ranked = "{rank} {name}" if lang == "vi" else "{name} {rank}"
        return told | {
            "unit": ranked.format_map(told),
            "crs": self.crs,
            "system": zone.system,
            "width": f"{zone.width}°",
            "meridian": zone.middle,
        }


def zone_of(crs: str, bounds: Box) -> Zone:
    """Return the zone that a CRS is. ValueError where it cannot measure what lies in ``bounds``."""
    from pyproj import CRS  # heavy: only what builds or checks a region needs it
    from pyproj.exceptions import CRSError

    try:
        if not re.fullmatch(r"EPSG:\d{4,6}", crs):
            raise CRSError(crs)
        known = CRS.from_user_input(crs)
    except CRSError as error:
        raise ValueError(f"crs: found {crs!r}; name a system as EPSG:5897") from error
    if not known.is_projected or {axis.unit_name for axis in known.axis_info} != {"metre"}:
        raise ValueError(f"crs: {crs} ({known.name}) is not projected in metres; name one that is")
    way = known.coordinate_operation
    terms = {p.name: float(p.value) for p in way.params} if way else {}
    width = ZONE_WIDTHS.get(terms.get("Scale factor at natural origin", 0.0))
    if way is None or way.method_name != "Transverse Mercator" or width is None:
        raise ValueError(
            f"crs: {crs} ({known.name}) is no zone of 3° or 6° of transverse Mercator; name the "
            "region's zone of VN-2000 or UTM"
        )
    west, south, east, north = area = known.area_of_use.bounds if known.area_of_use else WORLD
    if not (west <= bounds[0] and south <= bounds[1] and bounds[2] <= east and bounds[3] <= north):
        raise ValueError(
            f"crs: {crs} ({known.name}) is for {list(area)}, the bounds are {list(bounds)}; name "
            "the zone that holds them"
        )
    datum = known.geodetic_crs.name if known.geodetic_crs else known.name
    return Zone(SYSTEMS.get(datum, datum), width, terms["Longitude of natural origin"])


def region_file(path: Path) -> Path:
    """Return the ``region.toml`` that a path means: the file, or the folder that holds it."""
    return path / FILE if path.is_dir() else path


def read_region(path: Path) -> Region:
    """Read a region from its folder or file; RegionError names every fault and the next move."""
    file = region_file(path)
    try:
        told = tomllib.loads(file.read_text(encoding="utf-8"))
        return Region(folder=file.parent, **told)
    except OSError as error:
        raise RegionError(
            f"{file} cannot be read ({error.strerror}); give a folder that holds a {FILE}"
        ) from error
    except ValidationError as error:
        faults = "; ".join(
            ": ".join([".".join(map(str, fault["loc"])), fault["msg"]]).removeprefix(": ")
            for fault in error.errors()
        )
        raise RegionError(f"{file}: {faults}; docs/regions.md says what it holds") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError) as error:
        raise RegionError(f"{file}: {error}; docs/regions.md says what it holds") from error


@functools.cache
def _project_region() -> Region:
    return read_region(REGION)


_HERE: ContextVar[Region] = ContextVar("region")


def here() -> Region:
    """Return the region that is being built; where none is, the project's own."""
    return _HERE.get(None) or _project_region()


@contextmanager
def within(region: Region) -> Iterator[None]:
    """Build one region: here and in no other thread, and until the end of the block."""
    before = _HERE.set(region)
    try:
        yield
    finally:
        _HERE.reset(before)
