"""Lookup of the administrator's credentials, and their use for authentication."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..error import AuthenticationError
from ..keys import ApiKey, NotAKey, conceal

VARIABLES: Mapping[str, str] = {
    "client_id": "MONGODB_ATLAS_CLIENT_ID",
    "client_secret": "MONGODB_ATLAS_CLIENT_SECRET",
    "public_key": "MONGODB_ATLAS_PUBLIC_KEY",
    "private_key": "MONGODB_ATLAS_PRIVATE_KEY",
}
"""Environment variables by argument; the same as for MongoDB's own tools."""
URL_VARIABLE = "MONGODB_ATLAS_BASE_URL"
"""Environment variable for the base URL of the API."""
SERVICE_ACCOUNT = ("client_id", "client_secret")
KEY_PAIR = ("public_key", "private_key")


class Pair(NamedTuple):
    """A complete pair of credentials."""

    kind: tuple[str, str]
    """`SERVICE_ACCOUNT` or `KEY_PAIR`."""
    name: str
    secret: ApiKey


def find(given: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> Pair:
    """Return the credentials from the arguments, or else from the environment.

    A service account takes precedence over a pair of keys.

    Args:
        given: The arguments by name, None where left out.
        environment: Environment variables.

    Raises:
        AuthenticationError: No complete pair is found, or a value is no string or can't be sent. No
            message shows a value.
    """
    if any(given.values()):
        values = {name: _text(name, value) for name, value in given.items() if value}
        places = {name: name for name in VARIABLES}
    else:
        found = {name: environment.get(variable) for name, variable in VARIABLES.items()}
        values = {name: _text(VARIABLES[name], value) for name, value in found.items() if value}
        places = dict(VARIABLES)
    for kind in (SERVICE_ACCOUNT, KEY_PAIR):
        present = [name for name in kind if name in values]
        if len(present) == 1:
            (missing,) = set(kind) - set(present)
            raise AuthenticationError(
                f"{places[present[0]]} is given, but {places[missing]} is missing or empty; both "
                "are needed."
            )
        if present:
            return Pair(kind, values[kind[0]], values[kind[1]])
    raise AuthenticationError(
        "Administering keys needs a service account of Atlas: pass client_id and client_secret, or "
        f"set {VARIABLES['client_id']} and {VARIABLES['client_secret']}. A pair of keys works "
        f"too: public_key and private_key, or {VARIABLES['public_key']} and "
        f"{VARIABLES['private_key']}. A model API key can't administer."
    )


def read(path: str) -> dict[str, str]:
    """Return the credentials in a file of variables, as keyword arguments of `Admin`.

    Args:
        path: Path of a file with lines such as `MONGODB_ATLAS_CLIENT_ID=mdb_sa_id_1`.

    Raises:
        AuthenticationError: The file can't be read, or holds no complete pair.
    """
    found = variables(path)
    try:
        pair = find({}, found)
    except AuthenticationError as error:
        raise AuthenticationError(f"The credentials file {path!r}: {error}") from None
    return dict(zip(pair.kind, pair[1:], strict=True))


def variables(path: str) -> dict[str, str]:
    """Parse a file of lines `NAME=VALUE`, quoted or not, as shells read it.

    Args:
        path: Path of the file.

    Raises:
        AuthenticationError: The file can't be read. The message does not show its content.
    """
    wrong = "it is not text"
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:  # the message of the latter holds the content
        wrong = getattr(error, "strerror", None) or wrong
        raise AuthenticationError(f"The file {path!r} can't be read: {wrong}") from None
    found: dict[str, str] = {}
    for line in lines:
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and not name.startswith("#"):
            found[name.strip()] = ApiKey(_unquoted(value.strip()))
    return found


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value


def authentication(pair: Pair, clock: Callable[[], float]) -> Any:
    """Return the `httpx2.Auth` for credentials.

    Args:
        pair: The credentials.
        clock: A monotonic clock, in seconds, for the expiry of tokens.
    """
    if pair.kind == SERVICE_ACCOUNT:
        from voyageai_admin_rest.client import ClientCredentials

        return ClientCredentials(pair.name, pair.secret, clock)
    from ..transport.custom_clients import digest

    return digest(pair.name, pair.secret)


def _text(place: str, value: object) -> ApiKey:
    concealed = conceal(value)
    if isinstance(concealed, NotAKey):
        raise AuthenticationError(
            f"{place} must be a string, not of type {concealed.kind}; pass {concealed.instead}."
        )
    text = ApiKey(concealed.strip())
    if not text or not text.isascii() or not text.isprintable():
        raise AuthenticationError(
            f"{place} is empty, or has characters that can't be sent; pass it as it was issued."
        )
    return text
