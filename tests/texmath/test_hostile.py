"""Formulas from anyone: nothing runs, loads, links or covers the page, and nothing hangs or crashes."""

import re
from html.parser import HTMLParser

import pytest
import texmath
from hypothesis import given, settings
from hypothesis import strategies as st

TAGS = re.compile(
    "span|svg|path|line|math|semantics|annotation|mrow|mi|mn|mo|mtext|mspace|ms|mfrac|msqrt|"
    "mroot|mstyle|mpadded|mphantom|msub|msup|msubsup|munder|mover|munderover|mtable|mtr|mtd|"
    "menclose|merror"
)
ATTRIBUTES = re.compile(
    "class|style|aria-hidden|xmlns|encoding|display|d|width|height|viewbox|preserveaspectratio|"
    "x1|y1|x2|y2|stroke-width|mathvariant|stretchy|fence|separator|lspace|rspace|accent|"
    "accentunder|columnalign|columnspacing|rowspacing|columnlines|rowlines|displaystyle|"
    "scriptlevel|linethickness|minsize|maxsize|notation|mathcolor|mathbackground|mathsize|"
    "movablelimits|symmetric|form|voffset|depth|linebreak"
)
# No `position`, no `url(`: what could leave the formula's box or ask the network for something.
STYLE = re.compile(
    r"(?:(?:height|width|min-width|max-width|vertical-align|top|bottom|left|right|margin(?:-\w+)?|padding(?:-\w+)?"
    r"|border(?:-[a-z-]+)?|color|background-color|fill|stroke|font-size|text-shadow)"
    r":(?:[-+.%\w# ]|rgba?\([\d,. ]+\))*;?)*"
)


class Checker(HTMLParser):
    """Fails on a tag, an attribute or a style that no formula needs."""

    def handle_starttag(self, tag, attrs):
        assert TAGS.fullmatch(tag), tag
        for name, value in attrs:
            assert ATTRIBUTES.fullmatch(name), f"<{tag} {name}={value!r}>"
            if name == "style":
                assert STYLE.fullmatch(value), value
            if name == "class":
                assert re.fullmatch(r"[\w .-]*", value), value

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")

    def handle_decl(self, decl):
        raise AssertionError(f"a declaration: {decl}")


def check(html):
    checker = Checker()
    checker.feed(html)
    checker.close()


INJECTIONS = [
    r"\href{javascript:alert(1)}{x}",
    r"\href{https://example.com}{x}",
    r"\href{data:text/html,<script>alert(1)</script>}{x}",
    r"\url{javascript:alert(1)}",
    r"\includegraphics{https://example.com/x.png}",
    r"\includegraphics[height=1em,alt=a\" onerror=alert(1)]{x}",
    r"\htmlStyle{position:fixed;inset:0;background:red}{x}",
    r"\htmlClass{flipcard}{x}",
    r"\htmlId{card-sft-goal}{x}",
    r"\htmlData{card=x,onclick=alert(1)}{x}",
    r"\text{<script>alert(1)</script>}",
    r"\text{<img src=x onerror=alert(1)>}",
    r"\text{</span></span><h1>out</h1>}",
    r"\text{<!-- <script>}",
    r"\text{</script><svg onload=alert(1)>}",
    r"\text{\" onmouseover=\"alert(1)}",
    r"\verb|<iframe srcdoc='<script>alert(1)</script>'>|",
    r"<script>alert(1)</script>",
    r"</annotation></semantics></math><img src=x onerror=alert(1)>",
    r"\tag{<b onclick=alert(1)>}x",
    r"\operatorname{<style>body{display:none}</style>}",
    r"\textcolor{red}{<svg/onload=alert(1)>}",
    r"\unicode{x3c}",
    r"\char`<script",
    r"\newcommand{\x}{\href{javascript:alert(1)}{y}}\x",
    r"\def\x#1{\htmlStyle{#1}{y}}\x{position:fixed}",
    "]]><script>alert(1)</script>",
    r"&lt;script&gt;",
    r"\begin{__proto__}a\end{__proto__}",
    r"\begin{constructor}a\end{constructor}",
    r"\constructor \toString \hasOwnProperty",
    r"\color{red;background:url(//example.com)}x",
    r"\textcolor{url(javascript:alert(1))}{x}",
    r"\fcolorbox{red}{expression(alert(1))}{x}",
]


@pytest.mark.parametrize("tex", INJECTIONS)
@pytest.mark.parametrize("display", [False, True])
def test_no_formula_brings_markup_links_or_handlers(tex, display):
    try:
        html = texmath.render(tex, display=display)
    except texmath.TexError as error:
        assert str(error).isprintable()  # noqa: PT017 (refusing is as good as rendering harmlessly)
    else:
        check(html)


