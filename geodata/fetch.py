"""One answer of one address, into a file, within limits; nothing is judged about what it says.

Retries belong to the network only. An address is told in messages without its question, which
may hold a key that a redirect brought along.
"""

import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import BinaryIO

import httpx
import stamina

from geodata.guard import Guard, GuardedTransport, IpNetwork, UnreachableError
from geodata.region import here

CONNECT_S = 5.0
SILENCE_S = 30.0
"""The longest a server may say nothing."""

ATTEMPTS = 3
WAIT_MOST_S = 120.0
"""A server that asks for a longer pause than this is left until the next night."""

REDIRECTS = 5
CHUNK = 65_536
GZIP = zlib.MAX_WBITS | 16
BUSY = 429
TEMPORARY = (408, BUSY, 500, 502, 503, 504)


def who_asks() -> dict[str, str]:
    """Say who asks, for which region, and what may be sent."""
    return {
        "User-Agent": f"{here().atlas_id} (nightly atlas build)",
        "Accept-Encoding": "gzip",
    }


@dataclass(frozen=True)
class Limits:
    """How much one answer may be: decoded bytes, seconds over all attempts, and whence.

    ``allowed`` are the networks that it may come from beside the public internet.
    """

    bytes: int
    seconds: float
    allowed: tuple[IpNetwork, ...] = ()


@dataclass(frozen=True)
class Validators:
    """What a server said to ask again with: only "" where it said nothing."""

    etag: str = ""
    last_modified: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """The conditions to ask with."""
        told = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in told.items() if value}


