"""Where a subject stands, what was promised, and how late it is, on the as-of date."""

from collections.abc import Collection
from datetime import date

import pandas as pd

from geodata.dates import period_end, period_start

SILENT_DAYS = 730
"""Nothing heard for 24 months makes a subject stalled (design: tracking view)."""


def last_events(events: pd.DataFrame, stages: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Return the event where each subject stands on the as-of date, one row a subject.

    Events of the whole subject count before those of a phase, which count only where there is
    no other. Of the events that may be the newest (a date cut to a year may mean its last day)
    the one with the later stage stands; ties go to the larger event id. Adds ``rank`` and
    ``group``.
    """
    ranked = events.merge(stages[["stage_id", "rank", "group"]], on="stage_id", how="left")
    ranked = ranked.assign(
        _start=ranked["on"].map(lambda d: period_start(d).toordinal()).astype("int64"),
        _end=ranked["on"].map(lambda d: period_end(d).toordinal()).astype("int64"),
        _rank=ranked["rank"].astype("int64"),
    )
    begun = ranked[ranked["_start"] <= as_of.toordinal()]
    whole = (begun["phase"] == "").groupby(begun["subject_id"]).transform("any")
    begun = begun[(begun["phase"] == "") | ~whole]
    newest = begun.groupby("subject_id")["_start"].transform("max")
    may_be_last = begun[begun["_end"] >= newest].sort_values(["subject_id", "_rank", "event_id"])
    last = may_be_last.drop_duplicates("subject_id", keep="last")
    return last.drop(columns=["_start", "_end", "_rank"])


def judge_promises(milestones: pd.DataFrame, ended: Collection[str], as_of: date) -> pd.DataFrame:
    """Judge each promise against its first published date; one row a promise.

    Columns: promise_id, subject_id, baseline_id, newest_id, met_on, state, days_late, slip_days.
    ``state``: ``met`` or ``met_late`` where a source says when, else ``void`` for a subject in
    ``ended``, else ``late`` once the baseline's last day has passed without a source that says
    it was met, else ``due``. ``days_late`` counts only days that are certain: from the last day
    the baseline may mean to the first day ``met_on`` may mean, or to the as-of date.
    """
    columns = [
        "promise_id",
        "subject_id",
        "baseline_id",
        "newest_id",
        "met_on",
        "state",
        "days_late",
        "slip_days",
    ]
    rows = []
    for (subject_id, promise_id), told in milestones.groupby(["subject_id", "promise_id"]):
        ordered = told.assign(
            _published=told["published_on"].map(period_end), _due=told["due_on"].map(period_end)
        ).sort_values(["_published", "milestone_id"])
        first, newest = ordered.iloc[0], ordered.iloc[-1]
        met_on = max(ordered["met_on"])
        state, days_late = _judge(first["_due"], met_on, as_of)
        if state in ("late", "due") and subject_id in ended:
            state, days_late = "void", 0
        rows.append(
            [
                promise_id,
                subject_id,
                first["milestone_id"],
                newest["milestone_id"],
                met_on,
                state,
                days_late,
                (newest["_due"] - first["_due"]).days,
            ]
        )
    return pd.DataFrame(rows, columns=columns)


def _judge(due: date, met_on: str, as_of: date) -> tuple[str, int]:
    if met_on and period_start(met_on) <= as_of:
        late = max(0, (period_start(met_on) - due).days)
        return ("met_late" if late else "met"), late
    late = (as_of - due).days
    return ("late", late) if late > 0 else ("due", 0)


def schedule_of(group: str, promises: pd.DataFrame, last_heard_on: str, as_of: date) -> str:
    """Return the schedule state of one subject.

    ``ended`` > ``late`` > ``stalled`` > ``on_time`` > ``met`` > ``undated``; an operating subject
    is never stalled, since nothing more is awaited from it.
    """
    states = set(promises["state"])
    if group == "ended":
        return "ended"
    if "late" in states:
        return "late"
    if group != "operating" and _is_silent(last_heard_on, as_of):
        return "stalled"
    if "due" in states:
        return "on_time"
    return "met" if states & {"met", "met_late"} else "undated"


def _is_silent(last_heard_on: str, as_of: date) -> bool:
    return bool(last_heard_on) and (as_of - period_end(last_heard_on)).days > SILENT_DAYS
