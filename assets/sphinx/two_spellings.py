"""Lets the book's search find its words in either spelling: "quantization" finds "quantisation".

The book is written in British English, and its sources are often American. Sphinx's stemmer knows no
spelling, so each American form gets its British one: in Python when the index is made, and in the browser
when a query is split. There the highlighted words and the names of terms follow the query too.
"""

from __future__ import annotations

import json
import re
from typing import Any

from sphinx.application import Sphinx
from sphinx.search.en import SearchEnglish

# American endings and words with their British forms, in a syntax that Python and JavaScript read alike.
# A rule needs to be right only for words of two spellings: any other word becomes the same on both sides.
# Doubled letters ("labelled") are not among them: the stemmer takes them away.
RULES = [
    (r"^(\w{3,})iz(e|es|ed|er|ers|ing|able|ation|ations)$", r"\1is\2"),  # not size, prize
    (r"^(\w{2,}l)yz(e|es|ed|er|ers|ing)$", r"\1ys\2"),
    (r"^(behavi|col|fav|flav|hon|hum|lab|neighb)or(|s|ed|ing|al|able|ful|hood|ite|ites)$", r"\1our\2"),
    (r"^(dial|catal)og(|s)$", r"\1ogue\2"),
    (r"^center(|s)$", r"centre\1"),
    (r"^gray(|s)$", r"grey\1"),
]

_SPLIT_QUERY = """
var splitQuery = (query) => {
  const rules = %s.map(([american, other]) => [new RegExp(american, "i"), other]);
  const words = query.split(/[^\\p{Letter}\\p{Number}_\\p{Emoji_Presentation}]+/u).filter((word) => word);
  const british = (word) => rules.reduce((spelt, [american, other]) => spelt.replace(american, other), word);
  return words.map(british);
};
"""


def british(word: str) -> str:
    """The word in its British spelling, if it is one that a rule knows; else the word."""
    for american, spelt in RULES:
        word = re.sub(american, spelt, word)
    return word


class BothSpellings(SearchEnglish):
    """Sphinx's English, with one stem for both spellings of a word."""

    # JavaScript writes groups as $1.
    js_splitter_code = _SPLIT_QUERY % json.dumps([(rule, spelt.replace("\\", "$")) for rule, spelt in RULES])

    def stem(self, word: str) -> str:
        """The stem of the British form."""
        return super().stem(british(word.lower()))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.add_search_language(BothSpellings)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
