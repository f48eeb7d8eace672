"""Input types and prompts, on which the quality of retrieval depends."""

from __future__ import annotations

import warnings

import pytest
from voyageai.error import ArgumentError
from voyageai.prompts import DoublePromptWarning, MissingInputTypeWarning, count, prompt, render
from voyageai_rest.catalogue import MODELS, PROMPTS

from .conftest import Face

CALLS = {
    "embed": (["a"], "voyage-4"),
    "contextualized_embed": ([["a"]], "voyage-context-4"),
    "multimodal_embed": ([["a"]], "voyage-multimodal-3.5"),
}
pytestmark = pytest.mark.filterwarnings("error::voyageai.prompts.MissingInputTypeWarning")


@pytest.mark.parametrize("method", CALLS)
def test_a_call_without_an_input_type_warns(face, method):
    """Without an input type retrieval is worse, and nothing else tells the user."""
    with pytest.warns(MissingInputTypeWarning, match="input_type is left out"):
        face.call(face.client(), method, *CALLS[method])


def test_a_call_without_an_input_type_warns_once_per_line():
    """A loop warns once, and two lines warn twice."""
    client = Face("Client").client()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            client.embed(["a"], model="voyage-4")
        client.embed(["a"], model="voyage-4")

    assert 2 == len(caught)
    assert {__file__} == {warning.filename for warning in caught}


def test_a_warning_names_the_callers_line_whatever_the_way():
    """Calls by raw responses or a copy of the client are attributed to their lines too."""
    client = Face("Client").client()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        client.with_raw_response.embed(["a"], model="voyage-4")
        client.with_raw_response.embed(["a"], model="voyage-4")
        client.with_options(max_retries=1).multimodal_embed([["a"]], "voyage-multimodal-3.5")

    assert [__file__] * 3 == [warning.filename for warning in caught]


@pytest.mark.parametrize("role", ["query", "document"])
def test_texts_that_bring_their_prompt_need_no_input_type(face, role):
    """Users who render prompts themselves must not be warned."""
    face.call(face.client(), "embed", [render("a", role)], model="voyage-4")


def test_models_without_known_prompts_need_no_input_type(face):
    """These models have no prompt that an input type would select."""
    without = [m.name for m in MODELS.values() if m.endpoint == "embeddings" and not m.prompts]
    for model in ["voyage-99", *without]:
        face.call(face.client(), "embed", ["a"], model=model)


@pytest.mark.parametrize("method", CALLS)
def test_a_client_may_have_an_input_type_per_method(face, method):
    """An indexing program sets its input type once."""
    client = face.client(input_types={method: "document"})
    face.call(client, method, *CALLS[method])
    assert "document" == face.body["input_type"]
    face.call(client, method, *CALLS[method], input_type="query")
    assert "query" == face.body["input_type"]
    face.call(client.with_options(max_retries=1), method, *CALLS[method])
    assert "document" == face.body["input_type"]
    face.call(client.with_options(input_types={method: "query"}), method, *CALLS[method])
    assert "query" == face.body["input_type"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"rerank": "query"}, "has 'rerank'"),
        ({"embed": "doc"}, "'query', 'document' or None|not 'doc'"),
    ],
)
def test_wrong_input_types_of_a_client_are_refused(face, given, message):
    """The error comes when the client is made, not at its first call."""
    with pytest.raises(ArgumentError, match=message):
        face.client(input_types=given)


@pytest.mark.parametrize(
    ("method", "given", "model", "body"),
    [
        ("contextualized_embed_query", "a", "voyage-context-4", {"inputs": [["a"]], "input_type": "query"}),
        ("contextualized_embed_query", ["a", "b"], "voyage-context-4", {"inputs": [["a"], ["b"]], "input_type": "query"}),
        ("contextualized_embed_documents", [["a", "b"]], "voyage-context-4", {"inputs": [["a", "b"]], "input_type": "document"}),
        ("multimodal_embed_query", [["a"]], "voyage-multimodal-3.5", {"input_type": "query"}),
        ("multimodal_embed_documents", [["a"]], "voyage-multimodal-3.5", {"input_type": "document"}),
        ("embed_query", "a", "voyage-4", {"input": "a", "input_type": "query"}),
        ("embed_documents", ["a"], "voyage-4", {"input": ["a"], "input_type": "document"}),
    ],
)  # fmt: skip
def test_each_endpoint_has_a_method_for_queries_and_one_for_documents(
    face, method, given, model, body
):
    """Users choose a method instead of remembering a parameter."""
    face.call(face.client(), method, given, model=model)

    assert body == {name: face.body[name] for name in body}


def test_documents_can_be_chunked_on_their_way():
    """The method for documents takes the same options as the general one."""
    face = Face("Client")
    result = face.client().contextualized_embed_documents(
        [["ab"]], "voyage-context-4", chunk_fn=list
    )

    assert [["a", "b"]] == result.chunk_texts == face.body["inputs"]


@pytest.mark.parametrize("model", [m.name for m in MODELS.values() if m.endpoint == "rerank"])
def test_a_model_without_prompts_says_so(model):
    """The error prevents rendering a prompt that the model never sees."""
    with pytest.raises(LookupError, match=f"prompts of {model} are not known"):
        prompt("query", model)


def test_an_unknown_model_has_no_known_prompts():
    """Users would trust a guessed prompt."""
    with pytest.raises(LookupError, match="voyage-99"):
        render("a", "query", "voyage-99")


def test_a_doubled_prompt_is_found_for_unknown_models_too(face):
    """All hosted models have shared their prompts so far."""
    with pytest.warns(DoublePromptWarning):
        face.call(face.client(), "embed", [render("a", "query")], "voyage-99", "query")


def test_tokens_are_counted_with_the_prompt():
    """The model sees, and bills, the text with its prompt."""

    class Words:
        def encode(self, sequence):
            return sequence.split()

    expected = 2 * len(PROMPTS["retrieval"].query.split()) + 3
    assert expected == count(["one two", "three"], "query", "voyage-4", Words())
    assert 3 == count(["one two", "three"], None, "voyage-4", Words())
    with pytest.raises(ArgumentError, match="texts must be a list of strings"):
        count("one two", None, "voyage-4", Words())


def test_an_unknown_input_type_is_named():
    """The error repeats the wrong value."""
    for wrong in ("passage", 5):
        with pytest.raises(ValueError, match=f"not {wrong!r}"):
            prompt(wrong, "voyage-4")
