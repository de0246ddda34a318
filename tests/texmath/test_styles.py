"""The stylesheet and the fonts: whole, cut down to what is used, and as vendored."""

import base64
import hashlib
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import texmath
from texmath import styles

PAGE = f"<p class=x>Not a formula: ŵ.<br>{texmath.render('W_0+x')}</p>" + texmath.render(
    r"\left(\sum_{k}^{\infty}\frac{\mathbf{1}}{\mathbb{R}}\right)", display=True
)


def fonts_named_in(css):
    return set(re.findall(r"url\(fonts/([^)]+)\)", css))


def test_the_whole_stylesheet_names_the_fonts_beside_it_and_no_other_format():
    css = texmath.stylesheet().read_text(encoding="utf-8")
    beside = {path.name for path in (texmath.assets() / "fonts").iterdir()}
    assert texmath.stylesheet().parent == texmath.assets()
    assert fonts_named_in(css) == beside
    assert len(beside) == 20
    assert {Path(name).suffix for name in beside} == {".woff2"}
    assert not re.search(r"url\((?!fonts/)|https?:|@import", css)


def test_without_a_word_on_use_everything_is_written(tmp_path):
    written = texmath.write_assets(tmp_path / "new" / "folder")
    assert written[0].read_bytes() == texmath.stylesheet().read_bytes()
    assert {path.name for path in written[1:]} == fonts_named_in(written[0].read_text(encoding="utf-8"))


def test_only_fonts_and_characters_in_use_are_written(tmp_path):
    ttlib = pytest.importorskip("fontTools.ttLib")
    written = texmath.write_assets(tmp_path, [PAGE, "<p>no formula here</p>"])
    css = written[0].read_text(encoding="utf-8")
    assert fonts_named_in(css) == {path.name for path in written[1:]}
    characters = {}
    for path in written[1:]:
        font = ttlib.TTFont(path)
        characters[path.name.split(".")[0]] = {chr(code) for code in font.getBestCmap()} - {" "}
    assert characters.pop("texmath_Math-Italic") == set("Wxk")
    assert characters.pop("texmath_Main-Regular") == set("0+∞")
    assert characters.pop("texmath_Main-Bold") == {"1"}
    assert characters.pop("texmath_AMS-Regular") == {"R"}
    assert characters.pop("texmath_Size2-Regular") == {"∑"}
    assert characters.pop("texmath_Size4-Regular", {"("}) <= set("()⎛⎝⎜⎞⎠⎟")
    assert set(characters) <= {"texmath_Size3-Regular"}


def test_a_cut_font_gives_up_the_reserved_name_and_keeps_its_licence(tmp_path):
    ttlib = pytest.importorskip("fontTools.ttLib")
    css, *fonts = texmath.write_assets(tmp_path, [PAGE])
    assert "KaTeX_" not in css.read_text(encoding="utf-8")
    names = ttlib.TTFont(fonts[0])["name"]
    assert {names.getDebugName(n).split("_")[0] for n in (1, 4, 6)} == {"texmath"}
    assert "Design Science" in names.getDebugName(0)
    assert "SIL Open Font License" in names.getDebugName(13)


def test_a_stylesheet_with_its_fonts_inside_says_their_licence_once():
    ttlib = pytest.importorskip("fontTools.ttLib")
    css = texmath.css([PAGE])
    assert "KaTeX_" not in css
    notice = re.match(r"/\*!([^*]*)\*/", css)[1]
    assert "Copyright (c) 2009-2010 Design Science, Inc., Copyright (c) 2014-2018 Khan Academy" in notice
    assert "SIL Open Font License 1.1" in notice
    for font in re.findall(r"base64,([^)]+)\)", css):
        file = ttlib.TTFont(io.BytesIO(base64.b64decode(font)))
        assert file["name"].names == []
        assert file.getBestCmap()
    whole = ttlib.TTFont(texmath.assets() / "fonts" / "KaTeX_Main-Regular.woff2")["name"].getDebugName(0)
    assert whole.replace("\n", ", ") in notice


def test_equal_pages_write_equal_bytes_and_touch_nothing_that_is_so(tmp_path):
    first = {path: path.read_bytes() for path in texmath.write_assets(tmp_path / "a", [PAGE])}
    second = [path.read_bytes() for path in texmath.write_assets(tmp_path / "b", reversed([PAGE]))]
    assert list(first.values()) == second
    times = {path: path.stat().st_mtime_ns for path in first}
    texmath.write_assets(tmp_path / "a", [PAGE])
    assert {path: path.stat().st_mtime_ns for path in first} == times


def test_fonts_no_longer_used_go_and_strangers_stay(tmp_path):
    before = texmath.write_assets(tmp_path, [PAGE])
    (tmp_path / "fonts" / "Other.woff2").write_bytes(b"x")
    after = texmath.write_assets(tmp_path, [texmath.render("y")])
    assert {path.name for path in (tmp_path / "fonts").iterdir()} == {
        *(p.name for p in after[1:]),
        "Other.woff2",
    }
    assert len(after) == 2 < len(before)


