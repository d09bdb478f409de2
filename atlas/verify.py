"""Is the built site sound? Links, requests, languages, counts and weights, all faults at once."""

import gzip
import json
import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from selectolax.lexbor import LexborHTMLParser

from atlas.views import Known, read_known, view_faults
from geodata.errors import PublishRefusedError

PAGE_BYTES = 2_000_000
LAYER_BYTES = 2_000_000
FIRST_VIEW_BYTES = 150_000
SHOWN_FAULTS = 20
LOADED = {"src", "srcset", "data", "poster", "action", "formaction", "background", "ping"}
LOADING_LINKS = {
    *("stylesheet", "preload", "icon", "modulepreload", "manifest", "prefetch", "preconnect"),
    *("dns-prefetch", "prerender", "apple-touch-icon"),
}
LOADING_SHAPES = {"image", "use", "feimage"}
INLINE = ("script", "style", "template")
LATER_FILES = ("status.json", "status.md")
ANYWHERE = "404.html"
"""The page that a host shows at any depth: its addresses begin at the host's root."""

DATA_SCRIPT = {"type": "application/ld+json"}
"""The one script with text that a page may hold: a browser never runs it."""

FIND_SCRIPT = re.compile(r"find-[a-z]+-\w+\.js")
"""The script that hands a map its filters: what a view may ask for stands in it."""

CSS_URL = re.compile(r"(?:url\(\s*|@import\s+(?!url))['\"]?([^'\")\s;]+)", re.IGNORECASE)


@dataclass
class Page:
    """What one page links to, loads at once and later, and declares.

    ``views`` is what links may ask of it, where it is a map.
    """

    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    tags: dict[str, int] = field(default_factory=dict)
    later: list[str] = field(default_factory=list)
    lang: str = ""
    views: Known | None = None

    def start_from(self, home: str) -> None:
        """Read the page's own addresses, which begin with ``home``, as from the site's root."""
        for addresses in (self.links, self.loads):
            own = [a for a in addresses if not _scheme(a) and not a.startswith(("//", "#"))]
            strange = [a for a in own if not a.startswith(home)]
            self.faults += [f"{a} depends on where the page is shown" for a in strange]
            addresses[:] = [a.removeprefix(home) if a in own else a for a in addresses]

    def note(self, tag: str, told: Mapping[str, str], text: str) -> None:
        """Note what an element links to, loads or should not have; ``text`` is a script's."""
        self.tags[tag] = self.tags.get(tag, 0) + 1
        for name, value in told.items():
            if name == "id":
                self.ids.append(value)
            elif name in LOADED:
                self.loads.append(value)
            elif name == "data-later":
                self.later += value.split()
            elif name in ("style", "srcdoc") or name.startswith("on"):
                self.faults.append(f"<{tag} {name}> runs or styles in line")
        if tag == "html":
            self.lang = told.get("lang", "")
        elif tag in INLINE:
            self.faults += _inline_faults(tag, told, text)
        self._note_address(tag, told)

    def _note_address(self, tag: str, told: Mapping[str, str]) -> None:
        if tag == "link" and set(told.get("rel", "").lower().split()) & LOADING_LINKS:
            self.loads.append(told.get("href", ""))
        elif tag in LOADING_SHAPES:
            self.loads += [told[name] for name in ("href", "xlink:href") if name in told]
        elif "href" in told:
            self.links.append(told["href"])


def _inline_faults(tag: str, told: Mapping[str, str], text: str) -> Iterator[str]:
    """A script or style with text in the page is a fault, unless it is sound JSON-LD."""
    if tag == "template":
        yield "<template> holds what nobody has looked at"
    elif tag == "script" and told == DATA_SCRIPT:
        yield from (f"JSON-LD {fault}" for fault in _data_faults(text))
    elif text.strip() and "src" not in told:
        yield f"<{tag}> with text in the page"


def _data_faults(text: str) -> Iterator[str]:
    if set(text) & set("<>&"):
        yield "holds a sign that could end its script"
    try:
        json.loads(text)
    except ValueError:
        yield "is no JSON"


def read_page(path: Path) -> Page:
    """Parse one page, as a browser would."""
    page = Page()
    root = LexborHTMLParser(path.read_text(encoding="utf-8")).root
    for node in root.traverse() if root else ():
        tag = (node.tag or "").lower()
        told = {name: value or "" for name, value in node.attributes.items()}
        page.note(tag, told, node.text() if tag in INLINE else "")
    page.views = _views(path, page)
    return page


def _views(path: Path, page: Page) -> Known | None:
    for address in page.later:
        script = path.parent / unquote(address)
        if FIND_SCRIPT.match(script.name) and script.is_file():
            return read_known(script.read_text(encoding="utf-8"))
    return None


@dataclass(frozen=True)
class Site:
    """What there is below the root of a built site: its files, and its pages parsed, by name."""

    out: Path
    files: frozenset[str]
    pages: Mapping[str, Page]

    def target(self, page: str, address: str) -> tuple[str, str]:
        """Return the file that an address leads to from a page, and its fragment.

        A name that begins with ``..`` is outside of the site.
        """
        parts = urlsplit(address)
        path = unquote(parts.path)
        name = posixpath.normpath(posixpath.join(posixpath.dirname(page), path)) if path else page
        folder = "" if name == "." else f"{name}/"
        is_folder = name not in self.files and f"{folder}index.html" in self.files
        return (f"{folder}index.html" if is_folder else name), parts.fragment


def read_site(out: Path) -> Site:
    """List and parse the site below ``out``."""
    paths = [p for p in sorted(out.rglob("*")) if p.is_file()]
    files = {p.relative_to(out).as_posix(): p for p in paths}
    pages = {name: read_page(path) for name, path in files.items() if name.endswith(".html")}
    return Site(out, frozenset(files), pages)


