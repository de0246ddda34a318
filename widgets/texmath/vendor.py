"""Fetch a KaTeX release from npm into src/texmath, and write down what was fetched.

    python widgets/texmath/vendor.py 0.19.1

Writes js/katex.min.js, web/fonts/*.woff2 and licenses/KaTeX.txt as released, web/texmath.css (KaTeX's
stylesheet without the other font formats, then own-rules.css) and vendored.json (version, npm's integrity,
SHA-256 of each file). Needs npm. After it: run the tests of texmath, and look at a page of formulas.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
PACKAGE = HERE / "src" / "texmath"
OWN_RULES = HERE / "own-rules.css"
BANNER = "/*! KaTeX {version}, Khan Academy and contributors, MIT; fonts: SIL Open Font License 1.1 */"
OTHER_FORMATS = re.compile(r",url\(fonts/[\w-]+\.(?:woff|ttf)\) format\(\"(?:woff|truetype)\"\)")


def stylesheet(version: str, katex_css: str, own_rules: str) -> str:
    """texmath.css from KaTeX's stylesheet and our rules."""
    return "\n".join([BANNER.format(version=version), OTHER_FORMATS.sub("", katex_css).strip(), own_rules])


def vendor(version: str) -> None:
    """Replace what is vendored by KaTeX `version`."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            ["npm", "pack", "--json", "--pack-destination", folder, f"katex@{version}"],
            check=True,
            capture_output=True,
            text=True,
        )
        packed = json.loads(done.stdout)[0]
        with tarfile.open(Path(folder) / packed["filename"]) as archive:
            archive.extractall(folder, filter="data")
        release = Path(folder) / "package"
        fonts = PACKAGE / "web" / "fonts"
        shutil.rmtree(fonts, ignore_errors=True)
        for folder_name in ("js", "licenses", "web/fonts"):
            (PACKAGE / folder_name).mkdir(parents=True, exist_ok=True)
        for font in sorted((release / "dist" / "fonts").glob("*.woff2")):
            shutil.copyfile(font, fonts / font.name)
        script = PACKAGE / "js" / "katex.min.js"
        shutil.copyfile(release / "dist" / "katex.min.js", script)
        licence = PACKAGE / "licenses" / "KaTeX.txt"
        shutil.copyfile(release / "LICENSE", licence)
        katex_css = (release / "dist" / "katex.min.css").read_text(encoding="utf-8")
    css = PACKAGE / "web" / "texmath.css"
    own_rules = OWN_RULES.read_text(encoding="utf-8")
    css.write_text(stylesheet(packed["version"], katex_css, own_rules), encoding="utf-8")
    record = {
        "name": "katex",
        "version": packed["version"],
        "integrity": packed["integrity"],
        "files": {
            path.relative_to(PACKAGE).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in [script, licence, css, *sorted(fonts.iterdir())]
        },
    }
    (PACKAGE / "vendored.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    vendor(sys.argv[1])
