"""The nightly run as Prefect's flow."""

import logging

from prefect import flow
from prefect.events.worker import EventsWorker
from prefect.runtime import deployment, flow_run

from flows.order import Order, Report
from flows.run import carry_out
from flows.tasks import UNREACHED, as_task, leave_artifact

log = logging.getLogger("atlas.run")

ARTIFACT_KEY = "refresh-report"


@flow(name="refresh", persist_result=False)
def refresh(order: Order, accept: tuple[str, ...] = ()) -> Report:
    """Run all steps once. Raises AtlasError where it refuses; the last edition then stays up."""
    due = flow_run.scheduled_start_time if deployment.id else None
    return carry_out(order, accept, as_task, due, _tell)


def refresh_once(order: Order, accept: tuple[str, ...] = ()) -> Report:
    """Run the flow and return what it did, also where Prefect cannot write down that it did."""
    ended: list[Report] = []

    def run(order: Order, accept: tuple[str, ...]) -> Report:
        ended.append(refresh.fn(order, accept))
        return ended[-1]

    try:
        return flow(name=refresh.name, persist_result=False)(run)(order, accept)
    except UNREACHED as error:
        if not ended:
            raise
        log.error("Prefect has not got the end of the run: %s: %s", type(error).__name__, error)
        return ended[-1]
    finally:
        EventsWorker.drain_all()  # nothing is left unsaid to a server that ends with this run


def _tell(markdown: str) -> None:
    leave_artifact(ARTIFACT_KEY, markdown)
