"""Faults of the spec: for each rule, at least one fault that breaks only this rule."""

from copy import deepcopy
from typing import Any

from generator.checks import Documents

Place = tuple[str | int, ...]

DROPPED = object()
SCHEMAS = ("components", "schemas")
EMBED = ("paths", "/embeddings", "post")
BODY = ("content", "application/json", "schema")
LINKS = ("paths", "/files", "post", "responses", "200", "links")
INPUT_TYPE = (*SCHEMAS, "EmbeddingsRequest", "properties", "input_type")
REFERENCE = {"$ref": "#/components/schemas/InputType"}
NULL = {"type": "null"}
DEPLOYED = ("deployments", "azure")
SOURCE = {"title": "A page.", "url": "https://example.com/page", "read": "2026-11-28"}


def one_of(*options: object, keyword: str = "oneOf") -> dict[str, object]:
    return {"description": "Purpose.", keyword: list(options)}


# The rule, the document, a path in it, and a value there that breaks the rule.
FAULTS: list[tuple[str, str, Place, object]] = [
    ("openapi-is-valid", "openapi", ("info",), DROPPED),
    ("openapi-is-valid", "openapi", ("openapi",), "3.0.3"),
    ("openapi-is-valid", "openapi", (*EMBED, "sumary"), "Embed texts."),
    ("openapi-is-valid", "openapi", (*EMBED, "operationId"), "rerank"),
    ("openapi-is-valid", "openapi", (*SCHEMAS, "Embedding", "type"), "vector"),
    (
        "openapi-is-valid",
        "openapi",
        (*SCHEMAS, "Embedding", "properties", "embedding", "$ref"),
        "#/components/schemas/Gone",
    ),
    ("openapi-is-valid", "openapi", (*EMBED, "responses", "400", "$ref"), "#/components/gone"),
    ("catalogue-is-valid", "catalogue", ("models", "voyage-4", "rpm"), "many"),
    ("catalogue-is-valid", "catalogue", ("models", "voyage-4", "colour"), "blue"),
    ("catalogue-is-valid", "catalogue", ("models", "voyage-4", "source", "rpm"), DROPPED),
    ("deployments-are-valid", "deployments", (*DEPLOYED, "authentication"), "a handshake"),
    ("deployments-are-valid", "deployments", (*DEPLOYED, "source", "url"), ["SOMEBODY"]),
    ("deployments-have-sources", "deployments", (*DEPLOYED, "source", "url"), DROPPED),
    ("deployments-have-sources", "deployments", (*DEPLOYED, "health"), DROPPED),
    ("deployments-name-sources", "deployments", (*DEPLOYED, "source", "url"), ["GONE (live)"]),
    ("deployments-name-sources", "deployments", ("sources", "NOBODY"), SOURCE),
    (
        "deployments-have-operations-of-the-contract",
        "deployments",
        (*DEPLOYED, "paths", "classify"),
        "/classify",
    ),
    (
        "deployments-have-fields-of-the-contract",
        "deployments",
        (*DEPLOYED, "implied", "colour"),
        "blue",
    ),
    ("operations-are-described", "openapi", (*EMBED, "operationId"), DROPPED),
    ("operations-are-described", "openapi", (*EMBED, "summary"), DROPPED),
    ("operations-are-described", "openapi", (*EMBED, "description"), ""),
    ("operations-have-one-declared-tag", "openapi", (*EMBED, "tags"), DROPPED),
    ("operations-have-one-declared-tag", "openapi", (*EMBED, "tags"), ["embeddings", "files"]),
    ("operations-have-one-declared-tag", "openapi", (*EMBED, "tags"), ["vectors"]),
    ("operations-are-secured", "openapi", (*EMBED, "security"), DROPPED),
    ("operations-are-secured", "openapi", (*EMBED, "security"), []),
    ("operations-are-secured", "openapi", (*EMBED, "security"), [{"bearer": []}, {}]),
    ("operations-are-secured", "openapi", (*EMBED, "security"), [{"cookie": []}]),
    ("operations-document-errors", "openapi", (*EMBED, "responses", "429"), DROPPED),
    ("operations-document-errors", "openapi", (*EMBED, "responses", "5XX"), DROPPED),
    ("operations-document-errors", "openapi", (*EMBED, "responses", "410"), DROPPED),
    (
        "operations-document-errors",
        "openapi",
        (*EMBED, "responses", "422"),
        {"$ref": "#/components/responses/NotFound"},
    ),
    ("responses-carry-a-request-id", "openapi", (*EMBED, "responses", "200", "headers"), DROPPED),
    (
        "responses-carry-a-request-id",
        "openapi",
        ("components", "responses", "Forbidden", "headers"),
        {},
    ),
    ("bodies-are-references", "openapi", (*EMBED, "requestBody", *BODY), {"type": "string"}),
    ("bodies-are-references", "openapi", (*EMBED, "responses", "200", *BODY), {"type": "string"}),
    (
        "bodies-are-references",
        "openapi",
        ("components", "responses", "Forbidden", *BODY),
        {"type": "string"},
    ),
    (
        "parameters-are-described",
        "openapi",
        ("components", "parameters", "FileId"),
        {
            "name": "file_id",
            "in": "path",
            "required": True,
            "schema": {"type": "string"},
        },
    ),
    (
        "parameters-are-described",
        "openapi",
        ("paths", "/files", "get", "parameters", 0, "description"),
        DROPPED,
    ),
    ("servers-are-named", "openapi", ("servers", 1, "x-name"), DROPPED),
    ("servers-are-named", "openapi", ("servers", 1, "x-name"), "eu"),
    ("servers-are-of-a-platform", "openapi", ("servers", 0, "x-platform"), DROPPED),
    ("servers-are-of-a-platform", "openapi", ("servers", 0, "x-platform"), "cloud"),
    ("tags-name-servers", "openapi", ("tags", 2, "x-servers"), ["voyage", "moon"]),
    ("nulls-name-servers", "openapi", (*INPUT_TYPE, "x-null"), ["voyage", "moon"]),
    (
        "nulls-name-servers",
        "openapi",
        (*SCHEMAS, "EmbeddingsRequest", "properties", "truncation", "x-null"),
        ["voyage"],
    ),
    ("links-lead-to-operations", "openapi", (*LINKS, "retrieve", "operationId"), "readFile"),
    (
        "links-lead-to-operations",
        "openapi",
        (*LINKS, "retrieve", "parameters"),
        {"id": "$response.body#/id"},
    ),
    (
        "links-lead-to-operations",
        "openapi",
        (*LINKS, "run", "requestBody"),
        {"file_id": "$response.body#/id"},
    ),
    (
        "links-start-in-answers",
        "openapi",
        (*LINKS, "retrieve", "parameters", "file_id"),
        "$response.body#/file_id",
    ),
    (
        "links-start-in-answers",
        "openapi",
        (*LINKS, "deleteWithOthers", "requestBody", "file_ids"),
        ["file-1"],
    ),
    (
        "objects-are-named",
        "openapi",
        (*SCHEMAS, "RerankResponse", "properties", "usage"),
        {
            "description": "The bill.",
            "properties": {"total_tokens": {"type": "integer", "description": "Tokens."}},
        },
    ),
    (
        "objects-are-named",
        "openapi",
        (*SCHEMAS, "RerankResponse", "properties", "data", "items"),
        {"type": "object", "properties": {}},
    ),
    (
        "requests-are-closed",
        "openapi",
        (*SCHEMAS, "RerankRequest", "additionalProperties"),
        DROPPED,
    ),
    ("requests-are-closed", "openapi", (*SCHEMAS, "TextContent", "additionalProperties"), True),
    ("responses-are-open", "openapi", (*SCHEMAS, "Embedding", "additionalProperties"), False),
    ("responses-are-open", "openapi", (*SCHEMAS, "Error", "additionalProperties"), False),
    (
        "nullable-enums-are-a-reference-or-null",
        "openapi",
        INPUT_TYPE,
        {"description": "Purpose.", "enum": ["query", None], "x-source": ["VREF (documented)"]},
    ),
    (
        "nullable-enums-are-a-reference-or-null",
        "openapi",
        (*SCHEMAS, "InputType", "type"),
        ["string", "null"],
    ),
    (
        "nullable-enums-are-a-reference-or-null",
        "openapi",
        INPUT_TYPE,
        one_of(REFERENCE, NULL, keyword="anyOf"),
    ),
    ("nullable-enums-are-a-reference-or-null", "openapi", INPUT_TYPE, one_of(NULL, REFERENCE)),
    (
        "nullable-enums-are-a-reference-or-null",
        "openapi",
        INPUT_TYPE,
        one_of(REFERENCE, NULL, {"type": "integer"}),
    ),
    (
        "numbers-are-not-in-unions",
        "openapi",
        (*SCHEMAS, "Vector", "anyOf", 1, "items", "type"),
        ["number", "null"],
    ),
    (
        "numbers-are-not-in-unions",
        "openapi",
        (*SCHEMAS, "Vector", "anyOf", 1, "items"),
        {"anyOf": [{"type": "string"}, {"type": "number"}]},
    ),
    (
        "keywords-are-known",
        "openapi",
        (*SCHEMAS, "TextContent", "properties", "text", "or a longer one."),
        None,
    ),
    ("keywords-are-known", "openapi", (*SCHEMAS, "TokenUsage", "nullable"), True),
    ("schemas-are-described", "openapi", (*SCHEMAS, "TokenUsage", "description"), DROPPED),
    (
        "properties-are-described",
        "openapi",
        (*SCHEMAS, "Embedding", "properties", "index", "description"),
        DROPPED,
    ),
    (
        "defaults-are-described",
        "openapi",
        (*SCHEMAS, "RerankResponse", "properties", "usage", "default"),
        {"total_tokens": 0},
    ),
    ("schemas-have-examples", "openapi", (*SCHEMAS, "TokenUsage", "examples"), DROPPED),
    ("schemas-have-examples", "openapi", (*SCHEMAS, "TokenUsage", "examples"), []),
    (
        "examples-validate",
        "openapi",
        (*SCHEMAS, "TokenUsage", "examples", 0),
        {"total_tokens": "x"},
    ),
    ("examples-validate", "openapi", (*SCHEMAS, "FileObject", "examples", 0, "created_at"), "noon"),
    ("examples-validate", "openapi", (*SCHEMAS, "EmbeddingsRequest", "examples", 1, "inpt"), "x"),
    ("examples-validate", "openapi", (*SCHEMAS, "Batch", "examples", 0, "request_counts"), {}),
    (
        "examples-validate",
        "openapi",
        (*SCHEMAS, "RerankRequest", "properties", "model", "examples", 0),
        2.5,
    ),
    (
        "examples-validate",
        "openapi",
        ("components", "parameters", "BatchId", "schema", "examples", 0),
        3,
    ),
    (
        "examples-validate",
        "openapi",
        (
            *("components", "responses", "InvalidRequest", "content", "application/json"),
            *("examples", "not_json", "value"),
        ),
        {"message": "JSON decode error"},
    ),
    ("sources-are-graded", "openapi", (*SCHEMAS, "InputType", "x-source"), "VREF (documented)"),
    ("sources-are-graded", "openapi", (*SCHEMAS, "InputType", "x-source"), ["VREF"]),
    ("sources-are-graded", "openapi", (*SCHEMAS, "InputType", "x-source"), ["VREF (rumoured)"]),
    ("sources-are-graded", "openapi", (*SCHEMAS, "InputType", "x-source"), ["HEARSAY (live)"]),
    (
        "sources-are-graded",
        "openapi",
        (*SCHEMAS, "InputType", "x-source"),
        ["VREF (documented", "but late)"],
    ),
    ("sources-are-used", "openapi", ("x-sources", "HEARSAY"), {"title": "Said at the fair"}),
    ("constraints-have-sources", "openapi", (*SCHEMAS, "InputType", "x-source"), DROPPED),
    (
        "constraints-have-sources",
        "openapi",
        (*SCHEMAS, "RerankRequest", "properties", "query", "minLength"),
        1,
    ),
    (
        "constraints-have-sources",
        "openapi",
        ("paths", "/batches", "get", "parameters", 0, "schema", "x-source"),
        DROPPED,
    ),
    (
        "catalogue-fields-are-described",
        "catalogue_schema",
        ("$defs", "model", "properties", "tpm", "description"),
        DROPPED,
    ),
    (
        "catalogue-fields-are-described",
        "catalogue_schema",
        ("$defs", "model", "properties", "media", "properties", "image_max_bytes", "description"),
        DROPPED,
    ),
    (
        "catalogue-fields-are-described",
        "catalogue_schema",
        ("properties", "batch", "description"),
        DROPPED,
    ),
    (
        "catalogue-fields-are-described",
        "catalogue_schema",
        ("properties", "models", "propertyNames", "description"),
        DROPPED,
    ),
    (
        "sources-exist",
        "catalogue",
        ("models", "voyage-4", "source", "rpm"),
        ["HEARSAY (documented)"],
    ),
    ("sources-exist", "catalogue", ("geography", "source"), ["HEARSAY (documented)"]),
    ("sources-exist", "catalogue", ("sources", "HEARSAY"), {"title": "The fair", "read": "2026"}),
    ("prompts-exist", "catalogue", ("models", "voyage-4", "prompts"), "greeting"),
    ("replacements-exist", "catalogue", ("models", "voyage-3.5", "replacement"), "voyage-0"),
    ("replacements-exist", "catalogue", ("models", "voyage-3.5", "replacement"), "voyage-3.5"),
    ("dimensions-are-ordered", "catalogue", ("models", "voyage-4", "dimensions", "default"), 128),
    (
        "dimensions-are-ordered",
        "catalogue",
        ("models", "voyage-4", "dimensions", "allowed"),
        [2048, 1024],
    ),
    ("endpoints-are-operations", "openapi", ("paths", "/rerank"), DROPPED),
    (
        "dtypes-are-in-the-contract",
        "openapi",
        (*SCHEMAS, "OutputDtype"),
        lambda old: old | {"enum": ["float"], "x-memory": {"float": old["x-memory"]["float"]}},
    ),
    (
        "dtypes-have-a-memory",
        "openapi",
        (*SCHEMAS, "OutputDtype", "x-memory", "ubinary"),
        DROPPED,
    ),
    ("dtypes-have-a-memory", "openapi", (*SCHEMAS, "OutputDtype", "x-memory", "float16"), {}),
    (
        "batch-models-are-on-batch-endpoints",
        "catalogue",
        ("models", "voyage-multimodal-3.5", "batch"),
        True,
    ),
    (
        "batch-endpoints-are-in-the-contract",
        "openapi",
        (*SCHEMAS, "BatchEndpoint", "enum"),
        ["/v1/embeddings"],
    ),
    (
        "batch-endpoints-are-in-the-contract",
        "catalogue",
        ("batch", "endpoints"),
        lambda old: [*old, "multimodalembeddings"],
    ),
    (
        "completion-window-is-in-the-contract",
        "catalogue",
        ("batch", "completion_window"),
        "24h",
    ),
]


def changed(documents: Documents, name: str, place: Place, value: object) -> Documents:
    """Return a copy of the documents with one path removed, replaced or changed by a function."""
    copy = deepcopy(documents)
    holder: Any = getattr(copy, name)
    *way, last = place
    for key in way:
        holder = holder[key]
    if value is DROPPED:
        del holder[last]
    else:
        holder[last] = value(holder[last]) if callable(value) else value
    return copy
