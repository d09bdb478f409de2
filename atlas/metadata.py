"""What the published files are, told to machines: Data Package, JSON-LD, a list of downloads."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from shapely.geometry.base import BaseGeometry

from atlas.formats import SOURCE_COLUMN
from atlas.layers import Json
from atlas.records import Book, Record
from atlas.telling import accuracy_text, claim_text, is_approximate
from atlas.words import Words
from geodata.archive import sha256_of_written
from geodata.region import here
from geodata.schema import TABLE, TABLES, Column

FRICTIONLESS_TYPE = {
    "integer": "integer",
    "number": "number",
    "decimal": "number",
    "flag": "boolean",
}
MEDIA = {
    "csv": "text/csv",
    "geojson": "application/geo+json",
    "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "gpkg": "application/geopackage+sqlite3",
    "fgb": "application/vnd.flatgeobuf",
    "parquet": "application/vnd.apache.parquet",
    "xml": "application/atom+xml",
    "ics": "text/calendar",
    "zip": "application/zip",
    "pmtiles": "application/vnd.pmtiles",
    "bin": "application/octet-stream",
}
LAYERS = ("places", "routes", "communes")
LAYER_FORMATS = ("geojson", "fgb", "parquet")
RECORD_SCHEMA = "data/schema/record.json"
OTHERS = (
    *("dictionary.csv", "history.csv", "quarantine.csv"),
    *("oc4ids.json", "datapackage.json", "totals.json"),
    RECORD_SCHEMA.removeprefix("data/"),
)
COORDINATE_DECIMALS = 5


@dataclass(frozen=True)
class Download:
    """One published file: where it lies below the site's root, how large, its checksum."""

    path: str
    size: int
    sha256: str
    licences: tuple[str, ...]

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return self.path.rpartition("/")[2]

    @property
    def key(self) -> str:
        """What its words are called in ``[file]`` of the word files."""
        return self.name.replace(here().atlas_id, "all").replace(".", "_")

    @property
    def media(self) -> str:
        """Its media type."""
        return MEDIA[self.name.rpartition(".")[2]]

    def title(self, words: Words) -> str:
        """What it holds, in words."""
        stem, _, ending = self.name.partition(".")
        if stem in TABLE and ending == "csv":
            return TABLE[stem].vi if words.lang == "vi" else TABLE[stem].en
        if stem in LAYERS:
            return f"{words(f'carry_format.{ending}')}: {words(f'file.{stem}')}"
        return words(f"file.{self.key}")


def whole() -> list[str]:
    """Name the files that hold everything."""
    return [f"{here().atlas_id}.{ending}" for ending in ("xlsx", "gpkg")]


def download(book: Book, out: Path, path: str) -> Download:
    """Describe one file below ``out``; without size and checksum where it is not written yet."""
    file = out / path
    told = (file.stat().st_size, sha256_of_written(file)) if file.is_file() else (0, "")
    return Download(path, *told, licences(book, Path(path).stem))


def downloads(book: Book, out: Path) -> dict[str, list[Download]]:
    """Return the published files in the groups of the data page."""
    layers = [name for name in LAYERS if name != "communes" or book.communes is not None]
    files = {
        "whole": whole(),
        "layers": [f"{layer}.{ending}" for layer in layers for ending in LAYER_FORMATS],
        "tables": [f"{table.name}.csv" for table in TABLES],
        "excel": [f"csv-excel/{table.name}.csv" for table in TABLES],
        "others": list(OTHERS),
        "pack": [],
    }
    return {
        group: [download(book, out, f"data/{name}") for name in names]
        for group, names in files.items()
    }


def licences(book: Book, name: str) -> tuple[str, ...]:
    """Return the licences of what a file holds: of one table, of one layer, or of everything."""
    sources = [state.source for state in book.sources]
    if name == "communes":
        mine = [s for s in sources if s.layer == "commune_boundaries" or s.table == name]
    elif name in TABLE:
        mine = [s for s in sources if s.table == name or (name == "positions" and s.layer)]
        if name == "routes":
            mine += [s for s in sources if s.layer == "waterways"]
    else:
        mine = sources
    return tuple(sorted({source.licence for source in mine}))


def left_out(book: Book) -> dict[str, object]:
    """Return which kinds have too many records for files of single records, with their counts."""
    return {"left_out": book.tiled.counts()} if book.tiled else {}


def datapackage(book: Book, data: Path) -> dict[str, object]:
    """Return the Frictionless Data Package of the published tables and layers in ``data``."""
    files = [
        _file(data, f"{layer}.{ending}", f"{layer}-{ending}")
        for layer in LAYERS
        for ending in LAYER_FORMATS
    ]
    files += [_file(data, name, f"all-{Path(name).suffix[1:]}") for name in whole()]
    files.append(_file(data, "oc4ids.json", "oc4ids"))
    for told in (one for one in files if one.get("format") == "geojson"):
        told |= left_out(book) if told["name"] != "communes-geojson" else {}
    return {
        "profile": "data-package",
        "name": here().atlas_id,
        "title": f"{here().name_vi}: công nghiệp và logistics / industry and logistics",
        "version": book.edition,
        "licenses": [
            {"name": "other-open", "title": name}
            for name in sorted({state.source.licence for state in book.sources})
        ],
        "sources": [
            {"title": state.source.title_en, "path": state.source.licence_url}
            if state.source.licence_url
            else {"title": state.source.title_en}
            for state in book.sources
        ],
        "resources": [_table(data, table.name) for table in TABLES]
        + [told for told in files if told],
    }


