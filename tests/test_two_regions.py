"""Two regions from one code: each in its own zone and words, neither touching the other."""

import csv
import hashlib
import json
import re
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pyproj
import pytest
import shapely

from atlas.editions import read_manifest
from builds import digests, run_atlas
from flows.due import next_due
from flows.order import Order
from geodata.region import here
from regions import CRS, EAST, WEST, Twins, region_toml, two_regions

OWN = "Hậu Giang"
TRACES = (
    *("Hậu Giang", "hau-giang", "Hau Giang", "Cần Thơ"),
    *("EPSG:5897", "Asia/Ho_Chi_Minh", "+07:00", "giờ Việt Nam", "Vietnam time"),
)


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    """Build the project's own tiny region, then the made-up one."""
    made = two_regions(tmp_path_factory.mktemp("twins"))
    made.own.run()
    made.other.run()
    return made


def text_of(path: Path) -> str:
    tags = re.sub(r"<[^>]+>", " ", path.read_text(encoding="utf-8"))
    return re.sub(r"\s+", " ", tags.replace("\u00a0", " "))


def contents(path: Path) -> list[bytes]:
    """Return what a file holds, and what is in it where it is a zip."""
    if not zipfile.is_zipfile(path):
        return [path.read_bytes()]
    with zipfile.ZipFile(path) as inner:
        return [text for name in inner.namelist() for text in (name.encode(), inner.read(name))]


def geodesic_km(one: tuple[float, float], other: tuple[float, float]) -> float:
    _, _, metres = pyproj.Geod(ellps="WGS84").inv(*one, *other)
    return float(metres) / 1000


def flat(at: tuple[float, float], crs: str = CRS) -> tuple[float, float]:
    return pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(*at)


def test_both_editions_are_sound_and_stand_on_their_own_region(twins: Twins) -> None:
    manifests = [read_manifest(nights.current) for nights in (twins.own, twins.other)]
    assert [m["as_of"] for m in manifests] == ["2026-01-05"] * 2
    assert manifests[0]["key"] != manifests[1]["key"]
    assert here().name_vi == OWN


def test_a_route_is_as_long_as_in_its_own_zone(twins: Twins) -> None:
    told = json.loads((twins.other.current / "data/routes/road-a.json").read_text("utf-8"))
    expected = shapely.LineString([flat(WEST), flat(EAST)]).length / 1000
    assert told["length_km"] == round(expected, 1)
    assert told["length_km"] == pytest.approx(geodesic_km(WEST, EAST), abs=0.06)
    foreign = shapely.LineString([flat(WEST, "EPSG:5897"), flat(EAST, "EPSG:5897")]).length
    assert told["length_km"] != round(foreign / 1000, 1)


def test_a_distance_is_measured_in_its_own_zone(twins: Twins) -> None:
    told = json.loads((twins.other.current / "data/places/kcn-a.json").read_text("utf-8"))
    (near,) = [item for item in told["access"] if item["subject_id"] == "road-a"]
    assert near["distance_km"] == pytest.approx(geodesic_km(WEST, (WEST[0], WEST[1] + 0.01)), 0.02)


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_a_sheet_tells_the_coordinates_of_its_own_zone(twins: Twins, lang: str) -> None:
    page = text_of(twins.other.current / lang / "routes" / "road-a" / "index.html")
    x, y = flat(WEST)
    north, east = (f"{round(value):,}" for value in (y, x))
    if lang == "vi":
        north, east = north.replace(",", "."), east.replace(",", ".")
    assert north in page
    assert east in page
    assert "107°45′ (EPSG:5899)" in page


def test_the_map_reads_coordinates_of_its_own_zone(twins: Twins) -> None:
    (script,) = twins.other.current.glob("assets/find-en-*.js")
    found = re.search(r'"grid":\{"centre":\[(\d+),(\d+)\]', script.read_text("utf-8"))
    assert found
    middle = flat(((WEST[0] + EAST[0]) / 2, WEST[1]))
    assert [int(found[1]), int(found[2])] == pytest.approx(middle, abs=2_000)


def test_its_site_names_itself_and_not_the_other(twins: Twins) -> None:
    public = twins.other.current
    assert "Quảng Hải industry and logistics atlas" in text_of(public / "en" / "index.html")
    assert "Tập bản đồ công nghiệp và logistics Quảng Hải" in text_of(public / "vi" / "index.html")
    assert "Kế hoạch công nghiệp Quảng Hải 2026-2030" in text_of(
        public / "vi" / "programme" / "index.html"
    )
    names = {path.name for path in (public / "data").iterdir()}
    assert {f"quang-hai-atlas.{ending}" for ending in ("xlsx", "gpkg", "zip")} <= names
    chooser = (public / "index.html").read_text("utf-8")
    assert '<html lang="en">' in chooser
    assert chooser.index("en/index.html") < chooser.index("vi/index.html")


