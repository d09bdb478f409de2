"""The heartbeat: one small file that says what the last run did, for monitors outside.

``var/heartbeat.json`` is replaced by one rename, so that whoever reads it gets the whole of it.
"""

import json
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from geodata.errors import UsageError

HEARTBEAT = "heartbeat.json"
RUNNING = "running"
GOOD = ("published", "unchanged", "held")
"""How a run ends that did what it should; ``held``: taken back by a person, see rollback."""

UNITS = {"": "seconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def read_beat(var: Path) -> dict[str, Any]:
    """Return the last heartbeat; empty where there is none or it cannot be read."""
    with suppress(OSError, ValueError):
        told = json.loads((var / HEARTBEAT).read_text(encoding="utf-8"))
        return dict(told) if isinstance(told, dict) else {}
    return {}


def write_beat(var: Path, **told: object) -> None:
    """Change what the heartbeat says; what is not named stays."""
    new = var / f".{HEARTBEAT}.new"
    try:
        new.write_text(json.dumps({**read_beat(var), **told}, indent=1) + "\n", encoding="utf-8")
        new.replace(var / HEARTBEAT)
    except OSError:
        new.unlink(missing_ok=True)
        raise


def now() -> str:
    """Return the moment as the records write it: UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def read_age(text: str) -> timedelta:
    """Return an age such as 36h, 90m, 2d or 3600. UsageError where it is none."""
    match = re.fullmatch(r"(\d{1,6})([smhd]?)", text)
    if not match:
        raise UsageError(f"{text!r} is no age; write it as 36h, 90m or 2d")
    return timedelta(**{UNITS[match[2]]: int(match[1])})


def fault(var: Path, max_age: timedelta) -> str:
    """Say what a monitor should ring for: no good run within ``max_age``; "" where all is well."""
    beat = read_beat(var)
    good = beat.get("last_good")
    if not good:
        return f"no run has ended well yet; last state: {beat.get('state', 'never run')}"
    age = datetime.now(UTC) - datetime.fromisoformat(good["ended"])
    if age <= max_age:
        return ""
    hours = age.total_seconds() / 3600
    why = f"; last run: {beat['state']}: {beat.get('why', '')}" if beat["state"] != "" else ""
    return f"the last good run ended {hours:.0f} h ago ({good['ended']}){why}".rstrip(": ")
