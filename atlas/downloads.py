"""Every published file from the same tables and records: CSV, GeoJSON, JSON, feeds."""

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

import geopandas as gpd
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from atlas import oc4ids
from atlas.bulk import bulk_layer
from atlas.compare import changes_json
from atlas.csv_file import write_csv, write_vietnamese_csv
from atlas.formats import (
    UNIT_FIELDS,
    WORKBOOK_ROWS,
    dictionary,
    dictionary_columns,
    layer_frame,
    write_layers,
    write_workbook,
)
from atlas.guide import record_schema
from atlas.metadata import RECORD_SCHEMA, about, datapackage, left_out
from atlas.records import Book, Record
from atlas.totals import PATH, totals
from geodata.frames import parts_of
from geodata.region import here
from geodata.schema import TABLE

COORDINATE_DECIMALS = 6
"""About 0.1 m."""

SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"


def write_downloads(book: Book, out: Path, site_url: str) -> None:
    """Write everything of design section 7 that is not a page, below ``out``."""
    data = out / "data"
    data.mkdir(parents=True, exist_ok=True)
    small = dict(_written_tables(book, data))
    write_csv(book.quarantine, data / "quarantine.csv", ())
    write_csv([dictionary()], data / "dictionary.csv", dictionary_columns())
    for name, records in (("places", book.places), ("routes", book.routes)):
        features = _feature_collection(map(_feature, records), left_out(book))
        _write_text(data / f"{name}.geojson", features)
        for record in records:
            _write_text(
                data / name / f"{record.subject_id}.json", _json(_record_json(book, record))
            )
    if book.communes is not None:
        _write_text(data / "communes.geojson", _communes_geojson(book.communes))
    _write_text(
        out / "changes.json", changes_json(book.previous_edition, book.edition, book.changes)
    )
    write_csv([history_table(book)], data / "history.csv", ())
    write_workbook(small, data / f"{here().atlas_id}.xlsx", about(book))
    _write_layers(book, data)
    _write_text(out / PATH, f"{totals(book).model_dump_json(indent=1)}\n")
    _write_projects(book, data, site_url)
    _write_text(out / RECORD_SCHEMA, _json(record_schema()))
    _write_text(data / "datapackage.json", _json(datapackage(book, data)))


def history_table(book: Book) -> pd.DataFrame:
    """Return every change of every edition that led to this one, the newest edition first."""
    fields = ("table", "row_key", "subject_id", "change", "column", "old", "new", "source_id")
    rows = [
        [past.edition, past.as_of, *(getattr(change, name) for name in fields)]
        for past in book.history
        for change in past.changes
    ]
    return pd.DataFrame(rows, columns=["edition", "as_of", *fields], dtype="str")


def _written_tables(book: Book, data: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    """Write every table as CSV, plain and for Excel; yield those that a workbook holds."""
    (data / "csv-excel").mkdir(exist_ok=True)
    for name in book.tables:
        first = next(parts_of(book.tables, name))
        is_whole = len(first) == book.counts[name]
        paths = data / f"{name}.csv", data / "csv-excel" / f"{name}.csv"
        for write, path in zip((write_csv, write_vietnamese_csv), paths, strict=True):
            parts = [first] if is_whole else parts_of(book.tables, name)
            write(parts, path, TABLE[name].columns)
        if book.counts[name] <= WORKBOOK_ROWS:
            yield name, book.tables[name]


def _write_layers(book: Book, data: Path) -> None:
    """Write what a GIS opens."""
    layers: dict[str, Iterable[gpd.GeoDataFrame]] = {}
    for name, records in (("places", book.places), ("routes", book.routes)):
        own = layer_frame([_properties(r) for r in records], [_shape(r) for r in records])
        layers[name] = chain([own], bulk_layer(book.tiled, name) if book.tiled else ())
    if book.communes is not None:
        layers["communes"] = [book.communes[[*UNIT_FIELDS, "geometry"]]]
    write_layers(layers, data, book.as_of.isoformat())


def _shape(record: Record) -> BaseGeometry | None:
    return None if record.position is None else shapely.force_2d(record.position.geometry)


def _write_projects(book: Book, data: Path, site_url: str) -> None:
    """Write each project as an OC4IDS package of its own, and all of them as one."""
    told = oc4ids.projects(book)
    for record in told:
        path = f"oc4ids/{record.subject_id}.json"
        _write_text(data / path, _json(oc4ids.package(book, [record], f"{site_url}data/{path}")))
    whole = oc4ids.package(book, told, f"{site_url}data/oc4ids.json")
    _write_text(data / "oc4ids.json", _json(whole))


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


def _feature_collection(
    features: Iterable[Mapping[str, object]], more: Mapping[str, object] | None = None
) -> str:
    lines = ",\n".join(json.dumps(f, ensure_ascii=False) for f in features)
    told = "".join(f'"{key}": {json.dumps(one)}, ' for key, one in (more or {}).items())
    return f'{{"type": "FeatureCollection", {told}"features": [\n{lines}\n]}}\n'


def _feature(record: Record) -> dict[str, object]:
    """One record as a GeoJSON feature; its geometry is null where no position is known."""
    return {
        "type": "Feature",
        "id": record.subject_id,
        "properties": _properties(record),
        "geometry": None if record.position is None else _geometry(record.position.geometry),
    }


def _properties(record: Record) -> dict[str, object]:
    """What every layer format tells of a record."""
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
    return told


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
