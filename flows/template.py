"""The planners' workbook made from the published edition: what ``atlas template`` writes."""

from pathlib import Path

import pandas as pd
from xlsxwriter.exceptions import FileCreateError

from atlas.compare import Edition
from atlas.editions import Shop
from atlas.form import write_form
from atlas.template import Wanted, template_form
from atlas.words import read_words
from flows.order import PROJECT
from geodata.errors import UsageError
from geodata.schema import TABLES
from geodata.workbook import vocabulary


def write_template(root: Path, out: Path, wanted: Wanted) -> None:
    """Write the template; UsageError where nothing is published or an id is not known."""
    shop = Shop(root)
    edition = shop.current()
    if not edition:
        raise UsageError(f"{shop.public} is not published yet; run atlas refresh first")
    tables = {t.name: pd.DataFrame(columns=list(t.column_names), dtype="str") for t in TABLES}
    tables |= Edition(shop.editions / edition)
    words = read_words(PROJECT / "site" / "words")
    lists = vocabulary(tables, words["vi"].texts)
    for choice, key in (("subjects", wanted.subject), ("agencies", wanted.agency)):
        if key and lists.known(choice, key) is None:
            known = ", ".join(c.id for c in lists.choices[choice])
            raise UsageError(f"there is no {key!r} among the {choice}; there are: {known}")
    try:
        write_form(out, template_form(tables, edition, lists, wanted), words, lists)
    except FileCreateError as error:
        raise UsageError(f"{out} cannot be written ({error}); name another file") from error
