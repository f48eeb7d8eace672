"""The OpenAPI document, as package data."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any


def load() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of this package; a new copy on each call."""
    text = files(__package__ or __name__).joinpath("openapi.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document
