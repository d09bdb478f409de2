"""Can we draw it? What is asked of the features of a layer, one by one and together.

A feature that breaks a rule of text is left out and told, as a row of a table would be; a layer
that lacks what every page needs of it is refused as a whole.
"""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from geodata.cells import are_clean, are_nfc
from geodata.errors import SourceError
from geodata.findings import Finding, findings_table
from geodata.ledger import Change
from geodata.read import Layer

NEEDED = {"commune_boundaries": ("code",), "waterways": ("name",)}
SHAPES = {
    "commune_boundaries": {"Polygon", "MultiPolygon"},
    "waterways": {"LineString", "MultiLineString"},
}
"""What the pages draw of a layer; other layers may hold shapes of any kind."""


@dataclass(frozen=True)
class CheckedLayer:
    """The features that can be drawn, all findings, the others as quarantine, and the account."""

    layer: Layer
    quarantine: pd.DataFrame
    change: Change


def check_layer(layer: Layer) -> CheckedLayer:
    """Check a layer. SourceError where it lacks a column or holds shapes that nobody draws.

    Text that is not in Unicode NFC or hides marks refuses its feature; keys that differ only by
    case or Unicode form, or not at all, are noted. A feature's line is its number as if a header
    stood before it.
    """
    source, features = layer.source, layer.features
    missing = [name for name in NEEDED.get(source.layer, ()) if name not in features.columns]
    if missing:
        message = f"no feature has {', '.join(missing)}; declare it under [columns]"
        raise SourceError(source.source_id, "columns_are_present", message)
    strange = set(features.geom_type) - SHAPES.get(source.layer, set(features.geom_type))
    if strange:
        needed = " or ".join(sorted(SHAPES[source.layer]))
        message = f"found {', '.join(sorted(strange))}, needed {needed}"
        raise SourceError(source.source_id, "geometry_is_of_its_kind", message)
    texts = pd.DataFrame(features.drop(columns="geometry"))
    keys = _keys(layer, texts)
    refused = [f for name in texts for f in _text_findings(layer, str(name), texts[name], keys)]
    is_sound = ~np.isin(np.arange(2, len(features) + 2), [f.row for f in refused])
    kept = features.loc[is_sound].reset_index(drop=True)
    if kept.empty:
        message = "no feature is left; " + refused[0].detail
        raise SourceError(source.source_id, "text_is_clean", message)
    findings = (*layer.findings, *refused, *_key_findings(layer, keys))
    change = _account(layer, len(kept), refused)
    return CheckedLayer(
        replace(layer, features=kept, findings=findings), _quarantine(refused, texts), change
    )


def _keys(layer: Layer, texts: pd.DataFrame) -> list[str]:
    key = (layer.source.key,) if isinstance(layer.source.key, str) else layer.source.key
    if set(key) - set(texts.columns):
        return [""] * len(texts)
    return ["/".join(parts) for parts in texts[list(key)].itertuples(index=False)]


def _text_findings(
    layer: Layer, column: str, cells: "pd.Series[str]", keys: Sequence[str]
) -> list[Finding]:
    source = layer.source
    rules = {
        "text_is_nfc": ("text in Unicode NFC", are_nfc),
        "text_is_clean": ("text without control marks or broken letters", are_clean),
    }
    return sorted(
        Finding(
            source.source_id,
            source.layer,
            at + 2,
            keys[at],
            column,
            rule,
            "row",
            f"found {cells.iloc[at][:80]!r}, needed {needed}",
        )
        for rule, (needed, test) in rules.items()
        for at in map(int, np.flatnonzero(~test(cells)))
    )


def _key_findings(layer: Layer, keys: Sequence[str]) -> list[Finding]:
    plain = [unicodedata.normalize("NFC", key).casefold() for key in keys]
    twice = {key for key, count in Counter(plain).items() if count > 1 and key}
    why = "the key stands more than once, or another differs only by case or Unicode form"
    return [
        Finding(
            layer.source.source_id, layer.source.layer, line, key, "", "key_is_unique", "note", why
        )
        for line, (key, form) in enumerate(zip(keys, plain, strict=True), start=2)
        if form in twice
    ]


def _account(layer: Layer, kept: int, refused: Sequence[Finding]) -> Change:
    first: dict[int, str] = {}
    for found in sorted(refused):
        first.setdefault(found.row, found.rule)
    dropped = dict(sorted(Counter(first.values()).items()))
    return Change(f"read {layer.source.layer}", len(layer.features), kept, dropped)


def _quarantine(refused: Sequence[Finding], texts: pd.DataFrame) -> pd.DataFrame:
    table = findings_table(refused)
    told = [
        pd.Series({k: v for k, v in texts.iloc[row - 2].items() if v}).to_json(force_ascii=False)
        for row in table["row"]
    ]
    return table.assign(content=told)
