"""The same tables and layers for other programs: an Excel workbook, CSV for Excel, GIS files.

Every writer gives the same bytes for the same book: no clock and no machine goes into a file.
"""

import datetime
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyogrio
import xlsxwriter
from shapely.geometry.base import BaseGeometry
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from atlas.compare import FORMULA_STARTS
from geodata.crs import DISPLAY_CRS
from geodata.geoparquet import BOX_COLUMN, write_geoparquet
from geodata.region import here
from geodata.schema import TABLES, Column

NUMBER_KINDS = frozenset({"integer", "number", "decimal"})
VALUE_COLUMNS = frozenset({"value"})
"""Text columns whose cells are mostly numbers: those cells are numbers in a workbook too."""

PLAIN_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")
EXACT_DIGITS = 15
"""A spreadsheet keeps no more; a longer number stays text rather than lose its end."""

CELL_LENGTH = 32_767
TOO_LONG = "(quá dài cho một ô, xem tệp CSV / too long for a cell, see the CSV file)"
SOURCE_COLUMN = Column("source_id", "text", "Nguồn của dòng", "Source folder of the row")
WIDEST = 48
WORKBOOK_ROWS = 10_000
"""A sheet holds a million, but few machines open it; a longer table is in the other formats."""

TEXT_FIELDS = (
    *("id", "kind", "name_vi", "name_en", "ref", "plan_refs", "commune_ids", "district_ids"),
    *("stage_id", "stage_group", "stage_on", "schedule", "last_heard_on"),
    *("area_ha_as_of", "occupancy_pct_as_of", "length_km_as_of"),
    *("method", "position_note_vi", "position_note_en"),
)
NUMBER_FIELDS = (
    *("days_late", "length_km", "completeness_pct"),
    *("area_ha", "occupancy_pct", "length_km_claimed", "accuracy_m"),
)
UNIT_FIELDS = ("unit_id", "code", "name_vi", "name_en")
CLOCK = Lock()


def write_workbook(
    tables: Mapping[str, pd.DataFrame], path: Path, about: Iterable[tuple[str, str]]
) -> None:
    """Write tables into one workbook: titles in Vietnamese, then column names, then rows.

    ``about`` are the lines of the first sheet. No cell is a formula, and text that looks like one
    does not become one when somebody edits the cell.
    """
    settings = {"strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(path), settings) as book:
        book.set_properties({"title": here().atlas_id, "created": datetime.datetime(2021, 1, 1)})
        styles = {
            "title": book.add_format({"bold": True, "bg_color": "#E3EEEC", "text_wrap": True}),
            "name": book.add_format({"font_color": "#4D5B60", "bottom": 1}),
            "text": book.add_format({}),
            "guarded": book.add_format({"quote_prefix": True}),
        }
        _about_sheet(book.add_worksheet("README"), about, styles)
        _rows_sheet(book.add_worksheet("dictionary"), dictionary(), _DICTIONARY, styles)
        for table in (one for one in TABLES if one.name in tables):
            columns = (*table.columns, SOURCE_COLUMN)
            _rows_sheet(book.add_worksheet(table.name), tables[table.name], columns, styles)


def _about_sheet(
    sheet: Worksheet, about: Iterable[tuple[str, str]], styles: Mapping[str, Format]
) -> None:
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 1, 90)
    for row, (name, text) in enumerate(about):
        _write_text(sheet, (row, 0), name, styles)
        _write_text(sheet, (row, 1), text, styles)


def _rows_sheet(
    sheet: Worksheet, rows: pd.DataFrame, columns: Iterable[Column], styles: Mapping[str, Format]
) -> None:
    for at, column in enumerate(columns):
        sheet.write_string(0, at, column.vi, styles["title"])
        sheet.write_string(1, at, column.name, styles["name"])
        cells = rows[column.name].astype("str")
        longest = int(cells.str.len().max()) if len(cells) else 0
        sheet.set_column(at, at, min(WIDEST, max(12, len(column.name) + 2, longest + 1)))
        for row, cell in enumerate(cells, start=2):
            _write_cell(sheet, (row, at), cell, column, styles)
    sheet.freeze_panes(2, 1)
    if len(rows):
        sheet.autofilter(1, 0, len(rows) + 1, rows.shape[1] - 1)


def _write_cell(
    sheet: Worksheet, at: tuple[int, int], cell: str, column: Column, styles: Mapping[str, Format]
) -> None:
    if cell == "":
        return
    if is_number_cell(cell, column):
        sheet.write_number(*at, float(cell))
    elif column.kind == "flag" and cell in ("true", "false"):
        sheet.write_boolean(*at, cell == "true")
    else:
        _write_text(sheet, at, cell, styles)


