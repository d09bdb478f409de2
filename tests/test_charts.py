import re
from xml.etree import ElementTree

import pytest

from atlas.charts import LINES, SHAPES, Chart, Lane, Mark, bars, curve, gantt, plan
from atlas.pictures import kept_in
from atlas.words import read_words
from builds import PROJECT

WORDS = read_words(PROJECT / "site" / "words")
VI, EN = WORDS["vi"], WORDS["en"]
YEARS = (2018, 2031)


def says(text):
    return lambda words: text


def lanes(*marks: Mark, name: str = "KCN A") -> Chart:
    told = [Lane(says("Khu công nghiệp"), (), is_heading=True), Lane(says(name), marks)]
    return gantt(told, YEARS, 2026.9, says("22/11/2026"))


def tree(chart: Chart, words=VI, title: str = "Tên", text: str = "Lời") -> ElementTree.Element:
    return ElementTree.fromstring(str(chart.said(words, "chart-x", title, text)))


def texts(svg: ElementTree.Element) -> list[str]:
    return [one.text for one in svg.iter("text")]


def at(svg: ElementTree.Element, kind: str) -> list[float]:
    """How far from the left each mark of a kind stands."""
    groups = [g for g in svg.iter("g") if g.get("class") == f"c-{kind}"]
    moved = [mark.get("transform", "") for g in groups for mark in g]
    return [float(re.search(r"\((-?[\d.]+)", one)[1]) for one in moved]


def test_nothing_in_a_chart_needs_more_than_a_strict_policy_allows():
    for chart in (
        lanes(*(Mark(kind, 2020.5) for kind in SHAPES)),
        bars([(says("a"), None), (says("b"), 3.5)]),
        curve([Mark("value", 2020.5), Mark("goal", 2021, 2026)], [1, 2], (2020, 2027)),
    ):
        names = {name for one in tree(chart).iter() for name in one.attrib}
        assert not {n for n in names if n == "style" or n.startswith(("on", "aria-rol", "xlink"))}
        assert {one.tag for one in tree(chart).iter()} <= {
            "svg", "g", "title", "desc", "path", "line", "text",
        }  # fmt: skip


def test_a_chart_has_a_title_and_a_description_that_name_it():
    svg = tree(lanes(Mark("ring", 2020.5)))
    assert (svg.get("role"), svg.get("aria-labelledby")) == ("img", "chart-x-title")
    assert svg.get("aria-describedby") == "chart-x-text"
    assert [(one.tag, one.get("id"), one.text) for one in list(svg)[:2]] == [
        ("title", "chart-x-title", "Tên"),
        ("desc", "chart-x-text", "Lời"),
    ]


def test_words_stay_text_and_are_filled_in_for_each_language():
    chart = gantt(
        [Lane(lambda w: w("nav.track"), (Mark("ring", 2020.5),))], YEARS, 2026.9, says("")
    )
    assert VI("nav.track") in texts(tree(chart, VI))
    assert EN("nav.track") in texts(tree(chart, EN))


@pytest.mark.parametrize("text", ["<script>1</script>", "¤0", "¤#5 ${1}", '"&<x>', "\u202eabc"])
def test_hostile_text_is_shown_as_text_in_name_title_and_description(text):
    chart = lanes(Mark("ring", 2020.5), name=text)
    svg = tree(chart, title=text, text=text)
    shown = text.replace("\u202e", "\ufffd")
    assert shown in texts(svg)
    assert [one.text for one in list(svg)[:2]] == [shown, shown]


def test_the_same_drawing_gives_the_same_bytes():
    first, again = (lanes(Mark("late", 2024.99), Mark("lag", 2024.99, 2026.9)) for _ in range(2))
    assert first.svg == again.svg


def test_every_kind_of_mark_has_its_class_and_is_named_for_the_key():
    marks = [Mark(kind, 2020.5, 2021 if kind in LINES else None) for kind in (*SHAPES, *LINES)]
    chart = lanes(*marks)
    classes = {one.get("class") for one in tree(chart).iter("g")}
    assert {f"c-{kind}" for kind in (*SHAPES, *LINES)} <= classes
    assert chart.kinds == {*SHAPES, *LINES}


