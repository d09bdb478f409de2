"""What there is to fetch and what shape it has, told to programs: an index, a schema, llms.txt."""

from collections.abc import Iterable, Mapping, Sequence

from pydantic import ConfigDict, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from atlas import oc4ids
from atlas.metadata import MEDIA, RECORD_SCHEMA, Download, left_out
from atlas.records import Book, Record
from atlas.words import Words
from geodata.region import here

DRAFT = "https://json-schema.org/draft/2020-12/schema"
GEOMETRIES = (*("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"),)
WHOLE_EDITION = ("manifest.json", "status.json", "changes.json", "feed.xml", "duties.ics")
"""Files beside the data that speak of the whole edition; ``sitemap.xml`` lists the pages."""


class _Schema(GenerateJsonSchema):
    """A record's schema, in which a shape is a GeoJSON geometry."""

    def handle_invalid_for_json_schema(self, schema: object, error_info: str) -> JsonSchemaValue:
        return {
            "type": "object",
            "description": "A GeoJSON geometry, longitude before latitude, WGS 84.",
            "properties": {"type": {"enum": list(GEOMETRIES)}, "coordinates": {"type": "array"}},
            "required": ["type", "coordinates"],
        }


def record_schema() -> dict[str, object]:
    """Return the JSON Schema of ``data/places/<id>.json`` and ``data/routes/<id>.json``.

    It is made from `Record` itself; an exact amount is text, what is not known is null or "".
    """
    kind = TypeAdapter(list[Record], config=ConfigDict(arbitrary_types_allowed=True))
    told = kind.json_schema(mode="serialization", schema_generator=_Schema)
    parts = {name: _strict(part) for name, part in told["$defs"].items()}
    whole = parts.pop("Record")
    head = {"edition": {"type": "string"}, "as_of": {"type": "string", "format": "date"}}
    return {
        "$schema": DRAFT,
        "title": f"One place or route of the {here().publisher}",
        **_strict({**whole, "properties": head | whole["properties"]}),
        "$defs": parts,
    }


def _strict(told: JsonSchemaValue) -> JsonSchemaValue:
    """Require every property, forbid all others, and leave out titles that repeat the names."""
    properties = {
        name: {key: value for key, value in part.items() if key != "title"}
        for name, part in told["properties"].items()
    }
    kept = {key: value for key, value in told.items() if key not in ("title", "description")}
    return {
        **kept,
        "description": " ".join(str(told.get("description", "")).split()),
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def index(
    book: Book, words: Sequence[Words], files: Mapping[str, Iterable[Download]], site_url: str
) -> dict[str, object]:
    """Return ``data/index.json``: every file and address pattern, titles in each language."""
    return {
        "title": _said(words, "site.name"),
        "description": _said(words, "site.description"),
        "edition": book.edition,
        "as_of": book.as_of.isoformat(),
        "site": site_url,
        "files": [_file(one, words) for group in files.values() for one in group if one.size],
        "records": [
            {"path": f"data/{table}/{{id}}.json", "schema": RECORD_SCHEMA, "ids": _ids(records)}
            for table, records in (("places", book.places), ("routes", book.routes))
        ],
        **left_out(book),
        "projects": {
            "path": "data/oc4ids/{id}.json",
            "schema": oc4ids.SCHEMA_URL,
            "ids": _ids(oc4ids.projects(book)),
        },
        "pages": [f"{one.lang}/{table}/{{id}}/index.html" for one in words
                  for table in ("places", "routes")],
        "edition_files": [
            {"path": name, "media": MEDIA[name.rpartition(".")[2]],
             "title": _said(words, f"file.{name.replace('.', '_')}")}
            for name in WHOLE_EDITION
        ],
    }  # fmt: skip


def _said(words: Sequence[Words], key: str) -> dict[str, str]:
    return {one.lang: one(key) for one in words}


def _ids(records: Iterable[Record]) -> list[str]:
    return [record.subject_id for record in records]


def _file(file: Download, words: Sequence[Words]) -> dict[str, object]:
    return {
        "path": file.path,
        "title": {one.lang: file.title(one) for one in words},
        "media": file.media,
        "bytes": file.size,
        "sha256": file.sha256,
        "licences": list(file.licences),
    }


def llms_text(
    book: Book, words: Sequence[Words], pages: Iterable[tuple[str, str]], site_url: str
) -> str:
    """Return ``llms.txt``: what the site is, its pages and its data, in plain Markdown.

    ``pages`` are folder and name of each page. Text from data is not in it.
    """
    lines = [f"# {words[0]('site.name')} / {words[1]('site.name')}", ""]
    lines += [f"> {one('site.description')}" for one in words]
    lines += ["", f"{words[1]('guide.edition', edition=book.edition, date=book.as_of.isoformat())}"]
    lines += [words[1]("guide.trust"), ""]
    listed = list(pages)
    for one in words:
        lines += [f"## {one('guide.pages')}", ""]
        lines += [
            f"- [{one(f'{name}.title')}]({_address(site_url, one.lang, folder)}): "
            f"{one(f'{name}.description')}"
            for folder, name in listed
        ]
        lines.append("")
    lines += [f"## {words[1]('guide.data')}", ""]
    lines += [
        f"- [{path}]({site_url}{path}): {words[1](f'guide.{key}')}"
        for path, key in (
            ("data/index.json", "index"),
            ("data/datapackage.json", "datapackage"),
            (RECORD_SCHEMA, "schema"),
            ("data/places.geojson", "places"),
            ("data/routes.geojson", "routes"),
            ("data/claims.csv", "claims"),
            ("data/oc4ids.json", "oc4ids"),
        )
    ]
    return "\n".join(lines) + "\n"


def _address(site_url: str, lang: str, folder: str) -> str:
    return f"{site_url}{lang}/{folder}/index.html".replace("//index", "/index")
