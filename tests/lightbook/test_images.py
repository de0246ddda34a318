"""A figure that becomes smaller looks the same; one that would not, or would be larger, stays as it is."""

import gzip
import io
import random
import re
import struct
import zlib

import minify
import pytest
from bs4 import BeautifulSoup
from PIL import Image, ImageCms
from sphinx_lightbook.images import lossless_webp

TABLE_OF_CONTENTS = "format: jb-book\nroot: intro\n"
SIDE = 64
# Types of colour of a PNG.
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
PLTE = (b"PLTE", bytes([250, 0, 0, 0, 250, 0]) + bytes(3 * 254))
SRGB, GAMMA = (b"sRGB", b"\0"), (b"gAMA", struct.pack(">I", 100_000))
CHROMATICITIES = (b"cHRM", struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000))


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(colour, depth=8, *before, after=()):
    """A PNG of stripes, with other chunks before and after its pixels. It is compressed badly."""
    pixel = [bytes([place * 8 % 256, place, 255 - place, 128 + place]) for place in range(SIDE)]
    if depth == 8:
        row = b"".join(value[: CHANNELS[colour]] for value in pixel)
    else:
        row = bytes(place * 37 % 256 for place in range(SIDE * depth * CHANNELS[colour] // 8))
    if colour == PALETTE:
        row = bytes(place % 2 for place in range(SIDE))
    header = struct.pack(">IIBBBBB", SIDE, SIDE, depth, colour, 0, 0, 0)
    chunks = [(b"IHDR", header), *before, (b"IDAT", zlib.compress((b"\0" + row) * SIDE, 0)), *after]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*one) for one in [*chunks, (b"IEND", b"")])


def exif(orientation):
    """An EXIF chunk that says how a picture is turned."""
    entry = struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0)
    return (b"eXIf", b"MM\0*" + struct.pack(">IH", 8, 1) + entry + bytes(4))


