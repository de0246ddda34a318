"""A default book with the extension looks as its pages do with all their styles, scripts and figures."""

import io

import pytest
from PIL import Image

# Icons are drawn by a script before and set in a font after. The note about reading offline is new.
ASIDE = """
    [class*="fa-"] { visibility: hidden !important; }
    .lightbook-offline { display: none !important; }
    * { caret-color: transparent !important; transition: none !important; animation: none !important; }
"""
TOLERANCE = 0.001  # the share of a page's pixels that may differ


def open_page(context, address, media="screen", page_as_written=None):
    """A page; its HTML may be given."""
    page = context.new_page()
    page.emulate_media(media=media)
    if page_as_written:
        page.route(
            lambda url: url == address,
            lambda route: route.fulfill(path=page_as_written, content_type="text/html"),
        )
    page.goto(address)
    page.add_style_tag(content=ASIDE)
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready.then(() => null)")
    return page


def picture(page):
    """A page from top to bottom."""
    shot = page.screenshot(full_page=True, animations="disabled")
    page.close()
    return Image.open(io.BytesIO(shot)).convert("RGB")


@pytest.fixture
def originals(mended):
    """The folder of the pages as Sphinx wrote them."""
    return mended.folder / "_build" / ".doctrees" / "lightbook-html" / "pages"


@pytest.mark.parametrize("media", ["screen", "print"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_page_looks_the_same_on_screen_and_on_paper(
    mended, originals, address_of, new_context, differing, dark, media
):
    address = address_of(mended.site)
    for name, width in (("plain.html", 1280), ("maths.html", 1280), ("code.html", 360)):
        context = new_context(dark=dark, width=width, reduced_motion="reduce", bypass_csp=True)
        before = picture(open_page(context, f"{address}/{name}", media, originals / name))
        after = picture(open_page(context, f"{address}/{name}", media))
        assert differing(before, after) <= TOLERANCE, name


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_what_opens_looks_the_same(
    mended, originals, address_of, new_context, differing, pictures_of_what_opens, dark
):
    name = "plain.html"
    address = f"{address_of(mended.site)}/{name}"
    for width, count in ((1280, 4), (360, 6)):
        context = new_context(dark=dark, width=width, reduced_motion="reduce", bypass_csp=True)
        before = pictures_of_what_opens(open_page(context, address, page_as_written=originals / name))
        after = pictures_of_what_opens(open_page(context, address))
        assert before.keys() == after.keys()
        assert len(after) == count, list(after)
        shares = {what: differing(before[what], after[what]) for what in after}
        assert {what: share for what, share in shares.items() if share > TOLERANCE} == {}, width
