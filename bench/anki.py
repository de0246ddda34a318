"""Measures packages for Anki beside genanki, on the same notes and in one run: `make bench`.

Every task runs in a process of its own. Time is the processor's, so that a busy machine does not count.
Both write the same notes, whose fields were rendered before; what rendering and checking add is seen beside.
With progress, four reviews of each card go along, or are added to an empty log.
The last lines are the aims; it ends with 1 when one is missed.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flipcards import Card, Deck, anki_write, reviews
from flipcards.anki import export_anki, import_anki
from flipcards.anki_note import FIELDS, FRONT_TEMPLATE, MODEL_ID, STYLE, back_template, guid, note_fields
from flipcards.markup import Faces
from flipcards.words import english

SUBJECTS = ["the reward model", "a rank of eight", "the reference policy", "the loss mask", "a frozen weight"]
CLAUSES = [
    "it is trained on pairs that people have ranked",
    "the update is $W_0 + \\frac{\\alpha}{r} B A$",
    "the penalty holds the policy near where it **began**",
    "only the tokens of the completion are counted, see `loss_mask`",
]


def deck(size: int) -> Deck:
    """Cards of the length that those of a book have, a quarter of them with math."""
    cards = (
        Card(
            id=f"card-{number}",
            front=f"What is said of {SUBJECTS[number % 5]}, number {number}?",
            back=f"That {CLAUSES[number % 4]}.\nSo much for number {number}.",
            why=f"In the paper {CLAUSES[(number + 2) % 4]}.",
            tags=("one", f"tag-{number % 7}"),
        )
        for number in range(size)
    )
    return Deck(tuple(cards), "Bench")


def log(size: int) -> Iterator[reviews.Entry]:
    """Four reviews of each card, days apart."""
    begin = datetime(2026, 1, 5, 8, tzinfo=UTC)
    device = str(uuid.UUID(int=1))
    for number in range(size):
        for turn, (day, rating) in enumerate([(0, 3), (3, 3), (12, 1 + number % 4), (40, 3)]):
            at = begin + timedelta(days=day + number % 20, seconds=number)
            yield {
                "schema": 1,
                "id": str(uuid.UUID(int=4 * number + turn + 2)),
                "kind": "review",
                "card": f"card-{number}",
                "at": at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
                "offset_minutes": 60,
                "device": device,
                "rating": rating,
                "duration_ms": 4_000 + number % 5_000,
                "decided": None,
            }


def rendered(size: int) -> list[list[str]]:
    """The fields of every note."""
    faces = Faces(mathjax=True)
    return [note_fields(card, faces, {}, None) for card in deck(size)]


def render(folder: Path, size: int) -> Path | None:
    """The faces to HTML, which any package needs."""
    rendered(size)
    return None


def flipcards_rendered(folder: Path, size: int) -> Path:
    """The same notes as genanki, from rendered fields."""
    fields = {row[FIELDS.index("Id")]: row for row in json.loads((folder / "fields.json").read_text())}
    vars(anki_write).update(note_fields=lambda card, *_: fields[card.id], _refuse=lambda decks: None)
    return flipcards(folder, size)


def flipcards(folder: Path, size: int) -> Path:
    """Deck to package, rendering and checks included."""
    export_anki([deck(size)], folder / "x.apkg", force=True)
    return folder / "x.apkg"


def flipcards_progress(folder: Path, size: int) -> Path:
    """Deck and log to package."""
    done = export_anki([deck(size)], folder / "x.apkg", progress=folder / "log.jsonl", force=True)
    assert done.reviews == 4 * size
    return folder / "x.apkg"


def genanki(folder: Path, size: int) -> Path:
    """The same notes by genanki."""
    import genanki as theirs

    # genanki has no types: its classes are Any to the checker.
    class Note(theirs.Note):  # type: ignore[misc]
        @property
        def guid(self) -> str:
            return guid(self.fields[FIELDS.index("Id")])

    template = {"name": "Card", "qfmt": FRONT_TEMPLATE, "afmt": back_template(english())}
    model = theirs.Model(MODEL_ID, "Flip card", [{"name": name} for name in FIELDS], [template], css=STYLE)
    package = theirs.Deck(1_795_000_000, "Bench")
    for card, fields in zip(deck(size), json.loads((folder / "fields.json").read_text()), strict=True):
        package.add_note(Note(model, fields, tags=list(card.tags)))
    theirs.Package(package).write_to_file(folder / "x.apkg")
    return folder / "x.apkg"


def read(folder: Path, size: int) -> Path:
    """Package to deck file."""
    import_anki(folder / "in.apkg", folder / "back.yml", force=True)
    return folder / "back.yml"


def read_progress(folder: Path, size: int) -> Path:
    """Package to deck file and log."""
    (folder / "new.jsonl").unlink(missing_ok=True)
    done = import_anki(
        folder / "studied.apkg", folder / "back.yml", progress=folder / "new.jsonl", force=True
    )
    assert len(done.entries) == 4 * size
    return folder / "new.jsonl"


def prepare(folder: Path, size: int) -> None:
    """What the tasks read."""
    (folder / "fields.json").write_text(json.dumps(rendered(size)))
    export_anki([deck(size)], folder / "in.apkg")
    reviews.write(folder / "log.jsonl", list(log(size)))
    export_anki([deck(size)], folder / "studied.apkg", progress=folder / "log.jsonl")


OURS, THEIRS = "flipcards: rendered notes to package", "genanki: rendered notes to package"
TASKS: dict[str, Callable[[Path, int], Path | None]] = {
    "render the faces": render,
    "flipcards: deck to package": flipcards,
    "flipcards: deck and progress to package": flipcards_progress,
    OURS: flipcards_rendered,
    THEIRS: genanki,
    "flipcards: package to deck": read,
    "flipcards: package to deck and progress": read_progress,
}


def measure(name: str, folder: Path, size: int) -> dict[str, float]:
    """CPU seconds, peak memory and bytes written of a task in this process."""
    if name == "prepare":  # not in the process that starts the others: they would inherit its peak
        prepare(folder, size)
        return {}
    begin = time.process_time()
    file = TASKS[name](folder, size)
    seconds = time.process_time() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "peak_mib": peak, "kib": file.stat().st_size / 1024 if file else 0}


def aims(rows: Mapping[str, Mapping[str, float]]) -> list[tuple[str, str, bool]]:
    """What packages aim at: the aim, what was measured, whether it is reached."""
    ours, theirs = rows[OURS], rows[THEIRS]
    return [
        (f"{aim} than genanki's", f"{ours[key]:.2f} to {theirs[key]:.2f} {unit}", ours[key] < theirs[key])
        for aim, key, unit in (
            ("the same notes are written sooner", "seconds", "s"),
            ("their file is smaller", "kib", "KiB"),
        )
    ]


def main() -> int:
    """Run every task, print the table and the aims; returns 1 when one is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=10_000)
    parser.add_argument("--task", choices=("prepare", *TASKS))
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    if options.task:
        print(json.dumps(measure(options.task, options.folder, options.size)))
        return 0
    rows: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        print(f"| {options.size:,} cards | CPU seconds | peak memory, MiB | file, KiB |")
        print("| --- | --: | --: | --: |")
        for task in ("prepare", *TASKS):
            command = [
                sys.executable,
                __file__,
                "--task",
                task,
                "--folder",
                name,
                "--size",
                str(options.size),
            ]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            row = json.loads(done.stdout)
            if row:
                rows[task] = row
                print(
                    f"| {task} | {row['seconds']:.2f} | {row['peak_mib']:.0f} | {row['kib']:.0f} |",
                    flush=True,
                )

    checked = aims(rows)
    print()
    for aim, words, reached in checked:
        print(f"{'reached' if reached else 'MISSED '}  {aim}: {words}")
    return 0 if all(reached for _, _, reached in checked) else 1


if __name__ == "__main__":
    sys.exit(main())
