"""Embedding with Daft's native runner, and on Ray as in the example."""

from __future__ import annotations

import doctest
import importlib
import logging
import pickle
import time
from pathlib import Path
from typing import Any

import pytest
import voyageai
import voyageai_emulator
from voyageai.error import ArgumentError, AuthenticationError
from voyageai.ratelimit import RateLimit, RateLimiter
from voyageai_emulator import Emulator

from .conftest import PATIENCE, ROWS, Run, Start, texts_sent, wanted

daft = pytest.importorskip("daft")
pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
from daft import col, functions  # noqa: E402
from voyageai.integrations.daft import VoyageProvider  # noqa: E402

TEXTS = ["one", None, "two", "", "three"]
FRAME = {"id": list(range(5)), "body": TEXTS}
OPTIONS: dict[str, Any] = {"model": "voyage-4", "dimensions": 256}


def embedded(provider: Any, frame: dict[str, list[Any]] | None = None, **options: Any) -> Any:
    """Return Daft's vectors of a data frame by id."""
    vectors = functions.embed_text(col("body"), provider=provider, **{**OPTIONS, **options})
    return daft.from_pydict(frame or FRAME).with_column("vector", vectors).collect().sort("id")


def test_vectors_are_those_of_a_client_and_nulls_stay(emulator: Emulator) -> None:
    """Each vector stands beside its text in the right dtype, and only a bad row is null."""
    found = embedded(VoyageProvider(input_type="document"), on_error="ignore")
    assert daft.DataType.embedding(daft.DataType.float32(), 256) == found.schema()["vector"].dtype
    with voyageai.Client() as vo:
        texts = ["one", "two", "three"]
        live = vo.embed(texts, "voyage-4", input_type="document", output_dimension=256).embeddings
    vectors = [
        None if vector is None else list(map(float, vector))
        for vector in found.to_pydict()["vector"]
    ]
    assert [live[0], None, live[1], None, live[2]] == vectors
    assert all(request.body["input_type"] == "document" for request in emulator.requests)


def test_whole_numbers_and_two_columns_have_their_own_types(emulator: Emulator) -> None:
    """Two columns of one plan have different types and share their provider's one rate limit."""
    limiter = RateLimiter(RateLimit(rpm=100))
    provider = VoyageProvider(rate_limit=limiter, share=1 / 2, input_type="query")
    bits = functions.embed_text(
        col("body"), provider=provider, model="voyage-4", output_dtype="ubinary", on_error="ignore"
    )
    frame = daft.from_pydict(FRAME).with_column("bits", bits)
    numbers = functions.embed_text(col("body"), provider=provider, on_error="ignore", **OPTIONS)
    schema = frame.with_column("numbers", numbers).collect().schema()

    assert daft.DataType.embedding(daft.DataType.uint8(), 128) == schema["bits"].dtype
    assert daft.DataType.embedding(daft.DataType.float32(), 256) == schema["numbers"].dtype
    made = provider.get_text_embedder("voyage-4")._embedder._options["rate_limit"]
    assert made is provider.get_text_embedder("voyage-4")._embedder._options["rate_limit"]
    assert 50 == made.limits("voyage-4")[0]
    assert {"ubinary", None} == {each.body.get("output_dtype") for each in emulator.requests}


