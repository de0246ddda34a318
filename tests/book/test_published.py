"""What the pages and cards take from the literature stands beside its source."""

import re
import runpy
from pathlib import Path

import pytest
import yaml

HERE = Path(__file__).parent
PUBLISHED = yaml.safe_load((HERE / "published.yml").read_text(encoding="utf-8"))
TEXTS = runpy.run_path(str(HERE / "texts.py"))
PAGES, CARDS, faces, plain = (TEXTS[name] for name in ("PAGES", "CARDS", "faces", "plain"))


def section_with(page, sentence):
    """The part of a page, from one heading of the second level to the next, that has the sentence."""
    parts = re.split(r"^## ", PAGES[page.removeprefix("page:")], flags=re.MULTILINE)
    return next((part for part in parts if sentence in plain(part)), "")


def entry_with(sentence):
    """The entry of the vocabulary that has the sentence."""
    entries = PAGES["vocabulary"].split("\n\n")
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
