"""Translation of requests for a deployment, and of its responses back. No I/O.

`voyageai_rest.deployments` describes how each kind of deployment differs from the API.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from attrs import evolve
from voyageai_rest.deployments import DEPLOYMENTS
from voyageai_rest.errors import REQUEST_ID
from voyageai_rest.types import UNSET, DecodedResponse

from ..argument_checks import catalogue_entry
from ..error import ArgumentError

if TYPE_CHECKING:
    from voyageai_rest.deployments import DeploymentKind
    from voyageai_rest.types import RawResponse, Request

ERROR_TYPE = "x-amzn-errortype"
"""Header with AWS's name of an error."""
WRAPPED = "OriginalStatusCode"
"""Field in which SageMaker wraps the status of the container's response."""
CONTENT = "OriginalMessage"
"""Field in which SageMaker wraps the body of the container's response."""
TOKENS = (
    ("usage", "total_tokens"),
    ("usage", "prompt_tokens"),
    ("meta", "billed_units", "total_tokens"),
)
"""Paths of the number of tokens in responses; the first that exists counts."""
INSTEAD = {
    "embeddings.input_type": ", and call embed in place of embed_documents or embed_query, which "
    "set it"
}
"""Advice by `operation.field`, for fields that were perhaps not an argument of the call."""
REASONS = (("detail",), ("error", "message"), ("error",), ("message",), ("Message",))
"""Paths of the message in errors."""
CODES = (("error_code",), ("error", "status"), ("error", "type"), ("ErrorCode",))
"""Paths of the code in errors."""


def single_model() -> DeploymentKind:
    """Return the kind of a host with the whole API, whose requests do not name the model."""
    return evolve(DEPLOYMENTS["voyage"], title="a host with a single model", one_model=True)


def request_for(kind: DeploymentKind, request: Request, method: str) -> Request:
    """Translate a request for a deployment.

    Args:
        kind: The kind of the deployment.
        request: The request for the API.
        method: Name of the method that was called, for errors.

    Raises:
        ArgumentError: The deployment does not support the operation or a field.
    """
    endpoint, slash, rest = request.path[1:].partition("/")
    path = kind.paths.get(endpoint)
    if path is None:
        raise _not_offered(kind, endpoint, method)
    # The name is removed, so that no error gives advice on the base URL of the API.
    changed = evolve(request, operation="", path=f"{path}{slash}{rest}")
    if request.json is UNSET:
        return changed
    if not kind.fetches_urls:
        _check_urls(kind, request.json)
    body: dict[str, Any] = {}
    for name, value in request.json.items():
        if name == "model" and kind.one_model:
            continue
        if name in kind.implied and value == kind.implied[name]:
            continue
        refusal = kind.refused.get(name) or kind.refused.get(f"{endpoint}.{name}")
        if refusal is not None:
            raise ArgumentError(
                f"{name}={value!r} can't be sent to {kind.title}: {refusal}; leave it out"
                f"{INSTEAD.get(f'{endpoint}.{name}', '')}",
                name,
            )
        prefix = kind.model_prefix if name == "model" and catalogue_entry(value) else ""
        *outer, inner = kind.renamed.get(name, name).split(".")
        target = body
        for key in outer:
            target = target.setdefault(key, {})
        target[inner] = prefix + value if prefix else value
    return evolve(changed, json=body)


def check_offered(kind: DeploymentKind, endpoint: str) -> None:
    """Check that a deployment has an operation.

    Raises:
        ArgumentError: The deployment does not have it; the message lists those it has.
    """
    if endpoint not in kind.paths:
        raise _not_offered(kind, endpoint, "")


def answer_of(kind: DeploymentKind, response: RawResponse) -> RawResponse:
    """Translate a success into the form of the API.

    Vectors may be lists of numbers written as strings, fields may be null or have other names, and
    the number of tokens may be missing, in which case it becomes 0.

    Args:
        kind: The kind of the deployment.
        response: The success; returned unchanged unless it is a JSON object.
    """
    try:
        found: Any = json.loads(response.content)
    except (ValueError, RecursionError):
        return response  # the parser raises
    if not isinstance(found, dict):
        return response
    named = cast("dict[str, Any]", found).items()
    value = {kind.answers.get(name, name): item for name, item in named if item is not None}
    for entry in _entries(value):
        if not isinstance(entry.get("document", ""), str):
            del entry["document"]  # the result uses the texts that were sent
        if isinstance(vector := entry.get("embedding"), list):
            entry["embedding"] = _numbers(vector)  # pyright: ignore[reportUnknownArgumentType]  # may be anything
    usage: dict[str, Any] = value["usage"] if isinstance(value.get("usage"), dict) else {}
    tokens = next((n for path in TOKENS if type(n := _at(value, path)) is int), 0)
    value["usage"] = {**usage, "total_tokens": tokens}
    return DecodedResponse(
        status_code=response.status_code,
        headers=response.headers,
        content=response.content,
        value=value,
    )


