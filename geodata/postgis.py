"""A table or view of a PostGIS, read once in one read-only transaction and kept as a file.

The connection string lies in the environment, under the name that ``source.toml`` gives; neither
it nor anything of it is ever told. The database is the operator's choice, so its address is not
checked as an address of the web is. What is kept is CSV, or GeoJSON in the table's own CRS, its
cells as text and its rows in the order of their key: the same rows give the same bytes.
"""

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO

import psycopg
import stamina
from psycopg import errors, sql

from geodata.catalog import Source
from geodata.crs import is_same_crs
from geodata.errors import SourceError
from geodata.guard import UnreachableError

ATTEMPTS = 3
CONNECT_S = 10
GRACE_S = 1.0
"""The server ends a long question itself; one that does not even do that is hung up on."""

DIGITS = 9
"""Of coordinates: 0.1 mm in degrees, more than any survey in metres."""

CAUSES = (
    "password authentication failed",
    "Connection refused",
    "timeout expired",
    "could not translate host name",
    "no pg_hba.conf entry",
    "does not exist",
    "server closed the connection",
    "the database system is starting up",
    "the database system is shutting down",
    "too many",
    "certificate",
    "SSL",
)
"""All that is told of a connection that fails: its own words may hold the connection string."""

Connection = psycopg.Connection[tuple[Any, ...]]


def read_relation(source: Source, into: BinaryIO) -> None:
    """Write the rows of the source's relation, tried anew where the connection is lost.

    UnreachableError where the database gives no whole answer within the limits, SourceError
    where the relation is not what the source declares.
    """

    @stamina.retry(
        on=lambda error: isinstance(error, _ConnectionLostError),
        attempts=ATTEMPTS,
        timeout=None,
        wait_initial=0.5,
        wait_max=5.0,
    )
    def attempt() -> None:
        into.seek(0)
        into.truncate()
        _read_once(source, into)

    attempt()


class _ConnectionLostError(UnreachableError):
    """The connection was not had, or broke; it may be had in a moment."""


def _read_once(source: Source, into: BinaryIO) -> None:
    told = os.environ.get(source.connection, "")
    if not told:
        raise UnreachableError(f"{source.connection} is not set in the environment")
    # raised outside of the handler: what psycopg says may hold the connection string
    fault: Exception
    try:
        with _connected(told, source) as connection:
            writer = _Writer(source, into)
            if source.format == "csv":
                _write_csv(connection, source, writer)
            else:
                _write_features(connection, source, writer)
            return
    except (errors.UndefinedTable, errors.UndefinedColumn, errors.InsufficientPrivilege) as error:
        fault = SourceError(source.source_id, "relation_is_readable", _primary(source, error))
    except errors.QueryCanceled:
        fault = _too_slow(source)
    except psycopg.OperationalError as error:
        fault = _ConnectionLostError(_cause(source, str(error)))
    except psycopg.Error as error:
        fault = UnreachableError(_primary(source, error))
    raise fault


def _cause(source: Source, text: str) -> str:
    known = next((cause for cause in CAUSES if cause in text), "the connection is lost")
    return f"the database that {source.connection} names gave no answer: {known}"


def _primary(source: Source, error: psycopg.Error) -> str:
    said = error.diag.message_primary or ""
    name = type(error).__name__
    return (
        f"{source.relation}: {name}: {said}"
        if error.sqlstate and said
        else (f"the setting {source.connection} cannot be used: {name}")
    )


@contextmanager
def _connected(told: str, source: Source) -> Iterator[Connection]:
    """Connect for one read-only look; a server that falls silent is left when time is over."""
    settings = {
        "default_transaction_read_only": "on",
        "datestyle": "ISO",
        "timezone": "UTC",
        "statement_timeout": f"{source.seconds * 1000:.0f}",
        "lock_timeout": f"{CONNECT_S * 1000}",
    }
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    with psycopg.connect(
        told, connect_timeout=CONNECT_S, options=options, client_encoding="utf8"
    ) as connection:
        connection.read_only = True
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        is_over = threading.Event()
        watch = threading.Timer(source.seconds + GRACE_S, _hang_up, [connection.fileno(), is_over])
        watch.start()
        try:
            yield connection
        except psycopg.OperationalError as error:
            raise (_too_slow(source) if is_over.is_set() else error) from None
        finally:
            watch.cancel()


