"""The examples of docs/sources.md are read, as sources and with a file each."""

import re
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest

from files import drawn, make, xlsx
from geodata.catalog import Source
from geodata.limits import Limits
from geodata.read import read_table

PAGE = (Path(__file__).parents[1] / "docs" / "sources.md").read_text(encoding="utf-8")
SHARED, *EXAMPLES = (tomllib.loads(t) for t in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL))


def declared(example: dict[str, Any]) -> Source:
    return Source.model_validate(
        {**SHARED, **example, "source_id": "office_thing", "folder": Path("office_thing")}
    )


def content(example: dict[str, Any]) -> bytes:
    if example["format"] == "csv":
        words = "Ma\u0303;STT;amount;on\nm1;1;113.062,026;31/12/2025\n"
        return words.encode("cp1258")
    if example["format"] == "xlsx":
        return xlsx(
            ("money_id", "amount", "on"), ("m1", "113.062,026", "31/12/2025"), sheet=example["part"]
        )
    return make(example["format"], drawn())


@pytest.mark.parametrize("example", EXAMPLES, ids=[e["format"] for e in EXAMPLES])
def test_an_example_is_a_source_and_reads_its_file(example: dict[str, Any]) -> None:
    read = read_table(declared(example), content(example))
    assert read.rows_in_file == 1
    row = dict(read.rows.loc[2])
    if example["table"] == "money_events":
        assert (row["money_id"], row["amount"], row["on"]) == ("m1", "113062.026", "2025-12-31")
    else:
        assert [f.rule for f in read.findings] == []
        assert (row["position_id"], row["subject_id"]) == ("kcn-a.survey", "kcn-a")


def test_the_page_names_every_format_and_its_limits_are_those_in_force() -> None:
    formats = set(get_args(Source.model_fields["format"].annotation))
    assert {name for name in formats if f"`{name}`" not in PAGE} == set()
    (limits,) = (example["limits"] for example in EXAMPLES if "limits" in example)
    assert limits == Limits().model_dump()
