"""What a build begins with is set aside while it runs, and only then."""

import pytest
from sphinx_lightbook import CONCERNS

# An extension of the book: writes down how many objects are set aside while pages are read, and at the end.
WATCHING = """\
    import gc
    from pathlib import Path

    def setup(app):
        def write(*_):
            with (Path(app.confdir) / "counts").open("a") as file:
                file.write(f"{gc.get_freeze_count()} ")

        app.connect("env-before-read-docs", write)
        app.connect("build-finished", write, priority=1000)
    """


@pytest.fixture
def counts(new_book, monkeypatch):
    def build(off):
        book = new_book({"intro.md": "# A book\n\nWords.\n", "watching.py": WATCHING})
        monkeypatch.setenv("PYTHONPATH", str(book.folder))
        config = {"lightbook_off": sorted(off)}
        book.configure({"sphinx": {"extra_extensions": ["sphinx_lightbook", "watching"], "config": config}})
        book.build()
        return [int(count) for count in (book.folder / "counts").read_text().split()]

    return build


def test_what_there_is_when_the_builder_is_ready_is_set_aside_until_the_build_ends(counts):
    reading, ended = counts(CONCERNS.keys() - {"collector"})
    assert reading > 100_000
    assert ended < 1000


def test_another_s_garbage_collector_is_left_alone_where_it_is_switched_off(counts):
    reading, ended = counts(CONCERNS)
    assert reading == ended
