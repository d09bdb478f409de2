"""Project packages: the structure of OC4IDS 0.9.5, nothing stated that no source states."""

import dataclasses
import json
from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest
from shapely import LineString, Point

import books
from atlas.downloads import write_downloads
from atlas.oc4ids import SECTORS, STATUS, is_project, moment, package, project, projects
from geodata.checks import Checked
from geodata.schema import PLACE_KINDS, ROUTE_KINDS
from hostile import hostile_book
from standards import LOCATION, OC4IDS, STATUSES, hold_to, hold_to_oc4ids


def test_the_schema_refuses_what_the_standard_refuses() -> None:
    jsonschema.Draft202012Validator.check_schema(OC4IDS)
    whole = package(books.small_book(), [books.park()], "https://x.example/a.json")
    hold_to_oc4ids(whole)
    for fault in ({"version": "0.9.5"}, {"projects": []}, {"uri": ""}, {"extra": 1},
                  {"uri": "https://x.example/a b.json"}, {"uri": "a.json"}, {"publisher": {}},
                  {"publishedDate": "2025-02-30T00:00:00+07:00"},
                  {"publishedDate": "2025-02-03"}):  # fmt: skip
        with pytest.raises(jsonschema.ValidationError):
            hold_to_oc4ids(whole | fault)


@pytest.mark.parametrize(
    "fault",
    [
        {"id": ""}, {"title": " "}, {"status": "completed"}, {"status": "operating"},
        {"sector": ["transport.road"]}, {"sector": []}, {"locations": []}, {"budget": {}},
        {"budget": {"amount": {"amount": 1}}}, {"budget": {"amount": {"amount": "1"}}},
        {"additionalClassifications": [{"id": "park"}]}, {"documents": [{"title": "a"}]},
        {"documents": [{"id": "a", "title": "a"}, {"id": "a", "title": "b"}]},
        {"milestones": [{"id": "a", "status": "late"}]}, {"updated": "2025-12"},
        {"locations": [{"id": "a", "geometry": {"type": "Point", "coordinates": [9.8, 105.7]}}]},
        {"locations": [{"id": "a", "geometry": {"type": "LineString", "coordinates": [1, 2]}}]},
    ],
)  # fmt: skip
def test_a_fault_in_a_project_is_refused(fault: dict[str, object]) -> None:
    whole = package(books.small_book(), [books.park()], "https://x.example/a.json")
    with pytest.raises(jsonschema.ValidationError):
        hold_to_oc4ids(whole | {"projects": [whole["projects"][0] | fault]})


def test_a_hostile_book_gives_valid_packages() -> None:
    book = hostile_book()
    hold_to_oc4ids(package(book, projects(book), "https://x.example/a.json"))


def test_an_address_is_written_in_the_signs_of_an_address() -> None:
    told = dataclasses.replace(books.PAPER, url="https://paper.example/Sông Hậu?a=<b>&c=%20")
    (document,) = project(books.record("r", "road", documents=(told,)))["documents"]
    assert document["url"] == "https://paper.example/S%C3%B4ng%20H%E1%BA%ADu?a=%3Cb%3E&c=%20"


def test_every_package_of_the_small_book_is_valid(tmp_path: Path) -> None:
    write_downloads(books.small_book(communes=None), tmp_path, "https://atlas.example/")
    paths = [*sorted((tmp_path / "data" / "oc4ids").glob("*.json")), tmp_path / "data/oc4ids.json"]
    assert [path.stem for path in paths] == ["exp-d", "kcn-a", "oc4ids"]
    for path in paths:
        told = json.loads(path.read_text(encoding="utf-8"))
        hold_to_oc4ids(told)
        assert told["uri"].endswith(path.relative_to(tmp_path).as_posix())


def test_every_stage_of_the_vocabulary_has_its_status(real: Checked) -> None:
    assert set(STATUS) == set(real.tables["stages"]["stage_id"])
    assert set(STATUS.values()) <= {*STATUSES, ""}
    groups = dict(
        zip(real.tables["stages"]["stage_id"], real.tables["stages"]["group"], strict=True)
    )
    assert {STATUS[s] for s, group in groups.items() if group == "building"} == {"implementation"}
    assert {STATUS[s] for s, group in groups.items() if group == "ended"} == {"cancelled", ""}


