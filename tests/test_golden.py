import csv
import re
import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from geodata.cells import parts_of
from geodata.checks import Checked
from geodata.schema import TABLE
from geodata.stack import Accepted

FIGURES = Path(__file__).parent / "golden" / "plan_figures.csv"
SECTIONS = ("9a", "9b", "9c", "9d", "9e", "9f", "9g")
SHORT = {"kcn": "khu cong nghiep", "ccn": "cum cong nghiep"}

Figure = dict[str, str]


def read_figures() -> list[Figure]:
    with FIGURES.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def words(text: str) -> str:
    """Write a name without regard to case, punctuation, tone marks and short forms."""
    letters = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    bare = "".join(c for c in letters if not unicodedata.combining(c))
    told = re.findall(r"[a-z0-9]+", bare)
    return f" {' '.join(SHORT.get(word, word) for word in told)} "


def row_of(checked: Checked, table: str, key: str) -> Figure | None:
    rows = checked.tables[table]
    hit = rows[rows[TABLE[table].key[0]] == key]
    return None if len(hit) != 1 else {str(k): str(v) for k, v in hit.iloc[0].items()}


def names_of(checked: Checked, row: Figure, column: str) -> list[str]:
    """Every name under which a row, or an agency that it points to, is published."""
    if "." not in column:
        return [row[column], *parts_of(row.get("aliases", ""))]
    ids, name = column.split(".")
    agencies = (row_of(checked, "agencies", agency) for agency in parts_of(row[ids]))
    return [agency[name] for agency in agencies if agency]


def holds(checked: Checked, row: Figure, figure: Figure) -> bool:
    if figure["match"] == "equals":
        return row[figure["column"]] == figure["expected"]
    if figure["match"] == "has":
        return figure["expected"] in parts_of(row[figure["column"]])
    names = names_of(checked, row, figure["column"])
    return any(words(figure["expected"]) in words(name) for name in names)


def clauses_of(row: Figure) -> set[str]:
    own = re.split(r"; ?", row.get("clause", "")) + parts_of(row.get("other_clauses", ""))
    named = [reference.partition(":")[2] for reference in parts_of(row.get("plan_refs", ""))]
    return {*own, *named}


def is_sourced(row: Figure, figure: Figure) -> bool:
    """Whether the row says which plan states it, and in which clause."""
    if figure["table"] == "communes":
        # a unit is older than the plans; that they name it is a row of duties
        return bool(row["document_ids"])
    plans = {row.get("plan_id", ""), *parts_of(row.get("document_ids", ""))}
    return figure["document"] in plans and (
        set(re.split(r"; ?", figure["clause"])) <= clauses_of(row)
    )


def faults(checked: Checked, figure: Figure) -> list[str]:
    row = row_of(checked, figure["table"], figure["row_key"])
    if row is None:
        return ["no accepted row"]
    told = {
        f"{figure['match']} {figure['expected']!r}": holds(checked, row, figure),
        f"unit {figure['unit']!r}": not figure["unit"] or row["unit"] == figure["unit"],
        f"source {figure['document']} {figure['clause']}": is_sourced(row, figure),
    }
    return [needed for needed, is_true in told.items() if not is_true]


@pytest.mark.parametrize("section", SECTIONS)
def test_every_figure_of_the_plans_is_published_with_its_unit_clause_and_source(
    real: Checked, section: str
) -> None:
    figures = [figure for figure in read_figures() if figure["section"] == section]
    assert figures
    wrong = {
        f"{f['table']} {f['row_key']} {f['column']}": found
        for f in figures
        if (found := faults(real, f))
    }
    assert wrong == {}


def test_the_list_of_figures_is_whole_and_every_line_can_be_followed() -> None:
    figures = read_figures()
    assert {figure["section"] for figure in figures} == set(SECTIONS)
    assert len(figures) == len({tuple(figure.values()) for figure in figures}) >= 600
    for figure in figures:
        assert figure["match"] in ("equals", "has", "name"), figure
        assert figure["expected"], figure
        assert figure["clause"], figure
        assert figure["document"] in ("s1", "s2"), figure
        columns = TABLE[figure["table"]].column_names
        assert figure["column"].split(".")[0] in columns, figure


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("value", "12.29"),
        ("value", "12,28"),
        ("value", ""),
        ("unit", "%"),
        ("clause", "II.1"),
        ("plan_id", "s2"),
        ("period", "2021-2030"),
    ],
)
def test_one_wrong_cell_of_a_figure_is_seen(real: Checked, column: str, cell: str) -> None:
    figures = [f for f in read_figures() if f["row_key"] == "s1-t01"]
    targets = real.tables["targets"].copy()
    targets.loc[targets["target_id"] == "s1-t01", column] = cell
    broken = replace(real, tables=cast(Accepted, {**real.tables, "targets": targets}))
    assert all(not faults(real, f) for f in figures)
    assert any(faults(broken, f) for f in figures)


def test_a_figure_whose_row_was_refused_is_seen(real: Checked) -> None:
    nothing = {name: rows.head(0) for name, rows in real.tables.items()}
    empty = replace(real, tables=cast(Accepted, nothing))
    assert all(faults(empty, figure) == ["no accepted row"] for figure in read_figures())


def test_names_are_compared_without_tone_marks_but_word_by_word() -> None:
    assert words("KCN Tân Phú Thạnh") == words("khu công nghiệp Tân-Phú-THẠNH")
    assert words("Cái Côn") in words("Kênh Cái Côn (đoạn 1)")
    assert words("Xà No") not in words("Xà Nora")
