"""What is wrong with a contract that could not be read to its end."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

from .. import paths, spec
from .contracts import Contract
from .documents import DriftError

# What reading a document raises that has something else at a place than OpenAPI says.
STUMBLES = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


@contextmanager
def well_formed(*contracts: Contract) -> Iterator[None]:
    """Within it, to stumble over the form of one of these contracts is a `DriftError`.

    They are looked at only then, since what others publish need not be right in all its corners.
    """
    try:
        yield
    except DriftError:
        raise
    except STUMBLES as error:
        flaws = [*_flaws_of_documents(contracts)] or [*_flaws_of_catalogues(contracts)]
        if not flaws:  # the slip is ours, then
            raise
        raise DriftError("\n".join(flaws)) from error


def _flaws_of_documents(contracts: Sequence[Contract]) -> Iterator[str]:
    for contract in contracts:
        if contract.openapi is not None:
            is_older = str(contract.openapi.raw["openapi"]).startswith("3.0.")
            validator = OpenAPIV30SpecValidator if is_older else OpenAPIV31SpecValidator
            flaw = _innermost(validator(contract.openapi.raw))
            if flaw:
                yield f"{contract.name} is not a valid OpenAPI document: {flaw}"


def _flaws_of_catalogues(contracts: Sequence[Contract]) -> Iterator[str]:
    validator = Draft202012Validator(spec.load(paths.CATALOGUE_SCHEMA))
    for contract in contracts:
        if contract.catalogue is not None:
            flaw = _innermost(validator, contract.catalogue)
            if flaw:
                yield f"{contract.name} is not a valid catalogue: {flaw}"


def _innermost(validator: Any, *instance: Any) -> str | None:
    """Where the innermost error stands, and what it is; None if there is none."""
    errors = []
    try:
        for error in validator.iter_errors(*instance):
            errors.append(error)  # what was found before it stumbles too
    except STUMBLES as error:
        if not errors:  # references that lead in circles
            return f"{type(error).__name__}: {error}"
    if not errors:
        return None
    innermost = max(errors, key=lambda error: len(error.absolute_path))
    where = ".".join(map(str, innermost.absolute_path))
    what = innermost.message.partition("\n")[0]
    return f"{where}: {what}" if where else what
