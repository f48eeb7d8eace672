"""Token counts compared with recorded counts and with those of a real tokenizer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import voyageai
from voyageai_emulator import tokenizer
from voyageai_rest.catalogue import MODELS

from tests.emulator.contract_client import ContractClient

HELD_BACK = Path(__file__).parent / "held_back"
PAGE = Path(__file__).parents[2] / "docs" / "emulator.md"
DIET = (
    "The Mediterranean diet emphasizes fish, olive oil, and vegetables, believed to reduce chronic "
    "diseases."
)
PLANTS = (
    "Photosynthesis in plants converts light energy into glucose and produces essential oxygen."
)
QUERY, DOCUMENT = "This is a test query.", "This is a test document."
BOAT = "this is an image of a blue sailboat on a lake."


class Recorded(NamedTuple):
    """A token count from the vendor's documentation or tests."""

    what: str
    model: str
    texts: list[Any]
    """Texts, or lists of chunks of documents."""
    tokens: int
    query: str | None = None

    def body(self) -> dict[str, Any]:
        """Return a request that has this count as its usage."""
        match MODELS[self.model].endpoint:
            case "rerank":
                arguments: dict[str, Any] = {"query": self.query, "documents": self.texts}
            case "contextualizedembeddings":
                arguments = {
                    "inputs": [[one] if isinstance(one, str) else one for one in self.texts]
                }
            case "multimodalembeddings":
                parts = [{"type": "text", "text": text} for text in self.texts]
                arguments = {"inputs": [{"content": parts}]}
            case _:
                arguments = {"input": self.texts}
        return {"model": self.model, **arguments}


RECORDED = [
    Recorded("a sentence on a diet", "voyage-4-large", [DIET], 18),
    Recorded("a sentence on plants", "voyage-4-large", [PLANTS], 14),
    Recorded("a banana", "voyage-multimodal-3", ["This is a banana."], 5),
    Recorded("a sailboat", "voyage-multimodal-3", [BOAT], 13),
    Recorded("the same text twice in one input", "voyage-multimodal-3", [BOAT, BOAT], 25),
    Recorded(
        "26 characters by themselves", "voyage-context-3", [*"I am an unchunked document"], 26
    ),
    Recorded(
        "998 queries and three chunks",
        "voyage-context-3",
        [
            ["This is doc 1 chunk 1."],
            ["This is doc 2 chunk 1.", "This is doc 2 chunk 2."],
            *([QUERY] * 998),
        ],
        6015,
    ),
    Recorded("a test document", "voyage-2", [DOCUMENT], 7),
    Recorded("a numbered test document", "voyage-2", ["This is a test document 1."], 9),
    Recorded("two samples", "voyage-large-2", ["Sample text 1", "Sample text 2"], 10),
    Recorded("a test query", "voyage-finance-2", [QUERY], 7),
    Recorded(
        "a query, two documents",
        "rerank-lite-1",
        ["Sample document 1", "Sample document 2"],
        26,
        "Sample query",
    ),
]


def row(*cells: object) -> str:
    """Return a row of a table on the page."""
    return f"| {' | '.join(map(str, cells))} |"


def deviation(counted: int, real: int) -> str:
    """Return the deviation of a count in whole percent."""
    per_cent = round(100 * (counted / real - 1))
    return f"{per_cent:+} %" if per_cent else "0"


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case.what)
def test_the_page_gives_the_accuracy_of_each_recorded_count(
    ask: ContractClient, case: Recorded
) -> None:
    """Users see how far to trust the costs and limits that they test here."""
    path = f"/{MODELS[case.model].endpoint}"
    counted = ask(path, case.body())["usage"]["total_tokens"]
    off = deviation(counted, case.tokens)
    expected = row(case.what, case.model, case.tokens, counted, off)
    assert expected in PAGE.read_text(encoding="utf-8").splitlines()


NEAR = {
    *("c", "chinese", "declaration", "japanese", "javascript", "korean", "licences", "novel"),
    *("python", "readmes"),
}


@pytest.mark.parametrize("name", json.loads((HELD_BACK / "counts.json").read_bytes()))
def test_the_page_gives_the_accuracy_for_held_back_texts(name: str) -> None:
    """Accuracy on the tokenizer's training texts says little about users' texts."""
    real = json.loads((HELD_BACK / "counts.json").read_bytes())[name]
    text = (HELD_BACK / f"{name}.txt").read_text(encoding="utf-8")
    counted, size = tokenizer.count(text), len(text.encode())
    expected = row(
        name, real, f"{size / real:.1f}", counted, f"{size / counted:.1f}", deviation(counted, real)
    )
    assert expected in PAGE.read_text(encoding="utf-8").splitlines()
    assert name not in NEAR or abs(counted / real - 1) <= 0.15


def test_only_older_models_have_a_start_token(ask: ContractClient) -> None:
    """The vendor counts one with Llama 2's tokenizer, and none with later ones."""
    for model, start in {"voyage-2": 1, "voyage-code-2": 1, "voyage-4": 0, "voyage-3.5": 0}.items():
        usage = ask("/embeddings", {"model": model, "input": [QUERY, DOCUMENT]})["usage"]
        plain = tokenizer.count(QUERY) + tokenizer.count(DOCUMENT)
        assert {"total_tokens": plain + 2 * start} == usage


@pytest.mark.parametrize("model", ["voyage-2", "rerank-1", "voyage-4"])
def test_a_client_counts_the_start_token_as_the_emulator_does(url: str, model: str) -> None:
    """The emulator serves each client the tokenizer with or without it."""
    with voyageai.Client("any-key", base_url=url) as vo:
        texts = [QUERY, DOCUMENT, "<s>", ""]
        counted = [len(encoding.ids) for encoding in vo.tokenize(texts, model=model)]
    assert counted == tokenizer.counts(texts, start_token=bool(MODELS[model].start_token))


@pytest.mark.parametrize("truncated", [False, True])
def test_a_text_fits_with_its_start_token(ask: ContractClient, truncated: bool) -> None:
    """The start token takes one token of the context length."""
    limit = MODELS["voyage-2"].context_length or 0
    body = {"model": "voyage-2", "input": " ".join(["word"] * (limit - 1 + truncated))}
    assert {"total_tokens": limit} == ask("/embeddings", body)["usage"]
    ask("/embeddings", {**body, "truncation": False}, status=400 if truncated else 200)
