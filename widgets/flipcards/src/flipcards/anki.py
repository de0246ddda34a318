"""Decks and progress to Anki and back: what other modules use of it."""

from flipcards.anki_package import AnkiError
from flipcards.anki_read import Imported, import_anki
from flipcards.anki_write import Exported, export_anki, package

__all__ = ["AnkiError", "Exported", "Imported", "export_anki", "import_anki", "package"]
