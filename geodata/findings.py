"""Findings: a rule that a row or a source breaks, told so that a person can act on it."""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pandas as pd  # at import it would weigh on every command that can refuse

Severity = Literal["source", "row", "note"]


@dataclass(frozen=True, order=True)
class Finding:
    """One broken rule.

    ``row`` is the line in the publisher's file (the header is line 1), 0 for a source as a
    whole. ``severity``: ``source`` stops the publication, ``row`` sends the row to quarantine,
    ``note`` is published beside the record. ``detail`` says what was found and what was needed.
    """

    source_id: str
    table: str
    row: int
    key: str
    column: str
    rule: str
    severity: Severity
    detail: str


FINDING_COLUMNS = tuple(Finding.__dataclass_fields__)


def subject_of(key: str, subjects: Container[str]) -> str:
    """Return the subject that a row is about, or "": a row's key is its id, or begins with it.

    Of several that a key begins with it is the longest.
    """
    while key and key not in subjects:
        key = key.rpartition(".")[0]
    return key


def findings_table(findings: Iterable[Finding]) -> "pd.DataFrame":
    """Return findings as a table, sorted by source, table, row, key, column and rule."""
    import pandas as pd

    rows = [[getattr(f, name) for name in FINDING_COLUMNS] for f in sorted(findings)]
    return pd.DataFrame(rows, columns=list(FINDING_COLUMNS))
