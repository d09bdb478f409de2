import json
import unicodedata

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geodata.cells import is_number, parts_of
from geodata.checks import Checked, check_sheets, frame_schema
from geodata.findings import FINDING_COLUMNS
from geodata.schema import TABLE, TABLES

Found = tuple[str, int, str, str]


def found(checked: Checked) -> list[Found]:
    return [(f.source_id.removeprefix("tiny_"), f.row, f.column, f.rule) for f in checked.findings]


def accepted(checked: Checked) -> dict[str, int]:
    return {name: len(rows) for name, rows in checked.tables.items()}


def test_the_tiny_tables_are_accepted_whole(tree) -> None:
    checked = tree.check()
    assert checked.findings == ()
    assert pd.concat(checked.quarantine).empty
    assert all(len(checked.tables[table.name]) for table in TABLES)
    assert all(change.rows_in == change.rows_out for change in checked.ledger)


def test_an_accepted_row_says_where_it_comes_from(tree) -> None:
    places = tree.check("places").tables["places"]
    assert list(places.columns) == [*TABLE["places"].column_names, "source_id", "line"]
    assert list(zip(places["source_id"], places["line"], strict=True)) == [
        ("tiny_places", 2),
        ("tiny_places", 3),
    ]


def test_nothing_to_check_is_every_table_empty_and_no_finding() -> None:
    checked = check_sheets([])
    assert set(accepted(checked).values()) == {0}
    assert (checked.findings, checked.ledger, len(pd.concat(checked.quarantine))) == ((), (), 0)
    for table in TABLES:
        assert list(checked.tables[table.name].columns)[: len(table.columns)] == list(
            table.column_names
        )


