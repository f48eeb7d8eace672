"""Read documents and labelled queries for `eval`: files of rows, folders, and BEIR's format.

Ids are strings, whatever their type in a file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from .output import quantity
from .rows import (
    STDIN,
    RowReader,
    check_readable,
    column_of,
    first_names,
    format_of,
    lines,
    opened,
    records,
)

__all__ = ["is_dataset", "judgements_of", "read_documents", "read_labelled", "read_queries"]

CORPUS, QUERIES, JUDGEMENTS = "corpus.jsonl", "queries.jsonl", "qrels"
"""Names in a folder in BEIR's format: two files, and a folder of judgements."""
USUAL_JUDGEMENTS = "test.tsv"
ID = "_id"
"""Column of ids in BEIR's files, whose documents may have a title too."""
QUERY, ANSWERS, SCORE = "query", "answers", "score"
MAX_BYTES = 1_000_000
"""Size of a document in a folder. Chosen: about eight times the longest context."""
Answers = dict[str, float]
"""Relevance of each document to a query, by the document's id."""


def is_dataset(path: str) -> bool:
    """Return whether a path is a folder in BEIR's format."""
    return (Path(path) / CORPUS).is_file() and (Path(path) / QUERIES).is_file()


def judgements_of(path: str) -> str:
    """Return the file of judgements in a folder in BEIR's format: `test.tsv`, or the only one.

    Raises:
        click.UsageError: There is none, or there are several without `test.tsv`.
    """
    folder = Path(path) / JUDGEMENTS
    found = sorted(folder.glob("*.tsv"))
    if folder / USUAL_JUDGEMENTS in found:
        return str(folder / USUAL_JUDGEMENTS)
    if len(found) != 1:
        names = ", ".join(each.name for each in found) or "none"
        raise click.UsageError(f"{folder} has {names}; name a file of judgements with --qrels")
    return str(found[0])


def read_documents(
    path: str,
    in_: str | None,
    column: str | None,
    id_column: str | None,
    note: Callable[[str], None],
) -> dict[str, str]:
    """Read documents: the rows of a file, or the files of a folder with their paths as ids.

    Args:
        path: A file, a folder, or a folder in BEIR's format.
        in_, column, id_column: The options of the same names.
        note: Called with a message for what is left out.

    Returns:
        Texts by id. The id of a row without one is its place in the file, from 0.

    Raises:
        click.UsageError: There are no documents, or two have the same id.
    """
    if path == STDIN:  # its first row would be read twice
        raise click.UsageError("DOCUMENTS must be a file or a folder, not standard input")
    left_out: Counter[str] = Counter()
    if is_dataset(path):
        path = str(Path(path) / CORPUS)
    if Path(path).is_dir():
        found = dict(_files(path, left_out))
    else:
        check_readable(path, "DOCUMENTS")
        found = {}
        for name, text in _rows(path, in_, column, id_column, left_out):
            if name in found:
                raise click.UsageError(f"{path} has two documents with the id {name!r}")
            found[name] = text
    for reason, count in sorted(left_out.items()):
        note(f"voyageai: left out {quantity(count, 'document')}: {reason}")
    if not found:
        raise click.UsageError(f"there are no documents in {path}")
    return found


def _files(path: str, left_out: Counter[str]) -> Iterator[tuple[str, str]]:
    from .folder_index.files import find_files, read_text

    for file in find_files(Path(path), ["."], most_bytes=MAX_BYTES, skipped=left_out):
        text = read_text(file.path)
        if text:
            yield file.name, text
        else:
            left_out["no text"] += 1


def _rows(
    path: str, in_: str | None, column: str | None, id_column: str | None, left_out: Counter[str]
) -> Iterator[tuple[str, str]]:
    format = format_of(path, in_)
    titled = id_column is None and ID in first_names(path, format)
    reader = RowReader((), (path,), in_, column, ID if titled else id_column, keep=titled)
    for row in reader:
        title = row.others.get("title")
        text = f"{title} {row.text}".strip() if title and row.error is None else row.text
        if row.error is None:
            yield str(row.index if row.id is None else row.id), text
        else:
            left_out[row.error] += 1


