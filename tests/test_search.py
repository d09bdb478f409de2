import dataclasses
import json
import shutil
import subprocess
import unicodedata

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas.search import all_folded, entries, folded
from atlas.words import read_words
from books import OPERATING, PLAN, event, park, record, small_book
from builds import PROJECT

WORDS = read_words(PROJECT / "site" / "words")
SCRIPT = PROJECT / "site" / "scripts" / "fold.js"
TEXTS = [
    "KCN Sông Hậu 2", "Đông Phú", "đường ĐT.931", "  hai\u00a0 khoảng  trắng ",
    "1234/QĐ-TTg", unicodedata.normalize("NFD", "Vị Thuỷ"), "ƠƯĂÂÊÔ ơưăâêô", "ÞESS İ", "",
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("KCN Sông Hậu 2", "kcn song hau 2"),
        ("Đông Phú", "dong phu"),
        (unicodedata.normalize("NFD", "Châu Thành A"), "chau thanh a"),
        ("1234/QĐ-TTg", "1234/qd-ttg"),
    ],
)
def test_diacritics_case_and_the_barred_d_are_folded(text, bare):
    assert folded(text) == bare


@given(st.lists(st.one_of(st.sampled_from(TEXTS), st.text(max_size=9))))
def test_all_at_once_are_folded_as_each_is(texts: list[str]) -> None:
    told = all_folded(pd.Series(texts, dtype="str"))
    assert told.to_pylist() == [folded(text) for text in texts]


def test_the_browser_folds_as_the_index_does():
    fold = SCRIPT.read_text(encoding="utf-8")
    ask = f"{fold}console.log(JSON.stringify({json.dumps(TEXTS)}.map(atlasFold)))"
    node = shutil.which("node")
    done = subprocess.run([str(node), "-e", ask], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [folded(text) for text in TEXTS]


def found(words=WORDS["vi"], **changes):
    told = entries(small_book(places=(dataclasses.replace(park(), **changes),)), words)
    return {(field, text) for subject, field, text, _ in told if subject == "kcn-a"}


def test_a_record_is_found_by_all_its_names_and_those_of_its_units():
    assert found() >= {
        ("name", "KCN A"), ("other_name", "Park A"), ("who", "Công ty X"),
        ("commune", "Xã Châu Thành"), ("old_commune", "Xã Đông Phú"),
        ("old_district", "Huyện Châu Thành"),
    }  # fmt: skip


def test_the_other_language_s_names_find_it_too():
    assert {("name", "Park A"), ("other_name", "KCN A")} <= found(WORDS["en"])
    assert ("who", "Company X") in found(WORDS["en"])


def test_an_act_is_found_by_its_number():
    act = dataclasses.replace(PLAN, number="06/KH-UBND")
    assert ("act", "06/KH-UBND") in found(events=(dataclasses.replace(event(OPERATING), act=act),))


def test_the_same_name_is_told_once():
    twice = dataclasses.replace(park(), aliases=("kcn a",))
    told = entries(small_book(places=(twice,)), WORDS["vi"])
    keys = [key for subject, _, _, key in told if subject == "kcn-a"]
    assert len(keys) == len(set(keys))


def test_a_road_is_found_by_its_number():
    road = record("r", "road", ref="QL61C")
    assert ["r", "number", "QL61C", "ql61c"] in entries(small_book(routes=(road,)), WORDS["vi"])
