"""The cheat sheet on paper: three sheets, each complete on one page of A4 or Letter."""

import io
import unicodedata

import pypdf
import pytest

PAGE = "chapters/cheat-sheet.html"
# Of each sheet: its title, words from its first lines, and its last words.
SHEETS = [
    ("Paradigms and costs", "Update all weights on", "SFT then teaches the task on prompt–response pairs."),
    (
        "RLHF: the three steps",
        "The order is InstructGPT’s",
        "73.7 % before RLHF and 74.0 % after [OpenAI, 2023]",
    ),
    ("LoRA in numbers", "PEFT trains few parameters", "fewer parameters there than the smaller Llama-2-7B."),
]


def letters(text):
    """The text without white space, since lines on paper break anywhere, and without ligatures."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def printed(page, **options):
    """The letters on each page of paper."""
    pdf = pypdf.PdfReader(io.BytesIO(page.pdf(**options)))
    return [letters(sheet.extract_text()) for sheet in pdf.pages]


@pytest.mark.parametrize("paper", ["A4", "Letter"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_cheat_sheet_prints_as_three_sheets_each_whole_on_one_page(open_page, paper, dark):
    sheets = printed(open_page(PAGE, dark=dark), format=paper)
    assert len(sheets) == len(SHEETS)
    for text, (title, first, last) in zip(sheets, SHEETS, strict=True):
        assert letters(title) in text[:200]  # beside it stands what the marks mean
        assert letters(first) in text
        assert letters(last) in text


def test_a_sheet_carries_its_marks_and_sources_and_leaves_out_what_paper_cannot_follow(open_page):
    costs, rlhf, _ = printed(open_page(PAGE), format="A4")
    for words in ("disputed", "Which costs more, full SFT or RLHF?", "[Rajbhandari et al., 2019] (§3.1)"):
        assert letters(words) in costs
    for words in (
        "simplified",
        "Does the KL penalty prevent reward hacking?",
        "[Ouyang et al., 2022] (§3.5)",
    ):
        assert letters(words) in rlhf
    for text in (costs, rlhf):
        assert "lab:" not in text
        assert letters("After this page you will be able to") not in text


def test_nothing_of_a_sheet_reaches_beyond_the_paper(open_page):
    page = open_page(PAGE, width=703, height=1000)  # A4 less its margins, in CSS pixels
    page.emulate_media(media="print")
    wide = page.evaluate(
        """() => [...document.querySelectorAll('#cheat-sheet :is(p, li, table, h2, h3, .math)')]
            .filter((element) => element.getBoundingClientRect().right > innerWidth)
            .map((element) => element.textContent.slice(0, 60))"""
    )
    assert wide == []


def test_in_the_dark_theme_the_sheets_are_black_on_white(open_page):
    page = open_page(PAGE, dark=True)
    page.emulate_media(media="print")
    colours = page.evaluate(
        """() => [...document.querySelectorAll('#cheat-sheet :is(p, td, th, h2, h3, .sd-badge)')]
            .filter((element) => element.checkVisibility())
            .map((element) => getComputedStyle(element).color)"""
    )
    assert len(colours) > 50
    assert set(colours) == {"rgb(0, 0, 0)"}
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_other_pages_print_as_before(open_page):
    page = open_page("chapters/vocabulary.html")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).page") == "auto"
