"""Draws bar charts as SVG files that follow the light or dark scheme of their page."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WIDTH = 720  # of a chart, in pixels
_LETTER = 8  # at most so wide is a letter, on average
_MARGIN = 20  # left and right of the names of the groups together
_VALUE = 160  # the place for a value, right of the longest bar
_BAR, _GAP, _TOP = 20, 12, 34  # heights: a bar, between two groups, and the legend
_PADDING = 8  # above the first bar, without a legend
COLOURS = ("#8d99a6", "#5c6bc0")
# An image has no style sheet of its page, but gets its colour scheme.
_STYLE = """<style>
:root { color: #202124; background: #ffffff; }
@media (prefers-color-scheme: dark) { :root { color: #e3e5e8; background: #1e2029; } }
text { fill: currentColor; font: 14px sans-serif; }
path { stroke: currentColor; fill: none; }
</style>"""


@dataclass(frozen=True)
class Bar:
    """A value with its range, `low` to `high`, and the text that shows it."""

    value: float
    low: float
    high: float
    text: str


@dataclass(frozen=True)
class Group:
    """The bars of one subject, in the order of the chart's sides."""

    name: str
    bars: Sequence[Bar]


def draw_bars(title: str, sides: Sequence[str], groups: Sequence[Group]) -> str:
    """Return a chart with one group of bars for each subject, and a line for each bar's range.

    It is for an `img` element: its style sheet would also change the page that contains it.
    """
    left = _MARGIN + _LETTER * max(len(group.name) for group in groups)
    most = max(bar.high for group in groups for bar in group.bars) or 1
    scale = (WIDTH - left - _VALUE) / most
    # A single side needs no legend.
    lines, top = (list(_legend(sides, left)), _TOP) if len(sides) > 1 else (list[str](), _PADDING)
    for group in groups:
        middle = top + _BAR * len(group.bars) / 2 + 5
        lines.append(_text(left - _MARGIN / 2, middle, group.name, anchor="end"))
        for number, bar in enumerate(group.bars):
            lines += _bar(bar, (left, top + _BAR * number), _colour(number, sides), scale)
        top += _BAR * len(group.bars) + _GAP
    box = f'width="{WIDTH}" height="{top}" viewBox="0 0 {WIDTH} {top}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {box} role="img">'
    return "\n".join([head, f"<title>{escape(title)}</title>", _STYLE, *lines, "</svg>"]) + "\n"


def _legend(sides: Sequence[str], left: int) -> Iterator[str]:
    step = (WIDTH - left) // len(sides)
    for number, side in enumerate(sides):
        start, colour = left + number * step, _colour(number, sides)
        yield f'<rect x="{start}" y="8" width="12" height="12" fill="{colour}"/>'
        yield _text(start + 18, 19, side)


def _colour(number: int, sides: Sequence[str]) -> str:
    """Return the colour of a side: the last one is what the chart is about."""
    return COLOURS[-1] if number == len(sides) - 1 else COLOURS[number]


def _bar(bar: Bar, place: tuple[int, int], colour: str, scale: float) -> Iterator[str]:
    length, low, high = (round(size * scale) for size in (bar.value, bar.low, bar.high))
    left, top = place
    height, middle = _BAR - 4, top + _BAR // 2
    yield f'<rect x="{left}" y="{top + 2}" width="{length}" height="{height}" fill="{colour}"/>'
    if high > low:
        ends = f"M{left + low} {middle - 4}v8m0 -4h{high - low}m0 -4v8"
        yield f'<path d="{ends}"/>'
    yield _text(left + max(length, high) + 8, top + 15, bar.text)


def _text(left: float, top: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{left:g}" y="{top:g}" text-anchor="{anchor}">{escape(text)}</text>'
