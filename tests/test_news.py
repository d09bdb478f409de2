"""A change reads as a person would say it, in both languages."""

from pathlib import Path

import pytest

from atlas.compare import compare_standing, compare_tables
from atlas.news import Teller, line_text
from atlas.records import Changed
from atlas.words import read_words
from drawings import Rows, tables

WORDS = read_words(Path(__file__).parents[1] / "site" / "words")

REGISTER: dict[str, Rows] = {
    "places": [{"place_id": "kcn-a", "name_vi": "KCN A", "name_en": "Park A"}],
    "measures": [
        {"measure": "area_ha", "name_vi": "Diện tích", "name_en": "Area", "unit": "ha",
         "unit_en": "ha"},
        {"measure": "developer", "name_vi": "Chủ đầu tư", "name_en": "Developer"},
    ],
    "stages": [
        {"stage_id": "park.planned", "axis": "park", "rank": "10", "group": "planned",
         "name_vi": "Quy hoạch", "name_en": "Planned"},
        {"stage_id": "park.operating", "axis": "park", "rank": "80", "group": "operating",
         "name_vi": "Hoạt động", "name_en": "Operating"},
    ],
    "documents": [{"document_id": "press-1", "name_vi": "Báo", "name_en": "Paper"}],
}  # fmt: skip

AREA = {
    "claim_id": "c1", "subject_id": "kcn-a", "measure": "area_ha", "value": "1200.5", "unit": "ha",
    "as_of": "2024-06", "confidence": "one_source", "document_ids": "press-1",
}  # fmt: skip
MONEY = {
    "money_id": "m1", "subject_id": "kcn-a", "kind": "registered", "fund": "private",
    "amount": "1200", "unit": "tỷ đồng", "on": "2024", "qualifier": "~",
}  # fmt: skip
MILESTONE = {
    "milestone_id": "s1", "subject_id": "kcn-a", "promise_id": "p", "name_vi": "Khánh thành",
    "name_en": "Opening", "due_on": "2024", "published_on": "2022",
}  # fmt: skip
STEP = {"event_id": "e1", "subject_id": "kcn-a", "stage_id": "park.planned", "on": "2021"}


def said(lang: str, before: dict[str, Rows], after: dict[str, Rows]) -> list[str]:
    old, new = tables(**REGISTER | before), tables(**REGISTER | after)
    words = WORDS[lang]
    lines = Teller(new, words).lines(compare_tables(old, new))
    return [line_text(line, words).replace("\u00a0", " ") for line in lines]


def both(before: dict[str, Rows], after: dict[str, Rows]) -> list[str]:
    return [text for lang in ("vi", "en") for text in said(lang, before, after)]


def test_an_altered_figure_reads_in_each_languages_form() -> None:
    after = AREA | {"value": "1300"}
    assert both({"claims": [AREA]}, {"claims": [after]}) == [
        "Diện tích (tháng 6/2024): 1.200,5 ha → 1.300 ha",
        "Area (June 2024): 1,200.5 ha → 1,300 ha",
    ]


def test_a_newer_figure_reads_as_the_change_of_the_field() -> None:
    newer = AREA | {"claim_id": "c2", "value": "1300", "as_of": "2025"}
    assert said("en", {"claims": [AREA]}, {"claims": [AREA, newer]}) == [
        "Area (2025): 1,200.5 ha → 1,300 ha"
    ]


def test_a_figure_that_came_or_went_says_so() -> None:
    assert both({}, {"claims": [AREA]}) == [
        "Diện tích (tháng 6/2024): 1.200,5 ha – thêm",
        "Area (June 2024): 1,200.5 ha – added",
    ]
    assert said("en", {"claims": [AREA]}, {}) == ["Area (June 2024): 1,200.5 ha – removed"]


def test_value_and_unit_altered_together_are_one_line_and_the_rest_one_each() -> None:
    after = AREA | {"value": "13", "unit": "km2", "confidence": "two_sources", "as_of": "2025"}
    assert said("en", {"claims": [AREA]}, {"claims": [after]}) == [
        "Area (2025): 1,200.5 ha → 13 km2",
        "Area (As of): June 2024 → 2025",
        "Area (Confidence): one source → two or more sources agree",
    ]


