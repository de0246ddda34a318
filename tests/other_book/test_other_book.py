"""Another book, of another subject, in other languages, by the wheels alone: nothing of this one leaks."""

import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import textwrap
import venv
import zipfile
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

BUILD = "import sys; from jupyter_book.cli.main import main; sys.exit(main())"

FILES = {
    "_config.yml": """\
        title: Sterne und Planeten
        author: Ein Verein
        only_build_toc_files: true
        execute: {execute_notebooks: cache}
        sphinx:
          extra_extensions: [flipcards.sphinx, sphinx_lightbook]
          config: {language: de, flipcards_decks: [karten/*.yml], nb_ipywidgets_js: {}}
        """,
    "_toc.yml": """\
        format: jb-book
        root: anfang
        chapters: [{file: seiten/planeten}, {file: seiten/hebrew}, {file: seiten/heute}]
        """,
    "anfang.md": "# Sterne\n\nWie hell ist ein Stern? Siehe {doc}`seiten/planeten`.\n",
    "seiten/planeten.md": """\
        ---
        file_format: mystnb
        kernelspec: {display_name: Python 3, language: python, name: python3}
        ---
        # Planeten

        ```{code-cell} ipython3
        from flipcards import Deck
        Deck.load("../karten/planeten.yml")
        ```
        """,
    "seiten/hebrew.md": "# Hebräisch\n\n```{flipcards} ../karten/hebrew.yml\n```\n",
    "seiten/heute.md": "# Heute\n\n```{flipcards-today}\n```\n",
    "karten/planeten.yml": """\
        title: Planeten
        cards:
          - {id: groesster, front: Welcher Planet ist der größte?, back: 'Jupiter, mit $318\\,M_\\oplus$.'}
          - {id: naechster, front: Welcher ist der Sonne am nächsten?, back: Merkur., why: Nur *fast* immer.}
        """,
    "karten/hebrew.yml": """\
        title: כוכבים
        cards:
          - {id: shemesh, front: מהי השמש?, back: "כוכב, ראו $E = mc^2$ ו־`code`.", tags: [אור]}
        """,
}


@pytest.fixture(scope="module")
def python(built, packages, tmp_path_factory):
    """A Python that has the wheels, and what they need, but no source of this repository."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    wheels = sorted(built.glob("*.whl"))
    assert len(wheels) == len(packages)
    install = ["-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", *wheels]
    subprocess.run([sys.executable, *install], check=True)
    # A path in a .pth file is searched, but not the .pth files in it, such as those of editable installs.
    (site,) = (folder / "lib").glob("python*/site-packages")
    (site / "needed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def run(python, *arguments, cwd):
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(
        [python, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def book(python, tmp_path_factory):
    """The folder of the other book's site, built with warnings as errors."""
    folder = tmp_path_factory.mktemp("sterne")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(textwrap.dedent(text), encoding="utf-8")
    run(python, "-c", BUILD, "build", ".", "-n", "-W", "--keep-going", cwd=folder)
    return folder / "_build" / "html"


def test_the_packages_are_the_wheels_and_this_books_own_is_not_there(python, tmp_path):
    script = """
        import importlib.util, sys
        import flipcards, sphinx_lightbook, texmath
        modules = flipcards, sphinx_lightbook, texmath
        print(all(module.__file__.startswith(sys.prefix) for module in modules))
        print(importlib.util.find_spec("finetuning"))
    """
    assert run(python, "-c", textwrap.dedent(script), cwd=tmp_path).split() == ["True", "None"]


def test_the_other_book_has_its_cards_and_its_packages(book):
    shown = {}
    for name in ("planeten", "hebrew", "heute"):
        page = BeautifulSoup((book / "seiten" / f"{name}.html").read_text("utf-8"), "html.parser")
        shown[name] = [card["data-card"] for card in page.select("details.flipcard")]
    assert shown["planeten"] == ["groesster", "naechster"]
    assert shown["hebrew"] == ["shemesh"]
    assert sorted(shown["heute"]) == ["groesster", "naechster", "shemesh"]
    packages = {file.name for file in (book / "_downloads" / "anki").iterdir()}
    assert packages == {"hebrew.apkg", "planeten.apkg"}


def test_the_package_speaks_the_language_of_the_book(book):
    page = BeautifulSoup((book / "seiten" / "heute.html").read_text("utf-8"), "html.parser")
    assert page.select_one(".flipcards-decks > .rubric").text == "Alle Karten des Buchs"
    assert [count.text for count in page.select(".flipcards-deck-count")] == ["2 Karten", "1 Karte"]
    scripts = " ".join(script["src"] for script in page.select("script[src]"))
    assert re.search(r"_static/flipcards-words\.\w+\.js .*_static/cards\.", scripts), "its words come first"
    words = (book / "_static" / "flipcards-words.js").read_text("utf-8")
    assert '"study":"Lernen"' in words
    page = BeautifulSoup((book / "seiten" / "planeten.html").read_text("utf-8"), "html.parser")
    assert "Für Anki herunterladen" in page.select_one(".flipcards-export").text


