"""What a table, a column, a layer or a step of a ledger is called in each language."""

from collections.abc import Mapping

from atlas.words import Words
from geodata.catalog import Source
from geodata.schema import TABLE


def table_title(name: str, words: Words) -> str:
    """Return a table's title, or its name where the schema has none."""
    if name not in TABLE:
        return name
    return TABLE[name].vi if words.lang == "vi" else TABLE[name].en


def column_title(table: str, name: str, words: Words) -> str:
    """Return a column's title, or its name where the schema has none."""
    if table not in TABLE or name not in TABLE[table].column_names:
        return name
    column = TABLE[table].column(name)
    return column.vi if words.lang == "vi" else column.en


def held_title(source: Source, words: Words) -> str:
    """Return the title of the table or the layer that a source fills."""
    if source.table:
        return table_title(source.table, words)
    return layer_title(source.source_id, {source.source_id: source}, words)


def layer_title(name: str, sources: Mapping[str, Source], words: Words) -> str:
    """Return the title of a map layer that a source fills, by the id of either."""
    layer = sources[name].layer if name in sources else name
    return words.known(f"missing_layer.{layer}", name)


def step_text(step: str, sources: Mapping[str, Source], words: Words) -> str:
    """Write a ledger's step; the check of a source by the source's title."""
    verb, _, rest = step.partition(" ")
    if verb == "check" and rest in sources:
        return words("step.check", source=words.of(sources[rest], "title"))
    if verb in ("take", "supersede"):
        return words(f"step.{verb}", name=rest)
    if verb == "look_back":
        return words("step.look_back", table=table_title(rest, words))
    return words.known(f"step.{step}", step)
