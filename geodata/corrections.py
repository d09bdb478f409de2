"""A fix is a declaration that expects to be needed; the publisher's file is never edited."""

import tomllib

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from geodata.errors import SourceError
from geodata.findings import Finding
from geodata.read import Sheet
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
    path = sheet.source.corrections
    if not path.is_file():
        return sheet
    rows = sheet.rows.copy()
    findings = list(sheet.findings)
    key_columns = TABLE[sheet.source.table].key
    for correction in _read_corrections(sheet):
        cells = zip(*(rows[name] for name in (*key_columns, correction.column)), strict=True)
        is_meant = [
            "/".join(key) == correction.key and cell == correction.was for *key, cell in cells
        ]
        hit = rows.index[np.array(is_meant, dtype=bool)]
        if hit.empty:
            findings.append(_not_needed(sheet, correction))
        rows.loc[hit, correction.column] = correction.now
    return Sheet(sheet.source, rows, sheet.rows_in_file, tuple(findings))


def _read_corrections(sheet: Sheet) -> tuple[Correction, ...]:
    source_id = sheet.source.source_id
    columns = TABLE[sheet.source.table].column_names
    try:
        told = tomllib.loads(sheet.source.corrections.read_text(encoding="utf-8"))
        corrections = CorrectionsFile.model_validate(told).correction
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError) as error:
        raise SourceError(source_id, "corrections_are_described", str(error)) from error
    strange = [c.column for c in corrections if c.column not in columns]
    if strange:
        raise SourceError(
            source_id, "corrections_are_described", f"corrections name no column: {strange}"
        )
    return corrections


def _not_needed(sheet: Sheet, correction: Correction) -> Finding:
    return Finding(
        sheet.source.source_id,
        sheet.source.table,
        0,
        correction.key,
        correction.column,
        "correction_is_needed",
        "source",
        f"expected to find {correction.was!r} and did not; remove or renew the correction",
    )
