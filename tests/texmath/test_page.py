"""Formulas in Chromium: the right fonts, inside the page at 360 px, never over it."""

import pytest
import texmath

FORMULAS = [
    r"\mathcal{L}=\mathbb{E}\left[\min\left(r_t\hat{A}_t,\operatorname{clip}(r_t,1-\epsilon,1+\epsilon)\right)\right]",
    r"\begin{align}J &= \frac{1}{N}\sum_{i=1}^{N} A_i \label{eq:a}\\ &\approx \int_0^1 f\,dx\end{align}",
    r"\underbrace{\tfrac{\alpha}{r}BA}_{\text{low}}+\widehat{xy}\sqrt{\begin{matrix}1\\2\\3\end{matrix}}",
    r"\Biggl(\biggl(\Bigl(\bigl(x\bigr)\Bigr)\biggr)\left\{\begin{matrix}1\\2\\3\\4\end{matrix}\right\}",
    r"\boldsymbol{\theta}\mathbf{W}\mathfrak{g}\mathscr{L}\mathsf{T}\mathtt{c}\text{\textbf{\textit{b}}}",
    r"f(x)=\begin{cases}x^2&\text{if }x>0\\0&\text{else}\end{cases}\oint\prod\bigcup\xrightarrow{\text{SFT}}",
]

FAMILIES = """async () => {
  await document.fonts.ready;
  return [...document.fonts].map(font => [font.family.replaceAll('"', ''), font.status]);
}"""


@pytest.fixture
def open_formulas(new_context, tmp_path):
    """A function that opens a page with this HTML and the whole or the cut stylesheet."""

    def open_formulas(html, *, cut=True, **options):
        texmath.write_assets(tmp_path, [html] if cut else None)
        head = '<!doctype html><html lang="en"><meta charset="utf-8"><title>x</title>'
        head += (
            '<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="texmath.css">'
        )
        (tmp_path / "index.html").write_text(f"{head}<body style='margin:16px'>{html}", encoding="utf-8")
        page = new_context(**options).new_page()
        page.goto((tmp_path / "index.html").as_uri())
        page.evaluate("() => document.fonts.ready.then(() => null)")
        return page

    return open_formulas


def fonts_drawn_with(page):
    """For each element of the formulas, the fonts its own text is drawn with and the count of glyphs."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("DOM.enable")
    devtools.send("CSS.enable")
    document = devtools.send("DOM.getDocument")["root"]["nodeId"]
    query = {"nodeId": document, "selector": ".katex-html span"}
    drawn = []
    for node in devtools.send("DOM.querySelectorAll", query)["nodeIds"]:
        fonts = devtools.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
        drawn.append(
            sorted((font["postScriptName"], font["isCustomFont"], font["glyphCount"]) for font in fonts)
        )
    return drawn


def test_with_the_cut_fonts_chromium_draws_each_character_from_the_same_font(open_formulas):
    html = "".join(texmath.render(tex, display=True) for tex in FORMULAS)
    whole = fonts_drawn_with(open_formulas(html, cut=False))
    cut = fonts_drawn_with(open_formulas(html))
    renamed = [[(name.replace("KaTeX_", "texmath_"), *rest) for name, *rest in fonts] for fonts in whole]
    assert [[tuple(font) for font in fonts] for fonts in cut] == renamed
    families = {name for fonts in cut for name, is_custom, _ in fonts if is_custom}
    assert len(families) > 12


def test_a_page_asks_for_nothing_but_the_stylesheet_and_its_fonts(
    open_formulas, foreign_requests, page_errors
):
    page = open_formulas(texmath.render(FORMULAS[0], display=True))
    assert {status for _, status in page.evaluate(FAMILIES)} == {"loaded"}
    assert (foreign_requests, page_errors) == ([], [])


@pytest.mark.parametrize("tex", [*FORMULAS, "x+" * 200 + "x"])
def test_no_formula_makes_a_phone_scroll_the_page_sideways(open_formulas, tex):
    page = open_formulas(texmath.render(tex, display=True), width=360)
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_a_wide_formula_breaks_at_its_operators_and_a_wide_table_scrolls_in_its_box(open_formulas):
    html = texmath.render("x+" * 60 + "x", display=True)
    html += texmath.render(r"\begin{matrix}" + "x+y+z&" * 12 + r"x\end{matrix}", display=True)
    page = open_formulas(html, width=360)
    scrolls = "boxes => boxes.map(box => box.scrollWidth > box.clientWidth)"
    assert page.eval_on_selector_all(".katex-display", scrolls) == [False, True]


def test_a_formula_keeps_the_colour_of_the_text_around_it(open_formulas):
    html = f"<div style='background:#111;color:#eee'>{texmath.render(FORMULAS[2], display=True)}</div>"
    page = open_formulas(html, dark=True)
    colours = page.eval_on_selector_all(
        ".katex-html *", "all => [...new Set(all.map(element => getComputedStyle(element).color))]"
    )
    assert colours == ["rgb(238, 238, 238)"]


DRAWN = r"\sqrt{x}\sqrt{\frac{a}{b}}\underbrace{a+b}_{c}\widehat{xyz}\vec{v}\cancel{x}\xrightarrow{y}"


def test_what_a_page_says_of_its_pictures_leaves_roots_and_braces_as_they_are(open_formulas):
    sizes = """parts => parts.map(part => {
      const {width, height} = part.getBoundingClientRect();
      return [width, height];
    })"""
    formula = f"<div class=card><p class=face>{texmath.render(DRAWN)}</p></div>"
    plain = open_formulas(formula).eval_on_selector_all(".katex svg", sizes)
    rule = ".card .face :is(img, svg) { height: auto; max-width: 100% }"
    assert len(plain) == 9
    assert all(width > 3 and height > 3 for width, height in plain)
    assert open_formulas(f"<style>{rule}</style>{formula}").eval_on_selector_all(".katex svg", sizes) == plain


COVERING = [
    r"\smash{\rule{20em}{20em}}",
    r"\kern-20em\kern-20em\kern-20em\rlap{\rule[10em]{20em}{20em}}",
    r"\smash{\raisebox{20em}{\raisebox{20em}{$\rule{20em}{20em}$}}}",
    r"\mathllap{" + "x" * 300 + "}",
    r"\begin{matrix}a\\[-20em]\\[-20em]\rule{20em}{20em}\end{matrix}",
]


@pytest.mark.parametrize("tex", COVERING)
@pytest.mark.parametrize("display", [False, True])
def test_no_formula_reaches_over_the_page(open_formulas, tex, display):
    text = "<p id='text' style='height:300px;margin:0 0 150px'>text</p>"
    page = open_formulas(f"{text}<p style='margin-left:500px'>{texmath.render(tex, display=display)}</p>")
    hit = """() => {
      const box = document.getElementById("text").getBoundingClientRect();
      const points = [];
      for (let x = box.left + 5; x < box.right; x += 40)
        for (let y = box.top + 5; y < box.bottom; y += 20) points.push(document.elementFromPoint(x, y).id);
      return [...new Set(points)];
    }"""
    assert page.evaluate(hit) == ["text"]
