"""Signatures of public functions, methods and classes, as data. Runs with either client."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

MODULES = [
    "api_resources",
    "chunking",
    "client",
    "client_async",
    "embeddings_utils",
    "error",
    "local",
    "local.helpers",
    "local.model_registry",
    "local.sentence_transformer_backend",
    "object",
    "util",
    "video_utils",
]
PRIVATE = ("_ensure_local_deps", "_is_local_available")


def names() -> list[str]:
    """Return the public objects of the installed package by their dotted names below it."""
    found: list[str] = []
    for module_name in MODULES:
        home = f"voyageai.{module_name}"
        for name, member in vars(importlib.import_module(home)).items():
            public = name in PRIVATE or not name.startswith("_")
            own = f"{getattr(member, '__module__', '')}.".startswith(f"{home}.")
            if not (public and own and callable(member)):
                continue
            found.append(f"{module_name}.{name}")
            if inspect.isclass(member):
                found += [
                    f"{module_name}.{name}.{part}"
                    for part in dir(member)
                    if not part.startswith("_")
                    and callable(getattr(member, part))
                    and (getattr(getattr(member, part), "__module__", "") or "").startswith(
                        "voyageai"
                    )
                ]
    return found


def signature(name: str) -> list[list[str]] | None:
    """Return parameters with kinds and defaults; None without a readable signature."""
    module_name = max((one for one in MODULES if name.startswith(f"{one}.")), key=len)
    member: Any = importlib.import_module(f"voyageai.{module_name}")
    for part in name.removeprefix(f"{module_name}.").split("."):
        member = getattr(member, part)
    try:
        parameters = inspect.signature(member).parameters.values()
    except (TypeError, ValueError):
        return None
    return [[one.name, one.kind.name, _shown(one.default)] for one in parameters]


def _shown(default: Any) -> str:
    return "" if default is inspect.Parameter.empty else repr(default)
