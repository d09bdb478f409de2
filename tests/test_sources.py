import csv
import io
import unicodedata
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from builds import MIRROR
from geodata.archive import Archive
from geodata.catalog import SOURCES, Source, load_catalog
from geodata.cells import parts_of, where
from geodata.checks import Checked
from geodata.claims import resolve
from geodata.collect import Network, collect_source
from geodata.corrections import apply_corrections
from geodata.read import read_layer, read_table
from geodata.schema import TABLE, TABLES

CATALOG, REFUSED = load_catalog()
TABLED = [source for source in CATALOG.values() if source.table]
DRAWN = [source for source in CATALOG.values() if source.layer]
EACH_TABLE = pytest.mark.parametrize("source", TABLED, ids=[s.source_id for s in TABLED])
EACH_LAYER = pytest.mark.parametrize("source", DRAWN, ids=[s.source_id for s in DRAWN])
EACH_SOURCE = pytest.mark.parametrize("source", CATALOG.values(), ids=list(CATALOG))

FEATURES = {"tlq_commune_boundaries": 28, "osm_waterways": 29}


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path)


def test_every_folder_of_sources_is_a_source() -> None:
    assert REFUSED == []
    assert set(CATALOG) == {p.name for p in SOURCES.iterdir() if p.name[0] not in "._"}


@EACH_SOURCE
def test_a_source_says_who_publishes_it_under_which_licence_and_when(source: Source) -> None:
    for text in (source.title_vi, source.title_en, source.publisher, source.licence):
        assert text.strip()
        assert unicodedata.is_normalized("NFC", text)
    assert bool(source.note_vi) == bool(source.note_en)
    assert bool(source.attribution_vi) == bool(source.attribution_en)
    assert source.as_of <= source.retrieved_on


@EACH_TABLE
def test_a_table_is_as_described_and_every_row_of_it_is_whole(
    source: Source, archive: Archive
) -> None:
    collected = collect_source(source, archive, Network(online=False))
    assert (collected.state, collected.why) == ("fresh", "")
    sheet = apply_corrections(read_table(source, archive.get(collected.sha256)))
    assert sheet.findings == ()
    assert sheet.rows_in_file == len(sheet.rows) > 0


@EACH_TABLE
def test_a_file_is_tidy_so_that_one_changed_fact_is_one_changed_line(source: Source) -> None:
    text = source.path.read_bytes().decode("utf-8")
    assert unicodedata.is_normalized("NFC", text)
    assert "\r" not in text
    assert text.endswith("\n")
    if source.format == "csv":
        header, *rows = csv.reader(io.StringIO(text, newline=""))
        table = TABLE[source.table]
        assert header == list(table.column_names)
        keys = [[row[header.index(name)] for name in table.key] for row in rows]
        # the words for measures stand in the order of their meaning
        assert keys == sorted(keys) or source.source_id == "atlas_measures"


@EACH_LAYER
def test_a_layer_is_pinned_or_asked_for_and_never_needed(source: Source) -> None:
    assert source.optional
    assert source.crs
    assert source.attribution_en
    assert all(file.sha256 for file in source.files)


@EACH_LAYER
def test_a_layer_is_read_where_the_mirror_is_and_missing_where_it_is_not(
    source: Source, archive: Archive
) -> None:
    assert collect_source(source, archive, Network(online=False)).state == "missing"
    if MIRROR.is_dir():
        collected = collect_source(source, archive, Network(MIRROR))
        assert (collected.state, collected.why) == ("fresh", "")
        layer = read_layer(
            source, [(f.name, archive.get(f.sha256)) for f in collected.files]
        ).features
        assert len(layer) == FEATURES[source.source_id]
        west, south, east, north = layer.total_bounds
        assert 105 < west < east < 106.1
        assert 9.4 < south < north < 10.2


def test_the_whole_catalogue_has_no_source_and_no_row_finding(real: Checked) -> None:
    assert [f for f in real.findings if f.severity != "note"] == []
    assert pd.concat(real.quarantine).empty
    assert sum(change.rows_out for change in real.ledger) == sum(map(len, real.tables.values()))
    assert all(change.dropped == {} for change in real.ledger)


HANDED_IN = {"duty_reports"}
"""Tables that only planners' workbooks fill."""


def test_every_table_of_the_schema_has_rows_and_every_source_has_a_table(real: Checked) -> None:
    described = {table.name for table in TABLES} - HANDED_IN
    assert {source.table for source in TABLED} == described
    assert all(len(real.tables[name]) for name in described)


def amounts(real: Checked, axis: str) -> Decimal:
    rows = real.tables["funding_plan"]
    return sum(map(Decimal, rows.loc[rows["axis"] == axis, "amount"]), Decimal(0))


