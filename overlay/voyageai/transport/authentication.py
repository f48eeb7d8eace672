"""Ways to authenticate that the HTTP library has."""

from __future__ import annotations

import httpx2


def digest(username: str, password: str) -> httpx2.Auth:
    """Return HTTP digest for a name and its password, neither of which a repr shows."""
    return httpx2.DigestAuth(username, password)
