"""Math as HTML and MathML at build time: Sphinx's math renderer named "texmath"."""

from __future__ import annotations

import functools
import hashlib
import html
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import texmath
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ConfigError, SphinxError
from sphinx.locale import _
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator
from texmath.styles import characters_in_use

from sphinx_lightbook.memory import MATH_READINGS, code_digest, page_files, read_changed
from sphinx_lightbook.pages import add_to_head, edit_each_page
from sphinx_lightbook.rewriting import warn

logger = logging.getLogger(__name__)

RENDERER = "texmath"
STYLESHEET = "_static/lightbook-math.css"
SCRIPT = "_static/lightbook-math.js"
OWN_ASSETS = Path(__file__).parent / "static" / "math"
# Behind the style sheet: else the fonts in it are only asked for when a formula is laid out, come after the
# page was painted, and move its lines.
FONTS_FIRST = (
    "<script>for (const face of document.fonts) "
    "if (/^(texmath|KaTeX)_/.test(face.family)) face.load().catch(() => {})</script>\n"
)


class TexFault(SphinxError):
    """Formulas that cannot be set: a line each, with file and line."""

    category = "TeX error"


def setup(app: Sphinx) -> None:
    """Register the renderer and, where the author chose none, choose it."""
    app.add_html_math_renderer(RENDERER, (visit_math, None), (visit_math_block, None))
    if app.config.html_math_renderer is None:
        app.config.html_math_renderer = RENDERER
    app.connect("builder-inited", add_assets)
    app.connect("doctree-read", name_numbered_environments)
    app.connect("env-purge-doc", forget_page)
    app.connect("env-updated", check_formulas)
    app.connect("html-page-context", spell_out_title, priority=900)
    app.connect("build-finished", write_stylesheet)
    edit_each_page(app, functools.partial(link_assets, app))


def _in_use(app: Sphinx) -> bool:
    return app.builder.format == "html" and getattr(app.builder, "math_renderer_name", None) == RENDERER


# Formulas ---------------------------------------------------------------------------------------------------


def macros(mathjax3_config: Mapping[str, Any] | None) -> dict[str, str]:
    r"""The macros of a MathJax configuration, ``{r"\R": r"\mathbb{R}"}``.

    MathJax takes the name without its backslash, and either the text or a list of the text and the number of
    arguments.

    Raises:
        ConfigError: a macro has a default for its first argument, which KaTeX does not know.
    """
    given = ((mathjax3_config or {}).get("tex") or {}).get("macros") or {}
    read = {}
    for name, value in given.items():
        text, *arguments = value if isinstance(value, list | tuple) else [value]
        if len(arguments) > 1:
            raise ConfigError(
                f"mathjax3_config: macro {name!r} has an optional argument, which cannot be set at "
                "build time; write one macro with the argument and one without"
            )
        read["\\" + name] = str(text)
    return read


def render(app: Sphinx, node: nodes.Element, *, display: bool) -> str:
    """The HTML of a formula's node.

    Raises:
        TexFault: it cannot be set.
        ConfigError: the name of a macro is no command.
    """
    try:
        return _render(node.astext(), display, tuple(macros(app.config.mathjax3_config).items()))
    except texmath.TexError as error:
        raise TexFault(f"{place(app, node, error)}: {error}") from error
    except ValueError as error:
        raise ConfigError(f"mathjax3_config: {error}") from error


@functools.cache  # texmath keeps a thousand; a book sets every formula twice, to check and to write
def _render(tex: str, display: bool, macros: tuple[tuple[str, str], ...]) -> str:
    return texmath.render(tex, display=display, macros=dict(macros))


