"""How offices write numbers and dates, declared and never guessed; out comes the atlas's form."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Literal

from geodata.dates import is_date

Cell = str | int | float | bool | date | datetime | time | timedelta
"""What a typed file holds in one cell; "" is an empty cell."""

Numbers = Literal["plain", "vi", "en"]
Dates = Literal["iso", "dmy"]

NUMBER_KINDS = ("integer", "number", "decimal")
FIGURE = "figure"
"""The kind of a column that holds numbers or words, as its measure says."""

NUMBER_FORMS = {
    "vi": re.compile(r"-?([1-9][0-9]{0,2}(\.[0-9]{3})+|[0-9]+)(,[0-9]+)?"),
    "en": re.compile(r"-?([1-9][0-9]{0,2}(,[0-9]{3})+|[0-9]+)(\.[0-9]+)?"),
}
NUMBER_EXAMPLES = {"vi": "1.234,56", "en": "1,234.56"}
LIKE_A_NUMBER = re.compile(r"[-+]?[0-9][0-9.,  ]*")
DAY_MONTH_YEAR = re.compile(r"([0-9]{1,2})([/.-])([0-9]{1,2})\2([0-9]{4})")
MONTH_YEAR = re.compile(r"([0-9]{1,2})[/.-]([0-9]{4})")
YEAR = re.compile(r"[0-9]{4}")


@dataclass(frozen=True)
class Notation:
    """The declared form of the numbers and dates of one source."""

    numbers: Numbers = "plain"
    dates: Dates = "iso"

    def changes(self, kind: str) -> bool:
        """Tell whether text cells of this kind are written otherwise than the atlas writes."""
        if kind == "date":
            return self.dates != "iso"
        return self.numbers != "plain" and kind in (*NUMBER_KINDS, FIGURE)

    def text_of(self, cell: Cell, kind: str) -> str:
        """Return the cell as the atlas writes a value of that kind.

        ValueError says what was found and needed, where the cell is of another type than its
        column (a date among numbers, a number among dates) or of another form than declared.
        """
        if isinstance(cell, str):
            return self._read(cell, kind) if cell and self.changes(kind) else cell
        if isinstance(cell, bool):
            return _bool_text(cell, kind)
        if isinstance(cell, int | float):
            return _date_of(cell) if kind == "date" else plain_number(cell)
        return _date_text(cell, kind)

    def _read(self, cell: str, kind: str) -> str:
        if kind == "date":
            return _read_dmy(cell)
        if kind == FIGURE and not LIKE_A_NUMBER.fullmatch(cell):
            return cell
        return self._read_number(cell)

    def _read_number(self, cell: str) -> str:
        if not NUMBER_FORMS[self.numbers].fullmatch(cell):
            example = NUMBER_EXAMPLES[self.numbers]
            raise ValueError(
                f'found {cell[:80]!r}, needed a number as {example} (numbers = "{self.numbers}")'
            )
        group, point = (".", ",") if self.numbers == "vi" else (",", ".")
        return cell.replace(group, "").replace(point, ".")


def plain_number(number: float) -> str:
    """Write a number in digits, without exponent; a whole one without a decimal point."""
    exact = Decimal(repr(number)) if isinstance(number, float) else Decimal(number)
    if not exact.is_finite():
        raise ValueError(f"found {number}, needed a finite number")
    return f"{exact.to_integral_value() if exact == exact.to_integral_value() else exact:f}"


def _read_dmy(cell: str) -> str:
    whole, month = DAY_MONTH_YEAR.fullmatch(cell), MONTH_YEAR.fullmatch(cell)
    if whole:
        told = f"{whole[4]}-{int(whole[3]):02}-{int(whole[1]):02}"
    elif month:
        told = f"{month[2]}-{int(month[1]):02}"
    else:
        told = cell if YEAR.fullmatch(cell) else ""
    if not is_date(told):
        raise ValueError(f'found {cell[:80]!r}, needed a date as 31/12/2025 (dates = "dmy")')
    return told


def _bool_text(cell: bool, kind: str) -> str:
    if kind in (*NUMBER_KINDS, FIGURE, "date"):
        raise ValueError(f"found a yes/no cell, needed a {kind}")
    return "true" if cell else "false"


def _date_of(cell: float) -> str:
    """Return a year; any other number among dates is a day that was never formatted as one."""
    told = plain_number(cell)
    if not is_date(told):
        raise ValueError(f"found the number {told}, needed a date; format the cell as a date")
    return told


def _date_text(cell: date | time | timedelta, kind: str) -> str:
    if not isinstance(cell, date) or kind != "date":
        found = "a date" if isinstance(cell, date) else "a time of day"
        raise ValueError(f"found {found} ({cell}), needed a {kind}; format the cell as what it is")
    if isinstance(cell, datetime):
        if cell.time() != time():
            raise ValueError(f"found a day with a time ({cell}), needed a day alone")
        return cell.date().isoformat()
    return cell.isoformat()
