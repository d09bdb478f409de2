"""The history of a book in one language: by edition and record, and who is fed what.

A history grows without end, a page does not: what no page or feed shows is never put in words,
and what several show is told once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from atlas.history import by_subject
from atlas.news import Line, Teller
from atlas.records import Book, Changed, Past, Record, Unit
from atlas.titles import table_title
from atlas.words import Words
from geodata.cells import rows_of
from geodata.schema import TABLES

SHOWN_LINES = 400
"""A page that lists more is read by nobody; ``changes.json`` has every change."""

SHOWN_EDITIONS = 60

SHOWN_STORIES = 5
"""A record's page and its feed tell so many of the newest editions that changed it."""


@dataclass(frozen=True)
class Mention:
    """That one edition changed one record, not yet in words.

    ``groups`` are the stage groups that it is news of: where the record then stood, and what it
    left.
    """

    past: Past
    subject_id: str
    changes: Sequence[Changed]
    groups: frozenset[str]


@dataclass(frozen=True)
class Story:
    """What one edition changed about one record; ``record`` is None where it is gone.

    ``subject_id`` is "" for what is about no record; ``table`` then names the table.
    """

    past: Past
    subject_id: str
    name: str
    record: Record | None
    lines: tuple[Line, ...]
    table: str = ""


@dataclass(frozen=True)
class Chronicle:
    """Tells the history of a book."""

    book: Book
    words: Words

    @cached_property
    def teller(self) -> Teller:
        """The words of single changes."""
        return Teller(self.book.tables, self.words)

    @cached_property
    def records(self) -> Mapping[str, Record]:
        """The records by id."""
        return {record.subject_id: record for record in self.book.records}

    @cached_property
    def _groups(self) -> Mapping[str, str]:
        return {stage.stage_id: stage.group for stage in self.book.stages}

    @cached_property
    def _mentions(self) -> Mapping[str, list[Mention]]:
        found: dict[str, list[Mention]] = {}
        for past in self.book.history:
            for subject_id, changes in by_subject(past.changes).items():
                mention = self._mention(past, subject_id, changes)
                found.setdefault(subject_id, []).append(mention)
        return found

    def _mention(self, past: Past, subject_id: str, changes: Sequence[Changed]) -> Mention:
        left = {self._groups.get(c.was.get("stage_id", ""), "") for c in changes if c.was}
        groups = frozenset(left | {past.groups.get(subject_id, "")}) - {""}
        return Mention(past, subject_id, changes, groups)

    @cached_property
    def _told(self) -> dict[tuple[str, str], Story]:
        return {}

    def mentions(self, subject_id: str) -> Sequence[Mention]:
        """Return which editions changed a record, newest first."""
        return self._mentions.get(subject_id, [])

    def story(self, mention: Mention) -> Story:
        """Put in words what an edition changed about a record, once for all who show it."""
        key = mention.past.edition, mention.subject_id
        if key not in self._told:
            self._told[key] = Story(
                mention.past,
                mention.subject_id,
                self.teller.subject(mention.subject_id, mention.changes),
                self.records.get(mention.subject_id),
                self.teller.lines(mention.changes),
            )
        return self._told[key]

    def of_record(self, subject_id: str) -> tuple[Story, ...]:
        """Return what the newest editions changed about one record."""
        return tuple(self.story(one) for one in self.mentions(subject_id)[:SHOWN_STORIES])

    def of_edition(self, past: Past) -> tuple[Story, ...]:
        """Return what one edition changed: records in their order, those gone, then tables."""
        groups = by_subject(past.changes)
        loose = groups.pop("", [])
        there = [key for key in self.records if key in groups]
        gone = sorted(groups.keys() - self.records.keys())
        told = (self._mention(past, key, groups[key]) for key in (*there, *gone))
        stories = [self.story(mention) for mention in told]
        for table in TABLES:
            mine = [change for change in loose if change.table == table.name]
            if mine:
                title, lines = table_title(table.name, self.words), self.teller.lines(mine)
                stories.append(Story(past, "", title, None, lines, table.name))
        return tuple(stories)

    def of_page(self) -> dict[str, object]:
        """Return what the changes page shows: this edition whole, the earlier ones counted."""
        latest = Past(self.book.edition, self.book.as_of.isoformat(), self.book.changes)
        stories = self.of_edition(latest)
        total = sum(len(story.lines) for story in stories)
        return {
            "stories": _first_lines(stories),
            "left_out": max(0, total - SHOWN_LINES),
            "line_count": total,
            "district_feeds": [
                (unit["unit_id"], self.words.of(unit, "name"))
                for unit in rows_of(self.book.tables["communes"])
                if unit["level"] == "old_district"
            ],
            "earlier": [
                (past, len(past.changes), len({c.subject_id for c in past.changes} - {""}))
                for past in self.book.history[1:SHOWN_EDITIONS]
            ],
        }


def _first_lines(stories: Iterable[Story]) -> list[Story]:
    kept, left = [], SHOWN_LINES
    for story in stories:
        lines = story.lines[:left]
        left -= len(lines)
        if lines:
            kept.append(replace(story, lines=lines))
    return kept


def districts(record: Record) -> tuple[Unit, ...]:
    """Return the old districts of a record; of a route those it passes."""
    return record.districts or tuple(u for u in record.nodes if u.level == "old_district")
