import dataclasses

import pytest
from shapely.geometry import LineString, Point

from atlas.telling import (
    accuracy_text,
    claim_text,
    drawn_as,
    main_facts,
    main_money,
    phase_text,
    stage_text,
    unit_of,
    whole_history,
)
from atlas.words import read_words
from books import DISTRICT, claim, expressway, park, position, record
from builds import PROJECT

WORDS = read_words(PROJECT / "site" / "words")
VI, EN = WORDS["vi"], WORDS["en"]


def test_a_schematic_line_is_told_from_a_true_one():
    true = dataclasses.replace(
        expressway(), position=position(LineString([(105.6, 9.8), (105.8, 9.9)]), "osm", 100)
    )
    assert (drawn_as(expressway()), drawn_as(true)) == ("approximate", "known")
    assert drawn_as(record("kcn-x", "industrial_park")) == "none"


@pytest.mark.parametrize(
    ("one", "says"),
    [
        (park(), "Chỉ biết nằm trong Xã Châu Thành; chỗ vẽ là quy ước"),
        (expressway(), "Đường sơ đồ nối các nơi mà nguồn nêu tên, không phải hướng tuyến"),
        (record("kcn-x", "industrial_park"), "Chưa có vị trí"),
        (
            record("p", "plant", position=position(Point(105.8, 9.9), "digitised", 200)),
            "sai số khoảng 0,2 km",
        ),
        (
            record(
                "p", "plant", districts=(DISTRICT,),
                position=position(Point(105.8, 9.9), "schematic", 9000),
            ),
            "Chỉ biết thuộc Huyện Châu Thành (đơn vị cũ)",
        ),
        (
            record("p", "plant", position=position(Point(105.8, 9.9), "schematic", 39000)),
            "Chưa rõ nơi đặt",
        ),
        (
            record("r", "road", position=position(Point(105.8, 9.9), "schematic", 9000)),
            "Mới biết một nơi tuyến đi qua",
        ),
        (
            record("r", "road", position=position(Point(105.8, 9.9), "schematic", 39000)),
            "Chưa rõ tuyến đi qua đâu",
        ),
        (
            record("p", "plant", position=position(Point(105.8, 9.9), "commune_point", 9000)),
            "vùng chưa rõ",
        ),
    ],
)  # fmt: skip
def test_accuracy_is_always_said_in_words(one, says):
    assert says in accuracy_text(one, VI)


def test_only_whole_facts_and_the_newest_money_of_each_kind_reach_the_panel():
    assert [f.claim.value for f in main_facts(park())] == ["380", "Công ty X"]
    assert [m.kind for m in main_money(park())] == ["registered"]


def test_claims_are_written_with_unit_or_as_text():
    assert claim_text(claim("37", "km", qualifier="~"), VI) == "khoảng 37\u00a0km"
    text = claim("Hai làn", "", value_en="Two lanes", is_number=False)
    assert (claim_text(text, VI), claim_text(text, EN)) == ("Hai làn", "Two lanes")


def test_a_record_without_events_says_that_its_stage_is_not_known():
    assert stage_text(record("kcn-x", "industrial_park"), EN) == "Stage not known"


@pytest.mark.parametrize(
    ("phase", "vi", "en"),
    [
        ("2", "giai đoạn 2", "phase 2"),
        ("component-3", "dự án thành phần 3 (qua Hậu Giang)", "component 3 (through Hậu Giang)"),
        ("hạ tầng / infrastructure", "hạ tầng", "infrastructure"),
        ("khác", "khác", "khác"),
    ],
)
def test_phases_are_written_in_words(phase, vi, en):
    assert (phase_text(phase, WORDS["vi"]), phase_text(phase, WORDS["en"])) == (vi, en)


def test_a_promise_begins_with_its_first_date():
    (promise,) = park().promises
    assert [f.due_on for f in whole_history(promise)] == ["2024", "2029-08"]
    later = dataclasses.replace(promise, forecasts=promise.forecasts[1:])
    assert [f.due_on for f in whole_history(later)] == ["2024", "2029-08"]


def test_units_are_in_the_language_of_the_page():
    row = {"unit": "KCN", "unit_en": "parks"}
    assert (unit_of(row, VI), unit_of(row, EN), unit_of({"unit": "ha"}, EN)) == (
        "KCN",
        "parks",
        "ha",
    )
