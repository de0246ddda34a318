"""What a notebook cell that ends in a deck puts out: live, elsewhere, and while a book is built."""

import pytest
from flipcards import Card, Cards, Deck
from flipcards.display import MIME_TYPE, STATIC_ENVIRONMENT
from flipcards.markup import Faces
from flipcards.page import section

DECK = """
cards:
  - id: one
    front: What is $a$?
    back: "$$b$$"
    tags: [first]
  - id: two
    front: And two?
    back: Two.
"""


@pytest.fixture
def deck(tmp_path, monkeypatch):
    monkeypatch.delenv(STATIC_ENVIRONMENT, raising=False)
    (tmp_path / "decks").mkdir()
    (tmp_path / "decks" / "one.yml").write_text(DECK, "utf-8")
    (tmp_path / "chapters").mkdir()
    monkeypatch.chdir(tmp_path / "chapters")
    return Deck.load("../decks/one.yml")


def test_live_there_is_a_widget_and_for_other_viewers_plain_html(deck):
    bundle = deck._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/html"].count("<details") == 2
    assert bundle["text/plain"] == "<Deck 'one': 2 cards>"


def test_plain_html_shows_each_formula_once_without_a_style_sheet(deck):
    plain = deck._repr_mimebundle_()["text/html"]
    assert plain.count("<math") == 2
    assert "katex-html" not in plain


def test_each_face_is_parsed_once_each_time_though_it_is_shown_in_two_forms(deck, monkeypatch):
    parsed = []
    read = Faces._read
    monkeypatch.setattr(Faces, "_read", lambda faces, text: parsed.append(text) or read(faces, text))
    for times in (1, 2):
        deck._repr_mimebundle_()
        assert sorted(parsed) == sorted(
            times * [card.front for card in deck] + times * [card.back for card in deck]
        )


def test_a_view_of_a_large_deck_begins_with_some_cards_and_gets_the_others_as_it_asks(monkeypatch):
    made = [Card(f"c{n}", f"Q{n}", "$x_1$" if n == 900 else f"A{n}") for n in range(1000)]
    deck = Deck(tuple(made), title="Large")
    cards = Cards(deck)
    sent = []
    monkeypatch.setattr(cards, "send", sent.append)
    assert cards.count == 1000
    have = cards.html.count("<details")
    assert 0 < have < 1000
    html = cards.html.removesuffix("</section>\n")
    while have < cards.count:
        cards._receive(cards, {"type": "more", "from": have}, [])
        answer = sent[-1]
        assert (answer["type"], answer["from"]) == ("more", have)
        html, have = html + answer["html"], answer["to"]
        assert ("@font-face" in answer["style"]) is ("katex" in answer["html"])
    assert html + "</section>\n" == section(deck)
    asked = len(sent)
    for start in (-1, 0, 1, 1000, "240", None):
        cards._receive(cards, {"type": "more", "from": start}, [])
    assert len(sent) == asked


def test_hosts_without_a_widget_get_five_hundred_cards_and_the_number_of_the_others():
    deck = Deck(tuple(Card(f"c{n}", f"Q{n}", f"A{n}") for n in range(501)), title="Large")
    html = deck._repr_mimebundle_()["text/html"]
    assert html.count("<details") == 500
    assert html.endswith("<p>1 card more: run the notebook to see it.</p>\n")


def test_the_widget_brings_the_style_of_its_math_only_where_there_is_math(deck):
    assert "@font-face" in Cards(deck).html
    assert "katex-html" in Cards(deck).html
    assert "@font-face" not in Cards(deck.only(["two"])).html


def test_while_a_book_is_built_only_the_deck_is_named_relative_to_the_page(deck, monkeypatch):
    monkeypatch.setenv(STATIC_ENVIRONMENT, "1")
    bundle = deck._repr_mimebundle_()
    assert set(bundle) == {"text/plain", MIME_TYPE}
    assert bundle[MIME_TYPE] == {"deck": "../decks/one.yml"}


def test_selection_and_borrowing_travel_into_the_book(deck, monkeypatch):
    monkeypatch.setenv(STATIC_ENVIRONMENT, "1")
    shown = deck.only(["one"], tags=["first"]).borrow()._repr_mimebundle_()[MIME_TYPE]
    assert shown == {
        "deck": "../decks/one.yml",
        "selection": {"cards": ["one"], "tags": ["first"]},
        "home": False,
    }


def test_a_deck_without_a_file_shows_its_cards_too():
    bundle = Deck((Card("one", "What?", "That."),), title="Made here")._repr_mimebundle_()
    assert MIME_TYPE not in bundle
    assert "That." in bundle["text/html"]


def test_python_sees_each_revealed_card_once_and_ignores_what_is_no_card(deck):
    cards = Cards(deck)
    for content in ({"type": "reveal", "card": "two"}, {"type": "reveal", "card": "two"}):
        cards._receive(cards, content, [])
    for content in (
        {"type": "reveal", "card": "nine"},
        {"type": "other", "card": "one"},
        "reveal",
        {"type": "reveal"},
    ):
        cards._receive(cards, content, [])
    assert deck.revealed == ["two"]
    assert cards.revealed == ["two"]
