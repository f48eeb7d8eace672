"""The routes of the Hugging Face Hub that libraries need to load a model's tokenizer.

With ``HF_ENDPOINT`` set to the origin of an emulator, ``Tokenizer.from_pretrained`` of
`tokenizers`, ``hf_hub_download`` of `huggingface_hub` and ``AutoTokenizer`` of `transformers` find
each model of the emulator as ``voyageai/NAME``, with the emulator's own tokenizer:

- ``GET`` and ``HEAD /voyageai/NAME/resolve/REVISION/FILE``, with ``Range`` and ``If-None-Match``;
- ``GET /api/models/voyageai/NAME``, the same with ``/revision/REVISION``, and
  ``GET /api/models/voyageai/NAME/tree/REVISION``.

A revision is ``main`` or the commit. Everything else is answered with 404 and the Hub's
``X-Error-Code``. Names from a request are looked up in a mapping, never on disk.
"""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import tokenizer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.types import ASGIApp
    from voyageai_rest.catalogue import Model, ModelPixels

__all__ = ["PREFIXES", "create_hub"]

PREFIXES = ("/voyageai/", "/api/models/voyageai/")
"""Prefixes of the paths of these routes."""

_OWNER = "voyageai"
_RANGE = re.compile(r"bytes=(\d{1,15})-(\d{0,15})")


class _File(NamedTuple):
    """A file of a repository."""

    content: bytes
    digest: str
    """Git's hash of the content: 40 hexadecimal digits."""


class _Repository(NamedTuple):
    """The files of a model's repository."""

    files: Mapping[str, _File]
    commit: str
    """40 hexadecimal digits, the same for the same files."""


class _NotFoundError(Exception):
    """There is no such repository, revision or entry."""

    def __init__(self, message: str, code: str, commit: str | None = None) -> None:
        super().__init__(message, code, commit)
        self.message = message
        self.code = code
        self.commit = commit


def create_hub(models: Mapping[str, Model]) -> ASGIApp:
    """Create the ASGI application.

    Args:
        models: The models that have a repository, by name.
    """

    def find(request: Request) -> _Repository:
        name = request.path_params["name"]
        if name not in models:
            raise _NotFoundError("Repository not found", "RepoNotFound")
        found = _repository(models[name])
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


def _repository(model: Model) -> _Repository:
    """Return the repository of a model."""
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "clean_up_tokenization_spaces": False,
        "model_max_length": model.context_length,
    }
    files = {
        "tokenizer.json": _file(tokenizer.content(start_token=bool(model.start_token))),
        "tokenizer_config.json": _file(_json(config)),
    }
    if model.pixels is not None:
        files["client_config.json"] = _file(_json(_client_config(model.pixels)))
    tree = "".join(f"{file.digest} {name}\n" for name, file in sorted(files.items()))
    return _Repository(files, _sha1(tree.encode()))


def _client_config(pixels: ModelPixels) -> dict[str, int]:
    """Return the model's pixel limits as clients read them; frames default to those of images."""
    config = {
        "multimodal_image_pixels_min": pixels.image_min,
        "multimodal_image_pixels_max": pixels.image_max,
        "multimodal_image_to_tokens_ratio": pixels.image_per_token,
    }
    if pixels.video_per_token is not None:
        low, high = pixels.video_min, pixels.video_max
        config |= {
            "multimodal_video_pixels_min": pixels.image_min if low is None else low,
            "multimodal_video_pixels_max": pixels.image_max if high is None else high,
            "multimodal_video_to_tokens_ratio": pixels.video_per_token,
        }
    return {key: value for key, value in config.items() if value is not None}


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, indent=2).encode()


@cache  # few files, one of them large
def _file(content: bytes) -> _File:
    return _File(content, _sha1(b"blob %d\0%b" % (len(content), content)))


def _sha1(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


def _send(request: Request, file: _File, commit: str) -> Response:
    """Return a file, the requested range of it, or 304 if the client's copy is current."""
    tag = f'"{file.digest}"'
    headers = {"etag": tag, "x-repo-commit": commit, "accept-ranges": "bytes"}
    if _matches(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    size, part, status = len(file.content), file.content, 200
    requested = _RANGE.fullmatch(request.headers.get("range", ""))
    if requested and request.headers.get("if-range", tag) == tag:
        first, last = int(requested[1]), min(int(requested[2] or size), size - 1)
        if first > last:
            headers["content-range"] = f"bytes */{size}"
            return Response(status_code=416, headers=headers)
        part, status = file.content[first : last + 1], 206
        headers["content-range"] = f"bytes {first}-{last}/{size}"
    headers["content-length"] = str(len(part))
    content = b"" if request.method == "HEAD" else part
    return Response(content, status, headers, "application/json")


def _matches(condition: str, tag: str) -> bool:
    """Return whether an If-None-Match header matches an entity tag."""
    tags = {entry.strip().removeprefix("W/") for entry in condition.split(",")}
    return tag in tags or "*" in tags


async def _not_found(_: Request, error: Exception) -> Response:
    assert isinstance(error, _NotFoundError)  # noqa: S101 - registered for nothing else
    headers = {"x-error-code": error.code, "x-error-message": error.message}
    if error.commit is not None:
        headers["x-repo-commit"] = error.commit
    return JSONResponse({"error": error.message}, 404, headers)
