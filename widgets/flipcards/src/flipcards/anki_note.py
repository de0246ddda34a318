"""What a card is in Anki: note type, fields and ids, written by the export and read by the import."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from html import escape, unescape
from typing import Any

from flipcards.deck import CARD_FIELDS, FACES, LISTS, Card
from flipcards.markup import REORDERING, Faces
from flipcards.words import Words

# How often a change of this package has changed what a note shows. Anki takes a note or a template over only
# when it is newer than its own: raise this with every such change, and all of them are a second newer.
RENDERING = 1

# Frozen: to Anki, another list of fields is another note type, and every note of the old one a conflict.
# What a later version has to add goes into the JSON of `Text`. Templates and style may change.
FIELDS = ("Front", "Back", "Why", "Source", "Term", "See", "Page", "Id", "Text")
MODEL_ID = 1_795_478_400_071
MODEL_NAME = "Flip card (flipcards)"
GUID = "flipcards:"

FRONT_TEMPLATE = '<div class="flipcard-front" dir="auto">{{Front}}</div>'
# MathJax lays MathML for screen readers over each formula, unseen and larger than it: a block that scrolls
# would scroll that too. A rule with `:has` is all lost on old browsers, so it has nothing that they need.
STYLE = """.card {
  --quiet: #57606a; --line: #d0d7de; --tint: #f3f5f7; --paper: #fff; --link: #0a5bb5;
  max-width: 40rem; margin: 0 auto; padding: 1rem; overflow-wrap: break-word;
  font-family: system-ui, sans-serif; font-size: 1.125rem; line-height: 1.5;
  text-align: start; color: #1f2328; background: var(--paper);
}
.card.nightMode, .card.night_mode, .nightMode .card, .night_mode .card {
  --quiet: #a3acb6; --line: #444c56; --tint: #2b3036; --paper: #1e2227; --link: #79b8ff;
  color: #e6e9ec; background: var(--paper);
}
.flipcard-front { font-weight: 600; }
.flipcard-front pre, .flipcard-front table { font-weight: 400; }
.card p, .card ul, .card ol, .card dl, .card pre, .card table, .card blockquote, .card .math,
.card .admonition { margin: 0 0 .6em; }
.card li > ul, .card li > ol { margin: 0; }
.flipcard-why > :last-child, .card li:last-child > :last-child, .card .admonition > :last-child,
.card blockquote > :last-child { margin-bottom: 0; }
hr#answer { height: 0; border: 0; border-top: 1px solid var(--line); margin: 1rem 0; background: none; }
.flipcard-why { margin-top: 1rem; padding: .6rem .8rem; border-inline-start: 3px solid var(--line);
  background: var(--tint); font-size: 1rem; }
.flipcard-why > *, .card .admonition > * { --tint: var(--paper); }
.flipcard-foot { margin-top: 1rem; color: var(--quiet); font-size: .875rem; }
.card a { color: var(--link); text-decoration: underline; }
.card code { padding: .1em .25em; border-radius: 3px; background: var(--tint);
  font-family: ui-monospace, monospace; font-size: .9em; }
.card kbd { padding: 0 .3em; border: 1px solid var(--line); border-radius: 3px;
  font-family: ui-monospace, monospace; font-size: .9em; }
.card pre { overflow-x: auto; padding: .6rem .8rem; border-radius: 4px; background: var(--tint);
  text-align: left; direction: ltr; }
.card pre code { padding: 0; background: none; }
.card table { display: block; max-width: 100%; overflow-x: auto; overflow-y: hidden;
  border-collapse: collapse; }