def test_a_font_with_other_characters_has_another_name(tmp_path):
    """A reader's browser may hold the font of last week's site."""
    one = {path.name for path in texmath.write_assets(tmp_path / "a", [texmath.render("x")])[1:]}
    two = {path.name for path in texmath.write_assets(tmp_path / "b", [texmath.render("xy")])[1:]}
    assert one.isdisjoint(two)


def test_without_fonttools_the_fonts_in_use_are_written_whole(tmp_path):
    program = "\n".join(
        [
            "import sys; sys.modules['brotli'] = None",
            "import texmath",
            f"for path in texmath.write_assets({str(tmp_path)!r}, [texmath.render('x_0')]): print(path.name)",
        ]
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    css, *names = done.stdout.split()
    assert set(names) == {"KaTeX_Main-Regular.woff2", "KaTeX_Math-Italic.woff2"}
    assert fonts_named_in((tmp_path / css).read_text(encoding="utf-8")) == set(names)
    for name in names:
        assert (tmp_path / "fonts" / name).read_bytes() == (texmath.assets() / "fonts" / name).read_bytes()


def test_a_host_that_takes_no_files_gets_the_fonts_inside_the_text(tmp_path):
    css = texmath.css([PAGE])
    fonts = [base64.b64decode(data) for data in re.findall(r"url\(data:font/woff2;base64,([^)]*)\)", css)]
    ttlib = pytest.importorskip("fontTools.ttLib")

    def glyphs(font):
        file = ttlib.TTFont(io.BytesIO(font))
        return sorted(file.getBestCmap()), file.getTableData("glyf")

    written = [path.read_bytes() for path in texmath.write_assets(tmp_path, [PAGE])[1:]]
    assert sorted(map(glyphs, fonts)) == sorted(map(glyphs, written))
    assert not re.search(r"url\((?!data:)", css)
    assert fonts_named_in(texmath.css([PAGE], embed=False)) == {p.name for p in tmp_path.glob("fonts/*")}


def test_a_site_without_formulas_gets_no_fonts(tmp_path):
    assert len(texmath.write_assets(tmp_path, ["<p>x</p>"])) == 1
    assert "@font-face" not in texmath.css([])


@pytest.mark.parametrize(
    ("tex", "font", "characters"),
    [
        (r"\text{\textbf{\textit{b}}}", "Main-BoldItalic", "b"),
        (r"\mathit{diff}", "Main-Italic", "dif"),
        (r"\boldsymbol{\theta}", "Math-BoldItalic", "θ"),
        (r"\mathsf{T}\text{\textsf{s}}", "SansSerif-Regular", "Ts"),
        (r"\text{\textsf{\textbf{s}}}", "SansSerif-Bold", "s"),
        (r"\mathtt{c}\text{\texttt{b}}", "Typewriter-Regular", "bc"),
        (r"\mathcal{L}", "Caligraphic-Regular", "L"),
        (r"\mathfrak{g}", "Fraktur-Regular", "g"),
        (r"\mathscr{L}", "Script-Regular", "L"),
        (r"\bigl(x\Bigr)", "Size1-Regular", "("),
        (r"\Bigr)", "Size2-Regular", ")"),
        (r"\sum", "Size1-Regular", "∑"),
    ],
)
def test_the_font_of_each_character_is_the_one_a_browser_takes(tex, font, characters):
    found = styles.characters_in_use([texmath.render(tex)])
    by_name = {face.file: used for face, used in found.items()}
    assert by_name[f"KaTeX_{font}.woff2"] == set(characters)


# ---------------------------------------------------------------- as vendored


@pytest.fixture(scope="module")
def package():
    return Path(texmath.__file__).parent


def test_what_is_vendored_is_what_the_record_says(package):
    record = json.loads((package / "vendored.json").read_text(encoding="utf-8"))
    files = [
        path for folder in ("web", "licenses") for path in (package / folder).rglob("*") if path.is_file()
    ]
    files.append(package / "js" / "katex.min.js")
    vendored = {path.relative_to(package).as_posix(): path for path in files}
    vendored.pop("licenses/KaTeX-fonts.txt")  # the licence's own text; KaTeX's package leaves it out
    assert set(record["files"]) == set(vendored)
    for name, digest in record["files"].items():
        assert hashlib.sha256(vendored[name].read_bytes()).hexdigest() == digest, (
            f"{name}: run vendor.py again"
        )


def test_script_stylesheet_and_record_are_of_one_version(package, root):
    version = json.loads((package / "vendored.json").read_text(encoding="utf-8"))["version"]
    script = (package / "js" / "katex.min.js").read_text(encoding="utf-8")
    assert (
        texmath.Engine(script + "\nfunction version() { return katex.version; }").call("version") == version
    )
    css = texmath.stylesheet().read_text(encoding="utf-8")
    assert f'content:"{version}"' in css
    assert css.startswith(f"/*! KaTeX {version}, ")
    assert f"KaTeX {version}," in (root / "widgets" / "texmath" / "THIRD_PARTY.md").read_text(
        encoding="utf-8"
    )


def test_the_stylesheet_ends_with_our_own_rules(root):
    own_rules = (root / "widgets" / "texmath" / "own-rules.css").read_text(encoding="utf-8")
    css = texmath.stylesheet().read_text(encoding="utf-8")
    assert css.endswith(own_rules), "own-rules.css changed: run vendor.py again"
