"""Book -> every page of the site, in both languages: `write_site`.

Text from data reaches a page only through the templates of ``site/templates``, which escape it.
"""

import json
import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import jinja2
from markupsafe import Markup

from atlas import programme
from atlas.assets import Assets
from atlas.bigmap import BigMap
from atlas.browse import CHOICES, IS, find_script, group_view
from atlas.card import HEIGHT, WIDTH, Gallery, studio
from atlas.chronicle import Chronicle
from atlas.feeds import feed_path, stage_feed, write_feeds
from atlas.figures import planner_values, record_gantt
from atlas.ground import ground_layer
from atlas.guide import index, llms_text
from atlas.handouts import ADDRESS, Handouts, handouts
from atlas.layers import Json, layer_script, shown_layers
from atlas.listing import (
    Counted,
    axes,
    by_kind,
    credits,
    document_links,
    listed_documents,
    listed_refusals,
    map_files,
    record_links,
    tiled_counts,
)
from atlas.maps import (
    BIG_PARTS,
    FIRST_PARTS,
    LATER_PARTS,
    NARROW_PARTS,
    PAPER_PARTS,
    draw_map,
)
from atlas.metadata import download
from atlas.pack import write_pack
from atlas.paper import paper_script
from atlas.programme import Row
from atlas.records import Book, Document, MoneyEvent, Record
from atlas.sheet import Address
from atlas.telling import (
    STAGE_GROUPS,
    accuracy_text,
    claim_text,
    outward,
    phase_text,
    stage_group,
    unit_of,
    whole_history,
)
from atlas.templates import CSP, environment
from atlas.titles import column_title, held_title, layer_title, step_text, table_title
from atlas.track import SCHEDULES
from atlas.views import SORTS, view
from atlas.words import LANGUAGES, Words, read_words
from geodata.cells import parts_of
from geodata.region import here
from geodata.schema import MONEY_KINDS, TABLE, TABLES
from geodata.voices import sheet_titles

PAGES = (
    ("", "home"),
    ("table", "table"),
    ("track", "track"),
    ("programme", "programme"),
    ("duties", "duties"),
    ("changes", "changes"),
    ("data", "data"),
    ("sources", "sources"),
    ("status", "status"),
)
"""Folder below the language, and template; the map and the records' pages come beside them."""

ROW_FACETS = ("kind", "stage", "schedule", "district", "commune", "who", "fund")
"""What the rows of the table and of the tracker are narrowed by, as on the map."""

FOLD = "scripts/fold.js"
ROWS = (FOLD, "scripts/rows.js")

LEAFLET = "node_modules/leaflet/dist/leaflet.js"
FUZZY = "node_modules/@leeoniya/ufuzzy/dist/uFuzzy.iife.min.js"
PMTILES = "node_modules/pmtiles/dist/pmtiles.js"
QR = "node_modules/qrcode-generator/dist/qrcode.js"


