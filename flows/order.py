"""What one refresh is asked to do, and where its files lie on the way."""

from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict

PROJECT = Path(__file__).resolve().parents[1]


class Order(BaseModel):
    """One refresh: where it publishes, what it reads, and the day it speaks of.

    Below ``root`` lie ``public``, ``editions`` and ``var`` (archive, work files, Prefect's
    home). ``as_of`` is never the clock: without it, the newest day on which a source was taken.
    """

    model_config = ConfigDict(frozen=True)

    root: Path
    sources: Path = PROJECT / "geodata" / "sources"
    site: Path = PROJECT / "site"
    as_of: date | None = None
    mirror: Path | None = None
    online: bool = True
    only: tuple[str, ...] = ()
    site_url: str = "http://127.0.0.1:8000/"

    @property
    def archive(self) -> Path:
        """The append-only archive of everything accepted."""
        return self.root / "var" / "archive"

    @property
    def work(self) -> Path:
        """Where the steps leave their results for the next one; made anew each run."""
        return self.root / "var" / "work"
