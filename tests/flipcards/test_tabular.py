"""Tables, jupytercards, Quizlet and lists in Markdown: what comes back, what is said, what is refused."""

import contextlib
import csv
import io
import json
import re
import time
from dataclasses import replace

import pytest
from flipcards import table_rows
from flipcards.check import faults
from flipcards.deck import CARD_FIELDS, Card, Deck, DeckError
from flipcards.markup import Faces
from flipcards.table_rows import cleaned
from flipcards.tabular import FORMATS, TableError, export_table, import_table, read, write
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

# --- decks of every kind -----------------------------------------------------------------------------

PIECES = [
    *(
        "word",
        "two words",
        "=1+1",
        "-",
        "+",
        "@x",
        "'",
        "''=x",
        "＝1",
        "::",
        " :: ",
        "\\::",
        ":::",
        "a::b",
        '"',
    ),
    *(
        ",",
        ";",
        "\t",
        "\n",
        "\n\n",
        "\n::\n",
        "- item\n",
        "1. one\n",
        "**bold**",
        "`code`",
        "$x_1$",
        "\\",
        "é",
    ),
    *(
        "שלום",
        "中文",
        "{term}`SFT`",
        "| a | b |\n| - | - |\n",
        "\u2028",
        "\x85",
        "\ufeff",
        "  \n",
        "<",
        "&amp;",
    ),
    *("```python\nx :: y\n  # c\n```\n", "\\$5", "sep=;\n", "  ", "#", "\u00a0"),
]
SIDES = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=6)), min_size=1, max_size=8).map("".join)
WORDS = st.lists(st.from_regex(r"[a-z=+@'-][a-z0-9-]{0,5}", fullmatch=True), max_size=3, unique=True).map(
    tuple
)
NAMES = st.one_of(st.just(""), st.from_regex(r"[A-Za-z][\w =+-]{0,8}[a-z]", fullmatch=True))


def is_face(text):
    """Whether a side loads, has no fault and shows something."""
    if not text or cleaned(text) != text or Faces().faults(text):
        return False
    return any(char.isprintable() and not char.isspace() for char in Faces().text(text))


FACES = SIDES.map(str.rstrip).filter(is_face)


@st.composite
def decks(draw):
    """A deck that loads and has no fault."""
    ids = draw(
        st.lists(
            st.from_regex(r"[a-z0-9]{1,6}(-[a-z0-9]{1,3})?", fullmatch=True),
            min_size=1,
            max_size=4,
            unique=True,
        )
    )
    why = st.one_of(st.just(""), FACES)
    made = tuple(
        Card(i, draw(FACES), draw(FACES), draw(why), draw(WORDS), draw(NAMES), draw(NAMES), draw(WORDS))
        for i in ids
    )
    return Deck(
        made, draw(st.one_of(st.just(""), st.from_regex(r"[A-Za-z:#=][\w ]{0,8}[a-z]", fullmatch=True)))
    )


def loads(deck, folder):
    """The deck after a way through a file, which must load and have no fault."""
    deck.save(folder / "deck.yml", force=True)
    loaded = Deck.load(folder / "deck.yml")
    assert faults([loaded]) == []
    return loaded


PROPERTY = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))


@PROPERTY
@given(deck=decks())
def test_tables_and_jupytercards_give_every_card_back_as_it_was(deck, tmp_path_factory):
    deck = loads(deck, tmp_path_factory.getbasetemp())
    for kind in ("csv", "tsv", "json"):
        done = read(write([deck], kind).data, kind)
        assert done.deck.cards == deck.cards, kind
        assert done.left_out == [], kind


@PROPERTY
@given(deck=decks())
def test_a_list_in_markdown_gives_title_questions_and_answers_back(deck, tmp_path_factory):
    deck = loads(deck, tmp_path_factory.getbasetemp())
    back = loads(read(write([deck], "markdown").data, "markdown").deck, tmp_path_factory.getbasetemp())
    assert back.title == deck.title
    shown = [(card.front.lstrip(), card.back.lstrip()) for card in deck]
    assert [(card.front, card.back) for card in back] == shown


