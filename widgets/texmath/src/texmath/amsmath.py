r"""What authors write for LaTeX or MathJax, said in the words KaTeX knows, without KaTeX's own numbers.

In every formula:

- `\label{…}` is taken out: the page numbers and links equations. `labels` tells the names.

In display formulas also:

- `equation`, `align`, `alignat` and `gather` become their starred forms, which have no numbers (each page
  generator numbers its equations itself). `\tag{…}` still works, one to a row.
- `flalign` becomes `align*`, `multline` becomes `gather*`, `eqnarray` a three-column array, starred or not.
- Rows outside any environment, as in `a &= b \\ c &= d`, are put into `split`, or into `gathered` where there
  is no `&`. A blank line between two rows is a `\\`, unless the formula defines commands: these would end
  with their row.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

_TOKEN = re.compile(
    r"""
      \\label \s* \{ (?P<label> [^{}]* ) \}
    | \\(?P<edge> begin | end ) \s* \{ (?P<environment> [^{}]* ) \}
    | \\verb \*? ([^A-Za-z\s*]) .*? \4
    | (?P<newline> \\\\ )
    | (?P<definition> \\ (?: [gex]?def | let | (?: new | renew | provide ) command ) (?![A-Za-z@]) )
    | \\ (?: [A-Za-z@]+ | . )
    | % [^\n]*
    | (?P<open> \{ ) | (?P<close> \} ) | (?P<column> & )
    | (?P<blank> \n [^\S\n]* \n \s* )
    """,
    re.VERBOSE | re.DOTALL,
)

_ENVIRONMENTS = {
    "equation": "equation*",
    "align": "align*",
    "alignat": "alignat*",
    "gather": "gather*",
    "flalign": "align*",
    "flalign*": "align*",
    "multline": "gather*",
    "multline*": "gather*",
    "eqnarray": "darray",
    "eqnarray*": "darray",
}
_ARGUMENTS = {"darray": "{rcl}"}


class _Edit(NamedTuple):
    """`text` takes the place of source[start:end]."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Prepared:
    """TeX for KaTeX, and the way back to the offsets of the source."""

    tex: str
    edits: tuple[_Edit, ...]

    def position(self, prepared: int) -> int:
        """Offset in the source of an offset in `tex`; the start of an edit for all that the edit put in."""
        shift = 0  # of tex against source, behind the edits seen
        for edit in self.edits:
            start = edit.start + shift
            if prepared < start:
                break
            if prepared < start + len(edit.text):
                return edit.start
            shift += len(edit.text) - (edit.end - edit.start)
        return prepared - shift


def labels(tex: str) -> list[str]:
    r"""The names in the formula's `\label{…}`, in order."""
    return [match["label"].strip() for match in _TOKEN.finditer(tex) if match["label"] is not None]


def prepare(tex: str, *, display: bool) -> Prepared:
    """The formula as KaTeX should get it: see the module's description."""
    edits: list[_Edit] = []
    breaks: list[_Edit] = []  # blank lines between rows
    rows = columns = defines = False  # outside environments and braces
    after_row = 0  # end of the last `\\` and the white space behind it
    depth = 0
    for match in _TOKEN.finditer(tex):
        outside = depth == 0
        if match["label"] is not None:
            edits.append(_Edit(match.start(), match.end(), ""))
        elif match["edge"]:
            depth += 1 if match["edge"] == "begin" else -1
            name = _ENVIRONMENTS.get(match["environment"])
            if display and name:
                arguments = _ARGUMENTS.get(name, "") if match["edge"] == "begin" else ""
                edits.append(_Edit(match.start(), match.end(), f"\\{match['edge']}{{{name}}}{arguments}"))
        elif match["open"] or match["close"]:
            depth += 1 if match["open"] else -1
        elif match["definition"]:
            defines = True
        elif outside and match["newline"]:
            rows = True
            after_row = match.end()
        elif outside and match["column"]:
            columns = True
        elif (
            outside
            and match["blank"]
            and tex[after_row : match.start()].strip()
            and tex[match.end() :].strip()
        ):
            breaks.append(_Edit(match.start(), match.start(), r"\\"))
            after_row = match.end()
    if defines:
        breaks.clear()
    if display and (rows or columns or breaks):
        name = "split" if columns else "gathered"
        # The newline ends a comment that the formula may end with.
        wrap = [_Edit(0, 0, f"\\begin{{{name}}}"), _Edit(len(tex), len(tex), f"\n\\end{{{name}}}")]
        edits = [wrap[0], *sorted(edits + breaks), wrap[1]]
    return Prepared(_apply(tex, edits), tuple(edits))


def _apply(tex: str, edits: list[_Edit]) -> str:
    parts = []
    end = 0
    for edit in edits:
        parts += [tex[end : edit.start], edit.text]
        end = edit.end
    return "".join([*parts, tex[end:]])
