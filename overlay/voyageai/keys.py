"""Lookup of the API key and of the host that it belongs to."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voyageai_rest.operations import SERVERS

from ._utils import Url
from .error import ArgumentError, AuthenticationError

KEY_VARIABLE = "VOYAGE_API_KEY"
PATH_VARIABLE = "VOYAGE_API_KEY_PATH"
URL_VARIABLE = "VOYAGE_BASE_URL"

MISSING = (
    "An API key is required for API-based models. Set your API key via the "
    f"{KEY_VARIABLE} environment variable or pass it to the client (api_key=...). "
    "All places for it are empty: the argument api_key, voyageai.api_key_path, "
    f"{PATH_VARIABLE}, voyageai.api_key, {KEY_VARIABLE}."
)


class ApiKey(str):
    """A string whose `repr` is masked. A pickle holds it in clear."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<API key>" if self else "''"


class NotAKey:
    """A placeholder for a key that is no string, with what the error message needs of it.

    Args:
        given: The object that was given as a key.

    Attributes:
        kind: Name of the object's type.
        instead: The advice what to pass instead.
    """

    def __init__(self, given: object) -> None:
        # `str(given)` is often not the key: that of pydantic's SecretStr is a row of asterisks.
        calls = {"get_secret_value": ".get_secret_value()", "decode": ".decode()"}
        ways = [f"the result of {call}" for name, call in calls.items() if hasattr(given, name)]
        self.kind = type(given).__name__
        self.instead = (*ways, "the key itself")[0]


def conceal(key: object) -> Any:
    """Wrap a key before it is checked, so that tracebacks with local variables do not show it."""
    if key is None or isinstance(key, (ApiKey, NotAKey)):
        return key
    return ApiKey(key) if isinstance(key, str) else NotAKey(key)


def concealed(headers: Any) -> Any:
    """Return headers with masked reprs of their values; anything but a mapping unchanged."""
    if isinstance(headers, Mapping):
        return {name: conceal(value) for name, value in headers.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # of a user
    return headers


def variables() -> dict[str, str]:
    """Return the environment variables that are read, with masked reprs of secrets."""
    kinds = {KEY_VARIABLE: ApiKey, PATH_VARIABLE: str, URL_VARIABLE: Url}
    return {name: kind(os.environ.get(name, "")) for name, kind in kinds.items()}


def find_key(
    argument: str | None,
    *,
    module_path: str | None,
    module_key: str | None,
    environment: Mapping[str, str],
) -> ApiKey | None:
    """Return the API key from the first of five places that has one.

    Args:
        argument: The client's `api_key`.
        module_path: `voyageai.api_key_path`.
        module_key: `voyageai.api_key`.
        environment: Environment variables.

    Returns:
        The key without surrounding white space, or None.

    Raises:
        AuthenticationError: A key file can't be read or is empty, or the key is no string or can't
            be sent in a header. The message does not show the key.
    """
    argument, module_key = conceal(argument), conceal(module_key)
    if argument is not None and argument != "":
        return usable(argument, "the argument api_key")
    for path, place in (
        (module_path, "voyageai.api_key_path"),
        (environment.get(PATH_VARIABLE), PATH_VARIABLE),
    ):
        if path:
            return read_key(path, place)
    if module_key is not None and module_key != "":
        return usable(module_key, "voyageai.api_key")
    return usable(environment.get(KEY_VARIABLE, ""), KEY_VARIABLE)


def usable(key: object, place: str) -> ApiKey | None:
    """Return a key without surrounding white space, or None for an empty one.

    The server decides whether it is valid: gateways that add their own key take a placeholder.

    Raises:
        AuthenticationError: `key` is no string or can't be sent in a header. The message does not
            show it.
    """
    key = conceal(key)
    if not isinstance(key, str):
        wrong = key if isinstance(key, NotAKey) else NotAKey(key)
        raise AuthenticationError(
            f"The API key from {place} must be a string, not of type {wrong.kind}; "
            f"pass {wrong.instead}."
        )
    key = ApiKey(key.strip())
    if not key.isascii() or not key.replace("\t", " ").isprintable():
        raise AuthenticationError(
            f"The API key from {place} has characters that can't be sent in a header; pass the key "
            "as it was issued."
        )
    return key or None


def base_url(argument: object, key: str | None, environment: Mapping[str, str]) -> Url:
    """Return the base URL, without a slash at its end.

    Args:
        argument: A URL or the name of a host: `voyage`, `atlas`, `us` or `eu`.
        key: The API key, whose prefix decides about the host where no URL is given. The longest
            matching prefix counts: keys of a geography begin like all keys of Atlas.
        environment: Environment variables.

    Raises:
        ArgumentError: `argument` is neither a URL nor the name of a host.
    """
    if argument is None or argument == "":
        argument = environment.get(URL_VARIABLE) or _host_of(key or "")
    return usable_url(argument)


def url_source(url: str) -> str:
    """Return the origin of a base URL, for errors: the environment variable or the argument."""
    return URL_VARIABLE if os.environ.get(URL_VARIABLE) == url else "base_url"


def usable_url(given: object) -> Url:
    """Return a URL, or the URL of a named host, without a slash at its end.

    Raises:
        ArgumentError: `given` is neither a URL nor the name of a host.
    """
    named = {server.name: server.url for server in SERVERS}
    if isinstance(given, str):
        given = Url(given)  # so that no traceback shows its password
        found = Url(named.get(given, given).rstrip("/"))
        if found.startswith(("http://", "https://")):
            return found
    shown, place = type(given).__name__, "base_url"
    if isinstance(given, str):
        shown, place = repr(given), url_source(given)
    names = ", ".join(map(repr, named))
    raise ArgumentError(
        f"{place} must be a URL with http:// or https://, or one of {names}, not {shown}",
        "base_url",
    )


def _host_of(key: str) -> str:
    prefixes = {server.key_prefix: server.url for server in SERVERS if server.key_prefix}
    fitting = [prefix for prefix in prefixes if key.startswith(prefix)]
    return prefixes[max(fitting, key=len)] if fitting else SERVERS[0].url


def read_key(path: str, place: str) -> ApiKey:
    """Read the key from a file.

    Args:
        path: Path of the file.
        place: The setting that names the file, for errors.

    Raises:
        AuthenticationError: The file can't be read or is empty, or its content can't be sent in a
            header.
    """
    key, wrong = None, "is empty."
    try:
        key = usable(Path(path).read_text(encoding="utf-8"), f"the file {path}")
    except OSError as error:
        wrong = f"can't be read: {error.strerror}"
    except ValueError:  # its message holds the content, so it must not become the cause
        wrong = "can't be read: it is not text"
    if key is None:
        raise AuthenticationError(f"The API key file {path!r}, named by {place}, {wrong}")
    return key
