"""Rules for where the facts of openapi.yaml come from."""

import re
from collections.abc import Iterator

from .documents import Documents, Finding, openapi, walk
from .walking import schemas

GRADES = ("documented", "documented-excerpt", "sdk", "live", "third-party", "inferred")
SOURCE = re.compile(r"(?P<key>[A-Z][A-Z-]*) \((?P<grade>[a-z-]+)([ ,;][^()]*)?\)")
CONSTRAINTS = (
    "default",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "maxContains",
    "maximum",
    "maxItems",
    "maxLength",
    "maxProperties",
    "minContains",
    "minimum",
    "minItems",
    "minLength",
    "minProperties",
    "multipleOf",
    "pattern",
    "uniqueItems",
)


def sources_are_graded(documents: Documents) -> Iterator[Finding]:
    """Every x-source is a list of `KEY (grade, remark)`, with keys and grades that are known."""
    known = documents.openapi.get("x-sources", {})
    for node in walk(documents.openapi):
        source = node.value.get("x-source", [])
        path = node.at("x-source")
        if not isinstance(source, list):
            yield openapi(path, "is not a list")
            continue
        for entry in source:
            match = SOURCE.fullmatch(entry) if isinstance(entry, str) else None
            if match is None:
                yield openapi(path, f"{entry!r} does not read KEY (grade, remark)")
            elif match["key"] not in known:
                yield openapi(path, f"{match['key']} is not among x-sources")
            elif match["grade"] not in GRADES:
                yield openapi(path, f"{entry!r} does not begin with a grade")


def sources_are_used(documents: Documents) -> Iterator[Finding]:
    """Every source is named somewhere; one that is not has lost its facts."""
    used = set()
    for node in walk(documents.openapi):
        source = node.value.get("x-source")
        for entry in source if isinstance(source, list) else ():
            used.add(str(entry).partition(" ")[0])
    for key in documents.openapi.get("x-sources", {}):
        if key not in used:
            yield openapi(("x-sources", key), "is named by no x-source")


def constraints_have_sources(documents: Documents) -> Iterator[Finding]:
    """Every limit, enum and default has an x-source, on its schema or on one around it."""
    for schema in schemas(documents.openapi):
        if not any("x-source" in holder for holder in (schema.value, *schema.ancestors)):
            for key in CONSTRAINTS:
                if key in schema.value:
                    yield openapi(schema.at(key), "has no source")
