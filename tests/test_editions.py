"""Editions: what their ids depend on, and that readers never see half of one."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from atlas.editions import (
    KEPT,
    MANIFEST,
    STATUS,
    STATUS_TEXT,
    Inputs,
    Shop,
    code_digest,
    read_manifest,
    write_manifest,
)
from geodata.archive import sha256_of
from geodata.errors import AtlasError, UsageError

INPUTS = Inputs(
    as_of=date(2026, 11, 22),
    sources=(("zones", "fresh", "a" * 64), ("roads", "stale", "b" * 64)),
    code="c" * 64,
    site_url="https://atlas.example/",
    previous="2026-11-21-0123456789ab",
)
PAGES = ("index.html", "vi/index.html", "data/places.csv")
HASHED = "assets/map-{}.js"


def drawn(shop: Shop, name: str) -> Path:
    """A finished draft whose every file tells its name; younger names are younger files."""
    draft = shop.draft()
    for page in PAGES:
        (draft / page).parent.mkdir(parents=True, exist_ok=True)
        (draft / page).write_text(f"{name} " * 500, encoding="utf-8")
    (draft / "assets").mkdir()
    (draft / HASHED.format(name)).write_text(name, encoding="utf-8")
    write_manifest(draft, replace(INPUTS, code=name))
    born = int(name.removeprefix("e"))
    os.utime(draft / MANIFEST, (born, born))
    return draft


def publish(shop: Shop, *names: str) -> None:
    for name in names:
        shop.publish(drawn(shop, name), name)


def names_from(first: int, count: int) -> list[str]:
    return [f"e{number:03}" for number in range(first, first + count)]


def assert_whole(folder: Path) -> None:
    """Every file of the manifest is there, as it was written."""
    for name, told in read_manifest(folder)["files"].items():
        assert sha256_of((folder / name).read_bytes()) == told["sha256"], name
    assert (folder / STATUS).is_symlink()
    assert (folder / STATUS_TEXT).is_symlink()


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"as_of": date(2026, 11, 23)},
        {"sources": INPUTS.sources[:1]},
        {"sources": (("zones", "fresh", "a" * 63 + "b"), INPUTS.sources[1])},
        {"sources": (INPUTS.sources[0], ("roads", "fresh", "b" * 64))},
        {"code": "d" * 64},
        {"site_url": "https://elsewhere.example/"},
    ],
)
def test_another_input_is_another_edition(change: dict[str, object]) -> None:
    other = replace(INPUTS, **change)  # type: ignore[arg-type]
    assert other.key != INPUTS.key
    assert other.edition != INPUTS.edition


def test_the_edition_before_is_in_the_id_but_not_in_the_key() -> None:
    other = replace(INPUTS, previous="")
    assert other.key == INPUTS.key
    assert other.edition != INPUTS.edition


def test_an_id_begins_with_the_day_the_atlas_speaks_of() -> None:
    assert INPUTS.edition == replace(INPUTS).edition
    assert INPUTS.edition.startswith("2026-11-22-")
    assert len(INPUTS.edition) == len("2026-11-22-") + 12


def code_in(top: Path) -> tuple[tuple[Path, ...], Path, Path]:
    for name in ("atlas/a.py", "geodata/b.toml", "site/templates/c.html.j2", "site/d.css"):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(name, encoding="utf-8")
    (top / "requirements.lock").write_text("prefect==3.8.8", encoding="utf-8")
    (top / "here").mkdir()
    (top / "here" / "region.toml").write_text("name", encoding="utf-8")
    lock, region = top / "requirements.lock", top / "here" / "region.toml"
    return (top / "atlas", top / "geodata", top / "site"), lock, region


def test_the_id_depends_on_no_clock_no_age_of_a_file_and_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = code_in(tmp_path / "here")
    first = replace(INPUTS, code=code_digest(*code))
    write_manifest(tmp_path / "here", first)
    moved = code_in(tmp_path / "there")
    for path in (tmp_path / "there").rglob("*"):
        os.utime(path, (1, 1))
    for clock in ("time", "time_ns", "monotonic", "perf_counter"):
        monkeypatch.setattr(time, clock, lambda: 4_102_444_800)
    second = replace(INPUTS, code=code_digest(*moved))
    write_manifest(tmp_path / "there", second)
    assert second.edition == first.edition
    manifests = [(tmp_path / name / MANIFEST).read_bytes() for name in ("here", "there")]
    assert manifests[0] == manifests[1]


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("atlas/a.py", True),
        ("site/d.css", True),
        ("site/templates/c.html.j2", True),
        ("requirements.lock", True),
        ("here/region.toml", True),
        ("geodata/region.toml", False),
        ("atlas/new.py", True),
        ("atlas/__pycache__/a.pyc", False),
        ("geodata/sources/zones/source.toml", False),
        ("site/node_modules/leaflet/leaflet.js", False),
        ("site/notes.txt", False),
    ],
)
def test_the_code_that_counts_is_what_the_site_is_built_from(
    tmp_path: Path, name: str, counts: bool
) -> None:
    code = code_in(tmp_path)
    before = code_digest(*code)
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("changed", encoding="utf-8")
    assert (code_digest(*code) != before) == counts


def test_code_without_a_lock_file_has_a_digest_too(tmp_path: Path) -> None:
    tops, lock, region = code_in(tmp_path)
    lock.unlink()
    assert len(code_digest(tops, lock, region)) == 64


def test_a_renamed_file_is_other_code(tmp_path: Path) -> None:
    code = code_in(tmp_path)
    before = code_digest(*code)
    (tmp_path / "atlas" / "a.py").rename(tmp_path / "atlas" / "z.py")
    assert code_digest(*code) != before


def test_the_manifest_lists_every_file_but_itself_and_no_link(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / MANIFEST).write_text("an app's", encoding="utf-8")
    (tmp_path / "Vị Thanh.html").write_text("á", encoding="utf-8")
    (tmp_path / STATUS).symlink_to("/nowhere")
    write_manifest(tmp_path, INPUTS)
    write_manifest(tmp_path, INPUTS)
    told = read_manifest(tmp_path)
    assert set(told["files"]) == {f"data/{MANIFEST}", "Vị Thanh.html"}
    assert told["files"]["Vị Thanh.html"] == {"sha256": sha256_of("á".encode()), "bytes": 2}
    assert told["key"] == INPUTS.key
    assert (told["edition"], told["previous_edition"]) == (INPUTS.edition, INPUTS.previous)


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b"null", b"7", b"{}", b"\xff", b'"k"'])
def test_a_folder_without_a_sound_manifest_is_no_edition(shop: Shop, content: bytes | None) -> None:
    publish(shop, "e001")
    manifest = shop.editions / "e001" / MANIFEST
    manifest.unlink()
    if content is not None:
        manifest.write_bytes(content)
    with pytest.raises(AtlasError, match="it is not an edition"):
        read_manifest(manifest.parent)
    assert shop.current_key() == ""


def test_before_the_first_edition_there_is_none(shop: Shop) -> None:
    assert (shop.current(), shop.listed(), shop.current_key()) == ("", [], "")


def test_publishing_gives_the_draft_its_name_and_switches_the_link(shop: Shop) -> None:
    publish(shop, "e001")
    assert shop.public.readlink() == Path("editions") / "e001"
    assert (shop.current(), shop.listed()) == ("e001", ["e001"])
    assert shop.current_key() == replace(INPUTS, code="e001").key
    assert_whole(shop.public)
    assert not (shop.editions / ".draft").exists()
    publish(shop, "e002")
    assert (shop.current(), shop.listed()) == ("e002", ["e001", "e002"])


def test_the_site_can_be_moved_with_its_root(shop: Shop, tmp_path: Path) -> None:
    publish(shop, "e001")
    moved = shutil.copytree(tmp_path, tmp_path.parent / f"{tmp_path.name}-moved", symlinks=True)
    shutil.rmtree(shop.editions)
    assert (moved / "public" / "index.html").read_text(encoding="utf-8").startswith("e001")


def test_the_status_of_a_later_run_shows_through_an_earlier_edition(shop: Shop) -> None:
    shop.write_status({"run": "first"})
    publish(shop, "e001")
    shop.write_status({"run": "Lần sau"})
    told = json.loads((shop.public / STATUS).read_text(encoding="utf-8"))
    assert told == {"run": "Lần sau"}


def test_a_draft_begins_empty_though_an_earlier_run_was_cut(shop: Shop) -> None:
    (drawn(shop, "e001") / "left over").touch()
    assert list(shop.draft().iterdir()) == []
    assert shop.listed() == []


def test_an_edition_that_is_there_already_is_not_written_again(shop: Shop) -> None:
    publish(shop, "e001", "e002")
    before = (shop.editions / "e001" / "index.html").stat().st_mtime_ns
    publish(shop, "e001")
    assert shop.current() == "e001"
    assert (shop.editions / "e001" / "index.html").stat().st_mtime_ns == before
    assert not (shop.editions / ".draft").exists()


def test_rollback_goes_to_the_edition_before_or_to_the_one_named(shop: Shop) -> None:
    publish(shop, "e001", "e002", "e003")
    assert (shop.rollback(), shop.current()) == ("e002", "e002")
    assert (shop.rollback("e003"), shop.current()) == ("e003", "e003")
    assert (shop.rollback("e001"), shop.current()) == ("e001", "e001")
    with pytest.raises(UsageError, match="no earlier edition"):
        shop.rollback()
    assert shop.current() == "e001"


def test_rollback_without_a_published_edition_takes_the_newest(shop: Shop) -> None:
    with pytest.raises(UsageError, match="no earlier edition"):
        shop.rollback()
    publish(shop, "e001", "e002")
    shop.public.unlink()
    assert shop.rollback() == "e002"


@pytest.mark.parametrize(
    "edition", ["e999", "", ".", "..", ".draft", "../elsewhere", "e001/", "e001/../e001", "\0"]
)
def test_an_unknown_edition_is_refused_and_the_link_stays(shop: Shop, edition: str) -> None:
    publish(shop, "e001", "e002")
    drawn(shop, "e003")
    shutil.copytree(shop.editions / "e001", shop.root / "elsewhere", symlinks=True)
    with pytest.raises(UsageError, match="there is no edition .*; there are: e001, e002"):
        shop.switch(edition)
    with pytest.raises(UsageError):
        shop.switch(str(shop.root / "elsewhere"))
    assert shop.current() == "e002"


def test_a_public_that_is_a_real_folder_is_never_replaced(shop: Shop) -> None:
    shop.public.mkdir()
    (shop.public / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="is not a link; move it away"):
        publish(shop, "e001")
    assert (shop.public / "mine.txt").read_text(encoding="utf-8") == "mine"
    assert shop.current() == ""


def test_a_link_left_by_a_cut_run_or_leading_nowhere_is_replaced(shop: Shop) -> None:
    (shop.root / ".public.new").symlink_to("nowhere")
    shop.public.symlink_to("nowhere either")
    publish(shop, "e001")
    assert_whole(shop.public)
    assert not (shop.root / ".public.new").is_symlink()


def test_ten_editions_are_kept_the_newest(shop: Shop) -> None:
    names = names_from(1, KEPT + 3)
    publish(shop, *names)
    assert KEPT == 10
    assert shop.listed() == names[-KEPT:]
    assert sorted(p.name for p in shop.editions.iterdir()) == names[-KEPT:]


def test_pruning_never_removes_the_current_edition(shop: Shop) -> None:
    publish(shop, *names_from(1, KEPT))
    shop.rollback("e001")
    publish(shop, "e000")
    assert shop.current() == "e000"
    assert_whole(shop.public)
    assert shop.listed() == ["e000", *names_from(1, KEPT)]


def test_readers_never_miss_a_file_while_editions_are_published(shop: Shop) -> None:
    publish(shop, "e000")
    stop, faults, reads = threading.Event(), [], []

    def read() -> None:
        while not stop.is_set():
            for page in PAGES:
                try:
                    words = set((shop.public / page).read_text(encoding="utf-8").split())
                except OSError as error:
                    faults.append(repr(error))
                else:
                    reads.append(len(words))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    publish(shop, *names_from(1, 30))
    stop.set()
    for reader in readers:
        reader.join()
    assert not faults
    assert set(reads) == {1}
    assert shop.current() == "e030"


def test_a_visit_gets_what_its_page_loads_later_over_twenty_publishes(shop: Shop) -> None:
    """A page names an asset of its own edition; ten editions later it is still there."""
    publish(shop, "e000")
    stop, faults, visits = threading.Event(), [], []

    def visit() -> None:
        while not stop.is_set():
            name = (shop.public / "index.html").read_text(encoding="utf-8").split()[0]
            for _ in range(20):
                asset = shop.public / HASHED.format(name)
                try:
                    visits.append(asset.read_text(encoding="utf-8") == name)
                except OSError as error:
                    faults.append(repr(error))

    readers = [threading.Thread(target=visit) for _ in range(2)]
    for reader in readers:
        reader.start()
    publish(shop, *names_from(1, 20))
    stop.set()
    for reader in readers:
        reader.join()
    assert not faults
    assert all(visits)
    for name in names_from(11, 10):
        assert (shop.public / HASHED.format(name)).read_text(encoding="utf-8") == name


def test_going_back_keeps_what_pages_of_the_newer_edition_load(shop: Shop) -> None:
    publish(shop, "e001", "e002")
    shop.rollback()
    assert (shop.public / HASHED.format("e002")).read_text(encoding="utf-8") == "e002"
    assert_whole(shop.public)


def test_what_is_carried_over_is_in_no_manifest(shop: Shop) -> None:
    publish(shop, "e001", "e002")
    assert (shop.public / HASHED.format("e001")).is_file()
    assert HASHED.format("e001") not in read_manifest(shop.public)["files"]


def test_a_pinned_edition_is_never_removed_and_takes_no_place_of_the_ten(shop: Shop) -> None:
    publish(shop, "e001", "e002")
    shop.pin("e001")
    publish(shop, *names_from(3, 20))
    assert shop.listed() == ["e001", *names_from(13, KEPT)]
    assert shop.pinned() == ["e001"]
    assert_whole(shop.editions / "e001")
    shop.unpin("e001")
    publish(shop, "e023")
    assert shop.listed() == names_from(14, KEPT)
    for ask in (shop.pin, shop.unpin):
        with pytest.raises(UsageError, match="there is no edition 'e001'"):
            ask("e001")


def key_of(name: str) -> str:
    return replace(INPUTS, code=name).key


def test_the_edition_one_goes_back_from_is_held_until_another_is_published(shop: Shop) -> None:
    publish(shop, "e001", "e002", "e003")
    shop.rollback()
    shop.rollback()
    assert [shop.is_held(key_of(name)) for name in ("e001", "e002", "e003")] == [False, True, True]
    publish(shop, "e004")
    assert not any(shop.is_held(key_of(name)) for name in ("e001", "e002", "e003", "e004"))


def test_going_forward_again_frees_the_edition(shop: Shop) -> None:
    publish(shop, "e001", "e002")
    shop.rollback()
    assert shop.rollback("e002") == "e002"
    assert not shop.is_held(key_of("e001"))
    assert not shop.is_held(key_of("e002"))


KILLED_AT_EVERY_STEP = """
import os, shutil, signal, sys
from pathlib import Path
from atlas.editions import Shop

