"""Vectors in MongoDB: their stored form, and definitions of vector search indexes.

>>> index_definition(model="voyage-4", path="embedding", dimension=512, dtype="int8")["fields"]
[{'type': 'vector', 'path': 'embedding', 'numDimensions': 512, 'similarity': 'cosine'}]
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from voyageai_rest.catalogue import MODELS, VECTOR_SEARCH
from voyageai_rest.dtypes import DTYPES

from .argument_checks import catalogue_entry, check_model, check_output
from .error import ArgumentError
from .extras import require
from .vectors import DEFAULT

if TYPE_CHECKING:
    from voyageai_rest.models import OutputDtype

__all__ = ["auto_embed_definition", "binary", "index_definition"]


def binary(rows: Sequence[bytes], dtype: OutputDtype | str) -> list[Any]:
    """Return vectors as `bson.Binary` of the vector subtype.

    Args:
        rows: Vectors as little-endian bytes, as returned by `to_bytes()` of a result.
        dtype: The dtype of the vectors.

    Raises:
        ArgumentError: MongoDB has no vectors of the dtype.
        ImportError: pymongo is not installed.
    """
    kind = _stored(dtype, "dtype").vector_dtype
    bson = require("bson.binary", "mongodb")
    head = bson.BinaryVectorDtype[kind].value + b"\0"  # no bits of the last byte are unused
    return [bson.Binary(head + row, bson.VECTOR_SUBTYPE) for row in rows]


def index_definition(
    *,
    model: str,
    path: str,
    dimension: int | None = None,
    dtype: OutputDtype | str = DEFAULT,
    similarity: str | None = None,
    quantization: str | None = None,
    filters: Iterable[str] = (),
) -> dict[str, Any]:
    """Return the definition of an index over stored vectors.

    Args:
        model: Name of the model of the vectors.
        path: Path of the field with the vectors.
        dimension: Dimension of the vectors; None for the model's default.
        dtype: Dtype of the vectors.
        similarity: `cosine`, `dotProduct` or `euclidean`; None for the best one for the dtype, such
            as `dotProduct` for `float`, as vectors have unit length.
        quantization: `scalar` or `binary`, for the index to quantize vectors of `float`.
        filters: Paths of fields that searches filter by.

    Returns:
        The `definition` for pymongo's `SearchIndexModel` with the `type` `vectorSearch`.

    Raises:
        ArgumentError: The model does not have such vectors, or MongoDB can't index them.

    Example:
        >>> definition = index_definition(model="voyage-4", path="embedding", filters=["year"])
        >>> [(field["type"], field["path"]) for field in definition["fields"]]
        [('vector', 'embedding'), ('filter', 'year')]
    """
    check_output(check_model(model), dimension, dtype)
    stored = _stored(dtype, "dtype")
    entry = catalogue_entry(model)
    usual = entry.dimensions.default if entry is not None and entry.dimensions else None
    dimensions = dimension or usual
    if dimensions is None:
        reason = (
            "is not in the catalogue"
            if entry is None
            else "has no vectors; name an embedding model"
            if entry.dimensions is None
            else "has no known default"
        )
        raise ArgumentError(f"dimension is needed, as {model} {reason}", "dimension")
    packed = DTYPES[dtype].dimensions_per_number
    if dimensions > VECTOR_SEARCH.max_dimensions or dimensions % packed:
        raise ArgumentError(
            f"dimension must be at most {VECTOR_SEARCH.max_dimensions:,}"
            f"{f' and a multiple of {packed}' if packed > 1 else ''}, not {dimensions}",
            "dimension",
        )
    kept = _one_of("similarity", similarity or stored.similarity[0], stored.similarity)
    vector: dict[str, Any] = {
        "type": "vector",
        "path": _path(path),
        "numDimensions": dimensions,
        "similarity": kept,
    }
    if quantization is not None:
        vector["quantization"] = _one_of("quantization", quantization, stored.quantization)
    return {"fields": [vector, *_filters(filters)]}


def auto_embed_definition(
    *,
    model: str,
    path: str,
    dimension: int | None = None,
    quantization: str | None = None,
    filters: Iterable[str] = (),
) -> dict[str, Any]:
    """Return the definition of an index for which MongoDB itself embeds a text field.

    Args:
        model: Name of a model that MongoDB supports for this.
        path: Path of the field with the text.
        dimension: Dimension of the vectors; None for MongoDB's default.
        quantization: Form of the vectors in the index: `float`, `scalar`, `binary` or
            `binaryNoRescore`; None for MongoDB's default.
        filters: Paths of fields that searches filter by.

    Returns:
        The `definition` for pymongo's `SearchIndexModel` with the `type` `vectorSearch`.

    Raises:
        ArgumentError: MongoDB does not support the model or an option for this.

    Example:
        >>> auto_embed_definition(model="voyage-4", path="plot")["fields"]
        [{'type': 'autoEmbed', 'modality': 'text', 'path': 'plot', 'model': 'voyage-4'}]
    """
    entry = catalogue_entry(check_model(model))
    if entry is not None and not entry.auto_embed:
        supported = ", ".join(name for name, one in MODELS.items() if one.auto_embed)
        raise ArgumentError(f"model must be one that MongoDB embeds with: {supported}", "model")
    check_output(model, dimension, None)
    field: dict[str, Any] = {
        "type": "autoEmbed",
        "modality": "text",
        "path": _path(path),
        "model": model,
    }
    if dimension is not None:
        field["numDimensions"] = dimension
    if quantization is not None:
        allowed = VECTOR_SEARCH.auto_embed_quantization
        field["quantization"] = _one_of("quantization", quantization, allowed)
    return {"fields": [field, *_filters(filters)]}


def _stored(dtype: str, argument: str) -> Any:
    """Return MongoDB's options for vectors of a dtype.

    Raises:
        ArgumentError: MongoDB has no vectors of the dtype.
    """
    if dtype not in DTYPES:
        raise ArgumentError(f"dtype must be one of {', '.join(DTYPES)}, not {dtype!r}", argument)
    stored = getattr(VECTOR_SEARCH.dtypes, dtype)
    if stored is None:
        supported = {name for name in DTYPES if getattr(VECTOR_SEARCH.dtypes, name) is not None}
        listed = ", ".join(name for name in DTYPES if name in supported)
        instead = {"binary": "ubinary", "uint8": "int8"}[dtype]
        raise ArgumentError(
            f"MongoDB has no vectors of dtype {dtype!r}, only of {listed}; embed with "
            f"output_dtype={instead!r}",
            argument,
        )
    return stored


def _one_of(argument: str, value: str, allowed: Sequence[str]) -> str:
    if value not in allowed:
        raise ArgumentError(
            f"{argument} must be {' or '.join(map(repr, allowed))} here, not {value!r}", argument
        )
    return value


def _path(path: object, argument: str = "path") -> str:
    if not isinstance(path, str) or not path:
        raise ArgumentError(f"{argument} must be the name of a field, not {path!r}", argument)
    return path


def _filters(filters: Iterable[str]) -> list[dict[str, str]]:
    if isinstance(filters, str):
        raise ArgumentError(f"filters must be a list of fields: [{filters!r}]", "filters")
    if not isinstance(filters, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]  # users may pass anything
        raise ArgumentError(f"filters must be a list of fields, not {filters!r}", "filters")
    return [{"type": "filter", "path": _path(name, "filters")} for name in filters]
