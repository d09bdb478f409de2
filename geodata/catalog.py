"""The sources: one folder each, read into one object each. Adding a source takes no code."""

import re
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from geodata.errors import SourceError
from geodata.findings import Finding
from geodata.guard import parse_networks
from geodata.limits import MEGABYTE, Limits
from geodata.notation import Dates, Notation, Numbers
from geodata.schema import TABLE

SOURCES = Path(__file__).parent / "sources"
LAYERS = ("commune_boundaries", "waterways", "osm_features")
SECONDS = 600.0
ROWS = 100_000
"""How long one answer may take and how many rows a database may give, if no source.toml says."""

TABLE_FORMATS = ("csv", "xlsx")
OSM_FORMATS = ("overpass", "pbf")
PARTED = ("xlsx", "geopackage", "dxf")

CODECS = {
    "utf-8": "utf-8",
    "utf-8-sig": "utf-8-sig",
    "utf-16": "utf-16",
    "windows-1258": "cp1258",
}
"""The encodings that a source may declare, and what Python calls them."""

ENCODED = {
    "csv": tuple(CODECS),
    "shapefile": ("utf-8", "windows-1258"),
    "dxf": ("utf-8", "windows-1258"),
}
"""Which encodings a format may be in; the others are UTF-8 by their own rules."""

NO_FOLDER = Path()
"""Where a source of kind ``inbox`` lies: planners hand it in, nobody describes it."""

SOURCE_ID = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")
_HTTP_URL = TypeAdapter(HttpUrl)


def _address(url: str) -> str:
    """Refuse what no server could be asked for; an empty address is another rule's business."""
    if url and not (url.isascii() and url.isprintable() and " " not in url):
        raise ValueError("an address holds no space, control mark or letter beyond ASCII")
    if url and _HTTP_URL.validate_python(url).username is not None:
        raise ValueError("an address holds no user name or password: source.toml is public")
    return url


def _networks(names: tuple[str, ...]) -> tuple[str, ...]:
    parse_networks(names)
    return names


Address = Annotated[str, AfterValidator(_address)]


