import hashlib
import json
import os
import signal
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata.archive import (
    Archive,
    ArchiveError,
    Stored,
    sha256_of,
    sha256_of_all,
    sha256_of_file,
)

EMPTY = hashlib.sha256(b"").hexdigest()


def accepted(archive: Archive, source_id: str, content: bytes) -> tuple[Stored, ...]:
    files = (Stored("tệp.csv", archive.put(content)),)
    archive.accept(source_id, files, "2026-01-05")
    return files


def log_of(archive: Archive) -> Path:
    return archive.folder / "accepted.jsonl"


def objects_are_whole(archive: Archive) -> bool:
    held = [p for p in (archive.folder / "objects").glob("*/*") if not p.name.startswith(".")]
    return all(sha256_of(path.read_bytes()) == path.name for path in held)


@given(content=st.binary())
def test_what_is_put_comes_back_byte_for_byte(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    archive = Archive(tmp_path_factory.getbasetemp() / "shared-archive")
    assert archive.get(archive.put(content)) == content


def test_bytes_lie_under_their_checksum(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    assert archive.put(b"") == EMPTY
    assert archive.path_of(EMPTY) == tmp_path / "objects" / "e3" / EMPTY
    assert archive.has(EMPTY)
    assert not archive.has(sha256_of(b"other"))


def test_the_same_bytes_are_kept_once(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    path = archive.path_of(archive.put(b"same"))
    before = path.stat().st_ino
    archive.put(b"same")
    assert path.stat().st_ino == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_bytes_that_were_never_put_are_refused_with_the_next_move(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="run atlas refresh to collect it"):
        Archive(tmp_path / "not-there").get(EMPTY)


@pytest.mark.parametrize("damage", [b"", b"tru", b"truth\n", b"trutH", b"\x00" * 5])
def test_an_object_that_is_no_longer_what_it_was_is_refused(tmp_path: Path, damage: bytes) -> None:
    archive = Archive(tmp_path)
    path = archive.path_of(archive.put(b"truth"))
    path.write_bytes(damage)
    with pytest.raises(ArchiveError, match="remove it and collect again"):
        archive.get(path.name)
    path.unlink()
    assert archive.get(archive.put(b"truth")) == b"truth"


def test_a_source_of_one_file_has_the_checksum_of_that_file() -> None:
    one = Stored("a.csv", sha256_of(b"a"))
    assert sha256_of_all((one,)) == sha256_of(b"a")


def test_the_checksum_of_several_files_tells_names_contents_and_order() -> None:
    a, b = Stored("a", sha256_of(b"1")), Stored("b", sha256_of(b"2"))
    sums = {
        sha256_of_all(files)
        for files in [(a, b), (b, a), (a, a), (a,), (a, Stored("c", b.sha256)), ()]
    }
    assert len(sums) == 6


def test_the_last_good_copy_is_the_one_accepted_last(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    assert archive.last_good("sheet_a") == ()
    accepted(archive, "sheet_a", b"first")
    accepted(archive, "sheet_b", b"other")
    second = accepted(archive, "sheet_a", b"second")
    assert archive.last_good("sheet_a") == second
    assert Archive(tmp_path).last_good("sheet_a") == second
    assert archive.last_good("sheet") == ()


def test_an_archive_is_made_where_there_is_none_yet(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "var" / "archive")
    archive.accept("layer_a", (Stored("a", EMPTY),), "2026-01-05")
    assert log_of(archive).is_file()
    assert archive.last_good("layer_a") == ()
    archive.put(b"")
    assert archive.last_good("layer_a") == (Stored("a", EMPTY),)


def test_accepting_the_same_again_adds_no_line(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    accepted(archive, "sheet_a", b"first")
    before = log_of(archive).read_bytes()
    accepted(archive, "sheet_a", b"first")
    assert log_of(archive).read_bytes() == before


def test_going_back_to_an_older_copy_is_a_line_of_its_own(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    first = accepted(archive, "sheet_a", b"first")
    accepted(archive, "sheet_a", b"second")
    accepted(archive, "sheet_a", b"first")
    assert archive.last_good("sheet_a") == first
    assert len(log_of(archive).read_text(encoding="utf-8").split()) > 2


def test_the_log_is_only_ever_added_to_and_keeps_vietnamese_readable(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    accepted(archive, "sheet_a", b"first")
    before = log_of(archive).read_bytes()
    accepted(archive, "sheet_a", b"second")
    assert log_of(archive).read_bytes().startswith(before)
    assert "tệp.csv" in before.decode()
    assert json.loads(before)["retrieved_on"] == "2026-01-05"


def test_a_copy_of_which_a_file_is_gone_is_no_last_good_copy(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    files = (Stored("a", archive.put(b"a")), Stored("b", archive.put(b"b")))
    archive.accept("layer_a", files, "2026-01-05")
    archive.path_of(files[1].sha256).unlink()
    assert archive.last_good("layer_a") == ()
    archive.put(b"b")
    assert archive.last_good("layer_a") == files


def test_a_log_torn_at_any_byte_is_read_up_to_the_tear_and_written_on(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    first = accepted(archive, "sheet_a", b"first")
    whole = len(log_of(archive).read_bytes())
    second = accepted(archive, "sheet_a", b"second")
    log = log_of(archive).read_bytes()
    third = (Stored("tệp.csv", archive.put(b"third")),)
    for cut in range(whole, len(log)):
        log_of(archive).write_bytes(log[:cut])
        assert archive.last_good("sheet_a") == first
        archive.accept("sheet_a", third, "2026-01-06")
        assert archive.last_good("sheet_a") == third
        archive.accept("sheet_a", second, "2026-01-07")
        assert archive.last_good("sheet_a") == second


@pytest.mark.parametrize(
    "line",
    [
        b"\x00\x00\x00\x00",
        b"\xc3",
        b"\xff\xfe{\x00}\x00",
        b"null",
        b"17",
        b'"sheet_a"',
        b"[]",
        b"{}",
        b'{"source_id": "sheet_a"}',
        b'{"source_id": "sheet_a", "files": 5}',
        b'{"source_id": "sheet_a", "files": [["a"]]}',
        b'{"source_id": "sheet_a", "files": [["a", "b", "c"]]}',
        b'{"files": []}',
        b"<html>",
    ],
)
def test_a_line_that_is_no_entry_hides_none_of_the_others(tmp_path: Path, line: bytes) -> None:
    archive = Archive(tmp_path)
    first = accepted(archive, "sheet_a", b"first")
    with log_of(archive).open("ab") as log:
        log.write(line + b"\n")
    assert archive.last_good("sheet_a") == first
    second = accepted(archive, "sheet_a", b"second")
    assert archive.last_good("sheet_a") == second


DIE_AT_EVERY_LINE = """
import os, signal, sys
from pathlib import Path
from geodata import archive

def die_at(step):
    seen = 0
    def look(frame, event, told):
        nonlocal seen
        seen += 1
        if seen == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return look
    def enter(frame, event, told):
        return look(frame, event, told) if frame.f_code.co_filename == archive.__file__ else None
    return enter

def accept(store, content):
    files = (archive.Stored("tệp.csv", store.put(content)),)
    store.accept("sheet_a", files, "2026-01-05")

step, status = 0, 1
while status:
    step += 1
    store = archive.Archive(Path(sys.argv[1]) / str(step))
    accept(store, b"first")
    child = os.fork()
    if not child:
        sys.settrace(die_at(step))
        accept(store, b"second")
        os._exit(0)
    status = os.waitpid(child, 0)[1]
"""


def test_a_process_killed_at_any_line_leaves_a_whole_archive(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", DIE_AT_EVERY_LINE, str(tmp_path)], check=True)
    first, second = sha256_of(b"first"), sha256_of(b"second")
    held = {}
    for folder in tmp_path.iterdir():
        archive = Archive(folder)
        assert objects_are_whole(archive)
        held[int(folder.name)] = [f.sha256 for f in archive.last_good("sheet_a")]
        accepted(archive, "sheet_a", b"second")
        assert [f.sha256 for f in archive.last_good("sheet_a")] == [second]
    states = [held[step] for step in sorted(held)]
    assert [first] in states
    assert [second] in states
    assert states == sorted(states, key=[[first], [second]].index)


PUT_WITHOUT_END = """
import sys
from pathlib import Path
from geodata.archive import Archive, Stored

archive = Archive(Path(sys.argv[1]))
number = 0
while True:
    number += 1
    content = str(number).encode() * 300_000
    files = (Stored("tệp.csv", archive.put(content)),)
    archive.accept("sheet_a", files, "2026-01-05")
    sys.stdout.write(files[0].sha256 + "\\n")
    sys.stdout.flush()
"""


@pytest.mark.parametrize("after", [1, 4])
def test_a_process_killed_while_it_writes_loses_nothing_it_had_accepted(
    tmp_path: Path, after: int
) -> None:
    command = [sys.executable, "-c", PUT_WITHOUT_END, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        told = [writer.stdout.readline().strip() for _ in range(after)]
        os.kill(writer.pid, signal.SIGKILL)
        told += writer.stdout.read().split()
    archive = Archive(tmp_path)
    assert writer.returncode == -signal.SIGKILL
    assert objects_are_whole(archive)
    assert all(sha256_of(archive.get(sha256)) == sha256 for sha256 in told)
    last = archive.last_good("sheet_a")
    numbered = [sha256_of(str(n).encode() * 300_000) for n in range(1, len(told) + 2)]
    assert last[0].sha256 in numbered[-2:]
    assert archive.last_good("sheet_a") == last
    assert accepted(archive, "sheet_a", b"after the crash") == archive.last_good("sheet_a")


def test_a_file_is_kept_as_its_bytes_would_be_and_never_held_in_memory(tmp_path: Path) -> None:
    archive, path = Archive(tmp_path / "archive"), tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(60_000_000)
    tracemalloc.start()
    sha256 = archive.put_file(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000
    assert sha256 == sha256_of_file(path)
    kept = archive.path_of(sha256)
    before = kept.stat().st_ino
    assert archive.put_file(path) == archive.put(path.read_bytes()) == sha256
    assert kept.stat().st_ino == before
    kept.write_bytes(b"torn")
    assert archive.put_file(path) == sha256
    assert archive.get(sha256) == path.read_bytes()
    assert not [*archive.folder.glob("incoming/*")]


def test_what_lies_there_damaged_is_put_right_by_the_same_bytes(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    path = archive.path_of(archive.put(b"truth"))
    path.write_bytes(b"trut")
    archive.put(b"truth")
    assert archive.get(path.name) == b"truth"


def test_an_entry_that_is_the_last_one_already_is_not_appended_again(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    for entry in ({"a": [1, 2]}, {"a": [1, 2]}, {"b": "Á"}, {"a": [1, 2]}):
        archive.append("editions", entry)
    assert archive.entries("editions") == [{"a": [1, 2]}, {"b": "Á"}, {"a": [1, 2]}]
