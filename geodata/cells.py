"""Cells and rows of tables of text: the few words that all steps share."""

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar

import numpy as np
import pandas as pd

T = TypeVar("T")

NUMBER = re.compile(r"(?!-[0.]+$)-?[0-9]{1,15}(\.[0-9]{1,15})?")
"""Plain digits, no more of them than a sum can be believed with, and no zero below zero."""


HIDDEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)
"""Control marks, marks that turn the direction of reading, and letters without width."""

MOJIBAKE = re.compile(
    r"[ÃÂÆ][\u0080-¿€‚ƒˆ‰ŠŒ•™š]|(áº|á»)[\u0080-¿ŒœŠšŸŽžƒˆ˜–—‘’‚“”„†‡•…‰‹›€™]"
    r"|Ä[\u0080-\u009f‘’]|â€|\ufffd"
)
"""UTF-8 Vietnamese read as Latin-1 or Windows-1252: its lead letters before a stray mark."""


def parts_of(cell: str) -> list[str]:
    """Split a ``list`` cell; an empty cell has no parts."""
    return cell.split(";") if cell else []


def is_number(cell: str) -> bool:
    """Tell whether the cell is a plain decimal number."""
    return bool(NUMBER.fullmatch(cell))


def is_clean(cell: str) -> bool:
    """Tell whether the text hides nothing and was not broken by another encoding."""
    return not HIDDEN.search(cell) and not MOJIBAKE.search(cell)


def is_nfc(cell: str) -> bool:
    """Tell whether letters and their marks are composed, as the atlas writes them."""
    return unicodedata.is_normalized("NFC", cell)


def rows_of(frame: pd.DataFrame) -> list[dict[str, str]]:
    """Return the rows of a table of text."""
    names = [str(name) for name in frame.columns]
    cells = [frame.iloc[:, number].tolist() for number in range(len(names))]
    return [dict(zip(names, row, strict=True)) for row in zip(*cells, strict=True)]


def by_value(cells: "pd.Series[str]", of: Callable[[str], T]) -> "pd.Series[Any]":
    """Return what ``of`` makes of each cell; it is asked once for every distinct cell."""
    codes, values = pd.factorize(cells)
    told = pd.Series([of(str(value)) for value in values])
    return told.take(codes).set_axis(cells.index) if len(cells) else told.astype(cells.dtype)


def ordinals(cells: "pd.Series[str]", day_of: Callable[[str], date]) -> "pd.Series[int]":
    """Return the day of each cell as its proleptic Gregorian ordinal."""
    return by_value(cells, lambda cell: day_of(cell).toordinal()).astype("int64")


def where(rows: pd.DataFrame, column: str, test: Callable[[str], bool]) -> pd.DataFrame:
    """Return the rows whose cell passes the test; an empty table stays a table."""
    return rows.loc[np.fromiter(map(test, rows[column]), dtype=bool, count=len(rows))]
