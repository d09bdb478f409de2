from collections.abc import Sequence
from random import Random

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drawings import table
from geodata.claims import GROUP, resolve
from geodata.schema import CONFIDENCES, QUALIFIERS

CLAIM = {
    "subject_id": "kcn-a",
    "measure": "area_ha",
    "value": "100",
    "as_of": "2024",
    "confidence": "one_source",
    "document_ids": "press-1",
}


def claims(*rows: dict[str, str]) -> pd.DataFrame:
    told = [{"claim_id": f"c{n}", **CLAIM, **row} for n, row in enumerate(rows, 1)]
    return table("claims", told)


def ranked(*rows: dict[str, str]) -> list[str]:
    return list(resolve(claims(*rows))["claim_id"])


def disputed(*rows: dict[str, str]) -> dict[str, bool]:
    resolved = resolve(claims(*rows))
    return dict(zip(resolved["claim_id"], resolved["is_disputed"], strict=True))


def test_the_only_claim_is_the_fact() -> None:
    resolved = resolve(claims({}))
    assert list(resolved["rank"]) == [1]
    assert not resolved["is_disputed"].any()


def test_no_claims_are_no_facts_with_all_columns() -> None:
    resolved = resolve(claims())
    assert resolved.empty
    assert list(resolved.columns) == [*claims().columns, "rank", "is_disputed"]


def test_the_newest_claim_is_the_fact_and_the_others_stay_behind_it() -> None:
    years = [{"as_of": "2021"}, {"as_of": "2024-06"}, {"as_of": "2023-12-31"}]
    assert ranked(*years) == ["c2", "c3", "c1"]
    assert list(resolve(claims(*years))["rank"]) == [1, 2, 3]


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        ("2024", "2024-12-30"),
        ("2024-02", "2024-02-28"),
        ("2024-02-29", "2024-02-28"),
        ("2024-07", "2024-06-30"),
        ("2025-01-01", "2024"),
    ],
)
def test_a_cut_date_counts_as_its_last_day(newer: str, older: str) -> None:
    assert ranked({"as_of": older}, {"as_of": newer}) == ["c2", "c1"]
    assert ranked({"as_of": newer}, {"as_of": older}) == ["c1", "c2"]


def test_of_one_day_the_better_confidence_wins() -> None:
    rows = [{"confidence": name} for name in reversed(CONFIDENCES)]
    assert ranked(*rows) == ["c5", "c4", "c3", "c2", "c1"]


def test_a_newer_claim_beats_a_better_one() -> None:
    old_plan, new_press = {"confidence": "plan", "as_of": "2021"}, {"confidence": "conflict"}
    assert ranked(old_plan, new_press) == ["c2", "c1"]


def test_an_exact_tie_goes_to_the_smaller_document_and_then_to_the_smaller_claim() -> None:
    assert ranked({"document_ids": "ti2"}, {"document_ids": "ti1"}) == ["c2", "c1"]
    assert ranked({"claim_id": "c10"}, {"claim_id": "c1"}) == ["c1", "c10"]


def test_the_same_last_day_written_in_two_ways_is_a_tie() -> None:
    whole, cut = {"as_of": "2024-12-31", "value": "90"}, {"as_of": "2024", "confidence": "plan"}
    assert ranked(whole, cut) == ["c2", "c1"]
    assert disputed(whole, cut) == {"c1": True, "c2": True}


def test_each_subject_measure_and_phase_has_its_own_fact() -> None:
    rows = [
        {"phase": "1"},
        {"phase": "2"},
        {"measure": "price"},
        {"subject_id": "kcn-b"},
        {"as_of": "2020"},
        {},
    ]
    resolved = resolve(claims(*rows)).set_index("claim_id")["rank"]
    assert dict(resolved) == {"c1": 1, "c2": 1, "c3": 1, "c4": 1, "c5": 2, "c6": 1}


def test_facts_come_out_by_subject_measure_and_phase() -> None:
    rows = [
        {"subject_id": "kcn-b"},
        {"phase": "2"},
        {"measure": "price"},
        {"phase": "1"},
        {},
    ]
    assert ranked(*rows) == ["c5", "c4", "c2", "c3", "c1"]


def test_two_values_of_one_day_are_in_dispute_and_both_stay() -> None:
    assert disputed({"value": "58.4"}, {"value": "58.37"}) == {"c1": True, "c2": True}


def test_the_fact_of_an_older_day_may_differ_without_dispute() -> None:
    assert disputed({"value": "90", "as_of": "2021"}, {}) == {"c1": False, "c2": False}


def test_an_older_claim_that_is_marked_as_a_conflict_is_a_dispute() -> None:
    marked = {"value": "90", "as_of": "2021", "confidence": "conflict"}
    assert disputed(marked, {}) == {"c1": True, "c2": True}


def test_a_single_claim_that_is_marked_as_a_conflict_is_a_dispute() -> None:
    assert disputed({"confidence": "conflict"}) == {"c1": True}


def test_a_dispute_stays_within_its_group() -> None:
    told = disputed({"value": "1"}, {"value": "2"}, {"phase": "2"}, {"subject_id": "kcn-b"})
    assert told == {"c1": True, "c2": True, "c3": False, "c4": False}


def test_over_a_hundred_and_a_hundred_are_not_the_same() -> None:
    assert disputed({"qualifier": ">"}, {}) == {"c1": True, "c2": True}


@pytest.mark.parametrize(
    ("one", "other"), [("10.10", "10.1"), ("100", "100.0"), ("0", "0.00"), ("7", "07")]
)
def test_one_number_written_in_two_ways_is_no_dispute(one: str, other: str) -> None:
    assert disputed({"value": one}, {"value": other}) == {"c1": False, "c2": False}


def test_texts_and_numbers_of_one_day_are_compared_letter_by_letter() -> None:
    assert disputed({"value": "1e2"}, {"value": "100"})["c1"]
    assert disputed({"value": "Công ty A"}, {"value": "Công ty B"})["c1"]
    assert not disputed({"value": "NaN"}, {"value": "NaN"})["c1"]


DATES = ["2023", "2023-12", "2023-12-31", "2024", "2024-02", "2024-02-29"]
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "subject_id": st.sampled_from(["kcn-a", "kcn-b"]),
            "measure": st.sampled_from(["area_ha", "price"]),
            "phase": st.sampled_from(["", "1"]),
            "qualifier": st.sampled_from(QUALIFIERS),
            "value": st.sampled_from(["100", "100.0", "90", "Công ty A", ""]),
            "as_of": st.sampled_from(DATES),
            "confidence": st.sampled_from(CONFIDENCES),
            "document_ids": st.sampled_from(["s1", "ti1", "s1;ti1"]),
        }
    ),
    max_size=12,
)


@given(ROWS)
def test_no_claim_is_lost_or_altered_and_every_group_has_one_fact(
    rows: Sequence[dict[str, str]],
) -> None:
    before = claims(*rows)
    after = resolve(before)
    kept = after.drop(columns=["rank", "is_disputed"]).sort_index()
    pd.testing.assert_frame_equal(kept, before)
    for _, group in after.groupby(GROUP):
        assert list(group["rank"]) == list(range(1, len(group) + 1))
        assert group["is_disputed"].nunique() == 1
        assert group["is_disputed"].all() or not (group["confidence"] == "conflict").any()


@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_the_claims_does_not_matter(
    rows: Sequence[dict[str, str]], random: Random
) -> None:
    before = claims(*rows)
    order = list(before.index)
    random.shuffle(order)
    pd.testing.assert_frame_equal(resolve(before.loc[order]), resolve(before))
