"""What Anki shows of a card, among its reviewer's styles: all can be reached and read, by day and night."""

import re

import pytest
from anki.collection import Collection, ImportAnkiPackageOptions, ImportAnkiPackageRequest
from flipcards import Card, Deck
from flipcards.anki import export_anki

LONG = "a long line of code that goes on beyond the edge of every phone = 1"
TABLE = """
| method | parameters | memory | where |
| ------ | ---------: | ------ | ----- |
| LoRA | 8,388,608,000 | 18,000 MB | `attn` |
"""
CARD = Card(
    "all",
    f"What is $a$ in `x = 1`?\n\n```\n{LONG}\n```\n",
    f"It is $b$.\n\n$$\nc\n$$\n\n1. $d$\n2. two\n\n{TABLE}\n:::{{note}}\nSee `y = 2`.\n:::\n",
    f"Because of $e$ and `z = 3`, says [the manual](https://example.org/).\n\n```\n{LONG}\n```\n",
    source=("ada1843",),
    term="Engine",
    see="the-words",
)
# What a reviewer of Anki has in its own style sheets, and MathJax in its: the rules that a card meets.
HOST = """<style>
* { box-sizing: content-box; }
a { text-decoration: none; }
hr { background-color: #737373; margin: 1em 0; border: none; height: 1px; }
body { margin: 20px; overflow-wrap: break-word; }
body.nightMode { background-color: #2c2c2c; color: #fcfcfc; }
img { max-width: 100%; max-height: 95vh; }
mjx-container { position: relative; display: inline-block; white-space: nowrap; }
mjx-container[display="true"] { display: block; text-align: center; margin: 1em 0; }
mjx-math { display: inline-block; width: 40rem; height: 2rem; }
mjx-assistive-mml { position: absolute !important; top: 0; left: 0; clip: rect(1px, 1px, 1px, 1px);
  padding: 1px 0 0 0 !important; border: 0 !important; display: block !important; width: auto !important;
  overflow: hidden !important; }
mjx-assistive-mml[display="block"] { width: 100% !important; }
mjx-assistive-mml div { width: 50rem; height: 20rem; }
</style>"""
FORMULA = "<mjx-math></mjx-math><mjx-assistive-mml{block}><div></div></mjx-assistive-mml></mjx-container>"
INLINE = "<mjx-container>" + FORMULA.format(block="")
DISPLAY = '<mjx-container display="true">' + FORMULA.format(block=' display="block"')
MODES = {"day": "card card1", "night": "card card1 nightMode night_mode"}


@pytest.fixture(params=MODES)
def answer(request, tmp_path, new_context, serve):
    """The answer of a card, on a phone; formulas are boxes wider than that, as MathJax builds them."""
    export_anki([Deck((CARD,))], tmp_path / "x.apkg", page_url=lambda deck, card: "https://example.org/#all")
    collection = Collection(str(tmp_path / "collection.anki2"))
    package = ImportAnkiPackageRequest(
        package_path=str(tmp_path / "x.apkg"), options=ImportAnkiPackageOptions()
    )
    collection.import_anki_package(package)
    shown = collection.get_card(collection.find_cards("")[0]).answer()
    collection.close()
    shown, inline = re.subn(r"\\\(.*?\\\)", INLINE, shown)
    shown, display = re.subn(r"\\\[.*?\\\]", DISPLAY, shown, flags=re.DOTALL)
    assert (inline, display) == (4, 1)
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "index.html").write_text(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Anki</title>{HOST}</head>'
        f'<body class="{MODES[request.param]}"><main id="qa">{shown}</main></body></html>',
        encoding="utf-8",
    )
    page = new_context(width=400, height=700, dark=request.param == "night").new_page()
    page.goto(f"{serve(tmp_path / 'web')}/index.html")
    return page


def test_what_is_too_wide_scrolls_where_it_stands_and_only_sideways(answer):
    assert answer.evaluate("document.documentElement.scrollWidth") == 400
    scrolling = """[...document.querySelectorAll("#qa *")]
        .filter((one) => one.scrollWidth > one.clientWidth && getComputedStyle(one).overflowX === "auto")
        .map((one) => [one.matches(".math") ? "math" : one.localName, one.scrollWidth > 700])"""
    # The formulas are 640 px wide; what MathJax keeps for screen readers would be 800.
    assert sorted(answer.evaluate(scrolling)) == [
        ["math", False],
        ["ol", False],
        *[["p", False]] * 3,
        *[["pre", False]] * 2,
        ["table", False],
    ]
    tall = """[...document.querySelectorAll("#qa *")].filter((one) =>
        one.scrollHeight > one.clientHeight && getComputedStyle(one).overflowY !== "visible"
        && !one.matches("mjx-assistive-mml")).map((one) => one.outerHTML)"""
    assert answer.evaluate(tall) == []


def test_text_code_and_links_stand_out_from_what_is_behind_them(answer, violations):
    assert violations(answer, colours_only=True) == set()
    colour = "(selector) => getComputedStyle(document.querySelector(selector)).backgroundColor"
    page, why, note, front = (
        answer.evaluate(colour, selector)
        for selector in ("body", ".flipcard-why", ".admonition", ".flipcard-front code")
    )
    assert page in ("rgb(255, 255, 255)", "rgb(30, 34, 39)")  # not Anki's own
    assert why == note == front != page
    for selector in (".flipcard-why code", ".flipcard-why pre", ".admonition code"):
        assert answer.evaluate(colour, selector) == page
    style = "(selector) => getComputedStyle(document.querySelector(selector))"
    assert answer.evaluate(f"({style})('.flipcard-front pre').fontWeight") == "400"
    assert answer.evaluate(f"({style})('.flipcard-why a').textDecorationLine") == "underline"


def test_one_thin_line_parts_question_and_answer(answer):
    assert answer.locator("#answer").bounding_box()["height"] == 1
