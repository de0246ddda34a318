"""A card face (a subset of MyST, with TeX) -> safe HTML or plain text, for hosts without Sphinx.

How a face becomes safe, in this order:

1. markdown-it reads it with HTML off: a tag in a face is text.
2. Roles and directives become plain HTML; what has no plain form shows its own text.
3. nh3 keeps the tags and attributes listed in `_SANITISER` and nothing else: no id, name, style or
   event handler, no class that a face could choose, links to http, https and mailto only, and images
   only as data: URIs that this module made from local files.
4. KaTeX's output is put in for placeholders whose name is drawn at random when the module is loaded, so
   that no text can contain one.
5. Characters that reorder the text around them (U+202A–202E, U+2066–2069) are taken out. Right-to-left
   text needs none of them: the parts of a card say `dir="auto"`.
"""

from __future__ import annotations

import base64
import difflib
import html
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, cached_property, lru_cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import nh3
import texmath
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from mdit_py_plugins.amsmath import amsmath_plugin
from mdit_py_plugins.colon_fence import colon_fence_plugin
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.front_matter import front_matter_plugin
from mdit_py_plugins.myst_blocks import myst_block_plugin
from mdit_py_plugins.myst_role import myst_role_plugin
from mdit_py_plugins.substitution import substitution_plugin

from flipcards import references
from flipcards.deck import Deck

MAX_IMAGE_BYTES = 2_000_000
MAX_DEPTH = 5  # directives within directives
MAX_MARKS = 4_000  # that may begin or end markup in a paragraph: finding their ends takes the square of it

_DELIMITER = re.compile(r"""\\.|(?P<mark>[*_~\[\]`$<&{"'])""", re.DOTALL)
_CROWDED = "crowded"  # what a paragraph with more marks is called; it is shown as it is written
_MARK = secrets.token_hex(8)
_PLACEHOLDER = re.compile(_MARK + r"(\d+);")
REORDERING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_LINK_TAG = re.compile(r'<a(?: [a-z]+="[^"]*")*>|</a>')
_LINK = re.compile(r'<a(?: [a-z]+="[^"]*")*>.*?</a>', re.DOTALL)
_WEB = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
_LANGUAGE = re.compile(r"[A-Za-z0-9_+#-]{1,30}")

# --- roles and directives ----------------------------------------------------------------------------

# Roles whose text may end in `<target>`; a reader sees what is before it.
_TITLED = frozenset(
    ("any", "doc", "envvar", "eq", "keyword", "math:numref", "numref", "option", "ref", "term", "token")
)
_TAGGED = {
    "abbr": "abbr",
    "abbreviation": "abbr",
    "ac": "abbr",
    "code": "code",
    "command": "strong",
    "dfn": "em",
    "emphasis": "em",
    "file": "code",
    "guilabel": "span",
    "kbd": "kbd",
    "literal": "code",
    "mailheader": "em",
    "makevar": "strong",
    "manpage": "em",
    "menuselection": "span",
    "mimetype": "em",
    "newsgroup": "em",
    "pep": "span",
    "program": "strong",
    "regexp": "code",
    "rfc": "span",
    "samp": "code",
    "strong": "strong",
    "sub": "sub",
    "subscript": "sub",
    "sup": "sup",
    "superscript": "sup",
    "t": "em",
    "title": "em",
    "title-reference": "em",
}
_CODE_DOMAINS = ("py:", "c:", "cpp:", "js:", "rst:")
_ADMONITIONS = {
    "admonition": "",
    "attention": "Attention",
    "caution": "Caution",
    "danger": "Danger",
    "error": "Error",
    "hint": "Hint",
    "important": "Important",
    "note": "Note",
    "seealso": "See also",
    "tip": "Tip",
    "warning": "Warning",
}
_CODE = frozenset(("code", "code-block", "sourcecode"))
_OPTION = re.compile(r"[\w-]+:( +(?![&*!|>?%@`]).*)?")
# The options that a directive may have in a face. Others set labels, classes or links, or read files.
_CODE_OPTIONS = frozenset(("dedent", "emphasize-lines", "force", "lineno-start", "linenos", "number-lines"))
_OPTIONS: dict[str, frozenset[str]] = {
    **dict.fromkeys(_ADMONITIONS, frozenset()),
    **dict.fromkeys(_CODE, _CODE_OPTIONS),
    "math": frozenset(),
    "image": frozenset(("alt", "align", "height", "scale", "width")),
}


_ROLES = frozenset(("math", "cite", *_TITLED, *_TAGGED, *(f"cite:{role}" for role in references.CITE_ROLES)))


def _is_known_role(name: str) -> bool:
    return name in _ROLES or name.startswith(_CODE_DOMAINS)


