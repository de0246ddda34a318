"""The golden test: a card reads the same from the book's own pages and from `markup`, face by face."""

import re

import pytest
from bs4 import BeautifulSoup
from flipcards.deck import FACES, Deck
from flipcards.markup import Faces
from flipcards.page import section


def cards_of(html):
    """Card id -> the `<details>` of each time the card is on the page."""
    found = {}
    for card in BeautifulSoup(html, "html.parser").select("details.flipcard"):
        found.setdefault(card["data-card"], []).append(card)
    return found


def text_of(card, name):
    """The text of a face: words as they are shown, math as its TeX."""
    if name == "back":
        face = card.select_one(".flipcard-back").__copy__()
        for part in face.select(".flipcard-why, .flipcard-foot"):
            part.decompose()
    else:
        face = card.select_one(f".flipcard-{name}").__copy__()
    for hidden in face.select(".headerlink, .copybtn, script, [data-nosnippet]"):
        hidden.decompose()
    for math in face.select(".katex"):
        math.replace_with(math.select_one("annotation").get_text().strip())
    return " ".join(face.get_text().split())


@pytest.fixture(scope="module")
def decks(root):
    """The shipped decks."""
    decks = [Deck.load(file) for file in sorted((root / "assets" / "decks").glob("*.yml"))]
    assert sum(map(len, decks)) >= 6
    return decks


@pytest.fixture(scope="module")
def in_the_book(site):
    """Card id -> the card on the pages of the built book."""
    found = {}
    for page in sorted(site.rglob("*.html")):
        if "data-card=" in (html := page.read_text("utf-8")):
            for card_id, cards in cards_of(html).items():
                found.setdefault(card_id, []).extend(cards)
    return found


def test_every_shipped_card_is_in_the_book(decks, in_the_book):
    assert {card.id for deck in decks for card in deck} == set(in_the_book)


@pytest.mark.parametrize("name", FACES)
def test_the_text_of_every_face_is_the_same_from_docutils_and_from_markup(decks, in_the_book, name):
    for deck in decks:
        plain = cards_of(section(deck))
        for card in deck:
            if not getattr(card, name):
                continue
            [here] = plain[card.id]
            expected = text_of(here, name)
            assert len(expected) > 2
            for there in in_the_book[card.id]:
                assert text_of(there, name) == expected, (deck.shown_as, card.id, name)


@pytest.mark.parametrize("name", FACES)
def test_the_plain_text_of_a_face_is_that_of_its_html(decks, name):
    for deck in decks:
        faces, plain = Faces.of(deck), cards_of(section(deck))
        for card in deck:
            if getattr(card, name):
                words = " ".join(faces.text(getattr(card, name)).split())
                shown = text_of(plain[card.id][0], name)
                assert re.sub(r"\s", "", words) == re.sub(r"\s", "", shown), (card.id, name)


def test_source_and_place_are_named_alike(decks, in_the_book):
    for deck in decks:
        plain = cards_of(section(deck))
        for card in deck:
            for name in ("source", "term", "see"):
                here = plain[card.id][0].select_one(f".flipcard-{name}")
                for there in in_the_book[card.id]:
                    other = there.select_one(f".flipcard-{name}")
                    assert (here is None) == (other is None) == (not getattr(card, name))
                    if here is not None:
                        assert " ".join(here.get_text().split()) == " ".join(other.get_text().split())
