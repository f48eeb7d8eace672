"""The constraints of the contract on the fields of requests, beyond their types."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping


@frozen(kw_only=True)
class Constraint:
    """The constraints of a field; all bounds are inclusive.

    Attributes:
        min_items: Minimum number of items of a list.
        max_items: Maximum number of items of a list.
        min_length: Minimum number of characters of a string.
        max_length: Maximum number of characters of a string.
        minimum: Minimum of a number.
        maximum: Maximum of a number.
        max_properties: Maximum number of keys of an object.
        values: Allowed values of an enum.
        item: Constraints of each item of a list.
    """

    min_items: int | None = None
    max_items: int | None = None
    min_length: int | None = None
    max_length: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    max_properties: int | None = None
    values: tuple[str, ...] | None = None
    item: Constraint | None = None


CONSTRAINTS: Mapping[str, Mapping[str, Constraint]] = MappingProxyType(
    {
        "EmbeddingsRequest": MappingProxyType(
            {
                "input": Constraint(
                    min_items=1, max_items=1000, item=Constraint(min_length=1), min_length=1
                ),
                "input_type": Constraint(values=("query", "document")),
                "output_dtype": Constraint(values=("float", "int8", "uint8", "binary", "ubinary")),
                "encoding_format": Constraint(values=("base64",)),
            }
        ),
        "ContextualizedEmbeddingsRequest": MappingProxyType(
            {
                "inputs": Constraint(
                    min_items=1,
                    max_items=1000,
                    item=Constraint(min_items=1, item=Constraint(min_length=1)),
                ),
                "input_type": Constraint(values=("query", "document")),
                "output_dtype": Constraint(values=("float", "int8", "uint8", "binary", "ubinary")),
                "encoding_format": Constraint(values=("base64",)),
                "chunk_size": Constraint(minimum=1, maximum=32000),
                "chunk_overlap": Constraint(minimum=0),
            }
        ),
        "MultimodalInput": MappingProxyType({"content": Constraint(min_items=1)}),
        "MultimodalEmbeddingsRequest": MappingProxyType(
            {
                "inputs": Constraint(min_items=1, max_items=1000),
                "input_type": Constraint(values=("query", "document")),
                "output_dtype": Constraint(values=("float", "int8", "uint8", "binary", "ubinary")),
                "encoding_format": Constraint(values=("base64",)),
            }
        ),
        "RerankRequest": MappingProxyType(
            {"documents": Constraint(min_items=1, max_items=1000, item=Constraint(min_length=1))}
        ),
        "UploadFileRequest": MappingProxyType({"purpose": Constraint(values=("batch",))}),
        "BatchEmbeddingsParams": MappingProxyType(
            {
                "input_type": Constraint(values=("query", "document")),
                "output_dtype": Constraint(values=("float", "int8", "uint8", "binary", "ubinary")),
                "encoding_format": Constraint(values=("base64",)),
            }
        ),
        "BatchContextualizedEmbeddingsParams": MappingProxyType(
            {
                "input_type": Constraint(values=("query", "document")),
                "output_dtype": Constraint(values=("float", "int8", "uint8", "binary", "ubinary")),
                "encoding_format": Constraint(values=("base64",)),
                "chunk_size": Constraint(minimum=1, maximum=32000),
                "chunk_overlap": Constraint(minimum=0),
            }
        ),
        "CreateBatchRequest": MappingProxyType(
            {
                "endpoint": Constraint(
                    values=("/v1/embeddings", "/v1/contextualizedembeddings", "/v1/rerank")
                ),
                "completion_window": Constraint(values=("12h",)),
                "metadata": Constraint(max_properties=16),
            }
        ),
        "BatchEmbeddingsBody": MappingProxyType(
            {
                "input": Constraint(
                    min_items=1, max_items=1000, item=Constraint(min_length=1), min_length=1
                )
            }
        ),
        "BatchContextualizedEmbeddingsBody": MappingProxyType(
            {
                "inputs": Constraint(
                    min_items=1,
                    max_items=1000,
                    item=Constraint(min_items=1, item=Constraint(min_length=1)),
                )
            }
        ),
        "BatchRerankBody": MappingProxyType(
            {"documents": Constraint(min_items=1, max_items=1000, item=Constraint(min_length=1))}
        ),
    }
)
