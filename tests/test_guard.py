import socket
import time
from ipaddress import ip_address

import httpcore
import httpx
import pytest

from geodata.guard import (
    ForbiddenAddressError,
    Guard,
    UnreachableError,
    is_public,
    parse_networks,
    proxy_of,
    resolve,
)
from servers import running


def guard(*allowed: str, seconds: float = 10) -> Guard:
    return Guard(parse_networks(allowed), time.monotonic() + seconds)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "239.1.1.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "ff0e::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::10.0.0.1",
        "64:ff9b::a00:1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::808:808",
        "2002:a00:1::1",
        "2001:0:4136:e378:8000:63bf:f5ff:fffe",
    ],
)
def test_an_address_inside_some_network_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "203.162.4.191", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"],
)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0177.0.0.1", "0x7f.1", "127.1", "::1"]
)
def test_no_way_of_writing_loopback_gets_through(host: str) -> None:
    with running() as server, pytest.raises(ForbiddenAddressError, match="allowed_networks"):
        guard().connect_tcp(host, server.http.server_port, 1.0)


def test_an_allowed_network_is_allowed_also_when_it_is_written_as_ipv6() -> None:
    for address in ("127.0.0.1", "::ffff:127.0.0.1"):
        guard("127.0.0.0/8").require_allowed("here", ip_address(address))
        with pytest.raises(ForbiddenAddressError):
            guard("10.0.0.0/8", "::1").require_allowed("here", ip_address(address))


def answers(*addresses: str) -> object:
    """Resolve names to these addresses, one after the other, and numbers to themselves."""
    calls = iter(addresses)

    def getaddrinfo(host: str, port: int, *_: object, **__: object) -> list[object]:
        found = next(calls) if host.endswith(".example") else host
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in found.split()]

    return getaddrinfo


def test_a_name_with_one_private_address_among_public_ones_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", answers("8.8.8.8 10.0.0.1"))
    with pytest.raises(ForbiddenAddressError, match=r"maps\.example leads to 10\.0\.0\.1"):
        guard().connect_tcp("maps.example", 80, 1.0)


def test_a_name_that_changes_its_mind_is_asked_once_and_the_checked_address_is_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with running() as server:
        monkeypatch.setattr(socket, "getaddrinfo", answers("127.0.0.1", "10.0.0.1"))
        stream = guard("127.0.0.1").connect_tcp("rebound.example", server.http.server_port, 1.0)
        assert stream.get_extra_info("server_addr")[0] == "127.0.0.1"
        stream.close()


def test_the_next_address_is_tried_where_one_does_not_listen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with running() as server:
        monkeypatch.setattr(socket, "getaddrinfo", answers("127.0.0.2 127.0.0.1"))
        stream = guard("127.0.0.0/8").connect_tcp("two.example", server.http.server_port, 1.0)
        assert stream.get_extra_info("server_addr")[0] == "127.0.0.1"
        stream.close()


def test_a_host_without_an_address_is_a_failure_to_connect(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for fault in (socket.gaierror("Name or service not known"), UnicodeError("label too long")):

        def fail(*_: object, fault: Exception = fault, **__: object) -> None:
            raise fault

        monkeypatch.setattr(socket, "getaddrinfo", fail)
        with pytest.raises(httpcore.ConnectError, match=r"lost\.example has no address"):
            resolve("lost.example", 80)


def test_no_step_begins_after_the_deadline() -> None:
    with running() as server, pytest.raises(httpcore.ReadTimeout):
        guard("127.0.0.1", seconds=-1).connect_tcp("127.0.0.1", server.http.server_port, 1.0)


def test_the_environment_names_the_proxy_and_those_it_is_not_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = httpx.URL("https://maps.example/a")
    proxies = {"https": "http://an:secret@proxy.example:3128"}
    proxy = proxy_of(url, proxies)
    assert proxy is not None
    assert proxy.url.host == "proxy.example"
    assert proxy_of(url, {"http": "http://proxy.example"}) is None
    monkeypatch.setenv("no_proxy", "maps.example")
    assert proxy_of(url, proxies) is None


def test_a_proxy_of_another_kind_is_refused_without_telling_its_password() -> None:
    with pytest.raises(UnreachableError, match="proxy of kind socks5") as caught:
        proxy_of(httpx.URL("http://maps.example"), {"all": "socks5://an:secret@proxy.example"})
    assert "secret" not in str(caught.value)
