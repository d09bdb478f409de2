"""Records assembled from tables: every row lands in its record, once, in order."""

import dataclasses
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pandas as pd
import pytest
from shapely import Point

from atlas.book import Assembler, Shelf
from atlas.positions import spread
from atlas.records import Record
from atlas.standing import standing, subject_kinds
from drawings import Rows, best, nearest, tables
from geodata.claims import resolve
from geodata.findings import Finding

ROWS: Mapping[str, Rows] = {
    "documents": [
        {"document_id": "s1", "kind": "plan", "is_linked": "false", "url": "https://plan.example/"},
        {"document_id": "press", "kind": "press", "is_linked": "true", "url": "https://a.example/"},
        {"document_id": "act", "kind": "legal_act", "is_linked": "true"},
        {"document_id": "osm", "kind": "dataset", "is_linked": "false"},
    ],
    "measures": [
        {"measure": "developer", "name_vi": "Chủ đầu tư", "value_type": "text"},
        {
            "measure": "area_ha",
            "name_vi": "Diện tích",
            "value_type": "number",
            "unit_en": "ha (en)",
        },
    ],
    "stages": [
        {"stage_id": "park.named", "axis": "park", "rank": "1", "group": "planned"},
        {"stage_id": "park.works", "axis": "park", "rank": "10", "group": "building"},
    ],
    "communes": [
        {"unit_id": "com-1", "longitude": "105.5", "latitude": "9.8", "reach_m": "5000"},
        {"unit_id": "old-1"},
        {"unit_id": "dist-1"},
    ],
    "places": [
        {
            "place_id": "kcn-b",
            "kind": "industrial_park",
            "name_vi": "KCN B",
            "commune_ids": "com-1",
            "old_commune_ids": "old-1",
            "district_ids": "dist-1",
            "aliases": "Khu B;B",
            "document_ids": "s1",
        },
        {"place_id": "ccn-a", "kind": "industrial_cluster", "inside_id": "kcn-b"},
        {"place_id": "log-c", "kind": "logistics_site", "inside_id": "kcn-b"},
    ],
    "routes": [{"route_id": "road-d", "kind": "road", "ref": "ĐT931", "node_ids": "com-1"}],
}


def shelf(findings: tuple[Finding, ...] = (), **rows: Rows) -> Shelf:
    """A shelf as the steps of a run leave it."""
    told = tables(**{**ROWS, **rows})
    positions = best(told)
    access, _ = nearest(positions, subject_kinds(told))
    table, promises = standing(told, positions.frame, date(2026, 1, 1))
    facts = resolve(told["claims"])
    placed = replace(positions, frame=spread(positions.frame, None))
    frames = {"facts": facts, "access": access, "promises": promises, "standing": table}
    return Shelf(told, frames, placed, findings)


def assembled(findings: tuple[Finding, ...] = (), **rows: Rows) -> dict[str, Record]:
    assembler = Assembler(shelf(findings, **rows))
    places = assembler.records("places", "place_id")
    return {r.subject_id: r for r in (*places, *assembler.records("routes", "route_id"))}


def claim(number: int, **cells: str) -> dict[str, str]:
    usual = {
        "claim_id": f"c{number}",
        "subject_id": "kcn-b",
        "measure": "area_ha",
        "value": "10",
        "as_of": "2024",
        "confidence": "one_source",
        "document_ids": "press",
    }
    return usual | cells


def test_records_are_sorted_by_id_whatever_the_order_of_the_rows() -> None:
    assert list(assembled()) == ["ccn-a", "kcn-b", "log-c", "road-d"]
    backwards = ROWS["places"][::-1]
    assert list(assembled(places=backwards)) == ["ccn-a", "kcn-b", "log-c", "road-d"]


def test_empty_tables_make_no_record() -> None:
    nothing = {name: [] for name in ROWS}
    assert assembled(**nothing) == {}


def test_a_bare_subject_is_a_whole_record_all_the_same() -> None:
    bare = assembled()["ccn-a"]
    assert (bare.facts, bare.events, bare.money, bare.promises, bare.documents) == ((),) * 5
    assert (bare.stage, bare.length_km, bare.fact("area_ha")) == (None, None, None)
    assert (bare.schedule, bare.completeness_pct) == ("undated", 0)
    assert "area" in bare.missing


def test_lists_become_units_and_parts() -> None:
    park = assembled()["kcn-b"]
    assert [u.unit_id for u in park.communes + park.old_communes + park.districts] == [
        "com-1",
        "old-1",
        "dist-1",
    ]
    assert park.aliases == ("Khu B", "B")
    assert park.plan_refs == ()
    road = assembled()["road-d"]
    assert (road.table, road.ref, road.inside_id) == ("routes", "ĐT931", "")
    assert [u.unit_id for u in road.nodes] == ["com-1"]


