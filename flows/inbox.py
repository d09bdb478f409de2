"""The inbox of one run: which workbooks lie there, which are new, and the answers to all."""

import contextlib
import functools
import logging
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from xlsxwriter.exceptions import FileCreateError

from atlas.form import write_form
from atlas.template import answer_form
from atlas.words import Words, read_words
from flows.order import Order, in_region, today
from flows.work import read_collected, read_json, write_json
from geodata.archive import Archive, sha256_of
from geodata.corrections import apply_corrections
from geodata.errors import AtlasError, SourceError, UsageError
from geodata.handin import Handed, read_handed
from geodata.inbox import Workbook, keep, taken
from geodata.judge import Held, hold, judge, read_incoming
from geodata.read import Sheet
from geodata.reader import Reader
from geodata.workbook import Vocabulary
from geodata.xlsx import LIMITS, CellReader, Grid, WorkbookError, read_workbook

log = logging.getLogger("atlas.inbox")

ANSWER = ".answer.xlsx"
LOCKS = ("~$", ".~lock", ".")
KINDS = (".xlsx", ".xlsm", ".xls", ".xltx", ".ods")


@dataclass(frozen=True)
class Dropped:
    """One file of the inbox: its bytes, or why it has to wait."""

    path: Path
    content: bytes = b""
    why: str = ""


def list_dropped(folder: Path, asked: bool) -> list[Dropped]:
    """Return what lies in the inbox, by name. UsageError where a folder asked for is none.

    Locks, answers and folders are passed over; what is no workbook, too large, a link or still
    growing waits for another night.
    """
    if not folder.is_dir():
        if asked:
            raise UsageError(f"--inbox {folder} is not a folder; name the one planners drop into")
        return []
    names = sorted(p for p in folder.iterdir() if not p.name.startswith(LOCKS))
    return [_read(p) for p in names if not p.is_dir() and not p.name.endswith(ANSWER)]


def _read(path: Path) -> Dropped:
    if path.suffix.lower() not in KINDS:
        return Dropped(path, why="no workbook; hand in an .xlsx")
    try:
        before = path.lstat()
        if not stat.S_ISREG(before.st_mode):
            return Dropped(path, why="a link or no file; drop the workbook itself")
        if before.st_size > LIMITS.bytes:
            return Dropped(path, why=f"{before.st_size} bytes, more than {LIMITS.bytes}")
        content = path.read_bytes()
        after = path.lstat()
    except OSError as error:
        return Dropped(path, why=f"cannot be read ({error.strerror})")
    if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        return Dropped(path, why="still being copied")
    return Dropped(path, content)


@in_region
def take(order: Order) -> Path:
    """Judge every new workbook of the inbox, keep the judgement, and leave what has to wait.

    A past day that is rebuilt takes none: what lies in the inbox was not known then.
    """
    path = order.work / "inbox.waiting.json"
    if order.looks_back:
        write_json(path, [])
        return path
    day = today().isoformat()
    with Reader() as reader:
        waiting = take_inbox(order, lambda: _read_base(order, reader), day, reader.cells)
    write_json(path, waiting)
    return path


def read_waiting(order: Order) -> list[tuple[str, str]]:
    """Return which files of the inbox have to wait, and why."""
    path = order.work / "inbox.waiting.json"
    if not path.is_file():
        return []
    return [(name, why) for name, why in read_json(path)]


def inbox_status(order: Order) -> dict[str, object]:
    """Return who handed in what and what became of it, and which files have to wait."""
    return {
        "workbooks": [
            {
                "name": w.name,
                "agency": w.cover.agency,
                "author": w.cover.author,
                "handed_on": w.cover.handed_on,
                "taken_on": w.taken_on,
                "rows": len(w.rows),
                "accepted": len(w.accepted),
                "refused": len(w.rejected),
                "why": w.refused.rule if w.refused else "",
                "sha256": w.sha256,
            }
            for w in taken(Archive(order.archive))
        ],
        "waiting": [{"name": name, "why": why} for name, why in read_waiting(order)],
    }


def _read_base(order: Order, reader: Reader) -> list[Sheet]:
    archive = Archive(order.archive)
    return [
        apply_corrections(reader.sheet(c.source, c.files[0], archive))
        for c in read_collected(order)
        if c.source.table and c.files
    ]