DECOMPOSED = unicodedata.normalize("NFD", "Cụm công nghiệp")
MONEY_CASES: list[tuple[dict[str, str], dict[str, set[str]]]] = [
    ({}, {}),
    ({"note_vi": "Hợp tác xã “Ấn Độ”"}, {}),
    ({"amount": "0"}, {}),
    ({"amount": "-0"}, {"amount": {"value_is_of_its_kind"}}),
    ({"amount": "0.000000001"}, {}),
    ({"on": "2023"}, {}),
    ({"amount": ""}, {"amount": {"value_is_present"}}),
    ({"amount": " "}, {"amount": {"value_is_present", "value_is_of_its_kind"}}),
    ({"subject_id": "\u00a0"}, {"subject_id": {"value_is_present", "reference_exists"}}),
    ({"amount": "-1"}, {"amount": {"value_is_in_range"}}),
    ({"amount": "1,5"}, {"amount": {"value_is_of_its_kind"}}),
    ({"amount": "1 000"}, {"amount": {"value_is_of_its_kind"}}),
    ({"amount": "1e400"}, {"amount": {"value_is_of_its_kind"}}),
    ({"amount": "NaN"}, {"amount": {"value_is_of_its_kind"}}),
    ({"amount": "inf"}, {"amount": {"value_is_of_its_kind"}}),
    ({"amount": "0x10"}, {"amount": {"value_is_of_its_kind"}}),
    ({"amount": "١٢"}, {"amount": {"value_is_of_its_kind"}}),
    ({"amount": "１２"}, {"amount": {"value_is_of_its_kind"}}),
    ({"amount": "9" * 5_000}, {"amount": {"value_is_of_its_kind"}}),
    ({"on": "2023-02-30"}, {"on": {"value_is_of_its_kind"}}),
    ({"on": "2023-00"}, {"on": {"value_is_of_its_kind"}}),
    ({"on": "04/03/2022"}, {"on": {"value_is_of_its_kind"}}),
    ({"kind": "gift"}, {"kind": {"value_is_in_vocabulary"}}),
    ({"kind": "Registered"}, {"kind": {"value_is_in_vocabulary"}}),
    ({"kind": "registered "}, {"kind": {"value_is_in_vocabulary"}}),
    ({"fund": ""}, {"fund": {"value_is_present"}}),
    ({"qualifier": "≈"}, {"qualifier": {"value_is_in_vocabulary"}}),
    ({"unit": "tỷ đông"}, {"unit": {"value_is_in_vocabulary"}}),
    ({"document_ids": ";"}, {"document_ids": {"value_is_of_its_kind"}}),
    ({"document_ids": "s1;"}, {"document_ids": {"value_is_of_its_kind"}}),
    ({"document_ids": "s1;;press-1"}, {"document_ids": {"value_is_of_its_kind"}}),
    (
        {"document_ids": "s1; press-1"},
        {"document_ids": {"value_is_of_its_kind", "reference_exists"}},
    ),
    ({"document_ids": "s1,press-1"}, {"document_ids": {"reference_exists"}}),
    ({"document_ids": "s1;gone"}, {"document_ids": {"reference_exists"}}),
    ({"act_id": "gone"}, {"act_id": {"reference_exists"}}),
    ({"subject_id": "KCN-A"}, {"subject_id": {"reference_exists"}}),
    ({"note_vi": DECOMPOSED}, {"note_vi": {"text_is_nfc"}}),
    ({"note_vi": "Viá»‡t Nam"}, {"note_vi": {"text_is_clean"}}),
    ({"note_vi": "C\u00c3\u00b4ng"}, {"note_vi": {"text_is_clean"}}),
    ({"note_vi": "V\ufffdt"}, {"note_vi": {"text_is_clean"}}),
    ({"note_en": "a\u202eb"}, {"note_en": {"text_is_clean"}}),
    ({"note_en": "a\u200fb"}, {"note_en": {"text_is_clean"}}),
    ({"note_en": "a\u200bb"}, {"note_en": {"text_is_clean"}}),
    ({"note_en": "a\u2066b"}, {"note_en": {"text_is_clean"}}),
    ({"note_en": "a\x1bb"}, {"note_en": {"text_is_clean"}}),
    ({"note_en": "a\ufeffb"}, {"note_en": {"text_is_clean"}}),
    ({"note_en": "a\u2028b"}, {"note_en": {"text_is_clean"}}),
    ({"note_en": "a\x85b"}, {"note_en": {"text_is_clean"}}),
    # the last one, for its line break moves all that follow
    ({"phase": "Giai đoạn 1\n(2021 – 2025)\tm²"}, {}),
]
OTHER_CASES: dict[str, list[tuple[dict[str, str], dict[str, set[str]]]]] = {
    "documents": [
        ({"url": "http://a.example"}, {}),
        ({"url": "https://a.example/?q=1&b=%20#x"}, {}),
        ({"url": "javascript:alert(1)"}, {"url": {"value_is_of_its_kind"}}),
        ({"url": "https://"}, {"url": {"value_is_of_its_kind"}}),
        ({"url": "https://a.example/<script>"}, {"url": {"value_is_of_its_kind"}}),
        ({"url": 'https://a.example/"onclick='}, {"url": {"value_is_of_its_kind"}}),
        ({"url": "https://[::1/a"}, {"url": {"value_is_of_its_kind"}}),
        ({"url": "https:///a"}, {"url": {"value_is_of_its_kind"}}),
        ({"url": "https://a.example/a b"}, {"url": {"value_is_of_its_kind"}}),
        ({"is_linked": "yes"}, {"is_linked": {"value_is_of_its_kind"}}),
        ({"is_linked": "True"}, {"is_linked": {"value_is_of_its_kind"}}),
        ({"retrieved_on": ""}, {"retrieved_on": {"value_is_present"}}),
    ],
    "communes": [
        ({"code": "31366"}, {}),
        ({"code": "0931"}, {}),
        ({"code": "31 366"}, {"code": {"value_has_its_form"}}),
        ({"code": "٣١٣"}, {"code": {"value_has_its_form"}}),
        ({"code": "123456"}, {"code": {"value_has_its_form"}}),
        ({"longitude": "9.8"}, {"longitude": {"value_is_in_range"}}),
        ({"latitude": "105.5"}, {"latitude": {"value_is_in_range"}}),
        ({"valid_from": "2025-07-01", "valid_to": "2020"}, {"valid_from": {"dates_are_in_order"}}),
    ],
    "duties": [
        ({"duty_count": "0"}, {"duty_count": {"value_is_in_range"}}),
        ({"duty_count": "1.5"}, {"duty_count": {"value_is_of_its_kind"}}),
        ({"duty_count": "²"}, {"duty_count": {"value_is_of_its_kind"}}),
        ({"before_day": "15/11"}, {"before_day": {"value_has_its_form"}}),
        ({"before_day": "02-29"}, {"before_day": {"value_has_its_form"}}),
        ({"before_day": "11-31"}, {"before_day": {"value_has_its_form"}}),
        ({"before_day": "12-31"}, {}),
        ({"partner_ids": "so-a;so-a"}, {}),
        ({"unit_ids": "dist-1;com-1;old-1"}, {}),
    ],
    "places": [
        ({"plan_refs": "s1:III.5;s2:II.2.đ"}, {}),
        ({"plan_refs": "s1:III.5;s3:I"}, {"plan_refs": {"value_has_its_form"}}),
        ({"plan_refs": "s1"}, {"plan_refs": {"value_has_its_form"}}),
        ({"aliases": "A;;B"}, {"aliases": {"value_is_of_its_kind"}}),
        ({"inside_id": "gone"}, {"inside_id": {"reference_exists"}}),
    ],
    "positions": [
        ({"geometry": "POINT (105.5 9.8)"}, {}),
        ({"geometry": "105.5, 9.8"}, {"geometry": {"value_is_of_its_kind"}}),
        ({"geometry": "POINT EMPTY"}, {"geometry": {"value_is_of_its_kind"}}),
        ({"geometry": "POINT (9.8 105.5)"}, {"geometry": {"geometry_is_in_province"}}),
        ({"accuracy_m": "about 5"}, {"accuracy_m": {"value_is_of_its_kind"}}),
        ({"accuracy_m": "0"}, {"accuracy_m": {"value_is_in_range"}}),
        ({"method": "guessed"}, {"method": {"value_is_in_vocabulary"}}),
    ],
}
CASES = {"money_events": MONEY_CASES, **OTHER_CASES}


