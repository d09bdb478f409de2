"""Which editions led to this one, what each changed, and what of that is about one record.

The log of editions lies in the archive and only grows: an edition that is no longer kept has
still its line. A line is written before its edition is published; one that never was is on
nobody's way and is not told.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from atlas.records import Changed, Past

LOG = "editions"


@dataclass(frozen=True)
class Entry:
    """One edition in the log: what it came after, what it is made of, what it changed.

    ``inputs`` is the checksum of the object that lists its sources; ``accepted`` names what a
    person had to agree to.
    """

    edition: str
    previous: str
    as_of: str
    key: str
    inputs: str = ""
    accepted: tuple[str, ...] = ()
    groups: Mapping[str, str] = field(default_factory=dict)
    changes: tuple[Changed, ...] = ()

    @property
    def told(self) -> dict[str, Any]:
        """The entry as the log holds it."""
        changes = [{k: v for k, v in vars(c).items() if v} for c in self.changes]
        return {**vars(self), "accepted": list(self.accepted), "changes": changes}


def read_log(entries: Iterable[Mapping[str, Any]]) -> dict[str, Entry]:
    """Return the log by edition, in order; of one edition's entries the last."""
    found = (_entry(told) for told in entries if "edition" in told)
    return {entry.edition: entry for entry in found}


def _entry(told: Mapping[str, Any]) -> Entry:
    def text(name: str) -> str:
        return str(told.get(name, ""))

    return Entry(
        edition=text("edition"),
        previous=text("previous"),
        as_of=text("as_of"),
        key=text("key"),
        inputs=text("inputs"),
        accepted=tuple(told.get("accepted", ())),
        groups=dict(told.get("groups", {})),
        changes=tuple(_changed(one) for one in told.get("changes", ())),
    )


def _changed(told: Mapping[str, Any]) -> Changed:
    def text(name: str) -> str:
        return str(told.get(name, ""))

    return Changed(
        table=text("table"),
        row_key=text("row_key"),
        change=text("change"),
        column=text("column"),
        old=text("old"),
        new=text("new"),
        source_id=text("source_id"),
        subject_id=text("subject_id"),
        row=dict(told.get("row", {})),
        was=dict(told.get("was", {})),
    )


def way_to(log: Mapping[str, Entry], edition: str) -> tuple[Past, ...]:
    """Return the editions that led to one, that one first; those left by a rollback are not on it.

    Ends where the log knows no further; no edition stands twice.
    """
    way: dict[str, Past] = {}
    while edition in log and edition not in way:
        entry = log[edition]
        way[edition] = Past(edition, entry.as_of, entry.changes, entry.groups)
        edition = entry.previous
    return tuple(way.values())


def by_subject(changes: Iterable[Changed]) -> dict[str, list[Changed]]:
    """Group changes by the record they are about; "" holds those about none."""
    groups: dict[str, list[Changed]] = {}
    for change in changes:
        groups.setdefault(change.subject_id, []).append(change)
    return groups