def _no_role(name: str) -> str:
    close = difflib.get_close_matches(name, sorted(_ROLES), n=1, cutoff=0.75)
    hint = f"did you mean {{{close[0]}}}? If not, write" if close else "write"
    return f"the role {{{name}}} is unknown, or has no plain form; {hint} its text"


def _title_and_target(text: str) -> tuple[str, str]:
    """`text <target>` -> ("text", "target"); `target` -> ("", "target")."""
    text = " ".join(text.split())
    match = re.fullmatch(r"(.+?) ?<([^<]*)>", text)
    return (match[1], match[2]) if match else ("", text)


# --- TeX ---------------------------------------------------------------------------------------------

_UNTRUSTED = re.compile(r"\\(?:href|html(?:Class|Data|Id|Style)|includegraphics|url)(?![A-Za-z])")


def _typeset(tex: str, display: bool, mathml: bool, mathjax: bool) -> str:
    """KaTeX's HTML, its MathML alone, or TeX for MathJax; TeX with an error is shown as it is written."""
    try:
        if mathjax and _UNTRUSTED.search(tex):  # MathJax does trust them
            return f"<code>{html.escape(tex)}</code>"
        if mathjax:
            texmath.render(tex, display=display, output="mathml")
            return html.escape(f"\\[{mathjax_tex(tex)}\\]" if display else f"\\({tex}\\)", quote=False)
        return texmath.render(tex, display=display, output="mathml" if mathml else "htmlAndMathml")
    except texmath.TexError:
        return f"<code>{html.escape(tex)}</code>"


_ENVIRONMENT = re.compile(
    r"\\begin\{(?P<name>align|alignat|equation|gather|multline|eqnarray)\*?\}(?P<body>.*)"
    r"\\end\{(?P=name)\*?\}",
    re.DOTALL,
)
_INNER = {
    "align": "aligned",
    "alignat": "alignedat",
    "eqnarray": "array",
    "gather": "gathered",
    "multline": "gathered",
}


# What a host with MathJax, LaTeX and sounds would take for a mark of theirs.
_MARKS = re.compile(r"(?P<tag><[^>]*>)|\\(?=[()\[\]])|\[(?=(?:sound|anki):|/?(?:latex|\$\$?)\])")


def _unmarked(clean: str) -> str:
    """Sanitised HTML whose text nobody takes for math or media."""

    def other(match: re.Match[str]) -> str:
        return match["tag"] or ("&#91;" if match[0] == "[" else "<span>\\</span>")

    return _MARKS.sub(other, clean)


def mathjax_tex(tex: str) -> str:
    """TeX for a display of MathJax, which refuses a display within it, such as `align*`."""
    match = _ENVIRONMENT.fullmatch(tex.strip())
    if match is None:
        return tex
    inner = _INNER.get(match["name"])
    columns = "{rcl}" if inner == "array" else ""
    return f"\\begin{{{inner}}}{columns}{match['body']}\\end{{{inner}}}" if inner else match["body"].strip()


# --- images ------------------------------------------------------------------------------------------


def image_type(data: bytes) -> str | None:
    """The media type by content, of the kinds that a browser shows as an image and runs nothing of."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if re.match(rb"(\xef\xbb\xbf)?\s*<(\?xml|svg|!DOCTYPE svg|!--)", data) and b"<svg" in data:
        return "image/svg+xml"
    return None


@lru_cache(maxsize=64)
def _data_uri(file: Path, modified_ns: int) -> str | None:
    data = file.read_bytes()
    kind = image_type(data)
    return f"data:{kind};base64,{base64.b64encode(data).decode()}" if kind else None


# --- parsing -----------------------------------------------------------------------------------------


def _set_crowded_apart(state: StateCore) -> None:
    """Leave a paragraph with more marks than anybody writes as its text, before their ends are looked for."""
    for token in state.tokens:
        if token.type != "inline" or len(token.content) <= MAX_MARKS:
            continue
        marks = sum(match["mark"] is not None for match in _DELIMITER.finditer(token.content))
        if marks > MAX_MARKS:
            token.meta[_CROWDED] = marks
            token.children = [_token("text", token.content, token)]
            token.content = ""


def _smart_dashes(state: StateCore) -> None:
    """`--`, `---` and `...` as Sphinx's smart quotes write them."""
    for block in state.tokens:
        for token in block.children or ():
            if token.type == "text" and ("--" in token.content or "..." in token.content):
                text = token.content.replace("---", "—").replace("--", "–")
                token.content = text.replace("...", "…")


def _plain_forms(state: StateCore) -> None:
    """Replace roles, and links that lead nowhere outside the book, by what a reader shall see."""
    faces: Faces | None = state.env.get("faces")
    if faces is None:
        return
    for block in state.tokens:
        children = block.children
        if children and any(child.type in ("myst_role", "link_open") for child in children):
            block.children = list(faces._plain(children))


