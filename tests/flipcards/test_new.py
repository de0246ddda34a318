"""`flipcards new`: the book that it writes builds, and its parts fit each other."""

import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup
from flipcards import __version__, cli, new
from flipcards.cli import main
from flipcards.new import installed_from
from flipcards.schema import schema_text
from packaging.requirements import Requirement
from sphinx_lightbook.report import weights_of


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """A new book, built with warnings as errors."""
    folder = tmp_path_factory.mktemp("new") / "my-book"
    assert main(["new", str(folder), "--title", 'Logic: "or" & \\and']) == 0
    command = [Path(sys.executable).with_name("jupyter-book"), "build", folder, "-n", "-W", "--keep-going"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def page(book, name):
    return BeautifulSoup((book / "_build" / "html" / f"{name}.html").read_text("utf-8"), "html.parser")


def test_the_new_book_builds_and_shows_its_cards(book):
    shown = {
        name: [card["data-card"] for card in page(book, name).select("details.flipcard")]
        for name in ("intro", "chapters/cards", "chapters/today")
    }
    both = ["what-is-a-deck", "what-may-a-side-hold"]
    assert shown == {"intro": both[:1], "chapters/cards": both, "chapters/today": both}
    assert page(book, "intro").select_one("h1").text.startswith("Logic: “or” & \\and")
    assert (book / "_build" / "html" / "_downloads" / "anki" / "first.apkg").is_file()
    assert str(datetime.now().year) in page(book, "intro").select_one(".copyright").text


def test_where_sphinx_lightbook_is_installed_no_page_asks_another_host(book):
    assert extensions(book) == ["flipcards.sphinx", "sphinx_lightbook"]
    pages = {page.page: page.foreign for page in weights_of(book / "_build" / "html")}
    assert len(pages) >= 3
    assert set(pages.values()) == {0}


def test_where_sphinx_lightbook_is_not_installed_the_book_does_without_and_says_what_it_would_do(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(new, "light_version", lambda: "")
    assert main(["new", str(tmp_path / "book")]) == 0
    assert extensions(tmp_path / "book") == ["flipcards.sphinx"]
    assert "With the package sphinx-lightbook" in (tmp_path / "book" / "_config.yml").read_text()
    lines = (tmp_path / "book" / "requirements.txt").read_text().splitlines()
    assert lines == ["jupyter-book>=1.0.4,<2", f"flipcards>={__version__}"]


def extensions(book):
    return yaml.safe_load((book / "_config.yml").read_text())["sphinx"]["extra_extensions"]


def test_its_decks_pass_the_check_that_its_workflow_runs(book, monkeypatch, capsys):
    monkeypatch.chdir(book)
    assert main(["check", "decks", "--format", "github"]) == 0
    assert capsys.readouterr().out == ""
    steps = yaml.safe_load((book / ".github" / "workflows" / "book.yml").read_text())["jobs"]["build"][
        "steps"
    ]
    assert steps[0]["with"]["fetch-depth"] == 0  # packages for Anki are dated by the history
    commands = [step["run"] for step in steps if "run" in step]
    assert commands == [
        "pip install -r requirements.txt",
        "flipcards check decks --format github",
        "jupyter-book build . -n -W --keep-going",
    ]


def test_who_has_the_package_from_elsewhere_than_an_index_is_told_so(tmp_path, monkeypatch, capsys):
    assert installed_from().endswith("/widgets/flipcards"), "these tests run on the package of this folder"
    assert main(["new", str(tmp_path / "one")]) == 0
    said = capsys.readouterr().err
    assert f"yours was installed from {installed_from()}." in said
    assert f"yours was installed from {installed_from('sphinx-lightbook')}." in said
    monkeypatch.setattr(cli, "installed_from", lambda name: "")
    assert main(["new", str(tmp_path / "two")]) == 0
    assert "installed from" not in capsys.readouterr().err


def test_binder_gets_the_same_requirements_and_a_notebook(book):
    lines = (book / "requirements.txt").read_text().splitlines()
    wanted = {one.name: one.specifier for one in map(Requirement, lines)}
    assert wanted.keys() == {"jupyter-book", "flipcards", "sphinx-lightbook"}
    assert __version__ in wanted["flipcards"]
    assert "0.0.9" not in wanted["flipcards"]
    assert "-r ../requirements.txt" in (book / ".binder" / "requirements.txt").read_text()
    assert (book / ".binder" / "postBuild").stat().st_mode & 0o100
    launch = page(book, "chapters/cards").select_one('a[href*="mybinder.org"]')
    assert launch["href"].endswith("urlpath=lab/tree/chapters/cards.md")


def test_its_deck_names_the_schema_that_lies_beside_it(book):
    first = (book / "decks" / "first.yml").read_text().splitlines()[0]
    assert (book / "decks" / first.partition("$schema=")[2]).read_text() == schema_text()


def test_nothing_of_an_existing_book_is_replaced_without_force(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("intro.md").write_text("mine")
    assert main(["new", "."]) == 2
    assert "intro.md is there already; use --force to replace it" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["intro.md"]
    assert main(["new", ".", "--force"]) == 0
    assert Path("intro.md").read_text().startswith("# ")


def test_the_title_comes_from_the_folder(tmp_path):
    assert main(["new", str(tmp_path / "a-Small_book")]) == 0
    settings = yaml.safe_load((tmp_path / "a-Small_book" / "_config.yml").read_text())
    assert settings["title"] == "A small book"
    assert settings["sphinx"]["config"]["flipcards_book"] == "a-small-book"
    assert main(["new", str(tmp_path / "Zoë_und der-Bär")]) == 0
    settings = yaml.safe_load((tmp_path / "Zoë_und der-Bär" / "_config.yml").read_text("utf-8"))
    assert settings["title"] == "Zoë und der bär"
