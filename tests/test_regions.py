"""The page that leads to many regions: its numbers, their dates and sources, and who is missing."""

import json
import re
import shutil
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from atlas.regions import read_regions, sums, write_index
from atlas.totals import Total
from browsing import faults_of, served, violations
from builds import PROJECT, run_atlas
from geodata.archive import sha256_of
from geodata.errors import UsageError
from geodata.schema import MONEY_KINDS
from regions import Twins, two_regions

SITE = PROJECT / "site"


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Twins:
    made = two_regions(tmp_path_factory.mktemp("index"))
    made.own.run()
    made.other.run()
    return made


@pytest.fixture(scope="module")
def written(twins: Twins) -> Path:
    """Write the page beside both roots, and with one that holds nothing."""
    out = twins.folder / "all"
    roots = [twins.own.root, twins.other.root, twins.folder / "nowhere"]
    (unread,) = write_index(roots, out, SITE)
    assert unread.root == "nowhere"
    return out


@pytest.fixture
def roots(twins: Twins, tmp_path: Path) -> tuple[Path, Path]:
    """Return copies of both roots, for a test to break."""
    for nights in (twins.own, twins.other):
        shutil.copytree(nights.root, tmp_path / nights.root.name, symlinks=True)
    return tmp_path / "own", tmp_path / "other"


def told(out: Path) -> dict[str, list[dict[str, object]]]:
    return dict(json.loads((out / "regions.json").read_text(encoding="utf-8")))


def rewrite(root: Path, name: str, text: str) -> None:
    """Put other text into a file of the published edition, and its checksum into the manifest."""
    content = text.encode()
    (root / "public" / name).write_bytes(content)
    path = root / "public" / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["files"][name] = {"sha256": sha256_of(content), "bytes": len(content)}
    path.write_text(json.dumps(manifest), encoding="utf-8")


def alter(root: Path, name: str, **changed: object) -> None:
    path = root / "public" / name
    rewrite(root, name, json.dumps({**json.loads(path.read_text("utf-8")), **changed}))


def test_every_total_is_the_sum_of_the_regions(written: Path) -> None:
    index = told(written)
    assert [one["region_id"] for one in index["regions"]] == ["hau-giang", "quang-hai"]
    for total in index["totals"]:
        parts = [
            Decimal(str(one["value"]))
            for region in index["regions"]
            for one in region["totals"]  # type: ignore[attr-defined]
            if (one["measure"], one["unit"]) == (total["measure"], total["unit"])
            and one["value"] is not None
        ]
        expected = sum(parts, Decimal(0)) if parts else None
        assert (None if total["value"] is None else Decimal(str(total["value"]))) == expected
    found = {str(one["measure"]): one for one in index["totals"]}
    # one park of 100.5 ha and one amount of 1200.5 in each of the two regions
    assert found["area_ha"]["value"] == "201.0"
    assert found["registered"]["value"] == "2401.000"
    assert (found["places"]["value"], found["routes"]["value"]) == ("4", "2")


def test_what_no_region_knows_is_told_as_unknown_and_not_as_nothing(written: Path) -> None:
    found = {str(one["measure"]): one for one in told(written)["totals"]}
    assert (found["disbursed"]["value"], found["disbursed"]["regions"]) == (None, [])
    assert found["disbursed"]["unknown"] == 6
    page = (written / "index.html").read_text(encoding="utf-8")
    row = re.search(r"<tr>\s*<th scope=\"row\">Disbursed</th>.*?</tr>", page, re.DOTALL)
    assert row
    assert ">not known<" in row[0]
    assert ">0<" not in row[0].replace('data-label="Records counted">0<', "")


def test_every_number_has_its_date_and_a_source_that_is_there(written: Path, twins: Twins) -> None:
    for region in told(written)["regions"]:
        for one in region["totals"]:  # type: ignore[attr-defined]
            assert (written / str(region["site"]) / one["source"]).is_file()
            assert one["value"] is None or one["until"]
    found = {str(one["measure"]): one for one in told(written)["totals"]}
    assert (found["area_ha"]["since"], found["area_ha"]["until"]) == ("2024-06", "2024-06")
    assert found["places"]["until"] == twins.own.shop.current()[:10]


def test_every_link_of_the_page_leads_to_a_file(written: Path) -> None:
    page = (written / "index.html").read_text(encoding="utf-8")
    links = {link for link in re.findall(r'href="([^"#]+)"', page)}
    assert {"../own/public/vi/index.html", "../other/public/en/index.html"} <= links
    assert [link for link in links if not (written / link).is_file()] == []


def test_a_region_that_cannot_be_read_is_named_with_the_reason(
    roots: tuple[Path, Path], tmp_path: Path
) -> None:
    own, other = roots
    (other / "public" / "data" / "totals.json").write_text("{}", encoding="utf-8")
    regions, unread = read_regions([own, other, tmp_path / "nowhere"], tmp_path)
    assert [one.totals.region_id for one in regions] == ["hau-giang"]
    assert [one.root for one in unread] == ["other", "nowhere"]
    assert "totals.json is not what the manifest lists" in unread[0].why
    assert "holds no readable manifest.json" in unread[1].why
    assert str(tmp_path) not in unread[1].why


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"totals": [{"measure": "gold"}]}, "totals.0.measure"),
        ({"as_of": "yesterday"}, "as_of"),
        ({"edition": "2026-01-05-000000000000"}, "is of another edition"),
        ({"more": 1}, "more: Extra inputs"),
        ({"region_id": "../x"}, "region_id"),
    ],
)
def test_numbers_that_are_not_as_they_should_be_are_in_no_sum(
    roots: tuple[Path, Path], tmp_path: Path, changed: dict[str, object], said: str
) -> None:
    own, other = roots
    alter(other, "data/totals.json", **changed)
    regions, (unread,) = read_regions([own, other], tmp_path)
    assert said in unread.why
    assert [one.regions for one in sums(regions) if one.measure == "places"] == [("hau-giang",)]


