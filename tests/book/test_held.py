"""No number of the book stands unheld: each is in a sentence that a test of this folder quotes for its place.

A number is held when a test computes it, or sets it beside its source, and quotes the words around it.
"""

import ast
import re
import runpy
from pathlib import Path

import pytest
import yaml

HERE = Path(__file__).parent
PUBLISHED = yaml.safe_load((HERE / "published.yml").read_text(encoding="utf-8"))
TEXTS = runpy.run_path(str(HERE / "texts.py"))
PAGES, plain = TEXTS["PAGES"], TEXTS["plain"]
CARDS = {name: TEXTS["faces"](card) for name, card in TEXTS["CARDS"].items()}

# An amount: digits that are no part of a word, with decimals or thousands, perhaps in k, K, M, B or T.
NUMBER = re.compile(r"(?<![\w.,\\])(?<!\w-)\d+(?:[.,]\d+)*(?:e-\d+)?(?:[kKMBT]\b)?(?!\w)")

# What has digits and states no amount.
NO_AMOUNT = [
    r"^ *\d+\. ",  # the number of an item in a list
    r"\b(?:Exercise|Solution|Table|Appendix|Module) (?:[A-Z]\.)?\d+",  # what is numbered
    r"\b[Ss]teps? [123](?:(?:,| and| to) [123])*\b",  # the three steps of RLHF
    r"\b(?:Llama|LLaMA|Tülu|JupyterLab|Notebook|Jupyter Book) \d\b",  # a version in a name
    r"\b\d+-bit\b",  # a format of numbers
    r"\b(?:19|20)\d\d\b",  # a year
    r"\ba-z, 0-9\b",  # the digits themselves
    r"(?<!\d)(?<!\d[.,])0(?![.,]?\d| ?%)",  # nothing, or off
    r"(?<=[\^_])\{?-?\d+\}?",  # an exponent, an index
    r"\b[a-z] − 1\b|\b1 [−±] [a-zε]\b",  # a constant of a formula in words, as in 1 ± ε
]
# An inline formula that says no more than that a symbol has a value.
SETTING = re.compile(r"\$\\?\w+ *(?:=|\\ge|<|>) *\d[\d.]*\$")

# Tables that a test compares with the package cell by cell, by the label before them.
COMPARED = {
    "cs-memory": "test_the_memory_table_prints_what_the_package_computes",
    "cs-lora-counts": "test_the_table_of_trainable_parameters_prints_what_the_package_counts",
}


def prose(page):
    """What a page says in words: no front matter, code, options, targets and displayed formulas.

    The captions and descriptions in code are words too, but for what an f-string computes.
    """

    def words(block):
        told = re.findall(r"^ +(?:caption|alt): (.*)$|\bcaption=f?\"(.*?)\"", block[0], re.MULTILINE)
        return "\n".join(re.sub(r"\{[^}]*\}", "", yaml_text or string) for yaml_text, string in told)

    flags = re.DOTALL | re.MULTILINE
    page = re.sub(r"\A---\n.*?^---$", "", page, flags=flags)
    page = re.sub(r"^(`{3,})(?:\{(?:code-cell|math)\}|\w).*?^\1$", words, page, flags=flags)
    page = re.sub(r"\$\$.*?\$\$", "", page, flags=flags)
    return re.sub(r"^`{3,}(?:\{[\w-]+\})?|^ *:[\w-]+:.*$|^\([\w-]+\)=$", "", page, flags=re.MULTILINE)


def without_compared_tables(page, labels=COMPARED):
    """The page without the first table after each of the labels."""
    for label in labels:
        before, target, after = page.partition(f"({label})=")
        after = re.sub(r"^```\{list-table\}.*?^```$", "", after, count=1, flags=re.DOTALL | re.MULTILINE)
        page = before + target + after
    return page


