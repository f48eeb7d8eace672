"""Requests as a deployment takes them, and its answers as the API's. No I/O.

`voyageai_rest.deployments` says how a kind of deployment differs from the API.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from attrs import evolve
from voyageai_rest.deployments import DEPLOYMENTS
from voyageai_rest.errors import REQUEST_ID
from voyageai_rest.types import UNSET, DecodedResponse

from ..error import ArgumentError
from ..limits import known

if TYPE_CHECKING:
    from voyageai_rest.deployments import DeploymentKind
    from voyageai_rest.types import RawResponse, Request

ERROR_TYPE = "x-amzn-errortype"
"""Header in which AWS names an error."""
WRAPPED = "OriginalStatusCode"
"""Field in which SageMaker has the status of the container's own answer."""
CONTENT = "OriginalMessage"
"""Field in which SageMaker has the body of the container's own answer."""
TOKENS = (
    ("usage", "total_tokens"),
    ("usage", "prompt_tokens"),
    ("meta", "billed_units", "total_tokens"),
)
"""Where answers have the number of tokens; the first that is there counts."""
INSTEAD = {
    "embeddings.input_type": ", and call embed in place of embed_documents or embed_query, which "
    "set it"
}
"""What to do, by `operation.field`, where a field may not have been an argument of the call."""
REASONS = (("detail",), ("error", "message"), ("error",), ("message",), ("Message",))
"""Where errors say to people what is wrong."""
CODES = (("error_code",), ("error", "status"), ("error", "type"), ("ErrorCode",))
"""Where errors have a name for programs."""


def single_model() -> DeploymentKind:
    """Return the kind of a host that has all of the API, for one model that requests don't name."""
    return evolve(DEPLOYMENTS["voyage"], title="a host with a single model", one_model=True)


def request_for(kind: DeploymentKind, request: Request, method: str) -> Request:
    """Return a request as a deployment takes it.

    Args:
        kind: The kind of the deployment.
        request: The request as the API takes it.
        method: The method that was called, for errors.

    Raises:
        ArgumentError: The deployment has no such operation, or no such field.
    """
    endpoint, slash, rest = request.path[1:].partition("/")
    path = kind.paths.get(endpoint)
    if path is None:
        raise _absent(kind, endpoint, method)
    # Without its name, no error gives advice on the base URL of the API.
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
        why = kind.refused.get(name) or kind.refused.get(f"{endpoint}.{name}")
        if why is not None:
            raise ArgumentError(
                f"{name}={value!r} can't be sent to {kind.title}: {why}; leave it out"
                f"{INSTEAD.get(f'{endpoint}.{name}', '')}",
                name,
            )
        prefix = kind.model_prefix if name == "model" and known(value) else ""
        *outer, inner = kind.renamed.get(name, name).split(".")
        target = body
        for key in outer:
            target = target.setdefault(key, {})
        target[inner] = prefix + value if prefix else value
    return evolve(changed, json=body)


def check_offered(kind: DeploymentKind, endpoint: str) -> None:
    """Refuse an operation that a deployment does not have.

    Raises:
        ArgumentError: It does not; says what it has.
    """
    if endpoint not in kind.paths:
        raise _absent(kind, endpoint, "")


def answer_of(kind: DeploymentKind, response: RawResponse) -> RawResponse:
    """Return a success with the fields that it has at the API.

    Vectors may be lists of numbers that are written as strings, fields may be null or have other
    names, and the number of tokens may be missing: it is 0 then.

    Args:
        kind: The kind of the deployment.
        response: The success. What is not an object of JSON is returned as it is.
    """
    try:
        found: Any = json.loads(response.content)
    except (ValueError, RecursionError):
        return response  # whose reader says what is wrong
    if not isinstance(found, dict):
        return response
    named = cast("dict[str, Any]", found).items()
    value = {kind.answers.get(name, name): item for name, item in named if item is not None}
    for entry in _entries(value):
        if not isinstance(entry.get("document", ""), str):
            del entry["document"]  # the result has the texts that were sent
        if isinstance(vector := entry.get("embedding"), list):
            entry["embedding"] = _numbers(vector)  # pyright: ignore[reportUnknownArgumentType]  # of anything
    usage: dict[str, Any] = value["usage"] if isinstance(value.get("usage"), dict) else {}
    tokens = next((n for path in TOKENS if type(n := _at(value, path)) is int), 0)
    value["usage"] = {**usage, "total_tokens": tokens}
    return DecodedResponse(
        status_code=response.status_code,
        headers=response.headers,
        content=response.content,
        value=value,
    )


