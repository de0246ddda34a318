"""What a face becomes where there is no Sphinx: each construct, its plain form, its text and its faults."""

import base64
import re

import pytest
from flipcards import markup
from flipcards.markup import Faces, faults
from flipcards.references import BibliographyError
from hypothesis import given, settings
from hypothesis import strategies as st

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"><script>alert(1)</script></svg>'
BIB = """
@misc{hu2021, author={Hu, Edward J. and Shen, Yelong and Wallis, Phillip}, title={LoRA}, year={2021}}
@misc{two2020, author={von Werra, Leandro and {Thinking Machines Lab}}, title={Two}, year={2020}}
@misc{ouyang2022, author={Ouyang, Long and others and X, Y}, title={InstructGPT}, year={2022}}
@book{edited1999, editor={M{\\"u}ller, Ada}, title={Edited}, year={1999}}
@misc{nobody, title={A {Title} Alone}}
"""


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """A folder with pages, decks, images and a bibliography."""
    book = tmp_path_factory.mktemp("book")
    (book / "decks" / "img").mkdir(parents=True)
    (book / "pages").mkdir()
    (book / "works.bib").write_text(BIB)
    (book / "decks" / "img" / "dot.png").write_bytes(PNG)
    (book / "decks" / "drawing.svg").write_bytes(SVG)
    (book / "decks" / "page.png").write_bytes(b"<!DOCTYPE html><script>alert(1)</script>")
    (book / "decks" / "huge.png").write_bytes(PNG + b"\\0" * markup.MAX_IMAGE_BYTES)
    (book / "pages" / "near.gif").write_bytes(b"GIF89a")
    (book.parent / "outside.png").write_bytes(PNG)
    (book / "pages" / "lora.md").write_text(
        """\
---
title: settings, not a heading
---

(lab-lora)=
(lab-alias)=
# LoRA: *parameters* against $r$ -- "rank"

```python
# (not-a-label)=
```

(no-title)=
A paragraph.

```{figure} x.png
:name: fig:x
What the figure
shows.

A legend.
```

```{list-table} What each costs.
:name: tab:costs
* - x
```

```{code-cell} ipython3
---
mystnb:
  figure: {caption: Loss by step., name: fig:loss}
---
plot()
```

````{exercise} Count them
:label: ex-count

(inner)=
## Inside
````
"""
    )
    return book


@pytest.fixture(scope="module")
def faces(book):
    """The faces of a deck in that book."""
    return Faces(bibliography=book / "works.bib", pages=book / "pages", folder=book / "decks")


@pytest.fixture(scope="module")
def bare():
    """The faces of a deck that names neither bibliography nor pages."""
    return Faces()


# --- Markdown


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a *b* **c** `d`", "<p>a <em>b</em> <strong>c</strong> <code>d</code></p>\n"),
        ("a\\\nb", "<p>a<br>\nb</p>\n"),
        ("one\n\ntwo", "<p>one</p>\n<p>two</p>\n"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"),
        ("3. a\n4. b", '<ol start="3">\n<li>a</li>\n<li>b</li>\n</ol>\n'),
        ("> q", "<blockquote>\n<p>q</p>\n</blockquote>\n"),
        ("Term\n: Text", "<dl>\n<dt>Term</dt>\n<dd>Text</dd>\n</dl>\n"),
        ("    a < b", "<pre><code>a &lt; b\n</code></pre>\n"),
        ("```python\nx = 1 < 2\n```", '<pre><code class="language-python">x = 1 &lt; 2\n</code></pre>\n'),
        ("```{code-block} c++\n:linenos:\n\nx\n```", '<pre><code class="language-c++">x\n</code></pre>\n'),
        ("```\nx\n```", "<pre><code>x\n</code></pre>\n"),
        ("# Heading", "<p><strong>Heading</strong></p>\n"),
        ("~~kept~~", "<p>~~kept~~</p>\n"),
        ("a % b\n% comment", "<p>a % b</p>\n"),
        ("<b>x</b> &amp; &lt;", "<p>&lt;b&gt;x&lt;/b&gt; &amp; &lt;</p>\n"),
        ("{{ x }}", "<p>{{ x }}</p>\n"),
        ("(label)=\ntext", "<p>text</p>\n"),
    ],
)
def test_markdown_becomes_plain_html(bare, text, html):
    assert bare.html(text) == html


