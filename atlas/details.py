"""What the map's panel says of tiled records, in shards of a few hundred, in one language.

A shard is a JSON object of columns; a browser fetches the one of the record that is opened. A
text that many records share is made once.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from atlas.layers import Json, safe_json
from atlas.records import Claim
from atlas.telling import (
    MAIN_MEASURES,
    PANEL_FACTS,
    PANEL_MONEY,
    Spot,
    claim_text,
    dated_stage,
    position_text,
)
from atlas.tiled import Tiled, held
from atlas.words import NOT_PLAIN, Words
from geodata.cells import ordinals, parts_of, rows_of
from geodata.dates import period_end
from geodata.schema import MONEY_KINDS

SHARD = 256
"""Records in a shard: some ten kilobytes on the way."""

Texts = np.ndarray[Any, np.dtype[np.object_]]


@dataclass(frozen=True)
class Lines:
    """Lines of text about records: ``n`` is whose, sorted; the other columns are its texts."""

    n: np.ndarray
    columns: tuple[Texts, ...]

    def of(self, span: slice) -> list[list[Json]]:
        """Return the lines of each record of a span."""
        ends = np.searchsorted(self.n, np.arange(span.start, span.stop + 1)).tolist()
        told = [column[ends[0] : ends[-1]].tolist() for column in self.columns]
        lines: list[Json] = [list(line) for line in zip(*told, strict=True)]
        return [lines[a - ends[0] : b - ends[0]] for a, b in zip(ends, ends[1:], strict=False)]


def said(rows: pd.DataFrame, columns: list[str], say: Callable[..., str]) -> Texts:
    """Return for each row what ``say`` makes of its cells, asked once for each set of cells."""
    if rows.empty:
        return np.empty(0, dtype=object)
    codes = rows.groupby(columns, sort=False, dropna=False).ngroup().to_numpy()
    sets = rows.drop_duplicates(columns)[columns]
    return np.array([say(*cells) for cells in sets.itertuples(index=False)], dtype=object)[codes]


def shards(tiled: Tiled, words: Words) -> Iterator[str]:
    """Yield the shards in order, each safe in any HTML: record n is in shard n // `SHARD`.

    ``site/scripts/map/types.d.ts`` names their columns.
    """
    subjects, teller = tiled.subjects, Teller(tiled, words)
    plain = {"id": "subject_id", "stage": "stage_group"}
    plain |= {name: name for name in ("table", "kind", "sign", "schedule")}
    columns: dict[str, Any] = {  # cells become objects shard by shard
        name: subjects[column].array for name, column in plain.items()
    }
    columns |= {
        "name": teller.names(),
        "says": teller.stages(),
        "where": teller.positions(),
        "against": teller.schedules(),
    }
    columns |= {"area": teller.areas(), "complete": subjects["completeness_pct"].to_numpy()}
    spots = subjects[["lat", "lon"]].round(5).to_numpy()
    lines = (teller.facts(), teller.money())
    promises = teller.promises()
    for start in range(0, len(subjects), SHARD):
        span = slice(start, min(start + SHARD, len(subjects)))
        shard: dict[str, Any] = {name: column[span].tolist() for name, column in columns.items()}
        shard["at"] = [None if np.isnan(y) else [y, x] for y, x in spots[span].tolist()]
        shard["facts"], shard["money"] = (told.of(span) for told in lines)
        shard["promise"] = [told[0] if told else [] for told in promises.of(span)]
        yield _written(shard)


def _written(shard: dict[str, Json]) -> str:
    text = json.dumps(shard, ensure_ascii=False, separators=(",", ":"))
    # few texts hide anything, and to look through each of them takes long
    is_plain = not NOT_PLAIN.search(text) and "\\u00" not in text and not set(text) & set("<>&")
    return text if is_plain else safe_json(shard)


class Teller:
    """One language's texts of the tiled records, a column at a time."""

    def __init__(self, tiled: Tiled, words: Words) -> None:
        self.words = words
        self._tiled = tiled
        self._subjects = tiled.subjects
        self._documents = _named(tiled.names["documents"], "document_id", words)
        self._units = _named(tiled.names["communes"], "unit_id", words)
        self._stages = _named(tiled.names["stages"], "stage_id", words)

    def names(self) -> Texts:
        """Return the names, of the other language where this one has none."""
        pair = ("name_vi", "name_en") if self.words.lang == "vi" else ("name_en", "name_vi")
        first, second = (self._subjects[name].to_numpy(object) for name in pair)
        return np.where(first != "", first, second)

    def areas(self) -> Texts:
        """Return the hectares of each, None where nobody tells them."""
        mine = held(self._tiled.frames["facts"], ("area_ha",)).set_index("n")["value"]
        values = pd.to_numeric(mine, errors="coerce").reindex(range(len(self._subjects)))
        return values.astype(object).where(values.notna(), None).to_numpy(object)

    def stages(self) -> Texts:
        """Return kind and stage, as the map says them of a small layer's record."""
        words = self.words

        def say(kind: str, stage: str, on: str, basis: str) -> str:
            known = dated_stage(self._stages[stage], on, basis, words) if stage else ""
            return f"{words(f'kind.{kind}')} · {known or words('stage.not_known')}"

        return said(self._subjects, ["kind", "stage_id", "stage_on", "stage_on_basis"], say)

    def positions(self) -> Texts:
        """Return how well each position is known."""

        def say(table: str, sign: str, method: str, accuracy_m: float, units: str) -> str:
            if sign == "none":
                return self.words("position.none")
            names = ", ".join(self._units[unit] for unit in parts_of(units) if unit in self._units)
            return position_text(Spot(table, sign, method, float(accuracy_m)), names, self.words)

        units = self._subjects["commune_ids"].where(
            self._subjects["commune_ids"] != "", self._subjects["district_ids"]
        )
        rows = pd.DataFrame(self._subjects[["table", "sign", "method", "accuracy_m"]])
        return said(rows.assign(units=units), [*rows.columns, "units"], say)

    def schedules(self) -> Texts:
        """Return how each record stands against its promises."""

        def say(schedule: str, days: int) -> str:
            return self.words(f"schedule.{schedule}", days=self.words.number(str(days)))

        return said(self._subjects, ["schedule", "days_late"], say)

    def facts(self) -> Lines:
        """Return the main facts: name, value, date, sources, trust and the other claims."""
        rows = main_facts(self._tiled.frames["facts"])
        is_first = ~rows.duplicated(["n", "measure"])
        first = rows[is_first]
        others = self._others(rows[~is_first])
        keys = pd.MultiIndex.from_frame(first[["n", "measure"]])
        return Lines(
            first["n"].to_numpy(),
            (
                said(first, ["measure"], self._measure),
                self._values(first),
                *self._proof(first, ["as_of", "as_of_basis"]),
                others.reindex(keys, fill_value="").to_numpy(object),
            ),
        )

    def money(self) -> Lines:
        """Return the newest whole amount of each kind, told like a fact."""
        newest = newest_money(self._tiled.frames["money_events"])
        rows = newest[newest.groupby("n").cumcount() < PANEL_MONEY]
        words = self.words

        def say(amount: str, unit: str, qualifier: str) -> str:
            return words.amount(amount, unit, qualifier)

        return Lines(
            rows["n"].to_numpy(),
            (
                said(rows, ["kind"], lambda kind: words(f"money.{kind}")),
                said(rows, ["amount", "unit", "qualifier"], say),
                *self._proof(rows.assign(is_disputed=False), ["on", "on_basis"]),
                np.full(len(rows), "", dtype=object),
            ),
        )

    def promises(self) -> Lines:
        """Return the promise on which each schedule rests: its days, sources and trust."""
        rows = deciding_promises(self._tiled.frames)
        words = self.words

        def say(due: str, published: str) -> str:
            dates = {"due": words.date(due), "published": words.date(published)}
            return words("browse.promised_for", **dates)

        return Lines(
            rows["n"].to_numpy(),
            (
                said(rows, ["due_on", "published_on"], say),
                said(rows, ["document_ids"], self._sources),
                said(rows, ["confidence"], lambda one: words(f"confidence.{one}")),
            ),
        )

    def _measure(self, measure: str) -> str:
        told = self._tiled.names["measures"]
        (row,) = rows_of(told[told["measure"] == measure])
        return self.words.of(row, "name")

    def _values(self, claims: pd.DataFrame) -> Texts:
        told = {row["measure"]: row for row in rows_of(self._tiled.names["measures"])}

        def say(measure: str, value: str, value_en: str, unit: str, qualifier: str) -> str:
            row = told[measure]
            is_number = row["value_type"] == "number"
            units = (unit, row["unit_en"])
            text = (value, value_en or value)
            claim = Claim("", qualifier, *text, *units, is_number, "", "", "", (), "", "", "")
            return claim_text(claim, self.words)

        return said(claims, ["measure", "value", "value_en", "unit", "qualifier"], say)

    def _proof(self, rows: pd.DataFrame, dated: list[str]) -> tuple[Texts, Texts, Texts]:
        words = self.words

        def trust(confidence: str, is_disputed: bool) -> str:
            return words("confidence.conflict" if is_disputed else f"confidence.{confidence}")

        return (
            said(rows, dated, words.dated),
            said(rows, ["document_ids"], self._sources),
            said(rows, ["confidence", "is_disputed"], trust),
        )

    def _sources(self, document_ids: str) -> str:
        return "; ".join(
            self._documents[one] for one in parts_of(document_ids) if one in self._documents
        )

    def _others(self, rows: pd.DataFrame) -> "pd.Series[str]":
        dates = said(rows, ["as_of"], self.words.date)
        texts = [f"{v} ({d})" for v, d in zip(self._values(rows), dates, strict=True)]
        told = rows[["n", "measure"]].assign(text=pd.Series(texts, rows.index, dtype="str"))
        return told.groupby(["n", "measure"])["text"].agg("; ".join)