def _write_text(
    sheet: Worksheet, at: tuple[int, int], text: str, styles: Mapping[str, Format]
) -> None:
    told = text if len(text) <= CELL_LENGTH else TOO_LONG
    is_risky = told.lstrip("'").startswith(FORMULA_STARTS)
    sheet.write_string(*at, told, styles["guarded" if is_risky else "text"])


def is_number_cell(cell: str, column: Column) -> bool:
    """Tell whether a cell is a number that a spreadsheet can keep to its last digit."""
    if column.kind not in NUMBER_KINDS and column.name not in VALUE_COLUMNS:
        return False
    digits = sum(sign.isdigit() for sign in cell.lstrip("-0."))
    return bool(PLAIN_NUMBER.fullmatch(cell)) and digits <= EXACT_DIGITS


_DICTIONARY = (
    Column("table", "text", "Bảng", "Table"),
    Column("table_vi", "text", "Tên bảng", "Table (Vietnamese)"),
    Column("table_en", "text", "Tên bảng tiếng Anh", "Table (English)"),
    Column("column", "text", "Cột", "Column"),
    Column("kind", "text", "Kiểu", "Kind"),
    Column("required", "flag", "Bắt buộc", "Required"),
    Column("meaning_vi", "text", "Nghĩa", "Meaning (Vietnamese)"),
    Column("meaning_en", "text", "Nghĩa tiếng Anh", "Meaning (English)"),
    Column("values", "text", "Giá trị được dùng", "Closed vocabulary"),
    Column("minimum", "number", "Nhỏ nhất", "Minimum"),
    Column("maximum", "number", "Lớn nhất", "Maximum"),
    Column("references", "text", "Trỏ tới", "Points to"),
)


def dictionary() -> pd.DataFrame:
    """Return what every column of every table means, in both languages, one row a column."""
    rows = [
        [
            *(table.name, table.vi, table.en, column.name, column.kind),
            *("true" if column.required else "false", column.vi, column.en),
            ";".join(value for value in column.enum if value),
            *("" if limit is None else f"{limit:g}" for limit in (column.minimum, column.maximum)),
            ";".join(column.references),
        ]
        for table in TABLES
        for column in map(here().local, (*table.columns, SOURCE_COLUMN))
    ]
    return pd.DataFrame(rows, columns=[column.name for column in _DICTIONARY], dtype="str")


def dictionary_columns() -> tuple[Column, ...]:
    """Return the columns of the dictionary itself."""
    return _DICTIONARY


def layer_frame(
    properties: list[Mapping[str, object]], shapes: list[BaseGeometry | None]
) -> gpd.GeoDataFrame:
    """Return records as a layer whose columns have one type each, whatever is known of them."""
    told: dict[str, object] = {
        name: pd.Series([one.get(name) for one in properties], dtype="str") for name in TEXT_FIELDS
    }
    told |= {
        name: pd.Series([one.get(name) for one in properties], dtype="float64")
        for name in NUMBER_FIELDS
    }
    return gpd.GeoDataFrame(told, geometry=pd.Series(shapes, dtype=object), crs=DISPLAY_CRS)


def write_layers(
    layers: Mapping[str, Iterable[gpd.GeoDataFrame]], folder: Path, as_of: str
) -> None:
    """Write layers, each in parts, as one GeoPackage, and each as FlatGeobuf and GeoParquet.

    FlatGeobuf leaves out records without a position, which its spatial index cannot hold.
    """
    package = folder / f"{here().atlas_id}.gpkg"
    package.unlink(missing_ok=True)
    with _dated(f"{as_of}T00:00:00Z"):
        for name, parts in layers.items():
            whole = folder / f"{name}.parquet"
            write_geoparquet(parts, whole, "gzip", has_boxes=True)
            _write_layer(whole, package, name)
            _write_layer(whole, folder / f"{name}.fgb", name)


def _write_layer(whole: Path, path: Path, name: str) -> None:
    """Write a layer from its GeoParquet, one group of rows after the other."""
    is_package = path.suffix == ".gpkg"
    with pq.ParquetFile(whole) as file:
        names = [one for one in file.schema_arrow.names if one != BOX_COLUMN]
        groups = (file.read_row_group(at, names) for at in range(file.num_row_groups))
        is_kept = pc.scalar(True) if is_package else pc.field("geometry").is_valid()
        batches = (batch for group in groups for batch in group.filter(is_kept).to_batches())
        schema = pa.schema([file.schema_arrow.field(one) for one in names])
        pyogrio.write_arrow(
            pa.RecordBatchReader.from_batches(schema, batches), path, layer=name,
            driver="GPKG" if is_package else "FlatGeobuf", geometry_name="geometry",
            geometry_type="Unknown", crs=DISPLAY_CRS, append=path.exists(),
        )  # fmt: skip


@contextmanager
def _dated(stamp: str) -> Iterator[None]:
    """Let GDAL write this moment instead of the clock's; it has one setting for all threads."""
    with CLOCK:
        before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": stamp})
        try:
            yield
        finally:
            pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})
