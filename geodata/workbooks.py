"""The cells of an XLSX workbook as Python values, with what a reader of values would not see.

`python-calamine` reads the values. It knows no formulas and gives an empty cell for an error,
so each sheet is first gone through as XML: its size is held to the limits before anything is
allocated, and its formulas, errors and hidden rows are told.
"""

import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from xml.parsers import expat

from python_calamine import CalamineError, CalamineWorkbook

from geodata.errors import SourceError
from geodata.limits import Limits
from geodata.notation import Cell
from geodata.zips import Unpacked, open_zip

WORKBOOK = "xl/workbook.xml"
RELATIONS = "xl/_rels/workbook.xml.rels"
REFERENCE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
STYLES = "xl/styles.xml"
PERCENT_FORMATS = ("9", "10")
"""The two of Excel's own number formats that show per cent."""

ERROR = "e"


@dataclass
class SheetCells:
    """One sheet: ``rows[0]`` is its row 1, all rows are equally long, "" is an empty cell.

    ``formulas`` and ``merged`` name cells as Excel does (B3), ``hidden_rows`` counts from 1.
    By (row, column), both from 1: ``unread`` says why a cell that is not empty has no value,
    ``written`` holds the text of a formula; ``percents`` are shown as a hundred times their value.
    """

    rows: list[list[Cell]] = field(default_factory=list)
    formulas: list[str] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)
    hidden_rows: list[str] = field(default_factory=list)
    unread: dict[tuple[int, int], str] = field(default_factory=dict)
    written: dict[tuple[int, int], str] = field(default_factory=dict)
    percents: set[tuple[int, int]] = field(default_factory=set)


def read_cells(
    source_id: str, content: bytes, limits: Limits, names: Sequence[str] = ()
) -> dict[str, SheetCells]:
    """Read these sheets of a workbook, or all of them.

    SourceError where the file is no XLSX, is no sound archive, asks for more than its limits
    allow, declares XML entities, or has no sheet of a name.
    """
    unpacked = open_zip(source_id, content, limits)
    paths = _sheet_paths(source_id, unpacked)
    missing = [name for name in names if name not in paths]
    if missing:
        held = ", ".join(repr(name) for name in paths) or "none"
        message = f"the workbook has no sheet {missing[0]!r}; it has {held}"
        raise SourceError(source_id, "part_is_present", message)
    _require_no_doctype(source_id, unpacked)
    sheets = {}
    percent_styles = _percent_styles(source_id, unpacked)
    for name in names or paths:
        scan = _Scan(source_id, limits, percent_styles)
        scan.parse(unpacked.read(paths[name]))
        sheets[name] = scan.told
    _fill_values(source_id, content, sheets)
    return sheets


def _fill_values(source_id: str, content: bytes, sheets: Mapping[str, SheetCells]) -> None:
    try:
        workbook = CalamineWorkbook.from_filelike(BytesIO(content))
        for name, told in sheets.items():
            told.rows = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except (CalamineError, ValueError, OverflowError) as error:
        raise no_workbook(source_id, str(error)) from error


def _require_no_doctype(source_id: str, unpacked: Unpacked) -> None:
    """Look also into the parts that only `python-calamine` reads: strings and styles."""
    for path in unpacked.ending(".xml"):
        if b"<!DOCTYPE" in unpacked.read(path).upper():
            raise _doctype(source_id)


def _percent_styles(source_id: str, unpacked: Unpacked) -> set[str]:
    """Return the numbers of the cell styles that show per cent."""
    formats, styles = set(PERCENT_FORMATS), []
    is_cells = [False]

    def begin(tag: str, told: dict[str, str]) -> None:
        if tag == "numFmt" and "%" in told.get("formatCode", ""):
            formats.add(told.get("numFmtId", ""))
        elif tag == "cellXfs":
            is_cells[0] = True
        elif tag == "xf" and is_cells[0]:
            styles.append(told.get("numFmtId", ""))

    def finish(tag: str, _text: str) -> None:
        if tag == "cellXfs":
            is_cells[0] = False

    if STYLES in unpacked.entries:
        parse_xml(source_id, unpacked.read(STYLES), begin, finish)
    return {str(number) for number, form in enumerate(styles) if form in formats}


