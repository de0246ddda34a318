"""Flip cards for computational books: a deck is one file, and every surface is made from it."""

from typing import Any

from flipcards.deck import Card, Deck, DeckError, Fault

__version__ = "0.1.0"
__all__ = ["Card", "Cards", "Deck", "DeckError", "Fault", "Flipbook", "FlipbookError", "use_words"]


def __getattr__(name: str) -> Any:
    if name == "Cards":  # anywidget takes a while to import; a build does not need it
        from flipcards.widget import Cards

        return Cards
    if name == "use_words":
        from flipcards.words import use_words

        return use_words
    if name in ("Flipbook", "FlipbookError"):
        from flipcards import flipbook

        return getattr(flipbook, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _bundle(deck: Deck) -> dict[str, Any]:
    from flipcards.display import bundle

    return bundle(deck)


def _session(deck: Deck, *args: Any, **settings: Any) -> Any:
    from flipcards.study import Session

    return Session(deck, *args, **settings)


Deck.views.append(_bundle)
Deck.sessions = _session
