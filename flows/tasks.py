"""A step as one of Prefect's tasks, with its artifact; below ``flows`` nothing knows Prefect.

Prefect's cache is off: checksums decide what is fresh.
"""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from flows.order import Order
from flows.report import step_markdown

P = ParamSpec("P")
R = TypeVar("R")


def as_task(step: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Do a step as a task, whose first argument is the order."""

    @wraps(step)
    def told(*args: P.args, **kwargs: P.kwargs) -> R:
        result = step(*args, **kwargs)
        order = next(value for value in args if isinstance(value, Order))
        name = step.__name__.partition("_")[0]
        create_markdown_artifact(key=f"step-{name}", markdown=step_markdown(order, name))
        return result

    return task(cache_policy=NO_CACHE, persist_result=False)(told)(*args, **kwargs)
