"""A small table of results that notebooks show as a real table, and that reads well as text."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, field

_PADDING = "padding: 0.25em 0.5em"
_NAME = f"text-align: left; {_PADDING}"
_WORD = f"white-space: nowrap; {_NAME}"  # a name like Llama-2-7B, which would break at its hyphens
_NUMBER = f"text-align: right; white-space: nowrap; {_PADDING}"


@dataclass(frozen=True)
class Table:
    """Rows of text under named columns; the first column names the row, the others hold numbers.

    Attributes:
        columns: The heading of each column.
        rows: One sequence of cells for each row, as long as `columns`; use `format` to make text of numbers.
        caption: What the table shows, in one line; may be left out.

    Raises:
        ValueError: if a row is not as long as the columns.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = field(default="")

    def __post_init__(self) -> None:
        for number, row in enumerate(self.rows, 1):
            if len(row) != len(self.columns):
                raise ValueError(
                    f"row {number} has {len(row)} cells, the table has {len(self.columns)} columns"
                )

    def _repr_html_(self) -> str:
        """The table as HTML; notebooks call this."""
        caption = f'<caption style="text-align: left">{html.escape(self.caption)}</caption>'
        head = "".join(
            f'<th scope="col" style="text-align: {side}; {_PADDING}">{html.escape(name)}</th>'
            for side, name in zip(["left"] + ["right"] * len(self.columns), self.columns, strict=False)
        )
        body = "".join(
            "<tr>"
            + f'<th scope="row" style="{_NAME if " " in first else _WORD}">{html.escape(first)}</th>'
            + "".join(f'<td style="{_NUMBER}">{html.escape(cell)}</td>' for cell in cells)
            + "</tr>"
            for first, *cells in self.rows
        )
        # Book themes style tables of this class, in light and dark; notebooks style every table.
        return (
            '<table class="dataframe" style="font-size: 0.85em">'
            f"{caption if self.caption else ''}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )

    def _repr_markdown_(self) -> str:
        """The table as Markdown, for hosts that show no HTML."""
        rule = ["---"] + ["---:"] * (len(self.columns) - 1)
        cells = [[cell.replace("|", "\\|") for cell in row] for row in (self.columns, rule, *self.rows)]
        lines = ["| " + " | ".join(row) + " |" for row in cells]
        return "\n".join(([f"{self.caption}\n"] if self.caption else []) + lines)

    def __str__(self) -> str:
        """The table as aligned text."""
        widths = [max(len(row[i]) for row in (self.columns, *self.rows)) for i in range(len(self.columns))]
        lines = [
            "  ".join(
                [row[0].ljust(widths[0])]
                + [cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True)]
            )
            for row in (self.columns, *self.rows)
        ]
        return "\n".join(([self.caption] if self.caption else []) + lines)

    __repr__ = __str__
