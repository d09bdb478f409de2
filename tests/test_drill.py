"""The hostile drill: every file of `traps` through the sandbox and the checks, and its outcome."""

import os
import random
import resource
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from conftest import TINY, Tree
from hypothesis import example, given
from hypothesis import strategies as st
from test_vectors import source

import files
from files import LAYER_FORMATS, POSITION, drawn, make
from flows import intake
from flows.order import Order
from flows.work import read_states
from geodata.archive import Archive, Stored
from geodata.catalog import Source
from geodata.checks import Checked, check_sheets
from geodata.errors import PublishRefusedError, SourceError
from geodata.read import Sheet, read_table
from geodata.reader import Reader
from geodata.schema import TABLE
from traps import Trap, money_csv, money_sheet, traps

MONEY = {
    "table": "money_events",
    "key": TABLE["money_events"].key,
    "crs": "",
    "kind": "url",
    "files": ({"url": "https://a.example/1"},),
}
TRAPS = traps()
LEAST = 150
"""How many files the drill must hold."""

FORMATS = ("csv", "xlsx", *LAYER_FORMATS)


def source_of(kind: str, settings: Mapping[str, object], name: str = "trap") -> Source:
    told = dict(settings)
    if kind in ("csv", "xlsx"):
        told = {**MONEY, **({"part": "Bảng"} if kind == "xlsx" else {}), **told}
    return source(kind, source_id=name, **told)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> list[Sheet]:
    """What the rows of the traps point to."""
    tree = Tree.planted(tmp_path_factory.mktemp("known"))
    return [tree.sheet(table) for table in ("places", "documents", "communes")]


def sprung(trap: Trap, number: int, reader: Reader, archive: Archive) -> Sheet | SourceError:
    """What reading a trap gives; its keys become its own, so that no two traps are one row."""
    file = Stored("raw", archive.put(trap.content))
    if trap.size:
        os.truncate(archive.path_of(file.sha256), trap.size)
    try:
        sheet = reader.sheet(source_of(trap.format, trap.settings, f"trap{number}"), file, archive)
    except SourceError as error:
        return error
    finally:
        if trap.size:
            archive.path_of(file.sha256).unlink()
    key = TABLE[sheet.source.table].key[0]
    keys = [
        f"t{number}.{cell}" if cell in ("m1", "kcn-a.survey") else cell for cell in sheet.rows[key]
    ]
    return replace(sheet, held=sheet.rows.assign(**{key: keys}))


@pytest.fixture(scope="module")
def drill(
    tmp_path_factory: pytest.TempPathFactory, known: list[Sheet]
) -> tuple[list[Sheet | SourceError], Checked, Path]:
    """All traps read one after the other by one reader, and what the checks make of the rest."""
    folder = tmp_path_factory.mktemp("drill")
    archive = Archive(folder / "archive")
    before = Path.cwd()
    with Reader() as reader:
        told = [sprung(trap, n, reader, archive) for n, trap in enumerate(TRAPS)]
    assert Path.cwd() == before
    return told, check_sheets([*known, *(t for t in told if isinstance(t, Sheet))]), folder


def outcome(number: int, read: Sheet | SourceError, checked: Checked) -> str:
    if isinstance(read, SourceError):
        return f"refused {read.rule}"
    mine = [f for f in checked.findings if f.source_id == f"trap{number}"]
    words = (("source", "refused"), ("row", "quarantined"), ("note", "read"))
    for severity, word in words:
        rules = [f.rule for f in mine if f.severity == severity]
        if rules:
            return f"{word} {rules[0]}"
    return "read"


def test_every_hostile_file_has_the_outcome_it_must_have(drill, capsys) -> None:
    told, checked, _ = drill
    found = {
        t.name: outcome(n, r, checked) for n, (t, r) in enumerate(zip(TRAPS, told, strict=True))
    }
    wrong = {t.name: (t.outcome, found[t.name]) for t in TRAPS if found[t.name] != t.outcome}
    assert wrong == {}
    counts = Counter(trap.outcome.partition(" ")[0] for trap in TRAPS)
    assert sum(counts.values()) == len(found) >= LEAST
    with capsys.disabled():
        print(f"\nhostile files: {len(found)}, of which {dict(counts)}")  # noqa: T201


