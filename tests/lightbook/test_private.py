"""No page of a built book asks another host, and a build that would ask fails and says where."""

import re
from types import SimpleNamespace

import pytest
from sphinx.errors import ConfigError
from sphinx_lightbook import set_up_concerns

PAGES = ["intro.html", "maths.html", "plain.html", "code.html", "search.html", "genindex.html"]


@pytest.mark.parametrize(
    ("name", "host"), [("maths.html", "cdn.jsdelivr.net"), ("code.html", "cdnjs.cloudflare.com")]
)
def test_a_default_book_asks_other_hosts(faulty, open_page, foreign_requests, name, host):
    open_page(faulty, name)
    assert any(f"//{host}/" in url for url in foreign_requests)


@pytest.mark.parametrize("name", PAGES)
def test_no_page_asks_another_host_or_reports_an_error(
    mended, open_page, foreign_requests, page_errors, name
):
    open_page(mended, name).wait_for_load_state("networkidle")
    assert foreign_requests == []
    assert page_errors == []


def test_thebe_is_left_out_where_nobody_asked_for_it(faulty, mended):
    assert "unpkg.com" in faulty.html("plain.html")
    for page in mended.site.glob("*.html"):
        assert "thebe" not in page.read_text(encoding="utf-8"), page.name


def test_a_widget_shows_its_text_and_leaves_its_state_out(faulty, mended):
    assert "vnd.jupyter.widget-state" in faulty.html("code.html")
    html = mended.html("code.html")
    assert "vnd.jupyter.widget" not in html
    assert "IntSlider(value=0)" in html


def test_a_build_that_would_ask_other_hosts_fails_each_time_until_they_are_allowed(new_book):
    pages = {
        "intro.md": """\
            # A book

            [A link](https://fine.example/) is fine.

            ![A picture](https://pictures.example/a.png)

            <iframe src="https://films.example/1"></iframe>
            """,
        "_static/own.css": "p { background: url(https://styles.example/b.png) }",
    }
    book = new_book(pages, "format: jb-book\nroot: intro\n")
    output = book.build(fails=True)
    assert "Privacy error:" in output
    for line in (
        "intro.md:5: <img src> asks pictures.example for https://pictures.example/a.png; keep the image",
        "intro.md:7: <iframe src> asks films.example for https://films.example/1; link to it",
        "_static/own.css: url() asks styles.example for https://styles.example/b.png; keep the file",
    ):
        assert line in output
    assert "fine.example" not in output

    book.configure(lightbook_allow_hosts=["pictures.example", "Films.example"])
    output = book.build(fails=True)
    assert "styles.example" in output
    assert "pictures.example" not in output

    book.configure(lightbook_allow_hosts=["pictures.example", "films.example", "styles.example"])
    book.build()


def test_the_author_s_scripts_and_drawings_are_read_too_and_named_by_file_and_line(new_book):
    drawing = """\
        <svg xmlns="http://www.w3.org/2000/svg" width="40" height="20">
        <image href="https://pictures.example/a.png"/></svg>
        """
    pages = {
        "intro.md": "# A book\n\n![A drawing](figures/drawing.svg)\n",
        "figures/drawing.svg": drawing,
        "figures/unused.svg": drawing.replace("pictures", "unused"),
        "own/scripts/own.js": """\
            // Like fetch("https://comments.example/"), a comment asks nobody.
            const HOME = "https://texts.example/own.js";
            fetch("https://scripts.example/count");
            """,
        "own/worker.mjs": 'import "https://scripts.example/count";\n',
    }
    book = new_book(
        pages,
        "format: jb-book\nroot: intro\n",
        html_static_path=["own", "own/worker.mjs"],
        html_js_files=["scripts/own.js"],
    )
    output = book.build(fails=True)
    for line in (
        "figures/drawing.svg:2: <image href> asks pictures.example for https://pictures.example/a.png; keep",
        "own/scripts/own.js:3: fetch() asks scripts.example for https://scripts.example/count; keep the file",
        "own/worker.mjs:1: import asks scripts.example for https://scripts.example/count; keep the file",
    ):
        assert line in output
    for word in ("comments.example", "texts.example", "unused.example"):
        assert word not in output

    book.configure(
        html_static_path=["own"],
        html_js_files=["scripts/own.js"],
        lightbook_allow_hosts=["pictures.example", "scripts.example"],
    )
    book.build()


def test_what_the_author_asks_for_is_kept_and_named_with_its_remedy(new_book):
    widgets = {"https://widgets.example/manager.js": {}}
    book = new_book(
        config={"launch_buttons": {"thebe": True}},
        html_math_renderer="mathjax",
        nb_ipywidgets_js=widgets,
    )
    output = book.build(fails=True)
    assert re.search(
        r"maths\.md\b.*: <script src> asks cdn\.jsdelivr\.net .*leave html_math_renderer unset", output
    )
    assert re.search(
        r"404\.html, code\.md, genindex\.html and 4 more: <script> asks unpkg\.com "
        r".*set launch_buttons\.thebe to false",
        output,
    )
    assert re.search(
        r"code\.md: <script src> asks widgets\.example .*keep the script in html_static_path", output
    )
    # The theme's mend: twice the same const would stop the script.
    assert faults_of_repetition(book.html("plain.html")) == 1


def test_a_default_book_declares_a_const_twice(faulty):
    assert faults_of_repetition(faulty.html("plain.html")) == 2


def faults_of_repetition(html):
    return html.count("const THEBE_JS_URL")


def test_a_concern_that_does_not_exist_cannot_be_switched_off():
    config = SimpleNamespace(lightbook_off=["maths"])
    with pytest.raises(ConfigError, match="lightbook_off names 'maths'; it can name math, private, theme"):
        set_up_concerns(None, config)
