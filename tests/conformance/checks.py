"""Checks that this project adds to those of schemathesis."""

from __future__ import annotations

import schemathesis

from .closed_schemas import JSON, answers
from .refusal_reasons import reasons

ANSWERS = answers()


@schemathesis.check
def allowed_is_accepted(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> None:
    """Check that a request the contract allows is accepted, or refused for a documented reason."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    known = list(reasons(case.operation.definition.raw["operationId"], case.body))
    if response.status_code == 200:
        broken = [reason.rule for reason in known if reason.breaks is not None]
        assert not broken, f"accepted, though {' and '.join(broken)}"
    else:
        detail = response.json()["detail"]
        assert any(
            reason.status == response.status_code and reason.said in detail for reason in known
        ), f"refused without a documented reason: {detail}"


@schemathesis.check
def answers_hold_known_fields(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> None:
    """Check that an answer holds no field that the contract lacks."""
    key = (case.operation.definition.raw["operationId"], response.status_code)
    if key in ANSWERS and response.headers["content-type"] == [JSON]:
        ANSWERS[key].validate(response.json())
