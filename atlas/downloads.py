"""Every published file from the same tables and records: CSV, GeoJSON, JSON, feeds."""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

import geopandas as gpd
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from atlas.compare import FORMULA_STARTS, changes_json
from atlas.records import Book, Record
from geodata.archive import sha256_of
from geodata.schema import TABLE, TABLES, Column

COORDINATE_DECIMALS = 6
"""About 0.1 m."""

ATOM = "http://www.w3.org/2005/Atom"
SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
FRICTIONLESS_TYPE = {
    "integer": "integer",
    "number": "number",
    "decimal": "number",
    "flag": "boolean",
}


def write_downloads(book: Book, out: Path, site_url: str) -> None:
    """Write everything of design section 7 that is not a page, below ``out``."""
    data = out / "data"
    data.mkdir(parents=True, exist_ok=True)
    for name, table in book.tables.items():
        write_csv(table, data / f"{name}.csv", TABLE[name].columns)
    write_csv(book.quarantine, data / "quarantine.csv", ())
    for name, records in (("places", book.places), ("routes", book.routes)):
        _write_text(data / f"{name}.geojson", _feature_collection(map(_feature, records)))
        for record in records:
            _write_text(
                data / name / f"{record.subject_id}.json", _json(_record_json(book, record))
            )
    if book.communes is not None:
        _write_text(data / "communes.geojson", _communes_geojson(book.communes))
    _write_text(
        out / "changes.json", changes_json(book.previous_edition, book.edition, book.changes)
    )
    _write_text(out / "feed.xml", atom_feed(book, site_url))
    _write_text(data / "datapackage.json", _json(datapackage(book, data)))


def write_csv(table: pd.DataFrame, path: Path, columns: Iterable[Column]) -> None:
    """Write a table as UTF-8 CSV; a text cell that a spreadsheet would run gets a ``'``.

    Cells of numeric columns stay as they are. A lone carriage return is quoted too, which
    Python's own writer leaves bare, so that no reader takes it for the end of a row.
    """
    numeric = {c.name for c in columns if c.kind in FRICTIONLESS_TYPE or c.kind == "date"}
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(_csv_line(table.columns))
        for row in table.itertuples(index=False):
            file.write(
                _csv_line(
                    cell if name in numeric else guard_cell(cell)
                    for name, cell in zip(table.columns, row, strict=True)
                )
            )


def _csv_line(cells: Iterable[object]) -> str:
    return ",".join(map(_csv_cell, cells)) + "\n"


def _csv_cell(cell: object) -> str:
    text = str(cell)
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',"\r\n') else text


def guard_cell(cell: object) -> object:
    """Return the cell so that no spreadsheet takes its text for a formula.

    Text that already has a ``'`` there gets another, so that reading back is exact.
    """
    if not isinstance(cell, str) or not cell.lstrip("'").startswith(FORMULA_STARTS):
        return cell
    try:
        Decimal(cell)
    except ArithmeticError:
        return f"'{cell}"
    return cell


def _write_text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _json(told: object) -> str:
    return json.dumps(told, ensure_ascii=False, indent=1, default=_plain) + "\n"


def _plain(value: object) -> object:
    if isinstance(value, BaseGeometry):
        return _geometry(value)
    return str(value)


def _geometry(geometry: BaseGeometry) -> dict[str, object]:
    rounded = shapely.transform(geometry, lambda c: c.round(COORDINATE_DECIMALS))
    return dict(shapely.geometry.mapping(shapely.orient_polygons(rounded)))


def _feature_collection(features: Iterable[Mapping[str, object]]) -> str:
    lines = ",\n".join(json.dumps(f, ensure_ascii=False) for f in features)
    return f'{{"type": "FeatureCollection", "features": [\n{lines}\n]}}\n'


def _feature(record: Record) -> dict[str, object]:
    """One record as a GeoJSON feature; its geometry is null where no position is known."""
    position = record.position
    told: dict[str, object] = {
        "id": record.subject_id,
        "kind": record.kind,
        "name_vi": record.name_vi,
        "name_en": record.name_en,
        "ref": record.ref,
        "plan_refs": ";".join(record.plan_refs),
        "commune_ids": ";".join(u.unit_id for u in record.communes),
        "district_ids": ";".join(u.unit_id for u in record.districts),
        "stage_id": record.stage.stage.stage_id if record.stage else "",
        "stage_group": record.stage.stage.group if record.stage else "",
        "stage_on": record.stage.on if record.stage else "",
        "schedule": record.schedule,
        "days_late": record.days_late,
        "last_heard_on": record.last_heard_on,
        "length_km": record.length_km,
        "completeness_pct": record.completeness_pct,
    }
    for measure in ("area_ha", "occupancy_pct", "length_km"):
        fact = record.fact(measure)
        if fact is not None and fact.claim.is_number:
            told[f"{measure}_claimed" if measure == "length_km" else measure] = float(
                fact.claim.value
            )
            told[f"{measure}_as_of"] = fact.claim.as_of
    if position is not None:
        told["method"] = position.method
        told["accuracy_m"] = position.accuracy_m
        told["position_note_vi"] = position.note_vi
        told["position_note_en"] = position.note_en
    geometry = None if position is None else _geometry(position.geometry)
    return {"type": "Feature", "id": record.subject_id, "properties": told, "geometry": geometry}


