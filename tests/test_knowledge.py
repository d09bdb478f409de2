"""What was known by a day, and what is known now about it."""

from datetime import date

import pandas as pd
import pytest

from drawings import Rows, tables
from geodata.knowledge import about_then, known_by

DAY = date(2023, 6, 30)


def document(document_id: str, published_on: str, basis: str = "published") -> dict[str, str]:
    return {
        "document_id": document_id, "published_on": published_on, "date_basis": basis,
        "retrieved_on": "2026-11-22", "note_en": "Read with care",
    }  # fmt: skip


BASE: dict[str, Rows] = {
    "documents": [
        document("s1", "2021-04-14"), document("early", "2023-06"), document("late", "2023-07-01"),
    ],
    "places": [
        {"place_id": "kcn-a", "document_ids": "late", "commune_ids": "com-1", "note_en": "now"},
        {"place_id": "kcn-b", "document_ids": "late", "plan_refs": "s1:III.5;s2:II"},
        {"place_id": "kcn-c", "document_ids": "late"},
    ],
    "measures": [{"measure": "area_ha"}],
    "communes": [{"unit_id": "com-1", "level": "commune", "valid_from": "2025-07-01"}],
}  # fmt: skip


def claim(key: str, document_ids: str, **told: str) -> dict[str, str]:
    return {
        "claim_id": key, "subject_id": "kcn-a", "measure": "area_ha", "as_of": "2022",
        "document_ids": document_ids, "confidence": "one_source", "note_en": "n",
    } | told  # fmt: skip


def then(**rows: Rows) -> dict[str, pd.DataFrame]:
    return known_by(tables(**BASE | rows), DAY)[0]


def keys(frame: pd.DataFrame) -> list[str]:
    return list(frame.iloc[:, 0])


def test_a_claim_is_known_from_the_first_document_that_says_so() -> None:
    kept = then(claims=[claim("c1", "early"), claim("c2", "late"), claim("c3", "late;early")])
    assert keys(kept["claims"]) == ["c1", "c3"]
    assert list(kept["claims"]["document_ids"]) == ["early", "early"]


def test_what_two_sources_said_and_one_had_said_by_then_has_one_source() -> None:
    both = then(claims=[claim("c", "early;late", confidence="two_sources")])
    assert list(both["claims"]["confidence"]) == ["one_source"]
    agreed = then(claims=[claim("c", "early;s1", confidence="two_sources")])
    assert list(agreed["claims"]["confidence"]) == ["two_sources"]


def test_what_is_derived_needs_all_of_its_documents() -> None:
    rows = [
        claim("c1", "early;late", confidence="derived"),
        claim("c2", "early;s1", confidence="derived"),
    ]
    assert keys(then(claims=rows)["claims"]) == ["c2"]


@pytest.mark.parametrize(
    ("published_on", "basis", "known"),
    [
        ("2023-06-30", "published", True),
        ("2023-06", "published", True),
        ("2023", "approximate", False),
        ("2022", "approximate", True),
        ("2023-06-01", "not_before", False),
        ("", "not_known", False),
    ],
)
def test_only_what_is_certain_to_have_been_published_counts(
    published_on: str, basis: str, known: bool
) -> None:
    told = [*BASE["documents"], document("d", published_on, basis)]
    kept = then(documents=told, claims=[claim("c", "d"), claim("e", "early")])
    assert ("d" in keys(kept["documents"])) == known
    assert ("c" in keys(kept["claims"])) == known


def test_a_document_of_then_had_not_been_read_and_nothing_had_been_noted() -> None:
    kept = then(claims=[claim("c", "early")])
    assert keys(kept["documents"]) == ["s1", "early"]
    assert set(kept["documents"]["retrieved_on"]) == {""}
    assert set(kept["documents"]["note_en"]) | set(kept["claims"]["note_en"]) == {""}


def test_a_record_is_known_by_its_rows_by_a_plan_or_not_at_all() -> None:
    kept = then(claims=[claim("c", "early")])
    assert keys(kept["places"]) == ["kcn-a", "kcn-b"]
    assert list(kept["places"]["plan_refs"]) == ["", "s1:III.5"]


def test_a_later_forecast_and_the_day_a_promise_was_met_are_not_there() -> None:
    first = {
        "milestone_id": "m1", "subject_id": "kcn-a", "promise_id": "p", "due_on": "2025",
        "published_on": "2022", "met_on": "2024-05", "document_ids": "early",
        "confidence": "one_source",
    }  # fmt: skip
    later = first | {"milestone_id": "m2", "due_on": "2028", "published_on": "2024"}
    for look in (known_by, about_then):
        kept = look(tables(**BASE | {"milestones": [first, later]}), DAY)[0]["milestones"]
        assert (keys(kept), list(kept["met_on"]), list(kept["due_on"])) == (["m1"], [""], ["2025"])


def test_units_that_came_later_are_taken_off_with_what_points_to_them() -> None:
    walk = {"old_unit_id": "com-1", "new_unit_id": "com-1", "document_ids": "early"}
    kept = then(claims=[claim("c", "early")], commune_crosswalk=[walk])
    assert kept["communes"].empty and kept["commune_crosswalk"].empty
    assert set(kept["places"]["commune_ids"]) == {""}


def test_with_hindsight_what_was_told_later_about_then_is_there() -> None:
    rows = [claim("c1", "late"), claim("c2", "late", as_of="2024"), claim("c3", "early")]
    kept, _ = about_then(tables(**BASE | {"claims": rows}), DAY)
    assert keys(kept["claims"]) == ["c1", "c3"]
    assert keys(kept["documents"]) == ["s1", "early", "late"]
    assert set(kept["claims"]["note_en"]) == {"n"}


def test_a_row_about_what_is_not_there_falls_with_it() -> None:
    rows = [claim("c", "early", subject_id="kcn-gone")]
    assert then(claims=rows)["claims"].empty


def test_every_row_is_accounted_for() -> None:
    rows = [claim("c1", "early"), claim("c2", "late"), claim("c3", "early", as_of="2024")]
    told = tables(**BASE | {"claims": rows})
    kept, ledger = known_by(told, DAY)
    changes = {change.step: change for change in ledger}
    assert changes["look_back claims"].dropped == {
        "not known by that day": 1,
        "of a later day": 1,
    }
    for name, frame in told.items():
        if len(frame):
            change = changes[f"look_back {name}"]
            assert (change.rows_in, change.rows_out) == (len(frame), len(kept[name]))


def test_the_vocabularies_are_there_on_every_day() -> None:
    stage = {"stage_id": "park.planned", "document_ids": "late", "law_en": "Decree of 2024"}
    kept = then(stages=[stage])
    assert keys(kept["stages"]) == ["park.planned"]
    assert list(kept["stages"]["law_en"]) == [""]
    assert keys(kept["measures"]) == ["area_ha"]
