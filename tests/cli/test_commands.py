"""The commands other than `embed`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import voyageai
import voyageai_emulator
from click.shell_completion import get_completion_class
from voyageai.cli.completion import SHELLS
from voyageai_emulator import Emulator
from voyageai_rest.catalogue import MODELS

from .conftest import SECRET, Run, Shell

DOCUMENTS = ["It rains.", "The keys are on the table.", "Snow."]
RERANK = ("rerank", "-m", "rerank-3", "Where are the keys?")


def rows(output: str) -> list[dict[str, Any]]:
    """Return the rows of JSONL."""
    return [json.loads(line) for line in output.splitlines()]


def test_rerank_sorts_lines(run: Run) -> None:
    """Each line keeps its position in the input as its index."""
    found = rows(run(*RERANK, input="\n".join(DOCUMENTS)).stdout)
    assert {"index", "id", "score", "document"} == set(found[0])
    assert (1, DOCUMENTS[1]) == (found[0]["index"], found[0]["document"])
    assert sorted((row["score"] for row in found), reverse=True) == [row["score"] for row in found]
    assert 1 == len(rows(run(*RERANK, *DOCUMENTS, "-k", 1).stdout))
    assert [] == rows(run(*RERANK, *DOCUMENTS, "--min-score", 2).stdout)


def test_rerank_leaves_empty_lines_out_and_says_so(run: Run) -> None:
    """Indexes still count all lines of the input."""
    done = run(*RERANK, input="\n\nThe keys.\n", status=5)
    assert [2] == [row["index"] for row in rows(done.stdout)]
    assert "2 of 3 documents were left out" in done.stderr


def test_rerank_takes_no_more_than_a_request_does(run: Run, emulator: Emulator) -> None:
    """The error says how to reduce the number of documents."""
    done = run(*RERANK, input="a\n" * 1001, status=2)
    assert "more than 1,000 documents" in done.stderr
    assert 0 == len(emulator.requests)


def test_rerank_keeps_ids_of_files(run: Run, tmp_path: Path) -> None:
    """Programs use a ranking by ids."""
    lines = [json.dumps({"id": f"d{n}", "text": text}) for n, text in enumerate(DOCUMENTS)]
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    assert "d1" == rows(run(*RERANK, "-f", "in.jsonl").stdout)[0]["id"]


def test_two_texts_give_a_number_and_more_a_matrix(run: Run) -> None:
    """A shell can use a single number directly."""
    words = ("similarity", "-m", "voyage-4")
    number = float(run(*words, "It rains.", "It pours.").stdout)
    assert -1 < number < 1
    found = rows(run(*words, *DOCUMENTS).stdout)
    assert [3, 3, 3] == [len(row["similarity"]) for row in found]
    assert 1 == pytest.approx(found[1]["similarity"][1])


@pytest.mark.parametrize("name", ["a.npy", "a.parquet", "a.jsonl"])
@pytest.mark.parametrize("dtype", ["float", "int8", "ubinary"])
def test_stored_vectors_are_compared_without_a_call(
    run: Run, emulator: Emulator, name: str, dtype: str
) -> None:
    """The result is the one that the client computes for the same vectors."""
    with voyageai.Client(SECRET, base_url=emulator) as vo:
        found = vo.embed_documents(DOCUMENTS, "voyage-4", output_dtype=dtype)
    expected = found.similarity(found)
    run("embed", "-m", "voyage-4", *DOCUMENTS, "--dtype", dtype, "-O", name)
    emulator.requests.clear()
    words = ("similarity", "-f", name, "-f", name, "--dtype", dtype)
    scores = [row["similarity"] for row in rows(run(*words).stdout)]
    assert np.allclose(expected, scores)
    assert 0 == len(emulator.requests)


def test_whole_numbers_need_their_dtype(run: Run) -> None:
    """int8 and packed bits look the same, but are compared in different ways."""
    run("embed", "-m", "voyage-4", "a", "b", "--dtype", "binary", "-O", "a.npy")
    assert "--dtype" in run("similarity", "-f", "a.npy", status=2).stderr


def test_vectors_of_two_spaces_are_warned_of(run: Run) -> None:
    """The similarity of vectors of two models is meaningless."""
    for model in ("voyage-4", "voyage-3.5"):
        run("embed", "-m", model, "a", "-O", f"{model}.parquet")
    done = run("similarity", "-f", "voyage-4.parquet", "-f", "voyage-3.5.parquet")
    assert "different embedding spaces" in done.stderr


def test_models_are_those_of_the_catalogue(run: Run, emulator: Emulator) -> None:
    """The list needs neither a key nor a request."""
    found = rows(run("models", VOYAGE_API_KEY="").stdout)
    active = [model.name for model in MODELS.values() if model.lifecycle == "active"]
    assert active == [row["name"] for row in found]
    assert len(MODELS) == len(rows(run("models", "--all").stdout))
    assert "voyage-4" == json.loads(run("models", "voyage-4", "--json").stdout)["name"]
    assert "did you mean" in run("models", "voyage-44", status=2).stderr
    ranked = rows(run("models", "--endpoint", "rerank").stdout)
    assert {"rerank"} == {row["endpoint"] for row in ranked}
    assert 0 == len(emulator.requests)


def test_tokens_are_those_of_the_tokenizer(run: Run, emulator: Emulator) -> None:
    """The command prints a number per text, and their sum."""
    with voyageai.Client(SECRET, base_url=emulator) as vo:
        expected = [len(each) for each in vo.tokenize(DOCUMENTS, "voyage-4")]
    done = run("tokens", "-m", "voyage-4", *DOCUMENTS)
    assert expected == [row["tokens"] for row in rows(done.stdout)]
    assert f"{sum(expected)} tokens of voyage-4" in done.stderr
    more = rows(run("tokens", "-m", "voyage-4", *DOCUMENTS, "--with-prompt").stdout)
    assert all(row["tokens"] > count for row, count in zip(more, expected, strict=True))
    shown = rows(run("tokens", "-m", "voyage-4", "--ids", "--pieces", "a b").stdout)[0]
    assert len(shown["ids"]) == len(shown["pieces"]) == shown["tokens"]


def test_texts_are_cut_to_tokens(run: Run) -> None:
    """Each text becomes one line, in order."""
    done = run("tokens", "-m", "voyage-4", "--truncate", 2, input="one two three four\nfive\n")
    first, second = done.stdout.splitlines()
    assert "one two three four".startswith(first)
    assert len(first) < 18
    assert "five" == second
    assert 2 == rows(run("tokens", "-m", "voyage-4", first).stdout)[0]["tokens"]


def test_a_prompt_counts_where_texts_are_cut(run: Run) -> None:
    """The prompt takes tokens of the context length, so less is left for the text."""
    text = "one two three four five six"
    words = ("tokens", "-m", "voyage-4", text)
    (plain,), (sent,) = (rows(run(*words, *more).stdout) for more in ((), ("--with-prompt",)))
    room = sent["tokens"] - plain["tokens"] + 2
    expected = run(*words, "--truncate", 2).stdout
    assert expected == run(*words, "--truncate", room, "--with-prompt").stdout
    assert text == run(*words, "--truncate", 99).stdout.strip()


def test_a_value_that_is_not_text_has_no_tokens(run: Run) -> None:
    """The other texts are still counted."""
    done = run("tokens", "-m", "voyage-4", input=b"\xff\n\na\n", status=5)
    assert [None, 0, 1] == [row["tokens"] for row in rows(done.stdout)]
    assert "row 0: it is not valid UTF-8" in done.stderr


def test_malformed_vectors_are_reported(run: Run, tmp_path: Path) -> None:
    """A damaged file is a user error, not a bug."""
    (tmp_path / "a.parquet").write_bytes(b"no table")
    assert "a.parquet can't be read" in run("similarity", "-f", "a.parquet", status=2).stderr
    assert "does not exist" in run("similarity", "-f", "nowhere.npy", status=2).stderr
    pq.write_table(pa.table({"embedding": [[1.0, 2.0], [3.0, 4.0, 5.0]]}), tmp_path / "b.parquet")
    assert "of 2 to 3 numbers" in run("similarity", "-f", "b.parquet", status=2).stderr


def test_vectors_of_other_writers_are_compared_too(run: Run, tmp_path: Path) -> None:
    """The lists of other writers may have no fixed size."""
    pq.write_table(pa.table({"embedding": [[1.0, 0.0], [0.6, 0.8]]}), tmp_path / "a.parquet")
    assert pytest.approx(0.6) == float(run("similarity", "-f", "a.parquet").stdout)


def test_costs_are_list_prices(run: Run) -> None:
    """The command shows live and batch costs, for a number of tokens or for texts."""
    (found,) = rows(run("cost", "--tokens", "10M", "-m", "voyage-4").stdout)
    model = MODELS["voyage-4"]
    assert model.price is not None
    assert 10 * (model.price.usd_per_million_tokens or 0) == pytest.approx(found["live_usd"])
    assert found["batch_usd"] < found["live_usd"]
    assert 10_000_000 == found["tokens"]
    estimated = rows(run("cost", *DOCUMENTS).stdout)
    assert 1 == len({row["tokens"] for row in estimated})
    (exact,) = rows(run("cost", *DOCUMENTS, "--exact", "-m", "voyage-4").stdout)
    assert (
        sum(row["tokens"] for row in rows(run("tokens", "-m", "voyage-4", *DOCUMENTS).stdout))
        == (exact["tokens"])
    )
    assert "--tokens must be" in run("cost", "--tokens", "many", status=2).stderr


def test_a_doctor_tells_what_is_there_and_no_secret(run: Run, emulator: Emulator) -> None:
    """Users paste the report into an issue."""
    done = run(
        "doctor", "--json", HTTPS_PROXY="http://me:hunter2@127.0.0.1:9", NO_PROXY="127.0.0.1"
    )
    found = json.loads(done.stdout)
    checks = {check["check"]: check for check in found["checks"]}
    assert 0 == found["status"]
    assert "hunter2" not in done.output
    assert "from VOYAGE_API_KEY; it begins with pa-" == checks["key"]["detail"]
    assert "ok" == checks["call"]["state"]
    assert "1 token" in checks["call"]["detail"]
    assert emulator.url in checks["host"]["detail"]
    assert "on in programs that import OpenTelemetry" == checks["telemetry"]["detail"]
    assert 1 == len(emulator.requests.of("createEmbeddings"))


def test_a_doctor_fails_for_a_key_or_a_connection(run: Run) -> None:
    """The exit status tells a problem with the key from one with the connection."""
    assert "FAIL" in run("doctor", "-o", "table", status=3, VOYAGE_API_KEY="").stdout
    run("doctor", "--base-url", "http://127.0.0.1:1/v1", "--max-retries", 0, status=4)
    with voyageai_emulator.running(api_key="another") as url:
        run("doctor", "--base-url", url, status=3)


@pytest.mark.parametrize(
    ("served", "options", "model"),
    [
        ("azure:voyage-4-lite", (), "voyage-4-lite"),
        ("azure:rerank-3", (), "rerank-3"),
        ("azure:voyage-context-4", ("-m", "voyage-context-4"), "voyage-context-4"),
        ("litellm", ("-m", "rerank-3"), "rerank-3"),
        ("openai", (), "voyage-4-lite"),
    ],
)
def test_a_doctor_calls_what_a_deployment_serves(run, served, options, model):
    """A deployment of a reranker can't embed, and has none of the API's rate limits."""
    with voyageai_emulator.running(deployment=served) as url:
        place = f"{served.partition(':')[0]}+{url}"
        done = run("doctor", "--json", "--deployment", place, *options, VOYAGE_API_KEY=None)
        asked = url.requests.last
    checks = {check["check"]: check for check in json.loads(done.stdout)["checks"]}

    assert "ok" == checks["call"]["state"]
    assert checks["call"]["detail"].startswith(f"{model}: ")
    assert model == asked.model.model
    assert "limits" not in checks


def test_a_doctor_names_a_model_that_a_deployment_can_not_serve(run):
    """The call is wrong, not the connection."""
    with voyageai_emulator.running(deployment="openai") as url:
        done = run("doctor", "--deployment", f"openai+{url}", "-m", "rerank-3", status=1)
    assert "needs /rerank, which an OpenAI-compatible gateway does not have" in done.stdout


def test_unsupported_features_are_reported_before_rows_are_read(run, tmp_path):
    """A large file would otherwise be read only to fail in each row."""
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"id": 1, "text": "a"}\n')
    with voyageai_emulator.running(deployment="openai") as url:
        words = ("embed", rows, "-m", "voyage-4", "--deployment", f"openai+{url}")
        done = run(*words, "--into", tmp_path / "table", status=2)
        assert 0 == len(url.requests)
    assert (
        "-t/--input-type: input_type='document' can't be sent to an OpenAI-compatible gateway"
        in done.stderr
    )
    assert not (tmp_path / "table").exists()


def test_a_doctor_that_is_offline_sends_nothing(run: Run, emulator: Emulator) -> None:
    """The doctor still reports what it can find without a network."""
    run("doctor", "--offline")
    assert 0 == len(emulator.requests)


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_is_a_script(run: Run, shell: str) -> None:
    """The shell loads the script at its start; older versions of click support fewer shells."""
    if get_completion_class(shell) is None:
        assert "click completes nothing" in run("completion", shell, status=2).stderr
    else:
        assert "_VOYAGEAI_COMPLETE" in run("completion", shell).stdout


def test_completion_knows_commands_and_options(shell: Shell) -> None:
    """The answers are those that bash requests when a user presses Tab."""
    words = "COMP_WORDS='voyageai em' COMP_CWORD=1 _VOYAGEAI_COMPLETE=bash_complete"
    assert "plain,embed\nplain,emulator" == shell(f"{words} voyageai").stdout.strip()
    words = "COMP_WORDS='voyageai embed --dim' COMP_CWORD=2 _VOYAGEAI_COMPLETE=bash_complete"
    assert "plain,--dimension" == shell(f"{words} voyageai").stdout.strip()
    words = "COMP_WORDS='voyageai admin keys cr' COMP_CWORD=3 _VOYAGEAI_COMPLETE=bash_complete"
    assert "plain,create" == shell(f"{words} voyageai").stdout.strip()
