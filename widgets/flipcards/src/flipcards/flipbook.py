"""A figure for every setting of some knobs: turned without a kernel in a book, drawn live in a notebook."""

from __future__ import annotations

import base64
import copy
import gzip
import io
import itertools
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Self

from flipcards.display import STATIC_ENVIRONMENT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MIME_TYPE = "application/vnd.flipcards.flipbook+json"
MOST_SETTINGS = 200  # a reader turns through no more, and a page has a row in a table for each
SMALL_SVG = 12_000  # bytes gzipped, below which no lossless bitmap that is sharp on a phone was smaller
WEBP_DPI = 192  # two dots for each CSS pixel

Draw = Callable[..., Any]  # (**setting) -> Figure | (Figure, {name: number})


class FlipbookError(ValueError):
    """A flipbook cannot be made. The message names the knobs or the settings."""


@dataclass(frozen=True)
class Knob:
    """One argument of the figure function, and the values it takes."""

    name: str
    label: str
    values: tuple[Any, ...]

    @property
    def texts(self) -> list[str]:
        """The values as a reader sees them."""
        return [shown(value) for value in self.values]

    @property
    def ordered(self) -> bool:
        """Whether the values are numbers in order: these are on a slider, others in a menu."""
        if not all(isinstance(value, Real) and not isinstance(value, bool) for value in self.values):
            return False
        return list(self.values) in (sorted(self.values), sorted(self.values, reverse=True))


@dataclass(frozen=True)
class Picture:
    """A drawn figure. Equal figures give equal bytes."""

    kind: str  # "svg" or "webp"
    content: bytes
    width_px: int  # CSS pixels
    height_px: int

    @property
    def sent_bytes(self) -> int:
        """Bytes that a reader downloads: web servers send SVG gzipped."""
        return len(gzip.compress(self.content, 9, mtime=0)) if self.kind == "svg" else len(self.content)

    @property
    def uri(self) -> str:
        """The picture as a data: address."""
        kind = "svg+xml" if self.kind == "svg" else self.kind
        return f"data:image/{kind};base64,{base64.b64encode(self.content).decode()}"


@dataclass(frozen=True)
class Frame:
    """What is shown for one setting."""

    picture: Picture
    numbers: dict[str, str]


