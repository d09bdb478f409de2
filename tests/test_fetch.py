import gzip
import io
import ssl
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import stamina
import trustme

from geodata import fetch as fetching
from geodata.fetch import Limits, Validators, asked_pause, fetch, pause_after, who_asks
from geodata.guard import UnreachableError, parse_networks
from servers import BODY, LOOPBACK, Server, running, say

HERE = parse_networks(LOOPBACK)


@pytest.fixture(autouse=True)
def _retries_without_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=fetching.ATTEMPTS):
        yield


@pytest.fixture
def server() -> Iterator[Server]:
    with running() as made:
        yield made


def get(url: str, size: int = 100_000, **headers: str) -> tuple[bytes, Validators | None]:
    into = io.BytesIO()
    asked = {name.replace("_", "-"): value for name, value in headers.items()}
    request = httpx.Request("GET", url, headers=who_asks() | asked)
    told = fetch(request, Limits(size, 20.0, HERE), into)
    return into.getvalue(), told


def refusal(url: str, **settings: int) -> str:
    with pytest.raises(UnreachableError) as caught:
        get(url, **settings)
    return str(caught.value)


def paths(server: Server) -> list[str]:
    return [path for _, path, *_ in server.asked]


def test_a_redirect_is_followed_and_the_validators_are_those_of_its_end(server: Server) -> None:
    server.paths = {"/a": say(302, b"", Location="/b"), "/b": say(ETag='"1"')}
    assert get(f"{server.url}/a") == (BODY, Validators('"1"'))
    assert paths(server) == ["/a", "/b"]


def test_redirects_are_counted(server: Server) -> None:
    server.paths = {f"/{n}": say(301, b"", Location=f"/{n + 1}") for n in range(fetching.REDIRECTS)}
    assert get(f"{server.url}/0")[0] == BODY
    server.paths["/0"] = say(301, b"", Location="/0")
    assert "more than 5 redirects" in refusal(f"{server.url}/0")


def test_each_hop_is_checked_anew(server: Server) -> None:
    with running(host="127.0.0.2") as inner:
        server.answers = [say(302, b"", Location=f"{inner.url}/secret?key=k3y")]
        told = refusal(f"{server.url}/a")
        assert "127.0.0.2 leads to 127.0.0.2, which is in no public network" in told
        assert inner.asked == []
    assert paths(server) == ["/a"]


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("file:///etc/passwd", "is no http or https address"),
        ("ftp://127.0.0.1/a", "is no http or https address"),
        ("http://an:secret@127.0.0.1/a", "holds a user name or password"),
    ],
)
def test_a_redirect_to_what_no_source_may_name_is_refused(
    server: Server, location: str, why: str
) -> None:
    server.answers = [say(302, b"", Location=location)]
    told = refusal(f"{server.url}/a")
    assert why in told
    assert "secret" not in told


def test_a_question_that_a_redirect_would_drop_is_not_asked_without_it(server: Server) -> None:
    server.paths = {"/a": say(302, b"", Location="/b")}
    request = httpx.Request("POST", f"{server.url}/a", data={"data": "way;"})
    with pytest.raises(UnreachableError, match="would lose what was asked"):
        fetch(request, Limits(1_000, 20.0, HERE), io.BytesIO())
    assert paths(server) == ["/a"]
    server.paths = {"/a": say(307, b"", Location="/b")}
    fetch(request, Limits(1_000, 20.0, HERE), io.BytesIO())
    assert server.asked[-1][3] == b"data=way%3B"


def test_messages_tell_no_question_of_an_address(server: Server) -> None:
    server.answers = [say(302, b"", Location="/b?signature=s3cret"), say(404)]
    told = refusal(f"{server.url}/a?token=s3cret")
    assert "/b answered 404" in told
    assert "s3cret" not in told


def test_what_a_server_said_last_is_asked_with_and_unchanged_is_no_body(server: Server) -> None:
    validators = Validators('W/"7"', "Wed, 06 May 2026 07:00:00 GMT")
    server.answers = [say(304, b"")]
    assert get(f"{server.url}/a", **validators.headers) == (b"", None)
    headers = server.asked[0][2]
    assert headers["If-None-Match"] == 'W/"7"'
    assert headers["If-Modified-Since"] == "Wed, 06 May 2026 07:00:00 GMT"


def test_unchanged_without_having_been_asked_is_no_answer(server: Server) -> None:
    server.answers = [say(304, b"")]
    assert "answered 304, not 200" in refusal(f"{server.url}/a")


def test_more_than_was_promised_is_not_read(server: Server) -> None:
    server.answers = [say(body=BODY + b"and more", Content_Length=str(len(BODY)))]
    assert get(f"{server.url}/a")[0] == BODY


