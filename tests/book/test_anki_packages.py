"""What readers download below the decks: a package for Anki with every card, each with its published page."""

from urllib.parse import unquote, urldefrag

import pytest
from anki.collection import Collection, ImportAnkiPackageOptions, ImportAnkiPackageRequest
from flipcards import Deck
from flipcards.anki import import_anki
from flipcards.anki_note import FIELDS

PAGE, ID = FIELDS.index("Page"), FIELDS.index("Id")


@pytest.fixture(scope="module")
def decks(root):
    """The decks of the book by name."""
    found = {file.stem: Deck.load(file) for file in (root / "assets" / "decks").glob("*.yml")}
    assert len(found) > 5
    return found


@pytest.fixture(scope="module")
def links(site, soup):
    """The links to packages: the page, the set of cards above each, and the file it leads to."""
    found = []
    for file in site.glob("**/*.html"):
        path = file.relative_to(site).as_posix()
        if path.startswith("_static/") or ".apkg" not in file.read_text("utf-8"):
            continue
        for link in soup(path).select("a[href$='.apkg']"):
            cards = link.find_previous("section", class_="flipcards")
            found.append((path, cards["data-deck"], (file.parent / unquote(link["href"])).resolve()))
    return found


@pytest.fixture(scope="module")
def taken(links, tmp_path_factory):
    """The official Anki after it took every package: note by note its deck's name and its fields."""
    collection = Collection(str(tmp_path_factory.mktemp("anki") / "collection.anki2"))
    for _, _, package in links:
        options = ImportAnkiPackageOptions()
        collection.import_anki_package(ImportAnkiPackageRequest(package_path=str(package), options=options))
    rows = collection.db.all("select c.did, n.flds from cards c join notes n on n.id = c.nid")
    found = [(collection.decks.name(deck), fields.split("\x1f")) for deck, fields in rows]
    collection.close()
    return found


def test_below_each_deck_is_one_link_to_its_package(links, decks, site):
    assert sorted(package.stem for _, _, package in links) == sorted(decks)
    for page, deck, package in links:
        assert package.is_file(), f"{page}: {package.name}"
        assert deck == package.stem, f"{page}: below {deck} stands {package.name}"
        assert package.is_relative_to(site.resolve())
    files = {file.name for file in (site / "_downloads" / "anki").iterdir()}
    assert files == {package.name for _, _, package in links}, "no package lies there without a link"


def test_our_own_reader_gets_every_card_back_as_it_is_in_the_deck(links, decks, tmp_path):
    for _, deck, package in links:
        done = import_anki(package, tmp_path / deck / "deck.yml")
        assert done.left_out == []
        back = Deck.load(tmp_path / deck / "deck.yml")
        assert back.cards == decks[deck].cards
        assert back.title == decks[deck].title


def test_the_official_anki_has_a_note_for_each_card_in_a_deck_of_its_name(taken, decks, root):
    cards = [card.id for deck in decks.values() for card in deck]
    assert sorted(fields[ID] for _, fields in taken) == sorted(cards)
    home = {card.id: deck.title for deck in decks.values() for card in deck}
    assert {fields[ID] for name, fields in taken if name.split("::")[-1] != home[fields[ID]]} == set()


def test_each_note_leads_to_its_card_on_the_published_site(taken, site, soup):
    pages = {}
    for file in site.glob("**/*.html"):
        path = file.relative_to(site).as_posix()
        if path.startswith("_static/"):
            continue
        page = soup(path)
        canonical = page.select_one("link[rel=canonical]")
        if canonical:
            pages[canonical["href"]] = {card["id"] for card in page.select("details.flipcard[id]")}
    faults = []
    for _, fields in taken:
        address, anchor = urldefrag(fields[PAGE])
        if anchor != f"card-{fields[ID]}" or anchor not in pages.get(address, ()):
            faults.append(fields[PAGE])
    assert faults == []
