"""The JSON Schema of a deck file: editors complete and check with it while an author types."""

from __future__ import annotations

import json
from typing import Any

from flipcards.deck import FORMAT, ID, LISTS, REQUIRED

_CARD = {
    "id": "Names the card for ever: progress hangs on it. Unique in the book, never used again.",
    "front": "The question, in MyST Markdown.",
    "back": "The answer, in MyST Markdown.",
    "why": "What an expert would add: the limit, the condition, the number. MyST Markdown.",
    "source": "Keys of the bibliography.",
    "term": "An entry of the glossary.",
    "see": "A label of the book where the answer is shown.",
    "tags": "Words to filter by.",
}
_DECK = {
    "title": "What readers see above the cards.",
    "bibliography": "A BibTeX file, relative to the deck.",
    "pages": "The folder of the book's pages, relative to the deck.",
}


def schema() -> dict[str, Any]:
    """The schema, of draft 7, which editors know best; `flipcards check` sees more than it can say."""
    text = {"type": "string", "pattern": r"\S"}
    card = {
        name: {"description": told, **({"type": "array", "items": _word()} if name in LISTS else text)}
        for name, told in _CARD.items()
    }
    card["id"] |= {"pattern": f"^(?:{ID.pattern})$"}
    cards = {
        "description": "The cards, as readers get them.",
        "type": "array",
        "minItems": 1,
        "items": {
            "type": "object",
            "properties": card,
            "required": list(REQUIRED),
            "additionalProperties": False,
        },
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A deck of flip cards",
        "type": "object",
        "properties": {
            "format": {"description": "Of this file; may be left out.", "const": FORMAT},
            **{name: {"description": told, **text} for name, told in _DECK.items()},
            "cards": cards,
        },
        "required": ["cards"],
        "additionalProperties": False,
    }


def schema_text() -> str:
    """The schema as a file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _word() -> dict[str, str]:
    return {"type": "string", "pattern": r"^\S+$"}