@pytest.mark.parametrize("table", CASES)
def test_each_fault_of_a_cell_is_found_by_its_rule_and_no_other(tree, table: str) -> None:
    sound = tree.tiny[table][-1]
    key = TABLE[table].key[0]
    own = {"communes": "code"}.get(table, key)
    rows = [
        sound | {own: f"9{n:03}", key: f"case-{n}"} | cells
        for n, (cells, _) in enumerate(CASES[table])
    ]
    tree.rows(table, tree.tiny[table] + rows)
    first = len(tree.tiny[table]) + 2
    seen: dict[int, dict[str, set[str]]] = {first + n: {} for n in range(len(rows))}
    for name, row, column, rule in found(tree.check(table)):
        assert name == table
        seen[row].setdefault(column, set()).add(rule)
    expected = {first + n: rules for n, (_, rules) in enumerate(CASES[table])}
    assert {n: case for n, case in seen.items() if case != expected[n]} == {}


def test_an_empty_optional_cell_is_nothing_to_find(tree) -> None:
    for table in TABLES:
        optional = {column.name: "" for column in table.columns if not column.required}
        tree.rows(table.name, [row | optional for row in tree.tiny[table.name]])
    assert found(tree.check()) == []


TEN_WAYS: list[tuple[dict[str, str], str, str]] = [
    ({"subject_id": "nowhere"}, "subject_id", "reference_exists"),
    ({"measure": "height_m"}, "measure", "reference_exists"),
    ({"value": "a lot"}, "value", "value_is_of_its_kind"),
    ({"value": "999999"}, "value", "value_is_in_range"),
    ({"unit": "m2"}, "unit", "unit_is_the_measures"),
    ({"as_of": ""}, "as_of", "value_is_present"),
    ({"as_of": "2023-02-30"}, "as_of", "value_is_of_its_kind"),
    ({"as_of": "2031"}, "as_of", "nothing_is_from_the_future"),
    ({"document_ids": "s1;hearsay"}, "document_ids", "reference_exists"),
    ({"confidence": "sure"}, "confidence", "value_is_in_vocabulary"),
]


