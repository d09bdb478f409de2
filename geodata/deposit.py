"""From what a planner wrote to a row of its table, with who said it, when, and in which cell."""

import hashlib
import json
import unicodedata
from collections.abc import Mapping

from geodata.handin import Cover, Line, Reason
from geodata.schema import TABLE
from geodata.workbook import PAGE, Page, Vocabulary, fold

PERCENT = "%"
VALUE_COLUMNS = ("on", "amount", "due_on", "value", "done_on", "now")
MAIN_SUBJECT = ("subject_id", "series_id", "duty_id")
NAMED_BY = {
    "stage_events": "stage_id",
    "money_events": "kind",
    "occupancy": "measure",
    "indicators": "period",
    "duty_reports": "period",
}


def slug(text: str) -> str:
    """Return text as a part of an id: a-z, 0-9 and single hyphens."""
    bare = unicodedata.normalize("NFD", fold(text).replace("đ", "d"))
    kept = "".join(
        c if c.isascii() and c.isalnum() else "-" for c in bare if c.isascii() or c == " "
    )
    return "-".join(part for part in kept.split("-") if part)


def speaker(cover: Cover) -> str:
    """Return the id of who speaks: the agency, whoever of its officers signs."""
    return cover.agency_id or slug(cover.agency)[:40].strip("-") or "khac"


def document_id(cover: Cover, sha256: str) -> str:
    """Return the id under which a workbook is a registered document."""
    return f"inbox-{speaker(cover)}-{cover.handed_on}-{sha256[:8]}"


def one_thing(page: Page, row: Mapping[str, str]) -> tuple[str, ...]:
    """Return what a row speaks of, whoever says it."""
    return tuple(row[name] for name in page.one_thing)


def value_column(page: Page) -> str:
    """Return the column that holds what a row of the sheet says."""
    return next(name for name in page.says if name in VALUE_COLUMNS)


def table_row(
    line: Line, cover: Cover, words: Vocabulary, where: Mapping[str, str]
) -> dict[str, str]:
    """Return the row of its table that a line makes, without its document.

    ``where`` tells the letters of the sheet's columns. A correction stays as it was said.
    """
    page = PAGE[line.page]
    if not page.table:
        return dict(line.said)
    row = dict.fromkeys(TABLE[page.table].column_names, "")
    row |= {name: value for name, value in line.said.items() if name in row}
    row |= _derived(line, cover, words)
    row |= {name: "stated" for name in ("on_basis", "as_of_basis") if name in row}
    row["confidence"] = "one_source"
    row[TABLE[page.table].key[0]] = _row_id(page, row, speaker(cover))
    return row | _notes(line, row, where)


def _derived(line: Line, cover: Cover, words: Vocabulary) -> dict[str, str]:
    said = line.said
    if line.page == "stage_events":
        return {"is_step_back": said["is_step_back"] or "false"}
    if line.page == "occupancy":
        return {"unit": words.units[said["measure"]]}
    if line.page == "indicators":
        names = ("name_vi", "name_en", "scope", "price_basis", "unit", "unit_en")
        return {name: words.series[said["series_id"]][name] for name in names}
    if line.page == "duty_reports":
        return {"agency_id": said["agency_id"] or cover.agency_id}
    if line.page == "milestones":
        return _promise(line, words) | {"published_on": said["published_on"] or cover.handed_on}
    return {}


def _promise(line: Line, words: Vocabulary) -> dict[str, str]:
    """Return the names of a promise: a known one's, or those of a new one in its own words."""
    known = words.promises.get(line.said["promise_id"])
    if known:
        return {"name_vi": known["name_vi"], "name_en": known["name_en"]}
    name = line.open_texts["promise_id"]
    mark = hashlib.sha256(fold(name).encode()).hexdigest()[:6]
    short = slug(name)[:32].strip("-") or "promise"
    return {
        "promise_id": f"{line.said['subject_id']}.{short}-{mark}",
        "name_vi": name,
        "name_en": line.said["name_en"] or name,
    }


def _row_id(page: Page, row: Mapping[str, str], who: str) -> str:
    """Return an id that a later workbook of the same speaker gives to the same thing again."""
    main = next(row[name] for name in MAIN_SUBJECT if row.get(name))
    named = (
        slug(row[NAMED_BY[page.name]].rpartition(".")[2]) if page.name in NAMED_BY else "promise"
    )
    told = json.dumps(one_thing(page, row), ensure_ascii=False)
    return f"{main}.{named}.{who}.{hashlib.sha256(told.encode()).hexdigest()[:8]}"


def _notes(line: Line, row: Mapping[str, str], where: Mapping[str, str]) -> dict[str, str]:
    """Say in both languages which cell a row stands in, after what the planner notes himself."""
    page = PAGE[line.page]
    vi, en = ("note_vi", "note_en") if "note_vi" in row else ("caution_vi", "caution_en")
    cell = f"{where.get(value_column(page), '')}{line.row}"
    act = line.open_texts.get("act_id", "")
    own = line.said.get(vi, "")
    told_vi = [own, f"Văn bản: {act}" if act else "", f"Trang “{page.vi}”, ô {cell}"]
    told_en = [
        f"“{own}”" if own else "",
        f"Act: {act}" if act else "",
        f"Sheet “{page.vi}”, cell {cell}",
    ]
    return {vi: _sentences(told_vi), en: _sentences(told_en)}


def _sentences(parts: list[str]) -> str:
    return " ".join(p if p[-1] in ".!?”" and len(p) > 1 else f"{p}." for p in parts if p)


def misfits(line: Line, words: Vocabulary, cover: Cover) -> list[Reason]:
    """Return why a row whose cells are each sound still makes no row of its table."""
    said = line.said
    found = []
    unit = ""
    if line.page == "occupancy":
        unit = words.units.get(said["measure"], "")
    if line.page == "indicators":
        unit = words.series[said["series_id"]]["unit"] if said["series_id"] else ""
    for name in ("value", "amount"):
        cell = line.cells.get(name)
        if cell is not None and cell.kind == "percent" and not unit.startswith(PERCENT):
            found.append(Reason(name, "unit_is_the_measures", f"{cell.text} %", unit))
    if line.page == "duty_reports" and not (said["agency_id"] or cover.agency_id):
        found.append(Reason("agency_id", "value_is_present"))
    if line.page == "corrections" and said["table"] and said["column"]:
        found += _correction_misfits(said)
    return found


def _correction_misfits(said: Mapping[str, str]) -> list[Reason]:
    table = TABLE[said["table"]]
    if said["column"] not in table.column_names:
        return [Reason("column", "column_is_known", said["column"], table.vi)]
    if said["column"] in (*table.key, "document_ids"):
        return [Reason("column", "column_may_be_corrected", said["column"])]
    return [Reason("now", "correction_changes_something")] if said["was"] == said["now"] else []
