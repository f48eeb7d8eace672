"""A change of the spec reaches the generated client with no other edit."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from generator import paths

Document = dict[str, Any]
Generate = Callable[[Callable[[Document, Document], None]], Path]
Ask = Callable[["Path | str", str], Any]


@pytest.fixture(scope="module")
def ask() -> Ask:
    """Evaluate an expression over a generated package in a process that has only that package."""

    def value(folder: Path | str, code: str) -> Any:
        lines = code.strip().splitlines()
        lines[-1] = f"print(json.dumps({lines[-1]}))"
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", "\n".join(["import json", *lines])],
            env={**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert 0 == done.returncode, done.stderr
        return json.loads(done.stdout)

    return value


def add_model(openapi: Document, catalogue: Document) -> None:
    models = catalogue["models"]
    models["voyage-added"] = {**models["voyage-4"], "context_length": 64000, "rpm": 4321}


def add_field(openapi: Document, catalogue: Document) -> None:
    openapi["components"]["schemas"]["EmbeddingsRequest"]["properties"]["priority"] = {
        "description": "How soon.",
        "type": ["integer", "null"],
        "minimum": 1,
        "maximum": 9,
        "default": 5,
    }


def add_enum_value(openapi: Document, catalogue: Document) -> None:
    openapi["components"]["schemas"]["InputType"]["enum"].append("code")


def add_host(openapi: Document, catalogue: Document) -> None:
    openapi["servers"].append(
        {
            "url": "https://jp.ai.example.com/v1",
            "x-name": "jp",
            "x-platform": "geography",
            "x-key-prefix": "jp-",
        }
    )


def add_operations(openapi: Document, catalogue: Document) -> None:
    """Add operations with a list of models, an empty answer, a path number and a query time."""
    schemas = openapi["components"]["schemas"]
    schemas["CountTokensRequest"] = {
        "type": "object",
        "description": "Texts to count.",
        "additionalProperties": False,
        "required": ["texts"],
        "properties": {
            "texts": {"type": "array", "items": {"type": "string"}, "maxItems": 7},
            "since": {"type": "string", "format": "date-time"},
        },
    }
    schemas["TokenCount"] = {
        "type": "object",
        "description": "Tokens of a text.",
        "required": ["tokens"],
        "properties": {"tokens": {"type": "integer"}, "unit": {"const": "token"}},
        "additionalProperties": {"$ref": "#/components/schemas/TokenUsage"},
    }
    count = {"$ref": "#/components/schemas/TokenCount"}
    openapi["tags"].append({"name": "token counts", "description": "Counting."})
    shared = {"tags": ["token counts"], "security": [{"bearer": []}]}
    openapi["paths"]["/tokens"] = {
        "post": {
            **shared,
            "operationId": "countTokens",
            "summary": "Count tokens.",
            "requestBody": {
                "content": {
                    "application/json": {
                        "schema": {"$ref": "#/components/schemas/CountTokensRequest"}
                    }
                },
            },
            "responses": {
                "200": {
                    "description": "One count per text.",
                    "content": {"application/json": {"schema": {"type": "array", "items": count}}},
                }
            },
        }
    }
    openapi["paths"]["/tokens/{countId}"] = {
        "delete": {
            **shared,
            "operationId": "import",
            "summary": "Forget a count.",
            "parameters": [
                {
                    "name": "countId",
                    "in": "path",
                    "required": True,
                    "schema": {"type": "integer"},
                },
                {
                    "name": "before",
                    "in": "query",
                    "schema": {"type": "string", "format": "date-time"},
                },
            ],
            "responses": {"204": {"description": "It is gone."}},
        }
    }


CHANGES = (add_model, add_field, add_enum_value, add_host, add_operations)


@pytest.fixture(scope="module")
def changed(generate: Generate) -> Path:
    """Return a client that is generated once with all of the changes."""

    def change(openapi: Document, catalogue: Document) -> None:
        for each in CHANGES:
            each(openapi, catalogue)

    return generate(change)


def test_a_new_model_reaches_the_catalogue(changed: Path, ask: Ask) -> None:
    """Users can look up the new model, and editors complete its name."""
    code = """
