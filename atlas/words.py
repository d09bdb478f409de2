"""The words of the site in both languages, and numbers, dates and money in each one's form."""

import datetime
import functools
import re
import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from geodata.dates import MONTHS
from geodata.errors import AtlasError
from geodata.region import Region, here
from geodata.schema import QUALIFIER_WORDS

LANGUAGES = ("vi", "en")
OPEN = ("phase.", "plan.", "told.", "unit.", "carry_licence.", "missing_layer.")
"""Families of words that data name: only here may a region add words of its own."""

OF_REGION = re.compile(r"\{region\.([a-z]+)\}")
DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
PART_OF_YEAR = re.compile(r"(\d{4})-([QH])([1-4])")
YEARS = re.compile(r"(\d{4})-(\d{4})")
NOT_PLAIN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb]"
)
"""Controls that no name needs: they hide text, or turn the rest of the line around."""


class WordsError(AtlasError):
    """The two word files do not say the same things."""


def plain(text: str) -> str:
    """Return text with control and direction-changing characters shown as U+FFFD."""
    return NOT_PLAIN.sub("\ufffd", text)


@dataclass(frozen=True)
class Words:
    """One language: its texts by dotted key, and its forms of numbers and dates."""

    lang: str
    texts: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """Return the text of a key, its ``{fields}`` filled in; WordsError where it is missing."""
        try:
            text = self.texts[key]
        except KeyError as error:
            raise WordsError(
                f"the pages ask for the words {key!r}; add them to site/words/*.toml"
            ) from error
        return text.format_map(values) if values else text

    def known(self, key: str, otherwise: str) -> str:
        """Return the text of a key that data made, or what to show where there is none."""
        return self.texts.get(key, otherwise)

    def of(self, thing: object, name: str) -> str:
        """Return the ``name_vi`` or ``name_en`` of an object or row; the other where empty."""
        first, second = (f"{name}_{lang}" for lang in self._both())
        if isinstance(thing, Mapping):
            return str(thing.get(first) or thing.get(second) or "")
        return str(getattr(thing, first) or getattr(thing, second))

    def number(self, value: Decimal | int | str) -> str:
        """Write a number with every digit it has; text that is no number stays as it is."""
        try:
            exact = Decimal(value)
        except InvalidOperation:
            return str(value)
        if not exact.is_finite():
            return str(value)
        text = f"{exact:,f}"
        return text.translate(str.maketrans(",.", ".,")) if self.lang == "vi" else text

    def rounded(self, value: Decimal | float, places: int = 0) -> str:
        """Write a measured number, rounded half up to so many decimals."""
        step = Decimal(1).scaleb(-places)
        exact = Decimal(str(value)).quantize(step, rounding="ROUND_HALF_UP")
        return self.number(exact)

    def qualified(self, qualifier: str, text: str) -> str:
        """Put the words of a qualifier (over, about, at least) before a value."""
        if not qualifier:
            return text
        return self(f"qualifier.{QUALIFIER_WORDS[qualifier]}", value=text)

    def amount(self, value: Decimal | int | str, unit: str = "", qualifier: str = "") -> str:
        """Write a value with its unit (as the tables name it) and its qualifier."""
        number, shown = self.number(value), self.known(f"unit.{unit}", unit)
        if not shown:
            return self.qualified(qualifier, number)
        space = "" if shown.startswith("%") else "\u00a0"
        return self.qualified(qualifier, f"{number}{space}{shown}")

    def date(self, when: str | datetime.date) -> str:
        """Write an ISO date, whole or cut; text that is no such date stays as it is."""
        text = when.isoformat() if isinstance(when, datetime.date) else when
        found = DATE.fullmatch(text)
        if not found:
            return text
        year, month, day = found.groups()
        if month and not 1 <= int(month) <= len(MONTHS):
            return text
        form = "day" if day else "month" if month else "year"
        return self(f"date.{form}", year=year, **self._month_and_day(month, day))

    def month_day(self, text: str) -> str:
        """Write a yearly date such as ``11-15``."""
        month, _, day = text.partition("-")
        return self("date.month_day", **self._month_and_day(month, day))

    def dated(self, when: str | datetime.date, basis: str) -> str:
        """Write a date with how it is known."""
        return self("date.with_basis", date=self.date(when), basis=self(f"basis.{basis}"))

    def period(self, text: str) -> str:
        """Write a period: a year, years, a month, a quarter, a half or a span of months."""
        if found := YEARS.fullmatch(text):
            return self("date.years", first=found[1], last=found[2])
        if found := PART_OF_YEAR.fullmatch(text):
            part = f"quarter_{found[3]}" if found[2] == "Q" else f"half_{found[3]}"
            return self(f"date.{part}", year=found[1])
        first, _, last = text.partition("/")
        if not last:
            return self.date(text)
        if first == f"{last[:4]}-01" and len(last) == len("2023-11"):
            return self("date.months", **self._month_and_day(last[5:], ""), year=last[:4])
        return self("date.span", first=self.date(first), last=self.date(last))

    def _both(self) -> tuple[str, str]:
        return ("vi", "en") if self.lang == "vi" else ("en", "vi")

    def _month_and_day(self, month: str | None, day: str | None) -> dict[str, str]:
        """Vietnamese papers write 01 and 02 for the first two months, and 3 to 12 bare."""
        if not month:
            return {}
        number = int(month)
        if self.lang == "en":
            return {"month": MONTHS[number - 1], "day": str(int(day)) if day else ""}
        return {"month": f"{number:02d}" if number <= 2 else str(number), "day": day or ""}


