"""Collect and check as a run does them, against a real server: what is kept, what is said."""

import json
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import stamina
from conftest import Tree

from flows import intake, order, work
from flows.order import Order
from geodata import reader, tables
from geodata.archive import sha256_of
from geodata.checks import cell_findings
from geodata.errors import PublishRefusedError
from geodata.fetch import ATTEMPTS
from geodata.findings import Finding
from geodata.freshness import Freshness
from geodata.read import Sheet
from servers import LOOPBACK, Server, drip, reset, running, say

FIRST, LATER = date(2026, 11, 20), date(2026, 11, 25)


def feature(name: str) -> dict[str, object]:
    corners = [[105.5, 9.8], [105.6, 9.8], [105.6, 9.9], [105.5, 9.8]]
    shape = {"type": "Polygon", "coordinates": [corners]}
    return {"type": "Feature", "properties": {"code": name}, "geometry": shape}


def drawn(*names: str) -> bytes:
    told = {"type": "FeatureCollection", "features": [feature(name) for name in names]}
    return json.dumps(told).encode()


@pytest.fixture
def server() -> Iterator[Server]:
    with running() as made, stamina.set_testing(True, attempts=ATTEMPTS):
        made.paths = {"/stages.csv": say(404), "/a.geojson": say(body=drawn("31301"))}
        yield made


@pytest.fixture
def asked(tree: Tree, server: Server, tmp_path: Path) -> Order:
    """An order whose boundaries and stages come from the server, the other tables from files."""
    stages = tree.raw("stages").read_bytes()
    server.paths["/stages.csv"] = say(body=stages)
    remote = [f'[[files]]\nurl = "{server.url}/{name}"\nseconds = 1' for name in PATHS]
    common = {"kind": "url", "optional": True, "allowed_networks": list(LOOPBACK), "sha256": ""}
    tree.describe("stages", **common, file="")
    boundaries = tree.folder / "tiny_boundaries"
    boundaries.mkdir()
    text = tree.raw("stages").with_name("source.toml").read_text(encoding="utf-8")
    (boundaries / "source.toml").write_text(
        text.replace('table = "stages"', 'layer = "commune_boundaries"\ncrs = "EPSG:4326"')
        .replace('format = "csv"', 'format = "geojson"')
        .replace('key = ["stage_id"]', 'key = "code"')
        + remote[1],
        encoding="utf-8",
    )
    with tree.raw("stages").with_name("source.toml").open("a", encoding="utf-8") as file:
        file.write(remote[0])
    (tmp_path / "site").mkdir()
    return Order(root=tmp_path / "out", sources=tree.folder, site=tmp_path / "site")


PATHS = ("stages.csv", "a.geojson")


def run(asked: Order, day: date, monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[str, str]]:
    """Collect and check on a day; return state and day of confirmation of the remote sources."""
    for module in (intake, work):
        monkeypatch.setattr(module, "today", lambda: day)
    asked.work.mkdir(parents=True, exist_ok=True)
    intake.check(asked, intake.collect(asked))
    states = {s.source.source_id: s for s in work.read_states(asked)}
    return {
        name: (states[name].state, states[name].confirmed_on)
        for name in ("tiny_boundaries", "tiny_stages")
    }


BOTH_FRESH = {"tiny_boundaries": ("fresh", ""), "tiny_stages": ("fresh", "")}


TROUBLES = {
    "500": say(500),
    "404": say(404),
    "reset": reset,
    "drip": drip,
    "empty": say(body=b""),
    "html": say(body=b"<html>Sorry</html>"),
    "cut": say(body=drawn("31301")[:-40]),
    "zeros": say(body=b"\x00" * 100),
    "inside": say(302, b"", Location="http://169.254.169.254/latest/meta-data"),
}


