"""A whole archive is told so; each fault in it is named with the next move."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from builds import run_atlas
from geodata.archive import Archive, Stored
from geodata.audit import audit


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """Return an archive of one source with two files."""
    made = Archive(tmp_path / "var" / "archive")
    files = (Stored("a.csv", made.put(b"first")), Stored("b.csv", made.put(b"second")))
    made.accept("sheet_a", files, "2026-01-05")
    return made


def held(archive: Archive, content: bytes) -> Path:
    return archive.path_of(archive.put(content))


def test_a_whole_archive_is_counted_and_has_no_fault(archive: Archive) -> None:
    found = audit(archive)
    assert (found.objects, found.size, found.entries) == (2, 11, 1)
    assert found.faults == ()


def test_an_archive_that_is_not_there_yet_is_whole(tmp_path: Path) -> None:
    assert audit(Archive(tmp_path / "none")).faults == ()


def test_a_changed_object_is_named_with_the_next_move(archive: Archive) -> None:
    path = held(archive, b"first")
    path.write_bytes(b"First")
    (fault,) = audit(archive).faults
    assert f"objects/{path.name[:2]}/{path.name} no longer matches its name; remove it" in fault


def test_a_lost_object_is_named_with_the_source_that_needs_it(archive: Archive) -> None:
    path = held(archive, b"second")
    path.unlink()
    (fault,) = audit(archive).faults
    assert f"{path.name} is gone and belongs to sheet_a (accepted.jsonl)" in fault
    assert "from a copy of the archive" in fault


def test_bytes_held_and_never_accepted_are_no_fault(archive: Archive) -> None:
    archive.put(b"refused that night")
    assert audit(archive).faults == ()


def test_an_object_named_deep_in_any_log_is_looked_for(archive: Archive) -> None:
    gone = "ab" * 32
    archive.append("editions", {"edition": "2026-01-05-x", "of": {"inputs": [gone]}, "key": gone})
    assert [f"{gone} is gone and belongs to 2026-01-05-x" in f for f in audit(archive).faults] == [
        True
    ]


@pytest.mark.parametrize("tail", [b'{"files": [["a.csv", "3f', b"{", b"\0\0\0\0"])
def test_what_a_cut_leaves_is_counted_and_is_no_fault(archive: Archive, tail: bytes) -> None:
    with archive.path_of_log("accepted").open("ab") as log:
        log.write(tail)
    archive.accept("sheet_a", (Stored("a.csv", archive.put(b"third")),), "2026-01-06")
    (archive.path_of("ab" * 32).parent).mkdir(exist_ok=True)
    archive.path_of("ab" * 32).with_name(".tmp").write_bytes(b"half")
    found = audit(archive)
    assert (found.torn, found.unfinished, found.entries) == (1, 1, 2)
    assert found.faults == ()


@pytest.mark.parametrize("line", [b'{"source_id": sheet}', b"<html>", b"17", b"\xff\xfe{}"])
def test_a_line_that_no_cut_explains_is_a_fault(archive: Archive, line: bytes) -> None:
    with archive.path_of_log("accepted").open("ab") as log:
        log.write(line + b"\n")
    (fault,) = audit(archive).faults
    assert "accepted.jsonl line 3 is no entry" in fault


def test_a_stranger_among_the_objects_is_named(archive: Archive) -> None:
    (archive.folder / "objects" / "no").mkdir()
    (archive.folder / "objects" / "no" / "notes.txt").write_text("x", encoding="utf-8")
    (fault,) = audit(archive).faults
    assert fault == "objects/no/notes.txt is no object of the archive; move it away"


def test_every_fault_is_told_at_once(archive: Archive) -> None:
    held(archive, b"first").write_bytes(b"")
    held(archive, b"second").unlink()
    with archive.path_of_log("accepted").open("ab") as log:
        log.write(b"[]\n")
    assert len(audit(archive).faults) == 3


def test_an_archive_is_whole_at_any_moment_while_a_run_writes(archive: Archive) -> None:
    over = threading.Event()

    def write() -> None:
        number = 0
        while not over.is_set():
            number += 1
            stored = Stored("a.csv", archive.put(str(number).encode() * 9_000))
            archive.accept("sheet_a", (stored,), "2026-01-06")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert [fault for _ in range(25) for fault in audit(archive).faults] == []
    finally:
        over.set()
        writer.join()


TWO_WRITERS = """
import sys
from pathlib import Path
from geodata.archive import Archive, Stored

archive, name = Archive(Path(sys.argv[1])), sys.argv[2]
for number in range(60):
    content = f"{name} {number}".encode()
    archive.accept(name, (Stored("a" * 3000, archive.put(content)),), "2026-01-05")
    archive.put(f"shared {number}".encode())
"""


def test_two_writers_lose_nothing_and_tear_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", TWO_WRITERS, str(tmp_path)]
    writers = [subprocess.Popen([*command, name]) for name in ("sheet_a", "sheet_b")]
    assert [writer.wait() for writer in writers] == [0, 0]
    found = audit(Archive(tmp_path))
    assert (found.entries, found.torn, found.faults) == (120, 0, ())
    assert found.objects == 180


def test_the_command_tells_a_whole_archive_and_a_broken_one_apart(archive: Archive) -> None:
    root = archive.folder.parents[1]
    whole = run_atlas("check", "--archive", "--out", root)
    assert (whole.returncode, whole.stderr) == (0, "")
    assert "2 objects, 11 bytes, 1 entries; 0 faults" in whole.stdout
    held(archive, b"first").write_bytes(b"")
    broken = run_atlas("check", "--archive", "--out", root)
    assert broken.returncode == 1
    assert "no longer matches its name; remove it" in broken.stdout
