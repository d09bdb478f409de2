"""The commands that run the steps: once, only the checks, every night."""

import os
import sys
from pathlib import Path

import click
from rich.table import Table

from flows.cli.options import (
    CLUSTER,
    CONTACT_MAIL,
    FINDINGS,
    INBOX,
    MEMORY,
    MIRROR,
    OFFLINE,
    ON_FAILURE,
    ON_SUCCESS,
    OUT,
    PUBLISH_TO,
    REGION_AT,
    SITE_URL,
    SOURCES,
    TILE_OVER,
    WAIT,
    err,
    order_of,
    read_date,
    require_writable,
    stdout,
)
from flows.lock import run_lock
from flows.order import Order, Report
from geodata.archive import Archive
from geodata.audit import audit


@click.command()
@OUT
@MIRROR
@REGION_AT
@SOURCES
@INBOX
@OFFLINE
@click.option("--as-of", callback=read_date, help="The day the atlas speaks of, e.g. 2026-11-22.")
@click.option(
    "--hindsight",
    is_flag=True,
    help="With a past --as-of: tell that day by all that is known now, not by what was known then.",
)
@click.option("--only", multiple=True, help="Collect only this source anew; repeatable.")
@click.option(
    "--accept", multiple=True, help="Accept what a refusal named, or rollback; repeatable."
)
@SITE_URL
@CONTACT_MAIL
@TILE_OVER
@MEMORY
@CLUSTER
@WAIT
@PUBLISH_TO
@ON_SUCCESS
@ON_FAILURE
def refresh(accept: tuple[str, ...], site_url: str | None, **asked: object) -> None:
    """Run the nightly run once, now, and publish.

    With --as-of a past day, the atlas is rebuilt as it would have stood, from what was known by
    then. It goes below past/ and leaves the current edition alone, unless nothing is published.

    Example: atlas refresh --mirror ../shared/mirror
    """
    order = order_of(asked, {"site_url": site_url} if site_url else {})
    os.environ.setdefault("PREFECT_HOME", str(order.root / "var" / "prefect"))
    require_writable(order.root / "var")
    from flows.past import rewind

    order = rewind(order)
    from flows.server import prefect_server

    if not os.environ.get("PREFECT_API_URL"):
        err.print("atlas: starting Prefect's temporary server (5-40 s) …", style="dim")
    with prefect_server(is_lasting=False) as await_server:
        from flows.refresh import refresh_once  # Prefect reads its address when it is imported

        start_s = await_server()
        _print_report(order, refresh_once(order, accept), start_s)


def _print_report(order: Order, report: Report, start_s: float) -> None:
    table = Table("step", "seconds", "MB", box=None)
    for name, value in {"start of Prefect": start_s, **report.seconds}.items():
        table.add_row(name, f"{value:.1f}", str(report.megabytes.get(name, "")))
    stdout.print(table)
    _print_run(order, report)


def _print_run(order: Order, report: Report) -> None:
    from flows.work import missing_layers, read_run_findings, read_states

    states = read_states(order)
    for state in states:
        if state.state != "fresh":
            stdout.print(f"{state.state}: {state.source.source_id}: {state.why}", markup=False)
    lost = missing_layers(states)
    stdout.print(f"layers missing: {', '.join(lost) or 'none'}")
    found = [f.severity for f in read_run_findings(order)]
    stdout.print(f"rows refused: {found.count('row')} findings; notes: {found.count('note')}")
    for note in report.notes:
        stdout.print(note, markup=False)
    stdout.print(f"{report.state}: edition {report.edition}")
    if report.why:
        stdout.print(report.why, markup=False)
    stdout.print(f"site: {order.root / 'public'}", markup=False)
    where = "" if order.root == Path.cwd() else f" --out {order.root}"
    stdout.print(f"look at it: {sys.argv[0]} serve{where}", markup=False)


@click.command()
@OUT
@MIRROR
@REGION_AT
@SOURCES
@INBOX
@OFFLINE
@WAIT
@click.option("--archive", "of_archive", is_flag=True, help="Check the archive instead.")
def check(of_archive: bool, **asked: object) -> None:
    """Collect and check only; print every finding; exit 1 if any row is refused.

    With --archive: read every object of the archive and every line of its logs, name each fault
    with the next move, exit 1 if there is any; also while a run goes on.

    Example: atlas check --offline
    """
    order = order_of(asked, {})
    if of_archive:
        sys.exit(_check_archive(order))
    require_writable(order.root / "var")
    from flows import inbox, intake
    from flows.work import read_run_findings

    with run_lock(order):
        collected = intake.collect(order)
        inbox.take(order)
        intake.check(order, collected)
    findings = read_run_findings(order)
    for found in findings:
        place = f"{found.source_id} line {found.row}" if found.row else found.source_id
        where = " ".join(part for part in (found.table, found.key, found.column) if part)
        stdout.print(
            f"{found.severity}\t{place}\t{where}\t{found.rule}\t{found.detail}", markup=False
        )
    counted = [f.severity for f in findings]
    stdout.print(
        f"{counted.count('source')} source, {counted.count('row')} row findings, "
        f"{counted.count('note')} notes"
    )
    sys.exit(FINDINGS if {"source", "row"} & set(counted) else 0)


def _check_archive(order: Order) -> int:
    found = audit(Archive(order.archive))
    for fault in found.faults:
        stdout.print(fault, markup=False)
    stdout.print(
        f"{found.objects} objects, {found.size} bytes, {found.entries} entries; "
        f"{len(found.faults)} faults"
    )
    if found.torn or found.unfinished:
        left = f"{found.torn} torn lines, {found.unfinished} unfinished writes"
        stdout.print(f"left by runs that were cut, harmless: {left}")
    return FINDINGS if found.faults else 0


@click.command()
@OUT
@MIRROR
@REGION_AT
@SOURCES
@INBOX
@OFFLINE
@SITE_URL
@CONTACT_MAIL
@CLUSTER
@PUBLISH_TO
@ON_SUCCESS
@ON_FAILURE
@click.option("--cron", default="30 1 * * *", show_default=True, help="When, in cron's words.")
def schedule(cron: str, site_url: str | None, **asked: object) -> None:
    """Run the refresh every night at 01:30 by the region's clock, until stopped.

    One run at a time; nights that were missed are caught up once, at the start.

    Example: atlas schedule --mirror ../shared/mirror
    """
    order = order_of(asked, {"site_url": site_url} if site_url else {})
    require_writable(order.root / "var")
    os.environ.setdefault("PREFECT_HOME", str(order.root / "var" / "prefect"))
    from flows.server import prefect_server

    err.print("atlas: starting a Prefect server on 127.0.0.1 (10-40 s) …", style="dim")
    with prefect_server(is_lasting=True) as await_server:
        from flows.due import zone
        from flows.schedule import serve_schedule  # Prefect reads its address when it is imported

        await_server()
        err.print(f"atlas: next runs by {cron!r}, {zone(order)}; stop with Ctrl+C")
        serve_schedule(order, cron)