class RemoteFile(BaseModel):
    """One file of a remote source: its address and, where it is pinned, its checksum."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Address = Field(pattern=r"^https?://")
    sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    bytes: int = Field(default=20 * MEGABYTE, gt=0)
    seconds: float = Field(default=SECONDS, gt=0)


class Source(BaseModel):
    """One source as its ``source.toml`` tells it.

    ``as_of`` is the day the data speaks of, ``retrieved_on`` the day it was taken. Exactly one
    of ``table`` and ``layer`` says what its rows become. ``bytes`` and ``seconds`` limit the
    answer to a query, as those of each file do for a file. ``allowed_networks`` names networks
    (CIDR) that are not public and from which it may come all the same. A ``postgis`` source
    names its ``connection`` by a variable of the environment, and its ``geometry`` where it is
    read as geojson. ``part`` names the sheet of a workbook or the layer of a file that holds
    several; ``bbox`` is the part of an extract that is read, in degrees. ``columns``
    gives our name for each of theirs, "" for one that is left out; ``values`` holds what every
    row shares and the file does not say.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source_id: str
    folder: Path
    title_vi: str
    title_en: str
    publisher: str
    licence: str
    licence_url: str = ""
    attribution_vi: str = ""
    attribution_en: str = ""
    kind: Literal["file", "url", "overpass", "postgis", "inbox"]
    table: str = ""
    layer: str = ""
    format: Literal[
        "csv",
        "xlsx",
        "geojson",
        "geopackage",
        "kml",
        "kmz",
        "shapefile",
        "geoparquet",
        "flatgeobuf",
        "dxf",
        "overpass",
        "pbf",
    ]
    as_of: date
    retrieved_on: date
    file: str = Field(default="", pattern=r"^[^/\\\x00-\x1f]*$")
    sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    key: str | tuple[str, ...]
    encoding: Literal["utf-8", "utf-8-sig", "utf-16", "windows-1258"] = "utf-8"
    delimiter: Literal[",", ";", "\t"] = ","
    numbers: Numbers = "plain"
    dates: Dates = "iso"
    part: str = ""
    crs: str = ""
    bbox: tuple[float, float, float, float] | None = None
    limits: Limits = Field(default_factory=Limits)
    optional: bool = False
    may_shrink_pct: float | None = Field(default=None, ge=0, le=100)
    files: tuple[RemoteFile, ...] = ()
    endpoint: Address = ""
    query_name: str = Field(default="", pattern=r"^[a-z0-9_]*$")
    query: str = ""
    bytes: int = Field(default=50 * MEGABYTE, gt=0)
    seconds: float = Field(default=SECONDS, gt=0)
    rows: int = Field(default=ROWS, gt=0)
    connection: str = Field(default="", pattern=r"^([A-Z][A-Z0-9_]*)?$")
    relation: str = Field(default="", pattern=r"^([^\W\d]\w{0,62}(\.[^\W\d]\w{0,62})?)?$")
    geometry: str = Field(default="", pattern=r"^([^\W\d]\w{0,62})?$")
    allowed_networks: Annotated[tuple[str, ...], AfterValidator(_networks)] = ()
    note_vi: str = ""
    note_en: str = ""
    columns: Mapping[str, str] = Field(default_factory=dict)
    values: Mapping[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        faults = [message for is_broken, message in self._faults() if is_broken]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _faults(self) -> tuple[tuple[bool, str], ...]:
        table = TABLE.get(self.table)
        key = (self.key,) if isinstance(self.key, str) else self.key
        needed = {
            "file": self.file,
            "url": self.files,
            "overpass": self.endpoint and self.query and self.query_name,
            "inbox": self.folder == NO_FOLDER,
            "postgis": self.connection
            and self.relation
            and bool(self.geometry) == (self.format == "geojson"),
        }
        return (
            (bool(self.table) == bool(self.layer), "give exactly one of table and layer"),
            (
                bool(self.table) and table is None,
                f"table {self.table!r} is not in geodata/schema.py",
            ),
            (
                bool(self.layer) and self.layer not in LAYERS,
                f"layer {self.layer!r} is none of {', '.join(LAYERS)}",
            ),
            (
                not needed[self.kind],
                f"a source of kind {self.kind} needs its {self.kind} settings",
            ),
            (self.kind == "file" and not self.sha256, "a file in the folder needs its sha256"),
            (
                (self.format in OSM_FORMATS and bool(self.table))
                or (self.format in TABLE_FORMATS and bool(self.layer)),
                "a table is read from csv, xlsx or a format of layers, a layer not from these two",
            ),
            (
                self.encoding not in ENCODED.get(self.format, ("utf-8",)),
                f"{self.format} is never in {self.encoding}",
            ),
            (self.delimiter != "," and self.format != "csv", "only csv has a delimiter"),
            (self.format == "xlsx" and not self.part, "xlsx needs the sheet's name as part"),
            (bool(self.part) and self.format not in PARTED, f"{self.format} has no parts"),
            (
                (self.kind == "overpass") != (self.format == "overpass"),
                "kind overpass and format overpass go together",
            ),
            (
                (self.format == "pbf") != (self.bbox is not None),
                "an extract (pbf) is read within its bbox: west, south, east, north",
            ),
            (bool(self.table) and len(self.files) > 1, "a table is read from one file"),
            (
                table is not None and key != table.key,
                f"the key of {self.table} is {', '.join(table.key) if table else ''}",
            ),
        )

    @property
    def notation(self) -> Notation:
        """How its numbers and dates are written."""
        return Notation(self.numbers, self.dates)

    @property
    def is_remote(self) -> bool:
        """Whether somebody else is asked for it at every run."""
        return self.kind in ("url", "overpass", "postgis")

    @property
    def path(self) -> Path:
        """Where the file of a ``file`` source lies."""
        return self.folder / self.file

    @property
    def file_name(self) -> str:
        """The name of its file, wherever it lies."""
        remote = urlsplit(self.files[0].url).path.rpartition("/")[2] if self.files else ""
        return self.file or remote or self.source_id

    @property
    def corrections(self) -> Path:
        """Where its corrections are declared, whether or not there are any."""
        return self.folder / "corrections.toml"


def read_source(folder: Path) -> Source:
    """Read one source folder; SourceError names what is wrong in its ``source.toml``."""
    rule = "source_is_described"
    if not SOURCE_ID.fullmatch(folder.name):
        raise SourceError(folder.name, rule, "the folder's name is not a source id (a-z, 0-9, _)")
    try:
        told = tomllib.loads((folder / "source.toml").read_text(encoding="utf-8"))
        return Source(source_id=folder.name, folder=folder, **told)
    except OSError as error:
        message = "has no source.toml that can be read; write one or remove the folder"
        raise SourceError(folder.name, rule, message) from error
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or 'source'}: {fault['msg']}"
            for fault in error.errors()
        )
        raise SourceError(folder.name, rule, f"source.toml: {faults}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError) as error:
        raise SourceError(folder.name, rule, f"source.toml: {error}") from error


def load_catalog(sources: Path = SOURCES) -> tuple[dict[str, Source], list[Finding]]:
    """Read every source folder, by id, in order; a folder that cannot be read is a finding."""
    catalog: dict[str, Source] = {}
    findings = []
    for folder in sorted(p for p in sources.iterdir() if p.is_dir() and p.name[0] not in "._"):
        try:
            catalog[folder.name] = read_source(folder)
        except SourceError as error:
            findings.append(error.finding())
    return catalog, findings
