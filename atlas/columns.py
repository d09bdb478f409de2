"""What a reader narrows tiled records by: one small file a column, fetched when it is asked for.

A column is a row of whole numbers of one, two or four bytes (little-endian), one a record. Of a
facet they number the sets of keys that records have; of a range they are its values in steps of
10 to the minus ``decimals``, and the largest number of the type means "not known".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from atlas.layers import Json
from atlas.telling import NOT_KNOWN
from atlas.tiled import Tiled
from atlas.tiles import spots
from atlas.words import Words
from atlas.years import LETTER, NOT_YET
from geodata.cells import by_value, ordinals, rows_of
from geodata.dates import period_end, period_start
from geodata.region import here
from geodata.schema import FUNDS

UNPLACED = "unplaced"
MOST_SETS = 5_000
"""A facet with more different answers is no help in choosing: its tiled records are not told."""

MOST_DECIMALS = 3
RANGES = {"area": "area_ha", "price": "price_usd_m2", "occupancy": "occupancy_pct"}
TYPES = ("uint8", "uint16", "uint32")


@dataclass(frozen=True)
class Column:
    """The numbers of one column, and what its reader needs to know of them."""

    numbers: np.ndarray
    told: Mapping[str, Json]

    @property
    def content(self) -> bytes:
        """The file: little-endian, as every browser reads it."""
        return self.numbers.astype(self.numbers.dtype.newbyteorder("<")).tobytes()


def columns(tiled: Tiled, as_of: date) -> dict[str, Column]:
    """Return every column by its name: facets, ranges, ``years``, ``x``, ``y``, ``inner``.

    ``x`` and ``y`` are the tile of `tiles.SPOT_ZOOM` in which a record lies; ``inner`` marks what
    lies inside another place, whose area counts already, and is there only where something does.
    """
    subjects = tiled.subjects
    told = {name: _sets(keys) for name, keys in _facets(tiled).items()}
    made = {name: column for name, column in told.items() if column is not None}
    made |= {name: _steps(values) for name, values in _ranges(tiled).items()}
    made["years"] = _coded(year_marks(tiled, as_of), "marks")
    x, y = spots(subjects["lon"].to_numpy(), subjects["lat"].to_numpy())
    inner = (subjects["inside_id"].fillna("") != "").to_numpy()
    if inner.any():
        made["inner"] = Column(inner.astype("uint8"), {})
    told_area = dict(made["area"].told) | {"sum": _sum(_ranges(tiled)["area"][~inner])}
    made["area"] = Column(made["area"].numbers, told_area)
    return made | {"x": Column(x, {}), "y": Column(y, {})}


def _sum(values: np.ndarray) -> list[Json]:
    """Return the sum of what is known, and of how many it is."""
    known = values[~np.isnan(values)]
    return [round(float(known.sum()), MOST_DECIMALS), len(known)]


def _facets(tiled: Tiled) -> dict[str, "pd.Series[str]"]:
    """Return each record's keys in each facet, joined by ``;``, as `browse.IS` has them."""
    subjects = tiled.subjects
    units = tiled.names["communes"].set_index("unit_id")["level"]
    is_route = subjects["table"] == "routes"
    nodes = {
        level: _only(subjects["node_ids"], units, level) for level in ("old_district", "commune")
    }
    own = _only(subjects["commune_ids"], units, "commune")
    passed = own.where(subjects["commune_ids"] != "", nodes["commune"])
    districts = subjects["district_ids"]
    method = subjects["method"].fillna("").mask(subjects["is_unplaced"], UNPLACED)
    return {
        "kind": subjects["kind"],
        "stage": subjects["stage_group"],
        "schedule": subjects["schedule"],
        "district": districts.where(districts != "", nodes["old_district"]),
        "commune": own.where(~is_route, passed),
        "fund": _funds(tiled),
        "accuracy": method,
    }


def _only(cells: "pd.Series[str]", levels: "pd.Series[str]", level: str) -> "pd.Series[str]":
    """Leave in each list only the units of one level."""
    return by_value(
        cells, lambda cell: ";".join(u for u in cell.split(";") if levels.get(u) == level)
    )


def _funds(tiled: Tiled) -> "pd.Series[str]":
    money = tiled.frames["money_events"][["n", "fund"]].drop_duplicates()
    known = money[money["fund"].isin(FUNDS)].sort_values(["n", "fund"])
    joined = known.groupby("n")["fund"].agg(";".join)
    return joined.reindex(range(len(tiled.subjects)), fill_value="")


def _ranges(tiled: Tiled) -> dict[str, np.ndarray]:
    facts, count = tiled.frames["facts"], len(tiled.subjects)
    whole = facts[facts["phase"] == ""].sort_values(["n", "rank"], kind="stable")
    told = {}
    for name, measure in RANGES.items():
        mine = whole[whole["measure"] == measure].drop_duplicates("n")
        values = np.full(count, np.nan)
        values[mine["n"].to_numpy()] = pd.to_numeric(mine["value"], errors="coerce")
        told[name] = values
    told["complete"] = tiled.subjects["completeness_pct"].to_numpy(float)
    promises = tiled.frames["promises"]
    dated = promises.loc[promises["state"] != "void", "n"].unique()
    late = np.full(count, np.nan)
    late[dated] = tiled.subjects["days_late"].to_numpy(float)[dated]
    return told | {"late": late}