def _hang_up(descriptor: int, is_over: threading.Event) -> None:
    is_over.set()
    with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as line:
        line.shutdown(socket.SHUT_RDWR)


def _too_slow(source: Source) -> UnreachableError:
    return UnreachableError(f"{source.relation} took longer than {source.seconds:g} s")


class _Writer:
    """Counts what is written against the limits of the source."""

    def __init__(self, source: Source, into: BinaryIO) -> None:
        self._source = source
        self._into = into
        self._bytes = 0
        self.rows = 0

    def write(self, part: bytes) -> None:
        """Write a part of a row or what stands around the rows."""
        self._bytes += len(part)
        if self._bytes > self._source.bytes:
            message = f"{self._source.relation} gives more than {self._source.bytes} bytes"
            raise UnreachableError(message)
        self._into.write(part)

    def write_row(self, part: bytes) -> None:
        """Write one row."""
        self.rows += 1
        if self.rows > self._source.rows:
            message = f"{self._source.relation} holds more than {self._source.rows} rows"
            raise UnreachableError(message)
        self.write(part)


def _write_csv(connection: Connection, source: Source, writer: _Writer) -> None:
    query = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv, HEADER)").format(
        sql.SQL("SELECT t.* FROM {} AS t {}").format(_relation(source), _order(source))
    )
    with connection.cursor() as cursor, cursor.copy(query) as lines:
        for number, line in enumerate(lines):
            # the header comes first
            (writer.write_row if number else writer.write)(bytes(line))


def _write_features(connection: Connection, source: Source, writer: _Writer) -> None:
    _require_crs(connection, source)
    crs = {"type": "name", "properties": {"name": source.crs}}
    head = {"type": "FeatureCollection", "crs": crs}
    writer.write(json.dumps(head)[:-1].encode() + b', "features": [')
    geometry = sql.Identifier(source.geometry)
    query = sql.SQL(
        "SELECT json_build_object('type', 'Feature', 'properties',"
        " (SELECT json_object_agg(key, value ORDER BY key)"
        " FROM jsonb_each_text(to_jsonb(t) - {name})),"
        " 'geometry', ST_AsGeoJSON(t.{geometry}, {digits}, 0)::json)::text"
        " FROM {relation} AS t {order}"
    ).format(
        name=sql.Literal(source.geometry),
        geometry=geometry,
        digits=sql.Literal(DIGITS),
        relation=_relation(source),
        order=_order(source),
    )
    with connection.cursor(name="features") as cursor:
        for (feature,) in cursor.execute(query):
            writer.write_row((",\n" if writer.rows else "\n").encode() + feature.encode())
    writer.write(b"\n]}\n")


def _relation(source: Source) -> sql.Identifier:
    return sql.Identifier(*source.relation.split("."))


def _order(source: Source) -> sql.Composed:
    """Order by the key in its own words, then by the whole row; one row more than allowed."""
    theirs = {ours: name for name, ours in source.columns.items()}
    keys = (source.key,) if isinstance(source.key, str) else source.key
    told = [
        sql.SQL('t.{}::text COLLATE "C"').format(sql.Identifier(theirs.get(key, key)))
        for key in keys
    ]
    whole = sql.SQL('t::text COLLATE "C"')
    return sql.SQL("ORDER BY {} LIMIT {}").format(
        sql.SQL(", ").join([*told, whole]), sql.Literal(source.rows + 1)
    )


def _require_crs(connection: Connection, source: Source) -> None:
    """Raise SourceError unless every geometry is in the declared CRS."""
    query = sql.SQL(
        "SELECT DISTINCT ST_SRID(t.{}), s.auth_name || ':' || s.auth_srid FROM {} AS t"
        " LEFT JOIN spatial_ref_sys AS s ON s.srid = ST_SRID(t.{}) WHERE t.{} IS NOT NULL"
    ).format(
        sql.Identifier(source.geometry), _relation(source), *[sql.Identifier(source.geometry)] * 2
    )
    with connection.cursor() as cursor:
        for srid, name in cursor.execute(query):
            if not name or not is_same_crs(name, source.crs):
                raise SourceError(
                    source.source_id,
                    "crs_is_as_declared",
                    f"{source.relation} holds SRID {srid} ({name or 'no known system'}), "
                    f"source.toml says {source.crs}; one of them is wrong",
                )
