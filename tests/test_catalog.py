from datetime import date
from pathlib import Path

import pytest

from geodata.catalog import RemoteFile, Source, load_catalog, read_source
from geodata.errors import SourceError

SHA = "0" * 64
TABLE_TOML = f"""\
title_vi = "Bảng"
title_en = "Table"
publisher = "Sở A"
licence = "CC0-1.0"
kind = "file"
table = "places"
format = "csv"
as_of = 2025-12-31
retrieved_on = 2026-01-05
file = "raw.csv"
sha256 = "{SHA}"
key = "place_id"
"""
LAYER_TOML = """\
title_vi = "Ranh giới"
title_en = "Boundaries"
publisher = "Sở A"
licence = "MIT"
kind = "url"
layer = "commune_boundaries"
format = "geojson"
crs = "EPSG:4326"
as_of = 2025-12-31
retrieved_on = 2026-01-05
key = "unit_id"

[[files]]
url = "https://maps.example/a.geojson"
"""
OVERPASS_TOML = """\
title_vi = "Kênh"
title_en = "Canals"
publisher = "OpenStreetMap contributors"
licence = "ODbL-1.0"
kind = "overpass"
layer = "waterways"
format = "overpass"
crs = "EPSG:4326"
as_of = 2025-12-31
retrieved_on = 2026-01-05
key = "osm_id"
endpoint = "https://overpass.example/api"
query_name = "canals"
query = "way;out geom;"
"""


def write(folder: Path, text: str, name: str = "sheet_a") -> Path:
    (folder / name).mkdir()
    (folder / name / "source.toml").write_text(text, encoding="utf-8")
    return folder / name


def refusal(folder: Path) -> str:
    with pytest.raises(SourceError) as caught:
        read_source(folder)
    assert caught.value.rule == "source_is_described"
    assert caught.value.source_id == folder.name
    return caught.value.message


def test_a_source_folder_is_one_object(tmp_path: Path) -> None:
    folder = write(tmp_path, TABLE_TOML + '[columns]\n"MA" = "place_id"\n')
    source = read_source(folder)
    assert source.source_id == "sheet_a"
    assert source.as_of == date(2025, 12, 31)
    assert source.columns == {"MA": "place_id"}
    assert source.path == folder / "raw.csv"
    assert source.corrections == folder / "corrections.toml"


def test_layers_come_from_addresses_and_from_overpass(tmp_path: Path) -> None:
    layer = read_source(write(tmp_path, LAYER_TOML))
    (file,) = layer.files
    assert file.url == "https://maps.example/a.geojson"
    assert (file.sha256, file.bytes, layer.optional) == ("", 20_000_000, False)
    assert read_source(write(tmp_path, OVERPASS_TOML, "canals")).query == "way;out geom;"


@pytest.mark.parametrize(
    ("said", "instead", "told"),
    [
        ('table = "places"\n', "", "exactly one of table and layer"),
        ('table = "places"', 'table = "places"\nlayer = "waterways"', "exactly one of table"),
        ('table = "places"', 'table = "castles"', "'castles' is not in geodata/schema.py"),
        ('kind = "file"', 'kind = "carrier pigeon"', "kind"),
        ('format = "csv"', 'format = "overpass"', "a table is read from csv"),
        ('format = "csv"', 'format = "overpass"', "go together"),
        ('format = "csv"', 'format = "xls"', "format"),
        ('format = "csv"', 'format = "xlsx"', "needs the sheet's name as part"),
        ('file = "raw.csv"\n', "", "kind file needs its file settings"),
        ('file = "raw.csv"', 'file = "../other/raw.csv"', "file"),
        ('file = "raw.csv"', 'file = "/etc/hostname"', "file"),
        ('file = "raw.csv"', 'file = "raw\\u0000.csv"', "file"),
        (f'sha256 = "{SHA}"\n', "", "needs its sha256"),
        (f'sha256 = "{SHA}"', 'sha256 = "abc"', "sha256"),
        (f'sha256 = "{SHA}"', f'sha256 = "{SHA.replace("0", "A")}"', "sha256"),
        ('key = "place_id"', 'key = "name_vi"', "the key of places is place_id"),
        ('key = "place_id"', "key = 5", "key"),
        ('licence = "CC0-1.0"\n', "", "licence"),
        ("as_of = 2025-12-31\n", "", "as_of"),
        ("as_of = 2025-12-31", 'as_of = "lately"', "as_of"),
        ("as_of = 2025-12-31", "as_of = 2023-02-30", "source.toml: "),
        ("retrieved_on = 2026-01-05\n", "", "retrieved_on"),
        ('publisher = "Sở A"', 'publisher = "Sở A"\ncolour = "red"', "colour"),
        ('publisher = "Sở A"', 'publisher = "Sở A"\nsource_id = "other"', "source_id"),
        ('publisher = "Sở A"', 'publisher = "Sở A"\nencoding = "cp1258"', "encoding"),
        ('publisher = "Sở A"', 'publisher = "Sở A', "source.toml: "),
        ('publisher = "Sở A"', "publisher = [1e400]", "publisher"),
    ],
)
def test_a_table_that_is_wrongly_described_is_refused(
    tmp_path: Path, said: str, instead: str, told: str
) -> None:
    assert said in TABLE_TOML
    assert told in refusal(write(tmp_path, TABLE_TOML.replace(said, instead)))


