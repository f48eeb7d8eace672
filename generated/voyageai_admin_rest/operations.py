"""The operations and hosts of the API, as data."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class Operation:
    """An operation of the API.

    Attributes:
        id: The `operationId` in the contract.
        method: HTTP method.
        path: Path below the base URL, with `{name}` for parameters.
        tag: Tag of the operation, which groups operations.
        servers: Names of the hosts that serve the operation.
        module: Name of the operation's module below `voyageai_admin_rest.api`.
        request: Name of the schema of the request body; None without a body.
    """

    id: str
    method: str
    path: str
    tag: str
    servers: tuple[str, ...]
    module: str
    request: str | None


@frozen(kw_only=True)
class Server:
    """A host of the API.

    Attributes:
        name: Short name.
        url: Base URL.
    """

    name: str
    url: str


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="listGroupModelKeys",
        method="GET",
        path="/api/atlas/v2/groups/{groupId}/aiModelApiKeys",
        tag="keys",
        servers=("cloud",),
        module="keys.list_group_model_keys",
        request=None,
    ),
    Operation(
        id="createGroupModelKey",
        method="POST",
        path="/api/atlas/v2/groups/{groupId}/aiModelApiKeys",
        tag="keys",
        servers=("cloud",),
        module="keys.create_group_model_key",
        request="CreateModelKeyRequest",
    ),
    Operation(
        id="getGroupModelKey",
        method="GET",
        path="/api/atlas/v2/groups/{groupId}/aiModelApiKeys/{apiKeyId}",
        tag="keys",
        servers=("cloud",),
        module="keys.get_group_model_key",
        request=None,
    ),
    Operation(
        id="deleteGroupModelKey",
        method="DELETE",
        path="/api/atlas/v2/groups/{groupId}/aiModelApiKeys/{apiKeyId}",
        tag="keys",
        servers=("cloud",),
        module="keys.delete_group_model_key",
        request=None,
    ),
    Operation(
        id="updateGroupModelKey",
        method="PATCH",
        path="/api/atlas/v2/groups/{groupId}/aiModelApiKeys/{apiKeyId}",
        tag="keys",
        servers=("cloud",),
        module="keys.update_group_model_key",
        request="UpdateModelKeyRequest",
    ),
    Operation(
        id="listOrgModelKeys",
        method="GET",
        path="/api/atlas/v2/orgs/{orgId}/aiModelApiKeys",
        tag="keys",
        servers=("cloud",),
        module="keys.list_org_model_keys",
        request=None,
    ),
    Operation(
        id="getOrgModelKey",
        method="GET",
        path="/api/atlas/v2/orgs/{orgId}/aiModelApiKeys/{apiKeyId}",
        tag="keys",
        servers=("cloud",),
        module="keys.get_org_model_key",
        request=None,
    ),
    Operation(
        id="getGroupModelLimits",
        method="GET",
        path="/api/atlas/v2/groups/{groupId}/aiModelApiRateLimits",
        tag="limits",
        servers=("cloud",),
        module="limits.get_group_model_limits",
        request=None,
    ),
    Operation(
        id="resetGroupRateLimits",
        method="POST",
        path="/api/atlas/v2/groups/{groupId}/aiModelApiRateLimits:reset",
        tag="limits",
        servers=("cloud",),
        module="limits.reset_group_rate_limits",
        request=None,
    ),
    Operation(
        id="getGroupRateLimits",
        method="GET",
        path="/api/atlas/v2/groups/{groupId}/aiModelApiClouds/{cloud}/geographies/{geography}/modelGroupNames/{modelGroupName}/rateLimits",
        tag="limits",
        servers=("cloud",),
        module="limits.get_group_rate_limits",
        request=None,
    ),
    Operation(
        id="updateGroupRateLimits",
        method="PATCH",
        path="/api/atlas/v2/groups/{groupId}/aiModelApiClouds/{cloud}/geographies/{geography}/modelGroupNames/{modelGroupName}/rateLimits",
        tag="limits",
        servers=("cloud",),
        module="limits.update_group_rate_limits",
        request="UpdateModelRateLimitRequest",
    ),
    Operation(
        id="resetGroupModelLimits",
        method="POST",
        path="/api/atlas/v2/groups/{groupId}/aiModelApiClouds/{cloud}/geographies/{geography}/modelGroupNames/{modelGroupName}/rateLimits:reset",
        tag="limits",
        servers=("cloud",),
        module="limits.reset_group_model_limits",
        request=None,
    ),
    Operation(
        id="getOrgModelLimits",
        method="GET",
        path="/api/atlas/v2/orgs/{orgId}/aiModelApiRateLimits",
        tag="limits",
        servers=("cloud",),
        module="limits.get_org_model_limits",
        request=None,
    ),
    Operation(
        id="getOrgRateLimits",
        method="GET",
        path="/api/atlas/v2/orgs/{orgId}/aiModelApiClouds/{cloud}/geographies/{geography}/modelGroupNames/{modelGroupName}/rateLimits",
        tag="limits",
        servers=("cloud",),
        module="limits.get_org_rate_limits",
        request=None,
    ),
)

SERVERS: tuple[Server, ...] = (Server(name="cloud", url="https://cloud.mongodb.com"),)
