"""What Binder would do with this repository: the Dockerfile that repo2docker writes, and the launch links."""

import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def dockerfile(root):
    """The Dockerfile of this repository. Printing it needs no Docker."""
    command = [Path(sys.executable).parent / "jupyter-repo2docker", "--no-build", "--debug", "."]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_binder_uses_the_python_that_ci_tests(dockerfile):
    assert re.search(r"COPY .*environment.*py-2d3-2e11-.*lock", dockerfile)


def test_binder_installs_the_requirements_once_the_whole_repository_is_there(dockerfile):
    copied = dockerfile.index("src/ ${REPO_DIR}/\n")
    install = dockerfile.index('/bin/pip install --no-cache-dir -r ".binder/requirements.txt"')
    # Not before: the requirements name the packages under widgets/.
    assert copied < install
    assert dockerfile.count("pip install") == 1
    assert dockerfile.rindex("WORKDIR ${REPO_DIR}", 0, install) >= 0


def test_binders_requirements_are_those_of_a_build(root):
    lines = (root / ".binder" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#")] == ["-r ../requirements.txt"]
    assert (root / ".binder" / ".." / "requirements.txt").is_file()


def test_binder_runs_our_settings_of_jupyterlab(root, dockerfile):
    assert "RUN ./.binder/postBuild\n" in dockerfile
    assert (root / ".binder" / "postBuild").stat().st_mode & 0o100


def test_the_launch_button_of_every_chapter_opens_it_in_jupyterlab(root, site):
    pages = sorted((site / "chapters").glob("*.html"))
    launched = {}
    for page in pages:
        links = re.findall(r'href="([^"]*/v2/gh/[^"]*)"', page.read_text(encoding="utf-8"))
        launched[page.stem] = {re.search(r"urlpath=lab/tree/(.*)", link)[1] for link in links}
    notebooks = {
        path.stem
        for path in (root / "chapters").glob("*.md")
        if "{code-cell}" in path.read_text(encoding="utf-8")
    }
    assert "flashcards" in notebooks
    for name in notebooks:
        assert launched[name] == {f"chapters/{name}.md"}
