"""The sheets of a run table by table, and what is left of them without the rows refused."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from geodata.cells import Truths, chosen
from geodata.frames import InParts
from geodata.read import Sheet
from geodata.schema import TABLE, TABLES

Lines = set[tuple[str, int]]
"""Rows by their source and their line in its file."""


class Stack:
    """The sheets of a run by table; rows that are not held are read part by part or by column."""

    def __init__(self, sheets: Sequence[Sheet]) -> None:
        self._sheets: dict[str, list[Sheet]] = {table.name: [] for table in TABLES}
        for sheet in sheets:
            self._sheets[sheet.source.table].append(sheet)
        self._whole: dict[str, pd.DataFrame] = {}

    def parts(self, name: str) -> Iterator[pd.DataFrame]:
        """Go through the rows of a table, with ``source_id`` and ``line``; one part at least."""
        if self._is_held(name):
            yield self._held(name)
            return
        for sheet in self._sheets[name]:
            for part in sheet.parts():
                yield _told(sheet, part)[_columns_of(name)]

    def columns(self, name: str, names: Sequence[str]) -> pd.DataFrame:
        """Return columns of all rows, with the key, ``source_id`` and ``line``; all, where held."""
        if self._is_held(name):
            return self._held(name)
        wanted = list(dict.fromkeys([*TABLE[name].key, *names]))
        told = [_told(sheet, sheet.columns(wanted)) for sheet in self._sheets[name]]
        return pd.concat(told, ignore_index=True)

    def _is_held(self, name: str) -> bool:
        return all(isinstance(sheet.held, pd.DataFrame) for sheet in self._sheets[name])

    def _held(self, name: str) -> pd.DataFrame:
        if name not in self._whole:
            columns = _columns_of(name)
            parts = [_told(sheet, sheet.rows) for sheet in self._sheets[name]]
            self._whole[name] = (
                pd.concat(parts, ignore_index=True)[columns]
                if parts
                else pd.DataFrame({c: pd.Series(dtype="str") for c in columns}).astype(
                    {"line": "int64"}
                )
            )
        return self._whole[name]


def _told(sheet: Sheet, rows: pd.DataFrame) -> pd.DataFrame:
    return rows.reset_index().assign(source_id=sheet.source.source_id)


def _columns_of(name: str) -> list[str]:
    return [*TABLE[name].column_names, "source_id", "line"]


class Accepted(InParts):
    """The tables without the rows that were refused."""

    def __init__(self, stack: Stack, refused: Lines) -> None:
        self._stack, self._refused = stack, refused

    def parts(self, name: str) -> Iterator[pd.DataFrame]:
        """Go through the rows of a table in parts that can be held."""
        return (without(part, self._refused) for part in self._stack.parts(name))

    def __getitem__(self, name: str) -> pd.DataFrame:
        """Return a whole table."""
        return pd.concat(self.parts(name))

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return (table.name for table in TABLES)

    def __len__(self) -> int:
        """Count the tables."""
        return len(TABLES)


def without(rows: pd.DataFrame, refused: Lines) -> pd.DataFrame:
    """Return the rows that are not refused."""
    return chosen(rows, ~is_refused(rows, refused)) if refused else rows


def is_refused(rows: pd.DataFrame, refused: Lines) -> Truths:
    """Tell of each row, with its ``source_id`` and ``line``, whether it is refused."""
    told = np.zeros(len(rows), dtype=bool)
    lines_of: dict[str, list[int]] = {}
    for source_id, line in refused:
        lines_of.setdefault(source_id, []).append(line)
    for source_id, lines in lines_of.items():
        told |= ((rows["source_id"] == source_id) & rows["line"].isin(lines)).to_numpy()
    return told
