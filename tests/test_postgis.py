import contextlib
import io
import json
import logging
import os
import signal
import threading
import traceback
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import psycopg
import pytest
import stamina

from databases import PASSWORD, READER, Database, database
from geodata.archive import Archive
from geodata.catalog import Source
from geodata.collect import Network, collect_source
from geodata.errors import SourceError
from geodata.guard import UnreachableError
from geodata.postgis import ATTEMPTS, read_relation
from geodata.read import read_table
from geodata.reader import Reader

VARIABLE = "ATLAS_TEST_POSTGIS"
TABLES = """
CREATE SCHEMA gis;
CREATE TABLE gis.communes (ma text, ten text, dien_tich numeric, geom geometry(Polygon, 5897));
INSERT INTO gis.communes VALUES
  ('31333', 'Vị Tân', 20.10, ST_MakeEnvelope(550000, 1080000, 551000, 1081000, 5897)),
  ('31321', 'Vị Thanh', NULL, ST_MakeEnvelope(551000, 1080000, 552000, 1081000, 5897));
CREATE TABLE gis.pause (seconds double precision);
INSERT INTO gis.pause VALUES (0);
CREATE VIEW gis.slow AS SELECT c.* FROM gis.communes c, gis.pause, pg_sleep(seconds);
CREATE TABLE gis.stages
  (stage_id text, axis text, rank integer, "group" text, name_vi text, since date, is_on boolean);
INSERT INTO gis.stages VALUES
  ('park.planned', 'park', 10, 'planned', E'Quy hoạch, "mới"\nhai dòng', '2021-04-14', true),
  ('park.building', 'park', 20, 'building', '', NULL, false);
CREATE TABLE gis.mixed (ma text, geom geometry);
INSERT INTO gis.mixed VALUES ('a', ST_SetSRID(ST_MakePoint(105.5, 9.8), 4326)),
  ('b', ST_SetSRID(ST_MakePoint(550000, 1080000), 5897));
CREATE TABLE gis.nowhere (ma text, geom geometry);
INSERT INTO gis.nowhere VALUES ('a', ST_MakePoint(105.5, 9.8));
CREATE TABLE gis.closed (ma text, geom geometry);
CREATE TABLE gis."Tỉnh ""; DROP" (ma text);
CREATE FUNCTION gis.scribble() RETURNS text LANGUAGE plpgsql AS
  $$ BEGIN DELETE FROM gis.pause; RETURN 'a'; END $$;
CREATE VIEW gis.writing AS SELECT gis.scribble() AS ma;
GRANT USAGE ON SCHEMA gis TO reader;
GRANT ALL ON ALL TABLES IN SCHEMA gis TO reader;
REVOKE ALL ON gis.closed FROM reader;
"""


@pytest.fixture(scope="module")
def postgis() -> Iterator[Database]:
    with database() as made:
        made.run(TABLES)
        yield made


