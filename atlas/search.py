"""The index of the map's search box: every name that a reader may know a record by, folded."""

import re
import unicodedata
from collections.abc import Iterator

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from atlas.layers import Json
from atlas.records import Book, Record
from atlas.words import Words
from geodata.cells import changed, text_array

WHO = ("developer", "investor", "owner", "proposer", "tenants")
SLUG_LENGTH = 60
BARE_D = str.maketrans({"đ": "d", "Đ": "d"})


def folded(text: str) -> str:
    """Return text without diacritics, in lower case, ``đ`` as ``d``: what one types in haste.

    ``site/scripts/map/search.js`` folds what is typed in the same way.
    """
    parts = unicodedata.normalize("NFD", text)
    bare = "".join(sign for sign in parts if not "\u0300" <= sign <= "\u036f")
    return " ".join(bare.translate(BARE_D).lower().split())


def all_folded(texts: "pd.Series[str]") -> pa.LargeStringArray:
    """Return each text `folded`, which most are by a few passes over all of them."""
    bare = pc.utf8_normalize(text_array(texts), "NFD")
    bare = pc.replace_substring_regex(bare, "[\u0300-\u036f]+", "")
    for sign in map(chr, BARE_D):
        bare = pc.replace_substring(bare, sign, "d")
    spaced = pc.replace_substring_regex(pc.ascii_lower(bare), "[\t-\r\x1c-\x1f ]+", " ")
    is_other = pc.invert(pc.string_is_ascii(bare))  # another script, which has its own rules
    return changed(pc.ascii_trim(spaced, " "), is_other, folded)


def slug(text: str) -> str:
    """Return a text as part of a link: folded, ASCII, the same in every edition."""
    return re.sub(r"[^a-z0-9]+", "-", folded(text))[:SLUG_LENGTH].strip("-")


def entries(book: Book, words: Words) -> list[Json]:
    """Return what is searched: record id, the field that names it, its text, and folded.

    Places whose new commune, old commune or old district is named are found by those names too.
    """
    found: list[Json] = []
    for record in book.records:
        seen: set[str] = set()
        for name, text in _names(record, words):
            key = folded(text)
            if key and key not in seen:
                seen.add(key)
                found.append([record.subject_id, name, text, key])
    return found


def _names(record: Record, words: Words) -> Iterator[tuple[str, str]]:
    yield "name", words.of(record, "name")
    yield "other_name", record.name_vi if words.lang == "en" else record.name_en
    yield from (("other_name", alias) for alias in record.aliases)
    yield "number", record.ref
    for measure in WHO:
        if fact := record.fact(measure):
            yield "who", fact.claim.value if words.lang == "vi" else fact.claim.value_en
            yield "who", fact.claim.value
    yield from (("act", number) for number in _acts(record))
    for units in (record.communes, record.nodes, record.old_communes, record.districts):
        yield from ((unit.level, words.of(unit, "name")) for unit in units)


def _acts(record: Record) -> list[str]:
    """Return the numbers of the legal acts that a record cites."""
    acts = [*(event.act for event in record.events), *(event.act for event in record.money)]
    return sorted({d.number for d in (*acts, *record.documents) if d and d.number})
