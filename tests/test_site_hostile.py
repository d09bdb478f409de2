"""Hostile text in every field: the site runs nothing and shows it as text, click by click."""

import csv
import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from atlas.compare import FORMULA_STARTS
from atlas.pages import write_site
from browsing import served
from builds import PROJECT, SOURCES, run_atlas
from geodata.schema import TABLES
from hostile import CLEAN, HOSTILE, hostile_book

SITE = PROJECT / "site"
LANGUAGES = ("vi", "en")
IDS = "kcn-a,log-b,exp-d"
OPENED = f"#v=1&shortlist={IDS}&compare={IDS}&colour=schedule&id=kcn-a&route=exp-d"
READY = "html[data-browse-ready=true]"
NAMED = ("developer", "investor", "owner", "sectors")
"""Measures whose values are text."""

CRAWL = """async () => {
  globalThis.print = () => {};
  const tick = () => new Promise(done => setTimeout(done, 0));
  const seen = new Set();
  const name = e => `${e.tagName} ${e.id} ${e.dataset.id || ''} ${e.name || ''} ${e.value || ''}`
    + ` ${(e.textContent || e.ariaLabel || '').slice(0, 60)} ${e.getAttribute('href') || ''}`;
  const stays = e => e.tagName !== 'A' || e.getAttribute('href').startsWith('#')
    || (e.dataset.id && document.getElementById('map-page'));
  const set = async (e, value) => {
    e.value = value;
    e.dispatchEvent(new Event('input', {bubbles: true}));
    e.dispatchEvent(new Event('change', {bubbles: true}));
    await tick();
  };
  const use = async e => {
    e.focus();
    ['mouseover', 'mouseenter'].forEach(n => e.dispatchEvent(new MouseEvent(n, {bubbles: true})));
    if (e.tagName === 'SELECT') {
      for (const one of [...e.options].reverse()) { await set(e, one.value); }
    } else if (['text', 'number', 'range', 'search'].includes(e.type) && !e.readOnly) {
      const told = e.type === 'text' ? ['script', '=', ''] : ['1', '0'];
      for (const text of told) { await set(e, text); }
    } else {
      e.dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}));
    }
    await tick();
  };
  for (let round = 0; round < 6; round += 1) {
    const all = [...document.querySelectorAll(
      'a[href], button, summary, input, select, textarea, [role=button], [role=option]')];
    const fresh = all.filter(e => !seen.has(name(e)) && !e.disabled && stays(e));
    if (!fresh.length) { break; }
    for (const e of fresh) {
      seen.add(name(e));
      if (e.isConnected) { await use(e); }
    }
  }
  return [...seen];
}"""
"""Uses every control that is there or comes, until none is new."""


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    write_site(hostile_book(), folder, SITE)
    return folder


