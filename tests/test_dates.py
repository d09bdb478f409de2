import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata.dates import is_date, period_end, period_start

DAYS = st.dates(datetime.date(1800, 1, 1), datetime.date(2200, 12, 31))


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2023", "2023-01-01", "2023-12-31"),
        ("2023-07", "2023-07-01", "2023-07-31"),
        ("2023-02", "2023-02-01", "2023-02-28"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("1900-02", "1900-02-01", "1900-02-28"),
        ("2024-02-29", "2024-02-29", "2024-02-29"),
        ("1800", "1800-01-01", "1800-12-31"),
        ("2200-12-31", "2200-12-31", "2200-12-31"),
    ],
)
def test_a_cut_date_means_its_whole_period(text: str, first: str, last: str) -> None:
    assert period_start(text).isoformat() == first
    assert period_end(text).isoformat() == last


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "2023-02-29",
        "2023-02-30",
        "2023-13",
        "2023-00",
        "2023-05-00",
        "2023-1",
        "2023-7-1",
        "2023-07-1",
        "2023-",
        "202",
        "20230731",
        "31/07/2023",
        "2023-07-31T00:00:00",
        " 2023",
        "2023\n",
        "2023\x00",
        "٢٠٢٣",
        "２０２３",
        "1799-12-31",
        "2201",
        "0000",
        "-2023",
        "nan",
        "NaN",
        "None",
    ],
)
def test_what_is_no_day_month_or_year_is_no_date(text: str) -> None:
    assert not is_date(text)
    with pytest.raises(ValueError, match="ISO date|outside|out of range|month|day"):
        period_start(text)
    with pytest.raises(ValueError, match="ISO date|outside|out of range|month|day"):
        period_end(text)


@given(DAYS)
def test_every_day_lies_in_its_own_month_and_year(day: datetime.date) -> None:
    text = day.isoformat()
    for cut in (text, text[:7], text[:4]):
        assert is_date(cut)
        assert period_start(cut) <= day <= period_end(cut)
    assert period_start(text) == period_end(text) == day


@given(st.text())
def test_any_other_text_is_answered_and_never_a_crash(text: str) -> None:
    assert is_date(text) in (True, False)
