"""Models that run on this machine: the results of the API, without it."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from voyageai import local
from voyageai.error import ArgumentError, InvalidRequestError
from voyageai.local import model_registry
from voyageai.local.helpers import embed_local, get_local_backend, is_local_model
from voyageai.local.model_registry import SUPPORTED_MODELS, ModelCache, get_model_config
from voyageai.local.sentence_transformer_backend import SentenceTransformerBackend

NANO = "voyage-4-nano"
PROMPTS = {"query": "film ", "document": "house "}
LENGTH = 12
"""Tokens that the tiny model reads here."""
DOCUMENTS = [
    "the dwelling is the home of a physician",
    "who can acquire a rapid vehicle",
    "this movie is joyful",
]
QUERIES = {"where can i buy a fast car": 1, "film for the glad": 2, "house of the doctor": 0}


@pytest.fixture(scope="module")
def folder(make_model: Callable[..., Path]) -> Path:
    """Create a tiny model as wide as the real one, with prompts of its own."""
    return make_model(get_model_config(NANO).default_dimension, **PROMPTS)


@pytest.fixture
def nano(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Return the name of a model that the tiny one replaces."""
    stand_in(folder, monkeypatch)
    yield NANO
    ModelCache().clear()


def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Load the tiny model in place of the real one, and refuse any other."""
    config = dataclasses.replace(
        SUPPORTED_MODELS[NANO], huggingface_id=str(folder), max_tokens=LENGTH
    )
    monkeypatch.setitem(SUPPORTED_MODELS, NANO, config)
    ModelCache().clear()


def direct(folder: Path) -> Any:
    """Load the model with its library alone, without our code."""
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder), device="cpu")


def test_the_open_model_is_known_by_what_the_official_client_knows_of_it() -> None:
    """Code for the official client relies on its name, limits and dimensions."""
    config = get_model_config(NANO)
    assert [NANO] == list(SUPPORTED_MODELS)
    assert "voyageai/voyage-4-nano" == config.huggingface_id
    assert (32768, 2048, 1000) == (
        config.max_tokens,
        config.default_dimension,
        config.max_batch_size,
    )
    assert {2048, 1024, 512, 256} == set(config.supported_dimensions)
    assert {"float32", "float", "binary", "ubinary"} == set(config.supported_precisions)
    assert is_local_model(NANO)
    assert not is_local_model("voyage-4")


def test_search_finds_what_shares_the_meaning(nano: str) -> None:
    """Queries and documents go through the same model, each with its own prompt."""
    documents = embed_local(DOCUMENTS, nano, input_type="document").to_numpy()
    queries = embed_local(list(QUERIES), nano, input_type="query").to_numpy()
    assert list(QUERIES.values()) == (queries @ documents.T).argmax(axis=1).tolist()


def test_vectors_are_the_models_own(nano: str, folder: Path) -> None:
    """Vectors that users stored by running the model themselves stay comparable."""
    model = direct(folder)
    methods = {"query": model.encode_query, "document": model.encode_document, None: model.encode}
    for input_type, encode in methods.items():
        expected = encode(DOCUMENTS, normalize_embeddings=True)
        given = embed_local(DOCUMENTS, nano, input_type=input_type).to_numpy()
        assert expected == pytest.approx(given, abs=1e-6)


@pytest.mark.parametrize("dimension", [256, 512, 1024, 2048])
def test_vectors_are_cut_and_have_unit_length(nano: str, dimension: int) -> None:
    """A shortened vector must have length 1 again to be comparable with the API's."""
    result = embed_local(DOCUMENTS, nano, output_dimension=dimension)
    assert dimension == len(result.embeddings[0])
    lengths = np.linalg.norm(result.embeddings, axis=1)
    assert np.ones(len(DOCUMENTS)) == pytest.approx(lengths, abs=1e-6)


