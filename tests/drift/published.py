"""A published definition and its known disagreements, both derived from base.yaml."""

from __future__ import annotations

from typing import Any

from generator.drift import upstream
from generator.drift.upstream import Outcome, compare_published

from .pairs import base, contract

EXACT = {
    "about": "exact searches",
    "reason": "They are older.",
    "source": ["convention"],
    "kinds": ["field-removed"],
    "paths": ["*: request.exact"],
}
LANGUAGES = {
    "about": "languages",
    "reason": "Theirs are of last year.",
    "source": ["convention"],
    "in": ["library"],
    "kinds": ["value-removed"],
    "paths": ["*: request.language"],
    "values": ["de"],
}


def listed(*disagreements: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return spec/known-disagreements.yaml with these entries."""
    library = {"title": "the library's own definition", "operation_ids": ["search"], **more}
    reading = {"title": "the half that reads", "operation_ids": ["read"]}
    whole = {"title": "both halves", "operation_ids": ["read", "search", "lend"]}
    return {
        "definitions": {"library": library, "reading": reading, "whole": whole},
        "disagreements": list(disagreements),
    }


def theirs() -> Any:
    """Return our contract without one field and one value, as a vendor publishes it."""
    tree = base()
    fields = tree["openapi"]["components"]["schemas"]["Search"]["properties"]
    del fields["exact"]
    fields["language"]["enum"] = ["en"]
    return tree


def held(tree: Any, known_to_differ: dict[str, Any]) -> Outcome:
    """Compare a published definition with ours, and return the differences."""
    ours = contract(base(), "ours")
    return compare_published(ours, contract(tree, "theirs"), upstream.read_known(known_to_differ))
