"""Embeddings as features of scikit-learn."""

from __future__ import annotations

import doctest
import pickle

import numpy as np
import pytest
import voyageai
import voyageai.integrations.sklearn
import voyageai_emulator
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks
from voyageai.error import ArgumentError
from voyageai.integrations.sklearn import VoyageEncoder

TEXTS = ["rain and wind", "snow and rain", "banks and money", "money and debts"]
LABELS = ["weather", "weather", "money", "money"]


@pytest.fixture(scope="module")
def url():
    """Return the base URL of an emulator."""
    with voyageai_emulator.running() as found:
        yield found


@pytest.fixture(scope="module")
def client(url):
    """Return a client of the emulator."""
    with voyageai.Client("any-key", base_url=url) as made:
        yield made


CHECKS = [
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_estimator_tags_renamed",
    "check_estimators_unfitted",
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_get_params_invariance",
    "check_mixin_order",
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_set_params",
    "check_valid_tag_types",
]
"""scikit-learn's checks that need no numeric matrix; it has none for texts."""


@pytest.mark.parametrize("name", CHECKS)
def test_it_is_an_estimator(name):
    """Pipelines and parameter searches rely on scikit-learn's conventions."""
    getattr(estimator_checks, name)("VoyageEncoder", VoyageEncoder("voyage-4"))


def test_the_example_of_its_docstring_runs(url, monkeypatch):
    """Users copy the example."""
    monkeypatch.setenv("VOYAGE_API_KEY", "any-key")
    monkeypatch.setenv("VOYAGE_BASE_URL", url)
    outcome = doctest.testmod(voyageai.integrations.sklearn)

    assert (True, 0) == (outcome.attempted > 0, outcome.failed)


def test_it_makes_the_vectors_that_the_client_makes(client):
    """A feature row belongs to the text of the same position."""
    found = VoyageEncoder("voyage-4", client=client, verbose=False).fit_transform(TEXTS)
    expected = client.embed_documents(TEXTS, model="voyage-4").to_numpy()

    np.testing.assert_array_equal(expected, found)


def test_a_pipeline_learns_from_texts(client):
    """Users train a classifier on texts with two lines."""
    encoder = VoyageEncoder("voyage-4", client=client, output_dimension=256, verbose=False)
    model = make_pipeline(encoder, LogisticRegression()).fit(TEXTS, LABELS)

    assert ["weather", "money"] == model.predict(["rain", "money"]).tolist()


@pytest.mark.parametrize(
    "column", [list, np.array, lambda texts: np.array(texts, object).reshape(-1, 1), tuple]
)
def test_columns_come_in_many_forms(client, column):
    """Column transformers pass a column as a frame of one column or as one dimension."""
    found = VoyageEncoder("voyage-4", client=client, verbose=False).fit_transform(column(TEXTS))

    assert (4, 1024) == found.shape


def test_a_column_transformer_embeds_its_column(client):
    """Most tables have text columns beside numeric ones."""
    rows = np.array([[text, place] for place, text in enumerate(TEXTS)], object)
    encoder = VoyageEncoder("voyage-4", client=client, output_dimension=256, verbose=False)
    found = make_column_transformer((encoder, 0), ("passthrough", [1])).fit_transform(rows)

    assert (4, 257) == found.shape


@pytest.mark.parametrize(
    ("dtype", "columns", "number"),
    [("float", 256, np.float32), ("int8", 256, np.int8), ("ubinary", 32, np.uint8)],
)
def test_features_have_names_before_anything_is_sent(client, dtype, columns, number):
    """The names are as many as the columns of the output, for every dtype."""
    encoder = VoyageEncoder(
        "voyage-4", output_dimension=256, output_dtype=dtype, client=client, verbose=False
    )
    names = encoder.fit(TEXTS).get_feature_names_out()

    assert (columns, "voyageencoder0") == (len(names), names[0])
    found = encoder.transform(TEXTS)
    assert ((4, columns), number) == (found.shape, found.dtype)


