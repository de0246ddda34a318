"""Servers of this machine for what is measured: of a folder, and of notebooks."""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, AnyStr

if TYPE_CHECKING:
    from _typeshed import SupportsRead, SupportsWrite

TOKEN = "a-token-of-the-benchmark"
_START = 180  # seconds


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves files without a line in the log for each, and none where a reader leaves before the end."""

    def log_message(self, *_args: object) -> None:
        """Say nothing."""

    def copyfile(self, source: SupportsRead[AnyStr], outputfile: SupportsWrite[AnyStr]) -> None:
        """Send a file as far as it is wanted."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            super().copyfile(source, outputfile)


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a folder, served on the loopback."""
    handler = functools.partial(_QuietHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def jupyter(application: str, folder: Path, home: Path, options: Sequence[str] = ()) -> Iterator[str]:
    """The address of a Jupyter server that shows a folder; it lets in whoever has the `TOKEN`.

    Args:
        application: the module, `notebook` or `jupyterlab`.
        folder: where it begins.
        home: keeps its settings and its log; what is in `home/config` counts, nothing of the user's does.
        options: further ones of its command.
    """
    home.mkdir(exist_ok=True)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("JUPYTER")} | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTER_PREFER_ENV_PATH": "1",
    }
    command = [sys.executable, "-m", application, "--no-browser", "--allow-root", "--ip=127.0.0.1"]
    command += ["--ServerApp.port=0", f"--IdentityProvider.token={TOKEN}", *options]
    with (home / "log").open("w") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield _address(process, home)
        finally:
            process.terminate()
            process.wait(timeout=60)


def _address(process: subprocess.Popen[bytes], home: Path) -> str:
    """Where a server that is starting listens."""
    deadline = time.monotonic() + _START
    while process.poll() is None and time.monotonic() < deadline:
        for state in (home / "runtime").glob("jpserver-*.json"):
            # It is being written, or does not listen yet.
            with contextlib.suppress(json.JSONDecodeError, ConnectionRefusedError):
                said = json.loads(state.read_text())
                socket.create_connection(("127.0.0.1", said["port"])).close()
                return str(said["url"]).rstrip("/")
        time.sleep(0.1)
    sys.exit(f"Jupyter did not start:\n{(home / 'log').read_text()[-2000:]}")
