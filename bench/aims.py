"""What was set out to reach, held against what the README's other tables measured last."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.scores import SCORES
from bench.tables import README, markdown, put, read

HEADER = ("what", "to reach", "measured", "")

Measured = Callable[[Path], float | None]
"""Look a number up in the tables of a README; None where it was not measured."""


@dataclass(frozen=True)
class Aim:
    """One number to reach: at most ``bound``, or at least where ``is_least``."""

    what: str
    bound: float
    measured: Measured
    is_least: bool = False

    def row(self, readme: Path) -> list[str]:
        """Say what was measured, and by how much the aim is missed."""
        aim = f"{'≥' if self.is_least else '≤'} {self.bound:,g}"
        measured = self.measured(readme)
        if measured is None:
            return [self.what, aim, "–", "not measured"]
        is_reached = measured >= self.bound if self.is_least else measured <= self.bound
        missed = f"missed by {abs(measured / self.bound - 1):.0%}"
        return [self.what, aim, f"{round(measured, 2):,g}", "reached" if is_reached else missed]


def cells(readme: Path, table: str, key: tuple[str, ...], column: str) -> list[float]:
    """Return a column's numbers in the rows that begin with ``key``, of the table that has it."""
    rows, found = read(table, readme), []
    for header in (row for row in rows if column in row):
        below = [row for row in rows if len(row) == len(header) and row != header]
        found += [row[header.index(column)] for row in below if row[: len(key)] == list(key)]
    numbers = [re.match(r"[\d,.]+", cell) for cell in found]
    return [float(number[0].replace(",", "")) for number in numbers if number]


def one(table: str, *key: str, column: str) -> Measured:
    """Look up one cell."""
    return lambda readme: next(iter(cells(readme, table, key, column)), None)


def growth(small: str, large: str) -> Measured:
    """Divide what a place costs in a large region by what it costs in a small one."""

    def measured(readme: Path) -> float | None:
        each = [cells(readme, "sizes", (size,), "ms a place") for size in (small, large)]
        return each[1][0] / each[0][0] if all(each) else None

    return measured


def most(table: str, column: str) -> Measured:
    """Look up the largest number of a column."""
    return lambda readme: max(cells(readme, table, (), column), default=None)


def least_score(readme: Path) -> float | None:
    """Look up the lowest of all scores of all pages."""
    told = [score for name in SCORES for score in cells(readme, "scores", (), name)]
    return min(told, default=None)


WIRE, SLOWED = "kB over the wire", "slowed four times, s (fastest)"
AIMS = (
    Aim("first view of the province's map, kB", 150, one("beside", "the atlas", column=WIRE)),
    Aim(
        "it is drawn, slowed four times, on slow 4G, s",
        1.8,
        one("beside", "the atlas", column="drawn on slow 4G, s"),
    ),
    Aim("10,000 places from afar, s", 1.5, one("drawn", "10,000", "from afar", column=SLOWED)),
    Aim("10,000 places from afar, kB", 200, one("drawn", "10,000", "from afar", column=WIRE)),
    Aim("1,000,000 places from afar, s", 2, one("drawn", "1,000,000", "from afar", column=SLOWED)),
    Aim("1,000,000 places from afar, kB", 400, one("drawn", "1,000,000", "from afar", column=WIRE)),
    Aim("Lighthouse, the lowest score of any page", 100, least_score, is_least=True),
    Aim("tiles of 100,000 places, s", 10, one("tiles", "100,000", column="tiles, s")),
    Aim("an unchanged night, % of a full one", 10, most("sizes", "unchanged, %")),
    Aim("the province's own steps, s", 5, one("before", "now", column="its own steps, s")),
    Aim(
        "100,000 places, time against bare calls",
        1.3,
        one("sizes", "100,000", "all", column="time, ratio"),
    ),
    Aim(
        "100,000 places, memory against bare calls",
        1.3,
        one("sizes", "100,000", "all", column="memory, ratio"),
    ),
    Aim("a place among 1,000,000 against 10,000, time", 1.2, growth("10,000", "1,000,000")),
    Aim(
        "two Dask workers against one",
        1.7,
        one("cluster", "both", column="two against one"),
        is_least=True,
    ),
)


def table(readme: Path = README) -> str:
    """Return all aims as a table."""
    return markdown(HEADER, [aim.row(readme) for aim in AIMS])


if __name__ == "__main__":
    put("aims", table())
