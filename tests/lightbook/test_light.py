"""Light pages: what each concern does to a small book, what it leaves alone, and how it fails."""

import base64
import hashlib
import io
import json
import re
import shutil
import struct
import sys
import zlib
from pathlib import Path
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup
from fontTools.ttLib import TTFont
from PIL import Image
from sphinx_lightbook.icons import asks_for_outlines
from sphinx_lightbook.purge import Known, theme_looks

LIGHT = ("images", "icons", "scripts", "styles", "purge", "fingerprints", "policy")
TABLE_OF_CONTENTS = """\
    format: jb-book
    root: intro
    chapters:
      - file: "deep er/wörter"
    """
TABLE_WITH_PASSING = TABLE_OF_CONTENTS + "  - file: passing\n"
PASSING = {"passing.md": "# Passing page\n\nIt will be deleted.\n"}
PAGES = {
    "intro.md": """\
        # A light book

        Words, and a figure.

        ![Dots](dots.png)

        ![Another](other.png)

        ![A drawing](drawing.svg)
        """,
    "deep er/wörter.md": """\
        # Wörter

        ![Dots](../dots.png)

        ```python
        print("copied")
        ```

        ```{dropdown} More
        Hidden until opened.
        ```

        <script class="of-no-words"></script>
        """,
    # An author's own: a class that only a script gives, a variable that only a script reads.
    "static/own.css": """\
        .used-by-script { color: var(--own-colour); }
        .never-used-anywhere { color: red; }
        :root { --own-colour: teal; --read-by-script: 3; --read-by-nobody: 4 }
        body { background: url("own picture.png"); }
        .only-in-a-comment { color: red; }
        @keyframes never-started { to { opacity: 0 } }
        @keyframes started-by-script { to { opacity: 1 } }
        """,
    "static/own.js": """\
        // A class is not in use because a comment says only-in-a-comment.
        document.documentElement.classList.add("used-by-script");
        document.documentElement.style.animation = "started-by-script 1s";
        window.own = getComputedStyle(document.documentElement).getPropertyValue("--read-by-script");
        """,
}
OWN = {"html_static_path": ["static"], "html_css_files": ["own.css"], "html_js_files": ["own.js"]}
DRAWING = """\
<?xml version="1.0"?>
<!-- A comment that nobody sees, long enough to be worth leaving out of what every reader loads. -->
<svg xmlns="http://www.w3.org/2000/svg" width="40pt" height="20pt" viewBox="0 0 40 20">
    <rect   x="1.0000" y="1.0000"   width="38.0000" height="18.0000" fill="#ff0000" />
</svg>
"""


