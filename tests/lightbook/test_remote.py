"""What is read from a page as asking other hosts, and what is not."""

import pytest
from sphinx_lightbook.remote import (
    Request,
    requests_of_drawing,
    requests_of_page,
    requests_of_script,
    requests_of_stylesheet,
)

ASKING = [
    ('<script src="https://a.example/x.js"></script>', "<script src>", "https://a.example/x.js"),
    ("<script async src=//a.example/x.js></script>", "<script src>", "//a.example/x.js"),
    ('<link rel="stylesheet" href="https://a.example/x.css">', "<link href>", "https://a.example/x.css"),
    ('<link rel="preload icon" href="https://a.example/x">', "<link href>", "https://a.example/x"),
    ('<link rel="preconnect" href="https://a.example">', "<link href>", "https://a.example"),
    ('<img alt="a > b" src="http://a.example/x.png">', "<img src>", "http://a.example/x.png"),
    ("<IMG SRC='HTTPS://A.example/x.png'>", "<img src>", "HTTPS://A.example/x.png"),
    ('<img srcset="x.png 1x, https://a.example/2.png 2x">', "<img srcset>", "https://a.example/2.png"),
    ('<img src="&#104;ttps:&#47;&#47;a.example/x">', "<img src>", "https://a.example/x"),
    ('<img src="\\\\a.example\\x">', "<img src>", "\\\\a.example\\x"),
    ('<img src="https:a.example/x">', "<img src>", "https:a.example/x"),
    ('<img src="ht\ntps://a.example/x">', "<img src>", "https://a.example/x"),
    ('<iframe src="https://a.example/"></iframe>', "<iframe src>", "https://a.example/"),
    (
        "<iframe srcdoc=\"<img src='https://a.example/x'>\"></iframe>",
        "<iframe srcdoc>",
        "https://a.example/x",
    ),
    ('<video poster="https://a.example/x.png"></video>', "<video poster>", "https://a.example/x.png"),
    ('<source src="https://a.example/x.webm">', "<source src>", "https://a.example/x.webm"),
    ('<object data="https://a.example/x.svg"></object>', "<object data>", "https://a.example/x.svg"),
    ('<svg><use href="https://a.example/x.svg#i"/></svg>', "<use href>", "https://a.example/x.svg#i"),
    ('<a href="x.html" ping="https://a.example/p">x</a>', "<a ping>", "https://a.example/p"),
    ('<base href="https://a.example/">', "<base href>", "https://a.example/"),
    (
        '<meta http-equiv="refresh" content="0; url=https://a.example/x">',
        "<meta http-equiv=refresh>",
        "https://a.example/x",
    ),
    ('<p style="background: url(https://a.example/x.png)">x</p>', "<p style>", "https://a.example/x.png"),
    ("<style>@import 'https://a.example/x.css';</style>", "<style>", "https://a.example/x.css"),
    ("<script>import('https://a.example/m')</script>", "<script>", "https://a.example/m"),
    ('<script type="module">import x from "https://a.example/m"</script>', "<script>", "https://a.example/m"),
    ('<script>const URL = "https://a.example/x.js"</script>', "<script>", "https://a.example/x.js"),
    ('<script>element.src = "https://a.example/x"</script>', "<script>", "https://a.example/x"),
    ('<script>fetch("//a.example/x")</script>', "<script>", "//a.example/x"),
    ('<script>"<!--"</script><img src="https://a.example/x">', "<img src>", "https://a.example/x"),
    *(
        (f"<style>p {{ background: {value} }}</style>", "<style>", "https://a.example/x")
        for value in (
            'image-set("https://a.example/x" 1x)',
            '-webkit-image-set(url("b.png") 1x, "https://a.example/x" type("image/png") 2x)',
            "image-set(url(https://a.example/x) 1x)",
            'cross-fade("b.png", "https://a.example/x")',
        )
    ),
    ('<style>@import/**/"https://a.example/x";</style>', "<style>", "https://a.example/x"),
    ('<style>@import"https://a.example/x";</style>', "<style>", "https://a.example/x"),
    (
        '<style>p::after { content: "/*" } b { src: url(//a.example/x) } /* */</style>',
        "<style>",
        "//a.example/x",
    ),
    *(
        (f"<script>{call}</script>", "<script>", "https://a.example/x")
        for call in (
            'xhr.open("GET","https://a.example/x")',
            "request.open ( 'post', `https://a.example/x`)",
            'el.setAttribute("src","https://a.example/x")',
            "el.setAttributeNS(null, 'href', 'https://a.example/x')",
            'new Image().src="https://a.example/x"',
            'new Audio("https://a.example/x")',
            'navigator.sendBeacon("https://a.example/x", data)',
            'new EventSource("https://a.example/x")',
            'importScripts("own.js", "https://a.example/x")',
            'import(/* webpackIgnore: true */ "https://a.example/x")',
            'fetch(new URL("https://a.example/x"))',
            'fetch(new Request("https://a.example/x"))',
            '$.getJSON("https://a.example/x", go)',
            '$.ajax({ method: "GET", url: "https://a.example/x" })',
            'Object.assign(document.createElement("img"), { alt: "", src: "https://a.example/x" })',
            'box.innerHTML = \'<img alt="" src="https://a.example/x">\'',
            'box.style.background = "url(https://a.example/x)"',
            'box.style.background = "url(\\"https://a.example/x\\")"',
        )
    ),
    ('<script>new WebSocket("wss://a.example/x")</script>', "<script>", "wss://a.example/x"),
    ('<svg><script href="https://a.example/x"></script></svg>', "<script href>", "https://a.example/x"),
    ('<svg><image xlink:href="https://a.example/x"/></svg>', "<image xlink:href>", "https://a.example/x"),
    ('<svg:image href="https://a.example/x"/>', "<image href>", "https://a.example/x"),
    ('<svg><set attributeName="href" to="https://a.example/x"/></svg>', "<set to>", "https://a.example/x"),
    ('<rect fill="url(https://a.example/x)"/>', "<rect fill>", "https://a.example/x"),
    (
        '<script type="speculationrules">{"prefetch": [{"urls": ["own.html", "https://a.example/x"]}]}</script>',
        "<script type=speculationrules>",
        "https://a.example/x",
    ),
    (
        '<script type="importmap">{"imports": {"x": "https://a.example/x"}}</script>',
        "<script type=importmap>",
        "https://a.example/x",
    ),
    ("<p don't><img src='https://a.example/x'>", "<img src>", "https://a.example/x"),
]

