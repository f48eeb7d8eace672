"""`voyageai embed`: rows in, rows with vectors out."""

from __future__ import annotations

import base64
import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import voyageai
from voyageai.cli.output import VECTOR_FORMATS
from voyageai_emulator import Emulator

from .conftest import SECRET, Run

EMBED = ("embed", "-m", "voyage-4", "-d", 256)
TEXTS = ["It rains.", "It snows.", "雪が降る。"]


@pytest.fixture
def live(emulator: Emulator) -> Any:
    """Return the vectors of the texts from a call of the client."""
    with voyageai.Client(SECRET, base_url=emulator) as vo:
        found = vo.embed_documents(TEXTS, "voyage-4", output_dimension=256).to_numpy()
    emulator.requests.clear()
    return found


def rows(output: str) -> list[dict[str, Any]]:
    """Return the rows of JSONL."""
    return [json.loads(line) for line in output.splitlines()]


def test_lines_in_rows_out(run: Run, live: Any) -> None:
    """A new user tries this command first."""
    found = rows(run(*EMBED, input="\n".join(TEXTS)).stdout)
    assert [0, 1, 2] == [row["index"] for row in found]
    assert [None] * 3 == [row["id"] for row in found]
    vectors = np.array([row["embedding"] for row in found], np.float32)
    assert np.array_equal(live, vectors)  # bit for bit


@pytest.mark.parametrize("format", VECTOR_FORMATS)
def test_every_format_has_the_same_vectors(
    run: Run, live: Any, tmp_path: Path, format: str
) -> None:
    """The format must not affect the content."""
    run(*EMBED, *TEXTS, "--out", format, "-O", "out.x")
    data = (tmp_path / "out.x").read_bytes()
    match format:
        case "jsonl":
            found = [json.loads(line)["embedding"] for line in data.splitlines()]
        case "json":
            found = [row["embedding"] for row in json.loads(data)]
        case "csv":
            cells = csv.DictReader(io.StringIO(data.decode()))
            found = [json.loads(row["embedding"]) for row in cells]
        case "parquet":
            table: Any = pq.read_table(tmp_path / "out.x")
            found = table["embedding"].to_pylist()
            assert b"voyage-4" == table.schema.metadata[b"voyageai.space"]
            assert b"document" == table.schema.metadata[b"voyageai.input_type"]
        case "npy":
            found = np.load(io.BytesIO(data))
        case "raw":
            found = np.frombuffer(data, "<f4").reshape(3, 256)
        case "base64":
            found = [np.frombuffer(base64.b64decode(line), "<f4") for line in data.splitlines()]
        case _:
            assert "256 x float" in data.decode()
            assert "雪が降る。" in data.decode()
            return
    assert np.array_equal(live, np.array(found, np.float32))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "binary", "ubinary"])
@pytest.mark.parametrize("format", ["jsonl", "npy", "parquet"])
def test_quantized_vectors_stay_integers(run: Run, tmp_path: Path, dtype: str, format: str) -> None:
    """Large collections are stored as quantized vectors."""
    run(*EMBED, "a", "b", "--dtype", dtype, "--out", format, "-O", "out.x")
    found: Any
    match format:
        case "jsonl":
            lines = (tmp_path / "out.x").read_text().splitlines()
            found = np.array([json.loads(line)["embedding"] for line in lines])
        case "npy":
            found = np.load(tmp_path / "out.x")
            assert found.dtype == ("int8" if dtype in ("int8", "binary") else "uint8")
        case _:
            table: Any = pq.read_table(tmp_path / "out.x")
            found = np.array(table["embedding"].to_pylist())
    assert (2, 32 if dtype.endswith("binary") else 256) == found.shape


