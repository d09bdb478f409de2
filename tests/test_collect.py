import gzip
import socket
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import pytest
import stamina

from geodata import fetch
from geodata.archive import Archive, Stored, sha256_of
from geodata.catalog import RemoteFile, Source
from geodata.collect import Collected, Network, collect_source, mirror_path
from geodata.errors import SourceError, UsageError
from geodata.fetch import ATTEMPTS
from geodata.freshness import Freshness
from geodata.read import read_layer
from servers import (
    BODY,
    LOOPBACK,
    Answer,
    Server,
    drip,
    drip_headers,
    reset,
    running,
    say,
    wait_for_the_client_to_leave,
)


@pytest.fixture
def server() -> Iterator[Server]:
    with running() as made:
        yield made


@pytest.fixture(autouse=True)
def _retries_without_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=ATTEMPTS):
        yield


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive")


def layer(*files: RemoteFile, **settings: object) -> Source:
    told = {
        "source_id": "layer_a",
        "folder": Path("layer_a"),
        "title_vi": "Ranh giới",
        "title_en": "Boundaries",
        "publisher": "Sở A",
        "licence": "MIT",
        "kind": "url",
        "layer": "commune_boundaries",
        "format": "geojson",
        "crs": "EPSG:4326",
        "as_of": date(2025, 12, 31),
        "retrieved_on": date(2026, 1, 5),
        "key": "unit_id",
        "optional": True,
        "allowed_networks": LOOPBACK,
        "files": files,
    }
    return Source.model_validate({**told, **settings})


def canals(endpoint: str) -> Source:
    return layer(
        kind="overpass",
        layer="waterways",
        format="overpass",
        endpoint=endpoint,
        query_name="canals",
        query='way["name"="Xà No"];out geom;',
    )


def one_file(server: Server, **settings: object) -> Source:
    return layer(RemoteFile.model_validate({"url": f"{server.url}/maps/a.geojson", **settings}))


def accepted(archive: Archive, source: Source, content: bytes = b"last good") -> tuple[Stored, ...]:
    files = (Stored("a.geojson", archive.put(content)),)
    archive.accept(source.source_id, files, "2026-01-05")
    return files


def is_stale(got: Collected, files: tuple[Stored, ...], why: str) -> bool:
    return (got.state, got.files, why in got.why) == ("stale", files, True)


def test_an_answer_is_kept_in_the_archive_under_its_name(server: Server, archive: Archive) -> None:
    got = collect_source(one_file(server), archive, Network())
    assert (got.state, got.why, got.findings) == ("fresh", "", ())
    assert got.files == (Stored("a.geojson", sha256_of(BODY)),)
    assert got.sha256 == sha256_of(BODY)
    assert archive.get(got.sha256) == BODY
    method, path, headers, _ = server.asked[0]
    assert (method, path) == ("GET", "/maps/a.geojson")
    assert "hau-giang-atlas" in headers["User-Agent"]


def test_an_empty_answer_is_an_answer_and_its_reader_judges_it(
    server: Server, archive: Archive
) -> None:
    server.answers = [say(body=b"")]
    source = one_file(server)
    got = collect_source(source, archive, Network())
    assert got.state == "fresh"
    with pytest.raises(SourceError, match="is no GeoJSON"):
        read_layer(source, [(f.name, archive.get(f.sha256)) for f in got.files])


def test_a_pinned_file_is_asked_for_once(server: Server, archive: Archive) -> None:
    source = one_file(server, sha256=sha256_of(BODY))
    first = collect_source(source, archive, Network())
    again = collect_source(source, archive, Network())
    assert first == again
    assert len(server.asked) == 1


def test_an_unpinned_file_is_asked_for_every_time(server: Server, archive: Archive) -> None:
    server.answers = [say(body=b"old"), say(body=b"new")]
    source = one_file(server)
    sums = [collect_source(source, archive, Network()).sha256 for _ in range(2)]
    assert sums == [sha256_of(b"old"), sha256_of(b"new")]