def profile(space=b"RGB "):
    """A chunk with a profile of colours."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    data[16:20] = space
    return (b"iCCP", b"profile\0\0" + zlib.compress(bytes(data)))


def animation():
    out = io.BytesIO()
    frames = [Image.new("RGB", (SIDE, SIDE), colour) for colour in ("red", "green", "blue")]
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:], duration=100)
    return out.getvalue()


def pixels(image):
    with Image.open(io.BytesIO(image)) as opened:
        return opened.size, opened.convert("RGBA").tobytes()


def test_the_maker_of_pngs_says_what_it_should():
    with Image.open(io.BytesIO(png(RGB, 8, exif(6)))) as image:
        assert image.getexif()[0x0112] == 6
    with Image.open(io.BytesIO(png(PALETTE, 8, PLTE, (b"tRNS", b"\x40")))) as image:
        assert sorted({image.convert("RGBA").getpixel((x, 0)) for x in range(SIDE)}) == [
            (0, 250, 0, 255), (250, 0, 0, 64)
        ]  # fmt: skip


CARRIED = {
    "grey": png(GREY),
    "grey and alpha": png(GREY_ALPHA),
    "grey, one transparent": png(GREY, 8, (b"tRNS", b"\0\x08")),
    "black and white": png(GREY, 1),
    "grey of 2 bits": png(GREY, 2),
    "grey of 4 bits": png(GREY, 4),
    "palette": png(PALETTE, 8, PLTE),
    "palette with transparency": png(PALETTE, 8, PLTE, (b"tRNS", b"\x40")),
    "colours": png(RGB),
    "colours, one transparent": png(RGB, 8, (b"tRNS", b"\0\x08\0\x01\0\xfe")),
    "colours and alpha": png(RGBA),
    "not turned": png(RGB, 8, exif(1)),
    "sRGB": png(RGB, 8, SRGB, GAMMA, CHROMATICITIES),
    "resolution and text": png(RGB, 8, (b"pHYs", bytes(9)), after=[(b"tEXt", b"Software\0a plot")]),
}


@pytest.mark.parametrize("kind", CARRIED)
def test_a_webp_has_the_pixels_of_the_png(kind):
    webp = lossless_webp(CARRIED[kind])
    assert webp[8:12] == b"WEBP"
    assert len(webp) < len(CARRIED[kind])
    assert pixels(webp) == pixels(CARRIED[kind])


@pytest.mark.parametrize("others", [(), (GAMMA, CHROMATICITIES)])
@pytest.mark.parametrize("colours", [(RGB,), (RGBA,), (PALETTE, PLTE)])
def test_a_webp_has_the_profile_of_the_png(colours, others):
    colour, *palette = colours
    picture = png(colour, 8, *others, profile(), *palette)
    webp = lossless_webp(picture)
    assert pixels(webp) == pixels(picture)
    with Image.open(io.BytesIO(webp)) as new, Image.open(io.BytesIO(picture)) as old:
        assert new.info["icc_profile"] == old.info["icc_profile"]


STAYING = {
    **{f"turned, {value}": png(RGB, 8, exif(value)) for value in range(2, 9)},
    "turned, said after the pixels": png(RGB, 8, after=[exif(6)]),
    "gamma": png(RGB, 8, GAMMA),
    "chromaticities": png(RGB, 8, CHROMATICITIES),
    "grey with gamma": png(GREY, 8, GAMMA),
    "profile of greys": png(GREY, 8, profile(b"GRAY")),
    "profile of other colours than those there are": png(RGB, 8, profile(b"CMYK")),
    "profile that cannot be read": png(RGB, 8, (b"iCCP", b"profile\0\0no profile")),
    "colours of high dynamic range": png(RGB, 8, (b"cICP", bytes([9, 16, 0, 1]))),
    "grey of 2 bits, one transparent": png(GREY, 2, (b"tRNS", b"\0\x01")),
    "grey of 4 bits, one transparent": png(GREY, 4, (b"tRNS", b"\0\x05")),
    "grey of 16 bits": png(GREY, 16),
    "grey of 16 bits and alpha": png(GREY_ALPHA, 16),
    "colours of 16 bits": png(RGB, 16),
    "colours of 16 bits and alpha": png(RGBA, 16),
    "an animation": animation(),
    "an animation of one picture": png(RGB, 8, (b"acTL", struct.pack(">II", 1, 0))),
}


@pytest.mark.parametrize("kind", STAYING)
def test_a_png_stays_where_a_webp_would_look_otherwise(kind):
    assert lossless_webp(STAYING[kind]) == b""


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_turned_figure_stays_and_is_as_large_as_the_browser_shows_it(new_book, open_page, where):
    """Not every browser looks for it after the pixels: then no size is said."""
    turned = exif(6)
    picture = png(RGB, 8, turned) if where == "before" else png(RGB, 8, after=[turned])
    # Half as high as it is wide.
    picture = picture.replace(struct.pack(">II", SIDE, SIDE), struct.pack(">II", SIDE, SIDE // 2), 1)
    header = picture[12:29]
    picture = picture[:29] + struct.pack(">I", zlib.crc32(header)) + picture[33:]
    book = new_book({"intro.md": "# A book\n\n![Turned](turned.png)\n"}, TABLE_OF_CONTENTS)
    (book.folder / "turned.png").write_bytes(picture)
    book.build()
    tag = BeautifulSoup(book.html("intro.html"), "html.parser").select_one("img[alt=Turned]")
    assert re.search(r"_images/turned\.[0-9a-f]{10}\.png$", tag["src"])
    shown = open_page(book, "intro.html").locator("img[alt=Turned]")
    natural = shown.evaluate(
        "async (image) => (await image.decode(), [image.naturalWidth, image.naturalHeight])"
    )
    said = (tag.get("width"), tag.get("height"))
    assert said == ((str(natural[0]), str(natural[1])) if where == "before" else (None, None))
    box = shown.bounding_box()
    assert [box["width"], box["height"]] == natural


# Whichever is smaller ---------------------------------------------------------------------------------------


def test_a_figure_that_would_become_larger_keeps_its_name_and_its_bytes(new_book):
    noise = Image.frombytes("RGB", (16, 16), random.Random(1).randbytes(3 * 16 * 16))
    as_png, as_webp = io.BytesIO(), io.BytesIO()
    noise.save(as_png, "PNG")
    noise.save(as_webp, "WEBP", lossless=True, quality=100, method=6)
    assert len(as_webp.getvalue()) > len(as_png.getvalue())
    paths = '<path d="M1 1 9 9 1 9"/><path d="M10 1 9 9 1 9"/>'  # alike, which is smaller when compressed
    drawing = f'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">{paths}</svg>'
    minified = minify.string("image/svg+xml", drawing)
    assert len(gzip.compress(minified.encode())) > len(gzip.compress(drawing.encode()))
    figures = {"noise.png": as_png.getvalue(), "drawing.svg": drawing.encode()}
    book = new_book(
        {"intro.md": "# A book\n\n![Noise](noise.png)\n\n![Drawing](drawing.svg)\n"}, TABLE_OF_CONTENTS
    )
    for name, content in figures.items():
        (book.folder / name).write_bytes(content)

    def published():
        tags = BeautifulSoup(book.html("intro.html"), "html.parser").select("article img")
        return {tag["src"]: (book.site / tag["src"]).read_bytes() for tag in tags}

    book.build()
    fingerprint = re.compile(r"\.[0-9a-f]{10}(?=\.\w+$)")
    expected = {f"_images/{name}": content for name, content in figures.items()}
    assert {fingerprint.sub("", name): content for name, content in published().items()} == expected
    book.configure(lightbook_off=["fingerprints"])
    book.build()
    assert published() == expected
