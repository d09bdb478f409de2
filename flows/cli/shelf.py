"""The commands about published editions: list, go back, what changed."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from atlas.editions import MANIFEST, Shop, read_manifest
from flows.cli.options import FINDINGS, FOLDER, OUT, REGION_AT, WAIT, err, order_of
from flows.delivery import deliver
from flows.lock import run_lock
from geodata.errors import UsageError


@click.command()
@OUT
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def editions(as_json: bool, out: Path) -> None:
    """List the published editions, oldest first: as-of date, time, size, what holds for each.

    Example: atlas editions
    """
    shop = Shop(out.resolve())
    listed = [_told(shop, name) for name in shop.listed()]
    if as_json:
        click.echo(json.dumps(listed, indent=1))
        return
    for told in listed:
        size = f"{told['bytes'] / 1_000_000:.1f} MB"
        marks = ", ".join(m for m in ("current", "pinned", "held") if told[m])
        star = "*" if told["current"] else " "
        click.echo(f"{star} {told['edition']}  {told['published']}  {size:>10}  {marks}".rstrip())


def _told(shop: Shop, name: str) -> dict[str, Any]:
    folder = shop.editions / name
    manifest = read_manifest(folder)
    published = datetime.fromtimestamp((folder / MANIFEST).stat().st_mtime, UTC)
    return {
        "edition": name,
        "as_of": manifest["as_of"],
        "published": published.isoformat(timespec="seconds"),
        "bytes": sum(file["bytes"] for file in manifest["files"].values()),
        "current": name == shop.current(),
        "pinned": name in shop.pinned(),
        "held": shop.is_held(manifest["key"]),
    }


@click.command()
@click.argument("edition", default="")
@OUT
def rollback(edition: str, out: Path) -> None:
    """Go back to EDITION, or to the one before the current.

    The edition that is left is held: no run publishes its inputs again by itself, until one of
    them changes or atlas refresh --accept rollback says so.

    Example: atlas rollback
    """
    click.echo(Shop(out.resolve()).rollback(edition))


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The workbook to write (default: so-lieu-<region>.xlsx, here).",
)
@REGION_AT
@click.option("--root", type=FOLDER, default=Path(), help="Folder that holds public/ (here).")
@click.option("--subject", default="", help="Only the records of this place or route, by its id.")
@click.option("--agency", default="", help="The agency that will fill it in, by its id.")
def template(out: Path | None, region: Path, root: Path, subject: str, agency: str) -> None:
    """Write the planners' workbook: known records, drop-downs, room for new rows.

    Example: atlas template --agency bql-kcn --out bql-kcn.xlsx
    """
    from atlas.template import Wanted
    from flows.template import write_template
    from geodata.region import read_region, within

    told = read_region(region)
    out = out or Path(f"so-lieu-{told.region_id}.xlsx")
    with within(told):
        write_template(root.resolve(), out, Wanted(subject, agency))
    click.echo(out)


@click.command()
@click.argument("roots", nargs=-1, required=True, type=FOLDER)
@click.option("--out", type=FOLDER, required=True, help="Folder to write index.html into.")
def index(roots: tuple[Path, ...], out: Path) -> None:
    """Write one page that leads to the region published at each ROOT and adds up their numbers.

    A region that cannot be read is named on the page with the reason; exit 1 if there is any.

    Example: atlas index ../north ../south --out ../regions
    """
    from atlas.regions import write_index
    from flows.order import PROJECT

    unread = write_index([root.resolve() for root in roots], out.resolve(), PROJECT / "site")
    for one in unread:
        err.print(f"atlas: {one.root}: {one.why}", style="red", markup=False)
    click.echo(out / "index.html")
    sys.exit(FINDINGS if unread else 0)


@click.command()
@click.argument("target")
@OUT
@WAIT
def publish(target: str, out: Path, wait_s: float) -> None:
    """Bring the current edition to TARGET: a folder, host:folder, rsync:// or s3://.

    New files first, the switch last, what is old after that; every file is compared. Again after
    a cut it goes on where it was. Keys and passwords come from the environment: RSYNC_PASSWORD,
    AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL, AWS_REGION.

    Example: atlas publish s3://atlas-example/site
    """
    order = order_of({"out": out, "wait_s": wait_s, "publish_to": (target,)}, {})
    with run_lock(order):
        deliver(Shop(order.root), order.publish_to[0])


@click.command()
@click.argument("edition")
@OUT
def pin(edition: str, out: Path) -> None:
    """Keep EDITION for ever, beside the ten newest.

    Example: atlas pin 2026-11-22-ba9876543210
    """
    Shop(out.resolve()).pin(edition)


@click.command()
@click.argument("edition")
@OUT
def unpin(edition: str, out: Path) -> None:
    """Let EDITION go when ten newer ones are there.

    Example: atlas unpin 2026-11-22-ba9876543210
    """
    Shop(out.resolve()).unpin(edition)


@click.command()
@click.argument("before")
@click.argument("after")
@OUT
@click.option("--lang", type=click.Choice(["vi", "en"]), default="en", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print what changes.json holds instead.")
def diff(before: str, after: str, out: Path, lang: str, as_json: bool) -> None:
    """Tell what changed between two editions, in the words of the changes page.

    Exit 1 if anything did.

    Example: atlas diff 2026-11-21-0123456789ab 2026-11-22-ba9876543210
    """
    shop = Shop(out.resolve())
    unknown = [name for name in (before, after) if name not in shop.listed()]
    if unknown:
        raise UsageError(f"there is no edition {', '.join(unknown)}; see atlas editions")
    from atlas.compare import changes_json
    from flows.diff import changes_between, tell

    changes = changes_between(shop, before, after)
    if as_json:
        click.echo(changes_json(before, after, changes), nl=False)
    else:
        for line in tell(shop, after, changes, lang):
            click.echo(line)
    sys.exit(FINDINGS if changes else 0)
