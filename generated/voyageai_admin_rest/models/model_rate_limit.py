from __future__ import annotations

from typing import Any

from attrs import Factory, define

from ..types import (
    UNSET,
    JsonModel,
    Shape,
    Unset,
    as_is,
    as_str,
    list_of,
    optional,
    parsed,
    plain,
    shape,
)


@define(kw_only=True, repr=False)
class ModelRateLimit(JsonModel):
    """The rate limits of a group of models.

    Attributes:
        cloud: Cloud that the limits apply to.
        geography: Geography that the limits apply to.
        endpoint: Host that the limits apply to, without a scheme.
        model_group_name: Name of the group.
        model_names: Names of the models in the group, at most 100.
        requests_per_minute_limit: Requests per minute.
        tokens_per_minute_limit: Tokens per minute.

    Example:
        >>> value = ModelRateLimit.from_dict(
        ...     {
        ...         "cloud": "ANY",
        ...         "geography": "ANY",
        ...         "endpoint": "ai.mongodb.com",
        ...         "modelGroupName": "embed_large",
        ...         "modelNames": ["voyage-4-large"],
        ...         "requestsPerMinuteLimit": 1000,
        ...         "tokensPerMinuteLimit": 1000000,
        ...     }
        ... )
    """

    cloud: str | Unset = UNSET
    geography: str | Unset = UNSET
    endpoint: str | Unset = UNSET
    model_group_name: str | Unset = UNSET
    model_names: list[str] | Unset = UNSET
    requests_per_minute_limit: int | Unset = UNSET
    tokens_per_minute_limit: int | Unset = UNSET
    additional_properties: dict[str, Any] = Factory(dict[str, Any])
    """Fields that the contract does not name, as decoded from JSON."""

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data.update(self.additional_properties)
        if self.cloud is not UNSET:
            data["cloud"] = self.cloud
        if self.geography is not UNSET:
            data["geography"] = self.geography
        if self.endpoint is not UNSET:
            data["endpoint"] = self.endpoint
        if self.model_group_name is not UNSET:
            data["modelGroupName"] = self.model_group_name
        if self.model_names is not UNSET:
            data["modelNames"] = self.model_names
        if self.requests_per_minute_limit is not UNSET:
            data["requestsPerMinuteLimit"] = self.requests_per_minute_limit
        if self.tokens_per_minute_limit is not UNSET:
            data["tokensPerMinuteLimit"] = self.tokens_per_minute_limit
        return data

    @classmethod
    def _shape(cls) -> Shape:
        return shape(
            as_is,
            cloud=optional(plain("cloud", str)),
            geography=optional(plain("geography", str)),
            endpoint=optional(plain("endpoint", str)),
            model_group_name=optional(plain("modelGroupName", str)),
            model_names=optional(parsed("modelNames", list_of(as_str))),
            requests_per_minute_limit=optional(plain("requestsPerMinuteLimit", int)),
            tokens_per_minute_limit=optional(plain("tokensPerMinuteLimit", int)),
        )