@dataclass(frozen=True)
class Site:
    """What every page is made with."""

    book: Book
    out: Path
    assets: Assets
    templates: jinja2.Environment
    words: Mapping[str, Words]
    handouts: Handouts
    gallery: Gallery
    big: BigMap | None
    chronicles: Mapping[str, Chronicle]
    counted: Sequence[Counted]
    listed: Mapping[str, Document]
    document_links: dict[tuple[str, str], Callable[[Document], Markup]] = field(
        default_factory=dict
    )

    def write(self, path: str, text: str) -> None:
        """Write one page below ``out``."""
        target = self.out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def write_site(book: Book, out: Path, site: Path, address: Address = ADDRESS) -> None:
    """Write every page and asset below ``out``, beside the downloads that lie there.

    ``site`` holds templates, styles, scripts, words and node_modules; AtlasError says what to do
    where something of it is missing.
    """
    words, carried = read_words(site / "words"), handouts(book, out, address)
    assets, both = Assets(site, out), [words[lang] for lang in LANGUAGES]
    gallery = Gallery(book, address, assets, studio(both, carried.ground, site))
    chronicles = {lang: Chronicle(book, words[lang]) for lang in LANGUAGES}
    big = BigMap(book.tiled, assets, book.as_of, ground_layer(book, words)) if book.tiled else None
    told = chronicles, tiled_counts(book), listed_documents(book)
    made = Site(book, out, assets, environment(site), words, carried, gallery, big, *told)
    for chronicle in chronicles.values():
        write_feeds(chronicle, out, address.site_url)
    _write_choosers(made)
    _write_guide(made)
    shared = _shared(book) | carried.shared()
    for lang in LANGUAGES:
        for page, template in PAGES:
            values = _values(made, lang, page) | shared | _titles(made.words[lang], template)
            values |= chronicles[lang].of_page() if page == "changes" else {}
            values |= {"documents": made.listed.values()} if page == "sources" else {}
            _write_page(made, lang, page, template, values)
        _write_map(made, lang)
        for record in book.records:
            _write_record(made, lang, record)
    _write_pack(made, shared)


def _write_pack(made: Site, shared: Mapping[str, object]) -> None:
    """Pack the site as it is, then tell of the pack where its downloads are told."""
    path = write_pack(made.book, made.out)
    if path:
        made.handouts.files["pack"] = [download(made.book, made.out, path)]
        _write_guide(made)
        for lang in LANGUAGES:
            values = {**_values(made, lang, "data"), **shared, **_titles(made.words[lang], "data")}
            _write_page(made, lang, "data", "data", values)


def _write_choosers(made: Site) -> None:
    """Write the page of both languages, and its like for addresses that lead nowhere.

    A host shows ``404.html`` at any depth, so it alone names its files from the host's root.
    """
    template = made.templates.get_template("chooser.html.j2")
    for path, is_404 in (("index.html", False), ("404.html", True)):
        home = made.handouts.address.home if is_404 else ""
        text = template.render(
            book=made.book,
            csp=CSP,
            asset=lambda name, home=home: home + made.assets.path(name),
            home=home,
            is_404=is_404,
            card="" if is_404 else made.gallery.card(""),
            first=made.words[here().languages[0]],
            second=made.words[here().languages[1]],
        )
        made.write(path, text)


def _write_guide(made: Site) -> None:
    """Write what programs read first: the index of all files, and llms.txt."""
    both, files = [made.words[lang] for lang in LANGUAGES], made.handouts.files
    home, pages = made.handouts.address.site_url, [("map", "map"), *PAGES]
    told = json.dumps(index(made.book, both, files, home), ensure_ascii=False, indent=1)
    made.write("data/index.json", f"{told}\n")
    made.write("llms.txt", llms_text(made.book, both, pages, home))


def _write_page(made: Site, lang: str, page: str, template: str, values: dict[str, object]) -> None:
    text = made.templates.get_template(f"{template}.html.j2").render(values)
    made.write(posixpath.join(lang, page, "index.html"), text)


def _titles(words: Words, name: str) -> dict[str, object]:
    return {"title": words(f"{name}.title"), "description": words(f"{name}.description")}


def _write_record(made: Site, lang: str, record: Record) -> None:
    page, words = f"{record.table}/{record.subject_id}", made.words[lang]
    name, chronicle = words.of(record, "name"), made.chronicles[lang]
    values = _values(made, lang, page) | {
        "record": record,
        "title": name,
        "description": words("record.description", name=name, kind=words(f"kind.{record.kind}")),
        "money": money_by_kind(record),
        "gantt": record_gantt(record, made.book.as_of),
        "history": chronicle.of_record(record.subject_id),
        "mention_count": len(chronicle.mentions(record.subject_id)),
    }
    values |= made.handouts.of_record(record, words)
    _write_page(made, lang, page, "record", values)


