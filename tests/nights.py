"""Nights without Prefect: the steps of a run, one after the other, on a copy of the sources."""

import csv
import hashlib
import io
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from atlas.editions import Shop
from flows import intake, judge, steps
from flows.order import Order
from flows.past import rewind
from geodata.region import REGION

Rows = list[dict[str, str]]


@dataclass(frozen=True)
class Nights:
    """A root, and sources that a night may find changed."""

    root: Path
    sources: Path
    region: Path = REGION

    @property
    def shop(self) -> Shop:
        """The editions."""
        return Shop(self.root)

    @property
    def current(self) -> Path:
        """The folder of the published edition."""
        return self.shop.editions / self.shop.current()

    def order(self, **told: object) -> Order:
        """One refresh, without network."""
        where = {"root": self.root, "region": self.region, "sources": self.sources}
        return Order.model_validate({**where, "online": False, **told})

    def run(self, accept: tuple[str, ...] = (), **told: object) -> str:
        """Run a night and return the edition that is published."""
        order = rewind(self.order(**told))
        shutil.rmtree(order.work, ignore_errors=True)
        collected = intake.collect(order)
        inputs = intake.inputs_of(order)
        tables = intake.check(order, collected)
        intake.refuse_broken_sources(order)
        shop = Shop(order.root)
        if inputs.key != shop.current_key():
            positions = steps.join(order, steps.resolve_claims(order, tables))
            steps.measure(order, positions, inputs.as_of)
            judge.compare(order, inputs, accept)
            draft = steps.draw(order, inputs)
            steps.verify(order, draft)
            steps.publish(order, draft, inputs.edition)
        return shop.current()

    def edit(self, source_id: str, change: Callable[[Rows], Rows], on: date | None = None) -> None:
        """Let the steward of a source change its rows, and say so in ``source.toml``."""
        folder = self.sources / source_id
        with (folder / "raw.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(change(rows))
        content = text.getvalue().encode("utf-8")
        (folder / "raw.csv").write_bytes(content)
        path = folder / "source.toml"
        lines = path.read_text(encoding="utf-8").splitlines()
        told = {"sha256": f'"{hashlib.sha256(content).hexdigest()}"'}
        told |= {"retrieved_on": on.isoformat()} if on else {}
        names = [line.split(" ", 1)[0] for line in lines]
        kept = [
            f"{n} = {told[n]}" if n in told else line for n, line in zip(names, lines, strict=True)
        ]
        path.write_text("\n".join(kept) + "\n", encoding="utf-8")


def altering(key: str, **cells: str) -> Callable[[Rows], Rows]:
    """Return a change of the row whose first cell is ``key``."""

    def change(rows: Rows) -> Rows:
        first = next(iter(rows[0]))
        assert key in {row[first] for row in rows}
        return [row | cells if row[first] == key else row for row in rows]

    return change


def adding(key: str, like: str, **cells: str) -> Callable[[Rows], Rows]:
    """Return an addition of a row like another one."""

    def change(rows: Rows) -> Rows:
        first = next(iter(rows[0]))
        (model,) = [row for row in rows if row[first] == like]
        return [*rows, model | {first: key} | cells]

    return change
