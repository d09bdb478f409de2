import json

import pytest

from geodata.corrections import apply_corrections
from geodata.errors import SourceError
from geodata.findings import Finding


def correction(**told: object) -> str:
    fault = {
        "key": "kcn-a.area-ha.1",
        "column": "value",
        "was": "100.5",
        "now": "1005",
        "why": "a digit lost in the table; the text of the same document says 1005",
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in {**fault, **told}.items()]
    return "\n".join(["[[correction]]", *lines, ""])


def refusal(tree, text: str) -> str:
    tree.correct("claims", text)
    with pytest.raises(SourceError) as caught:
        tree.sheet("claims")
    assert caught.value.rule == "corrections_are_described"
    assert caught.value.source_id == "tiny_claims"
    return caught.value.message


def not_needed(sheet) -> list[tuple[str, str]]:
    found: tuple[Finding, ...] = sheet.findings
    assert all((f.row, f.severity, f.table) == (0, "source", sheet.source.table) for f in found)
    return [(f.rule, f.key) for f in found]


def test_a_declared_fault_is_corrected_and_nothing_else_is(tree) -> None:
    before = tree.sheet("claims").rows
    tree.correct("claims", correction())
    after = tree.sheet("claims")
    assert after.findings == ()
    assert after.rows.loc[2, "value"] == "1005"
    changed = (before != after.rows).to_numpy()
    assert changed.sum() == 1
    assert tree.raw("claims").read_text(encoding="utf-8").count("1005") == 0


def test_a_source_without_corrections_is_the_same_sheet(tree) -> None:
    sheet = tree.sheet("claims")
    assert apply_corrections(sheet) is sheet


def test_an_empty_declaration_corrects_nothing(tree) -> None:
    before = tree.sheet("claims").rows
    tree.correct("claims", "")
    assert tree.sheet("claims").rows.equals(before)


@pytest.mark.parametrize(
    "told",
    [
        {"was": "100.50"},
        {"was": "1005"},
        {"was": " 100.5"},
        {"was": ""},
        {"key": "kcn-a.area-ha.2"},
        {"key": ""},
        {"column": "value_en"},
    ],
)
def test_a_correction_that_finds_no_fault_is_no_longer_needed(tree, told: dict[str, str]) -> None:
    tree.correct("claims", correction(**told))
    sheet = tree.sheet("claims")
    key = told.get("key", "kcn-a.area-ha.1")
    assert not_needed(sheet) == [("correction_is_needed", key)]
    assert "remove or renew the correction" in sheet.findings[0].detail
    assert list(sheet.rows["value"]) == ["100.5", "40"]


def test_every_correction_that_is_not_needed_is_told_and_the_others_are_made(tree) -> None:
    text = correction(was="x") + correction(key="gone") + correction()
    tree.correct("claims", text)
    sheet = tree.sheet("claims")
    assert not_needed(sheet) == [
        ("correction_is_needed", "kcn-a.area-ha.1"),
        ("correction_is_needed", "gone"),
    ]
    assert sheet.rows.loc[2, "value"] == "1005"


def test_a_missing_value_can_be_filled_in(tree) -> None:
    tree.correct("claims", correction(column="note_en", was="", now="Read from the map."))
    assert tree.sheet("claims").rows.loc[2, "note_en"] == "Read from the map."


def test_the_findings_of_the_file_itself_are_kept(tree) -> None:
    content = tree.raw("claims").read_bytes() + b"torn\n"
    tree.write("claims", content)
    tree.correct("claims", correction(key="gone"))
    assert [f.rule for f in tree.sheet("claims").findings] == [
        "row_is_whole",
        "correction_is_needed",
    ]


def test_a_row_of_two_keys_is_named_by_both(tree) -> None:
    told = {"column": "relation", "was": "whole", "now": "part"}
    tree.correct("commune_crosswalk", correction(key="old-1/com-1", **told))
    sheet = tree.sheet("commune_crosswalk")
    assert (sheet.findings, list(sheet.rows["relation"])) == ((), ["part"])
    tree.correct("commune_crosswalk", correction(key="old-1", **told))
    assert not_needed(tree.sheet("commune_crosswalk")) == [("correction_is_needed", "old-1")]


def test_a_sheet_without_one_whole_row_is_still_corrected_without_a_crash(tree) -> None:
    tree.write("claims", tree.raw("claims").read_bytes().split(b"\n")[0] + b"\ntorn\n")
    tree.correct("claims", correction())
    assert [f.rule for f in tree.sheet("claims").findings][-1] == "correction_is_needed"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (correction(column="colour"), "corrections name no column: ['colour']"),
        (correction(column=""), "corrections name no column"),
        (correction(was=100.5), "was"),
        (correction(now=True), "now"),
        (correction(reason="none"), "reason"),
        (correction().replace('why = "', 'because = "'), "why"),
        (correction().replace("[[correction]]", "[[corrections]]"), "corrections"),
        ("correction = 5\n", "correction"),
        ("[[correction]]\n", "key"),
        ("correction = [", "Invalid"),
        ("\x00", "line"),
    ],
)
def test_a_declaration_that_cannot_be_followed_is_refused(tree, text: str, told: str) -> None:
    assert told in refusal(tree, text)


def test_a_declaration_in_another_encoding_is_refused(tree) -> None:
    path = tree.raw("claims").with_name("corrections.toml")
    path.write_bytes("[[correction]]\nkey = 'xã'\n".encode("cp1252"))
    with pytest.raises(SourceError, match="utf-8"):
        tree.sheet("claims")