def other_model(kind: DeploymentKind, answer: RawResponse, asked: str) -> str | None:
    """Return the model that has answered, if it is not the one that was meant.

    Args:
        kind: The kind of the deployment; only where no request names a model can it be another.
        answer: The success, as `answer_of` returns it.
        asked: The model that was meant. Nothing is said of names that the catalogue has not: a
            deployment may write the same model in its own way.
    """
    if not kind.one_model or not isinstance(answer, DecodedResponse):
        return None
    found = _at(answer.value, ("model",))
    return found if found != asked and known(asked) and known(found) else None


def refusal_of(response: RawResponse) -> RawResponse:
    """Return an error with its reason and its name where the API has them."""
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
    """Set the status and the id of a response to what the API would say, as it arrives.

    Args:
        kind: The kind of the deployment.
        response: The response, of the HTTP library. What SageMaker wraps into a 424 has the status
            of the container's own answer from here on.
    """
    headers = response.headers
    if kind.request_id is not None and kind.request_id in headers and REQUEST_ID not in headers:
        headers[REQUEST_ID] = headers[kind.request_id]
    if response.is_success or not kind.statuses:
        return
    status = kind.statuses.get(_error_type(response) or "")
    wrapped = _at(_decoded(response.content), (WRAPPED,))
    if status is None and type(wrapped) is int:
        # A container that did not answer at all has none of HTTP's.
        status = wrapped if wrapped in range(400, 600) else 500
    if status is not None:
        response.status_code = status


def _absent(kind: DeploymentKind, endpoint: str, method: str) -> ArgumentError:
    called = f"{method} needs" if method else "this needs"
    return ArgumentError(
        f"{called} /{endpoint}, which {kind.title} does not have; it has "
        f"{', '.join(f'/{name}' for name in kind.paths)}. Use a client without a deployment."
    )


def _check_urls(kind: DeploymentKind, body: Any) -> None:
    """Refuse pictures and videos by URL."""
    inputs: list[Any] = body.get("inputs") or []
    if not inputs or not isinstance(inputs[0], dict):
        return  # texts
    for place, item in enumerate(inputs):
        pieces: list[dict[str, Any]] = item["content"]
        if any(piece["type"].endswith("_url") for piece in pieces):
            raise ArgumentError(
                f"inputs[{place}] has a URL, which {kind.title} can't fetch; give it the picture "
                "or video itself",
                f"inputs[{place}]",
            )


def _entries(value: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the entries of an answer and, of documents, those of their chunks."""
    found: list[dict[str, Any]] = []
    waiting: list[Any] = [value.get("data")]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += part
        elif isinstance(part, dict):
            entry = cast("dict[str, Any]", part)
            found.append(entry)
            waiting.append(entry.get("data"))
    return found


def _numbers(vector: list[Any]) -> list[Any]:
    """Return a vector whose numbers may be written as strings."""
    if not vector or not isinstance(vector[0], str):
        return vector
    whole = all(isinstance(number, str) and number.lstrip("-").isdecimal() for number in vector)
    try:
        return list(map(int if whole else float, vector))
    except (TypeError, ValueError):
        return vector  # whose reader says what is wrong


def _container(response: RawResponse) -> Any:
    """Return the body of the container's own answer, if SageMaker has wrapped one."""
    content = _at(_decoded(response.content), (CONTENT,))
    if not isinstance(content, str):
        return None
    found = _decoded(content)
    return found if isinstance(found, dict) else {"detail": content}  # pyright: ignore[reportUnknownVariableType]  # any JSON


def _error_type(response: RawResponse) -> str | None:
    """Return the name that AWS gives an error, but for the one that wraps another's."""
    name = response.headers.get(ERROR_TYPE, "").partition(":")[0]
    return name if name not in ("", "ModelError") else None


def _decoded(content: bytes | str) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _at(value: Any, path: tuple[str, ...]) -> Any:
    """Return what is at a path of JSON, or None."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]  # any JSON
    return value  # pyright: ignore[reportUnknownVariableType]  # as above
