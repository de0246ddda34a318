"""The words of Sphinx's own scripts in the language of the book, without a script made from text.

Sphinx's `translations.js` says the rule of plurals as text, of which `doctools.js` makes a function; a strict
policy forbids that. It has an empty message where nobody has translated one, and readers see nothing.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from sphinx_lightbook.rewriting import Site
from sphinx_lightbook.words import fill

TRANSLATIONS = "_static/translations.js"
MAKES_RULE = "addTranslations"  # what makes a function of the rule

_CATALOGUE = re.compile(r"\s*Documentation\.addTranslations\((\{.*\})\);?\s*", re.DOTALL)
_RULE = re.compile(r"[n\d\s()?:!=<>%&|]+")  # it computes with `n`, and can name nothing else
_FOUND = "Search finished, found ${resultCount} page(s) matching the search query."


@dataclass(frozen=True)
class Translations:
    """What `translations.js` says: a translation by message, the rule of plurals, the language."""

    messages: dict[str, Any]
    rule: str
    locale: str

    def of_those_in(self, script: str) -> Translations:
        """The translations of the messages that a script has as texts."""
        messages = {key: text for key, text in self.messages.items() if json.dumps(key) in script}
        return Translations(messages, self.rule, self.locale)

    def script(self) -> str:
        """The same as a script that makes no other."""
        return (
            f"Object.assign(Documentation.TRANSLATIONS, {json.dumps(self.messages, ensure_ascii=False)});\n"
            f"Documentation.PLURAL_EXPR = (n) => Number({self.rule});\n"
            f"Documentation.LOCALE = {json.dumps(self.locale)};\n"
        )


def translations_of(site: Site, found: str) -> Translations | None:
    """What the site's file says, without its empty messages; None where there is none or it says more.

    Args:
        site: the site.
        found: what to say of a search that found `{count}` pages, where Sphinx has no words for it.
    """
    catalogue = _CATALOGUE.fullmatch((site.original(TRANSLATIONS) or b"").decode("utf-8", errors="replace"))
    try:
        said = json.loads(catalogue[1]) if catalogue else None
    except ValueError:
        said = None
    if not said or not _RULE.fullmatch(said["plural_expr"]):
        return None
    messages = {key: text for key, text in said["messages"].items() if text and any(text)}
    if _FOUND in said["messages"]:
        messages.setdefault(_FOUND, fill(found, count="${resultCount}"))
    return Translations(messages, said["plural_expr"], said["locale"])


def say_rule_as_function(site: Site, found: str) -> None:
    """Publish the site's translations as a script that makes no other; see `translations_of`."""
    translations = translations_of(site, found)
    if translations:
        site.replace(TRANSLATIONS, translations.script().encode())
