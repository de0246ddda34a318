"""Math is set at build time, numbered and linked; a fault names its file and line and fails the build."""

import re

import pytest
from sphinx.errors import ConfigError
from sphinx_lightbook.math import macros

ALONE = "format: jb-book\nroot: intro\n"


def test_formulas_come_as_html_and_mathml_without_a_script(faulty, mended):
    assert r"\(a^2\)" in faulty.html("maths.html")
    html = mended.html("maths.html")
    assert "MathJax" not in html
    assert html.count('class="katex-mathml"') == html.count('class="katex-html"') >= 10
    assert "katex-error" not in html


def test_only_pages_with_math_load_its_style(mended):
    def sets_math(page):
        links = re.findall(r'<link[^>]*href="(_static/[^"?]+\.css)', page.read_text("utf-8"))
        return any(".katex" in (mended.site / link).read_text("utf-8") for link in links)

    with_math = {page.name for page in mended.site.glob("*.html") if sets_math(page)}
    # The heading with a formula makes the search page one: its results show headings.
    assert with_math == {"maths.html"}


def test_equations_are_numbered_and_references_lead_to_them(mended, open_page):
    page = open_page(mended, "maths.html")
    references = page.locator("article p a.reference.internal")
    assert references.all_inner_texts() == ["(1)", "(2)", "(3)"]
    numbers = []
    for reference in references.all():
        target = page.locator(reference.get_attribute("href"))
        assert target.locator(".katex").count() == 1
        numbers.append(target.locator(".eqno").inner_text().strip("#"))
    assert numbers == ["(1)", "(2)", "(3)"]


def test_an_equation_without_a_name_of_its_own_has_the_same_one_in_each_build(mended):
    assert 'id="equation-maths-1"' in mended.html("maths.html")


def test_the_formula_stands_in_the_middle_and_its_number_at_the_right(mended, open_page):
    page = open_page(mended, "maths.html")
    row, formula, number = page.evaluate(
        """() => {
          const row = document.querySelector("#equation-eq-dollars");
          return [row, row.querySelector(".katex-base"), row.querySelector(".eqno")].map((element) => {
            const {left, right, top, bottom} = element.getBoundingClientRect();
            return {left, right, height: (top + bottom) / 2};
          });
        }"""
    )
    middle = (row["left"] + number["left"]) / 2
    assert abs((formula["left"] + formula["right"]) / 2 - middle) < 40
    assert formula["right"] + 100 < number["left"]
    assert row["right"] - 40 < number["right"] <= row["right"]
    assert abs(number["height"] - formula["height"]) < 6


def test_macros_of_the_mathjax_configuration_are_honoured(mended):
    html = mended.html("maths.html")
    assert "<mi>ℝ</mi>" in html or 'mathvariant="double-struck">R<' in html
    assert "∥" in html


def test_macros_are_read_as_mathjax_writes_them():
    assert macros({"tex": {"macros": {"R": r"\mathbb{R}", "norm": [r"\|#1\|", 1]}}}) == {
        r"\R": r"\mathbb{R}",
        r"\norm": r"\|#1\|",
    }
    assert macros(None) == macros({}) == macros({"tex": None}) == {}
    with pytest.raises(ConfigError, match="macro 'f' has an optional argument"):
        macros({"tex": {"macros": {"f": ["#1 #2", 2, "x"]}}})


@pytest.mark.parametrize("width", [1280, 360])
def test_only_a_formula_wider_than_its_box_can_be_focused(mended, open_page, violations, width, wait_until):
    page = open_page(mended, "maths.html", width=width)
    page.wait_for_function("() => document.fonts.status === 'loaded'")

    def boxes():
        return page.evaluate(
            """() => [...document.querySelectorAll(".katex-display")].map(
              (box) => [box.scrollWidth > box.clientWidth, box.tabIndex === 0])"""
        )

    wait_until(page, lambda: all(wide == focusable for wide, focusable in boxes()))
    assert any(wide for wide, _ in boxes()) == (width == 360)
    assert violations(page) == set()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_formulas_are_drawn_in_their_fonts_from_a_disk_without_scripts(
    mended, open_page, page_errors, wait_until
):
    page = open_page(mended, "maths.html", from_disk=True, javascript=False)
    devtools = page.context.new_cdp_session(page)
    devtools.send("DOM.enable")
    devtools.send("CSS.enable")
    root = devtools.send("DOM.getDocument")["root"]["nodeId"]
    query = {"nodeId": root, "selector": "#equation-eq-dollars .katex-html span"}
    nodes = devtools.send("DOM.querySelectorAll", query)["nodeIds"]

    def are_custom():
        drawn = [devtools.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"] for node in nodes]
        fonts = [font for fonts in drawn for font in fonts]
        return fonts and all(font["isCustomFont"] for font in fonts)

    wait_until(page, are_custom)  # fonts come after the text
    assert page_errors == []


def test_faults_in_formulas_fail_the_build_with_file_and_line_before_a_page_is_written(new_book):
    pages = {
        "intro.md": r"""
            # Faults

            A bad $\foo{a}$ formula
            and, a line later, $\frac{1$.

            ```{math}
            :label: eq-bad
            a &= b \\
            c &= \undefined{d}
            ```

            \begin{equation}
            x \label{eq-twice}
            \end{equation}

            \begin{equation}
            y \label{eq-twice}
            \end{equation}

            ```{include} part.md
            ```
            """,
        "part.md": "Included\n\n$$ x^{2 $$\n",
    }
    book = new_book(pages, ALONE, {"exclude_patterns": ["part.md"]})
    output = book.build(fails=True)
    assert "TeX error:" in output
    for line in (
        r"intro.md:3: Undefined control sequence: \foo",
        r"intro.md:4: Unexpected end of input",
        r"intro.md:9: Undefined control sequence: \undefined",
        r"part.md:3: Expected '}'",
    ):
        assert line in output
    assert list(book.site.glob("*.html")) == []
    # Sphinx's own warning for names of equations; it does not see those inside environments.
    assert "intro.md:16: WARNING: duplicate label of equation eq-twice, other instance in intro" in output


def test_a_title_with_a_formula_reads_well_wherever_it_is_shown(new_book, open_page):
    pages = {
        "intro.md": "# Start\n",
        "sub folder/größe.md": "# Learning rate $\\eta$\n\nA gnu.\n",
    }
    toc = "format: jb-book\nroot: intro\nchapters:\n  - file: sub folder/größe\n"
    book = new_book(pages, toc, {"html": {"favicon": "i.svg"}})
    book.write("i.svg", "<svg/>")
    book.build()
    # An author's icon stays.
    assert book.html("intro.html").count('rel="icon"') == 1
    assert re.search(r'rel="icon" href="_static/i\.\w{10}\.svg"', book.html("intro.html"))
    page = open_page(book, "sub%20folder/gr%C3%B6%C3%9Fe.html")
    assert page.title() == "Learning rate \\eta — A tiny book"
    # The navigation shows it on a page that has no formula of its own, the search page in its results.
    page = open_page(book, "intro.html")
    assert font_of_formula(page, "nav .katex-html")
    page = open_page(book, "search.html?q=gnu")
    page.wait_for_selector("#search-results li .katex-html")
    assert font_of_formula(page, "#search-results li .katex-html")


def font_of_formula(page, selector):
    return "texmath" in page.eval_on_selector(selector, "element => getComputedStyle(element).fontFamily")
