"""Whose word holds: which rows of the planners' workbooks stand today, and who contradicts whom.

What stands becomes sheets like those of any source: one a workbook and sheet, so that every row
keeps its workbook and its line, and one with the workbooks themselves as documents.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import pandas as pd

from geodata.catalog import NO_FOLDER, Source
from geodata.corrections import Corrected, Handed, apply_handed, not_needed
from geodata.dates import MONTHS
from geodata.deposit import one_thing, speaker, value_column
from geodata.findings import Finding
from geodata.inbox import Row, Workbook
from geodata.ledger import Change
from geodata.read import Sheet
from geodata.schema import TABLE
from geodata.workbook import COVER, PAGE, PAGES

WORKBOOKS = "inbox_workbooks"
LICENCE = "public document"
CONFLICT_RULE = "planners_agree"


@dataclass(frozen=True)
class Standing:
    """What the workbooks say today: rows by workbook and sheet, and how they came to stand."""

    sheets: tuple[Sheet, ...]
    corrections: tuple[tuple[Workbook, Row], ...]
    findings: tuple[Finding, ...]
    ledger: tuple[Change, ...]


@dataclass(frozen=True)
class Combined:
    """The catalogue's tables with what the workbooks say, and how it came to that."""

    sheets: tuple[Sheet, ...]
    standing: Standing
    corrected: Corrected

    @property
    def findings(self) -> list[Finding]:
        """Contradictions, and corrections that no longer find what they correct."""
        missed = self.corrected.missed.items()
        told = [(self.standing.corrections[number], found) for number, found in missed]
        notes = [not_needed(handed(w, r), w.source_id(r.page), r.row, f) for (w, r), f in told]
        return [*self.standing.findings, *notes]


def combine(base: Sequence[Sheet], workbooks: Sequence[Workbook]) -> Combined:
    """Put what the workbooks say beside the catalogue's tables, and apply their corrections."""
    standing = stand(workbooks)
    told = [handed(w, row) for w, row in standing.corrections]
    corrected = apply_handed([*base, *standing.sheets], told)
    return Combined(corrected.sheets, standing, corrected)


def stand(workbooks: Sequence[Workbook]) -> Standing:
    """Decide which accepted rows stand, and say where two speakers contradict each other.

    Of what one agency says about one thing the workbook with the later hand-in date holds; on
    one day the later taken of one officer, while two officers both stand. A row that repeats
    what already stands changes nothing. Every row is accounted for.
    """
    lines: dict[tuple[str, ...], list[_Said]] = {}
    superseded: dict[str, int] = {}
    order = sorted(enumerate(workbooks), key=lambda one: (one[1].cover.handed_on, one[0]))
    for _, workbook in order:
        for row in workbook.accepted:
            page = PAGE[row.page]
            if page.table:
                key = (page.name, *one_thing(page, row.values), speaker(workbook.cover))
                fallen = _enter(lines.setdefault(key, []), _Said(workbook, row, row.values))
                superseded[fallen] = superseded.get(fallen, 0) + 1 if fallen else 0
    said = [_numbered(one, at) for told in lines.values() for at, one in enumerate(told)]
    disputed = _disputed(said)
    marked = [replace(s, values=_marked(s)) if id(s) in disputed else s for s in said]
    corrections = [(w, r) for w in workbooks for r in w.accepted if not PAGE[r.page].table]
    return Standing(
        _sheets(workbooks, marked),
        tuple(corrections),
        tuple(disputed[id(s)] for s in said if id(s) in disputed),
        _ledger(workbooks, superseded),
    )


@dataclass(frozen=True)
class _Said:
    workbook: Workbook
    row: Row
    values: Mapping[str, str]

    @property
    def meaning(self) -> tuple[str, ...]:
        return tuple(self.values[name] for name in PAGE[self.row.page].says)


def _enter(told: list[_Said], new: _Said) -> str:
    """Let a row stand in the place of an earlier one; return the workbook whose row falls."""
    if any(old.meaning == new.meaning and _cells_of(old) == _cells_of(new) for old in told):
        return new.workbook.sha256
    for at, old in enumerate(told):
        before, after = old.workbook.cover, new.workbook.cover
        if before.handed_on < after.handed_on or before.author == after.author:
            told[at] = replace(new, values=_instead(old, new))
            return old.workbook.sha256
    told.append(new)
    return ""


def _cells_of(said: _Said) -> dict[str, str]:
    """What a row says beside where it stands."""
    left_out = {"note_vi", "note_en", "caution_vi", "caution_en", "document_ids"}
    return {name: cell for name, cell in said.row.values.items() if name not in left_out}