def test_a_table_keeps_the_alignment_of_its_columns(bare):
    html = bare.html("| a | b |\n|:--|--:|\n| 1 | 2 |")
    assert re.sub(r"\s", "", html) == re.sub(
        r"\s",
        "",
        '<table><thead><tr><th class="text-left">a</th><th class="text-right">b</th></tr></thead>'
        '<tbody><tr><td class="text-left">1</td><td class="text-right">2</td></tr></tbody></table>',
    )


@pytest.mark.parametrize("fence", ["```", ":::"])
def test_an_admonition_has_its_title_and_its_text(bare, fence):
    html = bare.html(f"{fence}{{tip}}\nUse *it*.\n{fence}")
    assert html == (
        '<div class="admonition tip"><p class="admonition-title">Tip</p>\n<p>Use <em>it</em>.</p>\n</div>\n'
    )
    assert bare.text(f"{fence}{{admonition}} My *title*\nText\n{fence}") == "My title\nText"


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("\"a\" 'b' don't", "“a” ‘b’ don’t"),
        ('{term}`PPO`\'s "{term}`policy`"', "PPO’s “policy”"),
        ("1--2 --- so...", "1–2 — so…"),
        ('`"a"--b` {kbd}`"`', '<code>"a"--b</code> <kbd>"</kbd>'),
    ],
)
def test_quotes_and_dashes_are_those_of_the_book(bare, text, html):
    assert bare.html(text) == f"<p>{html}</p>\n"


# --- roles


@pytest.mark.parametrize(
    ("role", "text"),
    [
        ("{term}`LoRA`", "LoRA"),
        ("{term}`low-rank matrices <low-rank matrix>`", "low-rank matrices"),
        ("{ref}`lab-lora`", "LoRA: parameters against r – “rank”"),
        ("{ref}`LAB-alias`", "LoRA: parameters against r – “rank”"),
        ("{ref}`the lab <lab-lora>`", "the lab"),
        ("{ref}`unknown-label`", "unknown-label"),
        ("{ref}`inner`", "Inside"),
        ("{ref}`ex-count`", "Count them"),
        ("{ref}`tab:costs`", "What each costs."),
        ("{numref}`fig:x`", "What the figure shows."),
        ("{numref}`Figure %s <fig:x>`", "Figure"),
        ("{numref}`{name} <fig:loss>`", "Loss by step."),
        ("{doc}`../pages/lora`", "LoRA: parameters against r – “rank”"),
        ("{doc}`/pages/lora.md`", "LoRA: parameters against r – “rank”"),
        ("{doc}`lora`", "LoRA: parameters against r – “rank”"),
        ("{doc}`this <lora>`", "this"),
        ("{doc}`../../../secret`", "secret"),
        ("{eq}`eq:sft`", "the equation"),
        ("{kbd}`Ctrl`+{kbd}`C`", "Ctrl+C"),
        ("{abbr}`LoRA (low-rank adaptation)`", "LoRA"),
        ("H{sub}`2`O x{sup}`2`", "H2O x2"),
        ("{guilabel}`&File` {menuselection}`A --> B`", "File A ‣ B"),
        ("{samp}`git {name}`", "git name"),
        ("{pep}`8` {rfc}`2119`", "PEP 8 RFC 2119"),
        ("{py:func}`~os.path.join` {py:class}`deck.Deck`", "join() deck.Deck"),
        ("{math}`x^2` {code}`a--b` {dfn}`d` {command}`ls`", "x^2 a--b d ls"),
        ("{unknown-role}`text <target>`", "text"),
        ("{cite}`hu2021`", "[Hu et al., 2021]"),
        ("{cite:p}`hu2021`", "[Hu et al., 2021]"),
        ("{cite}`two2020`", "[von Werra and Thinking Machines Lab, 2020]"),
        ("{cite}`edited1999`", "[Müller, 1999]"),
        ("{cite}`nobody`", "[A Title Alone, n.d.]"),
        ("{cite:t}`hu2021`", "Hu et al. [2021]"),
        ("{cite:ct}`two2020`", "Von Werra and Thinking Machines Lab [2020]"),
        ("{cite:ps}`hu2021`", "[Hu, Shen, and Wallis, 2021]"),
        ("{cite:alp}`hu2021`", "Hu et al., 2021"),
        ("{cite:author}`hu2021` {cite:year}`hu2021`", "Hu et al. 2021"),
        ("{cite:authorpar}`hu2021` {cite:yearpar}`hu2021`", "[Hu et al.] [2021]"),
        ("{cite:p}`{see}hu2021{§4.1}`", "[see Hu et al., 2021, §4.1]"),
        ("{cite:t}`{see} hu2021 {§4.1}`", "Hu et al. [see 2021, §4.1]"),
        ("{cite}`unknown2000`", "[unknown2000]"),
    ],
)
def test_every_role_has_a_plain_form(faces, role, text):
    assert faces.text(role) == text
    assert "{" not in re.sub(r"<annotation.*?</annotation>", "", faces.html(role))


