"""Real servers on loopback that say what a test prepared; ended by the test that started them."""

import contextlib
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[[BaseHTTPRequestHandler], None]
BODY = b'{"type": "FeatureCollection", "features": []}'
LOOPBACK = ("127.0.0.1/32",)
"""What a source must allow so that it may be read from a server of a test."""


def say(status: int = 200, body: bytes = BODY, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def wait_for_the_client_to_leave(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.recv(1)


def drip(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    drip_bytes(handler, b" ")


def drip_headers(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    drip_bytes(handler, b"X-Slow: 1\r\n")


def drip_bytes(handler: BaseHTTPRequestHandler, part: bytes) -> None:
    for _ in range(1_000):
        handler.wfile.write(part)
        time.sleep(0.01)


def reset(handler: BaseHTTPRequestHandler) -> None:
    """Send half of what was promised, then close so that the client sees a reset."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(BODY)))
    handler.end_headers()
    handler.wfile.write(BODY[: len(BODY) // 2])
    handler.wfile.flush()
    handler.connection.setsockopt(1, 13, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    handler.connection.close()


class Server:
    """A real HTTP server on loopback that gives prepared answers, the last one for ever.

    ``paths`` answer for their own path and do not count among the ``answers``.
    """

    def __init__(self, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self.answers: list[Answer] = [say()]
        self.paths: dict[str, Answer] = {}
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(length)
                own = server.paths.get(self.path)
                server.asked.append((self.command, self.path, dict(self.headers), body))
                counted = [path for _, path, *_ in server.asked if path not in server.paths]
                nth = min(len(counted), len(server.answers)) - 1
                with contextlib.suppress(ConnectionError, ssl.SSLError):
                    (own or server.answers[nth])(self)

            def log_message(self, *told: object) -> None:
                """Say nothing: a test's output is its own."""

            do_GET = do_POST = answer  # noqa: N815 - the names that http.server calls

        class Quiet(ThreadingHTTPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                """A client that leaves in the middle is what some tests are about."""

        self.http = Quiet((host, 0), Handler)
        if tls is not None:
            self.http.socket = tls.wrap_socket(self.http.socket, server_side=True)
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://{host}:{self.http.server_port}"

    def run(self) -> None:
        self.http.serve_forever(poll_interval=0.005)


@contextlib.contextmanager
def running(tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Iterator[Server]:
    made = Server(tls, host)
    thread = threading.Thread(target=made.run)
    thread.start()
    try:
        yield made
    finally:
        made.http.shutdown()
        made.http.server_close()
        thread.join()
