"""Charts as inline SVG, drawn at build time by Vega-Lite: no script, no inline style, same bytes.

Vega-Lite (through vl-convert) sets presentation attributes only, which a strict policy allows.
No text of ours or of the data enters it: a chart is drawn once with marks for its words, and each
language fills them in, escaped. Colours are classes, so `site/styles/charts.css` rules them.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree

import vl_convert
from markupsafe import Markup, escape

from atlas.pictures import VL_CONVERT, drawn
from atlas.words import Words, plain

VEGA_LITE = "6.4"
LANE_PX = 24
TALL_LANE_PX = 44  # the name above, the marks below: such a chart fits a phone
BESIDE_PX = 312
YEAR_PX = 62
SHORT_YEAR_PX = 44
BARS_PX = 300
PLAN_PX = 640
LABEL_PX = 13
POINT_PX2 = 110
DECIMALS = 1  # a tenth of a pixel

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]
Say = Callable[[Words], str]
Path = Sequence[tuple[float, float]]

SHAPES = {
    "ring": "circle",
    "preparing": "M0,0L0,-1A1,1,0,0,1,1,0Z",
    "building": "M0,-1A1,1,0,0,1,0,1Z",
    "operating": "circle",
    "ended": "M-.7,-.7L.7,.7M.7,-.7L-.7,.7",
    "promise": "diamond",
    "late": "diamond",
    "void": "diamond",
    "met": "diamond",
    "forecast": "triangle-right",
    "before": "triangle-left",
    "after": "triangle-right",
    "value": "circle",
    "target": "diamond",
    "undated": "square",
    "gone": "M-.7,-.7L.7,.7M.7,-.7L-.7,.7",
    "stalled": "circle",
    "on-time": "circle",
    "kept": "circle",
    "overdue": "diamond",
}
"""The marks that stand at a point, from the bottom up; the key beside a chart shows the same."""

LINES = ("bar", "span", "lag", "goal")
KEPT_CLASSES = {
    "role-axis-label": "c-label",
    "role-axis-grid": "c-grid",
    "role-axis-domain": "c-axis",
}
DROPPED = ("role", "aria", "pointer-events", "font-family", "class", "version", "stroke-miterlimit")
_WORD = re.compile(r"¤(#?)(-?[0-9.]+)")
_TODAY = re.compile(r'(<g class="c-today(?:-date)?"><(?:line|text) [^>]*translate\()-?[0-9.]+')
_LONG = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")


@dataclass(frozen=True)
class Mark:
    """One mark on a lane: a key of `SHAPES` at ``at``, or one of `LINES` from ``at`` to ``to``."""

    kind: str
    at: float
    to: float | None = None


@dataclass(frozen=True)
class Lane:
    """One row of a chart: what it is called, and what stands on it; a heading holds nothing."""

    says: Say
    marks: tuple[Mark, ...] = ()
    is_heading: bool = False


@dataclass(frozen=True)
class Chart:
    """A drawn chart whose words are still marks."""

    svg: str
    says: tuple[Say, ...] = field(repr=False)
    kinds: frozenset[str] = frozenset()

    def said(self, words: Words, key: str, title: str, text: str) -> Markup:
        """Return the SVG in one language, with its title and description under ids of ``key``."""

        def fill(found: re.Match[str]) -> str:
            if found[1]:
                return words.number(found[2])
            return str(escape(plain(self.says[int(found[2])](words))))

        told = Markup(
            '<svg role="img" aria-labelledby="{0}-title" aria-describedby="{0}-text"{1}>'
            '<title id="{0}-title">{2}</title><desc id="{0}-text">{3}</desc>'
        )
        head, _, rest = self.svg.removeprefix("<svg").partition(">")
        filled = Markup(_WORD.sub(fill, rest))  # noqa: S704  (each word is escaped above)
        return told.format(key, Markup(head), plain(title), plain(text)) + filled  # noqa: S704


def gantt(lanes: Sequence[Lane], years: tuple[int, int], today: float, today_says: Say) -> Chart:
    """Draw lanes over time, each year a line; what lies outside is moved to the edge, as such.

    With a heading among them the names stand beside the lanes, else above them.
    """
    is_wide = any(lane.is_heading for lane in lanes)
    width = (YEAR_PX if is_wide else SHORT_YEAR_PX) * (years[1] - years[0])
    marks = [(i, _inside(mark, years)) for i, lane in enumerate(lanes) for mark in lane.marks]
    axis: Json = {
        "orient": "top",
        "values": list(range(years[0], years[1])),
        "format": "d",
        "labelAlign": "left",
        "labelOffset": 3,
        "grid": True,
        "title": None,
        "ticks": False,
    }
    x: dict[str, Json] = {"type": "quantitative", "axis": axis, "scale": _scale(*years)}
    height = len(lanes) * (LANE_PX if is_wide else TALL_LANE_PX)
    middle = sum(years) / 2
    layers = [*_lines(marks, x), _today(middle, x, len(lanes), height), *_points(marks, x)]
    heads = {f"¤{i}" for i, lane in enumerate(lanes) if lane.is_heading}
    svg = _drawn(_spec(layers, len(lanes), width, is_wide), heads)
    at = (today - years[0]) / (years[1] - years[0]) * width
    says = (*(lane.says for lane in lanes), today_says)
    return Chart(_with_today(svg, at), says, frozenset(mark.kind for _, mark in marks))


def bars(told: Sequence[tuple[Say, float | None]]) -> Chart:
    """Draw one bar a row, from zero, below what it says; a row without a length is a heading."""
    longest = max((length for _, length in told if length is not None), default=0) or 1
    marks = [(i, Mark("bar", 0, to)) for i, (_, to) in enumerate(told) if to is not None]
    heads = {f"¤{i}" for i, (_, to) in enumerate(told) if to is None}
    x: dict[str, Json] = {"type": "quantitative", "axis": None, "scale": _scale(0, longest)}
    spec = _spec(_lines(marks, x), len(told), BARS_PX, is_wide=False)
    return Chart(_drawn(spec, heads), tuple(says for says, _ in told), frozenset({"bar"}))


def curve(marks: Sequence[Mark], heights: Sequence[float], years: tuple[int, int]) -> Chart:
    """Draw values and targets over years: each stands as high as it is, over the time it covers.

    ``heights`` belong to ``marks``; a target's line is ``goal``, a value's ``span``.
    """
    top = max((*heights, 0.0)) * 1.08 or 1.0
    x_axis: Json = {"values": list(range(*years)), "format": "d", "title": None, "grid": False,
                    "labelAlign": "left", "labelOffset": 3, "tickSize": 6}  # fmt: skip
    y_axis: Json = {"title": None, "grid": True, "tickCount": 5, "labelExpr": "'¤#' + datum.value",
                    "domain": False, "ticks": False, "minExtent": 60, "maxExtent": 60}  # fmt: skip
    x: dict[str, Json] = {"type": "quantitative", "axis": x_axis, "scale": _scale(*years)}
    y: dict[str, Json] = {
        "type": "quantitative", "field": "h", "axis": y_axis,
        "scale": {"domain": [min((*heights, 0.0)), top], "nice": True, "zero": True},
    }  # fmt: skip
    told = list(zip(heights, marks, strict=True))
    layers = [
        {**layer, "encoding": {**_told(layer["encoding"]), "y": y}}
        for layer in (*_lines(told, x, "h"), *_points(told, x, "h"))
    ]
    width = max(250, SHORT_YEAR_PX * (years[1] - years[0]))
    spec = _frame([*layers], width) | {"height": 180}
    return Chart(_drawn(spec, set()), (), frozenset(mark.kind for mark in marks))


def plan(paths: Sequence[tuple[str, Path]], points: Sequence[tuple[str, float, float]]) -> Chart:
    """Draw a small map without words: paths of a kind each, and over them points of `SHAPES`.

    Coordinates are degrees; one of longitude is drawn as wide as it is there. No words: it
    may be scaled to any width.
    """
    spots = [spot for _, path in paths for spot in path] + [(x, y) for _, x, y in points]
    west, east = min(x for x, _ in spots), max(x for x, _ in spots)
    south, north = min(y for _, y in spots), max(y for _, y in spots)
    shrunk = math.cos(math.radians((south + north) / 2))
    x: dict[str, Json] = {"field": "x", "type": "quantitative", "axis": None,
                          "scale": _scale(west, east)}  # fmt: skip
    y: dict[str, Json] = {"field": "y", "type": "quantitative", "axis": None,
                          "scale": _scale(south, north)}  # fmt: skip
    kinds = list(dict.fromkeys(kind for kind, _ in paths))
    layers: list[Json] = [_path_layer(kind, paths, {"x": x, "y": y}) for kind in kinds]
    for kind, shape in SHAPES.items():
        values: list[Json] = [{"x": at, "y": up} for k, at, up in points if k == kind]
        mark: Json = {"type": "point", "shape": shape, "size": POINT_PX2, "opacity": 1}
        told: Json = {"name": kind, "data": {"values": values}, "mark": mark,
                      "encoding": {"x": x, "y": y}}  # fmt: skip
        layers += [told] if values else []
    height = round(PLAN_PX * (north - south) / ((east - west) * shrunk))
    spec = _frame(layers, PLAN_PX) | {"height": height, "padding": 12}
    return Chart(_drawn(spec, set()), (), frozenset([*kinds, *(kind for kind, _, _ in points)]))


def _path_layer(kind: str, paths: Sequence[tuple[str, Path]], encoding: Mapping[str, Json]) -> Json:
    values: list[Json] = [
        {"x": at, "y": up, "p": number, "o": order}
        for number, (k, path) in enumerate(paths)
        if k == kind
        for order, (at, up) in enumerate(path)
    ]
    order: dict[str, Json] = {"order": {"field": "o"}, "detail": {"field": "p"}}
    return {"name": kind, "data": {"values": values}, "mark": {"type": "line"},
            "encoding": {**encoding, **order}}  # fmt: skip


def _told(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _inside(mark: Mark, years: tuple[int, int]) -> Mark:
    """Keep a mark on the page: what lies before or after stands at the edge as an arrow."""
    first, last = float(years[0]), float(years[1])
    if mark.to is not None:
        return Mark(mark.kind, min(max(mark.at, first), last), min(max(mark.to, first), last))
    if mark.at < first:
        return Mark("before", first)
    return Mark("after", last) if mark.at > last else mark


def _scale(first: float, last: float) -> Json:
    return {"domain": [first, last], "nice": False, "zero": False}


def _lines(
    marks: Iterable[tuple[float, Mark]], x: Mapping[str, Json], row: str = "r"
) -> list[dict[str, Json]]:
    told = list(marks)
    return [
        {
            "name": kind,
            "data": {"values": values},
            "mark": {"type": "rule", "color": "currentColor"},
            "encoding": {"x": {**x, "field": "a"}, "x2": {"field": "b"}},
        }
        for kind in LINES
        if (values := [_row(row, at, m) for at, m in told if m.kind == kind])
    ]


def _points(
    marks: Iterable[tuple[float, Mark]], x: Mapping[str, Json], row: str = "r"
) -> list[dict[str, Json]]:
    told = list(marks)
    return [
        {
            "name": kind,
            "data": {"values": values},
            "mark": {"type": "point", "shape": shape, "size": POINT_PX2, "color": "currentColor",
                     "opacity": 1},
            "encoding": {"x": {**x, "field": "a"}},
        }
        for kind, shape in SHAPES.items()
        if (values := [_row(row, at, m) for at, m in told if m.kind == kind])
    ]  # fmt: skip


def _row(row: str, at: float, mark: Mark) -> Json:
    told: dict[str, Json] = {row: f"¤{at:.0f}" if row == "r" else at, "a": mark.at}
    return told if mark.to is None else {**told, "b": mark.to}


def _with_today(svg: str, at: float) -> str:
    """Move the as-of day from the middle, where it is drawn: a new day draws no chart anew."""
    return _TODAY.sub(lambda found: f"{found[1]}{round(at, DECIMALS):g}", svg)


def _today(today: float, x: Mapping[str, Json], lanes: int, height: int) -> dict[str, Json]:
    """The as-of day: a line over all lanes, its date written below it."""
    whole: dict[str, Json] = {"y": {"value": 0}, "y2": {"value": height}}
    label: dict[str, Json] = {"type": "text", "dy": 12, "fontSize": LABEL_PX, "text": f"¤{lanes}"}
    at: Json = {**x, "datum": today}
    return {
        "layer": [
            {"name": "today", "mark": {"type": "rule"}, "encoding": {"x": at, **whole}},
            {
                "name": "today-date",
                "mark": label,
                "encoding": {"x": at, "y": {"value": height}},
            },
        ],
        "data": {"values": [{}]},
    }


def _spec(layers: Sequence[Json], lanes: int, width: int, is_wide: bool) -> dict[str, Json]:
    """Put layers on lanes; the names stand on an axis beside them, or above each lane."""
    axis: Json = {"title": None, "grid": True, "domain": False, "ticks": False, "labelLimit": 0,
                  "labelPadding": 12, "minExtent": BESIDE_PX, "maxExtent": BESIDE_PX}  # fmt: skip
    names: list[Json] = [f"¤{i}" for i in range(lanes)]
    y: dict[str, Json] = {
        "field": "r",
        "type": "ordinal",
        "axis": axis if is_wide else None,
        "scale": {"domain": names, "type": "band"},
    }
    below = y if is_wide else {**y, "bandPosition": 0.7}
    told = [_with_lane(layer, below) for layer in layers]
    if not is_wide:
        text: dict[str, Json] = {"type": "text", "align": "left", "fontSize": LABEL_PX}
        told.append(
            {
                "name": "label",
                "data": {"values": [{"r": name} for name in names]},
                "mark": text,
                "encoding": {
                    "x": {"value": 2},
                    "y": {**y, "bandPosition": 0.25},
                    "text": {"field": "r", "type": "nominal"},
                },
            }
        )
    step = LANE_PX if is_wide else TALL_LANE_PX
    return _frame(told, width) | {"height": {"step": step}}


def _with_lane(layer: Json, y: Json) -> Json:
    told = _told(layer)
    if "layer" in told:
        return told
    return {**told, "encoding": {"y": y, **_told(told["encoding"])}}


def _frame(layers: Sequence[Json], width: int) -> dict[str, Json]:
    sizes: Json = {"labelFontSize": LABEL_PX, "labelColor": "currentColor"}
    return {
        "width": width,
        "background": None,
        "layer": list(layers),
        "config": {"aria": False, "view": {"stroke": None}, "axis": sizes},
    }


def _drawn(spec: Mapping[str, Json], headings: set[str]) -> str:
    svg = drawn(f"Vega-Lite {VEGA_LITE}", VL_CONVERT, _draw, json.dumps(spec, sort_keys=True))
    return _clean(svg.decode(), headings)


def _draw(spec: str) -> bytes:
    return vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE).encode()


def _clean(svg: str, headings: set[str]) -> str:
    """Keep what is seen: no hidden marks, no English labels for machines, no endless decimals."""
    root = ElementTree.fromstring(svg)  # noqa: S314  (drawn by us a line ago)
    _prune(root)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        _undress(element)
        if element.text in headings:
            element.set("class", "c-heading")
    if not len(root):
        root.append(ElementTree.Element("g"))
    return ElementTree.tostring(root, encoding="unicode")


def _prune(element: ElementTree.Element) -> None:
    for child in list(element):
        _prune(child)
        is_frame = child.get("class") in ("background", "foreground")
        is_empty = child.tag.endswith("}g") and not len(child)
        if is_frame or is_empty or child.get("opacity") == "0":
            element.remove(child)


def _undress(element: ElementTree.Element) -> None:
    name = _class_of(element)
    for key in list(element.attrib):
        if key.startswith(DROPPED) or (key, element.get(key)) == ("opacity", "1"):
            del element.attrib[key]
        else:
            element.set(key, _LONG.sub(_shorter, element.attrib[key]))
    if name:
        element.set("class", name)


def _class_of(element: ElementTree.Element) -> str:
    for part in element.get("class", "").split():
        if part in KEPT_CLASSES:
            return KEPT_CLASSES[part]
        if part.endswith("_marks"):
            return f"c-{part.removesuffix('_marks')}".replace("_", "-")
    return ""


def _shorter(found: re.Match[str]) -> str:
    return f"{round(float(found[0]), DECIMALS):g}"
