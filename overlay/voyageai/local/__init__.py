"""Models whose weights are open, run on this machine: no key, no requests, the same results.

    vo = voyageai.Client()
    vo.embed(["hello"], model="voyage-4-nano", input_type="document")

The model is fetched from the Hugging Face Hub when it is first used, and kept for the life of the
process. A model may bring code of its own, which is not run unless you say so, after reading it:

    voyageai.local.trust_remote_code = True

Needs the extra ``local``. Names are the official client's.
"""

from __future__ import annotations

from types import ModuleType

from ..extras import require

trust_remote_code: bool = False
"""True to run code that comes with a model. Read when a model is loaded."""


def libraries() -> tuple[ModuleType, ModuleType]:
    """Import the packages that run models: sentence_transformers and torch.

    Raises:
        ImportError: They are not installed; says how to install them.
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
