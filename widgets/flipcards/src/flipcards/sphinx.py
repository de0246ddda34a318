"""Cards in a Sphinx book: docutils nodes from decks, the MIME renderer, the directive, the front end."""

from __future__ import annotations

import copy
import difflib
import hashlib
import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar, NoReturn
from urllib.parse import quote

from docutils import nodes
from docutils.parsers.rst import directives
from myst_parser.mdit_to_docutils.sphinx_ import SphinxRenderer
from myst_parser.parsers.mdit import create_md_parser
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx.config import Config
from sphinx.domains import Domain
from sphinx.environment import BuildEnvironment
from sphinx.errors import SphinxError
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator

from flipcards import __version__, sphinx_flipbook, sphinx_words
from flipcards.check import face_faults
from flipcards.deck import Card, Deck, DeckError, Fault, duplicate_ids
from flipcards.display import MIME_TYPE, STATIC_ENVIRONMENT
from flipcards.page import GROUPED_ABOVE, MANY, bar_place, groups
from flipcards.words import Words, WordsError

logger = logging.getLogger(__name__)
_SHOWN = "flipcards shown"  # where Sphinx keeps what is known of the page that is being read

STATIC = Path(__file__).parent / "static"
ATTRIBUTES = {"attrs_block", "attrs_image", "attrs_inline"}
FRONT_END = ("cards.js", "study.js", "flipcards.css")
# Between the grids of a large deck. It does nothing, but where a script ends Chromium's parser stops to see
# whether the reader wants something, or a frame is due; else it works on for half a second at a time.
BREAK = '<script class="flipcards-break"></script>\n'
BREAK_EVERY = 20  # grids


class FlipcardsError(SphinxError):
    """The book's decks or its words have faults. The message has a line for each."""

    category = "flipcards"


def _stop(faults: Iterable[Fault | str], of: str = "decks") -> NoReturn:
    """End the build with the faults as its message.

    Jupyter Book would print a traceback of its own code after them; that is left out.
    """
    error = FlipcardsError(f"the {of} have faults\n" + "\n".join(map(str, faults)))
    before = sys.excepthook

    def hook(kind: type[BaseException], raised: BaseException, traceback: Any) -> None:
        if error in (raised, raised.__cause__):
            print(f"The book was not built: the faults of its {of} are listed above.", file=sys.stderr)
        else:
            before(kind, raised, traceback)

    sys.excepthook = hook
    raise error


class flipcards(nodes.General, nodes.Element):
    """The cards of a deck on a page: `<section class="flipcards">`."""


class flipcards_grid(nodes.General, nodes.Element):
    """A group of the cards of a deck: `<div class="flipcards-grid">`."""


class flipcard(nodes.General, nodes.Element):
    """One card: `<details class="flipcard">`."""


class flipcard_front(nodes.General, nodes.TextElement):
    """The question: `<summary>`. It is a control, so it ends up without links."""


class flipcard_back(nodes.General, nodes.Element):
    """The answer."""


class flipcard_why(nodes.General, nodes.Element):
    """What an expert reviewer would add."""


class flipcard_foot(nodes.General, nodes.Element):
    """Where the answer comes from, where it is shown, where to report a mistake."""


NODES = (flipcards, flipcards_grid, flipcard, flipcard_front, flipcard_back, flipcard_why, flipcard_foot)


# --- decks -> nodes ------------------------------------------------------------------------------


