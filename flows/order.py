"""What one refresh is asked to do, where its files lie on the way, and what it did."""

import functools
import logging
import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Concatenate, Literal, ParamSpec, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ByteSize, ConfigDict, Field

from atlas.editions import BLOCK_BYTES, TILE_OVER
from flows.memory import Watch, half_of_machine
from geodata.region import REGION, here, read_region, region_file, within

log = logging.getLogger("atlas.run")

PROJECT = Path(__file__).resolve().parents[1]
LOCK = PROJECT / "requirements.lock"

CLUSTER_ADDRESS = r"(tcp|tls)://[^\s/]+:\d+"
PART_ROWS = 20_000
PART_BYTES = 10_000_000
"""So many places are one part of a search, and a source of so many bytes is a part of the check:
some seconds of work, where to start a reader and to tell Prefect take one and a half."""

LEAST_MEMORY = 500_000_000
"""Less than this the libraries alone take."""

MEMORY_OF_BLOCK = 32
"""Tiles are made of so small a part of the memory at once: the tiler takes six times as much."""

P = ParamSpec("P")
R = TypeVar("R")


def today() -> date:
    """Return the day it is in the region that is being built."""
    return datetime.now(ZoneInfo(here().time_zone)).date()


def _sources_of(told: dict[str, Any]) -> Path:
    return read_region(told["region"]).sources_folder


class Order(BaseModel):
    """One refresh: where it publishes, what it reads, and the day it speaks of.

    Below ``root`` lie ``public``, ``editions`` and ``var`` (archive, work files, Prefect's
    home). ``as_of`` is never the clock: without it, the newest day on which a source was taken.
    ``region`` is the file that says what tells its region from others; without ``sources`` they
    are those that it names. ``contact`` takes corrections by mail; without it none is invented.
    ``hindsight`` asks for all that is known now about a past day. ``looks_back`` ("then" or
    "now"), ``rebuilds`` (an edition) and ``home`` (the root whose archive is read) are set by
    `flows.past`. ``wait_s``: how many seconds it waits for its turn, None for without end.
    ``publish_to``: targets beside the root.
    ``tile_over``: a layer with more features is published as vector tiles. ``cluster``: the
    address of a Dask scheduler whose workers help, in parts of ``part_rows`` places or with
    sources of ``part_bytes`` and more. ``memory``: so many bytes a run should take, all its
    processes together. None of the four changes a byte of the edition.
    """

    model_config = ConfigDict(frozen=True)

    root: Path
    region: Annotated[Path, AfterValidator(region_file)] = REGION
    sources: Path = Field(default_factory=_sources_of)
    site: Path = PROJECT / "site"
    as_of: date | None = None
    mirror: Path | None = None
    online: bool = True
    only: tuple[str, ...] = ()
    inbox: Path | None = None
    site_url: str = "http://127.0.0.1:8000/"
    contact: str = Field(default="", pattern=r"^([^\s@<>\"'?&]+@[^\s@<>\"'?&]+)?$")

    hindsight: bool = False
    looks_back: Literal["", "then", "now"] = ""
    rebuilds: str = ""
    home: Path | None = None
    tile_over: int = Field(default=TILE_OVER, ge=1)
    publish_to: tuple[str, ...] = ()
    wait_s: float | None = 0
    cluster: str = Field(default="", pattern=rf"^({CLUSTER_ADDRESS})?$")
    memory: Annotated[ByteSize, Field(ge=LEAST_MEMORY)] = Field(
        default_factory=lambda: ByteSize(half_of_machine())
    )
    part_rows: int = Field(default=PART_ROWS, ge=1)
    part_bytes: int = Field(default=PART_BYTES, ge=0)

    @property
    def block_bytes(self) -> int:
        """So many bytes of shapes are made into tiles at once."""
        return min(BLOCK_BYTES, self.memory // MEMORY_OF_BLOCK)

    @property
    def var(self) -> Path:
        """What runs write for themselves; everything but the archive can be made anew."""
        return self.root / "var"

    @property
    def archive(self) -> Path:
        """The append-only archive of everything accepted."""
        return (self.home or self.root) / "var" / "archive"

    @property
    def inbox_folder(self) -> Path:
        """Where planners drop their workbooks; without ``inbox``, a folder below ``root``."""
        return self.inbox or self.root / "var" / "inbox"

    @property
    def work(self) -> Path:
        """Where the steps leave their results for the next one, and for the next night."""
        return self.var / "work"

    def _told(self, name: str) -> str | None:
        """Return a setting that is not the usual one, as an option says it."""
        value = getattr(self, name)
        return None if value == type(self).model_fields[name].default else str(value)

    def command(self, accept: tuple[str, ...] = ()) -> str:
        """Return the command that asks for this refresh again, with these things accepted."""
        told_by_region = _sources_of({"region": self.region})
        told = {
            "--out": self.root,
            "--region": self.region if self.region != REGION else None,
            "--sources": self.sources if self.sources != told_by_region else None,
            "--mirror": self.mirror,
            "--inbox": self.inbox,
            "--as-of": self.as_of,
            "--site-url": self._told("site_url"),
            "--contact": self.contact or None,
            "--tile-over": self._told("tile_over"),
            "--memory": str(self.memory) if "memory" in self.model_fields_set else None,
            "--cluster": self.cluster,
        }
        options = [part for name, value in told.items() if value for part in (name, str(value))]
        flags = {
            "--offline": not self.online,
            "--hindsight": self.hindsight,
        }
        options += [name for name, is_set in flags.items() if is_set]
        options += [part for to in self.publish_to for part in ("--publish-to", to)]
        options += [part for name in self.only for part in ("--only", name)]
        options += [part for name in dict.fromkeys(accept) for part in ("--accept", name)]
        return shlex.join(["atlas", "refresh", *options])


def in_region(step: Callable[Concatenate[Order, P], R]) -> Callable[Concatenate[Order, P], R]:
    """Do a step within the region of its order, in whatever thread or process it is done."""

    @functools.wraps(step)
    def done(order: Order, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with within(read_region(order.region)):
            return step(order, *args, **kwargs)

    return done


@dataclass
class Report:
    """What one run did; becomes ``status.json`` and the run's artifact."""

    run_id: str = ""
    state: str = "failed"
    why: str = ""
    edition: str = ""
    as_of: date | None = None
    notes: list[str] = field(default_factory=list)
    pages: int = 0
    accepted: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    megabytes: dict[str, int] = field(default_factory=dict)
    watch: Watch | None = None

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Time one step and say when it ends."""
        begun = time.perf_counter()
        log.info("%s …", step)
        yield
        self.seconds[step] = round(time.perf_counter() - begun, 3)
        log.info("%s: %.1f s", step, self.seconds[step])
