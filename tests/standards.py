"""Schemas that published files are held to: ours, hand-written, and stricter than the standards.

The standards' own schema files are not kept here. `PROFILE` is what Frictionless's profiles of a
data package, a resource and a table schema ask of the fields that we write. `OC4IDS` is what the
project and package schemas of OC4IDS 0.9.5 ask of them, compared field by field: what is required,
closed lists, formats, nothing empty, nothing twice. It also forbids every field that we do not
write, and `hold_to_oc4ids` adds what the standard says of identifiers in words.
"""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

import jsonschema

NAME = {"type": "string", "pattern": r"^([-a-z0-9._/])+$"}
FIELD = {
    "type": "object",
    "required": ["name", "type", "title", "title_vi", "title_en", "constraints"],
    "properties": {
        "name": {"type": "string"},
        "type": {"enum": ["string", "integer", "number", "boolean"]},
        "title_vi": {"type": "string", "minLength": 1},
        "title_en": {"type": "string", "minLength": 1},
        "constraints": {
            "type": "object",
            "required": ["required"],
            "properties": {
                "required": {"type": "boolean"},
                "enum": {"type": "array", "minItems": 1, "uniqueItems": True},
                "minimum": {"type": "number"},
                "maximum": {"type": "number"},
            },
            "additionalProperties": False,
        },
    },
}
RESOURCE = {
    "type": "object",
    "required": ["name", "path", "format", "mediatype", "bytes", "hash"],
    "properties": {
        "name": NAME,
        "path": {"type": "string", "pattern": r"^(?=^[^./~])(^((?!\.{2}).)*$).*$"},
        "mediatype": {"type": "string", "pattern": r"^(.+)/(.+)$"},
        "hash": {"type": "string", "pattern": r"^sha256:[0-9a-f]{64}$"},
        "bytes": {"type": "integer", "minimum": 1},
        "schema": {
            "type": "object",
            "required": ["fields", "primaryKey", "missingValues"],
            "properties": {"fields": {"type": "array", "minItems": 1, "items": FIELD}},
        },
    },
}
PROFILE = {
    "type": "object",
    "required": ["profile", "name", "title", "resources", "licenses", "sources"],
    "properties": {
        "profile": {"const": "data-package"},
        "name": NAME,
        "resources": {"type": "array", "minItems": 1, "items": RESOURCE},
        "licenses": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "object", "anyOf": [{"required": ["name"]}, {"required": ["path"]}]},
        },
        "sources": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "object", "required": ["title"], "properties": {
                "path": {"type": "string", "minLength": 1}}},
        },
    },
}  # fmt: skip

TEXT = {"type": "string", "minLength": 1, "pattern": r"\S"}
DATE = {"type": "string", "format": "date-time"}
URI = {"type": "string", "format": "uri"}
URI_SIGNS = re.compile(r"https?://[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
FORMATS = jsonschema.FormatChecker(("date-time",))
"""Formats are demands here, not remarks: RFC 3339 through its validator, RFC 3986 below."""


@FORMATS.checks("uri", raises=ValueError)
def is_uri(text: object) -> bool:
    """Tell whether a text is an absolute web address in the signs of RFC 3986."""
    return not isinstance(text, str) or bool(URI_SIGNS.fullmatch(text) and urlsplit(text).hostname)


def closed(required: list[str], **properties: object) -> dict[str, object]:
    return {
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": False,
        "minProperties": 1,
    }


def several(items: dict[str, object], **more: object) -> dict[str, object]:
    return {"type": "array", "minItems": 1, "uniqueItems": True, "items": items, **more}


def nested(depth: int) -> dict[str, object]:
    """Return the schema of coordinates: longitude and latitude below ``depth`` lists."""
    if depth:
        return {"type": "array", "minItems": 1, "items": nested(depth - 1)}
    ranges = [{"type": "number", "minimum": -limit, "maximum": limit} for limit in (180, 90)]
    return {"type": "array", "prefixItems": ranges, "minItems": 2, "maxItems": 2}


DEPTHS = {"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2,
          "MultiPolygon": 3}  # fmt: skip
GEOMETRY = {
    "oneOf": [
        closed(["type", "coordinates"], type={"const": name}, coordinates=nested(depth))
        for name, depth in DEPTHS.items()
    ]
}
LOCATION = closed(
    ["id"], id=TEXT, description=TEXT, geometry=GEOMETRY,
    address=closed([], locality=TEXT, region=TEXT, countryName=TEXT),
)  # fmt: skip
VALUE = closed(["amount", "currency"], amount={"type": "number", "exclusiveMinimum": 0},
               currency={"enum": ["VND", "USD", "JPY"]})  # fmt: skip
BUDGET = closed([], amount=VALUE, description=TEXT, approvalDate=DATE)
DOCUMENT = closed(
    ["id"], id=TEXT, title=TEXT, description=TEXT, url=URI, datePublished=DATE,
    language={"enum": ["vi"]},
)  # fmt: skip
MILESTONE = closed(
    ["id"], id=TEXT, title=TEXT, description=TEXT, dueDate=DATE, dateMet=DATE,
    status={"enum": ["scheduled", "met", "notMet", "partiallyMet"]},
)  # fmt: skip
STATUSES = [
    *("identification", "preparation", "implementation", "completion", "maintenance"),
    *("decommissioning", "decommissioned", "cancelled"),
]
"""The closed list of project statuses; ``completed`` stands in it too, but as withdrawn."""

SECTOR = several(
    {"enum": ["economy", "energy", "transport", "transport.road", "transport.water"]},
    **{"if": {"contains": {"pattern": r"\."}}, "then": {"contains": {"const": "transport"}}},
)
"""Of the open list of sectors, what we name; a part of a sector stands beside the whole."""

PROJECT = closed(
    ["id", "title"], id=TEXT, updated=DATE, title=TEXT, description=TEXT,
    status={"enum": STATUSES}, sector=SECTOR,
    additionalClassifications=several(
        closed(["scheme", "id"], scheme=TEXT, id=TEXT, description=TEXT)
    ),
    locations=several(LOCATION), budget=BUDGET, documents=several(DOCUMENT),
    milestones=several(MILESTONE),
)  # fmt: skip
OC4IDS = closed(
    ["uri", "publisher", "publishedDate", "projects", "version"],
    uri=URI, publishedDate=DATE, version={"type": "string", "pattern": r"^\d+\.\d+$"},
    publisher=closed(["name"], name=TEXT), license=URI, projects=several(PROJECT),
)  # fmt: skip


def hold_to(schema: Mapping[str, object], told: object) -> None:
    """Raise jsonschema.ValidationError where ``told`` breaks the schema or one of its formats."""
    jsonschema.Draft202012Validator(schema, format_checker=FORMATS).validate(told)


def hold_to_oc4ids(package: Mapping[str, object]) -> None:
    """Hold a package to the schema, and to what its descriptions say of identifiers: a project's
    is unique in its package, a part's in its list.
    """
    hold_to(OC4IDS, package)
    projects = list(package["projects"])
    lists = [one.get(name, []) for one in projects for name in ("locations", "documents",
                                                                "milestones")]  # fmt: skip
    for parts in (projects, *lists):
        ids = [part["id"] for part in parts]
        if len(set(ids)) < len(ids):
            raise jsonschema.ValidationError(f"an identifier stands twice: {ids}")