def _write_map(made: Site, lang: str) -> None:
    words, assets = made.words[lang], made.assets
    figure = draw_map(made.book, words, made.templates.get_template("map.html.j2"))
    layers = layer_script(made.book, words, _big(made, words))
    data = assets.write(f"layers-{lang}.js", layers.encode("utf-8"))
    narrowing = made.big.narrowing() if made.big else None
    told = find_script(made.book, words, narrowing)
    find = assets.write(f"find-{lang}.js", told.encode("utf-8"))
    start = assets.write(f"map-{lang}.js", figure.draw().encode("utf-8"))
    behaviour = assets.joined("map.js", _scripts(FIRST_PARTS))
    more = (assets.joined("columns.js", _scripts(NARROW_PARTS)),) if made.big else ()
    later = (assets.joined("browse.js", (FOLD, *_scripts(LATER_PARTS))), *more)
    values = _values(made, lang, "map") | _titles(words, "map")
    big = (assets.joined("big.js", _scripts(BIG_PARTS)),) if made.big else ()
    values |= {
        "scripts": [
            f"../../{path}" for path in (assets.path(LEAFLET), data, behaviour, *big, start)
        ],
        "later": " ".join(f"../../{path}" for path in (assets.path(FUZZY), find, *later)),
        "sheet": " ".join(f"../../{path}" for path in _paper(made, lang)),
        "sorts": SORTS,
        "schedules": SCHEDULES,
        "years": here().years,
        "map_html": figure.map_html,
        "layers": shown_layers(made.book),
        "by_kind": by_kind(made.book),
        "credits": credits(made.book, words),
    }
    made.write(f"{lang}/map/index.html", figure.render(**values))


def _paper(made: Site, lang: str) -> list[str]:
    """Publish what the print of a comparison needs, in the order in which it is loaded."""
    (other,) = (name for name in LANGUAGES if name != lang)
    words, kept = (made.words[lang], made.words[other]), made.handouts
    data = paper_script(made.book, words, kept.ground, kept.address).encode("utf-8")
    return [
        made.assets.path(QR),
        made.assets.path("styles/paper.css"),
        made.assets.write(f"paper-{lang}.js", data),
        made.assets.joined("sheet.js", _scripts(PAPER_PARTS)),
    ]


def _scripts(parts: Iterable[str]) -> list[str]:
    return [f"scripts/map/{part}.js" for part in parts]


def _big(made: Site, words: Words) -> Json:
    """Publish the tiled records and return what the map's script reads of them."""
    if made.big is None:
        return None
    return made.big.data(words) | {"reader": made.assets.path(PMTILES)}


