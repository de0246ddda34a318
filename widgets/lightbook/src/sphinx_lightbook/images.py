"""Figures as small as they go without losing anything, and their sizes said before they arrive.

A PNG becomes a lossless WebP and an SVG is minified, each where that is smaller. What a page shows is the
same pixel for pixel.
"""

from __future__ import annotations

import functools
import gzip
import io
import json
import re
import struct
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sphinx.application import Sphinx

from sphinx_lightbook.rewriting import WEB_BUILDERS, Page, Site, add_step, digest
from sphinx_lightbook.tags import Tag, address_of, edit_tags, file_named

if TYPE_CHECKING:
    from PIL import Image

# Chunks of a PNG for which browsers show other than its plain pixels, and which a WebP has not: an animation,
# other colours than those of the screen. `gAMA` and `cHRM` count where neither `sRGB` nor a profile does.
OTHER_LOOK = {b"acTL", b"cICP", b"mDCV", b"cLLI", b"CgBI"}
OTHER_COLOURS = {b"gAMA", b"cHRM"}
GREY = {0, 4}  # types of colour of a PNG
ORIENTATION = 0x0112  # in EXIF; from 5 on a picture lies on its side
LARGEST_WEBP = 16383  # pixels a side
EAGER = 1  # figures of a page that load at once; the reader sees the first when the page opens
IN_MENUS = "_static/images/"  # the theme's pictures in its menus, which are closed at first

STYLESHEET = "lightbook-images.css"


def setup(app: Sphinx) -> None:
    """Shrink the figures when the site is written."""
    add_step(app, Images())
    app.connect("builder-inited", add_stylesheet)


def add_stylesheet(app: Sphinx) -> None:
    """Add the style sheet that keeps a figure's shape."""
    if app.builder.name in WEB_BUILDERS:
        app.config.html_static_path.append(str(Path(__file__).parent / "static" / "images"))
        app.add_css_file(STYLESHEET)


_SHOWS = re.compile(r"<(?:img[\s/>]|link\b[^>]*icon|a[\s/>].*_images/)", re.IGNORECASE | re.DOTALL)
SMALL_LOGO = 1_000  # bytes up to which a page holds the logo and the icon itself: less than a request costs


class Images:
    """The step."""

    name = "images"

    def prepare(self, site: Site) -> None:
        """Look at every image that a page of the site shows."""
        paths = {path for page in site.pages.values() for path in page.facts["images"] if path}
        own = sorted(path for path in paths if path.startswith("_"))
        new = [path for path in own if not _is_known(site, path)]
        with ThreadPoolExecutor() as threads:  # what takes long lets go of the interpreter
            self.shown = dict(zip(new, threads.map(functools.partial(_look_at, site), new), strict=True))
        for path in own:
            if path not in self.shown:
                self.shown[path] = _look_at(site, path)

    def state(self, page: Page) -> object:
        """What was made of this page's images."""
        return [self.shown.get(path) for path in page.facts["images"] if path is not None]

    def edit(self, page: Page, html: str) -> str:
        """Name the smaller files, and say each image's size."""
        figures = 0

        def edit(tag: Tag) -> str | None:
            nonlocal figures
            if tag.name == "img":
                figures += "_images/" in tag.text
                return self._edit_image(page, tag, lazy=figures > EAGER)
            if tag.name == "a":
                return self._edit_link(page, tag)
            if tag.name == "link" and "icon" in tag.attributes.get("rel", "").split():
                return self._edit_icon(page, tag)
            return None

        return edit_tags(html, edit, _SHOWS.match)

    def _edit_image(self, page: Page, tag: Tag, *, lazy: bool) -> str | None:
        path = file_named(tag.attributes.get("src", ""), page.name)
        image = self.shown.get(path) if path else None
        if not image:
            return None
        given = tag.attributes
        changes: dict[str, str | None] = {}
        if image["path"] != path:
            changes["src"] = address_of(image["path"], page.name)
        if image.get("inline") and "logo__image" in given.get("class", "").split():
            changes["src"] = image["inline"]
        sized = {"width", "height"} & set(given) or re.search(
            r"(?<![\w-])(width|height)\s*:", given.get("style", "")
        )
        if image.get("size") and not sized:
            width, height = image["size"]
            changes.update({"width": f"{width:.9g}", "height": f"{height:.9g}", "data-sized": ""})
        if (path or "").startswith(("_images/", IN_MENUS)) and not {"loading", "decoding"} & set(given):
            lazy = lazy or (path or "").startswith(IN_MENUS)
            changes.update(decoding="async", **({"loading": "lazy"} if lazy else {}))
        return tag.with_attributes(changes)

    def _edit_icon(self, page: Page, tag: Tag) -> str | None:
        """An icon that is the logo too stands in the page like that."""
        path = file_named(tag.attributes.get("href", ""), page.name)
        inline = self.shown.get(path, {}).get("inline") if path else None
        return tag.with_attributes({"href": inline}) if inline else None

    def _edit_link(self, page: Page, tag: Tag) -> str | None:
        """A figure that leads to its own file leads to the smaller one."""
        path = file_named(tag.attributes.get("href", ""), page.name)
        image = self.shown.get(path) if path and path.startswith("_images/") else None
        if not image or image["path"] == path:
            return None
        return tag.with_attributes({"href": address_of(image["path"], page.name)})


