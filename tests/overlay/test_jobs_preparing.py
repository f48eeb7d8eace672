"""Jobs before anything is sent: rows are checked, split, written and priced."""

from __future__ import annotations

import asyncio
import inspect
import json
from datetime import timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
import voyageai
from voyageai import error
from voyageai.batches import JobDirectoryError, MaxCostError
from voyageai.batches.jobs import estimate as estimates
from voyageai.batches.jobs.lines import LineName
from voyageai.flow import BatchLimits
from voyageai.prompts import MissingInputTypeWarning
from voyageai_rest import catalogue

MODEL = "voyage-4"
PRICE = catalogue.MODELS[MODEL].price.usd_per_million_tokens * (1 - catalogue.BATCH.discount)


@pytest.fixture
def prepare(face, tmp_path):
    """Return a function that prepares a job with either client; requests fail the test."""

    def refuse(request: Any) -> Any:
        raise AssertionError(f"{request.url} was asked")

    def call(name: str, rows: Any, *, tokenizers: Any = None, **options: Any) -> Any:
        arguments = {"model": MODEL, "directory": tmp_path / "job", "progress": False} | options
        batches = face.client(refuse, tokenizers=tokenizers).batches

        async def wait() -> Any:
            return await getattr(batches, name)(rows, **arguments)

        if face.kind is voyageai.AsyncClient:
            return asyncio.run(wait())
        return getattr(batches, name)(rows, **arguments)

    return call


async def _await(value: Any) -> Any:
    return await value


