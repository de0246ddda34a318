"""A book whose every word is marked: what a reader sees without a mark is not in the catalogue."""

import base64
import io
import json
import re
import sys
import textwrap
import warnings
from contextlib import redirect_stderr, redirect_stdout

import nbformat
import pytest
from flipcards import Card, Deck
from flipcards.flipbook import MIME_TYPE
from flipcards.widget import STATIC, html_of
from flipcards.words import LIVE_SECTIONS, english, load
from sphinx.cmd import build

# Whatever the author of the book wrote begins with a q; nothing of the package does.
FILES = {
    "conf.py": (
        "project = 'qbook'\nlanguage = 'ja'\nextensions = ['myst_nb', 'flipcards.sphinx']\n"
        "flipcards_decks = ['decks/*.yml']\nflipcards_words = 'words.json'\nnb_execution_mode = 'off'\n"
        "flipcards_report_url = 'https://example.org/{card}'\n"
    ),
    "index.md": "# qindex\n\n```{toctree}\n:caption: qpart\nqcards\nqmore\nqtoday\nqfigure\n```\n",
    "qcards.md": (
        "(qlabel)=\n# qcards\n\n```{flipcards} decks/qone.yml\n```\n\n```{glossary}\nqterm\n  qmeaning\n```\n"
    ),
    "qmore.md": (
        "# qmore\n\n```{flipcards} decks/qtwo.yml\n```\n\n"
        "```{flipcards} decks/qone.yml\n:borrowed:\n:cards: qa\n```\n"
    ),
    "qtoday.md": "# qtoday\n\n```{flipcards-today}\n```\n",
    "decks/qone.yml": """\
        title: qdeck
        cards:
          - {id: qa, front: 'qfront {term}`qterm`', back: q, why: q, term: qterm, see: qlabel, tags: [qx]}
          - {id: qb, front: qfront, back: qback, tags: [qx, qy]}
          - {id: qc, front: qfront, back: qback, tags: [qy]}
        """,
    "decks/qtwo.yml": "title: qdeck\ncards:\n  - {id: qd, front: qfront, back: qback, tags: [qz]}\n",
}
# Every text that is seen or read out within the package's own elements, but for what is marked, the author's,
# and the names in a progress file.
UNMARKED = """
seen => {
  const own = ".flipcards, .flipcards-decks, .flipcards-export, .flipbook, dialog";
  const texts = new Set();
  for (const root of document.querySelectorAll(own)) {
    for (const element of [root, ...root.querySelectorAll("*")]) {
      if (element.closest("script, style, kbd, annotation, math")) continue;
      if (!element.checkVisibility() && !element.closest("[role=status], option, svg, noscript")) continue;
      for (const name of ["aria-label", "title", "alt", "placeholder", "aria-valuetext"]) {
        if (element.hasAttribute(name)) texts.add(element.getAttribute(name));
      }
      for (const node of element.childNodes) if (node.nodeType === Node.TEXT_NODE) texts.add(node.data);
    }
  }
  const unmarked = [];
  for (const text of texts) {
    seen.push(...(text.match(/⟦[^⟧]*⟧/g) ?? []));
    const rest = text.replace(/⟦[^⟧]*⟧/g, "").replace(/\\bq\\w*|'(id|schema)/g, "");
    if (/[A-Za-z]/.test(rest)) unmarked.push(text.trim());
  }
  return [unmarked, seen];
}
"""


def marked(message):
    """A message whose own words are marked, but not what stands in its places."""
    if not isinstance(message, str):
        return {form: marked(text) for form, text in message.items()}
    return "".join(
        part if re.fullmatch(r"\{\w+\}|\W*", part) else f"⟦{part}⟧"
        for part in re.split(r"(\{\w+\})", message)
    )


def catalogue():
    """The words of a language in which each is marked. Months and days of Japanese have no Latin letter."""
    sections = {
        section: {key: marked(message) for key, message in messages.items()}
        for section, messages in english().sections.items()
    }
    return json.dumps({"language": "ja", **sections}, ensure_ascii=False)


def figure():
    """A flipbook as a cell has put it out: two settings of a knob."""
    drawn = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
    dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
    output = {
        "format": 1,
        "knobs": [{"name": "qknob", "label": "qknob", "values": ["1", "2"], "ordered": True}],
        "start": 0,
        "pictures": [
            {"kind": "svg", "content": base64.b64encode(drawn).decode(), "width_px": 9, "height_px": 9}
        ],
        "frames": [{"picture": 0, "numbers": [["qsize", number]]} for number in ("1", "2")],
        "still": dot,
    }
    cell = nbformat.v4.new_code_cell("qfigure", id="figure")
    cell.outputs = [nbformat.v4.new_output("display_data", {MIME_TYPE: output})]
    title = nbformat.v4.new_markdown_cell("# qfigure", id="title")
    about = {"language_info": {"name": "python", "pygments_lexer": "python"}}
    return nbformat.writes(nbformat.v4.new_notebook(cells=[title, cell], metadata=about))


@pytest.fixture(scope="module")
def address(serve, tmp_path_factory):
    """The address of the book in marked words, and of a notebook's view in them."""
    folder = tmp_path_factory.mktemp("marked")
    for name, text in {**FILES, "words.json": catalogue(), "qfigure.ipynb": figure()}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(textwrap.dedent(text), "utf-8")
    printed, hook = io.StringIO(), sys.excepthook
    with redirect_stdout(printed), redirect_stderr(printed), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Sphinx's own and its other extensions'
        code = build.main(["-q", "-W", "-n", "--keep-going", str(folder), str(folder / "_out")])
    sys.excepthook = hook
    assert code == 0, printed.getvalue()
    return serve(folder / "_out")


