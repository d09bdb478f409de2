from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata.cells import is_number
from geodata.notation import FIGURE, Notation, plain_number

VI, EN = Notation(numbers="vi", dates="dmy"), Notation(numbers="en", dates="dmy")


@pytest.mark.parametrize(
    ("notation", "written", "meant"),
    [
        (VI, "1.234,56", "1234.56"),
        (VI, "113.062,026", "113062.026"),
        (VI, "1.234", "1234"),
        (VI, "1234,5", "1234.5"),
        (VI, "-0,5", "-0.5"),
        (VI, "12.345.678", "12345678"),
        (EN, "1,234.56", "1234.56"),
        (EN, "1.234", "1.234"),
        (EN, "1,234", "1234"),
        (EN, "1234", "1234"),
    ],
)
def test_a_number_is_read_as_its_office_writes_it(
    notation: Notation, written: str, meant: str
) -> None:
    assert notation.text_of(written, "decimal") == meant


@pytest.mark.parametrize(
    "cell",
    ["1,234.56", "1.23", "1.2345", "1.234.56", "0.123", "1 234", "1\u00a0234", "+5", "5 ha", "١٢"]
    + ["1e3", ",5", "5,", "--1", " 1", "1,2,3", "12.34,5", "\u22121"],
)
def test_a_number_of_another_form_is_refused_and_never_guessed(cell: str) -> None:
    with pytest.raises(ValueError, match="needed a number as 1.234,56"):
        VI.text_of(cell, "number")


def test_without_a_declaration_a_cell_stays_as_it_is() -> None:
    assert Notation().text_of("1.234,56", "number") == "1.234,56"
    assert Notation().text_of("31/12/2025", "date") == "31/12/2025"
    assert VI.text_of("1.234,56", "text") == "1.234,56"
    assert VI.text_of("", "number") == ""


def test_a_figure_is_a_number_where_it_looks_like_one_and_words_where_not() -> None:
    assert VI.text_of("1.234,5", FIGURE) == "1234.5"
    assert VI.text_of("đang lập quy hoạch", FIGURE) == "đang lập quy hoạch"
    with pytest.raises(ValueError, match="needed a number"):
        VI.text_of("1,234.5", FIGURE)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("31/12/2025", "2025-12-31"),
        ("1/7/2025", "2025-07-01"),
        ("01-07-2025", "2025-07-01"),
        ("1.7.2025", "2025-07-01"),
        ("7/2025", "2025-07"),
        ("2025", "2025"),
    ],
)
def test_a_date_is_read_with_its_day_first(written: str, meant: str) -> None:
    assert VI.text_of(written, "date") == meant


@pytest.mark.parametrize(
    "cell",
    ["12/31/2025", "31/12/25", "2025-12-31", "1/7-2025", "30/2/2023", "0/2025", "1/1/0000"]
    + ["1/1/9999", "hôm qua", "01/07/2025 10:00"],
)
def test_a_date_of_another_form_is_refused_and_never_guessed(cell: str) -> None:
    with pytest.raises(ValueError, match="needed a date as 31/12/2025"):
        VI.text_of(cell, "date")


@pytest.mark.parametrize(
    ("cell", "kind", "meant"),
    [
        (5.0, "integer", "5"),
        (1.5, "number", "1.5"),
        (1e-7, "decimal", "0.0000001"),
        (1e30, "decimal", "1" + "0" * 30),
        (-0.0, "decimal", "-0"),
        (31321.0, "text", "31321"),
        (2025.0, "date", "2025"),
        (date(2025, 12, 31), "date", "2025-12-31"),
        (datetime(2025, 12, 31), "date", "2025-12-31"),
        (True, "flag", "true"),
        (False, "text", "false"),
    ],
)
def test_a_typed_cell_becomes_the_text_of_its_column(cell: object, kind: str, meant: str) -> None:
    assert Notation().text_of(cell, kind) == meant


@pytest.mark.parametrize(
    ("cell", "kind", "why"),
    [
        (date(2025, 1, 5), "number", "found a date"),
        (date(2025, 1, 5), "text", "found a date"),
        (45_000.0, "date", "format the cell as a date"),
        (2025.5, "date", "format the cell as a date"),
        (0.0, "date", "needed a date"),
        (9999.0, "date", "needed a date"),
        (datetime(2025, 1, 5, 10), "date", "a day with a time"),
        (time(1, 2), "date", "a time of day"),
        (timedelta(hours=30), "number", "a time of day"),
        (True, "number", "a yes/no cell"),
        (float("inf"), "number", "a finite number"),
        (float("nan"), "text", "a finite number"),
    ],
)
def test_numbers_as_dates_and_dates_as_numbers_are_refused(
    cell: object, kind: str, why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        Notation().text_of(cell, kind)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_no_digit_of_a_number_is_lost(number: float) -> None:
    assert float(plain_number(number)) == number


@given(st.integers(-(10**14), 10**14), st.integers(0, 6))
def test_whatever_an_office_writes_comes_back_to_the_last_digit(whole: int, places: int) -> None:
    number = Decimal(whole).scaleb(-places)
    english = f"{number:,f}"
    vietnamese = english.translate(str.maketrans(",.", ".,"))
    for notation, written in ((EN, english), (VI, vietnamese)):
        read = notation.text_of(written, "decimal")
        assert Decimal(read) == number
        assert is_number(read)
