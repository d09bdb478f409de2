"""What a comparison takes to paper beside its table: a sketch, coordinates, the other language.

The browser loads it when a comparison is printed. Coordinates and shapes come from here, so that
nothing is projected in the browser.
"""

from collections.abc import Mapping

import shapely

from atlas.beside import Shelf, compared_cells, compared_rows
from atlas.layers import Json, safe_json
from atlas.reach import Bounds, nearby_of, reach_of
from atlas.records import Book, Record
from atlas.sheet import (
    SCALE_KM,
    UNIT_M,
    Address,
    Frame,
    Locator,
    locator,
    spot_texts,
    spots,
)
from atlas.telling import accuracy_text
from atlas.words import Words
from geodata.crs import shapes_to_metric

BILINGUAL = (
    *("paper.title", "paper.map", "paper.qr", "paper.name", "paper.unknown", "paper.note"),
    *("sheet.wgs", "sheet.vn", "sheet.caution", "sheet.sources", "sheet.as_of", "sheet.edition"),
    "record.position",
)
"""What the sheet says in both languages, the page's own first."""


def paper_script(book: Book, words: tuple[Words, Words], ground: Frame, home: Address) -> str:
    """Return the script that hands the browser what `paper_data` returns, safe in any HTML."""
    return f"globalThis.ATLAS_PAPER = {safe_json(paper_data(book, words, ground, home))};\n"


def paper_data(
    book: Book, words: tuple[Words, Words], ground: Frame, home: Address
) -> dict[str, Json]:
    """Return what a printed comparison holds beside `browse.find_data` of its language.

    ``words`` are the page's and the other language's.
    """
    own, other = words
    shelf, nearby = Shelf(book, other), nearby_of(book, reach_of(book))
    return {
        "address": home.page(own.lang, "map"),
        "other": other.lang,
        "as_of": [one.date(book.as_of) for one in words],
        "words": {key.partition(".")[2]: [one.texts[key] for one in words] for key in BILINGUAL},
        "rows": {key: title for key, title, _ in compared_rows(shelf)},
        "ground": _ground(ground, own),
        "records": {
            record.subject_id: _record(record, words, ground)
            | {"cells": _cells(record, shelf, nearby.get(record.subject_id, {}))}
            for record in book.records
        },
    }


def _ground(ground: Frame, words: Words) -> dict[str, Json]:
    return {
        "width": ground.width,
        "height": ground.height,
        "communes": dict(ground.communes),
        "points": {} if ground.communes else {u: list(at) for u, at in ground.points.items()},
        "water": list(ground.water),
        "scale": round(SCALE_KM * 1_000 / UNIT_M),
        "scale_text": words("sheet.scale", km=words.number(SCALE_KM)),
    }


def _cells(record: Record, shelf: Shelf, nearby: Mapping[str, Bounds]) -> dict[str, Json]:
    """What the other language says in each cell: the text alone, dates and sources stand once."""
    return {key: cell[0] for key, cell in compared_cells(record, shelf, nearby)}


def _record(record: Record, words: tuple[Words, Words], ground: Frame) -> dict[str, Json]:
    own, beside = words
    drawn = locator(record, ground, own)
    return {
        "name": beside.of(record, "name"),
        "accuracy": [accuracy_text(record, one) for one in words],
        "spots": [
            [own(f"sheet_role.{spot.role}"), *spot_texts(spot, own)] for spot in spots(record)
        ],
        "own": list(drawn.own),
        "how": drawn.how,
        "line": drawn.line,
        "at": _number_at(record, drawn),
        "reach": drawn.reach,
    }


def _number_at(record: Record, drawn: Locator) -> Json:
    """Where the record's number stands: on its point, or halfway along its line."""
    if drawn.spot or not drawn.line or record.position is None:
        return list(drawn.spot) if drawn.spot else None
    shape = shapes_to_metric([record.position.geometry])[0]
    longest = max(shapely.get_parts(shape), key=lambda part: part.length)
    is_line = longest.geom_type == "LineString"
    middle = (
        longest.interpolate(0.5, normalized=True) if is_line else longest.representative_point()
    )
    return list(drawn.ground.at(float(shapely.get_x(middle)), float(shapely.get_y(middle))))
