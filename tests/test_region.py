import tomllib
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from atlas.words import WordsError, read_words
from builds import PROJECT
from geodata.region import REGION, RegionError, Zone, here, read_region, within, zone_of
from geodata.schema import TABLE
from regions import TOLD, plant, region_toml

WORDS = PROJECT / "site" / "words"


def write(folder: Path, text: str) -> Path:
    (folder / "data").mkdir(exist_ok=True)
    (folder / "region.toml").write_text(text, encoding="utf-8")
    return folder


def test_a_region_is_read_from_its_folder_or_its_file(tmp_path: Path) -> None:
    folder = write(tmp_path, region_toml())
    region = read_region(folder)
    assert region == read_region(folder / "region.toml")
    assert (region.region_id, region.sources_folder) == ("quang-hai", folder / "data")
    assert region.forms("vi")["unit"] == "thành phố Quảng Hải"
    assert region.forms("en")["unit"] == "Quảng Hải city"


def test_the_projects_own_region_says_no_more_than_its_file() -> None:
    told = tomllib.loads(REGION.read_text(encoding="utf-8"))
    region = read_region(REGION)
    assert region.name_vi == told["name_vi"]
    assert region.sources_folder == PROJECT / "geodata" / "sources"
    assert here() == region


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name_vi": "Quảng\u202e Hải"}, r"name_vi: .*no control mark"),
        ({"name_en": "Quảng\nHải"}, r"name_en: .*no control mark"),
        ({"name_vi": "Quảng {date}"}, r"name_vi: .*brace"),
        ({"area_en": "<b>Quảng Hải</b>"}, r"area_en: .*angle bracket"),
        ({"name_vi": " Quảng Hải"}, r"name_vi: .*without spaces around it"),
        ({"name_vi": "Qua\u0309ng Hải"}, r"name_vi: .*Unicode NFC"),
        ({"name_vi": ""}, r"name_vi: .*at least 1"),
        ({"name_vi": "Q" * 81}, r"name_vi: .*at most 80"),
        ({"name_vi": None}, r"name_vi: Field required"),
        ({"region_id": "../quang-hai"}, r"region_id: .*pattern"),
        ({"nmae": "x"}, r"nmae: Extra inputs are not permitted"),
        ({"bounds": [108.6, 15.4, 107.5, 16.3]}, r"bounds: .*west, south, east, north"),
        ({"bounds": [107.5, 15.4, 108.6, 91.0]}, r"bounds: .*west, south, east, north"),
        ({"bounds": [107.5, 15.4, 108.6]}, r"bounds"),
        ({"bounds": [float("nan"), 15.4, 108.6, 16.3]}, r"bounds"),
        ({"crs": "EPSG:4326"}, r"crs: EPSG:4326 \(WGS 84\) is not projected in metres"),
        ({"crs": "EPSG:3857"}, r"crs: EPSG:3857 .* is no zone of 3° or 6°"),
        ({"crs": "EPSG:5897"}, r"crs: EPSG:5897 .*the bounds are .*name the zone that holds them"),
        ({"crs": "EPSG:999999"}, r"crs: found 'EPSG:999999'; name a system as"),
        ({"crs": "+proj=utm +zone=49"}, r"crs: found '\+proj=utm"),
        ({"time_zone": "Asia/Atlantis"}, r"time_zone: .*IANA"),
        ({"time_zone": "../../etc/passwd"}, r"time_zone: .*IANA"),
        ({"time_zone": ""}, r"time_zone: .*IANA"),
        ({"languages": ["vi"]}, r"languages: .*write vi and en"),
        ({"languages": ["vi", "vi"]}, r"languages: .*each once"),
        ({"languages": ["vi", "fr"]}, r"languages"),
        ({"years": [2035, 2024]}, r"years: .*the first and the last year"),
        ({"money_units": []}, r"money_units: .*at least one"),
        ({"sources": "../elsewhere"}, r"sources: '../elsewhere' lies outside the region's folder"),
        ({"sources": "/"}, r"sources: '/' lies outside the region's folder"),
        ({"sources": "nowhere"}, r"there is no folder 'nowhere'"),
        ({"vocabulary": {"vi": {"site.name": ""}}}, r"site\.name: write a text"),
        ({"vocabulary": {"vi": {"site.name": "a\u202eb"}}}, r"site\.name: .*no control mark"),
        ({"vocabulary": {"fr": {"site.name": "a"}}}, r"vocabulary\.fr: Extra inputs"),
    ],
)
def test_what_no_region_can_be_is_refused_with_what_was_found_and_needed(
    tmp_path: Path, changed: dict[str, object], said: str
) -> None:
    with pytest.raises(RegionError, match=said) as refused:
        read_region(write(tmp_path, region_toml(**changed)))
    assert str(tmp_path / "region.toml") in str(refused.value)
    assert "docs/regions.md" in str(refused.value)


def test_sources_that_a_link_leads_elsewhere_are_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "data").symlink_to(tmp_path / "elsewhere")
    (folder / "region.toml").write_text(region_toml(), encoding="utf-8")
    with pytest.raises(RegionError, match="lies outside the region's folder"):
        read_region(folder)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"name_vi = ", "docs/regions.md"), (b"\xff", "docs/regions.md"), (None, "cannot be read")],
)
def test_a_file_that_cannot_be_read_is_refused(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / "region.toml").write_bytes(content)
    with pytest.raises(RegionError, match=said):
        read_region(tmp_path)


