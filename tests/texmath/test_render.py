"""What formulas come out as: every construct of the book, the same text each time, nothing left behind."""

import hashlib
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor

import pytest
import texmath

MATHML = "{http://www.w3.org/1998/Math/MathML}"

CONSTRUCTS = {
    "clipped objective": (
        r"\mathcal{L}^{\mathrm{CLIP}}(\theta)=\mathbb{E}_t\left[\min\left(r_t(\theta)\hat{A}_t,"
        r"\operatorname{clip}\bigl(r_t(\theta),1-\epsilon,1+\epsilon\bigr)\hat{A}_t\right)\right]"
    ),
    "aligned": r"\begin{aligned}J &= \mathbb{E}[A]\\ &\approx \frac{1}{N}\sum_{i=1}^{N} A\end{aligned}",
    "cases": r"f(x)=\begin{cases}x^2 & \text{if } x>0,\\ 0 & \text{otherwise.}\end{cases}",
    "pmatrix": r"\begin{pmatrix}1&0\\0&1\end{pmatrix}",
    "bmatrix": r"\begin{bmatrix}a_{11}&\cdots\\ \vdots&\ddots\end{bmatrix}",
    "array with a rule": r"\left[\begin{array}{cc|c}1&0&b_1\\ \hline 0&1&b_2\end{array}\right]",
    "underset sizes": r"\underset{d\times k}{W}=\underset{d\times r}{B}\,\underset{r\times k}{A}",
    "underbrace": r"W_0+\underbrace{\tfrac{\alpha}{r}BA}_{\text{low rank}}+\overbrace{x}^{\text{frozen}}",
    "middle": r"\mathrm{KL}\left(\pi_\theta\,\middle\|\,\pi_{\mathrm{ref}}\right)=\sum_y\pi_\theta(y)",
    "starred operator": r"\operatorname*{arg\,max}_{\theta\in\Theta}\prod_{i=1}^{n}p(x_i\mid\theta)",
    "argmax": r"\argmax_\theta J(\theta)",
    "roots": r"\frac{QK^\top}{\sqrt{d_k}},\ \sqrt[3]{1+\sqrt{1+\sqrt{x}}}",
    "nested fractions": r"\frac{\frac{a}{b}}{\frac{c}{d}}+\cfrac{1}{1+\cfrac{1}{x}}+\binom{n}{k}",
    "accents": r"\widehat{xyz}\,\hat{A}\,\widetilde{abc}\,\bar{x}\,\vec{v}\,\overline{AB}",
    "alphabets": r"\boldsymbol{\theta}\mathbf{W}\bm{\Sigma}\mathbb{R}\mathcal{N}\mathfrak{g}\mathscr{L}",
    "text styles": r"\text{plain \textbf{bold} \textit{italic} \texttt{code} è ü}",
    "big delimiters": r"\Biggl(\biggl(\Bigl(x\Bigr)\biggr)\Biggr)\left\lfloor\frac{x}{2}\right\rfloor",
    "integrals and limits": r"\int_{-\infty}^{\infty}e^{-x^2}dx,\ \lim_{n\to\infty}a_n,\ \oint",
    "arrows": r"x\xrightarrow{\text{SFT}}\pi\xrightarrow[\beta]{\text{PPO}}\pi_\theta,\ A\iff B",
    "preference": r"P(y_w\succ y_l\mid x)=\sigma\bigl(r(x,y_w)-r(x,y_l)\bigr)",
    "substack": r"\sum_{\substack{i\in I\\ i\neq j}} x_i",
    "size command": r"{\small x}+{\Large y}",
    "colour": r"\textcolor{#336699}{x}+\color{red}y",
    "tag": r"E=mc^2\tag{7}",
    "dots and primes": r"f'(x),\ x_1,\dots,x_n,\ \ddots",
}


def mathml(html):
    """The MathML element inside a rendered formula."""
    return ET.fromstring(re.search(r"<math.*</math>", html, re.DOTALL)[0])


@pytest.mark.parametrize("tex", CONSTRUCTS.values(), ids=CONSTRUCTS.keys())
def test_each_construct_of_the_book_renders_without_a_mark_of_error(tex):
    html = texmath.render(tex, display=True)
    assert ET.fromstring(html).get("class") == "katex-display"
    assert "#cc0000" not in html
    assert mathml(html).find(f"{MATHML}semantics/{MATHML}annotation").text == tex


