"""The book in other forms than a site: each shows the questions and the answers of its cards."""

import re
import shutil
import subprocess
import sys
import zipfile

import pytest

QUESTION, ANSWER, NOTE = "Why does RLHF need a", "People cannot score the millions", "256k episodes"


def build(root, site, output, *options):
    # The site was built from these chapters: their outputs are at hand.
    shutil.copytree(site.parent / ".jupyter_cache", output / "_build" / ".jupyter_cache")
    program = "import sys; from jupyter_book.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "build", str(root), "-n", "-W", "--keep-going"]
    done = subprocess.run(
        [*command, "--path-output", str(output), *options], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return output / "_build"


def in_order(text):
    text = re.sub(r"\s+", " ", text)
    places = [text.find(words) for words in (QUESTION, ANSWER, NOTE)]
    return -1 not in places and places == sorted(places)


@pytest.mark.parametrize("builder", ["epub", "latex"])
def test_questions_and_answers_are_in_every_form_of_the_book(root, site, tmp_path, builder):
    if builder == "epub":
        folder = build(root, site, tmp_path, "--builder", "custom", "--custom-builder", "epub")
        (file,) = folder.rglob("*.epub")
        with zipfile.ZipFile(file) as epub:
            page = epub.read(next(name for name in epub.namelist() if name.endswith("flashcards.xhtml")))
        text = re.sub(r"<[^>]+>", "", page.decode())
    else:
        folder = build(root, site, tmp_path, "--builder", "latex")
        (file,) = folder.rglob("fine-tuning-review.tex")
        text = re.sub(r"\\\w+|[{}]", "", file.read_text("utf-8"))
    assert in_order(text)
