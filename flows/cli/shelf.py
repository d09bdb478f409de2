"""The commands about published editions: list, go back, what changed."""

import sys
from pathlib import Path

import click

from atlas.editions import Shop
from flows.cli.options import FINDINGS, FOLDER, OUT
from geodata.errors import UsageError


@click.command()
@OUT
def editions(out: Path) -> None:
    """List the published editions, oldest first; the current one has a star.

    Example: atlas editions
    """
    shop = Shop(out.resolve())
    for name in shop.listed():
        click.echo(f"{'*' if name == shop.current() else ' '} {name}")


@click.command()
@click.argument("edition", default="")
@OUT
def rollback(edition: str, out: Path) -> None:
    """Go back to EDITION, or to the one before the current.

    Example: atlas rollback
    """
    click.echo(Shop(out.resolve()).rollback(edition))


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("so-lieu-hau-giang.xlsx"),
    show_default=True,
    help="The workbook to write.",
)
@click.option("--root", type=FOLDER, default=Path(), help="Folder that holds public/ (here).")
@click.option("--subject", default="", help="Only the records of this place or route, by its id.")
@click.option("--agency", default="", help="The agency that will fill it in, by its id.")
def template(out: Path, root: Path, subject: str, agency: str) -> None:
    """Write the planners' workbook: known records, drop-downs, room for new rows.

    Example: atlas template --agency bql-kcn --out bql-kcn.xlsx
    """
    from atlas.template import Wanted
    from flows.template import write_template

    write_template(root.resolve(), out, Wanted(subject, agency))
    click.echo(out)


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
