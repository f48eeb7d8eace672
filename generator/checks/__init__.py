"""The spec's own rules, as small named checks.

`python -m generator.lint` runs them, and so does `python -m generator` before it generates code.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import cast

from attrs import evolve
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from .. import contract, spec
from . import catalogue, deployments, operations, schemas
from .documents import Documents, Finding, Part, openapi, read, walk
from .documents import catalogue as in_catalogue
from .documents import deployments as in_deployments

__all__ = ["CHECKS", "FORM", "Documents", "Finding", "lint", "problems", "read", "rule"]

Check = Callable[[Documents], Iterator[Finding]]

# The kind of component that a reference may have as its target, by the key that contains it.
SCHEMA_KEYS = ("allOf", "anyOf", "items", "oneOf", "properties", "schema")
REFERS_TO: dict[str | int | None, str] = {
    **dict.fromkeys(SCHEMA_KEYS, "schemas"),
    "requestBody": "requestBodies",
    "responses": "responses",
}


def openapi_is_valid(documents: Documents) -> Iterator[Finding]:
    """The document is OpenAPI 3.1."""
    version = str(documents.openapi.get("openapi"))
    if not version.startswith("3.1."):
        yield openapi(("openapi",), f"the version is {version}, not 3.1")
        return
    wrong = list(_wrong_references(documents.openapi))
    if wrong:  # the validator would stop at the first one without its position
        yield from wrong
        return
    for error in OpenAPIV31SpecValidator(documents.openapi).iter_errors():
        yield openapi(tuple(error.absolute_path), error.message)


def catalogue_is_valid(documents: Documents) -> Iterator[Finding]:
    """The catalogue matches its JSON Schema."""
    for error in Draft202012Validator(documents.catalogue_schema).iter_errors(documents.catalogue):
        yield in_catalogue(tuple(error.absolute_path), error.message)


def deployments_are_valid(documents: Documents) -> Iterator[Finding]:
    """The deployments match their JSON Schema."""
    validator = Draft202012Validator(documents.deployments_schema)
    for error in validator.iter_errors(documents.deployments):
        yield in_deployments(tuple(error.absolute_path), error.message)


def _wrong_references(document: spec.Document) -> Iterator[Finding]:
    for node in walk(document):
        if "$ref" not in node.value or node.path[-1:] == ("properties",):
            continue
        try:
            contract.resolve(document, node.value)
        except spec.GenerationError as error:
            yield openapi(node.at("$ref"), str(error))
            continue
        reference = node.value["$ref"]
        around, key = (None, None, *node.path)[-2:]
        expected = REFERS_TO.get(around) or REFERS_TO.get(key)
        if expected and not reference.startswith(f"#/components/{expected}/"):
            sentence = f"{reference} is not in components.{expected}, as a reference here must be"
            yield openapi(node.at("$ref"), sentence)


# The checks that all others rely on.
FORM: tuple[Check, ...] = (openapi_is_valid, catalogue_is_valid, deployments_are_valid)

OPENAPI_CHECKS: tuple[Check, ...] = (
    openapi_is_valid,
    operations.operations_are_described,
    operations.operations_have_one_declared_tag,
    operations.operations_are_secured,
    operations.operations_document_errors,
    operations.responses_carry_a_request_id,
    operations.bodies_are_references,
    operations.parameters_are_described,
    operations.servers_are_named,
    operations.tags_name_servers,
    operations.nulls_name_servers,
    operations.links_lead_to_operations,
    operations.links_start_in_answers,
    schemas.objects_are_named,
    schemas.requests_are_closed,
    schemas.responses_are_open,
    schemas.nullable_enums_are_a_reference_or_null,
    schemas.numbers_are_not_in_unions,
    schemas.keywords_are_known,
    schemas.schemas_are_described,
    schemas.properties_are_described,
    schemas.defaults_are_described,
    schemas.schemas_have_examples,
    schemas.examples_validate,
    schemas.sources_are_graded,
    schemas.sources_are_used,
    schemas.constraints_have_sources,
)

# For contracts with a catalogue only.
CATALOGUE_CHECKS: tuple[Check, ...] = (
    catalogue_is_valid,
    catalogue.catalogue_fields_are_described,
    catalogue.servers_are_of_a_platform,
    catalogue.sources_exist,
    catalogue.prompts_exist,
    catalogue.replacements_exist,
    catalogue.dimensions_are_ordered,
    catalogue.endpoints_are_operations,
    catalogue.dtypes_are_in_the_contract,
    catalogue.dtypes_have_a_memory,
    catalogue.batch_models_are_on_batch_endpoints,
    catalogue.batch_endpoints_are_in_the_contract,
    catalogue.completion_window_is_in_the_contract,
)


# For contracts with deployments only.
DEPLOYMENT_CHECKS: tuple[Check, ...] = (
    deployments_are_valid,
    deployments.deployments_have_sources,
    deployments.deployments_name_sources,
    deployments.deployments_have_operations_of_the_contract,
    deployments.deployments_have_fields_of_the_contract,
)

CHECKS: tuple[Check, ...] = (*OPENAPI_CHECKS, *CATALOGUE_CHECKS, *DEPLOYMENT_CHECKS)


def lint(documents: Documents) -> Iterator[tuple[str, Finding]]:
    """Yield each finding and its rule; for an invalid document only those of `FORM`."""
    checks = (
        *OPENAPI_CHECKS,
        *(CATALOGUE_CHECKS if documents.contract.catalogue else ()),
        *(DEPLOYMENT_CHECKS if documents.contract.deployments else ()),
    )
    malformed = False
    for check in sorted(checks, key=lambda check: check not in FORM):
        if malformed and check not in FORM:
            return
        for finding in check(documents):
            malformed = malformed or check in FORM
            yield rule(check), evolve(finding, file=documents.file(cast("Part", finding.file)))


def problems(contracts: Iterable[Documents]) -> list[str]:
    """Return every finding as a line: file and position, rule, problem."""
    return [
        f"spec/{finding.place}: {name}: {finding.sentence}"
        for documents in contracts
        for name, finding in lint(documents)
    ]


def rule(check: Check) -> str:
    """Return the name of a check in the output."""
    return check.__name__.replace("_", "-")