from typing import get_args
from voyageai_rest import catalogue
model = catalogue.find("voyage-added")
[model.name, model.context_length, model.rpm, "voyage-added" in get_args(catalogue.EmbeddingsModel)]
"""
    assert ["voyage-added", 64000, 4321, True] == ask(changed, code)


def test_a_new_field_reaches_the_model_and_its_constraints(changed: Path, ask: Ask) -> None:
    """A call sends the field if the user gives it, and never sends the server's default."""
    code = """
from voyageai_rest.constraints import CONSTRAINTS
from voyageai_rest.models import EmbeddingsRequest
made = EmbeddingsRequest(input="a", model="m", priority=3).to_dict()
read = EmbeddingsRequest.from_dict({"input": "a", "model": "m", "priority": None}).to_dict()
unset = EmbeddingsRequest(input="a", model="m").to_dict()
limits = CONSTRAINTS["EmbeddingsRequest"]["priority"]
[made, read, unset, [limits.minimum, limits.maximum], EmbeddingsRequest.__doc__]
"""
    made, read, unset, limits, docstring = ask(changed, code)
    assert {"input": "a", "model": "m", "priority": 3} == made
    assert {"input": "a", "model": "m", "priority": None} == read
    assert {"input": "a", "model": "m"} == unset
    assert [1, 9] == limits
    assert "priority: How soon. The server's default is 5." in docstring


def test_a_new_enum_value_reaches_types_and_constraints(changed: Path, ask: Ask) -> None:
    """Type checkers and argument checks accept the new value."""
    code = """
from typing import get_args
from voyageai_rest.constraints import CONSTRAINTS
from voyageai_rest.models.input_type import INPUT_TYPE_VALUES, InputType
schemas = ["EmbeddingsRequest", "BatchEmbeddingsParams"]
values = [CONSTRAINTS[schema]["input_type"].values for schema in schemas]
[sorted(get_args(InputType)), sorted(INPUT_TYPE_VALUES), *map(sorted, values)]
"""
    assert [["code", "document", "query"]] * 4 == ask(changed, code)


def test_a_new_host_reaches_the_table(changed: Path, ask: Ask) -> None:
    """Clients choose their base URL from this table."""
    code = """
from attrs import asdict
from voyageai_rest.operations import SERVERS
asdict(SERVERS[-1])
"""
    expected = {
        "name": "jp",
        "url": "https://jp.ai.example.com/v1",
        "platform": "geography",
        "key_prefix": "jp-",
    }
    assert expected == ask(changed, code)


def test_a_new_operation_reaches_the_table(changed: Path, ask: Ask) -> None:
    """Callers import an operation's module by the name in the table."""
    code = """
from importlib import import_module
from attrs import asdict
from voyageai_rest.operations import OPERATIONS
added = [operation for operation in OPERATIONS if operation.tag == "token counts"]
[import_module(f"voyageai_rest.api.{operation.module}") for operation in added]
[asdict(operation) for operation in added]
"""
    assert [
        {
            "id": "countTokens",
            "method": "POST",
            "path": "/tokens",
            "tag": "token counts",
            "servers": ["voyage", "atlas", "us", "eu", "jp"],
            "module": "token_counts.count_tokens",
            "request": "CountTokensRequest",
        },
        {
            "id": "import",
            "method": "DELETE",
            "path": "/tokens/{countId}",
            "tag": "token counts",
            "servers": ["voyage", "atlas", "us", "eu", "jp"],
            "module": "token_counts.import_",
            "request": None,
        },
    ] == ask(changed, code)


def test_a_new_operation_can_be_sent(changed: Path, ask: Ask) -> None:
    """Request and response are typed, down to open fields of a model in a list."""
    code = """
import httpx2
from voyageai_rest import Client
from voyageai_rest.api.token_counts import count_tokens
from voyageai_rest.models import CountTokensRequest
seen = []
def answer(request):
    seen.append([request.method, request.url.path, json.loads(request.content)])
    return httpx2.Response(200, json=[{"tokens": 2, "cache": {"total_tokens": 1}}])
transport = httpx2.MockTransport(answer)
with Client(api_key="t", httpx_args={"transport": transport}) as client:
    parsed = count_tokens.send(client=client, body=CountTokensRequest(texts=["a b"])).parsed
cache = parsed[0].additional_properties["cache"]
[seen, parsed[0].tokens, cache.total_tokens, parsed[0].to_dict()]
"""
    seen, tokens, cached, written = ask(changed, code)
    assert [["POST", "/v1/tokens", {"texts": ["a b"]}]] == seen
    assert [2, 1] == [tokens, cached]
    assert {"tokens": 2, "cache": {"total_tokens": 1}} == written


