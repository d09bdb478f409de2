"""The index of tiled records' names: sorted, in small files, so that a reader fetches one or two.

A name is found by its beginning and, where there are not too many, by that of each of its words.
"""

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd

from atlas.assets import pack
from atlas.search import folded
from atlas.tiled import Tiled

IN_FILE = 1_024
EVERY_WORD = 200_000
"""With more records than this, a name is found by its beginning alone."""


@dataclass(frozen=True)
class Names:
    """The files of the index, gzipped, and the first entry of each."""

    firsts: list[str]
    files: list[bytes]


def names(tiled: Tiled) -> Names:
    """Return the index of all names and ids: pairs of folded text and number, sorted."""
    is_short = len(tiled.subjects) <= EVERY_WORD
    columns = (tiled.subjects[name] for name in ("name_vi", "name_en", "subject_id"))
    told = pd.concat([_beginnings(column, is_short) for column in columns])
    codes, texts = pd.factorize(told["text"], sort=True)
    pairs = np.unique(codes * max(1, len(tiled.subjects)) + told["n"].to_numpy())
    del told, codes
    which, n = np.divmod(pairs, max(1, len(tiled.subjects)))
    starts = range(0, len(pairs), IN_FILE)
    files = []
    for start in starts:
        part = slice(start, start + IN_FILE)
        both = [texts[which[part]].tolist(), n[part].tolist()]
        text = json.dumps(both, ensure_ascii=False, separators=(",", ":"))
        files.append(pack(text.encode("utf-8")))
    return Names([str(texts[which[start]]) for start in starts], files)


def _beginnings(names: "pd.Series[str]", every_word: bool) -> pd.DataFrame:
    told = pd.DataFrame({"text": [folded(name) for name in names], "n": range(len(names))})
    parts, left = [told], told if every_word else told[:0]
    while len(left):
        rest = left["text"].str.split(" ", n=1).str[1]
        left = left.assign(text=rest)[rest.notna()]
        parts.append(left)
    return pd.concat(parts)