@pytest.mark.parametrize(
    ("said", "instead", "told"),
    [
        ('layer = "commune_boundaries"', 'layer = "dragons"', "is none of"),
        ('[[files]]\nurl = "https://maps.example/a.geojson"\n', "", "url settings"),
        ("https://maps.example/a.geojson", "file:///etc/hostname", "files.0.url"),
        ("https://maps.example/a.geojson", "https://", "files.0.url"),
        ("https://maps.example/a.geojson", "https://maps.example/a b", "files.0.url"),
        ("https://maps.example/a.geojson", "https://maps.example/a\\u0000", "files.0.url"),
        ("https://maps.example/a.geojson", "https://bản-đồ.example/", "files.0.url"),
        ("https://maps.example/a.geojson", "https://maps.example:99999/", "files.0.url"),
        ("https://maps.example/a.geojson", "https://[::1/a", "files.0.url"),
        ("https://maps.example/a.geojson", "https://an:pw@maps.example/a", "no user name"),
        ("https://maps.example/a.geojson", "https://an@maps.example/a", "no user name"),
        ("key = ", 'allowed_networks = ["intranet"]\nkey = ', "allowed_networks"),
        ("key = ", 'allowed_networks = ["10.0.0.1/8"]\nkey = ', "allowed_networks"),
        ('a.geojson"', 'a.geojson"\nseconds = 0', "files.0.seconds"),
        ('a.geojson"', 'a.geojson"\nbytes = 0', "files.0.bytes"),
        ('a.geojson"', 'a.geojson"\nbytes = "many"', "files.0.bytes"),
        ('a.geojson"', 'a.geojson"\nsha256 = "12"', "files.0.sha256"),
        ('a.geojson"', 'a.geojson"\nname = "a"', "files.0.name"),
    ],
)
def test_a_layer_that_is_wrongly_described_is_refused(
    tmp_path: Path, said: str, instead: str, told: str
) -> None:
    assert said in LAYER_TOML
    assert told in refusal(write(tmp_path, LAYER_TOML.replace(said, instead)))


@pytest.mark.parametrize(
    ("said", "instead", "told"),
    [
        ('query_name = "canals"', 'query_name = "../../etc/hostname"', "query_name"),
        ('query_name = "canals"\n', "", "overpass settings"),
        ('query = "way;out geom;"\n', "", "overpass settings"),
        ('endpoint = "https://overpass.example/api"', 'endpoint = "not one"', "endpoint"),
        ('endpoint = "https://overpass.example/api"\n', "", "overpass settings"),
        ('endpoint = "https://overpass.example/api"', 'endpoint = ""', "overpass settings"),
        ('format = "overpass"', 'format = "geojson"', "go together"),
    ],
)
def test_a_query_that_is_wrongly_described_is_refused(
    tmp_path: Path, said: str, instead: str, told: str
) -> None:
    assert said in OVERPASS_TOML
    assert told in refusal(write(tmp_path, OVERPASS_TOML.replace(said, instead)))


