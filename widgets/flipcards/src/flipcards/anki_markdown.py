"""The HTML of an Anki field -> a face: MyST that shows the same and nothing that a face may not hold."""

from __future__ import annotations

import html
import re
import secrets
import warnings
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import nh3
import texmath
from bs4 import BeautifulSoup, MarkupResemblesLocatorWarning, Tag
from bs4.element import NavigableString
from markdownify import MarkdownConverter

from flipcards.deck import CONTROL
from flipcards.markup import MAX_MARKS, REORDERING, Faces

MAX_HTML = 200_000  # characters of a field
MAX_FORMULAS = 5_000  # of a field
MAX_NESTED = 20  # deletions within deletions

# Text that Markdown shows as it is, but for what means something at the start of a line.
_SAFE = re.compile(r"(?:[^\W_]|[ ,.;?!'\"’“”–—/%=()-])*")
_AT_START = re.compile(r"(\s*\d*)([-+=#%>:(~]|(?<=\d)[.)])")
_MATH = re.compile(
    r"(?P<inline>\\\()|(?P<display>\\\[)|(?P<latex>\[\$\])|(?P<latex_display>\[\$\$\])|(?P<element><anki-mathjax)",
    re.IGNORECASE,
)
_MATH_ENDS = {
    "inline": re.compile(r"\\\)"),
    "display": re.compile(r"\\\]"),
    "latex": re.compile(r"\[/\$\]"),
    "latex_display": re.compile(r"\[/\$\$\]"),
    "element": re.compile("</anki-mathjax>", re.IGNORECASE),
}
_PUT_ASIDE = re.compile(r"[0-9a-f]{12}x\d+x")  # what stands for a formula meanwhile
_RAISED = re.compile(rf"<(su[bp])>\s*({_PUT_ASIDE.pattern})\s*</\1>", re.IGNORECASE)
_TOUCHING = re.compile(rf"({_PUT_ASIDE.pattern})(?={_PUT_ASIDE.pattern})")
_SOUND = re.compile(r"\[(?:sound|anki:[a-z]+)[:\]][^\]]*\]?", re.IGNORECASE)
# Mends HTML as a browser does, and takes out what a reader does not see.
_CLEANER = nh3.Cleaner(
    tags={
        *("a", "b", "blockquote", "br", "code", "dd", "del", "div", "dl", "dt", "em", "figcaption", "figure"),
        *(
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "hr",
            "i",
            "img",
            "kbd",
            "li",
            "ol",
            "p",
            "pre",
            "samp",
            "span",
        ),
        *("strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul"),
    },
    clean_content_tags={
        "iframe",
        "math",
        "noscript",
        "object",
        "script",
        "style",
        "svg",
        "template",
        "title",
    },
    attributes={
        "a": {"href"},
        "code": {"class"},
        "img": {"src", "alt", "title"},
        "ol": {"start"},
        "pre": {"class"},
        "td": {"colspan"},
        "th": {"colspan"},
    },
    link_rel=None,
)
# What a reader of the field sees and a reader of the face does not, by what it is called where it is listed.
_LOST = {
    "underlined or struck text": re.compile(
        r"<(?:s|strike|u|ins|del)\b|text-decoration[\w-]*\s*:\s*(?!none)\w", re.IGNORECASE
    ),
    "colours": re.compile(r"<font\b[^<>]*\scolor\b|[\s\"';](?:background-)?color\s*:|<mark\b", re.IGNORECASE),
    "embedded films, sounds, frames or drawings": re.compile(
        r"<(?:audio|video|iframe|object|embed|svg|math|canvas)\b", re.IGNORECASE
    ),
    "cells that span rows": re.compile(r"<t[dh]\b[^<>]*\srowspan\b", re.IGNORECASE),
}
_MARKUP = re.compile(r"[\\`*\[\]<$|]|(?<!\w)_|_(?!\w)|&(?=[\w#]+;)|\{(?=[{%])")
_BREAK = "\ue000"  # a <br>, until it is known whether it ends a paragraph; of private use, so nobody's text
_INLINE = ("a", "b", "code", "del", "em", "i", "img", "kbd", "samp", "span", "strong", "sub", "sup")
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")


