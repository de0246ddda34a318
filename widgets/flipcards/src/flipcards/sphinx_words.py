"""The words of a book: which catalogue it speaks, and how its pages give it to their scripts."""

from __future__ import annotations

import json
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import logging

from flipcards.files import write_whole
from flipcards.words import PAGE_SECTIONS, Words, english, load, shipped

logger = logging.getLogger(__name__)

SCRIPT = "flipcards-words.js"


def configure(app: Sphinx, config: Config) -> None:
    """Read the words of the book.

    Raises:
        WordsError: the catalogue that the book names has faults.
    """
    config.flipcards_catalogue = _words_of(app, config)


def _write_script(app: Sphinx) -> None:
    """Make the script that pages in another language have, before them: they name its digest."""
    if app.builder.format != "html":
        return
    script = Path(app.outdir) / "_static" / SCRIPT
    words = app.config.flipcards_catalogue
    if words.is_english:
        script.unlink(missing_ok=True)
        return
    table = json.dumps(words.table(PAGE_SECTIONS), ensure_ascii=False, separators=(",", ":"))
    script.parent.mkdir(parents=True, exist_ok=True)
    write_whole(script, f"globalThis.flipcardsWords={table};\n".encode())


def _words_of(app: Sphinx, config: Config) -> Words:
    """The catalogue that the book names, else the package's for its language, else English."""
    if not config.flipcards_words:
        return shipped(config.language or "en")
    words = load(Path(app.confdir) / config.flipcards_words, shown_as=config.flipcards_words)
    if words.missing:
        missing = ", ".join(words.missing)
        message = "%s lacks %s; there, readers see English"
        logger.warning(message, words.name, missing, type="flipcards", subtype="words")
    return words


def add_words(app: Sphinx) -> None:
    """Let the page that is being written load its scripts' words before them."""
    if not app.config.flipcards_catalogue.is_english:
        # A classic script like the others: browsers load no module from file://.
        app.add_js_file(SCRIPT, loading_method="defer")


def setup(app: Sphinx) -> None:
    """Register what names the words; `flipcards.sphinx` calls this."""
    app.add_config_value("flipcards_words", "", "", str)
    # Set when the configuration is read. What it says is compared, so an edited catalogue counts.
    app.add_config_value("flipcards_catalogue", lambda config: english(), "env", Words)
    app.connect("builder-inited", _write_script)
