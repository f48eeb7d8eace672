"""Pairs of documents: base.yaml, and base.yaml with a case of cases.yaml or equivalent.yaml."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from generator import spec
from generator.drift.contracts import Contract
from generator.drift.documents import Document

HERE = Path(__file__).parent
GONE = "gone"


@cache
def _base() -> Any:
    return spec.load(HERE / "base.yaml")


def base() -> Any:
    """Return the document that the cases change."""
    return deepcopy(_base())


def listed(name: str) -> list[dict[str, Any]]:
    """Return the cases of a file."""
    return spec.parse_yaml((HERE / name).read_text(encoding="utf-8"))


def put(tree: Any, place: list[Any], value: Any) -> None:
    """Set the value at a path, or remove it if the value is `GONE`."""
    for key in place[:-1]:
        tree = tree[key]
    last = place[-1]
    if value == GONE and isinstance(tree, dict):
        tree.pop(last, None)
    elif value == GONE:
        del tree[last]
    elif isinstance(tree, list) and last == len(tree):
        tree.append(deepcopy(value))
    else:
        tree[last] = deepcopy(value)


def contract(tree: Any, name: str) -> Contract:
    """Return the contract of a changed base document."""
    others = {key: Document(other, key) for key, other in tree["others"].items()}
    return Contract(name, Document(tree["openapi"], name), tree["catalogue"], others)


def pair(case: dict[str, Any]) -> tuple[Contract, Contract]:
    """Return the documents before and after a change."""
    found = []
    for side in ("before", "after"):
        tree = base()
        for other in case.get("also", []):
            put(tree, other["at"], other["value"])
        if side in case:
            put(tree, case["at"], case[side])
        found.append(contract(tree, side))
    return found[0], found[1]
