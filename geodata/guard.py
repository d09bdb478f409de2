"""To which addresses the atlas may connect, and until when.

An address inside a private network is refused where the connection is made: the name is
resolved once, every address it has is checked, and the connection goes to the very address that
was checked, so that a name cannot mean another machine a moment later. Each hop of a redirect
connects anew and is checked anew.
"""

import contextlib
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Any
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx

from geodata.errors import AtlasError

Address = IPv4Address | IPv6Address
IpNetwork = IPv4Network | IPv6Network

NAT64 = IPv6Network("64:ff9b::/96")
"""An IPv4 address in its last 32 bits, RFC 6052."""

NAT64_LOCAL = IPv6Network("64:ff9b:1::/48")
"""For translators inside one network, RFC 8215."""


class UnreachableError(AtlasError):
    """An address gave no usable answer now; it may later."""


class ForbiddenAddressError(UnreachableError):
    """A name leads into a network that its source does not allow."""


def is_public(address: Address) -> bool:
    """Tell whether an address is one of the public internet, seen through what it wraps.

    Private, loopback, link-local, multicast, unspecified and reserved addresses are not; nor is
    an IPv6 address that carries one of them (IPv4-mapped, NAT64, 6to4, Teredo).
    """
    if isinstance(address, IPv6Address):
        inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if address in NAT64:
            inner.append(IPv4Address(int(address) & 0xFFFFFFFF))
        wrapped = [one for one in inner if one is not None]
        if wrapped:
            return all(is_public(one) for one in wrapped)
        if address in NAT64_LOCAL:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def parse_networks(names: Iterable[str]) -> tuple[IpNetwork, ...]:
    """Read networks as CIDR or single addresses; ValueError names what is none."""
    return tuple(ip_network(name) for name in names)


@dataclass(frozen=True)
class Guard(httpcore.NetworkBackend):
    """The sockets of one fetch: to public or allowed addresses, and never past a deadline.

    ``deadline`` is an instant of ``time.monotonic``. ``is_proxied`` is for the connection to a
    proxy that the environment names: the operator chose it, so it is not checked.
    """

    allowed: tuple[IpNetwork, ...]
    deadline: float
    is_proxied: bool = False

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of the host that answers; all of them must be allowed."""
        addresses = resolve(host, port)
        if not self.is_proxied:
            for address in addresses:
                self.require_allowed(host, address)
        fault: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in addresses:
            try:
                stream = httpcore.SyncBackend().connect_tcp(
                    str(address), port, self.left(timeout), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                fault = error
            else:
                return _TimedStream(stream, self)
        raise fault

    def require_allowed(self, host: str, address: Address) -> None:
        """Raise ForbiddenAddressError where the address is neither public nor allowed."""
        plain = getattr(address, "ipv4_mapped", None) or address
        if not is_public(address) and not any(plain in network for network in self.allowed):
            raise ForbiddenAddressError(
                f"{host} leads to {address}, which is in no public network; where that is right, "
                "name its network under allowed_networks in source.toml"
            )

    def left(self, timeout: float | None) -> float:
        """Return the seconds that one step may still take. ReadTimeout where none are left."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the time allowed is over")
        return left if timeout is None else min(left, timeout)


class _TimedStream(httpcore.NetworkStream):
    """A connection each step of which ends by the deadline: headers that drip end too."""

    def __init__(self, stream: httpcore.NetworkStream, guard: Guard) -> None:
        self._stream = stream
        self._guard = guard

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._guard.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._guard.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = self._guard.left(timeout)
        return _TimedStream(self._stream.start_tls(ssl_context, server_hostname, left), self._guard)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - as httpcore has it
        return self._stream.get_extra_info(info)


def resolve(host: str, port: int) -> list[Address]:
    """Return every address of a host, in the system's order, whatever form it was written in.

    The system reads decimal and octal forms (``2130706433``, ``0177.0.0.1``) as it would when
    connecting, so what is checked is what is meant.
    """
    with contextlib.suppress(ValueError):
        return [ip_address(host)]
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(f"{host} has no address: {error}") from error
    return list(dict.fromkeys(ip_address(str(told[4][0])) for told in found))


class GuardedTransport(httpx.HTTPTransport):
    """One hop over HTTP or TLS, whose certificate must hold, through a `Guard`.

    Where the environment names a proxy for the address (HTTPS_PROXY, NO_PROXY and their kin),
    the proxy resolves the name and connects: then only an address written as a number can be
    checked here, and which networks the proxy reaches is its operator's to limit.
    """

    def __init__(self, url: httpx.URL, guard: Guard) -> None:
        context = httpx.create_ssl_context()
        super().__init__(verify=context)
        proxy = proxy_of(url)
        if proxy is None:
            self._pool = httpcore.ConnectionPool(ssl_context=context, network_backend=guard)
            return
        with contextlib.suppress(ValueError):
            guard.require_allowed(url.host, ip_address(url.host))
        self._pool = httpcore.HTTPProxy(
            proxy_url=str(proxy.url),
            proxy_auth=proxy.raw_auth,
            ssl_context=context,
            network_backend=Guard(guard.allowed, guard.deadline, is_proxied=True),
        )


def proxy_of(url: httpx.URL, proxies: Mapping[str, str] | None = None) -> httpx.Proxy | None:
    """Return the proxy that the environment names for an address, if any.

    UnreachableError where it is of a kind that is not supported; its address, which may hold a
    password, is not told.
    """
    named = getproxies() if proxies is None else proxies
    told = named.get(url.scheme) or named.get("all")
    if not told or proxy_bypass(url.host):
        return None
    proxy = httpx.Proxy(told if "://" in told else f"http://{told}")
    if proxy.url.scheme not in ("http", "https"):
        raise UnreachableError(
            f"the environment names a proxy of kind {proxy.url.scheme}; http and https are spoken"
        )
    return proxy