def test_ids_and_other_columns_are_kept(run: Run, tmp_path: Path) -> None:
    """The user finds the source of a vector by its id."""
    lines = [{"id": 7, "text": "a", "tag": ["x"]}, {"id": 8, "text": "b", "tag": []}]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, lines)))
    found = rows(run(*EMBED, "-f", "in.jsonl", "--keep").stdout)
    assert [(7, ["x"]), (8, [])] == [(row["id"], row["tag"]) for row in found]
    run(*EMBED, "-f", "in.jsonl", "--keep", "-O", "out.parquet")
    again = rows(run(*EMBED, "-f", "out.parquet", "--column", "tag", status=5).stdout)
    assert ["it is not a text, but of type list"] * 2 == [row["error"] for row in again]
    (tmp_path / "in.csv").write_text("name,content\nn1,a\nn2,b\n")
    found = rows(run(*EMBED, "-f", "in.csv", "--id-column", "name").stdout)
    assert ["n1", "n2"] == [row["id"] for row in found]


def test_order_holds_over_many_requests(run: Run, emulator: Emulator) -> None:
    """Requests are answered in any order, but rows keep the order of the input."""
    emulator.faults.next("drip", times=2, size=1_000_000, delay=0.2)  # the first answers come last
    found = rows(run(*EMBED, "-j", 8, input="".join(f"row {n}\n" for n in range(4500))).stdout)
    assert list(range(4500)) == [row["index"] for row in found]
    sent = [request.body["input"] for request in emulator.requests]
    assert {1000, 500} >= {len(texts) for texts in sent}


def test_a_row_that_fails_costs_no_other(run: Run, emulator: Emulator) -> None:
    """The bad row is in the output with its reason, and the exit status reports it."""
    done = run(*EMBED, input=b"a\n\n\xff\xfe\nd\n", status=5)
    found = rows(done.stdout)
    assert [True, False, False, True] == [row["embedding"] is not None for row in found]
    assert "it is empty" == found[1]["error"]
    assert "it is not valid UTF-8" == found[2]["error"]
    assert "2 of 4 rows failed" in done.stderr


def test_a_row_that_the_server_refuses_costs_no_other(run: Run, emulator: Emulator) -> None:
    """The command finds the row by halving the request."""
    texts = [f"text {n}" for n in range(8)]
    texts[5] = "very " * 40_000
    done = run(*EMBED, "--no-truncation", *texts, status=5)
    found = rows(done.stdout)
    assert [5] == [row["index"] for row in found if row["embedding"] is None]


def test_an_error_of_all_rows_ends_the_job_early(run: Run, emulator: Emulator) -> None:
    """A wrong model concerns all rows, so it is not reported per row."""
    run("embed", "-m", "voyage-99", input="a\n" * 5000, status=1)
    assert len(emulator.requests) < 25


def test_an_invalid_image_does_not_affect_others(run: Run, tmp_path: Path) -> None:
    """The image is read only when its row is sent, after others have been paid for."""
    (tmp_path / "noise.png").write_bytes(b"\x89 no picture")
    words = ("embed", "-m", "voyage-multimodal-3.5", "A cat.", "A dog.", "--image", "noise.png")
    found = rows(run(*words, status=5).stdout)
    assert [True, True, False] == [row["embedding"] is not None for row in found]
    assert "can't be read as a picture" in found[2]["error"]


def test_kept_columns_survive_rows_that_are_wrong(run: Run, tmp_path: Path) -> None:
    """If the first row can't be read, the columns are taken from the heading."""
    (tmp_path / "in.csv").write_text("id,text,year\n1,a\n2,b,2025\n")
    run(*EMBED, "-f", "in.csv", "--keep", "-O", "out.csv", status=5)
    found = list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text())))
    assert ["", "2025"] == [row["year"] for row in found]
    run(*EMBED, "-f", "in.csv", "--keep", "-O", "out.parquet", status=5)
    assert [None, "2025"] == pq.read_table(tmp_path / "out.parquet")["year"].to_pylist()