def test_a_body_that_is_not_required_can_be_left_out(changed: Path, ask: Ask) -> None:
    """The client then sends no body, instead of an empty object."""
    code = """
from voyageai_rest.api.token_counts import count_tokens
from voyageai_rest.types import UNSET
[count_tokens.build_request().json is UNSET]
"""
    assert [True] == ask(changed, code)


def test_an_answer_without_content_is_none(changed: Path, ask: Ask) -> None:
    """Parsing an empty 204 body as JSON would turn every success into an error."""
    code = """
import datetime
import importlib
import httpx2
from voyageai_rest import Client
operation = importlib.import_module("voyageai_rest.api.token_counts.import_")
seen = []
def answer(request):
    seen.append([request.method, str(request.url)])
    return httpx2.Response(204)
transport = httpx2.MockTransport(answer)
noon = datetime.datetime(2026, 1, 2, 12, tzinfo=datetime.timezone.utc)
with Client(api_key="t", base_url="https://a/v1", httpx_args={"transport": transport}) as client:
    response = operation.send(client=client, count_id=7, before=noon)
[response.parsed, response.status_code, seen]
"""
    url = "https://a/v1/tokens/7?before=2026-01-02T12%3A00%3A00%2B00%3A00"
    assert [None, 204, [["DELETE", url]]] == ask(changed, code)


def test_a_broken_item_of_a_list_is_named(changed: Path, ask: Ask) -> None:
    """The error gives the item's index, in a list body as well as in an undocumented field."""
    code = """
from types import SimpleNamespace
from voyageai_rest.api.token_counts import count_tokens
from voyageai_rest.errors import MalformedResponse
def reason(content):
    response = SimpleNamespace(status_code=200, headers={}, content=content)
    try:
        count_tokens.parse_response(response)
    except MalformedResponse as error:
        return error.reason
[reason(b'[{"tokens": 1}, {}]'), reason(b'[{"tokens": 1, "a": {"total_tokens": "b"}}]')]
"""
    assert [
        "[1].tokens: missing",
        "[0].a.total_tokens: expected an integer, found a string",
    ] == ask(changed, code)


def test_the_changed_client_is_clean_under_mypy(changed: Path, mypy_cache: str) -> None:
    """The generated code must type-check whatever the spec becomes."""
    api = pytest.importorskip("mypy.api", reason="mypy is not installed here")
    package = changed / "voyageai_rest"
    options = ["--strict", "--config-file=", "--cache-dir", mypy_cache, "--python-version=3.11"]
    report, problems, status = api.run([*options, str(package)])
    assert (0, "") == (status, problems), report


READ = {
    "what holds others": {
        "EmbeddingsResponse": ["data", "usage", "model"],
        "ContextualizedEmbeddingsResponse": ["data", "chunker_version"],
        "RerankResponse": ["data"],
    },
    "what is held": {
        "Embedding": ["embedding", "index"],
        "DocumentEmbeddings": ["data", "index"],
        "MultimodalUsage": ["text_tokens", "image_pixels", "video_pixels"],
        "RerankResult": ["index", "relevance_score"],
        "TokenUsage": ["total_tokens"],
    },
    "what is held by that": {"ChunkEmbedding": ["embedding", "index", "text"]},
}
"""Fields that the results read, by schema; mypy does not check the fields of an unknown name."""


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(fields, id=name, marks=[pytest.mark.full] * (name != "what is held"))
        for name, fields in READ.items()
    ],
)
def test_every_reader_of_a_renamed_field_is_found_by_mypy(
    generate: Generate, tmp_path: Path, mypy_cache: str, read: dict[str, list[str]]
) -> None:
    """Otherwise users would find a forgotten use, as an AttributeError at run time."""
    api = pytest.importorskip("mypy.api", reason="mypy is not installed here")

    def rename(openapi: Document, catalogue: Document) -> None:
        for name, fields in read.items():
            schema = openapi["components"]["schemas"][name]
            schema["required"] = list(set(schema.get("required", ())) - set(fields))
            del schema["examples"]
            for field in fields:
                schema["properties"][f"new_{field}"] = schema["properties"].pop(field)

    overlay = paths.ROOT / "overlay"
    config = tmp_path / "mypy.ini"
    config.write_text(
        f"[mypy]\nmypy_path = {generate(rename)}, {overlay}\nfollow_imports = silent\n"
    )
    options = ["--strict", "--config-file", str(config), "--cache-dir", mypy_cache]
    report, problems, _ = api.run([*options, str(overlay / "voyageai" / "results")])
    missed = [
        f"{name}.{field}"
        for name, fields in read.items()
        for field in fields
        if not re.search(rf'"{name}" (of .+ )?has no attribute "{field}"', report)
    ]
    assert ("", []) == (problems, missed), report


