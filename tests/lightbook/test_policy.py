"""What an author's page and scripts do decides on the policy: it allows that, or there is none."""

import re

import pytest
from bs4 import BeautifulSoup
from sphinx_lightbook.policy import needs_of, policy_of
from sphinx_lightbook.rewriting import read_facts

TOC = "format: jb-book\nroot: intro\nchapters:\n"

MAKES_SCRIPTS = [
    'eval("1")',
    "window.eval(text)",
    "globalThis.eval(text)",
    "self?.eval(text)",
    "eval?.(text)",
    "(0,eval)(text)",
    "(0, eval)(text)",
    "(0, window.eval)(text)",
    "eval.call(window, text)",
    "const run = eval;\nrun(text)",
    'window["eval"](text)',
    "new Function(text)",
    "new window.Function(text)",
    "Function(text)()",
    'globalThis.Function("return this")()',
    "const Make = Function;",
    "Reflect.construct(Function, [text])",
    '(async () => {}).constructor("await 1")',
    "new AsyncFunction(text)",
    'setTimeout("go()", 1)',
    "window.setInterval (`go()`, 1)",
    'button.setAttribute("onclick", "go()")',
    'box.innerHTML = \'<button class="a" onclick="go()">Go</button>\'',
    'link.href = "javascript:go()"',
    'const s = document.createElement("script"); s.textContent = text; document.head.append(s)',
    'let s=document.createElement("script");s.append(text)',
    "document.write('<script>go()</' + 'script>')",
]

MAKES_NONE = [
    "const medieval = 1; retrieval(medieval)",
    "parser.eval(text); math.eval (text); x.Function(text)",
    "isFunction(f); f instanceof Function; typeof f === 'function'; Function.prototype.toString",
    "setTimeout(go, 1); setTimeout(() => 'go', 1); clearTimeout(timer)",
    'const s = document.createElement("script"); s.src = "_static/x.js"; box.textContent = "x"',
    'button.setAttribute("aria-label", "on"); button.onclick = go; if (a < b && x.onload="") y()',
    'link.href = "javascript:void(0)"; if (!/^javascript:/.test(url)) go(url)',
    "document.write('<script src=\"x.js\"></' + 'script>')",
]

RUNS = [
    ('<p onclick="go()">x</p>', "onclick"),
    ('<a href="javascript:go()">x</a>', "href"),
    ("<a href=' JavaScript:go()'>x</a>", "href"),
    ('<a href="java\nscript:go()">x</a>', "href"),
    ('<iframe src="javascript:1"></iframe>', "src"),
    ('<svg><a xlink:href="javascript:go()">x</a></svg>', "xlink:href"),
    ('<form action="javascript:go()"></form>', "action"),
    ('<button formaction="javascript:go()"></button>', "formaction"),
    ('<iframe srcdoc="<p>x</p>"></iframe>', "srcdoc"),
]

EMBEDS = [
    ('<iframe src="data:text/html,<p>x</p>"></iframe>', "<iframe src>"),
    ('<iframe src=" DATA:text/html,x"></iframe>', "<iframe src>"),
    ('<object data="data:image/svg+xml,x"></object>', "<object data>"),
    ('<embed src="data:text/html,x">', "<embed src>"),
    ('<script src="data:text/javascript,go()"></script>', "<script src>"),
    ('<link rel="stylesheet" href="data:text/css,p{}">', "<link href>"),
]

HARMLESS = [
    '<a href="javascript:void(0)">x</a><a href="#javascript:x">y</a>',
    '<p title="javascript:go()" data-on="x">x</p>',
    '<img src="data:image/png;base64,x"><link rel="icon" href="data:image/png;base64,x">',
    '<iframe src="film.html"></iframe><object data="x.svg"></object>',
]


@pytest.mark.parametrize("script", MAKES_SCRIPTS)
def test_a_script_that_makes_scripts_from_text_is_found_out(script):
    assert needs_of(script).scripts
    assert needs_of(f"/* minified */x(),{script}").scripts


@pytest.mark.parametrize("script", MAKES_NONE)
def test_a_script_that_makes_none_is_left_its_policy(script):
    assert not needs_of(script).scripts


@pytest.mark.parametrize(("html", "attribute"), RUNS)
def test_an_attribute_that_runs_a_script_is_found_out(html, attribute):
    assert read_facts("x.html", html)["handlers"] == [attribute]


@pytest.mark.parametrize(("html", "place"), EMBEDS)
def test_an_address_that_is_a_content_of_its_own_is_found_out(html, place):
    facts = read_facts("x.html", html)
    assert (facts["embedded"], facts["handlers"]) == ([place], [])


@pytest.mark.parametrize("html", HARMLESS)
def test_a_page_that_runs_nothing_of_the_kind_is_left_its_policy(html):
    facts = read_facts("x.html", html)
    assert (facts["embedded"], facts["handlers"]) == ([], [])


@pytest.mark.parametrize("kind", ["module", "importmap", "speculationrules", "text/ecmascript"])
def test_what_a_browser_takes_for_a_script_is_named_by_its_hash(kind):
    assert "'sha256-" in policy_of(f'<script type="{kind}">{{}}</script>').split(";")[1]
    assert "'sha256-" not in policy_of('<script type="application/json">{}</script>')


def policies(book):
    """The policy of each page of a book by the page's name; None where there is none."""
    found = {}
    for path in book.site.glob("*.html"):
        meta = BeautifulSoup(path.read_text("utf-8"), "html.parser").select_one(
            "meta[http-equiv=Content-Security-Policy]"
        )
        found[path.stem] = meta and meta["content"]
    return found


