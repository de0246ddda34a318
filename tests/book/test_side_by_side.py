"""Chapters are executed side by side, and what fails is reported as if they were not."""

import re
import subprocess
import sys

import pytest

CONF = """
import os
import sys
sys.path.insert(0, {here!r})
project = "Two"
extensions = ["myst_nb", "side_by_side"]
html_theme = "basic"
nb_execution_mode = "cache"
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_execution_show_tb = True
exclude_patterns = ["_out", ".jupyter_cache", "jupyter_execute"]

def setup(app):
    app.connect("env-before-read-docs", lambda *_: os.environ.update(TOLD_BY_AN_EXTENSION="told"))
"""
HEAD = """---
file_format: mystnb
kernelspec: {name: python3, display_name: Python 3}
---
"""
# Each of the two has to see the other one at work.
MEETS = """# Page

```{{code-cell}} ipython3
import os, pathlib, time

pathlib.Path("{mine}").touch()
while not pathlib.Path("{other}").exists():
    time.sleep(0.05)
print("met and " + os.environ["TOLD_BY_AN_EXTENSION"])
```
"""


@pytest.fixture
def build(root, tmp_path):
    """A function that builds a book of these pages; returns the exit code and what was printed."""

    def build(**pages):
        (tmp_path / "conf.py").write_text(CONF.format(here=str(root / "assets" / "sphinx")))
        toctree = "\n".join(pages)
        (tmp_path / "index.md").write_text(f"# Index\n\n```{{toctree}}\n{toctree}\n```\n")
        for name, text in pages.items():
            (tmp_path / f"{name}.md").write_text(HEAD + text)
        command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "--no-color", str(tmp_path)]
        done = subprocess.run([*command, str(tmp_path / "_out")], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    return build


def test_two_chapters_are_executed_at_once_as_extensions_want_it_and_each_a_single_time(build, tmp_path):
    pages = {
        "one": MEETS.format(mine="one.here", other="two.here"),
        "two": MEETS.format(mine="two.here", other="one.here"),
    }
    code, printed = build(**pages)
    assert code == 0, printed
    assert sorted(re.findall(r"(\w+)\.md: Executed notebook in", printed)) == ["one", "two"]
    for name in pages:
        assert "met and told" in (tmp_path / "_out" / f"{name}.html").read_text("utf-8")
    code, printed = build(**pages)
    assert code == 0, printed
    assert "Executed notebook" not in printed


def test_a_chapter_that_fails_beside_others_stops_the_build_and_is_named(build):
    works = "# Works\n\n```{code-cell} ipython3\nprint(1)\n```\n"
    fails = "# Fails\n\n```{code-cell} ipython3\nraise ValueError('of no use')\n```\n"
    code, printed = build(works=works, fails=fails)
    assert code != 0
    assert "fails.md" in printed
    assert "of no use" in printed
