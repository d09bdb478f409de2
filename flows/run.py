"""One run of all steps, with or without Prefect: alone, recorded, and told when it ends."""

import gc
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, ParamSpec, Protocol, TypeVar

from atlas.editions import ROLLBACK, Inputs, Shop
from flows import inbox, intake, judge, steps
from flows.delivery import deliver_all
from flows.heartbeat import GOOD, RUNNING, now, read_beat, write_beat
from flows.hooks import ON_FAILURE, ON_SUCCESS, call_hook
from flows.lock import run_lock
from flows.memory import MEGABYTE, Watch
from flows.order import Order, Report, in_region
from flows.report import keep_report, markdown, status
from flows.work import give_back, notes_taken, take_note, take_sparingly
from geodata.errors import AtlasError, DeliveryError

log = logging.getLogger("atlas.run")

UNDELIVERED = "undelivered"
"""The edition is published here, but a target has not got it."""

FULL_BYTES = 50_000_000
"""Less room than a few editions take: a run that fails here most likely fails of that."""

P = ParamSpec("P")
R = TypeVar("R")


class Do(Protocol):
    """How a step is done: called, or as one of Prefect's tasks."""

    def __call__(self, step: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Do one step."""
        ...


def plainly(step: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Do a step by calling it."""
    return step(*args, **kwargs)


@in_region
def carry_out(
    order: Order,
    accept: tuple[str, ...] = (),
    do: Do = plainly,
    due: datetime | None = None,
    tell: Callable[[str], object] = len,
) -> Report:
    """Run all steps once, alone. Raises AtlasError where it refuses or cannot go on.

    Whatever happens, the last edition stays up, and ``status.json``, the heartbeat, the kept
    report and the hooks say why. A run that was ``due`` before another one began is not needed
    any more: nights that were missed are caught up once. ``tell`` gets the report for people.
    """
    take_sparingly()
    with run_lock(order):
        last = read_beat(order.var)
        served = last.get("last_ended", {})
        if due and served and datetime.fromisoformat(served["began"]) >= due:
            return Report(state="skipped", why=f"run {served['run']} began after this was due")
        report = Report(run_id=f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{os.getpid()}")
        with _recorded(order, report, tell):
            if last.get("state") not in GOOD:  # what a run left that did not end well is not used
                shutil.rmtree(order.work, ignore_errors=True)
            order.work.mkdir(parents=True, exist_ok=True)
            notes_taken(order)  # those of a run that was cut
            with _set_aside(), Watch(order.memory, give_back) as report.watch:
                _run(order, accept, report, do)
    return report


@contextmanager
def _set_aside() -> Iterator[None]:
    """Spare the collector of garbage all that was there before: libraries, above all."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextmanager
def _recorded(order: Order, report: Report, tell: Callable[[str], object]) -> Iterator[None]:
    """Say that a run began, and at the end, however it comes, what became of it."""
    began = now()
    cut = read_beat(order.var)
    if cut.get("state") == RUNNING:
        _tell_cut(order, report, cut)
    try:
        _beat(order, run=report.run_id, pid=os.getpid(), state=RUNNING, began=began, ended=None)
        yield
    except AtlasError as error:
        report.state, report.why = "refused", str(error)
        raise
    except BaseException as error:
        report.state, report.why = "failed", _why(order, error)
        raise
    finally:
        if report.state not in GOOD:
            Shop(order.root).discard_draft()
        tell(_record(order, report, began))
    if report.state == UNDELIVERED:
        raise DeliveryError(report.why)


def _why(order: Order, error: BaseException) -> str:
    """Say what stopped a run, and whether the disk was full: few libraries say so themselves."""
    free = shutil.disk_usage(order.root).free
    full = f"; {free} bytes are free at {order.root}" if free < FULL_BYTES else ""
    return f"{type(error).__name__}: {error}{full}"


def _tell_cut(order: Order, report: Report, cut: dict[str, Any]) -> None:
    """Report, in its place, a run that could not do so itself: killed, or without power."""
    told = f"run {cut.get('run')} of {cut.get('began')} did not end: cut at {cut.get('step')}"
    log.warning("%s", told)
    report.notes.append(told)
    of_cut = Report(run_id=str(cut.get("run")), state="cut", why=told)
    with suppress(OSError):
        path = keep_report(order, status(order, of_cut))
        call_hook(ON_FAILURE, path, _summary(of_cut))


def _summary(report: Report) -> dict[str, Any]:
    return {
        "run": report.run_id,
        "state": report.state,
        "why": report.why,
        "edition": report.edition,
        "notes": report.notes,
        "duration_s": report.seconds,
        "memory_mb": report.megabytes,
    }


def _beat(order: Order, **told: object) -> None:
    """Write the heartbeat; a disk too full for that stops no run that it does not stop itself."""
    try:
        write_beat(order.var, **told)
    except OSError as error:
        log.error("the heartbeat cannot be written: %s", error)


def _record(order: Order, report: Report, began: str) -> str:
    """Leave the records of an ended run and return the one for people.

    Each is made on its own: where one fails, the others are made.
    """
    report.notes += notes_taken(order)
    shop, told = Shop(order.root), status(order, report)
    _write(shop, told)
    faults = deliver_all(shop, () if order.looks_back else order.publish_to)
    if faults:
        report.notes += faults
        if report.state in GOOD:
            report.state, report.why = UNDELIVERED, "; ".join(faults)
        told = status(order, report)
        _write(shop, told)
    ended = {"run": report.run_id, "began": began, "ended": now(), "state": report.state}
    good = {"last_good": ended} if report.state in GOOD else {}
    path = order.var / "runs" / report.run_id / "report.json"
    _beat(order, **ended, why=report.why, edition=told["edition"], last_ended=ended, **good)
    try:
        keep_report(order, told)
    except OSError as error:
        log.error("the run's report cannot be kept: %s", error)
    call_hook(ON_SUCCESS if good else ON_FAILURE, path, _summary(report))
    return markdown(told)


def _write(shop: Shop, told: dict[str, Any]) -> None:
    try:
        shop.write_status(told, markdown(told))
    except OSError as error:
        log.error("the run's record cannot be written: %s", error)


@contextmanager
def _step(order: Order, report: Report, name: str) -> Iterator[None]:
    _beat(order, step=name)
    with report.timed(name):
        yield
        give_back()
    _weigh(order, report, name)


def _weigh(order: Order, report: Report, name: str) -> None:
    """Tell how much memory a step took, and where that is more than the run was to take."""
    peak = report.watch.peak() if report.watch else 0
    if not peak:
        return
    report.megabytes[name] = peak // MEGABYTE
    if peak > order.memory:
        allowed = order.memory // MEGABYTE
        take_note(
            order,
            f"{name} took {report.megabytes[name]} MB of memory, more than the {allowed} MB it was "
            "to take; give --memory more, or a machine that has more",
        )


def _run(order: Order, accept: tuple[str, ...], report: Report, do: Do) -> None:
    with _step(order, report, "collect"):
        collected = do(intake.collect, order)
        do(inbox.take, order)
        inputs = intake.inputs_of(order)
    report.edition, report.as_of = inputs.edition, inputs.as_of
    with _step(order, report, "check"):
        tables = do(intake.check, order, collected)
        intake.refuse_broken_sources(order)
    if _needs_no_edition(order, inputs, accept, report):
        return
    with _step(order, report, "resolve"):
        facts = do(steps.resolve_claims, order, tables)
    with _step(order, report, "join"):
        positions = do(steps.join, order, facts)
    with _step(order, report, "measure"):
        do(steps.measure, order, positions, inputs.as_of)
    with _step(order, report, "compare"):
        do(judge.compare, order, inputs, accept)
        report.accepted = judge.accepted(order)
    _publish(order, inputs, report, do)


def _needs_no_edition(
    order: Order, inputs: Inputs, accept: tuple[str, ...], report: Report
) -> bool:
    shop = Shop(order.root)
    if inputs.key == shop.current_key():
        report.state = "unchanged"
    elif shop.is_held(inputs.key) and ROLLBACK not in accept:
        report.state = "held"
        report.why = (
            "a person went back from the edition of these very inputs; it is published again when "
            "an input changes, or with --accept rollback"
        )
    else:
        return False
    report.edition = shop.current()
    return True


def _publish(order: Order, inputs: Inputs, report: Report, do: Do) -> None:
    with _step(order, report, "draw"):
        draft = do(steps.draw, order, inputs)
    with _step(order, report, "verify"):
        report.pages = do(steps.verify, order, draft)
    with _step(order, report, "publish"):
        do(steps.publish, order, draft, inputs.edition)
    report.state = "published"
