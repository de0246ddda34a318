"""Finds the Chromium the browser tests drive, and installs one where there is none.

`python tests/ensure_chromium.py` is a step of `make test`. On Debian as root it installs the
distribution's package, elsewhere Playwright's own build; if neither starts, it says what to install.
"""

import os
import platform
import shutil
import subprocess
import sys

from playwright.sync_api import Error, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
# Quiet on the network: the tests count every request a page makes.
FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Hosts that are not the loopback by name, as readers have them.
    "--host-resolver-rules=MAP *.test 127.0.0.1",
]


def system_chromium() -> str | None:
    """Return the path of a Chromium that this machine has, or None: then Playwright uses its own."""
    for name in NAMES:
        path = shutil.which(name)
        # On some distributions the command is a stub that only tells how to install the real one.
        if path and subprocess.run([path, "--version"], capture_output=True, check=False).returncode == 0:
            return path
    return None


def start() -> str:
    """Start Chromium once and return its version. Raises `playwright.sync_api.Error` if it does not start."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=system_chromium(), args=FLAGS)
        try:
            return browser.version
        finally:
            browser.close()


def is_debian() -> bool:
    """Tell whether this is Debian itself: Ubuntu's package of that name is a stub for a snap."""
    try:
        return platform.freedesktop_os_release().get("ID") == "debian"
    except OSError:
        return False


def install() -> None:
    """Install Chromium the way this machine allows. A failure shows when Chromium is started."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    if root and is_debian():
        subprocess.run(["apt-get", "update"], check=False)
        # The font is only recommended by the package, and without any font a page has no text.
        subprocess.run(["apt-get", "install", "--yes", "chromium", "fonts-liberation"], check=False)
    else:
        dependencies = ["--with-deps"] if root and sys.platform == "linux" else []
        subprocess.run(
            [sys.executable, "-m", "playwright", "install", *dependencies, "chromium"], check=False
        )


def main() -> None:
    """Print the version of the Chromium at hand, installing it first where it is missing."""
    try:
        version = start()
    except Error:
        install()
        try:
            version = start()
        except Error as error:
            sys.exit(
                f"{error}\n\nThe browser tests need Chromium, and it could not be installed here.\n"
                "Debian: apt-get install chromium (as root). Elsewhere: install Chromium or Google Chrome "
                "so that `chromium` or `google-chrome` is on the PATH."
            )
    print(f"Chromium {version}")


if __name__ == "__main__":
    main()
