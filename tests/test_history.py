"""The log of editions is a way back; what was never published is on nobody's way."""

import json

from atlas.history import Entry, by_subject, read_log, way_to
from atlas.records import Changed


def changed(subject_id: str, new: str) -> Changed:
    return Changed(
        "claims", f"{subject_id}.x", "altered", "value", "1", new, "zones", subject_id,
        {"measure": "area_ha"}, {"value": "0"},
    )  # fmt: skip


def entry(edition: str, previous: str, *changes: Changed) -> Entry:
    return Entry(edition, previous, edition[:10], "k" * 64, "", (), {"kcn-a": "planned"}, changes)


def test_an_entry_comes_back_from_its_line_as_it_was() -> None:
    one = entry("2026-01-02-b", "2026-01-01-a", changed("kcn-a", "2"))
    line = json.loads(json.dumps(one.told))
    assert read_log([line]) == {one.edition: one}


def test_the_way_to_an_edition_is_told_the_newest_first() -> None:
    log = [entry("2026-01-01-a", ""), entry("2026-01-02-b", "2026-01-01-a", changed("kcn-a", "2"))]
    way = way_to({e.edition: e for e in log}, "2026-01-02-b")
    assert [(p.edition, p.as_of) for p in way] == [
        ("2026-01-02-b", "2026-01-02"),
        ("2026-01-01-a", "2026-01-01"),
    ]
    assert way[0].groups == {"kcn-a": "planned"}


def test_what_was_left_by_a_rollback_or_never_published_is_not_on_the_way() -> None:
    told = [
        entry("2026-01-01-a", ""),
        entry("2026-01-02-b", "2026-01-01-a", changed("kcn-a", "2")),
        entry("2026-01-03-c", "2026-01-01-a"),
    ]
    way = way_to({e.edition: e for e in told}, "2026-01-03-c")
    assert [past.edition for past in way] == ["2026-01-03-c", "2026-01-01-a"]


def test_of_two_entries_of_one_edition_the_last_counts() -> None:
    first, second = entry("2026-01-01-a", ""), entry("2026-01-01-a", "", changed("kcn-a", "2"))
    assert read_log([first.told, second.told])["2026-01-01-a"].changes == second.changes


def test_a_log_that_runs_in_a_ring_or_misses_its_beginning_ends() -> None:
    ring = [entry("a", "b"), entry("b", "a")]
    assert [p.edition for p in way_to({e.edition: e for e in ring}, "a")] == ["a", "b"]
    assert [p.edition for p in way_to({"a": entry("a", "gone")}, "a")] == ["a"]
    assert way_to({}, "a") == ()


def test_lines_of_other_kinds_are_passed_over() -> None:
    assert read_log([{}, {"source_id": "x"}, {"edition": "a"}])["a"].changes == ()


def test_changes_are_grouped_by_the_record_they_are_about() -> None:
    told = (changed("kcn-a", "3"), changed("ccn-b", "2"), changed("kcn-a", "4"))
    assert {key: len(mine) for key, mine in by_subject(told).items()} == {"kcn-a": 2, "ccn-b": 1}