def cell_name(row: int, column: int) -> str:
    """Return a cell's name as Excel writes it: row 3, column 2 is B3."""
    letters = ""
    while column:
        column, letter = divmod(column - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return f"{letters}{row}"


def _column(letters: str) -> int:
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - ord("A") + 1
    return column


def no_workbook(source_id: str, why: str) -> SourceError:
    """Make the refusal of a file that is no XLSX workbook."""
    message = f"the file is no XLSX workbook: {why}; save it again as .xlsx"
    return SourceError(source_id, "file_is_of_its_format", message)


def _sheet_paths(source_id: str, unpacked: Unpacked) -> dict[str, str]:
    if WORKBOOK not in unpacked.entries or RELATIONS not in unpacked.entries:
        raise no_workbook(source_id, f"it holds no {WORKBOOK}")
    targets: dict[str, str] = {}
    paths: dict[str, str] = {}

    def relation(tag: str, told: dict[str, str]) -> None:
        if tag == "Relationship":
            target = posixpath.normpath(posixpath.join("/xl", told.get("Target", "")))
            targets[told.get("Id", "")] = target.lstrip("/")

    def sheet(tag: str, told: dict[str, str]) -> None:
        path = targets.get(told.get("id", ""), "")
        if tag == "sheet" and path in unpacked.entries:
            paths[told.get("name", "")] = path

    parse_xml(source_id, unpacked.read(RELATIONS), relation)
    parse_xml(source_id, unpacked.read(WORKBOOK), sheet)
    return paths


def parse_xml(source_id: str, content: bytes, start: Any, end: Any = None) -> None:  # noqa: ANN401
    """Go through XML from outside: ``start(tag, attributes)`` and ``end(tag, text)`` a tag.

    Names come without prefix or namespace. SourceError where it is no XML or declares a
    document type, which is where entities and files of others come in.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    texts: list[list[str]] = [[]]

    def begin(tag: str, attributes: dict[str, str]) -> None:
        texts.append([])
        start(_bare(tag), {_bare(name): value for name, value in attributes.items()})

    def finish(tag: str) -> None:
        text = "".join(texts.pop())
        if end is not None:
            end(_bare(tag), text)

    parser.StartElementHandler = begin
    parser.EndElementHandler = finish
    parser.CharacterDataHandler = lambda text: texts[-1].append(text)
    parser.StartDoctypeDeclHandler = _refuse_doctype(source_id)
    parser.XmlDeclHandler = _require_utf_8(source_id)
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        message = f"the file holds broken XML: {error}"
        raise SourceError(source_id, "file_is_of_its_format", message) from error


def _bare(name: str) -> str:
    return name.rpartition(":")[2]


def _refuse_doctype(source_id: str) -> Any:  # noqa: ANN401 - expat gives four arguments
    def refuse(*_: object) -> None:
        raise _doctype(source_id)

    return refuse


def _require_utf_8(source_id: str) -> Any:  # noqa: ANN401 - expat gives three arguments
    def require(_: str, encoding: str | None, __: int) -> None:
        if encoding is not None and encoding.lower() not in ("utf-8", "us-ascii"):
            message = f"the file says it is in {encoding[:40]!r}; save it as UTF-8"
            raise SourceError(source_id, "encoding_is_as_declared", message)

    return require


def _doctype(source_id: str) -> SourceError:
    message = "the file declares an XML document type, where entities hide; save it without"
    return SourceError(source_id, "xml_has_no_entities", message)


class _Scan:
    """What the XML of one sheet tells beside its values."""

    def __init__(self, source_id: str, limits: Limits, percent_styles: set[str]) -> None:
        self.source_id, self.limits = source_id, limits
        self.percent_styles = percent_styles
        self.told = SheetCells()
        self.last = self.at = (0, 0)
        self.kind = self.value = ""
        self.has_formula = False

    def parse(self, content: bytes) -> None:
        parse_xml(self.source_id, content, self._start, self._end)

    def _start(self, tag: str, told: dict[str, str]) -> None:
        if tag == "row":
            self.at = self._row(told.get("r", "")), 0
            if told.get("hidden") in ("1", "true"):
                self.told.hidden_rows.append(str(self.at[0]))
        elif tag == "mergeCell":
            self.told.merged.append(told.get("ref", "?"))
        elif tag == "c":
            self.at = self._place(told.get("r", ""))
            self.kind, self.value, self.has_formula = told.get("t", "n"), "", False
            if told.get("s") in self.percent_styles:
                self.told.percents.add(self.at)
        elif tag == "f":
            self.has_formula = True

    def _end(self, tag: str, text: str) -> None:
        if tag == "v":
            self.value = text
        elif tag == "f":
            self.told.written[self.at] = text
        elif tag == "c":
            self._note_cell()

    def _note_cell(self) -> None:
        name = cell_name(*self.at)
        if self.has_formula:
            self.told.formulas.append(name)
        if self.kind == ERROR:
            self.told.unread[self.at] = f"cell {name} holds the error {self.value[:20]}"
        elif self.has_formula and not self.value and self.kind != "str":
            why = "holds a formula that was never calculated; open and save it in Excel"
            self.told.unread[self.at] = f"cell {name} {why}"

    def _row(self, told: str) -> int:
        """Return a row's number; a writer may leave it out, which means the next one."""
        if told and not re.fullmatch(r"[1-9][0-9]{0,6}", told):
            raise no_workbook(self.source_id, f"it holds a row {told[:20]!r}")
        return int(told) if told else self.at[0] + 1

    def _place(self, told: str) -> tuple[int, int]:
        found = REFERENCE.fullmatch(told)
        if told and not found:
            raise no_workbook(self.source_id, f"it holds a cell {told[:20]!r}")
        row, column = self.at[0], self.at[1] + 1
        if found:
            row, column = int(found[2]), _column(found[1])
        self.last = max(self.last[0], row), max(self.last[1], column)
        rows, columns = self.last
        for limit, size in (("rows", rows), ("columns", columns), ("cells", rows * columns)):
            self.limits.hold(self.source_id, limit, size, "the sheet")
        return row, column