def test_text_from_right_to_left_says_its_direction(book):
    page = BeautifulSoup((book / "seiten" / "hebrew.html").read_text("utf-8"), "html.parser")
    card = page.select_one("#card-shemesh")
    assert card["data-tags"] == "אור"
    assert card.select_one("summary")["dir"] == card.select_one(".flipcard-back")["dir"] == "auto"
    assert card.select_one("summary").text.strip().startswith("מהי השמש?")
    assert card.select_one(".flipcard-back math, .flipcard-back .katex")


# What this repository's own book is about, and whom it cites.
OURS = re.compile(
    r"fine-?tun|\bQ?LoRA\b|\bRLHF\b|\bSFT\b|\bDPO\b|\bPEFT\b|language model|base model|pre-?train"
    r"|trainable|catastrophic|\bllama|hallucinat|gekhman|Module 04|lab-forgetting",
    re.IGNORECASE,
)
READABLE = {"", ".css", ".html", ".js", ".json", ".md", ".py", ".toml", ".txt", ".yml"}


def test_nothing_of_fine_tuning_is_in_it(book):
    texts = [file for file in book.rglob("*") if file.suffix in (".html", ".js", ".css", ".json", ".txt")]
    assert len(texts) > 10
    found = {file.name: OURS.findall(file.read_text("utf-8")) for file in texts}
    assert {name: words for name, words in found.items() if words} == {}


@pytest.mark.parametrize("name", ["texmath", "flipcards", "lightbook"])
def test_nothing_of_fine_tuning_is_in_a_wheel_its_readme_and_its_source(built, packages, name):
    (wheel,) = built.glob(f"{packages[name]}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        texts = {file: archive.read(file) for file in archive.namelist()}
    (source,) = built.glob(f"{packages[name]}-*.tar.gz")
    with tarfile.open(source) as archive:
        files = [info for info in archive if info.isfile()]
        texts |= {f"source/{info.name}": archive.extractfile(info).read() for info in files}
    # The long description of a package is its README.
    assert any(b"\n# " in text for file, text in texts.items() if file.endswith("METADATA"))
    assert any(file.endswith("README.md") for file in texts)
    found = {}
    for file, text in texts.items():
        licence = Path(file).name == "LICENSE"  # names who holds the rights, as the whole repository does
        if Path(file).suffix in READABLE and not licence:
            found[file] = OURS.findall(text.decode())
    assert len(found) > 10
    assert {file: words for file, words in found.items() if words} == {}


def test_decks_need_no_sphinx(python, tmp_path):
    (tmp_path / "deck.yml").write_text(textwrap.dedent(FILES["karten/planeten.yml"]), encoding="utf-8")
    script = """
        import sys
        sys.modules.update(dict.fromkeys(["sphinx", "docutils", "myst_nb", "myst_parser", "jupyter_book"]))
        from flipcards import Cards, Deck, page
        from flipcards.cli import main
        deck = Deck.load("deck.yml")
        assert "katex" in page.section(deck)
        assert Cards(deck).deck is deck
        for command in ("check deck.yml", "export anki deck.yml -o x.apkg", "export csv deck.yml -o x.csv",
                        "import anki x.apkg -o back.yml", "import csv x.csv -o again.yml", "new book"):
            assert main(command.split()) == 0, command
        assert Deck.load("back.yml").cards == Deck.load("again.yml").cards == deck.cards
    """
    run(python, "-c", textwrap.dedent(script), cwd=tmp_path)


def test_the_version_is_the_same_in_both_places_where_it_stands(built, python, tmp_path):
    version = run(python, "-m", "flipcards", "--version", cwd=tmp_path).split()[1]
    assert (built / f"flipcards-{version}-py3-none-any.whl").is_file()


@pytest.mark.parametrize("name", ["texmath", "flipcards", "lightbook"])
def test_a_wheel_is_typed_and_has_its_licences_and_needs_no_node(built, packages, root, name):
    (wheel,) = built.glob(f"{packages[name]}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        licence = next(file for file in names if file.endswith("licenses/LICENSE"))
        assert archive.read(licence) == (root / "LICENSE").read_bytes()
        metadata = archive.read(next(file for file in names if file.endswith("/METADATA"))).decode()
    assert f"{packages[name]}/py.typed" in names
    source = root / "widgets" / name / "src"
    kept = {str(file.relative_to(source)) for file in source.rglob("*") if file.is_file()}
    assert {file for file in kept if "__pycache__" not in file} <= set(names)
    assert not [file for file in names if "node_modules" in file or "frontend/" in file]
    assert "License-File: LICENSE" in metadata
    assert "Description-Content-Type: text/markdown" in metadata


def test_a_source_distribution_makes_the_same_wheel(built, tmp_path):
    (source,) = built.glob("flipcards-*.tar.gz")
    with tarfile.open(source) as archive:
        archive.extractall(tmp_path, filter="data")
    (folder,) = tmp_path.iterdir()
    assert {"frontend", "package-lock.json", "LICENSE"} <= {file.name for file in folder.iterdir()}
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    (again,) = (folder / "dist").glob("*.whl")
    (wheel,) = built.glob("flipcards-*.whl")
    with zipfile.ZipFile(again) as one, zipfile.ZipFile(wheel) as other:
        assert {info.filename: info.CRC for info in one.infolist()} == {
            info.filename: info.CRC for info in other.infolist()
        }
