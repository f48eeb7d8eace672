"""`voyageai eval`: its input, its output, and its cost limit."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import voyageai
from voyageai.evaluation import evaluate
from voyageai_emulator import Emulator

from .conftest import SECRET, Run

TEXTS = {
    "cat": "A cat sleeps on the mat.",
    "rain": "It will rain in May.",
    "keys": "The keys are on the kitchen table.",
    "snow": "Snow came early.",
}
QUERIES: dict[str, dict[str, float]] = {
    "where does the cat sleep?": {"cat": 1},
    "is there rain in May?": {"rain": 2, "snow": 1},
}
OPTIONS = ("-m", "voyage-4", "-d", 1024, "-d", 256, "--dtype", "float", "--dtype", "int8")


def lines(rows: Sequence[dict[str, Any]]) -> str:
    """Return rows as JSONL."""
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Write documents and queries in each format that the command reads."""
    rows = [{"id": name, "text": text} for name, text in TEXTS.items()]
    (tmp_path / "documents.jsonl").write_text(lines(rows))
    (tmp_path / "texts").mkdir()
    for name, text in TEXTS.items():
        (tmp_path / "texts" / name).write_text(text)
    labelled = [{"query": query, "answers": answers} for query, answers in QUERIES.items()]
    (tmp_path / "queries.jsonl").write_text(lines(labelled))
    (tmp_path / "queries.csv").write_text(
        "query,answers,score\n"
        + "".join(f"{q},{name},{s}\n" for q, found in QUERIES.items() for name, s in found.items())
    )
    beir = tmp_path / "beir"
    (beir / "qrels").mkdir(parents=True)
    titled = [
        {"_id": name, "title": text.split()[0], "text": text.partition(" ")[2]}
        for name, text in TEXTS.items()
    ]
    (beir / "corpus.jsonl").write_text(lines(titled))
    asked = [{"_id": f"q{n}", "text": query} for n, query in enumerate(QUERIES)]
    (beir / "queries.jsonl").write_text(lines([*asked, {"_id": "unjudged", "text": "why?"}]))
    judged = [(n, name, s) for n, q in enumerate(QUERIES) for name, s in QUERIES[q].items()]
    (beir / "qrels" / "test.tsv").write_text(
        "query-id\tcorpus-id\tscore\nq0\tkeys\t0\n"
        + "".join(f"q{n}\t{name}\t{int(score)}\n" for n, name, score in judged)
    )
    (beir / "qrels" / "train.tsv").write_text("query-id\tcorpus-id\tscore\nq0\tkeys\t1\n")
    (tmp_path / "trec").write_text("".join(f"q{n} 0 {name} {s}\n" for n, name, s in judged))
    return tmp_path


def rows(output: str) -> list[dict[str, Any]]:
    """Return the rows of JSONL."""
    return [json.loads(line) for line in output.splitlines()]


@pytest.mark.parametrize(
    "inputs",
    [
        ["documents.jsonl", "queries.jsonl"],
        ["documents.jsonl", "queries.csv"],
        ["texts", "queries.jsonl"],
        ["beir"],
        ["beir", "--qrels", "beir/qrels/test.tsv"],
        ["documents.jsonl", "beir/queries.jsonl", "--qrels", "trec"],
    ],
    ids=" ".join,
)
def test_every_form_of_data_gives_the_scores_of_a_program(
    run: Run, emulator: Emulator, data: Path, inputs: list[str]
) -> None:
    """The input format must not affect the scores, which equal those of the Python API."""
    found = rows(run("eval", *inputs, *OPTIONS, "--reranker", "rerank-3", "-k", 2).stdout)
    with voyageai.Client(SECRET, base_url=emulator) as vo:
        expected = evaluate(
            vo,
            TEXTS,
            QUERIES,
            models="voyage-4",
            dimensions=[1024, 256],
            dtypes=["float", "int8"],
            rerankers=[None, "rerank-3"],
            k=2,
        )
    assert [
        {
            "model": row.model,
            "dimension": row.dimension,
            "dtype": row.dtype,
            "reranker": row.reranker,
            "k": 2,
            "recall": pytest.approx(row.scores.recall),
            "mrr": pytest.approx(row.scores.mrr),
            "ndcg": pytest.approx(row.scores.ndcg),
            "bytes": row.bytes,
            "tokens": row.tokens,
            "rerank_tokens": row.rerank_tokens,
            "cost_usd": row.cost,
        }
        for row in expected
    ] == found
    assert 8 == len(found)
    assert 1 != found[0]["ndcg"] != 0


def test_a_table_is_for_people_and_csv_for_sheets(run: Run, data: Path) -> None:
    """Both show every combination, and the billed cost is stated once."""
    done = run("eval", "beir", *OPTIONS, "-o", "table")
    heading, *shown = done.stdout.splitlines()
    assert "model     dimension  dtype  reranker  recall@10    MRR  nDCG@10  bytes" in heading
    assert 4 == len(shown)
    assert "left out 1 query without an answer in beir/qrels/test.tsv" in done.stderr
    assert "4 documents, 2 queries: about" in done.stderr
    assert "billed:" in done.stderr
    found = [*csv.DictReader(io.StringIO(run("eval", "beir", *OPTIONS, "-o", "csv").stdout))]
    assert ["1024", "1024", "256", "256"] == [row["dimension"] for row in found]


def test_a_plot_is_a_picture_of_all_combinations(run: Run, data: Path) -> None:
    """The plot opens in any browser."""
    run("eval", "beir", *OPTIONS, "--plot", "sizes.svg", "-O", "rows.json")
    drawn = (data / "sizes.svg").read_text()
    assert drawn.startswith('<svg xmlns="http://www.w3.org/2000/svg"')
    assert 4 * 2 == drawn.count("<circle ")  # in the chart and in its legend
    for name in ("1024 x float", "256 x int8"):
        assert name in drawn
    assert 4 == len(json.loads((data / "rows.json").read_text()))


