"""TeX to HTML and MathML by KaTeX inside Python, without node.

`render` turns one formula into HTML; `write_assets` writes the stylesheet and the fonts that HTML needs.
Nothing here starts the JavaScript engine before the first formula.
"""

from texmath.amsmath import labels
from texmath.engine import Engine, EngineError
from texmath.errors import TexError
from texmath.rendering import render
from texmath.styles import assets, css, stylesheet, write_assets

__all__ = [
    "Engine",
    "EngineError",
    "TexError",
    "assets",
    "css",
    "labels",
    "render",
    "stylesheet",
    "write_assets",
]
