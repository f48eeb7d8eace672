"""A contract new to this project becomes a client by data alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from generator import paths
from generator.build import build
from generator.checks import problems, read

CONTRACTS = """
parcels_rest:
  document: parcels.yaml
  error: {schema: Refusal, message: why}
  request_id: x-trace
  errors: {"404": Missing}
  example: |
    from parcels_rest.api.parcels import send_parcel
"""
PARCELS = """
openapi: 3.1.0
info: {title: Parcels, version: "3"}
x-sources:
  US: {title: We made it up}
servers:
  - {url: https://parcels.example/post, x-name: main}
tags:
  - {name: parcels, description: Parcels.}
paths:
  /depots/{depotId}/parcels:
    post:
      operationId: sendParcel
      tags: [parcels]
      summary: Send a parcel.
      description: Takes a parcel.
      security: [signature: []]
      parameters:
        - {name: depotId, in: path, required: true, description: The depot., schema: {type: integer}}
      requestBody:
        required: true
        content:
          application/vnd.parcels.v3+json:
            schema: {$ref: "#/components/schemas/ParcelRequest"}
      responses:
        "201":
          description: The parcel.
          headers: {x-trace: {schema: {type: string}}}
          content:
            application/vnd.parcels.v3+json:
              schema: {$ref: "#/components/schemas/Parcel"}
        "404": {$ref: "#/components/responses/Missing"}
  /parcels/{parcelId}:recall:
    post:
      operationId: recallParcel
      tags: [parcels]
      summary: Recall a parcel.
      description: Brings a parcel back.
      security: [signature: []]
      parameters:
        - {name: parcelId, in: path, required: true, description: The parcel., schema: {type: string}}
      responses:
        "204":
          description: It comes back.
          headers: {x-trace: {schema: {type: string}}}
        "404": {$ref: "#/components/responses/Missing"}
components:
  securitySchemes:
    signature: {type: http, scheme: digest}
  responses:
    Missing:
      description: There is none.
      headers: {x-trace: {schema: {type: string}}}
      content:
        application/json:
          schema: {$ref: "#/components/schemas/Refusal"}
  schemas:
    ParcelRequest:
      type: object
      description: What to send.
      additionalProperties: false
      required: [weightGrams]
      x-source: [US (documented)]
      properties:
        weightGrams: {type: integer, minimum: 1, description: Its weight.}
      examples: [{weightGrams: 300}]
    Parcel:
      type: object
      description: A parcel.
      required: [parcelId]
      properties:
        parcelId: {type: string, description: Its id.}
        pin: {type: string, format: password, description: Opens the box.}
        others: {type: string, description: Those that came with it.}
        self: {type: string, description: Where it is.}
      examples: [{parcelId: p-1}]
    Refusal:
      type: object
      description: Why not.
      properties:
        why: {type: string, description: The reason.}
      examples: [{why: no such depot}]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A spec that holds only this contract."""
    made = tmp_path_factory.mktemp("third")
    (made / "contracts.yaml").write_text(CONTRACTS, encoding="utf-8")
    (made / "parcels.yaml").write_text(PARCELS, encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def generated(folder: Path) -> Path:
    """The folder with the client generated from it."""
    target = folder / "generated"
    target.mkdir()
    build(target, folder)
    return target


def test_it_is_checked_by_the_same_rules(folder: Path) -> None:
    """The rules apply to every contract, not only to the two that exist."""
    assert [] == problems(read(folder))
    lost = PARCELS.replace('        "404": {$ref: "#/components/responses/Missing"}\n', "", 1)
    (folder / "parcels.yaml").write_text(lost, encoding="utf-8")
    expected = (
        "spec/parcels.yaml:paths./depots/{depotId}/parcels.post.responses.404: "
        "operations-document-errors: is not documented with the shared response Missing"
    )
    assert [expected] == problems(read(folder))
    (folder / "parcels.yaml").write_text(PARCELS, encoding="utf-8")


def test_it_becomes_a_client_that_works(generated: Path) -> None:
    """The contract has media types with versions, a colon in a path, 201, 204, digest and errors.

    Some of its fields have the names of arguments of generated functions.
    """
    code = """
import json
import httpx2
from parcels_rest import Client
from parcels_rest.api.parcels import recall_parcel, send_parcel
from parcels_rest.models import ParcelRequest
from parcels_rest.operations import OPERATIONS, SERVERS
from parcels_rest.status import StatusError
seen = []
def answer(request):
    head = request.headers
    if "authorization" not in head:
        return httpx2.Response(401, headers={"www-authenticate": 'Digest realm="r", nonce="n", qop="auth"'})
    seen.append([request.method, request.url.path, head["accept"], head.get("content-type")])
    if request.url.path.endswith("p-2:recall"):
        return httpx2.Response(404, json={"why": "no such parcel"}, headers={"x-trace": "t-1"})
    if request.url.path.endswith(":recall"):
        return httpx2.Response(204)
    return httpx2.Response(201, json={"parcelId": "p-1", "pin": "4711", "others": "p-0", "self": "/p-1"})
transport = httpx2.MockTransport(answer)
auth = httpx2.DigestAuth("me", "secret")
with Client(auth=auth, httpx_args={"transport": transport}) as client:
    sent = send_parcel.send(client=client, depot_id=7, body=ParcelRequest(weight_grams=300))
    recalled = recall_parcel.send(client=client, parcel_id="p-1")
    try:
        recall_parcel.send(client=client, parcel_id="p-2")
    except StatusError as error:
        refusal = [str(error), error.error.why, error.request_id]
print(json.dumps([
    seen, sent.status_code, sent.parsed.pin, sent.parsed.to_dict()["others"], repr(sent), recalled.parsed, refusal,
    [operation.id for operation in OPERATIONS], SERVERS[0].name,
]))
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, "PYTHONPATH": str(generated)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    found: list[Any] = json.loads(done.stdout)
    seen, status, pin, others, shown, recalled, refusal, operations, server = found
    media_type = "application/vnd.parcels.v3+json"
    assert [
        ["POST", "/post/depots/7/parcels", media_type, media_type],
        ["POST", "/post/parcels/p-1:recall", "*/*", None],
        ["POST", "/post/parcels/p-2:recall", "*/*", None],
    ] == seen
    assert [201, "4711", "p-0", None] == [status, pin, others, recalled]
    assert "4711" not in shown
    assert ["HTTP 404: no such parcel", "no such parcel", "t-1"] == refusal
    assert [["sendParcel", "recallParcel"], "main"] == [operations, server]


def test_it_is_clean_under_mypy(generated: Path, mypy_cache: str) -> None:
    """Users of any generated client can run mypy on their code."""
    api = pytest.importorskip("mypy.api", reason="mypy is not installed here")
    options = ["--strict", "--config-file=", "--cache-dir", mypy_cache, "--python-version=3.11"]
    report, wrong, status = api.run([*options, str(generated / "parcels_rest")])
    assert (0, "") == (status, wrong), report


def test_nothing_of_this_project_s_contracts_is_in_it(generated: Path) -> None:
    """Names, headers and examples come from the new contract only."""
    words = ("voyage", "atlas", "x-request-id", "dtype", "catalogue")
    found = [
        (path.relative_to(generated).as_posix(), word)
        for path in generated.joinpath("parcels_rest").rglob("*.py")
        for word in words
        if word in path.read_text(encoding="utf-8").lower()
    ]
    assert [] == found


def test_the_generator_names_no_contract() -> None:
    """Only data in the spec distinguishes one contract from another."""
    code = [*paths.TEMPLATES.rglob("*.jinja"), *paths.GENERATOR.glob("*.py")]
    code += (paths.GENERATOR / "checks").glob("*.py")
    words = ("voyageai_rest", "voyageai_admin_rest", "openapi.yaml", "admin.yaml")
    found = [
        (path.name, word)
        for path in code
        for word in words
        if word in path.read_text(encoding="utf-8")
    ]
    assert [] == found


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("document: a.yaml", "'error' is a required property"),
        ("document: a.yaml\n  error: {schema: E, message: m}\n  colour: blue", "'colour'"),
        (
            "document: a.yaml\n  error: {schema: E, message: m}\n  shares: other_rest",
            "shares the types of other_rest, which must be a package listed above it",
        ),
    ],
)
def test_a_wrong_entry_is_named(entry: str, reason: str, tmp_path: Path, run) -> None:
    """A mistake in contracts.yaml gives a message instead of a traceback."""
    (tmp_path / "contracts.yaml").write_text(f"a_rest:\n  {entry}\n", encoding="utf-8")
    done = run("--check", "--spec", tmp_path)
    assert 2 == done.returncode
    assert "contracts.yaml: a_rest" in done.stderr
    assert reason in done.stderr
    assert "Traceback" not in done.stderr
