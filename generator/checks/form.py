"""The form of the files: what their own specifications demand."""

from collections.abc import Iterator

from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from ..contract import resolve
from ..spec import Document
from .documents import Documents, Finding, catalogue, openapi, walk


def openapi_is_valid(documents: Documents) -> Iterator[Finding]:
    """openapi.yaml is OpenAPI 3.1."""
    version = str(documents.openapi.get("openapi"))
    if not version.startswith("3.1."):
        yield openapi(("openapi",), f"the version is {version}, not 3.1")
        return
    dangling = list(_dangling(documents.openapi))
    if dangling:  # the validator would stop at the first, and not say where it is
        yield from dangling
        return
    for error in OpenAPIV31SpecValidator(documents.openapi).iter_errors():
        yield openapi(tuple(error.absolute_path), error.message)


def catalogue_is_valid(documents: Documents) -> Iterator[Finding]:
    """catalogue.yaml has the form that catalogue.schema.json describes."""
    for error in Draft202012Validator(documents.catalogue_schema).iter_errors(documents.catalogue):
        yield catalogue(tuple(error.absolute_path), error.message)


def _dangling(document: Document) -> Iterator[Finding]:
    for node in walk(document):
        try:
            resolve(document, node.value)
        except (KeyError, TypeError):
            yield openapi(node.at("$ref"), f"{node.value['$ref']} is not in this document")
