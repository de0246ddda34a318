"""Rows of somebody's table -> cards: what a card cannot hold is changed or left out, and said."""

from __future__ import annotations

import hashlib
import html
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from flipcards.anki_markdown import Reader
from flipcards.deck import CONTROL, FACES, LISTS, MARKUP, Card, DeckError, Fault, is_loadable, slug
from flipcards.markup import MAX_MARKS, REORDERING, Faces

# A file that has more than this is refused before it takes the memory.
MAX_BYTES = 64 * 2**20
MAX_CARDS = 100_000
MAX_SIDE = 131_072  # characters of one side; the csv module's own bound of a cell

MAX_ID_WORDS = 6
MAX_ID = 40
_TELLING = 5  # how many lines a message names

# A line in which Markdown sees no markup.
_PLAIN = re.compile(r"[^\W\d_](?:[^\W_]|[ ,.;?!'’“”–—/()-])*")
_TAG = re.compile(r"<(?P<end>/?)(?P<name>[A-Za-z][A-Za-z0-9-]*)(?:\s[^<>]*)?/?>|<!--.*?-->", re.DOTALL)
_ENTITY = re.compile(r"&(?:#\d+|#x[\da-fA-F]+|[A-Za-z]\w+);")
_ATTRIBUTES = re.compile(r"""(?:\s+[\w:-]+\s*=\s*(?:"[^"<>]*"|'[^'<>]*'|[^\s"'<>=`]+))*\s*/?""")
_EMPTY = frozenset(("br", "hr", "img", "wbr"))
# What people and tools write into a cell. A name that is one letter alone is as often a word of a formula.
_ELEMENTS = frozenset(
    (
        *(
            "a",
            "abbr",
            "b",
            "big",
            "blockquote",
            "center",
            "code",
            "dd",
            "del",
            "div",
            "dl",
            "dt",
            "em",
            "font",
        ),
        *(
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "i",
            "iframe",
            "ins",
            "kbd",
            "li",
            "mark",
            "ol",
            "p",
            "pre",
            "q",
        ),
        *(
            "s",
            "samp",
            "script",
            "section",
            "small",
            "span",
            "strike",
            "strong",
            "style",
            "sub",
            "sup",
            "svg",
        ),
        *("table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul", "var", *_EMPTY),
    )
)
_OPEN = frozenset(("dd", "dt", "li", "p", "tbody", "td", "tfoot", "th", "thead", "tr"))  # HTML needs no end


def _is_html(text: str) -> bool:
    """Whether text with `<` is HTML: it has tags, of known elements alone, and each is closed."""
    stack: list[str] = []
    tags = 0
    at = 0
    while (at := text.find("<", at)) >= 0:
        match = _TAG.match(text, at)
        if match is None:
            return False
        at = match.end()
        if match["name"] is None:  # a comment
            continue
        name = match["name"].lower()
        rest = text[match.end("name") : match.end() - 1]
        if name not in _ELEMENTS or not _ATTRIBUTES.fullmatch(rest):
            return False
        tags += 1
        if not match["end"]:
            stack += [] if name in _EMPTY or rest.endswith("/") else [name]
            continue
        while stack and stack[-1] != name and stack[-1] in _OPEN:
            stack.pop()
        if not stack or stack.pop() != name:
            return False
    return tags > 0 and all(name in _OPEN for name in stack)


class TableError(DeckError):
    """A file cannot become a deck, or decks cannot become a file. `faults` lists every reason."""


@dataclass(frozen=True)
class Row:
    """What a file says of one card: the fields of a card by name, and the 1-based line where it stands.

    `is_markup` is whether its sides are MyST; otherwise they are plain text.
    """

    line: int
    values: Mapping[str, str | tuple[str, ...]]
    is_markup: bool = True


@dataclass
class LeftOut:
    """What did not come over: reasons, each with how often, or with the lines on which."""

    reasons: list[str] = field(default_factory=list)
    _counts: dict[tuple[str, str], int] = field(default_factory=dict)
    _lines: dict[str, list[int]] = field(default_factory=dict)

    def say(self, reason: str) -> None:
        """Something once."""
        if reason not in self.reasons:
            self.reasons.append(reason)

    def count(self, one: str, many: str, number: int = 1) -> None:
        """Something that is counted."""
        if number:
            self._counts[one, many] = self._counts.get((one, many), 0) + number

    def at(self, line: int, reason: str) -> None:
        """Something that stands on a line."""
        lines = self._lines.setdefault(reason, [])
        if line not in lines[-1:]:  # both sides of a card stand on one
            lines.append(line)

    def sentences(self) -> list[str]:
        """All of it."""
        told = list(self.reasons)
        told += [f"{number:,} {one if number == 1 else many}" for (one, many), number in self._counts.items()]
        for reason, lines in self._lines.items():
            named = ", ".join(map(str, lines[:_TELLING])) + (", …" if len(lines) > _TELLING else "")
            told.append(f"{'line' if len(lines) == 1 else 'lines'} {named}: {reason}")
        return told


ANKI_TEXT = (
    "this is text that Anki exports, which has no images and no progress; "
    "export a package (.apkg) there and read it by 'flipcards import anki'"
)


def is_text_of_anki(text: str) -> bool:
    """Whether a file is one that Anki's export of notes as text writes."""
    return (
        re.match(r"#(?:separator|html|guid column|notetype column|deck column|tags column|columns):", text)
        is not None
    )


