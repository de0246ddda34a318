"""What a deck file may and may not contain, and what an author is told."""

import datetime
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from flipcards.deck import CARD_FIELDS, Card, Deck, DeckError, Fault, duplicate_ids
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

GOOD = """\
title: Small
cards:
  - id: one
    front: What is one?
    back: The first.
"""


@pytest.fixture
def write(tmp_path):
    """A function that writes a deck file, text or bytes, and returns its path."""

    def write(content, name="deck.yml"):
        file = tmp_path / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    return write


@pytest.fixture
def faults(write):
    """A function that loads a deck from text and returns what is wrong with it, a line each."""

    def faults(content):
        with pytest.raises(DeckError) as caught:
            Deck.load(write(content), shown_as="deck.yml")
        assert str(caught.value) == "\n".join(str(fault) for fault in caught.value.faults)
        return str(caught.value).splitlines()

    return faults


def card(**fields):
    """A deck of one card with these fields in place of good ones; None leaves a field out."""
    fields = {"id": "one", "front": "Q", "back": "A", **fields}
    written = "\n".join(f"    {name}: {value}" for name, value in fields.items() if value is not None)
    return "cards:\n  -\n" + written + "\n"


# --- what works


def test_a_deck_has_its_cards_in_the_order_of_the_file(write):
    ids = [f"card-{i}" for i in (3, 1, 2)]
    cards = "".join(f"  - {{id: {i}, front: Q, back: A}}\n" for i in ids)
    assert [c.id for c in Deck.load(write("cards:\n" + cards))] == ids


def test_every_field_arrives_as_it_was_written(write):
    text = """\
format: 1
title: All fields
cards:
  - id: all-fields
    front: |
      Two lines
      of *text*
    back: "An \\u00e9"
    why: >
      folded
      text
    source: [hu2021, shi2024]
    term: LoRA
    see: lab-lora
    tags: [lora, peft]
"""
    deck = Deck.load(write(text))
    assert deck.title == "All fields"
    assert deck["all-fields"] == Card(
        id="all-fields",
        front="Two lines\nof *text*",
        back="An é",
        why="folded text",
        source=("hu2021", "shi2024"),
        term="LoRA",
        see="lab-lora",
        tags=("lora", "peft"),
    )


def test_every_field_knows_the_line_on_which_its_text_starts(write):
    text = "cards:\n  - id: one\n    front: |\n      Q\n      Q\n    back: A\n    tags:\n      - a\n"
    lines = Deck.load(write(text))["one"].lines
    assert (lines[""], lines["id"], lines["front"], lines["back"], lines["tags"]) == (2, 2, 4, 6, 8)


def test_a_path_may_be_text_or_a_path_object(write):
    file = write(GOOD)
    assert Deck.load(str(file)) == Deck.load(file, shown_as=str(file))
    assert Deck.load(file).path == file


def test_a_byte_order_mark_and_windows_line_ends_change_nothing(write):
    plain = Deck.load(write(GOOD), shown_as="d")
    for content in (b"\xef\xbb\xbf" + GOOD.encode(), GOOD.replace("\n", "\r\n").encode()):
        other = Deck.load(write(content), shown_as="d")
        assert other == plain
        assert other["one"].lines == plain["one"].lines


def test_words_that_other_yaml_versions_read_as_numbers_are_text_when_quoted(write):
    deck = Deck.load(write(card(front="'1'", back='"2024-01-01"', term="'yes'")))
    assert (deck["one"].front, deck["one"].back, deck["one"].term) == ("1", "2024-01-01", "yes")


def test_bibliography_and_pages_are_found_relative_to_the_deck(write, tmp_path):
    (tmp_path / "pages").mkdir()
    write("", "works.bib")
    deck = Deck.load(write("bibliography: works.bib\npages: pages\n" + GOOD))
    assert deck.bibliography == tmp_path / "works.bib"
    assert deck.pages == tmp_path / "pages"


def test_a_card_is_found_by_its_id_and_an_unknown_one_is_not(write):
    deck = Deck.load(write(GOOD))
    assert deck["one"].front == "What is one?"
    with pytest.raises(KeyError, match="two"):
        deck["two"]


# --- what is wrong with the file


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DeckError, match=r"nowhere\.yml:1: there is no such file; check the path$"):
        Deck.load(tmp_path / "nowhere.yml")


