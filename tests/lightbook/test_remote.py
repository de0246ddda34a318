"""What is read from a page as asking other hosts, and what is not."""

import pytest
from sphinx_lightbook.remote import Request, requests_of_page, requests_of_stylesheet

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
