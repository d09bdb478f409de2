"""What a reader narrows tiled records by: one small file a column, fetched when it is asked for.

A column is a row of whole numbers of one, two, four or eight bytes (little-endian; eight: as
floating point), one a record. Of a facet they number the sets of keys that records have; of a
range they are its values in steps of 10 to the minus ``decimals``, and the largest number of the
type (of eight bytes: -1) means "not known".
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from atlas.details import newest_money
from atlas.facets import OTHER, facet_keys
from atlas.layers import Json
from atlas.placed import EDGES
from atlas.search import all_folded
from atlas.tiled import Tiled, held
from atlas.tiles import FINE_ZOOM, spots
from atlas.years import LETTER, NOT_YET
from geodata.cells import ordinals
from geodata.dates import period_end, period_start
from geodata.region import here

MOST_KEYS = 4_000
"""So many choices a facet's form holds, more than Vietnam has communes."""

MOST_DECIMALS = 3
MONEY_DECIMALS = 9
"""Money is told to the đồng, in billions of them."""

RANGES = {"area": "area_ha", "price": "price_usd_m2", "occupancy": "occupancy_pct"}
NEAR = ("road", "canal", "port")
TYPES = ("uint8", "uint16", "uint32")
DEGREE_M = 111_700.0
"""Metres in a degree, at most: of a meridian at the pole."""


@dataclass(frozen=True)
class Column:
    """The numbers of one column, and what its reader needs to know of them.

    ``sets`` are the keys of each of the numbers, where they number sets of keys.
    """

    numbers: np.ndarray
    told: Mapping[str, Json]
    sets: tuple[tuple[str, ...], ...] = field(default=())

    @property
    def content(self) -> bytes:
        """The file: little-endian, as every browser reads it."""
        return self.numbers.astype(self.numbers.dtype.newbyteorder("<")).tobytes()


@dataclass(frozen=True)
class Narrowing:
    """The columns as the browser is told of them, and the keys that each facet has."""

    told: Mapping[str, Json]
    keys: Mapping[str, frozenset[str]]


def columns(tiled: Tiled, as_of: date) -> dict[str, Column]:
    """Return every column by its name.

    Facets; ranges, distances by both their ends (``road_least``, ``road_most``); ``years``;
    ``x``, ``y``, the tile of `tiles.SPOT_ZOOM` in which a record is drawn; ``px``, ``py``, the one
    of `tiles.FINE_ZOOM` in which it lies, ``doubt``, how far from there it may lie in truth, and
    ``extent``, how far it reaches, in metres; ``inside``, in which other record it lies, whose
    area counts already; ``money_0`` …, the amounts of one kind in one unit; ``rank_vi`` and
    ``rank_en``, its place among the names.
    """
    subjects = tiled.subjects
    made = {name: _sets(keys) for name, keys in facet_keys(tiled).items()}
    values = _ranges(tiled)
    made |= {name: _steps(told) for name, told in values.items()}
    made["years"] = _coded(year_marks(tiled, as_of), "marks")
    x, y = spots(subjects["lon"].to_numpy(), subjects["lat"].to_numpy())
    made |= {"x": Column(x, {}), "y": Column(y, {})} | _grounds(tiled) | _ranks(tiled)
    inside, is_inner = _inside(tiled)
    if inside is not None:
        made["inside"] = inside
    told_area = dict(made["area"].told) | {"sum": _sum(values["area"][~is_inner])}
    made["area"] = Column(made["area"].numbers, told_area)
    return made | {f"money_{i}": one for i, one in enumerate(_money(tiled))}


def _sum(values: np.ndarray) -> list[Json]:
    """Return the sum of what is known, and of how many it is."""
    known = values[~np.isnan(values)]
    return [round(float(known.sum()), MOST_DECIMALS), len(known)]


def _ranges(tiled: Tiled) -> dict[str, np.ndarray]:
    facts, count = tiled.frames["facts"], len(tiled.subjects)
    told = {}
    for name, measure in RANGES.items():
        mine = held(facts, (measure,))
        told[name] = _spread(mine["n"], pd.to_numeric(mine["value"], errors="coerce"), count)
    told["complete"] = tiled.subjects["completeness_pct"].to_numpy(float)
    promises = tiled.frames["promises"]
    dated = promises.loc[promises["state"] != "void", "n"].unique()
    late = np.full(count, np.nan)
    late[dated] = tiled.subjects["days_late"].to_numpy(float)[dated]
    near = tiled.frames["near"]
    for kind in NEAR:
        mine = near[near["kind"] == kind]
        for end in ("least", "most"):
            told[f"{kind}_{end}"] = _spread(mine["n"], mine[f"{end}_km"], count)
    return told | {"late": late}


def _spread(numbers: "pd.Series[int]", values: "pd.Series[float]", count: int) -> np.ndarray:
    told = np.full(count, np.nan)
    told[numbers.to_numpy()] = values.to_numpy(float)
    return told


def _grounds(tiled: Tiled) -> dict[str, Column]:
    """Return where each record lies in truth, what is drawn aside too; what is unplaced nowhere."""
    subjects = tiled.subjects
    is_there = ((subjects["shape"] >= 0) & ~subjects["is_unplaced"]).to_numpy()
    lon, lat = (np.where(is_there, subjects[name], np.nan) for name in ("true_lon", "true_lat"))
    px, py = spots(lon, lat, FINE_ZOOM)
    edges = subjects[EDGES].to_numpy(float)
    east = np.maximum(lon - edges[:, 0], edges[:, 2] - lon) * np.cos(np.radians(lat))
    north = np.maximum(lat - edges[:, 1], edges[:, 3] - lat)
    extent = np.where(is_there, np.ceil(np.hypot(east, north) * DEGREE_M), np.nan)
    doubt = subjects["accuracy_m"].to_numpy(float).copy()
    doubt[~is_there] = np.nan
    plain = {"px": Column(px, {}), "py": Column(py, {})}
    return plain | {"doubt": _steps(np.ceil(doubt)), "extent": _steps(extent)}