QUIET = [
    '<a href="https://a.example/">x</a>',
    '<form action="https://a.example/"></form>',
    '<link rel="canonical" href="https://a.example/">',
    '<link rel="license" href="https://a.example/">',
    '<meta property="og:image" content="https://a.example/x.png">',
    '<img src="../_images/x.png"><script src="_static/x.js?v=1"></script>',
    '<img src="data:image/png;base64,//8A">',
    "<!-- <img src='https://a.example/x'> -->",
    '<p>https://a.example/x.js and &lt;img src="https://a.example/x"&gt;</p>',
    '<script type="application/json">{"src": "https://a.example/x.js"}</script>',
    '<script>const svg = "http://www.w3.org/2000/svg"; open("https://a.example/page")</script>',
    "<style>/* url(https://a.example/x) */ p { background: url(x.png) }</style>",
    "<style>@namespace svg url(http://www.w3.org/2000/svg);</style>",
    '<style>p::after { content: "https://a.example/x" }</style>',
    '<script type="speculationrules">{"prerender": [{"where": {"href_matches": "/*"}}]}</script>',
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"></svg>',
]


@pytest.mark.parametrize(("html", "tag", "url"), ASKING)
def test_a_page_that_would_ask_another_host_is_found_out(html, tag, url):
    found = requests_of_page(f"<!DOCTYPE html><body>{html}")
    assert found == [Request(tag, url)]
    assert found[0].host == "a.example"