def test_an_edition_without_totals_says_what_to_do(
    roots: tuple[Path, Path], tmp_path: Path
) -> None:
    own, _ = roots
    path = own / "public" / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    del manifest["files"]["data/totals.json"]
    path.write_text(json.dumps(manifest), encoding="utf-8")
    _, (unread,) = read_regions([own], tmp_path)
    assert unread.why == ("the edition has no data/totals.json: an older atlas made it; refresh it")


def test_a_region_given_twice_counts_once(roots: tuple[Path, Path], tmp_path: Path) -> None:
    own, _ = roots
    regions, (unread,) = read_regions([own, own], tmp_path)
    assert len(regions) == 1
    assert "region hau-giang is given twice" in unread.why


def test_a_past_day_is_no_region_of_today(roots: tuple[Path, Path], tmp_path: Path) -> None:
    own, _ = roots
    alter(own, "manifest.json", looks_back="then")
    _, (unread,) = read_regions([own], tmp_path)
    assert "shows a past day" in unread.why


def test_a_name_from_a_region_never_becomes_markup(
    roots: tuple[Path, Path], tmp_path: Path
) -> None:
    own, other = roots
    name = "<script>alert(1)</script>\u202e"
    alter(other, "data/totals.json", name_vi=name, name_en=name)
    alter(other, "data/index.json", site="javascript:alert(1)//")
    write_index([own, other], tmp_path / "out", SITE)
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "\u202e" not in page
    assert "javascript:" not in page


def test_a_published_address_is_linked_in_place_of_the_folder(
    roots: tuple[Path, Path], tmp_path: Path
) -> None:
    own, _ = roots
    alter(own, "data/index.json", site="https://atlas.example/hau-giang/")
    (region,), _ = read_regions([own], tmp_path)
    assert region.site == "https://atlas.example/hau-giang/"


def test_an_edition_is_never_written_into(twins: Twins) -> None:
    with pytest.raises(UsageError, match="is an edition, which never changes"):
        write_index([twins.own.root], twins.own.current, SITE)


def test_the_same_editions_give_the_same_page(twins: Twins, written: Path) -> None:
    again = twins.folder / "again"
    write_index([twins.other.root, twins.own.root, twins.folder / "nowhere"], again, SITE)
    for name in ("index.html", "regions.json"):
        assert (again / name).read_bytes() == (written / name).read_bytes()


def test_the_command_names_who_is_missing_and_exits_with_findings(twins: Twins) -> None:
    out = twins.folder / "by-command"
    done = run_atlas("index", twins.own.root, twins.folder / "nowhere", "--out", out)
    assert (done.returncode, done.stdout.strip()) == (1, str(out / "index.html"))
    assert "nowhere: " in done.stderr
    whole = run_atlas("index", twins.own.root, twins.other.root, "--out", out)
    assert whole.returncode == 0
    assert told(out)["not_read"] == []


def test_the_page_is_read_by_everyone_and_asks_nobody_else(
    written: Path, twins: Twins, browser: Browser
) -> None:
    with served(twins.folder) as address:
        context = browser.new_context(bypass_csp=True, viewport={"width": 360, "height": 760})
        page = context.new_page()
        faults = faults_of(page, address)
        page.goto(f"{address}{written.name}/index.html")
        assert violations(page) == []
        assert faults == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        context.close()


def test_without_javascript_each_region_is_reached(
    written: Path, twins: Twins, browser: Browser
) -> None:
    with served(twins.folder) as address:
        context = browser.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(f"{address}{written.name}/index.html")
        assert page.locator("section[lang=vi] .warning").inner_text().count("nowhere: ") == 1
        page.locator("section[lang=en] h3 a", has_text="Quảng Hải").click()
        assert page.title().endswith("Quảng Hải atlas")
        context.close()


def test_the_totals_of_a_region_are_those_of_its_map(twins: Twins, browser: Browser) -> None:
    (region, _), _ = read_regions([twins.own.root, twins.other.root], twins.folder)
    found: dict[str, list[Total]] = {}
    for one in region.totals.totals:
        found.setdefault(one.measure, []).append(one)
    with served(twins.own.current) as address:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"{address}en/map/index.html#v=1&kind=industrial_park")
        page.wait_for_selector("html[data-browse-ready=true]")
        sums_of_map = page.evaluate("Atlas.narrow.sums(Object.keys(ATLAS_FIND.records))")
        page.close()
    (area,) = found["area_ha"]
    assert (float(area.value), area.counted, area.unknown) == (
        sums_of_map["hectares"], sums_of_map["withArea"], sums_of_map["withoutArea"],
    )  # fmt: skip
    money = {
        (kind, one.unit): [float(one.value), one.counted]
        for kind in MONEY_KINDS
        for one in found[kind]
        if one.value is not None
    }
    assert money == {(kind, unit): rest for kind, unit, *rest in sums_of_map["money"]}
    assert money