def test_an_unchanged_file_is_the_held_one_and_asked_for_with_what_its_server_said(
    server: Server, archive: Archive
) -> None:
    modified = "Wed, 06 May 2026 07:00:00 GMT"
    server.answers = [say(ETag='"7"', Last_Modified=modified), say(304, b"")]
    source = one_file(server)
    assert collect_source(source, archive, Network()) == collect_source(source, archive, Network())
    first, second = (headers for _, _, headers, _ in server.asked)
    assert "If-None-Match" not in first
    assert (second["If-None-Match"], second["If-Modified-Since"]) == ('"7"', modified)


def test_a_file_that_was_taken_out_of_the_archive_is_asked_for_whole(
    server: Server, archive: Archive
) -> None:
    server.answers = [say(ETag='"7"')]
    source = one_file(server)
    archive.path_of(collect_source(source, archive, Network()).sha256).unlink()
    assert archive.get(collect_source(source, archive, Network()).sha256) == BODY
    assert "If-None-Match" not in server.asked[1][2]


def test_a_stale_copy_says_when_it_was_last_confirmed(server: Server, archive: Archive) -> None:
    server.answers = [say(404)]
    source = one_file(server)
    files = accepted(archive, source)
    assert collect_source(source, archive, Network()).confirmed_on == "2026-01-05"
    Freshness(archive).confirm(source.source_id, files, date(2026, 11, 22))
    got = collect_source(source, archive, Network())
    assert is_stale(got, files, "answered 404")
    assert got.confirmed_on == "2026-11-22"


def test_nothing_of_a_refused_answer_stays_in_the_archive(server: Server, archive: Archive) -> None:
    for answer, settings in ((reset, {}), (say(404), {}), (say(), {"sha256": "0" * 64})):
        server.answers = [answer]
        collect_source(one_file(server, **settings), archive, Network())
    assert [path for path in archive.folder.rglob("*") if path.is_file()] == []


def test_an_address_inside_a_private_network_is_refused_unless_the_source_allows_it(
    server: Server, archive: Archive
) -> None:
    source = one_file(server).model_copy(update={"allowed_networks": ()})
    got = collect_source(source, archive, Network())
    assert (got.state, server.asked) == ("missing", [])
    assert "name its network under allowed_networks" in got.why
    files = accepted(archive, source)
    assert is_stale(collect_source(source, archive, Network()), files, "in no public network")


@pytest.mark.parametrize("status", [204, 206, 300, 304, 400, 401, 403, 404, 410])
def test_a_lasting_refusal_is_not_asked_again(
    server: Server, archive: Archive, status: int
) -> None:
    server.answers = [say(status, b""), say()]
    got = collect_source(one_file(server), archive, Network())
    assert (got.state, got.files, got.sha256, got.findings) == ("missing", (), "", ())
    assert f"answered {status}, not 200" in got.why
    assert [path for _, path, *_ in server.asked] == ["/maps/a.geojson"]


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_passing_failure_is_asked_again(server: Server, archive: Archive, status: int) -> None:
    server.answers = [say(status), say(status), say()]
    got = collect_source(one_file(server), archive, Network())
    assert (got.state, got.sha256) == ("fresh", sha256_of(BODY))
    assert len(server.asked) == ATTEMPTS == 3


def test_a_server_that_never_recovers_is_missing_and_then_stale(
    server: Server, archive: Archive
) -> None:
    server.answers = [say(503)]
    source = one_file(server)
    assert collect_source(source, archive, Network()).state == "missing"
    assert len(server.asked) == ATTEMPTS
    files = accepted(archive, source)
    got = collect_source(source, archive, Network())
    assert is_stale(got, files, "answered 503")
    assert got.findings == ()


def test_a_last_good_copy_whose_bytes_are_gone_is_not_offered(
    server: Server, archive: Archive
) -> None:
    server.answers = [say(404)]
    source = one_file(server)
    archive.path_of(accepted(archive, source)[0].sha256).unlink()
    assert collect_source(source, archive, Network()).state == "missing"


def test_a_body_cut_short_is_never_taken_for_the_whole(server: Server, archive: Archive) -> None:
    server.answers = [say(Content_Length=str(len(BODY) + 1))]
    got = collect_source(one_file(server), archive, Network())
    assert got.state == "missing"
    assert len(server.asked) == ATTEMPTS
    server.answers = [say()]
    assert collect_source(one_file(server), archive, Network()).state == "fresh"


def garbage(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"\x16\x03\x01 this is no HTTP\r\n\r\n")