def test_every_kind_but_the_private_factory_has_a_sector() -> None:
    assert {*PLACE_KINDS, *ROUTE_KINDS} - set(SECTORS) == {"plant"}


def test_a_private_factory_and_a_record_of_which_nothing_is_told_are_no_projects() -> None:
    works = books.event(books.WORKS)
    assert not is_project(books.record("p", "plant", stage=works))
    assert not is_project(books.record("c", "canal"))
    assert is_project(books.record("c", "canal", stage=works))


@pytest.mark.parametrize(
    ("date", "expected"),
    [("2025-12-04", "2025-12-04T00:00:00+07:00"), ("2025-12", ""), ("2025", ""), ("", ""),
     ("2025-99-99", "")],
)  # fmt: skip
def test_a_cut_date_gets_no_day(date: str, expected: str) -> None:
    assert moment(date) == expected


def test_a_place_known_by_its_commune_gets_no_geometry_but_the_words() -> None:
    (place,) = project(books.park())["locations"]
    assert "geometry" not in place
    assert "6200 m" in place["description"]
    assert place["address"]["locality"] == "Xã Châu Thành"


@pytest.mark.parametrize("shape", [Point(105.8, 9.9), LineString([(105.6, 9.8), (105.8, 9.9)])])
def test_a_known_position_is_given(shape: object) -> None:
    known = books.record("r", "road", position=books.position(shape, "digitised", 50))
    (place,) = project(known)["locations"]
    assert place["geometry"]["type"] == shape.geom_type
    hold_to(LOCATION, place)


def money(kind: str, amount: str, unit: str = "tỷ đồng", **changes: object) -> object:
    made = books.park().money[0]
    fields = {"kind": kind, "amount": Decimal(amount), "unit": unit, "qualifier": ""} | changes
    return dataclasses.replace(made, **fields)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (money("approved_total", "113062.026"), {"amount": 113_062_026_000_000, "currency": "VND"}),
        (money("approved_total", "23.6", "triệu USD"), {"amount": 23_600_000, "currency": "USD"}),
        (money("preliminary_total", "2", "tỷ JPY"), {"amount": 2_000_000_000, "currency": "JPY"}),
        (money("approved_total", "5", qualifier=">"), None),
        (money("approved_total", "5", phase="1"), None),
        (money("registered", "5"), None),
        (money("disbursed", "5"), None),
    ],
)  # fmt: skip
def test_only_an_exact_whole_total_is_a_budget(event: object, expected: object) -> None:
    told = project(books.record("r", "road", money=(event,)))
    assert told.get("budget", {}).get("amount") == expected


def test_an_approved_total_goes_before_a_preliminary_one() -> None:
    both = (money("preliminary_total", "9", on="2026-01-01"), money("approved_total", "7"))
    budget = project(books.record("r", "road", money=both))["budget"]
    assert budget["amount"]["amount"] == 7_000_000_000
    assert budget["approvalDate"] == "2025-12-04T00:00:00+07:00"


def test_a_milestone_tells_the_first_and_the_last_promise() -> None:
    (milestone,) = project(books.park())["milestones"]
    assert milestone["status"] == "notMet"
    assert "2024" in milestone["description"]
    assert "2029-08" in milestone["description"]
    assert "dueDate" not in milestone


def test_a_document_that_may_not_be_linked_has_no_address() -> None:
    urls = {d["id"]: d.get("url") for d in project(books.park())["documents"]}
    assert urls == {"s1": None, "paper": "https://paper.example/a?b=1&c=2", "other": None}


def test_geometry_from_openstreetmap_brings_its_licence() -> None:
    canal = books.record(
        "c", "canal", stage=books.event(books.WORKS),
        position=books.position(LineString([(105.6, 9.8), (105.8, 9.9)]), "osm", 100),
    )  # fmt: skip
    told = package(books.small_book(), [canal], "https://x.example/c.json")
    assert "odbl" in told["license"]
