"""What the tests of the released packages share: their wheels and source distributions."""

import subprocess
import sys

import pytest


@pytest.fixture(scope="session")
def packages():
    """What is released: the folder of each package below `widgets`, and the name it is imported by."""
    return {"texmath": "texmath", "flipcards": "flipcards", "lightbook": "sphinx_lightbook"}


@pytest.fixture(scope="session")
def built(root, packages, tmp_path_factory):
    """A folder with the wheel and the source distribution of each package that is released."""
    folder = tmp_path_factory.mktemp("dist")
    for name in packages:
        command = [sys.executable, "-m", "hatchling", "build", "--directory", folder]
        subprocess.run(command, cwd=root / "widgets" / name, check=True, capture_output=True)
    return folder
