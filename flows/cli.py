"""The ``atlas`` command: what a person can ask, with clear answers and exit codes."""

import logging
import os
import sys
from datetime import date
from pathlib import Path

import click
from rich.console import Console
from rich.logging import RichHandler
from rich.table import Table

from atlas.compare import compare_tables, read_edition
from atlas.editions import Shop
from atlas.sheet import CONTACT
from flows.order import PROJECT, Order, Report
from geodata.archive import Archive
from geodata.audit import audit
from geodata.errors import AtlasError, UsageError

PREFECT_SETTINGS = {
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "240",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "50",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "50",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "DO_NOT_TRACK": "1",
}
"""Set before Prefect is imported; a value already in the environment is kept."""

FINDINGS = 1
out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)


class _Group(click.Group):
    """Turns our refusals into one clear message and their exit code."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the sub-command."""
        try:
            return super().invoke(ctx)
        except AtlasError as error:
            err.print(f"atlas: {error}", style="red", markup=False)
            ctx.exit(error.exit_code)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Build, check, serve and roll back the Hậu Giang atlas.

    Exit codes: 0 done, 1 findings, 2 usage, 3 refused to publish.
    """
    for name, value in PREFECT_SETTINGS.items():
        os.environ.setdefault(name, value)
    handler: logging.Handler = logging.StreamHandler(sys.stderr)
    if err.is_terminal:
        handler = RichHandler(console=err, show_path=False, show_level=False)
    logger = logging.getLogger("atlas")
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel(logging.INFO)


def _date(_ctx: click.Context, _param: click.Parameter, value: str | None) -> date | None:
    if value is None:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is not a date; write it as 2026-11-22") from error


def _mail(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    if value and not CONTACT.fullmatch(value):
        raise click.BadParameter(f"{value!r} is no mail address; write it as atlas@example.org")
    return value


_FOLDER = click.Path(path_type=Path, file_okay=False)
_OUT = click.option(
    "--out",
    type=_FOLDER,
    default=Path(),
    help="Folder that holds public/, editions/ and var/ (default: here).",
)
_MIRROR = click.option(
    "--mirror", type=_FOLDER, help="Read remote sources from this folder, not the network."
)
_SOURCES = click.option(
    "--sources",
    type=_FOLDER,
    default=PROJECT / "geodata" / "sources",
    help="Folder of the source folders.",
)
_CONTACT = click.option(
    "--contact",
    envvar="ATLAS_CONTACT",
    default="",
    callback=_mail,
    help="Mail address that takes corrections (default: none; no address is shown).",
)
_SITE_URL = click.option(
    "--site-url", envvar="ATLAS_SITE_URL", help="Address the site is published at."
)
_OFFLINE = click.option("--offline", is_flag=True, help="Ask no server; use what is held.")


@main.command()
@_OUT
@_MIRROR
@_SOURCES
@_OFFLINE
@click.option("--as-of", callback=_date, help="The day the atlas speaks of, e.g. 2026-11-22.")
@click.option("--only", multiple=True, help="Collect only this source anew; repeatable.")
@click.option("--accept", multiple=True, help="Accept that this table shrank; repeatable.")
@_SITE_URL
@_CONTACT
def refresh(accept: tuple[str, ...], site_url: str | None, **asked: object) -> None:
    """Run the nightly run once, now, and publish.

    Example: atlas refresh --mirror ../shared/mirror
    """
    order = _order(asked, {"site_url": site_url} if site_url else {})
    os.environ.setdefault("PREFECT_HOME", str(order.root / "var" / "prefect"))
    _require_writable(order.root / "var")
    err.print("atlas: starting Prefect's temporary server (10-40 s) …", style="dim")
    from flows.refresh import refresh as run  # Prefect reads its settings when it is imported

    _print_report(order, run(order, accept))


def _order(asked: dict[str, object], extra: dict[str, object]) -> Order:
    offline = bool(asked.pop("offline", False))
    root = Path(str(asked.pop("out"))).resolve()
    return Order.model_validate({"root": root, "online": not offline, **asked, **extra})


def _require_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".writable").touch()
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be written ({error.strerror}); give another folder with --out"
        ) from error


def _print_report(order: Order, report: Report) -> None:
    table = Table("step", "seconds", box=None)
    for name, value in report.seconds.items():
        table.add_row(name, f"{value:.1f}")
    out.print(table)
    _print_run(order, report)


def _print_run(order: Order, report: Report) -> None:
    from flows import tasks

    states = tasks.read_states(order)
    for state in states:
        if state.state != "fresh":
            out.print(f"{state.state}: {state.source.source_id}: {state.why}", markup=False)
    lost = tasks.missing_layers(states)
    out.print(f"layers missing: {', '.join(lost) or 'none'}")
    found = [f.severity for f in tasks.read_run_findings(order)]
    out.print(f"rows refused: {found.count('row')} findings; notes: {found.count('note')}")
    out.print(f"{report.state}: edition {report.edition}")
    out.print(f"site: {order.root / 'public'}", markup=False)
    where = "" if order.root == Path.cwd() else f" --out {order.root}"
    out.print(f"look at it: {sys.argv[0]} serve{where}", markup=False)


@main.command()
@_OUT
@_MIRROR
@_SOURCES
@_OFFLINE
@click.option("--archive", "of_archive", is_flag=True, help="Check the archive instead.")
def check(of_archive: bool, **asked: object) -> None:
    """Collect and check only; print every finding; exit 1 if any row is refused.

    With --archive: read every object of the archive and every line of its logs, name each fault
    with the next move, exit 1 if there is any; also while a run goes on.

    Example: atlas check --offline
    """
    order = _order(asked, {})
    if of_archive:
        sys.exit(_check_archive(order))
    _require_writable(order.root / "var")
    from flows import tasks
    from flows.refresh import run_lock

    with run_lock(order):
        tasks.check.fn(order, tasks.collect.fn(order))
    findings = tasks.read_run_findings(order)
    for found in findings:
        place = f"{found.source_id} line {found.row}" if found.row else found.source_id
        where = " ".join(part for part in (found.table, found.key, found.column) if part)
        out.print(f"{found.severity}\t{place}\t{where}\t{found.rule}\t{found.detail}", markup=False)
    counted = [f.severity for f in findings]
    out.print(
        f"{counted.count('source')} source, {counted.count('row')} row findings, "
        f"{counted.count('note')} notes"
    )
    sys.exit(FINDINGS if {"source", "row"} & set(counted) else 0)


def _check_archive(order: Order) -> int:
    found = audit(Archive(order.archive))
    for fault in found.faults:
        out.print(fault, markup=False)
    out.print(
        f"{found.objects} objects, {found.size} bytes, {found.entries} entries; "
        f"{len(found.faults)} faults"
    )
    if found.torn or found.unfinished:
        left = f"{found.torn} torn lines, {found.unfinished} unfinished writes"
        out.print(f"left by runs that were cut, harmless: {left}")
    return FINDINGS if found.faults else 0


@main.command()
@_OUT
@click.option("--port", default=8000, show_default=True, help="Port on 127.0.0.1.")
def serve(out: Path, port: int) -> None:
    """Serve the published site on 127.0.0.1, with range requests, until stopped.

    Example: atlas serve --port 8080
    """
    shop = Shop(out.resolve())
    if not shop.current():
        raise UsageError(f"{shop.public} is not published yet; run atlas refresh first")
    from flows.serve import serve_site

    err.print(f"atlas: http://127.0.0.1:{port}/ (stop with Ctrl+C)")
    serve_site(shop.public, port)


@main.command()
@_OUT
def editions(out: Path) -> None:
    """List the published editions, oldest first; the current one has a star.

    Example: atlas editions
    """
    shop = Shop(out.resolve())
    for name in shop.listed():
        click.echo(f"{'*' if name == shop.current() else ' '} {name}")


@main.command()
@click.argument("edition", default="")
@_OUT
def rollback(edition: str, out: Path) -> None:
    """Go back to EDITION, or to the one before the current.

    Example: atlas rollback
    """
    click.echo(Shop(out.resolve()).rollback(edition))


@main.command()
@click.argument("before")
@click.argument("after")
@_OUT
def diff(before: str, after: str, out: Path) -> None:
    """Print what changed between two editions, one line a field; exit 1 if anything did.

    Example: atlas diff 2026-11-21-0123456789ab 2026-11-22-ba9876543210
    """
    shop = Shop(out.resolve())
    unknown = [name for name in (before, after) if name not in shop.listed()]
    if unknown:
        raise UsageError(f"there is no edition {', '.join(unknown)}; see atlas editions")
    changes = compare_tables(*(read_edition(shop.editions / name) for name in (before, after)))
    for change in changes:
        values = f"{change.column}: {change.old!r} -> {change.new!r}" if change.column else ""
        click.echo(f"{change.change}\t{change.table}\t{change.row_key}\t{values}")
    sys.exit(FINDINGS if changes else 0)


@main.command()
@_SOURCES
def sources(sources: Path) -> None:
    """List the sources: id, kind, what it holds, dates.

    Example: atlas sources
    """
    from geodata.catalog import load_catalog

    catalog, findings = load_catalog(sources)
    for name, source in catalog.items():
        held = source.table or source.layer
        click.echo(f"{name}\t{source.kind}\t{held}\t{source.as_of}\t{source.retrieved_on}")
    for found in findings:
        err.print(f"{found.source_id}: {found.detail}", style="red", markup=False)
    sys.exit(FINDINGS if findings else 0)


@main.command()
@_OUT
@_MIRROR
@_SOURCES
@_OFFLINE
@_SITE_URL
@_CONTACT
@click.option("--cron", default="30 1 * * *", show_default=True, help="When, in cron's words.")
def schedule(cron: str, site_url: str | None, **asked: object) -> None:
    """Run the refresh every night at 01:30 Asia/Ho_Chi_Minh, until stopped.

    Example: atlas schedule --mirror ../shared/mirror
    """
    order = _order(asked, {"site_url": site_url} if site_url else {})
    _require_writable(order.root / "var")
    os.environ.setdefault("PREFECT_HOME", str(order.root / "var" / "prefect"))
    from flows.server import prefect_server

    err.print("atlas: starting a Prefect server on 127.0.0.1 (10-40 s) …", style="dim")
    with prefect_server():
        from flows.schedule import serve_schedule  # after the server: Prefect reads its address

        err.print(f"atlas: next runs by {cron!r}, Asia/Ho_Chi_Minh; stop with Ctrl+C")
        serve_schedule(order, cron)
