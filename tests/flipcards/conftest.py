"""What the tests of the cards share: hostile texts, and a reader of HTML that accepts only what is safe."""

import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pytest

DATA = Path(__file__).parent / "data"

VOID = {"br", "hr", "img"}
SHAPE = {"section", "details", "summary", "footer", "div", "span"}
TEXT = {
    *("a", "abbr", "blockquote", "br", "code", "dd", "div", "dl", "dt", "em", "hr", "img", "kbd", "li", "ol"),
    *("p", "pre", "span", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul"),
}
# What KaTeX writes: spans, MathML, and SVG without handlers, links or references.
MATH = {
    *("span", "math", "semantics", "annotation", "mrow", "mi", "mo", "mn", "mtext", "mspace", "msup", "msub"),
    *("msubsup", "mfrac", "msqrt", "mroot", "munder", "mover", "munderover", "mstyle", "mpadded", "mphantom"),
    *("menclose", "mtable", "mtr", "mtd", "mlabeledtr", "mglyph", "svg", "path", "line", "g"),
}
CLASSES = {
    *("flipcards", "flipcard", "flipcard-front", "flipcard-back", "flipcard-why", "flipcard-foot"),
    *(
        "flipcard-label",
        "flipcard-links",
        "flipcard-source",
        "flipcard-term",
        "flipcard-see",
        "flipcard-home",
    ),
}
TEXT_CLASSES = {
    *("admonition", "admonition-title", "math", "text-left", "text-center", "text-right"),
    *("attention", "caution", "danger", "error", "hint", "important", "note", "seealso", "tip", "warning"),
}


@dataclass
class SafeReader(HTMLParser):
    """Reads HTML of cards; raises an AssertionError at the first thing that could run, load or restyle."""

    open_tags: list[tuple[str, bool]] = field(default_factory=list)
    count: dict[str, int] = field(default_factory=dict)
    ids: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    text: str = ""

    def __post_init__(self):
        """Read characters, not their references."""
        super().__init__(convert_charrefs=True)

    @property
    def in_math(self):
        """Whether the reader is inside what KaTeX wrote."""
        return any(math for _, math in self.open_tags)

    def handle_starttag(self, tag, attributes):
        """Accept a tag and its attributes, or raise."""
        attrs = dict(attributes)
        classes = set((attrs.get("class") or "").split())
        math = tag == "span" and bool(classes & {"katex", "katex-display", "katex-error"})
        self.count[tag] = self.count.get(tag, 0) + 1
        assert len(attrs) == len(attributes), f"an attribute twice in <{tag}>"
        if self.in_math or math:
            self.accept_math(tag, attrs)
        else:
            self.accept_text(tag, attrs, classes)
        if tag not in VOID:
            self.open_tags.append((tag, math))

    def accept_math(self, tag, attrs):
        """Accept what KaTeX writes."""
        assert tag in MATH, f"<{tag}> in math"
        for name, value in attrs.items():
            assert not name.startswith("on"), name
            assert name not in ("id", "name", "href", "xlink:href", "src", "data", "formaction"), name
            if name == "style":
                assert not re.search(r"url|expression|@|\\|fixed|absolute|<|&", value), value
            if name == "class":
                assert "flipcard" not in value

    def accept_text(self, tag, attrs, classes):
        """Accept what a face may become, and the card around it."""
        assert tag in TEXT | SHAPE, f"<{tag}>"
        for name, value in attrs.items():
            if name == "class":
                assert classes <= CLASSES | TEXT_CLASSES or re.fullmatch(r"language-[\w+#-]+", value), value
            elif name == "href":
                assert tag == "a"
                assert re.match(r"https?://|mailto:|home\.html#card-", value, re.IGNORECASE), value
                self.links.append(value)
            elif name == "src":
                assert tag == "img"
                assert re.match(r"data:image/(png|jpeg|gif|webp|svg\+xml);base64,[\w+/=]*$", value), value
            elif name == "id":
                assert tag == "details"
                self.ids.append(value)
            else:
                known = {
                    *("data-deck", "data-card", "data-tags", "data-home", "dir"),
                    *("title", "alt", "rel", "start"),
                }
                assert name in known, f"{name} on <{tag}>"
        if tag == "a" and not attrs.get("href", "").startswith("home.html"):
            assert attrs.get("rel") == "noopener noreferrer"

    def handle_endtag(self, tag):
        """Close the innermost tag, which must be this one."""
        assert self.open_tags, f"</{tag}> closes nothing"
        assert self.open_tags.pop()[0] == tag, f"</{tag}> in the wrong place"

    def handle_startendtag(self, tag, attributes):
        """Treat <tag/> as an empty element."""
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_data(self, data):
        """Keep the text; nothing in it may reorder what follows."""
        assert not re.search("[\u202a-\u202e\u2066-\u2069]", data)
        self.text += data

    def handle_comment(self, data):
        """Refuse comments."""
        raise AssertionError(f"a comment: {data}")

    def handle_decl(self, decl):
        """Refuse declarations."""
        raise AssertionError(f"a declaration: {decl}")

    unknown_decl = handle_pi = handle_decl


@pytest.fixture(scope="session")
def read_safely():
    """A function that reads HTML of cards, requires that it is safe and balanced, and returns the reader."""

    def read(html):
        reader = SafeReader()
        reader.feed(html)
        reader.close()
        assert reader.open_tags == []
        return reader

    return read


@pytest.fixture(scope="session")
def hostile():
    """Texts that try to run, load, restyle or hide something when they are shown as part of a card."""
    return [entry["text"] for entry in json.loads((DATA / "hostile.json").read_text())]
