"""The Atom feeds of what changed: of everything, of each record, old district and stage.

Each feed exists in both languages. An entry is what one edition changed about one record; its id
never changes and its date is the edition's as-of date, never the clock. Atom (RFC 4287) is a
dozen elements: no library is needed to write them, and one for it would bring lxml along.
"""

import re
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from atlas.chronicle import Chronicle, Mention, Story, districts
from atlas.news import line_text
from atlas.records import Book, Past
from atlas.telling import STAGE_GROUPS
from atlas.words import Words, plain
from geodata.region import here

ATOM = "http://www.w3.org/2005/Atom"
XHTML = "http://www.w3.org/1999/xhtml"
ALL = "feed"
NO_XML = re.compile("[\ufffe\uffff\ud800-\udfff]")

ENTRIES = 30
"""The newest so many are in a feed of many records; the history file has all."""

LINES = 20
"""A reader of a feed follows the link for more."""


@dataclass(frozen=True)
class Feed:
    """One feed in one language: its name as in its path, its title and the page it follows."""

    name: str
    title: str
    page: str
    stories: tuple[Story, ...]


def feed_path(name: str, lang: str) -> str:
    """Return where a feed lies below the site's root: ``feed.xml``, ``feeds/kcn-a.en.xml``."""
    ending = ".xml" if lang == "vi" else f".{lang}.xml"
    return f"{'' if name == ALL else 'feeds/'}{name}{ending}"


def stage_feed(group: str) -> str:
    """Return the name of a stage group's feed."""
    return f"stage-{group}"


def write_feeds(chronicle: Chronicle, out: Path, site_url: str) -> None:
    """Write every feed of one language below ``out``."""
    (out / "feeds").mkdir(parents=True, exist_ok=True)
    press = Press(chronicle.book, chronicle.words, site_url)
    for feed in feeds(chronicle):
        path = out / feed_path(feed.name, chronicle.words.lang)
        path.write_text(press.atom(feed), encoding="utf-8")


def feeds(chronicle: Chronicle) -> list[Feed]:
    """Return all feeds of one language, also those of which there is no news yet."""
    book, words = chronicle.book, chronicle.words
    stories: list[Story] = []
    for past in book.history:
        if len(stories) < ENTRIES:
            stories += _edition(chronicle, past)
    made = [Feed(ALL, words("feed.all"), "changes", tuple(stories[:ENTRIES]))]
    for record in book.records:
        page = f"{record.table}/{record.subject_id}"
        title = words("feed.one", name=words.of(record, "name"))
        made.append(Feed(record.subject_id, title, page, chronicle.of_record(record.subject_id)))
    known = {record.subject_id: chronicle.mentions(record.subject_id) for record in book.records}
    for unit in _old_districts(book):
        inside = [r for r in book.records if unit in {u.unit_id for u in districts(r)}]
        mine = (one for record in inside for one in known[record.subject_id])
        title = words("feed.one", name=_unit_name(book, unit, words))
        made.append(Feed(unit, title, "changes", _newest(chronicle, mine)))
    for group in STAGE_GROUPS:
        mine = (one for several in known.values() for one in several if group in one.groups)
        title = words("feed.stage", stage=words(f"stage_group.{group}"))
        made.append(Feed(stage_feed(group), title, "changes", _newest(chronicle, mine)))
    return made


def _edition(chronicle: Chronicle, past: Past) -> list[Story]:
    """Return an edition's news; of the first edition and of one without any, the edition alone."""
    told = list(chronicle.of_edition(past))
    return told or [Story(past, "", "", None, ())]


def _newest(chronicle: Chronicle, mentions: Iterable[Mention]) -> tuple[Story, ...]:
    ordered = sorted(
        mentions, key=lambda m: (m.past.as_of, m.past.edition, m.subject_id), reverse=True
    )
    return tuple(chronicle.story(one) for one in ordered[:ENTRIES])


def _old_districts(book: Book) -> list[str]:
    units = book.tables["communes"]
    return sorted(units.loc[units["level"] == "old_district", "unit_id"])


def _unit_name(book: Book, unit_id: str, words: Words) -> str:
    units = book.tables["communes"]
    return words.of(units[units["unit_id"] == unit_id].iloc[0].to_dict(), "name")


@dataclass(frozen=True)
class Press:
    """Writes feeds in one language; an entry that several of them have is written once."""

    book: Book
    words: Words
    site_url: str
    _entries: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def atom(self, feed: Feed) -> str:
        """Return one feed as Atom."""
        words, home, path = self.words, self.site_url, feed_path(feed.name, self.words.lang)
        days = [story.past.as_of for story in feed.stories] or [self.book.as_of.isoformat()]
        page = f"{home}{words.lang}/{feed.page}/index.html"
        lines = (
            '<?xml version="1.0" encoding="utf-8"?>',
            f'<feed xmlns="{ATOM}" xml:lang="{words.lang}">',
            _element("title", feed.title),
            _element("subtitle", words("site.name")),
            _element("id", _urn(path)),
            _element("updated", _stamp(max(days))),
            _link("self", home + path, "application/atom+xml"),
            _link("alternate", page, "text/html"),
            f"<author>{_element('name', words('site.name'))}</author>",
            *map(self._entry, feed.stories),
            "</feed>",
        )
        return "\n".join(lines) + "\n"

    def _entry(self, story: Story) -> str:
        key = story.past.edition, story.subject_id, story.table
        if key not in self._entries:
            self._entries[key] = "\n".join(_entry(story, self.words, self.site_url))
        return self._entries[key]


def _entry(story: Story, words: Words, site_url: str) -> Iterator[str]:
    past, date = story.past, words.date(story.past.as_of)
    title = words("feed.entry", name=story.name, date=date) if story.lines else _bare(past, words)
    about = f"{story.record.table}/{story.subject_id}" if story.record else "changes"
    anchor = "#history" if story.record else ""
    texts = [line_text(line, words) for line in story.lines[:LINES]]
    more = len(story.lines) - LINES
    texts += [words("feed.more", count=words.number(more))] if more > 0 else []
    yield "<entry>"
    yield _element("title", title)
    yield _element("id", _urn(f"{past.edition}/{story.subject_id or story.table}/{words.lang}"))
    yield _element("updated", _stamp(past.as_of))
    yield _link("alternate", f"{site_url}{words.lang}/{about}/index.html{anchor}", "text/html")
    yield f'<content type="xhtml"><div xmlns="{XHTML}">'
    if texts:
        yield f"<ul>{''.join(_element('li', text) for text in texts)}</ul>"
    else:
        yield _element("p", title)
    yield "</div></content>"
    yield "</entry>"


def _bare(past: Past, words: Words) -> str:
    return words("feed.edition", edition=past.edition)


def _urn(path: str) -> str:
    """Return an id that outlives a move of the site to another address."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{here().atlas_id}/{path}").urn


def _stamp(day: str) -> str:
    return here().midnight(date.fromisoformat(day)).isoformat()


def _link(rel: str, href: str, media: str) -> str:
    return f"<link rel={quoteattr(rel)} href={quoteattr(_clean(href))} type={quoteattr(media)}/>"


def _element(tag: str, text: str) -> str:
    return f"<{tag}>{escape(_clean(plain(text)))}</{tag}>"


def _clean(text: str) -> str:
    return NO_XML.sub("\ufffd", text)