class _Converter(MarkdownConverter):
    """markdownify, taught what a face may hold and what MyST would take for markup."""

    def __init__(
        self, images: Callable[[str, str], str | None], displays: Collection[str] = frozenset()
    ) -> None:
        super().__init__(
            bullets="-",
            autolinks=False,
            code_language_callback=_language,
        )
        self.images = images
        self.displays = displays  # what stands for formulas that have lines of their own
        self.begins_line = True
        self.has_image = False

    def escape(self, text: str, parent_tags: set[str]) -> str:
        """Text in which Markdown and MyST see no markup."""
        if "pre" in parent_tags or "code" in parent_tags:
            return text
        escaped = _MARKUP.sub(r"\\\g<0>", text)
        begins = self.begins_line
        parts = []
        for part in re.split(f"({_PUT_ASIDE.pattern})", escaped):
            parts.append(_start_escaped(part) if begins else part)
            begins = part in self.displays or (begins and not part.strip())
        return "".join(parts)

    def process_text(self, el: NavigableString, parent_tags: set[str] | None = None) -> str:
        """Text, where it stands."""
        self.begins_line = _begins_line(el) or self._follows_display(el)
        # markdownify has no types.
        return str(super().process_text(el, parent_tags))  # type: ignore[misc]

    def _follows_display(self, text: NavigableString) -> bool:
        before = (str(one).strip() for one in text.previous_elements if isinstance(one, NavigableString))
        return bool(self.displays) and next(filter(None, before), "").endswith(tuple(self.displays))

    def convert_br(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        """The end of a line."""
        return " " if "_inline" in parent_tags else f"{_BREAK}\n"

    def convert_hN(self, n: int, el: Tag, text: str, parent_tags: set[str]) -> str:
        """A heading in bold."""
        return f"\n\n**{text.strip()}**\n\n" if text.strip() else ""

    def convert_hr(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        """Nothing: a face has no rule."""
        return "\n\n"

    def convert_img(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        """The image where the package has it, else what it says instead."""
        self.has_image = True
        src = str(el.attrs.get("src") or "")
        alt = " ".join(str(el.attrs.get("alt") or el.attrs.get("title") or "").split())
        alt = alt or re.sub(r"[-_]+", " ", src.rpartition("/")[2].rpartition(".")[0]) or "image"
        path = self.images(src, alt)
        shown = _PUNCTUATION.sub(r"\\\1", alt)
        return f"![{shown}]({path})" if path else shown

    def convert_a(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        """A link to the web; any other is its text."""
        href = str(el.attrs.get("href") or "").strip()
        if not re.match(r"(?:https?://|mailto:)[^\s<>]+$", href, re.IGNORECASE) or not text.strip():
            return text
        return f"[{text.strip()}](<{href}>)"

    def _role(self, name: str, text: str, parent_tags: set[str]) -> str:
        plain = re.sub(r"\\(?=[!-/:-@\[-`{-~])", "", text)
        if (
            not plain.strip()
            or "`" in plain
            or _PUT_ASIDE.search(plain)
            or "code" in parent_tags
            or "pre" in parent_tags
        ):
            return text
        return f"{{{name}}}`{plain}`"

    def convert_sub(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        """A subscript, as a role."""
        return self._role("sub", text, parent_tags)

    def convert_sup(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        """A superscript, as a role."""
        return self._role("sup", text, parent_tags)


class Reader:
    """Reads fields.

    Args:
        images: name in the package and alternative text -> the path that a face gives, or None where the
            package has no such image.

    Attributes:
        sounds: how many sounds were left out.
        plain: how many fields could only be read as plain text.
        lost: how many fields lost what, of what a face cannot hold.
    """

    def __init__(self, images: Callable[[str, str], str | None] = lambda name, alt: None) -> None:
        self.images = images
        self.sounds = 0
        self.plain = 0
        self.lost: Counter[str] = Counter()
        self._faces = Faces()

    def face(self, field: str) -> str:
        """A field as a face; empty where nothing of it is seen.

        Raises:
            ValueError: the field is too long, or has too much math, to be a face.
        """
        if len(field) > MAX_HTML:
            raise ValueError(f"a field has {len(field):,} characters; at most {MAX_HTML:,} fit")
        field = field.replace(_BREAK, "")
        field = REORDERING.sub("", CONTROL.sub("", field.replace("\r\n", "\n").replace("\r", "\n")))
        field, sounds = _SOUND.subn("", field)
        self.sounds += sounds
        if len(field) <= MAX_MARKS and _SAFE.fullmatch(field):
            text = " ".join(field.split())
            return _start_escaped(text)
        self.lost.update(what for what, pattern in _LOST.items() if pattern.search(field))
        math: dict[str, tuple[str, str]] = {}
        mark = secrets.token_hex(6)

        parts: list[str] = []
        at = 0
        for formula in _formulas(field):
            if len(math) == MAX_FORMULAS:
                raise ValueError(f"a field has more than {MAX_FORMULAS:,} formulas")
            name = f"{mark}x{len(math)}x"
            raw = field[formula.start : formula.end]
            math[name] = (_math(formula.tex, display=formula.display), html.unescape(raw))
            parts += (field[at : formula.start], name)
            at = formula.end
        marked = _raised("".join([*parts, field[at:]]), math)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", MarkupResemblesLocatorWarning)
                soup = BeautifulSoup(_CLEANER.clean(marked), "html.parser")
            _prepare(soup, math)
            plain = soup.get_text(" ")
            converter = _Converter(self.images, {name for name, (tex, _) in math.items() if "\n" in tex})
            text = str(converter.convert_soup(soup))
        except RecursionError:  # nested more deeply than anybody writes
            self.plain += 1
            return self._escaped(html.unescape(re.sub(r"<[^<>]*>", " ", field)))
        text = _tidied(_filled(text, {name: shown for name, (shown, _) in math.items()}))
        is_known = bool(math) or converter.has_image  # what they say is not in the text of the HTML
        if self._faces.faults(text) or not (is_known or self._same(text, plain)):
            self.plain += 1
            return self._escaped(_filled(plain, {name: raw for name, (_, raw) in math.items()}))
        return text

    def _same(self, text: str, plain: str) -> bool:
        """Whether a face shows the letters, digits and marks of the field, and no more of them."""
        shown = self._faces.text(text)
        return re.sub(r"[^\w*`$\[\]{}]", "", plain) == re.sub(r"[^\w*`$\[\]{}]", "", shown)

    @staticmethod
    def _escaped(plain: str) -> str:
        """Text, whatever it is."""
        lines = [_PUNCTUATION.sub(r"\\\1", " ".join(line.split())) for line in plain.splitlines()]
        return "\n\n".join(line for line in lines if line)


@dataclass(frozen=True)
class _Formula:
    """Where math stands in a field, and its TeX, which is HTML."""

    start: int
    end: int
    tex: str
    display: bool


def _formulas(field: str) -> Iterator[_Formula]:
    """The math of a field. Each mark is looked for once: a field of marks without ends takes no longer."""
    endless: set[str] = set()  # what has no end further on
    opening = _MATH.search(field)
    while opening:
        kind = str(opening.lastgroup)
        begin, attributes = opening.end(), ""
        if kind == "element" and kind not in endless:
            begin = field.find(">", begin) + 1
            attributes = field[opening.end() : begin]
        if begin == 0:
            endless.add(kind)
        closing = None
        if kind not in endless:
            closing = _MATH_ENDS[kind].search(field, begin + (kind != "element"))
        if closing is None:
            endless.add(kind)
            opening = _MATH.search(field, opening.start() + 1)
            continue
        display = "display" in kind or "block" in attributes.lower()
        yield _Formula(opening.start(), closing.end(), field[begin : closing.start()], display)
        opening = _MATH.search(field, closing.end())


def _begins_line(text: NavigableString) -> bool:
    """Whether no other text comes before it on its line."""
    element: Any = text
    while element.previous_sibling is None and element.parent is not None:
        if element.parent.name not in _INLINE:
            return True
        element = element.parent
    return getattr(element.previous_sibling, "name", None) not in (None, *_INLINE)


def _language(pre: Tag) -> str:
    """The language of a block of code, where its class names one."""
    for element in (pre, *pre.find_all("code")):
        for name in element.get("class") or ():
            if found := re.fullmatch(r"language-([A-Za-z0-9_+#-]{1,30})", name):
                return found[1]
    return ""


def _start_escaped(text: str) -> str:
    """Text that begins nothing where it begins a line."""
    return _AT_START.sub(r"\1\\\2", text, count=1) if _AT_START.match(text) else text


def _prepare(soup: BeautifulSoup, math: Mapping[str, tuple[str, str]]) -> None:
    """In code a formula is what is written there; elsewhere the end of a line is a space.

    A break at the end of bold text comes after it: Markdown has no such emphasis.
    """
    for inline in reversed(soup.find_all(["a", "b", "del", "em", "i", "span", "strong"])):
        while inline.contents and getattr(inline.contents[-1], "name", "") == "br":
            inline.insert_after(inline.contents[-1].extract())
    for text in list(soup.find_all(string=True)):
        parents = {parent.name for parent in text.parents}
        written = str(text)
        if "code" in parents or "pre" in parents:
            written = _filled(written, {name: raw for name, (_, raw) in math.items()})
        if "pre" not in parents:
            written = re.sub(r"\s+", " ", written)
        if written != text:
            text.replace_with(NavigableString(written))


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _PUT_ASIDE.sub(lambda match: values.get(match[0], match[0]), text) if values else text


def _raised(marked: str, math: dict[str, tuple[str, str]]) -> str:
    """Formulas in superscripts and subscripts, raised and lowered by TeX: a role shows text, and no math.

    A space parts formulas that touch: two dollars would begin another kind of math.
    """

    def raised(match: re.Match[str]) -> str:
        name = match[2]
        shown, raw = math.get(name, ("", ""))
        if not re.fullmatch(r"\$[^$]+\$", shown):
            return match[0]
        mark = "^" if match[1].lower() == "sup" else "_"
        math[name] = (f"${{}}{mark}{{{shown[1:-1]}}}$", raw)
        return name

    return _TOUCHING.sub(r"\1 ", _RAISED.sub(raised, marked)) if math else marked


def _math(written: str, *, display: bool) -> str:
    """TeX as an author writes it, from the HTML of a field; code where it is not TeX that can be shown."""
    tex = re.sub(r"<br[^>]*>|</?div[^>]*>|</?p[^>]*>", "\n", written, flags=re.IGNORECASE)
    tex = html.unescape(re.sub(r"<[^<>]*>", "", tex)).replace("\xa0", " ").strip()
    tex = re.sub(r"\n\s*\n", "\n", tex)
    if not tex:
        return ""
    try:
        texmath.render(tex, display=display)
    except texmath.TexError:
        fence = "`" * (max((len(run) for run in re.findall("`+", tex)), default=0) + 1)
        return f"{fence} {' '.join(tex.split())} {fence}"
    if display:
        return f"\n\n$$\n{tex}\n$$\n\n"
    return "$" + " ".join(re.sub(r"(?<!\\)\$", r"\\$", tex).split()) + "$"


def _tidied(text: str) -> str:
    """Paragraphs without breaks around them, one empty line between them."""
    text = re.sub(rf"{_BREAK}(?!\n)", " ", text)
    text = re.sub(rf"(?:{_BREAK}\s*){{2,}}", "\n\n", text)
    text = re.sub(rf"(?:[ \t]*{_BREAK})+[ \t]*(?=\n[ \t]*\n|\s*$)|(?<=\n\n){_BREAK}\n", "", text)
    text = re.sub(rf"\A(?:\s*{_BREAK})+", "", text).replace(_BREAK, "\\")
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", text).strip()


# --- cloze -------------------------------------------------------------------------------------------

_CLOZE = re.compile(r"\{\{c(?P<numbers>[\d,]+)::|\}\}")


def cloze(field: str, number: int) -> tuple[str, str]:
    """Question and answer of one deletion: the question shows its place or its hint, the answer the words.

    Deletions of other numbers are shown. They may be nested.
    """
    stack: list[tuple[set[int], list[str], list[str]]] = [(set(), [], [])]
    at = 0
    for match in _CLOZE.finditer(field):
        text = field[at : match.start()]
        stack[-1][1].append(text)
        stack[-1][2].append(text)
        at = match.end()
        if match["numbers"]:
            numbers = {int(n) for n in match["numbers"].split(",") if n and len(n) < 6}
            stack.append((numbers, [], []))
        elif len(stack) == 1:
            stack[-1][1].append("}}")
            stack[-1][2].append("}}")
        else:
            numbers, question, answer = stack.pop()
            words, _, hint = "".join(answer).partition("::")
            shown, _, _ = "".join(question).partition("::")
            asked = number in numbers
            stack[-1][1].append(f"<b>[{hint or '…'}]</b>" if asked else shown)
            stack[-1][2].append(f"<b>{words}</b>" if asked else words)
        if len(stack) > MAX_NESTED:
            raise ValueError(f"its deletions are nested more than {MAX_NESTED} deep")
    stack[-1][1].append(field[at:])
    stack[-1][2].append(field[at:])
    while len(stack) > 1:  # a deletion without an end is text
        numbers, question, answer = stack.pop()
        opening = "{{c" + ",".join(map(str, sorted(numbers))) + "::"
        stack[-1][1].extend([opening, *question])
        stack[-1][2].extend([opening, *answer])
    return "".join(stack[0][1]), "".join(stack[0][2])


def is_empty(field: Any) -> bool:
    """Whether Anki counts a field as empty."""
    return not re.sub(r"(?:<br ?/?>|</?div ?/?>|&nbsp;|\s)+", "", str(field), flags=re.IGNORECASE)
