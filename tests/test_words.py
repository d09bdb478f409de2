import datetime
import re
from decimal import Decimal
from pathlib import Path

import pytest

from atlas.words import LANGUAGES, Words, WordsError, plain, read_words
from builds import PROJECT

WORDS = read_words(PROJECT / "site" / "words")
VI, EN = WORDS["vi"], WORDS["en"]


def write_words(folder: Path, vi: str, en: str) -> Path:
    (folder / "vi.toml").write_text(vi, encoding="utf-8")
    (folder / "en.toml").write_text(en, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("value", "vi", "en"),
    [
        ("113062.026", "113.062,026", "113,062.026"),
        ("94005.500", "94.005,500", "94,005.500"),
        ("0.1", "0,1", "0.1"),
        ("-3.5", "-3,5", "-3.5"),
        (5569, "5.569", "5,569"),
        (Decimal("1E+3"), "1.000", "1,000"),
        ("about ten", "about ten", "about ten"),
        ("NaN", "NaN", "NaN"),
    ],
)
def test_numbers_keep_every_digit_in_each_language_s_form(value, vi, en):
    assert (VI.number(value), EN.number(value)) == (vi, en)


def test_money_carries_its_unit_in_the_language_of_the_page():
    assert VI.amount(Decimal("113062.026"), "tỷ đồng") == "113.062,026\u00a0tỷ đồng"
    assert EN.amount(Decimal("113062.026"), "tỷ đồng") == "113,062.026\u00a0billion VND"
    assert EN.amount("23.60", "triệu USD", ">") == "over 23.60\u00a0million USD"


def test_a_percentage_stands_close_to_its_number():
    assert VI.amount("12.28", "%/năm") == "12,28%/năm"
    assert VI.amount("3") == "3"


@pytest.mark.parametrize(
    ("qualifier", "vi", "en"),
    [
        (">", "trên 40%", "over 40%"),
        (">=", "ít nhất 40%", "at least 40%"),
        ("~", "khoảng 40%", "about 40%"),
        ("<", "dưới 40%", "under 40%"),
        ("<=", "nhiều nhất 40%", "at most 40%"),
        ("", "40%", "40%"),
    ],
)
def test_qualifiers_are_words(qualifier, vi, en):
    assert VI.amount("40", "%", qualifier) == vi
    assert EN.amount("40", "%", qualifier) == en


@pytest.mark.parametrize(
    ("when", "vi", "en"),
    [
        ("2025-07-01", "01/7/2025", "1 July 2025"),
        ("2021-02-09", "09/02/2021", "9 February 2021"),
        ("2023-12-31", "31/12/2023", "31 December 2023"),
        ("2023-07", "tháng 7/2023", "July 2023"),
        ("2023-01", "tháng 01/2023", "January 2023"),
        ("2023", "năm 2023", "2023"),
        (datetime.date(2026, 11, 22), "22/11/2026", "22 November 2026"),
        ("2023-13", "2023-13", "2023-13"),
        ("some day", "some day", "some day"),
    ],
)
def test_dates_are_written_as_in_each_language_s_papers(when, vi, en):
    assert (VI.date(when), EN.date(when)) == (vi, en)


def test_a_date_says_how_it_is_known():
    assert VI.dated("2025-12", "published") == "tháng 12/2025 (theo ngày đăng)"
    assert EN.dated("2025-12", "published") == "December 2025 (by date of publication)"


@pytest.mark.parametrize(
    ("period", "vi", "en"),
    [
        ("2025", "năm 2025", "2025"),
        ("2021-2025", "giai đoạn 2021-2025", "2021-2025"),
        ("2025-Q1", "quý I/2025", "first quarter of 2025"),
        ("2022-H1", "6 tháng đầu năm 2022", "first half of 2022"),
        ("2023-01/2023-11", "từ đầu năm đến hết tháng 11/2023", "January to November 2023"),
        ("2020-03/2021-02", "từ tháng 3/2020 đến tháng 02/2021", "March 2020 to February 2021"),
        ("2020/2021", "từ năm 2020 đến năm 2021", "2020 to 2021"),
        ("2023-07", "tháng 7/2023", "July 2023"),
    ],
)
def test_periods_are_written_out(period, vi, en):
    assert (VI.period(period), EN.period(period)) == (vi, en)


def test_a_yearly_day_has_no_year():
    assert (VI.month_day("11-15"), EN.month_day("11-15")) == ("15/11", "15 November")


def test_rounding_is_half_up_and_exact():
    assert VI.rounded(2.25, 1) == "2,3"
    assert EN.rounded(Decimal("83.1450"), 2) == "83.15"


def test_a_name_in_the_other_language_stands_in_for_a_missing_one():
    assert EN.of({"name_vi": "Kênh", "name_en": ""}, "name") == "Kênh"
    assert VI.of({"name_vi": "", "name_en": "Canal"}, "name") == "Canal"
    assert VI.of({}, "name") == ""


@pytest.mark.parametrize("sign", ["\u202e", "\u2066", "\u2028", "\x00", "\x1b", "\u200f"])
def test_signs_that_hide_or_turn_text_are_shown_as_such(sign):
    assert plain(f"KCN{sign} A") == "KCN\ufffd A"


def test_letters_of_every_kind_stay_as_they_are():
    text = "Xã Hoả Lựu – “Ngã Bảy” №5 \U0001f600 \u00a0²"
    assert plain(text) == text


def test_an_unknown_key_is_refused_with_the_next_move():
    with pytest.raises(WordsError, match="add them to site/words"):
        VI("no.such.key")
    assert VI.known("no.such.key", "as it was") == "as it was"


def test_fields_are_filled_in_and_never_read_again():
    words = Words("vi", {"a": "Lớp {name}"})
    assert words("a", name="{name} {0}") == "Lớp {name} {0}"


def test_both_languages_must_hold_the_same_keys(tmp_path):
    folder = write_words(tmp_path, '[a]\nb = "x"\nc = "y"', '[a]\nb = "x"')
    with pytest.raises(WordsError, match=r"a\.c is missing in en\.toml"):
        read_words(folder)


def test_both_languages_must_hold_the_same_fields(tmp_path):
    folder = write_words(tmp_path, 'b = "{date} x"', 'b = "{day} x"')
    with pytest.raises(WordsError, match="b has other fields"):
        read_words(folder)


@pytest.mark.parametrize("text", ["b = 3", 'b = ""', "b = ["])
def test_words_must_be_text(tmp_path, text):
    with pytest.raises(WordsError):
        read_words(write_words(tmp_path, text, text))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(WordsError, match=r"vi\.toml"):
        read_words(tmp_path)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_words_hold_markup(lang):
    assert [key for key, text in WORDS[lang].texts.items() if re.search(r"[<>]|&\w+;", text)] == []


def test_every_word_that_templates_name_is_there():
    templates = (PROJECT / "site" / "templates").glob("*.j2")
    asked = {
        key
        for path in templates
        for key in re.findall(r"\bw\('([a-z_.]+)'[,)]", path.read_text(encoding="utf-8"))
    }
    assert asked - VI.texts.keys() == set()
