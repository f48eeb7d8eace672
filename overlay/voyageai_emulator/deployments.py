"""Emulate a deployment, such as a SageMaker endpoint or a gateway, in front of the emulated API.

Requests to the deployment are translated into requests to the API, and responses back, by the data
of `voyageai_rest.deployments`. These are guesses:

- A deployment refuses fields that it is not known to support, with a 400 in its own format.
- A signature is checked as AWS documents it, and its clock may be five minutes off.
- A deployment of a single model that was started without a model's name serves the newest model of
  the body's endpoint.
"""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from secrets import compare_digest
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from starlette.requests import Request
from voyageai.extras import require
from voyageai_rest.deployments import DEPLOYMENTS

from .bodies import decode, max_body, read_body
from .responses import NOTICE, ApiError, encode, json_response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.datastructures import Headers
    from starlette.types import ASGIApp, Message, Receive, Scope, Send
    from voyageai_rest.catalogue import Model
    from voyageai_rest.deployments import DeploymentKind

    from .timing import Clock

__all__ = ["DeploymentMiddleware", "base_path", "find_deployment"]

SKEW = 300.0
"""Maximum difference in seconds between a signature's time and the clock."""
SIGNATURE = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<date>\d{8})/(?P<region>[a-z0-9-]+)/sagemaker"
    r"/aws4_request, SignedHeaders=(?P<headers>[a-z0-9;-]+), Signature=(?P<signature>[0-9a-f]{64})"
)
SIGNED = {"content-type", "host", "x-amz-date"}
"""Headers that a signature must cover."""
MODEL_ERROR = "ModelError"
REPLACED_HEADERS = (b"content-length", b"x-request-id")
"""Headers of the API's responses that a deployment with another request id header replaces."""
GOOGLE_STATUSES = {401: "UNAUTHENTICATED"}


def find_deployment(setting: str) -> tuple[DeploymentKind, str | None]:
    """Return the kind of a deployment and its model, from `NAME` or `NAME:MODEL`.

    Raises:
        ValueError: There is no deployment `NAME`, or it serves all models but `MODEL` is given.
    """
    name, colon, model = setting.partition(":")
    if name not in DEPLOYMENTS:
        raise ValueError(f"deployment must be one of {', '.join(DEPLOYMENTS)}, not {name!r}")
    if colon and not DEPLOYMENTS[name].one_model:
        raise ValueError(
            f"deployment is {setting!r}, but {name} serves all models; leave out {colon + model!r}"
        )
    return DEPLOYMENTS[name], model or None


def base_path(kind: DeploymentKind) -> str:
    """Return the path of a deployment's base URL, with placeholders such as ``my-project``."""
    return re.sub(r"\{(\w+)\}", r"my-\1", re.sub(r"^\w+://[^/]+", "", kind.url))


