"""A planners' workbook's bytes in, its cells out, each with its kind: nothing in it is run.

A formula comes out as a formula and never as its value. What a cell means is for its reader.
"""

import datetime
import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from geodata.errors import AtlasError, SourceError
from geodata.limits import MEGABYTE, Limits
from geodata.notation import Cell as Value
from geodata.workbooks import SheetCells
from geodata.zips import open_zip

LIMITS = Limits(
    bytes=20 * MEGABYTE,
    unpacked_bytes=150 * MEGABYTE,
    entries=500,
    rows=20_000,
    columns=200,
    cells=2_000_000,
)
"""More than any agency fills in by hand."""

INBOX = "inbox"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
TYPES = "[Content_Types].xml"
MACRO_MARKS = (b"macroEnabled", b"vbaProject")
SIGNIFICANT = 15
"""Digits that a spreadsheet keeps."""


class WorkbookError(AtlasError):
    """A file that is no workbook one may read. ``is_torn``: another night may."""

    def __init__(self, rule: str, message: str, is_torn: bool = False) -> None:
        super().__init__(message)
        self.rule = rule
        self.is_torn = is_torn


@dataclass(frozen=True)
class Cell:
    """One cell that holds something.

    ``kind`` is ``text``, ``number``, ``percent`` (as it is shown: 72.5 for 72.5 %), ``date``,
    ``flag``, ``formula`` or ``error``. ``text`` is plain decimal text for numbers, ISO for dates.
    """

    kind: str
    text: str


Grid = dict[int, dict[int, Cell]]
"""The cells of a sheet by row and column, both from 1."""


CellReader = Callable[[str, bytes, Limits], dict[str, SheetCells]]
"""`geodata.reader.Reader.cells`, which reads in the sandbox."""


def read_workbook(content: bytes, read: CellReader) -> dict[str, Grid]:
    """Return the cells of every sheet. WorkbookError where the file must not or cannot be read."""
    if content.startswith(OLE):
        raise WorkbookError("workbook_is_xlsx", "an old .xls, or a workbook with a password")
    if not zipfile.is_zipfile(io.BytesIO(content)):
        is_torn = content.startswith(b"PK") or not content.strip(b"\0")
        what = "torn, or still being copied" if is_torn else "no XLSX workbook"
        raise WorkbookError("workbook_is_xlsx", what, is_torn)
    try:
        LIMITS.hold(INBOX, "bytes", len(content), "the workbook")
        _require_no_macro(content)
        return {name: _grid(told) for name, told in read(INBOX, content, LIMITS).items()}
    except SourceError as error:
        is_ours = error.rule == "reader_survives"
        raise WorkbookError("workbook_is_readable", error.message, is_torn=is_ours) from error


def _require_no_macro(content: bytes) -> None:
    unpacked = open_zip(INBOX, content, LIMITS)
    types = unpacked.read(TYPES) if TYPES in unpacked.entries else b""
    named = [name for name in unpacked.entries if "vbaproject" in name.lower()]
    if named or any(mark in types for mark in MACRO_MARKS):
        raise WorkbookError("workbook_has_no_macro", "a workbook with macros")


def _grid(told: SheetCells) -> Grid:
    grid = {row: dict(_cells(told, row, cells)) for row, cells in enumerate(told.rows, start=1)}
    return {row: cells for row, cells in grid.items() if cells}


def _cells(told: SheetCells, row: int, values: list[Value]) -> Iterator[tuple[int, Cell]]:
    for column, value in enumerate(values, start=1):
        at = row, column
        if at in told.written:
            yield column, Cell("formula", f"={told.written[at] or '…'}")
        elif at in told.unread:
            yield column, Cell("error", told.unread[at])
        elif value != "":
            yield column, _cell(value, at in told.percents)


def _cell(value: Value, is_percent: bool) -> Cell:
    if isinstance(value, bool):
        return Cell("flag", "true" if value else "false")
    if isinstance(value, datetime.datetime):
        return Cell("date", value.date().isoformat())
    if isinstance(value, datetime.date):
        return Cell("date", value.isoformat())
    if isinstance(value, int | float):
        exact = Decimal(f"{value:.{SIGNIFICANT}g}")
        return Cell("percent", plain(exact * 100)) if is_percent else Cell("number", plain(exact))
    return Cell("text", str(value))


def plain(value: Decimal) -> str:
    """Write a number without exponent and without noughts that say nothing."""
    return f"{value.normalize():f}" if value else "0"


def plain_text(number: str) -> str:
    """Write the text of a number as `plain` would."""
    return plain(Decimal(number))
