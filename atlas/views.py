"""A view of the map as the fragment of a link: written here, read by ``site/scripts/map/hash.js``.

A page links to the map only with `view`; `view_faults` says what a fragment names that the map
does not have. What a view means is decided in the browser.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from atlas.layers import LAYERS
from geodata.region import here

VERSION = "1"
FACETS = (
    *("kind", "stage", "schedule", "district", "commune", "who", "fund", "sector", "accuracy"),
    "conflict",
)
"""What a reader may choose of, each by several keys."""

RANGES = (
    *("area", "price", "occupancy", "complete", "late", "road", "canal", "port", "away", "point"),
)
SORTS = ("kind", "name", "area", "stage", "schedule", "complete", "away", "point")
"""Orders of the list beside the map."""

COLOURS = ("schedule",)
"""What the map may be coloured by instead of kind and stage."""

KEYS = (
    *("map", "hide", *FACETS, *RANGES, "route", "at", "sure", "view", "sort", "year", "colour"),
    *("id", "shortlist", "compare"),
)
"""Everything that a view may say, in the order in which the map writes it."""

COMPARED = (2, 4)
SPAN = re.compile(r"(\d{1,7}(\.\d{1,6})?)?\.\.(\d{1,7}(\.\d{1,6})?)?(,known)?")
CENTRE = re.compile(r"\d{1,2}(\.\d+)?(/-?\d{1,3}(\.\d+)?){2}")
POINT = re.compile(r"\d{1,2}(\.\d{1,6})?/\d{1,3}(\.\d{1,6})?")
WRITTEN = re.compile(r"[\w.,/-]+", re.ASCII)


@dataclass(frozen=True)
class Known:
    """What the views of one map may name: the keys of each facet, its records, routes, layers.

    ``has_more``: it draws tiled records too, whose ids are told elsewhere.
    """

    choices: Mapping[str, frozenset[str]]
    ids: frozenset[str]
    routes: frozenset[str]
    layers: frozenset[str]
    has_more: bool = False


def read_known(script: str) -> Known:
    """Return what a map knows, from the script of `browse.find_script` that it loads.

    ValueError or KeyError: it is no such script.
    """
    told = json.loads(script[script.index("{") : script.rindex("}") + 1])
    choices = told["choices"].items()
    return Known(
        {name: frozenset(key for key, _ in keys) for name, keys in choices},
        frozenset(told["records"]),
        frozenset(route for route, _ in told["routes"]),
        frozenset(layer.layer_id for layer in LAYERS),
        "tiled" in told,
    )


def view(**asked: str) -> str:
    """Return a fragment, without its ``#``, that opens the map as asked.

    ValueError: the map has no such key, or a value could not stand in a link as it is.
    """
    strange = sorted(asked.keys() - set(KEYS))
    told = [(key, asked[key]) for key in KEYS if asked.get(key)]
    wrong = [value for _, value in told if not WRITTEN.fullmatch(value)]
    if strange or wrong:
        raise ValueError(f"a view of the map cannot say {strange + wrong}; it can say {KEYS}")
    return "&".join(f"{key}={value}" for key, value in [("v", VERSION), *told])


def view_faults(fragment: str, known: Known) -> Iterator[str]:
    """Yield what is wrong with a fragment (still encoded) that asks for a view of the map."""
    told = [part.partition("=") for part in fragment.split("&")]
    keys = [key for key, _, _ in told]
    yield from (f"asks {key!r} twice" for key in sorted(set(keys)) if keys.count(key) > 1)
    for key, _, value in told:
        check = CHECKS.get(key)
        if check is None:
            yield f"asks for {key!r}, which the map does not know"
        elif not check(unquote(value), known):
            yield f"asks for {key}={unquote(value)}, which the map does not have"


Check = Callable[[str, Known], bool]


def _one_of(*values: str) -> Check:
    return lambda value, _: value in values


def _is_year(value: str, _known: Known) -> bool:
    first, last = here().years
    return value in map(str, range(first, last + 1))


def _some_of(there: Callable[[Known], frozenset[str]]) -> Check:
    return lambda value, known: set(value.split(",")) <= there(known)


def _facet(name: str) -> Check:
    return _some_of(lambda known: known.choices.get(name, frozenset()))


def _is_span(value: str, _: Known) -> bool:
    return bool(SPAN.fullmatch(value)) and value != ".."


def _is_compared(value: str, known: Known) -> bool:
    ids = value.split(",")
    return COMPARED[0] <= len(ids) <= COMPARED[1] and set(ids) <= known.ids


CHECKS: Mapping[str, Check] = {
    "v": _one_of(VERSION),
    "map": lambda value, _: bool(CENTRE.fullmatch(value)),
    "hide": _some_of(lambda known: known.layers),
    **{name: _facet(name) for name in FACETS},
    **dict.fromkeys(RANGES, _is_span),
    "route": lambda value, known: value in known.routes,
    "at": lambda value, _: bool(POINT.fullmatch(value)),
    "sure": _one_of("1"),
    "view": _one_of("1"),
    "sort": _one_of(*SORTS),
    "year": _is_year,
    "colour": _one_of(*COLOURS),
    "id": lambda value, known: value in known.ids or known.has_more,
    "shortlist": _some_of(lambda known: known.ids),
    "compare": _is_compared,
}
"""Whether each part of a view names what is there."""
