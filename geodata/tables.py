"""Files of plain rows, CSV and XLSX, as a grid of cells; nothing is judged about what they say."""

import csv
import io
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from geodata.catalog import CODECS, Source
from geodata.errors import SourceError
from geodata.findings import Finding
from geodata.notation import Cell
from geodata.workbooks import SheetCells, read_cells

OTHER_FORMATS = {
    b"PK\x03\x04": "a zip (XLSX, KMZ or zipped Shapefile)",
    b"\xd0\xcf\x11\xe0": "an old Office file (XLS or DOC) or a locked one",
    b"SQLite format 3\x00": "a GeoPackage",
    b"PAR1": "a Parquet file",
    b"fgb": "a FlatGeobuf",
    b"%PDF": "a PDF",
    b"{": "JSON",
    b"[": "JSON",
    b"<": "XML or HTML",
}
BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
MARKS_OF = {"utf-8-sig": BYTE_ORDER_MARKS[:1], "utf-16": BYTE_ORDER_MARKS[1:]}
NAMED_CELLS = 10
"""How many cells a note names before it only counts."""


Row = tuple[int, list[Cell]]
"""The cells of a row under its line in the file."""


@dataclass(frozen=True)
class Grid:
    """A header and the rows under it, each with its line in the file."""

    header: list[str]
    body: list[Row]
    findings: tuple[Finding, ...] = ()


def read_csv(source: Source, content: bytes) -> Grid:
    """Read a CSV in its declared encoding and with its declared delimiter.

    SourceError where the file contradicts its declaration or is no CSV to its end. Text in
    Windows-1258 comes with its tone marks apart; it is composed (NFC), with a note.
    """
    text, notes = _decode(source, content)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=source.delimiter, strict=True)
    rows: list[Row] = []
    try:
        header = next(reader, [])
        source.limits.hold(source.source_id, "columns", len(header), source.file_name)
        start = reader.line_num + 1
        for cells in reader:
            if cells:
                rows.append((start, [*cells]))
            start = reader.line_num + 1
    except csv.Error as error:
        raise SourceError(
            source.source_id,
            "file_is_of_its_format",
            f"{source.file_name} stops being CSV at line {reader.line_num}: {error}",
        ) from error
    _require_rows(source, rows)
    return Grid(header, rows, notes)


def read_xlsx(source: Source, content: bytes) -> Grid:
    """Read the sheet that ``part`` names: its first row is the header, its numbers stay numbers.

    A cell that Excel could not calculate or never did refuses its row; formulas, hidden rows
    and merged cells are read and noted.
    """
    told = read_cells(source.source_id, content, source.limits, (source.part,))[source.part]
    header = [str(cell) for cell in told.rows[0]] if told.rows else []
    while header and not header[-1] and not any(row[len(header) - 1] for row in told.rows):
        header.pop()
    rows = [
        (line, row[: len(header)]) for line, row in enumerate(told.rows[1:], start=2) if _holds(row)
    ]
    _require_rows(source, rows)
    return Grid(header, rows, (*_unread(source, told), *_notes(source, told)))


def _holds(row: Sequence[Cell]) -> bool:
    return any(cell != "" for cell in row)


def _require_rows(source: Source, rows: list[Row]) -> None:
    if not rows:
        raise SourceError(
            source.source_id, "file_is_not_empty", f"{source.file_name} has a header and no row"
        )
    source.limits.hold(source.source_id, "rows", len(rows), source.file_name)


def _unread(source: Source, told: SheetCells) -> list[Finding]:
    return [
        Finding(source.source_id, source.table, row, "", "", "cell_is_calculated", "row", detail)
        for (row, _), detail in sorted(told.unread.items())
        if row > 1
    ]


def _notes(source: Source, told: SheetCells) -> list[Finding]:
    noted = {
        "cells_are_values": (
            told.formulas,
            "hold formulas; their last calculated values were read",
        ),
        "rows_are_shown": (told.hidden_rows, "are hidden in Excel and were read"),
        "cells_are_single": (told.merged, "are merged; the value stands in the first cell only"),
    }
    return [
        note(source, rule, f"{len(cells)} {why}: {_some(cells)}")
        for rule, (cells, why) in noted.items()
        if cells
    ]


def note(source: Source, rule: str, detail: str) -> Finding:
    """Make a note about a source as a whole: read, and worth knowing."""
    owner = source.table or source.layer
    return Finding(source.source_id, owner, 0, "", "", rule, "note", detail)


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:NAMED_CELLS])
    return shown if len(names) <= NAMED_CELLS else f"{shown}, …"


def _decode(source: Source, content: bytes) -> tuple[str, tuple[Finding, ...]]:
    if not content.strip():
        raise SourceError(source.source_id, "file_is_not_empty", f"{source.file_name} is empty")
    for magic, name in OTHER_FORMATS.items():
        if content.lstrip().startswith(magic):
            raise SourceError(
                source.source_id,
                "file_is_of_its_format",
                f"{source.file_name} is {name}; source.toml says {source.format}",
            )
    _require_declared_mark(source, content)
    try:
        text = content.decode(CODECS[source.encoding])
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        told = (
            f"line {line} of {source.file_name} is not {source.encoding}; declare its encoding in "
        )
        raise _encoding_refusal(source, told + "source.toml or save it as UTF-8") from error
    if text.startswith("\ufeff") or "\x00" in text:
        told = f"{source.file_name} begins with two byte order marks or holds NUL; save it as UTF-8"
        raise _encoding_refusal(source, told)
    if source.encoding != "windows-1258":
        return text, ()
    composed = unicodedata.normalize("NFC", text)
    found = note(source, "text_is_nfc", "Windows-1258 writes tone marks apart; composed as NFC")
    return composed, (found,) if composed != text else ()


def _require_declared_mark(source: Source, content: bytes) -> None:
    """Refuse a byte order mark that was not declared, and text that is plainly UTF-8."""
    needed = MARKS_OF.get(source.encoding, ())
    has_mark = content.startswith(BYTE_ORDER_MARKS)
    if has_mark and not content.startswith(needed or (b"\xff" * 4,)):
        told = (
            f"{source.file_name} begins with a byte order mark; source.toml says {source.encoding}"
        )
        raise _encoding_refusal(source, f"{told}; declare utf-8-sig or utf-16")
    if needed and not has_mark:
        told = (
            f"{source.file_name} begins with no byte order mark; source.toml says {source.encoding}"
        )
        raise _encoding_refusal(source, f"{told}; declare utf-8 or save it again")
    if source.encoding == "windows-1258" and not content.isascii() and _is_utf_8(content):
        told = f"{source.file_name} is UTF-8; source.toml says {source.encoding}; declare utf-8"
        raise _encoding_refusal(source, told)


def _is_utf_8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _encoding_refusal(source: Source, message: str) -> SourceError:
    return SourceError(source.source_id, "encoding_is_as_declared", message)