def test_a_place_knows_what_lies_inside_it() -> None:
    found = assembled()
    assert found["kcn-b"].contains_ids == ("ccn-a", "log-c")
    assert assembled(places=ROWS["places"][::-1])["kcn-b"].contains_ids == ("ccn-a", "log-c")
    assert found["ccn-a"].contains_ids == ()
    assert found["ccn-a"].inside_id == "kcn-b"


def test_the_fact_is_the_claim_that_holds_and_the_others_stand_beside_it() -> None:
    rows = [claim(1, value="20", as_of="2025"), claim(2, confidence="conflict"), claim(3)]
    fact = assembled(claims=rows)["kcn-b"].fact("area_ha")
    assert fact is not None
    assert (fact.claim.claim_id, [c.claim_id for c in fact.others]) == ("c1", ["c3", "c2"])
    assert (fact.claim.value, fact.claim.value_en, fact.claim.unit_en) == ("20", "20", "ha (en)")
    assert fact.is_disputed
    assert fact.claim.source_id == "drawn"


def test_facts_come_in_the_order_of_the_measures_then_of_the_phases() -> None:
    rows = [
        claim(1, phase="2"),
        claim(2),
        claim(3, measure="developer", value="Công ty X", value_en="Company X"),
        claim(4, phase="1"),
    ]
    park = assembled(claims=rows)["kcn-b"]
    assert [(f.measure, f.phase) for f in park.facts] == [
        ("developer", ""),
        ("area_ha", ""),
        ("area_ha", "1"),
        ("area_ha", "2"),
    ]
    words = park.fact("developer")
    assert words is not None
    assert (words.claim.is_number, words.claim.value_en) == (False, "Company X")
    assert not words.is_disputed


def test_a_fact_of_a_phase_is_not_the_fact_of_the_whole() -> None:
    assert assembled(claims=[claim(1, phase="1")])["kcn-b"].fact("area_ha") is None


def event(number: int, stage: str, on: str, **cells: str) -> dict[str, str]:
    usual = {"event_id": f"e{number}", "subject_id": "kcn-b", "stage_id": stage, "on": on}
    return usual | {"is_step_back": "false", "document_ids": "press"} | cells


def test_events_are_ordered_by_day_then_by_rank_and_one_is_the_stage() -> None:
    park = assembled(
        stage_events=[
            event(3, "park.works", "2025", act_id="act"),
            event(1, "park.works", "2024"),
            event(2, "park.named", "2024", is_step_back="true"),
        ]
    )["kcn-b"]
    assert [e.event_id for e in park.events] == ["e2", "e1", "e3"]
    assert [e.is_step_back for e in park.events] == [True, False, False]
    assert park.stage is park.events[2]
    assert park.stage.act is not None
    assert (park.stage.act.document_id, park.events[0].act) == ("act", None)


def test_money_is_exact_and_in_the_order_of_its_days() -> None:
    money = {"subject_id": "kcn-b", "kind": "registered", "unit": "tỷ đồng", "document_ids": "s1"}
    park = assembled(
        money_events=[
            {**money, "money_id": "m2", "amount": "113062.026", "on": "2025", "act_id": "act"},
            {**money, "money_id": "m1", "amount": "0.10", "on": "2021-01"},
        ]
    )["kcn-b"]
    assert [m.money_id for m in park.money] == ["m1", "m2"]
    assert [m.amount for m in park.money] == [Decimal("0.10"), Decimal("113062.026")]
    assert str(park.money[0].amount) == "0.10"


def milestone(number: int, promise: str, due: str, told: str, **cells: str) -> dict[str, str]:
    usual = {"milestone_id": f"m{number}", "subject_id": "kcn-b", "promise_id": promise}
    return usual | {"due_on": due, "published_on": told, "document_ids": "press"} | cells


def test_a_promise_has_its_baseline_and_then_its_forecasts() -> None:
    park = assembled(
        milestones=[
            milestone(4, "q", "2030", "2022"),
            milestone(2, "p", "2026", "2023", name_vi="Lùi"),
            milestone(3, "p", "2028", "2025"),
            milestone(1, "p", "2024", "2021", name_vi="Hoàn thành", stage_id="park.works"),
        ]
    )["kcn-b"]
    first, second = park.promises
    assert (first.promise_id, second.promise_id) == ("p", "q")
    assert (first.baseline.milestone_id, first.name_vi) == ("m1", "Hoàn thành")
    assert [f.milestone_id for f in first.forecasts] == ["m2", "m3"]
    assert first.stage is not None
    assert second.stage is None
    assert (first.state, first.days_late, first.slip_days) == ("late", 366, 1461)
    assert (park.schedule, park.days_late) == ("late", 366)


def test_the_documents_of_a_record_are_all_that_it_cites_once() -> None:
    park = assembled(
        claims=[claim(1), claim(2, as_of="2020", document_ids="osm")],
        stage_events=[event(1, "park.works", "2025", act_id="act", document_ids="s1;press")],
        milestones=[milestone(1, "p", "2024", "2021")],
    )["kcn-b"]
    assert [d.document_id for d in park.documents] == ["act", "osm", "press", "s1"]


