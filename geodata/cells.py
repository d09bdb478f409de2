"""Cells and rows of tables of text: the few words that all steps share."""

import re
from collections.abc import Callable

import numpy as np
import pandas as pd

NUMBER = re.compile(r"(?!-[0.]+$)-?[0-9]{1,15}(\.[0-9]{1,15})?")
"""Plain digits, no more of them than a sum can be believed with, and no zero below zero."""


def parts_of(cell: str) -> list[str]:
    """Split a ``list`` cell; an empty cell has no parts."""
    return cell.split(";") if cell else []


def is_number(cell: str) -> bool:
    """Tell whether the cell is a plain decimal number."""
    return bool(NUMBER.fullmatch(cell))


def rows_of(frame: pd.DataFrame) -> list[dict[str, str]]:
    """Return the rows of a table of text."""
    return [{str(k): v for k, v in row.items()} for row in frame.to_dict("records")]


def where(rows: pd.DataFrame, column: str, test: Callable[[str], bool]) -> pd.DataFrame:
    """Return the rows whose cell passes the test; an empty table stays a table."""
    return rows.loc[np.fromiter(map(test, rows[column]), dtype=bool, count=len(rows))]
