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


def test_what_the_marks_mean_stands_beside_the_first_title(open_page):
    page = open_page(PAGE, width=703, height=1000)  # A4 less its margins, in CSS pixels
    page.emulate_media(media="print")
    title, legend = page.evaluate("""() => ["h2", ".legend ul"].map((name) => {
        const range = document.createRange();
        range.selectNodeContents(document.querySelector(`#cheat-sheet ${name}`));
        const { left, right, top, bottom } = range.getBoundingClientRect();
        return { left, right, top, bottom };
    })""")
    # The text alone does not count the words that the style sheet puts before it.
    assert page.evaluate(
        "getComputedStyle(document.querySelector('#cheat-sheet h2'), '::before').content"
    ) in {"none", "normal"}
    assert title["right"] < legend["left"]
    assert title["top"] < legend["bottom"]


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


def test_on_paper_every_page_has_one_title_and_nothing_is_cut_off(open_page, site):
    page = open_page(PAGE, width=697, height=1000)  # A4 less its margins, in CSS pixels
    page.emulate_media(media="print")
    faults = {}
    for path in sorted((site / "chapters").glob("*.html")):
        page.goto(page.url.rpartition("/")[0] + f"/{path.name}")
        faults[path.stem] = page.evaluate(
            """() => [...document.querySelectorAll('article :is(h1, pre, table, figure, img, svg, p, .math)')]
                .filter((element) => element.checkVisibility() && !element.closest('.katex'))
                .filter((element) => element.getBoundingClientRect().right > innerWidth
                    || element.matches('pre') && element.scrollWidth > element.clientWidth)
                .map((element) => element.outerHTML.slice(0, 120))"""
        )
        titles = [title for title in page.locator("h1").all() if title.is_visible()]
        if path.stem != "cheat-sheet":  # each of its sheets has its own
            assert len(titles) == 1, path.stem
    assert len(faults) > 15
    assert faults == {name: [] for name in faults}


def test_on_paper_a_figure_stays_with_its_caption_a_term_with_its_definition_and_captions_are_dark(open_page):
    page = open_page("chapters/lora.html", dark=True)
    page.emulate_media(media="print")
    figure = page.locator("#fig-lora-start")
    assert figure.evaluate("figure => getComputedStyle(figure).breakInside") == "avoid"
    caption = page.locator("#fig-lora-rank figcaption")  # below a long table, which may go on
    assert caption.evaluate("caption => getComputedStyle(caption).breakBefore") == "avoid"
    assert (
        caption.locator(".caption-text").evaluate("text => getComputedStyle(text).color") == "rgb(51, 51, 51)"
    )
    page.goto(page.url.replace("lora", "vocabulary"))
    assert page.locator("dt").first.evaluate("term => getComputedStyle(term).breakAfter") == "avoid"
