"""Cards, tables and plots for notebooks: plain HTML and SVG that need no script and no style sheet.

Text takes the colour of the page, and lines are half transparent, so that both suit light and dark
pages. All text is escaped; unprintable characters are written as their codes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from math import log2

from voyageai_rest.errors import printable

__all__ = ["SHOWN", "card", "heat_map", "scatter", "shortened", "table"]

LINE = "1px solid rgba(128,128,128,.35)"
CARD = (
    f"border:{LINE};border-radius:6px;padding:8px 12px;margin:2px 0;display:inline-block;"
    "max-width:100%;overflow-x:auto;font-size:13px;line-height:1.45"
)
CELL = f"padding:3px 10px;border-bottom:{LINE};text-align:left;vertical-align:top"
NUMBER = f"{CELL};text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap"
FAINT = "opacity:.65"
NUMERIC = re.compile(r"\$?[\d,.e+-]*$")
SHOWN = 24
"""Rows of a table, and vectors of a heat map, that are shown at most."""
LONGEST = 160
"""Characters of a text that are shown at most."""
INKS = ("#2f7ed8", "#d9822b", "#2e9e5b", "#a05cc5", "#c94f4f", "#7d8590")
"""Colours that are distinct on white and on black."""


def shortened(text: str) -> str:
    """Return the beginning of a text, on one line."""
    line = " ".join(text[: 4 * LONGEST].split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def card(title: str, facts: Mapping[str, object], body: str = "") -> str:
    """Return a titled box.

    Args:
        title: The title, such as the name of a class.
        facts: Values to show, by name; those that are None are left out.
        body: HTML below the values.
    """
    known = (
        f'<span style="white-space:nowrap;margin-right:14px"><span style="{FAINT}">'
        f"{_escaped(name)}</span> {_escaped(str(value))}</span> "
        for name, value in facts.items()
        if value is not None
    )
    below = f'<div style="margin-top:6px">{body}</div>' if body else ""
    return f'<div style="{CARD}"><b>{_escaped(title)}</b><div>{"".join(known)}</div>{below}</div>'


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], count: int = 0) -> str:
    """Return a table, with columns of numbers aligned right; an empty string without rows.

    Args:
        headings: Column headings.
        rows: Rows of cells; None is an empty cell.
        count: Number of all rows, if `rows` are only the first of them.
    """
    listed = [list(row) for row in rows]
    if not listed:
        return ""
    more = max(0, count - len(listed))
    numeric = [
        all(NUMERIC.match(_cell(row[place])) for row in listed) for place in range(len(headings))
    ]

    def line(tag: str, cells: Sequence[object]) -> str:
        made = (
            f'<{tag} style="{NUMBER if right else CELL}">{_cell(cell)}</{tag}>'
            for cell, right in zip(cells, numeric, strict=True)
        )
        return f'<tr style="background:none">{"".join(made)}</tr>'

    body = "".join(line("td", row) for row in listed)
    head = line("th", headings)
    return (
        '<table style="border-collapse:collapse;font-size:inherit;margin:0">'
        f"<thead>{head}</thead><tbody>{body}</tbody></table>"
        + (f'<div style="{FAINT}">and {more:,} more</div>' if more else "")
    )


def _escaped(text: str) -> str:
    return escape(printable(text, limit=None))


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value)
        case int():
            return f"{value:,}"
        case float():
            return f"{value:.4g}"
        case _:
            return _escaped(str(value))


def heat_map(matrix: Sequence[Sequence[float]], labels: str = "similarity") -> str:
    """Return a small SVG picture of a matrix: the larger a number, the more opaque its cell.

    Args:
        matrix: Numbers, of shape (rows, columns).
        labels: Descriptions of the numbers, for the line below.
    """
    numbers = [number for row in matrix for number in row]
    if not numbers:
        return ""
    low, high = min(numbers), max(numbers)
    size = 14 if len(matrix) <= 16 else 8
    cells = "".join(
        f'<rect x="{column * size}" y="{row * size}" width="{size - 1}" height="{size - 1}" '
        f'fill="{INKS[0]}" fill-opacity="{_share(number, low, high):.2f}">'
        f"<title>{row}, {column}: {number:.4g}</title></rect>"
        for row, line in enumerate(matrix)
        for column, number in enumerate(line)
    )
    width, height = size * len(matrix[0]), size * len(matrix)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" role="img" '
        f'aria-label="{_escaped(labels)}">{cells}</svg>'
        f'<div style="{FAINT}">{_escaped(labels)}, {low:.3g} to {high:.3g}</div>'
    )


def _share(number: float, low: float, high: float) -> float:
    return 1.0 if high == low else 0.06 + 0.94 * (number - low) / (high - low)


def scatter(
    points: Sequence[tuple[str, float, float]], across: str, up: str, *, width: int = 640
) -> str:
    """Return a scatter plot as SVG, with a legend below.

    Args:
        points: Name, x and y of each point, x above 0 and y from 0.
        across: Label of the x axis, whose scale is logarithmic with base 2.
        up: Label of the y axis.
        width: Width of the picture, in pixels.
    """
    left, top, plot = 56, 14, 220
    right = width - 16
    places = sorted({x for _, x, _ in points}) or [1.0]
    first = log2(places[0]) - 0.5
    steps = log2(places[-1]) + 0.5 - first
    highest = max((y for _, _, y in points), default=0.0) or 1.0
    lowest = min((y for _, _, y in points), default=0.0)
    floor = max(0.0, lowest - 0.1 * (highest - lowest or highest))
    span = 1.05 * highest - floor

    def place(x: float, y: float) -> tuple[float, float]:
        along = (log2(x) - first) / steps
        return left + along * (right - left), top + plot * (1 - (y - floor) / span)

    text = 'font-size="11" fill="currentColor"'
    grid = "".join(
        f'<line x1="{left}" y1="{place(1, y)[1]:.1f}" x2="{right}" y2="{place(1, y)[1]:.1f}" '
        'stroke="currentColor" stroke-opacity=".15"/>'
        f'<text x="{left - 6}" y="{place(1, y)[1] + 4:.1f}" text-anchor="end" {text}>{y:.2f}</text>'
        for y in (floor + span * step / 5 for step in range(5))
    )
    ticks = "".join(
        f'<text x="{place(x, 0)[0]:.1f}" y="{top + plot + 16}" text-anchor="middle" {text}>'
        f"{x:,g}</text>"
        for x in places
    )
    dots = legend = ""
    for number, (name, x, y) in enumerate(points):
        ink = INKS[number % len(INKS)]
        mark = _mark(number // len(INKS), *place(x, y), ink)
        dots += f"<g>{mark}<title>{_escaped(name)}: {x:.4g}, {y:.4g}</title></g>"
        below = top + plot + 52 + 18 * number
        legend += _mark(number // len(INKS), left + 6, below - 4, ink)
        legend += f'<text x="{left + 18}" y="{below}" {text}>{_escaped(name)}</text>'
    height = top + plot + 52 + 18 * len(points)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" font-family="sans-serif" style="display:block" '
        f'aria-label="{_escaped(up)} by {_escaped(across)}">{grid}{ticks}'
        f'<line x1="{left}" y1="{top + plot}" x2="{right}" y2="{top + plot}" '
        'stroke="currentColor" stroke-opacity=".5"/>'
        f'<text x="{(left + right) / 2}" y="{top + plot + 32}" text-anchor="middle" {text}>'
        f"{_escaped(across)}</text>"
        f'<text x="12" y="{top + plot / 2}" text-anchor="middle" {text} '
        f'transform="rotate(-90 12 {top + plot / 2})">{_escaped(up)}</text>{dots}{legend}</svg>'
    )


def _mark(kind: int, x: float, y: float, ink: str) -> str:
    """Return a point's mark: round, or square once all colours have been used."""
    if kind % 2 == 0:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{ink}"/>'
    return f'<rect x="{x - 4.5:.1f}" y="{y - 4.5:.1f}" width="9" height="9" fill="{ink}"/>'
