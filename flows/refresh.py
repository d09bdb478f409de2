"""The nightly run: collect, check, resolve, join, measure, compare, draw, verify, publish."""

import dataclasses
import shutil
from datetime import UTC, datetime
from typing import Any

from prefect import flow
from prefect.artifacts import create_markdown_artifact

from atlas.compare import read_edition
from atlas.editions import Inputs, Shop
from flows import tasks
from flows.inbox import inbox_status
from flows.intake import inputs_of, refuse_broken_sources
from flows.judge import accepted
from flows.lock import run_lock
from flows.order import Order, Report
from flows.work import (
    confirmed_on,
    missing_layers,
    read_run_findings,
    read_states,
    stale_days,
)
from geodata.errors import AtlasError

ARTIFACT_KEY = "refresh-report"
SHOWN_FINDINGS = 200


@flow(name="refresh", persist_result=False)
def refresh(order: Order, accept: tuple[str, ...] = ()) -> Report:
    """Run all steps once. Raises AtlasError where it refuses; the last edition then stays up."""
    report = Report()
    with run_lock(order):
        shutil.rmtree(order.work, ignore_errors=True)
        order.work.mkdir(parents=True)
        try:
            _run(order, accept, report)
        except AtlasError as error:
            report.state, report.why = "refused", str(error)
            raise
        finally:
            Shop(order.root).write_status(status(order, report))
            create_markdown_artifact(key=ARTIFACT_KEY, markdown=markdown(order, report))
    return report


def _run(order: Order, accept: tuple[str, ...], report: Report) -> None:
    with report.timed("collect"):
        collected = tasks.collect(order)
        tasks.take(order)
        inputs = inputs_of(order)
    report.edition, report.as_of = inputs.edition, inputs.as_of
    with report.timed("check"):
        tables = tasks.check(order, collected)
        refuse_broken_sources(order)
    shop = Shop(order.root)
    if inputs.key == shop.current_key():
        report.state, report.edition = "unchanged", shop.current()
        return
    with report.timed("resolve"):
        facts = tasks.resolve_claims(order, tables)
    with report.timed("join"):
        positions = tasks.join(order, facts)
    with report.timed("measure"):
        tasks.measure(order, positions, inputs.as_of)
    with report.timed("compare"):
        tasks.compare(order, inputs, accept)
        report.accepted = accepted(order)
    _publish(order, inputs, report)


def _publish(order: Order, inputs: Inputs, report: Report) -> None:
    with report.timed("draw"):
        draft = tasks.draw(order, inputs)
    with report.timed("verify"):
        report.pages = tasks.verify(order, draft)
    with report.timed("publish"):
        tasks.publish(order, draft, inputs.edition)
    report.state = "published"


def status(order: Order, report: Report) -> dict[str, Any]:
    """Return the record of a run, for ``status.json``; ``built_on`` is the clock's."""
    checked = (order.work / "states.json").is_file()
    findings = read_run_findings(order)
    states = read_states(order) if checked else ()
    severities = [f.severity for f in findings]
    shop = Shop(order.root)
    published = shop.current()
    tables = read_edition(shop.editions / published) if published else {}
    return {
        "edition": published or None,
        "as_of": report.as_of.isoformat() if report.as_of else None,
        "built_on": datetime.now(UTC).isoformat(timespec="seconds"),
        "run": report.state,
        "why": report.why,
        "accepted": report.accepted,
        "sources": [
            {
                "source_id": s.source.source_id,
                "state": s.state,
                "as_of": s.source.as_of.isoformat(),
                "retrieved_on": s.source.retrieved_on.isoformat(),
                "age_days": (report.as_of - s.source.as_of).days if report.as_of else None,
                "confirmed_on": confirmed_on(s),
                "stale_days": stale_days(s),
                "rows": s.rows,
                "sha256": s.sha256,
                "why": s.why,
            }
            for s in states
        ],
        "inbox": inbox_status(order),
        "missing_layers": list(missing_layers(states)),
        "counts": {name: len(table) for name, table in tables.items()},
        "findings": {s: severities.count(s) for s in ("source", "row", "note")},
        "findings_listed": [dataclasses.asdict(f) for f in findings[:SHOWN_FINDINGS]],
        "quarantined": len({(f.source_id, f.row) for f in findings if f.severity == "row"}),
        "duration_s": report.seconds,
    }


def markdown(order: Order, report: Report) -> str:
    """Return the run's report for people: steps, ledger and findings."""
    told = status(order, report)
    steps = "\n".join(f"| {name} | {seconds:.1f} |" for name, seconds in report.seconds.items())
    counts = "\n".join(f"| {name} | {count} |" for name, count in told["counts"].items())
    found = "\n".join(
        f"- {f['severity']} `{f['source_id']}` line {f['row']} `{f['key']}` {f['rule']}"
        for f in told["findings_listed"]
    )
    return (
        f"# {report.state}: {told['edition']}\n\n{report.why}\n\n"
        f"| step | s |\n|---|---|\n{steps}\n\n| table | rows |\n|---|---|\n{counts}\n\n"
        f"Missing layers: {', '.join(told['missing_layers']) or 'none'}\n\n{found}\n"
    )