class Reader:
    """Looks at a page as often as it is told, and remembers the marked words it saw."""

    def __init__(self, page):
        self.page = page
        self.seen = []

    def look(self):
        """Nothing in sight is without a mark."""
        unmarked, self.seen = self.page.evaluate(UNMARKED, self.seen)
        assert unmarked == []

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def click(self, words, within="body"):
        self.page.locator(within).get_by_text(f"⟦{words}⟧", exact=True).first.click()

    def rate(self, key):
        self.press("Space")
        self.page.wait_for_selector(".flipcards-ratings")
        self.look()
        self.press(key)


def test_every_word_of_cards_study_progress_and_figures_is_in_the_catalogue(
    new_context, address, tmp_path, page_errors
):
    page = new_context().new_page()
    reader = Reader(page)
    page.goto(f"{address}/qcards.html")
    page.wait_for_selector(".flipcards-bar:not(.flipcards-place)")
    reader.look()
    page.locator("summary").first.focus()
    reader.press("?")
    page.wait_for_selector("dialog[open]")
    reader.look()
    reader.press("Escape")
    for words in ("Flip all", "Shuffle"):
        reader.click(words)
        reader.look()
    page.get_by_role("button", name="qy").click()
    reader.look()
    reader.click("All")

    # --- A session: keys, options with a wrong setting and damaged files, every rating, the end ---
    reader.click("Study")
    page.wait_for_selector(".flipcards-stage .flipcard")
    reader.look()
    reader.press("?")
    page.wait_for_selector("dialog[open]")
    reader.look()
    reader.press("Escape", "o")
    dialog = page.locator(".flipcards-options")
    for field in dialog.locator("input[inputmode]").all():
        before = field.input_value()
        field.fill("-")
        field.press("Tab")
        reader.look()
        field.fill(before)
        field.press("Tab")
    for content in ("", "no log\n", '{"schema": 1, "id": 5}\n', '{"schema": 0}\n{"schema"'):
        file = tmp_path / "qprogress"
        file.write_text(content, "utf-8")
        before = dialog.locator("[role=status]").inner_text()
        dialog.locator("input[type=file]").set_input_files(file)
        page.wait_for_function(
            "before => document.querySelector('.flipcards-options [role=status]').innerText !== before",
            arg=before,
        )
        reader.look()
    dialog.locator("input[inputmode]").first.fill("-")
    reader.press("Escape")
    reader.look()
    reader.press("Escape")
    dialog.wait_for(state="detached")
    reader.press("s")
    reader.look()
    reader.press("u", "b")
    reader.look()
    for key in ("1", "4", "3", "3", "4"):
        if page.locator(".flipcards-end").count():
            break
        reader.rate(key)
    page.wait_for_selector(".flipcards-end")
    reader.look()
    reader.click("Cram these cards")
    page.wait_for_selector(".flipcards-stage .flipcard")
    reader.look()
    page.goto(f"{address}/qmore.html")
    page.wait_for_selector(".flipcards-bar")
    for card in page.locator("summary").all():
        card.click()
    reader.look()

    # --- Today, and the figure ---
    page.goto(f"{address}/qtoday.html")
    page.wait_for_selector(".flipcards-figures > *")
    page.get_by_text("⟦Hardest cards⟧").first.wait_for()  # the last of the figures
    for details in page.locator("details.flipcards-numbers, details.flipcards-deck").all():
        details.evaluate("e => { e.open = true; }")
    page.wait_for_function(
        """() => [...document.querySelectorAll(".flipcards-deck")]
            .every((deck) => deck.querySelector("section:has(> .flipcards-status)"))"""
    )
    reader.look()
    page.goto(f"{address}/qfigure.html")
    page.wait_for_selector(".flipbook-turning")
    page.locator(".flipbook-numbers summary").click()
    reader.look()
    assert len(set(reader.seen)) > 110, "the walk saw most of the catalogue"
    assert page_errors == []


WIDGET = """<!doctype html><html lang="ja"><title>q</title><main></main>
<script type="application/json">%s</script>
<script type="module">
  import widget from "./flipcards.js";
  const state = JSON.parse(document.querySelector("script").textContent);
  const model = { get: (name) => state[name], set() {}, save_changes() {}, on() {}, off() {}, send() {} };
  await widget.render({ model, el: document.querySelector("main") });
</script>
"""


def test_a_view_in_a_notebook_has_its_words_from_python(new_context, serve, tmp_path):
    (tmp_path / "flipcards.js").write_bytes((STATIC / "flipcards.js").read_bytes())
    (tmp_path / "words.json").write_text(catalogue(), "utf-8")
    words = load(tmp_path / "words.json").table(LIVE_SECTIONS)
    deck = Deck((Card("qa", "qfront", "qback"), Card("qb", "qfront", "qback")))
    study = {"key": "0" * 32, "name": "qprogress"}
    state = {"html": html_of(deck), "words": words, "study": study, "settings": {}}
    (tmp_path / "index.html").write_text(WIDGET % json.dumps(state).replace("<", "\\u003c"), "utf-8")
    reader = Reader(new_context().new_page())
    reader.page.goto(serve(tmp_path))
    reader.page.wait_for_selector(".flipcards-line")
    reader.look()
    reader.page.wait_for_selector("[data-link=silent]")  # no Python answers
    reader.look()
    reader.click("Study")
    reader.page.wait_for_selector(".flipcards-stage .flipcard")
    reader.rate("3")
    reader.look()
    assert len(set(reader.seen)) > 20
