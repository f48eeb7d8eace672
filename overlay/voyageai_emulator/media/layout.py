"""What a picture is known by: where it has which colours, and where it is light and dark.

Names come from coarse grids laid over the whole picture, so they outlast another size, another
format and the losses of compression, while pictures that look different share few. Values near the
edge of a step are on one side today and on the other tomorrow; each is therefore rounded twice,
with steps that are half a step apart, and at least one of the two names stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["SIDE", "layout"]

SIDE = 16
"""Cells in each direction of the grid that the names come from."""
COLOUR_GRIDS = (1, 2, 4, 8)
COLOUR_STEP = 32
COLOUR_OFFSETS = (8, 24)
"""Of these, since round numbers such as 64 and 128 are the most frequent in drawings."""
LIGHT_GRIDS = (8, 16)
LIGHT_STEP = 1.5
"""In standard deviations of a picture's lightness: faint and strong contrasts count alike."""
LIGHT_OFFSETS = (0.0, 0.5)
FLAT = 1.0
"""Standard deviation below which lightness says nothing."""


def layout(cells: NDArray[np.uint8]) -> tuple[str, ...]:
    """Names of a picture.

    Args:
        cells: Mean colours of a (`SIDE` x `SIDE` x 3) grid over it, rows first.
    """
    return (*_colours(cells), *_lights(cells))


def _colours(cells: NDArray[np.uint8]) -> Iterator[str]:
    for grid in COLOUR_GRIDS:
        means = _pooled(cells, grid).reshape(-1, 3)
        for offset in COLOUR_OFFSETS:
            steps = np.floor((means + offset) / COLOUR_STEP).astype(int)
            for cell, colour in enumerate(steps.tolist()):
                yield f"colour {grid} {offset} {cell} {colour}"


def _lights(cells: NDArray[np.uint8]) -> Iterator[str]:
    """The lightness of each square of four neighbouring cells, next to that of the picture."""
    for grid in LIGHT_GRIDS:
        means = _pooled(cells, grid).mean(axis=2)
        deviation = means.std()
        if deviation < FLAT:
            continue
        for offset in LIGHT_OFFSETS:
            steps = np.floor((means - means.mean()) / (deviation * LIGHT_STEP) + offset)
            fours = steps.astype(int).reshape(grid // 2, 2, grid // 2, 2).swapaxes(1, 2)
            for square, lights in enumerate(fours.reshape(-1, 4).tolist()):
                yield f"light {grid} {offset} {square} {lights}"


def _pooled(cells: NDArray[np.uint8], grid: int) -> NDArray[np.float64]:
    """Mean colours of a coarser grid."""
    each = SIDE // grid
    means: NDArray[np.float64] = cells.reshape(grid, each, grid, each, 3).mean(axis=(1, 3))
    return means
