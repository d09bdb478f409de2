"""Planners at work: they fill in the real template and drop it; the night takes it."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import openpyxl
from openpyxl.workbook import Workbook as Book
from openpyxl.worksheet.worksheet import Worksheet

from atlas.form import write_form
from atlas.template import Wanted, template_form
from atlas.words import read_words
from flows.inbox import answer_path, take_inbox
from flows.order import PROJECT, Order
from geodata.archive import Archive
from geodata.inbox import Workbook, taken
from geodata.judge import stacked
from geodata.read import Sheet
from geodata.workbook import COVER, FIRST_ROW, HEADER_ROW, PAGE, RESULT, vocabulary
from geodata.workbooks import read_cells

WORDS = read_words(PROJECT / "site" / "words")
ROOM = 12
"""Fewer empty rows than a true template, which only take time here."""

TODAY = "2026-11-22"
Rows = Mapping[str, Sequence[Mapping[str, object]]]


def write_template(path: Path, base: Sequence[Sheet], **wanted: str) -> Path:
    """Write the template of these tables as ``atlas template`` would."""
    tables = stacked(base)
    lists = vocabulary(tables, WORDS["vi"].texts)
    form = template_form(tables, "edition-1", lists, Wanted(**wanted))
    write_form(path, replace(form, room=ROOM), WORDS, lists)
    return path


def columns_of(sheet: Worksheet) -> dict[str, int]:
    """Return the column of each title."""
    titles = {c.column: str(c.value).rstrip(" *") for c in sheet[HEADER_ROW] if c.value}
    return {title: column for column, title in titles.items()}


def first_blank(sheet: Worksheet) -> int:
    """Return the first row after the known ones."""
    row = FIRST_ROW
    while sheet.cell(row, 1).value:
        row += 1
    return row


def sign(book: Book, author: str, agency: str, handed_on: object) -> None:
    """Fill in the cover."""
    told = {"Họ và tên": author, "Cơ quan": agency, "Ngày nộp": handed_on}
    for row in book[COVER].iter_rows(max_col=2):
        for label, value in told.items():
            if str(row[0].value or "").startswith(label):
                row[1].value = value


def fill(book: Book, rows: Rows) -> None:
    """Write rows below the known ones; cells are named as columns of their table."""
    for name, told in rows.items():
        page, sheet = PAGE[name], book[PAGE[name].vi]
        titles = columns_of(sheet)
        at = {c.name: titles[c.vi] for c in page.columns}
        for row, cells in enumerate(told, start=first_blank(sheet)):
            for column, value in cells.items():
                sheet.cell(row, at[column]).value = value


@dataclass(frozen=True)
class Desk:
    """An inbox with its archive, and the tables that workbooks are judged against."""

    root: Path
    base: Sequence[Sheet]

    @property
    def order(self) -> Order:
        return Order(root=self.root)

    @property
    def folder(self) -> Path:
        return self.order.inbox_folder

    @property
    def archive(self) -> Archive:
        return Archive(self.order.archive)

    def open_template(self) -> Book:
        """Return a fresh template, opened."""
        path = self.root / "template.xlsx"
        if not path.is_file():
            self.root.mkdir(parents=True, exist_ok=True)
            write_template(path, self.base)
        return openpyxl.load_workbook(path)

    def drop(
        self,
        name: str,
        rows: Rows,
        author: str = "Nguyễn Văn An",
        agency: str = "so-a",
        handed_on: object = datetime.date(2026, 11, 20),
    ) -> Path:
        """Fill in a template and drop it."""
        book = self.open_template()
        sign(book, author, agency, handed_on)
        fill(book, rows)
        return self.save(book, name)

    def save(self, book: Book, name: str) -> Path:
        """Save a workbook into the inbox."""
        self.folder.mkdir(parents=True, exist_ok=True)
        book.save(self.folder / name)
        return self.folder / name

    def take(self) -> list[tuple[str, str]]:
        """Let the night take what lies in the inbox; return what has to wait."""
        return take_inbox(self.order, lambda: list(self.base), TODAY, read_cells)

    @property
    def taken(self) -> tuple[Workbook, ...]:
        return taken(self.archive)

    def answer(self, path: Path) -> Book:
        """Open the answer to a workbook."""
        return openpyxl.load_workbook(answer_path(path))


def results(book: Book, page: str) -> dict[int, str]:
    """Return what an answer says of each row of a sheet."""
    sheet = book[PAGE[page].vi]
    at = columns_of(sheet)[RESULT[0]]
    told = {row: sheet.cell(row, at).value for row in range(FIRST_ROW, sheet.max_row + 1)}
    return {row: str(text) for row, text in told.items() if text}
