"""Tokens of service accounts, and HTTP digest with a pair of keys."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
import threading
from http import HTTPStatus
from secrets import compare_digest
from typing import TYPE_CHECKING, TypeVar
from urllib.request import parse_http_list, parse_keqv_list

from .refusal import UNAUTHORIZED, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["HOUR", "Credentials"]

T = TypeVar("T")

HOUR = 3600
"""Seconds for which a token is valid."""
MAX_KEPT = 10_000
"""Maximum of tokens, and of nonces; the oldest is dropped."""
REALM = "MMS Public API"
GRANT = "client_credentials"


class Credentials:
    """Checks the credentials of the administration. Safe to share.

    Args:
        accepted: Secrets by client id, and private keys by public key; any are accepted if empty.
        clock: Clock, in seconds.
    """

    def __init__(self, accepted: Mapping[str, str], clock: Callable[[], float]) -> None:
        self._accepted = dict(accepted)
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens: dict[str, float] = {}
        self._nonces: dict[str, set[str]] = {}

    def make_token(self, authorization: str | None, grant: str | None) -> dict[str, object]:
        """Create a token for a client id and its secret, and return the response's body.

        Args:
            authorization: Authorization header with the client id and the secret.
            grant: The `grant_type` of the request.

        Raises:
            Refusal: The client id or its secret is not valid, or the grant type is unknown.
        """
        scheme, _, encoded = (authorization or "").partition(" ")
        try:
            pair = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            pair = ""
        id, colon, secret = pair.partition(":")
        known = not self._accepted or compare_digest(
            self._accepted.get(id, "").encode(), secret.encode()
        )
        if scheme.lower() != "basic" or not colon or not id or not secret or not known:
            raise Refusal(
                HTTPStatus.UNAUTHORIZED, UNAUTHORIZED, "The client id or its secret is not valid."
            )
        if grant != GRANT:
            raise Refusal(HTTPStatus.BAD_REQUEST, "BAD_REQUEST", f"The grant_type must be {GRANT}.")
        token = secrets.token_urlsafe(32)
        with self._lock:
            _keep(self._tokens, token, self._clock() + HOUR)
        return {"access_token": token, "expires_in": HOUR, "token_type": "Bearer"}

    def revoke_tokens(self) -> None:
        """Revoke all tokens."""
        with self._lock:
            self._tokens.clear()

    def check(self, method: str, target: str, authorization: str | None) -> None:
        """Check the credentials of a request.

        Args:
            method: HTTP method.
            target: Path and query, as sent.
            authorization: Authorization header, with a token or an HTTP digest.

        Raises:
            Refusal: The header is missing, or its credentials are not valid.
        """
        scheme, _, rest = (authorization or "").partition(" ")
        if scheme.lower() == "bearer":
            if self._tokens.get(rest.strip(), 0.0) > self._clock():
                return
        elif scheme.lower() == "digest" and self._is_digest(method, target, rest):
            return
        nonce = secrets.token_hex(16)
        with self._lock:
            _keep(self._nonces, nonce, set())
        challenge = f'Digest realm="{REALM}", nonce="{nonce}", algorithm=MD5, qop="auth"'
        raise Refusal(
            HTTPStatus.UNAUTHORIZED,
            UNAUTHORIZED,
            "The credentials are missing or not valid.",
            headers={"www-authenticate": challenge},
        )

    def _is_digest(self, method: str, target: str, text: str) -> bool:
        try:
            given = parse_keqv_list(parse_http_list(text))
            user, nonce, count, cnonce = (
                given[name] for name in ("username", "nonce", "nc", "cnonce")
            )
            response = given["response"]
        except (ValueError, KeyError, IndexError):
            return False
        if given.get("uri") != target or given.get("qop") != "auth":
            return False
        if self._accepted:
            if user not in self._accepted:
                return False
            ha1 = _md5(f"{user}:{REALM}:{self._accepted[user]}")
            ha2 = _md5(f"{method}:{target}")
            expected = _md5(f"{ha1}:{nonce}:{count}:{cnonce}:auth:{ha2}")
            if not compare_digest(expected, response):
                return False
        with self._lock:
            seen = self._nonces.get(nonce)
            if seen is None or count in seen:  # not a nonce of this emulator, or a replayed request
                return False
            seen.add(count)
            return True


def _keep(kept: dict[str, T], key: str, value: T) -> None:
    while len(kept) >= MAX_KEPT:
        del kept[next(iter(kept))]
    kept[key] = value


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
