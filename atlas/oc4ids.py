"""Infrastructure projects in the Open Contracting for Infrastructure Data Standard, 0.9.5.

Only what a source states is said: a date known to the month gets no day, an amount that a source
calls "over" is told in words, and a place known by its commune gets no geometry.
"""

import datetime
from collections.abc import Iterable
from decimal import Decimal
from urllib.parse import quote

import shapely
from shapely.geometry import mapping

from atlas.records import Book, Document, MoneyEvent, Promise, Record
from atlas.telling import is_approximate, outward
from geodata.region import here

VERSION = "0.9"
"""What a package of schema 0.9.5 states: the standard's major and minor number."""

SCHEMA_URL = "https://standard.open-contracting.org/infrastructure/schema/0__9__5/project-package-schema.json"
CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"
ODBL = "https://opendatacommons.org/licenses/odbl/1-0/"
FULL_DATE = len("2025-12-04")
COORDINATE_DECIMALS = 6
URI_SIGNS = "!#$%&'()*+,/:;=?@[]~"
"""What stands in an address as it is (RFC 3986); any other sign is written by its bytes."""

STATUS = {
    "park.planned": "identification",
    "park.zoning_task": "identification",
    "park.zoning_plan": "identification",
    "park.investment_policy": "preparation",
    "park.established": "preparation",
    "park.site_clearance": "preparation",
    "park.land_allocated": "preparation",
    "park.under_construction": "implementation",
    "park.operating": "maintenance",
    "park.converted": "",
    "park.revoked": "cancelled",
    "cluster.listed": "identification",
    "cluster.established": "preparation",
    "cluster.developer_named": "preparation",
    "cluster.detailed_plan": "preparation",
    "cluster.site_clearance": "preparation",
    "cluster.under_construction": "implementation",
    "cluster.operating": "maintenance",
    "cluster.converted": "",
    "cluster.annulled": "cancelled",
    "public.proposal": "identification",
    "public.investment_policy": "preparation",
    "public.feasibility": "preparation",
    "public.investment_decision": "preparation",
    "public.capital_allocated": "preparation",
    "public.site_clearance": "preparation",
    "public.works": "implementation",
    "public.opened": "completion",
    "public.closed": "maintenance",
    "public.revoked": "cancelled",
    "project.invited": "identification",
    "project.named": "identification",
    "project.proposed": "identification",
    "project.registered": "preparation",
    "project.works": "implementation",
    "project.trial": "implementation",
    "project.operating": "maintenance",
    "project.ended": "cancelled",
}
"""Our stages in the standard's closed list of project statuses; "" where none of them fits.

What is in use is in ``maintenance``, which covers the day-to-day running of the assets;
``completion`` is handover and close-out, and ``completed`` is withdrawn since 0.9.4.
"""

SECTORS = {
    "industrial_park": ("economy",),
    "industrial_cluster": ("economy",),
    "logistics_centre": ("transport",),
    "logistics_site": ("transport",),
    "port": ("transport", "transport.water"),
    "power_plant": ("energy",),
    "expressway": ("transport", "transport.road"),
    "national_road": ("transport", "transport.road"),
    "provincial_road": ("transport", "transport.road"),
    "road": ("transport", "transport.road"),
    "canal": ("transport", "transport.water"),
}
"""Kinds that are infrastructure; a private factory is no project of this standard."""

CURRENCY = {
    "tỷ đồng": ("VND", Decimal(10) ** 9),
    "triệu USD": ("USD", Decimal(10) ** 6),
    "tỷ JPY": ("JPY", Decimal(10) ** 9),
}
BUDGETS = ("approved_total", "preliminary_total")
"""Kinds of money that are a project's budget, the firmer first; capital registered is not."""

MILESTONE_STATUS = {"met": "met", "met_late": "met", "late": "notMet", "due": "scheduled"}


def is_project(record: Record) -> bool:
    """Tell whether a record is an infrastructure project of which a source says something."""
    told = record.stage or record.money or record.promises
    return record.kind in SECTORS and bool(told)


def projects(book: Book) -> tuple[Record, ...]:
    """Return the records that are published as projects."""
    return tuple(record for record in book.records if is_project(record))


def package(book: Book, records: Iterable[Record], uri: str) -> dict[str, object]:
    """Return a project package; ``uri`` is where it will lie."""
    told = list(records)
    has_osm = any(r.position and r.position.method == "osm" for r in told)
    return {
        "uri": uri,
        "publishedDate": moment(book.as_of.isoformat()),
        "version": VERSION,
        "publisher": {"name": here().publisher},
        "license": ODBL if has_osm else CC0,
        "projects": [project(record) for record in told],
    }