@pytest.mark.parametrize("html", QUIET)
def test_what_asks_nobody_while_the_page_is_shown_is_left_alone(html):
    assert requests_of_page(f"<!DOCTYPE html><body>{html}") == []


def test_a_stylesheet_asks_by_import_and_by_url():
    css = """@import "https://a.example/1.css"; @import url(//b.example/2.css);
    p { background: URL( 'https://c.example/3.png' ) } b { background: url("data:image/png;base64,//8A") }
    /* url(https://d.example/) */ i { src: url(fonts/x.woff2) }"""
    assert [request.host for request in requests_of_stylesheet(css)] == [
        "a.example",
        "b.example",
        "c.example",
    ]


def test_a_request_is_named_once_however_often_it_is_made():
    assert len(requests_of_page('<img src="https://a.example/x">' * 3)) == 1


CALLS = {
    'fetch("https://a.example/x")': "fetch()",
    'window.fetch?.("https://a.example/x", { method: "POST" })': "fetch()",
    'xhr.open("GET", "https://a.example/x")': "open()",
    'image.setAttribute("src", "https://a.example/x")': "setAttribute()",
    'new Image().src = "https://a.example/x"': ".src",
    'navigator.sendBeacon("https://a.example/x")': "sendBeacon()",
    'new WebSocket("wss://a.example/x")': "WebSocket()",
    'importScripts("https://a.example/x")': "importScripts()",
    'import("https://a.example/x")': "import",
    'import x from "https://a.example/x"': "import",
    'const l = document.createElement("link"); l.href = "https://a.example/x"': ".href",
    'box.innerHTML = `<img src=\\"https://a.example/x\\">`': "<img src>",
}

NO_CALLS = [
    'const HOME = "https://a.example/x.js", SVG = "http://www.w3.org/2000/svg"',
    'link.href = "https://a.example/x"; location.href = "https://a.example/x"',
    'window.open("https://a.example/x"); open("https://a.example/x")',
    "box.innerHTML = '<a href=\"https://a.example/x\">a link</a>'",
    'document.createElementNS("http://www.w3.org/2000/svg", "image")',
    'if (url.startsWith("https://a.example/")) prefetch(url); new URL("https://a.example/x").host',
    "fetch(`https://${location.host}/x`)",
    '// fetch("https://a.example/x")',
    'go(); // as in fetch("https://a.example/x")',
    '/**\n * For instance `fetch("https://a.example/x")`.\n */',
    '/*\n  fetch("https://a.example/x")\n*/',
    'go(/* fetch("https://a.example/x") */);',
]


@pytest.mark.parametrize("call", CALLS)
def test_a_script_file_that_would_ask_another_host_is_found_out_with_its_line(call):
    before = '/* A script. */\nconst glob = "src/*", note = "// none";\n'
    found = requests_of_script(f"{before}{call};\n")
    assert [(request.tag, request.host, request.line) for request in found] == [(CALLS[call], "a.example", 3)]


@pytest.mark.parametrize("script", NO_CALLS)
def test_a_text_or_a_comment_of_a_script_file_is_no_request(script):
    assert requests_of_script(f"/* A script. */\n{script};\n") == []


def test_a_large_script_is_looked_through_where_it_names_an_address():
    words = "let word = 'https', other = word;\n" * 2_000
    found = requests_of_script(f'{words}fetch("https://a.example/1");{words}fetch("//b.example/2")')
    assert [(request.host, request.line) for request in found] == [("a.example", 2_001), ("b.example", 4_001)]


def test_a_drawing_asks_like_a_page_and_by_its_style_sheet():
    svg = """<?xml version="1.0"?><?xml-stylesheet type="text/css" href="https://a.example/1.css"?>
    <!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
    <svg xmlns="http://www.w3.org/2000/svg"><metadata rdf:resource="http://purl.org/dc/"/>
    <a href="https://fine.example/"><image href="https://b.example/2.png"/></a>
    <style><![CDATA[ @import url(https://c.example/3.css); ]]></style></svg>"""
    assert [request.host for request in requests_of_drawing(svg)] == ["a.example", "b.example", "c.example"]
