"""What is said about a schema, wherever the document says it."""

from typing import Any

from .documents import Document, Raw
from .schemas import NULL, shapes

UNSAID = object()


def said(document: Document, schema: Raw, keyword: str) -> Any:
    """The value of an annotation: on the schema, or on the only one that it is made of.

    Args:
        document: The document of the schema.
        schema: The schema.
        keyword: `description`, `default`, `deprecated`, `readOnly` or `writeOnly`.

    Returns:
        Its value, or `UNSAID`.
    """
    schema = document.view(schema)
    if isinstance(schema, bool):
        return UNSAID
    if keyword in schema:
        return schema[keyword]
    if "$ref" in schema:
        return said(document, document.target(schema["$ref"]), keyword)
    for part in schema.get("allOf", ()):
        found = said(document, part, keyword)
        if found is not UNSAID:
            return found
    options = [
        option
        for option in (*schema.get("anyOf", ()), *schema.get("oneOf", ()))
        if any(shape.type != NULL for shape in shapes(document, option))
    ]
    return said(document, options[0], keyword) if len(options) == 1 else UNSAID


def examples(document: Document, schema: Raw) -> list[Any]:
    """The examples of a schema, in either spelling."""
    several = said(document, schema, "examples")
    if several is not UNSAID:
        return several if isinstance(several, list) else list(several.values())
    one = said(document, schema, "example")
    return [] if one is UNSAID else [one]