@pytest.mark.parametrize(
    "tex",
    [r"\href{javascript:alert(1)}{x}", r"\url{http://x}", r"\includegraphics{x}", r"\htmlStyle{top:0}{x}"],
)
def test_what_is_not_trusted_shows_its_name_instead(tex):
    html = texmath.render(tex)
    name = re.match(r"\\(\w+)", tex)[1]
    drawn = html.partition("katex-html")[2]
    assert re.sub("<[^>]*>", "", drawn).endswith(f"\\{name}")
    check(html)


WORDS = [
    r"\frac",
    r"\text",
    r"\href",
    r"\htmlStyle",
    r"\def\a",
    r"\a",
    r"\left(",
    r"\right)",
    r"\begin{align}",
]
WORDS += [
    r"\end{align}",
    r"\\",
    "&",
    "{",
    "}",
    "^",
    "_",
    "#1",
    "$",
    "%",
    "<",
    '"',
    "'",
    "x",
    " ",
    "\n",
    "é",
    "日",
]
WORDS += [
    r"\rule{1em}{1em}",
    r"\label{a}",
    r"\kern-3em",
    r"\verb|",
    "javascript:",
    "<script>",
    "\u202e",
    "\0",
]


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=4), max_size=12).map("".join), st.booleans())
def test_any_text_is_a_harmless_formula_or_a_tex_error(tex, display):
    try:
        html = texmath.render(tex, display=display)
    except texmath.TexError as error:
        assert error.position is None or 0 <= error.position <= len(tex)  # noqa: PT017
        assert 1 <= error.line <= 1 + tex.count("\n")  # noqa: PT017
        assert str(error).isprintable()  # noqa: PT017
    else:
        check(html)
        html.encode("utf-8")


DEEP = 3000
BOMBS = {
    "endless macro": (r"\def\a{\a\a}\a", "Too many expansions"),
    "endless loop": (r"\def\a{\b}\def\b{\a}\a", "Too many expansions"),
    "endless argument": (
        r"\def\a#1{\a{#1#1}}\a{x}",
        "Too many expansions|too much memory",
    ),
    "doubling": (
        "".join(rf"\def\{chr(98 + i)}{{\{chr(97 + i)}\{chr(97 + i)}}}" for i in range(20)) + r"\def\a{xx}\u",
        "Too many expansions",
    ),
    "much from little": (r"\def\a{" + "x" * 8000 + "}" + r"\a" * 500, "too much memory|too long to render"),
    "100 kB": ("x+" * 50_000, "100000 characters is longer than 10000"),
    "deep braces": ("{" * DEEP + "}" * DEEP, "nested too deeply"),
    "deep fractions": (r"\frac{" * 1000 + "x", "nested too deeply|Unexpected end"),
    "deep scripts": ("x" + "^{x" * 2000 + "}" * 2000, "nested too deeply"),
    "deep roots": (r"\sqrt{" * 1500, "nested too deeply|Unexpected end"),
    "deep left": (r"\left(" * 1500, r"nested too deeply|Expected"),
    "wide rule": (r"\rule{1000em}{1em}", "Size 1000em is beyond 20 em"),
    "high rule": (r"\rule{1em}{999cm}", "Size 999cm is beyond 20 em"),
    "backwards": (r"\kern{-1000em}x", "Size -1000em is beyond 20 em"),
    "up": (r"\raisebox{500pt}{x}", "Size 500pt is beyond 20 em"),
    "by a macro": (r"\def\a{9}\hspace{\a\a\a em}", "beyond 20 em|Invalid size"),
    "row gap": (r"\begin{matrix}a\\[-900em]b\end{matrix}", "Size -900em is beyond 20 em"),
    "row stretch": (r"\def\arraystretch{5000}\begin{matrix}a\\b\end{matrix}", "em high, more than 400"),
    "reordered": ("\\text{a\u202eb}", r"U\+202E has no place"),
    "isolated": ("\\text{a\u2066b}", r"U\+2066 has no place"),
    "NUL": ("a\0b", r"U\+0000 has no place"),
    "half a character": ("a\ud800b", r"U\+D800 has no place"),
}


@pytest.mark.parametrize(("tex", "message"), BOMBS.values(), ids=BOMBS.keys())
def test_a_bomb_is_an_error_and_the_next_formula_renders(tex, message):
    with pytest.raises(texmath.TexError, match=message):
        texmath.render(tex, display=True)
    assert "katex-html" in texmath.render(rf"x_{{{len(tex)}}}")


def test_a_macro_given_by_the_caller_may_not_recurse_either():
    with pytest.raises(texmath.TexError, match="Too many expansions"):
        texmath.render(r"\a", macros={r"\a": r"\a\a"})


def test_the_longest_formula_that_is_allowed_renders():
    assert texmath.render("x+" * 4999 + "x").count("mathnormal") == 5000
