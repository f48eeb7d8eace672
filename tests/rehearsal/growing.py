"""What a contract may gain at any time, as a maintainer writes it: a model, a field, an operation."""

from __future__ import annotations

from pathlib import Path

LIKE = "voyage-4"
FIELD = "priority"
PROPERTY = """\
        priority:
          type: [integer, "null"]
          description: How soon the answer is needed; the higher, the sooner.
          minimum: 1
          maximum: 9
          default: null
          x-source: [VREF (documented)]
"""
OPERATION = "countTokens"
TAG = """\
  - name: tokens
    description: Tokens of texts.
"""
PATH = """\
  /tokens:
    post:
      operationId: countTokens
      tags: [tokens]
      summary: Count tokens.
      description: Counts the tokens of texts as a model does, without embedding them.
      security: [bearer: []]
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: "#/components/schemas/CountTokensRequest"}
      responses:
        "200":
          description: One count per text.
          headers: {x-request-id: {$ref: "#/components/headers/RequestId"}}
          content:
            application/json:
              schema: {$ref: "#/components/schemas/CountTokensResponse"}
        "400": {$ref: "#/components/responses/InvalidRequest"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "403": {$ref: "#/components/responses/Forbidden"}
        "404": {$ref: "#/components/responses/NotFound"}
        "410": {$ref: "#/components/responses/ModelRetired"}
        "422": {$ref: "#/components/responses/UnprocessableContent"}
        "429": {$ref: "#/components/responses/RateLimited"}
        5XX: {$ref: "#/components/responses/ServerError"}
"""
SCHEMAS = """\
    CountTokensRequest:
      type: object
      description: Texts whose tokens are counted.
      additionalProperties: false
      required: [texts, model]
      x-source: [VREF (documented)]
      properties:
        texts:
          type: array
          description: The texts.
          minItems: 1
          maxItems: 1000
          items: {type: string}
        model:
          type: string
          description: Name of a model.
      examples:
        - {texts: [Where are the keys?], model: voyage-4}
    CountTokensResponse:
      type: object
      description: How many tokens texts have.
      required: [counts]
      x-source: [VREF (documented)]
      properties:
        object:
          type: string
          description: Always `list`.
        counts:
          type: array
          description: Tokens of each text, in the order of the texts.
          items: {type: integer}
      examples:
        - {object: list, counts: [5]}
"""


def add_model(spec: Path, name: str) -> None:
    """Write a model into the catalogue: an entry like that of one that is there."""
    path = spec / "catalogue.yaml"
    head, start, rest = path.read_text("utf-8").partition(f"\n  {LIKE}:\n")
    entry, end, tail = rest.partition("\n\n")
    path.write_text(f"{head}{start}{entry}\n\n  {name}:\n{entry}{end}{tail}", encoding="utf-8")


def add_field(spec: Path) -> None:
    """Write an optional field of a request into the contract."""
    _insert(spec, "    EmbeddingsRequest:\n", "        output_dimension:\n", PROPERTY)


def add_operation(spec: Path) -> None:
    """Write an operation with a tag and schemas of its own into the contract."""
    _insert(spec, "\ntags:\n", "", TAG)
    _insert(spec, "\npaths:\n", "", PATH)
    _insert(spec, "\n  schemas:\n", "", SCHEMAS)


def _insert(spec: Path, start: str, before: str, text: str) -> None:
    """Put lines before the first place that begins so after another."""
    path = spec / "openapi.yaml"
    head, start, rest = path.read_text("utf-8").partition(start)
    first, before, tail = rest.partition(before) if before else ("", "", rest)
    path.write_text(f"{head}{start}{first}{text}{before}{tail}", encoding="utf-8")