@PROPERTY
@given(deck=decks())
@example(deck=Deck((Card("a", "word", "'\u2028word"),)))
@example(deck=Deck((Card("a", "word", "\ufeff\tword"),)))
def test_quizlet_gives_the_words_of_questions_and_answers_back(deck, tmp_path_factory):
    deck = loads(deck, tmp_path_factory.getbasetemp())
    back = loads(read(write([deck], "quizlet").data, "quizlet").deck, tmp_path_factory.getbasetemp())

    def words(cards):
        faces = Faces()
        texts = [" ".join(faces.text(side).split()) for card in cards for side in (card.front, card.back)]
        # Which way a quotation mark bends hangs on the spaces around it.
        straight = str.maketrans("‘’“”", "''\"\"")
        shown = ["".join(char for char in text if char.isprintable()) for text in texts]
        return [" ".join(text.split()).translate(straight) for text in shown]

    assert words(back) == words(deck)


def listed(told, one, many):
    """How many of something a list of what was left out names."""
    for reason in told:
        if match := re.fullmatch(rf"(\d+) (?:{one}|{many})", reason):
            return int(match[1])
    return 0


def of_cards(number):
    return "1 card" if number == 1 else f"{number} cards"


@PROPERTY
@given(kind=st.sampled_from(["quizlet", "markdown"]), two=st.lists(decks(), min_size=1, max_size=2))
@example(kind="quizlet", two=[Deck((Card("a", "word", "one  two"),))])
@example(kind="markdown", two=[Deck((Card("a", "word", "  one"),), "T"), Deck((Card("b", "c", "d"),))])
def test_what_a_list_of_sides_loses_is_listed_and_nothing_else_is_lost(kind, two, tmp_path_factory):
    for number, deck in enumerate(two):  # ids are unique among decks
        deck.cards = tuple(replace(card, id=f"d{number}-{card.id}") for card in deck)
    written = write([loads(deck, tmp_path_factory.getbasetemp()) for deck in two], kind)
    done = read(written.data, kind)
    told = written.left_out
    cards = [card for deck in two for card in deck]
    assert written.cards == len(cards) == len(done.deck.cards)
    # Fields that have no place: each is named with the number of its cards, and no other is.
    fields = ("why", "source", "term", "see", "tags")
    numbers = {name: sum(bool(getattr(card, name)) for card in cards) for name in fields}
    expected = {f"'{name}' of {of_cards(number)}" for name, number in numbers.items() if number}
    assert {reason for reason in told if reason.startswith("'")} == expected
    assert all(not getattr(card, name) for card in done.deck for name in fields)
    # Names of cards and decks.
    assert any(reason.startswith("ids: ") for reason in told)
    titles = [deck.title for deck in two if deck.title]
    assert any(reason.startswith("the title of ") for reason in told) == (bool(titles) and kind == "quizlet")
    assert any(reason.startswith("which cards belong to which deck") for reason in told) == (len(two) > 1)
    if kind == "markdown":
        assert done.deck.title == (titles[0] if titles else "")

    # Sides: as many may look otherwise as are named.
    def looks(text):
        shown = "".join(char for char in Faces().html(text) if char.isprintable())
        return re.sub(r"(?<=>)\s+", "", shown)

    changed = sum(
        looks(getattr(card, side)) != looks(getattr(back, side))
        for card, back in zip(cards, done.deck.cards, strict=True)
        for side in ("front", "back")
    )
    marked = listed(told, "side's markup", "sides' markup")
    spaced = listed(told, "side's spaces at its beginning", "sides' spaces at their beginning")
    assert changed <= marked + spaced
    assert marked == 0 or kind == "quizlet"
    assert spaced == 0 or kind == "markdown"
    if kind == "markdown":
        sides = [side for card in cards for side in (card.front, card.back)]
        assert spaced == sum(side != side.lstrip() for side in sides)


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(kind=st.sampled_from(list(FORMATS)), data=st.data())
def test_whatever_a_file_holds_it_becomes_a_deck_that_builds_or_is_refused_with_its_line(
    kind, data, tmp_path_factory
):
    frames = {
        "csv": "front,back,tags\n{}",
        "tsv": "front\tback\n{}",
        "quizlet": "a\tb\n{}",
        "markdown": "- a :: b\n{}",
        "json": '[{{"front": "a", "back": "b"}}, {}]',
    }
    pieces = [
        *PIECES,
        "<b>x</b>",
        "{{x}}",
        "(a)=",
        "\x00",
        "\x0b",
        "\r",
        "\u202e",
        "\ud800",
        "[",
        "]",
        '{"front":',
        "1e9999",
    ]
    body = "".join(data.draw(st.lists(st.one_of(st.sampled_from(pieces), st.text(max_size=9)), max_size=12)))
    raw = data.draw(st.sampled_from([frames[kind].format(body), body])).encode("utf-8", "surrogatepass")
    raw = data.draw(st.sampled_from([raw, b"\xef\xbb\xbf" + raw, raw[: len(raw) // 2], raw + b"\xff"]))
    told = ""
    try:
        done = read(raw, kind, shown_as="x")
    except TableError as error:
        told = str(error)
    else:
        assert loads(done.deck, tmp_path_factory.getbasetemp()).cards == done.deck.cards
        assert read(raw, kind, shown_as="x").deck.cards == done.deck.cards
    for line in told.splitlines():
        assert re.match(r"x:[1-9]\d*: .|  left out: .", line)


# --- tables ------------------------------------------------------------------------------------------


def deck_of(*sides, **fields):
    return Deck(tuple(Card(f"c{n}", front, back, **fields) for n, (front, back) in enumerate(sides)))


def test_no_cell_of_a_table_is_a_formula_to_a_spreadsheet():
    hostile = ["=1+1", "+1", "-1", "@SUM(A1)", "  =1", "＝1", "'=1", "\t=1", "\n-1"]
    deck = deck_of(*[(text, text) for text in hostile], tags=("-x", "=y"))
    for kind, delimiter in (("csv", ","), ("tsv", "\t")):
        text = write([deck], kind).data.decode("utf-8-sig")
        cells = [
            cell for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) for cell in row
        ]
        assert len(cells) == len(CARD_FIELDS) * (len(hostile) + 1)
        assert [cell for cell in cells if re.match(r"\s*[=+\-@＝]|[\t\r\n]", cell)] == []


def test_a_table_with_other_characters_than_ascii_has_the_mark_that_excel_needs():
    assert write([deck_of(("é", "b"))], "csv").data.startswith(b"\xef\xbb\xbfid,front")
    assert write([deck_of(("e", "b"))], "csv").data.startswith(b"id,front")


@pytest.mark.parametrize(
    "table",
    [
        "Question;Answer;Tags\r\nWhat?;This;one two\r\n",
        "sep=|\nfront|back|tags\nWhat?|This|one two\n",
        "answer\tquestion\ttopics\nThis\tWhat?\tone two\n",
        "\ufefffront,back,tags\nWhat?,This,one two",
    ],
)
def test_tables_as_spreadsheets_save_them_are_read(table):
    for data in (table.encode(), table.removeprefix("\ufeff").encode("utf-16")):
        (card,) = read(data, "csv").deck
        assert (card.front, card.back, card.tags) == ("What?", "This", ("one", "two"))


def test_a_row_may_hold_lines_and_quotes_and_the_message_names_the_line_it_begins_on():
    table = 'front,back\n"a ""q""\nb",c\n\nd,\n,\n'
    done = read(table.encode(), "csv")
    assert [(card.front, card.back) for card in done.deck] == [('a "q"\nb', "c")]
    assert done.left_out == ["line 5: 'back' is empty"]


def test_ids_are_made_from_questions_and_outlast_what_is_added():
    rows = ["What is {term}`LoRA`?,a", "Что это?,b", "What is LoRA?,c", "What is LoRA?,d"]
    table = "id,front,back\n" + "".join(f",{row}\n" for row in rows)
    ids = [card.id for card in read(table.encode(), "csv").deck]
    assert ids[0] == "what-is-lora"
    assert ids[1] == "card-" + ids[1][-8:]
    assert len(set(ids)) == 4
    more = read((table + "given,New?,e\n").encode(), "csv").deck
    assert [card.id for card in more] == [*ids, "given"]


def test_what_no_face_can_hold_comes_over_as_its_text_and_is_said():
    table = "front,back,term\n<b>bold</b> &amp; x,{{ no }},a {b}\n# One,![](x.png),c\n"
    done = read(table.encode(), "csv")
    assert [(Faces().text(card.front), Faces().text(card.back)) for card in done.deck] == [
        ("bold & x", "{{ no }}"),
        ("# One", "![](x.png)"),
    ]
    assert done.deck.cards[0].front == "**bold** & x"
    assert done.left_out == [
        "lines 2, 3: markup that no face can hold; its text came over",
        "line 2: 'term' is no name alone",
    ]


# --- jupytercards, Quizlet, Markdown -----------------------------------------------------------------


def test_a_file_of_jupytercards_becomes_a_deck():
    entries = [
        {"front": "What is <em>it</em>?", "back": "$$x^2$$ costs \\$5", "topic": "random variables"},
        {"front": "<img src='a.png' alt='A plot'>", "back": "$a<b$", "topic": ["one", "two"], "name": "n"},
    ]
    done = read(json.dumps(entries).encode(), "json")
    first, second = done.deck
    assert (first.front, first.tags) == ("What is *it*?", ("random-variables",))
    assert first.back == "$$\nx^2\n$$\n\n costs \\$5"
    assert (second.front, second.back, second.tags) == ("A plot", "$a<b$", ("one", "two"))
    assert done.left_out == ["keys that no card has: name", "1 image"]


def test_jupytercards_gets_html_in_which_only_math_is_math():
    (entry,) = json.loads(write([deck_of(("**a** $x$ \\$5", "b"), why="w")], "json").data)
    assert entry["front"] == "<p><strong>a</strong> \\(x\\) &#36;5</p>"


def test_a_side_that_was_edited_in_the_file_counts():
    data = json.loads(write([deck_of(("a", "*b*"), why="w", tags=("t",))], "json").data)
    data[0] |= {"front": "new", "topic": ["u"]}
    (card,) = read(json.dumps(data).encode(), "json").deck
    assert card == Card("c0", "new", "*b*", "w", tags=("u",))


def test_quizlets_text_is_plain_and_a_line_without_a_tab_goes_on():
    done = read(b"snake_case_x\t2 * 3 * 4\r\nand <b>\nnext\tdef\n", "quizlet")
    assert [(card.front, Faces().text(card.back)) for card in done.deck] == [
        ("snake_case_x", "2 * 3 * 4\nand <b>"),
        ("next", "def"),
    ]


def test_a_third_column_of_quizlets_text_is_said():
    done = read(b"a\tb\tc\nd\te\n", "quizlet")
    assert [(card.front, card.back) for card in done.deck] == [("a", "b c"), ("d", "e")]
    assert done.left_out == ["line 1: a third column: it came into the definition"]


def test_a_line_of_a_list_that_looks_like_a_card_and_is_none_is_said():
    done = read(b"1. a :: b\nc :: d\n2. e ::\n   f\n   g :: h\n", "markdown")
    assert [card.front for card in done.deck] == ["a", "e"]
    assert done.left_out == ["line 2: '::' in a line that begins no item: it came into the card above"]


def test_the_title_of_a_deck_is_kept_for_whoever_reads_the_file_back():
    one, two = (Deck((Card(name, name, "b"),), title=name) for name in ("One", "Two"))
    assert read(write([one], "json").data, "json").deck.title == "One"
    assert read(write([one], "json").data, "json", title="Mine").deck.title == "Mine"
    assert read(write([one, two], "json").data, "json").deck.title == "", "of which?"
    assert read(b'[{"front": "a", "back": "b"}]', "json").deck.title == ""


def test_lists_in_markdown_are_read_as_people_write_them():
    text = """\
---
date: today
---
# Capitals

Learn these:

* France::Paris
2. std\\::vector :: a
   list

   - of things
+ no parts

## More
-   Chad  ::  N'Djamena
lazily
"""
    done = read(text.encode(), "markdown")
    assert done.deck.title == "Capitals"
    assert [(card.front, card.back) for card in done.deck] == [
        ("France", "Paris"),
        ("std::vector", "a\nlist\n\n- of things"),
        ("Chad", "N'Djamena\nlazily"),
    ]
    assert done.left_out == ["1 heading", "line 6: text outside of lists", "line 13: an item without '::'"]


def test_what_a_format_cannot_hold_is_listed():
    deck = deck_of(("*a* ![i](i.png)", "b"), why="w", tags=("t",))
    deck.title = "T"
    told = {kind: write([deck], kind).left_out for kind in FORMATS}
    title, images = "the title of the deck", "images: they stay where they are"
    kept = "the file keeps it, jupytercards does not show it"
    ids = "ids: they are made from the questions when it is read again, and progress hangs on them"
    assert told == {
        "csv": [title, images],
        "tsv": [title, images],
        "json": [f"{title}: {kept}", f"'why' of 1 card: {kept}"],
        "quizlet": [title, images, ids, "'why' of 1 card", "'tags' of 1 card", "1 side's markup"],
        "markdown": [images, ids, "'why' of 1 card", "'tags' of 1 card"],
    }


# --- refusals ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "data", "message"),
    [
        ("csv", b"", "x:1: the first line must name the columns 'front' and 'back'; it is ''"),
        ("csv", b"a,b\n1,2\n", "x:1: the first line must name the columns 'front' and 'back'; it is 'a,b'"),
        ("csv", b"front,question,back\n", "x:1: two columns are 'front'; keep one"),
        ("csv", b"front,back\n1,2\n1,2,3\n", "x:3: there are 3 cells and 2 columns; put cells in quotes"),
        ("csv", b'front,back\n1,2\n"1,2\n3', "x:3: a quote opens a cell and nothing closes it; close it"),
        (
            "csv",
            b"front,back\n" + b"a" * 140_000,
            "x:2: the line cannot be read: field larger than field limit",
        ),
        ("csv", b"front,back\n1,\xff\n", "x:2: it is not UTF-8; save the file with the encoding UTF-8"),
        ("csv", b"\xff\xfea", "x:1: it is not UTF-16; save the file with the encoding UTF-8"),
        ("csv", b"front,back\n,\n", "x:1: no card is in it"),
        (
            "csv",
            b"id,front,back\na,1,2\na,1,2\n",
            "x:3: the id 'a' is taken by line 2; give this card another",
        ),
        ("json", b"{}", "x:1: it is no list; a file of jupytercards is a list of objects"),
        ("json", b'[\n{"front": "a"\n', "x:3: not valid JSON: "),
        ("json", b'[\n{"front": "a", "back": 1}]', "x:2: 'back' is missing or no text"),
        ("json", b"[\n3]", "x:2: an entry is no object"),
        ("json", b"[" * 100_000, "x:1: not such a file: nested too deeply"),
        ("json", b'[{"front": "a", "back": "b"}] x', "x:1: not valid JSON: there is more after the list"),
        ("json", b'[{"front": "a", "back": "b"} 3]', "x:1: not valid JSON: a comma or ] is missing"),
        ("quizlet", b"\nno tab\n", "x:2: no tab parts term and definition"),
        *(
            (
                kind,
                b"#separator:tab\n#html:true\nfront\tback\n",
                "x:1: this is text that Anki exports, which has",
            )
            for kind in ("csv", "tsv", "quizlet")
        ),
        ("markdown", b"# Only\n\ntext\n", "x:1: no card is in it\n  left out: line 3: text outside of lists"),
    ],
)
def test_what_is_no_such_file_is_refused_with_its_line(kind, data, message):
    with pytest.raises(TableError, match=re.escape(message)):
        read(data, kind, shown_as="x")


def test_an_id_that_is_there_twice_is_refused_in_a_file_of_one_line_too():
    data = write([deck_of(("a", "b"))], "json").data
    (entry,) = json.loads(data)
    with pytest.raises(TableError, match=r"x:1: the id '.+' is taken by line 1; give this card another one"):
        read(json.dumps([entry, entry]).encode(), "json", shown_as="x")


def test_absurd_sizes_are_refused(monkeypatch):
    assert table_rows.MAX_CARDS == 100_000
    monkeypatch.setattr(table_rows, "MAX_CARDS", 100)
    with pytest.raises(TableError, match=r"x:102: more than 100 cards"):
        read(b"front,back\n" + b"a,b\n" * 101, "csv", shown_as="x")
    with pytest.raises(TableError, match=r"more than 67,108,864 bytes"):
        read(b"a" * (64 * 2**20 + 1), "csv")
    with pytest.raises(TableError, match=r"'back' has more than 131,072 characters"):
        read(b"a\t" + b"b" * 131_073, "quizlet")


def table_of(front, back):
    """A table of one card."""
    file = io.StringIO()
    csv.writer(file).writerows([("front", "back"), (front, back)])
    return file.getvalue().encode()


@pytest.mark.parametrize("unit", ["_a*", "*a ", "[a][", '"a" '])
def test_a_cell_of_marks_without_ends_is_read_in_a_short_time(unit):
    started = time.process_time()
    done = read(table_of("q", (unit * 40_000)[:120_000]), "csv")
    assert time.process_time() - started < 15  # the square of the length would be a minute
    assert Faces().faults(done.deck.cards[0].back) == []
    assert done.left_out == ["line 2: markup that no face can hold; its text came over"]


@pytest.mark.parametrize(
    "text",
    [
        "What is a<b and c>d?",
        "List<String>",
        "Map<String, List<a>>",
        "if x<p or y>q",
        "a <b> and nothing else",
        "<T> of <b>bold</b>",
        "#include <vector>",
        "x <b and y>z</b",
        "&amp; is <an> entity",
    ],
)
def test_text_with_angles_that_is_no_html_comes_over_whole(text):
    done = read(table_of(f"Q: {text}", text), "csv")
    [card] = done.deck.cards
    assert (Faces().text(card.front), Faces().text(card.back)) == (f"Q: {text}", text)
    assert all("line 2:" in reason for reason in done.left_out)


@pytest.mark.parametrize(
    ("text", "face"),
    [
        ("<b>bold</b> and <i>slanted</i>", "**bold** and *slanted*"),
        ("<p>one<p>two", "one\n\ntwo"),
        ("one<br>two<br/>three", "one\\\ntwo\\\nthree"),
        ('<a href="https://x.org">x</a> <!-- no -->', "[x](<https://x.org>)"),
        ("<ul><li>a<li>b</ul>", "- a\n- b"),
        ("<script>x</script>y", "y"),
    ],
)
def test_html_in_a_table_becomes_a_face(text, face):
    assert read(table_of("q", text), "csv").deck.cards[0].back == face


@pytest.mark.parametrize(
    ("cell", "tags"),
    [
        ("one two", ("one", "two")),
        ("one two, three", ("one-two", "three")),
        ("one; two;", ("one", "two")),
        ("a,b", ("a,b",)),
        (",", ()),
    ],
)
def test_tags_are_words_with_spaces_or_with_commas_between_them(cell, tags):
    [card] = read(f'front,back,tags\nq,a,"{cell}"\n'.encode(), "csv").deck.cards
    assert card.tags == tags
    own = Deck((Card("a", "q", "a", tags=("one,", "two")),))
    assert read(write([own], "csv").data, "csv").deck.cards == own.cards


@pytest.mark.parametrize("unit", ["$$a", "$a", "\\("])
def test_jupytercards_with_marks_without_ends_is_read_in_a_short_time(unit):
    started = time.process_time()
    with contextlib.suppress(TableError):
        read(json.dumps([{"front": (unit * 40_000)[:120_000], "back": "b"}]).encode(), "json")
    assert time.process_time() - started < 15


def test_a_cell_that_no_face_has_room_for_is_refused_with_its_line():
    with pytest.raises(
        TableError, match=r"^x:2: 'back': a field has 300,000 characters; at most 200,000 fit"
    ):
        read(table_of("q", "<b" * 60_000), "csv", shown_as="x")


def test_math_between_dollars_ends_at_the_next_ones():
    entry = {"front": "costs \\$5: $a$ and $$b$$", "back": "$ alone, $$ too"}
    card = read(json.dumps([entry]).encode(), "json").deck.cards[0]
    assert card.front == "costs \\$5: $a$ and\n\n$$\nb\n$$"


def test_a_deck_with_faults_is_not_exported_and_nothing_is_replaced(tmp_path):
    with pytest.raises(DeckError, match="HTML"):
        export_table([deck_of(("<b>a</b>", "b"))], tmp_path / "x.csv", kind="csv")
    export_table([deck_of(("a", "b"))], tmp_path / "x.csv", kind="csv")
    with pytest.raises(FileExistsError, match="is there already"):
        export_table([deck_of(("a", "b"))], tmp_path / "x.csv", kind="csv")
    import_table(tmp_path / "x.csv", tmp_path / "x.yml", kind="csv", title="T")
    with pytest.raises(FileExistsError, match="is there already"):
        import_table(tmp_path / "x.csv", tmp_path / "x.yml", kind="csv")
    assert Deck.load(tmp_path / "x.yml") == Deck(
        deck_of(("a", "b")).cards, "T", tmp_path / "x.yml", str(tmp_path / "x.yml")
    )
    assert sorted(file.name for file in tmp_path.iterdir()) == ["x.csv", "x.yml"]