def test_nothing_in_its_site_is_the_other_regions(twins: Twins) -> None:
    found = {}
    for path in sorted(twins.other.current.rglob("*")):
        if path.is_file() and not path.is_symlink():
            texts = [path.name.encode(), *contents(path)]
            said = [t for t in TRACES if any(t.encode() in text for text in texts)]
            found |= {path.relative_to(twins.other.current).as_posix(): said} if said else {}
    assert found == {}
    own = text_of(twins.own.current / "vi" / "index.html")
    assert OWN in own
    assert "Quảng Hải" not in own


def test_a_page_tells_the_time_by_its_own_clock(twins: Twins) -> None:
    page = (twins.other.current / "vi" / "index.html").read_text("utf-8")
    assert 'data-zone="Asia/Manila" data-offset="+08:00"' in page
    package = json.loads((twins.other.current / "data" / "oc4ids.json").read_text("utf-8"))
    assert package["publishedDate"] == "2026-01-05T00:00:00+08:00"


def test_what_lies_outside_its_bounds_is_refused_by_its_own_limits(twins: Twins) -> None:
    with (twins.other.current / "data" / "dictionary.csv").open(encoding="utf-8") as file:
        told = {(row["table"], row["column"]): row for row in csv.DictReader(file)}
    longitude, year = told["communes", "longitude"], told["funding_plan", "year"]
    assert (longitude["minimum"], longitude["maximum"]) == ("107.5", "108.6")
    assert (year["minimum"], year["maximum"]) == ("2026", "2030")
    with (twins.other.current / "data" / "quarantine.csv").open(encoding="utf-8") as file:
        assert list(csv.DictReader(file)) == []


def test_the_key_of_an_edition_holds_its_region_and_no_others(tmp_path: Path, twins: Twins) -> None:
    made = two_regions(tmp_path)
    key = read_manifest(twins.other.current)["key"]
    assert made.other.run() == twins.other.shop.current()
    text = region_toml(lies_in=["Đông Dương"])
    (made.other.region / "region.toml").write_text(text, encoding="utf-8")
    made.other.run()
    assert read_manifest(made.other.current)["key"] != key


def test_one_regions_build_changes_nothing_of_anothers(tmp_path: Path, twins: Twins) -> None:
    again = two_regions(tmp_path)
    again.other.run()
    again.own.run()
    for first, second in ((twins.own, again.own), (twins.other, again.other)):
        assert digests(first.current) == digests(second.current)


def test_two_regions_built_at_once_come_out_as_alone(tmp_path: Path, twins: Twins) -> None:
    again = two_regions(tmp_path)
    with ThreadPoolExecutor(2) as threads:
        running = [threads.submit(nights.run) for nights in (again.own, again.other)]
        made = [one.result() for one in running]
    assert made == [twins.own.shop.current(), twins.other.shop.current()]
    for first, second in ((twins.own, again.own), (twins.other, again.other)):
        assert digests(first.current) == digests(second.current)


def test_the_fixture_would_show_a_difference(twins: Twins) -> None:
    page = twins.own.current / "vi" / "index.html"
    other = twins.other.current / "vi" / "index.html"
    assert hashlib.sha256(page.read_bytes()) != hashlib.sha256(other.read_bytes())


def test_the_commands_take_a_region_by_its_folder_or_its_file(tmp_path: Path, twins: Twins) -> None:
    region = twins.other.region
    for path in (region, region / "region.toml"):
        listed = run_atlas("sources", "--region", path)
        assert (listed.returncode, listed.stderr) == (0, "")
        assert "tiny_boundaries\tfile\tcommune_boundaries" in listed.stdout
    checked = run_atlas("check", "--region", region, "--out", tmp_path, "--offline")
    assert checked.returncode == 0
    assert "0 source, 0 row findings" in checked.stdout
    workbook = run_atlas("template", "--region", region, "--root", twins.other.root, cwd=tmp_path)
    assert (workbook.returncode, workbook.stdout.strip()) == (0, "so-lieu-quang-hai.xlsx")
    assert (tmp_path / "so-lieu-quang-hai.xlsx").is_file()


def test_a_region_that_is_none_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "region.toml").write_text("name_vi = 3\n", encoding="utf-8")
    refused = run_atlas("check", "--region", tmp_path, "--out", tmp_path / "out", "--offline")
    assert refused.returncode == 2
    assert "docs/regions.md says what it holds" in refused.stderr


def test_an_order_reads_its_regions_sources_and_says_its_region_again(twins: Twins) -> None:
    order = Order(root=twins.folder, region=twins.other.region)
    assert order.sources == twins.other.region / "data"
    assert f"--region {twins.other.region / 'region.toml'}" in order.command()
    assert "--sources" not in order.command()
    assert "--region" not in Order(root=twins.folder).command()
    assert Order.model_validate(order.model_dump(mode="json")) == order


def test_the_night_is_half_past_one_by_the_regions_clock(twins: Twins) -> None:
    order = Order(root=twins.folder, region=twins.other.region)
    noon = datetime(2026, 1, 5, 4, tzinfo=UTC)
    assert next_due(order, "30 1 * * *", noon) == datetime(2026, 1, 5, 17, 30, tzinfo=UTC)
