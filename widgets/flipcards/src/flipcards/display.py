"""How a notebook shows a deck: live widget, plain HTML, or a note of the deck for the book's build."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flipcards.deck import Deck
from flipcards.words import spoken

if TYPE_CHECKING:
    import anywidget

MIME_TYPE = "application/vnd.flipcards+json"
STATIC_ENVIRONMENT = "FLIPCARDS_BOOK_BUILD"  # set while a book is built: there, the pages hold the cards


def bundle(deck: Deck, live: Callable[[], anywidget.AnyWidget] | None = None) -> dict[str, Any]:
    """The MIME bundle of a deck.

    While a book is built: only which deck to show. Else: the live widget, and for hosts without one
    the same cards as plain HTML.

    Args:
        deck: the cards.
        live: makes that widget; the cards to turn when left out.
    """
    shown: dict[str, Any] = {}
    if deck.path is not None:
        note: dict[str, Any] = {"deck": Path(os.path.relpath(deck.path)).as_posix()}
        if deck.selection:
            note["selection"] = dict(deck.selection)
        if not deck.home:
            note["home"] = False
        shown[MIME_TYPE] = note
        if os.environ.get(STATIC_ENVIRONMENT):
            return shown
    from flipcards.markup import reading_once
    from flipcards.page import MANY, section
    from flipcards.widget import Cards

    with reading_once():
        # Nobody brings KaTeX's style sheet there. Each notebook keeps this text: not of ten thousand cards.
        shown["text/html"] = section(deck, mathml=True, most=MANY)
        if len(deck) > MANY:
            shown["text/html"] += f"<p>{spoken()('cards.leftOut', count=len(deck) - MANY)}</p>\n"
        widget = live() if live is not None else Cards(deck)
        view = widget._repr_mimebundle_()
    if view is not None:
        shown |= {kind: data for kind, data in view[0].items() if kind != "text/plain"}
    return shown