def _is_known(site: Site, path: str) -> bool:
    """Whether the last build made the smaller file. Then it is at hand sooner than a thread."""
    content = site.original(path)
    kind = {".svg": "svg", ".png": "webp"}.get(Path(path).suffix.lower(), "size")
    return content is not None and site.has_cached(kind, digest(content))


def _look_at(site: Site, path: str) -> dict[str, Any]:
    """The file that stands for an image, and its size in CSS pixels where it is known."""
    content = site.original(path)
    if content is None:
        return {"path": path}
    if path.lower().endswith(".svg"):
        smaller = site.cached("svg", digest(content), lambda: smaller_svg(path, content))
        if smaller:
            site.replace(path, smaller)
        inline = _as_address(smaller or content) if len(smaller or content) <= SMALL_LOGO else None
        return {
            "path": path,
            "size": svg_size(content.decode("utf-8", errors="replace")),
            "inline": inline,
        }
    size = json.loads(
        site.cached("size", digest(content), lambda: json.dumps(_raster_size(path, content)).encode())
    )
    if path.lower().endswith(".png"):
        smaller = site.cached("webp", digest(content), lambda: lossless_webp(content))
        if smaller:
            site.make(path + ".webp", smaller)
            return {"path": path + ".webp", "size": size}
    return {"path": path, "size": size}


def _raster_size(path: str, content: bytes) -> tuple[int, int] | None:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(content)) as image:
            if path.lower().endswith(".png"):
                image.load()  # a damaged one fails here
            turned = _orientation(image) >= 5
            if turned and content.startswith(PNG) and b"eXIf" not in png_chunks(content):
                return None  # it stands after the pixels, where not every browser looks
            return (image.height, image.width) if turned else (image.width, image.height)
    except UnidentifiedImageError:
        if path.lower().endswith((".png", ".jpg", ".jpeg", ".gif", ".webp")):
            raise ValueError(f"{path} is damaged: no image can be read from it") from None
        return None
    except (OSError, SyntaxError) as error:
        raise ValueError(f"{path} is damaged: {error}") from error


def _orientation(image: Image.Image) -> int:
    """How browsers turn a picture: by its EXIF, not by what else may say so."""
    from PIL import Image

    exif = Image.Exif()
    exif.load(image.info.get("exif", b""))
    orientation = exif.get(ORIENTATION, 1)
    return orientation if isinstance(orientation, int) else 1


PNG = b"\x89PNG\r\n\x1a\n"


def png_chunks(png: bytes) -> dict[bytes, bytes]:
    """The chunks of a PNG before its pixels, by name."""
    chunks: dict[bytes, bytes] = {}
    place = len(PNG)
    while b"IDAT" not in chunks and place + 8 <= len(png):
        length, name = struct.unpack_from(">I4s", png, place)
        chunks[name] = png[place + 8 : place + 8 + length]
        place += length + 12
    return chunks


