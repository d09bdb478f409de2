"""The published site over real HTTP, from a server on a free port of this machine."""

import gzip
import http.client
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn

from atlas.metadata import MEDIA
from flows.serve import HEADERS, site_app

LAYER = bytes(range(256)) * 40


@contextmanager
def serving(public: Path) -> Iterator[int]:
    """Serve a folder from a thread; the port is free because the system chose it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(site_app(public), log_level="warning"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


def write_edition(root: Path, name: str) -> None:
    """Lay out an edition and switch ``public`` to it by one rename."""
    folder = root / "editions" / name
    for path, content in {
        "index.html": f"<h1>{name}</h1>".encode(),
        "404.html": "<h1>Không có trang này</h1>".encode(),
        "vi/map/index.html": f"bản đồ {name}".encode(),
        "data/places.geojson": LAYER,
        **{f"data/{name}": LAYER for name in ("zones.parquet", "zones.fgb", "all.xlsx")},
        "data/Vị Thanh.csv": b"a,b\n",
        "assets/map-0123456789.js": b"'use strict';",
        "assets/site-0123456789.css": b"body {}",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    (folder / "status.json").symlink_to(Path("..") / ".." / "status.json")
    (root / "status.json").write_text(f'{{"run": "{name}"}}', encoding="utf-8")
    link = root / ".public.new"
    link.symlink_to(Path("editions") / name)
    link.replace(root / "public")


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    root = tmp_path_factory.mktemp("served")
    (root / "secret.txt").write_text("not published", encoding="utf-8")
    write_edition(root, "e001")
    with serving(root / "public") as chosen:
        yield chosen


Answer = tuple[int, dict[str, str], bytes]


def ask(port: int, path: str, method: str = "GET", **headers: str) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers=named)
        answer = connection.getresponse()
        told = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, told, answer.read()
    finally:
        connection.close()


def test_a_folder_is_its_index_page(port: int) -> None:
    assert ask(port, "/")[2] == b"<h1>e001</h1>"
    status, headers, body = ask(port, "/vi/map/")
    assert (status, body.decode()) == (200, "bản đồ e001")
    assert headers["content-type"] == "text/html; charset=utf-8"
    status, headers, _ = ask(port, "/vi/map")
    assert status in (301, 302, 307, 308)
    assert headers["location"].endswith("/vi/map/")


def test_a_range_is_answered_with_just_that_part(port: int) -> None:
    status, headers, body = ask(port, "/data/places.geojson", Range="bytes=100-199")
    assert status == 206
    assert body == LAYER[100:200]
    assert headers["content-range"] == f"bytes 100-199/{len(LAYER)}"
    assert headers["content-length"] == "100"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [("bytes=-16", LAYER[-16:]), ("bytes=10000-", LAYER[10_000:]), ("bytes=0-0", LAYER[:1])],
)
def test_an_open_range_is_answered_to_its_end(port: int, asked: str, expected: bytes) -> None:
    status, _, body = ask(port, "/data/places.geojson", Range=asked)
    assert (status, body) == (206, expected)


def test_a_range_beyond_the_file_is_refused_and_the_server_lives_on(port: int) -> None:
    status, headers, _ = ask(port, "/data/places.geojson", Range="bytes=999999-")
    assert status == 416
    assert headers["content-range"].endswith(f"/{len(LAYER)}")
    for nonsense in ("bytes=x-y", "bytes=", "furlongs=1-2", "bytes=5-1"):
        assert ask(port, "/data/places.geojson", Range=nonsense)[0] in (200, 400, 416)
    assert ask(port, "/data/places.geojson")[2] == LAYER


@pytest.mark.parametrize(
    "path", ["/", "/nowhere/", "/assets/map-0123456789.js", "/data/places.geojson", "/vi/map"]
)
def test_every_answer_has_the_headers_of_a_careful_host(port: int, path: str) -> None:
    headers = ask(port, path)[1]
    for name, value in HEADERS.items():
        assert headers[name.lower()] == value
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]


def test_only_files_named_by_their_content_are_kept_for_long(port: int) -> None:
    kept = ask(port, "/assets/map-0123456789.js")[1]["cache-control"]
    assert kept == "max-age=31536000, immutable"
    part = ask(port, "/assets/map-0123456789.js", Range="bytes=0-1")[1]["cache-control"]
    assert part == kept
    for path in ("/", "/vi/map/", "/data/places.geojson", "/status.json", "/assets/gone.js"):
        assert ask(port, path)[1]["cache-control"] == "no-cache", path


def test_an_unchanged_file_is_not_sent_again(port: int) -> None:
    etag = ask(port, "/data/places.geojson")[1]["etag"]
    status, _, body = ask(port, "/data/places.geojson", If_None_Match=etag)
    assert (status, body) == (304, b"")


def test_scripts_and_styles_have_the_types_that_nosniff_needs(port: int) -> None:
    script = ask(port, "/assets/map-0123456789.js")[1]["content-type"]
    assert script.partition(";")[0] in ("text/javascript", "application/javascript")
    style = ask(port, "/assets/site-0123456789.css")[1]["content-type"]
    assert style.partition(";")[0] == "text/css"


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere.html",
        "/nowhere/",
        "/../secret.txt",
        "/../../secret.txt",
        "/%2e%2e/%2e%2e/secret.txt",
        "/..%2f..%2fsecret.txt",
        "/vi/../../../secret.txt",
        "//etc/passwd",
        "/%00",
        "/" + "x" * 3_000,
    ],
)
def test_what_is_not_published_is_not_found_and_nothing_leaks(port: int, path: str) -> None:
    status, _, body = ask(port, path)
    assert status == 404
    assert body.decode() in ("<h1>Không có trang này</h1>", "Not Found")
    assert ask(port, "/")[0] == 200


def test_a_missing_page_is_the_sites_own_404_page(port: int) -> None:
    status, headers, body = ask(port, "/vi/nowhere/")
    assert (status, body.decode()) == (404, "<h1>Không có trang này</h1>")
    assert headers["content-type"].startswith("text/html")


def test_a_name_with_marks_is_found(port: int) -> None:
    assert ask(port, "/data/V%E1%BB%8B%20Thanh.csv")[2] == b"a,b\n"


def test_a_head_has_the_size_and_no_body(port: int) -> None:
    status, headers, body = ask(port, "/data/places.geojson", method="HEAD")
    assert (status, body, headers["content-length"]) == (200, b"", str(len(LAYER)))


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_can_be_written(port: int, method: str) -> None:
    assert ask(port, "/index.html", method=method)[0] == 405


def test_a_new_edition_shows_between_two_requests(tmp_path: Path) -> None:
    write_edition(tmp_path, "e001")
    with serving(tmp_path / "public") as port:
        assert ask(port, "/")[2] == b"<h1>e001</h1>"
        first = ask(port, "/status.json")
        write_edition(tmp_path, "e002")
        assert ask(port, "/")[2] == b"<h1>e002</h1>"
        assert ask(port, "/vi/map/")[2].decode() == "bản đồ e002"
        assert (first[2], ask(port, "/status.json")[2]) == (b'{"run": "e001"}', b'{"run": "e002"}')


def test_a_site_that_vanishes_is_not_found_until_it_is_back(tmp_path: Path) -> None:
    write_edition(tmp_path, "e001")
    with serving(tmp_path / "public") as port:
        assert ask(port, "/")[0] == 200
        (tmp_path / "public").unlink()
        assert ask(port, "/")[0] == 404
        write_edition(tmp_path, "e002")
        assert ask(port, "/")[2] == b"<h1>e002</h1>"


def test_the_server_listens_to_this_machine_only_and_ends_when_asked(tmp_path: Path) -> None:
    write_edition(tmp_path, "e001")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    code = "import sys; from pathlib import Path; from flows.serve import serve_site\n"
    code += "serve_site(Path(sys.argv[1]), int(sys.argv[2]))"
    command = [sys.executable, "-c", code, str(tmp_path / "public"), str(port)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as server:
        try:
            while True:
                assert server.poll() is None
                try:
                    assert ask(port, "/")[2] == b"<h1>e001</h1>"
                    break
                except ConnectionRefusedError:
                    continue
            listening = Path("/proc/net/tcp").read_text(encoding="ascii")
            assert f"0100007F:{port:04X} 00000000:0000 0A" in listening
            assert f"00000000:{port:04X} 00000000:0000 0A" not in listening
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(timeout=20)
        assert server.stderr is not None
        assert b"Traceback" not in server.stderr.read()
    with pytest.raises(ConnectionRefusedError):
        ask(port, "/")


def test_text_travels_packed_and_whole_files_only(port: int) -> None:
    plain = ask(port, "/data/places.geojson")
    status, headers, body = ask(port, "/data/places.geojson", Accept_Encoding="gzip")
    assert (status, headers["content-encoding"], headers["vary"]) == (
        200,
        "gzip",
        "Accept-Encoding",
    )
    assert gzip.decompress(body) == plain[2]
    part = ask(port, "/data/places.geojson", Accept_Encoding="gzip", Range="bytes=100-199")
    assert (part[0], part[2]) == (206, LAYER[100:200])
    assert "content-encoding" not in part[1]


@pytest.mark.parametrize("name", ["zones.parquet", "zones.fgb", "all.xlsx"])
def test_what_is_packed_already_or_read_by_ranges_travels_as_it_is(port: int, name: str) -> None:
    status, headers, body = ask(port, f"/data/{name}", Accept_Encoding="gzip")
    assert (status, body) == (200, LAYER)
    assert "content-encoding" not in headers
    assert headers["content-type"] == MEDIA[name.rpartition(".")[2]]
