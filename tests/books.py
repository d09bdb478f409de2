"""Small books for the tests of pages, maps and layers: a few records, made by hand."""

import dataclasses
import datetime
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import geopandas as gpd
import pandas as pd
from shapely.geometry import LineString, Point, box

from atlas.records import (
    Access,
    Book,
    Changed,
    Claim,
    Document,
    Fact,
    Forecast,
    Gap,
    MoneyEvent,
    Past,
    Position,
    Promise,
    Record,
    SourceState,
    Stage,
    StageEvent,
    Unit,
)
from geodata.catalog import Source
from geodata.findings import Finding, findings_table
from geodata.ledger import Change
from geodata.schema import TABLE, TABLES

PLAN = Document(
    "s1", "plan", "Kế hoạch 2021-2025", "Plan 2021-2025", "", "UBND tỉnh Hậu Giang",
    "", False, "2021-04", "approximate", "2026-11-22",
)  # fmt: skip
PAPER = Document(
    "paper", "press", "Báo A", "Paper A", "", "Báo A",
    "https://paper.example/a?b=1&c=2", True, "2025-12-04", "published", "2026-11-22",
)  # fmt: skip
OTHER = Document(
    "other", "press", "Báo B", "Paper B", "", "Báo B",
    "https://other.example/", False, "2023-06-01", "published", "2026-11-22",
)  # fmt: skip

OPERATING = Stage(
    "park.operating", "park", 80, "operating", "Đang hoạt động", "Operating",
    "Có dự án hoạt động.", "Firms are at work.", "", "",
)  # fmt: skip
WORKS = Stage(
    "public.works", "public", 60, "building", "Thi công", "Works",
    "Đang thi công.", "Under construction.", "Luật Đầu tư công", "Public Investment Law",
)  # fmt: skip

NEW = Unit("com-31366", "commune", "31366", "Xã Châu Thành", "Châu Thành commune")
OLD = Unit("old-31375", "old_commune", "31375", "Xã Đông Phú", "Đông Phú commune")
DISTRICT = Unit("dist-933", "old_district", "933", "Huyện Châu Thành", "Châu Thành district")


def claim(value: str, unit: str = "ha", **changes: object) -> Claim:
    """Return one claim, a number of hectares unless told otherwise."""
    made = Claim(
        f"claim-{value}", "", value, "", unit, unit, True,
        "2025-12-04", "published", "two_sources", (PAPER,), "", "", "claims",
    )  # fmt: skip
    return dataclasses.replace(made, **changes)


def fact(measure: str, held: Claim, *others: Claim, phase: str = "") -> Fact:
    """Return a fact; it is in dispute when another claim of the same day differs."""
    names = {
        "area_ha": ("Diện tích", "Area"),
        "length_km": ("Chiều dài", "Length"),
        "developer": ("Chủ đầu tư hạ tầng", "Developer"),
    }
    vi, en = names[measure]
    disputed = any(other.confidence == "conflict" for other in others)
    return Fact(measure, phase, vi, en, f"{vi}.", f"{en}.", held, others, disputed)


def event(stage: Stage, on: str = "2025-12-04") -> StageEvent:
    """Return one dated step."""
    return StageEvent(
        f"event-{stage.stage_id}", stage, "", on, "published", PLAN, False,
        "one_source", (PAPER,), "Ghi chú", "A note",
    )  # fmt: skip


def position(geometry: object, method: str, accuracy_m: float, **changes: object) -> Position:
    """Return a position."""
    made = Position(geometry, method, accuracy_m, "2026-11-22", (PLAN,), "", "")
    return dataclasses.replace(made, **changes)


