"""What stood at the end of each year of the plans: built, promised, or not heard of yet."""

from collections.abc import Iterable
from datetime import date

from atlas.records import Forecast, Promise, Record, Stage, StageEvent
from geodata.dates import period_end, period_start
from geodata.region import here

LETTER = {"planned": "p", "preparing": "r", "building": "b", "operating": "o", "ended": "e"}
NOT_YET = "-"


def year_marks(record: Record, as_of: date) -> str:
    """Return one sign for each year's end: the stage's letter, or ``-`` where none is known.

    A capital letter is a promise, not a fact: the newest forecast of a stage that falls after
    the as-of date and by that year's end. An overdue promise says nothing of any year.
    """
    first, last = here().years
    return "".join(_mark(record, year, as_of) for year in range(first, last + 1))


def _mark(record: Record, year: int, as_of: date) -> str:
    end = date(year, 12, 31)
    event = standing_on(record.events, min(end, as_of))
    group = event.stage.group if event else ""
    promised = _promised(record.promises, end, as_of) if end > as_of else None
    if promised and group != "ended" and not _is_reached(promised, event):
        return LETTER[promised.group].upper()
    return LETTER[group] if group else NOT_YET


def _is_reached(stage: Stage, event: StageEvent | None) -> bool:
    return event is not None and event.stage.axis == stage.axis and event.stage.rank >= stage.rank


def standing_on(events: Iterable[StageEvent], day: date) -> StageEvent | None:
    """Return the step at which a subject stood on a day, by the rule of `stages.last_events`."""
    begun = [e for e in events if period_start(e.on) <= day]
    begun = [e for e in begun if not e.phase] or begun
    if not begun:
        return None
    newest = max(period_start(e.on) for e in begun)
    may_be_last = [e for e in begun if period_end(e.on) >= newest]
    return max(may_be_last, key=lambda e: (e.stage.rank, e.event_id))


def _promised(promises: Iterable[Promise], end: date, as_of: date) -> Stage | None:
    """Return the farthest stage that is promised for a day up to ``end``."""
    open_ones = [p for p in promises if p.stage and p.state in ("due", "late") and not p.phase]
    kept = [p for p in open_ones if as_of < period_end(_newest(p).due_on) <= end]
    ranked = max(kept, key=lambda p: (p.stage.rank if p.stage else 0, p.promise_id), default=None)
    return ranked.stage if ranked else None


def _newest(promise: Promise) -> Forecast:
    return max(
        (promise.baseline, *promise.forecasts), key=lambda f: (f.published_on, f.milestone_id)
    )
