"""The texts of the book as its readers see them, for the tests of what they say."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
DECKS = [
    yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "assets" / "decks").glob("*.yml"))
]
CARDS = {card["id"]: card for deck in DECKS for card in deck["cards"]}
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in sorted((ROOT / "chapters").glob("*.md"))}

# (§4.2), (App. C.4), (Table 14, footnote 6): the place in a cited work
PLACE = re.compile(
    r"\s*\([^()]*?(?:§|App\.|Table|ch\.|eq\.|Fig\.|footnote|abstract|units? \d|model card)[^()]*\)"
)


def faces(card):
    """What a card says."""
    return "\n".join(card.get(face, "") for face in ("front", "back", "why"))


def plain(text):
    """The text as a reader sees it, without citations and their places, and without marks of any kind."""
    text = re.sub(r"\s*\{cite[^}]*\}`[^`]+`", "", text)
    text = PLACE.sub("", text)
    text = re.sub(r"\{bdg-[a-z-]+\}`[^`]+`", "", text)
    text = re.sub(r"\{[a-z:-]+\}`([^`<]*?)\s*(?:<[^`]*>)?`", r"\1", text)
    return " ".join(re.sub(r"\*\*|\$", "", text).split())


def unsaid(name, *sentences):
    """Those of the sentences that the chapter or card does not have, citations and marks left out."""
    text = plain(PAGES[name] if name in PAGES else faces(CARDS[name]))
    return [sentence for sentence in sentences if sentence not in text]
