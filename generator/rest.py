"""The typed client: openapi-python-client with our templates."""

import contextlib
import io
from collections.abc import Sequence
from pathlib import Path

from openapi_python_client import Project, strings
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.errors import GeneratorError, ParseError

from . import paths
from .spec import Document, GenerationError, lower
from .unsupported import unsupported

# Fields keep the API's own names where no emitted code needs the builtin; `input`, not `input_`.
FIELD_NAMES = {"bytes", "input", "object", "type"}


def write_client(document: Document, package: Path) -> None:
    """Write the typed client for an OpenAPI document into a folder that does not exist.

    Raises:
        GenerationError: Anything would be dropped; every piece is named, and nothing is written.
    """
    strings.RESERVED_WORDS -= FIELD_NAMES
    config = Config.from_sources(
        ConfigFile.load_from_path(paths.CONFIG),
        MetaType.NONE,
        paths.OPENAPI,
        file_encoding="utf-8",
        overwrite=False,
        output_path=package,
    )
    data = GeneratorData.from_dict(lower(document), config=config)
    if isinstance(data, GeneratorError):
        raise GenerationError(_described([data]))
    collections = data.endpoint_collections_by_tag.values()
    errors = [error for collection in collections for error in collection.parse_errors]
    _refuse([*errors, *data.errors])
    if complaints := list(unsupported(data)):
        raise GenerationError(
            "\n- ".join(["the templates can't take all of the spec:", *complaints])
        )
    project = Project(openapi=data, config=config, custom_template_path=paths.TEMPLATES)
    with contextlib.redirect_stdout(io.StringIO()):
        _refuse(project.build())
    (package / "py.typed").touch()


def _refuse(errors: Sequence[GeneratorError]) -> None:
    if errors:
        raise GenerationError(_described(errors))


def _described(errors: Sequence[GeneratorError]) -> str:
    lines = ["openapi-python-client can't take all of the spec:"]
    for error in errors:
        lines.append(f"- {error.header.strip()} {error.detail or ''}".rstrip())
        if isinstance(error, ParseError) and error.data is not None:
            lines.append(f"  {error.data.model_dump_json(exclude_unset=True, by_alias=True)[:500]}")
    return "\n".join(lines)
