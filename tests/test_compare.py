"""What changed between two editions, row by row, and what must not look like a change."""

import json
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas import compare
from atlas.compare import Edition, changes_json, compare_standing, compare_tables
from atlas.csv_file import write_csv
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
        write_csv([shown], folder / "data" / f"{name}.csv", TABLE[name].columns)
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
    before = Edition(publish(tmp_path, told))
    assert set(before) == set(told)
    assert compare_tables(before, told) == ()


def test_an_edition_without_a_table_or_without_any_is_read_all_the_same(tmp_path: Path) -> None:
    publish(tmp_path, {"places": tables(places=[PARK])["places"]})
    assert list(Edition(tmp_path)) == ["places"]
    assert Edition(tmp_path / "nowhere") == {}


def test_a_byte_order_mark_or_a_short_row_in_an_old_edition_does_not_stop_the_night(
    tmp_path: Path,
) -> None:
    publish(tmp_path, {"places": tables(places=[PARK])["places"]})
    path = tmp_path / "data" / "places.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes() + b"kcn-torn,industrial_park\n")
    old = Edition(tmp_path)["places"]
    assert list(old["place_id"]) == ["kcn-a", "kcn-torn"]
    assert old["note_en"].tolist() == ["", ""]


@pytest.mark.parametrize(
    "text", ["NA", "NaN", "null", "None", "-nan", "1e400", "007", " x ", "#N/A"]
)
def test_text_that_looks_like_no_value_or_a_number_stays_text(tmp_path: Path, text: str) -> None:
    told = tables(places=[{**PARK, "name_vi": text}])
    before = Edition(publish(tmp_path, {"places": told["places"]}))
    assert before["places"]["name_vi"].tolist() == [text]


def test_a_cell_of_any_length_reads_back(tmp_path: Path) -> None:
    line = "LINESTRING (" + ", ".join(["105.123456 9.123456"] * 10_000) + ")"
    told = tables(positions=[{"position_id": "p", "geometry": line}])
    before = Edition(publish(tmp_path, {"positions": told["positions"]}))
    assert compare_tables(before, told) == ()


def test_letters_that_move_into_the_next_cell_are_a_change() -> None:
    before = tables(places=[{**PARK, "name_vi": "Tân", "name_en": "Phú"}])
    after = tables(places=[{**PARK, "name_vi": "Tân P", "name_en": "hú"}])
    changed = [(one.column, one.old, one.new) for one in compare_tables(before, after)]
    assert changed == [("name_vi", "Tân", "Tân P"), ("name_en", "Phú", "hú")]


def test_large_tables_are_compared_in_parts_with_the_same_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = [{**PARK, "place_id": f"kcn-{n}", "name_vi": "'=x" if n % 9 else "Ấp"} for n in range(90)]
    new = [*old[5:60], {**old[60], "note_vi": "mới"}, *old[61:], CLUSTER]
    folder = publish(tmp_path, {"places": tables(places=old)["places"]})
    whole = compare_tables(Edition(folder), tables(places=new))
    assert [one.change for one in whole] == ["added", *["removed"] * 5, "altered"]
    monkeypatch.setattr(compare, "PART_BYTES", 300)
    parts = list(Edition(folder).parts("places"))
    assert len(parts) > 10
    assert max(map(len, parts)) < 20
    assert Edition(folder).count("places") == 90
    monkeypatch.setattr(Edition, "__getitem__", None)  # no table is read whole
    assert compare_tables(Edition(folder), tables(places=new)) == whole