def test_a_folder_is_no_deck(tmp_path):
    with pytest.raises(DeckError, match=r":1: cannot be read: Is a directory$"):
        Deck.load(tmp_path)


@pytest.fixture
def as_somebody():
    """Not as root, who may read everything."""
    own = os.geteuid()
    if own == 0:
        os.seteuid(65534)
    yield
    os.seteuid(own)


def test_a_file_without_permission_is_named(write, request):
    file = write(GOOD)
    file.chmod(0)
    request.getfixturevalue("as_somebody")
    with pytest.raises(DeckError, match=r"deck\.yml:1: cannot be read: Permission denied"):
        Deck.load(file)


@pytest.mark.parametrize("content", ["", "\n\n", "# only a comment\n", "---\n", "null\n", "~\n"])
def test_an_empty_file_says_what_to_write(faults, content):
    [fault] = faults(content)
    assert fault == "deck.yml:1: the file is empty; write 'cards:' and a list of cards"


@pytest.mark.parametrize("content", ["cards:\n", "cards: []\n", "cards: null\n", "cards: {}\n", "cards: x\n"])
def test_a_deck_without_cards_says_what_to_write(faults, content):
    assert faults(content) == ["deck.yml:1: 'cards' is empty; write a list of cards, each with an id"]


def test_a_deck_without_the_cards_field_says_what_to_write(faults):
    assert faults("title: T\n") == ["deck.yml:1: 'cards' is missing; write 'cards:' and a list of cards"]


@pytest.mark.parametrize(
    ("content", "kind"), [("- a\n- b\n", "a list"), ("just text\n", "text"), ("7\n", "text")]
)
def test_a_file_that_is_no_mapping_says_what_to_write(faults, content, kind):
    assert faults(content) == [f"deck.yml:1: the file is {kind}; write 'cards:' and put the cards below it"]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("cards:\n  - id: one\n   front: Q\n", 3),
        ("cards: [\n", 2),
        ("cards:\n\t- id: one\n", 2),
        ('cards:\n  - id: one\n    front: "open\n', 4),
        ("cards:\n  - front: a: b\n", 2),
        ("cards:\n  - front: `code`\n", 2),
        ("cards:\n  - front: %x\n", 2),
        ("cards:\n  - front: @x\n", 2),
    ],
)
def test_malformed_yaml_names_the_line(faults, content, line):
    [fault] = faults(content)
    assert fault.startswith(f"deck.yml:{line}: not valid YAML: ")
    assert "\n" not in fault


@pytest.mark.parametrize(
    ("card", "remedy"),
    [
        ("front: a: b", "put text with ': ' in quotes, or write it below '|'"),
        ("front: `code`", "put text with ` or @ in quotes"),
        ('front: "open', "close the quote that is open"),
        ('front: "\\pi"', "a backslash needs single quotes, or the text below '|'"),
        ("front: [x", "close the list with ']', or put text that begins with '[' in quotes"),
        ("front: !a! b", "look at quotes, colons and indentation here and just above"),
    ],
)
def test_malformed_yaml_comes_with_what_to_do(faults, card, remedy):
    [fault] = faults(f"cards:\n  - id: one\n    {card}\n")
    assert fault.endswith(remedy)


def test_a_second_document_is_refused(faults):
    [fault] = faults(GOOD + "---\n" + GOOD)
    assert fault.startswith("deck.yml:6: not valid YAML: a second document starts here")


def test_bytes_that_are_not_utf8_name_the_line(faults):
    [fault] = faults(GOOD.encode() + b"    why: caf\xe9\n")
    assert fault == "deck.yml:6: the byte 0xe9 is not UTF-8; save the file with the encoding UTF-8"


def test_utf16_is_refused_with_the_remedy(faults):
    [fault] = faults(GOOD.encode("utf-16"))
    assert fault.endswith("save the file with the encoding UTF-8")


@pytest.mark.parametrize("character", ["\0", "\b", "\x1b", "\x7f", "\x80", "\ufffe", "\uffff"])
def test_a_control_character_names_the_line(faults, character):
    [fault] = faults(card(back=f'"a{character}"'))
    assert fault == f"deck.yml:5: the control character U+{ord(character):04X} is not text; take it out"


