"""What changed between any two editions on the shelf, told as the changes page tells it."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from atlas.compare import Edition, compare_standing, compare_tables, read_standing
from atlas.editions import Shop, read_manifest
from atlas.history import by_subject
from atlas.news import Teller, line_text
from atlas.records import Changed
from atlas.titles import table_title
from atlas.words import plain, read_words
from flows.order import PROJECT
from geodata.schema import TABLE


def changes_between(shop: Shop, before: str, after: str) -> tuple[Changed, ...]:
    """Compare two kept editions, in either order."""
    old, new = (shop.editions / name for name in (before, after))
    as_of = date.fromisoformat(read_manifest(new)["as_of"])
    changes = compare_tables(Edition(old), Edition(new), as_of)
    return changes + compare_standing(read_standing(old), read_standing(new))


def tell(
    shop: Shop, edition: str, changes: tuple[Changed, ...], lang: str, site: Path = PROJECT / "site"
) -> Iterator[str]:
    """Tell changes as text: the record or table, then one indented line for each change."""
    words = read_words(site / "words")[lang]
    teller = Teller(Edition(shop.editions / edition), words)
    groups = by_subject(changes)
    for table, mine in by_table(groups.pop("", [])).items():
        groups[table] = mine
    for key, mine in groups.items():
        subject = f"{teller.subject(key, mine)} ({key})"
        yield plain(table_title(key, words) if key in TABLE else subject)
        for line in teller.lines(mine):
            source = f" [{line.source_id}]" if line.source_id else ""
            yield plain(f"  {line_text(line, words)}{source}")


def by_table(changes: list[Changed]) -> dict[str, list[Changed]]:
    """Group changes by their table."""
    groups: dict[str, list[Changed]] = {}
    for change in changes:
        groups.setdefault(change.table, []).append(change)
    return groups