def test_rows_that_grow_come_in_more_parts_and_no_row_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compare, "PART_BYTES", 2_000)
    notes = ["", 'a "b"', "\n", '"\n"', "\r\n,", "x" * 1_900, "\n" * 1_900, '"' * 1_900]
    rows = [{**PARK, "place_id": f"kcn-{n:03}", "note_vi": notes[n // 25]} for n in range(200)]
    told = tables(places=rows)["places"]
    folder = publish(tmp_path, {"places": told})
    parts = list(Edition(folder).parts("places"))
    assert [len(part) for part in parts[1:3]] > [len(part) for part in parts[-3:-1]]
    assert pd.concat(parts)["note_vi"].tolist() == told["note_vi"].tolist()


def test_a_table_without_rows_reads_back(tmp_path: Path) -> None:
    told = tables()["places"]
    before = Edition(publish(tmp_path, {"places": told}))
    assert list(before["places"]) == list(told.drop(columns="line"))
    assert before.count("places") == 0


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
    assert compare_tables(Edition(folder), told) == ()


PARK_CLAIM = {
    "claim_id": "kcn-a.area-ha.1", "subject_id": "kcn-a", "measure": "area_ha", "value": "100",
    "unit": "ha", "as_of": "2024-06", "confidence": "one_source", "document_ids": "press-1",
}  # fmt: skip


def the_change(before: dict[str, Rows], after: dict[str, Rows]) -> Changed:
    (change,) = compare_tables(tables(**before), tables(**after), date(2026, 11, 22))
    return change


def test_a_change_says_whose_record_it_is_and_what_its_row_tells() -> None:
    found = the_change({"claims": [PARK_CLAIM]}, {"claims": [PARK_CLAIM | {"value": "120"}]})
    assert found.subject_id == "kcn-a"
    assert found.row["value"] == "120"
    assert the_change({}, {"places": [PARK]}).subject_id == "kcn-a"
    assert the_change({"gaps": [{"gap_id": "g"}]}, {}).subject_id == ""


def test_a_row_tells_no_note_and_no_geometry() -> None:
    row = {"position_id": "p", "geometry": "POINT (1 2)", "note_vi": "x", "method": "osm"}
    assert the_change({}, {"positions": [row]}).row == {"position_id": "p", "method": "osm"}


def test_a_newer_claim_takes_the_place_of_the_fact_and_an_older_one_of_nothing() -> None:
    newer = PARK_CLAIM | {"claim_id": "kcn-a.area-ha.2", "value": "120", "as_of": "2025"}
    older = newer | {"as_of": "2020"}
    assert the_change({"claims": [PARK_CLAIM]}, {"claims": [PARK_CLAIM, newer]}).was["value"] == (
        "100"
    )
    assert the_change({"claims": [PARK_CLAIM]}, {"claims": [PARK_CLAIM, older]}).was == {}


def test_the_first_claim_of_a_measure_takes_nobodys_place() -> None:
    other = PARK_CLAIM | {"claim_id": "kcn-a.x", "measure": "area_leased_ha", "as_of": "2025"}
    assert the_change({"claims": [PARK_CLAIM]}, {"claims": [PARK_CLAIM, other]}).was == {}


STAGES = [
    {"stage_id": "park.planned", "axis": "park", "rank": "10", "group": "planned"},
    {"stage_id": "park.operating", "axis": "park", "rank": "80", "group": "operating"},
]


def test_a_new_step_takes_the_place_of_the_last_one_unless_it_lies_ahead() -> None:
    old = {"event_id": "e1", "subject_id": "kcn-a", "stage_id": "park.planned", "on": "2021"}
    new = {"event_id": "e2", "subject_id": "kcn-a", "stage_id": "park.operating", "on": "2025-03"}
    before = {"stage_events": [old], "stages": STAGES}
    told = the_change(before, {"stage_events": [old, new], "stages": STAGES})
    assert told.was["stage_id"] == "park.planned"
    ahead = {"stage_events": [old, new | {"on": "2030"}], "stages": STAGES}
    assert the_change(before, ahead).was == {}


def test_a_later_forecast_stands_beside_the_last_one_and_the_first() -> None:
    first = {"milestone_id": "m1", "subject_id": "kcn-a", "promise_id": "p", "due_on": "2024",
             "published_on": "2022"}  # fmt: skip
    second = first | {"milestone_id": "m2", "due_on": "2025", "published_on": "2023"}
    third = first | {"milestone_id": "m3", "due_on": "2027", "published_on": "2024-05-01"}
    told = the_change({"milestones": [second, first]}, {"milestones": [first, second, third]})
    assert (told.was["due_on"], told.was["first_due_on"]) == ("2025", "2024")
    moved = the_change(
        {"milestones": [first, second]}, {"milestones": [first, second | {"due_on": "2026"}]}
    )
    assert (moved.old, moved.new, moved.was) == ("2025", "2026", {"first_due_on": "2024"})


def test_a_newer_amount_takes_the_place_of_one_of_its_kind_fund_and_unit_only() -> None:
    old = {"money_id": "m1", "subject_id": "kcn-a", "kind": "registered", "fund": "private",
           "amount": "5", "unit": "tỷ đồng", "on": "2022"}  # fmt: skip
    new = old | {"money_id": "m2", "amount": "7", "on": "2023"}
    before = {"money_events": [old]}
    assert the_change(before, {"money_events": [old, new]}).was["amount"] == "5"
    assert the_change(before, {"money_events": [old, new | {"fund": "mixed"}]}).was == {}


def test_an_older_edition_with_a_broken_date_does_not_stop_the_night() -> None:
    broken = PARK_CLAIM | {"claim_id": "kcn-a.x", "as_of": "20 May"}
    newer = PARK_CLAIM | {"claim_id": "kcn-a.y", "as_of": "2025"}
    told = compare_tables(tables(claims=[broken]), tables(claims=[newer]))
    assert {c.change for c in told} == {"added", "removed"}


def test_a_schedule_that_time_alone_changed_is_told_of_records_in_both() -> None:
    before = {"kcn-a": {"stage_id": "", "schedule": "on_time"}, "gone": {"schedule": "met"}}
    after = {"kcn-a": {"stage_id": "", "schedule": "late"}, "new": {"schedule": "met"}}
    (change,) = compare_standing(before, after)
    assert (change.table, change.subject_id, change.column) == ("standing", "kcn-a", "schedule")
    assert (change.old, change.new) == ("on_time", "late")


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