@pytest.mark.parametrize(("dtype", "number"), [("binary", "int8"), ("ubinary", "uint8")])
def test_bits_are_those_of_the_library(nano: str, dtype: str, number: str) -> None:
    """An index built with this package or with the library can be searched with the other."""
    from sentence_transformers import quantize_embeddings

    floats = embed_local(DOCUMENTS, nano, output_dimension=256).to_numpy()
    expected = quantize_embeddings(floats, precision=dtype)
    result = embed_local(DOCUMENTS, nano, output_dimension=256, output_dtype=dtype)
    assert (number, (len(DOCUMENTS), 32)) == (str(result.to_numpy().dtype), result.to_numpy().shape)
    assert expected.tolist() == result.embeddings
    assert dtype == result.output_dtype


def test_float32_is_another_name_of_float(nano: str) -> None:
    """The official client accepts both names for local models."""
    assert embed_local(DOCUMENTS, nano) == embed_local(DOCUMENTS, nano, output_dtype="float32")


def test_a_result_says_whose_it_is(nano: str) -> None:
    """The result names its embedding space, so comparing it with another family warns."""
    result = embed_local(DOCUMENTS[0], nano)
    assert (1, NANO, "voyage-4", "float") == (
        len(result),
        result.model,
        result.space,
        result.output_dtype,
    )


def test_tokens_are_those_the_model_reads(nano: str) -> None:
    """The count includes the prompt and leaves out what the model cuts off."""
    edges = 2  # what the tokenizer puts around every text
    assert 2 + edges == embed_local(["car doctor"], nano).total_tokens
    assert 3 + edges == embed_local(["car doctor"], nano, input_type="query").total_tokens
    assert LENGTH == embed_local(["car " * 100], nano).total_tokens
    backend = get_local_backend(nano)
    assert 100 + edges == backend.count_tokens(["car " * 100], truncation=False)
    assert LENGTH == backend.count_tokens(["car " * 100], "document")


def test_a_text_that_is_too_long_is_refused_if_it_must_not_be_cut(nano: str) -> None:
    """A text that just fits is accepted, else the error names the text."""
    fits = "car " * (LENGTH - 2)
    assert LENGTH == embed_local([fits], nano, truncation=False).total_tokens
    with pytest.raises(InvalidRequestError, match=r"texts\[1\] has 13 tokens"):
        embed_local([fits, f"{fits} car"], nano, truncation=False)


def test_a_text_that_is_too_long_is_cut(nano: str) -> None:
    """Text beyond the model's length does not change the vector."""
    start = "car " * (LENGTH - 2)
    longer, shorter = embed_local([f"{start} doctor doctor", start], nano).to_numpy()
    assert shorter == pytest.approx(longer, abs=1e-6)


@pytest.mark.parametrize(
    ("texts", "arguments", "argument"),
    [
        ([], {}, "texts"),
        (None, {}, "texts"),
        (["car"] * 1001, {}, "texts"),
        ([1], {}, "texts[0]"),
        (["car"], {"input_type": "question"}, "input_type"),
        (["car"], {"output_dimension": 100}, "output_dimension"),
        (["car"], {"output_dtype": "float16"}, "output_dtype"),
        (["car"], {"truncation": "no"}, "truncation"),
    ],
)
def test_invalid_requests_are_refused_as_by_the_api(
    nano: str, texts: Any, arguments: dict[str, Any], argument: str
) -> None:
    """Code that handles the API's errors handles those of local models too."""
    with pytest.raises(InvalidRequestError) as caught:
        embed_local(texts, nano, **arguments)
    assert argument == caught.value.argument


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_dtypes_whose_scale_is_not_documented_are_not_made(nano: str, dtype: str) -> None:
    """Guessed scales would give vectors that look like the API's but do not compare with them."""
    with pytest.raises(NotImplementedError, match=f"output_dtype='{dtype}'"):
        embed_local(["car"], nano, output_dtype=dtype)


def test_a_model_that_runs_elsewhere_is_refused() -> None:
    """The error comes before anything is loaded, and names the models that run locally."""
    with pytest.raises(ValueError, match=r"runs on this machine \(voyage-4-nano\)"):
        embed_local(["car"], "voyage-4")


