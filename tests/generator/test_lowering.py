"""The spec as it is rewritten for openapi-python-client."""

from __future__ import annotations

from typing import Any

from generator import paths, spec


def lowered_property(node: dict[str, Any]) -> dict[str, Any]:
    document = {"components": {"schemas": {"A": {"properties": {"field": node}}}}}
    result: dict[str, Any] = spec.lower(document)["components"]["schemas"]["A"]["properties"]
    return result["field"]


def test_a_default_becomes_words() -> None:
    """A generated default would be sent with every request and pin the server's default."""
    node = {"type": "boolean", "description": "Cut texts.", "default": True}
    expected = {"type": "boolean", "description": "Cut texts. The server's default is true."}
    assert expected == lowered_property(node)


def test_a_default_without_description_becomes_words() -> None:
    """Such a default would be sent with every request, too."""
    expected = {"type": "integer", "description": "The server's default is 5."}
    assert expected == lowered_property({"type": "integer", "default": 5})


def test_a_field_may_be_named_like_a_keyword() -> None:
    """A property called `default` is a field, not the keyword."""
    fields = {name: {"type": "string"} for name in ("default", "examples", "format", "in")}
    assert {"properties": fields} == lowered_property({"properties": fields})


def test_a_field_named_examples_is_lowered_inside() -> None:
    """Only the keyword holds data; a property called `examples` holds a schema."""
    node = {"properties": {"examples": {"type": "integer", "default": 1}}}
    expected = {"type": "integer", "description": "The server's default is 1."}
    assert {"properties": {"examples": expected}} == lowered_property(node)


def test_the_first_example_is_shown() -> None:
    """The docstring of the generated class shows the first example."""
    assert "voyage-4" == lowered_property({"examples": ["voyage-4", "x"]})["example"]


def test_data_in_examples_is_left_alone() -> None:
    """Example data may have a key called `default`."""
    example = {"default": 1, "description": "x"}
    assert example == lowered_property({"examples": [example]})["example"]


def test_dates_and_uuids_stay_strings() -> None:
    """Models hold the strings of the wire format, except for times, which are parsed."""
    assert {"type": "string"} == lowered_property({"type": "string", "format": "uuid"})
    assert {"type": "string"} == lowered_property({"type": "string", "format": "date"})
    node = {"type": "string", "format": "date-time"}
    assert node == lowered_property(node)


def test_the_document_itself_is_not_changed() -> None:
    """The package data must be the spec as written, not the rewritten form."""
    document = spec.load(paths.SPEC / "openapi.yaml")
    spec.lower(document)
    assert spec.load(paths.SPEC / "openapi.yaml") == document


def test_no_default_of_the_spec_is_left() -> None:
    """No default in the whole spec may be sent unless the user asks for it."""

    def defaults(node: Any) -> int:
        if isinstance(node, dict):
            inner = sum(defaults(value) for key, value in node.items() if key != "examples")
            return inner + ("default" in node)
        return sum(map(defaults, node)) if isinstance(node, list) else 0

    document = spec.load(paths.SPEC / "openapi.yaml")
    assert 0 < defaults(document)
    assert 0 == defaults(spec.lower(document))
