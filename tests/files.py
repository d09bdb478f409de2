"""Small files of every format that a source may have, made on the spot."""

import io
import json
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import geopandas as gpd
import openpyxl
from shapely import box
from shapely.geometry.base import BaseGeometry

from drawings import METRIC_CRS

SQUARE = box(550_000, 1_080_000, 551_000, 1_081_000)
"""A square kilometre in Hậu Giang, EPSG:5897."""

POSITION = {
    "position_id": "kcn-a.survey",
    "subject_id": "kcn-a",
    "method": "surveyed",
    "accuracy_m": 5,
    "as_of": "2026-01-01",
    "document_ids": "press-1",
    "note_vi": "Đo đạc tại Ngã Bảy, Phụng Hiệp",
    "note_en": "",
}
SHORT = {name[:10]: name for name in POSITION}
"""What a Shapefile leaves of the columns' names, and what they were."""

LAYER_FORMATS = (
    "geojson",
    "geopackage",
    "flatgeobuf",
    "geoparquet",
    "shapefile",
    "kml",
    "kmz",
    "dxf",
)
CRS_OF = {"kml": "EPSG:4326", "kmz": "EPSG:4326"}
EXTRA = {
    "kml": {"columns": {"name": ""}},
    "kmz": {"columns": {"name": ""}},
    "shapefile": {"columns": SHORT},
    "dxf": {"columns": {"Layer": "subject_id", "EntityHandle": ""}},
}
"""What a source of a format must declare beside its CRS."""


def drawn(
    *shapes: BaseGeometry | None, crs: str = METRIC_CRS, **cells: Sequence[object]
) -> gpd.GeoDataFrame:
    """Positions at these shapes, by default at the one square."""
    shapes = shapes or (SQUARE,)
    told = {name: [value] * len(shapes) for name, value in POSITION.items()} | cells
    return gpd.GeoDataFrame(told, geometry=list(shapes), crs=crs)


def make(name: str, layer: gpd.GeoDataFrame) -> bytes:
    """Return a file of that format with these features, as a program of an office would."""
    if name in ("kml", "kmz"):
        return zipped({"doc.kml": kml(layer)}) if name == "kmz" else kml(layer)
    if name == "dxf":
        return dxf({"kcn-a": [list(s.exterior.coords) for s in layer.geometry]})
    if name == "geoparquet":
        out = io.BytesIO()
        layer.to_parquet(out, index=False)
        return out.getvalue()
    return shapefile(layer) if name == "shapefile" else _by_gdal(name, layer)


def _by_gdal(name: str, layer: gpd.GeoDataFrame) -> bytes:
    ending = {"geojson": "geojson", "geopackage": "gpkg", "flatgeobuf": "fgb"}[name]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"layer.{ending}"
        layer.to_file(path, engine="pyogrio")
        return path.read_bytes()


def shapefile(
    layer: gpd.GeoDataFrame, encoding: str = "UTF-8", without: tuple[str, ...] = ()
) -> bytes:
    """Return a zipped Shapefile, in an encoding of its own and without some of its parts."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ranh_gioi.shp"
        short = layer.rename(columns={long: name for name, long in SHORT.items()})
        short.to_file(path, encoding=encoding, engine="pyogrio")
        parts = {p.name: p.read_bytes() for p in sorted(Path(folder).iterdir())}
    return zipped({n: told for n, told in parts.items() if Path(n).suffix not in without})


def zipped(entries: Mapping[str, bytes]) -> bytes:
    """Return a plain zip."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return out.getvalue()


def kml(layer: gpd.GeoDataFrame, head: str = "", body: str = "") -> bytes:
    """Return a KML of polygons, points and lines with extra data, and more of the same."""
    marks = []
    degrees = layer.to_crs("EPSG:4326") if layer.crs else layer
    for cells, shape in zip(
        degrees.drop(columns="geometry").to_dict("records"), degrees.geometry, strict=True
    ):
        data = "".join(
            f"<Data name={quoteattr(str(k))}><value>{escape(str(v))}</value></Data>"
            for k, v in cells.items()
        )
        marks.append(
            f"<Placemark><name>A</name><ExtendedData>{data}</ExtendedData>"
            f"{kml_shape(shape)}</Placemark>"
        )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{head}'
        f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{"".join(marks)}{body}'
        "</Document></kml>"
    ).encode()


def kml_shape(shape: BaseGeometry) -> str:
    """Write a polygon without holes, a line or a point as KML."""
    if shape.geom_type == "Polygon":
        ring = kml_coordinates(shape.exterior)
        return (
            f"<Polygon><outerBoundaryIs><LinearRing>{ring}</LinearRing></outerBoundaryIs></Polygon>"
        )
    return f"<{shape.geom_type}>{kml_coordinates(shape)}</{shape.geom_type}>"


def kml_coordinates(shape: BaseGeometry) -> str:
    """Write the points of a line or a ring as KML."""
    told = " ".join(",".join(map(repr, point)) for point in shape.coords)
    return f"<coordinates>{told}</coordinates>"


def dxf(
    rings: Mapping[str, Sequence[Sequence[tuple[float, ...]]]],
    head: Sequence[object] = (9, "$ACADVER", 1, "AC1021"),
    more: Sequence[object] = (),
) -> bytes:
    """Return a drawing with closed outlines by layer, and more entities as code, value, …"""
    codes: list[object] = [0, "SECTION", 2, "HEADER", *head, 0, "ENDSEC"]
    codes += [0, "SECTION", 2, "ENTITIES"]
    for layer, outlines in rings.items():
        for points in outlines:
            codes += [0, "LWPOLYLINE", 8, layer, 90, len(points) - 1, 70, 1]
            codes += [c for x, y, *_ in points[:-1] for c in (10, x, 20, y)]
    codes += [*more, 0, "ENDSEC", 0, "EOF"]
    return "".join(f"{code}\n" for code in codes).encode()


def xlsx(*rows: Sequence[object], sheet: str = "Bảng") -> bytes:
    """Return a workbook of one sheet."""
    book = openpyxl.Workbook()
    page = book.active
    page.title = sheet
    for row in rows:
        page.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def geojson(*features: Mapping[str, object], **members: object) -> bytes:
    """Return a GeoJSON of these features, each with its type filled in."""
    told = [{"type": "Feature", "properties": {}, **f} for f in features]
    return json.dumps({"type": "FeatureCollection", **members, "features": told}).encode()
