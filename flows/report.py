"""What is told of a run: ``status.json``, the report for people, the kept reports of past runs."""

import dataclasses
import json
import logging
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from atlas.editions import Shop, read_manifest
from flows.heartbeat import now
from flows.inbox import inbox_status
from flows.order import Order, Report
from flows.work import confirmed_on, missing_layers, read_run_findings, read_states, stale_days
from geodata.errors import AtlasError
from geodata.findings import Finding

log = logging.getLogger("atlas.run")

SHOWN_FINDINGS = 200
RUNS_KEPT = 60


def status(order: Order, report: Report) -> dict[str, Any]:
    """Return the record of a run, for ``status.json``; ``built_on`` is the clock's.

    What the steps left is read as far as it can be: a run may have been cut in the middle.
    """
    states, findings = [], []
    inbox: dict[str, object] = {}
    with suppress(OSError, ValueError, AtlasError):
        inbox = inbox_status(order)
    with suppress(OSError, ValueError):
        states = list(read_states(order)) if (order.work / "states.json").is_file() else []
    with suppress(OSError, ValueError):
        findings = read_run_findings(order)
    shop = Shop(order.root)
    published = shop.current()
    counts: dict[str, int] = {}
    with suppress(AtlasError):
        counts = read_manifest(shop.public).get("counts", {}) if published else {}
    return {
        "edition": published or None,
        "as_of": report.as_of.isoformat() if report.as_of else None,
        "built_on": now(),
        "run": report.state,
        "run_id": report.run_id,
        "why": report.why,
        "notes": report.notes,
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
        "inbox": inbox,
        "missing_layers": list(missing_layers(states)),
        "counts": counts,
        **_counted(findings),
        "duration_s": report.seconds,
        "memory_mb": report.megabytes,
    }


def _counted(findings: list[Finding]) -> dict[str, Any]:
    severities = [f.severity for f in findings]
    return {
        "findings": {s: severities.count(s) for s in ("source", "row", "note")},
        "findings_listed": [dataclasses.asdict(f) for f in findings[:SHOWN_FINDINGS]],
        "quarantined": len({(f.source_id, f.row) for f in findings if f.severity == "row"}),
    }


def markdown(told: dict[str, Any]) -> str:
    """Return the run's report for people: steps, counts and findings."""
    took = told["memory_mb"]
    steps = "\n".join(
        f"| {name} | {seconds:.1f} | {took.get(name, '')} |"
        for name, seconds in told["duration_s"].items()
    )
    counts = "\n".join(f"| {name} | {count} |" for name, count in told["counts"].items())
    found = "\n".join(
        f"- {f['severity']} `{f['source_id']}` line {f['row']} `{f['key']}` {f['rule']}"
        for f in told["findings_listed"]
    )
    notes = "\n".join(f"- {note}" for note in told["notes"])
    return (
        f"# {told['run']}: {told['edition']}\n\n{told['run_id']}\n\n{told['why']}\n\n{notes}\n\n"
        f"| step | s | MB |\n|---|---|---|\n{steps}\n\n| table | rows |\n|---|---|\n{counts}\n\n"
        f"Missing layers: {', '.join(told['missing_layers']) or 'none'}\n\n{found}\n"
    )


def step_markdown(order: Order, step: str) -> str:
    """Return what one step left, for its artifact: its ledger and its findings."""
    lines = []
    for kind in ("ledger", "findings"):
        path = order.work / f"{step}.{kind}.json"
        rows = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
        lines += [f"## {kind}: {len(rows)}", ""]
        lines += [f"- `{json.dumps(row, ensure_ascii=False)}`" for row in rows[:SHOWN_FINDINGS]]
    return "\n".join([f"# {step}", "", *lines, ""])


def keep_report(order: Order, told: dict[str, Any]) -> Path:
    """Keep the report of a run as Markdown and JSON; return the JSON's path. The newest stay."""
    folder = order.var / "runs" / str(told["run_id"])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "report.json"
    path.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (folder / "report.md").write_text(markdown(told), encoding="utf-8")
    for old in _too_many(folder.parent.iterdir()):
        shutil.rmtree(old, ignore_errors=True)
    return path


def _too_many(folders: Iterable[Path]) -> list[Path]:
    return sorted(folders, key=lambda path: path.name)[:-RUNS_KEPT]
