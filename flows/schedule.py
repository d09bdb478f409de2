"""The nightly schedule: Prefect's own, one run at a time."""

from typing import cast

from prefect import serve
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import RunnerDeployment
from prefect.schedules import Cron

from flows.order import Order
from flows.refresh import refresh

TIMEZONE = "Asia/Ho_Chi_Minh"


def serve_schedule(order: Order, cron: str) -> None:
    """Serve the nightly deployment until stopped; a Prefect server must be reachable.

    A run that would overlap another is cancelled, so that missed nights are caught up once.
    """
    deployment = refresh.to_deployment(
        name="nightly",
        parameters={"order": order.model_dump(mode="json")},
        schedule=Cron(cron, timezone=TIMEZONE),
        concurrency_limit=ConcurrencyLimitConfig(
            limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW
        ),
    )
    serve(cast(RunnerDeployment, deployment))