def test_several_works_are_cited_in_the_order_of_the_bibliography(faces):
    assert faces.text("{cite}`ouyang2022, two2020,hu2021`") == (
        "[Hu et al., 2021, Ouyang et al., 2022, von Werra and Thinking Machines Lab, 2020]"
    )
    assert faces.cite(["ouyang2022", "hu2021"]) == "[Hu et al., 2021, Ouyang et al., 2022]"


def test_et_al_is_emphasised_as_in_the_book(faces):
    assert faces.html("{cite}`hu2021`") == "<p>[Hu <em>et al.</em>, 2021]</p>\n"


def test_an_abbreviation_says_what_it_stands_for(bare):
    html = bare.html('{abbr}`LoRA (low-"rank")`')
    assert html == '<p><abbr title="low-&quot;rank&quot;">LoRA</abbr></p>\n'


def test_the_title_of_a_label_is_plain_text_or_none(faces):
    assert faces.title("lab-lora") == "LoRA: parameters against r – “rank”"
    assert faces.title("no-title") is None
    assert faces.title("not-a-label") is None


def test_without_bibliography_and_pages_keys_and_labels_are_shown(bare):
    assert bare.text("{cite}`hu2021,x` {ref}`lab-lora` {doc}`../pages/lora`") == "[hu2021, x] lab-lora lora"


def test_an_edited_bibliography_and_an_edited_page_are_read_again(tmp_path):
    works, page = tmp_path / "works.bib", tmp_path / "page.md"
    for author, title in (("First", "One"), ("Second", "Three")):
        works.write_text(f"@misc{{key, author={{{author}}}, title={{T}}, year=2021}}")
        page.write_text(f"(label)=\n# {title}\n")
        faces = Faces(bibliography=works, pages=tmp_path)
        assert faces.text("{cite}`key` {ref}`label`") == f"[{author}, 2021] {title}"


@pytest.mark.parametrize(
    "content", ["@misc{key, author=", "@misc{a, year=1}\n@misc{a, year=2}", b"\xff@misc{a,}"]
)
def test_a_bibliography_that_cannot_be_read_is_named(tmp_path, content):
    file = tmp_path / "works.bib"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BibliographyError, match=r"works\.bib: "):
        Faces(bibliography=file).html("{cite}`a`")
    with pytest.raises(BibliographyError, match=r"gone\.bib: No such file"):
        Faces(bibliography=tmp_path / "gone.bib").html("{cite}`a`")


# --- math


def test_math_is_typeset_for_eyes_and_for_screen_readers(bare):
    html = bare.html("Rank $r \\ll d$.")
    assert '<span class="katex-mathml"><math' in html
    assert '<annotation encoding="application/x-tex">r \\ll d</annotation>' in html
    assert html.startswith("<p>Rank <span")


@pytest.mark.parametrize(
    "text",
    [
        "$$h = W_0 x$$",
        "$$\nh = W_0 x\n$$",
        "```{math}\nh = W_0 x\n```",
        "\\begin{equation*}\nh = W_0 x\n\\end{equation*}",
        "\\begin{align}\na &= b \\\\\nc &= d\n\\end{align}",
        "$$\na &= b \\\\\nc &= d\n$$",
    ],
)
def test_display_math_stands_in_a_block_of_its_own(bare, text):
    html = bare.html(text)
    assert html.startswith('<div class="math"><span class="katex-display">')
    assert "katex-error" not in html
    assert "eqn-num" not in html


def test_tex_with_an_error_is_shown_as_written(bare):
    assert bare.html("$\\fraction{<b>}$") == "<p><code>\\fraction{&lt;b&gt;}</code></p>\n"


