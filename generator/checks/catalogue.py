"""Rules for the catalogue that its JSON Schema can't express, and for its links to the contract."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from ..catalogue import LEFT_OUT, UNKNOWN
from ..contract import memory_schema
from .documents import Documents, Finding, Node, Path, catalogue, catalogue_schema, openapi, walk

EVIDENCE = "source"


def catalogue_fields_are_described(documents: Documents) -> Iterator[Finding]:
    """Every field that the generator emits has a description, which becomes a docstring."""
    names = ("properties", "models", "propertyNames")
    if not _described(documents.catalogue_schema["properties"]["models"]["propertyNames"]):
        yield catalogue_schema(names, "has no description")
    for node in walk(documents.catalogue_schema):
        if {"if", "then", "else", "allOf"} & set(node.path) or EVIDENCE in node.path:
            continue
        for name, value in node.value.get("properties", {}).items():
            if name not in LEFT_OUT and "sources" not in node.path and not _described(value):
                path = node.at("properties", name)
                yield catalogue_schema(path, "has no description")


def servers_are_of_a_platform(documents: Documents) -> Iterator[Finding]:
    """Every host has an x-platform that the catalogue knows."""
    model = documents.catalogue_schema["$defs"]["model"]
    known = model["properties"]["platforms"]["items"]["enum"]
    for position, server in enumerate(documents.openapi.get("servers", ())):
        platform = server.get("x-platform")
        if platform not in known:
            yield openapi(
                ("servers", position),
                f"its x-platform, {platform}, is not a platform of the catalogue",
            )


def sources_exist(documents: Documents) -> Iterator[Finding]:
    """Every source of a value is listed, and every listed source is used."""
    known = documents.catalogue["sources"]
    used = set()
    for path, entry in _evidence(documents.catalogue):
        key = entry.partition(" ")[0]
        used.add(key)
        if key not in known:
            yield catalogue(path, f"{key} is not among the sources")
    for key in known:
        if key not in used:
            yield catalogue(("sources", key), "is not used by any value")


def prompts_exist(documents: Documents) -> Iterator[Finding]:
    """The prompts of a model exist."""
    for model in _models(documents):
        name = model.value.get("prompts", UNKNOWN)
        if name not in (UNKNOWN, *documents.catalogue["prompts"]):
            yield catalogue(model.at("prompts"), f"there are no prompts named {name}")


def replacements_exist(documents: Documents) -> Iterator[Finding]:
    """The replacement of a model is another model."""
    for model in _models(documents):
        name = model.value.get("replacement")
        others = documents.catalogue["models"].keys() - {model.path[-1]}
        if name is not None and name not in others:
            yield catalogue(model.at("replacement"), f"there is no other model named {name}")


def dimensions_are_ordered(documents: Documents) -> Iterator[Finding]:
    """The dimensions of a model are in ascending order, and its default is one of them."""
    for model in _models(documents):
        dimensions = model.value.get("dimensions", {"default": None, "allowed": [None]})
        allowed, default = dimensions["allowed"], dimensions["default"]
        if default not in allowed:
            yield catalogue(model.at("dimensions"), f"the default, {default}, is not allowed")
        if len(allowed) > 1 and allowed != sorted(allowed):
            yield catalogue(
                model.at("dimensions"), "the allowed dimensions are not in ascending order"
            )


def endpoints_are_operations(documents: Documents) -> Iterator[Finding]:
    """The endpoint of a model is the path of an operation."""
    for model in _models(documents):
        endpoint = model.value["endpoint"]
        if endpoint is not None and f"/{endpoint}" not in documents.openapi["paths"]:
            yield catalogue(model.at("endpoint"), f"the contract has no path /{endpoint}")


def dtypes_are_in_the_contract(documents: Documents) -> Iterator[Finding]:
    """The dtypes of a model are among those of the contract."""
    name, schema = memory_schema(documents.openapi)
    for model in _models(documents):
        for dtype in model.value.get("dtypes", ()):
            if dtype not in schema.get("enum", ()):
                yield catalogue(model.at("dtypes"), f"{dtype} is not an {name}")


def dtypes_have_a_memory(documents: Documents) -> Iterator[Finding]:
    """Every dtype of the contract has an x-memory."""
    name, schema = memory_schema(documents.openapi)
    path = ("components", "schemas", name, "x-memory")
    for dtype in sorted(set(schema.get("enum", ())) ^ set(schema.get("x-memory", {}))):
        yield openapi((*path, dtype), "must be both in the enum and in x-memory")


def batch_models_are_on_batch_endpoints(documents: Documents) -> Iterator[Finding]:
    """A model for batch jobs has an endpoint that batch jobs support."""
    endpoints = documents.catalogue["batch"]["endpoints"]
    for model in _models(documents):
        if model.value.get("batch") is True and model.value["endpoint"] not in endpoints:
            yield catalogue(model.at("batch"), "batch jobs do not support the model's endpoint")


def batch_endpoints_are_in_the_contract(documents: Documents) -> Iterator[Finding]:
    """The endpoints of batch jobs are those of the contract."""
    prefix = urlsplit(documents.openapi["servers"][0]["url"]).path
    name, values = _enum(documents, "endpoints")
    known = set(values)
    given = {f"{prefix}/{name}" for name in documents.catalogue["batch"]["endpoints"]}
    for endpoint in sorted(known ^ given):
        yield catalogue(("batch", "endpoints"), f"{endpoint} must be both here and in {name}")


def completion_window_is_in_the_contract(documents: Documents) -> Iterator[Finding]:
    """The completion window of batch jobs is one that the contract allows."""
    window = documents.catalogue["batch"]["completion_window"]
    name, values = _enum(documents, "completion_window")
    if window not in values:
        yield catalogue(("batch", "completion_window"), f"{window} is not a {name}")


def _models(documents: Documents) -> Iterator[Node]:
    for name, model in documents.catalogue["models"].items():
        yield Node(("models", name), model)


def _enum(documents: Documents, field: str) -> tuple[str, list[str]]:
    """Return the enum of the contract that x-enum names for a field of `batch`."""
    name: str = documents.catalogue_schema["properties"]["batch"]["properties"][field]["x-enum"]
    values: list[str] = documents.openapi["components"]["schemas"][name]["enum"]
    return name, values


def _described(value: object) -> bool:
    return isinstance(value, dict) and bool(value.get("description"))


def _evidence(value: Any, path: Path = (), *, within: bool = False) -> Iterator[tuple[Path, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _evidence(inner, (*path, key), within=within or key == EVIDENCE)
    elif isinstance(value, list):
        for inner in value:
            yield from _evidence(inner, path, within=within)
    elif within and isinstance(value, str):
        yield path, value