@cache
def _parser(*, html_tokens: bool = False) -> MarkdownIt:
    """The parser that a book with MyST's usual extensions has; with `html_tokens` it finds HTML."""
    md = MarkdownIt("commonmark", {"html": html_tokens, "typographer": True}, renderer_cls=_Renderer)
    md.enable(["table", "smartquotes"])
    for plugin in (
        front_matter_plugin,
        myst_block_plugin,
        myst_role_plugin,
        footnote_plugin,
        dollarmath_plugin,
        amsmath_plugin,
        colon_fence_plugin,
        deflist_plugin,
        substitution_plugin,
    ):
        md.use(plugin)
    md.disable(["footnote_inline", "footnote_tail"])
    md.core.ruler.before("inline", "set_crowded_apart", _set_crowded_apart)
    md.core.ruler.after("inline", "plain_forms", _plain_forms)
    md.core.ruler.after("plain_forms", "smart_dashes", _smart_dashes)
    for name in _OWN_RULES:
        md.add_render_rule(name, getattr(_Renderer, name))
    return md


Env = MutableMapping[str, Any]
_OWN_RULES = (
    "amsmath",
    "colon_fence",
    "fence",
    "footnote_ref",
    "footnote_reference_close",
    "footnote_reference_open",
    "front_matter",
    "heading_close",
    "heading_open",
    "image",
    "math_block",
    "math_block_label",
    "math_inline",
    "myst_block_break",
    "myst_line_comment",
    "myst_target",
    "plain",
    "substitution_block",
    "substitution_inline",
    "td_open",
    "th_open",
)


