"""Many regions on one page: where each one's site is, and what all of them add up to.

It reads what each region has published, never its sources, and believes none of it blindly: what
cannot be read is told with its reason in the region's place, and in no sum.
"""

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote, urlsplit

from pydantic import ValidationError

from atlas.assets import Assets
from atlas.editions import MANIFEST, STATUS, Shop, read_manifest
from atlas.sheet import Address
from atlas.templates import CSP, environment
from atlas.totals import MEASURES, PATH, Total, Totals
from atlas.track import SCHEDULES
from atlas.words import LANGUAGES, Words, read_words
from geodata.archive import sha256_of
from geodata.errors import AtlasError, UsageError
from geodata.schema import MONEY_KINDS

SITE = "data/index.json"
LARGEST = 5_000_000
"""Bytes: what a region says of itself is small."""


class RegionUnreadError(AtlasError):
    """What a root publishes cannot be counted."""


@dataclass(frozen=True)
class Told:
    """One region: where its site is, its numbers, and how its last run ended ("" if not known)."""

    site: str
    totals: Totals
    run: str
    built_on: str


@dataclass(frozen=True)
class Unread:
    """A region that cannot be counted: the root as it was given, and why."""

    root: str
    why: str


@dataclass(frozen=True)
class Sum:
    """One number over all regions that could be read; ``regions`` of them know it."""

    measure: str
    unit: str
    value: Decimal | None
    counted: int
    unknown: int
    since: str
    until: str
    regions: tuple[str, ...]


def read_regions(roots: Sequence[Path], out: Path) -> tuple[tuple[Told, ...], tuple[Unread, ...]]:
    """Read what stands below each root, sorted by name; of a region given twice, the first."""
    told: dict[str, Told] = {}
    unread = []
    for root in roots:
        try:
            region = _read(root, out)
            twin = told.get(region.totals.region_id)
            if twin is not None:
                raise RegionUnreadError(f"region {twin.totals.region_id} is given twice; drop one")
            told[region.totals.region_id] = region
        except AtlasError as error:
            unread.append(Unread(root.name, str(error).replace(str(root), root.name)))
    ordered = sorted(told.values(), key=lambda one: (one.totals.name_vi, one.totals.region_id))
    return tuple(ordered), tuple(unread)


def _read(root: Path, out: Path) -> Told:
    public = Shop(root).public
    manifest = read_manifest(public)
    if manifest.get("looks_back"):
        raise RegionUnreadError(f"{root} shows a past day; refresh it without --as-of")
    content = _content(public, manifest, PATH)
    try:
        totals = Totals.model_validate_json(content)
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"]))
        raise RegionUnreadError(f"{PATH}: {where}: {fault['msg']}; refresh the region") from error
    if (totals.edition, totals.as_of) != (manifest.get("edition"), manifest.get("as_of")):
        raise RegionUnreadError(f"{PATH} is of another edition than the manifest; refresh again")
    run, built_on = _last_run(public)
    return Told(_site(public, manifest, out), totals, run, built_on)


def _content(public: Path, manifest: dict[str, object], name: str) -> bytes:
    """Return a file that the manifest lists, as it lists it."""
    listed = manifest.get("files")
    known = listed.get(name) if isinstance(listed, dict) else None
    if not isinstance(known, dict):
        raise RegionUnreadError(f"the edition has no {name}: an older atlas made it; refresh it")
    try:
        content = (public / name).read_bytes() if known["bytes"] <= LARGEST else b""
    except (OSError, KeyError, TypeError) as error:
        raise RegionUnreadError(f"{name} cannot be read ({error}); refresh the region") from error
    if sha256_of(content) != known.get("sha256"):
        raise RegionUnreadError(f"{name} is not what the manifest lists; refresh the region")
    return content


def _site(public: Path, manifest: dict[str, object], out: Path) -> str:
    """Return the address that the site is published at, else the way to its folder from ``out``."""
    told = json.loads(_content(public, manifest, SITE)).get("site", "")
    if urlsplit(told).scheme in ("http", "https") and Address(told).is_public:
        return str(told)
    way = os.path.relpath(public, out)
    return f"{quote(Path(way).as_posix())}/"


def _last_run(public: Path) -> tuple[str, str]:
    """Return how the last run ended and when; nothing where the record cannot be read."""
    try:
        status = json.loads((public / STATUS).read_text(encoding="utf-8"))
        return str(status["run"]), str(status["built_on"])[: len("2026-11-22")]
    except (OSError, ValueError, KeyError, TypeError):
        return "", ""


def sums(regions: Iterable[Told]) -> tuple[Sum, ...]:
    """Add up each number over the regions, each unit apart; what no region knows stays unknown."""
    found: dict[tuple[int, str], list[tuple[str, Total]]] = {}
    for region in regions:
        for total in region.totals.totals:
            key = MEASURES.index(total.measure), total.unit
            found.setdefault(key, []).append((region.totals.region_id, total))
    return tuple(_sum(MEASURES[at], unit, told) for (at, unit), told in sorted(found.items()))


def _sum(measure: str, unit: str, told: Sequence[tuple[str, Total]]) -> Sum:
    known = [(region_id, total) for region_id, total in told if total.value is not None]
    values = [total.value for _, total in known if total.value is not None]
    days = sorted(day for _, total in known for day in (total.since, total.until) if day)
    return Sum(
        measure=measure,
        unit=unit,
        value=sum(values, Decimal(0)) if values else None,
        counted=sum(total.counted for _, total in told),
        unknown=sum(total.unknown for _, total in told),
        since=days[0] if days else "",
        until=days[-1] if days else "",
        regions=tuple(region_id for region_id, _ in known),
    )


def label(words: Words, measure: str) -> str:
    """Say what a number counts."""
    if measure in MONEY_KINDS:
        return words(f"money.{measure}")
    return words(f"{'track.state_' if measure in SCHEDULES else 'regions.'}{measure}")


def write_index(roots: Sequence[Path], out: Path, site: Path) -> tuple[Unread, ...]:
    """Write ``index.html``, ``regions.json`` and their assets below ``out``; return who is not in.

    The page is replaced last, so that a reader never meets one whose files are not there.
    """
    regions, unread = read_regions(roots, out)
    if (out / MANIFEST).exists():
        raise UsageError(
            f"{out} is an edition, which never changes; give another folder with --out"
        )
    out.mkdir(parents=True, exist_ok=True)
    assets, words = Assets(site, out), read_words(site / "words")
    page = environment(site).get_template("regions.html.j2")
    both = [words[lang] for lang in LANGUAGES]
    text = page.render(
        csp=CSP,
        both=both,
        regions=regions,
        unread=unread,
        sums=sums(regions),
        asset=assets.path,
        label=label,
    )
    _replace(out / "regions.json", _told_json(regions, unread))
    _replace(out / "index.html", text)
    return unread


def _told_json(regions: Sequence[Told], unread: Sequence[Unread]) -> str:
    told = {
        "regions": [
            {
                "site": one.site,
                "last_run": one.run or None,
                "built_on": one.built_on or None,
                **one.totals.model_dump(mode="json"),
            }
            for one in regions
        ],
        "totals": [
            {**vars(one), "value": None if one.value is None else str(one.value)}
            for one in sums(regions)
        ],
        "not_read": [vars(one) for one in unread],
    }
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"


def _replace(path: Path, text: str) -> None:
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)