@pytest.fixture(scope="module")
def site(out: Path) -> Iterator[str]:
    with served(out) as address:
        yield address


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Open pages without the protection of the policy: not even that is needed."""
    made = browser.new_context(viewport={"width": 1280, "height": 800}, bypass_csp=True)
    yield made
    made.close()


def test_every_field_of_free_text_is_hostile() -> None:
    tables = hostile_book().tables
    tame = [
        f"{table.name}.{column.name}"
        for table in TABLES
        for column in table.columns[1:]
        if column.kind in ("text", "list") and len(tables[table.name])
        if not (column.enum or column.pattern or column.references)
        if column.name not in ("value", "scope", "period")
        if not (tables[table.name][column.name] == HOSTILE).all()
    ]
    assert tame == []
    assert HOSTILE.startswith(FORMULA_STARTS)


def pages_of(out: Path) -> list[str]:
    return sorted(p.relative_to(out).as_posix() for p in out.rglob("*.html"))


def ran_nothing(page: Page) -> None:
    assert page.evaluate("globalThis.ran") is None
    made = "[onerror], [src='x'], script:not([src]):not([type='application/ld+json'])"
    assert page.locator(made).count() == 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_hostile_text_runs_nothing_on_any_page_click_by_click(
    context: BrowserContext, site: str, out: Path, language: str
) -> None:
    page = context.new_page()
    page.on("dialog", lambda d: pytest.fail(d.message))
    shows = set()
    for name in pages_of(out):
        if not name.startswith(f"{language}/") or "/map/" in name:
            continue
        page.goto(f"{site}{name}")
        assert page.evaluate(CRAWL)
        ran_nothing(page)
        if "<script>globalThis.ran=1</script>${globalThis.ran=2}" in page.inner_text("main"):
            shows.add(name.split("/")[1])
    kinds = {"table", "track", "programme", "duties", "changes", "sources", "status", "places"}
    assert shows >= kinds | {"routes", "data"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("view", ["", OPENED, "?embed=1#kcn-a"], ids=["plain", "opened", "embed"])
def test_hostile_text_runs_nothing_on_the_map_click_by_click(
    context: BrowserContext, site: str, language: str, view: str
) -> None:
    page = context.new_page()
    page.on("dialog", lambda d: pytest.fail(d.message))
    page.goto(f"{site}{language}/map/index.html{view}")
    page.wait_for_selector("html[data-map-ready=true]")
    page.evaluate("Atlas.page.later()")
    page.wait_for_selector(READY)
    used = page.evaluate(CRAWL)
    ran_nothing(page)
    if view != OPENED:
        return
    for control in ("INPUT search", "BUTTON save-csv", "BUTTON compare-print", "SELECT sort"):
        assert any(one.startswith(control) for one in used), control
    assert any(one.startswith("DIV") and "kcn-a" in one for one in used)  # the sign itself


def test_what_is_carried_away_of_hostile_text_starts_no_formula(
    context: BrowserContext, site: str
) -> None:
    page = context.new_page()
    page.goto(f"{site}vi/map/index.html{OPENED}")
    page.wait_for_selector(READY)
    with page.expect_download() as caught:
        page.locator("#save-csv").click()
    text = Path(caught.value.path()).read_text(encoding="utf-8-sig")
    rows = list(csv.reader(text.splitlines()))
    assert len(rows) > 1
    assert [c for row in rows for c in row if c.startswith(("=", "@", "\t"))] == []
    assert any(c.startswith("'=HYPERLINK") for row in rows for c in row)
    with page.expect_download() as caught:
        page.locator("#save-geojson").click()
    layer = json.loads(Path(caught.value.path()).read_text(encoding="utf-8"))
    assert layer["features"][0]["properties"]["name_vi"].startswith("=HYPERLINK")


def poisoned(folder: Path) -> Path:
    """Return a copy of the real sources with hostile text in every field of free text.

    The first zone also holds hidden signs, which the checks refuse.
    """
    sources = Path(shutil.copytree(SOURCES, folder / "sources"))
    free = {
        table.name: {
            c.name: CLEAN.replace(";", ",") if c.kind == "list" else CLEAN
            for c in table.columns[1:]
            if c.kind in ("text", "list") and not (c.enum or c.pattern or c.references)
            if c.name not in ("value", "unit", "clause", "period", "scope")
        }
        for table in TABLES
    }
    for settings in sources.glob("*/source.toml"):
        told = settings.read_text(encoding="utf-8")
        raw, table = settings.with_name("raw.csv"), re.search(r'^table = "(\w+)"', told, re.M)
        if table is None or not raw.is_file() or table[1] not in free:
            continue
        with raw.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            row.update({k: text for k, text in free[table[1]].items() if row.get(k)})
            if row.get("measure") in NAMED and "value" in row:
                row["value"] = CLEAN
        if settings.parent.name == "atlas_zones":
            rows[0]["name_vi"] = HOSTILE
        with raw.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        digest = hashlib.sha256(raw.read_bytes()).hexdigest()
        told = re.sub(r'(?m)^sha256 = "\w+"', f'sha256 = "{digest}"', told)
        settings.write_text(told, encoding="utf-8")
    return sources


def test_hostile_sources_become_text_or_quarantine_through_the_whole_run(
    context: BrowserContext, prefect: dict[str, str], tmp_path: Path
) -> None:
    asked = ("--out", tmp_path, "--offline", "--sources", poisoned(tmp_path))
    done = run_atlas("refresh", *asked, env=prefect)
    assert done.returncode == 0, done.stdout + done.stderr
    public = tmp_path / "public"
    quarantined = (public / "data" / "quarantine.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.reader(quarantined.splitlines()))
    assert any("HYPERLINK" in cell for row in rows for cell in row)
    assert [c for row in rows for c in row if c.startswith(FORMULA_STARTS)] == []
    with served(public) as site:
        page = context.new_page()
        page.on("dialog", lambda d: pytest.fail(d.message))
        for name in ("places/kcn-song-hau-2", "routes/exp-cd-ct-st", "table", "status", "sources"):
            page.goto(f"{site}vi/{name}/index.html")
            assert "<script>globalThis.ran=1</script>" in page.inner_text("main")
            ran_nothing(page)
        page.goto(f"{site}vi/map/index.html#kcn-song-hau-2")
        page.evaluate("Atlas.page.later()")
        page.wait_for_selector(READY)
        assert "<script>globalThis.ran=1</script>" in page.inner_text("#records")
        page.fill("#search", "hyperlink")
        assert page.locator("#search-list [role=option]").count() > 5
        ran_nothing(page)