def test_no_kept_column_is_lost_without_a_word(run: Run, tmp_path: Path) -> None:
    """Rows may have additional columns, which a heading already written has no place for."""
    lines = [{"text": "a", "x": 1}, {"text": "b", "y": 2}]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, lines)))
    words = (*EMBED, "-f", "in.jsonl", "--keep")
    assert [1, None] == [row.get("x") for row in rows(run(*words).stdout)]
    assert "row 1 has a column 'y'" in run(*words, "-o", "csv", status=2).stderr
    run(*words, "-O", "out.parquet")
    table: Any = pq.read_table(tmp_path / "out.parquet")
    assert ([1, None], [None, 2]) == (table["x"].to_pylist(), table["y"].to_pylist())


def test_a_kept_column_must_not_replace_an_output_column(
    run: Run, emulator: Emulator, tmp_path: Path
) -> None:
    """A reader could not tell which of two columns named `embedding` is meant."""
    (tmp_path / "in.jsonl").write_text(json.dumps({"text": "a", "embedding": [1]}))
    run(*EMBED, "-f", "in.jsonl")
    emulator.requests.clear()
    assert "column 'embedding'" in run(*EMBED, "-f", "in.jsonl", "--keep", status=2).stderr
    assert 0 == len(emulator.requests)


def test_failed_rows_hold_their_places_in_bare_formats(run: Run, tmp_path: Path) -> None:
    """The nth vector must belong to the nth line."""
    run(*EMBED, "-O", "out.npy", input="\na\n\n", status=5)
    found = np.load(tmp_path / "out.npy")
    assert [True, False, True] == np.isnan(found).all(axis=1).tolist()
    run(*EMBED, "-O", "out.parquet", input="\na\n\n", status=5)
    table: Any = pq.read_table(tmp_path / "out.parquet")
    assert [None, 256, None] == [row and len(row) for row in table["embedding"].to_pylist()]
    run(*EMBED, "-O", "none.parquet", input="\n\n", status=5)
    assert [None] * 2 == pq.read_table(tmp_path / "none.parquet")["embedding"].to_pylist()


def test_the_input_type_is_document_unless_one_says_otherwise(run: Run, emulator: Emulator) -> None:
    """The input type affects search quality."""
    for words in ((), ("-t", "query"), ("-t", "none")):
        run(*EMBED, *words, "a")
    sent = [request.body.get("input_type") for request in emulator.requests]
    assert ["document", "query", None] == sent


def test_an_estimate_sends_nothing(run: Run, emulator: Emulator) -> None:
    """The user sees the cost before anything is spent."""
    done = run(*EMBED, "--estimate", "--json", input="a b c\n" * 2500)
    found = json.loads(done.stdout)
    assert (2500, 3) == (found["rows"], found["requests"])
    assert 0 < found["least_cost_usd"] < found["cost_usd"] < found["most_cost_usd"]
    assert 0 == len(emulator.requests)


def test_what_would_cost_too_much_is_not_begun(
    run: Run, emulator: Emulator, tmp_path: Path
) -> None:
    """A file can be read twice, so its cost is known before the first request."""
    (tmp_path / "in.txt").write_text("a b c\n" * 1000)
    done = run(*EMBED, "-f", "in.txt", "--max-cost", "0.00001", status=6)
    assert "nothing was sent" in done.stderr
    assert 0 == len(emulator.requests)


def test_a_pipe_stops_at_its_ceiling(run: Run, emulator: Emulator) -> None:
    """The output has every vector that was paid for."""
    done = run(*EMBED, "--max-cost", "0.005", input="a b c d e f g h\n" * 10_000, status=6)
    found = rows(done.stdout)
    assert 0 < len(found) < 10_000
    emulator.requests.settle()
    assert len(found) == sum(len(request.body["input"]) for request in emulator.requests)


