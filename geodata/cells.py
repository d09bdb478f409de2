"""Cells and rows of tables of text: the few words that all steps share."""

import re
from collections.abc import Callable, Collection, Iterable
from datetime import date
from typing import Any, TypeAlias, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

T = TypeVar("T")
Cells: TypeAlias = "pd.Series[str]"
Truths = np.ndarray[Any, np.dtype[np.bool_]]

NUMBER = r"-?[0-9]{1,15}(\.[0-9]{1,15})?"
"""Plain digits, no more of them than a sum can be believed with."""

NEGATIVE_ZERO = r"-[0.]+"

HIDDEN = "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
"""Control marks, marks that turn the direction of reading, and letters without width."""

MOJIBAKE = (
    "[ÃÂÆ][\u0080-¿€‚ƒˆ‰ŠŒ•™š]|(áº|á»)[\u0080-¿ŒœŠšŸŽžƒˆ˜–—‘’‚“”„†‡•…‰‹›€™]"
    "|Ä[\u0080-\u009f‘’]|â€|\ufffd"
)
"""UTF-8 Vietnamese read as Latin-1 or Windows-1252: its lead letters before a stray mark."""


def parts_of(cell: str) -> list[str]:
    """Split a ``list`` cell; an empty cell has no parts."""
    return cell.split(";") if cell else []


def is_number(cell: str) -> bool:
    """Tell whether the cell is a plain decimal number, and no zero below zero."""
    return bool(re.fullmatch(NUMBER, cell)) and not re.fullmatch(NEGATIVE_ZERO, cell)


def are_numbers(cells: Cells) -> Truths:
    """Tell of each cell what `is_number` says."""
    return are_like(cells, NUMBER) & ~are_like(cells, NEGATIVE_ZERO)


def are_clean(cells: Cells) -> Truths:
    """Tell of each text whether it hides nothing and was not broken by another encoding."""
    return ~_found(cells, f"{HIDDEN}|{MOJIBAKE}")


def are_nfc(cells: Cells) -> Truths:
    """Tell of each text whether letters and marks are composed, as the atlas writes them."""
    text = pa.array(cells, pa.large_string())
    same = pc.equal(pc.utf8_normalize(text, form="NFC"), text)
    return np.asarray(same.to_numpy(zero_copy_only=False), dtype=bool)


def are_like(cells: Cells, pattern: str) -> Truths:
    """Tell of each whole cell whether it has the form of an expression that RE2 knows."""
    return _found(cells, f"^(?:{pattern})$")


def among(cells: "Cells | pd.Index[str]", values: Iterable[str]) -> Truths:
    """Tell of each text whether it is one of the values; quicker than ``isin`` on many values."""
    told = values if isinstance(values, pd.Series) else list(values)
    known = pa.array(told, pa.large_string())
    found = pc.is_in(pa.array(cells, pa.large_string()), value_set=known)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)


def _found(cells: Cells, pattern: str) -> Truths:
    found = pc.match_substring_regex(pa.array(cells, pa.large_string()), pattern)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)


def only_known(cells: "pd.Series[str]", known: Collection[str]) -> "pd.Series[str]":
    """Leave in each list only the parts that are among the known ones."""
    return by_value(cells, lambda cell: ";".join(p for p in parts_of(cell) if p in known))


def rows_of(frame: pd.DataFrame) -> list[dict[str, str]]:
    """Return the rows of a table of text."""
    names = [str(name) for name in frame.columns]
    cells = [frame.iloc[:, number].tolist() for number in range(len(names))]
    return [dict(zip(names, row, strict=True)) for row in zip(*cells, strict=True)]


def by_value(cells: Cells, of: Callable[[str], T]) -> "pd.Series[Any]":
    """Return what ``of`` makes of each cell; it is asked once for every distinct cell."""
    codes, values = pd.factorize(cells)
    told = pd.Series([of(str(value)) for value in values])
    return told.take(codes).set_axis(cells.index) if len(cells) else told.astype(cells.dtype)


def text_array(cells: Cells) -> pa.LargeStringArray:
    """Return cells as one array of Arrow's, in whatever chunks they are held."""
    told = pa.array(cells, pa.large_string())
    return told.combine_chunks() if isinstance(told, pa.ChunkedArray) else told


def changed(
    texts: pa.LargeStringArray, which: pa.BooleanArray, change: Callable[[str], str]
) -> pa.LargeStringArray:
    """Return the texts, some of them as ``change`` makes them; it is asked once for equal ones."""
    if not which.true_count:
        return texts
    some = texts.filter(which).dictionary_encode()
    made = pa.array(map(change, some.dictionary.to_pylist()), pa.large_string())
    return pc.replace_with_mask(texts, which, made.take(some.indices))


def ordinals(cells: Cells, day_of: Callable[[str], date]) -> "pd.Series[int]":
    """Return the day of each cell as its proleptic Gregorian ordinal."""
    return by_value(cells, lambda cell: day_of(cell).toordinal()).astype("int64")


def where(rows: pd.DataFrame, column: str, test: Callable[[str], bool]) -> pd.DataFrame:
    """Return the rows whose cell passes the test, asked once for every distinct cell."""
    return chosen(rows, by_value(rows[column], test).astype("bool").to_numpy())


def chosen(rows: pd.DataFrame, which: Truths) -> pd.DataFrame:
    """Return the rows that are told true; to choose all or none, no column is gone through."""
    if which.all():
        return rows
    return rows.loc[which] if which.any() else rows.iloc[:0]