WITHOUT = {
    "calls": ('<script src="_static/calls.js"></script>', "_static/calls.js makes scripts from text"),
    "imports": (
        '<script type="module" src="_static/imports.js"></script>',
        "_static/parts/deep.js makes scripts from text",
    ),
    "inline": ("<script>window.ran = (0, eval)('1')</script>", "a script in it makes scripts from text"),
    "link": (
        '<a id="link" href="javascript:window.ran = 1; void 0">x</a>',
        "its href attribute runs a script",
    ),
    "frame": (
        '<iframe src="data:text/html,<script>parent.postMessage(1, `*`)</script>"></iframe>',
        "the address in its <iframe src> is a content of its own",
    ),
}


WORKS = """\
    # A page

    <script type="importmap">{"imports": {"part": "./_static/part.js"}}</script>
    <script type="module">import { answer } from "part"; window.answer = answer;</script>
    <script>
    const empty = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);
    WebAssembly.compile(empty).then(() => { window.compiled = true; });
    new Worker("_static/calls.js");
    </script>
    """


@pytest.fixture(scope="module")
def book(book_class, tmp_path_factory):
    """A book of pages that no policy would suit, of one whose scripts need more, and of a plain one."""
    pages = {
        "intro.md": "# A book\n\nWords.\n",
        "works.md": WORKS,
        **{f"{name}.md": f"# A page\n\n{html}\n" for name, (html, _) in WITHOUT.items()},
        "own/calls.js": "self.eval('self.ran = 1');",
        "own/imports.js": 'import "./parts/deep.js";',
        "own/parts/deep.js": "new window.Function('window.ran = 1')();",
        "own/part.js": "export const answer = 42;",
    }
    toc = TOC + "".join(f"  - file: {name}\n" for name in ("works", *WITHOUT))
    book = book_class(tmp_path_factory.mktemp("policy") / "book", pages, toc, html_static_path=["own"])
    book.printed = book.build()
    return book


@pytest.mark.parametrize("name", WITHOUT)
def test_a_page_that_a_policy_would_break_has_none_and_the_build_says_why(book, name):
    assert f"without a policy: {name}.html ({WITHOUT[name][1]})" in book.printed
    assert policies(book)[name] is None


@pytest.mark.parametrize("name", ["calls", "imports", "inline", "link"])
def test_the_script_of_a_page_without_a_policy_runs(book, open_page, wait_until, name):
    page = open_page(book, f"{name}.html")
    if name == "link":
        page.locator("#link").click()
    wait_until(page, "window.ran === 1", seconds=30)


def test_only_the_pages_that_need_more_have_more(book):
    found = policies(book)
    assert {name for name, policy in found.items() if not policy} == {*WITHOUT, "index"}
    scripts = {name: sources("script-src", policy) for name, policy in found.items() if policy}
    assert {name for name, allowed in scripts.items() if "'wasm-unsafe-eval'" in allowed} == {"works"}
    for allowed in scripts.values():
        assert not {"'unsafe-eval'", "'unsafe-inline'"} & allowed


def sources(directive, policy):
    """What a directive of a policy allows."""
    return {*re.search(rf"(?:^|; ){directive} ([^;]*)", policy)[1].split()}


def test_an_author_s_scripts_run_under_the_policy_that_their_page_has(
    book, open_page, page_errors, wait_until
):
    page = open_page(book, "works.html")
    wait_until(page, "window.answer === 42 && window.compiled === true", seconds=30)
    assert page_errors == []


def test_a_host_that_pages_may_ask_is_in_their_policy_but_none_of_its_scripts(
    new_book, open_page, foreign_requests, page_errors, wait_until
):
    pages = {
        "intro.md": """\
            # A book

            ![A picture](https://pictures.example/a.png)

            <script src="_static/asks.js"></script>
            """,
        "plain.md": "# A page\n\nWords.\n",
        "foreign.md": '# A page\n\n<script src="https://pictures.example/b.js"></script>\n',
        # Addresses that are put together are not found in a text.
        "own/asks.js": """\
            for (const host of ["pictures", "other"]) {
              fetch(`https://${host}.example/read`).catch(() => {});
              new Image().src = `https://${host}.example/shown`;
              document.head.append(Object.assign(document.createElement("script"),
                { src: `https://${host}.example/run` }));
            }
            """,
    }
    book = new_book(
        pages,
        f"{TOC}  - file: plain\n  - file: foreign\n",
        html_static_path=["own"],
        lightbook_allow_hosts=["Pictures.example"],
    )
    printed = book.build()
    reason = "nobody here can read the script that it runs of pictures.example"
    assert f"without a policy: foreign.html ({reason})" in printed
    found = policies(book)
    assert found["foreign"] is None
    for name in ("intro", "plain", "search", "404"):
        for directive in ("img-src", "media-src", "font-src", "style-src-elem", "connect-src", "frame-src"):
            assert "http://pictures.example:*" in sources(directive, found[name])
        for directive in ("default-src", "script-src", "worker-src", "base-uri"):
            assert not any("example" in source for source in sources(directive, found[name]))
        assert "other.example" not in found[name]

    page = open_page(book, "intro.html")
    refused = ("https://other.example/read", "https://other.example/shown", "/run")
    wait_until(
        page,
        lambda: all(any(word in e and "Content Security" in e for e in page_errors) for word in refused),
        seconds=30,
    )
    page.locator("img[alt='A picture']").scroll_into_view_if_needed()
    asked = {f"https://pictures.example/{path}" for path in ("a.png", "read", "shown")}
    wait_until(page, lambda: {*foreign_requests} >= asked, seconds=30)
    assert {*foreign_requests} == asked
