"""The table of features names what is there: every row, no test and no page that is not."""

import ast
import csv
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from atlas.pages import PAGES
from builds import PROJECT, SOURCES

FEATURES = PROJECT / "docs" / "features.md"
ROWS = 82
ROW = re.compile(r"\| (\d+) \| ([^|]+) \| (yes|partly|no) \| ([^|]+) \|")
NAMED = re.compile(r"`([^`]+)`")
TEST = re.compile(r"(tests/test_\w+\.py)::(test_\w+)")
FEWEST_WORDS = 5


@dataclass(frozen=True)
class Row:
    number: int
    state: str
    told: str

    @property
    def names(self) -> list[str]:
        return NAMED.findall(self.told)

    @property
    def reason(self) -> str:
        return NAMED.sub("", self.told).strip(" ,;:")


def rows() -> list[Row]:
    lines = FEATURES.read_text(encoding="utf-8").splitlines()
    told = [line for line in lines if re.match(r"\| \d", line)]
    found = [ROW.fullmatch(line) for line in told]
    assert all(found), [line for line, match in zip(told, found, strict=True) if not match]
    return [Row(int(match[1]), match[3], match[4]) for match in found if match]


def functions_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def record_pages() -> set[str]:
    found = set()
    for raw in SOURCES.glob("*/raw.csv"):
        with raw.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            for table, key in (("places", "place_id"), ("routes", "route_id")):
                if next(iter(reader.fieldnames or ()), "") == key:
                    found |= {f"{table}/{row[key]}/" for row in reader}
    return found


def test_every_row_is_there_once_and_in_order() -> None:
    assert [row.number for row in rows()] == list(range(1, ROWS + 1))


def test_what_is_there_is_shown_and_what_is_not_has_its_reason() -> None:
    for row in rows():
        if row.state == "yes":
            assert row.names, row.number
        else:
            assert len(row.reason.split()) >= FEWEST_WORDS, row.number


def test_every_test_and_page_that_is_named_exists() -> None:
    pages = {f"{page}/" for page, _ in PAGES} | {"map/"} | record_pages()
    for row in rows():
        for name in row.names:
            match = TEST.fullmatch(name)
            if match:
                assert match[2] in functions_of(PROJECT / match[1]), (row.number, name)
            else:
                assert name in pages or name == "status.json", (row.number, name)


@pytest.mark.parametrize(
    "line", ["| 1 | a | maybe | b |", "| 1 | a | yes |", "| x | a | yes | b |"]
)
def test_a_row_of_another_form_is_seen(line: str) -> None:
    assert not ROW.fullmatch(line)