def broken_in_ten_ways(tree) -> None:
    sound = tree.tiny["claims"]
    broken = [
        sound[0] | {"claim_id": f"broken-{n}", **cells} for n, (cells, *_) in enumerate(TEN_WAYS)
    ]
    tree.rows("claims", sound + broken)


def test_a_source_broken_in_ten_ways_reports_all_ten_at_once_each_with_its_row(tree) -> None:
    broken_in_ten_ways(tree)
    checked = tree.check("claims")
    assert found(checked) == [
        ("claims", row, column, rule) for row, (_, column, rule) in enumerate(TEN_WAYS, 4)
    ]
    assert [f.key for f in checked.findings] == [f"broken-{n}" for n in range(10)]
    assert all(f.severity == "row" and f.table == "claims" for f in checked.findings)
    assert all(f.detail for f in checked.findings)


def test_the_good_rows_of_a_broken_source_and_of_all_others_are_accepted(tree) -> None:
    before = accepted(tree.check("claims", "milestones"))
    broken_in_ten_ways(tree)
    assert accepted(tree.check("claims", "milestones")) == before


def test_a_broken_source_balances_in_its_ledger_each_row_under_one_reason(tree) -> None:
    broken_in_ten_ways(tree)
    ledger = {change.step: change for change in tree.check("claims").ledger}
    claims = ledger["check tiny_claims"]
    assert (claims.rows_in, claims.rows_out) == (12, 2)
    assert claims.dropped == {
        "nothing_is_from_the_future": 1,
        "reference_exists": 3,
        "unit_is_the_measures": 1,
        "value_is_in_range": 1,
        "value_is_in_vocabulary": 1,
        "value_is_of_its_kind": 2,
        "value_is_present": 1,
    }
    assert all(change.dropped == {} for change in ledger.values() if change is not claims)


def test_a_row_that_breaks_several_rules_is_told_of_all_and_dropped_once(tree) -> None:
    tree.set("money_events", 0, amount="-1", kind="gift", on="", subject_id="nowhere")
    checked = tree.check("money_events")
    assert [(column, rule) for _, _, column, rule in found(checked)] == [
        ("amount", "value_is_in_range"),
        ("kind", "value_is_in_vocabulary"),
        ("on", "value_is_present"),
        ("subject_id", "reference_exists"),
    ]
    change = next(c for c in checked.ledger if c.step == "check tiny_money_events")
    assert dict(change.dropped) == {"value_is_in_range": 1}


def test_quarantine_holds_every_refused_row_with_its_reasons_and_its_words(tree) -> None:
    tree.set("money_events", 0, amount="-1", note_vi="“Sở”, </script>\n\\")
    quarantine = pd.concat(tree.check("money_events").quarantine)
    assert list(quarantine.columns) == [*FINDING_COLUMNS, "content"]
    assert len(quarantine) == 1
    content = json.loads(quarantine["content"].item())
    assert content["amount"] == "-1"
    assert content["note_vi"] == "“Sở”, </script>\n\\"
    assert not {"note_en", "source_id", "line"} & set(content)
    assert "đồng" in quarantine["content"].item()


def test_a_row_of_two_keys_is_named_by_both(tree) -> None:
    tree.set("commune_crosswalk", 0, relation="half")
    assert [f.key for f in tree.check("commune_crosswalk").findings] == ["old-1/com-1"]


