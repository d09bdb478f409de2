import io
import json
from collections.abc import Iterator

import pytest
import stamina

from geodata import overpass
from geodata.fetch import ATTEMPTS, Limits
from geodata.guard import UnreachableError, parse_networks
from servers import LOOPBACK, Server, running, say

LIMITS = Limits(100_000, 20.0, parse_networks(LOOPBACK))
WHOLE = json.dumps({"version": 0.6, "elements": [{"type": "way"}]}).encode()
TIMED_OUT = json.dumps(
    {
        "elements": [{"type": "way"}],
        "remark": 'runtime error: Query timed out in "query" at line 3 after 91 seconds.',
    }
).encode()
NO_MEMORY = json.dumps(
    {"elements": [], "remark": "runtime error: Query run out of memory using about 2048 MB."}
).encode()
LIMITED = (
    b'<?xml version="1.0"?><html><body><p><strong style="color:#FF0000">Error</strong>: runtime '
    b"error: open64: 0 Success /osm3s_osm_base Dispatcher_Client::request_read_and_idx::"
    b"rate_limited. Please check /api/status for the quota of your IP address.</p></body></html>"
)
SLOTS = (
    b"Connected as: 7\nCurrent time: 2026-11-25T01:30:00Z\nRate limit: 2\n"
    b"Slot available after: 2026-11-25T01:30:44Z, in 44 seconds.\n"
    b"Slot available after: 2026-11-25T01:30:12Z, in 12 seconds.\n"
    b"Currently running queries (pid, space limit, time limit, start time):\n"
)


@pytest.fixture(autouse=True)
def _retries_without_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=ATTEMPTS):
        yield


@pytest.fixture
def server() -> Iterator[Server]:
    with running() as made:
        made.paths = {"/api/status": say(body=SLOTS)}
        yield made


def ask(server: Server) -> bytes:
    into = io.BytesIO()
    overpass.ask(f"{server.url}/api/interpreter", "way;out geom;", LIMITS, into)
    return into.getvalue()


def asked(server: Server) -> list[tuple[str, str]]:
    return [(method, path) for method, path, *_ in server.asked]


QUERY = ("POST", "/api/interpreter")
STATUS = ("GET", "/api/status")


def test_a_whole_reply_is_taken_at_once(server: Server) -> None:
    server.answers = [say(body=WHOLE)]
    assert ask(server) == WHOLE
    assert asked(server) == [QUERY]
    assert "hau-giang-atlas" in server.asked[0][2]["User-Agent"]


@pytest.mark.parametrize("first", [say(body=LIMITED), say(429, LIMITED)])
def test_a_server_without_a_slot_is_asked_when_it_has_one_and_then_again(
    server: Server, first: object
) -> None:
    server.answers = [first, say(body=WHOLE)]
    assert ask(server) == WHOLE
    assert asked(server) == [QUERY, STATUS, QUERY]


def test_a_pause_that_the_server_names_itself_needs_no_status(server: Server) -> None:
    server.answers = [say(429, LIMITED, Retry_After="3"), say(body=WHOLE)]
    assert ask(server) == WHOLE
    assert asked(server) == [QUERY, QUERY]


@pytest.mark.parametrize(
    "trouble",
    [
        say(body=TIMED_OUT),
        say(body=NO_MEMORY),
        say(504, b"<html>busy</html>"),
        say(body=WHOLE[:-9]),
        say(body=b"<html>The server is probably too busy to handle your request.</html>"),
        say(body=b""),
    ],
)
def test_a_trouble_told_with_or_without_status_200_passes(server: Server, trouble: object) -> None:
    server.answers = [trouble, say(body=WHOLE)]
    assert ask(server) == WHOLE
    assert asked(server) == [QUERY, QUERY]


@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        (TIMED_OUT, "remarks: runtime error: Query timed out"),
        (NO_MEMORY, "remarks: runtime error: Query run out of memory"),
        (LIMITED, "rate_limited. Please check /api/status"),
        (b"<html>Busy</html>", "remarks: Busy"),
        (b'{"elements": [', "no whole JSON"),
        (b'{"a": ' + b"[" * 90_000, "no whole JSON"),
    ],
)
def test_a_trouble_that_does_not_pass_is_told_and_nothing_of_it_is_an_answer(
    server: Server, trouble: bytes, why: str
) -> None:
    server.answers = [say(body=trouble)]
    with pytest.raises(UnreachableError) as caught:
        ask(server)
    assert why in str(caught.value)
    assert asked(server).count(QUERY) == ATTEMPTS


@pytest.mark.parametrize(
    ("page", "seconds"),
    [
        (say(body=SLOTS), 12.0),
        (say(body=b"Rate limit: 2\n2 slots available now.\n"), 0.0),
        (say(body=b"Rate limit: 2\n0 slots available now.\n"), overpass.PAUSE_S),
        (say(body=b"Slot available after: 2026-11-25T01:30:44Z, in -2 seconds."), 0.0),
        (say(404), overpass.PAUSE_S),
        (say(503), overpass.PAUSE_S),
        (say(body=b"x" * 30_000), overpass.PAUSE_S),
    ],
)
def test_the_pause_is_as_long_as_the_status_page_says(
    server: Server, page: object, seconds: float
) -> None:
    server.paths["/api/status"] = page
    assert overpass.asked_slot(f"{server.url}/api/interpreter", LIMITS) == seconds
