"""The commands that show what there is: the site and the sources."""

import sys
from pathlib import Path

import click

from atlas.editions import Shop
from flows.cli.options import FINDINGS, OUT, REGION_AT, SOURCES, err
from flows.heartbeat import fault, read_age, read_beat
from geodata.errors import UsageError


@click.command()
@OUT
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


@click.command()
@REGION_AT
@SOURCES
def sources(region: Path, sources: Path | None) -> None:
    """List the sources: id, kind, what it holds, dates.

    Example: atlas sources
    """
    from geodata.catalog import load_catalog
    from geodata.region import read_region

    catalog, findings = load_catalog(sources or read_region(region).sources_folder)
    for name, source in catalog.items():
        held = source.table or source.layer
        click.echo(f"{name}\t{source.kind}\t{held}\t{source.as_of}\t{source.retrieved_on}")
    for found in findings:
        err.print(f"{found.source_id}: {found.detail}", style="red", markup=False)
    sys.exit(FINDINGS if findings else 0)


@click.command()
@OUT
@click.option("--max-age", default="36h", show_default=True, help="As 36h, 90m or 2d.")
def heartbeat(max_age: str, out: Path) -> None:
    """Say what the last run did; exit 1 if none ended well within --max-age.

    Example: atlas heartbeat --max-age 36h
    """
    var = out.resolve() / "var"
    wrong = fault(var, read_age(max_age))
    beat = read_beat(var)
    told = [f"{name}: {beat[name]}" for name in ("state", "step", "began", "ended") if name in beat]
    click.echo(wrong or f"well; {', '.join(told)}")
    sys.exit(FINDINGS if wrong else 0)
