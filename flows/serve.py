"""The published site on 127.0.0.1, with range requests and the headers a real host should set."""

from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'self'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
YEAR = 31_536_000
HTTP_ERRORS = 400


class _Headers:
    """Adds the headers; files named by their content may be kept for a year."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                kept = scope["path"].startswith("/assets/") and message["status"] < HTTP_ERRORS
                headers["Cache-Control"] = f"max-age={YEAR}, immutable" if kept else "no-cache"
            await send(message)

        await self.app(scope, receive, send_with)


def site_app(public: Path) -> ASGIApp:
    """Return the ASGI app that serves the folder behind ``public``, whichever edition it is."""
    files = StaticFiles(directory=public, html=True, follow_symlink=True)
    return _Headers(Starlette(routes=[Mount("/", files)]))


def serve_site(public: Path, port: int) -> None:
    """Serve until stopped."""
    uvicorn.run(site_app(public), host="127.0.0.1", port=port, log_level="warning")
