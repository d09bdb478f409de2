"""When a run is due, and whether one was missed."""

from datetime import datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim

from flows.heartbeat import read_beat
from flows.order import Order
from geodata.region import read_region


def zone(order: Order) -> str:
    """Return the time zone by which an order's schedule is told."""
    return read_region(order.region).time_zone


def next_due(order: Order, cron: str, after: datetime) -> datetime:
    """Return when the schedule is next due after a moment, by the region's clock."""
    return next(CronSim(cron, after.astimezone(ZoneInfo(zone(order)))))


def missed(order: Order, cron: str, at: datetime) -> datetime | None:
    """Return when the first run was due that no ended run has served; None where none is missed.

    However many nights were missed, one run serves them: the atlas publishes what holds today,
    not what held in between. Where nothing has ever run, a run is due at once.
    """
    ended = read_beat(order.var).get("last_ended")
    if not ended:
        return at
    due = next_due(order, cron, datetime.fromisoformat(ended["began"]))
    return due if due <= at else None