@pytest.mark.parametrize("escape", [r"\0", r"\b", r"\e", r"\x7f", r"\uffff"])
def test_a_control_character_written_as_an_escape_is_refused_too(faults, escape):
    [fault] = faults(card(back=f'"a{escape}"'))
    assert re.fullmatch(
        r"deck\.yml:5: card 'one': 'back' has the control character U\+[0-9A-F]{4}; take it out", fault
    )


@pytest.mark.parametrize(
    "tag", ["!!python/object/apply:os.system", "!!python/name:os.system", "!!binary", "!mine", "!!set"]
)
def test_a_yaml_tag_is_refused_and_nothing_is_run(faults, tag):
    [fault] = faults(card(back=f"{tag} 'echo'"))
    assert re.match(r"deck\.yml:5: card 'one': 'back' has the tag .*; only plain text is allowed$", fault)


def test_a_tagged_list_or_mapping_is_refused(faults):
    for back in ("!!python/object/apply:os.system ['true']", "!!omap [a: b]", "!x {a: b}"):
        assert [f for f in faults(card(back=back)) if f.startswith("deck.yml:5: card 'one': 'back' is a ")]


def test_aliases_are_refused_so_that_none_can_explode(faults):
    bomb = "a: &a [x, x]\n" + "".join(
        f"{new}: &{new} [{', '.join(['*' + old] * 9)}]\n"
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    found = faults(bomb + "cards: *i\n")
    assert len(found) == 73
    assert found[0] == "deck.yml:2: the alias '*a' is not allowed; write the text out"


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ("{a: ", "}"), ("- ", "")])
def test_very_deep_nesting_is_refused_without_overflow(write, opening, closing):
    file = write("cards: \n  " + opening * 100_000 + closing * 100_000 + "\n")
    # In a process of its own: an overflow would take the test run with it.
    code = "import sys; from flipcards import Deck; Deck.load(sys.argv[1])"
    run = subprocess.run([sys.executable, "-c", code, file], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr.endswith("deck.yml:2: nested too deeply; a card's fields are text\n")


@pytest.mark.parametrize("value", ["2", "0", "'x'", "[1]", "1.0", "null"])
def test_an_unknown_format_is_refused(faults, value):
    [fault] = faults(f"format: {value}\n" + GOOD)
    assert fault.startswith("deck.yml:1: format ")
    assert fault.endswith("is unknown; this version reads format 1")


# --- what is wrong with a card

REMEDY = {
    "id": "give the card an id that no other card has",
    "front": "write the question",
    "back": "write the answer",
}


@pytest.mark.parametrize("name", list(REMEDY))
def test_a_missing_field_says_what_to_write(faults, name):
    [fault] = faults(card(**{name: None}))
    called = "number 1" if name == "id" else "'one'"
    assert fault == f"deck.yml:3: card {called}: '{name}' is missing; {REMEDY[name]}"


@pytest.mark.parametrize("value", ["", "null", "~", "''", '"  "', "|", "|\n      \n"])
@pytest.mark.parametrize("name", ["front", "back"])
def test_an_empty_field_says_what_to_write(faults, name, value):
    [fault] = faults(card(**{name: value}))
    line = {"front": 4, "back": 5}[name]
    assert fault == f"deck.yml:{line}: card 'one': '{name}' is empty; {REMEDY[name]}"


@pytest.mark.parametrize("name", ["why", "source", "term", "see", "tags"])
def test_an_empty_optional_field_says_to_leave_it_out(faults, name):
    [fault] = faults(card(**{name: ""}))
    assert fault.startswith(f"deck.yml:6: card 'one': '{name}' is empty; ")
    assert fault.endswith("leave the field out")


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("42", "the number"),
        ("-1.5", "the number"),
        ("1e3", "text"),
        ("0x1f", "the number"),
        (".nan", "the number"),
        ("true", "the truth value"),
        ("no", "the truth value"),
        ("2024-05-01", "the date"),
        ("2024-05-01 10:00:00", "the date"),
    ],
)
@pytest.mark.parametrize("name", ["id", "front", "back", "why", "term", "see"])
def test_a_number_truth_value_or_date_where_text_belongs_says_to_quote_it(write, name, value, kind):
    content = card(**{name: value})
    if kind == "text":
        if name != "id":
            assert getattr(Deck.load(write(content))["one"], name) == value
        return
    with pytest.raises(
        DeckError, match=re.escape(f"'{name}' is {kind} {value}; put it in quotes: \"{value}\"")
    ):
        Deck.load(write(content))