def test_the_text_of_math_is_its_tex(bare):
    assert bare.text("Rank $r$ of\n\n$$BA$$\n\nend") == "Rank r of\nBA\nend"


def test_text_cannot_name_a_place_for_math(bare):
    """The mark of such a place is drawn when the module is loaded; whoever knows it still gets no code in."""
    assert bare.html(f"{markup._MARK}") == f"<p>{markup._MARK}</p>\n"
    assert bare.html("$x$ 0; 00;").count("katex-mathml") == 1


# --- links and images


@pytest.mark.parametrize("url", ["https://a.example/x?a=1&b=2#c", "http://a.example", "mailto:a@b.example"])
def test_links_to_the_web_stay_and_tell_nobody_where_they_are(bare, url):
    html = bare.html(f"[text]({url})")
    assert html == f'<p><a href="{url.replace("&", "&amp;")}" rel="noopener noreferrer">text</a></p>\n'
    assert bare.html(f"[text]({url})", links=False) == "<p>text</p>\n"


def test_an_address_is_a_link_without_typography(bare):
    assert ">https://a.example/a--b</a>" in bare.html("<https://a.example/a--b>")
    assert ">https://a.example/a--b</a>" in bare.html("[](https://a.example/a--b)")


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("[the lab](#lab-lora)", "the lab"),
        ("[](#lab-lora)", "LoRA: parameters against r – “rank”"),
        ("[](../pages/lora.md)", "LoRA: parameters against r – “rank”"),
        ("[*it*](../pages/lora.md#x)", "<em>it</em>"),
        ("[a](file:///x) [b](//a.example/)", "[a](file:///x) b"),
        ("[a](javascript:alert(1))", "[a](javascript:alert(1))"),
        ("[a](ftp://a.example/)", "a"),
    ],
)
def test_links_within_the_book_and_to_elsewhere_are_text(faces, text, html):
    assert faces.html(text) == f"<p>{html}</p>\n"


def test_the_links_of_a_face_are_found_once_each(faces):
    text = "[*a*](https://a.example) [*a*](https://a.example) <https://b.example> [x](#lab-lora)"
    assert faces.links(text) == [
        '<a href="https://a.example" rel="noopener noreferrer"><em>a</em></a>',
        '<a href="https://b.example" rel="noopener noreferrer">https://b.example</a>',
    ]
    assert faces.links("no link") == []


def test_a_local_image_travels_in_the_html(faces):
    data = base64.b64encode(PNG).decode()
    assert faces.html('![A *red* $r$](img/dot.png "title")') == (
        f'<p><img src="data:image/png;base64,{data}" alt="A red r" title="title"></p>\n'
    )
    assert 'src="data:image/gif;base64,' in faces.html("![x](../pages/near.gif)")
    assert faces.html("```{image} img/dot.png\n:alt: dot\n```").count("<img") == 1


def test_an_svg_is_only_ever_an_image(faces):
    html = faces.html("![x](drawing.svg)")
    assert html.startswith('<p><img src="data:image/svg+xml;base64,')
    assert "script" not in html


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("https://a.example/x.png", "is not loaded from elsewhere; keep a copy beside the deck"),
        ("//a.example/x.png", "is not loaded from elsewhere; keep a copy beside the deck"),
        ("img/gone.png", "there is no image img/gone.png; paths are relative to the deck"),
        ("../../outside.png", "lies outside the book; keep it beside the deck"),
        ("/etc/hostname", "lies outside the book; keep it beside the deck"),
        ("page.png", "is no PNG, JPEG, GIF, WebP or SVG image; convert it to one"),
        ("huge.png", "at most 2,000,000 fit"),
        ("img", "there is no image img"),
        ("x%00.png", "cannot be read"),
    ],
)
def test_any_other_image_is_its_alternative_text_and_a_fault(faces, source, problem):
    assert faces.html(f"![what it <shows>]({source})") == "<p>what it &lt;shows&gt;</p>\n"
    [(line, message)] = faces.faults(f"text\n![shows]({source})")
    assert line == 1
    assert problem in message


def test_without_a_folder_no_file_is_read(bare):
    assert bare.html("![alt](/etc/hostname)") == "<p>alt</p>\n"


# --- text