class _FaceParser:
    """Parses faces as MyST in the page that shows them, as if the deck were their source."""

    def __init__(self, env: BuildEnvironment, document: nodes.document, deck: Deck) -> None:
        self.document = document
        self.source = str(deck.path)
        config = env.myst_config  # type: ignore[attr-defined]
        # An author's syntax for ids and classes is for pages: a face takes neither.
        config = config.copy(enable_extensions=set(config.enable_extensions) - ATTRIBUTES)
        parser = create_md_parser(config, SphinxRenderer)
        parser.options["document"] = document
        self.renderer: SphinxRenderer = parser.renderer  # type: ignore[assignment]
        page_folder = Path(env.doc2path(env.docname)).parent
        deck_folder = Path(self.source).parent
        # Paths in a face are relative to the deck; MyST knows this from its include directive.
        self.md_env = {
            "relative-images": Path(os.path.relpath(deck_folder, page_folder)).as_posix(),
            "relative-docs": (".", str(page_folder), str(deck_folder)),
        }
        # Once: each time makes a document, which takes longer than most faces.
        self.renderer.setup_render(dict(parser.options), dict(self.md_env))
        deck_doc = PurePosixPath(os.path.relpath(self.source, env.srcdir))
        self.pseudo_doc = deck_doc.with_suffix("").as_posix()

    @contextmanager
    def speaking_of_the_deck(self) -> Iterator[None]:
        """Let warnings name the deck file, not the page."""
        reporter = self.document.reporter
        before = self.document["source"], reporter.source
        place_before = getattr(reporter, "get_source_and_line", None)  # set by a page's first directive
        self.document["source"] = reporter.source = self.source

        def place(line: int | None = None) -> tuple[str, int | None]:
            return self.source, line

        reporter.get_source_and_line = place
        try:
            yield
        finally:
            self.document["source"], reporter.source = before
            if place_before is None:
                del reporter.get_source_and_line
            else:
                reporter.get_source_and_line = place_before

    def into(self, parent: nodes.Element, text: str, line: int) -> None:
        """Append the nodes of a face whose first line is `line` of the deck file."""
        holder = nodes.Element()
        with self.speaking_of_the_deck():
            self.renderer.md_env = dict(self.md_env)
            with self.renderer.current_node_context(holder):
                self.renderer.nested_render_text(text, line - 1)
        for node in holder.findall():
            location = (self.source, node.line or line)
            node.source, node.line = location
            # The notebook renderer overwrites both; `_restore_locations` brings them back.
            node.flipcards_location = location  # type: ignore[attr-defined]
            if isinstance(node, addnodes.pending_xref) and node.get("reftype") == "doc":
                node["refdoc"] = self.pseudo_doc
        parent.extend(holder.children)


def _card_node(card: Card, faces: _FaceParser, home: bool, words: Words) -> flipcard:
    node = flipcard(card=card.id, tags=list(card.tags), home=home)
    if home:
        node["ids"] = [f"card-{card.id}"]
    front, back = flipcard_front(), flipcard_back()
    faces.into(front, card.front, card.lines["front"])
    if len(front) == 1 and isinstance(front[0], nodes.paragraph):
        front.children = front[0].children
        for child in front.children:
            child.parent = front
    faces.into(back, card.back, card.lines["back"])
    if card.why:
        why = flipcard_why()
        faces.into(why, card.why, card.lines["why"])
        back += why
    foot = flipcard_foot()
    lines = (
        ("source", words("cards.source"), f"{{cite}}`{','.join(card.source)}`" if card.source else ""),
        ("term", words("cards.term"), f"{{term}}`{card.term}`" if card.term else ""),
        ("see", words("cards.see"), f"{{ref}}`{card.see}`" if card.see else ""),
    )
    for name, label, role in lines:
        if role:
            line = nodes.inline(classes=[f"flipcard-{name}"])
            line += nodes.inline(text=f"{label} ", classes=["flipcard-label"])
            holder = nodes.Element()
            faces.into(holder, role, card.lines[name])
            for paragraph in holder.children:
                line.extend(paragraph.children)
            foot += line
    back += foot
    node += [front, back]
    return node