@pytest.fixture(autouse=True)
def _as_reader(postgis: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(VARIABLE, postgis.reader)
    with stamina.set_testing(True, attempts=ATTEMPTS):
        yield


def communes(**settings: object) -> Source:
    told: dict[str, object] = {
        "source_id": "gis_communes",
        "folder": Path("gis_communes"),
        "title_vi": "Ranh giới",
        "title_en": "Boundaries",
        "publisher": "Sở A",
        "licence": "MIT",
        "kind": "postgis",
        "layer": "commune_boundaries",
        "format": "geojson",
        "crs": "EPSG:5897",
        "as_of": date(2025, 12, 31),
        "retrieved_on": date(2026, 1, 5),
        "key": "code",
        "optional": True,
        "connection": VARIABLE,
        "relation": "gis.communes",
        "geometry": "geom",
        "seconds": 30,
        "columns": {"ma": "code"},
    }
    return Source.model_validate({**told, **settings})


def stages(**settings: object) -> Source:
    told = {"layer": "", "table": "stages", "format": "csv", "geometry": "", "key": "stage_id"}
    return communes(**{**told, "relation": "gis.stages", "columns": {}, **settings})


def read(source: Source) -> bytes:
    into = io.BytesIO()
    read_relation(source, into)
    return into.getvalue()


def test_a_table_with_a_geometry_becomes_a_layer_in_degrees(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    got = collect_source(communes(), archive, Network())
    assert (got.state, got.why, got.files[0].name) == ("fresh", "", "gis_communes.geojson")
    with Reader() as reader:
        layer = reader.layer(communes(), got.files, archive).features
    assert layer.crs == "EPSG:4326"
    assert list(layer["code"]) == ["31321", "31333"]
    assert list(layer["ten"]) == ["Vị Thanh", "Vị Tân"]
    assert list(layer["dien_tich"]) == ["", "20.10"]
    assert layer.to_crs("EPSG:5897").area.round(0).tolist() == [1_000_000, 1_000_000]


def test_the_same_rows_give_the_same_bytes_whatever_order_they_lie_in(postgis: Database) -> None:
    before = read(communes()), read(stages())
    postgis.run("UPDATE gis.communes SET ten = ten WHERE ma = '31321'", "VACUUM FULL gis.communes")
    postgis.run("UPDATE gis.stages SET rank = rank WHERE rank = 10")
    assert (read(communes()), read(stages())) == before


def test_a_table_without_a_geometry_is_kept_as_csv_with_its_cells_as_text() -> None:
    content = read(stages())
    assert content.decode() == (
        "stage_id,axis,rank,group,name_vi,since,is_on\n"
        'park.building,park,20,building,"",,f\n'
        'park.planned,park,10,planned,"Quy hoạch, ""mới""\nhai dòng",2021-04-14,t\n'
    )
    sheet = read_table(stages(), content)
    assert list(sheet.rows["stage_id"]) == ["park.building", "park.planned"]
    assert {f.column for f in sheet.findings} >= {"since", "is_on"}


@pytest.mark.parametrize(
    ("settings", "rule", "why"),
    [
        ({"crs": "EPSG:4326"}, "crs_is_as_declared", "holds SRID 5897 (EPSG:5897)"),
        ({"relation": "gis.mixed"}, "crs_is_as_declared", "holds SRID 4326 (EPSG:4326)"),
        ({"relation": "gis.nowhere"}, "crs_is_as_declared", "holds SRID 0 (no known system)"),
        ({"relation": "gis.closed"}, "relation_is_readable", "permission denied"),
        ({"relation": "gis.dragons"}, "relation_is_readable", "does not exist"),
        ({"geometry": "shape"}, "relation_is_readable", "does not exist"),
        ({"key": "unit_id"}, "relation_is_readable", "does not exist"),
    ],
)
def test_a_relation_that_is_not_as_declared_is_refused(
    settings: dict[str, object], rule: str, why: str
) -> None:
    with pytest.raises(SourceError) as caught:
        read(communes(**settings))
    assert caught.value.rule == rule
    assert why in str(caught.value)


@pytest.mark.parametrize(
    "relation", ['gis."x"', "a;b", "a.b.c", "zones; DROP TABLE gis.pause", "a b", "1a", ".a"]
)
def test_a_name_that_is_no_name_is_refused_before_anything_is_asked(relation: str) -> None:
    with pytest.raises(ValueError, match="relation"):
        communes(relation=relation)


def test_nothing_is_written_through_a_view(postgis: Database) -> None:
    source = stages(relation="gis.writing", columns={"ma": "stage_id"})
    with pytest.raises(UnreachableError, match="ReadOnlySqlTransaction"):
        read(source)
    assert postgis.ask("SELECT count(*) FROM gis.pause") == [(1,)]


@pytest.mark.parametrize("make", [communes, stages])
def test_rows_and_bytes_are_capped(make: object) -> None:
    assert read(make(rows=2))
    with pytest.raises(UnreachableError, match="holds more than 1 rows"):
        read(make(rows=1))
    with pytest.raises(UnreachableError, match="gives more than 90 bytes"):
        read(make(bytes=90))


@pytest.fixture
def slow(postgis: Database) -> Iterator[Database]:
    postgis.run("UPDATE gis.pause SET seconds = 600")
    yield postgis
    postgis.run("UPDATE gis.pause SET seconds = 0")


def test_a_view_that_takes_too_long_is_left(slow: Database) -> None:
    with pytest.raises(UnreachableError, match=r"gis.slow took longer than 0.2 s"):
        read(communes(relation="gis.slow", seconds=0.2))


READING = "SELECT pid FROM pg_stat_activity WHERE usename = 'reader' AND wait_event = 'PgSleep'"


def in_the_middle(slow: Database, source: Source, signalled: signal.Signals) -> bytes | str:
    """Read while the server's process gets a signal in the middle; the next read is quick."""
    got: list[bytes | str] = []

    def reading() -> None:
        try:
            got.append(read(source))
        except UnreachableError as error:
            got.append(str(error))

    thread = threading.Thread(target=reading)
    thread.start()
    [(pid,)] = slow.wait_for(READING)
    slow.run("UPDATE gis.pause SET seconds = 0")
    os.kill(int(str(pid)), signalled)
    thread.join(60)
    with contextlib.suppress(ProcessLookupError):
        os.kill(int(str(pid)), signal.SIGCONT)
    return got[0]


def test_a_connection_lost_in_the_middle_is_made_anew_and_gives_the_whole(slow: Database) -> None:
    source = communes(relation="gis.slow")
    content = in_the_middle(slow, source, signal.SIGTERM)
    assert len(json.loads(content)["features"]) == 2
    assert content == read(source)


def test_a_server_that_falls_silent_in_the_middle_is_left_when_time_is_over(
    slow: Database,
) -> None:
    source = communes(relation="gis.slow", seconds=3)
    assert in_the_middle(slow, source, signal.SIGSTOP) == "gis.slow took longer than 3 s"
    assert len(json.loads(read(source))["features"]) == 2


def test_a_server_that_is_down_leaves_the_last_good_copy_and_comes_back(
    postgis: Database, tmp_path: Path
) -> None:
    archive = Archive(tmp_path)
    first = collect_source(communes(), archive, Network())
    archive.accept("gis_communes", first.files, "2026-01-05")
    postgis.stop()
    try:
        stale = collect_source(communes(), archive, Network())
    finally:
        postgis.start()
    assert (stale.state, stale.files) == ("stale", first.files)
    assert stale.why == f"the database that {VARIABLE} names gave no answer: Connection refused"
    assert collect_source(communes(), archive, Network()) == first


def test_without_its_variable_and_offline_no_database_is_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(VARIABLE)
    got = collect_source(communes(), Archive(tmp_path), Network())
    assert (got.state, got.why) == ("missing", f"{VARIABLE} is not set in the environment")
    got = collect_source(communes(), Archive(tmp_path), Network(online=False))
    assert got.why == f"{VARIABLE} was not asked: the run is offline"


def test_a_mirror_stands_in_for_the_database(tmp_path: Path) -> None:
    (tmp_path / "postgis").mkdir()
    (tmp_path / "postgis" / "gis_stages.csv").write_bytes(b"a,b\n")
    archive = Archive(tmp_path / "archive")
    source = stages(source_id="gis_stages")
    got = collect_source(source, archive, Network(tmp_path))
    assert archive.get(got.sha256) == b"a,b\n"


@pytest.mark.parametrize(
    "connection",
    [
        "postgresql://reader:{wrong}@127.0.0.1:{port}/postgres",
        "postgresql://reader:{secret}@127.0.0.1:1/postgres",
        "postgresql://reader:{secret}@127.0.0.1:{port}/nowhere",
        "postgresql://reader:{secret}@127.0.0.1:99999999/postgres",
        "host=127.0.0.1 password {secret}",
        "{secret}",
        "postgresql://reader:{secret}@[127.0.0.1/postgres?{secret}={secret}",
    ],
)
def test_no_failure_tells_anything_of_the_connection_string(
    postgis: Database,
    connection: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = READER[::-1]
    told = connection.format(wrong=wrong, secret=READER, port=postgis.port)
    monkeypatch.setenv(VARIABLE, told)
    got = collect_source(communes(), Archive(tmp_path), Network())
    assert (got.state, got.files) == ("missing", ())
    with pytest.raises(UnreachableError) as caught:
        read(communes())
    said = "\n".join([got.why, str(got), *traceback.format_exception(caught.value), caplog.text])
    for secret in (READER, wrong, PASSWORD):
        assert secret not in said
    assert VARIABLE in got.why


def test_the_reader_of_the_tests_could_write(postgis: Database) -> None:
    with psycopg.connect(postgis.reader) as connection:
        connection.execute("UPDATE gis.pause SET seconds = 0")
