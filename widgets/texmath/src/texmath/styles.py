"""The stylesheet and the fonts of rendered formulas: as they are, or cut down to what a site uses."""

from __future__ import annotations

import base64
import functools
import hashlib
import importlib
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any, NamedTuple

STYLESHEET = "texmath.css"
_FONT_RULE = re.compile(r"@font-face\{([^}]*)\}")
# Names KaTeX's fonts reserve to themselves (SIL Open Font License): a cut-down font goes by another.
_RESERVED_NAME, _OWN_NAME = "KaTeX_", "texmath_"
_NOTICE = (
    "Fonts made from KaTeX's, Copyright (c) 2009-2010 Design Science, Inc., "
    "Copyright (c) 2014-2018 Khan Academy, under the SIL Open Font License 1.1, https://openfontlicense.org"
)
_WEB = Path(__file__).parent / "web"


def assets() -> Path:
    """The folder that holds the whole stylesheet and, in ``fonts/``, all the fonts it names."""
    return _WEB


def stylesheet() -> Path:
    """The whole stylesheet, which every page with a rendered formula needs."""
    return _WEB / STYLESHEET


def css(used: Iterable[str] | None = None, *, embed: bool = True) -> str:
    """The stylesheet as text, with its fonts inside as `data:` URLs, for a host that takes no files.

    Cut fonts have no names then: their copyright and licence stand once, at the head of the text.

    Args:
        used: HTML with rendered formulas; only the fonts (and, with ``texmath[subset]``, the characters)
            that occur in it are kept. None keeps all, some 400 kB.
        embed: False leaves the fonts out, as URLs below ``fonts/``.
    """
    text, fonts = _cut(used, names=not embed)
    if embed:
        for name, data in fonts.items():
            url = "data:font/woff2;base64," + base64.b64encode(data).decode("ascii")
            text = text.replace(f"url(fonts/{name})", f"url({url})")
    return text


def write_assets(folder: Path | str, used: Iterable[str] | None = None) -> tuple[Path, ...]:
    """Write the stylesheet and its fonts into `folder`, and return their paths.

    Equal arguments write equal bytes (given the same fontTools). A file that is already so is not touched,
    and fonts from an earlier call that are no longer used are deleted.

    Args:
        folder: made where missing; gets ``texmath.css`` and ``fonts/``.
        used: the site's HTML, pages or single formulas. Then only fonts that occur in it are written, and
            with ``texmath[subset]`` installed only the characters that do, under names of their content.
            None writes all fonts, some 270 kB, of which a browser loads what a page uses.

    Returns:
        The stylesheet, then the fonts, most used first: the first two or three are worth preloading.
    """
    folder = Path(folder)
    text, fonts = _cut(used)
    files = {folder / STYLESHEET: text.encode("utf-8")}
    files |= {folder / "fonts" / name: data for name, data in fonts.items()}
    (folder / "fonts").mkdir(parents=True, exist_ok=True)
    for path in (folder / "fonts").glob("*.woff2"):
        if path not in files and path.name.startswith((_RESERVED_NAME, _OWN_NAME)):
            path.unlink()
    for path, data in files.items():
        if not path.is_file() or path.read_bytes() != data:
            path.write_bytes(data)
    return tuple(files)


class Face(NamedTuple):
    """One font file, by what CSS calls it."""

    family: str  # without the KaTeX_ in front
    bold: bool
    italic: bool
    file: str


def _cut(used: Iterable[str] | None, *, names: bool = True) -> tuple[str, dict[str, bytes]]:
    """The stylesheet and its fonts by file name, cut down to what is used.

    Args:
        used: as in `css`.
        names: whether a cut font has its names, copyright and licence in itself, some 300 bytes.
    """
    text = stylesheet().read_text(encoding="utf-8")
    if used is None:
        return text, {face.file: (_WEB / "fonts" / face.file).read_bytes() for face in _rules().faces}
    found = characters_in_use(used)
    own_name = _subsetter() is not None
    fonts = {}
    for face in sorted(found, key=lambda face: (-len(found[face]), face.file)):
        name, data = _font(face.file, "".join(sorted(found[face])), names)
        fonts[name] = data
        text = text.replace(f"fonts/{face.file}", f"fonts/{name}")
    text = _FONT_RULE.sub(lambda rule: rule[0] if any(f"/{name})" in rule[0] for name in fonts) else "", text)
    if own_name and not names:
        text = f"/*! {_NOTICE} */\n{text}"
    return (text.replace(_RESERVED_NAME, _OWN_NAME) if own_name else text), fonts


def characters_in_use(pages: Iterable[str]) -> dict[Face, set[str]]:
    """For each font the formulas in `pages` need, the characters drawn with it."""
    found: dict[Face, set[str]] = {}
    for page in pages:
        for formula in _FORMULA_TAG.finditer(page):
            _read_formula(page, formula.end(), found)
    return found


# ---------------------------------------------------------------- which element is set in which font


@dataclass(frozen=True)
class _Style:
    """The font an element inherits or sets; None is not set here."""

    family: str | None = None
    bold: bool | None = None
    italic: bool | None = None

    def over(self, inherited: _Style) -> _Style:
        return _Style(
            inherited.family if self.family is None else self.family,
            inherited.bold if self.bold is None else self.bold,
            inherited.italic if self.italic is None else self.italic,
        )