@pytest.mark.parametrize(("value", "kind"), [("[a]", "a list"), ("{a: b}", "a mapping")])
@pytest.mark.parametrize("name", ["front", "why", "term"])
def test_a_list_or_a_mapping_where_text_belongs_is_refused(faults, name, value, kind):
    assert [f for f in faults(card(**{name: value})) if f.endswith(f"'{name}' is {kind}; write text")]


@pytest.mark.parametrize("name", ["source", "tags"])
def test_text_where_a_list_belongs_says_how_to_write_a_list(faults, name):
    [fault] = faults(card(**{name: "hu2021"}))
    assert fault == f"deck.yml:6: card 'one': '{name}' is text; write a list: [hu2021]"


@pytest.mark.parametrize("name", ["source", "tags"])
@pytest.mark.parametrize("value", ["[1]", "[null]", "['']", "[a, [b]]", "[2024-01-01]", "{a: b}", "7"])
def test_an_entry_of_a_list_must_be_text(faults, name, value):
    [fault] = faults(card(**{name: value}))
    assert fault.startswith(f"deck.yml:6: card 'one': '{name}' ")


def test_a_tag_with_a_space_says_what_to_write(faults):
    [fault] = faults(card(tags="[two words]"))
    assert fault == "deck.yml:6: card 'one': 'tags' has 'two words', with a space; write two-words"


@pytest.mark.parametrize("name", ["source", "term", "see"])
@pytest.mark.parametrize(
    ("value", "shown"),
    [("a`b", "'`'"), ("a{b}", "'{'"), ("a<b>", "'<'"), ("a}b", "'}'"), ("a\\nb", "a line break")],
)
def test_a_name_with_markup_is_refused_so_that_it_stays_a_name(faults, name, value, shown):
    if name == "source":
        value = value.replace("\\n", "`")
        shown = shown.replace("a line break", "'`'")
        written = f'["{value}"]'
    else:
        written = f'"{value}"'
    [fault] = faults(card(**{name: written}))
    assert fault == f"deck.yml:6: card 'one': '{name}' has {shown}; write the name alone"


@pytest.mark.parametrize(
    ("wrong", "right"), [("frnt", "front"), ("Back", "back"), ("tag", "tags"), ("sources", "source")]
)
def test_a_misspelt_field_is_named_with_the_right_spelling(faults, wrong, right):
    found = faults(card(**{right: None, wrong: "x"}))
    assert any(f"unknown field '{wrong}'; did you mean '{right}'?" in fault for fault in found)


def test_an_unknown_field_lists_the_known_ones(faults):
    [fault] = faults(card(zzzzzz="x"))
    assert fault == f"deck.yml:6: card 'one': unknown field 'zzzzzz'; known are {', '.join(CARD_FIELDS)}"


def test_a_misspelt_field_of_the_deck_is_named(faults):
    assert "deck.yml:1: unknown field 'titel'; did you mean 'title'?" in faults("titel: x\n" + GOOD[13:])


def test_a_key_that_is_there_twice_is_refused(faults):
    [fault] = faults(GOOD + "    back: Another.\n")
    assert fault == "deck.yml:6: card 'one': 'back' is there twice; keep one"


def test_a_key_that_is_a_list_or_a_number_is_refused(faults):
    found = faults(GOOD + "    ? [a]\n    : b\n    7: c\n")
    assert found[0].startswith("deck.yml:6: card 'one': unknown field 'a list'")
    assert found[1].startswith("deck.yml:8: card 'one': unknown field '7'")


def test_a_merge_key_is_an_unknown_field(faults):
    assert "unknown field '<<'" in faults(GOOD + "    <<: {why: x}\n")[0]


@pytest.mark.parametrize("item", ["text", "[a]", "7", "null"])
def test_an_entry_of_cards_that_is_no_card_is_refused(faults, item):
    [fault] = faults(GOOD + f"  - {item}\n")
    assert fault == "deck.yml:6: card 2 is not a mapping; write '- id: …' with its fields below"


