import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata.ledger import Change

COUNTS = st.integers(0, 1_000)


def test_a_balanced_change_says_why_rows_were_dropped() -> None:
    change = Change("clip", rows_in=214, rows_out=211, dropped={"outside": 3})
    assert (change.rows_in, change.rows_out, dict(change.dropped)) == (214, 211, {"outside": 3})


def test_a_change_without_rows_balances() -> None:
    assert Change("read", 0, 0).dropped == {}


@pytest.mark.parametrize(
    ("rows_in", "rows_out", "dropped"),
    [
        (214, 210, {"outside": 3}),
        (214, 215, {}),
        (3, 3, {"outside": 1}),
        (3, 4, {"added": -1}),
        (-1, -1, {}),
        (0, -2, {"outside": 2}),
    ],
)
def test_a_change_that_does_not_balance_cannot_be_made(
    rows_in: int, rows_out: int, dropped: dict[str, int]
) -> None:
    with pytest.raises(AssertionError, match=f"clip: {rows_in} rows in, {rows_out} out"):
        Change("clip", rows_in, rows_out, dropped)


@given(COUNTS, st.dictionaries(st.text(), COUNTS))
def test_what_is_out_and_what_is_explained_make_up_what_came_in(
    rows_out: int, dropped: dict[str, int]
) -> None:
    rows_in = rows_out + sum(dropped.values())
    assert Change("clip", rows_in, rows_out, dropped).rows_in == rows_in
    with pytest.raises(AssertionError):
        Change("clip", rows_in + 1, rows_out, dropped)
