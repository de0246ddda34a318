"""A default book with the extension looks as its pages do with all their styles, scripts and figures."""

import io

import pytest
from PIL import Image, ImageChops

# Icons are drawn by a script before and set in a font after. The note about reading offline is new.
ASIDE = """
    :is(.fas, .fa-solid, .fa-regular, .fa-brands, .svg-inline--fa) { display: none !important; }
    .lightbook-offline { display: none !important; }
    * { caret-color: transparent !important; transition: none !important; animation: none !important; }
"""
CHANNEL = 16  # of 255: less is how edges are smoothed
TOLERANCE = 0.001  # the share of a page's pixels that may differ


def picture(context, address, media, page_as_written=None):
    """A page from top to bottom; its HTML may be given."""
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
    shot = page.screenshot(full_page=True, animations="disabled")
    page.close()
    return Image.open(io.BytesIO(shot)).convert("RGB")


@pytest.mark.parametrize("media", ["screen", "print"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_page_looks_the_same_on_screen_and_on_paper(mended, address_of, new_context, dark, media):
    originals = mended.folder / "_build" / ".doctrees" / "lightbook-html" / "pages"
    address = address_of(mended.site)
    for name, width in (("plain.html", 1280), ("maths.html", 1280), ("code.html", 360)):
        context = new_context(dark=dark, width=width, reduced_motion="reduce", bypass_csp=True)
        before = picture(context, f"{address}/{name}", media, originals / name)
        after = picture(context, f"{address}/{name}", media)
        assert before.size == after.size, name
        red, green, blue = ImageChops.difference(before, after).split()
        worst = ImageChops.lighter(ImageChops.lighter(red, green), blue)
        differing = sum(worst.histogram()[CHANNEL + 1 :]) / (worst.width * worst.height)
        assert differing <= TOLERANCE, name
        assert len(after.convert("L").getcolors()) > 8, name  # something is drawn