def test_a_document_is_linked_only_where_it_may_be_and_has_an_address() -> None:
    documents = Assembler(shelf()).documents
    assert {name: d.is_linked for name, d in documents.items()} == {
        "s1": False,
        "press": True,
        "act": False,
        "osm": False,
    }


def test_a_position_is_drawn_apart_and_where_it_is_known() -> None:
    position = assembled()["kcn-b"].position
    assert position is not None
    assert (position.geometry, position.method) == (Point(105.5, 9.8), "commune_point")
    assert position.drawn_at is not None


def test_a_line_is_drawn_nowhere_else_and_what_is_not_placed_has_no_position() -> None:
    line = {
        "position_id": "p",
        "subject_id": "road-d",
        "method": "surveyed",
        "accuracy_m": "5",
        "geometry": "LINESTRING (105.4 9.8, 105.5 9.8)",
        "as_of": "2025",
        "document_ids": "s1",
    }
    found = assembled(
        positions=[line], communes=[{"unit_id": u} for u in ("com-1", "old-1", "dist-1")]
    )
    road = found["road-d"]
    assert road.position is not None
    assert (road.position.drawn_at, road.length_km) == (None, 11.0)
    assert [d.document_id for d in road.position.documents] == ["s1"]
    assert found["ccn-a"].position is None


def test_access_and_neighbours_are_told_apart_with_their_names() -> None:
    at = {"subject_id": "kcn-b", "method": "surveyed", "accuracy_m": "100", "as_of": "2025"}
    found = assembled(
        positions=[
            {**at, "position_id": "p1", "geometry": "POINT (105 9.7)"},
            {**at, "position_id": "p2", "subject_id": "log-c", "geometry": "POINT (105 9.8)"},
            {
                **at,
                "position_id": "p3",
                "subject_id": "road-d",
                "geometry": "LINESTRING (105 9.9, 106 9.9)",
            },
        ]
    )
    (road,) = found["kcn-b"].access
    assert (road.kind, road.subject_id, road.distance_km) == ("road", "road-d", 22.1)
    assert [(n.subject_id, n.distance_km) for n in found["kcn-b"].neighbours][0] == ("log-c", 11.1)
    (back, *_) = found["log-c"].neighbours
    assert (back.name_vi, back.uncertainty_km) == ("KCN B", 0.2)


def finding(key: str, severity: str = "note") -> Finding:
    return Finding("drawn", "places", 2, key, "", "rule", severity, "")  # type: ignore[arg-type]


def test_a_record_shows_the_findings_about_itself_and_its_rows_only() -> None:
    told = (
        finding("kcn-b"),
        finding("kcn-b.area.1"),
        finding("kcn-b-2"),
        finding("ccn-a"),
        finding("kcn-b.area.2", severity="row"),
    )
    found = assembled(told)
    keys = ["kcn-b", "kcn-b.area.1", "kcn-b.area.2"]
    assert [f.key for f in found["kcn-b"].findings] == keys
    assert [f.key for f in found["ccn-a"].findings] == ["ccn-a"]


def test_gaps_belong_to_their_subject() -> None:
    rows = [
        {"gap_id": "g1", "subject_id": "kcn-b", "what_vi": "Giá thuê", "looked_on": "2026-01-05"},
        {"gap_id": "g2", "subject_id": "s1"},
    ]
    found = assembled(gaps=rows)
    assert [g.gap_id for g in found["kcn-b"].gaps] == ["g1"]
    assert [g.what_vi for g in found["kcn-b"].gaps] == ["Giá thuê"]
    assert found["ccn-a"].gaps == ()


@pytest.mark.parametrize("name", ["claims", "stage_events", "money_events", "milestones", "gaps"])
def test_every_row_of_a_table_lands_in_just_one_record(name: str) -> None:
    key = {
        "claims": "claim_id",
        "stage_events": "event_id",
        "money_events": "money_id",
        "milestones": "milestone_id",
        "gaps": "gap_id",
    }[name]
    usual = {"measure": "area_ha", "value": "1", "as_of": "2025", "confidence": "plan"}
    usual |= {"stage_id": "park.works", "on": "2025", "amount": "1"}
    usual |= {"due_on": "2027", "published_on": "2025"}
    known = set(tables()[name].columns)
    subjects = ["kcn-b", "ccn-a", "road-d"] * 4
    rows = [
        {c: v for c, v in usual.items() if c in known}
        | {key: f"x{n:02}", "subject_id": subject}
        | ({"promise_id": f"p{n:02}"} if name == "milestones" else {})
        for n, subject in enumerate(subjects)
    ]
    found = assembled(**{name: rows})
    text = {record.subject_id: repr(dataclasses.asdict(record)) for record in found.values()}
    for row in rows:
        holders = [subject for subject, told in text.items() if f"'{row[key]}'" in told]
        assert holders == [row["subject_id"]], row[key]


def test_a_missing_length_is_none_and_never_nan() -> None:
    for record in assembled().values():
        assert record.length_km is None or not pd.isna(record.length_km)