def test_a_row_that_is_refused_leaves_the_others_their_vectors(
    emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    """A text longer than the context length becomes null, and its reason is logged."""
    frame = {
        "id": list(range(50)),
        "body": [f"text {row}" for row in range(49)] + ["far " * 40_000],
    }
    with caplog.at_level(logging.WARNING, "voyageai"):
        found = embedded(VoyageProvider(truncation=False), frame, on_error="log").to_pydict()

    assert [49] == [
        row for row, vector in zip(found["id"], found["vector"], strict=True) if vector is None
    ]
    assert "1 of 50 rows have no vector" in caplog.text
    with pytest.raises(voyageai.error.InvalidRequestError):
        embedded(VoyageProvider(truncation=False), frame)


def test_daft_neither_retries_nor_makes_nulls_of_batches(emulator: Emulator) -> None:
    """The client retries and the provider nulls single rows, so Daft must do neither."""
    made = VoyageProvider().get_text_embedder("voyage-4", batch_size=7, on_error="log")
    options = made.get_udf_options()
    assert (0, "raise", 7) == (options.max_retries, options.on_error, options.batch_size)
    provider = VoyageProvider(base_url=emulator.faulty("overloaded"), max_retries=0)
    with pytest.raises(voyageai.error.OverloadedError):
        embedded(provider, on_error="ignore")
    assert 1 == len(emulator.requests)


def test_a_session_finds_an_attached_provider(emulator: Emulator) -> None:
    """A query names an attached provider by its string instead of an object."""
    daft.attach_provider(VoyageProvider("attached"))
    assert 2 == embedded("attached", on_error="ignore").where(col("vector").is_null()).count_rows()


def test_a_pickle_holds_no_key_unless_it_is_given(emulator: Emulator) -> None:
    """Ray workers read the key from their own environment."""
    descriptor = VoyageProvider().get_text_embedder("voyage-4")
    assert b"pa-not" not in pickle.dumps(descriptor)
    given = VoyageProvider(api_key="pa-given").get_text_embedder("voyage-4")
    assert b"pa-given" in pickle.dumps(given)
    for each in (VoyageProvider(api_key="pa-given"), given):
        assert "pa-given" not in repr(each)


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"model": "voyage-44", "dimensions": None}, ArgumentError, "did you mean 'voyage-4'\\?"),
        ({"model": "rerank-2.5"}, ArgumentError, "does not embed texts with 'rerank-2.5'"),
        ({"model": None}, ArgumentError, "needs a model"),
        ({"dimensions": 300}, ArgumentError, "dimensions=300 is not a dimension of voyage-4"),
        ({"output_dtype": "float16"}, ArgumentError, "output_dtype must be one of"),
        ({"on_error": "null"}, ArgumentError, "on_error must be 'raise', 'log' or 'ignore'"),
        ({"batch_size": 0}, ArgumentError, "batch_size must be a whole number from 1"),
        ({"input_typ": "query"}, TypeError, "did you mean 'input_type'\\?"),
    ],
)
def test_a_wrong_argument_is_refused_before_anything_runs(options, error, match) -> None:
    """The user sees the error at the line that builds the expression."""
    with pytest.raises(error, match=match):
        functions.embed_text(col("body"), provider=VoyageProvider(), **{**OPTIONS, **options})


@pytest.mark.parametrize(
    ("options", "match"),
    [({"share": 0.5}, "share needs rate_limit"), ({"concurrency": 0}, "concurrency must")],
)
def test_a_wrong_argument_of_the_provider_is_refused(options, match) -> None:
    """The user sees the error when the provider is created, before any expression uses it."""
    with pytest.raises(ArgumentError, match=match):
        VoyageProvider(**options)


def test_the_example_in_the_docstring_runs(emulator: Emulator) -> None:
    """Users copy the example unchanged."""
    assert (0, 6) == doctest.testmod(importlib.import_module(VoyageProvider.__module__))


def test_a_wrong_key_ends_the_query(emulator: Emulator) -> None:
    """A wrong key raises an error instead of filling every row with null."""
    provider = VoyageProvider(base_url=emulator.faulty("unauthorized"))
    with pytest.raises(AuthenticationError):
        embedded(provider, on_error="ignore")
    assert 1 == len(emulator.requests)


@pytest.mark.parametrize("where", [[], ["--ray"]], ids=["native", "ray"])
def test_the_example_sends_only_what_is_missing(
    where: list[str], emulator: Emulator, notes: Path, run: Run, tmp_path: Path
) -> None:
    """After a crash, with one file missing and one truncated, no finished row is billed again."""
    run("daft_table.py", notes, "vectors", *where)
    assert wanted() == sorted(texts_sent(emulator))
    whole = pq.read_table(tmp_path / "vectors", columns=["id"])
    assert list(range(ROWS)) == sorted(whole["id"].to_pylist())

    (part, *others) = sorted((tmp_path / "vectors").rglob("*.parquet"))
    missing = set(range(1000, 1500))
    for path in others:
        path.unlink()
    kept = daft.read_parquet(str(part)).where(~col("id").is_in(sorted(missing))).to_arrow()
    if others:  # each writer writes another file
        missing = set(range(ROWS)) - set(kept["id"].to_pylist())
    pq.write_table(kept, part)
    torn = tmp_path / "vectors/torn.parquet"
    torn.write_bytes(part.read_bytes()[:1000])
    emulator.requests.clear()
    run("daft_table.py", notes, "vectors", *where)

    assert not torn.exists()
    assert wanted(missing) == sorted(texts_sent(emulator))
    again = daft.read_parquet(str(tmp_path / "vectors/*.parquet")).select("id").to_pydict()["id"]
    assert list(range(ROWS)) == sorted(again)


