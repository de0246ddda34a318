"""Icons by a font of the glyphs in use, not by Font Awesome's script of 540 kB.

The theme brings both: the script, which replaces each icon by a drawing, and fonts of 300 kB with their style
sheet. Without the script the style sheet shows the same icons, and the fonts are cut down to the glyphs that
pages and scripts name.
"""

from __future__ import annotations

import base64
import io
import json
import logging
import re
from collections.abc import Collection, Iterable
from typing import Any

from sphinx.application import Sphinx

from sphinx_lightbook.rewriting import Page, Site, add_step, digest
from sphinx_lightbook.scripts import small_script
from sphinx_lightbook.tags import Tag, edit_tags, file_named, named

SCRIPT = "_static/scripts/fontawesome.js"
BOOTSTRAP = "_static/scripts/bootstrap.js"  # its words are no sign of use: it knows every class it can set
FONT = re.compile(r"fa-(?:solid-900|regular-400|brands-400)\.woff2")
ICON_CLASSES = {"fa", "fas", "far", "fab", "fa-solid", "fa-regular", "fa-brands"}
OUTLINED = {"far", "fa-regular"}  # the classes that choose the face of outlined icons
OUTLINED_FONT = "fa-regular-400"
NAMING = {"aria-hidden", "aria-label", "aria-labelledby", "title", "role"}
# An author's script may add icons of its own by Font Awesome's interface.
INTERFACE = "FontAwesome"

# What stands in a script that puts an icon's name together: `"fa-" + name`. Which it makes cannot be known.
START = "fa-"

# The theme's rules for drawings do not hold for letters, and those for `<i>` did not hold while drawings took
# the place of the `<i>`. Each size here is that of the drawing.
SIZES = """
.prev-next-area i.fa-solid, .search-button i.fa-solid { font-size: inherit; }
.sidebar-secondary-item i.fa-solid { padding-right: 0; }
.bd-header-article .btn :is(i, .fa-solid) { min-width: 1.3rem; text-align: center; }
.bd-header-article .btn .theme-switch.fa-lg {
  font-size: 1.3rem; line-height: 1.25; vertical-align: baseline;
}
ul.navbar-icon-links i:is(.fa-brands, .fa-regular, .fa-solid) {
  font-size: var(--pst-font-size-icon); vertical-align: middle;
}
.bd-search .fa-solid.fa-magnifying-glass { position: static; }
#pst-search-dialog[open] form.bd-search .fa-solid { font-size: var(--pst-font-size-icon); }
"""

_RULE = re.compile(r"([^{}]*)\{([^{}]*)\}")
# In `content`, or in a variable for it.
_CONTENT = re.compile(r"""["'](?:\\([0-9a-f]{1,6})\s?|([\ue000-\uf8ff]))["']""", re.IGNORECASE)
_ICON = re.compile(r"\.(fa-[\w-]+)::?before\s*")
_FACE = re.compile(r"@font-face\s*\{[^}]*\}")
_OWN = re.compile(r"(?:\.fa[\w-]*(?:::?\w+)?|:root|:host)(?:\s*,\s*(?:\.fa[\w-]*(?:::?\w+)?|:root|:host))*")
_OUTLINED = re.compile(r"""fa-regular|\bfar\s+fa-|["'`]far["'`]""")
_OF_THE_FONT = re.compile(r"--fa-font-regular|--fa-style|Font\\?\s?Awesome", re.IGNORECASE)


def setup(app: Sphinx) -> None:
    """Cut the icons down when the site is written."""
    add_step(app, Icons())


class Icons:
    """The step."""

    name = "icons"

    def prepare(self, site: Site) -> None:
        """Cut the fonts of every style sheet that has Font Awesome's down to the glyphs in use."""
        self.sheets = [
            path
            for path in _sheets(site)
            if FONT.search(site.text(path) or "") and ".fa-" in (site.text(path) or "")
        ]
        # Where no style sheet has the icons, the script alone draws them.
        self.drops_script = bool(self.sheets) and not any(INTERFACE in text for text in scripts_in_use(site))
        if not self.drops_script:
            return
        words = words_in_use(site)
        site.dropped.add(SCRIPT)
        if START in words:
            for path in self.sheets:
                site.replace(path, ((site.text(path) or "") + SIZES).encode())
            site.notes.append('all icons kept: a script makes their names ("fa-" + …)')
            return
        symbols = {ord(symbol) for page in site.pages.values() for symbol in page.facts["symbols"]}
        sheets = [_read_sheet(site, site.text(path) or "") for path in _sheets(site)]
        glyphs = symbols.union(*(glyphs_in_use(sheet["rules"], words) for sheet in sheets))
        outlined = bool(symbols) or has_outlined(site) or any(sheet["outlines"] for sheet in sheets)
        for path in self.sheets:
            site.replace(path, (cut_fonts(site, path, glyphs, outlined) + SIZES).encode())

    def state(self, page: Page) -> object:
        """Whether the script is dropped."""
        return self.drops_script

    def edit(self, page: Page, html: str) -> str:
        """Take the script out. Hide the icons, which are letters now, from screen readers, as it did."""
        if not self.drops_script:
            return html

        def edit(tag: Tag) -> str | None:
            if tag.name in {"i", "span"} and ICON_CLASSES.intersection(tag.classes):
                return None if NAMING & set(tag.attributes) else tag.with_attributes({"aria-hidden": "true"})
            if tag.name not in {"script", "link"}:
                return None
            address = tag.attributes.get("src") or tag.attributes.get("href")
            return "" if address and file_named(address, page.name) == SCRIPT else None

        return edit_tags(html, edit, named("i", "span", "script", "link"))