def test_broken_and_unreachable_sources_leave_their_last_good_copies_and_the_rest_goes_on(
    asked: Order, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(asked, FIRST, monkeypatch) == BOTH_FRESH
    good = dict(server.paths)
    for name, trouble in TROUBLES.items():
        server.paths = dict.fromkeys(good, trouble)
        told = run(asked, LATER, monkeypatch)
        assert told == dict.fromkeys(told, ("stale", "2026-11-20")), name
        stale = [state for state in work.read_states(asked) if state.state == "stale"]
        assert [work.stale_days(state) for state in stale] == [5, 5]
        assert all(state.why for state in stale)
        intake.refuse_broken_sources(asked)
        assert list(work.read_layer_file(asked, "commune_boundaries")["code"]) == ["31301"]
        assert len(work.read_tables(asked)["stages"]) == 2
    server.paths = good
    assert run(asked, LATER, monkeypatch) == BOTH_FRESH


def test_a_source_that_was_never_had_whole_is_refused_with_its_fault(
    asked: Order, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.paths["/a.geojson"] = say(body=b"<html>Sorry</html>")
    assert run(asked, FIRST, monkeypatch)["tiny_boundaries"] == ("refused", "")
    with pytest.raises(PublishRefusedError, match="tiny_boundaries: file_is_of_its_format"):
        intake.refuse_broken_sources(asked)


def test_unchanged_is_fresh_and_confirms_the_held_copy(
    asked: Order, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.paths["/a.geojson"] = say(body=drawn("31301"), ETag='"1"')
    run(asked, FIRST, monkeypatch)
    server.paths["/a.geojson"] = say(304, b"")
    assert run(asked, LATER, monkeypatch) == BOTH_FRESH
    server.paths["/a.geojson"] = say(503)
    assert run(asked, LATER, monkeypatch)["tiny_boundaries"] == ("stale", "2026-11-25")


def test_a_broken_reply_is_never_confirmed_even_when_it_stays_unchanged(
    asked: Order, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(asked, FIRST, monkeypatch)
    server.paths["/a.geojson"] = say(body=b"<html/>", ETag='"broken"')
    run(asked, LATER, monkeypatch)
    server.paths["/a.geojson"] = say(304, b"")
    assert run(asked, LATER, monkeypatch)["tiny_boundaries"] == ("stale", "2026-11-20")


def test_the_edition_depends_on_the_day_of_a_stale_copy_and_on_no_day_of_a_fresh_one(
    asked: Order, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(asked, FIRST, monkeypatch)
    first = intake.inputs_of(asked).key
    run(asked, LATER, monkeypatch)
    assert intake.inputs_of(asked).key == first
    server.paths["/a.geojson"] = say(503)
    run(asked, LATER, monkeypatch)
    stale = intake.inputs_of(asked).key
    assert stale != first
    files = Freshness(work_archive(asked))
    held = work.read_collected(asked)
    [boundaries] = [c for c in held if c.source.source_id == "tiny_boundaries"]
    files.confirm("tiny_boundaries", boundaries.files, FIRST)
    run(asked, LATER, monkeypatch)
    assert intake.inputs_of(asked).key != stale
    assert boundaries.sha256 == sha256_of(drawn("31301"))


def work_archive(asked: Order) -> "intake.Archive":
    return intake.Archive(asked.archive)


def test_only_a_stale_source_has_an_age(asked: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    run(asked, FIRST, monkeypatch)
    states = {state.source.source_id: state for state in work.read_states(asked)}
    assert {work.stale_days(state) for state in states.values()} == {None}
    assert work.confirmed_on(states["tiny_stages"]) == "2026-11-20"
    assert work.confirmed_on(states["tiny_places"]) is None
    assert isinstance(work.read_layer_file(asked, "commune_boundaries"), gpd.GeoDataFrame)
    assert order.today() >= LATER


def test_only_a_source_that_changed_is_read_and_checked_again(
    tree: Tree, asked: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone: list[str] = []

    def noted(sheet: Sheet) -> list[Finding]:
        alone.append(sheet.source.source_id)
        return cell_findings(sheet)

    def checked() -> dict[str, bytes]:
        intake.check(asked, intake.collect(asked))
        paths = [p for p in sorted(asked.work.rglob("*")) if p.is_file() and p.suffix != ".made"]
        return {p.relative_to(asked.work).as_posix(): p.read_bytes() for p in paths}

    checked()
    monkeypatch.setattr(intake, "cell_findings", noted)
    tree.set("claims", 0, value="99.5")
    changed = checked()
    assert alone == ["tiny_claims"]
    shutil.rmtree(asked.var / "kept")
    (asked.work / "check.made").unlink()
    assert checked() == changed


def test_what_came_in_parts_leaves_the_bytes_of_what_was_kept(
    tree: Tree, asked: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "PART_LETTERS", 700_000)
    monkeypatch.setattr(reader, "SMALL", 100_000_000)
    head, row, *_ = tree.raw("claims").read_text(encoding="utf-8").splitlines()
    ident, rest = row.split(",", 1)
    many = "".join(f"{ident}{'x' * 60}{n},{rest}\n" for n in range(30_000))
    tree.write("claims", f"{head}\n{many}".encode())
    tree.describe("claims")
    intake.check(asked, intake.collect(asked))
    paths = sorted((asked.work / "tables").glob("*.parquet"))
    made = [path.read_bytes() for path in paths]
    assert len(pd.read_parquet(asked.work / "tables" / "claims.parquet")) == 30_000
    (asked.work / "check.made").unlink()
    intake.check(asked, intake.collect(asked))
    assert [path.read_bytes() for path in paths] == made


def test_what_is_kept_and_damaged_is_made_again(tree: Tree, asked: Order) -> None:
    intake.check(asked, intake.collect(asked))
    before = (asked.work / "tables" / "claims.parquet").read_bytes()
    for number, path in enumerate(sorted((asked.var / "kept").glob("*/*"))):
        path.write_bytes(b"" if number % 2 else b"{")
    (asked.work / "check.made").unlink()
    intake.check(asked, intake.collect(asked))
    assert (asked.work / "tables" / "claims.parquet").read_bytes() == before
    assert len(work.read_states(asked)) == len({p.parent for p in (asked.var / "kept").glob("*/*")})
