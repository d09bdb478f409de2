import json
import re

import jinja2
import pytest

from atlas.maps import draw_map
from atlas.words import read_words
from books import bare_book, small_book
from builds import PROJECT
from hostile import hostile_book

WORDS = read_words(PROJECT / "site" / "words")
TEMPLATE = jinja2.Template("<main>{{ this.map_html }}</main>{{ title }}")


def drawn(book, lang="vi"):
    figure = draw_map(book, WORDS[lang], TEMPLATE)
    return figure.draw(), figure


def test_the_same_book_gives_the_same_bytes():
    first, figure = drawn(small_book())
    second, again = drawn(small_book())
    assert first == second
    assert figure.render(title="x") == again.render(title="x")


def test_folium_s_map_layers_and_control_are_in_the_script():
    script, _ = drawn(small_book())
    assert script.startswith("'use strict';\nvar map_0 = Atlas.map(")
    assert re.findall(r'Atlas\.layer\("(\w+)"\)', script) == [
        "communes", "waterways", "canal", "expressway", "industrial_park", "logistics_centre",
    ]  # fmt: skip
    assert "L.control.layers(" in script
    assert script.index("fitBounds") < script.index("Atlas.begin(")


@pytest.mark.parametrize(("lang", "name"), [("vi", "Khu công nghiệp"), ("en", "Industrial parks")])
def test_layers_are_named_in_the_language_of_the_page(lang, name):
    script, _ = drawn(small_book(), lang)
    assert json.dumps(name) in script


def test_the_page_holds_the_map_s_container_and_nothing_that_runs():
    _, figure = drawn(small_book(), "en")
    page = figure.render(title="Map")
    assert '<div class="atlas-map" id="map_0" role="region"' in page
    assert 'aria-label="Map of industrial parks' in page
    assert "<script" not in page and "style=" not in page
    assert page.endswith("Map")


def test_nothing_foreign_is_asked_for():
    script, figure = drawn(small_book())
    assert "http" not in script + figure.render(title="")


def test_one_map_leaves_no_trace_in_the_next():
    bare, _ = drawn(bare_book())
    drawn(small_book())
    assert drawn(bare_book())[0] == bare


def test_no_text_from_data_passes_through_folium():
    assert drawn(hostile_book())[0] == drawn(small_book())[0]


def test_panning_is_held_to_the_surroundings():
    script, _ = drawn(small_book())
    told = re.sub(r"\s", "", script)
    assert '"maxBounds":[[9.3,105.25,],[10.5,106.4,],]' in told
    assert '"minZoom":8' in told
