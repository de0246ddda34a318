"""What a wheel requires is all that its modules import: else an install of it alone would fail."""

import ast
import functools
import sys
import zipfile
from email.parser import BytesParser
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

RELEASED = ["texmath", "flipcards", "lightbook"]
# Which modules need an extra. All others have to do with what every install brings.
EXTRA_OF = {
    "flipcards": {
        **dict.fromkeys(("flipbook.py", "controls.py"), "flipbook"),
        **dict.fromkeys(
            ("sphinx.py", "sphinx_export.py", "sphinx_flipbook.py", "sphinx_today.py", "sphinx_words.py"),
            "sphinx",
        ),
    },
}


class Imports(ast.NodeVisitor):
    """The top-level modules that a source needs, each with a line.

    Left out is what is imported for types alone, what is tried with a way out (`except ImportError`), and
    what is imported only where Sphinx has it as an extension already.
    """

    def __init__(self):
        self.found = {}

    def add(self, name, node):
        self.found.setdefault(name.partition(".")[0], node.lineno)

    def visit_Import(self, node):
        for alias in node.names:
            self.add(alias.name, node)

    def visit_ImportFrom(self, node):
        if not node.level:
            self.add(node.module, node)

    def visit_Call(self, node):
        if ast.unparse(node.func).endswith("import_module") and isinstance(node.args[0], ast.Constant):
            self.add(node.args[0].value, node)
        self.generic_visit(node)

    def visit_Try(self, node):
        if not any(handler.type and "ImportError" in ast.unparse(handler.type) for handler in node.handlers):
            self.generic_visit(node)

    def visit_If(self, node):
        condition = ast.unparse(node.test)
        within = {} if "TYPE_CHECKING" in condition else self.of(node.body)
        there = {name for name in within if f"'{name}' in app.extensions" in condition}
        needed = {name: line for name, line in within.items() if name not in there}
        self.found = {**self.of(node.orelse), **needed, **self.found}

    @staticmethod
    def of(nodes):
        imports = Imports()
        for node in nodes:
            imports.visit(node)
        return imports.found


def imported(source):
    return Imports.of([ast.parse(source)])


@functools.cache
def owners():
    """The distributions that have a module, by the module's name."""
    return metadata.packages_distributions()


@pytest.fixture
def wheel(built, packages):
    """A function that opens the wheel of a package; returns it and its requirements."""

    def wheel(name):
        (file,) = built.glob(f"{packages[name]}-*.whl")
        archive = zipfile.ZipFile(file)
        (told,) = [entry for entry in archive.namelist() if entry.endswith(".dist-info/METADATA")]
        headers = BytesParser().parsebytes(archive.read(told))
        return archive, [Requirement(line) for line in headers.get_all("Requires-Dist")]

    return wheel


def undeclared(archive, package, requirements, extra_of):
    """What the modules in a wheel import and no requirement brings: file, line and name of each."""
    found = []
    for entry in archive.namelist():
        if not entry.endswith(".py"):
            continue
        extra = extra_of.get(entry.partition("/")[2], "")
        declared = {
            canonicalize_name(wanted.name)
            for wanted in requirements
            if not wanted.marker or wanted.marker.evaluate({"extra": extra})
        }
        for name, line in imported(archive.read(entry).decode()).items():
            if name in sys.stdlib_module_names or name == package or canonicalize_name(name) in declared:
                continue
            if not declared & set(map(canonicalize_name, owners().get(name, ()))):
                found.append(f"{entry}:{line}: {name}")
    return found


@pytest.mark.parametrize("name", RELEASED)
def test_whatever_a_package_imports_it_requires(wheel, packages, name):
    archive, requirements = wheel(name)
    with archive:
        assert sum(entry.endswith(".py") for entry in archive.namelist()) > 2
        assert undeclared(archive, packages[name], requirements, EXTRA_OF.get(name, {})) == []


def test_every_module_that_needs_an_extra_is_there_and_needs_it(wheel, packages):
    for name, extra_of in EXTRA_OF.items():
        archive, requirements = wheel(name)
        with archive:
            without = undeclared(archive, packages[name], requirements, {})
        needing = {line.partition(":")[0].partition("/")[2] for line in without}
        assert needing == set(extra_of)


@pytest.mark.parametrize("name", RELEASED)
def test_no_package_requires_anki_or_what_only_tests_need(wheel, name):
    archive, requirements = wheel(name)
    archive.close()
    wanted = {canonicalize_name(requirement.name) for requirement in requirements}
    assert wanted
    assert not wanted & {"anki", "aqt", "genanki", "pytest", "hypothesis", "playwright", "fsrs", "finetuning"}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import a.b, c\nfrom d.e import f", {"a", "c", "d"}),
        ("from . import a\nfrom .b import c", set()),
        ("def f():\n    import a", {"a"}),
        ("if TYPE_CHECKING:\n    import a\nelse:\n    import b", {"b"}),
        ("try:\n    import a\nexcept ImportError:\n    a = None", set()),
        ("try:\n    import a\nexcept ValueError:\n    a = None", {"a"}),
        ("importlib.import_module('a.b')", {"a"}),
        ("if 'a' in app.extensions and html:\n    import a\n    import b", {"b"}),
        ("if x:\n    import a\nelif y:\n    import b", {"a", "b"}),
    ],
)
def test_the_search_for_imports_finds_what_is_needed_and_no_more(source, found):
    assert set(imported(source)) == found
