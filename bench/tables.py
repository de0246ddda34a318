"""Measures `flipcards check`, and tables and other tools both ways, on the cards of bench/anki.py.

Every task runs in a process of its own. Time is the processor's, so that a busy machine does not count.
Reading and writing the deck file, which every task does, is seen beside.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from anki import deck
from flipcards import Deck, check
from flipcards.tabular import FORMATS, export_table, import_table

TASKS = [
    "read the deck",
    "write the deck",
    "check",
    *(f"{way} {kind}" for kind in FORMATS for way in ("export", "import")),
]


def run(task: str, folder: Path) -> Path | None:
    """Do a task; returns the file that it wrote."""
    if task.startswith("import"):
        kind = task.split()[1]
        import_table(folder / f"in.{kind}", folder / "back.yml", kind=kind, force=True)
        return folder / "back.yml"
    loaded = Deck.load(folder / "deck.yml")
    if task == "write the deck":
        loaded.save(folder / "again.yml", force=True)
        return folder / "again.yml"
    if task == "check" and check.faults([loaded], references=True):
        sys.exit("the deck has faults")
    if task.startswith("export"):
        kind = task.split()[1]
        export_table([loaded], folder / f"out.{kind}", kind=kind)
        return folder / f"out.{kind}"
    return None


def main() -> None:
    """Run every task and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=10_000)
    parser.add_argument("--task", choices=("prepare", *TASKS))
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    if options.task == "prepare":  # not in the process that starts the others: they would inherit its peak
        cards = deck(options.size)
        cards.save(options.folder / "deck.yml")
        for kind in FORMATS:
            export_table([cards], options.folder / f"in.{kind}", kind=kind)
        return
    if options.task:
        begin = time.process_time()
        file = run(options.task, options.folder)
        seconds = time.process_time() - begin
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps([seconds, peak, file.stat().st_size / 1024 if file else 0]))
        return
    with tempfile.TemporaryDirectory() as folder:
        print(f"| {options.size:,} cards | CPU seconds | peak memory, MiB | file, KiB |")
        print("| --- | --: | --: | --: |")
        for task in ("prepare", *TASKS):
            command = [sys.executable, __file__, "--task", task, "--folder", folder]
            command += ["--size", str(options.size)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            if task != "prepare":
                seconds, peak, kib = json.loads(done.stdout)
                print(f"| {task} | {seconds:.2f} | {peak:.0f} | {kib:.0f} |", flush=True)


if __name__ == "__main__":
    main()
