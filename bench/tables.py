"""Measured tables and their place in the README: each stands between two marks of its name."""

import os
import platform
import re
import statistics
from collections.abc import Iterable, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
README = PROJECT / "README.md"


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; every cell but the first is right-aligned."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def machine(programs: str) -> str:
    """Say on what was measured, with which programs, and when."""
    return (
        f"Measured on {date.today():%Y-%m-%d}: {os.cpu_count()} cores, "
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, {programs}."
    )


def machine_with(*libraries: str) -> str:
    """Say on what was measured, with which versions of libraries, and when."""
    return machine(", ".join(f"{name} {version(name)}" for name in libraries))


def middle(seconds: Sequence[float]) -> str:
    """Write the median of several times, and the least in brackets."""
    return f"{statistics.median(seconds):.1f} ({min(seconds):.1f})"


def put(name: str, text: str, readme: Path = README) -> None:
    """Put text between the marks of ``name``; ValueError where the README lacks them."""
    told = readme.read_text(encoding="utf-8")
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->\n"
    if begin not in told or end not in told:
        raise ValueError(f"{readme.name} has no marks {begin.strip()} and {end.strip()}")
    head, _, rest = told.partition(begin)
    _, _, tail = rest.partition(end)
    readme.write_text(f"{head}{begin}\n{text.strip()}\n\n{end}{tail}", encoding="utf-8")


def read(name: str, readme: Path = README) -> list[list[str]]:
    """Return the rows of the table of that name, its header first, as text cells."""
    told = readme.read_text(encoding="utf-8")
    body = told.partition(f"<!-- {name} -->")[2].partition(f"<!-- /{name} -->")[0]
    lines = [line for line in body.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if not re.fullmatch(r"[-: ]+", row[-1])]
