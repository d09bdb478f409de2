"""The planners' workbook: its sheets, columns and vocabulary, said once for writer and reader.

Titles come from `geodata.schema` wherever its own would do. Neither reads nor writes a file.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pandas as pd

from geodata.cells import parts_of, rows_of
from geodata.region import here
from geodata.rules import STAGE_AXIS
from geodata.schema import (
    FUNDS,
    MONEY_KINDS,
    QUALIFIER_WORDS,
    TABLE,
    TABLES,
    Column,
)

COVER = "Bìa"
LISTS = "Danh mục"
ROW_ID = ("Mã dòng", "Row id")
CHECKSUM = ("Mã kiểm", "Checksum")
RESULT = ("Kết quả", "Result")
HEADER_ROW = 3
FIRST_ROW = 5
"""Rows of a sheet, from 1: title, how to fill it in, titles, titles in English, then data."""

COVER_FIELDS = (
    ("author", "Họ và tên người nộp", "Name"),
    ("agency", "Cơ quan", "Agency"),
    ("email", "Thư điện tử (không bắt buộc)", "E-mail (optional)"),
    ("handed_on", "Ngày nộp", "Handed in on"),
    ("edition", "Ấn bản làm mẫu", "Made from edition"),
)
OCCUPANCY = (
    *("occupancy_pct", "area_leased_ha", "area_registered_ha", "area_industrial_ha"),
    *("projects_count", "projects_operating_count", "firms_registered_count", "workers_count"),
)
_IN_BRACKETS = re.compile(r"\[([^\[\]]+)\]\s*$")


@dataclass(frozen=True)
class Entry:
    """One column of a sheet: a column of its table, or one of the form's own.

    ``choice`` names its vocabulary. An ``is_open`` one also takes text that is not in it.
    """

    column: str
    choice: str = ""
    vi: str = ""
    en: str = ""
    kind: str = ""
    required: bool | None = None
    is_open: bool = False
    width: int = 16


@dataclass(frozen=True)
class Page:
    """One sheet of the workbook.

    ``one_thing`` are the columns that say what a row speaks of, ``says`` those in which two
    rows about one thing may contradict each other.
    """

    name: str
    table: str
    vi: str
    en: str
    entries: tuple[Entry, ...]
    one_thing: tuple[str, ...]
    says: tuple[str, ...]

    def column(self, entry: Entry) -> Column:
        """Return what the schema says of an entry, with what the form says otherwise."""
        known = TABLE[self.table].column_names if self.table else ()
        if entry.column in known:
            told = here().local(TABLE[self.table].column(entry.column))
        else:
            told = Column(entry.column, "text", entry.vi, entry.en)
        return Column(
            entry.column,
            entry.kind or told.kind,
            entry.vi or told.vi,
            entry.en or told.en,
            told.required if entry.required is None else entry.required,
            minimum=told.minimum,
            maximum=told.maximum,
        )

    @property
    def columns(self) -> tuple[Column, ...]:
        """Every entry as a column, in the order of the form."""
        return tuple(self.column(entry) for entry in self.entries)


_SUBJECT = Entry("subject_id", "subjects", "Địa điểm hoặc tuyến", "Place or route", width=44)
_PHASE = Entry("phase", width=18)
_QUALIFIER = Entry("qualifier", "qualifiers", width=14)
_ACT = Entry("act_id", "acts", is_open=True, width=40)
_NOTE = Entry("note_vi", vi="Ghi chú", en="Note", width=44)
_STAGE = Entry("stage_id", "stages", width=34)

PAGES: tuple[Page, ...] = (
    Page(
        "stage_events",
        "stage_events",
        "Tiến độ",
        "Stages",
        (_SUBJECT, _STAGE, _PHASE, Entry("on"), _ACT,
         Entry("is_step_back", "yes_no", "Lùi bước", "Step back", required=False), _NOTE),
        ("subject_id", "stage_id", "phase"),
        ("on",),
    ),
    Page(
        "money_events",
        "money_events",
        "Vốn",
        "Money",
        (_SUBJECT, Entry("kind", "money_kinds", width=34), Entry("fund", "funds", width=34), _PHASE,
         _QUALIFIER, Entry("amount"), Entry("unit", "money_units"), Entry("on"), _ACT, _NOTE),
        ("subject_id", "kind", "fund", "phase", "on"),
        ("qualifier", "amount", "unit"),
    ),
    Page(
        "milestones",
        "milestones",
        "Mốc hứa",
        "Milestones",
        (_SUBJECT,
         Entry("promise_id", "promises", "Điều hứa", "What is promised", is_open=True, width=48),
         Entry("name_en", required=False, width=30), _STAGE, _PHASE, Entry("due_on"),
         Entry("published_on", required=False), Entry("met_on"), _NOTE),
        ("subject_id", "promise_id", "published_on"),
        ("due_on", "met_on"),
    ),
    Page(
        "occupancy",
        "claims",
        "Lấp đầy",
        "Occupancy",
        (_SUBJECT, Entry("measure", "measures", width=44), _PHASE, _QUALIFIER,
         Entry("value", vi="Giá trị", en="Value", kind="decimal"), Entry("as_of"), _NOTE),
        ("subject_id", "measure", "phase", "as_of"),
        ("qualifier", "value"),
    ),
    Page(
        "indicators",
        "indicators",
        "Chỉ số",
        "Indicators",
        (Entry("series_id", "series", "Chỉ số", "Indicator", width=60),
         Entry("period"), _QUALIFIER, Entry("value"), Entry("as_of"),
         Entry("caution_vi", vi="Ghi chú", en="Note", width=44)),
        ("series_id", "period"),
        ("qualifier", "value"),
    ),
    Page(
        "duty_reports",
        "duty_reports",
        "Nhiệm vụ đã làm",
        "Duties done",
        (Entry("duty_id", "duties", width=70),
         Entry("agency_id", "agencies", required=False, width=36),
         Entry("period"), Entry("done_on"), _ACT, _NOTE),
        ("duty_id", "agency_id", "period"),
        ("done_on",),
    ),
    Page(
        "corrections",
        "",
        "Đính chính",
        "Corrections",
        (Entry("table", "tables", "Bảng", "Table", width=30),
         Entry("key", vi="Mã dòng cần sửa", en="Id of the row", width=40),
         Entry("column", "columns", "Cột", "Column", width=40),
         Entry("was", vi="Đang ghi là", en="It says", required=False, width=30),
         Entry("now", vi="Sửa thành", en="It should say", required=False, width=30),
         Entry("why", vi="Vì sao", en="Why", width=50)),
        ("table", "key", "column"),
        ("now",),
    ),
)  # fmt: skip
PAGE = {page.name: page for page in PAGES}


@dataclass(frozen=True)
class Choice:
    """One word of a vocabulary: what stands in the drop-down, and what else is understood."""

    id: str
    label: str
    group: str = ""
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Vocabulary:
    """Every drop-down of the workbook, and the rows that derived columns are taken from."""

    choices: Mapping[str, tuple[Choice, ...]]
    units: Mapping[str, str] = field(default_factory=dict)
    series: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    promises: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def known(self, choice: str, key: str) -> Choice | None:
        """Return the word of that id."""
        return next((c for c in self.choices.get(choice, ()) if c.id == key), None)

    def label(self, choice: str, key: str) -> str:
        """Return what the drop-down shows for an id; the id where there is no such word."""
        found = self.known(choice, key)
        return found.label if found else key

    def resolve(self, choice: str, text: str, group: str = "") -> str:
        """Return the id that a cell means, by its label, id or only name; else ""."""
        if self.known(choice, bracketed(text)):
            return bracketed(text)
        if self.known(choice, text):
            return text
        wanted = fold(text)
        found = {
            c.id
            for c in self.choices.get(choice, ())
            if wanted in map(fold, (c.label, *c.names)) and group in ("", c.group)
        }
        return found.pop() if len(found) == 1 else ""


def bracketed(text: str) -> str:
    """Return the id that a label ends with, or ""."""
    found = _IN_BRACKETS.search(text)
    return found[1] if found else ""


def fold(text: str) -> str:
    """Return text as it is compared: composed, one case, single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).replace("*", " ").casefold().split())