def test_a_missing_package_is_named_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error gives the command that installs it; asking for availability never raises."""
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    assert not local._is_local_available()
    with pytest.raises(ImportError, match='extra `local`: pip install "sentence'):
        embed_local(["car"], NANO)


def test_what_is_installed_is_found(nano: str) -> None:
    """The checks for local models have the official client's names."""
    assert local._is_local_available()
    assert ["sentence_transformers", "torch"] == [
        module.__name__ for module in local._ensure_local_deps()
    ]


def test_code_that_comes_with_a_model_runs_only_by_agreement(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loading a model never runs a stranger's program unless the user agrees."""
    dynamic = pytest.importorskip("transformers.dynamic_module_utils")
    monkeypatch.setattr(dynamic, "HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.setattr(sys, "path", [*sys.path])
    coded = tmp_path / "coded"
    shutil.copytree(folder, coded)
    config = json.loads((coded / "config.json").read_text())
    config |= {
        "model_type": "own",
        "auto_map": {"AutoConfig": "own.OwnConfig", "AutoModel": "own.OwnModel"},
    }
    (coded / "config.json").write_text(json.dumps(config))
    ran = tmp_path / "ran"
    (coded / "own.py").write_text(
        "from pathlib import Path\n"
        "from transformers import Qwen3Config, Qwen3Model\n"
        f"Path({str(ran)!r}).touch()\n"
        "class OwnConfig(Qwen3Config):\n"
        "    model_type = 'own'\n"
        "class OwnModel(Qwen3Model):\n"
        "    config_class = OwnConfig\n"
    )
    stand_in(coded, monkeypatch)
    with pytest.raises(ArgumentError, match=r"voyageai\.local\.trust_remote_code = True"):
        embed_local(["car"], NANO)
    assert not ran.exists()
    monkeypatch.setattr(local, "trust_remote_code", True)
    assert 1 == len(embed_local(["car"], NANO))
    assert ran.exists()
    ModelCache().clear()


def test_other_failures_to_load_are_reported_unchanged(
    tmp_path: Path, nano: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The question of trust is raised only for models that bring code of their own."""
    stand_in(tmp_path, monkeypatch)
    with pytest.raises(ValueError, match="model_type") as caught:
        embed_local(["car"], nano)
    assert not isinstance(caught.value, ArgumentError)


def test_a_model_is_loaded_once(nano: str) -> None:
    """Loading takes seconds, and every call creates a backend."""
    assert get_local_backend(nano).model is SentenceTransformerBackend(nano, "cpu").model
    assert get_local_backend(nano).model is ModelCache().get(f"{nano}:cpu")


def test_threads_that_ask_for_a_model_load_it_once() -> None:
    """Threads that ask for another model do not wait meanwhile."""
    cache, loads, start = ModelCache(), [], threading.Barrier(8)
    cache.clear()

    def load() -> object:
        loads.append(cache.get_or_load("another", object))
        return object()

    def ask() -> None:
        start.wait()
        cache.get_or_load("model", load)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [cache.get("another")] == loads
    cache.clear()
    assert cache.get("model") is None
    assert cache is model_registry.ModelCache()


def test_threads_share_a_model(nano: str) -> None:
    """The asynchronous client embeds in threads, which share one loaded model."""
    texts = [f"car number {number} of the doctor" for number in range(40)]
    expected = embed_local(texts, nano).to_numpy()
    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: found.append(embed_local(texts, nano).to_numpy()))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [pytest.approx(expected, abs=1e-5)] * 8 == found


def test_libraries_are_loaded_with_the_first_text() -> None:
    """Every `embed` checks whether its model is local; calls to the API must not pay for it."""
    program = (
        "import sys\n"
        "from voyageai.local.helpers import is_local_model\n"
        "is_local_model('voyage-4')\n"
        "print({'torch', 'sentence_transformers', 'numpy', 'transformers'} & set(sys.modules))"
    )
    output = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout
    assert "set()" == output.strip()