def _sets(keys: "pd.Series[str]") -> Column | None:
    codes, found = pd.factorize(keys.fillna(""), sort=True)
    if len(found) > MOST_SETS:
        return None
    sets: list[Json] = [
        list[Json]([key for key in str(one).split(";") if key and key != NOT_KNOWN])
        for one in found
    ]
    return Column(_narrow(codes, len(found)), {"sets": sets})


def _coded(texts: "pd.Series[str]", name: str) -> Column:
    codes, found = pd.factorize(texts, sort=True)
    return Column(_narrow(codes, len(found)), {name: [str(one) for one in found]})


def _steps(values: np.ndarray) -> Column:
    """Write values with the fewest decimals that hold them all, up to `MOST_DECIMALS`."""
    known = values[~np.isnan(values)]
    decimals = next(
        (d for d in range(MOST_DECIMALS) if np.allclose(known, known.round(d), rtol=0, atol=1e-9)),
        MOST_DECIMALS,
    )
    steps = np.rint(known * 10**decimals).astype("int64")
    most = int(steps.max(initial=0))
    numbers = np.full(len(values), -1, dtype="int64")
    numbers[~np.isnan(values)] = steps
    told: dict[str, Json] = {"decimals": decimals, "most": most / 10**decimals, "known": len(known)}
    return Column(_narrow(numbers, most + 1), told)


def _narrow(numbers: np.ndarray, values: int) -> np.ndarray:
    """Return numbers below ``values`` in the smallest type that has one more for "not known"."""
    kind = next(name for name in TYPES if values < np.iinfo(name).max or name == TYPES[-1])
    return np.where(numbers < 0, np.iinfo(kind).max, numbers).astype(kind)


def labels(name: str, keys: set[str], tiled: Tiled, words: Words) -> dict[str, str]:
    """Return what the keys of a facet are called."""
    sections = {
        "kind": "kind.", "stage": "stage_group.", "schedule": "track.state_", "fund": "fund.",
        "accuracy": "browse.accuracy_",
    }  # fmt: skip
    if name in sections:
        return {key: words(f"{sections[name]}{key}") for key in keys}
    rows = tiled.names["communes"]
    return {
        row["unit_id"]: words.of(row, "name")
        for row in rows_of(rows[rows["unit_id"].isin(list(keys))])
    }


def year_marks(tiled: Tiled, as_of: date) -> "pd.Series[str]":
    """Return for each record what `years.year_marks` says of it."""
    stages = tiled.names["stages"].set_index("stage_id")[["rank", "group", "axis"]]
    events = tiled.frames["stage_events"].join(stages, on="stage_id")
    events = _dated(events, "on").assign(rank=events["rank"].astype("int64"))
    promised = _open_promises(tiled, stages, as_of)
    total = pd.RangeIndex(len(tiled.subjects))
    marks = pd.Series("", index=total, dtype=object)
    stood: dict[date, pd.DataFrame] = {}
    first, last = here().years
    for year in range(first, last + 1):
        end = date(year, 12, 31)
        day = min(end, as_of)
        if day not in stood:
            stood[day] = _standing_on(events, day)
        now = stood[day].reindex(total)
        letters = now["group"].map(LETTER).fillna(NOT_YET)
        if end > as_of and len(promised):
            due = promised[promised["_due"] <= end.toordinal()].drop_duplicates("n").set_index("n")
            due = due.reindex(total)
            is_reached = (now["axis"] == due["axis"]) & (now["rank"] >= due["rank"])
            is_ahead = due["group"].notna() & (now["group"] != "ended") & ~is_reached
            letters = letters.mask(is_ahead, due["group"].map(LETTER).str.upper())
        marks = marks + letters.astype(object)
    return marks.astype("str")


def _dated(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    days = rows[column]
    return rows.assign(_start=ordinals(days, period_start), _end=ordinals(days, period_end))


def _standing_on(events: pd.DataFrame, day: date) -> pd.DataFrame:
    """Return the event where each record stands, by the rule of `years.standing_on`."""
    begun = events[events["_start"] <= day.toordinal()]
    is_whole = begun["phase"] == ""
    begun = begun[is_whole | ~is_whole.groupby(begun["n"]).transform("any")]
    newest = begun.groupby("n")["_start"].transform("max")
    last = begun[begun["_end"] >= newest].sort_values(["n", "rank", "event_id"])
    return last.drop_duplicates("n", keep="last").set_index("n")


def _open_promises(tiled: Tiled, stages: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Return the promises of a stage still to come, the farthest stage of a record first."""
    told = tiled.frames["milestones"].set_index("milestone_id")
    promises = tiled.frames["promises"]
    promises = promises[promises["state"].isin(["due", "late"])]
    first = told[["stage_id", "phase"]].reindex(promises["baseline_id"]).to_numpy(object)
    newest = told["due_on"].reindex(promises["newest_id"]).to_numpy(object)
    rows = promises.assign(stage_id=first[:, 0], phase=first[:, 1], due_on=newest)
    rows = rows[(rows["stage_id"].fillna("") != "") & (rows["phase"] == "")]
    rows = _dated(rows, "due_on").join(stages, on="stage_id")
    rows = rows.assign(_due=rows["_end"], rank=rows["rank"].astype("int64"))
    ahead = rows[rows["_due"] > as_of.toordinal()]
    return ahead.sort_values(["n", "rank", "promise_id"], ascending=[True, False, False])