def test_the_text_is_what_a_reader_hears(faces):
    text = (
        "One *two*\nthree `a  b`.\n\n1. x\n2. y {cite}`hu2021`\n\n"
        "```python\nif x:\n    y\n\nz\n```\n\n| a | b |\n|-|-|\n| 1 | 2 |\n\n![dot](img/dot.png) <b>"
    )
    assert faces.text(text).splitlines() == [
        *("One two three a b.", "x", "y [Hu et al., 2021]", "if x:", "    y", "z", "a", "b", "1", "2"),
        "dot <b>",
    ]


def test_characters_that_reorder_text_are_taken_out(bare):
    text = "a\u202eb &#x202e; `\u2066c` $\\text{\u202ed}$ [e](https://a.example/\u202e)"
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", bare.html(text) + bare.text(text))
    assert "\u200fשלום" in bare.html("\u200fשלום")


def test_a_question_of_right_to_left_text_keeps_its_characters(bare):
    assert bare.html("مرحبا *بك*") == "<p>مرحبا <em>بك</em></p>\n"


# --- faults


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a\n\n(label)=\nb", 2, "the label '(label)=' cannot stand in a face; set it on a page"),
        ("a\n\n# b", 2, "a heading cannot stand in a face; write it in bold"),
        ("a\n\n***\n\nb", 2, "a rule ('---') cannot stand in a face; leave it out"),
        ("a\nb[^1]\n\n[^1]: c", 1, "a footnote cannot stand in a face; write its text in 'why'"),
        ("a\n\n[^1]: b", 2, "a footnote cannot stand in a face; write its text in 'why'"),
        ("a\n\n$$b$$ (eq)", 2, "the equation has the label 'eq'; leave it out, or set it on a page"),
        ("$$b \\label{eq}$$", 0, "the equation has the label 'eq'; leave it out, or set it on a page"),
        ("```{math}\n:label: eq\nb\n```", 0, "the label 'eq' cannot stand in a face; set it on a page"),
        (
            "\\begin{align}\na\n\\end{align}",
            0,
            "the equation would be numbered; write align* instead of align",
        ),
        ("a\n\n```{raw} html\n<b>\n```", 2, "the directive {raw} has no plain form; write its text"),
        ("```{eval-rst}\n```", 0, "the directive {eval-rst} has no plain form; write its text"),
        ("```{include} x\n```", 0, "the directive {include} has no plain form; write its text"),
        (
            "````{note}\nx\n```{raw} html\n```\n````",
            2,
            "the directive {raw} has no plain form; write its text",
        ),
        (":::{note}\n\n\n# x\n:::", 3, "a heading cannot stand in a face; write it in bold"),
        (":::{note}\n:class: x\ny\n:::", 0, "the option 'class' has no plain form; leave it out"),
        ("```{note}\n---\nclass: [x]\n---\ny\n```", 0, "the option 'class' has no plain form; leave it out"),
        (
            "```{note}\n :'class': x\ny\n```",
            0,
            "the options cannot be read; write ':name: value', a line each",
        ),
        ("```{image} x\n:alt: y\n:target: z\n```", 0, "the option 'target' has no plain form; leave it out"),
        ("::: flipcard\nx\n:::", 0, "a ':::' block needs a directive; write {note} or leave 'flipcard' out"),
        ("a\n<b>", 1, "HTML such as <b> is shown as text; write Markdown"),
        ("a </b>", 0, "HTML such as </b> is shown as text; write Markdown"),
        ("a\n\n<div>\n</div>", 2, "HTML is shown as text; write Markdown"),
        ("a\n\n<!-- b -->", 2, "HTML is shown as text; write Markdown"),
        ("a {{ b }}", 0, "a substitution is filled in on pages only; write its text"),
        ("{{ b }}", 0, "a substitution is filled in on pages only; write its text"),
        ("---\na: b\n---\nc", 0, "text between '---' lines is not shown; leave the lines out"),
        ("a\nb {download}`x`", 1, "the role {download} is unknown, or has no plain form; write its text"),
        ("{eval}`x`", 0, "the role {eval} is unknown, or has no plain form; write its text"),
        (
            "{reff}`x`",
            0,
            "the role {reff} is unknown, or has no plain form; did you mean {ref}? If not, write its text",
        ),
        ("a\nb $\\frac$", 1, "TeX: "),
        ("$$\na\n\\fraction\n$$", 2, "TeX: Undefined control sequence: \\fraction"),
        ("{math}`\\fraction`", 0, "TeX: Undefined control sequence: \\fraction"),
        (
            "$a^2 + \\fraction$",
            0,
            "TeX: Undefined control sequence: \\fraction, at: a^2 + ▶\\fraction; mend it there",
        ),
        ("$\\href{x}{y}$", 0, "TeX: \\href is shown as its own name; leave it out"),
        ("![](x.png)", 0, "the image x.png has no alternative text; say what it shows"),
        ("a\nb\u202e", 1, "the character U+202E turns the text around it; take it out"),
        ("a\nb &#x202e;", 1, "the character U+202E turns the text around it; take it out"),
        (
            "[a](ftp://b)",
            0,
            "the link ftp://b leads neither to the web nor to a page; write https://… or a path",
        ),
        ("[a](//b)", 0, "the link //b leads neither to the web nor to a page; write https://… or a path"),
    ],
)
def test_a_fault_names_its_line_and_the_remedy(text, line, message):
    found = faults(text)
    assert any(at == line and what.startswith(message) for at, what in found), found


