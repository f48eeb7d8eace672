"""A spec that can't be generated fails by name, and no part of it is silently dropped."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from generator import paths, spec
from generator.build import build
from generator.checks import problems, read

Document = dict[str, Any]

ANSWER = {"$ref": "#/components/schemas/Answer"}
JSON_ANSWER = {"description": "It.", "content": {"application/json": {"schema": ANSWER}}}
SMALL: Document = {
    "openapi": "3.1.0",
    "info": {"title": "A small API", "version": "1"},
    "servers": [
        {"url": "https://example.com/v1", "x-name": "example", "x-platform": "voyage"},
    ],
    "paths": {
        "/things/{thing_id}": {
            "post": {
                "operationId": "changeThing",
                "tags": ["things"],
                "summary": "Change a thing.",
                "parameters": [
                    {
                        "name": "thing_id",
                        "in": "path",
                        "required": True,
                        "schema": {"type": "string"},
                    }
                ],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Change"}}
                    },
                },
                "responses": {"200": JSON_ANSWER},
            }
        }
    },
    "components": {
        "schemas": {
            "Answer": {"type": "object", "properties": {"done": {"type": "boolean"}}},
            "Change": {
                "type": "object",
                "properties": {"size": {"type": "integer"}},
                "additionalProperties": False,
            },
            "OutputDtype": {
                "type": "string",
                "enum": ["float"],
                "x-memory": {"float": {"number": "float32", "dimensions_per_number": 1}},
            },
        }
    },
}


CONTRACTS = {
    "small_rest": {
        "document": "small.yaml",
        "error": {"schema": "Answer", "message": "done"},
        "bytes": ["text/plain"],
    }
}


@pytest.fixture
def refusal(tmp_path: Path) -> Callable[[Document], str]:
    """Generate from a document without checking the spec's rules, and return the error."""

    def run(document: Document) -> str:
        target = tmp_path / "generated"
        target.mkdir()
        for name, content in (("contracts.yaml", CONTRACTS), ("small.yaml", document)):
            (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")
        try:
            build(target, tmp_path)
        except spec.GenerationError as error:
            return str(error)
        return ""

    return run


def operation(document: Document) -> Document:
    return document["paths"]["/things/{thing_id}"]["post"]


def schemas(document: Document) -> Document:
    return document["components"]["schemas"]


def body_of_another_type(document: Document) -> str:
    content = operation(document)["requestBody"]["content"]
    content["application/x-ndjson"] = content.pop("application/json")
    return "POST /things/{thing_id}"


def body_that_is_a_form(document: Document) -> str:
    content = operation(document)["requestBody"]["content"]
    content["application/x-www-form-urlencoded"] = content.pop("application/json")
    return "its body is application/x-www-form-urlencoded"


def body_that_is_bytes(document: Document) -> str:
    binary = {"schema": {"type": "string", "format": "binary"}}
    operation(document)["requestBody"]["content"] = {"application/octet-stream": binary}
    return "its body is application/octet-stream"


def body_of_several_types(document: Document) -> str:
    content = operation(document)["requestBody"]["content"]
    content["multipart/form-data"] = deepcopy(content["application/json"])
    return "its body has several media types: application/json, multipart/form-data"


def body_without_a_name(document: Document) -> str:
    schema = operation(document)["requestBody"]["content"]["application/json"]
    schema["schema"] = {"type": "object", "properties": {"size": {"type": "integer"}}}
    return "the body of POST /things/{thing_id} has no $ref"


def answer_of_another_type(document: Document) -> str:
    content = {"application/jsonl": {"schema": ANSWER}}
    operation(document)["responses"]["200"] = {"description": "Lines.", "content": content}
    return "application/jsonl"


def answer_of_several_types(document: Document) -> str:
    content = {"application/json": {"schema": ANSWER}, "text/event-stream": {"schema": ANSWER}}
    operation(document)["responses"]["200"] = {"description": "Either.", "content": content}
    return "POST /things/{thing_id}: its response 200 has several media types"


def answer_that_is_text(document: Document) -> str:
    content = {"text/html": {"schema": {"type": "string"}}}
    operation(document)["responses"]["200"] = {"description": "A page.", "content": content}
    return "POST /things/{thing_id}: its response 200 is text"


def answers_of_different_types(document: Document) -> str:
    operation(document)["responses"]["202"] = {"description": "Later."}
    return "POST /things/{thing_id}: its successful responses have several types"


def no_success(document: Document) -> str:
    operation(document)["responses"] = {"default": JSON_ANSWER}
    return "POST /things/{thing_id}: it has no success"


def status_that_is_none(document: Document) -> str:
    operation(document)["responses"]["2xx-ish"] = JSON_ANSWER
    return "2xx-ish"


def parameter_in_a_header(document: Document) -> str:
    parameter = {"name": "X-Trace", "in": "header", "schema": {"type": "string"}}
    operation(document)["parameters"].append(parameter)
    return "parameter X-Trace is in a header"


def parameter_in_a_cookie(document: Document) -> str:
    parameter = {"name": "session", "in": "cookie", "schema": {"type": "string"}}
    operation(document)["parameters"].append(parameter)
    return "parameter session is in a cookie"


def parameter_that_is_an_object(document: Document) -> str:
    parameter = {"name": "filter", "in": "query", "schema": ANSWER, "style": "deepObject"}
    operation(document)["parameters"].append(parameter)
    return "parameter filter is an object"


def parameter_of_no_path(document: Document) -> str:
    operation(document)["parameters"] = []
    return "Incorrect path templating for /things/{thing_id}"


def enum_of_mixed_types(document: Document) -> str:
    schemas(document)["Level"] = {"enum": ["low", 5]}
    return "/components/schemas/Level"


def reference_to_nothing(document: Document) -> str:
    schemas(document)["Answer"]["properties"]["next"] = {"$ref": "#/components/schemas/Gone"}
    return "Gone"


def list_without_items(document: Document) -> str:
    schemas(document)["Rows"] = {"type": "array"}
    return "/components/schemas/Rows"


def file_in_json(document: Document) -> str:
    schemas(document)["Answer"]["properties"]["image"] = {"type": "string", "format": "binary"}
    return "Answer.image: a JSON body can't contain a file"


def list_in_a_multipart_body(document: Document) -> str:
    content = operation(document)["requestBody"]["content"]
    content["multipart/form-data"] = content.pop("application/json")
    tags = {"type": "array", "items": {"type": "string"}}
    schemas(document)["Change"]["properties"]["tags"] = tags
    return "Change.tags: a part of a multipart body"


def two_operations_of_one_name(document: Document) -> str:
    document["paths"]["/other/{thing_id}"] = deepcopy(document["paths"]["/things/{thing_id}"])
    return "POST /other/{thing_id}: its module things.change_thing is also that of POST /things"


def operation_without_id(document: Document) -> str:
    del operation(document)["operationId"]
    return "POST /things/{thing_id} has no operationId"


def operation_without_tags(document: Document) -> str:
    del operation(document)["tags"]
    return "POST /things/{thing_id} has no tags"


def host_without_name(document: Document) -> str:
    del document["servers"][0]["x-name"]
    return "server https://example.com/v1 has no x-name"


def no_openapi_at_all(document: Document) -> str:
    del document["info"]
    return "info"


def test_the_small_document_is_accepted(refusal: Callable[[Document], str]) -> None:
    """The refusals below have no other cause, as the unchanged document is generated."""
    assert "" == refusal(SMALL)


@pytest.mark.parametrize(
    "spoil",
    [
        answer_of_another_type,
        answer_of_several_types,
        answer_that_is_text,
        answers_of_different_types,
        body_of_another_type,
        body_of_several_types,
        body_that_is_a_form,
        body_that_is_bytes,
        body_without_a_name,
        enum_of_mixed_types,
        file_in_json,
        host_without_name,
        list_in_a_multipart_body,
        list_without_items,
        no_openapi_at_all,
        no_success,
        operation_without_id,
        operation_without_tags,
        parameter_in_a_cookie,
        parameter_in_a_header,
        parameter_of_no_path,
        parameter_that_is_an_object,
        reference_to_nothing,
        status_that_is_none,
        two_operations_of_one_name,
    ],
    ids=lambda spoil: spoil.__name__,
)
def test_unsupported_parts_are_refused_by_name(
    spoil: Callable[[Document], str], refusal: Callable[[Document], str]
) -> None:
    """Otherwise a user would discover months later that an operation or field is missing."""
    document = deepcopy(SMALL)
    named = spoil(document)
    assert named in refusal(document)


def voyage_4(catalogue: Document) -> Document:
    return catalogue["models"]["voyage-4"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda catalogue: voyage_4(catalogue)["dimensions"].update(default=3),
        lambda catalogue: catalogue.pop("tiers"),
    ],
    ids=["a default that is not allowed", "no section"],
)
def test_a_spec_that_breaks_its_rules_is_not_generated(
    spoil, run, spec_folder: Path, tmp_path: Path
) -> None:
    """Both commands report the same fault, as generated code with a wrong fact looks normal."""
    source = spec_folder / "catalogue.yaml"
    catalogue = spec.load(source)
    spoil(catalogue)
    source.write_text(json.dumps(catalogue), encoding="utf-8")
    done = run("--spec", spec_folder, "--output", tmp_path / "generated")
    expected = problems(read(spec_folder))
    assert expected
    assert (2, "", expected) == (done.returncode, done.stdout, done.stderr.splitlines())
    assert not (tmp_path / "generated").exists()


