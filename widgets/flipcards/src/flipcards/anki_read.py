"""A package of Anki -> deck files, images, and if asked the progress in it."""

from __future__ import annotations

import hashlib
import html
import json
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import Path, PurePosixPath
from urllib.parse import quote, unquote

from markdown_it.common.normalize_url import normalizeLink
from markdown_it.common.utils import unescapeAll

from flipcards import reviews
from flipcards.anki_markdown import Reader, cloze, is_empty
from flipcards.anki_note import FIELDS, GUID, note_card
from flipcards.anki_package import AnkiError, CardOf, Collection, Note, NoteType, Package, opened
from flipcards.anki_progress import Studied, entries_of
from flipcards.deck import CONTROL, FACES, Card, Deck, is_loadable
from flipcards.files import refuse_taken, written
from flipcards.markup import MAX_IMAGE_BYTES, Faces, image_type, images_of
from flipcards.reviews import Entry

MAX_IMAGES_BYTES = 256 * 2**20  # of all images together

_LONGEST = 240  # bytes of a name: systems take 255, of which a file in the making needs some

# None of these looks at a part of a text as often as the text is long.
_ANSWER = re.compile(r"<hr\b[^<>]*\bid\s*=\s*[\"']?answer\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"\{\{(?P<kind>[#^/!]?)(?P<name>[^{}]*)\}\}")
# In a drawing (SVG) this runs, or may. The bytes of other images may hold it by chance, hence `<svg`.
_DRAWING = re.compile(rb"<(?:\w+:)?svg\b", re.IGNORECASE)
_RUNS = re.compile(
    rb"<(?:\w+:)?(?:script|foreignobject|handler)\b|[\s\"'/]on[a-z]+\s*=|javascript:", re.IGNORECASE
)
_ENTITY = re.compile(rb"<!entity", re.IGNORECASE)
_FILTERS = frozenset(("text", "hint", "type"))
# Where a face names an image: in brackets after its alternative text, in a definition, in a directive.
_DESTINATION = r"(?P<path><[^<>\n]*>|(?:\\.|[^\s\\()]|\((?:\\.|[^\s\\()])*\))+)"
_SHOWN = re.compile(
    r"!\[(?P<alt>(?:\\.|[^][\\]|\[(?:\\.|[^][\\])*\])*)\]\(\s*"
    + _DESTINATION
    + r"(?P<title>\s+(?:\"[^\"]{0,2000}\"|'[^']{0,2000}'))?\s*\)"
)
_DEFINED = re.compile(r"(?P<before>^[ >]*\[[^\]\n]+\]:\s*)" + _DESTINATION, re.MULTILINE)
_DIRECTIVE = re.compile(r"(?P<before>^.*(?:`{3}|~{3}|:{3})\{image\}[ \t]+)(?P<path>\S.*)$", re.MULTILINE)


@dataclass
class Imported:
    """What came out of a package.

    Attributes:
        decks: the deck files that were written.
        cards: how many cards they have.
        images: how many images were written beside them.
        entries: what the review log lacked of the reviews in it, by instant.
        left_out: what did not come over, a sentence each.
    """

    decks: list[Path] = field(default_factory=list)
    cards: int = 0
    images: int = 0
    entries: list[Entry] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def import_anki(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    progress: str | os.PathLike[str] | None = None,
    offset_minutes: Callable[[int], int] | None = None,
    force: bool = False,
) -> Imported:
    """Read a package, old or new, into a deck file, or into a file for each of its decks.

    Notes that `flipcards` exported come back as they were, but for what was edited in Anki. Of other notes,
    each side of a type that shows its fields plainly (basic, basic and reversed) becomes a card, and each
    deletion of a cloze; others are left out and listed.

    Args:
        source: the package.
        target: the deck file; or an existing folder, or a name that ends in `/`: a file there for each deck.
        progress: a review log: what it lacks of the reviews in the package is added. Made when missing.
        offset_minutes: Unix milliseconds -> local time east of UTC then; this machine's when left out.
        force: replace files that are there.

    Raises:
        AnkiError: the package cannot be read, or nothing in it can become a card.
        FileExistsError: a file is there and `force` is not set.
        ReviewLogError: the review log cannot be read or written; then no deck is written either.
    """
    path = Path(source)
    known = reviews.read(progress) if progress is not None else []
    as_folder = os.fspath(target).endswith(("/", os.sep)) or Path(target).is_dir()
    result = Imported()
    with opened(path) as package:
        media = f"{path.stem if as_folder else Path(target).stem}-media"
        reading = _Import(package, result, media)
        decks = reading.decks()
        if not decks:
            reading.report()
            reasons = "".join(f"\n  left out: {reason}" for reason in result.left_out)
            raise AnkiError(f"{path}: nothing in it can become a card{reasons}")
        files = _files(decks, Path(target), as_folder, reading)
        reading.report()
    for file, data in files.items():
        is_same = file not in result.decks and file.is_file() and file.read_bytes() == data
        refuse_taken(file, force=force or is_same)
    studied = [card.studied for deck in decks for card in deck.cards]
    result.entries = entries_of(studied, known, offset_minutes=offset_minutes)
    with written(files):
        if progress is not None and result.entries:
            reviews.append(progress, result.entries)
    return result


@dataclass
class _Card:
    """A card, its images (path in its faces -> name in the package) and its history."""

    card: Card
    images: dict[str, str]
    studied: Studied
    order: tuple[int, int, int]


@dataclass
class _Deck:
    """The cards of one deck of the package."""

    name: str
    cards: list[_Card] = field(default_factory=list)

    @property
    def title(self) -> str:
        return " ".join(self.name.split("::")[-1].split()) or "Deck"


class _Import:
    """Turns the notes of a package into cards, and counts what it leaves out."""

    def __init__(self, package: Package, result: Imported, folder: str) -> None:
        self.package = package
        self.collection: Collection = package.collection
        self.media = package.media
        self.folder = folder
        self.result = result
        self.images: dict[str, str] = {}  # of the card in the making
        self.reader = Reader(self._image)
        self.templates: dict[tuple[int, int], tuple[str, str] | None] = {}
        self.left_out: Counter[str] = Counter()
        self.no_image: set[str] = set()
        self.moved: set[str] = set()
        self.unknown: dict[str, set[int]] = {}  # notes by the name of their type
        self.unshown: dict[tuple[str, str], set[int]] = {}  # notes by the names of their type and field
        self.hidden: dict[int, list[str]] = {}  # fields by the type that does not show them
        self.flagged = 0
        self.taken: set[str] = set()

    def decks(self) -> list[_Deck]:
        """The decks that have cards."""
        decks: dict[int, _Deck] = {}
        for row in self.collection.cards:
            note = self.collection.notes.get(row.note)
            kind = self.collection.note_types.get(note.type_id) if note else None
            if note is None or kind is None or len(note.fields) != len(kind.fields):
                self.left_out["card without a note or a type|cards without a note or a type"] += 1
                continue
            if not self._is_ours(kind) and self._sides(note.type_id, kind, row.side) is None:
                self.unknown.setdefault(kind.name, set()).add(note.id)
                continue
            made = self._card(row, note, kind)
            if made:
                self.flagged += row.is_flagged
                name = self.collection.decks.get(row.deck, "Default")
                decks.setdefault(row.deck, _Deck(name)).cards.append(made)
        for deck in decks.values():
            deck.cards.sort(key=lambda card: card.order)
        return sorted(decks.values(), key=lambda deck: deck.name)

    def report(self) -> None:
        """Say what was left out."""
        say = self.result.left_out.append
        for name, notes in sorted(self.unknown.items()):
            say(f"{_count(len(notes), 'note')} of the type '{name[:80]}', which is neither basic nor cloze")
        for (name, field_name), notes in sorted(self.unshown.items()):
            say(
                f"the field '{field_name[:80]}' of {_count(len(notes), 'note')} of the type '{name[:80]}': "
                "no side of a card shows it"
            )
        for what, count in sorted(self.left_out.items()):
            say(_count(count, *what.split("|")))
        for what, count in sorted(self.reader.lost.items()):
            say(f"{what} in {_count(count, 'field')}")
        if self.flagged:
            say(f"the flags of {_count(self.flagged, 'card')}")
        if self.collection.undated:
            say(f"{_count(self.collection.undated, 'review')} from before 1970 or after 9998")
        if self.reader.sounds:
            say(f"{_count(self.reader.sounds, 'sound')}: a face has none")
        if self.no_image:
            names = ", ".join(sorted(self.no_image)[:5]) + (", …" if len(self.no_image) > 5 else "")
            say(
                f"{_count(len(self.no_image), 'image')} that the package has not, that are no PNG, JPEG, "
                f"GIF, WebP or SVG without scripts, or larger than {MAX_IMAGE_BYTES:,} bytes: {names}"
            )
        if self.moved:
            names = ", ".join(sorted(self.moved)[:5]) + (", …" if len(self.moved) > 5 else "")
            say(f"the path of {_count(len(self.moved), 'image')}, now in {self.folder}/: {names}")
        if self.reader.plain:
            say(f"the markup of {_count(self.reader.plain, 'field')}: only the text came over")

    # --- one card

    def _card(self, row: CardOf, note: Note, kind: NoteType) -> _Card | None:
        self.images = {}
        fields = dict(zip(kind.fields, note.fields, strict=True))
        tags = [tag for tag in dict.fromkeys(CONTROL.sub("", tag) for tag in note.tags) if tag]
        try:
            if self._is_ours(kind):
                card = self._own(note, fields, tags)
            else:
                card = self._other(row, note, kind, fields, tags)
        except ValueError as error:
            self.left_out[f"card: {error}|cards: {error}"] += 1
            return None
        if not card.front or not card.back:
            self.left_out["card with an empty side|cards with an empty side"] += 1
            return None
        studied = Studied(card.id, self.collection.reviews.get(row.id, []), row.suspended_at)
        return _Card(card, dict(self.images), studied, (row.position, row.note, row.side))

    @staticmethod
    def _is_ours(kind: NoteType) -> bool:
        return tuple(kind.fields[: len(FIELDS)]) == FIELDS

    def _own(self, note: Note, fields: Mapping[str, str], tags: list[str]) -> Card:
        card = note_card(fields, tags, self.reader.face)
        if not self._is_good(card):  # somebody wrote into the fields that keep the card's own text
            card = note_card({**fields, "Id": self._new_id(note, 0), "Text": ""}, tags, self.reader.face)
        texts = (card.front, card.back, card.why)
        shown = {_composed(path): path for text in texts for path in images_of(text)}
        with suppress(ValueError, TypeError, KeyError, AttributeError, RecursionError):
            for path, name in json.loads(html.unescape(fields["Text"]))["images"].items():
                if written := shown.get(_composed(str(path))):
                    self.images[written] = str(name)
        if card.id in self.taken or (note.guid.startswith(GUID) and note.guid != GUID + card.id):
            card = replace(card, id=self._new_id(note, 0))
        self.taken.add(card.id)
        return card

    def _is_good(self, card: Card) -> bool:
        faces = Faces()
        texts = (getattr(card, name) for name in FACES)
        return is_loadable(card) and not any(faces.faults(text) for text in texts if text)

    def _other(
        self, row: CardOf, note: Note, kind: NoteType, fields: Mapping[str, str], tags: list[str]
    ) -> Card:
        sides = self._sides(note.type_id, kind, row.side)
        assert sides is not None
        question, answer = sides
        why = ""
        if kind.is_cloze:
            text = next(name for name in _names(question) if name.startswith("cloze:")).removeprefix("cloze:")
            front, back = cloze(fields[text], row.side + 1)
            others = [name.rpartition(":")[2] for name in _names(answer)]
            extra = [fields[name] for name in dict.fromkeys(others) if name != text and name in fields]
            why = "<br>".join(value for value in extra if not is_empty(value))
            if "<b>[" not in front:
                raise ValueError("its note has no such deletion")
        else:
            front = _filled_in(question, fields, asking=True)
            back = _filled_in(answer, fields, asking=False)
        read = self.reader.face
        card = Card(self._new_id(note, row.side), read(front), read(back), read(why), tags=tuple(tags))
        self.taken.add(card.id)
        for name in self._hidden(note.type_id, kind):
            if not is_empty(fields[name]):
                self.unshown.setdefault((kind.name, name), set()).add(note.id)
        return card

    def _new_id(self, note: Note, side: int) -> str:
        """A card's id, made from what names the note in every collection: it survives every edit."""
        digest = hashlib.sha256(note.guid.encode()).hexdigest()
        for length in range(10, len(digest)):
            card_id = f"anki-{digest[:length]}" + (f"-{side + 1}" if side else "")
            if card_id not in self.taken:
                return card_id
        raise ValueError("its note is there twice")

    def _hidden(self, type_id: int, kind: NoteType) -> list[str]:
        """The fields of a type that no side of its cards shows."""
        if type_id not in self.hidden:
            texts = "".join(side for template in kind.templates for side in template)
            shown = {name.rpartition(":")[2] for name in _names(texts)}
            self.hidden[type_id] = [name for name in kind.fields if name not in shown]
        return self.hidden[type_id]

    def _sides(self, type_id: int, kind: NoteType, side: int) -> tuple[str, str] | None:
        """Question and answer of a card as templates that `_filled_in` can fill, or None where it cannot."""
        if kind.is_cloze:
            side = 0
        if (type_id, side) not in self.templates:
            self.templates[type_id, side] = _understood(kind, side)
        return self.templates[type_id, side]

    # --- images

    def _image(self, src: str, alt: str) -> str | None:
        """The path that a face gives for an image of the package."""
        name = next((n for n in (src, unquote(src)) if n in self.media), None)
        if name is None:
            self.no_image.add(src[:60])
            return None
        path = f"{self.folder}/{_file_name(name)}"
        self.images[path] = name
        return quote(path)


def _understood(kind: NoteType, side: int) -> tuple[str, str] | None:
    if side >= len(kind.templates):
        return None
    question, answer = kind.templates[side]
    if re.search(r"<script|\{\{=", question + answer, re.IGNORECASE):
        return None
    answer = _ANSWER.split(answer, maxsplit=1)[-1]
    answer = re.sub(r"\{\{\s*FrontSide\s*\}\}", "", answer)
    known = {*kind.fields, "Tags", "Type", "Deck", "Subdeck", "Card", "CardFlag"}
    for name in (*_names(question), *_names(answer)):
        *filters, field_name = name.split(":")
        allowed = _FILTERS | {"cloze"} if kind.is_cloze else _FILTERS
        if not set(filters) <= allowed or field_name not in known:
            return None
    asked = [name for name in _names(question) if not name.startswith("type:")]
    if kind.is_cloze:
        return (question, answer) if len([n for n in asked if n.startswith("cloze:")]) == 1 else None
    return (question, answer) if asked and _names(answer) else None


def _names(template: str) -> list[str]:
    """The fields that a template shows, with their filters."""
    return [match["name"].strip() for match in _TAG.finditer(template) if not match["kind"]]


def _filled_in(template: str, fields: Mapping[str, str], *, asking: bool) -> str:
    """A template with its fields, as HTML; a field to type into is not asked for."""
    parts: list[str] = []
    shown = [True]
    at = 0
    for match in _TAG.finditer(template):
        if shown[-1]:
            parts.append(template[at : match.start()])
        at = match.end()
        name = match["name"].strip()
        if match["kind"] in ("#", "^"):
            holds = is_empty(fields.get(name, "")) == (match["kind"] == "^")
            shown.append(shown[-1] and holds)
        elif match["kind"] == "/":
            if len(shown) > 1:
                shown.pop()
        elif not match["kind"] and shown[-1] and not (asking and name.startswith("type:")):
            parts.append(fields.get(name.rpartition(":")[2], ""))
    if shown[-1]:
        parts.append(template[at:])
    return "".join(parts)


# --- files -------------------------------------------------------------------------------------------


def _files(decks: list[_Deck], target: Path, as_folder: bool, reading: _Import) -> dict[Path, bytes]:
    """The files to write."""
    result = reading.result
    if not as_folder and len(decks) > 1:
        names = ", ".join(deck.name for deck in decks[:5]) + (", …" if len(decks) > 5 else "")
        result.left_out.append(f"the names of {len(decks)} decks: {names}; name a folder to keep them apart")
        levels = zip(*(deck.name.split("::") for deck in decks), strict=False)
        common = [names[0] for names in takewhile(lambda names: len(set(names)) == 1, levels)]
        decks = [_Deck("::".join(common) or target.stem, [card for deck in decks for card in deck.cards])]
    above = sorted({deck.name.rpartition("::")[0] for deck in decks} - {""})
    if as_folder and above:
        names = ", ".join(above[:5]) + (", …" if len(above) > 5 else "")
        result.left_out.append(f"the decks that others stand below: {names}")
    files: dict[Path, bytes] = {}
    size = 0
    titles = _titles(decks)
    images: dict[str, bytes] = {}  # of all decks, by their path as a system without case has it
    for deck in decks:
        title = titles[deck.name]
        file = _free(target, title, files) if as_folder else target
        cards: list[Card] = []
        for made in deck.cards:
            card = made.card
            gone: dict[str, str | None] = {}  # images, each with where it is now
            for path, name in made.images.items():
                data = reading.package.image(name, MAX_IMAGE_BYTES)
                if data is None or image_type(data) is None or _may_run(data):
                    reading.no_image.add(name[:60])
                    gone[path] = None
                    continue
                place = gone[path] = _place(path, name, reading.folder, data, images)
                reading.moved |= {path} if place != path else set()
                if file.parent / place in files:
                    continue
                size += len(data)
                if size > MAX_IMAGES_BYTES:
                    raise AnkiError(f"its images have more than {MAX_IMAGES_BYTES:,} bytes")
                result.images += 1
                files[file.parent / place] = data
            cards.append(_with_images(card, gone))
        files[file] = Deck(tuple(cards), title).to_yaml().encode()
        result.decks.append(file)
        result.cards += len(cards)
    return files


def _titles(decks: list[_Deck]) -> dict[str, str]:
    """The title of each deck by its name; with the decks above it where another has the same."""
    often = Counter(deck.title for deck in decks)
    return {
        deck.name: deck.title
        if often[deck.title] == 1
        else ": ".join(" ".join(part.split()) for part in deck.name.split("::"))
        for deck in decks
    }


def _with_images(card: Card, places: Mapping[str, str | None]) -> Card:
    """The card with its images at other paths, or with the alternative text of those that have none."""
    if all(place == path for path, place in places.items()):
        return card

    def moved(match: re.Match[str]) -> str:
        path = match["path"]
        if match.re is not _DIRECTIVE:
            path = normalizeLink(unescapeAll(path[1:-1] if path.startswith("<") else path))
        path = unquote(path.rstrip())
        place = places.get(path, path)
        if place == path:
            return match[0]
        if match.re is _SHOWN:
            alt, title = match["alt"], match["title"] or ""
            return alt if place is None else f"![{alt}]({quote(place)}{title})"
        return match[0] if place is None else f"{match['before']}{quote(place)}"

    texts = [card.front, card.back, card.why]
    for pattern in (_SHOWN, _DEFINED, _DIRECTIVE):
        texts = [pattern.sub(moved, text) for text in texts]
    return replace(card, front=texts[0], back=texts[1], why=texts[2])


def _may_run(image: bytes) -> bool:
    """Whether an image is a drawing in which something runs, or may."""
    image = image.replace(b"\0", b"")
    drawing = _DRAWING.search(image)
    return drawing is not None and bool(_ENTITY.search(image) or _RUNS.search(image, drawing.end()))


def _place(path: str, name: str, folder: str, data: bytes, images: dict[str, bytes]) -> str:
    """Where an image goes: to its path below the deck, unless that is no good or another image has it."""
    digest = hashlib.sha256(data).hexdigest()[:16]
    ending = name.rpartition(".")[2]
    places = [path] if _is_below(path) else []
    places += [f"{folder}/{_file_name(name)}", f"{folder}/{digest}.{ending if ending.isalnum() else 'png'}"]
    for place in places:
        key = _composed(str(PurePosixPath(place))).casefold()
        if images.setdefault(key, data) == data:
            return place
    raise ValueError(f"there is no place for the image {name[:60]}")  # two contents with one digest


def _composed(text: str) -> str:
    """Text with accents as Anki keeps them in notes: within the letter."""
    return unicodedata.normalize("NFC", text)


def _is_below(path: str) -> bool:
    """Whether a path leads to a file below the deck, on every system."""
    parts = PurePosixPath(path).parts
    return (
        bool(parts)
        and bool(re.search(r"\.(?:png|jpe?g|gif|webp|svg)$", path, re.IGNORECASE))
        and path.isprintable()
        and not re.search(r'[\\:*?"<>|]', path)
        and not path.startswith("/")
        and not any(part.startswith((".", " ")) or part.endswith((".", " ")) for part in parts)
        and all(len(part.encode()) <= _LONGEST for part in parts)
    )


def _file_name(name: str) -> str:
    """A name for a media file that every system takes."""
    stem, _, ending = name.rpartition(".")
    if re.fullmatch(r"\w[\w-]{0,80}\.[A-Za-z]{3,4}", name) and name == _cut(stem) + f".{ending}":
        return name
    slug = _cut(re.sub(r"[^\w-]+", "-", stem).strip("-"))[:60] or "image"
    ending = re.sub(r"\W", "", ending)[:4].lower() or "png"
    return f"{slug}-{hashlib.sha256(name.encode()).hexdigest()[:6]}.{ending}"


def _cut(slug: str) -> str:
    """At most 81 characters of a name, and no more bytes than every system takes."""
    return slug[:81].encode()[: _LONGEST - 20].decode(errors="ignore")


def _free(folder: Path, title: str, taken: Mapping[Path, bytes]) -> Path:
    slug = _cut("-".join(re.findall(r"\w+", title.lower()))) or "deck"
    number = 1
    while (file := folder / (f"{slug}.yml" if number == 1 else f"{slug}-{number}.yml")) in taken:
        number += 1
    return file


def _count(number: int, one: str, many: str = "") -> str:
    if number == 1:
        return f"1 {one}"
    return f"{number:,} {many or one + 's'}"
