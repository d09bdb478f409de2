"""Tables as CSV: plain, and as an Excel set to Vietnamese opens it.

Cells are written a column at a time: the few that need it are looked for, and only those changed.
"""

import codecs
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from atlas.compare import FORMULA_STARTS
from atlas.formats import NUMBER_KINDS, VALUE_COLUMNS, is_number_cell
from atlas.metadata import FRICTIONLESS_TYPE
from geodata.cells import changed, text_array
from geodata.schema import Column

WRITTEN_ROWS = 20_000
"""Rows that are in memory as they are written."""

FORMULA = "^'*(" + "|".join(map(re.escape, FORMULA_STARTS)) + ")"


@dataclass(frozen=True)
class Form:
    """A form of CSV: what stands between cells and rows, and before all of them.

    A cell with one of the ``quoted`` signs stands in quotation marks.
    """

    between: str
    end: str
    quoted: str
    start: bytes = b""

    def cell(self, text: str) -> str:
        """Return a cell as it is written."""
        is_quoted = set(text) & set(self.quoted)
        return '"' + text.replace('"', '""') + '"' if is_quoted else text

    def line(self, names: Iterable[object]) -> bytes:
        """Return the line of the columns' names."""
        return f"{self.between.join(self.cell(str(name)) for name in names)}{self.end}".encode()


PLAIN = Form(",", "\n", ',"\r\n')
EXCEL = Form(";", "\r\n", ';,"\r\n\t', codecs.BOM_UTF8)


@dataclass(frozen=True)
class Writer:
    """How the cells of a column are written: as they are, but where ``sought`` is found.

    Those cells, an RE2 pattern finds them, are what ``write`` makes of them.
    """

    sought: str
    write: Callable[[str], str]

    def written(self, cells: "pd.Series[str]") -> pa.LargeStringArray:
        """Return each cell as it is written."""
        texts = text_array(cells.astype("str"))
        return changed(texts, pc.match_substring_regex(texts, self.sought), self.write)


def write_csv(parts: Iterable[pd.DataFrame], path: Path, columns: Iterable[Column]) -> None:
    """Write a table as UTF-8 CSV; a text cell that a spreadsheet would run gets a ``'``.

    It comes in parts, one at least; no cell is missing. Cells of numeric columns stay as they are.
    A lone carriage return is quoted too, which Python's own writer leaves bare, so that no reader
    takes it for the end of a row.
    """
    number = Writer(f"[{PLAIN.quoted}]", PLAIN.cell)
    text = Writer(f"{number.sought}|{FORMULA}", lambda cell: PLAIN.cell(str(guard_cell(cell))))
    kinds = {*FRICTIONLESS_TYPE, "date"}
    numbers = {column.name: number for column in columns if column.kind in kinds}
    _write(parts, path, PLAIN, lambda name: numbers.get(name, text))


def write_vietnamese_csv(
    parts: Iterable[pd.DataFrame], path: Path, columns: Iterable[Column]
) -> None:
    """Write a table as an Excel set to Vietnamese opens it: ``;`` apart, decimal comma, CRLF.

    It comes in parts, one at least; no cell is missing. The byte order mark makes it read UTF-8.
    """
    text = Writer(f"[{EXCEL.quoted}]|{FORMULA}", _excel_cell)
    numbers = {
        column.name: Writer(rf"\.|{text.sought}", partial(_excel_number, column))
        for column in columns
        if column.kind in NUMBER_KINDS or column.name in VALUE_COLUMNS
    }
    _write(parts, path, EXCEL, lambda name: numbers.get(name, text))


def _write(
    parts: Iterable[pd.DataFrame], path: Path, form: Form, writer_of: Callable[[str], Writer]
) -> None:
    with path.open("wb") as file:
        for place, table in enumerate(parts):
            if place == 0:
                file.write(form.start + form.line(table.columns))
            for start in range(0, len(table), WRITTEN_ROWS):
                part = table.iloc[start : start + WRITTEN_ROWS]
                cells = [writer_of(str(name)).written(column) for name, column in part.items()]
                file.write(_joined(pc.binary_join_element_wise(*cells, _text(form.between)), form))


def _joined(rows: pa.LargeStringArray, form: Form) -> bytes:
    """Return rows as one text, each with its end."""
    whole = pa.ListArray.from_arrays(pa.array([0, len(rows)], pa.int32()), rows)
    joined: bytes = pc.binary_join(whole, _text(form.end))[0].as_buffer().to_pybytes()
    return joined + form.end.encode()


def _text(text: str) -> pa.LargeStringScalar:
    return pa.scalar(text, pa.large_string())


def guard_cell(cell: object) -> object:
    """Return the cell so that no spreadsheet takes its text for a formula.

    Text that already has a ``'`` there gets another, so that reading back is exact.
    """
    if not isinstance(cell, str) or not cell.lstrip("'").startswith(FORMULA_STARTS):
        return cell
    try:
        Decimal(cell)
    except ArithmeticError:
        return f"'{cell}"
    return cell


def _excel_cell(cell: str) -> str:
    return EXCEL.cell(f"'{cell}" if cell.lstrip("'").startswith(FORMULA_STARTS) else cell)


def _excel_number(column: Column, cell: str) -> str:
    return cell.replace(".", ",") if is_number_cell(cell, column) else _excel_cell(cell)