def read_words(folder: Path) -> dict[str, Words]:
    """Read both languages as the region that is being built says them.

    ``{region.name}`` and the other forms of `geodata.region.Region` are filled in. WordsError
    where a key or a ``{field}`` is in one language only, or the region's vocabulary holds a key
    or a field that the site does not ask for.
    """
    region = here()
    texts = {lang: _read(folder / f"{lang}.toml") for lang in LANGUAGES}
    faults = _unlike(texts)
    for lang in LANGUAGES:
        faults += _strange(region, lang, texts[lang])
        texts[lang] = {**texts[lang], **region.said(lang)}
    faults = faults or [f"{region.path}: {fault}" for fault in _unlike(texts)]
    if faults:
        raise WordsError(f"{folder}: {'; '.join(faults)}; say each thing in both languages")
    return {lang: Words(lang, _filled(texts[lang], region.forms(lang))) for lang in LANGUAGES}


def _unlike(texts: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Name the keys and fields that one language has and the other has not."""
    vi, en = texts["vi"], texts["en"]
    faults = [
        f"{key} is missing in {lang}.toml"
        for lang in LANGUAGES
        for key in sorted((vi.keys() | en.keys()) - texts[lang].keys())
    ]
    faults += [
        f"{key} has other fields in vi.toml than in en.toml"
        for key in sorted(vi.keys() & en.keys())
        if _fields(vi[key]) != _fields(en[key])
    ]
    return faults


def _strange(region: Region, lang: str, texts: Mapping[str, str]) -> list[str]:
    """Name the words of a region's vocabulary that the site never asks for, or not so."""
    told = region.said(lang)
    unknown = [key for key in told if key not in texts and not key.startswith(OPEN)]
    faults = [f"{region.path}: {key} of {lang} is no key of {lang}.toml" for key in unknown]
    return faults + [
        f"{region.path}: {key} of {lang} has other fields than in {lang}.toml"
        for key, text in told.items()
        if key in texts and _fields(text) != _fields(texts[key])
    ]


def _fields(text: str) -> set[str]:
    """Return the names that a text has filled in later, or its fault where it cannot be."""
    try:
        named = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    except ValueError as error:
        return {str(error)}
    return {name for name in named if not name.startswith("region.")}


def _filled(texts: Mapping[str, str], forms: Mapping[str, str]) -> dict[str, str]:
    """Fill in what the region is called; WordsError where a text asks for a form it has not."""
    try:
        return {
            key: OF_REGION.sub(lambda found: forms[found[1]], text) for key, text in texts.items()
        }
    except KeyError as error:
        asked, known = error.args[0], ", ".join(forms)
        raise WordsError(f"region.{asked} is no form of a region; there are {known}") from error


def _read(path: Path) -> dict[str, str]:
    try:
        return _parsed(path, path.read_text(encoding="utf-8"))
    except (FileNotFoundError, tomllib.TOMLDecodeError) as error:
        raise WordsError(f"{path}: {error}; the site needs both word files") from error


@functools.lru_cache(maxsize=2 * len(LANGUAGES))
def _parsed(path: Path, content: str) -> dict[str, str]:
    return _flat(tomllib.loads(content), path)


def _flat(told: Mapping[str, object], path: Path, before: str = "") -> dict[str, str]:
    texts: dict[str, str] = {}
    for key, value in told.items():
        if isinstance(value, dict):
            texts |= _flat(value, path, f"{before}{key}.")
        elif isinstance(value, str) and value:
            texts[before + key] = value
        else:
            raise WordsError(f"{path}: {before}{key} is not text; write it as text or remove it")
    return texts