def test_a_detail_quotes_what_was_found_but_not_all_of_it(tree) -> None:
    tree.set("money_events", 0, amount="x" * 10_000)
    (finding,) = tree.check("money_events").findings
    assert len(finding.detail) < 200
    assert "needed an exact decimal number" in finding.detail


def test_what_points_to_a_refused_row_falls_with_it_until_nothing_more_falls(tree) -> None:
    tree.set("documents", 0, retrieved_on="never")
    checked = tree.check()
    fallen = {(name, row) for name, row, _, _ in found(checked)}
    # the act is known through the plan, the stage through the act
    assert {("documents", 2), ("documents", 3), ("stage_events", 2)} <= fallen
    # a place that also names the plan is refused, and all that is said about it
    assert {("places", 2), ("places", 3), ("claims", 2), ("money_events", 2)} <= fallen
    assert ("agencies", 2) not in fallen
    assert accepted(checked)["places"] == 0


def test_places_inside_each_other_in_a_ring_stand_or_fall_together(tree) -> None:
    a, b = tree.tiny["places"]
    tree.rows("places", [a | {"inside_id": "ccn-b"}, b | {"inside_id": "kcn-a"}])
    assert tree.check("places").findings == ()
    tree.rows("places", [a | {"inside_id": "ccn-b", "kind": "castle"}, b])
    assert accepted(tree.check("places"))["places"] == 0


def test_a_note_does_not_refuse_its_row(tree) -> None:
    tree.set("stage_events", 1, on="2019")
    checked = tree.check("stage_events")
    assert [(f.rule, f.severity) for f in checked.findings] == [("stage_does_not_go_back", "note")]
    assert accepted(checked)["stage_events"] == 2
    assert pd.concat(checked.quarantine).empty


def test_a_duplicate_key_refuses_the_source_and_both_rows(tree) -> None:
    row = tree.tiny["gaps"][0]
    tree.rows("gaps", [row, row | {"gap_id": "gap.2"}, row])
    checked = tree.check("gaps")
    assert found(checked) == [
        ("gaps", 2, "gap_id", "key_is_unique"),
        ("gaps", 4, "gap_id", "key_is_unique"),
    ]
    assert {f.severity for f in checked.findings} == {"source"}
    assert accepted(checked)["gaps"] == 1
    assert list(pd.concat(checked.quarantine)["row"]) == [2, 4]


def test_two_sources_of_one_table_are_stacked_and_keep_their_lines(tree) -> None:
    gaps = tree.sheet("gaps")
    other = tree.folder / "other_gaps"
    other.mkdir()
    for name in ("raw.csv", "source.toml"):
        (other / name).write_bytes(tree.raw("gaps").with_name(name).read_bytes())
    twin = tree.read(other)
    sheets = [tree.sheet(table) for table in tree.tiny]
    checked = check_sheets([*sheets, twin])
    assert [(f.source_id, f.row, f.rule) for f in checked.findings] == [
        ("other_gaps", 2, "key_is_unique"),
        ("tiny_gaps", 2, "key_is_unique"),
    ]
    assert gaps.rows.equals(twin.rows)


def test_a_column_that_is_gone_is_one_finding_and_not_one_for_every_row(tree) -> None:
    header, *rows = tree.raw("gaps").read_text(encoding="utf-8").splitlines()
    names = header.split(",")
    at = names.index("what_en")
    kept = [
        ",".join(c for n, c in enumerate(line.split(",")) if n != at) for line in [header, *rows]
    ]
    tree.write("gaps", "\n".join(kept).encode())
    assert found(tree.check("gaps")) == [("gaps", 1, "what_en", "column_is_present")]


