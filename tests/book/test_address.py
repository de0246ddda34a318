"""The book's address stands in one line of _config.yml, and a CI build may override it."""

import runpy
from types import SimpleNamespace

import pytest
import yaml


@pytest.fixture
def address(root):
    """A function that gives the settings a build would use."""
    set_address = runpy.run_path(str(root / "assets/sphinx/book_address.py"))["_set_address"]
    repository = yaml.safe_load((root / "_config.yml").read_text("utf-8"))["repository"]

    def address():
        options = {"repository_url": repository["url"], "repository_branch": repository["branch"]}
        config = SimpleNamespace(html_theme_options=options, flipcards_report_url="", html_baseurl="")
        set_address(None, config)
        return config

    return address


def test_the_address_stands_in_one_place(root):
    url = yaml.safe_load((root / "_config.yml").read_text("utf-8"))["repository"]["url"]
    kinds = ("*.md", "*.yml", "*.py", "*.toml", "*.cff", "Makefile")
    files = [
        file
        for folder in (".", "chapters", "assets")
        for kind in kinds
        for file in (root / folder).glob(kind)
    ]
    files += [*root.glob("widgets/*/*.toml"), *root.glob("widgets/*/*.md"), *root.glob(".github/workflows/*")]
    named = [file.name for file in files if url in file.read_text("utf-8")]
    assert named == ["_config.yml"]
    assert (root / "_config.yml").read_text("utf-8").count(url) == 1


def test_cards_are_reported_at_the_address(address, monkeypatch):
    monkeypatch.delenv("BOOK_REPOSITORY_URL", raising=False)
    config = address()
    assert config.flipcards_report_url.startswith(
        config.html_theme_options["repository_url"] + "/issues/new?"
    )


def test_the_environment_overrides_the_address_everywhere(address, monkeypatch):
    monkeypatch.setenv("BOOK_REPOSITORY_URL", "https://example.org/me/fork/")
    monkeypatch.setenv("BOOK_REPOSITORY_BRANCH", "trunk")
    config = address()
    assert config.html_theme_options["repository_url"] == "https://example.org/me/fork"
    assert config.html_theme_options["repository_branch"] == "trunk"
    report = config.flipcards_report_url.format(card="sft-goal", page="chapters/flashcards")
    assert report.startswith("https://example.org/me/fork/issues/new?")
    assert "sft-goal" in report


@pytest.mark.parametrize(
    ("repository", "site"),
    [
        ("https://github.com/Me/fork", "https://me.github.io/fork/"),
        ("https://github.com/me/me.github.io", "https://me.github.io/"),
        ("https://example.org/me/fork", ""),
        ("", ""),
    ],
)
def test_the_site_s_own_address_comes_from_the_repository(root, monkeypatch, repository, site):
    monkeypatch.delenv("BOOK_REPOSITORY_URL", raising=False)
    set_address = runpy.run_path(str(root / "assets/sphinx/book_address.py"))["_set_address"]
    config = SimpleNamespace(html_theme_options={"repository_url": repository}, html_baseurl="")
    set_address(None, config)
    assert config.html_baseurl == site
    config.html_baseurl = "https://book.example/"
    set_address(None, config)
    assert config.html_baseurl == "https://book.example/"
