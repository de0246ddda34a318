"""Faults in TeX: what is said, and where it points."""

import pickle

import pytest
import texmath

FAULTS = [
    (r"a + \foo{b}", r"Undefined control sequence: \\foo", 4, 1),
    ("a\n+ b\n+ \\foo", r"Undefined control sequence: \\foo", 8, 3),
    (r"\frac{1}{2", "Unexpected end of input in a macro argument, expected '}'", 10, 1),
    ("x\n^2^3", "Double superscript", 4, 2),
    ("\n\\frac{1}{2\n\n", "Unexpected end of input", 11, 2),
    (r"\left( x", r"Expected '\\right', got 'EOF'", 8, 1),
    (r"\begin{nope}x\end{nope}", "No such environment: nope", 6, 1),
    (r"\begin{matrix}a\end{pmatrix}", r"Mismatch: \\begin\{matrix\} matched by \\end\{pmatrix\}", 15, 1),
    (r"\color{red;x}y", "Invalid color: 'red;x'", 6, 1),
    ("x}", "Expected 'EOF', got '}'", 1, 1),
    ("𝔸𝔸𝔸 \\foo", r"Undefined control sequence: \\foo", 4, 1),
    (
        r"see \eqref{eq:a}",
        r"\\eqref cannot be resolved inside a formula; refer to the equation from the text",
        4,
        1,
    ),
]


@pytest.mark.parametrize(("tex", "message", "position", "line"), FAULTS)
def test_a_fault_says_what_and_where(tex, message, position, line):
    with pytest.raises(texmath.TexError, match=message) as caught:
        texmath.render(tex)
    error = caught.value
    assert (error.position, error.line, error.tex) == (position, line, tex)
    assert "KaTeX parse error" not in error.message
    assert " at position" not in error.message


@pytest.mark.parametrize(
    "tex",
    [
        "\\begin{align}\na &= b \\label{eq:a} \\\\\nc &= \\foo\n\\end{align}",
        "a &= b \\label{eq:a} \\\\\nc &= \\foo",
        "\\begin{eqnarray}\na &=& b \\\\ \\label{eq:a} c &=& \\foo\n\\end{eqnarray}",
        "a\n\nb\n\nc \\foo",
    ],
)
def test_the_place_is_that_of_the_authors_text_and_not_of_what_became_of_it(tex):
    with pytest.raises(texmath.TexError, match="Undefined") as caught:
        texmath.render(tex, display=True)
    assert caught.value.position == tex.index(r"\foo")


@pytest.mark.parametrize(
    ("tex", "position"),
    [
        (r"\begin{align}a", 14),
        ("a & b}", 5),
        (r"\begin{eqnarray}a&=&b\\", 23),
        (r"\begin{align}a\end{gather}", 14),
    ],
)
def test_a_fault_at_the_seams_of_what_was_put_in_stays_inside_the_text(tex, position):
    with pytest.raises(texmath.TexError, match=r"Expected|Mismatch") as caught:
        texmath.render(tex, display=True)
    assert caught.value.position == position


def test_the_error_is_one_clear_line_with_the_text_around_the_place():
    tex = "first line that is long enough to be cut\n+ \\foo{b} + and a long rest behind it"
    with pytest.raises(texmath.TexError) as caught:
        texmath.render(tex)
    assert str(caught.value) == (
        r"Undefined control sequence: \foo, in line 2 at: "
        r"…long enough to be cut + ▶\foo{b} + and a long res…"
    )


def test_an_error_without_a_place_shows_how_the_formula_starts():
    with pytest.raises(texmath.TexError, match=r"Multiple \\tag, in: a\\tag\{1\}\\tag\{2\}$") as caught:
        texmath.render(r"a\tag{1}\tag{2}", display=True)
    assert (caught.value.position, caught.value.line) == (None, 1)


def test_a_style_no_font_has_is_an_error():
    with pytest.raises(texmath.TexError, match="There is no font Typewriter-Bold, in: "):
        texmath.render(r"\text{\texttt{\textbf{x}}}")


def test_an_error_never_brings_control_characters_to_the_terminal():
    with pytest.raises(texmath.TexError, match="U\\+001B has no place in a formula") as caught:
        texmath.render("a \x1b[31m b")
    assert str(caught.value).isprintable()


def test_an_error_travels_between_processes():
    error = texmath.TexError("Double superscript", "x\n^2^3", 4)
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.position, copy.line) == (str(error), 4, 2)
    assert isinstance(copy, ValueError)


def test_a_numbered_environment_inside_a_line_is_refused():
    with pytest.raises(texmath.TexError, match=r"\{align\} can be used only in display mode"):
        texmath.render(r"\begin{align}a&=b\end{align}")
