"""Which claim holds today? One rule, and the others stay visible beside it."""

from decimal import Decimal

import pandas as pd

from geodata.cells import by_value, is_number, ordinals
from geodata.dates import period_end
from geodata.schema import CONFIDENCES

GROUP = ["subject_id", "measure", "phase"]


def resolve(claims: pd.DataFrame) -> pd.DataFrame:
    """Order the claims of each subject, measure and phase; the first one is the fact.

    Newest ``as_of`` first (a cut date counts as its last day), then the better confidence, then
    the smaller document id, then the smaller claim id. Adds ``rank`` (1 is the fact) and
    ``is_disputed``: another claim of the group says something else for the same day, or is
    marked as a conflict. Rows in = rows out.
    """
    ordered = claims.assign(
        _end=ordinals(claims["as_of"], period_end),
        _trust=claims["confidence"].map(CONFIDENCES.index).astype("int64"),
    ).sort_values(
        [*GROUP, "_end", "_trust", "document_ids", "claim_id"],
        ascending=[True, True, True, False, True, True, True],
    )
    groups = ordered.groupby(GROUP, sort=False)
    said = ordered["qualifier"] + by_value(ordered["value"], _plain)
    differs = said != said.where(groups.cumcount() == 0).ffill()
    same_day = ordered["_end"] == groups["_end"].transform("first")
    in_conflict = ordered["confidence"] == "conflict"
    against = (differs & (same_day | in_conflict)) | in_conflict
    return ordered.assign(
        rank=groups.cumcount() + 1,
        is_disputed=against.groupby([ordered[c] for c in GROUP]).transform("any"),
    ).drop(columns=["_end", "_trust"])


def _plain(value: str) -> str:
    """Write a number in its one form, so that 10.10 does not dispute 10.1."""
    return f"{Decimal(value).normalize() + 0:f}" if is_number(value) else value
