"""Models with open weights, run locally: without a key and without requests, with equal results.

    vo = voyageai.Client()
    vo.embed(["hello"], model="voyage-4-nano", input_type="document")

The model is fetched from the Hugging Face Hub on first use, and kept for the life of the process. A
model may come with code of its own, which is run only if you allow it, after reading it:

    voyageai.local.trust_remote_code = True

Needs the extra ``local``. Names are the official client's.
"""

from __future__ import annotations

from types import ModuleType

from ..extras import require

trust_remote_code: bool = False
"""True to allow code that comes with a model; read when a model is loaded."""


def libraries() -> tuple[ModuleType, ModuleType]:
    """Import the packages that run models, sentence_transformers and torch.

    Raises:
        ImportError: A package is not installed; the message says how to install it.
    """
    return require("sentence_transformers", "local"), require("torch", "local")


_ensure_local_deps = libraries


def _is_local_available() -> bool:  # pyright: ignore[reportUnusedFunction]  # a name of the official client
    """Return whether the packages that run models are installed."""
    try:
        libraries()
    except ImportError:
        return False
    return True
