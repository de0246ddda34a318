"""This book's address: one line of _config.yml, or BOOK_REPOSITORY_URL, reaches every link that needs it."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import quote, urlsplit

from sphinx.application import Sphinx
from sphinx.config import Config


def _set_address(app: Sphinx, config: Config) -> None:
    options = dict(config.html_theme_options)
    url = os.environ.get("BOOK_REPOSITORY_URL") or options.get("repository_url", "")
    url = url.rstrip("/")
    branch = os.environ.get("BOOK_REPOSITORY_BRANCH") or options.get("repository_branch", "main")
    options |= {"repository_url": url, "repository_branch": branch}
    config.html_theme_options = options
    # Where the site is published; _config.yml's html.baseurl can name another place.
    config.html_baseurl = config.html_baseurl or _pages_of(url)
    if url:
        title = quote("Mistake on the card ") + "{card}"
        body = quote("Page: ") + "{page}" + quote("\n\nWhat is wrong, and the source that shows it:\n")
        config.flipcards_report_url = f"{url}/issues/new?title={title}&body={body}"


def _pages_of(url: str) -> str:
    """The address of a GitHub repository's Pages; "" where there is none."""
    parts = urlsplit(url)
    owner, _, name = parts.path.strip("/").partition("/")
    if parts.hostname != "github.com" or not owner or not name:
        return ""
    host = f"{owner.lower()}.github.io"
    return f"https://{host}/" if name.lower() == host else f"https://{host}/{name}/"


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("config-inited", _set_address, priority=400)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
