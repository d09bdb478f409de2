"""Schemas that published files are held to: ours, hand-written, and stricter than the standards.

The standards' own schema files are not kept here. `PROFILE` is what Frictionless's profiles of a
data package, a resource and a table schema ask of the fields that we write. `SUBSET` is what
OC4IDS 0.9.5 asks of them; it also forbids every field that we do not write.
"""

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

TEXT = {"type": "string", "minLength": 1}
DATE = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$"}
URI = {"type": "string", "pattern": r"^https?://[!-~]+$"}


def closed(required: list[str], **properties: object) -> dict[str, object]:
    return {
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": False,
        "minProperties": 1,
    }


def several(items: dict[str, object]) -> dict[str, object]:
    return {"type": "array", "minItems": 1, "uniqueItems": True, "items": items}


GEOMETRY = closed(
    ["type", "coordinates"],
    type={"enum": ["Point", "LineString", "Polygon", "MultiPoint", "MultiLineString",
                   "MultiPolygon"]},
    coordinates={"type": "array", "minItems": 1},
)  # fmt: skip
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
    *("identification", "preparation", "implementation", "completion", "completed", "cancelled"),
]
PROJECT = closed(
    ["id", "title"], id=TEXT, updated=DATE, title=TEXT, description=TEXT,
    status={"enum": STATUSES},
    sector=several({"enum": ["economy", "energy", "transport", "transport.road",
                             "transport.water"]}),
    additionalClassifications=several(closed(["id"], scheme=TEXT, id=TEXT, description=TEXT)),
    locations=several(LOCATION), budget=BUDGET, documents=several(DOCUMENT),
    milestones=several(MILESTONE),
)  # fmt: skip
SUBSET = closed(
    ["uri", "publisher", "publishedDate", "projects", "version"],
    uri=URI, publishedDate=DATE, version={"type": "string", "pattern": r"^(\d+\.)(\d+)$"},
    publisher=closed(["name"], name=TEXT), license=URI, projects=several(PROJECT),
)  # fmt: skip
