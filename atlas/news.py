"""How a change reads: which field of what, its value before and now, on whose word.

The changes page, a record's history, the feeds and ``atlas diff`` all say it with this. Cells of
a change are raw data; what is returned is text, and still hostile until it is escaped.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from atlas.compare import FIRST_DUE, STANDING, SUBJECTS
from atlas.records import Changed
from atlas.telling import phase_text
from atlas.titles import column_title
from atlas.words import Words
from geodata.cells import is_number, parts_of, rows_of
from geodata.dates import is_date, period_end
from geodata.schema import QUALIFIERS, TABLE

Row = Mapping[str, str]

NAMES = ("name", "task", "what")
"""The bilingual columns that name a row, the first that it has."""

VOCABULARIES = {
    "fund": "fund.",
    "confidence": "confidence.",
    "method": "method.",
    "as_of_basis": "basis.",
    "on_basis": "basis.",
    "date_basis": "basis.",
    "location_basis": "location_basis.",
    "level": "level.",
    "cadence": "cadence.",
    "scope": "scope.",
    "schedule": "track.state_",
}
"""Where the words of a column's values are; ``kind`` has a vocabulary in each table."""

KINDS = {"money_events": "money.", "duties": "duty_kind.", "documents": "document_kind."}
FLAGS = {"true": "news.yes", "false": "news.no"}


@dataclass(frozen=True)
class Line:
    """One change as a line: ``label`` names the field, ``detail`` its date or column.

    ``old`` and ``new`` are values in words; one is "" where there is none. ``slip`` says how far
    a promised date has moved from the first one. ``documents`` are ids, which the register of
    today need not hold.
    """

    change: str
    label: str
    detail: str
    old: str
    new: str
    slip: str
    documents: tuple[str, ...]
    source_id: str


