"""What the pages and cards take from the literature stands beside its source, and no figure stands unheld."""

import ast
import re
from pathlib import Path

import pytest
import yaml

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PUBLISHED = yaml.safe_load((HERE / "published.yml").read_text(encoding="utf-8"))
DECKS = [
    yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "assets" / "decks").glob("*.yml"))
]
CARDS = {card["id"]: card for deck in DECKS for card in deck["cards"]}
PAGES = {
    f"page:{path.stem}": path.read_text(encoding="utf-8") for path in sorted((ROOT / "chapters").glob("*.md"))
}

# (§4.2), (App. C.4), (Table 14, footnote 6): the place in a cited work
PLACE = re.compile(
    r"\s*\([^()]*?(?:§|App\.|Table|ch\.|eq\.|Fig\.|footnote|abstract|units? \d|model card)[^()]*\)"
)
# A number that says how much: with decimals or thousands, a share, an amount of bytes, thousands or millions.
FIGURE = re.compile(r"(?<![\w.,^_{-])(?:\d+(?:[.,]\d+)+|\d+(?= ?%| [GMT]B\b|[kKM]\b))")


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


def section_with(page, sentence):
    """The part of a page, from one heading of the second level to the next, that has the sentence."""
    parts = re.split(r"^## ", PAGES[page], flags=re.MULTILINE)
    return next((part for part in parts if sentence in plain(part)), "")


def entry_with(sentence):
    """The entry of the vocabulary that has the sentence."""
    entries = PAGES["page:vocabulary"].split("\n\n")
    return next((entry for entry in entries if sentence in plain(entry)), "")


@pytest.mark.parametrize("work", PUBLISHED)
def test_what_is_taken_from_a_work_is_printed_so_beside_the_work_and_the_place(work):
    faults = []
    for place, sentences in PUBLISHED[work].items():
        for where, sentence in sentences:
            if where in CARDS:
                text = faces(CARDS[where])
                cited = work in CARDS[where]["source"] and sentence in plain(text)
            else:
                text = entry_with(sentence) if where == "page:vocabulary" else section_with(where, sentence)
                cited = any(work in keys for keys in re.findall(r"\{cite[^}]*\}`([^`]+)`", text))
            if not cited or place not in " ".join(text.split()):
                faults.append((where, place, sentence))
    assert faults == []


def quoted():
    """Patterns of the sentences that these tests quote; any word fits where a number is computed."""
    for path in HERE.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                text = node.value
            elif isinstance(node, ast.JoinedStr):
                parts = (part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
                text = "".join(map(str, parts))
            else:
                continue
            if len(re.findall(r"[A-Za-z]{2,}", text)) >= 2:
                words = map(re.escape, re.split(r"\{[^{} ]*\}", text.replace("$", "")))
                yield re.compile(r"(?:minus )?\S+(?: [GMT]B| %)?".join(words))
    for places in PUBLISHED.values():
        for sentences in places.values():
            yield from (re.compile(re.escape(sentence)) for _, sentence in sentences)


def paragraphs_that_are_held():
    """Each card, each paragraph of a page that cites, what describes a figure; by name, as readers see it."""
    for card in CARDS.values():
        yield card["id"], plain(faces(card))
    for name, page in PAGES.items():
        prose = re.sub(r"^```\{(?:code-cell|math)\}.*?^```$", "", page, flags=re.DOTALL | re.MULTILINE)
        for paragraph in prose.split("\n\n"):
            if "{cite" in paragraph:
                yield name, plain(paragraph)
        for description in re.findall(r"^ +alt: (.*)$", page, re.MULTILINE):
            yield name, plain(description)


def test_every_figure_of_a_card_a_cited_paragraph_or_a_description_is_in_a_sentence_that_a_test_quotes():
    patterns = list(quoted())
    unheld = []
    for name, text in paragraphs_that_are_held():
        spans = [match.span() for pattern in patterns for match in pattern.finditer(text)]
        for figure in FIGURE.finditer(text):
            if not any(start <= figure.start() < end for start, end in spans):
                unheld.append((name, text[max(0, figure.start() - 60) : figure.end() + 40]))
    assert unheld == []