def lines(folder: Path) -> list[list[Any]]:
    """Return the lines of each batch's file."""
    return [
        [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for path in sorted((folder / "batches").iterdir())
    ]


# Lines and batches


def test_a_line_is_readable_and_says_which_rows_it_holds(prepare, tmp_path):
    """A user can trace a line of the file back to its rows."""
    job = prepare("prepare_embed", ["Where are the keys?", "Où sont les clés ?"], rows_per_line=1)
    ((first, second),) = lines(tmp_path / "job")
    assert {"input": ["Where are the keys?"]} == first["body"]
    name = LineName.parse(second["custom_id"])
    assert (job.id, 1, 1, second["custom_id"]) == (name.job, name.first, name.last, str(name))
    assert "Où sont les clés ?" in (tmp_path / "job/batches/0001.jsonl").read_text("utf-8")


def test_rows_are_split_by_every_limit(prepare, face, tmp_path):
    """Limits apply to rows and tokens of a line, inputs of a batch, and bytes of its file."""
    prepare("prepare_embed", (f"text {n}" for n in range(250)))
    assert [[100, 100, 50]] == [
        [len(line["body"]["input"]) for line in batch] for batch in lines(tmp_path / "job")
    ]

    most = catalogue.MODELS[MODEL].max_request_tokens // estimates.MARGIN
    longest = "a" * (most // 2 - 1) * catalogue.TOKENIZATION.characters_per_token
    prepare("prepare_embed", [longest] * 5, directory=tmp_path / "long", truncation=False)
    assert [[2, 2, 1]] == [
        [len(line["body"]["input"]) for line in batch] for batch in lines(tmp_path / "long")
    ]

    face.batch_limits = BatchLimits(inputs=25)
    prepare("prepare_embed", ["text"] * 60, rows_per_line=10, directory=tmp_path / "inputs")
    assert [2, 2, 2] == [len(batch) for batch in lines(tmp_path / "inputs")]

    face.batch_limits = BatchLimits(file_bytes=250)
    prepare("prepare_embed", ["text"] * 6, rows_per_line=2, directory=tmp_path / "bytes")
    sizes = [path.stat().st_size for path in (tmp_path / "bytes/batches").iterdir()]
    assert 250 >= max(sizes)
    assert 1 < len(sizes)


def test_chunks_of_documents_and_documents_of_queries_are_limited_too(prepare, face, tmp_path):
    """The limits of other endpoints count chunks and documents."""
    most = catalogue.MODELS["voyage-context-3"].max_request_chunks
    documents = [["chunk"] * (most // 2)] * 5
    prepare("prepare_contextualized_embed", documents, model="voyage-context-3")
    assert [[2, 2, 1]] == [
        [len(line["body"]["inputs"]) for line in batch] for batch in lines(tmp_path / "job")
    ]

    face.batch_limits = BatchLimits(inputs=5)
    pairs = [("a query", ["one", "two"])] * 3
    prepare("prepare_rerank", pairs, model="rerank-2.5", directory=tmp_path / "rerank")
    assert [2, 1] == [len(batch) for batch in lines(tmp_path / "rerank")]


# Refused arguments


@pytest.mark.parametrize(
    ("method", "model", "rows", "message"),
    [
        ("embed", MODEL, ["a", "b", 3], r"texts\[2\] must be .*int"),
        ("embed", MODEL, ["a", ""], r"texts\[1\] .*empty"),
        ("embed", MODEL, ["a", "\ud83d"], r"texts\[1\] contains a lone surrogate"),
        ("embed", MODEL, "a text", r"wrap it in a list: \[texts\]"),
        ("embed", MODEL, [], "texts is empty"),
        ("embed", MODEL, 5, "texts must be an iterable of texts, not a int"),
        ("embed", "voyage-2", ["a"], "voyage-2"),
        ("embed", "rerank-2.5", ["a"], "rerank-2.5 is not a model for embed"),
        ("contextualized_embed", "voyage-context-3", [["a"], "b"], r"inputs\[1\] is a text"),
        ("contextualized_embed", "voyage-context-3", [["a"], ["b", ""]], r"inputs\[1\]\[1\]"),
        ("rerank", "rerank-2.5", [("q", ["d"]), ("q",)], r"pairs\[1\] must be a query and a list"),
        ("rerank", "rerank-2.5", [("q", [])], r"pairs\[0\]\[1\]"),
    ],
)
def test_an_invalid_row_is_named(prepare, method, model, rows, message):
    """The error gives the row's number, and comes before anything is sent."""
    with pytest.raises(error.ArgumentError, match=message):
        prepare(method, rows, model=model)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rows_per_line": 0}, "rows_per_line must be from 1 to 1,000, not 0"),
        ({"rows_per_line": 2000}, "rows_per_line must be from 1 to 1,000, not 2000"),
        ({"poll": -1}, "poll must be a number of seconds"),
        ({"timings": 3}, "timings must be a voyageai.batches.JobTimings or None, not 3"),
        ({"progress": "yes"}, "progress must be True, False, None or a function, not 'yes'"),
        ({"exact_tokens": "no"}, "exact_tokens must be True, False or None, not 'no'"),
        ({"max_cost": float("nan")}, "max_cost must be a number of US dollars or None, not nan"),
        ({"max_cost": "5"}, "max_cost must be a number of US dollars or None, not '5'"),
        ({"max_cost": True}, "max_cost must be a number"),
        ({"max_cost": -1}, "max_cost must be 0 US dollars or more, not -1"),
        ({"output_dtype": "float16"}, "output_dtype"),
        ({"output_dimension": 100}, "output_dimension"),
    ],
)
def test_an_option_that_is_wrong_is_named(prepare, options, message):
    """An invalid max_cost raises ArgumentError, not the MaxCostError of a low limit."""
    with pytest.raises(error.ArgumentError, match=message) as raised:
        prepare("embed", ["a"], **options)
    assert error.ArgumentError is raised.type


def test_an_unknown_option_is_refused(prepare):
    """A typo would otherwise be ignored."""
    with pytest.raises(TypeError, match="'retries'"):
        prepare("embed", ["a"], retries=3)


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"max_cost": 1.0}, TypeError, "'max_cost'"),
        ({"directory": "elsewhere"}, TypeError, "'directory'"),
        ({"poll": "soon"}, error.ArgumentError, "poll must be a number of seconds"),
        ({"timings": 3}, error.ArgumentError, r"timings must be a voyageai\.batches\.JobTimings"),
    ],
)
def test_an_option_of_a_job_that_is_resumed_is_not_lost(prepare, tmp_path, options, kind, message):
    """Options that `resume` does not take raise an error; max_cost belongs to `run`."""
    prepare("prepare_embed", ["a"])
    with pytest.raises(kind, match=message):
        _resume(prepare, tmp_path / "job", **options)