def read_labelled(path: str) -> dict[str, Answers]:
    """Read queries with their answers: rows with `query` and `answers`.

    `answers` is an id, a list of ids, or an object of scores by id; a single id may have a `score`.
    Rows with the same query are merged.

    Raises:
        click.UsageError: A row has no query or no answers.
    """
    found: dict[str, Answers] = {}
    for number, values in _objects(path):
        query = values.get(QUERY)
        if query == "":
            raise click.UsageError(f"{path}: the {QUERY} of row {number} is empty")
        if not isinstance(query, str) or values.get(ANSWERS) in (None, ""):
            shown = ", ".join(values) or "nothing"
            raise click.UsageError(
                f"{path}: row {number} must have a {QUERY} and its {ANSWERS}, ids of documents, "
                f"not {shown}; if the answers are in another file, name it with --qrels"
            )
        answers = found.setdefault(query, {})
        answers.update(_answers(values[ANSWERS], values.get(SCORE), f"{path}: row {number}"))
    return found


def _answers(value: Any, score: Any, where: str) -> Answers:
    if isinstance(value, Mapping):
        return {str(name): _score(gain, where) for name, gain in value.items()}  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]  # of JSON
    if isinstance(value, list):
        return dict.fromkeys(map(str, value), 1.0)  # pyright: ignore[reportUnknownArgumentType]  # of JSON
    return {str(value): 1.0 if score in (None, "") else _score(score, where)}


def read_queries(path: str, judgements: str) -> tuple[dict[str, Answers], int]:
    """Read queries, and their answers from a file of judgements.

    Args:
        path: A file of queries with ids; or a folder in BEIR's format.
        judgements: A file with a query, a document and a score in each line, as in BEIR; TREC's has
            an unused column after the query.

    Returns:
        The queries that have answers, and the number of those that have none.

    Raises:
        click.UsageError: A line is in none of these formats, or a query has no id.
    """
    if is_dataset(path):
        path = str(Path(path) / QUERIES)
    judged: dict[str, Answers] = {}
    for query, document, score in _judgements(judgements):
        if score > 0:
            judged.setdefault(query, {})[document] = score
    found: dict[str, Answers] = {}
    without = 0
    for number, values in _objects(path):
        names = list(values)
        id_column = next((name for name in ("id", ID) if name in names), None)
        column = QUERY if QUERY in names else column_of(names, None, path)
        if id_column is None:
            raise click.UsageError(f"{path}: row {number} has no id, which --qrels needs")
        answers = judged.get(str(values[id_column]))
        if answers is None:
            without += 1
            continue
        known = found.setdefault(str(values[column]), {})
        for document, score in answers.items():  # two queries may have the same words
            known[document] = max(score, known.get(document, 0.0))
    return found, without


def _judgements(path: str) -> Iterator[tuple[str, str, float]]:
    check_readable(path, "--qrels")
    with opened(path) as file:
        for number, line in enumerate(lines(file), 1):
            text = line.decode("utf-8", "replace")
            cells = text.split("\t") if "\t" in text else text.split()
            if not cells or (number == 1 and cells[-1].strip() == SCORE):
                continue
            if len(cells) not in (3, 4):
                raise click.UsageError(
                    f"{path}: line {number} must have a query, a document and a score, not {text!r}"
                )
            yield cells[0], cells[-2], _score(cells[-1], f"{path}: line {number}")


def _score(value: Any, where: str) -> float:
    try:
        return float(value)
    except (ValueError, TypeError):
        raise click.UsageError(f"{where}: the score must be a number, not {value!r}") from None


def _objects(path: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the rows of a file with columns, each with its number.

    Raises:
        click.UsageError: The file has no columns, or a row can't be read.
    """
    check_readable(path, "QUERIES")
    format = format_of(path, None)
    if format in ("lines", "file"):
        raise click.UsageError(f"{path} must end in .jsonl, .csv, .tsv, .parquet or .arrow")
    for number, (values, error) in enumerate(records(path, format), 1):
        if error is not None:
            raise click.UsageError(f"{path}: {error}")
        yield number, values
