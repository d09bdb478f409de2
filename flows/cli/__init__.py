"""The ``atlas`` command: what a person can ask, with clear answers and exit codes.

Its modules load nothing heavy; each command loads what it needs when it runs.
"""

import logging
import os
import sys

import click
from rich.logging import RichHandler

from flows.cli import look, night, shelf
from flows.cli.options import err
from geodata.errors import AtlasError

PREFECT_SETTINGS = {
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "50",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "50",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "DO_NOT_TRACK": "1",
}
"""Set before Prefect is imported; a value already in the environment is kept."""

COMMANDS = (
    night.refresh,
    night.check,
    night.schedule,
    look.serve,
    look.sources,
    look.heartbeat,
    shelf.editions,
    shelf.rollback,
    shelf.publish,
    shelf.pin,
    shelf.unpin,
    shelf.diff,
    shelf.template,
    shelf.index,
)


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
    """Build, check, serve and roll back the atlas of a region.

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


for command in COMMANDS:
    main.add_command(command)
