"""KML and KMZ: placemarks with their extra data. Links, styles and pictures are not followed."""

from collections.abc import Callable, Iterator
from xml.etree.ElementTree import Element, ParseError, fromstring

import numpy as np
import pandas as pd
from shapely import GeometryCollection, LinearRing, LineString, Point, Polygon
from shapely.geometry.base import BaseGeometry

from geodata.catalog import Source
from geodata.crs import DISPLAY_CRS
from geodata.errors import SourceError
from geodata.tables import note
from geodata.vectors import TOO_ODD, Features
from geodata.workbooks import parse_xml
from geodata.zips import open_zip

Coordinates = list[tuple[float, ...]]


def read_kmz(source: Source, name: str, content: bytes) -> Features:
    """Read the one KML of a KMZ; its pictures stay packed."""
    unpacked = open_zip(source.source_id, content, source.limits)
    found = unpacked.ending(".kml")
    if len(found) != 1:
        message = f"{name} holds {len(found)} KML files; needed is one"
        raise SourceError(source.source_id, "part_is_present", message)
    return read_kml(source, name, unpacked.read(found[0]))


def read_kml(source: Source, name: str, content: bytes) -> Features:
    """Read the placemarks of a KML: name, description, extra data and shape, in WGS 84."""
    links = _links(source, content)
    try:
        marks = [e for e in fromstring(content).iter() if _tag(e) == "Placemark"]
        records = [_attributes(mark) for mark in marks]
        shapes = [_shape(mark) for mark in marks]
    except (ParseError, ValueError, IndexError, *TOO_ODD) as error:
        message = f"{name} is no KML: {error!r}"[:300]
        raise SourceError(source.source_id, "file_is_of_its_format", message) from error
    cells = pd.DataFrame(records, dtype="object", index=range(len(marks))).fillna("")
    told = f"{links} links to other files were not followed"
    notes = (note(source, "file_is_whole", f"{name}: {told}"),) if links else ()
    return Features(cells, np.array(shapes, dtype=object), DISPLAY_CRS, notes)


def _links(source: Source, content: bytes) -> int:
    """Count the links; SourceError where the file is no sound XML or declares entities."""
    links = 0

    def count(tag: str, _: dict[str, str]) -> None:
        nonlocal links
        links += tag in ("NetworkLink", "GroundOverlay")

    parse_xml(source.source_id, content, count)
    return links


def _tag(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _children(element: Element, tag: str) -> Iterator[Element]:
    return (child for child in element if _tag(child) == tag)


def _text(element: Element) -> str:
    return (element.text or "").strip()


def _attributes(mark: Element) -> dict[str, str]:
    told = {tag: _text(e) for tag in ("name", "description") for e in _children(mark, tag)}
    for extra in _children(mark, "ExtendedData"):
        for field in extra.iter():
            if _tag(field) == "SimpleData":
                told[field.get("name", "")] = _text(field)
            elif _tag(field) == "Data":
                told[field.get("name", "")] = "".join(map(_text, _children(field, "value")))
    return told


def _shape(element: Element) -> BaseGeometry | None:
    found = [make(child) for child in element if (make := SHAPES.get(_tag(child)))]
    return found[0] if found else None


def _coordinates(element: Element) -> Coordinates:
    told = " ".join(_text(e) for e in element.iter() if _tag(e) == "coordinates")
    return [tuple(map(float, point.split(","))) for point in told.split()]


def _polygon(element: Element) -> Polygon:
    outer = [_coordinates(e) for e in _children(element, "outerBoundaryIs")]
    return Polygon(outer[0], [_coordinates(e) for e in _children(element, "innerBoundaryIs")])


def _collection(element: Element) -> GeometryCollection:
    return GeometryCollection([make(e) for e in element if (make := SHAPES.get(_tag(e)))])


SHAPES: dict[str, Callable[[Element], BaseGeometry]] = {
    "Point": lambda element: Point(_coordinates(element)[0]),
    "LineString": lambda element: LineString(_coordinates(element)),
    "LinearRing": lambda element: LinearRing(_coordinates(element)),
    "Polygon": _polygon,
    "MultiGeometry": _collection,
}
