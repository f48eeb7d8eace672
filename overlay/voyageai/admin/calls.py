"""Conversion of arguments into the calls of the administration, without I/O."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from voyageai_admin_rest.constraints import CONSTRAINTS
from voyageai_admin_rest.status import status_error

from ..calls import Call
from ..error import ArgumentError
from .objects import ModelKey, ModelRateLimit, Page

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from voyageai_rest.types import RawResponse

ANY = "ANY"
"""The cloud and the geography of keys and limits that are for none in particular."""
PAGE = 100
"""Default number of items per page."""
CREATED = (
    "the key may have been created, and its secret is lost then: look for its name with "
    "keys.list(), and delete it before you create it again"
)

_call = partial(Call[Any], refusal=status_error)


def list_keys(
    project: str | None, organization: str | None, size: int, admin_url: str
) -> Callable[[int], Call[Page[ModelKey]]]:
    """Return a function that returns the call for a page of `Keys.list`.

    Raises:
        ArgumentError: An argument is wrong.
    """
    from voyageai_admin_rest.api.keys import list_group_model_keys, list_org_model_keys

    owner = _owner(project, organization)
    operation = list_org_model_keys if "org_id" in owner else list_group_model_keys
    read = partial(ModelKey.of, admin_url=admin_url)
    return _pages(operation, owner, size, read)


def get_key(key_id: str, project: str | None, organization: str | None) -> Call[ModelKey]:
    """Return the call of `Keys.get`.

    Raises:
        ArgumentError: An argument is wrong.
    """
    from voyageai_admin_rest.api.keys import get_group_model_key, get_org_model_key

    owner = _owner(project, organization)
    operation: ModuleType = get_org_model_key if "org_id" in owner else get_group_model_key
    request = operation.build_request(**owner, api_key_id=_id("key_id", key_id))
    return _call(request, _reader(operation, ModelKey.of), method="keys.get")


def create_key(
    name: str, project: str, cloud: str, geography: str, admin_url: str
) -> Call[ModelKey]:
    """Return the call of `Keys.create`, which is not retried if the key may have been created.

    Raises:
        ArgumentError: An argument is wrong.
    """
    from voyageai_admin_rest.api.keys import create_group_model_key
    from voyageai_admin_rest.models import CreateModelKeyRequest

    body = CreateModelKeyRequest(
        name=_name("CreateModelKeyRequest", name),
        cloud=_id("cloud", cloud),
        geography=_id("geography", geography),
    )
    request = create_group_model_key.build_request(group_id=_id("project", project), body=body)
    read = partial(ModelKey.of, admin_url=admin_url)
    return _call(
        request,
        _reader(create_group_model_key, read),
        repeatable=False,
        doubt=CREATED,
        confidential=True,
        method="keys.create",
    )


def rename_key(key_id: str, name: str, project: str) -> Call[ModelKey]:
    """Return the call of `Keys.rename`.

    Raises:
        ArgumentError: An argument is wrong.
    """
    from voyageai_admin_rest.api.keys import update_group_model_key
    from voyageai_admin_rest.models import UpdateModelKeyRequest

    request = update_group_model_key.build_request(
        group_id=_id("project", project),
        api_key_id=_id("key_id", key_id),
        body=UpdateModelKeyRequest(name=_name("UpdateModelKeyRequest", name)),
    )
    return _call(request, _reader(update_group_model_key, ModelKey.of), method="keys.rename")


def delete_key(key_id: str, project: str) -> Call[None]:
    """Return the call of `Keys.delete`.

    Raises:
        ArgumentError: An argument is wrong.
    """
    from voyageai_admin_rest.api.keys import delete_group_model_key

    request = delete_group_model_key.build_request(
        group_id=_id("project", project), api_key_id=_id("key_id", key_id)
    )
    return _call(request, delete_group_model_key.parse_response, method="keys.delete")


def list_limits(
    project: str | None, organization: str | None, size: int
) -> Callable[[int], Call[Page[ModelRateLimit]]]:
    """Return a function that returns the call for a page of `RateLimits.list`.

    Raises:
        ArgumentError: An argument is wrong.
    """
    from voyageai_admin_rest.api.limits import get_group_model_limits, get_org_model_limits

    owner = _owner(project, organization)
    operation = get_org_model_limits if "org_id" in owner else get_group_model_limits
    return _pages(operation, owner, size, ModelRateLimit.of)


def get_limit(
    group: str, project: str | None, organization: str | None, cloud: str, geography: str
) -> Call[ModelRateLimit]:
    """Return the call of `RateLimits.get`.

    Raises:
        ArgumentError: An argument is wrong.
    """
    from voyageai_admin_rest.api.limits import get_group_rate_limits, get_org_rate_limits

    owner = _owner(project, organization)
    operation: ModuleType = get_org_rate_limits if "org_id" in owner else get_group_rate_limits
    request = operation.build_request(**owner, **_group(group, cloud, geography))
    return _call(request, _reader(operation, ModelRateLimit.of), method="rate_limits.get")


def set_limit(
    group: str, project: str, rpm: int, tpm: int, cloud: str, geography: str
) -> Call[ModelRateLimit]:
    """Return the call of `RateLimits.set`.

    Raises:
        ArgumentError: An argument is wrong.
    """
    from voyageai_admin_rest.api.limits import update_group_rate_limits
    from voyageai_admin_rest.models import UpdateModelRateLimitRequest

    request = update_group_rate_limits.build_request(
        group_id=_id("project", project),
        **_group(group, cloud, geography),
        body=UpdateModelRateLimitRequest(
            requests_per_minute_limit=_whole("rpm", rpm),
            tokens_per_minute_limit=_whole("tpm", tpm),
        ),
    )
    return _call(request, _reader(update_group_rate_limits, ModelRateLimit.of), method="limits.set")


def reset_limit(group: str, project: str, cloud: str, geography: str) -> Call[ModelRateLimit]:
    """Return the call of `RateLimits.reset` for one group.

    Raises:
        ArgumentError: An argument is wrong.
    """
    from voyageai_admin_rest.api.limits import reset_group_model_limits

    request = reset_group_model_limits.build_request(
        group_id=_id("project", project), **_group(group, cloud, geography)
    )
    return _call(
        request, _reader(reset_group_model_limits, ModelRateLimit.of), method="limits.reset"
    )


def reset_limits(project: str) -> Call[None]:
    """Return the call of `RateLimits.reset_all`.

    Raises:
        ArgumentError: An argument is wrong.
    """
    from voyageai_admin_rest.api.limits import reset_group_rate_limits

    def read(response: RawResponse) -> None:
        reset_group_rate_limits.parse_response(response)

    request = reset_group_rate_limits.build_request(group_id=_id("project", project))
    return _call(request, read, method="limits.reset_all")


def _pages(
    operation: ModuleType, owner: dict[str, str], size: int, convert: Callable[[Any], Any]
) -> Callable[[int], Call[Page[Any]]]:
    if type(size) is not int or size < 1:
        raise ArgumentError(f"page_size must be a whole number from 1, not {size!r}", "page_size")

    def load(number: int) -> Call[Page[Any]]:
        def read(response: RawResponse) -> Page[Any]:
            found = operation.parse_response(response)
            return Page[Any].of([convert(item) for item in found.results], found, number, size)

        request = operation.build_request(
            **owner, items_per_page=size, page_num=_whole("number", number)
        )
        return _call(request, read, method="list")

    load(1)  # raises now if an argument is wrong
    return load


def _reader(operation: ModuleType, convert: Callable[[Any], Any]) -> Callable[[RawResponse], Any]:
    return lambda response: convert(operation.parse_response(response))


def _owner(project: str | None, organization: str | None) -> dict[str, str]:
    """Return the path parameter of a project or an organization."""
    if (project is None) == (organization is None):
        raise ArgumentError("pass the id of either a project or an organization", "project")
    if project is not None:
        return {"group_id": _id("project", project)}
    return {"org_id": _id("organization", organization)}


def _group(group: str, cloud: str, geography: str) -> dict[str, str]:
    return {
        "cloud": _id("cloud", cloud),
        "geography": _id("geography", geography),
        "model_group_name": _id("group", group),
    }


def _id(argument: str, value: object) -> str:
    """Return a value for a path or a body unchanged.

    Raises:
        ArgumentError: The value can't be a single segment of a path.
    """
    fits = isinstance(value, str) and value.isascii() and value.isprintable()
    if not isinstance(value, str) or not fits or not value.strip(". ") or set(value) & set("/\\ "):
        raise ArgumentError(
            f"{argument} must be a string without spaces and slashes, as Atlas shows it, not "
            f"{value!r}",
            argument,
        )
    return value


def _name(request: str, name: object) -> str:
    bounds = CONSTRAINTS[request]["name"]
    longest = bounds.max_length or 0
    if not isinstance(name, str) or not (bounds.min_length or 0) <= len(name) <= longest:
        shown = f"{len(name)} characters" if isinstance(name, str) else repr(name)
        raise ArgumentError(
            f"name must be a string of 1 to {longest} characters, not {shown}", "name"
        )
    return name


def _whole(argument: str, value: object) -> int:
    if type(value) is not int or value < 1:
        raise ArgumentError(f"{argument} must be a whole number from 1, not {value!r}", argument)
    return value
