"""Where a subject stands, what was promised, and how late it is, on the as-of date."""

from collections.abc import Collection
from datetime import date

import numpy as np
import pandas as pd

from geodata.cells import among, ordinals
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
        _start=ordinals(ranked["on"], period_start),
        _end=ordinals(ranked["on"], period_end),
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
    told = milestones.assign(
        _published=ordinals(milestones["published_on"], period_end),
        _due=ordinals(milestones["due_on"], period_end),
    ).sort_values(["subject_id", "promise_id", "_published", "milestone_id"], ignore_index=True)
    groups = told.groupby(["subject_id", "promise_id"], sort=False)
    first, newest = groups.head(1).reset_index(drop=True), groups.tail(1).reset_index(drop=True)
    met_on = groups["met_on"].max().reset_index(drop=True)
    met = ordinals(met_on, lambda cell: period_start(cell) if cell else date.max)
    day = as_of.toordinal()
    is_met = met <= day
    late = np.where(is_met, met, day) - first["_due"]
    is_void = ~is_met & first["subject_id"].isin(ended)
    states = np.select(
        [is_met & (late > 0), is_met, is_void, late > 0], ["met_late", "met", "void", "late"], "due"
    )
    return pd.DataFrame(
        {
            "promise_id": first["promise_id"],
            "subject_id": first["subject_id"],
            "baseline_id": first["milestone_id"],
            "newest_id": newest["milestone_id"],
            "met_on": met_on,
            "state": pd.Series(states, dtype="str"),
            "days_late": late.clip(lower=0).where(~is_void, 0).astype("int64"),
            "slip_days": newest["_due"] - first["_due"],
        }
    )


def schedules(
    groups: "pd.Series[str]", promises: pd.DataFrame, heard: "pd.Series[str]", as_of: date
) -> "pd.Series[str]":
    """Return the schedule state of each subject; all are indexed by subject or name it.

    ``groups`` is the stage group where a subject stands or "", ``heard`` the last date it was
    heard of or "".

    ``ended`` > ``late`` > ``stalled`` > ``on_time`` > ``met`` > ``undated``; an operating subject
    is never stalled, since nothing more is awaited from it.
    """
    last = ordinals(heard, lambda cell: period_end(cell) if cell else date.max)
    is_silent = as_of.toordinal() - last > SILENT_DAYS

    def has(*states: str) -> "pd.Series[bool]":
        mine = promises.loc[promises["state"].isin(states), "subject_id"]
        return pd.Series(among(groups.index, mine), index=groups.index)

    told = np.select(
        [
            groups == "ended",
            has("late"),
            (groups != "operating") & is_silent,
            has("due"),
            has("met", "met_late"),
        ],
        ["ended", "late", "stalled", "on_time", "met"],
        "undated",
    )
    return pd.Series(told, index=groups.index, dtype="str")
