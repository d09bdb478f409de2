"""Book -> one Folium map per language: a page, and a script beside it; the same bytes each time.

Folium writes the shell (map, layers, layer control, first view). No text from data passes
through it: features come from `layers.layer_script`, and ``site/scripts/map`` draws them.
"""

from collections.abc import Iterator

import folium
from branca.element import Element, Figure, MacroElement
from folium.template import Template
from jinja2 import Template as PageTemplate

from atlas.layers import MapLayer, bounds, shown_layers
from atlas.records import Book
from atlas.tiles import farthest_zoom
from atlas.words import Words
from geodata.region import Box

ZOOM_START = 10
MIN_ZOOM = 8
MAX_ZOOM = 16
EDGE_PX = 20  # half a sign and a little, so that none is cut by the frame
CREDIT_PX = 52  # the line that credits the sources, in two rows
ZOOM_STEP = 0.25  # there are no tiles, so the first view may fit the province closely

FIRST_PARTS = ("base", "draw", "hash", "panel", "page")
LATER_PARTS = (
    *("narrow", "facets", "list", "search", "shortlist", "compare", "carry", "point"),
    *("hand", "browse"),
)
PAPER_PARTS = ("paper",)
BIG_PARTS = ("grid", "source", "mvt", "ground", "tiles", "big")
NARROW_PARTS = ("columns", "spans", "order", "found", "taken")
"""The scripts of ``site/scripts/map`` in the order of their need: what the first view runs, what
comes with the first touch of the search or a filter, what with the print of a comparison, and
what the first view and the first touch run only where layers are tiled."""


class AtlasFigure(Figure):
    """A figure whose page is one of the site's own templates, with no script inside it."""

    def __init__(self, template: PageTemplate) -> None:
        super().__init__()
        self._template = template

    def draw(self) -> str:
        """Render the elements once and return their script, which goes to its own file."""
        for number, element in enumerate(_tree(self)):
            element._id = f"{number}"
        for child in list(self._children.values()):
            child.render()
        lines = (line.strip() for line in self.script.render().splitlines())
        return "'use strict';\n" + "\n".join(line for line in lines if line) + "\n"

    @property
    def map_html(self) -> str:
        """The map's container, made of nothing but ids and words."""
        return "".join(child.render() for child in self.html._children.values()).strip()

    def render(self, **values: object) -> str:
        """Return the whole page; draw() comes first."""
        return str(self._template.render(this=self, **values))


class AtlasMap(folium.Map):
    """Folium's map without foreign assets, inline styles or English-only buttons."""

    default_js: list[tuple[str, str]] = []
    default_css: list[tuple[str, str]] = []
    _template = Template(
        """
        {% macro html(this, kwargs) %}
        <div class="atlas-map" id="{{ this.get_name()|e }}" role="region"
             aria-label="{{ this.label|e }}"></div>
        {% endmacro %}
        {% macro script(this, kwargs) %}
        var {{ this.get_name() }} = Atlas.map({{ this.get_name()|tojson }}, {
          center: {{ this.location|tojson }},
          ...{{ this.options|tojavascript }}
        });
        {% endmacro %}
        """
    )

    def __init__(self, label: str, first: Box, limit: Box, farthest: int = MIN_ZOOM) -> None:
        west, south, east, north = first
        super().__init__(
            location=[round((south + north) / 2, 4), round((west + east) / 2, 4)],
            tiles=None,
            zoom_start=ZOOM_START,
            zoom_control=False,
            attribution_control=False,
        )
        self.label = label
        self.options |= {
            "min_zoom": min(MIN_ZOOM, farthest),
            "max_zoom": MAX_ZOOM,
            "zoom_snap": ZOOM_STEP,
            "max_bounds": _corners(limit),
        }


class DataLayer(folium.map.Layer):
    """One layer whose features lie in the data file beside the page."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
        var {{ this.get_name() }} = Atlas.layer({{ this.layer_id|tojson }});
        {% endmacro %}
        """
    )

    def __init__(self, layer: MapLayer, words: Words) -> None:
        super().__init__(name=words(layer.title), overlay=True)
        self._name = "DataLayer"
        self.layer_id = layer.layer_id


class Begin(MacroElement):
    """The last line of the script: the panel, the list and the legend come alive."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
        Atlas.begin({{ this.parts|tojavascript }});
        {% endmacro %}
        """
    )

    def __init__(self, parts: dict[str, object]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Begin"
        self.parts = parts


def draw_map(book: Book, words: Words, template: PageTemplate) -> AtlasFigure:
    """Return the map's figure: draw() gives its script, then render() its page."""
    view = bounds(book)
    farthest = farthest_zoom(book.tiled.extent()) if book.tiled else MIN_ZOOM
    atlas_map = AtlasMap(words("map.label"), view["first"], view["limit"], farthest)
    layers = [DataLayer(layer, words) for layer in shown_layers(book)]
    for layer in layers:
        layer.add_to(atlas_map)
    control = folium.LayerControl(collapsed=False).add_to(atlas_map)
    fit = folium.FitBounds(_corners(view["first"]))
    fit.options |= {
        "animate": False,
        "paddingTopLeft": [EDGE_PX, EDGE_PX],
        "paddingBottomRight": [EDGE_PX, CREDIT_PX],
    }
    fit.add_to(atlas_map)
    parts: dict[str, object] = {
        "map": atlas_map,
        "control": control,
        "layers": [[layer.layer_id, layer] for layer in layers],
    }
    Begin(parts).add_to(atlas_map)
    figure = AtlasFigure(template)
    figure.add_child(atlas_map)
    return figure


def _corners(box: Box) -> list[list[float]]:
    west, south, east, north = (round(edge, 4) for edge in box)
    return [[south, west], [north, east]]


def _tree(element: Element) -> Iterator[Element]:
    for child in element._children.values():
        yield child
        yield from _tree(child)
