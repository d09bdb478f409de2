"""A step as one of Prefect's tasks, with its artifact; below ``flows`` nothing knows Prefect.

Prefect's cache is off: checksums decide what is fresh.
"""

import logging
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import httpx
from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.exceptions import PrefectException

from flows.order import Order
from flows.report import step_markdown

log = logging.getLogger("atlas.run")

P = ParamSpec("P")
R = TypeVar("R")

UNREACHED = (httpx.HTTPError, PrefectException)
"""What Prefect raises where its server cannot be told."""


def as_task(step: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Do a step as a task, whose first argument is the order."""

    @wraps(step)
    def told(*args: P.args, **kwargs: P.kwargs) -> R:
        result = step(*args, **kwargs)
        order = next(value for value in args if isinstance(value, Order))
        name = step.__name__.partition("_")[0]
        leave_artifact(f"step-{name}", step_markdown(order, name))
        return result

    return task(cache_policy=NO_CACHE, persist_result=False)(told)(*args, **kwargs)


def leave_artifact(key: str, markdown: str) -> None:
    """Leave an artifact with Prefect; a server that cannot take it changes no run."""
    try:
        create_markdown_artifact(key=key, markdown=markdown)
    except UNREACHED as error:
        log.error("Prefect has not got %s: %s: %s", key, type(error).__name__, error)
