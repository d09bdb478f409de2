import re

import pytest

from atlas.assets import AssetError, Assets


def test_a_missing_file_of_ours_is_to_be_restored(tmp_path):
    with pytest.raises(AssetError, match="restore the file"):
        Assets(tmp_path, tmp_path / "out").path("styles/site.css")


def test_a_copy_is_named_after_its_content_and_made_once(tmp_path):
    (tmp_path / "styles").mkdir()
    (tmp_path / "styles" / "a.css").write_text("a { color: red }", encoding="utf-8")
    assets = Assets(tmp_path, tmp_path / "out")
    path = assets.path("styles/a.css")
    assert re.fullmatch(r"assets/a-[0-9a-f]{10}\.css", path)
    assert assets.path("styles/a.css") == path
    assert (tmp_path / "out" / path).read_text(encoding="utf-8") == "a { color: red }"


def test_what_a_style_asks_for_is_copied_too(tmp_path):
    (tmp_path / "a.css").write_text(
        "a { background: url(img/b.png) } b { behavior: url(#default#VML); top: 0 }"
        " c { background: url(data:image/png;base64,AA) }",
        encoding="utf-8",
    )
    (tmp_path / "img").mkdir()
    (tmp_path / "img" / "b.png").write_bytes(b"png")
    out = tmp_path / "out"
    written = (out / Assets(tmp_path, out).path("a.css")).read_text(encoding="utf-8")
    (copy,) = (out / "assets").glob("b-*.png")
    assert f'url("{copy.name}")' in written
    assert "behavior" not in written and "url(data:image/png;base64,AA)" in written


def test_a_source_map_that_is_not_served_is_not_named(tmp_path):
    (tmp_path / "a.js").write_bytes(b"var a;\n//# sourceMappingURL=a.js.map")
    out = tmp_path / "out"
    assert (out / Assets(tmp_path, out).path("a.js")).read_bytes() == b"var a;\n"


def test_licences_are_named_after_their_package(tmp_path):
    (tmp_path / "leaflet").mkdir()
    (tmp_path / "leaflet" / "LICENSE").write_text("BSD", encoding="utf-8")
    path = Assets(tmp_path, tmp_path / "out").path("leaflet/LICENSE")
    assert path.startswith("assets/leaflet-licence-") and path.endswith(".txt")
