"""What is wrong with decks that load: their ids together, and what their faces hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from flipcards.deck import FACES, Card, Deck, Fault, duplicate_ids
from flipcards.markup import Faces


def faults(decks: Sequence[Deck], *, references: bool = False) -> list[Fault]:
    """Every fault of the decks of one book.

    Args:
        decks: the decks.
        references: whether to look up sources and labels too, where a deck names its bibliography and pages.
    """
    found = duplicate_ids(decks)
    for deck in decks:
        found += face_faults(deck, references=references)
    return sorted(set(found))


def given_twice(decks: Iterable[Deck]) -> list[Fault]:
    """The cards that are there twice because a deck is: what goes out names each card once."""
    seen: set[str] = set()
    found = []
    for deck in decks:
        for card in deck:
            if card.id in seen:
                found.append(
                    Fault(deck.shown_as, card.line, "the card is given twice; name its deck once", card.id)
                )
            seen.add(card.id)
    return found


def face_faults(deck: Deck, *, references: bool = False) -> Iterator[Fault]:
    """What a face may not hold: a second rendering of it would clash, or another host cannot show it."""
    faces = Faces.of(deck)
    for card in deck:
        for name in FACES:
            text = getattr(card, name)
            for offset, message in faces.faults(text, references=references) if text else ():
                line = card.lines.get(name, 1) + offset
                yield Fault(deck.shown_as, line, f"'{name}': {message}", card.id)
        for name, role in _references(card) if references else ():
            for _, message in faces.faults(role, references=True):
                yield Fault(deck.shown_as, card.lines.get(name, 1), f"'{name}': {message}", card.id)


def _references(card: Card) -> Iterable[tuple[str, str]]:
    """What the fields of a card refer to, as the roles that would do the same in a face."""
    yield from (("source", f"{{cite}}`{key}`") for key in card.source)
    if card.see:
        yield "see", f"{{ref}}`{card.see}`"