def write_figures(folder):
    """A figure that WebP makes smaller, another one, and a drawing."""
    for name, colour in (("dots.png", 40), ("other.png", 90)):
        image = Image.new("RGBA", (200, 120), (colour, 80, 120, 255))
        for place in range(0, 200, 3):
            image.putpixel((place, place // 2), (255, place, 0, 128))
        image.save(folder / name)
    Image.new("RGB", (8, 8), "red").save(folder / "static" / "own picture.png")
    (folder / "drawing.svg").write_text(DRAWING, encoding="utf-8")


def make(book_class, folder, pages=PAGES, toc=TABLE_OF_CONTENTS):
    """The book, not yet built."""
    book = book_class(folder, pages, toc, **OWN)
    write_figures(folder)
    return book


@pytest.fixture(scope="module")
def light(tmp_path_factory, book_class):
    """The book, built, and what the build printed as `light.printed`."""
    book = make(book_class, tmp_path_factory.mktemp("light") / "book")
    book.printed = book.build()
    return book


def soup(book, name):
    return BeautifulSoup(book.html(name), "html.parser")


def sheets(book, name):
    """The texts of a page's style sheets, in order."""
    page = (book.site / name).parent
    links = soup(book, name).select("link[rel=stylesheet]")
    return [(page / link["href"]).read_text("utf-8") for link in links]


# What a page loads ------------------------------------------------------------------------------------------


def test_a_page_loads_two_style_sheets_and_one_script_beside_the_author_s(light):
    for name in ("intro.html", "deep er/wörter.html", "search.html"):
        page = soup(light, name)
        assert len(page.select("link[rel=stylesheet]")) <= 2
        scripts = [
            script["src"] for script in page.select("script[src]") if "searchindex" not in script["src"]
        ]
        assert len(scripts) == 2
        assert re.search(r"_static/own\.[0-9a-f]{10}\.js$", scripts[1])
        assert all(script.has_attr("defer") for script in page.select("script[src*=lightbook]"))
    first = {soup(light, name).select_one("link[rel=stylesheet]")["href"].rpartition("/")[2] for name in
             ("intro.html", "deep er/wörter.html")}  # fmt: skip
    assert len(first) == 1  # what all pages begin with is one file


def test_a_page_has_the_scripts_that_it_uses_and_no_others(light):
    def script(name):
        address = soup(light, name).select_one("script[src*='lightbook-']")["src"]
        return ((light.site / name).parent / address).read_text("utf-8")

    assert "ClipboardJS" in script("deep er/wörter.html")
    assert "ClipboardJS" not in script("intro.html")
    assert "Search finished" in script("search.html")
    assert "Search finished" not in script("intro.html")
    assert "fontawesome" not in light.html("intro.html")


def test_bootstrap_waits_until_it_is_needed_also_where_a_script_says_nothing(light):
    for name in ("intro.html", "deep er/wörter.html"):
        assert not soup(light, name).select("script[src*='bootstrap']")
        assert soup(light, name).select("script[data-bootstrap]")


def test_a_tap_before_bootstrap_has_come_takes_effect_once_when_it_is_there(light, open_page, wait_until):
    held = []
    phone = {"width": 360, "height": 740, "has_touch": True}

    def hold(page):
        page.route("**/bootstrap*.js", lambda route: held.append(route))

    page = open_page(light, "intro.html", before=hold, **phone)
    button = page.locator(".dropdown-download-buttons > button")
    is_open = ".dropdown-download-buttons > button[aria-expanded=true] + .dropdown-menu.show"
    button.tap()
    wait_until(page, lambda: len(held) == 1)
    held.pop().abort()  # the network failed: the next tap asks again

    def is_asked_for():
        button.tap()  # of a reader who has little patience
        return len(held) == 1

    wait_until(page, is_asked_for)
    # The search needs nothing of it.
    page.locator(".search-button__button:visible").first.tap()
    page.locator("#pst-search-dialog[open]").wait_for()
    page.keyboard.press("Escape")
    for _ in range(2):
        button.tap()
    assert page.locator(is_open).count() == 0
    held.pop().continue_()
    page.locator(is_open).wait_for()
    page.wait_for_timeout(300)
    assert page.locator(is_open).count() == 1
    button.tap()
    page.locator(is_open).wait_for(state="detached")
    assert held == []


def test_the_search_index_is_loaded_once_and_only_where_something_is_searched(light, open_page):
    asked = []

    def listen(page):
        page.on("request", lambda request: asked.append(request.url))

    page = open_page(light, "search.html", before=listen)
    page.wait_for_load_state("networkidle")
    assert not any("searchindex" in url for url in asked)
    page = open_page(light, "search.html?q=words", before=listen)
    page.locator("#search-results li a").first.wait_for()
    assert sum("searchindex" in url for url in asked) == 1


def test_every_published_asset_carries_its_content_in_its_name(light):
    for name in ("intro.html", "deep er/wörter.html"):
        page = (light.site / name).parent
        loads = soup(light, name).select("link[rel=stylesheet], script[src], img[src]")
        addresses = [tag.get("src") or tag.get("href") for tag in loads]
        for address in addresses:
            file = page / address
            digest = hashlib.sha256(file.read_bytes()).hexdigest()[:10]
            assert file.name.split(".")[-2] == digest, address
    # A style sheet names its own files in the same way, spaces and all.
    css = "".join(sheets(light, "intro.html"))
    picture = re.search(r'url\("?(own%20picture\.[0-9a-f]{10}\.png)', css)[1]
    assert (light.site / "_static" / picture.replace("%20", " ")).is_file()


# Styles -----------------------------------------------------------------------------------------------------


def test_rules_of_the_theme_that_nothing_can_use_are_left_out_and_the_author_s_stay(light):
    css = "".join(sheets(light, "intro.html"))
    assert ".used-by-script" in css
    assert "--read-by-script" in css
    assert "@keyframes started-by-script" in css
    # What is unused in the author's own, a script of his may use: who knows how it makes the name.
    assert ".never-used-anywhere" in css
    assert "--read-by-nobody" in css
    assert ".only-in-a-comment" in css
    assert "@keyframes never-started" in css
    assert ".carousel" not in css
    whole = sum(path.stat().st_size for path in light.site.glob("_static/styles/*.css"))
    assert len(css.encode()) < whole / 2


def test_a_merged_sheet_says_where_the_licences_of_what_is_in_it_stand(light):
    common = sheets(light, "intro.html")[0]
    assert common.startswith("/*! Made of the style sheets beside it, in which their licences stand. */\n")
    for name in ("styles/pydata-sphinx-theme.css", "styles/sphinx-book-theme.css"):
        assert (light.site / "_static" / name).is_file()
    assert "Licensed under MIT" in (light.site / "_static/styles/pydata-sphinx-theme.css").read_text("utf-8")


# An extension that brings a sheet of a known name, as the Thebe one does.
BRINGING = """\
    from pathlib import Path

    def bring(app):
        app.config.html_static_path.append(str(Path(__file__).parent / "brought"))
        app.add_css_file("sphinx-thebe.css", priority=400)

    def setup(app):
        app.connect("builder-inited", bring)
    """
MADE = {
    "intro.md": """\
        # A book

        Words.

        <p id="parts">One</p> <p id="sum">Two</p> <p id="data">Three</p> <div id="fetched"></div>
        <p id="layers" class="layered">Four</p>
        """,
    "static/own.css": """\
        .c7 { color: rgb(1, 0, 0) }
        .isopen { color: rgb(2, 0, 0) }
        .named-in-data { color: rgb(3, 0, 0) }
        .in-a-fetched-page > em { color: var(--made-of-parts) }
        :root { --made-of-parts: rgb(4, 0, 0) }
        @layer low, high;
        @layer high { .layered { color: rgb(5, 0, 0) } }
        @layer low { .layered { color: rgb(6, 0, 0) } }
        """,
    "static/own.js": """\
        const one = (id) => document.getElementById(id);
        const give = (id, name) => { one(id).className = name; };
        give("parts", `c${3 + 4}`);
        give("sum", "is" + "open");
        fetch("_static/names.json").then((answer) => answer.json()).then((names) => give("data", names[0]));
        fetch("_static/part.html").then((answer) => answer.text()).then((html) => {
            one("fetched").innerHTML = html;
        });
        """,
    "static/names.json": '["named-in-data"]',
    "static/part.html": '<p class="in-a-fetched-page"><em id="em">Five</em></p>',
    # The author's, in the place of the theme's.
    "static/styles/sphinx-book-theme.css": ".replaced-by-the-author { color: red }",
    "bringing.py": BRINGING,
    "brought/sphinx-thebe.css": re.sub(r"body .*", "", PAGES["static/own.css"]),
}


def test_what_the_theme_s_scripts_only_look_for_is_left_out(light):
    css = "".join(sheets(light, "intro.html"))
    for name in (".sidenote", ".version-switcher", ".modal-backdrop", ".dropstart", ".popover", ".vw-100"):
        assert not re.search(re.escape(name) + r"\b", css), name
    # These they make.
    for name in (".dropdown-menu-dark", ".bs-tooltip-auto", ".tooltip-inner", ".copybtn"):
        assert name in css, name


def test_what_a_script_only_looks_for_it_does_not_mention():
    mentions = Known(
        [
            """
            document.querySelector(".asked"); document.getElementById('by-id'); node.closest(`.near`);
            all(".given"); node.querySelector("." + made); node.matches(".a, ." + part + "-b");
            node.classList.add("set"); offset = -100; name = "size-" + n;
            """
        ]
    )
    page = {"div"}
    for name in (".asked", "#by-id", ".near", ".w-100"):
        assert not mentions.holds(name, page), name
    for name in (".given", ".set", ".made", ".size-9"):
        assert mentions.holds(name, page), name


def test_words_of_the_theme_count_where_a_page_has_what_they_are_for(monkeypatch):
    def looks(*words, scripts=()):
        page = SimpleNamespace(facts={"words": words})
        return theme_looks(SimpleNamespace(pages={"a": page}), list(scripts))

    assert {"sidenote", "me-auto", "list-group-item", "pst-squeeze"} <= looks("p")
    assert not {"me-auto", "fa-xmark"} & looks(".bd-header-announcement")
    assert "me-auto" not in looks("p", scripts=["DOCUMENTATION_OPTIONS.show_version_warning_banner = true"])
    assert "me-auto" in looks("p", scripts=["DOCUMENTATION_OPTIONS.show_version_warning_banner = false"])
    assert "list-group-item" not in looks(".version-switcher__button")
    assert "pst-squeeze" not in looks("#pst-collapse-sidebar-button")
    # Of a theme that was not read, every word counts.
    monkeypatch.setattr("importlib.metadata.version", lambda name: "99.0")
    assert looks("p") == set()


@pytest.fixture(scope="module")
def made(tmp_path_factory, book_class):
    """A book in which classes are made by a script, with a known sheet of an extension."""
    book = book_class(tmp_path_factory.mktemp("made") / "book", MADE, "format: jb-book\nroot: intro\n")
    book.write("static/own.js", MADE["static/own.js"] + PAGES["static/own.js"])
    config = {**OWN, "html_js_files": [["own.js", {"defer": "defer"}]]}
    sphinx = {"local_extensions": {"bringing": "."}, "extra_extensions": ["sphinx_lightbook"]}
    book.configure({"sphinx": {**sphinx, "config": config}})
    book.build()
    return book


def test_of_a_known_sheet_goes_what_nothing_can_use_and_what_scripts_use_stays(made):
    css = "".join(sheets(made, "intro.html"))
    assert ".used-by-script" in css
    assert "--read-by-script" in css
    assert ".never-used-anywhere" not in css
    assert "--read-by-nobody" not in css
    assert ".only-in-a-comment" not in css
    assert "@keyframes started-by-script" in css
    assert "never-started" not in css


def test_a_rule_of_the_author_s_holds_for_classes_that_his_script_makes(made, open_page, page_errors):
    page = open_page(made, "intro.html")
    page.locator("#em").wait_for()
    page.locator("#data.named-in-data").wait_for()
    found = page.evaluate("""() => ["parts", "sum", "data", "em", "layers"].map(
        (id) => getComputedStyle(document.getElementById(id)).color
    )""")
    assert found == [f"rgb({number}, 0, 0)" for number in range(1, 6)]
    assert page_errors == []


def test_a_known_sheet_that_the_author_replaced_keeps_every_rule_in_its_place(made):
    css = "".join(sheets(made, "intro.html"))
    signs = ("--pst-font-size-base", ".replaced-by", ".used-by-script", ".isopen")
    places = [css.index(sign) for sign in signs]
    assert places == sorted(places)


def test_the_order_of_rules_stays(light):
    css = "".join(sheets(light, "intro.html"))
    assert css.index("--pst-font-size-base") < css.index(".used-by-script")


def test_icons_in_use_are_in_the_fonts_and_no_others(light):
    css = sheets(light, "intro.html")[0]
    fonts = re.findall(r"data:font/woff2;base64,([^)\"]+)", css)
    glyphs = set()
    for font in fonts:
        glyphs |= set(TTFont(io.BytesIO(base64.b64decode(font))).getBestCmap())
    assert 0xF002 in glyphs  # the magnifying glass of the search button
    assert 0xF54B not in glyphs  # a shoe print
    assert sum(map(len, fonts)) < 12_000
    # Nothing is set in the face of outlined icons.
    assert not re.search(r"@font-face\{[^}]*6 Free;[^}]*font-weight:400", css)


@pytest.mark.parametrize(
    ("css", "asks"),
    [
        (".own::after { font: var(--fa-font-regular); content: '\\f057' }", True),
        (".own::after { font-family: 'Font Awesome 6 Free'; content: '\\f057' }", True),
        (".own::after { font-family: Font Awesome\\ 6 Free; font-weight: 900 }", False),
        (".own::after { font: var(--fa-font-solid) }", False),
        ("/* x */ .fa-regular, .far { font-family: 'Font Awesome 6 Free'; font-weight: 400 }", False),
        (":host, :root { --fa-font-regular: normal 400 1em/1 'Font Awesome 6 Free' }", False),
        ("@font-face { font-family: 'Font Awesome 6 Free'; font-weight: 400 }", False),
    ],
)
def test_the_face_of_outlined_icons_stays_where_a_rule_sets_something_in_it(css, asks):
    assert asks_for_outlines(css) == asks


# Figures ----------------------------------------------------------------------------------------------------


def test_a_raster_figure_becomes_a_webp_of_the_same_pixels(light):
    image = soup(light, "intro.html").select_one("img[alt=Dots]")
    assert re.search(r"_images/dots\.png\.[0-9a-f]{10}\.webp$", image["src"])
    new, old = light.site / image["src"], light.folder / "dots.png"
    assert Image.open(new).convert("RGBA").tobytes() == Image.open(old).convert("RGBA").tobytes()
    assert new.stat().st_size < old.stat().st_size
    assert (image["width"], image["height"]) == ("200", "120")


def test_the_first_figure_loads_at_once_and_later_ones_when_they_are_near(light):
    first, second = soup(light, "intro.html").select("article img")[:2]
    assert "loading" not in first.attrs
    assert second["loading"] == "lazy"


def test_a_drawing_becomes_smaller_and_says_its_size(light):
    image = soup(light, "intro.html").select_one("img[alt='A drawing']")
    small = (light.site / image["src"]).read_bytes()
    assert len(small) < len(DRAWING) / 2
    assert b"<rect" in small
    assert (image["width"], image["height"]) == ("53.3333", "26.6667")  # 40 × 20 pt in CSS pixels


# Policy -----------------------------------------------------------------------------------------------------


def test_every_page_has_a_policy_that_names_its_inline_scripts_by_hash(light):
    for path in [*light.site.glob("*.html"), *light.site.glob("deep er/*.html")]:
        if path.name == "index.html":  # jupyter-book's redirect
            continue
        page = BeautifulSoup(path.read_text("utf-8"), "html.parser")
        policy = page.select_one("meta[http-equiv=Content-Security-Policy]")["content"]
        scripts = re.search(r"script-src ([^;]*)", policy)[1]
        assert "unsafe" not in scripts
        for script in page.find_all("script", src=False):
            if script.get("type") in (None, "module"):
                text = script.string or ""
                digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
                assert f"'sha256-{digest}'" in scripts
        assert not page.select("[onclick]")
        assert page.select_one("meta[name=referrer]")["content"] == "same-origin"


def test_under_its_policy_the_book_is_without_error_and_the_author_s_script_runs(
    light, open_page, page_errors
):
    for name in ("intro.html", "deep er/wörter.html", "search.html?q=words"):
        page = open_page(light, name)
        page.locator("html.used-by-script").wait_for()
        assert page.evaluate("window.own") == "3"
        page.locator("body").evaluate("document.fonts.ready")
    page.locator("#search-results li a").first.wait_for()
    assert page_errors == []
    page = open_page(light, "intro.html")
    assert page.evaluate("""() => {
        const script = document.createElement("script");
        script.textContent = "window.injected = true";
        document.head.append(script);
        return window.injected;
    }""") is None  # fmt: skip


# The report -------------------------------------------------------------------------------------------------


def test_a_build_ends_with_one_line_and_the_command_prints_a_table(light):
    line = next(line for line in light.printed.splitlines() if line.startswith("lightbook:"))
    assert re.match(r"lightbook: \d+ pages; heaviest first visit \d+ kB in \d requests \([^)]+\)", line)
    assert "fontawesome.js" in line
    command = Path(sys.executable).with_name("sphinx-lightbook")
    table = light.run(command, "report", ".")
    assert re.search(r"^deep er/wörter\.html +\d+ .* 0$", table, re.MULTILINE)
    rows = json.loads(light.run(command, "report", ".", "--json"))
    assert {row["foreign"] for row in rows} == {0}
    assert all(row["bytes"] == sum(row["by_kind"].values()) for row in rows)
    assert "build the book first" in light.run(command, "report", "static", fails=True)


# Switched off, failing, incremental -------------------------------------------------------------------------

SIGNS = {
    "images": lambda page: ".webp" in page,
    "icons": lambda page: "fontawesome" not in page,
    "fingerprints": lambda page: bool(re.search(r"\.[0-9a-f]{10}\.js", page)),
    "policy": lambda page: "Content-Security-Policy" in page,
    "styles": lambda page: not re.search(r"_static/own[.\w]*\.css", page),
}


def test_a_concern_is_left_out_by_its_name_or_by_the_lack_of_its_engine(
    light, book_class, tmp_path_factory, monkeypatch
):
    assert all(sign(light.html("intro.html")) for sign in SIGNS.values())
    book = make(book_class, tmp_path_factory.mktemp("some") / "book")
    book.write("missing/minify.py", 'raise ImportError("no minify here")')
    monkeypatch.setenv("PYTHONPATH", str(book.folder / "missing"))
    warnings = [line for line in book.build().splitlines() if "WARNING" in line]
    assert [re.search(r"(\w+) is skipped: (.*?);", line).groups() for line in warnings] == [
        (step, "no minify here") for step in ("images", "scripts", "styles")
    ]
    assert SIGNS["icons"](book.html("intro.html"))
    monkeypatch.delenv("PYTHONPATH")
    for off in (["images", "policy", "fingerprints"], [*LIGHT]):
        book.configure(**OWN, lightbook_off=off)
        book.build()
        page = book.html("intro.html")
        assert {name for name, sign in SIGNS.items() if not sign(page)} == {*off} & SIGNS.keys()
    assert "_images/dots.png" in page
    assert "onclick" in page


def damaged_png():
    """The start of a picture."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 30, 20, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))


def published(book):
    """Pages and published assets, without the search index: Sphinx writes it in the order of its reading."""
    patterns = "*.html", "_static/*.??????????.*", "_images/*.??????????.*"
    paths = {
        path.relative_to(book.site).as_posix() for pattern in patterns for path in book.site.rglob(pattern)
    }
    return {path: (book.site / path).read_bytes() for path in paths - {"search.html"}}


def test_a_build_that_changes_nothing_prepares_nothing_and_publishes_the_same(book_class, tmp_path_factory):
    book = make(book_class, tmp_path_factory.mktemp("again") / "book")
    book.build()
    before = {path: path.read_bytes() for path in book.site.rglob("*") if path.is_file()}
    times = {path: path.stat().st_mtime_ns for path in before if path.name in {"intro.html", "wörter.html"}}
    kept = book.folder / "_build/.doctrees/lightbook-html/cache"
    assert any(kept.iterdir())
    shutil.rmtree(kept)
    book.build()
    # Sphinx writes its index and the search page each time; they come as they were.
    assert {path: path.read_bytes() for path in book.site.rglob("*") if path.is_file()} == before
    assert {path: path.stat().st_mtime_ns for path in times} == times
    assert not kept.exists()  # what is made of figures and scripts was not asked for

    book.write("intro.md", PAGES["intro.md"] + "\nMore words.\n")
    book.build()
    assert "More words." in book.html("intro.html")
    assert SIGNS["policy"](book.html("search.html"))
    assert any(kept.iterdir())


def test_a_fault_skips_its_step_and_once_mended_the_site_is_that_of_a_clean_build(
    light, book_class, tmp_path_factory
):
    book = make(book_class, tmp_path_factory.mktemp("faults") / "book", PAGES | PASSING, TABLE_WITH_PASSING)
    (book.folder / "other.png").write_bytes(damaged_png())
    book.write("static/own.css", ".used-by-script { color: red")
    strictly = (Path(sys.executable).with_name("jupyter-book"), "build", ".", "-W", "--keep-going")
    printed = book.run(*strictly, fails=True)
    warnings = [line for line in printed.splitlines() if "WARNING" in line]
    assert len(warnings) == 2, printed
    assert "images is skipped: _images/other.png is damaged" in warnings[0]
    assert "lightbook_off: [images] leaves it out" in warnings[0]
    assert "styles is skipped: _static/own.css does not parse: line 1" in warnings[1]
    page = book.html("intro.html")
    assert re.search(r'src="_images/dots\.[0-9a-f]{10}\.png"', page)
    assert page.count('rel="stylesheet"') > 8
    assert SIGNS["policy"](page)  # the other steps did their work

    # Mended, and with a page less.
    write_figures(book.folder)
    book.write("static/own.css", PAGES["static/own.css"])
    (book.folder / "passing.md").unlink()
    book.write("_toc.yml", TABLE_OF_CONTENTS)
    book.run(*strictly)
    assert published(book) == published(light)

    # Where nothing can be kept, pages stay as Sphinx wrote them.
    book.write("intro.md", "# A light book\n\nAnother text.\n")
    book.run("rm", "-r", "_build/.doctrees/lightbook-html")
    book.write("_build/.doctrees/lightbook-html", "A file where the folder should be.")
    printed = book.build()
    assert printed.count("rewriting is skipped: the pages stay as Sphinx made them") == 1
    assert "Another text." in book.html("intro.html")
    assert not SIGNS["policy"](book.html("intro.html"))


def test_on_a_page_of_many_elements_the_theme_s_scripts_are_tasks_of_their_own(new_book, open_page):
    pages = {"intro.md": "# A book\n\nWords.\n", "large.md": f"# Large\n\n<p>{'<i></i>' * 2_100}</p>\n"}
    book = new_book(pages, "format: jb-book\nroot: intro\nchapters:\n  - file: large\n")
    book.build()
    marked = "document.querySelector('.bd-header-article').classList.contains('noprint')"
    watch = f"document.addEventListener('DOMContentLoaded', () => {{ window.marked = {marked}; }})"
    for name, at_once in {"intro.html": True, "large.html": False}.items():
        page = open_page(book, name, before=lambda page: page.add_init_script(watch))
        page.wait_for_function(f"() => {marked}")
        assert page.evaluate("marked") == at_once, name
        mode = page.evaluate("document.documentElement.dataset.mode")
        page.locator(".theme-switch-button:visible").first.click()
        page.wait_for_function("(mode) => document.documentElement.dataset.mode !== mode", arg=mode)


def test_the_scripts_of_a_page_do_not_ask_where_it_is_scrolled_to_before_it_is_laid_out(new_book, open_page):
    """The answer would cost the layout of the whole page, in the same task."""
    words = "Words.\n\n" * 200
    book = new_book({"intro.md": f"# A book\n\n{words}"}, "format: jb-book\nroot: intro\n")
    book.build()
    count = """asked = 0;
        Object.defineProperty(window, "scrollY", { get: () => (asked += 1, window.pageYOffset) });
        document.addEventListener("DOMContentLoaded", () => { window.before = asked; });"""
    page = open_page(book, "intro.html", before=lambda page: page.add_init_script(count))
    assert page.evaluate("before") == 0
    page.evaluate("scrollTo(0, 2000)")
    page.wait_for_function("() => asked > 0")  # it is asked there, for the way back to the top
