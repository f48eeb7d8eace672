"""Optional packages."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def require(module: str, extra: str) -> Any:
    """Import a module of an optional package.

    Args:
        module: Its name.
        extra: The extra of this distribution that brings it.

    Raises:
        ImportError: It is not installed; says how to install it.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(
            f"{module} is not installed: {install(extra)} ({error})", name=error.name
        ) from error


def install(extra: str) -> str:
    """Say how to install an extra.

    It names the packages and not this one: an index may have another `voyageai`, which would
    replace this one.
    """
    from importlib.metadata import PackageNotFoundError, requires

    try:
        stated = requires("voyageai") or []
    except PackageNotFoundError:  # run from a folder
        stated = []
    pairs = [line.replace("'", '"').split(";") for line in stated]
    found = [pair[0].strip() for pair in pairs if pair[-1].strip() == f'extra == "{extra}"']
    packages = "".join(f' "{package}"' for package in found)
    return f"add the extra `{extra}`" + (f": pip install{packages}" if packages else "")
