"""The nightly schedule: Prefect's own, one run at a time, a missed night caught up once."""

import logging
from datetime import UTC, datetime
from typing import cast

from prefect import serve
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import RunnerDeployment
from prefect.schedules import Cron

from flows.due import missed, next_due, zone
from flows.heartbeat import write_beat
from flows.order import Order
from flows.refresh import refresh

log = logging.getLogger("atlas.run")

NAME = "nightly"


def deployment_of(order: Order, cron: str) -> RunnerDeployment:
    """Return the nightly deployment. A run that would overlap another is cancelled.

    Of several late runs the first one serves all: the others find that it began after they were
    due, and do nothing.
    """
    made = refresh.to_deployment(
        name=NAME,
        parameters={"order": order.model_dump(mode="json")},
        schedule=Cron(cron, timezone=zone(order)),
        concurrency_limit=ConcurrencyLimitConfig(
            limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW
        ),
    )
    return cast(RunnerDeployment, made)


def serve_schedule(order: Order, cron: str) -> None:
    """Serve the nightly deployment until stopped; a Prefect server must be reachable.

    What was missed is caught up first, and not through the deployment: its only slot may still
    be held, for minutes, by a run that was killed.
    """
    patient = order.model_copy(update={"wait_s": None})
    due = missed(order, cron, datetime.now(UTC))
    if due:
        log.info("the run due at %s was missed; it is caught up now", due.isoformat())
        refresh(patient, return_state=True)  # how it ends, it tells itself
    write_beat(order.var, next_due=next_due(order, cron, datetime.now(UTC)).isoformat())
    serve(deployment_of(patient, cron))
