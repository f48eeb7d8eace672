"""The contract itself, as package data."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any


def load() -> dict[str, Any]:
    """The OpenAPI 3.1 document that this package was generated from; a new copy each time."""
    text = files(__package__ or __name__).joinpath("openapi.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document
