"""Several nights in a row: what changed is remembered, what looks wrong waits for a yes."""

import csv
import dataclasses
import json
import re
import shutil
from datetime import date
from pathlib import Path

import feedparser
import numpy as np
import pytest
from conftest import TINY, Tree
from nights import Nights, adding, altering

from atlas import editions as shelf
from atlas.editions import Shop
from bench.synthetic import SEED, write_region
from bench.year import Year
from builds import digests
from geodata import archive
from geodata.archive import Archive
from geodata.audit import audit
from geodata.errors import PublishRefusedError, UsageError

FIRST = date(2026, 1, 5)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Nights, list[str]]:
    """Return a root that lived three nights, and its editions: first, claim, promise."""
    folder = tmp_path_factory.mktemp("nights")
    tree = Tree.planted(folder / "sources")
    nights = Nights(folder / "root", tree.folder)
    made = [nights.run()]
    nights.edit("tiny_claims", altering("kcn-a.area-ha.1", value="120"), date(2026, 1, 6))
    made.append(nights.run())
    later = adding("kcn-a.open.2", "kcn-a.open.1", due_on="2025", published_on="2024-12-31")
    nights.edit("tiny_milestones", later, date(2026, 1, 7))
    made.append(nights.run())
    return nights, made


@pytest.fixture
def again(lived: tuple[Nights, list[str]], tmp_path: Path) -> Nights:
    """Return a copy of that root and its sources, for a test to go on from."""
    nights, _ = lived
    shutil.copytree(nights.root, tmp_path / "root", symlinks=True)
    return Nights(tmp_path / "root", Path(shutil.copytree(nights.sources, tmp_path / "sources")))


def text_of(path: Path) -> str:
    tags = re.sub(r"<[^>]+>", " ", path.read_text(encoding="utf-8"))
    return re.sub(r"\s+", " ", tags.replace("\u00a0", " "))


def page(nights: Nights, name: str) -> str:
    return text_of(nights.current / name / "index.html")


