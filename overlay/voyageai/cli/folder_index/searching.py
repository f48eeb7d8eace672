"""Search an index: compare all vectors, a few thousand in memory at a time."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from ...extras import require
from .files import read_text
from .store import PART, lengths

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...results.vectored import Vectored
    from ...tables import VectorTable

__all__ = ["FOLDER", "Hit", "find_index", "nearest", "with_texts"]

FOLDER = ".voyageai"
"""Name of the folder of an index, in the indexed folder."""


@frozen(kw_only=True)
class Hit:
    """A chunk found by a search.

    Attributes:
        path: Its file, relative to the indexed folder.
        line, last_line: Numbers of its first and last line, from 1.
        start, stop: Its first character in the file, from 0, and the one after its last.
        sha256: SHA-256 of its text, in hexadecimal.
        score: Cosine similarity of its vector and the query's.
        text: Its text; None if it was not read, or has changed since it was embedded.
        relevance_score: Score of a reranker; None without one.
    """

    path: str
    line: int
    last_line: int
    start: int
    stop: int
    sha256: str
    score: float
    text: str | None = None
    relevance_score: float | None = None


def find_index(path: Path) -> Path | None:
    """Return the folder of a path's index, in it or in the nearest folder above; else None."""
    path = path.absolute()
    if (path / PART).exists():
        return path
    for folder in (path, *path.parents):
        if (folder / FOLDER / PART).exists():
            return folder / FOLDER
    return None


def nearest(table: VectorTable, query: Vectored, k: int, below: str | None = None) -> list[Hit]:
    """Find the chunks that are nearest to a query.

    Args:
        table: The index.
        query: A vector of the index's dtype and dimension.
        k: Number of chunks.
        below: Only chunks of this file, or of files in this folder, named as in the index.

    Returns:
        At most `k` chunks, the nearest first, without their texts.

    Raises:
        ArgumentError: The dimension of the query is not that of the index.
    """
    np = require("numpy", "tables")
    length = float(lengths(query.to_numpy(), table.about["output_dtype"])[0])
    best: list[Hit] = []
    for batch, similarities in table.similarity(query):
        scores = similarities / (batch.column("length").to_numpy() * length)
        if below is not None:
            scores = np.where(_is_below(batch.column("path"), below), scores, -np.inf)
        threshold = best[-1].score if len(best) == k else -np.inf
        places = np.flatnonzero(scores > threshold)
        if len(places) > k:
            places = places[np.argpartition(-scores[places], k - 1)[:k]]
        # Copied, since a slice of a column would keep the whole batch in memory.
        best += [_hit(batch, place, float(scores[place])) for place in places.tolist()]
        best.sort(key=lambda hit: -hit.score)
        del best[k:]
    return best


def with_texts(base: Path, hits: Sequence[Hit]) -> list[Hit]:
    """Read the texts of chunks from their files; a changed text stays None.

    Args:
        base: The indexed folder.
        hits: The chunks.
    """
    texts: dict[str, str | None] = {}
    found: list[Hit] = []
    for hit in hits:
        if hit.path not in texts:
            try:
                texts[hit.path] = read_text(base / hit.path)
            except OSError:
                texts[hit.path] = None
        part = (texts[hit.path] or "")[hit.start : hit.stop]
        same = hashlib.sha256(part.encode()).hexdigest() == hit.sha256
        found.append(evolve(hit, text=part if same else None))
    return found


def _hit(batch: Any, place: int, score: float) -> Hit:
    names = ("path", "line", "last_line", "start", "stop", "sha256")
    return Hit(**{name: batch.column(name)[place].as_py() for name in names}, score=score)


def _is_below(paths: Any, below: str) -> Any:
    pc = require("pyarrow.compute", "tables")
    inside = pc.starts_with(paths, f"{below}/")
    return pc.or_(inside, pc.equal(paths, below)).to_numpy(zero_copy_only=False)
