"""The command `flipcards`."""

from __future__ import annotations

import argparse
import difflib
import errno
import io
import json
import os
import re
import shlex
import sys
import tempfile
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import yaml

from flipcards import __version__, check, reviews, tabular
from flipcards.anki import AnkiError, export_anki, import_anki, package
from flipcards.anki_package import MAX_PACKAGE_BYTES
from flipcards.anki_write import log_of
from flipcards.deck import MAX_BYTES, Card, Deck, DeckError, Fault
from flipcards.files import refuse_taken, write_whole
from flipcards.new import LIGHT, installed_from, new_book
from flipcards.page import MANY
from flipcards.schema import schema_text
from flipcards.words import WordsError, find

STANDARD = "-"
FAULT, USAGE = 1, 2  # what is read has faults; what is asked for cannot be done

_NAMED = 5  # how many files a message names
_CARDS = re.compile(r"""^[ \t{]*["']?cards["']?[ \t]*:""", re.MULTILINE)

_DECKS = "a deck file; a folder, for all decks in it; - is standard input"

EXAMPLES = """examples:
  flipcards new my-book
  flipcards check decks
  flipcards export anki decks/*.yml -o book.apkg
  flipcards export anki decks/cells.yml -o cells.apkg --progress progress.jsonl
  flipcards export csv decks/*.yml -o cards.csv
  flipcards import anki mine.apkg -o decks/mine.yml
  flipcards import anki mine.apkg -o decks/ --progress progress.jsonl
  flipcards import json flashcards/outcomes.json -o decks/outcomes.yml

- as a file is standard input or output. No file is replaced without --force.
Exit codes: 0; 1 where what is read has faults; 2 where what is asked for cannot be done.
"""


_More = tuple[str, str]  # what a command does, and examples

