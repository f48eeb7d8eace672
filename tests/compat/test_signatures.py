"""Every public callable of the official client is here, and takes what it takes there."""

from __future__ import annotations

import json

import pytest

from .record import SIGNATURES
from .signatures import signature

pytestmark = pytest.mark.smoke

EXPECTED = json.loads(SIGNATURES.read_text(encoding="utf-8"))
LEFT_OUT = {
    "construct_error_object": "the API sends no error objects",
}
OTHERWISE = {
    (
        "local.model_registry.LocalModelConfig",
        "trust_remote_code",
    ): "no code of others runs unasked",
}
BY_NAME = ("POSITIONAL_ONLY", "POSITIONAL_OR_KEYWORD", "KEYWORD_ONLY")
IN_ORDER = BY_NAME[:2]
KEPT = [name for name in EXPECTED if not LEFT_OUT.keys() & set(name.split("."))]


@pytest.mark.parametrize("name", KEPT)
def test_a_signature_begins_with_the_official_one(name):
    """Existing calls keep working; new parameters come after the official ones or by keyword."""
    expected, found = EXPECTED[name], signature(name)
    if expected is None:
        return
    assert found is not None
    defaults = {parameter: default for parameter, _, default in found}
    missing = [
        (parameter, default)
        for parameter, kind, default in expected
        if kind in BY_NAME
        and (name, parameter) not in OTHERWISE
        and defaults.get(parameter, "missing") != default
        and not (
            default == "" and parameter in defaults
        )  # a required parameter may become optional
    ]
    order = [parameter for parameter, kind, _ in expected if kind in IN_ORDER]

    assert [] == missing
    assert order == [parameter for parameter, kind, _ in found if kind in IN_ORDER][: len(order)]


def test_what_is_left_out_was_there():
    """The list of omissions names only what the official client really has."""
    parts = {part for name in EXPECTED for part in name.split(".")}

    assert set() == LEFT_OUT.keys() - parts