_FORMULA = _Style("Main", bold=False, italic=False)  # the rule for .katex


class _Rules(NamedTuple):
    faces: tuple[Face, ...]
    own: tuple[tuple[frozenset[str], _Style], ...]  # an element with all these classes; weakest rule first
    children: tuple[tuple[str, _Style], ...]  # an element whose parent has this class


@functools.cache
def _rules() -> _Rules:
    """What KaTeX's stylesheet says about fonts."""
    text = stylesheet().read_text(encoding="utf-8")
    faces = tuple(
        Face(
            family=_search(r"font-family:\"?KaTeX_(\w+)", body),
            bold="font-weight:700" in body,
            italic="font-style:italic" in body,
            file=_search(r"url\(fonts/([^)]+)\)", body),
        )
        for body in _FONT_RULE.findall(text)
    )
    own: list[tuple[frozenset[str], _Style]] = []
    children: list[tuple[str, _Style]] = []
    for selectors, body in re.findall(r"([^{}]+)\{([^{}]*)\}", _FONT_RULE.sub("", text)):
        style = _Style(
            family=_search(r"font-family:\"?KaTeX_(\w+)", body) or None,
            bold="font-weight:700" in body or None,
            italic=True if "font-style:italic" in body else False if "font-style:normal" in body else None,
        )
        if style == _Style():
            continue
        for selector in selectors.split(","):
            if child := re.search(r"\.([\w-]+)>span$", selector):
                children.append((child[1], style))
            elif alone := re.fullmatch(r"\.katex ((?:\.[\w-]+)+)", selector.strip()):
                own.append((frozenset(alone[1].strip(".").split(".")), style))
            else:
                raise ValueError(f"{STYLESHEET}: the selector {selector!r} sets a font and is not understood")
    own.sort(key=lambda rule: len(rule[0]))  # more classes win, then the later rule
    return _Rules(faces, tuple(own), tuple(children))


def _search(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found[1] if found else ""


_FORMULA_TAG = re.compile(r"<span\b[^>]*\bkatex-html\b[^>]*>")
_PIECE = re.compile(r"<(?P<end>/)?\w+(?P<attributes>[^>]*?)(?P<empty>/)?>|(?P<text>[^<]+)")
_CLASS = re.compile(r"""\bclass\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")


def _read_formula(page: str, start: int, found: dict[Face, set[str]]) -> None:
    """Note each character of the formula that opens just before `start` with the font it is set in."""
    inherited: list[tuple[frozenset[str], _Style]] = [
        (frozenset(), _FORMULA)
    ]  # open elements, outermost first
    for piece in _PIECE.finditer(page, start):
        if piece["text"]:
            found.setdefault(_face(inherited[-1][1]), set()).update(unescape(piece["text"]))
        elif piece["end"]:
            inherited.pop()
            if not inherited:
                return
        elif not piece["empty"]:  # an SVG path is closed at once
            attribute = _CLASS.search(piece["attributes"])
            classes = frozenset(
                (attribute[1] or attribute[2] or attribute[3] or "").split() if attribute else ()
            )
            inherited.append((classes, _style(classes, *inherited[-1])))


@functools.cache
def _style(classes: frozenset[str], parent_classes: frozenset[str], inherited: _Style) -> _Style:
    style = inherited
    for wanted, rule in _rules().own:
        if wanted <= classes:
            style = rule.over(style)
    for wanted_of_parent, rule in _rules().children:
        if wanted_of_parent in parent_classes:
            style = rule.over(style)
    return style


@functools.cache
def _face(style: _Style) -> Face:
    """The file a browser takes: the family first, then the slant, then the weight."""
    family = [face for face in _rules().faces if face.family == style.family]
    return min(family, key=lambda face: (face.italic != style.italic, face.bold != style.bold))


# ---------------------------------------------------------------- cutting a font down


@functools.lru_cache(maxsize=128)
def _font(file: str, characters: str, names: bool) -> tuple[str, bytes]:
    """Name and bytes of the font with these characters only, or of the whole font without fontTools."""
    data = (_WEB / "fonts" / file).read_bytes()
    subsetter = _subsetter()
    if subsetter is None:
        return file, data
    options = subsetter.Options(
        flavor="woff2",
        hinting=False,
        notdef_outline=True,
        recalc_timestamp=False,
        name_IDs=[0, 1, 2, 4, 6, 13, 14] if names else [],  # the names, the copyright and the licence
    )
    font = subsetter.load_font(io.BytesIO(data), options)
    cut = subsetter.Subsetter(options)
    cut.populate(text=characters + " ")  # the blank draws what has no width, such as U+200B
    cut.subset(font)
    for record in font["name"].names:
        if record.nameID in (1, 4, 6):
            record.string = record.toUnicode().replace(_RESERVED_NAME, _OWN_NAME)
    out = io.BytesIO()
    subsetter.save_font(font, out, options)
    data = out.getvalue()
    name = file.replace(_RESERVED_NAME, _OWN_NAME).removesuffix(".woff2")
    return f"{name}.{hashlib.sha256(data).hexdigest()[:8]}.woff2", data


@functools.cache
def _subsetter() -> Any:
    """The subset module of fontTools, or None where it or the woff2 compression is not installed."""
    try:
        importlib.import_module("brotli")
        return importlib.import_module("fontTools.subset")
    except ImportError:
        return None
