"""The typed client: openapi-python-client with our templates."""

import contextlib
import io
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import openapi_python_client
from openapi_python_client import strings
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser.errors import GeneratorError, ParseError

from . import paths
from .spec import Document, lower

# Fields keep the API's own names where no emitted code needs the builtin; `input`, not `input_`.
FIELD_NAMES = {"bytes", "input", "object", "type"}


class GenerationError(Exception):
    """The spec has something that would be missing from, or wrong in, the generated client."""


def write_client(document: Document, package: Path) -> None:
    """Write the typed client for an OpenAPI document into a folder that does not exist.

    Raises:
        GenerationError: Anything was dropped; every piece is named.
    """
    strings.RESERVED_WORDS -= FIELD_NAMES
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "openapi.json")
        source.write_text(json.dumps(lower(document)), encoding="utf-8")
        config = Config.from_sources(
            ConfigFile.load_from_path(paths.CONFIG),
            MetaType.NONE,
            source,
            file_encoding="utf-8",
            overwrite=False,
            output_path=package,
        )
        with contextlib.redirect_stdout(io.StringIO()):
            errors = openapi_python_client.generate(
                config=config, custom_template_path=paths.TEMPLATES
            )
    if errors:
        raise GenerationError(_described(errors))
    (package / "py.typed").touch()


def _described(errors: Sequence[GeneratorError]) -> str:
    lines = ["openapi-python-client can't take all of the spec:"]
    for error in errors:
        lines.append(f"- {error.header.strip()} {error.detail or ''}".rstrip())
        if isinstance(error, ParseError) and error.data is not None:
            lines.append(f"  {error.data.model_dump_json(exclude_unset=True, by_alias=True)[:500]}")
    return "\n".join(lines)