LINE = "\n    priority: int | None\n"
OPTIONS = ("EmbedOptions", "EmbedTableOptions", "EmbedJobOptions")
"""The classes that declare the fields of `/embeddings` to type checkers and editors."""
USE = """
import voyageai


async def use(vo: voyageai.Client, other: voyageai.AsyncClient) -> None:
    vo.embed("a", "m", priority=3)
    vo.embed_query("a", "m", priority=None)
    await other.embed_documents(["a"], "m", priority=3)
    vo.batches.embed(["a"], model="m", priority=3)
    await other.batches.prepare_embed(["a"], model="m", priority=3)
    vo.tables.embed("a.csv", text="a", model="m", into="b", priority=3)
    vo.rerank("a", ["b"], "m", priority=3)  # WRONG
    vo.embed("a", "m", priority="high")  # WRONG
    vo.batches.rerank([("a", ["b"])], model="m", priority=3)  # WRONG
    vo.batches.embed(["a"], model="m", priority="high")  # WRONG
"""


def add_field_everywhere(openapi: Document, catalogue: Document) -> None:
    add_field(openapi, catalogue)
    schemas = openapi["components"]["schemas"]
    field = schemas["EmbeddingsRequest"]["properties"]["priority"]
    schemas["BatchEmbeddingsParams"]["properties"]["priority"] = field


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    """A copy of the overlay."""
    ignored = shutil.ignore_patterns("__pycache__")
    return Path(shutil.copytree(paths.ROOT / "overlay", tmp_path / "overlay", ignore=ignored))


def add_lines(overlay: Path) -> None:
    """Add the new field to the option classes of calls and jobs, after their docstrings."""
    for name in OPTIONS:
        [path] = [
            each
            for each in overlay.joinpath("voyageai").rglob("*.py")
            if f"class {name}(" in each.read_text("utf-8")
        ]
        head, start, tail = path.read_text("utf-8").partition(f"class {name}(")
        docstring, end, rest = tail.partition('"""\n')
        path.write_text(f"{head}{start}{docstring}{end}{LINE}{rest}", encoding="utf-8")


def test_a_line_in_the_options_lets_type_checkers_know_a_new_field(
    overlay: Path, tmp_path: Path, mypy_cache: str
) -> None:
    """The options are the one other place to edit: both clients and all overloads read them."""
    api = pytest.importorskip("mypy.api", reason="mypy is not installed here")
    add_lines(overlay)
    (tmp_path / "use.py").write_text(USE, encoding="utf-8")
    config = tmp_path / "mypy.ini"
    config.write_text(
        f"[mypy]\nmypy_path = {paths.GENERATED}, {overlay}\nfollow_imports = silent\n"
    )
    given = ["--strict", "--config-file", str(config), "--cache-dir", mypy_cache]
    report, problems, _ = api.run([*given, str(tmp_path / "use.py")])
    wrong = [number for number, line in enumerate(USE.split("\n"), 1) if "WRONG" in line]
    found = [int(line.split(":")[1]) for line in report.splitlines() if ": error:" in line]
    assert ("", wrong) == (problems, found), report


