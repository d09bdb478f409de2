"""Files of plain rows, CSV and XLSX, as a grid of cells; nothing is judged about what they say."""

import codecs
import csv
import functools
import io
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from geodata.catalog import CODECS, Source
from geodata.errors import SourceError
from geodata.findings import Finding
from geodata.notation import Cell
from geodata.schema import TABLE
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
LONGEST_MARK = 3
MARKS_OF = {"utf-8-sig": BYTE_ORDER_MARKS[:1], "utf-16": BYTE_ORDER_MARKS[1:]}
CHUNK = 1 << 20
PART_LETTERS = 8_000_000
"""A part of a CSV ends with the row that reaches so many letters."""

LONGEST_TEXT = 131_072
"""A cell of more letters is no text; an outline may have more."""

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


def read_csv(source: Source, file: BinaryIO) -> Iterator[Grid]:
    """Read a CSV in its declared encoding and with its declared delimiter, part after part.

    SourceError where the file contradicts its declaration or is no CSV to its end. Text in
    Windows-1258 comes with its tone marks apart; it is composed (NFC), with a note in the end.
    """
    text = _Text(source, file)
    has_shapes = any(column.kind == "wkt" for column in TABLE[source.table].columns)
    csv.field_size_limit(source.limits.bytes if has_shapes else LONGEST_TEXT)
    reader = csv.reader(text, delimiter=source.delimiter, strict=True)
    count, rows = 0, list[Row]()
    try:
        header = next(reader, [])
        source.limits.hold(source.source_id, "columns", len(header), source.file_name)
        start = reader.line_num + 1
        for cells in reader:
            if cells:
                rows.append((start, [*cells]))
            start = reader.line_num + 1
            if text.letters >= PART_LETTERS and rows:
                count += len(rows)
                _require_rows(source, count)
                yield Grid(header, rows)
                rows, text.letters = [], 0
    except csv.Error as error:
        raise SourceError(
            source.source_id,
            "file_is_of_its_format",
            f"{source.file_name} stops being CSV at line {reader.line_num}: {error}",
        ) from error
    _require_rows(source, count + len(rows))
    yield Grid(header, rows, text.notes)


def read_xlsx(source: Source, file: BinaryIO) -> Iterator[Grid]:
    """Read the sheet that ``part`` names: its first row is the header, its numbers stay numbers.

    A cell that Excel could not calculate or never did refuses its row; formulas, hidden rows
    and merged cells are read and noted.
    """
    told = read_cells(source.source_id, file.read(), source.limits, (source.part,))[source.part]
    header = [str(cell) for cell in told.rows[0]] if told.rows else []
    while header and not header[-1] and not any(row[len(header) - 1] for row in told.rows):
        header.pop()
    rows = [
        (line, row[: len(header)]) for line, row in enumerate(told.rows[1:], start=2) if _holds(row)
    ]
    _require_rows(source, len(rows))
    yield Grid(header, rows, (*_unread(source, told), *_notes(source, told)))


def _holds(row: Sequence[Cell]) -> bool:
    return any(cell != "" for cell in row)


def _require_rows(source: Source, count: int) -> None:
    if not count:
        raise SourceError(
            source.source_id, "file_is_not_empty", f"{source.file_name} has a header and no row"
        )
    source.limits.hold(source.source_id, "rows", count, source.file_name)


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


