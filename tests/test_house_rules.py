"""What no linter knows."""

import ast
import json
import re
import subprocess
import unicodedata
from pathlib import Path

import pytest

from geodata.catalog import SOURCES

PROJECT = Path(__file__).resolve().parents[1]
PACKAGES = ("geodata", "atlas", "flows")

MODULE_LINES = 400
TOP = "/"
"""Said apart, so that no text of ours, this one too, holds a path of a machine."""
DECLARATIONS = {"geodata/schema.py"}
"""A list of columns, one after the other: to split it would say each table in two places."""

KEPT_BYTES = 500_000
HOME_PATH = re.compile(
    r"(?<![\w.:/<-])(?:/(?:home|Users|root|work|tmp|mnt|srv|private)/\w|~/\w|[A-Za-z]:\\+Users)"
)
CLOCKS = {"now", "today", "utcnow", "localtime", "gmtime", "time", "time_ns"}
CLOCK_OWNERS = {"date", "datetime", "time", "Timestamp"}
REGISTRIES = re.compile(r"pypi|pythonhosted|npmjs|registry|artifact|index-url|resolved|://")
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX)\b(?!.{0,20}#\d)|fill me in|lorem ipsum", re.I)


def tracked() -> list[Path]:
    """The files that git keeps or is about to."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        capture_output=True,
        check=True,
    )
    paths = [PROJECT / name for name in listed.stdout.decode("utf-8").split("\0") if name]
    return [path for path in paths if path.is_file()]


FILES = {path: path.read_bytes() for path in tracked()}
TEXTS = {path: content for path, content in FILES.items() if b"\0" not in content[:8_000]}
MODULES = [path for package in PACKAGES for path in sorted((PROJECT / package).rglob("*.py"))]


def named(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def written_by_us() -> dict[str, str]:
    """Every tracked text but the publishers' own files and this list of what is forbidden."""
    return {
        named(path): content.decode("utf-8")
        for path, content in TEXTS.items()
        if path != Path(__file__) and (path.suffix == ".toml" or SOURCES not in path.parents)
    }


def used(text: str) -> set[str]:
    """Every name, with its dots, that a module looks up or takes from another by name."""
    tree = ast.parse(text)
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Name | ast.Attribute)]
    taken = {
        f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    return {ast.unparse(node) for node in nodes} | taken


def clocks_read(text: str) -> list[str]:
    """Where a module asks what time it is; how long something takes is no such question."""
    told = {name: name.split(".") for name in used(text)}
    return sorted(
        name
        for name, parts in told.items()
        if parts[-1] in CLOCKS
        and len(parts) > 1
        and parts[-2] in CLOCK_OWNERS
        # the type of a time of day, which is no clock
        and name != "datetime.time"
    )


def test_there_is_something_to_look_at() -> None:
    assert len(MODULES) > 30
    assert set(MODULES) <= set(FILES)
    assert {named(path) for path in TEXTS} >= {"pyproject.toml", "Makefile", "site/package.json"}


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_a_module_can_be_read_in_one_sitting(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MODULE_LINES or named(path) in DECLARATIONS


def test_only_a_declaration_is_long() -> None:
    for name in DECLARATIONS:
        nodes = ast.parse((PROJECT / name).read_text(encoding="utf-8")).body
        logic = [n for n in ast.walk(ast.Module(nodes, [])) if isinstance(n, ast.If | ast.For)]
        assert logic == []


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_no_module_prints_or_asks(path: Path) -> None:
    assert not {"print", "input", "breakpoint"} & used(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", [p for p in MODULES if p.parent.name != "flows"], ids=named)
def test_only_flows_look_at_the_clock(path: Path) -> None:
    assert clocks_read(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("date.today()", ["date.today"]),
        ("datetime.datetime.now(tz)", ["datetime.datetime.now"]),
        ("pd.Timestamp.now()", ["pd.Timestamp.now"]),
        ("field(default_factory=date.today)", ["date.today"]),
        ("time.time()", ["time.time"]),
        ("from time import time", ["time.time"]),
        ("time.monotonic() > patience", []),
        ("correction.now", []),
        ("from datetime import date, time", []),
    ],
)
def test_a_look_at_the_clock_is_seen(text: str, found: list[str]) -> None:
    assert clocks_read(text) == found


def test_no_text_names_a_place_on_somebodys_machine() -> None:
    wrong = {
        name: found[0]
        for name, text in written_by_us().items()
        if (found := HOME_PATH.findall(text))
    }
    assert wrong == {}


@pytest.mark.parametrize(
    "text",
    [
        "open('/home/an/data.csv')",
        "see /Users/an/map",
        "C:\\Users\\an",
        f"cd {TOP}root/atlas",
        "~/data",
        f'"{TOP}work/main"',
        "(/tmp/x)",
    ],
)
def test_a_path_on_somebodys_machine_is_seen(text: str) -> None:
    assert HOME_PATH.search(text)


@pytest.mark.parametrize(
    "text", ["https://a.example/home/an", f".{TOP}work/x", "site/tmp/a", f"<{TOP}root>"]
)
def test_a_path_within_the_project_or_an_address_is_not_mistaken(text: str) -> None:
    assert not HOME_PATH.search(text)


def test_every_text_is_utf_8_in_nfc_with_line_feeds() -> None:
    wrong = {}
    for path, content in TEXTS.items():
        text = content.decode("utf-8", errors="replace")
        faults = {
            "not UTF-8": "\ufffd" in text,
            "a byte order mark": text.startswith("\ufeff"),
            "not NFC": not unicodedata.is_normalized("NFC", text),
            "a carriage return": "\r" in text,
            "no last line end": bool(text) and not text.endswith("\n"),
        }
        wrong |= {named(path): [fault for fault, is_true in faults.items() if is_true]}
    assert {name: faults for name, faults in wrong.items() if faults} == {}


def test_large_files_lie_only_among_the_sources() -> None:
    sizes = {named(p): len(kept) for p, kept in FILES.items() if SOURCES not in p.parents}
    assert {name: size for name, size in sizes.items() if size > KEPT_BYTES} == {}


def test_the_site_holds_no_python() -> None:
    site = [path for path in FILES if (PROJECT / "site") in path.parents]
    assert site
    assert [named(p) for p in site if p.suffix in (".py", ".pyi", ".ipynb")] == []


def test_tests_are_flat_and_shadow_no_package() -> None:
    inside = [path for path in FILES if (PROJECT / "tests") in path.parents]
    assert [named(path) for path in inside if path.name == "__init__.py"] == []
    assert [named(p) for p in inside if p.suffix == ".py" and p.parent.name != "tests"] == []


def test_every_module_has_its_docstring_and_no_work_at_import() -> None:
    for path in MODULES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert ast.get_docstring(tree), named(path)
        main = [n for n in tree.body if isinstance(n, ast.If) and "__main__" in ast.unparse(n.test)]
        assert main == [], named(path)


def test_the_readme_lists_every_source_in_its_table() -> None:
    lines = (PROJECT / "README.md").read_text(encoding="utf-8").splitlines()
    listed = {match[1] for line in lines if (match := re.match(r"\| `([a-z0-9_]+)` \|", line))}
    folders = {path.name for path in SOURCES.iterdir() if path.name[0] not in "._"}
    missing = sorted(folders - listed)
    assert not missing, f"add {missing} to the table of sources in README.md"


def test_no_lock_file_knows_a_registry() -> None:
    requirements = (PROJECT / "requirements.lock").read_text(encoding="utf-8")
    assert REGISTRIES.findall(requirements) == []
    assert "--hash=sha256:" in requirements
    locks = [PROJECT / folder / "package-lock.json" for folder in ("site", "bench")]
    told = [json.loads(lock.read_text(encoding="utf-8"))["packages"] for lock in locks]
    for name, package in ((n, p) for packages in told for n, p in packages.items()):
        told = {key: value for key, value in package.items() if key != "funding"}
        assert REGISTRIES.findall(json.dumps(told)) == [], name
        assert "integrity" in package or name == "", name


def test_nothing_unfinished_is_kept() -> None:
    wrong = {
        name: found[0]
        for name, text in written_by_us().items()
        if (found := UNFINISHED.findall(text))
    }
    assert wrong == {}