def nothing(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


@pytest.mark.parametrize(
    "answer",
    [
        garbage,
        nothing,
        reset,
        say(Content_Encoding="gzip"),
        say(body=gzip.compress(BODY)[:-8] + b"12345678", Content_Encoding="gzip"),
        say(Content_Length="many"),
        say(**{"X": "a\r\n\x00broken"}),
    ],
    ids=["garbage", "nothing", "reset", "no gzip", "torn gzip", "odd length", "odd header"],
)
def test_an_answer_that_breaks_the_protocol_is_no_crash(
    server: Server, archive: Archive, answer: Answer
) -> None:
    server.answers = [answer]
    source = one_file(server)
    files = accepted(archive, source)
    got = collect_source(source, archive, Network())
    assert is_stale(got, files, server.url)
    assert len(server.asked) == ATTEMPTS


def test_a_packed_answer_is_unpacked(server: Server, archive: Archive) -> None:
    server.answers = [say(body=gzip.compress(BODY), Content_Encoding="gzip")]
    assert collect_source(one_file(server), archive, Network()).sha256 == sha256_of(BODY)


def test_a_server_that_accepts_and_says_nothing_is_left(
    server: Server, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "SILENCE_S", 0.1)
    server.answers = [wait_for_the_client_to_leave]
    got = collect_source(one_file(server), archive, Network())
    assert got.state == "missing"
    assert "ReadTimeout" in got.why
    assert len(server.asked) == ATTEMPTS


@pytest.mark.parametrize("answer", [drip, drip_headers])
def test_a_server_that_drips_is_left_too(server: Server, archive: Archive, answer: Answer) -> None:
    server.answers = [answer]
    got = collect_source(one_file(server, seconds=1), archive, Network())
    assert (got.state, len(server.asked)) == ("missing", 1)
    assert "still sends after 1 s" in got.why


def test_a_machine_that_does_not_listen_is_missing(archive: Archive) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    source = layer(RemoteFile(url=f"http://127.0.0.1:{port}/a.geojson"))
    got = collect_source(source, archive, Network())
    assert got.state == "missing"
    assert "ConnectError" in got.why


def test_a_file_of_just_the_allowed_size_is_taken_and_one_byte_more_is_not(
    server: Server, archive: Archive
) -> None:
    assert collect_source(one_file(server, bytes=len(BODY)), archive, Network()).state == "fresh"
    source = one_file(server, bytes=len(BODY) - 1)
    got = collect_source(source, archive, Network())
    assert got.state == "missing"
    assert f"sends more than {len(BODY) - 1} bytes" in got.why
    files = accepted(archive, source)
    assert is_stale(collect_source(source, archive, Network()), files, "sends more than")


def test_a_small_answer_that_unpacks_to_a_huge_one_is_not_taken(
    server: Server, archive: Archive
) -> None:
    server.answers = [say(body=gzip.compress(bytes(5_000_000)), Content_Encoding="gzip")]
    got = collect_source(one_file(server, bytes=100_000), archive, Network())
    assert (got.state, len(server.asked)) == ("missing", 1)
    assert "sends more than" in got.why


def test_a_file_against_its_pin_is_refused_where_there_is_no_last_good_copy(
    server: Server, archive: Archive
) -> None:
    got = collect_source(one_file(server, sha256="0" * 64), archive, Network())
    assert (got.state, got.files) == ("refused", ())
    assert [(f.rule, f.severity, f.source_id) for f in got.findings] == [
        ("file_is_as_described", "source", "layer_a")
    ]
    assert sha256_of(BODY) in got.why
    assert not archive.has(sha256_of(BODY))


def test_a_file_against_its_pin_gives_way_to_the_last_good_copy_with_a_note(
    server: Server, archive: Archive
) -> None:
    source = one_file(server, sha256="0" * 64)
    files = accepted(archive, source)
    got = collect_source(source, archive, Network())
    assert is_stale(got, files, "look at what changed")
    assert [(f.rule, f.severity, f.detail) for f in got.findings] == [
        ("file_is_as_described", "note", got.why)
    ]


def test_a_layer_of_which_one_file_is_lost_is_not_half_a_layer(
    server: Server, archive: Archive
) -> None:
    server.answers = [say(), say(404)]
    source = layer(*(RemoteFile(url=f"{server.url}/{name}.geojson") for name in "ab"))
    got = collect_source(source, archive, Network())
    assert (got.state, got.files) == ("missing", ())
    server.answers = [say()]
    assert len(collect_source(source, archive, Network()).files) == 2


def test_offline_nothing_is_asked(server: Server, archive: Archive) -> None:
    for source in (one_file(server), canals(server.url)):
        got = collect_source(source, archive, Network(online=False))
        assert got.state == "missing"
        assert "the run is offline" in got.why
    assert server.asked == []


def test_offline_a_pinned_file_that_was_collected_before_is_still_fresh(
    server: Server, archive: Archive
) -> None:
    archive.put(BODY)
    got = collect_source(one_file(server, sha256=sha256_of(BODY)), archive, Network(online=False))
    assert (got.state, server.asked) == ("fresh", [])


def test_an_overpass_query_is_posted_as_a_form(server: Server, archive: Archive) -> None:
    got = collect_source(canals(server.url), archive, Network())
    assert (got.state, got.files) == ("fresh", (Stored("canals.json", sha256_of(BODY)),))
    method, path, headers, body = server.asked[0]
    assert (method, path) == ("POST", "/")
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(body.decode()) == {"data": ['way["name"="Xà No"];out geom;']}


def test_an_overpass_query_is_posted_whole_again_after_a_failure(
    server: Server, archive: Archive
) -> None:
    server.answers = [say(429), say(504), say()]
    server.paths = {"/status": say(404)}
    assert collect_source(canals(server.url), archive, Network()).state == "fresh"
    bodies = [body for method, *_, body in server.asked if method == "POST"]
    assert len(bodies) == 3
    assert bodies[0] == bodies[1] == bodies[2]


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    for name in ("maps.example/maps/a.geojson", "overpass/canals.json"):
        path = tmp_path / "mirror" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(BODY)
    (tmp_path / "secret.geojson").write_bytes(b"secret")
    return tmp_path / "mirror"


def mirrored(url: str = "https://maps.example/maps/a.geojson", **settings: object) -> Source:
    return layer(RemoteFile.model_validate({"url": url, **settings}))


def test_a_source_that_is_needed_and_was_never_had_is_refused(archive: Archive) -> None:
    needed = canals("https://overpass.example/api").model_copy(update={"optional": False})
    got = collect_source(needed, archive, Network(online=False))
    assert (got.state, [(f.rule, f.severity) for f in got.findings]) == (
        "refused",
        [("source_is_reachable", "source")],
    )
    files = accepted(archive, needed)
    assert is_stale(collect_source(needed, archive, Network(online=False)), files, "offline")


def test_a_mirror_is_read_and_the_network_is_not(
    server: Server, archive: Archive, mirror: Path
) -> None:
    got = collect_source(mirrored(), archive, Network(mirror))
    assert (got.state, got.files) == ("fresh", (Stored("a.geojson", sha256_of(BODY)),))
    assert collect_source(canals(server.url), archive, Network(mirror)).state == "fresh"
    assert collect_source(one_file(server), archive, Network(mirror)).state == "missing"
    assert server.asked == []


def test_a_mirror_takes_no_notice_of_port_and_question(mirror: Path) -> None:
    expected = mirror / "maps.example" / "maps" / "a.geojson"
    for url in (
        "https://maps.example/maps/a.geojson",
        "http://maps.example:8080/maps/a.geojson?v=2#top",
        "https://user@MAPS.example//maps/./a.geojson",
    ):
        assert mirror_path(mirror, url) == expected


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://maps.example/maps/b.geojson", "does not hold b.geojson"),
        ("https://maps.example/maps", "does not hold maps"),
        ("https://maps.example/", "does not hold maps.example"),
        ("https://maps.example/maps/a.geojson/b", "does not hold b"),
        ("https://maps.example/" + "a" * 300, "does not hold aaa"),
    ],
)
def test_what_a_mirror_does_not_hold_is_missing(
    archive: Archive, mirror: Path, url: str, why: str
) -> None:
    got = collect_source(mirrored(url), archive, Network(mirror))
    assert (got.state, got.findings) == ("missing", ())
    assert why in got.why