def test_a_refusal_names_its_source_and_says_something(drill) -> None:
    told, _, _ = drill
    for number, error in enumerate(told):
        if isinstance(error, SourceError):
            assert error.source_id == f"trap{number}"
            assert 10 < len(error.message) < 1_000


def test_no_row_of_the_drill_is_lost(drill) -> None:
    told, checked, _ = drill
    accounts = {c.step.removeprefix("check "): c for c in checked.ledger}
    kept = Counter(one for table in checked.tables.values() for one in table["source_id"])
    for number, sheet in enumerate(told):
        if isinstance(sheet, Sheet):
            account = accounts[f"trap{number}"]
            assert sheet.rows_in_file == account.rows_in
            assert kept[f"trap{number}"] == account.rows_out


def test_nothing_of_the_drill_lies_outside_its_folder(drill) -> None:
    _, _, folder = drill
    assert {path.name for path in folder.iterdir()} == {"archive"}
    assert {path.name for path in (folder / "archive").iterdir()} == {"objects"}
    for path in (folder / "archive" / "objects").rglob("*"):
        assert path.is_dir() or len(path.name) == 64


def test_the_drill_left_this_process_small(drill) -> None:
    assert drill
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 4_000_000


def test_a_run_goes_on_when_one_source_breaks_its_reader(tmp_path: Path) -> None:
    tree = Tree.planted(tmp_path / "sources")
    breaking = next(trap for trap in TRAPS if trap.outcome == "refused reader_survives")
    whole = make("geopackage", drawn())
    for kind, content in (("geoparquet", breaking.content), ("geopackage", whole)):
        tree.raw("positions").write_bytes(content)
        tree.describe("positions", format=kind, crs="EPSG:5897")
        shutil.copytree(tree.raw("positions").parent, tree.folder / f"as_{kind}")
    tree.rows("positions", TINY["positions"])
    order = Order(root=tmp_path, sources=tree.folder, online=False)
    order.work.mkdir(parents=True)
    intake.check(order, intake.collect(order))
    states = {s.source.source_id: (s.state, s.rows) for s in read_states(order)}
    assert states["as_geoparquet"] == ("refused", 0)
    assert states["as_geopackage"] == ("fresh", 1)
    with pytest.raises(PublishRefusedError, match="as_geoparquet: reader_survives") as caught:
        intake.refuse_broken_sources(order)
    assert "1 source(s)" in str(caught.value)


VALID = {
    kind: {"csv": money_csv, "xlsx": money_sheet}[kind]()
    if kind in ("csv", "xlsx")
    else make(kind, drawn())
    for kind in FORMATS
}
READ_HERE = [
    kind
    for kind in FORMATS
    if kind not in ("geoparquet", "dxf", "geopackage", "flatgeobuf", "shapefile")
]
"""What is read by code that a broken file can only make refuse; the others are read by C++, whose
faults end a process: they are mangled in the sandbox."""


def read_or_refuse(kind: str, content: bytes) -> Sheet | None:
    try:
        return read_table(source_of(kind, {}), content)
    except SourceError as error:
        assert error.source_id == "trap"
        return None


@pytest.mark.parametrize("kind", READ_HERE)
@given(content=st.binary(max_size=300))
@example(content=b"")
def test_any_bytes_are_a_table_or_a_refusal(kind: str, content: bytes) -> None:
    read_or_refuse(kind, content)
    read_or_refuse(kind, VALID[kind][:8] + content)
    read_or_refuse(kind, VALID[kind] + content)


