"""Finding who administers, and how that is proved."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ..error import AuthenticationError
from ..keys import ApiKey, NotAKey, conceal

VARIABLES: Mapping[str, str] = {
    "client_id": "MONGODB_ATLAS_CLIENT_ID",
    "client_secret": "MONGODB_ATLAS_CLIENT_SECRET",
    "public_key": "MONGODB_ATLAS_PUBLIC_KEY",
    "private_key": "MONGODB_ATLAS_PRIVATE_KEY",
}
"""Environment variables by argument, those of MongoDB's own tools."""
URL_VARIABLE = "MONGODB_ATLAS_BASE_URL"
"""Environment variable that says where the API is."""
SERVICE_ACCOUNT = ("client_id", "client_secret")
KEY_PAIR = ("public_key", "private_key")


class Pair(NamedTuple):
    """A name and its secret."""

    kind: tuple[str, str]
    """`SERVICE_ACCOUNT` or `KEY_PAIR`."""
    name: str
    secret: ApiKey


def find(given: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> Pair:
    """Return the first pair that is complete: of the arguments, then of the environment.

    A service account goes before a pair of keys.

    Args:
        given: The arguments by name; None for those that were left out.
        environment: Environment variables.

    Raises:
        AuthenticationError: There is none, or half of one, or it is no text. No message holds it.
    """
    if any(given.values()):
        values = {name: _text(name, value) for name, value in given.items() if value}
        places = {name: name for name in VARIABLES}
    else:
        found = {name: environment.get(variable) for name, variable in VARIABLES.items()}
        values = {name: _text(VARIABLES[name], value) for name, value in found.items() if value}
        places = dict(VARIABLES)
    for kind in (SERVICE_ACCOUNT, KEY_PAIR):
        there = [name for name in kind if name in values]
        if len(there) == 1:
            (missing,) = set(kind) - set(there)
            raise AuthenticationError(
                f"{places[there[0]]} needs {places[missing]} beside it, which is missing or empty."
            )
        if there:
            return Pair(kind, values[kind[0]], values[kind[1]])
    raise AuthenticationError(
        "Administering keys needs a service account of Atlas: pass client_id and client_secret, or "
        f"set {VARIABLES['client_id']} and {VARIABLES['client_secret']}. A pair of keys is taken "
        f"too: public_key and private_key, or {VARIABLES['public_key']} and "
        f"{VARIABLES['private_key']}. A model API key can't administer."
    )


def authentication(pair: Pair, clock: Callable[[], float]) -> Any:
    """Return the `httpx2.Auth` for a pair.

    Args:
        pair: The pair.
        clock: Seconds that only go forwards, by which tokens end.
    """
    if pair.kind == SERVICE_ACCOUNT:
        from voyageai_admin_rest.client import ClientCredentials

        return ClientCredentials(pair.name, pair.secret, clock)
    from ..transport.authentication import digest

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
            f"{place} is empty, or has characters that can't be sent; it may be a different text."
        )
    return text