def deck_nodes(
    env: BuildEnvironment,
    document: nodes.document,
    path: str,
    *,
    line: int,
    selection: dict[str, list[str]] | None = None,
    home: bool = True,
    many: bool = True,
) -> list[nodes.Element]:
    """The nodes of a deck on the page that is being read.

    Args:
        env: the build environment; the page and its dependency on the deck are noted in it.
        document: the page.
        path: the deck, relative to the page.
        line: the line of the page that shows the deck.
        selection: `cards` and `tags` to show; all when left out.
        home: whether this page is the cards' own.
        many: whether to warn of more cards than a reader of the page wants to wait for.

    Faults of the deck are noted and raised together when all pages are read.
    """
    page = Path(env.doc2path(env.docname))
    file = Path(os.path.normpath(page.parent / path))
    shown_as = Path(os.path.relpath(file, env.srcdir)).as_posix()
    env.note_dependency(shown_as)
    domain = _domain(env)
    where = Path(os.path.relpath(page, env.srcdir)).as_posix()
    if not file.is_file():
        domain.note_faults([Fault(where, line, f"there is no deck {path}; paths are relative to the page")])
        return []
    try:
        deck = Deck.load(file, shown_as=shown_as)
    except DeckError as error:
        domain.note_faults(error.faults)
        return []
    try:
        if selection:
            deck = deck.only(selection.get("cards", []), tags=selection.get("tags", []))
    except DeckError as error:  # the page asked for them
        domain.note_faults(Fault(where, line, f"{fault.message} in {path}") for fault in error.faults)
        return []
    domain.note_deck(deck, home)
    before = env.temp_data.get(_SHOWN, 0)  # of the page that is being read
    env.temp_data[_SHOWN] = shown = before + len(deck)
    if many and before <= MANY < shown:
        logger.warning(
            "%d cards on one page: a reader waits for all of them; spread them over pages",
            shown,
            location=(env.docname, line),
            type="flipcards",
            subtype="many",
        )
    faults = list(face_faults(deck))
    if "cite" not in env.domains:
        message = "has a source, but the book has no bibliography; name its file as bibtex_bibfiles"
        message += ", in a Jupyter Book at the top level of _config.yml"
        faults += [Fault(shown_as, card.line, message, card.id) for card in deck if card.source]
    if faults:  # such a face is not parsed: MyST would run a substitution in it
        domain.note_faults(faults)
        return []
    faces = _FaceParser(env, document, deck)
    section = flipcards(deck=deck.name, title=deck.title, path=shown_as, home=home)
    cards = [_card_node(card, faces, home, env.config.flipcards_catalogue) for card in deck]
    section += [flipcards_grid("", *group) for group in groups(cards)]
    return [section]


class DeckRenderer:
    """Shows a notebook's deck: myst-nb calls it for outputs of our MIME type."""

    mime_priority_overrides: ClassVar = [("*", MIME_TYPE, 1)]

    @staticmethod
    def handle_mime(renderer: Any, data: Any, inline: bool) -> list[nodes.Element] | None:
        """The nodes of the deck that the output names, or None when the output is not ours."""
        if data.mime_type != MIME_TYPE or inline:
            return None
        env = getattr(renderer.renderer, "sphinx_env", None)
        if env is None or "flipcards" not in env.domains:
            return None
        shown = data.content
        return deck_nodes(
            env,
            renderer.renderer.document,
            shown["deck"],
            line=data.line or 1,
            selection=shown.get("selection"),
            home=shown.get("home", True),
        )


def _words(text: str | None) -> list[str]:
    return re.split(r"[,\s]+", text.strip()) if text and text.strip() else []