def test_half_an_answer_leaves_nothing_of_itself_before_the_whole_one(server: Server) -> None:
    server.answers = [say(Content_Length="999"), say(body=b"whole")]
    assert get(f"{server.url}/a")[0] == b"whole"


def test_an_answer_that_unpacks_a_thousandfold_is_never_held_whole(server: Server) -> None:
    bomb = gzip.compress(bytes(20_000_000), compresslevel=9)
    server.answers = [say(body=bomb, Content_Encoding="gzip")]
    tracemalloc.start()
    told = refusal(f"{server.url}/a", size=1_000_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "sends more than 1000000 bytes" in told
    assert peak < 5_000_000


def test_a_packed_answer_of_several_parts_is_unpacked_whole(server: Server) -> None:
    parts = gzip.compress(b"a" * 70_000) + gzip.compress(b"b" * 3)
    server.answers = [say(body=parts, Content_Encoding="gzip")]
    assert get(f"{server.url}/a")[0] == b"a" * 70_000 + b"bbb"
    server.answers = [say(body=parts + b"more", Content_Encoding="gzip")]
    assert "Error -3" in refusal(f"{server.url}/a")


def test_another_packing_than_was_asked_for_is_refused(server: Server) -> None:
    server.answers = [say(Content_Encoding="br")]
    assert "sends 'br'; gzip was asked for" in refusal(f"{server.url}/a")
    assert server.asked[0][2]["Accept-Encoding"] == "gzip"


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("7", 7.0),
        ("Wed, 25 Nov 2026 10:00:30 GMT", 30.0),
        ("Wed, 25 Nov 2026 09:00:00 GMT", 0.0),
        ("soon", None),
        ("-3", None),
        ("", None),
    ],
)
def test_a_pause_is_asked_for_as_a_count_or_as_a_date(told: str, seconds: float | None) -> None:
    assert asked_pause(told, "Wed, 25 Nov 2026 10:00:00 GMT") == seconds


def test_a_pause_that_a_server_asks_for_is_made(server: Server) -> None:
    pauses = []
    server.answers = [say(503, Retry_After="7"), say(429, Retry_After="9"), say()]
    with stamina.set_testing(True, attempts=3):
        stamina.instrumentation.set_on_retry_hooks([lambda told: pauses.append(told.wait_for)])
        assert get(f"{server.url}/a")[0] == BODY
    stamina.instrumentation.set_on_retry_hooks(None)
    assert len(pauses) == 2
    error = fetching.TemporaryError("", 503, 7.0)
    assert pause_after(error, fetching.PLAIN, float("inf")) == 7.0
    assert pause_after(error, fetching.PLAIN, 0.0) is False


def test_a_pause_longer_than_the_night_allows_ends_the_asking(server: Server) -> None:
    server.answers = [say(503, Retry_After="86400")]
    assert "asks for 86400 s; the next run asks again" in refusal(f"{server.url}/a")
    assert len(server.asked) == 1


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def tls(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))


@pytest.mark.usefixtures("trusted")
def test_a_certificate_that_holds_is_read_from_and_never_left_for_plain_http(
    authority: trustme.CA, server: Server
) -> None:
    with running(tls(authority, "127.0.0.1")) as safe:
        assert get(f"{safe.url}/a")[0] == BODY
        safe.answers = [say(302, b"", Location=f"{server.url}/b")]
        assert "which is no longer encrypted" in refusal(f"{safe.url}/a")
        server.answers = [say(302, b"", Location=f"{safe.url}/c")]
        safe.answers = [say()]
        assert get(f"{server.url}/b")[0] == BODY
    assert paths(server) == ["/b"]


@pytest.mark.usefixtures("trusted")
def test_a_certificate_for_another_name_is_refused(authority: trustme.CA) -> None:
    with running(tls(authority, "other.example")) as false:
        assert "CERTIFICATE_VERIFY_FAILED" in refusal(f"{false.url}/a")
        assert false.asked == []


def test_a_certificate_of_nobody_known_is_refused(authority: trustme.CA) -> None:
    with running(tls(authority, "127.0.0.1")) as unknown:
        assert "CERTIFICATE_VERIFY_FAILED" in refusal(f"{unknown.url}/a")
        assert unknown.asked == []


def test_a_proxy_of_the_environment_is_asked_for_the_whole_address(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    assert get("http://maps.example/a")[0] == BODY
    assert paths(server) == ["http://maps.example/a"]


def test_a_number_inside_a_private_network_is_not_asked_of_a_proxy_either(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    assert "in no public network" in refusal("http://169.254.169.254/latest/meta-data")
    assert server.asked == []


def test_no_password_of_the_machine_is_sent_along(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login an password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    get(f"{server.url}/a")
    assert "Authorization" not in server.asked[0][2]
