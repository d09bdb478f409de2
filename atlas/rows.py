"""The tiled records' rows of the filtered download, and their shapes, in shards of a few hundred.

Record n is in shard n // `details.SHARD`; both languages share them.
"""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import shapely

from atlas.browse import CARRIED, NUMBERS, WHO
from atlas.columns import NEAR
from atlas.details import SHARD
from atlas.layers import STEPS
from atlas.placed import AREAS, LINES
from atlas.tiled import Tiled, held
from geodata.cells import by_value, parts_of

OF_EDITION = ("as_of", "edition")
"""Columns of the download that are the same in every row: the browser knows them."""

DECIMALS = 6
Values = np.ndarray[Any, np.dtype[Any]]


def rows(tiled: Tiled) -> Iterator[bytes]:
    """Yield the shards in order: the columns of `browse.CARRIED`, those with nothing left out."""
    told = _columns(tiled)
    for span in _spans(len(tiled.subjects)):
        shard = {name: _cells(values.iloc[span]) for name, values in told.items()}
        kept = {name: cells for name, cells in shard.items() if any(c != "" for c in cells)}
        yield _json(kept).encode("utf-8")


def shapes(tiled: Tiled) -> Iterator[bytes]:
    """Yield the shards in order: of each record its ``lines`` or ``rings``, else null.

    They are written as `layers.drawing` writes them; a point has neither.
    """
    for span in _spans(len(tiled.subjects)):
        told: list[str] = []
        for rows in tiled.spans(np.arange(span.start, span.stop)):
            told += _drawings(tiled.read(rows))
        yield f"[{','.join(told)}]".encode()


def _drawings(part: Values) -> list[str]:
    kinds = shapely.get_type_id(part)
    told = ["null"] * len(part)
    for name, types in (("lines", LINES), ("rings", AREAS)):
        mine = np.flatnonzero(np.isin(kinds, types))
        drawn = _lines_of(part[mine]) if name == "lines" else _rings_of(part[mine])
        for place, one in zip(mine.tolist(), drawn, strict=True):
            told[place] = _json({name: one})
    return told


def _spans(count: int) -> Iterator[slice]:
    return (slice(start, min(start + SHARD, count)) for start in range(0, count, SHARD))


def _json(told: object) -> str:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def _cells(values: "pd.Series[Any]") -> list[object]:
    """Write what is not known as an empty text."""
    return ["" if cell is None or cell != cell else cell for cell in values.tolist()]


def _columns(tiled: Tiled) -> dict[str, "pd.Series[Any]"]:
    """Return the columns as they are held; cells become objects shard by shard."""
    subjects, count = tiled.subjects, len(tiled.subjects)
    told: dict[str, pd.Series[Any]] = {name: subjects[name] for name in CARRIED if name in subjects}
    told |= {
        "id": subjects["subject_id"],
        "position_method": subjects["method"].fillna(""),
        "length_km": pd.to_numeric(subjects["length_km"], errors="coerce"),
        "longitude": _rounded(subjects["true_lon"]),
        "latitude": _rounded(subjects["true_lat"]),
    }
    units = tiled.names["communes"].set_index("unit_id")["name_vi"].to_dict()
    for name, ids in (("communes", "commune_ids"), ("districts", "district_ids")):
        told[name] = by_value(
            subjects[ids], lambda cell: ";".join(units[u] for u in parts_of(cell))
        )
    facts = held(tiled.frames["facts"], (*WHO, *NUMBERS)).set_index("n")
    for measure, mine in facts.groupby("measure", sort=True):
        values = mine["value"].reindex(range(count))
        is_text = measure in WHO
        told[str(measure)] = (
            values.fillna("") if is_text else pd.to_numeric(values, errors="coerce")
        )
        if measure == "area_ha":
            told["area_as_of"] = mine["as_of"].reindex(range(count)).fillna("")
    near = tiled.frames["near"].set_index("n")
    for kind in NEAR:
        mine = near[near["kind"] == kind].reindex(range(count))
        told |= {
            f"{kind}_{end}_km": mine[f"{end}_km"].astype("float64") for end in ("least", "most")
        }
    return {name: told[name] for name in CARRIED if name in told and name not in OF_EDITION}


def _rounded(degrees: "pd.Series[float]") -> "pd.Series[float]":
    """Round as Python does, which numpy does not to the last digit."""
    return pd.Series([round(one, DECIMALS) for one in degrees.tolist()], degrees.index)


def _lines_of(drawn: Values) -> Iterator[list[list[int]]]:
    parts, of = shapely.get_parts(drawn, return_index=True)
    return _grouped(_steps_of(parts), of, len(drawn))


def _rings_of(drawn: Values) -> Iterator[list[list[list[int]]]]:
    parts, of = shapely.get_parts(drawn, return_index=True)
    rings, of_part = shapely.get_rings(parts, return_index=True)
    return _grouped(list(_grouped(_steps_of(rings), of_part, len(parts))), of, len(drawn))


def _grouped(items: list[Any], of: Values, count: int) -> Iterator[list[Any]]:
    ends = np.searchsorted(of, np.arange(count + 1)).tolist()
    return (items[a:b] for a, b in pairwise(ends))


def _steps_of(lines: Values) -> list[list[int]]:
    """Return each line as `layers.drawing` writes it: whole steps, latitude first."""
    corners, of = shapely.get_coordinates(lines, return_index=True)
    at = np.rint(corners[:, ::-1] * STEPS).astype("int64")
    steps = at.copy()
    steps[1:] -= np.where((of[1:] == of[:-1])[:, None], at[:-1], 0)
    flat = steps.ravel().tolist()
    ends = np.searchsorted(of, np.arange(len(lines) + 1)).tolist()
    return [flat[2 * a : 2 * b] for a, b in pairwise(ends)]