class FlipcardsDirective(SphinxDirective):
    """Shows a deck on a page without a kernel: ```{flipcards} path/to/deck.yml```."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar = {"cards": _words, "tags": _words, "borrowed": directives.flag}

    def run(self) -> list[nodes.Node]:
        """The nodes of the deck."""
        selection: dict[str, list[str]] = {}
        for name in ("cards", "tags"):
            if name in self.options:
                selection[name] = self.options[name]
        return list(
            deck_nodes(
                self.env,
                self.state.document,
                self.arguments[0],
                line=self.lineno,
                selection=selection,
                home="borrowed" not in self.options,
            )
        )


# --- what the book knows of its cards ------------------------------------------------------------


class FlipcardsDomain(Domain):
    """Which page shows which cards, what their faces refer to, and what is wrong with them."""

    name = "flipcards"
    label = "Flip cards"
    initial_data = {"decks": {}, "faults": {}, "references": {}, "world": ""}  # noqa: RUF012
    data_version = 1

    def note_deck(self, deck: Deck, home: bool) -> None:
        """The page that is being read shows these cards."""
        self.data["decks"].setdefault(self.env.docname, []).append((copy.copy(deck), home))

    def note_faults(self, faults: Iterable[Fault]) -> None:
        """The page that is being read has these faults."""
        self.data["faults"].setdefault(self.env.docname, []).extend(faults)

    def note_references(self, docname: str, references: list[tuple[str, addnodes.pending_xref]]) -> None:
        """The faces on a page refer to these targets, each with the id of its card."""
        self.data["references"][docname] = references

    def clear_doc(self, docname: str) -> None:
        """Forget a page."""
        for table in ("decks", "faults", "references"):
            self.data[table].pop(docname, None)

    def merge_domaindata(self, docnames: Iterable[str], otherdata: dict[str, Any]) -> None:
        """Take over the pages that another process has read."""
        for table in ("decks", "faults", "references"):
            for docname in docnames:
                if docname in otherdata[table]:
                    self.data[table][docname] = otherdata[table][docname]

    def resolve_any_xref(self, *args: Any, **kwargs: Any) -> list[Any]:
        """Cards are referred to as labels; there is nothing to add."""
        return []

    @property
    def pages(self) -> list[str]:
        """The pages that show cards."""
        return sorted(self.data["decks"])

    def homes(self) -> dict[str, str]:
        """Card id -> the page that is its own."""
        return {
            card.id: docname
            for docname in self.pages
            for deck, home in self.data["decks"][docname]
            if home
            for card in deck
        }

    def all_faults(self, app: Sphinx) -> list[Fault]:
        """Everything that is wrong with the book's decks, now that all pages are read."""
        faults = [fault for page in self.data["faults"].values() for fault in page]
        first_home: dict[str, str] = {}
        by_file: dict[str, Deck] = {}
        for docname in self.pages:
            for deck, home in self.data["decks"][docname]:
                known = {card.id: card for card in by_file.get(deck.shown_as, deck)}
                cards = tuple({**known, **{card.id: card for card in deck}}.values())
                by_file[deck.shown_as] = Deck(cards, shown_as=deck.shown_as)
                for card in deck if home else ():
                    other = first_home.get(card.id)
                    if other is not None:
                        message = (
                            f"is on {other} and on {docname}, but links to a card lead to one page; "
                            "write `:borrowed:` below the directive of the other (in a notebook: .borrow())"
                        )
                        faults.append(Fault(deck.shown_as, card.line, message, card.id))
                    first_home.setdefault(card.id, docname)
        faults += duplicate_ids(by_file.values())
        # A page that could not find a deck, or its cards, is perhaps where a borrowed one belongs.
        files = {Path(app.env.doc2path(docname, base=False)).as_posix() for docname in self.data["faults"]}
        for docname in self.pages if not any(fault.file in files for fault in faults) else ():
            for deck, home in self.data["decks"][docname]:
                for card in deck:
                    if not home and card.id not in first_home:
                        message = (
                            f"is on no page of its own ({docname} only borrows it); show its deck on one: "
                            "{flipcards} with the path from there, and without `:borrowed:`"
                        )
                        faults.append(Fault(deck.shown_as, card.line, message, card.id))
        for docname, references in self.data["references"].items():
            del docname
            for card_id, reference in references:
                problem = _unknown_target(app.env, reference)
                if problem:
                    source = Path(os.path.relpath(reference.source or "", app.srcdir)).as_posix()
                    faults.append(Fault(source, reference.line or 1, problem, card_id))
        return sorted(set(faults))


def _closest(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.75)
    return f" or write '{close[0]}'" if close else ""


def _unknown_target(env: BuildEnvironment, xref: addnodes.pending_xref) -> str | None:
    """What is wrong with a reference in a face, or None."""
    kind, target = xref.get("reftype"), str(xref.get("reftarget"))
    if xref.get("refdomain") == "std" and kind == "term":
        known = {name for type_, name in env.get_domain("std").objects if type_ == "term"}  # type: ignore[attr-defined]
        if target.lower() not in {name.lower() for name in known}:
            return f"unknown term '{target}'; define it in the glossary{_closest(target, known)}"
    elif xref.get("refdomain") == "std" and kind in ("ref", "numref"):
        std = env.get_domain("std")
        labels = {**std.anonlabels, **std.labels} if kind == "ref" else std.anonlabels  # type: ignore[attr-defined]
        if target not in labels:
            return f"unknown label '{target}'; set it on a page{_closest(target, labels)}"
    elif xref.get("refdomain") == "std" and kind == "doc":
        docname = os.path.normpath(os.path.join(os.path.dirname(xref["refdoc"]), target.lstrip("/")))  # noqa: PTH118,PTH120
        docname = target.lstrip("/") if target.startswith("/") else PurePosixPath(docname).as_posix()
        if docname not in env.found_docs:
            return f"unknown page '{target}'; paths are relative to the deck"
    elif xref.get("refdomain") == "cite" and "cite" in env.domains:
        known = {citation.key for citation in env.get_domain("cite").citations}  # type: ignore[attr-defined]
        for key in re.split(r"\s*,\s*", target):
            if key not in known:
                return f"unknown source '{key}'; add it to the bibliography{_closest(key, known)}"
    return None