def test_screen_readers_get_the_mathml_and_not_the_html():
    tree = ET.fromstring(texmath.render(r"\frac{a}{b}"))
    mathml_part, html_part = tree
    assert (mathml_part.get("class"), mathml_part.get("aria-hidden")) == ("katex-mathml", None)
    assert (html_part.get("class"), html_part.get("aria-hidden")) == ("katex-html", "true")
    assert [e.text for e in mathml_part.iter(f"{MATHML}mi")] == ["a", "b"]


def test_a_formula_in_a_line_is_no_block():
    assert "katex-display" not in texmath.render("x")
    assert "katex-display" in texmath.render("x", display=True)


def test_mathml_alone_carries_no_html_for_hosts_without_the_stylesheet():
    html = texmath.render(r"\frac{a}{b}", output="mathml")
    assert "katex-html" not in html
    assert len(mathml(html).findall(f".//{MATHML}mfrac")) == 1


@pytest.mark.parametrize(
    ("given", "same_as"),
    [
        (r"\begin{align}a&=b\\c&=d\end{align}", r"\begin{align*}a&=b\\c&=d\end{align*}"),
        (r"\begin{align}a&=b\label{eq:a}\\c&=d\end{align}", r"\begin{align*}a&=b\\c&=d\end{align*}"),
        (r"\begin{equation}a\label{eq:a}\end{equation}", r"\begin{equation*}a\end{equation*}"),
        (r"\begin{gather}a\\b\end{gather}", r"\begin{gather*}a\\b\end{gather*}"),
        (r"\begin{alignat}{2}a&=b&c&=d\end{alignat}", r"\begin{alignat*}{2}a&=b&c&=d\end{alignat*}"),
        (r"\begin{flalign}a&=b\end{flalign}", r"\begin{align*}a&=b\end{align*}"),
        (r"\begin{multline}a\\b\end{multline}", r"\begin{gather*}a\\b\end{gather*}"),
        (r"\begin{multline*}a\\b\end{multline*}", r"\begin{gather*}a\\b\end{gather*}"),
        (r"\begin{eqnarray}a&=&b\end{eqnarray}", r"\begin{darray}{rcl}a&=&b\end{darray}"),
        (r"a &= b \\ &= c", "\\begin{split}a &= b \\\\ &= c\n\\end{split}"),
        (r"a \\ b", "\\begin{gathered}a \\\\ b\n\\end{gathered}"),
        ("a=b\n\nc=d", "\\begin{gathered}a=b\\\\\n\nc=d\n\\end{gathered}"),
        ("a=b\\\\\n\nc=d", "\\begin{gathered}a=b\\\\\n\nc=d\n\\end{gathered}"),
        ("a &= b % c\n\\\\ d % e", "\\begin{split}a &= b % c\n\\\\ d % e\n\\end{split}"),
        (r"\label{x}a+b", "a+b"),
    ],
)
def test_what_authors_write_for_mathjax_means_the_same(given, same_as):
    assert texmath.render(given, display=True) == texmath.render(same_as, display=True)


@pytest.mark.parametrize(
    "name", ["equation", "align", "gather", "alignat", "multline", "eqnarray", "flalign"]
)
def test_no_environment_brings_a_number_of_its_own(name):
    argument = "{1}" if name == "alignat" else ""
    html = texmath.render(rf"\begin{{{name}}}{argument}a+b\end{{{name}}}", display=True)
    assert "eqn-num" not in html


@pytest.mark.parametrize(
    "tex",
    [
        r"\begin{pmatrix}a & b \\ c & d\end{pmatrix}",
        r"\text{a \& b}",
        r"\verb|a & b|",
        r"\sum_{\substack{a\\b}}",
        "% a & b \\\\\nx",
        "\\newcommand{\\w}{x}\n\n\\w",
        "\n\nx\n\n",
    ],
)
def test_rows_inside_something_are_left_alone(tex):
    html = texmath.render(tex, display=True)
    assert mathml(html).find(f"{MATHML}semantics/{MATHML}annotation").text == tex


