"""A local server that speaks the Embedding and Reranking API. It is not the models.

For tests, demos and work without a network or a key: real HTTP, requests checked against the
contract and the catalogue, errors with the API's shape, status and wording. Start it in a block

    import voyageai
    from voyageai.emulator import running

    with running() as url:
        vo = voyageai.Client(api_key="any", base_url=url)
        vo.embed(["hello"], model="voyage-4")

or from a shell, where it prints its base URL as the last word of its first line:

    python -m voyageai.emulator --port 0

Vectors and scores are *lexical*: texts that share words or parts of words are near each other,
and nothing is understood beyond that. They are the same in every process and on
every machine, of unit length, each prefix usable by itself, different for queries and documents,
comparable within an embedding space and unrelated across spaces. A text's vector, and a
document's score, depend on nothing else in the request. Pictures and videos are known by their
URL or data URL only. Tokens are counted by a fixed rule of about 1.3 per word
(`voyageai.emulator.engine.tokens`), not by the models' tokenizers.

The four model endpoints answer; the other operations of the contract are checked and then
answered with 501. Needs ``pip install "voyageai[emulator]"``.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["running"]

INSTALL = 'the emulator needs packages that are not installed: pip install "voyageai[emulator]"'


@contextlib.contextmanager
def running(
    *, host: str = "127.0.0.1", port: int = 0, api_key: str | None = None
) -> Generator[str]:
    """Run an emulator in a thread for as long as the block lasts.

    Several may run at once, each at a port of its own.

    Args:
        host: Address to listen at; by default only this machine can connect.
        port: Port to listen at; 0 for a free one.
        api_key: The only API key to accept. By default any is accepted, but there must be one.

    Yields:
        The base URL, such as ``http://127.0.0.1:49152/v1``.

    Raises:
        ImportError: The extra is not installed.
        OSError: The port is taken.

    Example:
        >>> from urllib.request import Request, urlopen
        >>> with running() as url:
        ...     body = b'{"input": "hello", "model": "voyage-4"}'
        ...     request = Request(f"{url}/embeddings", body, {"Authorization": "Bearer any"})
        ...     urlopen(request).status
        200
    """
    try:
        from .server import serving
    except ImportError as error:
        raise ImportError(f"{INSTALL} ({error})", name=error.name) from error
    with serving(host, port, api_key) as url:
        yield url
