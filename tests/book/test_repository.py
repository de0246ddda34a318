"""The repository says what is true of itself: commands, pins, licences, workflows, no machine's paths."""

import itertools
import os
import re
import shutil
import subprocess
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
PLATFORMS = ("linux", "darwin")
EVERYWHERE = pytest.mark.parametrize(("python", "platform"), list(itertools.product(PYTHONS, PLATFORMS)))
PACKAGES = ("finetuning", "flipcards", "lightbook", "texmath")


def text_of(path):
    return path.read_text(encoding="utf-8")


def requirements(path):
    """Return the requirements of a file (options such as -e left out)."""
    lines = (line.split(" #")[0].strip() for line in text_of(path).splitlines())
    return [Requirement(line) for line in lines if line and line[0] not in "#-"]


def editables(path):
    return {line.strip() for line in text_of(path).splitlines() if line.startswith("-e")}


def pins(path, python, platform):
    """Return what a lock file installs on a Python and a platform: name -> version."""
    environment = {"python_version": python, "python_full_version": f"{python}.5", "sys_platform": platform}
    chosen = {}
    for pin in requirements(path):
        if pin.marker is None or pin.marker.evaluate(environment):
            name = canonicalize_name(pin.name)
            assert name not in chosen, f"{name} is pinned twice for Python {python}"
            (exact,) = pin.specifier
            assert exact.operator == "==", pin
            assert "*" not in exact.version, pin
            chosen[name] = exact.version
    return chosen