def record(subject_id: str, kind: str, **changes: object) -> Record:
    """Return a record that knows nothing but its name, and what ``changes`` say."""
    routes = ("expressway", "national_road", "provincial_road", "road", "canal")
    table = "routes" if kind in routes else "places"
    made = Record(
        subject_id=subject_id, table=table, kind=kind,
        name_vi=f"{subject_id} tiếng Việt", name_en=f"{subject_id} English",
        aliases=(), ref="", plan_refs=(), districts=(), old_communes=(), communes=(), nodes=(),
        location_basis="not_known", inside_id="", contains_ids=(), position=None, facts=(),
        events=(), stage=None, money=(), promises=(), schedule="undated", days_late=0,
        last_heard_on="", access=(), neighbours=(), length_km=None, completeness_pct=0,
        missing=("area", "stage"), gaps=(), findings=(), documents=(), note_vi="", note_en="",
    )  # fmt: skip
    return dataclasses.replace(made, **changes)


GAP = Gap("gap-1", "kcn-a", "Ngày khởi công", "Date of groundbreaking", "2026-11-22")
NOTE = Finding("zones", "places", 3, "kcn-a", "commune_ids", "reference_exists", "note", "found x")


def park() -> Record:
    """Return a park known by its commune, with everything a record may hold."""
    baseline = Forecast("m-1", "2024", "2022-05-01", "one_source", (PAPER,), "", "")
    later = Forecast("m-2", "2029-08", "2025-09-29", "two_sources", (OTHER,), "Lùi", "Moved")
    return record(
        "kcn-a",
        "industrial_park",
        name_vi="KCN A",
        name_en="Park A",
        aliases=("KCN Á",),
        plan_refs=("s1:II.2",),
        districts=(DISTRICT,),
        old_communes=(OLD,),
        communes=(NEW,),
        location_basis="named_by_source",
        contains_ids=("log-b",),
        position=position(Point(105.83, 9.94), "commune_point", 6200, drawn_at=(105.84, 9.95)),
        facts=(
            fact("area_ha", claim("380"), claim("220", as_of="2022-05", documents=(OTHER,))),
            fact("area_ha", claim("146.54"), phase="1"),
            fact("developer", claim("Công ty X", "", value_en="Company X", is_number=False)),
        ),
        events=(event(OPERATING),),
        stage=event(OPERATING),
        money=(
            MoneyEvent(
                "money-1", "registered", "private", "", ">", Decimal("5569"), "tỷ đồng",
                "2025-12-04", "published", PLAN, "two_sources", (PAPER,), "", "",
            ),
            MoneyEvent(
                "money-2", "disbursed", "mixed", "1", "", Decimal("23.60"), "triệu USD",
                "2023-01", "stated", None, "one_source", (OTHER,), "", "",
            ),
        ),
        promises=(
            Promise(
                "finish", "Hoàn thành", "Completion", OPERATING, "", baseline,
                (baseline, later), "", "late", 326, 1703,
            ),
        ),
        schedule="late",
        days_late=326,
        last_heard_on="2025-12-04",
        access=(Access("canal", "canal-c", "Kênh C", "Canal C", 2.1, 6.3),),
        neighbours=(Access("place", "log-b", "Trung tâm B", "Centre B", 1.0, 12.4),),
        completeness_pct=70,
        missing=("price",),
        gaps=(GAP,),
        findings=(NOTE,),
        documents=(PLAN, PAPER, OTHER),
        note_vi="Ghi chú về KCN A",
        note_en="A note on Park A",
    )  # fmt: skip


def expressway() -> Record:
    """Return a schematic route whose third component has two lengths in dispute."""
    wrong = claim("6.7", "km", confidence="conflict", documents=(OTHER,), as_of="2025-04")
    return record(
        "exp-d",
        "expressway",
        name_vi="Cao tốc D",
        name_en="Expressway D",
        nodes=(NEW, DISTRICT),
        position=position(LineString([(105.6, 9.8), (105.8, 9.9)]), "schematic", 15000),
        facts=(
            fact("length_km", claim("188.2", "km")),
            fact(
                "length_km",
                claim("37", "km", qualifier="~", documents=(PAPER,)),
                wrong,
                phase="component-3",
            ),
        ),
        events=(event(WORKS, "2023-06-17"),),
        stage=event(WORKS, "2023-06-17"),
        length_km=24.61,
        documents=(PAPER, OTHER),
    )


