"""A plugin for `llm`, the command line for models, found where both are installed.

    llm keys set voyage
    llm embed-multi docs -m voyageai/voyage-4 --files docs '*.md' --store
    llm similar docs -c 'where are the keys?'

`llm` has no input types: a collection and its queries are embedded by one model in one way. So
`input_type` is not sent, and the prompts that improve retrieval are missing. Multimodal models take
images too: `llm embed --binary -i picture.png`, which needs Pillow (extra `images`).

Source: https://llm.datasette.io/en/stable/embeddings/writing-plugins.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from voyageai_rest.catalogue import MODELS

from ..argument_checks import catalogue_entry
from ..ratelimit.tokens import estimate_media_tokens

if TYPE_CHECKING:
    from ..client import Client

_llm: Any = import_module("llm")

MULTIMODAL = "multimodalembeddings"
ENDPOINTS = ("embeddings", MULTIMODAL)
KEY, VARIABLE = "voyage", "VOYAGE_API_KEY"
ITEMS = 128
"""Items per batch from `llm`. Chosen: within the limits of every model."""


@_llm.hookimpl  # type: ignore[untyped-decorator]  # llm has no types here
def register_embedding_models(register: Callable[..., None]) -> None:
    """Register every served model that embeds single texts or images."""
    for name, model in MODELS.items():
        if model.endpoint in ENDPOINTS and model.lifecycle != "retired":
            register(VoyageModel(name), aliases=(name,))


class VoyageModel(_llm.EmbeddingModel):  # type: ignore[misc]  # as above
    """A model of the API, named `voyageai/...` in `llm`.

    Args:
        name: Name of the model in the API.
    """

    needs_key = KEY
    key_env_var = VARIABLE
    batch_size = ITEMS
    supports_text = True

    def __init__(self, name: str) -> None:
        self.model_id = f"voyageai/{name}"
        entry = catalogue_entry(name)
        self.supports_binary = entry is not None and entry.endpoint == MULTIMODAL
        self._name = name
        self._max_tokens = (entry.max_request_tokens if entry is not None else None) or 0
        self._clients: dict[str | None, Client] = {}

    def embed_batch(
        self, items: Iterable[str | bytes], *, key: str | None = None
    ) -> Iterator[list[float]]:
        """Embed items, in as many requests as needed.

        Args:
            items: Texts; for multimodal models also images, as bytes.
            key: The API key; None for the one stored in `llm`.

        Yields:
            A vector per item.

        Raises:
            VoyageError: A request failed.
        """
        client = self._client(key if key is not None else self.get_key())
        for chunk in self._requests(items):
            if self.supports_binary:
                inputs: list[Any] = [[item] for item in chunk]
                found = client.multimodal_embed(inputs, self._name, input_type=None).embeddings
            else:
                texts = [item for item in chunk if isinstance(item, str)]
                found = client.embed(texts, self._name, input_type=None).embeddings
            for vector in found:
                yield [float(number) for number in vector]

    def _requests(self, items: Iterable[str | bytes]) -> Iterator[Sequence[str | bytes]]:
        """Yield items in lists that fit a request, however many tokens they have."""
        chunk: list[str | bytes] = []
        tokens = 0
        for item in items:
            size = self._tokens(item)
            if chunk and tokens + size > self._max_tokens:
                yield chunk
                chunk, tokens = [], 0
            chunk.append(item)
            tokens += size
        if chunk:
            yield chunk

    def _tokens(self, item: str | bytes) -> int:
        """Return the most tokens of an item: one per byte for texts."""
        if isinstance(item, str):
            return len(item.encode("utf-8", "surrogatepass"))
        return estimate_media_tokens(self._name, 1, 0)

    def _client(self, key: str | None) -> Client:
        if key not in self._clients:
            import voyageai

            self._clients[key] = voyageai.Client(key)
        return self._clients[key]