@pytest.mark.parametrize(
    ("crs", "bounds", "zone", "middle"),
    [
        ("EPSG:5897", (105.3, 9.5, 105.9, 10.0), Zone("VN-2000", 3, 105.0), "105°"),
        ("EPSG:5899", (107.5, 15.4, 108.6, 16.3), Zone("VN-2000", 3, 107.75), "107°45′"),
        ("EPSG:9209", (105.3, 20.5, 106.0, 21.4), Zone("VN-2000", 3, 105.5), "105°30′"),
        ("EPSG:3406", (108.1, 15.4, 108.6, 16.3), Zone("VN-2000", 6, 111.0), "111°"),
        ("EPSG:32649", (108.1, 15.4, 108.6, 16.3), Zone("UTM", 6, 111.0), "111°"),
    ],
)
def test_a_zone_is_called_as_surveyors_call_it(
    crs: str, bounds: tuple[float, float, float, float], zone: Zone, middle: str
) -> None:
    found = zone_of(crs, bounds)
    assert (found, found.middle) == (zone, middle)


def test_a_region_holds_within_its_block_and_no_longer(tmp_path: Path) -> None:
    region, ours = read_region(plant(tmp_path)), here()
    with within(region):
        assert here() == region
        with within(ours):
            assert here() == ours
        assert here() == region
    assert here() == ours


def test_a_day_begins_by_the_regions_clock(tmp_path: Path) -> None:
    region = read_region(write(tmp_path, region_toml()))
    assert region.midnight(date(2026, 1, 5)).isoformat() == "2026-01-05T00:00:00+08:00"


def test_the_region_sets_the_limits_of_a_column_and_of_no_other(tmp_path: Path) -> None:
    region = read_region(write(tmp_path, region_toml()))
    longitude, reach = (TABLE["communes"].column(name) for name in ("longitude", "reach_m"))
    assert region.local(longitude) == replace(longitude, minimum=107.5, maximum=108.6)
    assert region.local(reach) == reach
    unit = TABLE["money_events"].column("unit")
    assert region.local(unit).enum == ("tỷ đồng", "triệu USD")


def test_the_words_are_said_as_the_region_says_them(tmp_path: Path) -> None:
    with within(read_region(plant(tmp_path))):
        words = read_words(WORDS)
    assert words["vi"]("site.name") == "Tập bản đồ công nghiệp và logistics Quảng Hải"
    assert words["en"]("plan.s1") == "Quảng Hải industrial plan 2026-2030"
    told = words["vi"]("browse.point_vn", north="1", east="2")
    assert told == (
        "VN-2000, múi 3°, kinh tuyến trục 107°45′ (EPSG:5899): X (bắc) 1 m, Y (đông) 2 m"
    )
    assert [key for key, text in words["en"].texts.items() if "{region." in text] == []


@pytest.mark.parametrize(
    ("vocabulary", "said"),
    [
        ({"vi": {"site.nmae": "a"}, "en": {"site.nmae": "a"}}, "site.nmae of vi is no key"),
        ({"vi": {"footer.as_of": "a"}}, "footer.as_of of vi has other fields"),
        ({"vi": {"footer.as_of": "a {date.__class__}"}}, "footer.as_of of vi has other fields"),
        ({"vi": {"footer.as_of": "a {"}}, "footer.as_of of vi has other fields"),
        ({"vi": {"plan.s1": "a"}}, "plan.s1 is missing in en"),
        ({"vi": {"site.name": "{region.colour}"}}, "region.colour is no form"),
    ],
)
def test_a_vocabulary_that_the_site_cannot_say_is_refused(
    tmp_path: Path, vocabulary: object, said: str
) -> None:
    with (
        within(read_region(write(tmp_path, region_toml(vocabulary)))),
        pytest.raises(WordsError, match=said),
    ):
        read_words(WORDS)


def test_no_code_and_no_word_of_the_site_names_the_projects_own_region() -> None:
    own = read_region(REGION)
    names = {own.name_vi, own.region_id, own.crs, own.time_zone}
    examples = {"geodata/region.py", "geodata/sandbox.py"}
    kinds = {".py", ".toml", ".j2", ".js", ".css"}
    found = {}
    for top in ("geodata", "atlas", "flows", "site"):
        for path in sorted((PROJECT / top).rglob("*")):
            name = path.relative_to(PROJECT).as_posix()
            if path.suffix in kinds and not {"sources", "node_modules"} & set(path.parts):
                text = path.read_text(encoding="utf-8")
                found |= {name: said} if (said := {n for n in names if n in text}) else {}
    assert found.keys() - {"geodata/region.toml"} <= examples


def test_the_made_up_region_shares_nothing_with_the_projects_own() -> None:
    own = tomllib.loads(REGION.read_text(encoding="utf-8"))
    ranked = {"rank_en", "rank_vi", "money_units"}
    assert {name for name in TOLD if TOLD[name] == own[name]} <= ranked
