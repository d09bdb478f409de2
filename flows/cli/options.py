"""What several commands ask alike: their options, how they become an order, and where we print."""

import os
import re
from datetime import date
from pathlib import Path

import click
from pydantic import ByteSize, TypeAdapter, ValidationError
from rich.console import Console

from atlas import editions
from flows.delivery import check_address
from flows.order import CLUSTER_ADDRESS, LEAST_MEMORY, Order
from geodata.errors import UsageError
from geodata.region import REGION

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


def _scheduler(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    if value and not re.fullmatch(CLUSTER_ADDRESS, value):
        raise click.BadParameter(f"{value!r} is no scheduler; write it as tcp://10.0.0.5:8786")
    return value


def _size(_ctx: click.Context, _param: click.Parameter, value: str | None) -> int | None:
    if not value:
        return None
    try:
        size = TypeAdapter(ByteSize).validate_python(value)
    except ValidationError as error:
        raise click.BadParameter(f"{value!r} is no size; write it as 4GB") from error
    if size < LEAST_MEMORY:
        least = f"{LEAST_MEMORY // 1_000_000}MB"
        raise click.BadParameter(f"the libraries alone take {least}; give more than {value!r}")
    return int(size)


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
REGION_AT = click.option(
    "--region",
    type=click.Path(path_type=Path, exists=True),
    default=REGION,
    help="The region: its folder, or the region.toml in it (default: the project's own).",
)
SOURCES = click.option(
    "--sources", type=FOLDER, help="Folder of the source folders (default: the region's)."
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
PUBLISH_TO = click.option(
    "--publish-to",
    multiple=True,
    envvar="ATLAS_PUBLISH_TO",
    help="Bring the edition here too: a folder, host:folder, rsync:// or s3://; repeatable.",
)
WAIT = click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(min=0),
    is_flag=False,
    flag_value=float("inf"),
    default=0,
    metavar="[SECONDS]",
    help="Wait for the turn behind other runs, first come first served (default: say who runs).",
)
ON_SUCCESS, ON_FAILURE = (
    click.option(
        f"--on-{end}",
        envvar=f"ATLAS_ON_{end.upper()}",
        help=f"Command, or address for a POST, to call on {end}; it gets the run's report.",
    )
    for end in ("success", "failure")
)
TILE_OVER = click.option(
    "--tile-over",
    type=click.IntRange(min=1),
    default=editions.TILE_OVER,
    show_default=True,
    help="Publish a layer with more features as vector tiles.",
)
MEMORY = click.option(
    "--memory",
    envvar="ATLAS_MEMORY",
    callback=_size,
    metavar="SIZE",
    help="How much memory all processes of a run should take together, e.g. 4GB (default: half of "
    "the machine's). With less, tiles are made in smaller blocks; the report tells what each step "
    "took and where that was more.",
)
CLUSTER = click.option(
    "--cluster",
    envvar="ATLAS_CLUSTER",
    default="",
    callback=_scheduler,
    metavar="ADDRESS",
    help="Dask scheduler whose workers help, e.g. tcp://10.0.0.5:8786 (default: none; this machine "
    "does it all). See docs/cluster.md.",
)
OFFLINE = click.option("--offline", is_flag=True, help="Ask no server; use what is held.")


def order_of(asked: dict[str, object], extra: dict[str, object]) -> Order:
    """Return the order that the options of a command make."""
    offline = bool(asked.pop("offline", False))
    for name in ("on_success", "on_failure"):
        hook = asked.pop(name, None)
        if hook:  # the environment, not the order: its address may be a secret
            os.environ[f"ATLAS_{name.upper()}"] = str(hook)
    if asked.get("sources") is None:
        asked.pop("sources", None)
    if asked.get("memory") is None:
        asked.pop("memory", None)
    if asked.get("wait_s") == float("inf"):
        asked["wait_s"] = None
    root = Path(str(asked.pop("out"))).resolve()
    targets = [check_address(str(a), root) for a in _list(asked.pop("publish_to", ()))]
    settings = {"root": root, "online": not offline, "publish_to": targets}
    return Order.model_validate({**settings, **asked, **extra})


def _list(values: object) -> tuple[object, ...]:
    return tuple(values) if isinstance(values, tuple | list) else ()


def require_writable(folder: Path) -> None:
    """Make a folder and prove that it can be written. UsageError where it cannot."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".writable").touch()
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be written ({error.strerror}); give another folder with --out"
        ) from error
