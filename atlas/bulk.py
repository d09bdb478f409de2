"""The tiled records as other programs open them: the same columns as the layers of the others."""

from collections.abc import Iterator

import geopandas as gpd
import numpy as np
import pandas as pd

from atlas.formats import NUMBER_FIELDS, TEXT_FIELDS
from atlas.tiled import Tiled
from geodata.cells import only_known
from geodata.crs import DISPLAY_CRS

CLAIMED = {"area_ha": "area_ha", "occupancy_pct": "occupancy_pct", "length_km": "length_km_claimed"}
"""Measures whose claims stand in the layers, and their columns."""


def bulk_layer(tiled: Tiled, table: str) -> Iterator[gpd.GeoDataFrame]:
    """Yield, in parts, the tiled records of ``places`` or ``routes``, sorted by id, EPSG:4326.

    Their geometry is the best known position, not where the map draws it.
    """
    subjects = tiled.subjects[tiled.subjects["table"] == table].sort_values("subject_id")
    told = subjects.rename(columns={"subject_id": "id"})
    told["stage_on"] = told["stage_on"].where(told["stage_id"] != "", "")
    told["stage_group"] = told["stage_group"].where(told["stage_id"] != "", "")
    told["commune_ids"] = only_known(told["commune_ids"], set(tiled.names["communes"]["unit_id"]))
    told = told.join(_claimed(tiled)).join(_notes(tiled))
    texts = {name: told[name].astype("str").where(told[name].notna()) for name in TEXT_FIELDS}
    numbers = {name: told[name].astype("float64") for name in NUMBER_FIELDS}
    whole = pd.DataFrame(texts | numbers)
    for rows in tiled.spans(whole.index.to_numpy()):
        shapes = gpd.GeoSeries(list(tiled.read(rows)), index=rows, crs=DISPLAY_CRS)
        yield gpd.GeoDataFrame(whole.loc[rows], geometry=shapes)


def _claimed(tiled: Tiled) -> pd.DataFrame:
    facts = tiled.frames["facts"]
    whole = facts[facts["phase"] == ""].sort_values(["n", "rank"], kind="stable")
    told = pd.DataFrame(index=pd.RangeIndex(len(tiled.subjects)))
    for measure, name in CLAIMED.items():
        mine = whole[whole["measure"] == measure].drop_duplicates("n").set_index("n")
        told[name] = pd.to_numeric(mine["value"], errors="coerce").reindex(told.index)
        told[f"{measure}_as_of"] = mine["as_of"].reindex(told.index)
    return told


def _notes(tiled: Tiled) -> pd.DataFrame:
    placed = tiled.frames["positions"].drop_duplicates("n").set_index("n")
    told = placed[["note_vi", "note_en"]].add_prefix("position_")
    return told.reindex(np.arange(len(tiled.subjects)))
