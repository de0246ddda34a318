"""Flipbooks in a Sphinx book: from a cell's output to a page that turns, and to a figure and a table."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import posixpath
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.writers.html5 import HTML5Translator

from flipcards.flipbook import MIME_TYPE, reading
from flipcards.sphinx_words import add_words

STATIC = Path(__file__).parent / "static"
FRONT_END = ("flipbook.js", "flipbook.css")


class flipbook(nodes.General, nodes.Element):
    """A figure for every setting of some knobs: `<div class="flipbook">`.

    Its children are a `flipbook_picture` for each picture, one more as a still, and the table of numbers.
    """


class flipbook_picture(nodes.image):
    """A picture of a flipbook: Sphinx copies it to the book like any other image."""


class FlipbookRenderer:
    """Shows a notebook's flipbook: myst-nb calls it for outputs of our MIME type."""

    mime_priority_overrides: ClassVar = [("*", MIME_TYPE, 1)]

    @staticmethod
    def handle_mime(renderer: Any, data: Any, inline: bool) -> list[nodes.Element] | None:
        """The nodes of the flipbook that the output holds, or None when the output is not ours."""
        if data.mime_type != MIME_TYPE or inline:
            return None
        env = getattr(renderer.renderer, "sphinx_env", None)
        if env is None or "flipcards" not in env.domains:
            return None
        options = renderer.renderer.get_cell_level_config(
            "render_image_options", data.cell_metadata, line=data.line
        )
        return [_node(renderer, data.content, str(options.get("alt", "")))]


def _node(renderer: Any, output: dict[str, Any], alt: str) -> flipbook:
    """The node of a flipbook; `alt` says what all its pictures have in common."""
    knobs = output["knobs"]
    settings = list(itertools.product(*(knob["values"] for knob in knobs)))
    frames = []
    for frame, values in zip(output["frames"], settings, strict=True):
        pairs = zip(knobs, values, strict=True)
        setting = ", ".join(f"{knob['label']} = {value}" for knob, value in pairs)
        whole = ". ".join(filter(None, (reading(setting, dict(frame["numbers"])), alt)))
        frames.append({**frame, "setting": setting, "alt": whole})
    node = flipbook(knobs=knobs, frames=frames, start=output["start"])

    def add(kind: str, content: str, **attributes: Any) -> None:
        drawn = base64.b64decode(content)
        name = f"flipbook-{hashlib.sha256(drawn).hexdigest()[:20]}.{kind}"
        uri = renderer.write_file([name], drawn, overwrite=False, exists_ok=True)
        node.append(flipbook_picture(uri=uri, **attributes))

    for picture in output["pictures"]:
        add(picture["kind"], picture["content"], width_px=picture["width_px"], height_px=picture["height_px"])
    add("png", output["still"], still=True, alt=frames[output["start"]]["alt"])
    names = list(dict.fromkeys(name for frame in frames for name, _ in frame["numbers"]))
    rows = [
        [*values, *(dict(frame["numbers"]).get(name, "") for name in names)]
        for frame, values in zip(frames, settings, strict=True)
    ]
    node += _table([*(knob["label"] for knob in knobs), *names], rows)
    return node


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> nodes.table:
    def row(cells: Sequence[str]) -> nodes.row:
        return nodes.row("", *(nodes.entry("", nodes.paragraph(text=cell)) for cell in cells))

    group = nodes.tgroup(cols=len(columns))
    # Sphinx's text writer needs room for the longest word.
    group += [nodes.colspec(colwidth=max(map(len, cells))) for cells in zip(columns, *rows, strict=True)]
    group += nodes.thead("", row(columns))
    group += nodes.tbody("", *map(row, rows))
    return nodes.table("", group, classes=["flipbook-table"])


class StillFlipbooks(SphinxPostTransform):
    """Where nothing turns: the figure of the first setting, and after it the table of numbers."""

    default_priority = 6  # after myst-nb has chosen among the forms of an output

    def run(self, **kwargs: Any) -> None:
        """Keep what the builder can show."""
        builder = self.app.builder
        for book in list(self.document.findall(flipbook)):
            pictures = list(book.findall(flipbook_picture))
            still = next(picture for picture in pictures if picture.get("still"))
            if builder.format == "html" and builder.name != "epub":
                book.remove(still)
                continue
            table = book.children[-1]
            plain = nodes.image(**{key: still[key] for key in ("uri", "alt", "candidates")})
            around = book.parent
            book.replace_self(plain)
            if isinstance(around, nodes.figure):
                around.parent.insert(around.parent.index(around) + 1, table)
            else:
                around.insert(around.index(plain) + 1, table)


def _visit_flipbook(self: HTML5Translator, node: flipbook) -> None:
    pictures = []
    for picture in node.findall(flipbook_picture):
        name = self.builder.images[picture["uri"]]
        source = posixpath.join(self.builder.imgpath, quote(name))
        pictures.append(
            {"source": source, "width_px": picture["width_px"], "height_px": picture["height_px"]}
        )
    first = node["frames"][node["start"]]
    shown = pictures[first["picture"]]
    self.body.append(self.starttag(node, "div", CLASS="flipbook"))
    size = {"width": shown["width_px"], "height": shown["height_px"]}
    attributes = {"src": shown["source"], "alt": first["alt"], **size, "loading": "lazy"}
    self.body.append(self.emptytag(node, "img", CLASS="flipbook-still", **attributes))
    self.body.append('<details class="flipbook-numbers" open>')
    numbers = self.config.flipcards_catalogue("flipbook.numbers")
    self.body.append(f"<summary>{self.encode(numbers)}</summary>\n")
    # No landmark: a page has several of the same name.
    table: dict[str, Any] = {"role": "group", "tabindex": "0", "aria-label": numbers}
    self.body.append(self.starttag(node, "div", CLASS="flipbook-scroll", **table))
    node.children[-1].walkabout(self)
    self.body.append("</div></details>\n")
    data = {key: node[key] for key in ("knobs", "frames", "start")} | {"pictures": pictures}
    # Sorted: a cell that was just executed and one from the cache have their keys in different orders.
    compact = json.dumps(data, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    written = compact.replace("<", "\\u003c")
    self.body.append(f'<script type="application/json">{written}</script>\n</div>\n')
    raise nodes.SkipNode


def _skip(self: Any, node: nodes.Element) -> None:
    raise nodes.SkipNode


def _add_front_end(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    if doctree is not None and next(doctree.findall(flipbook), None) is not None:
        app.add_css_file("flipbook.css")
        add_words(app)
        # A classic script, not a module: browsers load no module from file://.
        app.add_js_file("flipbook.js", loading_method="defer")


def _configure(app: Sphinx, config: Config) -> None:
    config.html_static_path += [str(STATIC / name) for name in FRONT_END]


def setup(app: Sphinx) -> None:
    """Register what flipbooks need; `flipcards.sphinx` calls this."""
    app.add_node(flipbook, html=(_visit_flipbook, None))
    app.add_node(flipbook_picture, html=(_skip, None))
    app.add_post_transform(StillFlipbooks)
    app.connect("config-inited", _configure)
    app.connect("html-page-context", _add_front_end)