def words_in_use(site: Site) -> set[str]:
    """Every class of a page, and every word of a script that some page names."""
    words = {word[1:] for word in _words_of_pages(site) if word.startswith(".")}
    for text in scripts_in_use(site):
        words.update(re.findall(r"[\w-]+", text))
    return words


def _words_of_pages(site: Site) -> set[str]:
    return set().union(*(page.facts["words"] for page in site.pages.values()))


def has_outlined(site: Site) -> bool:
    """Whether a page has an outlined icon, or a script or its data may make one. "far" is a word, too."""
    words = _words_of_pages(site)
    data = {word for page in site.pages.values() for word in page.facts["data"]}
    return (
        any(f".{name}" in words for name in OUTLINED)
        or ("far" in data and any(word.startswith("fa-") for word in data))
        or any(_OUTLINED.search(text) for text in scripts_in_use(site))
    )


def scripts_in_use(site: Site, without: Collection[str] = ()) -> list[str]:
    """The texts of all scripts that pages run or name, and their data; Font Awesome and Bootstrap aside.

    Args:
        site: the site.
        without: the paths of scripts that are left out too.
    """
    inline = {
        script["inline"]: None
        for page in site.pages.values()
        for script in page.facts["scripts"]
        if script["inline"]
    }
    found = {without_comments(site, text): None for text in inline}
    for page in site.pages.values():
        found.update(dict.fromkeys(page.facts["data"]))
    named = {path for page in site.pages.values() for path in page.facts["named_scripts"]}
    for path in sorted(named - {SCRIPT, BOOTSTRAP, "searchindex.js", *without}):
        found[without_comments(site, site.text(path) or "")] = None
    return list(found)


def without_comments(site: Site, script: str) -> str:
    """A script without what it says to its own readers, which names no class of any page."""
    try:
        return small_script(site, script)
    except ImportError:
        return script


def _sheets(site: Site) -> list[str]:
    paths = {
        sheet["path"]: None for page in site.pages.values() for sheet in page.facts["sheets"] if sheet["path"]
    }
    return [path for path in paths if site.exists(path)]


def _read_sheet(site: Site, css: str) -> dict[str, Any]:
    """What a style sheet says of icons, kept between builds."""

    def make() -> bytes:
        return json.dumps({"rules": rules_of_icons(css), "outlines": asks_for_outlines(css)}).encode()

    found: dict[str, Any] = json.loads(site.cached("rules", digest(css.encode()), make))
    return found


def rules_of_icons(css: str) -> list[tuple[int, list[str]]]:
    """The characters that a style sheet shows, each with the classes of icons that it is for.

    Of a rule that is for something else too there is no class: it always counts.
    """
    found = []
    for selector, body in _RULE.findall(css):
        for match in _CONTENT.finditer(body):
            icons = [_ICON.fullmatch(part.strip()) for part in selector.split(",")]
            classes = [icon[1] for icon in icons if icon] if all(icons) else []
            found.append((int(match[1], 16) if match[1] else ord(match[2]), classes))
    return found


def glyphs_in_use(rules: Iterable[tuple[int, list[str]]], words: set[str]) -> set[int]:
    """The characters that a style sheet shows on elements with these classes, or without such a class."""
    return {glyph for glyph, classes in rules if not classes or not words.isdisjoint(classes)}


def asks_for_outlines(css: str) -> bool:
    """Whether a style sheet sets anything but Font Awesome's own classes in the face of outlined icons."""
    rules = _RULE.findall(_FACE.sub("", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)))
    return any(
        _OF_THE_FONT.search(body) and "900" not in body and "--fa-font-solid" not in body
        and "--fa-font-brands" not in body and not _OWN.fullmatch(selector.strip())
        for selector, body in rules
    )  # fmt: skip


def cut_fonts(site: Site, path: str, glyphs: set[int], outlined: bool) -> str:
    """A style sheet with its icons' fonts inside, of these glyphs only; a face without any is taken out.

    That of outlined icons is taken out where nothing is set in it: it has the glyphs of the filled ones too.
    """

    def cut(match: re.Match[str]) -> str:
        face = match[0]
        url = re.search(r"url\(\s*[\"']?([^\"')]*" + FONT.pattern + r")", face)
        file = file_named(url[1], path) if url else None
        font = site.original(file) if file else None
        if font is None:
            return face
        if file and OUTLINED_FONT in file and not outlined:
            return ""
        key = [digest(font), sorted(glyphs)]
        small = site.cached("icons", key, lambda: subset(font, glyphs))
        if not small:
            return ""
        source = f'src:url(data:font/woff2;base64,{base64.b64encode(small).decode()}) format("woff2")'
        return re.sub(r"src\s*:[^;}]*", lambda _: source, face)

    return _FACE.sub(cut, site.text(path) or "")


def subset(font: bytes, glyphs: set[int]) -> bytes:
    """A WOFF2 font of these characters only; nothing where it has none of them."""
    from fontTools import subset, ttLib

    logging.getLogger("fontTools").setLevel(logging.WARNING)
    options = subset.Options(
        flavor="woff2",
        hinting=False,
        layout_features=[],
        name_IDs=[],
        notdef_outline=False,
        desubroutinize=True,
    )
    with ttLib.TTFont(io.BytesIO(font), lazy=True) as face:
        wanted = sorted(glyphs & set(face.getBestCmap()))
        # Letters too are in the font, for text the theme never sets in it.
        wanted = [glyph for glyph in wanted if glyph > 0x7F]
        if not wanted:
            return b""
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=wanted)
        cutter.subset(face)
        face.flavor = "woff2"
        face.recalcTimestamp = False
        out = io.BytesIO()
        face.save(out)
    return out.getvalue()
