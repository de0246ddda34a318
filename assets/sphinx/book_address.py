"""This book's address: one line of _config.yml, or BOOK_REPOSITORY_URL, reaches every link that needs it."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import quote

from sphinx.application import Sphinx
from sphinx.config import Config


def _set_address(app: Sphinx, config: Config) -> None:
    options = dict(config.html_theme_options)
    url = os.environ.get("BOOK_REPOSITORY_URL") or options.get("repository_url", "")
    url = url.rstrip("/")
    branch = os.environ.get("BOOK_REPOSITORY_BRANCH") or options.get("repository_branch", "main")
    options |= {"repository_url": url, "repository_branch": branch}
    config.html_theme_options = options
    if url:
        title = quote("Mistake on the card ") + "{card}"
        body = quote("Page: ") + "{page}" + quote("\n\nWhat is wrong, and the source that shows it:\n")
        config.flipcards_report_url = f"{url}/issues/new?title={title}&body={body}"


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("config-inited", _set_address, priority=400)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
