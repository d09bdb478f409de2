"""The nightly run as Prefect's flow."""

from prefect import flow
from prefect.artifacts import create_markdown_artifact
from prefect.events.worker import EventsWorker
from prefect.runtime import deployment, flow_run

from flows.order import Order, Report
from flows.run import carry_out
from flows.tasks import as_task

ARTIFACT_KEY = "refresh-report"


@flow(name="refresh", persist_result=False)
def refresh(order: Order, accept: tuple[str, ...] = ()) -> Report:
    """Run all steps once. Raises AtlasError where it refuses; the last edition then stays up."""
    due = flow_run.scheduled_start_time if deployment.id else None
    return carry_out(order, accept, as_task, due, _tell)


def run_refresh(order: Order, accept: tuple[str, ...]) -> Report:
    """Run the flow once, and leave nothing unsaid to a server that ends with this run."""
    try:
        return refresh(order, accept)
    finally:
        EventsWorker.drain_all()


def _tell(markdown: str) -> None:
    create_markdown_artifact(key=ARTIFACT_KEY, markdown=markdown)
