"""Publishing targets: a real store of S3's kind and a real rsync daemon, both on loopback."""

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer
from test_editions import INPUTS, replace

from atlas.editions import MANIFEST, Shop, write_manifest
from flows.delivery import MARKER, check_address, deliver
from geodata.errors import DeliveryError, UsageError

PAGE = "<script src=assets/map-{0}.js></script>"


def publish(shop: Shop, name: str, **more: str) -> None:
    """Publish a small site whose every page loads an asset of its own edition."""
    draft = shop.draft()
    files = {
        "index.html": PAGE.format(name),
        "vi/index.html": PAGE.format(name),
        "data/places.csv": f"a,b\n{name},1\n",
        f"assets/map-{name}.js": f"'{name}'",
        **more,
    }
    for path, text in files.items():
        (draft / path).parent.mkdir(parents=True, exist_ok=True)
        (draft / path).write_text(text, encoding="utf-8")
    write_manifest(draft, replace(INPUTS, code=name))
    shop.write_status({"run": name}, f"# {name}")
    shop.publish(draft, name)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "root")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    name = f"b{abs(hash(request.node.name)) % 10**12}"
    for key, value in {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "not-to-be-told",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "true",
    }.items():
        monkeypatch.setenv(key, value)
    boto3.client("s3").create_bucket(Bucket=name)
    return name


def stored(bucket: str) -> set[str]:
    listed = boto3.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])
    return {told["Key"] for told in listed}


def head(bucket: str, name: str) -> dict[str, str]:
    return dict(boto3.client("s3").head_object(Bucket=bucket, Key=name))


def test_a_store_gets_every_file_with_the_headers_that_browsers_need(
    shop: Shop, bucket: str, endpoint: str
) -> None:
    publish(shop, "e1")
    deliver(shop, f"s3://{bucket}/site")
    names = {p.relative_to(shop.public).as_posix() for p in shop.public.rglob("*") if p.is_file()}
    assert stored(bucket) == {f"site/{name}" for name in {*names, MARKER}}
    page = head(bucket, "site/index.html")
    assert page["ContentType"] == "text/html; charset=utf-8"
    assert (page["CacheControl"], page["ContentEncoding"]) == ("no-cache", "gzip")
    asset = head(bucket, "site/assets/map-e1.js")
    assert asset["CacheControl"] == "public, max-age=31536000, immutable"
    table = head(bucket, "site/data/places.csv")
    assert table["ContentType"] == "text/csv; charset=utf-8"
    assert "ContentEncoding" not in table
    boto3.client("s3").put_bucket_acl(Bucket=bucket, ACL="public-read")
    read = boto3.client("s3").get_object(Bucket=bucket, Key="site/status.json")["Body"].read()
    assert json.loads(read) == {"run": "e1"}


def test_what_is_there_with_the_right_bytes_is_not_sent_again(shop: Shop, bucket: str) -> None:
    publish(shop, "e1")
    deliver(shop, f"s3://{bucket}")
    before = {name: head(bucket, name)["LastModified"] for name in stored(bucket) - {MARKER}}
    time.sleep(1.1)  # a store tells when to the second
    deliver(shop, f"s3://{bucket}")
    assert {name: head(bucket, name)["LastModified"] for name in before} == before


def test_pages_that_are_gone_go_and_assets_of_kept_editions_stay(shop: Shop, bucket: str) -> None:
    publish(shop, "e1", **{"vi/places/kcn-a/index.html": "soon gone"})
    deliver(shop, f"s3://{bucket}")
    publish(shop, "e2")
    deliver(shop, f"s3://{bucket}")
    assert "vi/places/kcn-a/index.html" not in stored(bucket)
    assert {"assets/map-e1.js", "assets/map-e2.js"} <= stored(bucket)


def test_a_store_that_holds_what_we_did_not_write_is_left_alone(shop: Shop, bucket: str) -> None:
    boto3.client("s3").put_object(Bucket=bucket, Key="holiday.jpg", Body=b"mine")
    publish(shop, "e1")
    with pytest.raises(DeliveryError, match=r"1 files that the atlas did not write.*holiday"):
        deliver(shop, f"s3://{bucket}")
    assert stored(bucket) == {"holiday.jpg"}
    deliver(shop, f"s3://{bucket}/site")
    assert {"holiday.jpg", "site/index.html"} <= stored(bucket)


def test_a_spoiled_object_is_mended(shop: Shop, bucket: str) -> None:
    publish(shop, "e1")
    deliver(shop, f"s3://{bucket}")
    boto3.client("s3").put_object(Bucket=bucket, Key="data/places.csv", Body=b"spoiled")
    deliver(shop, f"s3://{bucket}")
    body = boto3.client("s3").get_object(Bucket=bucket, Key="data/places.csv")["Body"].read()
    assert body == b"a,b\ne1,1\n"


