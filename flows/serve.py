"""The published site on 127.0.0.1, with ranges, gzip and the headers a real host should set."""

import mimetypes
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from atlas.metadata import MEDIA

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'self'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
PACKED_ENDINGS = ("xlsx", "parquet", "fgb", "pmtiles", "bin")
"""Packed already, or read by ranges: these travel as they are, beside what Starlette spares."""


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
    for ending, media in MEDIA.items():
        mimetypes.add_type(media, f".{ending}")
    packed = (*DEFAULT_EXCLUDED_CONTENT_TYPES, *(MEDIA[ending] for ending in PACKED_ENDINGS))
    files = StaticFiles(directory=public, html=True, follow_symlink=True)
    gzip = Middleware(GZipMiddleware, exclude_content_types=packed)
    return _Headers(Starlette(routes=[Mount("/", files)], middleware=[gzip]))


def serve_site(public: Path, port: int) -> None:
    """Serve until stopped."""
    uvicorn.run(site_app(public), host="127.0.0.1", port=port, log_level="warning")
