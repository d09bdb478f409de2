"""Lighthouse, with its settings for phones, on every kind of page in both languages."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from bench.served import CHROMIUM, FLAGS, served
from bench.tables import PROJECT, machine, markdown, put, read
from flows.serve import site_app

LIGHTHOUSE = PROJECT / "bench" / "node_modules" / "lighthouse" / "cli" / "index.js"
LANGUAGES = ("vi", "en")
KINDS = {
    "home": "",
    "map": "map/",
    "table": "table/",
    "place": "places/kcn-song-hau-2/",
    "route": "routes/road-ql61c/",
    "tracker": "track/",
    "programme": "programme/",
    "duties": "duties/",
    "changes": "changes/",
    "data": "data/",
    "sources": "sources/",
    "status": "status/",
}
"""Each kind of page, and the one that stands for it, below its language."""

SHARED = {"first page": "index.html", "lost address": "404.html"}
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
AUDITS = (
    "first-contentful-paint",
    "largest-contentful-paint",
    "total-blocking-time",
    "cumulative-layout-shift",
    "total-byte-weight",
)
SCORES = ("performance", "accessibility", "best practices", "SEO")
HEADER = (
    *("page", *SCORES),
    *("first paint, s", "largest paint, s", "blocked, ms", "layout shift", "kB"),
)
FULL = 100
AGAIN = 2


@dataclass(frozen=True)
class Score:
    """What Lighthouse says of one page: four scores of 100, five measures, what it minds."""

    scores: tuple[int, ...]
    measures: tuple[float, ...]
    minded: tuple[str, ...]


def pages() -> Iterator[tuple[str, str]]:
    """Yield the name and the path of every page to look at."""
    for kind, path in KINDS.items():
        for lang in LANGUAGES:
            yield f"{kind}, {lang}", f"{lang}/{path}"
    yield from SHARED.items()


def look(address: str) -> Score:
    """Run Lighthouse once on one page."""
    command = ["node", str(LIGHTHOUSE), address, "--output=json", "--quiet"]
    flags = " ".join(("--headless=new", *FLAGS))
    done = subprocess.run(
        [*command, f"--chrome-flags={flags}"],
        capture_output=True,
        check=True,
        env={**os.environ, "CHROME_PATH": CHROMIUM},
    )
    told = json.loads(done.stdout)
    categories = [told["categories"][name] for name in CATEGORIES]
    weighed = [ref["id"] for c in categories[1:] for ref in c["auditRefs"] if ref["weight"]]
    return Score(
        scores=tuple(round(FULL * c["score"]) for c in categories),
        measures=tuple(float(told["audits"][name]["numericValue"]) for name in AUDITS),
        minded=tuple(n for n in weighed if (told["audits"][n]["score"] or 0) < 1
                     and told["audits"][n]["score"] is not None),
    )  # fmt: skip


def judge(address: str) -> Score:
    """Look once; where a score is not full, look again and keep the look in the middle."""
    looks = [look(address)]
    if min(looks[0].scores) < FULL:
        looks += [look(address) for _ in range(AGAIN)]
    return sorted(looks, key=lambda one: one.scores)[len(looks) // 2]


def row(name: str, score: Score) -> Sequence[str]:
    """Write one page as a row of the table."""
    first, largest, blocked, shift, weight = score.measures
    return (
        name,
        *map(str, score.scores),
        f"{first / 1_000:.1f}",
        f"{largest / 1_000:.1f}",
        f"{blocked:.0f}",
        f"{shift:.3f}",
        f"{weight / 1_000:.0f}",
    )


@click.command()
@click.argument("public", type=click.Path(path_type=Path, exists=True), default=PROJECT / "public")
@click.option("--only", multiple=True, help="Renew pages whose name holds this; repeatable.")
def main(public: Path, only: tuple[str, ...]) -> None:
    """Score every kind of page of PUBLIC and write the table into README.md.

    Exit code 1 where a score is below 100.
    """
    rows = {told[0]: told for told in read("scores")[1:]} if only else {}
    with served(site_app(public)) as site:
        for name, path in pages():
            if only and not any(part in name for part in only):
                continue
            score = judge(site + path)
            rows[name] = list(row(name, score))
            click.echo(" ".join((*rows[name], *score.minded)))
    told = [rows[name] for name, _ in pages() if name in rows]
    put("scores", f"{markdown(HEADER, told)}\n{_version()}")
    worst = min(int(score) for one in told for score in one[1:5])
    sys.exit(worst < FULL)


def _version() -> str:
    told = json.loads((LIGHTHOUSE.parents[1] / "package.json").read_text(encoding="utf-8"))
    browser = subprocess.run([CHROMIUM, "--version"], capture_output=True, text=True, check=True)
    return machine(f"Lighthouse {told['version']}, {' '.join(browser.stdout.split()[:2])}")


if __name__ == "__main__":
    main()
