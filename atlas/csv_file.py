"""Tables as CSV: plain, and as an Excel set to Vietnamese opens it.

Cells are written a column at a time: the few that need it are looked for, and only those changed.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import IO

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from atlas.compare import FORMULA_STARTS
from atlas.formats import NUMBER_KINDS, VALUE_COLUMNS, is_number_cell
from atlas.metadata import FRICTIONLESS_TYPE
from geodata.schema import Column

WRITTEN_ROWS = 20_000
"""Rows that are in memory as they are written."""

FORMULA = "^'*(" + "|".join(map(re.escape, FORMULA_STARTS)) + ")"
TEXT = pa.large_string()


@dataclass(frozen=True)
class Writer:
    """How the cells of a column are written: as they are, but where ``sought`` is found.

    Those cells, an RE2 pattern finds them, are what ``write`` makes of them.
    """

    sought: str
    write: Callable[[str], str]

    def written(self, cells: "pd.Series[str]") -> pa.LargeStringArray:
        """Return each cell as it is written; equal cells are changed once."""
        told = pa.array(cells.astype("str"), TEXT)  # in chunks or not, as pandas holds them
        texts = told.combine_chunks() if isinstance(told, pa.ChunkedArray) else told
        is_found = pc.match_substring_regex(texts, self.sought)
        if not pc.any(is_found).as_py():
            return texts
        found = texts.filter(is_found).dictionary_encode()
        changed = pa.array(map(self.write, found.dictionary.to_pylist()), TEXT)
        return pc.replace_with_mask(texts, is_found, changed.take(found.indices))


def write_csv(parts: Iterable[pd.DataFrame], path: Path, columns: Iterable[Column]) -> None:
    """Write a table as UTF-8 CSV; a text cell that a spreadsheet would run gets a ``'``.

    It comes in parts, one at least; no cell is missing. Cells of numeric columns stay as they are.
    A lone carriage return is quoted too, which Python's own writer leaves bare, so that no reader
    takes it for the end of a row.
    """
    numeric = {c.name for c in columns if c.kind in FRICTIONLESS_TYPE or c.kind == "date"}
    plain = Writer('[",\r\n]', _csv_cell)
    guarded = Writer(f"{plain.sought}|{FORMULA}", lambda cell: _csv_cell(guard_cell(cell)))
    with path.open("wb") as file:
        for place, table in enumerate(parts):
            if place == 0:
                file.write(f"{','.join(_csv_cell(str(name)) for name in table.columns)}\n".encode())
            writers = [plain if name in numeric else guarded for name in table.columns]
            _write_rows(file, table, writers, ",", "\n")


def write_vietnamese_csv(
    parts: Iterable[pd.DataFrame], path: Path, columns: Iterable[Column]
) -> None:
    """Write a table as an Excel set to Vietnamese opens it: ``;`` apart, decimal comma, CRLF.

    It comes in parts, one at least; no cell is missing. The byte order mark makes it read UTF-8.
    """
    text = Writer(f'[;,"\r\n\t]|{FORMULA}', _excel_cell)
    numbers = {
        column.name: Writer(rf"\.|{text.sought}", partial(_excel_number, column))
        for column in columns
        if column.kind in NUMBER_KINDS or column.name in VALUE_COLUMNS
    }
    with path.open("wb") as file:
        file.write(b"\xef\xbb\xbf")
        for place, table in enumerate(parts):
            if place == 0:
                file.write(f"{';'.join(table.columns)}\r\n".encode())
            writers = [numbers.get(name, text) for name in table.columns]
            _write_rows(file, table, writers, ";", "\r\n")


def _write_rows(
    file: IO[bytes], table: pd.DataFrame, writers: list[Writer], between: str, end: str
) -> None:
    for start in range(0, len(table), WRITTEN_ROWS):
        part = table.iloc[start : start + WRITTEN_ROWS]
        columns = (part.iloc[:, place] for place in range(part.shape[1]))
        cells = [one.written(column) for one, column in zip(writers, columns, strict=True)]
        rows = pc.binary_join_element_wise(*cells, pa.scalar(between, TEXT))
        whole = pa.ListArray.from_arrays(pa.array([0, len(rows)], pa.int32()), rows)
        file.write(pc.binary_join(whole, pa.scalar(end, TEXT))[0].as_buffer())
        file.write(end.encode())


def _csv_cell(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if set(cell) & set(',"\r\n') else cell


def guard_cell(cell: str) -> str:
    """Return the cell so that no spreadsheet takes its text for a formula.

    Text that already has a ``'`` there gets another, so that reading back is exact.
    """
    if not cell.lstrip("'").startswith(FORMULA_STARTS):
        return cell
    try:
        Decimal(cell)
    except ArithmeticError:
        return f"'{cell}"
    return cell


def _excel_cell(cell: str) -> str:
    text = f"'{cell}" if cell.lstrip("'").startswith(FORMULA_STARTS) else cell
    return '"' + text.replace('"', '""') + '"' if set(text) & set(';,"\r\n\t') else text


def _excel_number(column: Column, cell: str) -> str:
    return cell.replace(".", ",") if is_number_cell(cell, column) else _excel_cell(cell)