.card th, .card td { border: 1px solid var(--line); padding: .2em .5em; text-align: start; }
.card .text-left { text-align: left; }
.card .text-center { text-align: center; }
.card .text-right { text-align: right; }
.card img { max-width: 100%; height: auto; background: #fff; }
.card ul, .card ol { padding-inline-start: 1.5em; }
.card dt { font-weight: 600; }
.card dd { margin: 0 0 .3em; margin-inline-start: 1.5em; }
.card blockquote { padding-inline-start: .8em; border-inline-start: 3px solid var(--line); }
.card .math { overflow-x: auto; overflow-y: hidden; }
.card .math mjx-container[display] { margin: .4em 0; }
.card mjx-assistive-mml { max-width: 1px; max-height: 1px; }
.card p:not(li *):has(mjx-container), .card ul:not(li *):has(mjx-container),
.card ol:not(li *):has(mjx-container), .card dl:has(mjx-container) { overflow-x: auto; overflow-y: hidden; }
.card .admonition { padding: .5rem .8rem; border-inline-start: 3px solid var(--link);
  background: var(--tint); }
.card .admonition-title { font-weight: 600; }
"""

_IMAGE = re.compile(r'src="(?P<uri>data:image/[a-z+]+;base64,[\w+/=]*)"')
_ENDINGS = {"png": "png", "jpeg": "jpg", "gif": "gif", "webp": "webp", "svg+xml": "svg"}

PageUrl = Callable[[Card], str]


def back_template(words: Words) -> str:
    """How a note shows its answer, with the labels of a language."""
    source, term, see, home = (_text(words(f"cards.{key}")) for key in ("source", "term", "see", "home"))
    return f"""{{{{FrontSide}}}}
<hr id="answer">
<div class="flipcard-back" dir="auto">{{{{Back}}}}</div>
{{{{#Why}}}}<div class="flipcard-why" dir="auto">{{{{Why}}}}</div>{{{{/Why}}}}
<footer class="flipcard-foot" dir="auto">
{{{{#Source}}}}<div>{source} {{{{Source}}}}</div>{{{{/Source}}}}
{{{{#Term}}}}<div>{term} {{{{Term}}}}</div>{{{{/Term}}}}
{{{{#See}}}}<div>{see} {{{{See}}}}</div>{{{{/See}}}}
{{{{#Page}}}}<div><a href="{{{{Page}}}}">{home}</a></div>{{{{/Page}}}}
</footer>
"""


def guid(card_id: str) -> str:
    """What makes a note the same note in every package: made from the card's id alone."""
    return GUID + card_id


def numbers(names: Iterable[str], *, first: int, span: int = 500_000_000_000) -> dict[str, int]:
    """A constant number for each name, from `first` up, no two alike.

    Anki takes ids for the milliseconds at which something was made; `first` keeps them in the past.
    """
    taken: dict[int, str] = {}
    for name in sorted(set(names)):
        number = first + int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) % span
        while number in taken:
            number += 1
        taken[number] = name
    return {name: number for number, name in taken.items()}


def note_fields(card: Card, faces: Faces, media: dict[str, bytes], page_url: PageUrl | None) -> list[str]:
    """The fields of a card's note, in the order of `FIELDS`.

    Args:
        card: the card.
        faces: renders its faces, with `mathjax`.
        media: takes the images of the faces, by their name in Anki.
        page_url: where the card is published.
    """
    faces.images.clear()
    shown = {name: _packed(faces.html(getattr(card, name)).strip(), media) for name in FACES}
    values = {
        "Front": shown["front"],
        "Back": shown["back"],
        "Why": shown["why"],
        "Source": _text(faces.cite(card.source)) if card.source else "",
        "Term": _text(faces.text(f"{{term}}`{card.term}`")) if card.term else "",
        "See": _text(faces.title(card.see) or card.see) if card.see else "",
        "Page": escape(page_url(card)) if page_url else "",
        "Id": card.id,
        "Text": _text(_origin(card, shown, faces.images)),
    }
    return [values[name] for name in FIELDS]


def note_card(fields: Mapping[str, str], tags: list[str], read: Callable[[str], str]) -> Card:
    """The card that a note of ours came from, with what was edited in Anki.

    A face that was not edited comes back as it was written; an edited one is read from its HTML.

    Args:
        fields: the note's fields by name.
        tags: the note's tags.
        read: HTML -> a face.

    Raises:
        ValueError: the note does not say which card it is.
    """
    card_id = unescape(fields["Id"]).strip()
    try:
        origin = json.loads(unescape(fields["Text"]))
        written, digests = origin["card"], origin["shown"]
        values: dict[str, Any]
        values = {name: _checked(name, written[name]) for name in CARD_FIELDS if name in written}
        values["id"] = card_id or values["id"]
    except (ValueError, TypeError, KeyError, RecursionError):
        values, digests = {"id": card_id}, {}
    if not values["id"]:
        raise ValueError("the note has no card id")
    for name in FACES:
        shown = fields[name.capitalize()]
        if name not in values and not shown and name == "why":
            continue
        if name not in values or digests.get(name) != _digest(shown):
            values[name] = read(shown)
    if _in_anki(tags) != _in_anki(values.get("tags", ())):
        values["tags"] = tuple(tags)
    return Card(**values)


def _in_anki(tags: Iterable[str]) -> set[str]:
    """Tags as Anki tells them apart: whatever their case, and no level of one has an empty name."""
    return {
        "::".join(part or "blank" for part in unicodedata.normalize("NFC", tag).casefold().split("::"))
        for tag in tags
    }


def _checked(name: str, value: Any) -> str | tuple[str, ...]:
    if name in LISTS:
        if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
            return tuple(dict.fromkeys(value))
    elif isinstance(value, str):
        return value
    raise TypeError(name)


def _origin(card: Card, shown: Mapping[str, str], images: Mapping[str, str]) -> str:
    """The card as its deck has it, digests of its faces as they are shown (they tell an edit), its images."""
    origin: dict[str, Any] = {"card": card.to_dict()}
    origin["shown"] = {name: _digest(value) for name, value in shown.items() if value}
    if images:
        origin["images"] = {path: _image(uri)[0] for path, uri in images.items()}
    return json.dumps(origin, ensure_ascii=False, separators=(",", ":"))


def _digest(shown: str) -> str:
    return hashlib.sha256(unicodedata.normalize("NFC", shown).encode()).hexdigest()[:16]


def _text(text: str) -> str:
    """Text for a field, which is HTML; nothing in it is a mark of math or media."""
    escaped = escape(REORDERING.sub("", text), quote=False)
    return escaped.replace("[", "&#91;").replace("\\", "&#92;")


def _packed(shown: str, media: dict[str, bytes]) -> str:
    """HTML whose images are files of Anki's, named by their content."""

    def file(match: re.Match[str]) -> str:
        name, data = _image(match["uri"])
        media[name] = data
        return f'src="{name}"'

    return _IMAGE.sub(file, shown)


def _image(uri: str) -> tuple[str, bytes]:
    """The name in Anki and the content of an image."""
    kind, _, encoded = uri.removeprefix("data:image/").partition(";base64,")
    data = base64.b64decode(encoded)
    return f"flipcards-{hashlib.sha256(data).hexdigest()[:20]}.{_ENDINGS[kind]}", data


def model(modified: int, words: Words) -> dict[str, Any]:
    """The note type, as collections of schema 11 store it. `modified` is in Unix seconds."""
    hidden = ("Id", "Text")
    ids = numbers(FIELDS, first=1)
    return {
        "id": MODEL_ID,
        "name": MODEL_NAME,
        "type": 0,
        "mod": modified,
        "usn": -1,
        "sortf": 0,
        "did": None,
        "tmpls": [
            {
                "id": 1,
                "name": "Card",
                "ord": 0,
                "qfmt": FRONT_TEMPLATE,
                "afmt": back_template(words),
                "bqfmt": "",
                "bafmt": "",
                "did": None,
                "bfont": "",
                "bsize": 0,
            }
        ],
        "flds": [
            {
                "id": ids[name],
                "name": name,
                "ord": position,
                "sticky": False,
                "rtl": False,
                "font": "Arial",
                "size": 20,
                "description": "",
                "plainText": False,
                "collapsed": name in hidden,
                "excludeFromSearch": name == "Text",
                "preventDeletion": True,
            }
            for position, name in enumerate(FIELDS)
        ],
        "css": STYLE,
        "latexPre": "\\documentclass{article}\n\\begin{document}\n",
        "latexPost": "\\end{document}",
        "latexsvg": False,
        "req": [[0, "any", [0]]],
        "tags": [],
        "vers": [],
    }
