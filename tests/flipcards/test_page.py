"""The HTML shape of cards for hosts without Sphinx, and that no text of a deck breaks out of it."""

import dataclasses
import re

import pytest
from flipcards import page
from flipcards.deck import Card, Deck
from hypothesis import given, settings
from hypothesis import strategies as st


def deck(*cards, **fields):
    """A deck of these cards."""
    return Deck(tuple(cards), **fields)


PLAIN = Card("one", "What is *one*?", "The first.")


def test_a_deck_becomes_questions_that_open():
    assert page.section(deck(PLAIN)) == (
        '<section class="flipcards" data-deck="deck">\n'
        '<details class="flipcard" data-card="one">\n'
        '<summary class="flipcard-front" dir="auto">What is <em>one</em>?</summary>\n'
        '<div class="flipcard-back" dir="auto"><p>The first.</p>\n</div>\n'
        "</details>\n"
        "</section>\n"
    )


def test_the_answer_ends_with_why_and_where_it_comes_from(tmp_path):
    bibliography = tmp_path / "works.bib"
    bibliography.write_text(
        "@misc{hu2021, author={Hu, Edward and Shen, Y. and Wallis, P.}, title={T}, year=2021}"
    )
    (tmp_path / "lora.md").write_text("(lab-lora)=\n# LoRA & rank\n")
    card = dataclasses.replace(
        PLAIN, why="Because.", source=("hu2021",), term="LoRA", see="lab-lora", tags=("lora", "peft")
    )
    html = page.section(deck(card, bibliography=bibliography, pages=tmp_path))
    assert '<details class="flipcard" data-card="one" data-tags="lora peft">' in html
    assert (
        '<div class="flipcard-why"><p>Because.</p>\n</div>\n'
        '<footer class="flipcard-foot">'
        '<span class="flipcard-source"><span class="flipcard-label">Source: </span>[Hu et al., 2021]</span>\n'
        '<span class="flipcard-term"><span class="flipcard-label">Term: </span>LoRA</span>\n'
        '<span class="flipcard-see"><span class="flipcard-label">Shown in: </span>LoRA &amp; rank</span>\n'
        "</footer></div>\n"
    ) in html


def test_a_reference_without_a_title_is_shown_as_it_is():
    html = page.section(deck(dataclasses.replace(PLAIN, source=("hu2021",), see="lab-lora")))
    assert "</span>[hu2021]</span>" in html
    assert "</span>lab-lora</span>" in html


def test_the_cards_keep_their_order_and_the_deck_its_name(tmp_path):
    cards = [Card(f"c-{i}", "Q", "A") for i in (2, 0, 1)]
    html = page.section(deck(*cards, path=tmp_path / "rapid-recall.yml"))
    assert 'data-deck="rapid-recall"' in html
    assert re.findall(r'data-card="([^"]*)"', html) == ["c-2", "c-0", "c-1"]


def test_cards_have_ids_on_their_home_page_only(read_safely):
    assert read_safely(page.section(deck(PLAIN))).ids == []
    assert read_safely(page.section(deck(PLAIN), ids=True)).ids == ["card-one"]


def test_cards_away_from_home_link_to_it(read_safely):
    html = page.section(deck(PLAIN), home="home.html")
    assert 'data-home="home.html#card-one"' in html
    assert read_safely(html).links == ["home.html#card-one"]


def test_a_question_holds_no_link_and_the_answer_holds_it_instead(read_safely):
    card = Card("one", "See [*here*](https://a.example/) and <https://b.example/>?", "A")
    html = page.section(deck(card))
    summary = re.search(r"<summary.*?</summary>", html, re.DOTALL)[0]
    assert "<a" not in summary
    assert "See <em>here</em> and https://b.example/?" in summary
    assert read_safely(html).links == ["https://a.example/", "https://b.example/"]
    assert '<span class="flipcard-links"><span class="flipcard-label">In the question: </span><a' in html


@pytest.mark.parametrize("front", ["Q", "`code`", "![alt](x.png)", "$x$", "**b** & <c>", "a\\\nb"])
def test_a_question_of_one_paragraph_is_phrasing_content(front):
    html = page.section(deck(Card("one", front, "A")))
    assert "<p" not in re.search(r"<summary.*?</summary>", html, re.DOTALL)[0]


@pytest.mark.parametrize("front", ["- a\n- b", "one\n\ntwo", "> q", "```\ncode\n```", "one\n\n- a\n\ntwo"])
def test_a_longer_question_keeps_its_blocks(front, read_safely):
    html = page.section(deck(Card("one", front, "A")))
    assert re.search(r"<summary[^>]*><(p|ul|blockquote|pre)>", html)
    read_safely(html)


def test_text_in_every_attribute_is_escaped(read_safely):
    text = "\"'><b>&amp;\u202e"
    card = Card(text, "Q", "A", source=(text,), term=text, see=text, tags=(text,))
    html = page.section(deck(card, path=None), home="home.html", ids=True)
    reader = read_safely(html)
    assert reader.ids == ["card-\"'><b>&amp;"]
    assert "\"'><b>&amp;" in reader.text
    assert "<b>" not in html