def history(nights: Nights) -> list[dict[str, str]]:
    with (nights.current / "data" / "history.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def titles(nights: Nights, feed: str) -> list[str]:
    read = feedparser.parse((nights.current / feed).read_bytes())
    assert not read.bozo
    return [entry.title for entry in read.entries]


def test_each_night_is_an_edition_of_its_own_day(lived: tuple[Nights, list[str]]) -> None:
    nights, made = lived
    assert [name[:10] for name in made] == ["2026-01-05", "2026-01-06", "2026-01-07"]
    assert nights.shop.listed() == made


def test_the_changes_page_tells_the_last_night_and_counts_the_earlier_ones(
    lived: tuple[Nights, list[str]],
) -> None:
    nights, made = lived
    told = page(nights, "en/changes")
    assert "Promised date: Name" in told
    assert "731 days later than the first published date (2023)." in told
    assert f"{made[1]} 6 January 2026 1 1" in told
    first = text_of(nights.shop.editions / made[0] / "vi" / "changes" / "index.html")
    assert "Đây là ấn bản đầu tiên" in first


def test_a_records_page_tells_its_whole_history(lived: tuple[Nights, list[str]]) -> None:
    nights, made = lived
    told = page(nights, "en/places/kcn-a").partition("History of changes")[2]
    assert told.index(made[2]) < told.index(made[1])
    assert "Before: 100.5 ha → Now: 120 ha Source: Name" in told
    assert "in source folder Tiny table" in told
    assert "Nothing has changed since the first edition" in page(nights, "en/routes/road-a")


def test_the_feeds_tell_each_night_once(lived: tuple[Nights, list[str]]) -> None:
    nights, made = lived
    days = ["Name: changes of 7 January 2026", "Name: changes of 6 January 2026"]
    assert titles(nights, "feed.en.xml") == [*days, f"Edition {made[0]}"]
    for name in ("kcn-a", "dist-1", "stage-operating"):
        assert titles(nights, f"feeds/{name}.en.xml") == days
    assert titles(nights, "feeds/stage-planned.en.xml") == []


def test_changes_json_keeps_its_form(lived: tuple[Nights, list[str]]) -> None:
    nights, made = lived
    told = json.loads((nights.current / "changes.json").read_text(encoding="utf-8"))
    assert (told["edition"], told["previous_edition"]) == (made[2], made[1])
    (change,) = told["changes"]
    assert {k: change[k] for k in ("table", "row_key", "change", "old", "new", "source_id")} == {
        "table": "milestones", "row_key": "kcn-a.open.2", "change": "added",
        "old": "", "new": "", "source_id": "tiny_milestones",
    }  # fmt: skip


def test_a_night_that_brings_nothing_is_no_edition(again: Nights) -> None:
    before = again.shop.listed()
    again.run()
    assert again.shop.listed() == before


def test_an_edition_that_is_no_longer_kept_is_not_forgotten(
    again: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "KEPT", 1)
    again.edit("tiny_places", altering("ccn-b", name_en="Cluster B"), date(2026, 1, 8))
    again.run()
    assert len(again.shop.listed()) == 1
    assert [row["edition"][:10] for row in history(again)] == [
        "2026-01-08", "2026-01-07", "2026-01-06",
    ]  # fmt: skip
    assert "100.5 ha" in page(again, "en/places/kcn-a")


def test_what_a_rollback_left_is_on_no_page_but_in_the_log(again: Nights) -> None:
    left = again.shop.current()
    again.shop.rollback()
    again.edit("tiny_places", altering("ccn-b", name_en="Cluster B"), date(2026, 1, 8))
    again.run()
    told = [row["edition"] for row in history(again)]
    assert left not in told
    assert {row["row_key"] for row in history(again)} >= {"kcn-a.area-ha.1", "ccn-b"}
    entries = Archive(again.order().archive).entries("editions")
    assert left in {entry["edition"] for entry in entries}


def break_everything(nights: Nights) -> None:
    on = date(2026, 1, 9)
    nights.edit("tiny_claims", altering("kcn-a.area-ha.1", value="1250"), on)
    nights.edit("tiny_claims", lambda rows: rows[:1], on)
    nights.edit("tiny_stage_events", lambda rows: rows[:1], on)


def test_what_looks_wrong_is_refused_with_all_that_was_seen_and_the_command(
    again: Nights,
) -> None:
    before = again.shop.current()
    break_everything(again)
    with pytest.raises(PublishRefusedError) as refused:
        again.run()
    root, sources = again.root, again.sources
    assert str(refused.value) == (
        f"against edition {before} this looks wrong, so nothing is published and the last "
        "edition stays up:\n"
        "  table:claims: 2 rows before, 1 now, at most 10 % may go; "
        "gone: kcn-a.area-leased-ha.1 (tiny_claims)\n"
        "  table:stage_events: 2 rows before, 1 now, at most 10 % may go; "
        "gone: kcn-a.operating.1 (tiny_stage_events)\n"
        "  sum:claims.area_ha.ha: the sum was 120 and is 1250\n"
        "  value:kcn-a.area_ha: was 120 ha and is 1250 ha (kcn-a.area-ha.1, tiny_claims line 2)\n"
        "  stage:kcn-a: stood at park.operating and is park.planned (kcn-a.planned.1, "
        "tiny_stage_events line 2); no event says that it went back\n"
        "if all of it is right, run again with:\n"
        f"  atlas refresh --out {root} --sources {sources} --offline --accept table:claims "
        "--accept table:stage_events --accept sum:claims.area_ha.ha --accept value:kcn-a.area_ha "
        "--accept stage:kcn-a"
    )
    assert again.shop.current() == before
    assert before == Archive(again.order().archive).entries("editions")[-1]["edition"]


def test_what_was_accepted_is_published_and_remembered(again: Nights) -> None:
    break_everything(again)
    some = ("table:claims", "sum:claims.area_ha.ha", "stage:kcn-a")
    with pytest.raises(PublishRefusedError) as refused:
        again.run(some)
    last = str(refused.value).splitlines()[-1]
    assert "value:kcn-a.area_ha: was" in str(refused.value)
    assert "stage:kcn-a: stood" not in str(refused.value)
    accept = tuple(re.findall(r"--accept (\S+)", last))
    assert set(some) < set(accept)
    again.run(accept)
    manifest = json.loads((again.current / "manifest.json").read_text(encoding="utf-8"))
    assert set(manifest["accepted"]) == set(accept)
    entry = Archive(again.order().archive).entries("editions")[-1]
    assert (entry["edition"], set(entry["accepted"])) == (again.shop.current(), set(accept))
    assert "Stage" in page(again, "en/places/kcn-a").partition("History of changes")[2]


def test_accepting_what_nothing_is_called_is_a_usage_error(again: Nights) -> None:
    again.edit("tiny_places", altering("ccn-b", name_en="Cluster B"), date(2026, 1, 8))
    with pytest.raises(UsageError, match=r"--accept claims stage:kcn-z names nothing"):
        again.run(("claims", "stage:kcn-z", "table:claims"))


def test_a_source_may_let_its_table_shrink(again: Nights) -> None:
    again.edit("tiny_stages", lambda rows: rows, date(2026, 1, 8))
    settings = again.sources / "tiny_gaps" / "source.toml"
    again.edit("tiny_gaps", adding("kcn-a.gap.2", "kcn-a.gap.1"), date(2026, 1, 8))
    again.run()
    again.edit("tiny_gaps", lambda rows: rows[:1], date(2026, 1, 9))
    with pytest.raises(PublishRefusedError, match="table:gaps: 2 rows before, 1 now"):
        again.run()
    settings.write_text(settings.read_text(encoding="utf-8") + "may_shrink_pct = 50\n", "utf-8")
    assert again.run().startswith("2026-01-09")


def test_every_night_leaves_a_whole_archive(again: Nights) -> None:
    found = audit(Archive(again.order().archive))
    assert found.faults == ()
    assert dataclasses.asdict(found)["entries"] > len(TINY)


def own(folder: Path) -> dict[str, str]:
    """Return the checksums of what an edition's manifest lists, and of the manifest."""
    listed = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"]
    found = digests(folder)
    assert {name: told["sha256"] for name, told in listed.items()}.items() <= found.items()
    return {name: found[name] for name in (*listed, "manifest.json")}


def test_a_day_that_the_atlas_lived_is_rebuilt_with_the_bytes_it_had(
    lived: tuple[Nights, list[str]], again: Nights
) -> None:
    _, made = lived
    kept = own(again.shop.editions / made[1])
    listed, status = again.shop.listed(), again.root / "status.json"
    assert again.run(as_of=date(2026, 1, 6)) == made[1]
    past = again.root / "past" / "2026-01-06"
    assert own(past / "editions" / made[1]) == kept
    assert again.shop.listed() == listed
    assert again.shop.current() == made[2]
    assert not status.exists()


def test_a_day_between_two_editions_holds_what_the_earlier_one_did(again: Nights) -> None:
    again.edit("tiny_claims", altering("kcn-a.area-ha.1", value="130"), date(2026, 1, 20))
    again.run()
    again.run(as_of=date(2026, 1, 10))
    public = again.root / "past" / "2026-01-10" / "public"
    assert "120" in (public / "data" / "claims.csv").read_text(encoding="utf-8")
    assert "Rebuilt for 10 January 2026" in text_of(public / "en" / "index.html")
    told = text_of(public / "en" / "changes" / "index.html")
    assert "A rebuilt day is compared with no edition" in told
    assert "2026-01-20" not in told


def test_a_day_before_the_atlas_holds_what_was_published_by_then_and_says_so(
    again: Nights,
) -> None:
    edition = again.run(as_of=date(2025, 1, 1))
    public = again.root / "past" / "2025-01-01" / "public"
    pages = sorted(public.rglob("index.html"))
    assert len(pages) > 20
    for path in pages:
        assert "Rebuilt for 1 January 2025" in text_of(path) or "Bản dựng lại của ngày" in (
            text_of(path)
        )
    late = re.compile(r"\b(2025-(0[1-9]|1[0-2])-(0[2-9]|[12]\d|3[01])|202[6-9](-\d\d)*)\b")
    for name in ("claims", "stage_events", "money_events", "milestones", "indicators", "history"):
        told = (public / "data" / f"{name}.csv").read_text(encoding="utf-8")
        assert not late.search(told), name
    assert json.loads((public / "changes.json").read_text(encoding="utf-8"))["changes"] == []
    manifest = json.loads((public / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["looks_back"], manifest["edition"]) == ("then", edition)


def test_a_past_day_is_the_same_each_time_and_with_hindsight_another(again: Nights) -> None:
    day = date(2024, 6, 1)
    first = again.run(as_of=day, hindsight=True)
    past = again.root / "past" / "2024-06-01-hindsight"
    before = digests(past / "editions" / first)
    shutil.rmtree(past)
    assert again.run(as_of=day, hindsight=True) == first
    assert digests(past / "editions" / first) == before
    claims = (past / "public" / "data" / "claims.csv").read_text(encoding="utf-8")
    assert "kcn-a.area-ha.1" in claims
    with pytest.raises(UsageError, match="nothing was known by 2020-01-01"):
        again.run(as_of=date(2020, 1, 1))


def test_hindsight_about_no_past_day_is_a_usage_error(again: Nights) -> None:
    for told in ({}, {"as_of": date(2027, 1, 1)}):
        with pytest.raises(UsageError, match="--hindsight is about a past day"):
            again.run(hindsight=True, **told)


def test_every_one_of_many_nights_is_rebuilt_with_the_bytes_it_had(tmp_path: Path) -> None:
    sources = write_region(tmp_path / "sources", places=6)
    year = Year(tmp_path / "root", sources, np.random.default_rng(SEED))
    days = [date(2027, 1, day) for day in range(1, shelf.KEPT + 3)]
    for day in days:
        year.live(day)
    assert len(Shop(year.root).listed()) == shelf.KEPT
    assert [day for day in days if not year.is_rebuilt(day)] == []


def test_a_night_reads_each_line_of_the_logs_once(
    again: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[bytes] = []
    parse = archive.read_entry
    monkeypatch.setattr(archive, "read_entry", lambda line: read.append(line) or parse(line))
    again.edit("tiny_gaps", lambda rows: rows, date(2026, 1, 8))
    again.run()
    held = Archive(again.order().archive)
    lines = [line for log in ("accepted", "editions") for line in held.lines(log) if line]
    assert len([line for line in read if line]) <= len(lines) + 1


def test_a_root_that_shows_only_past_days_is_no_edition_before_the_first(tmp_path: Path) -> None:
    tree = Tree.planted(tmp_path / "sources")
    nights = Nights(tmp_path / "root", tree.folder)
    past = nights.run(as_of=date(2025, 1, 1))
    assert (nights.root / "public" / "manifest.json").is_file()
    first = nights.run()
    told = json.loads((nights.current / "changes.json").read_text(encoding="utf-8"))
    assert (past[:10], first[:10]) == ("2025-01-01", "2026-01-05")
    assert told["previous_edition"] is None
