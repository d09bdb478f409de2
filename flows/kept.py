"""What was made of one source or of one part of a step, kept by what it was made of.

Each lies in a folder of its own that this run or the last one used. All of it can be made anew,
by any process that sees the folder and by several at once; what is damaged counts as absent.
"""

import dataclasses
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from atlas.editions import code_digest
from flows.order import LOCK, PROJECT, Order
from flows.work import write_json
from geodata.archive import Stored, sha256_of, sha256_of_file
from geodata.catalog import Source
from geodata.crs import read_features
from geodata.features import CheckedLayer
from geodata.findings import Finding
from geodata.frames import PartWriter
from geodata.ledger import Change
from geodata.read import FileRows, Layer, Sheet

TOLD, ROWS, SHAPES, REFUSED = "told.json", "rows.parquet", "shapes.parquet", "refused.parquet"
NEW = ".new"

AloneChecked = tuple[Sheet, tuple[Finding, ...]]
"""A sheet, and what its cells alone are found to break."""


def code_of(order: Order, *packages: str) -> str:
    """Return the checksum of packages of ours, of the libraries and of what the region says."""
    return code_digest([PROJECT / package for package in packages], LOCK, order.region)


@dataclass
class Kept:
    """The folder of what is kept; ``code`` is the checksum of the code that makes it."""

    folder: Path
    code: str
    used: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, order: Order, name: str, *packages: str) -> Self:
        """Return the folder of this name below ``var``, of what these packages make."""
        return cls(order.var / name, code_of(order, *packages))

    def key(self, source: Source, files: Sequence[Stored]) -> str:
        """Return the checksum of all that reading a source depends on, and note its use."""
        path = source.corrections
        corrected = sha256_of_file(path) if path.is_file() else ""
        return self.key_of(source.model_dump_json(), [f.sha256 for f in files], corrected)

    def key_of(self, *told: object) -> str:
        """Return the checksum of what something depends on beside the code, and note its use."""
        key = sha256_of(json.dumps([*told, self.code]).encode())
        self.used.add(key)
        return key

    def has(self, key: str) -> bool:
        """Tell whether something is kept under a key."""
        return (self.folder / key / TOLD).is_file()

    def sheet(self, key: str, source: Source) -> AloneChecked | None:
        """Return a kept sheet; None where there is none that can be read."""
        with suppress(OSError, ValueError, LookupError, TypeError, pa.ArrowException):
            told = self._told(key)
            path = self.folder / key / ROWS
            is_large = pq.read_metadata(path).num_row_groups > 1
            rows = FileRows(path) if is_large else pd.read_parquet(path).set_index("line")
            findings = tuple(Finding(*one) for one in told["findings"])
            alone = tuple(Finding(*one) for one in told["alone"])
            return Sheet(source, rows, int(told["rows_in_file"]), findings), alone
        return None

    def keep_sheet(self, key: str, parts: Iterable[tuple[Sheet, Sequence[Finding]]]) -> None:
        """Keep the parts of a sheet, each with the findings of its cells, one after the other."""
        count, findings, alone = 0, dict[Finding, None](), list[Finding]()
        with self._new(key) as folder:
            with PartWriter(folder / ROWS) as writer:
                for part, found in parts:
                    count += part.rows_in_file
                    findings |= dict.fromkeys(part.findings)
                    alone += found
                    writer.add_frame(part.rows.reset_index())
            told = {
                "rows_in_file": count,
                "findings": [dataclasses.astuple(f) for f in findings],
                "alone": [dataclasses.astuple(f) for f in alone],
            }
            write_json(folder / TOLD, told)

    def layer(self, key: str, source: Source) -> CheckedLayer | None:
        """Return a kept layer; None where there is none that can be read."""
        with suppress(OSError, ValueError, LookupError, TypeError, pa.ArrowException):
            told = self._told(key)
            features = read_features(self.folder / key / SHAPES)
            findings = tuple(Finding(*one) for one in told["findings"])
            refused = pd.read_parquet(self.folder / key / REFUSED)
            layer = Layer(source, features, findings)
            return CheckedLayer(layer, refused, Change(**told["change"]))
        return None

    def keep_layer(self, key: str, checked: CheckedLayer) -> None:
        """Keep a checked layer."""
        told = {
            "findings": [dataclasses.astuple(f) for f in checked.layer.findings],
            "change": dataclasses.asdict(checked.change),
        }
        frames = {SHAPES: checked.layer.features, REFUSED: checked.quarantine.astype("str")}
        self._keep(key, told, frames)

    def frame(self, key: str) -> pd.DataFrame | None:
        """Return a kept frame; None where there is none that can be read."""
        with suppress(OSError, ValueError, pa.ArrowException):
            self._told(key)
            return pd.read_parquet(self.folder / key / ROWS)
        return None

    def keep_frame(self, key: str, frame: pd.DataFrame) -> None:
        """Keep a frame."""
        self._keep(key, {}, {ROWS: frame})

    def forget_unused(self) -> None:
        """Remove what this run did not ask for."""
        for path in self.folder.glob("*"):
            if path.name not in self.used:
                shutil.rmtree(path, ignore_errors=True)

    def _told(self, key: str) -> dict[str, Any]:
        return dict(json.loads((self.folder / key / TOLD).read_text(encoding="utf-8")))

    def _keep(
        self, key: str, told: Mapping[str, object], frames: Mapping[str, pd.DataFrame]
    ) -> None:
        with self._new(key) as folder:
            for name, frame in frames.items():
                frame.to_parquet(folder / name, index=False)
            write_json(folder / TOLD, told)

    @contextmanager
    def _new(self, key: str) -> Iterator[Path]:
        """Yield a folder that is kept under a key when all of it is written."""
        new = self.folder / f"{key}.{uuid4().hex}{NEW}"
        new.mkdir(parents=True)
        try:
            yield new
            shutil.rmtree(self.folder / key, ignore_errors=True)
            with suppress(OSError):  # another process was quicker, with the very same
                new.rename(self.folder / key)
        finally:
            shutil.rmtree(new, ignore_errors=True)
