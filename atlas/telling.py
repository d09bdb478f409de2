"""One record told in words: where it stands, how well it is placed, its claims and its dates.

Pages and map say the same with it. What a record's values are was decided before.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from atlas.positions import UNPLACED_M
from atlas.programme import Row
from atlas.records import Claim, Document, Fact, Forecast, MoneyEvent, Position, Promise, Record
from atlas.words import Words
from geodata.schema import MONEY_KINDS, STAGE_PHASES

NOT_KNOWN = "not_known"
STAGE_GROUPS = (*STAGE_PHASES, NOT_KNOWN)
APPROXIMATE = ("schematic", "commune_point")
"""Methods whose positions must not be taken for the true ones."""

PANEL_FACTS = 6
PANEL_MONEY = 2

MAIN_MEASURES = (
    "area_ha",
    "length_km",
    "capacity_mw",
    "capacity_note",
    "occupancy_pct",
    "price_usd_m2",
    "area_leased_ha",
    "developer",
    "investor",
    "owner",
    "standard",
    "projects_count",
    "sectors",
    "period",
    "alignment",
    "role_in_plan",
)
"""What the panel tells first; the record's page tells everything."""


def stage_group(record: Record) -> str:
    """Return the group of a record's stage, or ``not_known``."""
    return record.stage.stage.group if record.stage else NOT_KNOWN


def stage_text(record: Record, words: Words) -> str:
    """Say where a record stands and since when."""
    event = record.stage
    if event is None:
        return words("stage.not_known")
    return dated_stage(words.of(event.stage, "name"), event.on, event.on_basis, words)


def dated_stage(stage: str, on: str, basis: str, words: Words) -> str:
    """Say a stage by its name, and since when."""
    return words("stage.dated", stage=stage, date=words.dated(on, basis))


def phase_text(phase: str, words: Words) -> str:
    """Write a phase: a bare number as "phase 2", a named part by its words.

    Anything else stands as it is; what the data gives as ``tiếng Việt / English`` is parted.
    """
    if phase.isdigit():
        return words("record.phase", phase=phase)
    vi, _, en = phase.partition(" / ")
    return words.known(f"phase.{phase}", en if en and words.lang == "en" else vi)


def whole_history(promise: Promise) -> tuple[Forecast, ...]:
    """Return the first promised date, then the later forecasts."""
    first = promise.baseline
    later = (f for f in promise.forecasts if f.milestone_id != first.milestone_id)
    return (first, *later)


def claim_text(claim: Claim, words: Words) -> str:
    """Write a claim's value in full: number, unit and qualifier, or its text."""
    if not claim.is_number:
        shown = claim.value if words.lang == "vi" else claim.value_en or claim.value
        return words.qualified(claim.qualifier, shown)
    unit = claim.unit_vi if words.lang == "vi" else claim.unit_en
    return words.amount(claim.value, unit, claim.qualifier)


def unit_of(row: Row, words: Words) -> str:
    """Return a row's unit in the language of the page."""
    return row["unit"] if words.lang == "vi" else row.get("unit_en") or row["unit"]


def main_facts(record: Record) -> tuple[Fact, ...]:
    """Return the few facts that the panel shows, the most asked for first."""
    found = [record.fact(measure) for measure in MAIN_MEASURES]
    return tuple(fact for fact in found if fact)[:PANEL_FACTS]


def main_money(record: Record) -> tuple[MoneyEvent, ...]:
    """Return the newest whole amount of each kind of money: apart, never added."""
    whole = [event for event in record.money if not event.phase]
    newest = {event.kind: event for event in sorted(whole, key=lambda e: (e.on, e.money_id))}
    return tuple(newest[kind] for kind in MONEY_KINDS if kind in newest)[:PANEL_MONEY]


def is_approximate(position: Position) -> bool:
    """Tell whether a position must not be taken for the true one."""
    return position.method in APPROXIMATE


def is_unplaced(position: Position) -> bool:
    """Tell whether a subject is known by the province alone and stands aside on the map."""
    return is_approximate(position) and position.accuracy_m > UNPLACED_M


def drawn_as(record: Record) -> str:
    """Name the way a record is drawn, for the page's legend and the browser alike."""
    position = record.position
    if position is None:
        return "none"
    if record.table == "routes" and position.geometry.geom_type == "Point":
        return "single_point"
    return "approximate" if is_approximate(position) else "known"


def accuracy_text(record: Record, words: Words) -> str:
    """Say in words how well the place is known; never left to the drawing alone."""
    position = record.position
    if position is None:
        return words("position.none")
    names = ", ".join(words.of(unit, "name") for unit in record.communes or record.districts)
    spot = Spot(record.table, drawn_as(record), position.method, position.accuracy_m)
    return position_text(spot, names, words)


@dataclass(frozen=True)
class Spot:
    """What the words about a position depend on; ``sign`` as `drawn_as` names it."""

    table: str
    sign: str
    method: str
    accuracy_m: float

    @property
    def key(self) -> str:
        """The key of its words."""
        is_approximate = self.method in APPROXIMATE
        if is_approximate and self.accuracy_m > UNPLACED_M:
            return f"position.unplaced_{self.table}"
        if self.sign == "single_point":
            return "position.single_point"
        if self.method == "schematic" and self.table == "places":
            return "position.district"
        return f"position.{self.method}"


def position_text(spot: Spot, units: str, words: Words) -> str:
    """Say how well a place is known that lies in the named units, "" where none is known."""
    km = words.rounded(spot.accuracy_m / 1000, 1 if spot.accuracy_m >= 100 else 2)
    return words(spot.key, km=km, units=units or words("position.no_unit"))


def outward(document: Document) -> str:
    """Return the address to link to, or "" where the register or the address forbids it."""
    scheme = urlsplit(document.url).scheme.lower() if document.is_linked else ""
    return document.url if scheme in ("http", "https") else ""