class _Text:
    """The lines of a file in its declared encoding; SourceError where it is in another one.

    ``letters`` counts what was read since it was last set to nothing.
    """

    def __init__(self, source: Source, file: BinaryIO) -> None:
        """Look at how the file begins, and at all of it where only that tells its encoding."""
        _require_declared_format(source, file)
        _require_declared_mark(source, file)
        self._source, self._file = source, file
        self._is_composed = False
        codec = CODECS[source.encoding]
        self._lines = io.TextIOWrapper(file, encoding=codec, errors="strict", newline="")
        self.letters = 0

    def __iter__(self) -> Iterator[str]:
        """Go through the lines, each with its end."""
        is_apart = self._source.encoding == "windows-1258"
        try:
            for number, line in enumerate(self._lines):
                if "\x00" in line or (number == 0 and line[0] == "\ufeff"):
                    raise self._refusal()
                self.letters += len(line)
                yield self._composed(line) if is_apart else line
        except UnicodeDecodeError as error:
            told = f"line {self._torn_line()} of {self._source.file_name} is not "
            told += f"{self._source.encoding}; declare its encoding in source.toml or save it as "
            raise _encoding_refusal(self._source, f"{told}UTF-8") from error

    @property
    def notes(self) -> tuple[Finding, ...]:
        """What is worth knowing of the lines so far."""
        why = "Windows-1258 writes tone marks apart; composed as NFC"
        return (note(self._source, "text_is_nfc", why),) if self._is_composed else ()

    def _composed(self, line: str) -> str:
        composed = unicodedata.normalize("NFC", line)
        self._is_composed |= composed != line
        return composed

    def _refusal(self) -> SourceError:
        told = "begins with two byte order marks or holds NUL; save it as UTF-8"
        return _encoding_refusal(self._source, f"{self._source.file_name} {told}")

    def _torn_line(self) -> int:
        """Return the first line that cannot be decoded."""
        self._file.seek(0)
        decode = codecs.getincrementaldecoder(CODECS[self._source.encoding])().decode
        lines = 1
        try:
            for chunk in _chunks(self._file):
                lines += decode(chunk).count("\n")
            decode(b"", True)
        except UnicodeDecodeError as error:
            lines += error.object[: error.start].count(b"\n")
        return lines


def _require_declared_format(source: Source, file: BinaryIO) -> None:
    """Refuse a file of nothing, and one that begins as those of another format do."""
    file.seek(0)
    begin = next((told for chunk in _chunks(file) if (told := chunk.lstrip())), b"")
    file.seek(0)
    if not begin:
        raise SourceError(source.source_id, "file_is_not_empty", f"{source.file_name} is empty")
    for magic, name in OTHER_FORMATS.items():
        if begin.startswith(magic):
            raise SourceError(
                source.source_id,
                "file_is_of_its_format",
                f"{source.file_name} is {name}; source.toml says {source.format}",
            )


def _require_declared_mark(source: Source, file: BinaryIO) -> None:
    """Refuse a byte order mark that was not declared, and text that is plainly UTF-8."""
    needed = MARKS_OF.get(source.encoding, ())
    begin = file.read(LONGEST_MARK)
    file.seek(0)
    has_mark = begin.startswith(BYTE_ORDER_MARKS)
    if has_mark and not begin.startswith(needed or (b"\xff" * 4,)):
        told = (
            f"{source.file_name} begins with a byte order mark; source.toml says {source.encoding}"
        )
        raise _encoding_refusal(source, f"{told}; declare utf-8-sig or utf-16")
    if needed and not has_mark:
        told = (
            f"{source.file_name} begins with no byte order mark; source.toml says {source.encoding}"
        )
        raise _encoding_refusal(source, f"{told}; declare utf-8 or save it again")
    if source.encoding == "windows-1258" and _is_plainly_utf_8(file):
        told = f"{source.file_name} is UTF-8; source.toml says {source.encoding}; declare utf-8"
        raise _encoding_refusal(source, told)


def _is_plainly_utf_8(file: BinaryIO) -> bool:
    """Tell whether all of a file is UTF-8, and not because it is nothing but ASCII."""
    decode, is_ascii = codecs.getincrementaldecoder("utf-8")().decode, True
    try:
        for chunk in _chunks(file):
            is_ascii &= chunk.isascii()
            decode(chunk)
        decode(b"", True)
    except UnicodeDecodeError:
        return False
    finally:
        file.seek(0)
    return not is_ascii


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    return iter(functools.partial(file.read, CHUNK), b"")


def _encoding_refusal(source: Source, message: str) -> SourceError:
    return SourceError(source.source_id, "encoding_is_as_declared", message)
