"""The figures that the book promises to turn do, and no other page pays for it."""

import json

# The pages that the book promises a flipbook on, and its figures there.
FIGURES = {
    "chapters/lora.html": ["fig-lora-rank", "fig-lora-floor"],
    "chapters/memory.html": ["fig-memory-methods"],
    "chapters/rlhf-loop.html": ["fig-rlhf-knob"],
    "chapters/over-optimisation.html": ["fig-oo-knob"],
    "chapters/alignment-tax.html": ["fig-tax"],
}


def test_each_promised_figure_turns_and_no_other_page_loads_the_front_end(soup, site):
    def loads(path):
        page = soup(path)
        sheets = [link["href"] for link in page.select("link[rel=stylesheet][href]")]
        scripts = [script["src"] for script in page.select("script[src]")]
        style, script = (
            "".join((site / path).parent.joinpath(name).read_text("utf-8") for name in names)
            for names in (sheets, scripts)
        )
        return script.count('"flipbook-turning"'), ".flipbook" in style

    for path, figures in FIGURES.items():
        assert [figure["id"] for figure in soup(path).select("figure:has(.flipbook)")] == figures, path
        assert loads(path) == (1, True), path
    for file in site.glob("**/*.html"):
        path = file.relative_to(site).as_posix()
        if path not in FIGURES and not path.startswith("_static/"):  # the theme's templates
            assert soup(path).select(".flipbook") == [], path
            assert loads(path) == (0, False), path


def test_every_setting_of_every_flipbook_has_its_numbers_and_its_picture(soup, site):
    for path in FIGURES:
        for script in soup(path).select(".flipbook > script[type='application/json']"):
            data = json.loads(script.string)
            assert all(frame["numbers"] for frame in data["frames"])
            for picture in data["pictures"]:
                assert (site / path).parent.joinpath(picture["source"]).stat().st_size > 0
