"""Models write what they read, and leave out fields that are not set."""

from __future__ import annotations

import copy
import datetime
import inspect
import json
import pickle
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from voyageai_rest import models, spec
from voyageai_rest.errors import ShapeError
from voyageai_rest.models import (
    Batch,
    CreateBatchRequest,
    Embedding,
    EmbeddingsRequest,
    FileObject,
    MultimodalInput,
    RerankRequest,
    TextContent,
)
from voyageai_rest.types import UNSET, Unset

pytestmark = pytest.mark.smoke

ModelOf = Callable[[str], Any]
OBJECTS = {
    name: schema.get("additionalProperties", True)
    for name, schema in spec.load()["components"]["schemas"].items()
    if schema.get("type") == "object" and name != "UploadFileRequest"
}
OPEN = [name for name, additional in OBJECTS.items() if additional is True]
CLOSED = [name for name, additional in OBJECTS.items() if additional is False]


def test_reading_keeps_no_memory(model_of: ModelOf, schema: str, typical: Any) -> None:
    """A long-running program would otherwise leak a little memory with every model."""
    model = model_of(schema)
    model.from_dict(copy.deepcopy(typical))
    before = model._known_shape
    model.from_dict(copy.deepcopy(typical))
    assert before is not None
    assert before is model._known_shape


def test_every_example_round_trips(schema: str, example: Any, model_of: ModelOf) -> None:
    """Nothing is lost, added or changed between the wire and the model."""
    assert example == model_of(schema).from_dict(example).to_dict()


def test_every_example_survives_json(schema: str, typical: Any, model_of: ModelOf) -> None:
    """`to_dict` returns only values that JSON can hold."""
    assert typical == json.loads(json.dumps(model_of(schema).from_dict(typical).to_dict()))


def test_reading_leaves_the_data_alone(schema: str, typical: Any, model_of: ModelOf) -> None:
    """A caller's dictionary is never changed."""
    given = copy.deepcopy(typical)
    model_of(schema).from_dict(given)
    assert typical == given


def test_models_survive_pickle_and_copies(schema: str, typical: Any, model_of: ModelOf) -> None:
    """Process pools pickle what they send."""
    value = model_of(schema).from_dict(typical)
    for twin in (pickle.loads(pickle.dumps(value)), copy.copy(value), copy.deepcopy(value)):
        assert value == twin
        assert typical == twin.to_dict()


def test_unset_stays_one_object(schema: str, typical: Any, model_of: ModelOf) -> None:
    """A second UNSET would be sent as a value."""
    value = model_of(schema).from_dict(typical)
    unset = [name for name in attrs.fields_dict(type(value)) if getattr(value, name) is UNSET]
    for twin in (pickle.loads(pickle.dumps(value)), copy.copy(value), copy.deepcopy(value)):
        twins = [name for name in attrs.fields_dict(type(twin)) if getattr(twin, name) is UNSET]
        assert unset == twins


def test_models_take_keywords_only(schema: str, typical: Any, model_of: ModelOf) -> None:
    """A new field must not shift the meaning of arguments."""
    parameters = inspect.signature(model_of(schema)).parameters.values()
    assert {inspect.Parameter.KEYWORD_ONLY} == {parameter.kind for parameter in parameters}


@pytest.mark.parametrize("answer", OPEN)
def test_unknown_fields_of_answers_survive(answer: str, model_of: ModelOf, contract: Any) -> None:
    """A field that the API adds tomorrow reaches users today."""
    unknown = {"from_tomorrow": {"a": [1, None]}, "additional_properties": 2}
    wider = {**contract.example(answer), **unknown}
    value = model_of(answer).from_dict(wider)
    assert wider == value.to_dict()
    assert unknown == value.additional_properties


@pytest.mark.parametrize("request_schema", CLOSED)
def test_unknown_fields_of_requests_are_refused(
    request_schema: str, model_of: ModelOf, contract: Any
) -> None:
    """A misspelled field of a request would otherwise be lost silently."""
    wider = {**contract.example(request_schema), "from_tomorrow": 1}
    with pytest.raises(ShapeError, match="unknown keys: from_tomorrow"):
        model_of(request_schema).from_dict(wider)


def test_unset_is_one_object() -> None:
    """`is UNSET` holds even after copying or pickling."""
    assert UNSET is pickle.loads(pickle.dumps(UNSET))
    assert UNSET is copy.copy(UNSET)
    assert UNSET is copy.deepcopy(UNSET)
    assert UNSET is pickle.loads(pickle.dumps(Unset()))


def test_unset_is_false_and_says_its_name() -> None:
    """UNSET reads naturally in conditions and in messages."""
    assert not UNSET
    assert "UNSET" == repr(UNSET)


@pytest.mark.parametrize("schema", ["FileObject", "Batch"])
def test_unknown_enum_values_survive(schema: str, model_of: ModelOf, contract: Any) -> None:
    """A status that is new to this release must not make the response unreadable."""
    values = {"purpose": "batch-v2", "status": "paused", "endpoint": "/v2/x"}
    example = contract.example(schema)
    example = {**example, **{name: value for name, value in values.items() if name in example}}
    assert example == model_of(schema).from_dict(example).to_dict()