def take_inbox(
    order: Order, read_base: Callable[[], list[Sheet]], day: str, read: CellReader
) -> list[tuple[str, str]]:
    """Take what is new and answer what is not answered; return what has to wait, and why.

    The order within each workbook is: bytes, judgement, log, answer. A run that is cut after any
    of them is made good by the next one.
    """
    dropped = list_dropped(order.inbox_folder, order.inbox is not None)
    if not dropped:
        return []
    night = _Night(order, read_base, day, read)
    waiting = [(d.path.name, d.why or night.take(d)) for d in dropped]
    for name, why in waiting:
        if why:
            log.info("%s waits: %s", name, why)
    return [(name, why) for name, why in waiting if why]


class _Night:
    """The taking of one run: what was taken before, and what new workbooks are judged against."""

    def __init__(
        self, order: Order, read_base: Callable[[], list[Sheet]], day: str, read: CellReader
    ) -> None:
        self.read = read
        self.archive, self.today = Archive(order.archive), day
        self.read_base = functools.cache(read_base)
        self.words = read_words(order.site / "words")
        self.known = {w.sha256: w for w in taken(self.archive)}
        self.held: Held | None = None

    def take(self, dropped: Dropped) -> str:
        """Take one file, or return why it has to wait."""
        sha256 = sha256_of(dropped.content)
        is_new = sha256 not in self.known
        if is_new:
            try:
                workbook = self._judge(dropped)
            except SourceError as error:
                return f"the atlas's own sources are broken: {error}"
            except AtlasError as error:
                return str(error)
            keep(self.archive, workbook)
            self.known[sha256] = workbook
            log.info("%s: %s", dropped.path.name, counted(workbook))
        return self._answer(dropped, self.known[sha256], is_new)

    def _judge(self, dropped: Dropped) -> Workbook:
        incoming = read_incoming(dropped.path.name, dropped.content, self.today, self.read)
        workbook = judge(incoming, self._hold)
        self.archive.put(dropped.content)
        return workbook

    def _hold(self) -> Held:
        told = tuple(self.known.values())
        if self.held is None:
            self.held = hold(self.read_base(), told, self.words["vi"].texts)
        return replace(self.held, workbooks=told)

    def _answer(self, dropped: Dropped, workbook: Workbook, is_new: bool) -> str:
        """Write the answer beside the workbook, unless a newer one lies there."""
        path = answer_path(dropped.path)
        try:
            is_due = is_new or path.stat().st_mtime_ns < dropped.path.stat().st_mtime_ns
        except OSError:
            is_due = True
        if not is_due:
            return ""
        new = path.with_name(f".{path.name}.new")
        try:
            write_answer(new, workbook, self._cells(dropped), self.words, self._vocabulary())
            new.replace(path)
        except (OSError, AtlasError, FileCreateError) as error:
            return f"taken, but its answer cannot be written: {error}"
        return ""

    def _cells(self, dropped: Dropped) -> Mapping[str, Grid]:
        try:
            return read_workbook(dropped.content, self.read)
        except WorkbookError:
            return {}

    def _vocabulary(self) -> Vocabulary:
        told = tuple(self.known.values())
        return Held(tuple(self.read_base()), told, self.words["vi"].texts, frozenset()).words


def answer_path(path: Path) -> Path:
    """Return where the answer to a workbook lies."""
    is_usual = path.suffix.lower() == KINDS[0]
    return path.with_name(f"{path.stem if is_usual else path.name}{ANSWER}")


def write_answer(
    path: Path,
    workbook: Workbook,
    cells: Mapping[str, Grid],
    words: Mapping[str, Words],
    lists: Vocabulary,
) -> None:
    """Write the answer to a workbook from its cells, if it has any, and its judgement."""
    handed: Handed | None = None
    with contextlib.suppress(WorkbookError):
        handed = read_handed(cells, lists)
    write_form(path, answer_form(workbook, handed, words["vi"]), words, lists)


def counted(workbook: Workbook) -> str:
    """Say in one line what became of a workbook."""
    if workbook.refused:
        return f"refused as a whole: {workbook.refused.rule}: {workbook.refused.found}"
    counts = len(workbook.rows), len(workbook.accepted), len(workbook.rejected)
    return "{} rows: {} accepted, {} refused".format(*counts)
