"""The examples of docs/ are read: sources with a file each, and a region."""

import re
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest

from atlas.words import OPEN
from files import drawn, make, xlsx
from geodata.catalog import Source
from geodata.limits import Limits
from geodata.read import read_table
from geodata.region import Region, read_region

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


def test_the_example_of_a_region_is_one_and_says_all_that_a_region_may(tmp_path: Path) -> None:
    page = (Path(__file__).parents[1] / "docs" / "regions.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "sources").mkdir()
    (tmp_path / "region.toml").write_text(example, encoding="utf-8")
    region = read_region(tmp_path)
    assert region.model_fields_set == set(Region.model_fields)
    assert set(region.forms("vi")) >= set(re.findall(r"\{region\.(\w+)\}", page))
    assert {name for name in OPEN if f"`{name}…`" not in page} == set()