def test_what_is_too_large_in_a_mirror_is_missing(archive: Archive, mirror: Path) -> None:
    got = collect_source(mirrored(bytes=3), archive, Network(mirror))
    assert got.state == "missing"
    assert f"has {len(BODY)} bytes, more than 3" in got.why


def test_a_mirror_is_held_to_the_pin_as_well(archive: Archive, mirror: Path) -> None:
    got = collect_source(mirrored(sha256="0" * 64), archive, Network(mirror))
    assert got.state == "refused"
    assert collect_source(mirrored(sha256=sha256_of(BODY)), archive, Network(mirror)).files


@pytest.mark.parametrize(
    "url",
    [
        "https://maps.example/../../secret.geojson",
        "https://maps.example/maps/../../../secret.geojson",
        "https://../secret.geojson",
        "https://maps.example/link/secret.geojson",
    ],
)
def test_an_address_that_leads_out_of_the_mirror_refuses_its_source_and_no_other(
    archive: Archive, mirror: Path, url: str
) -> None:
    (mirror / "maps.example" / "link").symlink_to(mirror.parent)
    with pytest.raises(UsageError, match="outside the mirror"):
        mirror_path(mirror, url)
    got = collect_source(mirrored(url), archive, Network(mirror))
    assert (got.state, got.files) == ("refused", ())
    assert [f.rule for f in got.findings] == ["address_stays_in_the_mirror"]
    assert not archive.has(sha256_of(b"secret"))