def table(name: str, *rows: Mapping[str, str]) -> pd.DataFrame:
    """Return a published table: the schema's columns and ``source_id``, empty where not told."""
    columns = [*TABLE[name].column_names, "source_id"]
    told = [{column: row.get(column, "") for column in columns} for row in rows]
    return pd.DataFrame(told, columns=columns).astype("str")


def target(target_id: str, **told: str) -> dict[str, str]:
    """Return one row of ``targets``."""
    return {
        "target_id": target_id, "plan_id": "s1", "clause": "II.2",
        "name_vi": f"Mục tiêu {target_id}",
        "name_en": f"Target {target_id}", "is_baseline": "false", "is_qualitative": "false",
        "value": "77626", "unit": "tỷ đồng", "unit_en": "billion VND", "period": "2025",
        "confidence": "plan",
    } | told  # fmt: skip


def indicator(period: str, value: str, **told: str) -> dict[str, str]:
    """Return one row of ``indicators``."""
    return {
        "indicator_id": f"output-{period}", "series_id": "output", "name_vi": "Giá trị sản xuất",
        "name_en": "Production value", "scope": "industry", "price_basis": "current",
        "period": period, "value": value, "unit": "tỷ đồng", "unit_en": "billion VND",
        "as_of": "2025-01", "as_of_basis": "published", "document_ids": "paper",
        "confidence": "one_source", "caution_vi": "Danh nghĩa", "caution_en": "Nominal",
    } | told  # fmt: skip


def money_row(funding_id: str, axis: str, amount: str, **told: str) -> dict[str, str]:
    """Return one row of ``funding_plan``."""
    return {
        "funding_id": funding_id, "plan_id": "s1", "clause": "V.1",
        "name_vi": f"Khoản {funding_id}",
        "name_en": f"Item {funding_id}", "axis": axis, "amount": amount, "unit": "tỷ đồng",
        "document_ids": "s1", "confidence": "plan",
    } | told  # fmt: skip


def duty(duty_id: str, kind: str, **told: str) -> dict[str, str]:
    """Return one row of ``duties``."""
    return {
        "duty_id": duty_id, "kind": kind, "plan_id": "s1", "clause": "IV.2", "agency_ids": "soct",
        "task_vi": f"Việc {duty_id}", "task_en": f"Task {duty_id}", "duty_count": "1",
        "cadence": "yearly",
    } | told  # fmt: skip


def tables() -> dict[str, pd.DataFrame]:
    """Return every table of the schema, with a few rows where pages read them."""
    rows: dict[str, tuple[dict[str, str], ...]] = {
        "targets": (
            target("t1", series_id="output"),
            target("t2", value="5", unit="KCN", unit_en="parks", period="2021-2025"),
            target("t3", value="", unit="", is_qualitative="true"),
        ),
        "indicators": (indicator("2024", "80024"), indicator("2023-H1", "30000")),
        "funding_plan": (
            money_row("f0", "total", "113062.026"),
            money_row("f1", "source", "100000.001", fund="private"),
            money_row("f2", "source", "13062.025", fund="central_budget"),
        ),
        "agencies": (
            {"agency_id": "soct", "name_vi": "Sở Công Thương", "name_en": "Department of Industry"},
        ),
        "duties": (
            duty("d1", "report", before_day="11-15"),
            duty("d2", "report", before_day="12-15", starts_on="2021", ends_on="2025"),
            duty("d3", "task", cadence="regular", partner_ids="soct", unit_ids="dist-933",
                 duty_count="6", note_vi="Lưu ý", note_en="Note"),
        ),
        "communes": (
            {"unit_id": "com-31366", "level": "commune", "code": "31366", "name_vi": NEW.name_vi,
             "name_en": NEW.name_en, "longitude": "105.83602", "latitude": "9.94249"},
            {"unit_id": "dist-933", "level": "old_district", "code": "933",
             "name_vi": DISTRICT.name_vi, "name_en": DISTRICT.name_en},
        ),
    }  # fmt: skip
    return {one.name: table(one.name, *rows.get(one.name, ())) for one in TABLES}