def other_model(kind: DeploymentKind, answer: RawResponse, requested: str) -> str | None:
    """Return the model that answered, if it is not the requested one.

    Args:
        kind: The kind of the deployment. Only where requests do not name a model can it differ.
        answer: The success, as returned by `answer_of`.
        requested: The requested model. Models that are not in the catalogue are not compared, as a
            deployment may have its own name for a model.
    """
    if not kind.one_model or not isinstance(answer, DecodedResponse):
        return None
    found = _at(answer.value, ("model",))
    is_other = found != requested and catalogue_entry(requested) and catalogue_entry(found)
    return found if is_other else None


def refusal_of(response: RawResponse) -> RawResponse:
    """Translate an error into the form of the API, with its message and code."""
    body = _container(response)
    body = _decoded(response.content) if body is None else body
    reason = next((text for path in REASONS if isinstance(text := _at(body, path), str)), None)
    code = _error_type(response) or next(
        (name for path in CODES if isinstance(name := _at(body, path), str)), None
    )
    if reason is None:
        return response
    value = {"detail": reason} if code is None else {"detail": reason, "error_code": code}
    return DecodedResponse(
        status_code=response.status_code,
        headers=response.headers,
        content=json.dumps(value).encode(),
        value=value,
    )


def amend(kind: DeploymentKind, response: Any) -> None:
    """Set the status and the request id of a response to those of the API, as it arrives.

    Args:
        kind: The kind of the deployment.
        response: The HTTP library's response. One that SageMaker has wrapped in a 424 gets the
            status of the container's response.
    """
    headers = response.headers
    if kind.request_id is not None and kind.request_id in headers and REQUEST_ID not in headers:
        headers[REQUEST_ID] = headers[kind.request_id]
    if response.is_success or not kind.statuses:
        return
    status = kind.statuses.get(_error_type(response) or "")
    wrapped = _at(_decoded(response.content), (WRAPPED,))
    if status is None and type(wrapped) is int:
        # A container that did not respond has no valid HTTP status.
        status = wrapped if wrapped in range(400, 600) else 500
    if status is not None:
        response.status_code = status


def _not_offered(kind: DeploymentKind, endpoint: str, method: str) -> ArgumentError:
    called = f"{method} needs" if method else "this needs"
    return ArgumentError(
        f"{called} /{endpoint}, which {kind.title} does not have; it has "
        f"{', '.join(f'/{name}' for name in kind.paths)}. Use a client without a deployment."
    )


def _check_urls(kind: DeploymentKind, body: Any) -> None:
    """Raise if inputs contain URLs of images or videos."""
    inputs: list[Any] = body.get("inputs") or []
    if not inputs or not isinstance(inputs[0], dict):
        return  # texts
    for place, item in enumerate(inputs):
        pieces: list[dict[str, Any]] = item["content"]
        if any(piece["type"].endswith("_url") for piece in pieces):
            raise ArgumentError(
                f"inputs[{place}] has a URL, which {kind.title} can't fetch; pass the image or "
                "video itself",
                f"inputs[{place}]",
            )


def _entries(value: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the entries of a response and, for documents, those of their chunks."""
    found: list[dict[str, Any]] = []
    pending: list[Any] = [value.get("data")]
    while pending:
        part = pending.pop()
        if isinstance(part, list):
            pending += part
        elif isinstance(part, dict):
            entry = cast("dict[str, Any]", part)
            found.append(entry)
            pending.append(entry.get("data"))
    return found


def _numbers(vector: list[Any]) -> list[Any]:
    """Return a vector whose numbers may be written as strings."""
    if not vector or not isinstance(vector[0], str):
        return vector
    whole = all(isinstance(number, str) and number.lstrip("-").isdecimal() for number in vector)
    try:
        return list(map(int if whole else float, vector))
    except (TypeError, ValueError):
        return vector  # the parser raises


def _container(response: RawResponse) -> Any:
    """Return the body of the container's response, if SageMaker has wrapped one."""
    content = _at(_decoded(response.content), (CONTENT,))
    if not isinstance(content, str):
        return None
    found = _decoded(content)
    return found if isinstance(found, dict) else {"detail": content}  # pyright: ignore[reportUnknownVariableType]  # any JSON


def _error_type(response: RawResponse) -> str | None:
    """Return AWS's name of an error; None for `ModelError`, which wraps another error."""
    name = response.headers.get(ERROR_TYPE, "").partition(":")[0]
    return name if name not in ("", "ModelError") else None


def _decoded(content: bytes | str) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _at(value: Any, path: tuple[str, ...]) -> Any:
    """Return the value at a path in JSON, or None."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]  # any JSON
    return value  # pyright: ignore[reportUnknownVariableType]  # as above
