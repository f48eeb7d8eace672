"""Packages that are there only if they were asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def require(module: str, extra: str) -> Any:
    """A module of an optional package.

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
            f'{module} is not installed: pip install "voyageai[{extra}]" ({error})',
            name=error.name,
        ) from error