def _is_plain(png: bytes) -> bool:
    """Whether pixels of 8 bits a channel, and a profile at most, are all that a browser shows of a PNG."""
    chunks = png_chunks(png)
    depth, colour_type = chunks[b"IHDR"][8:10]
    grey = colour_type in GREY
    if depth == 16 or chunks.keys() & OTHER_LOOK:
        return False
    if grey and depth < 8 and b"tRNS" in chunks:  # Pillow takes another grey for the transparent one
        return False
    if b"iCCP" in chunks:
        return not grey  # a WebP is of colours, for which a profile of greys is none
    return b"sRGB" in chunks or not chunks.keys() & OTHER_COLOURS


def lossless_webp(png: bytes) -> bytes:
    """A WebP that looks the same, or nothing where there is none or it would be no smaller."""
    from PIL import Image

    if not png.startswith(PNG) or not _is_plain(png):
        return b""
    with Image.open(io.BytesIO(png)) as image:
        image.load()  # what stands after the pixels, too
        profile = image.info.get("icc_profile") or b""
        if _orientation(image) != 1 or max(image.size) > LARGEST_WEBP:
            return b""
        if b"iCCP" in png_chunks(png) and profile[16:20] != b"RGB ":
            return b""
        pixels = image.convert("RGBA")
        has_alpha = pixels.getchannel("A").getextrema()[0] != 255
        source = pixels if has_alpha else pixels.convert("RGB")
        out = io.BytesIO()
        # Tried on plots and screenshots: method 1 is no larger than 4, and takes 0.3 and 0.7 of its time.
        source.save(out, "WEBP", lossless=True, quality=80, method=1, exact=True, icc_profile=profile)
    webp = out.getvalue()
    if len(webp) >= len(png):
        return b""
    with Image.open(io.BytesIO(webp)) as again:
        same = again.convert("RGBA").tobytes() == pixels.tobytes()
        same = same and again.info.get("icc_profile", b"") == profile
    return webp if same else b""


def _as_address(svg: bytes) -> str:
    """A `data:` address of a drawing, with as few letters escaped as can be."""
    return "data:image/svg+xml," + urllib.parse.quote(svg, safe=" !$&'()*+,/:;=@-._~")


def smaller_svg(path: str, svg: bytes) -> bytes:
    """The same drawing in fewer bytes, or nothing where it would be no smaller.

    Text inside is never touched: a script or a style sheet in an SVG leaves it as it is, and so does another
    encoding than UTF-8.

    Raises:
        ValueError: it cannot be read.
    """
    import minify

    if re.search(rb"<(?:script|foreignObject)\b", svg):
        return b""
    try:
        text = svg.decode("utf-8")
    except UnicodeDecodeError:
        return b""
    try:
        small: bytes = minify.string("image/svg+xml", text).encode()
    except minify.MinifyError as error:
        raise ValueError(f"{path} is damaged: {str(error).splitlines()[0]}") from error
    weigh = len(gzip.compress(small, 6)) < len(gzip.compress(svg, 6))
    return small if small and weigh else b""


_ROOT = re.compile(r"<svg\b[^>]*>")
_LENGTH = re.compile(r"\s*([\d.]+)\s*(px|pt|in|cm|mm|pc|)\s*")
_PIXELS = {"": 1.0, "px": 1.0, "pt": 4 / 3, "pc": 16.0, "in": 96.0, "cm": 96 / 2.54, "mm": 9.6 / 2.54}


def svg_size(svg: str) -> tuple[float, float] | None:
    """Width and height that an SVG says of itself, in CSS pixels; None where it says none.

    Not in whole pixels: half a pixel of width more would be another height, and a longer page.
    """
    root = _ROOT.search(svg)
    if not root:
        return None
    attributes = Tag("svg", root[0]).attributes
    found = []
    for name in ("width", "height"):
        match = _LENGTH.fullmatch(attributes.get(name, ""))
        if not match:
            return None
        found.append(round(float(match[1]) * _PIXELS[match[2]], 4))
    return found[0], found[1]