def amounts(text):
    """The text as readers see it, and where the amounts in it stand."""

    def hide(match):
        return re.sub(r"\d", "\N{WHITE SQUARE}", match[0])

    def without_constants(formula):
        """A formula in symbols, whose digits that stand alone are constants, as in K(K − 1)/2."""
        if SETTING.fullmatch(formula[0]) or not re.search("[A-Za-z]", formula[0]):
            return formula[0]
        return re.sub(r"(?<!\d)(?<!\d[.,])\d(?![.,]?\d)", hide, formula[0])

    masked = re.sub(r"\$[^$]+\$", without_constants, text)
    for pattern in NO_AMOUNT:
        masked = re.sub(pattern, hide, masked, flags=re.MULTILINE)
    return plain(text), [match.span() for match in NUMBER.finditer(plain(masked))]


def places(node):
    """The pages and cards that a piece of a test names."""
    texts = {child.value for child in ast.walk(node) if isinstance(child, ast.Constant)}
    names = {re.sub(r"^page:|\.md$", "", text) for text in texts if isinstance(text, str)}
    return names & {*PAGES, *CARDS}


def quotes(source):
    """Each sentence that a test quotes: the pages and cards it is quoted for, and its pattern.

    It is quoted for those that are named nearest to it. Any word fits where a number is computed.
    """

    def visit(node, near):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return  # a docstring quotes nothing
        near = places(node) or near
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from pattern(node.value, near)
        elif isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
            yield from pattern("".join(map(str, parts)), near)
        else:
            for child in ast.iter_child_nodes(node):
                yield from visit(child, near)

    def pattern(text, near):
        if len(re.findall(r"[A-Za-z]{2,}", text)) >= 2:
            words = map(re.escape, re.split(r"\{[^{} ]*\}", text.replace("$", "")))
            yield near, re.compile(r"(?:minus )?\S+(?: [GMT]B| %)?".join(words))

    for statement in ast.parse(source).body:
        yield from visit(statement, set())


def all_quotes():
    """The quotes of the other tests in this folder, and those from published.yml."""
    for path in {*HERE.glob("test_*.py")} - {Path(__file__)}:
        yield from quotes(path.read_text(encoding="utf-8"))
    for sentences in (found for by_place in PUBLISHED.values() for found in by_place.values()):
        for where, sentence in sentences:
            yield {where.removeprefix("page:")}, re.compile(re.escape(sentence))


def unheld(name, text, quoted):
    """The amounts in the text of a page or card that no quote holds, with the words around them."""
    shown, found = amounts(text)
    held = [match.span() for near, pattern in quoted if name in near for match in pattern.finditer(shown)]
    return [
        (name, shown[max(0, start - 60) : end + 40])
        for start, end in found
        if not any(first <= start and end <= last for first, last in held)
    ]


@pytest.fixture(scope="module")
def quoted():
    return list(all_quotes())


@pytest.mark.parametrize("name", PAGES)
def test_every_amount_on_a_page_is_in_a_sentence_that_a_test_quotes(quoted, name):
    assert unheld(name, prose(without_compared_tables(PAGES[name])), quoted) == []


def test_every_amount_on_a_card_is_in_a_sentence_that_a_test_quotes(quoted):
    assert [found for name, text in CARDS.items() for found in unheld(name, text, quoted)] == []


def test_a_table_that_is_left_out_is_compared_by_the_test_that_is_named():
    for label, name in COMPARED.items():
        functions = (
            node
            for path in HERE.glob("test_*.py")
            for node in ast.parse(path.read_text(encoding="utf-8")).body
            if isinstance(node, ast.FunctionDef) and node.name == name
        )
        (test,) = functions
        assert f"({label})=" in ast.unparse(test)
        (page,) = (page for page in PAGES.values() if f"({label})=" in page)
        assert len(prose(without_compared_tables(page, [label]))) < len(prose(page))


# --- What finds them can fail ------------------------------------------------------------------------------