def _instead(old: _Said, new: _Said) -> dict[str, str]:
    """Say on the new row what it corrects."""
    column = value_column(PAGE[new.row.page])
    before, day = old.row.values[column], old.workbook.cover.handed_on
    if before == new.row.values[column]:
        return dict(new.values)
    texts = {
        "vi": f"Thay cho “{before}” do cùng cơ quan nộp ngày {_day(day)}.",
        "en": f"In place of “{before}”, handed in by the same agency on {_day_en(day)}.",
    }
    names = [f"{kind}_{lang}" for kind in ("note", "caution") for lang in texts]
    noted = {n: f"{new.values[n]} {texts[n[-2:]]}" for n in names if n in new.values}
    return dict(new.values) | noted


def _numbered(said: _Said, at: int) -> _Said:
    """Give the second of two rows about one thing an id of its own."""
    if not at:
        return said
    key = TABLE[PAGE[said.row.page].table].key[0]
    return replace(said, values={**said.values, key: f"{said.values[key]}.{at + 1}"})


def _disputed(said: Sequence[_Said]) -> dict[int, Finding]:
    """Return the note on each row that another speaker contradicts, by the row's identity."""
    groups: dict[tuple[str, ...], list[_Said]] = {}
    for one in said:
        page = PAGE[one.row.page]
        groups.setdefault((page.name, *one_thing(page, one.values)), []).append(one)
    return {
        id(one): _conflict(one, group)
        for group in groups.values()
        if len({one.meaning for one in group}) > 1
        for one in group
    }


def _conflict(one: _Said, group: Sequence[_Said]) -> Finding:
    page = PAGE[one.row.page]
    told = "; ".join(
        f"{other.workbook.cover.agency} ({other.workbook.cover.handed_on}): "
        f"{' '.join(part for part in other.meaning if part)}"
        for other in group
    )
    return Finding(
        one.workbook.source_id(page.name),
        page.table,
        one.row.row,
        one.values[TABLE[page.table].key[0]],
        value_column(page),
        CONFLICT_RULE,
        "note",
        told,
    )


def _marked(said: _Said) -> dict[str, str]:
    return dict(said.values) | {"confidence": "conflict"}


def _sheets(workbooks: Sequence[Workbook], said: Sequence[_Said]) -> tuple[Sheet, ...]:
    groups: dict[tuple[str, str], list[_Said]] = {}
    for one in said:
        groups.setdefault((one.workbook.sha256, one.row.page), []).append(one)
    sheets = [
        _sheet(
            page_source(told[0].workbook, page),
            {one.row.row: {**one.values, "document_ids": _documents(one)} for one in told},
        )
        for (_, page), told in sorted(groups.items())
    ]
    signed = [w for w in workbooks if w.accepted]
    if signed:
        rows = {at: _document(w) for at, w in enumerate(signed, start=2)}
        sheets.append(_sheet(register_source(signed), rows))
    return tuple(sheets)


def _documents(said: _Said) -> str:
    """The workbook, and the act that the row names."""
    act = said.row.values.get("act_id", "")
    return ";".join([said.workbook.document_id, *([act] if act else [])])


def _sheet(source: Source, rows: Mapping[int, Mapping[str, str]]) -> Sheet:
    columns = list(TABLE[source.table].column_names)
    lines = sorted(rows)
    frame = pd.DataFrame(
        [[rows[line][name] for name in columns] for line in lines],
        columns=columns,
        index=pd.Index(lines, name="line", dtype="int64"),
        dtype="str",
    )
    return Sheet(source, frame, len(frame), ())


def _document(workbook: Workbook) -> dict[str, str]:
    cover = workbook.cover
    return dict.fromkeys(TABLE["documents"].column_names, "") | {
        "document_id": workbook.document_id,
        "kind": "workbook",
        "name_vi": f"Sổ số liệu của {cover.agency}, nộp ngày {_day(cover.handed_on)}",
        "name_en": f"Workbook of {cover.agency_en}, handed in on {_day_en(cover.handed_on)}",
        "publisher": cover.agency,
        "is_linked": "false",
        "published_on": cover.handed_on,
        "date_basis": "stated",
        "retrieved_on": workbook.taken_on,
        "note_vi": f"Người nộp: {cover.author}",
        "note_en": f"Handed in by {cover.author}",
    }


def _day(iso: str) -> str:
    return "/".join(reversed(iso.split("-")))


