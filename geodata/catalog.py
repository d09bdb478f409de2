"""The sources: one folder each, read into one object each. Adding a source takes no code."""

import re
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from geodata.errors import SourceError
from geodata.findings import Finding
from geodata.schema import TABLE

SOURCES = Path(__file__).parent / "sources"
LAYERS = ("commune_boundaries", "waterways")
MEGABYTE = 1_000_000
SOURCE_ID = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")


class RemoteFile(BaseModel):
    """One file of a remote source: its address and, where it is pinned, its checksum."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(pattern=r"^https?://")
    sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    bytes: int = Field(default=20 * MEGABYTE, gt=0)


class Source(BaseModel):
    """One source as its ``source.toml`` tells it.

    ``as_of`` is the day the data speaks of, ``retrieved_on`` the day it was taken. Exactly one
    of ``table`` and ``layer`` says what its rows become.
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
    kind: Literal["file", "url", "overpass"]
    table: str = ""
    layer: str = ""
    format: Literal["csv", "geojson", "overpass"]
    as_of: date
    retrieved_on: date
    file: str = ""
    sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    key: str | tuple[str, ...]
    encoding: Literal["utf-8", "utf-8-sig"] = "utf-8"
    crs: str = ""
    optional: bool = False
    files: tuple[RemoteFile, ...] = ()
    endpoint: str = ""
    query_name: str = ""
    query: str = ""
    note_vi: str = ""
    note_en: str = ""
    columns: Mapping[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if bool(self.table) == bool(self.layer):
            raise ValueError("give exactly one of table and layer")
        if self.table and self.table not in TABLE:
            raise ValueError(f"table {self.table!r} is not in geodata/schema.py")
        if self.layer and self.layer not in LAYERS:
            raise ValueError(f"layer {self.layer!r} is none of {', '.join(LAYERS)}")
        needed = {"file": self.file, "url": self.files, "overpass": self.endpoint and self.query}
        if not needed[self.kind]:
            raise ValueError(f"a source of kind {self.kind} needs its {self.kind} settings")
        if self.kind == "file" and not self.sha256:
            raise ValueError("a file in the folder needs its sha256")
        return self

    @property
    def path(self) -> Path:
        """Where the file of a ``file`` source lies."""
        return self.folder / self.file

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
    except FileNotFoundError as error:
        message = "has no source.toml; write one or remove the folder"
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