# --- events --------------------------------------------------------------------------------------


def _restore_locations(app: Sphinx, document: nodes.document) -> None:
    """Say again which deck and line each node of a face came from; note what the faces refer to."""
    references = []
    std = app.env.get_domain("std")
    for card in document.findall(flipcard):
        for node in card.findall():
            location = node.__dict__.pop("flipcards_location", None)
            if location:
                node.source, node.line = location
            if isinstance(node, addnodes.pending_xref):
                kept = copy.copy(node)
                kept.source, kept.line = node.source, node.line
                references.append((card["card"], kept))
        if card["ids"]:
            title = next(card.findall(flipcard_front)).astext()
            std.note_hyperlink_target(card["ids"][0], app.env.docname, card["ids"][0], title)  # type: ignore[attr-defined]
    if references:
        _domain(app.env).note_references(app.env.docname, references)


def _world(env: BuildEnvironment) -> str:
    """A digest of all that a page can take from other pages: titles, labels, terms, numbers, citations."""
    std = env.get_domain("std")
    parts: list[Any] = [
        sorted((name, title.astext()) for name, title in env.titles.items()),
        sorted(std.labels.items()),  # type: ignore[attr-defined]
        sorted(std.anonlabels.items()),  # type: ignore[attr-defined]
        sorted(std.objects.items()),  # type: ignore[attr-defined]
        sorted(env.toc_fignumbers.items()),
        sorted(env.toc_secnumbers.items()),
        sorted(env.toctree_includes.items()),
        sorted(sphinx_today.captions(env).items()) if sphinx_today.gathered(env) else [],
        sorted(sphinx_today.gathered(env)),
        sorted(
            (label, equation)
            for label, equation in env.get_domain("math").equations.items()  # type: ignore[attr-defined]
            if not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", label)
        ),
    ]
    if "cite" in env.domains:
        parts.append(
            sorted(
                (citation.key, citation.citation_id, citation.entry.to_string("bibtex"))
                for citation in env.get_domain("cite").citations  # type: ignore[attr-defined]
            )
        )
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _domain(env: BuildEnvironment) -> FlipcardsDomain:
    domain = env.get_domain("flipcards")
    assert isinstance(domain, FlipcardsDomain)
    return domain


def _refuse_faults(app: Sphinx, env: BuildEnvironment) -> None:
    """Refuse faulty decks before a page is written."""
    faults = _domain(env).all_faults(app)
    if faults:
        _stop(faults)


