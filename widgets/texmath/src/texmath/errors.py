"""TexError: a fault in TeX, with its place."""

from __future__ import annotations

EXCERPT_LENGTH = 24  # characters of TeX shown before and after the place of a fault


class TexError(ValueError):
    r"""A formula that cannot be rendered.

    Attributes:
        message: what is wrong, one line, without the place.
        tex: the formula as it was given.
        position: offset of the fault in `tex`, in characters from 0; None where the fault has no one place.

    `str(error)` is one line, for example
    ``Undefined control sequence: \foo, in line 2 at: …b} + ▶\foo{c}…``.
    """

    def __init__(self, message: str, tex: str, position: int | None = None) -> None:
        super().__init__(message, tex, position)
        self.message = _plain(message)  # KaTeX quotes what it found
        self.tex = tex
        self.position = position

    @property
    def line(self) -> int:
        """Line of the fault inside the TeX, from 1; 1 where the place is unknown."""
        return 1 + self.tex.count("\n", 0, self.position or 0)

    def __str__(self) -> str:
        where = "in" if self.position is None else f"in line {self.line} at"
        return f"{self.message}, {where}: {self.excerpt}"

    @property
    def excerpt(self) -> str:
        """The TeX around the fault, marked by `▶`, on one line; its beginning where there is no place."""
        if self.position is None:
            return f"{_plain(self.tex[:EXCERPT_LENGTH])}{_rest(self.tex)}"
        place = self.position
        before = self.tex[max(0, place - EXCERPT_LENGTH) : place]
        after = self.tex[place : place + EXCERPT_LENGTH]
        start = "…" if place > EXCERPT_LENGTH else ""
        return f"{start}{_plain(before)}▶{_plain(after)}{_rest(self.tex[place:])}"


def _rest(text: str) -> str:
    return "…" if len(text) > EXCERPT_LENGTH else ""


def _plain(text: str) -> str:
    """Text on one line, safe for a terminal: white space as blanks, what does not print as an escape."""
    return "".join(
        character if character.isprintable() else " " if character.isspace() else ascii(character)[1:-1]
        for character in text
    )
