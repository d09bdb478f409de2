"""When a run is due, by Vietnam's clock, and whether one was missed."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.due import missed, next_due
from flows.heartbeat import write_beat
from flows.order import Order

CRON = "30 1 * * *"
NIGHT = datetime(2026, 11, 24, 18, 30, tzinfo=UTC)
"""01:30 on the 25th in Vietnam."""


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_the_night_is_half_past_one_in_vietnam_whatever_the_machines_clock(tmp_path: Path) -> None:
    order = Order(root=tmp_path)
    assert next_due(order, CRON, at("2026-11-24 10:00")) == NIGHT
    assert next_due(order, CRON, NIGHT) == at("2026-11-25 18:30")


@pytest.mark.parametrize(
    ("began", "now", "due"),
    [
        ("2026-11-24 18:30:05", "2026-11-25 18:29:59", None),
        ("2026-11-24 18:30:05", "2026-11-25 18:30:00", "2026-11-25 18:30"),
        ("2026-11-24 18:30:05", "2026-12-02 08:00", "2026-11-25 18:30"),
        ("2026-11-24 09:00", "2026-11-24 18:29", None),
        ("2026-11-24 09:00", "2026-11-24 18:31", "2026-11-24 18:30"),
    ],
)
def test_a_night_is_missed_when_no_run_began_since_it_was_due(
    tmp_path: Path, began: str, now: str, due: str | None
) -> None:
    order = Order(root=tmp_path)
    order.var.mkdir()
    write_beat(order.var, last_ended={"began": at(began).isoformat()})
    assert missed(order, CRON, at(now)) == (at(due) if due else None)


def test_where_nothing_ever_ran_a_run_is_due_at_once(tmp_path: Path) -> None:
    assert missed(Order(root=tmp_path), CRON, NIGHT) == NIGHT
