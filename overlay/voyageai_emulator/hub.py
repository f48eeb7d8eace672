"""As much of the Hugging Face Hub as the libraries need that count tokens for their users.

With ``HF_ENDPOINT`` set to the origin of an emulator, ``Tokenizer.from_pretrained`` of
`tokenizers`, ``hf_hub_download`` of `huggingface_hub` and ``AutoTokenizer`` of `transformers` find
each model of the emulator as ``voyageai/NAME``, with the tokenizer that the emulator counts by:

- ``GET`` and ``HEAD /voyageai/NAME/resolve/REVISION/FILE``, also in part and only if changed;
- ``GET /api/models/voyageai/NAME``, the same with ``/revision/REVISION``, and
  ``GET /api/models/voyageai/NAME/tree/REVISION``.

A revision is ``main`` or the commit. What there is not is answered with 404 and the Hub's
``X-Error-Code``. Names from a request are looked up among these, never among files of the disk.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .tokenizer.repository import Repository, repository

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.types import ASGIApp
    from voyageai_rest.catalogue import Model

    from .tokenizer.repository import File

__all__ = ["PREFIXES", "create_hub"]

PREFIXES = ("/voyageai/", "/api/models/voyageai/")
"""How all paths begin that are answered here."""

_OWNER = "voyageai"
_RANGE = re.compile(r"bytes=(\d{1,15})-(\d{0,15})")


class _NotFoundError(Exception):
    """There is no such repository, revision or entry."""

    def __init__(self, what: str, code: str, commit: str | None = None) -> None:
        super().__init__(what, code, commit)
        self.what = what
        self.code = code
        self.commit = commit


def create_hub(models: Mapping[str, Model]) -> ASGIApp:
    """Make the application.

    Args:
        models: Models by name.
    """

    def find(request: Request) -> Repository:
        name = request.path_params["name"]
        if name not in models:
            raise _NotFoundError("Repository not found", "RepoNotFound")
        found = repository(models[name])
        if request.path_params.get("revision", "main") not in {"main", found.commit}:
            raise _NotFoundError("Invalid rev id", "RevisionNotFound")
        return found

    async def resolve(request: Request) -> Response:
        found = find(request)
        file = found.files.get(request.path_params["path"])
        if file is None:
            raise _NotFoundError("Entry not found", "EntryNotFound", found.commit)
        return _send(request, file, found.commit)

    async def info(request: Request) -> Response:
        found = find(request)
        name = f"{_OWNER}/{request.path_params['name']}"
        return JSONResponse(
            {
                "id": name,
                "modelId": name,
                "author": _OWNER,
                "sha": found.commit,
                "private": False,
                "gated": False,
                "disabled": False,
                "tags": [],
                "siblings": [{"rfilename": file} for file in found.files],
            }
        )

    async def tree(request: Request) -> Response:
        found = find(request)
        if request.path_params.get("path"):
            raise _NotFoundError("Entry not found", "EntryNotFound", found.commit)
        return JSONResponse(
            [
                {"type": "file", "path": path, "oid": file.digest, "size": len(file.content)}
                for path, file in found.files.items()
            ]
        )

    api = f"/api/models/{_OWNER}/{{name}}"
    return Starlette(
        routes=[
            Route(f"/{_OWNER}/{{name}}/resolve/{{revision}}/{{path:path}}", resolve),
            Route(api, info),
            Route(f"{api}/revision/{{revision}}", info),
            Route(f"{api}/tree/{{revision}}", tree),
            Route(f"{api}/tree/{{revision}}/{{path:path}}", tree),
        ],
        exception_handlers={_NotFoundError: _not_found},
    )


def _send(request: Request, file: File, commit: str) -> Response:
    """A file, or the part of it that is asked for, or word that the asker has it already."""
    tag = f'"{file.digest}"'
    headers = {"etag": tag, "x-repo-commit": commit, "accept-ranges": "bytes"}
    if _names(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    size, part, status = len(file.content), file.content, 200
    asked = _RANGE.fullmatch(request.headers.get("range", ""))
    if asked and request.headers.get("if-range", tag) == tag:
        first, last = int(asked[1]), min(int(asked[2] or size), size - 1)
        if first > last:
            headers["content-range"] = f"bytes */{size}"
            return Response(status_code=416, headers=headers)
        part, status = file.content[first : last + 1], 206
        headers["content-range"] = f"bytes {first}-{last}/{size}"
    headers["content-length"] = str(len(part))
    content = b"" if request.method == "HEAD" else part
    return Response(content, status, headers, "application/json")


def _names(condition: str, tag: str) -> bool:
    """Whether an If-None-Match names a tag."""
    tags = {entry.strip().removeprefix("W/") for entry in condition.split(",")}
    return tag in tags or "*" in tags


async def _not_found(_: Request, error: Exception) -> Response:
    assert isinstance(error, _NotFoundError)  # noqa: S101 - registered for nothing else
    headers = {"x-error-code": error.code, "x-error-message": error.what}
    if error.commit is not None:
        headers["x-repo-commit"] = error.commit
    return JSONResponse({"error": error.what}, 404, headers)