def test_chunks_of_a_document_go_together(run: Run, emulator: Emulator, tmp_path: Path) -> None:
    """The vector of a chunk depends on the whole document."""
    lines = [("a", "The river rose."), ("a", "It fell in May."), ("b", "Snow.")]
    text = "\n".join(json.dumps({"id": id_, "text": text}) for id_, text in lines)
    (tmp_path / "in.jsonl").write_text(text)
    found = rows(run("embed", "-m", "voyage-context-4", "-f", "in.jsonl").stdout)
    assert ["a", "a", "b"] == [row["id"] for row in found]
    (request,) = emulator.requests
    assert [2, 1] == [len(chunks) for chunks in request.body["inputs"]]


def test_pictures_are_inputs_too(run: Run, emulator: Emulator, tmp_path: Path) -> None:
    """A picture may be an input alone, or together with a text."""
    from PIL import Image

    Image.new("RGB", (60, 40), "orange").save(tmp_path / "cat.png")
    words = ("embed", "-m", "voyage-multimodal-3.5", "A cat.", "--image", "cat.png")
    assert 2 == len(rows(run(*words).stdout))
    assert 1 == len(rows(run(*words, "--together").stdout))
    contents = [request.body["inputs"][0]["content"] for request in emulator.requests]
    assert ["image_base64", "text"] == sorted({part["type"] for part in contents[-1]})


def test_files_can_be_texts(run: Run, tmp_path: Path) -> None:
    """The ids of the rows are the paths of the files."""
    for name in ("a.md", "b.md"):
        (tmp_path / name).write_text(f"# {name}\n\nTwo paragraphs.\n")
    found = rows(run(*EMBED, "--in", "file", "-f", "a.md", "-f", "b.md").stdout)
    assert ["a.md", "b.md"] == [row["id"] for row in found]


def test_a_file_appears_when_it_is_complete(run: Run, emulator: Emulator, tmp_path: Path) -> None:
    """Readers never find half a file, and an older file stays until the new one is complete."""
    (tmp_path / "out.jsonl").write_text("older")
    (tmp_path / "in.txt").write_text("a\n" * 3000)
    emulator.faults.next("drip", size=1_000_000, delay=0)  # the first request succeeds
    emulator.faults.next("status", status=500, times=99)
    words = (*EMBED, "-f", "in.txt", "-O", "out.jsonl", "-j", 1, "--max-retries", 0)
    done = run(*words, status=4)
    assert "older" == (tmp_path / "out.jsonl").read_text()
    assert [] == [*tmp_path.glob(".out*")]
    assert "--into DIR" in done.stderr


def test_a_table_goes_on_where_it_ended(run: Run, emulator: Emulator, tmp_path: Path) -> None:
    """Running the same command again sends nothing."""
    (tmp_path / "in.txt").write_text("".join(f"row {n}\n" for n in range(2500)))
    words = (*EMBED, "--into", "table", "in.txt", "--json")
    first = json.loads(run(*words, "--max-cost", 1).stdout)
    assert (2500, 0) == (first["rows"], first["failed"])
    sent = len(emulator.requests)
    assert first == json.loads(run(*words, "--max-cost", 1).stdout)
    assert sent == len(emulator.requests)
    table: Any = pq.read_table(tmp_path / "table")
    assert list(range(2500)) == table["row"].to_pylist()


def test_a_table_takes_every_format(run: Run, tmp_path: Path) -> None:
    """Tables accept the same formats as the filter, and standard input."""
    (tmp_path / "a.tsv").write_text("id\ttext\n1\tx\n2\ty\n")
    (tmp_path / "a.jsonl").write_text('{"id": 1, "text": "x"}\n{"id": 2, "text": "y"}\n')
    for name in ("a.tsv", "a.jsonl"):
        run(*EMBED, "--into", f"{name}.d", name)
        table: Any = pq.read_table(tmp_path / f"{name}.d")
        assert [1, 2] == table["id"].to_pylist()
    run(*EMBED, "--into", "stdin.d", input="x\ny\n")
    assert 2 == pq.read_table(tmp_path / "stdin.d").num_rows