class _Renderer(RendererHTML):
    """Tokens -> HTML that still has to be sanitised. `env` carries the `Faces` and the math put aside."""

    def plain(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        return html.escape(tokens[idx].content)

    def nothing(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        return ""

    front_matter = myst_target = myst_line_comment = myst_block_break = nothing
    footnote_reference_open = footnote_reference_close = nothing

    def footnote_ref(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        return f"<sup>{html.escape(str(tokens[idx].meta.get('label', '')))}</sup>"

    def substitution_inline(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        return html.escape(f"{{{{ {tokens[idx].content} }}}}")

    def substitution_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        return f"<p>{self.substitution_inline(tokens, idx, options, env)}</p>\n"

    def heading_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        return "<p><strong>"

    def heading_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        return "</strong></p>\n"

    def th_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        alignment = re.search(r"left|center|right", str(tokens[idx].attrs.get("style", "")))
        return f'<{tokens[idx].tag} class="text-{alignment[0]}">' if alignment else f"<{tokens[idx].tag}>"

    td_open = th_open

    def math_inline(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        return self._math(tokens[idx].content, False, env)

    def math_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        return self._math(tokens[idx].content, True, env)

    math_block_label = amsmath = math_block

    def _math(self, tex: str, display: bool, env: Env) -> str:
        put_aside: list[tuple[str, bool]] = env["math"]
        put_aside.append((REORDERING.sub("", tex).strip(), display))
        place = f"{_MARK}{len(put_aside) - 1};"
        return f'<div class="math">{place}</div>\n' if display else place

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        token = tokens[idx]
        faces: Faces = env["faces"]
        alt = faces._text_of(token.children or [])
        return self._image(str(token.attrs.get("src", "")), alt, str(token.attrs.get("title", "")), faces)

    def _image(self, src: str, alt: str, title: str, faces: Faces) -> str:
        uri, _ = faces._image_uri(src)
        if uri is None:
            return html.escape(alt)
        faces.images[unquote(src)] = uri
        titled = f' title="{html.escape(title)}"' if title else ""
        return f'<img src="{uri}" alt="{html.escape(alt)}"{titled}>'

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        token = tokens[idx]
        name, argument = _info(token)
        if name.startswith("{"):
            return self._directive(name.strip("{}"), argument, token.content, env)
        if token.type == "colon_fence":
            return f"<div>{self._nested(token.content, env)}</div>\n"
        return self._code(token.content, name)

    colon_fence = fence

    def _code(self, code: str, language: str) -> str:
        name = f' class="language-{language}"' if _LANGUAGE.fullmatch(language) else ""
        return f"<pre><code{name}>{html.escape(code)}</code></pre>\n"

    def _nested(self, text: str, env: Env) -> str:
        depth = env.get("depth", 0) + 1
        if depth > MAX_DEPTH:
            return f"<pre><code>{html.escape(text)}</code></pre>"
        inner = {"faces": env["faces"], "math": env["math"], "depth": depth}
        return str(_parser().render(text, inner))

    def _directive(self, name: str, argument: str, content: str, env: Env) -> str:
        options, body = references.directive_parts(content)
        if name == "math":
            tex = f"{argument}\n\n{body}" if argument else body
            return self._math(tex, True, env)
        if name in _CODE:
            return self._code(body.strip("\n") + "\n", argument)
        if name == "image":
            return f"<p>{self._image(argument, options.get('alt', ''), '', env['faces'])}</p>\n"
        if name in _ADMONITIONS:
            title = argument if name == "admonition" else _ADMONITIONS[name]
            if name != "admonition" and argument:
                body = f"{argument}\n\n{body}"
            inner = {"faces": env["faces"], "math": env["math"]}
            shown = str(_parser().renderInline(title, inner))
            heading = f'<p class="admonition-title">{shown}</p>\n'
            kind = "" if name == "admonition" else f" {name}"
            return f'<div class="admonition{kind}">{heading}{self._nested(body, env)}</div>\n'
        return self._nested(f"{argument}\n\n{body}", env)


def _info(token: Token) -> tuple[str, str]:
    """The first word of a fence's info and what follows it."""
    name, _, argument = token.info.strip().partition(" ")
    return name, argument.strip()


# --- sanitising --------------------------------------------------------------------------------------


def _attribute(tag: str, attribute: str, value: str) -> str | None:
    if tag == "a" and attribute == "href":
        return value if _WEB.match(value) else None
    if tag == "img" and attribute == "src":
        return value if re.match(r"data:image/(png|jpeg|gif|webp|svg\+xml);base64,", value) else None
    if tag == "code" and attribute == "class":
        return value if value.startswith("language-") and " " not in value else None
    return value


_SANITISER = nh3.Cleaner(
    tags={
        *("a", "abbr", "blockquote", "br", "code", "dd", "div", "dl", "dt", "em", "hr", "img", "kbd", "li"),
        *(
            "ol",
            "p",
            "pre",
            "span",
            "strong",
            "sub",
            "sup",
            "table",
            "tbody",
            "td",
            "th",
            "thead",
            "tr",
            "ul",
        ),
    },
    attributes={
        "a": {"href", "title"},
        "abbr": {"title"},
        "code": {"class"},
        "img": {"src", "alt", "title"},
        "ol": {"start"},
    },
    allowed_classes={
        "div": {"math", "admonition", *_ADMONITIONS},
        "p": {"admonition-title"},
        "td": {"text-left", "text-center", "text-right"},
        "th": {"text-left", "text-center", "text-right"},
    },
    attribute_filter=_attribute,
    url_schemes={"http", "https", "mailto", "data"},
    url_relative="deny",
    link_rel="noopener noreferrer",
)


class _TextOf(HTMLParser):
    """Collects the text of sanitised HTML: blocks on lines of their own, code as it is."""

    BLOCKS = frozenset(
        ("blockquote", "dd", "div", "dl", "dt", "hr", "li", "ol", "p", "pre", "table", "td", "th", "tr", "ul")
    )

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.in_pre = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.in_pre += tag == "pre"
        if tag in self.BLOCKS or tag == "br":
            self.parts.append("\n")
        elif tag == "img":
            self.parts.append(next((value or "" for name, value in attrs if name == "alt"), ""))

    def handle_endtag(self, tag: str) -> None:
        self.in_pre -= tag == "pre"
        if tag in self.BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self.in_pre:
            data = re.sub(r"\s+", " ", data)
            if not self.parts or self.parts[-1].endswith("\n"):
                data = data.lstrip()
        self.parts.append(data)

    def text(self) -> str:
        lines = "".join(self.parts).split("\n")
        return "\n".join(line.rstrip() for line in lines if line.strip())


# --- faces -------------------------------------------------------------------------------------------


# A face without its math, by what it was made of; None outside `reading_once`.
_READ: ContextVar[dict[object, tuple[str, list[tuple[str, bool]]]] | None] = ContextVar("read", default=None)


@contextmanager
def reading_once() -> Iterator[None]:
    """Within it, a face that is rendered once more, for another host, is not parsed once more.

    What the faces refer to (bibliography, pages, images) counts as unchanged meanwhile.
    """
    token = _READ.set({})
    try:
        yield
    finally:
        _READ.reset(token)


class Faces:
    """Renders the faces of one deck. Bibliography and pages are read when a face first refers to them.

    Args:
        bibliography: a BibTeX file, for `{cite}`; without it a citation shows its keys.
        pages: the folder of the book's pages, for `{ref}` and `{doc}`; without it they show their text,
            else their target.
        folder: the folder that paths in the faces are relative to; without it images show their
            alternative text. An image lies in this folder or, when `pages` is known, in the folder
            around both.
        mathml: whether math is MathML alone, for hosts without KaTeX's style sheet.
        mathjax: whether math is TeX between the marks of MathJax, for hosts that have it.
    """

    def __init__(
        self,
        *,
        bibliography: Path | None = None,
        pages: Path | None = None,
        folder: Path | None = None,
        mathml: bool = False,
        mathjax: bool = False,
    ) -> None:
        self.bibliography = bibliography
        self.pages = pages
        self.mathml = mathml
        self.mathjax = mathjax
        self.folder = folder.resolve() if folder else None
        root = self.folder
        if root and pages:
            root = next(p for p in (root, *root.parents) if pages.resolve().is_relative_to(p))
        self._root = root
        self.images: dict[str, str] = {}  # that were shown so far: path in the face -> data: URI
        self._bare = self if pages is None and bibliography is None else Faces(mathml=mathml)
        self._shown_titles: dict[str, str | None] = {}

    @cached_property
    def _works(self) -> Mapping[str, references.Work]:
        return references.works(self.bibliography)

    @cached_property
    def _titles(self) -> Mapping[str, str]:
        return references.titles(self.pages)

    @classmethod
    def of(cls, deck: Deck, *, mathml: bool = False, mathjax: bool = False) -> Faces:
        """For the faces of this deck."""
        folder = deck.path.parent if deck.path else None
        return cls(
            bibliography=deck.bibliography,
            pages=deck.pages,
            folder=folder,
            mathml=mathml,
            mathjax=mathjax,
        )

    def html(self, text: str, *, links: bool = True) -> str:
        """The face as safe HTML.

        Args:
            text: the face.
            links: whether links stay; without them they are their text, as a question needs it, which
                is a control and contains no other.
        """
        clean, math = self._clean(text)
        return self._finished(clean if links else _LINK_TAG.sub("", clean), math)

    def links(self, text: str) -> list[str]:
        """The links of a face, each as safe HTML."""
        if "](" not in text and "][" not in text and "<" not in text:
            return []
        clean, math = self._clean(text)
        found = (link for link in _LINK.findall(clean) if _LINK_TAG.sub("", link).strip())
        return [self._finished(link, math) for link in dict.fromkeys(found)]

    def text(self, text: str) -> str:
        """The face as plain text: a line for each block, math as TeX, images as their alternative text."""
        clean, math = self._clean(text)
        parser = _TextOf()
        parser.feed(clean)
        parser.close()
        plain = _PLACEHOLDER.sub(lambda match: math[int(match[1])][0], parser.text())
        return REORDERING.sub("", plain)

    def cite(self, keys: Iterable[str]) -> str:
        """Author and year of works, in brackets, as a citation in the book prints them."""
        return references.citation(",".join(keys), self._works)

    def title(self, label: str) -> str | None:
        """The title of what a label marks, as plain text, or None when no page has the label."""
        label = label.lower()
        if label not in self._shown_titles:
            title = self._titles.get(label)
            self._shown_titles[label] = self._bare.text(title) if title else None
        return self._shown_titles[label]

    def faults(self, text: str, *, references: bool = False) -> list[tuple[int, str]]:
        """What a face must not contain: 0-based line within the face, and the problem with its remedy.

        Args:
            text: the face.
            references: whether to look up sources, labels and pages too. A book's build does this itself,
                and knows labels that are written nowhere in its pages.
        """
        return sorted(set(_faults(self, text, references)))

    # --- one face

    def _clean(self, text: str) -> tuple[str, list[tuple[str, bool]]]:
        read = _READ.get()
        if read is None:
            return self._read(text)
        key = (self.bibliography, self.pages, self.folder, text)
        if key not in read:
            read[key] = self._read(text)
        return read[key]

    def _read(self, text: str) -> tuple[str, list[tuple[str, bool]]]:
        math: list[tuple[str, bool]] = []
        if not text.isascii():  # half of a surrogate pair is no character
            text = text.encode("utf-8", "replace").decode("utf-8")
        rendered = _parser().render(text, {"faces": self, "math": math})
        return _SANITISER.clean(rendered), math

    def _finished(self, clean: str, math: Sequence[tuple[str, bool]]) -> str:
        if self.mathjax:
            clean = _unmarked(clean)
        if math:
            clean = _PLACEHOLDER.sub(
                lambda match: _typeset(*math[int(match[1])], self.mathml, self.mathjax), clean
            )
        return REORDERING.sub("", clean)

    def _text_of(self, tokens: Sequence[Token]) -> str:
        return "".join(
            self._text_of(token.children)
            if token.children
            else (" " if token.type in ("softbreak", "hardbreak") else token.content)
            for token in tokens
        )

    # --- links and roles

    def _plain(self, tokens: Sequence[Token]) -> Iterator[Token]:
        dropped: list[bool] = []
        for position, token in enumerate(tokens):
            if token.type == "myst_role":
                yield from self._role(token)
            elif token.type == "link_open":
                href = str(token.attrs.get("href", ""))
                outside = bool(_WEB.match(href))
                dropped.append(not outside)
                if outside:
                    yield token
                if tokens[position + 1].type == "link_close":
                    yield _token("plain", href if outside else self._place(href), token)
            elif token.type == "link_close":
                if not dropped.pop():
                    yield token
            elif token.type == "text" and tokens[position - 1].info == "auto":
                yield _token("plain", token.content, token)  # no typography in an address
            else:
                yield token

    def _place(self, href: str) -> str:
        """The title of a place in the book that a link without text leads to."""
        path, _, label = unquote(href).removeprefix("project:").partition("#")
        return (label and self.title(label)) or (path and self._page(path)) or label or path

    def _page(self, target: str) -> str | None:
        """The title of a page that `_page_file` finds."""
        file = self._page_file(target)
        title = references.page_title(file) if file else None
        return self._bare.text(title) if title else None

    def _page_file(self, target: str) -> Path | None:
        """The file of a page named relative to the deck, to the pages, or from the book's root."""
        if self._root is None:
            return None
        name = target.removesuffix(".md") + ".md"
        bases = [self._root] if name.startswith("/") else [b for b in (self.folder, self.pages) if b]
        for base in bases:
            file = (base / name.lstrip("/")).resolve()
            if file.is_relative_to(self._root) and file.is_file():
                return file
        return None

    def _role(self, token: Token) -> Iterator[Token]:
        name, content = token.meta["name"], token.content.strip("`").strip()
        title, target = _title_and_target(content)
        if name == "math":
            yield _token("math_inline", content, token)
        elif name == "cite" or name.startswith("cite:"):
            role = name.partition(":")[2] or "p"
            known = self._works
            for part in re.split(r"(?<= )(et al\.)", references.citation(content, known, role)):
                if part == "et al.":
                    yield from _wrapped("em", part, token)
                elif part:
                    yield _token("plain", part, token)
        elif name in ("eq", "math:numref"):
            yield _token("text", title or "the equation", token)
        elif name in ("ref", "numref", "any", "doc"):
            found = self._page(target) if name == "doc" else self.title(target)
            found = found or target.rpartition("/")[2]
            shown = title.replace("{name}", found).replace("{number}", "").replace("%s", "").strip()
            yield _token("text" if title else "plain", shown or found, token)
        elif name.startswith(_CODE_DOMAINS):
            shown = title or target.removeprefix("!")
            shown = shown.rpartition(".")[2] if shown.startswith("~") else shown
            called = name.endswith((":func", ":meth")) and not title and not shown.endswith(")")
            yield from _wrapped("code", f"{shown}()" if called else shown, token)
        elif name in _TAGGED:
            yield from self._tagged(name, content, token)
        else:
            yield _token("text", title or target.removeprefix("!"), token)

    def _tagged(self, name: str, content: str, token: Token) -> Iterator[Token]:
        attrs: dict[str, str | int | float] = {}
        if _TAGGED[name] == "abbr":
            if match := re.fullmatch(r"(.+?) ?\((.+)\)", " ".join(content.split())):
                content, attrs["title"] = match[1], match[2]
        elif name == "guilabel":
            content = re.sub(r"&(.)", r"\1", content)
        elif name == "menuselection":
            content = re.sub(r"&(.)", r"\1", content).replace("-->", "\N{TRIANGULAR BULLET}")
        elif name in ("samp", "file"):
            content = re.sub(r"\{([^{}]+)\}", r"\1", content)
        elif name in ("pep", "rfc"):
            title, target = _title_and_target(content)
            content = title or f"{name.upper()} {target}"
        yield from _wrapped(_TAGGED[name], content, token, attrs)

    # --- images

    def _image_uri(self, src: str) -> tuple[str | None, str]:
        """The image as a data: URI, or None and what to do about it."""
        path = unquote(src)
        if urlsplit(src).scheme or path.startswith("//"):
            return None, f"the image {src} is not loaded from elsewhere; keep a copy beside the deck"
        if self.folder is None or self._root is None:
            return None, ""
        try:
            file = (self.folder / path).resolve()
            if not file.is_relative_to(self._root):
                return None, f"the image {path} lies outside the book; keep it beside the deck"
            if not file.is_file():
                return None, f"there is no image {path}; paths are relative to the deck"
            state = file.stat()
            if state.st_size > MAX_IMAGE_BYTES:
                return None, f"the image {path} has {state.st_size:,} bytes; at most {MAX_IMAGE_BYTES:,} fit"
            uri = _data_uri(file, state.st_mtime_ns)
        except (OSError, ValueError) as error:
            return None, f"the image {path} cannot be read: {error}"
        return uri, "" if uri else f"{path} is no PNG, JPEG, GIF, WebP or SVG image; convert it to one"


def _token(kind: str, content: str, at: Token) -> Token:
    return Token(kind, "", 0, content=content, level=at.level)


def _wrapped(
    tag: str, content: str, at: Token, attrs: dict[str, str | int | float] | None = None
) -> Iterator[Token]:
    yield Token(f"{tag}_open", tag, 1, attrs=attrs or {}, level=at.level)
    yield Token("plain", "", 0, content=content, level=at.level + 1)
    yield Token(f"{tag}_close", tag, -1, level=at.level)


# --- faults ------------------------------------------------------------------------------------------


def faults(text: str) -> list[tuple[int, str]]:
    """What a face must not contain, as far as its text alone tells.

    Returns:
        For each fault its 0-based line within the face, and the problem with its remedy.
    """
    return Faces().faults(text)


def _faults(faces: Faces, text: str, look_up: bool, depth: int = 0) -> Iterator[tuple[int, str]]:
    if depth > MAX_DEPTH:
        yield 0, "directives are nested too deeply; write it more plainly"
        return
    for match in REORDERING.finditer(text):
        yield text.count("\n", 0, match.start()), _turns(match)
    for token in _parser(html_tokens=True).parse(text, {}):
        first = token.map[0] if token.map else 0
        if token.type == "inline":
            line = first
            if marks := token.meta.get(_CROWDED):
                message = f"a paragraph has {marks:,} marks such as * _ [ $; at most {MAX_MARKS:,} fit"
                yield line, f"{message}; write more paragraphs, or code"
            opened: list[str] = []  # a tag and its end are one fault
            for child in token.children or ():
                tag = child.content if child.type == "html_inline" else ""
                if tag.startswith("</") and tag[2:-1].strip() in opened:
                    opened.remove(tag[2:-1].strip())
                else:
                    opened += re.findall(r"^<([A-Za-z][\w-]*)", tag)
                    yield from _inline_faults(faces, child, line, look_up)
                line += child.type in ("softbreak", "hardbreak")
        elif token.type in ("fence", "colon_fence"):
            yield from _fence_faults(faces, token, first, look_up, depth)
        else:
            yield from _block_faults(token, first)


def _turns(match: re.Match[str]) -> str:
    return f"the character U+{ord(match[0]):04X} turns the text around it; take it out"


_BLOCK_FAULTS: dict[str, Callable[[Token], str]] = {
    "front_matter": lambda t: "text between '---' lines is not shown; leave the lines out",
    "myst_target": lambda t: f"the label '({t.content})=' cannot stand in a face; set it on a page",
    "heading_open": lambda t: "a heading cannot stand in a face; write it in bold",
    "hr": lambda t: "a rule ('---') cannot stand in a face; leave it out",
    "html_block": lambda t: "HTML is shown as text; write Markdown",
    "substitution_block": lambda t: "a substitution is filled in on pages only; write its text",
    "footnote_reference_open": lambda t: "a footnote cannot stand in a face; write its text in 'why'",
    "math_block_label": lambda t: f"the equation has the label '{t.info}'; leave it out, or set it on a page",
}


def _block_faults(token: Token, line: int) -> Iterator[tuple[int, str]]:
    if token.type in _BLOCK_FAULTS:
        yield line, _BLOCK_FAULTS[token.type](token)
    if token.type == "amsmath" and token.meta["numbered"] != "*":
        name = token.meta["environment"]
        yield line, f"the equation would be numbered; write {name}* instead of {name}"
    if token.type in ("math_block", "math_block_label", "amsmath"):
        yield from _tex_faults(token.content, True, line)


def images_of(text: str, depth: int = 0) -> Iterator[str]:
    """The images that a face shows, each as its path relative to the deck."""
    if depth > MAX_DEPTH or ("![" not in text and "image" not in text):
        return
    for token in _parser().parse(text, {}):
        for child in token.children or ():
            if child.type == "image":
                yield unquote(str(child.attrs["src"]))
        if token.type in ("fence", "colon_fence"):
            name, argument = _info(token)
            name = name.strip("{}") if name.startswith("{") else ""
            if name == "image":
                yield unquote(argument)
            elif name in _ADMONITIONS or (token.type == "colon_fence" and not name):
                yield from images_of(argument if name else "", depth + 1)
                yield from images_of(token.content, depth + 1)


def _inline_faults(faces: Faces, token: Token, line: int, look_up: bool) -> Iterator[tuple[int, str]]:
    if token.type == "text" and (match := REORDERING.search(token.content)):
        yield line, _turns(match)
    elif token.type == "html_inline":
        yield line, f"HTML such as {token.content} is shown as text; write Markdown"
    elif token.type == "substitution_inline":
        yield line, "a substitution is filled in on pages only; write its text"
    elif token.type == "footnote_ref":
        yield line, "a footnote cannot stand in a face; write its text in 'why'"
    elif token.type == "math_inline":
        yield from _tex_faults(token.content, False, line)
    elif token.type == "link_open":
        yield from ((line, message) for message in _link_faults(faces, str(token.attrs["href"]), look_up))
    elif token.type == "image":
        yield from _image_faults(faces, str(token.attrs["src"]), faces._text_of(token.children or []), line)
    elif token.type == "myst_role":
        name, content = token.meta["name"], token.content.strip()
        if not _is_known_role(name):
            yield line, _no_role(name)
        elif name == "math":
            yield from _tex_faults(content, False, line)
        elif look_up:
            yield from ((line, message) for message in _unknown(faces, name, content))


def _link_faults(faces: Faces, href: str, look_up: bool) -> Iterator[str]:
    target = href.removeprefix("project:")
    if _WEB.match(href):
        return
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|//", target):
        yield f"the link {href} leads neither to the web nor to a page; write https://… or a path"
    elif faces.folder and faces._root:
        path = unquote(target.partition("#")[0])
        base = faces._root if path.startswith("/") else faces.folder
        try:
            inside = (base / path.lstrip("/")).resolve().is_relative_to(faces._root)
        except (OSError, ValueError):
            inside = False
        if not inside:
            yield f"the link {path} leads out of the book; link to a page or to the web"
        elif look_up and faces.pages and path.endswith(".md") and faces._page_file(path) is None:
            yield _no_page(path)


def _image_faults(faces: Faces, src: str, alt: str, line: int) -> Iterator[tuple[int, str]]:
    if not alt.strip():
        yield line, f"the image {src} has no alternative text; say what it shows"
    _, problem = faces._image_uri(src)
    if problem:
        yield line, problem


def _unknown(faces: Faces, role: str, content: str) -> Iterator[str]:
    """What a role refers to and is nowhere in the bibliography and the pages."""
    target = _title_and_target(content)[1]
    if role.partition(":")[0] == "cite" and faces.bibliography:
        for key in references.cited_keys(content):
            if key not in faces._works:
                yield f"unknown source '{key}'; add it to {faces.bibliography.name}"
    elif role in ("ref", "numref") and faces.pages and target.lower() not in faces._titles:
        yield f"unknown label '{target}'; set it on a page"
    elif role == "doc" and faces.pages and faces._page_file(target) is None:
        yield _no_page(target)


def _no_page(target: str) -> str:
    return f"there is no page {target}; paths are relative to the deck"


def _fence_faults(
    faces: Faces, token: Token, line: int, look_up: bool, depth: int
) -> Iterator[tuple[int, str]]:
    name, argument = _info(token)
    content, offset = token.content, line + 1
    if name.startswith("{"):
        name = name.strip("{}")
        if name not in _OPTIONS:
            yield line, f"the directive {{{name}}} has no plain form; write its text"
            return
        options, body = references.directive_parts(content)
        block, _ = references.option_block(content)
        if not all(_OPTION.fullmatch(option) for option in block if option.strip()):
            yield line, "the options cannot be read; write ':name: value', a line each"
        offset += len(content.splitlines()) - len(body.split("\n"))
        for option in options:
            if option in ("label", "name"):
                yield line, f"the label '{options[option]}' cannot stand in a face; set it on a page"
            elif option not in _OPTIONS[name]:
                yield line, f"the option '{option}' has no plain form; leave it out"
        if name == "math":
            yield from _tex_faults(body or argument, True, offset)
        elif name == "image":
            yield from _image_faults(faces, argument, options.get("alt", ""), line)
        if name not in _ADMONITIONS:
            return
        content = body
        yield from ((line, message) for _, message in _faults(faces, argument, look_up, depth + 1))
    elif token.type == "fence":
        return
    elif name:
        yield line, f"a ':::' block needs a directive; write {{note}} or leave '{name}' out"
    yield from ((offset + at, message) for at, message in _faults(faces, content, look_up, depth + 1))


def _tex_faults(tex: str, display: bool, line: int) -> Iterator[tuple[int, str]]:
    for label in texmath.labels(tex):
        yield line, f"the equation has the label '{label}'; leave it out, or set it on a page"
    if match := _UNTRUSTED.search(tex):
        yield line, f"TeX: {match[0]} is shown as its own name; leave it out"
    try:
        if match := REORDERING.search(texmath.render(tex, display=display)):
            yield line, _turns(match)
    except texmath.TexError as error:
        yield line + error.line - 1, f"TeX: {error.message}, at: {error.excerpt}; mend it there"