def _inside(tiled: Tiled) -> tuple[Column | None, np.ndarray]:
    """Return in which record each lies: its number or, past all numbers, its place in ``outer``.

    None where no record lies in another; and, of each, whether it lies in one.
    """
    count = len(tiled.subjects)
    ids = tiled.subjects["inside_id"].fillna("")
    codes, found = pd.factorize(ids, sort=True)
    numbers = tiled.numbers([str(one) for one in found])
    others = [str(one) for one, n in zip(found, numbers, strict=True) if one and n < 0]
    numbers[[bool(one) and n < 0 for one, n in zip(found, numbers, strict=True)]] = (
        count + np.arange(len(others))
    )
    told = numbers[codes]
    inner = told >= 0
    if not inner.any() and not tiled.holding:
        return None, inner
    names: dict[str, Json] = {"outer": list[Json](others), "held": dict[str, Json](tiled.holding)}
    names["known"] = int(inner.sum())
    return Column(np.where(inner, told, np.iinfo("uint32").max).astype("uint32"), names), inner


def _money(tiled: Tiled) -> Iterator[Column]:
    """Yield the newest whole amounts of each kind of money, units apart."""
    rows = newest_money(tiled.frames["money_events"])
    without = len(tiled.subjects) - rows["n"].nunique()
    for (kind, unit), mine in rows.groupby(["kind", "unit"], sort=True):
        amounts = pd.to_numeric(mine["amount"], errors="coerce")
        values = _spread(mine["n"], amounts, len(tiled.subjects))
        column = _steps(values, MONEY_DECIMALS)
        total: dict[str, Json] = {"kind": str(kind), "unit": str(unit), "sum": _sum(values)}
        total["without"] = without
        yield Column(column.numbers, {**column.told, **total})


def _ranks(tiled: Tiled) -> dict[str, Column]:
    told = {}
    for lang, other in (("vi", "en"), ("en", "vi")):
        names, others = (tiled.subjects[f"name_{one}"] for one in (lang, other))
        order = pc.sort_indices(all_folded(names.where(names != "", others))).to_numpy()
        ranks = np.empty(len(order), dtype="uint32")
        ranks[order] = np.arange(len(order))
        told[f"rank_{lang}"] = Column(_narrow(ranks.astype("int64"), len(order)), {})
    return told


def _sets(keys: "pd.Series[str]") -> Column:
    """Number the sets of keys; where there are too many keys the rarest are one key together."""
    codes, found = pd.factorize(keys.fillna(""), sort=True)
    sets = [tuple(key for key in str(one).split(";") if key) for one in found]
    times = Counter[str]()
    for one, count in zip(sets, np.bincount(codes, minlength=len(sets)).tolist(), strict=True):
        times.update(dict.fromkeys(one, count))
    if len(times) > MOST_KEYS:
        ranked = sorted(times, key=lambda key: (-times[key], key))
        kept = set(ranked[: MOST_KEYS - 1])
        sets = [tuple(dict.fromkeys(key if key in kept else OTHER for key in one)) for one in sets]
    return Column(_narrow(codes, len(found)), {}, tuple(sets))


def _coded(texts: "pd.Series[str]", name: str) -> Column:
    codes, found = pd.factorize(texts, sort=True)
    return Column(_narrow(codes, len(found)), {name: [str(one) for one in found]})


def _steps(values: np.ndarray, decimals: int = MOST_DECIMALS) -> Column:
    """Write values with the fewest decimals that hold them all, up to so many."""
    known, near = values[~np.isnan(values)], 10.0 ** -(decimals + 1)
    places = next(
        (d for d in range(decimals) if np.allclose(known, known.round(d), rtol=0, atol=near)),
        decimals,
    )
    steps = np.rint(known * 10**places).astype("int64")
    most = int(steps.max(initial=0))
    numbers = np.full(len(values), -1, dtype="int64")
    numbers[~np.isnan(values)] = steps
    told: dict[str, Json] = {"decimals": places, "most": most / 10**places, "known": len(known)}
    return Column(_narrow(numbers, most + 1), told)


def _narrow(numbers: np.ndarray, values: int) -> np.ndarray:
    """Return numbers below ``values`` in the smallest type that has one more for "not known"."""
    kind = next((name for name in TYPES if values < np.iinfo(name).max), None)
    if kind is None:
        return numbers.astype("float64")
    return np.where(numbers < 0, np.iinfo(kind).max, numbers).astype(kind)


def year_marks(tiled: Tiled, as_of: date) -> "pd.Series[str]":
    """Return for each record what `years.year_marks` says of it."""
    stages = tiled.names["stages"].set_index("stage_id")[["rank", "group", "axis"]]
    events = tiled.frames["stage_events"].join(stages, on="stage_id")
    events = _dated(events, "on").assign(rank=events["rank"].astype("int64"))
    promised = _open_promises(tiled, stages, as_of)
    total = pd.RangeIndex(len(tiled.subjects))
    codes, marks = np.zeros(len(total), dtype="int64"), [""]
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
        added, found = pd.factorize(letters)
        told, codes = np.unique(codes * len(found) + added, return_inverse=True)
        marks = [marks[one // len(found)] + str(found[one % len(found)]) for one in told.tolist()]
    return pd.Series(np.array(marks, dtype=object)[codes], total, dtype="str")


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
