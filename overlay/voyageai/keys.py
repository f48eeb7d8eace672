"""Finding the API key and the host it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from voyageai_rest.operations import SERVERS

from .error import ArgumentError, AuthenticationError

KEY_VARIABLE = "VOYAGE_API_KEY"
PATH_VARIABLE = "VOYAGE_API_KEY_PATH"
URL_VARIABLE = "VOYAGE_BASE_URL"

MISSING = (
    "An API key is required for API-based models. Set your API key via the "
    f"{KEY_VARIABLE} environment variable or pass it to the client (api_key=...). "
    "These places were looked at and are empty: the argument api_key, voyageai.api_key_path, "
    f"{PATH_VARIABLE}, voyageai.api_key, {KEY_VARIABLE}."
)


class ApiKey(str):
    """A string whose `repr` does not show it. A pickle does."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<API key>" if self else "''"


def find_key(
    argument: str | None,
    *,
    module_path: str | None,
    module_key: str | None,
    environment: Mapping[str, str],
) -> ApiKey | None:
    """The key, from the first of five places that has one.

    Args:
        argument: What was given to the client.
        module_path: `voyageai.api_key_path`.
        module_key: `voyageai.api_key`.
        environment: Environment variables.

    Returns:
        The key without surrounding white space, or None.

    Raises:
        AuthenticationError: The file that was named can't be read or is empty, or the key is no
            string, or can't be sent in a header. The message does not hold the key.
    """
    if argument is not None and argument != "":
        return usable(argument, "the argument api_key")
    for path, place in (
        (module_path, "voyageai.api_key_path"),
        (environment.get(PATH_VARIABLE), PATH_VARIABLE),
    ):
        if path:
            return _read(path, place)
    if module_key is not None and module_key != "":
        return usable(module_key, "voyageai.api_key")
    return usable(environment.get(KEY_VARIABLE, ""), KEY_VARIABLE)


def usable(key: object, place: str) -> ApiKey | None:
    """The key as it goes into a header, or None for an empty one.

    Whether it is a key is for the server to say: placeholders are sent to gateways that add theirs.

    Raises:
        AuthenticationError: It is no string, or no header can hold it; without showing it.
    """
    if not isinstance(key, str):
        # Its text is often not the key: that of pydantic's SecretStr is a row of asterisks.
        instead = {"get_secret_value": ".get_secret_value()", "decode": ".decode()"}
        ways = [f"what its {call} gives" for name, call in instead.items() if hasattr(key, name)]
        raise AuthenticationError(
            f"The API key from {place} must be a string, not of type {type(key).__name__}; "
            f"pass {(*ways, 'the key itself')[0]}."
        )
    key = key.strip()
    if not key.isascii() or not key.replace("\t", " ").isprintable():
        raise AuthenticationError(
            f"The API key from {place} has characters that can't be sent in a header; it may be a "
            "different text."
        )
    return ApiKey(key) if key else None


def base_url(argument: str | None, key: str | None, environment: Mapping[str, str]) -> str:
    """The base URL, without a slash at its end.

    Args:
        argument: A URL or the name of a host: `voyage`, `atlas`, `us` or `eu`.
        key: The API key; without a URL its prefix tells which host it belongs to. Of several
            that fit, the longest counts: keys of a geography begin like all keys of Atlas.
        environment: Environment variables.

    Raises:
        ArgumentError: It is neither.
    """
    url = argument or environment.get(URL_VARIABLE) or _host_of(key or "")
    named = {server.name: server.url for server in SERVERS}
    found = named.get(url, url).rstrip("/")
    if not found.startswith(("http://", "https://")):
        names = ", ".join(map(repr, named))
        raise ArgumentError(f"base_url must be a URL or one of {names}, not {url!r}", "base_url")
    return found


def _host_of(key: str) -> str:
    prefixes = {server.key_prefix: server.url for server in SERVERS if server.key_prefix}
    fitting = [prefix for prefix in prefixes if key.startswith(prefix)]
    return prefixes[max(fitting, key=len)] if fitting else SERVERS[0].url


def _read(path: str, place: str) -> ApiKey:
    try:
        key = usable(Path(path).read_text(encoding="utf-8"), f"the file {path}")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise AuthenticationError(
            f"The API key file {path!r}, named by {place}, can't be read: {reason}"
        ) from error
    if key is None:
        raise AuthenticationError(f"The API key file {path!r}, named by {place}, is empty.")
    return key
