"""The formulas that are looked at beside MathJax: they render, and nothing that the book uses is missing."""

import re
import xml.etree.ElementTree as ET

import pytest
import texmath
import yaml

# A block, a formula in a line, or an environment of its own; code is no formula.
FORMULA = re.compile(
    r"\$\$.+?\$\$|\$[^$\n]+\$|\{math\}`[^`]+`|^```\{math\}.*?^```|\\begin\{(\w+\*?)\}.*?\\end\{\1\}",
    re.S | re.M,
)
CELL = re.compile(r"^(`{3,})\{code-cell\}.*?^\1", re.S | re.M)
WORD = re.compile(r"\\(?:begin\s*\{[^}]*\}|[A-Za-z]+|.)", re.S)


@pytest.fixture(scope="module")
def formulas(root):
    """The groups of formulas."""
    return yaml.safe_load((root / "bench" / "formulas.yml").read_text(encoding="utf-8"))


def test_each_formula_comes_as_html_and_mathml_without_a_mark_of_error(formulas):
    count = 0
    for kind, group in formulas.items():
        for name, tex in group.items():
            html = texmath.render(tex, display=kind != "inline")
            classes = {element.get("class") for element in ET.fromstring(html).iter()}
            assert {"katex-html", "katex-mathml"} <= classes, name
            assert ("katex-display" in classes) == (kind != "inline"), name
            assert "#cc0000" not in html, name
            count += 1
    assert count > 30


def test_every_command_and_environment_of_the_book_is_among_them(root, formulas):
    sources = [*(root / "chapters").glob("*.md"), *(root / "assets" / "decks").glob("*.yml")]
    used = {}
    for path in sources:
        text = CELL.sub("", path.read_text(encoding="utf-8"))
        for formula in FORMULA.finditer(text):
            used |= dict.fromkeys(WORD.findall(formula[0]), path.name)
    looked_at = {word for group in formulas.values() for tex in group.values() for word in WORD.findall(tex)}
    assert {r"\begin{aligned}", r"\sqrt", r"\beta", r"\,"} <= set(used)
    assert {word: name for word, name in used.items() if word not in looked_at} == {}