def test_an_input_type_that_is_left_out_is_warned_of_where_the_call_is(prepare):
    """A job warns as a live call does, at the user's line."""
    with pytest.warns(MissingInputTypeWarning, match="input_type is left out") as warned:
        prepare("prepare_embed", ["a"])
    assert [__file__] == [warning.filename for warning in warned]


# Costs


def test_an_estimate_says_what_it_takes(prepare):
    """Programs read its fields, and people its sentence."""
    estimate = prepare("prepare_embed", ["It rains."] * 1000).estimate
    assert (1000, 10, 1, 2000) == (
        estimate.rows,
        estimate.requests,
        estimate.batches,
        estimate.tokens,
    )
    assert pytest.approx(2000 * PRICE / 1e6) == estimate.cost
    most = 1000 * (len("It rains.") + estimates.SPECIAL_TOKENS)
    assert most == estimate.most_tokens
    fewest = 2000 * 1.2 / 1.35  # tokens per word, as the catalogue has them
    assert pytest.approx((fewest * PRICE / 1e6, most * PRICE / 1e6)) == estimate.cost_range
    assert timedelta(hours=12) == estimate.longest
    assert (
        "1,000 texts in 10 requests in 1 batch, 13,840 bytes; about 2,000 tokens; about $0.0000804 "
        "(from $0.0000715 to at most $0.000523) at $0.0402 per million tokens of voyage-4, 33% off its list price; done within 12 hours"
    ) == str(estimate)


class SevenPerCharacter:
    """A tokenizer that makes seven tokens of each character."""

    def encode_batch_fast(self, texts: list[str]) -> list[range]:
        return [range(7 * len(text)) for text in texts]


def test_tokens_are_counted_if_that_is_asked_for(prepare):
    """Exact counts need no margin, and a text counts only up to the model's context length."""
    context = catalogue.MODELS[MODEL].context_length
    tokenizers = {MODEL: SevenPerCharacter()}
    texts = ["a", "b" * context]
    job = prepare("prepare_embed", texts, exact_tokens=True, tokenizers=tokenizers)
    assert (True, 7 + context) == (job.estimate.exact, job.estimate.tokens)
    assert "; 32,007 tokens; $0.00129 (at most $0.00129) at" in str(job.estimate)


@pytest.mark.parametrize(
    ("text", "most"),
    [("a", 1), ("\u00e9", 2), ("e\u0301", 3), ("\u0958", 6), ("🜁", 4), ("a" * 200_000, 32_000)],
)
def test_without_a_tokenizer_a_byte_is_a_token_at_most(prepare, text, most):
    """The bound covers Unicode normalization and the prompt, up to the model's context length."""
    around = len("Represent the query for retrieving supporting documents: ")
    estimate = prepare("prepare_embed", [text], input_type="query").estimate
    assert most + around + estimates.SPECIAL_TOKENS == estimate.most_tokens


def test_a_model_without_a_known_price_costs_an_unknown_sum(prepare):
    """A model may be newer than this release."""
    job = prepare("prepare_embed", ["It rains."], model="voyage-unknown")
    assert (None, None, None, "an unknown sum") == (
        job.estimate.price,
        job.estimate.cost_range,
        job.estimate.cost,
        job.estimate.cost_text,
    )
    assert "the price of voyage-unknown is not known" in str(job.estimate)


def test_more_than_may_be_in_flight_takes_several_rounds(prepare, face):
    """Each round can take twelve hours, and users see the total."""
    face.batch_limits = BatchLimits(inputs=10, jobs_in_flight=2)
    estimate = prepare("prepare_embed", ["text"] * 50, rows_per_line=10).estimate
    assert (5, 3, timedelta(hours=36)) == (estimate.batches, estimate.rounds, estimate.longest)


def test_estimated_tokens_leave_room_for_twice_as_many_in_flight():
    """If an estimate is too low, the server refuses further batches for half an hour."""
    limits, quarter = BatchLimits(), catalogue.BATCH.max_tokens_in_flight // 4
    assert estimates.fits_in_flight(limits, [quarter] * 2, exact=False)
    assert not estimates.fits_in_flight(limits, [quarter] * 3, exact=False)
    assert estimates.fits_in_flight(limits, [quarter] * 4, exact=True)
    assert not estimates.fits_in_flight(limits, [4 * quarter, 1], exact=True)