class TemporaryError(Exception):
    """A failure of the network that may pass.

    ``status`` is the server's, 0 where there was none; ``wait`` the seconds of pause it asks for.
    """

    def __init__(self, message: str, status: int = 0, wait: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.wait = wait


def accept_any(_: BinaryIO) -> None:
    """Find no fault with an answer: its status says it all."""


def asked_wait(error: TemporaryError) -> float | None:
    """Return the pause that the server asked for, if any."""
    return error.wait


@dataclass(frozen=True)
class Manners:
    """What a kind of server needs beyond HTTP.

    ``judge`` raises TemporaryError where an answer with status 200 is none; ``pause`` returns
    the seconds until the next try, None for a short one that grows.
    """

    judge: Callable[[BinaryIO], None] = accept_any
    pause: Callable[[TemporaryError], float | None] = asked_wait


PLAIN = Manners()


def fetch_once(request: httpx.Request, limits: Limits, into: BinaryIO) -> Validators | None:
    """Ask once. TemporaryError where asking again may help, UnreachableError where it will not."""
    return _follow(request, limits, time.monotonic() + limits.seconds, into)


def fetch(
    request: httpx.Request, limits: Limits, into: BinaryIO, manners: Manners = PLAIN
) -> Validators | None:
    """Write the answer to ``into`` and return its validators; None where it is unchanged.

    UnreachableError where there is no whole answer within the limits.
    """
    deadline = time.monotonic() + limits.seconds

    @stamina.retry(
        on=lambda error: pause_after(error, manners, deadline),
        attempts=ATTEMPTS,
        timeout=None,
        wait_initial=0.2,
        wait_max=2.0,
    )
    def attempt() -> Validators | None:
        into.seek(0)
        into.truncate()
        told = _follow(request, limits, deadline, into)
        manners.judge(into)
        return told

    try:
        return attempt()
    except TemporaryError as error:
        raise UnreachableError(str(error)) from error


def pause_after(error: Exception, manners: Manners, deadline: float) -> bool | float:
    """Tell whether to try again, or after how many seconds where there is a reason for so many."""
    left = deadline - time.monotonic()
    if not isinstance(error, TemporaryError) or left <= 0:
        return False
    pause = manners.pause(error)
    if pause is None:
        return True
    return pause if pause <= min(WAIT_MOST_S, left) else False


def shown(url: httpx.URL) -> str:
    """Return an address as messages tell it: without question, mark and user."""
    return str(url.copy_with(query=None, fragment=None, username=None, password=None))


def _follow(
    request: httpx.Request, limits: Limits, deadline: float, into: BinaryIO
) -> Validators | None:
    for _ in range(REDIRECTS + 1):
        guard = Guard(limits.allowed, deadline)
        try:
            transport = GuardedTransport(request.url, guard)
            timeout = httpx.Timeout(SILENCE_S, connect=CONNECT_S)
            # without the environment: a .netrc would send its passwords along
            with httpx.Client(transport=transport, trust_env=False, timeout=timeout) as client:
                response = client.send(request, stream=True)
                onward = response.next_request
                if onward is None:
                    return _read(response, limits, into, bool(_conditions(request)))
                response.close()
        except httpx.TimeoutException as error:
            raise _timed_out(request, limits, deadline, error) from error
        except httpx.RequestError as error:
            raise TemporaryError(
                f"{shown(request.url)}: {type(error).__name__}: {error}"
            ) from error
        request = _checked_hop(request, onward)
    raise UnreachableError(f"{shown(request.url)}: more than {REDIRECTS} redirects; correct it")


def _timed_out(
    request: httpx.Request, limits: Limits, deadline: float, error: Exception
) -> Exception:
    url = shown(request.url)
    if time.monotonic() >= deadline:
        return UnreachableError(f"{url} still sends after {limits.seconds:g} s")
    return TemporaryError(f"{url}: {type(error).__name__}: {error}")


def _conditions(request: httpx.Request) -> set[str]:
    return {"if-none-match", "if-modified-since"} & set(request.headers)


def _checked_hop(before: httpx.Request, onward: httpx.Request) -> httpx.Request:
    """Return the next hop where it may be asked. UnreachableError says why it may not."""
    faults = {
        "is no http or https address": onward.url.scheme not in ("http", "https"),
        "is no longer encrypted": (before.url.scheme, onward.url.scheme) == ("https", "http"),
        "holds a user name or password": bool(onward.url.userinfo),
        "would lose what was asked": before.method != onward.method,
    }
    wrong = [fault for fault, is_true in faults.items() if is_true]
    if wrong:
        raise UnreachableError(
            f"{shown(before.url)} redirects to {shown(onward.url)}, which {' and '.join(wrong)}"
        )
    return onward


def _read(
    response: httpx.Response, limits: Limits, into: BinaryIO, is_conditional: bool
) -> Validators | None:
    url, status = shown(response.url), response.status_code
    if status == httpx.codes.NOT_MODIFIED and is_conditional:
        return None
    if status in TEMPORARY:
        raise _refused_for_now(response)
    if status != httpx.codes.OK:
        raise UnreachableError(f"{url} answered {status}, not 200")
    size = 0
    for part in _decoded(response):
        size += len(part)
        if size > limits.bytes:
            raise UnreachableError(f"{url} sends more than {limits.bytes} bytes")
        into.write(part)
    told = response.headers
    return Validators(told.get("ETag", ""), told.get("Last-Modified", ""))


def _refused_for_now(response: httpx.Response) -> Exception:
    wait = asked_pause(response.headers.get("Retry-After", ""), response.headers.get("Date", ""))
    message = f"{shown(response.url)} answered {response.status_code}"
    if wait is not None and wait > WAIT_MOST_S:
        return UnreachableError(f"{message} and asks for {wait:.0f} s; the next run asks again")
    return TemporaryError(message, response.status_code, wait)


def asked_pause(told: str, sent_on: str) -> float | None:
    """Return the seconds that ``Retry-After`` asks for: a count, or a date beside ``Date``.

    None where it says nothing that can be understood.
    """
    if told.strip().isdecimal():
        return float(told)
    try:
        gap = _instant(told) - _instant(sent_on)
    except (ValueError, TypeError):
        return None
    return max(0.0, gap.total_seconds())


def _instant(told: str) -> datetime:
    instant = parsedate_to_datetime(told)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _decoded(response: httpx.Response) -> Iterator[bytes]:
    """Unpack piece by piece: a small answer that unpacks to a huge one is never held whole."""
    coding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if coding == "identity":
        yield from response.iter_raw(CHUNK)
        return
    if coding not in ("gzip", "x-gzip"):
        raise UnreachableError(f"{shown(response.url)} sends {coding!r}; gzip was asked for")
    unpack = zlib.decompressobj(GZIP)
    try:
        for packed in response.iter_raw(CHUNK):
            rest = packed
            while rest:
                if unpack.eof:
                    unpack = zlib.decompressobj(GZIP)  # a packed file may go on with another
                yield unpack.decompress(rest, CHUNK)
                rest = unpack.unconsumed_tail or unpack.unused_data
    except zlib.error as error:
        raise TemporaryError(f"{shown(response.url)}: {error}") from error
    if not unpack.eof:
        raise TemporaryError(f"{shown(response.url)}: the packed answer ends too early")
