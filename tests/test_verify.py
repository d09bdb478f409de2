"""The built site's last examination: each fault is found, all are told, a sound site passes."""

import json
import random
from pathlib import Path

import pytest

from atlas.verify import (
    FIRST_VIEW_BYTES,
    LAYER_BYTES,
    PAGE_BYTES,
    SHOWN_FAULTS,
    first_view_bytes,
    read_page,
    verify_site,
)
from geodata.errors import PublishRefusedError

ROWS = {"places": 1, "routes": 2}
PAGE = """<!doctype html>
<html lang="vi"><head><title>Trang</title><meta charset="utf-8">
<link rel="stylesheet" href="{up}assets/site.css">{head}</head>
<body><h1 id="top">Trang</h1><p id="hết">Hậu Giang</p>
<a href="#top">Lên đầu trang</a> <a href="{up}index.html">Trang chủ</a>
<a href="{up}data/places.geojson">GeoJSON</a> <a href="{up}status.json">Trạng thái</a>
<a href="https://elsewhere.example/?a=1#b">Nguồn</a> <a href="mailto:a@b.example">Thư</a>
<img src="{up}assets/logo.svg" alt=""><img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" alt="">
<script src="{up}assets/map.js"></script>
{body}</body></html>
"""


def write(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def page(out: Path, name: str, body: str = "", head: str = "") -> Path:
    up = "../" * name.count("/")
    return write(out / name, PAGE.format(up=up, body=body, head=head))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A sound little site in both languages."""
    page(tmp_path, "index.html")
    for language in ("vi", "en"):
        for name in ("map", "places/kcn-a", "routes/r-1", "routes/r-2"):
            page(tmp_path, f"{language}/{name}/index.html")
    write(tmp_path / "assets" / "site.css", "body { background: url('logo.svg') }")
    write(tmp_path / "assets" / "logo.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>")
    write(tmp_path / "assets" / "map.js", "'use strict';")
    for table, count in ROWS.items():
        told = {"type": "FeatureCollection", "features": [None] * count}
        write(tmp_path / "data" / f"{table}.geojson", json.dumps(told))
    return tmp_path


def faults(out: Path, rows: dict[str, int] = ROWS) -> list[str]:
    try:
        verify_site(out, rows)
    except PublishRefusedError as error:
        return str(error).split("\n  ")[1:]
    return []


def test_a_sound_site_passes_with_its_number_of_pages(out: Path) -> None:
    assert verify_site(out, ROWS) == 9


def test_a_sound_site_passes_through_a_link_to_it_and_from_within(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = out.parent / f"{out.name}-link"
    link.symlink_to(out)
    assert verify_site(link, ROWS) == 9
    monkeypatch.chdir(out)
    assert verify_site(Path(), ROWS) == 9


@pytest.mark.parametrize(
    "body",
    [
        '<a href="">Đây</a>',
        '<a href="../places/kcn-a/">Thư mục</a>',
        '<a href="../places/kcn-a/index.html?x=1#h%E1%BA%BFt">Chữ có dấu</a>',
        '<a href="#hết">Chữ có dấu</a>',
        '<a href="//elsewhere.example/x">Nguồn</a>',
        "<script></script><style> </style>",
        '<script type="application/ld+json">{"name": "\\u003cb\\u003e"}</script>',
        '<svg><use href="#top"></use></svg>',
        '<link rel="canonical" href="https://atlas.example/vi/map/index.html">',
    ],
)
def test_what_is_sound_is_no_fault(out: Path, body: str) -> None:
    page(out, "vi/map/index.html", body)
    assert faults(out) == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('<a href="../nowhere/index.html">x</a>', "leads nowhere"),
        ('<a href="../../data/">x</a>', "leads nowhere"),
        ('<img src="missing.png">', "leads nowhere"),
        ('<noscript><img src="missing.png"></noscript>', "leads nowhere"),
        ('<svg><FEIMAGE href="missing.png"></FEIMAGE></svg>', "leads nowhere"),
        ('<template><img src="missing.png"></template>', "nobody has looked at"),
        ('<a href="../../../outside.html">x</a>', "leaves the site"),
        ('<a href="/etc/passwd">x</a>', "leaves the site"),
        ('<a href="%2e%2e/../../../x">x</a>', "leaves the site"),
        ('<a href="#nothing">x</a>', "names no part"),
        ('<a href="../places/kcn-a/index.html#nothing">x</a>', "names no part"),
        ('<a href="../places/kcn-a/#nothing">x</a>', "names no part"),
        ('<svg><use href="#nothing"></use></svg>', "names no part"),
        ('<script src="https://cdn.example/x.js"></script>', "from another host"),
        ('<script src="//cdn.example/x.js"></script>', "from another host"),
        ('<img src="http://cdn.example/x.png">', "from another host"),
        ('<img src="HTTPS://cdn.example/x.png">', "from another host"),
        ('<link rel="stylesheet" href="https://cdn.example/x.css">', "from another host"),
        ('<link rel="Shortcut Icon" href="https://cdn.example/x.ico">', "from another host"),
        ('<link rel="preconnect" href="https://cdn.example">', "from another host"),
        ('<iframe src="https://maps.example/"></iframe>', "from another host"),
        ('<form action="https://evil.example/"></form>', "from another host"),
        ('<form action="javascript:alert(1)"></form>', "from another host"),
        ('<video poster="https://cdn.example/x.png"></video>', "from another host"),
        ('<object data="https://cdn.example/x.swf"></object>', "from another host"),
        ('<a href="../map/index.html" ping="https://spy.example/">x</a>', "from another host"),
        ('<svg><image href="https://cdn.example/x.png"/></svg>', "from another host"),
        ('<svg><image xlink:href="https://cdn.example/x.png"/></svg>', "from another host"),
        ('<svg><use href="https://cdn.example/x.svg#a"/></svg>', "from another host"),
        ('<img src="http://[broken/x.png">', "from another host"),
        ('<img srcset="https://cdn.example/x.png 2x">', "from another host"),
        ("<script>alert(1)</script>", "<script> with text in the page"),
        ('<script type="module">import "x"</script>', "<script> with text in the page"),
        ('<script type="application/ld+json">{"a": "<b>"}</script>', "could end its script"),
        ('<script type="application/ld+json">alert(1)</script>', "is no JSON"),
        ('<script type="application/ld+json" id="a">{}</script>', "with text in the page"),
        ('<script type="text/javascript;application/ld+json">1</script>', "with text in the page"),
        ("<style>body { color: red }</style>", "<style> with text in the page"),
        ('<p style="color: red">x</p>', "<p style> runs or styles in line"),
        ('<P STYLE="color: red">x</P>', "<p style> runs or styles in line"),
        ('<img src="data:," onerror="alert(1)">', "<img onerror> runs or styles in line"),
        ("<svg onload=alert(1)>", "<svg onload> runs or styles in line"),
        ('<iframe srcdoc="<script>1</script>"></iframe>', "<iframe srcdoc> runs"),
        ('<a href="javascript:alert(1)">x</a>', "links to javascript:alert(1)"),
        ('<a href=" JaVaScRiPt:alert(1)">x</a>', "links to"),
        ('<a href="java&#10;script:alert(1)">x</a>', "links to"),
        ('<a href="vbscript:x">x</a>', "links to vbscript:x"),
        ('<a href="data:text/html,<script>1</script>">x</a>', "links to data:"),
        ('<a href="file:///etc/passwd">x</a>', "links to file:"),
        ('<a href="http://[broken">x</a>', "links to http://[broken"),
        ("<h1>Hai</h1>", "exactly one h1"),
        ('<p id="top">x</p>', "id 'top' stands twice"),
    ],
)
def test_each_fault_of_a_page_is_found_and_names_the_page(
    out: Path, body: str, expected: str
) -> None:
    page(out, "vi/map/index.html", body)
    told = faults(out)
    assert len(told) == 1, told
    assert expected in told[0]
    assert "vi/map/index.html: " in told[0]


FIND = """globalThis.ATLAS_FIND = {"choices": {"schedule": [["late", "Quá hạn"]]},
"records": {"kcn-a": {}}, "routes": []};
"""
MAP = '<div data-later="../../assets/find-vi-0.js"></div>'


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        ("v=1&amp;schedule=late&amp;id=kcn-a", []),
        ("top", []),
        ("v=1&amp;schedule=met", ["asks for schedule=met"]),
        ("v=1&amp;state=late", ["asks for 'state'"]),
        ("v=1&amp;id=kcn-z", ["asks for id=kcn-z"]),
        ("nothing", ["names no part"]),
    ],
)
def test_a_link_into_the_map_asks_for_what_that_map_has(
    out: Path, view: str, expected: list[str]
) -> None:
    write(out / "assets" / "find-vi-0.js", FIND)
    page(out, "vi/map/index.html", MAP)
    page(out, "vi/places/kcn-a/index.html", f'<a href="../../map/index.html#{view}">x</a>')
    told = faults(out)
    assert len(told) == len(expected)
    assert all(text in fault for text, fault in zip(expected, told, strict=True))


def test_a_view_of_a_page_that_is_no_map_is_a_fault(out: Path) -> None:
    page(out, "vi/places/kcn-a/index.html", '<a href="../../map/index.html#v=1">x</a>')
    (told,) = faults(out)
    assert "names no part" in told


def test_what_a_map_loads_later_must_be_there(out: Path) -> None:
    page(out, "vi/map/index.html", MAP)
    (told,) = faults(out)
    assert "find-vi-0.js leads nowhere" in told


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ('lang="vi"', ""),
        ('lang="vi"', 'lang=""'),
        ("<title>Trang</title>", ""),
        ('<h1 id="top">Trang</h1>', '<p id="top">Trang</p>'),
    ],
)
def test_a_page_needs_a_language_a_title_and_a_heading(out: Path, was: str, becomes: str) -> None:
    path = out / "vi" / "map" / "index.html"
    write(path, path.read_text(encoding="utf-8").replace(was, becomes))
    assert faults(out) == ["vi/map/index.html: needs a lang, a title and exactly one h1"]


@pytest.mark.parametrize("content", ["", "\x00", "<", "<html", "xin chào"])
def test_a_torn_page_is_a_fault_and_not_a_crash(out: Path, content: str) -> None:
    write(out / "index.html", content)
    assert any("needs a lang" in told for told in faults(out))


@pytest.mark.parametrize(
    "style",
    [
        "body { background: url(https://cdn.example/x.png) }",
        "body { background: url( 'https://cdn.example/x.png' ) }",
        "body { background: URL(//cdn.example/x.png) }",
        '@import "https://cdn.example/x.css";',
        "@import url(https://cdn.example/x.css);",
        '@import url("https://cdn.example/x.css") screen;',
        "@font-face { src: url(missing.woff2) }",
        "body { background: url(../../outside.png) }",
        "body { background: url(/etc/hostname) }",
    ],
)
def test_a_style_that_loads_what_the_site_does_not_serve_is_found(out: Path, style: str) -> None:
    write(out.parent / "outside.png", "not ours")
    write(out / "assets" / "site.css", style)
    told = faults(out)
    assert len(told) == 1, told
    assert "site.css: " in told[0]
    assert "is not served from the site" in told[0]


@pytest.mark.parametrize(
    "style",
    [
        "",
        "a { b: url(data:image/png;base64,AAAA) }",
        "a{b:url(logo.svg)}",
        '@import "logo.svg";',
        '@import url("logo.svg") screen;',
    ],
)
def test_a_style_that_loads_its_own_is_sound(out: Path, style: str) -> None:
    write(out / "assets" / "site.css", style)
    assert faults(out) == []


@pytest.mark.parametrize(("there", "missing"), [("vi", "en"), ("en", "vi")])
def test_a_page_without_its_twin_is_found(out: Path, there: str, missing: str) -> None:
    (out / missing / "map" / "index.html").unlink()
    assert faults(out) == [f"{there}/map/index.html: has no page in the other language"]


@pytest.mark.parametrize("rows", [{"places": 2}, {"places": 0}, {"places": 1, "routes": 3}])
def test_a_count_that_differs_from_the_tables_is_found(out: Path, rows: dict[str, int]) -> None:
    (told,) = faults(out, rows)
    assert "features" in told
    assert "vi pages" in told


def test_a_feature_or_a_page_that_is_lost_is_found(out: Path) -> None:
    write(out / "data" / "routes.geojson", '{"features": [1]}')
    assert faults(out) == ["routes: 2 rows, 1 features, 2 vi pages, 2 en pages"]


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"features": null}', "{}"])
def test_a_layer_that_cannot_be_read_is_a_fault(out: Path, content: str | None) -> None:
    path = out / "data" / "routes.geojson"
    path.unlink()
    told = []
    if content is not None:
        write(path, content)
    told = [one for one in faults(out) if "leads nowhere" not in one]
    assert len(told) == 1
    assert "routes: its layer cannot be read" in told[0]


def test_pages_and_layers_over_budget_are_found(out: Path) -> None:
    page(out, "index.html", "x" * PAGE_BYTES)
    write(out / "data" / "big.geojson", "x" * (LAYER_BYTES + 1))
    page_fault, layer_fault = faults(out)
    assert f"index.html: {(out / 'index.html').stat().st_size} bytes" in page_fault
    assert f"big.geojson: {LAYER_BYTES + 1} bytes, at most {LAYER_BYTES}" in layer_fault


def test_a_layer_of_just_the_budget_passes(out: Path) -> None:
    write(out / "data" / "big.geojson", "x" * LAYER_BYTES)
    assert faults(out) == []


def test_a_first_view_over_budget_is_found(out: Path) -> None:
    noise = random.Random(1).randbytes(FIRST_VIEW_BYTES)
    (out / "assets" / "map.js").write_bytes(noise)
    told = faults(out)
    assert [one.partition(":")[0] for one in told] == ["en/map/index.html", "vi/map/index.html"]
    assert "bytes gzipped in the first view" in told[0]


def test_the_first_view_counts_each_file_once_and_none_that_is_in_the_page(out: Path) -> None:
    path = page(out, "vi/map/index.html")
    before = first_view_bytes(path)
    twice = page(out, "vi/map/index.html", '<img src="../../assets/logo.svg?again">')
    assert first_view_bytes(twice) < before + 40
    more = page(out, "vi/map/index.html", '<img src="../../assets/new.svg">')
    write(out / "assets" / "new.svg", "".join(map(str, range(2_000))))
    assert first_view_bytes(more) > before + 1_000


def test_all_faults_are_told_at_once_and_a_flood_is_cut_short(out: Path) -> None:
    links = "".join(f'<a href="x{n}.html">x</a>' for n in range(SHOWN_FAULTS + 5))
    page(out, "vi/map/index.html", links)
    told = faults(out)
    assert len(told) == SHOWN_FAULTS + 1
    assert told[-1] == "and 5 more"
    some = "".join(f'<a href="x{n}.html">x</a>' for n in range(3))
    page(out, "vi/map/index.html", some + "<h1>Hai</h1>")
    assert len(faults(out)) == 4


def test_a_page_tells_what_it_links_to_and_loads(out: Path) -> None:
    told = read_page(page(out, "vi/map/index.html"))
    assert told.lang == "vi"
    assert "../../assets/map.js" in told.loads
    assert "../../assets/map.js" not in told.links
    assert "#top" in told.links
    assert told.ids == ["top", "hết"]


@pytest.mark.parametrize("home", ["/", "/hau-giang/"])
def test_the_page_shown_at_any_depth_names_its_files_from_the_host_s_root(
    out: Path, home: str
) -> None:
    whole = PAGE.format(up=home, body="", head="")
    write(out / "404.html", whole)
    assert verify_site(out, ROWS, home) == 10
    write(out / "404.html", whole.replace(f'"{home}assets/map.js', '"assets/map.js'))
    with pytest.raises(PublishRefusedError, match=r"404.html: assets/map.js depends on where"):
        verify_site(out, ROWS, home)
