"""The content in every asset's name, so that a browser may keep the asset for ever.

`_static/book.css` is published as `_static/book.0f3a….css` and named so by every page and style sheet. The
file without a fingerprint stays, for scripts that make up an address while they run.
"""

from __future__ import annotations

from sphinx.application import Sphinx

from sphinx_lightbook.rewriting import Page, Site, add_step


def setup(app: Sphinx) -> None:
    """Name the assets when the site is written."""
    add_step(app, Fingerprints())


class Fingerprints:
    """The step. The names themselves are the site's: `Site.final_name`."""

    name = "fingerprints"

    def prepare(self, site: Site) -> None:
        """Let names tell the content."""
        site.fingerprinted = True

    def state(self, page: Page) -> object:
        """Nothing: the names in use are compared with each page anyway."""
        return None

    def edit(self, page: Page, html: str) -> str:
        """Leave the page; every page's files are named last."""
        return html