@pytest.fixture(scope="session")
def files(root):
    """The text files of the repository that are ours: committed or about to be, nothing bundled."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.split("\n")
    bundled = re.compile(r"\.min\.js$|/static/[^/]*\.js$|package-lock\.json$")
    texts = {}
    for name in filter(None, names):
        if (root / name).is_file() and not bundled.search(name):
            try:
                texts[name] = text_of(root / name)
            except UnicodeDecodeError:
                continue
    assert {"README.md", "Makefile", "widgets/flipcards/src/flipcards/deck.py"} <= texts.keys()
    return texts


# Commands


def test_every_make_command_that_is_documented_exists(root, files):
    targets = set(re.findall(r"^([a-z][a-z-]*):(?!=)", files["Makefile"], re.MULTILINE))
    documented = {
        (name, target)
        for name, text in files.items()
        if name.endswith((".md", ".yml", ".in")) or name == ".ci/run"
        for target in re.findall(r"(?:`|^|\$ |run: |\s{2})make ([a-z][a-z-]*)", text, re.MULTILINE)
    }
    assert {target for name, target in documented if name == "README.md"} >= {
        "book",
        "serve",
        "watch",
        "test",
    }
    assert [pair for pair in sorted(documented) if pair[1] not in targets] == []


def test_every_make_command_has_a_line_of_help(root):
    done = subprocess.run(["make", "help"], cwd=root, capture_output=True, text=True, check=True)
    listed = {line.split()[0] for line in done.stdout.splitlines() if len(line.split()) > 2}
    assert listed >= {"book", "serve", "watch", "test", "lint", "requirements", "clean"}


def test_every_path_in_the_readme_exists(root, files):
    readme = files["README.md"]
    quoted = set(re.findall(r"`((?:\.?\w[\w.-]*/)+[\w.*-]*|[\w.-]+\.(?:yml|md|in|txt|cff))`", readme))
    linked = {link for link in re.findall(r"\]\(([^)]+)\)", readme) if "://" not in link}
    assert linked
    built = {"_build/html"}
    assert [path for path in sorted((quoted | linked) - built) if not list(root.glob(path.rstrip("/")))] == []


STUB = """#!/bin/sh
# A Python that writes down what it was asked to do, and makes an environment of copies of itself.
echo "$(basename "$0") $*" >> "$LOG"
if [ "$2" = venv ]; then mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && cp "$0" "$3/bin/jupyter-book"; fi
"""


@pytest.fixture
def make_book(root, tmp_path):
    """A function that runs `make book` on a stub of Python and returns the commands it ran."""
    stub = tmp_path / "python-stub"
    stub.write_text(STUB, encoding="utf-8")
    stub.chmod(0o755)
    for name in ("Makefile", "requirements.txt"):
        shutil.copy(root / name, tmp_path)

    def make_book():
        log = tmp_path / "log"
        log.unlink(missing_ok=True)
        environment = os.environ | {"PYTHON": str(stub), "VENV": ".venv", "LOG": str(log)}
        subprocess.run(["make", "book"], cwd=tmp_path, env=environment, capture_output=True, check=True)
        lines = log.read_text(encoding="utf-8").splitlines()
        return [line for line in lines if line.startswith(("python -m pip", "jupyter-book"))]

    return make_book


def test_make_book_installs_once_and_again_only_when_a_requirement_changes(make_book, tmp_path):
    install = "python -m pip install --quiet --requirement requirements.txt"
    build = "jupyter-book build . -n -W --keep-going"
    assert make_book() == [install, build]
    assert make_book() == [build]

    installed = (tmp_path / ".venv" / ".book").stat().st_mtime
    os.utime(tmp_path / "requirements.txt", (installed + 1, installed + 1))
    assert make_book() == [install, build]


def test_matplotlib_keeps_its_list_of_fonts_in_the_environment(root, tmp_path):
    # A shared list that another environment wrote while it was being removed lacks matplotlib's own fonts;
    # every notebook that sets math then says so on stderr.
    shutil.copy(root / "Makefile", tmp_path)
    show = "show: ; @echo $(MPLCONFIGDIR) $$MPLCONFIGDIR"
    command = ["make", "--no-print-directory", "--eval", show, "show", "VENV=.venv"]
    environment = os.environ | {"MPLCONFIGDIR": "/of/another"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(tmp_path / ".venv" / "matplotlib")] * 2


def test_a_python_that_is_too_old_is_refused_in_words(root, tmp_path):
    old = tmp_path / "old-python"
    old.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    old.chmod(0o755)
    for name in ("Makefile", "requirements.txt"):
        shutil.copy(root / name, tmp_path)
    command = ["make", "book", f"PYTHON={old}", "VENV=.venv"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "Python 3.11 or newer is needed" in done.stderr
    assert not (tmp_path / ".venv").exists()


# Requirements


@EVERYWHERE
@pytest.mark.parametrize("folder", [".", "tests"])
def test_the_lock_file_has_one_exact_pin_within_each_range(root, folder, python, platform):
    locked = pins(root / folder / "requirements.txt", python, platform)
    ranges = requirements(root / folder / "requirements.in")
    assert ranges
    for wanted in ranges:
        name = canonicalize_name(wanted.name)
        assert wanted.specifier.contains(locked[name], prereleases=True), (
            f"{wanted}: {locked[name]} is pinned"
        )


@EVERYWHERE
@pytest.mark.parametrize("package", PACKAGES)
def test_the_lock_file_has_what_each_package_needs(root, package, python, platform):
    locked = pins(root / "requirements.txt", python, platform)
    project = tomllib.loads(text_of(root / "widgets" / package / "pyproject.toml"))["project"]
    for wanted in map(Requirement, project["dependencies"]):
        if wanted.name not in PACKAGES:
            name = canonicalize_name(wanted.name)
            assert wanted.specifier.contains(locked[name]), f"{wanted}: {locked[name]} is pinned"


@EVERYWHERE
def test_both_lock_files_agree(root, python, platform):
    build = pins(root / "requirements.txt", python, platform)
    tests = pins(root / "tests" / "requirements.txt", python, platform)
    shared = build.keys() & tests.keys()
    assert shared
    assert {name: tests[name] for name in shared} == {name: build[name] for name in shared}


def test_lock_files_name_no_package_index(root):
    for path in (root / "requirements.txt", root / "tests" / "requirements.txt"):
        assert not re.search(r"://|--(?:extra-)?index|--find-links|--trusted-host", text_of(path)), path


def test_every_package_is_a_requirement_of_a_build(root):
    expected = {f"-e ./widgets/{name}" for name in PACKAGES}
    assert editables(root / "requirements.in") == expected
    assert editables(root / "requirements.txt") == expected


# Packages and licences


def test_every_folder_of_widgets_is_a_package_we_know(root):
    assert {path.parent.name for path in (root / "widgets").glob("*/pyproject.toml")} == set(PACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_says_what_it_is(root, package):
    folder = root / "widgets" / package
    project = tomllib.loads(text_of(folder / "pyproject.toml"))["project"]
    assert project["description"]
    assert "MIT" in project["license"].split(" AND ")
    assert project["requires-python"] == ">=3.11"
    assert len(text_of(folder / project["readme"]).splitlines()) > 5


def test_code_and_text_have_their_licences(root):
    assert text_of(root / "LICENSE").startswith("MIT License")
    assert "SPDX-License-Identifier: CC-BY-4.0" in text_of(root / "LICENSE-TEXT")
    citation = yaml.safe_load(text_of(root / "CITATION.cff"))
    assert citation["license"] == ["MIT", "CC-BY-4.0"]
    assert citation["title"] == yaml.safe_load(text_of(root / "_config.yml"))["title"]


def test_a_package_that_carries_work_of_others_is_in_the_third_party_notices(root):
    notices = text_of(root / "THIRD_PARTY.md")
    carriers = [path.parent for path in (root / "widgets").glob("*/THIRD_PARTY.md")]
    assert carriers
    for folder in carriers:
        name = folder.relative_to(root).as_posix()
        assert f"`{name}/THIRD_PARTY.md`" in notices
        (licences,) = folder.glob("src/*/licenses")
        assert f"`{licences.relative_to(root).as_posix()}/`" in notices
        project = tomllib.loads(text_of(folder / "pyproject.toml"))["project"]
        assert f"{licences.relative_to(folder).as_posix()}/*.txt" in project["license-files"]
        assert list(licences.glob("*.txt"))


# The repository's own text


def test_no_file_names_a_path_of_somebodys_machine(files):
    # Chromium and Python may be anywhere; so may a clone.
    machine = re.compile(
        r"(?<![\w.$}/-])/(?:home|root|tmp|Users|work|opt|usr/local|usr/bin/(?!env))\b(?![>}])"
    )
    found = [
        f"{name}:{number}: {line.strip()}"
        for name, text in files.items()
        for number, line in enumerate(text.splitlines(), 1)
        if machine.search(line)
    ]
    assert found == []


# Workflows


@pytest.fixture(scope="session")
def workflows(root):
    return {
        path.stem: yaml.load(text_of(path), yaml.BaseLoader)
        for path in (root / ".github" / "workflows").glob("*.yml")
    }


def steps(workflow):
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_workflows_run_the_same_commands_as_everybody(workflows):
    ran = {name: [step["run"] for step in steps(flow) if "run" in step] for name, flow in workflows.items()}
    assert ran == {
        "check": ["make test PYTHON=python${{ matrix.python }}"],
        "publish": ["make book PYTHON=python3.11"],
    }


def test_the_check_workflow_covers_the_pythons_we_promise(workflows, root):
    (job,) = workflows["check"]["jobs"].values()
    assert tuple(job["strategy"]["matrix"]["python"]) == PYTHONS
    assert "Python 3.11 to 3.14 are checked" in text_of(root / "README.md")


def test_workflows_pin_the_major_version_of_every_action(workflows):
    used = {step["uses"] for flow in workflows.values() for step in steps(flow) if "uses" in step}
    assert used
    assert [action for action in used if not re.fullmatch(r"actions/[\w-]+@v\d+", action)] == []


def test_the_publish_workflow_sets_the_address_that_the_build_reads(workflows, files):
    (job,) = workflows["publish"]["jobs"].values()
    assert job["env"]["BOOK_REPOSITORY_URL"] == "${{ github.server_url }}/${{ github.repository }}"
    readers = [name for name, text in files.items() if name.endswith(".py") and name.startswith("assets/")]
    assert any('"BOOK_REPOSITORY_URL"' in files[name] for name in readers)


def test_ci_runs_make_test(root):
    script = root / ".ci" / "run"
    assert script.stat().st_mode & 0o100
    assert "set -euo pipefail\n" in text_of(script)
    assert re.search(r"^make test$", text_of(script), re.MULTILINE)