def verify_site(out: Path, rows: Mapping[str, int], home: str = "/") -> int:
    """Return how many pages the built site below ``out`` has, all of them sound.

    ``rows`` counts the published places and routes; ``home`` is the path of the site's root on
    its host. PublishRefusedError lists what is wrong.
    """
    site = read_site(out)
    if ANYWHERE in site.pages:
        site.pages[ANYWHERE].start_from(home)
    faults = [fault for name in site.pages for fault in _page_faults(site, name)]
    faults += [*_style_faults(out), *_twin_faults(site), *_count_faults(out, rows)]
    faults += _weight_faults(out)
    if faults:
        more = len(faults) - SHOWN_FAULTS
        shown = faults[:SHOWN_FAULTS] + ([f"and {more} more"] if more > 0 else [])
        raise PublishRefusedError("the built site is not sound:\n  " + "\n  ".join(shown))
    return len(site.pages)


def _page_faults(site: Site, name: str) -> Iterator[str]:
    page = site.pages[name]
    yield from (f"{name}: {fault}" for fault in page.faults)
    if not page.lang or page.tags.get("title", 0) < 1 or page.tags.get("h1", 0) != 1:
        yield f"{name}: needs a lang, a title and exactly one h1"
    for twice, count in Counter(page.ids).items():
        if count > 1:
            yield f"{name}: id {twice!r} stands twice"
    for address in (*page.loads, *page.later):
        yield from _load_fault(site, name, address)
    for address in page.links:
        yield from _link_fault(site, name, address)


def _load_fault(site: Site, name: str, address: str) -> Iterator[str]:
    if _scheme(address) not in ("", "data") or address.startswith("//"):
        yield f"{name}: loads {address} from another host"
    elif not address.startswith("data:"):
        yield from _target_fault(site, name, address)


def _link_fault(site: Site, name: str, address: str) -> Iterator[str]:
    scheme = _scheme(address)
    if scheme not in ("", "http", "https", "mailto"):
        yield f"{name}: links to {address[:60]}"
    elif not scheme and not address.startswith("//"):
        yield from _target_fault(site, name, address)


def _scheme(address: str) -> str:
    try:
        return urlsplit(address).scheme
    except ValueError:
        return "no address"


def _target_fault(site: Site, name: str, address: str) -> Iterator[str]:
    target, fragment = site.target(name, address)
    if target.startswith(("../", "/")) or target == "..":
        yield f"{name}: {address} leaves the site"
    elif target not in site.files:
        if posixpath.basename(target) not in LATER_FILES:
            yield f"{name}: {address} leads nowhere"
    elif fragment and target in site.pages:
        faults = _part_faults(fragment, site.pages[target])
        yield from (f"{name}: {address} {fault}" for fault in faults)


def _part_faults(fragment: str, page: Page) -> Iterator[str]:
    """A fragment names a part of its page or, where that is a map, asks for a view of it."""
    if unquote(fragment) in page.ids:
        return
    if page.views is not None and "=" in fragment:
        yield from view_faults(fragment, page.views)
    else:
        yield "names no part of that page"


def _style_faults(out: Path) -> Iterator[str]:
    for path in sorted(out.rglob("*.css")):
        for address in CSS_URL.findall(path.read_text(encoding="utf-8")):
            if address.startswith("data:"):
                continue
            target = (path.parent / address).resolve()
            if not target.is_relative_to(out.resolve()) or not target.is_file():
                yield f"{path.name}: {address} is not served from the site"


def _twin_faults(site: Site) -> Iterator[str]:
    names = site.pages.keys()
    for name in names:
        language, _, rest = name.partition("/")
        twin = {"vi": "en", "en": "vi"}.get(language)
        if twin and f"{twin}/{rest}" not in names:
            yield f"{name}: has no page in the other language"


def _count_faults(out: Path, rows: Mapping[str, int]) -> Iterator[str]:
    for table, count in rows.items():
        try:
            told = json.loads((out / "data" / f"{table}.geojson").read_text(encoding="utf-8"))
            features = len(told["features"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            yield f"{table}: its layer cannot be read ({type(error).__name__})"
            continue
        counts = {
            "rows": count,
            "features": features,
            "vi pages": len(list((out / "vi" / table).glob("*/index.html"))),
            "en pages": len(list((out / "en" / table).glob("*/index.html"))),
        }
        if len(set(counts.values())) > 1:
            yield f"{table}: " + ", ".join(f"{n} {what}" for what, n in counts.items())


def _weight_faults(out: Path) -> Iterator[str]:
    for pattern, limit in (("*.html", PAGE_BYTES), ("*.geojson", LAYER_BYTES)):
        for path in sorted(out.rglob(pattern)):
            if path.stat().st_size > limit:
                yield f"{path.relative_to(out)}: {path.stat().st_size} bytes, at most {limit}"
    for path in sorted(out.glob("*/map/index.html")):
        weight = first_view_bytes(path)
        if weight > FIRST_VIEW_BYTES:
            yield f"{path.relative_to(out)}: {weight} bytes gzipped in the first view"


def first_view_bytes(path: Path) -> int:
    """Gzipped bytes of a page and of everything that it loads itself.

    Fonts, which a browser takes only where a style uses them, are counted in the browser tests.
    """
    addresses = [a for a in read_page(path).loads if not _scheme(a)]
    loaded = {(path.parent / unquote(urlsplit(a).path)).resolve() for a in addresses}
    loaded.add(path.resolve())
    return sum(len(gzip.compress(p.read_bytes(), 6)) for p in loaded if p.is_file())
