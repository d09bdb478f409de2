from dataclasses import astuple

import pandas as pd
import pytest

from geodata.errors import AtlasError, PublishRefusedError, SourceError, UsageError
from geodata.findings import FINDING_COLUMNS, Finding, findings_table


def finding(row: int = 2, key: str = "a", rule: str = "value_is_present") -> Finding:
    return Finding("one", "places", row, key, "name_vi", rule, "row", "found '', needed a value")


def test_a_table_of_findings_has_a_column_for_every_field() -> None:
    table = findings_table([finding()])
    assert list(table.columns) == list(FINDING_COLUMNS)
    assert tuple(table.iloc[0]) == astuple(finding())


def test_findings_come_out_by_source_table_row_and_rule_whatever_the_order_in() -> None:
    found = [finding(10), finding(2, rule="b"), finding(2, rule="a"), finding(3)]
    table = findings_table(found)
    assert list(table["row"]) == [2, 2, 3, 10]
    assert list(table["rule"])[:2] == ["a", "b"]
    pd.testing.assert_frame_equal(table, findings_table(reversed(found)))


def test_no_findings_are_an_empty_table_with_all_its_columns() -> None:
    table = findings_table([])
    assert table.empty
    assert list(table.columns) == list(FINDING_COLUMNS)


def test_a_finding_cannot_be_changed_afterwards() -> None:
    with pytest.raises(AttributeError):
        finding().row = 3  # type: ignore[misc]


def test_a_refused_source_is_a_finding_that_stops_the_publication() -> None:
    error = SourceError("one", "file_is_not_empty", "raw.csv is empty")
    assert str(error) == "one: raw.csv is empty"
    told = error.finding("places")
    assert told == Finding(
        "one", "places", 0, "", "", "file_is_not_empty", "source", "raw.csv is empty"
    )


def test_every_refusal_has_its_exit_code_and_one_base() -> None:
    codes = {AtlasError: 3, SourceError: 3, PublishRefusedError: 3, UsageError: 2}
    assert {kind: kind.exit_code for kind in codes} == codes
    assert all(issubclass(kind, AtlasError) for kind in codes)
