"""The inbox: which planners' workbooks were taken, and what of them was accepted.

Each workbook is judged once, on the night it is taken, and the judgement is kept in the archive
beside its bytes: ``inbox.jsonl`` gains one line, which is the only step that takes. Before it
nothing was taken, after it nothing can be taken twice. The file in the inbox is never touched.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date

import pandas as pd

from geodata.archive import Archive
from geodata.deposit import document_id
from geodata.findings import FINDING_COLUMNS, Finding
from geodata.handin import Cover, Reason
from geodata.workbook import PAGE

LOG = "inbox"
NOBODY = Cover("", "", "", "", "", "", "")


@dataclass(frozen=True)
class Row:
    """One row that was handed in: accepted where no reason speaks against it."""

    page: str
    row: int
    values: Mapping[str, str]
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class Workbook:
    """One workbook that was taken, with the judgement of every row.

    ``refused`` is why it was refused as a whole; it then has no rows.
    """

    sha256: str
    name: str
    taken_on: str
    cover: Cover
    rows: tuple[Row, ...] = ()
    strange_sheets: tuple[str, ...] = ()
    refused: Reason | None = None

    @property
    def document_id(self) -> str:
        """The id under which it is a registered document."""
        return document_id(self.cover, self.sha256)

    @property
    def accepted(self) -> tuple[Row, ...]:
        """The rows that entered the atlas."""
        return tuple(row for row in self.rows if not row.reasons)

    @property
    def rejected(self) -> tuple[Row, ...]:
        """The rows that went back."""
        return tuple(row for row in self.rows if row.reasons)

    @property
    def judgement(self) -> bytes:
        """The workbook as the archive keeps it beside its bytes."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True).encode()

    def source_id(self, page: str) -> str:
        """Return the source id of one of its sheets."""
        return f"inbox_{self.sha256[:8]}_{page}"


def keep(archive: Archive, workbook: Workbook) -> None:
    """Enter a judged workbook; its bytes must be in the archive already."""
    entry = {"sha256": workbook.sha256, "judgement": archive.put(workbook.judgement)}
    archive.append(LOG, entry | {"name": workbook.name, "taken_on": workbook.taken_on})


def taken(archive: Archive, until: date | None = None) -> tuple[Workbook, ...]:
    """Return every workbook taken so far, in the order it was; up to a day where one is given."""
    found: dict[str, Workbook] = {}
    for entry in archive.entries(LOG):
        sha256, judgement = str(entry.get("sha256")), str(entry.get("judgement"))
        if sha256 not in found and archive.has(judgement):
            found[sha256] = _told(json.loads(archive.get(judgement)))
    day = until.isoformat() if until else ""
    return tuple(w for w in found.values() if not day or w.taken_on <= day)


def _told(told: dict[str, object]) -> Workbook:
    cover, rows, refused = told["cover"], told["rows"], told["refused"]
    assert isinstance(cover, dict) and isinstance(rows, list)
    return Workbook(
        sha256=str(told["sha256"]),
        name=str(told["name"]),
        taken_on=str(told["taken_on"]),
        cover=Cover(**cover),
        rows=tuple(
            Row(r["page"], r["row"], r["values"], tuple(Reason(**why) for why in r["reasons"]))
            for r in rows
        ),
        strange_sheets=tuple(told["strange_sheets"]),  # type: ignore[arg-type]
        refused=Reason(**refused) if isinstance(refused, dict) else None,
    )


def refusals(workbooks: Iterable[Workbook]) -> list[Finding]:
    """Return a finding for every reason of every refused row."""
    return [
        Finding(
            w.source_id(row.page),
            PAGE[row.page].table or row.page,
            row.row,
            "",
            why.column,
            why.rule,
            "row",
            why.detail or _detail(why),
        )
        for w in workbooks
        for row in w.rejected
        for why in row.reasons
    ]


def _detail(why: Reason) -> str:
    return f"found {why.found[:80]!r}" + (f", needed {why.needed}" if why.needed else "")


def quarantined(workbooks: Iterable[Workbook]) -> pd.DataFrame:
    """Return the refused rows as `geodata.checks` tells others: findings, and the row as JSON."""
    told = {
        (w.source_id(row.page), row.row): json.dumps(dict(row.values), ensure_ascii=False)
        for w in workbooks
        for row in w.rejected
    }
    findings = sorted(refusals(workbooks))
    rows = [[getattr(f, n) for n in FINDING_COLUMNS] + [told[f.source_id, f.row]] for f in findings]
    return pd.DataFrame(rows, columns=[*FINDING_COLUMNS, "content"])