def test_an_id_twice_in_a_deck_names_both_lines(faults):
    [fault] = faults(GOOD + GOOD.partition("cards:\n")[2])
    assert fault == "deck.yml:6: card 'one': the id is taken by line 3; give this card another one"


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("Sft_Goal", "sft-goal"), ("a b", "a-b"), ("-a-", "a"), ("a--b", "a-b"), ("é", "my-card")],
)
def test_an_id_with_other_characters_says_what_to_write(faults, wrong, right):
    [fault] = faults(card(id=f"'{wrong}'"))
    assert fault.startswith(f"deck.yml:3: card '{wrong}': the id '{wrong}' has other characters")
    assert fault.endswith(f"write {right}")


@pytest.mark.parametrize(("field", "what"), [("bibliography", "file"), ("pages", "folder")])
def test_a_bibliography_or_pages_that_are_not_there_are_named(faults, field, what):
    [fault] = faults(f"{field}: ../nowhere\n" + GOOD)
    assert fault == (f"deck.yml:1: '{field}': there is no {what} ../nowhere; paths are relative to the deck")


def test_all_faults_are_told_at_once_in_the_order_of_the_lines(faults):
    found = faults(
        """\
format: 9
titel: x
cards:
  - id: one
    front: 1
  - front: Q
    back:
    tags: x
  - id: one
    front: Q
    back: 2024-01-01
    bakc: A
"""
    )
    assert [int(fault.split(":")[1]) for fault in found] == [1, 2, 4, 5, 6, 7, 8, 9, 11, 12]
    assert all("; " in fault for fault in found)


def test_faults_can_be_read_by_a_program(write):
    with pytest.raises(DeckError, match="is empty") as caught:
        Deck.load(write(card(back="")), shown_as="assets/decks/x.yml")
    message = "'back' is empty; write the answer"
    assert caught.value.faults == (Fault("assets/decks/x.yml", 5, message, "one"),)


def test_an_id_that_two_decks_have_names_both_places(write):
    first = Deck.load(write(GOOD), shown_as="first.yml")
    second = Deck.load(write("\n" + GOOD), shown_as="second.yml")
    [fault] = duplicate_ids([first, second])
    assert str(fault) == (
        "second.yml:4: card 'one': the id is taken by first.yml:3; give this card another one"
    )
    assert duplicate_ids([first, first]) == []


# --- parts of a deck


@pytest.fixture
def three(write):
    """A deck of three cards; the first two have the tag x, the last has the tag y."""
    cards = "".join(
        f"  - {{id: card-{i}, front: Q, back: A, tags: [{tag}]}}\n" for i, tag in enumerate(("x", "x", "y"))
    )
    return Deck.load(write("cards:\n" + cards), shown_as="deck.yml")


def test_only_keeps_the_named_cards_in_the_order_named(three):
    assert [c.id for c in three.only(["card-2", "card-0", "card-2"])] == ["card-2", "card-0"]
    assert [c.id for c in three] == ["card-0", "card-1", "card-2"]


def test_only_keeps_the_cards_with_one_of_the_tags(three):
    assert [c.id for c in three.only(tags=["x"])] == ["card-0", "card-1"]
    assert [c.id for c in three.only(["card-2", "card-1"], tags=["x", "z"])] == ["card-1"]


def test_only_refuses_an_unknown_card_and_a_tag_that_no_card_has(three):
    with pytest.raises(DeckError, match=r"deck\.yml:1: no card 'card-9'; did you mean 'card-"):
        three.only(["card-9", "card-0"])
    with pytest.raises(DeckError, match=r"deck\.yml:1: no card has the tag z"):
        three.only(tags=["z"])


# --- saving

text = st.text(
    st.characters(
        exclude_categories=("Cs", "Cc"), include_characters="\t\x85", exclude_characters="\ufffe\uffff"
    ),
    min_size=1,
)
lines = st.lists(text, min_size=1, max_size=4).map("\n".join)
field = lines.map(str.rstrip).filter(lambda value: value.strip())
word = st.from_regex(r"[\w@:#-]+", fullmatch=True).map(str.strip).filter(bool)
words = st.lists(word, max_size=3, unique=True).map(tuple)
slug = st.from_regex(r"[a-z0-9]+(-[a-z0-9]+){0,3}", fullmatch=True)
optional = st.one_of(st.just(""), field)
name = optional.filter(lambda value: not re.search(r"[`<>{}\n]|^[!~]", value))
cards = st.builds(
    Card,
    id=slug,
    front=field,
    back=field,
    why=optional,
    source=words,
    term=name,
    see=name,
    tags=words,
)
decks = st.builds(
    Deck, st.lists(cards, min_size=1, max_size=4, unique_by=lambda c: c.id).map(tuple), title=optional
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deck=decks)
def test_a_saved_deck_is_read_back_equal(tmp_path, deck):
    file = tmp_path / "saved.yml"
    deck.save(file, force=True)
    read = Deck.load(file)
    assert read.cards == deck.cards
    assert read.title == deck.title


