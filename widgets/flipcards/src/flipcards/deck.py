"""What a deck is: cards in one YAML file; load, check and save it."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import yaml

from flipcards.files import refuse_taken, write_whole

if TYPE_CHECKING:
    from flipcards.study import Session

FORMAT = 1
MAX_BYTES = 64 * 2**20  # of a file; a larger one is refused before it takes the memory
MAX_DEPTH = 5  # mapping > cards > card > tags > tag: a deck is never nested deeper

DECK_FIELDS = ("format", "title", "bibliography", "pages", "cards")
CARD_FIELDS = ("id", "front", "back", "why", "source", "term", "see", "tags")
REQUIRED = ("id", "front", "back")
LISTS = ("source", "tags")
FACES = ("front", "back", "why")
NAMES = ("source", "term", "see")  # refer to something by its name: no markup

_REMEDY = {
    "id": "give the card an id that no other card has",
    "front": "write the question",
    "back": "write the answer",
    "why": "write it or leave the field out",
    "source": "list keys of the bibliography, or leave the field out",
    "term": "name a term of the glossary, or leave the field out",
    "see": "name a label of the book, or leave the field out",
    "tags": "list tags, or leave the field out",
    "title": "name the deck, or leave the field out",
    "bibliography": "name a .bib file, or leave the field out",
    "pages": "name the folder of the book's pages, or leave the field out",
}
_TAG_NAMES = {
    "int": "the number",
    "float": "the number",
    "bool": "the truth value",
    "timestamp": "the date",
    "binary": "binary data",
    "merge": "a merge key",
}
MARKUP = re.compile(r"[`<>{}\n]|^[!~]")
ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_LINE_END = re.compile("[\n\x85\u2028\u2029]")  # to YAML
_YAML_STR = "tag:yaml.org,2002:str"
_YAML_NULL = "tag:yaml.org,2002:null"


@dataclass(frozen=True, order=True)
class Fault:
    """One thing wrong with a deck file: where it is and what to do about it."""

    file: str
    line: int
    message: str
    card: str = ""

    def __str__(self) -> str:
        number = re.fullmatch(r"number \d+", self.card)  # a card without an id; no id has a space
        card = f"card {self.card}: " if number else f"card '{self.card}': " if self.card else ""
        return f"{self.file}:{self.line}: {card}{self.message}"


class DeckError(ValueError):
    """A deck cannot be used. `faults` lists every reason; the message has a line for each.

    `readable` is what could be read of the deck nevertheless, for whoever looks for more faults in it.
    """

    def __init__(self, faults: Iterable[Fault], readable: Deck | None = None) -> None:
        self.readable = readable
        self.faults = tuple(sorted(faults))
        super().__init__("\n".join(map(str, self.faults)))

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the faults, without the way through this package."""
        return [f"{type(self).__name__}:", *map(str, self.faults)]


@dataclass(frozen=True)
class Card:
    """One question and its answer.

    Attributes:
        id: names the card for ever: reviews and exported notes hang on it.
        front: the question, in MyST Markdown.
        back: the answer, in MyST Markdown.
        why: what an expert reviewer would add, in MyST Markdown.
        source: keys of the bibliography.
        term: an entry of the glossary.
        see: a label of the book where the answer is shown.
        tags: words to filter by.
        lines: the 1-based line of the deck file on which each field's text starts.
    """

    id: str
    front: str
    back: str
    why: str = ""
    source: tuple[str, ...] = ()
    term: str = ""
    see: str = ""
    tags: tuple[str, ...] = ()
    lines: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)

    @property
    def line(self) -> int:
        """The 1-based line of the deck file on which the card starts (1 when it has no file)."""
        return self.lines.get("", 1)

    def to_dict(self) -> dict[str, Any]:
        """The fields that have a value, in the order of the file format."""
        values = {name: getattr(self, name) for name in CARD_FIELDS}
        return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items() if v}


View = Callable[["Deck"], Mapping[str, Any]]