def place(app: Sphinx, node: nodes.Element, error: texmath.TexError) -> str:
    """`file:line` of a fault, the file relative to the book's folder.

    A node knows about where its formula or paragraph starts. The line meant is the first one from there that
    contains the faulty line of the formula, or the last one before.
    """
    source, line = _source_and_line(node)
    if source is None:
        return "a formula of unknown origin"
    path = Path(source)
    faulty = "".join(error.tex.splitlines()[error.line - 1 : error.line]).strip()
    if line is not None and faulty and path.is_file():
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        numbers = [number for number, text in enumerate(lines, 1) if faulty in text]
        after = [number for number in numbers if number >= line]
        line = (after[:1] or numbers[-1:] or [line])[0]
    if path.is_relative_to(app.srcdir):
        source = path.relative_to(app.srcdir).as_posix()
    return source if line is None else f"{source}:{line}"


def _source_and_line(node: nodes.Element) -> tuple[str | None, int | None]:
    """Source and line of a node, or of the nearest ancestor that knows."""
    ancestor: nodes.Element | None = node
    source = line = None
    while ancestor is not None and (source is None or line is None):
        source = source or ancestor.source
        line = line or ancestor.line
        ancestor = ancestor.parent
    return source, line


def visit_math(self: HTML5Translator, node: nodes.math) -> None:
    """Write a formula in the text."""
    self.body.append(self.starttag(node, "span", "", CLASS="math notranslate nohighlight"))
    self.body.append(render(self.builder.app, node, display=False) + "</span>")
    raise nodes.SkipNode