def test_an_estimate_sends_nothing(run: Run, data: Path, emulator: Emulator) -> None:
    """Users want to know the cost of a comparison first."""
    said = json.loads(run("eval", "beir", *OPTIONS, "--dry-run").stdout)
    assert (4, 2, {"voyage-4"}) == (said["documents"], said["queries"], set(said["tokens"]))
    assert len(str(said["cost_usd"])) < 12  # rounded to a few decimals
    assert 0 < said["cost_usd"] < 0.01
    assert not emulator.requests


def test_more_than_the_highest_cost_is_not_begun(run: Run, data: Path, emulator: Emulator) -> None:
    """The exit status tells scripts that the cost is too high."""
    done = run("eval", "beir", *OPTIONS, "--max-cost", "0.0000001", status=6)
    assert "--max-cost: max_cost is $0.0000001" in done.stderr
    assert not emulator.requests
    run("eval", "beir", *OPTIONS, "--max-cost", "1")


@pytest.mark.parametrize(
    ("more", "answer", "status"), [([], "n", 6), ([], "y", 0), (["--yes"], "", 0)]
)
def test_a_terminal_is_asked_before_much_is_spent(
    environment: dict[str, str],
    emulator: Emulator,
    data: Path,
    more: list[str],
    answer: str,
    status: int,
) -> None:
    """The question is the same as for an index."""
    words = ("eval", "beir", "-m", "voyage-4", "--confirm-above", "0.0000001")
    ours, theirs = pty.openpty()
    os.write(ours, f"{answer}\n".encode())
    done = subprocess.run(
        [sys.executable, "-m", "voyageai", *words, *more],
        cwd=data,
        env=environment,
        stdin=theirs,
        stderr=theirs,
        stdout=subprocess.PIPE,
        check=False,
    )
    said = os.read(ours, 10_000)
    os.close(theirs)
    os.close(ours)
    assert status == done.returncode, said
    assert (not more) == (b"Send these texts?" in said)
    assert bool(status) == (not emulator.requests)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["documents.jsonl"], "name a file of labelled queries"),
        (["-", "queries.jsonl"], "DOCUMENTS must be a file or a folder"),
        (["nowhere", "queries.jsonl"], "DOCUMENTS names nowhere, which does not exist"),
        (["documents.jsonl", "nowhere"], "QUERIES names nowhere, which does not exist"),
        (["documents.jsonl", "trec"], "trec must end in .jsonl, .csv"),
        (["documents.jsonl", "documents.jsonl"], "row 1 must have a query and its answers"),
        (["documents.jsonl", "no_query.jsonl"], "no_query.jsonl: the query of row 1 is empty"),
        (["documents.jsonl", "no_id.jsonl", "--qrels", "trec"], "row 1 has no id"),
        (["documents.jsonl", "beir/queries.jsonl", "--qrels", "queries.csv"], "line 1 must have"),
        (["documents.jsonl", "beir/queries.jsonl", "--qrels", "word"], "must be a number"),
        (["documents.jsonl", "beir/queries.jsonl", "--qrels", "none"], "none of the queries"),
        (["twice.jsonl", "queries.jsonl"], "two documents with the id 'a'"),
        (["empty.jsonl", "queries.jsonl"], "there are no documents in empty.jsonl"),
        (["other.jsonl", "queries.jsonl"], "no document has the id 'cat'"),
        (["beir", "-k", "0"], "-k: k must be at least 1"),
        (["beir", "-d", "7"], "7"),
        (["beir", "--reranker", "voyage-4"], "--reranker: rerankers: voyage-4 is a model of"),
        (["beir", "--candidates", "0"], "--candidates: candidates must be from 1"),
        (["beir", "--plot", "nowhere/a.svg"], "there is no folder nowhere"),
        (["beir", "--plot", "sizes.png"], "--plot draws SVG: name a file that ends in .svg, not"),
        (["beir", "--plot", "sizes"], "--plot draws SVG"),
        (["beir", "-O", "nowhere/a.json"], "there is no folder nowhere"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_unusable_input_is_reported_before_anything_is_sent(
    run: Run, data: Path, emulator: Emulator, words: list[str], message: str
) -> None:
    """A comparison of wrong data would still be billed."""
    (data / "twice.jsonl").write_text(lines([{"id": "a", "text": "b"}] * 2))
    (data / "empty.jsonl").write_text(lines([{"id": "a", "text": ""}]))
    (data / "other.jsonl").write_text(lines([{"id": "a", "text": "b"}]))
    (data / "no_id.jsonl").write_text(lines([{"text": "b"}]))
    (data / "no_query.jsonl").write_text(lines([{"query": "", "answers": "cat"}]))
    (data / "word").write_text("q0 cat much\n")
    (data / "none").write_text("q7 cat 1\n")
    assert message in run("eval", *words, "-m", "voyage-4", status=2).stderr
    assert not emulator.requests
    assert not (data / "nowhere").exists()


def test_documents_without_text_are_omitted_and_reported(run: Run, data: Path) -> None:
    """An index would not contain these documents either."""
    (data / "texts" / "picture").write_bytes(b"\x89PNG\0")
    (data / "texts" / ".hidden").write_text("hidden")
    done = run("eval", "texts", "queries.jsonl", "-m", "voyage-4")
    assert "left out 1 document: no text" in done.stderr
    assert "4 documents, 2 queries" in done.stderr
