"""A store of S3's kind as a publishing target.

Keys, endpoint and region come from the environment alone: ``AWS_ACCESS_KEY_ID``,
``AWS_SECRET_ACCESS_KEY``, ``AWS_ENDPOINT_URL``, ``AWS_REGION``; ``AWS_ALLOW_HTTP=true`` allows an
endpoint without TLS.
"""

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from atlas.targets import Upload, upload_of
from geodata.archive import sha256_of
from geodata.errors import DeliveryError

AT_ONCE = 8


class Bucket:
    """One bucket, or what lies below a prefix of it."""

    def __init__(self, bucket: str, prefix: str) -> None:
        is_plain = os.environ.get("AWS_ALLOW_HTTP", "") == "true"
        client: Any = {"timeout": "60s", "connect_timeout": "10s", "allow_http": is_plain}
        retry: Any = {"max_retries": 4}
        with _told():
            self.store = S3Store(
                bucket, prefix=prefix or None, client_options=client, retry_config=retry
            )

    def held(self) -> set[str]:
        """Return the names of all objects."""
        return set(self._tags())

    def read(self, name: str) -> bytes:
        """Return one object, as it is stored."""
        with _told():
            return bytes(obstore.get(self.store, name).bytes())

    def write(self, name: str, content: bytes) -> None:
        """Write one JSON object, which no cache may keep."""
        self._put(
            Upload(name, content, {"Content-Type": "application/json", "Cache-Control": "no-cache"})
        )

    def send(self, folder: Path, names: Iterable[str]) -> None:
        """Put files that are not there with these very bytes."""
        tags = self._tags()
        uploads = (upload_of(folder, name) for name in names)
        wanted = [u for u in uploads if tags.get(u.name) != (len(u.content), u.md5)]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(self._put, wanted))

    def differing(self, folder: Path, names: Iterable[str]) -> list[str]:
        """Return what is not as it was sent: by size and ETag, else by reading it back."""
        tags = self._tags()
        uploads = (upload_of(folder, name) for name in names)
        return [u.name for u in uploads if not self._is_right(u, tags.get(u.name))]

    def remove(self, names: Iterable[str]) -> None:
        """Remove objects."""
        with _told():
            obstore.delete(self.store, list(names))

    def _tags(self) -> dict[str, tuple[int, str]]:
        with _told():
            listed = [meta for chunk in obstore.list(self.store) for meta in chunk]
        return {m["path"]: (m["size"], (m["e_tag"] or "").strip('"')) for m in listed}

    def _put(self, upload: Upload) -> None:
        headers: Any = upload.headers
        with _told():
            obstore.put(
                self.store, upload.name, upload.content, attributes=headers, use_multipart=False
            )

    def _is_right(self, upload: Upload, held: tuple[int, str] | None) -> bool:
        if held is None or held[0] != len(upload.content):
            return False
        return held[1] == upload.md5 or sha256_of(self.read(upload.name)) == upload.sha256


@contextmanager
def _told() -> Iterator[None]:
    """Turn the library's failures into ours; only their first line, the rest is its insides."""
    try:
        yield
    except BaseError as error:
        raise DeliveryError(f"{type(error).__name__}: {str(error).splitlines()[0]}") from error