def visit_math_block(self: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula of its own, with its number."""
    self.body.append(self.starttag(node, "div", CLASS="math notranslate nohighlight"))
    if node.get("number"):
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, _("Link to this equation"))
        self.body.append("</span>")
    self.body.append(render(self.builder.app, node, display=True) + "</div>\n")
    raise nodes.SkipNode


def name_numbered_environments(app: Sphinx, doctree: nodes.document) -> None:
    r"""Give numbered amsmath environments a label that can be referred to and that is the same in each build.

    MyST gives them a random one, so that ``{eq}`` cannot name them and no two builds are equal. Theirs is
    their ``\label{…}``, or the name of the page and a number.
    """
    docname = app.env.docname
    equations = app.env.domaindata["math"]["objects"]
    without_name = 0
    for node in doctree.findall(nodes.math_block):
        label = node.get("label")
        if "amsmath" not in node["classes"] or label not in equations:
            continue
        names = texmath.labels(node.astext())
        if names and names[0] in equations:
            other = equations[names[0]][0]
            logger.warning(
                "duplicate label of equation %s, other instance in %s", names[0], other, location=node
            )
        without_name += not names
        new = names[0] if names else f"{docname}-{without_name}"
        equations[new] = equations.pop(label)
        node["label"] = new
        _rename_id(doctree, nodes.make_id(f"equation-{label}"), nodes.make_id(f"equation-{new}"))


def _rename_id(doctree: nodes.document, old: str, new: str) -> None:
    for node in doctree.findall(nodes.Element):
        if old in node["ids"]:
            node["ids"] = [new if name == old else name for name in node["ids"]]
        if node.get("refid") == old:
            node["refid"] = new


# The check before pages are written -------------------------------------------------------------------------


def check_formulas(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Set every formula of the pages that were read, and raise all faults at once.

    This happens in the one process from which writing starts, so what it sets is there for the writing.

    Returns:
        The pages whose formulas were last set with another texmath or other macros: they are to be written.

    Raises:
        TexFault: at least one formula cannot be set.
    """
    if not _in_use(app):
        return []
    state = _state(app)
    checked = _checked(env)
    with_math = env.domaindata["math"]["has_equations"]
    pages = [name for name in sorted(env.found_docs) if with_math.get(name) and checked.get(name) != state]
    faults = [fault for name in pages for fault in _faults(app, env.get_doctree(name))]
    if faults:
        raise TexFault("\n".join(dict.fromkeys(faults)))
    checked.update(dict.fromkeys(pages, state))
    return pages


def _faults(app: Sphinx, doctree: nodes.document) -> Iterator[str]:
    for node in doctree.findall(nodes.Element):
        if isinstance(node, nodes.math | nodes.math_block):
            try:
                render(app, node, display=isinstance(node, nodes.math_block))
            except TexFault as fault:
                yield str(fault)


def forget_page(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """The page is about to be read again, or is gone."""
    _checked(env).pop(docname, None)


def _checked(env: BuildEnvironment) -> dict[str, str]:
    """For each page the state its formulas were set with; kept with the environment between builds."""
    if not hasattr(env, "lightbook_formulas"):
        env.lightbook_formulas = {}  # type: ignore[attr-defined]
    return cast(dict[str, str], env.lightbook_formulas)  # type: ignore[attr-defined]


def _state(app: Sphinx) -> str:
    """What the HTML of a formula depends on, besides the formula."""
    parts = [code_digest("texmath"), macros(app.config.mathjax3_config)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


# Style sheet and fonts --------------------------------------------------------------------------------------


def add_assets(app: Sphinx) -> None:
    """Bring our script into the book, and for an EPUB the whole style sheet: it is packed early."""
    if not _in_use(app):
        return
    app.config.html_static_path.append(str(OWN_ASSETS / "script"))
    if app.builder.name == "epub":
        _write_stylesheet(app, texmath.css())


def write_stylesheet(app: Sphinx, exception: Exception | None) -> None:
    """Write one style sheet for all pages with math: texmath's with the characters they use, then ours.

    Its name stays the same when a page brings a new character, so that no other page has to be written.
    """
    if exception is not None or not _in_use(app) or app.builder.name == "epub":
        return
    characters = read_changed(app, MATH_READINGS, page_files(app), _characters)
    used = sorted({pair for pairs in characters.values() for pair in pairs})
    if not used:
        return
    parts = [_state(app), code_digest("sphinx_lightbook"), used]
    state = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    if f"/* {state} */" in _head_of(Path(app.outdir) / STYLESHEET):
        return
    with_math = [Path(app.outdir) / name for name, pairs in characters.items() if pairs]
    css = texmath.css(path.read_text("utf-8") for path in with_math)
    try:
        _write_stylesheet(app, f"/* {state} */\n{css}")
    except OSError as error:
        warn(app, "math", f"the style sheet of the formulas is not written: {error}")


def _characters(path: Path) -> list[str]:
    """Each font that a page's formulas use, followed by one of its characters."""
    found = characters_in_use([path.read_text("utf-8", errors="replace")])
    return sorted(
        f"{face.file} {character}" for face, characters in found.items() for character in characters
    )


def _head_of(path: Path) -> str:
    return path.read_text("utf-8")[:200] if path.is_file() else ""


def _write_stylesheet(app: Sphinx, css: str) -> None:
    path = Path(app.outdir) / STYLESHEET
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(css + (OWN_ASSETS / "math.css").read_text("utf-8"), "utf-8")


def link_assets(app: Sphinx, page: str, context: dict[str, Any]) -> str:
    """Add style sheet and script to a page with math, wherever on the page it is (its navigation, say)."""
    if not _in_use(app) or not _has_math(app, page, context):
        return page
    page = add_to_head(page, f'<link rel="stylesheet" href="{context["pathto"](STYLESHEET, 1)}" />\n')
    if app.builder.name != "epub":
        page = add_to_head(page, FONTS_FIRST)
    if 'class="katex-display' in page and app.builder.name != "epub":
        page = add_to_head(page, f'<script defer src="{context["pathto"](SCRIPT, 1)}"></script>\n')
    return page


def _has_math(app: Sphinx, page: str, context: dict[str, Any]) -> bool:
    if 'class="katex' in page:
        return True
    # The script of the search page shows titles.
    titles = app.env.titles.values() if context["pagename"] == "search" else ()
    return any(True for title in titles for _node in title.findall(nodes.math))


def spell_out_title(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Give the browser's tab the TeX of a title: without tags, KaTeX's HTML says everything twice."""
    if 'class="katex' in context.get("title", ""):
        context["title"] = html.escape(app.env.titles[pagename].astext())
