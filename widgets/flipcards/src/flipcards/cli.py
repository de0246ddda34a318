"""The command `flipcards`."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

from flipcards import __version__, reviews
from flipcards.anki import AnkiError, export_anki, import_anki, package
from flipcards.deck import Card, Deck, DeckError, Fault

FAULT, USAGE = 1, 2  # what is read has faults; what is asked for cannot be done

EXAMPLES = """examples:
  flipcards export anki decks/*.yml -o book.apkg
  flipcards export anki decks/sft.yml -o sft.apkg --progress progress.jsonl
  flipcards import anki mine.apkg -o decks/mine.yml
  flipcards import anki mine.apkg -o decks/ --progress progress.jsonl
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        The exit code: 0, 1 where what is read has faults, 2 where what is asked for cannot be done.
    """
    options = _parser().parse_args(arguments)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *_, **__: _say(str(message))
            options.run(options)
    except (AnkiError, DeckError, reviews.ReviewLogError) as error:
        _say(str(error))
        return FAULT
    except FileExistsError as error:
        _say(str(error).replace("pass force=True", "use --force"))
        return USAGE
    except OSError as error:
        _say(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        return USAGE
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="flipcards",
        description="Decks of flip cards: to other tools and back.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"flipcards {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_export(commands.add_parser("export", help="decks to another tool"))
    _add_import(commands.add_parser("import", help="another tool's file to decks"))
    return parser


def _add_export(parser: argparse.ArgumentParser) -> None:
    kinds = parser.add_subparsers(title="formats", metavar="FORMAT", required=True)
    anki = kinds.add_parser("anki", help="a package for Anki (.apkg)")
    anki.add_argument("decks", nargs="+", type=Path, metavar="DECK", help="a deck file")
    anki.add_argument(
        "-o", "--output", required=True, metavar="FILE", help="the package; - is standard output"
    )
    anki.add_argument("--progress", type=Path, metavar="LOG", help="a review log, whose reviews go along")
    anki.add_argument("--parent", default="", metavar="NAME", help="the deck in Anki to put the decks below")
    anki.add_argument(
        "--page-url", metavar="URL", help="where a card is published; {card} and {deck} are filled in"
    )
    anki.add_argument("--force", action="store_true", help="replace a file that is there")
    anki.set_defaults(run=_export_anki)


def _add_import(parser: argparse.ArgumentParser) -> None:
    kinds = parser.add_subparsers(title="formats", metavar="FORMAT", required=True)
    anki = kinds.add_parser("anki", help="a package of Anki (.apkg), old or new")
    anki.add_argument("package", type=Path, metavar="PACKAGE")
    anki.add_argument(
        "-o", "--output", required=True, metavar="FILE", help="the deck file, or a folder for a file a deck"
    )
    anki.add_argument("--progress", type=Path, metavar="LOG", help="a review log to add its reviews to")
    anki.add_argument("--force", action="store_true", help="replace files that are there")
    anki.set_defaults(run=_import_anki)


def _export_anki(options: argparse.Namespace) -> None:
    decks = _loaded(options.decks)
    template: str | None = options.page_url

    def page_url(deck: Deck, card: Card) -> str:
        return (template or "").replace("{card}", card.id).replace("{deck}", deck.name)

    address = page_url if template else None
    if options.output == "-":
        entries = reviews.read(options.progress) if options.progress else []
        data, done = package(decks, entries=entries, parent=options.parent, page_url=address)
        sys.stdout.buffer.write(data)
    else:
        done = export_anki(
            decks,
            options.output,
            progress=options.progress,
            parent=options.parent,
            page_url=address,
            force=options.force,
        )
    held = (_count(done.notes, "note"), _count(done.reviews, "review"), _count(done.media, "image"))
    _say(f"{options.output}: {', '.join(held)}")
    _left_out(done.left_out)


def _import_anki(options: argparse.Namespace) -> None:
    done = import_anki(options.package, options.output, progress=options.progress, force=options.force)
    files = ", ".join(map(str, done.decks))
    _say(f"{files}: {_count(done.cards, 'card')}, {_count(done.images, 'image')}")
    if options.progress:
        _say(f"{options.progress}: {_count(len(done.entries), 'entry', 'entries')} added")
    _left_out(done.left_out)


def _loaded(files: Sequence[Path]) -> list[Deck]:
    """The decks; raises the faults of all of them at once."""
    decks: list[Deck] = []
    faults: list[Fault] = []
    for file in files:
        try:
            decks.append(Deck.load(file))
        except DeckError as error:
            faults += error.faults
    if faults:
        raise DeckError(faults)
    return decks


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _left_out(reasons: Sequence[str]) -> None:
    for reason in reasons:
        _say(f"left out: {reason}")


def _say(text: str) -> None:
    print(text, file=sys.stderr)
