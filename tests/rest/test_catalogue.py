"""The models of the API as data."""

from __future__ import annotations

import copy
import pickle
from typing import Any, get_args

import attrs
import pytest
from voyageai_rest import catalogue
from voyageai_rest.catalogue import MODELS, PROMPTS, Model, UnknownModelError, find

from generator import paths
from generator import spec as source

WRITTEN: dict[str, Any] = source.load(paths.SPEC / "catalogue.yaml")
UNKNOWN = "unknown"
EVIDENCE = ("source", "sources")


def differences(written: Any, emitted: Any, path: str = "") -> list[str]:
    """Return the differences between a YAML entry and its object, without evidence."""
    if isinstance(written, dict):
        found = []
        for key, value in written.items():
            if key not in EVIDENCE:
                found += differences(value, getattr(emitted, key), f"{path}.{key}")
        known = {*written, "name"}
        for each in attrs.fields(type(emitted)):
            if each.name not in known and getattr(emitted, each.name) is not None:
                found.append(f"{path}.{each.name} is not written")
        return found
    if isinstance(written, list):
        expected: Any = tuple(written)
    else:
        expected = None if written == UNKNOWN else written
    same = expected == emitted and type(expected) is type(emitted)
    return [] if same else [f"{path}: {expected!r} became {emitted!r}"]


def test_all_models_of_the_spec_are_there() -> None:
    """Every model in the spec reaches users, in the order of the catalogue."""
    assert list(WRITTEN["models"]) == list(MODELS)
    assert 30 < len(MODELS)


@pytest.mark.parametrize("name", WRITTEN["models"])
def test_every_value_of_a_model_is_that_of_the_catalogue(name: str) -> None:
    """Limits, prices, dimensions and dates reach users unchanged, as does any new field."""
    model = MODELS[name]
    assert name == model.name
    assert [] == differences(WRITTEN["models"][name], model)


@pytest.mark.parametrize("section", ["tiers", "geography", "batch", "tokenization"])
def test_every_value_of_a_section_is_that_of_the_catalogue(section: str) -> None:
    """Tier factors, discounts and other sections reach users unchanged."""
    assert [] == differences(WRITTEN[section], getattr(catalogue, section.upper()))


def test_prompts_are_exact() -> None:
    """One space less, and the vectors would differ from the server's."""
    assert set(WRITTEN["prompts"]) == set(PROMPTS)
    for name, prompts in WRITTEN["prompts"].items():
        assert (prompts["query"], prompts["document"]) == (
            PROMPTS[name].query,
            PROMPTS[name].document,
        )
    assert "Represent the query for retrieving supporting documents: " == PROMPTS["retrieval"].query
    assert "Represent the document for retrieval: " == PROMPTS["retrieval"].document


@pytest.mark.parametrize(
    ("literal", "endpoint"),
    [
        ("EmbeddingsModel", "embeddings"),
        ("ContextualizedEmbeddingsModel", "contextualizedembeddings"),
        ("MultimodalEmbeddingsModel", "multimodalembeddings"),
        ("RerankModel", "rerank"),
    ],
)
def test_literal_types_are_the_models_of_an_endpoint(literal: str, endpoint: str) -> None:
    """Editors complete exactly the model names that an endpoint accepts."""
    expected = [name for name, model in MODELS.items() if model.endpoint == endpoint]
    assert expected
    assert expected == list(get_args(getattr(catalogue, literal)))


def test_a_model_is_found_by_its_name() -> None:
    """Each look-up returns the same object."""
    assert MODELS["voyage-4"] is find("voyage-4")
    assert isinstance(find("rerank-2.5"), Model)


@pytest.mark.parametrize(
    ("name", "similar"),
    [
        ("voyage4", "voyage-4"),
        ("voyage-4-larg", "voyage-4-large"),
        ("rerank2.5", "rerank-2.5"),
        ("voyage-context4", "voyage-context-4"),
    ],
)
def test_an_unknown_name_comes_with_similar_ones(name: str, similar: str) -> None:
    """Most unknown names are typos, and the suggestion shows the right spelling."""
    with pytest.raises(UnknownModelError) as caught:
        find(name)
    assert name == caught.value.name
    assert similar == caught.value.similar[0]
    assert repr(name) in str(caught.value)
    assert f"did you mean {similar}" in str(caught.value)


@pytest.mark.parametrize("name", ["gpt-99-turbo", "", "\ud800", None, 5, [[]]])
def test_a_name_without_similar_names_has_no_suggestions(name: Any) -> None:
    """A wrong suggestion would mislead; the error is the same for any type of name."""
    with pytest.raises(UnknownModelError) as caught:
        find(name)
    assert () == caught.value.similar
    assert "did you mean" not in str(caught.value)


def test_the_error_survives_pickle_and_copies() -> None:
    """The suggestions survive too, so errors can cross process boundaries."""
    with pytest.raises(UnknownModelError) as caught:
        find("voyage4")
    error = caught.value
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert (error.name, error.similar, str(error)) == (twin.name, twin.similar, str(twin))


def test_the_error_is_a_lookup_error() -> None:
    """Programs catch LookupError to go on with a model that this release does not know."""
    with pytest.raises(LookupError):
        find("voyage-99")


def test_models_survive_pickle() -> None:
    """Clients hold models, and are pickled for other processes."""
    for model in MODELS.values():
        assert model == pickle.loads(pickle.dumps(model))


def test_the_catalogue_can_not_be_changed() -> None:
    """All clients of a process share the catalogue."""
    with pytest.raises(TypeError):
        MODELS["voyage-4"] = find("voyage-4-lite")  # type: ignore[index]  # the point of the test
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        find("voyage-4").rpm = 1  # type: ignore[misc]  # ditto
