"""Write the typed client, with openapi-python-client and our templates.

openapi-python-client can read more than our templates support. Such parts of the spec would be
silently missing from the generated client, or wrong; `unsupported` finds them.
"""

import contextlib
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from openapi_python_client import Project, strings
from openapi_python_client import schema as oai
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.bodies import Body, BodyType
from openapi_python_client.parser.errors import GeneratorError, ParseError
from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties import ModelProperty
from openapi_python_client.parser.properties.boolean import BooleanProperty
from openapi_python_client.parser.properties.datetime import DateTimeProperty
from openapi_python_client.parser.properties.file import FileProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.protocol import PropertyProtocol
from openapi_python_client.parser.properties.union import UnionProperty
from openapi_python_client.parser.responses import Response
from openapi_python_client.strings import pascal_case

from . import paths
from .contract import secrets, security
from .spec import Contract, Document, GenerationError, lower

# Builtins that the emitted code does not use, so that fields can have these names: `input`.
FIELD_NAMES = {"bytes", "input", "object", "type"}


def write_client(contract: Contract, document: Document, package: Path) -> None:
    """Write the typed client for an OpenAPI document into a new folder.

    Args:
        contract: Entry of the document in contracts.yaml.
        document: The document.
        package: The folder.

    Raises:
        GenerationError: Parts of the document are not supported; the message names each.
    """
    strings.RESERVED_WORDS -= FIELD_NAMES
    options = ConfigFile.load_from_path(paths.CONFIG)
    options.package_name_override = contract.package
    options.content_type_overrides = dict.fromkeys(contract.bytes, "application/octet-stream")
    config = Config.from_sources(
        options,
        MetaType.NONE,
        contract.document,
        file_encoding="utf-8",
        overwrite=False,
        output_path=package,
    )
    data = GeneratorData.from_dict(lower(document), config=config)
    if isinstance(data, GeneratorError):
        raise GenerationError(_error_text([data]))
    collections = data.endpoint_collections_by_tag.values()
    errors = [error for collection in collections for error in collection.parse_errors]
    _raise_for([*errors, *data.errors])
    if complaints := list(unsupported(data)):
        raise GenerationError(
            "\n- ".join(["the templates do not support all of the spec:", *complaints])
        )
    project = Project(openapi=data, config=config, custom_template_path=paths.TEMPLATES)
    project.env.globals.update(
        contract=contract,
        security=security(document),
        secrets={(pascal_case(schema), name) for schema, name in secrets(document)},
        title=document["info"]["title"],
        media_type=_media_type,
    )
    with contextlib.redirect_stdout(io.StringIO()):
        _raise_for(project.build())
    (package / "py.typed").touch()


def _media_type(part: Body | Response) -> str:
    """Return the media type of a body or a response, which has at most one."""
    if isinstance(part, Body):
        return part.content_type.get_untrusted_value()
    content = part.data.content if isinstance(part.data, oai.Response) else None
    return next((key.get_untrusted_value() for key in content or ()), "")


def _raise_for(errors: Sequence[GeneratorError]) -> None:
    if errors:
        raise GenerationError(_error_text(errors))


def _error_text(errors: Sequence[GeneratorError]) -> str:
    lines = ["openapi-python-client does not support all of the spec:"]
    for error in errors:
        lines.append(f"- {error.header.strip()} {error.detail or ''}".rstrip())
        if isinstance(error, ParseError) and error.data is not None:
            lines.append(f"  {error.data.model_dump_json(exclude_unset=True, by_alias=True)[:500]}")
    return "\n".join(lines)


# Properties that have no single representation as plain text.
NOT_PLAIN = (BooleanProperty, DateTimeProperty, ListProperty, ModelProperty, UnionProperty)


def unsupported(data: GeneratorData) -> Iterator[str]:
    """Yield a sentence about each part of the spec that our templates do not support."""
    modules: dict[str, str] = {}
    for tag, collection in data.endpoint_collections_by_tag.items():
        for endpoint in collection.endpoints:
            name = f"{endpoint.method.upper()} {endpoint.path.get_untrusted_value()}"
            for reason in (*_parameters(endpoint), *_body(endpoint), *_responses(endpoint)):
                yield f"{name}: {reason}"
            module = f"{tag}.{endpoint.name}"
            if module in modules:
                yield f"{name}: its module {module} is also that of {modules[module]}"
            modules[module] = name
    for model in data.models:
        for field in (*(model.required_properties or ()), *(model.optional_properties or ())):
            name = f"{model.class_info.name}.{field.name.get_untrusted_value()}"
            if model.is_multipart_body:
                if isinstance(field, NOT_PLAIN):
                    yield f"{name}: a part of a multipart body must be a file, a string or a number"
            elif _holds(field, FileProperty):
                yield f"{name}: a JSON body can't contain a file"


def _parameters(endpoint: Endpoint) -> Iterator[str]:
    for place, parameters in (
        ("header", endpoint.header_parameters),
        ("cookie", endpoint.cookie_parameters),
    ):
        for parameter in parameters:
            yield f"parameter {parameter.name.get_untrusted_value()} is in a {place}"
    for parameter in endpoint.query_parameters:
        if _holds(parameter, ModelProperty):
            yield f"parameter {parameter.name.get_untrusted_value()} is an object"


def _body(endpoint: Endpoint) -> Iterator[str]:
    if len(endpoint.bodies) > 1:
        kinds = ", ".join(body.content_type.get_untrusted_value() for body in endpoint.bodies)
        yield f"its body has several media types: {kinds}"
    for body in endpoint.bodies:
        multipart = body.body_type is BodyType.FILES
        if multipart and not (isinstance(body.prop, ModelProperty) and body.prop.required):
            yield "a multipart body must be an object, and required"
        elif not multipart and body.body_type is not BodyType.JSON:
            yield f"the media type of its body is {body.content_type.get_untrusted_value()}"


def _responses(endpoint: Endpoint) -> Iterator[str]:
    successes = [
        response
        for response in endpoint.responses.patterns
        if response.status_code.range and 200 <= response.status_code.range[0] < 300
    ]
    if not successes:
        yield "it has no successful response"
    types = {
        (response.prop.get_type_string(), response.source["attribute"]) for response in successes
    }
    if len(types) > 1:
        yield "its successful responses have several types"
    for response in successes:
        status = response.status_code.pattern
        if isinstance(response.data, oai.Response) and len(response.data.content or ()) > 1:
            kinds = ", ".join(key.get_untrusted_value() for key in response.data.content or ())
            yield f"its response {status} has several media types: {kinds}"
        if response.source["attribute"] == "response.text":
            yield f"its response {status} is text; list its media type in `bytes` of contracts.yaml"
        is_bytes = response.source["attribute"] == "response.content"
        if is_bytes != isinstance(response.prop, FileProperty):
            yield f"its response {status} must have both binary content and the format binary"


def _holds(field: PropertyProtocol, kind: type[FileProperty | ModelProperty]) -> bool:
    if isinstance(field, UnionProperty):
        return any(_holds(inner, kind) for inner in field.inner_properties)
    if isinstance(field, ListProperty):
        return _holds(field.inner_property, kind)
    return isinstance(field, kind)
