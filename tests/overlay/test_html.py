"""HTML shown in notebooks: escaped, well-formed, and without secrets."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
import voyageai
import voyageai_emulator
from voyageai import html
from voyageai_rest.catalogue import MODELS

TEXTS = ["A <b>cat</b> & a mat.", "x" * 1000]


@pytest.fixture(scope="module")
def client():
    """Yield a client of a running emulator."""
    with (
        voyageai_emulator.running() as url,
        voyageai.Client("secret-key", base_url=url) as made,
    ):
        yield made


def shown(client, folder):
    """Return one object of each kind that has an HTML form."""
    job = client.batches.prepare_embed(TEXTS, model="voyage-4", directory=folder / "job")
    rows = [{"id": n, "body": text} for n, text in enumerate(TEXTS)]
    table = {"text": "body", "id": "id", "model": "voyage-4", "input_type": "document"}
    file = client.files.upload([{"custom_id": "a", "body": {"input": TEXTS}}])
    return {
        "embeddings": client.embed_documents(TEXTS, model="voyage-4"),
        "reranking": client.rerank("a <i>cat</i>", TEXTS, model="rerank-3"),
        "chunks": client.contextualized_embed([TEXTS], model="voyage-context-4"),
        "document": client.contextualized_embed([TEXTS], model="voyage-context-4").results[0],
        "multimodal": client.multimodal_embed([["a"]], model="voyage-multimodal-3.5"),
        "estimate": job.estimate,
        "job": job,
        "batch": client.batches.create("/v1/embeddings", file.id, {"model": "voyage-4"}),
        "table": client.tables.prepare_embed(rows, into=folder / "table", **table),
        "table result": client.tables.embed(rows, into=folder / "other", **table),
        "catalogue": MODELS,
    }


def test_everything_is_well_formed_and_escaped(client, tmp_path):
    """Tags in a user's text must not become part of the page."""
    for name, thing in shown(client, tmp_path).items():
        page = thing._repr_html_()
        ElementTree.fromstring(page)
        assert "<b>cat" not in page, name
        assert "secret-key" not in page, name
        assert "x" * (html.LONGEST + 1) not in page, name


def test_a_card_has_shape_model_tokens_and_price(client):
    """Users look for these first."""
    page = client.embed_documents(TEXTS, model="voyage-4")._repr_html_()
    text = " ".join("".join(ElementTree.fromstring(page).itertext()).split())

    assert "EmbeddingsObjectvectors 2 x 1024 float32 dtype float model voyage-4 tokens" in text
    assert "list price $" in text
    assert "similarity to each other" in text


def test_a_ranking_is_a_table_of_the_best(client):
    """The best documents come first, each with its beginning and score."""
    result = client.rerank("cat", TEXTS * 20, model="rerank-3")
    page = result._repr_html_()
    cells = [cell.text or "" for cell in ElementTree.fromstring(page).iter("td")]

    assert 4 * html.SHOWN == len(cells)
    assert ["1", f"{result.results[0].relevance_score:.4g}"] == cells[:2]
    assert f"and {40 - html.SHOWN} more" in page


def test_what_can_not_be_shown_is_written_as_its_code(client):
    """Lone surrogates can't be saved with a notebook, and bidi marks would reorder the line."""
    result = client.embed_documents(TEXTS, model="voyage-4")
    result.model = "\ud800 \u202e \0 <b>"
    page = result._repr_html_()

    ElementTree.fromstring(page)
    assert r"\ud800 \u202e \x00 &lt;b&gt;" in page


@pytest.mark.parametrize("row", [[0.1], [float("nan")] * 1024, ["a"] * 1024, None])
def test_vectors_that_were_spoilt_have_a_card_without_a_heat_map(client, row):
    """A card that raised would hide what is wrong with the vectors."""
    result = client.embed_documents(TEXTS, model="voyage-4")
    result.embeddings[0] = row

    assert "similarity" not in result._repr_html_()
    assert repr(result)


@pytest.mark.parametrize("matrix", [[[1.0]], [[0.0, 0.0], [0.0, 0.0]], []])
def test_a_heat_map_of_one_number_or_none_is_drawn(matrix):
    """Equal values leave no range to scale colours over."""
    assert len(matrix) ** 2 == html.heat_map(matrix).count("<rect")
