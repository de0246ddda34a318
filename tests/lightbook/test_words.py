"""A book in another language: its words, and pages as light and as private as those of an English one."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import sphinx
from bs4 import BeautifulSoup
from sphinx.errors import ConfigError
from sphinx_lightbook import words
from sphinx_lightbook.translations import TRANSLATIONS, translations_of

CATALOGUES = Path(words.__file__).parent
LOCALES = Path(sphinx.__file__).parent / "locale"
TABLE_OF_CONTENTS = "format: jb-book\nroot: anfang\nchapters:\n  - file: tiere\n"
PAGES = {
    "anfang.md": "# Ein Buch\n\nWörter. Siehe {doc}`tiere`.\n",
    "tiere.md": '# Tiere\n\nEin Känguru hüpft.\n\n```python\nprint("kopiert")\n```\n',
}
NOTE = ".lightbook-offline"


@pytest.fixture(scope="module")
def german(tmp_path_factory, book_class):
    """A built book in German."""
    book = book_class(tmp_path_factory.mktemp("german") / "book", PAGES, TABLE_OF_CONTENTS, language="de")
    book.build()
    return book


# Words ------------------------------------------------------------------------------------------------------


def test_every_catalogue_has_every_message_and_no_other():
    languages = {path.stem for path in CATALOGUES.glob("*.json")}
    assert languages >= {"en", "de"}
    for language in languages:
        data = json.loads((CATALOGUES / f"{language}.json").read_text("utf-8"))
        assert data.pop("language") == language
        assert {section: [*said] for section, said in data.items()} == {
            section: [*said] for section, said in words.english().items()
        }
        assert all(text.strip() for said in words.shipped(language).values() for text in said.values())


def test_the_page_for_wrong_addresses_speaks_the_book_s_language(german):
    page = BeautifulSoup(german.html("404.html"), "html.parser")
    german_words = words.shipped("de")["notFound"]
    assert page.article.h1.get_text(strip=True).startswith("Seite nicht gefunden")
    assert "Seite nicht gefunden" in page.title.string
    assert page.article.a["href"] == "anfang.html"
    assert page.article.a.string == german_words["start"]
    assert page.select_one("#pst-skip-link")["aria-label"] == german_words["skip"]
    shown = page.article.get_text()
    assert not [text for text in words.english()["notFound"].values() if text in shown]


def test_the_note_about_reading_offline_speaks_the_book_s_language(german, open_page):
    page = open_page(german, "anfang.html", service_workers="allow")
    note = page.locator(NOTE)
    note.get_by_text("Dieses Buch lässt sich offline lesen.").wait_for()
    note.get_by_role("button", name="Kopie entfernen").click()
    note.get_by_text("wird nicht zum Offline-Lesen aufbewahrt").wait_for()
    assert note.get_by_role("button").inner_text() == "Kopie behalten"


def test_a_book_can_bring_the_words_of_its_language_in_one_file(new_book):
    own = {"language": "fr", "notFound": {"title": "Page <introuvable>"}, "offline": {"keep": "Garder"}}
    book = new_book(
        {**PAGES, "mots.json": json.dumps(own)}, TABLE_OF_CONTENTS, language="fr", lightbook_words="mots.json"
    )
    book.build()
    page = BeautifulSoup(book.html("404.html"), "html.parser")
    assert page.article.h1.get_text().startswith("Page <introuvable>")
    assert words.english()["notFound"]["text"] in page.article.get_text()  # what is missing is English
    script = next(book.site.glob("_static/lightbook-offline.js")).read_text("utf-8")
    assert '"Garder"' in script
    own["offline"]["keep"] = "Conserver"
    book.write("mots.json", json.dumps(own))
    book.build()
    tag = BeautifulSoup(book.html("anfang.html"), "html.parser").select_one("script[src*=lightbook]")
    assert '"Conserver"' in (book.site / tag["src"]).read_text("utf-8").replace("`", '"')


def test_the_faults_of_a_catalogue_are_named(tmp_path):
    file = tmp_path / "words.json"
    file.write_text('{"notFound": {"onward": "No place", "other": "x"}, "else": {}, "offline": 1}', "utf-8")
    with pytest.raises(ConfigError) as error:
        words.load(file, "words.json")
    assert str(error.value).splitlines() == [
        "words.json: 'notFound.onward' has other places than "
        "'{start}, or search for what you were looking for.'",
        "words.json: 'offline' holds no messages",
        "words.json: there is no message 'notFound.other'",
        "words.json: there is no section 'else'",
    ]
    file.write_text("{", "utf-8")
    with pytest.raises(ConfigError, match=r"words\.json: cannot be read"):
        words.load(file, "words.json")


# Light and private ------------------------------------------------------------------------------------------


def test_pages_in_another_language_have_one_script_and_a_policy(german):
    for name in ("anfang.html", "tiere.html", "search.html", "404.html"):
        page = BeautifulSoup(german.html(name), "html.parser")
        own = [tag["src"] for tag in page.select("script[src]") if "searchindex" not in tag["src"]]
        assert len(own) == 1, name
        policy = page.select_one("meta[http-equiv=Content-Security-Policy]")["content"]
        assert "'unsafe-eval'" not in policy


def test_a_search_speaks_the_book_s_language_and_no_policy_refuses_it(
    german, open_page, page_errors, violations
):
    page = open_page(german, "search.html?q=Känguru")
    page.get_by_text("Suche beendet, 1 Seite(n) gefunden.").wait_for()
    page.locator("#search-results .context:has-text('Känguru')").wait_for()
    assert violations(page) == set()
    page.locator("#search-results li a").click()
    page.locator("article .highlighted:has-text('Känguru')").wait_for()
    page.get_by_text("Suchergebnisse ausblenden").click()
    assert [page.evaluate(f"Documentation.ngettext('one', 'many', {count})") for count in (1, 2)] == [
        "one",
        "many",
    ]
    assert [page.evaluate(f"Documentation.PLURAL_EXPR({count})") for count in (1, 2)] == [0, 1]
    page = open_page(german, "search.html?q=Schnabeltier")
    page.get_by_text("Ihre Suche ergab keine Treffer.").wait_for()
    assert page_errors == []


def test_the_translations_of_every_language_of_sphinx_are_read():
    for file in LOCALES.glob("*/LC_MESSAGES/sphinx.js"):
        site = SimpleNamespace(original=lambda path, file=file: file.read_bytes())
        read = translations_of(site, "{count} found")
        assert read is not None, file
        assert all(any(text) for text in read.messages.values())


def test_a_rule_of_plurals_that_is_more_than_a_sum_is_not_run():
    text = 'Documentation.addTranslations({"locale": "x", "messages": {}, "plural_expr": "alert(1)"});'
    assert translations_of(SimpleNamespace(original=lambda path: text.encode()), "") is None


def test_scripts_of_the_author_s_get_every_translation_and_make_a_rule_without_a_policy(new_book, open_page):
    own = """\
        window.said = Documentation.gettext("Contents");
        """
    rule = 'Documentation.addTranslations({locale: "de", messages: {}, plural_expr: "n > 2"});'
    for script, has_policy in ((own, True), (own + rule, False)):
        book = new_book(
            {**PAGES, "static/own.js": script},
            TABLE_OF_CONTENTS,
            language="de",
            html_static_path=["static"],
            html_js_files=[["own.js", {"defer": "defer"}]],
        )
        book.build()
        page = open_page(book, "tiere.html")
        page.wait_for_load_state()
        assert page.evaluate("window.said") == "Inhalt"
        assert page.locator("meta[http-equiv]").count() == has_policy
        assert page.evaluate("Documentation.PLURAL_EXPR(2) == 1") == has_policy


def test_without_the_merging_of_scripts_another_language_has_its_policy_too(new_book, open_page, page_errors):
    book = new_book(PAGES, TABLE_OF_CONTENTS, language="de", lightbook_off=["scripts"])
    book.build()
    assert "'unsafe-eval'" not in book.html("search.html")
    page = open_page(book, "search.html?q=Känguru")
    assert page.locator("meta[http-equiv]").count() == 1
    page.get_by_text("Suche beendet, 1 Seite(n) gefunden.").wait_for()
    assert page_errors == []
    assert TRANSLATIONS.removesuffix(".js") + "." in book.html("tiere.html")
