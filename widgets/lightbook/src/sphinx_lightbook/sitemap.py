"""A sitemap: the addresses of all pages, for search engines."""

from __future__ import annotations

import html
from pathlib import Path

from sphinx.application import Sphinx

from sphinx_lightbook.pages import absolute_address
from sphinx_lightbook.rewriting import switch, warn

SITEMAP = "sitemap.xml"


def setup(app: Sphinx) -> None:
    """Write the sitemap after the pages."""
    app.connect("build-finished", write_sitemap)


def write_sitemap(app: Sphinx, exception: Exception | None) -> None:
    """Write the sitemap, where `html_baseurl` tells the book's address and nothing else writes one."""
    if exception is not None or app.builder.name not in {"html", "dirhtml"}:
        return
    if not app.config.html_baseurl or "sphinx_sitemap" in app.extensions:
        return
    content = sitemap(page_addresses(app)).encode()
    file = Path(app.outdir) / SITEMAP
    try:
        if not file.is_file() or file.read_bytes() != content:
            file.write_bytes(content)
    except OSError as error:
        warn(app, "sitemap", f"{error}; {switch('sitemap')}")


def page_addresses(app: Sphinx) -> list[str]:
    """The absolute addresses of the author's pages, sorted."""
    return sorted(absolute_address(app, docname) for docname in app.env.found_docs)


def sitemap(addresses: list[str]) -> str:
    """The addresses as a sitemap."""
    lines = "".join(f"  <url><loc>{html.escape(address)}</loc></url>\n" for address in addresses)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{lines}</urlset>\n'
    )