class Flipbook:
    """A figure for every setting of some knobs.

    As the last line of a cell: while a book is built, every setting is drawn and the page turns them
    without a kernel. In a live notebook the figure is drawn for whatever the controls say, also for
    numbers that are not among the given values.

    `Flipbook(draw, wave=["square", "saw"], overtones=[1, 8])` calls `draw(wave=…, overtones=…)`. It returns a
    matplotlib `Figure`, or a figure and the key numbers of its setting, `(figure, {"highest in Hz": 3960})`.
    Numbers are shown as they read best; text is shown as it is.

    Numbers in order make a slider, anything else a menu. The last knob turns fastest.

    Raises:
        FlipbookError: without a knob; if a knob has fewer than two values, or one of them twice; if there
            are more than 200 settings; while a book is built, also if the figure function fails, with a
            line for each setting at which it does.
    """

    def __init__(self, draw: Draw, /, **knobs: Sequence[Any]) -> None:
        """Check the knobs; while a book is built, draw every setting."""
        self._draw = draw
        self.knobs = tuple(
            Knob(name, name.replace("_", " "), tuple(values)) for name, values in knobs.items()
        )
        self._check_knobs()
        self._start = 0
        # Here and not when the cell shows it: a notebook takes an error while showing for success.
        self._frames = self._all_frames() if os.environ.get(STATIC_ENVIRONMENT) else None

    def __repr__(self) -> str:
        """The figure function and the knobs: the same at every build."""
        knobs = ", ".join(f"{knob.name}: {len(knob.values)} values" for knob in self.knobs)
        return f"Flipbook of {self._title} ({knobs})"

    def start(self, **setting: Any) -> Self:
        """The same, first shown at this setting; knobs that are left out stay at their first value.

        Raises:
            FlipbookError: if a knob or a value is not among those given.
        """
        places = dict.fromkeys((knob.name for knob in self.knobs), 0)
        for name, value in setting.items():
            knob = self._knob(name)
            if value not in knob.values:
                raise FlipbookError(f"knob '{name}' has no value {value!r}; it has {', '.join(knob.texts)}")
            places[name] = knob.values.index(value)
        changed = copy.copy(self)
        changed._start = 0
        for knob in self.knobs:
            changed._start = changed._start * len(knob.values) + places[knob.name]
        return changed

    def label(self, **labels: str) -> Self:
        """The same, with these words for its knobs instead of their names.

        Raises:
            FlipbookError: if there is no such knob.
        """
        for name in labels:
            self._knob(name)
        changed = copy.copy(self)
        changed.knobs = tuple(
            Knob(knob.name, labels.get(knob.name, knob.label), knob.values) for knob in self.knobs
        )
        return changed

    def settings(self) -> Iterator[dict[str, Any]]:
        """Every setting, the last knob turning fastest."""
        for values in itertools.product(*(knob.values for knob in self.knobs)):
            yield dict(zip((knob.name for knob in self.knobs), values, strict=True))

    def frame(self, **setting: Any) -> Frame:
        """Draw one setting, at any values.

        Raises:
            FlipbookError: if the figure function returns no figure. What it raises itself comes through.
        """
        figure, numbers = _parts(self._draw(**setting))
        return Frame(picture(figure), {str(name): shown(number) for name, number in numbers.items()})

    def to_dict(self) -> dict[str, Any]:
        """All frames for the book's build, as JSON: the output of a cell, kept with the notebook.

        A picture that several settings share is there once. `frames` has one entry for each of `settings()`.
        `still` is a PNG of the first setting, for builders that show neither SVG nor WebP.
        """
        frames = self._all_frames() if self._frames is None else self._frames
        pictures = list(dict.fromkeys(frame.picture for frame in frames))
        first = list(self.settings())[self._start]
        still = io.BytesIO()
        _save(_parts(self._draw(**first))[0], still, format="png", dpi=144, metadata={"Software": None})
        return {
            "format": 1,
            "knobs": [
                {"name": knob.name, "label": knob.label, "values": knob.texts, "ordered": knob.ordered}
                for knob in self.knobs
            ],
            "start": self._start,
            "pictures": [
                {
                    "kind": one.kind,
                    "content": base64.b64encode(one.content).decode(),
                    "width_px": one.width_px,
                    "height_px": one.height_px,
                }
                for one in pictures
            ],
            "frames": [
                # pairs: a stored notebook sorts the keys of an object
                {
                    "picture": pictures.index(frame.picture),
                    "numbers": [list(n) for n in frame.numbers.items()],
                }
                for frame in frames
            ],
            "still": base64.b64encode(still.getvalue()).decode(),
        }

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        """While a book is built all frames; else live controls, and the first figure for hosts without."""
        del options
        if self._frames is not None:
            return {MIME_TYPE: self.to_dict()}
        from flipcards.controls import controls

        first = list(self.settings())[self._start]
        bundle: dict[str, Any] = {"text/html": self._still_html(first), "text/plain": repr(self)}
        live = controls(self, first)._repr_mimebundle_()
        return bundle | {kind: data for kind, data in live.items() if kind != "text/plain"}

    def _still_html(self, setting: Mapping[str, Any]) -> str:
        try:
            frame = self.frame(**setting)
        except Exception as error:  # the controls show it too
            return f"<p>{escape(failure(self.words(setting), error))}</p>"
        said = reading(self.words(setting), frame.numbers)
        return (
            f'<figure><img src="{frame.picture.uri}" alt=""><figcaption>{escape(said)}</figcaption></figure>'
        )

    def words(self, setting: Mapping[str, Any]) -> str:
        """A setting in words: `wave = saw, overtones = 8`."""
        return ", ".join(f"{knob.label} = {shown(setting[knob.name])}" for knob in self.knobs)

    @property
    def _title(self) -> str:
        return getattr(self._draw, "__name__", type(self._draw).__name__)

    def _knob(self, name: str) -> Knob:
        for knob in self.knobs:
            if knob.name == name:
                return knob
        raise FlipbookError(f"there is no knob '{name}'; there is {', '.join(k.name for k in self.knobs)}")

    def _check_knobs(self) -> None:
        if not self.knobs:
            raise FlipbookError("a flipbook needs a knob; give an argument of the figure function its values")
        for knob in self.knobs:
            if len(knob.values) < 2:
                raise FlipbookError(
                    f"knob '{knob.name}' has {len(knob.values)} values; give it at least two to turn between"
                )
            if len(set(knob.texts)) < len(knob.values):
                raise FlipbookError(f"knob '{knob.name}' shows a value twice in {', '.join(knob.texts)}")
        count = math.prod(len(knob.values) for knob in self.knobs)
        if count > MOST_SETTINGS:
            product = " × ".join(f"{len(knob.values)} of {knob.name}" for knob in self.knobs)
            raise FlipbookError(
                f"{count} settings ({product}); at most {MOST_SETTINGS} are drawn: leave out values or a knob"
            )

    def _all_frames(self) -> list[Frame]:
        frames, failures = [], []
        first_error: Exception | None = None
        for setting in self.settings():
            try:
                frames.append(self.frame(**setting))
            except Exception as error:
                first_error = first_error or error
                failures.append(failure(self.words(setting), error))
        if failures:
            count = f"{len(failures)} of {len(failures) + len(frames)} settings"
            lines = "\n".join(failures)
            raise FlipbookError(f"{self._title} fails at {count}:\n{lines}") from first_error
        return frames