def ids(path: Path, column: str = "id") -> list[int]:
    """Return the ids of a file or folder, in order."""
    return sorted(pq.read_table(path, columns=[column])[column].to_pylist())


def whole(path: Path) -> bool:
    """Return whether a file was written to its end."""
    try:
        pq.read_metadata(path)
    except pa.ArrowInvalid:
        return False
    return True


def test_a_process_that_is_killed_leaves_files_whose_rows_are_not_sent_again(
    emulator: Emulator, notes: Path, start: Start, run: Run, tmp_path: Path
) -> None:
    """Rows of truncated files and rows in flight are sent again, and no others."""
    vectors = tmp_path / "vectors"
    emulator.faults.next("delay", seconds=0, times=4)
    emulator.faults.always("hang")
    process = start("daft_table.py", notes, vectors, "--size", 200_000)
    # The fifth request is never answered, and the four before it complete a file.
    while len(emulator.requests) < 5 or not any(map(whole, vectors.glob("*.parquet"))):
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    assert -9 == process.wait()
    kept = {row for path in vectors.glob("*.parquet") if whole(path) for row in ids(path)}
    assert 0 < len(kept) < ROWS

    # Requests of the killed process may still be arriving at the first emulator.
    with voyageai_emulator.running() as another:
        run("daft_table.py", notes, vectors, VOYAGE_BASE_URL=another.url)
        assert wanted(set(range(ROWS)) - kept) == sorted(texts_sent(another))
    assert list(range(ROWS)) == ids(vectors)


def test_on_ray_rows_in_files_of_before_are_skipped(
    emulator: Emulator, notes: Path, run: Run, tmp_path: Path
) -> None:
    """Rows without a complete output file are sent, also those of a truncated one."""
    vectors = tmp_path / "vectors"
    vectors.mkdir()
    kept = pq.read_table(notes, columns=["id"]).slice(1000, 1200)
    pq.write_table(kept, vectors / "before.parquet")
    torn = vectors / "torn.parquet"
    pq.write_table(pq.read_table(notes, columns=["id"]), torn)
    torn.write_bytes(torn.read_bytes()[:-1])
    run("daft_skip_existing.py", notes, vectors)

    missing = set(range(ROWS)) - set(kept["id"].to_pylist())
    assert wanted(missing) == sorted(texts_sent(emulator))
    torn.unlink()
    assert list(range(ROWS)) == ids(vectors)
    sent = len(emulator.requests)
    run("daft_skip_existing.py", notes, vectors)
    assert sent == len(emulator.requests)


def test_on_ray_rows_of_checkpoints_are_skipped(
    emulator: Emulator, notes: Path, start: Start, run: Run, tmp_path: Path
) -> None:
    """Each source file is a task; unfinished output is removed, and its rows are sent again."""
    source, vectors = tmp_path / "notes", tmp_path / "vectors"
    source.mkdir()
    arguments = "daft_checkpoints.py", f"{source}/*.parquet", vectors, "checkpoints"
    table = pq.read_table(notes)
    for part in range(2):
        pq.write_table(table.slice(part * 500, 500), source / f"{part}.parquet")
    run(*arguments)
    assert wanted(range(1000)) == sorted(texts_sent(emulator))

    for part in range(2, ROWS // 500):
        pq.write_table(table.slice(part * 500, 500), source / f"{part}.parquet")
    (vectors / "stray.parquet").write_bytes(b"torn")
    emulator.requests.clear()
    emulator.faults.next("delay", seconds=0, times=2)
    emulator.faults.always("unauthorized")
    crashed = start(*arguments)
    assert "AuthenticationError" in crashed.communicate(timeout=PATIENCE)[1]
    assert 0 != crashed.returncode
    recorded = {
        row
        for manifest in (tmp_path / "checkpoints").glob("*/manifest.json")
        for row in ids(manifest.parent / "keys", "key")
    }
    assert set(range(1000)) <= recorded

    with voyageai_emulator.running() as another:
        run(*arguments, VOYAGE_BASE_URL=another.url)
        assert wanted(set(range(ROWS)) - recorded) == sorted(texts_sent(another))
    assert list(range(ROWS)) == ids(vectors)