MADE_UP = {
    "prose": "The model has 37 heads.",
    "a list": "- **Heads.** There are 37.",
    "a table": "```{list-table}\n:header-rows: 1\n\n* - Model\n  - Heads\n* - Small\n  - 37\n```",
    "a table in Markdown": "| model | heads |\n| --- | --- |\n| small | 37 |",
    "an exercise": "```{admonition} Exercise 1: count\nIt has 37 heads.\nHow many are shared?\n```",
    "a solution": "```{admonition} Solution 1\n:class: dropdown\n\nThey are 37.\n```",
    "a solution with code": "````{admonition} Solution 1\n```python\nn = 1\n```\n\nThey are 37.\n````",
    "a glossary": "```{glossary}\n:sorted:\n\nhead\n  One of 37.\n```",
    "a caption": "```{code-cell}\n---\nmystnb:\n  figure:\n    caption: With 37 heads.\n---\ndraw()\n```",
    "a description": '```{code-cell}\n---\nmystnb:\n  image:\n    alt: "For 37 heads."\n---\ndraw()\n```',
    "the caption of a table": '```{code-cell}\nTable(rows, caption=f"{n} models with 37 heads.")\n```',
    "an inline formula": "They are many: $n = 37$.",
    "a share": "They are 37 %.",
}


@pytest.mark.parametrize("text", MADE_UP.values(), ids=MADE_UP)
def test_an_amount_that_no_test_quotes_is_found(text):
    assert len(unheld("sft", prose(f"---\nyear: 5\n---\n\n# A page\n\n{text}\n"), [])) == 1


@pytest.mark.parametrize(
    "amount", ["24", "0.5", "1,045", "16 bytes", "4e-3", "13k", "4.7M", "7B", "1.5 %", "−2.44", "1", "0 %"]
)
def test_an_amount_is_known_in_every_form(amount):
    assert len(unheld("sft-mask-effect", f"In the lab it is {amount} in all.", [])) == 1


@pytest.mark.parametrize(
    "text",
    [
        "---\nmyst: 12\n---",
        "(ex-4)=",
        "```{code-cell} ipython3\nn = 4\n```",
        "```python\nn = 4\n```",
        "```{math}\n\\frac{8}{64}\n```",
        "$$\n\\frac{8}{64}\n$$",
        "```{list-table}\n:widths: 12 24\n```",
        "GPT-3, Llama-2-7B, NF4, Llama 2 and a 4-bit base",
        "1. First.\n2. Second.",
        "Steps 2 and 3 follow step 1.",
        "From 1952 {cite}`bradley1952` (§3.5, Table 14).",
        "It is 0 otherwise.",
        "It leaves 1 ± ε, and $K (K - 1) / 2$ pairs are $x^{12}$.",
    ],
)
def test_what_has_digits_and_states_no_amount_is_let_be(text):
    assert unheld("sft", prose(f"{text}\n"), []) == []


@pytest.mark.parametrize(
    ("test", "held"),
    [
        ('def test(n):\n    assert f"The model has {n} heads" in says("page:sft")', True),
        ('def test(n):\n    assert_says("sft", f"The model has {n} heads")', True),
        ('def test(n):\n    text = says("page:sft")\n    assert "The model has 37 heads" in text', True),
        ('CASES = [("sft", "The model has 37 heads"), ("lora", "Another sentence")]', True),
        ('CASES = [("lora", f"The model has {n} heads"), ("sft", "Another sentence")]', False),
        ('def test(n):\n    assert_says("sft", f"The model has {n} layers")', False),
        ('def test(n):\n    assert_says("sft", "The model has 3")', False),
        ('def test(n):\n    "The model has 37 heads"\n    assert_says("sft", "Another sentence")', False),
        ('def test(n):\n    assert_says("sft", f"{n} heads")', False),
    ],
)
def test_an_amount_is_held_by_a_quote_of_the_words_around_it_for_its_page(test, held):
    found = unheld("sft", "The model has 37 heads.", list(quotes(test)))
    assert (found == []) is held
