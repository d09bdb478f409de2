"""Tables in files, read when they are asked for: what is large is never held for later."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

HELD_ROWS = 10_000
"""A table of more rows is read anew each time."""


class Frames(Mapping[str, pd.DataFrame]):
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
        frame = pd.read_parquet(self._elsewhere.get(name, self._folder / f"{name}.parquet"))
        if len(frame) <= HELD_ROWS:
            self._held[name] = frame
        return frame

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter(self._names)

    def __len__(self) -> int:
        """Count the tables."""
        return len(self._names)

    def put(self, name: str, frame: pd.DataFrame) -> None:
        """Write a table of that name."""
        self._folder.mkdir(parents=True, exist_ok=True)
        frame.to_parquet(self._folder / f"{name}.parquet", index=False)
        self._held.pop(name, None)
        self._names = list(dict.fromkeys([*self._names, name]))