def project(record: Record) -> dict[str, object]:
    """Return one project; what is not known is left out, never empty."""
    told: dict[str, object] = {
        "id": record.subject_id,
        "updated": moment(record.last_heard_on),
        "title": record.name_vi,
        "description": _description(record),
        "status": STATUS.get(record.stage.stage.stage_id, "") if record.stage else "",
        "sector": list(SECTORS[record.kind]),
        "additionalClassifications": [
            {"scheme": here().atlas_id, "id": record.kind, "description": record.kind}
        ],
        "locations": [_location(record)],
        "budget": _budget(record),
        "documents": [_document(document) for document in record.documents],
        "milestones": [_milestone(p) for p in record.promises if p.state in MILESTONE_STATUS],
    }
    return {name: value for name, value in told.items() if value}


def moment(date: str) -> str:
    """Return a whole date as the standard's date-time, the region's midnight; "" for a cut one."""
    if len(date) != FULL_DATE:
        return ""
    try:
        return here().midnight(datetime.date.fromisoformat(date)).isoformat()
    except ValueError:
        return ""


def _description(record: Record) -> str:
    name = record.name_en if record.name_en != record.name_vi else ""
    stage = record.stage
    step = f"Stage {stage.stage.stage_id} since {stage.on} ({stage.on_basis})." if stage else ""
    return " ".join(part for part in (f"{name}." if name else "", step, record.note_en) if part)


def _location(record: Record) -> dict[str, object]:
    units = [unit.name_vi for unit in record.communes or record.districts or record.nodes]
    province, country = here().province
    address = {"locality": "; ".join(units), "region": province, "countryName": country}
    position = record.position
    told: dict[str, object] = {
        "id": f"{record.subject_id}.location",
        "description": _placed(record),
        "address": {name: value for name, value in address.items() if value},
    }
    if position is not None and not is_approximate(position):
        told["geometry"] = _rounded(mapping(shapely.force_2d(position.geometry)))
    return told


def _placed(record: Record) -> str:
    if record.position is None:
        return "Position not known."
    how = f"Position by method {record.position.method}, error up to"
    metres = f"{record.position.accuracy_m:.0f} m"
    if is_approximate(record.position):
        return f"{how} {metres}; too coarse to be given as a geometry."
    return f"{how} {metres}."


def _rounded(geometry: dict[str, object]) -> dict[str, object]:
    def thin(part: object) -> object:
        if isinstance(part, tuple | list):
            return [thin(one) for one in part]
        return round(part, COORDINATE_DECIMALS) if isinstance(part, float) else part

    return {"type": geometry["type"], "coordinates": thin(geometry["coordinates"])}


def _budget(record: Record) -> dict[str, object]:
    """The newest whole amount of the firmest kind; one that is not exact is told in words."""
    for kind in BUDGETS:
        events = [m for m in record.money if m.kind == kind and not m.phase]
        if events:
            return _budget_of(max(events, key=lambda m: (m.on, m.money_id)))
    return {}


def _budget_of(event: MoneyEvent) -> dict[str, object]:
    currency, factor = CURRENCY[event.unit]
    said = f"{event.qualifier} {event.amount} {event.unit}".strip()
    told: dict[str, object] = {
        "description": f"{event.kind}, {said}, {event.on} ({event.on_basis}), fund: {event.fund}",
    }
    if not event.qualifier:
        told["amount"] = {"amount": _number(event.amount * factor), "currency": currency}
    if event.act and event.kind == "approved_total" and moment(event.on):
        told["approvalDate"] = moment(event.on)
    return told


def _number(amount: Decimal) -> int | float:
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def _document(document: Document) -> dict[str, object]:
    told = {
        "id": document.document_id,
        "title": document.name_vi,
        "description": ", ".join(p for p in (document.number, document.publisher) if p),
        "url": quote(outward(document), safe=URI_SIGNS),
        "datePublished": moment(document.published_on),
        "language": "vi",
    }
    return {name: value for name, value in told.items() if value}


def _milestone(promise: Promise) -> dict[str, object]:
    newest = promise.forecasts[-1] if promise.forecasts else promise.baseline
    told = {
        "id": promise.promise_id,
        "title": promise.name_vi,
        "description": (
            f"{promise.name_en}: first promised for {promise.baseline.due_on}, "
            f"last for {newest.due_on}"
        ),
        "dueDate": moment(newest.due_on),
        "dateMet": moment(promise.met_on),
        "status": MILESTONE_STATUS[promise.state],
    }
    return {name: value for name, value in told.items() if value}