@pytest.mark.parametrize("model", [MODEL, "voyage-unknown"])
def test_a_job_that_costs_too_much_does_not_start(prepare, model):
    """A job whose price is unknown does not start either."""
    with pytest.raises(MaxCostError, match=r"max_cost is \$0\.00005, but the") as raised:
        prepare("embed", ["It rains."] * 1000, model=model, max_cost=0.00005)
    assert "max_cost" == raised.value.argument


def test_a_price_is_what_the_catalogue_says_less_the_discount(prepare):
    """Users see the batch price of each embedding model, not its list price."""
    for name, model in catalogue.MODELS.items():
        if model.batch and model.endpoint == "embeddings" and model.price:
            folder = {"directory": None}
            price = prepare("prepare_embed", ["a"], model=name, **folder).estimate.price
            assert pytest.approx(model.price.usd_per_million_tokens * 0.67) == price


# The directory


def test_a_directory_of_something_else_is_left_alone(prepare, tmp_path):
    """The directory may belong to another program."""
    (tmp_path / "job").mkdir()
    (tmp_path / "job/thesis.tex").touch()
    with pytest.raises(error.ArgumentError, match=r"no job directory: it holds 'thesis\.tex'"):
        prepare("embed", ["a"])
    with pytest.raises(error.ArgumentError, match="is not a directory"):
        prepare("embed", ["a"], directory=tmp_path / "job/thesis.tex")


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        (["a", "c"], {}, "a job of other texts"),
        (["a"], {}, "a job of 2 texts, not 1"),
        (cycle(["a", "b"]), {}, "a job of 2 texts, not of more"),
        (
            ["a", "b"],
            {"model": "voyage-4-lite"},
            "a job with model='voyage-4', not 'voyage-4-lite'",
        ),
        (["a", "b"], {"output_dimension": 256}, "output_dimension=None, not 256"),
    ],
)
def test_a_directory_of_another_job_is_refused(prepare, rows, options, message):
    """Its results would be taken for those of the new texts."""
    first = prepare("prepare_embed", ["a", "b"])
    assert first.id == prepare("prepare_embed", iter(["a", "b"])).id
    with pytest.raises(error.ArgumentError, match=f"holds {message}|{message}"):
        prepare("embed", rows, **options)


def test_a_missing_job_can_not_be_resumed(prepare, tmp_path):
    """A mistyped path raises an error instead of creating a directory."""
    (tmp_path / "file").touch()
    for name in ("none", "file"):
        with pytest.raises(JobDirectoryError, match=r"holds no job: there is no job\.json"):
            _resume(prepare, tmp_path / name)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "was damaged"),
        ('{"version": 2}', "was damaged"),
        ('{"version": 9}', "is of version 9"),
        ("[]", "was damaged"),
        ({"method": "multiply"}, "was damaged"),
        ({"method": []}, r"was damaged: its method is \[\]"),
        ({"params": {}}, "was damaged: model: missing"),
        ({"rows": 2}, "was damaged: its batches have 1 texts, not 2"),
        ({"rows": "1"}, "was damaged"),
        ({"batches": []}, "was damaged"),
    ],
)
def test_a_job_that_was_damaged_says_so(prepare, tmp_path, content, message):
    """Someone may have edited the file, or it comes from another release."""
    prepare("prepare_embed", ["a"])
    path = tmp_path / "job/job.json"
    if isinstance(content, dict):
        content = json.dumps(json.loads(path.read_text()) | content)
    path.write_text(content)
    with pytest.raises(JobDirectoryError, match=message):
        _resume(prepare, tmp_path / "job")


def _resume(prepare: Any, directory: Path, **options: Any) -> Any:
    """Resume a job with the client of `prepare`."""
    face = inspect.getclosurevars(prepare).nonlocals["face"]
    made = face.client().batches.resume(directory, **options)
    return asyncio.run(_await(made)) if inspect.isawaitable(made) else made
