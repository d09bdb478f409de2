"""The index of tiled records' names: sorted, in small files, so that a reader fetches one or two.

A name is found by its beginning and, where there are not too many, by that of each of its words.
"""

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from atlas.assets import pack
from atlas.search import all_folded
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
    count = max(1, len(tiled.subjects))
    columns = (tiled.subjects[name] for name in ("name_vi", "name_en", "subject_id"))
    told = [_beginnings(column, every_word=count <= EVERY_WORD) for column in columns]
    coded = pa.concat_arrays([texts for texts, _ in told]).dictionary_encode()
    order = pc.sort_indices(coded.dictionary).to_numpy()
    texts, ranks = coded.dictionary.take(order), np.empty(len(order), dtype="int64")
    ranks[order] = np.arange(len(order))
    numbers = np.concatenate([n for _, n in told])
    which, n = np.divmod(np.unique(ranks[coded.indices.to_numpy()] * count + numbers), count)
    starts = range(0, len(n), IN_FILE)
    files = []
    for start in starts:
        part = slice(start, start + IN_FILE)
        both = [texts.take(pa.array(which[part])).to_pylist(), n[part].tolist()]
        text = json.dumps(both, ensure_ascii=False, separators=(",", ":"))
        files.append(pack(text.encode("utf-8")))
    return Names([texts[int(which[start])].as_py() for start in starts], files)


def _beginnings(names: "pd.Series[str]", *, every_word: bool) -> tuple[pa.Array, np.ndarray]:
    """Return each name, and where every word counts its ends from each further word on."""
    texts, n = all_folded(names), np.arange(len(names))
    parts, numbers = [texts], [n]
    while every_word and len(texts):
        goes_on = pc.match_substring(texts, " ")
        texts = pc.replace_substring_regex(texts.filter(goes_on), "^[^ ]* ", "")
        n = n[goes_on.to_numpy(zero_copy_only=False)]
        parts.append(texts)
        numbers.append(n)
    return pa.concat_arrays(parts), np.concatenate(numbers)
