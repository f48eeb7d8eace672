"""`voyageai search`: find the chunks of an indexed folder that are nearest to a query."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .index import CONFIRM_ABOVE, confirmation, settings_for, update
from .options import client_options, output_options
from .output import Console, choose_format, pass_console, write_rows

if TYPE_CHECKING:
    from ..client import Client
    from ..tables import VectorTable
    from .folder_index.searching import Hit

FORMATS = ("json", "jsonl", "csv", "table")
HEADING = ("path", "line", "last_line", "score", "relevance_score", "text")
CANDIDATES = 4
"""Factor of `-k` for the chunks that a reranker gets, at least `MIN_CANDIDATES` of them."""
MIN_CANDIDATES, MAX_CANDIDATES = 40, 1000


@click.command()
@click.argument("query")
@click.argument(
    "place", required=False, metavar="[PATH]", type=click.Path(exists=True, path_type=Path)
)
@click.option(
    "-k", type=click.IntRange(min=1), default=10, show_default=True, help="Number of chunks."
)
@click.option(
    "-m",
    "--model",
    metavar="NAME",
    help="Model for the query: the index's, or another of its embedding space.",
)
@click.option("--rerank", is_flag=True, help="Sort the nearest chunks with a reranker.")
@click.option(
    "--rerank-model",
    metavar="NAME",
    help="Name of the reranker, by default the newest; implies --rerank.",
)
@click.option(
    "--index",
    "folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of the index; by default the .voyageai of PATH, or of the nearest folder above.",
)
@click.option(
    "--confirm-above",
    type=float,
    default=CONFIRM_ABOVE,
    show_default=True,
    metavar="DOLLARS",
    help="On a terminal, ask before building a missing index that costs more than this.",
)
@output_options(*FORMATS)
@client_options
@pass_console
def search(
    console: Console,
    /,
    connect: Callable[[], Client],
    query: str,
    place: Path | None,
    k: int,
    model: str | None,
    rerank: bool,
    rerank_model: str | None,
    folder: Path | None,
    confirm_above: float,
    out: str | None,
    path: str | None,
) -> None:
    """Find what a question is about in an indexed folder.

    Show the nearest chunks: file and line, text, and the cosine similarity. With PATH only chunks
    of this folder or file. If PATH has no index, it is built first with the model of -m, and the
    expected cost is shown. Files that have changed since are not read again; `voyageai index` does
    that.

    \b
    Example:
      voyageai search "where is the key read?" src --rerank
    """
    from .. import tables
    from ..error import ArgumentError
    from .folder_index.searching import find_index, nearest, with_texts
    from .folder_index.settings import KEY

    format = choose_format(out, path, FORMATS)
    start = Path() if place is None else place
    index = folder or find_index(start)
    if index is None or (folder is None and not _covers(index, place)):
        index = _build(connect, console, place, model, confirm_above)
    try:
        table = tables.open(index)
    except ArgumentError as failure:
        raise click.UsageError(str(failure)) from None
    if KEY not in table.about:
        raise click.UsageError(
            f"{index} is a table, not an index; search it with voyageai.tables.open({str(index)!r})"
        )
    base = index.absolute().parent
    if rerank_model is not None or rerank:
        count = min(max(k * CANDIDATES, MIN_CANDIDATES, k), MAX_CANDIDATES)
    else:
        count = k
    with connect() as client:
        vector = _embedded(client, console, query, model, table)
        hits = with_texts(base, nearest(table, vector, count, _below(place, base)))
        changed = sum(hit.text is None for hit in hits[:k])
        if rerank_model is not None or rerank:
            hits = _reranked(client, query, hits, k, rerank_model)
    if changed:
        console.note(
            f"{changed} of the nearest chunks have changed since they were embedded; "
            "`voyageai index` brings the index up to date"
        )
    if format == "table":
        lines = [_line(hit, base) for hit in hits]
        write_rows(lines, format, path, columns=("score", "place", "text"))
        return
    rows = [
        {name: getattr(hit, name) for name in HEADING} | {"path": _shown_path(hit, base)}
        for hit in hits
    ]
    write_rows(rows, format, path, columns=HEADING)


def _build(
    connect: Callable[[], Client],
    console: Console,
    place: Path | None,
    model: str | None,
    confirm_above: float,
) -> Path:
    """Build the index of a folder that has none."""
    from .index import place_of

    if place is None:
        raise click.UsageError(
            "there is no index here or above; name a folder to index, and a model: "
            "voyageai search QUERY PATH -m voyage-4"
        )
    paths = [str(place)]
    folder = place_of(paths)
    settings = settings_for(folder, paths, {"model": model})
    update(connect, console, folder, settings, confirmation(console, confirm_above))
    return folder


def _embedded(
    client: Client, console: Console, query: str, model: str | None, table: VectorTable
) -> Any:
    """Embed the query with the settings of the index."""
    from ..argument_checks import catalogue_entry

    about = table.about
    entry = None if model is None else catalogue_entry(model)
    space = None if entry is None else entry.embedding_space
    if model not in (None, about["model"]) and (space is None or space != about["space"]):
        console.error(
            f"voyageai: warning: {model} is not known to share the embedding space of "
            f"{about['model']}, the model of the index: the scores mean nothing"
        )
    return client.embed_query(
        query,
        model=model or about["model"],
        output_dtype=about["output_dtype"],
        output_dimension=about["dimension"],
    )


def _reranked(
    client: Client, query: str, hits: Sequence[Hit], k: int, model: str | None
) -> list[Hit]:
    """Sort chunks with a reranker; chunks whose text has changed are left out."""
    from attrs import evolve

    readable = [hit for hit in hits if hit.text is not None]
    if not readable:
        return []
    texts = [hit.text or "" for hit in readable]
    ranked = client.rerank(
        query, texts, model=model or _newest_reranker(), top_k=min(k, len(readable))
    )
    return [
        evolve(readable[result.index], relevance_score=result.relevance_score)
        for result in ranked.results
    ]


def _newest_reranker() -> str:
    """Return the first active reranker of the catalogue, which has the newest first."""
    from voyageai_rest.catalogue import MODELS

    return next(
        name
        for name, model in MODELS.items()
        if model.endpoint == "rerank" and model.lifecycle == "active"
    )


def _below(place: Path | None, base: Path) -> str | None:
    """Return a folder or file as the index names it; None for the whole index."""
    if place is None:
        return None
    absolute = Path(os.path.abspath(place))  # noqa: PTH100  # `resolve` would follow links
    if absolute == base or not absolute.is_relative_to(base):
        return None if base.is_relative_to(absolute) else absolute.as_posix()
    return absolute.relative_to(base).as_posix()


def _covers(folder: Path, place: Path | None) -> bool:
    """Return True if an index has, or can have, chunks of a folder or file."""
    from .folder_index.settings import settings_of

    settings = settings_of(folder)
    below = _below(place, folder.absolute().parent)
    return below is None or any(
        root == "." or f"{below}/".startswith(f"{root}/") or root.startswith(f"{below}/")
        for root in (settings.roots if settings is not None else ())
    )


def _line(hit: Hit, base: Path) -> Mapping[str, Any]:
    """Return a row of a table: the score, the place, and the beginning of the text."""
    score = hit.score if hit.relevance_score is None else hit.relevance_score
    text = "(changed)" if hit.text is None else hit.text.lstrip()
    return {
        "score": f"{score:.4f}",
        "place": f"{_shown_path(hit, base)}:{hit.line}",
        "text": text[:400],
    }


def _shown_path(hit: Hit, base: Path) -> str:
    """Return the path of a file, relative to the current folder if it is below."""
    path, here = base / hit.path, Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
