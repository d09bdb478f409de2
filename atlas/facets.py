"""By which keys a reader narrows tiled records, and what the keys are called.

The same keys as those of the other records: `browse.IS` has them for one record at a time.
"""

import re

import pandas as pd

from atlas.conflicts import DISPUTED
from atlas.search import slug
from atlas.telling import NOT_KNOWN
from atlas.tiled import Tiled, held
from atlas.track import OWNING
from atlas.words import Words
from geodata.cells import by_value, only_known, rows_of
from geodata.schema import FUNDS

UNPLACED = "unplaced"
OTHER = "other_keys"
"""Stands for the rarest keys of a facet that has more than a form can hold."""

LISTED = re.compile(r"\s*[;,]\s*")
"""What parts the sectors that one claim names."""


def facet_keys(tiled: Tiled) -> dict[str, "pd.Series[str]"]:
    """Return each record's keys in each facet, joined by ``;``."""
    subjects = tiled.subjects
    levels = tiled.names["communes"].groupby("level")["unit_id"].agg(set)
    units = {level: levels.get(level, set()) for level in ("old_district", "commune")}
    is_route = subjects["table"] == "routes"
    nodes = {level: only_known(subjects["node_ids"], known) for level, known in units.items()}
    own = only_known(subjects["commune_ids"], units["commune"])
    passed = own.where(subjects["commune_ids"] != "", nodes["commune"])
    districts = subjects["district_ids"]
    method = subjects["method"].fillna("").mask(subjects["is_unplaced"], UNPLACED)
    return {
        "kind": subjects["kind"],
        "stage": subjects["stage_group"].replace(NOT_KNOWN, ""),
        "schedule": subjects["schedule"],
        "district": districts.where(districts != "", nodes["old_district"]),
        "commune": own.where(~is_route, passed),
        "who": _who(tiled),
        "fund": _funds(tiled),
        "sector": _sectors(tiled),
        "accuracy": method,
        "conflict": _conflicts(tiled),
    }


def _joined(rows: pd.DataFrame, tiled: Tiled) -> "pd.Series[str]":
    """Join the keys that rows (``n``, ``key``) give each record; "" where they give none."""
    known = rows[rows["key"] != ""].drop_duplicates().sort_values(["n", "key"])
    joined = known.groupby("n")["key"].agg(";".join)
    return joined.reindex(range(len(tiled.subjects)), fill_value="")


def _funds(tiled: Tiled) -> "pd.Series[str]":
    money = tiled.frames["money_events"][["n", "fund"]]
    return _joined(money[money["fund"].isin(FUNDS)].rename(columns={"fund": "key"}), tiled)


def _who(tiled: Tiled) -> "pd.Series[str]":
    facts = held(tiled.frames["facts"], OWNING)
    return _joined(pd.DataFrame({"n": facts["n"], "key": by_value(facts["value"], slug)}), tiled)


def _sectors(tiled: Tiled) -> "pd.Series[str]":
    facts = held(tiled.frames["facts"], ("sectors",))
    keys = by_value(facts["value"], lambda value: ";".join(map(slug, LISTED.split(value))))
    rows = pd.DataFrame({"n": facts["n"], "key": keys.astype("str").str.split(";")})
    return _joined(rows.explode("key"), tiled)


def _conflicts(tiled: Tiled) -> "pd.Series[str]":
    facts = tiled.frames["facts"].sort_values("rank", kind="stable")
    first = facts.drop_duplicates(["n", "measure", "phase"])
    disputed = first.loc[first["is_disputed"].astype("bool"), ["n"]].assign(key=DISPUTED)
    broken = tiled.frames["findings"][["n", "rule"]].rename(columns={"rule": "key"})
    return _joined(pd.concat([broken, disputed], ignore_index=True), tiled)


SECTIONS = {
    "kind": "kind.",
    "stage": "stage_group.",
    "schedule": "track.state_",
    "fund": "fund.",
    "accuracy": "browse.accuracy_",
    "conflict": "rule.",
}
"""Where the words of a facet's keys begin; those of the others are names."""


def labels(name: str, keys: frozenset[str], tiled: Tiled, words: Words) -> dict[str, str]:
    """Return what the keys of a facet are called."""
    told = {OTHER: words("tiled.other_keys"), DISPUTED: words("conflict.disputed")}
    there = {key: text for key, text in told.items() if key in keys}
    rest = keys - there.keys()
    if name in SECTIONS:
        return there | {key: words(f"{SECTIONS[name]}{key}") for key in rest}
    if name in ("who", "sector"):
        named = _owners(tiled, words) if name == "who" else _sector_names(tiled, words)
        return there | {key: named[key] for key in rest}
    rows = tiled.names["communes"]
    units = rows_of(rows[rows["unit_id"].isin(list(rest))])
    return there | {row["unit_id"]: words.of(row, "name") for row in units}


def _texts(tiled: Tiled, measures: tuple[str, ...], words: Words) -> list[tuple[str, str]]:
    """Return each different value of the measures, and how a page writes it."""
    facts = held(tiled.frames["facts"], measures)[["value", "value_en", "qualifier"]]
    shown = facts["value_en"].where(facts["value_en"] != "", facts["value"])
    told = facts.assign(shown=facts["value"] if words.lang == "vi" else shown).drop_duplicates()
    cells = told[["value", "qualifier", "shown"]].itertuples(index=False, name=None)
    return [(value, words.qualified(qualifier, text)) for value, qualifier, text in cells]


def _owners(tiled: Tiled, words: Words) -> dict[str, str]:
    return {slug(value): text for value, text in _texts(tiled, OWNING, words)}


def _sector_names(tiled: Tiled, words: Words) -> dict[str, str]:
    named: dict[str, str] = {}
    for value, text in _texts(tiled, ("sectors",), words):
        keys, names = LISTED.split(value), LISTED.split(text)
        named |= zip(map(slug, keys), names if len(names) == len(keys) else keys, strict=True)
    return named