def mangled(content: bytes, chance: random.Random) -> bytes:
    """The same file with some bytes changed, doubled, cut out or exchanged."""
    told = bytearray(content)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(told))
        length = chance.choice((1, 1, 2, 4, 16))
        piece = bytes(told[at : at + length])
        new = (
            chance.randbytes(length),
            b"",
            piece * 2,
            b"\xff" * length,
            bytes(length),
            chance.choice((b"<", b"&a;", b'"', b"/../", b"1e999", b"\n", b"-", "ệ".encode())),
        )
        told[at : at + length] = chance.choice(new)
    return bytes(told)


@pytest.mark.parametrize("kind", READ_HERE)
def test_a_mangled_file_is_a_table_or_a_refusal(kind: str) -> None:
    chance = random.Random(kind)
    told = [read_or_refuse(kind, mangled(VALID[kind], chance)) for _ in range(100)]
    assert None in told


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind not in READ_HERE])
def test_a_mangled_file_of_a_format_read_by_others_ends_at_most_its_reader(
    kind: str, tmp_path: Path
) -> None:
    chance = random.Random(kind)
    archive = Archive(tmp_path)
    refused = 0
    with Reader() as reader:
        for _ in range(15):
            file = Stored("raw", archive.put(mangled(VALID[kind], chance)))
            try:
                reader.sheet(source_of(kind, {"limits": {"memory_mb": 500}}), file, archive)
            except SourceError:
                refused += 1
        whole = Stored("raw", archive.put(VALID[kind]))
        assert reader.sheet(source_of(kind, {}), whole, archive).rows_in_file == 1
    assert refused


CELLS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.sampled_from(["kcn-a", "private", "1200.5", "2022-03-04", "press-1", "-0", "1e30", "0000"]),
)
NAMES = TABLE["money_events"].column_names


@given(
    rows=st.lists(st.lists(CELLS, min_size=len(NAMES), max_size=len(NAMES)), min_size=1, max_size=4)
)
def test_rows_in_are_rows_accepted_and_rows_in_quarantine(rows: list[list[str]], known) -> None:
    lines = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    content = "\n".join([",".join(NAMES), *lines, ""]).encode()
    sheet = read_or_refuse("csv", content)
    if sheet is None:
        return
    checked = check_sheets([*known, sheet])
    again = check_sheets([sheet, *known[::-1]])
    accepted = checked.tables["money_events"]
    table = pd.concat(checked.quarantine)
    refused = set(table.loc[table["source_id"] == "trap", "row"])
    assert len(accepted) + len(refused) == sheet.rows_in_file
    assert set(accepted["line"]).isdisjoint(refused)
    assert again.findings == checked.findings
    assert again.tables["money_events"].equals(accepted)


NUMBERS = st.floats(width=64) | st.sampled_from([180.0, -180.0, 90.0, 1e308, -0.0])
POINTS = st.tuples(NUMBERS, NUMBERS)
GEOMETRIES = st.one_of(
    POINTS.map(lambda p: {"type": "Point", "coordinates": p}),
    st.lists(POINTS, max_size=5).map(lambda c: {"type": "LineString", "coordinates": c}),
    st.lists(POINTS, max_size=6).map(lambda c: {"type": "Polygon", "coordinates": [c]}),
    st.lists(POINTS, max_size=3).map(lambda c: {"type": "MultiPoint", "coordinates": c}),
    st.none(),
)


@given(shapes=st.lists(GEOMETRIES, min_size=1, max_size=3))
def test_any_geometry_is_accepted_quarantined_or_refuses_its_file(
    shapes: list[object], known: list[Sheet]
) -> None:
    told = [
        {"properties": {**POSITION, "position_id": f"p{n}"}, "geometry": s}
        for n, s in enumerate(shapes)
    ]
    try:
        sheet = read_table(source_of("geojson", {"crs": "EPSG:4326"}), files.geojson(*told))
    except SourceError as error:
        assert error.rule in ("crs_is_as_declared", "file_is_of_its_format")
        return
    checked = check_sheets([*known, sheet])
    table = pd.concat(checked.quarantine)
    refused = set(table.loc[table["source_id"] == "trap", "row"])
    assert len(checked.tables["positions"]) + len(refused) == len(shapes)