class DeploymentMiddleware:
    """ASGI middleware that turns the API into a deployment.

    Args:
        app: The API.
        kind: Kind of the deployment.
        model: Name of the model that it serves; None for the newest, or for any model if the kind
            serves all.
        base: Path of the API's base URL.
        models: Models of the API, by name.
        clock: Clock for signatures, in seconds since 1970.
        old_images: Answer as older container images do.
        credentials: Secret keys by access key id, to check signatures with; any signature is
            accepted if there are none.

    Raises:
        ValueError: There is no model of that name.
        ImportError: There are credentials to check, and botocore is not installed.
    """

    def __init__(
        self,
        app: ASGIApp,
        kind: DeploymentKind,
        model: str | None,
        *,
        base: str,
        models: Mapping[str, Model],
        clock: Clock,
        old_images: bool,
        credentials: Mapping[str, str],
    ) -> None:
        if model is not None and model not in models:
            raise ValueError(f"a deployment serves one of {', '.join(models)}, not {model!r}")
        if credentials and kind.authentication == "sigv4":
            require("botocore.auth", "sagemaker")
        self._app = app
        self._kind = kind
        self._model = model
        self._base = base
        self._models = models
        self._clock = clock
        self._limit = kind.max_request_bytes or max_body(models.values())
        self._old_images = old_images
        self._credentials = credentials
        base_pattern = re.sub(
            r"\\\{\w+\\\}", "[^/]+", re.escape(re.sub(r"^\w+://[^/]+", "", kind.url))
        )
        self._path = re.compile(f"{base_pattern}(?P<below>/.*)")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request to the deployment."""
        request = Request(scope, receive)
        below = found["below"] if (found := self._path.fullmatch(scope["path"])) else ""
        if scope["method"] == "GET" and below == self._kind.health:
            await self._answer_health(scope, receive, send)
            return
        endpoints = [
            f"{name}{below.removeprefix(path)}"
            for name, path in self._kind.paths.items()
            if below == path or below.startswith(f"{path}/")
        ]
        is_json = request.headers.get("content-type", "").startswith("application/json")
        try:
            content = await read_body(request, self._limit) if is_json else b""
            key = self._authenticate(request, content)
            path, changed = self._request(endpoints, content)
        except ApiError as error:
            status, body = self._error(error.status, error.body(), error.code)
            headers = {self._kind.request_id or "x-request-id": uuid4().hex, "x-emulator": NOTICE}
            if error.code is not None:
                headers["x-amzn-errortype"] = error.code
            await json_response(body, status, headers)(scope, receive, send)
            return
        lengths = [pair for pair in scope["headers"] if pair[0] == b"content-length"]
        inner = {
            **scope,
            "path": f"{self._base}/{path}",
            "raw_path": f"{self._base}/{path}".encode(),
            "headers": [
                *(h for h in scope["headers"] if h[0] not in (b"authorization", b"content-length")),
                (b"authorization", f"Bearer {key}".encode()),
                *([(b"content-length", str(len(changed)).encode())] if is_json else lengths),
            ],
        }
        replay = _replayed(changed, receive) if is_json else receive
        # Files and batch jobs pass unchanged: a file may look like the answer of a model.
        is_model = path in {model.endpoint for model in self._models.values()}
        await self._app(inner, replay, self._answering(send, path, is_model=is_model))

    def _request(self, endpoints: list[str], content: bytes) -> tuple[str, bytes]:
        """Return the path below the API's base, and the body, of the request to the API."""
        kind = self._kind
        if not endpoints:
            raise ApiError("Not Found", HTTPStatus.NOT_FOUND)
        if not content:
            return endpoints[0], content
        given: Any = decode(content)
        if not isinstance(given, dict):
            raise ApiError("The body is not a JSON object.", HTTPStatus.BAD_REQUEST)
        given = cast("dict[str, Any]", given)
        endpoint = endpoints[0] if len(endpoints) == 1 else _endpoint_of(given)
        body: dict[str, Any] = {}
        names = {theirs: ours for ours, theirs in kind.renamed.items()}
        for name, value in _flatten(given, set(names)):
            ours = names.get(name, name)
            if ours in kind.renamed and name not in names:
                raise ApiError(f"Argument '{name}' is not supported.", HTTPStatus.BAD_REQUEST)
            refused = ours in kind.refused or f"{endpoint}.{ours}" in kind.refused
            if refused or (ours == "encoding_format" and ours in kind.implied):
                raise ApiError(f"Argument '{name}' is not supported.", HTTPStatus.BAD_REQUEST)
            body[ours] = value
        if kind.one_model:
            if "model" in body:
                raise ApiError("Argument 'model' is not supported.", HTTPStatus.BAD_REQUEST)
            body["model"] = self._model or self._newest(endpoint)
        elif isinstance(body.get("model"), str):
            if not body["model"].startswith(kind.model_prefix):
                raise ApiError(f"No model {body['model']}.", HTTPStatus.BAD_REQUEST)
            body["model"] = body["model"].removeprefix(kind.model_prefix)
        return endpoint, encode(body)

    def _newest(self, endpoint: str) -> str:
        """Return the newest of the recommended models of an endpoint."""
        found = [
            (str(model.released), name)
            for name, model in self._models.items()
            if model.endpoint == endpoint and model.lifecycle == "active"
        ]
        return max(found)[1]

    def _authenticate(self, request: Request, content: bytes) -> str:
        """Authenticate a request, and return the API key to use for it."""
        how, given = self._kind.authentication, request.headers.get("authorization")
        if how == "none" or (how == "optional key" and given is None):
            return "deployment"
        if how == "sigv4":
            return self._check_signature(request, content)
        scheme, _, key = (given or "").partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            raise ApiError("Unauthorized", HTTPStatus.UNAUTHORIZED)
        return key.strip()

    def _check_signature(self, request: Request, content: bytes) -> str:
        headers = request.headers
        if "authorization" not in headers:
            raise _forbidden("Missing Authentication Token", "MissingAuthenticationTokenException")
        found = SIGNATURE.fullmatch(headers["authorization"])
        signed = set(found["headers"].split(";")) if found else set[str]()
        if found is None or not signed >= SIGNED or not signed <= set(headers):
            raise _forbidden("Authorization header is incomplete.", "IncompleteSignature")
        stamp = headers["x-amz-date"]
        if stamp[:8] != found["date"] or abs(_seconds(stamp) - self._clock()) > SKEW:
            raise _forbidden("Signature expired.", "InvalidSignatureException")
        if self._credentials:
            secret = self._credentials.get(found["key"])
            if secret is None:
                text = "The security token included in the request is invalid."
                raise _forbidden(text, "UnrecognizedClientException")
            expected = _signature(request, content, found["region"], found["key"], secret, signed)
            if not compare_digest(expected, found["signature"]):
                text = "The request signature we calculated does not match the one you provided."
                raise _forbidden(text, "InvalidSignatureException")
        return found["key"]

    def _answering(self, send: Send, path: str, *, is_model: bool) -> Send:
        """Return an ASGI callable that sends the API's response as the deployment's.

        Args:
            send: ASGI callable of the deployment's response.
            path: Path below the API's base.
            is_model: True for a model endpoint; elsewhere only errors are translated.
        """
        start: Message = {}
        pieces: list[bytes] = []

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            if message["type"] != "http.response.body" or "status" not in start:
                await send(message)
                return
            if not is_model and start["status"] < HTTPStatus.BAD_REQUEST:
                if not pieces:
                    await send(start)
                pieces.append(b"")
                await send(message)
                return
            pieces.append(message.get("body", b""))
            if message.get("more_body"):
                return
            status, body = self._response(start["status"], b"".join(pieces), path)
            replaced = REPLACED_HEADERS if self._kind.request_id else REPLACED_HEADERS[:1]
            headers = [pair for pair in start["headers"] if pair[0] not in replaced]
            headers.append((b"content-length", str(len(body)).encode()))
            if self._kind.request_id is not None:
                headers.append((self._kind.request_id.encode(), uuid4().hex.encode()))
            if status == HTTPStatus.FAILED_DEPENDENCY:
                headers.append((b"x-amzn-errortype", MODEL_ERROR.encode()))
            await send({**start, "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": body})

        return answer

    def _response(self, status: int, content: bytes, path: str) -> tuple[int, bytes]:
        """Return the deployment's status and body for the API's."""
        try:
            found = json.loads(content)
        except ValueError:  # a fault, or the content of a file
            return status, content
        if status >= HTTPStatus.BAD_REQUEST:
            status, found = self._error(status, found, None, content.decode())
            return status, encode(found)
        if self._old_images:
            _as_old_image(found, path)
        if path == "rerank":
            names = {ours: theirs for theirs, ours in self._kind.answers.items()}
            found = {names.get(name, name): value for name, value in found.items()}
        elif "dimensions" in self._kind.renamed.values() and isinstance(found.get("usage"), dict):
            found["usage"]["prompt_tokens"] = found["usage"]["total_tokens"]
        return status, encode(found)

    def _error(
        self, status: int, body: dict[str, Any], code: str | None, content: str = ""
    ) -> tuple[int, dict[str, Any]]:
        """Return the deployment's status and body for an error, of the API or of its own."""
        detail: object = body.get("detail")
        how = self._kind.authentication
        if how == "sigv4":
            if code is not None or not content:
                return status, {"message": detail}
            return HTTPStatus.FAILED_DEPENDENCY, {
                "ErrorCode": "CLIENT_ERROR_FROM_MODEL"
                if status < 500
                else "SERVER_ERROR_FROM_MODEL",
                "Message": f"Received an error ({status}) from primary with message {content!r}.",
                "OriginalStatusCode": status,
                "OriginalMessage": content,
                "LogStreamArn": "arn:aws:logs:emulator",
            }
        if how == "google" and status in GOOGLE_STATUSES:
            name = GOOGLE_STATUSES[status]
            return status, {"error": {"code": status, "message": detail, "status": name}}
        if how in ("none", "google") or self._kind.name in ("voyage", "cloudflare"):
            return status, body
        error: dict[str, object] = {
            "message": detail,
            "type": "invalid_request_error",
            "param": None,
            "code": None,
        }
        return status, {"error": error}

    async def _answer_health(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = {
            "model": self._model or self._newest("embeddings"),
            "model_loaded": True,
            "tokenizer_initialized": True,
            "loading_status": "ready",
            "gpu_info": {"count": 0, "memory_allocated_mb": 0, "memory_reserved_mb": 0},
        }
        await json_response(body)(scope, receive, send)


def _endpoint_of(body: dict[str, Any]) -> str:
    """Return the endpoint of a body, for a deployment where all endpoints share one path."""
    if "query" in body:
        return "rerank"
    if "inputs" not in body:
        return "embeddings"
    inputs: Any = body["inputs"]
    try:
        media = isinstance(inputs[0], dict)
    except (LookupError, TypeError):  # the contract refuses it later
        media = False
    return "multimodalembeddings" if media else "contextualizedembeddings"


def _flatten(given: dict[str, Any], names: set[str], prefix: str = "") -> list[tuple[str, Any]]:
    """Return the fields of a body; those of nested objects as `outer.inner` if `names` has them."""
    found: list[tuple[str, Any]] = []
    for key, value in given.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and any(each.startswith(f"{name}.") for each in names):
            found += _flatten(value, names, f"{name}.")  # pyright: ignore[reportUnknownArgumentType]  # JSON
        else:
            found.append((name, value))  # pyright: ignore[reportUnknownArgumentType]  # JSON
    return found


def _as_old_image(answer: dict[str, Any], path: str) -> None:
    """Change an answer to the format of older images: numbers as strings, and fewer fields."""
    waiting: list[Any] = [answer.get("data")]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += part  # pyright: ignore[reportUnknownArgumentType]  # JSON
        elif isinstance(part, dict):
            waiting.append(part.get("data"))  # pyright: ignore[reportUnknownMemberType]  # JSON
            if isinstance(part.get("embedding"), list):  # pyright: ignore[reportUnknownMemberType]  # JSON
                vector = cast("list[float]", part["embedding"])
                part["embedding"] = [str(number) for number in vector]
            if path == "rerank":
                part["document"] = None
    if path == "multimodalembeddings":
        del answer["usage"]
    if path == "rerank":
        del answer["object"]
    if path == "contextualizedembeddings":
        answer["inference_ms"] = answer["total_embed_ms"] = 1


def _forbidden(detail: str, code: str) -> ApiError:
    return ApiError(detail, HTTPStatus.FORBIDDEN, code)


def _seconds(stamp: str) -> float:
    from datetime import UTC, datetime

    try:
        return datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return 0.0


def _signature(
    request: Request, content: bytes, region: str, key: str, secret: str, signed: set[str]
) -> str:
    """Return the signature that botocore computes for a request."""
    auth, awsrequest = (
        require("botocore.auth", "sagemaker"),
        require("botocore.awsrequest", "sagemaker"),
    )
    credentials = require("botocore.credentials", "sagemaker").Credentials(key, secret)
    headers: Headers = request.headers
    url = f"http://{headers['host']}{request.url.path}"
    given = {name: headers[name] for name in signed}
    asked = awsrequest.AWSRequest(request.method, url, headers=given, data=content)
    asked.context["timestamp"] = headers["x-amz-date"]
    signer = auth.SigV4Auth(credentials, "sagemaker", region)
    text = signer.string_to_sign(asked, signer.canonical_request(asked))
    signature: str = signer.signature(text, asked)
    return signature


def _replayed(content: bytes, receive: Receive) -> Receive:
    """Return an ASGI callable that receives a body which was read already, then the rest."""
    waiting = [content]

    async def replay() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return replay