def _table(data: Path, name: str) -> dict[str, object]:
    table = TABLE[name]
    return {
        "name": name.replace("_", "-"),
        "path": f"{name}.csv",
        "title": f"{table.vi} / {table.en}",
        "description": f"One row is {table.one_row_is}.",
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": MEDIA["csv"],
        "encoding": "utf-8",
        **_size(data / f"{name}.csv"),
        "schema": {
            "fields": [_field(c) for c in (*table.columns, SOURCE_COLUMN)],
            "primaryKey": list(table.key),
            "missingValues": [""],
        },
    }


def _file(data: Path, path: str, name: str) -> dict[str, object]:
    if not (data / path).is_file():
        return {}
    ending = path.rpartition(".")[2]
    media = {"format": ending, "mediatype": MEDIA[ending]}
    return {"name": name, "path": path, **media, **_size(data / path)}


def _size(path: Path) -> dict[str, object]:
    return {"bytes": path.stat().st_size, "hash": f"sha256:{sha256_of_written(path)}"}


def _field(column: Column) -> dict[str, object]:
    constraints: dict[str, object] = {"required": column.required}
    column = here().local(column)
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
        "title_vi": column.vi,
        "title_en": column.en,
        "constraints": constraints,
    }


def dataset_jsonld(
    book: Book, words: Words, files: Iterable[Download], site_url: str
) -> dict[str, Json]:
    """Return the edition as a schema.org ``Dataset`` with its distributions."""
    names = sorted({state.source.licence for state in book.sources})
    return {
        "@context": "https://schema.org",
        "@type": "Dataset",
        "name": words("site.name"),
        "description": words("site.description"),
        "url": f"{site_url}{words.lang}/data/index.html",
        "identifier": book.edition,
        "version": book.edition,
        "dateModified": book.as_of.isoformat(),
        "inLanguage": ["vi", "en"],
        "isAccessibleForFree": True,
        "license": f"{site_url}{words.lang}/sources/index.html",
        "usageInfo": "; ".join(names),
        "creator": {"@type": "Organization", "name": here().publisher},
        "spatialCoverage": {"@type": "Place", "name": here().place},
        "distribution": [
            {
                "@type": "DataDownload",
                "name": one.name,
                "encodingFormat": one.media,
                "contentUrl": site_url + one.path,
                "contentSize": f"{one.size} B",
                "sha256": one.sha256,
            }
            for one in files
        ],
    }


def place_jsonld(record: Record, words: Words, site_url: str) -> dict[str, Json]:
    """Return one record as a schema.org ``Place``; its point only where it is truly known."""
    units = [*record.communes, *record.districts]
    told: dict[str, Json] = {
        "@context": "https://schema.org",
        "@type": "Place",
        "name": words.of(record, "name"),
        "alternateName": [n for n in (record.name_vi, record.name_en, *record.aliases) if n],
        "identifier": record.subject_id,
        "url": f"{site_url}{words.lang}/{record.table}/{record.subject_id}/index.html",
        "description": f"{words(f'kind.{record.kind}')}. {accuracy_text(record, words)}",
    }
    if units:
        told["containedInPlace"] = [
            {"@type": "AdministrativeArea", "name": words.of(unit, "name")} for unit in units
        ]
    fact = record.fact("area_ha") or record.fact("length_km")
    if fact:
        told["additionalProperty"] = {
            "@type": "PropertyValue",
            "name": words.of(fact, "name"),
            "value": claim_text(fact.claim, words),
            "valueReference": fact.claim.as_of,
        }
    position = record.position
    if position is not None and not is_approximate(position):
        told["geo"] = _geo(position.geometry)
    return told


def _geo(geometry: BaseGeometry) -> dict[str, Json]:
    point = geometry.representative_point()
    return {
        "@type": "GeoCoordinates",
        "latitude": round(point.y, COORDINATE_DECIMALS),
        "longitude": round(point.x, COORDINATE_DECIMALS),
    }


def about(book: Book) -> list[tuple[str, str]]:
    """Return the first sheet of the workbook: what it is, of what day, under which licences."""
    names: Mapping[str, None] = dict.fromkeys(s.source.licence for s in book.sources)
    return [
        (
            f"Atlas công nghiệp và logistics {here().name_vi}",
            f"{here().name_en} industry and logistics atlas",
        ),
        ("Ấn bản / Edition", book.edition),
        ("Ngày của số liệu / Data as of", book.as_of.isoformat()),
        ("Hàng 1, hàng 2 / Rows 1 and 2", "Tên cột tiếng Việt; tên cột trong các tệp khác / "
         "Vietnamese title; name of the column in the other files"),
        ("dictionary", "Nghĩa của mọi cột bằng hai thứ tiếng / Every column in both languages"),
        *(("Giấy phép / Licence", name) for name in sorted(names)),
    ]  # fmt: skip
