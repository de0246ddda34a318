"""Runs builds, each in a process of its own that has loaded already what builds load.

Loading takes most of the time of a small book's build. This is started once. It reads a JSON object a line
from its standard input, forks, and answers with the exit code: `folder` to run in, `command` (`jupyter-book`
or `sphinx-build`, and arguments), `environment`, and `output`, the file for what is printed.
"""

import importlib
import json
import os
import sys

LOADED = (
    *("jupyter_book.cli.main", "jupyter_book.sphinx", "jupyter_book.config", "sphinx.cmd.build"),
    *("myst_nb.sphinx_ext", "sphinx_book_theme", "sphinx_lightbook", "sphinxcontrib.bibtex"),
    *("sphinx.builders.html", "sphinx.builders.dirhtml", "sphinx.builders.latex", "sphinx.builders.epub3"),
    *("sphinx.search", "sphinx_design", "jupyter_cache", "nbclient", "texmath"),
)


def run(command):
    """Run a command as its script does; its exit code."""
    sys.argv = command
    if command[0] == "jupyter-book":
        return importlib.import_module("jupyter_book.cli.main").main()
    return importlib.import_module("sphinx.cmd.build").main(command[1:])


def become(task):
    """Be in the place and the environment of the task, and print into its file."""
    os.chdir(task["folder"])
    os.environ.clear()
    os.environ.update(task["environment"])
    sys.path[:0] = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    output = os.open(task["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for ours, standard in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(ours, standard)


def main():
    """Answer until the input ends."""
    for name in LOADED:
        importlib.import_module(name)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            task = json.loads(line)
            become(task)
            sys.exit(run(task["command"]))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
