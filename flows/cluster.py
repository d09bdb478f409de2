"""Parts of steps made beforehand by the workers of a Dask cluster; nothing else knows Dask.

A part leaves a file named by what it is made of, in the folder that all workers share; the step
then finds it, and makes itself what is not there. So no cluster changes a byte, a worker that
dies loses nothing, and a cluster that is not there costs time only.
"""

import functools
import platform
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import distributed
import httpx
from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.context import FlowRunContext
from prefect.settings import PREFECT_API_URL
from prefect_dask.task_runners import DaskTaskRunner

from atlas.editions import code_digest
from flows.order import LOCK, PROJECT, Order
from flows.tasks import UNREACHED
from geodata.errors import UsageError
from geodata.region import REGION

P = TypeVar("P")
Told = dict[str, str]

ANSWERS_WITHIN_S = 5
LOOK_EVERY_S = 2
ALONE_S = 60
"""For so long parts wait for a worker when none is left."""
MANY = 8
"""With more parts than so many for each thread, one waits at each for the one before."""

MAKERS = (
    *("dask", "distributed", "geopandas", "numpy", "pandas", "prefect", "pyarrow", "pyogrio"),
    *("pyproj", "shapely"),
)
"""Libraries on whose versions the bytes, or the talk with the cluster, depend."""

LOST = (OSError, CancelledError, RuntimeError, *UNREACHED)
"""What Dask and Prefect raise where a scheduler or a server is not there, or no longer."""

SHARED, REACHED, LEFT = "shared", "reached", "no worker is left"
SHOWN = 12
REMEDY = "docs/cluster.md says what each worker needs; this machine makes the parts itself"


def make_parts(order: Order, make: Callable[[Order, P], object], parts: Sequence[P]) -> list[str]:
    """Have the workers of the order's cluster make parts; return what kept them from it."""
    runner = DaskTaskRunner(
        address=order.cluster, client_kwargs={"timeout": ANSWERS_WITHIN_S, "set_as_default": False}
    )

    def parts_of_step() -> list[str]:
        return _spread(order, make, parts)

    try:
        return flow(name=make.__name__, task_runner=runner, persist_result=False)(parts_of_step)()
    except LOST as error:
        told = str(error).partition("\n")[0]
        return [f"the cluster at {order.cluster}: {type(error).__name__}: {told}; {REMEDY}"]


def _spread(order: Order, make: Callable[[Order, P], object], parts: Sequence[P]) -> list[str]:
    """Make the parts, as the flow whose task runner speaks with the cluster."""
    context = FlowRunContext.get()
    runner: Any = context.task_runner if context else None
    client = runner.client
    unfit = list(_unfit(client, order))
    if unfit:
        return unfit
    made = task(name=make.__name__, cache_policy=NO_CACHE, persist_result=False)(make_part)
    shared = {"order": order, "make": make, "told": told_of_here()}
    futures = _in_turn(
        client, lambda one: runner.submit(made, {**shared, "part": one}).wrapped_future, parts
    )
    faults = [*filter(None, map(_fault, futures)), *[LEFT] * (len(parts) - len(futures))]
    if not faults:
        return []
    return [f"{len(faults)} of {len(parts)} parts of {made.name}: {faults[0]}; {REMEDY}"]


def make_part(order: Order, make: Callable[[Order, P], object], part: P, told: Told) -> None:
    """Make one part on a worker, which may have come after the others were looked at."""
    found = told_of_here()
    if found != told:
        raise UsageError("; ".join(_differences(found, told)))
    make(order, part)


def _in_turn(
    client: distributed.Client, ask: Callable[[P], distributed.Future], parts: Sequence[P]
) -> list[distributed.Future]:
    """Ask for each part when a worker is free for it; for no more where none has been for long.

    A scheduler that knew of all at once would deal some out beforehand: they would wait behind a
    long part while another worker has nothing to do.
    """
    asked: list[distributed.Future] = []
    pending: list[distributed.Future] = []
    alone_s = 0
    while alone_s < ALONE_S and (pending or len(asked) < len(parts)):
        threads = sum(client.nthreads().values())
        alone_s = 0 if threads else alone_s + LOOK_EVERY_S
        ahead = 2 if len(parts) > MANY * threads else 1
        room = max(1, threads * ahead) - len(pending)
        new = [ask(one) for one in parts[len(asked) : len(asked) + max(0, room)]]
        asked += new
        pending += new
        with client.as_current(), suppress(TimeoutError):
            distributed.wait(pending, timeout=LOOK_EVERY_S, return_when="FIRST_COMPLETED")
        pending = [future for future in pending if not future.done()]
    client.cancel(pending)
    return asked


def _fault(future: distributed.Future) -> str:
    """Say why a part was not made; nothing where it was."""
    if future.status == "finished":
        state = future.result()
        return "" if state.is_completed() else str(state.message)
    return str(future.exception()) if future.status == "error" else LEFT


def _unfit(client: distributed.Client, order: Order) -> Iterator[str]:
    """Yield why the cluster cannot be used as it is: each worker that is not as it must be."""
    seal, api = order.var / f"cluster-{uuid4().hex}", str(PREFECT_API_URL.value())
    wanted = told_of_here() | {
        "the sources": _sources(order),
        f"the folder {order.var}": SHARED,
        f"Prefect at {api}": REACHED,
    }
    if not client.nthreads():
        yield f"the cluster at {order.cluster} has no workers; {REMEDY}"
    seal.touch()
    try:
        for address, found in client.run(look, order, seal, api, on_error="return").items():
            faults = _differences(found, wanted) if isinstance(found, dict) else [repr(found)]
            if faults:
                yield f"the worker {address}: {'; '.join(faults)}; {REMEDY}"
    finally:
        seal.unlink(missing_ok=True)


def _differences(found: Told, wanted: Told) -> list[str]:
    return [
        f"{n}: {found.get(n)}, needed {is_so}"
        for n, is_so in wanted.items()
        if found.get(n) != is_so
    ]


def look(order: Order, seal: Path, api: str) -> Told:
    """Say what decides whether this worker can help: what it has loaded, what it reaches."""
    return told_of_here() | {
        "the sources": _sources(order),
        f"the folder {order.var}": _shares(seal),
        f"Prefect at {api}": _reaches(api),
    }


def _sources(order: Order) -> str:
    return code_digest([order.sources], LOCK, order.region)[:SHOWN]


def _shares(seal: Path) -> str:
    """Read what the run wrote, and write beside it."""
    try:
        mine = seal.with_name(f"{seal.name}.{uuid4().hex}")
        mine.write_bytes(seal.read_bytes())
        mine.unlink()
    except OSError as error:
        return str(error)
    return SHARED


def _reaches(api: str) -> str:
    try:
        return REACHED if httpx.get(f"{api}/health", timeout=ANSWERS_WITHIN_S).is_success else "ill"
    except httpx.HTTPError as error:
        return f"not reached ({error})"


@functools.cache
def told_of_here() -> Told:
    """Say which code and versions this process has loaded; asked once, as it is loaded once."""
    ours = [PROJECT / name for name in ("geodata", "atlas", "flows")]
    code = {"code": code_digest(ours, LOCK, REGION)[:SHOWN], "Python": platform.python_version()}
    return code | {name: version(name) for name in MAKERS}
