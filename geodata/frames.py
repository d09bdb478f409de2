"""Tables in files: read when they are asked for, written part by part, held only where small."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

HELD_ROWS, HELD_BYTES = 10_000, 64_000_000
"""A table of more is read anew each time."""

GZIP_LEVEL = 6
"""Arrow's own is 9: four times as slow, and no smaller by a thousandth on outlines."""


@dataclass(frozen=True)
class RowFile:
    """The rows of a Parquet file: one group of them after the other, each time it is asked."""

    path: Path

    def __iter__(self) -> Iterator[pd.DataFrame]:
        """Read the groups."""
        with pq.ParquetFile(self.path) as file:
            for number in range(file.num_row_groups):
                yield file.read_row_group(number).to_pandas()


class InParts(Mapping[str, pd.DataFrame]):
    """Tables by name of which large ones can be gone through without being held."""

    @abstractmethod
    def parts(self, name: str) -> Iterator[pd.DataFrame]:
        """Go through the rows of a table in their order; one part at least."""

    def __contains__(self, name: object) -> bool:
        """Tell whether there is such a table; it is not read for it."""
        return any(name == one for one in self)

    def count(self, name: str) -> int:
        """Return how many rows a table has."""
        return sum(map(len, self.parts(name)))


def parts_of(tables: Mapping[str, pd.DataFrame], name: str) -> Iterator[pd.DataFrame]:
    """Go through the rows of a table: in parts where the tables can, else as one."""
    return tables.parts(name) if isinstance(tables, InParts) else iter([tables[name]])


def count_of(tables: Mapping[str, pd.DataFrame], name: str) -> int:
    """Return how many rows a table has, without holding it where the tables can."""
    return tables.count(name) if isinstance(tables, InParts) else len(tables[name])


class Frames(InParts):
    """Tables of a folder by name, as Parquet files; small ones are read once.

    ``elsewhere`` names the files of those that lie in another place.
    """

    def __init__(
        self, folder: Path, *names: str, elsewhere: Mapping[str, Path] | None = None
    ) -> None:
        self._folder, self._names = folder, list(names)
        self._elsewhere = dict(elsewhere or {})
        self._held: dict[str, pd.DataFrame] = {}

    def __getitem__(self, name: str) -> pd.DataFrame:
        """Return one table; KeyError where there is none such."""
        if name not in self._names:
            raise KeyError(name)
        if name in self._held:
            return self._held[name]
        with pq.ParquetFile(self._path(name)) as file:
            frame: pd.DataFrame = file.read().to_pandas()
            if not _is_large(file.metadata):
                self._held[name] = frame
        return frame

    def parts(self, name: str) -> Iterator[pd.DataFrame]:
        """Read one group of rows after the other."""
        return iter(RowFile(self._path(name)))

    def columns(self, name: str, names: Sequence[str]) -> pd.DataFrame:
        """Read some columns of a table."""
        return pd.read_parquet(self._path(name), columns=list(names))

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter(self._names)

    def __len__(self) -> int:
        """Count the tables."""
        return len(self._names)

    def __setitem__(self, name: str, frame: pd.DataFrame) -> None:
        """Write a table of that name."""
        self._folder.mkdir(parents=True, exist_ok=True)
        frame.to_parquet(self._path(name), index=False)
        self._held.pop(name, None)
        self._names = list(dict.fromkeys([*self._names, name]))

    def count(self, name: str) -> int:
        """Return how many rows a table has; it is not read for it."""
        return int(pq.read_metadata(self._path(name)).num_rows)

    def is_large(self, name: str) -> bool:
        """Tell whether a table is too large to be held; it is not read for it."""
        return _is_large(pq.read_metadata(self._path(name)))

    def _path(self, name: str) -> Path:
        return self._elsewhere.get(name, self._folder / f"{name}.parquet")


def _is_large(told: pq.FileMetaData) -> bool:
    size = sum(told.row_group(at).total_byte_size for at in range(told.num_row_groups))
    return bool(told.num_rows > HELD_ROWS or size > HELD_BYTES)


class PartWriter:
    """Writes a Parquet file of parts of the same columns; each is a group of rows."""

    def __init__(self, path: Path, compression: Literal["gzip", "snappy"] = "snappy") -> None:
        self._path, self._compression = path, compression
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer:
            self._writer.close()

    def add(self, part: pa.Table) -> None:
        """Write one part."""
        self._writer = self._writer or pq.ParquetWriter(
            self._path,
            part.schema,
            compression=self._compression,
            compression_level=GZIP_LEVEL if self._compression == "gzip" else None,
        )
        self._writer.write_table(part)

    def add_frame(self, part: pd.DataFrame) -> None:
        """Write one part without its index."""
        self.add(pa.Table.from_pandas(part, preserve_index=False))

    def describe(self, told: Mapping[str, str]) -> None:
        """Say something of the file as a whole, where it has a part."""
        if self._writer:
            self._writer.add_key_value_metadata(dict(told))
