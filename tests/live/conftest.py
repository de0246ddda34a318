"""Starts JupyterLab as Binder would: its settings, a copy of the chapters, a real kernel."""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from playwright.sync_api import TimeoutError, expect

TOKEN = "a-token-of-the-tests"
SECOND = 1_000
LONG = 120 * SECOND  # for what a loaded machine may take long to do


def open_with_kernel(page, address, kernel):
    """Open a notebook and wait until its kernel is shown, at the locator `kernel`.

    On a loaded machine a kernel can fail to start. A dialog says so then, and ipywidgets shows no more
    widgets in that page, whichever kernel is chosen: the page is loaded again.
    """
    for _ in range(5):
        page.goto(address)
        kernel.or_(page.get_by_text("Error Starting Kernel")).first.wait_for(timeout=LONG)
        if kernel.is_visible():
            return
    raise AssertionError("no kernel started")


class Lab:
    """A running JupyterLab: `url` of its root, without a final /, and the `folder` it shows."""

    def __init__(self, url, folder):
        self.url = url
        self.folder = folder

    def tree(self, path):
        """Return the address that opens a file, as the site's launch button spells it."""
        return f"{self.url}/lab/tree/{path}?token={TOKEN}"

    def open(self, page, path):
        """Open a notebook and return the locator of its panel, once its kernel answers."""
        page.set_default_timeout(LONG)
        # JupyterLab would also open what an earlier test had open, and might show that.
        open_with_kernel(page, f"{self.tree(path)}&reset", page.get_by_text("Python 3 (ipykernel) | Idle"))
        notebook = page.locator(".jp-NotebookPanel:visible")
        notebook.wait_for(timeout=LONG)
        return notebook

    def run_all(self, notebook):
        """Run every cell of an open notebook, and wait until all have run.

        Run All right after opening can run nothing, even where the kernel is said to be idle: then again.
        """
        page = notebook.page
        begun = notebook.locator(".jp-InputPrompt").filter(has_text=re.compile(r"\[[*\d]+\]")).first
        for _ in range(10):
            page.get_by_role("menuitem", name="Run", exact=True).click()
            page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
            with contextlib.suppress(TimeoutError):
                begun.wait_for(timeout=10 * SECOND)
                break
        running = notebook.locator(".jp-InputPrompt").filter(has_text="[*]")
        expect(running).to_have_count(0, timeout=LONG)
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=LONG)


def jupyter_environment(home):
    """Return an environment in which Jupyter reads and writes nothing outside `home` and this environment."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("JUPYTER")}
    return environment | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTER_PREFER_ENV_PATH": "1",
    }


def wait_for_address(process, runtime, log):
    """Return the address that a server of Jupyter writes into its runtime folder, once it listens there."""
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and process.poll() is None:
        for state in runtime.glob("jpserver-*.json"):
            with contextlib.suppress(json.JSONDecodeError, ConnectionRefusedError):  # it is being written
                said = json.loads(state.read_text())
                socket.create_connection(("127.0.0.1", said["port"])).close()
                return said["url"].rstrip("/")
        time.sleep(0.1)
    raise AssertionError(f"it did not start:\n{log.read_text()}")


@contextlib.contextmanager
def jupyter(app, folder, home, *options):
    """Run an application of Jupyter on the loopback that shows a folder; gives the address of its root."""
    log = home / f"{app}.log"
    command = [sys.executable, "-m", app, "--no-browser", "--allow-root", "--ip=127.0.0.1"]
    options = ["--ServerApp.port=0", f"--IdentityProvider.token={TOKEN}", *options]
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, *options],
            cwd=folder,
            env=jupyter_environment(home),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield wait_for_address(process, home / "runtime", log)
    finally:
        process.terminate()
        process.wait(timeout=120)


@pytest.fixture(scope="module")
def lab(root, tmp_path_factory):
    """A JupyterLab on the loopback that shows copies of the chapters and the assets."""
    folder = tmp_path_factory.mktemp("book")
    home = tmp_path_factory.mktemp("home")
    for name in ("chapters", "assets"):
        shutil.copytree(root / name, folder / name)
    environment = jupyter_environment(home)
    subprocess.run([root / ".binder" / "postBuild"], cwd=folder, env=environment, check=True)
    with jupyter("jupyterlab", folder, home, "--LabApp.extension_manager=readonly") as url:
        yield Lab(url, folder)


@pytest.fixture(scope="module")
def open_in_notebook(tmp_path_factory):
    """A function that opens a file of a folder in Jupyter Notebook, in a page, once its kernel answers."""
    with contextlib.ExitStack() as servers:

        def open_in_notebook(page, folder, name):
            url = servers.enter_context(jupyter("notebook", folder, tmp_path_factory.mktemp("home")))
            # A notebook that has no kernel yet is said to be idle too.
            kernel = page.locator(".jp-Toolbar-kernelName").get_by_text("Python 3 (ipykernel)")
            open_with_kernel(page, f"{url}/notebooks/{name}?token={TOKEN}", kernel)
            page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(timeout=LONG)

        yield open_in_notebook
