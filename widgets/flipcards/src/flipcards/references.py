"""What faces refer to, where there is no Sphinx: author and year of works, titles of labels and pages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

CITE_ROLES = frozenset(
    (
        *("p", "ps", "t", "ts", "ct", "cts", "alp", "alps", "year", "yearpar", "label", "labelpar", "empty"),
        *("author", "authors", "authorpar", "authorpars", "cauthor", "cauthors"),
    )
)
_CITED = re.compile(r" ?(?:\{(?P<pre>[^{}]+)\})? ?(?P<key>[^{}\s,]+) ?(?:\{(?P<post>[^{}]+)\})? ?(?:,|$)")
_FENCE = re.compile(r"\s*(?P<fence>`{3,}|~{3,}|:{3,})\s*(?:\{(?P<name>[^}\s]+)\})?\s*(?P<argument>.*?)\s*$")
_LABEL = re.compile(r"\((?P<label>[^)\n]+)\)=\s*$")
_HEADING = re.compile(r"#{1,6}\s+(?P<title>.+?)\s*#*\s*$")


class BibliographyError(ValueError):
    """A bibliography cannot be read; the message names the file and, where known, the line."""


# --- works -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Work:
    """How a work is cited: its authors, shortened and in full, its year, its place in the order."""

    short: str
    full: str
    year: str
    position: int


def works(bibliography: Path | None) -> Mapping[str, Work]:
    """The works of a BibTeX file by key; read again when the file has changed.

    Raises:
        BibliographyError: the file is not there or is not BibTeX.
    """
    if bibliography is None:
        return {}
    try:
        state = bibliography.stat()
    except OSError as error:
        raise BibliographyError(f"{bibliography}: {error.strerror}") from error
    return _works(bibliography, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=8)
def _works(path: Path, modified_ns: int, size: int) -> Mapping[str, Work]:
    from pybtex.database import parse_file
    from pybtex.exceptions import PybtexError
    from pybtex.style.sorting.author_year_title import SortingStyle

    try:
        entries = parse_file(str(path), bib_format="bibtex").entries.values()
    except (PybtexError, UnicodeDecodeError) as error:
        raise BibliographyError(f"{path}: {error}") from error
    return {
        entry.key: Work(
            short=_authors(entry, full=False),
            full=_authors(entry, full=True),
            year=str(entry.fields.get("year", "n.d.")),
            position=position,
        )
        for position, entry in enumerate(SortingStyle().sort(entries))
    }


def _authors(entry: Any, *, full: bool) -> str:
    """Family names of the authors, else of the editors, else the title, as `author_year` writes them."""
    from pybtex.richtext import Text
    from pybtex.style.names import name_part
    from pybtex.style.template import join

    people = entry.persons.get("author") or entry.persons.get("editor")
    if not people:
        return str(Text.from_latex(entry.fields.get("title", entry.key)))
    names = [
        str(join[name_part(tie=True)[p.rich_prelast_names], name_part[p.rich_last_names]].format())
        for p in people
    ]
    if len(names) <= 2:
        return " and ".join(names)
    return ", ".join(names[:-1]) + ", and " + names[-1] if full else f"{names[0]} et al."


def cited_keys(target: str) -> list[str]:
    """The keys in the text of a `{cite}` role, in its order."""
    return [match["key"] for match in _cited(target)]


def _cited(target: str) -> Iterator[re.Match[str]]:
    return _CITED.finditer(" ".join(target.split()))


def citation(target: str, known: Mapping[str, Work], role: str = "p") -> str:
    """A citation as sphinxcontrib-bibtex's reference style `author_year` prints it.

    Args:
        target: the text of the role: keys, each with `{text before}` and `{text after}` if wanted.
        known: the works; a key that is not among them is printed itself.
        role: the part of the role's name after `cite:`.
    """
    if role == "empty":
        return ""
    cited = {match["key"]: match for match in _cited(target)}
    in_order = sorted(cited, key=lambda key: known[key].position if key in known else len(known))
    inner = [_one(cited[key], known.get(key), role) for key in in_order]
    text = ", ".join(inner)
    if role.startswith("c"):
        text = text[:1].upper() + text[1:]
    return f"[{text}]" if role in ("p", "ps") or "par" in role or role == "labelpar" else text


def _one(cited: re.Match[str], work: Work | None, role: str) -> str:
    before = f"{cited['pre']} " if cited["pre"] else ""
    after = f", {cited['post']}" if cited["post"] else ""
    if work is None:
        return f"{before}{cited['key']}{after}"
    full = role.endswith("s")
    authors = work.full if full else work.short
    if role.startswith("year"):
        return work.year
    if "author" in role:
        return authors
    if role.startswith(("t", "ct")):
        return f"{authors} [{before}{work.year}{after}]"
    return f"{before}{authors}, {work.year}{after}"


# --- titles ----------------------------------------------------------------------------------------


def titles(pages: Path | None) -> Mapping[str, str]:
    """The labels in a folder of MyST pages, in lower case, each with its title as Markdown, if it has one."""
    if pages is None or not pages.is_dir():
        return {}
    files = sorted(
        file
        for file in pages.rglob("*.md")
        if not any(part.startswith((".", "_")) for part in file.relative_to(pages).parts)
    )
    return _titles(tuple((file, file.stat().st_mtime_ns) for file in files))


@lru_cache(maxsize=8)
def _titles(files: tuple[tuple[Path, int], ...]) -> Mapping[str, str]:
    return {label.lower(): title for file, _ in files for label, title in _labelled(_lines(file))}


def page_title(file: Path) -> str | None:
    """The first heading of a page, as Markdown; None when it has none."""
    fence = ""
    for line in _lines(file):
        opening = _FENCE.match(line)
        if opening and not fence:
            fence = opening["fence"]
        elif fence and line.strip() == fence:
            fence = ""
        elif not fence and (heading := _HEADING.match(line)):
            return heading["title"]
    return None


def _lines(file: Path) -> list[str]:
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    if lines and lines[0].strip() == "---":  # settings of the page
        end = next((i for i, line in enumerate(lines[1:], 1) if line.strip() == "---"), 0)
        lines = lines[end + 1 :]
    return lines


def _labelled(lines: list[str]) -> Iterator[tuple[str, str]]:
    """The labels of a page or of a directive's body, each with its title."""
    waiting: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        opening = _FENCE.match(line)
        if label := _LABEL.match(line.strip()):
            waiting.append(label["label"])
        elif opening:
            fence = opening["fence"]
            ends = (i for i in range(at, len(lines)) if lines[i].strip().startswith(fence))
            end = next((i for i in ends if not lines[i].strip().strip(fence[0])), len(lines))
            if opening["name"]:
                options, body = directive_parts("\n".join(lines[at:end]))
                title = _directive_title(opening["name"], opening["argument"], options, body)
                for name in (*waiting, options.get("name", ""), options.get("label", "")):
                    if name:
                        yield name, title
                yield from _labelled(body.splitlines())
            waiting = []
            at = end + 1
        elif heading := _HEADING.match(line):
            yield from ((name, heading["title"]) for name in waiting)
            waiting = []
        elif line.strip():
            yield from ((name, "") for name in waiting)
            waiting = []