def test_all_faults_of_a_description_are_told_at_once(tmp_path: Path) -> None:
    text = TABLE_TOML.replace('"places"', '"castles"').replace(f'sha256 = "{SHA}"\n', "")
    told = refusal(write(tmp_path, text))
    assert "castles" in told
    assert "sha256" in told
    wrong_types = TABLE_TOML.replace('title_vi = "Bảng"', "title_vi = 1").replace("CC0", "C\\u00e9")
    assert "title_vi" in refusal(write(tmp_path, wrong_types, "other"))


def test_a_table_may_come_from_one_address_pinned_or_not(tmp_path: Path) -> None:
    text = TABLE_TOML.replace('kind = "file"', 'kind = "url"')
    file = f'[[files]]\nurl = "http://a.example:8080/1.csv?x=1"\nsha256 = "{SHA}"\nbytes = 1\n'
    source = read_source(write(tmp_path, text + file))
    assert source.files == (RemoteFile(url="http://a.example:8080/1.csv?x=1", sha256=SHA, bytes=1),)


def test_a_table_from_two_files_would_lose_one_and_is_refused(tmp_path: Path) -> None:
    text = TABLE_TOML.replace('kind = "file"', 'kind = "url"')
    files = '[[files]]\nurl = "https://a.example/1.csv"\n[[files]]\nurl = "https://a.example/2.csv"'
    assert "a table is read from one file" in refusal(write(tmp_path, text + files))


def test_a_description_in_another_encoding_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path, "")
    (folder / "source.toml").write_bytes(TABLE_TOML.encode("utf-16"))
    assert "source.toml: " in refusal(folder)


@pytest.mark.parametrize("text", ["", "\ufeff" + TABLE_TOML, "\x00", "[", "= 1"])
def test_a_description_that_is_no_toml_is_refused(tmp_path: Path, text: str) -> None:
    assert "source.toml: " in refusal(write(tmp_path, text))


def test_a_folder_without_a_readable_description_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    assert "write one or remove the folder" in refusal(tmp_path / "bare")
    (tmp_path / "odd" / "source.toml").mkdir(parents=True)
    assert "write one or remove the folder" in refusal(tmp_path / "odd")


@pytest.mark.parametrize("name", ["Sheet", "sheet-a", "bảng", "a__b", "a_", "a b", "1.0"])
def test_a_folder_whose_name_is_no_source_id_is_refused(tmp_path: Path, name: str) -> None:
    assert "is not a source id" in refusal(write(tmp_path, TABLE_TOML, name))


def test_one_sick_source_does_not_stop_the_others(tmp_path: Path) -> None:
    write(tmp_path, TABLE_TOML, "whole")
    write(tmp_path, "kind =", "torn")
    write(tmp_path, TABLE_TOML, "Wrong")
    write(tmp_path, TABLE_TOML, ".hidden")
    write(tmp_path, TABLE_TOML, "__pycache__")
    (tmp_path / "notes.txt").write_text("not a source", encoding="utf-8")
    catalog, findings = load_catalog(tmp_path)
    assert list(catalog) == ["whole"]
    assert [(f.source_id, f.rule, f.severity) for f in findings] == [
        ("Wrong", "source_is_described", "source"),
        ("torn", "source_is_described", "source"),
    ]


def test_the_catalogue_comes_in_the_order_of_ids(tmp_path: Path) -> None:
    for name in ("b", "a_b", "a", "c1"):
        write(tmp_path, TABLE_TOML, name)
    catalog, findings = load_catalog(tmp_path)
    assert list(catalog) == ["a", "a_b", "b", "c1"]
    assert findings == []


def test_no_folders_are_no_sources(tmp_path: Path) -> None:
    assert load_catalog(tmp_path) == ({}, [])


def test_a_source_cannot_be_changed_after_it_was_read(tmp_path: Path) -> None:
    source = read_source(write(tmp_path, TABLE_TOML))
    with pytest.raises(ValueError, match="frozen"):
        source.title_en = "Other"  # type: ignore[misc]
    assert isinstance(source, Source)


def test_the_source_that_the_readme_shows_is_one(tmp_path: Path) -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    shown = readme.partition("```toml\n")[2].partition("```")[0]
    common = [line for line in OVERPASS_TOML.splitlines() if line.split(" ")[0] in COMMON]
    source = read_source(write(tmp_path, "\n".join([*common, shown]), "features"))
    assert (source.kind, source.layer, source.optional) == ("overpass", "osm_features", True)


COMMON = ("title_vi", "title_en", "publisher", "licence", "as_of", "retrieved_on")