@pytest.mark.parametrize(
    "html",
    [
        "<script>x</script>",
        "<p onclick=x>x</p>",
        "<p style=x>x</p>",
        "<p id=x>x</p>",
        "<p class=flipped>x</p>",
        "<a href=javascript:x rel='noopener noreferrer'>x</a>",
        "<a href=https://a.example>x</a>",
        "<img src=https://a.example/x.png>",
        "<img src=data:text/html;base64,x>",
        "<span class=katex><a href=x>x</a></span>",
        "<span class=katex><span style='background:url(x)'></span></span>",
        "<svg></svg>",
        "<p>x",
        "</p>",
        "<p><em>x</p></em>",
        "<!-- x -->",
        "<!DOCTYPE html>",
        "<p>\u202e</p>",
    ],
)
def test_the_reader_of_these_tests_refuses_what_is_unsafe(html, read_safely):
    with pytest.raises(AssertionError, match=r"."):
        read_safely(html)


FACES = ("front", "back", "why")
NAMES = ("id", "source", "term", "see", "tags")


@pytest.mark.parametrize("name", [*FACES, *NAMES])
def test_no_hostile_text_survives_in_any_field(name, hostile, read_safely):
    assert len(hostile) >= 100
    for text in hostile:
        value = (text,) if name in ("source", "tags") else text
        card = dataclasses.replace(PLAIN, **{name: value})
        reader = read_safely(page.section(deck(card, dataclasses.replace(PLAIN, id="two"))))
        shape = {tag: reader.count.get(tag, 0) for tag in ("section", "details", "summary")}
        assert shape == {"section": 1, "details": 2, "summary": 2}, text


def test_no_hostile_title_or_path_survives(hostile, read_safely, tmp_path):
    for text in hostile:
        shown = deck(PLAIN, title=text, path=tmp_path / text.replace("/", "-").replace("\0", "-"))
        assert read_safely(page.section(shown)).count["section"] == 1


def test_no_hostile_page_or_bibliography_survives(hostile, read_safely, tmp_path):
    pages = tmp_path / "pages"
    pages.mkdir()
    for number, text in enumerate(hostile):
        line = " ".join(text.split())
        (pages / "page.md").write_text(f"(label-{number})=\n# {line}\n", encoding="utf-8")
        card = dataclasses.replace(PLAIN, back=f"{{ref}}`label-{number}`", see=f"label-{number}")
        read_safely(page.section(deck(card, pages=pages)))
    authors = [re.sub(r'[{}"\\,%#@]|\band\b', "", " ".join(t.split())) or "x" for t in hostile]
    works = tmp_path / "works.bib"
    works.write_text(
        "\n".join(
            f"@misc{{w{i}, author={{{{{a}}}}}, title={{T}}, year={{2021}}}}" for i, a in enumerate(authors)
        ),
        encoding="utf-8",
    )
    keys = [f"w{i}" for i in range(len(authors))]
    card = dataclasses.replace(PLAIN, back=f"{{cite}}`{','.join(keys)}`", source=tuple(keys))
    reader = read_safely(page.section(deck(card, bibliography=works)))
    assert reader.text.count("alert(1)") > 100


pieces = st.one_of(
    st.sampled_from(
        [
            *(
                "<",
                ">",
                '"',
                "'",
                "&",
                "`",
                "``",
                "```",
                "$",
                "$$",
                "*",
                "_",
                "**",
                "[",
                "](",
                ")",
                "![",
                "\\",
            ),
            *(
                "{term}`",
                "{cite}`",
                "{ref}`",
                "{abbr}`",
                "{math}`",
                "{x}`",
                "{{",
                "}}",
                "<script>",
                "</p>",
                "<!--",
            ),
            *(
                "javascript:x",
                "https://a.example/",
                "```{note}\n",
                ":::{tip}\n",
                ":::\n",
                "\n",
                "\n\n",
                "    ",
            ),
            *(
                "- ",
                "> ",
                "1. ",
                "# ",
                "| a | b |\n|-|-|\n",
                "(x)=\n",
                "[^1]",
                "[^1]: ",
                "\\begin{align}",
                "&#x202E;",
            ),
            *(
                "\u202e",
                "\u2066",
                "\ufdd0",
                "\0",
                "\\frac{",
                "}",
                "^",
                "onclick=x",
                "id=x",
                "\ud800",
                "%",
                "+++",
            ),
        ]
    ),
    st.text(max_size=8),
)
faces = st.lists(pieces, max_size=14).map("".join)


@settings(deadline=None, max_examples=300)
@given(front=faces, back=faces, why=faces, mathml=st.booleans())
def test_any_text_becomes_balanced_and_safe_html(read_safely, front, back, why, mathml):
    reader = read_safely(page.section(deck(Card("one", front, back, why=why)), mathml=mathml))
    assert reader.count["details"] == 1
    assert reader.ids == []


def test_a_large_deck_comes_in_groups_that_lose_no_card_and_keep_the_order():
    html = page.section(deck(*(Card(f"c{n}", "?", "!") for n in range(60))))
    grids = html.split('<div class="flipcards-grid">')[1:]
    # The first are few: they are laid out before anything is painted.
    assert [grid.count("<details") for grid in grids] == [12, 24, 24]
    assert re.findall(r'data-card="(\w+)"', html) == [f"c{n}" for n in range(60)]


def test_a_term_in_the_foot_has_the_quotes_of_the_book():
    html = page.section(deck(Card("one", "?", "!", term="Goodhart's law")))
    assert "</span>Goodhart’s law</span>" in html
