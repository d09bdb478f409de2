"""A run from its begin to its end, well or not: tiny sources, no Prefect, real kills."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import Tree

from atlas.editions import Shop, read_manifest
from flows import intake, run
from flows.heartbeat import fault, read_age, read_beat, write_beat
from flows.hooks import ON_FAILURE, ON_SUCCESS
from flows.order import Order
from flows.run import carry_out
from geodata.archive import sha256_of
from geodata.errors import UsageError


@pytest.fixture
def order(tree: Tree, tmp_path: Path) -> Order:
    return Order(root=tmp_path / "root", sources=tree.folder, online=False)


@pytest.fixture
def hooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Both hooks note, in one file, which of them was called and with which state."""
    told = tmp_path / "hooks"
    script = tmp_path / "hook.sh"
    script.write_text(f'#!/bin/sh\necho "$1 $ATLAS_STATE" >> "{told}"\ntest -f "$2"\n')
    script.chmod(0o755)
    monkeypatch.setenv(ON_SUCCESS, f"{script} good")
    monkeypatch.setenv(ON_FAILURE, f"{script} bad")
    return told


def status_of(order: Order) -> dict[str, object]:
    return dict(json.loads((order.root / "status.json").read_text(encoding="utf-8")))


def assert_whole(root: Path) -> None:
    """Readers see an edition of which every file is as its manifest says."""
    public = Shop(root).public
    for name, told in read_manifest(public)["files"].items():
        assert sha256_of((public / name).read_bytes()) == told["sha256"], name


def broken(*_: object) -> None:
    raise RuntimeError("of no kind that anybody thought of")


def test_a_run_tells_of_itself_in_status_report_heartbeat_and_hook(
    order: Order, hooks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts: list[str] = []
    report = carry_out(order, tell=texts.append)
    assert report.state == "published"
    assert_whole(order.root)
    assert status_of(order)["run_id"] == report.run_id
    folder = order.var / "runs" / report.run_id
    assert json.loads((folder / "report.json").read_text(encoding="utf-8")) == status_of(order)
    told = (folder / "report.md").read_text(encoding="utf-8")
    assert told == texts[0] == (order.root / "public" / "status.md").read_text(encoding="utf-8")
    assert "| publish |" in told
    beat = read_beat(order.var)
    assert (beat["state"], beat["run"], beat["step"]) == ("published", report.run_id, "publish")
    assert beat["last_good"]["run"] == report.run_id
    assert fault(order.var, timedelta(hours=1)) == ""
    assert hooks.read_text() == "good published\n"

    monkeypatch.setattr(run.steps, "join", broken)
    with pytest.raises(RuntimeError):
        carry_out(order.model_copy(update={"as_of": datetime(2027, 1, 1, tzinfo=UTC).date()}))
    status = status_of(order)
    assert (status["run"], status["edition"]) == ("failed", report.edition)
    assert status["why"] == "RuntimeError: of no kind that anybody thought of"
    assert hooks.read_text() == "good published\nbad failed\n"
    assert read_beat(order.var)["last_good"]["run"] == report.run_id
    assert_whole(order.root)

    shop = Shop(order.root)
    monkeypatch.undo()
    newer = carry_out(order.model_copy(update={"as_of": datetime(2027, 1, 1, tzinfo=UTC).date()}))
    shop.rollback()
    again = order.model_copy(update={"as_of": datetime(2027, 1, 1, tzinfo=UTC).date()})
    held = carry_out(again)
    assert (held.state, shop.current()) == ("held", report.edition)
    assert "--accept rollback" in held.why
    assert carry_out(again, accept=("rollback",)).state == "published"
    assert shop.current() == newer.edition


def test_a_refused_row_is_told_at_its_record_and_holds_nothing_up(tree: Tree, order: Order) -> None:
    tree.set("positions", 0, geometry="LINESTRING (105.5 9.8, 105.5 9.8)")
    assert carry_out(order).state == "published"
    page = (order.root / "public" / "en" / "places" / "kcn-a" / "index.html").read_text("utf-8")
    assert "A row about this record was refused:" in page
    assert "Too few points in geometry component" in page


def test_a_run_that_could_not_end_is_reported_by_the_next_one(order: Order, hooks: Path) -> None:
    order.var.mkdir(parents=True)
    began = "2026-11-24T18:30:00+00:00"
    write_beat(order.var, run="r-cut", pid=1, state="running", began=began, step="draw")
    report = carry_out(order)
    assert report.notes == [f"run r-cut of {began} did not end: cut at draw"]
    assert status_of(order)["notes"] == report.notes
    kept = json.loads((order.var / "runs" / "r-cut" / "report.json").read_text(encoding="utf-8"))
    assert kept["run"] == "cut"
    assert hooks.read_text() == "bad cut\ngood published\n"


def test_an_unchanged_night_reads_and_checks_nothing_again_and_tells_the_same(
    tree: Tree, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.set("claims", 0, value="-1")  # refused, and told every night
    carry_out(order)
    first = status_of(order)
    monkeypatch.setattr(intake, "check_sheets", broken)
    assert carry_out(order).state == "unchanged"
    again = status_of(order)
    for name in ("counts", "findings", "findings_listed", "quarantined", "sources"):
        assert again[name] == first[name], name
    tree.set("claims", 0, value="101")
    with pytest.raises(RuntimeError):
        carry_out(order)


def test_what_a_run_left_that_did_not_end_well_is_not_used(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry_out(order)
    (order.work / "tables" / "claims.parquet").write_bytes(b"torn by a power cut")
    monkeypatch.setattr(run.steps, "join", broken)
    later = order.model_copy(update={"as_of": datetime(2027, 1, 2, tzinfo=UTC).date()})
    with pytest.raises(Exception, match="[Pp]arquet|nobody"):
        carry_out(later)
    monkeypatch.undo()
    assert carry_out(later).state == "published"


def test_nights_that_were_missed_are_caught_up_once(order: Order) -> None:
    due = [datetime.now(UTC) - timedelta(days=days) for days in (7, 6, 5, 4, 3, 2, 1)]
    states = [carry_out(order, due=night).state for night in due]
    assert states == ["published", *["skipped"] * 6]
    assert len(Shop(order.root).listed()) == 1
    assert len(list((order.var / "runs").iterdir())) == 1
    assert carry_out(order, due=datetime.now(UTC)).state == "unchanged"


@pytest.mark.parametrize("text", ["", "36", "36h", "90m", "2d"])
def test_an_age_is_read(text: str) -> None:
    if text:
        assert read_age(text).total_seconds() == {"36": 36, "36h": 129_600, "90m": 5_400}.get(
            text, 172_800
        )
    else:
        with pytest.raises(UsageError, match="write it as 36h"):
            read_age(text)


def test_a_monitor_is_told_of_a_run_that_is_too_old_or_never_was(tmp_path: Path) -> None:
    assert "no run has ended well yet" in fault(tmp_path, timedelta(hours=36))
    ended = {"ended": (datetime.now(UTC) - timedelta(hours=40)).isoformat()}
    write_beat(tmp_path, state="failed", why="no network", last_good=ended)
    assert "ended 40 h ago" in fault(tmp_path, timedelta(hours=36))
    assert "failed: no network" in fault(tmp_path, timedelta(hours=36))
    assert fault(tmp_path, timedelta(hours=41)) == ""
    (tmp_path / "heartbeat.json").write_text("[")
    assert "no run has ended well yet" in fault(tmp_path, timedelta(hours=36))
