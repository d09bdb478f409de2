import json
import unicodedata
from pathlib import Path

import geopandas as gpd
import pytest
from shapely import LineString, Point, box
from test_vectors import AS_LAYER, source

from geodata.corrections import correct_layer
from geodata.errors import SourceError
from geodata.features import CheckedLayer, check_layer
from geodata.read import Layer

WAY = LineString([(105.4, 9.7), (105.5, 9.8)])


def layer(*names: str, folder: Path = Path("layer"), **settings: object) -> Layer:
    """A layer of waterways, one for each name; their keys are a, b, c …"""
    told = {"osm_id": list("abcdefgh"[: len(names)]), "name": list(names)}
    features = gpd.GeoDataFrame(told, geometry=[WAY] * len(names), crs="EPSG:4326")
    of = {"key": "osm_id", "folder": folder, "columns": {}, **AS_LAYER, **settings}
    return Layer(source("geojson", **of), features)


def told(checked: CheckedLayer) -> list[tuple[str, int, str, str]]:
    return [(f.rule, f.row, f.key, f.severity) for f in checked.layer.findings]


def test_a_sound_layer_stays_as_it_is() -> None:
    checked = check_layer(layer("Kênh Xà No", ""))
    assert told(checked) == []
    assert list(checked.layer.features["name"]) == ["Kênh Xà No", ""]
    assert checked.quarantine.empty
    assert (checked.change.rows_in, checked.change.rows_out) == (2, 2)


HIDDEN = ["a\u202eb", "a\u200bb", "a\x00b", "a\x1bb", "xÃ£", "\ufeffa"]


@pytest.mark.parametrize("name", [*HIDDEN, unicodedata.normalize("NFD", "Xà No")])
def test_a_feature_whose_text_hides_something_is_left_out_and_told(name: str) -> None:
    checked = check_layer(layer("Kênh Xà No", name))
    rule = "text_is_nfc" if name.endswith("No") else "text_is_clean"
    assert told(checked) == [(rule, 3, "b", "row")]
    assert list(checked.layer.features["osm_id"]) == ["a"]
    assert checked.change.dropped == {rule: 1}
    assert json.loads(checked.quarantine.loc[0, "content"])["osm_id"] == "b"


def test_a_layer_of_which_nothing_is_left_is_refused() -> None:
    with pytest.raises(SourceError, match="no feature is left"):
        check_layer(layer("a\u202eb"))


@pytest.mark.parametrize(
    ("one", "other"), [("KCN-a", "kcn-A"), ("Đất", unicodedata.normalize("NFD", "đất")), ("a", "a")]
)
def test_keys_that_differ_only_by_case_or_unicode_form_are_noted(one: str, other: str) -> None:
    drawn = layer("x", "y", "z")
    drawn.features["osm_id"] = [one, "other", other]
    found = told(check_layer(drawn))
    assert ("key_is_unique", 2, one, "note") in found
    assert ("key_is_unique", 4, other, "note") in found
    assert not [f for f in found if f[1] == 3]


def test_a_layer_without_what_the_pages_need_is_refused() -> None:
    drawn = layer("x")
    bare = Layer(drawn.source, drawn.features.drop(columns="name"))
    with pytest.raises(SourceError, match="declare it under"):
        check_layer(bare)
    boundaries = layer("x", layer="commune_boundaries")
    with pytest.raises(SourceError, match="no feature has code"):
        check_layer(boundaries)


@pytest.mark.parametrize("shape", [Point(105, 9), box(105, 9, 106, 10)])
def test_a_layer_of_shapes_that_nobody_draws_is_refused(shape: object) -> None:
    drawn = layer("x", "y")
    drawn.features.geometry = [WAY, shape]
    with pytest.raises(SourceError) as caught:
        check_layer(drawn)
    assert caught.value.rule == "geometry_is_of_its_kind"


def corrections(folder: Path, **fields: str) -> None:
    fault = {"key": "b", "column": "name", "was": "Kenh", "now": "Kênh", "why": "a lost mark"}
    lines = [f"{name} = {json.dumps(value)}" for name, value in {**fault, **fields}.items()]
    text = "\n".join(["[[correction]]", *lines, ""])
    (folder / "corrections.toml").write_text(text, encoding="utf-8")


def test_a_declared_fault_of_a_feature_is_corrected_and_nothing_else_is(tmp_path: Path) -> None:
    drawn = layer("Kenh", "Kenh", folder=tmp_path)
    assert correct_layer(drawn) is drawn
    corrections(tmp_path)
    after = correct_layer(drawn)
    assert list(after.features["name"]) == ["Kenh", "Kênh"]
    assert after.features.geometry.equals(drawn.features.geometry)
    assert (after.features.crs, after.findings) == ("EPSG:4326", ())
    assert list(drawn.features["name"]) == ["Kenh", "Kenh"]


@pytest.mark.parametrize("fields", [{"was": "Kênh"}, {"key": "gone"}, {"key": ""}])
def test_a_correction_that_finds_no_fault_in_a_layer_refuses_it(
    tmp_path: Path, fields: dict[str, str]
) -> None:
    corrections(tmp_path, **fields)
    (found,) = correct_layer(layer("Kenh", "Kenh", folder=tmp_path)).findings
    assert (found.rule, found.severity, found.table) == (
        "correction_is_needed",
        "source",
        "waterways",
    )


@pytest.mark.parametrize("column", ["colour", "geometry", ""])
def test_a_correction_of_what_the_layer_does_not_hold_is_refused(
    tmp_path: Path, column: str
) -> None:
    corrections(tmp_path, column=column)
    with pytest.raises(SourceError, match="name no column"):
        correct_layer(layer("a", "Kenh", folder=tmp_path))


def test_corrections_of_a_layer_without_its_key_are_refused(tmp_path: Path) -> None:
    corrections(tmp_path)
    with pytest.raises(SourceError, match="which the layer does not hold"):
        correct_layer(layer("a", "Kenh", folder=tmp_path, key="unit_id"))
