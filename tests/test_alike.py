"""The same input is the same edition, and in which order the sources come changes nothing in it."""

import dataclasses
import re
import shutil
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from conftest import TINY, Tree
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from atlas.editions import Shop
from builds import digests
from drills import Refreshes, refreshes
from flows import intake, steps
from flows.judge import Published
from flows.order import Order
from flows.work import read_run_findings

Rows = Mapping[str, list[dict[str, str]]]

DAY = date(2026, 2, 1)
FEW = settings(max_examples=3, phases=(Phase.explicit, Phase.generate))
"""Whole editions: two refreshes an example, and none to make a failing one smaller."""


WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=9)
DAYS = st.sampled_from(["2023", "2024-06", "2024-12-31", "2025-13-01", ""])
VALUES = st.one_of(
    st.decimals("0.1", "900", places=1).map(str), st.sampled_from(["-1", "n/a", "1e3", "40", ""])
)
CLAIMS = st.fixed_dictionaries(
    {
        "measure": st.sampled_from(["area_ha", "area_leased_ha"]),
        "value": VALUES,
        "as_of": DAYS,
        "confidence": st.sampled_from(["one_source", "sources_agree", "sources_conflict"]),
        "subject_id": st.sampled_from(["kcn-a", "ccn-b", "road-a", "nobody"]),
    }
)
GAPS = st.fixed_dictionaries({"what_vi": WORDS, "what_en": WORDS})
KEYED = {"claims": "claim_id", "gaps": "gap_id"}


@st.composite
def told(draw: st.DrawFn) -> Rows:
    """Rows of every table, some of which no rule lets through."""
    rows = {table: [dict(row) for row in good] for table, good in TINY.items()}
    for table, drawn in (("claims", CLAIMS), ("gaps", GAPS)):
        more = draw(st.lists(drawn, max_size=4))
        key, like = KEYED[table], TINY[table][0]
        rows[table] += [{**like, **row, key: f"more.{n}"} for n, row in enumerate(more)]
    rows["places"][0] |= {"name_vi": draw(WORDS), "name_en": draw(WORDS)}
    return rows


@pytest.fixture(scope="module")
def two() -> Iterator[tuple[Refreshes, Refreshes]]:
    """Two processes with nothing in common but the code."""
    there = {"PYTHONHASHSEED": "7", "TZ": "America/Lima", "LANG": "vi_VN.UTF-8"}
    with refreshes(PYTHONHASHSEED="1", TZ="Asia/Tokyo", LANG="C") as a, refreshes(**there) as b:
        yield a, b


@FEW
@given(rows=told())
def test_the_same_input_gives_the_same_edition_to_the_byte(
    rows: Rows, two: tuple[Refreshes, Refreshes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    top = tmp_path_factory.mktemp("same")
    sources = Tree.planted(top / "sources", rows).folder
    made = []
    for name, process in zip("ab", two, strict=True):
        order = Order(root=top / name, sources=sources, online=False)
        assert process.run(order).code == 0
        made.append(digests(top / name / "editions"))
    shutil.rmtree(top)
    assert len(made[0]) > 100
    assert made[0] == made[1]


@st.composite
def ordered(draw: st.DrawFn) -> tuple[Rows, list[str]]:
    """Rows by source, the claims in two sources, and the order in which the sources' ids come."""
    rows = dict(draw(told()))
    cut = draw(st.integers(1, len(rows["claims"]) - 1))
    parts = {**rows, "claims": rows["claims"][:cut], "claims.2": rows["claims"][cut:]}
    return parts, draw(st.permutations(sorted(parts)))


def named(folder: Path, parts: Rows, names: list[str]) -> dict[str, str]:
    """Plant the sources, the ids of which come in the order of their names; return them by id."""
    ids = {f"s{place:02}_{name.replace('.', '_')}": name for place, name in enumerate(names)}
    for source_id, name in ids.items():
        tree = Tree.planted(folder / ".one", {name.partition(".")[0]: parts[name]})
        (source,) = tree.folder.iterdir()
        source.rename(folder / source_id)
    (folder / ".one").rmdir()
    return ids


def without_ids(text: str, ids: Mapping[str, str]) -> str:
    """Return a text that names the sources the same in every order."""
    return re.sub("|".join(ids), lambda match: ids[match[0]], text)


def checked(top: Path, parts: Rows, names: list[str]) -> dict[str, list[str]]:
    """Return the lines of what a run makes of the sources before it draws."""
    ids = named(top / "sources", parts, names)
    order = Order(root=top / "root", sources=top / "sources", online=False)
    order.work.mkdir(parents=True)
    tables = intake.check(order, intake.collect(order))
    steps.measure(order, steps.join(order, steps.resolve_claims(order, tables)), DAY)
    rest = {n: pd.read_parquet(order.work / f"{n}.parquet") for n in ("quarantine", "standing")}
    made = {n: t.to_csv(index=False) for n, t in {**Published(order), **rest}.items()}
    made["findings"] = "\n".join(str(dataclasses.astuple(f)) for f in read_run_findings(order))
    lines = {name: without_ids(text, ids).splitlines() for name, text in made.items()}
    return lines | {name: sorted(lines[name]) for name in ("quarantine", "findings")}


@settings(max_examples=10, phases=(Phase.explicit, Phase.generate))
@given(drawn=ordered())
def test_in_which_order_the_sources_come_changes_no_table_and_no_finding(
    drawn: tuple[Rows, list[str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    parts, names = drawn
    top = tmp_path_factory.mktemp("order")
    made = [checked(top / f"{n}", parts, each) for n, each in enumerate((sorted(parts), names))]
    shutil.rmtree(top)
    assert made[0] == made[1]


SOURCES_TOLD = re.compile(r"(sources|status|data)/index\.html$")
EDITION_TOLD = re.compile(r"-[0-9a-f]{10}(?=\.)|<svg [^>]*class=\"qr\">.*?</svg>")
"""What names an edition in other letters: hashes of assets, and codes that lead to a record."""


def drawn_pages(top: Path, parts: Rows, names: list[str], process: Refreshes) -> dict[str, str]:
    """Return every table and page of an edition but those that list the sources."""
    ids = named(top / "sources", parts, names)
    order = Order(root=top / "root", sources=top / "sources", online=False)
    assert process.run(order).code == 0
    public, edition = Shop(order.root).public, Shop(order.root).current()
    told = {
        path.relative_to(public).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(public.rglob("*"))
        if path.suffix in (".csv", ".html") and not SOURCES_TOLD.search(path.as_posix())
    }
    plain = {name: without_ids(text, ids).replace(edition, "E") for name, text in told.items()}
    return {name: EDITION_TOLD.sub("", text) for name, text in plain.items()}


@FEW
@given(drawn=ordered())
def test_in_which_order_the_sources_come_changes_no_page(
    drawn: tuple[Rows, list[str]],
    two: tuple[Refreshes, Refreshes],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    parts, names = drawn
    top = tmp_path_factory.mktemp("pages")
    orders = zip("ab", (sorted(parts), names), two, strict=True)
    made = [drawn_pages(top / name, parts, each, process) for name, each, process in orders]
    shutil.rmtree(top)
    assert len(made[0]) > 40
    assert made[0] == made[1]
