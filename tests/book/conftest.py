"""Reads pages of the built site."""

import pytest
from bs4 import BeautifulSoup


@pytest.fixture(scope="session")
def soup(site):
    """A function that parses a page of the site, named by its path: `chapters/lora.html`."""

    def soup(path):
        return BeautifulSoup((site / path).read_text(encoding="utf-8"), "html.parser")

    return soup