def test_times_keep_their_value() -> None:
    """A time is the same moment in whichever time zone the server writes it."""
    fields = {"id": "a", "bytes": 1, "filename": "b", "purpose": "batch"}
    noon = datetime.datetime(2025, 12, 1, 12, 0, 0, 455349, tzinfo=datetime.UTC)
    for text in (
        "2025-12-01T12:00:00.455349+00:00",
        "2025-12-01T12:00:00.455349Z",
        "2025-12-01T14:00:00.455349+02:00",
    ):
        file = FileObject.from_dict({**fields, "created_at": text})
        assert noon == file.created_at
        written = file.to_dict()["created_at"]
        assert noon == datetime.datetime.fromisoformat(written)


def test_null_times_stay_null(contract: Any) -> None:
    """An explicit null differs from a missing field."""
    example = {**contract.example("Batch"), "completed_at": None}
    batch = Batch.from_dict(example)
    assert batch.completed_at is None
    assert batch.failed_at is UNSET
    assert example == batch.to_dict()


def test_server_defaults_are_not_sent() -> None:
    """A new default of the server applies without a new release."""
    assert {"input": "a", "model": "m"} == EmbeddingsRequest(input="a", model="m").to_dict()
    request = RerankRequest(query="q", documents=["d"], model="m")
    assert {"query": "q", "documents": ["d"], "model": "m"} == request.to_dict()


def test_only_required_fields_and_constants_are_sent_by_any_model(
    schema: str, example: Any, model_of: ModelOf, contract: Any
) -> None:
    """The same holds for every model of the contract."""
    required = contract.schemas[schema].get("required", [])
    value = model_of(schema).from_dict({name: example[name] for name in required})
    assert set(required) == set(value.to_dict())


def test_none_is_sent_as_null() -> None:
    """None is a value that the caller chose, unlike UNSET."""
    request = EmbeddingsRequest(input="a", model="m", input_type=None, output_dimension=None)
    expected = {"input": "a", "model": "m", "input_type": None, "output_dimension": None}
    assert expected == request.to_dict()


def test_false_and_zero_are_sent() -> None:
    """Only UNSET is left out, not every value that is false."""
    request = RerankRequest(query="", documents=[], model="", top_k=0, truncation=False)
    expected = {"query": "", "documents": [], "model": "", "top_k": 0, "truncation": False}
    assert expected == request.to_dict()


class Untouchable(list[float]):
    """A list that raises if anything looks at its items."""

    def __iter__(self) -> Any:
        raise AssertionError("the items were looked at")

    __getitem__ = __iter__


def test_vectors_are_handed_over_as_they_are() -> None:
    """A thousand vectors are a million numbers, and checking each would dominate the time."""
    vector = Untouchable([0.6, 0.8])
    value = Embedding.from_dict({"embedding": vector, "index": 0})
    assert value.embedding is vector
    assert value.to_dict()["embedding"] is vector


def test_equality_is_by_value() -> None:
    """Programs compare models, as they are plain data."""
    one, same = (Embedding(embedding=[0.5], index=0) for _ in range(2))
    assert one == same
    assert one != Embedding(embedding=[0.5], index=1)
    assert one != Embedding(embedding=[0.5], index=0, object="embedding")


def test_positional_arguments_are_refused() -> None:
    """Models take keywords only, as the signature shows."""
    with pytest.raises(TypeError, match="positional"):
        Embedding([0.5], 0)  # type: ignore[misc]  # the point of the test


def test_misspelled_fields_are_refused() -> None:
    """A typo raises where it is made."""
    with pytest.raises(TypeError, match="input_typ"):
        EmbeddingsRequest(input="a", model="m", input_typ="query")  # type: ignore[call-arg]  # ditto


def test_parameters_of_a_reranking_job_are_not_read_as_those_of_another() -> None:
    """All kinds of jobs have a model; taking the first that fits would lose fields."""
    request = {
        "endpoint": "/v1/rerank",
        "input_file_id": "file-1",
        "completion_window": "12h",
        "request_params": {"model": "rerank-2.5", "top_k": 3, "return_documents": True},
    }
    value = CreateBatchRequest.from_dict(request)
    assert isinstance(value.request_params, models.BatchRerankParams)
    assert request == value.to_dict()


def test_parts_of_an_input_are_written_from_any_sequence() -> None:
    """Users may pass a tuple of models where JSON has a list."""
    content: Any = (TextContent(text="a"), TextContent(text="b"))
    expected = {"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}
    assert expected == MultimodalInput(content=content).to_dict()


def test_constants_need_not_be_given() -> None:
    """They have only one possible value."""
    assert {"type": "text", "text": "a"} == TextContent(text="a").to_dict()


def test_all_models_are_exported(contract: Any) -> None:
    """Each schema has a model of its name; other exports are Literal types, unions and aliases."""
    named = {name for name, schema in contract.schemas.items() if schema.get("type") == "object"}
    enums = {name for name, schema in contract.schemas.items() if "enum" in schema}
    assert named | enums == set(models.__all__) == set(dir(models))
    assert [] == [name for name in models.__all__ if not getattr(models, name)]


def test_an_unknown_model_is_an_attribute_error() -> None:
    """Lazy loading keeps Python's usual error for a typo."""
    with pytest.raises(AttributeError, match=r"models.*EmbeddingRequest"):
        models.EmbeddingRequest  # type: ignore[attr-defined]  # noqa: B018  # the point of the test
