"""A client of the emulator that checks each response against the contract."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
from jsonschema_rs import Draft202012Validator
from voyageai_rest.spec import load

DOCUMENT = load()
ERROR = "#/components/schemas/Error"
VALIDATORS: dict[str, Draft202012Validator] = {}


def check(schema: str, body: Any) -> None:
    """Fail unless a body matches a schema of the contract."""
    if schema not in VALIDATORS:
        VALIDATORS[schema] = Draft202012Validator({**DOCUMENT, "$ref": schema})
    VALIDATORS[schema].validate(body)


class ContractClient:
    """A client that posts JSON to paths below the base URL."""

    def __init__(self, http: httpx2.Client) -> None:
        self.http = http

    def __call__(
        self, path: str, body: Any, *, key: str | None = "any", status: int = 200
    ) -> dict[str, Any]:
        """Return the decoded response, which must have the status and match its schema."""
        headers = {} if key is None else {"authorization": f"Bearer {key}"}
        raw = {"content": body} if isinstance(body, bytes) else {"json": body}
        response = self.http.post(path, headers=headers, **raw)
        assert status == response.status_code, response.text[:1000]
        answer: dict[str, Any] = response.json()
        if status == 200:
            content = DOCUMENT["paths"][path]["post"]["responses"]["200"]["content"]
            check(content["application/json"]["schema"]["$ref"], answer)
        else:
            check(ERROR, answer)
        return answer

    def refused(self, path: str, body: Any, status: int = 400, key: str | None = "any") -> str:
        """Send a request that must be refused, and return the reason."""
        detail: str = self(path, body, status=status, key=key)["detail"]
        return detail


def client_of(
    app: Any, base: str = "http://emulator/v1", key: str | None = "any"
) -> httpx2.AsyncClient:
    """Return a client of an application in this process, for any host."""
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    transport = httpx2.ASGITransport(app=app)
    return httpx2.AsyncClient(transport=transport, base_url=base, headers=headers)


def send(
    app: Any,
    method: str,
    path: str,
    body: Any,
    *,
    base: str = "http://emulator/v1",
    key: str | None = "any",
) -> httpx2.Response:
    """Send a request to an application in this process, with a key by default."""

    async def exchange() -> httpx2.Response:
        async with client_of(app, base, key) as http:
            return await http.request(method, path, json=body)

    return asyncio.run(exchange())