def _values(made: Site, lang: str, page: str) -> dict[str, object]:
    """Return what the templates may use on every page."""
    book, words = made.book, made.words[lang]
    (other,) = (name for name in LANGUAGES if name != lang)
    place = posixpath.join(lang, page)
    sources = {state.source.source_id: state.source for state in book.sources}
    titles: dict[str, object] = {**sheet_titles(book.workbooks), **sources}

    def root(path: str) -> str:
        return posixpath.relpath(path, place)

    def to(name: str, language: str = lang) -> str:
        return root(posixpath.join(language, name, "index.html"))

    def doc_at(key: str) -> str:
        return f"{at}#{f'doc-{key}' if key in made.listed else 'documents'}"

    at = to("sources")
    return made.handouts.of_page(words, page) | {
        "book": book,
        "csp": CSP,
        "card": made.gallery.card(page),
        "card_size": (WIDTH, HEIGHT),
        "lang": lang,
        "languages": LANGUAGES,
        "region": here(),
        "other_lang": other,
        "other_w": made.words[other],
        "w": words,
        "page": page,
        "root": root,
        "to": to,
        "asset": lambda name: root(made.assets.path(name)),
        "view": lambda **asked: f"{to('map')}#{view(**asked)}",
        "group_view": group_view,
        "choices": lambda name: CHOICES[name](book, words),
        "told_apart": lambda record: [
            (name, [key for key, _ in IS[name](record, words)]) for name in ROW_FACETS
        ],
        "rows_script": lambda: root(made.assets.joined("rows.js", ROWS)),
        "outward": outward,
        "doc": made.document_links.setdefault((lang, at), document_links(words, doc_at)),
        "doc_at": doc_at,
        "feed_path": lambda name: root(feed_path(name, lang)),
        "stage_feed": stage_feed,
        "source_ids": set(sources),
        "source_title": lambda key, words: words.of(titles[key], "title") if key in titles else key,
        "record_link": record_links(book, words, to),
        "stale": [(held_title(s.source, words), s) for s in book.sources if s.state == "stale"],
        "missing_layers": [layer_title(name, sources, words) for name in book.missing_layers],
        "stage_groups": STAGE_GROUPS,
        "tiled_counts": made.counted,
        "claim_text": claim_text,
        "accuracy_text": accuracy_text,
        "phase_text": phase_text,
        "whole_history": whole_history,
        "stage_group": stage_group,
        "km": lambda metres: words.rounded(metres / 1000, 2),
        "unit_of": lambda row: unit_of(row, words),
        "documents_of": lambda row: programme.documents_of(book, row),
        "parts_of": parts_of,
    }


def _shared(book: Book) -> dict[str, object]:
    """Return what the overview pages draw on, computed once for both languages."""
    series = programme.series(book)
    on_programme = {s.series_id for s in series} | set(book.tables["targets"]["target_id"])
    agencies = {r["agency_id"]: r for r in programme.rows_of(book.tables["agencies"])}
    units = {r["unit_id"]: r for r in programme.rows_of(book.tables["communes"])}
    sources = {s.source.source_id: s.source for s in book.sources}
    sheets = sheet_titles(book.workbooks)
    subjects = {record.subject_id for record in book.records}
    return planner_values(book, by_kind(book)) | {
        "by_kind": by_kind(book),
        "axes": axes(book),
        "subjects": subjects,
        "total": programme.funding_total(book),
        "divisions": programme.divisions(book),
        "counts": programme.counts(book),
        "series": series,
        "other_series": programme.by_scope(s for s in series if not s.targets),
        "series_names": {s.series_id: s.first for s in series},
        "reached": programme.reached(series),
        "targets_by_plan": programme.targets_by_plan(book),
        "gaps_of": lambda about: [g for g in book.gaps if g.subject_id == about],
        "other_gaps": [g for g in book.gaps if g.subject_id not in subjects | on_programme],
        "reports": programme.reports(book),
        "by_agency": programme.duties_by_agency(book),
        "agency_name": lambda key, words: _name_in(agencies, key, words),
        "unit_name": lambda key, words: _name_in(units, key, words),
        "tables": [_table_told(book, table.name) for table in TABLES],
        "map_files": map_files(book),
        "quarantine": listed_refusals(book.quarantine),
        "table_title": table_title,
        "column_title": column_title,
        "sheet_titles": sheets,
        "duty_reports": programme.duty_reports(book),
        "step_text": lambda step, words: step_text(step, sources, words),
    }


def money_by_kind(record: Record) -> list[tuple[str, list[MoneyEvent]]]:
    """Return a record's money, each of the five kinds apart: they are never added together."""
    groups = [(kind, [m for m in record.money if m.kind == kind]) for kind in MONEY_KINDS]
    return [(kind, events) for kind, events in groups if events]


def _name_in(rows: Mapping[str, Row], key: str, words: Words) -> str:
    return words.of(rows[key], "name") if key in rows else key


def _table_told(book: Book, name: str) -> tuple[object, int, list[str]]:
    licences = {s.source.licence for s in book.sources if s.source.table == name}
    return TABLE[name], book.counts[name], sorted(licences)
