"""Reprs of models and of the client."""

from __future__ import annotations

import pytest
from voyageai_rest import Client
from voyageai_rest.api.embeddings import create_embeddings
from voyageai_rest.models import Embedding, EmbeddingsRequest, EmbeddingsResponse, TokenUsage
from voyageai_rest.types import File, Response


def test_a_vector_is_cut_short() -> None:
    """A thousand numbers would push everything else off the screen."""
    value = Embedding(embedding=[0.5] * 1024, index=3)
    shown = "Embedding(embedding=<[0.5, 0.5, 0.5, ...] of 1024 items>, index=3)"
    assert shown == repr(value)


def test_a_base64_vector_is_cut_short() -> None:
    """A base64 vector is as long as a list of numbers."""
    value = Embedding(embedding="A" * 5464, index=3)
    shown = "Embedding(embedding=<'AAAAAAAAAAAAAAAAAAAA'... of 5464 characters>, index=3)"
    assert shown == repr(value)


def test_many_vectors_are_cut_short() -> None:
    """A response holds a list of models, each of which has a vector."""
    data = [Embedding(embedding=[0.5] * 2048, index=index) for index in range(1000)]
    value = EmbeddingsResponse(data=data, usage=TokenUsage(total_tokens=1))
    assert 400 > len(repr(value))
    assert "of 1000 items" in repr(value)


def test_long_texts_are_cut_short() -> None:
    """Programs log requests, and texts can be very long."""
    value = EmbeddingsRequest(input=["x" * 50_000] * 5, model="voyage-4")
    assert 400 > len(repr(value))
    assert "of 50000 characters" in repr(value)


def test_unset_fields_are_not_shown() -> None:
    """Unset fields would hide those with values, as would an empty dict of extras."""
    value = EmbeddingsRequest(input="a", model="m", input_type=None)
    assert "EmbeddingsRequest(input='a', model='m', input_type=None)" == repr(value)
    assert "TokenUsage(total_tokens=1)" == repr(TokenUsage(total_tokens=1))


def test_unknown_fields_are_shown() -> None:
    """Unknown fields are part of the response too."""
    value = TokenUsage.from_dict({"total_tokens": 1, "pixels": 2})
    assert "TokenUsage(total_tokens=1, additional_properties={'pixels': 2})" == repr(value)


def test_unknown_fields_are_cut_short() -> None:
    """A field that the API adds may be a vector too."""
    value = TokenUsage.from_dict({"total_tokens": 1, "sparse": [0.5] * 5000, "b": "x" * 5000})
    assert 300 > len(repr(value))


def test_a_file_is_cut_short() -> None:
    """A file to upload can hold a gigabyte."""
    assert 200 > len(repr(File(content=b"x" * 100_000, name="a.jsonl")))


def test_a_request_is_cut_short() -> None:
    """A request holds all texts of its body."""
    body = EmbeddingsRequest(input=["x" * 50_000] * 5, model="voyage-4")
    assert 400 > len(repr(create_embeddings.build_request(body=body)))


def test_an_answer_is_cut_short() -> None:
    """The content of a downloaded file is a bytes object of any length."""
    assert 200 > len(repr(Response(status_code=200, headers={}, parsed=b"x" * 100_000)))


@pytest.mark.parametrize("show", [repr, str, "{}".format])
def test_the_key_is_not_shown(show) -> None:
    """Clients end up in logs and tracebacks."""
    client = Client(
        api_key="pa-secret",
        headers={"X-Proxy-Key": "pa-secret"},
        httpx_args={"auth": ("user", "pa-secret")},
    )
    assert "pa-secret" not in show(client)
    assert "api.voyageai.com" in show(client)
