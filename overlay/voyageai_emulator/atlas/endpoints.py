"""The handlers of the administration's operations, and of requests for tokens."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import parse_qs, urlsplit

from starlette.responses import Response
from starlette.routing import Route
from voyageai_admin_rest.client import TOKEN_URL
from voyageai_admin_rest.models import Link, ModelKeyPage, ModelRateLimitPage
from voyageai_admin_rest.operations import SERVERS

from ..bodies import BASE_BYTES, decode, read_body
from ..responses import ApiError, json_response
from .refusal import BAD_REQUEST, NOT_FOUND, VALIDATION_ERROR, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from starlette.requests import Request

    from ..contract import Contract, Operation
    from .accounts import Accounts
    from .credentials import Credentials

__all__ = ["AtlasEndpoints"]

HOSTS = {urlsplit(server.url).hostname for server in SERVERS}
ID = re.compile("[a-f0-9]{24}")
UNLIMITED = {"ratelimit-limit": "100", "ratelimit-remaining": "99"}
"""Headers of all successful responses: calls of the administration are not limited."""


class _AtlasRequest:
    """A request with valid credentials and a checked body."""

    def __init__(self, request: Request, body: Any, query: Mapping[str, Any]) -> None:
        self.path: Mapping[str, str] = request.path_params
        self.body = body
        self.query = query
        self.url = str(request.url.replace(query=""))
        host = request.headers.get("host", "")
        # Empty if the request is addressed to Atlas's own host: then keys get their real hosts.
        self.host = "" if host.partition(":")[0].lower() in HOSTS else host

    @property
    def project(self) -> str | None:
        """Id of the project; None for the organization."""
        return self.path.get("groupId")

    @property
    def project_id(self) -> str:
        """Id of the project, for operations whose path has one."""
        return self.path["groupId"]

    @property
    def group(self) -> tuple[str, str, str]:
        """Cloud, geography and name of the group of models."""
        return self.path["cloud"], self.path["geography"], self.path["modelGroupName"]


Handler: TypeAlias = "Callable[[_AtlasRequest], Any]"


class AtlasEndpoints:
    """The operations of the administration.

    Args:
        contract: Contract of the administration.
        accounts: Keys and limits.
        credentials: Checks the credentials of requests.
    """

    def __init__(self, contract: Contract, accounts: Accounts, credentials: Credentials) -> None:
        self._contract = contract
        self._accounts = accounts
        self._credentials = credentials
        self._handlers: Mapping[str, Handler] = {
            "listGroupModelKeys": self._list_keys,
            "listOrgModelKeys": self._list_keys,
            "getGroupModelKey": self._key,
            "getOrgModelKey": self._key,
            "createGroupModelKey": self._create,
            "updateGroupModelKey": self._rename,
            "deleteGroupModelKey": self._delete,
            "getGroupModelLimits": self._list_limits,
            "getOrgModelLimits": self._list_limits,
            "getGroupRateLimits": self._limit,
            "getOrgRateLimits": self._limit,
            "updateGroupRateLimits": self._set_limit,
            "resetGroupModelLimits": self._reset,
            "resetGroupRateLimits": self._reset_all,
        }

    def routes(self) -> list[Route]:
        """Return the routes of all operations, and of requests for tokens."""
        by_path: dict[str, dict[str, Operation]] = {}
        for operation in self._contract.operations:
            by_path.setdefault(operation.path, {})[operation.method] = operation
        found = [
            Route(self._contract.base + path, self._endpoint(operations), methods=list(operations))
            for path, operations in by_path.items()
        ]
        return [*found, Route(TOKEN_URL, self._token, methods=["POST"])]

    def _endpoint(self, operations: Mapping[str, Operation]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            operation = operations.get(request.method) or operations["GET"]  # HEAD is a GET
            try:
                return await self._answer(operation, request)
            except Refusal as refusal:
                return refusal.as_response()
            except ApiError as error:
                return Refusal(
                    HTTPStatus(error.status), VALIDATION_ERROR, error.detail
                ).as_response()

        return endpoint

    async def _answer(self, operation: Operation, request: Request) -> Response:
        scope = request.scope
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        query: bytes = scope["query_string"]
        target = raw.partition(b"?")[0] + (b"?" + query if query else b"")
        self._credentials.check(
            request.method, target.decode("latin-1"), request.headers.get("authorization")
        )
        for name in ("groupId", "orgId"):
            id = request.path_params.get(name)
            if id is not None and not ID.fullmatch(id):
                what = "project" if name == "groupId" else "organization"
                raise Refusal(HTTPStatus.NOT_FOUND, NOT_FOUND, f"There is no {what} {id}.")
        body = None
        if operation.schema is not None:
            body = self._read(operation.schema, await read_body(request, BASE_BYTES))
        given = self._contract.read_query(operation, request.query_params)
        status, example = self._contract.example(operation)
        handler = self._handlers.get(operation.id)
        if handler is None:
            return json_response(example, status)
        answer = handler(_AtlasRequest(request, body, given))
        if answer is None:
            return Response(status_code=status, headers=UNLIMITED)
        headers = {**UNLIMITED, "content-type": operation.media_type}
        return json_response(answer.to_dict(), status, headers)

    def _read(self, schema: str, raw: bytes) -> Any:
        body = decode(raw)
        if wrong := self._contract.problems(schema, body, {}):
            raise Refusal(
                HTTPStatus.BAD_REQUEST,
                BAD_REQUEST if isinstance(body, dict) else VALIDATION_ERROR,
                f"{wrong[0][0]}: {wrong[0][1]}",
                fields=wrong,
            )
        return body

    async def _token(self, request: Request) -> Response:
        try:
            form = parse_qs((await read_body(request, BASE_BYTES)).decode("latin-1"))
            grant = form.get("grant_type", [None])[0]
            made = self._credentials.make_token(request.headers.get("authorization"), grant)
        except Refusal as refusal:
            return refusal.as_response()
        return json_response(made, headers={"cache-control": "no-store"})

    def _list_keys(self, request: _AtlasRequest) -> ModelKeyPage:
        found = self._accounts.keys(request.project, request.host)
        return ModelKeyPage(
            results=_page(found, request), links=_links(found, request), total_count=len(found)
        )

    def _key(self, request: _AtlasRequest) -> Any:
        return self._accounts.key(request.project, request.path["apiKeyId"], request.host)

    def _create(self, request: _AtlasRequest) -> Any:
        body = request.body
        return self._accounts.create(
            request.project_id, body["name"], body["cloud"], body["geography"], request.host
        )

    def _rename(self, request: _AtlasRequest) -> Any:
        id, name = request.path["apiKeyId"], request.body["name"]
        return self._accounts.rename(request.project_id, id, name, request.host)

    def _delete(self, request: _AtlasRequest) -> None:
        self._accounts.delete(request.project_id, request.path["apiKeyId"])

    def _list_limits(self, request: _AtlasRequest) -> ModelRateLimitPage:
        found = self._accounts.limits(request.project, request.host)
        return ModelRateLimitPage(
            results=_page(found, request), links=_links(found, request), total_count=len(found)
        )

    def _limit(self, request: _AtlasRequest) -> Any:
        return self._accounts.limit(request.project, *request.group, request.host)

    def _set_limit(self, request: _AtlasRequest) -> Any:
        body = request.body
        given = body["requestsPerMinuteLimit"], body["tokensPerMinuteLimit"]
        self._accounts.set_limit(request.project_id, *request.group, given)
        return self._limit(request)

    def _reset(self, request: _AtlasRequest) -> Any:
        self._accounts.reset(request.project_id, *request.group)
        return self._limit(request)

    def _reset_all(self, request: _AtlasRequest) -> ModelRateLimitPage:
        self._accounts.reset(request.project_id)
        return ModelRateLimitPage(results=self._accounts.limits(request.project_id, request.host))


def _page(found: Sequence[Any], request: _AtlasRequest) -> list[Any]:
    size, number = request.query["itemsPerPage"], request.query["pageNum"]
    return list(found[(number - 1) * size : number * size])


def _links(found: Sequence[Any], request: _AtlasRequest) -> list[Link]:
    size, number = request.query["itemsPerPage"], request.query["pageNum"]
    numbers = {"self": number, "previous": number - 1, "next": number + 1}
    last = max(1, -(-len(found) // size))
    return [
        Link(href=f"{request.url}?itemsPerPage={size}&pageNum={place}", rel=rel)
        for rel, place in numbers.items()
        if rel == "self" or 1 <= place <= last
    ]
