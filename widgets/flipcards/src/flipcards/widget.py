"""The live host: a deck as a widget in JupyterLab and its kin, turned by the same front end as the pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import texmath
import traitlets

from flipcards.deck import Deck
from flipcards.page import section
from flipcards.words import LIVE_SECTIONS, spoken

STATIC = Path(__file__).parent / "static"


def html_of(deck: Deck) -> str:
    """The cards as a live view shows them, and the style of their math where there is any."""
    cards = section(deck)
    # The front end shows exactly this; only decks with math bring the fonts that draw it.
    style = f"<style>{texmath.css(used=[cards])}</style>" if 'class="katex' in cards else ""
    return style + cards


class Cards(anywidget.AnyWidget):
    """The cards of a deck, live.

    The front end reports each card whose answer is shown; its id is added to `Deck.revealed`, once.
    """

    _esm = STATIC / "flipcards.js"
    _css = STATIC / "flipcards.css"
    html = traitlets.Unicode().tag(sync=True)
    words = traitlets.Dict().tag(sync=True)  # of another language; none where they are English
    revealed = traitlets.List(traitlets.Unicode(), read_only=True)

    def __init__(self, deck: Deck, **kwargs: Any) -> None:
        """Show a deck; its faces are rendered here, once."""
        super().__init__(html=html_of(deck), words=spoken().table(LIVE_SECTIONS), **kwargs)
        self.deck = deck
        self._known = {card.id for card in deck}
        self.set_trait("revealed", [i for i in deck.revealed if i in self._known])
        self.on_msg(self._receive)

    def _receive(self, widget: Any, content: Any, buffers: Any) -> None:
        if not isinstance(content, dict) or content.get("type") != "reveal":
            return
        card = content.get("card")
        if card in self._known and card not in self.deck.revealed:
            self.deck.revealed.append(card)
            self.set_trait("revealed", [*self.revealed, card])
