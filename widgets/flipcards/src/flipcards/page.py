"""Deck -> the HTML shape that the front end enhances, for hosts without Sphinx."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from html import escape
from typing import TypeVar

from flipcards.deck import Card, Deck
from flipcards.markup import REORDERING, Faces
from flipcards.words import Words, spoken

T = TypeVar("T")


# The browser lays out a group when it comes near the screen; a front end enhances group by group.
GROUP = 24
FIRST = 12  # of the first group: what is laid out before anything is painted, more than a screen of cards
FIRST_IN_BOOK = 6  # the same on a built page, where the theme's text has room for three columns at most
GROUPED_ABOVE = 48
MANY = 500  # cards on a page, above which it takes long to load


def groups(cards: Sequence[T]) -> list[Sequence[T]]:
    """The cards of a deck on a built page in groups, each `<div class="flipcards-grid">`."""
    return _groups(cards, first=FIRST_IN_BOOK if len(cards) > GROUPED_ABOVE else GROUP)


def _groups(cards: Sequence[T], first: int = FIRST) -> list[Sequence[T]]:
    starts = [0, *range(first, len(cards), GROUP), len(cards)]
    return [cards[start:stop] for start, stop in itertools.pairwise(starts) if start < stop]


def bar_place(tags: Sequence[Sequence[str]], words: Words) -> str:
    """The place of the bar above the cards until a script has put its own there: as wide and as high.

    Its words are attributes, which the style sheet shows: no search finds them and nobody is read them.

    Args:
        tags: those of each card, one at least.
        words: in the language of the book.
    """

    def button(text: str) -> str:
        return f'<span class="flipcards-button" data-says="{_plain(text)}"></span>'

    def group(name: str, *texts: str) -> str:
        return f'<div class="flipcards-{name}">{"".join(map(button, texts))}</div>'

    parts = [group("modes", words("page.browse"), words("page.study"))]
    if len(tags) > 1:
        parts += map(button, (words("page.flipAll"), words("page.shuffle"), words("page.keys")))
    count = _plain(words("page.count", count=len(tags)))
    parts.append(f'<span class="flipcards-count" data-says="{count}"></span>')
    names = list(dict.fromkeys(itertools.chain.from_iterable(tags)))
    if len(names) > 1:
        parts.append(group("tags", words("page.all"), *names))
    return f'<div class="flipcards-bar flipcards-place">{"".join(parts)}</div>'


def section(
    deck: Deck, *, home: str = "", ids: bool = False, mathml: bool = False, most: int | None = None
) -> str:
    """The cards of a deck as `<section class="flipcards">`: a list of questions that open.

    Args:
        deck: the cards. Whatever its text, the HTML runs nothing and asks no host for anything.
        home: the address of the page that the cards are at home on; each card then links to it.
        ids: whether this page is that home: each card then has `id="card-…"`, once in a book.
        mathml: whether math is MathML alone, which needs no style sheet.
        most: how many cards at most; the rest is left out, in silence.
    """
    faces = Faces.of(deck, mathml=mathml)
    written = _cards(list(deck)[:most], faces, home, ids)
    cards = _grids(_groups(written)) if len(deck) > GROUPED_ABOVE else "".join(written)
    return f'<section class="flipcards" data-deck="{_plain(deck.name)}">\n{cards}</section>\n'


def grids(deck: Deck, start: int, stop: int) -> str:
    """Some cards of a large deck as they stand in its section.

    Args:
        deck: more than `GROUPED_ABOVE` cards.
        start: the number of the first card, one that begins a group.
        stop: the number after the last; it ends a group.
    """
    return _grids(_groups(_cards(list(deck)[start:stop], Faces.of(deck), "", False), first=GROUP))


def _grids(groups: Sequence[Sequence[str]]) -> str:
    return "".join(f'<div class="flipcards-grid">\n{"".join(group)}</div>\n' for group in groups)


def _cards(cards: Sequence[Card], faces: Faces, home: str, ids: bool) -> list[str]:
    return [_card(card, faces, home, ids) for card in cards]


def _card(card: Card, faces: Faces, home: str, ids: bool) -> str:
    anchor = f"card-{card.id}"
    attributes = {
        "id": anchor if ids else "",
        "data-card": card.id,
        "data-tags": " ".join(card.tags),
        "data-home": f"{home}#{anchor}" if home else "",
    }
    written = "".join(f' {name}="{_plain(value)}"' for name, value in attributes.items() if value)
    front = _unwrapped(faces.html(card.front, links=False))
    why = f'<div class="flipcard-why">{faces.html(card.why)}</div>\n' if card.why else ""
    back = faces.html(card.back) + why + _foot(card, faces, home)
    return (
        f'<details class="flipcard"{written}>\n'
        f'<summary class="flipcard-front" dir="auto">{front}</summary>\n'
        f'<div class="flipcard-back" dir="auto">{back}</div>\n'
        f"</details>\n"
    )


def _foot(card: Card, faces: Faces, home: str) -> str:
    words = spoken()
    lines = [
        ("links", words("cards.questionLinks"), ", ".join(faces.links(card.front))),
        ("source", words("cards.source"), _plain(faces.cite(card.source)) if card.source else ""),
        ("term", words("cards.term"), _unwrapped(faces.html(f"{{term}}`{card.term}`")) if card.term else ""),
        ("see", words("cards.see"), _plain(faces.title(card.see) or card.see) if card.see else ""),
    ]
    shown = [
        f'<span class="flipcard-{name}"><span class="flipcard-label">{escape(label)} </span>{value}</span>\n'
        for name, label, value in lines
        if value
    ]
    if home:
        link = f'<a href="{_plain(home)}#card-{_plain(card.id)}">{escape(words("cards.home"))}</a>'
        shown.append(f'<span class="flipcard-home">{link}</span>\n')
    return f'<footer class="flipcard-foot">{"".join(shown)}</footer>' if shown else ""


def _plain(text: str) -> str:
    """Text for HTML, in an element or in a quoted attribute."""
    return escape(REORDERING.sub("", text))


def _unwrapped(face: str) -> str:
    """A face of one paragraph without its `<p>`: a `<summary>` holds phrasing content."""
    paragraph = re.fullmatch(r"<p>((?:(?!</?p\b).)*)</p>\s*", face, re.DOTALL)
    return paragraph[1] if paragraph else face