def test_the_price_is_printed_before_anything_is_sent(client, capsys):
    """A search over a grid embeds the same texts many times, so users see the price each time."""
    encoder = VoyageEncoder("voyage-4", client=client, max_cost=1e-9).fit(TEXTS)
    with pytest.raises(
        ArgumentError, match=r"max_cost is \$0.000000001, but embedding could cost more"
    ):
        encoder.transform(TEXTS)
    assert "" == capsys.readouterr().err
    encoder.set_params(max_cost=1.0).transform(TEXTS)

    assert f"VoyageEncoder: {encoder.estimate(TEXTS)}\n" == capsys.readouterr().err
    assert 4 == encoder.estimate(TEXTS).rows
    assert encoder.estimate(TEXTS).cost > 0


def test_a_price_that_is_not_known_is_refused_where_one_is_set():
    """The limit could not be kept with an unknown price."""
    with pytest.raises(ArgumentError, match="price of voyage-99 is not known"):
        VoyageEncoder("voyage-99", max_cost=1.0).fit(TEXTS).transform(TEXTS)


def test_many_texts_take_many_requests(client):
    """A request holds a thousand texts, so 1001 need two, and keep their order."""
    texts = [f"text {n}" for n in range(1001)]
    found = VoyageEncoder(
        "voyage-4", client=client, output_dimension=256, verbose=False
    ).fit_transform(texts)

    np.testing.assert_array_equal(
        client.embed_documents(texts[-1], model="voyage-4", output_dimension=256).to_numpy()[0],
        found[-1],
    )


def test_clones_and_pickles_have_the_parameters_alone(client):
    """Searches clone the encoder for each fold and pickle it for other processes."""
    encoder = VoyageEncoder("voyage-4-lite", output_dimension=256, client=client, verbose=False)
    copied = clone(encoder.fit(TEXTS))

    assert ("voyage-4-lite", 256) == (copied.model, copied.output_dimension)
    assert not copied.__sklearn_is_fitted__()
    assert (4, 256) == copied.fit_transform(TEXTS).shape
    assert (4, 256) == pickle.loads(pickle.dumps(encoder)).transform(TEXTS).shape
    assert "any-key" not in repr(encoder)


def test_without_a_client_it_makes_one_of_the_environment(url, monkeypatch):
    """Searches pickle the encoder for processes that have only the environment."""
    monkeypatch.setenv("VOYAGE_API_KEY", "any-key")
    monkeypatch.setenv("VOYAGE_BASE_URL", url)

    assert (4, 1024) == VoyageEncoder("voyage-4", verbose=False).fit_transform(TEXTS).shape


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("one text", "not one text"),
        ([], "is empty"),
        (["a", ""], r"X\[1\] must be a text"),
        (["a", None], r"X\[1\] must be a text.*None"),
        (np.array([["a", "b"]]), r"one column.*\(1, 2\)"),
    ],
)
def test_a_column_without_texts_is_refused(given, message):
    """The error names the row, and comes before anything is sent."""
    with pytest.raises(ArgumentError, match=message):
        VoyageEncoder("voyage-4").fit(given)


def test_a_dimension_that_the_model_does_not_have_is_refused_by_fit():
    """A search over a grid fails at once instead of after embedding all texts."""
    with pytest.raises(ArgumentError, match="not a dimension of voyage-4"):
        VoyageEncoder("voyage-4", output_dimension=300).fit(TEXTS)


@pytest.mark.parametrize(
    ("changed", "argument"),
    [
        ({"max_cost": float("nan")}, "max_cost"),
        ({"input_type": "documnt"}, "input_type"),
        ({"client": voyageai.AsyncClient("any-key")}, "client"),
    ],
)
def test_parameters_that_can_not_work_are_refused_by_fit(changed, argument):
    """The error names the parameter, and comes before anything is sent."""
    with pytest.raises(ArgumentError) as raised:
        VoyageEncoder("voyage-4", **changed).fit(TEXTS)

    assert argument == raised.value.argument


def test_an_iterator_is_refused(client):
    """`fit` would use up the texts that `transform` needs."""
    with pytest.raises(ArgumentError, match=r"list\(X\)"):
        VoyageEncoder("voyage-4", client=client).fit_transform(iter(TEXTS))
