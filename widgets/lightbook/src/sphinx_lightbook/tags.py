"""Reads and edits the tags of a page's HTML: what is not edited stays as it is, byte by byte."""

from __future__ import annotations

import functools
import html
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

_ATTRIBUTES = r"""(?:=\s*(?:"[^"]*"|'[^']*')|[^>])*+"""
_TOKEN = re.compile(
    rf"""<!--.*?(?:-->|\Z)
    | (?P<start> <(?P<raw>script|style|textarea)(?=[\s/>]){_ATTRIBUTES}> )
      (?P<inner> .*? ) (?P<end> </(?P=raw)\s*> )
    | (?P<tag> <(?P<name>[a-z][^\s/>]*){_ATTRIBUTES}> )""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_ATTRIBUTE = re.compile(
    r"""(?P<name>[^\s"'<>/=]+)(?:\s*=\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s"'<>]+)))?"""
)
_JAVASCRIPT = {"", "module", "text/javascript", "application/javascript"}
# Older names of the same, which browsers know too.
_JAVASCRIPT |= {"text/ecmascript", "application/ecmascript", "application/x-javascript", "text/jscript"}


@dataclass(frozen=True)
class Tag:
    """A start tag, with what is inside it where that is no HTML: of a script or a style sheet."""

    name: str  # in lower case
    text: str  # the start tag itself, `<img src="x">`
    inner: str = ""
    end: str = ""  # `</script>`

    @property
    def attributes(self) -> Mapping[str, str]:
        """Values by name in lower case, entities decoded; "" where there is no value."""
        read = _read_attributes if len(self.text) > _SHORT else _read_attributes_once
        return read(self.text, 1 + len(self.name))

    @property
    def classes(self) -> list[str]:
        """The names in `class`."""
        return self.attributes.get("class", "").split()

    @property
    def is_stylesheet(self) -> bool:
        """Whether it is a `<link>` to a style sheet that applies."""
        if self.name != "link":
            return False
        rel = self.attributes.get("rel", "").lower().split()
        return "stylesheet" in rel and "alternate" not in rel

    @property
    def runs(self) -> bool:
        """Whether it is a script that the browser runs, not data."""
        return self.name == "script" and self.attributes.get("type", "").strip().lower() in _JAVASCRIPT

    def with_attributes(self, values: Mapping[str, str | None]) -> str:
        """The tag's text with these attributes set, or taken out where the value is None."""
        text = self.text
        for name, value in values.items():
            text = _set(text, len(self.name), name, value)
        return text

    def whole(self, start: str) -> str:
        """The tag with another start tag, and what was inside it."""
        return start + self.inner + self.end


def _read_attributes(text: str, start: int) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(text, start, len(text) - 1):
        value = next((group for group in match.group("double", "single", "bare") if group), "")
        found.setdefault(match["name"].lower(), html.unescape(value))
    return found


# The pages of a book have most of their tags in common: those of its navigation.
_SHORT = 500
_read_attributes_once = functools.lru_cache(maxsize=1 << 15)(_read_attributes)


def _set(text: str, length: int, name: str, value: str | None) -> str:
    for match in _ATTRIBUTE.finditer(text, 1 + length, len(text) - 1):
        if match["name"].lower() == name:
            if value is None:
                return text[: match.start()].rstrip() + text[match.end() :]
            return f'{text[: match.start()]}{match["name"]}="{html.escape(value)}"{text[match.end() :]}'
    if value is None:
        return text
    place = 1 + length
    return f'{text[:place]} {name}="{html.escape(value)}"{text[place:]}'


# What tells whether a tag is worth a look, from its text and what is inside it.
Test = Callable[[str], object]


def named(*names: str) -> Test:
    """The test for tags of these names."""
    return re.compile(rf"<(?:{'|'.join(names)})[\s/>]", re.IGNORECASE).match


def tags(page: str, only: Test | None = None) -> Iterator[Tag]:
    """Every start tag of a page that is not inside a comment, or those that pass the test."""
    for match in _TOKEN.finditer(page):
        if (only is None or only(match[0])) and (tag := _tag(match)):
            yield tag


def edit_tags(page: str, edit: Callable[[Tag], str | None], only: Test | None = None) -> str:
    """The page with each tag replaced by what `edit` returns for it; None leaves it as it is.

    What `edit` returns for a script or a style sheet stands for all of it, from its start tag to its end tag.
    A tag that does not pass the test is left as it is, which is much faster than to look at it.
    """

    def replace(match: re.Match[str]) -> str:
        text = match[0]
        if only is not None and not only(text):
            return text
        tag = _tag(match)
        edited = edit(tag) if tag else None
        return text if edited is None else edited

    return _TOKEN.sub(replace, page)


def _tag(match: re.Match[str]) -> Tag | None:
    if match["tag"]:
        return Tag(match["name"].lower(), match["tag"])
    if match["start"]:
        return Tag(match["raw"].lower(), match["start"], match["inner"], match["end"])
    return None


# Addresses --------------------------------------------------------------------------------------------------


def file_named(address: str, base: str) -> str | None:
    """The path of the file that a relative address names, relative to the site; None for any other address.

    Args:
        address: as it stands in a page or style sheet, with or without a query.
        base: the path of that page or style sheet, relative to the site.
    """
    if len(address) > 2000 or "\n" in address:  # a text, no address
        return None
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    if parts.scheme or parts.netloc or not parts.path or parts.path.startswith("/"):
        return None
    path = posixpath.normpath(posixpath.join(posixpath.dirname(base), unquote(parts.path)))
    return None if path.startswith("..") else path


def address_of(path: str, base: str) -> str:
    """The relative address of a file for the page or style sheet at `base`; both relative to the site."""
    return quote(posixpath.relpath(path, posixpath.dirname(base) or "."), safe="/!$&'()*+,;=:@~-._")
