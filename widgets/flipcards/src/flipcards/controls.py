"""The live host of a flipbook: ipywidgets that call the figure function for whatever they are set to."""

from __future__ import annotations

import base64
from html import escape
from numbers import Integral
from typing import TYPE_CHECKING, Any

import ipywidgets
from IPython.display import display

from flipcards.flipbook import failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flipcards.flipbook import Flipbook, Frame, Knob

WIDE = {"description_width": "initial"}


def controls(flipbook: Flipbook, first: Mapping[str, Any]) -> ipywidgets.Widget:
    """The knobs of a flipbook and, below them, its figure; what the figure function raises is shown there.

    A slider has the values of the book's page. The field beside it takes any other number.
    """
    rows, knobs = [], {}
    for knob in flipbook.knobs:
        row, control = _numbers(knob, first[knob.name]) if knob.ordered else _menu(knob, first[knob.name])
        rows.append(row)
        knobs[knob.name] = control

    def show(**setting: Any) -> None:
        try:
            frame = flipbook.frame(**setting)
        except Exception as error:
            said = escape(failure(flipbook.words(setting), error))
            _display(
                "text/html", f'<p role="alert" style="color: var(--jp-error-color1, #b00020)">{said}</p>'
            )
        else:
            _show(frame)

    figure = ipywidgets.interactive_output(show, knobs)
    return ipywidgets.VBox([*rows, figure])


def _menu(knob: Knob, value: Any) -> tuple[ipywidgets.Widget, ipywidgets.Widget]:
    menu = ipywidgets.Dropdown(
        options=list(zip(knob.texts, knob.values, strict=True)),
        value=value,
        description=knob.label,
        style=WIDE,
    )
    return menu, menu


def _numbers(knob: Knob, value: Any) -> tuple[ipywidgets.Widget, ipywidgets.Widget]:
    slider = ipywidgets.SelectionSlider(
        options=list(zip(knob.texts, knob.values, strict=True)),
        value=value,
        description=knob.label,
        continuous_update=False,
        readout=False,
        style=WIDE,
    )
    whole = all(isinstance(one, Integral) for one in knob.values)
    field = (ipywidgets.IntText if whole else ipywidgets.FloatText)(
        value=value, layout=ipywidgets.Layout(width="6em")
    )
    field.tooltip = knob.label

    def follow(change: Mapping[str, Any]) -> None:
        field.value = change["new"]

    def lead(change: Mapping[str, Any]) -> None:
        if change["new"] in knob.values:
            slider.value = change["new"]

    slider.observe(follow, "value")
    field.observe(lead, "value")
    return ipywidgets.HBox([slider, field]), field


def _show(frame: Frame) -> None:
    picture = frame.picture
    if picture.kind == "svg":
        _display("image/svg+xml", picture.content.decode())
    else:
        _display("image/webp", base64.b64encode(picture.content).decode(), width=picture.width_px)
    if frame.numbers:
        numbers = "; ".join(
            f"{escape(name)}: <b>{escape(value)}</b>" for name, value in frame.numbers.items()
        )
        _display("text/html", f'<p role="status">{numbers}</p>')


def _display(kind: str, data: str, **metadata: Any) -> None:
    display({kind: data}, raw=True, metadata={kind: metadata})  # type: ignore[no-untyped-call]