def checksum(page: Page, cells: Mapping[str, str]) -> str:
    """Return the mark by which a known row is told from one that somebody changed."""
    told = "\x1f".join(cells.get(entry.column, "") for entry in page.entries)
    return hashlib.sha256(f"{page.name}\x1e{told}".encode()).hexdigest()[:12]


def vocabulary(tables: Mapping[str, pd.DataFrame], texts: Mapping[str, str]) -> Vocabulary:
    """Make the drop-downs from the atlas's tables.

    ``texts`` are the Vietnamese words of closed lists, by keys such as ``money.registered``.
    """
    rows = {name: rows_of(frame) for name, frame in tables.items()}
    measures = {r["measure"]: r for r in rows["measures"] if r["measure"] in OCCUPANCY}
    series = {r["series_id"]: r for r in reversed(rows["indicators"])}
    promises = {r["promise_id"]: r for r in reversed(rows["milestones"])}
    subjects = _subjects(rows)
    names = {c.id: c.names[0] for c in subjects}
    choices = {
        "subjects": subjects,
        "stages": [
            _choice(r["stage_id"], r["name_vi"], r["axis"], r["name_en"])
            for r in sorted(rows["stages"], key=lambda r: (r["axis"], int(r["rank"])))
        ],
        "measures": [
            _choice(m, _with_unit(measures[m]), "", measures[m]["name_vi"])
            for m in OCCUPANCY
            if m in measures
        ],
        "series": [_choice(s, _with_unit(r), "", r["name_vi"]) for s, r in sorted(series.items())],
        "promises": [
            _choice(p, f"{names.get(r['subject_id'], r['subject_id'])}: {r['name_vi']}",
                    r["subject_id"], r["name_vi"])
            for p, r in sorted(promises.items())
        ],
        "acts": [
            _choice(r["document_id"], _short(f"{r['number']} {r['name_vi']}"), "", r["number"])
            for r in rows["documents"]
            if r["kind"] in ("plan", "legal_act")
        ],
        "duties": [
            _choice(r["duty_id"], f"{r['plan_id']} {r['clause']}: {_short(r['task_vi'])}")
            for r in rows["duties"]
        ],
        "agencies": [
            _choice(r["agency_id"], r["name_vi"], "", r["short_vi"], r["name_en"])
            for r in rows["agencies"]
        ],
        **_closed(texts),
    }  # fmt: skip
    units = {m: r["unit"] for m, r in measures.items()}
    return Vocabulary({k: tuple(v) for k, v in choices.items()}, units, series, promises)


