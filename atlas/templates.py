"""How every page is rendered: templates that escape what they are given, under one policy."""

import functools
from pathlib import Path

import jinja2
from markupsafe import Markup

from atlas.words import plain

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'"
)


@functools.cache
def environment(site: Path) -> jinja2.Environment:
    """Return the templates of a site, each compiled once; they escape what they are given."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(site / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_shown,
    )


def keep_compiled(site: Path, folder: Path) -> None:
    """Have a site's compiled templates kept in a folder, by their content, for later processes."""
    folder.mkdir(parents=True, exist_ok=True)
    environment(site).bytecode_cache = jinja2.FileSystemBytecodeCache(str(folder))


def _shown(value: object) -> object:
    """Let no control or direction-changing character through, in text or in markup."""
    if isinstance(value, Markup):
        return Markup(plain(value))  # noqa: S704  (it was markup before)
    return plain(value) if isinstance(value, str) else value