def test_a_torn_row_is_refused_and_counted_though_its_cells_are_not_known(tree) -> None:
    tree.write("gaps", tree.raw("gaps").read_bytes() + b"gap.2,kcn-a\n")
    checked = tree.check("gaps")
    assert found(checked) == [("gaps", 3, "", "row_is_whole")]
    change = next(c for c in checked.ledger if c.step == "check tiny_gaps")
    assert (change.rows_in, change.rows_out, dict(change.dropped)) == (2, 1, {"row_is_whole": 1})
    assert list(pd.concat(checked.quarantine)["content"]) == [""]


def test_a_table_of_which_every_row_is_refused_is_empty_and_keeps_its_columns(tree) -> None:
    tree.rows("indicators", [row | {"value": "?"} for row in tree.tiny["indicators"]])
    checked = tree.check("targets")
    assert accepted(checked)["indicators"] == 0
    assert checked.tables["indicators"]["value"].dtype == "str"
    # the target that is compared with the series has lost it
    assert ("targets", 2, "series_id", "reference_exists") in found(checked)


def test_a_whole_file_that_is_gone_is_missed_by_all_that_point_to_it(tree) -> None:
    checked = check_sheets([tree.sheet(table) for table in tree.tiny if table != "agencies"])
    assert found(checked) == [
        ("duties", 2, "agency_ids", "reference_exists"),
        ("duty_reports", 2, "agency_id", "reference_exists"),
    ]
    assert "which no accepted row of agencies.agency_id holds" in checked.findings[0].detail


def test_the_order_of_the_sources_does_not_matter(tree) -> None:
    broken_in_ten_ways(tree)
    sheets = [tree.sheet(table) for table in ("claims", "measures", "places", "gaps")]
    one, other = check_sheets(sheets), check_sheets(sheets[::-1])
    assert one.findings == other.findings
    pd.testing.assert_frame_equal(pd.concat(one.quarantine), pd.concat(other.quarantine))
    for name, rows in one.tables.items():
        pd.testing.assert_frame_equal(rows, other.tables[name])


def test_checking_changes_no_cell(tree) -> None:
    sheets = [tree.sheet(table) for table in tree.tiny]
    before = [sheet.rows.copy() for sheet in sheets]
    check_sheets(sheets)
    for sheet, rows in zip(sheets, before, strict=True):
        pd.testing.assert_frame_equal(sheet.rows, rows)


@pytest.mark.parametrize("table", TABLES, ids=[t.name for t in TABLES])
def test_every_table_has_a_schema_of_all_its_columns(table) -> None:
    assert list(frame_schema(table).columns) == list(table.column_names)


CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
DAMAGE = st.dictionaries(
    st.sampled_from(["subject_id", "measure", "value", "unit", "as_of", "document_ids", "phase"]),
    st.one_of(CELLS, st.sampled_from(["", "NaN", "1e400", "2023-02-30", "-0", ";", "s1;", "40"])),
    max_size=3,
)


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(DAMAGE, min_size=1, max_size=6))
def test_whatever_is_damaged_each_row_is_accepted_or_in_quarantine_and_never_both(
    tree, damages: list[dict[str, str]]
) -> None:
    sound = tree.tiny["claims"][0]
    cleaned = [{k: v.replace("\x00", "?") for k, v in damage.items()} for damage in damages]
    tree.rows("claims", [sound | {"claim_id": f"c{n}", **cells} for n, cells in enumerate(cleaned)])
    checked = tree.check("claims")
    kept = set(checked.tables["claims"]["line"])
    refused = set(pd.concat(checked.quarantine)["row"])
    lines = set(tree.sheet("claims").rows.index)
    assert kept | refused == lines
    assert not kept & refused
    assert len(lines) == len(damages)


@given(st.lists(st.text(st.characters(exclude_characters=";"), min_size=1)))
def test_the_parts_of_a_list_are_what_was_joined(parts: list[str]) -> None:
    assert parts_of(";".join(parts)) == parts


@given(st.decimals(-(10**14), 10**14, places=9, allow_nan=False))
def test_every_amount_to_the_dong_is_a_number(amount: object) -> None:
    assert is_number(f"{amount:f}")