def test_the_funding_closes_to_the_last_digit(real: Checked) -> None:
    assert amounts(real, "total") == Decimal("113062.026")
    assert amounts(real, "source") == amounts(real, "year") == amounts(real, "total")
    funding = real.tables["funding_plan"]
    assert list(funding["axis"].value_counts().reindex(["total", "source", "year"])) == [1, 3, 5]
    assert set(funding["unit"]) == {"tỷ đồng"}


def test_the_missing_annex_is_told_and_no_split_by_source_and_year_is_the_plans(
    real: Checked,
) -> None:
    funding = real.tables["funding_plan"].set_index("funding_id")
    assert "annex is missing from the published text" in funding.loc["s1-f0", "note_en"]
    split = funding[funding["axis"] == "source_and_year"]
    assert not split["confidence"].eq("plan").any()
    assert not split["document_ids"].eq("s1").any()


def test_the_administrative_units_are_all_there_with_their_validity(real: Checked) -> None:
    units = real.tables["communes"]
    assert dict(units["level"].value_counts()) == {
        "old_commune": 75,
        "commune": 28,
        "old_district": 8,
    }
    new = units[units["level"] == "commune"]
    assert set(new["valid_from"]) == {"2025-07-01"}
    assert set(units.drop(new.index)["valid_to"]) == {"2025-06-30"}
    assert (new[["longitude", "latitude", "reach_m"]] != "").all(axis=None)


def test_the_crosswalk_leads_every_old_commune_to_a_new_one_and_back(real: Checked) -> None:
    units, walk = real.tables["communes"], real.tables["commune_crosswalk"]
    assert set(walk["old_unit_id"]) == set(units.loc[units["level"] == "old_commune", "unit_id"])
    assert set(walk["new_unit_id"]) == set(units.loc[units["level"] == "commune", "unit_id"])
    parts = walk.groupby("old_unit_id")["relation"].agg(list)
    assert all(p == ["whole"] or set(p) == {"part"} for p in parts)


NAMED_ROUTES = {
    "road-ql61c",
    "road-dt931-a",
    "road-dt931-b",
    "road-dt926b",
    "road-dt925b",
    "canal-lai-hieu",
    "canal-nang-mau",
    "canal-cai-con",
    "canal-xa-no",
    "canal-qlph",
}


def test_every_route_of_the_plans_is_there_and_the_canal_is_not_the_road(real: Checked) -> None:
    routes = real.tables["routes"].set_index("route_id")
    assert set(routes.index) >= NAMED_ROUTES
    assert set(routes.loc[sorted(NAMED_ROUTES), "plan_refs"]) == {"s1:III.5"}
    assert routes.loc["canal-qlph", "kind"] == "canal"
    same_name = where(routes.reset_index(), "name_vi", lambda name: "Phụng Hiệp" in name)
    assert set(same_name["kind"]) > {"canal"}


def test_the_counts_of_the_plans_stand_beside_the_named_lists(real: Checked) -> None:
    targets = real.tables["targets"].set_index("target_id")["value"]
    assert dict(targets[["s1-t08", "s1-t09", "s1-t10", "s1-t11", "s1-t12"]]) == {
        "s1-t08": "3",
        "s1-t09": "3",
        "s1-t10": "5",
        "s1-t11": "5",
        "s1-t12": "2",
    }
    kinds = real.tables["places"]["kind"].value_counts()
    assert kinds["logistics_site"] == 3
    assert kinds["logistics_centre"] >= 3
    assert kinds["industrial_park"] > 5
    assert kinds["industrial_cluster"] > 5


def test_every_duty_has_an_agency_a_clause_and_the_four_reports_their_days(real: Checked) -> None:
    duties = real.tables["duties"]
    assert (duties[["agency_ids", "clause", "plan_id"]] != "").all(axis=None)
    reports = duties[(duties["kind"] == "report") & (duties["before_day"] != "")]
    days = {(row.plan_id, row.before_day) for row in reports.itertuples()}
    assert days >= {("s1", "11-15"), ("s1", "12-15"), ("s2", "11-10"), ("s2", "11-15")}


def test_both_lengths_of_the_disputed_component_3_are_held_and_marked(real: Checked) -> None:
    facts = resolve(real.tables["claims"])
    component = facts[
        (facts["subject_id"] == "exp-cd-ct-st")
        & (facts["measure"] == "length_km")
        & (facts["phase"] == "component-3")
    ]
    assert list(component["value"]) == ["36.7", "6.7", "37"]
    assert list(component["confidence"]) == ["derived", "conflict", "conflict"]
    assert component["is_disputed"].all()


def test_what_is_linked_has_an_address_and_what_is_cited_is_a_document(real: Checked) -> None:
    documents = real.tables["documents"]
    assert (documents.loc[documents["is_linked"] == "true", "url"] != "").all()
    cells = [cell for rows in real.tables.values() for cell in rows.get("document_ids", ())]
    assert {part for cell in cells for part in parts_of(cell)} <= set(documents["document_id"])
