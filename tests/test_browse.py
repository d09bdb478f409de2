import dataclasses
import json
import re

import pytest
from shapely.geometry import LineString

from atlas.browse import CARRIED, NUMBERS, find_data, find_script, group_view
from atlas.search import slug
from atlas.track import by_district, by_fund, by_owner, tracked
from atlas.views import SORTS
from atlas.words import read_words
from books import DISTRICT, bare_book, claim, fact, park, position, record, small_book
from builds import PROJECT
from hostile import HOSTILE, hostile_book

WORDS = read_words(PROJECT / "site" / "words")
VI, EN = WORDS["vi"], WORDS["en"]


def near_book():
    line = position(LineString([(105.7, 9.9), (105.9, 9.9)]), "schematic", 2_000)
    road = record("road-r", "national_road", name_vi="QL R", name_en="Road R", position=line)
    return small_book(routes=(road,))


def test_every_record_is_there_with_or_without_a_position():
    book = small_book(places=(record("kcn-x", "industrial_park"), park()))
    assert list(find_data(book, VI)["records"]) == ["kcn-x", "kcn-a", "canal-c", "exp-d"]


def test_keys_are_the_same_in_both_languages():
    vi, en = (find_data(small_book(), words) for words in (VI, EN))
    for name in vi["choices"]:
        assert {k for k, _ in vi["choices"][name]} == {k for k, _ in en["choices"][name]}
    assert vi["records"]["kcn-a"]["is"] == en["records"]["kcn-a"]["is"]
    assert vi["choices"]["who"][0] == ["cong-ty-x", "Công ty X"]
    assert en["choices"]["who"][0] == ["cong-ty-x", "Company X"]


def test_not_known_is_the_last_choice_of_every_facet():
    told = find_data(small_book(), VI)["choices"]
    assert {tuple(choices[-1]) for choices in told.values()} == {("not_known", "Chưa rõ")}


def test_numbers_are_those_known_and_no_others():
    told = find_data(small_book(), VI)["records"]
    assert told["kcn-a"]["numbers"] == {
        "area_ha": 380.0, "completeness_pct": 70, "days_late": 326
    }  # fmt: skip
    assert told["log-b"]["numbers"] == {"completeness_pct": 0}
    assert "area_ha" in NUMBERS


def test_days_late_are_known_only_where_a_day_was_promised():
    book = small_book(places=(dataclasses.replace(park(), promises=()),))
    told = find_data(book, VI)["records"]
    assert "days_late" not in told["kcn-a"]["numbers"]


def test_one_narrows_by_fund_by_what_contradicts_itself_and_by_a_route_s_districts():
    book = small_book()
    told = find_data(book, EN)
    assert told["records"]["kcn-a"]["is"]["fund"] == ["private", "mixed"]
    disputed = fact("area_ha", claim("10"), claim("12", confidence="conflict"))
    place = dataclasses.replace(park(), facts=(disputed,))
    named = dataclasses.replace(book.routes[0], districts=(), nodes=(DISTRICT,))
    told = find_data(small_book(places=(place,), routes=(named,)), EN)
    assert told["records"]["kcn-a"]["is"]["conflict"] == ["disputed"]
    assert told["records"][named.subject_id]["is"]["district"] == [DISTRICT.unit_id]


def test_a_group_of_the_tracker_is_a_view_of_the_map():
    book = small_book()
    choices = find_data(book, VI)["choices"]
    for axis, grouped in (("owner", by_owner), ("fund", by_fund), ("district", by_district)):
        for group in grouped(tracked(book)):
            ((facet, key),) = group_view(axis, group).items()
            assert key in [k for k, _ in choices[facet]]


def test_a_place_knows_its_bounds_to_every_drawn_route():
    told = find_data(near_book(), EN)
    least, most = told["records"]["kcn-a"]["to"]["road-r"]
    assert least == 0 and 12 < most < 13.5
    assert told["records"]["kcn-a"]["near"] == {"road": [least, most]}
    assert told["routes"] == [["road-r", "Road R"]]


