"""Rows in, rows out, and why: a step that loses a row without a reason cannot be recorded."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Change:
    """One step's account: rows in = rows out + rows dropped, each drop with its reason."""

    step: str
    rows_in: int
    rows_out: int
    dropped: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        explained = sum(self.dropped.values())
        counts = (self.rows_in, self.rows_out, *self.dropped.values())
        if self.rows_in != self.rows_out + explained or min(counts) < 0:
            raise AssertionError(
                f"{self.step}: {self.rows_in} rows in, {self.rows_out} out, {explained} explained"
            )


def occurred(dropped: Mapping[str, int]) -> dict[str, int]:
    """Return the reasons for which any row was dropped."""
    return {reason: count for reason, count in dropped.items() if count}