def shown(value: Any) -> str:
    """A value as a reader sees it: 4,194,304; 0.0622; −0.85; text as it is."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return str(value)
    text = f"{int(value):,}" if isinstance(value, Integral) else f"{float(value):.4g}"
    return text.replace("-", "−")


def reading(setting: str, numbers: Mapping[str, str]) -> str:
    """What is announced for a setting: its words, then its key numbers."""
    return setting + "".join(f"; {name}: {number}" for name, number in numbers.items())


def failure(setting: str, error: Exception) -> str:
    """What is said when the figure function fails."""
    return f"{setting}: {type(error).__name__}: {error}"


def _parts(drawn: Any) -> tuple[Figure, Mapping[str, Any]]:
    """The figure and the key numbers in what a figure function returned."""
    from matplotlib.figure import Figure

    figure, numbers = drawn if isinstance(drawn, tuple) and len(drawn) == 2 else (drawn, {})
    if not isinstance(figure, Figure) or not isinstance(numbers, Mapping):
        what = type(drawn).__name__
        raise FlipbookError(f"got a {what}; return a Figure, or a Figure and a dictionary of numbers")
    return figure, numbers


def _save(figure: Figure, buffer: io.BytesIO, **options: Any) -> None:
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    with mpl.rc_context({"svg.hashsalt": "flipbook"}):  # else ids are random
        figure.savefig(buffer, **options)
    plt.close(figure)  # else the notebook shows it once more


def picture(figure: Figure) -> Picture:
    """The figure as SVG or as lossless WebP, whichever a reader downloads faster."""
    width_px, height_px = (round(96 * inches) for inches in figure.get_size_inches())
    buffer = io.BytesIO()
    _save(figure, buffer, format="svg", metadata={"Date": None, "Creator": None})
    svg = Picture("svg", buffer.getvalue(), width_px, height_px)
    if svg.sent_bytes <= SMALL_SVG:
        return svg
    buffer = io.BytesIO()
    _save(figure, buffer, format="webp", dpi=WEBP_DPI, pil_kwargs={"lossless": True, "method": 4})
    webp = Picture("webp", buffer.getvalue(), width_px, height_px)
    return min(svg, webp, key=lambda one: one.sent_bytes)
