"""The change of the contract that is rehearsed: new models, an optional field, an operation."""

from __future__ import annotations

from pathlib import Path

MODELS = ("voyage-4.5", "voyage-5")  # names similar to existing ones
MODEL, FIELD, OPERATION = MODELS[0], "priority", "countTokens"
LIKE = "voyage-4"
PROPERTY = """\
        priority:
          type: [integer, "null"]
          description: How soon the answer is needed; the higher, the sooner.
          minimum: 1
          maximum: 9
          default: null
          x-source: [VREF (documented)]
"""
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


def change(spec: Path) -> None:
    """Write the change into the catalogue and the contract."""
    catalogue, openapi = spec / "catalogue.yaml", spec / "openapi.yaml"
    catalogue.write_text(_with_models(catalogue.read_text("utf-8")), encoding="utf-8")
    text = openapi.read_text("utf-8")
    text = _after(text, "    EmbeddingsRequest:\n", "      properties:\n", PROPERTY)
    text = _after(text, "\ntags:\n", "", TAG)
    text = _after(text, "\npaths:\n", "", PATH)
    openapi.write_text(_after(text, "\n  schemas:\n", "", SCHEMAS), encoding="utf-8")


def _with_models(text: str) -> str:
    """Return the catalogue with the new models, which are copies of an existing one."""
    head, start, rest = text.partition(f"\n  {LIKE}:\n")
    entry, end, tail = rest.partition("\n\n")
    added = "".join(f"\n\n  {name}:\n{entry}" for name in MODELS)
    return f"{head}{start}{entry}{added}{end}{tail}"


def _after(text: str, place: str, then: str, lines: str) -> str:
    """Return the text with lines inserted after the first `then` that follows `place`."""
    head, place, rest = text.partition(place)
    first, then, tail = rest.partition(then) if then else ("", "", rest)
    return f"{head}{place}{first}{then}{lines}{tail}"
