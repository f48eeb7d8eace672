"""Answers of JSON."""

from __future__ import annotations

import json
from http import HTTPStatus

from starlette.responses import Response

__all__ = ["reply"]


def reply(body: object, status: int = HTTPStatus.OK) -> Response:
    """An answer of JSON."""
    content = json.dumps(body, separators=(",", ":"))
    return Response(content, status, media_type="application/json")