def _stale_pages(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """The pages that other pages have made stale.

    Sphinx writes a page again only when its own sources change. A page with cards also shows titles,
    terms, numbers and citations of other pages, and the bibliography shows what the cards cite.
    """
    domain = _domain(env)
    world = _world(env)
    if domain.data["world"] == world:
        return []
    domain.data["world"] = world
    stale = set(domain.pages)
    if "cite" in env.domains:
        stale |= {key.docname for key in env.get_domain("cite").bibliographies}  # type: ignore[attr-defined]
    return sorted(stale & set(env.found_docs))


def _move_links_behind(app: Sphinx, document: nodes.document, docname: str) -> None:
    """Take the links out of the questions: a control holds no other control. They go to the answer."""
    homes = _domain(app.env).homes()
    report, words = app.config.flipcards_report_url, app.config.flipcards_catalogue
    for card in document.findall(flipcard):
        front = next(card.findall(flipcard_front))
        foot = next(card.findall(flipcard_foot))
        moved: dict[str, nodes.reference] = {}
        for reference in list(front.findall(nodes.reference)):
            moved.setdefault(str(reference.get("refuri", reference.get("refid"))), reference.deepcopy())
            reference.replace_self(reference.children)
        if moved:
            line = nodes.inline(classes=["flipcard-links"])
            line += nodes.inline(text=words("cards.questionLinks") + " ", classes=["flipcard-label"])
            for position, reference in enumerate(moved.values()):
                line += [nodes.Text(", ")] if position else []
                line += reference
            foot.insert(0, line)
        anchor = f"card-{card['card']}"
        if not card["home"] and card["card"] in homes:
            card["home_uri"] = app.builder.get_relative_uri(docname, homes[card["card"]]) + "#" + anchor
            link = nodes.reference("", words("cards.home"), refuri=card["home_uri"], internal=True)
            foot += nodes.inline("", "", link, classes=["flipcard-home"])
        if report and card["home"]:
            uri = report.format(card=quote(card["card"]), page=quote(docname))
            link = nodes.reference("", words("cards.report"), refuri=uri, internal=False)
            foot += nodes.inline("", "", link, classes=["flipcard-report"])


class PlainCards(SphinxPostTransform):
    """Where there is no HTML: the question in bold, the answer below it."""

    default_priority = 5

    def run(self, **kwargs: Any) -> None:
        """Replace our nodes by standard ones."""
        if self.app.builder.format == "html":
            return
        for section in list(self.document.findall(flipcards)):
            replacement: list[nodes.Node] = []
            for card in section.findall(flipcard):
                front = next(card.findall(flipcard_front))
                back = next(card.findall(flipcard_back))
                inline = all(isinstance(child, nodes.Inline | nodes.Text) for child in front.children)
                question: list[nodes.Node]
                question = [nodes.paragraph("", "", *front.children)] if inline else front.children
                if inline:
                    strong = nodes.strong("", "", *front.children)
                    question = [nodes.paragraph("", "", strong)]
                answer = nodes.block_quote()
                for child in list(back.children):
                    if isinstance(child, flipcard_why):
                        answer.extend(child.children)
                    elif isinstance(child, flipcard_foot):
                        for line in child.children:
                            answer += nodes.paragraph("", "", line)
                    else:
                        answer += child
                replacement += [*question, answer]
            section.replace_self(replacement)


# --- HTML ----------------------------------------------------------------------------------------


def _is_epub(translator: HTML5Translator) -> bool:
    return bool(translator.builder.name == "epub")


def _place(node: nodes.Element) -> dict[str, str]:
    """The page and the part of the book that are named on a section or a card, where cards are gathered."""
    return {f"data-{name}": node[name] for name in ("page", "part") if node.get(name)}


def _visit_flipcards(self: HTML5Translator, node: nodes.Element) -> None:
    attributes = {"data-deck": node["deck"], **_place(node)}
    dealt = "" if _is_epub(self) else " flipcards-dealt"
    self.body.append(self.starttag(node, "section", "", CLASS=f"flipcards{dealt}", **attributes))
    cards = list(node.findall(flipcard))
    if dealt and cards:
        self.body.append(bar_place([card["tags"] for card in cards], self.config.flipcards_catalogue))


def _depart_flipcards(self: HTML5Translator, node: nodes.Element) -> None:
    self.body.append("</section>\n")


def _visit_grid(self: HTML5Translator, node: nodes.Element) -> None:
    grids = node.parent.children
    short = " flipcards-short" if len(grids) == 1 else ""
    self.body.append(self.starttag(node, "div", "", CLASS=f"flipcards-grid{short}"))


def _depart_grid(self: HTML5Translator, node: nodes.Element) -> None:
    self.body.append("</div>\n")
    grids = node.parent.children
    if _is_epub(self) or _is_gathered(node) or sum(map(len, grids)) <= GROUPED_ABOVE:
        return
    if grids.index(node) % BREAK_EVERY == 0:
        self.body.append(BREAK)


def _is_dealt(translator: HTML5Translator, card: nodes.Element) -> bool:
    """Whether it is one of the first cards of its deck, which lie on the table before a script has run.

    What the script adds to a face takes room. On these the build writes it; the others get it when they come
    near the screen, so that a large page is not made larger.
    """
    return not _is_epub(translator) and card.parent is card.parent.parent[0]


def _is_gathered(node: nodes.Node) -> bool:
    """Whether it is on a Today page, where the browser does not read it: it is text in a `<noscript>`."""
    parent = node.parent
    return parent is not None and (isinstance(parent, sphinx_today.flipcards_deck) or _is_gathered(parent))


def _visit_flipcard(self: HTML5Translator, node: nodes.Element) -> None:
    attributes = {"data-card": node["card"]}
    if node["tags"]:
        attributes["data-tags"] = " ".join(node["tags"])
    if node.get("home_uri"):
        attributes["data-home"] = node["home_uri"]
    attributes |= _place(node)
    tag = "div" if _is_epub(self) else "details"
    self.body.append(self.starttag(node, tag, "", CLASS="flipcard", **attributes))


def _depart_flipcard(self: HTML5Translator, node: nodes.Element) -> None:
    self.body.append("</div>\n" if _is_epub(self) else "</details>\n")


def _visit_front(self: HTML5Translator, node: nodes.Element) -> None:
    tag = "div" if _is_epub(self) else "summary"
    self.body.append(self.starttag(node, tag, "", CLASS="flipcard-front", dir="auto"))
    node["begins_at"] = len(self.body)


def _depart_front(self: HTML5Translator, node: nodes.Element) -> None:
    if _is_dealt(self, node.parent):
        node.parent["question"] = "".join(self.body[node["begins_at"] :])
    self.body.append("</div>\n" if _is_epub(self) else "</summary>\n")  # its words end there


def _visit_part(self: HTML5Translator, node: nodes.Element) -> None:
    if isinstance(node, flipcard_back):  # the script of the answer says where its lines begin
        self.body.append(self.starttag(node, "div", "", CLASS="flipcard-back", dir="auto"))
        if question := node.parent.get("question"):
            start = '<div class="flipcard-question" aria-hidden="true" data-nosnippet>'
            self.body.append(f"{start}{question}</div>")
    else:
        self.body.append(self.starttag(node, "div", "", CLASS="flipcard-why"))


def _depart_part(self: HTML5Translator, node: nodes.Element) -> None:
    self.body.append("</div>")


def _visit_foot(self: HTML5Translator, node: nodes.Element) -> None:
    card = node.parent.parent
    node["link"] = card["ids"][0] if card["ids"] and _is_dealt(self, card) else ""
    if not node.children and not node["link"]:
        raise nodes.SkipNode
    self.body.append(self.starttag(node, "footer", "", CLASS="flipcard-foot"))


def _depart_foot(self: HTML5Translator, node: nodes.Element) -> None:
    if node["link"]:
        words = self.encode(self.config.flipcards_catalogue("page.link"))
        self.body.append(f'<a class="flipcard-link" href="#{node["link"]}">{words}</a>')
    self.body.append("</footer>")


# Without space between tags that hold no words: it would be one more node that scripts of the page walk over.
HTML = {
    flipcards: (_visit_flipcards, _depart_flipcards),
    flipcards_grid: (_visit_grid, _depart_grid),
    flipcard: (_visit_flipcard, _depart_flipcard),
    flipcard_front: (_visit_front, _depart_front),
    flipcard_back: (_visit_part, _depart_part),
    flipcard_why: (_visit_part, _depart_part),
    flipcard_foot: (_visit_foot, _depart_foot),
}


def _configure(app: Sphinx, config: Config) -> None:
    # A copy button inside a question would be a control within a control.
    selector = getattr(config, "copybutton_selector", None)
    if selector == "div.highlight pre":
        config.copybutton_selector = "div.highlight pre:not(.flipcard-front pre)"
    config.html_static_path += [str(STATIC / name) for name in FRONT_END]
    try:
        sphinx_words.configure(app, config)
    except WordsError as error:
        _stop(error.faults, "words")


def _say_that_a_book_is_built(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Tell the kernels that execute the chapters: they inherit this, and a book needs no widget state."""
    before = os.environ.get(STATIC_ENVIRONMENT)
    os.environ[STATIC_ENVIRONMENT] = "1"

    # Whoever built the book in a process of their own goes on to show live cards in it.
    def restore(app: Sphinx, exception: Exception | None) -> None:
        os.environ.pop(STATIC_ENVIRONMENT, None)
        if before is not None:
            os.environ[STATIC_ENVIRONMENT] = before

    app.connect("build-finished", restore)


def _check_decks(app: Sphinx) -> None:
    """Refuse faulty deck files before anything is executed."""
    folder = Path(app.srcdir)
    files = sorted({file for pattern in app.config.flipcards_decks for file in folder.glob(pattern)})
    decks: list[Deck] = []
    faults: list[Fault] = []
    for file in files:
        try:
            decks.append(Deck.load(file, shown_as=file.relative_to(folder).as_posix()))
        except DeckError as error:
            faults += error.faults
    faults += duplicate_ids(decks)
    if faults:
        _stop(sorted(faults))


def _add_front_end(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    if page not in _domain(app.env).data["decks"]:
        return
    app.add_css_file("flipcards.css")
    sphinx_words.add_words(app)
    boards = sphinx_today.gathered(app.env)
    version = _digest([STATIC / "study.js"])[:8]
    study: dict[str, Any] = {
        "data-study": f"{context['pathto']('_static/study.js', True)}?v={version}",
        "data-book": app.config.flipcards_book or _slug(app.config.project),
    }
    if boards and page not in boards:
        study["data-today"] = context["pathto"](min(boards))
    # A classic script: browsers load no module from file://.
    app.add_js_file("cards.js", loading_method="defer", **study)
    if page in boards:  # there it is needed at once
        app.add_js_file("study.js", loading_method="defer")


def _put_early(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Let the cards' scripts run before the others that wait for the end of the page.

    Among these are the theme's icons, which take their time.
    """
    names = ("cards.js", sphinx_words.SCRIPT)
    scripts = context["script_files"]
    ours = [script for script in scripts if Path(str(script.filename)).name in names]
    scripts[:] = [script for script in scripts if script not in ours]
    tags = [context["js_tag"](script) for script in ours]
    context["metatags"] = "\n".join([context.get("metatags") or "", *tags, ""])


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    package = Path(__file__).parent
    # An edit of this package makes the pages it wrote stale; nothing is executed for that.
    app.add_config_value(
        "flipcards_sources", _digest([*package.glob("*.py"), *package.glob("words/*.*")]), "env", str
    )
    front_end = [*FRONT_END, *sphinx_flipbook.FRONT_END]
    app.add_config_value("flipcards_front_end", _digest(STATIC / n for n in front_end), "html", str)
    app.add_config_value("flipcards_report_url", "", "html", str)
    app.add_config_value("flipcards_book", "", "html", str)
    app.add_config_value("flipcards_decks", [], "", list)
    for node in NODES:
        app.add_node(node, html=HTML[node])
    app.add_directive("flipcards", FlipcardsDirective)
    app.add_domain(FlipcardsDomain)
    app.add_post_transform(PlainCards)
    app.setup_extension("flipcards.sphinx_export")
    app.connect("config-inited", _configure)
    app.connect("builder-inited", _check_decks)
    app.connect("env-before-read-docs", _say_that_a_book_is_built)
    app.connect("doctree-read", _restore_locations, priority=100)
    app.connect("env-updated", _refuse_faults, priority=900)
    # Not earlier: figures and sections are numbered by handlers of this event.
    app.connect("env-get-updated", _stale_pages, priority=900)
    app.connect("doctree-resolved", _move_links_behind)
    app.connect("html-page-context", _add_front_end)
    app.connect("html-page-context", _put_early, priority=950)  # once others have named theirs
    sphinx_words.setup(app)
    sphinx_flipbook.setup(app)
    sphinx_today.setup(app)
    return {
        "version": __version__,
        "env_version": 2,
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }


# Last, for it builds on this module.
from flipcards import sphinx_today  # noqa: E402

__all__ = ["Builder", "DeckRenderer", "FlipcardsDirective", "FlipcardsError", "deck_nodes", "setup"]
