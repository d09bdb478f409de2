"""A year of nightly editions: does the refresh stay as quick, and is every day still to be had?

Each night somebody edits a few cells of a small made-up region and the refresh publishes what
came of it. The last nights another root lives too, from the sources as they are by then: the two
differ in nothing but how much they remember, and take their nights in turn, so that both meet the
same machine. In the end every day is rebuilt from the archive and held against the manifest it had.
"""

import copy
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import TypeVar

import click
import numpy as np
import pandas as pd

from atlas.editions import MANIFEST, Shop, read_manifest
from bench.synthetic import SEED, region_of, write_region
from bench.tables import markdown
from flows.order import Order
from flows.past import rewind
from flows.run import carry_out
from geodata.archive import sha256_of

FIRST = date(2027, 1, 1)
FEW, NIGHTS = 10, 365
MEASURED = 9
"""So many more nights are measured of each root; their medians are told."""

PLACES = 30
"""About a province's, so that a night edits as small a part of the records."""

MOST = 0.05

T = TypeVar("T")

Edit = Callable[[str, float], str]


def _scaled(cell: str, by: float) -> str:
    return f"{float(cell) * (1 + by):.1f}"


def _renamed(cell: str, by: float) -> str:
    return f"{cell.partition(',')[0]}, {by:.5f}"


EDITS: Sequence[tuple[str, str, Edit]] = (
    ("made_up_claims", "value", _scaled),
    ("made_up_money_events", "amount", _scaled),
    ("made_up_places", "name_en", _renamed),
    ("made_up_routes", "name_vi", _renamed),
)
"""What stewards edit: a source, a column, and the new cell from the old and a small number."""


@dataclass
class Year:
    """A root that lives through nights, what each night took, and the manifest it published."""

    root: Path
    sources: Path
    chance: np.random.Generator
    seconds: list[dict[str, float]] = field(default_factory=list)
    manifests: dict[date, str] = field(default_factory=dict)

    def without_past(self, top: Path) -> "Year":
        """Return a root that remembers nothing, with these sources and the same edits to come."""
        sources = top / "sources"
        shutil.copytree(self.sources, sources)
        shutil.copyfile(region_of(self.sources), region_of(sources))
        return Year(top / "root", sources, copy.deepcopy(self.chance))

    def order(self, as_of: date | None = None) -> Order:
        """One refresh, without network."""
        return Order(root=self.root, region=region_of(self.sources), online=False, as_of=as_of)

    def live(self, day: date) -> None:
        """Let stewards edit on a day, and refresh in its night."""
        for source_id, column, change in EDITS:
            if self.chance.random() < 1 / 2:
                self._edit(source_id, column, change)
                _say_of(self.sources / source_id, day)
        _say_of(self.sources / "made_up_documents", day)
        begun, used = time.perf_counter(), time.process_time()
        report = carry_out(self.order())
        whole, own = time.perf_counter() - begun, time.process_time() - used
        if report.state != "published" or report.as_of != day:
            raise click.ClickException(f"night of {day}: {report.state}: {report.why}")
        self.seconds.append({**report.seconds, "all": whole, "all, processor": own})
        self.manifests[day] = _manifest(Shop(self.root).public)

    def _edit(self, source_id: str, column: str, change: Edit) -> None:
        path = self.sources / source_id / "raw.csv"
        rows = pd.read_csv(path, dtype="str", na_filter=False)
        told = rows.index[rows["measure"] == "area_ha"] if "measure" in rows else rows.index
        row = self.chance.choice(told)
        rows.loc[row, column] = change(rows.loc[row, column], self.chance.uniform(-MOST, MOST))
        rows.to_csv(path, index=False, lineterminator="\n")

    def is_rebuilt(self, day: date) -> bool:
        """Rebuild a day and say whether each of its files has the bytes it had."""
        order = rewind(self.order(day))
        carry_out(order)
        public = Shop(order.root).public
        files = read_manifest(public)["files"].items()
        is_whole = all(sha256_of((public / name).read_bytes()) == f["sha256"] for name, f in files)
        is_same = _manifest(public) == self.manifests[day]
        if order.root != self.root:
            shutil.rmtree(order.root)
        return is_same and is_whole

    def median(self, step: str) -> float:
        """Return what a step took in the middle one of the measured nights."""
        return statistics.median(told[step] for told in self.seconds[-MEASURED:])


def table(young: Year, old: Year) -> str:
    """Return what a night takes an old root beside a young one, step by step."""
    rows = [
        (step, f"{young.median(step):.3f}", f"{old.median(step):.3f}",
         f"{old.median(step) / young.median(step):.2f}")
        for step in old.seconds[-1]
    ]  # fmt: skip
    nights = (len(year.seconds) - MEASURED for year in (young, old))
    return markdown(("step", *(f"after {count} nights, s" for count in nights), "ratio"), rows)


def _say_of(folder: Path, day: date) -> None:
    """Say in ``source.toml`` of what checksum and of what day the rows are."""
    path = folder / "source.toml"
    told = {
        "sha256": f'"{sha256_of((folder / "raw.csv").read_bytes())}"',
        "retrieved_on": day.isoformat(),
    }
    lines = path.read_text(encoding="utf-8").splitlines()
    names = [line.partition(" ")[0] for line in lines]
    new = [f"{n} = {told[n]}" if n in told else line for n, line in zip(names, lines, strict=True)]
    path.write_text("\n".join(new) + "\n", encoding="utf-8")


def _manifest(public: Path) -> str:
    return sha256_of((public / MANIFEST).read_bytes())


def _shown(items: Sequence[T], label: str) -> Iterator[T]:
    with click.progressbar(items, label=label, file=sys.stderr) as shown:
        yield from shown


@click.command()
@click.option("--nights", type=click.IntRange(min=FEW), default=NIGHTS)
def main(nights: int) -> None:
    """Live through NIGHTS, hold a night beside one after ten, and rebuild every day."""
    with tempfile.TemporaryDirectory() as top:
        sources = write_region(Path(top) / "old" / "sources", PLACES)
        old = Year(Path(top) / "old" / "root", sources, np.random.default_rng(SEED))
        days = [FIRST + timedelta(days=night) for night in range(nights + MEASURED)]
        for day in _shown(days[: nights - FEW], "nights"):
            old.live(day)
        young = old.without_past(Path(top) / "young")
        for day in _shown(days[nights - FEW :], "in turn"):
            young.live(day)
            old.live(day)
        click.echo(table(young, old))
        lost = [day for day in _shown(days, "rebuilt") if not old.is_rebuilt(day)]
        click.echo(f"{len(days)} days rebuilt, {len(days) - len(lost)} of them to the byte")
    if lost:
        raise click.ClickException(f"not as they were: {', '.join(map(str, lost))}")


if __name__ == "__main__":
    main()
