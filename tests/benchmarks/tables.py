"""Tables of readings: medians, ratios, and whether bars are reached."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from .bars import BARS, Bar

# The readings of one row, by quantity: one for each process or call.
Readings = dict[str, list[float]]


@dataclass
class Section:
    """One table.

    Attributes:
        title: Title of a section in `bars`.
        base: Row that ratios refer to; None if there are no ratios.
        rows: Readings by row.
    """

    title: str
    base: str | None = None
    rows: dict[str, Readings] = field(default_factory=dict[str, Readings])

    def add(self, row: str, reading: dict[str, float]) -> None:
        """Add one reading of each quantity."""
        for quantity, value in reading.items():
            self.rows.setdefault(row, {}).setdefault(quantity, []).append(value)

    @property
    def quantities(self) -> list[str]:
        return list(dict.fromkeys(name for readings in self.rows.values() for name in readings))

    def value(self, row: str, quantity: str) -> float:
        """Return the median of the readings."""
        return median(self.rows[row][quantity])

    def ratio(self, row: str, quantity: str, base: str | None = None) -> float | None:
        """Return the ratio of the median to the median of a base row; by default the section's."""
        base = base or self.base
        if base is None:
            return None
        return self.value(row, quantity) / self.value(base, quantity)

    def verdicts(self) -> Iterator[tuple[Bar, float, bool]]:
        """Yield each bar of this section, the figure it applies to, and whether it is reached."""
        for bar in BARS:
            if bar.section == self.title:
                value = self.value(bar.row, bar.quantity)
                ratio = self.ratio(bar.row, bar.quantity, bar.base)
                figure = ratio if bar.ratio and ratio is not None else value
                yield bar, figure, figure <= bar.limit

    def grid(self) -> list[list[str]]:
        """Return the table as lists of cells; the first is the header."""
        heads = [self.title]
        for quantity in self.quantities:
            heads += [quantity, "ratio"] if self.base else [quantity]
        lines = [[*heads, "bar"]]
        verdicts = list(self.verdicts())
        for row, readings in self.rows.items():
            line = [row]
            for quantity in self.quantities:
                known = quantity in readings
                line.append(_short(self.value(row, quantity)) if known else "")
                if self.base:
                    ratio = self.ratio(row, quantity) if known else None
                    line.append("" if ratio is None else f"{ratio:.3f}")
            line.append(", ".join(_verdict(*one) for one in verdicts if one[0].row == row))
            lines.append(line)
        return lines

    def as_json(self) -> dict[str, Any]:
        """Return all readings and results, for later comparison."""
        return {
            "title": self.title,
            "base": self.base,
            "rows": {
                row: {
                    quantity: {
                        "median": self.value(row, quantity),
                        "ratio": self.ratio(row, quantity),
                        "readings": values,
                    }
                    for quantity, values in readings.items()
                }
                for row, readings in self.rows.items()
            },
            "bars": [
                {
                    "row": bar.row,
                    "quantity": bar.quantity,
                    "ratio": bar.ratio,
                    "base": bar.base or self.base,
                    "limit": bar.limit,
                    "figure": figure,
                    "reached": reached,
                    "meaning": bar.meaning,
                }
                for bar, figure, reached in self.verdicts()
            ],
        }


def show(section: Section) -> None:
    """Print a table with a column per contender."""
    grid = section.grid()
    widths = [max(map(len, column)) for column in zip(*grid, strict=True)]
    rule = ["-" * width for width in widths]
    for line in (grid[0], rule, *grid[1:]):
        cells = list(zip(line, widths, strict=True))
        numbers = [cell.rjust(width) for cell, width in cells[1:-1]]
        print("  ".join([line[0].ljust(widths[0]), *numbers, line[-1]]).rstrip())
    print(flush=True)


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"


def _verdict(bar: Bar, figure: float, reached: bool) -> str:
    of = f" of {bar.base.split(',')[0]}'s" if bar.base else ""
    return f"{bar.quantity} <= {bar.limit:g}{of}: {'ok' if reached else f'MISSED, {figure:.3f}'}"