def test_a_tag_and_its_end_are_one_fault():
    assert [what for _, what in faults("<b>bold</b> and <i>so</i>")] == [
        f"HTML such as <{tag}> is shown as text; write Markdown" for tag in "bi"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "A *plain* face with `code`, {term}`x`, {cite}`y`, {ref}`z` and $x$.",
        "1. a\n2. b\n\n> c\n\n| a |\n|-|\n| b |",
        "```python\n# not a heading\n<b>\n```",
        "```{code-block} python\n:linenos:\n(x)=\n```",
        "$$a = b$$\n\n\\begin{align*}\na &= b\n\\end{align*}",
        ":::{tip}\nText\n:::",
        "Term\n: Text",
        "[a](https://a.example) [b](#label) [c](../page.md) <https://d.example>",
        "2 < 3 and 4 > 3 & x",
        "% a comment",
    ],
)
def test_what_the_subset_holds_is_no_fault(text):
    assert faults(text) == []


def test_unknown_sources_labels_and_pages_are_found_when_asked_for(faces):
    text = "{cite}`hu2021,gone`\n{ref}`lab-lora` {ref}`no-title` {ref}`gone`\n{doc}`lora` {doc}`gone`"
    assert faces.faults(text) == []
    assert faces.faults(text, references=True) == [
        (0, "unknown source 'gone'; add it to works.bib"),
        (1, "unknown label 'gone'; set it on a page"),
        (2, "there is no page gone; paths are relative to the deck"),
    ]


def test_a_link_to_a_page_that_is_not_there_is_found_when_asked_for(faces):
    text = "[a](lora.md) [b](lora.md#part) [c](notes.txt)\n[d](gone.md#part)"
    assert faces.faults(text) == []
    assert faces.faults(text, references=True) == [
        (1, "there is no page gone.md; paths are relative to the deck")
    ]


def test_a_link_out_of_the_book_is_a_fault(faces):
    [(_, message)] = faces.faults("[x](../../secret.txt)")
    assert message == "the link ../../secret.txt leads out of the book; link to a page or to the web"


def test_the_shipped_faces_have_no_faults(root):
    from flipcards.deck import Deck

    for file in sorted((root / "assets" / "decks").glob("*.yml")):
        deck = Deck.load(file)
        shown = Faces.of(deck)
        for card in deck:
            for face in (card.front, card.back, card.why):
                assert shown.faults(face, references=True) == [], (file.name, card.id)


# --- any text


@settings(deadline=None, max_examples=200)
@given(st.text(st.characters(exclude_categories=()), max_size=60))
def test_any_text_renders_safely(read_safely, text):
    face = f"before {text}\n\nafterwards"
    reader = read_safely(Faces().html(face))
    assert "afterwards" in reader.text or re.search(r"[`$:~\\{<(\[%-]", text)
    faults(face)
    Faces().text(face)


@pytest.mark.parametrize("depth", [1, 3, 50])
def test_directives_within_directives_end(bare, depth):
    text = "x"
    for level in range(depth):
        fence = "`" * (level + 3)
        text = f"{fence}{{note}}\n{text}\n{fence}"
    assert "x" in bare.text(text)
    assert bool(faults(text)) == (depth > markup.MAX_DEPTH)
