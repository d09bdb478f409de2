"""Links to a view of the map: what may be asked, how it is written, what is refused."""

import pytest

from atlas.browse import CHOICES, find_script
from atlas.views import CHECKS, FACETS, KEYS, Known, read_known, view, view_faults
from atlas.words import read_words
from books import small_book
from builds import PROJECT

KNOWN = Known(
    {"schedule": frozenset(("late", "met", "not_known")), "who": frozenset(("cong-ty-x",))},
    frozenset(("kcn-a", "kcn-b", "kcn-c", "exp-d", "log-b")),
    frozenset(("exp-d",)),
    frozenset(("waterways",)),
)


def test_a_view_is_written_in_the_map_s_own_order_and_without_what_is_empty() -> None:
    told = view(id="kcn-a", schedule="late,stalled", colour="schedule", late="30..", sort="")
    assert told == "v=1&schedule=late,stalled&late=30..&colour=schedule&id=kcn-a"


@pytest.mark.parametrize("asked", [{"stat": "late"}, {"who": "a&b"}, {"who": "cong ty"}])
def test_what_no_link_could_say_is_refused_where_it_is_written(asked: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="cannot say"):
        view(**asked)


def test_every_key_has_a_check_and_every_facet_its_choices() -> None:
    assert set(CHECKS) == {"v", *KEYS}
    assert set(FACETS) == set(CHOICES)


@pytest.mark.parametrize(
    "fragment",
    [
        "v=1",
        "v=1&schedule=late,met&late=10..&colour=schedule",
        "v=1&area=200..,known&road=..10&away=0.5..2.25&route=exp-d&sure=1&view=1&sort=away",
        "v=1&map=11.25/9.8000/-105.6000&hide=waterways&year=2030&id=kcn-a",
        "v=1&who=cong-ty-x&shortlist=kcn-a&compare=kcn-a,kcn-b,kcn-c,exp-d",
        "v=1&schedule=late%2Cmet",
        "schedule=not_known",
    ],
)
def test_a_view_of_what_is_there_has_no_fault(fragment: str) -> None:
    assert list(view_faults(fragment, KNOWN)) == []


@pytest.mark.parametrize(
    "fragment",
    [
        "stat=late", "v=2", "schedule=overdue", "schedule=late,overdue", "schedule=", "who=ai-do",
        "kind=port", "area=..", "area=x..y", "area=200", "late=-5..", "map=1/2", "map=a/b/c",
        "hide=nope", "route=kcn-a", "sure=0", "view=yes", "sort=evil", "year=2019", "year=2031",
        "colour=stage", "id=kcn-z", "id=__proto__", "shortlist=kcn-a,kcn-z", "compare=kcn-a",
        "compare=kcn-a,kcn-b,kcn-c,exp-d,log-b", "id=kcn-a&id=kcn-b", "id=%3Cscript%3E", "=", "id",
    ],
)  # fmt: skip
def test_a_view_of_what_is_not_there_is_one_fault(fragment: str) -> None:
    assert len(list(view_faults(f"v=1&{fragment}" if fragment != "v=2" else fragment, KNOWN))) == 1


def test_what_a_map_knows_is_read_from_the_script_that_it_loads() -> None:
    words = read_words(PROJECT / "site" / "words")["vi"]
    known = read_known(find_script(small_book(), words))
    assert known.ids == {"kcn-a", "log-b", "canal-c", "exp-d"}
    assert known.routes == {"exp-d"}
    assert "late" in known.choices["schedule"] and "cong-ty-x" in known.choices["who"]
    with pytest.raises(ValueError):
        read_known("'use strict';")