def _subjects(rows: Mapping[str, list[dict[str, str]]]) -> list[Choice]:
    told = [(r["place_id"], STAGE_AXIS.get(r["kind"], "project"), r) for r in rows["places"]]
    told += [(r["route_id"], "public", r) for r in rows["routes"]]
    return [
        _choice(key, r["name_vi"], axis, r["name_en"], r.get("ref", ""), *parts_of(r["aliases"]))
        for key, axis, r in sorted(told, key=lambda one: (one[1], one[0]))
    ]


def _closed(texts: Mapping[str, str]) -> dict[str, list[Choice]]:
    """Return the lists that `geodata.schema` closes."""
    signs = {q: texts[f"qualifier.{word}"] for q, word in QUALIFIER_WORDS.items()}
    return {
        "money_kinds": [_choice(k, texts[f"money.{k}"]) for k in MONEY_KINDS],
        "funds": [_choice(f, texts[f"fund.{f}"]) for f in FUNDS],
        "money_units": [Choice(unit, unit) for unit in here().money_units],
        "qualifiers": [_choice(q, text.format(value="…")) for q, text in signs.items()],
        "yes_no": [_choice("true", texts["workbook.yes"]), _choice("false", texts["workbook.no"])],
        "tables": [_choice(table.name, table.vi, table.name) for table in TABLES],
        "columns": [_choice(c.name, c.vi, table.name) for table in TABLES for c in table.columns],
    }


def _choice(key: str, label: str, group: str = "", *names: str) -> Choice:
    return Choice(key, f"{label} [{key}]", group, tuple(n for n in (label, *names) if n))


def _with_unit(row: Mapping[str, str]) -> str:
    return f"{row['name_vi']} ({row['unit']})" if row["unit"] else row["name_vi"]


def _short(text: str) -> str:
    told = " ".join(text.split())
    return told if len(told) <= 90 else f"{told[:89]}…"


def titles(texts: Iterable[str]) -> set[str]:
    """Return titles as they are compared."""
    return {fold(text) for text in texts if text}
