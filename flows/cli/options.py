"""What several commands ask alike: their options, how they become an order, and where we print."""

from datetime import date
from pathlib import Path

import click
from rich.console import Console

from flows.order import PROJECT, Order
from geodata.errors import UsageError

FINDINGS = 1
stdout = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)


def read_date(_ctx: click.Context, _param: click.Parameter, value: str | None) -> date | None:
    """Return the day that an option names. BadParameter where it is none."""
    if value is None:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is not a date; write it as 2026-11-22") from error


def _mail(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    if not value:
        return value
    from atlas.sheet import CONTACT

    if not CONTACT.fullmatch(value):
        raise click.BadParameter(f"{value!r} is no mail address; write it as atlas@example.org")
    return value


FOLDER = click.Path(path_type=Path, file_okay=False)
OUT = click.option(
    "--out",
    type=FOLDER,
    default=Path(),
    help="Folder that holds public/, editions/ and var/ (default: here).",
)
MIRROR = click.option(
    "--mirror", type=FOLDER, help="Read remote sources from this folder, not the network."
)
SOURCES = click.option(
    "--sources",
    type=FOLDER,
    default=PROJECT / "geodata" / "sources",
    help="Folder of the source folders.",
)
CONTACT_MAIL = click.option(
    "--contact",
    envvar="ATLAS_CONTACT",
    default="",
    callback=_mail,
    help="Mail address that takes corrections (default: none; no address is shown).",
)
SITE_URL = click.option(
    "--site-url", envvar="ATLAS_SITE_URL", help="Address the site is published at."
)
INBOX = click.option(
    "--inbox", type=FOLDER, help="Folder of the planners' workbooks (default: OUT/var/inbox)."
)
OFFLINE = click.option("--offline", is_flag=True, help="Ask no server; use what is held.")


def order_of(asked: dict[str, object], extra: dict[str, object]) -> Order:
    """Return the order that the options of a command make."""
    offline = bool(asked.pop("offline", False))
    root = Path(str(asked.pop("out"))).resolve()
    return Order.model_validate({"root": root, "online": not offline, **asked, **extra})


def require_writable(folder: Path) -> None:
    """Make a folder and prove that it can be written. UsageError where it cannot."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".writable").touch()
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be written ({error.strerror}); give another folder with --out"
        ) from error
