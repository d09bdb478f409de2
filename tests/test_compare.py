"""What changed between two editions, row by row, and what must not look like a change."""

import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.compare import changes_json, compare_tables, find_shrinkage, read_edition
from atlas.downloads import write_csv
from atlas.records import Changed
from drawings import Rows, tables
from geodata.schema import TABLE

PARK = {"place_id": "kcn-a", "kind": "industrial_park", "name_vi": "KCN A"}
CLUSTER = {"place_id": "ccn-b", "kind": "industrial_cluster", "name_vi": "CCN B"}


def compared(before: Rows, after: Rows) -> list[tuple[str, ...]]:
    changes = compare_tables(tables(places=before), tables(places=after))
    return [(c.row_key, c.change, c.column, c.old, c.new) for c in changes]


def publish(folder: Path, told: dict[str, pd.DataFrame]) -> Path:
    """Write tables the way an edition holds them."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    for name, frame in told.items():
        shown = frame.drop(columns="line")
        write_csv(shown, folder / "data" / f"{name}.csv", TABLE[name].columns)
    return folder


def test_nothing_changed_is_nothing_told() -> None:
    assert compared([PARK, CLUSTER], [CLUSTER, PARK]) == []
    assert compare_tables(tables(), tables()) == ()


def test_a_row_that_came_and_a_row_that_went_are_one_change_each() -> None:
    assert compared([PARK], [CLUSTER]) == [
        ("ccn-b", "added", "", "", ""),
        ("kcn-a", "removed", "", "", ""),
    ]


def test_an_altered_row_tells_each_cell_that_differs_in_the_order_of_the_columns() -> None:
    after = {**PARK, "name_vi": "KCN Á", "note_en": "", "aliases": "KCN A"}
    assert compared([PARK], [after]) == [
        ("kcn-a", "altered", "name_vi", "KCN A", "KCN Á"),
        ("kcn-a", "altered", "aliases", "", "KCN A"),
    ]


def test_a_change_names_its_table_and_the_source_of_the_newer_row() -> None:
    before, after = tables(places=[PARK]), tables(places=[{**PARK, "name_vi": "x"}])
    after["places"] = after["places"].assign(source_id="newer")
    (change,) = compare_tables(before, after)
    assert (change.table, change.source_id) == ("places", "newer")
    (removed,) = compare_tables(before, tables())
    assert removed.source_id == "drawn"


def test_a_table_unknown_to_the_older_edition_counts_as_empty() -> None:
    changes = compare_tables({}, tables(places=[PARK]))
    assert [(c.table, c.change) for c in changes] == [("places", "added")]


def test_a_column_unknown_to_the_older_edition_counts_as_empty_cells() -> None:
    before = tables(places=[PARK])
    before["places"] = before["places"].drop(columns="note_vi")
    assert compare_tables(before, tables(places=[PARK])) == ()
    (change,) = compare_tables(before, tables(places=[{**PARK, "note_vi": "mới"}]))
    assert (change.old, change.new) == ("", "mới")


def test_a_key_of_two_columns_tells_both() -> None:
    walk = {"old_unit_id": "old-1", "new_unit_id": "com-1"}
    changes = compare_tables(tables(), tables(commune_crosswalk=[walk]))
    assert [c.row_key for c in changes] == ["old-1/com-1"]


def test_tables_come_in_the_order_of_the_schema_and_rows_in_that_of_their_keys() -> None:
    after = tables(gaps=[{"gap_id": "g"}], routes=[{"route_id": "r"}], places=[PARK, CLUSTER])
    told = [(c.table, c.row_key) for c in compare_tables({}, after)]
    assert told == [("places", "ccn-b"), ("places", "kcn-a"), ("routes", "r"), ("gaps", "g")]


def test_an_edition_reads_back_as_it_was_published(tmp_path: Path) -> None:
    told = tables(places=[PARK, CLUSTER], gaps=[{"gap_id": "g", "what_vi": 'a,\n"b"'}])
    before = read_edition(publish(tmp_path, told))
    assert set(before) == set(told)
    assert compare_tables(before, told) == ()


def test_an_edition_without_a_table_or_without_any_is_read_all_the_same(tmp_path: Path) -> None:
    publish(tmp_path, {"places": tables(places=[PARK])["places"]})
    assert list(read_edition(tmp_path)) == ["places"]
    assert read_edition(tmp_path / "nowhere") == {}


def test_a_byte_order_mark_or_a_short_row_in_an_old_edition_does_not_stop_the_night(
    tmp_path: Path,
) -> None:
    publish(tmp_path, {"places": tables(places=[PARK])["places"]})
    path = tmp_path / "data" / "places.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes() + b"kcn-torn,industrial_park\n")
    old = read_edition(tmp_path)["places"]
    assert list(old["place_id"]) == ["kcn-a", "kcn-torn"]
    assert old["note_en"].tolist() == ["", ""]


@pytest.mark.parametrize(
    "text", ["NA", "NaN", "null", "None", "-nan", "1e400", "007", " x ", "#N/A"]
)
def test_text_that_looks_like_no_value_or_a_number_stays_text(tmp_path: Path, text: str) -> None:
    told = tables(places=[{**PARK, "name_vi": text}])
    before = read_edition(publish(tmp_path, {"places": told["places"]}))
    assert before["places"]["name_vi"].tolist() == [text]


def test_a_cell_of_any_length_reads_back(tmp_path: Path) -> None:
    line = "LINESTRING (" + ", ".join(["105.123456 9.123456"] * 10_000) + ")"
    told = tables(positions=[{"position_id": "p", "geometry": line}])
    before = read_edition(publish(tmp_path, {"positions": told["positions"]}))
    assert compare_tables(before, told) == ()


HARD_TEXT = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
    st.text(st.sampled_from("'=+-@\t\r\n\",;1.e \u2028\ufeff\x00"), max_size=6),
)


@settings(max_examples=25)
@given(vi=HARD_TEXT, en=HARD_TEXT)
def test_whatever_the_text_publishing_it_is_no_change(
    tmp_path_factory: pytest.TempPathFactory, vi: str, en: str
) -> None:
    told = tables(places=[{**PARK, "name_vi": vi, "name_en": en, "note_en": vi}])
    folder = publish(tmp_path_factory.getbasetemp() / "edition", {"places": told["places"]})
    assert compare_tables(read_edition(folder), told) == ()


@pytest.mark.parametrize(
    ("before", "after", "shrank"),
    [
        (10, 9, False),
        (10, 8, True),
        (100, 90, False),
        (100, 89, True),
        (9, 8, True),
        (1, 0, True),
        (0, 0, False),
        (5, 50, False),
    ],
)
def test_a_table_shrank_when_it_lost_more_than_a_tenth(
    before: int, after: int, shrank: bool
) -> None:
    old, new = ({"places": pd.DataFrame(index=range(n))} for n in (before, after))
    assert find_shrinkage(old, new) == ([("places", before, after)] if shrank else [])


def test_shrinkage_looks_at_every_table_of_the_edition_before() -> None:
    before = tables(places=[PARK, CLUSTER], routes=[{"route_id": "r"}])
    after = tables(places=[PARK])
    assert find_shrinkage(before, after) == [("places", 2, 1), ("routes", 1, 0)]
    assert find_shrinkage({}, after) == []


def test_the_changes_file_holds_both_editions_and_keeps_empty_old_and_new() -> None:
    added = Changed("places", "kcn-a", "added", "", "", "", "zones")
    altered = Changed("places", "b", "altered", "name_vi", "", "</script>\u2028\x07Á", "zones")
    told = json.loads(changes_json("e1", "e2", (added, altered)))
    assert (told["previous_edition"], told["edition"]) == ("e1", "e2")
    assert told["changes"][0] == {
        "table": "places", "row_key": "kcn-a", "change": "added",
        "old": "", "new": "", "source_id": "zones",
    }  # fmt: skip
    assert told["changes"][1]["new"] == "</script>\u2028\x07Á"


def test_the_first_edition_has_none_before_it() -> None:
    assert json.loads(changes_json("", "e1", ()))["previous_edition"] is None