def cleaned(text: str) -> str:
    """Text without characters that a deck cannot hold."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return REORDERING.sub("", CONTROL.sub("", text))


def cards(rows: Iterable[Row], name: str, left_out: LeftOut) -> tuple[Card, ...]:
    """The cards of a file.

    Args:
        rows: what the file says.
        name: how messages name the file.
        left_out: takes what does not come over.

    Raises:
        TableError: with every fault of the file; or no card is left.
    """
    making = _Making(name, left_out)
    made: list[tuple[int, Card]] = []
    for row in rows:
        if len(made) >= MAX_CARDS:
            raise TableError([Fault(name, row.line, f"more than {MAX_CARDS:,} cards; split the file")])
        card = making.card(row)
        if card is not None:
            made.append((row.line, card))
    finished = making.with_ids(made)
    if making.faults:
        raise TableError(making.faults)
    if not finished:
        reasons = "".join(f"\n  left out: {reason}" for reason in left_out.sentences())
        raise TableError([Fault(name, 1, f"no card is in it{reasons}")])
    return finished


class _Making:
    """Makes the cards of one file."""

    def __init__(self, name: str, left_out: LeftOut) -> None:
        self.name = name
        self.left_out = left_out
        self.faults: list[Fault] = []
        self.faces = Faces()
        self.reader = Reader()

    def card(self, row: Row) -> Card | None:
        """One card, whose id may still be empty."""
        values = {
            key: tuple(dict.fromkeys(kept for entry in value if (kept := self._text(entry))))
            if isinstance(value, tuple)
            else self._text(value)
            for key, value in row.values.items()
        }
        if not any(values.values()):
            return None
        long = [key for key, value in values.items() if isinstance(value, str) and len(value) > MAX_SIDE]
        if long:
            message = f"'{long[0]}' has more than {MAX_SIDE:,} characters; shorten it"
            self.faults.append(Fault(self.name, row.line, message))
            return None
        for side in ("front", "back"):
            if not str(values.get(side, "")).strip():
                self.left_out.at(row.line, f"'{side}' is empty")
                return None
        for side in FACES:
            if values.get(side):
                try:
                    values[side] = self._side(str(values[side]), row)
                except ValueError as error:
                    self.faults.append(Fault(self.name, row.line, f"'{side}': {error}; shorten it"))
                    return None
        for key in ("source", "term", "see"):
            value = values.get(key, "")
            if any(MARKUP.search(text) for text in ((value,) if isinstance(value, str) else value)):
                self.left_out.at(row.line, f"'{key}' is no name alone")
                values[key] = () if key in LISTS else ""
        # The columns were checked by name; Card itself checks the values and says what is wrong.
        card = Card(**{"id": "", **values})  # type: ignore[arg-type]
        if not card.front.strip() or not card.back.strip():
            self.left_out.at(row.line, "a side shows nothing")
            return None
        return card

    def _text(self, text: str) -> str:
        """The text that a deck can hold."""
        clean = cleaned(text)
        if clean != text:
            self.left_out.count(
                "character that is no text, or turns the text around it",
                "characters that are no text, or turn the text around them",
                len(text) - len(clean) - text.count("\r\n"),
            )
        return clean.rstrip()

    def _side(self, text: str, row: Row) -> str:
        """A face: the text itself where it can be one, else one that shows it."""
        if (len(text) <= MAX_MARKS and _PLAIN.fullmatch(text)) or (
            row.is_markup and not self.faces.faults(text)
        ):
            return text
        if row.is_markup:
            self.left_out.at(row.line, "markup that no face can hold; its text came over")
        if row.is_markup and (_is_html(text) if "<" in text else _ENTITY.search(text)):
            return self.reader.face(text).rstrip()
        lines = html.escape(text, quote=False).split("\n")
        return self.reader.face("<br>".join(lines)).rstrip()

    def with_ids(self, made: list[tuple[int, Card]]) -> tuple[Card, ...]:
        """The cards, each with an id of its own.

        An id is made from the question, so that the same file gives the same ids, whatever is added to it.
        """
        taken: dict[str, int] = {}
        for line, card in made:
            card_id = slug(card.id)
            if card_id in taken:  # a file of JSON may be one line
                message = f"the id '{card_id}' is taken by line {taken[card_id]}; give this card another one"
                self.faults.append(Fault(self.name, line, message))
            elif card_id:
                taken[card_id] = line
        finished = []
        for line, card in made:
            card_id = slug(card.id)
            if card.id and card_id != card.id:
                self.left_out.at(line, f"the id '{card.id[:40]}' became '{card_id or 'another one'}'")
            if not card_id:
                card_id = _new_id(card, taken)
                taken[card_id] = line
            card = replace(card, id=card_id)
            if not is_loadable(card):  # the code above has a gap: rather no deck than one that does not load
                self.faults.append(Fault(self.name, line, "this cannot become a card; write it more plainly"))
            finished.append(card)
        return tuple(finished)


def _new_id(card: Card, taken: Mapping[str, int]) -> str:
    """An id from the words of the question, or from its digest where no word is Latin."""
    plain = unicodedata.normalize("NFKD", re.sub(r"\{[\w:-]+\}(?=`)", "", card.front))
    words = re.findall(r"[a-z0-9]+", "".join(c for c in plain if not unicodedata.combining(c)).lower())
    name = "-".join(words[:MAX_ID_WORDS])[:MAX_ID].strip("-")
    if not name:
        name = f"card-{hashlib.sha256(card.front.encode()).hexdigest()[:8]}"
    if name not in taken:
        return name
    sides = f"{card.front}\0{card.back}".encode()
    told = f"{name}-{hashlib.sha256(sides).hexdigest()[:6]}"
    number, card_id = 1, told
    while card_id in taken:
        number += 1
        card_id = f"{told}-{number}"
    return card_id