@pytest.mark.parametrize("suffix", ["txt", "jsonl"])
def test_a_table_of_nothing_is_a_table(run: Run, tmp_path: Path, suffix: str) -> None:
    """A pipeline whose search found nothing must not fail."""
    (tmp_path / f"in.{suffix}").touch()
    run(*EMBED, "--into", "table", f"in.{suffix}")
    assert 0 == pq.read_table(tmp_path / "table").num_rows


def test_a_table_of_an_unknown_model_says_what_the_server_says(run: Run, tmp_path: Path) -> None:
    """The length of its vectors is unknown, so the server's error is shown."""
    (tmp_path / "in.txt").write_text("a\n")
    done = run("embed", "-m", "voyage-99", "--into", "table", "in.txt", status=5)
    assert "1 of 1 rows failed" in done.stderr
    assert "voyage-99 is not supported" in (tmp_path / "table/_job/failures.jsonl").read_text()


def test_a_table_goes_through_batches(run: Run, emulator: Emulator, tmp_path: Path) -> None:
    """Batches give the vectors of live calls at a lower price, and a second run costs nothing."""
    (tmp_path / "in.txt").write_text("".join(f"row {n}\n" for n in range(300)))
    words = (*EMBED, "in.txt", "--max-cost", 1, "--json", "--into")
    live = json.loads(run(*words, "live").stdout)
    emulator.requests.clear()
    via = (*words, "batches", "--via", "batch", "--poll", 0.02)
    found = json.loads(run(*via).stdout)
    assert found == json.loads(run(*via).stdout)
    assert (300, 0, True) == (found["rows"], found["failed"], found["cost_usd"] < live["cost_usd"])
    assert 1 == len(emulator.requests.of("createBatch"))
    assert 0 == len(emulator.requests.of("createEmbeddings"))
    tables: Any = [pq.read_table(tmp_path / name)["embedding"] for name in ("live", "batches")]
    assert tables[0] == tables[1]


def test_failed_rows_of_a_table_are_reported(run: Run, tmp_path: Path) -> None:
    """The retry option sends the failed rows once more."""
    (tmp_path / "in.txt").write_text("a\n\nb\n")
    words = (*EMBED, "--into", "table", "in.txt")
    done = run(*words, status=5)
    assert "1 of 3 rows failed" in done.stderr
    run(*words, "--retry-failed", status=5)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("embed", "a"), "Missing option '-m'"),
        (("embed", "-m", "rerank-3", "a"), "is a reranker"),
        ((*EMBED, "a", "-f", "x"), "not both"),
        ((*EMBED, "-f", "x"), "does not exist"),
        ((*EMBED, "a", "-O", "x.doc"), "has no format"),
        ((*EMBED, "a", "--share", "0.5"), "--share needs --into"),
        ((*EMBED, "a", "--poll", "0"), "--poll needs --into"),
        ((*EMBED, "-f", "."), "is a folder"),
        ((*EMBED, "a", "-O", "nowhere/x.npy"), "there is no folder nowhere"),
        (("embed", "-m", "voyage-multimodal-3.5", "a", "--image", "x"), "--image names x"),
        ((*EMBED, "a", "--dtype", "int4"), "--dtype"),
        (("embed", "-m", "voyage-4", "-d", 3, "a"), "-d/--dimension: output_dimension=3"),
        ((*EMBED, "a", "--rate-limit", "rpm=x"), "--rate-limit must be"),
        ((*EMBED, "a", "--max-cost", "-1"), "--max-cost must be"),
        ((*EMBED, "--into", "d", "a", "-O", "x.npy"), "--into"),
    ],
)
def test_contradictory_options_are_refused(
    run: Run, emulator: Emulator, words: tuple[object, ...], said: str
) -> None:
    """Nothing is sent, and the error says which option to change."""
    assert said in run(*words, status=2).stderr
    assert 0 == len(emulator.requests)