def test_a_mirror_that_is_no_folder_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    for path in (tmp_path / "not-there", Path(__file__)):
        with pytest.raises(UsageError, match="is not a folder; name the mirror's top folder"):
            Network(path)


def table(tmp_path: Path, content: bytes | None, sha256: str) -> Source:
    (tmp_path / "sheet_a").mkdir()
    if content is not None:
        (tmp_path / "sheet_a" / "raw.csv").write_bytes(content)
    return layer(
        source_id="sheet_a",
        folder=tmp_path / "sheet_a",
        kind="file",
        table="places",
        layer="",
        format="csv",
        file="raw.csv",
        key="place_id",
        sha256=sha256,
    )


def test_a_file_in_the_folder_is_fresh_while_its_checksum_fits(
    tmp_path: Path, archive: Archive
) -> None:
    got = collect_source(table(tmp_path, b"a,b\n", sha256_of(b"a,b\n")), archive, Network())
    assert (got.state, got.files) == ("fresh", (Stored("raw.csv", sha256_of(b"a,b\n")),))


def test_a_file_that_is_not_there_is_refused_with_the_next_move(
    tmp_path: Path, archive: Archive
) -> None:
    got = collect_source(table(tmp_path, None, "0" * 64), archive, Network())
    assert (got.state, got.files) == ("refused", ())
    assert [(f.rule, f.table, f.severity) for f in got.findings] == [
        ("file_is_present", "places", "source")
    ]
    assert "put the publisher's file there" in got.why


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path: Path, archive: Archive) -> None:
    source = table(tmp_path, None, "0" * 64)
    source.path.mkdir()
    assert collect_source(source, archive, Network()).findings[0].rule == "file_is_present"


def test_a_changed_file_is_refused_but_kept_so_that_all_its_faults_can_be_told(
    tmp_path: Path, archive: Archive
) -> None:
    got = collect_source(table(tmp_path, b"a,c\n", sha256_of(b"a,b\n")), archive, Network())
    assert (got.state, archive.get(got.sha256)) == ("refused", b"a,c\n")
    assert [(f.rule, f.severity) for f in got.findings] == [("file_is_as_described", "source")]
    assert "update sha256, retrieved_on and as_of together" in got.why


def test_nothing_but_loopback_can_be_reached_from_a_test() -> None:
    for host in ("192.0.2.1", "atlas.example", "2001:db8::1"):
        with pytest.raises(RuntimeError, match="no network but loopback"):
            socket.create_connection((host, 80), timeout=0.01)
        with pytest.raises(RuntimeError, match="no network but loopback"):
            httpx.get(f"http://[{host}]/" if ":" in host else f"http://{host}/", timeout=0.01)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as spoken:
        with pytest.raises(RuntimeError, match="no network but loopback"):
            spoken.sendto(b"?", ("192.0.2.53", 53))
        spoken.sendto(b"?", ("127.0.0.1", 9))
