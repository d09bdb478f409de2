"""Record health by its public method."""

import datetime

import pytest
from shapely import Point

import books
from atlas.health import health_of, news_months, worst

AS_OF = datetime.date(2026, 11, 22)


@pytest.mark.parametrize(
    ("heard", "months"),
    [("2026-11-22", 0), ("2026-10-22", 1), ("2026-10-23", 0), ("2025-11", 11), ("2025", 10),
     ("2027-01-01", 0), ("2024-11-21", 24), ("", None)],
)  # fmt: skip
def test_news_ages_in_whole_months_and_a_cut_date_ends_with_its_period(
    heard: str, months: int | None
) -> None:
    assert news_months(heard, AS_OF) == months


@pytest.mark.parametrize(("count", "points"), [(0, 0), (1, 40), (2, 70), (3, 100), (9, 100)])
def test_more_documents_give_more_points(count: int, points: int) -> None:
    record = books.record("x", "port", documents=(books.PAPER,) * count)
    assert health_of(record, AS_OF).sources == points


@pytest.mark.parametrize(
    ("error", "points"), [(5, 100), (100, 100), (101, 80), (6_200, 40), (25_001, 0)]
)
def test_a_position_counts_by_its_error(error: float, points: int) -> None:
    position = books.position(Point(105.8, 9.9), "surveyed", error)
    assert health_of(books.record("x", "port", position=position), AS_OF).position == points


@pytest.mark.parametrize(
    ("heard", "points"),
    [("2026-01-01", 100), ("2025-01-01", 60), ("2022-01-01", 30), ("2009", 10), ("", 0)],
)
def test_older_news_gives_fewer_points(heard: str, points: int) -> None:
    assert health_of(books.record("x", "port", last_heard_on=heard), AS_OF).news == points


def test_the_total_is_the_mean_rounded_down() -> None:
    health = health_of(books.park(), AS_OF)
    parts = (health.completeness, health.sources, health.news, health.position)
    assert parts == (70, 100, 100, 40)
    assert health.total == 77


def test_the_worst_come_first_and_ties_go_by_id() -> None:
    book = books.small_book(
        places=(books.park(), books.record("b", "port"), books.record("a", "port")), routes=()
    )
    assert [one.record.subject_id for one in worst(book)] == ["a", "b", "kcn-a"]
    assert len(worst(book, 2)) == 2