_CHECK: _More = (
    "Says every fault of the decks of a book: what is no deck, ids that are there twice, what a side "
    "cannot hold, and sources, labels and pages that a deck's bibliography and pages lack.",
    "flipcards check decks\nflipcards check --format github decks\ncat deck.yml | flipcards check -\n",
)
_EXPORT: _More = (
    "Writes decks as a file of another tool. Says what such a file cannot hold. "
    "`flipcards export FORMAT --help` says more of each format.",
    "flipcards export anki decks -o book.apkg\nflipcards export csv decks/cells.yml -o cells.csv\n",
)
_IMPORT: _More = (
    "Reads a file of another tool into a deck. Says what did not come over. "
    "`flipcards import FORMAT --help` says more of each format.",
    "flipcards import anki mine.apkg -o decks/\nflipcards import json outcomes.json -o decks/outcomes.yml\n",
)
_NEW: _More = (
    "Writes a book that builds: a deck, two pages, and what publishes it and opens it in Binder.",
    'flipcards new my-book\nflipcards new my-book --title "Organic chemistry"\n',
)
_SCHEMA: _More = (
    "Writes the JSON Schema of a deck file. Editors that speak YAML check and complete by it.",
    "flipcards schema -o deck.schema.json\n",
)
_EXPORT_ANKI: _More = (
    "Writes a package that Anki imports. A card that was imported before is updated and keeps its history; "
    "with --progress the reviews of a log (the file that a session saves) go along.",
    "flipcards export anki decks -o book.apkg\n"
    "flipcards export anki decks -o book.apkg --progress progress.jsonl\n"
    "flipcards export anki decks -o book.apkg --page-url 'https://example.org/cards.html#card-{card}'\n",
)
_IMPORT_ANKI: _More = (
    "Reads a package of Anki into a deck file, or into a file for each of its decks, with its images beside "
    "them; with --progress its reviews go into a log.",
    "flipcards import anki mine.apkg -o decks/mine.yml\n"
    "flipcards import anki mine.apkg -o decks/ --progress progress.jsonl\n",
)
_ENDINGS = {"csv": ".csv", "tsv": ".tsv", "json": ".json", "quizlet": ".txt", "markdown": ".md"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        The exit code: 0, 1 where what is read has faults, 2 where what is asked for cannot be done.
    """
    options = _parser().parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):  # a fault may quote what a terminal has no letters for
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *_, **__: _say(str(message))
            code = options.run(options) or 0
            if sys.stdout is not None:
                sys.stdout.flush()  # what cannot be written is told, and not after the end
            return code
    except (AnkiError, DeckError, reviews.ReviewLogError, WordsError) as error:
        _say(str(error))
        return FAULT
    except FileExistsError as error:
        _say(str(error).replace("pass force=True", "use --force"))
        return USAGE
    except BrokenPipeError:  # who reads has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return USAGE
    except OSError as error:
        named = error.filename or (STANDARD if error.errno else "")
        _say(f"{named}: {error.strerror}" if named else str(error))
        return USAGE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="flipcards",
        description="Decks of flip cards: begin, check, take them to other tools and back.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"flipcards {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_check(_command(commands, "check", "what is wrong with decks, with file and line", _CHECK))
    _add_export(_command(commands, "export", "decks to another tool", _EXPORT))
    _add_import(_command(commands, "import", "another tool's file to decks", _IMPORT))
    book = _command(commands, "new", "a new book with cards, ready to build", _NEW)
    book.add_argument("folder", metavar="DIR", help="where; made when missing")
    book.add_argument("--title", default="", help="of the book; the folder's name when left out")
    book.add_argument("--force", action="store_true", help="replace files that are there")
    book.set_defaults(run=_new)
    schema = _command(
        commands, "schema", "the JSON Schema of a deck, with which editors complete it", _SCHEMA
    )
    schema.add_argument(
        "-o", "--output", default=STANDARD, metavar="FILE", help="standard output when left out"
    )
    schema.add_argument("--force", action="store_true", help="replace a file that is there")
    schema.set_defaults(run=_schema)
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str, more: _More
) -> argparse.ArgumentParser:
    """A command with a line in the list of commands, and a help text that says more and shows it."""
    description, examples = more
    return commands.add_parser(
        name,
        help=text,
        description=textwrap.fill(description, 100),
        epilog="examples:\n" + textwrap.indent(examples, "  "),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _add_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths", nargs="+", metavar="PATH", help="a deck; a folder, for all decks in it; - is standard input"
    )
    parser.add_argument(
        "--format",
        choices=("text", "github", "json"),
        default="text",
        help="text: file:line: message; github: annotations of a workflow; json: a list of objects",
    )
    parser.set_defaults(run=_check)


def _add_export(parser: argparse.ArgumentParser) -> None:
    kinds = parser.add_subparsers(title="formats", metavar="FORMAT", required=True)
    anki = _command(kinds, "anki", "a package for Anki (.apkg)", _EXPORT_ANKI)
    anki.add_argument("decks", nargs="+", metavar="DECK", help=_DECKS)
    _add_output(anki, "the package; - is standard output")
    anki.add_argument("--progress", type=Path, metavar="LOG", help="a review log, whose reviews go along")
    anki.add_argument("--parent", default="", metavar="NAME", help="the deck in Anki to put the decks below")
    anki.add_argument(
        "--page-url",
        type=_web_address,
        metavar="URL",
        help="where a card is published; {card} and {deck} are filled in",
    )
    anki.add_argument(
        "--words",
        default="en",
        metavar="LANGUAGE",
        help="of the labels on a note: en, de, or a catalogue of yours",
    )
    anki.set_defaults(run=_export_anki)
    for kind, text in tabular.FORMATS.items():
        example = f"flipcards export {kind} decks -o cards{_ENDINGS[kind]}\n"
        description = f"Writes decks as one file: {text}. Says what such a file cannot hold."
        table = _command(kinds, kind, text, (description, example))
        table.add_argument("decks", nargs="+", metavar="DECK", help=_DECKS)
        _add_output(table, "the file; - is standard output")
        table.set_defaults(run=_export_table, kind=kind)


def _web_address(text: str) -> str:
    if not re.match(r"https?://[^\s/]", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no address of the web; it begins with https://")
    return text


def _add_output(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help=text)
    parser.add_argument("--force", action="store_true", help="replace a file that is there")


def _add_import(parser: argparse.ArgumentParser) -> None:
    kinds = parser.add_subparsers(title="formats", metavar="FORMAT", required=True)
    anki = _command(kinds, "anki", "a package of Anki (.apkg), old or new", _IMPORT_ANKI)
    anki.add_argument("package", metavar="PACKAGE", help="the package; - is standard input")
    _add_output(anki, "the deck file, or a folder for a file a deck")
    anki.add_argument("--progress", type=Path, metavar="LOG", help="a review log to add its reviews to")
    anki.set_defaults(run=_import_anki)
    for kind, text in tabular.FORMATS.items():
        example = f"flipcards import {kind} cards{_ENDINGS[kind]} -o decks/cards.yml\n"
        description = f"Reads a file into a deck: {text}. Says what did not come over."
        table = _command(kinds, kind, text, (description, example))
        table.add_argument("file", metavar="FILE", help="the file; - is standard input")
        _add_output(table, "the deck file; - is standard output")
        table.add_argument("--title", default="", metavar="TITLE", help="what readers see above the cards")
        table.set_defaults(run=_import_table, kind=kind)


def _check(options: argparse.Namespace) -> int:
    decks: list[Deck] = []
    readable: list[Deck] = []  # with faults: what else is wrong with them is told at once
    found: list[Fault] = []
    files, others = _deck_files(options.paths)
    for file in files:
        try:
            decks.append(_load(file))
        except DeckError as error:
            found += error.faults
            readable += [error.readable] if error.readable else []
    found = sorted({*found, *check.faults([*readable, *decks], references=True)})
    if options.format == "json":
        keys = ("file", "line", "card", "message")
        print(json.dumps([{key: getattr(fault, key) for key in keys} for fault in found], indent=1))
    else:
        for fault in found:
            print(_annotation(fault) if options.format == "github" else fault)
    held = f"{_count(len(decks), 'deck')}, {_count(sum(map(len, decks)), 'card')}"
    faulty = len({fault.file for fault in found})
    _say(
        f"{_count(len(found), 'fault')} in {faulty} of {_count(len(files), 'deck')}"
        if found
        else f"{held}: no faults"
    )
    for deck in decks:
        if len(deck) > MANY:
            _say(
                f"{deck.shown_as}: it has {len(deck)} cards; on one page a reader waits for all of them: "
                f"spread more than {MANY} over pages"
            )
    if others:
        names = ", ".join(others[:_NAMED]) + (", …" if len(others) > _NAMED else "")
        _say(f"passed over, no deck: {_count(len(others), 'file')} ({names})")
    if unchecked := _left_to_the_build(decks):
        _say(f"left to the build of the book: {'; '.join(unchecked)}")
    return FAULT if found else 0


def _left_to_the_build(decks: Sequence[Deck]) -> list[str]:
    """What these decks refer to and `check` cannot look up."""

    def refer(lookup: str | None, field: str, *roles: str) -> bool:
        return any(
            getattr(card, field) or any(role in f"{card.front}{card.back}{card.why}" for role in roles)
            for deck in decks
            if lookup is None or getattr(deck, lookup) is None
            for card in deck
        )

    found = {
        "terms": refer(None, "term", "{term}"),
        "sources, for want of 'bibliography'": refer("bibliography", "source", "{cite"),
        "labels and pages, for want of 'pages'": refer("pages", "see", "{ref}", "{numref}", "{doc}"),
    }
    return [what for what, there in found.items() if there]


def _deck_files(paths: Sequence[str]) -> tuple[list[str], list[str]]:
    """The deck files that are named and those in folders that are named, each once; and other YAML there."""
    files: dict[object, str] = {}
    others: dict[object, str] = {}
    for path in paths:
        if not Path(path).is_dir():
            files.setdefault(_one(path), path)
            continue
        inside = [name for name in sorted(_yaml_files(path)) if Path(name).is_file()]
        decks = [name for name in inside if _is_meant_as_deck(Path(name))]
        if not decks:
            raise FileNotFoundError(f"{path}: there is no deck in this folder")
        for name in decks:
            files.setdefault(_one(name), name)
        for name in inside:
            if name not in decks:
                others.setdefault(_one(name), name)
    return list(files.values()), [name for key, name in others.items() if key not in files]


def _one(path: str) -> object:
    """What is the same for every name of a file."""
    return path if path == STANDARD else Path(path).resolve()


def _is_meant_as_deck(file: Path) -> bool:
    """Whether somebody means this YAML as a deck, however wrong it is: a doubtful file is checked.

    It is one unless it can be read and has other things at its top than cards.
    """
    with file.open("rb") as opened:
        data = opened.read(MAX_BYTES)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return True
    if not text.strip():
        return True
    try:
        keys, names = _keys(text)
    except yaml.YAMLError:
        return _CARDS.search(text) is not None
    return bool(difflib.get_close_matches("cards", keys, n=1, cutoff=0.75)) or {"front", "back"} <= names


def _keys(text: str) -> tuple[list[str], set[str]]:
    """The keys at the top of YAML, and all text that is one word in it."""
    keys: list[str] = []
    names: set[str] = set()
    depth = 0
    is_key = True
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.NodeEvent):
            if depth == 1:
                if is_key and isinstance(event, yaml.ScalarEvent):
                    keys.append(event.value)
                is_key = not is_key
            if isinstance(event, yaml.ScalarEvent):
                names.add(event.value)
            depth += isinstance(event, yaml.CollectionStartEvent)
    return keys, names


def _yaml_files(folder: str) -> Iterator[str]:
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "_build", "node_modules"))]
        # Folders are told to os.walk as text; Path.walk needs Python 3.12.
        yield from (os.path.join(place, name) for name in names if name.endswith((".yml", ".yaml")))  # noqa: PTH118


def _annotation(fault: Fault) -> str:
    """A fault as GitHub's workflows annotate it."""
    message = fault.message if not fault.card else f"card '{fault.card}': {fault.message}"
    for raw, escaped in (("%", "%25"), ("\r", "%0D"), ("\n", "%0A")):
        message = message.replace(raw, escaped)
    file = fault.file.replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
    return f"::error file={file},line={fault.line}::{message}"


def _schema(options: argparse.Namespace) -> None:
    if options.output == STANDARD:
        print(schema_text(), end="")
        return
    refuse_taken(Path(options.output), force=options.force)
    write_whole(options.output, schema_text().encode())


def _new(options: argparse.Namespace) -> None:
    files = new_book(options.folder, title=options.title, force=options.force)
    _say(f"{options.folder}: {_count(len(files), 'file')}. Go on with:")
    _say(f"  cd {shlex.quote(options.folder)}")
    _say("  pip install -r requirements.txt")
    _say("  jupyter-book build . -n -W --keep-going")
    elsewhere = {name: address for name in ("flipcards", LIGHT) if (address := installed_from(name))}
    for name, address in elsewhere.items():
        _say(f"requirements.txt asks an index for {name} by its name; yours was installed from {address}.")
    if elsewhere:
        _say("What that index does not have, ask for by its place instead.")


def _export_anki(options: argparse.Namespace) -> None:
    words = find(options.words)
    files, _ = _deck_files(options.decks)
    _refuse_input(options.output, *files, options.progress)
    decks = _loaded(files)
    template: str | None = options.page_url

    def page_url(deck: Deck, card: Card) -> str:
        return (template or "").replace("{card}", card.id).replace("{deck}", deck.name)

    address = page_url if template else None
    if options.output == STANDARD:
        entries = log_of(options.progress) if options.progress else []
        data, done = package(decks, entries=entries, parent=options.parent, page_url=address, words=words)
        _binary(sys.stdout).write(data)
    else:
        done = export_anki(
            decks,
            options.output,
            progress=options.progress,
            parent=options.parent,
            page_url=address,
            words=words,
            force=options.force,
        )
    held = (_count(done.notes, "note"), _count(done.reviews, "review"), _count(done.media, "image"))
    _say(f"{options.output}: {', '.join(held)}")
    _left_out(done.left_out)


def _import_anki(options: argparse.Namespace) -> None:
    if options.output == STANDARD:
        raise FileExistsError("a package holds images and decks, which go to files; name a file or a folder")
    _refuse_input(options.output.rstrip("/" + os.sep), options.package, options.progress)
    with tempfile.TemporaryDirectory(prefix="flipcards-") as folder:
        package = Path(options.package)
        if options.package == STANDARD:  # a package is read here and there, which a pipe does not allow
            package = Path(folder) / "stdin.apkg"
            source = _binary(sys.stdin)
            with package.open("xb") as file:
                left = MAX_PACKAGE_BYTES + 1  # one more is refused, and no more is put on the disk
                while left and (piece := source.read(min(left, 2**20))):
                    file.write(piece)
                    left -= len(piece)
        done = import_anki(package, options.output, progress=options.progress, force=options.force)
    files = ", ".join(map(str, done.decks))
    _say(f"{files}: {_count(done.cards, 'card')}, {_count(done.images, 'image')}")
    if options.progress:
        _say(f"{options.progress}: {_count(len(done.entries), 'entry', 'entries')} added")
    _left_out(done.left_out)


def _export_table(options: argparse.Namespace) -> None:
    files, _ = _deck_files(options.decks)
    _refuse_input(options.output, *files)
    decks = _loaded(files)
    if options.output == STANDARD:
        done = tabular.write(decks, options.kind)
        _binary(sys.stdout).write(done.data)
    else:
        done = tabular.export_table(decks, options.output, kind=options.kind, force=options.force)
    _say(f"{options.output}: {_count(done.cards, 'card')}")
    _left_out(done.left_out)


def _import_table(options: argparse.Namespace) -> None:
    _refuse_input(options.output, options.file)
    if options.file == STANDARD:
        data = _binary(sys.stdin).read(tabular.MAX_BYTES + 1)
    else:
        try:
            with Path(options.file).open("rb") as file:
                data = file.read(tabular.MAX_BYTES + 1)
        except FileNotFoundError:
            fault = Fault(options.file, 1, "there is no such file; check the path")
            raise tabular.TableError([fault]) from None
    done = tabular.read(data, options.kind, title=options.title, shown_as=options.file)
    if options.output == STANDARD:
        _binary(sys.stdout).write(done.deck.to_yaml().encode())
    else:
        done.deck.save(options.output, force=options.force)
    _say(f"{options.output}: {_count(len(done.deck), 'card')}")
    _left_out(done.left_out)


def _loaded(files: Sequence[str]) -> list[Deck]:
    """The decks; raises the faults of all of them at once."""
    decks: list[Deck] = []
    faults: list[Fault] = []
    for file in files:
        try:
            decks.append(_load(file))
        except DeckError as error:
            faults += error.faults
    if faults:
        raise DeckError(faults)
    return decks


def _load(file: str) -> Deck:
    return (
        Deck.parse(_binary(sys.stdin).read(MAX_BYTES + 1), shown_as=file)
        if file == STANDARD
        else Deck.load(file)
    )


def _binary(stream: Any) -> IO[bytes]:
    """Standard input or output, for bytes."""
    if stream is None:  # closed by who runs the command
        raise OSError(errno.EBADF, "standard input or output is closed; name a file")
    buffer: IO[bytes] = stream.buffer
    return buffer


def _refuse_input(output: str, *inputs: str | Path | None) -> None:
    """Refuse to write to what is read."""
    for file in inputs:
        if file is not None and STANDARD not in (output, str(file)) and _one(str(file)) == _one(output):
            raise FileExistsError(f"{output} is what is read; name another file to write")
    if output.endswith(("/", os.sep)):
        raise IsADirectoryError(f"{output} is a folder; name a file in it")


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _left_out(reasons: Sequence[str]) -> None:
    for reason in reasons:
        _say(f"left out: {reason}")


def _say(text: str) -> None:
    print(text, file=sys.stderr)
