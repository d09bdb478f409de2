"""The published map layers in order, and the compact data that the browser draws from.

What is said of a feature is written here as text in one language; what it looks like is named
here (shape, width, stage group) and coloured in ``site/styles/map.css``.
"""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

import geopandas as gpd
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from atlas.measure import SQUARE_METRES_PER_HECTARE
from atlas.records import Book, Fact, MoneyEvent, Record
from atlas.telling import (
    accuracy_text,
    claim_text,
    drawn_as,
    is_approximate,
    is_unplaced,
    main_facts,
    main_money,
    stage_group,
    stage_text,
)
from atlas.words import Words, plain
from geodata.crs import DISPLAY_CRS, metric_crs
from geodata.region import Box, here

DECIMALS = 5  # about 1 m: far below the error of anything drawn
STEPS = 10**DECIMALS
SIMPLIFY_M = 30.0
LABEL_WATER_M = 4_000  # shorter waterways stay without a name
PAN_DEGREES = 0.5

Json = str | int | float | None | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True)
class MapLayer:
    """One layer that a reader can switch: its title is the word ``layer.<layer_id>``.

    ``draws`` is ``units``, ``water``, ``routes`` or ``places``; the last two draw the records of
    the kind that the layer is named after. ``width`` is a line's width in pixels.
    """

    layer_id: str
    draws: str
    width: float = 2.0

    @property
    def title(self) -> str:
        """The key of its title."""
        return f"layer.{self.layer_id}"


LAYERS = (
    MapLayer("communes", "units", 1.0),
    MapLayer("waterways", "water", 1.5),
    MapLayer("canal", "routes", 4.0),
    MapLayer("expressway", "routes", 5.0),
    MapLayer("national_road", "routes", 4.0),
    MapLayer("provincial_road", "routes", 3.0),
    MapLayer("road", "routes", 2.5),
    MapLayer("industrial_park", "places"),
    MapLayer("industrial_cluster", "places"),
    MapLayer("logistics_centre", "places"),
    MapLayer("logistics_site", "places"),
    MapLayer("port", "places"),
    MapLayer("power_plant", "places"),
    MapLayer("plant", "places"),
)
"""Drawn from the bottom up. The shape of each kind and the sign of each stage group are the
symbols ``shape-<kind>`` and ``sign-<group>`` of ``site/templates/_symbols.html.j2``."""


def shown_layers(book: Book) -> tuple[MapLayer, ...]:
    """Return the layers that have something to draw."""
    kinds = {r.kind for r in book.records} | set(book.tiled.kinds if book.tiled else ())
    has = {
        "units": book.communes is not None or not book.tables["communes"].empty,
        "water": book.waterways is not None,
    }
    return tuple(layer for layer in LAYERS if has.get(layer.draws, layer.layer_id in kinds))


def layer_script(book: Book, words: Words, big: Json = None) -> str:
    """Return the script that hands one language's layers to the map, safe in any HTML.

    ``big`` is what it needs of the tiled records, where there are any.
    """
    told = layer_data(book, words) | ({"big": big} if big else {})
    return f"globalThis.ATLAS_LAYERS = {safe_json(told)};\n"


