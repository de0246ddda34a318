"""The live host: a deck as a widget in JupyterLab and its kin, turned by the same front end as the pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import texmath
import traitlets

from flipcards.deck import Deck
from flipcards.page import FIRST, GROUP, grids, section
from flipcards.words import LIVE_SECTIONS, spoken

STATIC = Path(__file__).parent / "static"
AT_ONCE = FIRST + 10 * GROUP  # cards that come with a view
MORE = 20 * GROUP  # cards in each message that follows


def html_of(deck: Deck, most: int | None = None) -> str:
    """The cards as a live view shows them, at most so many, with the style of their math."""
    cards = section(deck, most=most)
    return style_of([cards]) + cards


def style_of(cards: list[str]) -> str:
    """The style of the math in cards, with fonts for exactly that; nothing where there is none."""
    has_math = any('class="katex' in part for part in cards)
    return f"<style>{texmath.css(used=cards)}</style>" if has_math else ""


class Cards(anywidget.AnyWidget):
    """The cards of a deck, live.

    A view asks for the cards that `html` lacks, a few hundred at a time: it sends `{type: "more", from}`,
    the number of the cards it has, and is sent `{type: "more", from, to, style, html}`. The front end reports
    each card whose answer is shown; its id is added to `Deck.revealed`, once.
    """

    _esm = STATIC / "flipcards.js"
    _css = STATIC / "flipcards.css"
    html = traitlets.Unicode().tag(sync=True)
    count = traitlets.Int().tag(sync=True)
    words = traitlets.Dict().tag(sync=True)  # of another language; none where they are English
    revealed = traitlets.List(traitlets.Unicode(), read_only=True)

    def __init__(self, deck: Deck, **kwargs: Any) -> None:
        """Show a deck; the faces of its first cards are rendered here, once."""
        words = spoken().table(LIVE_SECTIONS)
        super().__init__(html=html_of(deck, AT_ONCE), count=len(deck), words=words, **kwargs)
        self.deck = deck
        self._parts: dict[int, str] = {}  # the further ones, by the number of the first of them
        self._known = {card.id for card in deck}
        self.set_trait("revealed", [i for i in deck.revealed if i in self._known])
        self.on_msg(self._receive)

    def _receive(self, widget: Any, content: Any, buffers: Any) -> None:
        kind = content.get("type") if isinstance(content, dict) else None
        if kind == "more":
            self._send_more(content.get("from"))
        elif kind == "reveal":
            self._reveal(content.get("card"))

    def _send_more(self, start: Any) -> None:
        if start not in range(AT_ONCE, len(self.deck), MORE):
            return
        stop = min(start + MORE, len(self.deck))
        if start not in self._parts:
            self._parts[start] = grids(self.deck, start, stop)
        html = self._parts[start]
        style = ""
        if 'class="katex' in html:  # of all cards so far: one style takes the place of the one before
            style = style_of([self.html, *(self._parts[n] for n in sorted(self._parts) if n <= start)])
        self.send({"type": "more", "from": start, "to": stop, "style": style, "html": html})

    def _reveal(self, card: Any) -> None:
        if card in self._known and card not in self.deck.revealed:
            self.deck.revealed.append(card)
            self.set_trait("revealed", [*self.revealed, card])