def test_labels_are_told_so_that_a_page_can_link_to_them():
    assert texmath.labels(r"\begin{align}a\label{eq:a}\\b\label{ eq-b }\end{align}") == ["eq:a", "eq-b"]
    assert texmath.labels(r"\verb|\label{no}| % \label{no}") == []


def test_each_row_keeps_its_own_tag():
    html = texmath.render(r"\begin{align}a\tag{I}\\b\tag{II}\end{align}", display=True)
    drawn = re.sub("<[^>]*>", "", html.partition("katex-tag")[2])
    assert re.findall(r"\([IV]+\)", drawn) == ["(I)", "(II)"]
    assert "eqn-num" not in html
    with pytest.raises(texmath.TexError, match=r"Multiple \\tag"):
        texmath.render(r"\begin{align}a\tag{1}\tag{2}\end{align}", display=True)


def test_macros_stand_for_their_text():
    macros = {r"\E": r"\mathbb{E}", r"\KL": r"\mathrm{KL}\left(#1\,\middle\|\,#2\right)"}
    with_macros = texmath.render(r"\E\KL{p}{q}", macros=macros)
    plain = texmath.render(r"\mathbb{E}\mathrm{KL}\left(p\,\middle\|\,q\right)")
    assert with_macros.partition("katex-html")[2] == plain.partition("katex-html")[2]
    with pytest.raises(texmath.TexError, match=r"Undefined control sequence: \\KL"):
        texmath.render(r"\KL{p}{q}")


@pytest.mark.parametrize("name", ["E", "", r"\E\F", r"\E1", "\\"])
def test_a_macro_that_is_not_one_command_is_refused(name):
    with pytest.raises(ValueError, match="must be one command"):
        texmath.render("x", macros={name: "y"})


@pytest.mark.parametrize(
    "definition",
    [
        r"\gdef\leak{x}",
        r"\global\def\leak{x}",
        r"\xdef\leak{x}",
        r"\newcommand{\leak}{x}",
        r"\global\let\leak=x",
    ],
)
def test_what_a_formula_defines_ends_with_it(definition):
    macros = {r"\mine": "m"}
    assert "mathnormal" in texmath.render(definition + r"\leak\mine", macros=macros)
    assert macros == {r"\mine": "m"}
    with pytest.raises(texmath.TexError, match=r"Undefined control sequence: \\leak"):
        texmath.render(r"\leak\mine", macros=macros)


def test_a_formula_cannot_change_what_commands_mean_in_the_next():
    assert "frac-line" not in texmath.render(r"\gdef\frac#1#2{#2#1}\frac{a}{b}")
    assert "frac-line" in texmath.render(r"\frac{a}{b}")


PROGRAM = r"""
import hashlib, texmath
html = "".join(texmath.render(rf"\frac{{{i}}}{{\sqrt{{x}}}}", display=i % 2 == 0) for i in range(20))
print(hashlib.sha256(html.encode()).hexdigest())
"""


def run(program):
    """What a fresh Python prints."""
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    return done.stdout.split()


def test_two_processes_render_the_same_text():
    assert run(PROGRAM) == run(PROGRAM)


def test_importing_the_package_starts_no_engine():
    loaded = "import sys, texmath; print('_quickjs' in sys.modules, 'fontTools' in sys.modules)"
    assert run(loaded) == ["False", "False"]
    assert run(loaded.replace("; print", "; texmath.render('x'); print")) == ["True", "False"]


def test_rendering_leaves_no_thread_behind():
    assert run("import threading, texmath; texmath.render('x'); print(threading.active_count())") == ["1"]


def test_threads_render_what_one_thread_renders():
    formulas = [rf"\frac{{x_{{{i}}}}}{{\sqrt{{{i}}}}}" for i in range(40)]
    with ThreadPoolExecutor(8) as pool:
        in_threads = list(pool.map(texmath.render, formulas * 5))
    digest = "import hashlib, texmath; digest = lambda html: hashlib.sha256(html.encode()).hexdigest()"
    in_one = run(f"{digest}\nfor tex in {formulas!r}: print(digest(texmath.render(tex)))")
    assert [hashlib.sha256(html.encode()).hexdigest() for html in in_threads] == in_one * 5