def _directive_title(name: str, argument: str, options: Mapping[str, str], body: str) -> str:
    if name == "code-cell":
        return options.get("caption", "")
    if name in ("figure", "image"):
        return re.split(r"\n\s*\n", body.strip(), maxsplit=1)[0].replace("\n", " ")
    return options.get("caption", argument)


def directive_parts(content: str) -> tuple[dict[str, str], str]:
    """The options and the body of a directive's content, told apart as MyST does.

    Of a notebook cell's options, those of its figure are among them.
    """
    block, body = option_block(content)
    try:
        data = yaml.load("\n".join(block), Loader=yaml.BaseLoader)  # makes text only
    except (yaml.YAMLError, ValueError, RecursionError):
        data = None
    options: dict[str, str] = {}
    if isinstance(data, dict):
        notebook = data.get("mystnb")
        figure = notebook.get("figure") if isinstance(notebook, dict) else None
        for source in (data, figure if isinstance(figure, dict) else {}):
            options.update((str(key), str(value)) for key, value in source.items())
    return options, body


def option_block(content: str) -> tuple[list[str], str]:
    """The lines of a directive's options, as YAML, and its body."""
    lines = content.splitlines()
    if content.startswith("---"):
        end = next((i for i, line in enumerate(lines[1:], 1) if line.startswith("---")), len(lines))
        return lines[1:end], "\n".join(lines[end + 1 :])
    at = 0
    while at < len(lines) and lines[at].lstrip().startswith(":"):
        at += 1
    return [line.lstrip()[1:] for line in lines[:at]], "\n".join(lines[at:])