top = Path(sys.argv[1])
WRITES = ("open", "os.", "shutil.")

for step in range(1, 1000):
    root = top / f"cut-{step}"
    shutil.copytree(top / "whole", root, symlinks=True)
    child = os.fork()
    if not child:
        left = step

        def count(event, _arguments):
            global left
            left -= event.startswith(WRITES)
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)

        shop = Shop(root)
        sys.addaudithook(count)
        shop.publish(root / "editions" / ".draft", "e099")
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if status == 0:
        break
    assert os.WTERMSIG(status) == signal.SIGKILL
"""


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> list[Shop]:
    """Roots in which publishing e099 was killed: one for each step of it."""
    top = tmp_path_factory.mktemp("cut")
    before = Shop(top / "whole")
    publish(before, *names_from(1, KEPT))
    drawn(before, "e099")
    subprocess.run([sys.executable, "-c", KILLED_AT_EVERY_STEP, top], check=True)
    return [Shop(root) for root in sorted(top.glob("cut-*"))]


def test_a_kill_at_any_step_of_publishing_leaves_the_old_or_the_new_edition_whole(
    cut: list[Shop],
) -> None:
    ends = [shop.current() for shop in cut]
    assert ends.count("e010") > 5
    assert ends.count("e099") > 5
    assert set(ends) == {"e010", "e099"}
    for shop in cut:
        assert_whole(shop.public)
        for name in shop.listed():
            assert_whole(shop.editions / name)


def test_the_run_after_a_kill_publishes_and_clears_what_was_left(
    cut: list[Shop], tmp_path: Path
) -> None:
    for number, left in enumerate(cut[::5]):
        shop = Shop(shutil.copytree(left.root, tmp_path / str(number), symlinks=True))
        publish(shop, "e100")
        assert_whole(shop.public)
        assert sorted(p.name for p in shop.editions.iterdir()) == shop.listed()
        assert len(shop.listed()) == KEPT


def test_another_limit_of_tiled_layers_makes_another_edition():
    other = dataclasses.replace(INPUTS, tile_over=50)
    assert other.key != INPUTS.key
    assert dataclasses.replace(other, tile_over=2_000).key == INPUTS.key