def test_a_later_day_stands_further_right():
    svg = tree(lanes(Mark("promise", 2020.0), Mark("promise", 2025.0)))
    first, last = at(svg, "promise")
    assert last - first == pytest.approx(5 * 62, abs=0.2)


def test_what_lies_outside_the_years_becomes_an_arrow_at_the_edge():
    chart = lanes(Mark("ring", 2009.5), Mark("promise", 2035.0), Mark("span", 2009, 2019))
    assert chart.kinds == {"before", "after", "span"}
    assert at(tree(chart), "before") == [0.0]
    assert at(tree(chart), "after") == [13 * 62]


def test_the_as_of_day_is_a_line_with_its_date():
    svg = tree(lanes(Mark("ring", 2020.5)))
    assert at(svg, "today") == [pytest.approx((2026.9 - 2018) * 62, abs=0.1)]
    assert "22/11/2026" in texts(svg)


def test_a_new_day_moves_its_line_and_date_and_draws_no_chart_anew(tmp_path):
    def drawn_on(today):
        with kept_in(tmp_path):
            svg = tree(gantt([Lane(says("x"), (Mark("ring", 2020.5),))], YEARS, today, says("")))
        return at(svg, "today"), at(svg, "today-date"), sorted(tmp_path.iterdir())

    first, then = drawn_on(2018.0), drawn_on(2026.9)
    assert first[0] == first[1] == [0.0]
    assert then[0] == then[1] == [pytest.approx((2026.9 - 2018) * 44, abs=0.1)]
    assert first[2] == then[2] != []


def test_a_heading_is_marked_as_one():
    svg = tree(lanes(Mark("ring", 2020.5)))
    (head,) = [one for one in svg.iter("text") if one.get("class") == "c-heading"]
    assert head.text == "Khu công nghiệp"


def test_a_chart_of_one_record_fits_a_phone():
    chart = gantt([Lane(says("Một mốc"), (Mark("late", 2025.5),))], (2021, 2027), 2026.9, says(""))
    assert float(tree(chart).get("width")) <= 330


def test_a_bar_is_as_long_as_its_amount_and_a_heading_has_none():
    svg = tree(bars([(says("vốn"), None), (says("a: 10"), 10.0), (says("b: 5"), 5.0)]))
    lengths = [
        float(one.get("x2")) for g in svg.iter("g") if g.get("class") == "c-bar" for one in g
    ]
    assert lengths == [300, 150]
    assert texts(svg) == ["vốn", "a: 10", "b: 5"]


def test_no_bars_at_all_still_make_a_drawing():
    assert texts(tree(bars([]))) == []


def test_numbers_beside_a_curve_are_written_as_each_language_does():
    chart = curve([Mark("value", 2024.5), Mark("span", 2024, 2025)], [80024, 80024], (2020, 2027))
    assert "20.000" in texts(tree(chart, VI))
    assert "20,000" in texts(tree(chart, EN))
    assert "2024" in texts(tree(chart, VI))


def test_a_small_map_keeps_north_up_and_degrees_in_proportion():
    square = [(105.0, 9.0), (106.0, 9.0), (106.0, 10.0), (105.0, 10.0), (105.0, 9.0)]
    chart = plan([("commune", square)], [("overdue", 105.5, 9.75), ("kept", 105.5, 9.25)])
    svg = tree(chart)
    height, width = float(svg.get("height")), float(svg.get("width"))
    assert height / width == pytest.approx(1 / 0.986, abs=0.02)
    ups = {
        g.get("class"): float(re.search(r",([\d.]+)\)", g[0].get("transform"))[1])
        for g in svg.iter("g")
        if g.get("class") in ("c-overdue", "c-kept")
    }
    assert ups["c-overdue"] < ups["c-kept"]
    assert texts(svg) == []
