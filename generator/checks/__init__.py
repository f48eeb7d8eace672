"""The spec's own rules, as small named checks; `python -m generator.lint` runs them."""

from collections.abc import Callable, Iterator

from . import catalogue, form, links, operations, schemas, sources
from .documents import Documents, Finding, read

__all__ = ["CHECKS", "FORM", "Documents", "Finding", "lint", "read", "rule"]

Check = Callable[[Documents], Iterator[Finding]]

# What the other checks take for granted.
FORM: tuple[Check, ...] = (
    form.openapi_is_valid,
    form.catalogue_is_valid,
)

CHECKS: tuple[Check, ...] = (
    *FORM,
    operations.operations_are_described,
    operations.operations_have_one_declared_tag,
    operations.operations_are_secured,
    operations.operations_document_errors,
    operations.responses_carry_a_request_id,
    operations.bodies_are_references,
    operations.parameters_are_described,
    operations.servers_are_named,
    operations.servers_are_of_a_platform,
    operations.tags_name_servers,
    operations.nulls_name_servers,
    links.links_lead_to_operations,
    links.links_start_in_answers,
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
    sources.sources_are_graded,
    sources.sources_are_used,
    sources.constraints_have_sources,
    catalogue.catalogue_fields_are_described,
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


def lint(documents: Documents) -> Iterator[tuple[str, Finding]]:
    """Every finding with the name of its rule. Without valid form only the form is checked."""
    malformed = False
    for check in CHECKS:
        if malformed and check not in FORM:
            return
        for finding in check(documents):
            malformed = malformed or check in FORM
            yield rule(check), finding


def rule(check: Check) -> str:
    """The name that a check's findings are printed with."""
    return check.__name__.replace("_", "-")