def source(source_id: str, **told: object) -> Source:
    """Return a source of places."""
    return Source(
        **{
            "source_id": source_id, "folder": Path(source_id), "title_vi": f"Nguồn {source_id}",
            "title_en": f"Source {source_id}", "publisher": "Nơi công bố", "licence": "MIT",
            "kind": "file", "table": "places", "format": "csv", "file": "raw.csv",
            "as_of": datetime.date(2026, 11, 1), "retrieved_on": datetime.date(2026, 11, 22),
            "sha256": "0" * 64, "key": "place_id",
        } | told
    )  # fmt: skip


CHANGES = (
    Changed(
        "places", "kcn-a", "altered", "name_vi", "KCN cũ", "KCN A", "zones", "kcn-a",
        {"place_id": "kcn-a", "name_vi": "KCN A", "name_en": "Park A", "document_ids": "paper"},
    ),
)  # fmt: skip


def small_book(**changes: object) -> Book:
    """Return a book of two places and two routes with all that pages print."""
    osm = source(
        "osm", table="", layer="waterways", format="geojson", crs="EPSG:4326", licence="ODbL 1.0",
        attribution_vi="© những người đóng góp OpenStreetMap",
        attribution_en="© OpenStreetMap contributors",
    )  # fmt: skip
    centre = record(
        "log-b", "logistics_centre", inside_id="kcn-a", communes=(NEW,),
        position=position(Point(105.85, 9.95), "digitised", 200),
    )  # fmt: skip
    canal = record(
        "canal-c", "canal", position=position(Point(105.8, 9.8), "schematic", 9000),
    )  # fmt: skip
    book = Book(
        edition="2026-11-22-abcdef0",
        previous_edition="2026-11-21-0123456",
        as_of=datetime.date(2026, 11, 22),
        places=(park(), centre),
        routes=(canal, expressway()),
        documents={d.document_id: d for d in (PLAN, PAPER, OTHER)},
        stages=(OPERATING, WORKS),
        tables=tables(),
        counts={name: len(rows) for name, rows in tables().items()},
        communes=gpd.GeoDataFrame(
            {"unit_id": ["com-31366"]}, geometry=[box(105.75, 9.88, 105.9, 10.0)], crs="EPSG:4326"
        ),
        waterways=gpd.GeoDataFrame(
            {"name": ["Sông Hậu", ""]},
            geometry=[
                LineString([(105.7, 10.0), (105.9, 9.9)]),
                LineString([(105.7, 9.8), (105.71, 9.8)]),
            ],
            crs="EPSG:4326",
        ),
        sources=(
            SourceState(source("zones"), "fresh", "0" * 64, 4, ""),
            SourceState(
                osm, "stale", "1" * 64, 2, "no answer from the server", "2026-11-20"
            ),
        ),
        findings=(NOTE,),
        quarantine=[findings_table([NOTE]).assign(content='{"place_id":"kcn-a"}')],
        ledger=(Change("check zones", 5, 4, {"key_is_unique": 1}),),
        changes=CHANGES,
        gaps=(GAP, Gap("gap-2", "s1", "Phụ lục kinh phí", "Annex of costs", "2026-11-22")),
        missing_layers=(),
        history=(Past("2026-11-22-abcdef0", "2026-11-22", CHANGES, {"kcn-a": "operating"}),),
    )  # fmt: skip
    return dataclasses.replace(book, **changes)


def bare_book() -> Book:
    """Return a book without layers, changes, findings or an edition before it."""
    empty = findings_table([]).assign(content=[])
    return small_book(
        previous_edition="", communes=None, waterways=None, findings=(), quarantine=[empty],
        changes=(), history=(), gaps=(), ledger=(), missing_layers=("osm",),
    )  # fmt: skip