def _record_json(book: Book, record: Record) -> dict[str, object]:
    return {"edition": book.edition, "as_of": book.as_of.isoformat(), **dataclasses.asdict(record)}


def _communes_geojson(communes: gpd.GeoDataFrame) -> str:
    return _feature_collection(
        {
            "type": "Feature",
            "id": unit_id,
            "properties": {"unit_id": unit_id, "code": code, "name_vi": vi, "name_en": en},
            "geometry": _geometry(geometry),
        }
        for unit_id, code, vi, en, geometry in communes[
            ["unit_id", "code", "name_vi", "name_en", "geometry"]
        ].itertuples(index=False)
    )


def datapackage(book: Book, data: Path) -> dict[str, object]:
    """Return the Frictionless Data Package of the published tables and layers in ``data``."""
    tables = [
        {
            "name": table.name.replace("_", "-"),
            "path": f"{table.name}.csv",
            "title": f"{table.vi} / {table.en}",
            "description": f"One row is {table.one_row_is}.",
            "profile": "tabular-data-resource",
            "format": "csv",
            "mediatype": "text/csv",
            "encoding": "utf-8",
            **_size(data / f"{table.name}.csv"),
            "schema": {
                "fields": [_field(c) for c in table.columns] + [_source_field()],
                "primaryKey": list(table.key),
                "missingValues": [""],
            },
        }
        for table in TABLES
    ]
    layers = [
        {
            "name": path.stem + "-layer",
            "path": path.name,
            "format": "geojson",
            "mediatype": "application/geo+json",
            "encoding": "utf-8",
            **_size(path),
        }
        for path in sorted(data.glob("*.geojson"))
    ]
    return {
        "profile": "data-package",
        "name": "hau-giang-atlas",
        "title": "Hậu Giang: công nghiệp và logistics / industry and logistics",
        "version": book.edition,
        "licenses": _licences(book),
        "sources": [
            {"title": s.source.title_en, "path": s.source.licence_url or None}
            if s.source.licence_url
            else {"title": s.source.title_en}
            for s in book.sources
        ],
        "resources": tables + layers,
    }


def _licences(book: Book) -> list[dict[str, str]]:
    names = sorted({s.source.licence for s in book.sources})
    return [{"name": "other-open", "title": name} for name in names]


def _size(path: Path) -> dict[str, object]:
    content = path.read_bytes()
    return {"bytes": len(content), "hash": f"sha256:{sha256_of(content)}"}


def _field(column: Column) -> dict[str, object]:
    constraints: dict[str, object] = {"required": column.required}
    if column.enum:
        constraints["enum"] = [word for word in column.enum if word]
    if column.minimum is not None:
        constraints["minimum"] = column.minimum
    if column.maximum is not None:
        constraints["maximum"] = column.maximum
    return {
        "name": column.name,
        "type": FRICTIONLESS_TYPE.get(column.kind, "string"),
        "title": f"{column.vi} / {column.en}",
        "constraints": constraints,
    }


def _source_field() -> dict[str, object]:
    return {"name": "source_id", "type": "string", "title": "Nguồn / Source folder of the row"}


def atom_feed(book: Book, site_url: str) -> str:
    """Return the Atom feed: one entry for the edition, with the number of its changes."""
    feed = ElementTree.Element("feed", xmlns=ATOM)
    stamp = f"{book.as_of.isoformat()}T00:00:00+07:00"
    _add(feed, "title", "Atlas công nghiệp và logistics Hậu Giang")
    _add(feed, "id", f"{site_url}feed.xml")
    _add(feed, "updated", stamp)
    ElementTree.SubElement(feed, "link", rel="self", href=f"{site_url}feed.xml")
    author = ElementTree.SubElement(feed, "author")
    _add(author, "name", "Hậu Giang atlas")
    entry = ElementTree.SubElement(feed, "entry")
    _add(entry, "title", f"Ấn bản {book.edition}: {len(book.changes)} thay đổi")
    _add(entry, "id", f"{site_url}vi/changes/index.html#{book.edition}")
    _add(entry, "updated", stamp)
    ElementTree.SubElement(entry, "link", href=f"{site_url}vi/changes/index.html")
    _add(entry, "summary", f"Edition {book.edition}: {len(book.changes)} changes")
    return _xml(feed)


def sitemap(out: Path, site_url: str, book: Book) -> str:
    """Return the sitemap of every page below ``out``."""
    urls = ElementTree.Element("urlset", xmlns=SITEMAP)
    for path in sorted(out.rglob("index.html")):
        url = ElementTree.SubElement(urls, "url")
        _add(url, "loc", site_url + quote(path.relative_to(out).as_posix()))
        _add(url, "lastmod", book.as_of.isoformat())
    return _xml(urls)


def _add(parent: ElementTree.Element, tag: str, text: str) -> None:
    ElementTree.SubElement(parent, tag).text = text


def _xml(root: ElementTree.Element) -> str:
    ElementTree.indent(root, " ")
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{body}\n'
