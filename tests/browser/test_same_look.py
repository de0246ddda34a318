"""What makes pages light changes nothing that a reader sees: the same page and figure before and after it."""

import io
import re

import pytest
from PIL import Image

# Icons are drawn by a script before and set in a font after, alike but not to the pixel. The note about
# reading offline is there after only. Cards measure the room for their answers, to a pixel more or less by
# when the fonts come.
ASIDE = """
    .flipcard { --flipcards-answer: 0 !important; }
    [class*="fa-"] { visibility: hidden !important; }
    .lightbook-offline { display: none !important; }
    * { caret-color: transparent !important; transition: none !important; animation: none !important; }
"""
CHANNEL = 16  # of 255: less is how edges are smoothed
# The share of a page's pixels that may differ.
TOLERANCE = 0.001

# The share of the pixels in which two pictures differ, drawn at twice their size, and that of what is drawn.
DIFFERENCE = """async ([pairs, channel]) => {
    const draw = async (address) => {
        const image = new Image();
        image.src = address;
        await image.decode();
        const canvas = document.createElement("canvas");
        [canvas.width, canvas.height] = [2 * image.naturalWidth, 2 * image.naturalHeight];
        const context = canvas.getContext("2d", { willReadFrequently: true });
        context.drawImage(image, 0, 0, canvas.width, canvas.height);
        return context.getImageData(0, 0, canvas.width, canvas.height);
    };
    const found = {};
    for (const [before, after] of pairs) {
        const [one, other] = [await draw(before), await draw(after)];
        const pixels = one.width === other.width && one.height === other.height ? one.data.length / 4 : 0;
        const [old, fresh] = [one.data, other.data];
        let [differing, drawn] = [0, 0];
        for (let at = 0; at < 4 * pixels; at += 4) {
            let [differs, isDrawn] = [false, false];
            for (let place = 0; place < 4; place++) {
                differs ||= Math.abs(old[at + place] - fresh[at + place]) > channel;
                isDrawn ||= old[at + place] !== old[place];
            }
            differing += differs;
            drawn += isDrawn;
        }
        found[after] = [differing / pixels, drawn / pixels];
    }
    return found;
}"""
# Each result of a search has its excerpt, or says of what kind it is: they come later than it.
EXCERPTS = """() => [...document.querySelectorAll("#search-results li")]
    .every((one) => one.querySelector(":scope > :is(p, span)"))"""


@pytest.fixture(scope="module")
def originals(root):
    """The folder of the pages as Sphinx wrote them; what they name is still in the site."""
    return root / "_build" / ".doctrees" / "lightbook-html" / "pages"


# Of each kind of page one, what it shows late, and the width of its window.
KINDS = {
    "first page": ("chapters/overview.html", None, 1280),
    "cards": ("chapters/flashcards.html", ".flipcards-modes", 1280),
    "lab": ("chapters/lora.html", ".flipcards-modes", 1280),
    "tables": ("chapters/cheat-sheet.html", None, 1280),
    "glossary": ("chapters/vocabulary.html", None, 360),
    "references": ("chapters/references.html", None, 360),
    "today": ("chapters/today.html", ".flipcards-start", 360),
    "search": ("search.html?q=reward", "#search-results p.search-summary:has-text('found')", 1280),
}


def open_page(context, address, page_as_written=None):
    """A page; its HTML may be given."""
    page = context.new_page()
    if page_as_written is not None:
        page.route(
            lambda url: url == address,
            lambda route: route.fulfill(path=page_as_written, content_type="text/html"),
        )
    page.goto(address)
    page.add_style_tag(content=ASIDE)
    return page


def picture(context, address, late, page_as_written=None):
    """A page from top to bottom, with its figures and what it shows late."""
    page = open_page(context, address, page_as_written)
    page.evaluate(
        """async () => {
            for (const image of document.images) {
                image.loading = "eager";
                if (image.checkVisibility()) await image.decode();
            }
            await document.fonts.ready;
            // Cards far down the page turn once they have come near.
            const frame = () => new Promise(requestAnimationFrame);
            for (const section of document.querySelectorAll("section.flipcards")) {
                section.scrollIntoView();
                while (section.checkVisibility() && !section.querySelector(".flipcards-ready")) await frame();
            }
            scrollTo(0, 0);
            for (let frames = 0; frames < 4; frames++) await frame();
        }"""
    )
    if late:
        page.locator(late).first.wait_for()
    if "?" in address:
        page.wait_for_function(EXCERPTS, timeout=60_000)
    shot = page.screenshot(full_page=True, animations="disabled")
    page.close()
    return Image.open(io.BytesIO(shot)).convert("RGB")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_page_looks_as_it_does_with_all_its_styles_scripts_and_figures(
    originals, server, new_context, differing, kind, dark
):
    name, late, width = KINDS[kind]
    context = new_context(dark=dark, width=width, reduced_motion="reduce", bypass_csp=True)
    before = picture(context, f"{server}/{name}", late, originals / name.partition("?")[0])
    after = picture(context, f"{server}/{name}", late)
    assert differing(before, after, CHANNEL) <= TOLERANCE


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_what_opens_looks_as_it_does_with_all_its_styles_and_scripts(
    originals, server, new_context, differing, pictures_of_what_opens, width, dark
):
    name = "chapters/lora.html"
    context = new_context(dark=dark, width=width, reduced_motion="reduce", bypass_csp=True)
    before = pictures_of_what_opens(open_page(context, f"{server}/{name}", originals / name))
    after = pictures_of_what_opens(open_page(context, f"{server}/{name}"))
    assert before.keys() == after.keys()
    assert len(after) == (7 if width == 1280 else 9)
    shares = {what: differing(before[what], after[what], CHANNEL) for what in after}
    assert {what: share for what, share in shares.items() if share > TOLERANCE} == {}


def test_every_figure_is_drawn_as_before_it_was_made_smaller(site, server, new_context):
    pairs = []
    for after in sorted((site / "_images").glob("*.svg")):
        stem = re.fullmatch(r"(.+)\.[0-9a-f]{10}\.svg", after.name)
        before = stem and after.with_name(f"{stem[1]}.svg")
        if before and before.read_bytes() != after.read_bytes():
            pairs.append([f"/_images/{before.name}", f"/_images/{after.name}"])
    assert len(pairs) >= 20
    page = new_context().new_page()
    page.goto(f"{server}/404.html")
    found = page.evaluate(DIFFERENCE, [pairs, CHANNEL])
    assert len(found) == len(pairs)
    assert {name: share for name, (share, _) in found.items() if not share <= TOLERANCE} == {}
    assert all(drawn > 0 for _, drawn in found.values())
