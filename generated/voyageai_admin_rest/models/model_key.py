from __future__ import annotations

from typing import Any

from attrs import Factory, define, field

from ..types import UNSET, JsonModel, Shape, Unset, as_is, optional, plain, shape


@define(kw_only=True, repr=False)
class ModelKey(JsonModel):
    """A model API key.

    Attributes:
        api_key_id: Id of the key.
        name: Name of the key.
        group_id: Id of the project.
        cloud: Cloud of the key.
        geography: Geography of the key.
        endpoint: Host that accepts the key, without a scheme.
        secret: The key itself. Only in the response that creates it.
        masked_secret: The first and last characters of the key.
        status: State of the key, such as `ACTIVE`.
        created_at: When the key was created, with a space or a T between date and time.
        last_used_at: When the key was last used.
        created_by: Name or id of the user who created the key.

    Example:
        >>> value = ModelKey.from_dict(
        ...     {
        ...         "apiKeyId": "a86r5kwrfsk5r5ku5tgvhmpj",
        ...         "name": "search in production",
        ...         "groupId": "65f0a1b2c3d4e5f6a7b8c9d0",
        ...         "cloud": "ANY",
        ...         "geography": "ANY",
        ...         "endpoint": "ai.mongodb.com",
        ...         "maskedSecret": "al-****8f2k",
        ...         "status": "ACTIVE",
        ...         "createdAt": "2026-01-15 16:47:49.855000+00:00",
        ...         "createdBy": "someone@example.com",
        ...     }
        ... )
    """

    api_key_id: str | Unset = UNSET
    name: str | Unset = UNSET
    group_id: str | Unset = UNSET
    cloud: str | Unset = UNSET
    geography: str | Unset = UNSET
    endpoint: str | Unset = UNSET
    secret: str | Unset = field(repr=False, default=UNSET)
    masked_secret: str | Unset = UNSET
    status: str | Unset = UNSET
    created_at: str | Unset = UNSET
    last_used_at: str | Unset = UNSET
    created_by: str | Unset = UNSET
    additional_properties: dict[str, Any] = Factory(dict[str, Any])
    """Fields that the contract does not name, as decoded from JSON."""

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data.update(self.additional_properties)
        if self.api_key_id is not UNSET:
            data["apiKeyId"] = self.api_key_id
        if self.name is not UNSET:
            data["name"] = self.name
        if self.group_id is not UNSET:
            data["groupId"] = self.group_id
        if self.cloud is not UNSET:
            data["cloud"] = self.cloud
        if self.geography is not UNSET:
            data["geography"] = self.geography
        if self.endpoint is not UNSET:
            data["endpoint"] = self.endpoint
        if self.secret is not UNSET:
            data["secret"] = self.secret
        if self.masked_secret is not UNSET:
            data["maskedSecret"] = self.masked_secret
        if self.status is not UNSET:
            data["status"] = self.status
        if self.created_at is not UNSET:
            data["createdAt"] = self.created_at
        if self.last_used_at is not UNSET:
            data["lastUsedAt"] = self.last_used_at
        if self.created_by is not UNSET:
            data["createdBy"] = self.created_by
        return data

    @classmethod
    def _shape(cls) -> Shape:
        return shape(
            as_is,
            api_key_id=optional(plain("apiKeyId", str)),
            name=optional(plain("name", str)),
            group_id=optional(plain("groupId", str)),
            cloud=optional(plain("cloud", str)),
            geography=optional(plain("geography", str)),
            endpoint=optional(plain("endpoint", str)),
            secret=optional(plain("secret", str)),
            masked_secret=optional(plain("maskedSecret", str)),
            status=optional(plain("status", str)),
            created_at=optional(plain("createdAt", str)),
            last_used_at=optional(plain("lastUsedAt", str)),
            created_by=optional(plain("createdBy", str)),
        )
