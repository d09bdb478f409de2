"""What is called when a run ends: a command or a webhook, one for success and one for failure.

They come from the environment (``ATLAS_ON_SUCCESS``, ``ATLAS_ON_FAILURE``), because a webhook's
address is often a secret: it stands in no order, no log and no database of Prefect's.
"""

import json
import logging
import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

log = logging.getLogger("atlas.run")

ON_SUCCESS, ON_FAILURE = "ATLAS_ON_SUCCESS", "ATLAS_ON_FAILURE"
COMMAND_S, ANSWER_S = 60, 10
KEYS = ("run", "state", "why", "edition")


def call_hook(name: str, report: Path, told: dict[str, Any]) -> str:
    """Call the hook of that name, if one is set; return what went wrong, or "".

    A command gets the report's path as its last argument and ATLAS_RUN, ATLAS_STATE, ATLAS_WHY,
    ATLAS_EDITION and ATLAS_REPORT in its environment; no shell reads any of it. An address gets
    ``told`` by POST as JSON. A hook that fails never changes how the run ended.
    """
    hook = os.environ.get(name, "").strip()
    if not hook:
        return ""
    is_address = hook.startswith(("http://", "https://"))
    fault = _post(hook, told) if is_address else _run(hook, report, told)
    if fault:
        log.error("%s: %s; the run itself is not affected", name, fault)
    return fault


def _run(hook: str, report: Path, told: dict[str, Any]) -> str:
    values = {f"ATLAS_{key.upper()}": str(told.get(key) or "") for key in KEYS}
    try:
        done = subprocess.run(
            [*shlex.split(hook), str(report)],
            env={**os.environ, **values, "ATLAS_REPORT": str(report)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=COMMAND_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"the command did not end within {COMMAND_S} s"
    except (OSError, ValueError) as error:
        return f"the command cannot be run: {error}"
    said = done.stderr.decode("utf-8", "replace").strip()[-500:]
    return f"the command ended with {done.returncode}: {said}" if done.returncode else ""


def _post(hook: str, told: dict[str, Any]) -> str:
    import httpx

    host = ""
    try:
        host = httpx.URL(hook).host
        answer = httpx.post(
            hook,
            content=json.dumps(told, ensure_ascii=False).encode(),
            headers={"Content-Type": "application/json"},
            timeout=ANSWER_S,
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        where = host or "an address that is none"
        return f"the webhook at {where} cannot be reached ({type(error).__name__})"
    return "" if answer.is_success else f"the webhook at {host} answered {answer.status_code}"