@pytest.mark.parametrize(
    "value", ["42", "true", "2024-01-01", "null", "~", "- a", "#x", "a: b", "1e3", "=", "<<"]
)
def test_text_that_looks_like_something_else_is_saved_as_text(tmp_path, value):
    Deck((Card("one", value, value, tags=(value.replace(" ", ""),)),)).save(tmp_path / "d.yml")
    read = Deck.load(tmp_path / "d.yml")["one"]
    assert (read.front, read.back) == (value, value)


def test_saving_keeps_the_way_to_bibliography_and_pages(write, tmp_path):
    (tmp_path / "pages").mkdir()
    write("", "works.bib")
    deck = Deck.load(write("bibliography: works.bib\npages: pages\n" + GOOD))
    (tmp_path / "elsewhere").mkdir()
    deck.save(tmp_path / "elsewhere" / "copy.yml")
    copy = Deck.load(tmp_path / "elsewhere" / "copy.yml")
    assert copy.bibliography.resolve() == deck.bibliography.resolve()
    assert copy.pages.resolve() == deck.pages.resolve()


def test_lines_of_text_are_saved_as_a_block_that_a_person_can_edit(tmp_path):
    Deck((Card("one", "Q", "First line.\nSecond line."),)).save(tmp_path / "d.yml")
    assert "  back: |-\n    First line.\n    Second line.\n" in (tmp_path / "d.yml").read_text()


def test_saving_does_not_replace_a_file_unless_told_to(write):
    file = write(GOOD)
    deck = Deck.load(file)
    with pytest.raises(FileExistsError, match=r"deck\.yml is there already; pass force=True"):
        deck.save(file)
    assert file.read_text() == GOOD
    deck.save(file, force=True)
    assert Deck.load(file).cards == deck.cards


def test_a_failed_save_leaves_the_old_file_and_nothing_else(write, monkeypatch):
    file = write(GOOD)
    deck = Deck.load(file)
    monkeypatch.setattr(Path, "replace", lambda self, target: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        deck.save(file, force=True)
    assert file.read_text() == GOOD
    assert [f.name for f in file.parent.iterdir()] == ["deck.yml"]


def test_a_saved_file_may_be_read_by_others(tmp_path):
    Deck((Card("one", "Q", "A"),)).save(tmp_path / "d.yml")
    umask = os.umask(0)
    os.umask(umask)
    assert (tmp_path / "d.yml").stat().st_mode & 0o777 == 0o666 & ~umask
    (tmp_path / "d.yml").chmod(0o640)
    Deck((Card("one", "Q", "B"),)).save(tmp_path / "d.yml", force=True)
    assert (tmp_path / "d.yml").stat().st_mode & 0o777 == 0o640


def test_the_shipped_decks_load_and_survive_a_round_trip(root, tmp_path):
    files = sorted((root / "assets" / "decks").glob("*.yml"))
    assert files
    for file in files:
        deck = Deck.load(file)
        deck.save(tmp_path / file.name)
        assert Deck.load(tmp_path / file.name).cards == deck.cards
    assert duplicate_ids(Deck.load(file) for file in files) == []


def test_what_yaml_would_make_of_a_field_is_never_what_a_card_holds(write):
    """The values that a plain YAML reader would return are not strings; ours are, or are refused."""
    content = card(front="'2024-05-01'", back="'7'")
    assert yaml.safe_load(content)["cards"][0]["front"] == "2024-05-01"
    assert isinstance(yaml.safe_load("2024-05-01"), datetime.date)
    loaded = Deck.load(write(content))["one"]
    assert all(isinstance(value, str) for value in (loaded.front, loaded.back))


def test_an_id_that_is_there_twice_on_one_line_is_told():
    card = "{id: a, front: A?, back: B.}"
    with pytest.raises(
        DeckError, match=r"^deck:1: card 'a': the id is taken by line 1; give this card anoth"
    ):
        Deck.parse(f"cards: [{card}, {card}]".encode())
