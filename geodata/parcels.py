"""What a reader sends home: tables of text and shapes as Arrow, never as objects that run code."""

import dataclasses
import json
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import shapely

from geodata.catalog import Source
from geodata.crs import DISPLAY_CRS
from geodata.findings import Finding
from geodata.notation import Cell
from geodata.read import Layer, Sheet
from geodata.workbooks import SheetCells

LINE, SHAPE = "line", "geometry"


def pack_sheet(sheet: Sheet) -> bytes:
    """Write a sheet without its source, which the other side has."""
    told = {"rows_in_file": sheet.rows_in_file, "findings": _told(sheet.findings)}
    return _pack(told, sheet.rows.reset_index())


def unpack_sheet(source: Source, content: bytes) -> Sheet:
    """Read what `pack_sheet` wrote."""
    told, rows = _unpack(content)
    rows = rows.astype({LINE: "int64"}).set_index(LINE)
    return Sheet(source, rows.astype("str"), int(told["rows_in_file"]), _findings(told))


def pack_layer(layer: Layer) -> bytes:
    """Write a layer without its source; its attributes become text, its shapes WKB."""
    texts = pd.DataFrame(layer.features.drop(columns=SHAPE)).astype("str")
    return _pack(
        {"findings": _told(layer.findings)},
        texts.assign(**{SHAPE: shapely.to_wkb(layer.features.geometry.to_numpy())}),
    )


def unpack_layer(source: Source, content: bytes) -> Layer:
    """Read what `pack_layer` wrote."""
    told, rows = _unpack(content)
    shapes = shapely.from_wkb(rows[SHAPE].to_numpy(dtype="object"))
    texts = rows.drop(columns=SHAPE).astype("str")
    return Layer(source, gpd.GeoDataFrame(texts, geometry=shapes, crs=DISPLAY_CRS), _findings(told))


def pack_cells(sheets: dict[str, SheetCells]) -> bytes:
    """Write the cells of a workbook, each day and time with its type."""
    told = {
        name: {
            field.name: [*getattr(sheet, field.name).items()]
            if isinstance(getattr(sheet, field.name), dict)
            else [*getattr(sheet, field.name)]
            for field in dataclasses.fields(sheet)
        }
        for name, sheet in sheets.items()
    }
    return json.dumps(told, default=_typed).encode()


def unpack_cells(content: bytes) -> dict[str, SheetCells]:
    """Read what `pack_cells` wrote."""
    return {name: _sheet_cells(fields) for name, fields in json.loads(content).items()}


def _sheet_cells(told: dict[str, Any]) -> SheetCells:
    sheet = SheetCells()
    for field in dataclasses.fields(sheet):
        empty, held = getattr(sheet, field.name), told[field.name]
        if isinstance(empty, dict):
            setattr(sheet, field.name, {tuple(place): text for place, text in held})
        elif isinstance(empty, set):
            setattr(sheet, field.name, {tuple(place) for place in held})
        else:
            setattr(sheet, field.name, held)
    sheet.rows = [[_cell(cell) for cell in row] for row in told["rows"]]
    return sheet


def _typed(value: object) -> dict[str, object]:
    if isinstance(value, timedelta):
        return {"timedelta": value.total_seconds()}
    if isinstance(value, date | time):
        return {type(value).__name__: value.isoformat()}
    raise TypeError(f"a {type(value).__name__} is no cell")


TYPED: dict[str, Callable[[Any], Cell]] = {
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
    "time": time.fromisoformat,
    "timedelta": lambda seconds: timedelta(seconds=seconds),
}


def _cell(told: str | float | bool | dict[str, Any]) -> Cell:
    if not isinstance(told, dict):
        return told
    ((kind, value),) = told.items()
    return TYPED[kind](value)


def _told(findings: tuple[Finding, ...]) -> list[tuple[object, ...]]:
    return [dataclasses.astuple(found) for found in findings]


def _findings(told: dict[str, Any]) -> tuple[Finding, ...]:
    return tuple(Finding(*found) for found in told["findings"])


def _pack(told: dict[str, object], rows: pd.DataFrame) -> bytes:
    table = pa.Table.from_pandas(rows, preserve_index=False, nthreads=1)
    out = pa.BufferOutputStream()
    described = table.replace_schema_metadata({"told": json.dumps(told)})
    with pa.ipc.new_stream(out, described.schema) as stream:
        stream.write_table(described)
    return bytes(out.getvalue().to_pybytes())


def _unpack(content: bytes) -> tuple[dict[str, Any], pd.DataFrame]:
    with pa.ipc.open_stream(content) as stream:
        table = stream.read_all()
    table.validate(full=True)
    return json.loads(table.schema.metadata[b"told"]), table.to_pandas()
