"""Rules for the deployments that their JSON Schema can't express."""

from collections.abc import Iterator
from typing import Any

from .documents import Documents, Finding, deployments


def deployments_have_sources(documents: Documents) -> Iterator[Finding]:
    """Every value of a deployment has a source, and every source has a value."""
    for name, entry in _entries(documents):
        for key in sorted({*entry} - {"source"} ^ {*entry["source"]}):
            yield deployments(
                ("deployments", name, "source", key), "must have both a value and a source"
            )


def deployments_name_sources(documents: Documents) -> Iterator[Finding]:
    """Every source of a deployment is listed, and every listed source is used."""
    known = documents.deployments["sources"]
    used: set[str] = set()
    for name, entry in _entries(documents):
        for key, sources in entry["source"].items():
            for source in sources:
                used.add(source.partition(" ")[0])
                if source.partition(" ")[0] not in known:
                    path = ("deployments", name, "source", key)
                    yield deployments(path, f"{source} is not among the sources")
    for key in known:
        if key not in used:
            yield deployments(("sources", key), "is not used by any value")


def deployments_have_operations_of_the_contract(documents: Documents) -> Iterator[Finding]:
    """The keys of a deployment's paths are the first segments of paths in the contract."""
    known = {path.split("/")[1] for path in documents.openapi["paths"]}
    # Another rule checks these against the contract.
    known |= {model["endpoint"] for model in documents.catalogue["models"].values()}
    for name, entry in _entries(documents):
        for path in entry["paths"]:
            if path not in known:
                sentence = f"the contract has no path /{path}"
                yield deployments(("deployments", name, "paths", path), sentence)


def deployments_have_fields_of_the_contract(documents: Documents) -> Iterator[Finding]:
    """The fields that a deployment treats differently are those of requests."""
    known = {
        field
        for schema in documents.openapi["components"]["schemas"].values()
        if schema.get("additionalProperties") is False
        for field in schema["properties"]
    }
    for name, entry in _entries(documents):
        for kind in ("renamed", "implied", "refused"):
            for field in entry.get(kind, ()):
                if field.rpartition(".")[2] not in known:
                    path = ("deployments", name, kind, field)
                    yield deployments(path, "is not a field of any request")


def _entries(documents: Documents) -> Iterator[tuple[str, Any]]:
    yield from documents.deployments["deployments"].items()
