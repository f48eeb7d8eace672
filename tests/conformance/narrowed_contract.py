"""The contract for the tests, narrowed by facts of the catalogue that schemas can't express.

An unknown model is refused whatever else a request holds, so requests with random models would
test nothing else. All values left out here are refused anyway, so the narrowed contract is also
right about requests that must be refused.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from voyageai_rest.catalogue import MODELS, Model
from voyageai_rest.operations import OPERATIONS
from voyageai_rest.spec import load

Document = dict[str, Any]

# Schema of the parameters of a batch job, and the endpoint that the job is for.
PARAMS = {
    "BatchEmbeddingsParams": "embeddings",
    "BatchContextualizedEmbeddingsParams": "contextualizedembeddings",
    "BatchRerankParams": "rerank",
}
UPLOAD = 'form-data; name="file"; filename="lines.jsonl"'


def narrowed(media: Mapping[str, Sequence[str]]) -> Document:
    """Return the contract for an emulator.

    Args:
        media: Pictures that it can read, by kind of content. Other kinds are
            left out: each video takes a process.
    """
    document = copy.deepcopy(load())
    schemas = document["components"]["schemas"]
    for operation in OPERATIONS:
        if served := at(operation.path.strip("/")):
            _narrow_models(schemas[operation.request], served)
    for name, endpoint in PARAMS.items():
        _narrow_models(schemas[name], [model for model in at(endpoint) if model.batch])
    _narrow_jobs(schemas)
    _narrow_media(schemas, media)
    # The description says that every response has it; headers are optional by default.
    document["components"]["headers"]["RequestId"]["required"] = True
    # Schemas do not describe file names.
    upload = document["paths"]["/files"]["post"]["requestBody"]["content"]["multipart/form-data"]
    upload["encoding"] = {"file": {"headers": {"Content-Disposition": {"example": UPLOAD}}}}
    return document


def at(endpoint: str) -> list[Model]:
    """Return the models that an endpoint serves."""
    return [
        model
        for model in MODELS.values()
        if model.endpoint == endpoint and model.lifecycle != "retired"
    ]


def _narrow_models(schema: Document, served: Sequence[Model]) -> None:
    fields = schema["properties"]
    fields["model"]["enum"] = [model.name for model in served]
    if "output_dimension" in fields:
        allowed = {n for model in served if model.dimensions for n in model.dimensions.allowed}
        fields["output_dimension"]["enum"] = [None, *sorted(allowed)]


def _narrow_jobs(schemas: Document) -> None:
    """Restrict the parameters of a job to those of its endpoint."""
    job = schemas["CreateBatchRequest"]
    variants = [copy.deepcopy(job) for _ in PARAMS]
    for variant, (name, endpoint) in zip(variants, PARAMS.items(), strict=True):
        variant["properties"]["endpoint"] = {"const": f"/v1/{endpoint}"}
        variant["properties"]["request_params"] = {"$ref": f"#/components/schemas/{name}"}
    schemas["CreateBatchRequest"] = {"oneOf": variants}


def _narrow_media(schemas: Document, media: Mapping[str, Sequence[str]]) -> None:
    """Restrict content to the given media, and to kinds for which there are media."""
    items = schemas["MultimodalInput"]["properties"]["content"]["items"]
    mapping = items["discriminator"]["mapping"]
    for kind, reference in list(mapping.items()):
        if kind in media:
            schemas[reference.rpartition("/")[2]]["properties"][kind]["enum"] = list(media[kind])
        elif kind != "text":
            del mapping[kind]
            items["oneOf"].remove({"$ref": reference})
