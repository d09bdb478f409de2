"""The measured tables of the README: complete, and put where they belong."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from atlas.pages import PAGES
from atlas.tiled import PAGED_RECORDS
from bench import aims, before, beside, changes, cluster, drawn, scores, sizes, tables
from bench.synthetic import write_region
from builds import Built


def test_every_kind_of_page_is_scored_in_both_languages() -> None:
    scored = {row[0]: row[1:5] for row in tables.read("scores")[1:]}
    assert set(scored) == {name for name, _ in scores.pages()}
    wanted = {f"{name}/" if name else "" for name, _ in PAGES} | {"map/"}
    records = {path for path in scores.KINDS.values() if path.startswith(("places/", "routes/"))}
    assert set(scores.KINDS.values()) - records == wanted
    assert {path.partition("/")[0] for path in records} == {"places", "routes"}


def test_every_scored_page_is_in_the_built_site(built: Built) -> None:
    for _, path in scores.pages():
        page = built.public / path
        assert (page / "index.html" if page.is_dir() else page).is_file(), path


def test_the_map_stands_beside_a_plain_page_of_the_same_data(built: Built) -> None:
    told = tables.read("beside")
    assert told[0] == list(beside.HEADER)
    assert [row[0] for row in told[1:]] == ["the atlas", "plain Folium"]
    text, drawn, foreign = beside.plain_page(built.public, built.root / "var" / "work" / "layers")
    assert drawn > 50
    assert text.count("https://") >= foreign == 10


def test_every_change_of_the_filters_is_measured() -> None:
    told = tables.read("changes")
    assert told[0] == list(changes.HEADER)
    assert [row[0] for row in told[1:]] == list(changes.CHANGES)


def test_maps_of_made_up_regions_stand_beside_the_usual_way() -> None:
    told = tables.read("drawn")
    assert told[0] == list(drawn.HEADER)
    found: dict[str, list[str]] = {}
    for size, name, *_ in told[1:]:
        found.setdefault(size, []).append(name)
    assert list(found) == [f"{size:,}" for size in sizes.SIZES]
    tiled = [drawn.AFAR, drawn.NEAR, drawn.DEEP, drawn.FILTER, drawn.CLICK]
    for size, names in zip(sizes.SIZES, found.values(), strict=True):
        mine = tiled if size > PAGED_RECORDS else [drawn.AFAR]
        assert names == [*mine, *([drawn.USUAL] if size <= drawn.USUAL_MOST else [])]


def test_the_usual_page_draws_every_position_of_a_region(tmp_path: Path) -> None:
    text, paths = drawn.usual_page(write_region(tmp_path / "sources", 50))
    assert paths > 40
    assert text.count('"subject_id": ') == paths


def test_a_table_is_put_between_its_marks_and_read_back(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("# Ẩn\n\n<!-- a -->\nold\n<!-- /a -->\n\nend\n", encoding="utf-8")
    tables.put("a", tables.markdown(("page", "kB"), [("map", "137"), ("home", "81")]), readme)
    tables.put("a", tables.markdown(("page", "kB"), [("map", "136"), ("home", "81")]), readme)
    assert tables.read("a", readme) == [["page", "kB"], ["map", "136"], ["home", "81"]]
    told = readme.read_text(encoding="utf-8")
    assert told.startswith("# Ẩn\n") and told.endswith("\nend\n") and "old" not in told
    with pytest.raises(ValueError, match="has no marks <!-- b -->"):
        tables.put("b", "x", readme)


def test_the_readme_holds_each_aim_against_its_newest_tables() -> None:
    told = tables.read("aims")
    assert told[0] == list(aims.HEADER)
    assert told[1:] == [aim.row(tables.README) for aim in aims.AIMS]
    assert all(row[2] != "–" for row in told)


def test_an_aim_tells_whether_it_is_reached_missed_or_not_measured(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    steps = tables.markdown(("places", "step", "time, ratio"), [("10,000", "all", "1.56 (1.2)")])
    grown = tables.markdown(("places", "ms a place"), [("10,000", "4.0"), ("1,000,000", "5.0")])
    readme.write_text(f"<!-- sizes -->\n{steps}\n{grown}<!-- /sizes -->\n", encoding="utf-8")
    found = aims.one("sizes", "10,000", "all", column="time, ratio")
    assert aims.Aim("a", 1.3, found).row(readme) == ["a", "≤ 1.3", "1.56", "missed by 20%"]
    assert aims.Aim("b", 1.56, found).row(readme) == ["b", "≤ 1.56", "1.56", "reached"]
    assert aims.Aim("c", 3.12, found, True).row(readme)[1:] == ["≥ 3.12", "1.56", "missed by 50%"]
    lacking = aims.one("sizes", "100,000", "all", column="time, ratio")
    assert aims.Aim("d", 9, lacking).row(readme)[2:] == ["–", "not measured"]
    assert aims.growth("10,000", "1,000,000")(readme) == 1.25
    assert aims.growth("10,000", "100,000")(readme) is None
    assert aims.most("sizes", "ms a place")(readme) == 5.0


def test_a_size_is_told_step_by_step_with_its_ratios_and_their_sum() -> None:
    ours: sizes.Spent = {step: (2.0, 300.0) for steps in sizes.SHARED.values() for step in steps}
    bare: sizes.Spent = {name: (4.0, 150.0) for name in sizes.SHARED}
    rows = list(sizes.rows_of(1_000, ours | {sizes.UNCHANGED: (0.5, 300.0)}, bare))
    assert [row[1] for row in rows] == [*sizes.SHARED, "all"]
    assert rows[0] == ["1,000", "read and check", "4.0", "4.0", "1.00", "300", "150", "2.00"]
    assert rows[-1][2:5] == ["18.0", "20.0", "0.90"]
    told = list(sizes.growth({100: (ours | {sizes.UNCHANGED: (0.9, 1.0)}, bare)}))
    assert told == [["100", "18.0", "180.00", "–", "5.0"]]
    both = {100: (ours, bare), 1_000: (ours | {sizes.TILES: (4.5, 0.0)}, bare)}
    assert list(sizes.tiles(both)) == [["1,000", "4.5", "25"]]


def test_a_revision_is_told_by_its_medians_and_its_least() -> None:
    loads = [beside.Load(11, 137_400, drawn, 0.0) for drawn in (1_400.0, 1_200.0, 1_300.0)]
    code = before.Code("be50817", Path(), Path(), [9.0, 8.0, 12.0], [6.0], [7.0], loads, loads)
    assert code.row() == [
        *("be50817", "9.0 (8.0)", "6.0 (6.0)", "7.0 (7.0)"),
        *("137", "1.3 (1.2)", "1.3 (1.2)"),
    ]


def test_an_earlier_revision_finds_its_own_code_where_python_is_isolated(tmp_path: Path) -> None:
    (tmp_path / "geodata").mkdir()
    (tmp_path / "geodata" / "__init__.py").touch()
    asked = "import geodata, geopandas; print(geodata.__file__)"
    command = [before.python_of(tmp_path), "-I", "-c", asked]
    told = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path.parent)
    assert Path(told.stdout.strip()) == tmp_path / "geodata" / "__init__.py"


def test_workers_take_the_next_part_when_they_are_free() -> None:
    assert cluster.makespan([5.0, 4.0, 3.0, 3.0], 1) == 15.0
    assert cluster.makespan([5.0, 4.0, 3.0, 3.0], 2) == 8.0
    assert cluster.makespan([5.0, 4.0, 3.0, 3.0], 9) == 5.0


def test_a_worker_and_all_that_it_starts_have_one_core() -> None:
    before = os.sched_getaffinity(0)
    asked = [sys.executable, "-c", "import os; print(*os.sched_getaffinity(0))"]
    for core in range(2):
        with cluster.on_one_core(core):
            told = subprocess.run(asked, capture_output=True, text=True, check=True)
        assert told.stdout.split() == [str(sorted(before)[core % len(before)])]
    assert os.sched_getaffinity(0) == before


def test_what_workers_gain_is_told_for_each_step_and_for_both() -> None:
    told = cluster.Parts(
        each={"keep_source": [0.1, 6.0, 4.0], "keep_near": [5.0] * 4},
        counts={"keep_source": 2, "keep_near": 4},
        made={
            1: {"keep_source": 12.0, "keep_near": 22.0},
            2: {"keep_source": 8.0, "keep_near": 11.0},
        },
    )
    check, join, both = cluster.rows_of(told, 1.3)
    assert check[:7] == ["check: sources", "2", "10.0", "12.0", "8.0", "1.50", "–"]
    assert check[7:] == ["1.50", "1.50", "1.50", "1.50"]
    assert join[:8] == ["join: what is near", "4", "20.0", "22.0", "11.0", "2.00", "1.30", "1.83"]
    assert both[:6] == ["both", "", "30.0", "34.0", "19.0", "1.79"]
    assert all(len(row) == len(cluster.HEADER) for row in (check, join, both))