@dataclass
class Deck:
    """The cards of one file, in its order.

    Attributes:
        cards: the cards.
        title: what a reader sees above them.
        path: the file they came from, or None.
        shown_as: how messages name that file.
        bibliography: a BibTeX file, for hosts that have to write author and year themselves.
        pages: the folder of the book's pages, for hosts that have to look up titles themselves.
        home: whether a page that shows the deck is its cards' own page (see `borrow`).
        selection: what `only` was given, for hosts that load the file again.
        revealed: ids of the cards whose answer was shown in a live view, in that order.
    """

    cards: tuple[Card, ...]
    title: str = ""
    path: Path | None = None
    shown_as: str = ""
    bibliography: Path | None = None
    pages: Path | None = None
    home: bool = True
    selection: Mapping[str, list[str]] = field(default_factory=dict)
    revealed: list[str] = field(default_factory=list, compare=False)

    # How a notebook shows a deck, and how one is studied there. The modules above this one say so.
    views: ClassVar[list[View]] = []
    sessions: ClassVar[Callable[..., Any]]

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, shown_as: str | None = None) -> Deck:
        """Read a deck file.

        Args:
            path: the file.
            shown_as: how messages name it; the path as given when left out.

        Raises:
            DeckError: with every fault of the file, each with its line.
        """
        file = Path(path)
        name = shown_as if shown_as is not None else str(path)
        return _Reader(file, name).deck()

    @classmethod
    def parse(cls, data: bytes, *, folder: str | os.PathLike[str] = ".", shown_as: str = "deck") -> Deck:
        """Read a deck that is no file; paths in it are relative to the folder.

        Raises:
            DeckError: with every fault of the deck, each with its line.
        """
        deck = _Reader(Path(folder) / "deck.yml", shown_as, data).deck()
        deck.path = None
        return deck

    @property
    def name(self) -> str:
        """The file's name without its ending; it names the deck in pages."""
        return self.path.stem if self.path else "deck"

    def __len__(self) -> int:
        return len(self.cards)

    def __iter__(self) -> Iterator[Card]:
        return iter(self.cards)

    def __getitem__(self, card_id: str) -> Card:
        for card in self.cards:
            if card.id == card_id:
                return card
        raise KeyError(card_id)

    def only(self, ids: Iterable[str] = (), *, tags: Iterable[str] = ()) -> Deck:
        """The same deck with fewer cards: those named, in the order named, and with one of the tags.

        Raises:
            DeckError: an id that is not in the deck, or a selection that leaves no card.
        """
        cards = list(self.cards)
        ids, tags = list(ids), list(tags)
        selection = {name: values for name, values in (("cards", ids), ("tags", tags)) if values}
        if ids:
            known = {card.id: card for card in cards}
            missing = [i for i in ids if i not in known]
            if missing:
                raise DeckError(
                    Fault(self.shown_as, 1, f"no card '{i}'{_did_you_mean(i, known)}") for i in missing
                )
            cards = [known[i] for i in dict.fromkeys(ids)]
        if tags:
            cards = [card for card in cards if set(tags) & set(card.tags)]
            if not cards:
                raise DeckError([Fault(self.shown_as, 1, f"no card has the tag {', '.join(tags)}")])
        return replace(self, cards=tuple(cards), selection={**self.selection, **selection})

    def borrow(self) -> Deck:
        """The same deck for a page that is not its cards' own: there they link to the page that is."""
        return replace(self, home=False)

    def study(self, progress: str | os.PathLike[str] | None = None, **settings: Any) -> Session:
        """Begin to study in a notebook: a `flipcards.study.Session`, to be the last line of a cell.

        Args:
            progress: a log file, made where it is missing, that keeps every review and that the session goes
                on from. Without it reviews live as long as the kernel.
            settings: what should not be the default, such as `new_per_day=20` or `desired_retention=0.85`.

        Raises:
            ReviewLogError: the log cannot be read or written, or a line of it is damaged.
            ValueError: a setting does not exist or makes no sense.
        """
        session: Session = type(self).sessions(self, progress, **settings)
        return session

    def save(self, path: str | os.PathLike[str], *, force: bool = False) -> None:
        """Write the deck as a file that `Deck.load` reads back equal; whole or not at all.

        Raises:
            FileExistsError: the file is there and `force` is not set.
            IsADirectoryError: a folder is there.
        """
        target = Path(path)
        refuse_taken(target, force=force)
        write_whole(target, self.to_yaml(target.parent).encode())

    def to_yaml(self, folder: str | os.PathLike[str] = ".") -> str:
        """The deck as the text of a file in a folder; paths are written relative to it."""
        data: dict[str, Any] = {"format": FORMAT}
        if self.title:
            data["title"] = self.title
        for name in ("bibliography", "pages"):
            value = getattr(self, name)
            if value is not None:
                data[name] = Path(os.path.relpath(value, folder)).as_posix()
        data["cards"] = [card.to_dict() for card in self.cards]
        return str(yaml.dump(data, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        bundle: dict[str, Any] = {"text/plain": repr(self)}
        for view in self.views:
            bundle.update(view(self))
        return bundle

    def __repr__(self) -> str:
        cards = "1 card" if len(self.cards) == 1 else f"{len(self.cards)} cards"
        return f"<Deck {self.title or self.name!r}: {cards}>"


def duplicate_ids(decks: Iterable[Deck]) -> list[Fault]:
    """The cards whose id another deck already has: ids are unique in a book. `Deck.load` sees to one deck."""
    seen: dict[str, tuple[Deck, int]] = {}
    faults = []
    for deck in decks:
        for card in deck:
            first, line = seen.setdefault(card.id, (deck, card.line))
            if first is not deck:
                message = f"the id is taken by {first.shown_as}:{line}; give this card another one"
                faults.append(Fault(deck.shown_as, card.line, message, card.id))
    return faults


def slug(text: str) -> str:
    """The words of a text as an id has them; empty where no word is Latin."""
    return "-".join(re.findall(r"[a-z0-9]+", text.lower()))


def is_loadable(card: Card) -> bool:
    """Whether `Deck.load` takes the card from a file as it is. What its faces hold is not looked at."""
    values = [value for name in CARD_FIELDS for value in _values(getattr(card, name))]
    return (
        bool(ID.fullmatch(card.id) and card.front.strip() and card.back.strip())
        and not any(CONTROL.search(value) or value != value.rstrip() for value in values)
        and not any(MARKUP.search(value) for name in NAMES for value in _values(getattr(card, name)))
        and not any(not value or re.search(r"\s", value) for name in LISTS for value in getattr(card, name))
    )


def _values(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


# What PyYAML finds wrong -> what to do about it in a deck.
_YAML_REMEDY = {
    "a second document starts here": "keep one deck in a file",
    "could not find expected ':'": "write 'name: text', and indent a text of several lines below '|'",
    "did not find expected '-' indicator": "begin each card with '- ', all at one indentation",
    "did not find expected ',' or ']'": "close the list with ']', or put text that begins with '[' in quotes",
    "did not find expected ',' or '}'": "put text that begins with '{' in quotes, or write it below '|'",
    "did not find expected key": "indent the fields of a card alike, and put text with quotes below '|'",
    "found character that cannot start any token": "indent with spaces; put text with ` or @ in quotes",
    "found unexpected end of stream": "close the quote that is open",
    "found unknown escape character": "a backslash needs single quotes, or the text below '|'",
    "mapping values are not allowed in this context": "put text with ': ' in quotes, or write it below '|'",
}


class _Dumper(yaml.SafeDumper):
    """Writes long or multi-line text as a block, which is how authors write it."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    if re.search("[\x85\u2028\u2029\ufeff]", text):  # to YAML these end a line, or mark the byte order
        style: str | None = '"'
    else:
        style = "|" if "\n" in text and not re.search(r"[ \t]+(\n|$)", text) else None
    return dumper.represent_scalar(_YAML_STR, text, style=style)


_Dumper.add_representer(str, _represent_text)


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean '{close[0]}'?" if close else ""


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _starts_at(node: yaml.Node) -> int:
    """The 1-based line on which the text of a scalar starts."""
    block = isinstance(node, yaml.ScalarNode) and node.style in ("|", ">")
    return int(node.start_mark.line) + (2 if block else 1)


class _Reader:
    """Reads one deck file and gathers its faults."""

    def __init__(self, path: Path, shown_as: str, data: bytes | None = None) -> None:
        self.path = path
        self.shown_as = shown_as
        self.data = data
        self.faults: list[Fault] = []

    def fault(self, line: int, message: str, card: str = "") -> None:
        self.faults.append(Fault(self.shown_as, line, message, card))

    def deck(self) -> Deck:
        root = self.root()
        deck = self.from_root(root) if root is not None else None
        if self.faults or deck is None:
            raise DeckError(self.faults, deck)
        return deck

    def text(self) -> str | None:
        try:
            if self.data is None:
                with self.path.open("rb") as file:
                    raw = file.read(MAX_BYTES + 1)
            else:
                raw = self.data
        except FileNotFoundError:
            self.fault(1, "there is no such file; check the path")
            return None
        except OSError as error:
            self.fault(1, f"cannot be read: {error.strerror or error}")
            return None
        if len(raw) > MAX_BYTES:
            self.fault(1, f"it has more than {MAX_BYTES:,} bytes; split the deck")
            return None
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = len(re.split(b"\r\n?|\n", raw[: error.start]))
            byte = raw[error.start]
            self.fault(line, f"the byte 0x{byte:02x} is not UTF-8; save the file with the encoding UTF-8")
            return None
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        control = CONTROL.search(text)
        if control:
            line = text.count("\n", 0, control.start()) + 1
            self.fault(line, f"the control character U+{ord(control[0]):04X} is not text; take it out")
            return None
        return text

    def root(self) -> yaml.Node | None:
        text = self.text()
        if text is None:
            return None
        try:
            # The events first: composing a deeply nested file overflows the C stack.
            depth = 0
            for event in yaml.parse(text, Loader=yaml.CSafeLoader):
                if isinstance(event, yaml.AliasEvent):
                    line = _line(event)
                    self.fault(line, f"the alias '*{event.anchor}' is not allowed; write the text out")
                elif isinstance(event, yaml.CollectionStartEvent):
                    depth += 1
                    if depth > MAX_DEPTH:
                        self.fault(_line(event), "nested too deeply; a card's fields are text")
                        return None
                elif isinstance(event, yaml.CollectionEndEvent):
                    depth -= 1
            if self.faults:
                return None
            root: yaml.Node | None = yaml.compose(text, Loader=yaml.CSafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            problem = error.problem or "it cannot be parsed"
            if problem == "but found another document":
                problem = "a second document starts here"
            remedy = _YAML_REMEDY.get(problem, "look at quotes, colons and indentation here and just above")
            last = len(_LINE_END.split(text))  # to YAML, the end of the file is one more
            self.fault(min(mark.line + 1, last) if mark else 1, f"not valid YAML: {problem}; {remedy}")
            return None
        except yaml.YAMLError as error:
            self.fault(1, f"not valid YAML: {error}; save the file as UTF-8 text without control characters")
            return None
        if root is None or (isinstance(root, yaml.ScalarNode) and root.tag == _YAML_NULL):
            self.fault(1, "the file is empty; write 'cards:' and a list of cards")
            return None
        return root

    def mapping(self, node: yaml.MappingNode, known: tuple[str, ...], card: str) -> dict[str, yaml.Node]:
        """The known fields of a mapping; says which are unknown or doubled."""
        fields: dict[str, yaml.Node] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            name = key.value if isinstance(key, yaml.ScalarNode) else None
            if name is None or name not in known:
                hint = _did_you_mean(str(name), known) or f"; known are {', '.join(known)}"
                self.fault(line, f"unknown field '{name if name is not None else 'a list'}'{hint}", card)
            elif name in fields:
                self.fault(line, f"'{name}' is there twice; keep one", card)
            else:
                fields[name] = value
        return fields

    def string(self, node: yaml.Node, name: str, card: str, remedy: str) -> str:
        line = _starts_at(node)
        if not isinstance(node, yaml.ScalarNode):
            kind = "a list" if isinstance(node, yaml.SequenceNode) else "a mapping"
            self.fault(line, f"'{name}' is {kind}; write text", card)
            return ""
        if node.tag == _YAML_NULL or (node.tag == _YAML_STR and not node.value.strip()):
            self.fault(node.start_mark.line + 1, f"'{name}' is empty; {remedy}", card)
            return ""
        if node.tag != _YAML_STR:
            kind = _TAG_NAMES.get(node.tag.removeprefix("tag:yaml.org,2002:"), "")
            if not kind or node.tag.endswith(("binary", "merge")):
                tag = node.tag.replace("tag:yaml.org,2002:", "!!")
                self.fault(line, f"'{name}' has the tag {tag}; only plain text is allowed", card)
            else:
                message = f"'{name}' is {kind} {node.value}; put it in quotes: \"{node.value}\""
                self.fault(line, message, card)
            return ""
        control = CONTROL.search(node.value)
        if control:
            self.fault(line, f"'{name}' has the control character U+{ord(control[0]):04X}; take it out", card)
            return ""
        return str(node.value.rstrip())

    def strings(self, node: yaml.Node, name: str, card: str) -> tuple[str, ...]:
        if isinstance(node, yaml.ScalarNode) and node.tag == _YAML_STR and node.value.strip():
            self.fault(_starts_at(node), f"'{name}' is text; write a list: [{node.value}]", card)
            return ()
        if not isinstance(node, yaml.SequenceNode):
            self.string(node, name, card, _REMEDY[name])
            return ()
        values = [
            self.string(item, name, card, f"take the empty entry of '{name}' out") for item in node.value
        ]
        for item, value in zip(node.value, values, strict=True):
            if re.search(r"\s", value):
                message = f"'{name}' has '{value}', with a space; write {'-'.join(value.split())}"
                self.fault(_starts_at(item), message, card)
        return tuple(dict.fromkeys(values))

    def from_root(self, root: yaml.Node) -> Deck | None:
        if not isinstance(root, yaml.MappingNode):
            kind = "a list" if isinstance(root, yaml.SequenceNode) else "text"
            self.fault(
                root.start_mark.line + 1, f"the file is {kind}; write 'cards:' and put the cards below it"
            )
            return None
        fields = self.mapping(root, DECK_FIELDS, "")
        self.format(fields.get("format"))
        title = self.string(fields["title"], "title", "", _REMEDY["title"]) if "title" in fields else ""
        bibliography = self.file(fields.get("bibliography"), "bibliography")
        pages = self.file(fields.get("pages"), "pages")
        cards = self.cards(root, fields.get("cards"))
        return Deck(cards, title, self.path, self.shown_as, bibliography, pages)

    def format(self, node: yaml.Node | None) -> None:
        if node is not None and getattr(node, "value", None) != str(FORMAT):
            value = node.value if isinstance(node, yaml.ScalarNode) else "a list"
            message = f"format {value} is unknown; this version reads format {FORMAT}"
            self.fault(node.start_mark.line + 1, message)

    def file(self, node: yaml.Node | None, name: str) -> Path | None:
        value = self.string(node, name, "", _REMEDY[name]) if node is not None else ""
        if node is None or not value:
            return None
        path = self.path.parent / value
        if not (path.is_dir() if name == "pages" else path.is_file()):
            what = "folder" if name == "pages" else "file"
            message = f"'{name}': there is no {what} {value}; paths are relative to the deck"
            self.fault(_starts_at(node), message)
            return None
        return path

    def cards(self, root: yaml.Node, node: yaml.Node | None) -> tuple[Card, ...]:
        if node is None:
            self.fault(root.start_mark.line + 1, "'cards' is missing; write 'cards:' and a list of cards")
            return ()
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            self.fault(node.start_mark.line + 1, "'cards' is empty; write a list of cards, each with an id")
            return ()
        cards = [card for position, item in enumerate(node.value, 1) if (card := self.card(item, position))]
        first: dict[str, int] = {}
        for card in cards:
            if card.id in first:  # on the same line too, where cards stand in braces
                message = f"the id is taken by line {first[card.id]}; give this card another one"
                self.fault(card.line, message, card.id)
            elif card.id:
                first[card.id] = card.line
        return tuple(cards)

    def card(self, node: yaml.Node, position: int) -> Card | None:
        line = node.start_mark.line + 1
        if not isinstance(node, yaml.MappingNode):
            self.fault(line, f"card {position} is not a mapping; write '- id: …' with its fields below")
            return None
        named = next((v for k, v in node.value if getattr(k, "value", None) == "id"), None)
        name = (
            str(named.value) if isinstance(named, yaml.ScalarNode) and named.value else f"number {position}"
        )
        fields = self.mapping(node, CARD_FIELDS, name)
        for required in REQUIRED:
            if required not in fields:
                self.fault(line, f"'{required}' is missing; {_REMEDY[required]}", name)
        values: dict[str, Any] = dict.fromkeys(REQUIRED, "")
        for field_name, value in fields.items():
            if field_name in LISTS:
                values[field_name] = self.strings(value, field_name, name)
            else:
                values[field_name] = self.string(value, field_name, name, _REMEDY[field_name])
        for field_name in NAMES:
            value = values.get(field_name, "")
            for written in (value,) if isinstance(value, str) else value:
                if markup := MARKUP.search(written):
                    character = "a line break" if markup[0] == "\n" else f"'{markup[0]}'"
                    message = f"'{field_name}' has {character}; write the name alone"
                    self.fault(_starts_at(fields[field_name]), message, name)
        card_id = values.get("id", "")
        if card_id and not ID.fullmatch(card_id):
            good = slug(card_id) or "my-card"
            message = f"the id '{card_id}' has other characters than a-z, 0-9 and hyphens; write {good}"
            self.fault(_starts_at(fields["id"]), message, name)
        lines = {field_name: _starts_at(value) for field_name, value in fields.items()}
        return Card(**values, lines={"": line, **lines})