def test_a_store_that_cannot_be_had_is_said_without_its_key(
    shop: Shop, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(shop, "e1")
    with pytest.raises(DeliveryError, match="has not got edition e1") as caught:
        deliver(shop, "s3://no-such-bucket")
    assert "not-to-be-told" not in str(caught.value)


CUT = """
import os, signal, sys
from pathlib import Path
import obstore
from atlas.editions import Shop
from flows import bucket
from flows.delivery import deliver
left, put = int(sys.argv[3]), obstore.put
def counted(*args, **kwargs):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return put(*args, **kwargs)
bucket.obstore.put = counted
bucket.AT_ONCE = 1
deliver(Shop(Path(sys.argv[1])), sys.argv[2])
"""


def test_a_delivery_killed_at_any_object_never_shows_a_page_without_what_it_loads(
    shop: Shop, bucket: str
) -> None:
    publish(shop, "e1")
    deliver(shop, f"s3://{bucket}")
    publish(shop, "e2")
    client = boto3.client("s3")
    ends = []
    for left in (1, 3, 5, 7, 30):
        command = [sys.executable, "-c", CUT, shop.root, f"s3://{bucket}", str(left)]
        ends.append(subprocess.run(command, check=False).returncode)
        for page in ("index.html", "vi/index.html"):
            body = client.get_object(Bucket=bucket, Key=page)["Body"].read()

            asset = gzip.decompress(body).decode().split("src=")[1].split(">")[0]
            assert asset in stored(bucket)
    assert ends[0] == -signal.SIGKILL
    assert ends[-1] == 0
    told = json.loads(client.get_object(Bucket=bucket, Key=MARKER)["Body"].read())
    assert told["edition"] == "e2"
    assert set(told["names"]) == stored(bucket) - {MARKER}


@pytest.fixture
def module(tmp_path: Path) -> Iterator[str]:
    """A real rsync daemon on loopback with one module that may be written."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (tmp_path / "far").mkdir()
    settings = tmp_path / "rsyncd.conf"
    owner = f"uid = {os.getuid()}\ngid = {os.getgid()}\n"
    settings.write_text(
        f"use chroot = no\n{owner}[site]\npath = {tmp_path / 'far'}\nread only = no\n"
        "munge symlinks = no\n"
    )
    command = ["rsync", "--daemon", "--no-detach", f"--config={settings}", f"--port={port}"]
    with subprocess.Popen([*command, "--address=127.0.0.1"], start_new_session=True) as daemon:
        until = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                assert time.monotonic() < until
        yield f"rsync://127.0.0.1:{port}/site"
        daemon.terminate()


@pytest.fixture
def far(tmp_path: Path) -> Path:
    return tmp_path / "far"


def same(near: Path, far: Path) -> bool:
    names = {p.relative_to(near).as_posix() for p in near.rglob("*") if p.is_file()}
    there = {p.relative_to(far).as_posix() for p in far.rglob("*") if p.is_file()}
    assert there - {MARKER} == names
    return all((near / name).read_bytes() == (far / name).read_bytes() for name in names)


def test_a_daemon_gets_every_file_and_loses_the_pages_that_are_gone(
    shop: Shop, module: str, far: Path
) -> None:
    publish(shop, "e1", **{"vi/places/kcn-a/index.html": "soon gone"})
    deliver(shop, module)
    assert same(shop.public, far)
    publish(shop, "e2")
    deliver(shop, f"{module}/")
    assert same(shop.public, far)
    assert (far / "assets" / "map-e1.js").is_file()
    assert json.loads((far / "status.json").read_text()) == {"run": "e2"}
    assert not (far / "status.json").is_symlink()
    shop.rollback("e1")
    deliver(shop, module)
    assert same(shop.public, far)


def test_readers_of_a_folder_never_miss_a_file_while_editions_arrive(
    shop: Shop, tmp_path: Path
) -> None:
    """Each page that is there finds what it loads: here a folder, as over ssh."""
    far = tmp_path / "www"
    publish(shop, "e00")
    deliver(shop, str(far))
    stop, faults, reads = threading.Event(), [], []

    def read() -> None:
        while not stop.is_set():
            try:
                text = (far / "index.html").read_text()
                name = text.split("map-")[1].split(".")[0]
                reads.append((far / f"assets/map-{name}.js").read_text() == f"'{name}'")
            except OSError as error:
                faults.append(repr(error))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(1, 6):
        publish(shop, f"e{number:02}")
        deliver(shop, str(far))
    stop.set()
    reader.join()
    assert not faults
    assert all(reads)
    assert (far / MANIFEST).is_file()


def test_a_folder_that_holds_what_we_did_not_write_is_left_alone(
    shop: Shop, tmp_path: Path
) -> None:
    publish(shop, "e1")
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "diary.txt").write_text("mine")
    with pytest.raises(DeliveryError, match=r"diary\.txt"):
        deliver(shop, str(mine))
    assert sorted(p.name for p in mine.iterdir()) == ["diary.txt"]


def test_a_spoiled_file_at_the_far_end_is_mended_and_a_cut_delivery_is_taken_up(
    shop: Shop, tmp_path: Path
) -> None:
    publish(shop, "e1")
    far = tmp_path / "www"
    deliver(shop, str(far))
    spoiled = far / "data" / "places.csv"
    times = spoiled.stat()
    spoiled.write_text("a,b\nXX,1\n")
    os.utime(spoiled, ns=(times.st_atime_ns, times.st_mtime_ns))
    (far / "index.html").unlink()
    (far / ".index.html.Xy12aB").write_text("torn")
    deliver(shop, str(far))
    assert same(shop.public, far)


def test_a_daemon_that_is_gone_is_said(shop: Shop) -> None:
    publish(shop, "e1")
    with pytest.raises(DeliveryError, match="has not got edition e1: rsync ended with"):
        deliver(shop, "rsync://127.0.0.1:9/site")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "-e sh",
        "--rsh=sh",
        "ftp://host/site",
        "s3://Bucket",
        "s3://",
        "s3://b/../c d",
        "rsync://an:word@host/site",
        "{root}",
        "{root}/public",
        "{root}/..",
    ],
)
def test_an_address_that_is_none_is_refused_before_anything_is_sent(
    shop: Shop, address: str
) -> None:
    with pytest.raises(UsageError):
        check_address(address.format(root=shop.root), shop.root)
