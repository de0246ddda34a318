"""The search index of the built book, as the search page asks it."""

import json
import re
import runpy

import pytest


@pytest.fixture(scope="module")
def spellings(root):
    """The extension that gives both spellings of a word one stem."""
    return runpy.run_path(str(root / "assets/sphinx/two_spellings.py"))


@pytest.fixture(scope="module")
def stem(spellings):
    """The function from a word to its stem in the index."""
    return spellings["BothSpellings"]({}).stem


@pytest.fixture(scope="module")
def found(site, stem):
    """A function that gives the pages which hold a word."""
    index = (site / "searchindex.js").read_text("utf-8")
    index = json.loads(index.removeprefix("Search.setIndex(").rstrip("\n;)"))

    def found(word):
        pages = index["terms"].get(stem(word), [])
        return {index["docnames"][page] for page in ([pages] if isinstance(pages, int) else pages)}

    return found


@pytest.mark.parametrize(
    ("american", "british"),
    [
        ("quantization", "quantisation"),
        ("optimizers", "optimisers"),
        ("optimization", "optimising"),
        ("initialize", "initialisation"),
        ("generalize", "generalises"),
        ("normalization", "normalised"),
        ("Behavior", "behaviour"),
        ("analyze", "analyse"),
        ("labeled", "labelled"),
    ],
)
def test_both_spellings_have_one_stem(stem, american, british):
    assert stem(american) == stem(british)


@pytest.mark.parametrize("word", ["size", "prizes", "factor", "vector", "center-left", "supervised", "noise"])
def test_words_of_one_spelling_stay_as_they_are(spellings, word):
    assert spellings["british"](word) == word


def test_an_american_word_finds_the_pages_that_spell_it_the_british_way(found):
    assert {"chapters/memory", "chapters/vocabulary", "chapters/cheat-sheet"} <= found("quantization")
    assert "chapters/instruction-tuning" in found("generalize")
    assert "chapters/direct-alignment" in found("optimization")
    assert "chapters/cheat-sheet" in found("behavior")


def test_the_search_page_splits_a_query_by_the_same_rules(site, spellings):
    script = (site / "_static/language_data.js").read_text("utf-8")
    rules = json.loads(re.search(r"const rules = (\[\[.*?\]\])\.map", script)[1])
    assert [(rule, spelt.replace("$", "\\")) for rule, spelt in rules] == spellings["RULES"]
