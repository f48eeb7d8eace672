"""Contents of files that the server keeps elsewhere."""

from __future__ import annotations

import httpx2

MOST = 5
"""Redirects that are followed for one request."""
TAKEN_ALONG = ("accept", "accept-encoding", "if-range", "range", "user-agent")
"""Headers that another origin may see."""


def redirected(request: httpx2.Request, response: httpx2.Response) -> httpx2.Request | None:
    """The request to where an answer points; None if it points nowhere one should go.

    Another origin is not told the key, and nothing goes from https to http.
    """
    if not response.has_redirect_location or request.method != "GET":
        return None
    try:
        url = request.url.join(response.headers["location"])
    except httpx2.InvalidURL:
        return None
    if url.scheme not in ("https", request.url.scheme):
        return None
    headers = request.headers
    if (url.scheme, url.host, url.port) != (
        (request.url.scheme, request.url.host, request.url.port)
    ):
        headers = httpx2.Headers({name: headers[name] for name in TAKEN_ALONG if name in headers})
        headers["Host"] = url.netloc.decode("ascii")
    return httpx2.Request("GET", url, headers=headers, extensions=request.extensions)
