from __future__ import annotations

from typing import Any

from attrs import define

from ..types import JsonModel, Shape, plain, shape


@define(kw_only=True, repr=False)
class UpdateModelRateLimitRequest(JsonModel):
    """The limits to set. They must not exceed the organization's.

    Attributes:
        requests_per_minute_limit: Requests per minute.
        tokens_per_minute_limit: Tokens per minute.

    Example:
        >>> value = UpdateModelRateLimitRequest.from_dict(
        ...     {"requestsPerMinuteLimit": 1000, "tokensPerMinuteLimit": 1000000}
        ... )
    """

    requests_per_minute_limit: int
    tokens_per_minute_limit: int

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data["requestsPerMinuteLimit"] = self.requests_per_minute_limit
        data["tokensPerMinuteLimit"] = self.tokens_per_minute_limit
        return data

    @classmethod
    def _shape(cls) -> Shape:
        return shape(
            None,
            requests_per_minute_limit=plain("requestsPerMinuteLimit", int),
            tokens_per_minute_limit=plain("tokensPerMinuteLimit", int),
        )