def main_facts(facts: pd.DataFrame) -> pd.DataFrame:
    """Return the claims about the few measures that the panel shows, the ones that hold first.

    Sorted by record and by the order of `MAIN_MEASURES`; of no record more than `PANEL_FACTS`.
    """
    order = {measure: place for place, measure in enumerate(MAIN_MEASURES)}
    whole = facts[(facts["phase"] == "") & facts["measure"].isin(MAIN_MEASURES)]
    ranked = whole.assign(_order=whole["measure"].map(order).astype("int64"))
    ranked = ranked.sort_values(["n", "_order", "rank"], kind="stable", ignore_index=True)
    is_first = ~ranked.duplicated(["n", "measure"])
    place = is_first.groupby(ranked["n"]).cumsum()
    return ranked[place <= PANEL_FACTS]


def newest_money(money: pd.DataFrame) -> pd.DataFrame:
    """Return the newest whole amount of each kind of a record, in the order of `MONEY_KINDS`."""
    whole = money[money["phase"] == ""].sort_values(["n", "on", "money_id"], kind="stable")
    newest = whole.drop_duplicates(["n", "kind"], keep="last")
    order = newest["kind"].map(MONEY_KINDS.index).astype("int64")
    return newest.assign(_order=order).sort_values(["n", "_order"], ignore_index=True)


def deciding_promises(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return of each record the promise of `track.deciding`, with its first published date."""
    first = frames["milestones"].set_index("milestone_id")
    kept = ["due_on", "published_on", "document_ids", "confidence"]
    told = frames["promises"].join(first[kept], on="baseline_id")
    told = told.assign(_due=ordinals(told["due_on"], period_end))
    is_late, is_due = told["state"] == "late", told["state"] == "due"
    parts = (
        told[is_late].sort_values(["days_late", "promise_id"], ascending=False),
        told[is_due].sort_values(["_due", "promise_id"]),
        told[~is_late & ~is_due].sort_values(["met_on", "promise_id"], ascending=False),
    )
    chosen = pd.concat(parts).drop_duplicates("n")
    return chosen.sort_values("n", ignore_index=True)


def _named(rows: pd.DataFrame, key: str, words: Words) -> dict[str, str]:
    return {row[key]: words.of(row, "name") for row in rows_of(rows)}
