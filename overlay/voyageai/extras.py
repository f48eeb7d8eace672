"""Import of optional packages, and how to install those that are missing."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def require(module: str, extra: str) -> Any:
    """Import a module of an optional package.

    Args:
        module: Full name of the module.
        extra: The extra of this distribution that installs it.

    Raises:
        ImportError: The module is not installed; the message says how to install it.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(
            f"{module} is not installed: {install(extra)} ({error})", name=error.name
        ) from error


def install(extra: str) -> str:
    """Return how to install an extra, as text for a message.

    The command names the extra's packages rather than `voyageai[extra]`: an index may hold another
    `voyageai`, which would replace this one.
    """
    from importlib.metadata import PackageNotFoundError, requires

    try:
        requirements = requires("voyageai") or []
    except PackageNotFoundError:  # run from a source folder
        requirements = []
    pairs = [line.replace("'", '"').split(";") for line in requirements]
    required = [pair[0].strip() for pair in pairs if pair[-1].strip() == f'extra == "{extra}"']
    packages = "".join(f' "{package}"' for package in required)
    return f"add the extra `{extra}`" + (f": pip install{packages}" if packages else "")