def test_an_unknown_field_of_the_catalogue_is_named(spec_folder: Path, tmp_path: Path) -> None:
    """A bare KeyError would not say which file or entry is wrong."""
    source = spec_folder / "catalogue.yaml"
    catalogue = spec.load(source)
    voyage_4(catalogue)["colour"] = "blue"
    source.write_text(json.dumps(catalogue), encoding="utf-8")
    with pytest.raises(spec.GenerationError, match=r"the catalogue: voyage-4 has the field colour"):
        build(tmp_path, spec_folder)


def test_a_refusal_leaves_the_old_tree(run, spec_folder: Path, tmp_path: Path) -> None:
    """A broken spec must not cost the generated code that worked."""
    source, target = spec_folder / "openapi.yaml", tmp_path / "generated"
    document = spec.load(source)
    enum_of_mixed_types(document)
    source.write_text(json.dumps(document), encoding="utf-8")
    target.mkdir()
    target.joinpath(paths.LOCK).write_text("{}", encoding="utf-8")
    done = run("--spec", spec_folder, "--output", target)
    assert (2, "") == (done.returncode, done.stdout)
    assert "Level" in done.stderr
    assert "Traceback" not in done.stderr
    assert [paths.LOCK] == [path.name for path in target.iterdir()]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: 1\na: 2\n", "openapi.yaml can't be read"),
        ("- a list\n", "openapi.yaml must contain a mapping"),
        ("date: 2025-12-01\n", "openapi.yaml: 2025-12-01 is not a string; put it in quotes"),
        ("a: {\n", "openapi.yaml can't be read"),
    ],
)
def test_a_file_that_is_not_a_document_is_refused(
    text: str, reason: str, run, spec_folder: Path
) -> None:
    """A mistake in the YAML, such as a duplicate key, gives a message instead of a traceback."""
    source = spec_folder / "openapi.yaml"
    source.write_text(text, encoding="utf-8")
    done = run("--check", "--spec", spec_folder)
    assert 2 == done.returncode
    assert reason in done.stderr
    assert "Traceback" not in done.stderr