def test_a_text_reads_in_the_language_of_the_page() -> None:
    old = AREA | {"measure": "developer", "unit": "", "value": "Cty A", "value_en": "Firm A"}
    new = old | {"value": "Cty B", "value_en": "Firm B"}
    assert both({"claims": [old]}, {"claims": [new]}) == [
        "Chủ đầu tư (tháng 6/2024): Cty A → Cty B",
        "Developer (June 2024): Firm A → Firm B",
    ]


def test_a_step_reads_as_the_change_of_the_stage() -> None:
    step = STEP | {"event_id": "e2", "stage_id": "park.operating", "on": "2025-03-01"}
    assert said("en", {"stage_events": [STEP]}, {"stage_events": [STEP, step]}) == [
        "Stage (1 March 2025): Planned → Operating"
    ]


def test_money_reads_with_kind_fund_unit_and_qualifier() -> None:
    assert said("en", {}, {"money_events": [MONEY]}) == [
        "Registered capital, private capital (2024): about 1,200 billion VND – added"
    ]


@pytest.mark.parametrize(
    ("due_on", "slip"),
    [
        ("2025", "365 days later than the first published date (2024)."),
        ("2023", "366 days earlier than the first published date (2024)."),
        ("2024-12", "The same as the first published date (2024)."),
    ],
)
def test_a_moved_date_says_how_far_it_is_from_the_first_promise(due_on: str, slip: str) -> None:
    later = MILESTONE | {"milestone_id": "s2", "due_on": due_on, "published_on": "2023"}
    (text,) = said("en", {"milestones": [MILESTONE]}, {"milestones": [MILESTONE, later]})
    assert text.startswith("Promised date: Opening: 2024 → ")
    assert text.endswith(slip)


def test_a_first_promise_has_moved_from_nothing() -> None:
    assert said("en", {}, {"milestones": [MILESTONE]}) == ["Promised date: Opening: 2024 – added"]


def test_a_renamed_record_reads_by_its_columns() -> None:
    renamed = [REGISTER["places"][0] | {"name_en": "Park B", "plan_refs": "s1:III.5;s2:II"}]
    assert said("en", {}, {"places": renamed}) == [
        "Name (English): Park A → Park B",
        "Clauses of the two plans that name it (s1:III.5): – → s1:III.5; s2:II",
    ]


def test_a_schedule_reads_without_a_source() -> None:
    before, after = ({"kcn-a": {"schedule": s}} for s in ("on_time", "late"))
    (line,) = Teller(tables(), WORDS["en"]).lines(compare_standing(before, after))
    assert line_text(line, WORDS["en"]) == "Against the promised date: Not yet due → Overdue"
    assert (line.source_id, line.documents) == ("", ())


def test_a_line_names_its_documents_and_its_source() -> None:
    told = Teller(tables(**REGISTER), WORDS["en"])
    row = AREA | {"document_ids": "press-1;gone"}
    (line,) = told.lines([Changed("claims", "c1", "added", "", "", "", "zones", "kcn-a", row)])
    assert (line.documents, line.source_id) == (("press-1", "gone"), "zones")


def test_what_old_editions_held_and_nobody_knows_now_is_shown_as_it_was() -> None:
    told = Teller(tables(), WORDS["vi"])
    odd = [
        Changed("claims", "c", "altered", "value", "1", "2", "z", "kcn-x",
                {"measure": "gone_ha", "unit": "sào", "qualifier": "??", "as_of": "hôm qua"}),
        Changed("gone_table", "k", "altered", "column", "a", "b", "z"),
        Changed("places", "kcn-x", "altered", "gone_column", "a", "b", "z", "kcn-x"),
        Changed("stage_events", "e", "added", "", "", "", "z", "kcn-x", {"stage_id": "park.gone"}),
    ]  # fmt: skip
    assert [line_text(line, WORDS["vi"]) for line in told.lines(odd)] == [
        "gone_ha (hôm qua): 1\u00a0sào → 2\u00a0sào",
        "k (column): a → b",
        "gone_column: a → b",
        "Bước tiến độ: park.gone – thêm",
    ]


def test_a_record_that_is_gone_keeps_its_name() -> None:
    gone = Changed("places", "kcn-x", "removed", "", "", "", "z", "kcn-x", {"name_en": "Park X"})
    told = Teller(tables(**REGISTER), WORDS["en"])
    assert told.subject("kcn-x", [gone]) == "Park X"
    assert told.subject("kcn-a", []) == "Park A"
    assert told.subject("kcn-y", []) == "kcn-y"
