"""Send the planned requests to a host one after the other, within its rate limit."""

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx2
from attrs import define, field, frozen

from ..bodies import JSON
from .host import values_at
from .plan import PlannedRequest, ProbeTable, fill, parse_number

RETRY_DELAYS = (5.0, 20.0, 60.0)
"""Seconds to wait before each retry of a request that failed with 429 or a server error."""
MAX_RETRY_AFTER = 120.0
MAX_FAILURES = 3
"""Consecutive failures after which no more requests are sent."""
FILE_CONTENT = b'{"custom_id": "1", "body": {"input": ["a"]}}\n'
"""Content of the file to upload."""
KEY_PLACEHOLDER = "[key]"


class ProbeError(Exception):
    """Raised if the host can't be probed; the message says why, and what to do."""


@frozen
class Answer:
    """An answer of the host.

    Attributes:
        status: HTTP status.
        headers: Names of its headers, in lower case.
        text: Body, without the key.
        body: Body parsed as JSON; None if it is not JSON.
    """

    status: int
    headers: frozenset[str]
    text: str
    body: Any = None

    @property
    def detail(self) -> str:
        """Reason for which a request was refused."""
        detail = self.body.get("detail") if isinstance(self.body, dict) else None
        return detail if isinstance(detail, str) else self.text


@define
class Prober:
    """Sends requests, with retries, within the host's rate limit.

    Attributes:
        http: Client with the base URL of the host.
        key: The API key.
        wrong_key: A key that does not exist.
        table: The probes, for messages about rate limits.
        rpm: Maximum of requests per minute; None for no limit.
        tpm: Tokens per minute that the host allows; None until a refusal tells.
        kept: Values of answers that later requests need, by name.
        sleep: Sleeps for some seconds.
        clock: Monotonic clock, in seconds.
    """

    http: httpx2.Client
    key: str
    wrong_key: str
    table: ProbeTable
    rpm: float | None = None
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    tpm: int | None = None
    kept: dict[str, str] = field(factory=dict)
    _last: float | None = None
    _failures: int = 0
    _reached: bool = False
    _accepted: bool = False

    def send(self, planned: PlannedRequest) -> tuple[list[Answer], str | None]:
        """Send a request, and retry it after 429 and server errors.

        Returns:
            All answers, of which the last one counts, and the reason if there is no final answer.

        Raises:
            ProbeError: The host can't be reached, or refuses the key.
        """
        needed = [part[1:-1] for part in planned.operation.path.split("/") if part[:1] == "{"]
        parameters = self.kept | planned.probe.parameters
        if missing := [name for name in needed if name not in parameters]:
            return [], f"no earlier request returned the {missing[0]} that it needs"
        if self.tpm is not None and planned.tokens > self.tpm:
            return [], f"it may need more than the {self.tpm} tokens per minute of this account"
        if self._failures >= MAX_FAILURES:
            return [], f"it was not sent, as the {MAX_FAILURES} requests before it failed"
        answers: list[Answer] = []
        for wait in (*RETRY_DELAYS, None):
            reason, after = self._try(planned, parameters, answers)
            if reason is None:
                self._failures = 0
                self._keep(planned, answers[-1])
                return answers, None
            if self.tpm is not None and planned.tokens > self.tpm:
                return answers, reason
            if wait is not None:
                self.sleep(max(wait, min(after, MAX_RETRY_AFTER)))
        self._failures += 1
        return answers, reason

    def _try(
        self, planned: PlannedRequest, parameters: dict[str, str], answers: list[Answer]
    ) -> tuple[str | None, float]:
        """Send a request once. Return the reason of a failure, and the Retry-After in seconds."""
        self._throttle()
        try:
            response = self.http.send(self._request(planned, parameters))
        except httpx2.RequestError as error:
            if not self._reached:
                raise ProbeError(
                    f"{self.http.base_url.host} can't be reached: {type(error).__name__}"
                ) from error
            return f"the connection failed: {type(error).__name__}", 0
        self._reached = True
        answer = self._answer(response)
        answers.append(answer)
        self._accepted = self._accepted or answer.status == 200
        if answer.status in (401, 403) and planned.probe.status == 200 and not self._accepted:
            raise ProbeError(
                f"the host refuses the key with status {answer.status}: {answer.detail[:200]}"
            )
        if answer.status == 429:
            self._slow_down(answer)
        if answer.status == 429 or answer.status >= 500:
            after = response.headers.get("retry-after", "")
            return f"status {answer.status}", float(after) if after.isdecimal() else 0
        return None, 0

    def _request(self, planned: PlannedRequest, parameters: dict[str, str]) -> httpx2.Request:
        probe, body = planned.probe, planned.body
        path = planned.operation.path
        for name, value in parameters.items():
            path = path.replace(f"{{{name}}}", quote(value, safe=""))
        arguments: dict[str, Any] = {}
        if planned.operation.request == "UploadFileRequest":
            file = ("probe.jsonl", FILE_CONTENT)
            arguments = {"data": {"purpose": "batch"}, "files": {"file": file}}
        elif isinstance(body, str):
            arguments = {"content": body.encode()}
        elif body is not None:
            arguments = {"json": fill(body, self.kept) if self.kept else body}
        method = planned.operation.method
        request = self.http.build_request(method, path.lstrip("/"), **arguments)
        if isinstance(body, str) or "json" in arguments:
            request.headers["content-type"] = planned.operation.sends or JSON
        if planned.operation.accepts not in (None, JSON):  # a versioned media type
            request.headers["accept"] = str(planned.operation.accepts)
        keys = {"ours": self.key, "wrong": self.wrong_key}
        if probe.key in keys:
            request.headers["authorization"] = f"Bearer {keys[probe.key]}"
        return request

    def _answer(self, response: httpx2.Response) -> Answer:
        try:
            body = self._without_key(json.loads(response.text))
        except (ValueError, RecursionError):
            body = None
        text = response.text.replace(self.key, KEY_PLACEHOLDER)
        headers = frozenset(name.lower() for name in response.headers)
        return Answer(response.status_code, headers, text, body)

    def _without_key(self, value: Any) -> Any:
        """Return a parsed body with the key replaced; parsing has resolved any escapes in it."""
        if isinstance(value, str):
            return value.replace(self.key, KEY_PLACEHOLDER)
        if isinstance(value, list):
            return [self._without_key(item) for item in value]
        if isinstance(value, dict):
            return {self._without_key(k): self._without_key(v) for k, v in value.items()}
        return value

    def _keep(self, planned: PlannedRequest, answer: Answer) -> None:
        if answer.status == 200 and isinstance(answer.body, dict):
            for name, place in planned.probe.keep.items():
                value = next(values_at(answer.body, place), None)
                if isinstance(value, str):
                    self.kept[name] = value

    def _slow_down(self, answer: Answer) -> None:
        limits = self.table.read("no_payment_method", answer.detail)
        if limits is not None:
            self.rpm = min(self.rpm or float(limits["rpm"]), float(limits["rpm"]))
            self.tpm = parse_number(limits["tpm"])

    def _throttle(self) -> None:
        now = self.clock()
        if self._last is not None and self.rpm is not None:
            self.sleep(max(0.0, self._last + 60 / self.rpm - now))
        self._last = self.clock()