def safe_json(value: Json) -> str:
    """Write JSON in which no text can end a script, start markup, hide or turn around."""
    text = json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _plain(value: Json) -> Json:
    if isinstance(value, dict):
        return {plain(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return plain(value) if isinstance(value, str) else value


def layer_data(book: Book, words: Words) -> dict[str, Json]:
    """Return what the browser draws: the features of each layer, and the panel's words."""
    drawn: dict[str, Json] = {
        layer.layer_id: list(_features(layer, book, words)) for layer in shown_layers(book)
    }
    panel = {
        key.removeprefix("panel."): text
        for key, text in sorted(words.texts.items())
        if key.startswith("panel.")
    }
    return {"words": dict(panel), "layers": drawn, "aside": _aside(book)}


def _aside(book: Book) -> Json:
    """Return where the row of subjects begins that are known by the province alone."""
    row = [r for r in book.records if r.position and is_unplaced(r.position)]
    spots = sorted(at for r in row if (at := _drawn_at(r)))
    return _at(*spots[0]) if spots else None


def commune_layer(book: Book) -> gpd.GeoDataFrame | None:
    """Return the commune polygons, simplified together so that no gap opens between them."""
    if book.communes is None or book.communes.empty:
        return None
    metric = book.communes.to_crs(metric_crs())
    thin = shapely.coverage_simplify(metric.geometry.to_numpy(), SIMPLIFY_M)
    return gpd.GeoDataFrame(
        {"unit_id": metric["unit_id"]}, geometry=list(thin), crs=metric_crs()
    ).to_crs(DISPLAY_CRS)


def tiled_ground(book: Book) -> tuple[str, ...]:
    """Return which of the layers below the records have so many features that they are tiled."""
    if book.tiled is None:
        return ()
    return ground_over(book.tables["communes"], book.waterways, book.tiled.over)


def ground_over(
    units: pd.DataFrame, waterways: gpd.GeoDataFrame | None, over: int
) -> tuple[str, ...]:
    """Return which of the two have more than so many features: ``units``, ``water``."""
    counts = {
        "units": int((units["level"] == "commune").sum()),
        "water": 0 if waterways is None else len(waterways),
    }
    return tuple(name for name, count in counts.items() if count > over)


def _features(layer: MapLayer, book: Book, words: Words) -> Iterator[Json]:
    if layer.draws in tiled_ground(book):
        return
    if layer.draws == "units":
        yield from _units(book, words)
    elif layer.draws == "water":
        yield from _water(book)
    else:
        records = (r for r in book.records if r.kind == layer.layer_id and r.position)
        yield from (_record(record, words, layer) for record in records)


def _units(book: Book, words: Words) -> Iterator[Json]:
    """Draw polygons where there are any, and the communes' own points where there are none.

    Labels leave out the word for commune or ward, which the legend says once.
    """
    level = re.compile(words("map.level_words"))
    told = book.tables["communes"]
    rows = {row["unit_id"]: row for row in told[told["level"] == "commune"].to_dict("records")}
    layer = commune_layer(book)
    shapes = dict(zip(layer["unit_id"], layer.geometry, strict=True)) if layer is not None else {}
    for unit_id in sorted(rows.keys() | shapes.keys()):
        row = rows.get(unit_id, {"name_vi": unit_id, "name_en": unit_id})
        told_at = (row.get("longitude") or "", row.get("latitude") or "")
        feature: dict[str, Json] = {"name": level.sub("", words.of(row, "name"))}
        if unit_id in shapes:
            feature |= drawing(shapes[unit_id])
            feature["at"] = _point(shapes[unit_id].representative_point())
        elif all(told_at):
            feature["at"] = _at(float(told_at[0]), float(told_at[1]))
        else:
            continue
        yield feature


def _water(book: Book) -> Iterator[Json]:
    if book.waterways is None:
        return
    metric = book.waterways.to_crs(metric_crs())
    thin = metric.geometry.simplify(SIMPLIFY_M).to_crs(DISPLAY_CRS)
    lengths = metric.geometry.length
    names = book.waterways["name"] if "name" in book.waterways else [""] * len(thin)
    for name, line, length in sorted(
        zip(names, thin, lengths, strict=True), key=lambda w: (str(w[0]), w[1].wkb_hex)
    ):
        feature = drawing(line)
        if isinstance(name, str) and name and length >= LABEL_WATER_M:
            feature["name"] = name
        yield feature


def _record(record: Record, words: Words, layer: MapLayer) -> dict[str, Json]:
    position = record.position
    if position is None:
        raise ValueError(f"{record.subject_id} has no position to draw")
    feature = drawing(position.geometry)
    if position.drawn_at:
        feature["at"] = _at(*position.drawn_at)
    feature |= {
        "id": record.subject_id,
        "table": record.table,
        "kind": record.kind,
        "name": words.of(record, "name"),
        "says": f"{words(f'kind.{record.kind}')} · {stage_text(record, words)}",
        "stage": stage_group(record),
        "sign": drawn_as(record),
        "where": accuracy_text(record, words),
        "facts": [
            *(_fact(fact, words) for fact in main_facts(record)),
            *(_money(event, words) for event in main_money(record)),
        ],
    }
    if layer.draws == "routes":
        feature["width"] = layer.width
    if radius := footprint_m(record):
        feature["radius"] = radius
    return feature


def drawing(geometry: BaseGeometry) -> dict[str, Json]:
    """Return a geometry for the browser: ``at`` a point, along ``lines`` or in ``rings``."""
    if geometry.geom_type == "Point":
        return {"at": _point(geometry)}
    parts = shapely.get_parts(geometry).tolist()
    if geometry.geom_type.endswith("Polygon"):
        rings: list[Json] = [
            [_line(ring) for ring in (part.exterior, *part.interiors)] for part in parts
        ]
        return {"rings": rings, "at": _point(geometry.representative_point())}
    lines: list[Json] = [_line(part) for part in parts]
    longest = max(parts, key=lambda part: part.length)
    return {"lines": lines, "at": _point(longest.interpolate(0.5, normalized=True))}


def footprint_m(record: Record) -> int | None:
    """Return the radius of a circle of the place's true area, where its shape is not known."""
    fact, position = record.fact("area_ha"), record.position
    if fact is None or position is None:
        return None
    if not is_approximate(position) or is_unplaced(position):
        return None
    area_m2 = float(fact.claim.value) * SQUARE_METRES_PER_HECTARE
    return round(math.sqrt(area_m2 / math.pi))


def _fact(fact: Fact, words: Words) -> list[Json]:
    claim = fact.claim
    sources = "; ".join(words.of(document, "name") for document in claim.documents)
    trust = "confidence.conflict" if fact.is_disputed else f"confidence.{claim.confidence}"
    parts = (
        words.of(fact, "name"),
        claim_text(claim, words),
        words.dated(claim.as_of, claim.as_of_basis),
        sources,
        words(trust),
    )
    others = "; ".join(
        f"{claim_text(other, words)} ({words.date(other.as_of)})" for other in fact.others
    )
    return [*parts, others]


def _money(event: MoneyEvent, words: Words) -> list[Json]:
    parts = (
        words(f"money.{event.kind}"),
        words.amount(event.amount, event.unit, event.qualifier),
        words.dated(event.on, event.on_basis),
        "; ".join(words.of(document, "name") for document in event.documents),
        words(f"confidence.{event.confidence}"),
        "",
    )
    return list(parts)


def _point(point: BaseGeometry) -> Json:
    return _at(float(shapely.get_x(point)), float(shapely.get_y(point)))


def _at(longitude: float, latitude: float) -> Json:
    return [round(latitude, DECIMALS), round(longitude, DECIMALS)]


def _line(line: BaseGeometry) -> Json:
    """Write a line as whole steps of 10^-5 degrees: latitude, longitude, then by how much more.

    It is a quarter lighter on the way to the reader; ``draw.js`` adds the steps up again.
    """
    spots = [(round(y * STEPS), round(x * STEPS)) for x, y, *_ in line.coords]
    before = [(0, 0), *spots]
    steps = [(y - b, x - a) for (b, a), (y, x) in zip(before, spots, strict=False)]
    return [step for pair in steps for step in pair]


def bounds(book: Book) -> dict[str, Box]:
    """Return the view to open with (``first``) and how far one may pan (``limit``)."""
    points = [at for r in book.records if (at := _drawn_at(r))]
    boxes = [shapely.multipoints(points).bounds] if points else [here().bounds]
    if book.communes is not None:
        west, south, east, north = book.communes.total_bounds.tolist()
        boxes.append((west, south, east, north))
    if book.tiled and (box := book.tiled.extent()):
        boxes.append(box)
    west, south, east, north = first = _around(boxes)
    edge = PAN_DEGREES
    return {"first": first, "limit": (west - edge, south - edge, east + edge, north + edge)}


def _drawn_at(record: Record) -> tuple[float, float] | None:
    """Where a single point is drawn; lines and areas may run far and do not set the view."""
    position = record.position
    if position is None or position.geometry.geom_type != "Point":
        return None
    x, y = position.geometry.coords[0][:2]
    return position.drawn_at or (x, y)


def _around(boxes: list[Box]) -> Box:
    west, south, east, north = zip(*boxes, strict=True)
    return (float(min(west)), float(min(south)), float(max(east)), float(max(north)))