class Teller:
    """Tells changes in one language, with the vocabularies that the tables hold."""

    def __init__(self, tables: Mapping[str, pd.DataFrame], words: Words) -> None:
        """Index what cells point to: measures, stages, records, units, documents, agencies."""
        self.words = words
        self._names: dict[str, Row] = {}
        for table in ("documents", "agencies", "communes", "stages", "measures"):
            self._names |= _by_key(tables, table)
        self._subjects = _by_key(tables, "places") | _by_key(tables, "routes")
        self._names |= self._subjects
        self._units = {r["unit"]: r["unit_en"] for r in rows_of(_of(tables, "measures"))}

    def subject(self, subject_id: str, changes: Iterable[Changed]) -> str:
        """Name a record, also one that is gone."""
        gone = [c.row for c in changes if c.table in ("places", "routes") and c.row]
        return self._name(self._subjects.get(subject_id) or next(iter(gone), {})) or subject_id

    def lines(self, changes: Iterable[Changed]) -> tuple[Line, ...]:
        """Tell changes row by row: one line for the value, one for each other field altered."""
        rows: dict[tuple[str, str], list[Changed]] = {}
        for change in changes:
            rows.setdefault((change.table, change.row_key), []).append(change)
        return tuple(line for mine in rows.values() for line in self._row(mine))

    def _row(self, changes: list[Changed]) -> Iterator[Line]:
        one = changes[0]
        label, value, detail = self._kind_of(one)
        if one.change == "added":
            replaced = one.was if one.was.keys() - {FIRST_DUE} else {}
            yield self._line(
                one, (label, detail), (value(replaced) if replaced else "", value(one.row))
            )
        elif one.change == "removed":
            yield self._line(one, (label, detail), (value(one.row), ""))
        else:
            valued = [c for c in changes if c.column in VALUE_COLUMNS and c.table != STANDING]
            if valued:
                then = {**one.row, **{c.column: c.old for c in valued}}
                now = {**one.row, **{c.column: c.new for c in valued}}
                yield self._line(valued[0], (label, detail), (value(then), value(now)))
            for change in changes:
                if change not in valued:
                    yield self._field(change, label)

    def _field(self, change: Changed, label: str) -> Line:
        column = self._title(change)
        told = (column, "") if change.table in SUBJECTS else (label, column)
        old, new = (self._cell(change.table, change.column, c) for c in (change.old, change.new))
        return self._line(change, told, (old, new))

    def _line(self, change: Changed, told: tuple[str, str], values: tuple[str, str]) -> Line:
        cited = change.row.get("document_ids") or change.row.get("plan_id", "")
        documents = tuple(parts_of(cited))
        return Line(change.change, *told, *values, self._slip(change), documents, change.source_id)

    def _kind_of(self, change: Changed) -> tuple[str, Callable[[Row], str], str]:
        """Return the field's name, how a row's value reads, and the date beside it."""
        row, words = change.row, self.words
        name = self._name(row) or change.row_key
        tellers: dict[str, tuple[str, Callable[[Row], str], str]] = {
            STANDING: (words("record.schedule"), self._name, ""),
            "places": (words("news.record"), self._name, ""),
            "routes": (words("news.record"), self._name, ""),
            "positions": (words("record.position"), self._position, ""),
            "claims": (self._named(row, "measure"), self._claim, self._day(row, "as_of")),
            "stage_events": (words("record.stage"), self._stage, self._day(row, "on")),
            "money_events": (self._money_label(row), self._amount, self._day(row, "on")),
            "milestones": (words("news.promise", name=name), self._due, ""),
        }
        label, value, detail = tellers.get(change.table, (name, self._plain_value, ""))
        phase = row.get("phase", "")
        return (f"{label} ({phase_text(phase, words)})" if phase else label), value, detail

    def _due(self, row: Row) -> str:
        return self.words.date(row.get("due_on", ""))

    def _slip(self, change: Changed) -> str:
        first, due = change.was.get(FIRST_DUE, ""), change.row.get("due_on", "")
        if change.column not in ("", "due_on") or not is_date(first) or not is_date(due):
            return ""
        days = (period_end(due) - period_end(first)).days
        key = "later" if days > 0 else "earlier" if days < 0 else "same"
        shown = self.words.number(abs(days))
        return self.words(f"news.slip_{key}", days=shown, first=self.words.date(first))

    def _name(self, row: Row) -> str:
        return next((text for name in NAMES if (text := self._text(row, name))), "")

    def _text(self, row: Row, name: str) -> str:
        return self.words.of(row, name)

    def _named(self, row: Row, column: str) -> str:
        key = row.get(column, "")
        return self._name(self._names.get(key, {})) or key

    def _day(self, row: Row, column: str) -> str:
        return self.words.date(row[column]) if row.get(column) else ""

    def _claim(self, row: Row) -> str:
        value, unit = row.get("value", ""), row.get("unit", "")
        if self.words.lang == "en":
            unit = self._units.get(unit, unit)
            value = value if is_number(value) else row.get("value_en") or value
        if is_number(value):
            return self.words.amount(value, unit, _qualifier(row))
        return self.words.qualified(_qualifier(row), value)

    def _stage(self, row: Row) -> str:
        return self._named(row, "stage_id")

    def _amount(self, row: Row) -> str:
        amount, unit = row.get("amount", ""), row.get("unit", "")
        return self.words.amount(amount, unit, _qualifier(row)) if amount else ""

    def _money_label(self, row: Row) -> str:
        kind = self.words.known(f"money.{row.get('kind', '')}", row.get("kind", ""))
        fund = row.get("fund", "")
        return f"{kind}, {self.words.known(f'fund.{fund}', fund)}" if fund else kind

    def _position(self, row: Row) -> str:
        method = row.get("method", "")
        told = self.words.known(f"method.{method}", method)
        metres = row.get("accuracy_m", "")
        return f"{told}, ± {self.words.number(metres)} m" if metres else told

    def _plain_value(self, row: Row) -> str:
        """Return the number of a row that has one: an indicator, a target, a sum of the plan."""
        unit = self._text(row, "unit") if row.get("unit_en") else row.get("unit", "")
        if self.words.lang == "vi":
            unit = row.get("unit", "")
        value = row.get("value") or row.get("amount") or ""
        if not value:
            return self._name(row)
        period = row.get("period", "")
        told = self.words.amount(value, unit, _qualifier(row))
        return f"{told} ({self.words.period(period)})" if period else told

    def _title(self, change: Changed) -> str:
        return (
            ""
            if change.table == STANDING
            else column_title(change.table, change.column, self.words)
        )

    def _cell(self, table: str, name: str, cell: str) -> str:
        """Return one cell in words, by its column's kind and vocabulary."""
        vocabulary = KINDS.get(table, "kind.") if name == "kind" else VOCABULARIES.get(name)
        if vocabulary and cell:
            return self.words.known(vocabulary + cell, cell)
        if table not in TABLE or name not in TABLE[table].column_names:
            return cell
        column = TABLE[table].column(name)
        if column.kind == "wkt":
            return self.words("news.geometry") if cell else ""
        if column.kind == "date":
            return self.words.date(cell)
        if column.kind in ("integer", "number", "decimal"):
            return self.words.number(cell) if cell else ""
        if column.kind == "flag" and cell in FLAGS:
            return self.words(FLAGS[cell])
        if column.references:
            return ", ".join(self._name(self._names.get(p, {})) or p for p in parts_of(cell))
        return "; ".join(parts_of(cell)) if column.kind == "list" else cell


def line_text(line: Line, words: Words) -> str:
    """Write a line without any markup: for feeds and the terminal."""
    head = f"{line.label} ({line.detail})" if line.detail else line.label
    if line.change == "removed":
        told = f"{line.old} – {words('change.removed')}"
    elif line.old or line.change == "altered":
        told = f"{line.old or '–'} → {line.new or '–'}"
    else:
        told = f"{line.new} – {words('change.added')}"
    return f"{head}: {told}" + (f"; {line.slip}" if line.slip else "")


VALUE_COLUMNS = (
    *("value", "value_en", "qualifier", "unit", "amount"),
    *("stage_id", "due_on", "method", "accuracy_m", "schedule"),
)
"""Columns whose change is a change of the field's value itself."""


def _qualifier(row: Row) -> str:
    """Return the qualifier of a row; an older edition may hold one that has no words now."""
    found = row.get("qualifier", "")
    return found if found in QUALIFIERS else ""


def _of(tables: Mapping[str, pd.DataFrame], name: str) -> pd.DataFrame:
    return tables.get(name, pd.DataFrame(columns=list(TABLE[name].column_names)))


def _by_key(tables: Mapping[str, pd.DataFrame], name: str) -> dict[str, Row]:
    (key,) = TABLE[name].key
    return {row[key]: row for row in rows_of(_of(tables, name))}