def _day_en(iso: str) -> str:
    day = date.fromisoformat(iso)
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def sheet_title(workbook: Workbook, page: str) -> dict[str, str]:
    """Return what one sheet of a workbook is called as a source, in both languages."""
    cover, told = workbook.cover, PAGE[page]
    return {
        "title_vi": f"Sổ số liệu của {cover.agency}, {_day(cover.handed_on)}, trang “{told.vi}”",
        "title_en": (
            f"Workbook of {cover.agency_en}, {_day_en(cover.handed_on)}, sheet “{told.vi}”"
        ),
    }


def sheet_titles(workbooks: Sequence[Workbook]) -> dict[str, dict[str, str]]:
    """Return the titles of all sheets of all workbooks, by the id of each as a source."""
    return {
        w.source_id(page): sheet_title(w, page)
        for w in workbooks
        for page in dict.fromkeys(row.page for row in w.rows)
    }


def page_source(workbook: Workbook, page: str) -> Source:
    """Return one sheet of a workbook as a source of its own."""
    cover, told = workbook.cover, PAGE[page]
    titles = sheet_title(workbook, page)
    day = date.fromisoformat(cover.handed_on)
    return Source(
        source_id=workbook.source_id(page),
        folder=NO_FOLDER,
        title_vi=titles["title_vi"],
        title_en=titles["title_en"],
        publisher=cover.agency,
        licence=LICENCE,
        kind="inbox",
        table=told.table,
        format="xlsx",
        part=told.vi,
        as_of=day,
        retrieved_on=date.fromisoformat(workbook.taken_on),
        sha256=workbook.sha256,
        key=TABLE[told.table].key,
    )


def register_source(workbooks: Sequence[Workbook]) -> Source:
    """Return the register of the workbooks as a source."""
    newest = max(workbooks, key=lambda w: w.cover.handed_on)
    return Source(
        source_id=WORKBOOKS,
        folder=NO_FOLDER,
        title_vi="Sổ số liệu các cơ quan đã nộp",
        title_en="Workbooks handed in by agencies",
        publisher=newest.cover.agency,
        licence=LICENCE,
        kind="inbox",
        table="documents",
        format="xlsx",
        part=COVER,
        as_of=date.fromisoformat(newest.cover.handed_on),
        retrieved_on=date.fromisoformat(max(w.taken_on for w in workbooks)),
        sha256=newest.sha256,
        key=TABLE["documents"].key,
    )


def _ledger(workbooks: Iterable[Workbook], superseded: Mapping[str, int]) -> tuple[Change, ...]:
    """Account for every row of every workbook: accepted or refused, standing or superseded."""
    changes = []
    for workbook in workbooks:
        dropped: dict[str, int] = {}
        for row in workbook.rejected:
            dropped[row.reasons[0].rule] = dropped.get(row.reasons[0].rule, 0) + 1
        step = f"take {workbook.name}"
        counts = len(workbook.rows), len(workbook.accepted)
        changes.append(Change(step, *counts, dict(sorted(dropped.items()))))
        fallen = superseded.get(workbook.sha256, 0)
        if fallen:
            step, kept = f"supersede {workbook.name}", len(workbook.accepted) - fallen
            changes.append(Change(step, counts[1], kept, {"said again or corrected later": fallen}))
    return tuple(changes)


def handed(workbook: Workbook, row: Row) -> Handed:
    """Return an accepted row of the corrections sheet as a correction."""
    said, page = row.values, PAGE[row.page]
    return Handed(
        **{name: said[name] for name in ("table", "key", "column", "was", "now", "why")},
        document_id=workbook.document_id,
        place_vi=(
            f"Đính chính “{said['was']}” thành “{said['now']}”: {said['why'].rstrip('.')}"
            f" (trang “{page.vi}”, dòng {row.row})."
        ),
        place_en=(
            f"Corrected from “{said['was']}” to “{said['now']}”: {said['why'].rstrip('.')}"
            f" (sheet “{page.vi}”, row {row.row})."
        ),
    )


def sources(workbooks: Sequence[Workbook]) -> dict[str, Source]:
    """Return every source that the workbooks are, by id."""
    found = {
        w.source_id(page.name): page_source(w, page.name)
        for w in workbooks
        for page in PAGES
        if page.table and any(row.page == page.name for row in w.accepted)
    }
    signed = [w for w in workbooks if w.accepted]
    return found | ({WORKBOOKS: register_source(signed)} if signed else {})
