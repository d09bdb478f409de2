"""A fix is a declaration that expects to be needed; the publisher's file is never edited."""

import tomllib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from geodata.catalog import Source
from geodata.errors import SourceError
from geodata.findings import Finding
from geodata.read import Layer, Sheet
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
    """Return the sheet with its declared corrections applied.

    A correction whose row or old value is not there is a finding that refuses the source: the
    publisher has repaired it, or the row is gone, and a person must look.
    """
    source = sheet.source
    if not source.corrections.is_file():
        return sheet
    table = TABLE[source.table]
    declared = _read_corrections(source, table.column_names)
    rows, findings = _corrected(source, sheet.rows, table.key, declared)
    return replace(sheet, rows=rows, findings=(*sheet.findings, *findings))


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
    rows, findings = _corrected(source, texts, key, declared)
    features = layer.features.assign(**{name: rows[name] for name in names})
    return replace(layer, features=features, findings=(*layer.findings, *findings))


def _corrected(
    source: Source, told: pd.DataFrame, key: Sequence[str], declared: Sequence[Correction]
) -> tuple[pd.DataFrame, list[Finding]]:
    rows = told.copy()
    findings = []
    for correction in declared:
        cells = zip(*(rows[name] for name in (*key, correction.column)), strict=True)
        is_meant = [
            "/".join(parts) == correction.key and cell == correction.was for *parts, cell in cells
        ]
        hit = rows.index[np.array(is_meant, dtype=bool)]
        if hit.empty:
            findings.append(_not_needed(source, correction))
        rows.loc[hit, correction.column] = correction.now
    return rows, findings


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
