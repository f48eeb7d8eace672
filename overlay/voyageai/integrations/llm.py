"""Voyage models in `llm`, the command line for models: a plugin, found where both are installed.

    llm keys set voyage
    llm embed-multi docs -m voyageai/voyage-4 --files docs '*.md' --store
    llm similar docs -c 'where are the keys?'

`llm` has no input types: a collection and the queries of it are embedded by one model in one way.
So none is sent, and no prompt is put before documents or queries, which retrieval would be better
for. Multimodal models take pictures too: `llm embed --binary -i picture.png`, for which Pillow must
be installed (extra `images`).

Source: https://llm.datasette.io/en/stable/embeddings/writing-plugins.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from voyageai_rest.catalogue import MODELS

from ..limits import known
from ..ratelimit.tokens import estimate_media_tokens

if TYPE_CHECKING:
    from ..client import Client

_llm: Any = import_module("llm")

MULTIMODAL = "multimodalembeddings"
ENDPOINTS = ("embeddings", MULTIMODAL)
KEY, VARIABLE = "voyage", "VOYAGE_API_KEY"
ITEMS = 128
"""Items that are read before a request. Chosen: within what every model takes."""


@_llm.hookimpl  # type: ignore[untyped-decorator]  # llm has no types here
def register_embedding_models(register: Callable[..., None]) -> None:
    """Register every model that embeds texts or pictures by themselves and is served."""
    for name, model in MODELS.items():
        if model.endpoint in ENDPOINTS and model.lifecycle != "retired":
            register(VoyageModel(name), aliases=(name,))


class VoyageModel(_llm.EmbeddingModel):  # type: ignore[misc]  # as above
    """A model of the API, named `voyageai/...` in `llm`.

    Args:
        name: Its name in the API.
    """

    needs_key = KEY
    key_env_var = VARIABLE
    batch_size = ITEMS
    supports_text = True

    def __init__(self, name: str) -> None:
        self.model_id = f"voyageai/{name}"
        entry = known(name)
        self.supports_binary = entry is not None and entry.endpoint == MULTIMODAL
        self._name = name
        self._most = (entry.max_request_tokens if entry is not None else None) or 0
        self._clients: dict[str | None, Client] = {}

    def embed_batch(
        self, items: Iterable[str | bytes], *, key: str | None = None
    ) -> Iterator[list[float]]:
        """Embed some items, in as many requests as they need.

        Args:
            items: Texts; of multimodal models pictures too, as bytes.
            key: The API key, as `llm` has it.

        Yields:
            A vector for each.

        Raises:
            VoyageError: A request failed.
        """
        client = self._client(key if key is not None else self.get_key())
        for some in self._requests(items):
            if self.supports_binary:
                inputs: list[Any] = [[item] for item in some]
                found = client.multimodal_embed(inputs, self._name, input_type=None).embeddings
            else:
                texts = [item for item in some if isinstance(item, str)]
                found = client.embed(texts, self._name, input_type=None).embeddings
            for vector in found:
                yield [float(number) for number in vector]

    def _requests(self, items: Iterable[str | bytes]) -> Iterator[Sequence[str | bytes]]:
        """Cut items so that a request has no more tokens than it may, whatever they are."""
        some: list[str | bytes] = []
        tokens = 0
        for item in items:
            size = self._tokens(item)
            if some and tokens + size > self._most:
                yield some
                some, tokens = [], 0
            some.append(item)
            tokens += size
        if some:
            yield some

    def _tokens(self, item: str | bytes) -> int:
        """Return the most tokens that an item can be: one for each byte of a text."""
        if isinstance(item, str):
            return len(item.encode("utf-8", "surrogatepass"))
        return estimate_media_tokens(self._name, 1, 0)

    def _client(self, key: str | None) -> Client:
        if key not in self._clients:
            import voyageai

            self._clients[key] = voyageai.Client(key)
        return self._clients[key]
