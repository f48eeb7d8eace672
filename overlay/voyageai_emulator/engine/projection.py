"""Features into rows of whole numbers.

Each feature adds its amplitude, with a sign, at one coordinate of every *block*. Blocks end at
256, 512, 1024, 2048, … coordinates and hold equal shares of what a text says, so every prefix of
a row is itself a projection of the text (Matryoshka).

All sums are sums of whole numbers small enough to be exact in floating point: a text's row is the
same to the last bit on every machine and in whatever company the text is sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .features import Features, features

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from .features import Passage

__all__ = ["CHUNK", "project"]

Rows: TypeAlias = "NDArray[np.float32]"

CHUNK = 256
"""Width of the first block; that of every other is a multiple."""
RESOLUTION = 2.0**14
"""What a row's length in each block comes to, more or less, before rounding."""
LEAST = 61
"""Least of the eight factors by which the amplitudes of features vary."""
GROUP = 128
"""Passages worked on at once: their sums fit a processor's cache."""


def project(passages: Sequence[Passage], width: int) -> Rows:
    """Project passages to their first `width` coordinates, a multiple of `CHUNK`.

    Returns a (passages x width) matrix of whole numbers; a row is a prefix of the same passage's
    wider row.
    """
    out = np.empty((len(passages), width), np.float32)
    kinds = features(passages)
    for start in range(0, len(passages), GROUP):
        stop = min(start + GROUP, len(passages))
        group = [_between(kind, start, stop) for kind in kinds]
        owner = np.concatenate([kind.owner for kind in group]) - start
        codes = np.concatenate([kind.hashes for kind in group])
        amplitudes = np.concatenate([kind.amplitudes for kind in group]).astype(np.float64)
        # Unequal amplitudes, or the few features of a short text would cancel out all over.
        amplitudes *= LEAST + ((codes >> np.uint64(52)) & np.uint64(7))
        energy = np.bincount(owner, amplitudes * amplitudes, stop - start)
        scale = (RESOLUTION / np.sqrt(np.maximum(energy, 1)))[:, None]
        for number, begin, size, shift in _blocks(width):
            place = (codes >> np.uint64(shift)) & np.uint64(size - 1)
            sign = 1.0 - 2.0 * ((codes >> np.uint64(63 - number)) & np.uint64(1))
            flat = owner * size + place.astype(np.int64)
            sums = np.bincount(flat, amplitudes * sign, (stop - start) * size)
            end = min(begin + size, width)
            sums = sums.reshape(-1, size)[:, : end - begin]
            out[start:stop, begin:end] = np.rint(sums * scale)
    return out


def _between(kind: Features, start: int, stop: int) -> Features:
    low, high = np.searchsorted(kind.owner, [start, stop])
    return Features(kind.owner[low:high], kind.hashes[low:high], kind.amplitudes[low:high])


def _blocks(width: int) -> Iterator[tuple[int, int, int, int]]:
    """Number, first coordinate, size and place in the hash of each block up to `width`."""
    number, begin, size, shift = 0, 0, CHUNK, 0
    while begin < width:
        yield number, begin, size, shift
        number += 1
        shift += size.bit_length() - 1
        begin += size
        size = begin
