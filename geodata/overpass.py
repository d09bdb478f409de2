"""Asking an Overpass server, by its own rules: one query at a time, and a pause when it says so.

Such a server tells its troubles with status 200 too: as a ``remark`` in the reply, beside part
of the elements or none, or as a page of HTML. None of these is taken for an answer.
"""

import io
import json
import re
from typing import BinaryIO
from urllib.parse import urljoin

import httpx

from geodata.fetch import BUSY, Limits, Manners, TemporaryError, fetch, fetch_once, who_asks
from geodata.guard import UnreachableError

STATUS_BYTES = 20_000
STATUS_S = 20.0
PAUSE_S = 15.0
"""What a server gets that is out of time, memory or slots and names no moment."""

HEAD = 2_000
REMARK_LENGTH = 200
SLOT = re.compile(r"Slot available after:.*?, in (-?\d+) seconds")
FREE = re.compile(r"^[1-9]\d* slots? available now", re.MULTILINE)
TAGS = re.compile(r"<[^>]*>|\s+")


def ask(endpoint: str, query: str, limits: Limits, into: BinaryIO) -> None:
    """Write the reply to a query. UnreachableError where no whole answer came within the limits.

    Sources are collected one after the other, so no second query runs beside it.
    """
    request = httpx.Request("POST", endpoint, data={"data": query}, headers=who_asks())

    def pause(error: TemporaryError) -> float:
        if error.wait is not None:
            return error.wait
        return asked_slot(endpoint, limits) if error.status == BUSY else PAUSE_S

    fetch(request, limits, into, Manners(lambda file: judge_reply(file, endpoint), pause))


def judge_reply(file: BinaryIO, endpoint: str) -> None:
    """Raise TemporaryError where a reply with status 200 is no whole answer."""
    file.seek(0)
    head = file.read(HEAD).lstrip()
    if not head.startswith(b"{"):
        page = TAGS.sub(" ", head.decode("utf-8", errors="replace"))
        raise _refused(endpoint, page, BUSY if "rate_limited" in page else 0)
    file.seek(0)
    try:
        remark = str(json.load(file).get("remark", ""))
    except (ValueError, RecursionError) as error:
        raise _refused(endpoint, f"no whole JSON: {error}") from error
    if remark:
        raise _refused(endpoint, remark)


def _refused(endpoint: str, told: str, status: int = 0) -> TemporaryError:
    # what went wrong stands at the end of its page
    found = re.search(r"(runtime )?error.*", told.strip(), re.IGNORECASE)
    said = found.group() if found else told.strip()
    return TemporaryError(f"{endpoint} remarks: {said[:REMARK_LENGTH]}", status)


def asked_slot(endpoint: str, limits: Limits) -> float:
    """Return the seconds until the server has a slot for us, as its status page tells."""
    request = httpx.Request("GET", urljoin(endpoint, "status"), headers=who_asks())
    page = io.BytesIO()
    try:
        fetch_once(request, Limits(STATUS_BYTES, STATUS_S, limits.allowed), page)
    except (UnreachableError, TemporaryError):
        return PAUSE_S
    text = page.getvalue().decode("utf-8", errors="replace")
    if FREE.search(text):
        return 0.0
    waits = [max(0.0, float(told)) for told in SLOT.findall(text)]
    return min(waits, default=PAUSE_S)
