"""render: one formula to HTML and MathML, by KaTeX in the engine."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from importlib import resources
from typing import Literal

from texmath.amsmath import prepare
from texmath.engine import Engine, EngineError
from texmath.errors import TexError

MAX_LENGTH = 10_000  # characters; about a second of work
CACHE_SIZE = 1 << 14  # formulas: a book's are all looked at before its first page is written

Output = Literal["htmlAndMathml", "mathml"]

# What no formula needs: control characters, halves of surrogate pairs, marks that reorder text unseen.
_FORBIDDEN = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
_MACRO_NAME = re.compile(r"\\([A-Za-z]+|[^A-Za-z])")

_LIMITS = {
    "time": "The formula takes too long to render",
    "memory": "The formula needs too much memory",
    "depth": "The formula is nested too deeply",
}
_NO_FONT = re.compile(r"Error: Font metrics not found for font: (.*)\.")
_REFERENCE = re.compile(r"Undefined control sequence: (\\(?:eqref|ref|cref|Cref|autoref|pageref))$")


def render(
    tex: str,
    *,
    display: bool = False,
    macros: Mapping[str, str] | None = None,
    output: Output = "htmlAndMathml",
) -> str:
    r"""Render a formula to HTML, for the page that carries `stylesheet()`.

    Nothing in the formula can load, link or script: `\href`, `\url`, `\includegraphics` and `\htmlStyle` and
    its like come out as their own name in red. Screen readers get the MathML, eyes get the HTML. Equal
    arguments give equal text, and nothing a formula defines (`\gdef`) outlives it.

    Args:
        tex: the formula, without its dollars.
        display: a block of its own. Then `align`, `equation` and their like come without KaTeX's numbers,
            and bare rows (`a &= b \\ c &= d`) are aligned: see `texmath.amsmath`.
        macros: what each command stands for, ``{r"\E": r"\mathbb{E}"}``; parameters are `#1`, `#2`.
        output: ``mathml`` leaves out the HTML, for hosts without the stylesheet.

    Raises:
        TexError: KaTeX refuses the formula, or a limit on length, size, depth, memory or time does.
        ValueError: the name of a macro is not one command.
    """
    for name in macros or {}:
        if not _MACRO_NAME.fullmatch(name):
            raise ValueError(f"macro {name!r}: the name must be one command, such as {chr(92)}E")
    return _render(tex, display, tuple(sorted((macros or {}).items())), output)


@functools.lru_cache(maxsize=CACHE_SIZE)
def _render(tex: str, display: bool, macros: tuple[tuple[str, str], ...], output: Output) -> str:
    if len(tex) > MAX_LENGTH:
        raise TexError(f"A formula of {len(tex)} characters is longer than {MAX_LENGTH}", tex)
    if forbidden := _FORBIDDEN.search(tex):
        raise TexError(
            f"The character U+{ord(forbidden[0]):04X} has no place in a formula", tex, forbidden.start()
        )
    prepared = prepare(tex, display=display)
    try:
        result = _katex().call("renderFormula", prepared.tex, display, dict(macros), output)
    except EngineError as error:
        # Among the script's own errors, a RangeError is a macro that grew beyond what JavaScript can hold.
        kind = "memory" if error.message.startswith("RangeError") else error.kind
        message = _NO_FONT.sub(r"There is no font \1", error.message)
        raise TexError(_LIMITS.get(kind, message), tex) from error
    if "html" in result:
        return str(result["html"])
    message = _REFERENCE.sub(
        r"\1 cannot be resolved inside a formula; refer to the equation from the text", result["message"]
    )
    position = None
    if "position" in result:
        position = prepared.position(_characters(prepared.tex, result["position"]))
        position = min(position, len(tex.rstrip()))  # what is missing at the end is missed in the last line
    raise TexError(message, tex, position)


@functools.cache
def _katex() -> Engine:
    scripts = [resources.files("texmath") / "js" / name for name in ("katex.min.js", "render.js")]
    return Engine("\n".join(script.read_text(encoding="utf-8") for script in scripts))


def _characters(text: str, utf16_units: int) -> int:
    """Offset in characters for JavaScript's offset, which counts those beyond U+FFFF twice."""
    return len(text.encode("utf-16-le")[: 2 * utf16_units].decode("utf-16-le", "ignore"))
