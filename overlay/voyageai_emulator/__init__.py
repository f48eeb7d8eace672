"""A local server that implements the Embedding and Reranking API, without the models.

For tests, demos and work without a network or a key: it speaks real HTTP, checks requests against
the contract and the catalogue, and answers errors with the API's status, body and wording. Start it
in a block

    import voyageai
    from voyageai_emulator import running

    with running() as url:
        vo = voyageai.Client(api_key="any", base_url=url)
        vo.embed_query("hello", model="voyage-4")

or without a socket, with `in_process`; or from a shell, where it prints its base URL as the last
word of its first line:

    voyageai-emulator --port 8000

For pytest there is the fixture ``voyage_emulator``, in `voyageai_emulator.pytest_plugin`.

Vectors and scores are *lexical*: texts that share words or parts of words are near each other, and
their meaning plays no part. They are the same in every process and on
every machine, of unit length, each prefix usable by itself, different for queries and documents,
comparable within an embedding space and unrelated across spaces. A text's vector, and a
document's score, depend on nothing else in the request.

The emulator records all requests, and fails on demand: after
``emulator.faults.next("status", status=429, retry_after=2)`` in a block
``with running() as emulator``, the next request gets that status. `voyageai_emulator.faults`
describes how to plan faults; in a shell, ``voyageai-emulator --faults`` lists them.

Needs the extra ``emulator``.
"""

from __future__ import annotations

import contextlib
import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Unpack

    from .emulator import Emulator
    from .faults import Fault, FaultPlan
    from .inprocess import InProcessEmulator
    from .settings import SettingsDict

__all__ = ["Emulator", "Fault", "FaultPlan", "InProcessEmulator", "in_process", "running"]

# Imported on first use, as they need the extra.
_LAZY = {
    "Emulator": ".emulator",
    "Fault": ".faults",
    "FaultPlan": ".faults",
    "InProcessEmulator": ".inprocess",
}


def missing_extra(error: ImportError) -> str:
    """Return the message for an import that failed because the extra is not installed."""
    from voyageai.extras import install

    return f"the emulator needs packages that are not installed: {install('emulator')} ({error})"


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(importlib.import_module(_LAZY[name], __name__), name)
    except ImportError as error:
        raise ImportError(missing_extra(error), name=error.name) from error


@contextlib.contextmanager
def running(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    expose: bool = False,
    **options: Unpack[SettingsDict],
) -> Generator[Emulator]:
    """Run an emulator in a thread during the block.

    Several can run at once, each at its own port.

    Args:
        host: Address to listen at; by default only this machine can connect.
        port: Port to listen at; 0 for a free one.
        expose: Allow a host that other machines can reach. Everyone who can reach it can use it.
        **options: Fields of `Settings`: ``api_key``, ``platform``, ``tier``, ``retry_after``,
            ``latency``, ``concurrency``, ``max_connections``, ``allow_hosts``, ``engine``,
            ``state``, ``faults``, ``record``, ``admin_token``, ``admin_credentials``,
            ``deployment``, ``old_images``, ``aws_credentials`` and ``clock``.

    Yields:
        The base URL, such as ``http://127.0.0.1:49152/v1``, as a string with attributes:
        ``requests``, the received requests in order; ``faults``, the plan of faults; ``clock``,
        which can be advanced; ``batches``, ``limits``, ``latency`` and ``engine``, which can
        be changed; ``connections``, their counts; ``admin_token``.

    Raises:
        ImportError: The extra is not installed.
        OSError: The port is in use, or a file cannot be written.
        ValueError: The name of a fault, platform, deployment, tier, latency or engine is unknown,
            the port is out of range, or other machines can reach the host without `expose`.

    Example:
        >>> from urllib.request import Request, urlopen
        >>> with running() as url:
        ...     body = b'{"input": "hello", "model": "voyage-4"}'
        ...     request = Request(f"{url}/embeddings", body, {"Authorization": "Bearer any"})
        ...     urlopen(request).status
        200
        >>> url.requests.last.tokens
        1
    """
    try:
        from .server import Server, serving
        from .settings import Settings, check_bind_address, check_names
    except ImportError as error:
        raise ImportError(missing_extra(error), name=error.name) from error
    check_names("running", options, "host", "port", "expose")
    check_bind_address(host, "expose=True", allowed=expose)
    server = Server(host, port, Settings(**options))
    with serving(server) as emulator:
        yield emulator


@contextlib.contextmanager
def in_process(**options: Unpack[SettingsDict]) -> Generator[InProcessEmulator]:
    """Run an emulator without a socket during the block.

    Its attribute ``transport`` is a transport for `httpx2.Client` and `httpx2.AsyncClient` that
    works in any thread and event loop. It handles requests to any host, and answers as that host
    would. Timeouts, and faults that reset or close the connection, behave as over a socket.

    Args:
        **options: Fields of `Settings`, as for `running`.

    Yields:
        The base URL as from `running`, with the additional attribute ``transport``. Its host does
        not exist; use it, or the URL of a real host.

    Raises:
        ImportError: The extra is not installed.
        OSError: A file cannot be written.
        ValueError: The name of a fault, platform, deployment, tier, latency or engine is unknown.

    Example:
        >>> import httpx2
        >>> with in_process() as emulator:
        ...     with httpx2.Client(transport=emulator.transport, base_url=emulator) as http:
        ...         body = {"input": "hello", "model": "voyage-4"}
        ...         http.post("/embeddings", json=body, headers={"Authorization": "Bearer any"})
        <Response [200 OK]>
    """
    try:
        from .inprocess import in_this_process
        from .settings import Settings, check_names
    except ImportError as error:
        raise ImportError(missing_extra(error), name=error.name) from error
    check_names("in_process", options)
    with in_this_process(Settings(**options)) as emulator:
        yield emulator
