"""One line for every subject: its stage, schedule, last word heard and completeness."""

from collections.abc import Mapping
from datetime import date

import pandas as pd

from atlas.measure import completeness
from atlas.placed import LINES, is_of
from atlas.stages import judge_promises, last_events, schedules
from geodata.cells import among

Tables = Mapping[str, pd.DataFrame]

FIELD_MEASURES = {
    "area": ("area_ha",),
    "developer": ("developer", "investor", "owner"),
    "occupancy": ("occupancy_pct",),
    "price": ("price_usd_m2", "price_vnd_m2"),
    "sectors": ("sectors", "tenants", "model"),
    "length": ("length_km",),
    "alignment": ("alignment", "standard"),
}
HEARD = (
    ("claims", "as_of"),
    ("stage_events", "on"),
    ("money_events", "on"),
    ("milestones", "published_on"),
)
KNOWN_METHODS = ("surveyed", "official_boundary", "osm", "digitised")
COLUMNS = [
    "subject_id",
    "event_id",
    "schedule",
    "days_late",
    "last_heard_on",
    "length_km",
    "completeness_pct",
    "missing",
]


def ended_subjects(last: pd.DataFrame) -> set[str]:
    """Return the subjects whose last event ended them."""
    return set(last.loc[last["group"] == "ended", "subject_id"])


def standing(
    tables: Tables, positions: pd.DataFrame, as_of: date
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return one row a subject, sorted by id, and one row a promise.

    See `atlas.records.Record` and `atlas.stages.judge_promises` for the columns.
    ``event_id`` is "" where no stage is known; ``length_km`` is measured only from a drawn line
    that is not schematic; ``missing`` joins the unknown fields by ``;``. ``positions`` is the frame
    of `placed.Positions`.
    """
    kinds = subject_kinds(tables)
    last = last_events(tables["stage_events"], tables["stages"], as_of)
    promises = judge_promises(tables["milestones"], ended_subjects(last), as_of)
    last = last.set_index("subject_id")
    subjects = pd.Index(list(kinds), dtype="str", name="subject_id")
    groups = last["group"].reindex(subjects, fill_value="").astype("str")
    heard = _last_heard(tables).reindex(subjects, fill_value="")
    late = promises[promises["state"] == "late"].groupby("subject_id")["days_late"].max()
    is_route = among(subjects, tables["routes"]["route_id"])
    expected = pd.Series(list(kinds.values()), index=subjects, dtype="str").mask(is_route, "route")
    whole = completeness(expected, _known_fields(tables, positions, subjects))
    table = pd.DataFrame(
        {
            "event_id": last["event_id"].reindex(subjects, fill_value="").astype("str"),
            "schedule": schedules(groups, promises, heard, as_of),
            "days_late": late.reindex(subjects, fill_value=0),
            "last_heard_on": heard,
            "length_km": _lengths(positions).reindex(subjects),
            "completeness_pct": whole["completeness_pct"],
            "missing": whole["missing"],
        }
    )
    return table.reset_index()[COLUMNS], promises


def subject_kinds(tables: Tables) -> dict[str, str]:
    """Return the kind of every place and route, by its id."""
    places, routes = tables["places"], tables["routes"]
    told = dict(zip(places["place_id"], places["kind"], strict=True))
    told |= zip(routes["route_id"], routes["kind"], strict=True)
    return dict(sorted(told.items()))


def _last_heard(tables: Tables) -> "pd.Series[str]":
    """The day an undated page was read is no news of its subject."""
    read = tables["claims"]["as_of_basis"] == "read"
    dated = {**tables, "claims": tables["claims"][~read]}
    told = pd.concat(
        [
            dated[name][["subject_id", column]].set_axis(["subject_id", "on"], axis=1)
            for name, column in HEARD
        ]
    )
    return (
        told.sort_values("on")
        .drop_duplicates("subject_id", keep="last")
        .set_index("subject_id")["on"]
    )


def _lengths(positions: pd.DataFrame) -> "pd.Series[float]":
    is_known = is_of(positions, *LINES) & positions["method"].isin(KNOWN_METHODS)
    return positions[is_known].set_index("subject_id")["length_km"].round(1)


def _known_fields(
    tables: Tables, positions: pd.DataFrame, subjects: "pd.Index[str]"
) -> pd.DataFrame:
    claims = tables["claims"]
    events = tables["stage_events"]
    located = positions[positions["method"].isin(KNOWN_METHODS)]
    has_commune = tables["places"][tables["places"]["commune_ids"] != ""]
    fields = {
        name: claims.loc[claims["measure"].isin(measures), "subject_id"]
        for name, measures in FIELD_MEASURES.items()
    }
    fields |= {
        "capacity": claims.loc[claims["measure"].str.startswith("capacity"), "subject_id"],
        "stage": events["subject_id"],
        "act": events.loc[events["act_id"] != "", "subject_id"],
        "capital": tables["money_events"]["subject_id"],
        "promise": tables["milestones"]["subject_id"],
        "position": located["subject_id"],
        "commune": has_commune["place_id"],
    }
    known = {name: among(subjects, mine) for name, mine in fields.items()}
    return pd.DataFrame(known, index=subjects)