def test_a_field_that_type_checkers_do_not_know_is_found(
    generate: Generate, overlay: Path, tmp_path: Path
) -> None:
    """The comparison of arguments with the contract requires the line, and then passes."""
    folder = generate(add_field_everywhere)

    def compared() -> set[str]:
        command = ["pytest", "-q", "-p", "no:cacheprovider", "tests/overlay/test_arguments.py"]
        done = subprocess.run(
            [sys.executable, "-m", *command, "-k", "optional_field"],
            cwd=paths.ROOT,
            env={**os.environ, "PYTHONPATH": f"{overlay}{os.pathsep}{folder}"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in (0, 1), done.stdout
        return set(re.findall(r"^FAILED .*\[(.+?)\]", done.stdout, flags=re.MULTILINE))

    of_clients = {"embed", "embed_query", "embed_documents"}
    missing = {f"{kind}.{name}" for kind in ("Client", "AsyncClient") for name in of_clients} | {
        f"{kind}.{name}"
        for kind in ("Batches", "AsyncBatches", "Tables", "AsyncTables")
        for name in ("embed", "prepare_embed")
    }
    assert missing == compared()
    add_lines(overlay)
    assert set() == compared()


def add_classify(openapi: Document, catalogue: Document) -> None:
    schemas = openapi["components"]["schemas"]
    schemas["ClassifyRequest"] = {
        "type": "object",
        "description": "Texts to classify.",
        "additionalProperties": False,
        "required": ["input", "model"],
        "properties": {
            "input": {"type": "array", "items": {"type": "string"}},
            "model": {"type": "string"},
            "labels": {"type": ["array", "null"], "items": {"type": "string"}},
        },
    }
    schemas["ClassifyResponse"] = {
        "type": "object",
        "description": "A label per text.",
        "required": ["labels"],
        "properties": {"labels": {"type": "array", "items": {"type": "string"}}},
    }
    openapi["tags"].append({"name": "classification", "description": "Classifying."})
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/ClassifyRequest"}}}
    answer = {"application/json": {"schema": {"$ref": "#/components/schemas/ClassifyResponse"}}}
    openapi["paths"]["/classify"] = {
        "post": {
            "operationId": "classify",
            "tags": ["classification"],
            "summary": "Classify texts.",
            "security": [{"bearer": []}],
            "requestBody": {"required": True, "content": content},
            "responses": {"200": {"description": "A label per text.", "content": answer}},
        }
    }


CALL = '''

def classify(texts: list[str], model: str, fields: Fields) -> Call[Any]:
    """Return the call of `Client.classify`."""
    from voyageai_rest.api.classification import classify as operation
    from voyageai_rest.models.classify_request import ClassifyRequest

    body = fill(ClassifyRequest(input=texts, model=model), "classify", fields)
    request = operation.build_request(body=body)
    tokens = partial(estimate_tokens, texts)
    return Call(request, operation.parse_response, model, tokens, method="classify")
'''
METHOD = '''
    {begin}def classify(self, texts: list[str], model: str, labels: Any = None, **options: Any) -> Any:
        """Classify texts."""
        from . import calls

        fields, own = self._arguments("classify", options, labels=labels)
        return {wait}self._send(calls.classify(texts, model, fields), own)

'''
CLASSIFIED = """
import asyncio, httpx2, voyageai
seen = []
def answer(request):
    seen.append([request.url.path, json.loads(request.content)])
    return httpx2.Response(200, json={"labels": ["dog", "cat"]})
given = {"texts": ["a", "b"], "model": "m", "labels": ["cat", "dog"]}
transport = httpx2.MockTransport(answer)
vo = voyageai.Client("k", transport=transport)
found = [vo.classify(**given).labels, vo.with_raw_response.classify(**given).status_code]
other = voyageai.AsyncClient("k", transport=transport)
found += [asyncio.run(other.classify(**given, max_retries=1)).labels]
try:
    vo.classify(["a"], "m", label=["cat"])
except TypeError as error:
    found += [str(error)]
[found, seen]
"""


def test_a_new_endpoint_is_three_functions(generate: Generate, ask: Ask, overlay: Path) -> None:
    """A new endpoint gets retries, options and errors without any code of its own."""
    calls = overlay / "voyageai" / "calls.py"
    calls.write_text(calls.read_text("utf-8") + CALL, encoding="utf-8")
    for name, kind, words in (
        ("client", "", {"begin": "", "wait": ""}),
        ("client_async", "_async", {"begin": "async ", "wait": "await "}),
    ):
        path = overlay / "voyageai" / f"{name}.py"
        head, place, tail = path.read_text("utf-8").partition("\n    @property\n    def files(")
        last = f"    rerank = raw{kind}({'Async' * bool(kind)}Client.rerank)\n"
        assert last in tail
        line = last.replace("rerank", "classify")
        tail = tail.replace(last, last + line)
        path.write_text(head + METHOD.format(**words) + place + tail, encoding="utf-8")

    found, seen = ask(f"{generate(add_classify)}{os.pathsep}{overlay}", CLASSIFIED)
    said = "classify() got an unexpected keyword argument 'label'; did you mean 'labels'?"
    assert [["dog", "cat"], 200, ["dog", "cat"], said] == found
    body = {"input": ["a", "b"], "model": "m", "labels": ["cat", "dog"]}
    assert [["/v1/classify", body]] * 3 == seen