def test_a_route_with_no_line_is_not_offered():
    assert find_data(small_book(), VI)["routes"] == [["exp-d", "Cao tốc D"]]


def test_money_is_the_newest_whole_amount_of_each_kind():
    told = find_data(small_book(), VI)["records"]["kcn-a"]["money"]
    assert told == [["registered", "tỷ đồng", "5569", ">"]]


def test_a_compared_cell_has_text_date_documents_trust_and_number():
    told = find_data(small_book(), VI)
    text, date, documents, trust, others, number = told["records"]["kcn-a"]["cells"]["area_ha"]
    assert (text, date, number) == ("380\u00a0ha", "04/12/2025 (theo ngày đăng)", 380.0)
    assert [told["documents"][i] for i in documents] == ["Báo A"]
    assert trust and others == "220\u00a0ha (tháng 5/2022)"


def test_what_is_not_known_has_no_cell():
    cells = find_data(small_book(), VI)["records"]["log-b"]["cells"]
    assert "area_ha" not in cells and "stage" not in cells


def test_a_disputed_fact_says_so_in_its_cell():
    told = fact("area_ha", claim("10"), claim("12", confidence="conflict"))
    book = small_book(places=(dataclasses.replace(park(), facts=(told,)),))
    cell = find_data(book, VI)["records"]["kcn-a"]["cells"]["area_ha"]
    assert cell[3] == VI("confidence.conflict")


def test_the_rows_of_a_comparison_say_which_value_is_better():
    rows = {key: better for key, _, better in find_data(near_book(), VI)["rows"]}
    assert (rows["area_ha"], rows["road"], rows["developer"]) == ("largest", "nearest", "")


def test_a_carried_row_has_every_column_and_raw_values():
    told = find_data(near_book(), VI)
    row = dict(zip(told["carried"], told["records"]["kcn-a"]["carry"], strict=True))
    assert list(row) == list(CARRIED)
    assert (row["area_ha"], row["stage_group"], row["days_late"]) == (380.0, "operating", 326)
    assert (row["longitude"], row["latitude"]) == (105.83, 9.94)  # not where it is drawn aside
    assert (row["road_least_km"], row["canal_least_km"]) == (0.0, "")
    assert row["edition"] == "2026-11-22-abcdef0"


def test_the_words_of_every_kind_stage_and_unit_are_there():
    words = find_data(small_book(), EN)["words"]
    assert words["group_industrial_park"] == EN("layer.industrial_park")
    assert words["unit_tỷ đồng"] == EN("unit.tỷ đồng")
    assert {f"sort_{sort}" for sort in SORTS} <= {k[4:] for k in EN.texts if k.startswith("map.")}


@pytest.mark.parametrize(
    ("text", "key"), [("Công ty CP Đông Phú", "cong-ty-cp-dong-phu"), ("<b>", "b"), ("…", "")]
)
def test_a_slug_is_plain_ascii(text, key):
    assert slug(text) == key


def test_sectors_are_told_one_by_one_with_their_names_in_both_languages():
    told = claim("Cơ khí; Điện tử", "", value_en="Mechanics; Electronics", is_number=False)
    sectors = dataclasses.replace(fact("developer", told), measure="sectors")
    book = small_book(places=(dataclasses.replace(park(), facts=(sectors,)),))
    assert find_data(book, EN)["choices"]["sector"][:2] == [
        ["dien-tu", "Electronics"], ["co-khi", "Mechanics"],
    ]  # fmt: skip


def test_a_book_of_almost_nothing_can_be_browsed():
    assert find_data(bare_book(), VI)["records"]


def test_the_same_book_gives_the_same_script():
    assert find_script(small_book(), VI) == find_script(small_book(), VI)


def test_hostile_text_stays_text():
    script = find_script(hostile_book(), VI)
    assert "<" not in script and "\u202e" not in script and "\u2028" not in script
    data = json.loads(script.removeprefix("globalThis.ATLAS_FIND = ").removesuffix(";\n"))
    assert data["records"]["kcn-a"]["name"].startswith(HOSTILE[:60])
    assert all(re.fullmatch("[a-z0-9_-]+", key) for key, _ in data["choices"]["who"])
