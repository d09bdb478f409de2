import re
import unicodedata

import pytest

from geodata.checks import KINDS
from geodata.schema import STAGE_AXES, TABLE, TABLES, Column, Table

EVERY_TABLE = pytest.mark.parametrize("table", TABLES, ids=[t.name for t in TABLES])

OF_THE_DESIGN = """
places routes positions claims stage_events money_events milestones targets indicators
funding_plan agencies duties documents communes commune_crosswalk
"""


def columns(table: Table) -> list[tuple[str, Column]]:
    return [(f"{table.name}.{column.name}", column) for column in table.columns]


def test_every_table_that_the_design_lists_is_said_and_none_twice() -> None:
    names = [table.name for table in TABLES]
    assert set(OF_THE_DESIGN.split()) <= set(names)
    assert len(set(names)) == len(names) == len(TABLE)


@EVERY_TABLE
def test_the_key_of_a_table_is_made_of_its_required_columns(table: Table) -> None:
    assert table.key
    assert all(table.column(name).required for name in table.key)


@EVERY_TABLE
def test_no_column_stands_twice_or_under_the_names_the_checks_add(table: Table) -> None:
    names = table.column_names
    assert len(set(names)) == len(names)
    assert not {"source_id", "line"} & set(names)


@EVERY_TABLE
def test_a_table_says_what_one_row_is_and_its_title_in_both_languages(table: Table) -> None:
    assert table.one_row_is.startswith("one ")
    assert table.vi
    assert table.en
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", table.name)


@EVERY_TABLE
def test_ordered_dates_are_dates_of_the_table(table: Table) -> None:
    for pair in table.ordered_dates:
        assert [table.column(name).kind for name in pair] == ["date", "date"]


@EVERY_TABLE
def test_text_for_readers_comes_in_both_languages_and_is_needed_in_both(table: Table) -> None:
    for name in table.column_names:
        stem = name[:-3]
        if name.endswith("_vi") and name != "short_vi":
            assert table.column(f"{stem}_en").required == table.column(name).required
        if name.endswith("_en"):
            assert {f"{stem}_vi", stem} & set(table.column_names)


@EVERY_TABLE
def test_a_column_is_described_in_both_languages(table: Table) -> None:
    for name, column in columns(table):
        assert column.vi.strip(), name
        assert column.en.strip(), name
        assert unicodedata.is_normalized("NFC", column.vi), name


@EVERY_TABLE
def test_a_column_is_of_a_kind_that_is_checked_and_its_name_says_which(table: Table) -> None:
    for name, column in columns(table):
        assert column.kind in {"text", "wkt", *KINDS}, name
        assert re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", column.name), name
        ends = {"date": r"(.*_)?(on|of|from|to)", "flag": "(is|has)_.*", "list": ".*s"}
        assert re.fullmatch(ends.get(column.kind, ".*"), column.name), name


@EVERY_TABLE
def test_a_reference_points_to_a_column_whose_values_name_rows(table: Table) -> None:
    for name, column in columns(table):
        for reference in column.references:
            there, target = reference.split(".")
            assert TABLE[there].column(target).required, name
            assert TABLE[there].column(target).kind == "text", name
            # a series is named by its indicators, every other target by its own key
            assert TABLE[there].key == (target,) or reference == "indicators.series_id", name


@EVERY_TABLE
def test_a_column_of_ids_of_others_says_whose_they_are(table: Table) -> None:
    own = {*table.key, "promise_id", "series_id" if table.name == "indicators" else ""}
    for name, column in columns(table):
        if column.name.endswith(("_id", "_ids")) and column.name not in own:
            assert column.references, name


@EVERY_TABLE
def test_limits_are_set_only_where_a_number_can_meet_them(table: Table) -> None:
    for name, column in columns(table):
        limits = [limit for limit in (column.minimum, column.maximum) if limit is not None]
        assert not limits or column.kind in ("integer", "number", "decimal"), name
        assert limits == sorted(set(limits)), name


@EVERY_TABLE
def test_a_vocabulary_has_no_word_twice_and_no_empty_one_where_a_value_is_needed(
    table: Table,
) -> None:
    for name, column in columns(table):
        assert len(set(column.enum)) == len(column.enum), name
        assert not (column.required and "" in column.enum), name


@EVERY_TABLE
def test_a_pattern_fits_no_padded_joined_or_foreign_text(table: Table) -> None:
    for name, column in columns(table):
        for text in ("", " ", " a", "a ", "A B", "a;b", "a\n", "١٢٣٤"):
            assert not column.pattern or not re.fullmatch(column.pattern, text, re.ASCII), name


def test_every_table_that_states_something_names_documents_or_a_plan() -> None:
    for table in TABLES:
        stated = {"document_ids", "plan_id"} & set(table.column_names)
        assert stated or table.name in ("measures", "gaps", "documents")
        # the vocabulary of stages may rest on a law that has no row of its own
        assert all(table.column(name).required for name in stated) or table.name == "stages"


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("positions", "as_of"),
        ("claims", "as_of"),
        ("stage_events", "on"),
        ("money_events", "on"),
        ("milestones", "published_on"),
        ("indicators", "as_of"),
        ("gaps", "looked_on"),
    ],
)
def test_what_is_stated_of_a_place_or_route_is_dated(table: str, column: str) -> None:
    assert TABLE[table].column(column).required
    assert TABLE[table].column(column).kind == "date"


def test_the_stages_know_every_axis() -> None:
    assert TABLE["stages"].column("axis").enum == STAGE_AXES


def test_a_column_that_is_not_there_is_not_made_up() -> None:
    with pytest.raises(KeyError):
        TABLE["places"].column("area_ha")
