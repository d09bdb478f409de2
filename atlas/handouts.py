"""What pages need of the things that readers take away: downloads, sheets, health, reports."""

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from atlas import oc4ids
from atlas.health import ACCURACY_M, NEWS_MONTHS, OLD_NEWS, SOURCES, health_of, worst
from atlas.layers import Json, safe_json
from atlas.measure import EXPECTED
from atlas.metadata import Download, dataset_jsonld, downloads, place_jsonld
from atlas.records import Book, Record
from atlas.sheet import (
    SCALE_KM,
    UNIT_M,
    Address,
    Frame,
    corrections,
    frame,
    locator,
    qr,
    spot_texts,
    spots,
)
from atlas.views import view
from atlas.words import LANGUAGES, Words, plain

KILOBYTE = 1_000
ADDRESS = Address()


@dataclass(frozen=True)
class Handouts:
    """One edition's handouts, worked out once for both languages and all records."""

    book: Book
    address: Address
    files: dict[str, list[Download]]
    ground: Frame

    def shared(self) -> dict[str, object]:
        """Return what the overview pages draw on."""
        return {
            "files": self.files,
            "file_size": file_size,
            "licence_text": licence_text,
            "worst": worst(self.book),
            "health_sources": SOURCES,
            "health_news": (*NEWS_MONTHS, (None, OLD_NEWS)),
            "health_accuracy": ACCURACY_M,
            "expected_fields": EXPECTED,
            "oc4ids_codes": {
                s.stage_id: oc4ids.STATUS.get(s.stage_id, "") for s in self.book.stages
            },
            "oc4ids_projects": oc4ids.projects(self.book),
            "contact": self.address.contact,
        }

    def of_page(self, words: Words, page: str) -> dict[str, object]:
        """Return what a page's head says of it to machines."""
        told: dict[str, object] = {
            "full_address": self.address.page(words.lang, page),
            "alternates": self._alternates(page),
        }
        if page == "data":
            listed = [one for group in self.files.values() for one in group if one.size]
            told["jsonld"] = _script_json(
                dataset_jsonld(self.book, words, listed, self.address.site_url)
            )
        return told

    def of_record(self, record: Record, words: Words) -> dict[str, object]:
        """Return what a record's page carries away."""
        page = posixpath.join(record.table, record.subject_id)
        address = f"{self.address.page(words.lang, page)}?edition={self.book.edition}"
        return {
            "health": health_of(record, self.book.as_of),
            "spots": [(spot.role, *spot_texts(spot, words)) for spot in spots(record)],
            "locator": locator(record, self.ground, words),
            "scale_km": SCALE_KM,
            "scale_units": round(SCALE_KM * 1_000 / UNIT_M),
            "qr_address": address,
            "qr_code": qr(address),
            "frame_code": self._frame_code(record, words),
            "corrections": corrections(record, self.book, words, self.address),
            "is_project": oc4ids.is_project(record),
            "jsonld": _script_json(place_jsonld(record, words, self.address.site_url)),
        }

    def _frame_code(self, record: Record, words: Words) -> str:
        """The code that shows the map with this record open in another page."""
        address = f"{self.address.page(words.lang, 'map')}?embed=1#{view(id=record.subject_id)}"
        code = '<iframe src="{}" title="{}" width="100%" height="560" loading="lazy"></iframe>'
        return str(Markup(code).format(address, plain(words.of(record, "name"))))

    def _alternates(self, page: str) -> list[tuple[str, str]]:
        """The page's full address in each language; none where the site has no public address."""
        if not self.address.is_public:
            return []
        return [(lang, self.address.page(lang, page)) for lang in LANGUAGES]


def handouts(book: Book, out: Path, address: Address) -> Handouts:
    """Work out the handouts of a book whose downloads lie below ``out``."""
    return Handouts(book, address, downloads(book, out), frame(book))


def file_size(size: int, words: Words) -> str:
    """Write a file's size in kB, or in bytes below one."""
    if size < KILOBYTE:
        return f"{words.number(size)}\u00a0B"
    return f"{words.number(round(size / KILOBYTE))}\u00a0kB"


def licence_text(licences: Iterable[str], words: Words) -> str:
    """Name licences in short, each once; the page's list of licences has their whole texts."""
    short = dict.fromkeys(name.partition(" (")[0] for name in licences)
    return "; ".join(words.known(f"carry_licence.{name}", name) for name in short)


def _script_json(told: Json) -> Markup:
    """Write JSON that no text can end as a script element: it holds no <, > or &."""
    return Markup(safe_json(told))  # noqa: S704  (safe_json leaves nothing that is markup)
