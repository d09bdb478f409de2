"""A fix is a declaration that expects to be needed; the publisher's file is never edited."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import chain

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from geodata.catalog import Source
from geodata.cells import is_number, parts_of
from geodata.errors import SourceError
from geodata.findings import Finding
from geodata.read import Layer, Sheet, joined
from geodata.schema import TABLE


class Correction(BaseModel):
    """One known fault of one cell: the value found, the value meant, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    column: str
    was: str
    now: str
    why: str


class CorrectionsFile(BaseModel):
    """What ``corrections.toml`` may hold, and nothing else."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    correction: tuple[Correction, ...] = ()


def apply_corrections(sheet: Sheet) -> Sheet:
    """Return a whole sheet as `correct_parts` does its parts."""
    return joined(correct_parts([sheet]))


def correct_parts(parts: Iterable[Sheet]) -> Iterator[Sheet]:
    """Yield the parts of a sheet with its declared corrections applied.

    A correction whose row or old value is in none of them is a finding that refuses the source:
    the publisher has repaired it, or the row is gone, and a person must look.
    """
    left = iter(parts)
    first = next(left)
    source = first.source
    if not source.corrections.is_file():
        yield from chain([first], left)
        return
    table = TABLE[source.table]
    declared = needless = _read_corrections(source, table.column_names)
    for part in chain([first], left):
        rows, missed = _corrected(part.rows, table.key, declared)
        needless = tuple(correction for correction in needless if correction in missed)
        yield replace(part, held=rows)
    if needless:
        findings = tuple(_not_needed(source, correction) for correction in needless)
        yield Sheet(source, first.rows.head(0), 0, findings)


def correct_layer(layer: Layer) -> Layer:
    """Return the layer with the declared corrections of its attributes, as `apply_corrections`.

    SourceError where the layer does not hold the key of its source: no feature could be meant.
    """
    source = layer.source
    if not source.corrections.is_file():
        return layer
    key = (source.key,) if isinstance(source.key, str) else source.key
    names = [str(name) for name in layer.features.columns.drop("geometry")]
    declared = _read_corrections(source, names)
    if set(key) - set(names):
        message = f"corrections name features by {'/'.join(key)}, which the layer does not hold"
        raise SourceError(source.source_id, "corrections_are_described", message)
    texts = pd.DataFrame(layer.features[names])
    rows, needless = _corrected(texts, key, declared)
    findings = [_not_needed(source, correction) for correction in needless]
    features = layer.features.assign(**{name: rows[name] for name in names})
    return replace(layer, features=features, findings=(*layer.findings, *findings))


def _corrected(
    told: pd.DataFrame, key: Sequence[str], declared: Sequence[Correction]
) -> tuple[pd.DataFrame, list[Correction]]:
    """Return corrected rows, and the corrections that none of them needs."""
    rows = told.copy()
    needless = []
    for correction in declared:
        cells = zip(*(rows[name] for name in (*key, correction.column)), strict=True)
        is_meant = [
            "/".join(parts) == correction.key and cell == correction.was for *parts, cell in cells
        ]
        hit = rows.index[np.array(is_meant, dtype=bool)]
        if hit.empty:
            needless.append(correction)
        rows.loc[hit, correction.column] = correction.now
    return rows, needless


def _read_corrections(source: Source, columns: Sequence[str]) -> tuple[Correction, ...]:
    source_id = source.source_id
    try:
        told = tomllib.loads(source.corrections.read_text(encoding="utf-8"))
        corrections = CorrectionsFile.model_validate(told).correction
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError) as error:
        raise SourceError(source_id, "corrections_are_described", str(error)) from error
    strange = [c.column for c in corrections if c.column not in columns]
    if strange:
        raise SourceError(
            source_id, "corrections_are_described", f"corrections name no column: {strange}"
        )
    return corrections


def _not_needed(source: Source, correction: Correction) -> Finding:
    return Finding(
        source.source_id,
        source.table or source.layer,
        0,
        correction.key,
        correction.column,
        "correction_is_needed",
        "source",
        f"expected to find {correction.was!r} and did not; remove or renew the correction",
    )


@dataclass(frozen=True)
class Handed:
    """A correction that somebody handed in, and the document and cell that it stands in."""

    table: str
    key: str
    column: str
    was: str
    now: str
    why: str
    document_id: str
    place_vi: str
    place_en: str


@dataclass(frozen=True)
class Corrected:
    """Sheets with handed-in corrections: the rows they touched, and those that found no ``was``.

    ``touched`` tells by source and line, ``missed`` by its number, what stands there instead
    (None: no such row).
    """

    sheets: tuple[Sheet, ...]
    touched: Mapping[tuple[str, int], int]
    missed: Mapping[int, str | None]


def apply_handed(sheets: Sequence[Sheet], corrections: Sequence[Handed]) -> Corrected:
    """Apply handed-in corrections one after the other, each to the cell that says ``was``."""
    held = list(sheets)
    frames: dict[int, pd.DataFrame] = {}
    touched: dict[tuple[str, int], int] = {}
    missed: dict[int, str | None] = {}
    for number, correction in enumerate(corrections):
        found = _find_row(held, frames, correction)
        if found is None:
            missed[number] = None
            continue
        at, line = found
        rows = frames[at] if at in frames else held[at].rows
        if not _says(str(rows.at[line, correction.column]), correction.was):
            missed[number] = str(rows.at[line, correction.column])
            continue
        frames[at] = rows if at in frames else rows.copy()
        _correct(frames[at], line, correction)
        touched[held[at].source.source_id, line] = number
    done = [replace(s, held=frames[at]) if at in frames else s for at, s in enumerate(held)]
    return Corrected(tuple(done), touched, missed)


def _find_row(
    sheets: Sequence[Sheet], frames: Mapping[int, pd.DataFrame], wanted: Handed
) -> tuple[int, int] | None:
    key = TABLE[wanted.table].key
    for at, sheet in enumerate(sheets):
        if sheet.source.table != wanted.table:
            continue
        rows = frames[at] if at in frames else sheet.columns(key)
        told = ["/".join(cells) for cells in zip(*(rows[name] for name in key), strict=True)]
        if wanted.key in told:
            return at, int(rows.index[told.index(wanted.key)])
    return None


def _says(cell: str, was: str) -> bool:
    """Tell whether a cell says so; 1200.500 says 1200.5."""
    if is_number(cell) and is_number(was):
        return Decimal(cell) == Decimal(was)
    return cell == was


def _correct(rows: pd.DataFrame, line: int, correction: Handed) -> None:
    """Put the new value, the document that says so, and the reason into one row."""
    rows.at[line, correction.column] = correction.now
    if "document_ids" in rows:
        documents = [*parts_of(str(rows.at[line, "document_ids"])), correction.document_id]
        rows.at[line, "document_ids"] = ";".join(dict.fromkeys(documents))
    if "confidence" in rows and correction.column != "confidence":
        rows.at[line, "confidence"] = "one_source"
    for lang, place in (("vi", correction.place_vi), ("en", correction.place_en)):
        for name in (f"note_{lang}", f"caution_{lang}"):
            if name in rows and name != correction.column:
                rows.at[line, name] = f"{rows.at[line, name]!s} {place}".strip()


def not_needed(correction: Handed, source_id: str, row: int, found: str | None) -> Finding:
    """Return the note that a handed-in correction no longer finds what it corrects."""
    detail = f"expected to find {correction.was!r}, found {found!r}; it is not applied"
    return Finding(
        source_id,
        correction.table,
        row,
        correction.key,
        correction.column,
        "correction_is_needed",
        "note",
        detail,
    )
